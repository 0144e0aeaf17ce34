"""A CloudTrail trail and what it records, and the addresses by which other parts mean it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_aws.accessanalyzer as accessanalyzer
import pulumi_aws.cloudtrail as cloudtrail
from pulumi import Input, Output, Resource

from mlestate.names import Names
from mlestate.part import Part

__all__ = ["STORE", "Log", "analyzer_arn", "analyzers", "trail", "trail_arn"]

STORE = "audit-logs"
"""The role of the bucket that holds every trail of the estate."""

UNUSED_AFTER_DAYS = 90
"""How long a role, or a right that it has, may go unused before the analyzer says so."""


@dataclass(frozen=True)
class Log:
    """The log of a trail, and who CloudTrail writes it as."""

    group: Output[str]
    role: Output[str]


Selector = cloudtrail.TrailAdvancedEventSelectorArgsDict


def trail_arn(names: Names) -> str:
    """The ARN of the trail of an account; ``names`` are those of the slice that keeps it."""
    return names.arn("cloudtrail", f"trail/{names.physical('trail', 'audit')}")


def analyzer_arn(names: Names, role: str = "external-access") -> str:
    """The ARN of an analyzer of access: `external-access` or `unused-access`."""
    return names.arn("access-analyzer", f"analyzer/{names.physical('analyzer', role)}")


def trail(
    part: Part,
    *,
    store: Input[str],
    key: Output[str] | None,
    by_alias: bool,
    detailed: bool,
    buckets: Sequence[str],
    log: Log | None,
    kept: bool,
    depends_on: Sequence[Resource] = (),
) -> cloudtrail.Trail:
    """The trail of one account, as a child of ``part``.

    ``store`` is the name of the bucket that it writes to. A key that is known ``by_alias`` stays what it was at first:
    CloudTrail answers with the key behind an alias, which would show as a change for ever
    (terraform-provider-aws#33928). ``detailed`` adds what bills by the event: the search for
    unusual rates of calls and errors, and data events, among them every write to one of ``buckets``, which are ARNs
    (AWS CloudTrail pricing). ``log`` is where it writes besides.
    """
    return cloudtrail.Trail(
        part.named("trail"),
        name=part.names.physical("trail", "audit"),
        s3_bucket_name=store,
        kms_key_id=key,
        cloud_watch_logs_group_arn=log.group if log else None,
        cloud_watch_logs_role_arn=log.role if log else None,
        enable_logging=True,
        enable_log_file_validation=True,
        include_global_service_events=True,
        is_multi_region_trail=True,
        # Any selector of data events replaces the management events that a trail records by itself (CloudTrail
        # API, PutEventSelectors), so these are always among them.
        advanced_event_selectors=[_MANAGEMENT, *(_data_events(buckets) if detailed else [])],
        insight_selectors=[{"insight_type": kind} for kind in ("ApiCallRateInsight", "ApiErrorRateInsight")]
        if detailed
        else None,
        tags=part.names.tags,
        opts=part.child(protect=kept, ignore_changes=["kmsKeyId"] if by_alias else [], depends_on=list(depends_on)),
    )


def analyzers(part: Part) -> None:
    """Who outside the account reaches into it, and which roles go unused.

    The first is free; the second bills by the role and user of the whole account each month (IAM Access Analyzer
    pricing). An account has one of each in a region (IAM user guide, "IAM Access Analyzer quotas").
    """
    accessanalyzer.Analyzer(
        part.named("external-access"),
        analyzer_name=part.names.physical("analyzer", "external-access"),
        type="ACCOUNT",
        tags=part.names.tags,
        opts=part.child(),
    )
    accessanalyzer.Analyzer(
        part.named("unused-access"),
        analyzer_name=part.names.physical("analyzer", "unused-access"),
        type="ACCOUNT_UNUSED_ACCESS",
        configuration={"unused_access": {"unused_access_age": UNUSED_AFTER_DAYS}},
        tags=part.names.tags,
        opts=part.child(),
    )


_MANAGEMENT: Selector = {
    "name": "Management",
    "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
}

_DATA: cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgsDict = {"field": "eventCategory", "equals": ["Data"]}

_KINDS = (
    ("Features", "AWS::SageMaker::FeatureGroup"),
    ("Endpoints", "AWS::SageMaker::Endpoint"),
    ("Tracking", "AWS::SageMaker::MlflowTrackingServer"),
)
"""CloudTrail user guide, "Data events". Of endpoints CloudTrail promises the streaming invocations alone: who asked a
model what is read off the captured requests."""


def _data_events(buckets: Sequence[str]) -> list[Selector]:
    selectors: list[Selector] = [
        {"name": name, "field_selectors": [_DATA, {"field": "resources.type", "equals": [kind]}]}
        for name, kind in _KINDS
    ]
    if buckets:
        selectors.append(
            {
                "name": "Writes to the estate's buckets",
                "field_selectors": [
                    _DATA,
                    {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                    {"field": "readOnly", "equals": ["false"]},
                    {"field": "resources.ARN", "starts_withs": [f"{bucket}/" for bucket in buckets]},
                ],
            }
        )
    return selectors
