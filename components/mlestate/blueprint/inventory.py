"""The inventory of an estate: every resource that its program registered, read off a Pulumi checkpoint."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

import yaml

__all__ = ["Row", "as_digests", "as_yaml", "parts", "rows", "short_type"]

SECRET = "[secret]"  # noqa: S105  what stands where a secret's value would be
_SIGNATURE = "4dabf18193072939515e22adb298388d"

_OPTIONS = ("protect", "retainOnDelete", "ignoreChanges", "replaceOnChanges", "deletedWith", "additionalSecretOutputs")


@dataclass(frozen=True)
class Row:
    """One resource, with the words of the checkpoint."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str | None
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    options: Mapping[str, Any]
    """Only those that are set: ``protect``, ``retainOnDelete``, ``ignoreChanges``, ..."""
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]

    @property
    def key(self) -> str:
        """What the row is known by in a golden inventory: no stack, no project, no account."""
        return f"{self.type}::{self.name}"

    @property
    def part(self) -> str | None:
        """The part that owns the resource (``aws Data``), None for what belongs to no part."""
        owners = [token for token in self.urn.split("::")[2].split("$")[:-1] if token.startswith("mlestate:")]
        owners = [token for token in owners if not token.startswith("mlestate:index:")]
        return " ".join(owners[-1].split(":")[1:]) if owners else None


def rows(checkpoint: Mapping[str, Any]) -> list[Row]:
    """The resources of a version 3 deployment, sorted by type and name; secrets are masked, the stack is left out."""
    found = [_row(resource) for resource in checkpoint["deployment"].get("resources") or []]
    return sorted((row for row in found if row.type != "pulumi:pulumi:Stack"), key=lambda row: row.key)


def parts(inventory: Iterable[Row]) -> Counter[str]:
    """How many cloud resources each part owns."""
    return Counter(row.part for row in inventory if row.custom and row.part)


def short_type(token: str) -> str:
    """``aws:s3/bucketPolicy:BucketPolicy`` as people say it: ``aws:s3:BucketPolicy``."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return f"{package}:{module.split('/')[0]}:{name}"


def as_yaml(inventory: Iterable[Row]) -> str:
    """The golden form: one entry a resource, its inputs as sent, JSON documents opened so that a diff can be read."""
    return _dumped(_entries(inventory))


def as_digests(inventory: Iterable[Row]) -> str:
    """The golden form of an estate that is too large to be read: one line a resource, with a digest of its entry."""
    return _dumped({key: _digest(entry) for key, entry in _entries(inventory).items()})


def _digest(entry: Mapping[str, Any]) -> str:
    return blake2s(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:12]


def _dumped(document: Any) -> str:
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, width=10_000, allow_unicode=True)


def _entries(inventory: Iterable[Row]) -> dict[str, dict[str, Any]]:
    document = {}
    for row in inventory:
        entry: dict[str, Any] = {}
        if row.parent:
            _, _, types, name = row.parent.split("::")
            if types != "pulumi:pulumi:Stack":
                entry["parent"] = f"{types.split('$')[-1]}::{name}"
        entry.update(row.options)
        if row.inputs:
            entry["inputs"] = _opened(row.inputs)
        document[row.key] = entry
    return document


class _Plain(yaml.SafeDumper):
    """YAML that a diff can be read of: no anchors, and lists set in under their key."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _row(resource: Mapping[str, Any]) -> Row:
    return Row(
        urn=resource["urn"],
        type=resource["type"],
        name=resource["urn"].split("::")[-1],
        custom=bool(resource.get("custom")),
        parent=resource.get("parent") or None,
        inputs=_masked(resource.get("inputs") or {}),
        outputs=_masked(resource.get("outputs") or {}),
        options={option: resource[option] for option in _OPTIONS if resource.get(option)},
        dependencies=tuple(resource.get("dependencies") or ()),
        property_dependencies={
            key: tuple(urns or ()) for key, urns in (resource.get("propertyDependencies") or {}).items()
        },
    )


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return SECRET if _SIGNATURE in value else {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _opened(value[key]) for key in sorted(value) if key != "__defaults"}
    if isinstance(value, list):
        return [_opened(each) for each in value]
    if isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(ValueError):
            return {"(json)": _opened(json.loads(value))}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
