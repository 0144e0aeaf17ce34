"""A state machine as every part of an environment wants one: under its key, with a log, and an alarm when it fails; and
what its states are written with."""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.sfn as sfn
from pulumi import Output, Resource

from mlestate.part import Part

__all__ = [
    "CONDITION",
    "RETRY",
    "State",
    "choice",
    "chosen",
    "document",
    "each",
    "expression",
    "fail",
    "judged",
    "state_machine",
    "succeed",
    "task",
    "wait",
]

RETENTION_DAYS = 365

State = dict[str, Any]
"""One state in Amazon States Language, without its name."""

CONDITION = "DynamoDb.ConditionalCheckFailedException"
"""An item was not as a condition wants it, as Step Functions names it: after the class of the SDK for Java (Step
Functions developer guide, "Handling errors in Step Functions workflows")."""

RETRY = (
    {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 5,
        "MaxAttempts": 4,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    },
)
"""How a call is tried again that a service refused for the moment."""


def chosen(
    assigned: Mapping[str, Mapping[str, Any]], then: str, also: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The states `Which`, which assigns what belongs to the input's model and goes on to ``then``, and `Unknown`, in
    which an execution for any other model ends. ``assigned`` is by model; ``also`` are further conditions, JSONata, by
    which a model is meant."""
    meant = {
        model: f"$states.input.model = '{model}'" + (f" or {also[model]}" if also else "") for model in sorted(assigned)
    }
    return {
        "Which": {
            "Type": "Choice",
            "Choices": [
                {"Condition": expression(condition), "Assign": assigned[model], "Next": then}
                for model, condition in meant.items()
            ],
            "Default": "Unknown",
        },
        "Unknown": fail("UnknownModel", f"The input's model must be one of {', '.join(sorted(assigned))}"),
    }


def document(comment: str, start: str, states: Mapping[str, State]) -> str:
    """A whole machine in Amazon States Language, the same text for the same states."""
    whole = {"Comment": comment, "QueryLanguage": "JSONata", "StartAt": start, "States": states}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"))


def expression(jsonata: str) -> str:
    """What a state works out when it comes to it."""
    return "{% " + jsonata + " %}"


def task(
    action: str,
    arguments: Any,
    assign: Mapping[str, Any],
    then: str | None,
    *,
    catch: Mapping[str, str] | None = None,
    caught: str = "caught",
    output: Any = None,
) -> State:
    """A call of an AWS service (``sagemaker:describeEndpoint``), after which ``assign`` is kept; with no ``then`` the
    machine ends.

    ``catch`` says which state follows an error (``Ssm.ParameterNotFoundException``; a whole word like ``States.ALL`` is
    caught after the retries, an error by its name at once). There the variable ``caught`` is what was thrown: Error
    and Cause. Give it another name outside of what has inner states: no variable may stand in both.
    """
    named = [error for error in catch or {} if not error.startswith("States.")]
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        "Retry": [*([{"ErrorEquals": named, "MaxAttempts": 0}] if named else []), *RETRY],
        **(
            {
                "Catch": [
                    {
                        "ErrorEquals": [error],
                        "Assign": {caught: expression("$states.errorOutput")},
                        "Next": following,
                    }
                    for error, following in catch.items()
                ]
            }
            if catch
            else {}
        ),
        **({"Assign": dict(assign)} if assign else {}),
        **({} if output is None else {"Output": output}),
        **({"End": True} if then is None else {"Next": then}),
    }


def choice(cases: Mapping[str, str], otherwise: str) -> State:
    """The state that follows the first condition that holds: JSONata without its brackets, by what follows."""
    return {
        "Type": "Choice",
        "Choices": [{"Condition": expression(condition), "Next": following} for condition, following in cases.items()],
        "Default": otherwise,
    }


def judged(rules: Sequence[tuple[str, str, str]], then: str) -> State:
    """A table of refusals: the first whose condition holds says why (JSONata for a sentence, kept as ``$why``) and what
    follows."""
    return {
        "Type": "Choice",
        "Choices": [
            {"Condition": expression(condition), "Assign": {"why": expression(why)}, "Next": following}
            for condition, why, following in rules
        ],
        "Default": then,
    }


def wait(seconds: int | str, then: str) -> State:
    return {"Type": "Wait", "Seconds": seconds, "Next": then}


def fail(error: str, cause: str) -> State:
    return {"Type": "Fail", "Error": error, "Cause": cause}


def succeed(output: Any) -> State:
    return {"Type": "Succeed", "Output": output}


def each(
    items: str,
    action: str,
    arguments: Any,
    assign: Mapping[str, Any],
    then: str,
    *,
    output: Any = None,
    name: str | None = None,
    at_once: int = 1,
    passing: str | None = None,
) -> State:
    """The same call for each of some items, ``at_once`` of them; ``output`` is of one call, ``assign`` of all.

    ``name`` is that of the call's state, by default the action's: two states of a machine may not share one.
    ``passing`` is an error with which an item is left and the next one called.
    """
    name = name or action.split(":")[1][0].upper() + action.split(":")[1][1:]
    left = {} if passing is None else {f"{name}Left": {"Type": "Pass", "End": True}}
    catch = {passing: next(iter(left))} if passing is not None else None
    called = task(action, arguments, {}, None, output=output, catch=catch, caught="unneeded")
    return {
        "Type": "Map",
        "Items": expression(items),
        "MaxConcurrency": at_once,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": name,
            "States": {name: called, **left},
        },
        **({"Assign": dict(assign)} if assign else {}),
        "Next": then,
    }


def state_machine(
    part: Part,
    role: str,
    definition: str | Output[str],
    *,
    runs_as: Output[str],
    key: Output[str] | None,
    topic: Output[str],
    failing: str,
    log_days: int = RETENTION_DAYS,
    depends_on: Sequence[Resource] = (),
) -> sfn.StateMachine:
    """The machine, its log and its alarm, as children of ``part``.

    ``definition`` is Amazon States Language; ``failing`` is what an execution that fails means, as a sentence.
    """
    names = part.names
    logs = cloudwatch.LogGroup(
        part.named(role),
        # Under this prefix the delivery of logs needs no resource policy of the account's (Step Functions developer
        # guide, "Using CloudWatch Logs to log execution history").
        name=f"/aws/vendedlogs/states/{names.physical('log-group', role)}",
        retention_in_days=log_days,
        kms_key_id=key,
        tags=names.tags,
        opts=part.child(),
    )
    machine = sfn.StateMachine(
        part.named(role),
        name=names.physical("state-machine", role),
        role_arn=runs_as,
        definition=definition,
        encryption_configuration={"kms_key_id": key, "type": "CUSTOMER_MANAGED_KMS_KEY"} if key is not None else None,
        logging_configuration={
            # What a machine is given and gives can hold people's data.
            "include_execution_data": False,
            "level": "ERROR",
            "log_destination": Output.concat(logs.arn, ":*"),
        },
        tags=names.tags,
        opts=part.child(depends_on=list(depends_on)),
    )
    cloudwatch.MetricAlarm(
        part.named(role),
        name=names.physical("alarm", f"{role}-failed"),
        alarm_description=failing,
        namespace="AWS/States",
        metric_name="ExecutionsFailed",
        dimensions={"StateMachineArn": machine.arn},
        statistic="Sum",
        period=300,
        evaluation_periods=1,
        threshold=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[topic],
        tags=names.tags,
        opts=part.child(),
    )
    return machine
