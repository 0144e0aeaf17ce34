"""What a store needs beside it is there: on AWS and Azure half of what makes one safe is in further resources."""

from collections.abc import Callable
from typing import Final

from mlestate_policies.any.retention import TRAIL, holds_records
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Violation, stack_rule
from mlestate_policies.settings import Settings

_BUCKET: Final = "aws:s3/bucket:Bucket"
_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
_ACCOUNT: Final = "azure-native:storage:StorageAccount"
_CONTAINER: Final = "azure-native:storage:BlobContainer"
_BLOBS: Final = "azure-native:storage:BlobServiceProperties"
_IMMUTABILITY: Final = "azure-native:storage:BlobContainerImmutabilityPolicy"
_ACCESS_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"

Inline = Callable[[Resource], bool]


def _never(_bucket: Resource) -> bool:
    return False


_BESIDE: Final[dict[str, tuple[str, Inline]]] = {
    _ACCESS_BLOCK: ("keeps it from the public", _never),
    _ENCRYPTION: (
        "says how it is encrypted",
        lambda bucket: any(
            bool(node.text)
            for node in bucket.each(
                "serverSideEncryptionConfiguration.rule.applyServerSideEncryptionByDefault.kmsMasterKeyId"
            )
        ),
    ),
    _VERSIONING: ("keeps what is written over", lambda bucket: bucket.at("versioning.enabled").true),
    _POLICY: ("refuses what comes without TLS", lambda bucket: bool(bucket.at("policy").text)),
}
"""What stands beside a bucket, what it does, and how a bucket says the same itself."""


@stack_rule(
    "ML-STK-11",
    {
        _BUCKET: ("versioning.enabled",),
        **dict.fromkeys((*_BESIDE, _LOCK), ("bucket",)),
        TRAIL: ("s3BucketName",),
        _ACCOUNT: ("kind",),
        _CONTAINER: ("accountName",),
        _BLOBS: ("accountName",),
        _IMMUTABILITY: ("containerName",),
    },
    "Every store has what guards it: against the public, writing over, plain connections, and, for records, deletion",
    why="Each of these is a resource of its own, so a store that lacks it looks complete by itself.",
    fix="Add a BucketPublicAccessBlock, BucketServerSideEncryptionConfiguration, BucketVersioning and BucketPolicy for "
    "each bucket, BlobServiceProperties for each account, and an object lock or immutability policy for records.",
    severity="high",
    sources=("CKV2_AWS_6",),
    evidences=("EU AI Act 15", "ISO 42001 A.7.5", "PIPEDA 4.7"),
)
def stores_are_complete(estate: Estate, settings: Settings) -> Findings:
    for token, (does, inline) in _BESIDE.items():
        beside = _served(estate, token, "bucket", _BUCKET)
        for bucket in estate.of(_BUCKET):
            if bucket.urn not in beside and not inline(bucket):
                yield _missing(bucket, token, does)
    locked = _served(estate, _LOCK, "bucket", _BUCKET)
    recorded_to = _served(estate, TRAIL, "s3BucketName", _BUCKET)
    for bucket in estate.of(_BUCKET):
        if (holds_records(estate, bucket, settings) or bucket.urn in recorded_to) and bucket.urn not in locked:
            yield _missing(bucket, _LOCK, "keeps its records from being deleted")
    kept = _served(estate, _BLOBS, "accountName", _ACCOUNT)
    for account in estate.of(_ACCOUNT):
        if account.urn not in kept and account.at("kind").text.lower() != "filestorage":
            yield _missing(account, _BLOBS, "keeps what is deleted for a while")
    immutable = _served(estate, _IMMUTABILITY, "containerName", _CONTAINER)
    for container in estate.of(_CONTAINER):
        if (
            settings.keeps_records(container)
            and container.urn not in immutable
            and container.at("immutableStorageWithVersioning").absent
        ):
            yield _missing(container, _IMMUTABILITY, "keeps its records from being deleted")


def _served(estate: Estate, token: str, path: str, store: str) -> set[str]:
    """The stores that have such a resource beside them."""
    return {found.urn for each in estate.of(token) for found in estate.linked(each, path, store).found}


def _missing(store: Resource, token: str, does: str) -> Violation:
    return Violation("", f"{store.name} has no {token.rpartition(':')[2]}, which {does}; one is needed", store.urn)
