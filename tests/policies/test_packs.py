"""The packs as processes, as Pulumi starts and asks them: the same verdict as `mlestate policy check`, and their words.

That Pulumi's own engine starts them is shown in tests/pulumi, where the CLI is installed.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlestate.errors import InputError
from mlestate.local.analyzers import Pack, Verdict, started
from mlestate.local.resource import Resource, provider_urn
from mlestate.local.session import Session, rehearse
from mlestate.local.stack import Stack
from mlestate.local.state import State
from mlestate_policies.configuration import HOUSEKEEPING, read
from mlestate_policies.judge import judge
from mlestate_policies.reading import of_state
from mlestate_policies.rules import CLOUDS, named, rules
from mlestate_policies.settings import Settings
from tests.policies.packs import BAD_ESTATES, PACKS, ROOT, bad_estate

STACK = Stack(project="mlestate", name="plan", organization="organization", config={}, secret_config=(), parallel=8)
WAIVED = "waived for the test"


@cache
def exported(example: str) -> dict[str, Any]:
    return rehearse(ROOT / "examples" / f"{example}.yaml").state.export(show_secrets=True)


def by_the_rules(state: Mapping[str, Any], settings: Settings) -> set[tuple[str, str, str, bool]]:
    subjects = of_state(state, "state")
    report = judge(subjects.inputs, subjects.outputs, settings)
    return {
        (each.rule.name, each.urn, f"{each.message}. {each.rule.fix}", each.level == "mandatory")
        for each in report.findings
        if each.outcome == "violation" and each.waiver is None
    }


def by_the_packs(state: Mapping[str, Any], configuration: Path | None = None) -> list[Verdict]:
    """As Pulumi judges a state: every resource's inputs, then all outputs, by every pack."""
    kept = State.in_memory()
    kept.import_(state)
    resources: Mapping[str, Resource] = {each.urn: each for each in kept.resources}
    with started([Pack(folder, configuration) for folder in PACKS.values()]) as analyzers:
        assert analyzers is not None
        analyzers.configure(STACK, preview=True)
        verdicts: list[Verdict] = []
        for each in resources.values():
            verdicts += analyzers.analyze(each, resources.get(provider_urn(each.provider)))
        return verdicts + analyzers.analyze_stack(resources.values())


def violations(verdicts: list[Verdict]) -> set[tuple[str, str, str, bool]]:
    names = {rule.name: rule for rule in rules()}
    return {
        (each.policy, each.urn, each.message.removeprefix(f"{names[each.policy].statement}\n"), each.mandatory)
        for each in verdicts
        if each.policy in names and "during preview" not in each.message
    }


def configured(folder: Path, **settings: Any) -> Path:
    file = folder / "policies.json"
    file.write_text(json.dumps({"mlestate": settings}))
    return file


@pytest.mark.slow
@pytest.mark.parametrize("file", BAD_ESTATES, ids=lambda file: file.stem)
def test_a_bad_estate_gets_the_same_verdict_from_packs_and_command(file: Path, tmp_path: Path) -> None:
    """With every rule in force; which are, the tests of the configuration hold."""
    state, _ = bad_estate(file)
    configuration = configured(tmp_path, profiles=["regulated"])
    found = violations(by_the_packs(state, configuration))
    assert found, "a bad estate breaks rules"
    assert found == by_the_rules(state, read(configuration))


@pytest.mark.slow
@pytest.mark.parametrize("example", ["aws-minimal", "azure-two-subscriptions", "gcp-two-projects"])
def test_an_example_gets_the_same_verdict_from_packs_and_command(example: str, tmp_path: Path) -> None:
    """Under the strictest profile there are findings to compare, also where the baseline is clean."""
    configuration = configured(tmp_path, profiles=["regulated", "quebec"])
    state = exported(example)
    assert violations(by_the_packs(state, configuration)) == by_the_rules(state, read(configuration))


NOT_YET = {
    # A document is one text, known whole or not at all: a pipeline's definition and the policies of a few identities
    # name what is not made yet.
    "aws": {"ml-aws-sm-074", "ml-aws-sm-075", "ml-aws-sm-076", "ml-stk-05", "ml-stk-06", "ml-stk-09"},
    "azure": set[str](),
    # The service agent that is given a key is named by Google when it is made.
    "gcp": {"ml-gcp-ia-002"},
}
"""The rules that cannot be decided in the first preview of an example."""


@pytest.mark.slow
@pytest.mark.parametrize("example", ["aws-minimal", "azure-two-subscriptions", "gcp-two-projects"])
def test_a_first_preview_of_an_example_is_clean_and_says_what_it_cannot_know(example: str, tmp_path: Path) -> None:
    session = Session.of(ROOT / "examples" / f"{example}.yaml", tmp_path)
    result = session.run("preview", packs=[Pack(folder) for folder in PACKS.values()])
    assert not result.failed, [each.message for each in result.diagnostics if each.severity == "error"]
    told = [each.message for each in result.diagnostics if "mlestate-unchecked" not in each.message]
    assert all("during preview" in message for message in told), "nothing is violated, not even what is advisory"
    undecided = {re.findall(r"ml-[a-z]+-[a-z]+-\d+|ml-stk-\d+", message)[0] for message in told}
    assert undecided == NOT_YET[example.split("-")[0]]


@contextmanager
def pack(cloud: str, configuration: Path | None = None) -> Iterator[Any]:
    with started([Pack(PACKS[cloud], configuration)]) as analyzers:
        assert analyzers is not None
        yield analyzers


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_pack_starts_and_tells_what_it_is(cloud: str) -> None:
    with pack(cloud) as analyzers:
        (running,) = analyzers._running
        info = running._info
        assert info.name == f"mlestate-{cloud}"
        names = {policy.name for policy in info.policies}
        assert names == {rule.name for rule in rules() if rule.cloud == cloud} | set(HOUSEKEEPING)
        for policy in info.policies:
            assert policy.description
            if policy.name in named():
                rule = named()[policy.name]
                assert policy.remediation_steps == rule.fix
                assert list(policy.tags) == [*rule.sources, *rule.evidences]


def test_a_pack_refuses_a_configuration_that_cannot_hold_with_all_that_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    file.write_text(
        json.dumps(
            {
                "ml-aws-sm-999-nothing": "mandatory",
                "mlestate": {"waivers": [{"rule": "ML-AWS-SM-003"}], "limits": {"x": 1}},
            }
        )
    )
    with pytest.raises(InputError) as error, pack("aws", file) as analyzers:
        analyzers.configure(STACK, preview=True)
    for sentence in ("there is no rule", "waivers[0].owner", "there is no such limit"):
        assert sentence in str(error.value)


NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance"


def notebook(**properties: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:plan::mlestate::{NOTEBOOK}::lab"
    state = {"urn": urn, "type": NOTEBOOK, "custom": True, "id": "lab", "inputs": properties, "outputs": properties}
    return {"version": 3, "deployment": {"resources": [state]}}


def said(policy: str, state: Mapping[str, Any], configuration: Path | None = None) -> list[Verdict]:
    kept = State.in_memory()
    kept.import_(state)
    with pack("aws", configuration) as analyzers:
        analyzers.configure(STACK, preview=True)
        verdicts = [verdict for each in kept.resources for verdict in analyzers.analyze(each, None)]
        verdicts += analyzers.analyze_stack(kept.resources)
    return [each for each in verdicts if each.policy.startswith(policy)]


OPEN = {"rootAccess": "Enabled"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
WAIVER = {"rule": "ML-AWS-SM-003", "urn": "*::lab", "owner": "ada@acme.example", "reason": WAIVED}


def test_a_violation_says_what_is_there_what_is_needed_and_the_fix() -> None:
    (verdict,) = said("ml-aws-sm-003", notebook(**OPEN))
    assert verdict.mandatory
    assert 'rootAccess is "Enabled"; it has to be "Disabled"' in verdict.message
    assert "Set rootAccess" in verdict.message


def test_a_waiver_in_force_is_told_and_not_the_violation(tmp_path: Path) -> None:
    file = configured(tmp_path, waivers=[{**WAIVER, "expires": "2999-01-01"}])
    assert said("ml-aws-sm-003", notebook(**OPEN), file) == []
    (waived,) = said("mlestate-waived", notebook(**OPEN), file)
    assert not waived.mandatory
    assert WAIVED in waived.message
    assert "ada@acme.example until 2999-01-01" in waived.message


def test_a_waiver_that_is_over_fails_by_itself_and_waives_nothing(tmp_path: Path) -> None:
    file = configured(tmp_path, waivers=[{**WAIVER, "expires": "2020-01-01"}])
    assert len(said("ml-aws-sm-003", notebook(**OPEN), file)) == 1
    (over,) = [each for each in said("mlestate", notebook(**OPEN), file) if each.policy == "mlestate"]
    assert over.mandatory
    assert "this waiver is over" in over.message


def test_a_waiver_that_is_over_fails_also_where_all_levels_are_off(tmp_path: Path) -> None:
    file = configured(tmp_path, waivers=[{**WAIVER, "expires": "2020-01-01"}], enforcementLevel="disabled")
    file.write_text(json.dumps({**json.loads(file.read_text()), "all": "disabled"}))
    (over,) = said("mlestate", notebook(**OPEN), file)
    assert over.mandatory


def test_a_waiver_covers_what_is_not_known_yet(tmp_path: Path) -> None:
    file = configured(tmp_path, undecided="mandatory", waivers=[{**WAIVER, "expires": "2999-01-01"}])
    assert said("ml-aws-sm-003", notebook(rootAccess=UNKNOWN), file) == []


def test_a_secret_is_in_no_message() -> None:
    marked = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}
    (verdict,) = said("ml-aws-sm-003", notebook(rootAccess=marked))
    assert 'rootAccess is something else; it has to be "Disabled"' in verdict.message


BROKEN = """
from functools import wraps
from mlestate_policies.pack import serve
from mlestate_policies.rules import named

rule = named()["ML-AWS-SM-003"]


@wraps(rule.check)
def broken(*_):
    raise KeyError("hunter2")


object.__setattr__(rule, "check", broken)
serve("aws")
"""


def test_a_rule_that_raises_stops_the_run_also_where_it_only_advises(tmp_path: Path) -> None:
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.1.0\n")
    (tmp_path / "__main__.py").write_text(BROKEN)
    kept = State.in_memory()
    kept.import_(notebook(**OPEN))
    with started([Pack(tmp_path, configured(tmp_path, levels={"ML-AWS-SM-003": "advisory"}))]) as analyzers:
        assert analyzers is not None
        analyzers.configure(STACK, preview=True)
        (verdict,) = [each for each in analyzers.analyze(kept.resources[0], None) if "ml-aws-sm-003" in each.policy]
    assert verdict.mandatory
    assert "itself failed with KeyError" in verdict.message
    assert "hunter2" not in verdict.message


def test_what_is_not_known_yet_is_advisory_unless_it_is_asked_to_stop(tmp_path: Path) -> None:
    (undecided,) = said("ml-aws-sm-003", notebook(rootAccess=UNKNOWN))
    assert not undecided.mandatory
    (stopped,) = said("ml-aws-sm-003", notebook(rootAccess=UNKNOWN), configured(tmp_path, undecided="mandatory"))
    assert stopped.mandatory
    assert "is known only after the update" in stopped.message


def test_types_that_no_rule_looks_at_are_counted_and_listed() -> None:
    state = notebook(**OPEN)
    other = "aws:sagemaker/workteam:Workteam"
    urn = f"urn:pulumi:plan::mlestate::{other}::team"
    state["deployment"]["resources"].append({"urn": urn, "type": other, "custom": True, "id": "t", "inputs": {}})
    (unchecked,) = said("mlestate-unchecked", state)
    assert not unchecked.mandatory
    assert f"1 of {other}" in unchecked.message


def test_a_remediation_mends_what_it_may_and_nothing_else(tmp_path: Path) -> None:
    rule = named()["ML-AWS-SM-003"]
    file = tmp_path / "policies.json"
    file.write_text(json.dumps({rule.name: "remediate"}))
    kept = State.in_memory()
    kept.import_(notebook(**OPEN, subnetId="subnet-1", tags={"owner": "ada"}))
    (resource,) = kept.resources
    with pack("aws", file) as analyzers:
        analyzers.configure(STACK, preview=True)
        inputs, told = analyzers.remedied(resource, None)
    assert dict(inputs) == {"rootAccess": "Disabled", "subnetId": "subnet-1", "tags": inputs["tags"]}
    assert [(each.policy, each.message) for each in told] == [(rule.name, "remediated")]


def test_a_rule_needs_no_pulumi_no_sdk_and_nothing_of_what_makes_estates() -> None:
    """A pack starts for every preview, and the SDKs take seconds; and what judges may not lean on what it judges."""
    for file in (ROOT / "policies").rglob("*.py"):
        allowed = ("pulumi.runtime", "pulumi_policy", "pulumi_policy.deserialize", "pulumi_policy.proxy")
        found = [
            name
            for name in imports(file)
            if name.split(".")[0].startswith("pulumi") or name.split(".")[0] == "mlestate"
        ]
        assert set(found) <= set(allowed if file.name == "pack.py" else ()), file


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
