"""`mlestate promote` and `rollback` against moto, whose machines are started and run nothing here.

Not proved here: what the machines then do (tests/aws has their scenarios).
"""

import pytest
from moto.sagemaker.responses import SageMakerResponse
from moto.stepfunctions.responses import StepFunctionResponse

from .conftest import ACCOUNT, OTHER, REGION, Command, Estate, client, release

LIVE = {"version": 7, "configuration": "risk-production-churn-v7-1a2b3c4d", "since": "2026-11-20T10:00:00.000Z"}
BEFORE = {"version": 6, "configuration": "risk-production-churn-v6-9f8e7d6c", "until": "2026-11-20T10:00:00.000Z"}
PROMOTE = ("churn", "8", "--environment", "production")
BACK = ("churn", "--environment", "production", "--reason", "complaints")
RELEASE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-production-release"


@pytest.fixture
def engineer(estate: Estate) -> Estate:
    estate.register("Approved", **{"passed-staging": "2026-11-24T10:00:00Z"})
    estate.sign_in("risk-production-approver", "ana@risk.example")
    return estate


@pytest.fixture
def operator(estate: Estate) -> Estate:
    estate.sign_in("risk-production-operator", "oncall@risk.example")
    return estate


class TestPromote:
    def test_it_starts_the_release_as_a_person(self, run: Command, engineer: Estate) -> None:
        done = run("promote", *PROMOTE, "--yes", "--reason", "once more")
        assert done.code == 0, done
        assert engineer.started("production-release") == [
            {"cause": "person", "model": "churn", "version": 8, "by": "ana@risk.example", "reason": "once more"}
        ]

    def test_without_a_reason_none_is_handed_on(self, run: Command, engineer: Estate) -> None:
        run("promote", *PROMOTE, "--yes")
        assert "reason" not in engineer.started("production-release")[0]

    def test_what_approvals_are_missing_is_said_beforehand(self, run: Command, engineer: Estate) -> None:
        engineer.sign("ben@risk.example", 8)
        done = run("promote", *PROMOTE, "--dry-run")
        assert "production asks for the approval of 2 and 1 gave it" in done.out
        engineer.sign("cy@risk.example", 8)
        assert "asks for the approval" not in run("promote", *PROMOTE, "--dry-run").out

    def test_a_dry_run_starts_nothing_and_names_the_machine(self, run: Command, engineer: Estate) -> None:
        document = run("promote", *PROMOTE, "--dry-run", "--json").document
        assert (document["calls"][0]["call"], document["calls"][0]["on"]) == ("stepfunctions:StartExecution", RELEASE)
        assert engineer.started("production-release") == []

    def test_a_version_that_nobody_approved_is_not_released(self, run: Command, engineer: Estate) -> None:
        done = run("promote", "churn", "7", "--environment", "staging", "--yes")
        assert (done.code, engineer.started("staging-release")) == (1, [])
        assert "comes to no environment before it is approved" in done.said

    def test_a_machine_that_nobody_may_look_at_is_started_all_the_same(self, run: Command, engineer: Estate) -> None:
        """An approver may start the release and not describe it."""
        engineer.deny(StepFunctionResponse, "describe_state_machine")
        done = run("promote", *PROMOTE, "--yes")
        assert done.code == 0, done
        assert f"Whether {RELEASE} is there was not checked" in done.out
        assert len(engineer.started("production-release")) == 1

    @pytest.mark.parametrize(
        ("environment", "persona"),
        [("staging", "ml-engineer or approver of staging"), ("production", "approver of production")],
    )
    def test_who_may_start_it_depends_on_the_environment(
        self, run: Command, engineer: Estate, environment: str, persona: str
    ) -> None:
        engineer.deny(StepFunctionResponse, "start_execution")
        engineer.sign_in("somebody", "x@risk.example")
        done = run("promote", "churn", "8", "--environment", environment, "--yes")
        assert done.code == 1
        assert f"the {persona} may" in done.said, "a protected environment is closed to engineers"

    def test_a_model_that_answers_nobody_has_nothing_to_release(self, run: Command, engineer: Estate) -> None:
        done = run("promote", "offline", "1", "--environment", "production", "--yes")
        assert done.code == 2
        assert "so there is nothing to release there" in done.said


class TestRollback:
    def test_it_starts_the_machine_that_goes_back(self, run: Command, operator: Estate) -> None:
        operator.write("production", "live", LIVE | {"previous": BEFORE})
        done = run("rollback", *BACK, "--yes")
        assert done.code == 0, done
        assert operator.started("production-rollback") == [
            {"cause": "person", "model": "churn", "by": "oncall@risk.example", "reason": "complaints"}
        ]
        assert "In use is churn/7; churn/6 gets its traffic" in done.out

    def test_a_release_that_runs_is_said_to_be_stopped(self, run: Command, operator: Estate) -> None:
        operator.write("production", "live", LIVE | {"previous": BEFORE})
        operator.write("production", "lock", {}, execution=operator.begin("production-release"), version="8")
        done = run("rollback", *BACK, "--dry-run")
        assert "A release of churn/8 is running: it is stopped, and churn/7 has all traffic again" in done.out

    def test_the_turn_of_a_release_that_died_says_nothing(self, run: Command, operator: Estate) -> None:
        operator.write("production", "live", LIVE | {"previous": BEFORE})
        gone = RELEASE.replace("stateMachine", "execution") + ":gone"
        operator.write("production", "lock", {}, execution=gone, version="8")
        assert "churn/6 gets its traffic" in run("rollback", *BACK, "--dry-run").out

    def test_of_a_first_version_it_says_that_none_is_before_it(self, run: Command, operator: Estate) -> None:
        """It is still started: an endpoint that someone changed by hand is put back to what was released last."""
        operator.write("production", "live", LIVE | {"previous": None})
        done = run("rollback", *BACK, "--yes")
        assert done.code == 0
        assert "churn/7 is the first version in production: there is none to go back to" in done.out

    def test_where_nothing_was_released_there_is_nothing_to_take_back(self, run: Command, operator: Estate) -> None:
        done = run("rollback", *BACK, "--yes")
        assert (done.code, operator.started("production-rollback")) == (1, [])
        assert "nothing of churn was released in production yet" in done.said

    def test_a_ledger_in_another_form_is_not_guessed_at(self, run: Command, operator: Estate) -> None:
        operator.write("production", "live", LIVE, schema="2")
        done = run("rollback", *BACK, "--yes")
        assert (done.code, operator.started("production-rollback")) == (1, [])
        assert "the ledger's entry churn live has schema 2, and this command knows 1" in done.said

    @pytest.mark.parametrize("document", ["{", "[]"])
    def test_a_ledger_without_a_document_is_one_sentence(self, run: Command, operator: Estate, document: str) -> None:
        operator.write("production", "live", document)
        done = run("rollback", *BACK, "--yes")
        assert (done.code, done.said.strip()) == (1, "rollback: the ledger's entry churn live holds no document")

    def test_an_environment_that_is_not_up_is_said_not_to_be(self, run: Command, operator: Estate) -> None:
        client("dynamodb").delete_table(TableName="risk-production-releases")
        done = run("rollback", *BACK, "--yes")
        assert done.code == 1
        assert "`pulumi up` has not made the ledger risk-production-releases yet" in done.said

    def test_credentials_of_another_account_are_told_who_takes_it_back(self, run: Command, operator: Estate) -> None:
        operator.sign_in("risk-production-operator", "oncall@risk.example", account=OTHER)
        done = run("rollback", *BACK, "--yes")
        assert done.code == 1
        assert f"these credentials are of account {OTHER}" in done.said
        assert "the operator or ml-engineer of production may" in done.said

    def test_a_model_that_answers_nobody_has_nothing_to_take_back(self, run: Command, operator: Estate) -> None:
        done = run("rollback", "offline", "--environment", "production", "--reason", "complaints", "--yes")
        assert done.code == 2
        assert "(serving.mode is none), so there is nothing to take back there" in done.said

    def test_the_registry_is_not_asked(self, run: Command, operator: Estate) -> None:
        """Who takes a release back in the night may see the ledger and nothing else."""
        operator.write("production", "live", LIVE | {"previous": BEFORE})
        operator.deny(SageMakerResponse, "describe_model_package")
        assert run("rollback", *BACK, "--yes").code == 0


def test_a_release_document_of_these_tests_is_what_the_machines_write() -> None:
    """The keys are compared with the machine's own source, so that these tests cannot drift from it."""
    from pathlib import Path

    from mlestate.aws import release_states, release_version

    written = "".join(Path(str(each.__file__)).read_text() for each in (release_states, release_version))
    for key in release(1, "2026-11-24T13:00:00.000Z"):
        assert f"'{key}'" in written, f"no release writes {key}"
