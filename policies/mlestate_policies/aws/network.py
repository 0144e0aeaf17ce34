"""Ways into and out of a network: `aws:ec2/vpcEndpoint`, security groups and their rules."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_network
from typing import Final

from mlestate_policies.aws.documents import Document, Statement, judge_documents
from mlestate_policies.checks import holds, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

_ADDRESSES: Final = ("ingress[].cidrBlocks[]", "ingress[].ipv6CidrBlocks[]")
_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    GROUP: _ADDRESSES,
    DEFAULT_GROUP: _ADDRESSES,
    RULE: ("cidrBlocks[]", "ipv6CidrBlocks[]"),
    INGRESS_RULE: ("cidrIpv4", "cidrIpv6"),
}
_WORLD: Final = 7
"""A range with a prefix this long or shorter is no network that anybody owns."""


@resource_rule(
    "ML-AWS-NW-001",
    {ENDPOINT: ("privateDnsEnabled", "policy")},
    "An interface endpoint answers to the service's own name, and every endpoint has a policy of its own",
    why="Without private DNS clients go round the endpoint; without a policy anybody's data leaves through it with "
    "anybody's credentials.",
    fix="Set privateDnsEnabled to true, and a policy that names the account in aws:PrincipalAccount or the principals.",
    severity="medium",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def endpoint_is_used_and_guarded(endpoint: Resource, settings: Settings) -> Findings:
    kind = endpoint.at("vpcEndpointType").text or "Gateway"
    if kind not in ("Interface", "Gateway"):
        return  # the others carry a network's traffic, not a service's
    if endpoint.at("vpcEndpointType").unknown and not endpoint.at("privateDnsEnabled").true:
        yield Undecided("privateDnsEnabled")
    elif kind == "Interface" and not endpoint.at("serviceName").text.startswith("com.amazonaws.vpce."):
        yield from is_true(endpoint, "privateDnsEnabled")
    yield from judge_documents(
        endpoint, "policy", _open_to_all, needed="without one everything may pass, to any account"
    )


def _open_to_all(document: Document) -> Iterator[tuple[Statement, str]]:
    for statement in document.allowing:
        if statement.public and statement.everywhere and statement.covers("*"):
            yield statement, "lets everyone do everything, as without a policy; it has to say whose requests may pass"


@resource_rule(
    "ML-AWS-NW-002",
    _SOURCES,
    "No security group lets the whole internet in",
    why="What everyone can reach is tried by everyone.",
    fix="Name the networks in cidrBlocks, or the security groups, that may come in.",
    severity="high",
    sources=(
        "VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS",
        "trivy aws-ec2",
        "pulumi compliance aws-ec2-security-group-*",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def group_is_closed_to_the_world(resource: Resource, settings: Settings) -> Findings:
    if resource.type == RULE and resource.at("type").text == "egress":
        return
    for path in _SOURCES[resource.type]:
        yield from holds(
            resource, path, _is_a_network, "the whole internet may come in; it has to be a network", absent_passes=True
        )


def _is_a_network(node: Node) -> bool:
    with suppress(ValueError):
        return ip_network(node.text, strict=False).prefixlen > _WORLD
    return True
