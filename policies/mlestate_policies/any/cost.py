"""Cost has bounds: what serves grows and shrinks with what is asked, and somebody hears before the money is spent."""

from typing import Final

from mlestate_policies.any.reach import PRODUCTION, environment, refers
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings

_ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
_CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_TARGET: Final = "aws:appautoscaling/target:Target"
_DEPLOYMENT: Final = "azure-native:machinelearningservices:OnlineDeployment"
_AUTOSCALE: Final = "azure-native:monitor:AutoscaleSetting"
_BUDGETS: Final = {
    "aws:budgets/budget:Budget": ("notifications",),
    "gcp:billing/budget:Budget": ("thresholdRules",),
    "azure-native:consumption:Budget": ("notifications",),
    "azure-native:costmanagement:Budget": ("notifications",),
}
_SPENDS: Final = {
    "aws": (_ENDPOINT, "aws:sagemaker/notebookInstance:NotebookInstance", "aws:sagemaker/domain:Domain"),
    "gcp": ("gcp:vertex/aiEndpoint:AiEndpoint", "gcp:workbench/instance:Instance"),
    "azure-native": (_DEPLOYMENT, "azure-native:machinelearningservices:Compute"),
}
"""What costs by the hour, for each provider."""


@stack_rule(
    "ML-STK-19",
    {
        _ENDPOINT: (),
        _TARGET: ("resourceId",),
        _DEPLOYMENT: ("properties.scaleSettings",),
        _AUTOSCALE: ("targetResourceUri",),
        **_BUDGETS,
    },
    "Production's endpoints scale with what is asked of them, and a budget tells somebody before the money is spent",
    why="Machines that wait cost as much as machines that work, and the bill comes after the month.",
    fix="Add an autoscaling target for each endpoint, or serve without servers, and a budget with notifications.",
    severity="low",
    level="advisory",
    hardening=True,
    evidences=("ISO 42001 A.4.2",),
)
def cost_is_bounded(estate: Estate, settings: Settings) -> Findings:
    for endpoint in estate.of(_ENDPOINT):
        if environment(estate, endpoint) in settings[PRODUCTION] and not _scales_on_aws(estate, endpoint):
            yield _does_not_scale(endpoint)
    for deployment in estate.of(_DEPLOYMENT):
        kind = deployment.at("properties.scaleSettings.scaleType")
        if environment(estate, deployment) not in settings[PRODUCTION]:
            continue
        if any(refers(each, deployment, "targetResourceUri") for each in estate.of(_AUTOSCALE)):
            continue
        if kind.unknown:
            yield Undecided(kind.path, deployment.urn)
        elif kind.text != "TargetUtilization":
            yield _does_not_scale(deployment)
    spending = [resource for types in _SPENDS.values() for resource in estate.of(*types)]
    budgets = estate.of(*_BUDGETS)
    for provider, types in _SPENDS.items():
        spending = estate.of(*types)
        if spending and not any(budget.type.startswith(f"{provider}:") for budget in budgets):
            yield Violation(
                "", f"{spending[0].name} costs by the hour and the stack has no budget; one has to tell somebody"
            )
    for budget in budgets:
        for path in _BUDGETS[budget.type]:
            if budget.at(path).absent:
                yield Violation(path, f"{path} is not set; the budget has to tell somebody", budget.urn)


def _scales_on_aws(estate: Estate, endpoint: Resource) -> bool:
    configurations = estate.linked(endpoint, "endpointConfigName", _CONFIGURATION).found
    serverless = configurations and all(
        not variant.at("serverlessConfig").absent
        for each in configurations
        for variant in each.each("productionVariants[]")
    )
    return bool(serverless) or any(refers(target, endpoint, "resourceId") for target in estate.of(_TARGET))


def _does_not_scale(resource: Resource) -> Violation:
    return Violation(
        "", f"{resource.name} is in production and nothing scales it; it needs an autoscaling target", resource.urn
    )
