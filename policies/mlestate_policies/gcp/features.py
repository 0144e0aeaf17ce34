"""Feature stores of Vertex AI: the features that models are trained on and asked with."""

from typing import Final

from mlestate_policies.gcp.shapes import has_own_key, is_private
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

STORE: Final = "gcp:vertex/aiFeatureStore:AiFeatureStore"
ONLINE_STORE: Final = "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore"

_CONNECT: Final = "dedicatedServingEndpoint.privateServiceConnectConfig.enablePrivateServiceConnect"


@resource_rule(
    "ML-GCP-VX-006",
    {STORE: ("encryptionSpec.kmsKeyName",), ONLINE_STORE: ("encryptionSpec.kmsKeyName",)},
    "A feature store has a key of the estate",
    why="Features are facts about people, gathered in one place.",
    fix="Set encryptionSpec.kmsKeyName to a key in the store's region, before it is created.",
    severity="medium",
    hardening=True,
    sources=("CKV2_GCP_25",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def feature_store_has_a_key(store: Resource, settings: Settings) -> Findings:
    return has_own_key(store, "encryptionSpec.kmsKeyName")


@resource_rule(
    "ML-GCP-VX-007",
    {ONLINE_STORE: (_CONNECT,)},
    "Features are served within a network of the estate only",
    why="An optimized store that is not private has a public address, and answers whoever holds a token.",
    fix="Set dedicatedServingEndpoint.privateServiceConnectConfig.enablePrivateServiceConnect to true.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def features_are_served_privately(store: Resource, settings: Settings) -> Findings:
    if store.at("bigtable").absent:  # one on Bigtable has no address of its own
        yield from is_private(store, _CONNECT)
