"""Registries of Azure ML: `azure-native:machinelearningservices:Registry`."""

from typing import Final

from mlestate_policies.azure.kinds import region
from mlestate_policies.checks import equals, holds, is_false
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import ALLOWED_REGIONS, Settings

REGISTRY: Final = "azure-native:machinelearningservices:Registry"
_STORE: Final = "regionDetails[].storageAccountDetails[].systemCreatedStorageAccount.allowBlobPublicAccess"


@resource_rule(
    "ML-AZ-AML-040",
    {REGISTRY: ("regionDetails[].location", _STORE)},
    "A registry's copies lie in allowed regions, and none is public",
    why="A registry keeps a whole copy of every model in each of its regions.",
    fix=f"Name allowed regions in regionDetails[].location, and set {_STORE} to false.",
    severity="high",
    evidences=("EU AI Act 15", "Law 25 s.17", "PIPEDA 4.1.3", "PIPEDA 4.7"),
)
def registry_keeps_its_copies(registry: Resource, settings: Settings) -> Findings:
    for details in registry.each("regionDetails[].storageAccountDetails[]"):
        if details.at("userCreatedStorageAccount").absent:  # else it is judged where it is made
            yield from is_false(details, "systemCreatedStorageAccount.allowBlobPublicAccess")
    if allowed := settings[ALLOWED_REGIONS]:
        words = ", ".join(allowed)
        for node in registry.each("regionDetails[].location"):
            yield from holds(node, "", lambda each: region(each.text) in allowed, f"the allowed regions are {words}")


@resource_rule(
    "ML-AZ-AML-043",
    {REGISTRY: ("publicNetworkAccess",)},
    "A registry is not reached from the internet",
    why="Who takes a token away could read, and put, the models of every environment from anywhere.",
    fix='Set publicNetworkAccess to "Disabled" and give the registry a private endpoint.',
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def registry_is_not_public(registry: Resource, settings: Settings) -> Findings:
    return equals(registry, "publicNetworkAccess", "Disabled")
