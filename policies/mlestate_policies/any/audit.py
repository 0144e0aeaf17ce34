"""Audit: who read and wrote each object of data is recorded."""

from collections.abc import Callable, Iterator
from typing import Final

from mlestate_policies.any.principals import linked
from mlestate_policies.any.reach import refers
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

BUCKET: Final = "aws:s3/bucket:Bucket"
LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
TRAIL: Final = "aws:cloudtrail/trail:Trail"
EVENT_STORE: Final = "aws:cloudtrail/eventDataStore:EventDataStore"
GCP_BUCKET: Final = "gcp:storage/bucket:Bucket"
AUDIT_CONFIG: Final = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
SINK: Final = "gcp:logging/projectSink:ProjectSink"
ACCOUNT: Final = "azure-native:storage:StorageAccount"
BLOB_SERVICE: Final = "azure-native:storage:BlobServiceProperties"
DIAGNOSTICS: Final = ("azure-native:monitor:DiagnosticSetting", "azure-native:insights:DiagnosticSetting")
_ADVANCED: Final = tuple(f"advancedEventSelectors[].fieldSelectors[].{each}" for each in ("equals[]", "startsWiths[]"))
_BOTH: Final = frozenset(("read", "write"))
_KINDS: Final = {"all": _BOTH, "readonly": frozenset(("read",)), "writeonly": frozenset(("write",))}
_CATEGORIES: Final = {
    "storageread": frozenset(("read",)),
    "storagewrite": frozenset(("write",)),
    "audit": _BOTH,
    "alllogs": _BOTH,
}
_WORK: Final = (
    *("aws:sagemaker/", "aws-native:sagemaker:", "gcp:vertex/", "gcp:colab/", "gcp:workbench/"),
    "azure-native:machinelearningservices:",
)
Covered = frozenset[str] | Undecided


@stack_rule(
    "ML-STK-04",
    {
        BUCKET: ("bucket",),
        TRAIL: (
            "enableLogging",
            "eventSelectors[].readWriteType",
            "eventSelectors[].dataResources[].values[]",
            *_ADVANCED,
        ),
        EVENT_STORE: ("suspend", *_ADVANCED),
        LOGGING: ("bucket",),
        GCP_BUCKET: ("project", "logging.logBucket"),
        AUDIT_CONFIG: ("project", "service", "auditLogConfigs[].logType"),
        ACCOUNT: ("id",),
        **dict.fromkeys(DIAGNOSTICS[:1], ("resourceUri", "logs[].category", "logs[].categoryGroup", "logs[].enabled")),
    },
    "Every store of data is covered by a record of who read and wrote each object",
    why="Without it nobody can say afterwards who saw or changed the data that a model learned from.",
    fix='Add data events for "AWS::S3::Object" with readWriteType All to a trail, or a BucketLogging to the bucket; on '
    "Google Cloud an IAMAuditConfig with DATA_READ and DATA_WRITE for storage.googleapis.com; on Azure a "
    "DiagnosticSetting on the account's blobServices/default with StorageRead and StorageWrite.",
    severity="high",
    hardening=True,
    sources=("CLOUDTRAIL_S3_DATAEVENTS_ENABLED",),
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8", "ISO 42001 A.7.5", "PIPEDA 4.7"),
)
def stores_are_audited(estate: Estate, settings: Settings) -> Findings:
    sinks = {each.urn for each in _sinks(estate)}
    forms: dict[str, Callable[[Estate, Resource], Iterator[Covered]]] = {
        BUCKET: _aws_cover,
        GCP_BUCKET: _gcp_cover,
        ACCOUNT: _azure_cover,
    }
    for token, cover in forms.items():
        for store in estate.of(token):
            if store.urn not in sinks or _is_worked_with(estate, store):
                yield from _cover(store, list(cover(estate, store)))


def _cover(store: Resource, found: list[Covered]) -> Findings:
    known = frozenset().union(*(each for each in found if isinstance(each, frozenset)))
    if known >= _BOTH:
        return
    if unread := [each for each in found if isinstance(each, Undecided)]:
        yield unread[0]
        return
    missing = " and ".join(sorted(f"{each}s" for each in _BOTH - known))
    path = {BUCKET: "bucket", GCP_BUCKET: "project", ACCOUNT: "id"}[store.type]
    yield Violation(path, f"{store.name}: nothing records {missing} of its objects; something has to", store.urn)


def _sinks(estate: Estate) -> Iterator[Resource]:
    """The stores that records are written to: a record of those would have no end."""
    for token, path, kind in (
        (LOGGING, "targetBucket", BUCKET),
        (TRAIL, "s3BucketName", BUCKET),
        ("aws:ec2/flowLog:FlowLog", "logDestination", BUCKET),
        (GCP_BUCKET, "logging.logBucket", GCP_BUCKET),
        (SINK, "destination", GCP_BUCKET),
        *((each, "storageAccountId", ACCOUNT) for each in DIAGNOSTICS),
    ):
        for each in estate.of(token):
            yield from linked(estate, each, path, kind)
            name = each.at(path).text.rpartition("/")[2]
            yield from (store for store in estate.of(kind) if name and name == store.at("name").text)


def _is_worked_with(estate: Estate, store: Resource) -> bool:
    """Whether machine learning reads or writes a store: records beside the data do not make it one of records."""
    return any(each.type.startswith(_WORK) and refers(each, store) for each in estate.resources)


def _aws_cover(estate: Estate, bucket: Resource) -> Iterator[Covered]:
    if any(bucket in linked(estate, each, "bucket", BUCKET) for each in estate.of(LOGGING)):
        yield _BOTH
    name = bucket.at("bucket").text or bucket.at("arn").text.rpartition(":")[2]
    for token, switch, off in ((TRAIL, "enableLogging", "false"), (EVENT_STORE, "suspend", "true")):
        for each in estate.of(token):
            node = each.at(switch)
            if node.unknown:
                yield Undecided(switch, each.urn)
            elif str(node.value if node.known else "").lower() != off:
                yield from _basic(each, bucket, name)
                yield from _advanced(each, bucket, name)


def _basic(trail: Resource, bucket: Resource, name: str) -> Iterator[Covered]:
    for selector in trail.each("eventSelectors[]"):
        kind = selector.at("readWriteType")
        for value in selector.each("dataResources[].values[]"):
            if value.unknown or (value.known and not name):
                yield from _by_link(trail, "eventSelectors", bucket, value.path)
            elif value.text and f"arn:aws:s3:::{name}/".startswith(value.text.replace("arn:aws-us-gov", "arn:aws")):
                yield Undecided(kind.path, trail.urn) if kind.unknown else _KINDS.get(kind.text.lower() or "all", _BOTH)


def _advanced(trail: Resource, bucket: Resource, name: str) -> Iterator[Covered]:
    for selector in trail.each("advancedEventSelectors[]"):
        fields = {each.at("field").text: each for each in selector.each("fieldSelectors[]")}
        if selector.unknown:
            yield from _by_link(trail, "advancedEventSelectors", bucket, selector.path)
            continue
        if "" in fields:
            if fields[""].unknown or fields[""].at("field").unknown:
                yield Undecided(fields[""].path, trail.urn)
            continue
        kinds = fields.get("resources.type")
        if kinds is None or "eventName" in fields:
            continue
        if any(each.unknown for each in kinds.each("equals[]")):
            yield Undecided(kinds.path, trail.urn)
            continue
        if "AWS::S3::Object" not in [each.text for each in kinds.each("equals[]")]:
            continue
        covers = _read_or_written(fields.get("readOnly"))
        places = fields.get("resources.ARN")
        if places is None:
            yield covers
            continue
        if places.at("startsWiths").absent and places.at("equals").absent:
            excepted = places.each("notStartsWiths[]")
            if unread := [each for each in excepted if each.unknown or (each.known and not name)]:
                yield Undecided(unread[0].path, trail.urn)
            elif not any(each.text and f"arn:aws:s3:::{name}/".startswith(each.text) for each in excepted):
                yield covers
            continue
        for value in places.each("startsWiths[]"):
            if value.unknown or (value.known and not name):
                yield from _by_link(trail, "advancedEventSelectors", bucket, value.path)
            elif value.text and f"arn:aws:s3:::{name}/".startswith(value.text):
                yield covers


def _read_or_written(only: Node | None) -> frozenset[str]:
    """What a selector lets through by its field `readOnly`."""
    if only is None or not only.complete:
        return _BOTH
    said = {each.text.lower() for each in only.each("equals[]")} - {""}
    said = said or {"true", "false"} - {each.text.lower() for each in only.each("notEquals[]")}
    return frozenset("read" if each == "true" else "write" for each in said)


def _by_link(trail: Resource, key: str, bucket: Resource, path: str) -> Iterator[Covered]:
    yield _BOTH if bucket.urn in trail.property_dependencies.get(key, ()) else Undecided(path, trail.urn)


def _gcp_cover(estate: Estate, bucket: Resource) -> Iterator[Covered]:
    if not bucket.at("logging.logBucket").absent:
        yield _BOTH
    for config in estate.of(AUDIT_CONFIG):
        service, project, theirs = config.at("service"), config.at("project"), bucket.at("project")
        if service.known and service.text not in ("allServices", "storage.googleapis.com"):
            continue
        if project.known and theirs.known and project.text.rpartition("/")[2] != theirs.text.rpartition("/")[2]:
            continue
        if unread := [
            Undecided(node.path, owner.urn)
            for owner, node in ((config, service), (config, project), (bucket, theirs))
            if node.unknown
        ]:
            yield unread[0]
            continue
        for node in config.each("auditLogConfigs[].logType"):
            if node.unknown:
                yield Undecided(node.path, config.urn)
            elif node.text in ("DATA_READ", "DATA_WRITE"):
                yield frozenset((node.text.removeprefix("DATA_").lower(),))


def _azure_cover(estate: Estate, account: Resource) -> Iterator[Covered]:
    own = account.at("id").text.lower()
    services = [each for each in estate.of(BLOB_SERVICE) if account in linked(estate, each, "accountName", ACCOUNT)]
    for setting in estate.of(*DIAGNOSTICS):
        place = setting.at("resourceUri")
        text = place.text.lower()
        urns = setting.property_dependencies.get("resourceUri", ())
        if text and not own and account.urn not in urns:
            yield Undecided("id", account.urn)
            continue
        if text and own and not text.startswith(f"{own}/blobservices/"):
            continue
        if not text and account.urn not in urns and not any(each.urn in urns for each in services):
            if place.unknown:
                yield Undecided("resourceUri", setting.urn)
            continue
        for log in setting.each("logs[]"):
            words = log.at("category").text.lower() or log.at("categoryGroup").text.lower()
            if log.at("enabled").unknown or log.at("category").unknown or log.at("categoryGroup").unknown:
                yield Undecided(log.path, setting.urn)
            elif log.at("enabled").true:
                yield _CATEGORIES.get(words, frozenset())
