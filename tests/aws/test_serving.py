"""AWS: the first endpoint, what answers by queue and in batch, and what a release must find untouched."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from mlestate.aws.batch import definition
from mlestate.blueprint.inventory import Row
from mlestate.config import load
from mlestate.config.errors import ConfigError
from mlestate.local.session import rehearse
from mlestate.names import Names

from .conftest import Recorded, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT

OWN = "serving-churn"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint::risk-production-serving-churn"


def part(found: list[Row], name: str) -> Mapping[str, Any]:
    """What a part of the estate gives out."""
    (row,) = [each for each in found if each.type == "mlestate:aws:Serving" and each.name.endswith(name)]
    return row.outputs


def test_a_model_without_an_approved_version_has_no_endpoint_and_the_outputs_say_so(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    assert not [name for name in all_of(found, "sagemaker:Endpoint") if name.endswith("later")]
    assert part(found, "production-serving")["waiting"] == {"later": "models.later.serving.initial_version"}, (
        "what nobody serves at all, waits for nothing"
    )
    assert all_of(estate(MINIMAL), "sagemaker:Endpoint") == {}


def test_the_first_endpoint_runs_the_approved_version_in_isolation(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    model = one(found, "sagemaker:Model", f"production-{OWN}").inputs
    assert model["containers"] == [
        {"modelPackageName": "arn:aws:sagemaker:ca-central-1:111111111111:model-package/risk-hub-churn/3"}
    ]
    assert model["enableNetworkIsolation"] is True
    variant = one(found, "sagemaker:EndpointConfiguration", f"production-{OWN}").inputs["productionVariants"][0]
    assert variant["variantName"] == "champion", "guardrails work only while the name stays"
    assert (variant["instanceType"], variant["initialInstanceCount"]) == ("ml.m5.xlarge", 2)
    endpoint = one(found, "sagemaker:Endpoint", f"production-{OWN}")
    assert endpoint.inputs["name"] == "risk-production-churn"
    assert endpoint.inputs["tags"]["owner"] == "churn@risk.example", "the model's owner, before the estate's"


def test_releases_find_the_endpoint_as_they_left_it(estate: Recorded) -> None:
    """That AWS keeps a released endpoint through a real `up` is for an account to prove."""
    found = estate(ONE_ACCOUNT)
    endpoint = one(found, "sagemaker:Endpoint", f"production-{OWN}")
    assert set(endpoint.options["ignoreChanges"]) == {"endpointConfigName", "deploymentConfig"}
    assert endpoint.options["protect"] is True
    assert "protect" not in one(found, "sagemaker:Endpoint", f"staging-{OWN}").options
    for kind in ("sagemaker:Model", "sagemaker:EndpointConfiguration"):
        assert one(found, kind, f"production-{OWN}").options["retainOnDelete"] is True, (
            "a live endpoint may stand on one that this program no longer knows"
        )


@pytest.mark.parametrize("kind", ["sagemaker:Model", "sagemaker:EndpointConfiguration"])
def test_what_sagemaker_cannot_change_has_no_fixed_name(estate: Recorded, kind: str) -> None:
    name = one(estate(ONE_ACCOUNT), kind, f"production-{OWN}").inputs.get("name", "")
    assert name != "risk-production-churn"
    assert len(name) <= 63


def test_an_endpoint_goes_before_the_role_that_its_model_runs_as(estate: Recorded) -> None:
    """Nobody deletes a role while something still depends on it: Pulumi goes by these."""
    found = {row.urn: row for row in estate(ONE_ACCOUNT)}
    endpoint = one(list(found.values()), "sagemaker:Endpoint", f"production-{OWN}")
    model = one(list(found.values()), "sagemaker:Model", f"production-{OWN}")
    permissions = one(list(found.values()), "iam:RolePolicy", "production-access-churn-inference")
    assert permissions.urn in model.dependencies, "SageMaker checks a role's rights when it makes a model"
    seen, waiting = set(), [endpoint.urn]
    while waiting:
        urn = waiting.pop()
        if urn not in seen:
            seen.add(urn)
            waiting += found[urn].dependencies if urn in found else ()
    assert model.urn in seen
    assert permissions.urn in seen, "without it, grants and network interfaces would be left behind"


def test_a_volume_is_encrypted_with_the_estates_key_unless_its_disk_encrypts_itself(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    key = one(found, "kms:Key", "production-keys-models").outputs["arn"]
    assert one(found, "sagemaker:EndpointConfiguration", f"production-{OWN}").inputs["kmsKeyArn"] == key
    vision = one(found, "sagemaker:EndpointConfiguration", "production-serving-vision").inputs
    assert vision["productionVariants"][0]["instanceType"] == "ml.g5.xlarge"
    assert "kmsKeyArn" not in vision, "SageMaker refuses a key for a type with disks of its own"


def test_a_serverless_endpoint_has_what_serverless_allows(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    assert one(found, "sagemaker:Model", "production-serving-fraud").inputs["enableNetworkIsolation"] is False
    configuration = one(found, "sagemaker:EndpointConfiguration", "production-serving-fraud").inputs
    variant = configuration["productionVariants"][0]
    assert variant["serverlessConfig"] == {"memorySizeInMb": 4096, "maxConcurrency": 5}
    assert not {"instanceType", "initialInstanceCount"} & set(variant)
    assert "dataCaptureConfig" not in configuration


def test_only_what_has_room_to_grow_scales(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    targets = all_of(found, "appautoscaling:Target")
    assert set(targets) == {"risk-staging-serving-churn", "risk-production-serving-churn"}
    target = targets["risk-production-serving-churn"].inputs
    assert target["resourceId"] == "endpoint/risk-production-churn/variant/champion"
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 6)
    assert "tags" not in target, "with tags the provider finds its own target in the way"
    policy = one(found, "appautoscaling:Policy", f"production-{OWN}").inputs
    assert policy["targetTrackingScalingPolicyConfiguration"]["targetValue"] == 600


def test_captured_requests_go_to_the_models_own_folder_for_as_long_as_it_says(estate: Recorded) -> None:
    serving = "{mode: realtime, initial_version: 1, capture: {sample: 0.2, retention: 30d}}"
    found = estate(
        MINIMAL.replace("name: acme", "name: risk").replace("classification}", f"classification, serving: {serving}}}")
    )
    bucket = one(found, "s3:Bucket", "data-capture").inputs["bucket"]
    capture = one(found, "sagemaker:EndpointConfiguration", OWN).inputs["dataCaptureConfig"]
    assert capture["destinationS3Uri"] == f"s3://{bucket}/churn"
    assert capture["initialSamplingPercentage"] == 20
    assert [each["captureMode"] for each in capture["captureOptions"]] == ["Input", "Output"]
    rules = one(found, "s3:BucketLifecycleConfiguration", "data-capture").inputs["rules"]
    assert [rule["expiration"]["days"] for rule in rules if "expiration" in rule] == [30]


PRIVATE = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
network: private
encryption: customer-managed
data: {datasets: {tx: {path: lake/tx/, format: csv}}}
models:
  churn: {problem: classification, serving: {mode: realtime, initial_version: 1}}
  slow: {problem: classification, serving: {mode: async, replicas: {min: 0, max: 2}, initial_version: 1}}
  steady: {problem: classification, serving: {mode: async, initial_version: 1}}
  nightly:
    problem: regression
    owner: forecast@risk.example
    serving: {mode: batch, input: lake/requests/, schedule: daily, initial_version: 2}
  asked: {problem: regression, serving: {mode: batch, input: lake/asked/, output: scores/, initial_version: 1}}
  waiting: {problem: regression, serving: {mode: batch, input: lake/other/}}
"""


def test_a_model_in_a_network_joins_its_private_subnets(estate: Recorded) -> None:
    found = estate(PRIVATE)
    subnets = [row.outputs["arn"].rpartition("/")[2] for row in all_of(found, "ec2:Subnet").values()]
    machines = one(found, "ec2:SecurityGroup", "network-machines").outputs["arn"].rpartition("/")[2]
    for name in ("churn", "slow", "nightly"):
        model = one(found, "sagemaker:Model", f"serving-{name}")
        assert model.inputs["vpcConfig"] == {"subnets": subnets, "securityGroupIds": [machines]}
        assert one(found, "ec2:VpcEndpoint", "network-s3").urn in model.dependencies, (
            "a container fetches its artifacts through the endpoint as soon as it starts"
        )
    assert "vpcConfig" not in one(estate(ONE_ACCOUNT), "sagemaker:Model", f"production-{OWN}").inputs


def test_a_change_of_the_network_replaces_the_model(estate: Recorded) -> None:
    """The provider plans it as an update and then leaves it out."""
    assert one(estate(PRIVATE), "sagemaker:Model", OWN).options["replaceOnChanges"] == ["vpcConfig"]


def test_an_endpoint_is_deleted_before_another_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is fixed, and SageMaker has room for one of that name."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "rehearsal")
    file = tmp_path / "estate.yaml"
    file.write_text(PRIVATE)
    before = rehearse(file).state.export()
    file.write_text(
        PRIVATE.replace(
            "churn: {problem: classification, serving: {mode: realtime,",
            "churn: {problem: classification, serving: {mode: realtime, raw: {aws: {Endpoint: {name: other}}},",
        )
    )
    found = [each.op for each in rehearse(file, against=before).result.operations if ENDPOINT in each.urn]
    assert found.index("delete-replaced") < found.index("create-replacement")


def test_scaling_stands_on_the_endpoint_and_goes_before_it(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    endpoint = one(found, "sagemaker:Endpoint", f"production-{OWN}")
    assert endpoint.urn in one(found, "appautoscaling:Target", f"production-{OWN}").dependencies
    target = one(found, "appautoscaling:Target", f"production-{OWN}")
    assert target.urn in one(found, "appautoscaling:Policy", f"production-{OWN}").dependencies


def test_an_asynchronous_endpoint_answers_into_the_models_own_folder_and_tells_of_failures(estate: Recorded) -> None:
    found = estate(PRIVATE)
    configuration = one(found, "sagemaker:EndpointConfiguration", "serving-slow").inputs
    output = configuration["asyncInferenceConfig"]["outputConfig"]
    bucket = one(found, "s3:Bucket", "data-capture").inputs["bucket"]
    assert output["s3OutputPath"] == f"s3://{bucket}/slow/answers"
    assert output["s3FailurePath"] == f"s3://{bucket}/slow/failures"
    assert output["kmsKeyId"] == one(found, "kms:Key", "keys-models").outputs["arn"]
    topic = one(found, "sns:Topic", "production-alerts-notice").outputs["arn"]
    assert output["notificationConfig"] == {"errorTopic": topic}, "a message for every answer would drown them"
    variant = configuration["productionVariants"][0]
    assert variant["initialInstanceCount"] == 1, "SageMaker begins with one, however few there may be later"
    assert "routingConfigs" not in variant, "its requests come from a queue"
    assert "dataCaptureConfig" not in configuration


def test_an_asynchronous_endpoint_scales_by_its_backlog_and_wakes_from_nothing(estate: Recorded) -> None:
    """That an account's endpoint goes down to none and comes back is for that account to prove."""
    found = estate(PRIVATE)
    target = one(found, "appautoscaling:Target", "serving-slow").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (0, 2)
    tracked = one(found, "appautoscaling:Policy", "serving-slow").inputs["targetTrackingScalingPolicyConfiguration"]
    metric = tracked["customizedMetricSpecification"]
    assert (metric["namespace"], metric["metricName"]) == ("AWS/SageMaker", "ApproximateBacklogSizePerInstance")
    assert metric["dimensions"] == [{"name": "EndpointName", "value": "risk-production-slow"}]
    wake = one(found, "appautoscaling:Policy", "serving-slow-wake")
    alarm = one(found, "cloudwatch:MetricAlarm", "serving-slow-wake").inputs
    assert alarm["metricName"] == "HasBacklogWithoutCapacity", "no machine, no backlog per machine"
    assert alarm["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["threshold"] == 1
    assert alarm["alarmActions"] == [wake.outputs["arn"]]
    assert "risk-production-serving-steady" not in all_of(found, "appautoscaling:Target")


def batch_machine(found: list[Row]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(one(found, "sfn:StateMachine", "serving-batch").inputs["definition"])
    return document


def requests(found: list[Row]) -> dict[str, dict[str, Any]]:
    return {
        each["Assign"]["parameter"].rpartition("/")[2]: each["Assign"]["request"]
        for each in batch_machine(found)["States"]["Which"]["Choices"]
    }


def test_a_batch_model_stands_ready_without_a_machine_that_bills(estate: Recorded) -> None:
    found = estate(PRIVATE)
    assert not [name for name in all_of(found, "sagemaker:Endpoint") if "nightly" in name or "asked" in name]
    model = one(found, "sagemaker:Model", "serving-nightly")
    parameter = one(found, "ssm:Parameter", "serving-nightly")
    assert parameter.inputs["name"] == "/mlestate/risk/production/models/nightly"
    assert model.urn in parameter.dependencies
    assert parameter.options["ignoreChanges"] == ["insecureValue"], "a release writes it, and the next `up` leaves it"
    assert set(requests(found)) == {"asked", "nightly"}, "one without an approved version can run nothing"
    waiting = part(found, "production-serving")["waiting"]
    assert waiting == {"waiting": "models.waiting.serving.initial_version"}


def test_a_batch_run_reads_and_writes_where_the_file_says(estate: Recorded) -> None:
    found = estate(PRIVATE)
    raw, curated = (one(found, "s3:Bucket", f"data-{role}").inputs["bucket"] for role in ("raw", "curated"))
    sent = requests(found)
    source = sent["nightly"]["TransformInput"]["DataSource"]["S3DataSource"]
    assert source == {"S3DataType": "S3Prefix", "S3Uri": f"s3://{raw}/lake/requests/"}
    assert sent["nightly"]["TransformOutput"]["S3OutputPath"] == f"s3://{curated}/predictions/nightly/"
    assert sent["asked"]["TransformOutput"]["S3OutputPath"] == f"s3://{curated}/scores/"


def test_a_batch_run_is_encrypted_at_every_place_where_it_rests(estate: Recorded) -> None:
    found = estate(PRIVATE)
    keys = {
        role: one(found, "kms:Key", f"production-keys-{role}").outputs["arn"] for role in ("data", "models", "logs")
    }
    sent = requests(found)["nightly"]
    assert sent["TransformOutput"]["KmsKeyId"] == keys["data"]
    assert sent["TransformResources"]["VolumeKmsKeyId"] == keys["models"]
    machine = one(found, "sfn:StateMachine", "serving-batch").inputs
    assert machine["encryptionConfiguration"]["kmsKeyId"] == keys["logs"]
    assert machine["loggingConfiguration"]["includeExecutionData"] is False


FORMATTED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
data:
  datasets:
    lines: {path: lake/lines/, format: csv}
    objects: {path: lake/objects/, format: json}
    columns: {path: lake/columns/, format: parquet}
defaults: {serving: {mode: batch, initial_version: 1}}
models:
  lines: {problem: regression, data: {dataset: lines}, automated_decision: true}
  objects: {problem: regression, data: {dataset: objects}}
  columns: {problem: regression, data: {dataset: columns}}
"""


@pytest.mark.parametrize(
    ("model", "content", "split"),
    [
        ("lines", "text/csv", "Line"),
        ("objects", "application/jsonlines", "Line"),
        ("columns", "application/x-parquet", "None"),
    ],
)
def test_what_a_batch_run_asks_of_sagemaker_is_what_its_api_takes(
    estate: Recorded, model: str, content: str, split: str
) -> None:
    """A request is whole once the machine has added its name and its model."""
    sent = requests(estate(FORMATTED))[model]
    operation = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateTransformJob")
    assert operation.input_shape is not None
    report = ParamValidator().validate({**sent, "TransformJobName": "a", "ModelName": "b"}, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert (sent["TransformInput"]["ContentType"], sent["TransformInput"]["SplitType"]) == (content, split)
    assert sent["MaxPayloadInMB"] * sent["MaxConcurrentTransforms"] <= 100, "SageMaker API, CreateTransformJob"


def test_a_batch_run_keeps_what_it_decided_where_the_law_wants_it(estate: Recorded) -> None:
    found = estate(FORMATTED)
    bucket = one(found, "s3:Bucket", "data-capture").inputs["bucket"]
    kept = requests(found)["lines"]["DataCaptureConfig"]
    assert kept["DestinationS3Uri"] == f"s3://{bucket}/lines/batch"
    assert "DataCaptureConfig" not in requests(found)["objects"]


def test_a_batch_run_starts_at_its_time_and_once(estate: Recorded) -> None:
    found = estate(PRIVATE)
    assert [name for name in all_of(found, "scheduler:Schedule") if "serving" in name] == [
        "risk-production-serving-nightly"
    ], "the other one runs on demand"
    schedule = one(found, "scheduler:Schedule", "serving-nightly").inputs
    assert schedule["scheduleExpression"] == "cron(0 4 * * ? *)"
    assert json.loads(schedule["target"]["input"]) == {"model": "nightly"}
    assert schedule["target"]["arn"] == one(found, "sfn:StateMachine", "serving-batch").outputs["arn"]
    assert schedule["groupName"].startswith("risk-production-"), "its role believes this slice's groups alone"
    queue = one(found, "sqs:Queue", "serving-undelivered").outputs["arn"]
    assert schedule["target"]["deadLetterConfig"] == {"arn": queue}, "or nobody learns of what could not be started"
    start = batch_machine(found)["States"]["Start"]
    assert start["Catch"] == [{"ErrorEquals": ["SageMaker.ResourceInUseException"], "Next": "Started"}], (
        "EventBridge delivers at least once: the second finds a job of that minute"
    )
    assert start["Retry"][0] == {"ErrorEquals": ["SageMaker.ResourceInUseException"], "MaxAttempts": 0}


def test_a_batch_run_that_is_not_started_is_told(estate: Recorded) -> None:
    alarm = one(estate(PRIVATE), "cloudwatch:MetricAlarm", "serving-batch").inputs
    assert alarm["metricName"] == "ExecutionsFailed"
    assert alarm["alarmActions"] == [one(estate(PRIVATE), "sns:Topic", "production-alerts-notice").outputs["arn"]]


def test_a_job_of_a_batch_run_has_a_name_that_sagemaker_takes() -> None:
    names = Names("aws", "e" * 20, "p" * 10, "ca-central-1", "111111111111")
    longest = "m" * (49 - len(f"{names.slice}-"))
    name = definition(names, {longest: {}})["States"]["Which"]["Choices"][0]["Assign"]["name"]
    prefix = name.partition("'")[2].partition("'")[0]
    assert len(prefix + "20261124-0400") == 63


OWN_ARGUMENTS = "EndpointConfiguration: {production_variants: [{volume_size_in_gb: 100}]}, Endpoint: {tags: {team: a}}"
RAW = PRIVATE.replace(
    "churn: {problem: classification, serving: {mode: realtime, initial_version: 1}}",
    "churn: {problem: classification, serving: {mode: realtime, initial_version: 1, raw: {aws: {"
    f"{OWN_ARGUMENTS}}}}}}}}}",
)


def test_raw_arguments_are_merged_last_into_what_serving_makes(estate: Recorded) -> None:
    found = estate(RAW)
    variant = one(found, "sagemaker:EndpointConfiguration", OWN).inputs["productionVariants"][0]
    assert (variant["volumeSizeInGb"], variant["variantName"]) == (100, "champion")
    tags = one(found, "sagemaker:Endpoint", OWN).inputs["tags"]
    assert (tags["team"], tags["environment"]) == ("a", "production")


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("EndpointConfiguration: {kms_key: x}", "did you mean 'kms_key_arn'?"),
        ("ModelPackageGroup: {tags: {}}", "'ModelPackageGroup' is no resource that this block becomes"),
    ],
)
def test_raw_arguments_that_the_sdk_has_not_are_refused_where_they_stand(
    argument: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(RAW.replace(OWN_ARGUMENTS, argument))
    line = RAW.splitlines().index(next(each for each in RAW.splitlines() if "churn" in each)) + 1
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert f"{file}:{line}:" in str(refused.value)
    assert said in str(refused.value)


CAPTURED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
models:
  drifts:
    problem: classification
    serving: {mode: realtime, initial_version: 1}
    monitoring: {data_drift: {metric: psi, threshold: 0.2}}
  silent:
    problem: classification
    serving: {mode: realtime, initial_version: 1}
"""


def test_a_model_may_write_what_is_captured_of_it_whoever_asked_for_it(estate: Recorded) -> None:
    """Its own role writes its requests and answers: without the right the endpoint answers, and keeps nothing."""
    rows = estate(CAPTURED)
    for model, kept in (("drifts", True), ("silent", False)):
        configuration = one(rows, "sagemaker:EndpointConfiguration", f"-serving-{model}").inputs
        assert ("dataCaptureConfig" in configuration) is kept
        allowed = statements(one(rows, "iam:RolePolicy", f"access-{model}-inference").inputs["policy"])
        written = allowed["WriteWhatItAnswers"]["Resource"]
        assert written.endswith(f"/{model}/*" if kept else f"/{model}/trials/*"), "the trial of a version is kept too"
