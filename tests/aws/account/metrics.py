"""CloudWatch: alarms that the scenario sets, metrics that it tells, and metric math over them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from .clock import iso
from .people import ACCOUNT, REGION

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Metrics", "calculated"]

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
Series = dict[datetime, float]
Key = tuple[str, str, frozenset[tuple[str, str]]]


class Invalid(ServiceException):
    code = "ValidationError"


@dataclass(frozen=True)
class Answering:
    """How a variant answers from a moment on, minute by minute."""

    since: datetime
    endpoint: str
    variant: str
    per_minute: float
    errors: float
    latency_ms: float


@dataclass
class Metrics:
    account: Account
    points: dict[Key, list[tuple[datetime, float]]] = field(default_factory=dict)
    answering: list[Answering] = field(default_factory=list)

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(
            CloudWatchResponse, "get_metric_data", lambda response: ActionResult(self._get(response._get_params()))
        )
        patch.setattr(CloudWatchResponse, "put_metric_data", lambda response: self._put(response._get_params()))
        patch.setattr(
            CloudWatchResponse, "describe_alarms", lambda response: ActionResult(self._describe(response._get_params()))
        )
        patch.setattr(CloudWatchResponse, "set_alarm_state", lambda response: self._set(response._get_params()))

    # alarms

    @property
    def alarms(self) -> dict[str, Alarm]:
        found: dict[str, Alarm] = cloudwatch_backends[ACCOUNT][REGION].alarms
        return found

    def state(self, alarm: str) -> str | None:
        """An alarm's state, by its name or ARN; None where there is none."""
        found = self.alarms.get(alarm.rpartition(":")[2])
        return None if found is None else str(found.state_value)

    def set(self, name: str, state: str, reason: str) -> None:
        """
        Raises:
            AssertionError: no such alarm, or no such state.
        """
        alarm = self.alarms.get(name)
        assert alarm is not None, f"no alarm is called {name}: {', '.join(sorted(self.alarms))}"
        assert state in STATES, f"an alarm is {', '.join(STATES)}, not {state}"
        before = alarm.state_value
        if before == state:
            return
        alarm.update_state(reason, "{}", state)
        self._changed(alarm, before)
        for other in list(self.alarms.values()):
            if other.rule and other is not alarm:
                self.set(other.name, "ALARM" if self._holds(other.rule) else "OK", f"{name} is {state}")

    def _changed(self, alarm: Alarm, before: str) -> None:
        now = iso(self.account.clock.now)
        detail = {
            "alarmName": alarm.name,
            "configuration": {"description": alarm.description or ""},
            "state": {"value": alarm.state_value, "reason": alarm.state_reason, "timestamp": now},
            "previousState": {"value": before, "timestamp": now},
        }
        self.account.events.emit("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm.alarm_arn])
        actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(alarm.state_value, [])
        text = json.dumps(
            {
                "AlarmName": alarm.name,
                "AlarmDescription": alarm.description,
                "NewStateValue": alarm.state_value,
                "NewStateReason": alarm.state_reason,
            }
        )
        for topic in actions or []:
            self.account.client("sns").publish(
                TopicArn=topic, Subject=f'{alarm.state_value}: "{alarm.name}"'[:100], Message=text
            )
        if alarm.state_value == "ALARM":
            self.account.endpoints.alarmed(alarm.name)

    def _holds(self, rule: str) -> bool:
        """A composite alarm's rule: ALARM("..."), OK("..."), AND, OR, NOT (CloudWatch API, PutCompositeAlarm)."""

        def state(found: re.Match[str]) -> str:
            return str(self.state(found[2]) == found[1])

        text = re.sub(r'\b(ALARM|OK|INSUFFICIENT_DATA)\("?([^")]+)"?\)', state, rule)
        for word in ("AND", "OR", "NOT"):
            text = re.sub(rf"\b{word}\b", word.lower(), text)
        return bool(_logic(ast.parse(text.strip(), mode="eval").body))

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        names, state, prefix = request.get("AlarmNames"), request.get("StateValue"), request.get("AlarmNamePrefix")
        kinds = request.get("AlarmTypes") or ["MetricAlarm"]
        found = [
            each
            for each in self.alarms.values()
            if (not names or each.name in names)
            and state in (None, each.state_value)
            and each.name.startswith(prefix or "")
            and ("CompositeAlarm" if each.rule else "MetricAlarm") in kinds
        ]
        return {
            "MetricAlarms": [each for each in found if not each.rule],
            "CompositeAlarms": [each for each in found if each.rule],
        }

    def _set(self, request: Mapping[str, Any]) -> Any:
        self.set(request["AlarmName"], request["StateValue"], request["StateReason"])
        return EmptyResult()

    # metrics

    def tell(self, namespace: str, name: str, value: float, dimensions: Mapping[str, str], at: datetime) -> None:
        self.points.setdefault((namespace, name, frozenset(dimensions.items())), []).append((at, float(value)))

    def read_log(self, text: str) -> None:
        """Metrics in lines of a log (CloudWatch user guide, "Embedded metric format specification")."""
        for line in text.splitlines():
            try:
                document = json.loads(line)
                about = document["_aws"]
            except (ValueError, KeyError, TypeError):
                continue
            at = datetime.fromtimestamp(about["Timestamp"] / 1000, UTC)
            for each in about["CloudWatchMetrics"]:
                for names in each["Dimensions"]:
                    of = {name: str(document[name]) for name in names}
                    for metric in each["Metrics"]:
                        self.tell(each["Namespace"], metric["Name"], document[metric["Name"]], of, at)

    def _put(self, request: Mapping[str, Any]) -> Any:
        for datum in request["MetricData"]:
            of = {each["Name"]: each["Value"] for each in datum.get("Dimensions", ())}
            at = _aware(datum.get("Timestamp") or self.account.clock.now)
            values = datum.get("Values") or [datum["Value"]]
            for value in values:
                self.tell(request["Namespace"], datum["MetricName"], float(value), of, at)
        return EmptyResult()

    def _get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        # "Start time less than 15 days ago: round down to the nearest whole minute" (CloudWatch API, GetMetricData).
        start, end = _aware(request["StartTime"]).replace(second=0, microsecond=0), _aware(request["EndTime"])
        if start >= end:
            raise Invalid("The parameter StartTime must be less than the parameter EndTime.")
        series: dict[str, Series] = {}
        queries = request["MetricDataQueries"]
        for query in queries:
            if "MetricStat" in query:
                series[query["Id"]] = self._series(query["MetricStat"], start, end)
        for query in queries:
            if "Expression" in query:
                series[query["Id"]] = calculated(query["Expression"], series)
        newest = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for query in queries:
            if query.get("ReturnData", True):
                points = sorted(series[query["Id"]].items(), reverse=newest)
                results.append(
                    {
                        "Id": query["Id"],
                        "Label": query.get("Label", query["Id"]),
                        "Timestamps": [at for at, _ in points],
                        "Values": [value for _, value in points],
                        "StatusCode": "Complete",
                    }
                )
        return {"MetricDataResults": results, "Messages": []}

    def _series(self, of: Mapping[str, Any], start: datetime, end: datetime) -> Series:
        metric, period = of["Metric"], int(of["Period"])
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
        key = (metric["Namespace"], metric["MetricName"], frozenset(dimensions.items()))
        points = [*self.points.get(key, ()), *self._answered(metric, dimensions, start, end)]
        buckets: dict[datetime, list[float]] = {}
        for at, value in points:
            if start <= at < end:
                seconds = at.timestamp() // period * period
                buckets.setdefault(datetime.fromtimestamp(seconds, UTC), []).append(value)
        return {at: _statistic(of["Stat"], values) for at, values in buckets.items()}

    def _answered(
        self, metric: Mapping[str, Any], dimensions: Mapping[str, str], start: datetime, end: datetime
    ) -> list[tuple[datetime, float]]:
        """What the variants' answers of every minute are as metrics."""
        if metric["Namespace"] != "AWS/SageMaker":
            return []
        mine = [
            each
            for each in self.answering
            if (each.endpoint, each.variant) == (dimensions.get("EndpointName"), dimensions.get("VariantName"))
        ]
        found: list[tuple[datetime, float]] = []
        at = datetime.fromtimestamp(start.timestamp() // 60 * 60, UTC)
        # A minute is told when it is over.
        while mine and at < end and at + timedelta(minutes=1) <= self.account.clock.now:
            current = next((each for each in reversed(mine) if each.since <= at), None)
            if current is not None and at >= start:
                value = {
                    "Invocations": current.per_minute,
                    "Invocation5XXErrors": current.per_minute * current.errors,
                    "Invocation4XXErrors": 0.0,
                    "ModelLatency": current.latency_ms * 1000,
                }.get(metric["MetricName"])
                if value is not None:
                    found.append((at, value))
            at += timedelta(minutes=1)
        return found


def _aware(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    found: datetime = value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _statistic(name: str, values: list[float]) -> float:
    if re.fullmatch(r"p\d+(\.\d+)?", name):
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * float(name[1:]) / 100))]
    return {
        "Sum": sum(values),
        "Average": sum(values) / len(values),
        "SampleCount": float(len(values)),
        "Minimum": min(values),
        "Maximum": max(values),
    }[name]


OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
    ast.Eq: lambda left, right: float(left == right),
    ast.NotEq: lambda left, right: float(left != right),
}


def calculated(expression: str, series: Mapping[str, Series]) -> Series:
    """Metric math as far as estates use it: arithmetic, comparisons, IF, FILL with a number, SUM, MIN and MAX of a list
    (CloudWatch user guide, "Using metric math"). A moment for which a metric has no value, or that divides by nothing,
    has no value.

    Raises:
        ValueError: the expression uses more.
    """
    # CloudWatch's IF is no name that Python's grammar takes for a function.
    tree = ast.parse(re.sub(r"\bIF\(", "IF_(", expression), mode="eval").body
    moments = sorted({at for each in series.values() for at in each})
    found: Series = {}
    for at in moments:
        value = _math(tree, series, at)
        if value is not None:
            found[at] = value
    return found


def _math(node: ast.expr, series: Mapping[str, Series], at: datetime) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return series[node.id].get(at)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _math(node.operand, series, at)
        return None if inner is None else -inner
    pair: tuple[ast.expr, Any, ast.expr] | None = None
    if isinstance(node, ast.BinOp):
        pair = (node.left, node.op, node.right)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        pair = (node.left, node.ops[0], node.comparators[0])
    if pair is not None and type(pair[1]) in OPERATIONS:
        left, right = _math(pair[0], series, at), _math(pair[2], series, at)
        if left is None or right is None or (isinstance(pair[1], ast.Div) and right == 0):
            return None
        return OPERATIONS[type(pair[1])](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name, arguments = node.func.id, node.args
        if name == "IF_" and len(arguments) == 3:
            condition = _math(arguments[0], series, at)
            return None if condition is None else _math(arguments[1 if condition else 2], series, at)
        if name == "FILL" and len(arguments) == 2:
            value = _math(arguments[0], series, at)
            return _math(arguments[1], series, at) if value is None else value
        if name in ("SUM", "MIN", "MAX") and isinstance(arguments[0], ast.List):
            values = [_math(each, series, at) for each in arguments[0].elts]
            known = [each for each in values if each is not None]
            return None if not known else {"SUM": sum, "MIN": min, "MAX": max}[name](known)  # type: ignore[operator]
    raise ValueError(f"the simulation does not know {ast.unparse(node)} of metric math")


def _logic(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _logic(node.operand)
    if isinstance(node, ast.BoolOp):
        every = all if isinstance(node.op, ast.And) else any
        return every(_logic(each) for each in node.values)
    raise ValueError(f"the simulation does not know {ast.unparse(node)} in an alarm's rule")
