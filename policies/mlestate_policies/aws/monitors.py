"""What watches models in SageMaker: monitoring schedules, the job definitions they run, inference experiments.

A schedule names a job definition or has one inline; the rules ask the same of both. Only data quality has a definition
of its own in the provider, so the others are looked for under their tokens in `aws-native` and in Cloud Control.
"""

import re
from collections.abc import Iterator
from typing import Final

from mlestate_policies.aws.cloudformation import CLOUD_CONTROL, STATE, stated
from mlestate_policies.aws.machines import disk_has_key, traffic_is_encrypted
from mlestate_policies.checks import is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

SCHEDULE: Final = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
DATA_QUALITY: Final = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
BIAS: Final = "aws-native:sagemaker:ModelBiasJobDefinition"
QUALITY: Final = "aws-native:sagemaker:ModelQualityJobDefinition"
EXPLAINABILITY: Final = "aws-native:sagemaker:ModelExplainabilityJobDefinition"
EXPERIMENT: Final = "aws-native:sagemaker:InferenceExperiment"

MONITOR_HOURS: Final = limit("monitorHours", 24, "Hours after which a monitor of a model runs again at the latest")

_INLINE: Final = "monitoringScheduleConfig.monitoringJobDefinition"
_CRON: Final = re.compile(r"cron\(0 (?P<hour>\*|\d{1,2}(?:/(?P<step>\d{1,2}))?) \? \* \* \*\)")
"""Every hour, a certain hour, or every so many hours: SageMaker takes no other schedule (API, ScheduleConfig)."""
_ISOLATION: Final = "networkConfig.enableNetworkIsolation"
_TRAFFIC: Final = "networkConfig.enableInterContainerTrafficEncryption"
_COUNT: Final = "jobResources.clusterConfig.instanceCount"


@resource_rule(
    "ML-AWS-SM-050",
    {SCHEDULE: (f"{_INLINE}.{_ISOLATION}",)},
    "A monitoring job that a schedule defines is cut off from every network",
    why="It reads requests of people, and SageMaker moves what a job reads and writes by itself.",
    fix="Set enableNetworkIsolation to true in the networkConfig of monitoringJobDefinition.",
    severity="medium",
    sources=("SageMaker.14",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def inline_monitor_is_isolated(schedule: Resource, settings: Settings) -> Findings:
    for job in _inline(schedule):
        if not _explains(schedule):
            yield from is_true(job, _ISOLATION)


@resource_rule(
    "ML-AWS-SM-051",
    {SCHEDULE: (f"{_INLINE}.{_TRAFFIC}", f"{_INLINE}.monitoringResources.clusterConfig.instanceCount")},
    "A monitoring job that a schedule defines encrypts what its machines say to each other",
    why="It reads requests of people, and between the machines of a job they would go in the clear.",
    fix="Set enableInterContainerTrafficEncryption to true in the networkConfig of monitoringJobDefinition.",
    severity="medium",
    sources=("SageMaker.22",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def inline_monitor_encrypts_traffic(schedule: Resource, settings: Settings) -> Findings:
    for job in _inline(schedule):
        yield from traffic_is_encrypted(job, _TRAFFIC, "monitoringResources.clusterConfig.instanceCount")


@resource_rule(
    "ML-AWS-SM-052",
    {
        SCHEDULE: (
            f"{_INLINE}.monitoringResources.clusterConfig.volumeKmsKeyId",
            f"{_INLINE}.monitoringResources.clusterConfig.instanceType",
            f"{_INLINE}.monitoringOutputConfig.kmsKeyId",
        )
    },
    "A monitoring job that a schedule defines has keys of one's own on its disks and output",
    why="They hold requests of people, and who holds the key decides who reads them.",
    fix="Set volumeKmsKeyId in clusterConfig and kmsKeyId in monitoringOutputConfig to the ARN of a key.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def inline_monitor_has_keys(schedule: Resource, settings: Settings) -> Findings:
    for job in _inline(schedule):
        cluster = job.at("monitoringResources.clusterConfig")
        yield from disk_has_key(cluster.at("volumeKmsKeyId"), cluster.at("instanceType"))
        yield from is_set(job, "monitoringOutputConfig.kmsKeyId", "without one the output has a key that AWS holds")


@resource_rule(
    "ML-AWS-SM-053",
    {DATA_QUALITY: (_ISOLATION,), CLOUD_CONTROL: (STATE,)},
    "A data quality job is cut off from every network",
    why="It reads requests of people, and SageMaker moves what a job reads and writes by itself.",
    fix="Set networkConfig.enableNetworkIsolation to true.",
    severity="medium",
    sources=("SageMaker.11",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def data_quality_is_isolated(definition: Resource, settings: Settings) -> Findings:
    for job in _jobs(definition, "DataQuality"):
        yield from is_true(job, _ISOLATION)


@resource_rule(
    "ML-AWS-SM-054",
    {DATA_QUALITY: (_TRAFFIC, _COUNT), CLOUD_CONTROL: (STATE,)},
    "A data quality job on several machines encrypts what they say to each other",
    why="It reads requests of people, and between the machines of a job they would go in the clear.",
    fix="Set networkConfig.enableInterContainerTrafficEncryption to true.",
    severity="medium",
    sources=("SageMaker.9", "CKV_AWS_369"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def data_quality_encrypts_traffic(definition: Resource, settings: Settings) -> Findings:
    for job in _jobs(definition, "DataQuality"):
        yield from traffic_is_encrypted(job, _TRAFFIC, _COUNT)


@resource_rule(
    "ML-AWS-SM-055",
    {DATA_QUALITY: ("dataQualityJobOutputConfig.kmsKeyId",), CLOUD_CONTROL: (STATE,)},
    "The output of a data quality job has a key of one's own",
    why="It tells of requests of people, and who holds the key decides who reads it.",
    fix="Set dataQualityJobOutputConfig.kmsKeyId to the ARN of a key.",
    severity="medium",
    hardening=True,
    sources=("CKV_AWS_367",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def data_quality_output_has_a_key(definition: Resource, settings: Settings) -> Findings:
    for job in _jobs(definition, "DataQuality"):
        yield from is_set(job, "dataQualityJobOutputConfig.kmsKeyId", "without one it has a key that AWS holds")


@resource_rule(
    "ML-AWS-SM-056",
    {
        DATA_QUALITY: ("jobResources.clusterConfig.volumeKmsKeyId", "jobResources.clusterConfig.instanceType"),
        CLOUD_CONTROL: (STATE,),
    },
    "The disks of a data quality job have a key of one's own",
    why="They hold requests of people, and who holds the key decides who reads them.",
    fix="Set jobResources.clusterConfig.volumeKmsKeyId to the ARN of a key.",
    severity="medium",
    hardening=True,
    sources=("CKV_AWS_368",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def data_quality_disk_has_a_key(definition: Resource, settings: Settings) -> Findings:
    for job in _jobs(definition, "DataQuality"):
        cluster = job.at("jobResources.clusterConfig")
        yield from disk_has_key(cluster.at("volumeKmsKeyId"), cluster.at("instanceType"))


@resource_rule(
    "ML-AWS-SM-057",
    {
        DATA_QUALITY: (
            "dataQualityBaselineConfig.constraintsResource.s3Uri",
            "dataQualityBaselineConfig.statisticsResource.s3Uri",
        ),
        SCHEDULE: (f"{_INLINE}.baseline.constraintsResource.s3Uri",),
        CLOUD_CONTROL: (STATE,),
    },
    "A monitor compares with a baseline",
    why="Without constraints it only counts, and finds no drift.",
    fix="Set constraintsResource.s3Uri, and for data quality statisticsResource.s3Uri, to what training left.",
    severity="medium",
    evidences=("NIST AI RMF MEASURE 2.4", "EU AI Act 72", "ISO 42001 A.6.2.6", "OSFI E-23"),
)
def monitor_has_a_baseline(monitor: Resource, settings: Settings) -> Findings:
    files: tuple[str, ...] = ("constraintsResource", "statisticsResource")
    if monitor.type == SCHEDULE:
        files = files[:1]  # only data quality has statistics, and a schedule may be of any kind
        baselines = [job.at("baseline") for job in _inline(monitor)]
    else:
        baselines = [job.at("dataQualityBaselineConfig") for job in _jobs(monitor, "DataQuality")]
    for baseline in baselines:
        if baseline.at("baseliningJobName").absent:
            for file in files:
                yield from is_set(baseline, f"{file}.s3Uri", "without it there is nothing to compare with")


@resource_rule(
    "ML-AWS-SM-058",
    {SCHEDULE: ("monitoringScheduleConfig.scheduleConfig.scheduleExpression",)},
    "A monitor runs often enough",
    why="What drifts is found at the next run, not before.",
    fix="Set scheduleConfig.scheduleExpression so that it runs within the limit monitorHours, such as "
    '"cron(0 6 ? * * *)" for once a day.',
    severity="low",
    level="advisory",
    evidences=("NIST AI RMF MEASURE 2.4", "EU AI Act 72", "OSFI E-23"),
)
def monitor_runs_often(schedule: Resource, settings: Settings) -> Findings:
    path = "monitoringScheduleConfig.scheduleConfig.scheduleExpression"
    node, hours = schedule.at(path), settings[MONITOR_HOURS]
    if node.unknown:
        yield Undecided(path)
    elif node.absent or node.text.upper() == "NOW":
        yield Violation(path, f"{path} says no time, so the monitor runs once; it has to run every {hours:g} hours")
    elif (known := _CRON.fullmatch(" ".join(node.text.split()))) is None:
        yield Violation(
            path, f"{path} is none of the schedules that SageMaker takes: every hour, every so many hours, or one hour"
        )
    elif (between := 1 if known["hour"] == "*" else int(known["step"] or 24)) > hours:
        yield Violation(path, f"{path} is every {between} hours; it has to be every {hours:g} hours")


@resource_rule(
    "ML-AWS-SM-059",
    {
        **dict.fromkeys((BIAS, QUALITY), (_ISOLATION, _TRAFFIC, _COUNT)),
        EXPLAINABILITY: (_TRAFFIC, _COUNT),
        CLOUD_CONTROL: (STATE,),
    },
    "Jobs on bias and model quality are cut off from every network, and they and jobs on explainability encrypt what "
    "their machines say to each other",
    why="They read requests of people, with what was decided and what came of it.",
    fix="Set networkConfig.enableNetworkIsolation and networkConfig.enableInterContainerTrafficEncryption to true.",
    severity="medium",
    sources=("SageMaker.10", "SageMaker.12", "SageMaker.13", "SageMaker.15", "SageMaker.25"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def model_monitors_are_isolated(definition: Resource, settings: Settings) -> Findings:
    if definition.type != EXPLAINABILITY:
        for job in _jobs(definition, "ModelBias", "ModelQuality"):
            yield from is_true(job, _ISOLATION)
    for job in _jobs(definition, "ModelBias", "ModelQuality", "ModelExplainability"):
        yield from traffic_is_encrypted(job, _TRAFFIC, _COUNT)


@resource_rule(
    "ML-AWS-SM-060",
    {
        EXPERIMENT: (
            "kmsKey",
            "modelVariants[].infrastructureConfig.realTimeInferenceConfig.instanceType",
            "dataStorageConfig.kmsKey",
        ),
        CLOUD_CONTROL: (STATE,),
    },
    "An inference experiment has keys of one's own on its disks and on what it captures",
    why="It answers real requests and keeps them.",
    fix="Set kmsKey and dataStorageConfig.kmsKey to the ARN of a key.",
    severity="medium",
    hardening=True,
    sources=("SageMaker.23", "SageMaker.24"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def experiment_has_keys(experiment: Resource, settings: Settings) -> Findings:
    state = stated(experiment, "AWS::SageMaker::InferenceExperiment")
    if state is None:
        return
    machines = "modelVariants[].infrastructureConfig.realTimeInferenceConfig.instanceType"
    yield from disk_has_key(state.at("kmsKey"), *state.each(machines))
    if not state.at("dataStorageConfig").absent:
        yield from is_set(state, "dataStorageConfig.kmsKey", "without one the requests have a key that AWS holds")


@resource_rule(
    "ML-AWS-SM-063",
    {
        EXPLAINABILITY: (_ISOLATION, "networkConfig.vpcConfig.subnets[]"),
        SCHEDULE: (f"{_INLINE}.{_ISOLATION}", f"{_INLINE}.networkConfig.vpcConfig.subnets[]"),
        CLOUD_CONTROL: (STATE,),
    },
    "A job on explainability is cut off from every network, or runs in one of the estate",
    why="It may have to ask the model itself, and then its way there should be watched.",
    fix="Set networkConfig.vpcConfig, or networkConfig.enableNetworkIsolation to true where it asks no model.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def explainability_is_in_a_network(monitor: Resource, settings: Settings) -> Findings:
    if monitor.type == SCHEDULE:
        jobs = _inline(monitor) if _explains(monitor) else iter(())
    else:
        jobs = _jobs(monitor, "ModelExplainability")
    for job in jobs:
        isolation, subnets = job.at(_ISOLATION), job.each("networkConfig.vpcConfig.subnets[]")
        if isolation.true or not subnets[0].absent:
            continue
        if isolation.unknown:
            yield Undecided(isolation.path)
        else:
            yield Violation(isolation.path, f"{isolation.path} is not true, and there is no vpcConfig with subnets")


def _inline(schedule: Resource) -> Iterator[Node]:
    job = schedule.at(_INLINE)
    if not job.absent:
        yield job


def _explains(schedule: Resource) -> bool:
    return schedule.at("monitoringScheduleConfig.monitoringType").text.lower() == "modelexplainability"


def _jobs(definition: Resource, *kinds: str) -> Iterator[Node]:
    job = stated(definition, *(f"AWS::SageMaker::{kind}JobDefinition" for kind in kinds))
    if job is not None:
        yield job
