"""Datasets: of BigQuery, where curated tables and captured predictions lie, and of Vertex AI."""

from typing import Final

from mlestate_policies.checks import holds
from mlestate_policies.gcp.identity import is_public
from mlestate_policies.gcp.shapes import DAY, has_own_key
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings

DATASET: Final = "gcp:bigquery/dataset:Dataset"
DATASET_ACCESS: Final = "gcp:bigquery/datasetAccess:DatasetAccess"
VERTEX_DATASET: Final = "gcp:vertex/aiDataset:AiDataset"

_EXPIRATIONS: Final = ("defaultTableExpirationMs", "defaultPartitionExpirationMs")


@resource_rule(
    "ML-GCP-VX-005",
    {VERTEX_DATASET: ("encryptionSpec.kmsKeyName",)},
    "A Vertex AI dataset has a key of the estate",
    why="A dataset is the people it is about; its key decides who may read it.",
    fix="Set encryptionSpec.kmsKeyName to a key in the dataset's region, before it is created.",
    severity="high",
    hardening=True,
    sources=("CKV_GCP_92", "turbot vertex_ai_dataset_encrypted_with_cmk"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def vertex_dataset_has_a_key(dataset: Resource, settings: Settings) -> Findings:
    return has_own_key(dataset, "encryptionSpec.kmsKeyName")


@resource_rule(
    "ML-GCP-BQ-001",
    {
        DATASET: ("accesses[].specialGroup", "accesses[].iamMember", *_EXPIRATIONS),
        DATASET_ACCESS: ("specialGroup", "iamMember"),
    },
    "A BigQuery dataset is open to nobody outside, and records in it do not expire below the floor",
    why="A public dataset is a breach from the first query on, and a record that expired can answer no question.",
    fix="Take allUsers and allAuthenticatedUsers out of its accesses; in datasets of records leave the default "
    "expirations out, or set them to the floor or more.",
    severity="high",
    sources=("CKV_GCP_15", "prowler bigquery_dataset_public_access"),
    evidences=("EU AI Act 15", "EU AI Act 19", "PIPEDA 4.7"),
)
def bigquery_dataset_is_kept(dataset: Resource, settings: Settings) -> Findings:
    prefix = "accesses[]." if dataset.type == DATASET else ""
    for key in ("specialGroup", "iamMember"):
        yield from holds(
            dataset,
            f"{prefix}{key}",
            lambda node: not is_public(node.text),
            "it opens the dataset to everybody; it has to name somebody",
            absent_passes=True,
        )
    if dataset.type == DATASET and settings.keeps_records(dataset):
        days = settings[RETENTION_DAYS]
        floor = days * DAY * 1000
        for path in _EXPIRATIONS:
            yield from holds(
                dataset,
                path,
                lambda node: node.number is not None and node.number >= floor,
                f"it has to be at least {floor:.0f} milliseconds ({days:g} days)",
                absent_passes=True,
            )


@resource_rule(
    "ML-GCP-BQ-002",
    {DATASET: ("defaultEncryptionConfiguration.kmsKeyName", "location")},
    "A BigQuery dataset has a key of the estate and lies in one region",
    why="A multi-region spreads the tables over places that nobody chose, beyond the region of their key.",
    fix="Set defaultEncryptionConfiguration.kmsKeyName, and location to a region, before the dataset is created.",
    severity="high",
    hardening=True,
    sources=("CKV_GCP_81", "prowler bigquery_dataset_cmk_encryption"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def bigquery_dataset_has_a_key_and_a_region(dataset: Resource, settings: Settings) -> Findings:
    if not dataset.at("externalDatasetReference").absent:  # its tables lie elsewhere
        return
    yield from has_own_key(dataset, "defaultEncryptionConfiguration.kmsKeyName")
    yield from holds(
        dataset,
        "location",
        lambda node: "-" in node.text,
        "it has to be a region, such as northamerica-northeast1, and no multi-region",
    )
