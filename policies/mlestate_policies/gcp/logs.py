"""Audit logs and log buckets: who read what, and how long that can be shown."""

from typing import Final

from mlestate_policies.checks import at_least, holds, is_true
from mlestate_policies.gcp.shapes import has_own_key
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings

AUDITS: Final = (
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
)
PROJECT_LOGS: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
LOG_BUCKETS: Final = (
    PROJECT_LOGS,
    "gcp:logging/folderBucketConfig:FolderBucketConfig",
    "gcp:logging/organizationBucketConfig:OrganizationBucketConfig",
)

_AUDITED: Final = (
    "allServices",
    "aiplatform.googleapis.com",
    "storage.googleapis.com",
    "bigquery.googleapis.com",
)
_REQUIRED: Final = "_Required"
"""The log bucket that nobody can change: 400 days, locked."""


@resource_rule(
    "ML-GCP-LG-001",
    dict.fromkeys(AUDITS, ("service", "auditLogConfigs[].logType", "auditLogConfigs[].exemptedMembers[]")),
    "Reading and writing of models and data is logged, for everybody",
    why="Who read a person's data, or changed a model, is the first question after a breach.",
    fix="Set auditLogConfigs with DATA_READ and DATA_WRITE for the service, and no exemptedMembers.",
    severity="high",
    sources=("CKV2_GCP_5", "prowler iam_audit_logs_enabled", "prowler cloudstorage_audit_logs_enabled"),
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8", "PIPEDA 4.7"),
)
def access_to_data_is_logged(config: Resource, settings: Settings) -> Findings:
    service = config.at("service")
    if service.unknown:
        yield Undecided(service.path)
    if service.text not in _AUDITED:
        return
    types = config.each("auditLogConfigs[].logType")
    missing = {"DATA_READ", "DATA_WRITE"} - {node.text for node in types}
    unknown = [node for node in types if node.unknown]
    if missing and unknown:
        yield from (Undecided(node.path) for node in unknown)
    elif missing:
        words = " and ".join(sorted(missing))
        yield Violation("auditLogConfigs", f"auditLogConfigs does not log {words} of {service.text}; it has to")
    for node in config.each("auditLogConfigs[].exemptedMembers[]"):
        if node.unknown:
            yield Undecided(node.path)
        elif node.known:
            yield Violation(node.path, f"{node.path} is exempt from the audit log; nobody may be")


@resource_rule(
    "ML-GCP-LG-002",
    dict.fromkeys(LOG_BUCKETS, ("retentionDays",)),
    "Logs are kept for the retention that is asked",
    why="Thirty days, the default, are over before most questions are asked.",
    fix="Set retentionDays to the floor or more.",
    severity="high",
    evidences=("EU AI Act 19", "EU AI Act 26", "ISO 42001 A.6.2.8"),
)
def logs_are_kept(bucket: Resource, settings: Settings) -> Findings:
    if bucket.at("bucketId").text == _REQUIRED:
        return ()
    return at_least(bucket, "retentionDays", settings[RETENTION_DAYS], "days")


@resource_rule(
    "ML-GCP-LG-003",
    {
        token: (*(("locked",) if token == PROJECT_LOGS else ()), "cmekSettings.kmsKeyName", "location")
        for token in LOG_BUCKETS
    },
    "Log buckets are locked, have a key of the estate and lie in one region",
    why="Logs repeat what was asked and answered, and prove something only while nobody can shorten them.",
    fix="Set locked to true, cmekSettings.kmsKeyName, and location to a region, in a bucket of the estate's own.",
    severity="high",
    hardening=True,
    evidences=("EU AI Act 19", "ISO 42001 A.6.2.8", "PIPEDA 4.7"),
)
def log_buckets_are_locked(bucket: Resource, settings: Settings) -> Findings:
    if bucket.at("bucketId").text == _REQUIRED:
        return
    if bucket.type == PROJECT_LOGS:
        yield from is_true(bucket, "locked")
    yield from has_own_key(bucket, "cmekSettings.kmsKeyName")
    yield from holds(
        bucket,
        "location",
        lambda node: "-" in node.text,
        "it has to be a region, such as northamerica-northeast1; global logs lie anywhere",
    )
