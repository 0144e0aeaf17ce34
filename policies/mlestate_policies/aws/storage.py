"""Buckets of S3 and what pulumi-aws keeps beside them: `aws:s3/bucket` and `aws:s3/bucket*`."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.any.resources import disposable
from mlestate_policies.aws.documents import Document, Statement, judge_documents
from mlestate_policies.checks import at_least, equals, holds, is_false, is_set, is_true, one_of
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings, limit
from mlestate_policies.values import Node

BUCKET: Final = "aws:s3/bucket:Bucket"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
PUBLIC_ACCESS: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"

_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_DEFAULT: Final = "applyServerSideEncryptionByDefault"
_PLAIN_HTTP: Final = ("bool", "aws:securetransport", ("false",))
_WITH_KEY: Final = ("aws:kms", "aws:kms:dsse")

ACCESS_LOGS: Final = limit(
    "accessLogBuckets",
    ("*-logs", "*access-logs*"),
    "Logical names (with `*`) of the buckets to which S3 writes access logs, which it cannot with a key of one's own",
)


@resource_rule(
    "ML-AWS-ST-001",
    {PUBLIC_ACCESS: _BLOCKS},
    "A bucket refuses public access in all four ways",
    why="One switch left off is enough for an access list or a policy to open the data to everyone.",
    fix="Set blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true.",
    severity="critical",
    sources=(
        "CKV_AWS_53",
        "CKV_AWS_54",
        "CKV_AWS_55",
        "CKV_AWS_56",
        "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7", "Law 25 s.10"),
    remedy=dict.fromkeys(_BLOCKS, True),
)
def bucket_refuses_public_access(block: Resource, settings: Settings) -> Findings:
    for switch in _BLOCKS:
        yield from is_true(block, switch)


@resource_rule(
    "ML-AWS-ST-002",
    {
        ENCRYPTION: (f"rules[].{_DEFAULT}.sseAlgorithm", f"rules[].{_DEFAULT}.kmsMasterKeyId"),
        BUCKET: (
            f"serverSideEncryptionConfiguration.rule.{_DEFAULT}.sseAlgorithm",
            f"serverSideEncryptionConfiguration.rule.{_DEFAULT}.kmsMasterKeyId",
        ),
    },
    "A bucket encrypts with a key of the estate",
    why="With S3's own key whoever may read the bucket may read the data; a key of one's own is a second lock, and "
    "says who used it.",
    fix='Set sseAlgorithm to "aws:kms" and kmsMasterKeyId to a key of the estate.',
    severity="high",
    hardening=True,
    sources=(
        "CKV_AWS_145",
        "S3_DEFAULT_ENCRYPTION_KMS",
        "pulumi compliance aws-s3-bucket-configure-server-side-encryption-kms",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7", "Law 25 s.10"),
)
def bucket_encrypts_with_a_key(resource: Resource, settings: Settings) -> Findings:
    if _takes_access_logs(resource, settings):
        return
    if resource.type == BUCKET:
        default = resource.at(f"serverSideEncryptionConfiguration.rule.{_DEFAULT}")
        if not resource.at("serverSideEncryptionConfiguration").absent:  # else the sidecar says it
            yield from _with_key(default)
        return
    for rule in resource.each("rules[]"):
        yield from _with_key(rule.at(_DEFAULT))


def _with_key(default: Node) -> Findings:
    yield from one_of(default, "sseAlgorithm", _WITH_KEY)
    yield from is_set(default, "kmsMasterKeyId", "without one S3 takes a key that AWS manages")


def _takes_access_logs(resource: Resource, settings: Settings) -> bool:
    names = (resource.name, resource.at("bucket").text)
    return not settings.keeps_records(resource) and any(
        fnmatchcase(name.lower(), pattern) for name in names for pattern in settings[ACCESS_LOGS]
    )


@resource_rule(
    "ML-AWS-ST-003",
    {VERSIONING: ("versioningConfiguration.status",)},
    "A bucket keeps the versions of its objects",
    why="What is overwritten or deleted by mistake or on purpose can be brought back, and what a model learnt from can "
    "be shown.",
    fix='Set versioningConfiguration.status to "Enabled".',
    severity="medium",
    sources=("CKV_AWS_21", "S3_BUCKET_VERSIONING_ENABLED"),
    evidences=("ISO 42001 A.7.5",),
)
def bucket_keeps_versions(versioning: Resource, settings: Settings) -> Findings:
    return equals(versioning, "versioningConfiguration.status", "Enabled")


@resource_rule(
    "ML-AWS-ST-004",
    {LOGGING: ("targetBucket",)},
    "A bucket's access log goes to another bucket",
    why="A log in the bucket it tells of grows by its own entries, and whoever may write there may spoil it.",
    fix="Set targetBucket to a bucket for logs.",
    severity="medium",
    sources=("CKV_AWS_18", "S3_BUCKET_LOGGING_ENABLED", "awsguard s3-bucket-logging-enabled"),
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8"),
)
def access_log_goes_elsewhere(logging: Resource, settings: Settings) -> Findings:
    bucket, target = logging.at("bucket"), logging.at("targetBucket")
    if target.absent:
        yield Violation(target.path, f"{target.path} is not set; it has to be a bucket for logs")
    elif bucket.unknown or target.unknown:
        dependencies = logging.property_dependencies
        ours, theirs = dependencies.get("bucket", ()), dependencies.get("targetBucket", ())
        if not (ours and theirs) or set(ours) & set(theirs):
            yield Undecided(target.path)
    elif bucket.text == target.text:
        yield Violation(target.path, f"{target.path} is the bucket itself; it has to be another one, for logs")


@resource_rule(
    "ML-AWS-ST-005",
    {POLICY: ("policy",), BUCKET: ("policy",)},
    "A bucket's policy refuses plain HTTP and allows nobody without naming them",
    why="Over plain HTTP data can be read and changed on its way; a wildcard principal gives it to every account.",
    fix='Add a Deny of s3:* for the bucket and its objects where aws:SecureTransport is "false", and name the '
    "principals of every Allow.",
    severity="high",
    sources=("S3_BUCKET_SSL_REQUESTS_ONLY", "CKV_AWS_70"),
    evidences=("EU AI Act 15", "PIPEDA 4.7", "Law 25 s.10"),
)
def bucket_policy_refuses_plain_http_and_strangers(policy: Resource, settings: Settings) -> Findings:
    if policy.type == BUCKET and policy.at("policy").absent:
        return  # it is beside the bucket
    yield from judge_documents(policy, "policy", _allowed_to_all, needed="it has to refuse plain HTTP")
    document = Document.of(policy.at("policy"))
    if document is not None and not _refuses_plain_http(document):
        yield Violation(
            "policy", 'policy: no statement denies s3:* to everyone where aws:SecureTransport is "false"; one has to'
        )


def _allowed_to_all(document: Document) -> Iterator[tuple[Statement, str]]:
    for statement in document.allowing:
        if statement.public:
            yield statement, "allows everyone, in every account; it has to name whom"


def _keeps_records(resource: Resource, settings: Settings) -> bool:
    return settings.keeps_records(resource) and not disposable(resource, settings)


def _refuses_plain_http(document: Document) -> bool:
    """Everyone is denied everything on the bucket and on all its objects, on that condition and no other."""
    refusing = [
        statement
        for statement in document.denying
        if any(principal.anyone for principal in statement.principals)
        and [(_plain(each.operator), each.key.lower(), each.values) for each in statement.conditions] == [_PLAIN_HTTP]
    ]
    buckets = {resource.split("/")[0].rstrip("*") for statement in refusing for resource in statement.resources}
    return any(
        all(any(each.covers("s3:*", place) for each in refusing) for place in (bucket, f"{bucket}/*"))
        for bucket in buckets
    )


def _plain(operator: str) -> str:
    return operator.lower().removesuffix("ifexists").replace("stringequals", "bool")


@resource_rule(
    "ML-AWS-ST-006",
    {
        BUCKET: ("objectLockEnabled",),
        LOCK: ("rule.defaultRetention.mode", "rule.defaultRetention.days", "rule.defaultRetention.years"),
    },
    "What is recorded is locked for as long as it has to be kept",
    why="A record that can be deleted or rewritten before its time proves nothing.",
    fix="Set objectLockEnabled to true on the bucket, and a defaultRetention with a mode and with days (or years) not "
    "below the limit retentionDays.",
    severity="high",
    sources=("CKV_AWS_143", "S3_BUCKET_DEFAULT_LOCK_ENABLED"),
    evidences=("EU AI Act 19", "EU AI Act 26(6)", "ISO 42001 A.6.2.8"),
)
def records_are_locked(resource: Resource, settings: Settings) -> Findings:
    if not _keeps_records(resource, settings):
        return
    if resource.type == BUCKET:
        yield from is_true(resource, "objectLockEnabled")
        return
    retention = resource.at("rule.defaultRetention")
    yield from one_of(retention, "mode", ("GOVERNANCE", "COMPLIANCE"))
    if retention.at("years").absent:
        yield from at_least(retention, "days", settings[RETENTION_DAYS], "days")
    else:
        yield from at_least(retention, "years", settings[RETENTION_DAYS] / 365, "years")


@resource_rule(
    "ML-AWS-ST-007",
    {
        LIFECYCLE: ("rules[].expiration.days", "rules[].expiration.date"),
        BUCKET: ("lifecycleRules[].expiration.days", "lifecycleRules[].expiration.date"),
    },
    "No rule of a lifecycle deletes what is recorded before its time",
    why="A lifecycle rule deletes without asking, and the audit finds nothing.",
    fix="Set expiration.days not below the limit retentionDays, or leave the expiration out.",
    severity="high",
    evidences=("EU AI Act 19", "EU AI Act 26(6)", "ISO 42001 A.6.2.8"),
)
def records_are_not_deleted_early(lifecycle: Resource, settings: Settings) -> Findings:
    if not _keeps_records(lifecycle, settings):
        return
    for rule in lifecycle.each("lifecycleRules[]" if lifecycle.type == BUCKET else "rules[]"):
        enabled = rule.at("enabled")
        if rule.at("status").text.lower() == "disabled" or (enabled.known and not enabled.true):
            continue
        yield from at_least(rule, "expiration.days", settings[RETENTION_DAYS], "days", absent_passes=True)
        yield from holds(
            rule,
            "expiration.date",
            lambda node: False,
            "it deletes from that day on whatever its age; it has to be a number of days",
            absent_passes=True,
        )


@resource_rule(
    "ML-AWS-ST-008",
    {BUCKET: ("forceDestroy",)},
    "A bucket in production is not emptied to be deleted",
    why="With forceDestroy one wrong change of a program deletes every object and every version of it.",
    fix="Set forceDestroy to false or leave it out.",
    severity="high",
    hardening=True,
    evidences=("ISO 42001 A.7.5",),
    remedy={"forceDestroy": False},
)
def bucket_is_not_emptied(bucket: Resource, settings: Settings) -> Findings:
    if settings.production(bucket) and not disposable(bucket, settings):
        yield from is_false(bucket, "forceDestroy", absent_passes=True)
