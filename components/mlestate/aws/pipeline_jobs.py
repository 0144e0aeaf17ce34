"""The jobs of a SageMaker training pipeline: its Processing steps and its Training step.

Every job runs as the model's own role, in the network of one's own where there is one, with its disks and outputs under
the estate's key, and calls out only where it must. Sources: SageMaker API, CreateProcessingJob and CreateTrainingJob;
SageMaker developer guide, "Retry policy for Pipelines steps" and "Managed Spot Training".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlestate import pipeline
from mlestate.aws.pipeline_expressions import Document, called, get, joined, output, parameter
from mlestate.aws.settings import COMPUTE, takes_volume_key
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.pipeline import Step

__all__ = ["CHAMPION", "PROPERTY_FILES", "SETTINGS", "STEP_RETRIES", "TRAINING_SECONDS", "Jobs", "Surroundings"]

CHAMPION = "champion"
"""The folder of a model's artifacts in which the release keeps the version in use."""
SETTINGS = "settings"
"""The folder of a model's artifacts that holds `settings.json`."""

INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
"""Where a processing job finds and leaves files (SageMaker API, ProcessingS3Input: below /opt/ml/processing)."""
TRAINING_INPUT, TRAINING_OUTPUT = "/opt/ml/input/data", "/opt/ml"
"""Where a training job finds its channels; it leaves the model in /opt/ml/model and checkpoints in /opt/ml/checkpoints
(SageMaker developer guide, "Amazon SageMaker AI training storage folders")."""

PROCESSING_SECONDS = 5 * 24 * 3600
"""The longest that a processing job runs under SageMaker's default quota."""

TRAINING_SECONDS = 28 * 24 * 3600
"""The longest that a training job runs (SageMaker quotas, "Longest run time for a training job")."""

SPOT_PATIENCE = 2
"""How many times its own length a run on spare machines may take with all waiting; training then stops."""

STEP_RETRIES: list[Document] = [
    {
        "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        "IntervalSeconds": 10,
        "BackoffRate": 2.0,
        "MaxAttempts": 5,
    }
]
JOB_RETRIES: list[Document] = [
    *STEP_RETRIES,
    {
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"],
        "IntervalSeconds": 60,
        "BackoffRate": 2.0,
        "MaxAttempts": 2,
    },
    # Machines that are all taken now are free again in an hour or two.
    {
        "ExceptionType": ["SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"],
        "IntervalSeconds": 120,
        "BackoffRate": 1.5,
        "ExpireAfterMin": 240,
    },
]
"""What is tried again: never a job whose container failed, since a gate that did not pass fails its container."""


PROPERTY_FILES: Mapping[str, tuple[str, str]] = {
    "evaluate": ("evaluation", pipeline.EVALUATION),
    "check_model": ("report", "report.json"),
}
"""By step: the output, and the file in it, that the gates read."""


def token(names: Names) -> str:
    """The parameter in which a person keeps the key to a tracking server of one's own.

    It stands apart from the estate's own parameters, which people and the CI may read.
    """
    return f"/mlestate-secrets/{names.estate}/{names.environment}/tracking"


@dataclass(frozen=True)
class Surroundings:
    """What the other parts tell a model's pipeline, as plain values."""

    environment: str
    folder: str
    """The folder of the model's artifacts: ``s3://<bucket>/<model>``."""
    image: str
    """The URI of the repository of its images."""
    group: str
    """The ARN of the group of its versions."""
    role: str
    """The ARN of the role that its jobs run as."""
    subnets: tuple[str, ...]
    """Where its jobs run; empty outside a network of one's own."""
    firewalls: tuple[str, ...]
    key: str | None
    """The ARN of the key of its artifacts and disks; None for keys that AWS manages."""
    tracking: str
    """MLflow's tracking URI; empty where SageMaker alone records runs."""
    experiment: str
    token: str
    """Where a run finds the key to a tracking server of the user's own, if that asks for one."""
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Jobs:
    """The jobs of one model's pipeline."""

    model: Model
    around: Surroundings

    def job(self, step: Step) -> Document:
        """The step as a job in a container."""
        training = step.name == "train"
        document: Document = {
            "Name": called(step.name),
            "Type": "Training" if training else "Processing",
            "Arguments": self._training(step) if training else self._processing(step),
            "RetryPolicies": JOB_RETRIES,
        }
        if step.after:
            document["DependsOn"] = [called(each) for each in step.after]
        if step.name in PROPERTY_FILES:
            output, file = PROPERTY_FILES[step.name]
            document["PropertyFiles"] = [{"PropertyFileName": output, "OutputName": output, "FilePath": file}]
        return document

    def image(self) -> Document:
        """The image that the run uses."""
        return joined(":", self.around.image, parameter("ImageTag"))

    def _processing(self, step: Step) -> Document:
        start = pipeline.command(step.name, INPUT, OUTPUT)
        arguments = start.index("--in")
        outputs = [
            {
                "OutputName": each,
                "S3Output": {
                    "LocalPath": f"{OUTPUT}/{each}",
                    "S3UploadMode": "EndOfJob",
                    "S3Uri": self._written(step, each),
                },
            }
            for each in step.writes
        ]
        inputs = [
            {
                "InputName": each,
                "S3Input": {
                    "LocalPath": f"{INPUT}/{each}",
                    "S3DataType": "S3Prefix",
                    "S3DataDistributionType": "FullyReplicated",
                    "S3InputMode": "File",
                    "S3Uri": self._read(step, each),
                },
            }
            for each in step.reads
        ]
        return {
            "AppSpecification": {
                "ImageUri": self.image(),
                "ContainerEntrypoint": start[:arguments],
                "ContainerArguments": start[arguments:],
            },
            "Environment": self._environment(step),
            "NetworkConfig": {
                "EnableNetworkIsolation": self._is_isolated(step),
                "EnableInterContainerTrafficEncryption": True,
                **self._network(),
            },
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": outputs, **self._key("KmsKeyId")},
            "ProcessingResources": {
                "ClusterConfig": self._machines(COMPUTE[pipeline.compute(step.machine, self.model)], 1)
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": min(self.model.training.timeout.seconds, PROCESSING_SECONDS)},
            "RoleArn": self.around.role,
            "Tags": self._tags(),
        }

    def _training(self, step: Step) -> Document:
        start = pipeline.command(step.name, TRAINING_INPUT, TRAINING_OUTPUT)
        arguments = start.index("--in")
        training = self.model.training
        seconds = training.timeout.seconds
        hatch = training.aws.instance_type if training.aws is not None else None
        channels = [
            {
                "ChannelName": each,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3DataDistributionType": "FullyReplicated",
                        "S3Uri": self._read(step, each),
                    }
                },
            }
            for each in step.reads
        ]
        spot: Document = {
            "EnableManagedSpotTraining": True,
            "CheckpointConfig": {"S3Uri": self._written(step, "checkpoints")},
            "StoppingCondition": {
                "MaxRuntimeInSeconds": seconds,
                "MaxWaitTimeInSeconds": min(SPOT_PATIENCE * seconds, TRAINING_SECONDS),
            },
        }
        return {
            "AlgorithmSpecification": {
                "TrainingImage": self.image(),
                "TrainingInputMode": "File",
                "ContainerEntrypoint": start[:arguments],
                "ContainerArguments": start[arguments:],
            },
            "Environment": self._environment(step),
            "EnableNetworkIsolation": self._is_isolated(step),
            "EnableInterContainerTrafficEncryption": True,
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": self._written(step, "model"), **self._key("KmsKeyId")},
            "ResourceConfig": self._machines(hatch or COMPUTE[training.compute], training.instances),
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
            "RoleArn": self.around.role,
            "Tags": self._tags(),
            **self._network(),
            **(spot if training.spot else {}),
        }

    def _read(self, step: Step, name: str) -> Any:
        source = step.reads[name]
        return f"{self.around.folder}/{name}/" if source is None else output(source, name)

    def _written(self, step: Step, name: str) -> Document:
        runs = f"{self.around.folder}/runs"
        return joined("/", runs, get("Execution.PipelineExecutionId"), called(step.name), name)

    def _environment(self, step: Step) -> Document:
        told: Document = {
            "MLESTATE_RUN": get("Execution.PipelineExecutionId"),
            "MLESTATE_COMMIT": parameter("Commit"),
        }
        if step.reach == "data":
            told |= {"MLESTATE_DATA_FROM": parameter("DataFrom"), "MLESTATE_DATA_TO": parameter("DataTo")}
        if step.reach == "tracking" and self.around.tracking:
            told |= {"MLFLOW_TRACKING_URI": self.around.tracking, "MLFLOW_EXPERIMENT_NAME": self.around.experiment}
            # AWS's own is called by the role of the job, and needs no key.
            told |= {"MLESTATE_TRACKING_TOKEN": self.around.token} if self.around.tracking.startswith("https:") else {}
        return told

    def _is_isolated(self, step: Step) -> bool:
        """SageMaker moves inputs and outputs itself, so only what calls out needs a network: `ingest` goes to the data,
        `train` and `evaluate` to the tracking server where there is one."""
        return step.reach == "none" or (step.reach == "tracking" and not self.around.tracking)

    def _network(self) -> Document:
        if not self.around.subnets:
            return {}
        return {"VpcConfig": {"Subnets": [*self.around.subnets], "SecurityGroupIds": [*self.around.firewalls]}}

    def _key(self, argument: str) -> Document:
        return {} if self.around.key is None else {argument: self.around.key}

    def _machines(self, instance_type: str, count: int) -> Document:
        return {
            "InstanceType": instance_type,
            "InstanceCount": count,
            "VolumeSizeInGB": self.model.training.volume_gb,
            # Disks that come with the machine are encrypted by it, and SageMaker refuses a key for them.
            **(self._key("VolumeKmsKeyId") if takes_volume_key(instance_type) else {}),
        }

    def _tags(self) -> list[Document]:
        return [{"Key": key, "Value": value} for key, value in sorted(self.around.tags.items())]
