"""What rules over a stack say before anything is there: no id, no ARN, and nothing that comes from another resource."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from mlestate_policies.judge import judge
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.cases import kept, resources, tables

OURS = ("approval", "audit", "duties", "keyduties", "monitoring", "registry")
AFTERWARDS = ("arn", "email", "id", "keyArn", "member", "principalId", "selfLink")


def before(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The resources of a table as a first preview shows them."""
    found = {}
    for name, entry in entries.items():
        entry = dict(deepcopy(entry))
        given = entry.get("properties", {}).items()
        later = () if entry["type"].endswith(":EventTarget") else AFTERWARDS  # whose `arn` says what it starts
        properties = {key: each for key, each in given if key not in later}
        properties |= {key: UNKNOWN for key, urns in entry.get("links", {}).items() if urns}
        found[name] = {**entry, "properties": properties}
    return found


@pytest.mark.parametrize("table", [f"stack-{each}" for each in OURS if f"stack-{each}" in tables()])
def test_an_estate_that_keeps_the_rules_breaks_none_of_them_before_it_is_there(table: str) -> None:
    report = judge([], resources(before(kept(table))), Settings(profiles=("regulated",)))
    said = [(each.rule.id, each.urn, each.message) for each in report.findings if each.outcome != "undecided"]
    assert not said
