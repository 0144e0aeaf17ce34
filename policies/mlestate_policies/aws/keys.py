"""Keys of KMS: `aws:kms/key`."""

from collections.abc import Iterator
from typing import Final

from mlestate_policies.aws.documents import Document, Statement, judge_documents
from mlestate_policies.checks import at_least, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings

KEY: Final = "aws:kms/key:Key"
KEY_POLICY: Final = "aws:kms/keyPolicy:KeyPolicy"

_LONGEST: Final = 30
"""Days between a key's deletion and its end, at most in KMS."""


@resource_rule(
    "ML-AWS-KM-001",
    {KEY: ("enableKeyRotation",)},
    "A key is renewed by itself every year",
    why="The longer one secret encrypts everything, the more is lost with it.",
    fix="Set enableKeyRotation to true.",
    severity="medium",
    sources=("CKV_AWS_7", "CMK_BACKING_KEY_ROTATION_ENABLED", "awsguard cmk-backing-key-rotation-enabled"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def key_rotates(key: Resource, settings: Settings) -> Findings:
    spec, store = key.at("customerMasterKeySpec"), key.at("customKeyStoreId")
    if (spec.known and spec.text.upper() != "SYMMETRIC_DEFAULT") or store.known:
        return  # KMS rotates neither key pairs, nor keys for codes, nor keys in a store of one's own
    if key.at("enableKeyRotation").absent and (spec.unknown or store.unknown):
        yield Undecided("enableKeyRotation")
    else:
        yield from is_true(key, "enableKeyRotation")


@resource_rule(
    "ML-AWS-KM-002",
    {KEY: ("policy",), KEY_POLICY: ("policy",)},
    "A key's policy names who may use it",
    why="A wildcard principal without a condition on the account lets every account of AWS decrypt.",
    fix="Name the principals of each Allow, or tie it to the account with kms:CallerAccount or aws:PrincipalOrgID.",
    severity="critical",
    sources=("CKV_AWS_33", "CKV2_AWS_64"),
    evidences=("EU AI Act 15", "PIPEDA 4.7", "Law 25 s.10"),
)
def key_policy_names_its_users(key: Resource, settings: Settings) -> Findings:
    return judge_documents(key, "policy", _for_everyone)  # without one KMS gives the key to its account


def _for_everyone(document: Document) -> Iterator[tuple[Statement, str]]:
    for statement in document.allowing:
        if statement.public:
            yield statement, "lets everyone use the key, in every account; it has to name whom"


@resource_rule(
    "ML-AWS-KM-003",
    {KEY: ("deletionWindowInDays",)},
    "A key of production can be saved for 30 days after its deletion",
    why="With a key goes all that it encrypted, and for ever.",
    fix="Set deletionWindowInDays to 30 or leave it out.",
    severity="medium",
    evidences=("ISO 42001 A.7.5",),
    remedy={"deletionWindowInDays": _LONGEST},
)
def key_can_be_saved(key: Resource, settings: Settings) -> Findings:
    if settings.production(key):
        yield from at_least(key, "deletionWindowInDays", _LONGEST, "days", absent_passes=True)
