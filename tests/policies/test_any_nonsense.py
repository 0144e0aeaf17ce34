"""Whatever a user writes in place of a property, a rule over a stack says what it finds and does not break."""

from typing import Any

import pytest

from mlestate_policies.resources import Estate
from mlestate_policies.rules import rules
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.cases import kept, resources, tables

ODD: tuple[Any, ...] = (
    3,
    -1,
    True,
    "x",
    "{",
    "[1]",
    '{"Statement": 1}',
    ["x"],
    [1],
    [[]],
    {"a": 1},
    {"a": {}},
    UNKNOWN,
)
OURS = ("approval", "audit", "duties", "keyduties", "monitoring", "registry")
CASES = [
    (f"stack-{table}", name)
    for table in OURS
    if f"stack-{table}" in tables()
    for name in tables()[f"stack-{table}"]["resources"]
]


SETTINGS = Settings(profiles=("regulated",), limits={"approvers": ("approver*",)})


@pytest.mark.parametrize(("table", "name"), CASES)
def test_no_rule_breaks_over_what_is_written_in_properties(table: str, name: str) -> None:
    ours = [rule for rule in rules() if rule.kind == "stack" and rule.id.startswith("ML-STK-0")]
    entries = kept(table)
    given = entries[name].get("properties", {})
    for shift in range(0, len(ODD), 3):
        entries[name]["properties"] = {key: ODD[(place + shift) % len(ODD)] for place, key in enumerate(given)}
        estate = Estate(resources(entries))
        for rule in ours:
            list(rule.judge(estate, SETTINGS))
