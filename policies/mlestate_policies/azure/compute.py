"""Compute of Azure ML workspaces: `azure-native:machinelearningservices:Compute`.

Clusters (`AmlCompute`) and instances (`ComputeInstance`) are made by Azure ML and judged here; attached clusters and
machines are configured where they are made.
"""

import re
from typing import Final

from mlestate_policies.azure.kinds import NETWORKS, WORKSPACE, in_managed_network, of_kind
from mlestate_policies.checks import at_most, equals, holds, is_false, is_true
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule, stack_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

COMPUTE: Final = "azure-native:machinelearningservices:Compute"
_TYPE: Final = "properties.computeType"
_CLUSTER: Final = ("AmlCompute",)
_INSTANCE: Final = ("ComputeInstance",)
_BOTH: Final = (*_CLUSTER, *_INSTANCE)

CLUSTER_IDLE: Final = limit(
    "clusterIdleMinutes", 30, "Minutes after which the idle nodes of an Azure ML cluster are given back"
)
INSTANCE_IDLE: Final = limit(
    "computeInstanceIdleMinutes", 240, "Minutes after which an idle compute instance of Azure ML shuts down"
)


@resource_rule(
    "ML-AZ-AML-020",
    {COMPUTE: ("properties.disableLocalAuth",)},
    "Compute has no accounts of its own",
    why="Who signs in with a local account or an SSH key is no person that Entra ID knows or can shut out.",
    fix="Set properties.disableLocalAuth to true.",
    severity="high",
    sources=("Azure e96a9a5f", "Azure a6f9a2d0", "CKV_AZURE_142", "AZR-000404"),
    evidences=("ISO 42001 A.6.2.8", "PIPEDA 4.7"),
)
def compute_has_no_local_accounts(compute: Resource, settings: Settings) -> Findings:
    return of_kind(compute, _TYPE, _BOTH, is_true(compute, "properties.disableLocalAuth"))


@stack_rule(
    "ML-AZ-AML-021",
    {COMPUTE: ("properties.properties.subnet.id",), WORKSPACE: ("managedNetwork.isolationMode",)},
    "Compute runs in a network of the estate or in its workspace's managed network",
    why="Outside of both no rule says whom a job may reach, and who may reach it.",
    fix="Set properties.properties.subnet.id, or managedNetwork.isolationMode of the workspace.",
    severity="high",
    hardening=True,
    sources=("Azure 7804b5c7", "AZR-000405"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def compute_runs_in_a_network(estate: Estate, settings: Settings) -> Findings:
    for compute in estate.of(COMPUTE):
        subnet = compute.at("properties.properties.subnet.id")
        if subnet.absent and compute.at(_TYPE).text.lower() in {each.lower() for each in _BOTH}:
            message = f"{subnet.path} is not set, and no workspace here gives it a managed network; it has to have one"
            yield from in_managed_network(estate, compute, NETWORKS, Violation(subnet.path, message, compute.urn))
        elif subnet.absent and compute.at(_TYPE).unknown:
            yield Undecided(_TYPE, compute.urn)


@resource_rule(
    "ML-AZ-AML-022",
    {COMPUTE: ("properties.properties.enableNodePublicIp",)},
    "Compute has no public address",
    why="A node with an address of its own on the internet is reached, and sends, past the estate's network.",
    fix="Set properties.properties.enableNodePublicIp to false; the nodes then need a subnet or a managed network.",
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def compute_has_no_public_address(compute: Resource, settings: Settings) -> Findings:
    return of_kind(compute, _TYPE, _BOTH, is_false(compute, "properties.properties.enableNodePublicIp"))


_SCALE: Final = "properties.properties.scaleSettings"


@resource_rule(
    "ML-AZ-AML-023",
    {COMPUTE: (f"{_SCALE}.minNodeCount", f"{_SCALE}.nodeIdleTimeBeforeScaleDown")},
    "A cluster without work has no nodes",
    why="Nodes that wait for work are paid for, and are machines that nobody looks after.",
    fix=f'Set {_SCALE}.minNodeCount to 0 and nodeIdleTimeBeforeScaleDown to some minutes, such as "PT5M".',
    severity="low",
    level="advisory",
    sources=("CKV_AZURE_150",),
    remedy={f"{_SCALE}.minNodeCount": 0},
)
def cluster_scales_to_zero(compute: Resource, settings: Settings) -> Findings:
    yield from of_kind(compute, _TYPE, _CLUSTER, at_most(compute, f"{_SCALE}.minNodeCount", 0, absent_passes=True))
    idle = _within(compute, f"{_SCALE}.nodeIdleTimeBeforeScaleDown", settings[CLUSTER_IDLE], absent_passes=True)
    yield from of_kind(compute, _TYPE, _CLUSTER, idle)


@resource_rule(
    "ML-AZ-AML-024",
    {COMPUTE: ("properties.properties.idleTimeBeforeShutdown",)},
    "An idle compute instance shuts down",
    why="An instance that was left on is paid for, and keeps what was left open in it.",
    fix='Set properties.properties.idleTimeBeforeShutdown, such as "PT1H".',
    severity="low",
    sources=("Azure 679ddf89", "AZR-000403"),
)
def idle_instance_shuts_down(compute: Resource, settings: Settings) -> Findings:
    idle = _within(compute, "properties.properties.idleTimeBeforeShutdown", settings[INSTANCE_IDLE])
    return of_kind(compute, _TYPE, _INSTANCE, idle)


@resource_rule(
    "ML-AZ-AML-025",
    {
        COMPUTE: (
            "properties.properties.sshSettings.sshPublicAccess",
            "properties.properties.remoteLoginPortPublicAccess",
        )
    },
    "Compute answers no SSH from the internet",
    why="An open port for logins is tried by everybody who finds it.",
    fix='Set remoteLoginPortPublicAccess of a cluster, or sshSettings.sshPublicAccess of an instance, to "Disabled".',
    severity="high",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def compute_has_no_public_ssh(compute: Resource, settings: Settings) -> Findings:
    port = compute.at("properties.properties.remoteLoginPortPublicAccess")
    unsaid = port.absent or port.text.lower() == "notspecified"  # it is then closed in a subnet, and open outside one
    if not (unsaid and not compute.at("properties.properties.subnet.id").absent):
        yield from of_kind(compute, _TYPE, _CLUSTER, equals(compute, port.path, "Disabled"))
    ssh = equals(compute, "properties.properties.sshSettings.sshPublicAccess", "Disabled", absent_passes=True)
    yield from of_kind(compute, _TYPE, _INSTANCE, ssh)


_DURATION: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)


def _within(compute: Resource, path: str, minutes: float, *, absent_passes: bool = False) -> Findings:
    def test(node: Node) -> bool:
        found = _DURATION.fullmatch(node.text)
        if not found or not any(found.groups()):
            return False
        days, hours, some, seconds = (float(each or 0) for each in found.groups())
        return (days * 24 + hours) * 60 + some + seconds / 60 <= minutes

    message = f"it has to be a duration of at most {minutes:g} minutes"
    return holds(compute, path, test, message, absent_passes=absent_passes)
