"""IAM documents as the rules read them."""

import json
from typing import Any

import pytest

from mlestate_policies.aws.documents import Document, Statement, covered, judge_documents, overlap, reaches
from mlestate_policies.rules import Undecided, Violation
from mlestate_policies.values import UNKNOWN, Node


def document(*statements: dict[str, Any]) -> Document:
    found = Document.of(Node(json.dumps({"Version": "2012-10-17", "Statement": list(statements)})))
    assert found is not None
    return found


def statement(**parts: Any) -> Statement:
    return document({"Effect": "Allow", "Action": "*", "Resource": "*", **parts}).statements[0]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("*", "sagemaker:createendpoint", True),
        ("sagemaker:create*", "sagemaker:*endpoint", True),
        ("sagemaker:create*", "sagemaker:delete*", False),
        ("s3:get?bject", "s3:getobject", True),
        ("s3:get?", "s3:get", False),
        ("", "*", True),
        ("a*b*c", "*x*", True),
        ("a*", "*b?", True),
        ("arn:aws:s3:::${aws:PrincipalAccount}-audit", "arn:aws:s3:::acme-audit", True),
    ],
)
def test_two_patterns_overlap_when_some_text_fits_both(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is expected


@pytest.mark.parametrize(
    ("pattern", "asked", "expected"),
    [
        ("*", "*", True),
        ("s3:*", "s3:Get*", True),
        ("s3:Get*", "s3:*", False),
        ("s3:Get?", "s3:Get*", False),
        ("key/?", "key/${aws:username}", False),
        ("key/*", "key/${aws:username}", True),
    ],
)
def test_a_pattern_covers_another_when_all_that_fits_it_fits(pattern: str, asked: str, expected: bool) -> None:
    assert covered(pattern, asked) is expected


def test_actions_are_compared_without_case_and_resources_with_it() -> None:
    reader = statement(Action="S3:getOBJECT", Resource="arn:aws:s3:::data/*")
    assert reader.reaches("s3:GetObject", "arn:aws:s3:::data/a")
    assert not reader.reaches("s3:GetObject", "arn:aws:s3:::Data/a")


def test_everything_but_some_is_the_rest() -> None:
    rest = statement(Action=None, NotAction=["iam:*"], Resource=None, NotResource=["arn:aws:s3:::audit*"])
    assert rest.reaches("s3:DeleteObject")
    assert not rest.reaches("iam:PassRole")
    assert not rest.reaches("s3:DeleteObject", "arn:aws:s3:::audit-logs/*")
    assert not rest.covers("s3:DeleteObject", "arn:aws:s3:::*")
    assert rest.covers("s3:DeleteObject", "arn:aws:s3:::data")


def test_a_deny_takes_away_only_what_it_surely_and_wholly_denies() -> None:
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::audit/*"}
    assert reaches([document(allow)], "s3:DeleteObject")
    assert reaches([document(allow, deny)], "s3:DeleteObject")
    assert not reaches([document(allow), document(deny)], "s3:DeleteObject", "arn:aws:s3:::audit/2026")
    sometimes = {**deny, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}
    assert reaches([document(allow, sometimes)], "s3:DeleteObject", "arn:aws:s3:::audit/2026")
    assert not reaches([], "s3:DeleteObject")


def test_a_trust_policy_has_no_resource_and_speaks_of_all() -> None:
    assert statement(Action="sts:AssumeRole", Resource=None).covers("sts:AssumeRole")


@pytest.mark.parametrize(
    "principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::111122223333:root", "*"]}, {"AWS": "arn:aws:iam::*:root"}]
)
def test_a_wildcard_principal_is_everyone(principal: Any) -> None:
    assert statement(Principal=principal).public
    assert not statement(Effect="Deny", Principal=principal).public


def test_allowing_everyone_but_one_is_public() -> None:
    assert statement(NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"}).public


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"AWS:sourceaccount": ["111122223333"]}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::acme-*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:acme-data"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    ],
)
def test_a_condition_that_says_whose_request_it_is_closes_a_statement(condition: Any) -> None:
    assert not statement(Principal="*", Condition=condition).public


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringLike": {"aws:PrincipalOrgID": "*"}},
        {"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}},
        {"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
        {"ForAllValues:StringEquals": {"aws:SourceAccount": "111122223333"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:topic"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:*"}, "Null": {"aws:SourceArn": "false"}},
        {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0"]}},
    ],
)
def test_a_condition_that_anyone_meets_closes_nothing(condition: Any) -> None:
    assert statement(Principal="*", Condition=condition).public


def test_what_a_condition_pins_is_shown() -> None:
    passing = statement(Condition={"StringEquals": {"iam:PassedToService": ["sagemaker.amazonaws.com"]}})
    assert passing.limited_to("IAM:PassedToService") == ("sagemaker.amazonaws.com",)
    assert (
        statement(Condition={"StringNotEquals": {"iam:PassedToService": "a"}}).limited_to("iam:PassedToService") == ()
    )


@pytest.mark.parametrize(
    "resource", ["*", "**", "arn:aws:s3:::*", "arn:aws:sagemaker:*:*:*", "arn:aws:s3:::*/*", "arn:aws:kms:*:*:key/*"]
)
def test_a_resource_of_wildcards_alone_is_everywhere(resource: str) -> None:
    assert statement(Resource=["arn:aws:s3:::data", resource]).everywhere


@pytest.mark.parametrize("resource", ["arn:aws:kms:ca-central-1:111122223333:key/*", "arn:aws:s3:::data-*"])
def test_a_resource_with_an_account_or_a_beginning_is_somewhere(resource: str) -> None:
    assert not statement(Resource=resource).everywhere


def test_a_single_statement_need_not_be_in_a_list() -> None:
    found = Document.of(Node({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}))
    assert found
    assert found.allowing[0].actions == ("s3:getobject",)
    assert not found.denying


@pytest.mark.parametrize("broken", ["no JSON", "[1]", "{}", '{"Statement": 3}', '{"Statement": ["a"]}', "7"])
def test_what_is_no_policy_is_said_and_nothing_raises(broken: str) -> None:
    (violation,) = judge_documents(Node({"policy": broken}), "policy", lambda document: [])
    assert isinstance(violation, Violation)
    assert broken not in violation.message


@pytest.mark.parametrize(
    "odd",
    [
        {"Action": {"a": 1}, "Resource": 7, "Principal": 3, "Condition": "x", "Sid": [1]},
        {"Action": [None, {}], "Principal": {"AWS": {"a": "b"}}, "Condition": {"StringEquals": "x"}},
        {"Effect": 1},
    ],
)
def test_nothing_raises_for_statements_of_wrong_types(odd: dict[str, Any]) -> None:
    (found,) = document(odd).statements
    assert not found.reaches("s3:GetObject")
    assert not found.public


def test_an_unknown_document_is_undecided_in_whole_and_in_part() -> None:
    for policy in (UNKNOWN, {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": UNKNOWN}]}):
        assert list(judge_documents(Node({"policy": policy}), "policy", lambda document: [])) == [Undecided("policy")]


def test_no_document_is_nothing_wrong_unless_one_is_needed() -> None:
    assert not list(judge_documents(Node({}), "policy", lambda document: []))
    assert list(judge_documents(Node({}), "policy", lambda document: [], needed="say who may read"))


def test_a_statement_is_called_by_its_place_and_its_sid() -> None:
    assert statement(Sid="ReadData").name == "statement 1 (ReadData)"
    assert statement(Sid="what a secret: 1234").name == "statement 1"
