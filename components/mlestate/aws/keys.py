"""The keys that encrypt an estate on AWS, one a concern, and how a policy speaks of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi_aws.kms as kms
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.policies import Conditions, Statement, account_root, allow, canonical, deny, path
from mlestate.config.estate import ExistingKeys
from mlestate.names import Names
from mlestate.part import Part

__all__ = [
    "Encryption",
    "GivenKeys",
    "Keys",
    "alias",
    "by_alias",
    "directly",
    "grants",
    "keys",
    "keys_elsewhere",
    "uses",
]

Encryption = Literal["provider-managed", "customer-managed"] | ExistingKeys

SERVICES: Mapping[str, tuple[str, ...]] = {
    "audit": ("s3", "cloudtrail"),
    "data": ("s3",),
    "features": ("s3", "sagemaker"),
    "logs": ("dynamodb", "events", "logs", "s3", "scheduler", "sns", "sqs", "states"),
    "models": ("ec2", "s3", "sagemaker"),
    "registry": ("ecr", "sagemaker"),
}
"""Through which services a concern's key may be used; never by a call to KMS itself. The disks of jobs and endpoints
are encrypted through SageMaker and EC2 (SageMaker developer guide, "Protect data at rest using encryption")."""

DIRECT: Mapping[str, tuple[str, str, str]] = {
    "Machines": ("aws:states:stateMachineArn", "states", "stateMachine:{}-*"),
    "LogsOfMachines": ("SourceArn", "logs", "*"),
    "Schedules": ("aws:scheduler:schedule:arn", "scheduler", "schedule/{}-*/*"),
}
"""Whose role itself calls KMS, through no service: what then narrows it is the encryption context, its key and the ARNs
in it. A condition on the service would let no execution start (Step Functions developer guide, "Data at rest
encryption", on execution roles; EventBridge Scheduler user guide, "Encryption at rest")."""

ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:Get*",
    "kms:List*",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""What an administrator does with a key. Neither use nor CreateGrant, by which use could be given to anyone."""

CRIPPLE = (
    "kms:CreateGrant",
    "kms:DeleteAlias",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateAlias",
)
"""What would blind the trail, done to its key."""


@dataclass(frozen=True)
class GivenKeys:
    """Keys that this estate does not make: the user's own, or none at all where AWS manages them."""

    ids: Mapping[str, Output[str]]


class Keys(Part):
    """Keys of the estate's own: one a concern, turned over every year, gone only after thirty days of grace.

    The account's IAM administers a key (so that no deployer locks the account out) but uses it only through the
    services of its concern: a stolen credential decrypts nothing by calling KMS. The audit key is further closed to
    every role of the estate itself, the CI's included: an administrator of the account alone can change or end it.

    Key policies: KMS developer guide, "Key policies" and "kms:ViaService"; CloudTrail user guide, "Configure AWS KMS
    key policies for CloudTrail".
    """

    ids: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        concerns: Sequence[str],
        trails: Sequence[str],
        protect: bool,
        opts: ResourceOptions,
        lent: Sequence[Statement] = (),
    ) -> None:
        """``trails`` are the ARNs of those that the audit key encrypts, in whichever account; ``lent`` opens the key of
        models to other accounts of the estate."""
        super().__init__(names, opts)
        ids: dict[str, Output[str]] = {}
        for concern in concerns:
            key = kms.Key(
                self.named(concern),
                description=f"{names.slice}: {concern}",
                enable_key_rotation=True,
                rotation_period_in_days=365,
                deletion_window_in_days=30,
                policy=canonical([*_policy(names, concern, trails), *(lent if concern == "models" else ())]),
                tags=names.tags,
                opts=self.child(protect=protect),
            )
            called = kms.Alias(
                self.named(concern), name=alias(names, concern), target_key_id=key.key_id, opts=self.child()
            )
            # By its alias, so that whoever waits for the key can already be meant by a policy that knows no other name.
            ids[concern] = called.target_key_arn
        self.publish(ids=ids)


def keys(
    encryption: Encryption,
    names: Names,
    concerns: Sequence[str],
    trails: Sequence[str],
    protect: bool,
    opts: ResourceOptions,
    lent: Sequence[Statement] = (),
) -> contract.Keys:
    """The keys that the file asks for: made, given, or none."""
    if encryption == "customer-managed":
        return Keys(names, concerns, trails, protect, opts, lent)
    return keys_elsewhere(encryption, names, concerns)


def keys_elsewhere(encryption: Encryption, names: Names, concerns: Sequence[str]) -> GivenKeys:
    """The keys of another slice, whose ``names`` these are: the user's own, or by their aliases those made there."""
    if isinstance(encryption, ExistingKeys):
        return GivenKeys({concern: Output.from_input(_given(encryption, concern)) for concern in concerns})
    if encryption == "customer-managed":
        return GivenKeys({each: Output.from_input(names.arn("kms", alias(names, each))) for each in concerns})
    return GivenKeys({})


def by_alias(encryption: Encryption, *, elsewhere: bool = False) -> bool:
    """Whether the audit key is known by an alias alone: given so, or made in another slice."""
    if isinstance(encryption, ExistingKeys):
        return ":alias/" in (encryption.existing.audit or encryption.existing.data)
    return elsewhere and encryption == "customer-managed"


def alias(names: Names, concern: str) -> str:
    """The alias by which policies of another slice mean a key whose id they cannot know."""
    return f"alias/{names.physical('key-alias', concern)}"


def uses(
    sid: str,
    encryption: Encryption,
    concerns: Sequence[tuple[Names, str]],
    actions: Sequence[str],
    services: Sequence[str] | None,
) -> list[Statement]:
    """Allows the keys of some slices' concerns to be used through ``services``, None for a role that calls KMS itself;
    nothing where AWS manages the keys.

    A policy cannot name an alias as its resource (KMS, "kms:ResourceAliases"), and the id of a key is not known before
    it is made, so a key is meant by a condition on its alias. Ours are, and those that were given by an alias.
    """
    through: Conditions = {}
    if services is not None:
        called = {f"{each}.{names.region}.amazonaws.com" for names, _ in concerns for each in services}
        through = {"StringEquals": {"kms:ViaService": sorted(called)}}
    return [
        allow(f"{sid}{number or ''}", actions, resource, {**through, **meant} or None)
        for number, (resource, meant) in enumerate(_meant(encryption, concerns))
    ]


def grants(sid: str, encryption: Encryption, concerns: Sequence[tuple[Names, str]]) -> list[Statement]:
    """Allows keys to be lent to AWS services, which is how a job gets the key of its disk."""
    lent: Conditions = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        allow(f"{sid}{number or ''}", "kms:CreateGrant", resource, {**lent, **meant})
        for number, (resource, meant) in enumerate(_meant(encryption, concerns))
    ]


def directly(encryption: Encryption, names: Names, *kinds: str) -> list[Statement]:
    """Allows the key of signals to the roles of `DIRECT`'s things; nothing where AWS manages the keys."""
    return [
        allow(f"UseTheKeyOf{kind}{number or ''}", _USED_DIRECTLY, resource, {**_context(names, kind), **meant})
        for kind in kinds
        for number, (resource, meant) in enumerate(_meant(encryption, [(names, "logs")]))
    ]


_USED_DIRECTLY = ("kms:Decrypt", "kms:GenerateDataKey")


def _context(names: Names, kind: str) -> Conditions:
    key, service, resource = DIRECT[kind]
    return {"ArnLike": {f"kms:EncryptionContext:{key}": names.arn(service, resource.format(names.slice))}}


def _meant(encryption: Encryption, concerns: Sequence[tuple[Names, str]]) -> list[tuple[list[str], Conditions]]:
    """Pairs of resources and the condition that narrows them."""
    if encryption == "provider-managed":
        return []
    if isinstance(encryption, ExistingKeys):
        given = sorted({_given(encryption, concern) for _, concern in concerns})
        named = [each for each in given if "alias/" in each]
        found: list[tuple[list[str], Conditions]] = []
        if whole := [each for each in given if each not in named]:
            found.append((whole, {}))
        if named:
            keys = sorted({f"{each.partition('alias/')[0]}key/*" for each in named})
            found.append((keys, _by_alias([f"alias/{each.partition('alias/')[2]}" for each in named])))
        return found
    resources = sorted({names.arn("kms", "key/*") for names, _ in concerns})
    return [(resources, _by_alias([alias(names, concern) for names, concern in concerns]))]


def _by_alias(aliases: Sequence[str]) -> Conditions:
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": list(aliases)}}


def _given(encryption: ExistingKeys, concern: str) -> str:
    given = encryption.existing
    return (given.audit if concern == "audit" else None) or given.data


def _policy(names: Names, concern: str, trails: Sequence[str]) -> list[Statement]:
    services = [f"{service}.{names.region}.amazonaws.com" for service in SERVICES[concern]]
    root = {"Principal": account_root(names)}
    statements = [
        allow("AdministerWithoutUse", ADMINISTER, "*") | root,
        allow(
            "UseThroughItsServices",
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:RetireGrant"],
            "*",
            {"StringEquals": {"kms:ViaService": services}},
        )
        | root,
        allow("GrantToServices", "kms:CreateGrant", "*", {"Bool": {"kms:GrantIsForAWSResource": "true"}}) | root,
    ]
    match concern:
        case "audit":
            return [*statements, *_trails(names, trails)]
        case "features":
            return [*statements, *_offline_stores(names)]
        case "logs":
            return [*statements, *_signals(names)]
    return statements


def _trails(names: Names, trails: Sequence[str]) -> list[Statement]:
    service = {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
    estate = names.arn("iam", f"role{path(names)}*", regional=False)
    return [
        allow(
            "EncryptTheTrail",
            "kms:GenerateDataKey*",
            "*",
            {
                "StringEquals": {"aws:SourceArn": trails},
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails},
            },
        )
        | service,
        # Decrypt, because the store has a bucket key: without it no trail is made that writes there ("Required KMS key
        # policy elements for trails").
        allow(
            "DescribeAndDecryptForTheTrail",
            ["kms:Decrypt", "kms:DescribeKey"],
            "*",
            {"StringEquals": {"aws:SourceArn": trails}},
        )
        | service,
        deny("KeepFromThoseItRecords", CRIPPLE, "*", {"ArnLike": {"aws:PrincipalArn": estate}})
        | {"Principal": {"AWS": "*"}},
    ]


def _offline_stores(names: Names) -> list[Statement]:
    """The role of feature groups calls KMS itself for the offline store: held to `kms:ViaService`, CreateFeatureGroup
    fails (SageMaker developer guide, "Authorizing use of a customer managed Key for your online store")."""
    role = names.arn("iam", f"role{path(names)}{names.physical('role', 'features')}", regional=False)
    itself = {"ArnEquals": {"aws:PrincipalArn": role}}
    return [allow("UseByOfflineStores", _USED_DIRECTLY, "*", itself) | {"Principal": account_root(names)}]


def _signals(names: Names) -> list[Statement]:
    """Services that write under the key themselves: with the key that AWS manages for SNS, an alarm reaches no one.

    EventBridge sends no source keys with what it tells a topic, and with a condition on one every event would be lost
    in silence: there the topic itself narrows it, which SNS names in the encryption context.

    CloudWatch Logs user guide, "Encrypt log data using AWS KMS"; SNS developer guide, "Enable compatibility between
    event sources from AWS services and encrypted topics"; EventBridge user guide, "Encrypting event bus dead-letter
    queues"; Step Functions developer guide, "Data at rest encryption".
    """
    mine = {"StringEquals": {"aws:SourceAccount": names.home}}
    root = {"Principal": account_root(names)}
    logs = f"logs.{names.region}.amazonaws.com"
    delivery = {"Principal": {"Service": "delivery.logs.amazonaws.com"}}
    return [
        allow(
            "EncryptLogs",
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "*",
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": names.arn("logs", "log-group:*")}},
        )
        | {"Principal": {"Service": logs}},
        *(allow(f"UseBy{kind}", _USED_DIRECTLY, "*", _context(names, kind)) | root for kind in DIRECT),
        allow("EncryptWhatIsTold", ["kms:Decrypt", "kms:GenerateDataKey*"], "*", mine)
        | {"Principal": {"Service": [*TELLERS, EVENTS]}},
        allow(
            "EncryptWhatEventsTell",
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            "*",
            {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": names.arn("sns", f"{names.slice}-*")}},
        )
        | {"Principal": {"Service": EVENTS}},
        allow(
            "DeliverLogs",
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            "*",
            {**mine, "ArnLike": {"aws:SourceArn": names.arn("logs", "*")}},
        )
        | delivery,
        allow(
            "DeliverLogsOfMachines",
            "kms:Decrypt",
            "*",
            {"ArnLike": {"kms:EncryptionContext:SourceArn": names.arn("logs", "*")}},
        )
        | delivery,
    ]


TELLERS = (
    "budgets.amazonaws.com",
    "cloudwatch.amazonaws.com",
    "costalerts.amazonaws.com",
)
"""Services that put messages into topics by themselves."""

EVENTS = "events.amazonaws.com"
"""EventBridge, which tells topics and leaves in a queue what it could not tell."""
