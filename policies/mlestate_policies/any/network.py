"""The private path is complete: what runs in a network of the estate's own reaches each service without leaving it."""

from collections.abc import Iterator
from typing import Final

from mlestate_policies.any.reach import refers
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings, limit

PRIVATE_SERVICES: Final = limit(
    "privateServices",
    ("s3", "sts", "logs", "ecr.api", "ecr.dkr", "kms", "sagemaker.api", "sagemaker.runtime"),
    "The services of AWS that have an endpoint in each network where machine learning runs",
)
_IN_SUBNETS: Final = {
    "aws:sagemaker/model:Model": "vpcConfig.subnets[]",
    "aws:sagemaker/domain:Domain": "subnetIds[]",
    "aws:sagemaker/notebookInstance:NotebookInstance": "subnetId",
}
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_VPC: Final = "aws:ec2/vpc:Vpc"
_VPC_ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
_VERTEX_ENDPOINT: Final = "gcp:vertex/aiEndpoint:AiEndpoint"
_NETWORK: Final = "gcp:compute/network:Network"
_PEERING: Final = "gcp:servicenetworking/connection:Connection"
_WORKSPACE: Final = "azure-native:machinelearningservices:Workspace"
_PRIVATE_ENDPOINT: Final = "azure-native:network:PrivateEndpoint"
_ZONE_GROUP: Final = "azure-native:network:PrivateDnsZoneGroup"
_REACHED: Final = {
    "storageAccount": ("azure-native:storage:StorageAccount", "blob"),
    "keyVault": ("azure-native:keyvault:Vault", "vault"),
    "containerRegistry": ("azure-native:containerregistry:Registry", "registry"),
}
"""What a workspace works with, and the group of it that a private endpoint reaches."""


@stack_rule(
    "ML-STK-12",
    {
        **{token: (path,) for token, path in _IN_SUBNETS.items()},
        _SUBNET: ("vpcId",),
        _VPC_ENDPOINT: ("vpcId", "serviceName", "privateDnsEnabled"),
        _VERTEX_ENDPOINT: ("network",),
        _PEERING: ("network",),
        _WORKSPACE: ("publicNetworkAccess", "storageAccount", "keyVault", "containerRegistry"),
        _PRIVATE_ENDPOINT: ("privateLinkServiceConnections",),
        _ZONE_GROUP: ("privateEndpointName",),
    },
    "Each network where machine learning runs has a private way, with its names, to every service that is called",
    why="One service that is reached over the internet is a way out for data from a network that looks closed.",
    fix="Add an endpoint with private DNS for each service to the network; on Azure a PrivateEndpoint with a "
    "PrivateDnsZoneGroup; on Google Cloud the peering that an endpoint's network needs.",
    severity="high",
    hardening=True,
    sources=("Azure 45e05259", "Azure ee40564d"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def private_paths_are_complete(estate: Estate, settings: Settings) -> Findings:
    yield from _on_aws(estate, settings)
    for endpoint in estate.of(_VERTEX_ENDPOINT):
        networks = [each for each in estate.of(_NETWORK) if refers(endpoint, each, "network")]
        if networks and not any(refers(each, networks[0], "network") for each in estate.of(_PEERING)):
            yield Violation(
                "network",
                f"network of {endpoint.name} leads to {networks[0].name}, which has no peering with Google's services; "
                "one is needed",
                endpoint.urn,
            )
    for workspace in estate.of(_WORKSPACE):
        public = workspace.at("publicNetworkAccess")
        if public.unknown:
            yield Undecided(public.path, workspace.urn)
        if public.text.lower() != "disabled":
            continue  # it is not meant to be private, which is another rule's business
        yield from _on_azure(estate, workspace, workspace, "amlworkspace")
        for path, (token, group) in _REACHED.items():
            for reached in estate.linked(workspace, path, token).found:
                yield from _on_azure(estate, workspace, reached, group)


def _on_aws(estate: Estate, settings: Settings) -> Iterator[Violation | Undecided]:
    networks: dict[str, Resource] = {}
    for token, path in _IN_SUBNETS.items():
        for user in estate.of(token):
            for subnet in estate.linked(user, path, _SUBNET).found:
                for network in estate.linked(subnet, "vpcId", _VPC).found:
                    networks.setdefault(network.urn, network)
    for network in networks.values():
        reached: set[str] = set()
        undecided = False
        for endpoint in estate.of(_VPC_ENDPOINT):
            if network not in estate.linked(endpoint, "vpcId", _VPC).found:
                continue
            name, names = endpoint.at("serviceName"), endpoint.at("privateDnsEnabled")
            if name.unknown:
                undecided = True
                yield Undecided(name.path, endpoint.urn)
            service = name.text.split(".", 3)[-1]
            reached.add(service)
            if endpoint.at("vpcEndpointType").text != "Interface" or service not in settings[PRIVATE_SERVICES]:
                continue
            if names.unknown:
                yield Undecided(names.path, endpoint.urn)
            elif not names.true:
                yield Violation(
                    names.path,
                    f"{names.path} of {endpoint.name} is not true; without it the service is still called by its "
                    "public address",
                    endpoint.urn,
                )
        missing = [service for service in settings[PRIVATE_SERVICES] if service not in reached]
        if missing and not undecided:
            yield Violation(
                "",
                f"{network.name} has no endpoint for {', '.join(missing)}; machine learning that runs there needs it",
                network.urn,
            )


def _on_azure(estate: Estate, workspace: Resource, reached: Resource, group: str) -> Iterator[Violation]:
    private = [each for each in estate.of(_PRIVATE_ENDPOINT) if refers(each, reached, "privateLinkServiceConnections")]
    if not private:
        yield Violation(
            "",
            f"{reached.name}, which {workspace.name} works with, has no PrivateEndpoint for {group}; one is needed",
            reached.urn,
        )
    for endpoint in private:
        if not any(
            endpoint in estate.linked(zones, "privateEndpointName", _PRIVATE_ENDPOINT).found
            for zones in estate.of(_ZONE_GROUP)
        ):
            yield Violation(
                "",
                f"{endpoint.name} has no PrivateDnsZoneGroup, so {reached.name} is called in public; one is needed",
                endpoint.urn,
            )
