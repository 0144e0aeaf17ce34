"""What a person orders: the requests that it comes to, shown, agreed to, and made in order."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import typer

from mlestate.errors import InputError
from mlestate.local.display import console
from mlestate.operate import display
from mlestate.operate.contract import Call, Denied, Place, Refused
from mlestate.operate.evidence import Evidence

__all__ = ["How", "Order", "carry_out", "refuse"]


@dataclass(frozen=True)
class How:
    """How a person wants an order carried out."""

    dry_run: bool = False
    as_json: bool = False
    yes: bool = False

    def __post_init__(self) -> None:
        """
        Raises:
            InputError: a person would be asked where nobody can answer.
        """
        if self.dry_run or self.yes:
            return
        if self.as_json:
            raise InputError("--json asks nobody: give --yes to do it, or --dry-run to see what would be done")
        if not sys.stdin.isatty():
            raise InputError("--yes must be given where nobody can be asked (no terminal), or --dry-run")


@dataclass(frozen=True)
class Order:
    """One order to one slice."""

    command: str
    estate: str
    model: str
    version: int | None
    environment: str | None
    """None for the registry."""
    identity: str
    """Whose credentials do it."""
    calls: Sequence[Call]
    """In the order in which they are made."""
    evidence: Evidence | None = None
    notes: Sequence[str] = ()
    """What a person should know before they agree."""
    consequence: str = ""
    """What comes of it, in words."""

    @property
    def subject(self) -> str:
        """``churn/7``, or the model alone."""
        return self.model if self.version is None else f"{self.model}/{self.version}"

    def document(self, *, dry_run: bool, made: int) -> Mapping[str, Any]:
        """As `--json` prints it."""
        return {
            "command": self.command,
            "estate": self.estate,
            "model": self.model,
            "version": self.version,
            "environment": self.environment,
            "as": self.identity,
            "dry_run": dry_run,
            "evidence": None if self.evidence is None else self.evidence.document(),
            "notes": [*self.notes],
            "calls": [
                {
                    "does": call.does,
                    "call": f"{call.service}:{call.operation}",
                    "on": call.on,
                    "arguments": call.arguments,
                    "made": number < made,
                }
                for number, call in enumerate(self.calls)
            ],
            "done": made == len(self.calls),
            "refused": None,
        }


def carry_out(order: Order, place: Place, how: How) -> bool:
    """Show an order, ask, and make its calls; True when it was done, or would be in a dry run.

    Raises:
        Refused: something that it needs is not there, or a call was refused; the sentence says what was done before.
    """
    notes = [*order.notes, *_unchecked(order.calls, place)]
    order = replace(order, notes=notes)
    if not how.as_json:
        display.order(console(), order, dry_run=how.dry_run)
    if how.dry_run:
        _print(order, how, made=0)
        return True
    if order.calls and not how.yes and not typer.confirm(f"\n{order.command} {order.subject}?"):
        console().print("Nothing was done.")
        return False
    for number, call in enumerate(order.calls):
        try:
            place.make(call)
        except Refused as error:
            raise Refused(_half_way(order.calls, number, str(error))) from error
    _print(order, how, made=len(order.calls))
    return True


def _unchecked(calls: Sequence[Call], place: Place) -> list[str]:
    """What could not be looked at before it is used.

    Raises:
        Refused: something is not there.
    """
    notes = []
    for call in calls:
        try:
            place.check(call)
        except Denied:
            notes.append(f"Whether {call.on} is there was not checked: these credentials may not look.")
    return notes


def _half_way(calls: Sequence[Call], number: int, why: str) -> str:
    if number == 0:
        return why
    done = "; ".join(call.does for call in calls[:number])
    return f"done: {done}. Not done: {calls[number].does}, because {why}. To go on, run the same command again"


def _print(order: Order, how: How, *, made: int) -> None:
    if how.as_json:
        console().print_json(json.dumps(order.document(dry_run=how.dry_run, made=made), default=str))
    else:
        display.done(console(), order, dry_run=how.dry_run)


def refuse(command: str, error: Refused, *, as_json: bool) -> bool:
    """Tell a refusal, in the form that was asked for; always False."""
    if as_json:
        console().print_json(json.dumps({"command": command, "done": False, "refused": str(error)}))
    else:
        typer.echo(f"{command}: {error}", err=True)
    return False
