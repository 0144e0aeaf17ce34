"""AWS: every scenario of releases, played by the machines that the estate compiles, in a simulated account.

Not proved here: that SageMaker, EventBridge and Step Functions do what `account.gaps` says of them.
"""

from collections.abc import Iterator

import pytest

from tests.release_scenarios import SCENARIOS, Scenario, play

from .conftest import Recorded
from .release_world import Worlds, apart

pytestmark = pytest.mark.xdist_group("releases")


@pytest.fixture(scope="module")
def worlds(estate: Recorded) -> Iterator[Worlds]:
    with Worlds(estate) as made:
        yield made


@pytest.mark.parametrize("scenario", [pytest.param(each, id=each.name) for each in SCENARIOS])
def test_a_release_ends_as_its_scenario_says(worlds: Worlds, scenario: Scenario) -> None:
    world = worlds.of(scenario.estate)
    apart(lambda: play(scenario, world))
