"""Registries of images: `azure-native:containerregistry:Registry`."""

from typing import Final

from mlestate_policies.checks import equals, is_false
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings

REGISTRY: Final = "azure-native:containerregistry:Registry"


@resource_rule(
    "ML-AZ-CR-001",
    {REGISTRY: ("adminUserEnabled", "anonymousPullEnabled")},
    "An image registry opens for identities alone",
    why="The admin user is one password for everybody, and an anonymous pull needs none.",
    fix="Leave adminUserEnabled and anonymousPullEnabled out or set them to false.",
    severity="high",
    sources=("CKV_AZURE_137", "CKV_AZURE_138", "prowler containerregistry_admin_user_disabled"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"adminUserEnabled": False, "anonymousPullEnabled": False},
)
def images_open_for_identities_alone(registry: Resource, settings: Settings) -> Findings:
    yield from is_false(registry, "adminUserEnabled", absent_passes=True)
    yield from is_false(registry, "anonymousPullEnabled", absent_passes=True)


@resource_rule(
    "ML-AZ-CR-002",
    {REGISTRY: ("publicNetworkAccess", "networkRuleSet.defaultAction")},
    "An image registry is not reached from the internet",
    why="Who takes a token away could read, and put, what every job and endpoint runs.",
    fix='Set publicNetworkAccess to "Disabled" and give the registry (of SKU Premium) a private endpoint, or '
    'networkRuleSet.defaultAction to "Deny" and list the networks that are let in.',
    severity="high",
    hardening=True,
    sources=("CKV_AZURE_139", "prowler containerregistry_not_publicly_accessible"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def image_registry_is_not_public(registry: Resource, settings: Settings) -> Findings:
    action = registry.at("networkRuleSet.defaultAction")
    if action.text.lower() == "deny":
        return  # it is reached from the networks that are listed
    for found in equals(registry, "publicNetworkAccess", "Disabled"):
        yield Undecided(action.path) if action.unknown else found


@resource_rule(
    "ML-AZ-CR-003",
    {REGISTRY: ("encryption.status",)},
    "Images are encrypted with a key of the estate",
    why="Only with a key of one's own can access be taken away and be seen in a log.",
    fix='Set encryption.status to "enabled" and name the key in encryption.keyVaultProperties.',
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def images_have_a_key_of_the_estate(registry: Resource, settings: Settings) -> Findings:
    return equals(registry, "encryption.status", "enabled")
