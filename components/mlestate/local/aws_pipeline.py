"""SageMaker pipeline definitions, judged as CreatePipeline would: what cannot be run is found before it is deployed.

Rules: the pipeline definition JSON schema that AWS publishes, and what it leaves to the service (SageMaker developer
guide, "Pipelines steps", "Pass data between steps", "Retry policy for Pipelines steps"; sagemaker-python-sdk,
`sagemaker.workflow`). Needs neither an SDK nor botocore. The arguments of a step are those of an API operation, which
`operations` names, so that whoever has the API's model can judge them too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["INLINE_LIMIT", "operations", "validate_definition"]

INLINE_LIMIT = 100 * 1024
"""Bytes of a definition that stands in the request; sagemaker-python-sdk puts a longer one into S3."""

OPERATIONS: Mapping[str, tuple[str, str | None]] = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "Transform": ("CreateTransformJob", "TransformJobName"),
    "RegisterModel": ("CreateModelPackage", None),
}
"""By type of step: the operation whose input its arguments are, and the name that the service makes up if need be."""

TYPES = frozenset(OPERATIONS) | {
    *("AutoML", "Callback", "ClarifyCheck", "Condition", "EMR", "Endpoint", "EndpointConfig", "Fail", "Lambda"),
    *("Model", "QualityCheck", "Tuning"),
}
JOBS = frozenset({"Processing", "Training", "Transform", "Tuning"})
"""What runs a job, whose failures a retry policy can name."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)\.(.+)")
OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']+)'\]\.S3Output\.S3Uri")

EXECUTION: Mapping[str, str] = {
    "StartDateTime": "2026-01-31T04:00:00Z",
    "CurrentDateTime": "2026-01-31T04:00:00Z",
    "PipelineName": "pipeline",
    "PipelineArn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/pipeline",
    "PipelineExecutionId": "abcdefghijkl",
    "PipelineExecutionArn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/pipeline/execution/abcdefghijkl",
    "TrainingJobName": "pipelines-abcdefghijkl-train",
    "ProcessingJobName": "pipelines-abcdefghijkl-process",
}
"""What a run knows of itself, each with a value such as SageMaker gives."""

COMPARISONS = frozenset({"Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"})
PARAMETERS: Mapping[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Float": (int, float),
    "Boolean": bool,
}
RETRIED = {
    "Step.SERVICE_FAULT": TYPES,
    "Step.THROTTLING": TYPES,
    "SageMaker.JOB_INTERNAL_ERROR": JOBS,
    "SageMaker.CAPACITY_ERROR": JOBS,
    "SageMaker.RESOURCE_LIMIT": JOBS,
}


def validate_definition(definition: str) -> list[str]:
    """Everything that SageMaker would refuse in a pipeline definition, a sentence each; none when it is whole."""
    size = len(definition.encode())
    if size > INLINE_LIMIT:
        return [f"the definition has {size} bytes, and SageMaker takes {INLINE_LIMIT} inline"]
    try:
        document = json.loads(definition)
    except ValueError as wrong:
        return [f"the definition is no JSON: {wrong}"]
    if not isinstance(document, dict):
        return ["the definition is no JSON object"]
    return list(_Definition(document).problems())


def operations(definition: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The step, the API operation and its input for every step that makes something, with a sample in the place of each
    expression. Takes a definition in which `validate_definition` found nothing."""
    document = json.loads(definition)
    whole = _Definition(document)
    for step in whole.steps():
        operation, name = OPERATIONS.get(step["Type"], (None, None))
        if operation is not None:
            arguments = whole.sampled(step["Arguments"])
            yield step["Name"], operation, ({name: "sample"} if name else {}) | arguments


class _Definition:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.parameters: dict[str, Mapping[str, Any]] = {
            str(each.get("Name")): each for each in _blocks(document.get("Parameters"))
        }
        self.by_name = {str(each.get("Name")): each for each in self.steps()}

    def steps(self) -> Iterator[Mapping[str, Any]]:
        """Every step, those in the branches of a condition behind it."""
        for step in _blocks(self.document.get("Steps")):
            yield step
            for branch in _branches(step):
                yield from branch

    def problems(self) -> Iterator[str]:
        known = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}
        for key in sorted(self.document.keys() - known):
            yield f"'{key}' is no part of a definition"
        if self.document.get("Version") != "2020-12-01":
            yield f"Version is {self.document.get('Version')!r}; there is 2020-12-01"
        if not _blocks(self.document.get("Steps")):
            yield "there are no steps"
        yield from self._parameters()
        names = [str(each.get("Name")) for each in self.steps()]
        for name in sorted({each for each in names if names.count(each) > 1}):
            yield f"two steps are called '{name}'"
        for step in self.steps():
            for problem in self._step(step):
                yield f"step '{step.get('Name')}': {problem}"
        yield from self._circles()

    def _parameters(self) -> Iterator[str]:
        if len(self.parameters) < len(_blocks(self.document.get("Parameters"))):
            yield "two parameters have one name"
        for name, parameter in self.parameters.items():
            kind = PARAMETERS.get(str(parameter.get("Type")))
            if not NAME.fullmatch(name):
                yield f"parameter '{name}': a name has 1 to 64 letters, digits, - and _"
            if kind is None:
                yield f"parameter '{name}': its type is one of {', '.join(PARAMETERS)}"
            elif "DefaultValue" in parameter and not isinstance(parameter["DefaultValue"], kind):
                yield f"parameter '{name}': its default {parameter['DefaultValue']!r} is no {parameter['Type']}"

    def _step(self, step: Mapping[str, Any]) -> Iterator[str]:
        kind = step.get("Type")
        if not NAME.fullmatch(str(step.get("Name"))):
            yield "a name has 1 to 64 letters, digits, - and _"
        if kind not in TYPES:
            yield f"'{kind}' is no type of step"
        if not isinstance(step.get("Arguments"), dict):
            yield "it has no arguments"
            return
        for other in step.get("DependsOn", ()):
            if other not in self.by_name:
                yield f"it depends on '{other}', which there is not"
            elif self.by_name[other].get("Type") == "Fail":
                yield f"it depends on '{other}', after which nothing runs"
        yield from self._retries(step)
        yield from self._property_files(step)
        yield from (problem for expression in _expressions(step) for problem in self._expression(step, expression))
        if kind == "Condition":
            yield from self._condition(step)
        elif kind == "Training":
            yield from _spot(step["Arguments"])
        elif kind == "RegisterModel" and step["Arguments"].keys() >= {"ModelPackageGroupName", "Tags"}:
            yield "a version in a group takes no tags"

    def _retries(self, step: Mapping[str, Any]) -> Iterator[str]:
        for policy in _blocks(step.get("RetryPolicies")):
            for exception in policy.get("ExceptionType", ()):
                if step.get("Type") not in RETRIED.get(exception, ()):
                    yield f"'{exception}' is nothing that a {step.get('Type')} step retries"
            attempts, minutes = policy.get("MaxAttempts"), policy.get("ExpireAfterMin")
            if (attempts is None) == (minutes is None):
                yield "a retry policy has either MaxAttempts or ExpireAfterMin"
            if attempts is not None and not 1 <= attempts <= 20:
                yield f"MaxAttempts is {attempts}; it is 1 to 20"
            if minutes is not None and not 0 <= minutes <= 14400:
                yield f"ExpireAfterMin is {minutes}; it is 0 to 14400"

    def _property_files(self, step: Mapping[str, Any]) -> Iterator[str]:
        for file in _blocks(step.get("PropertyFiles")):
            if file.get("OutputName") not in _outputs(step):
                yield f"property file '{file.get('PropertyFileName')}' is of an output that the step does not have"

    def _condition(self, step: Mapping[str, Any]) -> Iterator[str]:
        conditions = _blocks(step["Arguments"].get("Conditions"))
        if not conditions:
            yield "it has no conditions"
        for condition in conditions:
            if condition.get("Type") in COMPARISONS:
                if not {"LeftValue", "RightValue"} <= condition.keys():
                    yield f"{condition['Type']} compares a LeftValue with a RightValue"
            elif condition.get("Type") not in ("In", "NotIn", "Or", "Not"):
                yield f"'{condition.get('Type')}' is no condition"
        if any(inner.get("Type") == "Condition" for branch in _branches(step) for inner in branch):
            yield "a condition stands in a branch of it, and SageMaker nests none"

    def _expression(self, step: Mapping[str, Any], expression: Mapping[str, Any]) -> Iterator[str]:
        kind, value = next(iter(expression.items()))
        if kind == "Std:JsonGet":
            if step.get("Type") != "Condition":
                yield "Std:JsonGet is read in a Condition step alone"
            if not isinstance(value, dict) or not {"Path"} < value.keys():
                yield "Std:JsonGet needs a Path, and a PropertyFile or an S3Uri"
        elif kind == "Std:Join":
            if not isinstance(value, dict) or not isinstance(value.get("Values"), list):
                yield "Std:Join needs On and a list of Values"
        else:
            yield from self._reference(step, str(value))

    def _reference(self, step: Mapping[str, Any], path: str) -> Iterator[str]:
        head, _, rest = path.partition(".")
        if head == "Parameters" and rest not in self.parameters:
            yield f"there is no parameter '{rest}'"
        elif head == "Execution" and rest not in EXECUTION:
            yield f"a run knows no '{rest}' of itself"
        elif head == "Steps":
            found = STEP.fullmatch(path)
            if found is None or found[1] not in self.by_name:
                yield f"there is no step that '{path}' could be of"
                return
            other, property_ = self.by_name[found[1]], found[2]
            if other is step:
                yield f"'{path}' is of the step itself"
            output = OUTPUT.fullmatch(property_)
            if output and output[1] not in _outputs(other):
                yield f"step '{found[1]}' has no output '{output[1]}'"
            files = {each.get("PropertyFileName") for each in _blocks(other.get("PropertyFiles"))}
            if property_.startswith("PropertyFiles.") and property_.partition(".")[2] not in files:
                yield f"step '{found[1]}' has no property file '{property_.partition('.')[2]}'"
        elif head not in ("Parameters", "Execution"):
            yield f"'{path}' begins with none of Parameters, Execution and Steps"

    def _circles(self) -> Iterator[str]:
        """A step that waits for itself, through others or through the condition whose branch it stands in."""
        waits = {name: set(step.get("DependsOn", ())) for name, step in self.by_name.items()}
        for name, step in self.by_name.items():
            for expression in _expressions(step):
                found = STEP.fullmatch(str(expression.get("Get")))
                if found is not None and found[1] != name:
                    waits[name].add(found[1])
            for branch in _branches(step):
                for inner in branch:
                    waits[str(inner.get("Name"))].add(name)
        while done := {name for name, others in waits.items() if not others & waits.keys()}:
            waits = {name: others for name, others in waits.items() if name not in done}
        if waits:
            yield f"these steps wait for each other: {', '.join(sorted(waits))}"

    def sampled(self, value: Any) -> Any:
        """The value with a sample in the place of each expression."""
        if isinstance(value, list):
            return [self.sampled(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Std:Join"}:
            joined = value["Std:Join"]
            return joined.get("On", "").join(str(self.sampled(each)) for each in joined["Values"])
        if value.keys() == {"Get"}:
            head, _, rest = value["Get"].partition(".")
            if head == "Parameters":
                return self.parameters[rest].get("DefaultValue", "sample")
            return EXECUTION[rest] if head == "Execution" else "s3://sample/sample"
        return {key: self.sampled(each) for key, each in value.items()}


def _blocks(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _branches(step: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
    arguments = step.get("Arguments")
    if step.get("Type") == "Condition" and isinstance(arguments, dict):
        for branch in ("IfSteps", "ElseSteps"):
            yield _blocks(arguments.get(branch))


def _expressions(step: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every expression in the arguments of a step; what stands in a branch belongs to the steps there."""
    waiting: list[Any] = [
        value for key, value in (step.get("Arguments") or {}).items() if key not in ("IfSteps", "ElseSteps")
    ]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.keys() & {"Get", "Std:Join", "Std:JsonGet"}:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _outputs(step: Mapping[str, Any]) -> set[Any]:
    config = (step.get("Arguments") or {}).get("ProcessingOutputConfig") or {}
    return {each.get("OutputName") for each in _blocks(config.get("Outputs"))}


def _spot(arguments: Mapping[str, Any]) -> Iterator[str]:
    """SageMaker API, StoppingCondition: the wait is for spot jobs alone, and no shorter than the run."""
    stopping = arguments.get("StoppingCondition") or {}
    wait, run = stopping.get("MaxWaitTimeInSeconds"), stopping.get("MaxRuntimeInSeconds")
    spot = arguments.get("EnableManagedSpotTraining", False)
    if spot and wait is None:
        yield "a spot job needs MaxWaitTimeInSeconds"
    if not spot and wait is not None:
        yield "MaxWaitTimeInSeconds is for spot jobs alone"
    if wait is not None and run is not None and wait < run:
        yield f"it waits {wait} s at most, and may run {run} s: MaxWaitTimeInSeconds is no shorter than the run"
