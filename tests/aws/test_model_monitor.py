"""AWS: SageMaker's own monitors, for an account that may still use them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from mlestate.aws.model_monitor import KINDS, definition, expression
from mlestate.blueprint.inventory import Row
from mlestate.config import load
from mlestate.config.base import Schedule
from mlestate.config.errors import ConfigError
from mlestate.config.model import Model
from mlestate.local.session import Session
from mlestate.names import Names

from .conftest import Recorded, Rows, all_of, one

ASKED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
network: private
alerts: {email: [oncall@risk.example]}
models:
  churn:
    problem: classification
    owner: churn@risk.example
    automated_decision: true
    gates: {fairness: {attribute: province}}
    serving: {mode: realtime, initial_version: 1}
    monitoring:
      schedule: daily
      data_drift: {metric: psi}
      model_quality: {metric: recall, min: 0.5, labels: lake/churn/labels/}
      aws: {model_monitor: true}
"""
SAGEMAKER = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
STARTS = "risk-production-monitoring-churn-"


def states(rows: Rows) -> dict[str, dict[str, Any]]:
    """What is asked of Cloud Control, by the kind of monitor."""
    found = all_of(rows, "cloudcontrol:Resource")
    return {
        name.removeprefix(STARTS): json.loads(row.inputs["desiredState"])
        for name, row in found.items()
        if name.startswith(STARTS)
    }


def schedules(rows: Rows) -> dict[str, Row]:
    return {name.removeprefix(STARTS): row for name, row in all_of(rows, "sagemaker:MonitoringSchedule").items()}


def test_a_model_has_none_of_them_unless_its_file_asks(estate: Recorded) -> None:
    """AWS takes no new customers for them: in most accounts they would fail in the middle of an `up`."""
    found = estate(ASKED.replace("      aws: {model_monitor: true}\n", ""))
    assert schedules(found) == {}
    assert all_of(found, "sagemaker:DataQualityJobDefinition") == {}
    assert states(found) == {}
    assert one(found, "scheduler:Schedule", "production-monitoring-churn"), "the estate's own watches all the same"


def test_each_kind_watches_what_the_file_watches(estate: Recorded) -> None:
    assert set(schedules(estate(ASKED))) == set(KINDS)
    less = ASKED.replace("    automated_decision: true\n", "").replace(
        "    gates: {fairness: {attribute: province}}\n", ""
    )
    assert set(schedules(estate(less))) == {"data-quality", "model-quality"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "data-quality"])
def test_what_cloud_control_is_asked_for_is_what_sagemakers_api_takes(kind: str, estate: Recorded) -> None:
    """The members of CloudFormation's schema are those of the API."""
    row = one(estate(ASKED), "cloudcontrol:Resource", f"{STARTS}{kind}")
    operation = row.inputs["typeName"].replace("AWS::SageMaker::", "Create")
    state = states(estate(ASKED))[kind]
    report = ParamValidator().validate(state, SAGEMAKER.shape_for(f"{operation}Request"))
    assert not report.has_errors(), report.generate_report()
    assert row.inputs["desiredState"] == json.dumps(state, sort_keys=True, separators=(",", ":")), "or it would change"


def test_a_data_quality_definition_says_what_sagemakers_api_takes(estate: Recorded) -> None:
    names = Names("aws", "risk", "production", "ca-central-1", "111111111111")
    model = Model.model_validate({"problem": "regression", "monitoring": {"data_drift": {}}})
    said = definition(
        "data-quality",
        names,
        "churn",
        model,
        role_arn="arn:aws:iam::111111111111:role/risk-production-monitoring",
        stores=dict.fromkeys(("artifacts", "capture", "raw"), "s3://bucket"),
        key=None,
        subnets=[],
        groups=[],
    )
    report = ParamValidator().validate(said, SAGEMAKER.shape_for("CreateDataQualityJobDefinitionRequest"))
    assert not report.has_errors(), report.generate_report()
    row = one(estate(ASKED), "sagemaker:DataQualityJobDefinition", f"{STARTS}data-quality").inputs
    assert row["dataQualityBaselineConfig"]["statisticsResource"]["s3Uri"].endswith(
        "/churn/baselines/data/statistics.json"
    )
    assert row["dataQualityJobOutputConfig"]["monitoringOutputs"]["s3Output"]["s3UploadMode"] == "EndOfJob"
    assert row["networkConfig"]["enableNetworkIsolation"] is True


def test_a_definition_that_says_something_else_is_called_something_else(estate: Recorded) -> None:
    before, after = (
        {kind: state["JobDefinitionName"] for kind, state in states(estate(text)).items()}
        for text in (ASKED, ASKED.replace("lake/churn/labels/", "lake/labels/"))
    )
    changed = {kind for kind in before if before[kind] != after[kind]}
    assert changed == {"model-quality", "bias"}, "a definition cannot change: the new one is made beside the old"
    for name in before.values():
        assert re.fullmatch("risk-production-churn-[a-z-]+-[0-9a-f]{8}", name)
        assert len(name) <= 63
    row = one(estate(ASKED), "cloudcontrol:Resource", f"{STARTS}bias")
    assert row.options["replaceOnChanges"] == ["desiredState"]


def test_a_schedule_moves_to_the_new_definition_before_the_old_one_goes(tmp_path: Path) -> None:
    """That SageMaker lets a schedule move at any time is for an account to prove."""
    file = tmp_path / "estate.yaml"
    file.write_text(ASKED)
    session = Session.of(file, tmp_path / "local")
    assert not session.run("up").failed
    file.write_text(ASKED.replace("lake/churn/labels/", "lake/labels/"))
    done = session.run("up")
    assert not done.failed
    for kind in ("model-quality", "bias"):
        steps = [
            (each.op, each.type.rpartition(":")[2])
            for each in done.operations
            if each.name == f"{STARTS}{kind}" and each.op not in ("same", "replace") and "Alarm" not in each.type
        ]
        assert steps == [
            ("create-replacement", "Resource"),
            ("update", "MonitoringSchedule"),
            ("delete-replaced", "Resource"),
        ]


def test_a_schedule_stands_on_its_definition_by_name(estate: Recorded) -> None:
    found = estate(ASKED)
    named = {kind: state["JobDefinitionName"] for kind, state in states(found).items()}
    named["data-quality"] = one(found, "sagemaker:DataQualityJobDefinition", f"{STARTS}data-quality").inputs["name"]
    for kind, row in schedules(found).items():
        config = row.inputs["monitoringScheduleConfig"]
        assert config["monitoringJobDefinitionName"] == named[kind]
        assert config["monitoringType"] == KINDS[kind].type
        assert row.inputs["name"] == f"risk-production-churn-{kind}"


def test_a_schedule_comes_after_the_endpoint_and_goes_before_it(estate: Recorded) -> None:
    endpoint = one(estate(ASKED), "sagemaker:Endpoint", "production-serving-churn").urn
    for row in schedules(estate(ASKED)).values():
        assert endpoint in row.dependencies, "SageMaker refuses a schedule of an endpoint that is not there"


def test_definitions_are_made_one_after_the_other(estate: Recorded) -> None:
    found = estate(ASKED)
    order = [schedules(found)[kind].urn for kind in KINDS]
    for before, kind in zip(order, list(KINDS)[1:], strict=False):
        row = one(found, "cloudcontrol:Resource", f"{STARTS}{kind}")
        assert before in row.dependencies, "Cloud Control gives up at the first refusal of too many calls"


def test_what_is_made_through_cloud_control_carries_its_own_tags(estate: Recorded) -> None:
    for state in states(estate(ASKED)).values():
        tags = {each["Key"]: each["Value"] for each in state["Tags"]}
        assert tags["owner"] == "churn@risk.example", "Cloud Control knows no default tags"
        assert (tags["estate"], tags["environment"], tags["model"]) == ("risk", "production", "churn")


def test_only_the_monitor_that_asks_the_model_reaches_the_network(estate: Recorded) -> None:
    for kind, state in states(estate(ASKED)).items():
        config = state["NetworkConfig"]
        assert config["EnableNetworkIsolation"] is (kind != "explainability"), "Clarify asks a copy of the model"
        assert config["EnableInterContainerTrafficEncryption"] is True
        assert len(config["VpcConfig"]["Subnets"]) == 2
        assert state["JobResources"]["ClusterConfig"]["VolumeKmsKeyId"].startswith("arn:aws:kms:")


def test_true_outcomes_go_to_those_who_compare(estate: Recorded) -> None:
    for kind, state in states(estate(ASKED)).items():
        source = state[f"{KINDS[kind].word}JobInput"]
        assert ("GroundTruthS3Input" in source) is KINDS[kind].labelled
        assert source["EndpointInput"]["InferenceAttribute"], "without it a model quality job fails at its first run"


@pytest.mark.parametrize(
    ("schedule", "taken"),
    [
        ("hourly", "cron(0 * ? * * *)"),
        ("daily", "cron(0 4 ? * * *)"),
        ("0 */6 * * *", "cron(0 0/6 ? * * *)"),
        ("30 4 * * *", None),
        ("0 4,16 * * *", None),
        ("weekly", None),
    ],
)
def test_only_the_schedules_that_model_monitor_takes_are_written(schedule: str, taken: str | None) -> None:
    assert expression(Schedule.parse(schedule)) == taken


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("schedule: daily", 'schedule: "30 4 * * *"', "is no schedule that SageMaker Model Monitor takes"),
        ("region: ca-central-1", "region: ca-west-1", "ca-west-1 is not known to have it"),
        ("mode: realtime", "mode: batch", "watches a realtime endpoint"),
        ("  churn:", f"  {'churn' * 8}:", "too many"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused(old: str, new: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    assert old in ASKED
    file.write_text(ASKED.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load(file)
    assert [each for each in error.value.problems if reason in each.message], error.value.problems
