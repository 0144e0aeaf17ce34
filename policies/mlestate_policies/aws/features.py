"""Feature groups of SageMaker: `aws:sagemaker/featureGroup`, or the same through Cloud Control."""

from typing import Final

from mlestate_policies.aws.cloudformation import CLOUD_CONTROL, STATE, stated
from mlestate_policies.checks import is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings

FEATURES: Final = "aws:sagemaker/featureGroup:FeatureGroup"
KIND: Final = "AWS::SageMaker::FeatureGroup"


@resource_rule(
    "ML-AWS-SM-061",
    {FEATURES: ("offlineStoreConfig.s3StorageConfig.kmsKeyId",), CLOUD_CONTROL: (STATE,)},
    "The offline store of a feature group has a key of one's own",
    why="Features are personal information more often than not, and who holds the key decides who reads them.",
    fix="Set offlineStoreConfig.s3StorageConfig.kmsKeyId to the ARN of a key; the group is made anew.",
    severity="medium",
    hardening=True,
    sources=("SageMaker.17",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def offline_features_have_a_key(group: Resource, settings: Settings) -> Findings:
    state = stated(group, KIND)
    if state is not None and not state.at("offlineStoreConfig").absent:
        yield from is_set(state, "offlineStoreConfig.s3StorageConfig.kmsKeyId", "a key of one's own is needed")


@resource_rule(
    "ML-AWS-SM-062",
    {
        FEATURES: ("onlineStoreConfig.securityConfig.kmsKeyId", "onlineStoreConfig.storageType"),
        CLOUD_CONTROL: (STATE,),
    },
    "The online store of a feature group has a key of one's own, where it is of the standard kind",
    why="Features are personal information more often than not, and who holds the key decides who reads them.",
    fix="Set onlineStoreConfig.securityConfig.kmsKeyId to the ARN of a key; the group is made anew.",
    severity="medium",
    hardening=True,
    sources=("SageMaker.18",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def online_features_have_a_key(group: Resource, settings: Settings) -> Findings:
    state = stated(group, KIND)
    if state is None:
        return
    switch, storage = state.at("onlineStoreConfig.enableOnlineStore"), state.at("onlineStoreConfig.storageType")
    if (switch.known and not switch.true) or switch.absent or storage.text.lower() == "inmemory":
        return
    missing = list(is_set(state, "onlineStoreConfig.securityConfig.kmsKeyId", "a key of one's own is needed"))
    unknown = [node for node in (switch, storage) if node.unknown]
    yield from [Undecided(unknown[0].path)] if missing and unknown else missing
