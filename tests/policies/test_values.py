"""The one accessor: what is known, unknown and absent, for plain values, for Pulumi's wire form and for its proxies."""

from collections.abc import Callable
from typing import Any

import pytest
from pulumi_policy.deserialize import deserialize_properties, serialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from mlestate_policies.checks import equals
from mlestate_policies.rules import Violation
from mlestate_policies.values import UNKNOWN, Node

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
PROPERTIES: dict[str, Any] = {
    "name": "churn",
    "empty": "",
    "nothing": None,
    "none": [],
    "later": UNKNOWN,
    "count": 2.0,
    "on": True,
    "said": "true",
    "password": {SIGNATURE: SECRET, "value": "hunter2"},
    "variants": [{"type": "a", "count": 1.0}, {"type": UNKNOWN}, {"count": 3.0}],
    "collections": {"inputs": {"rate": 1.0}, "outputs": {"rate": 0.5}},
    "policy": '{"Statement": [{"Effect": "Allow"}]}',
}
FORMS: dict[str, Callable[[], Node]] = {
    "plain": lambda: Node(PROPERTIES),
    "proxies": lambda: Node(unknown_checking_proxy(deserialize_properties(PROPERTIES))),
    "what a remediation sees": lambda: Node(
        serialize_properties(unknown_checking_proxy(deserialize_properties(PROPERTIES, True)))
    ),
}


def test_what_is_marked_as_secret_is_known_and_is_shown_in_no_message() -> None:
    marked = Node({"a": {SIGNATURE: SECRET, "plaintext": '{"b": ["hunter2"]}'}, "c": "open"})
    assert marked.at("a.b").secret
    assert not marked.at("c").secret
    assert list(marked.secrets()) == ["hunter2"]
    (found,) = equals(marked, "a.b[]", "x")
    assert isinstance(found, Violation)
    assert found.message == 'a.b[0] is something else; it has to be "x"'


@pytest.mark.parametrize("plaintext", ["no JSON", 5])
def test_a_secret_that_is_no_json_is_unknown(plaintext: Any) -> None:
    assert Node({SIGNATURE: SECRET, "plaintext": plaintext}).unknown


@pytest.fixture(params=FORMS)
def node(request: pytest.FixtureRequest) -> Node:
    return FORMS[request.param]()


def state(node: Node) -> str:
    return "known" if node.known else "unknown" if node.unknown else "absent"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", "known"),
        ("empty", "absent"),
        ("nothing", "absent"),
        ("none", "absent"),
        ("missing", "absent"),
        ("missing.below", "absent"),
        ("later", "unknown"),
        ("later.below", "unknown"),
        ("name.below", "absent"),
        ("password", "known"),
        ("collections.inputs.rate", "known"),
    ],
)
def test_there_are_three_answers_and_no_exception(node: Node, path: str, expected: str) -> None:
    assert state(node.at(path)) == expected


def test_a_list_is_looked_through_item_by_item(node: Node) -> None:
    counts = node.each("variants[].count")
    assert [(each.path, state(each)) for each in counts] == [
        ("variants[0].count", "known"),
        ("variants[1].count", "absent"),
        ("variants[2].count", "known"),
    ]
    assert [state(each) for each in node.each("variants[].type")] == ["known", "unknown", "absent"]


def test_a_list_that_is_absent_or_unknown_is_one_node(node: Node) -> None:
    assert [(each.path, state(each)) for each in node.each("none[].count")] == [("none[].count", "absent")]
    assert [(each.path, state(each)) for each in node.each("later[].count")] == [("later[].count", "unknown")]


def test_every_value_of_an_object_is_looked_at(node: Node) -> None:
    rates = node.each("collections.*.rate")
    assert {each.path: each.number for each in rates} == {
        "collections.inputs.rate": 1.0,
        "collections.outputs.rate": 0.5,
    }


def test_a_value_is_what_it_was_without_proxies(node: Node) -> None:
    assert node.at("variants").value == [{"type": "a", "count": 1.0}, {"type": UNKNOWN}, {"count": 3.0}]
    assert node.at("password").text == "hunter2"
    assert node.at("count").number == 2
    assert node.at("on").true
    assert node.at("said").true
    assert not node.at("variants").complete, "a part of it is unknown"
    assert node.at("collections").complete


def test_a_document_is_opened_where_it_can_be_read(node: Node) -> None:
    assert [each.text for each in node.at("policy").document().each("Statement[].Effect")] == ["Allow"]
    assert node.at("name").document().absent, "no JSON is no document"
    assert node.at("later").document().unknown


def test_a_secret_that_cannot_be_opened_is_unknown() -> None:
    assert Node({"x": {SIGNATURE: SECRET, "ciphertext": "v1:..."}}).at("x").unknown
    assert Node({"x": "[secret]"}).at("x").unknown
    assert Node({"x": {SIGNATURE: SECRET, "plaintext": '"open"'}}).at("x").text == "open"


def test_a_node_is_no_boolean() -> None:
    with pytest.raises(TypeError, match="three answers"):
        bool(Node({}))
    with pytest.raises(ValueError, match="is not known"):
        _ = Node({"later": UNKNOWN}).at("later").value
