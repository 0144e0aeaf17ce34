"""State machines run for real on moto, whose Step Functions only lack what evaluates JSONata."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]  # it ships no types
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.jsonata import jsonata as bridge

__all__ = ["client", "cloud", "execute"]

REGION = "ca-central-1"
ROLE = "arn:aws:iam::123456789012:role/machine"


@contextmanager
def cloud(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account on moto in which machines run."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.setenv(key, "testing")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setattr(bridge, "_eval_jsonata", lambda expression: Jsonata(expression).evaluate(None))
    # Step Functions writes a service without its hyphen; moto looks it up as boto3 writes it.
    patch.setitem(
        StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES, "applicationautoscaling", "application-autoscaling"
    )
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def execute(definition: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run a machine to its end: what `DescribeExecution` says then."""
    states = client("stepfunctions")
    name = f"machine-{len(states.list_state_machines()['stateMachines'])}"
    machine = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    # Step Functions names an execution that nobody names; moto does not.
    called = str(uuid.uuid4())
    running = states.start_execution(stateMachineArn=machine, name=called, input=json.dumps(given))["executionArn"]
    deadline = time.monotonic() + 60
    while (done := states.describe_execution(executionArn=running))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the machine does not come to an end"
        time.sleep(0.05)
    return dict(done)
