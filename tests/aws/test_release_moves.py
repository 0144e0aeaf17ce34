"""AWS: how a release moves traffic and watches it, where a scenario's end does not show it.

Not proved here: how many events Step Functions counts for what the simulation runs, and how SageMaker scales meanwhile.
"""

from collections.abc import Callable, Iterator

import pytest

from mlestate.aws import release
from tests.release_scenarios import do, perform

from .conftest import Recorded
from .release_world import SLICE, AwsWorld, Worlds, apart
from .test_release_machines import PLACE


@pytest.fixture(scope="module")
def world(estate: Recorded) -> Iterator[AwsWorld]:
    with Worlds(estate) as worlds:
        yield worlds.of("alone")


def beside(world: AwsWorld, model: str, version: int) -> None:
    world.approve(model, version, by="approver")
    world.until("beside")


def outcomes(world: AwsWorld) -> list[str]:
    return [str(each["document"].get("outcome")) for each in world._entries()]


def events(world: AwsWorld, machine: str) -> int:
    """The most that an execution of a machine has written."""
    states = world.account.client("stepfunctions")
    (of,) = [
        each["stateMachineArn"]
        for each in states.list_state_machines()["stateMachines"]
        if each["name"] == f"{SLICE}-{machine}"
    ]
    return max(
        len(states.get_execution_history(executionArn=each["executionArn"])["events"])
        for each in states.list_executions(stateMachineArn=of)["executions"]
    )


def tried_again(world: AwsWorld) -> None:
    world.register("canary")
    beside(world, "canary", 2)
    world.rollback("canary")
    world.settle()
    world.register("canary")
    world.approve("canary", 3, by="approver")
    world.settle()
    world.release("canary", 2)
    world.until("beside")
    assert world._traffic("canary") == {3: 0.9, 2: 0.1}, "the champion is what is in use, not what was in use once"


def breaks_late(world: AwsWorld) -> None:
    perform((do("settings", rollout={"bake_seconds": 86400}), do("register")), "ab", world)
    beside(world, "ab", 2)
    world.account.answering(f"{SLICE}-ab", "challenger", errors=0.0)
    world.wait(hours=20)
    world.errors("ab", 1.0)
    world.wait(minutes=10)
    assert outcomes(world)[0] == "stopped", "twenty hours that were well hide nothing"


def asked_seldom(world: AwsWorld) -> None:
    perform((do("settings", rollout={"bake_seconds": 86400}), do("register")), "ab", world)
    beside(world, "ab", 2)
    world.account.answering(f"{SLICE}-ab", "challenger", per_minute=0.2, errors=1.0)
    world.wait(hours=4)
    assert outcomes(world)[0] == "stopped", "thirty requests are enough, however long they take"


@pytest.mark.parametrize(
    "life",
    [
        pytest.param(tried_again, id="a version that is tried again stands beside the one in use"),
        pytest.param(breaks_late, id="a challenger that breaks after hours is stopped at once"),
        pytest.param(asked_seldom, id="a challenger that is asked seldom is judged all the same"),
    ],
)
def test_a_challenger_is_judged_by_what_it_does_now(world: AwsWorld, life: Callable[[AwsWorld], None]) -> None:
    apart(lambda: life(world), life.__name__)


def scaled_in(world: AwsWorld) -> None:
    world.register("canary")
    beside(world, "canary", 2)
    world.shrink("canary", 1)
    world.settle()
    endpoint = world.account.endpoint(f"{SLICE}-canary")
    (champion,) = endpoint.variants
    assert champion["CurrentInstanceCount"] == 2, "it had two machines for all traffic before"
    raised, switched = (
        next(each.at for each in reversed(world.account.calls) if each.state == state) for state in ("Raise", "Switch")
    )
    assert raised < switched, "the machines are there before the traffic is"


def test_who_gets_all_traffic_has_as_many_machines_as_there_were_before(world: AwsWorld) -> None:
    apart(lambda: scaled_in(world), "scaled in")


def taken_back_by_hand(world: AwsWorld, phase: str, minutes: int, within: int) -> None:
    world.settings("whole", rollout={"bake_seconds": 3600})
    world.register("whole")
    world.approve("whole", 2, by="approver")
    world.until(phase)
    world.wait(minutes=minutes)
    world.rollback("whole")
    world.wait(minutes=within)
    assert world.seen("whole").traffic == {1: 1.0}, f"{within} minutes after a person asked, version 2 still serves"


@pytest.mark.parametrize(
    ("phase", "minutes", "within"),
    [
        pytest.param("shifting", 6, 10, id="while SageMaker itself watches it"),
        pytest.param("baking", 20, 6, id="while the machine watches it"),
    ],
)
def test_a_person_takes_back_in_minutes_what_is_watched_for_an_hour(
    world: AwsWorld, phase: str, minutes: int, within: int
) -> None:
    apart(lambda: taken_back_by_hand(world, phase, minutes, within), f"taken back in {phase}")


def test_no_two_stages_call_a_state_alike() -> None:
    names = [name for compiled in release.COMPILED.values() for name in compiled(PLACE)]
    assert len(names) == len(set(names)), "the later one would silently stand in for the earlier"


EVENTS = 25_000
"""The most events that Step Functions keeps of an execution, after which it fails (Step Functions quotas)."""


def watched_long(world: AwsWorld) -> None:
    perform((do("settings", rollout={"bake_seconds": 30 * 86400, "steps": [5, 10, 25, 50, 100]}),), "canary", world)
    world.register("canary")
    world.approve("canary", 2, by="approver")
    world.account.clock.settle(days=200)
    assert outcomes(world) == ["released"]
    assert events(world, "release") < EVENTS * 0.7, "the rest is for the turn that it waits for"


def test_the_longest_canary_stays_within_the_memory_of_an_execution(world: AwsWorld) -> None:
    apart(lambda: watched_long(world), "watched long")
