"""The machine that takes endpoints down while nobody needs them, and brings them back as they were.

A variant of a classic endpoint is not known to scale to zero instances, so the endpoint goes. Deleted, it loses its
scalable targets and policies too (SageMaker developer guide, "Delete endpoints configured for auto scaling"): they are
remembered first, in a parameter beside it, and made again after it.
"""

import json
from collections.abc import Mapping
from typing import Any

from mlestate.aws.state_machines import RETRY
from mlestate.names import Names

__all__ = ["REAPED_EVERY", "definition", "memory"]

REAPED_EVERY = "rate(1 hour)"

State = dict[str, Any]


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
    document = {
        "Comment": f"Takes the endpoints of {names.slice} down and brings them back as they were",
        "QueryLanguage": "JSONata",
        "StartAt": "Known",
        "States": {
            "Known": _choice({_is("$states.input.action in " + json.dumps(actions)): "EachEndpoint"}, "Unknown"),
            "Unknown": {
                "Type": "Fail",
                "Error": "UnknownAction",
                "Cause": f"The input's action must be one of {', '.join(actions)}",
            },
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
                        "Which": _choice({_is("$action = 'start'"): "Recall"}, "Find"),
                        **_stop(idle_hours, topic),
                        **_start(),
                        "Done": {"Type": "Succeed", "Output": "{% $item.endpoint %}"},
                    },
                },
                "End": True,
            },
        },
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _stop(idle_hours: int | None, topic: str) -> dict[str, State]:
    reap = _reap(idle_hours) if idle_hours else {}
    return {
        "Find": _task(
            "sagemaker:listEndpoints",
            {"NameContains": "{% $item.endpoint %}", "StatusEquals": "InService", "MaxResults": 100},
            {
                "found": _is("$exists($states.result.Endpoints[EndpointName = $item.endpoint])"),
                "since": _is("[$states.result.Endpoints[EndpointName = $item.endpoint].LastModifiedTime]"),
            },
            "Present",
        ),
        "Present": _choice({_is("$found"): "Describe"}, "Done"),
        "Describe": _task(
            "sagemaker:describeEndpoint",
            {"EndpointName": "{% $item.endpoint %}"},
            {
                "configuration": _is("$states.result.EndpointConfigName"),
                "variants": _is("[$states.result.ProductionVariants.VariantName]"),
            },
            "Why" if reap else "Targets",
        ),
        **reap,
        "Targets": _task(
            "applicationautoscaling:describeScalableTargets",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceIds": _is(
                    "[$map($variants, function($variant) {'endpoint/' & $item.endpoint & '/variant/' & $variant})]"
                ),
            },
            {
                "targets": _is(
                    "[$states.result.ScalableTargets.{'ResourceId': ResourceId, 'ScalableDimension': ScalableDimension,"
                    " 'MinCapacity': MinCapacity, 'MaxCapacity': MaxCapacity}]"
                )
            },
            "EachTarget",
        ),
        "EachTarget": _each(
            "$targets",
            "applicationautoscaling:describeScalingPolicies",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "{% $states.input.ResourceId %}",
                "ScalableDimension": "{% $states.input.ScalableDimension %}",
            },
            "Remember",
            output=_is(
                "{'policies': [$states.result.ScalingPolicies[PolicyType = 'TargetTrackingScaling']."
                "{'PolicyName': PolicyName, 'ResourceId': ResourceId, 'ScalableDimension': ScalableDimension,"
                " 'TargetTrackingScalingPolicyConfiguration': TargetTrackingScalingPolicyConfiguration}]}"
            ),
            assign={"policies": _is("[$states.result.policies]")},
        ),
        "Remember": _task(
            "ssm:putParameter",
            {
                "Name": "{% $item.memory %}",
                "Type": "String",
                "Overwrite": True,
                "Value": _is("$string({'configuration': $configuration, 'targets': $targets, 'policies': $policies})"),
            },
            {},
            "Unscale",
        ),
        # Left to itself AWS does this in silence, with whatever rights the caller of DeleteEndpoint has.
        "Unscale": _each(
            "$targets",
            "applicationautoscaling:deregisterScalableTarget",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "{% $states.input.ResourceId %}",
                "ScalableDimension": "{% $states.input.ScalableDimension %}",
            },
            "Delete",
        ),
        "Delete": _task(
            "sagemaker:deleteEndpoint", {"EndpointName": "{% $item.endpoint %}"}, {}, "Told" if topic else "Done"
        ),
        **(_tell(topic) if topic else {}),
    }


def _reap(idle_hours: int) -> dict[str, State]:
    return {
        "Why": _choice({_is("$action = 'reap'"): "Measure"}, "Targets"),
        "Measure": _task(
            "cloudwatch:getMetricData",
            {
                "StartTime": _is(f"$fromMillis($toMillis($now()) - {idle_hours} * 3600000)"),
                "EndTime": _is("$now()"),
                "MetricDataQueries": _is(
                    "[$map($variants, function($variant, $index) {{'Id': 'variant' & $string($index), 'MetricStat': "
                    "{'Metric': {'Namespace': 'AWS/SageMaker', 'MetricName': 'Invocations', 'Dimensions': ["
                    "{'Name': 'EndpointName', 'Value': $item.endpoint}, {'Name': 'VariantName', 'Value': $variant}]},"
                    " 'Period': 3600, 'Stat': 'Sum'}}})]"
                ),
            },
            {"requests": _is("$sum([0, $states.result.MetricDataResults.Values])")},
            "Idle",
        ),
        "Idle": _choice(
            {_is(f"$requests = 0 and $toMillis($since[0]) < $toMillis($now()) - {idle_hours} * 3600000"): "Targets"},
            "Done",
        ),
    }


def _tell(topic: str) -> dict[str, State]:
    return {
        "Told": _choice({_is("$action = 'reap'"): "Tell"}, "Done"),
        "Tell": _task(
            "sns:publish",
            {
                "TopicArn": topic,
                "Subject": "An idle endpoint was stopped",
                "Message": _is(
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
        "Recall": _task(
            "ssm:getParameter",
            {"Name": "{% $item.memory %}"},
            {"remembered": _is("$parse($states.result.Parameter.Value)")},
            "WasStopped",
        ),
        "WasStopped": _choice({_is("$exists($remembered.configuration)"): "Look"}, "Done"),
        "Look": _task(
            "sagemaker:listEndpoints",
            {"NameContains": "{% $item.endpoint %}", "MaxResults": 100},
            {"there": _is("$exists($states.result.Endpoints[EndpointName = $item.endpoint])")},
            "IsThere",
        ),
        "IsThere": _choice({_is("$there"): "Await"}, "Create"),
        "Create": _task(
            "sagemaker:createEndpoint",
            {
                "EndpointName": "{% $item.endpoint %}",
                "EndpointConfigName": "{% $remembered.configuration %}",
                "Tags": "{% $item.tags %}",
            },
            {},
            "Await",
        ),
        "Await": _task(
            "sagemaker:describeEndpoint",
            {"EndpointName": "{% $item.endpoint %}"},
            {"status": _is("$states.result.EndpointStatus")},
            "Up",
        ),
        "Up": _choice(
            {
                _is("$status = 'InService'"): "RestoreTargets",
                _is("$status in ['Creating', 'Updating', 'SystemUpdating', 'RollingBack']"): "Pause",
            },
            "Down",
        ),
        "Pause": {"Type": "Wait", "Seconds": 30, "Next": "Await"},
        "Down": {
            "Type": "Fail",
            "Error": "EndpointFailed",
            "Cause": _is("'The endpoint ' & $item.endpoint & ' did not come back: it is ' & $status"),
        },
        "RestoreTargets": _each(
            "$remembered.targets",
            "applicationautoscaling:registerScalableTarget",
            _is("$merge([$states.input, {'ServiceNamespace': 'sagemaker'}])"),
            "RestorePolicies",
        ),
        "RestorePolicies": _each(
            "$remembered.policies",
            "applicationautoscaling:putScalingPolicy",
            _is("$merge([$states.input, {'ServiceNamespace': 'sagemaker', 'PolicyType': 'TargetTrackingScaling'}])"),
            "Forget",
        ),
        "Forget": _task(
            "ssm:putParameter",
            {"Name": "{% $item.memory %}", "Type": "String", "Overwrite": True, "Value": "{}"},
            {},
            "Done",
        ),
    }


def _is(expression: str) -> str:
    return "{% " + expression + " %}"


def _task(action: str, arguments: Any, assign: Mapping[str, str], following: str) -> State:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        "Retry": list(RETRY),
        **({"Assign": dict(assign)} if assign else {}),
        "Next": following,
    }


def _choice(cases: Mapping[str, str], otherwise: str) -> State:
    return {
        "Type": "Choice",
        "Choices": [{"Condition": condition, "Next": following} for condition, following in cases.items()],
        "Default": otherwise,
    }


def _each(
    items: str,
    action: str,
    arguments: Any,
    following: str,
    *,
    output: str | None = None,
    assign: Mapping[str, str] | None = None,
) -> State:
    """The same call for each of some items."""
    name = action.split(":")[1][0].upper() + action.split(":")[1][1:]
    call: State = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        "Retry": list(RETRY),
        "End": True,
        **({"Output": output} if output else {}),
    }
    return {
        "Type": "Map",
        "Items": _is(items),
        "MaxConcurrency": 1,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": name, "States": {name: call}},
        **({"Assign": dict(assign)} if assign else {}),
        "Next": following,
    }
