"""One resource as a Pulumi checkpoint keeps it (version 3, `sdk/go/common/apitype/core.go`), and its references."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct

from mlestate.errors import InputError
from mlestate.local.properties import Seal, from_json, to_json

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"

# Attribute, its key in the file; in the order in which Pulumi writes them. False, "" and empty are left out.
_FIELDS: Final = (
    ("delete", "delete"),
    ("id", "id"),
    ("type", "type"),
    ("inputs", "inputs"),
    ("outputs", "outputs"),
    ("parent", "parent"),
    ("protect", "protect"),
    ("external", "external"),
    ("dependencies", "dependencies"),
    ("init_errors", "initErrors"),
    ("provider", "provider"),
    ("property_dependencies", "propertyDependencies"),
    ("pending_replacement", "pendingReplacement"),
    ("additional_secret_outputs", "additionalSecretOutputs"),
    ("aliases", "aliases"),
    ("custom_timeouts", "customTimeouts"),
    ("retain_on_delete", "retainOnDelete"),
    ("deleted_with", "deletedWith"),
    ("created", "created"),
    ("modified", "modified"),
    ("ignore_changes", "ignoreChanges"),
    ("hide_diff", "hideDiff"),
    ("replace_on_changes", "replaceOnChanges"),
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
        for attribute, key in _FIELDS:
            value = getattr(self, attribute)
            value = to_json(value, seal) if isinstance(value, Struct) else _thawed(value)
            if value:
                stored[key] = value
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], unseal: Any, key: int) -> "Resource":
        refused = next((name for name in _REFUSED if stored.get(name)), None)
        if refused is not None:
            raise InputError(
                f"the state of {stored['urn']} uses {refused!r}, which the embedded engine does not do; "
                "run this stack with Pulumi's own engine"
            )
        resource = cls(urn=stored["urn"], type=stored["type"], custom=bool(stored["custom"]), key=key)
        for attribute, name in _FIELDS:
            if name in stored:
                value = stored[name]
                setattr(
                    resource, attribute, from_json(value, unseal) if name in ("inputs", "outputs") else _frozen(value)
                )
        return resource


def _frozen(value: Any) -> Any:
    """Lists as tuples, so that two states with the same facts are equal."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
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
