"""The record of who did what on AWS, kept where those it records cannot alter it."""

from collections.abc import Sequence

import pulumi_aws.accessanalyzer as accessanalyzer
import pulumi_aws.cloudtrail as cloudtrail
import pulumi_aws.s3 as s3
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws import buckets
from mlestate.aws.data import ROLES
from mlestate.aws.policies import Statement, allow, deny
from mlestate.config.estate import Audit as AuditSettings
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["STORE", "Audit", "analyzer_arn", "trail_arn"]

STORE = "audit-logs"
"""The role of the bucket that holds the trail."""

Selector = cloudtrail.TrailAdvancedEventSelectorArgsDict


class Audit(Part):
    """A CloudTrail trail of every region, in a bucket that CloudTrail alone writes to and nobody deletes from.

    Built even when the file has no `audit:` block, because the first copy of management events is free in every region
    (AWS CloudTrail pricing); an account with another trail pays for this one by the event. What bills from the first
    event on, or may stand only once in an account, comes with the block: reads and writes of feature groups,
    invocations of endpoints, writes to the estate's buckets, and the analyzer of access from outside (one an account
    and region: IAM user guide, "IAM Access Analyzer quotas").

    Locked for compliance, or with any environment protected, the bucket outlives the estate. Otherwise it goes with the
    estate as soon as someone who may lift the lock has emptied it; with `lock: none` Pulumi empties it itself.

    It records the hub's account. Environments in other accounts keep CloudTrail's own ninety days of events until a
    trail of the organization, or of theirs, records them.
    """

    trail: Output[str]
    store: Output[str]

    def __init__(
        self,
        names: Names,
        settings: AuditSettings,
        detailed: bool,
        environments: Sequence[Names],
        keys: contract.Keys,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``detailed``: the file asks for an audit; ``environments`` are those in the hub's account."""
        super().__init__(names, opts)
        key = keys.ids.get("audit")
        kept = protect or settings.lock == "compliance"
        store = buckets.bucket(
            self,
            STORE,
            key=key,
            expire_days={"": settings.retention.days},
            statements=_only_the_trail(names),
            object_lock=True,
            force_destroy=settings.lock == "none" and not kept,
            protect=kept,
            retain_on_delete=kept,
        )
        if settings.lock != "none":
            s3.BucketObjectLockConfiguration(
                self.named(STORE),
                bucket=store.resource.bucket,
                rule={"default_retention": {"mode": settings.lock.upper(), "days": settings.retention.days}},
                opts=self.child(protect=kept, retain_on_delete=kept),
            )
        trail = cloudtrail.Trail(
            self.named("trail"),
            name=names.physical("trail", "audit"),
            s3_bucket_name=store.resource.bucket,
            kms_key_id=key,
            enable_logging=True,
            enable_log_file_validation=True,
            include_global_service_events=True,
            is_multi_region_trail=True,
            # Any selector of data events replaces the management events that a trail records by itself (CloudTrail
            # API, PutEventSelectors), so these are always among them.
            advanced_event_selectors=[_MANAGEMENT, *(_data_events(environments) if detailed else [])],
            tags=names.tags,
            opts=self.child(protect=kept, depends_on=[store.policy]),
        )
        if detailed:
            accessanalyzer.Analyzer(
                self.named("external-access"),
                analyzer_name=names.physical("analyzer", "external-access"),
                type="ACCOUNT",
                tags=names.tags,
                opts=self.child(),
            )
        self.publish(trail=trail.arn, store=store.uri)


def trail_arn(names: Names) -> str:
    """The ARN of the trail; ``names`` are the hub's."""
    return names.arn("cloudtrail", f"trail/{names.physical('trail', 'audit')}")


def analyzer_arn(names: Names) -> str:
    """The ARN of the analyzer of access from outside; ``names`` are the hub's."""
    return names.arn("access-analyzer", f"analyzer/{names.physical('analyzer', 'external-access')}")


def _only_the_trail(names: Names) -> list[Statement]:
    """CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail"."""
    bucket, trail = buckets.arn(names, STORE), trail_arn(names)
    service = {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
    return [
        allow("CheckTheOwner", "s3:GetBucketAcl", bucket, {"StringEquals": {"aws:SourceArn": trail}}) | service,
        allow(
            "WriteTheTrail",
            "s3:PutObject",
            f"{bucket}/AWSLogs/{names.home}/*",
            {"StringEquals": {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}},
        )
        | service,
        # A request that no service makes carries no source, and a missing key is not equal: it is refused.
        deny("RefuseOtherWriters", "s3:PutObject", f"{bucket}/*", {"StringNotEquals": {"aws:SourceArn": trail}}),
        deny("RefuseDeletion", ["s3:DeleteObject", "s3:DeleteObjectVersion"], f"{bucket}/*"),
    ]


_MANAGEMENT: Selector = {
    "name": "Management",
    "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
}


def _data_events(environments: Sequence[Names]) -> list[Selector]:
    stores = [f"{buckets.arn(names, role)}/" for names in environments for role in ROLES]
    selectors: list[Selector] = [
        {"name": name, "field_selectors": [_DATA, {"field": "resources.type", "equals": [type_]}]}
        for name, type_ in (("Features", "AWS::SageMaker::FeatureGroup"), ("Endpoints", "AWS::SageMaker::Endpoint"))
    ]
    if stores:
        selectors.append(
            {
                "name": "Writes to the estate's buckets",
                "field_selectors": [
                    _DATA,
                    {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                    {"field": "readOnly", "equals": ["false"]},
                    {"field": "resources.ARN", "starts_withs": stores},
                ],
            }
        )
    return selectors


_DATA: cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgsDict = {"field": "eventCategory", "equals": ["Data"]}
