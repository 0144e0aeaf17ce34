"""Replacements: what is created and deleted, in which order, and what goes with it."""

from typing import Any

import pytest

from tests.local.toy_stack import Options, Thing, ToyStack, messages, steps


@pytest.fixture
def toys() -> ToyStack:
    return ToyStack()


def test_the_new_object_exists_before_the_old_one_is_deleted(toys: ToyStack) -> None:
    def program(kind: str) -> None:
        first = Thing("first", kind=kind)
        Thing("second", link=first.arn)

    toys.up(lambda: program("box"))
    toys.cloud.calls.clear()
    result = toys.up(lambda: program("bag"))
    order = [call for call in toys.cloud.calls if call[0] in ("Create", "Update", "Delete")]
    assert order == [("Create", "first"), ("Update", "second"), ("Delete", "first")], (
        "dependents move to the new object before the old one goes"
    )
    replaced = next(one for one in result.operations if one.op == "replace")
    assert replaced.replaced_by == ("kind",)
    assert toys.resources()["first"]["id"] == "first-3"
    assert set(toys.cloud.things) == {"first-3", "second-2"}


def test_a_replacement_gets_a_new_automatic_name(toys: ToyStack) -> None:
    toys.up(lambda: Thing("first", kind="box"))
    before = toys.cloud.names()
    toys.up(lambda: Thing("first", kind="bag"))
    assert toys.cloud.names() != before, "else it could not exist beside the old one"


def test_delete_before_replace_deletes_first(toys: ToyStack) -> None:
    def program(kind: str) -> None:
        Thing("first", Options(delete_before_replace=True), kind=kind, name="fixed")

    toys.up(lambda: program("box"))
    toys.cloud.calls.clear()
    result = toys.up(lambda: program("bag"))
    assert [call for call in toys.cloud.calls if call[0] in ("Create", "Delete")] == [
        ("Delete", "first"),
        ("Create", "first"),
    ]
    assert steps(result) == [("delete-replaced", "first"), ("replace", "first"), ("create-replacement", "first")]


def test_a_fixed_name_without_it_is_refused_by_the_cloud(toys: ToyStack) -> None:
    toys.up(lambda: Thing("first", kind="box", name="fixed"))
    result = toys.up(lambda: Thing("first", kind="bag", name="fixed"), fails=True)
    assert messages(result) == ["a thing named fixed exists"], "the new object would exist beside the old one"
    assert toys.resources()["first"]["id"] == "first-1", "the old object stays in the state"


def test_the_provider_may_ask_for_deletion_first_and_the_program_may_forbid_it(toys: ToyStack) -> None:
    def program(kind: str, forbid: bool) -> None:
        Thing("first", Options(delete_before_replace=False if forbid else None), kind=kind, deleteFirst=True)

    toys.up(lambda: program("box", False))
    assert steps(toys.up(lambda: program("bag", False)))[0] == ("delete-replaced", "first")
    assert steps(toys.up(lambda: program("bin", True)))[0] == ("create-replacement", "first")


def test_dependents_that_must_be_replaced_go_with_it(toys: ToyStack) -> None:
    def program(kind: str) -> None:
        first = Thing("first", Options(delete_before_replace=True), kind=kind)
        bound = Thing("bound", kind=first.arn)
        Thing("loose", link=first.arn)
        Thing("ordered", Options(depends_on=[first]), colour="red")
        Thing("last", kind=bound.arn)

    toys.up(lambda: program("box"))
    toys.cloud.calls.clear()
    result = toys.up(lambda: program("bag"))
    changed = [call for call in toys.cloud.calls if call[0] in ("Create", "Update", "Delete")]
    assert changed[:3] == [("Delete", "last"), ("Delete", "bound"), ("Delete", "first")], "dependents go first"
    assert [method for method, name in changed if name == "loose"] == ["Update"], "an update is enough for it"
    assert not [call for call in changed if call[1] == "ordered"], "depends_on alone replaces nothing"
    assert result.changes == {"replace": 3, "update": 1, "same": 2}
    assert len(toys.cloud.things) == 5
    assert toys.up(lambda: program("bag")).changes == {"same": 6}


def test_a_protected_resource_is_not_replaced(toys: ToyStack) -> None:
    def program(kind: str) -> None:
        Thing("first", Options(protect=True), kind=kind)

    toys.up(lambda: program("box"))
    for run in (toys.preview, toys.up):
        result = run(lambda: program("bag"), fails=True)
        assert "cannot be replaced because it is protected" in messages(result)[0]
    assert set(toys.cloud.things) == {"first-1"}
    assert toys.cloud.called("Create") == ["first"] * 2


def test_a_protected_dependent_stops_the_replacement_that_would_take_it_along(toys: ToyStack) -> None:
    def program(kind: str) -> None:
        first = Thing("first", Options(delete_before_replace=True), kind=kind)
        Thing("bound", Options(protect=True), kind=first.arn)

    toys.up(lambda: program("box"))
    result = toys.up(lambda: program("bag"), fails=True)
    assert "is protected" in messages(result)[0]
    assert len(toys.cloud.things) == 2


def test_replace_on_changes_replaces_where_the_provider_would_update(toys: ToyStack) -> None:
    def program(paths: list[str], **properties: Any) -> None:
        Thing("first", Options(replace_on_changes=paths), **properties)

    toys.up(lambda: program(["tags.team"], tags={"team": "a", "cost": "1"}))
    result = toys.up(lambda: program(["tags.team"], tags={"team": "a", "cost": "2"}))
    assert steps(result) == [("update", "first")], "another key of the object is no reason"
    result = toys.up(lambda: program(["tags.team"], tags={"team": "b", "cost": "2"}))
    assert ("replace", "first") in steps(result)
    result = toys.up(lambda: program(["*"], tags={"team": "b", "cost": "2"}, colour="red"))
    assert ("replace", "first") in steps(result), "* covers every property"


def test_what_is_deleted_with_another_is_replaced_with_it_and_never_deleted_itself(toys: ToyStack) -> None:
    def program(kind: str) -> None:
        whole = Thing("whole", kind=kind)
        Thing("part", Options(deleted_with=whole), colour="red")

    toys.up(lambda: program("box"))
    assert ("replace", "part") in steps(toys.up(lambda: program("bag")))
    toys.cloud.calls.clear()
    toys.destroy()
    assert toys.cloud.called("Delete") == ["whole"], "the cloud deletes the part with the whole"
    assert toys.resources() == {}


def test_an_interrupted_deletion_first_is_not_repeated(toys: ToyStack) -> None:
    def program(**properties: Any) -> None:
        Thing("first", Options(delete_before_replace=True), **properties)

    toys.up(lambda: program(kind="box"))
    toys.up(lambda: program(kind="bag", fail="quota"), fails=True)
    assert toys.resources()["first"]["pendingReplacement"] is True, "its place awaits the new object"
    toys.cloud.calls.clear()
    result = toys.up(lambda: program(kind="bag"))
    assert toys.cloud.called("Delete") == []
    assert toys.cloud.called("Create") == ["first"]
    assert ("replace", "first") in steps(result)
    assert "pendingReplacement" not in toys.resources()["first"]
    toys.up(lambda: program(kind="bin", fail="quota"), fails=True)
    toys.up(lambda: None)
    assert "first" not in toys.resources(), "nothing awaits an object that the program dropped"
