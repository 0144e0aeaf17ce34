"""JSONata as Step Functions evaluates it, in simulated time."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]  # it ships no types
from jsonata.timebox import Timebox  # type: ignore[import-untyped]  # the same
from jsonata.utils import Utils  # type: ignore[import-untyped]  # the same
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.jsonata import jsonata as bridge
from moto.stepfunctions.parser.asl.utils import encoding

from .clock import Clock, iso

__all__ = ["evaluate", "patched", "read"]

FUNCTIONS = ("partition", "range", "hash", "randomSeeded", "random", "uuid", "parse")
"""What Step Functions adds to JSONata (developer guide, "Transforming data with JSONata in Step Functions")."""

ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def evaluate(expression: str) -> Any:
    """The value of an expression that says all it needs."""
    value = _evaluated(_compiled(expression), {}, expression)
    return None if value is _NOTHING else value


def read(definition: str) -> None:
    """Read every expression of a machine now: each copy of this process would else do so anew."""
    for each in set(_inside(json.loads(definition))):
        _compiled(each)
        _needed(each)


def _inside(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{%"):
        yield value[2:-2].strip()
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _inside(each)


_NOTHING = object()
"""What an expression is worth that JSONata calls undefined."""

Names = tuple[str, ...]


@cache
def _compiled(expression: str) -> Jsonata:
    """Read once: what is bound to its variables comes with every evaluation."""
    said = {f"${name}" for name in _references(expression)}
    declared = "".join(text for name, text in intrinsic._DECLARATION_BY_VARIABLE_REFERENCE.items() if name in said)
    compiled = Jsonata(f"({declared}{expression})")
    compiled.set_output_convert_nulls(False)
    compiled.register_lambda("hash", _hash)
    compiled.register_lambda("parse", lambda text: _bound(json.loads(text)))
    compiled.register_lambda("eval", _no_eval)
    return compiled


def _evaluated(compiled: Jsonata, bindings: dict[str, Any], expression: str) -> Any:
    # So that a simulation repeats itself, `$uuid` follows from what is evaluated.
    name = f"{expression} {bindings!r}" if "$uuid" in expression else ""
    compiled.register_lambda("uuid", lambda: str(uuid.uuid5(uuid.NAMESPACE_OID, name)))
    Jsonata.CURRENT.jsonata = compiled
    value = compiled.evaluate(None, bindings)
    return _NOTHING if value is None else _plain(value)


def _bound(value: Any) -> Any:
    """A value as JSONata knows values: null is something, and a whole number has no fraction."""
    if isinstance(value, dict):
        return {key: _bound(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_bound(each) for each in value]
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | float):
        return value
    return iso(value) if hasattr(value, "isoformat") else str(value)


def _plain(value: Any) -> Any:
    """The same back, and nothing of it shared.

    Raises:
        TypeError: it is, or has in it, what JSON does not know: a function.
    """
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(each) for each in value]
    if isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no value of JSON")


def _hash(text: str, algorithm: str) -> str:
    if algorithm not in ALGORITHMS:
        raise ValueError(f"$hash knows {', '.join(ALGORITHMS)}, not {algorithm!r}")
    return hashlib.new(ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _no_eval(*_: Any) -> None:
    raise ValueError("Step Functions does not support $eval: use $parse")


def _declarations(bindings: dict[str, Any]) -> str:
    return "".join(f"{name}:={encoding.to_json_str(value, (',', ':'))};" for name, value in bindings.items())


def _literal(_: Any, value: Any) -> Any:
    return iso(value) if hasattr(value, "isoformat") else str(value)


@cache
def _references(expression: str) -> Names:
    """The variables and functions that an expression names."""
    said = {each.partition(".")[0].lstrip("$") for each in bridge.extract_jsonata_variable_references(expression)}
    return tuple(sorted(said))


@cache
def _needed(expression: str) -> Names:
    """The variables that it does not make itself, and that it does not ask for by `$exists`."""
    own = set(re.findall(r"\$(\w+)\s*:=", expression))
    for given in re.findall(r"(?:function|λ)\s*\(([^)]*)\)", expression):
        own |= {each.strip().lstrip("$") for each in given.split(",")}
    asked = set(re.findall(r"\$exists\(\s*\$(\w+)", expression))
    functions = {*Jsonata.static_frame.bindings, *FUNCTIONS}
    return tuple(each for each in _references(expression) if each not in {*own, *asked, *functions, "states", ""})


def _evaluation(mistake: Callable[[str], None]) -> Any:
    """An expression with its variables; one that cannot be evaluated ends in States.QueryEvaluationError."""

    def run(self: Any, env: Any) -> None:
        expression, store = self.expression, env.variable_store
        known = {**store._outer_scope, **store._inner_scope}
        for variable in _needed(expression):
            if variable not in known:
                context = env.states.context_object.context_object_data
                state, machine = context.get("State") or {"Name": "?"}, context["StateMachine"]["Name"]
                mistake(f"{machine}, near state {state['Name']}: ${variable} is assigned by nothing: {expression}")
        try:
            said = _references(expression)
            bindings = {name: _bound(known[name]) for name in said if name in known}
            if "states" in said:
                bindings["states"] = _bound(env.states._states_data)
            value = _evaluated(_compiled(expression), bindings, expression)
        # Whatever the library raises is an error of the expression.
        except Exception as error:
            raise _failure(env, f"The JSONata expression '{expression}' failed: {error}") from error
        if value is _NOTHING:
            raise _failure(env, f"The JSONata expression '{expression}' returned nothing (undefined).")
        env.stack.append(value)

    return run


def _failure(env: Any, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    failed = EvaluationFailedEventDetails(cause=cause, error=name.error_name)
    details = EventDetails(evaluationFailedEventDetails=failed)  # type: ignore[typeddict-item]  # moto leaves others out
    env.event_manager.add_event(
        context=env.event_history_context, event_type=HistoryEventType.EvaluationFailed, event_details=details
    )
    return FailureEventException(
        FailureEvent(env=env, error_name=name, event_type=HistoryEventType.EvaluationFailed, event_details=details)
    )


def patched(clock: Clock, patch: pytest.MonkeyPatch, mistake: Callable[[str], None]) -> None:
    patch.setattr(bridge, "_eval_jsonata", evaluate)
    patch.setattr(Timebox, "current_milli_time", staticmethod(lambda: clock.millis))
    patch.setattr(encoding._DateTimeEncoder, "default", _literal)
    for module in (states, variable_store, bridge):
        patch.setattr(module, "encode_jsonata_variable_declarations", _declarations)
    for name in ("$hash", "$uuid", "$parse"):
        patch.delitem(intrinsic._DECLARATION_BY_VARIABLE_REFERENCE, name)
    patch.setattr(string_expression.StringJSONata, "_eval_body", _evaluation(mistake))
