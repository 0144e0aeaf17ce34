"""Keys of Cloud KMS."""

from typing import Final

from mlestate_policies.gcp.shapes import DAY, lasts
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings

KEY: Final = "gcp:kms/cryptoKey:CryptoKey"

_ROTATION: Final = 90 * DAY
_DESTRUCTION: Final = 7 * DAY

_EXTERNAL: Final = ("EXTERNAL", "EXTERNAL_VPC")


@resource_rule(
    "ML-GCP-KM-001",
    {KEY: ("rotationPeriod", "destroyScheduledDuration")},
    "A key rotates within 90 days, and can be restored for a while after it was destroyed",
    why="Whoever destroys a key destroys the data behind it, by mistake too; one that never rotates guards ever more.",
    fix='Set rotationPeriod to "7776000s" or less, and leave destroyScheduledDuration out or at "604800s" or more.',
    severity="medium",
    sources=("CKV_GCP_43", "CKV_GCP_82", "prowler kms_key_rotation_max_90_days"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def key_rotates_and_survives(key: Resource, settings: Settings) -> Findings:
    yield from lasts(
        key,
        "destroyScheduledDuration",
        lambda length: length >= _DESTRUCTION,
        f"at least {_DESTRUCTION}s",
        absent_passes=True,  # 30 days
    )
    purpose = key.at("purpose")
    if purpose.unknown:
        yield Undecided(purpose.path)
    elif _rotates_by_itself(key):
        yield from lasts(key, "rotationPeriod", lambda length: length <= _ROTATION, f"at most {_ROTATION}s")


def _rotates_by_itself(key: Resource) -> bool:
    """Only symmetric keys do, and neither those that hold imported material nor those that lie outside Google."""
    return (
        key.at("purpose").text in ("", "ENCRYPT_DECRYPT")
        and not key.at("importOnly").true
        and key.at("versionTemplate.protectionLevel").text not in _EXTERNAL
    )
