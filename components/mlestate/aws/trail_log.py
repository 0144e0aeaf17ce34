"""The trail's own log, in which the calls are seen that no rule of the region sees: those of IAM and of the root.

CloudTrail files the calls of global services in us-east-1, and EventBridge hands them on there alone (EventBridge user
guide, "AWS service events delivered via CloudTrail"). A log of the trail has them all, wherever it stands, within
minutes. It bills by the gigabyte of events, so it comes with an `audit:` block; whoever is told finds out who it was by
the saved question *who changed*.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi_aws.cloudwatch as cloudwatch
from pulumi import Output

from mlestate.aws.policies import path
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Sighting", "follow", "log_group", "sightings"]

NAMESPACE = "mlestate"

KEPT_DAYS = 30
"""How long the log is kept: the trail's store holds the same events for the whole retention."""


@dataclass(frozen=True)
class Sighting:
    """Lines of the trail's log that a person is to hear of."""

    role: str
    sentence: str
    pattern: str
    """CloudWatch Logs user guide, "Filter pattern syntax for metric filters": `*` stands for any text."""


def sightings(names: Names) -> Iterator[Sighting]:
    changed = " || ".join(
        [
            f'($.requestParameters.roleName = "{names.estate}-*")',
            f'($.requestParameters.policyArn = "*:policy{path(names)}*")',
            '($.eventName = "*OpenIDConnectProvider*")',
        ]
    )
    yield Sighting(
        "access-changed",
        f"Who may do what in {names.estate} was changed: a role, a policy or whose tokens are believed",
        f'{{ ($.eventSource = "iam.amazonaws.com") && ($.readOnly IS FALSE) && ({changed}) }}',
    )
    yield Sighting(
        "root-used",
        f"The root user of account {names.home} did something",
        '{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) '
        '&& ($.eventType != "AwsServiceEvent") }',
    )


def log_group(names: Names) -> str:
    """The name of the log group of a trail; ``names`` are those of the slice that keeps it."""
    return f"/aws/cloudtrail/{names.physical('log-group', 'audit')}"


def follow(part: Part, *, key: Output[str] | None, topic: Output[str]) -> Output[str]:
    """The log, what is counted in it and an alarm on each, as children of ``part``; the ARN that a trail takes."""
    names = part.names
    group = cloudwatch.LogGroup(
        part.named("trail"),
        name=log_group(names),
        retention_in_days=KEPT_DAYS,
        kms_key_id=key,
        tags=names.tags,
        opts=part.child(),
    )
    for sighting in sightings(names):
        metric = f"{names.slice}-{sighting.role}"
        cloudwatch.LogMetricFilter(
            part.named(sighting.role),
            name=metric,
            log_group_name=group.name,
            pattern=sighting.pattern,
            metric_transformation={"namespace": NAMESPACE, "name": metric, "value": "1"},
            opts=part.child(),
        )
        cloudwatch.MetricAlarm(
            part.named(sighting.role),
            name=names.physical("alarm", sighting.role),
            alarm_description=f"{sighting.sentence}. Ask the trail: the saved question `who changed` in Athena.",
            namespace=NAMESPACE,
            metric_name=metric,
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
            alarm_actions=[topic],
            tags=names.tags,
            opts=part.child(),
        )
    # CloudTrail wants the streams of a group named, not the group (CloudTrail API, CreateTrail).
    return Output.concat(group.arn, ":*")
