"""Buckets of Cloud Storage: training data, artifacts of models, records."""

from typing import Final

from mlestate_policies.checks import at_least, equals, is_false, is_true
from mlestate_policies.gcp.shapes import DAY, has_own_key, lasts
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings

BUCKET: Final = "gcp:storage/bucket:Bucket"


@resource_rule(
    "ML-GCP-ST-001",
    {BUCKET: ("uniformBucketLevelAccess", "publicAccessPrevention")},
    "A bucket is never public, and its objects have no access lists of their own",
    why="One object opened by itself is enough to publish a training set, and no policy of the bucket shows it.",
    fix='Set uniformBucketLevelAccess to true and publicAccessPrevention to "enforced".',
    severity="critical",
    sources=(
        "CKV_GCP_29",
        "CKV_GCP_114",
        "prowler cloudstorage_bucket_uniform_bucket_level_access",
        "prowler cloudstorage_bucket_public_access",
        "pulumi gcp-storage-bucket-enforce-public-access-prevention",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"uniformBucketLevelAccess": True, "publicAccessPrevention": "enforced"},
)
def bucket_is_never_public(bucket: Resource, settings: Settings) -> Findings:
    yield from is_true(bucket, "uniformBucketLevelAccess")
    yield from equals(bucket, "publicAccessPrevention", "enforced")


@resource_rule(
    "ML-GCP-ST-002",
    {BUCKET: ("encryption.defaultKmsKeyName",)},
    "A bucket has a default key of the estate",
    why="Data and models are then read by those who may use the key, and by nobody once it is withdrawn.",
    fix="Set encryption.defaultKmsKeyName to a key in the bucket's location.",
    severity="high",
    hardening=True,
    sources=("trivy google-storage-bucket-encryption-customer-key",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def bucket_has_a_key(bucket: Resource, settings: Settings) -> Findings:
    return has_own_key(bucket, "encryption.defaultKmsKeyName")


@resource_rule(
    "ML-GCP-ST-003",
    {BUCKET: ("versioning.enabled", "softDeletePolicy.retentionDurationSeconds")},
    "A bucket keeps older versions and what was deleted",
    why="Which data a model was trained on can be shown only while that version is still there.",
    fix="Set versioning.enabled to true, and leave softDeletePolicy out or at 604800 seconds or more.",
    severity="medium",
    sources=(
        "CKV_GCP_78",
        "prowler cloudstorage_bucket_versioning_enabled",
        "prowler cloudstorage_bucket_soft_delete_enabled",
    ),
    evidences=("ISO 42001 A.7.5", "EU AI Act 15"),
)
def bucket_keeps_versions(bucket: Resource, settings: Settings) -> Findings:
    if bucket.at("retentionPolicy").absent:  # one with a retention policy keeps each object as it is
        yield from is_true(bucket, "versioning.enabled")
    yield from at_least(bucket, "softDeletePolicy.retentionDurationSeconds", 7 * DAY, "seconds", absent_passes=True)


@resource_rule(
    "ML-GCP-ST-004",
    {BUCKET: ("retentionPolicy.isLocked", "retentionPolicy.retentionPeriod")},
    "Buckets of records are locked for the retention that is asked",
    why="A record that somebody can shorten or delete proves nothing.",
    fix="Set retentionPolicy.retentionPeriod to the floor in seconds, and retentionPolicy.isLocked to true.",
    severity="high",
    sources=(
        "CKV2_GCP_4",
        "prowler cloudstorage_bucket_log_retention_policy_lock",
        "prowler cloudstorage_bucket_sufficient_retention_period",
    ),
    evidences=("EU AI Act 19", "EU AI Act 26", "ISO 42001 A.6.2.8"),
)
def bucket_of_records_is_locked(bucket: Resource, settings: Settings) -> Findings:
    if not settings.keeps_records(bucket):
        return
    days = settings[RETENTION_DAYS]
    yield from is_true(bucket, "retentionPolicy.isLocked")
    yield from lasts(
        bucket,
        "retentionPolicy.retentionPeriod",
        lambda length: length >= days * DAY,
        f"at least {days * DAY:.0f} seconds ({days:g} days)",
    )


@resource_rule(
    "ML-GCP-ST-005",
    {BUCKET: ("forceDestroy",)},
    "A bucket in production is not deleted with what is in it",
    why="One mistaken destroy would take data, models and records with it.",
    fix="Set forceDestroy to false.",
    severity="high",
    evidences=("EU AI Act 15", "ISO 42001 A.7.5"),
    remedy={"forceDestroy": False},
)
def bucket_is_not_force_destroyed(bucket: Resource, settings: Settings) -> Findings:
    if not settings.production(bucket):
        return ()
    return is_false(bucket, "forceDestroy", absent_passes=True)
