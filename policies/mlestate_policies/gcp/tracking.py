"""Metadata stores and Tensorboards of Vertex AI: the record of how models came to be."""

from typing import Final

from mlestate_policies.gcp.shapes import has_own_key
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

METADATA_STORE: Final = "gcp:vertex/aiMetadataStore:AiMetadataStore"
TENSORBOARD: Final = "gcp:vertex/aiTensorboard:AiTensorboard"


@resource_rule(
    "ML-GCP-VX-008",
    {METADATA_STORE: ("encryptionSpec.kmsKeyName",)},
    "A metadata store has a key of the estate",
    why="Lineage names the data, the parameters and the people behind each model.",
    fix="Set encryptionSpec.kmsKeyName to a key in the store's region, before it is created.",
    severity="medium",
    hardening=True,
    sources=("CKV_GCP_96",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def metadata_store_has_a_key(store: Resource, settings: Settings) -> Findings:
    return has_own_key(store, "encryptionSpec.kmsKeyName")


@resource_rule(
    "ML-GCP-VX-009",
    {TENSORBOARD: ("encryptionSpec.kmsKeyName",)},
    "A Tensorboard has a key of the estate",
    why="Runs are logged with samples of what the model saw.",
    fix="Set encryptionSpec.kmsKeyName to a key in the Tensorboard's region, before it is created.",
    severity="medium",
    hardening=True,
    sources=("CKV2_GCP_26",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def tensorboard_has_a_key(board: Resource, settings: Settings) -> Findings:
    return has_own_key(board, "encryptionSpec.kmsKeyName")
