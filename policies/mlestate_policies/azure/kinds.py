"""What several of Azure's modules need: rules for some kinds of a resource, the network of a workspace, regions."""

import re
from collections.abc import Iterable
from typing import Final

from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation

__all__ = ["NETWORKS", "WORKSPACE", "in_managed_network", "of_kind", "region"]

WORKSPACE: Final = "azure-native:machinelearningservices:Workspace"
NETWORKS: Final = ("AllowInternetOutbound", "AllowOnlyApprovedOutbound")
"""The isolation modes of a workspace that has a managed network; the second one also says where its traffic may go."""


def of_kind(resource: Resource, path: str, kinds: Iterable[str], findings: Findings) -> Findings:
    """What is found, if the word at `path` is one of `kinds`: others do not have what is asked for."""
    kind = resource.at(path)
    if kind.unknown:
        yield Undecided(kind.path)
    elif kind.text.lower() in {each.lower() for each in kinds}:
        yield from findings


def in_managed_network(estate: Estate, resource: Resource, modes: Iterable[str], otherwise: Violation) -> Findings:
    """The workspace that `workspaceName` leads to has a managed network of one of the modes, or `otherwise`."""
    links = estate.linked(resource, "workspaceName", WORKSPACE)
    found = [workspace.at("managedNetwork.isolationMode") for workspace in links.found]
    if any(mode.text.lower() in {each.lower() for each in modes} for mode in found):
        return
    unknown = [mode for mode in found if mode.unknown]
    if unknown or (links.unknown and not found):
        yield Undecided(unknown[0].path if unknown else "workspaceName", resource.urn)
    else:
        yield otherwise


def region(name: str) -> str:
    """A region as Azure compares them: `Canada East` is `canadaeast`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
