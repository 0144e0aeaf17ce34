"""How the local cloud makes objects of a resource type: a row of facts a type, and the words that rows are written in.

A row's texts are format strings over `Facts`: an input by its name on the wire (`{bucket}`), the place (`{region}`,
`{account}`, ...), the object's own `{id}` and `{name}`, and made-up identifiers that are the same in every run:
`{hex:17}`, `{digits:12}`, `{upper:16}`, `{uuid:client}` (the word keeps two ids of one object apart), `{time}`.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from mlestate.local.markers import UNKNOWN
from mlestate.local.paths import PropertyPath


@dataclass(frozen=True)
class Kind:
    """The facts of one resource type.

    `id` is the provider's id. `name` is the property that holds the physical name; the real provider fills it in when a
    program leaves it out. `unique` names the slot that only one object may hold; `taken` is the cloud's refusal when a
    second one asks for it, and without one the cloud overwrites (a put, as most settings of a bucket are). `generates`
    are names that the provider makes up while it creates. `outputs` are what the provider always returns and the
    program did not say; a value may be a text, a constant, or a function of the facts. `nested` are more of them inside
    an object that the program wrote.
    """

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    unique: str = ""
    taken: str = ""
    generates: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Need:
    """What must stand, where the new object will, before it can be made: an object of one of the types for each id."""

    types: tuple[str, ...]
    ids: "Callable[[Facts], Iterable[str]]"
    refusal: str


@dataclass(frozen=True)
class Naming:
    """How the real provider names what a program left unnamed: logical name, separator, `random` characters.

    `style` is `random`; `copy` (the logical name itself) and `uuid` are azure-native's for children and for role
    assignments. `alphanumeric` drops what the cloud forbids in the name, as `lower` folds it. `pattern` is what the
    cloud takes at all, given or made up.
    """

    limit: int
    separator: str = "-"
    random: int = 7
    lower: bool = False
    alphanumeric: bool = False
    prefix: str = ""
    suffix: Callable[[Mapping[str, Any]], str] = field(default=lambda inputs: "")
    style: str = "random"
    pattern: str = ""

    def refusal(self, name: str) -> str | None:
        """Why the cloud does not take the name, or None when it does."""
        if not self.pattern or re.fullmatch(self.pattern, name):
            return None
        return f"the cloud does not take the name {name!r}: it must match ^{self.pattern}$; give another physical name"

    def propose(self, logical: str, seed: str, inputs: Mapping[str, Any]) -> str:
        """A name for a resource of that logical name. Raises ValueError when it passes the cloud's limit."""
        if self.style == "uuid":
            return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))
        stem = logical.lower() if self.lower else logical
        if self.alphanumeric:
            stem = "".join(character for character in stem if character.isalnum())
        if self.style == "random":
            stem += self.separator + hashlib.sha256(seed.encode()).hexdigest()[: self.random]
        name = self.prefix + stem + self.suffix(inputs)
        if len(name) > self.limit:
            raise ValueError(
                f"the automatic name {name!r} has {len(name)} characters and at most {self.limit} are allowed; "
                "shorten the resource's logical name or give a physical name"
            )
        return name


class Facts(dict[str, Any]):
    """What a row's texts may speak of. A name that nobody set is the empty text, as clouds leave it out."""

    seed: str

    def __init__(self, seed: str, *layers: Mapping[str, Any]) -> None:
        super().__init__()
        self.seed = seed
        for layer in layers:
            self.update(layer)

    def __missing__(self, key: str) -> Any:
        return _MADE[key](self.seed) if key in _MADE else ""

    def text(self, template: str) -> str:
        return template.format_map(self)

    def value(self, row: Any, unknown: bool = False) -> Any:
        """The value of an output's row; not known when it speaks of what is not (`unknown`: some input is not)."""
        if isinstance(row, str):
            text = row.format_map(self) if "{" in row else row
            return UNKNOWN if unknown and UNKNOWN in text else text
        if callable(row):
            return UNKNOWN if unknown else row(self)
        return row


class Characters:
    """`{word:17}`: so many characters of an alphabet."""

    def __init__(self, seed: str, alphabet: str) -> None:
        self.seed, self.alphabet = seed, alphabet

    def __format__(self, size: str) -> str:
        number = int(hashlib.sha256(self.seed.encode()).hexdigest(), 16)
        characters = []
        for _ in range(int(size)):
            number, index = divmod(number, len(self.alphabet))
            characters.append(self.alphabet[index])
        return "".join(characters)


class Uuid:
    """`{uuid}`, or `{uuid:word}` for another one of the same object."""

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def __format__(self, word: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}#{word}"))


def _moment(seed: str) -> tuple[int, int, int]:
    """A second of the year 2026 that belongs to the object: no clock is read, so that runs can be compared."""
    number = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16)
    return number % 28 + 1, number // 28 % 24, number // 672 % 60


def _time(seed: str) -> str:
    day, hour, minute = _moment(seed)
    return f"2026-01-{day:02}T{hour:02}:{minute:02}:00Z"


def _millis(seed: str) -> int:
    day, hour, minute = _moment(seed)
    return (1767225600 + ((day - 1) * 24 + hour) * 3600 + minute * 60) * 1000  # the year 2026 begins at 1767225600


_MADE: Mapping[str, Callable[[str], Any]] = {
    "hex": lambda seed: Characters(seed, "0123456789abcdef"),
    "digits": lambda seed: Characters(seed, "123456789"),
    "upper": lambda seed: Characters(seed, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "uuid": Uuid,
    "time": _time,
    "millis": _millis,
}


@dataclass(frozen=True)
class Replacement:
    """Which changes of a type replace the resource; a path says so for everything beneath it, and the longest wins."""

    replaces: frozenset[PropertyPath]
    updates: frozenset[PropertyPath]

    def replaced_by(self, path: PropertyPath) -> bool:
        """Whether a change at the path (list indexes left out) needs another resource."""
        for size in range(len(path), 0, -1):
            if path[:size] in self.updates:
                return False
            if path[:size] in self.replaces:
                return True
        return ("*",) in self.replaces


@cache
def replacements(cloud: str) -> Mapping[str, Replacement]:
    """The table of `data/<cloud>.json`, whose rows name their sources, by resource type."""
    table = json.loads((files("mlestate.local") / "data" / f"{cloud}.json").read_text())["types"]

    def paths(row: Mapping[str, list[str]], key: str) -> frozenset[PropertyPath]:
        return frozenset(tuple(path.split(".")) for path in row.get(key, ()))

    return {token: Replacement(paths(row, "replaces"), paths(row, "updates")) for token, row in table.items()}
