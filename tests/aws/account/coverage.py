"""What of a machine's definition the executions so far have visited.

The interpreter itself says what it takes: which state it enters, which rule of a choice holds (by its number, so two
rules that lead to one state are told apart), which catcher and which retrier it uses. `GetExecutionHistory` cannot tell
the last three; that it tells the same states is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Coverage", "Report"]

Element = tuple[str, str]
"""A state, and what of it: nothing for the state itself, else `catch 1: ... -> Next` and the like."""


@dataclass
class Report:
    """How much of a machine was visited."""

    machine: str
    elements: int
    missing: list[str]

    @property
    def percent(self) -> float:
        return 100.0 * (self.elements - len(self.missing)) / self.elements if self.elements else 100.0

    def __str__(self) -> str:
        missing = "".join(f"\n  not visited: {each}" for each in self.missing)
        return f"{self.machine}: {self.percent:.1f} % of {self.elements} states, branches, catches and retries{missing}"


@dataclass
class Coverage:
    """The visits of all accounts that it is given to.

    Machines are known by what follows the last hyphen of their names: `risk-staging-release` and
    `risk-production-release` are both `release`, and what either visits is visited.
    """

    _elements: dict[str, dict[Element, None]] = field(default_factory=dict)
    _visited: dict[str, set[Element]] = field(default_factory=dict)
    _known: dict[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    @staticmethod
    def kind(machine: str) -> str:
        return machine.rpartition("-")[2]

    def know(self, machine: str, definition: str) -> None:
        """What there is to visit."""
        found = dict(_states(json.loads(definition)))
        self._known[machine] = found
        elements = self._elements.setdefault(self.kind(machine), {})
        for name, state in found.items():
            elements[name, ""] = None
            for what in _inside(state):
                elements[name, what] = None

    def entered(self, machine: str, state: str) -> None:
        self._visit(machine, (state, ""))

    def took(self, machine: str, state: str, kind: str, number: int | None) -> None:
        """``kind`` is `choice`, `catch` or `retry`; a choice's ``number`` is None where its default was taken."""
        of = self._known.get(machine, {}).get(state)
        if of is not None:
            self._visit(machine, (state, _named(of, kind, number)))

    def visited(self, machine: str) -> set[str]:
        """The states that were entered."""
        return {state for state, what in self._visited.get(self.kind(machine), set()) if not what}

    def report(self, kind: str) -> Report:
        """
        Raises:
            KeyError: no account had a machine of that kind.
        """
        elements, visited = self._elements[kind], self._visited.get(kind, set())
        missing = [f"{state} {what}".strip() for state, what in elements if (state, what) not in visited]
        return Report(kind, len(elements), sorted(missing))

    def reports(self) -> list[Report]:
        return [self.report(kind) for kind in sorted(self._elements)]

    def add(self, other: Coverage) -> None:
        """Take over what another has seen: that of a copy of this process."""
        for kind, elements in other._elements.items():
            self._elements.setdefault(kind, {}).update(elements)
        for kind, visited in other._visited.items():
            self._visited.setdefault(kind, set()).update(visited)

    def _visit(self, machine: str, element: Element) -> None:
        self._visited.setdefault(self.kind(machine), set()).add(element)


def _states(program: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names of states are unique in a machine, those inside of others too (Amazon States Language, "States")."""
    for name, state in program["States"].items():
        yield name, state
        for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
            if inner:
                yield from _states(inner)


def _inside(state: Mapping[str, Any]) -> Iterator[str]:
    for kind, member in (("choice", "Choices"), ("catch", "Catch"), ("retry", "Retry")):
        for number in range(len(state.get(member, ()))):
            # A retrier of no attempts says only that an error is not retried: there is nothing to take.
            if kind != "retry" or state["Retry"][number].get("MaxAttempts", 3) > 0:
                yield _named(state, kind, number)
    if state["Type"] == "Choice" and "Default" in state:
        yield _named(state, "choice", None)


def _named(state: Mapping[str, Any], kind: str, number: int | None) -> str:
    if kind == "choice":
        if number is None:
            return f"default -> {state['Default']}"
        rule = state["Choices"][number]
        return f"choice {rule.get('Condition', number)} -> {rule['Next']}"
    of = state["Catch" if kind == "catch" else "Retry"][number or 0]
    return f"{kind} {', '.join(of['ErrorEquals'])}" + (f" -> {of['Next']}" if kind == "catch" else "")
