"""Keys: what encrypts is a key of the estate, and one key does not open what is meant to be apart."""

import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.any.reach import PRODUCTION, environment
from mlestate_policies.any.retention import GCS_BUCKET, TRAIL, beside_records, holds_records, recorded_by
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import NON_PRODUCTION, Settings, limit
from mlestate_policies.values import Node

KEYS_ELSEWHERE: Final = limit(
    "keysElsewhere", (), "Keys (ARNs, ids or aliases, with `*`) of another stack that this estate may encrypt with"
)
_KEY: Final = "aws:kms/key:Key"
_REPLICA: Final = "aws:kms/replicaKey:ReplicaKey"
_CRYPTO_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_VAULT_KEY: Final = "azure-native:keyvault:Key"
_KEYS: Final = (_KEY, _REPLICA, _CRYPTO_KEY, _VAULT_KEY)
_ALIAS: Final = "aws:kms/alias:Alias"
_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_BUCKET: Final = "aws:s3/bucket:Bucket"
_USERS: Final = {
    TRAIL: ("kmsKeyId",),
    _ENCRYPTION: ("rules[].applyServerSideEncryptionByDefault.kmsMasterKeyId",),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": ("kmsKeyArn", "dataCaptureConfig.kmsKeyId"),
    "aws:sagemaker/domain:Domain": ("kmsKeyId",),
    "aws:sagemaker/notebookInstance:NotebookInstance": ("kmsKeyId",),
    "aws:sagemaker/modelCard:ModelCard": ("securityConfig.kmsKeyId",),
    "aws:sagemaker/featureGroup:FeatureGroup": (
        "onlineStoreConfig.securityConfig.kmsKeyId",
        "offlineStoreConfig.s3StorageConfig.kmsKeyId",
    ),
    "aws:ecr/repository:Repository": ("encryptionConfigurations[].kmsKey",),
    "aws:dynamodb/table:Table": ("serverSideEncryption.kmsKeyArn",),
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    GCS_BUCKET: ("encryption.defaultKmsKeyName",),
    "gcp:bigquery/dataset:Dataset": ("defaultEncryptionConfiguration.kmsKeyName",),
    "gcp:artifactregistry/repository:Repository": ("kmsKeyName",),
    "gcp:vertex/aiEndpoint:AiEndpoint": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiMetadataStore:AiMetadataStore": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": ("encryptionSpec.kmsKeyName",),
    "azure-native:storage:StorageAccount": ("encryption.keyVaultProperties.keyName",),
    "azure-native:machinelearningservices:Workspace": ("encryption.keyVaultProperties.keyIdentifier",),
    "azure-native:containerregistry:Registry": ("encryption.keyVaultProperties.keyIdentifier",),
}
"""What is encrypted, and the property that names the key."""
_STORES: Final = (_ENCRYPTION, GCS_BUCKET, "azure-native:storage:StorageAccount", TRAIL)
_BESIDE: Final = ("aws:cloudwatch/logGroup:LogGroup",)
"""What may share a key with records and with data: copies for operators."""


@stack_rule(
    "ML-STK-14",
    {**_USERS, _ALIAS: ("targetKeyId",)},
    "What is encrypted with a key of one's own uses one of this estate, and no key is shared by records and data or by "
    "production and other environments",
    why="Whoever may use the key of one thing may read all that it encrypts; a shared key joins what was set apart.",
    fix="Make a key for records, one for data in each environment, and refer to them; list keys of other stacks in the "
    "limit keysElsewhere.",
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def keys_are_apart(estate: Estate, settings: Settings) -> Findings:
    users: dict[str, list[Resource]] = defaultdict(list)
    for user in estate.of(*_USERS):
        for path in _USERS[user.type]:
            for node in user.each(path):
                if node.absent:
                    continue
                keys = _keys(estate, user, node)
                for key in keys:
                    users[key.urn].append(user)
                if keys or not node.text or _elsewhere(node.text, settings):
                    continue
                if any(not _called(key) for key in estate.of(*_KEYS) if _cloud(key) == _cloud(user)):
                    yield Undecided(node.path, user.urn)  # a key that has no name yet may be the one
                else:
                    yield Violation(node.path, f"{node.path} is no key of this estate; one has to be its own", user.urn)
    recorded_to = {found.store.urn for trail in estate.of(TRAIL) for found in recorded_by(estate, trail)}
    for urn, using in users.items():
        yield from _shared(estate, settings, urn, using, recorded_to)


def _shared(
    estate: Estate, settings: Settings, urn: str, using: list[Resource], recorded_to: set[str]
) -> Iterator[Violation]:
    key = urn.rpartition("::")[2]
    records = [user for user in using if _records(estate, user, settings, recorded_to)]
    others = [user for user in using if user not in records and user.type not in _BESIDE]
    others = [user for user in others if not _beside_records(estate, user)]
    if records and others:
        yield Violation(
            "",
            f"{key} encrypts records ({records[0].name}) and what is none ({others[0].name}); records need a key of "
            "their own",
            urn,
        )
    places = {environment(estate, user) for user in using if user not in records} - {""}  # one trail records them all
    production = sorted(places & set(settings[PRODUCTION]))
    other = sorted(places & set(settings[NON_PRODUCTION]))
    if production and other:
        yield Violation(
            "", f"{key} is used by {production[0]} and by {other[0]}; each environment needs a key of its own", urn
        )


def _records(estate: Estate, user: Resource, settings: Settings, recorded_to: set[str]) -> bool:
    """Whether what is encrypted is a trail, or a store that one writes to or that is named as one of records."""
    if user.type == _ENCRYPTION:
        buckets = estate.linked(user, "bucket", _BUCKET).found
        return any(bucket.urn in recorded_to or holds_records(estate, bucket, settings) for bucket in buckets)
    return user.type == TRAIL or (user.type in _STORES and holds_records(estate, user, settings))


def _beside_records(estate: Estate, user: Resource) -> bool:
    """What stands beside the records: answers of queries to them, and logs of who reads them."""
    buckets = estate.linked(user, "bucket", _BUCKET).found if user.type == _ENCRYPTION else ()
    return any(beside_records(estate, bucket) for bucket in buckets)


def _keys(estate: Estate, user: Resource, node: Node) -> list[Resource]:
    """The keys that a property names: by their names, by an alias, or as Pulumi knows."""
    keys = [key for key in estate.of(*_KEYS) if _cloud(key) == _cloud(user)]
    named = []
    if text := node.text:
        bare = node.path.endswith("keyName")
        named = [key for key in keys if text in _called(key) or (bare and text == key.at("name").text)]
        for alias in estate.of(_ALIAS):
            if text in alias.names:
                named += estate.linked(alias, "targetKeyId", _KEY).found
        if named and not bare:  # a bare name is that of a key in every vault
            return named
    urns = user.property_dependencies.get(re.split(r"[.\[]", node.path)[0], ())
    aliased = [
        key
        for alias in estate.of(_ALIAS)
        if alias.urn in urns
        for key in estate.linked(alias, "targetKeyId", _KEY).found
    ]
    return [key for key in keys if key.urn in urns] + aliased or named


def _cloud(resource: Resource) -> str:
    return resource.type.partition(":")[0].partition("-")[0]


def _called(key: Resource) -> set[str]:
    called = {text for path in ("id", "arn", "keyId", "keyUri", "keyUriWithVersion") if (text := key.at(path).text)}
    ring, name = key.at("keyRing").text, key.at("name").text
    return called | ({f"{ring}/cryptoKeys/{name}"} if ring and name else set())


def _elsewhere(text: str, settings: Settings) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in settings[KEYS_ELSEWHERE])
