"""The registry: what serves in production was registered, and what is registered waits for approval."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlestate_policies.any.principals import leads, linked
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
MODEL: Final = "aws:sagemaker/model:Model"
GROUP: Final = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
PIPELINE: Final = "aws:sagemaker/pipeline:Pipeline"
MODEL_GARDEN: Final = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
DEPLOYMENT: Final = "azure-native:machinelearningservices:OnlineDeployment"
REGISTRY: Final = "azure-native:machinelearningservices:Registry"
VARIANTS: Final = ("productionVariants[].modelName", "shadowProductionVariants[].modelName")
CONTAINERS: Final = ("primaryContainer", "containers[]")
PENDING: Final = "PendingManualApproval"
_PACKAGE: Final = re.compile(r":model-package/([^/]+)/")
_IN_REGISTRY: Final = re.compile(r"^azureml://registries/([^/]+)/|/registries/([^/]+)/models/", re.IGNORECASE)
_REGISTERED: Final = re.compile(r"^azureml:(?!//)|^azureml://registries/|/models/[^/]+/versions/", re.IGNORECASE)


@stack_rule(
    "ML-STK-09",
    {
        CONFIGURATION: VARIANTS,
        MODEL: tuple(f"{each}.modelPackageName" for each in CONTAINERS),
        GROUP: ("modelPackageGroupName",),
        PIPELINE: ("pipelineDefinition",),
        MODEL_GARDEN: ("publisherModelName", "huggingFaceModelId"),
        DEPLOYMENT: ("properties.model",),
        REGISTRY: ("registryName",),
    },
    "No endpoint in production goes round the registry: its model comes from a group or registry of the estate, and "
    "pipelines register into one as pending",
    why="What was never registered has no lineage, no evaluation and no approval.",
    fix="Name a version with modelPackageName instead of an image, and give RegisterModel steps a group of the estate "
    f'and ModelApprovalStatus "{PENDING}"; on Azure set properties.model to an asset of the registry.',
    severity="high",
    evidences=(
        "EU AI Act 12",
        "ISO 42001 A.6.2.5",
        "NIST AI RMF GOVERN 1.6",
        "OSFI E-23",
    ),
)
def endpoints_serve_registered_models(estate: Estate, settings: Settings) -> Findings:
    yield from _aws(estate, settings)
    yield from _pipelines(estate, settings)
    for each in estate.of(MODEL_GARDEN):
        if settings.production(each):
            for path in ("publisherModelName", "huggingFaceModelId"):
                if each.at(path).unknown:
                    yield Undecided(path, each.urn)
                elif each.at(path).known:
                    message = "a model of Model Garden serves without being registered; one of the registry has to"
                    yield Violation(path, f"{path}: {message}", each.urn)
    for each in estate.of(DEPLOYMENT):
        if settings.production(each):
            yield from _azure(estate, each)


def _aws(estate: Estate, settings: Settings) -> Findings:
    for endpoint in estate.of(ENDPOINT):
        if not settings.production(endpoint):
            continue
        for config in linked(estate, endpoint, "endpointConfigName", CONFIGURATION):
            for path in VARIANTS:
                models, unread = leads(estate, config, path, MODEL)
                named = [node for node in config.each(path) if not node.absent]
                if unread and not models:
                    yield Undecided(path, config.urn)
                elif named and not unread and len(models) < len({node.text for node in named}) and estate.of(MODEL):
                    yield Violation(
                        path,
                        f"{path}: not every model is of this stack, so it may be of no registry; each has to be",
                        config.urn,
                    )
                for model in models:
                    yield from _registered(estate, model)


def _registered(estate: Estate, model: Resource) -> Findings:
    containers = [node for path in CONTAINERS for node in model.each(path) if not node.absent]
    if not containers:
        yield Violation(
            "primaryContainer", "primaryContainer is not set; it has to name a registered version", model.urn
        )
    for container in containers:
        package = container.at("modelPackageName")
        if package.absent and not container.unknown:
            yield Violation(
                package.path, f"{package.path} is not set: an image and data serve that nobody registered", model.urn
            )
        elif package.unknown:
            first = package.path.split(".")[0].split("[")[0]
            if not any(
                (other := estate.get(urn)) is not None and other.type == GROUP
                for urn in model.property_dependencies.get(first, ())
            ):
                yield Undecided(package.path, model.urn)
        else:
            yield from _of_a_group(estate, package, model)


def _of_a_group(estate: Estate, package: Node, model: Resource) -> Findings:
    named = _PACKAGE.search(package.text)
    groups = estate.of(GROUP)
    if named is None:
        yield Violation(
            package.path, f"{package.path} is no version of a model package group; it has to be one", model.urn
        )
    elif groups and named[1] not in _names(groups, "modelPackageGroupName"):
        if any(group.at("modelPackageGroupName").unknown for group in groups):
            yield Undecided("modelPackageGroupName", groups[0].urn)
        else:
            yield Violation(package.path, f"{package.path} is of no group of this stack; it has to be", model.urn)


def _names(resources: list[Resource], path: str) -> set[str]:
    return {
        text for each in resources for text in (each.at(path).text, each.at("name").text, each.at("id").text) if text
    }


def _pipelines(estate: Estate, settings: Settings) -> Findings:
    groups = estate.of(GROUP)
    for pipeline in estate.of(PIPELINE):
        definition = pipeline.at("pipelineDefinition").document()
        if not settings.production(pipeline) or definition.absent:
            continue
        if not definition.complete:
            yield Undecided("pipelineDefinition", pipeline.urn)
            continue
        for step in steps(definition.value):
            yield from _registers(step, pipeline, groups)


def _registers(step: Mapping[str, Any], pipeline: Resource, groups: list[Resource]) -> Findings:
    arguments = step.get("Arguments") or {}
    if step.get("Type") != "RegisterModel" or not isinstance(arguments, dict):
        return
    where = "pipelineDefinition"
    status, group = arguments.get("ModelApprovalStatus", PENDING), arguments.get("ModelPackageGroupName")
    if isinstance(status, str) and status != PENDING:
        yield Violation(
            where,
            f'{where}: a RegisterModel step says ModelApprovalStatus "{status[:40]}"; it has to be "{PENDING}"',
            pipeline.urn,
        )
    if group is None:
        yield Violation(
            where, f"{where}: a RegisterModel step names no ModelPackageGroupName; it has to name one", pipeline.urn
        )
    elif isinstance(group, str) and groups and group.rpartition("/")[2] not in _names(groups, "modelPackageGroupName"):
        if any(each.at("modelPackageGroupName").unknown for each in groups):
            yield Undecided("modelPackageGroupName", groups[0].urn)
        else:
            yield Violation(
                where, f"{where}: a RegisterModel step registers in no group of this stack; it has to", pipeline.urn
            )


def steps(definition: Any) -> Iterator[Mapping[str, Any]]:
    """Every step of a pipeline's definition, also those that a condition decides on."""
    if isinstance(definition, dict):
        if isinstance(definition.get("Type"), str) and "Arguments" in definition:
            yield definition
        for inside in definition.values():
            yield from steps(inside)
    elif isinstance(definition, list):
        for inside in definition:
            yield from steps(inside)


def _azure(estate: Estate, deployment: Resource) -> Findings:
    model = deployment.at("properties.model")
    registries = estate.of(REGISTRY)
    if model.unknown:
        yield Undecided(model.path, deployment.urn)
        return
    if not _REGISTERED.search(model.text):
        found = "is not set" if model.absent else "is no registered model"
        yield Violation(model.path, f"{model.path} {found}; it has to be a version in a registry", deployment.urn)
        return
    place = _IN_REGISTRY.search(model.text)
    name = (place[1] or place[2]).lower() if place else ""
    ours = {text.lower() for text in _names(registries, "registryName")}
    if registries and name not in ours:
        if any(each.at("registryName").unknown for each in registries):
            yield Undecided("registryName", registries[0].urn)
        else:
            yield Violation(
                model.path, f"{model.path} is in no registry of this stack; it has to be in one", deployment.urn
            )
