"""The files of a state folder: a checkpoint written atomically, a journal that loses nothing, a lock.

`<stack>.json` is a Pulumi checkpoint. `<stack>.journal` holds, one JSON object a line, what happened since: its first
line names the checkpoint (by SHA-256) that it continues, so a journal left behind by a finished run is never applied
twice; a last line cut off by a kill is not counted. `<stack>.lock` is held (flock) for the length of a run.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Final

from mlestate.errors import InputError
from mlestate.local.files import make_folder, parse_json, read_bytes, usable

RESTORE: Final = "restore it from a copy, or name another state folder"
_START_OVER: Final = "restore it from a copy, or remove it to go on from the end of the last finished run"


class StateLocked(InputError):
    """Another run works on this state."""


class Files:
    """One stack's files in a folder that is made when missing. Raises InputError when the folder cannot be used."""

    def __init__(self, folder: Path, stack: str) -> None:
        self.folder, self.stack = folder, stack
        self.checkpoint = folder / f"{stack}.json"
        self.journal = folder / f"{stack}.journal"
        self._lock: IO[str] | None = None
        self._writer: IO[str] | None = None
        make_folder(folder, "state folder")

    def lock(self) -> None:
        """Take the lock for a run; raises StateLocked when another run has it."""
        with self._writing():
            lock = (self.folder / f"{self.stack}.lock").open("a+", errors="replace")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                lock.close()
                raise StateLocked(
                    f"stack {self.stack!r} in {self.folder} is in use by another run (process {holder}); "
                    "wait until it has ended"
                ) from error
            self._lock = lock
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()

    def unlock(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def read(self) -> tuple[Any, list[Any]]:
        """The checkpoint (None when there is none yet) and the journal's entries that continue it, unchecked.

        Raises:
            InputError: a file cannot be read or is not JSON. A journal's last line may be cut off.
        """
        with usable(f"state folder {self.folder} cannot be read", "name another one"):
            exists, interrupted = self.checkpoint.exists(), self.journal.exists()
        text = read_bytes(self.checkpoint, RESTORE) if exists else b""
        try:
            checkpoint = parse_json(text) if exists else None
        except ValueError as error:
            raise InputError(f"{self.checkpoint} is not a Pulumi checkpoint: {error}; {RESTORE}") from error
        return checkpoint, self._entries(_digest(text)) if interrupted else []

    def _entries(self, continues: str) -> list[Any]:
        *lines, _cut_off = read_bytes(self.journal, RESTORE).split(b"\n")
        entries = []
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(parse_json(line))
            except ValueError as error:
                raise self.bad_line(number, str(error)) from error
            if number == 1:
                if not isinstance(entries[0], dict):
                    raise self.bad_line(1, "it does not name the checkpoint that the journal continues")
                if entries[0].get("continues") != continues:
                    return []
        return entries[1:]

    def bad_line(self, number: int, why: str) -> InputError:
        """That a line of the journal, counted from 1, cannot be applied."""
        return InputError(f"line {number} of the journal {self.journal} cannot be applied: {why}; {_START_OVER}")

    @property
    def is_recording(self) -> bool:
        return self._writer is not None

    def begin(self) -> None:
        """Start an empty journal that continues the checkpoint on disk."""
        with self._writing():
            text = self.checkpoint.read_bytes() if self.checkpoint.exists() else b""
            self._writer = self.journal.open("w", encoding="utf-8")
            self.append({"continues": _digest(text)}, durable=True)
            _sync_folder(self.folder)

    def append(self, entry: Mapping[str, Any], *, durable: bool) -> None:
        """Add an entry; `durable` waits for the disk."""
        if self._writer is None:
            raise RuntimeError("the journal is not open")
        with self._writing():
            self._writer.write(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) + "\n")
            if durable:
                self._writer.flush()
                os.fsync(self._writer.fileno())

    def write(self, checkpoint: Mapping[str, Any]) -> None:
        """Replace the checkpoint in one step and drop the journal, which it now holds."""
        temporary = self.checkpoint.with_suffix(".json.new")
        with self._writing():
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(checkpoint, file, indent=2, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.checkpoint)
            _sync_folder(self.folder)
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self.journal.unlink(missing_ok=True)

    def _writing(self) -> AbstractContextManager[None]:
        return usable(f"state folder {self.folder} cannot be written", "name one that can be, or free some of its disk")


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
