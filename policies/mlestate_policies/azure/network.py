"""The ways out of a workspace's managed network, written beside it or in it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.azure.kinds import WORKSPACE
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

RULE: Final = "azure-native:machinelearningservices:ManagedNetworkSettingsRule"
NEWER_RULE: Final = "azure-native:machinelearningservices:OutboundRule"
_INSIDE: Final = "managedNetwork.outboundRules.*"

WILDCARDS: Final = limit(
    "outboundWildcards",
    (),
    "Hosts with `*` that an Azure ML workspace's managed network may let traffic out to, such as `*.example.com`",
)


@resource_rule(
    "ML-AZ-AML-042",
    {
        RULE: ("properties.destination",),
        NEWER_RULE: ("properties.destination",),
        WORKSPACE: (f"{_INSIDE}.destination",),
    },
    "A way out of a managed network names its host",
    why="Behind a name with a star there may be anybody's host, and a place to carry data to.",
    fix="Write the whole name of the host; where a star is needed, allow that name in the limit outboundWildcards.",
    severity="medium",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def way_out_names_its_host(resource: Resource, settings: Settings) -> Findings:
    place = _INSIDE if resource.type == WORKSPACE else "properties"
    for rule in resource.each(place):
        yield from _named(rule.at("destination"), settings[WILDCARDS])


def _named(destination: Node, allowed: Iterable[str]) -> Findings:
    prefixes = destination.each("addressPrefixes[]")
    tag = destination.at("serviceTag")
    if destination.unknown:
        yield Undecided(destination.path)
    elif destination.text:
        if "*" in destination.text and not any(fnmatchcase(destination.text.lower(), each) for each in allowed):
            yield Violation(destination.path, f"{destination.path} holds a star; it has to name one host")
    elif not destination.at("addressPrefixes").absent:  # then the tag is not looked at
        for prefix in prefixes:
            if prefix.unknown:
                yield Undecided(prefix.path)
            elif prefix.text == "*" or prefix.text.endswith("/0"):
                yield Violation(prefix.path, f"{prefix.path} is every address; it has to name those that are needed")
    elif tag.unknown:
        yield Undecided(tag.path)
    elif tag.text.lower() in ("internet", "*"):
        yield Violation(tag.path, f"{tag.path} is the whole internet; it has to name a service")
