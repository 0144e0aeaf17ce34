"""Runs of SageMaker Pipelines: who started them, and that they take time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from .api import Operation, Request, answering, arn, paged, refuse
from .people import ACCOUNT, REGION, Identity

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Pipelines", "Run"]

EVENT = "SageMaker Model Building Pipeline Execution Status Change"


@dataclass
class Run:
    pipeline: str
    arn: str
    parameters: dict[str, str]
    by: Identity
    started: datetime
    status: str = "Executing"
    token: str | None = None
    reason: str | None = None
    ended: datetime | None = None

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]


@dataclass
class Pipelines:
    account: Account
    runs: list[Run] = field(default_factory=list)
    seconds: float = 3600
    """How long a run takes, where nothing ends it before."""
    then: Callable[[Run], object] | None = None
    """What the scenario does when a run has succeeded: register a version."""
    outcome: str = "Succeeded"
    """How runs end."""

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        answering(patch, self.operations)

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "start_pipeline_execution": self._start,
            "stop_pipeline_execution": self._stop,
            "describe_pipeline_execution": lambda request: self._described(self.run(request["PipelineExecutionArn"])),
            "list_pipeline_executions": self._list,
            "list_pipeline_parameters_for_execution": lambda request: {
                "PipelineParameters": [
                    {"Name": name, "Value": value}
                    for name, value in self.run(request["PipelineExecutionArn"]).parameters.items()
                ]
            },
        }

    def definition(self, pipeline: str) -> dict[str, Any]:
        found = sagemaker_backends[ACCOUNT][REGION].pipelines.get(pipeline)
        if found is None:
            raise refuse(f"Pipeline '{arn('pipeline', pipeline)}' does not exist.")
        parsed: dict[str, Any] = json.loads(found.pipeline_definition)
        return parsed

    def run(self, of: str) -> Run:
        for each in self.runs:
            if each.arn == of:
                return each
        raise refuse(f"Pipeline execution with ARN {of} does not exist.")

    def of(self, pipeline: str) -> list[Run]:
        """The runs of a pipeline, newest first."""
        return [each for each in reversed(self.runs) if each.pipeline == pipeline]

    def end(self, run: Run, status: str | None = None, reason: str | None = None) -> None:
        """Let a run end now."""
        if run.status != "Executing":
            return
        run.status, run.reason, run.ended = status or self.outcome, reason, self.account.clock.now
        self._tell(run, "Executing")
        if run.status == "Succeeded" and self.then is not None:
            self.then(run)

    def begin(self, pipeline: str, parameters: dict[str, str], token: str | None = None) -> Run:
        known = {each["Name"]: each for each in self.definition(pipeline).get("Parameters", ())}
        missing = [name for name, each in known.items() if "DefaultValue" not in each and name not in parameters]
        unknown = [name for name in parameters if name not in known]
        if missing or unknown:
            raise refuse(f"Parameters {missing} are missing and {unknown} are not in the pipeline's definition")
        defaults = {name: str(each["DefaultValue"]) for name, each in known.items() if "DefaultValue" in each}
        number = uuid.uuid5(uuid.NAMESPACE_OID, f"{pipeline}/{len(self.runs)}").hex[:12]
        run = Run(
            pipeline,
            arn("pipeline", f"{pipeline}/execution/{number}"),
            defaults | parameters,
            self.account.identity,
            self.account.clock.now,
            token=token,
        )
        self.runs.append(run)
        return run

    def _start(self, request: Request) -> Request:
        name, token = request["PipelineName"].rpartition("/")[2], request.get("ClientRequestToken")
        for each in self.of(name):
            if token is not None and each.token == token:
                return {"PipelineExecutionArn": each.arn}
        given = {each["Name"]: each["Value"] for each in request.get("PipelineParameters", ())}
        run = self.begin(name, given, token)
        self._tell(run, None)
        self.account.clock.at(self.seconds, lambda: self.end(run))
        return {"PipelineExecutionArn": run.arn}

    def _stop(self, request: Request) -> Request:
        run = self.run(request["PipelineExecutionArn"])
        self.end(run, "Stopped")
        return {"PipelineExecutionArn": run.arn}

    def _described(self, run: Run) -> Request:
        return {
            "PipelineArn": arn("pipeline", run.pipeline),
            "PipelineExecutionArn": run.arn,
            "PipelineExecutionStatus": run.status,
            "CreationTime": run.started,
            "LastModifiedTime": run.ended or run.started,
            "CreatedBy": run.by.context,
            "LastModifiedBy": run.by.context,
            **({"FailureReason": run.reason} if run.reason else {}),
        }

    def _list(self, request: Request) -> Request:
        self.definition(request["PipelineName"])
        found = [
            {
                "PipelineExecutionArn": each.arn,
                "StartTime": each.started,
                "PipelineExecutionStatus": each.status,
                **({"PipelineExecutionFailureReason": each.reason} if each.reason else {}),
            }
            for each in self.of(request["PipelineName"])
            if _between(each.started, request)
        ]
        if request.get("SortOrder", "Descending") == "Ascending":
            found.reverse()
        return paged(found, request, "PipelineExecutionSummaries")

    def _tell(self, run: Run, before: str | None) -> None:
        detail = {
            "pipelineArn": arn("pipeline", run.pipeline),
            "pipelineExecutionArn": run.arn,
            "currentPipelineExecutionStatus": run.status,
            **({"previousPipelineExecutionStatus": before} if before else {}),
        }
        self.account.events.emit("aws.sagemaker", EVENT, detail, [detail["pipelineArn"], run.arn])


def _between(when: datetime, request: Request) -> bool:
    after, before = request.get("CreatedAfter"), request.get("CreatedBefore")
    return (after is None or when > _aware(after, when)) and (before is None or when < _aware(before, when))


def _aware(value: datetime, like: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=like.tzinfo)
