"""Who may do what on Google Cloud and Azure: the grants of a stack, each as permissions (with `*`) of its holders."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mlestate_policies.any.principals import leads, linked
from mlestate_policies.aws.documents import covered, overlap
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.settings import Settings

__all__ = ["AZURE_GRANTS", "GCP_GRANTS", "KEY_GRANTS", "Grant", "azure_grants", "by_holder", "gcp_grants"]

ACCOUNT: Final = "gcp:serviceaccount/account:Account"
CUSTOM_ROLE: Final = "gcp:projects/iAMCustomRole:IAMCustomRole"
FOLDER: Final = "gcp:organizations/folder:Folder"
PROJECT: Final = "gcp:organizations/project:Project"
AI_ENDPOINT: Final = "gcp:vertex/aiEndpoint:AiEndpoint"
CRYPTO_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
KEY_RING: Final = "gcp:kms/keyRing:KeyRing"
_GCP: Final = {
    "gcp:projects/iAMMember:IAMMember": ("member", "project", PROJECT, ""),
    "gcp:projects/iAMBinding:IAMBinding": ("members[]", "project", PROJECT, ""),
    "gcp:folder/iAMMember:IAMMember": ("member", "folder", FOLDER, ""),
    "gcp:folder/iAMBinding:IAMBinding": ("members[]", "folder", FOLDER, ""),
    "gcp:organizations/iAMMember:IAMMember": ("member", "orgId", "", ""),
    "gcp:organizations/iAMBinding:IAMBinding": ("members[]", "orgId", "", ""),
    "gcp:serviceaccount/iAMMember:IAMMember": ("member", "serviceAccountId", ACCOUNT, "iam.serviceaccount"),
    "gcp:serviceaccount/iAMBinding:IAMBinding": ("members[]", "serviceAccountId", ACCOUNT, "iam.serviceaccount"),
    "gcp:vertex/aiEndpointIamMember:AiEndpointIamMember": ("member", "endpoint", AI_ENDPOINT, "aiplatform.endpoints"),
    "gcp:vertex/aiEndpointIamBinding:AiEndpointIamBinding": (
        "members[]",
        "endpoint",
        AI_ENDPOINT,
        "aiplatform.endpoints",
    ),
}
"""Where a grant names its holders and what it is over, and with what the permissions begin that it can give there."""
_GCP_KEYS: Final = {
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": ("member", "cryptoKeyId", CRYPTO_KEY, "cloudkms"),
    "gcp:kms/keyRingIAMMember:KeyRingIAMMember": ("member", "keyRingId", KEY_RING, "cloudkms"),
}
KEY_GRANTS: Final[Mapping[str, tuple[str, ...]]] = {
    token: ("role", where[0], where[1]) for token, where in _GCP_KEYS.items()
}
GCP_GRANTS: Final[Mapping[str, tuple[str, ...]]] = {
    **{token: ("role", where[0], where[1]) for token, where in _GCP.items()},
    CUSTOM_ROLE: ("permissions[]",),
}
_GCP_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "roles/owner": ("*",),
    "roles/editor": ("aiplatform.*", "iam.serviceAccounts.actAs", "logging.logs.delete"),
    "roles/aiplatform.admin": ("aiplatform.*",),
    "roles/aiplatform.user": ("aiplatform.*",),
    "roles/clouddeploy.admin": ("clouddeploy.*",),
    "roles/clouddeploy.approver": ("clouddeploy.rollouts.approve",),
    "roles/cloudbuild.builds.approver": ("cloudbuild.builds.approve",),
    "roles/iam.serviceAccountUser": ("iam.serviceAccounts.actAs",),
    "roles/iam.serviceAccountTokenCreator": ("iam.serviceAccounts.getAccessToken",),
    "roles/iam.workloadIdentityUser": ("iam.serviceAccounts.getAccessToken",),
    "roles/iam.serviceAccountKeyAdmin": ("iam.serviceAccountKeys.create",),
    "roles/iam.serviceAccountAdmin": ("iam.serviceAccounts.setIamPolicy",),
    "roles/logging.admin": ("logging.*",),
    "roles/logging.configWriter": ("logging.buckets.*", "logging.sinks.*"),
    "roles/storage.admin": ("storage.*",),
    "roles/storage.objectAdmin": ("storage.objects.*",),
    "roles/storage.objectUser": ("storage.objects.*",),
    "roles/cloudkms.admin": ("cloudkms.cryptoKeys.*", "cloudkms.cryptoKeyVersions.destroy"),
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": ("cloudkms.cryptoKeyVersions.useTo*",),
    "roles/cloudkms.cryptoKeyEncrypter": ("cloudkms.cryptoKeyVersions.useToEncrypt",),
    "roles/cloudkms.cryptoKeyDecrypter": ("cloudkms.cryptoKeyVersions.useToDecrypt",),
}
"""Roles of Google's own, and what they give of what is asked here."""
_USE_OF_KEYS: Final = ("cloudkms.cryptoKeyVersions.useTo*",)
"""What an owner administers and does not thereby use."""

ASSIGNMENT: Final = "azure-native:authorization:RoleAssignment"
DEFINITION: Final = "azure-native:authorization:RoleDefinition"
IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
AZURE_GRANTS: Final[Mapping[str, tuple[str, ...]]] = {
    ASSIGNMENT: ("principalId", "roleDefinitionId", "scope"),
    DEFINITION: ("permissions[].actions[]", "permissions[].notActions[]"),
}
_ML: Final = "Microsoft.MachineLearningServices"
_AZURE_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": ("*",),  # Owner
    "b24988ac-6180-42a0-ab88-20f7382dd24c": ("*",),  # Contributor, but see _AZURE_EXCEPT
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": (f"{_ML}/workspaces/*",),  # AzureML Data Scientist
    "1823dd4f-9b8c-4ab6-ab4e-7397a3684615": (f"{_ML}/registries/assets/*",),  # AzureML Registry User
    "f1a07417-d97a-45cb-824c-7a7467783830": (  # Managed Identity Operator
        "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ),
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": ("Microsoft.Storage/storageAccounts/*",),  # Storage Account Contributor
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": (  # Storage Blob Data Owner
        "Microsoft.Storage/storageAccounts/blobServices/containers/*",
    ),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": (  # Storage Blob Data Contributor
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*",
    ),
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": ("Microsoft.KeyVault/vaults/*",),  # Key Vault Administrator
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": (  # Key Vault Crypto Officer
        "Microsoft.KeyVault/vaults/keys/*",
        "Microsoft.KeyVault/vaults/keyrotationpolicies/*",
    ),
    "12338af0-0e69-4776-bea7-57ae8d297424": (  # Key Vault Crypto User
        *(f"Microsoft.KeyVault/vaults/keys/{each}/action" for each in ("encrypt", "decrypt", "wrap", "unwrap")),
    ),
    "e147488a-f6f5-4113-8e2d-b22465e65bf6": (  # Key Vault Crypto Service Encryption User
        *(f"Microsoft.KeyVault/vaults/keys/{each}/action" for each in ("wrap", "unwrap")),
    ),
}
"""Roles of Azure's own by the GUID that every tenant has them under."""
_DATA: Final = ("Microsoft.KeyVault/vaults/keys/*/action", "Microsoft.Storage/*/blobs/*")
_AZURE_EXCEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": _DATA,
    "b24988ac-6180-42a0-ab88-20f7382dd24c": ("Microsoft.Authorization/*/write", *_DATA),
}
"""What they leave out: who manages a vault or an account does not thereby use what is in it."""
_WITHIN: Final[Mapping[str, str]] = {
    "azure-native:machinelearningservices:Workspace": f"{_ML}/workspaces",
    "azure-native:machinelearningservices:Registry": f"{_ML}/registries",
    "azure-native:machinelearningservices:OnlineEndpoint": f"{_ML}/workspaces/onlineEndpoints",
    IDENTITY: "Microsoft.ManagedIdentity/",
    "azure-native:storage:StorageAccount": "Microsoft.Storage/",
    "azure-native:storage:BlobContainer": "Microsoft.Storage/",
    "azure-native:keyvault:Vault": "Microsoft.KeyVault/",
    "azure-native:keyvault:Key": "Microsoft.KeyVault/",
    "azure-native:containerregistry:Registry": "Microsoft.ContainerRegistry/",
    "azure-native:resources:ResourceGroup": "",
}
"""What an assignment over a resource can give begins so."""


@dataclass(frozen=True)
class Grant:
    """What a grant gives, and to whom."""

    resource: Resource
    path: str
    """Where it names the role."""
    holders: tuple[str, ...]
    """The URNs of identities of this stack, and the names of others."""
    powers: tuple[str, ...]
    excepted: tuple[str, ...]
    within: tuple[str, ...]
    targets: tuple[Resource, ...]
    """What of this stack it is over; empty for a whole project, subscription or something of another stack."""
    unknown: tuple[str, ...]
    """The paths that are not known."""

    def may(self, permission: str) -> bool:
        """Whether it gives a permission."""
        wanted = permission.lower()
        return (
            any(wanted.startswith(each.lower()) for each in self.within)
            and any(overlap(each.lower(), wanted) for each in self.powers)
            and not any(covered(each.lower(), wanted) for each in self.excepted)
        )

    def in_production(self, settings: Settings) -> bool:
        """Whether nothing that it is over is of another environment."""
        return all(map(settings.production, (self.resource, *self.targets)))


def by_holder(grants: Iterable[Grant]) -> dict[str, list[Grant]]:
    """Grants by who holds them."""
    found: dict[str, list[Grant]] = {}
    for grant in grants:
        for holder in grant.holders:
            found.setdefault(holder, []).append(grant)
    return found


def gcp_grants(estate: Estate, *, keys: bool = False) -> Iterator[Grant]:
    """The grants of a stack on Google Cloud; with `keys` those over keys too."""
    for token, (members, over, kind, prefix) in (_GCP | (_GCP_KEYS if keys else {})).items():
        for each in estate.of(token):
            holders, unheld = _holders(estate, each, members, ACCOUNT)
            custom, unread = leads(estate, each, "role", CUSTOM_ROLE)
            permissions = [node for role in custom for node in role.each("permissions[]")]
            unread = unread and not custom
            yield Grant(
                each,
                "role",
                holders,
                (*_GCP_ROLES.get(each.at("role").text, ()), *(node.text for node in permissions if node.text)),
                _USE_OF_KEYS if each.at("role").text == "roles/owner" else (),
                (prefix,),
                linked(estate, each, over, kind),
                (
                    *(["role"] if unread or any(node.unknown for node in permissions) else []),
                    *([members] if unheld else []),
                ),
            )


def azure_grants(estate: Estate) -> Iterator[Grant]:
    """The role assignments of a stack on Azure."""
    for each in estate.of(ASSIGNMENT):
        holders, unheld = _holders(estate, each, "principalId", IDENTITY)
        definitions, unread = leads(estate, each, "roleDefinitionId", DEFINITION)
        guid = each.at("roleDefinitionId").text.lower().rpartition("/")[2]
        within, targets = _scope(estate, each)
        own = [node for role in definitions for node in role.each("permissions[].actions[]")]
        excepted = [node for role in definitions for node in role.each("permissions[].notActions[]")]
        yield Grant(
            each,
            "roleDefinitionId",
            holders,
            (*_AZURE_ROLES.get(guid, ()), *(node.text for node in own if node.text)),
            (*_AZURE_EXCEPT.get(guid, ()), *(node.text for node in excepted if node.text)),
            within,
            targets,
            (
                *(
                    ["roleDefinitionId"]
                    if (unread and not definitions) or any(node.unknown for node in (*own, *excepted))
                    else []
                ),
                *(["principalId"] if unheld else []),
                *([] if within else ["scope"]),
            ),
        )


def _scope(estate: Estate, assignment: Resource) -> tuple[tuple[str, ...], tuple[Resource, ...]]:
    """With what the actions begin that an assignment can give where it is; nothing where that is not known."""
    targets = linked(estate, assignment, "scope", *_WITHIN)
    text = assignment.at("scope").text
    if not text:
        return tuple(_WITHIN[each.type] for each in targets), targets
    provider = text.lower().rpartition("/providers/")[2] if "/providers/" in text.lower() else ""
    parts = provider.split("/")
    kinds = "/".join([parts[0], *parts[1::2]])  # a name after every kind
    return ((kinds,) if provider else ("",)), targets


def _holders(estate: Estate, grant: Resource, path: str, kind: str) -> tuple[tuple[str, ...], bool]:
    """Who a grant names, and whether some are not known."""
    nodes = grant.each(path)
    by_name = {name: each.urn for each in estate.of(kind) for name in (*each.names, *_members(each))}
    holders = [by_name.get(node.text, node.text) for node in nodes if node.text]
    if not any(node.unknown for node in nodes):
        return tuple(dict.fromkeys(holders)), False
    urns = grant.property_dependencies.get(path.removesuffix("[]"), ())
    found = [urn for urn in urns if (other := estate.get(urn)) is not None and other.type == kind] or list(urns)
    return tuple(dict.fromkeys((*holders, *found))), not found


def _members(account: Resource) -> tuple[str, ...]:
    email = account.at("email").text
    return (f"serviceAccount:{email}",) if email else ()
