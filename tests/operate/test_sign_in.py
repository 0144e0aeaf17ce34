"""The commands without credentials, network, cloud or package: one sentence each, and never a traceback."""

from pathlib import Path
from typing import Any

import pytest
from moto.sts.exceptions import STSClientError
from moto.sts.responses import TokenResponse

from .conftest import ESTATE, Command, Estate


class TestWithout:
    def test_without_credentials_it_says_so(
        self, run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(key, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        done = run("status")
        assert done.code == 1
        assert "Unable to locate credentials; sign in (aws sso login) or name a profile" in done.said

    def test_a_profile_that_is_not_there_is_named(
        self, run: Command, credentials: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "risk-hub-approver")
        done = run("status", "--json")
        assert done.code == 1
        assert "(risk-hub-approver) could not be found" in done.document["refused"]

    def test_without_a_network_it_says_so(
        self, run: Command, credentials: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        done = run("status")
        assert done.code == 1
        assert "AWS could not be reached to ask who you are" in done.said

    @pytest.mark.parametrize(
        ("variable", "said"),
        [
            (
                "AWS_ENDPOINT_URL",
                "AWS could not be asked who you are: Invalid endpoint: notaurl; look at AWS_ENDPOINT_URL",
            ),
            ("AWS_ENDPOINT_URL_DYNAMODB", "dynamodb in ca-central-1 could not be asked: Invalid endpoint: notaurl"),
        ],
    )
    def test_an_endpoint_that_is_no_address_is_one_sentence(
        self, run: Command, estate: Estate, variable: str, said: str
    ) -> None:
        estate.patch.setenv(variable, "notaurl")
        done = run("rollback", "churn", "--environment", "production", "--reason", "complaints", "--yes")
        assert done.code == 1, done
        assert said in done.said

    def test_credentials_that_have_expired_say_so(self, run: Command, estate: Estate) -> None:
        def expired(self: Any) -> Any:
            raise STSClientError("ExpiredTokenException", "The security token included in the request is expired")

        estate.patch.setattr(TokenResponse, "get_caller_identity", expired)
        done = run("status")
        assert done.code == 1
        assert "the credentials are not valid: ExpiredTokenException" in done.said

    def test_something_between_that_answers_for_aws_is_one_sentence(self, run: Command, estate: Estate) -> None:
        """A proxy's page of HTML is no answer that boto3 can read."""

        def page(self: Any) -> Any:
            return "<html>sign in to the proxy"

        estate.patch.setattr(TokenResponse, "get_caller_identity", page)
        done = run("status")
        assert done.code == 1
        assert "AWS could not be reached to ask who you are: Unable to parse response" in done.said, done

    @pytest.mark.parametrize("cloud", ["gcp", "azure"])
    def test_on_another_cloud_it_is_not_there_yet(self, run: Command, cloud: str) -> None:
        from tests.conftest import ROOT

        text = (ROOT / "examples" / f"{cloud}-minimal.yaml").read_text()
        done = run("status", text=text)
        assert (done.code, done.said.strip()) == (
            2,
            f"on {cloud} these commands are not there yet; they are on aws",
        )

    def test_a_model_that_the_file_has_not_is_refused_with_those_it_has(self, run: Command) -> None:
        done = run("status", "fraud")
        assert done.code == 2
        assert "has no model 'fraud'; it has churn, offline" in done.said

    def test_a_missing_boto3_is_named_with_its_command(self, tmp_path: Path) -> None:
        import subprocess
        import sys

        file = tmp_path / "estate.yaml"
        file.write_text(ESTATE)
        code = (
            f"import sys; sys.modules['boto3'] = None\nsys.argv = ['mlestate', 'status', {str(file)!r}]\n"
            "from mlestate.cli import main; main()"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert "pip install 'mlestate[aws]'" in done.stderr
        assert "Traceback" not in done.stderr
