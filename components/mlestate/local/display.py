"""What a run says while it goes on, and when it is over; Pulumi's own words and signs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlestate.blueprint.inventory import Row, parts, short_type
from mlestate.local.engine import Diagnostic, Event, OperationDone, Result

__all__ = ["Display", "console", "outputs", "table", "unchecked", "waiting"]

SIGNS: Mapping[str, tuple[str, str, str]] = {
    # operation: sign, colour, what was done
    "create": ("+", "green", "created"),
    "update": ("~", "yellow", "updated"),
    "create-replacement": ("++", "green", "created as replacement"),
    "replace": ("+-", "magenta", "replaced"),
    "delete-replaced": ("--", "red", "deleted, replaced"),
    "delete": ("-", "red", "deleted"),
    "read": (">", "cyan", "read"),
    "refresh": ("~", "cyan", "refreshed"),
    "discard": ("<", "red", "forgotten"),
    "same": (" ", "dim", "unchanged"),
}


MOST_FAILURES = 10
"""How many failures the summary repeats: one screen."""


def console() -> Console:
    """This terminal; where there is none, lines as wide as they come, for a log or a pipe."""
    found = Console()
    return found if found.is_terminal else Console(width=200)


class Display:
    """Prints one line for each resource that changes, as it happens, and a summary at the end."""

    def __init__(self, console: Console, *, preview: bool = False) -> None:
        self._console = console
        self._preview = preview
        self._began = monotonic()
        self._failures: list[str] = []

    def errors(self, event: Event) -> None:
        """Take one event of the engine, and speak only when something went wrong."""
        if isinstance(event, Diagnostic):
            self(event)

    def __call__(self, event: Event) -> None:
        """Take one event of the engine."""
        if isinstance(event, Diagnostic):
            self._diagnostic(event)
        elif isinstance(event, OperationDone) and event.operation.op != "same":
            operation = event.operation
            sign, colour, done = SIGNS.get(operation.op, ("?", "default", operation.op))
            changed = f"  [dim]{escape(', '.join(operation.changed))}[/]" if operation.changed else ""
            if event.error:
                self._failures.append(f"{operation.name}: {event.error}")
            state = "[red]failed[/]" if event.error else ("" if self._preview else done)
            self._console.print(
                f" [{colour}]{sign:>2}[/] {escape(short_type(operation.type)):<47} {escape(operation.name):<48} "
                f"{state}{changed}",
                soft_wrap=True,
                highlight=False,
            )

    def summary(self, result: Result) -> None:
        """The counts of a run, in Pulumi's order."""
        changes = Counter(result.changes)
        unchanged = changes.pop("same", 0)
        self._console.print("\n[bold]Resources:[/]", highlight=False)
        for op, count in changes.items():
            sign, colour, done = SIGNS.get(op, ("?", "default", op))
            what = f"to {op}" if self._preview else done
            self._console.print(f"    [{colour}]{sign} {count} {what}[/]", highlight=False)
        if unchanged:
            self._console.print(f"    {unchanged} unchanged", highlight=False)
        if self._failures:
            self._console.print(f"    [red]{len(self._failures)} failed[/]", highlight=False)
        elif not changes and not unchanged and not result.failed:
            self._console.print("    nothing to do", highlight=False)
        self._console.print(f"\n[bold]Duration:[/] {monotonic() - self._began:.1f}s", highlight=False)

        for failure in self._failures[:MOST_FAILURES]:
            self._console.print(f"[red]failed:[/] {escape(failure)}", highlight=False, soft_wrap=True)
        if len(self._failures) > MOST_FAILURES:
            self._console.print(f"... and {len(self._failures) - MOST_FAILURES} more, above", highlight=False)

    def _diagnostic(self, event: Diagnostic) -> None:
        colour = {"error": "red", "warning": "yellow"}.get(event.severity, "default")
        where = f" {escape(event.urn.split('::')[-1])}:" if event.urn else ""
        self._console.print(
            f" [{colour}]{event.severity}:[/]{where} {escape(event.message)}", soft_wrap=True, highlight=False
        )


def outputs(console: Console, values: Mapping[str, Any]) -> None:
    """The stack's outputs as a tree of names and values; empty ones are left out."""
    if lines := list(_lines(values, "  ")):
        console.print("\n[bold]Outputs:[/]", highlight=False)
        for line in lines:
            console.print(line, soft_wrap=True, highlight=False)


def waiting(console: Console, values: Mapping[str, Any]) -> None:
    """Which models nothing serves yet, read off the stack's outputs."""
    for environment, each in sorted((values.get("environments") or {}).items()):
        for model, setting in sorted((each.get("waiting") or {}).items()):
            console.print(
                f"\n{environment}: nothing serves {escape(model)} yet. What does is made with its first approved "
                f"version: {escape(setting)}",
                highlight=False,
                soft_wrap=True,
            )


def unchecked(console: Console, types: Iterable[str]) -> None:
    """The proof limit: which types, and which requests inside documents, the local cloud took without a model."""
    if names := sorted(each if " " in each else short_type(each) for each in types):
        console.print(
            f"\nKnown to the local cloud by the SDK's types alone, so a replacement or a taken name would not show: "
            f"{', '.join(names)}",
            highlight=False,
            soft_wrap=True,
        )


def _lines(value: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for key, each in sorted(value.items()):
        if isinstance(each, Mapping):
            if inner := _lines(each, indent + "  "):
                lines += [f"{indent}{escape(key)}:", *inner]
        elif each is not None:
            lines.append(f"{indent}{escape(key)}: [cyan]{escape(str(each))}[/]")
    return lines


def table(inventory: list[Row]) -> Table:
    """Part by part, how many resources stand."""
    grid = Table("part", "resources", "of", box=None, header_style="dim", pad_edge=False)
    for part, count in sorted(parts(inventory).items()):
        kinds = Counter(short_type(row.type).split(":")[-1] for row in inventory if row.custom and row.part == part)
        most = ", ".join(f"{number} {kind}" if number > 1 else kind for kind, number in kinds.most_common(4))
        grid.add_row(part, str(count), most + (", ..." if len(kinds) > 4 else ""))
    return grid
