"""Who may approve a version by the policy of its group."""

import json
from typing import Any

import pytest

from mlestate_policies.aws.registry import GROUP_POLICY, TRACKING_APP, TRACKING_SERVER, WORKFORCE
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Violation, named
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

UPDATE = "sagemaker:UpdateModelPackage"
STATUS = "sagemaker:ModelApprovalStatus"
TRAINERS = {"AWS": "arn:aws:iam::222222222222:role/risk/trainer"}
ACCOUNT = {"AWS": "arn:aws:iam::222222222222:root"}


def faults(*statements: dict[str, Any], **limits: Any) -> list[str]:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    policy = Resource(GROUP_POLICY, "urn::policy", Node({"resourcePolicy": document}))
    judged = named()["ML-AWS-SM-081"].judge(policy, Settings(limits=limits))
    return [each.message for each in judged if isinstance(each, Violation)]


def allow(principal: Any, action: Any, condition: Any = None) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": "arn:aws:sagemaker:ca-central-1:111111111111:model-package/fraud/*",
    } | ({"Condition": condition} if condition else {})


@pytest.mark.parametrize("action", [UPDATE, "sagemaker:update*", "sagemaker:*", "*", "sagemaker:CreateModelPackage"])
@pytest.mark.parametrize("principal", [TRAINERS, ACCOUNT, {"AWS": "222222222222"}, {"Service": "lambda.amazonaws.com"}])
def test_an_action_that_can_write_a_status_is_for_approvers(principal: Any, action: str) -> None:
    (message,) = faults(allow(principal, action))
    assert message.startswith("resourcePolicy: statement 1 lets others than approvers approve")


@pytest.mark.parametrize("action", ["sagemaker:DescribeModelPackage", ["sagemaker:List*", "sagemaker:CreateModel"], []])
def test_other_actions_are_for_anyone_who_is_named(action: Any) -> None:
    assert not faults(allow(TRAINERS, action))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {STATUS: "PendingManualApproval"}},
        {"StringEquals": {STATUS: ["PendingManualApproval", "Rejected"]}},
        {"StringEqualsIfExists": {STATUS: "PendingManualApproval"}},
        {"StringNotEquals": {STATUS: "Approved"}},
        {"StringNotLike": {STATUS: "App*"}},
        {"Null": {STATUS: "true"}},
        {"Null": {STATUS.lower(): True}},
        {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/risk/approver"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/*/risk-approval-*"}},
    ],
    ids=str,
)
def test_a_condition_keeps_approval_from_the_rest_of_an_account(condition: Any) -> None:
    assert not faults(allow(ACCOUNT, UPDATE, condition))


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {STATUS: ["PendingManualApproval", "Approved"]}},
        {"StringLike": {STATUS: "*"}},
        {"StringEqualsIfExists": {STATUS: "Approved"}},
        {"StringNotEquals": {STATUS: "Rejected"}},
        {"Null": {STATUS: "false"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        {"ArnEquals": {"aws:PrincipalArn": ["arn:aws:iam::2:role/approver", "arn:aws:iam::2:role/trainer"]}},
        {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/risk/approver"}},
    ],
    ids=str,
)
def test_a_condition_that_lets_an_approval_through_is_none(condition: Any) -> None:
    assert faults(allow(ACCOUNT, UPDATE, condition))


def test_who_approves_is_named_in_a_limit() -> None:
    statement = allow({"AWS": "arn:aws:iam::222222222222:role/risk/validation"}, UPDATE)
    assert faults(statement)
    assert not faults(statement, registryApprovers=("validation",))
    assert not faults(statement, registryApprovers=("arn:aws:iam::222222222222:role/risk/*",))


def test_what_is_denied_to_everyone_is_not_allowed() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sagemaker:*ModelPackage", "Resource": "*"}
    assert not faults(allow(TRAINERS, "sagemaker:*"), deny)
    assert faults(allow(TRAINERS, "sagemaker:*"), deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    assert faults(allow(TRAINERS, "sagemaker:*"), deny | {"Principal": {"AWS": "arn:aws:iam::1:role/other"}})


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
def test_everyone_is_let_in_by_nothing(principal: Any) -> None:
    assert faults(allow(principal, "sagemaker:DescribeModelPackage"))
    organisation = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    assert not faults(allow(principal, "sagemaker:DescribeModelPackage", organisation))


@pytest.mark.parametrize(
    ("network", "named_network"),
    [("203.0.113.0/24", True), ("198.51.100.7/32", True), ("0.0.0.0/0", False), ("10.1.2.3/0", False), ("::/0", False)],
)
def test_a_workforce_does_not_come_from_every_network_there_is(network: str, named_network: bool) -> None:
    workforce = Resource(WORKFORCE, "urn::workforce", Node({"sourceIpConfig": {"cidrs": ["203.0.113.0/24", network]}}))
    assert (not list(named()["ML-AWS-SM-084"].judge(workforce, Settings()))) is named_network


@pytest.mark.parametrize("network", ["nowhere", 7, True])
def test_what_is_no_network_stops_no_rule(network: Any) -> None:
    workforce = Resource(WORKFORCE, "urn::workforce", Node({"sourceIpConfig": {"cidrs": [network]}}))
    list(named()["ML-AWS-SM-084"].judge(workforce, Settings()))


@pytest.mark.parametrize(
    ("token", "switch"),
    [
        (TRACKING_SERVER, {"automaticModelRegistration": True}),
        (TRACKING_APP, {"modelRegistrationMode": "AutoModelRegistrationEnabled"}),
    ],
)
def test_only_in_production_does_a_tracking_server_register_nothing(token: str, switch: dict[str, Any]) -> None:
    rule = named()["ML-AWS-SM-085"]
    assert list(rule.judge(Resource(token, "urn::server", Node(switch)), Settings()))
    development = Node(switch | {"tags": {"environment": "dev"}})
    assert not list(rule.judge(Resource(token, "urn::server", development), Settings()))
    assert not list(rule.judge(Resource(token, "urn::server", Node({"name": "server"})), Settings()))
