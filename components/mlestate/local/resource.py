"""One resource as a Pulumi checkpoint keeps it (version 3, `sdk/go/common/apitype/core.go`), and its references."""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from google.protobuf.struct_pb2 import Struct

from mlestate.errors import InputError
from mlestate.local.properties import Seal, from_json, to_json

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"

_URN: Final = re.compile(r"urn:pulumi:[^:]+::[^:]+::(?:(?!::).)+::.+", re.DOTALL)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")  # JSON can escape half a character, which no UTF-8 file can hold


class _Shape(NamedTuple):
    """What a field of a stored resource has to be."""

    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not _SURROGATES.search(value)


def _is_urn(value: Any) -> bool:
    return _is_text(value) and bool(_URN.fullmatch(value))


def _is_reference(value: Any) -> bool:
    return _is_text(value) and (not value or _is_urn(provider_urn(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(fits(item) for item in value)


def _object_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and all(_is_text(key) and fits(value[key]) for key in value)


_NAME: Final = _Shape("a text that is not empty", lambda value: _is_text(value) and value != "")
_KEY: Final = _Shape("a URN, urn:pulumi:<stack>::<project>::<type>::<name>,", _is_urn)
_FLAG: Final = _Shape("true or false", lambda value: isinstance(value, bool))
_TEXT: Final = _Shape("a text", _is_text)
_TEXTS: Final = _Shape("a list of texts", _list_of(_is_text))
_LINK: Final = _Shape("a URN", lambda value: value == "" or _is_urn(value))
_LINKS: Final = _Shape("a list of URNs", _list_of(_is_urn))
_LINKS_BY_NAME: Final = _Shape(
    "an object of lists of URNs", _object_of(lambda value: value is None or _list_of(_is_urn)(value))
)
_REFERENCE: Final = _Shape("a provider's URN and id, <urn>::<id>,", _is_reference)
_PROPERTIES: Final = _Shape("an object", lambda value: isinstance(value, Mapping))
_SECONDS: Final = _Shape("an object of numbers of seconds", _object_of(_is_number))

_REQUIRED: Final = (("urn", _KEY), ("type", _NAME), ("custom", _FLAG))

# Attribute, its key in the file, its shape; in the order in which Pulumi writes them. False, "" and empty are left out.
_FIELDS: Final = (
    ("delete", "delete", _FLAG),
    ("id", "id", _TEXT),
    ("type", "type", _NAME),
    ("inputs", "inputs", _PROPERTIES),
    ("outputs", "outputs", _PROPERTIES),
    ("parent", "parent", _LINK),
    ("protect", "protect", _FLAG),
    ("external", "external", _FLAG),
    ("dependencies", "dependencies", _LINKS),
    ("init_errors", "initErrors", _TEXTS),
    ("provider", "provider", _REFERENCE),
    ("property_dependencies", "propertyDependencies", _LINKS_BY_NAME),
    ("pending_replacement", "pendingReplacement", _FLAG),
    ("additional_secret_outputs", "additionalSecretOutputs", _TEXTS),
    ("aliases", "aliases", _LINKS),
    ("custom_timeouts", "customTimeouts", _SECONDS),
    ("retain_on_delete", "retainOnDelete", _FLAG),
    ("deleted_with", "deletedWith", _LINK),
    ("created", "created", _TEXT),
    ("modified", "modified", _TEXT),
    ("ignore_changes", "ignoreChanges", _TEXTS),
    ("hide_diff", "hideDiff", _TEXTS),
    ("replace_on_changes", "replaceOnChanges", _TEXTS),
)
_REFUSED: Final = ("viewOf", "taint", "extensionRef", "replaceWith", "replacementTrigger", "resourceHooks")


@dataclass(slots=True)
class Resource:
    """A resource's state. Structs in it are shared and never changed in place; `key` tells two of one URN apart."""

    urn: str
    type: str
    custom: bool
    key: int = -1
    id: str = ""
    inputs: Struct = field(default_factory=Struct)
    outputs: Struct = field(default_factory=Struct)
    parent: str = ""
    provider: str = ""
    dependencies: Sequence[str] = ()
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protect: bool = False
    external: bool = False
    delete: bool = False
    pending_replacement: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    additional_secret_outputs: Sequence[str] = ()
    aliases: Sequence[str] = ()
    init_errors: Sequence[str] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    ignore_changes: Sequence[str] = ()
    hide_diff: Sequence[str] = ()
    replace_on_changes: Sequence[str] = ()
    created: str = ""
    modified: str = ""

    @property
    def name(self) -> str:
        return name_of(self.urn)

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def is_default_provider(self) -> bool:
        return self.is_provider and (self.name == "default" or self.name.startswith("default_"))

    def references(self, *, parent: bool = True) -> Iterator[str]:
        """URNs that must exist before this resource does."""
        if parent and self.parent:
            yield self.parent
        if self.provider:
            yield provider_urn(self.provider)
        yield from self.dependencies
        for urns in self.property_dependencies.values():
            yield from urns
        if self.deleted_with:
            yield self.deleted_with

    def to_json(self, seal: Seal) -> dict[str, Any]:
        stored: dict[str, Any] = {"urn": self.urn, "custom": self.custom}
        for attribute, key, _shape in _FIELDS:
            value = getattr(self, attribute)
            value = to_json(value, seal) if isinstance(value, Struct) else _thawed(value)
            if value:
                stored[key] = value
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], unseal: Any, key: int) -> "Resource":
        """A stored resource that has no `problem`. Raises InputError when a value in its properties cannot be read."""
        resource = cls(urn=stored["urn"], type=stored["type"], custom=stored["custom"], key=key)
        for attribute, name, shape in _FIELDS:
            value = stored.get(name)
            if value is not None:
                setattr(
                    resource, attribute, _properties(name, value, unseal) if shape is _PROPERTIES else _frozen(value)
                )
        return resource


def problem(stored: Any) -> str | None:
    """What is wrong with a resource as a file has it, as the end of a sentence; None when it is sound."""
    if not isinstance(stored, Mapping):
        return f"it is {described(stored)} where an object is needed"
    for name, shape in _REQUIRED:
        if name not in stored:
            return f"it has no `{name}`, which has to be {shape.words.rstrip(',')}"
        if not shape.fits(stored[name]):
            return f"`{name}` is {described(stored[name])} where {shape.words} is needed"
    for _attribute, name, shape in _FIELDS:
        value = stored.get(name)
        if value is not None and not shape.fits(value):
            return f"`{name}` is {described(value)} where {shape.words} is needed"
    return None


def refusal(stored: Mapping[str, Any]) -> str | None:
    """What a sound resource uses that the embedded engine does not do, as the end of a sentence; None when nothing."""
    used = next((name for name in _REFUSED if stored.get(name)), None)
    if used is None:
        return None
    return f"it uses {used!r}, which the embedded engine does not do; run this stack with Pulumi's own engine"


def label(stored: Any) -> str:
    """The URN of a stored resource in brackets, "" when it has none that could be read."""
    urn = stored.get("urn") if isinstance(stored, Mapping) else None
    return f" ({urn})" if _is_text(urn) else ""


def described(value: Any) -> str:
    """A JSON value in a sentence. Of an object or a list only that it is one: it may hold a secret."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return ascii(value) if len(value) <= 80 else f"{value[:80]!a}..."
        case list() | tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case Mapping():
            return "an object"
        case _:
            return f"the number {value}"


def _properties(name: str, value: Any, unseal: Any) -> Struct:
    try:
        return from_json(value, unseal)
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, struct.error) as error:
        raise InputError(f"its {name} hold a value that is not written as Pulumi writes it") from error


def _frozen(value: Any) -> Any:
    """Lists as tuples, so that two states with the same facts are equal."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: () if item is None else _frozen(item) for key, item in value.items()}  # Go's empty list
    return value


def _thawed(value: Any) -> Any:
    """Tuples as lists, as JSON gives them back."""
    if isinstance(value, tuple | list):
        return [_thawed(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _thawed(item) for key, item in value.items()}
    return value


def urn_of(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource; the stack's own type is left out of the chain of parents' types."""
    parent_type = qualified_type_of(parent) if parent else STACK_TYPE
    chain = type_ if parent_type == STACK_TYPE else f"{parent_type}${type_}"
    return f"urn:pulumi:{stack}::{project}::{chain}::{name}"


def qualified_type_of(urn: str) -> str:
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    return qualified_type_of(urn).rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def provider_urn(reference: str) -> str:
    """The URN in a provider reference, `<urn>::<id>`."""
    return reference.rpartition("::")[0]


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """Resources so that each comes after all it refers to; those about to be deleted come last. Linear."""
    given = sorted(resources, key=lambda resource: resource.delete)
    by_urn: dict[str, list[Resource]] = {}
    for resource in given:
        by_urn.setdefault(resource.urn, []).append(resource)
    placed: set[int] = set()
    ordered: list[Resource] = []
    for root in given:
        stack = [(root, False)]
        while stack:
            resource, expanded = stack.pop()
            if expanded:
                ordered.append(resource)
                continue
            if id(resource) in placed:
                continue
            placed.add(id(resource))
            stack.append((resource, True))
            stack.extend(
                (needed, False)
                for urn in resource.references()
                for needed in by_urn.get(urn, ())
                if id(needed) not in placed and (not needed.delete or resource.delete or _only(by_urn[urn], resource))
            )
    return ordered


def _only(candidates: Sequence[Resource], resource: Resource) -> bool:
    """Whether a live resource must wait for one about to be deleted: it uses that very provider, or has no other."""
    return any(f"{one.urn}::{one.id}" == resource.provider for one in candidates) or all(
        one.delete for one in candidates
    )


def mend(resources: Iterable[Resource]) -> None:
    """Let references follow renamed resources, and drop those to resources that are gone."""
    given = list(resources)
    renamed = {alias: resource.urn for resource in given for alias in resource.aliases}
    known = {resource.urn for resource in given}
    if not renamed and all(urn in known for resource in given for urn in resource.references()):
        return

    def follow(urns: Iterable[str]) -> tuple[str, ...]:
        return tuple(urn for urn in (renamed.get(urn, urn) for urn in urns) if urn in known)

    for resource in given:
        resource.aliases = ()
        resource.parent = next(iter(follow([resource.parent])), "")
        resource.deleted_with = next(iter(follow([resource.deleted_with])), "")
        resource.dependencies = follow(resource.dependencies)
        resource.property_dependencies = {name: follow(urns) for name, urns in resource.property_dependencies.items()}
        if resource.provider:
            urn, _, provider_id = resource.provider.rpartition("::")
            resource.provider = f"{renamed.get(urn, urn)}::{provider_id}"
