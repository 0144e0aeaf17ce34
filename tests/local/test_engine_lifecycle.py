"""A program's life under the embedded engine. Not proved: that Pulumi's own engine does the same (tests/pulumi)."""

import threading

import pulumi
import pytest

from mlestate.local.engine import OperationDone, OperationStarted
from tests.local.toy_stack import STACK, Group, Options, Thing, ToyStack, messages, steps


@pytest.fixture
def toys() -> ToyStack:
    return ToyStack()


def two(colour: str = "red") -> None:
    first = Thing("first", colour=colour)
    Thing("second", link=first.arn)
    pulumi.export("arn", first.arn)


def test_the_first_up_creates_everything_and_the_second_nothing(toys: ToyStack) -> None:
    result = toys.up(two)
    assert steps(result) == [("create", "toys-dev"), ("create", "first"), ("create", "second")]
    assert result.changes == {"create": 3}, "Pulumi counts the stack and not the default provider"
    assert result.outputs == {"arn": "toy:nowhere:first-1"}
    again = toys.up(two)
    assert again.changes == {"same": 3}
    assert steps(again) == []
    assert toys.cloud.called("Create") == ["first", "second"], "a second up may not create again"


def test_a_changed_input_updates_in_place_and_says_what_changed(toys: ToyStack) -> None:
    toys.up(two)
    result = toys.up(lambda: two("blue"))
    assert steps(result) == [("update", "first")]
    assert next(one.changed for one in result.operations if one.op == "update") == ("colour",)
    assert toys.resources()["first"]["inputs"]["colour"] == "blue"
    assert next(iter(toys.cloud.things.values()))["inputs"]["colour"] == "blue"


def test_what_the_program_no_longer_holds_is_deleted(toys: ToyStack) -> None:
    toys.up(two)
    result = toys.up(lambda: pulumi.export("arn", Thing("first", colour="red").arn))
    assert steps(result) == [("delete", "second")]
    assert result.changes["delete"] == 1
    assert set(toys.resources()) == {"toys-dev", "default", "first"}
    assert len(toys.cloud.things) == 1


def test_destroy_deletes_dependents_before_what_they_stand_on(toys: ToyStack) -> None:
    def chain() -> None:
        first = Thing("first")
        second = Thing("second", link=first.arn)
        Thing("third", Options(depends_on=[second]))
        Thing("aside")

    toys.up(chain)
    result = toys.destroy()
    deleted = [name for op, name in steps(result) if op == "delete"]
    assert deleted.index("third") < deleted.index("second") < deleted.index("first"), "reverse dependency order"
    assert deleted[-1] == "toys-dev"
    assert result.changes == {"delete": 5}
    assert toys.cloud.things == {}
    assert toys.resources() == {}


def test_a_urn_names_the_chain_of_parents_types(toys: ToyStack) -> None:
    def nested() -> None:
        outer = Group("outer")
        inner = Group("inner", Options(parent=outer))
        Thing("thing", Options(parent=inner))

    toys.up(nested)
    stored = toys.resources()
    assert stored["thing"]["urn"] == f"{STACK}::my:index:Group$my:index:Group$toy:index:Thing::thing"
    assert stored["outer"]["urn"] == f"{STACK}::my:index:Group::outer", "the stack's type is left out of the chain"
    assert stored["thing"]["parent"] == stored["inner"]["urn"]
    assert stored["toys-dev"]["urn"] == f"{STACK}::pulumi:pulumi:Stack::toys-dev"


def test_two_resources_of_one_urn_are_refused(toys: ToyStack) -> None:
    def twice() -> None:
        Thing("one")
        Thing("one")

    result = toys.up(twice, fails=True)
    assert messages(result) == [
        f"duplicate resource URN {STACK}::toy:index:Thing::one; give one of the two another name"
    ]


def test_a_component_keeps_its_inputs_and_the_outputs_that_it_registers(toys: ToyStack) -> None:
    def program(size: int) -> None:
        group = Group("group", size=size)
        group.register_outputs({"arn": Thing("inside", Options(parent=group)).arn})

    toys.up(lambda: program(1))
    stored = toys.resources()["group"]
    assert stored["outputs"] == {"arn": "toy:nowhere:inside-1"}
    assert stored["inputs"] == {"size": 1}
    assert "id" not in stored
    assert not stored["custom"]
    result = toys.up(lambda: program(2))
    assert steps(result) == [("update", "group")], "a component's changed inputs are an update of it"
    assert toys.resources()["group"]["outputs"] == {"arn": "toy:nowhere:inside-1"}


def test_independent_resources_are_created_at_the_same_time(toys: ToyStack) -> None:
    toys.cloud.barrier = threading.Barrier(4, timeout=10)

    def four() -> None:
        for number in range(4):
            Thing(f"thing-{number}")

    assert toys.up(four).changes["create"] == 5, "each of the four creations waits until all four are in the provider"


def test_parallel_one_takes_one_resource_at_a_time(toys: ToyStack) -> None:
    toys.parallel = 1
    toys.cloud.barrier = threading.Barrier(2, timeout=0.2)

    def pair() -> None:
        Thing("one")
        Thing("two")

    assert "BrokenBarrierError" in messages(toys.up(pair, fails=True))[0], (
        "the barrier for two is never reached by both"
    )


def test_the_listener_hears_each_operation_start_and_end(toys: ToyStack) -> None:
    toys.up(two)
    told = [event for event in toys.events if isinstance(event, OperationStarted | OperationDone)]
    of_first = [event for event in told if event.operation.name == "first"]
    assert [type(event) for event in of_first] == [OperationStarted, OperationDone]
    assert all(event.operation.name != "default" for event in told), "default providers are the engine's own affair"


def test_refresh_takes_over_what_changed_behind_the_stack(toys: ToyStack) -> None:
    toys.up(two)
    assert toys.refresh().changes == {"same": 3}, "nothing changed, so nothing is taken over"
    toys.cloud.things["first-1"]["drift"] = {"colour": "green"}
    result = toys.refresh()
    assert steps(result) == [("update", "first")]
    assert result.changes == {"update": 1, "same": 2}
    stored = toys.resources()["first"]
    assert stored["inputs"]["colour"] == stored["outputs"]["colour"] == "green"
    assert steps(toys.up(two)) == [("update", "first")], "the next up puts it right"
    assert toys.cloud.things["first-1"]["drift"] == {}


def test_refresh_forgets_what_is_gone_and_up_makes_it_again(toys: ToyStack) -> None:
    toys.up(two)
    del toys.cloud.things["first-1"]
    result = toys.refresh()
    assert steps(result) == [("delete", "first")]
    assert "first" not in toys.resources()
    assert "dependencies" not in toys.resources()["second"], "a state may not refer to what is not in it"
    assert ("create", "first") in steps(toys.up(two))


def test_the_program_may_log(toys: ToyStack) -> None:
    result = toys.up(lambda: pulumi.log.warn("mind the gap"))
    assert messages(result, "warning") == ["mind the gap"]
