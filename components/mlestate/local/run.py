"""One command of `mlestate local`, on whichever engine was chosen."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from mlestate.blueprint import inventory
from mlestate.errors import InputError
from mlestate.local import display
from mlestate.local.analyzers import Pack
from mlestate.local.engine import Result
from mlestate.local.journal import Files
from mlestate.local.pulumi_engine import PulumiEngine, arguments, missing
from mlestate.local.session import Session, check

__all__ = ["Run"]

ENGINES = ("embedded", "pulumi")
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended: 128 and the number of the signal, as shells say it."""


@dataclass(frozen=True)
class Run:
    """An estate, its session, and the terminal that hears of it."""

    estate: Path
    name: str
    session: Session
    console: Console

    @classmethod
    def of(cls, file: Path, scope: str | None, folder: Path | None) -> "Run":
        """
        Raises:
            InputError: the file is wrong, or the folder holds another estate.
        """
        name = check(file, scope).name
        session = Session.of(file, folder or Path(".mlestate", "local", name), scope)
        run = cls(file, name, session, display.console())
        if (kept := run._kept().get("estate", name)) != name:
            raise InputError(
                f"{session.folder} holds the state of the estate {kept}, not of {name}; name another --state"
            )
        return run

    def perform(self, command: str, engine: str, *, yes: bool, packs: Sequence[Pack] = ()) -> bool:
        """Run preview, up, refresh or destroy; True when it ended well, or when the person said no.

        The policy packs judge a preview and an update.

        Raises:
            InputError: no such engine, or Pulumi's own is asked for and not on PATH.
            StateLocked: another run works on the stack.
        """
        engine = _chosen(engine)
        own = PulumiEngine(self.session) if engine == "pulumi" else None
        with self._alone():
            which = "Pulumi's own engine" if own else "the embedded engine, a rehearsal of Pulumi's"
            self.console.print(
                f"[bold]{command}[/] of {self.estate} on the local cloud, by {which} "
                f"(stack {self.session.stack}, state in {self.session.folder})\n",
                highlight=False,
                soft_wrap=True,
            )
            self._take_over(engine)
            if command != "preview":
                self._keep(engine)
            if own:
                own.prepare()
                return own.change(*arguments(command, yes=yes, packs=packs)) == 0
            return self._embedded(command, packs, yes=yes)

    def export(self) -> None:
        """Print the state, secrets encrypted, of whichever engine ran last.

        Raises:
            InputError: nothing has been brought up yet.
        """
        last = self._kept().get("engine")
        if last is None:
            raise InputError(f"{self.session.folder} holds no state of {self.name}; bring it up first")
        if last == "pulumi":
            PulumiEngine(self.session).run("stack", "export")
        else:
            typer.echo(json.dumps(self.session.state().export(), indent=2))

    def passthrough(self, words: Sequence[str]) -> int:
        """Run a Pulumi command; its exit code."""
        own = PulumiEngine(self.session)
        with self._alone():
            self._take_over("pulumi")
            self._keep("pulumi")
            own.prepare()
        return own.run(*words)

    def _embedded(self, command: str, packs: Sequence[Pack], *, yes: bool) -> bool:
        if not yes:
            if command == "up":
                previewed = self._shown("preview", packs)
                if previewed.failed or not set(previewed.changes) - {"same"}:
                    return not previewed.failed
            if not typer.confirm(f"Do you want to perform this {command}?"):
                return True
        try:
            if yes and command == "up" and self.session.run("preview", packs=packs).failed:
                # As Pulumi's own command does: what a preview refuses changes nothing, even where nobody is asked.
                return not self._shown("preview", packs).failed
            return not self._shown(command, packs).failed
        except KeyboardInterrupt:
            self.console.print("\nInterrupted. Nothing is lost: run the same command again to finish.")
            raise typer.Exit(INTERRUPTED) from None

    def _shown(self, command: str, packs: Sequence[Pack]) -> Result:
        show = display.Display(self.console, preview=command == "preview")
        result = self.session.run(command, show, packs)
        show.summary(result)
        if command == "up" and not result.failed:
            display.outputs(self.console, result.outputs)
            display.waiting(self.console, result.outputs)
            self.console.print()
            self.console.print(display.table(inventory.rows(self.session.state().export())))
            display.unchecked(self.console, self.session.store.unchecked)
        return result

    @contextmanager
    def _alone(self) -> Iterator[None]:
        files = Files(self.session.folder, self.session.stack)
        files.lock()
        try:
            yield
        finally:
            files.unlock()

    def _take_over(self, engine: str) -> None:
        """Where the other engine ran last, hand its state to this one."""
        last = self._kept().get("engine", engine)
        if last == engine:
            return
        own = PulumiEngine(self.session)
        if engine == "pulumi":
            own.prepare()
            own.import_(self.session.state().export(show_secrets=True))
        else:
            self.session.state().import_(own.export())

    @property
    def _note(self) -> Path:
        """The file that says whose state the folder holds, and which engine wrote it last."""
        return self.session.folder / f"{self.session.stack}.run"

    def _keep(self, engine: str) -> None:
        self._note.write_text(json.dumps({"estate": self.name, "engine": engine}) + "\n")

    def _kept(self) -> Mapping[str, str]:
        if not self._note.is_file():
            return {}
        try:
            kept = json.loads(self._note.read_text())
            if kept["engine"] not in ENGINES:
                raise ValueError(f"no engine {kept['engine']!r}")
            return {"estate": str(kept["estate"]), "engine": kept["engine"]}
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InputError(
                f"{self._note} cannot be read ({error}): it says which engine ran last. Write it anew, such as "
                f'{{"estate": "{self.name}", "engine": "embedded"}}, or name another --state'
            ) from error


def _chosen(engine: str) -> str:
    if engine not in ("auto", *ENGINES):
        raise InputError(f"--engine {engine}: allowed are auto, {', '.join(ENGINES)}")
    if engine == "auto":
        return "embedded" if missing() else "pulumi"
    return engine
