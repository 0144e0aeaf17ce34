"""AWS: every scenario of releases, played by the machines that the estate compiles, in a simulated account.

Not proved here: that SageMaker, EventBridge and Step Functions do what `account.gaps` says of them.
"""

from collections.abc import Iterator, Mapping

import pytest

from tests.release_scenarios import SCENARIOS, Scenario, play

from .conftest import Recorded
from .release_world import COVERAGE, PLAYED, Worlds, apart
from .test_release_machines import BASES, FAULTS, LIVES, estate_of_life, lived, refused


@pytest.fixture(scope="module")
def worlds(estate: Recorded) -> Iterator[Worlds]:
    with Worlds(estate) as made:
        yield made


@pytest.mark.parametrize("scenario", [pytest.param(each, id=each.name) for each in SCENARIOS])
def test_a_release_ends_as_its_scenario_says(worlds: Worlds, scenario: Scenario) -> None:
    world = worlds.of(scenario.estate)
    apart(lambda: play(scenario, world), scenario.name)


UNVISITED: Mapping[str, Mapping[str, str]] = {
    "release": {
        "After default -> Shifting": "the machine of an estate in which nothing is compared; no other strategy is left",
    },
    "rollback": {
        "Ended default -> Unlock": "the frame is the release's; no work of a rollback ends without an entry",
        "Turn choice {% $cause != 'alarm' and $contains($holder, ':risk-staging-release:') %} -> Stop": (
            "the rule of production, which is visited, with staging's name in it"
        ),
    },
}
"""By machine: what no scenario visits, and why."""


@pytest.mark.parametrize("machine", ["release", "rollback"])
def test_every_state_catch_and_branch_is_visited(worlds: Worlds, machine: str) -> None:
    """By the scenarios and refusals above; those that this process has not played are played for it.

    Retries are left out of the measure: each call has the same one. All 96 have run in this way when they were counted,
    70 of the release and 26 of the rollback.
    """
    for scenario in SCENARIOS:
        if scenario.name not in PLAYED:
            world = worlds.of(scenario.estate)
            apart(lambda world=world, scenario=scenario: play(scenario, world), scenario.name)  # type: ignore[misc]
    for kind, state in FAULTS:
        if f"{kind} {state}" not in PLAYED:
            world = worlds.of(BASES[FAULTS[kind, state]].estate)
            apart(lambda world=world, kind=kind, state=state: refused(world, kind, state), f"{kind} {state}")  # type: ignore[misc]
    for name in LIVES:
        if name not in PLAYED:
            world = worlds.of(estate_of_life(name))
            apart(lambda world=world, name=name: lived(world, name), name)  # type: ignore[misc]
    missing = [each for each in COVERAGE.report(machine).missing if " retry " not in each]
    assert missing == sorted(UNVISITED[machine]), "\n".join(missing)
