"""docs/releases.md says what the code says.

Not proved here: its prose.
"""

import json
import re

import pytest
import typer
from jsonata import Jsonata  # type: ignore[import-untyped]  # it ships no types

from mlestate.aws.release_version import EVIDENCE
from mlestate.cli import app
from mlestate.config import loads
from mlestate.release import OUTCOMES, PHASES, gates
from tests.conftest import ROOT

from .conftest import ESTATE, EVALUATION

PAGE = (ROOT / "docs" / "releases.md").read_text()
COMMANDS = ("status", "approve", "reject", "promote", "rollback")


def table(heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+?) \|", section, re.MULTILINE))


def test_its_phases_are_those_of_the_plan() -> None:
    assert table("Where a release is") == dict(PHASES)


def test_its_outcomes_are_those_of_the_plan() -> None:
    assert table("How a release ends") == dict(OUTCOMES)


@pytest.mark.parametrize("name", COMMANDS)
def test_its_commands_take_what_it_writes_and_want_what_it_wants(name: str) -> None:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]  # the app is a group
    usage = re.findall(rf"^mlestate {name} +estate\.yaml (.*)$", PAGE, re.MULTILINE)[0]
    optional = " ".join(re.findall(r"\[([^]]+)]", usage))
    for parameter in command.params:
        word = parameter.opts[0] if parameter.opts[0].startswith("--") else parameter.name.upper()
        if word in ("FILE", "--help", "--yes", "--dry-run", "--json", "--days"):
            continue
        assert word in usage, f"{name} takes {word}"
        assert (word in optional) is not parameter.required, f"{word} of {name}"


def test_it_names_every_way_to_carry_an_order_out() -> None:
    for option in ("--yes", "--dry-run", "--json"):
        assert f"`{option}`" in PAGE


def test_its_notification_is_what_the_machine_writes() -> None:
    config = loads(ESTATE).config
    settings = {"gates": gates(config.model("churn", "staging"))}
    # JSON is JSONata, so that what the machine knows can be written before what it makes of it.
    said = Jsonata(f"($evaluation := {json.dumps(EVALUATION)}; $settings := {json.dumps(settings)}; {EVIDENCE})")
    assert said.evaluate(None) in PAGE


def test_every_command_of_its_examples_exists() -> None:
    for name in re.findall(r"mlestate ([a-z]+)", PAGE):
        assert name in COMMANDS, f"mlestate {name}"
