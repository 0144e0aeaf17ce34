"""An S3 bucket as every part of an estate wants one: private, encrypted, versioned, and reached over TLS alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_aws.s3 as s3
from pulumi import Output

from mlestate.aws.policies import Statement, allow, canonical, deny
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["LOGS", "Bucket", "access_logs", "arn", "bucket"]

LOGS = "logs"
"""The role of the bucket that keeps who reached the others."""

LOG_DAYS = 365
"""How long a record of access is kept."""

NONCURRENT_DAYS = 90
"""How long a version that was overwritten or deleted can still be brought back."""


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the policy that whoever writes to it at once has to wait for."""

    resource: s3.Bucket
    policy: s3.BucketPolicy

    @property
    def uri(self) -> Output[str]:
        return Output.concat("s3://", self.resource.bucket)


def arn(names: Names, role: str) -> str:
    """The ARN of an estate's bucket, computed: known before the bucket is there, and in every slice."""
    return names.arn("s3", names.physical("bucket", role), regional=False)


def bucket(
    part: Part,
    role: str,
    *,
    key: Output[str] | None,
    expire_days: Mapping[str, int] | None = None,
    statements: Sequence[Statement] = (),
    object_lock: bool = False,
    force_destroy: bool = False,
    logs: Bucket | None = None,
    **options: Any,
) -> Bucket:
    """A bucket and its settings, as children of ``part``; ``options`` go to the bucket alone.

    ``key`` is a KMS key ARN, or None for keys that S3 manages. ``expire_days`` says by prefix how long objects stay.
    ``logs`` takes the record of every request, from `access_logs`.

    Settings are resources of their own, never inline: inline ones are deprecated and fight with these (pulumi-aws 7,
    `s3.Bucket`). They hang on the bucket and on each other only where S3 wants an order.
    """
    names, logical = part.names, part.named(role)
    made = s3.Bucket(
        logical,
        bucket=names.physical("bucket", role),
        object_lock_enabled=object_lock or None,
        force_destroy=force_destroy,
        tags=names.tags,
        opts=part.child(**options),
    )
    versioning = s3.BucketVersioning(
        logical,
        bucket=made.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=part.child(),
    )
    s3.BucketServerSideEncryptionConfiguration(
        logical,
        bucket=made.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms" if key is not None else "AES256",
                    "kms_master_key_id": key,
                },
                # One data key a bucket instead of one an object: a hundredth of the KMS requests, which are billed.
                "bucket_key_enabled": key is not None,
            }
        ],
        opts=part.child(),
    )
    block = s3.BucketPublicAccessBlock(
        logical,
        bucket=made.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=part.child(),
    )
    s3.BucketOwnershipControls(
        logical,
        bucket=made.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=part.child(),
    )
    whole = [arn(names, role), f"{arn(names, role)}/*"]
    insecure = deny("RefusePlainHttp", "s3:*", whole, {"Bool": {"aws:SecureTransport": "false"}})
    policy = s3.BucketPolicy(
        logical,
        bucket=made.bucket,
        policy=canonical([{**each, "Principal": each.get("Principal", "*")} for each in (insecure, *statements)]),
        # Changed at the same moment as the access block, S3 answers OperationAborted.
        opts=part.child(depends_on=[block]),
    )
    s3.BucketLifecycleConfiguration(
        logical,
        bucket=made.bucket,
        rules=[_tidy(), *(_expire(prefix, days) for prefix, days in sorted((expire_days or {}).items()))],
        opts=part.child(depends_on=[versioning]),
    )
    s3.BucketNotification(logical, bucket=made.bucket, eventbridge=True, opts=part.child())
    if logs is not None:
        s3.BucketLogging(
            logical,
            bucket=made.bucket,
            target_bucket=logs.resource.bucket,
            target_prefix=f"{role}/",
            # By the day of the request, so that a question about one day reads one day.
            target_object_key_format={"partitioned_prefix": {"partition_date_source": "EventTime"}},
            opts=part.child(depends_on=[logs.policy]),
        )
    return Bucket(made, policy)


def access_logs(part: Part, sources: Sequence[str], *, protect: bool) -> Bucket:
    """The bucket that keeps who reached the buckets of the roles ``sources``; delivery is free, storage is by the byte.

    S3 delivers to no bucket with an Object Lock retention, and to one under a customer's key only where that key's
    policy names the delivery service (S3 user guide, "Enabling Amazon S3 server access logging"): this one is under
    keys that S3 manages. It fills by itself, so an environment that may be destroyed takes it along, full as it is.
    """
    names = part.names
    deliver = allow(
        "DeliverAccessLogs",
        "s3:PutObject",
        f"{arn(names, LOGS)}/*",
        {
            "StringEquals": {"aws:SourceAccount": names.home},
            "ArnLike": {"aws:SourceArn": [arn(names, role) for role in sources]},
        },
    )
    return bucket(
        part,
        LOGS,
        key=None,
        expire_days={"": LOG_DAYS},
        statements=[{**deliver, "Principal": {"Service": "logging.s3.amazonaws.com"}}],
        force_destroy=not protect,
        protect=protect,
    )


def _tidy() -> s3.BucketLifecycleConfigurationRuleArgsDict:
    return {
        "id": "tidy",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
        "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
    }


def _expire(prefix: str, days: int) -> s3.BucketLifecycleConfigurationRuleArgsDict:
    return {
        "id": f"expire-{prefix.strip('/') or 'all'}"[:255],
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "expiration": {"days": days},
    }
