"""AWS: the machine that trains a model again, run in a simulated account.

Not proved here: that Step Functions, SageMaker and AWS Budgets name their errors as their guides say, and what IAM
allows (the access tests hold the role against the calls).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from mlestate.aws.retraining import Trained, definition, patterns
from mlestate.local.aws import states as states_language
from mlestate.names import Names

from .account import Account, Coverage, Execution
from .account.clock import START
from .conftest import Recorded, Rows, all_of, one
from .estates import MINIMAL

NAMES = Names("aws", "risk", "production", "ca-central-1", "123456789012")
GROUP = "risk-hub-churn"
PIPELINE = "risk-production-churn"
MACHINE = "risk-production-retraining"
ALARM, OTHER = "risk-production-churn-data-drift", "risk-production-churn-model-quality"
TABLE = "risk-production-releases"
SETTINGS = "/mlestate/risk/production/churn/release"
TRAINED = Trained(
    PIPELINE,
    f"arn:aws:sagemaker:ca-central-1:123456789012:model-package-group/{GROUP}",
    alarms=(ALARM, OTHER),
)
SCHEDULE, MANUAL = ({"model": "churn", "trigger": each} for each in ("schedule", "manual"))
BREACH = {"alarm": ALARM, "trigger": "breach"}


SERVICES = {
    "DescribeBudget": "budgets",
    "DescribeModelPackage": "sagemaker",
    "GetItem": "dynamodb",
    "GetMetricData": "cloudwatch",
    "GetParameter": "ssm",
    "ListModelPackages": "sagemaker",
    "ListPipelineExecutions": "sagemaker",
    "Publish": "sns",
    "PutItem": "dynamodb",
    "StartPipelineExecution": "sagemaker",
}
"""Every operation that the machine calls, and whose it is."""


class Retraining:
    """A simulated account with one model and the machine that trains it again."""

    def __init__(self, account: Account) -> None:
        self.account = account
        sagemaker, sns = account.client("sagemaker"), account.client("sns")
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        parameters = [{"Name": name, "Type": "String"} for name in ("ImageTag", "Trigger")]
        sagemaker.create_pipeline(
            PipelineName=PIPELINE,
            PipelineDefinition=json.dumps({"Parameters": parameters}),
            RoleArn="arn:aws:iam::123456789012:role/pipeline",
            ClientRequestToken="t" * 32,
        )
        for urgency in ("page", "notice"):
            sns.create_topic(Name=f"risk-production-{urgency}")
        keys = {"model": "HASH", "entry": "RANGE"}
        account.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        self.know(TRAINED)
        self.limit()

    def know(self, trained: Trained) -> None:
        """What the machine is made for."""
        states, text = self.account.client("stepfunctions"), definition(NAMES, {"churn": trained})
        if any(each["name"] == MACHINE for each in states.list_state_machines()["stateMachines"]):
            states.delete_state_machine(stateMachineArn=NAMES.arn("states", f"stateMachine:{MACHINE}"))
        self.account.machine(MACHINE, text)

    def ask(self, asked: Mapping[str, Any]) -> Execution:
        """Run the machine to its end."""
        arn = self.account.start(MACHINE, asked)
        self.account.run()
        return self.account.execution(arn)

    def refuse(
        self,
        operation: str,
        code: str,
        message: str,
        times: int = 1000,
        when: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> None:
        """Have AWS refuse calls of an operation."""
        self.account.refuse(SERVICES[operation], operation, code, message, times=times, when=when)

    def limit(self, **limits: Any) -> None:
        """What the estate's file says of automatic runs."""
        said = {"on_breach": "retrain", "cooldown_seconds": 86400, "max_per_week": 3, "min_new_rows": 0, **limits}
        self.say(json.dumps({"model": "churn", "retraining": said}))

    def say(self, settings: str) -> None:
        self.account.client("ssm").put_parameter(Name=SETTINGS, Type="String", Value=settings, Overwrite=True)

    def register(self, image: str | None, status: str = "Approved") -> None:
        self.account.client("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=status,
            CustomerMetadataProperties={"image-tag": image} if image else {},
        )

    def begin(self, status: str = "Executing") -> None:
        """A run that somebody started."""
        run = self.account.pipelines.begin(PIPELINE, {"ImageTag": "0", "Trigger": "manual"})
        run.status = status

    def end(self, status: str = "Succeeded") -> None:
        self.account.pipelines.end(self.account.pipelines.of(PIPELINE)[0], status)

    def later(self, **time: float) -> None:
        self.account.clock.advance(**time)

    def budget(self, limit: str, spent: float) -> None:
        self.account.client("budgets").create_budget(
            AccountId="123456789012",
            Budget={
                "BudgetName": "risk-production-monthly",
                "BudgetLimit": {"Amount": limit, "Unit": "USD"},
                "TimeUnit": "MONTHLY",
                "BudgetType": "COST",
            },
        )
        self.account.spend("risk-production-monthly", spent)

    def measured(self, name: str, values: Mapping[float, float]) -> None:
        """Numbers of the monitor, by hours ago."""
        of = {"Environment": "risk-production", "Model": "churn"}
        for hours, value in values.items():
            self.account.metrics.tell("mlestate", name, value, of, self.account.clock.now - timedelta(hours=hours))

    def runs(self) -> list[dict[str, str]]:
        """The parameters of the runs that the machine started, newest first."""
        return [each.parameters for each in self.account.pipelines.of(PIPELINE) if each.token]

    def entries(self) -> list[dict[str, Any]]:
        """The decisions in the ledger, oldest first."""
        found = [each for each in self.account.items(TABLE) if each["entry"] != "retraining"]
        return [each["document"] for each in sorted(found, key=lambda each: str(each["entry"]))]

    def decision(self) -> tuple[str, str]:
        newest = self.entries()[-1]
        return newest["decision"], newest["reason"]

    def told(self) -> list[tuple[str, str | None, str]]:
        """Urgency, subject and text of what people were told."""
        return [(each.topic.rpartition("-")[2], each.subject, each.text) for each in self.account.published()]

    def tokens(self) -> list[str]:
        """The tokens by which runs were asked for, the same as often as it was asked for again."""
        return [
            each.arguments["ClientRequestToken"]
            for each in self.account.calls
            if each.operation == "StartPipelineExecution"
        ]


@pytest.fixture
def churn() -> Iterator[Retraining]:
    with Account() as account:
        yield Retraining(account)


def test_a_run_takes_the_image_of_the_newest_approved_version(churn: Retraining) -> None:
    churn.register("1.0")
    churn.register("1.1")
    churn.register("2.0", "PendingManualApproval")
    done = churn.ask(SCHEDULE)
    assert done.status == "SUCCEEDED", done
    assert churn.runs() == [{"ImageTag": "1.1", "Trigger": "schedule"}], "code that nobody approved trains nothing"
    assert churn.decision() == ("started", "its schedule came due; it trains with the image 1.1")


def test_a_run_takes_the_image_that_the_file_names(churn: Retraining) -> None:
    churn.know(replace(TRAINED, image="1.4.2"))
    churn.ask(MANUAL)
    assert churn.runs() == [{"ImageTag": "1.4.2", "Trigger": "manual"}]


def test_a_breach_retrains_once_and_not_again_within_the_cooldown(churn: Retraining) -> None:
    churn.register("1.0")
    churn.ask(BREACH | {"evidence": "0.31 was greater than 0.2"})
    churn.end()
    churn.later(hours=3)
    churn.ask(BREACH | {"alarm": OTHER})
    assert len(churn.runs()) == 1
    first, second = churn.entries()
    assert (first["decision"], first["alarm"], first["evidence"]) == ("started", ALARM, "0.31 was greater than 0.2")
    assert first["run"].startswith(f"arn:aws:sagemaker:{NAMES.region}:123456789012:pipeline/{PIPELINE}/execution/")
    assert (second["decision"], second["run"], second["alarm"]) == ("refused", None, OTHER)
    assert second["reason"] == "the last automatic run began 3 h ago, the cooldown is 24 h"
    churn.later(hours=21)
    churn.ask(BREACH)
    assert len(churn.runs()) == 2, "after the cooldown a breach starts a run again"


def test_what_a_schedule_started_counts_against_the_cooldown_of_a_breach(churn: Retraining) -> None:
    churn.register("1.0")
    churn.ask(SCHEDULE)
    churn.end()
    churn.later(minutes=40)
    churn.ask(BREACH)
    assert churn.decision() == ("refused", "the last automatic run began 40 min ago, the cooldown is 24 h")


def test_a_breach_starts_no_more_runs_than_a_week_has_and_never_two_within_a_cooldown(churn: Retraining) -> None:
    """A day has at most 24 hours divided by the cooldown, rounded up; here two."""
    churn.register("1.0")
    churn.limit(cooldown_seconds=13 * 3600, max_per_week=4)
    started = []
    for _ in range(24):
        churn.ask(BREACH)
        if churn.decision()[0] == "started":
            started.append(churn.account.clock.now)
            churn.end()
        churn.later(hours=8)
    assert [round((each - START) / timedelta(hours=1)) for each in started] == [0, 16, 32, 48, 168, 184]
    assert len([each for each in started if each < START + timedelta(days=1)]) == 2, "the most that a day can have"
    reasons = {each["reason"] for each in churn.entries()}
    assert "4 automatic runs began in the last 7 days, the most is 4" in reasons


@pytest.mark.parametrize("asked", [SCHEDULE, BREACH], ids=["schedule", "breach"])
@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_nothing_starts_while_a_run_goes_on(churn: Retraining, asked: dict[str, str], status: str) -> None:
    churn.register("1.0")
    churn.begin(status)
    assert churn.ask(asked).status == "SUCCEEDED", "a refusal is no failure"
    assert churn.decision() == ("refused", "a run of its pipeline has not ended yet")
    assert churn.runs() == []


@pytest.mark.parametrize("asked", [SCHEDULE, BREACH], ids=["schedule", "breach"])
def test_nothing_starts_by_itself_when_the_budget_is_spent(churn: Retraining, asked: dict[str, str]) -> None:
    churn.register("1.0")
    churn.budget("500.0", 500.0)
    churn.ask(asked)
    assert churn.decision() == ("refused", "the budget of the month is spent: 500.0 of 500.0 USD")
    assert churn.runs() == []


def test_a_run_starts_while_there_is_budget_left(churn: Retraining) -> None:
    churn.register("1.0")
    churn.budget("500.0", 499.99)
    churn.ask(BREACH)
    assert churn.decision()[0] == "started"


def test_an_environment_that_is_frozen_refuses_a_run_and_the_cooldown_does_not_begin(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refuse("StartPipelineExecution", "AccessDeniedException", "User is not authorized to perform it")
    assert churn.ask(BREACH).status == "SUCCEEDED"
    decision, reason = churn.decision()
    assert decision == "refused"
    assert reason.startswith("the start is forbidden: the budget of the month is spent and the environment frozen, or")
    churn.account.executions.faults.clear()
    churn.ask(BREACH)
    assert churn.decision()[0] == "started", "what did not start counts for nothing"


def test_too_few_new_rows_train_nothing_and_the_reason_says_how_many_there_were(churn: Retraining) -> None:
    churn.register("1.0")
    churn.limit(min_new_rows=500)
    churn.begin("Succeeded")
    churn.later(hours=72)
    churn.measured("Rows", {100: 9000, 49: 200, 25: 200, 1: 99})
    churn.ask(BREACH)
    assert churn.decision() == (
        "refused",
        "499 new rows were seen since the last run began 3 d ago, at least 500 are asked for",
    )
    churn.measured("Rows", {2: 1})
    churn.ask(BREACH)
    assert churn.decision()[0] == "started"


def test_before_any_run_all_rows_are_new(churn: Retraining) -> None:
    churn.register("1.0")
    churn.limit(min_new_rows=500)
    churn.ask(BREACH)
    assert churn.decision() == ("refused", "0 new rows were seen so far, at least 500 are asked for")
    churn.measured("Rows", {24 * 300: 500})
    churn.ask(BREACH)
    assert churn.decision()[0] == "started"


def test_where_outcomes_are_watched_only_labelled_rows_are_new_and_each_counts_once(churn: Retraining) -> None:
    """A run of the monitor counts the labelled rows of seven days: added up, one row would count seven times."""
    churn.know(replace(TRAINED, image="1.4.2", is_labelled=True))
    churn.limit(min_new_rows=400)
    churn.begin("Succeeded")
    churn.later(days=10)
    churn.measured("Rows", {24 * day + 1: 100 for day in range(10)})
    churn.measured("LabelledRows", {24 * day + 1: 150 for day in range(10)})
    churn.ask(BREACH)
    assert churn.decision() == (
        "refused",
        "300 new labelled rows were seen since the last run began 10 d ago, at least 400 are asked for",
    ), "1,500 when they are added up"
    churn.measured("LabelledRows", {1: 5000})
    churn.limit(min_new_rows=1001)
    churn.ask(BREACH)
    assert churn.decision()[1].startswith("1000 new labelled rows"), "no more than there were rows"


def test_three_runs_that_failed_end_automatic_retraining_and_page_until_one_succeeds(churn: Retraining) -> None:
    churn.register("1.0")
    for _ in range(2):
        churn.begin("Failed")
    churn.ask(BREACH)
    assert churn.decision()[0] == "started", "two are not yet a loop"
    churn.end("Failed")
    churn.later(days=2)
    assert churn.ask(BREACH).status == "SUCCEEDED"
    assert churn.decision() == (
        "refused",
        "its 3 newest runs all failed, so a breach starts none until one succeeds",
    )
    assert [topic for topic, _, _ in churn.told()] == ["notice", "page"]
    churn.ask(MANUAL)
    churn.end()
    churn.later(days=2)
    churn.ask(BREACH)
    assert churn.decision()[0] == "started", "one that succeeded ends it"


def test_without_an_approved_version_nothing_trains_and_the_failure_says_what_to_do(churn: Retraining) -> None:
    churn.register("2.0", "PendingManualApproval")
    done = churn.ask(SCHEDULE)
    assert (done.status, done.error) == ("FAILED", "NoApprovedVersion"), "an execution that fails is an alarm"
    assert "training.image" in str(done.cause)
    assert churn.runs() == []
    decision, reason = churn.decision()
    assert (decision, reason) == ("failed", done.cause)
    assert [(topic, subject) for topic, subject, _ in churn.told()] == [
        ("notice", "risk-production: churn was not trained again")
    ]


def test_a_version_that_no_pipeline_registered_says_no_image(churn: Retraining) -> None:
    churn.register(None)
    done = churn.ask(BREACH)
    assert (done.status, done.error) == ("FAILED", "NoImage")
    assert churn.decision()[0] == "failed"


def test_of_two_alarms_at_once_one_starts_a_run(churn: Retraining) -> None:
    """The two take their turns state by state: both have read that nothing runs before either claims its turn."""
    churn.register("1.0")
    for alarm in (ALARM, OTHER):
        churn.account.start(MACHINE, BREACH | {"alarm": alarm})
    churn.account.run()
    assert len(churn.runs()) == 1
    assert {(each["decision"], each["reason"]) for each in churn.entries()} == {
        ("started", f"the alarm {ALARM} went off, and every limit is kept; it trains with the image 1.0"),
        ("refused", "another run of it was started at the same moment"),
    }


def test_two_decisions_of_one_moment_are_two_entries(churn: Retraining) -> None:
    churn.register("1.0")
    churn.begin()
    for _ in range(2):
        churn.account.start(MACHINE, BREACH)
    churn.account.run()
    first, second = sorted(churn.account.items(TABLE), key=lambda each: str(each["entry"]))
    assert first["at"] != second["at"], "the second waited a second"
    for item in (first, second):
        assert (item["schema"], item["entry"]) == ("1", f"retraining/{item['at']}")
        assert set(item["document"]) == {"decision", "reason", "trigger", "alarm", "evidence", "run", "execution"}


def test_a_run_is_asked_for_by_a_token_that_stays_the_same_when_it_is_asked_for_again(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refuse("StartPipelineExecution", "InternalFailure", "try again")
    assert churn.ask(BREACH).status == "FAILED"
    tries = churn.tokens()
    assert len(tries) == 5
    assert len(set(tries)) == 1, "an answer that was lost on the way starts no second run"
    churn.account.executions.faults.clear()
    churn.ask(BREACH)
    assert churn.tokens()[-1] not in tries, "or the next run would be taken for this one"


def test_a_machine_that_dies_before_it_starts_a_run_holds_breaches_off_for_one_cooldown(churn: Retraining) -> None:
    churn.register("1.0")
    churn.account.kill(MACHINE, after_state="Claim")
    assert churn.ask(BREACH).status == "ABORTED"
    assert churn.runs() == []
    churn.later(hours=1)
    churn.ask(BREACH)
    assert churn.decision() == ("refused", "the last automatic run began 60 min ago, the cooldown is 24 h")
    churn.later(hours=23)
    churn.ask(BREACH)
    assert len(churn.runs()) == 1


def test_a_service_that_refuses_each_call_once_delays_a_run_and_no_more(churn: Retraining) -> None:
    churn.register("1.0")
    churn.budget("500", 100)
    churn.limit(min_new_rows=1)
    churn.measured("Rows", {1: 1})
    for operation in SERVICES:
        churn.refuse(operation, "ThrottlingException", "slow down", times=1)
    churn.refuse(
        "PutItem",
        "ThrottlingException",
        "slow down",
        times=1,
        when=lambda given: given["Item"]["entry"]["S"] != "retraining",
    )
    churn.ask(BREACH)
    assert [(each["decision"], urgency) for each, (urgency, *_) in zip(churn.entries(), churn.told(), strict=True)] == [
        ("started", "notice")
    ]


def test_a_page_that_is_refused_once_is_sent_again(churn: Retraining) -> None:
    for _ in range(3):
        churn.begin("Failed")
    churn.refuse("Publish", "ThrottlingException", "slow down", times=1)
    churn.ask(BREACH)
    assert [urgency for urgency, *_ in churn.told()] == ["page"]


def test_a_claim_is_not_taken_back_from_whoever_claimed_after_it(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refuse("StartPipelineExecution", "InternalFailure", "no")

    def taken_back(given: Mapping[str, Any]) -> bool:
        return bool(given["ConditionExpression"] == "#document = :mine")

    churn.refuse("PutItem", "ThrottlingException", "slow down", times=1, when=taken_back)
    churn.refuse("PutItem", "ConditionalCheckFailedException", "the other has it", when=taken_back)
    assert churn.ask(SCHEDULE).error == "NotStarted"
    (claim,) = (each for each in churn.account.items(TABLE) if each["entry"] == "retraining")
    assert len(claim["document"]["starts"]) == 1, "what is there stays there"


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("GetItem", BREACH),
        ("GetParameter", BREACH),
        ("ListPipelineExecutions", SCHEDULE),
        ("DescribeBudget", SCHEDULE),
        ("GetMetricData", BREACH),
        ("ListModelPackages", MANUAL),
        ("DescribeModelPackage", MANUAL),
        ("StartPipelineExecution", MANUAL),
    ],
)
def test_whatever_breaks_is_written_down_and_told(churn: Retraining, operation: str, asked: dict[str, str]) -> None:
    churn.register("1.0")
    churn.limit(min_new_rows=1)
    churn.refuse(operation, "InternalFailure", "the service is having a day")
    done = churn.ask(asked)
    assert done.status == "FAILED"
    decision, reason = churn.decision()
    assert decision == "failed"
    assert "the service is having a day" in reason
    assert [topic for topic, _, _ in churn.told()] == ["notice"]
    assert churn.runs() == [] or operation == "StartPipelineExecution"


def test_a_claim_that_breaks_starts_nothing(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refuse("PutItem", "InternalServerError", "no")
    assert churn.ask(SCHEDULE).status == "FAILED"
    assert churn.runs() == []


def test_a_breach_trains_nothing_where_the_file_no_longer_says_so(churn: Retraining) -> None:
    churn.register("1.0")
    churn.limit(on_breach="alert")
    churn.ask(BREACH)
    assert churn.decision() == ("refused", "the file says on_breach: alert")


def test_a_ledger_of_another_schema_is_not_read(churn: Retraining) -> None:
    churn.account.put_item(TABLE, model="churn", entry="retraining", schema="0", document="[]")
    churn.register("1.0")
    done = churn.ask(BREACH)
    assert (done.status, done.error) == ("FAILED", "OtherSchema")
    assert "of schema 0, and this machine reads 1" in churn.decision()[1]
    assert churn.runs() == []


def test_settings_that_make_no_sense_train_nothing_and_say_so(churn: Retraining) -> None:
    churn.say("not JSON")
    churn.register("1.0")
    assert churn.ask(BREACH).status == "FAILED"
    decision, reason = churn.decision()
    assert decision == "failed"
    assert reason.startswith("it broke before it was decided: States.QueryEvaluationError: ")


def test_a_person_is_asked_nothing_and_counts_for_nothing(churn: Retraining) -> None:
    churn.register("1.0")
    churn.budget("500.0", 900.0)
    for _ in range(4):
        churn.begin("Failed")
    churn.begin()
    churn.ask(MANUAL)
    assert churn.decision() == ("started", "a person asked for it; it trains with the image 1.0")
    assert len(churn.account.items(TABLE)) == 1, "what a schedule or a breach may start remembers nothing of it"
    assert churn.told() == [], "whoever started it knows"


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"model": "fraud", "trigger": "schedule"}, "UnknownModel", "must be one of churn"),
        ({"alarm": "risk-production-churn-cpu", "trigger": "breach"}, "UnknownModel", "its alarm watches"),
        ({"model": "churn", "trigger": "boredom"}, "UnknownTrigger", '{"alarm": name, "trigger": "breach"}'),
        ({"model": "churn", "trigger": "breach"}, "UnknownTrigger", '{"alarm": name, "trigger": "breach"}'),
        ({"model": "churn"}, "UnknownTrigger", '"schedule" or "manual"'),
        ({}, "UnknownModel", "must be one of churn"),
        ({"alarm": [ALARM], "trigger": {"breach": 1}}, "UnknownModel", "must be one of churn"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(
    churn: Retraining, asked: dict[str, Any], error: str, words: str
) -> None:
    done = churn.ask(asked)
    assert (done.status, done.error) == ("FAILED", error)
    assert words in str(done.cause)
    assert churn.account.calls == [], "nothing is read or written for it"


def test_people_are_told_of_a_breach_what_was_decided_why_and_what_they_can_do(churn: Retraining) -> None:
    churn.register("1.0")
    churn.ask(BREACH | {"evidence": 'Threshold "0.2" crossed'})
    churn.ask(BREACH)
    (_, begun, first), (_, refused, second) = churn.told()
    assert begun == "risk-production: churn is trained again"
    assert f'Asked by: the alarm {ALARM}: Threshold "0.2" crossed\n' in first
    assert churn.entries()[0]["run"] in first
    assert refused == "risk-production: churn was not trained again"
    assert "Why: a run of its pipeline has not ended yet." in second or "Why: the last automatic run began" in second
    command = second.rpartition("\n")[2]
    assert "--state-machine-arn arn:aws:states:ca-central-1:123456789012:stateMachine:risk-production-retr" in command
    (given,) = re.findall("--input '(.*)'$", command)
    churn.ask(json.loads(given))
    assert churn.decision()[0] == "started", "the command does what the text promises"


SCENARIOS: tuple[Callable[[Retraining], None], ...] = (
    test_a_run_takes_the_image_that_the_file_names,
    test_a_breach_retrains_once_and_not_again_within_the_cooldown,
    test_a_breach_starts_no_more_runs_than_a_week_has_and_never_two_within_a_cooldown,
    test_an_environment_that_is_frozen_refuses_a_run_and_the_cooldown_does_not_begin,
    test_before_any_run_all_rows_are_new,
    test_three_runs_that_failed_end_automatic_retraining_and_page_until_one_succeeds,
    test_without_an_approved_version_nothing_trains_and_the_failure_says_what_to_do,
    test_a_version_that_no_pipeline_registered_says_no_image,
    test_of_two_alarms_at_once_one_starts_a_run,
    test_two_decisions_of_one_moment_are_two_entries,
    test_a_service_that_refuses_each_call_once_delays_a_run_and_no_more,
    test_a_page_that_is_refused_once_is_sent_again,
    test_a_claim_is_not_taken_back_from_whoever_claimed_after_it,
    test_settings_that_make_no_sense_train_nothing_and_say_so,
    test_a_breach_trains_nothing_where_the_file_no_longer_says_so,
    test_a_ledger_of_another_schema_is_not_read,
    partial(test_nothing_starts_by_itself_when_the_budget_is_spent, asked=SCHEDULE),
    partial(test_whatever_breaks_is_written_down_and_told, operation="StartPipelineExecution", asked=MANUAL),
    partial(test_what_makes_no_sense_is_refused_with_what_would, asked={}, error="UnknownModel", words=""),
    partial(
        test_what_makes_no_sense_is_refused_with_what_would, asked={"model": "churn"}, error="UnknownTrigger", words=""
    ),
)


def test_every_state_branch_catch_and_retry_of_the_machine_is_visited() -> None:
    coverage = Coverage()
    for scenario in SCENARIOS:
        with Account(coverage) as account:
            scenario(Retraining(account))
    assert coverage.report("retraining").missing == []


def test_a_schedule_without_an_image_asks_the_machine_and_one_with_an_image_starts_the_pipeline(
    estate: Recorded,
) -> None:
    def started(training: str) -> Any:
        rows = estate(MINIMAL.replace("classification}", f"classification, training: {training}}}"))
        return one(rows, "scheduler:Schedule", "-training-churn").inputs["target"]

    asking = started("{schedule: daily}")
    assert asking["arn"].endswith(":stateMachine:acme-production-retraining")
    assert json.loads(asking["input"]) == SCHEDULE
    assert asking["roleArn"].endswith("-scheduler")
    named = started('{schedule: daily, image: "1"}')
    assert named["arn"].endswith("pipeline/acme-production-churn")


WATCHED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
models:
  churn:
    problem: classification
    training: {image: "1.4.2"}
    gates: {model: {roc_auc: {min: 0.8}}}
    serving: {mode: realtime, initial_version: 1}
    monitoring: {data_drift: {}, model_quality: {min: 0.7}, on_breach: retrain}
  fraud:
    problem: classification
    serving: {mode: realtime, initial_version: 1}
    monitoring: {data_drift: {}}
"""


def test_a_model_that_a_breach_trains_again_has_the_machine_and_no_schedule(estate: Recorded) -> None:
    rows = estate(WATCHED)
    machine = one(rows, "sfn:StateMachine", "-training-retraining").inputs
    assert machine["name"] == "risk-production-retraining"
    assert list(states_language.machine(machine["definition"])) == []
    (known,) = json.loads(machine["definition"])["States"]["Which"]["Choices"]
    assert (known["Assign"]["model"], known["Assign"]["named"], known["Assign"]["labelled"]) == ("churn", "1.4.2", True)
    assert all_of(rows, "scheduler:Schedule").keys().isdisjoint({"risk-production-training-churn"})
    alarms = {row.inputs["name"] for row in all_of(rows, "cloudwatch:MetricAlarm").values()}
    called = {"risk-production-churn-data-drift", "risk-production-churn-model-quality"}
    assert called <= alarms
    for each in called:
        assert f'"{each}"' in known["Condition"], "a breach says which alarm went off, by the name that it has"
    assert "fraud" not in machine["definition"]


def test_two_alarms_of_one_estate_train_their_model_once_and_another_s_alarm_trains_nothing(estate: Recorded) -> None:
    with Account.of(estate(WATCHED)) as account:
        account.run()
        for alarm in (ALARM, OTHER, "risk-production-fraud-data-drift"):
            account.alarm(alarm, "ALARM", f"{alarm} is out of bounds")
        account.run()
        (run,) = (each for each in account.pipelines.of(PIPELINE) if each.parameters["Trigger"] == "breach")
        assert run.parameters["ImageTag"] == "1.4.2"
        found = [each["document"] for each in account.items(TABLE) if each["entry"].startswith("retraining/")]
        assert sorted((each["decision"], each["alarm"]) for each in found) == [("refused", OTHER), ("started", ALARM)]
        assert all(each["evidence"] == f"{each['alarm']} is out of bounds" for each in found)


def watched(account: Account, rows: Rows, known: bool) -> dict[str, float]:
    """Have the monitor of `churn` look at 120 answers that are all the same, half of them right if what was true is
    ``known``: its numbers, for which its alarms go off as the estate says."""
    asked = account.ask("risk-production-churn", [{"amount": float(at), "province": "ON"} for at in range(120)])
    if known:
        account.label("churn", {each: str(at % 2) for at, each in enumerate(asked)})
    account.clock.advance(hours=2)
    account.fire("risk-production-monitor-churn")
    account.run()
    numbers = {
        metric: points[-1][1]
        for (space, metric, dimensions), points in account.metrics.points.items()
        if space == "mlestate" and ("Model", "churn") in dimensions
    }
    for alarm in (row.inputs for row in all_of(rows, "cloudwatch:MetricAlarm").values()):
        metrics = [each["metric"] for each in alarm.get("metricQueries", ()) if "metric" in each]
        if [(each["namespace"], each["dimensions"].get("Model")) for each in metrics] != [("mlestate", "churn")]:
            continue
        number, bound = numbers.get(metrics[0]["metricName"]), alarm["threshold"]
        if number is None:
            rings = alarm["treatMissingData"] == "breaching"
        else:
            rings = number < bound if alarm["comparisonOperator"] == "LessThanThreshold" else number > bound
        account.alarm(alarm["name"], "ALARM" if rings else "OK", f"{metrics[0]['metricName']} is {number}")
    account.run()
    return numbers


def breaches(account: Account) -> tuple[int, list[str]]:
    """How many runs breaches started, and the alarms of which a decision was written down."""
    runs = [each for each in account.pipelines.of(PIPELINE) if each.parameters["Trigger"] == "breach"]
    said = [each["document"]["alarm"] for each in account.items(TABLE) if each["entry"].startswith("retraining/")]
    return len(runs), said


def test_a_model_of_which_no_outcome_is_known_yet_pages_nobody_and_trains_nothing(estate: Recorded) -> None:
    """The monitor is the estate's own and really runs. Assumed: that CloudWatch reads its numbers as `watched` does."""
    rows = estate(WATCHED)
    with Account.of(rows) as account:
        account.run()
        heard = len(account.messages.all)
        assert watched(account, rows, known=False) == {"Rows": 120, "LabelledRows": 0}, "there is no quality to judge"
        assert account.messages.all[heard:] == []
        assert breaches(account) == (0, [])
        (report,) = (
            json.loads(account.read(f"s3://{bucket['Name']}/{key}"))
            for bucket in account.client("s3").list_buckets()["Buckets"]
            for key in account.keys(bucket["Name"])
            if key.endswith("/report.json")
        )
        assert "0 labelled rows, from which roc_auc cannot be computed." in report["notes"]


def test_a_model_whose_outcomes_show_that_it_is_no_better_than_chance_is_trained_again(estate: Recorded) -> None:
    rows = estate(WATCHED)
    with Account.of(rows) as account:
        account.run()
        assert watched(account, rows, known=True) == {"Rows": 120, "LabelledRows": 120, "ModelQuality": 0.5}
        assert breaches(account) == (1, [OTHER])


def test_no_variable_stands_both_inside_and_outside_of_what_decides() -> None:
    """Step Functions has a scope for each branch; moto would let an inner variable hide an outer one."""

    def assigned(states: Mapping[str, Any]) -> set[str]:
        holders = [
            holder
            for state in states.values()
            for holder in (state, *state.get("Catch", ()), *state.get("Choices", ()))
        ]
        return {name for holder in holders for name in holder.get("Assign", {})}

    outer = json.loads(definition(NAMES, {"churn": TRAINED}))["States"]
    (branch,) = outer["Run"]["Branches"]
    assert {"trigger", "ended", "at"} <= assigned(outer)
    assert {"caught", "starts", "token"} <= assigned(branch["States"])
    assert assigned(outer).isdisjoint(assigned(branch["States"]))


def test_the_rules_of_breaches_name_every_alarm_and_fit_into_what_eventbridge_takes() -> None:
    alarms = [f"risk-production-model-{number}-prediction-drift" for number in range(100)]
    made = patterns(alarms)
    assert [alarm for each in made for alarm in json.loads(each)["detail"]["alarmName"]] == alarms
    assert max(map(len, made)) <= 2048
    assert len(made) < 5
    assert patterns([]) == []
    assert json.loads(made[0])["detail"]["state"] == {"value": ["ALARM"]}
