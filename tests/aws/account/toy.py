"""Machines of a few states, as tests write them."""

import json
from typing import Any

from .account import Account, Execution
from .people import ACCOUNT

__all__ = ["DONE", "ROLE", "asl", "call", "give", "ran", "wait"]

State = dict[str, Any]

ROLE = f"arn:aws:iam::{ACCOUNT}:role/risk-production-release"
DONE: State = {"Type": "Succeed"}


def asl(start: str, **states: State) -> str:
    """A machine in JSONata."""
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": start, "States": states})


def call(action: str, arguments: Any, **more: Any) -> State:
    """A task; the last one where no `Next` is among its other members."""
    following = {} if "Next" in more else {"End": True}
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        **following,
        **more,
    }


def wait(seconds: int, then: str) -> State:
    return {"Type": "Wait", "Seconds": seconds, "Next": then}


def give(output: str) -> State:
    """The last state, with an expression's value."""
    return {"Type": "Pass", "Output": f"{{% {output} %}}", "End": True}


def ran(account: Account, definition: str, given: Any = None, name: str = "risk-production-toy") -> Execution:
    """Make a machine and run it to its end."""
    account.machine(name, definition, role=ROLE)
    started = account.start(name, given or {})
    account.run()
    return account.execution(started)
