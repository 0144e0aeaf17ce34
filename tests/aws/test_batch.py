"""AWS: the machine of batch runs, run on moto."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlestate.aws.batch import definition, parameter
from mlestate.names import Names

from .machines import client, cloud, execute

NAMES = Names("aws", "risk", "production", "ca-central-1", "123456789012")


def request(folder: str) -> dict[str, Any]:
    """What a run asks of CreateTransformJob, but for its names."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://raw/{folder}/"}
    return {
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"s3://curated/{folder}/", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "Tags": [{"Key": "estate", "Value": "risk"}],
    }


MACHINE = json.dumps(definition(NAMES, {"churn": request("churn"), "demand": request("demand")}))


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account in which a release has put a second model in the place of the first."""
    with cloud(monkeypatch):
        parameters = client("ssm")
        for value in ("risk-production-serving-churn-1", "risk-production-serving-churn-2"):
            parameters.put_parameter(
                Name=parameter(NAMES, "churn"), Value=value, Type="String", Overwrite=value.endswith("2")
            )
        yield


def jobs() -> list[dict[str, Any]]:
    sagemaker = client("sagemaker")
    found = sagemaker.list_transform_jobs()["TransformJobSummaries"]
    return [sagemaker.describe_transform_job(TransformJobName=each["TransformJobName"]) for each in found]


def test_a_run_takes_the_model_that_the_parameter_names_at_that_moment() -> None:
    done = execute(MACHINE, {"model": "churn"})
    assert done["status"] == "SUCCEEDED", done
    (job,) = jobs()
    assert job["ModelName"] == "risk-production-serving-churn-2", "a release writes the parameter and nothing else"
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://raw/churn/"
    assert job["TransformOutput"]["S3OutputPath"] == "s3://curated/churn/"
    assert json.loads(done["output"]) == {"job": job["TransformJobName"], "model": job["ModelName"]}


def test_a_jobs_name_says_the_slice_the_model_and_the_minute() -> None:
    execute(MACHINE, {"model": "churn"})
    (job,) = jobs()
    prefix, day, minute = job["TransformJobName"].rsplit("-", 2)
    assert prefix == "risk-production-churn", "policies mean a slice's jobs by this prefix"
    assert (len(day), len(minute)) == (8, 4)
    assert job["CreationTime"].strftime("%Y%m%d") == day


def test_a_model_that_has_no_batch_run_is_refused_with_those_that_have_one() -> None:
    done = execute(MACHINE, {"model": "fraud"})
    assert (done["status"], done["error"]) == ("FAILED", "UnknownModel")
    assert done["cause"] == "The input's model must be one of churn, demand"
    assert jobs() == []


def test_a_run_without_a_model_to_take_fails_where_it_is_seen() -> None:
    done = execute(MACHINE.replace('"MaxAttempts": 4', '"MaxAttempts": 0'), {"model": "demand"})
    assert done["status"] == "FAILED", "the alarm on failed executions tells"
    assert "ParameterNotFound" in done["error"]
    assert jobs() == []


def test_an_event_that_is_delivered_twice_starts_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto takes two jobs of one name, where SageMaker answers ResourceInUse: that answer is put in here. moto also
    begins an error's name with a small letter; that Step Functions writes SageMaker is for an account to prove."""
    from moto.core.exceptions import JsonRESTError
    from moto.sagemaker.models import SageMakerModelBackend

    create = SageMakerModelBackend.create_transform_job

    def once(backend: Any, **arguments: Any) -> Any:
        if arguments["transform_job_name"] in backend.transform_jobs:
            raise JsonRESTError("ResourceInUse", "Job name must be unique within an AWS account and region")
        return create(backend, **arguments)

    monkeypatch.setattr(SageMakerModelBackend, "create_transform_job", once)
    minute = MACHINE.replace("$states.context.Execution.StartTime", "'2026-11-24T04:00:59Z'")
    minute = minute.replace("SageMaker.ResourceInUse", "sagemaker.ResourceInUse")
    first, second = (execute(minute, {"model": "churn"}) for _ in range(2))
    assert first["status"] == second["status"] == "SUCCEEDED", (second["error"], second["cause"])
    assert [job["TransformJobName"] for job in jobs()] == ["risk-production-churn-20261124-0400"]
