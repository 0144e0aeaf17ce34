"""Azure: who may use which key, and what becomes of a key."""

import pytest

from mlestate.azure.keys import key_name_and_vault
from mlestate.blueprint.inventory import Row
from tests.conftest import Record

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ESTATE = f"""
version: 1
name: risk
cloud: azure
region: canadaeast
subscription: {SUBSCRIPTION}
encryption: ENCRYPTION
environments:
  staging: {{}}
  production: {{protect: true}}
models:
  churn: {{problem: classification}}
"""
MADE = ESTATE.replace("ENCRYPTION", "customer-managed")
OWN = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/security/providers/Microsoft.KeyVault/vaults/safe/keys/everything"


def _of(rows: list[Row], kind: str) -> dict[str, Row]:
    return {row.name: row for row in rows if row.type.endswith(f":{kind}")}


def test_microsoft_managed_encryption_makes_no_key(record: Record) -> None:
    rows = record(ESTATE.replace("ENCRYPTION", "provider-managed"))
    assert not [row for row in rows if "keyvault" in row.type or "managedidentity" in row.type]
    sources = {row.inputs["encryption"]["keySource"] for row in _of(rows, "StorageAccount").values()}
    assert sources == {"Microsoft.Storage"}


def test_a_vault_can_neither_be_purged_nor_reached_by_anyone_but_azures_services(record: Record) -> None:
    vault = _of(record(MADE), "Vault")["risk-production-keys-vault"].inputs["properties"]
    assert vault["enablePurgeProtection"] is True, "storage accounts refuse a key that could be purged"
    assert vault["softDeleteRetentionInDays"] == 90
    assert vault["enableRbacAuthorization"] is True, "access policies would be a second list of who may do what"
    assert vault["networkAcls"] == {"defaultAction": "Deny", "bypass": "AzureServices"}


def test_an_account_is_encrypted_by_an_identity_that_may_use_one_key_and_nothing_else(record: Record) -> None:
    rows = record(MADE)
    keys, identities = _of(rows, "Key"), _of(rows, "UserAssignedIdentity")
    uses = _of(rows, "RoleAssignment")
    for role, concern in {"lake": "data", "artifacts": "models"}.items():
        account = _of(rows, "StorageAccount")[f"risk-staging-data-{role}"].inputs
        identity = identities[f"risk-staging-keys-{concern}-encryption"]
        identity_id = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{identity.inputs['resourceGroupName']}"
            f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity.inputs['resourceName']}"
        )
        key = keys[f"risk-staging-keys-{concern}"].inputs
        use = uses[f"risk-staging-keys-{concern}-use"].inputs
        assert account["encryption"]["keyVaultProperties"]["keyName"] == concern
        assert account["encryption"]["encryptionIdentity"]["encryptionUserAssignedIdentity"] == identity_id
        assert account["identity"]["userAssignedIdentities"] == [identity_id]
        assert use["scope"].endswith(f"/vaults/{key['vaultName']}/keys/{concern}"), (
            "a role on the vault would open the other concern's key too"
        )
        assert use["principalId"] == identity.outputs["principalId"]
        assert use["roleDefinitionId"].endswith("/e147488a-f6f5-4113-8e2d-b22465e65bf6"), "wrap and unwrap, no more"
        assert use["principalType"] == "ServicePrincipal", "Entra ID may not show a new identity yet"


def test_the_key_is_taken_without_a_version(record: Record) -> None:
    account = _of(record(MADE), "StorageAccount")["risk-production-data-lake"].inputs
    assert "keyVersion" not in account["encryption"]["keyVaultProperties"], "a pinned version would not turn"


def test_nothing_is_encrypted_before_its_identity_may_use_the_key(record: Record) -> None:
    account = _of(record(MADE), "StorageAccount")["risk-staging-data-lake"]
    waits_for = {urn.rpartition("::")[2] for urn in account.dependencies}
    assert "risk-staging-keys-data-use" in waits_for, "Azure Storage refuses a key that its identity cannot wrap with"


def test_an_assignment_keeps_its_name_from_one_run_to_the_next(record: Record) -> None:
    first, second = (
        {name: row.inputs["roleAssignmentName"] for name, row in _of(record(MADE), "RoleAssignment").items()}
        for _ in range(2)
    )
    assert first == second, "a random name collides with the assignment that is already there"
    assert len({*first.values()}) == len(first)


def test_a_key_goes_with_its_vault(record: Record) -> None:
    key = _of(record(MADE), "Key")["risk-staging-keys-data"]
    assert key.options["deletedWith"].endswith("::risk-staging-keys-vault"), "Azure Resource Manager cannot delete keys"


def test_keys_of_a_protected_environment_cannot_be_destroyed(record: Record) -> None:
    rows = record(MADE)
    for kind, name in {"Vault": "vault", "Key": "data", "ResourceGroup": "group"}.items():
        assert _of(rows, kind)[f"risk-production-keys-{name}"].options.get("protect")
        assert not _of(rows, kind)[f"risk-staging-keys-{name}"].options.get("protect")


def test_the_registry_is_given_no_key(record: Record) -> None:
    assert not [row for row in record(MADE) if row.name.startswith("risk-hub-keys")], (
        "an Azure ML registry takes none: a key would bill and encrypt nothing"
    )


def test_a_key_of_the_users_own_gets_a_grant_and_no_other_change(record: Record) -> None:
    rows = record(ESTATE.replace("ENCRYPTION", f"{{existing: {{data: {OWN}}}}}"))
    assert not [row for row in rows if "keyvault" in row.type]
    assert {row.inputs["scope"] for row in _of(rows, "RoleAssignment").values()} == {OWN}
    accounts = [row.inputs["encryption"]["keyVaultProperties"] for row in _of(rows, "StorageAccount").values()]
    assert all(each == {"keyName": "everything", "keyVaultUri": "https://safe.vault.azure.net"} for each in accounts)


def test_a_key_that_is_not_written_as_a_resource_id_is_refused(record: Record) -> None:
    address = "https://safe.vault.azure.net/keys/everything"
    with pytest.raises(Exception, match="resource id, which looks like") as refused:
        record(ESTATE.replace("ENCRYPTION", f'{{existing: {{data: "{address}"}}}}'))
    assert address in str(refused.value)


def test_a_keys_name_and_vault_are_read_off_its_id() -> None:
    assert key_name_and_vault(OWN) == ("everything", "https://safe.vault.azure.net")
