"""Policies of the organization, where the estate sets them on its folder or its projects."""

from typing import Final

from mlestate_policies.checks import equals, is_false
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

POLICY: Final = "gcp:orgpolicy/policy:Policy"

_SWITCHES: Final = frozenset(
    f"ainotebooks.{name}"
    for name in (
        "disableFileDownloads",
        "disableRootAccess",
        "disableTerminal",
        "requireAutoUpgradeSchedule",
        "restrictPublicIp",
    )
)
"""Constraints that are on or off."""
_CHOICES: Final = frozenset(
    {
        "ainotebooks.accessMode",
        "ainotebooks.environmentOptions",
        "ainotebooks.restrictVpcNetworks",
        "gcp.resourceLocations",
        "gcp.restrictNonCmekServices",
        "vertexai.allowedModels",
        "vertexai.allowedPartnerModelFeatures",
    }
)
"""Constraints that list what is allowed or denied."""


@resource_rule(
    "ML-GCP-OP-001",
    {
        POLICY: (
            "name",
            "spec.rules[].enforce",
            "spec.rules[].values.allowedValues[]",
            "spec.rules[].allowAll",
            "spec.reset",
        )
    },
    "A policy of the organization on notebooks, models, locations or keys restricts something",
    why="A policy that is there and allows everything is worse than none: it is taken for a safeguard.",
    fix='Set spec.rules with enforce "TRUE", or with the values that are allowed or denied, and neither allowAll nor '
    "spec.reset.",
    severity="medium",
    level="advisory",
    sources=tuple(f"constraints/{name}" for name in sorted(_SWITCHES | _CHOICES)),
    evidences=("EU AI Act 15", "NIST AI RMF GOVERN 1.6"),
)
def organization_policy_restricts(policy: Resource, settings: Settings) -> Findings:
    name = policy.at("name")
    if name.unknown:
        yield Undecided(name.path)
    constraint = name.text.rpartition("/policies/")[2]
    if constraint not in _SWITCHES | _CHOICES:
        return
    yield from is_false(policy, "spec.reset", absent_passes=True)
    if policy.at("spec.reset").true:
        return
    for rule in policy.each("spec.rules[]"):
        if rule.unknown:
            yield Undecided(rule.path)
        elif rule.absent:
            yield Violation(rule.path, f"{rule.path} is not set; without one {constraint} restricts nothing")
        elif rule.at("condition").absent:  # one with a condition is an exception, for what carries a tag
            if constraint in _SWITCHES:
                yield from equals(rule, "enforce", "TRUE")
            elif not rule.at("denyAll").true:
                yield from _names_values(rule)


def _names_values(rule: Node) -> Findings:
    yield from is_false(rule, "allowAll", absent_passes=True)
    values = (rule.at("values.allowedValues"), rule.at("values.deniedValues"))
    if rule.at("allowAll").absent and all(node.absent for node in values):
        yield Violation(
            values[0].path, f"{values[0].path} is not set, nor are deniedValues; the rule restricts nothing"
        )
