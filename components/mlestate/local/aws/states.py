"""The grammar of the Amazon States Language, and what the services refuse of the requests that its tasks make.

Sources: Amazon States Language specification (states-language.net) with JSONata and variables; Step Functions developer
guide, "Learning to use AWS service SDK integrations" and "Integrating optimized services".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlestate.local.aws.json_text import Finding, parsed
from mlestate.local.aws.models import UnknownOperationError, request

MOST = 1048576  # bytes of a definition: the CreateStateMachine API reference
_NAME = 80
_PATHS = ("InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector")
_COMMON = ("Type", "Comment", "QueryLanguage")
_FLOW = ("Next", "End")
_IO = ("InputPath", "OutputPath", "Output", "Assign")
_RESULTS = ("Parameters", "ResultSelector", "ResultPath", "Arguments", "Retry", "Catch")

# type -> (fields beside the common ones, fields that it cannot do without)
_TYPES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Task": (
        (*_FLOW, *_IO, *_RESULTS, "Resource", "Credentials", "TimeoutSeconds", "TimeoutSecondsPath",
         "HeartbeatSeconds", "HeartbeatSecondsPath"),
        ("Resource",),
    ),
    "Pass": ((*_FLOW, *_IO, "Parameters", "ResultPath", "Result"), ()),
    "Choice": ((*_IO, "Choices", "Default"), ("Choices",)),
    "Wait": ((*_FLOW, *_IO, "Seconds", "SecondsPath", "Timestamp", "TimestampPath"), ()),
    "Succeed": (_IO, ()),
    "Fail": (("Error", "ErrorPath", "Cause", "CausePath"), ()),
    "Parallel": ((*_FLOW, *_IO, *_RESULTS, "Branches"), ("Branches",)),
    "Map": (
        (*_FLOW, *_IO, *_RESULTS, "ItemProcessor", "Iterator", "Items", "ItemsPath", "ItemSelector", "ItemReader",
         "ItemBatcher", "ResultWriter", "Label", "MaxConcurrency", "MaxConcurrencyPath", "ToleratedFailureCount",
         "ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
        (),
    ),
}  # fmt: skip
_COMPARISON = re.compile(
    r"(String|Numeric|Timestamp)(Equals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)(Path)?"
    r"|BooleanEquals(Path)?|StringMatches|Is(Null|Present|Numeric|String|Boolean|Timestamp)"
)
_JSONATA = re.compile(r"\{%.*%\}", re.DOTALL)
_INTEGRATION = re.compile(
    r"arn:[a-z-]+:states:::(?P<sdk>aws-sdk:)?(?P<service>[a-zA-Z0-9-]+):(?P<operation>[a-zA-Z0-9]+)"
    r"(?P<pattern>\.sync(:2)?|\.waitForTaskToken)?"
)
# What Step Functions calls services is what the AWS SDK for Java does, without dashes.
_SERVICES = {"sfn": "stepfunctions", "states": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs",
             "applicationautoscaling": "application-autoscaling"}  # fmt: skip
# Texts of the API that an optimized integration takes as objects, and members that it sets itself.
_OBJECTS = ("Message", "MessageBody", "Input", "Detail", "Payload")


@dataclass(frozen=True)
class _Eventual:
    """Stands for a value that only exists when the machine runs."""


_EVENTUAL = _Eventual()


def machine(text: Any) -> Iterator[Finding]:
    """What Step Functions refuses of a definition."""
    document = yield from parsed(text)
    if document is None:
        return
    if isinstance(text, str) and len(text.encode()) > MOST:
        yield (), f"the definition has {len(text.encode())} bytes; at most {MOST} are allowed"
    seen: set[str] = set()
    yield from _machine(document, document.get("QueryLanguage", "JSONPath"), seen, nested=False)


def requests(text: str) -> Iterator[tuple[str, str]]:
    """The service and operation of every request that a definition's tasks make by an integration."""
    for found in _INTEGRATION.finditer(text):
        service = found["service"].lower()
        if service not in ("http", "lambda", "activity"):
            yield _SERVICES.get(service, service), found["operation"][0].upper() + found["operation"][1:]


def _machine(document: Mapping[str, Any], language: str, seen: set[str], *, nested: bool) -> Iterator[Finding]:
    allowed = ("Comment", "StartAt", "States", "QueryLanguage", "ProcessorConfig") if nested else (
        "Comment", "StartAt", "States", "QueryLanguage", "TimeoutSeconds", "Version")  # fmt: skip
    for name in document:
        if name not in allowed:
            yield (name,), f"unknown field {name!r}; allowed are {', '.join(allowed)}"
    if language not in ("JSONPath", "JSONata"):
        yield ("QueryLanguage",), f"expected 'JSONPath' or 'JSONata', got {language!r}"
    states = document.get("States")
    if not isinstance(states, dict) or not states:
        yield ("States",), "a state machine has at least one state"
        return
    if document.get("StartAt") not in states:
        yield ("StartAt",), f"there is no state {document.get('StartAt')!r}"
    terminal = False
    for name, state in states.items():
        path = ("States", name)
        if len(name) > _NAME:
            yield path, f"the name of a state has at most {_NAME} characters, got {len(name)}"
        if name in seen:
            yield path, f"two states are called {name!r}"
        seen.add(name)
        if not isinstance(state, dict):
            yield path, "a state is an object"
            continue
        terminal = terminal or state.get("End") is True or state.get("Type") in ("Succeed", "Fail")
        spoken = state.get("QueryLanguage", language)
        yield from ((path + where, sentence) for where, sentence in _state(state, states, spoken, seen))
    if not terminal:
        yield ("States",), "no state ends the machine: one needs End, or is of type Succeed or Fail"


def _state(state: Mapping[str, Any], states: Mapping[str, Any], language: str, seen: set[str]) -> Iterator[Finding]:
    kind = state.get("Type")
    if kind not in _TYPES:
        yield ("Type",), f"expected one of {', '.join(_TYPES)}, got {kind!r}"
        return
    fields, needed = _TYPES[str(kind)]
    for name in state:
        if name not in fields and name not in _COMMON:
            yield (name,), f"a {kind} state has no field {name!r}; allowed are {', '.join((*_COMMON, *fields))}"
        elif language == "JSONata" and (name in _PATHS or name.endswith("Path")):
            yield (name,), f"{name} belongs to JSONPath; a JSONata state says Arguments and Output"
        elif language == "JSONPath" and name in ("Arguments", "Output", "Items"):
            yield (name,), f"{name} belongs to JSONata; a JSONPath state says Parameters and ResultSelector"
    for name in needed:
        if name not in state:
            yield (name,), f"a {kind} state needs {name}"
    if "Next" in fields:
        yield from _transition(state, states)
    if kind == "Task":
        yield from _task(state, language)
    elif kind == "Choice":
        yield from _choices(state, states, language)
    elif kind == "Wait":
        given = [name for name in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath") if name in state]
        if len(given) != 1:
            yield (), "a Wait state has exactly one of Seconds, SecondsPath, Timestamp and TimestampPath"
    elif kind == "Parallel":
        for index, branch in enumerate(state.get("Branches") or []):
            yield from _within(("Branches", index), branch, language, seen)
    elif kind == "Map":
        processor = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from _within((processor,), state.get(processor), language, seen)
    yield from _handlers(state, states)


def _within(path: tuple[str | int, ...], inner: Any, language: str, seen: set[str]) -> Iterator[Finding]:
    if not isinstance(inner, dict):
        yield path, "a state machine is an object with StartAt and States"
        return
    found = _machine(inner, inner.get("QueryLanguage", language), seen, nested=True)
    yield from ((path + where, sentence) for where, sentence in found)


def _transition(state: Mapping[str, Any], states: Mapping[str, Any]) -> Iterator[Finding]:
    if ("Next" in state) == (state.get("End") is True):
        yield (), "a state has either Next or End"
    elif "Next" in state and state["Next"] not in states:
        yield ("Next",), f"there is no state {state['Next']!r}"


def _choices(state: Mapping[str, Any], states: Mapping[str, Any], language: str) -> Iterator[Finding]:
    if "Default" in state and state["Default"] not in states:
        yield ("Default",), f"there is no state {state['Default']!r}"
    choices = state.get("Choices")
    if not isinstance(choices, list) or not choices:
        yield ("Choices",), "a Choice state has at least one choice"
        return
    for index, choice in enumerate(choices):
        path = ("Choices", index)
        if choice.get("Next") not in states:
            yield (*path, "Next"), f"there is no state {choice.get('Next')!r}"
        if language == "JSONata":
            condition = choice.get("Condition")
            if not isinstance(condition, bool) and not (isinstance(condition, str) and _JSONATA.fullmatch(condition)):
                yield (*path, "Condition"), f"a condition is written {{% ... %}}, got {condition!r}"
        else:
            yield from ((path + where, sentence) for where, sentence in _rule(choice, top=True))


def _rule(rule: Any, *, top: bool) -> Iterator[Finding]:
    said = [name for name in rule if name not in ("Next", "Comment", "Assign", "Variable")] if rule else []
    if not top and "Next" in rule:
        yield ("Next",), "only a top-level choice has Next"
    if len(said) != 1:
        yield (), f"a choice has one comparison, got {', '.join(said) or 'none'}"
        return
    (operator,) = said
    if operator in ("And", "Or"):
        for index, inner in enumerate(rule[operator]):
            yield from (((operator, index, *where), sentence) for where, sentence in _rule(inner, top=False))
    elif operator == "Not":
        yield from (((operator, *where), sentence) for where, sentence in _rule(rule[operator], top=False))
    elif not _COMPARISON.fullmatch(operator):
        yield (operator,), f"unknown comparison {operator!r}"
    elif not str(rule.get("Variable", "")).startswith("$"):
        yield ("Variable",), f"a comparison names a Variable by a path, got {rule.get('Variable')!r}"


def _handlers(state: Mapping[str, Any], states: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("Retry", "Catch"):
        handlers = state.get(name) or []
        for index, handler in enumerate(handlers):
            path = (name, index)
            errors = handler.get("ErrorEquals")
            if not isinstance(errors, list) or not errors:
                yield (*path, "ErrorEquals"), "ErrorEquals names at least one error"
            elif "States.ALL" in errors and (len(errors) > 1 or index + 1 < len(handlers)):
                yield (*path, "ErrorEquals"), "States.ALL stands alone, and last"
            if name == "Catch" and handler.get("Next") not in states:
                yield (*path, "Next"), f"there is no state {handler.get('Next')!r}"
            for field, least in (("IntervalSeconds", 1), ("MaxAttempts", 0), ("BackoffRate", 1)):
                if field in handler and not handler[field] >= least:
                    yield (*path, field), f"expected at least {least}, got {handler[field]!r}"


def _task(state: Mapping[str, Any], language: str) -> Iterator[Finding]:
    resource = state.get("Resource")
    if not isinstance(resource, str) or not resource.startswith("arn:"):
        yield ("Resource",), f"a task's resource is an ARN, got {resource!r}"
        return
    field = "Arguments" if language == "JSONata" else "Parameters"
    found = _INTEGRATION.fullmatch(resource)
    if found is None or field not in state:
        return
    service, operation = next(requests(resource), ("", ""))
    if not service:
        return
    given = _settled(state[field], optimized=not found["sdk"])
    try:
        failures = request(service, operation, given, (field,), eventual=lambda value: value is _EVENTUAL)
    except UnknownOperationError:
        return
    yield from ((failure.path, failure.reason) for failure in failures)


def _settled(value: Any, *, optimized: bool) -> Any:
    """The value with `_EVENTUAL` for whatever an expression yields when the machine runs."""
    if isinstance(value, str) and _JSONATA.fullmatch(value):
        return _EVENTUAL
    if isinstance(value, list):
        return [_settled(item, optimized=optimized) for item in value]
    if not isinstance(value, dict):
        return value
    settled: dict[str, Any] = {}
    for name, item in value.items():
        if name.endswith(".$") or (optimized and name in _OBJECTS and isinstance(item, (dict, list))):
            settled[name.removesuffix(".$")] = _EVENTUAL
        else:
            settled[name] = _settled(item, optimized=optimized)
    return settled
