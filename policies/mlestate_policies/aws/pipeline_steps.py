"""Pipeline definitions of SageMaker as objects: their steps, also those inside conditions, and the jobs these start.

What a definition leaves open until a run (`{"Get": "Parameters.X"}`, `{"Std:Join": ...}`) stays as it is: a switch that
is such an expression is not set. Source: the schema of pipeline definitions that AWS publishes, version 2020-12-01; the
arguments of a step are those of the API call that it makes (CreateTrainingJob, CreateProcessingJob, ...).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided
from mlestate_policies.values import Node

__all__ = ["DEFINITION", "Definition", "Job", "Step", "judge_definition", "measured"]

DEFINITION: Final = "pipelineDefinition"


@dataclass(frozen=True)
class Job:
    """Where the arguments of a job say what rules ask; an empty path where the call has no such argument."""

    arguments: Node
    isolation: str = ""
    traffic: str = ""
    count: str = ""
    subnets: str = ""
    output_key: str = ""
    disk_key: str = ""
    machine: str = ""


_NOWHERE: Final = Node(None)
_TRAINING: Final = Job(
    _NOWHERE,
    isolation="EnableNetworkIsolation",
    traffic="EnableInterContainerTrafficEncryption",
    count="ResourceConfig.InstanceCount",
    subnets="VpcConfig.Subnets[]",
    output_key="OutputDataConfig.KmsKeyId",
    disk_key="ResourceConfig.VolumeKmsKeyId",
    machine="ResourceConfig.InstanceType",
)
_TUNING: Final = replace(
    _TRAINING,
    count="HyperParameterTuningResourceConfig.InstanceCount",
    disk_key="HyperParameterTuningResourceConfig.VolumeKmsKeyId",
    machine="HyperParameterTuningResourceConfig.InstanceType",
)
_PROCESSING: Final = Job(
    _NOWHERE,
    isolation="NetworkConfig.EnableNetworkIsolation",
    traffic="NetworkConfig.EnableInterContainerTrafficEncryption",
    count="ProcessingResources.ClusterConfig.InstanceCount",
    subnets="NetworkConfig.VpcConfig.Subnets[]",
    output_key="ProcessingOutputConfig.KmsKeyId",
    disk_key="ProcessingResources.ClusterConfig.VolumeKmsKeyId",
    machine="ProcessingResources.ClusterConfig.InstanceType",
)
_SIMPLE: Final[Mapping[str, Job]] = {
    "Training": _TRAINING,
    "Processing": _PROCESSING,
    "QualityCheck": _PROCESSING,
    # Clarify asks the model for predictions, and that is a call.
    "ClarifyCheck": replace(_PROCESSING, isolation=""),
    "Transform": Job(
        _NOWHERE,
        output_key="TransformOutput.KmsKeyId",
        disk_key="TransformResources.VolumeKmsKeyId",
        machine="TransformResources.InstanceType",
    ),
    "Model": Job(_NOWHERE, subnets="VpcConfig.Subnets[]"),
}


@dataclass(frozen=True)
class Step:
    """One step."""

    place: Node
    """What it says; its path names it."""
    gates: tuple[Node, ...]
    """The conditions around it."""

    @property
    def kind(self) -> str:
        return self.place.at("Type").text

    @property
    def name(self) -> str:
        return self.place.at("Name").text

    @property
    def arguments(self) -> Node:
        return self.place.at("Arguments")

    def jobs(self) -> Iterator[Job]:
        """The jobs that it starts; none where it starts none that SageMaker gives a machine."""
        if self.kind in _SIMPLE:
            yield replace(_SIMPLE[self.kind], arguments=self.arguments)
        elif self.kind == "Tuning":
            for path in ("TrainingJobDefinition", "TrainingJobDefinitions[]"):
                for node in self.arguments.each(path):
                    if not node.absent:
                        spread = not node.at("HyperParameterTuningResourceConfig").absent
                        yield replace(_TUNING if spread else _TRAINING, arguments=node)
        elif self.kind == "AutoML":
            second = self.arguments.at("AutoMLJobConfig.SecurityConfig").absent
            security = "SecurityConfig" if second else "AutoMLJobConfig.SecurityConfig"
            yield Job(
                self.arguments,
                traffic=f"{security}.EnableInterContainerTrafficEncryption",
                subnets=f"{security}.VpcConfig.Subnets[]",
                output_key="OutputDataConfig.KmsKeyId",
                disk_key=f"{security}.VolumeKmsKeyId",
            )


@dataclass(frozen=True)
class Definition:
    """A pipeline definition."""

    steps: tuple[Step, ...]
    parameters: Mapping[str, Node]

    def parameter(self, node: Node) -> Node | None:
        """The parameter of the run that a value is; None where it is none."""
        asked = node.at("Get").text
        return self.parameters.get(asked.removeprefix("Parameters.")) if asked.startswith("Parameters.") else None


def judge_definition(pipeline: Resource, test: Callable[[Definition], Findings]) -> Findings:
    """What `test` finds in a pipeline's definition; undecided where it is not here, or a step of it is not known."""
    document = pipeline.at(DEFINITION).document()
    if not document.known:
        yield Undecided(document.path)
        return
    steps = tuple(_steps(document.each("Steps[]"), f"{DEFINITION}.Steps", ()))
    for step in steps:
        if step.place.unknown or step.place.at("Type").unknown:
            yield Undecided(step.place.path)
    parameters = {node.at("Name").text: node for node in document.each("Parameters[]")}
    yield from test(Definition(steps, parameters))


def measured(value: Any) -> bool:
    """Whether a value, or a part of it, is what an earlier step of the run came to."""
    if isinstance(value, dict):
        asked = value.get("Get")
        if isinstance(asked, str) and asked.startswith("Steps."):
            return True
        return any(measured(each) for each in value.values())
    return isinstance(value, list) and any(measured(each) for each in value)


def _steps(nodes: tuple[Node, ...], path: str, gates: tuple[Node, ...]) -> Iterator[Step]:
    for index, node in enumerate(nodes):
        if node.absent:
            continue
        name = node.at("Name").text
        where = f"{path}[{name if re.fullmatch('[A-Za-z0-9-]{1,256}', name) else index}]"
        place = Node(node.value, where) if node.known else node
        yield Step(place, gates)
        if place.at("Type").text == "Condition":
            around = (*gates, place.at("Arguments.Conditions"))
            for branch in ("IfSteps", "ElseSteps"):
                yield from _steps(place.each(f"Arguments.{branch}[]"), f"{where}.{branch}", around)
