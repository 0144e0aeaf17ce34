"""Who is told at once when someone lays hands on the record, on a verdict, or on what watches a model.

Rules on the calls that CloudTrail hands to EventBridge. They cost nothing, and work only where a trail records
(EventBridge user guide, "AWS service events delivered via CloudTrail"), in the region where they stand: calls of IAM
and of the sign-in page appear in us-east-1 alone, so no rule here could see them: for those there is the trail's log.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_aws.cloudwatch as cloudwatch
from pulumi import Output, Resource

from mlestate.aws.policies import path
from mlestate.aws.queues import dead_letters
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Signal", "of_environment", "of_keys", "of_rates", "of_registry", "of_store", "of_trail", "watch"]

Detail = Mapping[str, Any]


@dataclass(frozen=True)
class Signal:
    """An event that a person is to hear of."""

    role: str
    """What the rule is for, as in its name."""
    sentence: str
    """What happened, without its final stop."""
    pattern: Detail
    paths: Mapping[str, str]
    """Where in the event the words of the message are (JSON paths)."""
    message: str
    """What is said after the sentence; a word in angle brackets stands for what lies at its path."""
    urgency: str = "page"


def _call(role: str, sentence: str, service: str, calls: Sequence[str], detail: Detail) -> Signal:
    """``detail`` is what else must hold of the call's record."""
    own = {"eventSource": [f"{service}.amazonaws.com"], "eventName": list(calls), **detail}
    pattern = {"source": [f"aws.{service}"], "detail-type": ["AWS API Call via CloudTrail"], "detail": own}
    return Signal(role, sentence, pattern, _PATHS, _ACCOUNT)


def of_trail(names: Names, trail: str) -> Iterator[Signal]:
    """``trail`` is an ARN; who calls may say it or the trail's name."""
    said = [trail, trail.rpartition("/")[2]]
    yield _call(
        "trail-changed",
        f"The audit trail of {names.estate} was touched",
        "cloudtrail",
        ["DeleteTrail", "PutEventSelectors", "PutInsightSelectors", "StopLogging", "UpdateTrail"],
        {"$or": [{"requestParameters": {field: said}} for field in ("name", "trailName")]},
    )


def of_store(names: Names, bucket: str) -> Iterator[Signal]:
    """``bucket`` is the name of the one that holds the trail."""
    yield _call(
        "trail-store-changed",
        f"The store of the audit trail of {names.estate} was touched",
        "s3",
        [
            "DeleteBucket",
            "DeleteBucketEncryption",
            "DeleteBucketPolicy",
            "DeleteBucketPublicAccessBlock",
            "PutBucketAcl",
            "PutBucketEncryption",
            "PutBucketLifecycle",
            "PutBucketLifecycleConfiguration",
            "PutBucketObjectLockConfiguration",
            "PutBucketPolicy",
            "PutBucketPublicAccessBlock",
            "PutBucketVersioning",
            "PutObjectLockConfiguration",
        ],
        {"requestParameters": {"bucketName": [bucket]}},
    )


def of_keys(names: Names) -> Iterator[Signal]:
    """Of every key in the account and region: what a key encrypted is lost with it, whoever's it was."""
    yield _call(
        "key-ended",
        f"A key in an account of {names.estate} was disabled, or its deletion was scheduled",
        "kms",
        ["DeleteImportedKeyMaterial", "DisableKey", "ScheduleKeyDeletion"],
        {},
    )


def of_registry(names: Names) -> Iterator[Signal]:
    """``names`` are the hub's."""
    approver = names.arn("iam", f"role{path(names)}{names.physical('role', 'approver')}", regional=False)
    version = {"prefix": names.arn("sagemaker", f"model-package/{names.slice}-")}
    groups = [{"prefix": f"{names.slice}-"}, {"prefix": names.arn("sagemaker", f"model-package-group/{names.slice}-")}]
    yield _call(
        "approved-by-another",
        f"A model version of {names.estate} was approved or rejected by someone who is no approver",
        "sagemaker",
        ["UpdateModelPackage"],
        {
            "requestParameters": {"modelPackageArn": [version], "modelApprovalStatus": [{"exists": True}]},
            "$or": _not_by(approver),
        },
    )
    yield _call(
        "registry-opened",
        f"Who may use the model registry of {names.estate} was changed",
        "sagemaker",
        ["DeleteModelPackageGroupPolicy", "PutModelPackageGroupPolicy"],
        {"requestParameters": {"modelPackageGroupName": groups}},
    )


def of_environment(names: Names) -> Iterator[Signal]:
    release = names.arn("iam", f"role{path(names)}{names.physical('role', 'release')}", regional=False)
    own = [{"prefix": f"{names.slice}-"}]
    yield _call(
        f"{names.environment}-endpoint",
        f"An endpoint in {names.environment} of {names.estate} was changed by something else than its release workflow",
        "sagemaker",
        ["UpdateEndpoint"],
        {"requestParameters": {"endpointName": own}, "$or": _not_by(release)},
    )
    yield _call(
        f"{names.environment}-monitors",
        f"A monitoring schedule in {names.environment} of {names.estate} was stopped or deleted",
        "sagemaker",
        ["DeleteMonitoringSchedule", "StopMonitoringSchedule"],
        {"requestParameters": {"monitoringScheduleName": own}},
    )


def of_rates(names: Names) -> Iterator[Signal]:
    """What CloudTrail itself finds unusual, where it was asked to look (CloudTrail user guide, "CloudTrail Insights").

    That someone works more than usual is worth a look in the morning.
    """
    yield Signal(
        "calls-unusual",
        f"Calls or their errors came at an unusual rate in an account of {names.estate}",
        {"detail-type": ["AWS Insight via CloudTrail"], "detail": {"insightDetails": {"state": ["Start"]}}},
        {
            "account": "$.detail.recipientAccountId",
            "call": "$.detail.insightDetails.eventName",
            "kind": "$.detail.insightDetails.insightType",
            "region": "$.detail.awsRegion",
            "service": "$.detail.insightDetails.eventSource",
            "time": "$.detail.eventTime",
        },
        "<call> of <service> (<kind>) since <time>, in account <account>, region <region>.",
        urgency="notice",
    )


def watch(
    part: Part,
    signals: Sequence[Signal],
    topics: Mapping[str, Output[str]],
    key: Output[str] | None,
    depends_on: Sequence[Resource],
) -> None:
    """A rule for each signal, which tells the topic of its urgency in a sentence; what cannot be told waits in a queue.

    ``depends_on`` is what the signals are about, so that its making is no signal. ``key`` is that of queues.
    """
    queue = dead_letters(part, "audit", key=key, topic=topics["page"])
    for signal in signals:
        rule = cloudwatch.EventRule(
            part.named(signal.role),
            name=part.names.physical("rule", signal.role),
            description=f"{signal.sentence}.",
            event_pattern=json.dumps(signal.pattern, sort_keys=True, separators=(",", ":")),
            tags=part.names.tags,
            opts=part.child(depends_on=list(depends_on)),
        )
        cloudwatch.EventTarget(
            part.named(signal.role),
            rule=rule.name,
            arn=topics[signal.urgency],
            input_transformer={
                "input_paths": signal.paths,
                "input_template": json.dumps(f"{signal.sentence}: {signal.message}"),
            },
            dead_letter_config={"arn": queue.arn},
            opts=part.child(),
        )


def _not_by(role: str) -> list[Detail]:
    """Of a call that no role's session made, a user's or the root's, the record names no issuer."""
    return [
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [condition]}}}}
        for condition in ({"anything-but": role}, {"exists": False})
    ]


_PATHS = {
    "account": "$.detail.recipientAccountId",
    "call": "$.detail.eventName",
    "error": "$.detail.errorCode",
    "origin": "$.detail.sourceIPAddress",
    "region": "$.detail.awsRegion",
    "time": "$.detail.eventTime",
    "who": "$.detail.userIdentity.arn",
}

_ACCOUNT = (
    "<who> called <call> at <time> from <origin>, in account <account>, region <region>. Refused with (empty where it "
    "was not): <error>."
)
"""A path that the record lacks is left empty (EventBridge user guide, "Input transformation")."""
