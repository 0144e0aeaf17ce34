"""AWS: endpoints rest while nobody needs them, shown by running the machine on moto.

Not proved here: that AWS keeps these promises in a real account, and how long an endpoint takes to come back.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from mlestate.aws import upkeep
from mlestate.names import Names

from .machines import REGION, client, cloud, execute

NAMES = Names("aws", "risk", "staging", REGION, "123456789012")
ENDPOINT = "risk-staging-churn"
VARIANT = f"endpoint/{ENDPOINT}/variant/champion"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TAGS = {"estate": "risk", "model": "churn"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with one endpoint that scales, made as `pulumi up` makes it."""
    with cloud(monkeypatch):
        serving, scaling = client("sagemaker"), client("application-autoscaling")
        serving.create_model(
            ModelName="model",
            ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
            PrimaryContainer={"Image": "123456789012.dkr.ecr.ca-central-1.amazonaws.com/churn:1"},
        )
        for name in ("first", "second"):
            serving.create_endpoint_config(
                EndpointConfigName=name,
                ProductionVariants=[
                    {
                        "VariantName": "champion",
                        "ModelName": "model",
                        "InitialInstanceCount": 1,
                        "InstanceType": "ml.m5.large",
                    }
                ],
            )
        serving.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="second")
        client("ssm").put_parameter(Name=upkeep.memory(NAMES, ENDPOINT), Type="String", Value="{}")
        scaling.register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=VARIANT,
            ScalableDimension=DIMENSION,
            MinCapacity=1,
            MaxCapacity=3,
        )
        scaling.put_scaling_policy(
            PolicyName="requests",
            ServiceNamespace="sagemaker",
            ResourceId=VARIANT,
            ScalableDimension=DIMENSION,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 600.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        )
        yield


def definition(idle_hours: int | None = 8, topic: str = "") -> str:
    return upkeep.definition(NAMES, {ENDPOINT: TAGS}, idle_hours, topic)


def run(action: str, topic: str = "") -> dict[str, Any]:
    return execute(definition(topic=topic), {"action": action})


def endpoints() -> list[str]:
    return [each["EndpointName"] for each in client("sagemaker").list_endpoints()["Endpoints"]]


def remembered() -> Any:
    return json.loads(client("ssm").get_parameter(Name=upkeep.memory(NAMES, ENDPOINT))["Parameter"]["Value"])


def aged(hours: int) -> None:
    """The endpoint was last changed so long ago."""
    endpoint = sagemaker_backends["123456789012"][REGION].endpoints[ENDPOINT]
    endpoint.last_modified_time = datetime.now(UTC) - timedelta(hours=hours)


@pytest.mark.usefixtures("account")
class TestStopAndStart:
    def test_an_endpoint_comes_back_with_the_version_it_had_and_scales_as_before(self) -> None:
        scaling = client("application-autoscaling")
        wanted = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"][0]
        assert run("stop")["status"] == "SUCCEEDED"
        assert endpoints() == []
        assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
        assert run("start")["status"] == "SUCCEEDED"
        back = client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
        assert back["EndpointConfigName"] == "second", "the version that was in service, not the first one ever"
        (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (VARIANT, 1, 3)
        (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        key = "TargetTrackingScalingPolicyConfiguration"
        assert (policy["PolicyName"], policy[key]) == ("requests", wanted[key])
        tags = client("sagemaker").list_tags(ResourceArn=back["EndpointArn"])["Tags"]
        assert {each["Key"]: each["Value"] for each in tags} == TAGS, "a budget counts what carries its tags"

    def test_what_is_off_stays_remembered_when_it_is_stopped_again(self) -> None:
        run("stop")
        before = remembered()
        assert before["configuration"] == "second"
        assert run("stop")["status"] == "SUCCEEDED"
        assert remembered() == before, "the second stop finds nothing, and must not forget"

    def test_an_endpoint_that_was_not_stopped_is_not_started_anew(self) -> None:
        assert run("start")["status"] == "SUCCEEDED"
        assert endpoints() == [ENDPOINT]
        client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)
        assert run("start")["status"] == "SUCCEEDED"
        assert endpoints() == [], "someone deleted it on purpose"

    def test_a_start_that_broke_half_way_is_finished_by_the_next(self) -> None:
        run("stop")
        kept = json.dumps(remembered())
        run("start")
        client("ssm").put_parameter(Name=upkeep.memory(NAMES, ENDPOINT), Type="String", Value=kept, Overwrite=True)
        assert run("start")["status"] == "SUCCEEDED", "the endpoint is there, and what it scales by may not be"
        assert remembered() == {}

    def test_an_endpoint_that_a_release_changes_is_left_alone(self) -> None:
        sagemaker_backends["123456789012"][REGION].endpoints[ENDPOINT].endpoint_status = "Updating"
        assert run("stop")["status"] == "SUCCEEDED"
        assert endpoints() == [ENDPOINT]
        assert remembered() == {}

    def test_an_unknown_action_fails_with_the_ones_there_are(self) -> None:
        done = run("sleep")
        assert (done["status"], done["error"]) == ("FAILED", "UnknownAction")
        assert "start, stop, reap" in done["cause"]
        assert endpoints() == [ENDPOINT]


@pytest.mark.usefixtures("account")
class TestReap:
    def asked(self, hours_ago: int) -> None:
        client("cloudwatch").put_metric_data(
            Namespace="AWS/SageMaker",
            MetricData=[
                {
                    "MetricName": "Invocations",
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": ENDPOINT},
                        {"Name": "VariantName", "Value": "champion"},
                    ],
                    "Timestamp": datetime.now(UTC) - timedelta(hours=hours_ago),
                    "Value": 5.0,
                }
            ],
        )

    def test_an_endpoint_without_a_request_goes_and_people_are_told_how_to_bring_it_back(self) -> None:
        aged(hours=9)
        self.asked(hours_ago=20)
        topic = client("sns").create_topic(Name="risk-staging-notice")["TopicArn"]
        queue = client("sqs").create_queue(QueueName="reader")["QueueUrl"]
        reader = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=reader["QueueArn"])
        assert run("reap", topic)["status"] == "SUCCEEDED"
        assert endpoints() == []
        assert remembered()["configuration"] == "second"
        (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
        said = json.loads(message["Body"])["Message"]
        assert ENDPOINT in said
        assert '{"action": "start"}' in said

    def test_an_endpoint_that_was_asked_lately_stays(self) -> None:
        aged(hours=9)
        self.asked(hours_ago=2)
        assert run("reap")["status"] == "SUCCEEDED"
        assert endpoints() == [ENDPOINT]

    def test_an_endpoint_younger_than_the_time_it_may_be_idle_stays(self) -> None:
        aged(hours=2)
        assert run("reap")["status"] == "SUCCEEDED"
        assert endpoints() == [ENDPOINT], "nobody has had the time to ask it"


def test_where_nothing_is_reaped_the_machine_knows_no_such_action() -> None:
    machine = json.loads(definition(idle_hours=None))
    assert "reap" not in machine["States"]["Unknown"]["Cause"]
    assert "Measure" not in machine["States"]["EachEndpoint"]["ItemProcessor"]["States"]


def test_every_name_of_a_state_is_there_once() -> None:
    """Amazon States Language: names are unique within the whole machine."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(value.get("States", {}))
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(json.loads(definition(topic="arn:aws:sns:ca-central-1:123456789012:risk-staging-notice")))
    assert len(found) == len(set(found)), found
