"""`mlestate status`: what an environment's ledger, its approvals, the registry and the trail say, against moto.

moto's CloudTrail looks nothing up: the operation is added here with answers in the shape of botocore's model. Not
proved here: that a real record spells its parameters so (tests/aws/trail_records.py has the sources).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.sagemaker.responses import SageMakerResponse
from moto.stepfunctions.responses import StepFunctionResponse
from moto.sts.exceptions import STSClientError
from moto.sts.responses import TokenResponse

from mlestate.release import OUTCOMES, PHASES, STAGES

from .conftest import ACCOUNT, BUCKET, ESTATE, OTHER, REGION, Command, Estate, client, release

NOW = datetime.now(UTC)


def at(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


LIVE = {
    "version": 6,
    "configuration": "risk-production-churn-v6-9f8e7d6c",
    "since": at(days=4),
    "approved_by": "ana@risk.example",
    "previous": {"version": 5, "until": at(days=4)},
}


@pytest.fixture
def engineer(estate: Estate) -> Estate:
    estate.sign_in("risk-production-ml-engineer", "mle2@risk.example")
    return estate


def released(estate: Estate) -> None:
    """Version 6 is in use in production."""
    estate.write("production", "live", LIVE)
    estate.write(
        "production",
        f"release/000006/{at(days=4)}",
        release(6, at(days=4), ended=at(days=4), outcome="released", reason="All well.", challenger={"roc_auc": 0.85}),
    )


def running(estate: Estate, **more: Any) -> None:
    """A release of version 7 has the turn."""
    execution = estate.begin("production-release")
    estate.write("production", "lock", {}, execution=execution, version="7", at=at(minutes=20))
    document = release(
        7,
        at(minutes=20),
        execution=execution,
        challenger={"roc_auc": 0.87},
        champion={"roc_auc": 0.851},
        **{"phase": "comparing", "since": at(minutes=10), **more},
    )
    estate.write("production", f"release/000007/{at(minutes=20)}", document)


def production(run: Command, *words: str, **how: Any) -> Mapping[str, Any]:
    done = run("status", "churn", "--environment", "production", "--json", *words, **how)
    found: Mapping[str, Any] = done.document["models"]["churn"]["environments"]["production"]
    return found


class TestStanding:
    def test_it_says_what_is_in_use_since_when_and_who_approved_it(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        done = run("status", "churn")
        assert done.code == 0, done
        for said in ("version 6 since", "(4 d ago), approved by ana@risk.example", "version 5, until", "released"):
            assert said in done.out
        assert production(run)["live"] == LIVE

    def test_a_running_release_says_where_it_is_and_what_comes_next(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        running(engineer)
        found = production(run)
        assert {key: found["release"][key] for key in ("version", "phase", "strategy", "running", "rollback")} == {
            "version": 7,
            "phase": "comparing",
            "strategy": "canary",
            "running": True,
            "rollback": False,
        }
        assert found["waits_for"] == "15 min of watching at each step to end, then shifting"
        done = run("status", "churn", "--environment", "production")
        assert "version 7, comparing since" in done.out
        assert "(10 min ago), canary: " + PHASES["comparing"] in done.out

    def test_watching_says_until_about_when(self, run: Command, engineer: Estate) -> None:
        running(engineer, phase="baking", since=at(minutes=5))
        found = production(run)
        until = (datetime.fromisoformat(found["release"]["since"]) + timedelta(minutes=15)).strftime(
            "%Y-%m-%d %H:%M UTC"
        )
        assert found["waits_for"] == f"15 min of watching to end, about {until}, then promoting"

    def test_every_phase_has_a_word_for_what_comes_next(self, run: Command, engineer: Estate) -> None:
        execution, started = engineer.begin("production-release"), at(minutes=20)
        engineer.write("production", "lock", {}, execution=execution, version="7", at=started)
        phases = [each for stage in STAGES for each in stage.phases]
        assert sorted(phases) == sorted(PHASES), "each phase belongs to a stage"
        for phase, following in zip(phases, [*phases[1:], None], strict=True):
            document = {**release(7, started, execution=execution), "phase": phase}
            engineer.write("production", f"release/000007/{started}", document)
            wait = production(run)["waits_for"]
            assert wait.endswith(f"to end, then {following}" if following else "to end") or "watching" in wait, wait

    def test_a_release_that_has_not_written_yet_is_there(self, run: Command, engineer: Estate) -> None:
        """It takes the turn before it writes its entry."""
        execution = engineer.begin("production-release")
        engineer.write("production", "lock", {}, execution=execution, version="0", at=at(minutes=1))
        found = production(run)["release"]
        assert (found["phase"], found["version"], found["running"]) == ("checking", None, True)
        assert "a version, checking since" in run("status", "churn", "--environment", "production").out

    def test_a_release_that_died_is_said_to_have(self, run: Command, engineer: Estate) -> None:
        running(engineer)
        execution = production(run)["release"]["execution"]
        client("stepfunctions").stop_execution(executionArn=execution)
        found = production(run)
        assert found["release"]["running"] is False
        assert "has ended without a word" in found["waits_for"]
        assert "mlestate promote" in found["waits_for"], "a person must know how it goes on"

    def test_a_rollback_that_runs_is_no_release(self, run: Command, engineer: Estate) -> None:
        execution = engineer.begin("production-rollback")
        engineer.write("production", "lock", {}, execution=execution, version="7", at=at(minutes=1))
        assert production(run)["release"]["rollback"] is True
        assert "a rollback of version 7, since" in run("status", "churn", "--environment", "production").out

    def test_the_numbers_of_both_versions_stand_beside_the_gates(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        running(engineer)
        metrics = production(run)["metrics"]
        assert (metrics["champion"], metrics["challenger"]) == (6, 7)
        assert metrics["numbers"] == [
            {"name": "roc_auc", "bound": "min", "limit": 0.8, "champion": 0.851, "challenger": 0.87}
        ], "the champion's number is the one on the same holdout"
        done = run("status", "churn", "--environment", "production")
        assert "version 6 (champion)" in done.out
        assert "version 7 (challenger)" in done.out

    def test_what_is_in_use_has_its_numbers_without_a_challenger(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        metrics = production(run)["metrics"]
        assert metrics["challenger"] is None
        assert metrics["numbers"] == [
            {"name": "roc_auc", "bound": "min", "limit": 0.8, "champion": 0.85, "challenger": None}
        ]

    def test_endings_come_newest_first_with_their_reasons(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        engineer.write(
            "production",
            f"release/000005/{at(days=1)}",
            release(5, at(days=1), ended=at(days=1), outcome="stopped", reason="Version 5 answers otherwise."),
        )
        engineer.write(
            "production",
            f"rollback/{at(hours=3)}",
            {"version": 7, "started": at(hours=3), "ended": at(hours=3), "outcome": "rolled-back", "reason": "Back."},
        )
        found = production(run)["outcomes"]
        assert [each["outcome"] for each in found] == ["rolled-back", "stopped", "released"], "by time, not by version"
        out = run("status", "churn", "--environment", "production").out
        assert "rollback, version 7 rolled-back" in out
        assert "Version 5 answers otherwise." in out

    def test_every_outcome_is_told_in_words_even_without_a_reason(self, run: Command, engineer: Estate) -> None:
        started = at(days=1)
        for outcome, means in OUTCOMES.items():
            ending = release(7, started, ended=started, outcome=outcome)
            engineer.write("production", f"release/000007/{started}", ending)
            (found,) = production(run)["outcomes"]
            assert (found["outcome"], found["means"]) == (outcome, means)

    def test_a_release_that_waits_for_people_says_who_agreed_and_the_command(
        self, run: Command, engineer: Estate
    ) -> None:
        ending = release(7, at(hours=1), ended=at(hours=1), outcome="waiting-for-approval", reason="Needs 2.")
        engineer.write("production", f"release/000007/{at(hours=1)}", ending)
        engineer.sign("ana@risk.example", 7)
        found = production(run)
        assert found["approvals"]["needed"] == 2
        assert [each["person"] for each in found["approvals"]["given"]] == ["ana@risk.example"]
        assert found["waits_for"].startswith("the approval of 2 for version 7, 1 gave it: ana@risk.example.")
        assert "churn 7 --environment production --reason" in found["waits_for"]
        numbers = {each["name"]: each for each in found["metrics"]["numbers"]}
        assert numbers["roc_auc"]["challenger"] == 0.87, "whoever has to agree wants to see the numbers"
        assert numbers["fairness.disparity"]["limit"] == 0.1
        assert "1 of 2 for version 7: ana@risk.example" in run("status", "churn").out

    def test_a_release_that_waits_is_shown_without_numbers_where_they_cannot_be_read(
        self, run: Command, engineer: Estate
    ) -> None:
        ending = release(7, at(hours=1), ended=at(hours=1), outcome="waiting-for-approval", reason="Needs 2.")
        engineer.write("production", f"release/000007/{at(hours=1)}", ending)
        client("s3").delete_object(Bucket=BUCKET, Key="churn/runs/1/evaluate/evaluation/evaluation.json")
        found = production(run)
        assert (found["metrics"]["numbers"], found["unknown"]) == ([], None)

    def test_what_waits_for_its_endpoint_says_what_makes_it(self, run: Command, engineer: Estate) -> None:
        ending = release(7, at(hours=1), ended=at(hours=1), outcome="waiting-for-endpoint", reason="Write it.")
        engineer.write("production", f"release/000007/{at(hours=1)}", ending)
        assert production(run)["waits_for"] == "Write it."

    def test_decisions_about_retraining_stand_with_their_reasons(self, run: Command, engineer: Estate) -> None:
        for hours, decision in ((3, "started"), (2, "refused")):
            engineer.write(
                "production",
                f"retraining/{at(hours=hours)}/x",
                {"decision": decision, "reason": f"it was {decision}", "trigger": "breach", "alarm": "a", "run": None},
                at=at(hours=hours),
            )
        assert [each["decision"] for each in production(run)["retraining"]] == ["refused", "started"]
        assert "(2 h ago), breach: it was refused" in run("status", "churn").out

    def test_a_ledger_longer_than_a_page_is_read_to_its_end(self, run: Command, engineer: Estate) -> None:
        """DynamoDB answers with a megabyte at most."""
        for version in range(1, 6):
            engineer.write(
                "production",
                f"release/00000{version}/{at(days=version)}",
                release(version, at(days=version), ended=at(days=version), outcome="stopped", reason="x" * 300_000),
            )
        assert [each["version"] for each in production(run)["outcomes"]] == [1, 2, 3, 4, 5]

    def test_a_model_that_nobody_serves_is_said_to_be_none(self, run: Command, engineer: Estate) -> None:
        done = run("status", "offline")
        assert done.code == 0
        assert "not served here (serving.mode is none)" in done.out


class TestRegistry:
    def test_a_version_that_waits_for_a_verdict_comes_with_the_command(self, run: Command, engineer: Estate) -> None:
        registry = run("status", "churn", "--json").document["models"]["churn"]["registry"]
        assert registry["newest"]["version"] == 7
        (waiting,) = registry["waiting"]
        assert waiting["command"].endswith("estate.yaml churn 7 --reason '...'")
        assert "a verdict on version 7: mlestate approve" in run("status", "churn").out

    def test_a_model_without_a_version_says_so(self, run: Command, engineer: Estate) -> None:
        assert "none is registered yet" in run("status", "offline").out


class TestUnknown:
    """What cannot be read is told in its place, and everything else is shown."""

    def test_a_slice_in_another_account_is_named_with_who_may(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        text = ESTATE.replace("staging: {}", f'staging: {{account: "{OTHER}"}}')
        done = run("status", "churn", "--json", text=text)
        assert done.code == 0, "what was asked could be read"
        environments = done.document["models"]["churn"]["environments"]
        assert environments["production"]["live"]["version"] == 6
        assert f"staging of risk lies in account {OTHER}" in environments["staging"]["unknown"]
        assert "ml-engineer of staging may" in environments["staging"]["unknown"]

    def test_an_estate_whose_file_names_no_account_lies_in_that_of_the_credentials(
        self, run: Command, engineer: Estate
    ) -> None:
        released(engineer)
        assert production(run, text=ESTATE.replace(f'account: "{ACCOUNT}"\n', ""))["live"] == LIVE

    def test_where_nothing_lies_in_the_account_it_has_failed(self, run: Command, engineer: Estate) -> None:
        engineer.sign_in("somebody", "x@risk.example", account=OTHER)
        done = run("status", "churn")
        assert done.code == 1
        assert f"these credentials are of account {OTHER}" in done.out
        assert "as nobody of its accounts" in done.out

    @pytest.mark.parametrize(
        ("response", "operation", "said"),
        [
            (DynamoHandler, "get_item", "may not dynamodb:GetItem on"),
            (SageMakerResponse, "list_model_packages", "may not sagemaker:ListModelPackages on"),
        ],
    )
    def test_what_is_another_s_to_see_is_told(
        self, run: Command, engineer: Estate, response: type, operation: str, said: str
    ) -> None:
        engineer.deny(response, operation)
        assert said in run("status", "churn").out

    def test_a_persona_that_sees_its_own_environment_alone_has_not_failed(self, run: Command, engineer: Estate) -> None:
        """A role is of one slice: to see all of an estate takes one role after another."""
        read = DynamoHandler.get_item

        def in_production(self: Any) -> Any:
            if "staging" in self.body["TableName"]:
                raise JsonRESTError("AccessDeniedException", "not yours")
            return read(self)

        engineer.patch.setattr(DynamoHandler, "get_item", in_production)
        done = run("status", "churn")
        assert done.code == 0, done
        assert "the ml-engineer of staging may" in done.out
        assert run("status", "churn", "--environment", "staging").code == 1, "nothing that was asked for was seen"

    def test_who_may_not_follow_a_run_is_told(self, run: Command, engineer: Estate) -> None:
        running(engineer)
        engineer.deny(StepFunctionResponse, "describe_execution")
        found = production(run)
        assert "may not states:DescribeExecution" in found["unknown"]

    def test_an_environment_that_is_not_up_is_said_not_to_be(self, run: Command, engineer: Estate) -> None:
        client("dynamodb").delete_table(TableName="risk-production-releases")
        done = run("status", "churn")
        assert done.code == 1, "what should be there and is not is a failure, whatever else was seen"
        assert "`pulumi up` has not made the ledger risk-production-releases yet" in done.out

    def test_an_entry_of_another_form_is_not_guessed_at(self, run: Command, engineer: Estate) -> None:
        engineer.write("production", f"release/000007/{at(days=1)}", {}, schema="7")
        assert "has schema 7, and this command knows 1" in production(run)["unknown"]

    def test_an_estate_without_models_says_so(self, run: Command, engineer: Estate) -> None:
        text = ESTATE.partition("models:")[0]
        done = run("status", text=text)
        assert done.code == 0, done
        assert "The file has no models yet." in done.out


RECORDS: list[tuple[str, dict[str, Any]]] = [
    (
        "UpdateModelPackage",
        {
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/risk-hub-approver/ana@risk.example",
                "sessionContext": {"sourceIdentity": "ana@risk.example"},
            },
            "requestParameters": {
                "modelPackageArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/risk-hub-churn/7",
                "modelApprovalStatus": "Approved",
                "approvalDescription": "read the report",
            },
            "sourceIPAddress": "192.0.2.7",
        },
    ),
    (
        "UpdateEndpoint",
        {
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/risk-production-release/x1",
            },
            "requestParameters": {
                "endpointName": "risk-production-churn",
                "endpointConfigName": "risk-production-churn-v7-1a2b3c4d",
            },
            "sourceIPAddress": "states.amazonaws.com",
        },
    ),
    (
        "StartExecution",
        {
            "userIdentity": {"type": "IAMUser", "userName": "root-ish"},
            "requestParameters": {
                "stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-production-rollback"
            },
            "sourceIPAddress": "192.0.2.9",
            "errorCode": "AccessDenied",
        },
    ),
    ("UpdateEndpoint", {"requestParameters": {"endpointName": "another-estate-churn"}, "userIdentity": {}}),
    ("UpdateEndpoint", {"requestParameters": None, "userIdentity": {}}),
]


class TestTrail:
    @pytest.fixture(autouse=True)
    def look_up(self, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """What was asked; each answer holds one event and says where the next one is."""
        asked: list[dict[str, Any]] = []

        def lookup_events(self: Any) -> str:
            wanted = json.loads(self.body)
            asked.append(wanted)
            (attribute,) = wanted["LookupAttributes"]
            events = [
                {"EventTime": (NOW - timedelta(hours=number)).timestamp(), "CloudTrailEvent": json.dumps(record)}
                for number, (name, record) in enumerate(RECORDS)
                if name == attribute["AttributeValue"]
            ]
            first = int(wanted.get("NextToken", 0))
            more = {"NextToken": str(first + 1)} if first + 1 < len(events) else {}
            return json.dumps({"Events": events[first : first + 1]} | more)

        monkeypatch.setattr(CloudTrailResponse, "lookup_events", lookup_events, raising=False)
        estate.sign_in("risk-production-auditor", "audit@risk.example")
        return asked

    def test_it_says_when_who_did_what_on_what_and_from_where(self, run: Command) -> None:
        trail = run("status", "--trail", "--json").document["trail"]
        assert [(each["who"], each["what"], each["on"], each["source"], each["refused"]) for each in trail] == [
            ("ana@risk.example", "UpdateModelPackage", "risk-hub-churn/7", "192.0.2.7", None),
            ("risk-production-release/x1", "UpdateEndpoint", "risk-production-churn", "states.amazonaws.com", None),
            ("root-ish", "StartExecution", "risk-production-rollback", "192.0.2.9", "AccessDenied"),
        ], "newest first, and nothing of another estate"
        assert trail[0]["details"] == "Approved, read the report"

    def test_a_person_reads_it_as_a_table(self, run: Command) -> None:
        out = run("status", "--trail").out
        assert "risk-hub-churn/7" in out
        assert "refused: AccessDenied" in out

    def test_without_asking_for_it_the_trail_is_left_alone(self, run: Command, look_up: list[Any]) -> None:
        assert "trail" not in run("status", "--json").document
        assert look_up == []

    def test_it_looks_as_far_back_as_it_is_told(self, run: Command, look_up: list[dict[str, Any]]) -> None:
        run("status", "--trail", "--days", "30")
        first = look_up[0]
        assert round(first["EndTime"] - first["StartTime"]) == 30 * 86_400

    def test_one_model_leaves_out_what_is_another_s(self, run: Command) -> None:
        trail = run("status", "offline", "--trail", "--json").document["trail"]
        assert [each["what"] for each in trail] == ["StartExecution"], "a machine is of all models"

    def test_who_may_not_read_it_is_told_who_may(self, run: Command, estate: Estate) -> None:
        estate.sign_in("risk-production-ml-engineer", "mle2@risk.example")
        estate.deny(CloudTrailResponse, "lookup_events")
        done = run("status", "--trail")
        assert done.code == 1
        assert "may not cloudtrail:LookupEvents" in done.out
        assert "the auditor of production may" in done.out


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


def test_a_session_is_shared_by_all_slices(run: Command, engineer: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever the credentials are is asked once, so that a page of status is about one person."""
    made = []
    session = boto3.Session

    def counted(*words: Any, **more: Any) -> Any:
        made.append(words)
        return session(*words, **more)

    monkeypatch.setattr(boto3, "Session", counted)
    run("status")
    assert len(made) == 1
