"""What the AWS APIs take: types, enumerations, patterns, lengths, ranges and required members.

Read from `data/aws_models.json`, which `docs/aws_models.py` compiles from botocore's service models: the names, the
constraints and the spelling are those of the API references. Patterns that Python's `re` cannot read are left out.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from mlestate.local.paths import PropertyPath
from mlestate.local.schema import Failure

_SPOKEN = {"string": "a string", "integer": "an integer", "long": "an integer", "float": "a number",
           "double": "a number", "boolean": "a boolean", "structure": "an object", "list": "a list", "map": "a map",
           "timestamp": "a moment", "blob": "a text"}  # fmt: skip
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float),
    "boolean": (bool,), "structure": (dict,), "list": (list,), "map": (dict,), "timestamp": (str, int, float),
    "blob": (str,),
}  # fmt: skip


class UnknownOperationError(Exception):
    """The compiled models hold no such operation."""


@dataclass(frozen=True)
class ApiShape:
    """A type of an API. `parts` are the names of the members' shapes of a structure, list (`member`) or map
    (`key`, `value`); `least` and `most` bound a text's length, a list's size or a number.
    """

    service: str
    type: str
    parts: Mapping[str, str]
    required: Sequence[str] = ()
    enum: Sequence[str] = ()
    pattern: str = ""
    least: float | None = None
    most: float | None = None

    def part(self, name: str) -> "ApiShape":
        return shape(self.service, self.parts[name])

    def parts_of(self) -> Iterator[tuple[str, "ApiShape"]]:
        for name in self.parts:
            yield name, self.part(name)

    @cached_property
    def _matches(self) -> Callable[[str], object]:
        # Several patterns end in `.*` and mean any text: the services take line breaks there.
        return re.compile(self.pattern, re.DOTALL).fullmatch

    def refusal(self, value: Any, hidden: bool = False) -> str | None:
        """What is wrong with a text, a number, or the size of a list; None when nothing is."""
        if isinstance(value, list):
            return self._bounds(len(value), "entries")
        if isinstance(value, bool):
            return None
        if self.enum and str(value) not in self.enum:
            return f"expected {_choice(self.enum)}, got {_spoken(value, hidden)}{_near(str(value), self.enum, hidden)}"
        if isinstance(value, (int, float)):
            return self._range(value, hidden)
        if not isinstance(value, str):
            return None
        if sentence := self._bounds(len(value), "characters"):
            return sentence
        if self.pattern and not self._matches(value):
            return f"expected a text that matches ^{self.pattern.strip('^$')}$, got {_spoken(value, hidden)}"
        return None

    def _bounds(self, size: int, what: str) -> str | None:
        if self.least is not None and size < self.least:
            return f"has {size} {what}; at least {self.least:g} are needed"
        if self.most is not None and size > self.most:
            return f"has {size} {what}; at most {self.most:.0f} are allowed"
        return None

    def _range(self, value: float, hidden: bool) -> str | None:
        if (self.least is None or value >= self.least) and (self.most is None or value <= self.most):
            return None
        if self.least is None or self.most is None:
            bound = f"at least {self.least:g}" if self.most is None else f"at most {self.most:.0f}"
        else:
            bound = f"from {self.least:g} to {self.most:.0f}"
        return f"expected {_SPOKEN[self.type]} {bound}, got {'[secret]' if hidden else value}"


@cache
def _models() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((files("mlestate.local") / "data" / "aws_models.json").read_text())
    return found


@cache
def shape(service: str, name: str) -> ApiShape:
    """A type by its name in the service's model; the unconstrained scalars are called what they are."""
    if name in _SPOKEN:
        return ApiShape(service, name, {})
    row = _models()["shapes"][service][name]
    return ApiShape(
        service,
        row["type"],
        row.get("parts", {}),
        tuple(row.get("required", ())),
        tuple(row.get("enum", ())),
        row.get("pattern", ""),
        row.get("min"),
        row.get("max"),
    )


@cache
def input_of(service: str, operation: str) -> ApiShape:
    """What an operation takes. Raises UnknownOperationError when the compiled models hold no such operation."""
    name = _models()["operations"].get(service, {}).get(operation)
    if name is None:
        raise UnknownOperationError(f"{service}:{operation} is not among the compiled API models")
    return shape(service, name)


def request(
    service: str,
    operation: str,
    value: Any,
    path: PropertyPath = (),
    *,
    eventual: Callable[[Any], bool] = lambda value: False,
    provided: Sequence[str] = (),
) -> list[Failure]:
    """Everything that the API refuses in a request whose members have the API's own names.

    `eventual` tells values that only exist when the request is made (a pipeline's variable, a state's expression);
    `provided` are members of the request that its sender adds. Raises UnknownOperationError.
    """
    failures: list[Failure] = []
    walk(input_of(service, operation), value, path, eventual, failures, provided)
    return failures


def walk(
    expected: ApiShape,
    value: Any,
    path: PropertyPath,
    eventual: Callable[[Any], bool],
    failures: list[Failure],
    provided: Sequence[str] = (),
) -> None:
    """Append what is wrong with a value of the API's own spelling, at every depth."""
    if eventual(value):
        return
    allowed = _PYTHON[expected.type]
    if type(value) not in allowed:
        failures.append(Failure(path, f"expected {_SPOKEN[expected.type]}, got {_spoken(value, False)}"))
        return
    if sentence := expected.refusal(value):
        failures.append(Failure(path, sentence))
    if expected.type == "structure":
        for name, item in value.items():
            member = name if name in expected.parts else name[:1].lower() + name[1:]  # Step Functions capitalizes
            if member in expected.parts:
                walk(expected.part(member), item, (*path, name), eventual, failures)
            else:
                failures.append(Failure((*path, name), unknown(name, expected.parts)))
        for name in expected.required:
            if not {name, name[:1].upper() + name[1:]} & value.keys() and name not in provided:
                failures.append(Failure((*path, name), f"missing required property {name!r}"))
    elif expected.type == "list":
        for index, item in enumerate(value):
            walk(expected.part("member"), item, (*path, index), eventual, failures)
    elif expected.type == "map":
        for name, item in value.items():
            walk(expected.part("key"), name, (*path, name), eventual, failures)
            walk(expected.part("value"), item, (*path, name), eventual, failures)


def unknown(name: str, allowed: Mapping[str, Any] | Sequence[str]) -> str:
    """The sentence about a name that is none of those allowed."""
    near = difflib.get_close_matches(name, allowed, 1, 0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(allowed)}"
    return f"unknown property {name!r}; {hint}"


def _choice(values: Sequence[str]) -> str:
    shown = ", ".join(repr(value) for value in values[:12])
    return f"one of {shown}" + (f" and {len(values) - 12} more" if len(values) > 12 else "")


def _near(value: str, values: Sequence[str], hidden: bool) -> str:
    near = [] if hidden else difflib.get_close_matches(value, values, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _spoken(value: Any, hidden: bool) -> str:
    if hidden:
        return "[secret]"
    text = json.dumps(value) if isinstance(value, (bool, type(None))) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
