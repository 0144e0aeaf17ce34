"""How a new version comes to an endpoint of SageMaker: `aws:sagemaker/endpoint`."""

from typing import Final

from mlestate_policies.checks import is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings

ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"

_RELEASED_BY_A_MACHINE: Final = "$mlestate:aws:Serving$"
"""In a URN: the endpoint is one of mlestate's. There every environment has a machine that moves the traffic to a new
version, watches it and takes it back, and the endpoint itself ignores how it is updated."""


@resource_rule(
    "ML-AWS-SM-040",
    {
        ENDPOINT: (
            "deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.type",
            "deploymentConfig.rollingUpdatePolicy",
            "deploymentConfig.autoRollbackConfiguration.alarms[].alarmName",
        )
    },
    "An endpoint in production takes a new version step by step, and goes back when an alarm rings",
    why="A version that fails only under real traffic would otherwise answer every request at once.",
    fix="Set deploymentConfig with a blueGreenUpdatePolicy whose trafficRoutingConfiguration.type is CANARY or LINEAR, "
    "or with a rollingUpdatePolicy, and with autoRollbackConfiguration.alarms.",
    severity="medium",
    hardening=True,
    evidences=("NIST AI RMF MANAGE 2.4", "EU AI Act 15"),
)
def endpoint_is_released_step_by_step(endpoint: Resource, settings: Settings) -> Findings:
    if not settings.production(endpoint) or _RELEASED_BY_A_MACHINE in endpoint.urn:
        return
    rolling = endpoint.at("deploymentConfig.rollingUpdatePolicy")
    routing = endpoint.at("deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.type")
    if routing.unknown:
        yield Undecided(routing.path)
    elif routing.absent and rolling.absent:
        yield Violation(routing.path, f"{routing.path} is not set, nor is {rolling.path}; one of them has to be")
    elif rolling.absent and routing.text.upper() not in ("CANARY", "LINEAR"):
        yield Violation(routing.path, f"{routing.path} moves all traffic at once; it has to be CANARY or LINEAR")
    yield from is_set(
        endpoint,
        "deploymentConfig.autoRollbackConfiguration.alarms[].alarmName",
        "without an alarm nothing takes a bad version back",
    )
