"""What watches the endpoints of a stack: monitors on schedules and alarms, and what they say of it.

A monitor is one of the cloud's own, or a job, pipeline or function on a schedule that is told the endpoint or the place
where the endpoint's requests are captured.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mlestate_policies.any.principals import linked
from mlestate_policies.any.reach import words
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Undecided
from mlestate_policies.values import Node

__all__ = ["PATHS", "Monitor", "Served", "monitors", "served"]

ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
BUCKET: Final = "aws:s3/bucket:Bucket"
SCHEDULES: Final = ("aws:sagemaker/monitoringSchedule:MonitoringSchedule", "aws-native:sagemaker:MonitoringSchedule")
_CONFIG: Final = "monitoringScheduleConfig"
_INLINE: Final = f"{_CONFIG}.monitoringJobDefinition.monitoringInputs"
DEFINITIONS: Final[Mapping[str, str]] = {
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": "dataQualityJobInput.endpointInput.endpointName",
    **{
        f"aws-native:sagemaker:{kind}JobDefinition": f"{kind[0].lower()}{kind[1:]}JobInput.endpointInput.endpointName"
        for kind in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")
    },
}
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
EVENT_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
AI_ENDPOINT: Final = "gcp:vertex/aiEndpoint:AiEndpoint"
COLAB_SCHEDULE: Final = "gcp:colab/schedule:Schedule"
CLOUD_SCHEDULE: Final = "gcp:cloudscheduler/job:Job"
ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
ONLINE_ENDPOINT: Final = "azure-native:machinelearningservices:OnlineEndpoint"
DEPLOYMENT: Final = "azure-native:machinelearningservices:OnlineDeployment"
AZURE_SCHEDULE: Final = "azure-native:machinelearningservices:Schedule"
METRIC_ALERT: Final = "azure-native:monitor:MetricAlert"
LOGGED: Final = "predictRequestResponseLoggingConfig.bigqueryDestination.outputUri"
_TARGET: Final = "properties.action.monitorDefinition.monitoringTarget.deploymentId"
TABLES: Final = ("gcp:bigquery/dataset:Dataset", "gcp:bigquery/table:Table")

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    ENDPOINT: ("name",),
    SCHEDULES[0]: (
        f"{_CONFIG}.monitoringJobDefinitionName",
        f"{_INLINE}.endpointInput.endpointName",
        f"{_CONFIG}.scheduleConfig.scheduleExpression",
    ),
    next(iter(DEFINITIONS)): (next(iter(DEFINITIONS.values())),),
    SCHEDULE: ("state", "target.input"),
    EVENT_RULE: ("scheduleExpression", "state"),
    EVENT_TARGET: ("rule", "input"),
    ALARM: (
        "dimensions.EndpointName",
        "metricQueries[].metric.dimensions.EndpointName",
        "actionsEnabled",
        "alarmActions[]",
    ),
    AI_ENDPOINT: ("name", "modelDeploymentMonitoringJob"),
    COLAB_SCHEDULE: ("createPipelineJobRequest", "desiredState"),
    CLOUD_SCHEDULE: ("httpTarget", "pubsubTarget", "paused"),
    ALERT: ("conditions[].conditionThreshold.filter", "enabled", "notificationChannels[]"),
    ONLINE_ENDPOINT: ("endpointName",),
    DEPLOYMENT: ("endpointName",),
    AZURE_SCHEDULE: (_TARGET, "properties.isEnabled"),
    METRIC_ALERT: ("scopes[]", "enabled", "actions[].actionGroupId"),
}
"""What is read to find out who watches an endpoint."""
_WATCHES: Final = re.compile("monitor|drift|quality|bias|skew|explain", re.IGNORECASE)


@dataclass(frozen=True)
class Monitor:
    """One thing that watches."""

    resource: Resource
    says: tuple[tuple[Resource, str], ...]
    """Where it says what it watches: resources and paths in them."""
    on: bool | Undecided
    alarm: bool = False
    """It only tells of numbers, and looks at no requests."""

    def watches(self, endpoint: "Served") -> bool | Undecided:
        """Whether it watches an endpoint."""
        answers = [endpoint.said(resource, path) for resource, path in self.says]
        if True in answers:
            return True
        return next((each for each in answers if isinstance(each, Undecided)), False)


@dataclass(frozen=True)
class Served:
    """An endpoint with what belongs to it."""

    resource: Resource
    names: frozenset[str]
    parts: frozenset[str]
    """The URNs of the endpoint and its deployments."""
    stores: tuple[Resource, ...]
    """Where its requests are captured, in this stack."""
    captured: tuple[str, ...]
    """The same as addresses."""

    def said(self, resource: Resource, path: str) -> bool | Undecided:
        """Whether a property names this endpoint or what it captures."""
        nodes = resource.each(path)
        urns = set(resource.property_dependencies.get(re.split(r"[.\[]", path)[0], ()))
        said = {word for node in nodes for word in _texts(node)}
        if not self.names.isdisjoint(said) or any(place in text for place in self.captured for text in said):
            return True
        unread = [node for node in nodes if not node.complete and not node.absent]
        if not unread:
            name = self.resource.at("endpointName" if self.resource.type == ONLINE_ENDPOINT else "name")
            if said and name.unknown and urns.isdisjoint(self.parts):
                return Undecided(name.path, self.resource.urn)
            return not urns.isdisjoint(self.parts) and (not said or name.unknown)
        if urns & self.parts or urns & {each.urn for each in self.stores}:
            return True
        return Undecided(unread[0].path, resource.urn)


def served(estate: Estate, token: str) -> list[Served]:
    """The endpoints of a kind."""
    return [_served(estate, endpoint) for endpoint in estate.of(token)]


def monitors(estate: Estate, token: str) -> list[Monitor]:
    """What may watch endpoints of a kind, what is switched off too."""
    return list({ENDPOINT: _aws, AI_ENDPOINT: _gcp, ONLINE_ENDPOINT: _azure}[token](estate))


def _served(estate: Estate, endpoint: Resource) -> Served:
    names, parts = {*endpoint.names, endpoint.at("endpointName").text}, {endpoint.urn}
    stores: tuple[Resource, ...] = ()
    captured: list[str] = []
    for config in linked(estate, endpoint, "endpointConfigName", CONFIGURATION):
        uri = config.at("dataCaptureConfig.destinationS3Uri")
        buckets = estate.of(BUCKET)
        inside = [each for each in buckets if uri.text.removeprefix("s3://").split("/")[0] in each.names]
        stores += tuple(inside) or (() if uri.text else linked(estate, config, uri.path, BUCKET))
        captured.append(uri.text)
    if endpoint.type == AI_ENDPOINT:
        place = endpoint.at(LOGGED).text.removeprefix("bq://")
        named = {each for each in place.split(".")[1:] if each}
        tables = estate.of(*TABLES)
        inside = [each for each in tables if named & {each.at("datasetId").text, each.at("tableId").text}]
        stores = tuple(inside) or (() if place else linked(estate, endpoint, LOGGED, *TABLES))
        captured.append(place)
    for deployment in estate.of(DEPLOYMENT):
        name = deployment.at("endpointName").text
        if endpoint in linked(estate, deployment, "endpointName", ONLINE_ENDPOINT) or (name and name in names):
            parts.add(deployment.urn)
            names |= {deployment.at("id").text}
    return Served(
        endpoint, frozenset(names - {""}), frozenset(parts), stores, tuple(each for each in captured if len(each) > 3)
    )


def _texts(node: Node) -> set[str]:
    """The texts of a node and their words; what is base64 also as what it stands for."""
    found = words(node)
    for text in tuple(found):
        with suppress(ValueError):
            found |= words(Node(base64.b64decode(text, validate=True).decode()))
    return found


def _on(resource: Resource, path: str, *off: str) -> bool | Undecided:
    """Whether a switch is on: it has none of the words that mean off."""
    node = resource.at(path)
    if node.unknown:
        return Undecided(path, resource.urn)
    return not node.known or str(node.value).upper() not in off


def _aws(estate: Estate) -> Iterator[Monitor]:
    for schedule in estate.of(*SCHEDULES):
        definitions = linked(estate, schedule, f"{_CONFIG}.monitoringJobDefinitionName", *DEFINITIONS)
        inline = f"{_INLINE}[]" if isinstance(_raw(schedule.at(_INLINE)), list) else _INLINE
        yield Monitor(
            schedule,
            (
                (schedule, f"{inline}.endpointInput.endpointName"),
                *((each, DEFINITIONS[each.type]) for each in definitions),
            ),
            _all(
                _on(schedule, f"{_CONFIG}.scheduleConfig.scheduleExpression", "NOW"),
                _on(schedule, "monitoringScheduleStatus", "STOPPED"),
            ),
        )
    for each in estate.of(SCHEDULE):
        if _looks(each, "target.input"):
            yield Monitor(each, ((each, "target.input"),), _on(each, "state", "DISABLED"))
    for target in estate.of(EVENT_TARGET):
        for rule in linked(estate, target, "rule", EVENT_RULE):
            if not rule.at("scheduleExpression").absent and _looks(target, "input"):
                yield Monitor(target, ((target, "input"),), _on(rule, "state", "DISABLED"))
    for alarm in estate.of(ALARM):
        if not all(each.absent or ":autoscaling:" in each.text for each in alarm.each("alarmActions[]")):
            says = ("dimensions.EndpointName", "metricQueries[].metric.dimensions.EndpointName")
            yield Monitor(
                alarm, tuple((alarm, path) for path in says), _on(alarm, "actionsEnabled", "FALSE"), alarm=True
            )


def _looks(resource: Resource, path: str) -> bool:
    """Whether what a schedule starts looks at requests, as far as one can see: not what stops an endpoint at night."""
    said = resource.at(path)
    about = " ".join((resource.name, *words(resource.properties)))
    return said.unknown or "s3://" in said.text or bool(_WATCHES.search(about))


def _gcp(estate: Estate) -> Iterator[Monitor]:
    for endpoint in estate.of(AI_ENDPOINT):
        if endpoint.at("modelDeploymentMonitoringJob").known:
            yield Monitor(endpoint, ((endpoint, "name"),), on=True)
    for each in estate.of(COLAB_SCHEDULE):
        yield Monitor(each, ((each, "createPipelineJobRequest"),), _on(each, "desiredState", "PAUSED"))
    for each in estate.of(CLOUD_SCHEDULE):
        yield Monitor(each, ((each, "httpTarget"), (each, "pubsubTarget")), _on(each, "paused", "TRUE"))
    for each in estate.of(ALERT):
        if not each.at("notificationChannels").absent:
            says = ((each, "conditions[].conditionThreshold.filter"),)
            yield Monitor(each, says, _on(each, "enabled", "FALSE"), alarm=True)


def _azure(estate: Estate) -> Iterator[Monitor]:
    for each in estate.of(AZURE_SCHEDULE):
        yield Monitor(each, ((each, _TARGET),), _on(each, "properties.isEnabled", "FALSE"))
    for each in estate.of(METRIC_ALERT):
        if any(not node.absent for node in each.each("actions[].actionGroupId")):
            yield Monitor(each, ((each, "scopes[]"),), _on(each, "enabled", "FALSE"), alarm=True)


def _all(*answers: bool | Undecided) -> bool | Undecided:
    if False in answers:
        return False
    return next((each for each in answers if isinstance(each, Undecided)), True)


def _raw(node: Node) -> object:
    return node.value if node.known else None
