"""Key vaults: `azure-native:keyvault:Vault`."""

from typing import Final

from mlestate_policies.checks import equals, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings

VAULT: Final = "azure-native:keyvault:Vault"


@resource_rule(
    "ML-AZ-KV-001",
    {
        VAULT: (
            "properties.enablePurgeProtection",
            "properties.enableSoftDelete",
            "properties.enableRbacAuthorization",
        )
    },
    "A vault's keys cannot be destroyed at once, and roles say who uses them",
    why="With a purged key all that it encrypted is lost, and a vault's own access policies are seen by no review of "
    "roles.",
    fix="Set properties.enablePurgeProtection and properties.enableRbacAuthorization to true; leave "
    "properties.enableSoftDelete out.",
    severity="high",
    sources=(
        "CKV_AZURE_42",
        "CKV_AZURE_110",
        "CKV_AZURE_111",
        "prowler keyvault_recoverable",
        "prowler keyvault_rbac_enabled",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def vault_keeps_its_keys(vault: Resource, settings: Settings) -> Findings:
    yield from is_true(vault, "properties.enablePurgeProtection")
    yield from is_true(vault, "properties.enableSoftDelete", absent_passes=True)
    yield from is_true(vault, "properties.enableRbacAuthorization")


@resource_rule(
    "ML-AZ-KV-002",
    {VAULT: ("properties.publicNetworkAccess", "properties.networkAcls.defaultAction")},
    "A vault is not reached from any network",
    why="Who takes a token away uses the keys from anywhere while the network does not stop it.",
    fix='Set properties.networkAcls.defaultAction to "Deny" and list the networks that are let in, or '
    'properties.publicNetworkAccess to "Disabled" with a private endpoint.',
    severity="high",
    hardening=True,
    sources=("CKV_AZURE_109", "CKV_AZURE_189", "prowler keyvault_ensure_public_network_access_disabled"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def vault_is_not_public(vault: Resource, settings: Settings) -> Findings:
    access = vault.at("properties.publicNetworkAccess")
    action = vault.at("properties.networkAcls.defaultAction")
    if access.text.lower() in ("disabled", "securedbyperimeter"):
        return
    if access.unknown and action.text.lower() != "deny":
        yield Undecided(access.path)
    else:
        yield from equals(vault, action.path, "Deny")
