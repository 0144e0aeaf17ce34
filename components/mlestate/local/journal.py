"""The files of a state folder: a checkpoint written atomically, a journal that loses nothing, a lock.

`<stack>.json` is a Pulumi checkpoint. `<stack>.journal` holds, one JSON object a line, what happened since: its first
line names the checkpoint (by SHA-256) that it continues, so a journal left behind by a finished run is never applied
twice; a last line cut off by a kill is not counted. `<stack>.lock` is held (flock) for the length of a run.
"""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from mlestate.errors import InputError


class StateLocked(InputError):
    """Another run works on this state."""


class Files:
    """One stack's files in a folder that is made when missing. Raises InputError when the folder cannot be used."""

    def __init__(self, folder: Path, stack: str) -> None:
        self.folder, self.stack = folder, stack
        self.checkpoint = folder / f"{stack}.json"
        self.journal = folder / f"{stack}.journal"
        self.passphrase = folder / f"{stack}.passphrase"
        self._lock: IO[str] | None = None
        self._writer: IO[str] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"state folder {folder} cannot be made: {error.strerror}; name one that can be written"
            ) from error

    def lock(self) -> None:
        """Take the lock for a run; raises StateLocked when another run has it."""
        try:
            lock = (self.folder / f"{self.stack}.lock").open("a+")
        except OSError as error:
            raise InputError(f"state folder {self.folder} cannot be written: {error.strerror}") from error
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
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def unlock(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def read(self) -> tuple[Mapping[str, Any] | None, list[dict[str, Any]]]:
        """The checkpoint (None when there is none yet) and the journal's entries that continue it."""
        text = self.checkpoint.read_bytes() if self.checkpoint.exists() else b""
        try:
            checkpoint = json.loads(text) if text else None
        except ValueError as error:
            raise InputError(f"{self.checkpoint} is not a Pulumi checkpoint: {error}") from error
        return checkpoint, self._entries(_digest(text))

    def _entries(self, continues: str) -> list[dict[str, Any]]:
        if not self.journal.exists():
            return []
        *lines, _cut_off = self.journal.read_bytes().split(b"\n")
        entries = [json.loads(line) for line in lines]
        if not entries or entries[0].get("continues") != continues:
            return []
        return entries[1:]

    @property
    def is_recording(self) -> bool:
        return self._writer is not None

    def own_passphrase(self) -> str:
        """The passphrase kept beside the state, made at random the first time."""
        if not self.passphrase.exists():
            descriptor = os.open(self.passphrase, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(32))
        return self.passphrase.read_text(encoding="utf-8").strip()

    def begin(self) -> None:
        """Start an empty journal that continues the checkpoint on disk."""
        text = self.checkpoint.read_bytes() if self.checkpoint.exists() else b""
        self._writer = self.journal.open("w", encoding="utf-8")
        self.append({"continues": _digest(text)}, durable=True)
        _sync_folder(self.folder)

    def append(self, entry: Mapping[str, Any], *, durable: bool) -> None:
        """Add an entry; `durable` waits for the disk."""
        if self._writer is None:
            raise RuntimeError("the journal is not open")
        self._writer.write(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) + "\n")
        if durable:
            self._writer.flush()
            os.fsync(self._writer.fileno())

    def write(self, checkpoint: Mapping[str, Any]) -> None:
        """Replace the checkpoint in one step and drop the journal, which it now holds."""
        temporary = self.checkpoint.with_suffix(".json.new")
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


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
