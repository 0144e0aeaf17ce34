"""Endpoints and deployments of Azure ML: what answers requests, and what is kept of them."""

import re
from typing import Final

from mlestate_policies.azure.kinds import NETWORKS, WORKSPACE, in_managed_network
from mlestate_policies.checks import at_least, equals, holds, is_true
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule, stack_rule
from mlestate_policies.settings import SAMPLING_PERCENT, Settings, limit
from mlestate_policies.values import Node

ENDPOINT: Final = "azure-native:machinelearningservices:OnlineEndpoint"
BATCH_ENDPOINT: Final = "azure-native:machinelearningservices:BatchEndpoint"
DEPLOYMENT: Final = "azure-native:machinelearningservices:OnlineDeployment"
BATCH_DEPLOYMENT: Final = "azure-native:machinelearningservices:BatchDeployment"

REGISTRIES: Final = limit(
    "modelRegistries",
    (),
    "The Azure ML registries that models and environments of production come from; empty where any registry will do",
)


@resource_rule(
    "ML-AZ-AML-030",
    {ENDPOINT: ("properties.publicNetworkAccess",)},
    "An endpoint is not reached from the internet",
    why="A public endpoint can be tried by everybody: for its answers, for the model behind them, until it stops.",
    fix='Set properties.publicNetworkAccess to "Disabled"; callers come through the workspace\'s private endpoint.',
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def endpoint_is_not_public(endpoint: Resource, settings: Settings) -> Findings:
    return equals(endpoint, "properties.publicNetworkAccess", "Disabled")


@resource_rule(
    "ML-AZ-AML-031",
    {ENDPOINT: ("properties.authMode",), BATCH_ENDPOINT: ("properties.authMode",)},
    "An endpoint knows its callers by Entra ID",
    why="A key does not say who called, and works for whoever finds it until somebody changes it.",
    fix='Set properties.authMode to "AADToken".',
    severity="high",
    evidences=("EU AI Act 12", "EU AI Act 15", "ISO 42001 A.6.2.8", "PIPEDA 4.7"),
)
def endpoint_takes_entra_tokens(endpoint: Resource, settings: Settings) -> Findings:
    # An endpoint on a cluster of one's own (`compute`) can take no Entra tokens, but short-lived ones of Azure ML.
    own = () if endpoint.at("properties.compute").absent else ("AMLToken",)
    return equals(endpoint, "properties.authMode", "AADToken", *own)


@stack_rule(
    "ML-AZ-AML-032",
    {DEPLOYMENT: ("properties.egressPublicNetworkAccess",), WORKSPACE: ("managedNetwork.isolationMode",)},
    "A deployment sends nothing to the internet",
    why="A model's code and its packages can pass on every request they see.",
    fix='Set managedNetwork.isolationMode of the workspace to "AllowOnlyApprovedOutbound", '
    'or properties.egressPublicNetworkAccess of the deployment to "Disabled".',
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def deployment_has_no_way_out(estate: Estate, settings: Settings) -> Findings:
    for deployment in estate.of(DEPLOYMENT):
        egress = deployment.at("properties.egressPublicNetworkAccess")
        if egress.text.lower() == "disabled" or _on_kubernetes(deployment):
            continue
        message = f'{egress.path} is not "Disabled", and no workspace here lets only approved traffic out'
        found = in_managed_network(estate, deployment, NETWORKS[1:], Violation(egress.path, message, deployment.urn))
        for each in found:
            yield Undecided(egress.path, deployment.urn) if egress.unknown else each


_COLLECTIONS: Final = "properties.dataCollector.collections"
_COLLECTED: Final = {
    "what comes in": ("model_inputs", "request", "model_inputs_outputs"),
    "what goes out": ("model_outputs", "response", "model_inputs_outputs"),
}
"""The names that Azure ML gives to collections; one of each will do."""


@resource_rule(
    "ML-AZ-AML-033",
    {DEPLOYMENT: (f"{_COLLECTIONS}.*.dataCollectionMode", f"{_COLLECTIONS}.*.samplingRate")},
    "A deployment keeps what it was asked and what it answered",
    why="Without them no drift is seen, and nobody can say later why a person was decided upon as they were.",
    fix=f'Set dataCollectionMode of model_inputs and model_outputs in {_COLLECTIONS} to "Enabled", and samplingRate '
    "to at least the share that is asked for (1 is all).",
    severity="high",
    evidences=(
        "EU AI Act 12",
        "EU AI Act 72",
        "ISO 42001 A.6.2.6",
        "NIST AI RMF MEASURE 2.4",
        "Law 25 s.12.1",
        "OSFI E-23",
    ),
)
def deployment_keeps_inputs_and_outputs(deployment: Resource, settings: Settings) -> Findings:
    collections = deployment.at(_COLLECTIONS)
    if collections.unknown:
        yield Undecided(collections.path)
        return
    for what, names in _COLLECTED.items():
        there = [collection for name in names if not (collection := collections.at(name)).absent]
        if there:
            # One that collects is enough; of several that do not, the nearest is told of.
            yield from min((_collects(each, settings[SAMPLING_PERCENT]) for each in there), key=_badness)
        else:
            yield Violation(
                f"{collections.path}.{names[0]}",
                f"{collections.path} has no {names[0]}: {what} has to be collected",
            )


def _collects(collection: Node, percent: float) -> list[Violation | Undecided]:
    return [
        *equals(collection, "dataCollectionMode", "Enabled"),
        *at_least(collection, "samplingRate", percent / 100, absent_passes=True),
    ]


def _badness(findings: list[Violation | Undecided]) -> tuple[int, int]:
    violations = sum(isinstance(each, Violation) for each in findings)
    return violations, len(findings)


@resource_rule(
    "ML-AZ-AML-034",
    {DEPLOYMENT: ("properties.appInsightsEnabled",)},
    "A deployment reports to Application Insights",
    why="Without it failures and slow answers are seen by callers first; the SDK leaves it off.",
    fix="Set properties.appInsightsEnabled to true.",
    severity="medium",
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.6", "ISO 42001 A.6.2.8", "NIST AI RMF MEASURE 2.4"),
)
def deployment_reports_to_insights(deployment: Resource, settings: Settings) -> Findings:
    return is_true(deployment, "properties.appInsightsEnabled")


@resource_rule(
    "ML-AZ-AML-035",
    {DEPLOYMENT: ("sku.capacity", "properties.scaleSettings.minInstances")},
    "A deployment in production has two instances",
    why="One instance is none while it is replaced or its zone is away.",
    fix="Set sku.capacity to 2 or more; where scaleSettings follow the load, set minInstances to 2 or more.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15",),
)
def deployment_has_two_instances(deployment: Resource, settings: Settings) -> Findings:
    if not settings.production(deployment):
        return
    scaling = deployment.at("properties.scaleSettings.scaleType")
    if scaling.unknown:
        yield Undecided(scaling.path)
    elif scaling.text.lower() == "targetutilization":
        yield from at_least(deployment, "properties.scaleSettings.minInstances", 2)
    else:
        yield from at_least(deployment, "sku.capacity", 2)


_ASSET: Final = re.compile(
    r"(?:azureml:/|/subscriptions/.+)/registries/(?P<registry>[^/]+)/\w+/[^/]+/versions/[^/]+", re.IGNORECASE
)


@resource_rule(
    "ML-AZ-AML-036",
    {
        DEPLOYMENT: ("properties.model", "properties.environmentId"),
        BATCH_DEPLOYMENT: ("properties.model", "properties.environmentId"),
    },
    "What serves in production is a version out of a registry",
    why="A model of the workspace's own went round whoever approves versions; one without a version changes unseen.",
    fix="Set properties.model (of a batch deployment properties.model.assetId) to "
    '"azureml://registries/REGISTRY/models/NAME/versions/VERSION", and properties.environmentId likewise.',
    severity="high",
    sources=("Azure 12e5dd16", "Azure 19539b54"),
    evidences=("EU AI Act 12", "EU AI Act 14", "ISO 42001 A.6.2.5", "NIST AI RMF GOVERN 1.6", "OSFI E-23"),
)
def production_serves_versions_of_a_registry(deployment: Resource, settings: Settings) -> Findings:
    if not settings.production(deployment) or not deployment.at("properties.deploymentConfiguration").absent:
        return  # a deployed component has its models inside
    allowed = [each.lower() for each in settings[REGISTRIES]]

    def test(node: Node) -> bool:
        found = _ASSET.fullmatch(node.text)
        return bool(found and (not allowed or found["registry"].lower() in allowed))

    message = f"it has to be a version in {' or '.join(allowed) or 'a registry'}"
    model = "properties.model.assetId" if deployment.type == BATCH_DEPLOYMENT else "properties.model"
    yield from holds(deployment, model, test, message)
    # Models in MLflow's format bring their environment.
    yield from holds(deployment, "properties.environmentId", test, message, absent_passes=True)


@resource_rule(
    "ML-AZ-AML-037",
    {ENDPOINT: ("identity.type",)},
    "An endpoint acts as an identity",
    why="Without one what it reads and writes is opened with keys.",
    fix='Set identity.type to "UserAssigned" or "SystemAssigned".',
    severity="medium",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def endpoint_has_an_identity(endpoint: Resource, settings: Settings) -> Findings:
    return holds(
        endpoint,
        "identity.type",
        lambda kind: "assigned" in kind.text.lower(),
        'it has to be "UserAssigned" or "SystemAssigned"',
    )


def _on_kubernetes(deployment: Resource) -> bool:
    return deployment.at("properties.endpointComputeType").text.lower() == "kubernetes"
