"""Networks: what the provider calls and returns, and what EC2 takes."""

from collections.abc import Mapping
from typing import Any

from mlestate.local.aws.rows import Operation, arn, document
from mlestate.local.kind import Kind


def ec2(prefix: str, resource: str, outputs: Mapping[str, Any], unique: str = "", taken: str = "") -> Kind:
    return Kind(f"{prefix}-{{hex:17}}", {"arn": arn("ec2", f"{resource}/{{id}}"), **outputs}, None, unique, taken)


_RULE = Kind(
    "sgr-{hex:17}",
    {"arn": arn("ec2", "security-group-rule/{id}"), "securityGroupRuleId": "{id}"},
    None,
    "{securityGroupId}/{ipProtocol}/{fromPort}/{toPort}/{cidrIpv4}{cidrIpv6}{prefixListId}{referencedSecurityGroupId}",
    "InvalidPermission.Duplicate: the specified rule of {securityGroupId} already exists",
)
_TAGS = {"tags": "CreateTags:Tags"}
_PERMISSION = "IpPermissions."
_SECURITY_RULE = {
    "securityGroupId": "GroupId",
    "cidrIpv4": f"{_PERMISSION}IpRanges.CidrIp",
    "cidrIpv6": f"{_PERMISSION}Ipv6Ranges.CidrIpv6",
    "description": f"{_PERMISSION}IpRanges.Description",
    "prefixListId": f"{_PERMISSION}PrefixListIds.PrefixListId",
    "referencedSecurityGroupId": f"{_PERMISSION}UserIdGroupPairs.GroupId",
    **_TAGS,
}

KINDS: Mapping[str, Kind] = {
    "aws:ec2/vpc:Vpc": ec2(
        "vpc",
        "vpc",
        {
            "defaultNetworkAclId": "acl-{hex:17}",
            "defaultRouteTableId": "rtb-{hex:17}",
            "defaultSecurityGroupId": "sg-{hex:17}",
            "dhcpOptionsId": "dopt-{hex:17}",
            "mainRouteTableId": "rtb-{hex:17}",
            "enableDnsHostnames": False,
            "enableNetworkAddressUsageMetrics": False,
            "ipv6AssociationId": "",
            "ipv6CidrBlock": "",
            "ipv6CidrBlockNetworkBorderGroup": "",
        },
    ),
    "aws:ec2/subnet:Subnet": ec2(
        "subnet",
        "subnet",
        {
            "availabilityZone": "{region}a",
            "availabilityZoneId": "",
            "ipv6CidrBlockAssociationId": "",
            "ipv6CidrBlock": "",
            "privateDnsHostnameTypeOnLaunch": "ip-name",
        },
        "{vpcId}/{cidrBlock}",
        "InvalidSubnet.Conflict: The CIDR '{cidrBlock}' conflicts with another subnet",
    ),
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        "sg-{hex:17}",
        {
            "arn": arn("ec2", "security-group/{id}"),
            "description": "Managed by Pulumi",
            "egress": [],
            "ingress": [],
        },
        "name",
        "{account}/{region}/{vpcId}/{name}",
        "InvalidGroup.Duplicate: The security group '{name}' already exists for VPC '{vpcId}'",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ec2(
        "vpce",
        "vpc-endpoint",
        {
            "cidrBlocks": [],
            "dnsEntries": lambda facts: (
                [{"dnsName": facts.text("{id}-{hex:8}.vpce.amazonaws.com"), "hostedZoneId": facts.text("Z{upper:13}")}]
                if facts["vpcEndpointType"] == "Interface"
                else []
            ),
            "dnsOptions": lambda facts: {
                "dnsRecordIpType": "ipv4" if facts["vpcEndpointType"] == "Interface" else "service-defined"
            },
            "ipAddressType": "ipv4",
            "networkInterfaceIds": lambda facts: [
                f"eni-{facts.text('{hex:15}')}{index:02}" for index, _ in enumerate(facts["subnetIds"] or [])
            ],
            "prefixListId": lambda facts: facts.text("pl-{hex:8}") if facts["vpcEndpointType"] != "Interface" else "",
            "policy": lambda facts: document(
                [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}], "2008-10-17"
            ),
            "privateDnsEnabled": False,
            "requesterManaged": False,
            "routeTableIds": [],
            "securityGroupIds": [],
            "serviceRegion": "{region}",
            "state": "available",
            "subnetConfigurations": [],
            "subnetIds": [],
        },
    ),
    "aws:ec2/routeTable:RouteTable": ec2("rtb", "route-table", {"propagatingVgws": [], "routes": []}),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        "rtbassoc-{hex:17}",
        {},
        None,
        "{account}/{region}/{subnetId}{gatewayId}",
        "Resource.AlreadyAssociated: the specified association for route table {routeTableId} conflicts with an"
        " existing association",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Kind(
        "sg-{hex:17}",
        {
            "arn": arn("ec2", "security-group/{id}"),
            "name": "default",
            "namePrefix": "",
            "description": "default VPC security group",
            "egress": [],
            "ingress": [],
            "vpcId": "vpc-{hex:17}",
        },
    ),
    "aws:ec2/flowLog:FlowLog": ec2(
        "fl",
        "vpc-flow-log",
        {
            "logDestination": "",
            "logFormat": "${{version}} ${{account-id}} ${{interface-id}} ${{srcaddr}} ${{dstaddr}} ${{srcport}} "
            "${{dstport}} ${{protocol}} ${{packets}} ${{bytes}} ${{start}} ${{end}} ${{action}} ${{log-status}}",
        },
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _RULE,
}

OPERATIONS: Mapping[str, Operation] = {
    "aws:ec2/vpc:Vpc": Operation(
        "ec2",
        "CreateVpc",
        _TAGS,
        own="assignGeneratedIpv6CidrBlock enableDnsHostnames enableDnsSupport enableNetworkAddressUsageMetrics",
    ),
    "aws:ec2/subnet:Subnet": Operation(
        "ec2",
        "CreateSubnet",
        _TAGS,
        own="assignIpv6AddressOnCreation customerOwnedIpv4Pool enableDns64 enableLniAtDeviceIndex "
        "enableResourceNameDnsARecordOnLaunch enableResourceNameDnsAaaaRecordOnLaunch mapCustomerOwnedIpOnLaunch "
        "mapPublicIpOnLaunch privateDnsHostnameTypeOnLaunch",
    ),
    "aws:ec2/routeTable:RouteTable": Operation("ec2", "CreateRouteTable", _TAGS, own="propagatingVgws routes"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Operation("ec2", "AssociateRouteTable"),
    "aws:ec2/securityGroup:SecurityGroup": Operation(
        "ec2",
        "CreateSecurityGroup",
        {"name": "GroupName", **_TAGS},
        own="egress ingress revokeRulesOnDelete",
        optional="description",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Operation(
        "ec2", "CreateSecurityGroup", _TAGS, own="egress ingress revokeRulesOnDelete"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Operation(
        "ec2", "CreateVpcEndpoint", {"policy": "PolicyDocument", **_TAGS}, own="autoAccept"
    ),
    "aws:ec2/flowLog:FlowLog": Operation(
        "ec2",
        "CreateFlowLogs",
        {"iamRoleArn": "DeliverLogsPermissionArn", **_TAGS},
        own="eniId regionalNatGatewayId subnetId transitGatewayAttachmentId transitGatewayId vpcId",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Operation(
        "ec2", "AuthorizeSecurityGroupIngress", _SECURITY_RULE
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Operation(
        "ec2", "AuthorizeSecurityGroupEgress", _SECURITY_RULE
    ),
}
