"""The one way to look at a resource's properties: what is there is known, unknown until the update, or absent.

The same for plain dictionaries (tests, states), for Pulumi's wire form (secrets and outputs wrapped in objects with a
signature) and for the proxies that `pulumi_policy` hands to a policy, which raise when they are asked. Nothing here
raises for what a user wrote.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

__all__ = ["UNKNOWN", "Node"]

# Fixed in Pulumi's sdk/go/common/resource/sig/sig.go and plugin/rpc.go.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the marker's public name
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a text that is known only after the update."""
_UNKNOWNS: Final = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "[secret]",  # what Pulumi and `mlestate` write where a secret cannot be opened
    }
)
_NOTHING: Final = object()
_NOT_YET: Final = object()
_STEP: Final = re.compile(r"[^.\[\]]+|\[\]")


class Node:
    """A place in a resource's properties: a path, and what is there.

    What is unset counts as absent however it is written: left out, null, an empty text, list or object.
    """

    __slots__ = ("_raw", "path", "secret")

    def __init__(self, raw: Any, path: str = "", secret: bool = False) -> None:
        self.path = path
        self.secret = secret or _is_secret(raw)
        """It, or something around it, is marked as secret: its value is for no message."""
        self._raw = _opened(raw)

    @property
    def absent(self) -> bool:
        """Nothing is set here."""
        return self._raw is _NOTHING

    @property
    def unknown(self) -> bool:
        """What is here is known only after the update, or is a secret that cannot be opened."""
        return self._raw is _NOT_YET

    @property
    def known(self) -> bool:
        """The value can be read."""
        return self._raw is not _NOTHING and self._raw is not _NOT_YET

    @property
    def value(self) -> Any:
        """The value; objects and lists may hold `UNKNOWN` inside.

        Raises:
            ValueError: it is not known; ask `known` first.
        """
        if not self.known:
            raise ValueError(f"{self.path} is not known")
        return _plain(self._raw)

    @property
    def text(self) -> str:
        """The value if it is a known text, else the empty text."""
        return self._raw if isinstance(self._raw, str) else ""

    @property
    def number(self) -> float | None:
        """The value if it is a known number, or a text that says one."""
        if isinstance(self._raw, bool):
            return None
        if isinstance(self._raw, int | float):
            return float(self._raw)
        with suppress(ValueError):
            return float(self.text)
        return None

    @property
    def true(self) -> bool:
        """The value is known and true; some providers write it as a text."""
        return self._raw is True or self.text.lower() == "true"

    @property
    def complete(self) -> bool:
        """Everything inside is known too: a document of which a part is unknown cannot be read."""
        return self.known and not _has_unknowns(self._raw)

    def at(self, path: str) -> "Node":
        """The node behind a path of keys, such as `dataCaptureConfig.kmsKeyId`; behind an unknown all is unknown."""
        node = self
        for key in path.split("."):
            node = node._child(key)
        return node

    def each(self, path: str = "") -> tuple["Node", ...]:
        """The nodes behind a path in which `[]` stands for every item of a list and `*` for every value of an object.

        Such as `productionVariants[].instanceType`. A list that is absent or unknown gives one absent or unknown node.
        """
        nodes: list[Node] = [self]
        for step in _STEP.findall(path):
            nodes = [
                found
                for node in nodes
                for found in (node._inside(step) if step in ("[]", "*") else (node._child(step),))
            ]
        return tuple(nodes)

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """The keys and nodes of an object; nothing for anything else."""
        if isinstance(self._raw, Mapping):
            for key in self._raw:
                yield key, self._child(key)

    def document(self) -> "Node":
        """The JSON document that a text here holds (or an object that is one already).

        Unknown when it is unknown or any part of it is; absent when it is absent or no JSON.
        """
        if isinstance(self._raw, str):
            try:
                parsed = json.loads(self._raw)
            except ValueError:
                return Node(None, self.path)
            return Node(parsed if isinstance(parsed, dict | list) else None, self.path, self.secret)
        return self

    def secrets(self) -> Iterator[str]:
        """Every text in here that is marked as secret."""
        if self.secret and self.text:
            yield self.text
        for _, child in self.items():
            yield from child.secrets()
        if isinstance(self._raw, list):
            for child in self._inside("[]"):
                yield from child.secrets()

    def _child(self, key: str) -> "Node":
        path = f"{self.path}.{key}" if self.path else key
        if isinstance(self._raw, Mapping):
            return Node(self._raw.get(key), path, self.secret)
        return _node(_NOT_YET if self.unknown else _NOTHING, path)

    def _inside(self, step: str) -> tuple["Node", ...]:
        if step == "[]" and isinstance(self._raw, Sequence) and not isinstance(self._raw, str):
            return tuple(Node(item, f"{self.path}[{index}]", self.secret) for index, item in enumerate(self._raw))
        if step == "*" and isinstance(self._raw, Mapping):
            return tuple(self._child(key) for key in self._raw)
        path = f"{self.path}[]" if step == "[]" else f"{self.path}.*"
        return (_node(_NOT_YET if self.unknown else _NOTHING, path),)

    def __bool__(self) -> NoReturn:
        raise TypeError("ask a node whether it is known, unknown or absent: there are three answers")


def _node(raw: Any, path: str) -> Node:
    node = Node.__new__(Node)
    node.path, node._raw, node.secret = path, raw, False
    return node


def _is_secret(raw: Any) -> bool:
    return isinstance(raw, dict) and (
        raw.get(_SIGNATURE) == _SECRET or (raw.get(_SIGNATURE) == _OUTPUT and raw.get("secret") is True)
    )


def _opened(raw: Any) -> Any:
    """A value without what Pulumi wraps it in."""
    if raw is None:
        return _NOTHING
    if isinstance(raw, str):
        return _NOT_YET if raw in _UNKNOWNS else raw or _NOTHING
    if isinstance(raw, bool | int | float):
        return raw
    if not isinstance(raw, dict | list) and hasattr(raw, "__getitem__"):
        raw = raw["__target"]  # a proxy of pulumi_policy: its own way to be looked through
    if isinstance(raw, dict) and _SIGNATURE in raw:
        if raw[_SIGNATURE] in (_SECRET, _OUTPUT):
            if "value" in raw:
                return _opened(raw["value"])
            try:
                return _opened(json.loads(raw["plaintext"])) if "plaintext" in raw else _NOT_YET
            except (TypeError, ValueError):
                return _NOT_YET
        return raw
    return _NOTHING if isinstance(raw, dict | list) and not raw else raw


def _plain(raw: Any) -> Any:
    raw = _opened(raw)
    if raw is _NOT_YET:
        return UNKNOWN
    if raw is _NOTHING:
        return None
    if isinstance(raw, dict):
        return {key: _plain(each) for key, each in raw.items()}
    return [_plain(each) for each in raw] if isinstance(raw, list) else raw


def _has_unknowns(raw: Any) -> bool:
    raw = _opened(raw)
    if raw is _NOT_YET:
        return True
    inside = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ()
    return any(_has_unknowns(each) for each in inside)
