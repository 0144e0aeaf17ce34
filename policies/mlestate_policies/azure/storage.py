"""Storage accounts and their blobs: `azure-native:storage`."""

import re
from typing import Final

from mlestate_policies.azure.kinds import region
from mlestate_policies.checks import at_least, equals, is_false, is_set, is_true, one_of
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule, stack_rule
from mlestate_policies.settings import ALLOWED_REGIONS, RETENTION_DAYS, Settings

ACCOUNT: Final = "azure-native:storage:StorageAccount"
BLOBS: Final = "azure-native:storage:BlobServiceProperties"
LOCK: Final = "azure-native:storage:BlobContainerImmutabilityPolicy"


@resource_rule(
    "ML-AZ-ST-001",
    {ACCOUNT: ("allowSharedKeyAccess", "allowBlobPublicAccess")},
    "A storage account opens for identities alone",
    why="A shared key opens everything for whoever has it, and a public container needs not even that.",
    fix="Set allowSharedKeyAccess and allowBlobPublicAccess to false.",
    severity="critical",
    sources=(
        "CKV2_AZURE_40",
        "CKV2_AZURE_47",
        "CKV_AZURE_190",
        "prowler storage_account_key_access_disabled",
        "prowler storage_blob_public_access_level_is_disabled",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"allowSharedKeyAccess": False, "allowBlobPublicAccess": False},
)
def storage_opens_for_identities_alone(account: Resource, settings: Settings) -> Findings:
    yield from is_false(account, "allowSharedKeyAccess")
    yield from is_false(account, "allowBlobPublicAccess", absent_passes=True)


@resource_rule(
    "ML-AZ-ST-007",
    {ACCOUNT: ("publicNetworkAccess", "networkRuleSet.defaultAction")},
    "A storage account is not reached from any network",
    why="Who takes a token away reads the data from anywhere while the network does not stop it.",
    fix='Set publicNetworkAccess to "Disabled" with a private endpoint, or networkRuleSet.defaultAction to "Deny" and '
    "list the networks that are let in.",
    severity="critical",
    hardening=True,
    sources=(
        "CKV_AZURE_35",
        "CKV_AZURE_59",
        "prowler storage_default_network_access_rule_is_denied",
        "prowler storage_public_network_access_disabled",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def storage_is_not_public(account: Resource, settings: Settings) -> Findings:
    if account.at("publicNetworkAccess").text.lower() in ("disabled", "securedbyperimeter"):
        return
    action = account.at("networkRuleSet.defaultAction")
    if action.text.lower() != "deny" and account.at("publicNetworkAccess").unknown:
        yield Undecided("publicNetworkAccess")
    else:
        yield from equals(account, action.path, "Deny")


@resource_rule(
    "ML-AZ-ST-002",
    {ACCOUNT: ("minimumTlsVersion", "enableHttpsTrafficOnly")},
    "A storage account speaks HTTPS alone, with TLS 1.2 or newer",
    why="What goes over the wire in the clear, or under an old version of TLS, can be read on the way.",
    fix='Set minimumTlsVersion to "TLS1_2" and enableHttpsTrafficOnly to true.',
    severity="high",
    sources=(
        "CKV_AZURE_3",
        "CKV_AZURE_44",
        "prowler storage_ensure_minimum_tls_version_12",
        "prowler storage_secure_transfer_required_is_enabled",
        "trivy azure-storage-enforce-https",
        "trivy azure-storage-use-secure-tls-policy",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"minimumTlsVersion": "TLS1_2", "enableHttpsTrafficOnly": True},
)
def storage_speaks_tls(account: Resource, settings: Settings) -> Findings:
    yield from one_of(account, "minimumTlsVersion", ("TLS1_2", "TLS1_3"))
    yield from is_true(account, "enableHttpsTrafficOnly", absent_passes=True)


@resource_rule(
    "ML-AZ-ST-003",
    {
        ACCOUNT: (
            "encryption.keySource",
            "encryption.keyVaultProperties.keyName",
            "encryption.requireInfrastructureEncryption",
        )
    },
    "A storage account is encrypted twice, once with a key of the estate",
    why="Only with a key of one's own can access be taken away and be seen in a log.",
    fix='Set encryption.keySource to "Microsoft.Keyvault", name the key in encryption.keyVaultProperties, and set '
    "encryption.requireInfrastructureEncryption to true (only when the account is made).",
    severity="high",
    hardening=True,
    sources=(
        "CKV2_AZURE_1",
        "prowler storage_ensure_encryption_with_customer_managed_keys",
        "prowler storage_infrastructure_encryption_is_enabled",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def storage_has_a_key_of_the_estate(account: Resource, settings: Settings) -> Findings:
    yield from equals(account, "encryption.keySource", "Microsoft.Keyvault")
    yield from is_set(account, "encryption.keyVaultProperties.keyName", "name a key of the estate")
    yield from is_true(account, "encryption.requireInfrastructureEncryption")


@resource_rule(
    "ML-AZ-ST-004",
    {BLOBS: ("deleteRetentionPolicy.enabled", "containerDeleteRetentionPolicy.enabled")},
    "Deleted blobs and containers can be brought back",
    why="A deletion by mistake or in bad faith is otherwise the end of data sets and models.",
    fix="Set enabled to true in deleteRetentionPolicy and in containerDeleteRetentionPolicy, each with some days.",
    severity="medium",
    sources=("CKV2_AZURE_38", "prowler storage_ensure_soft_delete_is_enabled"),
    evidences=("EU AI Act 15", "ISO 42001 A.7.5"),
)
def deleted_blobs_come_back(blobs: Resource, settings: Settings) -> Findings:
    yield from is_true(blobs, "deleteRetentionPolicy.enabled")
    yield from is_true(blobs, "containerDeleteRetentionPolicy.enabled")


@stack_rule(
    "ML-AZ-ST-008",
    {BLOBS: ("isVersioningEnabled",), ACCOUNT: ("isHnsEnabled",)},
    "An account that can keep versions of its blobs does",
    why="What is written over, such as the data a model was trained on, is otherwise gone.",
    fix="Set isVersioningEnabled to true; an account with a hierarchical namespace (isHnsEnabled) keeps no versions.",
    severity="medium",
    sources=("prowler storage_blob_versioning_is_enabled",),
    evidences=("EU AI Act 12", "ISO 42001 A.7.5"),
)
def blobs_keep_versions(estate: Estate, settings: Settings) -> Findings:
    for blobs in estate.of(BLOBS):
        versioning = blobs.at("isVersioningEnabled")
        if versioning.true:
            continue
        links = estate.linked(blobs, "accountName", ACCOUNT)
        folders = [account.at("isHnsEnabled") for account in links.found]
        if any(each.true for each in folders):
            continue
        if versioning.unknown or any(each.unknown for each in folders) or (links.unknown and not folders):
            yield Undecided(versioning.path, blobs.urn)
        else:
            message = f"{versioning.path} is {'not set' if versioning.absent else 'not true'}; it has to be true"
            yield Violation(versioning.path, message, blobs.urn)


_LOCK_DAYS: Final = "immutabilityPeriodSinceCreationInDays"
_ACCOUNT_LOCK: Final = "immutableStorageWithVersioning.immutabilityPolicy"


@resource_rule(
    "ML-AZ-ST-005",
    {LOCK: (_LOCK_DAYS,), ACCOUNT: (f"{_ACCOUNT_LOCK}.{_LOCK_DAYS}", f"{_ACCOUNT_LOCK}.state")},
    "Records are locked for as long as they have to be kept",
    why="A record that can be changed proves nothing, and one that is gone cannot be shown.",
    fix=f"Set {_LOCK_DAYS} to at least the days that records are kept.",
    severity="high",
    evidences=("EU AI Act 19", "EU AI Act 26(6)", "ISO 42001 A.6.2.8"),
)
def records_are_locked(resource: Resource, settings: Settings) -> Findings:
    if not settings.keeps_records(resource):
        return
    days = settings[RETENTION_DAYS]
    if resource.type == LOCK:
        yield from at_least(resource, _LOCK_DAYS, days, "days")
    elif not resource.at(_ACCOUNT_LOCK).absent:  # else each container has a lock of its own
        yield from at_least(resource, f"{_ACCOUNT_LOCK}.{_LOCK_DAYS}", days, "days")
        yield from one_of(resource, f"{_ACCOUNT_LOCK}.state", ("Locked", "Unlocked"), absent_passes=True)


_GEO: Final = re.compile(r"_(ra)?gz?rs$", re.IGNORECASE)
_PAIRS: Final = (
    *(("canadacentral", "canadaeast"), ("eastus", "westus"), ("eastus2", "centralus")),
    *(("northcentralus", "southcentralus"), ("westus2", "westcentralus"), ("northeurope", "westeurope")),
    *(("uksouth", "ukwest"), ("francecentral", "francesouth"), ("germanywestcentral", "germanynorth")),
    *(("switzerlandnorth", "switzerlandwest"), ("norwayeast", "norwaywest"), ("swedencentral", "swedensouth")),
    *(("australiaeast", "australiasoutheast"), ("australiacentral", "australiacentral2")),
    *(("eastasia", "southeastasia"), ("japaneast", "japanwest"), ("koreacentral", "koreasouth")),
    *(("centralindia", "southindia"), ("southafricanorth", "southafricawest"), ("uaenorth", "uaecentral")),
)
_PAIR_OF: Final = {
    **dict(_PAIRS),
    **{second: first for first, second in _PAIRS},
    "brazilsouth": "southcentralus",
    "westus3": "eastus",
}


@resource_rule(
    "ML-AZ-ST-006",
    {ACCOUNT: ("allowCrossTenantReplication", "sku.name")},
    "A storage account's copies stay with the organisation and in allowed regions",
    why="A copy in another tenant or another jurisdiction is under somebody else's rules.",
    fix='Set allowCrossTenantReplication to false, and sku.name to "Standard_LRS" or "Standard_ZRS" where the paired '
    "region is not allowed.",
    severity="high",
    sources=("prowler storage_cross_tenant_replication_disabled",),
    evidences=("Law 25 s.17", "PIPEDA 4.1.3", "PIPEDA 4.7"),
)
def storage_copies_stay(account: Resource, settings: Settings) -> Findings:
    yield from is_false(account, "allowCrossTenantReplication", absent_passes=True)
    sku, allowed = account.at("sku.name"), settings[ALLOWED_REGIONS]
    if not allowed:
        return
    if sku.unknown:
        yield Undecided(sku.path)
    elif _GEO.search(sku.text):
        location = account.at("location")
        if location.absent:
            location = account.provider.at("location")
        if not location.known:
            yield Undecided("location")
            return
        pair = _PAIR_OF.get(region(location.text), "another region")
        if pair not in allowed:
            words = ", ".join(allowed)
            message = f'{sku.path} is "{sku.text}", which copies to {pair}; the allowed regions are {words}'
            yield Violation(sku.path, message)
