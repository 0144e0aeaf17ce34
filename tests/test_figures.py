"""`mlestate cost` and `mlestate doctor` as a person or a CI job meets them."""

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_cli import MINIMAL, estate, mlestate

GCP = ROOT / "examples" / "gcp-minimal.yaml"
SERVED = MINIMAL.read_text() + (
    "  priced: {problem: classification, owner: team@acme.example, "
    "serving: {mode: realtime, initial_version: 1, replicas: {min: 1, max: 2}}}\n"
)


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials anywhere."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class TestCost:
    def test_a_person_reads_what_each_model_costs(self, tmp_path: Path) -> None:
        done = mlestate("cost", estate(tmp_path, SERVED))
        assert done.returncode == 0, done.stderr
        line = next(each for each in done.stdout.splitlines() if "ml.m5.xlarge" in each)
        assert line.split() == ["acme-production", "Serving", "priced", "ml.m5.xlarge", "6.127", "12.254"]
        assert "List prices of" in done.stdout, "a figure without a date is worth nothing"

    def test_what_waits_for_a_first_version_is_said_to_be_missing(self, tmp_path: Path) -> None:
        later = SERVED.replace("initial_version: 1, ", "")
        assert later != SERVED
        said = " ".join(mlestate("cost", estate(tmp_path, later)).stdout.split())
        assert "Not in it: what answers for priced" in said, "a low figure would be a surprise when a version comes"
        assert "Not in it" not in mlestate("cost", estate(tmp_path, SERVED)).stdout

    def test_ci_reads_it_as_json_that_adds_up(self, tmp_path: Path) -> None:
        said = json.loads(mlestate("cost", estate(tmp_path, SERVED), "--json").stdout)
        assert said["idle"] == pytest.approx(sum(each["idle"] for each in said["charges"]), abs=0.01)
        assert said["unit"] == "USD a day"
        assert {each["model"] for each in said["charges"]} >= {"priced"}

    def test_one_slice_costs_what_is_in_it(self, tmp_path: Path) -> None:
        said = json.loads(mlestate("cost", estate(tmp_path, SERVED), "--scope", "hub", "--json").stdout)
        assert {each["slice"] for each in said["charges"]} == {"acme-hub"}

    def test_a_plan_says_in_one_line_what_it_costs_and_which_quotas_it_needs(self, tmp_path: Path) -> None:
        done = mlestate("plan", estate(tmp_path, SERVED))
        assert "a day idle" in done.stdout
        assert "4 ml.m5.xlarge for endpoint usage" in done.stdout, "two machines, twice during a release"

    def test_a_plan_on_a_cloud_without_prices_says_nothing_of_cost(self) -> None:
        done = mlestate("plan", GCP)
        assert done.returncode == 0
        assert "a day idle" not in done.stdout


class TestDoctor:
    def test_offline_it_shows_what_the_estate_needs(self, tmp_path: Path) -> None:
        done = mlestate("doctor", estate(tmp_path, SERVED), "--offline")
        assert "ml.m5.xlarge for endpoint usage" in done.stdout
        assert "not asked (--offline)" in done.stdout

    @pytest.mark.usefixtures("nobody")
    def test_without_credentials_it_ends_with_one_and_no_traceback(self, tmp_path: Path) -> None:
        done = mlestate("doctor", estate(tmp_path, SERVED))
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Unable to locate credentials" in done.stdout
        assert "Traceback" not in done.stderr

    @pytest.mark.usefixtures("nobody")
    def test_a_profile_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        done = mlestate("doctor", estate(tmp_path, SERVED), AWS_PROFILE="no-such-profile")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "no-such-profile" in done.stdout
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cost", "no-such.yaml"], "no-such.yaml"),
        (["cost", GCP], "no price table of gcp yet"),
        (["cost", MINIMAL, "--scope", "qa"], "hub, production"),
        (["doctor", "no-such.yaml", "--offline"], "no-such.yaml"),
        (["doctor", MINIMAL, "--scope", "qa", "--offline"], "hub, production"),
    ],
    ids=lambda value: " ".join(map(str, value)).replace(f"{ROOT}/", "") if isinstance(value, list) else "",
)
def test_bad_input_is_told_in_a_sentence(arguments: list[str], says: str) -> None:
    done = mlestate(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
