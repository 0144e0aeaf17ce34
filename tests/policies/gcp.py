"""What Google Cloud's tests ask of one rule."""

from collections.abc import Mapping
from typing import Any, Literal

from mlestate_policies.rules import Undecided, Violation, named
from mlestate_policies.settings import Settings
from tests.policies.cases import resources

REGULATED = Settings(profiles=("regulated",))
Outcome = Literal["kept", "violation", "undecided", "both"]


def said(
    rule: str, token: str, properties: Mapping[str, Any], settings: Settings = REGULATED, *, name: str = "thing"
) -> list[Violation | Undecided]:
    """What a rule says of one resource of `gcp:<token>`."""
    (resource,) = resources({name: {"type": f"gcp:{token}", "properties": dict(properties)}})
    return list(named()[rule].judge(resource, settings))


def outcome(
    rule: str, token: str, properties: Mapping[str, Any], settings: Settings = REGULATED, *, name: str = "thing"
) -> Outcome:
    """The same in a word."""
    kinds = {type(each) for each in said(rule, token, properties, settings, name=name)}
    if len(kinds) == 2:
        return "both"
    return "violation" if Violation in kinds else "undecided" if Undecided in kinds else "kept"
