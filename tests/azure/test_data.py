"""Azure: where data rests, how long, and what keeps it."""

import pytest

from mlestate.blueprint.inventory import Row
from tests.conftest import Record

ESTATE = """
version: 1
name: risk
cloud: azure
region: canadaeast
subscription: 11111111-1111-1111-1111-111111111111
environments:
  staging: {}
  production: {protect: true}
data:
  datasets:
    transactions: {path: lake/transactions/, retention: 2y}
    customers: {path: lake/customers/}
"""


def _named(rows: list[Row], role: str) -> Row:
    (row,) = [row for row in rows if row.name == f"risk-production-data-{role}"]
    return row


@pytest.mark.parametrize("role", ["lake", "artifacts"])
def test_an_account_opens_to_identities_alone(record: Record, role: str) -> None:
    inputs = _named(record(ESTATE), role).inputs
    assert inputs["allowSharedKeyAccess"] is False, "a shared key is a password for everything, kept by nobody"
    assert inputs["allowBlobPublicAccess"] is False
    assert inputs["isLocalUserEnabled"] is False
    assert inputs["minimumTlsVersion"] == "TLS1_2"
    assert inputs["enableHttpsTrafficOnly"] is True
    assert inputs["allowCrossTenantReplication"] is False
    assert inputs["encryption"]["requireInfrastructureEncryption"] is True, "it cannot be added later"
    assert inputs["sku"] == {"name": "Standard_LRS"}, "canadaeast has no zones, and copies elsewhere leave Quebec"
    assert inputs["tags"] == {"estate": "risk", "environment": "production", "managed-by": "pulumi"}


def test_the_lake_has_folders_and_the_artifacts_have_versions(record: Record) -> None:
    rows = record(ESTATE)
    assert _named(rows, "lake").inputs["isHnsEnabled"] is True
    assert _named(rows, "artifacts").inputs["isHnsEnabled"] is False, "a workspace refuses such an account as its own"
    assert "isVersioningEnabled" not in _named(rows, "lake-recovery").inputs, "Azure refuses versions where folders are"
    assert _named(rows, "artifacts-recovery").inputs["isVersioningEnabled"] is True


@pytest.mark.parametrize("role", ["lake", "artifacts"])
def test_what_is_deleted_comes_back_for_thirty_days(record: Record, role: str) -> None:
    inputs = _named(record(ESTATE), f"{role}-recovery").inputs
    assert inputs["deleteRetentionPolicy"] == {"enabled": True, "days": 30}
    assert inputs["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 30}


def test_no_container_is_public(record: Record) -> None:
    containers = [row.inputs for row in record(ESTATE, "production") if row.type.endswith(":BlobContainer")]
    assert sorted(each["containerName"] for each in containers) == ["artifacts", "capture", "curated", "raw"]
    assert {each["publicAccess"] for each in containers} == {"None"}


def test_a_datasets_files_go_when_its_retention_ends(record: Record) -> None:
    (rule,) = _named(record(ESTATE), "lake-expiry").inputs["policy"]["rules"]
    assert rule["definition"] == {
        "filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["raw/lake/transactions/"]},
        "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 731}}},
    }, "a prefix begins with the container; customers has no retention and no rule"


def test_a_lake_without_retention_has_no_policy(record: Record) -> None:
    """Azure refuses a management policy without rules."""
    rows = record(ESTATE.replace(", retention: 2y", ""))
    assert not [row for row in rows if row.name.endswith("lake-expiry")]


def test_captured_requests_go_after_ninety_days_in_every_version(record: Record) -> None:
    rules = {each["name"]: each for each in _named(record(ESTATE), "artifacts-expiry").inputs["policy"]["rules"]}
    actions = rules["capture"]["definition"]["actions"]
    assert rules["capture"]["definition"]["filters"]["prefixMatch"] == ["capture/"]
    assert actions["baseBlob"] == {"delete": {"daysAfterModificationGreaterThan": 90}}
    assert actions["version"] == {"delete": {"daysAfterCreationGreaterThan": 90}}, "an old version is personal data too"


def test_programs_are_told_where_data_is_by_address(record: Record) -> None:
    rows = record(ESTATE)
    (data,) = [row for row in rows if row.type == "mlestate:azure:Data" and "production" in row.name]
    lake, artifacts = (_named(rows, role).inputs["accountName"] for role in ("lake", "artifacts"))
    assert data.outputs["stores"] == {
        "raw": f"abfss://raw@{lake}.dfs.core.windows.net",
        "curated": f"abfss://curated@{lake}.dfs.core.windows.net",
        "artifacts": f"https://{artifacts}.blob.core.windows.net/artifacts",
        "capture": f"https://{artifacts}.blob.core.windows.net/capture",
    }
    assert data.outputs["datasets"]["customers"] == f"abfss://raw@{lake}.dfs.core.windows.net/lake/customers/"


def test_a_protected_environment_keeps_its_data(record: Record) -> None:
    rows = record(ESTATE)
    for role in ("group", "lake", "artifacts", "raw-container", "capture-container"):
        assert _named(rows, role).options.get("protect"), "Azure deletes a full account, or its group, without asking"
    assert not [row for row in rows if row.name.startswith("risk-staging-") and row.options.get("protect")]
