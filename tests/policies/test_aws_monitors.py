"""How often monitors run, whom endpoints are released by, and what Cloud Control makes."""

from typing import Any

import pytest

from mlestate_policies.aws.cloudformation import CLOUD_CONTROL, stated
from mlestate_policies.aws.monitors import SCHEDULE
from mlestate_policies.aws.releases import ENDPOINT
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Undecided, Violation, named
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node


def schedule(expression: Any) -> Resource:
    config = {"monitoringType": "DataQuality", "scheduleConfig": {"scheduleExpression": expression}}
    return Resource(SCHEDULE, "urn::schedule", Node({"monitoringScheduleConfig": config}))


def controlled(kind: str, state: Any) -> Resource:
    return Resource(CLOUD_CONTROL, "urn::made", Node({"typeName": kind, "desiredState": state}))


def runs_often(expression: Any, hours: float = 24) -> bool:
    judged = named()["ML-AWS-SM-058"].judge(schedule(expression), Settings(limits={"monitorHours": hours}))
    return not [each for each in judged if isinstance(each, Violation)]


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("cron(0 * ? * * *)", 1),
        ("cron(0 0/6 ? * * *)", 6),
        ("cron(0 17/12 ? * * *)", 12),
        ("cron(0 5 ? * * *)", 24),
        ("cron(0  05  ? * * *)", 24),
    ],
)
def test_a_monitor_runs_as_often_as_its_schedule_says(expression: str, hours: int) -> None:
    assert runs_often(expression, hours)
    assert not runs_often(expression, hours - 0.5)


@pytest.mark.parametrize(
    "expression", ["NOW", "cron(0 5 1 * ? *)", "cron(30 5 ? * * *)", "rate(1 hour)", "", None, 7, []]
)
def test_what_is_no_schedule_of_a_monitor_runs_never_often_enough(expression: Any) -> None:
    assert not runs_often(expression)


def test_an_endpoint_of_mlestate_is_released_by_its_machine() -> None:
    chain = "mlestate:index:Estate$mlestate:index:Environment$mlestate:aws:Serving"
    rule, settings = named()["ML-AWS-SM-040"], Settings(("regulated",))
    made = Resource(ENDPOINT, f"urn:pulumi:s::p::{chain}${ENDPOINT}::fraud", Node({"name": "fraud"}))
    alone = Resource(ENDPOINT, f"urn:pulumi:s::p::{ENDPOINT}::fraud", Node({"name": "fraud"}))
    assert not list(rule.judge(made, settings))
    assert len(list(rule.judge(alone, settings))) == 2


@pytest.mark.parametrize("environment", ["dev", "Staging", "sandbox"])
def test_outside_production_an_endpoint_may_change_at_once(environment: str) -> None:
    endpoint = Resource(ENDPOINT, "urn::fraud", Node({"name": "fraud", "tags": {"environment": environment}}))
    assert not list(named()["ML-AWS-SM-040"].judge(endpoint, Settings(("regulated",))))


def test_cloud_control_speaks_of_the_kind_that_it_makes() -> None:
    state = '{"OfflineStoreConfig": {"S3StorageConfig": {"KmsKeyId": "key"}}, "Tags": [{"Key": "a", "Value": "b"}]}'
    made = Resource(
        CLOUD_CONTROL, "urn::made", Node({"typeName": "AWS::SageMaker::FeatureGroup", "desiredState": state})
    )
    found = stated(made, "AWS::SageMaker::FeatureGroup")
    assert found is not None
    assert found.at("offlineStoreConfig.s3StorageConfig.kmsKeyId").text == "key"
    assert stated(made, "AWS::SageMaker::ModelBiasJobDefinition") is None


@pytest.mark.parametrize("rule", ["ML-AWS-SM-053", "ML-AWS-SM-059", "ML-AWS-SM-061", "ML-AWS-SM-062", "ML-AWS-SM-060"])
@pytest.mark.parametrize("state", [UNKNOWN, "no JSON", "[]", "{}", 7, None])
def test_nothing_that_cloud_control_is_told_stops_a_rule(rule: str, state: Any) -> None:
    kinds = ("DataQualityJobDefinition", "ModelBiasJobDefinition", "FeatureGroup", "InferenceExperiment")
    for kind in kinds:
        properties = {"typeName": f"AWS::SageMaker::{kind}", "desiredState": state}
        judged = list(
            named()[rule].judge(Resource(CLOUD_CONTROL, "urn::x", Node(properties)), Settings(("regulated",)))
        )
        assert state != UNKNOWN or not [each for each in judged if isinstance(each, Violation)]


def test_a_state_that_is_not_known_yet_is_left_open() -> None:
    definition = controlled("AWS::SageMaker::ModelBiasJobDefinition", UNKNOWN)
    judged = list(named()["ML-AWS-SM-059"].judge(definition, Settings()))
    assert judged
    assert all(isinstance(each, Undecided) for each in judged)
