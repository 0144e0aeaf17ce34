"""One table of scenarios under both engines: the same operations on the same URNs, the same outputs, the same cloud.

Does not prove anything of the real providers: both engines talk to the local cloud.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.drivers import Driver, Embedded, Own, store
from tests.scenarios import SCENARIOS, Scenario

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@pytest.mark.slow
@each_scenario
def test_both_engines_do_the_same(scenario: Scenario, tmp_path: Path) -> None:
    folders = {"embedded": tmp_path / "embedded", "own": tmp_path / "own"}
    for folder in folders.values():
        folder.mkdir()
    drivers: dict[str, Driver] = {
        "embedded": Embedded(scenario.start(folders["embedded"])),
        "own": Own(scenario.start(folders["own"])),
    }
    for number, step in enumerate(scenario.steps):
        where = f"step {number}, {step.command}"
        outcomes = {}
        for engine, driver in drivers.items():
            if step.change:
                driver.session = step.change(driver.session, folders[engine])
            outcomes[engine] = driver.run(step.command)
        assert {engine: each.failed for engine, each in outcomes.items()} == dict.fromkeys(drivers, step.fails), (
            f"{where}: {outcomes}"
        )
        assert outcomes["embedded"].operations == outcomes["own"].operations, where
        states = {engine: driver.export() for engine, driver in drivers.items()}
        assert _comparable(states["embedded"]) == _comparable(states["own"]), where
        assert _cloud(drivers["embedded"]) == _cloud(drivers["own"]), where


@pytest.mark.slow
@each_scenario
@pytest.mark.parametrize("first", ["embedded", "own"])
def test_a_state_of_either_engine_is_taken_by_the_other(scenario: Scenario, first: str, tmp_path: Path) -> None:
    session = scenario.start(tmp_path)
    embedded, own = Embedded(session), Own(session)
    giver, taker = (embedded, own) if first == "embedded" else (own, embedded)
    assert not giver.run("up").failed
    taker.import_(giver.export())
    outcome = taker.run("preview")
    assert not outcome.failed, outcome.messages
    assert outcome.operations == set(), "nothing changed but the engine"


def _comparable(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """A state without what must differ: times, the place in the source, the provider's random id."""
    resources = checkpoint["deployment"].get("resources") or []
    kept = {}
    for resource in resources:
        fields = {
            key: value
            for key, value in resource.items()
            if key not in ("created", "modified", "sourcePosition", "stackTrace", "provider", "viewOf")
            and value not in (None, [], {}, "", False)
        }
        if resource["type"].startswith("pulumi:providers:"):
            fields.pop("id", None)
        # A refresh of Pulumi's own engine drops the properties that depend on nothing.
        fields["propertyDependencies"] = {
            key: urns for key, urns in (fields.get("propertyDependencies") or {}).items() if urns
        }
        kept[f"{resource['urn']}{' (to delete)' if resource.get('delete') else ''}"] = _plain(fields)
    return kept


def _plain(value: Any) -> Any:
    """URNs in a list have no order; secrets are compared by their value."""
    if isinstance(value, Mapping):
        if "4dabf18193072939515e22adb298388d" in value:
            # The local cloud keeps a salted digest of a secret, never its value.
            return {"secret": json.loads(value["plaintext"]) if "plaintext" in value else "kept by its digest"}
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        urns = all(isinstance(each, str) and each.startswith("urn:pulumi:") for each in value)
        return sorted(value) if urns else [_plain(each) for each in value]
    return _AUTONAMED.sub("*", value) if isinstance(value, str) else value


_AUTONAMED = re.compile(r"(?<=-)[0-9a-f]{7}(?![0-9a-f])")
"""The end that Pulumi gives a name of its own making; it is random under both engines."""


def _cloud(driver: Driver) -> list[str]:
    return sorted(
        f"{each.type} {_plain(each.id)} {json.dumps(_plain(each.properties), sort_keys=True)}"
        for each in store(driver.session).objects()
    )
