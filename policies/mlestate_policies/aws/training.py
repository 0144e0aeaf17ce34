"""Training jobs of SageMaker: `aws:sagemaker/trainingJob`. Those that a pipeline starts are judged in `pipelines`."""

from typing import Final

from mlestate_policies.aws.machines import disk_has_key, traffic_is_encrypted
from mlestate_policies.checks import is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

TRAINING: Final = "aws:sagemaker/trainingJob:TrainingJob"


@resource_rule(
    "ML-AWS-SM-070",
    {TRAINING: ("enableNetworkIsolation",)},
    "A training job is cut off from every network",
    why="A package that was tampered with can then send nothing of the data anywhere; SageMaker moves what a job reads "
    "and writes by itself.",
    fix="Set enableNetworkIsolation to true.",
    severity="high",
    sources=("prowler sagemaker_training_jobs_network_isolation_enabled",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def training_is_isolated(job: Resource, settings: Settings) -> Findings:
    return is_true(job, "enableNetworkIsolation")


@resource_rule(
    "ML-AWS-SM-071",
    {TRAINING: ("enableInterContainerTrafficEncryption", "resourceConfig.instanceCount")},
    "A training job on several machines encrypts what they say to each other",
    why="Between the machines of a job go gradients and records in the clear.",
    fix="Set enableInterContainerTrafficEncryption to true.",
    severity="medium",
    sources=("prowler sagemaker_training_jobs_intercontainer_encryption_enabled",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def training_encrypts_traffic(job: Resource, settings: Settings) -> Findings:
    return traffic_is_encrypted(job, "enableInterContainerTrafficEncryption", "resourceConfig.instanceCount")


@resource_rule(
    "ML-AWS-SM-072",
    {
        TRAINING: (
            "resourceConfig.volumeKmsKeyId",
            "outputDataConfig.kmsKeyId",
            "resourceConfig.instanceType",
            "resourceConfig.instanceGroups[].instanceType",
        )
    },
    "The disks and the output of a training job have a key of one's own",
    why="They hold the data and the model, and who holds the key decides who reads them.",
    fix="Set resourceConfig.volumeKmsKeyId and outputDataConfig.kmsKeyId to the ARN of a key.",
    severity="high",
    hardening=True,
    sources=("prowler sagemaker_training_jobs_volume_and_output_encryption_enabled",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def training_has_keys(job: Resource, settings: Settings) -> Findings:
    config = job.at("resourceConfig")
    yield from disk_has_key(
        config.at("volumeKmsKeyId"), config.at("instanceType"), *config.each("instanceGroups[].instanceType")
    )
    yield from is_set(job, "outputDataConfig.kmsKeyId", "without one the model is under a key that AWS holds")


@resource_rule(
    "ML-AWS-SM-073",
    {TRAINING: ("vpcConfig.subnets[]",)},
    "A training job runs in a network of the estate",
    why="Outside a network of one's own no security group and no flow log sees it.",
    fix="Set vpcConfig.subnets and vpcConfig.securityGroupIds.",
    severity="high",
    hardening=True,
    sources=("prowler sagemaker_training_jobs_vpc_settings_configured",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def training_runs_in_a_network(job: Resource, settings: Settings) -> Findings:
    return is_set(job, "vpcConfig.subnets[]", "without one it runs in a network of AWS's own")
