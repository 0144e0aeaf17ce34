"""A state machine as every part of an environment wants one: under its key, with a log, and an alarm when it fails."""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

from collections.abc import Mapping
from typing import Any

import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.sfn as sfn
from pulumi import Output

from mlestate.part import Part

__all__ = ["RETRY", "chosen", "state_machine"]

RETENTION_DAYS = 30

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


def chosen(assigned: Mapping[str, Mapping[str, Any]], then: str) -> dict[str, Any]:
    """The states `Which`, which assigns what belongs to the input's model and goes on to ``then``, and `Unknown`, in
    which an execution for any other model ends. ``assigned`` is by model."""
    return {
        "Which": {
            "Type": "Choice",
            "Choices": [
                {"Condition": f"{{% $states.input.model = '{model}' %}}", "Assign": assigned[model], "Next": then}
                for model in sorted(assigned)
            ],
            "Default": "Unknown",
        },
        "Unknown": {
            "Type": "Fail",
            "Error": "UnknownModel",
            "Cause": f"The input's model must be one of {', '.join(sorted(assigned))}",
        },
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
        retention_in_days=RETENTION_DAYS,
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
        opts=part.child(),
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
