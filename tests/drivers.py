"""One way to drive a program under either engine, so that one table of scenarios asks the same of both."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlestate.local.engine import Diagnostic, Event
from mlestate.local.pulumi_engine import PulumiEngine
from mlestate.local.session import PASSPHRASE, Session
from mlestate.local.state import State
from mlestate.local.store import Store

os.environ["PULUMI_DEBUG_COMMANDS"] = "true"  # the flag --event-log is one of them

Operations = set[tuple[str, str]]
"""What a run did: pairs of an operation's word and the resource's URN; what stayed the same is left out."""


@dataclass(frozen=True)
class Outcome:
    """How one run ended."""

    operations: Operations
    same: int
    failed: bool
    messages: tuple[str, ...]


class Driver(Protocol):
    """A session under one engine."""

    session: Session

    def run(self, command: str) -> Outcome: ...

    def export(self) -> dict[str, Any]: ...

    def import_(self, checkpoint: Mapping[str, Any]) -> None: ...


class Embedded:
    """The embedded engine, in process."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, command: str) -> Outcome:
        events: list[Event] = []
        result = self.session.run(command, events.append)
        return Outcome(
            operations=_told((each.op, each.urn) for each in result.operations),
            same=sum(each.op == "same" for each in result.operations),
            failed=result.failed,
            messages=tuple(each.message for each in events if isinstance(each, Diagnostic)),
        )

    def export(self) -> dict[str, Any]:
        return self.session.state().export(show_secrets=True)

    def import_(self, checkpoint: Mapping[str, Any]) -> None:
        State.in_folder(self.session.folder / "embedded", self.session.stack, passphrase=PASSPHRASE).import_(checkpoint)


class Own:
    """Pulumi's own engine, by its CLI."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, command: str) -> Outcome:
        engine = PulumiEngine(self.session)
        engine.prepare()
        log = self.session.folder / "events.json"
        log.unlink(missing_ok=True)
        # The embedded engine finishes what does not depend on a failure; Pulumi's own does it when it is asked to.
        on = () if command in ("preview", "refresh") else ("--continue-on-error",)
        yes = () if command == "preview" else ("--yes", "--skip-preview", *on)
        code = engine.run(command, *yes, "--event-log", str(log), "--non-interactive", "--color", "never")
        events = [json.loads(line) for line in log.read_text().splitlines()]
        done = [
            event[key]["metadata"]
            for event in events
            for key in ("resOutputsEvent", "resourcePreEvent")
            if key in event and (key == "resOutputsEvent") == (command != "preview")
        ]
        return Outcome(
            operations=_told((each["op"], each["urn"]) for each in done),
            same=sum(each["op"] == "same" for each in done),
            failed=code != 0,
            messages=tuple(event["diagnosticEvent"]["message"] for event in events if "diagnosticEvent" in event),
        )

    def export(self) -> dict[str, Any]:
        return PulumiEngine(self.session).export()

    def import_(self, checkpoint: Mapping[str, Any]) -> None:
        engine = PulumiEngine(self.session)
        engine.prepare()
        engine.import_(checkpoint)


def _told(pairs: Any) -> Operations:
    """Without the stack and the default providers: no one asked for them, and Pulumi's display leaves them out too."""
    silent = re.compile(r"::pulumi:pulumi:Stack::|::pulumi:providers:[a-z-]+::default_")
    return {(op, urn) for op, urn in pairs if op != "same" and not silent.search(urn)}


def store(session: Session) -> Store:
    """What exists in the session's local cloud."""
    return Store(session.cloud)
