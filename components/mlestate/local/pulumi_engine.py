"""Pulumi's own engine on the local cloud: the CLI of PATH, with a backend, a passphrase and providers of the session.

The stand-in providers are put on PATH for the child process alone. They are never installed as commands: on a user's
PATH they would shadow the real providers.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import yaml

from mlestate.errors import InputError
from mlestate.local.analyzers import Pack
from mlestate.local.journal import StateLocked
from mlestate.local.serve import write_shims
from mlestate.local.session import PASSPHRASE, PROJECT, Session

__all__ = ["PulumiEngine", "arguments", "missing"]

_COMMANDS = ("pulumi", "pulumi-language-python")


def missing() -> list[str]:
    """Which of Pulumi's commands are not on PATH; empty where its own engine can run."""
    return [command for command in _COMMANDS if shutil.which(command) is None]


@dataclass(frozen=True)
class PulumiEngine:
    """The Pulumi CLI, run in a folder of the session so that every one of its commands works unchanged."""

    session: Session

    def __post_init__(self) -> None:
        """
        Raises:
            InputError: the CLI is not on PATH.
        """
        if absent := missing():
            raise InputError(
                f"Pulumi's own engine needs {' and '.join(absent)} on PATH. Install Pulumi as its documentation says, "
                "or run this with --engine embedded"
            )

    @property
    def folder(self) -> Path:
        """Pulumi's working folder: project, stack settings, backend and home."""
        return self.session.folder / "pulumi"

    def prepare(self) -> None:
        """Write the project, the stack's settings and the stand-in providers; create the stack when it is new."""
        for name in ("backend", "home", "project"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_shims(self.folder / "providers", self.session.cloud)
        project = {"name": PROJECT, "runtime": "python", "main": str(self.session.program)}
        self._write("Pulumi.yaml", project)
        stack = self._read(f"Pulumi.{self.session.stack}.yaml")
        self._write(f"Pulumi.{self.session.stack}.yaml", {**stack, "config": _config(self.session.config)})
        self._checked("stack", "select", "--create", self.session.stack)

    def run(self, *arguments: str) -> int:
        """Run a Pulumi command on this terminal; returns its exit code."""
        return _waited(self._started(arguments))

    def change(self, *arguments: str) -> int:
        """Run a command that works on the stack, which no other run of ours does; returns its exit code.

        Raises:
            StateLocked: Pulumi still works on the stack for a run of ours that was killed.
        """
        # A file, and not a lock that Pulumi inherits: its language host outlives a killed engine and would keep it.
        note = self.folder / f"{self.session.stack}.process"
        if (pid := _living(note)) is not None:
            raise StateLocked(
                f"stack {self.session.stack!r} is in use by Pulumi (process {pid}); wait until it has ended"
            )
        if any((self.folder / "backend").rglob(".pulumi/locks/**/*.json")):
            # Nobody else is here, so a run that was killed has left it; the backend cannot know that.
            self._checked("cancel", "--yes")
        running = self._started(arguments)
        try:
            note.write_text(f"{running.pid} {psutil.Process(running.pid).create_time()}")
            return _waited(running)
        finally:
            note.unlink(missing_ok=True)

    def _started(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["pulumi", *arguments], cwd=self.folder / "project", env=self._environment())

    def export(self) -> dict[str, Any]:
        """The stack's state, secrets in clear: for the embedded engine to take over, never for a file that stays."""
        exported: dict[str, Any] = json.loads(self._checked("stack", "export", "--show-secrets"))
        return exported

    def import_(self, checkpoint: Mapping[str, Any]) -> None:
        """Take over a state that the embedded engine exported."""
        with TemporaryDirectory() as private:
            file = Path(private) / "state.json"
            file.write_text(json.dumps(checkpoint))
            self._checked("stack", "import", "--file", str(file))

    def _checked(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder / "project",
            env=self._environment(),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise InputError(f"pulumi {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": os.pathsep.join(
                [str(self.folder / "providers"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
            ),
            "PULUMI_BACKEND_URL": (self.folder / "backend").resolve().as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str((self.folder / "home").resolve()),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": self.session.stack,
            "PULUMI_SUPPRESS_NEO_LINK": "true",
        }

    def _read(self, name: str) -> dict[str, Any]:
        file = self.folder / "project" / name
        try:
            return dict(yaml.safe_load(file.read_text()) or {}) if file.exists() else {}
        except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
            raise InputError(f"{file} cannot be read as a stack's settings; remove it or mend it: {error}") from error

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        (self.folder / "project" / name).write_text(yaml.safe_dump(dict(document)))


def _config(settings: Mapping[str, str]) -> dict[str, Any]:
    """The settings as a stack file holds them: what is JSON for the program is a structure in the file."""
    return {key: json.loads(value) if value.startswith("[") else value for key, value in settings.items()}


def arguments(command: str, *, yes: bool, packs: Sequence[Pack] = ()) -> Sequence[str]:
    """The words of a Pulumi command that match the same command of the embedded engine."""
    # Policies stop an update before anything is changed only in the preview that goes before it.
    skipped = [] if packs else ["--skip-preview"]
    return [
        command,
        *(["--yes", *skipped] if yes and command != "preview" else []),
        *(f"--policy-pack={pack.folder.resolve()}" for pack in packs),
        *(f"--policy-pack-config={pack.configuration.resolve()}" for pack in packs if pack.configuration),
        "--suppress-permalink=true",
    ]


def _living(note: Path) -> str | None:
    """The process of the note, if it is that one still and not another that was given its number."""
    try:
        pid, began = note.read_text().split()
        return pid if psutil.Process(int(pid)).create_time() == float(began) else None
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def _waited(running: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return running.wait()
        except KeyboardInterrupt:
            continue  # the terminal told Pulumi as well, which ends in its own good order
