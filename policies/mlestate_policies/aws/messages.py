"""Topics of SNS and secrets: `aws:sns/topic`, `aws:secretsmanager/secret`."""

from typing import Final

from mlestate_policies.checks import is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

TOPIC: Final = "aws:sns/topic:Topic"
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105  a type token

_KEYS: Final = {TOPIC: "kmsMasterKeyId", SECRET: "kmsKeyId"}


@resource_rule(
    "ML-AWS-SQ-001",
    {token: (path,) for token, path in _KEYS.items()},
    "Topics and secrets are encrypted with a key of the estate",
    why="Alerts quote data and secrets open doors; a key of one's own says who may read them, and who did.",
    fix="Set kmsMasterKeyId of a topic and kmsKeyId of a secret to a key of the estate.",
    severity="medium",
    hardening=True,
    sources=("CKV_AWS_26", "CKV_AWS_149", "SECRETSMANAGER_USING_CMK"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def messages_have_a_key(resource: Resource, settings: Settings) -> Findings:
    return is_set(resource, _KEYS[resource.type], "it has to be a key of the estate")
