"""SageMaker Model Monitor and Clarify beside the estate's own monitor, for an account that may still use them.

AWS takes no new customers for either since 30 July 2026 (SageMaker developer guide, "Amazon SageMaker Model Monitor
availability change"), so a model has them only when its file asks. SageMaker Studio shows what they find; alarms stand
on the estate's own monitor. Plain data: no SDK.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

from mlestate.aws.images import image
from mlestate.config.base import Schedule
from mlestate.config.model import Model
from mlestate.names import Names

__all__ = ["KINDS", "Kind", "definition", "expression", "typed", "wanted"]

IN, OUT = "/opt/ml/processing/input/endpoint", "/opt/ml/processing/output"
MACHINE, DISK_GB, LONGEST_SECONDS = "ml.m5.large", 30, 3600

ANSWER = "predictions[0].prediction"
"""Where the answer stands in what a model returns. Model Monitor reads one row a request."""


@dataclass(frozen=True)
class Kind:
    """One kind of monitor. `word` is how the API's members begin (``ModelQualityJobInput``)."""

    type: str
    word: str
    image: str
    wanted: Callable[[Model], bool]
    labelled: bool = False
    """Whether it compares answers with true outcomes."""
    asks: bool = False
    """Whether it asks the model itself, for which it needs the network."""

    @property
    def cloud_control(self) -> str:
        return f"AWS::SageMaker::{self.word}JobDefinition"


KINDS: Mapping[str, Kind] = {
    "data-quality": Kind(
        "DataQuality",
        "DataQuality",
        "model-monitor",
        lambda model: bool(model.monitoring.data_drift or model.monitoring.prediction_drift),
    ),
    "model-quality": Kind(
        "ModelQuality",
        "ModelQuality",
        "model-monitor",
        lambda model: model.monitoring.model_quality is not None,
        labelled=True,
    ),
    "bias": Kind("ModelBias", "ModelBias", "clarify", lambda model: model.gates.fairness is not None, labelled=True),
    "explainability": Kind(
        "ModelExplainability", "ModelExplainability", "clarify", lambda model: model.automated_decision, asks=True
    ),
}
"""By the name that its baseline's folder, definition and schedule carry."""


def wanted(model: Model) -> list[str]:
    """The kinds of monitors that a model has: none unless its file asks for SageMaker's own."""
    asked = model.monitoring.aws is not None and model.monitoring.aws.model_monitor
    return [role for role, kind in KINDS.items() if asked and kind.wanted(model)]


def expression(schedule: Schedule) -> str | None:
    """The schedule as Model Monitor takes it: hourly, at one hour, or every so many hours, at the full hour (SageMaker
    API, ScheduleConfig); None where it takes no such schedule."""
    minute, hour, *days = schedule.cron.split()
    if minute != "0" or days != ["*", "*", "*"]:
        return None
    if step := re.fullmatch(r"\*/(\d+)", hour):
        hour = f"0/{int(step[1])}"
    elif hour != "*" and not hour.isdigit():
        return None
    return f"cron(0 {hour} ? * * *)"


def definition(
    role: str,
    names: Names,
    name: str,
    model: Model,
    *,
    role_arn: str,
    stores: Mapping[str, str],
    key: str | None,
    subnets: Sequence[str],
    groups: Sequence[str],
) -> dict[str, Any]:
    """A job definition as SageMaker's API and CloudFormation have it (`Create...JobDefinition`).

    A definition cannot change, so its name ends in a digest of what it says: a new one is made before the old one goes.
    The baseline is what the training pipeline leaves under ``<model>/baselines/`` in the artifact store; Clarify's own
    settings lie beside it, because only the model's repository knows the columns.
    """
    kind, tags = KINDS[role], names.of_model(name, model.owner).tags
    folder = {"data-quality": "data", "model-quality": "model"}.get(role, role)
    baseline = f"{stores['artifacts']}/{name}/baselines/{folder}"
    asked: dict[str, Any] = {
        "EndpointName": names.physical("endpoint", name),
        "LocalPath": IN,
        "S3DataDistributionType": "FullyReplicated",
        "S3InputMode": "File",
    }
    if role != "data-quality":
        asked["InferenceAttribute"] = ANSWER
    labels = model.monitoring.model_quality.labels if model.monitoring.model_quality is not None else None
    source: dict[str, Any] = {"EndpointInput": asked}
    if kind.labelled:
        source["GroundTruthS3Input"] = {"S3Uri": f"{stores['raw']}/{labels or f'labels/{name}/'}"}
    program: dict[str, Any] = {
        "ImageUri": image(kind.image, names.region),
        "Environment": {"publish_cloudwatch_metrics": "Enabled"},
    }
    if role == "model-quality":
        program["ProblemType"] = "Regression" if model.problem == "regression" else "BinaryClassification"
    if kind.image == "clarify":
        program["ConfigUri"] = f"{baseline}/analysis_config.json"
    compared = {"ConstraintsResource": {"S3Uri": f"{baseline}/constraints.json"}}
    if role == "data-quality":
        compared["StatisticsResource"] = {"S3Uri": f"{baseline}/statistics.json"}
    report = {"S3Uri": f"{stores['artifacts']}/{name}/monitoring/{role}/", "LocalPath": OUT, "S3UploadMode": "EndOfJob"}
    machine = {"InstanceCount": 1, "InstanceType": MACHINE, "VolumeSizeInGB": DISK_GB}
    state = {
        "RoleArn": role_arn,
        f"{kind.word}AppSpecification": program,
        f"{kind.word}BaselineConfig": compared,
        f"{kind.word}JobInput": source,
        f"{kind.word}JobOutputConfig": {
            "MonitoringOutputs": [{"S3Output": report}],
            **({"KmsKeyId": key} if key else {}),
        },
        "JobResources": {"ClusterConfig": {**machine, **({"VolumeKmsKeyId": key} if key else {})}},
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": not kind.asks,
            **({"VpcConfig": {"SecurityGroupIds": [*groups], "Subnets": [*subnets]}} if subnets else {}),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
        "Tags": [{"Key": each, "Value": tags[each]} for each in sorted(tags)],
    }
    digest = blake2s(json.dumps(state, sort_keys=True).encode()).hexdigest()[:8]
    return {**state, "JobDefinitionName": f"{names.physical('job-definition', f'{name}-{role}')}-{digest}"}


def typed(state: Mapping[str, Any]) -> dict[str, Any]:
    """A data quality definition as the provider's class has it: snake case, the one output as a block of its own, and
    neither what it is called nor its tags."""
    found: dict[str, Any] = _snaked(
        {key: each for key, each in state.items() if key not in ("JobDefinitionName", "Tags")}
    )
    return found


def _snaked(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower(): _snaked(each[0] if key == "MonitoringOutputs" else each)
        for key, each in value.items()
    }
