"""The simulated account itself: time, executions, coverage, and what the services do, on machines made by hand.

That AWS does the same is what the sources in `account.gaps` say; no account was asked.
"""

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .account import Account, Coverage, Trained
from .account.clock import START, Clock
from .account.estate import _alarm as make_alarm
from .account.events import MISSING, matches, transformed
from .account.gaps import GAPS
from .account.metrics import calculated
from .account.people import ACCOUNT, REGION
from .conftest import Recorded
from .estates import PEOPLED

State = dict[str, Any]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/risk-production-release"


def asl(start: str, **states: State) -> str:
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": start, "States": states})


def call(action: str, arguments: Any, **more: Any) -> State:
    following = {} if "Next" in more else {"End": True}
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        **following,
        **more,
    }


def wait(seconds: int, then: str) -> State:
    return {"Type": "Wait", "Seconds": seconds, "Next": then}


def give(output: str) -> State:
    return {"Type": "Pass", "Output": f"{{% {output} %}}", "End": True}


DONE: State = {"Type": "Succeed"}


@pytest.fixture
def account() -> Iterator[Account]:
    with Account() as made:
        yield made


def ran(account: Account, definition: str, given: Any = None, name: str = "risk-production-toy") -> Any:
    account.machine(name, definition, role=ROLE)
    started = account.start(name, given or {})
    account.run()
    return account.execution(started)


# time


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


# the language


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


# executions


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


# coverage

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


# SageMaker: the registry


@pytest.fixture
def versions(account: Account) -> Account:
    account.client("sagemaker").create_model_package_group(ModelPackageGroupName="risk-hub-churn")
    account.register("churn", by="risk-staging-pipeline/SageMaker")
    return account


def test_a_version_knows_who_made_and_who_last_changed_it_and_keeps_its_metadata(versions: Account) -> None:
    versions.approve("churn", 1, by="approver@risk.example", reason="better")
    versions.edit("churn", 1, by="risk-production-release/x", **{"passed-staging": "now"})
    told = versions.version("churn", 1)
    assert told["CreatedBy"]["IamIdentity"]["Arn"].endswith(":assumed-role/risk-staging-pipeline/SageMaker")
    assert told["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":assumed-role/risk-production-release/x")
    assert told["CustomerMetadataProperties"] == {"image-tag": "1.0", "passed-staging": "now"}
    assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Approved", "better")


def test_an_event_of_a_version_tells_what_was_changed_and_nothing_is_told_when_nothing_was(versions: Account) -> None:
    versions.approve("churn", 1, by="a")
    versions.approve("churn", 1, by="b")
    versions.edit("churn", 1, by="a", note="x")
    told = [event["detail"] for _, event in versions.events.emitted]
    assert [each.get("UpdatedModelPackageFields") for each in told] == [
        None,
        ["ModelApprovalStatus"],
        ["CustomerMetadataProperties"],
    ]
    assert [each["ModelApprovalStatus"] for each in told] == ["PendingManualApproval", "Approved", "Approved"]


def test_the_newest_approved_version_is_listed_first(versions: Account) -> None:
    for _ in range(2):
        versions.clock.advance(hours=1)
        versions.approve("churn", versions.register("churn", by="x"), by="a")
    found = versions.client("sagemaker").list_model_packages(
        ModelPackageGroupName="risk-hub-churn", ModelApprovalStatus="Approved", MaxResults=1
    )
    assert [each["ModelPackageVersion"] for each in found["ModelPackageSummaryList"]] == [3]
    assert found["NextToken"]


# SageMaker: endpoints


@pytest.fixture
def served(account: Account) -> Account:
    """An endpoint with the configuration `one`, a configuration `two` beside it, and an alarm."""
    sagemaker = account.client("sagemaker")
    for name in ("one", "two"):
        sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, EnableNetworkIsolation=True, PrimaryContainer={"Image": "x"}
        )
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName="risk-production-churn", EndpointConfigName="one")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        MetricName="m",
        Namespace="n",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    account.run()
    return account


def variant(model: str, name: str = "champion", weight: float = 1) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": weight,
    }


GUARDED = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        "TerminationWaitInSeconds": 600,
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
}


def update(account: Account, configuration: str = "two", **more: Any) -> None:
    account.client("sagemaker").update_endpoint(
        EndpointName="risk-production-churn", EndpointConfigName=configuration, **more
    )


def statuses(account: Account) -> list[tuple[str, str]]:
    return [(each.status, each.configuration) for each in account.endpoint("risk-production-churn").history]


def test_an_update_takes_its_time_and_ends_in_the_new_configuration(served: Account) -> None:
    update(served, DeploymentConfig=GUARDED)
    before = served.clock.now
    said = served.client("sagemaker").describe_endpoint(EndpointName="risk-production-churn")
    assert (said["EndpointStatus"], said["EndpointConfigName"]) == ("Updating", "one")
    assert said["PendingDeploymentSummary"]["EndpointConfigName"] == "two"
    served.run()
    assert (served.clock.now - before).total_seconds() >= 900, "machines, then a watched quarter of an hour"
    assert statuses(served)[-2:] == [("Updating", "one"), ("InService", "two")]


@pytest.mark.parametrize("seconds", [0, 400, 899])
def test_an_alarm_takes_an_update_back(served: Account, seconds: float) -> None:
    update(served, DeploymentConfig=GUARDED)
    served.alarm_at(seconds, "errors", "ALARM")
    served.run()
    assert statuses(served)[-2:] == [("RollingBack", "one"), ("InService", "one")]
    said = served.client("sagemaker").describe_endpoint(EndpointName="risk-production-churn")
    assert "errors" in said["FailureReason"]
    told = [
        event["detail"]["EndpointStatus"] for _, event in served.events.emitted if "EndpointStatus" in event["detail"]
    ]
    assert told[-3:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_an_alarm_after_the_update_or_of_something_else_takes_nothing_back(served: Account) -> None:
    update(served)
    served.alarm("errors", "ALARM")
    served.run()
    assert statuses(served)[-1] == ("InService", "two"), "an update without alarms watches none"


@pytest.mark.parametrize(
    ("how", "ends"),
    [
        ("silent", ("InService", "one")),
        ("rolls-back", ("InService", "one")),
        ("rollback-fails", ("UpdateRollbackFailed", "one")),
    ],
)
def test_an_update_can_go_wrong_in_three_other_ways(served: Account, how: Any, ends: tuple[str, str]) -> None:
    served.spoil_update("risk-production-churn", how)
    update(served)
    served.run()
    assert statuses(served)[-1] == ends
    assert ("RollingBack", "one") in statuses(served) or how == "silent", "success is said where nothing has changed"


def test_an_endpoint_that_changes_takes_no_second_change(served: Account) -> None:
    update(served)
    weights = [{"VariantName": "champion", "DesiredWeight": 1}]
    for again in (
        lambda: update(served, "one"),
        lambda: served.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName="risk-production-churn", DesiredWeightsAndCapacities=weights
        ),
    ):
        with pytest.raises(ClientError, match=r"ValidationException.*in-progress"):
            again()


def test_counts_that_scaling_reached_stay_and_weights_are_the_new_ones_where_asked_so(served: Account) -> None:
    sagemaker = served.client("sagemaker")
    weights = [{"VariantName": "champion", "DesiredWeight": 7, "DesiredInstanceCount": 5}]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="risk-production-churn", DesiredWeightsAndCapacities=weights
    )
    assert served.endpoint("risk-production-churn").variants[0]["CurrentInstanceCount"] == 2, "not yet"
    served.run()
    update(
        served,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    served.run()
    (now,) = sagemaker.describe_endpoint(EndpointName="risk-production-churn")["ProductionVariants"]
    assert (now["CurrentInstanceCount"], now["DesiredInstanceCount"], now["CurrentWeight"]) == (5, 5, 1)
    update(served, "one")
    served.run()
    assert served.endpoint("risk-production-churn").variants[0]["CurrentInstanceCount"] == 2


def test_weights_are_shares_of_the_traffic(served: Account) -> None:
    sagemaker = served.client("sagemaker")
    sagemaker.create_endpoint_config(
        EndpointConfigName="both",
        ProductionVariants=[variant("one", weight=0.9), variant("two", "challenger", 0.1)],
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="shadow",
        ProductionVariants=[variant("one")],
        ShadowProductionVariants=[variant("two", "challenger")],
    )
    update(served, "both")
    served.run()
    assert served.endpoint("risk-production-churn").traffic == pytest.approx({"champion": 0.9, "challenger": 0.1})
    update(served, "shadow")
    served.run()
    said = sagemaker.describe_endpoint(EndpointName="risk-production-churn")
    assert [each["VariantName"] for each in said["ShadowProductionVariants"]] == ["challenger"]
    assert served.endpoint("risk-production-churn").traffic == {"champion": 1}, "a shadow answers nobody"


def test_what_is_there_is_not_made_again_and_a_machine_catches_what_it_is_told(served: Account) -> None:
    sagemaker = served.client("sagemaker")
    with pytest.raises(
        ClientError, match=r'Cannot create already existing endpoint configuration "arn:.*:endpoint-config/one"'
    ):
        sagemaker.create_endpoint_config(EndpointConfigName="one", ProductionVariants=[variant("one")])
    made = {"ModelName": "one", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "x"}}
    done = ran(
        served,
        asl(
            "Make",
            Make=call(
                "sagemaker:createModel",
                made,
                Catch=[
                    {
                        "ErrorEquals": ["SageMaker.SageMakerException"],
                        "Next": "There",
                        "Output": "{% $states.errorOutput.Cause %}",
                    }
                ],
            ),
            There=DONE,
        ),
    )
    assert done.output.startswith("Cannot create already existing model")
    assert sagemaker.describe_model(ModelName="one")["EnableNetworkIsolation"] is True


def test_a_model_needs_its_artifact(served: Account) -> None:
    served.client("s3").create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": REGION})
    container = {"Image": "x", "ModelDataUrl": "s3://files/churn/model.tar.gz"}
    with pytest.raises(ClientError, match="Could not access model data"):
        served.client("sagemaker").create_model(ModelName="new", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    served.write("s3://files/churn/model.tar.gz", "x")
    served.client("sagemaker").create_model(ModelName="new", ExecutionRoleArn=ROLE, PrimaryContainer=container)


@pytest.mark.parametrize("what", ["endpoint_config", "model"])
def test_whoever_deletes_what_an_endpoint_stands_on_is_told(served: Account, what: str) -> None:
    member = "EndpointConfigName" if what == "endpoint_config" else "ModelName"
    getattr(served.client("sagemaker"), f"delete_{what}")(**{member: "two"})
    served.run()
    getattr(served.client("sagemaker"), f"delete_{what}")(**{member: "one"})
    with pytest.raises(AssertionError, match="of one, which"):
        served.run()


# SageMaker: jobs and runs


@pytest.fixture
def stored(account: Account) -> Account:
    for name in ("risk-production-artifacts-1", "risk-production-capture-1"):
        account.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return account


def transform(account: Account, source: str, name: str = "trial", content: str = "application/json") -> dict[str, Any]:
    account.client("sagemaker").create_transform_job(
        TransformJobName=name,
        ModelName="served",
        TransformInput={
            "ContentType": content,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
        },
        TransformOutput={"S3OutputPath": "s3://risk-production-capture-1/churn/trials/1/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    status = account.client("sagemaker").describe_transform_job(TransformJobName=name)["TransformJobStatus"]
    assert status == "InProgress", "a job takes its time"
    account.run()
    return dict(account.client("sagemaker").describe_transform_job(TransformJobName=name))


@pytest.fixture
def trained(stored: Account) -> Account:
    """A SageMaker model that was made from a copy of a version's artifact; it doubles."""
    artifact = "s3://risk-production-artifacts-1/churn/versions/1/model/model.tar.gz"
    stored.write(artifact, json.dumps({"model": "churn", "number": 1}))
    stored.trained["churn", 1] = Trained(answers=lambda rows: [2 * each["x"] for each in rows])
    stored.client("sagemaker").create_model(
        ModelName="served", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "x", "ModelDataUrl": artifact}
    )
    stored.write("s3://risk-production-artifacts-1/churn/examples/request.json", '{"instances": [{"x": 1}, {"x": 4}]}')
    return stored


def test_a_transform_asks_the_model_of_the_version_and_writes_what_it_answers(trained: Account) -> None:
    done = transform(trained, "s3://risk-production-artifacts-1/churn/examples/request.json")
    assert done["TransformJobStatus"] == "Completed"
    answer = trained.read("s3://risk-production-capture-1/churn/trials/1/request.json.out")
    assert json.loads(answer) == {"predictions": [2, 8]}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("source", "No S3 objects found"),
        ("model", "KeyError"),
        ("told", "no machine left"),
        ("artifact", "no artifact"),
    ],
)
def test_a_transform_fails_for_what_it_would_fail_of(trained: Account, what: str, reason: str) -> None:
    source = "s3://risk-production-artifacts-1/churn/examples/request.json"
    if what == "source":
        source = "s3://risk-production-artifacts-1/churn/nothing/"
    elif what == "model":
        trained.write(source, '{"instances": [{"y": 1}]}')
    elif what == "told":
        trained.jobs.failing["tri"] = "no machine left"
    else:
        trained.write("s3://risk-production-artifacts-1/churn/versions/1/model/model.tar.gz", "another's")
    done = transform(trained, source)
    assert done["TransformJobStatus"] == "Failed"
    assert reason in done["FailureReason"]


def test_rows_of_a_csv_are_asked_line_by_line_and_a_job_has_a_name_of_its_own(trained: Account) -> None:
    trained.trained["churn", 1] = Trained(answers=lambda rows: [str(float(each[0]) + 1) for each in rows])
    trained.write("s3://risk-production-artifacts-1/churn/rows/a.csv", "1,x\n2,y\n")
    transform(trained, "s3://risk-production-artifacts-1/churn/rows/", content="text/csv")
    assert trained.read("s3://risk-production-capture-1/churn/trials/1/a.csv.out") == "2.0\n3.0\n"
    with pytest.raises(ClientError, match="ResourceInUse"):
        transform(trained, "s3://risk-production-artifacts-1/churn/rows/")


PROGRAM = """
import json, pathlib, sys, time
import boto3
from .words import GREETING
out, uri = sys.argv[sys.argv.index("--out") + 1], sys.argv[sys.argv.index("--in") + 1]
bucket, _, key = uri.removeprefix("s3://").partition("/")
text = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
if text == "fail":
    sys.exit("the input says so")
pathlib.Path(out, "report.json").write_text(json.dumps({"said": GREETING + text}))
print(json.dumps({"_aws": {"Timestamp": 1795424400000, "CloudWatchMetrics": [{"Namespace": "mlestate",
    "Dimensions": [["Model"]], "Metrics": [{"Name": "Rows"}]}]}, "Model": "churn", "Rows": 3}))
"""


@pytest.mark.parametrize(("text", "status"), [("world", "Completed"), ("fail", "Failed")])
def test_processing_runs_the_program_that_is_in_the_store(stored: Account, text: str, status: str) -> None:
    code = "s3://risk-production-artifacts-1/code/toyjob"
    for name, source in (("__init__", ""), ("words", "GREETING = 'hello '"), ("__main__", PROGRAM)):
        stored.write(f"{code}/{name}.py", source)
    stored.write("s3://risk-production-artifacts-1/in.txt", text)
    sagemaker, root = stored.client("sagemaker"), "/opt/ml/processing"
    sagemaker.create_processing_job(
        ProcessingJobName="toy",
        RoleArn=ROLE,
        AppSpecification={
            "ImageUri": "x",
            "ContainerEntrypoint": ["python3", "-m", "toyjob"],
            "ContainerArguments": ["--in", "s3://risk-production-artifacts-1/in.txt", "--out", f"{root}/output"],
        },
        Environment={"PYTHONPATH": f"{root}/input/code"},
        ProcessingInputs=[
            {
                "InputName": "code",
                "S3Input": {
                    "S3Uri": code,
                    "LocalPath": f"{root}/input/code/toyjob",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {
                        "S3Uri": "s3://risk-production-artifacts-1/out/",
                        "LocalPath": f"{root}/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
    )
    stored.run()
    done = sagemaker.describe_processing_job(ProcessingJobName="toy")
    assert done["ProcessingJobStatus"] == status, done.get("FailureReason")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("toyjob")
    if status == "Failed":
        assert done["FailureReason"] == "AlgorithmError: the input says so"
        return
    assert json.loads(stored.read("s3://risk-production-artifacts-1/out/report.json")) == {"said": "hello world"}
    told = [
        each
        for (namespace, name, _), each in stored.metrics.points.items()
        if (namespace, name) == ("mlestate", "Rows")
    ]
    assert [value for points in told for _, value in points] == [3], "what is printed in that form becomes a metric"


def test_a_run_of_a_pipeline_is_started_once_for_a_token_and_knows_by_whom(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    definition = {"Parameters": [{"Name": "ImageTag", "Type": "String"}], "Steps": []}
    sagemaker.create_pipeline(
        PipelineName="risk-staging-churn",
        PipelineDefinition=json.dumps(definition),
        RoleArn=ROLE,
        ClientRequestToken="t" * 32,
    )
    start = {
        "PipelineName": "risk-staging-churn",
        "ClientRequestToken": "{% $pad('token', 32, '-') %}",
        "PipelineParameters": [{"Name": "ImageTag", "Value": "1.0"}],
    }
    arns = {
        ran(account, asl("Go", Go=call("sagemaker:startPipelineExecution", start)), name=f"risk-staging-toy{n}").output[
            "PipelineExecutionArn"
        ]
        for n in range(2)
    }
    (arn,) = arns
    told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert told["PipelineExecutionStatus"] == "Executing"
    assert "/risk-production-release/" in told["CreatedBy"]["IamIdentity"]["Arn"]
    account.clock.advance(hours=1)
    assert sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Succeeded"
    with pytest.raises(ClientError, match=r"Parameters \['ImageTag'\] are missing"):
        sagemaker.start_pipeline_execution(PipelineName="risk-staging-churn")


# EventBridge, SNS, CloudWatch


def rule(account: Account, pattern: Any, target: dict[str, Any], bus: str = "default") -> None:
    events = account.client("events")
    events.put_rule(Name=f"rule-{bus}", EventPattern=json.dumps(pattern), EventBusName=bus)
    events.put_targets(Rule=f"rule-{bus}", EventBusName=bus, Targets=[{"Id": "target", **target}])


APPROVED = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Model Package State Change"],
    "detail": {"ModelApprovalStatus": ["Approved"], "UpdatedModelPackageFields": ["ModelApprovalStatus"]},
}
INPUT = {
    "InputPathsMap": {"group": "$.detail.ModelPackageGroupName", "version": "$.detail.ModelPackageVersion"},
    "InputTemplate": '{"cause": "approved", "group": <group>, "version": <version>}',
}


@pytest.fixture
def ruled(versions: Account) -> Account:
    """Approvals start a machine."""
    versions.machine("risk-production-toy", asl("End", End=DONE))
    target = {"Arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-production-toy", "RoleArn": ROLE}
    rule(versions, APPROVED, {**target, "InputTransformer": INPUT})
    versions.run()
    return versions


def test_an_event_that_a_rule_matches_starts_a_machine_and_others_do_not(ruled: Account) -> None:
    ruled.approve("churn", 1, by="approver@risk.example")
    ruled.edit("churn", 1, by="x", note="y")
    ruled.run()
    (done,) = ruled.executions_of("risk-production-toy")
    assert done.input == {"cause": "approved", "group": "risk-hub-churn", "version": 1}


def test_an_event_can_come_twice(ruled: Account) -> None:
    ruled.twice("SageMaker Model Package State Change")
    ruled.approve("churn", 1, by="approver@risk.example")
    ruled.reject("churn", 1, by="approver@risk.example")
    ruled.run()
    first, second = ruled.executions_of("risk-production-toy")
    assert first.input == second.input
    assert first.arn != second.arn


def test_what_cannot_be_delivered_is_a_dead_letter(versions: Account) -> None:
    queue = versions.client("sqs").create_queue(QueueName="undelivered")["QueueUrl"]
    target = {"Arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:nobody", "RoleArn": ROLE}
    rule(versions, APPROVED, {**target, "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:undelivered"}})
    versions.approve("churn", 1, by="approver@risk.example")
    versions.run()
    (message,) = versions.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["detail"]["ModelPackageVersion"] == 1
    assert [each.rule for each in versions.events.undelivered()] == ["rule-default"]


def test_an_event_goes_on_to_another_bus_and_no_further(account: Account) -> None:
    events = account.client("events")
    pattern = {"source": ["mlestate"]}
    for bus in ("first", "second", "third"):
        events.create_event_bus(Name=bus)
    for bus, following in (("first", "second"), ("second", "third")):
        rule(
            account, pattern, {"Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{following}", "RoleArn": ROLE}, bus
        )
    entry = {
        "Source": "mlestate",
        "DetailType": "Model version passed",
        "Detail": '{"model": "churn"}',
        "EventBusName": "first",
    }
    done = ran(account, asl("Send", Send=call("eventbridge:putEvents", {"Entries": [entry]})))
    assert done.output["FailedEntryCount"] == 0
    assert [bus for bus, _ in account.events.emitted] == ["first", "second"]
    refused = events.put_events(Entries=[entry | {"EventBusName": "nobody"}, entry | {"Source": "aws.sagemaker"}])
    assert [each["ErrorCode"] for each in refused["Entries"]] == [
        "ResourceNotFoundException",
        "NotAuthorizedForSourceException",
    ]


EVENT = {"source": "a", "detail": {"name": "risk-x", "n": 5, "list": ["a", "b"], "inner": {"on": True}, "none": None}}


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ({"source": ["a", "b"]}, True),
        ({"source": ["b"]}, False),
        ({"nothing": ["a"]}, False),
        ({"detail": {"name": [{"prefix": "risk-"}]}}, True),
        ({"detail": {"name": [{"prefix": "other-"}]}}, False),
        ({"detail": {"name": [{"suffix": "-x"}]}}, True),
        ({"detail": {"name": [{"equals-ignore-case": "RISK-X"}]}}, True),
        ({"detail": {"name": [{"wildcard": "r*-x"}]}}, True),
        ({"detail": {"name": [{"wildcard": "r?sk-x"}]}}, False),
        ({"detail": {"name": [{"anything-but": "risk-x"}]}}, False),
        ({"detail": {"name": [{"anything-but": {"prefix": "other-"}}]}}, True),
        ({"detail": {"gone": [{"anything-but": "x"}]}}, False),
        ({"detail": {"gone": [{"exists": False}]}}, True),
        ({"detail": {"name": [{"exists": True}]}}, True),
        ({"detail": {"list": ["b", "c"]}}, True),
        ({"detail": {"list": ["c"]}}, False),
        ({"detail": {"list": [{"anything-but": ["a"]}]}}, False),
        ({"detail": {"n": [{"numeric": [">", 4, "<=", 5]}]}}, True),
        ({"detail": {"n": ["5"]}}, False),
        ({"detail": {"n": [5.0]}}, True),
        ({"detail": {"inner": {"on": [True]}}}, True),
        ({"detail": {"inner": {"on": [1]}}}, False),
        ({"detail": {"none": [None]}}, True),
        ({"detail": {"$or": [{"n": [1]}, {"name": ["risk-x"]}]}}, True),
        ({"detail": {"$or": [{"n": [1]}, {"name": ["y"]}]}}, False),
        ({"detail": {"name": ["risk-x"], "n": [1]}}, False),
    ],
)
def test_patterns_match_as_eventbridge_says(pattern: dict[str, Any], matched: bool) -> None:
    assert matches(pattern, EVENT) is matched


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('{"a": <text>, "b": <number>}', '{"a": "say \\"x\\"", "b": 7}'),
        ('{"a": "<text>: <number>"}', '{"a": "say \\"x\\": 7"}'),
        ('"<text> was <gone>."', '"say \\"x\\" was ."'),
        ('{"a": <list>, "b": "<unknown>"}', '{"a": [1], "b": "<unknown>"}'),
    ],
)
def test_a_template_makes_json(template: str, made: str) -> None:
    assert transformed(template, {"text": 'say "x"', "number": 7, "list": [1], "gone": MISSING}) == made


@pytest.mark.parametrize("template", ['{"a": <gone>}', '{"a": <number>', "plain <number>"])
def test_a_template_that_makes_no_json_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="stands for nothing|Expect"):
        transformed(template, {"number": 7, "gone": MISSING})


def test_what_is_published_can_be_read_and_a_subject_must_fit(account: Account) -> None:
    topic = account.client("sns").create_topic(Name="risk-production-notice")["TopicArn"]
    caught = [{"ErrorEquals": ["Sns.InvalidParameterException"], "Next": "Refused"}]
    definition = asl(
        "Tell",
        Tell=call(
            "sns:publish",
            {"TopicArn": topic, "Subject": "{% $states.input.subject %}", "Message": "text"},
            Catch=caught,
        ),
        Refused=DONE,
    )
    assert ran(account, definition, {"subject": "churn 1 waits"}).states == ("Tell",)
    for number, subject in enumerate(("x" * 101, "two\nlines", "naïve")):
        assert ran(account, definition, {"subject": subject}, f"risk-production-t{number}").states[-1] == "Refused"
    assert [(each.subject, each.text) for each in account.published("notice")] == [("churn 1 waits", "text")]
    assert account.published("page") == []


def test_an_alarm_tells_its_topics_and_eventbridge_and_the_alarms_made_of_it(account: Account) -> None:
    topic = account.client("sns").create_topic(Name="risk-production-page")["TopicArn"]
    cloudwatch_backend = account.metrics
    for name, of in (
        ("a", None),
        ("b", None),
        ("both", f'ALARM("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a") AND NOT OK(b)'),
    ):
        make_alarm(account, {"name": name, "alarmRule": of, "alarmActions": [topic] if name == "both" else []})
    account.alarm("a", "ALARM")
    assert cloudwatch_backend.state("both") == "OK"
    account.alarm("b", "ALARM")
    assert cloudwatch_backend.state("both") == "ALARM"
    account.run()
    assert [each.subject for each in account.published("page")] == ['ALARM: "both"']
    told = [event["detail"]["alarmName"] for _, event in account.events.emitted]
    assert told == ["a", "b", "both"]
    described = account.client("cloudwatch").describe_alarms(AlarmNames=["a", "both"], StateValue="ALARM")
    assert [each["AlarmName"] for each in described["MetricAlarms"]] == ["a"]
    assert described["CompositeAlarms"] == []
    with pytest.raises(AssertionError, match="no alarm is called c"):
        account.alarm("c", "ALARM")


def test_metrics_of_answers_are_read_as_a_machine_reads_them(account: Account) -> None:
    account.answering("risk-production-churn", "challenger", per_minute=100, errors=0.1, latency_ms=80)
    account.clock.advance(minutes=10)
    account.answering("risk-production-churn", "challenger", per_minute=100)
    account.clock.advance(minutes=10)
    dimensions = [
        {"Name": "EndpointName", "Value": "risk-production-churn"},
        {"Name": "VariantName", "Value": "challenger"},
    ]

    def stat(name: str, metric: str, statistic: str, shown: bool = True) -> dict[str, Any]:
        of = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
        return {"Id": name, "MetricStat": {"Metric": of, "Period": 600, "Stat": statistic}, "ReturnData": shown}

    arguments = {
        "StartTime": "{% $fromMillis($millis() - 1200000) %}",
        "EndTime": "{% $now() %}",
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            stat("calls", "Invocations", "Sum"),
            stat("bad", "Invocation5XXErrors", "Sum", shown=False),
            stat("slow", "ModelLatency", "p99"),
            {"Id": "share", "Expression": "IF(calls > 0, bad / calls, 0)"},
        ],
    }
    done = ran(account, asl("Read", Read=call("cloudwatch:getMetricData", arguments)))
    values = {each["Id"]: each["Values"] for each in done.output["MetricDataResults"]}
    assert values["calls"] == [1000, 1000]
    assert values["share"] == pytest.approx([0.1, 0])
    assert values["slow"] == [80_000, 50_000], "CloudWatch has a model's latency in microseconds"
    assert "bad" not in values


def test_metric_math_has_no_value_where_a_metric_has_none() -> None:
    at = START
    series = {"a": {at: 6.0}, "b": {at: 0.0}, "none": {}}
    for expression, value in {
        "a * 2 - 1": 11.0,
        "a / b": None,
        "a + none": None,
        "FILL(none, 3) + a": 9.0,
        "SUM([a, b])": 6.0,
        "MAX([a, none])": 6.0,
        "IF(b > 0, a / b, -1)": -1.0,
    }.items():
        assert calculated(expression, series).get(at) == value, expression
    with pytest.raises(ValueError, match="does not know"):
        calculated("ANOMALY_DETECTION_BAND(a)", series)


def test_a_budget_can_be_spent(account: Account) -> None:
    account.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "b",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "5", "Unit": "USD"},
        },
    )
    ask = call("budgets:describeBudget", {"AccountId": ACCOUNT, "BudgetName": "b"})
    for spent in (0, 7.5):
        if spent:
            account.spend("b", spent)
        done = ran(account, asl("Ask", Ask=ask), name=f"risk-production-t{spent > 0}")
        assert float(done.output["Budget"]["CalculatedSpend"]["ActualSpend"]["Amount"]) == spent


# the whole


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
