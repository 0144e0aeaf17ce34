"""What the embedded engine knows of a stack: its resources and the operations whose end is not known.

A state is either in memory (for plans) or in a folder (journal.py). It changes only inside a `session`, through
`put`, `drop`, `begin` and `end`, each safe to call from several threads.
"""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from mlestate.errors import InputError
from mlestate.local.checkpoint import checked
from mlestate.local.encryption import Encryption, salt_of
from mlestate.local.files import usable
from mlestate.local.journal import RESTORE, Files, StateLocked
from mlestate.local.resource import Resource, in_order, label, mend, problem

__all__ = ["PendingOperation", "State", "StateLocked"]

PendingKind: TypeAlias = Literal["creating", "updating", "deleting"]
_KINDS: Final = ("creating", "updating", "deleting")


@dataclass(frozen=True)
class PendingOperation:
    """A provider call that was begun. `replaces` is the key of the resource that a replacement takes the place of."""

    token: int
    kind: PendingKind
    resource: Resource
    replaces: int | None = None


class State:
    """Make one with `in_memory` or `in_folder`.

    Secrets are encrypted with the given passphrase. A state in memory that is given none takes it from where Pulumi
    does (PULUMI_CONFIG_PASSPHRASE, else the file that PULUMI_CONFIG_PASSPHRASE_FILE names), else makes one at random
    that is never written down.
    """

    def __init__(self, files: Files | None, passphrase: str | None) -> None:
        self._files = files
        self._given = passphrase
        self._encryption = Encryption(self._passphrase)
        self._lock = threading.RLock()
        self._in_use = threading.Lock()
        self._sessions = 0
        self._resources: dict[int, Resource] = {}
        self._pending: dict[int, PendingOperation] = {}
        self._next = 0

    @classmethod
    def in_memory(cls, *, passphrase: str | None = None) -> "State":
        return cls(None, passphrase)

    @classmethod
    def in_folder(cls, path: Path | str, stack: str, *, passphrase: str) -> "State":
        """The state of `stack` in the folder `path`. Raises InputError when the folder cannot be used."""
        if not stack or "/" in stack or stack.startswith("."):
            raise InputError(f"stack name {stack!r} cannot be a file name; use letters, digits, '-', '_' and '.'")
        return cls(Files(Path(path), stack), passphrase)

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The checkpoint: `{"version": 3, "deployment": {...}}`, as `pulumi stack export` writes it."""
        with self._lock:
            if self._files is not None and not self._in_use.locked():
                self._load(self._files)
            return self._checkpoint(show_secrets=show_secrets)

    def import_(self, checkpoint: Any, origin: str = "the state that is imported") -> None:
        """Take over an exported checkpoint in place of what is here.

        Raises:
            InputError: it cannot be read; the sentence begins with `origin`.
        """
        with self.session():
            self._read_checkpoint(checkpoint, origin, "write one with: pulumi stack export")

    @contextmanager
    def session(self) -> Iterator[None]:
        """Hold the state for one run; raises StateLocked when another run holds it."""
        if not self._in_use.acquire(blocking=False):
            raise StateLocked("this state is in use by another run of this process; wait until it has ended")
        try:
            self._sessions += 1
            if self._files is None:
                yield
                mend(self._resources.values())
                return
            self._files.lock()
            try:
                if self._load(self._files):
                    self._write(self._files)
                    self._load(self._files)
                self._files.begin()
                yield
                self._write(self._files)
            finally:
                self._files.unlock()
        finally:
            self._in_use.release()

    def snapshot(self) -> "State":
        """A state in memory with the same resources, to try things on."""
        with self._lock:
            if self._files is not None and not self._in_use.locked():
                self._load(self._files)
            other = State(None, self._given)
            other._resources = {key: replace(resource) for key, resource in self._resources.items()}
            other._pending, other._next = dict(self._pending), self._next
            return other

    def seed(self, text: str) -> bytes:
        """The seed for an automatic name.

        The first run on a state in memory gets the same ones every time, so that a plan is repeatable; any other run
        gets new ones, so that a name does not meet that of an object which left the stack and stayed in the cloud.
        """
        fresh = os.urandom(32) if self._files is not None else str(max(self._sessions, 1)).encode()
        return hashlib.sha256(text.encode() + b"\0" + fresh).digest()

    @property
    def resources(self) -> list[Resource]:
        with self._lock:
            return list(self._resources.values())

    @property
    def pending(self) -> list[PendingOperation]:
        with self._lock:
            return list(self._pending.values())

    def put(self, *resources: Resource) -> None:
        """Store resources; one without a key (-1) is new and is given one."""
        with self._lock:
            self._put(resources)
            if self._files is not None:
                self._files.append(self._entry(resources, ()), durable=False)

    def drop(self, *resources: Resource) -> None:
        with self._lock:
            self._drop(resource.key for resource in resources)
            if self._files is not None:
                self._files.append(self._entry((), resources), durable=False)

    def begin(self, kind: PendingKind, resource: Resource, replaces: Resource | None = None) -> int:
        """Note that a provider is about to be called; answers the token for `end`. On disk when it returns."""
        with self._lock:
            self._next += 1
            operation = PendingOperation(self._next, kind, resource, None if replaces is None else replaces.key)
            self._pending[operation.token] = operation
            if self._files is not None:
                begun = {"token": operation.token, "type": kind, "replaces": operation.replaces}
                self._files.append({"begin": begun | {"resource": resource.to_json(self._seal)}}, durable=True)
            return operation.token

    def end(self, token: int, *, put: Iterable[Resource] = (), drop: Iterable[Resource] = ()) -> None:
        """Note how a provider call ended: what is now in the state, what no longer. On disk when it returns."""
        with self._lock:
            put, drop = tuple(put), tuple(drop)
            del self._pending[token]
            self._put(put)
            self._drop(resource.key for resource in drop)
            if self._files is not None:
                self._files.append({"end": token, **self._entry(put, drop)}, durable=True)

    def _put(self, resources: Iterable[Resource]) -> None:
        for resource in resources:
            if resource.key < 0:
                self._next += 1
                resource.key = self._next
            self._resources[resource.key] = resource

    def _drop(self, keys: Iterable[int]) -> None:
        for key in keys:
            self._resources.pop(key, None)

    def _entry(self, put: Iterable[Resource], drop: Iterable[Resource]) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        if put:
            entry["put"] = [[resource.key, resource.to_json(self._seal)] for resource in put]
        if drop:
            entry["drop"] = [resource.key for resource in drop]
        return entry

    def _load(self, files: Files) -> bool:
        """Read the folder; whether an interrupted run's journal was read too."""
        checkpoint, entries = files.read()
        self._resources, self._pending, self._next = {}, {}, 0
        if checkpoint is not None:
            self._read_checkpoint(checkpoint, str(files.checkpoint), RESTORE)
        for number, entry in enumerate(entries, start=2):
            try:
                self._replay(entry)
            except InputError as error:
                raise files.bad_line(number, str(error)) from error
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                raise files.bad_line(number, "it is not an entry that a run writes") from error
        return bool(entries)

    def _write(self, files: Files) -> None:
        mend(self._resources.values())
        files.write(self._checkpoint(show_secrets=False))

    def _replay(self, entry: Mapping[str, Any]) -> None:
        if "salt" in entry:
            self._encryption = Encryption(self._passphrase, entry["salt"])
        if "begin" in entry:
            begun = entry["begin"]
            resource = self._stored(begun["resource"], -1)
            self._pending[begun["token"]] = PendingOperation(begun["token"], begun["type"], resource, begun["replaces"])
            self._next = max(self._next, begun["token"])
        self._pending.pop(entry.get("end", -1), None)
        for key, stored in entry.get("put", ()):
            self._next = max(self._next, key)
            self._resources[key] = self._stored(stored, key)
        self._drop(entry.get("drop", ()))

    def _stored(self, stored: Any, key: int) -> Resource:
        """A resource out of the journal."""
        if found := problem(stored):
            raise InputError(f"resource{label(stored)}: {found}")
        return Resource.from_json(stored, self._unseal, key)

    def _checkpoint(self, *, show_secrets: bool) -> dict[str, Any]:
        seal = _plaintext if show_secrets else self._seal
        ordered = in_order(self._resources.values())
        resources = [resource.to_json(seal) for resource in ordered]
        positions = {resource.key: index for index, resource in enumerate(ordered)}
        deployment: dict[str, Any] = {
            "manifest": {"time": now(), "magic": "", "version": ""},
            "resources": resources,
        }
        if self._pending:
            deployment["pending_operations"] = [
                {"resource": operation.resource.to_json(seal), "type": operation.kind}
                | ({} if operation.replaces is None else {"replaces": positions.get(operation.replaces)})
                for operation in self._pending.values()
            ]
        deployment["metadata"] = {}
        provider = self._encryption.provider()
        if provider is not None:
            deployment["secrets_providers"] = provider
        return {"version": 3, "deployment": deployment}

    def _read_checkpoint(self, document: Any, origin: str, remedy: str) -> None:
        deployment = checked(document, origin, remedy)["deployment"]
        provider = deployment.get("secrets_providers") or {}

        def unseal(item: Mapping[str, Any]) -> Any:
            if "ciphertext" in item and self._encryption.salt != (salt := salt_of(provider)):
                self._encryption = Encryption(self._passphrase, salt)
            return self._unseal(item)

        def read(stored: Mapping[str, Any], key: int, where: str) -> Resource:
            try:
                return Resource.from_json(stored, unseal, key)
            except InputError as error:
                raise InputError(f"{origin}: `deployment.{where}`{label(stored)}: {error}") from error

        stored = deployment.get("resources") or []
        self._resources = {key: read(item, key, f"resources[{key}]") for key, item in enumerate(stored)}
        self._pending, self._next = {}, len(stored)
        for index, item in enumerate(deployment.get("pending_operations") or []):
            if item["type"] in _KINDS:
                self._next += 1
                resource = read(item["resource"], -1, f"pending_operations[{index}].resource")
                self._pending[self._next] = PendingOperation(self._next, item["type"], resource, item.get("replaces"))

    def _seal(self, text: str) -> dict[str, str]:
        before = self._encryption.salt
        sealed = self._encryption.seal(text)
        if before is None and self._files is not None and self._files.is_recording:
            self._files.append({"salt": self._encryption.salt}, durable=False)
        return {"ciphertext": sealed}

    def _unseal(self, stored: Mapping[str, Any]) -> Any:
        text = stored["plaintext"] if "plaintext" in stored else self._encryption.open(str(stored["ciphertext"]))
        return json.loads(text)

    def _passphrase(self) -> str:
        if self._given is None:
            self._given = _find_passphrase()
        return self._given


def _find_passphrase() -> str:
    if (given := os.environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
        return given
    if named := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        remedy = "name a file that holds the passphrase"
        with usable(f"PULUMI_CONFIG_PASSPHRASE_FILE {named} cannot be read", remedy):
            return Path(named).read_bytes().decode(errors="replace").strip()
    return secrets.token_urlsafe(32)


def _plaintext(text: str) -> dict[str, str]:
    return {"plaintext": text}


def now() -> str:
    """The time as checkpoints write it: RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
