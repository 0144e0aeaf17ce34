"""What must stand before an object can be made, and be gone before it can be deleted."""

import json
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from mlestate.local.aws.needs import HOLDERS, NEEDS
from mlestate.local.wire import struct
from tests.local.cloud_calls import AbortedError, Caller, urn
from tests.local.cloud_cases import AWS, BEFORE

ALARMS = "aws:cloudwatch/compositeAlarm:CompositeAlarm"


def alone(token: str, **changes: Any) -> str:
    """What an empty cloud answers to the making of a type's case, with these changes."""
    caller = Caller("aws")
    request = pb.CreateRequest(urn=urn(token, "it"), properties=struct({**AWS[token], **changes}))
    with pytest.raises(AbortedError) as refused:
        caller.cloud.Create(request, caller.context)
    assert refused.value.code == grpc.StatusCode.INVALID_ARGUMENT
    assert caller.store.objects() == [], "what is refused is not there"
    return refused.value.details


@pytest.mark.parametrize("token", BEFORE)
def test_what_stands_on_another_object_is_refused_without_it(token: str) -> None:
    """A physical name that is passed as a text orders nothing: the resource needs `depends_on`, or the output."""
    assert alone(token)


def test_every_need_has_a_case() -> None:
    others = {
        "aws:iam/role:Role", "aws:scheduler/schedule:Schedule", "aws:sfn/stateMachine:StateMachine",
        "aws:athena/namedQuery:NamedQuery",
    }  # fmt: skip
    assert set(NEEDS) - set(BEFORE) == others, "these ask for nothing unless the program names it: tested below"


@pytest.mark.parametrize(
    ("token", "changes", "sentence"),
    [
        ("aws:iam/role:Role", {"permissionsBoundary": "arn:aws:iam::000000000000:policy/boundary"},
         "NoSuchEntity: Scope ARN: arn:aws:iam::000000000000:policy/boundary does not exist"),
        ("aws:scheduler/schedule:Schedule", {"groupName": "ml"}, "Schedule group ml does not exist"),
        ("aws:sfn/stateMachine:StateMachine", {"loggingConfiguration": {
            "level": "ALL", "logDestination": "arn:aws:logs:us-east-1:000000000000:log-group:/ml/release:*"}},
         "InvalidLoggingConfiguration: The log group /ml/release does not exist"),
        ("aws:athena/namedQuery:NamedQuery", {"workgroup": "audit"}, "WorkGroup audit is not found"),
        (ALARMS, {"alarmRule": "ALARM(errors) OR ALARM('late')"}, "the alarm errors in the alarm rule does not exist"),
    ],
)  # fmt: skip
def test_what_a_program_names_must_stand(token: str, changes: dict[str, Any], sentence: str) -> None:
    assert sentence in alone(token, **changes)


def test_a_policy_of_aws_always_stands() -> None:
    caller = Caller("aws")
    caller.create("aws:iam/role:Role", "r", {**AWS["aws:iam/role:Role"], "permissionsBoundary": None})
    policy = "arn:aws:iam::aws:policy/SecurityAudit"
    caller.create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "a", {"role": "trainer", "policyArn": policy})


def test_an_object_of_another_region_does_not_count() -> None:
    caller = Caller("aws")
    topic = AWS["aws:sns/topicPolicy:TopicPolicy"]["arn"]
    caller.create("aws:sns/topic:Topic", "t", {**AWS["aws:sns/topic:Topic"], "region": "eu-west-1"})
    request = pb.CreateRequest(
        urn=urn("aws:sns/topicPolicy:TopicPolicy", "p"), properties=struct({"arn": topic, "policy": "{}"})
    )
    with pytest.raises(AbortedError, match="Topic does not exist"):
        caller.cloud.Create(request, caller.context)


def test_a_schedule_of_a_definition_that_cloud_control_makes_asks_for_nothing() -> None:
    caller = Caller("aws")
    config = {
        **AWS["aws:sagemaker/monitoringSchedule:MonitoringSchedule"]["monitoringScheduleConfig"],
        "monitoringType": "ModelQuality",
        "monitoringJobDefinitionName": "elsewhere",
    }
    request = pb.CreateRequest(
        urn=urn("aws:sagemaker/monitoringSchedule:MonitoringSchedule", "s"),
        properties=struct({"name": "s", "monitoringScheduleConfig": config}),
    )
    assert caller.cloud.Create(request, caller.context).id == "s"


@pytest.mark.parametrize(
    ("held", "holder", "inputs", "sentence"),
    [
        ("aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", {}, "must delete policies first"),
        ("aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", {}, "must detach all policies"),
        ("aws:iam/policy:Policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", {}, "attached to entities"),
        ("aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget", {}, "since it has targets"),
        ("aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", {"vpcId": "{id}"}, "DependencyViolation: The vpc"),
        ("aws:ec2/vpc:Vpc", "aws:ec2/routeTable:RouteTable", {"vpcId": "{id}"}, "DependencyViolation: The vpc"),
        ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/vpcEndpoint:VpcEndpoint", {"securityGroupIds": ["{id}"]},
         "DependencyViolation: The security group"),
        ("aws:ec2/subnet:Subnet", "aws:ec2/vpcEndpoint:VpcEndpoint", {"subnetIds": ["{id}"]}, "DependencyViolation"),
        ("aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation",
         {"routeTableId": "{id}"}, "DependencyViolation: The routeTable"),
    ],
)  # fmt: skip
def test_what_something_holds_is_not_deleted(held: str, holder: str, inputs: dict[str, Any], sentence: str) -> None:
    caller = Caller("aws")
    made = caller.create(held, "held", AWS[held])
    said = json.loads(json.dumps(inputs).replace("{id}", made.id))
    holding = caller.create(holder, "holder", {**AWS[holder], **said})
    with pytest.raises(AbortedError, match=sentence):
        caller.delete(made)
    caller.delete(holding)
    caller.delete(made)


def test_the_tables_speak_of_types_that_have_rows() -> None:
    named = {*NEEDS, *(each for needs in NEEDS.values() for need in needs for each in need.types)}
    named |= {*HOLDERS, *(row[0] for rows in HOLDERS.values() for row in rows)}
    assert named <= set(AWS)
