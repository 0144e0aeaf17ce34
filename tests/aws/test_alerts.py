"""AWS: who is told, by which way, and that no secret is told with it."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from mlestate.aws.signals import ALARM, SIGNALS, Signal
from mlestate.local.cloud import LocalCloud
from mlestate.local.engine import Diagnostic, Engine
from mlestate.local.faults import Faults
from mlestate.local.session import PROJECT, program, rehearse, settings
from mlestate.local.state import State
from mlestate.local.store import Store
from mlestate.names import Names

from .conftest import Recorded, all_of, one, statements
from .estates import MINIMAL

WAYS = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
alerts: {email: [oncall@risk.example, lead@risk.example], slack: "secret:slackWebhook", pagerduty: "secret:pager"}
models:
  churn: {problem: classification}
"""
NAMES = Names("aws", "risk", "production", "ca-central-1", "111111111111")


def test_there_is_a_topic_for_each_urgency_whoever_listens(estate: Recorded) -> None:
    found = estate(MINIMAL)
    assert {row.inputs["name"] for row in all_of(found, "sns:Topic").values()} == {
        f"acme-{slice_}-{urgency}" for slice_ in ("hub", "production") for urgency in ("page", "notice")
    }, "one who comes later changes no alarm"
    assert all_of(found, "sns:TopicSubscription") == {}


def test_an_address_gets_everything_and_pagerduty_what_is_urgent(estate: Recorded) -> None:
    found = all_of(estate(WAYS), "sns:TopicSubscription")
    production = {name.removeprefix("risk-production-alerts-"): row for name, row in found.items() if "hub" not in name}
    assert set(production) == {
        *(f"{urgency}-{who}@risk.example" for urgency in ("page", "notice") for who in ("oncall", "lead")),
        "page-pagerduty",
    }
    pager = production["page-pagerduty"].inputs
    assert (pager["protocol"], pager["endpointAutoConfirms"]) == ("https", True)
    assert production["page-oncall@risk.example"].inputs["protocol"] == "email"


def test_a_secret_is_nowhere_to_be_read(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(WAYS)
    done = rehearse(file)
    assert not done.result.failed
    known, hidden = (json.dumps(done.state.export(show_secrets=show)) for show in (True, False))
    for key in ("slackWebhook", "pager"):
        secret = f"https://stand-in.invalid/{key}"
        assert secret in known, "a rehearsal puts an address that leads nowhere in its place"
        assert secret not in hidden, "the webhook's address is its password"
        assert secret not in json.dumps(done.result.outputs)


def test_a_stack_without_the_secret_is_told_how_to_set_it(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(WAYS)
    known = {key: value for key, value in settings(file, None).items() if key != "mlestate:pager"}
    store, heard = Store.in_memory(), list[str]()
    engine = Engine(
        project=PROJECT,
        stack="real",
        state=State.in_memory(),
        providers=lambda package: LocalCloud(package, store, Faults()),
        config=known,
        listener=lambda event: heard.append(event.message) if isinstance(event, Diagnostic) else None,
    )
    assert engine.preview(program()).failed
    (sentence,) = heard
    assert "secret:pager" in sentence
    assert sentence.endswith("pulumi config set --secret mlestate:pager")


def test_alarms_are_never_under_the_key_that_aws_manages_for_sns(estate: Recorded) -> None:
    topic = one(estate(WAYS), "sns:Topic", "production-alerts-page").inputs
    assert topic["kmsMasterKeyId"] == one(estate(WAYS), "kms:Key", "production-keys-logs").outputs["arn"]
    assert "kmsMasterKeyId" not in one(estate(MINIMAL), "sns:Topic", "production-alerts-page").inputs, (
        "CloudWatch may not use alias/aws/sns, and its alarms would vanish without a word"
    )


def test_only_services_that_work_for_this_account_publish(estate: Recorded) -> None:
    said = statements(one(estate(WAYS), "sns:TopicPolicy", "production-alerts-page").inputs["policy"])
    publishers = {sid: each for sid, each in said.items() if each["Effect"] == "Allow"}
    assert {each["Principal"]["Service"] for each in publishers.values()} == {
        f"{service}.amazonaws.com" for service in ("cloudwatch", "events", "budgets", "costalerts")
    }
    for sid, each in publishers.items():
        assert each["Action"] == "sns:Publish"
        assert each["Resource"] == "arn:aws:sns:ca-central-1:111111111111:risk-production-page"
        if sid != "Events":
            assert each["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}
    assert "Condition" not in publishers["Events"], "EventBridge sends SNS no condition keys: none would ever be true"
    assert said["RefusePlainHttp"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_slack_hears_alarms_and_failures_through_an_identity_that_may_call_it(estate: Recorded) -> None:
    found = estate(WAYS)
    destination = one(found, "cloudwatch:EventApiDestination", "production-alerts-slack")
    assert destination.inputs["httpMethod"] == "POST"
    assert destination.inputs["invocationRateLimitPerSecond"] == 1, "Slack takes one message a second"
    targets = {
        name.removeprefix("risk-production-alerts-"): row.inputs
        for name, row in all_of(found, "cloudwatch:EventTarget").items()
        if name.startswith("risk-production-alerts-")
    }
    slack = {name for name in targets if name.endswith("-slack")}
    assert slack == {"alarm-changed-slack", *(f"{signal.name}-slack" for signal in SIGNALS)}
    for name, target in targets.items():
        if name in slack:
            assert target["roleArn"].endswith("role/mlestate/risk/risk-production-events")
            assert set(json.loads(target["inputTransformer"]["inputTemplate"])) == {"text"}, "what a webhook takes"
        else:
            assert "roleArn" not in target, "SNS is reached by its own policy; a role may break encrypted topics"
    assert {name for name in targets if name not in slack} == {f"{signal.name}-notice" for signal in SIGNALS}


def test_slack_hears_the_hubs_alarms_through_an_identity_of_the_hub(estate: Recorded) -> None:
    found = estate(WAYS)
    target = one(found, "cloudwatch:EventTarget", "hub-alerts-alarm-changed-slack").inputs
    assert target["roleArn"] == one(found, "iam:Role", "hub-access-events").outputs["arn"]
    destination = one(found, "cloudwatch:EventApiDestination", "hub-alerts-slack").outputs["arn"]
    allowed = statements(one(found, "iam:RolePolicy", "hub-access-events").inputs["policy"])
    granted = [each["Resource"] for each in allowed.values() if each["Action"] == "events:InvokeApiDestination"]
    assert [each for each in granted if fnmatchcase(destination, each)], "or every message would be refused"


def test_without_slack_no_rule_waits_for_alarms(estate: Recorded) -> None:
    found = estate(MINIMAL)
    assert all_of(found, "cloudwatch:EventApiDestination") == {}
    assert not [name for name in all_of(found, "cloudwatch:EventRule") if name.endswith("alarm-changed")]


def matches(pattern: Any, event: Any) -> bool:
    """Whether an event matches a pattern, as EventBridge's user guide has it, for the operators in use here."""
    if isinstance(pattern, list):
        return any(holds(each, event) for each in pattern)
    return isinstance(event, dict) and all(
        any(matches(branch, event) for branch in each) if key == "$or" else matches(each, event.get(key))
        for key, each in pattern.items()
    )


def holds(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    ((operator, operand),) = wanted.items()
    if operator == "exists":
        return (value is not None) is operand
    if operator == "anything-but":
        return value is not None and not holds(operand, value)
    return value is not None and fnmatchcase(value, f"{operand}*" if operator == "prefix" else operand)


def event(signal: Signal, **detail: Any) -> dict[str, Any]:
    return {"source": signal.source, "detail-type": signal.detail_type, "detail": detail}


@pytest.mark.parametrize(
    ("signal", "detail", "told"),
    [
        ("pipeline-failed", {"pipelineArn": "risk-production-churn", "currentPipelineExecutionStatus": "Failed"}, True),
        (
            "pipeline-failed",
            {"pipelineArn": "risk-production-churn", "currentPipelineExecutionStatus": "Succeeded"},
            False,
        ),
        ("pipeline-failed", {"pipelineArn": "risk-staging-churn", "currentPipelineExecutionStatus": "Failed"}, False),
        ("processing-failed", {"ProcessingJobName": "risk-production-churn-1", "ProcessingJobStatus": "Failed"}, True),
        (
            "processing-failed",
            {"ProcessingJobName": "risk-production-churn-1", "ProcessingJobStatus": "Completed"},
            False,
        ),
        (
            "processing-failed",
            {
                "ProcessingJobName": "model-monitoring-202601020400-0123456789abcdef",
                "MonitoringScheduleArn": NAMES.arn("sagemaker", "monitoring-schedule/risk-production-churn-bias"),
                "ProcessingJobStatus": "Failed",
                "FailureReason": "AlgorithmError: exit code 1",
            },
            True,
        ),
        (
            "processing-failed",
            {
                "ProcessingJobName": "risk-production-churn-1",
                "ProcessingJobStatus": "Failed",
                "FailureReason": "Job inputs had no data",
            },
            False,
        ),
        ("transform-failed", {"TransformJobName": "risk-production-churn-1", "TransformJobStatus": "Failed"}, True),
        ("transform-failed", {"TransformJobName": "others-1", "TransformJobStatus": "Failed"}, False),
    ],
)
def test_people_are_told_of_what_failed_in_this_slice(signal: str, detail: dict[str, str], told: bool) -> None:
    found = next(each for each in SIGNALS if each.name == signal)
    if "pipelineArn" in detail:
        detail = {
            **detail,
            "pipelineArn": f"arn:aws:sagemaker:ca-central-1:111111111111:pipeline/{detail['pipelineArn']}",
        }
    assert matches(json.loads(found.pattern(NAMES)), event(found, **detail)) is told


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("OK", "ALARM", True),
        ("INSUFFICIENT_DATA", "ALARM", True),
        ("ALARM", "OK", True),
        ("INSUFFICIENT_DATA", "OK", False),
        ("OK", "INSUFFICIENT_DATA", False),
    ],
)
def test_slack_is_not_told_that_a_new_alarm_has_nothing_to_say(before: str, now: str, told: bool) -> None:
    changed = event(ALARM, alarmName="risk-production-churn-cpu", state={"value": now}, previousState={"value": before})
    assert matches(json.loads(ALARM.pattern(NAMES)), changed) is told


@pytest.mark.parametrize("signal", [ALARM, *SIGNALS], ids=lambda signal: signal.name)
def test_every_word_of_a_sentence_comes_from_the_event(signal: Signal) -> None:
    for path in signal.paths:
        assert f"<{path}>" in signal.said
    assert signal.said.count("<") == len(signal.paths), "EventBridge refuses a placeholder without a path"
