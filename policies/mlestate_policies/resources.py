"""What rules judge: a resource as Pulumi registered it, and all resources of a stack with the links between them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from mlestate_policies.values import Node

__all__ = ["Estate", "Links", "Resource", "normal_type"]

_AZURE_VERSION: Final = re.compile(r"^(azure-native)(?:_\w+?_v\d+\w*)?:(\w+?)(?:/v\d+\w*)?:(\w+)$")
_SAME_AS: Final = {
    "aws:s3/bucketV2:BucketV2": "aws:s3/bucket:Bucket",
    **{
        f"aws:s3/bucket{each}V2:Bucket{each}V2": f"aws:s3/bucket{each}:Bucket{each}"
        for each in (
            "LifecycleConfiguration",
            "Logging",
            "ObjectLockConfiguration",
            "ServerSideEncryptionConfiguration",
            "Versioning",
        )
    },
    **{
        f"gcp:serviceAccount/{each}": f"gcp:serviceaccount/{each}"
        for each in (
            "account:Account",
            "iAMBinding:IAMBinding",
            "iAMMember:IAMMember",
            "iAMPolicy:IAMPolicy",
            "key:Key",
        )
    },
}
"""Types that pulumi-aws 7 and pulumi-gcp 10 keep under a second, older token."""
_TAGS: Final = ("tags", "labels", "tagsAll", "effectiveLabels", "userLabels")
_IDENTITIES: Final = ("id", "arn", "name", "bucket", "selfLink", "email", "member", "principalId", "keyArn", "url")


def normal_type(token: str) -> str:
    """The token that rules name: older names of the same type, and the API versions of azure-native, are taken out."""
    if token.startswith("azure-native") and (found := _AZURE_VERSION.match(token)):
        return ":".join(found.groups())
    return _SAME_AS.get(token, token)


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource. For a rule over one resource its properties are the inputs that the provider checked; for a rule
    over a stack they are the outputs, which hold the inputs too."""

    type: str
    urn: str
    properties: Node
    parent: str | None = None
    """A URN."""
    protect: bool = False
    provider: Node = field(default_factory=lambda: Node(None))
    """The properties of the provider that manages it; absent where it is not known which."""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A property's first key to the URNs that its value comes from; known even while the value is not."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @cached_property
    def names(self) -> frozenset[str]:
        """The texts by which other resources call this one."""
        return frozenset(text for key in _IDENTITIES if (text := self.at(key).text))

    def at(self, path: str) -> Node:
        """See `Node.at`."""
        return self.properties.at(path)

    def each(self, path: str) -> tuple[Node, ...]:
        """See `Node.each`."""
        return self.properties.each(path)

    def tag(self, key: str) -> Node:
        """The value of a tag or label, whose key is compared without case, hyphens and underscores."""
        wanted = _squeezed(key)
        unknown = None
        for where in _TAGS:
            tags = self.at(where)
            unknown = tags if tags.unknown else unknown
            for name, node in tags.items():
                if _squeezed(name) == wanted and not node.absent:
                    return node
        return Node(None, f"tags.{key}") if unknown is None else unknown


def _squeezed(key: str) -> str:
    return re.sub(r"[-_ :]", "", key).lower()


@dataclass(frozen=True)
class Links:
    """What a property leads to."""

    found: tuple[Resource, ...]
    unknown: bool
    """The value is not known, and what is found may not be all."""


class Estate:
    """All resources of a stack."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)

    @cached_property
    def _by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _by_type(self) -> Mapping[str, list[Resource]]:
        by_type: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            by_type[resource.type].append(resource)
        return by_type

    @cached_property
    def _by_name(self) -> Mapping[str, list[Resource]]:
        by_name: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            for name in resource.names:
                by_name[name].append(resource)
        return by_name

    def of(self, *types: str) -> list[Resource]:
        """The resources of some types, in the order in which they were registered."""
        if len(types) == 1:
            return list(self._by_type.get(types[0], ()))
        return [resource for resource in self.resources if resource.type in types]

    def get(self, urn: str | None) -> Resource | None:
        """The resource of a URN, None for one that is not in this stack."""
        return self._by_urn.get(urn or "")

    def parents(self, resource: Resource) -> Iterable[Resource]:
        """The parent of a resource, its parent, and so on."""
        passed = {resource.urn}
        while (parent := self.get(resource.parent)) is not None and parent.urn not in passed:
            yield parent
            passed.add(parent.urn)
            resource = parent

    def linked(self, resource: Resource, path: str, *types: str) -> Links:
        """The resources of `types` that the property at `path` leads to.

        Two ways, always both: Pulumi knows that the property's value comes from another resource (known already in a
        first preview, by the property's first key only), or the value is known and is one of the other's names.
        """
        nodes = resource.each(path)
        urns = set(resource.property_dependencies.get(re.split(r"[.\[]", path)[0], ()))
        values = {node.text for node in nodes if node.text}
        unknown = any(not node.complete and not node.absent for node in nodes)
        named = {other.urn for value in values for other in self._by_name.get(value, ())}
        wanted = named | urns if unknown or not values else named
        found = tuple(other for other in self.of(*types) if other.urn in wanted) if wanted else ()
        if not found and urns:
            found = tuple(other for other in self.of(*types) if other.urn in urns)
        return Links(found, unknown)
