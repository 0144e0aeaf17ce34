"""EventBridge: patterns as it matches them, inputs as it transforms them, targets that really receive."""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from moto.events.models import EventsBackend, events_backends

from .clock import iso
from .people import ACCOUNT, REGION, Identity

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Delivered", "Events", "matches", "transformed"]

DELIVERY_SECONDS = 1.0
Event = dict[str, Any]
MISSING = object()


@dataclass(frozen=True)
class Delivered:
    """An event that a rule passed on, or could not."""

    at: datetime
    bus: str
    rule: str
    target: str
    event: Mapping[str, Any]
    input: str
    error: str | None = None


@dataclass
class Events:
    account: Account
    emitted: list[tuple[str, Event]] = field(default_factory=list)
    """Every event, with the name of the bus that it came to."""
    delivered: list[Delivered] = field(default_factory=list)
    twice: dict[str, int] = field(default_factory=dict)
    """By detail type: how many of the next such events are delivered twice."""
    silent: bool = False
    """Whether nothing is told: while an account is filled with what has long been there."""

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(EventsBackend, "put_events", lambda _, events: self._put(events))

    def emit(self, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str]) -> None:
        """What a service of AWS tells on the default bus."""
        if not self.silent:
            self._arrive("default", self._event(source, detail_type, detail, resources))

    def undelivered(self) -> list[Delivered]:
        return [each for each in self.delivered if each.error is not None]

    def _event(self, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str]) -> Event:
        return {
            "version": "0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"event {len(self.emitted)}")),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": iso(self.account.clock.now.replace(microsecond=0)),
            "region": REGION,
            "resources": resources,
            "detail": json.loads(json.dumps(detail, default=str)),
        }

    def _put(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        for entry in entries:
            bus = (entry.get("EventBusName") or "default").rpartition("/")[2]
            error = _refusal(entry)
            if error is None and bus not in self._buses():
                error = ("ResourceNotFoundException", f"Event bus {bus} does not exist.")
            if error is not None:
                answers.append({"ErrorCode": error[0], "ErrorMessage": error[1]})
                continue
            detail, resources = json.loads(entry["Detail"]), entry.get("Resources", [])
            event = self._event(entry["Source"], entry["DetailType"], detail, resources)
            self._arrive(bus, event)
            answers.append({"EventId": event["id"]})
        return answers

    def _buses(self) -> Any:
        return events_backends[ACCOUNT][REGION].event_buses

    def _arrive(self, bus: str, event: Event, *, forwarded: bool = False) -> None:
        self.emitted.append((bus, event))
        times = 1
        if not forwarded and self.twice.get(event["detail-type"], 0) > 0:
            self.twice[event["detail-type"]] -= 1
            times = 2
        for rule in self._buses()[bus].rules.values():
            pattern = rule.event_pattern.get_pattern()
            if rule.state == "ENABLED" and pattern and matches(pattern, event):
                for target in rule.targets:
                    for _ in range(times):
                        call = partial(self._deliver, bus, rule, target, event, forwarded)
                        self.account.clock.work(DELIVERY_SECONDS, call)

    def _deliver(self, bus: str, rule: Any, target: Mapping[str, Any], event: Event, forwarded: bool) -> None:
        given, error = "", None
        try:
            given = _input(rule, target, event)
            self._receive(target, given, event, forwarded)
        # Whatever keeps a target from receiving is what EventBridge writes beside the dead letter.
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
            queue = (target.get("DeadLetterConfig") or {}).get("Arn")
            if queue:
                sqs = self.account.client("sqs")
                url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        self.delivered.append(Delivered(self.account.clock.now, bus, rule.name, target["Arn"], event, given, error))

    def _receive(self, target: Mapping[str, Any], given: str, event: Event, forwarded: bool) -> None:
        service = target["Arn"].split(":")[2]
        resource = target["Arn"].split(":", 5)[5]
        role = Identity((target.get("RoleArn") or "events").rpartition("/")[2], "events")
        with self.account.acting(role):
            if service == "states":
                self.account.client("stepfunctions").start_execution(stateMachineArn=target["Arn"], input=given)
            elif service == "sns":
                text = json.loads(given) if given.startswith('"') else given
                self.account.client("sns").publish(TopicArn=target["Arn"], Message=text)
            elif service == "sqs":
                url = self.account.client("sqs").get_queue_url(QueueName=resource)["QueueUrl"]
                self.account.client("sqs").send_message(QueueUrl=url, MessageBody=given)
            elif resource.startswith("event-bus/"):
                # EventBridge user guide, "Sending and receiving events between event buses": not on to a third one.
                if not forwarded:
                    self._arrive(resource.partition("/")[2], copy.deepcopy(event), forwarded=True)
            elif resource.startswith("api-destination/") or service == "logs":
                pass  # what leaves the account, or is only written down, is told by `delivered`
            else:
                raise LookupError(f"no target of the kind {service} is simulated")


def _refusal(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            return "InvalidArgument", f"Parameter {member} is not valid. Reason: {member} is a required argument."
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        parsed = json.loads(entry["Detail"])
    except ValueError:
        return "MalformedDetail", "Detail is malformed."
    return None if isinstance(parsed, dict) else ("MalformedDetail", "Detail is malformed.")


# patterns


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event has what a pattern asks for (EventBridge user guide, "Comparison operators")."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(each, event) for each in wanted):
                return False
            continue
        value = event.get(key, MISSING) if isinstance(event, Mapping) else MISSING
        if isinstance(wanted, Mapping):
            inner = value if isinstance(value, list) else [value]
            if not any(matches(wanted, each if isinstance(each, Mapping) else {}) for each in inner):
                return False
        elif not any(_rule(each, value) for each in wanted):
            return False
    return True


def _rule(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        ((operator, operand),) = wanted.items()
        if operator == "exists":
            return (value is not MISSING) is bool(operand)
        if value is MISSING:
            return False
        values = value if isinstance(value, list) else [value]
        if operator == "anything-but":
            found = {not _excluded(operand, each) for each in values}
            if len(found) > 1:
                raise NotImplementedError(f"EventBridge's guide leaves open whether {operand} matches {values}")
            return found == {True}
        return any(OPERATORS[operator](operand, each) for each in values)
    if value is MISSING:
        return False
    values = value if isinstance(value, list) else [value]
    return any((type(each) is type(wanted) and each == wanted) or _same_number(each, wanted) for each in values)


def _same_number(left: Any, right: Any) -> bool:
    plain = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right))
    return plain and float(left) == float(right)


def _excluded(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        ((operator, inner),) = operand.items()
        return any(OPERATORS[operator](each, value) for each in (inner if isinstance(inner, list) else [inner]))
    return value in (operand if isinstance(operand, list) else [operand])


def _prefix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().startswith(operand["equals-ignore-case"].lower())
    return isinstance(value, str) and value.startswith(operand)


def _suffix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().endswith(operand["equals-ignore-case"].lower())
    return isinstance(value, str) and value.endswith(operand)


def _wildcard(operand: str, value: Any) -> bool:
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", operand)
    pattern = "".join(".*" if part == "*" else re.escape(part[-1] if part.startswith("\\") else part) for part in parts)
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


def _numeric(operand: list[Any], value: Any) -> bool:
    compare: dict[str, Callable[[float, float], bool]] = {
        "=": lambda left, right: left == right,
        "<": lambda left, right: left < right,
        "<=": lambda left, right: left <= right,
        ">": lambda left, right: left > right,
        ">=": lambda left, right: left >= right,
    }
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and all(compare[each](value, bound) for each, bound in zip(operand[::2], operand[1::2], strict=True))


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
    "equals-ignore-case": lambda operand, value: isinstance(value, str) and value.lower() == operand.lower(),
    "numeric": _numeric,
}


# inputs


def _input(rule: Any, target: Mapping[str, Any], event: Event) -> str:
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(_at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {"aws.events.event.json": event, "aws.events.event": event}
    values |= {"aws.events.rule-name": rule.name, "aws.events.rule-arn": rule.arn}
    values["aws.events.event.ingestion-time"] = event["time"]
    return transformed(transformer["InputTemplate"], values)


def _at(event: Any, path: str) -> Any:
    if not re.fullmatch(r"\$((\.[\w-]+)|(\[\d+\]))*", path):
        raise ValueError(f"{path} is no path that EventBridge takes")
    value = event
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path):
        if name:
            value = value.get(name, MISSING) if isinstance(value, Mapping) else MISSING
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else MISSING
    return value


def transformed(template: str, values: Mapping[str, Any]) -> str:
    """The input that a template makes: JSON, in which a placeholder stands for a value, or within quotes for its text.

    A path that the event has not leaves no text (EventBridge user guide, "Input transformation").

    Raises:
        ValueError: what comes out is no JSON, or a placeholder without quotes stands for nothing.
    """
    out: list[str] = []
    quoted, position = False, 0
    while position < len(template):
        character = template[position]
        if character == "\\" and quoted:
            out.append(template[position : position + 2])
            position += 2
            continue
        if character == '"':
            quoted = not quoted
        found = re.match(r"<([\w.-]+)>", template[position:])
        if found and found[1] in values:
            out.append(_placed(found[1], values[found[1]], quoted))
            position += len(found[0])
            continue
        out.append(character)
        position += 1
    text = "".join(out)
    json.loads(text)
    return text


def _placed(name: str, value: Any, quoted: bool) -> str:
    if not quoted:
        if value is MISSING:
            raise ValueError(f"<{name}> stands for nothing that the event has")
        return json.dumps(value)
    if value is MISSING:
        return ""
    return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]
