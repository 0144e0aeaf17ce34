"""AWS: the machine that trains a model again, run on moto in simulated time.

Not proved here: that Step Functions, SageMaker and AWS Budgets name their errors as their guides say, and what IAM
allows (the access tests hold the role against the calls).
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from jsonata import Jsonata  # type: ignore[import-untyped]  # it ships no types
from jsonata.timebox import Timebox  # type: ignore[import-untyped]
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk as sdk
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.jsonata import jsonata as bridge

from mlestate.aws.retraining import Trained, definition, patterns
from mlestate.local.aws import states as states_language
from mlestate.names import Names

from .conftest import Recorded, all_of, one
from .estates import MINIMAL
from .machines import REGION, client, cloud, execute

NAMES = Names("aws", "risk", "production", "ca-central-1", "123456789012")
GROUP = "risk-hub-churn"
PIPELINE = "risk-production-churn"
ALARM = "risk-production-churn-data-drift"
TABLE = "risk-production-releases"
TRAINED = Trained(
    PIPELINE,
    f"arn:aws:sagemaker:ca-central-1:123456789012:model-package-group/{GROUP}",
    alarms=(ALARM, "risk-production-churn-model-quality"),
)
SCHEDULE, MANUAL = ({"model": "churn", "trigger": each} for each in ("schedule", "manual"))
BREACH = {"alarm": ALARM, "trigger": "breach"}
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Retraining:
    """An account with one model, whose time stands still but where a test moves it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = START
        self.machine = definition(NAMES, {"churn": TRAINED})
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.refused: dict[str, tuple[str, str]] = {}
        self.meanwhile: dict[str, Callable[[], None]] = {}
        """What happens just before a call, once."""
        self.visited: set[str] = set()
        self._asked = False
        self._simulate(patch)
        sagemaker, sns = client("sagemaker"), client("sns")
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        sagemaker.create_pipeline(
            PipelineName=PIPELINE,
            PipelineDefinition="{}",
            RoleArn="arn:aws:iam::123456789012:role/pipeline",
            ClientRequestToken="t" * 32,
        )
        for urgency in ("page", "notice"):
            sns.create_topic(Name=f"risk-production-{urgency}")
        keys = {"model": "HASH", "entry": "RANGE"}
        client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        self.limit()

    def _simulate(self, patch: pytest.MonkeyPatch) -> None:
        """Time, and what of Step Functions moto lacks: `$hash`, texts that hold quotation marks, names of errors."""

        def evaluate(expression: str) -> Any:
            compiled = Jsonata(expression)
            compiled.register_lambda("hash", lambda text, _: hashlib.sha256(text.encode()).hexdigest())
            compiled.register_lambda("parse", json.loads)
            return compiled.evaluate(None)

        def declared(bindings: dict[str, Any]) -> str:
            return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())

        def call(this: Any, operation: str, arguments: dict[str, Any]) -> Any:
            service = this.meta.service_model.service_name
            if self._asked and service != "stepfunctions":
                self.calls.append((service, operation, arguments))
            if self._asked and operation in self.refused:
                code, message = self.refused[operation]
                answer = {"Error": {"Code": code, "Message": message}}
                answer["ResponseMetadata"] = {"HTTPStatusCode": 400, "RequestId": "1"}  # type: ignore[dict-item]
                raise this.exceptions.from_code(code)(answer, operation)
            if meanwhile := self.meanwhile.pop(operation, None):
                meanwhile()
            return original(this, operation, arguments)

        def waited(_: Any, env: Any, wait_seconds: int) -> None:
            self.now += timedelta(seconds=wait_seconds)

        def newest_first(backend: Any, pipeline_name: str) -> Any:
            """As SageMaker lists them when asked so; moto takes no order."""
            found = listed(backend, pipeline_name)
            return {"PipelineExecutionSummaries": found["PipelineExecutionSummaries"][::-1]}

        original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave out what is private
        listed = SageMakerModelBackend.list_pipeline_executions
        patch.setattr(SageMakerModelBackend, "list_pipeline_executions", newest_first)
        patch.setattr(BaseClient, "_make_api_call", call)
        patch.setattr(bridge, "_eval_jsonata", evaluate)
        patch.setattr(Timebox, "current_milli_time", staticmethod(lambda: round(self.now.timestamp() * 1000)))
        for module in (states, variable_store, bridge):
            patch.setattr(module, "encode_jsonata_variable_declarations", declared)
        for name in ("$hash", "$parse"):
            patch.delitem(intrinsic._DECLARATION_BY_VARIABLE_REFERENCE, name)
        for name, prefix in (("ssm", "Ssm"), ("budgets", "Budgets"), ("sagemaker", "SageMaker")):
            patch.setitem(sdk._SERVICE_ERROR_NAMES, name, prefix)
        patch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
        patch.setattr(WaitFunction, "_wait_interval", waited)

    def ask(self, asked: dict[str, Any], machine: str | None = None) -> dict[str, Any]:
        """Run the machine to its end: what `DescribeExecution` says then."""
        self._asked = True
        done = execute(machine or self.machine, asked)
        self._asked = False
        history = client("stepfunctions").get_execution_history(executionArn=done["executionArn"])["events"]
        self.visited |= {
            each["stateEnteredEventDetails"]["name"] for each in history if "stateEnteredEventDetails" in each
        }
        return done

    def limit(self, **limits: Any) -> None:
        """What the estate's file says of automatic runs."""
        said = {"on_breach": "retrain", "cooldown_seconds": 86400, "max_per_week": 3, "min_new_rows": 0, **limits}
        client("ssm").put_parameter(
            Name="/mlestate/risk/production/churn/release",
            Type="String",
            Value=json.dumps({"model": "churn", "retraining": said}),
            Overwrite=True,
        )

    def register(self, image: str | None, status: str = "Approved") -> None:
        client("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=status,
            CustomerMetadataProperties={"image-tag": image} if image else {},
        )

    def begin(self, status: str, hours_ago: float = 48) -> None:
        """A run that somebody started."""
        client("sagemaker").start_pipeline_execution(PipelineName=PIPELINE, ClientRequestToken="x" * 32)
        self._newest().start_time = self.now - timedelta(hours=hours_ago)
        self.end(status)

    def end(self, status: str) -> None:
        self._newest().pipeline_execution_status = status

    def _newest(self) -> Any:
        pipeline = sagemaker_backends[NAMES.home][REGION].pipelines[PIPELINE]
        return list(pipeline.pipeline_executions.values())[-1]

    def runs(self) -> list[dict[str, str]]:
        """The parameters of the runs that the machine started."""
        return [
            {each["Name"]: each["Value"] for each in arguments["PipelineParameters"]}
            for _, operation, arguments in self.calls
            if operation == "StartPipelineExecution"
        ]

    def entries(self) -> list[dict[str, Any]]:
        """The decisions in the ledger, oldest first."""
        return [json.loads(item["document"]["S"]) for item in self.items() if item["entry"]["S"] != "retraining"]

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client("dynamodb").scan(TableName=TABLE)["Items"]
        return sorted(found, key=lambda item: str(item["entry"]["S"]))

    def told(self) -> list[tuple[str, str, str]]:
        """Topic, subject and text of what people were told."""
        return [
            (arguments["TopicArn"].rpartition("-")[2], arguments["Subject"], arguments["Message"])
            for _, operation, arguments in self.calls
            if operation == "Publish"
        ]

    def decision(self) -> tuple[str, str]:
        newest = self.entries()[-1]
        return newest["decision"], newest["reason"]


@pytest.fixture
def churn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Retraining]:
    with cloud(monkeypatch):
        yield Retraining(monkeypatch)


def test_a_run_takes_the_image_of_the_newest_approved_version(churn: Retraining) -> None:
    churn.register("1.0")
    churn.register("1.1")
    churn.register("2.0", "PendingManualApproval")
    done = churn.ask(SCHEDULE)
    assert done["status"] == "SUCCEEDED", done
    assert churn.runs() == [{"ImageTag": "1.1", "Trigger": "schedule"}], "code that nobody approved trains nothing"
    assert churn.decision() == ("started", "its schedule came due; it trains with the image 1.1")


def test_a_run_takes_the_image_that_the_file_names(churn: Retraining) -> None:
    churn.ask(MANUAL, definition(NAMES, {"churn": Trained(TRAINED.pipeline, TRAINED.group, image="1.4.2")}))
    assert churn.runs() == [{"ImageTag": "1.4.2", "Trigger": "manual"}]


def test_a_breach_retrains_once_and_not_again_within_the_cooldown(churn: Retraining) -> None:
    churn.register("1.0")
    churn.ask(BREACH | {"evidence": "0.31 was greater than 0.2"})
    churn.end("Succeeded")
    churn.now += timedelta(hours=3)
    churn.ask(BREACH | {"alarm": TRAINED.alarms[1]})
    assert len(churn.runs()) == 1
    first, second = churn.entries()
    assert (first["decision"], first["alarm"], first["evidence"]) == ("started", ALARM, "0.31 was greater than 0.2")
    assert first["run"].startswith(f"arn:aws:sagemaker:{REGION}:123456789012:pipeline/{PIPELINE}/execution/")
    assert (second["decision"], second["run"], second["alarm"]) == ("refused", None, TRAINED.alarms[1])
    assert second["reason"] == "the last automatic run began 3 h ago, the cooldown is 24 h"
    churn.now += timedelta(hours=21)
    churn.ask(BREACH)
    assert len(churn.runs()) == 2, "after the cooldown a breach starts a run again"


def test_what_a_schedule_started_counts_against_the_cooldown_of_a_breach(churn: Retraining) -> None:
    churn.register("1.0")
    churn.ask(SCHEDULE)
    churn.end("Succeeded")
    churn.now += timedelta(minutes=40)
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
            started.append(churn.now)
            churn.end("Succeeded")
        churn.now += timedelta(hours=8)
    assert [round((each - START) / timedelta(hours=1)) for each in started] == [0, 16, 32, 48, 168, 184]
    assert len([each for each in started if each < START + timedelta(days=1)]) == 2, "the most that a day can have"
    reasons = {each["reason"] for each in churn.entries()}
    assert "4 automatic runs began in the last 7 days, the most is 4" in reasons


@pytest.mark.parametrize("asked", [SCHEDULE, BREACH], ids=["schedule", "breach"])
@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_nothing_starts_while_a_run_goes_on(churn: Retraining, asked: dict[str, str], status: str) -> None:
    churn.register("1.0")
    churn.begin(status)
    assert churn.ask(asked)["status"] == "SUCCEEDED", "a refusal is no failure"
    assert churn.decision() == ("refused", "a run of its pipeline has not ended yet")
    assert churn.runs() == []


def budget(limit: str, spent: str) -> None:
    client("budgets").create_budget(
        AccountId="123456789012",
        Budget={
            "BudgetName": "risk-production-monthly",
            "BudgetLimit": {"Amount": limit, "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
            "CalculatedSpend": {"ActualSpend": {"Amount": spent, "Unit": "USD"}},
        },
    )


@pytest.mark.parametrize("asked", [SCHEDULE, BREACH], ids=["schedule", "breach"])
def test_nothing_starts_by_itself_when_the_budget_is_spent(churn: Retraining, asked: dict[str, str]) -> None:
    churn.register("1.0")
    budget("500.0", "500.0")
    churn.ask(asked)
    assert churn.decision() == ("refused", "the budget of the month is spent: 500.0 of 500.0 USD")
    assert churn.runs() == []


def test_a_run_starts_while_there_is_budget_left(churn: Retraining) -> None:
    churn.register("1.0")
    budget("500.0", "499.99")
    churn.ask(BREACH)
    assert churn.decision()[0] == "started"


def test_an_environment_that_is_frozen_refuses_a_run_and_the_cooldown_does_not_begin(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refused["StartPipelineExecution"] = ("AccessDeniedException", "User is not authorized to perform it")
    assert churn.ask(BREACH)["status"] == "SUCCEEDED"
    decision, reason = churn.decision()
    assert decision == "refused"
    assert reason.startswith("the start is forbidden: the budget of the month is spent and the environment frozen, or")
    churn.refused.clear()
    churn.ask(BREACH)
    assert churn.decision()[0] == "started", "what did not start counts for nothing"


def measured(name: str, values: dict[int, float], now: datetime) -> None:
    """Numbers of the monitor, by hours ago."""
    client("cloudwatch").put_metric_data(
        Namespace="mlestate",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [
                    {"Name": "Environment", "Value": "risk-production"},
                    {"Name": "Model", "Value": "churn"},
                ],
                "Timestamp": now - timedelta(hours=hours),
                "Value": value,
            }
            for hours, value in values.items()
        ],
    )


def test_too_few_new_rows_train_nothing_and_the_reason_says_how_many_there_were(churn: Retraining) -> None:
    churn.register("1.0")
    churn.limit(min_new_rows=500)
    churn.begin("Succeeded", hours_ago=72)
    measured("Rows", {100: 9000, 49: 200, 25: 200, 1: 99}, START)
    churn.ask(BREACH)
    assert churn.decision() == (
        "refused",
        "499 new rows were seen since the last run began 3 d ago, at least 500 are asked for",
    )
    measured("Rows", {2: 1}, START)
    churn.ask(BREACH)
    assert churn.decision()[0] == "started"


def test_before_any_run_all_rows_are_new(churn: Retraining) -> None:
    churn.register("1.0")
    churn.limit(min_new_rows=500)
    churn.ask(BREACH)
    assert churn.decision() == ("refused", "0 new rows were seen so far, at least 500 are asked for")
    measured("Rows", {24 * 300: 500}, START)
    churn.ask(BREACH)
    assert churn.decision()[0] == "started"


def test_where_outcomes_are_watched_only_labelled_rows_are_new_and_each_counts_once(churn: Retraining) -> None:
    """A run of the monitor counts the labelled rows of seven days: added up, one row would count seven times."""
    machine = definition(NAMES, {"churn": Trained(PIPELINE, GROUP, "1.4.2", TRAINED.alarms, is_labelled=True)})
    churn.limit(min_new_rows=400)
    churn.begin("Succeeded", hours_ago=10 * 24)
    measured("Rows", {24 * day + 1: 100 for day in range(10)}, START)
    measured("LabelledRows", {24 * day + 1: 150 for day in range(10)}, START)
    churn.ask(BREACH, machine)
    assert churn.decision() == (
        "refused",
        "300 new labelled rows were seen since the last run began 10 d ago, at least 400 are asked for",
    ), "1,500 when they are added up"
    measured("LabelledRows", {1: 5000}, START)
    churn.limit(min_new_rows=1001)
    churn.ask(BREACH, machine)
    assert churn.decision()[1].startswith("1000 new labelled rows"), "no more than there were rows"


def test_three_runs_that_failed_end_automatic_retraining_and_page_until_one_succeeds(churn: Retraining) -> None:
    churn.register("1.0")
    for _ in range(2):
        churn.begin("Failed")
    churn.ask(BREACH)
    assert churn.decision()[0] == "started", "two are not yet a loop"
    churn.end("Failed")
    churn.now += timedelta(days=2)
    assert churn.ask(BREACH)["status"] == "SUCCEEDED"
    assert churn.decision() == (
        "refused",
        "its 3 newest runs all failed, so a breach starts none until one succeeds",
    )
    assert [topic for topic, _, _ in churn.told()] == ["notice", "page"]
    churn.ask(MANUAL)
    churn.end("Succeeded")
    churn.now += timedelta(days=2)
    churn.ask(BREACH)
    assert churn.decision()[0] == "started", "one that succeeded ends it"


def test_without_an_approved_version_nothing_trains_and_the_failure_says_what_to_do(churn: Retraining) -> None:
    churn.register("2.0", "PendingManualApproval")
    done = churn.ask(SCHEDULE)
    assert (done["status"], done["error"]) == ("FAILED", "NoApprovedVersion"), "an execution that fails is an alarm"
    assert "training.image" in done["cause"]
    assert churn.runs() == []
    decision, reason = churn.decision()
    assert (decision, reason) == ("failed", done["cause"])
    assert [(topic, subject) for topic, subject, _ in churn.told()] == [
        ("notice", "risk-production: churn was not trained again")
    ]


def test_a_version_that_no_pipeline_registered_says_no_image(churn: Retraining) -> None:
    churn.register(None)
    done = churn.ask(BREACH)
    assert (done["status"], done["error"]) == ("FAILED", "NoImage")
    assert churn.decision()[0] == "failed"


def test_of_two_alarms_at_once_one_starts_a_run(churn: Retraining) -> None:
    """The second asks while the first, which has read that nothing runs, is about to claim its turn."""
    churn.register("1.0")
    churn.meanwhile["PutItem"] = lambda: check_other(churn)
    churn.ask(BREACH)
    assert len(churn.runs()) == 1
    assert {(each["decision"], each["reason"]) for each in churn.entries()} == {
        ("started", f"the alarm {TRAINED.alarms[1]} went off, and every limit is kept; it trains with the image 1.0"),
        ("refused", "another run of it was started at the same moment"),
    }


def check_other(churn: Retraining) -> None:
    assert churn.ask(BREACH | {"alarm": TRAINED.alarms[1]})["status"] == "SUCCEEDED"


def test_two_decisions_of_one_moment_are_two_entries(churn: Retraining) -> None:
    churn.register("1.0")
    churn.begin("Executing")
    for _ in range(2):
        churn.ask(BREACH)
    keys = [item["entry"]["S"] for item in churn.items()]
    assert keys == ["retraining/2026-11-23T09:00:00.000Z", "retraining/2026-11-23T09:00:01.000Z"]
    for item in churn.items():
        assert item["schema"]["S"] == "1"
        assert item["entry"]["S"] == f"retraining/{item['at']['S']}"
        document = json.loads(item["document"]["S"])
        assert set(document) == {"decision", "reason", "trigger", "alarm", "evidence", "run", "execution"}


def test_a_run_is_asked_for_by_a_token_that_stays_the_same_when_it_is_asked_for_again(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refused["StartPipelineExecution"] = ("InternalFailure", "try again")
    assert churn.ask(BREACH)["status"] == "FAILED"
    tries = [arguments["ClientRequestToken"] for _, called, arguments in churn.calls if called.startswith("StartPip")]
    assert len(tries) == 5
    assert len(set(tries)) == 1, "an answer that was lost on the way starts no second run"
    churn.refused.clear()
    churn.ask(BREACH)
    (token,) = {
        arguments["ClientRequestToken"] for _, called, arguments in churn.calls if called.startswith("StartPip")
    } - set(tries)
    assert re.fullmatch("[0-9a-f]{64}", token), "another run has another token, or it would be taken for the first"


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
def test_whatever_breaks_is_written_down_and_told_and_the_execution_fails(
    churn: Retraining, operation: str, asked: dict[str, str]
) -> None:
    churn.register("1.0")
    churn.limit(min_new_rows=1)
    churn.refused[operation] = ("InternalFailure", "the service is having a day")
    done = churn.ask(asked)
    assert done["status"] == "FAILED"
    decision, reason = churn.decision()
    assert decision == "failed"
    assert "the service is having a day" in reason
    assert [topic for topic, _, _ in churn.told()] == ["notice"]
    assert churn.runs() == [] or operation == "StartPipelineExecution"


def test_a_claim_that_breaks_starts_nothing(churn: Retraining) -> None:
    churn.register("1.0")
    churn.refused["PutItem"] = ("InternalServerError", "no")
    assert churn.ask(SCHEDULE)["status"] == "FAILED"
    assert churn.runs() == []


def test_a_breach_trains_nothing_where_the_file_no_longer_says_so(churn: Retraining) -> None:
    churn.register("1.0")
    churn.limit(on_breach="alert")
    churn.ask(BREACH)
    assert churn.decision() == ("refused", "the file says on_breach: alert")


def test_a_ledger_of_another_schema_is_not_read(churn: Retraining) -> None:
    item = {"model": "churn", "entry": "retraining", "schema": "0", "document": "[]"}
    client("dynamodb").put_item(TableName=TABLE, Item={key: {"S": value} for key, value in item.items()})
    churn.register("1.0")
    done = churn.ask(BREACH)
    assert (done["status"], done["error"]) == ("FAILED", "OtherSchema")
    assert "of schema 0, and this machine reads 1" in churn.decision()[1]
    assert churn.runs() == []


def test_a_person_is_asked_nothing_and_counts_for_nothing(churn: Retraining) -> None:
    churn.register("1.0")
    budget("500.0", "900.0")
    for _ in range(4):
        churn.begin("Failed")
    churn.begin("Executing")
    churn.ask(MANUAL)
    assert churn.decision() == ("started", "a person asked for it; it trains with the image 1.0")
    assert [item["entry"]["S"] for item in churn.items()] == ["retraining/2026-11-23T09:00:00.000Z"]
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
    assert (done["status"], done["error"]) == ("FAILED", error)
    assert words in done["cause"]
    assert churn.calls == [], "nothing is read or written for it"


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


def test_the_rules_of_breaches_name_every_alarm_and_fit_into_what_eventbridge_takes() -> None:
    alarms = [f"risk-production-model-{number}-prediction-drift" for number in range(100)]
    made = patterns(alarms)
    assert [alarm for each in made for alarm in json.loads(each)["detail"]["alarmName"]] == alarms
    assert max(map(len, made)) <= 2048
    assert len(made) < 5
    assert patterns([]) == []
    assert json.loads(made[0])["detail"]["state"] == {"value": ["ALARM"]}
