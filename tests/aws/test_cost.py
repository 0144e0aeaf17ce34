"""AWS: budgets, what happens when one is spent, unusual spend, and when endpoints rest.

Not proved here: that AWS Budgets counts by the tags as written, which only a bill can show.
"""

import json
import re
from pathlib import Path

import pytest

from mlestate.aws.cost import hours
from mlestate.config import ConfigError, load
from mlestate.config.cost import OffHours

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL

ESTATE = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
people: {data_scientists: [ds@risk.example], ml_engineers: ["sso:Engineers"]}
alerts: {email: [oncall@risk.example]}
environments:
  staging:
    monthly_budget_usd: 500
    anomaly_monitor: new
    off_hours: {stop: "19:00", start: "07:00", timezone: America/Toronto}
    stop_idle_after: 8h
  production: {protect: true, monthly_budget_usd: 2500}
models:
  churn:
    problem: classification
    owner: churn@risk.example
    serving: {mode: realtime, replicas: {min: 1, max: 3}, initial_version: 1}
  rare: {problem: classification, serving: {mode: serverless, initial_version: 1}}
"""

SERVICES = {"applicationautoscaling": "application-autoscaling"}
"""What Step Functions writes without a hyphen, as IAM writes it."""


class TestBudget:
    def test_a_budget_counts_one_environment_of_one_estate(self, estate: Recorded) -> None:
        budget = one(estate(ESTATE), "budgets:Budget", "staging-cost-monthly").inputs
        assert (budget["limitAmount"], budget["timeUnit"]) == ("500.00", "MONTHLY")
        operands = [each["tags"] for each in budget["filterExpression"]["ands"]]
        assert operands == [
            {"key": "estate", "values": ["risk"]},
            {"key": "environment", "values": ["staging"]},
        ], "joined by OR it would count every staging of the account"
        assert budget["metrics"] == "UnblendedCost", "an expression needs a metric beside it"

    def test_people_are_told_at_half_at_four_fifths_and_when_it_is_spent(self, estate: Recorded) -> None:
        budget = one(estate(ESTATE), "budgets:Budget", "staging-cost-monthly").inputs
        told = {
            (each["notificationType"], each["threshold"]): each["subscriberSnsTopicArns"][0].rpartition(":")[2]
            for each in budget["notifications"]
        }
        assert told == {
            ("ACTUAL", 50): "risk-staging-notice",
            ("ACTUAL", 80): "risk-staging-notice",
            ("ACTUAL", 100): "risk-staging-page",
            ("FORECASTED", 100): "risk-staging-notice",
        }

    def test_a_spent_budget_freezes_people_of_its_own_environment(self, estate: Recorded) -> None:
        found = estate(ESTATE)
        freeze = one(found, "budgets:BudgetAction", "staging-cost-freeze")
        frozen = freeze.inputs["definition"]["iamActionDefinition"]
        roles = {row.inputs["name"] for row in all_of(found, "iam:Role").values()}
        assert set(frozen["roles"]) == {"risk-staging-data-scientist", "risk-staging-ml-engineer"} & roles
        assert frozen["roles"], "a freeze of nobody would be for show"
        policy = one(found, "iam:Policy", "staging-access-freeze")
        assert frozen["policyArn"] == policy.outputs["arn"]
        assert policy.urn in freeze.dependencies, "a policy that is not there yet cannot be attached"
        assert freeze.inputs["executionRoleArn"].endswith("role/mlestate/risk/risk-staging-budget")

    def test_a_protected_environment_is_frozen_only_when_someone_agrees(self, estate: Recorded) -> None:
        found = all_of(estate(ESTATE), "budgets:BudgetAction")
        models = {name: row.inputs["approvalModel"] for name, row in found.items()}
        assert models == {"risk-staging-cost-freeze": "AUTOMATIC", "risk-production-cost-freeze": "MANUAL"}

    def test_an_estate_that_asks_for_nothing_gets_nothing(self, estate: Recorded) -> None:
        assert [row for row in estate(MINIMAL) if "-cost-" in row.name] == []

    def test_a_budget_alone_makes_no_machine(self, estate: Recorded) -> None:
        found = estate(ESTATE)
        assert [name for name in all_of(found, "sfn:StateMachine") if name.startswith("risk-production-cost")] == []


class TestAnomalies:
    def test_a_monitor_is_made_only_where_the_file_says_that_there_is_none(self, estate: Recorded) -> None:
        """AWS has room for one in an account, and gives new accounts one by itself."""
        made = estate(ESTATE)
        assert list(all_of(made, "costexplorer:AnomalyMonitor")) == ["risk-staging-cost-anomalies"]
        arn = "arn:aws:ce::111111111111:anomalymonitor/01234567-89ab-cdef-0123-456789abcdef"
        given = estate(ESTATE.replace("anomaly_monitor: new", f"anomaly_monitor: {arn}"))
        assert all_of(given, "costexplorer:AnomalyMonitor") == {}
        subscription = one(given, "costexplorer:AnomalySubscription", "staging-cost-anomalies").inputs
        assert subscription["monitorArnLists"] == [arn]

    def test_a_topic_is_told_at_once_and_from_a_twentieth_of_the_budget_on(self, estate: Recorded) -> None:
        found = one(estate(ESTATE), "costexplorer:AnomalySubscription", "staging-cost-anomalies").inputs
        assert found["frequency"] == "IMMEDIATE", "AWS sends no daily summary to a topic"
        assert found["thresholdExpression"]["dimension"]["values"] == ["25.00"]


class TestOffHours:
    def test_the_machine_runs_when_the_file_says_and_no_endpoint_is_touched_by_the_stack(
        self, estate: Recorded
    ) -> None:
        found = estate(ESTATE)
        schedules = {
            row.inputs["target"]["input"]: (row.inputs["scheduleExpression"], row.inputs["scheduleExpressionTimezone"])
            for name, row in all_of(found, "scheduler:Schedule").items()
            if name.startswith("risk-staging-cost")
        }
        assert schedules == {
            '{"action":"stop"}': ("cron(0 19 ? * MON-FRI *)", "America/Toronto"),
            '{"action":"start"}': ("cron(0 7 ? * MON-FRI *)", "America/Toronto"),
            '{"action":"reap"}': ("rate(1 hour)", "UTC"),
        }
        machine = one(found, "sfn:StateMachine", "staging-cost-upkeep").inputs
        items = json.loads(machine["definition"])["States"]["EachEndpoint"]["Items"]
        assert [each["endpoint"] for each in items] == ["risk-staging-churn"], "a serverless one costs nothing idle"
        assert {"Key": "owner", "Value": "churn@risk.example"} in items[0]["tags"], "it comes back with its tags"
        memory = one(found, "ssm:Parameter", "staging-cost-endpoint-risk-staging-churn")
        assert memory.inputs["name"] == items[0]["memory"]
        assert memory.options["ignoreChanges"] == ["insecureValue"], "an up while it is off must not forget what it was"

    def test_the_machine_s_identity_may_do_what_the_machine_does(self, estate: Recorded) -> None:
        found = estate(ESTATE)
        machine = one(found, "sfn:StateMachine", "staging-cost-upkeep").inputs
        called = {
            f"{SERVICES.get(service, service)}:{action[0].upper()}{action[1:]}"
            for service, action in re.findall(r"aws-sdk:(\w+):(\w+)", machine["definition"])
        }
        role = next(row for row in all_of(found, "iam:Role").values() if row.outputs["arn"] == machine["roleArn"])
        permissions = one(found, "iam:RolePolicy", role.name).inputs["policy"]
        said = [each for each in statements(permissions).values() if each["Effect"] == "Allow"]
        allowed = {action for each in said for action in actions(each)}
        assert called <= allowed, called - allowed
        assert "sagemaker:UpdateEndpoint" not in allowed, "releases are not its business"

    def test_a_machine_that_fails_reaches_someone(self, estate: Recorded) -> None:
        found = estate(ESTATE)
        alarm = one(found, "cloudwatch:MetricAlarm", "staging-cost-upkeep").inputs
        assert alarm["metricName"] == "ExecutionsFailed"
        assert alarm["alarmActions"] == [one(found, "sns:Topic", "staging-alerts-notice").outputs["arn"]]

    @pytest.mark.parametrize(
        ("stop", "start", "weekends", "expected"),
        [
            ("19:00", "07:30", True, ("cron(0 19 ? * MON-FRI *)", "cron(30 7 ? * MON-FRI *)")),
            ("01:00", "05:00", True, ("cron(0 1 ? * TUE-SAT *)", "cron(0 5 ? * MON-FRI *)")),
            ("19:00", "07:00", False, ("cron(0 19 ? * * *)", "cron(0 7 ? * * *)")),
        ],
    )
    def test_a_working_day_is_stopped_after_its_end(
        self, stop: str, start: str, weekends: bool, expected: tuple[str, str]
    ) -> None:
        assert hours(OffHours(stop=stop, start=start, weekends=weekends)) == expected


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("protect: true", "protect: true, stop_idle_after: 8h", "production.stop_idle_after", "protect is true"),
        (
            "protect: true",
            'protect: true, off_hours: {stop: "19:00", start: "07:00"}',
            "production.off_hours",
            "Remove the line, or the protection",
        ),
        ("stop_idle_after: 8h", "stop_idle_after: 90m", "stop_idle_after", "whole hours, from 1h to 14d"),
        ("stop_idle_after: 8h", "stop_idle_after: 3w", "stop_idle_after", "whole hours, from 1h to 14d"),
        ('start: "07:00"', 'start: "19:00"', "off_hours.start", "is also when endpoints stop"),
        ('start: "07:00"', 'start: "7"', "off_hours.start", "time of the day"),
        ('stop: "19:00"', "stop: 19:00", "off_hours.stop", 'Write "19:00"'),
        ("America/Toronto", "America/Torronto", "off_hours.timezone", "did you mean 'America/Toronto'"),
        ("mode: realtime", "mode: async", "off_hours", "would stop nothing"),
        (
            "monthly_budget_usd: 2500",
            "anomaly_monitor: new",
            "production.anomaly_monitor",
            "an account has room for one",
        ),
        (
            "anomaly_monitor: new",
            "anomaly_monitor: arn:aws:ce::222222222222:anomalymonitor/01234567-89ab-cdef-0123-456789abcdef",
            "staging.anomaly_monitor",
            "outside its own account",
        ),
        ("anomaly_monitor: new", "anomaly_monitor: yes please", "anomaly_monitor", "must be new, or the ARN"),
        ("monthly_budget_usd: 500", "monthly_budget_usd: 0", "monthly_budget_usd", "0"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(
    old: str, new: str, where: str, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "estate.yaml"
    assert old in ESTATE
    file.write_text(ESTATE.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert where in str(refused.value)
    assert says in str(refused.value), str(refused.value)


def test_off_hours_are_refused_by_name_where_they_are_not_built(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(
        "version: 1\nname: acme\ncloud: gcp\nregion: europe-west1\nproject: acme-ml-hub\n"
        'environments: {staging: {off_hours: {stop: "19:00", start: "07:00"}}}\n'
        "models: {churn: {problem: classification}}\n"
    )
    with pytest.raises(ConfigError, match="off_hours is not built yet on gcp"):
        load(file)
