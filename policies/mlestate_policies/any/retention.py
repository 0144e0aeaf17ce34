"""What an estate recorded is there for as long as it has to be, wherever it lies: nothing expires it before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mlestate_policies.any.reach import refers, words
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings, limit
from mlestate_policies.values import Node

CAPTURE_STORES: Final = limit(
    "captureStores",
    (),
    "Logical names (with `*`) of stores that hold captured predictions, for those that no endpoint of the stack names",
)

CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
TRAIL: Final = "aws:cloudtrail/trail:Trail"
S3_BUCKET: Final = "aws:s3/bucket:Bucket"
S3_LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
TABLE: Final = "aws:dynamodb/table:Table"
VERTEX_ENDPOINT: Final = "gcp:vertex/aiEndpoint:AiEndpoint"
SINK: Final = "gcp:logging/projectSink:ProjectSink"
GCS_BUCKET: Final = "gcp:storage/bucket:Bucket"
DATASET: Final = "gcp:bigquery/dataset:Dataset"
BIGQUERY_TABLE: Final = "gcp:bigquery/table:Table"
LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
DIAGNOSTICS: Final = "azure-native:monitor:DiagnosticSetting"
ACCOUNT: Final = "azure-native:storage:StorageAccount"
CONTAINER: Final = "azure-native:storage:BlobContainer"
AZURE_LIFECYCLE: Final = "azure-native:storage:ManagementPolicy"
LOG_WORKSPACE: Final = "azure-native:operationalinsights:Workspace"

_ENDPOINT_LOGS: Final = "/aws/sagemaker/Endpoints/"
_DAY_IN_MS: Final = 86_400_000
_SOURCES: Final = {
    CONFIGURATION: ("dataCaptureConfig.destinationS3Uri",),
    TRAIL: ("s3BucketName",),  # what it also sends to a log group is a copy, for alarms
    VERTEX_ENDPOINT: ("predictRequestResponseLoggingConfig.bigqueryDestination.outputUri",),
    SINK: ("destination",),
    DIAGNOSTICS: ("workspaceId", "storageAccountId"),
}
"""Who writes records, and the property that says where."""
_WORKING: Final = {
    "aws:s3/bucketLogging:BucketLogging": "targetBucket",
    "aws:athena/workgroup:Workgroup": "configuration",
}
_STORES: Final = {
    S3_BUCKET: ("lifecycleRules[].expiration.days",),
    S3_LIFECYCLE: ("bucket", "rules[].expiration.days"),
    LOG_GROUP: ("name", "retentionInDays"),
    TABLE: ("ttl.enabled",),
    GCS_BUCKET: ("lifecycleRules[].condition.age",),
    DATASET: ("defaultTableExpirationMs", "defaultPartitionExpirationMs"),
    BIGQUERY_TABLE: ("timePartitioning.expirationMs",),
    LOG_BUCKET: ("retentionDays",),
    ACCOUNT: (),
    CONTAINER: (),
    AZURE_LIFECYCLE: (
        "accountName",
        "policy.rules[].definition.actions.baseBlob.delete.daysAfterModificationGreaterThan",
    ),
    LOG_WORKSPACE: ("retentionInDays",),
}


@dataclass(frozen=True)
class Records:
    """A store, and the folder in it where records lie (empty: all of it)."""

    store: Resource
    folder: str = ""


@stack_rule(
    "ML-STK-15",
    {**_SOURCES, **_STORES},
    "What endpoints, trails and sinks record is kept for as long as is asked, wherever they write it to",
    why="A retention that one store keeps and the next one cuts is no retention.",
    fix="Lengthen retentions, and expiries of lifecycle rules, tables and partitions, to the days asked for.",
    severity="high",
    evidences=("EU AI Act 12", "EU AI Act 19", "EU AI Act 26(6)", "ISO 42001 A.6.2.8"),
)
def retention_closes(estate: Estate, settings: Settings) -> Findings:
    for records in all_records(estate, settings):
        yield from cut_short(estate, records, settings[RETENTION_DAYS])


def all_records(estate: Estate, settings: Settings) -> Iterator[Records]:
    """Every store that something of the estate records to, and those that are named as such."""
    for token in _SOURCES:
        for source in estate.of(token):
            yield from recorded_by(estate, source)
    for store in estate.of(*_STORES):
        named = settings.named(store, CAPTURE_STORES)
        named |= store.type != LOG_GROUP and holds_records(estate, store, settings)
        named |= store.type == LOG_GROUP and store.at("name").text.startswith(_ENDPOINT_LOGS)
        if named and store.type not in (S3_LIFECYCLE, AZURE_LIFECYCLE):
            yield Records(store)


def holds_records(estate: Estate, store: Resource, settings: Settings) -> bool:
    """Whether a store is named as one of records, and is not merely beside them."""
    return settings.keeps_records(store) and not beside_records(estate, store)


def beside_records(estate: Estate, store: Resource) -> bool:
    """Whether access logs or answers of queries go to a store: S3 writes no access logs into a bucket that locks by
    itself, and answers can be asked for again."""
    return any(refers(each, store, path) for token, path in _WORKING.items() for each in estate.of(token))


def recorded_by(estate: Estate, source: Resource) -> Iterator[Records]:
    """Where a resource writes its records to."""
    for path in _SOURCES.get(source.type, ()):
        node = source.at(path)
        if node.absent:
            continue
        key = path.partition(".")[0]
        for store in _led_to(estate, source, node, key):
            folder = node.text.partition("://")[2].partition("/")[2] if node.text.startswith("s3://") else ""
            yield Records(store, folder.strip("/"))


def _led_to(estate: Estate, source: Resource, node: Node, key: str) -> list[Resource]:
    urns, said = source.property_dependencies.get(key, ()), words(node)
    stores = [store for store in estate.of(*_STORES) if store.type not in (S3_LIFECYCLE, AZURE_LIFECYCLE)]
    named = [store for store in stores if said and not said.isdisjoint(store.names | _own_names(store))]
    return named or [store for store in stores if store.urn in urns]


def _own_names(store: Resource) -> set[str]:
    return {text for key in ("datasetId", "bucketId", "accountName") if (text := store.at(key).text)}


def cut_short(estate: Estate, records: Records, days: float) -> Findings:
    """What expires records before some days are over."""
    store = records.store
    if store.type == S3_BUCKET:
        for rule in store.each("lifecycleRules[]"):
            off = rule.at("enabled").known and not rule.at("enabled").true
            if not off and _touches(rule, records.folder):
                yield from _short(store, rule.at("expiration.days"), days)
        for lifecycle in estate.of(S3_LIFECYCLE):
            if store in estate.linked(lifecycle, "bucket", S3_BUCKET).found:
                for rule in lifecycle.each("rules[]"):
                    if rule.at("status").text != "Disabled" and _touches(rule, records.folder):
                        yield from _short(lifecycle, rule.at("expiration.days"), days)
    elif store.type in (LOG_GROUP, LOG_WORKSPACE, LOG_BUCKET):
        path = "retentionDays" if store.type == LOG_BUCKET else "retentionInDays"
        yield from _short(store, store.at(path), days, endless=store.type == LOG_GROUP)
    elif store.type == TABLE:
        node = store.at("ttl.enabled")
        if node.unknown:
            yield Undecided(node.path, store.urn)
        elif node.true:
            yield Violation(
                node.path,
                f"{node.path} is true, so whoever writes a record says when it goes; records have to stay "
                f"{days:g} days",
                store.urn,
            )
    elif store.type == GCS_BUCKET:
        for rule in store.each("lifecycleRules[]"):
            state = rule.at("condition.withState").text
            if rule.at("action.type").text in ("Delete", "") and state != "ARCHIVED":
                yield from _short(store, rule.at("condition.age"), days)
    elif store.type == DATASET:
        for path in ("defaultTableExpirationMs", "defaultPartitionExpirationMs"):
            yield from _short(store, store.at(path), days, scale=_DAY_IN_MS)
        for table in estate.of(BIGQUERY_TABLE):
            if store in estate.linked(table, "datasetId", DATASET).found or (
                store.at("datasetId").text and store.at("datasetId").text == table.at("datasetId").text
            ):
                yield from _short(table, table.at("timePartitioning.expirationMs"), days, scale=_DAY_IN_MS)
    elif store.type == BIGQUERY_TABLE:
        yield from _short(store, store.at("timePartitioning.expirationMs"), days, scale=_DAY_IN_MS)
    elif store.type in (ACCOUNT, CONTAINER):
        yield from _cut_in_azure(estate, store, days)


def _cut_in_azure(estate: Estate, store: Resource, days: float) -> Findings:
    accounts = [store] if store.type == ACCOUNT else estate.linked(store, "accountName", ACCOUNT).found
    folder = "" if store.type == ACCOUNT else store.at("containerName").text or store.at("name").text
    for lifecycle in estate.of(AZURE_LIFECYCLE):
        if not set(accounts) & set(estate.linked(lifecycle, "accountName", ACCOUNT).found):
            continue
        for rule in lifecycle.each("policy.rules[]"):
            prefixes = [node.text for node in rule.each("definition.filters.prefixMatch[]") if node.text]
            if rule.at("enabled").text.lower() == "false" or (rule.at("enabled").known and not rule.at("enabled").true):
                continue
            if not prefixes or any(_overlap(prefix, folder) for prefix in prefixes):
                for after in ("daysAfterModificationGreaterThan", "daysAfterCreationGreaterThan"):
                    yield from _short(lifecycle, rule.at(f"definition.actions.baseBlob.delete.{after}"), days)


def _touches(rule: Node, folder: str) -> bool:
    """Whether a lifecycle rule reaches a folder; what it limits to tags is not what a service wrote."""
    filters = (rule.at("filter"), rule.at("filter.and"))
    if any(each.at(key).known for each in filters for key in ("tag", "tags")):
        return False
    prefixes = [node.text for node in (rule.at("prefix"), *(each.at("prefix") for each in filters)) if node.text]
    return not prefixes or any(_overlap(prefix, folder) for prefix in prefixes)


def _overlap(prefix: str, folder: str) -> bool:
    return not folder or prefix.startswith(folder) or folder.startswith(prefix.rstrip("/"))


def _short(resource: Resource, node: Node, days: float, *, scale: int = 1, endless: bool = False) -> Findings:
    """A number of days that is too small. Nothing is no expiry; where a service sets one of its own, it is given."""
    number = node.number
    if node.unknown:
        yield Undecided(node.path, resource.urn)
    elif number is not None and number / scale < days and not (number == 0 and (endless or scale > 1)):
        yield Violation(
            node.path, f"{node.path} is {number / scale:g} days; records here have to stay {days:g} days", resource.urn
        )
    elif node.absent and resource.type in (LOG_BUCKET, LOG_WORKSPACE):
        yield Violation(
            node.path,
            f"{node.path} is not set, which means 30 days; records here have to stay {days:g} days",
            resource.urn,
        )
