"""An AWS account on moto, in simulated time, in which an estate's compiled machines run."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from moto import mock_aws
from moto.budgets.models import budgets_backends

from mlestate.blueprint.inventory import Row

from . import estate, expressions, schedules, traffic
from .clock import Clock, simulated
from .coverage import Coverage
from .endpoints import Endpoint, Endpoints, Spoilt
from .events import Events
from .executions import Call, Executions, Fault, Kill
from .jobs import Jobs, Model
from .messages import Message, Messages
from .metrics import Answering, Metrics
from .people import ACCOUNT, REGION, Identity, person
from .pipelines import Pipelines
from .registry import Registry
from .runs import Trained, register

__all__ = ["Account", "Execution"]

ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True)
class Execution:
    """An execution as DescribeExecution and GetExecutionHistory tell it."""

    arn: str
    machine: str
    name: str
    status: str
    input: Any
    output: Any
    error: str | None
    cause: str | None
    started: datetime
    stopped: datetime | None
    states: tuple[str, ...]
    """The states that it entered, in order."""

    @property
    def seconds(self) -> float:
        """How long it took, in simulated time."""
        assert self.stopped is not None, f"{self.name} still runs"
        return (self.stopped - self.started).total_seconds()


class Account:
    """Use it as a context: moto is on and patched within, and everything is as before after it.

    What runs, runs while `run` or `clock.advance` drive the time, one execution at a time and state by state.
    """

    def __init__(self, coverage: Coverage | None = None) -> None:
        self.clock = Clock()
        self.coverage = coverage if coverage is not None else Coverage()
        self.identity = Identity("administrator", "simulation")
        self.registry = Registry(self)
        self.endpoints = Endpoints(self)
        self.jobs = Jobs(self)
        self.pipelines = Pipelines(self)
        self.metrics = Metrics(self)
        self.events = Events(self)
        self.messages = Messages(self)
        self.executions = Executions(self)
        self.trained: dict[tuple[str, int], Trained] = {}
        self.mistakes: list[str] = []
        self.asked = 0
        """How many requests the endpoints have got."""
        self.fired = 0
        """How many schedules have started something."""
        self._rows: Sequence[Row] = ()
        self._open = contextlib.ExitStack()

    @classmethod
    def of(cls, rows: Sequence[Row], coverage: Coverage | None = None) -> Account:
        """An account that is filled, when it is entered, with what an estate's program registered. Its endpoints come
        into service in the first `run`."""
        account = cls(coverage)
        account._rows = rows
        return account

    def __enter__(self) -> Account:
        patch = pytest.MonkeyPatch()
        self._open.callback(patch.undo)
        for key in ENVIRONMENT:
            patch.setenv(key, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        self._open.enter_context(mock_aws(config={"stepfunctions": {"execute_state_machine": True}}))
        _client("stepfunctions").list_state_machines()
        expressions.patched(self.clock, patch, self.mistake)
        self._open.enter_context(simulated(self.clock, patch))
        for part in (
            self.registry,
            self.endpoints,
            self.jobs,
            self.pipelines,
            self.metrics,
            self.events,
            self.messages,
            self.executions,
        ):
            part.patched(patch)
        estate.fill(self, self._rows)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def client(self, service: str) -> Any:
        """A client of boto3 for what a scenario or a test asks; such calls are not among `calls`."""
        return _client(service)

    @contextlib.contextmanager
    def acting(self, identity: Identity) -> Iterator[None]:
        """Have what is called within be done by somebody."""
        before, self.identity = self.identity, identity
        try:
            yield
        finally:
            self.identity = before

    # driving

    def run(self) -> None:
        """Let time pass until every execution has ended, and no event, job or deployment is under way.

        Raises:
            AssertionError: a machine made a request that the API's model refuses, destroyed what is in use, spoke of a
                variable that nothing assigned, or ended in an error of its own making.
        """
        self.clock.settle()
        self.check()

    def check(self) -> None:
        """Refuse what no execution may do, whatever it ends in."""
        broken = [f"{each.machine} {each.input}: {each.error}, {each.cause}" for each in self._broken()]
        wrong = [*dict.fromkeys([*self.executions.invalid, *self.mistakes, *broken])]
        assert not wrong, "\n".join(wrong)

    def _broken(self) -> list[Execution]:
        """The executions that ended in an error of the machine itself, which nothing can catch."""
        states = self.client("stepfunctions")
        return [
            self.execution(each["executionArn"])
            for machine in states.list_state_machines()["stateMachines"]
            for each in states.list_executions(
                stateMachineArn=machine["stateMachineArn"], statusFilter="FAILED", maxResults=1000
            )["executions"]
            if states.describe_execution(executionArn=each["executionArn"]).get("error") == "States.Runtime"
        ]

    def mistake(self, what: str) -> None:
        """Note what AWS lets happen and nobody should do."""
        self.mistakes.append(what)

    # machines

    def machine(self, name: str, definition: str, *, role: str = f"arn:aws:iam::{ACCOUNT}:role/machine") -> str:
        """Make a state machine: its ARN."""
        self.coverage.know(name, definition)
        made = self.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role)
        return str(made["stateMachineArn"])

    def start(self, machine: str, given: Mapping[str, Any], *, by: str | None = None, name: str | None = None) -> str:
        """Start an execution: its ARN. It gets its turns in `run`."""
        with self.acting(person(by)) if by else contextlib.nullcontext():
            started = self.client("stepfunctions").start_execution(
                stateMachineArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}",
                input=json.dumps(given),
                **({"name": name} if name else {}),
            )
        return str(started["executionArn"])

    def stop(self, execution: str, error: str = "", cause: str = "") -> None:
        self.client("stepfunctions").stop_execution(executionArn=execution, error=error, cause=cause)

    def kill(self, machine: str, *, after_state: str, time: int = 1) -> None:
        """Have an execution of a machine, by its name or the execution's ARN, end between two states: the ``time``-th
        time that it leaves ``after_state``."""
        self.executions.kills.append(Kill(machine, after_state, time))

    def execution(self, arn: str) -> Execution:
        states = self.client("stepfunctions")
        said = states.describe_execution(executionArn=arn)
        history = states.get_execution_history(executionArn=arn)["events"]
        return Execution(
            arn=arn,
            machine=said["stateMachineArn"].rpartition(":")[2],
            name=said["name"],
            status=said["status"],
            input=json.loads(said["input"]),
            output=json.loads(said["output"]) if "output" in said else None,
            error=said.get("error"),
            cause=said.get("cause"),
            started=said["startDate"],
            stopped=said.get("stopDate"),
            states=tuple(
                each["stateEnteredEventDetails"]["name"] for each in history if each["type"].endswith("StateEntered")
            ),
        )

    def executions_of(self, machine: str) -> list[Execution]:
        """The executions of a machine in the order in which they were started."""
        states = self.client("stepfunctions")
        found = states.list_executions(
            stateMachineArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}", maxResults=1000
        )["executions"]
        return [self.execution(each["executionArn"]) for each in sorted(found, key=lambda each: each["startDate"])]

    @property
    def calls(self) -> list[Call]:
        """Every call that a machine made, in order."""
        return self.executions.calls

    def refuse(
        self,
        service: str,
        operation: str,
        code: str,
        message: str = "refused by the scenario",
        *,
        times: int = 1,
        when: Callable[[dict[str, Any]], bool] | None = None,
        state: str | None = None,
    ) -> None:
        """Have a service, as boto3 names it, refuse a machine's next calls of an operation with an error: in one
        ``state``, or in all."""
        self.executions.faults.append(Fault(service, operation, code, message, times, when, state))

    # people

    def register(
        self,
        model: str,
        *,
        by: str | None = None,
        started_by: str = "ds@risk.example",
        environment: str | None = None,
        trained: Trained | None = None,
        status: str | None = None,
        **given: Any,
    ) -> int:
        """Register a version as a run of the model's pipeline does, with its files: its number.

        ``by`` is who registers, where it is not the pipeline; ``given`` is what `Trained` takes.
        """
        return register(self, model, by, started_by, environment, trained or Trained(**given), status)

    def approve(self, model: str, version: int, *, by: str, reason: str = "") -> None:
        self._verdict(model, version, "Approved", by, reason)

    def reject(self, model: str, version: int, *, by: str, reason: str = "") -> None:
        self._verdict(model, version, "Rejected", by, reason)

    def edit(self, model: str, version: int, *, by: str, **properties: str) -> None:
        """Change a version's metadata and nothing else."""
        with self.acting(person(by)):
            self.client("sagemaker").update_model_package(
                ModelPackageArn=self.version_arn(model, version), CustomerMetadataProperties=properties
            )

    def _verdict(self, model: str, version: int, status: str, by: str, reason: str) -> None:
        with self.acting(person(by)):
            self.client("sagemaker").update_model_package(
                ModelPackageArn=self.version_arn(model, version),
                ModelApprovalStatus=status,
                **({"ApprovalDescription": reason} if reason else {}),
            )

    def group(self, model: str) -> str:
        """The name of the group of a model's versions: the one that ends in its name."""
        found = [name for name in self.registry.groups if name == model or name.endswith(f"-{model}")]
        assert len(found) == 1, f"{len(found)} groups are of {model}: {', '.join(self.registry.groups)}"
        return found[0]

    def version_arn(self, model: str, version: int) -> str:
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{self.group(model)}/{version}"

    def version(self, model: str, version: int) -> dict[str, Any]:
        """A version as DescribeModelPackage tells it."""
        return dict(self.client("sagemaker").describe_model_package(ModelPackageName=self.version_arn(model, version)))

    def had(self, group: str, version: int) -> None:
        """Have a group's versions up to a number be there already, approved, and no event tell of them."""
        self.events.silent = True
        model = next(
            (each["Value"] for each in self._tags_of(group) if each["Key"] == "model"), group.rpartition("-")[2]
        )
        try:
            while (
                len([each for each in self.registry.versions.values() if each["ModelPackageGroupName"] == group])
                < version
            ):
                made = self.register(model, status="PendingManualApproval")
                self.approve(model, made, by="approver@risk.example")
        finally:
            self.events.silent = False

    def _tags_of(self, group: str) -> list[dict[str, str]]:
        return [
            {"Key": key, "Value": value}
            for row in self._rows
            if row.inputs.get("modelPackageGroupName") == group
            for key, value in row.inputs.get("tags", {}).items()
        ]

    # what goes on

    def alarm(self, name: str, state: str, reason: str = "set by the scenario") -> None:
        self.metrics.set(name, state, reason)

    def alarm_at(self, seconds: float, name: str, state: str) -> None:
        """Set an alarm in so many seconds from now."""
        self.clock.at(seconds, lambda: self.alarm(name, state))

    def metric(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        """One value of a metric, now."""
        self.metrics.tell(namespace, name, value, dimensions, self.clock.now)

    def answering(
        self, endpoint: str, variant: str, *, per_minute: float = 100, errors: float = 0.0, latency_ms: float = 50
    ) -> None:
        """Have a variant answer so many requests a minute from now on, a share of them with errors."""
        self.metrics.answering.append(Answering(self.clock.now, endpoint, variant, per_minute, errors, latency_ms))

    def fire(self, schedule: str) -> None:
        """Let a schedule of the estate start its target now."""
        schedules.fire(self, schedule)

    def moved(self, row: Row) -> dict[str, Any]:
        """The inputs of a row of the estate as they are in this account."""
        return estate.moved(row, estate.accounts(self._rows))

    def ask(self, endpoint: str, rows: Sequence[Any]) -> list[str]:
        """Send one request a row to an endpoint now: the callers' ids. See `traffic.ask`."""
        return traffic.ask(self, endpoint, rows)

    def label(self, model: str, truths: Mapping[str, Any], *, environment: str = "production") -> None:
        """Have the truth of requests become known now, by the callers' ids."""
        traffic.label(self, model, truths, environment)

    def spend(self, budget: str, usd: float) -> None:
        """Have so much of a budget be spent this month."""
        for accounts in budgets_backends.values():
            for backend in accounts.values():
                for of in backend.budgets.values():
                    if budget in of:
                        spent = {"Amount": str(usd), "Unit": "USD"}
                        of[budget].budget["CalculatedSpend"] = {"ActualSpend": spent, "ForecastedSpend": spent}
                        return
        raise AssertionError(f"no budget is called {budget}")

    def spoil_update(self, endpoint: str, how: Spoilt) -> None:
        """Have an endpoint's next update go wrong without an alarm."""
        self.endpoints.spoilt[endpoint] = how

    def endpoint(self, name: str) -> Endpoint:
        return self.endpoints.endpoints[name]

    def twice(self, detail_type: str, times: int = 1) -> None:
        """Have the next such events come twice to every target."""
        self.events.twice[detail_type] = self.events.twice.get(detail_type, 0) + times

    def published(self, topic: str | None = None) -> list[Message]:
        """What was published to the topics whose name ends so."""
        return [each for each in self.messages.all if topic is None or each.topic.endswith(topic)]

    def items(self, table: str, **keys: str) -> list[dict[str, Any]]:
        """The items of a DynamoDB table whose attributes are these, as plain values; `document` is parsed."""
        found = self.client("dynamodb").scan(TableName=table)["Items"]
        plain = [{name: _plain(value) for name, value in item.items()} for item in found]
        for each in plain:
            if isinstance(each.get("document"), str):
                each["document"] = json.loads(each["document"])
        return [each for each in plain if all(each.get(name) == value for name, value in keys.items())]

    def put_item(self, table: str, **attributes: Any) -> None:
        """Write an item of texts, numbers and documents (which become JSON)."""
        self.client("dynamodb").put_item(
            TableName=table,
            Item={
                name: {"N": str(value)}
                if isinstance(value, int | float)
                else {"S": value if isinstance(value, str) else json.dumps(value)}
                for name, value in attributes.items()
            },
        )

    # objects

    def has(self, uri: str) -> bool:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return key in self.keys(bucket, key)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def read_bytes(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def read(self, uri: str) -> str:
        return self.read_bytes(uri).decode()

    def write(self, uri: str, body: str | bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def bucket(self, part: str) -> str:
        """The one bucket whose name has a part: `production-artifacts`."""
        found = [each["Name"] for each in self.client("s3").list_buckets()["Buckets"] if part in each["Name"]]
        assert len(found) == 1, f"{len(found)} buckets have {part!r} in their name: {found}"
        return str(found[0])

    def model_of(self, sagemaker_model: str) -> Model | None:
        """What a SageMaker model answers with: the version whose artifact it was made from."""
        described = self.endpoints.models[sagemaker_model]
        for container in [
            *([described["PrimaryContainer"]] if "PrimaryContainer" in described else []),
            *described.get("Containers", ()),
        ]:
            uri = container.get("ModelDataUrl")
            if uri is None and "ModelPackageName" in container:
                package = self.registry.versions[container["ModelPackageName"]]
                uri = package["InferenceSpecification"]["Containers"][0].get("ModelDataUrl")
            if uri is not None and self.has(uri):
                with contextlib.suppress(ValueError, KeyError):
                    told = json.loads(self.read_bytes(uri))
                    return self.trained[told["model"], told["number"]].answers
        return None


@cache
def _client(service: str) -> Any:
    return boto3.client(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    if kind == "N":
        return float(inner) if "." in inner else int(inner)
    if kind == "M":
        return {name: _plain(each) for name, each in inner.items()}
    if kind == "L":
        return [_plain(each) for each in inner]
    return None if kind == "NULL" else inner
