"""Workspaces of Azure ML: `azure-native:machinelearningservices:Workspace`.

A project (a workspace with a `hubResourceId`) takes its network, key and stores from its hub, where they are judged.
"""

from typing import Final

from mlestate_policies.azure.kinds import WORKSPACE
from mlestate_policies.checks import equals, holds, is_false, is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit

HIGH_IMPACT: Final = limit(
    "highImpactClasses",
    ("restricted", "highly-confidential"),
    "The data classes (tag `data-class`) whose Azure ML workspaces are marked as of high business impact, "
    "and send Microsoft less for diagnosis",
)


@resource_rule(
    "ML-AZ-AML-001",
    {WORKSPACE: ("publicNetworkAccess", "allowPublicAccessWhenBehindVnet")},
    "A workspace is not reached from the internet",
    why="Who takes a token away from a public workspace works with its data and models from anywhere.",
    fix='Set publicNetworkAccess to "Disabled" and give the workspace a private endpoint; '
    "leave allowPublicAccessWhenBehindVnet out.",
    severity="high",
    hardening=True,
    sources=("Azure 438c38d2", "Azure a10ee784", "CKV_AZURE_144", "CKV2_AZURE_49", "AZR-000406"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def workspace_is_not_public(workspace: Resource, settings: Settings) -> Findings:
    yield from equals(workspace, "publicNetworkAccess", "Disabled")
    yield from is_false(workspace, "allowPublicAccessWhenBehindVnet", absent_passes=True)


@resource_rule(
    "ML-AZ-AML-002",
    {WORKSPACE: ("managedNetwork.isolationMode",)},
    "A workspace's traffic goes only where it was approved",
    why="Code that a job runs can send the data it reads to any host that the network lets through.",
    fix='Set managedNetwork.isolationMode to "AllowOnlyApprovedOutbound", '
    "or name a subnet of your own in serverlessComputeSettings.serverlessComputeCustomSubnet.",
    severity="high",
    hardening=True,
    sources=("Azure 6ddb1705",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def workspace_sends_only_where_approved(workspace: Resource, settings: Settings) -> Findings:
    mode = workspace.at("managedNetwork.isolationMode")
    own = not workspace.at("serverlessComputeSettings.serverlessComputeCustomSubnet").absent
    if _is_project(workspace) or (own and (mode.absent or mode.text.lower() == "disabled")):
        return  # a network of one's own and a managed one exclude each other
    yield from equals(workspace, "managedNetwork.isolationMode", "AllowOnlyApprovedOutbound")


@resource_rule(
    "ML-AZ-AML-003",
    {
        WORKSPACE: (
            "encryption.status",
            "encryption.keyVaultProperties.keyIdentifier",
            "encryption.identity.userAssignedIdentity",
        )
    },
    "A workspace is encrypted with a key of the estate",
    why="Only with a key of one's own can access to what was learned be taken away and be seen in a log.",
    fix='Set encryption.status to "Enabled", encryption.keyVaultProperties.keyIdentifier to a key and '
    "encryption.identity.userAssignedIdentity to the identity that may use it.",
    severity="high",
    hardening=True,
    sources=("Azure ba769a63", "Azure 7f40cee6"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def workspace_has_a_key_of_the_estate(workspace: Resource, settings: Settings) -> Findings:
    if _is_project(workspace):
        return
    yield from equals(workspace, "encryption.status", "Enabled")
    yield from is_set(workspace, "encryption.keyVaultProperties.keyIdentifier", "name a key of the estate")
    yield from is_set(workspace, "encryption.identity.userAssignedIdentity", "name the identity that uses the key")


@resource_rule(
    "ML-AZ-AML-004",
    {WORKSPACE: ("identity.type", "identity.userAssignedIdentities[]", "primaryUserAssignedIdentity")},
    "A workspace acts as an identity that is given to it",
    why="A system's own identity gets rights that nobody wrote down, and goes with the workspace.",
    fix='Set identity.type to "UserAssigned", list the identity in identity.userAssignedIdentities and name it in '
    "primaryUserAssignedIdentity.",
    severity="medium",
    sources=("Azure 5f0c7d88", "AZR-000407"),
    evidences=("ISO 42001 A.3.2", "NIST AI RMF GOVERN 2.1"),
)
def workspace_has_an_identity_of_its_own(workspace: Resource, settings: Settings) -> Findings:
    yield from holds(
        workspace, "identity.type", lambda kind: "userassigned" in kind.text.lower(), 'it has to be "UserAssigned"'
    )
    yield from is_set(workspace, "identity.userAssignedIdentities[]", "list the identity that the workspace acts as")
    yield from is_set(workspace, "primaryUserAssignedIdentity", "without one the workspace acts as its system identity")


@resource_rule(
    "ML-AZ-AML-005",
    {WORKSPACE: ("v1LegacyMode",)},
    "A workspace does not run in the mode of the first API",
    why="In that mode endpoints, registries and the log of calls to Azure Resource Manager are not to be had.",
    fix="Leave v1LegacyMode out or set it to false.",
    severity="low",
    level="advisory",
    remedy={"v1LegacyMode": False},
)
def workspace_is_not_in_legacy_mode(workspace: Resource, settings: Settings) -> Findings:
    return is_false(workspace, "v1LegacyMode", absent_passes=True)


@resource_rule(
    "ML-AZ-AML-006",
    {WORKSPACE: ("hbiWorkspace", "tags")},
    "A workspace for restricted data is marked as of high business impact",
    why="Without the mark Azure ML collects more about a workspace for diagnosis than restricted data allows.",
    fix="Set hbiWorkspace to true; it can be set only when the workspace is made.",
    severity="medium",
    sources=("CKV2_AZURE_50",),
    evidences=("PIPEDA 4.7",),
)
def restricted_workspace_is_of_high_impact(workspace: Resource, settings: Settings) -> Findings:
    if _is_project(workspace):
        return
    data_class = workspace.tag("data-class")
    restricted = data_class.text.lower() in settings[HIGH_IMPACT]
    if workspace.at("hbiWorkspace").true or not (restricted or data_class.unknown):
        return
    if data_class.unknown:
        yield Undecided(data_class.path)
    else:
        yield from is_true(workspace, "hbiWorkspace")


@resource_rule(
    "ML-AZ-AML-007",
    {WORKSPACE: ("systemDatastoresAuthMode",)},
    "A workspace opens its own stores with an identity",
    why="A key of an account opens all that is in it, for whoever holds the key, and no log names a person.",
    fix='Set systemDatastoresAuthMode to "Identity".',
    severity="high",
    evidences=("EU AI Act 15", "ISO 42001 A.6.2.8", "PIPEDA 4.7"),
)
def workspace_opens_stores_with_an_identity(workspace: Resource, settings: Settings) -> Findings:
    if _is_project(workspace):
        return ()
    return equals(workspace, "systemDatastoresAuthMode", "Identity", "UserDelegationSAS")


@resource_rule(
    "ML-AZ-AML-008",
    {WORKSPACE: ("serverlessComputeSettings.serverlessComputeNoPublicIP",)},
    "Serverless compute has no public address",
    why="A node with an address of its own on the internet is reached, and sends, past the estate's network.",
    fix="Set serverlessComputeSettings.serverlessComputeNoPublicIP to true.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def serverless_compute_has_no_public_address(workspace: Resource, settings: Settings) -> Findings:
    if _is_project(workspace):
        return ()
    return is_true(workspace, "serverlessComputeSettings.serverlessComputeNoPublicIP")


_PARTS: Final = {
    "storageAccount": "its artifacts rest in",
    "keyVault": "its secrets rest in",
    "containerRegistry": "its images rest in",
    "applicationInsights": "its endpoints report to",
}


@resource_rule(
    "ML-AZ-AML-009",
    {WORKSPACE: tuple(_PARTS)},
    "A workspace names the resources it works with",
    why="What Azure makes by itself for a workspace has none of the estate's settings.",
    fix="Set storageAccount, keyVault, containerRegistry and applicationInsights to resources of the estate.",
    severity="low",
    evidences=("ISO 42001 A.4.2",),
)
def workspace_names_its_parts(workspace: Resource, settings: Settings) -> Findings:
    if _is_project(workspace):
        return
    for part, purpose in _PARTS.items():
        if workspace.at(part).absent:
            yield Violation(part, f"{part} is not set; it has to name what {purpose}")


def _is_project(workspace: Resource) -> bool:
    return not workspace.at("hubResourceId").absent
