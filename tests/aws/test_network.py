"""AWS: where machines run, and what they can reach from there."""

import json

import pytest

from mlestate.aws.network import zone_ids
from mlestate.aws.settings import KNOWN_REGIONS

from .conftest import Recorded, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT

PRIVATE = ONE_ACCOUNT.replace("owner: ml", "network: private\nowner: ml", 1).replace(
    "{mode: serverless, initial_version: 1, aws: {memory_mb: 4096}}", "{mode: async, initial_version: 1}"
)
IDS = "vpc-0123456789abcdef0, subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]"
ADOPTED = MINIMAL.replace("models:", f"network: {{existing: {{network: {IDS}}}}}\nmodels:")


def kinds(found: object) -> set[str]:
    assert isinstance(found, list)
    return {row.type for row in found if row.type.startswith(("aws:ec2/", "aws:vpc/"))}


def test_without_a_word_nothing_of_a_network_is_made(estate: Recorded) -> None:
    assert kinds(estate(MINIMAL)) == set(), "an endpoint bills by the hour, and nobody asked for one"


def test_nothing_leads_to_the_internet(estate: Recorded) -> None:
    found = estate(PRIVATE)
    assert not [row for row in found if "Gateway" in row.type.rpartition(":")[2]], "neither a gateway nor a NAT"
    assert one(found, "ec2:RouteTable", "production-network-routes").inputs.get("routes", []) == []
    for subnet in all_of(found, "ec2:Subnet").values():
        assert subnet.inputs["mapPublicIpOnLaunch"] is False


def test_machines_find_two_zones_without_a_look_up(estate: Recorded) -> None:
    found = estate(PRIVATE)
    production = {name: row.inputs for name, row in all_of(found, "ec2:Subnet").items() if "production" in name}
    assert [each["availabilityZoneId"] for each in production.values()] == ["cac1-az1", "cac1-az2"]
    assert len({each["cidrBlock"] for each in production.values()}) == 2
    assert len(all_of(found, "ec2:RouteTableAssociation")) == 4, "or S3 is reached from one of the zones alone"


@pytest.mark.parametrize(
    ("region", "ids"),
    [
        ("ap-northeast-1", ("apne1-az1", "apne1-az2")),
        ("us-west-1", ("usw1-az1", "usw1-az3")),
        ("eu-south-2", ("eus2-az1", "eus2-az2")),
    ],
)
def test_a_zone_is_meant_by_the_id_that_every_account_shares(region: str, ids: tuple[str, str]) -> None:
    assert zone_ids(region) == ids


def test_every_region_has_two_zones_of_its_own() -> None:
    """That an account may use them is for that account to show."""
    found = [each for region in KNOWN_REGIONS for each in zone_ids(region)]
    assert len(set(found)) == 2 * len(KNOWN_REGIONS), "two regions would share a zone"


def test_machines_reach_what_they_call_and_nothing_else(estate: Recorded) -> None:
    found = estate(PRIVATE)
    endpoints = {name: row.inputs for name, row in all_of(found, "ec2:VpcEndpoint").items() if "production" in name}
    services = {each["serviceName"].removeprefix("com.amazonaws.ca-central-1.") for each in endpoints.values()}
    assert services == {
        *("s3", "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sagemaker.runtime", "sts")
    }, "each bills by the hour: no feature store and no tracking server is in this file"
    for name, each in endpoints.items():
        if not name.endswith("-s3"):
            assert each["privateDnsEnabled"] is True, "or the SDK in a container calls the public address"
            assert len(each["subnetIds"]) == 2
    vpc = one(found, "ec2:Vpc", "production-network-vpc").inputs
    assert (vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == (True, True), "private names need both"


def test_a_feature_store_and_a_tracking_server_have_endpoints_where_they_are() -> None:
    from mlestate.aws.network import services
    from mlestate.aws.settings import AwsEstate

    config = AwsEstate.model_validate(
        {
            "version": 1,
            "name": "risk",
            "cloud": "aws",
            "region": "ca-central-1",
            "tracking": {"server": "managed"},
            "features": {"tx": {"entity": "id", "event_time": "ts", "fields": {"amount": "float"}}},
        }
    )
    assert {
        "com.amazonaws.ca-central-1.sagemaker.featurestore-runtime",
        "com.amazonaws.ca-central-1.athena",
        "com.amazonaws.ca-central-1.glue",
        "aws.sagemaker.ca-central-1.experiments",
    } <= set(services(config))


def test_an_endpoint_serves_no_credentials_of_another_account(estate: Recorded) -> None:
    for name, row in all_of(estate(PRIVATE), "ec2:VpcEndpoint").items():
        said = statements(row.inputs["policy"])
        if name.endswith("-s3"):
            within = said["ReachTheEstatesBuckets"]["Condition"]["StringEquals"]
            assert within["aws:PrincipalAccount"] == "111111111111"
            assert within["aws:ResourceAccount"] == ["111111111111"], "or data goes out to a stranger's bucket"
            assert said["FetchTheLayersOfImages"]["Resource"] == (
                "arn:aws:s3:::prod-ca-central-1-starport-layer-bucket/*"
            ), "ECR hands out layers from a bucket of AWS: without it no image can be pulled"
        else:
            only = said["ServeThisAccountAlone"]["Condition"]
            assert only == {"StringEquals": {"aws:PrincipalAccount": "111111111111"}}


def test_firewalls_let_machines_reach_each_other_and_the_endpoints_by_tls(estate: Recorded) -> None:
    found = estate(PRIVATE)
    groups = {name: row.outputs["arn"].rpartition("/")[2] for name, row in all_of(found, "ec2:SecurityGroup").items()}
    machines, doors = (groups[f"risk-production-network-{each}"] for each in ("machines", "endpoints"))
    way_in = one(found, "vpc:SecurityGroupIngressRule", "production-network-endpoints-in").inputs
    assert (way_in["securityGroupId"], way_in["referencedSecurityGroupId"]) == (doors, machines)
    assert (way_in["fromPort"], way_in["toPort"]) == (443, 443)
    between = one(found, "vpc:SecurityGroupIngressRule", "production-network-machines-from-machines").inputs
    assert between["referencedSecurityGroupId"] == between["securityGroupId"] == machines
    out = {
        name: row.inputs for name, row in all_of(found, "vpc:SecurityGroupEgressRule").items() if "production" in name
    }
    assert not [name for name, each in out.items() if "cidrIpv4" in each], "nothing is open to every address"
    assert all(each["securityGroupId"] == machines for each in out.values()), "an endpoint calls nobody"
    for group in all_of(found, "ec2:SecurityGroup").values():
        assert not {"ingress", "egress"} & set(group.inputs), "inline rules undo the rules beside them"


def test_the_group_that_a_network_comes_with_lets_nothing_through(estate: Recorded) -> None:
    closed = one(estate(PRIVATE), "ec2:DefaultSecurityGroup", "production-network-closed").inputs
    assert (closed["ingress"], closed["egress"]) == ([], [])


def test_what_flows_is_written_down_in_a_bucket_that_only_this_accounts_delivery_writes(estate: Recorded) -> None:
    found = estate(PRIVATE)
    log = one(found, "ec2:FlowLog", "production-network-flow-logs")
    assert (log.inputs["trafficType"], log.inputs["logDestinationType"]) == ("ALL", "s3")
    policy = one(found, "s3:BucketPolicy", "production-network-flow-logs")
    assert policy.urn in log.dependencies, "EC2 tries to write when a flow log is made"
    said = statements(policy.inputs["policy"])
    for sid in ("DeliverFlowLogs", "CheckBeforeDelivery"):
        assert said[sid]["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
        assert said[sid]["Condition"]["StringEquals"]["aws:SourceAccount"] == "111111111111"
    rules = one(found, "s3:BucketLifecycleConfiguration", "production-network-flow-logs").inputs["rules"]
    assert [rule["expiration"]["days"] for rule in rules if "expiration" in rule] == [90]


def test_an_adopted_network_is_left_as_it_is_but_for_one_firewall(estate: Recorded) -> None:
    found = estate(ADOPTED)
    assert kinds(found) == {
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    }
    group = one(found, "ec2:SecurityGroup", "network-machines").inputs
    assert group["vpcId"] == "vpc-0123456789abcdef0"


def test_an_adopted_network_with_firewalls_is_left_as_it_is(estate: Recorded) -> None:
    groups = "security_groups: [sg-0123456789abcdef0, sg-0123456789abcdef1]"
    assert kinds(estate(ADOPTED.replace("ef1]}", f"ef1], {groups}}}"))) == set()


def test_policies_of_endpoints_never_change_without_a_change(estate: Recorded) -> None:
    for row in all_of(estate(PRIVATE), "ec2:VpcEndpoint").values():
        text = row.inputs["policy"]
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
