"""Orders and the state of an estate on a terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from mlestate.names import HUB
from mlestate.operate.evidence import Evidence
from mlestate.operate.words import ago, moment, number, parsed
from mlestate.release import PHASES

if TYPE_CHECKING:
    from mlestate.operate.orders import Order

__all__ = ["done", "order", "status"]

MARGIN = 11
"""Columns for the name of an environment."""

BOUNDS: Mapping[str | None, str] = {"min": "at least ", "max": "at most "}

COLOURS: Mapping[str, str] = {
    "released": "green",
    "already-live": "green",
    "waiting-for-approval": "yellow",
    "waiting-for-endpoint": "yellow",
    "undecided": "yellow",
}
"""Of an outcome; every other one is red."""


CAUSES: Mapping[str, str] = {
    "registered": "its registration",
    "approved": "its approval in the registry",
    "passed": "having passed the environment before",
    "endpoint": "a change of the endpoint",
    "person": "a person",
}

MEASURED: Mapping[str, tuple[str, str]] = {
    "requests": ("requests", ""),
    "error_rate": ("error rate", ""),
    "p95_latency_ms": ("p95", " ms"),
    "p99_latency_ms": ("p99", " ms"),
}
"""Of what a release measures: its words, and its unit."""

COMPARED: Mapping[str, str] = {
    "champion": "champion",
    "challenger": "challenger",
    "improvement": "improvement",
}
"""The parts of a comparison's report that have a number and an interval of 95 percent."""

VERDICTS: Mapping[str, str] = {"waiting": "waiting for a verdict"}


def order(console: Console, order: "Order", *, dry_run: bool) -> None:
    """What is known of the version, and what will be done."""
    where = "in the registry" if order.environment is None else f"in {order.environment}"
    _line(
        console,
        f"[bold]{order.command} {escape(order.subject)}[/] {escape(where)} of {order.estate}, as {order.identity}",
    )
    if order.evidence is not None:
        console.print()
        _evidence(console, order.evidence)
    for note in order.notes:
        _line(console, f"\n{escape(note)}")
    if order.calls:
        _line(console, f"\n[bold]{'Would be done' if dry_run else 'Will be done'}:[/]")
    for call in order.calls:
        _line(console, f"  {escape(call.does)}\n    [dim]{call.service}:{call.operation} on {escape(call.on)}[/]")
        for key, value in call.arguments.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            _line(console, f"    [dim]{escape(key)}: {escape(shown)}[/]")
    if order.consequence:
        _line(console, f"\n{escape(order.consequence)}")


def done(console: Console, order: "Order", *, dry_run: bool) -> None:
    """The last line."""
    if dry_run:
        _line(console, "\nA dry run: nothing was changed. Whether these credentials may do it, only doing it shows.")
    for call in () if dry_run else order.calls:
        _line(console, f"[green]done:[/] {escape(call.does)}")


def _evidence(console: Console, evidence: Evidence) -> None:
    if evidence.unread is not None:
        _line(console, f"[yellow]Its numbers cannot be shown:[/] {escape(evidence.unread)}")
        return
    grid = _grid("number", "gate", "this version", f"champion {escape(evidence.champion or '')}".strip(), "")
    for each in evidence.checks:
        sign = {True: "[green]passed[/]", False: "[red]not passed[/]", None: ""}[each.passed]
        gate = "" if each.limit is None else f"{BOUNDS[each.bound]}{number(each.limit)}"
        grid.add_row(escape(each.name), gate, number(each.value), number(each.champion), sign)
    console.print(grid)
    if evidence.groups:
        groups = ", ".join(f"{name} {number(value)}" for name, value in evidence.groups.items())
        _line(console, f"[dim]by group:[/] {escape(groups)}")
    if evidence.failed:
        names = ", ".join(each.name for each in evidence.failed)
        _line(console, f"[red]Outside the gates of the file: {escape(names)}. Its release will refuse it.[/]")
    _line(console, f"[dim]{escape(evidence.source or '')}[/]")


def status(console: Console, document: Mapping[str, Any], now: datetime) -> None:
    """Every model a panel, every environment a block in it."""
    _line(
        console,
        f"[bold]{escape(document['estate'])}[/] on {document['cloud']}, {moment(now)}, as "
        f"{escape(str(document['as'] or 'nobody of its accounts'))}\n",
    )
    for sentence in document["elsewhere"].values():
        _line(console, f"[yellow]{escape(sentence)}[/]\n")
    for name, model in document["models"].items():
        blocks: list[RenderableType] = [_block("registry", _registry(_short(document, HUB, model["registry"]), now))]
        for environment, standing in model["environments"].items():
            blocks.append(Text())
            blocks.append(_block(environment, _standing(_short(document, environment, standing), now)))
            if (metrics := standing.get("metrics")) and metrics["numbers"]:
                blocks.append(Padding(_metrics(metrics), (0, 0, 0, MARGIN + 2)))
        console.print(Panel(Group(*blocks), title=f"[bold]{escape(name)}[/]", title_align="left"))
    if not document["models"]:
        _line(console, "The file has no models yet.")
    if "trail" in document:
        _trail(console, document)


def _short(document: Mapping[str, Any], slice_: str, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is told of a slice once, above, is not told again of each model."""
    if found["unknown"] is None or slice_ not in document["elsewhere"]:
        return found
    return {**found, "unknown": "it lies in another account, as said above"}


def _block(title: str, lines: Iterator[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold cyan", min_width=MARGIN)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for key, line in lines:
        grid.add_row(escape(title), key, line)
        title = ""
    return grid


def _registry(registry: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    if registry["unknown"] is not None:
        yield "not known", f"[yellow]{escape(registry['unknown'])}[/]"
        return
    newest = registry["newest"]
    if newest is None:
        yield "newest", "none is registered yet"
    else:
        verdict = VERDICTS.get(newest["verdict"], newest["verdict"])
        yield "newest", f"version {newest['version']}, {verdict}, registered {_since(newest['registered'], now)}"
    for each in registry["waiting"]:
        yield "waits for", f"a verdict on version {each['version']}: {escape(each['command'])}"


def _standing(standing: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    if standing["unknown"] is not None:
        yield "not known", f"[yellow]{escape(standing['unknown'])}[/]"
        return
    if not standing["serves"]:
        yield "", "not served here (serving.mode is none)"
        return
    live, release = standing["live"], standing["release"]
    if live is None:
        yield "in use", "nothing"
    else:
        by = f", approved by {escape(str(live['approved_by']))}" if live.get("approved_by") else ""
        yield "in use", f"[green]version {live.get('version')}[/] since {_since(live.get('since'), now)}{by}"
        if previous := live.get("previous"):
            yield "before it", f"version {previous.get('version')}, until {_since(previous.get('until'), now)}"
    if release is not None:
        yield from _release(release, now)
    for place, each in enumerate(standing["waits_for"]):
        yield "" if place else "waits for", f"[yellow]{escape(each)}[/]"
    for place, approvals in enumerate(standing["approvals"]):
        given = [f"{each['person']}, {_since(each['at'], now)}: {each['reason']}" for each in approvals["given"]]
        people = len({each["person"] for each in approvals["given"]})
        said = f"{people} of {approvals['needed']} for version {approvals['version']}"
        yield "" if place else "approvals", escape(said + (f": {'; '.join(given)}" if given else ""))
    for place, each in enumerate(standing["outcomes"]):
        colour = COLOURS.get(each["outcome"], "red")
        what = "rollback, version" if each.get("rollback") else "version"
        when = _since(each.get("ended") or each.get("started"), now)
        reason = escape(str(each.get("reason") or each["means"]))
        said = f"{what} {each.get('version')} [{colour}]{each['outcome']}[/] {when}: {reason}"
        yield "" if place else "ended", said
    if standing["watched"] is not None:
        yield from _watched(standing["watched"])
    for place, each in enumerate(standing["retraining"]):
        when = _since(each.get("at"), now)
        said = f"{each.get('decision')} {when}, {each.get('trigger')}: {each.get('reason')}"
        yield "" if place else "retraining", escape(said)


def _release(release: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    version = f"version {release['version']}" if release.get("version") else "a version"
    if release["rollback"]:
        yield "now", f"[yellow]a rollback[/] of {version}, since {_since(release.get('since'), now)}"
        return
    step = f", {escape(str(release['step']))}" if release.get("step") else ""
    ended = "" if release["running"] else " [red](ended without a word)[/]"
    yield (
        "now",
        f"{version}, [yellow]{release['phase']}[/] since {_since(release.get('since'), now)}{step}, "
        f"{release['strategy']}{ended}: {escape(PHASES.get(release['phase'], ''))}",
    )
    if cause := release.get("cause"):
        by = f" ({escape(str(release['by']))})" if release.get("by") else ""
        yield "", f"started by {CAUSES.get(cause, escape(str(cause)))}{by}"


def _watched(watched: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the endpoint measured of a version, and how it compared with the one in use."""
    version, measured, report = f"version {watched['version']}", watched["measured"], watched["comparison"]
    if isinstance(measured, Mapping):
        said = [
            f"{name} {value:.0f}" if key == "requests" else f"{name} {number(value)}{unit}"
            for key, (name, unit) in MEASURED.items()
            if (value := _float(measured.get(key))) is not None
        ]
        yield "measured", f"{version}: {', '.join(said) or 'nothing yet'}"
    if isinstance(report, Mapping):
        yield "compared", escape(f"{version}: {report.get('reason')}")
        for key, name in COMPARED.items():
            if (side := _side(report.get(key))) is not None:
                yield "", escape(f"{name} {side}")


def _side(side: object) -> str | None:
    """`roc_auc` of one side with its interval: ``0.871 (0.852 to 0.89), of 1204 requests``; None where it has none."""
    if not isinstance(side, Mapping) or (metric := _float(side.get("metric"))) is None:
        return None
    interval, requests = side.get("interval"), _float(side.get("requests"))
    found = number(metric)
    if isinstance(interval, Sequence) and len(interval) == 2:
        found += f" ({number(_float(interval[0]))} to {number(_float(interval[1]))})"
    return found if requests is None else f"{found}, of {requests:.0f} requests"


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _metrics(metrics: Mapping[str, Any]) -> Table:
    champion = "in use" if metrics["champion"] is None else f"version {metrics['champion']} (champion)"
    challenger = "to come" if metrics["challenger"] is None else f"version {metrics['challenger']} (challenger)"
    grid = _grid("number", "gate", champion, challenger)
    for each in metrics["numbers"]:
        gate = "" if each["limit"] is None else f"{BOUNDS[each['bound']]}{number(each['limit'])}"
        grid.add_row(escape(each["name"]), gate, number(each["champion"]), number(each["challenger"]))
    return grid


def _trail(console: Console, document: Mapping[str, Any]) -> None:
    _line(console, "\n[bold]The audit trail[/]")
    if document["trail_unknown"] is not None:
        _line(console, f"[yellow]{escape(document['trail_unknown'])}[/]")
        return
    for each in document["trail_cut"]:
        _line(console, f"[yellow]{escape(each)}; fewer --days show what is newer, the hub's saved queries all of it[/]")
    grid = _grid("when", "who", "what", "on", "from", "")
    for each in document["trail"]:
        refused = f"[red]refused: {escape(each['refused'])}[/] " if each["refused"] else ""
        grid.add_row(
            moment(each["at"]),
            escape(each["who"]),
            each["what"],
            escape(each["on"]),
            escape(each["source"]),
            refused + escape(each["details"]),
        )
    console.print(grid if document["trail"] else "nothing in that time")


def _since(at: object, now: datetime) -> str:
    """A moment and how long ago that is; as it is written where it is none."""
    found = at if isinstance(at, datetime) else parsed(at)
    if found is None:
        return escape(str(at or "an unknown time"))
    away = f"in {ago(now, found)}" if found > now else f"{ago(found, now)} ago"
    return f"{moment(found)} ({away})"


def _grid(*columns: str) -> Table:
    # A name that is cut short names nothing.
    return Table(*(Column(each, overflow="fold") for each in columns), box=None, header_style="dim", pad_edge=False)


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
