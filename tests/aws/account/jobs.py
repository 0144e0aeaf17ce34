"""SageMaker's jobs: transforms that ask a model of the scenario, and processing that really runs the estate's code."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
import runpy
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from .api import Operation, Request, answering, arn, in_use, paged, refuse

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Jobs", "Model"]

Model = Callable[[Sequence[Any]], Sequence[Any]]
"""A model of the scenario: what it answers to the rows of a request."""

Kind = Literal["transform", "processing"]


@dataclass
class Job:
    kind: Kind
    described: Request
    turn: int = 0

    @property
    def status(self) -> str:
        return str(self.described[f"{self.kind.title()}JobStatus"])


@dataclass
class Jobs:
    account: Account
    jobs: dict[tuple[Kind, str], Job] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    """By a part of a job's name: why such a job fails."""
    transform_seconds: float = 240
    processing_seconds: float = 300
    printed: dict[str, str] = field(default_factory=dict)
    """What each processing job printed, by its name."""

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        answering(patch, self.operations)

    @property
    def operations(self) -> dict[str, Operation]:
        both: tuple[Kind, ...] = ("transform", "processing")
        return {
            f"{verb}_{kind}_job{'s' if verb == 'list' else ''}": partial(operation, kind)
            for kind in both
            for verb, operation in (
                ("create", self._create),
                ("describe", self._describe),
                ("stop", self._stop),
                ("list", self._list),
            )
        }

    def _create(self, kind: Kind, request: Request) -> Request:
        word = kind.title()
        name = request[f"{word}JobName"]
        if (kind, name) in self.jobs:
            raise in_use(
                "Job name must be unique within an AWS account and region, and a job with this name already exists "
                f"({arn(f'{kind}-job', name)})"
            )
        if kind == "transform" and request["ModelName"] not in self.account.endpoints.models:
            raise refuse(f'Could not find model "{arn("model", request["ModelName"])}".')
        now = self.account.clock.now
        job = Job(
            kind,
            {
                **{key: copy.deepcopy(value) for key, value in request.items() if key != "Tags"},
                f"{word}JobArn": arn(f"{kind}-job", name),
                f"{word}JobStatus": "InProgress",
                "CreationTime": now,
                f"{word}StartTime": now,
                **({"LastModifiedTime": now} if kind == "processing" else {}),
            },
        )
        self.jobs[kind, name] = job
        seconds = self.transform_seconds if kind == "transform" else self.processing_seconds
        self.account.clock.work(seconds, lambda: self._run(job, name))
        self._tell(job)
        return {f"{word}JobArn": arn(f"{kind}-job", name)}

    def _find(self, kind: Kind, name: str) -> Job:
        if (kind, name) not in self.jobs:
            raise refuse(f"Could not find requested job with name: {name}")
        return self.jobs[kind, name]

    def _describe(self, kind: Kind, request: Request) -> Request:
        return copy.deepcopy(self._find(kind, request[f"{kind.title()}JobName"]).described)

    def _stop(self, kind: Kind, request: Request) -> Request:
        job = self._find(kind, request[f"{kind.title()}JobName"])
        if job.status == "InProgress":
            self._end(job, "Stopped")
        return {}

    def _list(self, kind: Kind, request: Request) -> Request:
        word = kind.title()
        members = (f"{word}JobName", f"{word}JobArn", "CreationTime", f"{word}EndTime", f"{word}JobStatus")
        found = [
            {member: job.described[member] for member in members if member in job.described}
            for (of, name), job in reversed(self.jobs.items())
            if of == kind
            and request.get("NameContains", "") in name
            and request.get("StatusEquals") in (None, job.status)
        ]
        return paged(found, request, f"{word}JobSummaries")

    def _run(self, job: Job, name: str) -> None:
        if job.status != "InProgress":
            return
        for part, reason in self.failing.items():
            if part in name:
                self._end(job, "Failed", reason)
                return
        failure = self._transform(job.described) if job.kind == "transform" else self._process(job.described, name)
        self._end(job, "Failed" if failure else "Completed", failure)

    def _end(self, job: Job, status: str, reason: str | None = None) -> None:
        word, now = job.kind.title(), self.account.clock.now
        job.described[f"{word}JobStatus"] = status
        job.described[f"{word}EndTime"] = now
        if job.kind == "processing":
            job.described["LastModifiedTime"] = now
        if reason:
            job.described["FailureReason"] = reason[:1024]
        self._tell(job)

    def _tell(self, job: Job) -> None:
        word, of = job.kind.title(), job.described
        detail = {
            key: of[key]
            for key in (f"{word}JobName", f"{word}JobArn", f"{word}JobStatus", "FailureReason")
            if key in of
        }
        self.account.events.emit("aws.sagemaker", f"SageMaker {word} Job State Change", detail, [of[f"{word}JobArn"]])

    # transforms

    def _transform(self, job: Request) -> str | None:
        """Ask the model for every object under the prefix and write what it answers as `<object>.out`."""
        source = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        folder = prefix[: prefix.rfind("/") + 1]
        keys = [key for key in self.account.keys(bucket, prefix) if not key.endswith("/")]
        if not keys:
            return f"ClientError: No S3 objects found under S3 URL {source!r}"
        model = self.account.model_of(job["ModelName"])
        if model is None:
            return f"ClientError: the container of {job['ModelName']} does not start: no artifact of it answers"
        to = job["TransformOutput"]["S3OutputPath"].rstrip("/")
        for key in keys:
            text = self.account.read(f"s3://{bucket}/{key}")
            try:
                answer = _answered(text, job["TransformInput"].get("ContentType", "application/json"), model)
            # Whatever the scenario's model raises is what its container would end with.
            except Exception as error:
                return f"AlgorithmError: {type(error).__name__}: {error}"
            self.account.write(f"{to}/{key[len(folder) :]}.out", answer)
        return None

    # processing

    def _process(self, job: Request, name: str) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for each in job.get("ProcessingInputs", ()):
                uri, at = each["S3Input"]["S3Uri"], _under(root, each["S3Input"]["LocalPath"])
                bucket, _, prefix = uri.removeprefix("s3://").partition("/")
                found = [key for key in self.account.keys(bucket, prefix) if not key.endswith("/")]
                if not found:
                    return f"ClientError: No S3 objects found under S3 URL {uri!r}"
                for key in found:
                    file = at / (key[len(prefix) :].lstrip("/") or Path(key).name)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(self.account.read_bytes(f"s3://{bucket}/{key}"))
            outputs = [each["S3Output"] for each in job.get("ProcessingOutputConfig", {}).get("Outputs", ())]
            for each in outputs:
                _under(root, each["LocalPath"]).mkdir(parents=True, exist_ok=True)
            failure, self.printed[name] = _ran(job, root)
            self.account.metrics.read_log(self.printed[name])
            if failure is None:
                for each in outputs:
                    local = _under(root, each["LocalPath"])
                    for file in sorted(local.rglob("*")):
                        if file.is_file():
                            uri = f"{each['S3Uri'].rstrip('/')}/{file.relative_to(local).as_posix()}"
                            self.account.write(uri, file.read_bytes())
        return failure


def _under(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _ran(job: Request, root: Path) -> tuple[str | None, str]:
    """Run `python3 -m <program>` in this process, so that it sees moto's S3: its failure, and what it printed."""
    program = job["AppSpecification"]
    entrypoint = program.get("ContainerEntrypoint", [])
    if entrypoint[:2] != ["python3", "-m"] or len(entrypoint) != 3:
        return f"ClientError: the simulation runs `python3 -m program` alone, not {entrypoint}", ""
    environment = {key: _local(value, root) for key, value in job.get("Environment", {}).items()}
    argv = [entrypoint[2], *(_local(word, root) for word in program.get("ContainerArguments", ()))]
    printed = io.StringIO()
    with _container(entrypoint[2], environment, argv), contextlib.redirect_stdout(printed):
        try:
            runpy.run_module(entrypoint[2], run_name="__main__", alter_sys=False)
        except SystemExit as end:
            if end.code not in (None, 0):
                return f"AlgorithmError: {end.code}", printed.getvalue()
        # Whatever ends the program is what SageMaker reports of it.
        except Exception as error:
            return f"AlgorithmError: {type(error).__name__}: {error}", printed.getvalue()
    return None, printed.getvalue()


def _local(text: str, root: Path) -> str:
    return re.sub(r"(?<![\w/])/opt/ml", f"{root}/opt/ml", text)


@contextlib.contextmanager
def _container(program: str, environment: Mapping[str, str], argv: list[str]) -> Iterator[None]:
    """The job's own files come before what is installed here, and nothing that it imports stays."""
    top = program.partition(".")[0]

    def own() -> list[str]:
        return [name for name in sys.modules if name == top or name.startswith(f"{top}.")]

    kept = {name: sys.modules.pop(name) for name in own()}
    before, path, arguments = dict(os.environ), list(sys.path), list(sys.argv)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(":")
    os.environ.update(environment)
    sys.argv = argv
    try:
        yield
    finally:
        sys.path[:], sys.argv = path, arguments
        os.environ.clear()
        os.environ.update(before)
        for name in own():
            del sys.modules[name]
        sys.modules.update(kept)


def _answered(text: str, content: str, model: Model) -> str:
    if content == "application/json":
        said = model(json.loads(text)["instances"])
        # A text is a body that is not what was asked for.
        return said if isinstance(said, str) else json.dumps({"predictions": list(said)})
    lines = [line for line in text.splitlines() if line]
    rows = (
        [json.loads(line) for line in lines]
        if content == "application/jsonlines"
        else [line.split(",") for line in lines]
    )
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in model(rows)) + "\n"
