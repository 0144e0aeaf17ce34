"""moto's Step Functions in simulated time: one execution at a time takes its turn, state by state."""

from __future__ import annotations

import copy
import json
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.catch.catch_decl import CatchDecl
from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.catch.catcher_outcome import CatcherOutcomeCaught
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.retry.jitter_strategy_decl import JitterStrategyDecl
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retry_decl import RetryDecl
from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk as sdk
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from ..api_model import refusals
from .clock import Process
from .people import Identity, client_of, role_session

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Call", "Executions", "Fault"]

STATE_SECONDS = 0.1
"""What entering a state takes: enough that no loop lasts for ever within one moment."""

SERVICES = {
    "applicationautoscaling": ("application-autoscaling", "ApplicationAutoScaling"),
    "budgets": ("budgets", "Budgets"),
    "cloudwatch": ("cloudwatch", "CloudWatch"),
    "dynamodb": ("dynamodb", "DynamoDb"),
    "eventbridge": ("events", "EventBridge"),
    "s3": ("s3", "S3"),
    "sagemaker": ("sagemaker", "SageMaker"),
    "sfn": ("stepfunctions", "Sfn"),
    "sns": ("sns", "Sns"),
    "sqs": ("sqs", "Sqs"),
    "ssm": ("ssm", "Ssm"),
    "sts": ("sts", "Sts"),
}
"""By the name in a state's resource: boto3's name, and the prefix of the names of errors (Step Functions developer
guide, "Supported AWS SDK service integrations")."""

UNCATCHABLE = ("States.Runtime", "States.DataLimitExceeded")


@dataclass(frozen=True)
class Call:
    """A call of AWS's API by an execution."""

    machine: str
    execution: str
    state: str
    service: str
    """As boto3 writes it: `sagemaker`, `events`."""
    operation: str
    """As the API writes it: `UpdateEndpoint`."""
    arguments: dict[str, Any]
    at: datetime
    role: str
    """The ARN of the role that the machine runs as."""
    error: str | None = None
    """The error's code where the call was refused."""


@dataclass
class Fault:
    """An answer that a service is made to give in the place of its own."""

    service: str
    operation: str
    code: str
    message: str
    times: int
    when: Callable[[dict[str, Any]], bool] | None = None
    state: str | None = None
    """The one state that is answered so."""


@dataclass
class Kill:
    machine: str
    after: str
    left: int


@dataclass
class Executions:
    """What the interpreter is made to do, and what it has done."""

    account: Account
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    _processes: dict[str, Process] = field(default_factory=dict)

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        for name, (boto, prefix) in SERVICES.items():
            patch.setitem(StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES, name, boto)
            patch.setitem(sdk._SERVICE_ERROR_NAMES, name, prefix)
        clock = self.account.clock
        sleeping = SimpleNamespace(sleep=clock.sleep)
        patch.setattr(retrier_decl, "time", sleeping)
        patch.setattr(state_task_service_callback, "time", sleeping)
        patch.setattr(JitterStrategyDecl, "_eval_body", lambda *_: None)
        patch.setattr(WaitFunction, "_wait_interval", lambda _, env, wait_seconds: clock.sleep(wait_seconds))
        for module in (iteration_worker, branches_decl):
            patch.setattr(module, "CustomErrorName", _error_name)
        for name, module in list(sys.modules.items()):
            if name.startswith("moto.stepfunctions.parser.asl.") and getattr(module, "copy", None) is copy:
                patch.setattr(module, "copy", SimpleNamespace(copy=copy.copy, deepcopy=_copied))
        patch.setattr(timestamp.Timestamp, "_get_wait_seconds", _method(self._until))
        patch.setattr(InlineIterationComponent, "_launch_worker", _one_after_another)
        patch.setattr(BranchWorker, "start", _branch)
        patch.setattr(StateChoice, "_eval_state", _method(self._choose))
        patch.setattr(StateChoice, "_eval_state_output", _chosen)
        patch.setattr(CatchDecl, "_eval_body", _method(self._catch))
        patch.setattr(RetryDecl, "_eval_body", _method(self._retry))
        patch.setattr(ErrorEqualsDecl, "_eval_body", _equals)
        patch.setattr(sdk.StateTaskServiceAwsSdk, "_eval_service_task", _method(self._call))
        patch.setattr(CommonStateField, "_eval_body", self._state(CommonStateField._eval_body))
        patch.setattr(Program, "eval", self._program(Program.eval))
        patch.setattr(ExecutionWorker, "start", self._start(ExecutionWorker._execution_logic))
        patch.setattr(Execution, "stop", self._stop(Execution.stop))
        patch.setattr(StepFunctionResponse, "describe_execution", _describe)
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(_parsed))
        patch.setattr(StepFunctionsParserBackend, "start_execution", _named(StepFunctionsParserBackend.start_execution))

    def _start(self, logic: Any) -> Any:
        def start(worker: Any) -> None:
            arn = worker._evaluation_details.execution_details.arn

            def body() -> None:
                if not getattr(worker, "_stopped", False):
                    logic(worker)

            self._processes[arn] = self.account.clock.start(arn, body)

        return start

    def _stop(self, stop: Any) -> Any:
        """An execution that is stopped is ABORTED at once, and wakes from what it waits for to end."""

        def stopped(execution: Any, stop_date: Any, error: Any, cause: Any) -> None:
            if execution.exec_status != ExecutionStatus.RUNNING:
                return
            if execution.exec_worker.env is None:
                execution.exec_worker._stopped = True
            else:
                stop(execution, stop_date, error, cause)
            execution.exec_status, execution.stop_date = ExecutionStatus.ABORTED, self.account.clock.now
            execution.error, execution.cause = error, cause
            process = self._processes[execution.exec_arn]
            if process is not self.account.clock.running:
                self.account.clock.wake(process)

        return stopped

    def _program(self, original: Any) -> Any:
        """The machine's own TimeoutSeconds, in simulated time."""

        def run(program: Any, env: Any) -> None:
            timeout, arn = program.timeout_seconds, _context(env)["Execution"]["Id"]
            if timeout is None or env.is_frame():
                original(program, env)
                return

            def late() -> None:
                if env.is_running():
                    env.set_timed_out()
                    self.account.clock.wake(self._processes[arn])

            self.account.clock.at(timeout.timeout_seconds, late)
            bare = copy.copy(program)
            bare.timeout_seconds = None
            original(bare, env)

        return run

    def _state(self, original: Any) -> Any:
        def evaluate(state: Any, env: Any) -> None:
            context = _context(env)
            machine, arn = context["StateMachine"]["Name"], context["Execution"]["Id"]
            self.account.clock.sleep(STATE_SECONDS)
            if not env.is_running():
                return
            self.account.coverage.entered(machine, state.name)
            original(state, env)
            for kill in self.kills:
                if kill.machine in (machine, arn) and kill.after == state.name and kill.left > 0:
                    kill.left -= 1
                    if kill.left == 0:
                        self.account.stop(arn, "Simulation.Killed", f"killed after {state.name}")

        return evaluate

    def _until(self, wait: Any, env: Any) -> float:
        wait.string.eval(env=env)
        text = env.stack.pop()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise FailureEventException(wait._create_failure_event(env, text))
        return (moment - self.account.clock.now).total_seconds()

    def _choose(self, choice: Any, env: Any) -> None:
        for number, rule in enumerate(choice.choices_decl.rules):
            rule.eval(env)
            if env.stack.pop() is True:
                choice_taken = (number, rule.next_stmt.name)
                break
        else:
            if choice.default_state is None:
                raise RuntimeError(f"States.NoChoiceMatched: no rule of {choice.name} holds, and it has no default")
            choice_taken = (-1, choice.default_state.state_name)
        taken, following = choice_taken
        self._took(env, choice.name, "choice", None if taken < 0 else taken)
        env.stack.append((taken < 0, following))

    def _catch(self, catch: Any, env: Any) -> None:
        for number, catcher in enumerate(catch.catchers):
            catcher.eval(env)
            if isinstance(env.stack.pop(), CatcherOutcomeCaught):
                self._took(env, _context(env)["State"]["Name"], "catch", number)
                env.stack.append(CatchOutcome.Caught)
                return
        env.stack.append(CatchOutcome.NotCaught)

    def _retry(self, retry: Any, env: Any) -> None:
        error = env.stack.pop()
        for number, retrier in enumerate(retry.retriers):
            env.stack.append(error)
            retrier.eval(env)
            outcome = env.stack.pop()
            if outcome == RetrierOutcome.Skipped:
                continue
            if outcome == RetrierOutcome.Executed:
                self._took(env, _context(env)["State"]["Name"], "retry", number)
            env.stack.append(RetryOutcome.CanRetry if outcome == RetrierOutcome.Executed else RetryOutcome.CannotRetry)
            return
        env.stack.append(RetryOutcome.NoRetrier)

    def _took(self, env: Any, state: str, kind: str, number: int | None) -> None:
        self.account.coverage.took(_context(env)["StateMachine"]["Name"], state, kind, number)

    def _call(
        self, task: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        service = task._get_boto_service_name()
        client = client_of(service)
        method = task._get_boto_service_action()
        operation = client.meta.method_to_api_mapping[method]
        normalised_parameters = _spelled(service, str.lower, normalised_parameters)
        if isinstance(normalised_parameters.get("Body"), (dict, list)):
            # Step Functions writes an object as the JSON of a body.
            normalised_parameters["Body"] = json.dumps(normalised_parameters["Body"])
        context = _context(env)
        role = context["Execution"]["RoleArn"]
        call = {
            "machine": context["StateMachine"]["Name"],
            "execution": context["Execution"]["Name"],
            "state": context["State"]["Name"],
            "service": service,
            "operation": operation,
            "arguments": copy.deepcopy(normalised_parameters),
            "at": self.account.clock.now,
            "role": role,
        }
        self.invalid += [
            f"{call['machine']}, state {call['state']}: {each}"
            for each in refusals(service, operation, normalised_parameters)
        ]
        session: Identity = role_session(role, context["Execution"]["Name"])
        try:
            self._fault(service, operation, normalised_parameters, client, context["State"]["Name"])
            if operation == "CopyObject":
                _source(client, normalised_parameters)
            with self.account.acting(session):
                response = getattr(client, method)(**normalised_parameters) or {}
        except ClientError as error:
            self.calls.append(Call(**call, error=error.response["Error"]["Code"]))
            raise
        self.calls.append(Call(**call))
        response.pop("ResponseMetadata", None)
        env.stack.append(_spelled(service, str.upper, {name: _read(each) for name, each in response.items()}))

    def _fault(self, service: str, operation: str, arguments: dict[str, Any], client: Any, state: str) -> None:
        for fault in self.faults:
            named = (fault.service, fault.operation, fault.state or state) == (service, operation, state)
            if named and fault.times > 0 and (fault.when is None or fault.when(arguments)):
                fault.times -= 1
                answer = {
                    "Error": {"Code": fault.code, "Message": fault.message},
                    "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": str(uuid.uuid5(uuid.NAMESPACE_OID, "-"))},
                }
                raise client.exceptions.from_code(fault.code)(answer, operation)


def _spelled(service: str, case: Callable[[str], str], members: dict[str, Any]) -> dict[str, Any]:
    """Step Functions spells every API's members with a capital, and its own API does not (Step Functions developer
    guide, "Learning to use AWS service SDK integrations")."""
    if service != "stepfunctions":
        return members
    return {case(name[0]) + name[1:]: each for name, each in members.items()}


def _copied(value: Any) -> Any:
    """What executions hand on is JSON and times, of which a copy is made more quickly than of anything."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | datetime) else copy.deepcopy(value)


def _source(client: Any, request: dict[str, Any]) -> None:
    """A source comes as in a URL, in which boto3 writes it itself; moto does not ask what it is copied as (S3 API,
    CopyObject)."""
    request["CopySource"] = unquote(request["CopySource"])
    wanted = request.get("CopySourceIfMatch")
    bucket, _, key = request["CopySource"].partition("/")
    if wanted is not None and client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"') != wanted.strip('"'):
        answer: Any = {
            "Error": {
                "Code": "PreconditionFailed",
                "Message": "At least one of the pre-conditions you specified did not hold",
            },
            "ResponseMetadata": {"HTTPStatusCode": 412, "RequestId": "0"},
        }
        raise ClientError(answer, "CopyObject")


def _read(value: Any) -> Any:
    """A body that is a stream comes as a text."""
    return value.read().decode() if hasattr(value, "read") else value


def _describe(response: Any) -> ActionResult:
    """DescribeExecution as moto's own interpreter would tell it, which moto does not ask: an output is JSON."""
    execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
    said = {key: value for key, value in execution.to_describe_output().items() if value is not None}
    return ActionResult(said | {"status": str(execution.exec_status.value)})


_parse = AmazonStateLanguageParser.parse


@cache
def _parsed(definition: str) -> Any:
    """A definition is read once: what the interpreter remembers of an execution is in its environment."""
    return _parse(definition)


def _error_name(error_name: str) -> Any:
    """An error of an inner state keeps its name, Step Functions' own too."""
    for each in StatesErrorNameType:
        if each.to_name() == error_name:
            return StatesErrorName(typ=each)
    return CustomErrorName(error_name=error_name)


def _method(call: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method as a method of another class."""
    return lambda of, *given, **named: call(of, *given, **named)


def _context(env: Any) -> Any:
    return env.states.context_object.context_object_data


def _named(start: Any) -> Any:
    def started(backend: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **named: Any) -> Any:
        return start(backend, state_machine_arn, name or str(uuid.uuid4()), *rest, **named)

    return started


def _one_after_another(component: Any, env: Any, eval_input: Any, job_pool: Any) -> Any:
    worker = component._create_worker(env=env, eval_input=eval_input, job_pool=job_pool)
    worker.eval()
    return worker


def _branch(worker: Any) -> None:
    if not worker._branch_worker_comm._termination_event.is_set():
        worker._worker_thread = SimpleNamespace(native_id=0)
        worker._thread_routine()


def _chosen(choice: Any, env: Any) -> None:
    """The default's own Assign and Output belong to the default alone, not to a rule that leads to the same state."""
    by_default, following = env.stack.pop()
    if by_default:
        for each in (choice.assign_decl, choice.output):
            if each:
                each.eval(env=env)
    env.next_state_name = following


def _equals(decl: Any, env: Any) -> None:
    error = env.stack.pop()
    names = [each.error_name for each in decl.error_names]
    own = isinstance(error, StatesErrorName)
    if StatesErrorNameType.StatesALL.to_name() in names:
        env.stack.append(error.error_name not in UNCATCHABLE)
    elif StatesErrorNameType.StatesTaskFailed.to_name() in names and not own:
        env.stack.append(True)
    else:
        env.stack.append(error.error_name in names)
