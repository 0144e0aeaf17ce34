"""Documents inside resources: policies, event patterns, schedules, state machines, dashboards, pipelines.

Each table shows what the service refuses and, beside it, what it takes. Does not prove that a grammar is whole: only
that these mistakes are found where they stand.
"""

import json
from typing import Any

import pytest

from mlestate.local.aws import documents, events
from mlestate.local.aws.models import UnknownOperationError, request
from mlestate.local.aws.states import machine, requests
from mlestate.local.markers import SECRET, SIGNATURE, UNKNOWN
from mlestate.local.paths import spelled
from tests.local.cloud_calls import Caller
from tests.local.cloud_cases import AWS, PIPELINE, ROLE

POLICY, ROLE_TYPE, KEY_POLICY = "aws:iam/policy:Policy", "aws:iam/role:Role", "aws:kms/keyPolicy:KeyPolicy"
RULE, TARGET, SCHEDULE = (
    "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget", "aws:scheduler/schedule:Schedule",
)  # fmt: skip
MACHINE = "aws:sfn/stateMachine:StateMachine"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"


def refusals(token: str, **changes: Any) -> dict[str, str]:
    return Caller("aws").failures(token, {**AWS[token], **changes})


def statement(**changes: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **changes}
    return {key: value for key, value in made.items() if value is not None}


def policy(*statements: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


@pytest.mark.parametrize(
    ("wrong", "where", "sentence"),
    [
        ({"Effect": "Permit"}, "Effect", "expected 'Allow' or 'Deny', got 'Permit'"),
        ({"Actions": "s3:*"}, "Actions", "unknown element 'Actions'"),
        ({"Action": "GetObject"}, "Action", "an action is written service:Action, got 'GetObject'"),
        ({"Action": None}, "Action", "missing element Action"),
        ({"Action": []}, "Action", "Action is empty"),
        ({"NotAction": "s3:*"}, "Action", "a statement has Action or NotAction, not both"),
        ({"Resource": "b/*"}, "Resource", "a resource is an ARN or *, got 'b/*'"),
        ({"Resource": None}, "Resource", "missing element Resource"),
        ({"Principal": "*"}, "Principal", "Principal has no place in this policy"),
        ({"Sid": "read-only"}, "Sid", "a Sid has letters and digits only, got 'read-only'"),
        ({"Condition": {"StringEqual": {"aws:SourceAccount": "1"}}}, "Condition.StringEqual", "unknown condition"),
        ({"Condition": {"StringEquals": {"SourceAccount": "1"}}}, "Condition.StringEquals.SourceAccount",
         "a condition key is written service:key"),
        ({"Condition": {"Bool": {"aws:SecureTransport": "no"}}}, 'Condition.Bool["aws:SecureTransport"]',
         "Bool takes true or false, got 'no'"),
        ({"Condition": {"Null": {}}}, "Condition.Null", "holds an object of condition keys"),
    ],
)  # fmt: skip
def test_a_statement_that_iam_refuses_is_refused(wrong: dict[str, Any], where: str, sentence: str) -> None:
    found = refusals(POLICY, policy=policy(statement(**wrong)))
    assert sentence in found[f"policy.Statement[0].{where}"], found


@pytest.mark.parametrize(
    "right",
    [
        {"Condition": {"ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a", "b"]}}},
        {"Condition": {"NumericGreaterThan": {"sagemaker:MaxRuntimeInSeconds": 3600}}},
        {"Condition": {"Null": {"sagemaker:VpcSubnets": "true"}}},
        {"Action": None, "NotAction": ["iam:*"], "Effect": "Deny", "Resource": "*"},
        {"Resource": "arn:aws:iam::*:role/mlestate/*"},
        {"Sid": ""},
    ],
)
def test_a_statement_that_iam_takes_is_taken(right: dict[str, Any]) -> None:
    assert refusals(POLICY, policy=policy(statement(**right))) == {}


def test_a_policy_needs_a_version_and_statements_of_different_names() -> None:
    twice = statement(Sid="Read")
    assert "two statements have the Sid 'Read'" in refusals(POLICY, policy=policy(twice, twice))[
        "policy.Statement[1].Sid"
    ]  # fmt: skip
    assert "got '2012-10-71'" in refusals(POLICY, policy=policy(statement(), Version="2012-10-71"))["policy.Version"]
    assert "at least one statement" in refusals(POLICY, policy=policy())["policy.Statement"]
    assert "unknown element 'Statements'" in refusals(POLICY, policy=policy(statement(), Statements=[]))[
        "policy.Statements"
    ]  # fmt: skip


def test_a_policy_over_its_quota_is_refused_and_white_space_does_not_count() -> None:
    long = statement(Resource=[f"arn:aws:s3:::{'b' * 50}-{index}/*" for index in range(100)])
    assert "at most 6144 are allowed" in refusals(POLICY, policy=policy(long))["policy"]
    spaced = json.dumps(json.loads(policy(statement())), indent=60)
    assert refusals(POLICY, policy=spaced) == {}


def test_who_may_assume_a_role_is_said_without_a_resource_and_with_a_principal() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    assert "missing element Principal" in refusals(ROLE_TYPE, assumeRolePolicy=policy(trust))[
        "assumeRolePolicy.Statement[0].Principal"
    ]  # fmt: skip
    found = refusals(ROLE_TYPE, assumeRolePolicy=policy({**trust, "Principal": {"Service": "sagemaker"}}))
    assert "invalid principal Service: 'sagemaker'" in found["assumeRolePolicy.Statement[0].Principal.Service"]
    found = refusals(ROLE_TYPE, assumeRolePolicy=policy({**trust, "Principal": {"AWS": ROLE}, "Resource": "*"}))
    assert "Resource has no place" in found["assumeRolePolicy.Statement[0].Resource"]
    found = refusals(ROLE_TYPE, assumeRolePolicy=policy({**trust, "Principal": {"Account": "1"}}))
    assert "unknown principal 'Account'" in found["assumeRolePolicy.Statement[0].Principal.Account"]


def test_the_condition_keys_of_an_identity_provider_are_taken() -> None:
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/gitlab.com"},
        "Condition": {"StringEquals": {"dev.azure.com/acme:aud": "sts.amazonaws.com"}},
    }
    assert refusals(ROLE_TYPE, assumeRolePolicy=policy(trust)) == {}


def test_an_unknown_or_secret_document_is_left_alone_or_unsaid() -> None:
    assert refusals(KEY_POLICY, policy=UNKNOWN) == {}
    found = refusals("aws:cloudwatch/eventTarget:EventTarget", input={SIGNATURE: SECRET, "value": "{hush"})
    assert found == {"input": "the document in this secret is not what the cloud takes"}


def test_a_name_that_stands_twice_in_one_object_is_refused() -> None:
    text = '{"Version": "2012-10-17", "Statement": [], "Statement": []}'
    assert "'Statement' stands twice" in refusals(POLICY, policy=text)["policy"]


# EventBridge


@pytest.mark.parametrize(
    ("wrong", "where", "sentence"),
    [
        ({"source": "aws.sagemaker"}, "source", "a field is matched by a list of values"),
        ({"source": []}, "source", "a field is matched by a list of values"),
        ({"source": [["a"]]}, "source[0]", "a list holds values and operators"),
        ({"detail": {"name": [{"prefx": "a"}]}}, "detail.name[0]", "unknown operator 'prefx'"),
        ({"detail": {"name": [{"exists": "yes"}]}}, "detail.name[0]", "exists takes true or false"),
        ({"detail": {"count": [{"numeric": [">", "1"]}]}}, "detail.count[0]", "numeric takes comparisons"),
        ({"detail": {"name": [{"prefix": "a", "suffix": "b"}]}}, "detail.name[0]", "exactly one operator"),
        ({"detail": {"name": [{"anything-but": {"exists": True}}]}}, "detail.name[0]", "anything-but holds"),
        ({"$or": [{"a": ["b"]}]}, '["$or"]', "at least two patterns"),
        ({}, "", "names at least one field"),
    ],
)
def test_an_event_pattern_that_eventbridge_refuses_is_refused(wrong: Any, where: str, sentence: str) -> None:
    found = {spelled(path): reason for path, reason in events.pattern(json.dumps(wrong))}
    assert sentence in found[where], found


def test_an_event_pattern_that_eventbridge_takes_is_taken() -> None:
    right = {
        "source": ["aws.sagemaker"],
        "detail": {
            "UpdatedModelPackageFields": ["ModelApprovalStatus"],
            "name": [{"anything-but": {"prefix": "test"}}, {"wildcard": "a*"}, None],
            "count": [{"numeric": [">=", 0, "<", 10]}, 12],
            "$or": [{"a": [{"exists": False}]}, {"b": [True]}],
        },
    }
    assert refusals(RULE, eventPattern=json.dumps(right)) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cron(0 4 * * 1)", "cron has 6 fields (minutes hours day-of-month month day-of-week year), got 5"),
        ("cron(0 4 * * * *)", "exactly one of day-of-month and day-of-week is ?"),
        ("cron(0 4 ? * 0 *)", "'0' is no day of week"),
        ("cron(0 24 ? * MON *)", "'24' is no hours"),
        ("cron(0 4 ? JANUARY MON *)", "'JANUARY' is no month"),
        ("rate(1 hours)", "1 hour, but more are hours"),
        ("rate(5 hour)", "1 hour, but more are hours"),
        ("rate(1 week)", "minutes, hours or days"),
        ("at(2026-01-01T00:00:00)", "expected cron(...), rate(...)"),
        ("0 4 * * 1", "expected cron(...), rate(...)"),
    ],
)
def test_a_schedule_that_a_rule_refuses_is_refused(text: str, sentence: str) -> None:
    assert sentence in refusals(RULE, eventPattern=None, scheduleExpression=text)["scheduleExpression"]


@pytest.mark.parametrize(
    "text",
    ["cron(0 4 ? * MON-FRI *)", "cron(0/15 8-18 ? * 2#1 *)", "cron(0 0 L JAN,JUL ? 2026-2030)", "cron(0 0 15W * ? *)",
     "rate(1 hour)", "rate(5 minutes)", "at(2026-01-01T00:00:00)"],
)  # fmt: skip
def test_a_schedule_that_the_scheduler_takes_is_taken(text: str) -> None:
    assert refusals(SCHEDULE, scheduleExpression=text) == {}


@pytest.mark.parametrize("text", ["cron(0 * ? * * *)", "cron(0 4 ? * * *)", "cron(0 0/6 ? * * *)", "NOW"])
def test_model_monitor_takes_hourly_daily_every_so_many_hours_and_now(text: str) -> None:
    assert list(events.monitoring_schedule(text)) == []


@pytest.mark.parametrize("text", ["cron(0 0 ? * MON *)", "cron(30 4 ? * * *)", "cron(0 25 ? * * *)", "rate(1 day)"])
def test_model_monitor_refuses_every_other_rhythm(text: str) -> None:
    config = {
        **AWS["aws:sagemaker/monitoringSchedule:MonitoringSchedule"]["monitoringScheduleConfig"],
        "scheduleConfig": {"scheduleExpression": text},
    }
    found = refusals("aws:sagemaker/monitoringSchedule:MonitoringSchedule", monitoringScheduleConfig=config)
    assert "Model Monitor takes" in found["monitoringScheduleConfig.scheduleConfig.scheduleExpression"]


# Step Functions


def definition(states_: dict[str, Any], **more: Any) -> str:
    return json.dumps({"StartAt": next(iter(states_), ""), "States": states_, **more})


DONE: dict[str, Any] = {"Done": {"Type": "Succeed"}}
SDK = "arn:aws:states:::aws-sdk:sagemaker"


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        (definition({}), "States", "at least one state"),
        (definition(DONE, StartAt="Start"), "StartAt", "there is no state 'Start'"),
        (definition({"A": {"Type": "Pass", "Next": "B"}, **DONE}), "States.A.Next", "there is no state 'B'"),
        (definition({"A": {"Type": "Pass"}, **DONE}), "States.A", "either Next or End"),
        (definition({"A": {"Type": "Pass", "Next": "A"}}), "States", "no state ends the machine"),
        (definition({"A": {"Type": "Psas"}, **DONE}), "States.A.Type", "expected one of Task"),
        (definition({"A": {"Type": "Wait", "Next": "Done"}, **DONE}), "States.A", "exactly one of Seconds"),
        (definition({"A": {"Type": "Pass", "Next": "Done", "Retry": []}, **DONE}), "States.A.Retry",
         "no field 'Retry'"),
        (definition({"A": {"Type": "Choice", "Choices": []}, **DONE}), "States.A.Choices", "at least one choice"),
        (definition({"A": {"Type": "Choice", "Choices": [{"Next": "B", "Variable": "$.a", "IsNull": True}]}, **DONE}),
         "States.A.Choices[0].Next", "there is no state 'B'"),
        (definition({"A": {"Type": "Choice", "Choices": [{"Next": "Done", "Variable": "$.a", "Is": 1}]}, **DONE}),
         "States.A.Choices[0].Is", "unknown comparison"),
        (definition({"A": {"Type": "Task", "Resource": f"{SDK}:listTags", "End": True,
                           "Catch": [{"ErrorEquals": ["States.ALL", "X"], "Next": "Done"}]}, **DONE}),
         "States.A.Catch[0].ErrorEquals", "States.ALL stands alone"),
        (definition({"A": {"Type": "Task", "Resource": f"{SDK}:listTags", "End": True,
                           "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 0}]}}),
         "States.A.Retry[0].IntervalSeconds", "expected at least 1, got 0"),
        (definition({"A": {"Type": "Task", "Resource": "listTags", "End": True}}), "States.A.Resource", "is an ARN"),
        (definition({"A": {"Type": "Pass", "Parameters": {}, "End": True}}, QueryLanguage="JSONata"),
         "States.A.Parameters", "belongs to JSONPath"),
        (definition({"A": {"Type": "Pass", "Output": {}, "End": True}}), "States.A.Output", "belongs to JSONata"),
        (definition({"A": {"Type": "Parallel", "End": True, "Branches": [{"StartAt": "B", "States": DONE}]}}),
         "States.A.Branches[0].StartAt", "there is no state 'B'"),
        (definition({"A": {"Type": "Parallel", "End": True, "Branches": [{"StartAt": "A", "States": {
            "A": {"Type": "Succeed"}}}]}}), "States.A.Branches[0].States.A", "two states are called 'A'"),
        (definition({"A": {"Type": "Map", "End": True}}), "States.A.Iterator", "a state machine is an object"),
    ],
)  # fmt: skip
def test_a_definition_that_step_functions_refuses_is_refused(text: str, where: str, sentence: str) -> None:
    found = {spelled(path): reason for path, reason in machine(text)}
    assert sentence in found.get(where, ""), found


@pytest.mark.parametrize(
    ("arguments", "where", "sentence"),
    [
        ({"EndpointName": "churn"}, "EndpointConfigName", "missing required property"),
        ({"EndpointName": "churn", "EndpointConfigName": "a_b"}, "EndpointConfigName", "expected a text that matches"),
        ({"EndpointName": "churn", "EndpointConfigName.$": "$.c", "RetainWeights": True}, "RetainWeights",
         "unknown property 'RetainWeights'"),
        ({"EndpointName": "churn", "EndpointConfigName.$": "$.c", "RetainAllVariantProperties": "yes"},
         "RetainAllVariantProperties", "expected a boolean, got 'yes'"),
    ],
)  # fmt: skip
def test_what_a_task_asks_of_a_service_is_checked_as_a_request(arguments: Any, where: str, sentence: str) -> None:
    task = {"Type": "Task", "Resource": f"{SDK}:updateEndpoint", "Parameters": arguments, "End": True}
    found = refusals(MACHINE, definition=definition({"A": task}))
    assert sentence in found[f"definition.States.A.Parameters.{where}"], found


def test_what_only_exists_when_the_machine_runs_is_not_judged() -> None:
    path = {"EndpointName.$": "$.endpoint", "EndpointConfigName.$": "States.Format('{}-1', $.name)"}
    data = {"EndpointName": "{% $endpoint %}", "EndpointConfigName": "{% $name & '-1' %}"}
    task = {"Type": "Task", "Resource": f"{SDK}:updateEndpoint", "End": True}
    assert refusals(MACHINE, definition=definition({"A": {**task, "Parameters": path}})) == {}
    spoken = definition({"A": {**task, "Arguments": data}}, QueryLanguage="JSONata")
    assert refusals(MACHINE, definition=spoken) == {}


def test_step_functions_capitalizes_members_and_takes_objects_for_texts_in_optimized_integrations() -> None:
    tasks = {
        "A": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": "B",
              "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": {"what.$": "$.what"}}},
        "B": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True,
              "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:m", "Input": {"a": 1}}},
    }  # fmt: skip
    assert refusals(MACHINE, definition=definition(tasks)) == {}


def test_a_request_without_a_compiled_model_is_named_and_not_guessed() -> None:
    text = definition({"A": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:runInstances", "End": True}})
    assert list(requests(text)) == [("ec2", "RunInstances")]
    assert list(documents.unjudged(MACHINE, {"definition": text})) == ["ec2:RunInstances in a state machine"]
    with pytest.raises(UnknownOperationError):
        request("ec2", "RunInstances", {})


# Dashboards, queues, images, pipelines


@pytest.mark.parametrize(
    ("widget", "where", "sentence"),
    [
        ({"type": "graph"}, "type", "expected one of metric"),
        ({"type": "text", "properties": {}}, "properties.markdown", "a text widget needs markdown"),
        ({"type": "metric", "properties": {"metrics": [["N", "m"]]}}, "properties.region", "needs region"),
        ({"type": "metric", "properties": {"region": "r", "metrics": [["N", "m", "Endpoint"]]}},
         "properties.metrics[0]", "dimensions in pairs"),
        ({"type": "metric", "properties": {"region": "r", "metrics": [["N", "m", {"stats": "p95"}]]}},
         "properties.metrics[0].stats", "unknown option"),
        ({"type": "metric", "properties": {"region": "r"}}, "properties.metrics", "shows metrics, or one alarm"),
        ({"type": "alarm", "properties": {"alarms": []}, "width": 30}, "width", "from 1 to 24, got 30"),
        ({"type": "text", "properties": {"markdown": ""}, "x": 20, "width": 6}, "width", "ends at column 24"),
    ],
)  # fmt: skip
def test_a_widget_that_cloudwatch_refuses_is_refused(widget: dict[str, Any], where: str, sentence: str) -> None:
    found = refusals(DASHBOARD, dashboardBody=json.dumps({"widgets": [widget]}))
    assert sentence in found[f"dashboardBody.widgets[0].{where}"], found


def test_a_dead_letter_queue_is_named_by_its_arn_and_a_count() -> None:
    found = refusals("aws:sqs/queue:Queue", redrivePolicy=json.dumps({"deadLetterTargetArn": "dlq"}))
    assert found["redrivePolicy.deadLetterTargetArn"] == "expected a queue's ARN, got 'dlq'"
    assert found["redrivePolicy.maxReceiveCount"] == "expected an integer from 1 to 1000, got 'None'"


def test_two_rules_of_one_priority_are_refused_in_a_lifecycle_policy() -> None:
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    rule = json.loads(AWS[token]["policy"])["rules"][0]
    found = refusals(token, policy=json.dumps({"rules": [rule, {**rule, "selection": {"tagStatus": "tagged"}}]}))
    assert "a rulePriority of its own" in found["policy.rules"]
    assert "chosen by a tagPrefixList" in found["policy.rules[1].selection"]


def test_a_pipeline_step_s_arguments_are_checked_as_the_request_that_it_makes() -> None:
    token = "aws:sagemaker/pipeline:Pipeline"
    step = {"Name": "train", "Type": "Training", "Arguments": {"RoleArn": "me"}}
    text = json.dumps({**json.loads(PIPELINE), "Steps": [step]})
    found = refusals(token, pipelineDefinition=text)
    assert found["pipelineDefinition.Steps.train.Arguments.RoleArn"] == "has 2 characters; at least 20 are needed"
    assert found["pipelineDefinition.Steps.train.Arguments.OutputDataConfig"].startswith("missing required")


def test_a_pipeline_without_steps_is_refused() -> None:
    found = refusals("aws:sagemaker/pipeline:Pipeline", pipelineDefinition=json.dumps({"Version": "2020-12-01"}))
    assert found["pipelineDefinition"] == "there are no steps"
