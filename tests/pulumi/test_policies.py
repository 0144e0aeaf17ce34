"""The packs under Pulumi's own engine: it starts them, configures them, and says what `mlestate policy check` says."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlestate_policies.configuration import read
from tests.policies.packs import BAD_ESTATES, PACKS, bad_estate
from tests.policies.test_packs import by_the_rules, exported
from tests.test_cli import MINIMAL, mlestate

pytestmark = pytest.mark.slow

REGULATED = {"mlestate": {"profiles": ["regulated", "quebec"]}}


def analyzed(state: Mapping[str, Any], configuration: Path, folder: Path) -> set[tuple[str, str, str, bool]]:
    """What `pulumi policy analyze` says of a state: policy, URN, message, whether it is mandatory."""
    file = folder / "state.json"
    file.write_text(json.dumps(state))
    words = ["pulumi", "policy", "analyze", "--json", "--file", str(file)]
    for pack in PACKS.values():
        words += ["--policy-pack", str(pack), "--policy-pack-config", str(configuration)]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_CONFIG_PASSPHRASE": "local",
    }
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    events = [json.loads(line).get("policyEvent") for line in done.stdout.splitlines() if line.startswith("{")]
    assert any(events), done.stdout + done.stderr
    assert done.returncode, "mandatory violations fail the command"
    return {
        (
            each["policyName"],
            each["resourceUrn"],
            each["message"].partition("\n")[2],
            each["enforcementLevel"] == "mandatory",
        )
        for each in events
        if each and each["policyName"].startswith("ml-") and "during preview" not in each["message"]
    }


def of_the_stack(found: set[tuple[str, str, str, bool]]) -> set[tuple[str, str, str, bool]]:
    """What is told of no resource Pulumi tells of the stack's own."""
    return {(rule, "" if "::pulumi:pulumi:Stack::" in urn else urn, said, level) for rule, urn, said, level in found}


@pytest.mark.parametrize("file", BAD_ESTATES, ids=lambda file: file.stem)
def test_a_bad_estate_is_analyzed_as_the_command_checks_it(file: Path, tmp_path: Path) -> None:
    state, _ = bad_estate(file)
    configuration = tmp_path / "policies.json"
    configuration.write_text(json.dumps(REGULATED))
    assert of_the_stack(analyzed(state, configuration, tmp_path)) == of_the_stack(
        by_the_rules(state, read(configuration))
    )


def test_an_example_is_analyzed_as_the_command_checks_it(tmp_path: Path) -> None:
    configuration = tmp_path / "policies.json"
    configuration.write_text(json.dumps(REGULATED))
    state = exported("aws-minimal")
    assert of_the_stack(analyzed(state, configuration, tmp_path)) == of_the_stack(
        by_the_rules(state, read(configuration))
    )


def test_both_engines_say_the_same_in_a_preview(tmp_path: Path) -> None:
    configuration = tmp_path / "policies.json"
    configuration.write_text(json.dumps(REGULATED))
    packs: list[str | Path] = []
    for pack in PACKS.values():
        packs += ["--policy-pack", pack, "--policy-pack-config", configuration]
    found = {}
    for engine in ("embedded", "pulumi"):
        done = mlestate("local", "preview", MINIMAL, "--engine", engine, "--state", tmp_path / engine, *packs)
        assert done.returncode, "the profile asks for what the smallest estate does not have"
        found[engine] = {
            word.rstrip(":") for word in done.stdout.split() if word.startswith("ml-") and word.count("-") > 3
        }
    assert found["embedded"] == found["pulumi"]
    assert found["embedded"]


def test_a_configuration_that_cannot_hold_stops_the_preview_with_all_that_is_wrong(tmp_path: Path) -> None:
    configuration = tmp_path / "policies.json"
    configuration.write_text(json.dumps({"ml-aws-sm-999": "mandatory", "mlestate": {"limits": {"x": 1}}}))
    packs = ("--policy-pack", PACKS["aws"], "--policy-pack-config", configuration)
    done = mlestate("local", "preview", MINIMAL, "--engine", "pulumi", "--state", tmp_path, *packs)
    assert done.returncode
    said = done.stdout + done.stderr
    assert 'there is no rule "ml-aws-sm-999"' in said
    assert "there is no such limit" in said
