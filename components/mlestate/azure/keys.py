"""Keys: the customer-managed keys of one slice, one a concern, and the identities that may use them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

import pulumi_azure_native.authorization as authorization
import pulumi_azure_native.keyvault as keyvault
import pulumi_azure_native.managedidentity as managedidentity
import pulumi_azure_native.resources as resources
from pulumi import Input, Output, ResourceOptions

from mlestate import contract
from mlestate.config.estate import ExistingKeys
from mlestate.errors import InputError
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["GivenKeys", "Keys", "encryption_identity", "key_name_and_vault", "keys"]

Encryption = Literal["provider-managed", "customer-managed"] | ExistingKeys

USED = ("data", "models")
"""The concerns that get a key. An Azure ML registry cannot be given one (its API has no field for it)."""

CRYPTO_SERVICE_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Azure built-in roles, "Key Vault Crypto Service Encryption User": wrap and unwrap with a key, read it, no more."""

KEY_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/([^/]+)/keys/([^/]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class GivenKeys:
    """No keys at all: Azure manages them. A key of the user's own still needs the identities that `Keys` makes."""

    ids: Mapping[str, Output[str]]


class Keys(Part):
    """A key a concern and the one identity that may use it, in a resource group of their own.

    A group of their own, so that what is granted on keys is granted on nothing else. Nobody but the identities is
    granted anything: permissions come from roles alone, the vault's firewall lets only Azure's own services in, and
    keys turn every 90 days. Where the file names a key (``given``), it takes the place of the vault and all keys, and
    is changed in nothing: it gets role assignments. Its vault must have soft delete and purge protection, which storage
    accounts require (Azure Storage, "Customer-managed keys").

    A vault is never quite deleted: its name stays taken for the 90 days of soft delete, which purge protection makes
    final. Bring it back with `az keyvault recover` and `pulumi import`, or rename the environment. Azure Resource
    Manager makes keys but neither changes nor deletes one, so the keys go with their vault (`deleted_with`).
    """

    ids: Mapping[str, Output[str]]
    """By concern: the resource id of the key, known once its identity may use it."""

    def __init__(
        self, names: Names, concerns: Sequence[str], given: str | None, protect: bool, opts: ResourceOptions
    ) -> None:
        super().__init__(names, opts)
        group = resources.ResourceGroup(
            self.named("group"),
            resource_group_name=names.physical("resource-group", "keys"),
            location=names.region,
            tags=names.tags,
            opts=self.child(protect=protect),
        )
        users = {concern: self._identity(group, concern) for concern in concerns}
        made: Mapping[str, Input[str]] = dict.fromkeys(concerns, given) if given else self._made(group, users, protect)
        self.publish(ids={concern: self._usable(concern, made[concern], users[concern]) for concern in concerns})

    def _identity(self, group: resources.ResourceGroup, concern: str) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            self.named(f"{concern}-encryption"),
            resource_group_name=group.name,
            resource_name_=self.names.physical("identity", f"{concern}-encryption"),
            location=self.names.region,
            tags=self.names.tags,
            opts=self.child(),
        )

    def _made(
        self,
        group: resources.ResourceGroup,
        identities: Mapping[str, managedidentity.UserAssignedIdentity],
        protect: bool,
    ) -> dict[str, Input[str]]:
        vault = keyvault.Vault(
            self.named("vault"),
            resource_group_name=group.name,
            vault_name=self.names.physical("key-vault", "keys"),
            location=self.names.region,
            properties={
                # The tenant is read off an identity: the subscription's own, without a look-up.
                "tenant_id": next(iter(identities.values())).tenant_id,
                "sku": {"family": "A", "name": keyvault.SkuName.STANDARD},
                "enable_rbac_authorization": True,
                "enable_soft_delete": True,
                "soft_delete_retention_in_days": 90,
                "enable_purge_protection": True,
                "public_network_access": "Enabled",
                "network_acls": {"default_action": "Deny", "bypass": "AzureServices"},
            },
            tags=self.names.tags,
            opts=self.child(protect=protect),
        )
        return {
            concern: keyvault.Key(
                self.named(concern),
                resource_group_name=group.name,
                vault_name=vault.name,
                key_name=concern,
                properties={
                    "kty": "RSA",
                    "key_size": 3072,
                    "key_ops": ["wrapKey", "unwrapKey"],
                    "rotation_policy": {
                        "lifetime_actions": [
                            {
                                "trigger": {"time_after_create": "P90D"},
                                "action": {"type": keyvault.KeyRotationPolicyActionType.ROTATE},
                            }
                        ]
                    },
                },
                tags=self.names.tags,
                opts=self.child(protect=protect, deleted_with=vault),
            ).id
            for concern in identities
        }

    def _usable(self, concern: str, key: Input[str], identity: managedidentity.UserAssignedIdentity) -> Output[str]:
        role = (
            f"/subscriptions/{self.names.home}/providers/Microsoft.Authorization/roleDefinitions/"
            f"{CRYPTO_SERVICE_ENCRYPTION_USER}"
        )
        assignment = authorization.RoleAssignment(
            self.named(f"{concern}-use"),
            scope=key,
            # Azure refuses to change an assignment's principal, so an identity made anew needs a name made anew.
            role_assignment_name=Output.all(key, identity.principal_id).apply(
                lambda pair: str(uuid5(NAMESPACE_URL, "|".join([*pair, CRYPTO_SERVICE_ENCRYPTION_USER])))
            ),
            principal_id=identity.principal_id,
            principal_type="ServicePrincipal",
            role_definition_id=role,
            opts=self.child(),
        )
        return Output.all(key, assignment.id).apply(lambda known: str(known[0]))


def keys(
    encryption: Encryption, names: Names, concerns: Sequence[str], protect: bool, opts: ResourceOptions
) -> contract.Keys:
    """The keys that the file asks for: made, given, or none.

    Raises:
        InputError: a key that is given is not written as its resource id.
    """
    used = [concern for concern in concerns if concern in USED]
    if encryption == "provider-managed" or not used:
        return GivenKeys({})
    given = _resource_id(encryption.existing.data) if isinstance(encryption, ExistingKeys) else None
    return Keys(names, used, given, protect, opts)


def encryption_identity(names: Names, concern: str) -> str:
    """The resource id of the identity that may use a concern's key: a fixed name, so that any part can name it."""
    identity = names.physical("identity", f"{concern}-encryption")
    return names.arm_id("keys", f"Microsoft.ManagedIdentity/userAssignedIdentities/{identity}")


def key_name_and_vault(key: str) -> tuple[str, str]:
    """A key's name and its vault's address in Azure's public cloud, from the key's resource id."""
    vault, name = KEY_ID.fullmatch(key).groups()  # type: ignore[union-attr]  # ours, or checked by _resource_id
    return name, f"https://{vault}.vault.azure.net"


def _resource_id(key: str) -> str:
    if KEY_ID.fullmatch(key) is None:
        raise InputError(
            f"encryption.existing.data is {key!r}; Azure grants the use of a key on its resource id, which looks like "
            "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.KeyVault/vaults/<vault>/keys/<key>. "
            "Its vault's part is printed by: az keyvault show --name <vault> --query id"
        )
    return key
