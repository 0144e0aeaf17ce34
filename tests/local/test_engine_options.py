"""Resource options and what they do to an operation or to the state."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from mlestate.local.paths import covers, parse_path
from mlestate.local.state import State
from tests.local.toy_stack import STACK, Group, Options, Thing, ToyStack, messages, steps


@pytest.fixture
def toys() -> ToyStack:
    return ToyStack()


@pytest.mark.parametrize(
    "alias",
    [
        f"{STACK}::toy:index:Thing::former",
        pulumi.Alias(name="former"),
    ],
    ids=["a URN", "a name"],
)
def test_a_renamed_resource_is_found_under_its_alias(toys: ToyStack, alias: str | pulumi.Alias) -> None:
    def program(name: str, opts: Options | None = None) -> None:
        thing = Thing(name, opts, name="fixed")
        Thing("other", link=thing.arn)

    toys.up(lambda: program("former"))
    result = toys.up(lambda: program("latter", Options(aliases=[alias])))
    assert steps(result) == [], "the object stays"
    assert "former" not in toys.resources()
    assert toys.resources()["other"]["dependencies"] == [f"{STACK}::toy:index:Thing::latter"]
    assert toys.up(lambda: program("latter")).changes == {"same": 3}, "the alias has done its work"


def test_an_alias_may_name_the_former_type_or_parent(toys: ToyStack) -> None:
    toys.up(lambda: Thing("thing", type_="Vague", name="fixed"))
    result = toys.up(lambda: Thing("thing", Options(aliases=[pulumi.Alias(type_="toy:index:Vague")]), name="fixed"))
    assert steps(result) == []

    def moved() -> None:
        Thing(
            "thing",
            Options(parent=Group("group"), aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]),
            name="fixed",
        )

    assert steps(toys.up(moved)) == [("create", "group")]
    back = Options(aliases=[pulumi.Alias(parent=f"{STACK}::my:index:Group::group")])
    assert steps(toys.up(lambda: Thing("thing", back, name="fixed"))) == [("delete", "group")]


def test_children_of_a_renamed_parent_are_found_too(toys: ToyStack) -> None:
    def program(name: str, opts: Options | None = None) -> None:
        group = Group(name, opts)
        Thing(f"{name}-child", Options(parent=group), name="fixed")
        Thing("plain", Options(parent=group), name="also fixed")

    toys.up(lambda: program("former"))
    result = toys.up(lambda: program("latter", Options(aliases=[pulumi.Alias(name="former")])))
    assert steps(result) == [], "a child whose name begins with its parent's is renamed with it"
    assert "latter-child" in toys.resources()
    assert toys.resources()["plain"]["parent"] == f"{STACK}::my:index:Group::latter"


def test_two_resources_may_not_claim_one_alias(toys: ToyStack) -> None:
    toys.up(lambda: Thing("former"))

    def program() -> None:
        for name in ("one", "two"):
            Thing(name, Options(aliases=[pulumi.Alias(name="former")]))

    assert "which another resource of the program is already" in messages(toys.up(program, fails=True))[0]


def test_a_protected_resource_is_not_deleted(toys: ToyStack) -> None:
    def program(protect: bool) -> None:
        Thing("kept", Options(protect=protect))
        Thing("free")

    toys.up(lambda: program(True))
    result = toys.up(lambda: None, fails=True)
    assert "cannot be deleted because it is protected" in messages(result)[0]
    assert [thing["name"][:4] for thing in toys.cloud.things.values()] == ["kept"], "what is free is still deleted"
    assert toys.resources()["kept"]["protect"] is True
    toys.destroy(fails=True)
    assert len(toys.cloud.things) == 1
    assert "toys-dev" in toys.resources(), "nor is deleted what the protected one stands on"
    toys.up(lambda: program(False))
    toys.destroy()
    assert toys.cloud.things == {}


def test_a_retained_resource_leaves_the_stack_and_stays_in_the_cloud(toys: ToyStack) -> None:
    toys.up(lambda: Thing("kept", Options(retain_on_delete=True)))
    result = toys.up(lambda: None)
    assert steps(result) == [("delete", "kept")]
    assert "kept" not in toys.resources()
    assert len(toys.cloud.things) == 1
    assert toys.cloud.called("Delete") == []


def test_a_retained_resource_does_not_stand_in_the_way_of_its_successor(tmp_path: Path) -> None:
    for toys in (ToyStack(), ToyStack(state=State.in_folder(tmp_path, "dev", passphrase="p"))):
        for _ in range(3):
            toys.up(lambda: Thing("kept", Options(retain_on_delete=True)))
            toys.destroy()
        assert len(toys.cloud.things) == 3, "each has an automatic name of its own"


def test_the_automatic_names_of_a_first_run_in_memory_are_always_the_same() -> None:
    names = []
    for _ in range(2):
        toys = ToyStack()
        toys.preview(lambda: Thing("thing"))
        toys.up(lambda: Thing("thing"))
        names.append(toys.cloud.names())
    assert names[0] == names[1], "a plan must be repeatable"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("colour", {"colour": "red"}, {"colour": "blue"}),
        ("colour", {"colour": "red"}, {}),
        ("colour", {}, {"colour": "blue"}),
        ("properties.traffic", {"properties": {"traffic": 1}}, {"properties": {"traffic": 2}}),
        ('tags["x.y"]', {"tags": {"x.y": "1", "z": "1"}}, {"tags": {"x.y": "2", "z": "1"}}),
        ("rules[1]", {"rules": ["a", "b"]}, {"rules": ["a", "c"]}),
        ("rules[*].y", {"rules": [{"y": 1}, {"y": 2}]}, {"rules": [{"y": 3}, {"y": 4}]}),
        ("tags.*", {"tags": {"a": "1"}}, {"tags": {"b": "2"}}),
    ],
)
def test_ignored_changes_put_the_old_value_back(
    toys: ToyStack, path: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    toys.up(lambda: Thing("thing", Options(ignore_changes=[path]), **before))
    assert steps(toys.up(lambda: Thing("thing", **after))) == [("update", "thing")], "else it proves nothing"
    toys.up(lambda: Thing("thing", **before))
    result = toys.up(lambda: Thing("thing", Options(ignore_changes=[path]), **after))
    assert steps(result) == []
    stored = toys.resources()["thing"]["inputs"]
    assert {key: value for key, value in stored.items() if key != "name"} == before


def test_changes_beside_the_ignored_path_are_made(toys: ToyStack) -> None:
    toys.up(lambda: Thing("thing", properties={"traffic": 1, "size": 1}))
    options = Options(ignore_changes=["properties.traffic"])
    result = toys.up(lambda: Thing("thing", options, properties={"traffic": 2, "size": 2}))
    assert steps(result) == [("update", "thing")]
    assert toys.resources()["thing"]["inputs"]["properties"] == {"traffic": 1, "size": 2}


def test_an_element_that_was_added_cannot_be_ignored_and_the_run_says_so(toys: ToyStack) -> None:
    toys.up(lambda: Thing("thing", rules=["a"]))
    result = toys.up(lambda: Thing("thing", Options(ignore_changes=["rules[1]"]), rules=["a", "b"]))
    assert messages(result, "info") == ["cannot ignore changes in added or removed elements of rules[1]"]


def test_a_path_that_is_none_is_refused_in_a_sentence(toys: ToyStack) -> None:
    result = toys.up(lambda: Thing("thing", Options(replace_on_changes=["a["])))
    assert not result.failed, "a path is read when something is compared with it"
    result = toys.up(lambda: Thing("thing", Options(replace_on_changes=["a["]), colour="red"), fails=True)
    assert messages(result)[0].startswith("property path 'a[' is not understood")


def test_paths_are_read_as_pulumi_writes_them() -> None:
    assert parse_path('a.b[0]["c.\\"d"][*].e') == ("a", "b", 0, 'c."d', "*", "e")
    assert covers(parse_path("a[*]"), parse_path("a[3].b"))
    assert not covers(parse_path("a.b"), parse_path("a"))


def test_options_are_kept_in_the_state_as_pulumi_keeps_them(toys: ToyStack) -> None:
    def program() -> None:
        base = Thing("base")
        Thing(
            "thing",
            Options(
                depends_on=[base],
                protect=True,
                ignore_changes=["colour"],
                replace_on_changes=["tags"],
                hide_diffs=["tags.secret"],
                additional_secret_outputs=["token"],
                custom_timeouts=pulumi.CustomTimeouts(create="1h30m", delete="45s"),
                retain_on_delete=True,
                deleted_with=base,
            ),
            link=base.arn,
            colour="red",
        )

    toys.up(program)
    stored = toys.resources()["thing"]
    base = f"{STACK}::toy:index:Thing::base"
    assert stored["dependencies"] == [base]
    assert stored["propertyDependencies"] == {"colour": [], "link": [base]}, "every input is listed, as Pulumi does"
    assert stored["protect"] is True
    assert stored["retainOnDelete"] is True
    assert stored["deletedWith"] == base
    assert stored["ignoreChanges"] == ["colour"]
    assert stored["replaceOnChanges"] == ["tags"]
    assert stored["hideDiff"] == ["tags.secret"]
    assert stored["additionalSecretOutputs"] == ["token"]
    assert stored["customTimeouts"] == {"create": 5400, "delete": 45}
    assert stored["created"] == stored["modified"]
    assert stored["created"].endswith("Z")
    create = next(request for method, request in toys.cloud.requests if method == "Create" and request.name == "thing")
    assert create.timeout == 5400, "the provider is told how long it may take"


def test_a_changed_option_alone_is_no_operation_but_is_kept(toys: ToyStack) -> None:
    toys.up(lambda: Thing("thing"))
    modified = toys.resources()["thing"]["modified"]
    assert steps(toys.up(lambda: Thing("thing", Options(protect=True)))) == []
    assert toys.resources()["thing"]["protect"] is True
    assert toys.resources()["thing"]["modified"] == modified


def test_a_timeout_that_is_no_duration_is_refused(toys: ToyStack) -> None:
    timeouts = pulumi.CustomTimeouts(create="soon")
    result = toys.up(lambda: Thing("thing", Options(custom_timeouts=timeouts)), fails=True)
    assert messages(result) == ["custom timeout 'soon' is not a duration; write one such as 30s, 5m or 1h30m"]
