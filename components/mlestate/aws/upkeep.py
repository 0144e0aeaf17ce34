"""The machine that takes endpoints down while nobody needs them, and brings them back as they were.

A variant of a classic endpoint is not known to scale to zero instances, so the endpoint goes. Deleted, it loses its
scalable targets and policies too (SageMaker developer guide, "Delete endpoints configured for auto scaling"): they are
remembered first, in a parameter beside it, and made again after it.
"""

import json
from collections.abc import Mapping

from mlestate.aws.state_machines import State, choice, document, each, expression, fail, succeed, task, wait
from mlestate.names import Names

__all__ = ["REAPED_EVERY", "definition", "memory"]

REAPED_EVERY = "rate(1 hour)"


def memory(names: Names, endpoint: str) -> str:
    """The name of the parameter that remembers an endpoint while it is down."""
    return f"/mlestate/{names.estate}/{names.environment}/endpoints/{endpoint}"


def definition(names: Names, endpoints: Mapping[str, Mapping[str, str]], idle_hours: int | None, topic: str) -> str:
    """The machine in Amazon States Language. It takes ``{"action": "stop" | "start" | "reap"}``.

    ``endpoints`` are those of this environment, each with the tags it is made with again. ``reap`` stops what had no
    request for ``idle_hours``. Only an endpoint that is in service is stopped: one that a release is changing stays.
    ``topic`` is who is told of what was stopped for idleness or by hand, empty for nobody.
    """
    items = [
        {
            "endpoint": endpoint,
            "memory": memory(names, endpoint),
            "tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)],
        }
        for endpoint, tags in sorted(endpoints.items())
    ]
    actions = ["start", "stop", *(["reap"] if idle_hours else [])]
    return document(
        f"Takes the endpoints of {names.slice} down and brings them back as they were",
        "Known",
        {
            "Known": choice({"$states.input.action in " + json.dumps(actions): "EachEndpoint"}, "Unknown"),
            "Unknown": fail("UnknownAction", f"The input's action must be one of {', '.join(actions)}"),
            "EachEndpoint": {
                "Type": "Map",
                "Items": items,
                "MaxConcurrency": 5,
                "ItemSelector": {
                    "item": "{% $states.context.Map.Item.Value %}",
                    "action": "{% $states.input.action %}",
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Begin",
                    "States": {
                        "Begin": {
                            "Type": "Pass",
                            "Assign": {"item": "{% $states.input.item %}", "action": "{% $states.input.action %}"},
                            "Next": "Which",
                        },
                        "Which": choice({"$action = 'start'": "Recall"}, "Find"),
                        **_stop(idle_hours, topic),
                        **_start(),
                        "Done": succeed("{% $item.endpoint %}"),
                    },
                },
                "End": True,
            },
        },
    )


def _stop(idle_hours: int | None, topic: str) -> dict[str, State]:
    reap = _reap(idle_hours) if idle_hours else {}
    return {
        "Find": task(
            "sagemaker:listEndpoints",
            {"NameContains": "{% $item.endpoint %}", "StatusEquals": "InService", "MaxResults": 100},
            {
                "found": expression("$exists($states.result.Endpoints[EndpointName = $item.endpoint])"),
                "since": expression("[$states.result.Endpoints[EndpointName = $item.endpoint].LastModifiedTime]"),
            },
            "Present",
        ),
        "Present": choice({"$found": "Describe"}, "Done"),
        "Describe": task(
            "sagemaker:describeEndpoint",
            {"EndpointName": "{% $item.endpoint %}"},
            {
                "configuration": expression("$states.result.EndpointConfigName"),
                "variants": expression("[$states.result.ProductionVariants.VariantName]"),
            },
            "Why" if reap else "Targets",
        ),
        **reap,
        "Targets": task(
            "applicationautoscaling:describeScalableTargets",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceIds": expression(
                    "[$map($variants, function($variant) {'endpoint/' & $item.endpoint & '/variant/' & $variant})]"
                ),
            },
            {
                "targets": expression(
                    "[$states.result.ScalableTargets.{'ResourceId': ResourceId, 'ScalableDimension': ScalableDimension,"
                    " 'MinCapacity': MinCapacity, 'MaxCapacity': MaxCapacity}]"
                )
            },
            "EachTarget",
        ),
        "EachTarget": each(
            "$targets",
            "applicationautoscaling:describeScalingPolicies",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "{% $states.input.ResourceId %}",
                "ScalableDimension": "{% $states.input.ScalableDimension %}",
            },
            {"policies": expression("[$states.result.policies]")},
            "Remember",
            output=expression(
                "{'policies': [$states.result.ScalingPolicies[PolicyType = 'TargetTrackingScaling']."
                "{'PolicyName': PolicyName, 'ResourceId': ResourceId, 'ScalableDimension': ScalableDimension,"
                " 'TargetTrackingScalingPolicyConfiguration': TargetTrackingScalingPolicyConfiguration}]}"
            ),
        ),
        "Remember": task(
            "ssm:putParameter",
            {
                "Name": "{% $item.memory %}",
                "Type": "String",
                "Overwrite": True,
                "Value": expression(
                    "$string({'configuration': $configuration, 'targets': $targets, 'policies': $policies})"
                ),
            },
            {},
            "Unscale",
        ),
        # Left to itself AWS does this in silence, with whatever rights the caller of DeleteEndpoint has.
        "Unscale": each(
            "$targets",
            "applicationautoscaling:deregisterScalableTarget",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "{% $states.input.ResourceId %}",
                "ScalableDimension": "{% $states.input.ScalableDimension %}",
            },
            {},
            "Delete",
        ),
        "Delete": task(
            "sagemaker:deleteEndpoint", {"EndpointName": "{% $item.endpoint %}"}, {}, "Told" if topic else "Done"
        ),
        **(_tell(topic) if topic else {}),
    }


def _reap(idle_hours: int) -> dict[str, State]:
    return {
        "Why": choice({"$action = 'reap'": "Measure"}, "Targets"),
        "Measure": task(
            "cloudwatch:getMetricData",
            {
                "StartTime": expression(f"$fromMillis($toMillis($now()) - {idle_hours} * 3600000)"),
                "EndTime": expression("$now()"),
                "MetricDataQueries": expression(
                    "[$map($variants, function($variant, $index) {{'Id': 'variant' & $string($index), 'MetricStat': "
                    "{'Metric': {'Namespace': 'AWS/SageMaker', 'MetricName': 'Invocations', 'Dimensions': ["
                    "{'Name': 'EndpointName', 'Value': $item.endpoint}, {'Name': 'VariantName', 'Value': $variant}]},"
                    " 'Period': 3600, 'Stat': 'Sum'}}})]"
                ),
            },
            {"requests": expression("$sum([0, $states.result.MetricDataResults.Values])")},
            "Idle",
        ),
        "Idle": choice(
            {f"$requests = 0 and $toMillis($since[0]) < $toMillis($now()) - {idle_hours} * 3600000": "Targets"},
            "Done",
        ),
    }


def _tell(topic: str) -> dict[str, State]:
    return {
        "Told": choice({"$action = 'reap'": "Tell"}, "Done"),
        "Tell": task(
            "sns:publish",
            {
                "TopicArn": topic,
                "Subject": "An idle endpoint was stopped",
                "Message": expression(
                    "'The endpoint ' & $item.endpoint & ' had no request and was deleted. What it was is kept in the "
                    "parameter ' & $item.memory & '. To bring it back, start the state machine ' & "
                    '$states.context.StateMachine.Name & \' with the input {"action": "start"}.\''
                ),
            },
            {},
            "Done",
        ),
    }


def _start() -> dict[str, State]:
    return {
        "Recall": task(
            "ssm:getParameter",
            {"Name": "{% $item.memory %}"},
            {"remembered": expression("$parse($states.result.Parameter.Value)")},
            "WasStopped",
        ),
        "WasStopped": choice({"$exists($remembered.configuration)": "Look"}, "Done"),
        "Look": task(
            "sagemaker:listEndpoints",
            {"NameContains": "{% $item.endpoint %}", "MaxResults": 100},
            {"there": expression("$exists($states.result.Endpoints[EndpointName = $item.endpoint])")},
            "IsThere",
        ),
        "IsThere": choice({"$there": "Await"}, "Create"),
        "Create": task(
            "sagemaker:createEndpoint",
            {
                "EndpointName": "{% $item.endpoint %}",
                "EndpointConfigName": "{% $remembered.configuration %}",
                "Tags": "{% $item.tags %}",
            },
            {},
            "Await",
        ),
        "Await": task(
            "sagemaker:describeEndpoint",
            {"EndpointName": "{% $item.endpoint %}"},
            {"status": expression("$states.result.EndpointStatus")},
            "Up",
        ),
        "Up": choice(
            {
                "$status = 'InService'": "RestoreTargets",
                "$status in ['Creating', 'Updating', 'SystemUpdating', 'RollingBack']": "Pause",
            },
            "Down",
        ),
        "Pause": wait(30, "Await"),
        "Down": fail(
            "EndpointFailed",
            expression("'The endpoint ' & $item.endpoint & ' did not come back: it is ' & $status"),
        ),
        "RestoreTargets": each(
            "$remembered.targets",
            "applicationautoscaling:registerScalableTarget",
            expression("$merge([$states.input, {'ServiceNamespace': 'sagemaker'}])"),
            {},
            "RestorePolicies",
        ),
        "RestorePolicies": each(
            "$remembered.policies",
            "applicationautoscaling:putScalingPolicy",
            expression(
                "$merge([$states.input, {'ServiceNamespace': 'sagemaker', 'PolicyType': 'TargetTrackingScaling'}])"
            ),
            {},
            "Forget",
        ),
        "Forget": task(
            "ssm:putParameter",
            {"Name": "{% $item.memory %}", "Type": "String", "Overwrite": True, "Value": "{}"},
            {},
            "Done",
        ),
    }
