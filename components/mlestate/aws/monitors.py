"""The job that looks at what a model was asked and answered, and the schedule that starts it. Plain data: no SDK.

SageMaker Model Monitor and Clarify, which did this, take no new customers since 30 July 2026 (SageMaker developer
guide, "Amazon SageMaker Model Monitor availability change"). So the estate brings its own monitor (`jobs/monitor`): a
processing job that EventBridge Scheduler starts, which that page names among the replacements.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlestate.aws.alarms import quality_metric
from mlestate.aws.images import image
from mlestate.config.base import Schedule
from mlestate.config.model import Model
from mlestate.names import Names

__all__ = ["CODE", "CREATE", "OUT", "arguments", "captures", "compares", "job", "monitored", "processing", "window"]

CREATE = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"
"""EventBridge Scheduler's universal target (user guide, "Using universal targets"): any call of an AWS API."""

CODE = "/opt/ml/processing/input/code"
OUT = "/opt/ml/processing/output"

MACHINE = "ml.m5.large"
DISK_GB = 30
LONGEST_SECONDS = 3600


def captures(model: Model) -> bool:
    """Whether requests and answers are kept: asked for, needed by what watches or compares them, or by law.

    Endpoints with machines and batch transforms can (SageMaker, "Data capture").
    """
    serving, monitoring = model.serving, model.monitoring
    watched = monitoring.data_drift or monitoring.prediction_drift or monitoring.model_quality
    asked = serving.capture is not None or model.automated_decision or watched is not None or compares(model)
    return asked and serving.mode in ("realtime", "batch")


def compares(model: Model) -> bool:
    """Whether a release sets two versions side by side on one endpoint and lets their answers decide."""
    return model.serving.mode == "realtime" and model.serving.rollout.strategy in ("ab", "shadow")


def monitored(model: Model) -> bool:
    """Whether the file asks for anything that only captured requests can tell."""
    watched = model.monitoring
    asked = (watched.data_drift, watched.prediction_drift, watched.model_quality, model.gates.fairness)
    return model.serving.mode in ("realtime", "batch") and any(each is not None for each in asked)


def window(schedule: Schedule) -> int:
    """How many hours lie between two runs at most; days are never left out (the rules see to it)."""
    hours = _hours(schedule.cron.split()[1])
    return max((later - earlier) % 24 or 24 for earlier, later in zip(hours, [*hours[1:], hours[0]], strict=True))


def _hours(text: str) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = 0 if first == "*" else int(first)
        end = 23 if first == "*" or (step and not last) else int(last or first)
        found.update(range(begin, end + 1, int(step or 1)))
    return sorted(found)


def arguments(
    names: Names, name: str, model: Model, stores: Mapping[str, str], endpoint: str, variant: str
) -> list[str]:
    """The monitor's command line. The scheduled time is put in by EventBridge Scheduler."""
    monitoring, batch = model.monitoring, model.serving.mode == "batch"
    given = {
        "model": name,
        "environment": names.slice,
        "problem": model.problem,
        "until": "<aws.scheduler.scheduled-time>",
        "hours": str(window(monitoring.schedule)),
        "capture": f"{stores['capture']}/{name}/{'batch' if batch else f'{endpoint}/{variant}'}/",
        "baseline": f"{stores['artifacts']}/{name}/baselines/data/statistics.json",
        "predictions": f"{stores['artifacts']}/{name}/baselines/model/predictions.json",
        "out": OUT,
    }
    if batch:
        given["answers"] = f"{stores['curated']}/{model.serving.output or f'predictions/{name}/'}"
    if model.data.target is not None:
        given["target"] = model.data.target
    if monitoring.data_drift is not None:
        given["data-drift"] = monitoring.data_drift.metric
    if monitoring.prediction_drift is not None:
        given["prediction-drift"] = monitoring.prediction_drift.metric
    if monitoring.model_quality is not None:
        given["labels"] = f"{stores['raw']}/{monitoring.model_quality.labels or f'labels/{name}/'}"
        given["metric"] = quality_metric(model)
    if model.gates.fairness is not None and model.gates.fairness.attribute is not None:
        given["attribute"] = model.gates.fairness.attribute
    return [word for key, value in given.items() for word in (f"--{key}", value)]


def job(
    names: Names,
    name: str,
    model: Model,
    *,
    role_arn: str,
    code: str,
    stores: Mapping[str, str],
    endpoint: str,
    variant: str,
    key: str | None,
    subnets: Sequence[str],
    groups: Sequence[str],
) -> dict[str, Any]:
    """The request that the schedule makes (SageMaker API, CreateProcessingJob).

    ``stores`` are `s3://` URIs by role, ``code`` the folder of the monitor's files, ``key`` the KMS key of models. The
    job lists and reads artifacts, capture, raw and, of batch runs, curated, and writes below ``<model>/monitoring/`` in
    artifacts. It reaches S3 by itself, so it is not isolated from the network; in a private one it has no way out.
    """
    return {
        "ProcessingJobName": f"{names.physical('monitoring-job', name)}-<aws.scheduler.execution-id>",
        **processing(
            names,
            name,
            model,
            program="monitor",
            arguments=arguments(names, name, model, stores, endpoint, variant),
            code=(code, f"{CODE}/monitor"),
            report=f"{stores['artifacts']}/{name}/monitoring/<aws.scheduler.scheduled-time>/",
            role_arn=role_arn,
            key=key,
            subnets=subnets,
            groups=groups,
        ),
    }


def processing(
    names: Names,
    name: str,
    model: Model,
    *,
    program: str,
    arguments: Sequence[str],
    code: tuple[str, str],
    report: str,
    role_arn: str,
    key: str | None,
    subnets: Sequence[str],
    groups: Sequence[str],
) -> dict[str, Any]:
    """A job that runs one of the estate's own programs, all but its name: a Python package, the folder in S3 of its
    files and where they go below ``CODE``, and the folder in S3 that takes what it leaves in ``OUT``."""
    tags = names.of_model(name, model.owner).tags
    return {
        "RoleArn": role_arn,
        "AppSpecification": {
            "ImageUri": image("scikit-learn", names.region),
            "ContainerEntrypoint": ["python3", "-m", program],
            "ContainerArguments": [*arguments],
        },
        "Environment": {"AWS_DEFAULT_REGION": names.region, "PYTHONPATH": CODE},
        "ProcessingInputs": [
            {
                "InputName": "code",
                "S3Input": {
                    "S3Uri": code[0],
                    "LocalPath": code[1],
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {"S3Uri": report, "LocalPath": OUT, "S3UploadMode": "EndOfJob"},
                }
            ],
            **({"KmsKeyId": key} if key else {}),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": MACHINE,
                "VolumeSizeInGB": DISK_GB,
                **({"VolumeKmsKeyId": key} if key else {}),
            }
        },
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": False,
            **({"VpcConfig": {"SecurityGroupIds": [*groups], "Subnets": [*subnets]}} if subnets else {}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
        "Tags": [{"Key": each, "Value": tags[each]} for each in sorted(tags)],
    }
