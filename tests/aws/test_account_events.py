"""The simulated account itself: events, messages, alarms, metrics and budgets.

That AWS does the same is what the sources in `account.gaps` say; no account was asked.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .account import Account
from .account.clock import START
from .account.estate import _alarm as make_alarm
from .account.events import MISSING, matches, transformed
from .account.metrics import calculated
from .account.people import ACCOUNT, REGION
from .account.toy import DONE, ROLE, asl, call, ran


@pytest.fixture
def account() -> Iterator[Account]:
    with Account() as made:
        yield made


@pytest.fixture
def versions(account: Account) -> Account:
    account.client("sagemaker").create_model_package_group(ModelPackageGroupName="risk-hub-churn")
    account.register("churn", by="risk-staging-pipeline/SageMaker")
    return account


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
        ({"detail": {"list": [{"anything-but": ["c"]}]}}, True),
        ({"detail": {"list": [{"anything-but": ["a", "b"]}]}}, False),
        ({"detail": {"name": [{"wildcard": "risk\\*x"}]}}, False),
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


def test_what_the_guide_leaves_open_is_no_match_and_no_mismatch() -> None:
    with pytest.raises(NotImplementedError, match="leaves open"):
        matches({"detail": {"list": [{"anything-but": ["a"]}]}}, EVENT)
    with pytest.raises(KeyError, match="prefxi"):
        matches({"detail": {"name": [{"prefxi": "risk-"}]}}, EVENT)


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
    with pytest.raises(ValueError, match=r"stands for nothing|Expect"):
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
