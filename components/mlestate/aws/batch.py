"""Batch transforms: the machine that starts them, and the parameter that says which model they run."""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_aws.sagemaker as sagemaker
import pulumi_aws.scheduler as scheduler
import pulumi_aws.sfn as sfn
import pulumi_aws.ssm as ssm
from pulumi import Output

from mlestate.aws.queues import dead_letters
from mlestate.aws.schedules import expression
from mlestate.aws.state_machines import RETRY, chosen, state_machine
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part
from mlestate.raw import Raw

__all__ = ["FORMATS", "Run", "definition", "machine", "parameter", "request"]

FORMATS: Mapping[str, Mapping[str, str | int]] = {
    # A line is a record; a Parquet file is one request, and of those the largest payload is a hundred megabytes.
    "csv": {"ContentType": "text/csv", "SplitType": "Line", "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 6},
    "json": {
        "ContentType": "application/jsonlines",
        "SplitType": "Line",
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": 6,
    },
    "parquet": {
        "ContentType": "application/x-parquet",
        "SplitType": "None",
        "BatchStrategy": "SingleRecord",
        "MaxPayloadInMB": 100,
    },
}
"""How a transform reads each format of a data set (SageMaker API, CreateTransformJob)."""

_MINUTE = "$fromMillis($toMillis($states.context.Execution.StartTime), '[Y0001][M01][D01]-[H01][m01]')"
"""A job's name ends in the minute in which it was asked for: an event that is delivered twice starts one job."""


@dataclass(frozen=True)
class Run:
    """What a model's batch run reads and writes, and on what."""

    model: Model
    source: Output[str]
    target: Output[str]
    kept: Output[str] | None
    """Where what was asked and answered is kept, None where it is not."""
    format: str
    """A key of `FORMATS`."""
    instance_type: str
    volume_key: Output[str] | None


def parameter(names: Names, model: str) -> str:
    """The name of the parameter that holds the name of the SageMaker model which a batch run takes.

    Pulumi makes it and the release workflow writes it.
    """
    return f"/mlestate/{names.estate}/{names.environment}/models/{model}"


def machine(
    part: Part,
    runs: Mapping[str, Run],
    made: Mapping[str, sagemaker.Model],
    raws: Mapping[str, Raw],
    *,
    keys: Mapping[str, Output[str]],
    roles: Mapping[str, Output[str]],
    topic: Output[str],
) -> sfn.StateMachine:
    """One machine for the batch runs of an environment, and the schedule of each that has one.

    It takes ``{"model": "churn"}``, so a run on demand is one more execution. It ends when SageMaker has taken the job:
    of a job that fails later SageMaker itself tells (event "SageMaker Transform Job State Change").
    """
    names, key = part.names, keys.get("logs")
    for name, run in runs.items():
        ssm.Parameter(
            part.named(name),
            raws[name].over(
                ssm.ParameterArgs(
                    name=parameter(names, name),
                    description=f"The SageMaker model with which {name} answers in batch",
                    type="String",
                    # No secret, and `value` would be one (pulumi-aws, ssm.Parameter).
                    insecure_value=made[name].name,
                    tags=names.of_model(name, run.model.owner).tags,
                )
            ),
            part.child(ignore_changes=["insecureValue"]),
        )
    whole = state_machine(
        part,
        "batch",
        Output.json_dumps(
            definition(names, {name: request(names, name, run, keys) for name, run in runs.items()}), sort_keys=True
        ),
        runs_as=roles["batch"],
        key=key,
        topic=topic,
        failing=f"A batch run of {names.slice} was not started",
    )
    schedules = {name: run.model.serving.schedule for name, run in runs.items()}
    if any(schedules.values()):
        waiting = dead_letters(part, "batch", key=key, topic=topic)
        # The role that starts the machine believes schedules of this slice's own groups alone.
        group = scheduler.ScheduleGroup(
            part.named("batch"), name=names.physical("schedule-group", "batch"), tags=names.tags, opts=part.child()
        )
    for name, schedule in schedules.items():
        if schedule is not None:
            scheduler.Schedule(
                part.named(name),
                raws[name].over(
                    scheduler.ScheduleArgs(
                        name=names.physical("schedule", f"{name}-batch"),
                        group_name=group.name,
                        description=f"Batch run of {name} in {names.environment}",
                        schedule_expression=expression(schedule),
                        schedule_expression_timezone="UTC",
                        flexible_time_window=scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
                        kms_key_arn=key,
                        target=scheduler.ScheduleTargetArgs(
                            arn=whole.arn,
                            role_arn=roles["scheduler"],
                            input=json.dumps({"model": name}, separators=(",", ":")),
                            dead_letter_config=scheduler.ScheduleTargetDeadLetterConfigArgs(arn=waiting.arn),
                            retry_policy=scheduler.ScheduleTargetRetryPolicyArgs(
                                maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                            ),
                        ),
                    )
                ),
                part.child(),
            )
    return whole


def definition(names: Names, requests: Mapping[str, Any]) -> dict[str, Any]:
    """The machine in Amazon States Language; ``requests`` are those of CreateTransformJob by model, without names."""
    return {
        "Comment": f"Starts the batch runs of {names.slice}",
        "QueryLanguage": "JSONata",
        "StartAt": "Which",
        "States": {
            **chosen(
                {
                    model: {
                        "parameter": parameter(names, model),
                        "name": f"{{% '{names.physical('transform-job', model)}-' & {_MINUTE} %}}",
                        "request": request,
                    }
                    for model, request in requests.items()
                },
                then="Current",
            ),
            "Current": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
                "Arguments": {"Name": "{% $parameter %}"},
                "Assign": {"current": "{% $states.result.Parameter.Value %}"},
                "Retry": list(RETRY),
                "Next": "Start",
            },
            "Start": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:sagemaker:createTransformJob",
                "Arguments": "{% $merge([$request, {'TransformJobName': $name, 'ModelName': $current}]) %}",
                "Retry": [{"ErrorEquals": ["SageMaker.ResourceInUseException"], "MaxAttempts": 0}, *RETRY],
                "Catch": [{"ErrorEquals": ["SageMaker.ResourceInUseException"], "Next": "Started"}],
                "Next": "Started",
            },
            "Started": {"Type": "Succeed", "Output": "{% {'job': $name, 'model': $current} %}"},
        },
    }


def request(names: Names, name: str, run: Run, keys: Mapping[str, Output[str]]) -> dict[str, Any]:
    """What a run asks of CreateTransformJob, but for the names of the job and the model."""
    form = FORMATS[run.format]
    tags = names.of_model(name, run.model.owner).tags
    by_line = {"AssembleWith": "Line"} if form["SplitType"] == "Line" else {}
    resources: dict[str, Any] = {"InstanceType": run.instance_type, "InstanceCount": 1}
    output: dict[str, Any] = {"S3OutputPath": run.target, **by_line}
    capture: dict[str, Any] = {"DestinationS3Uri": run.kept, "GenerateInferenceId": True}
    for key, block, member in (
        (run.volume_key, resources, "VolumeKmsKeyId"),
        (keys.get("data"), output, "KmsKeyId"),
        (keys.get("models"), capture, "KmsKeyId"),
    ):
        if key is not None:
            block[member] = key
    return {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": run.source}},
            "ContentType": form["ContentType"],
            "SplitType": form["SplitType"],
        },
        "TransformOutput": output,
        "TransformResources": resources,
        "BatchStrategy": form["BatchStrategy"],
        "MaxPayloadInMB": form["MaxPayloadInMB"],
        "MaxConcurrentTransforms": 1,
        **({"DataCaptureConfig": capture} if run.kept is not None else {}),
        "Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)],
    }
