"""AWS: how long a release takes, and a way back, with what the file leaves out, in simulated time.

`docs/release-times.md` says what the simulation assumes. How long SageMaker really takes an account has to show.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlestate.config.serving import BAKES, SAMPLE, SPLIT, STEPS, Strategy

from .conftest import Recorded
from .release_world import LEDGER, SLICE, AwsWorld, Worlds, apart

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "release-times.md"
HEADER = (
    "| how a version takes over | watched | approval to first traffic | to all traffic | to released "
    "| alarm beside the champion to back | alarm with all traffic to back |"
)
ROWS: dict[str, tuple[str, Strategy]] = {
    "whole": ("all at once", "all-at-once"),
    "serverless": ("all at once, serverless", "all-at-once"),
    "queued": ("all at once, async", "all-at-once"),
    "batch": ("batch", "all-at-once"),
    "canary": ("canary", "canary"),
    "ab": ("A/B test", "ab"),
    "shadow": ("shadow", "shadow"),
}
COMPARED = ("canary", "ab", "shadow")
"""Those that have a champion beside them."""
MOVES = {"MoveBeside", "Switch"}


@pytest.fixture(scope="module")
def worlds(estate: Recorded) -> Iterator[Worlds]:
    with Worlds(estate) as made:
        yield made


def usual(world: AwsWorld, model: str) -> None:
    """What the file says of the model is what it says where it leaves things out."""
    rollout = {"bake_seconds": BAKES[ROWS[model][1]].seconds}
    own: dict[str, dict[str, Any]] = {
        "canary": {"steps": list(STEPS)},
        "ab": {"split": SPLIT},
        "shadow": {"sample": SAMPLE},
    }
    world.settings(model, rollout=rollout | own.get(model, {}))


def began(world: AwsWorld, model: str) -> datetime:
    usual(world, model)
    world.register(model)
    world.settle()
    world.approve(model, 2, by="approver")
    return world.account.clock.now


def forward(world: AwsWorld, model: str) -> tuple[float, float, float]:
    """Seconds from approval to the first traffic, to all of it, and to the end."""
    start = began(world, model)
    if model in ("ab", "shadow"):
        world.until("beside")
        if model == "ab":
            world.answered(model, champion=0.7, challenger=0.9)
        else:
            world.answered(model, apart=0.0)
    world.settle()
    provision = timedelta(seconds=world.account.endpoints.provision_seconds)
    moves = [each.at + provision for each in world.account.calls if each.state in MOVES and each.at > start]
    moves += [each.at for each in world.account.calls if each.state == "PutCurrent"]
    (ended,) = [
        datetime.fromisoformat(each["document"]["ended"])
        for each in world.account.items(LEDGER, model=model)
        if each["document"].get("outcome") == "released"
    ]
    first = moves[-1] if model == "shadow" else moves[0]
    return tuple((each - start).total_seconds() for each in (first, moves[-1], ended))  # type: ignore[return-value]


def back(world: AwsWorld, model: str, phase: str) -> float:
    """Seconds from the alarm until the version before has all traffic again."""
    start = began(world, model)
    world.until(phase)
    world.wait(minutes=7.5 if phase == "shifting" else 3.5)
    alarm = world.account.clock.now
    world.alarm(model)
    world.settle()
    assert world.seen(model).traffic == {1: 1.0}, f"{model} did not go back"
    history = world.account.endpoint(f"{SLICE}-{model}").history
    assert start < alarm < history[-1].at
    return (history[-1].at - alarm).total_seconds()


def said(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def measured(worlds: Worlds, model: str) -> str:
    world = worlds.of("alone")
    name, strategy = ROWS[model]
    first, whole, released = apart(lambda: forward(world, model), f"forward {model}")
    beside = apart(lambda: back(world, model, "beside"), f"beside {model}") if model in COMPARED else None
    # SageMaker itself watches an update all at once of machines; what is serverless, and the second move of a
    # comparison, is watched by the machine.
    late = {"whole": "shifting", "queued": "shifting", "serverless": "baking", "canary": "baking"}.get(model)
    after = apart(lambda: back(world, model, late), f"after {model}") if late else None
    cells = (name, str(BAKES[strategy]) if model != "batch" else "–", *map(said, (first, whole, released, beside)))
    alike = "as of a canary" if model in ("ab", "shadow") else said(after)
    return "| " + " | ".join((*cells, alike)) + " |"


@pytest.mark.parametrize("model", ROWS)
def test_the_page_says_how_long_a_release_takes(worlds: Worlds, model: str) -> None:
    row = measured(worlds, model)
    lines = PAGE.read_text().splitlines()
    assert HEADER in lines
    assert row in lines, f"write into {PAGE.name}:\n{row}"
