"""An account filled with what an estate's program registered."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.events.models import events_backends

from mlestate.blueprint.inventory import Row

from .people import ACCOUNT, REGION

if TYPE_CHECKING:
    from .account import Account

__all__ = ["accounts", "fill", "moved"]

Inputs = dict[str, Any]

ODD = {"memorySizeInMb": "MemorySizeInMB", "kmsKeyArn": "KmsKeyId"}
"""Where SageMaker's word is not the provider's with a capital."""


def fill(account: Account, rows: Sequence[Row]) -> None:
    """Make what the rows say, of every slice in one account. What no machine of an estate meets is left out: networks,
    roles, keys, policies, subscriptions, schedules."""
    numbers = accounts(rows)
    everything = [(row.type, moved(row, numbers)) for row in rows if row.custom]
    for kind, make in MAKERS.items():
        for of, inputs in everything:
            if of == kind:
                make(account, inputs)


def accounts(rows: Sequence[Row]) -> list[str]:
    """The numbers of the accounts of an estate."""
    found = {
        each
        for row in rows
        if row.type == "pulumi:providers:aws"
        for each in json.loads(row.inputs.get("allowedAccountIds") or "[]")
    }
    text = json.dumps([dict(row.inputs) for row in rows if row.type.startswith("aws:sfn/")], default=str)
    return sorted(found | set(re.findall(r"arn:aws:[a-z-]+:[a-z0-9-]*:(\d{12}):", text)))


def moved(row: Row, numbers: Sequence[str]) -> Inputs:
    """A row's inputs with this account's number in the place of others."""
    text = json.dumps(dict(row.inputs), default=str)
    for each in numbers:
        text = re.sub(rf"(?<!\d){each}(?!\d)", ACCOUNT, text)
    moved: Inputs = json.loads(text)
    return moved


def _pascal(value: Any) -> Any:
    """The provider's words as SageMaker's API writes them."""
    if isinstance(value, list):
        return [_pascal(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, each in value.items():
        if key == "routingConfigs":
            found["RoutingConfig"] = _pascal(each[0])
        elif key == "tags":
            found["Tags"] = _tags(each)
        elif key != "__defaults":
            found[ODD.get(key, key[0].upper() + key[1:])] = _pascal(each)
    return found


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def _bucket(account: Account, of: Inputs) -> None:
    account.client("s3").create_bucket(Bucket=of["bucket"], CreateBucketConfiguration={"LocationConstraint": REGION})


def _object(account: Account, of: Inputs) -> None:
    if "content" in of:
        body = of["content"].encode()
    elif "contentBase64" in of:
        body = base64.b64decode(of["contentBase64"])
    else:
        body = Path(of["source"]["path"] if isinstance(of["source"], dict) else of["source"]).read_bytes()
    account.client("s3").put_object(Bucket=of["bucket"], Key=of["key"], Body=body)


def _parameter(account: Account, of: Inputs) -> None:
    value = of.get("insecureValue") or of.get("value")
    account.client("ssm").put_parameter(Name=of["name"], Type=of["type"], Value=value)


def _table(account: Account, of: Inputs) -> None:
    def schema(keys: Mapping[str, Any]) -> list[dict[str, str]]:
        if "keySchemas" in keys:
            return [{"AttributeName": each["attributeName"], "KeyType": each["keyType"]} for each in keys["keySchemas"]]
        found = [{"AttributeName": keys["hashKey"], "KeyType": "HASH"}]
        return found + ([{"AttributeName": keys["rangeKey"], "KeyType": "RANGE"}] if keys.get("rangeKey") else [])

    indices = [
        {
            "IndexName": each["name"],
            "KeySchema": schema(each),
            "Projection": {
                "ProjectionType": each["projectionType"],
                **({"NonKeyAttributes": each["nonKeyAttributes"]} if each.get("nonKeyAttributes") else {}),
            },
        }
        for each in of.get("globalSecondaryIndexes", ())
    ]
    account.client("dynamodb").create_table(
        TableName=of["name"],
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": each["name"], "AttributeType": each["type"]} for each in of["attributes"]
        ],
        KeySchema=schema(of),
        **({"GlobalSecondaryIndexes": indices} if indices else {}),
    )


def _alarm(account: Account, of: Inputs) -> None:
    """An alarm is a name, a state and what follows: when it goes off the scenario says."""
    cloudwatch_backends[ACCOUNT][REGION].put_metric_alarm(
        name=of.get("name") or of["alarmName"],
        namespace=of.get("namespace") or "",
        metric_name=of.get("metricName") or "",
        comparison_operator=of.get("comparisonOperator") or "",
        evaluation_periods=of.get("evaluationPeriods") or 0,
        period=of.get("period") or 0,
        threshold=of.get("threshold") or 0,
        statistic=of.get("statistic") or "",
        description=of.get("alarmDescription", ""),
        dimensions=[{"Name": key, "Value": value} for key, value in (of.get("dimensions") or {}).items()],
        alarm_actions=of.get("alarmActions", []),
        ok_actions=of.get("okActions", []),
        rule=of.get("alarmRule"),
    )


def _budget(account: Account, of: Inputs) -> None:
    account.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": of["name"],
            "BudgetType": of["budgetType"],
            "TimeUnit": of.get("timeUnit", "MONTHLY"),
            "BudgetLimit": {"Amount": of["limitAmount"], "Unit": of["limitUnit"]},
        },
    )


def _rule(account: Account, of: Inputs) -> None:
    events_backends[ACCOUNT][REGION].put_rule(
        of["name"],
        event_bus_arn=of.get("eventBusName"),
        event_pattern=of.get("eventPattern"),
        scheduled_expression=of.get("scheduleExpression"),
        state=of.get("state") or "ENABLED",
    )


def _target(account: Account, of: Inputs) -> None:
    target: dict[str, Any] = {"Id": of.get("targetId") or "target", "Arn": of["arn"]}
    for ours, theirs in (("roleArn", "RoleArn"), ("input", "Input"), ("inputPath", "InputPath")):
        if of.get(ours):
            target[theirs] = of[ours]
    if of.get("inputTransformer"):
        target["InputTransformer"] = {
            "InputPathsMap": of["inputTransformer"].get("inputPaths") or {},
            "InputTemplate": of["inputTransformer"]["inputTemplate"],
        }
    if of.get("deadLetterConfig"):
        target["DeadLetterConfig"] = {"Arn": of["deadLetterConfig"]["arn"]}
    events_backends[ACCOUNT][REGION].put_targets(of["rule"], of.get("eventBusName"), [target])


def _group(account: Account, of: Inputs) -> None:
    account.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=of["modelPackageGroupName"], Tags=_tags(of.get("tags", {}))
    )


def _pipeline(account: Account, of: Inputs) -> None:
    account.client("sagemaker").create_pipeline(
        PipelineName=of["pipelineName"],
        PipelineDefinition=of["pipelineDefinition"],
        RoleArn=of["roleArn"],
        ClientRequestToken=of["pipelineName"].ljust(32, "-"),
    )


def _model(account: Account, of: Inputs) -> None:
    """A model that Pulumi made stands on a version that had been approved before."""
    for container in of.get("containers", ()):
        package = container.get("modelPackageName")
        if package:
            group, version = package.rpartition("model-package/")[2].split("/")
            account.had(group, int(version))
    account.client("sagemaker").create_model(
        ModelName=of["name"], **_pascal({key: each for key, each in of.items() if key != "name"})
    )


def _configuration(account: Account, of: Inputs) -> None:
    account.client("sagemaker").create_endpoint_config(
        EndpointConfigName=of["name"], **_pascal({key: each for key, each in of.items() if key != "name"})
    )


def _endpoint(account: Account, of: Inputs) -> None:
    account.client("sagemaker").create_endpoint(
        EndpointName=of["name"], EndpointConfigName=of["endpointConfigName"], Tags=_tags(of.get("tags", {}))
    )


def _machine(account: Account, of: Inputs) -> None:
    account.machine(of["name"], of["definition"], role=of["roleArn"])


MAKERS: Mapping[str, Callable[[Account, Inputs], None]] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:ssm/parameter:Parameter": _parameter,
    "aws:dynamodb/table:Table": _table,
    "aws:sqs/queue:Queue": lambda account, of: account.client("sqs").create_queue(QueueName=of["name"]),
    "aws:sns/topic:Topic": lambda account, of: account.client("sns").create_topic(Name=of["name"]),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _alarm,
    "aws:budgets/budget:Budget": _budget,
    "aws:sfn/stateMachine:StateMachine": _machine,
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": _group,
    "aws:sagemaker/pipeline:Pipeline": _pipeline,
    "aws:sagemaker/model:Model": _model,
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": _configuration,
    "aws:cloudwatch/eventBus:EventBus": lambda account, of: account.client("events").create_event_bus(Name=of["name"]),
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    # Endpoints come last: that they come into service is told to the rules.
    "aws:sagemaker/endpoint:Endpoint": _endpoint,
}
"""In the order in which things stand on each other."""
