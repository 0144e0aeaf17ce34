"""EventBridge Scheduler: what a recorded schedule starts, when the scenario says that its time has come."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .clock import iso
from .people import Identity

if TYPE_CHECKING:
    from .account import Account

__all__ = ["fire"]

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"


def fire(account: Account, name: str) -> None:
    """Let a schedule start its target now, with the times and ids that Scheduler puts in (EventBridge Scheduler user
    guide, "Adding context attributes").

    Raises:
        AssertionError: the estate has no such schedule, or it starts what the simulation does not know.
    """
    known = {row.inputs["name"]: row for row in account._rows if row.type == "aws:scheduler/schedule:Schedule"}
    assert name in known, f"no schedule is called {name}: {', '.join(sorted(known))}"
    target = account.moved(known[name])["target"]
    account.fired += 1
    given = target.get("input") or "{}"
    for attribute, value in {
        "scheduled-time": iso(account.clock.now),
        "execution-id": f"{account.fired:08x}",
        "schedule-arn": name,
        "attempt-number": "1",
    }.items():
        given = given.replace(f"<aws.scheduler.{attribute}>", value)
    with account.acting(Identity(target["roleArn"].rpartition("/")[2], "scheduler")):
        if target["arn"].startswith(UNIVERSAL):
            service, operation = target["arn"].removeprefix(UNIVERSAL).split(":")
            method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
            getattr(account.client(service), method)(**json.loads(given))
        elif ":stateMachine:" in target["arn"]:
            account.client("stepfunctions").start_execution(stateMachineArn=target["arn"], input=given)
        elif ":pipeline/" in target["arn"]:
            parameters = (target.get("sagemakerPipelineParameters") or {}).get("pipelineParameters", ())
            account.client("sagemaker").start_pipeline_execution(
                PipelineName=target["arn"].rpartition("/")[2],
                PipelineParameters=[{"Name": each["name"], "Value": each["value"]} for each in parameters],
            )
        else:
            raise AssertionError(f"the simulation does not know what {target['arn']} is")
