"""Subnets and the perimeter around an estate's services."""

from typing import Final

from mlestate_policies.checks import is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit

SUBNET: Final = "gcp:compute/subnetwork:Subnetwork"
PERIMETER: Final = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"

PERIMETER_SERVICES: Final = limit(
    "perimeterServices",
    tuple(f"{name}.googleapis.com" for name in ("aiplatform", "notebooks", "storage", "bigquery", "artifactregistry")),
    "The services that a service perimeter restricts at least",
)

_FOR_MACHINES: Final = ("", "PRIVATE", "PRIVATE_RFC_1918")


@resource_rule(
    "ML-GCP-NW-001",
    {SUBNET: ("privateIpGoogleAccess",)},
    "Machines in a subnet reach Google's services without a public address",
    why="Without it they need an address of their own or a way out to the internet to read a bucket.",
    fix="Set privateIpGoogleAccess to true.",
    severity="medium",
    sources=("CKV_GCP_74",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"privateIpGoogleAccess": True},
)
def subnet_has_private_google_access(subnet: Resource, settings: Settings) -> Findings:
    if _for_machines(subnet) and subnet.at("stackType").text != "IPV6_ONLY":
        yield from is_true(subnet, "privateIpGoogleAccess")


@resource_rule(
    "ML-GCP-NW-002",
    {PERIMETER: ("status.restrictedServices[]", "spec.restrictedServices[]")},
    "A service perimeter restricts the services that hold models and data",
    why="A service that is left out is the way by which data leaves with a stolen token.",
    fix="Add the services to status.restrictedServices, and to spec.restrictedServices where there is a dry run.",
    severity="high",
    level="advisory",
    sources=("prowler cloudstorage_uses_vpc_service_controls",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def perimeter_restricts_the_services(perimeter: Resource, settings: Settings) -> Findings:
    if perimeter.at("perimeterType").text == "PERIMETER_TYPE_BRIDGE":  # it restricts nothing by itself
        return
    for part in ("status", "spec"):
        if part == "spec" and perimeter.at(part).absent:
            continue
        services = perimeter.each(f"{part}.restrictedServices[]")
        missing = [each for each in settings[PERIMETER_SERVICES] if each not in {node.text for node in services}]
        unknown = [node for node in services if node.unknown]
        if missing and unknown:
            yield from (Undecided(node.path) for node in unknown)
        elif missing:
            path = f"{part}.restrictedServices"
            yield Violation(path, f"{path} does not name {', '.join(missing)}; it has to")


@resource_rule(
    "ML-GCP-NW-003",
    {SUBNET: ("logConfig",)},
    "A subnet logs its flows",
    why="Where a machine sent the data is seen in no other log.",
    fix="Set logConfig, with a flowSampling that the budget allows.",
    severity="medium",
    hardening=True,
    sources=("CKV_GCP_26",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def subnet_logs_its_flows(subnet: Resource, settings: Settings) -> Findings:
    if _for_machines(subnet):
        yield from is_set(subnet, "logConfig", "without it no flow is logged")


def _for_machines(subnet: Resource) -> bool:
    """Subnets of proxies, of Private Service Connect and of NAT have neither switch."""
    return subnet.at("purpose").text.upper() in _FOR_MACHINES
