"""What exists in the local cloud: SQLite under one folder, or plain dicts for a plan.

The folder's database is in WAL mode and may be used by several threads and several processes at once (Pulumi's engine
starts one provider process a cloud, or more). A secret is kept as a salted digest: enough to recognise the value, never
to read it.
"""

import dataclasses
import hashlib
import json
import os
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

from mlestate.errors import InputError
from mlestate.local.files import make_folder, usable
from mlestate.local.markers import SIGNATURE
from mlestate.local.wire import is_secret

_WAIT: Final = 60.0  # seconds that a process waits for another one to finish writing
_SALT_BYTES: Final = 16
_COLUMNS: Final = "type, id, home, urn, slot, owner, seed, inputs, properties, settled"
_OTHER_FOLDER: Final = "name another state folder"
_REMEDIES: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "another process holds it; wait until that has ended",
    sqlite3.SQLITE_LOCKED: "another process holds it; wait until that has ended",
    sqlite3.SQLITE_READONLY: "make it and its folder writable, or name another state folder",
    sqlite3.SQLITE_CANTOPEN: _OTHER_FOLDER,
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_IOERR: _OTHER_FOLDER,
}
_START_OVER: Final = "restore it from a copy, or remove the state folder to begin with an empty local cloud"


class TakenError(Exception):
    """Another object holds the name."""

    def __init__(self, holder: "CloudObject") -> None:
        super().__init__(f"{holder.type} {holder.id} exists")
        self.holder = holder


@dataclass(frozen=True)
class CloudObject:
    """One thing in the cloud.

    `home` is the account (and region) in which the id is unique; `owner` is the account, project or subscription.
    `slot` is the name that only one object may hold, or None. `settled` says that an engine has spoken of the object by
    its id, so its state holds it; one that is not was perhaps made by a run that died before it could write that down.
    """

    type: str
    id: str
    home: str
    urn: str
    slot: str | None
    owner: str
    seed: str
    inputs: Mapping[str, Any]
    properties: Mapping[str, Any]
    settled: bool = False


class _Table(Protocol):
    """What both kinds of storage do."""

    def get(self, token: str, identity: str, home: str | None) -> CloudObject | None: ...
    def holder(self, token: str, slot: str) -> CloudObject | None: ...
    def made_by(self, urn: str) -> list[CloudObject]: ...
    def all(self) -> Iterator[CloudObject]: ...
    def of(self, token: str) -> Iterator[CloudObject]: ...
    def within(self, identity: str) -> Iterator[CloudObject]: ...
    def put(self, made: CloudObject) -> None: ...
    def drop(self, made: CloudObject) -> None: ...
    def births(self, urn: str) -> int: ...
    def bear(self, urn: str) -> None: ...
    def transaction(self) -> Any: ...


class Store:
    """The objects of the local cloud.

    `Store(folder)` opens or makes the database `cloud.db` in the folder; `Store.in_memory()` forgets with the process.
    `unchecked` are the resource types that this process has put into it without knowing their facts.

    Raises:
        InputError: the folder or a file in it cannot be used. Later calls raise it when that comes to be so.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder, "state folder")
        self._table: _Table = _Database(folder / "cloud.db")
        self._salt = _salt(folder / "cloud.salt")
        self.unchecked: set[str] = set()

    @classmethod
    def in_memory(cls) -> Self:
        store = cls.__new__(cls)
        store._table, store._salt, store.unchecked = _Memory(), os.urandom(_SALT_BYTES), set()
        return store

    def objects(self) -> list[CloudObject]:
        """Everything that exists, in the order of type and id."""
        return sorted(self._table.all(), key=lambda made: (made.type, made.id))

    def of(self, token: str) -> Iterator[CloudObject]:
        """The objects of a type, wherever they are."""
        return self._table.of(token)

    def get(self, token: str, identity: str, home: str | None = None) -> CloudObject | None:
        """An object by its type and id; without a home, the first of that id anywhere."""
        return self._table.get(token, identity, home)

    def made_by(self, token: str, urn: str) -> list[CloudObject]:
        """The objects of a type that a resource has made and that still exist; two of them during a replacement."""
        return [made for made in self._table.made_by(urn) if made.type == token]

    def births(self, urn: str) -> int:
        """How many objects a resource has made so far, gone ones included."""
        return self._table.births(urn)

    def create(self, made: CloudObject, *, overwrite: bool) -> None:
        """Add an object. Raises TakenError when its id or its slot is held and the cloud does not overwrite."""
        with self._table.transaction():
            holder = self._table.get(made.type, made.id, made.home)
            if holder is None and made.slot is not None:
                holder = self._table.holder(made.type, made.slot)
            if holder is not None:
                if not overwrite:
                    raise TakenError(holder)
                self._table.drop(holder)
            self._table.put(made)
            self._table.bear(made.urn)

    def replace(self, made: CloudObject) -> None:
        """Write the new state of an object that exists."""
        with self._table.transaction():
            self._table.put(made)

    def change(self, token: str, identity: str, properties: Mapping[str, Any], home: str | None = None) -> None:
        """Change an object behind Pulumi's back; None takes a property away. Raises KeyError when there is no such."""
        with self._table.transaction():
            found = self._table.get(token, identity, home)
            if found is None:
                raise KeyError(f"the local cloud has no {token} {identity!r}")
            written = {key: value for key, value in properties.items() if key in found.inputs}
            self._table.put(
                dataclasses.replace(
                    found, inputs=_merged(found.inputs, written), properties=_merged(found.properties, properties)
                )
            )

    def delete(self, token: str, identity: str, home: str | None = None, *, within: bool = False) -> None:
        """Take an object away, and ``within`` it all whose ids continue its own; one that is gone is no error."""
        with self._table.transaction():
            found = self._table.get(token, identity, home)
            if found is not None:
                self._table.drop(found)
                for inner in list(self._table.within(identity)) if within else ():
                    self._table.drop(inner)

    def sealed(self, value: Any) -> Any:
        """The value with its secrets turned into digests; itself when there are none."""
        if isinstance(value, dict):
            if is_secret(value):
                return {SIGNATURE: value[SIGNATURE], "digest": self._digest(value)}
            sealed = {key: self.sealed(item) for key, item in value.items()}
            return sealed if any(sealed[key] is not item for key, item in value.items()) else value
        if isinstance(value, list):
            items = [self.sealed(item) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value

    def unsealed(self, value: Any, known: Any) -> Any:
        """The value with the digests turned back into those secrets of `known` at the same place that they stand for.

        A secret that `known` does not tell is left out: a cloud does not hand out what it was told in confidence.
        """
        if isinstance(value, Mapping):
            if is_secret(value):
                return known if is_secret(known) and self._digest(known) == value.get("digest") else None
            inner = known if isinstance(known, dict) else {}
            opened = {key: self.unsealed(item, inner.get(key)) for key, item in value.items()}
            return {key: item for key, item in opened.items() if item is not None or value[key] is None}
        if isinstance(value, list):
            places = known if isinstance(known, list) else []
            return [
                self.unsealed(item, places[index] if index < len(places) else None) for index, item in enumerate(value)
            ]
        return value

    def _digest(self, secret: Mapping[str, Any]) -> str:
        text = json.dumps(secret.get("value"), sort_keys=True).encode()
        return hashlib.pbkdf2_hmac("sha256", text, self._salt, 10_000).hex()


class _Memory:
    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], dict[str, CloudObject]] = {}
        self._slots: dict[tuple[str, str], CloudObject] = {}
        self._urns: dict[str, list[CloudObject]] = {}
        self._births: dict[str, int] = {}
        self._lock = threading.RLock()

    def transaction(self) -> threading.RLock:
        return self._lock

    def get(self, token: str, identity: str, home: str | None) -> CloudObject | None:
        homes = self._objects.get((token, identity), {})
        return homes.get(home) if home is not None else next(iter(homes.values()), None)

    def holder(self, token: str, slot: str) -> CloudObject | None:
        return self._slots.get((token, slot))

    def made_by(self, urn: str) -> list[CloudObject]:
        with self._lock:
            return list(self._urns.get(urn, ()))

    def all(self) -> Iterator[CloudObject]:
        with self._lock:
            return iter([made for homes in self._objects.values() for made in homes.values()])

    def of(self, token: str) -> Iterator[CloudObject]:
        return (made for made in self.all() if made.type == token)

    def within(self, identity: str) -> Iterator[CloudObject]:
        begins = f"{identity.lower()}/"
        return (each for each in self.all() if each.id.lower().startswith(begins))

    def put(self, made: CloudObject) -> None:
        homes = self._objects.setdefault((made.type, made.id), {})
        before = homes.get(made.home)
        if before is not None:
            self._urns[before.urn].remove(before)
        homes[made.home] = made
        self._urns.setdefault(made.urn, []).append(made)
        if made.slot is not None:
            self._slots[made.type, made.slot] = made

    def drop(self, made: CloudObject) -> None:
        homes = self._objects[made.type, made.id]
        self._urns[made.urn].remove(homes.pop(made.home))
        if not homes:
            del self._objects[made.type, made.id]
        if made.slot is not None:
            del self._slots[made.type, made.slot]

    def births(self, urn: str) -> int:
        return self._births.get(urn, 0)

    def bear(self, urn: str) -> None:
        self._births[urn] = self._births.get(urn, 0) + 1


class _Database:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._told():
            # One connection behind a lock: SQLite has one writer anyway, and other processes wait up to the timeout.
            self._connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._connection.close)
            for statement in (
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = NORMAL",
                "CREATE TABLE IF NOT EXISTS objects (type TEXT, id TEXT, home TEXT, urn TEXT, slot TEXT, owner TEXT,"
                " seed TEXT, inputs TEXT, properties TEXT, settled INTEGER, PRIMARY KEY (type, id, home))",
                "CREATE UNIQUE INDEX IF NOT EXISTS slots ON objects (type, slot)",
                "CREATE INDEX IF NOT EXISTS urns ON objects (urn)",
                "CREATE TABLE IF NOT EXISTS births (urn TEXT PRIMARY KEY, count INTEGER)",
                "DELETE FROM births WHERE 0",  # one that may not be written, or is held, is met here and not half-way
            ):
                self._connection.execute(statement)
            # A damaged page would else be met by one resource in the middle of a run.
            (found,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise InputError(f"{path} is damaged ({found.splitlines()[-1]}); {_START_OVER}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say which file it is that SQLite cannot use, and what to do."""
        try:
            yield
        except sqlite3.Error as error:
            # The lower byte is the kind of the error; what Python itself refuses has no code.
            remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, _START_OVER)
            raise InputError(f"{self._path} cannot be used: {error}; {remedy}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            self._execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:  # SQLite has rolled back itself when the disk is full
                    self._execute("ROLLBACK")
                raise
            self._execute("COMMIT")

    def get(self, token: str, identity: str, home: str | None) -> CloudObject | None:
        if home is None:
            return next(self._select("type = ? AND id = ?", token, identity), None)
        return next(self._select("type = ? AND id = ? AND home = ?", token, identity, home), None)

    def holder(self, token: str, slot: str) -> CloudObject | None:
        return next(self._select("type = ? AND slot = ?", token, slot), None)

    def made_by(self, urn: str) -> list[CloudObject]:
        return list(self._select("urn = ?", urn))

    def all(self) -> Iterator[CloudObject]:
        return self._select("1")

    def of(self, token: str) -> Iterator[CloudObject]:
        return self._select("type = ?", token)

    def within(self, identity: str) -> Iterator[CloudObject]:
        begins = f"{identity.lower()}/"
        return self._select("substr(lower(id), 1, length(?)) = ?", begins, begins)

    def put(self, made: CloudObject) -> None:
        row = (made.type, made.id, made.home, made.urn, made.slot, made.owner, made.seed,
               json.dumps(made.inputs), json.dumps(made.properties), made.settled)  # fmt: skip
        places = ", ".join("?" * len(row))
        self._execute(f"INSERT OR REPLACE INTO objects ({_COLUMNS}) VALUES ({places})", *row)  # noqa: S608  our own words

    def drop(self, made: CloudObject) -> None:
        where = "type = ? AND id = ? AND home = ?"
        self._execute(f"DELETE FROM objects WHERE {where}", made.type, made.id, made.home)  # noqa: S608  our own words

    def births(self, urn: str) -> int:
        rows = self._execute("SELECT count FROM births WHERE urn = ?", urn)
        return int(rows[0][0]) if rows else 0

    def bear(self, urn: str) -> None:
        self._execute("INSERT INTO births VALUES (?, 1) ON CONFLICT (urn) DO UPDATE SET count = count + 1", urn)

    def _select(self, where: str, *values: str) -> Iterator[CloudObject]:
        rows = self._execute(f"SELECT {_COLUMNS} FROM objects WHERE {where}", *values)  # noqa: S608  our own words
        for token, identity, home, urn, slot, owner, seed, inputs, properties, settled in rows:
            try:
                written = json.loads(inputs), json.loads(properties)
            except (TypeError, ValueError) as error:
                raise InputError(f"{self._path}: {token} {identity} is damaged; {_START_OVER}") from error
            yield CloudObject(token, identity, home, urn, slot, owner, seed, *written, settled=bool(settled))

    def _execute(self, statement: str, *values: Any) -> list[Any]:
        with self._lock, self._told():
            return self._connection.execute(statement, values).fetchall()


def _merged(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**old, **changes}.items() if value is not None or key not in changes}


def _salt(path: Path) -> bytes:
    """The folder's salt, made once and readable to its owner alone."""
    with usable(f"state folder {path.parent} cannot be used", _OTHER_FOLDER):
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=path.parent) as file:  # mode 0600
                file.write(os.urandom(_SALT_BYTES))
                file.flush()
                # A link appears whole or not at all, and the first of two processes wins.
                with suppress(FileExistsError):
                    os.link(file.name, path)
        salt = path.read_bytes()
    if len(salt) != _SALT_BYTES:
        raise InputError(f"{path} has {len(salt)} bytes where {_SALT_BYTES} are needed; {_START_OVER}")
    return salt
