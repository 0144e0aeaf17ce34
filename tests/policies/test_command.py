"""`mlestate policy check` and `plan --policy`, as a person and CI meet them."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.policies.packs import BAD_ESTATES, ROOT, bad_estate
from tests.policies.test_packs import exported
from tests.test_cli import MINIMAL, mlestate

SCHEMA = Path(__file__).parent / "sarif.yaml"
"""What code scanning asks of a log, in our words; the whole schema of SARIF belongs to others."""
NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance"
URN = f"urn:pulumi:dev::shop::{NOTEBOOK}::lab"


def state(folder: Path, **properties: Any) -> Path:
    file = folder / "state.json"
    resource = {"urn": URN, "type": NOTEBOOK, "custom": True, "id": "lab", "inputs": properties, "outputs": properties}
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": [resource]}}))
    return file


KEPT = {
    "rootAccess": "Disabled",
    "platformIdentifier": "notebook-al2023-v1",
    "instanceMetadataServiceConfiguration": {"minimumInstanceMetadataServiceVersion": "2"},
    "tags": {"owner": "ada@acme.example", "environment": "production"},
}


def test_what_keeps_the_rules_passes_and_says_how_much_was_looked_at(tmp_path: Path) -> None:
    done = mlestate("policy", "check", state(tmp_path, **KEPT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("passed: ")
    assert "rules over 1 resources, 0 mandatory and 0 advisory violations" in done.stdout


def test_a_violation_fails_with_the_rule_the_resource_and_the_fix(tmp_path: Path) -> None:
    done = mlestate("policy", "check", state(tmp_path, **KEPT | {"rootAccess": "Enabled"}))
    assert done.returncode == 1
    first, *rest = done.stdout.splitlines()
    assert first.startswith("mandatory  high  ML-AWS-SM-003")
    assert rest[0] == '    lab: rootAccess is "Enabled"; it has to be "Disabled"'
    assert rest[1].startswith("    fix: Set rootAccess")
    assert rest[-1].startswith("FAILED: ")


def test_what_a_first_preview_cannot_know_is_said_and_no_failure(tmp_path: Path) -> None:
    done = mlestate("policy", "check", state(tmp_path, **KEPT | {"rootAccess": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}))
    assert done.returncode == 0
    assert "undecided  high  ML-AWS-SM-003" in done.stdout
    assert "rootAccess is known only after the update" in done.stdout


def test_a_type_that_no_rule_looks_at_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    resource = {
        "urn": "urn:pulumi:dev::shop::random:index/randomId:RandomId::id",
        "type": "random:index/randomId:RandomId",
    }
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": [resource]}}))
    done = mlestate("policy", "check", file)
    assert "1 resources are of types that no rule looks at: random:index/randomId:RandomId (1)" in done.stdout


def test_waivers_are_reported_and_fail_when_they_are_over(tmp_path: Path) -> None:
    file, config = state(tmp_path, **KEPT | {"rootAccess": "Enabled"}), tmp_path / "policies.json"
    waiver = {"rule": "ML-AWS-SM-003", "urn": "*::lab", "owner": "ada@acme.example", "reason": "a pilot"}
    config.write_text(json.dumps({"mlestate": {"waivers": [{**waiver, "expires": "2999-01-01"}]}}))
    done = mlestate("policy", "check", file, "--policy-config", config)
    assert done.returncode == 0
    assert "waived  ML-AWS-SM-003  lab: ML-AWS-SM-003 for *::lab, by ada@acme.example until 2999-01-01" in done.stdout
    done = mlestate("policy", "check", state(tmp_path, **KEPT), "--policy-config", config)
    assert "idle  a waiver waives nothing, so it can go: ML-AWS-SM-003 for *::lab" in done.stdout
    file = state(tmp_path, **KEPT | {"rootAccess": "Enabled"})
    config.write_text(json.dumps({"mlestate": {"waivers": [{**waiver, "expires": "2020-01-01"}]}}))
    done = mlestate("policy", "check", file, "--policy-config", config)
    assert done.returncode == 1
    assert "a waiver is over" in done.stdout


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        ("nonsense", (), "is not JSON"),
        ("{}", (), "neither a `deployment` nor `steps`"),
        ('{"version": 3, "deployment": {}}', ("--format", "xml"), "--format xml: allowed are text, json, sarif, junit"),
        ('{"version": 3, "deployment": {}}', ("--output", "/nowhere/at/all"), "cannot be written"),
        ('{"version": 3, "deployment": {}}', ("--policy-config", "/nowhere.json"), "cannot be read"),
        ('{"version": 3, "deployment": {}}', ("--source", "/nowhere.yaml", "--format", "sarif"), "/nowhere.yaml"),
    ],
)
def test_wrong_input_is_one_sentence_and_never_a_pass(
    tmp_path: Path, text: str, words: tuple[str, ...], sentence: str
) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    done = mlestate("policy", "check", file, *words)
    assert done.returncode == 2, done.stdout
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("file", BAD_ESTATES, ids=lambda file: file.stem)
def test_a_bad_estate_breaks_the_rules_it_is_said_to_break(file: Path, tmp_path: Path) -> None:
    document, breaks = bad_estate(file)
    written, config = tmp_path / "state.json", tmp_path / "policies.json"
    written.write_text(json.dumps(document))
    for profile, expected in breaks.items():
        config.write_text(json.dumps({"mlestate": {"profiles": [profile]}}))
        done = mlestate("policy", "check", written, "--policy-config", config, "--format", "json")
        assert done.returncode == 1
        found = {each["rule"] for each in json.loads(done.stdout)["findings"] if each["outcome"] == "violation"}
        assert sorted(found) == sorted(expected)


def test_sarif_has_what_code_scanning_asks_and_points_at_the_lines_of_the_estate_file(tmp_path: Path) -> None:
    written, config, output = (tmp_path / name for name in ("state.json", "policies.json", "findings.sarif"))
    written.write_text(json.dumps(exported("aws-minimal")))
    config.write_text(json.dumps({"mlestate": {"profiles": ["regulated"]}}))
    words = ("--policy-config", config, "--format", "sarif", "--source", MINIMAL, "--output", output)
    done = mlestate("policy", "check", written, *words)
    assert done.returncode == 1
    assert done.stdout.startswith("FAILED: "), "the verdict is on the terminal, whatever is in the file"
    log = json.loads(output.read_text())
    assert not list(Draft7Validator(yaml.safe_load(SCHEMA.read_text())).iter_errors(log))
    (run,) = log["runs"]
    model = 1 + next(n for n, line in enumerate(MINIMAL.read_text().splitlines()) if line.strip().startswith("churn:"))
    lines = set()
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert Path(place["artifactLocation"]["uri"]).name == MINIMAL.name
        lines.add(place["region"]["startLine"])
    assert model in lines, "what belongs to the model is shown at the model"
    fingerprints = [result["partialFingerprints"]["mlestate/v1"] for result in run["results"]]
    assert len(fingerprints) == len(set(fingerprints)), "two findings of one identity are one to GitHub"


@pytest.mark.parametrize("file", BAD_ESTATES, ids=lambda file: file.stem)
def test_two_findings_at_one_place_have_two_fingerprints(file: Path, tmp_path: Path) -> None:
    written = tmp_path / "state.json"
    written.write_text(json.dumps(bad_estate(file)[0]))
    done = mlestate("policy", "check", written, "--format", "sarif")
    results = json.loads(done.stdout)["runs"][0]["results"]
    assert len({each["partialFingerprints"]["mlestate/v1"] for each in results}) == len(results)


def test_junit_has_a_case_for_each_rule_in_force_and_fails_those_that_are_broken(tmp_path: Path) -> None:
    done = mlestate("policy", "check", state(tmp_path, **KEPT | {"rootAccess": "Enabled"}), "--format", "junit")
    assert done.returncode == 1
    suite = ElementTree.fromstring(done.stdout)  # noqa: S314  our own output
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.attrib["tests"]) > 80
    assert [case.attrib["name"].split()[0] for case in cases if case.find("failure") is not None] == ["ML-AWS-SM-003"]
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "0")


def test_a_name_that_xml_and_utf8_cannot_hold_is_shown_without_it(tmp_path: Path) -> None:
    file = state(tmp_path, **KEPT | {"rootAccess": "Enabled"})
    file.write_text(file.read_text().replace("::lab", r"::lab\u0007\ud800"))
    for form in ("junit", "sarif", "text", "json"):
        done = mlestate("policy", "check", file, "--format", form)
        assert done.returncode == 1, done.stderr
        if form == "junit":
            ElementTree.fromstring(done.stdout)  # noqa: S314  our own output


def test_a_plan_has_the_verdict_in_it(tmp_path: Path) -> None:
    done = mlestate("plan", MINIMAL, "--policy", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["policy"]["passed"] else 1)
    assert document["policy"]["resources"] > 100
    config = tmp_path / "policies.json"
    config.write_text(json.dumps({"mlestate": {"profiles": ["regulated"]}}))
    done = mlestate("plan", MINIMAL, "--policy-config", config)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("FAILED: ")


@pytest.mark.parametrize("example", sorted(path.stem for path in (ROOT / "examples").glob("*.yaml")))
def test_every_example_is_clean(example: str, tmp_path: Path) -> None:
    """Nothing is violated, not even what is advisory, and nothing is undecided once it is up."""
    written, config = tmp_path / "state.json", tmp_path / "policies.json"
    written.write_text(json.dumps(exported(example)))
    profiles = yaml.safe_load((Path(__file__).parent / "profiles.yaml").read_text())[example]
    config.write_text(json.dumps({"mlestate": {"profiles": profiles}}))
    done = mlestate("policy", "check", written, "--policy-config", config, "--format", "json")
    findings = json.loads(done.stdout)["findings"]
    assert [(each["rule"], each["urn"].rpartition("::")[2], each["message"]) for each in findings] == []
    assert done.returncode == 0
