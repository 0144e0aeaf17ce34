"""What trains a model again by itself: a machine that starts its pipeline with the code that was approved last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlestate.aws.state_machines import RETRY, chosen
from mlestate.names import Names

__all__ = ["Trained", "definition"]


@dataclass(frozen=True)
class Trained:
    """A model that is trained again by itself."""

    pipeline: str
    """The name of its pipeline."""
    group: str
    """The ARN of the group of its versions, in whichever account."""


def definition(names: Names, models: Mapping[str, Trained]) -> str:
    """The machine in Amazon States Language. It takes ``{"model": "churn", "trigger": "schedule"}``.

    Tags of images never move, so somebody has to say which one a run is to use. Where the file does not
    (`training.image`), it is the one of the newest approved version: nothing trains by itself that no person ever
    approved. With no such version the execution fails, and its alarm says what is missing.

    A schedule that fires twice starts one run: SageMaker knows a token that it has seen (SageMaker API,
    StartPipelineExecution: 32 to 128 letters, digits and hyphens).
    """
    states: dict[str, Any] = {
        **chosen(
            {
                model: {"pipeline": each.pipeline, "group": each.group, "trigger": "{% $states.input.trigger %}"}
                for model, each in models.items()
            },
            then="Newest",
        ),
        "Newest": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:listModelPackages",
            "Arguments": {
                "ModelPackageGroupName": "{% $group %}",
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            "Assign": {"versions": "{% $states.result.ModelPackageSummaryList %}"},
            "Retry": list(RETRY),
            "Next": "Any",
        },
        "Any": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $count($versions) > 0 %}", "Next": "Version"}],
            "Default": "NoVersion",
        },
        "NoVersion": {
            "Type": "Fail",
            "Error": "NoApprovedVersion",
            "Cause": "No version of the model is approved, so nothing says which image to train with. Start its "
            "pipeline with an image once and approve what it registers, or name the image as training.image.",
        },
        "Version": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeModelPackage",
            "Arguments": {"ModelPackageName": "{% $versions[0].ModelPackageArn %}"},
            "Assign": {"image": "{% $states.result.CustomerMetadataProperties.`image-tag` %}"},
            "Retry": list(RETRY),
            "Next": "Start",
        },
        "Start": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:startPipelineExecution",
            "Arguments": {
                "PipelineName": "{% $pipeline %}",
                "ClientRequestToken": (
                    "{% $replace($pad($states.context.Execution.Name, 32, '-'), /[^a-zA-Z0-9-]/, '-') %}"
                ),
                "PipelineParameters": [
                    {"Name": "ImageTag", "Value": "{% $image %}"},
                    {"Name": "Trigger", "Value": "{% $trigger %}"},
                ],
            },
            "Retry": list(RETRY),
            "Output": "{% {'run': $states.result.PipelineExecutionArn, 'image': $image} %}",
            "End": True,
        },
    }
    machine = {
        "Comment": f"Trains the models of {names.slice} again",
        "QueryLanguage": "JSONata",
        "StartAt": "Which",
        "States": states,
    }
    return json.dumps(machine, sort_keys=True, separators=(",", ":"))
