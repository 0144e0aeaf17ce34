"""Google Cloud: where data rests, how long, and what keeps it."""

import pytest

from mlestate.blueprint.inventory import Row
from tests.conftest import Record

ESTATE = """
version: 1
name: risk
cloud: gcp
region: northamerica-northeast1
project: risk-ml
owner: ml@risk.example
environments:
  staging: {}
  production: {protect: true}
data:
  datasets:
    transactions: {path: lake/transactions/, retention: 2y}
    customers: {path: lake/customers/}
"""


def _buckets(rows: list[Row], environment: str = "production") -> dict[str, Row]:
    begins = f"risk-{environment}-data-"
    return {row.name.removeprefix(begins): row for row in rows if ":Bucket" in row.type and row.name.startswith(begins)}


def _deletes(bucket: Row) -> list[dict[str, object]]:
    return [rule["condition"] for rule in bucket.inputs["lifecycleRules"] if rule["action"]["type"] == "Delete"]


@pytest.mark.parametrize("role", ["raw", "curated", "artifacts", "capture"])
def test_a_bucket_is_versioned_closed_and_never_emptied(record: Record, role: str) -> None:
    inputs = _buckets(record(ESTATE))[role].inputs
    assert inputs["versioning"] == {"enabled": True}
    assert inputs["publicAccessPrevention"] == "enforced", "one wrong grant must not publish the data"
    assert inputs["uniformBucketLevelAccess"] is True, "access lists on single objects escape every review"
    assert inputs["forceDestroy"] is False, "a bucket with data in it must stop a `destroy`"
    assert inputs["softDeletePolicy"] == {"retentionDurationSeconds": 604_800}
    assert inputs["location"] == "northamerica-northeast1", "a multi-region would leave the jurisdiction"
    assert inputs["labels"] == {
        "estate": "risk",
        "environment": "production",
        "managed-by": "pulumi",
        "owner": "ml-risk-example",
    }


def test_what_was_replaced_goes_after_ninety_days(record: Record) -> None:
    assert _deletes(_buckets(record(ESTATE))["artifacts"]) == [{"withState": "ARCHIVED", "daysSinceNoncurrentTime": 90}]


def test_a_datasets_files_go_with_all_their_versions_when_its_retention_ends(record: Record) -> None:
    _, *expiries = _deletes(_buckets(record(ESTATE))["raw"])
    assert expiries == [{"withState": "ANY", "age": 731, "matchesPrefixes": ["lake/transactions/"]}], (
        "customers has no retention: it is kept for ever"
    )


def test_captured_requests_go_after_ninety_days(record: Record) -> None:
    _, expiry = _deletes(_buckets(record(ESTATE))["capture"])
    assert expiry == {"withState": "ANY", "age": 90}, "requests are personal data: they outlive no purpose"


def test_programs_are_told_where_data_is_by_address(record: Record) -> None:
    (data,) = [row for row in record(ESTATE) if row.type == "mlestate:gcp:Data" and "production" in row.name]
    raw = data.outputs["stores"]["raw"]
    assert raw.startswith("gs://risk-production-raw-")
    assert data.outputs["datasets"] == {
        "transactions": f"{raw}/lake/transactions/",
        "customers": f"{raw}/lake/customers/",
    }


def test_tables_can_be_read_as_they_were_a_week_ago(record: Record) -> None:
    (dataset,) = [row for row in record(ESTATE) if row.name == "risk-production-data-tables"]
    assert dataset.inputs["datasetId"] == "risk_production_curated", "BigQuery takes no hyphens"
    assert dataset.inputs["maxTimeTravelHours"] == "168"
    assert dataset.inputs["deleteContentsOnDestroy"] is False


def _lineage(rows: list[Row]) -> dict[str, Row]:
    return {row.name: row for row in rows if row.type.endswith(":AiMetadataStore")}


def test_without_keys_vertex_ai_makes_its_metadata_store_itself(record: Record) -> None:
    assert not _lineage(record(ESTATE)), "the one it makes is the same, and a second is refused as taken"


def test_the_projects_one_metadata_store_is_made_under_the_key_of_its_first_environment(record: Record) -> None:
    """Not proved: that no pipeline ran in the project before; then it is there already, without a key."""
    rows = record(ESTATE + "encryption: customer-managed\n")
    (store,) = _lineage(rows).values()
    (key,) = [row for row in rows if row.name == "risk-staging-keys-models"]
    assert store.name == "risk-staging-data-lineage", "production's would be refused as taken"
    assert store.inputs["name"] == "default"
    assert key.urn in store.property_dependencies["encryptionSpec"]
    assert store.inputs["deletionPolicy"] == "DELETE", (
        "left behind without its key it could be neither read nor made anew"
    )


def test_environments_in_projects_of_their_own_have_each_their_metadata_store(record: Record) -> None:
    apart = ESTATE.replace("staging: {}", "staging: {project: risk-ml-staging}") + "encryption: customer-managed\n"
    stores = _lineage(record(apart))
    assert sorted(stores) == ["risk-production-data-lineage", "risk-staging-data-lineage"]
    assert stores["risk-production-data-lineage"].options.get("protect")


def test_protection_is_the_environments_own(record: Record) -> None:
    rows = record(ESTATE)
    assert all(bucket.options.get("protect") for bucket in _buckets(rows, "production").values())
    assert not any(bucket.options.get("protect") for bucket in _buckets(rows, "staging").values())


def test_an_api_stays_on_when_the_estate_goes(record: Record) -> None:
    services = [row.inputs for row in record(ESTATE) if row.type.endswith(":Service")]
    assert {each["service"] for each in services} == {
        "aiplatform.googleapis.com",
        "artifactregistry.googleapis.com",
        "bigquery.googleapis.com",
        "storage.googleapis.com",
    }
    assert not any(each["disableOnDestroy"] or each["disableDependentServices"] for each in services), (
        "another team of the same project may call it"
    )
