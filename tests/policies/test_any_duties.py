"""Separation of duties reasons over policies as IAM does: what they forbid, limit and hand on counts too."""

import json
from typing import Any

from mlestate_policies.any.duties import duties_are_separate
from mlestate_policies.resources import Estate
from mlestate_policies.rules import Undecided
from mlestate_policies.settings import Settings
from tests.policies.cases import resources

TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, resource=resource, **more), "Effect": "Deny"}


def role(name: str, *statements: dict[str, Any], trust: Any = TRUST, **properties: Any) -> dict[str, dict[str, Any]]:
    policies = [{"name": "own", "policy": json.dumps({"Statement": list(statements)})}]
    return {
        name: {
            "type": "aws:iam/role:Role",
            "properties": {
                "name": name,
                "arn": f"arn:aws:iam::111111111111:role/{name}",
                "assumeRolePolicy": json.dumps({"Statement": [trust]}),
                "inlinePolicies": policies,
                **properties,
            },
        }
    }


def said(*roles: dict[str, dict[str, Any]], **more: dict[str, Any]) -> list[str]:
    entries = {name: entry for each in (*roles, more) for name, entry in each.items()}
    found = duties_are_separate(Estate(resources(entries)), Settings())
    return [f"? {each.path}" if isinstance(each, Undecided) else each.message for each in found]


def test_a_denial_takes_away_what_a_wildcard_gave() -> None:
    both = allow("sagemaker:*")
    assert said(role("all", both))
    assert not said(role("all", both, deny("sagemaker:*Endpoint", "sagemaker:*Component", "sagemaker:*ModelPackage")))


def test_a_denial_on_the_same_resources_takes_away_what_was_allowed_on_them() -> None:
    trains, serves = (
        allow("sagemaker:CreateTrainingJob"),
        allow("sagemaker:UpdateEndpoint", resource="arn:x:endpoint/a"),
    )
    assert said(role("all", trains, serves))
    assert not said(role("all", trains, serves, deny("sagemaker:UpdateEndpoint", resource="arn:x:endpoint/*")))
    assert said(role("all", trains, serves, deny("sagemaker:UpdateEndpoint", resource="arn:x:endpoint/b")))


def test_a_denial_under_a_condition_that_may_not_hold_takes_nothing_away() -> None:
    limited = deny("sagemaker:UpdateEndpoint", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})
    assert said(role("all", allow("sagemaker:CreateTrainingJob", "sagemaker:UpdateEndpoint"), limited))


def test_a_move_of_versions_without_a_verdict_is_no_approval() -> None:
    status = "sagemaker:ModelApprovalStatus"
    trains = allow("sagemaker:CreateTrainingJob")
    for condition in (
        {"Null": {status: "true"}},
        {"StringEquals": {status: ["Rejected", "PendingManualApproval"]}},
        {"StringNotEquals": {status: "Approved"}},
        {"StringLike": {status: "Reject*"}},
    ):
        assert not said(role("all", trains, allow("sagemaker:UpdateModelPackage", Condition=condition))), condition
    for condition in (
        {"Null": {status: "false"}},
        {"StringEquals": {status: ["Approved", "Rejected"]}},
        {"StringEqualsIgnoreCase": {status: "approved"}},
        {"StringEquals": {"aws:ResourceTag/team": "risk"}},
    ):
        assert said(role("all", trains, allow("sagemaker:UpdateModelPackage", Condition=condition))), condition


def test_a_denial_of_what_is_not_pending_is_a_denial_of_approving() -> None:
    pending = {"StringNotEqualsIfExists": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    registers = allow("sagemaker:CreateModelPackage")
    assert said(role("registers", registers))
    assert not said(role("registers", registers, deny("sagemaker:CreateModelPackage", Condition=pending)))


def test_a_ceiling_that_leaves_one_half_out_separates() -> None:
    ceiling = {
        "type": "aws:iam/policy:Policy",
        "properties": {"arn": "arn:c", "policy": json.dumps({"Statement": allow("sagemaker:Create*Job")})},
    }
    bounded = role("all", allow("*"), permissionsBoundary="arn:c")
    assert not said(bounded, ceiling=ceiling)
    assert said(role("all", allow("*")), ceiling=ceiling)


def test_a_role_of_another_environment_is_for_experiments() -> None:
    assert not said(role("all", allow("sagemaker:*"), tags={"environment": "dev"}))
    assert said(role("all", allow("sagemaker:*"), tags={"environment": "prod"}))


def test_a_trusted_account_lets_in_who_may_take_the_role() -> None:
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}
    serves = role("serves", allow("sagemaker:UpdateEndpoint"), trust=account)
    trains = allow("sagemaker:CreateTrainingJob")
    assert not said(role("trains", trains), serves)
    assert said(role("trains", trains, allow("sts:AssumeRole")), serves)
    assert not said(role("trains", trains, allow("sts:AssumeRole", resource="arn:aws:iam::*:role/other")), serves)


def test_a_role_that_is_passed_to_another_service_is_not_handed_on() -> None:
    serves = role("serves", allow("sagemaker:UpdateEndpoint"))
    passes = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    trains = allow("sagemaker:CreateTrainingJob")
    assert said(role("trains", trains, allow("iam:PassRole")), serves)
    assert not said(role("trains", trains, allow("iam:PassRole", Condition=passes)), serves)


def test_one_name_in_two_accounts_is_two_roles() -> None:
    entries: dict[str, dict[str, Any]] = {}
    for environment, actions in (("one", "sagemaker:CreateTrainingJob"), ("two", "sagemaker:UpdateEndpoint")):
        entries |= role(environment)
        entries[environment]["properties"] |= {"name": "machines", "inlinePolicies": []}
        entries[f"{environment}-may"] = {
            "type": "aws:iam/rolePolicy:RolePolicy",
            "properties": {"role": "machines", "policy": json.dumps({"Statement": allow(actions)})},
            "links": {"role": [environment]},
        }
    assert not said(entries)


def test_what_cannot_be_read_is_said_and_is_neither_kept_nor_broken() -> None:
    unread = [{"policy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}]
    found = said(role("all", inlinePolicies=unread, managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]))
    assert found == ["? inlinePolicies[0].policy"]


def test_nonsense_is_no_policy() -> None:
    for policy in ("{", "[]", '{"Statement": 3}', '{"Statement": {"Effect": 1, "Action": {"a": 1}}}', 7, ["x"]):
        assert not said(
            role("odd", inlinePolicies=[{"policy": policy}], permissionsBoundary=3, assumeRolePolicy=policy)
        )
