"""The expressions of a SageMaker pipeline definition: what SageMaker fills in when a run reaches a step.

Sources: the pipeline definition JSON schema that AWS publishes; SageMaker developer guide, "Pass data between steps".
"""

from typing import Any

from mlestate.pipeline import StepName

__all__ = ["Document", "called", "get", "joined", "number", "output", "parameter"]

Document = dict[str, Any]


def called(name: StepName) -> str:
    """What a step is called. Its name becomes part of its job's, which takes no underscore (CreateProcessingJob,
    ProcessingJobName)."""
    return name.replace("_", "-")


def get(path: str) -> Document:
    """A value by its path: ``Parameters.Commit``, ``Execution.PipelineExecutionId``, ``Steps.train.ModelArtifacts``."""
    return {"Get": path}


def joined(on: str, *values: Any) -> Document:
    """Texts and expressions, joined."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def parameter(name: str) -> Document:
    """What whoever started the run said."""
    return get(f"Parameters.{name}")


def output(step: StepName, name: str) -> Document:
    """The place of an output, as the job says where it left it."""
    if step == "train":
        return get("Steps.train.ModelArtifacts.S3ModelArtifacts")
    return get(f"Steps.{called(step)}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def number(step: StepName, name: str, path: tuple[str, ...]) -> Document:
    """A value in the property file of that name; SageMaker reads it in a Condition step."""
    file = get(f"Steps.{called(step)}.PropertyFiles.{name}")
    return {"Std:JsonGet": {"PropertyFile": file, "Path": ".".join(path)}}
