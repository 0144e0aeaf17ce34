"""The evaluator that the access matrix stands on: each rule of IAM's evaluation with a case that holds and one not."""

from typing import Any

import pytest

from .iam import Request, allowed, believes

ME = "arn:aws:iam::111111111111:role/me"
ROOT = "arn:aws:iam::111111111111:root"


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: str = "s3:GetObject", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _deny(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**_allow(action, resource, **more), "Effect": "Deny"}


def _ask(action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k", who: str = ME, **context: Any) -> Request:
    return Request(who, action, resource, context)


def test_nothing_is_allowed_that_no_statement_allows() -> None:
    assert not allowed(_ask(), [])
    assert allowed(_ask(), [_document(_allow())])
    assert not allowed(_ask("s3:PutObject"), [_document(_allow())])


def test_a_denial_outvotes_wherever_it_stands() -> None:
    granted, refused = _document(_allow()), _document(_deny())
    assert not allowed(_ask(), [granted, refused])
    assert not allowed(_ask(), [granted], boundary=_document(_allow("*"), _deny()))
    assert not allowed(_ask(), [granted], resource=_document(_deny(Principal="*")))


def test_a_boundary_grants_nothing_and_limits_all() -> None:
    assert not allowed(_ask(), [], boundary=_document(_allow()))
    assert not allowed(_ask(), [_document(_allow())], boundary=_document(_allow("s3:PutObject")))
    assert allowed(_ask(), [_document(_allow())], boundary=_document(_allow("s3:*")))


def test_actions_are_compared_without_case_and_resources_with_it() -> None:
    assert allowed(_ask("S3:getobject"), [_document(_allow("s3:Get*"))])
    assert not allowed(_ask(resource="arn:aws:s3:::B/k"), [_document(_allow(resource="arn:aws:s3:::b/*"))])


def test_what_is_excluded_is_the_rest_that_is_meant() -> None:
    but_iam = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    but_one = {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}
    assert allowed(_ask(), [_document(but_iam)])
    assert not allowed(_ask("iam:GetRole"), [_document(but_iam)])
    assert allowed(_ask(), [_document(_allow(), but_one)])
    assert not allowed(_ask(resource="arn:aws:s3:::c/k"), [_document(_allow(), but_one)])


def test_another_account_needs_both_sides() -> None:
    granted = [_document(_allow())]
    open_to_the_account = _document(_allow(Principal={"AWS": ROOT}))
    assert not allowed(_ask(), granted, owner="222222222222")
    assert not allowed(_ask(), [], resource=open_to_the_account, owner="222222222222")
    assert allowed(_ask(), granted, resource=open_to_the_account, owner="222222222222")


def test_a_resource_in_the_same_account_may_allow_by_itself_whom_it_names() -> None:
    assert allowed(_ask(), [], resource=_document(_allow(Principal={"AWS": ME})))
    assert not allowed(_ask(), [], resource=_document(_allow(Principal={"AWS": ROOT}))), "the account's policies decide"


def test_a_key_decides_who_uses_it() -> None:
    granted = [_document(_allow("kms:Decrypt"))]
    ask = _ask("kms:Decrypt", "arn:aws:kms:ca-central-1:111111111111:key/1")
    assert not allowed(
        ask, granted, resource=_document(_allow("kms:Encrypt", Principal={"AWS": ROOT})), resource_decides=True
    )
    assert allowed(ask, granted, resource=_document(_allow("kms:*", Principal={"AWS": ROOT})), resource_decides=True)
    assert not allowed(ask, [], resource=_document(_allow("kms:*", Principal={"AWS": ROOT})), resource_decides=True)


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "verdict"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", None, True),
        ("StringLike", "a*", "abc", True),
        ("StringLike", "a?", "abc", False),
        ("StringNotLike", "a*", "abc", False),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", "false", None, False),
        ("Bool", "false", "false", True),
        ("Bool", "false", None, False),
        ("BoolIfExists", "false", None, True),
        ("NumericGreaterThan", "10", "11", True),
        ("NumericGreaterThan", "10", "9", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("ArnLike", "arn:aws:iam::1:role/a/*", "arn:aws:iam::1:role/a/b", True),
        ("ArnLike", "arn:*:role/a/*", "arn:aws:iam::1:role/a/b", False),
        ("ArnNotEquals", "arn:aws:iam::1:policy/p", "arn:aws:iam::1:policy/q", True),
        ("ForAnyValue:StringEquals", ["a"], ["b", "a"], True),
        ("ForAnyValue:StringEquals", ["a"], None, False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], None, True),
    ],
)
def test_a_condition_holds_as_iam_says(operator: str, wanted: Any, given: Any, verdict: bool) -> None:
    statement = _allow(Condition={operator: {"aws:Key": wanted}})
    request = Request(ME, "s3:GetObject", "arn:aws:s3:::b/k", {} if given is None else {"aws:key": given})
    assert allowed(request, [_document(statement)]) is verdict


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "verdict"),
    [
        ("StringEquals", "${aws:userid}", {"a:name": "A:ana", "aws:userid": "A:ana"}, True),
        ("StringEquals", "${aws:userid}", {"a:name": "A:ben", "aws:userid": "A:ana"}, False),
        ("StringEquals", "${aws:userid}", {"a:name": "A:ben"}, False),
        ("StringLike", "*:${sts:RoleSessionName}", {"a:name": "A:ana", "sts:rolesessionname": "ana"}, True),
        ("StringLike", "*:${sts:RoleSessionName}", {"a:name": "A:ana", "sts:rolesessionname": "ben"}, False),
        ("ForAllValues:StringEquals", ["${aws:userid}"], {"a:name": ["A:ana", "A:ben"], "aws:userid": "A:ana"}, False),
        ("ForAllValues:StringEquals", ["${aws:userid}"], {"aws:userid": "A:ana"}, True),
    ],
)
def test_a_variable_stands_for_what_the_request_says(
    operator: str, wanted: Any, context: dict[str, Any], verdict: bool
) -> None:
    statement = _allow(Condition={operator: {"a:name": wanted}})
    assert allowed(Request(ME, "s3:GetObject", "arn:aws:s3:::b/k", context), [_document(statement)]) is verdict


def test_the_keys_of_one_block_are_all_demanded() -> None:
    both = _deny(Condition={"Null": {"a:subnets": "true", "a:groups": "true"}})
    one = Request(ME, "s3:GetObject", "arn:aws:s3:::b/k", {"a:subnets": "s"})
    assert allowed(one, [_document(_allow(), both)]), "so a denial of two missing keys needs two statements"
    apart = [_deny(Condition={"Null": {key: "true"}}) for key in ("a:subnets", "a:groups")]
    assert not allowed(one, [_document(_allow(), *apart)])


def test_a_role_is_taken_by_whom_its_trust_names_under_its_conditions() -> None:
    trust = _document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "states.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
        }
    )
    states = Request("states.amazonaws.com", "sts:AssumeRole", ME, {"aws:SourceAccount": "111111111111"})
    assert believes(trust, states)
    assert not believes(trust, Request("states.amazonaws.com", "sts:AssumeRole", ME, {"aws:SourceAccount": "2"}))
    assert not believes(trust, Request("events.amazonaws.com", "sts:AssumeRole", ME, states.context))


def test_what_the_evaluator_does_not_know_is_an_error() -> None:
    with pytest.raises(NotImplementedError):
        allowed(_ask(), [_document(_allow(resource="arn:aws:s3:::${aws:username}"))])
    for value in ("${a:absent}", "${aws:username, 'nobody'}"):
        request = _ask(**{"aws:key": "1", "aws:username, 'nobody'": "1"})
        statement = _allow(Condition={"StringNotEquals": {"aws:key": value}})
        with pytest.raises(NotImplementedError):
            allowed(request, [_document(statement)])
    with pytest.raises(ValueError, match="the type of a resource"):
        allowed(_ask(), [_document(_allow(resource="arn:aws:sagemaker:ca-central-1:111111111111:*/risk-*"))])
    with pytest.raises(KeyError):
        allowed(_ask(**{"aws:key": "1"}), [_document(_allow(Condition={"IpAddress": {"aws:key": "1"}}))])
