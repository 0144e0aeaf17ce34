"""What most rules say of a property, once: absent and unknown are handled here and nowhere else.

Each takes a resource (or a node in it) and a path, and gives a `Violation` for every place where the property is not as
it should be, an `Undecided` for every place where that cannot be known yet. What is absent violates, unless
`absent_passes`: a service's own default is rarely the safe one, and a default that the provider fills in is no longer
absent. Values are shown only by the checks that compare with words of the cloud (`equals`, `one_of`, `at_least`, ...),
and never what is marked as secret.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.values import Node

__all__ = ["NOT_SHOWN", "at_least", "at_most", "equals", "holds", "is_false", "is_set", "is_true", "one_of", "shown"]

NOT_SHOWN: Final = "something else"
Place = Resource | Node


def holds(
    place: Place, path: str, test: Callable[[Node], bool], message: str, *, absent_passes: bool = False
) -> Findings:
    """`test` is true of every known node behind `path`; `message` says what is wrong where it is not."""
    for node in place.each(path):
        if node.unknown:
            yield Undecided(node.path)
        elif node.absent:
            if not absent_passes:
                yield Violation(node.path, f"{node.path} is not set; {message}")
        elif not test(node):
            yield Violation(node.path, f"{node.path}: {message}")


def is_set(place: Place, path: str, needed: str = "") -> Findings:
    """Something is set there. `needed` says what, and why nothing is not enough."""
    for node in place.each(path):
        if node.unknown:
            continue  # an unknown value is a value
        if node.absent:
            yield Violation(node.path, f"{node.path} is not set{f'; {needed}' if needed else ''}")


def equals(place: Place, path: str, *allowed: Any, absent_passes: bool = False) -> Findings:
    """The value is one of `allowed`, texts compared without case."""
    return one_of(place, path, allowed, absent_passes=absent_passes)


def one_of(place: Place, path: str, allowed: Iterable[Any], *, absent_passes: bool = False) -> Findings:
    """The value is one of `allowed`, texts compared without case."""
    allowed = tuple(allowed)
    words = " or ".join({str(each).lower(): shown(each) for each in allowed}.values())
    wanted = {_folded(each) for each in allowed}
    for node in place.each(path):
        if node.unknown:
            yield Undecided(node.path)
        elif node.absent:
            if not absent_passes:
                yield Violation(node.path, f"{node.path} is not set; it has to be {words}")
        elif _folded(node.value) not in wanted:
            yield Violation(node.path, f"{node.path} is {_found(node)}; it has to be {words}")


def is_true(place: Place, path: str, *, absent_passes: bool = False) -> Findings:
    """The switch is on."""
    return one_of(place, path, (True,), absent_passes=absent_passes)


def is_false(place: Place, path: str, *, absent_passes: bool = False) -> Findings:
    """The switch is off."""
    return one_of(place, path, (False,), absent_passes=absent_passes)


def at_least(place: Place, path: str, floor: float, unit: str = "", *, absent_passes: bool = False) -> Findings:
    """The number is `floor` or more."""
    return _bounded(place, path, lambda number: number >= floor, f"at least {_amount(floor, unit)}", absent_passes)


def at_most(place: Place, path: str, ceiling: float, unit: str = "", *, absent_passes: bool = False) -> Findings:
    """The number is `ceiling` or less."""
    return _bounded(place, path, lambda number: number <= ceiling, f"at most {_amount(ceiling, unit)}", absent_passes)


def _bounded(place: Place, path: str, test: Callable[[float], bool], words: str, absent_passes: bool) -> Findings:
    for node in place.each(path):
        if node.unknown:
            yield Undecided(node.path)
        elif node.absent:
            if not absent_passes:
                yield Violation(node.path, f"{node.path} is not set; it has to be {words}")
        elif node.number is None or not test(node.number):
            yield Violation(node.path, f"{node.path} is {_found(node)}; it has to be {words}")


def _found(node: Node) -> str:
    return NOT_SHOWN if node.secret else shown(node.value)


def shown(value: Any) -> str:
    """A word of a cloud, as people write it; anything that is no such word is not shown."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    return f'"{value}"' if isinstance(value, str) and len(value) <= 80 else NOT_SHOWN


def _amount(number: float, unit: str) -> str:
    return f"{number:g} {unit}".strip()


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value.lower())
    return value if isinstance(value, bool | int | float) else repr(value)
