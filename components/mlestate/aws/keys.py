"""The keys that encrypt an estate on AWS, one a concern, and how a policy speaks of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi_aws.kms as kms
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.policies import Statement, account_root, allow, canonical, deny, path
from mlestate.config.estate import ExistingKeys
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["GivenKeys", "Keys", "alias", "keys", "keys_elsewhere", "use"]

Encryption = Literal["provider-managed", "customer-managed"] | ExistingKeys

SERVICES: Mapping[str, tuple[str, ...]] = {
    "audit": ("s3", "cloudtrail"),
    "data": ("s3",),
    "features": ("s3", "sagemaker"),
    "logs": ("dynamodb", "events", "logs", "sns", "sqs", "states"),
    "models": ("s3", "sagemaker"),
    "registry": ("ecr", "sagemaker"),
}
"""Through which services a concern's key may be used; never by a call to KMS itself."""

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
        self, names: Names, concerns: Sequence[str], trails: Sequence[str], protect: bool, opts: ResourceOptions
    ) -> None:
        """``trails`` are the ARNs of those that the audit key encrypts, in whichever account."""
        super().__init__(names, opts)
        ids: dict[str, Output[str]] = {}
        for concern in concerns:
            key = kms.Key(
                self.named(concern),
                description=f"{names.slice}: {concern}",
                enable_key_rotation=True,
                rotation_period_in_days=365,
                deletion_window_in_days=30,
                policy=canonical(_policy(names, concern, trails)),
                tags=names.tags,
                opts=self.child(protect=protect),
            )
            kms.Alias(self.named(concern), name=alias(names, concern), target_key_id=key.key_id, opts=self.child())
            ids[concern] = key.arn
        self.publish(ids=ids)


def keys(
    encryption: Encryption,
    names: Names,
    concerns: Sequence[str],
    trails: Sequence[str],
    protect: bool,
    opts: ResourceOptions,
) -> contract.Keys:
    """The keys that the file asks for: made, given, or none."""
    if encryption == "customer-managed":
        return Keys(names, concerns, trails, protect, opts)
    return keys_elsewhere(encryption, names, concerns)


def keys_elsewhere(encryption: Encryption, names: Names, concerns: Sequence[str]) -> GivenKeys:
    """The keys of another slice, whose ``names`` these are: the user's own, or by their aliases those made there."""
    if isinstance(encryption, ExistingKeys):
        given = encryption.existing
        own = {"audit": given.audit or given.data}
        return GivenKeys({concern: Output.from_input(own.get(concern, given.data)) for concern in concerns})
    if encryption == "customer-managed":
        return GivenKeys({each: Output.from_input(names.arn("kms", alias(names, each))) for each in concerns})
    return GivenKeys({})


def alias(names: Names, concern: str) -> str:
    """The alias by which policies of another slice mean a key whose id they cannot know."""
    return f"alias/{names.physical('key-alias', concern)}"


def use(sid: str, names: Names, key: Output[str], actions: Sequence[str], services: Sequence[str]) -> Statement:
    """Allows a key to be used through ``services``.

    A policy cannot name an alias as its resource (KMS, "kms:ResourceAliases"), so a key that was given by its alias is
    meant by a condition.
    """
    through = {"StringEquals": {"kms:ViaService": [f"{service}.{names.region}.amazonaws.com" for service in services]}}

    def condition(key: str) -> dict[str, object]:
        _, found, name = key.partition("alias/")
        return {**through, **({"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{name}"}} if found else {})}

    resource = key.apply(lambda key: names.arn("kms", "key/*") if "alias/" in key else key)
    return {**allow(sid, actions, resource), "Condition": key.apply(condition)}


def _policy(names: Names, concern: str, trails: Sequence[str]) -> list[Statement]:
    services = [f"{service}.{names.region}.amazonaws.com" for service in SERVICES[concern]]
    root = {"Principal": account_root(names)}
    statements = [
        allow("AdministerWithoutUse", ADMINISTER, "*") | root,
        allow(
            "UseThroughItsServices",
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "*",
            {"StringEquals": {"kms:ViaService": services}},
        )
        | root,
        allow("GrantToServices", "kms:CreateGrant", "*", {"Bool": {"kms:GrantIsForAWSResource": "true"}}) | root,
    ]
    return statements + (_trails(names, trails) if concern == "audit" else [])


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
        allow("DescribeForTheTrail", "kms:DescribeKey", "*", {"StringEquals": {"aws:SourceArn": trails}}) | service,
        deny("KeepFromThoseItRecords", CRIPPLE, "*", {"ArnLike": {"aws:PrincipalArn": estate}})
        | {"Principal": {"AWS": "*"}},
    ]
