"""AWS: the machine that trains a model again, run on moto."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlestate.aws.retraining import Trained, definition
from mlestate.names import Names

from .conftest import Recorded, one
from .estates import MINIMAL
from .machines import client, cloud, execute

NAMES = Names("aws", "risk", "production", "ca-central-1", "123456789012")
GROUP = "risk-hub-churn"
PIPELINE = "risk-production-churn"
MACHINE = definition(
    NAMES, {"churn": Trained(PIPELINE, f"arn:aws:sagemaker:ca-central-1:123456789012:model-package-group/{GROUP}")}
)
ASKED = {"model": "churn", "trigger": "schedule"}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with cloud(monkeypatch):
        sagemaker = client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        sagemaker.create_pipeline(
            PipelineName=PIPELINE,
            PipelineDefinition="{}",
            RoleArn="arn:aws:iam::123456789012:role/pipeline",
            ClientRequestToken="t" * 32,
        )
        yield


def register(image: str, status: str) -> None:
    client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        CustomerMetadataProperties={"image-tag": image},
    )


def runs() -> list[dict[str, Any]]:
    """The parameters of every run, newest first."""
    sagemaker = client("sagemaker")
    found = sagemaker.list_pipeline_executions(PipelineName=PIPELINE)["PipelineExecutionSummaries"]
    return [
        {
            each["Name"]: each["Value"]
            for each in sagemaker.list_pipeline_parameters_for_execution(
                PipelineExecutionArn=run["PipelineExecutionArn"]
            )["PipelineParameters"]
        }
        for run in found
    ]


def test_a_run_takes_the_image_of_the_newest_approved_version() -> None:
    register("1.0", "Approved")
    register("1.1", "Approved")
    register("2.0", "PendingManualApproval")
    done = execute(MACHINE, ASKED)
    assert done["status"] == "SUCCEEDED", done
    assert json.loads(done["output"])["image"] == "1.1", "code that nobody approved trains nothing by itself"
    assert runs() == [{"ImageTag": "1.1", "Trigger": "schedule"}]


def test_without_an_approved_version_nothing_trains_and_the_failure_says_what_to_do() -> None:
    register("2.0", "PendingManualApproval")
    done = execute(MACHINE, ASKED)
    assert (done["status"], done["error"]) == ("FAILED", "NoApprovedVersion")
    assert "training.image" in done["cause"]
    assert runs() == []


def test_a_model_that_the_machine_does_not_know_is_refused_with_those_it_does() -> None:
    done = execute(MACHINE, ASKED | {"model": "fraud"})
    assert (done["status"], done["error"]) == ("FAILED", "UnknownModel")
    assert done["cause"].endswith("one of churn")


def test_a_schedule_without_an_image_asks_the_machine_and_one_with_an_image_starts_the_pipeline(
    estate: Recorded,
) -> None:
    def started(training: str) -> Any:
        rows = estate(MINIMAL.replace("classification}", f"classification, training: {training}}}"))
        return one(rows, "scheduler:Schedule", "-training-churn").inputs["target"]

    asking = started("{schedule: daily}")
    assert asking["arn"].endswith(":stateMachine:acme-production-retraining")
    assert json.loads(asking["input"]) == ASKED
    assert asking["roleArn"].endswith("-scheduler")
    named = started('{schedule: daily, image: "1"}')
    assert named["arn"].endswith("pipeline/acme-production-churn")
