"""One command of `mlestate local`, on whichever engine was chosen."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from mlestate.blueprint import inventory
from mlestate.errors import InputError
from mlestate.local import display
from mlestate.local.engine import Result
from mlestate.local.pulumi_engine import PulumiEngine, arguments, missing
from mlestate.local.session import Session, check

__all__ = ["Run"]

ENGINES = ("auto", "embedded", "pulumi")


@dataclass(frozen=True)
class Run:
    """A session, the engine that runs it, and the terminal that hears of it."""

    estate: Path
    session: Session
    engine: str
    console: Console

    @classmethod
    def of(cls, file: Path, scope: str | None, engine: str, folder: Path | None) -> "Run":
        """
        Raises:
            InputError: no such engine, or Pulumi's own is asked for and not on PATH.
        """
        if engine not in ENGINES:
            raise InputError(f"--engine {engine}: allowed are {', '.join(ENGINES)}")
        if engine == "auto":
            engine = "embedded" if missing() else "pulumi"
        check(file, scope)
        session = Session.of(file, folder or Path(".mlestate", "local", file.stem), scope)
        if engine == "pulumi":
            PulumiEngine(session)
        return cls(file, session, engine, Console())

    def perform(self, command: str, *, yes: bool) -> bool:
        """Run preview, up, refresh or destroy; True when it ended well, or when the person said no."""
        self._take_over()
        which = "Pulumi's own engine" if self.engine == "pulumi" else "the embedded engine, a rehearsal of Pulumi's"
        self.console.print(
            f"[bold]{command}[/] of {self.estate} on the local cloud, by {which} "
            f"(stack {self.session.stack}, state in {self.session.folder})\n",
            highlight=False,
            soft_wrap=True,
        )
        if self.engine == "pulumi":
            return self._pulumi().change(*arguments(command, yes=yes)) == 0
        if not yes:
            if command == "up":
                previewed = self._embedded("preview")
                if previewed.failed or not set(previewed.changes) - {"same"}:
                    return not previewed.failed
            if not typer.confirm(f"Do you want to perform this {command}?"):
                return True
        return not self._embedded(command).failed

    def export(self) -> None:
        """Print the state, secrets encrypted.

        Raises:
            InputError: nothing has been brought up yet.
        """
        if not self._marker.exists():
            raise InputError(f"{self.session.folder} holds no state of {self.estate}; bring it up first")
        self._take_over()
        if self.engine == "pulumi":
            self._pulumi().run("stack", "export")
        else:
            typer.echo(json.dumps(self.session.state().export(), indent=2))

    def passthrough(self, words: Sequence[str]) -> int:
        """Run a Pulumi command; its exit code."""
        self._take_over()
        return self._pulumi().run(*words)

    def _embedded(self, command: str) -> Result:
        show = display.Display(self.console, preview=command == "preview")
        result = self.session.run(command, show)
        show.summary(result)
        if command == "up" and not result.failed:
            display.outputs(self.console, result.outputs)
            display.waiting(self.console, result.outputs)
            self.console.print()
            self.console.print(display.table(inventory.rows(self.session.state().export())))
            display.unchecked(self.console, self.session.store.unchecked)
        return result

    def _pulumi(self) -> PulumiEngine:
        engine = PulumiEngine(self.session)
        engine.prepare()
        return engine

    def _take_over(self) -> None:
        """Where the other engine ran last, hand its state to this one."""
        last = self._marker.read_text().strip() if self._marker.exists() else self.engine
        if last != self.engine:
            if self.engine == "pulumi":
                self._pulumi().import_(self.session.state().export(show_secrets=True))
            else:
                self.session.state().import_(PulumiEngine(self.session).export())
        self._marker.parent.mkdir(parents=True, exist_ok=True)
        self._marker.write_text(self.engine + "\n")

    @property
    def _marker(self) -> Path:
        """The file that says which engine ran last."""
        return self.session.folder / f"{self.session.stack}.engine"
