"""Monitoring: endpoints are watched, what watches them reads what they capture, and somebody hears of it."""

import re
from collections.abc import Iterator
from typing import Final

from mlestate_policies.any.principals import leads, linked
from mlestate_policies.any.reach import refers, texts, told
from mlestate_policies.any.watching import (
    AI_ENDPOINT,
    ALARM,
    ALERT,
    AZURE_SCHEDULE,
    BUCKET,
    CLOUD_SCHEDULE,
    COLAB_SCHEDULE,
    CONFIGURATION,
    DEPLOYMENT,
    ENDPOINT,
    EVENT_TARGET,
    LOGGED,
    METRIC_ALERT,
    ONLINE_ENDPOINT,
    PATHS,
    SCHEDULE,
    TABLES,
    Monitor,
    Served,
    monitors,
    served,
)
from mlestate_policies.checks import is_true
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings

ENDPOINTS: Final = (ENDPOINT, AI_ENDPOINT, ONLINE_ENDPOINT)
OWN: Final = (SCHEDULE, EVENT_TARGET, COLAB_SCHEDULE, CLOUD_SCHEDULE)
COMPOSITE: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC: Final = "aws:sns/topic:Topic"
SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
LOGGING: Final = "predictRequestResponseLoggingConfig"
COLLECTED: Final = "properties.dataCollector.collections"
ROLLBACK: Final = "deploymentConfig.autoRollbackConfiguration.alarms[].alarmName"
EMAILS: Final = "properties.action.monitorDefinition.alertNotificationSettings.emailNotificationSettings.emails"
_PLACE: Final = re.compile(r"(?:s3|bq|gs)://[^\s\"',\\]+")


@stack_rule(
    "ML-STK-01",
    PATHS,
    "Every serving endpoint outside of experiments is watched by an enabled monitor or alarm",
    why="A model that nobody watches gets worse without anybody noticing.",
    fix="Add a MonitoringSchedule, a schedule that runs a monitor on what the endpoint captures, or a MetricAlarm on "
    "EndpointName with alarmActions; on Google Cloud a Schedule of a monitoring pipeline or an AlertPolicy; on Azure a "
    "Schedule with a monitorDefinition, isEnabled true, or a MetricAlert.",
    severity="high",
    evidences=(
        "EU AI Act 72",
        "ISO 42001 A.6.2.6",
        "NIST AI RMF MEASURE 2.4",
        "NIST AI RMF MANAGE 4.1",
        "OSFI E-23",
    ),
)
def endpoints_are_watched(estate: Estate, settings: Settings) -> Findings:
    for token in ENDPOINTS:
        watching = monitors(estate, token)
        for endpoint in served(estate, token):
            if settings.production(endpoint.resource):
                yield from _watched(endpoint, watching)


def _watched(endpoint: Served, watching: list[Monitor]) -> Findings:
    found = list(watchers(endpoint, watching))
    if any(isinstance(each, Monitor) for each in found):
        return
    if unread := [each for each in found if isinstance(each, Undecided)]:
        yield unread[0]
        return
    off = [each.resource.name for each in watching if each.on is False and each.watches(endpoint) is True]
    yield Violation(
        "name",
        f"{endpoint.resource.name} is watched by "
        f"{f'nothing that is on ({off[0]} is off)' if off else 'no monitor and no alarm'}; one has to be on",
        endpoint.resource.urn,
    )


def watchers(endpoint: Served, watching: list[Monitor]) -> Iterator[Monitor | Undecided]:
    """What is on and watches an endpoint, and what cannot be read yet."""
    for monitor in watching:
        watches = monitor.watches(endpoint)
        if monitor.on is False or watches is False:
            continue
        unread = [each for each in (watches, monitor.on) if isinstance(each, Undecided)]
        yield unread[0] if unread else monitor


@stack_rule(
    "ML-STK-02",
    {
        CONFIGURATION: ("dataCaptureConfig.enableCapture", "dataCaptureConfig.destinationS3Uri"),
        SCHEDULE: ("target.input",),
        AI_ENDPOINT: (f"{LOGGING}.enabled", LOGGED),
        DEPLOYMENT: (COLLECTED,),
    },
    "What a monitor of an endpoint looks at is what the endpoint captures: capture is on, into a store of the estate, "
    "and the monitor reads that store",
    why="A monitor that reads something else is green whatever the model answers.",
    fix="Set dataCaptureConfig.enableCapture to true with a destinationS3Uri in a bucket of the stack, and give the "
    "monitor the same address; on Google Cloud predictRequestResponseLoggingConfig with enabled true and a "
    "bigqueryDestination; on Azure a dataCollector whose collections have dataCollectionMode Enabled.",
    severity="high",
    evidences=("EU AI Act 12", "EU AI Act 72", "ISO 42001 A.6.2.8", "NIST AI RMF MEASURE 2.4"),
)
def monitors_read_what_is_captured(estate: Estate, settings: Settings) -> Findings:
    checks = {ENDPOINT: _captured, AI_ENDPOINT: _logged, ONLINE_ENDPOINT: _collected}
    for token, check in checks.items():
        looking = [each for each in monitors(estate, token) if not each.alarm and each.on is not False]
        for endpoint in served(estate, token):
            mine = [each for each in looking if each.watches(endpoint) is True]
            if mine:
                yield from check(estate, endpoint)
                for monitor in mine:
                    yield from _reads(endpoint, monitor)


def _captured(estate: Estate, endpoint: Served) -> Findings:
    configs, unread = leads(estate, endpoint.resource, "endpointConfigName", CONFIGURATION)
    if unread and not configs:
        yield Undecided("endpointConfigName", endpoint.resource.urn)
    for config in configs:
        yield from told(is_true(config, "dataCaptureConfig.enableCapture"), config)
        path = "dataCaptureConfig.destinationS3Uri"
        yield from _lies_here(estate, endpoint, config, path, BUCKET)


def _logged(estate: Estate, endpoint: Served) -> Findings:
    yield from told(is_true(endpoint.resource, f"{LOGGING}.enabled"), endpoint.resource)
    yield from _lies_here(estate, endpoint, endpoint.resource, LOGGED, *TABLES)


def _lies_here(estate: Estate, endpoint: Served, owner: Resource, path: str, *stores: str) -> Findings:
    place = owner.at(path)
    if place.unknown and not endpoint.stores:
        yield Undecided(path, owner.urn)
    elif not place.unknown and not endpoint.stores and estate.of(*stores):
        found = "is in no store of this stack" if place.known else "is not set"
        yield Violation(path, f"{path} {found}; what is captured has to go to a store of the estate", owner.urn)


def _collected(estate: Estate, endpoint: Served) -> Findings:
    for urn in sorted(endpoint.parts - {endpoint.resource.urn}):
        deployment = estate.get(urn)
        if deployment is None:
            continue
        modes = deployment.each(f"{COLLECTED}.*.dataCollectionMode")
        if any(mode.text.lower() == "enabled" for mode in modes):
            continue
        if any(mode.unknown for mode in modes):
            yield Undecided(COLLECTED, urn)
            continue
        yield Violation(COLLECTED, f"{COLLECTED}: none has dataCollectionMode Enabled; the monitor needs one", urn)


def _reads(endpoint: Served, monitor: Monitor) -> Findings:
    """The addresses that a monitor of one's own is given hold the one at which the endpoint captures."""
    for resource, path in monitor.says if _is_told(monitor) else ():
        node = resource.at(path)
        places = {place for text in texts(node) for place in _PLACE.findall(text)}
        if (
            node.complete
            and places
            and endpoint.captured
            and not any(kept in place for kept in endpoint.captured for place in places)
        ):
            yield Violation(
                path,
                f"{path}: none of the places that it reads is where {endpoint.resource.name} captures",
                resource.urn,
            )


def _is_told(monitor: Monitor) -> bool:
    """Whether a monitor is told what it reads; the clouds' own read the endpoint's capture by themselves."""
    return monitor.resource.type in OWN


@stack_rule(
    "ML-STK-03",
    {
        ENDPOINT: (ROLLBACK,),
        ALARM: ("alarmActions[]", "dimensions", "actionsEnabled"),
        SUBSCRIPTION: ("topic",),
        ALERT: ("notificationChannels[]",),
        AZURE_SCHEDULE: (EMAILS,),
        METRIC_ALERT: ("actions[].actionGroupId",),
    },
    "Every monitor and every automatic rollback has an alarm that is in the estate and reaches somebody",
    why="What a monitor finds at night is worth nothing when nobody is told.",
    fix="Name alarms of this stack in autoRollbackConfiguration, and give each monitor a MetricAlarm on its endpoint "
    "or its own dimensions, with alarmActions to a topic that has a TopicSubscription; on Google Cloud an AlertPolicy "
    "with notificationChannels; on Azure emails in alertNotificationSettings or a MetricAlert with actions.",
    severity="medium",
    evidences=("EU AI Act 72", "ISO 42001 A.6.2.6", "NIST AI RMF MANAGE 4.1"),
)
def monitors_reach_somebody(estate: Estate, settings: Settings) -> Findings:
    yield from _rollbacks(estate)
    for token in ENDPOINTS:
        watching = monitors(estate, token)
        alarms = [each for each in watching if each.alarm]
        for endpoint in served(estate, token):
            heard = [each for each in alarms if each.watches(endpoint) is not False]
            for monitor in watching:
                if not monitor.alarm and monitor.on is not False and monitor.watches(endpoint) is True:
                    own = [each for each in alarms if _is_about(each, monitor)]
                    yield from _heard(estate, monitor, [*heard, *own])


def _rollbacks(estate: Estate) -> Findings:
    for endpoint in estate.of(ENDPOINT):
        if all(node.absent for node in endpoint.each(ROLLBACK)):
            continue
        alarms, unread = leads(estate, endpoint, ROLLBACK, ALARM)
        alarms += tuple(
            each
            for each in estate.of(COMPOSITE)
            if each.at("alarmName").text in {n.text for n in endpoint.each(ROLLBACK)}
        )
        if unread and not alarms:
            yield Undecided(ROLLBACK, endpoint.urn)
        elif len(alarms) < sum(not node.unknown for node in endpoint.each(ROLLBACK)):
            yield Violation(
                ROLLBACK, f"{ROLLBACK}: not all of these alarms are in this stack; they have to be", endpoint.urn
            )
        for alarm in alarms:
            if alarm.type == ALARM and not _reaches(estate, alarm):
                message = (
                    "alarmActions leads to nobody; the rollback that waits for this alarm needs somebody who hears"
                )
                yield Violation("alarmActions[]", f"{message} of it", alarm.urn)


def _heard(estate: Estate, monitor: Monitor, alarms: list[Monitor]) -> Findings:
    emails = monitor.resource.each(f"{EMAILS}[]") if monitor.resource.type == AZURE_SCHEDULE else ()
    if any(not node.absent for node in emails):
        return
    unread = [each.on for each in alarms if isinstance(each.on, Undecided)]
    if any(each.on is True and _reaches(estate, each.resource) for each in alarms):
        return
    yield (
        unread[0]
        if unread
        else Violation(
            "name",
            f"{monitor.resource.name}: no alarm on it or on its endpoint reaches somebody; one is needed",
            monitor.resource.urn,
        )
    )


def _is_about(alarm: Monitor, monitor: Monitor) -> bool:
    return any(refers(alarm.resource, monitor.resource, key) for key in ("dimensions", "metricQueries", "conditions"))


def _reaches(estate: Estate, alarm: Resource) -> bool:
    """Whether an alarm does something that people hear of; of a topic of this stack it is known whether any listen."""
    if alarm.type == ALARM:
        topics, _ = leads(estate, alarm, "alarmActions[]", TOPIC)
        listened = {topic.urn for each in estate.of(SUBSCRIPTION) for topic in linked(estate, each, "topic", TOPIC)}
        actions = [node for node in alarm.each("alarmActions[]") if not node.absent]
        return len(actions) > len(topics) or any(topic.urn in listened for topic in topics)
    path = "notificationChannels[]" if alarm.type == ALERT else "actions[].actionGroupId"
    return any(not node.absent for node in alarm.each(path))
