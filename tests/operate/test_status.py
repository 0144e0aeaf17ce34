"""`mlestate status`: what an environment's ledger, its approvals and the registry say, against moto.

Not proved here: that the machines write so (test_with_machines.py has them write).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.sagemaker.responses import SageMakerResponse
from moto.stepfunctions.responses import StepFunctionResponse

from mlestate.release import OUTCOMES, PHASES, STAGES

from .conftest import ACCOUNT, BUCKET, ESTATE, OTHER, Command, Estate, client, release


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


def waits(estate: Estate, version: int, started: str) -> None:
    """A release of a version ended because people have to agree."""
    ending = release(version, started, ended=started, outcome="waiting-for-approval", reason="Needs 2.")
    estate.write("production", f"release/{version:06}/{started}", ending)


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
        assert found["waits_for"] == ["15 min of watching at each step to end, then shifting"]
        done = run("status", "churn", "--environment", "production")
        assert "version 7, comparing since" in done.out
        assert "(10 min ago), canary: " + PHASES["comparing"] in done.out

    def test_watching_says_until_about_when(self, run: Command, engineer: Estate) -> None:
        running(engineer, phase="baking", since=at(minutes=5))
        found = production(run)
        until = (datetime.fromisoformat(found["release"]["since"]) + timedelta(minutes=15)).strftime(
            "%Y-%m-%d %H:%M UTC"
        )
        assert found["waits_for"] == [f"15 min of watching to end, about {until}, then promoting"]

    def test_every_phase_has_a_word_for_what_comes_next(self, run: Command, engineer: Estate) -> None:
        execution, started = engineer.begin("production-release"), at(minutes=20)
        engineer.write("production", "lock", {}, execution=execution, version="7", at=started)
        phases = [each for stage in STAGES for each in stage.phases]
        assert sorted(phases) == sorted(PHASES), "each phase belongs to a stage"
        for phase, following in zip(phases, [*phases[1:], None], strict=True):
            document = {**release(7, started, execution=execution), "phase": phase}
            engineer.write("production", f"release/000007/{started}", document)
            (wait,) = production(run)["waits_for"]
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
        assert "has ended without a word" in found["waits_for"][0]
        assert "mlestate promote" in found["waits_for"][0], "a person must know how it goes on"

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
        ((asked,), (wait,)) = found["approvals"], found["waits_for"]
        assert (asked["version"], asked["needed"]) == (7, 2)
        assert [each["person"] for each in asked["given"]] == ["ana@risk.example"]
        assert wait.startswith("the approval of 2 for version 7, 1 gave it: ana@risk.example.")
        assert "churn 7 --environment production --reason" in wait
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
        assert production(run)["waits_for"] == ["Write it."]

    @pytest.mark.parametrize(("number", "outcome"), [(8, "refused"), (8, "rolled-back"), (5, "released")])
    def test_a_version_waits_however_others_ended_since(
        self, run: Command, engineer: Estate, number: int, outcome: str
    ) -> None:
        released(engineer)
        waits(engineer, 7, at(hours=2))
        engineer.write(
            "production",
            f"release/{number:06}/{at(hours=1)}",
            release(number, at(hours=1), ended=at(hours=1), outcome=outcome, reason="It ended."),
        )
        engineer.write(
            "production",
            f"rollback/{at(minutes=5)}",
            {
                "version": 8,
                "started": at(minutes=5),
                "ended": at(minutes=5),
                "outcome": "rolled-back",
                "reason": "Back.",
            },
        )
        engineer.sign("ana@risk.example", 7)
        engineer.sign("ben@risk.example", 8)
        found = production(run)
        (wait,) = found["waits_for"]
        assert wait.startswith("the approval of 2 for version 7, 1 gave it: ana@risk.example.")
        assert [each["version"] for each in found["approvals"]] == [7, 6], "what waits and what is in use, nothing else"
        assert found["metrics"]["challenger"] == 7

    def test_all_that_wait_are_there_and_the_newest_is_first(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        waits(engineer, 7, at(hours=2))
        waits(engineer, 8, at(hours=1))
        found = production(run)
        assert [each.partition(",")[0] for each in found["waits_for"]] == [
            "the approval of 2 for version 8",
            "the approval of 2 for version 7",
        ]
        text = run("status", "churn", "--environment", "production").text
        assert "churn 7 --environment" in text
        assert "churn 8 --environment" in text

    def test_a_version_waits_beside_a_release_that_runs(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        waits(engineer, 8, at(hours=2))
        running(engineer)
        first, second = production(run)["waits_for"]
        assert "of watching" in first
        assert second.startswith("the approval of 2 for version 8")

    def test_a_version_that_ended_after_it_waited_waits_no_longer(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        waits(engineer, 7, at(hours=2))
        ending = release(7, at(hours=1), ended=at(hours=1), outcome="rejected", reason="Rejected.")
        engineer.write("production", f"release/000007/{at(hours=1)}", ending)
        found = production(run)
        assert found["waits_for"] == []
        assert [each["version"] for each in found["approvals"]] == [6]

    def test_a_version_that_was_overtaken_waits_only_where_it_was_asked_for_since(
        self, run: Command, engineer: Estate
    ) -> None:
        """A release that starts by itself refuses what is older than what is in use; a person may ask for it."""
        released(engineer)
        waits(engineer, 5, at(days=5))
        assert production(run)["waits_for"] == []
        waits(engineer, 5, at(days=1))
        assert production(run)["waits_for"][0].startswith("the approval of 2 for version 5")

    def test_what_was_measured_of_a_version_is_told(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        measured = {"requests": 120_400, "error_rate": 0.0021, "p95_latency_ms": 118.4, "p99_latency_ms": None}
        running(engineer, measured=measured)
        assert production(run)["watched"] == {"version": 7, "measured": measured, "comparison": None}
        out = " ".join(run("status", "churn", "--environment", "production").out.split())
        assert "measured version 7: requests 120400, error rate 0.0021, p95 118.4 ms │" in out, out

    def test_how_a_version_compared_is_told_with_its_intervals(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        report = {
            "verdict": "undecided",
            "reason": "roc_auc cannot tell them apart.",
            "metric": "roc_auc",
            "champion": {"requests": 900, "labelled": 700, "metric": 0.851, "interval": [0.83, 0.872]},
            "challenger": {"requests": 880, "labelled": 690, "metric": None, "interval": None},
            "improvement": {"metric": -0.002, "interval": [-0.03, 0.026]},
        }
        ending = release(7, at(hours=1), ended=at(hours=1), outcome="undecided", reason="Not told.", comparison=report)
        engineer.write("production", f"release/000007/{at(hours=1)}", ending)
        assert production(run)["watched"]["comparison"] == report
        out = run("status", "churn", "--environment", "production").out
        for said in (
            "version 7: roc_auc cannot tell them apart.",
            "champion 0.851 (0.83 to 0.872), of 900 requests",
            "improvement -0.002 (-0.03 to 0.026)",
        ):
            assert said in out
        assert "challenger" not in out.partition("compared")[2].partition("improvement")[0], "a number that is none"

    def test_where_nothing_was_watched_nothing_is_said_of_it(self, run: Command, engineer: Estate) -> None:
        released(engineer)
        assert production(run)["watched"] is None
        assert "measured" not in run("status", "churn", "--environment", "production").out

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

    def test_one_that_waits_is_not_hidden_behind_those_that_came_later(self, run: Command, engineer: Estate) -> None:
        for _ in range(120):
            engineer.register("Approved")
        more = [engineer.register() for _ in range(101)]
        registry = run("status", "churn", "--json").document["models"]["churn"]["registry"]
        assert registry["newest"]["version"] == more[-1]
        assert [each["version"] for each in registry["waiting"]] == [*reversed(more), 7], "the registry lists a hundred"

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
        assert "the ml-engineer, operator, approver or auditor of staging may" in environments["staging"]["unknown"]
        assert (
            "the role arn:aws:iam::222222222222:role/mlestate/risk/risk-staging-ml-engineer"
            in (environments["staging"]["unknown"])
        )

    @pytest.mark.parametrize("persona", ["ml-engineer", "operator", "approver", "auditor"])
    def test_who_asks_is_told_the_role_of_their_own_persona(self, run: Command, estate: Estate, persona: str) -> None:
        estate.sign_in(f"risk-production-{persona}", "x@risk.example")
        text = ESTATE.replace("staging: {}", f'staging: {{account: "{OTHER}"}}')
        found = run("status", "churn", "--json", text=text).document["elsewhere"]
        assert list(found) == ["staging"]
        assert f"AWS_PROFILE=risk-staging-{persona}" in found["staging"]

    def test_a_slice_elsewhere_is_told_once_however_many_models_there_are(self, run: Command, engineer: Estate) -> None:
        text = ESTATE.replace("staging: {}", f'staging: {{account: "{OTHER}"}}')
        text += "  fraud: {problem: classification, serving: {mode: realtime}}\n"
        out = run("status", text=text).out
        assert out.count("and staging of risk lies in account") == 1
        assert out.count("it lies in another account, as said above") == 2, "once in each panel of a model that serves"

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
        assert "of staging may: take the role" in done.text
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
