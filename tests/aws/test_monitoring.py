"""AWS: what is watched, when someone is told, and the monitor's schedule."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from mlestate.aws.images import IMAGES
from mlestate.aws.jobs import MONITOR
from mlestate.aws.jobs.monitor.__main__ import arguments
from mlestate.aws.monitors import window
from mlestate.aws.settings import KNOWN_REGIONS, REGIONS, cores, gpus
from mlestate.blueprint.inventory import Row
from mlestate.config import load
from mlestate.config.base import Schedule
from mlestate.local.engine import Diagnostic
from mlestate.local.session import rehearse
from tests.config.said import said as refused

from .conftest import Recorded, Rows, all_of, one
from .estates import MINIMAL, ONE_ACCOUNT

WATCHED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
alerts: {email: [oncall@risk.example]}
models:
  churn:
    problem: classification
    owner: churn@risk.example
    gates: {model: {recall: {min: 0.6}}, fairness: {attribute: province, max_disparity: 0.1}}
    serving:
      mode: realtime
      initial_version: 1
      replicas: {min: 2, max: 4}
      rollout: {rollback_on: {error_rate: {max: 0.01}, p99_latency_ms: {max: 900}}}
    monitoring:
      schedule: "30 */6 * * *"
      data_drift: {metric: psi, threshold: 0.2}
      prediction_drift: {metric: js, threshold: 0.1}
      model_quality: {min: 0.55, labels: lake/churn/labels/}
      service: {error_rate: {max: 0.02}, p95_latency_ms: {max: 300}}
  rare:
    problem: regression
    serving: {mode: serverless, initial_version: 1}
  later:
    problem: classification
    serving: {mode: realtime}
    monitoring: {data_drift: {metric: ks}}
"""
SERVICE = {"error-rate", "refused-rate", "rollback-error-rate", "service-degraded"}


def alarms(rows: Rows, model: str = "churn", kind: str = "MetricAlarm") -> dict[str, dict[str, Any]]:
    start = f"risk-production-monitoring-{model}-"
    found = all_of(rows, f"cloudwatch:{kind}")
    return {name.removeprefix(start): dict(row.inputs) for name, row in found.items() if name.startswith(start)}


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [query["metric"] for query in alarm["metricQueries"] if "metric" in query]


def expression(alarm: dict[str, Any]) -> str:
    (found,) = [query["expression"] for query in alarm["metricQueries"] if "expression" in query]
    return str(found)


def test_a_model_without_an_endpoint_has_no_alarm_that_bills(estate: Recorded) -> None:
    for kind in ("cloudwatch:CompositeAlarm", "cloudwatch:Dashboard", "scheduler:Schedule"):
        assert not [name for name in all_of(estate(MINIMAL), kind) if "-monitoring-" in name]
    assert alarms(estate(WATCHED), "later") == {}
    assert not [name for name in all_of(estate(WATCHED), "scheduler:Schedule") if name.endswith("later")]


def test_every_signal_of_a_model_has_its_alarm(estate: Recorded) -> None:
    found = {*alarms(estate(WATCHED)), *alarms(estate(WATCHED), kind="CompositeAlarm")}
    assert found == SERVICE | {
        *("cpu", "memory", "disk"),
        *("p95-latency", "rollback-p99-latency"),
        *("data-drift", "prediction-drift", "model-quality", "disparity", "monitor-silent", "model-degraded"),
    }
    assert {*alarms(estate(WATCHED), "rare"), *alarms(estate(WATCHED), "rare", "CompositeAlarm")} == SERVICE, (
        "a serverless endpoint has no machine to fill up, and captures nothing that a monitor could read"
    )


def test_a_release_knows_its_alarms_by_name_before_they_are_made(estate: Recorded) -> None:
    names = {each["name"] for each in alarms(estate(WATCHED)).values()}
    assert {"risk-production-churn-rollback-error-rate", "risk-production-churn-rollback-p99-latency"} <= names
    assert "risk-production-churn-rollback-p95-latency" not in names, "it is not a sign of this model's"
    rollback, service = (alarms(estate(WATCHED))[each] for each in ("rollback-error-rate", "error-rate"))
    assert (rollback["threshold"], service["threshold"]) == (0.01, 0.02)


def test_every_alarm_reaches_someone_and_says_what_to_do(estate: Recorded) -> None:
    found = estate(WATCHED)
    page, notice = (f"arn:aws:sns:ca-central-1:111111111111:risk-production-{each}" for each in ("page", "notice"))
    for name, alarm in alarms(found).items():
        assert alarm["alarmActions"] == alarm["okActions"] == [notice], name
        assert len(alarm["alarmDescription"]) > 40
    for name, alarm in alarms(found, kind="CompositeAlarm").items():
        assert alarm["alarmActions"] == alarm["okActions"] == [page], f"{name} is what a person is woken for"


def test_a_composite_alarm_stands_on_what_degrades_and_outlives_nothing_that_it_names(estate: Recorded) -> None:
    found = estate(WATCHED)
    for aspect, causes in (
        ("service-degraded", {"error-rate", "p95-latency"}),
        ("model-degraded", {"data-drift", "prediction-drift", "model-quality", "disparity"}),
    ):
        row = one(found, "cloudwatch:CompositeAlarm", f"production-monitoring-churn-{aspect}")
        named = re.findall(r'ALARM\("[^"]*:alarm:risk-production-churn-([a-z0-9-]+)"\)', row.inputs["alarmRule"])
        assert set(named) == causes
        for cause in causes:
            urn = one(found, "cloudwatch:MetricAlarm", f"production-monitoring-churn-{cause}").urn
            assert urn in row.dependencies, "CloudWatch does not delete an alarm that a composite names"


def test_an_asynchronous_endpoint_is_watched_by_metrics_that_it_has(estate: Recorded) -> None:
    """It publishes no `Invocations`: a share of these would have no number, and its alarm would never go off."""
    found = alarms(estate(WATCHED.replace("{mode: serverless,", "{mode: async,")), "rare")
    for signal, name in (("error-rate", "Invocation5XXErrors"), ("refused-rate", "Invocation4XXErrors")):
        asked = {each["metricName"] for each in metrics(found[signal])}
        assert asked == {name}, "an endpoint that answers later counts its errors alone"
        assert {each["stat"] for each in metrics(found[signal])} == {"SampleCount", "Sum"}, "a 0 or a 1 for each"


def test_shares_are_of_requests_and_quiet_where_there_are_none(estate: Recorded) -> None:
    alarm = alarms(estate(WATCHED))["error-rate"]
    assert expression(alarm) == "IF(calls > 0, bad / calls, 0)", "no division by no requests"
    assert {(each["metricName"], each["stat"]) for each in metrics(alarm)} == {
        ("Invocations", "Sum"),
        ("Invocation5XXErrors", "Sum"),
    }
    for each in metrics(alarm):
        assert each["namespace"] == "AWS/SageMaker"
        assert each["dimensions"] == {"EndpointName": "risk-production-churn", "VariantName": "champion"}
    assert (alarm["datapointsToAlarm"], alarm["evaluationPeriods"]) == (2, 3), "one bad minute is no incident"
    assert alarm["treatMissingData"] == "notBreaching", "an endpoint that nobody calls has no numbers"
    assert alarms(estate(WATCHED), "rare")["error-rate"]["threshold"] == 0.05, "what is watched when nothing is said"


def test_latency_is_asked_for_in_milliseconds_and_measured_in_microseconds(estate: Recorded) -> None:
    alarm = alarms(estate(WATCHED))["p95-latency"]
    (metric,) = metrics(alarm)
    assert (metric["metricName"], metric["stat"]) == ("ModelLatency", "p95")
    assert alarm["threshold"] == 300_000


def test_a_cpu_is_full_when_all_its_cores_are(estate: Recorded) -> None:
    alarm = alarms(estate(WATCHED))["cpu"]
    (metric,) = metrics(alarm)
    assert metric["metricName"] == "CPUUtilization", "the normalized twin is there for inference components alone"
    assert expression(alarm) == "value / 4", "SageMaker adds up the cores, and an ml.m5.xlarge has four"
    assert alarm["threshold"] == 90
    sizes = {"ml.t2.medium": 2, "ml.m5.large": 2, "ml.m5.xlarge": 4, "ml.g5.12xlarge": 48, "ml.p4d.24xlarge": 96}
    assert {each: cores(each) for each in sizes} == sizes


def test_a_gpu_is_watched_where_there_is_one(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    alarm = alarms(found, "vision")["gpu-memory"]
    assert expression(alarm) == "value / 1", "an ml.g5.xlarge has one"
    assert "gpu-memory" not in alarms(estate(WATCHED))
    sizes = {"ml.m5.xlarge": 0, "ml.g5.xlarge": 1, "ml.g5.12xlarge": 4, "ml.p3.2xlarge": 1, "ml.p4d.24xlarge": 8}
    assert {each: gpus(each) for each in sizes} == sizes


def test_a_monitor_that_has_fallen_silent_is_an_alarm_though_nothing_is_measured(estate: Recorded) -> None:
    alarm = alarms(estate(WATCHED))["monitor-silent"]
    (metric,) = metrics(alarm)
    assert (metric["metricName"], metric["stat"], metric["period"]) == ("Rows", "SampleCount", 6 * 3600)
    assert alarm["treatMissingData"] == "breaching", "its missing number is the alarm"
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["evaluationPeriods"] * metric["period"] <= 7 * 86400, "CloudWatch looks back no further"
    assert alarm["warmUpConfiguration"] == {"warmUpPeriodDurationInMinutes": 720}, "a new monitor has not run yet"
    others = {each["treatMissingData"] for name, each in alarms(estate(WATCHED)).items() if name != "monitor-silent"}
    assert others == {"notBreaching"}, "a day without requests wakes nobody"


@pytest.mark.parametrize(
    ("signal", "metric", "comparison", "threshold"),
    [
        ("data-drift", "DataDrift", "GreaterThanThreshold", 0.2),
        ("prediction-drift", "PredictionDrift", "GreaterThanThreshold", 0.1),
        ("model-quality", "ModelQuality", "LessThanThreshold", 0.55),
        ("disparity", "Disparity", "GreaterThanThreshold", 0.1),
    ],
)
def test_the_monitors_numbers_are_held_against_the_file(
    signal: str, metric: str, comparison: str, threshold: float, estate: Recorded
) -> None:
    alarm = alarms(estate(WATCHED))[signal]
    (found,) = metrics(alarm)
    assert (found["namespace"], found["metricName"]) == ("mlestate", metric)
    assert found["dimensions"] == {"Environment": "risk-production", "Model": "churn"}
    assert (alarm["comparisonOperator"], alarm["threshold"]) == (comparison, threshold)


def test_a_number_with_two_bounds_is_out_of_either(estate: Recorded) -> None:
    alarm = alarms(estate(WATCHED.replace("{min: 0.55,", "{min: 0.55, max: 0.99,")))["model-quality"]
    assert expression(alarm) == "IF((value) < 0.55 OR (value) > 0.99, 1, 0)"
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert [query["returnData"] for query in alarm["metricQueries"]].count(True) == 1, "an alarm is on one number"


def request(rows: Rows) -> dict[str, Any]:
    """What the schedule asks for, as SageMaker gets it when the scheduler has put in its own words."""
    text = schedule(rows).inputs["target"]["input"]
    for word, value in {"scheduled-time": "2026-01-02T04:00:00Z", "execution-id": "d32c5kddcf5bb8c3"}.items():
        text = text.replace(f"<aws.scheduler.{word}>", value)
    found: dict[str, Any] = json.loads(text)
    return found


def schedule(rows: Rows) -> Row:
    return one(rows, "scheduler:Schedule", "production-monitoring-churn")


@pytest.mark.parametrize("network", ["public", "private"])
def test_the_monitors_request_is_one_that_sagemaker_takes(estate: Recorded, network: str) -> None:
    # A serverless endpoint joins no network.
    alone = WATCHED.replace("mode: serverless", "mode: none").replace(", initial_version: 1}\n  later", "}\n  later")
    asked = request(estate(alone.replace("encryption:", f"network: {network}\nencryption:")))
    api = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    report = ParamValidator().validate(asked, api.shape_for("CreateProcessingJobRequest"))
    assert not report.has_errors(), report.generate_report()
    assert re.fullmatch("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", asked["ProcessingJobName"])
    assert asked["ProcessingJobName"].startswith("risk-production-churn-"), "by which a failure is known as ours"
    command = asked["AppSpecification"]["ContainerArguments"]
    assert all(len(word) <= 256 for word in command)
    assert ("VpcConfig" in asked["NetworkConfig"]) == (network == "private")


def test_the_monitor_is_asked_for_what_the_file_says(estate: Recorded) -> None:
    asked = arguments(request(estate(WATCHED))["AppSpecification"]["ContainerArguments"])
    assert (asked.model, asked.environment, asked.problem) == ("churn", "risk-production", "classification")
    assert (asked.data_drift, asked.prediction_drift) == ("psi", "js")
    assert (asked.metric, asked.attribute) == ("recall", "province"), "the first gated metric, and the gate's groups"
    assert asked.hours == 6
    assert re.fullmatch(r"s3://risk-production-capture-\w+/churn/risk-production-churn/champion/", asked.capture), (
        "SageMaker captures under the endpoint's and the variant's names"
    )
    assert re.fullmatch(r"s3://risk-production-raw-\w+/lake/churn/labels/", asked.labels)
    assert re.fullmatch(r"s3://risk-production-artifacts-\w+/churn/baselines/data/statistics.json", asked.baseline)


def test_the_monitor_is_started_by_the_clock_and_runs_from_its_files(estate: Recorded) -> None:
    found = estate(WATCHED)
    row = schedule(found)
    assert row.inputs["scheduleExpression"] == "cron(30 0/6 * * ? *)"
    assert row.inputs["target"]["arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"
    assert row.inputs["target"]["roleArn"].endswith("risk-production-scheduler")
    files = {
        name.rpartition("code-")[2]: each
        for name, each in all_of(found, "s3:BucketObjectv2").items()
        if "-monitoring-code-" in name
    }
    assert {name: each.inputs["content"] for name, each in files.items()} == dict(MONITOR)
    assert {each.urn for each in files.values()} <= set(row.dependencies), "a run finds all that it imports"
    source = request(found)["ProcessingInputs"][0]["S3Input"]
    for name, each in files.items():
        assert f"s3://{each.inputs['bucket']}/{each.inputs['key']}" == f"{source['S3Uri']}{name}"


BATCH = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
alerts: {email: [oncall@risk.example]}
data: {datasets: {tx: {path: lake/tx/, format: csv}}}
models:
  churn:
    problem: classification
    data: {dataset: tx, target: churned}
    serving: {mode: batch, schedule: daily, initial_version: 1}
    monitoring: {data_drift: {metric: ks}}
  plain:
    problem: classification
    data: {dataset: tx}
    serving: {mode: batch, initial_version: 1}
"""


def test_a_batch_model_is_watched_by_what_it_read_and_wrote(estate: Recorded) -> None:
    found = estate(BATCH)
    assert {*alarms(found), *alarms(found, kind="CompositeAlarm")} == {"data-drift", "monitor-silent", "model-degraded"}
    assert alarms(found, "plain") == {}, "there is no endpoint to watch, and nothing else was asked for"
    asked = arguments(request(found)["AppSpecification"]["ContainerArguments"])
    transform = json.loads(one(found, "sfn:StateMachine", "production-serving-batch").inputs["definition"])
    said = transform["States"]["Which"]["Choices"][0]["Assign"]["request"]
    assert asked.capture == said["DataCaptureConfig"]["DestinationS3Uri"] + "/"
    assert asked.answers == said["TransformOutput"]["S3OutputPath"]
    assert asked.target == "churned", "what is to be predicted is learned from and never asked"


def test_what_the_monitor_reads_and_writes_is_encrypted(estate: Recorded) -> None:
    found = estate(WATCHED)
    key = one(found, "kms:Key", "production-keys-models").outputs["arn"]
    asked = request(found)
    assert asked["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == key
    assert asked["ProcessingOutputConfig"]["KmsKeyId"] == key
    assert asked["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is True


@pytest.mark.parametrize(
    ("cron", "hours"),
    [("hourly", 1), ("daily", 24), ("15 */6 * * *", 6), ("0 6,18,20 * * *", 12), ("0 9-17 * * *", 16)],
)
def test_a_window_reaches_back_to_the_run_before(cron: str, hours: int) -> None:
    assert window(Schedule.parse(cron)) == hours, "what no run looks at, nobody watches"


def test_a_dashboard_shows_every_alarm_and_every_number(estate: Recorded) -> None:
    found = estate(WATCHED)
    body = json.loads(one(found, "cloudwatch:Dashboard", "production-monitoring-churn").inputs["dashboardBody"])
    state, *graphs = body["widgets"]
    made = {*alarms(found), *alarms(found, kind="CompositeAlarm")}
    assert {arn.rpartition(":risk-production-churn-")[2] for arn in state["properties"]["alarms"]} == made
    assert len(graphs) == len(alarms(found))
    corners = [(each["x"], each["y"]) for each in body["widgets"]]
    assert len(set(corners)) == len(corners), "no graph lies over another"
    for each in graphs:
        assert each["properties"]["region"] == "ca-central-1"
        assert each["properties"]["annotations"]["horizontal"], "a number without its bound says little"


def said(text: str, folder: Path) -> list[str]:
    file = folder / "estate.yaml"
    file.write_text(text)
    heard: list[str] = []
    done = rehearse(file, listener=lambda event: heard.append(event.message) if isinstance(event, Diagnostic) else None)
    assert not done.result.failed, heard
    return heard


def test_a_plan_says_when_alarms_reach_no_one(tmp_path: Path) -> None:
    silent = "alerts: {email: [oncall@risk.example]}\n"
    assert silent in WATCHED
    assert [each for each in said(WATCHED.replace(silent, ""), tmp_path) if "reach no one" in each]
    assert said(WATCHED, tmp_path) == []
    assert said(MINIMAL, tmp_path) == [], "where there are no alarms there is nobody to tell"


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ("30 */6 * * *", "0 4 * * 1", "models.churn.monitoring.schedule", "look back a week"),
        ("30 */6 * * *", "0 4 1 * *", "models.churn.monitoring.schedule", "Use daily"),
        (
            "mode: realtime\n      initial",
            "mode: async\n      initial",
            "models.churn.monitoring.data_drift",
            "asynchr",
        ),
        ("recall: {min: 0.6}", "custom: {lift: {min: 2}}", "models.churn.monitoring.model_quality", "'lift'"),
        ("{email: [oncall@risk.example]}", '{slack: "secret:hook"}', "alerts.slack", "Add alerts.email"),
        ("{email: [oncall@risk.example]}", '{pagerduty: "secret:key"}', "alerts.pagerduty", "tampering"),
        ("region: ca-central-1", "region: mx-central-1", "models.churn.monitoring.data_drift", "mx-central-1"),
        (
            "problem: regression\n    serving: {mode: serverless, initial_version: 1}",
            "problem: regression\n    monitoring: {service: {p95_latency_ms: {max: 5}}}",
            "models.rare.monitoring.service",
            "serving.mode is none",
        ),
    ],
)
def test_what_could_not_be_watched_is_refused(old: str, new: str, path: str, reason: str) -> None:
    assert old in WATCHED
    found = refused(WATCHED.replace(old, new))
    assert [message for where, message in found if where == path and reason in message], found


def test_a_table_has_no_lines_for_the_monitor() -> None:
    found = refused(BATCH.replace("format: csv", "format: parquet"))
    assert [
        message for where, message in found if where == "models.churn.monitoring.data_drift" and "no lines" in message
    ]


def test_what_defaults_say_for_watched_models_stops_no_other(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(
        ONE_ACCOUNT.replace("models:", "defaults: {monitoring: {data_drift: {metric: psi}}}\nmodels:").replace(
            "{problem: regression}\n", "{problem: regression, serving: {mode: async, initial_version: 1}}\n"
        )
    )
    load(file)


def test_the_monitor_runs_wherever_the_law_of_a_residency_keeps_data() -> None:
    _, accounts = IMAGES["scikit-learn"]
    assert {region for regions in REGIONS.values() for region in regions} <= set(accounts)
    assert set(accounts) <= set(KNOWN_REGIONS)
    assert all(re.fullmatch("[0-9]{12}", account) for _, each in IMAGES.values() for account in each.values())
