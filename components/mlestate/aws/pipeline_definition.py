"""The training pipeline as SageMaker takes it: a pipeline definition, version 2020-12-01.

`ingest`, `check_data`, `evaluate` and `check_model` become Processing steps, `train` a Training step, `register` a
RegisterModel step. A step that does not end with 0 fails its job and with it the run. Before the registry a Condition
step reads the numbers of `evaluate` once more and holds them against the bounds of the file, so that an image which
forgot its own gates registers nothing; where they do not hold, a Fail step says so. Nothing is cached: a gate that was
passed yesterday says nothing of today.

What a run records, and where: every output lies under ``<artifacts>/<model>/runs/<execution id>/<step>/<output>/``,
where no other run writes; among them the manifest of the data (source, rows, and of every file its version, SHA-256 and
size). The version in the registry names the run (`MetadataProperties.GeneratedBy`), commit and repository, and in its
customer metadata the manifest, settings, image tag, trigger, window of the data and environment. SageMaker's own
lineage connects the jobs with their inputs and outputs.

Sources: the pipeline definition JSON schema that AWS publishes; the SageMaker API, CreateModelPackage.
"""

import json
from dataclasses import dataclass

from mlestate import pipeline
from mlestate.aws.pipeline_expressions import Document, called, get, joined, number, output, parameter
from mlestate.aws.pipeline_jobs import PROPERTY_FILES, STEP_RETRIES, Jobs, Surroundings
from mlestate.config.model import Model
from mlestate.pipeline import STEPS, Limit, StepName

__all__ = ["definition"]

CONTENT_TYPES = ("application/json", "text/csv")
"""What a served model takes and gives."""


def definition(name: str, model: Model, around: Surroundings) -> str:
    """The definition as canonical JSON, so that what did not change shows no difference: sorted keys, no spaces."""
    jobs = Jobs(model, around)
    document = {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": _parameters(model),
        "Steps": [*(jobs.job(each) for each in STEPS if each.machine != "registry"), _Gates(name, jobs).document()],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _parameters(model: Model) -> list[Document]:
    unbounded = pipeline.UNBOUNDED
    defaults = {"Trigger": "manual", "DataFrom": unbounded, "DataTo": unbounded, "ImageTag": model.training.image}
    return [
        {"Name": name, "Type": "String"} | ({} if default is None else {"DefaultValue": default})
        for name, default in ((each, defaults.get(each, pipeline.NOT_RECORDED)) for each in pipeline.RUN)
    ]


@dataclass(frozen=True)
class _Gates:
    """The last look at the numbers, then the registry."""

    name: str
    jobs: Jobs

    def document(self) -> Document:
        passed = {"Type": "Equals", "LeftValue": _reported("check_model", ("passed",)), "RightValue": True}
        return {
            "Name": "gates",
            "Type": "Condition",
            "DependsOn": [called("check_model")],
            "Arguments": {
                "Conditions": [passed, *(_condition(limit) for limit in pipeline.limits(self.jobs.model))],
                "IfSteps": [self._register()],
                "ElseSteps": [self._refuse()],
            },
        }

    def _register(self) -> Document:
        data = {each: _file("check_data", "statistics", f"{each}.json") for each in ("statistics", "constraints")}
        own = {each: _file("evaluate", "baselines", f"model/{each}.json") for each in ("statistics", "constraints")}
        metrics: Document = {
            "ModelDataQuality": {"Statistics": data["statistics"], "Constraints": data["constraints"]},
            "ModelQuality": {
                "Statistics": _file("evaluate", "evaluation", pipeline.EVALUATION),
                "Constraints": own["constraints"],
            },
        }
        baselines: Document = {
            "ModelDataQuality": {"Statistics": data["statistics"], "Constraints": data["constraints"]},
            "ModelQuality": {"Statistics": own["statistics"], "Constraints": own["constraints"]},
        }
        if self.jobs.model.gates.fairness is not None:
            metrics["Bias"] = {"Report": _file("evaluate", "baselines", "bias/report.json")}
            baselines["Bias"] = {
                "ConfigFile": _file("evaluate", "baselines", "bias/analysis_config.json"),
                "PostTrainingConstraints": _file("evaluate", "baselines", "bias/constraints.json"),
            }
        if self.jobs.model.automated_decision:
            metrics["Explainability"] = {"Report": _file("evaluate", "baselines", "explainability/report.json")}
            baselines["Explainability"] = {
                "ConfigFile": _file("evaluate", "baselines", "explainability/analysis_config.json"),
                "Constraints": _file("evaluate", "baselines", "explainability/constraints.json"),
            }
        return {
            "Name": "register",
            "Type": "RegisterModel",
            "RetryPolicies": STEP_RETRIES,
            # No tags: SageMaker takes none on the versions of a group (CreateModelPackage, Tags).
            "Arguments": {
                "ModelPackageGroupName": self.jobs.around.group,
                # A person decides; there is no setting for anything else.
                "ModelApprovalStatus": "PendingManualApproval",
                "InferenceSpecification": {
                    "Containers": [{"Image": self.jobs.image(), "ModelDataUrl": output("train", "model")}],
                    "SupportedContentTypes": [*CONTENT_TYPES],
                    "SupportedResponseMIMETypes": [*CONTENT_TYPES],
                },
                "ModelMetrics": metrics,
                "DriftCheckBaselines": baselines,
                "MetadataProperties": {
                    "CommitId": parameter("Commit"),
                    "Repository": parameter("Repository"),
                    "GeneratedBy": get("Execution.PipelineExecutionArn"),
                },
                "CustomerMetadataProperties": {
                    "environment": self.jobs.around.environment,
                    "run": get("Execution.PipelineExecutionId"),
                    "trigger": parameter("Trigger"),
                    "image-tag": parameter("ImageTag"),
                    "data-from": parameter("DataFrom"),
                    "data-to": parameter("DataTo"),
                    "manifest": joined("/", output("ingest", "manifest"), "manifest.json"),
                    "settings": joined("/", output("ingest", "settings"), "settings.json"),
                },
            },
        }

    def _refuse(self) -> Document:
        text = f"Nothing was registered: the numbers of this run are outside the gates of {self.name}. They stand in "
        return {
            "Name": "refuse",
            "Type": "Fail",
            "Arguments": {
                "ErrorMessage": joined("", text, output("evaluate", "evaluation"), f"/{pipeline.EVALUATION}")
            },
        }


def _file(step: StepName, name: str, file: str) -> Document:
    return {"ContentType": "application/json", "S3Uri": joined("/", output(step, name), file)}


def _reported(step: StepName, path: tuple[str, ...]) -> Document:
    return number(step, PROPERTY_FILES[step][0], path)


def _condition(limit: Limit) -> Document:
    return {
        "Type": "GreaterThanOrEqualTo" if limit.bound == "min" else "LessThanOrEqualTo",
        "LeftValue": _reported("evaluate", limit.path),
        "RightValue": limit.value,
    }
