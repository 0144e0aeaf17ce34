"""The simulated account itself: versions, endpoints, jobs and runs of SageMaker.

That AWS does the same is what the sources in `account.gaps` say; no account was asked.
"""

import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .account import Account, Trained
from .account.people import REGION
from .account.toy import DONE, ROLE, asl, call, ran
from .conftest import Recorded
from .estates import PEOPLED


@pytest.fixture
def account() -> Iterator[Account]:
    with Account() as made:
        yield made


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


# the estate's own programs


def doubled(rows: Any) -> list[Any]:
    return [{"prediction": int(each["amount"] > 20), "probability": 0.75} for each in rows]


def broken(rows: Any) -> list[Any]:
    raise RuntimeError("out of memory")


def test_requests_go_to_variants_by_weight_and_to_shadows_by_share_and_are_captured(served: Account) -> None:
    """What a variant answers with is what was trained; a variant that breaks has errors and no answers."""
    served.client("s3").create_bucket(Bucket="capture", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, answers in (("good", doubled), ("bad", broken)):
        number = len(served.trained) + 1
        served.trained["churn", number] = Trained(answers=answers)
        served.write(f"s3://capture/{name}.tar.gz", json.dumps({"model": "churn", "number": number}))
        served.client("sagemaker").create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": "x", "ModelDataUrl": f"s3://capture/{name}.tar.gz"},
        )
    served.client("sagemaker").create_endpoint_config(
        EndpointConfigName="watched",
        ProductionVariants=[variant("good", weight=3), variant("bad", "challenger", 1)],
        ShadowProductionVariants=[variant("good", "shadow", 2)],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://capture/churn",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
    )
    update(served, "watched")
    served.run()
    ids = served.ask("risk-production-churn", [{"amount": float(at)} for at in range(40)])
    hour = served.clock.now.strftime("%Y/%m/%d/%H")

    def captured(name: str) -> list[Any]:
        keys = served.keys("capture", f"churn/risk-production-churn/{name}/{hour}/")
        return [json.loads(line) for key in keys for line in served.read(f"s3://capture/{key}").splitlines()]

    assert (len(captured("champion")), len(captured("challenger")), len(captured("shadow"))) == (30, 0, 20)
    assert {each["eventMetadata"]["inferenceId"] for each in captured("shadow")} <= set(ids)
    (first, *_) = captured("champion")
    assert json.loads(first["captureData"]["endpointOutput"]["data"]) == {
        "predictions": [{"prediction": 0, "probability": 0.75}]
    }
    counts = {
        (metric, dict(dimensions)["VariantName"]): sum(value for _, value in points)
        for (_, metric, dimensions), points in served.metrics.points.items()
    }
    assert counts["Invocation5XXErrors", "challenger"] == 10
    assert (counts["Invocations", "champion"], counts["Invocation5XXErrors", "champion"]) == (30, 0)


def test_a_schedule_of_the_estate_runs_the_estates_own_monitor_on_what_was_captured(estate: Recorded) -> None:
    with Account.of(estate(PEOPLED)) as account:
        account.run()
        account.trained["churn", 1].answers = doubled
        account.ask("risk-production-churn", [{"amount": float(at), "province": "ON"} for at in range(120)])
        account.clock.advance(hours=2)
        account.fire("risk-production-monitor-churn")
        account.run()
        ((kind, name),) = account.jobs.jobs
        assert (kind, account.jobs.jobs[kind, name].status) == ("processing", "Completed"), account.jobs.printed
        rows = [
            value
            for (space, metric, _), points in account.metrics.points.items()
            for _, value in points
            if (space, metric) == ("mlestate", "Rows")
        ]
        assert rows == [120], "counted by the monitor that the estate uploads"
        with pytest.raises(AssertionError, match="no schedule is called nothing"):
            account.fire("nothing")
