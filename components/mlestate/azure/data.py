"""Data: where data sets, artifacts and captured requests rest."""

from collections.abc import Mapping
from typing import Any

import pulumi_azure_native.resources as resources
import pulumi_azure_native.storage as storage
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.azure.keys import encryption_identity, key_name_and_vault
from mlestate.config.data import Dataset
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Data"]


class Data(Part):
    """Two storage accounts, since Azure cannot give one both folders and versions.

    The **lake** (`raw`, `curated`) has a hierarchical namespace: real folders, renames in one step and permissions a
    folder, for Spark and for `abfss://`. Such an account keeps no versions of its blobs (Blob versioning, "Known
    issues"), so what is overwritten there is gone: a data set's version is a new path, and what is deleted comes back
    for 30 days. The account for **artifacts** (`artifacts`, `capture`) has none, keeps a replaced version until a year
    after it was written (Azure counts from there, not from when it was replaced), and is what an Azure ML workspace can
    take as its own, which the lake is not. Captured requests go after 90 days, a data set's files after its own
    `retention`; soft delete holds on to either for 30 days more.

    Nothing opens with a shared key or a signature made from one: only Entra ID identities get in, over TLS 1.2, and no
    container can be made public. Three copies in one region: Quebec's region has no zones, and copies elsewhere would
    leave the jurisdiction that `residency` promises. Azure deletes a full account without asking: `protect` refuses it.

    One resource group for the part: what is granted, locked or billed on a group concerns this and nothing else.
    """

    stores: Mapping[str, Output[str]]
    """By store: ``abfss://<store>@<account>.dfs.core.windows.net`` or ``https://<account>.blob.core.windows.net/<store>``."""
    datasets: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        keys: contract.Keys,
        datasets: Mapping[str, Dataset],
        *,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        safe = self.child(protect=protect)
        self._group = resources.ResourceGroup(
            self.named("group"),
            resource_group_name=names.physical("resource-group", "data"),
            location=names.region,
            tags=names.tags,
            opts=safe,
        )
        lake = self._account("lake", "data", keys.ids.get("data"), folders=True, opts=safe)
        artifacts = self._account("artifacts", "models", keys.ids.get("models"), folders=False, opts=safe)
        self._recovery("lake", lake)
        self._recovery(
            "artifacts", artifacts, is_versioning_enabled=True, change_feed={"enabled": True, "retention_in_days": 90}
        )
        stores = {
            **{role: _abfss(lake, self._container(role, lake, safe)) for role in ("raw", "curated")},
            **{role: _https(artifacts, self._container(role, artifacts, safe)) for role in ("artifacts", "capture")},
        }
        self._expiry(
            "lake",
            lake,
            [
                _rule(name, ["blockBlob"], f"raw/{each.path}", base_blob=_modified(each.retention.days))
                for name, each in datasets.items()
                if each.retention
            ],
        )
        self._expiry(
            "artifacts",
            artifacts,
            [
                _rule("replaced", ["blockBlob"], version=_created(365)),
                _rule(
                    "capture", ["blockBlob", "appendBlob"], "capture/", base_blob=_modified(90), version=_created(90)
                ),
            ],
        )
        self.publish(
            stores=stores,
            datasets={name: Output.concat(stores["raw"], "/", each.path) for name, each in datasets.items()},
        )

    def _account(
        self, role: str, concern: str, key: Output[str] | None, *, folders: bool, opts: ResourceOptions
    ) -> storage.StorageAccount:
        identity = encryption_identity(self.names, concern)
        return storage.StorageAccount(
            self.named(role),
            resource_group_name=self._group.name,
            account_name=self.names.physical("storage-account", role),
            location=self.names.region,
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=storage.SkuName.STANDARD_LRS),
            is_hns_enabled=folders,
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            allowed_copy_scope=storage.AllowedCopyScope.AAD,
            is_local_user_enabled=False,
            is_sftp_enabled=False,
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            public_network_access=storage.PublicNetworkAccess.ENABLED,
            network_rule_set=storage.NetworkRuleSetArgs(
                default_action=storage.DefaultAction.ALLOW, bypass=storage.Bypass.AZURE_SERVICES
            ),
            # A second layer under either kind of key; it cannot be added later.
            encryption=storage.EncryptionArgs(require_infrastructure_encryption=True, **_own_key(key, identity)),
            identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[identity]) if key else None,
            tags=self.names.tags,
            opts=opts,
        )

    def _recovery(self, role: str, account: storage.StorageAccount, **versions: Any) -> None:
        storage.BlobServiceProperties(
            self.named(f"{role}-recovery"),
            resource_group_name=self._group.name,
            account_name=account.name,
            blob_services_name="default",
            delete_retention_policy={"enabled": True, "days": 30},
            container_delete_retention_policy={"enabled": True, "days": 30},
            opts=self.child(),
            **versions,
        )

    def _container(self, role: str, account: storage.StorageAccount, opts: ResourceOptions) -> storage.BlobContainer:
        return storage.BlobContainer(
            self.named(f"{role}-container"),
            resource_group_name=self._group.name,
            account_name=account.name,
            container_name=role,
            public_access=storage.PublicAccess.NONE,
            opts=opts,
        )

    def _expiry(self, role: str, account: storage.StorageAccount, rules: list[Any]) -> None:
        if rules:
            storage.ManagementPolicy(
                self.named(f"{role}-expiry"),
                resource_group_name=self._group.name,
                account_name=account.name,
                management_policy_name="default",
                policy={"rules": rules},
                opts=self.child(),
            )


def _own_key(key: Output[str] | None, identity: str) -> dict[str, Any]:
    if key is None:
        return {"key_source": storage.KeySource.MICROSOFT_STORAGE}
    return {
        "key_source": storage.KeySource.MICROSOFT_KEYVAULT,
        # Without a version: the account takes each new one up by itself within a day.
        "key_vault_properties": storage.KeyVaultPropertiesArgs(
            key_name=key.apply(lambda known: key_name_and_vault(known)[0]),
            key_vault_uri=key.apply(lambda known: key_name_and_vault(known)[1]),
        ),
        "encryption_identity": storage.EncryptionIdentityArgs(encryption_user_assigned_identity=identity),
    }


def _rule(name: str, blob_types: list[str], prefix: str | None = None, **actions: Any) -> Any:
    filters = {"blob_types": blob_types, **({"prefix_match": [prefix]} if prefix else {})}
    return {
        "name": name,
        "enabled": True,
        "type": storage.RuleType.LIFECYCLE,
        "definition": {"actions": actions, "filters": filters},
    }


def _modified(days: int) -> Any:
    return {"delete": {"days_after_modification_greater_than": days}}


def _created(days: int) -> Any:
    return {"delete": {"days_after_creation_greater_than": days}}


def _abfss(account: storage.StorageAccount, container: storage.BlobContainer) -> Output[str]:
    return Output.concat("abfss://", container.name, "@", account.name, ".dfs.core.windows.net")


def _https(account: storage.StorageAccount, container: storage.BlobContainer) -> Output[str]:
    return Output.concat("https://", account.name, ".blob.core.windows.net/", container.name)
