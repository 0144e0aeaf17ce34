"""A finished run of a recorded pipeline: its files where the definition puts them, and the version it registers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .people import Identity, person

if TYPE_CHECKING:
    from .account import Account
    from .jobs import Model

__all__ = ["Trained", "register"]

OUTPUT = re.compile(r"Steps\.([\w-]+)\.ProcessingOutputConfig\.Outputs\['([^']+)'\]\.S3Output\.S3Uri")
ARTIFACT = re.compile(r"Steps\.([\w-]+)\.ModelArtifacts\.S3ModelArtifacts")


def constant(rows: Sequence[Any]) -> list[Any]:
    """A model that answers everything with the same."""
    return [{"prediction": 1, "probability": 0.9} for _ in rows]


@dataclass
class Trained:
    """What a run leaves behind."""

    answers: Model = constant
    """What the version answers when it is served."""
    answered: Model | None = None
    """What it answered in the evaluation, where that is another."""
    rows: Sequence[Any] = ({"amount": 10.0, "province": "ON"}, {"amount": 99.5, "province": "BC"})
    """The rows of its examples."""
    evaluation: Mapping[str, Any] = field(default_factory=lambda: {"metrics": {"roc_auc": 0.9}})
    image: str = "1.0"
    files: Mapping[str, str | None] = field(default_factory=dict)
    """Files besides, or instead, by `<step>/<output>/<file>`; None for one that is missing."""


def register(
    account: Account,
    model: str,
    by: str | None,
    started_by: str,
    environment: str | None,
    trained: Trained,
    status: str | None,
) -> int:
    pipeline = _pipeline(account, model, environment)
    if pipeline is None:
        return _without_run(account, model, by or started_by, trained, status)
    definition = account.pipelines.definition(pipeline)
    role = f"{pipeline.removesuffix(f'-{model}')}-pipeline"
    with account.acting(person(started_by)):
        parameters = {"ImageTag": trained.image} if _takes(definition, "ImageTag") else {}
        run = account.pipelines.begin(pipeline, parameters)
    run.status, run.ended = "Succeeded", account.clock.now
    places = _places(definition, run.id, run.parameters, run.arn)
    number = 1 + max((each for of, each in account.trained if of == model), default=0)
    account.trained[model, number] = trained
    for name, text in _files(trained, model, number).items():
        step, output, file = name.split("/", 2)
        if text is not None and (step, output) in places:
            account.write(f"{places[step, output]}/{file}", text)
    (arguments,) = [each["Arguments"] for each in _steps(definition) if each["Type"] == "RegisterModel"]
    request = _filled(arguments, places, run.parameters, run.id, run.arn)
    if status is not None:
        request["ModelApprovalStatus"] = status
    # SageMaker runs the steps of a pipeline in sessions of the pipeline's role.
    with account.acting(person(by) if by else Identity(role, "SageMaker")):
        made = account.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    assert int(made.rpartition("/")[2]) == number, "the versions of a group are those that were registered here"
    return number


def _without_run(account: Account, model: str, by: str, trained: Trained, status: str | None) -> int:
    """A version in an account without an estate: a package and nothing else."""
    with account.acting(person(by)):
        made = account.client("sagemaker").create_model_package(
            ModelPackageGroupName=account.group(model),
            ModelApprovalStatus=status or "PendingManualApproval",
            CustomerMetadataProperties={"image-tag": trained.image},
        )["ModelPackageArn"]
    number = int(made.rpartition("/")[2])
    account.trained[model, number] = trained
    return number


def _pipeline(account: Account, model: str, environment: str | None) -> str | None:
    """The pipeline of a model: of an environment, else of the first on the path of versions."""
    rows = [row for row in account._rows if row.type == "aws:sagemaker/pipeline:Pipeline"]
    mine = {
        row.inputs["tags"]["environment"]: row.inputs["pipelineName"]
        for row in rows
        if row.inputs["tags"].get("model") == model
    }
    if not mine:
        return None
    if environment is None:
        environment = next((each for each in mine if _first(account, each, model)), None)
    assert environment in mine, f"no pipeline trains {model} in {environment}: {mine}"
    return str(mine[environment])


def _first(account: Account, environment: str, model: str) -> bool:
    for row in account._rows:
        if row.type == "aws:ssm/parameter:Parameter" and row.inputs["name"].endswith(f"/{environment}/{model}/release"):
            settings = json.loads(row.inputs.get("insecureValue") or row.inputs["value"])
            return (settings.get("promotion") or {}).get("from") is None
    # A model that nothing releases is trained in one environment or in another.
    return not any(
        row.type == "aws:ssm/parameter:Parameter" and row.inputs["name"].endswith(f"/{model}/release")
        for row in account._rows
    )


def _takes(definition: Mapping[str, Any], parameter: str) -> bool:
    return any(each["Name"] == parameter for each in definition.get("Parameters", ()))


def _steps(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for step in definition["Steps"]:
        found.append(step)
        found += [*step["Arguments"].get("IfSteps", ()), *step["Arguments"].get("ElseSteps", ())]
    return found


def _places(
    definition: Mapping[str, Any], run: str, parameters: Mapping[str, str], run_arn: str
) -> dict[tuple[str, str], str]:
    """Where the outputs of the steps lie; a trained model's file is in its step's output `model`."""
    places: dict[tuple[str, str], str] = {}
    for step in _steps(definition):
        arguments = step["Arguments"]
        for each in arguments.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            uri = _filled(each["S3Output"]["S3Uri"], places, parameters, run, run_arn)
            places[step["Name"], each["OutputName"]] = uri
        if step["Type"] == "Training":
            folder = _filled(arguments["OutputDataConfig"]["S3OutputPath"], places, parameters, run, run_arn)
            places[step["Name"], "model"] = f"{folder}/pipelines-{run}-{step['Name']}/output"
    return places


def _filled(
    value: Any, places: Mapping[tuple[str, str], str], parameters: Mapping[str, str], run: str, run_arn: str
) -> Any:
    if isinstance(value, list):
        return [_filled(each, places, parameters, run, run_arn) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Std:Join"}:
        join = value["Std:Join"]
        return join["On"].join(_filled(each, places, parameters, run, run_arn) for each in join["Values"])
    if value.keys() == {"Get"}:
        path = value["Get"]
        if path.startswith("Parameters."):
            return parameters[path.removeprefix("Parameters.")]
        if path.startswith("Execution."):
            return {"PipelineExecutionId": run, "PipelineExecutionArn": run_arn}[path.removeprefix("Execution.")]
        if output := OUTPUT.fullmatch(path):
            return places[output[1], output[2]]
        artifact = ARTIFACT.fullmatch(path)
        assert artifact is not None, f"the simulation does not know {path} of a pipeline"
        return f"{places[artifact[1], 'model']}/model.tar.gz"
    return {key: _filled(each, places, parameters, run, run_arn) for key, each in value.items()}


def _files(trained: Trained, model: str, number: int) -> dict[str, str | None]:
    answered = list((trained.answered or trained.answers)(trained.rows))
    own: dict[str, Any] = {
        # Which version answers is read off its artifact, so a copy that is another's, or none, shows.
        "train/model/model.tar.gz": {"model": model, "number": number},
        "check-data/statistics/statistics.json": {"version": number, "features": []},
        "check-data/statistics/constraints.json": {"version": number},
        "evaluate/evaluation/evaluation.json": dict(trained.evaluation),
        "evaluate/baselines/model/statistics.json": {"version": number},
        "evaluate/baselines/model/constraints.json": {"version": number},
        "evaluate/examples/request.json": {"instances": list(trained.rows)},
        "evaluate/examples/answer.json": {"predictions": answered},
        "ingest/manifest/manifest.json": {"files": []},
        "ingest/settings/settings.json": {"model": model},
    }
    return {name: json.dumps(value) for name, value in own.items()} | dict(trained.files)
