"""AWS: the pipelines of an estate, the settings that they read and the schedules that start them."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlestate.local.aws_pipeline import operations, validate_definition
from tests.config.said import AWS, said
from tests.conftest import recorded

from .api_model import refusals
from .conftest import Recorded, Rows, all_of, one
from .estates import MINIMAL, ONE_ACCOUNT

TRAINED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
environments:
  staging: {mirrors: production, scale: 0.25}
  production: {protect: true}
data:
  datasets:
    transactions: {path: lake/transactions/, format: csv}
features:
  customers: {entity: customer_id, event_time: ts, fields: {amount_30d: float}}
models:
  churn:
    problem: classification
    owner: churn@risk.example
    data: {dataset: transactions, target: churned}
    training: {schedule: "0 4 * * 1", image: "1.4.2", compute: cpu-large, instances: 4, spot: true}
    gates: {model: {roc_auc: {min: 0.8}}, fairness: {attribute: province}}
  price:
    problem: regression
    data: {features: customers}
    training:
      compute: gpu-small
      raw: {aws: {Pipeline: {parallelism_configuration: {max_parallel_execution_steps: 5}}}}
"""
PRIVATE = TRAINED + "network: private\ntracking: {server: managed}\n"


def described(rows: Rows, name: str) -> str:
    text = one(rows, "sagemaker:Pipeline", f"-training-{name}").inputs["pipelineDefinition"]
    assert isinstance(text, str)
    return text


def settings(rows: Rows, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(one(rows, "s3:BucketObjectv2", f"-training-{name}-settings").inputs["content"])
    return found


@pytest.mark.parametrize("text", [MINIMAL, ONE_ACCOUNT, TRAINED, PRIVATE])
def test_every_pipeline_of_an_estate_is_what_sagemaker_takes(estate: Recorded, text: str) -> None:
    pipelines = all_of(estate(text), "sagemaker:Pipeline")
    assert pipelines
    for name, row in pipelines.items():
        definition = row.inputs["pipelineDefinition"]
        assert validate_definition(definition) == [], name
        for step, operation, arguments in operations(definition):
            assert refusals("sagemaker", operation, arguments) == [], f"{name}, step {step}"


def test_every_model_has_a_pipeline_in_every_environment(estate: Recorded) -> None:
    found = {row.inputs["pipelineName"]: row for row in all_of(estate(TRAINED), "sagemaker:Pipeline").values()}
    assert set(found) == {
        f"risk-{place}-{model}" for place in ("staging", "production") for model in ("churn", "price")
    }
    for row in found.values():
        assert row.inputs["roleArn"].endswith("-pipeline"), "the pipeline itself is no model and trains nothing"
    assert found["risk-production-churn"].inputs["tags"]["owner"] == "churn@risk.example"


def test_a_definition_stands_in_the_pipeline_and_not_in_s3(estate: Recorded) -> None:
    """A definition in S3 cannot be updated (hashicorp/terraform-provider-aws#38259)."""
    for row in all_of(estate(TRAINED), "sagemaker:Pipeline").values():
        assert "pipelineDefinitionS3Location" not in row.inputs
        text = row.inputs["pipelineDefinition"]
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")), "or every up changes it"


def in_production(rows: Rows) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """By model: the requests that the pipelines of production make."""
    found = {name: row for name, row in all_of(rows, "sagemaker:Pipeline").items() if "-production-" in name}
    return {name.rpartition("-")[2]: list(operations(row.inputs["pipelineDefinition"])) for name, row in found.items()}


def test_jobs_run_as_their_own_model_and_no_other(estate: Recorded) -> None:
    for model, requests in in_production(estate(TRAINED)).items():
        roles = {arguments["RoleArn"] for _, _, arguments in requests if "RoleArn" in arguments}
        assert len(roles) == 1
        assert roles.pop().endswith(f"risk-production-{model}-training")


def test_a_private_estate_trains_in_its_network_and_under_its_key(estate: Recorded) -> None:
    rows = estate(PRIVATE)
    made = all_of(rows, "ec2:Subnet").items()
    subnets = {row.outputs["arn"].rpartition("/")[2] for name, row in made if "-production-" in name}
    assert subnets
    for requests in in_production(rows).values():
        for step, operation, arguments in requests:
            if operation == "CreateModelPackage":
                continue
            network = arguments.get("NetworkConfig", arguments)
            assert set(network["VpcConfig"]["Subnets"]) == subnets, step
            assert network["VpcConfig"]["SecurityGroupIds"], step
            kept = arguments.get("OutputDataConfig") or arguments["ProcessingOutputConfig"]
            assert ":key/" in kept["KmsKeyId"], step
    for requests in in_production(estate(TRAINED)).values():
        assert "VpcConfig" not in json.dumps([arguments for *_, arguments in requests])


def test_runs_are_told_where_the_estate_tracks_them(estate: Recorded) -> None:
    tracked = {step: arguments for step, _, arguments in in_production(estate(PRIVATE))["churn"]}
    assert tracked["train"]["Environment"]["MLFLOW_TRACKING_URI"].startswith("arn:")
    assert tracked["train"]["Environment"]["MLFLOW_EXPERIMENT_NAME"] == "risk-production-churn"
    assert "MLFLOW_TRACKING_URI" not in tracked["check-model"]["Environment"]


def test_settings_name_the_source_of_the_data(estate: Recorded) -> None:
    rows = [row for row in estate(TRAINED) if "-production-" in row.name]
    (raw,) = (row.inputs["bucket"] for name, row in all_of(rows, "s3:Bucket").items() if name.endswith("-raw"))
    source = settings(rows, "churn")["source"]
    assert source == {"kind": "dataset", "uri": f"s3://{raw}/lake/transactions/", "format": "csv"}
    features = settings(rows, "price")["source"]
    assert (features["kind"], features["entity"], features["fields"]) == ("features", "customer_id", ["amount_30d"])
    assert features["group"], "the name in the store, where the container asks for it"
    assert settings(estate(MINIMAL), "churn")["source"] is None, "the repository brings its own data"


def test_gates_are_data_and_no_part_of_the_image(estate: Recorded) -> None:
    rows = [row for row in estate(TRAINED) if "-production-" in row.name]
    gates = settings(rows, "churn")["gates"]
    assert gates["model"]["metrics"] == {"roc_auc": {"min": 0.8, "max": None}}
    assert gates["fairness"] == {"attribute": "province", "max_disparity": 0.1}


def test_there_is_an_answer_to_who_is_champion_before_the_first_release(estate: Recorded) -> None:
    """A SageMaker job fails on an input folder that holds nothing; from the first release on the folder is its own."""
    marker = one(estate(MINIMAL), "s3:BucketObjectv2", "-training-churn-champion")
    assert json.loads(marker.inputs["content"]) == {"version": None}
    assert marker.inputs["key"] == "churn/champion/champion.json"
    assert set(marker.options["ignoreChanges"]) == {"content", "contentType"}, "or an up would dethrone the champion"
    pipeline = one(estate(MINIMAL), "sagemaker:Pipeline", "-training-churn")
    assert marker.urn in pipeline.dependencies, "a run that starts at once finds its inputs"


def test_an_object_has_as_many_tags_as_s3_takes(estate: Recorded) -> None:
    tags = ", ".join(f"tag-{number}: x" for number in range(12))
    written = one(estate(MINIMAL + f"tags: {{{tags}}}\n"), "s3:BucketObjectv2", "-training-churn-settings").inputs[
        "tags"
    ]
    assert len(written) == 10
    assert (written["estate"], written["model"]) == ("acme", "churn"), "whose it is, is said first"


def test_a_schedule_runs_where_the_promotion_path_ends_and_stands_still_elsewhere(estate: Recorded) -> None:
    found = {row.inputs["name"]: row.inputs for row in all_of(estate(TRAINED), "scheduler:Schedule").values()}
    training = {name: inputs for name, inputs in found.items() if name.endswith("-churn")}
    assert {name: inputs["state"] for name, inputs in training.items()} == {
        "risk-staging-churn": "DISABLED",
        "risk-production-churn": "ENABLED",
    }
    schedule = training["risk-production-churn"]
    assert schedule["scheduleExpression"] == "cron(0 4 ? * MON *)"
    assert schedule["scheduleExpressionTimezone"] == "UTC"
    assert schedule["target"]["sagemakerPipelineParameters"] == {
        "pipelineParameters": [{"name": "Trigger", "value": "schedule"}]
    }
    assert schedule["target"]["roleArn"].endswith("-scheduler")
    assert schedule["target"]["arn"].endswith("pipeline/risk-production-churn")


def test_a_start_that_fails_waits_for_a_person_who_is_told(estate: Recorded) -> None:
    rows = [row for row in estate(TRAINED) if "-production-" in row.name]
    queue = one(rows, "sqs:Queue", "-training-undelivered")
    assert queue.inputs["name"] == "risk-production-training-undelivered"
    assert ":key/" in queue.inputs["kmsMasterKeyId"]
    schedule = one(rows, "scheduler:Schedule", "-training-churn").inputs
    assert schedule["target"]["deadLetterConfig"] == {"arn": queue.outputs["arn"]}
    alarm = one(rows, "cloudwatch:MetricAlarm", "-training-undelivered").inputs
    assert alarm["dimensions"] == {"QueueName": "risk-production-training-undelivered"}
    assert [each.rpartition(":")[2] for each in alarm["alarmActions"]] == ["risk-production-notice"]


def test_nothing_is_made_for_schedules_that_there_are_not(estate: Recorded) -> None:
    rows = [row for row in estate(MINIMAL) if "-training-" in row.name]
    assert {row.type for row in rows} == {
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:sagemaker/pipeline:Pipeline",
    }, "an estate that trains on demand alone has no schedule, no group and no queue"


def test_staging_trains_on_fewer_and_smaller_machines(estate: Recorded) -> None:
    rows = estate(TRAINED)
    sizes = {}
    for place in ("staging", "production"):
        requests = operations(described([row for row in rows if f"-{place}-" in row.name], "churn"))
        (sizes[place],) = (arguments["ResourceConfig"] for step, _, arguments in requests if step == "train")
    assert (sizes["staging"]["InstanceType"], sizes["staging"]["InstanceCount"]) == ("ml.m5.xlarge", 1)
    assert (sizes["production"]["InstanceType"], sizes["production"]["InstanceCount"]) == ("ml.m5.4xlarge", 4)


def test_the_user_s_own_arguments_are_laid_over_ours(estate: Recorded) -> None:
    rows = [row for row in estate(TRAINED) if "-production-" in row.name]
    steps = {name: one(rows, "sagemaker:Pipeline", f"-training-{name}").inputs for name in ("churn", "price")}
    assert steps["price"]["parallelismConfiguration"] == {"maxParallelExecutionSteps": 5}
    assert steps["churn"]["parallelismConfiguration"] == {"maxParallelExecutionSteps": 2}


@pytest.mark.parametrize(
    ("training", "path", "sentence"),
    [
        (
            '{schedule: "0 4 1 * 1", image: "1"}',
            "models.churn.training.schedule",
            "'0 4 1 * 1' names days of the month and days of the week, and EventBridge takes one of them. Put * in the "
            "third or the fifth place.",
        ),
        (
            "{timeout: 5w}",
            "models.churn.training.timeout",
            "'5w' is longer than SageMaker lets a training job run. Use at most 28d.",
        ),
        (
            "{image: latest}",
            "models.churn.training.image",
            "'latest' must be the tag of one image, such as 1.4.2 or a commit, quoted; not latest, which would mean "
            "another image tomorrow.",
        ),
    ],
)
def test_what_would_fail_at_night_is_refused_in_the_file(training: str, path: str, sentence: str) -> None:
    text = AWS + f"models: {{churn: {{problem: classification, training: {training}}}}}\n"
    assert said(text) == [(path, sentence)]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("{Pipeline: {parallel: 2}}", "'parallel' is no argument of PipelineArgs"),
        ("{Schedule: {description: Ours}}", "'Schedule' is no resource that this block becomes"),
    ],
)
def test_raw_arguments_that_would_change_nothing_are_refused(tmp_path: Path, raw: str, sentence: str) -> None:
    """A model without a schedule has no `Schedule` to lay anything over."""
    file = tmp_path / "estate.yaml"
    file.write_text(MINIMAL.replace("classification}", f"classification, training: {{raw: {{aws: {raw}}}}}}}"))
    with pytest.raises(AssertionError, match=sentence):
        recorded(file)
