"""JSONata as Step Functions evaluates it, in simulated time."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]  # it ships no types
from jsonata.timebox import Timebox  # type: ignore[import-untyped]
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.jsonata import jsonata as bridge
from moto.stepfunctions.parser.asl.utils import encoding

from .clock import Clock, iso

__all__ = ["evaluate", "patched"]

FUNCTIONS = ("partition", "range", "hash", "randomSeeded", "random", "uuid", "parse")
"""What Step Functions adds to JSONata (developer guide, "Transforming data with JSONata in Step Functions")."""

ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def evaluate(expression: str) -> Any:
    """The value of an expression. `$uuid` follows from the expression, so that a simulation repeats itself."""
    compiled = Jsonata(expression)
    compiled.register_lambda("hash", _hash)
    compiled.register_lambda("parse", json.loads)
    compiled.register_lambda("uuid", lambda: str(uuid.uuid5(uuid.NAMESPACE_OID, expression)))
    compiled.register_lambda("eval", _no_eval)
    return compiled.evaluate(None)


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


def _unassigned(expression: str, known: set[str]) -> list[str]:
    """The variables of an expression that nothing has assigned, and that it does not ask for by `$exists`."""
    said = {each.partition(".")[0].lstrip("$") for each in bridge.extract_jsonata_variable_references(expression)}
    own = set(re.findall(r"\$(\w+)\s*:=", expression))
    for given in re.findall(r"(?:function|λ)\s*\(([^)]*)\)", expression):
        own |= {each.strip().lstrip("$") for each in given.split(",")}
    asked = set(re.findall(r"\$exists\(\s*\$(\w+)", expression))
    functions = {*Jsonata.static_frame.bindings, *FUNCTIONS}
    return sorted(said - own - asked - functions - known - {"states", ""})


def _checked(original: Any, mistake: Callable[[str], None]) -> Any:
    """An expression that cannot be evaluated ends in States.QueryEvaluationError."""
    from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    def run(self: Any, env: Any) -> None:
        store = env.variable_store
        for variable in _unassigned(self.expression, {*store._outer_scope, *store._inner_scope}):
            context = env.states.context_object.context_object_data
            state = context.get("State") or {"Name": "?"}
            machine = context["StateMachine"]["Name"]
            mistake(f"{machine}, near state {state['Name']}: ${variable} is assigned by nothing: {self.expression}")
        try:
            original(self, env)
        except FailureEventException:
            raise
        # Whatever the library raises is an error of the expression.
        except Exception as error:
            name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
            details = EvaluationFailedEventDetails(
                cause=f"The JSONata expression '{self.expression}' failed: {error}", error=name.error_name
            )
            raise FailureEventException(
                FailureEvent(
                    env=env,
                    error_name=name,
                    event_type=HistoryEventType.EvaluationFailed,
                    event_details=EventDetails(evaluationFailedEventDetails=details),  # type: ignore[typeddict-item]
                )
            ) from error

    return run


def patched(clock: Clock, patch: pytest.MonkeyPatch, mistake: Callable[[str], None]) -> None:
    patch.setattr(bridge, "_eval_jsonata", evaluate)
    patch.setattr(Timebox, "current_milli_time", staticmethod(lambda: clock.millis))
    patch.setattr(encoding._DateTimeEncoder, "default", _literal)
    for module in (states, variable_store, bridge):
        patch.setattr(module, "encode_jsonata_variable_declarations", _declarations)
    for name in ("$hash", "$uuid", "$parse"):
        patch.delitem(intrinsic._DECLARATION_BY_VARIABLE_REFERENCE, name)
    expression = string_expression.StringJSONata
    patch.setattr(expression, "_eval_body", _checked(expression._eval_body, mistake))
