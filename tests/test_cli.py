"""The commands as a person or a CI job meets them: what they print, and how they end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlestate.local.session import Session
from tests.conftest import ROOT
from tests.drivers import Embedded, store

MLESTATE = str(Path(sys.executable).with_name("mlestate"))
MINIMAL = ROOT / "examples" / "aws-minimal.yaml"


def mlestate(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MLESTATE, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def begun(words: list[str], session: Session, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """A command that runs slowly, once it has created the first thing: one that waits for another takes seconds more,
    so that however busy the machine is, the command is then far from its end."""
    slow = {"create": {"*": {"slow": 0.2}, "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"slow": 5}}}
    running = subprocess.Popen(
        [MLESTATE, *words],
        cwd=ROOT,
        env={**os.environ, "MLESTATE_LOCAL_FAULTS": json.dumps(slow)},
        stdout=stdout,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (session.cloud.exists() and store(session).objects()):
        assert time.monotonic() < deadline, "nothing was created in a minute"
        time.sleep(0.02)
    return running


def estate(folder: Path, text: str) -> Path:
    file = folder / "estate.yaml"
    file.write_text(text)
    return file


class TestValidate:
    def test_a_valid_file_is_said_to_be_valid(self) -> None:
        done = mlestate("validate", MINIMAL)
        assert done.returncode == 0, done.stderr
        assert "acme on aws, production, 1 model" in done.stdout

    def test_every_mistake_is_reported_at_once_with_its_line(self, tmp_path: Path) -> None:
        file = estate(tmp_path, MINIMAL.read_text().replace("region:", "regoin:").replace("classification", "clasify"))
        done = mlestate("validate", file)
        assert done.returncode == 2
        assert f"{file}:5:1" in done.stderr, "a person must find the line"
        assert "did you mean 'region'" in done.stderr
        assert f"{file}:7:" in done.stderr, "the second mistake is told in the same run"
        assert "Traceback" not in done.stderr

    def test_ci_reads_the_mistakes_as_json(self, tmp_path: Path) -> None:
        file = estate(tmp_path, MINIMAL.read_text().replace("classification", "clasify"))
        done = mlestate("validate", file, "--json")
        assert done.returncode == 2
        (problem,) = json.loads(done.stdout)["problems"]
        assert (problem["line"], problem["path"]) == (7, "models.churn.problem")

    def test_it_needs_neither_pulumi_nor_a_cloud_s_sdk(self) -> None:
        code = (
            "import sys; sys.argv = ['mlestate', 'validate', 'examples/aws-minimal.yaml']\n"
            "from mlestate.cli import main\n"
            "try: main()\n"
            "except SystemExit as done: assert not done.code, done.code\n"
            "assert not [name for name in sys.modules if name.startswith('pulumi')]"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


class TestBadInput:
    """One clear message each, exit 2, nothing created."""

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["validate", "no-such.yaml"], "no-such.yaml"),
            (["validate", "examples"], "examples"),
            (["plan", "no-such.yaml"], "no-such.yaml"),
            (["plan", MINIMAL, "--against", "README.md"], "cannot be read as an exported state"),
            (["plan", MINIMAL, "--against", "no-such.json"], "no-such.json"),
            (["plan", MINIMAL, "--export", "no/such/folder/state.json"], "cannot be written"),
            (["plan", MINIMAL, "--scope", "qa"], "hub, production"),
            (["local", "up", MINIMAL, "--engine", "terraform", "--yes"], "auto, embedded, pulumi"),
            (["local", "up", MINIMAL, "--engine", "embedded"], "--yes"),
            (["local", "preview", "no-such.yaml"], "no-such.yaml"),
        ],
        ids=lambda value: " ".join(map(str, value)).replace(str(ROOT) + "/", "") if isinstance(value, list) else "",
    )
    def test_bad_input_is_told_in_a_sentence(self, arguments: list[str], says: str, tmp_path: Path) -> None:
        state = ["--state", str(tmp_path / "state")] if arguments[0] == "local" else []
        done = mlestate(*arguments, *state)
        assert done.returncode == 2, done.stdout + done.stderr
        assert says in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "state").exists(), "nothing may be created for bad input"

    def test_the_cli_is_asked_for_where_it_is_missing(self, tmp_path: Path) -> None:
        done = mlestate(
            *("local", "up", MINIMAL, "--engine", "pulumi", "--yes", "--state", tmp_path / "state"),
            PATH="/usr/bin:/bin",
        )
        assert done.returncode == 2
        assert "--engine embedded" in done.stderr
        assert not (tmp_path / "state").exists()

    def test_a_missing_extra_is_named_with_its_command(self, tmp_path: Path) -> None:
        code = (
            "import sys; sys.modules['pulumi_gcp'] = None\n"
            f"sys.argv = ['mlestate', 'plan', {str(ROOT / 'examples' / 'gcp-minimal.yaml')!r}]\n"
            "from mlestate.cli import main; main()"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert "pip install 'mlestate[gcp]'" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_folder_that_another_run_holds_is_refused(self, tmp_path: Path) -> None:
        session = Session.of(MINIMAL, tmp_path)
        with session.state().session():
            done = mlestate("local", "up", MINIMAL, "--engine", "embedded", "--yes", "--state", tmp_path)
        assert done.returncode == 2, done.stdout
        assert "in use by another run" in done.stderr
        assert store(session).objects() == [], "nothing may be created"


class TestPlan:
    def test_a_plan_shows_the_parts_and_creates_nothing(self, tmp_path: Path) -> None:
        done = mlestate("plan", MINIMAL, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Nothing was created." in done.stdout
        assert "aws Data" in done.stdout
        assert list(tmp_path.iterdir()) == []

    def test_a_plan_says_which_model_nothing_serves_yet(self, tmp_path: Path) -> None:
        served = "{problem: classification, serving: {mode: serverless, initial_version: 1}}"
        models = MINIMAL.read_text().replace("{problem: classification}", served)
        waiting = "  fraud: {problem: classification, serving: {mode: serverless}}\n"
        done = mlestate("plan", estate(tmp_path, models + waiting))
        assert "production: nothing serves fraud yet" in done.stdout
        assert "nothing serves churn" not in done.stdout, "it has an approved version to start with"

    def test_one_slice_of_an_estate_in_several_accounts_is_planned(self, tmp_path: Path) -> None:
        apart = 'account: "111111111111"\nenvironments: {production: {account: "222222222222"}}\n'
        file = estate(tmp_path, MINIMAL.read_text() + apart)
        done = mlestate("plan", file, "--scope", "production")
        assert done.returncode == 0, done.stderr
        assert "stands in" not in done.stdout, "every account is in the file"
        assert mlestate("plan", file).returncode == 2, "one stack cannot reach both accounts without a deploy role"

    def test_an_export_reads_as_a_pulumi_checkpoint(self, tmp_path: Path) -> None:
        done = mlestate("plan", MINIMAL, "--export", tmp_path / "state.json")
        assert done.returncode == 0, done.stderr
        checkpoint = json.loads((tmp_path / "state.json").read_text())
        bucket = next(
            row for row in checkpoint["deployment"]["resources"] if row["type"] == "aws:s3/bucketPolicy:BucketPolicy"
        )
        assert {"urn", "type", "custom", "id", "parent", "inputs", "outputs", "dependencies"} <= bucket.keys()
        assert bucket["propertyDependencies"]["bucket"], "which resource a property came from"

    def test_a_plan_against_its_own_export_is_empty_and_against_an_edit_is_not(self, tmp_path: Path) -> None:
        state = tmp_path / "state.json"
        assert mlestate("plan", MINIMAL, "--export", state).returncode == 0
        same = json.loads(mlestate("plan", MINIMAL, "--against", state, "--json").stdout)
        assert set(same["changes"]) == {"same"}, same["operations"]
        file = estate(tmp_path, MINIMAL.read_text() + "  extra: {problem: regression}\n")
        more = json.loads(mlestate("plan", file, "--against", state, "--json").stdout)
        made = [each["urn"] for each in more["operations"] if each["op"] == "create"]
        assert made
        assert all("extra" in urn for urn in made), made
        assert {each["op"] for each in more["operations"]} <= {"create", "update"}, "nothing may go for a new model"


class TestLocal:
    def test_an_estate_comes_up_again_without_a_change_and_goes_away(self, tmp_path: Path) -> None:
        words = ("--engine", "embedded", "--yes", "--state", tmp_path)
        first = mlestate("local", "up", MINIMAL, *words)
        assert first.returncode == 0, first.stdout + first.stderr
        assert first.stdout.splitlines()[0].startswith("up of"), "the first line says which engine runs"
        assert "embedded engine" in first.stdout
        assert "created" in first.stdout
        again = mlestate("local", "up", MINIMAL, *words)
        assert again.returncode == 0
        assert "created" not in again.stdout
        assert "unchanged" in again.stdout
        exported = json.loads(mlestate("local", "export", MINIMAL, "--state", tmp_path).stdout)
        assert exported["version"] == 3
        assert mlestate("local", "destroy", MINIMAL, *words).returncode == 0
        assert store(Session.of(MINIMAL, tmp_path)).objects() == []

    def test_two_estates_never_share_a_folder(self, tmp_path: Path) -> None:
        words = ("--engine", "embedded", "--yes", "--state", tmp_path / "state")
        assert mlestate("local", "up", MINIMAL, *words).returncode == 0
        other = estate(tmp_path, MINIMAL.read_text().replace("name: acme", "name: other"))
        done = mlestate("local", "up", other, *words)
        assert done.returncode == 2
        assert "holds the state of the estate acme" in done.stderr
        assert mlestate("local", "up", MINIMAL, *words).stdout.count("created") == 0, "the first estate is untouched"

    def test_a_protected_environment_taken_out_of_the_file_loses_nothing(self, tmp_path: Path) -> None:
        """Pulumi's command previews first, also with --yes, and a preview refuses to delete what is protected."""
        words = ("--engine", "embedded", "--yes", "--state", tmp_path / "state")
        frame = "version: 1\nname: acme\ncloud: aws\nregion: ca-central-1\n"
        both = estate(tmp_path, frame + "environments: {staging: {}, production: {protect: true}}\n")
        assert mlestate("local", "up", both, *words).returncode == 0
        one = estate(tmp_path, frame + "environments: {staging: {}}\n")
        done = mlestate("local", "up", one, *words)
        assert done.returncode == 1
        assert "because it is protected" in done.stdout + done.stderr
        both = estate(tmp_path, frame + "environments: {staging: {}, production: {protect: true}}\n")
        assert "created" not in mlestate("local", "up", both, *words).stdout, "its roles and alarms are still there"

    def test_a_summary_repeats_what_failed(self, tmp_path: Path) -> None:
        fault = {"create": {"aws:ecr/repository:Repository": {"fail": "LimitExceededException: no more"}}}
        words = ("local", "up", MINIMAL, "--engine", "embedded", "--yes", "--state", tmp_path)
        done = mlestate(*words, MLESTATE_LOCAL_FAULTS=json.dumps(fault))
        assert done.returncode == 1
        assert "1 failed" in done.stdout
        assert done.stdout.rstrip().splitlines()[-1].startswith("failed: acme-hub-registry-churn: "), done.stdout

    def test_a_command_that_is_interrupted_says_how_to_go_on(self, tmp_path: Path) -> None:
        words = ["local", "up", str(MINIMAL), "--engine", "embedded", "--yes", "--state", str(tmp_path)]
        running = begun(words, Session.of(MINIMAL, tmp_path), stdout=subprocess.PIPE)
        running.send_signal(signal.SIGINT)
        said = running.communicate()[0].decode()
        assert running.returncode == 130
        assert "run the same command again" in said
        assert mlestate(*words).returncode == 0

    @pytest.mark.parametrize("note", ["rubbish", "[]", '{"estate": "acme", "engine": "terraform"}'])
    def test_a_note_that_cannot_be_read_is_named(self, note: str, tmp_path: Path) -> None:
        (tmp_path / "local.run").write_text(note)
        done = mlestate("local", "up", MINIMAL, "--engine", "embedded", "--yes", "--state", tmp_path)
        assert done.returncode == 2
        assert "local.run cannot be read" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_preview_leaves_no_state_to_export(self, tmp_path: Path) -> None:
        assert mlestate("local", "preview", MINIMAL, "--engine", "embedded", "--state", tmp_path).returncode == 0
        done = mlestate("local", "export", MINIMAL, "--state", tmp_path)
        assert done.returncode == 2
        assert "bring it up first" in done.stderr

    @pytest.mark.parametrize("after", [0.0, 0.15, 0.4, 0.9])
    def test_an_up_that_was_killed_is_finished_by_the_next(self, after: float, tmp_path: Path) -> None:
        """Program, provider and engine are one process here; it dies at some moment after the first creation."""
        words = ["local", "up", str(MINIMAL), "--engine", "embedded", "--yes", "--state", str(tmp_path)]
        session = Session.of(MINIMAL, tmp_path)
        running = begun(words, session)
        time.sleep(after)
        running.send_signal(signal.SIGKILL)
        running.wait()
        done = mlestate(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        driver = Embedded(session)
        rows = driver.export()["deployment"]["resources"]
        known = sorted(row["id"] for row in rows if row.get("custom") and not row["type"].startswith("pulumi:"))
        assert sorted(each.id for each in store(session).objects()) == known, "nothing lost, nothing doubled"
        assert driver.run("up").operations == set()
