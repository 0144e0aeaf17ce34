"""What rules over a stack share: which resource leads to which, and which environment one is of."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings
from mlestate_policies.settings import limit
from mlestate_policies.values import Node

__all__ = ["PRODUCTION", "STAGING", "environment", "reaches", "refers", "told", "words"]

PRODUCTION: Final = limit(
    "productionEnvironments",
    ("production", "prod", "prd", "live"),
    "The environments (tag or label `environment`) that are production where several of one stack are compared",
)
STAGING: Final = limit(
    "stagingEnvironments",
    ("staging", "stage", "stg", "preproduction", "preprod", "uat"),
    "The environments that stand before production and are to be like it",
)
_ABOUT: Final = frozenset(("tags", "labels", "tagsAll", "effectiveLabels", "pulumiLabels", "userLabels"))
_WORD: Final = re.compile(r"[\w-]+")


def environment(estate: Estate, resource: Resource) -> str:
    """The environment that a resource's tag names, or the only one that all it refers to is of; else nothing."""
    tag = resource.tag("environment")
    if not tag.absent:
        return tag.text.lower()
    found = {
        name
        for urns in resource.property_dependencies.values()
        for urn in urns
        if (other := estate.get(urn)) is not None and (name := other.tag("environment").text.lower())
    }
    return found.pop() if len(found) == 1 else ""


def told(findings: Findings, resource: Resource) -> Findings:
    """What a check of one resource found, told of that resource."""
    return [replace(found, urn=resource.urn) for found in findings]


def texts(node: Node) -> Iterator[str]:
    """Every known text in a node, tags left out."""
    if node.text:
        yield node.text
    for key, inside in node.items():
        if key not in _ABOUT:
            yield from texts(inside)
    if node.known and isinstance(node.value, list):
        for inside in node.each("[]"):
            yield from texts(inside)


def words(node: Node) -> set[str]:
    """Every known text in a node, and the words of each: `endpoint/churn/variant/a` also names `churn`."""
    found = set(texts(node))
    return found | {word for text in found for word in _WORD.findall(text)}


def refers(resource: Resource, target: Resource, path: str = "") -> bool:
    """Whether a resource (or one property of it, by its first key) leads to another directly.

    Pulumi knows it, or one of the other's names is said.
    """
    if path:
        urns = set(resource.property_dependencies.get(path, ()))
        said = resource.at(path)
    else:
        urns = {urn for each in resource.property_dependencies.values() for urn in each} | set(resource.dependencies)
        said = resource.properties
    return target.urn in urns or not words(said).isdisjoint(target.names)


def reaches(estate: Estate, resource: Resource, target: Resource, steps: int = 2) -> bool:
    """Whether a resource leads to another, directly or through others that it refers to."""
    if refers(resource, target):
        return True
    if steps <= 1:
        return False
    between = {urn for urns in resource.property_dependencies.values() for urn in urns}
    return any(
        (other := estate.get(urn)) is not None and other is not resource and reaches(estate, other, target, steps - 1)
        for urn in between
    )
