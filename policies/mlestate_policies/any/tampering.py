"""The audit record cannot be altered by those it is about."""

from collections.abc import Callable, Iterable
from typing import Final

from mlestate_policies.any.audit import ACCOUNT, BUCKET, DIAGNOSTICS, GCP_BUCKET, SINK, TRAIL
from mlestate_policies.any.grants import AZURE_GRANTS, GCP_GRANTS, Grant, azure_grants, by_holder, gcp_grants
from mlestate_policies.any.principals import HELD, Identity, identities, leads, linked
from mlestate_policies.aws.documents import Document
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings

BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
CONTAINER_LOCK: Final = "azure-native:storage:BlobContainerImmutabilityPolicy"
_OBJECTS: Final = tuple(
    f"s3:{each}" for each in ("DeleteObject", "DeleteObjectVersion", "PutObjectRetention", "BypassGovernanceRetention")
)
_ITSELF: Final = tuple(
    f"s3:{each}"
    for each in (
        "DeleteBucket",
        "DeleteBucketPolicy",
        "PutBucketPolicy",
        "PutLifecycleConfiguration",
        "PutBucketObjectLockConfiguration",
    )
)
_STOP: Final = tuple(
    f"cloudtrail:{each}" for each in ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
)
_KEY: Final = tuple(
    f"kms:{each}" for each in ("Encrypt", "GenerateDataKey", "PutKeyPolicy", "ScheduleKeyDeletion", "DisableKey")
)
_GCP_ALTERS: Final = (
    *("logging.buckets.delete", "logging.buckets.update", "logging.sinks.delete", "logging.sinks.update"),
    *("logging.logs.delete", "storage.objects.delete", "storage.buckets.update"),
)
_AZURE_ALTERS: Final = (
    "Microsoft.Insights/diagnosticSettings/delete",
    "Microsoft.Storage/storageAccounts/delete",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
)
_DAYS: Final = "immutableStorageWithVersioning.immutabilityPolicy.immutabilityPeriodSinceCreationInDays"
_ML: Final = ("aiplatform.*", "Microsoft.MachineLearningServices/*")


@stack_rule(
    "ML-STK-05",
    {
        TRAIL: ("s3BucketName", "kmsKeyId"),
        LOCK: ("bucket", "rule.defaultRetention.mode"),
        BUCKET_POLICY: ("policy",),
        **{token: HELD[token] for token in ("aws:iam/rolePolicy:RolePolicy",)},
        SINK: ("destination", "filter"),
        LOG_BUCKET: ("locked",),
        GCP_BUCKET: ("retentionPolicy.isLocked",),
        "gcp:projects/iAMMember:IAMMember": GCP_GRANTS["gcp:projects/iAMMember:IAMMember"][:2],
        DIAGNOSTICS[0]: ("storageAccountId",),
        CONTAINER_LOCK: ("accountName",),
        ACCOUNT: ("immutableStorageWithVersioning.enabled", _DAYS),
        "azure-native:authorization:RoleAssignment": AZURE_GRANTS["azure-native:authorization:RoleAssignment"],
    },
    "The audit record cannot be altered by those it is about: its store is locked, and who works with models can "
    "neither delete in it nor stop the trail nor encrypt with its key",
    why="A record that its subjects can change proves nothing.",
    fix="Add a BucketObjectLockConfiguration with a defaultRetention to the trail's bucket and take cloudtrail:*, "
    "s3:Delete* on it and its key out of the policies of roles that use SageMaker; on Google Cloud set locked on the "
    "log bucket, on Azure immutableStorageWithVersioning with an immutabilityPolicy on the account, and give no "
    "logging or storage role to them.",
    severity="critical",
    evidences=("EU AI Act 12", "EU AI Act 19", "ISO 42001 A.6.2.8", "NIST AI RMF GOVERN 2.1"),
)
def audit_cannot_be_altered(estate: Estate, settings: Settings) -> Findings:
    yield from _aws_sinks(estate)
    yield from _gcp_sinks(estate)
    yield from _azure_sinks(estate)


def _aws_sinks(estate: Estate) -> Findings:
    trails = estate.of(TRAIL)
    held = [each for each in identities(estate) if _works_with_models(each)] if trails else []
    for trail in trails:
        buckets, unread = leads(estate, trail, "s3BucketName", BUCKET)
        if unread and not buckets:
            yield Undecided("s3BucketName", trail.urn)
        for bucket in buckets:
            yield from _locked(estate, trail, bucket)
        for identity in held:
            yield from identity.unknown
            if not identity.unknown and (words := _alters(estate, identity, trail, buckets)):
                yield Violation(
                    "",
                    f"{identity.name} works with models and may {words} of {trail.name}; it has to be kept from that",
                    identity.resource.urn,
                )


def _locked(estate: Estate, trail: Resource, bucket: Resource) -> Findings:
    locks = [each for each in estate.of(LOCK) if bucket in linked(estate, each, "bucket", BUCKET)]
    modes = [lock.at("rule.defaultRetention.mode") for lock in locks]
    inside = bucket.at("objectLockConfiguration.rule.defaultRetention.mode")
    if not inside.absent:
        locks, modes = [*locks, bucket], [*modes, inside]
    if any(mode.text in ("COMPLIANCE", "GOVERNANCE") for mode in modes):
        return
    if unread := [Undecided(mode.path, lock.urn) for lock, mode in zip(locks, modes, strict=True) if mode.unknown]:
        yield from unread
        return
    yield Violation(
        "s3BucketName",
        f"s3BucketName: {bucket.name} has no object lock with a retention, which the record needs",
        trail.urn,
    )


def _works_with_models(identity: Identity) -> bool:
    """Whether it is one of those that the record is about."""
    trusted = identity.trust.allowing if identity.trust else ()
    services = {each.value for statement in trusted for each in statement.principals}
    return "sagemaker.amazonaws.com" in services or identity.may("sagemaker:Create*")


def _alters(estate: Estate, identity: Identity, trail: Resource, buckets: Iterable[Resource]) -> str:
    """What an identity may do to a trail, its store or its key; nothing where it surely cannot."""
    place = trail.at("arn").text or f"arn:aws:cloudtrail:*:*:trail/{trail.at('name').text or '*'}"
    asked = [(action, place) for action in _STOP]
    for bucket in buckets:
        arn = bucket.at("arn").text or (f"arn:aws:s3:::{name}" if (name := bucket.at("bucket").text) else "")
        if arn:
            refused = _refused(estate, bucket, identity)
            asked += [(action, f"{arn}/*") for action in _OBJECTS if not refused(action, f"{arn}/*")]
            asked += [(action, arn) for action in _ITSELF if not refused(action, arn)]
    if (key := trail.at("kmsKeyId").text).startswith("arn:"):
        asked += [(action, key) for action in _KEY]
    alias = _alias(estate, trail)
    return next((action for action, place in asked if identity.may(action, place, kms__ResourceAliases=alias)), "")


def _alias(estate: Estate, trail: Resource) -> str:
    """By what name policies call the key of a trail; one that no key has where it is not known."""
    key, urns = trail.at("kmsKeyId").text, trail.property_dependencies.get("kmsKeyId", ())
    for alias in estate.of("aws:kms/alias:Alias"):
        if alias.urn in urns or (key and key in (alias.at("targetKeyArn").text, alias.at("arn").text)):
            return alias.at("name").text or "alias/"
    return "alias/"


def _refused(estate: Estate, bucket: Resource, identity: Identity) -> Callable[[str, str], bool]:
    """Whether the bucket's own policy surely refuses an action to an identity."""
    policies = [each for each in estate.of(BUCKET_POLICY) if bucket in linked(estate, each, "bucket", BUCKET)]
    documents = tuple(found for each in policies if (found := Document.of(each.at("policy"))))
    denies = tuple(
        statement
        for document in documents
        for statement in document.denying
        if any(each.anyone for each in statement.principals)
    )
    return lambda action, resource: any(
        statement.covers(action, resource)
        and all(
            _names(condition.key, condition.operator, condition.values, identity) for condition in statement.conditions
        )
        for statement in denies
    )


def _names(key: str, operator: str, values: tuple[str, ...], identity: Identity) -> bool:
    """Whether a condition surely holds for an identity: one that excepts others than it."""
    arn = identity.resource.at("arn").text
    return bool(arn) and key.lower() == "aws:principalarn" and "not" in operator.lower() and arn not in values


def _gcp_sinks(estate: Estate) -> Findings:
    sinks = [each for each in estate.of(SINK) if not each.at("filter").known or "cloudaudit" in each.at("filter").text]
    for sink in sinks:
        stores, unread = leads(estate, sink, "destination", LOG_BUCKET, GCP_BUCKET)
        named = sink.at("destination").text.rpartition("/")[2]
        stores += tuple(
            each
            for each in estate.of(LOG_BUCKET, GCP_BUCKET)
            if named and named in (each.at("bucketId").text, each.at("name").text) and each not in stores
        )
        if unread and not stores:
            yield Undecided("destination", sink.urn)
        for store in stores:
            switch = store.at("locked" if store.type == LOG_BUCKET else "retentionPolicy.isLocked")
            if switch.unknown:
                yield Undecided(switch.path, store.urn)
            elif not switch.true:
                yield Violation(switch.path, f"{switch.path} is not true; the audit record needs a lock", store.urn)
    if sinks:
        yield from _altered(list(gcp_grants(estate)), _GCP_ALTERS)


def _azure_sinks(estate: Estate) -> Findings:
    accounts: dict[str, Resource] = {}
    for setting in estate.of(*DIAGNOSTICS):
        found, unread = leads(estate, setting, "storageAccountId", ACCOUNT)
        if unread and not found:
            yield Undecided("storageAccountId", setting.urn)
        accounts |= {each.urn: each for each in found}
    for account in accounts.values():
        path = "immutableStorageWithVersioning.enabled"
        locks = [each for each in estate.of(CONTAINER_LOCK) if account in linked(estate, each, "accountName", ACCOUNT)]
        named = account.at("accountName").text
        locks += [each for each in estate.of(CONTAINER_LOCK) if named and each.at("accountName").text == named]
        if locks or (account.at(path).true and account.at(_DAYS).known):
            continue
        if hidden := [each for each in (path, _DAYS) if account.at(each).unknown]:
            yield Undecided(hidden[0], account.urn)
            continue
        yield Violation(
            path,
            f"{path} is not true with a period, and no immutability policy is on it; the audit record needs one",
            account.urn,
        )
    if accounts:
        others = [each for each in estate.of(ACCOUNT) if each.urn not in accounts]
        grants = [each for each in azure_grants(estate) if not any(target in others for target in each.targets)]
        yield from _altered(grants, _AZURE_ALTERS)


def _altered(grants: list[Grant], alters: tuple[str, ...]) -> Findings:
    yield from (Undecided(path, grant.resource.urn) for grant in grants for path in grant.unknown)
    for held in by_holder(grants).values():
        known = [grant for grant in held if grant.path not in grant.unknown]
        if not any(grant.may(each) for grant in known for each in _ML):
            continue
        for grant in known:
            if permission := next(filter(grant.may, alters), ""):
                yield Violation(
                    grant.path,
                    f"{grant.path}: who holds this works with models and may {permission}; it has to be kept from that",
                    grant.resource.urn,
                )
