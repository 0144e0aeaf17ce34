"""What Azure's tests ask of one rule."""

from collections.abc import Iterable, Mapping
from typing import Any

from mlestate_policies.resources import Estate
from mlestate_policies.rules import Undecided, Violation, named
from mlestate_policies.settings import Settings
from tests.policies.cases import resources

REGULATED = Settings(profiles=("regulated",))


def verdict(
    rule: str, token: str, properties: Mapping[str, Any], settings: Settings = REGULATED, *, name: str = "thing"
) -> set[str]:
    """What a rule says of one resource of `azure-native:<token>`: `violation`, `undecided`, nothing."""
    (resource,) = resources({name: {"type": f"azure-native:{token}", "properties": dict(properties)}})
    return _outcomes(named()[rule].judge(resource, settings))


def verdict_on_estate(rule: str, entries: Mapping[str, Mapping[str, Any]], settings: Settings = REGULATED) -> set[str]:
    """What a rule says of a whole estate, given as a table of cases gives it."""
    return _outcomes(named()[rule].judge(Estate(resources(entries)), settings))


def _outcomes(findings: Iterable[Violation | Undecided]) -> set[str]:
    return {type(each).__name__.lower() for each in findings}
