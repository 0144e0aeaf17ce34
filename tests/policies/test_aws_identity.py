"""What the rules on IAM reason, beyond what a table of cases shows."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlestate_policies.aws import identity
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node

ROOT = Path(__file__).parent.parent.parent
SETTINGS = Settings()


def role(trust: Any = None, **properties: Any) -> Resource:
    document = json.dumps({"Statement": trust}) if trust is not None else None
    return Resource(identity.ROLE, "urn:pulumi:s::p::t::role", Node({"assumeRolePolicy": document, **properties}))


def policy(*statements: dict[str, Any], name: str = "policy", type: str = identity.MANAGED_POLICY) -> Resource:  # noqa: A002
    text = json.dumps({"Statement": [{"Effect": "Allow", **each} for each in statements]})
    return Resource(type, f"urn:pulumi:s::p::t::{name}", Node({"policy": text}))


def words(findings: Findings) -> list[str]:
    return [each.message for each in findings if isinstance(each, Violation)]


def trust(principal: Any, condition: Any = None, action: str = "sts:AssumeRole") -> dict[str, Any]:
    given = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**given, "Condition": condition} if condition else given


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": ["sagemaker:List*", "sagemaker:Search"], "Resource": "*"},
        {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Action": ["ec2:DescribeVpcs", "ec2:DescribeSubnets"], "Resource": "*"},
        {"Action": ["xray:PutTraceSegments"], "Resource": "*"},
        {"Action": "s3:*", "Resource": ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-data/*"]},
        {"Action": "sagemaker:*Endpoint*", "Resource": "arn:aws:sagemaker:ca-central-1:111122223333:endpoint/acme-*"},
        {
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ResourceAliases": "alias/acme"}},
        },
        {
            "Action": "sagemaker:CreateTrainingJob",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/estate": "acme"}},
        },
    ],
)
def test_what_is_named_or_cannot_be_is_no_violation(statement: dict[str, Any]) -> None:
    assert not words(identity.policy_names_actions_and_resources(policy(statement), SETTINGS))


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "SageMaker:*", "Resource": "arn:aws:sagemaker:ca-central-1:111122223333:endpoint/acme"},
        {"Action": "sage*:*", "Resource": "arn:aws:sagemaker:ca-central-1:111122223333:endpoint/acme"},
        {"Action": ["s3:ListBucket", "s3:PUTOBJECT"], "Resource": "*"},
        {"Action": "s3:*", "Resource": "*"},
        {"Action": "kms:Decrypt", "NotResource": "arn:aws:kms:ca-central-1:111122223333:key/one"},
        {
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}},
        },
        {"Action": "kms:Decrypt", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {
            "Action": "ecr:BatchGetImage",
            "Resource": "*",
            "Condition": {"StringEqualsIfExists": {"aws:ResourceTag/estate": "acme"}},
        },
    ],
)
def test_what_reaches_everything_is_a_violation_however_it_is_written(statement: dict[str, Any]) -> None:
    assert words(identity.policy_names_actions_and_resources(policy(statement), SETTINGS))


def test_a_deny_allows_nothing() -> None:
    denying = policy({"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert not words(identity.policy_names_actions_and_resources(denying, SETTINGS))
    assert not words(identity.roles_are_passed_by_name(denying, SETTINGS))


def test_a_boundary_caps_and_grants_nothing_but_only_a_managed_policy_is_one() -> None:
    everything = {"Action": ["sagemaker:*", "iam:PassRole"], "Resource": "*"}
    for rule in (identity.policy_names_actions_and_resources, identity.roles_are_passed_by_name):
        assert not words(rule(policy(everything, name="acme-boundary"), SETTINGS))
        assert words(rule(policy(everything, name="acme-boundary", type=identity.ROLE_POLICY), SETTINGS))
        assert words(rule(policy(everything, name="acme-boundary"), Settings(limits={"boundaryPolicies": ()})))


def test_messages_tell_the_statement_and_no_value_of_the_policy() -> None:
    (message,) = words(
        identity.policy_names_actions_and_resources(
            policy(
                {"Sid": "Read", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::*", "s3cret"]}
            ),
            SETTINGS,
        )
    )
    assert (
        message == 'policy: statement 1 (Read) allows "s3:getobject" and 1 more on every resource; it has to name ARNs'
    )


@pytest.mark.parametrize(
    "statement",
    [
        trust({"Service": "ec2.amazonaws.com"}),
        trust({"Service": "lambda.amazonaws.com"}),
        trust({"AWS": "arn:aws:iam::111122223333:role/ci"}),
        trust({"AWS": "111122223333"}, {"StringEquals": {"sts:ExternalId": "1"}}),
        trust(
            {"Service": "sagemaker.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:*:111122223333:*"}}
        ),
        trust(
            {"Federated": "cognito-identity.amazonaws.com"},
            {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}},
            "sts:AssumeRoleWithWebIdentity",
        ),
        trust({"Federated": "arn:aws:iam::111122223333:saml-provider/acme"}, None, "sts:AssumeRoleWithSAML"),
        {**trust("*"), "Effect": "Deny"},
    ],
)
def test_a_trust_that_names_whom_is_kept(statement: dict[str, Any]) -> None:
    assert not words(identity.role_trusts_by_name(role(statement), SETTINGS))


@pytest.mark.parametrize(
    "statement",
    [
        trust({"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]}),
        trust({"AWS": "111122223333"}),
        trust({"AWS": "arn:aws-cn:iam::111122223333:root"}, {"StringNotEquals": {"aws:PrincipalArn": "a"}}),
        trust("*", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        trust({"Service": "sagemaker.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:*:*:*"}}),
        *(
            trust(
                {"Federated": "arn:aws:iam::111122223333:oidc-provider/ci.example"},
                {"StringLike": {"ci.example:sub": subject}},
                "sts:AssumeRoleWithWebIdentity",
            )
            for subject in ("*", "repo:*", "repo:*/*:ref:refs/heads/main", "repo:*:environment:production")
        ),
    ],
)
def test_a_trust_in_many_is_a_violation(statement: dict[str, Any]) -> None:
    assert words(identity.role_trusts_by_name(role(statement), SETTINGS))


def test_a_boundary_is_asked_only_of_ml_roles_in_production_and_only_where_the_trust_is_known() -> None:
    def found(**properties: Any) -> Iterator[Any]:
        return iter(identity.ml_role_has_a_boundary(role(**properties), SETTINGS))

    sagemaker = [trust({"Service": "sagemaker.amazonaws.com"})]
    assert words(found(trust=sagemaker))
    assert not list(found(trust=sagemaker, tags={"environment": "dev"}))
    assert not list(found(trust=sagemaker, permissionsBoundary=UNKNOWN))
    assert not list(found(trust=[trust({"Service": "states.amazonaws.com"})]))
    assert list(found(assumeRolePolicy=UNKNOWN)) == [Undecided("permissionsBoundary")]


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:iam::111122223333:*", "arn:aws:iam::*:role/*", "arn:aws-cn:iam::1:role/*/*"]
)
def test_passing_any_role_is_a_violation_whatever_the_service(resource: str) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    passing = {"Action": "iam:passrole", "Resource": resource, "Condition": condition}
    assert words(identity.roles_are_passed_by_name(policy(passing), SETTINGS))
    named = {**passing, "Resource": "arn:aws:iam::111122223333:role/acme/*"}
    assert not words(identity.roles_are_passed_by_name(policy(named), SETTINGS))


def test_only_policies_of_aws_are_taken_for_broad() -> None:
    for arn, expected in (
        ("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess", 1),
        ("arn:aws-us-gov:iam::aws:policy/AdministratorAccess", 1),
        ("arn:aws:iam::111122223333:policy/AdministratorAccess", 0),
        ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", 0),
    ):
        attached = Resource(identity.ATTACHMENT, "urn:pulumi:s::p::t::a", Node({"policyArn": arn}))
        assert len(words(identity.role_has_no_broad_policy(attached, SETTINGS))) == expected


def test_the_data_on_actions_is_what_the_reference_says() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    from aws_actions import DATA, aws_actions

    assert DATA.read_text() == aws_actions(), "write it again with: python docs/aws_actions.py"
