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
    "gcp:billing/budget:Budget": ("thresholdRules", "allUpdatesRule"),
    "azure-native:consumption:Budget": ("notifications",),
    "azure-native:costmanagement:Budget": ("notifications",),
}
"""Each cloud's budgets, and the properties of which one has to be set."""


@stack_rule(
    "ML-STK-19",
    {
        _ENDPOINT: ("endpointConfigName",),
        _CONFIGURATION: ("productionVariants",),
        _TARGET: ("resourceId",),
        _DEPLOYMENT: ("properties.endpointComputeType", "properties.scaleSettings.scaleType"),
        _AUTOSCALE: ("targetResourceUri",),
        **_BUDGETS,
    },
    "Production's endpoints on machines scale with what is asked of them, and a budget tells somebody before the money "
    "is spent",
    why="Machines that wait cost as much as machines that work, and the bill comes after the month.",
    fix="Add an autoscaling target for each endpoint, or serve without servers, and a budget with notifications.",
    severity="low",
    level="advisory",
    hardening=True,
    evidences=("ISO 42001 A.4.2",),
)
def cost_is_bounded(estate: Estate, settings: Settings) -> Findings:
    on_machines = [*_endpoints(estate, settings), *_deployments(estate, settings)]
    for resource in on_machines:
        if resource.type == _ENDPOINT:
            if not any(refers(target, resource, "resourceId") for target in estate.of(_TARGET)):
                yield _does_not_scale(resource)
        elif not any(refers(each, resource, "targetResourceUri") for each in estate.of(_AUTOSCALE)):
            kind = resource.at("properties.scaleSettings.scaleType")
            if kind.unknown:
                yield Undecided(kind.path, resource.urn)
            elif kind.text != "TargetUtilization":
                yield _does_not_scale(resource)
    budgets = estate.of(*_BUDGETS)
    for provider in ("aws:", "azure-native:"):
        costs = [resource for resource in on_machines if resource.type.startswith(provider)]
        if costs and not any(budget.type.startswith(provider) for budget in budgets):
            yield Violation(
                "", f"{costs[0].name} costs by the hour and the stack has no budget; one has to tell somebody"
            )
    for budget in budgets:
        paths = _BUDGETS[budget.type]
        if all(budget.at(path).absent for path in paths):
            yield Violation(paths[0], f"{paths[0]} is not set; the budget has to tell somebody", budget.urn)


def _endpoints(estate: Estate, settings: Settings) -> list[Resource]:
    """Production's endpoints whose variants run on machines that are paid by the hour."""
    return [
        endpoint
        for endpoint in estate.of(_ENDPOINT)
        if environment(estate, endpoint) in settings[PRODUCTION]
        and any(
            not variant.absent
            for each in estate.linked(endpoint, "endpointConfigName", _CONFIGURATION).found
            for variant in each.each("productionVariants[].instanceType")
        )
    ]


def _deployments(estate: Estate, settings: Settings) -> list[Resource]:
    return [
        deployment
        for deployment in estate.of(_DEPLOYMENT)
        if environment(estate, deployment) in settings[PRODUCTION]
        and deployment.at("properties.endpointComputeType").text == "Managed"
    ]


def _does_not_scale(resource: Resource) -> Violation:
    return Violation(
        "", f"{resource.name} is in production and nothing scales it; it needs an autoscaling target", resource.urn
    )
