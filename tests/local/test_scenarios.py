"""The table of scenarios on the embedded engine; the lives of the examples and more of them are in test_examples."""

from collections import Counter
from pathlib import Path

import pytest

from tests.drivers import Embedded
from tests.scenarios import CHANGES, Scenario


@pytest.mark.slow
@pytest.mark.parametrize("scenario", CHANGES, ids=lambda scenario: scenario.name)
def test_a_scenario_runs_to_its_end(scenario: Scenario, tmp_path: Path) -> None:
    driver = Embedded(scenario.start(tmp_path))
    for number, step in enumerate(scenario.steps):
        if step.change:
            driver = Embedded(step.change(driver.session, tmp_path))
        outcome = driver.run(step.command)
        assert outcome.failed == step.fails, f"step {number}, {step.command}: {outcome.messages}"
        if step.counts is not None:
            assert Counter(op for op, _ in outcome.operations) == Counter(step.counts), f"step {number}, {step.command}"
        if step.change and step.command in ("preview", "refresh"):
            assert outcome.operations, f"step {number}: the change was not seen by {step.command}"
