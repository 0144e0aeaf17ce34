"""The simulated account itself: time, executions and coverage, on machines made by hand.

That AWS does the same is what the sources in `account.gaps` say; no account was asked.
"""

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from .account import Account, Coverage
from .account.clock import START, Clock
from .account.gaps import GAPS
from .account.people import ACCOUNT, REGION
from .account.toy import DONE, ROLE, asl, call, give, ran, wait
from .conftest import Recorded
from .estates import PEOPLED


@pytest.fixture
def account() -> Iterator[Account]:
    with Account() as made:
        yield made


def test_a_day_takes_no_time_and_the_machine_sees_it_pass(account: Account) -> None:
    done = ran(
        account,
        asl(
            "Begin",
            Begin={"Type": "Pass", "Assign": {"begun": "{% $millis() %}"}, "Next": "Rest"},
            Rest=wait(86400, "End"),
            End=give("{'ms': $millis() - $begun, 'now': $now(), 'start': $states.context.Execution.StartTime}"),
        ),
    )
    assert done.output["ms"] == pytest.approx(86_400_200), "a day, and what entering the two states takes"
    assert done.output["now"].startswith("2026-11-24T09:00:00.")
    assert done.output["start"] == "2026-11-23T09:00:00Z", "as the SDK for Java writes a time"
    assert done.seconds == pytest.approx(86_400.3)


def test_a_wait_until_a_moment_ends_no_sooner(account: Account) -> None:
    until = {"Type": "Wait", "Timestamp": "{% $fromMillis($millis() + 3600500) %}", "Next": "End"}
    done = ran(account, asl("Rest", Rest=until, End=give("$now()")))
    assert done.output == "2026-11-23T10:00:00.700Z", "entering the two states takes a tenth of a second each"
    never = {"Type": "Wait", "Timestamp": "{% 'soon' %}", "Next": "End"}
    account.machine("risk-production-other", asl("Rest", Rest=never, End=DONE))
    account.start("risk-production-other", {})
    with pytest.raises(AssertionError, match="does not reference a valid ISO-8601"):
        account.run()


def test_what_is_planned_happens_in_order_and_only_when_time_gets_there() -> None:
    clock, seen = Clock(), []
    for seconds, word in ((30, "third"), (10, "first"), (10, "second"), (7200, "never")):
        clock.at(seconds, lambda word=word: seen.append((word, (clock.now - START).total_seconds())))  # type: ignore[misc]
    clock.advance(hours=1)
    assert seen == [("first", 10), ("second", 10), ("third", 30)]
    assert (clock.now - START).total_seconds() == 3600


def test_a_simulation_that_never_ends_is_said_to(account: Account) -> None:
    account.machine(
        "risk-production-toy", asl("Again", Again=wait(86400, "Back"), Back={"Type": "Pass", "Next": "Again"})
    )
    account.start("risk-production-toy", {})
    with pytest.raises(AssertionError, match=r"after 60 days these still run: .*risk-production-toy"):
        account.run()


def test_two_executions_take_turns_state_by_state_and_one_of_them_gets_the_lock(account: Account) -> None:
    account.client("dynamodb").create_table(
        TableName="locks",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
    )
    lock = {
        "TableName": "locks",
        "Item": {"name": {"S": "lock"}},
        "ConditionExpression": "attribute_not_exists(#name)",
        "ExpressionAttributeNames": {"#name": "name"},
    }
    taken = [{"ErrorEquals": ["DynamoDb.ConditionalCheckFailedException"], "Next": "Late"}]
    account.machine(
        "risk-production-toy",
        asl(
            "Ready", Ready={"Type": "Pass", "Next": "Lock"}, Lock=call("dynamodb:putItem", lock, Catch=taken), Late=DONE
        ),
    )
    first, second = (account.start("risk-production-toy", {}) for _ in range(2))
    account.run()
    assert account.execution(first).states == ("Ready", "Lock")
    assert account.execution(second).states == ("Ready", "Lock", "Late"), "both were ready before either took it"


def test_values_in_variables_keep_their_quotes_and_functions_of_step_functions_are_there(account: Account) -> None:
    told = 'a "quoted" text\nof two lines'
    done = ran(
        account,
        asl(
            "Keep",
            Keep={"Type": "Pass", "Assign": {"told": "{% $states.input.told %}"}, "Next": "End"},
            End=give("{'told': $told, 'hash': $substring($hash($told, 'SHA-256'), 0, 8), 'parsed': $parse('[1]')}"),
        ),
        {"told": told},
    )
    assert done.output["told"] == told
    assert done.output["parsed"] == [1]
    assert len(done.output["hash"]) == 8


@pytest.mark.parametrize("expression", ["$states.input.nothing", "$eval('1')", "$parse('{')", "1 + 'a'"])
def test_an_expression_that_has_no_value_is_an_error_that_can_be_caught(account: Account, expression: str) -> None:
    caught = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Caught"}]
    named = {"Name": f"{{% {expression} %}}"}
    assert (
        ran(account, asl("Ask", Ask=call("ssm:getParameter", named, Catch=caught), Caught=DONE)).states[-1] == "Caught"
    )


def test_a_variable_that_nothing_assigned_is_a_mistake_and_one_that_is_asked_for_is_not(account: Account) -> None:
    ran(account, asl("End", End=give("$exists($maybe) ? $maybe : ($own := 1; $map([$own], function($each) {$each}))")))
    account.machine("risk-production-other", asl("End", End=give("$nobody & 'x'")))
    account.start("risk-production-other", {})
    with pytest.raises(AssertionError, match=r"\$nobody is assigned by nothing"):
        account.run()


def test_an_inner_state_cannot_assign_what_belongs_to_the_outside(account: Account) -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Assign": {"own": 2}, "End": True}}}
    account.machine(
        "risk-production-toy",
        asl(
            "Out",
            Out={"Type": "Pass", "Assign": {"own": 1}, "Next": "Both"},
            Both={
                "Type": "Parallel",
                "Branches": [inner],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "No"}],
                "End": True,
            },
            No=DONE,
        ),
    )
    account.start("risk-production-toy", {})
    with pytest.raises(AssertionError, match=r"States\.Runtime"):
        account.run()


def test_items_of_a_map_are_worked_on_and_an_error_in_one_keeps_its_name(account: Account) -> None:
    inner = {
        "StartAt": "One",
        "States": {
            "One": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input = 3 %}", "Next": "Three"}],
                "Default": "Fine",
            },
            "Three": {"Type": "Fail", "Error": "Three", "Cause": "it is three"},
            "Fine": give("$states.input * 2"),
        },
    }
    each = {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemProcessor": inner,
        "End": True,
        "Catch": [{"ErrorEquals": ["Three"], "Next": "Caught"}],
    }
    definition = asl("Each", Each=each, Caught=DONE)
    assert ran(account, definition, {"items": [1, 2]}).output == [2, 4]
    assert ran(account, definition, {"items": [1, 3]}, "risk-production-again").states[-1] == "Caught"


def test_an_execution_that_is_killed_between_two_states_did_the_first_and_not_the_second(account: Account) -> None:
    account.machine(
        "risk-production-toy",
        asl("One", One={"Type": "Pass", "Next": "Two"}, Two={"Type": "Pass", "Next": "Three"}, Three=DONE),
    )
    account.kill("risk-production-toy", after_state="Two")
    killed, whole = (account.start("risk-production-toy", {}) for _ in range(2))
    account.run()
    assert account.execution(killed).status == "ABORTED"
    assert account.execution(killed).states == ("One", "Two")
    assert account.execution(whole).status == "SUCCEEDED", "one execution is killed, not the machine"


def test_an_execution_that_is_stopped_while_it_waits_has_ended_at_once(account: Account) -> None:
    account.machine("risk-production-toy", asl("Long", Long=wait(864000, "End"), End=DONE))
    started = account.start("risk-production-toy", {})
    account.clock.advance(hours=1)
    account.stop(started)
    assert account.execution(started).status == "ABORTED"
    account.run()
    assert account.execution(started).states == ("Long",)
    assert account.execution(started).seconds == 3600


def test_a_machine_that_takes_longer_than_it_may_is_timed_out(account: Account) -> None:
    definition = json.loads(asl("Long", Long=wait(864000, "End"), End=DONE)) | {"TimeoutSeconds": 60}
    done = ran(account, json.dumps(definition))
    assert (done.status, done.seconds) == ("TIMED_OUT", 60)


def test_a_machine_starts_another_and_asks_what_became_of_it(account: Account) -> None:
    account.machine("risk-production-other", asl("Long", Long=wait(60, "End"), End=DONE))
    other = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-production-other"
    done = ran(
        account,
        asl(
            "Go",
            Go=call(
                "sfn:startExecution",
                {"StateMachineArn": other, "Input": '{"by": "me"}'},
                Assign={"it": "{% $states.result.ExecutionArn %}"},
                Next="Rest",
            ),
            Rest=wait(30, "Ask"),
            Ask=call("sfn:describeExecution", {"ExecutionArn": "{% $it %}"}, Output="{% $states.result.Status %}"),
        ),
    )
    assert done.output == "RUNNING"
    assert [each.status for each in account.executions_of("risk-production-other")] == ["SUCCEEDED"]


def test_a_call_that_is_refused_is_tried_again_in_its_time_and_recorded(account: Account) -> None:
    account.client("ssm").put_parameter(Name="/toy", Value="1", Type="String")
    account.refuse("ssm", "GetParameter", "ThrottlingException", times=2)
    again = [
        {
            "ErrorEquals": ["States.TaskFailed"],
            "IntervalSeconds": 5,
            "MaxAttempts": 4,
            "BackoffRate": 2,
            "JitterStrategy": "FULL",
        }
    ]
    done = ran(account, asl("Ask", Ask=call("ssm:getParameter", {"Name": "/toy"}, Retry=again)))
    assert done.status == "SUCCEEDED"
    assert done.seconds == pytest.approx(15.1), "5 s, then 10 s"
    assert [(each.operation, each.error) for each in account.calls] == [
        ("GetParameter", "ThrottlingException"),
        ("GetParameter", "ThrottlingException"),
        ("GetParameter", None),
    ]
    last = account.calls[-1]
    assert (last.service, last.arguments, last.role, last.state) == ("ssm", {"Name": "/toy"}, ROLE, "Ask")


def test_a_request_that_the_model_of_the_api_refuses_fails_the_run(account: Account) -> None:
    account.machine("risk-production-toy", asl("Ask", Ask=call("ssm:getParameter", {"Name": "/toy", "Colour": "red"})))
    account.start("risk-production-toy", {})
    with pytest.raises(AssertionError, match=r"risk-production-toy, state Ask: .*Colour"):
        account.run()


COVERED = asl(
    "Which",
    Which={
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.n = 1 %}", "Next": "Ask"},
            {"Condition": "{% $states.input.n = 2 %}", "Next": "Ask"},
        ],
        "Default": "End",
    },
    Ask=call(
        "ssm:getParameter",
        {"Name": "/missing"},
        Retry=[
            {"ErrorEquals": ["Ssm.ThrottlingException"], "MaxAttempts": 1},
            {"ErrorEquals": ["Never"], "MaxAttempts": 0},
        ],
        Catch=[
            {"ErrorEquals": ["Ssm.ParameterNotFoundException"], "Next": "End"},
            {"ErrorEquals": ["States.ALL"], "Next": "End"},
        ],
    ),
    End=DONE,
)


def test_coverage_counts_states_branches_catches_and_retries_and_names_what_is_missing() -> None:
    coverage = Coverage()
    with Account(coverage) as account:
        done = ran(account, COVERED, {"n": 1})
        assert set(done.states) == coverage.visited("toy"), "the interpreter and the history tell the same states"
    report = coverage.report("toy")
    assert report.elements == 3 + 3 + 2 + 1, "states, branches, catches, and the retrier that tries at all"
    assert report.missing == [
        "Ask catch States.ALL -> End",
        "Ask retry Ssm.ThrottlingException",
        "Which choice {% $states.input.n = 2 %} -> Ask",
        "Which default -> End",
    ], "two rules that lead to one state are told apart"
    assert report.percent == pytest.approx(100 * 5 / 9)


def test_coverage_adds_up_over_accounts_and_slices() -> None:
    coverage = Coverage()
    for number, fault in ((2, "ThrottlingException"), (1, "InternalServerError"), (3, None)):
        with Account(coverage) as account:
            if fault:
                account.refuse("ssm", "GetParameter", fault)
            ran(account, COVERED, {"n": number}, f"risk-slice{number}-toy")
    assert [report.machine for report in coverage.reports()] == ["toy"]
    assert coverage.report("toy").percent == 100, str(coverage.report("toy"))


def test_every_gap_that_is_closed_says_where_and_every_other_that_it_is_open() -> None:
    for gap in GAPS:
        named = re.match(r"(\w+)((?:\.\w+)*)", gap.here)
        assert named is not None, gap
        if named[1] == "open":
            continue
        where: Any = Account if named[1] == "Account" else importlib.import_module(f"tests.aws.account.{named[1]}")
        for part in filter(None, named[2].split(".")):
            assert hasattr(where, part), f"{gap.here} names nothing"
            where = getattr(where, part)
        assert gap.source, gap


def test_an_account_holds_what_an_estate_registered_and_a_run_leaves_its_files_where_the_definition_says(
    estate: Recorded,
) -> None:
    with Account.of(estate(PEOPLED)) as account:
        account.run()
        assert {name: each.status for name, each in account.endpoints.endpoints.items()} == {
            f"risk-{environment}-{model}": "InService"
            for environment in ("staging", "production")
            for model in ("churn", "fraud")
        }
        number = account.register("churn", answered=lambda rows: [0.5 for _ in rows])
        told = account.version("churn", number)
        assert number == 2, "the first is the one that the endpoints began with"
        artifact = told["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        assert artifact.startswith(f"s3://{account.bucket('staging-artifacts')}/churn/runs/"), "where versions begin"
        assert account.has(artifact)
        run = artifact.partition("/runs/")[2].split("/")[0]
        folder = f"s3://{account.bucket('staging-artifacts')}/churn/runs/{run}"
        assert json.loads(account.read(f"{folder}/evaluate/examples/answer.json")) == {"predictions": [0.5, 0.5]}
        assert told["MetadataProperties"]["GeneratedBy"].endswith(f"/execution/{run}")
        by = account.client("sagemaker").describe_pipeline_execution(
            PipelineExecutionArn=told["MetadataProperties"]["GeneratedBy"]
        )["CreatedBy"]
        assert by["IamIdentity"]["Arn"].endswith("/ds@risk.example")
