"""The properties that hold a document in a language of its own, and who knows its grammar."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mlestate.local.aws import dashboards, events, policies, states
from mlestate.local.aws.json_text import Finding, parsed
from mlestate.local.aws.models import request
from mlestate.local.aws.operations import CLOUD_CONTROL, OPERATIONS
from mlestate.local.aws_pipeline import operations, validate_definition
from mlestate.local.schema import Failure
from mlestate.local.wire import has_unknown, is_secret, revealed

Grammar = Callable[[Any], Iterator[Finding]]


def _redrive(text: Any) -> Iterator[Finding]:
    """SQS developer guide, "Dead-letter queues": where a message goes after so many receives."""
    document = yield from parsed(text)
    if document is None:
        return
    if not str(document.get("deadLetterTargetArn", "")).startswith("arn:"):
        yield ("deadLetterTargetArn",), f"expected a queue's ARN, got {document.get('deadLetterTargetArn')!r}"
    receives = str(document.get("maxReceiveCount"))
    if not receives.isdigit() or not 1 <= int(receives) <= 1000:
        yield ("maxReceiveCount",), f"expected an integer from 1 to 1000, got {receives!r}"


def _expiry(text: Any) -> Iterator[Finding]:
    """ECR user guide, "Lifecycle policy properties"."""
    document = yield from parsed(text)
    if document is None:
        return
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules:
        yield ("rules",), "a lifecycle policy has at least one rule"
        return
    priorities = [rule.get("rulePriority") for rule in rules]
    if len(set(priorities)) != len(priorities) or not all(isinstance(each, int) and each > 0 for each in priorities):
        yield ("rules",), f"each rule has a rulePriority of its own, at least 1; got {priorities}"
    for index, rule in enumerate(rules):
        path = ("rules", index)
        selection, action = rule.get("selection") or {}, (rule.get("action") or {}).get("type")
        if action not in ("expire", "transition"):
            yield (*path, "action", "type"), f"expected 'expire' or 'transition', got {action!r}"
        if selection.get("tagStatus") not in ("tagged", "untagged", "any"):
            yield (
                (*path, "selection", "tagStatus"),
                (f"expected 'tagged', 'untagged' or 'any', got {selection.get('tagStatus')!r}"),
            )
        if selection.get("tagStatus") == "tagged" and not {"tagPrefixList", "tagPatternList"} & set(selection):
            yield (*path, "selection"), "tagged images are chosen by a tagPrefixList or a tagPatternList"
        counts = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
        if selection.get("countType") not in counts:
            yield (
                (*path, "selection", "countType"),
                (f"expected one of {', '.join(counts)}, got {selection.get('countType')!r}"),
            )
        if not isinstance(selection.get("countNumber"), int) or selection["countNumber"] < 1:
            yield (*path, "selection", "countNumber"), f"expected at least 1, got {selection.get('countNumber')!r}"


def _json(text: Any) -> Iterator[Finding]:
    try:
        json.loads(text)
    except (TypeError, ValueError) as error:
        yield (), f"expected JSON: {error}"


def _pipeline(text: str) -> Iterator[Finding]:
    """A pipeline's definition, and the request that each of its steps makes."""
    problems = validate_definition(text)
    yield from (((), problem) for problem in problems)
    for step, operation, arguments in () if problems else operations(text):
        for failure in request("sagemaker", operation, arguments, ("Steps", step, "Arguments")):
            yield failure.path, failure.reason


def _object(text: Any) -> Iterator[Finding]:
    yield from parsed(text)


def _desired(kind: Any, text: Any) -> Iterator[Finding]:
    """Cloud Control: the members of these types are those of the API's requests (CloudFormation's resource schemas)."""
    document = yield from parsed(text)
    if document is not None and kind in CLOUD_CONTROL:
        for failure in request(*CLOUD_CONTROL[kind], document):
            yield failure.path, failure.reason


_CLOUD_CONTROL, _MACHINE = "aws:cloudcontrol/resource:Resource", "aws:sfn/stateMachine:StateMachine"
_TRUST = partial(policies.policy, policies.TRUST)
# type -> property (a path of names) -> grammar
GRAMMARS: Mapping[str, Mapping[str, Grammar]] = {
    "aws:iam/role:Role": {"assumeRolePolicy": _TRUST},
    "aws:iam/policy:Policy": {"policy": partial(policies.policy, policies.IDENTITY)},
    "aws:iam/rolePolicy:RolePolicy": {"policy": partial(policies.policy, policies.INLINE)},
    "aws:s3/bucketPolicy:BucketPolicy": {"policy": partial(policies.policy, policies.BUCKET)},
    "aws:kms/key:Key": {"policy": partial(policies.policy, policies.KEY)},
    "aws:kms/keyPolicy:KeyPolicy": {"policy": partial(policies.policy, policies.KEY)},
    "aws:sns/topic:Topic": {"policy": partial(policies.policy, policies.TOPIC)},
    "aws:sns/topicPolicy:TopicPolicy": {"policy": partial(policies.policy, policies.TOPIC)},
    "aws:sns/topicSubscription:TopicSubscription": {"filterPolicy": events.pattern, "redrivePolicy": _object},
    "aws:sqs/queue:Queue": {"policy": partial(policies.policy, policies.QUEUE), "redrivePolicy": _redrive},
    "aws:sqs/queuePolicy:QueuePolicy": {"policy": partial(policies.policy, policies.QUEUE)},
    "aws:ecr/repositoryPolicy:RepositoryPolicy": {"policy": partial(policies.policy, policies.REPOSITORY)},
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"policy": _expiry},
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": {
        "resourcePolicy": partial(policies.policy, policies.GROUP)
    },
    "aws:sagemaker/pipeline:Pipeline": {"pipelineDefinition": _pipeline},
    "aws:sagemaker/modelCard:ModelCard": {"content": _object},
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": {
        "monitoringScheduleConfig.scheduleConfig.scheduleExpression": events.monitoring_schedule
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"policy": partial(policies.policy, policies.ENDPOINT)},
    "aws:cloudwatch/eventRule:EventRule": {
        "eventPattern": events.pattern,
        "scheduleExpression": events.rule_schedule,
    },
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": {"policy": partial(policies.policy, policies.BUS)},
    "aws:cloudwatch/eventTarget:EventTarget": {"input": _json},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardBody": dashboards.dashboard},
    "aws:scheduler/schedule:Schedule": {
        "scheduleExpression": events.schedule,
        "target.input": _json,
    },
    "aws:appautoscaling/scheduledAction:ScheduledAction": {"schedule": events.schedule},
    _MACHINE: {"definition": states.machine},
}


def check(resource: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """What is wrong inside the documents of a resource. One that is not wholly known is not judged."""
    failures: list[Failure] = []
    grammars = GRAMMARS.get(resource, {})
    if resource == _CLOUD_CONTROL:
        grammars = {"desiredState": partial(_desired, revealed(inputs.get("typeName")))}
    for name, grammar in grammars.items():
        path = tuple(name.split("."))
        value, hidden = _at(inputs, path)
        if not value or has_unknown(value):
            continue
        found = [Failure((*path, *where), sentence) for where, sentence in grammar(value)]
        if found and hidden:
            found = [Failure(path, "the document in this secret is not what the cloud takes")]
        failures += found
    return failures


def _at(inputs: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Any, bool]:
    """The value at a path, and whether it is a secret or stands in one."""
    value: Any = inputs
    hidden = False
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
        hidden = hidden or is_secret(value)
        value = value["value"] if is_secret(value) else value
    return revealed(value), hidden


def unjudged(resource: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """The types of Cloud Control and the requests of state machines that no compiled model describes."""
    said = revealed(dict(inputs))
    kind = said.get("typeName")
    if resource == _CLOUD_CONTROL and not has_unknown(kind) and kind not in CLOUD_CONTROL:
        yield f"{kind} of Cloud Control"
    if resource == _MACHINE and isinstance(said.get("definition"), str):
        for service, operation in states.requests(said["definition"]):
            if operation not in OPERATIONS.get(service, ()):
                yield f"{service}:{operation} in a state machine"
