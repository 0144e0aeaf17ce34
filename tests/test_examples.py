"""Every file in examples/ is run by a machine: its whole inventory is golden, and the local cloud takes it twice."""

from collections import Counter
from pathlib import Path

import pytest

from mlestate.blueprint.inventory import as_digests, as_yaml
from mlestate.config import load
from mlestate.local.session import Session, rehearse
from tests.conftest import EXAMPLES, ROOT, recorded, relaxed
from tests.drivers import Embedded, store

INVENTORIES = ROOT / "tests" / "inventories"

READABLE = 1_000
"""Resources of which a change can still be reviewed line by line."""

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)


@each_example
def test_an_example_is_valid(example: Path) -> None:
    assert load(example).config.version == 1


def test_the_aws_examples_are_as_large_as_they_say() -> None:
    many, regulated = (load(ROOT / "examples" / f"aws-{name}.yaml").config for name in ("many", "regulated"))
    assert len(many.models) == 30
    assert regulated.residency == "quebec"
    accounts = {regulated.home, *(each.home for each in regulated.environments.values())}
    assert len(accounts) == 3, "hub, staging and production lie apart"


@each_example
def test_an_example_registers_what_its_golden_inventory_says(example: Path, request: pytest.FixtureRequest) -> None:
    """Does not prove that a cloud accepts the values: on AWS they were held against the API's own models, on the
    others against the SDK's types. What changed in a large example, the smaller ones show."""
    golden = INVENTORIES / f"{example.stem}.yaml"
    rows = recorded(example)
    now = as_yaml(rows) if len(rows) < READABLE else as_digests(rows)
    if request.config.getoption("--update-inventory"):
        golden.write_text(now)
    assert golden.exists(), f"no inventory yet: pytest {__file__} --update-inventory"
    assert now == golden.read_text(), f"the inventory changed; if it is meant: pytest {__file__} --update-inventory"


@each_example
def test_a_preview_plans_exactly_what_an_up_makes_and_what_is_protected_stays(example: Path, tmp_path: Path) -> None:
    """One test, because the largest example takes long to come up."""
    driver = Embedded(Session.of(example, tmp_path))
    planned = driver.run("preview")
    assert not planned.failed, planned.messages
    made = driver.run("up")
    assert not made.failed, made.messages
    assert planned.operations == made.operations, "a resource that is made inside an apply is missing from the preview"
    if "protect: true" not in example.read_text():
        return
    before = len(store(driver.session).objects())
    outcome = driver.run("destroy")
    assert outcome.failed, "a protected environment must not be destroyed"
    assert any("protect" in message for message in outcome.messages), outcome.messages
    assert len(store(driver.session).objects()) >= before - sum(op == "delete" for op, _ in outcome.operations)


def test_some_examples_are_protected() -> None:
    protected = {each.stem for each in EXAMPLES if "protect: true" in each.read_text()}
    assert {"aws-many", "aws-regulated"} <= protected


@each_example
def test_urns_are_unique_and_every_name_starts_with_the_estate(example: Path) -> None:
    rows = recorded(example)
    twice = [urn for urn, count in Counter(row.urn for row in rows).items() if count > 1]
    assert not twice, "the engine refuses two resources of one URN"
    name = load(example).config.name
    strangers = [row.key for row in rows if not row.name.startswith(name) and not row.type.startswith("pulumi:")]
    assert not strangers, "the estate's name keeps two estates in one stack apart"


@each_example
def test_an_example_goes_up_twice_is_refreshed_and_goes_away(example: Path, tmp_path: Path) -> None:
    """The second up and the refresh change nothing; a destroy leaves exactly what was to be retained."""
    driver = Embedded(Session.of(relaxed(example, tmp_path), tmp_path / "session"))
    first = driver.run("up")
    assert not first.failed, first.messages
    assert {op for op, _ in first.operations} == {"create"}
    for again in ("up", "refresh", "preview"):
        outcome = driver.run(again)
        assert not outcome.failed, outcome.messages
        assert outcome.operations == set(), f"{again} after up must be empty"
    retained = {
        resource["id"]
        for resource in driver.export()["deployment"]["resources"]
        if resource.get("retainOnDelete") and resource.get("custom")
    }
    gone = driver.run("destroy")
    assert not gone.failed, gone.messages
    left = {each.id for each in store(driver.session).objects()}
    assert left == retained, "destroy leaves what was to be retained, and nothing else"


@each_example
def test_hub_and_environments_as_stacks_register_what_one_stack_does(example: Path) -> None:
    whole = {row.key: row for row in recorded(example)}
    config = load(example).config
    slices = {row.key: row for scope in ("hub", *config.environments) for row in recorded(example, scope)}
    assert slices.keys() == whole.keys()
    different = [key for key, row in slices.items() if row.inputs != whole[key].inputs]
    assert not different, "what a slice computes from names must be what the whole estate hands over"


def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not rehearse(ROOT / "examples" / "aws-minimal.yaml").result.failed
    assert list(tmp_path.iterdir()) == [], "a plan writes no file"
