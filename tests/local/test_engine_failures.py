"""What fails, what is still done, and what the state then holds."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from mlestate.local.engine import Engine, OperationDone
from tests.local.toy_stack import Group, Options, Thing, ToyStack, messages, steps


@pytest.fixture
def toys() -> ToyStack:
    return ToyStack()


def program(**first: Any) -> None:
    made = Thing("first", **first)
    Thing("dependent", link=made.arn)
    after = Thing("ordered", Options(depends_on=[made]))
    Thing("further", Options(parent=after))
    Thing("independent")
    pulumi.export("arn", made.arn)


def test_a_failing_create_stops_only_what_depends_on_it(toys: ToyStack) -> None:
    result = toys.up(lambda: program(fail="QuotaExceeded: too many things"), fails=True)
    diagnostic = next(one for one in result.diagnostics if one.severity == "error")
    assert diagnostic.message == "QuotaExceeded: too many things", "the provider's words, nothing else"
    assert diagnostic.urn.endswith("::first")
    assert len(messages(result)) == 1, "what was not tried is no error"
    assert set(toys.resources()) == {"toys-dev", "default", "independent"}
    assert set(toys.cloud.called("Create")) == {"first", "independent"}
    assert result.changes == {"create": 2}
    errors = [event.error for event in toys.events if isinstance(event, OperationDone) and event.error]
    assert errors == ["QuotaExceeded: too many things"]
    assert toys.up(program).changes == {"create": 4, "same": 2}, "the next up does the rest"


def test_nothing_is_deleted_in_a_run_that_failed(toys: ToyStack) -> None:
    toys.up(lambda: Thing("old"))
    toys.up(lambda: Thing("new", fail="no"), fails=True)
    assert "old" in toys.resources()
    assert len(toys.cloud.things) == 1
    toys.up(lambda: pulumi.export("x", 1 // 0), fails=True)
    assert "old" in toys.resources(), "a program that broke off may not have got to registering it"


def test_a_failing_update_keeps_the_old_state(toys: ToyStack) -> None:
    toys.up(program)
    before = toys.resources()["first"]
    result = toys.up(lambda: program(fail="locked"), fails=True)
    assert messages(result) == ["locked"]
    assert toys.resources()["first"] == before
    assert toys.state.export()["deployment"].get("pending_operations") is None, "its end is known"
    assert toys.state.export(show_secrets=True)["deployment"]["resources"][0]["outputs"] == {
        "arn": "toy:nowhere:first-1"
    }


def test_a_failing_delete_keeps_the_object_and_what_it_stands_on(toys: ToyStack) -> None:
    def stuck() -> None:
        base = Thing("base")
        Thing("stuck", link=base.arn, undeletable=True)
        Thing("free")

    toys.up(stuck)
    result = toys.destroy(fails=True)
    assert messages(result) == ["stuck is in use"]
    assert {"base", "stuck", "default", "toys-dev"} == set(toys.resources())


def test_invalid_inputs_are_told_with_the_property(toys: ToyStack) -> None:
    for run in (toys.preview, toys.up):
        result = run(lambda: program(colour="invisible"), fails=True)
        assert messages(result) == ["toy:index:Thing 'first', property 'colour': a thing must be seen; use red or blue"]
    assert "first" not in toys.cloud.called("Create")


@pytest.mark.parametrize("again", ["create", "update"])
def test_an_object_that_did_not_start_is_kept_with_its_errors(toys: ToyStack, again: str) -> None:
    if again == "update":
        toys.up(lambda: Thing("first", colour="red"))
    result = toys.up(lambda: Thing("first", colour="blue", broken=True), fails=True)
    assert messages(result) == ["initialization failed\n  * it does not answer"]
    stored = toys.resources()["first"]
    assert stored["initErrors"] == ["it does not answer"]
    assert stored["id"] == "first-1"
    assert stored["inputs"]["colour"] == ("blue" if again == "create" else "red"), "an update is not done until it is"
    assert stored["outputs"]["arn"] == "toy:nowhere:first-1"
    result = toys.up(lambda: Thing("first", colour="blue"))
    assert steps(result) == [("update", "first")]
    assert "initErrors" not in toys.resources()["first"]


def test_an_unchanged_object_that_did_not_start_is_updated_again(toys: ToyStack) -> None:
    toys.up(lambda: Thing("first", broken=True), fails=True)
    toys.cloud.calls.clear()
    toys.up(lambda: Thing("first", broken=True), fails=True)
    assert toys.cloud.called("Update") == ["first"]


def test_a_refresh_that_finds_an_object_unhealthy_warns_and_remembers_it(toys: ToyStack) -> None:
    toys.up(lambda: Thing("first", colour="red"))
    toys.cloud.things["first-1"]["drift"] = {"unhealthy": "it stopped answering"}
    result = toys.refresh()
    assert messages(result, "warning") == ["the resource is in an unhealthy state: it stopped answering"]
    assert toys.resources()["first"]["initErrors"] == ["it stopped answering"]
    assert ("update", "first") in steps(toys.up(lambda: Thing("first", colour="red")))


def test_a_refresh_without_the_package_says_so(toys: ToyStack) -> None:
    toys.up(lambda: Thing("first"))
    none: dict[str, ResourceProviderServicer] = {}
    elsewhere = Engine(project="toys", stack="dev", state=toys.state, providers=none.__getitem__)
    for run in (elsewhere.refresh, elsewhere.destroy):
        result = run()
        assert result.failed
        assert messages(result) == ["there is no provider for package 'toy' here"]
    assert "first" in toys.resources()


def test_a_provider_with_a_bug_fails_its_resource_and_not_the_run(toys: ToyStack) -> None:
    result = toys.up(lambda: program(crash=True), fails=True)
    assert messages(result) == ["the toy provider failed in Create: ZeroDivisionError: the provider has a bug"]
    assert "independent" in toys.resources()


def test_a_failed_resource_does_not_lose_the_stacks_other_outputs(toys: ToyStack) -> None:
    def exports(fail: bool) -> None:
        thing = Thing("first", **({"fail": "no", "kind": "b"} if fail else {"kind": "a"}))
        pulumi.export("arn", thing.arn)
        pulumi.export("plain", "new" if fail else "old")

    toys.up(lambda: exports(False))
    toys.up(lambda: exports(True), fails=True)
    assert toys.resources()["toys-dev"]["outputs"] == {"arn": "toy:nowhere:first-1", "plain": "new"}


def test_a_value_of_a_failed_resource_in_a_plain_input_holds_the_resource_back(toys: ToyStack) -> None:
    def detached() -> None:
        failed = Thing("first", fail="no")

        without_dependency = pulumi.Output(set(), failed.arn.future(), failed.arn.is_known())
        Thing("second", link=without_dependency)
        Group("group")

    result = toys.up(detached, fails=True)
    assert messages(result) == ["no"]
    assert "second" not in toys.cloud.called("Create")


def test_a_provider_that_never_answers_diff_is_judged_by_the_inputs(toys: ToyStack) -> None:
    toys.up(lambda: Thing("first", type_="Vague", colour="red"))
    assert toys.up(lambda: Thing("first", type_="Vague", colour="red")).changes == {"same": 2}
    result = toys.up(lambda: Thing("first", type_="Vague", colour="blue"))
    assert [one.changed for one in result.operations if one.op == "update"] == [("colour",)]
