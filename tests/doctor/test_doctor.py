"""`mlestate doctor`: tools, and what an account says of itself, asked of moto.

moto answers neither for Service Quotas' lists nor for cost allocation tags; these two operations are added here with
answers in the shape of botocore's model. Not proved here: that a real account spells its quotas so.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from moto import mock_aws
from moto.ce.responses import CostExplorerResponse
from moto.core.exceptions import JsonRESTError
from moto.servicequotas.responses import ServiceQuotasResponse

import mlestate.doctor
from mlestate.doctor import doctor
from tests.conftest import ROOT

OURS = "123456789012"
"""The account of moto's credentials."""

ESTATE = f"""
version: 1
name: acme
cloud: aws
region: ca-central-1
account: "{OURS}"
environments: {{production: {{monthly_budget_usd: 100}}}}
models:
  churn: {{problem: classification, serving: {{mode: realtime, initial_version: 1, replicas: {{min: 1, max: 3}}}}}}
"""

Run = Callable[..., tuple[bool, dict[str, dict[str, Any]]]]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def account(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, float]]:
    """An account on moto whose SageMaker quotas and active cost tags a test may change."""
    has = {"ml.m5.xlarge for endpoint usage": 8.0, "Number of instances across active endpoints": 20.0}

    def list_service_quotas(self: Any) -> str:
        wanted = json.loads(self.body)
        names = sorted(has) if wanted["ServiceCode"] == "sagemaker" else []
        first = int(wanted.get("NextToken", 0))
        more = {"NextToken": str(first + 1)} if first + 1 < len(names) else {}
        return json.dumps(
            {"Quotas": [{"QuotaName": each, "Value": has[each]} for each in names[first : first + 1]]} | more
        )

    def list_cost_allocation_tags(self: Any) -> str:
        wanted = json.loads(self.body)["TagKeys"]
        active = [] if "no tags" in has else wanted
        return json.dumps({"CostAllocationTags": [{"TagKey": each, "Status": "Active"} for each in active]})

    monkeypatch.setattr(ServiceQuotasResponse, "list_service_quotas", list_service_quotas, raising=False)
    monkeypatch.setattr(CostExplorerResponse, "list_cost_allocation_tags", list_cost_allocation_tags, raising=False)
    with mock_aws():
        yield has


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run doctor on an estate's text: whether nothing failed, and each check by its name without the account."""

    def checks(text: str = ESTATE, scope: str | None = None, *, offline: bool = False) -> Any:
        file = tmp_path / "estate.yaml"
        file.write_text(text)
        passed = doctor(file, scope, as_json=True, offline=offline)
        printed = json.loads(capsys.readouterr().out)
        return passed, {each["check"].rpartition(": ")[2]: each for each in printed["checks"]} | {
            "needs": {each["quota"]: each for each in printed["needs"]}
        }

    return checks


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A Pulumi CLI on PATH that says the version that a test asks for."""
    said = getattr(request, "param", "v3.999.0")
    folder = tmp_path / "bin"
    folder.mkdir()
    cli = folder / "pulumi"
    cli.write_text(f"#!/bin/sh\necho {said}\n")
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


class TestAccount:
    def test_an_account_with_room_passes(self, run: Run, account: dict[str, float]) -> None:
        boto3.client("iam").create_service_linked_role(AWSServiceName="sagemaker.application-autoscaling.amazonaws.com")
        passed, found = run()
        assert passed, found
        assert found["credentials"]["said"].startswith(f"arn:aws:sts::{OURS}")
        assert found["region"]["said"] == "ca-central-1 is enabled"
        assert found["ml.m5.xlarge for endpoint usage"]["said"] == "needs 6, has 8"
        assert found["Number of instances across active endpoints"]["state"] == "ok", "the list has a second page"
        assert found["trails"]["state"] == "ok"
        assert found["cost allocation tags"]["state"] == "ok"

    def test_too_small_a_quota_fails_with_what_to_do(self, run: Run, account: dict[str, float]) -> None:
        account["ml.m5.xlarge for endpoint usage"] = 4.0
        passed, found = run()
        assert not passed
        check = found["ml.m5.xlarge for endpoint usage"]
        assert (check["state"], check["said"]) == ("failed", "needs 6, has 4"), "three machines, twice for a release"
        assert "Service Quotas" in check["remedy"]

    def test_a_quota_that_is_not_listed_is_not_counted_as_passed(self, run: Run, account: dict[str, float]) -> None:
        del account["ml.m5.xlarge for endpoint usage"]
        passed, found = run()
        assert passed, "what cannot be known stops nobody"
        assert found["ml.m5.xlarge for endpoint usage"]["state"] == "unknown"

    def test_credentials_of_another_account_fail_and_nothing_else_is_asked_there(
        self, run: Run, account: dict[str, float]
    ) -> None:
        passed, found = run(ESTATE.replace(OURS, "999999999999"))
        assert not passed
        assert found["credentials"]["state"] == "failed"
        assert OURS in found["credentials"]["said"]
        assert "999999999999" in found["credentials"]["said"]
        assert found["service quotas"]["state"] == "unknown"

    def test_a_deploy_role_is_taken_to_look_into_the_other_account(self, run: Run, account: dict[str, float]) -> None:
        other = "222222222222"
        text = ESTATE.replace(
            "{monthly_budget_usd: 100}",
            f'{{account: "{other}", deploy_role: "arn:aws:iam::{other}:role/deployer"}}',
        )
        _, found = run(text, "production")
        assert found["credentials"]["state"] == "ok", found["credentials"]
        assert f"arn:aws:sts::{other}:assumed-role/deployer" in found["credentials"]["said"]

    def test_without_an_account_in_the_file_that_of_the_credentials_is_meant(
        self, run: Run, account: dict[str, float]
    ) -> None:
        passed, found = run(ESTATE.replace(f'account: "{OURS}"\n', ""))
        assert passed, found
        assert found["credentials"]["check"] == "the account of the credentials: credentials"

    def test_a_region_that_is_not_enabled_fails(self, run: Run, account: dict[str, float]) -> None:
        passed, found = run(ESTATE.replace("ca-central-1", "ca-west-1"))
        assert not passed
        assert found["region"]["said"] == "ca-west-1 is not-opted-in"
        assert "enable-region" in found["region"]["remedy"]

    def test_a_fifth_trail_of_others_leaves_no_room(self, run: Run, account: dict[str, float]) -> None:
        boto3.client("s3", "us-east-1").create_bucket(Bucket="trails")
        for number in range(5):
            boto3.client("cloudtrail", "ca-central-1").create_trail(Name=f"trail-{number}", S3BucketName="trails")
        passed, found = run()
        assert not passed
        assert found["trails"]["state"] == "failed"
        assert "5 of others" in found["trails"]["said"]

    def test_a_budget_whose_tags_nobody_activated_fails(self, run: Run, account: dict[str, float]) -> None:
        account["no tags"] = 1.0
        passed, found = run()
        assert not passed
        assert "estate and environment not active" in found["cost allocation tags"]["said"]

    def test_a_service_linked_role_that_is_missing_is_told_and_stops_nobody(
        self, run: Run, account: dict[str, float]
    ) -> None:
        passed, found = run()
        assert passed
        assert found["service-linked role"]["state"] == "unknown"
        assert "create-service-linked-role" in found["service-linked role"]["remedy"]


class TestWithout:
    def test_without_credentials_it_says_so_and_still_shows_what_is_needed(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(key, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        passed, found = run()
        assert not passed
        assert "Unable to locate credentials" in found["credentials"]["said"]
        assert "aws sso login" in found["credentials"]["remedy"]
        assert found["needs"]["ml.m5.xlarge for endpoint usage"]["needed"] == 6

    def test_without_a_network_it_says_so(self, run: Run, credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        passed, found = run()
        assert not passed
        assert "Could not connect" in found["credentials"]["said"]

    def test_offline_asks_nobody_and_fails_nothing(self, run: Run) -> None:
        passed, found = run(offline=True)
        assert passed
        assert found["accounts"]["state"] == "unknown"
        assert found["needs"]["ml.m5.xlarge for endpoint usage"]["account"] == OURS

    def test_a_refused_call_names_itself_and_the_other_checks_go_on(
        self, run: Run, account: dict[str, float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(self: Any) -> Any:
            raise JsonRESTError("AccessDeniedException", "not you")

        monkeypatch.setattr(ServiceQuotasResponse, "list_service_quotas", refused, raising=False)
        passed, found = run()
        assert found["service quotas"]["state"] == "unknown"
        assert "ListServiceQuotas was refused: AccessDeniedException" in found["service quotas"]["said"]
        assert found["trails"]["state"] == "ok"
        assert passed

    def test_a_cloud_that_cannot_be_asked_yet_is_said_to_be(self, run: Run) -> None:
        passed, found = run((ROOT / "examples" / "gcp-minimal.yaml").read_text())
        assert passed
        assert found["projects"]["said"] == "doctor cannot ask a project of gcp yet"
        assert mlestate.doctor.ACCOUNTS.keys() == {"aws"}


class TestTools:
    def test_a_pulumi_that_is_as_new_as_the_sdk_passes(self, run: Run) -> None:
        _, found = run(offline=True)
        assert found["Pulumi CLI"]["state"] == "ok"

    @pytest.mark.parametrize("tools", ["v3.1.0"], indirect=True)
    def test_a_pulumi_older_than_the_sdk_fails(self, run: Run) -> None:
        passed, found = run(offline=True)
        assert not passed
        assert "v3.1.0 is older than the SDK" in found["Pulumi CLI"]["said"]

    @pytest.mark.parametrize("tools", ["what-is-this"], indirect=True)
    def test_a_pulumi_that_says_no_version_is_not_counted_as_passed(self, run: Run) -> None:
        _, found = run(offline=True)
        assert found["Pulumi CLI"]["state"] == "unknown"

    def test_a_missing_pulumi_fails(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        passed, found = run(offline=True)
        assert not passed
        assert "not on PATH" in found["Pulumi CLI"]["said"]


def test_a_missing_boto3_is_named_with_its_command(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        f"sys.argv = ['mlestate', 'doctor', {str(ROOT / 'examples' / 'aws-minimal.yaml')!r}]\n"
        "from mlestate.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "pip install 'mlestate[aws]'" in done.stderr
    assert "--offline" in done.stderr
    assert "Traceback" not in done.stderr
