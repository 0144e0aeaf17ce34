"""The jobs in docs/ci: valid, one like the other, and their commands run as each service runs them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.policies.packs import ROOT
from tests.test_cli import mlestate

CI = ROOT / "docs" / "ci"
BIN = Path(sys.executable).parent
CLEAN = (ROOT / "examples" / "gcp-two-projects.yaml").read_text()
ESTATES = {
    "clean": CLEAN,
    "violating": CLEAN.replace("protect: true", "protect: false"),
    "wrong": CLEAN.replace("problem: regression", "problem: regresion"),
}
CONFIGURATION = {"mlestate": {"levels": {"ML-X-003": "mandatory"}}}
"""What cannot be made again is protected: the baseline does not ask it."""
SARIF = yaml.safe_load((Path(__file__).parent / "sarif.yaml").read_text())


@dataclass(frozen=True)
class Job:
    """A job as its service runs it."""

    scripts: tuple[str, ...]
    """Each is a shell of its own; the first that fails ends the job."""
    shell: tuple[str, ...]
    shown: tuple[str, ...]
    """The files that are uploaded although a script failed."""
    steps: tuple[str, ...] = field(init=False)
    """What is done, in order; neighbours that are alike count once."""

    def __post_init__(self) -> None:
        lines = commands(self)
        words = [
            (re.findall(r"^python -m pip (\w+)|^mlestate (?:policy )?(\w+)", line) or [("", line)])[0] for line in lines
        ]
        steps = [*("".join(pair) for pair in words), *("show" for _ in self.shown)]
        object.__setattr__(self, "steps", tuple(step for step, _ in groupby(steps)))


def commands(job: Job) -> list[str]:
    """What a job runs, line by line, without what its service needs to stop at a failure or to go on after one."""
    lines = (line for script in job.scripts for line in script.splitlines() if line != "set -e")
    return [line.removesuffix(" || test $? -eq 1") if "policy check" in line else line for line in lines]


def parsed(name: str) -> Any:
    return yaml.load((CI / f"{name}.yml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506  texts only: `on` is no bool


def github() -> Job:
    (job,) = parsed("github-actions")["jobs"].values()
    uploads = [step for step in job["steps"] if "if" in step]
    assert all(
        step["if"] == f"${{{{ !cancelled() && hashFiles('{step['with']['sarif_file']}') != '' }}}}" for step in uploads
    )
    scripts = tuple(step["run"] for step in job["steps"] if "run" in step)
    return Job(scripts, ("bash", "-e", "-c"), tuple(step["with"]["sarif_file"] for step in uploads))


def gitlab() -> Job:
    (job,) = parsed("gitlab-ci").values()
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["paths"] == [job["artifacts"]["reports"]["junit"]]
    return Job(("\n".join(job["script"]),), ("sh", "-e", "-c"), (job["artifacts"]["reports"]["junit"],))


def azure() -> Job:
    (job,) = parsed("azure-pipelines")["jobs"]
    uploads = [step for step in job["steps"] if "condition" in step]
    assert all(step["condition"] == "succeededOrFailed()" for step in uploads)
    inputs = [step["inputs"] for step in uploads]
    shown = tuple(each.get("testResultsFiles") or each["targetPath"] for each in inputs)
    # Azure's shell does not stop at the first failure by itself.
    return Job(tuple(step["script"] for step in job["steps"] if "script" in step), ("bash", "-c"), shown)


JOBS = {"github-actions": github, "gitlab-ci": gitlab, "azure-pipelines": azure}


def test_every_job_is_known_here() -> None:
    assert {file.stem for file in CI.iterdir()} == set(JOBS)


def test_the_three_do_the_same_in_the_same_order() -> None:
    assert {job().steps for job in JOBS.values()} == {("install", "validate", "plan", "check", "show")}
    every = commands(azure())
    for job in (github(), gitlab()):
        assert [line for line in every if line in commands(job)] == commands(job)
        assert set(every) - set(commands(job)) < {line for line in every if "policy check" in line}


def ran(job: Job, estate: str, folder: Path) -> tuple[int, str]:
    """How the job ends in a repository with this estate, and its log. Its first command would set up what runs here."""
    (folder / "estate.yaml").write_text(ESTATES[estate])
    (folder / "policies.json").write_text(json.dumps(CONFIGURATION))
    (folder / "requirements.txt").write_text("mlestate[gcp]\n")
    log = ""
    for script in job.scripts:
        own = "\n".join(line for line in script.splitlines() if not line.startswith("python -m pip install "))
        done = subprocess.run(
            [*job.shell, own],
            cwd=folder,
            env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log += done.stdout
        if done.returncode:
            return done.returncode, log
    return 0, log


def findings(file: Path) -> Iterator[str]:
    """The rules that a file to upload says are broken, whichever of its formats it is in."""
    if file.suffix == ".sarif":
        log = json.loads(file.read_text())
        assert not list(Draft7Validator(SARIF).iter_errors(log))
        for result in log["runs"][0]["results"]:
            (place,) = result["locations"]
            assert place["physicalLocation"]["artifactLocation"]["uri"] == "estate.yaml"
            if result["level"] == "error":
                yield result["ruleId"]
    else:
        suite = ElementTree.fromstring(file.read_text())  # noqa: S314  our own output
        for case in suite.findall("testcase"):
            if case.find("failure") is not None:
                yield case.attrib["name"].split()[0]


@pytest.mark.parametrize(
    ("name", "estate", "code"),
    # Every command of the others is among those of Azure's, which asks for both formats: what is clean is run there.
    [("azure-pipelines", "clean", 0), *((name, "violating", 1) for name in JOBS)],
)
def test_a_job_fails_for_what_is_mandatory_and_uploads_all_the_same(
    name: str, estate: str, code: int, tmp_path: Path
) -> None:
    job = JOBS[name]()
    ended, log = ran(job, estate, tmp_path)
    assert ended == code, log
    assert ("FAILED: " if code else "passed: ") in log
    assert job.shown
    for file in job.shown:
        assert set(findings(tmp_path / file)) == ({"ML-X-003"} if code else set())
    assert not code or "ML-X-003" in log, "who reads the log alone reads the findings, too"


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_at_a_file_that_is_wrong_and_uploads_nothing(name: str, tmp_path: Path) -> None:
    job = JOBS[name]()
    code, log = ran(job, "wrong", tmp_path)
    assert code == 2, log
    assert "regresion" in log
    assert not any((tmp_path / file).exists() for file in job.shown)


def test_only_a_violation_passes_the_plan_on_to_the_check(tmp_path: Path) -> None:
    """Input that is wrong ends the job there, and so does a plan that could not be made."""
    (line,) = {
        line for job in JOBS.values() for script in job().scripts for line in script.splitlines() if "plan" in line
    }
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env={"PATH": f"{BIN}:/usr/bin:/bin"}, capture_output=True)
    assert done.returncode, "there is no estate.yaml"
    assert mlestate("policy", "check", tmp_path / "state.json").returncode == 2, "and there is nothing to check either"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("github-actions", ["--builtin-schema", "vendor.github-workflows"]),
        ("github-actions", ["--builtin-schema", "custom.github-workflows-require-timeout"]),
        ("gitlab-ci", ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        # a pattern of Azure's own schema is none in ECMAScript's strict form
        ("azure-pipelines", ["--builtin-schema", "vendor.azure-pipelines", "--regex-variant", "python"]),
    ],
)
def test_a_job_is_valid_by_its_service_s_schema(name: str, words: list[str]) -> None:
    done = subprocess.run([BIN / "check-jsonschema", *words, CI / f"{name}.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_has_nothing_that_an_auditor_of_workflows_finds(tmp_path: Path) -> None:
    """Permissions, pins, credentials that persist, values that could be code."""
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    file = tmp_path / ".github" / "workflows" / "estate.yml"
    file.write_text((CI / "github-actions.yml").read_text())
    words = ["--offline", "--no-progress", "--persona", "auditor"]
    done = subprocess.run([BIN / "zizmor", *words, file], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", JOBS)
def test_a_job_knows_no_secret_and_its_actions_cannot_change(name: str) -> None:
    text = (CI / f"{name}.yml").read_text()
    assert not re.search(r"secrets\.|AWS_|AZURE_|GOOGLE_|id-token|token", text)
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", action)
