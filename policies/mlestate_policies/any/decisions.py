"""Endpoints that decide about people: everything they answered is kept and explained, and a person can look at it."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.any.reach import reaches, texts, told
from mlestate_policies.any.retention import CONFIGURATION, VERTEX_ENDPOINT, cut_short, recorded_by
from mlestate_policies.checks import at_least, equals, is_true
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings, limit
from mlestate_policies.values import Node

DECISION_DAYS: Final = limit(
    "decisionDays", 365, "Days for which what an automated decision about a person was made from is kept at least"
)
EXPLAINERS: Final = limit(
    "explainers",
    ("*explain*", "*attribution*", "*clarify*"),
    "How a monitor that explains answers is known: by its logical name, or a word in what it runs (with `*`)",
)
REVIEW_PATHS: Final = limit(
    "reviewPaths",
    ("*review*",),
    "Logical names (with `*`) of the queue, topic or workflow by which a person looks at a decision again",
)
_MARK: Final = "automated-decision"
_ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
_ONLINE_ENDPOINT: Final = "azure-native:machinelearningservices:OnlineEndpoint"
_DEPLOYMENT: Final = "azure-native:machinelearningservices:OnlineDeployment"
_CLOUD_CONTROL: Final = "aws:cloudcontrol/resource:Resource"
_MONITORS: Final = {
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": ("monitoringScheduleConfig",),
    _CLOUD_CONTROL: ("typeName", "desiredState"),
    "aws:scheduler/schedule:Schedule": ("target",),
    "gcp:colab/schedule:Schedule": ("createPipelineJobRequest",),
    "gcp:cloudscheduler/job:Job": ("httpTarget",),
    "azure-native:machinelearningservices:Schedule": ("properties.action",),
}
_OFF: Final = (("state", "DISABLED"), ("paused", "true"), ("properties.isEnabled", "false"), ("desiredState", "PAUSED"))
_REVIEWS: Final = {
    "aws:sagemaker/flowDefinition:FlowDefinition": (),
    "aws:sqs/queue:Queue": (),
    "aws:sfn/stateMachine:StateMachine": (),
    "gcp:pubsub/topic:Topic": (),
    "gcp:workflows/workflow:Workflow": (),
    "gcp:cloudtasks/queue:Queue": (),
    "azure-native:servicebus:Queue": (),
    "azure-native:storage:Queue": (),
    "azure-native:logic:Workflow": (),
}
_FLOW: Final = "aws:sagemaker/flowDefinition:FlowDefinition"


@stack_rule(
    "ML-STK-18",
    {
        _ENDPOINT: ("tags", "endpointConfigName"),
        CONFIGURATION: ("dataCaptureConfig.enableCapture", "dataCaptureConfig.initialSamplingPercentage"),
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("rules[].expiration.days",),
        VERTEX_ENDPOINT: (
            "labels",
            "predictRequestResponseLoggingConfig.enabled",
            "predictRequestResponseLoggingConfig.samplingRate",
        ),
        "gcp:bigquery/dataset:Dataset": ("defaultTableExpirationMs",),
        _ONLINE_ENDPOINT: ("tags",),
        _DEPLOYMENT: (
            "endpointName",
            "properties.dataCollector.collections.*.dataCollectionMode",
            "properties.dataCollector.collections.*.samplingRate",
        ),
        **_MONITORS,
        **_REVIEWS,
    },
    "An endpoint that decides about people keeps every answer for a year, has its answers explained, and a person to "
    "whom one can turn",
    why="Whom a machine decided about may ask what it knew and why, and may speak to a person who can review it.",
    fix="Capture all requests, keep them 365 days, schedule a monitor that explains them, and add a review queue.",
    severity="high",
    evidences=("Law 25 s.12.1", "EU AI Act 12", "EU AI Act 14", "NIST AI RMF MANAGE 2.4"),
)
def decisions_can_be_reviewed(estate: Estate, settings: Settings) -> Findings:
    deciding = []
    for endpoint in estate.of(_ENDPOINT, VERTEX_ENDPOINT, _ONLINE_ENDPOINT):
        mark = endpoint.tag(_MARK)
        if mark.unknown:
            yield Undecided(mark.path, endpoint.urn)
        elif mark.true or mark.text.lower() in ("yes", "1"):
            deciding.append(endpoint)
    for endpoint in deciding:
        yield from _captured(estate, endpoint)
        days = max(settings[DECISION_DAYS], settings[RETENTION_DAYS])
        for source in (endpoint, *estate.linked(endpoint, "endpointConfigName", CONFIGURATION).found):
            for records in recorded_by(estate, source):
                yield from cut_short(estate, records, days)
        if not _explained(estate, endpoint, settings):
            yield Violation(
                "",
                f"{endpoint.name} decides about people and no monitor explains its answers; one that reaches it has "
                "to run on a schedule",
                endpoint.urn,
            )
        if not _reviewed(estate, settings):
            yield Violation(
                "",
                f"{endpoint.name} decides about people and nothing leads to a person who can review that; a queue, "
                "topic or workflow has to be named so",
                endpoint.urn,
            )


def _captured(estate: Estate, endpoint: Resource) -> Iterator[Violation | Undecided]:
    if endpoint.type == VERTEX_ENDPOINT:
        yield from told(is_true(endpoint, "predictRequestResponseLoggingConfig.enabled"), endpoint)
        yield from told(at_least(endpoint, "predictRequestResponseLoggingConfig.samplingRate", 1), endpoint)
    elif endpoint.type == _ENDPOINT:
        configurations = estate.linked(endpoint, "endpointConfigName", CONFIGURATION).found
        if not configurations:
            yield Undecided("endpointConfigName", endpoint.urn)
        for each in configurations:
            if not each.at("asyncInferenceConfig").absent:
                continue  # it writes each answer to a store by itself, and captures nothing
            yield from told(is_true(each, "dataCaptureConfig.enableCapture"), each)
            yield from told(at_least(each, "dataCaptureConfig.initialSamplingPercentage", 100, "percent"), each)
    else:
        for each in _deployments(estate, endpoint):
            collections = "properties.dataCollector.collections.*"
            yield from told(equals(each, f"{collections}.dataCollectionMode", "Enabled"), each)
            yield from told(at_least(each, f"{collections}.samplingRate", 1, absent_passes=True), each)


def _deployments(estate: Estate, endpoint: Resource) -> list[Resource]:
    return [
        each
        for each in estate.of(_DEPLOYMENT)
        if endpoint in estate.linked(each, "endpointName", _ONLINE_ENDPOINT).found
    ]


def _explained(estate: Estate, endpoint: Resource, settings: Settings) -> bool:
    targets = [endpoint, *(_deployments(estate, endpoint) if endpoint.type == _ONLINE_ENDPOINT else ())]
    return any(
        reaches(estate, monitor, target)
        for monitor in estate.of(*_MONITORS)
        if _runs(monitor) and _explains(monitor, settings)
        for target in targets
    )


def _explains(monitor: Resource, settings: Settings) -> bool:
    said = [monitor.name, monitor.type, *texts(monitor.properties)]
    return any(fnmatchcase(text.lower(), pattern) for text in said for pattern in settings[EXPLAINERS])


def _runs(monitor: Resource) -> bool:
    """Whether it is a schedule that is on: a job that is only defined explains nothing."""
    if monitor.type == _CLOUD_CONTROL and monitor.at("typeName").text != "AWS::SageMaker::MonitoringSchedule":
        return False
    return not any(_says(monitor.at(path), word) for path, word in _OFF)


def _says(node: Node, word: str) -> bool:
    return node.known and str(node.value).lower() == word.lower()


def _reviewed(estate: Estate, settings: Settings) -> bool:
    return any(each.type == _FLOW or settings.named(each, REVIEW_PATHS) for each in estate.of(*_REVIEWS))
