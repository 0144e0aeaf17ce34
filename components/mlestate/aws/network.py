"""Where machines of an environment run on AWS."""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pulumi_aws.ec2 as ec2
import pulumi_aws.vpc as vpc
from pulumi import CustomResource, Output, ResourceOptions

from mlestate import contract
from mlestate.aws.buckets import arn, bucket
from mlestate.aws.neighbours import runs
from mlestate.aws.policies import Statement, allow, canonical
from mlestate.aws.settings import AwsEstate
from mlestate.config.estate import ExistingNetwork
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["AdoptedNetwork", "GivenNetwork", "Network", "network", "services", "zone_ids"]

ADDRESSES = "10.0.0.0/16"
ZONES: Mapping[str, str] = {"a": "10.0.0.0/17", "b": "10.0.128.0/17"}
"""Two zones: SageMaker spreads instances over the subnets that it is given (Security Hub, SageMaker.4)."""

FLOW_LOG_DAYS = 90

TLS = 443

CALLED = (
    "ecr.api",
    "ecr.dkr",
    "kms",
    "logs",
    "monitoring",
    "sagemaker.api",
    "sagemaker.runtime",
    "sts",
)
"""What the machines of every estate call, by the end of the service's name (AWS PrivateLink guide, "AWS services that
integrate with AWS PrivateLink"). Each bills by the hour and zone, so there is one only for what is called."""

CALLED_FOR_TABLES = ("athena", "glue", "sagemaker.featurestore-runtime")


@dataclass(frozen=True)
class GivenNetwork:
    """A network that this estate makes nothing of: the cloud's public addresses, or the user's own."""

    subnets: Mapping[str, Output[str]] = field(default_factory=dict)
    groups: Mapping[str, Output[str]] = field(default_factory=dict)


class AdoptedNetwork(Part):
    """The user's own network, in which nothing is changed; the one firewall that its machines join is made here.

    It lets machines reach each other and, by TLS, whatever the network's own routes and endpoints lead to.
    """

    subnets: Mapping[str, Output[str]]
    groups: Mapping[str, Output[str]]

    def __init__(self, names: Names, id_: str, subnets: Mapping[str, Output[str]], opts: ResourceOptions) -> None:
        super().__init__(names, opts)
        machines = _machines(self, id_)
        way = _rule(self, "machines-out", "out", machines, "TLS to wherever the network leads", addresses="0.0.0.0/0")
        self.publish(subnets=subnets, groups={"machines": _behind(machines, way)})


class Network(Part):
    """A VPC of the environment's own without any way to the internet: AWS's services are reached by endpoints in it.

    Endpoints serve the environment's own account alone, so that stolen credentials of another account take no data out
    through them, and the one to S3 reaches the buckets of this account and the hub's alone; beside these only what runs
    of other environments wrote, which a version's first endpoint fetches, and the one of AWS
    from which ECR hands out the layers of images (ECR user guide, "Amazon ECR interface VPC endpoints", "Minimum Amazon
    S3 bucket permissions"). The group that a VPC comes with lets nothing through (Security Hub, EC2.2).

    Flow logs go to a bucket, which takes no role: S3's own keys encrypt it, because they hold addresses and no content.
    """

    subnets: Mapping[str, Output[str]]
    groups: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        accounts: Sequence[str],
        lenders: Sequence[Names],
        called: Sequence[str],
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``accounts`` are those whose buckets machines reach, ``lenders`` environments in still others, from which a
        version may come; ``called`` the whole names of AWS's services."""
        super().__init__(names, opts)
        own = ec2.Vpc(
            self.named("vpc"),
            cidr_block=ADDRESSES,
            # Both, or the private names of endpoints do not resolve (AWS PrivateLink guide, "Enable private DNS").
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=names.tags,
            opts=self.child(),
        )
        ec2.DefaultSecurityGroup(
            self.named("closed"), vpc_id=own.id, ingress=[], egress=[], tags=names.tags, opts=self.child()
        )
        self._flow_logs(own, protect)
        routes = ec2.RouteTable(self.named("routes"), vpc_id=own.id, tags=names.tags, opts=self.child())
        subnets: dict[str, Output[str]] = {}
        for (zone, addresses), zone_id in zip(ZONES.items(), zone_ids(names.region), strict=True):
            subnet = ec2.Subnet(
                self.named(zone),
                vpc_id=own.id,
                cidr_block=addresses,
                # The id and not the letter: old accounts have letters of their own, and no b in some regions.
                availability_zone_id=zone_id,
                map_public_ip_on_launch=False,
                tags=names.tags,
                opts=self.child(),
            )
            ec2.RouteTableAssociation(
                self.named(zone), subnet_id=subnet.id, route_table_id=routes.id, opts=self.child()
            )
            subnets[zone] = subnet.id
        machines = _machines(self, own.id)
        ways = self._endpoints(own, routes, subnets, machines, _stores(names, accounts, lenders), called)
        self.publish(subnets=subnets, groups={"machines": _behind(machines, *ways)})

    def _flow_logs(self, own: ec2.Vpc, protect: bool) -> None:
        names = self.names
        kept = bucket(
            self,
            "flow-logs",
            key=None,
            expire_days={"": FLOW_LOG_DAYS},
            statements=_delivery(names),
            force_destroy=not protect,
            protect=protect,
        )
        ec2.FlowLog(
            self.named("flow-logs"),
            vpc_id=own.id,
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=kept.resource.arn,
            tags=names.tags,
            opts=self.child(depends_on=[kept.policy]),
        )

    def _endpoints(
        self,
        own: ec2.Vpc,
        routes: ec2.RouteTable,
        subnets: Mapping[str, Output[str]],
        machines: ec2.SecurityGroup,
        stores: Sequence[Statement],
        called: Sequence[str],
    ) -> list[CustomResource]:
        names = self.names
        doors = ec2.SecurityGroup(
            self.named("endpoints"),
            description=f"The endpoints of {names.slice}",
            vpc_id=own.id,
            tags=names.tags,
            opts=self.child(),
        )
        store = ec2.VpcEndpoint(
            self.named("s3"),
            vpc_id=own.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{names.region}.s3",
            route_table_ids=[routes.id],
            policy=canonical(stores),
            tags=names.tags,
            opts=self.child(),
        )
        ways = [
            ec2.VpcEndpoint(
                self.named(service.partition(f"{names.region}.")[2].replace(".", "-")),
                vpc_id=own.id,
                vpc_endpoint_type="Interface",
                service_name=service,
                subnet_ids=list(subnets.values()),
                security_group_ids=[doors.id],
                private_dns_enabled=True,
                policy=canonical([_own_account(names)]),
                tags=names.tags,
                opts=self.child(),
            )
            for service in called
        ]
        return [
            *ways,
            store,
            _rule(self, "endpoints-in", "in", doors, "TLS from machines", whom=machines),
            _rule(self, "machines-to-endpoints", "out", machines, "TLS to the endpoints", whom=doors),
            _rule(self, "machines-to-s3", "out", machines, "TLS to S3 by its endpoint", prefix=store.prefix_list_id),
        ]


def network(config: AwsEstate, names: Names, protect: bool, opts: ResourceOptions) -> contract.Network:
    """The network that the file asks for: made, adopted, or none at all."""
    if isinstance(config.network, ExistingNetwork):
        given = config.network.existing
        subnets = {chr(ord("a") + index): Output.from_input(each) for index, each in enumerate(given.subnets)}
        if not given.security_groups:
            return AdoptedNetwork(names, given.network, subnets, opts)
        words = ["machines", *(f"machines-{index}" for index in range(2, len(given.security_groups) + 1))]
        return GivenNetwork(
            subnets, {word: Output.from_input(each) for word, each in zip(words, given.security_groups, strict=True)}
        )
    if config.network == "private":
        accounts = sorted({names.home, config.home or names.home})
        homes = {name: each.home or config.home or names.home for name, each in config.environments.items()}
        lenders = [replace(names, environment=name, home=home) for name, home in homes.items() if home not in accounts]
        return Network(names, accounts, lenders, services(config), protect, opts)
    return GivenNetwork()


def services(config: AwsEstate) -> list[str]:
    """The names of AWS's services that the machines of this estate call, the endpoint to S3 not counted."""
    tables = config.features or any(each.format == "iceberg" for each in config.data.datasets.values())
    called = (*CALLED, *(CALLED_FOR_TABLES if tables else ()))
    # SageMaker guide, "Connect to an MLflow tracking server through an interface VPC endpoint".
    tracking = [f"aws.sagemaker.{config.region}.experiments"] if config.tracking.server == "managed" else []
    return [*(f"com.amazonaws.{config.region}.{each}" for each in sorted(called)), *tracking]


def zone_ids(region: str) -> tuple[str, str]:
    """Two zones of a region by their ids (`cac1-az1`), which are the same in every account.

    Form and places: AWS Regions and Availability Zones, "AZ IDs". In Northern California the second is closed to new
    accounts.
    """
    area, directions, number = region.split("-")
    code = area + "".join(word[0] for word in re.findall("north|south|east|west|central", directions)) + number
    return f"{code}-az1", f"{code}-az{3 if region == 'us-west-1' else 2}"


def _machines(part: Part, vpc_id: str | Output[str]) -> ec2.SecurityGroup:
    """The firewall that machines join; within it they reach each other, as training on several of them wants."""
    names = part.names
    group = ec2.SecurityGroup(
        part.named("machines"),
        description=f"The machines of {names.slice}",
        vpc_id=vpc_id,
        tags=names.tags,
        opts=part.child(),
    )
    _rule(part, "machines-from-machines", "in", group, "Between machines", whom=group, port=None)
    _rule(part, "machines-to-machines", "out", group, "Between machines", whom=group, port=None)
    return group


def _rule(
    part: Part,
    role: str,
    direction: Literal["in", "out"],
    group: ec2.SecurityGroup,
    description: str,
    *,
    whom: ec2.SecurityGroup | None = None,
    prefix: Output[str] | None = None,
    addresses: str | None = None,
    port: int | None = TLS,
) -> CustomResource:
    """A rule of its own: an inline one would undo those that stand beside it (pulumi-aws, SecurityGroup)."""
    made = vpc.SecurityGroupIngressRule if direction == "in" else vpc.SecurityGroupEgressRule
    return made(
        part.named(role),
        security_group_id=group.id,
        description=description,
        referenced_security_group_id=whom.id if whom else None,
        prefix_list_id=prefix,
        cidr_ipv4=addresses,
        ip_protocol="tcp" if port else "-1",
        from_port=port,
        to_port=port,
        tags=part.names.tags,
        opts=part.child(),
    )


def _behind(group: ec2.SecurityGroup, *ways: CustomResource) -> Output[str]:
    """The group's id, for whoever may start only when the ways out are there, and must end before they go."""
    return Output.all(group.id, *(way.id for way in ways)).apply(lambda ids: str(ids[0]))


def _own_account(names: Names) -> Statement:
    own = {"StringEquals": {"aws:PrincipalAccount": names.home}}
    return allow("ServeThisAccountAlone", "*", "*", own) | {"Principal": "*"}


def _stores(names: Names, accounts: Sequence[str], lenders: Sequence[Names]) -> list[Statement]:
    layers = names.arn("s3", f"prod-{names.region}-starport-layer-bucket/*", regional=False)
    within = {"StringEquals": {"aws:PrincipalAccount": names.home, "aws:ResourceAccount": list(accounts)}}
    return [
        allow("ReachTheEstatesBuckets", "s3:*", "*", within) | {"Principal": "*"},
        allow(
            "FetchWhatOthersTrained",
            "s3:GetObject",
            [runs(each) for each in lenders],
            {"StringEquals": {"aws:PrincipalAccount": names.home}},
        )
        | {"Principal": "*"},
        allow("FetchTheLayersOfImages", "s3:GetObject", layers) | {"Principal": "*"},
    ]


def _delivery(names: Names) -> list[Statement]:
    """VPC user guide, "Publish flow logs to Amazon S3": who writes them, and only those of this account."""
    deliverer = {"Principal": {"Service": "delivery.logs.amazonaws.com"}}
    ours = {
        "StringEquals": {"aws:SourceAccount": names.home},
        "ArnLike": {"aws:SourceArn": names.arn("logs", "*")},
    }
    written = {**ours, "StringEquals": {**ours["StringEquals"], "s3:x-amz-acl": "bucket-owner-full-control"}}
    folder = f"{arn(names, 'flow-logs')}/AWSLogs/{names.home}/*"
    return [
        allow("DeliverFlowLogs", "s3:PutObject", folder, written) | deliverer,
        allow("CheckBeforeDelivery", ["s3:GetBucketAcl", "s3:ListBucket"], arn(names, "flow-logs"), ours) | deliverer,
    ]
