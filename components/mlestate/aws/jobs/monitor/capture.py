"""What S3 holds of requests, answers and true outcomes."""

# Python 3.8 has no zip(strict=).
# ruff: noqa: B905
from __future__ import annotations

import base64
import csv
import io
import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .values import PREDICTION, as_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Asked = tuple[list[str], list[dict[str, Any]], list[dict[str, Any]]]

ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What SageMaker gives a captured answer as its id."""


def decoded(part: dict[str, Any]) -> tuple[str, str]:
    """A captured body and its content type."""
    text = part.get("data", "")
    if part.get("encoding") == "BASE64":
        text = base64.b64decode(text).decode()
    return part.get("observedContentType") or "", text


def documents(content_type: str, text: str, key: str) -> list[Any]:
    """The rows of a body: lists of cells of CSV, else what stands in JSON under `key`."""
    if content_type.startswith("text/csv"):
        return [cells for cells in csv.reader(io.StringIO(text)) if cells]
    try:
        body = json.loads(text)
    except ValueError:
        # JSON Lines: one row a line.
        body = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(body, dict):
        body = body.get(key, body)
    return body if isinstance(body, list) else [body]


def inputs(part: dict[str, Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    found = documents(*decoded(part), key="instances")
    return [each if isinstance(each, dict) else dict(zip(columns, each)) for each in found]


def answers(part: dict[str, Any], problem: str) -> list[dict[str, Any]]:
    return [answered_by(each, problem) for each in documents(*decoded(part), key="predictions")]


def answered_by(each: Any, problem: str) -> dict[str, Any]:
    """One answer, whichever way the model writes it."""
    if not isinstance(each, dict):
        cells = each if isinstance(each, list) else [each]
        each = dict(zip((PREDICTION, "probability"), cells))
    answer: dict[str, Any] = each
    number = as_number(answer.get(PREDICTION))
    # A classifier that answers with a score alone: 0.83 means the positive class, with that probability.
    if problem == "classification" and "probability" not in answer and number is not None and 0 < number < 1:
        answer = {PREDICTION: int(number >= 0.5), "probability": number}
    return answer


def hours(until: datetime, count: int) -> Iterator[str]:
    """The hours before a moment as capture names them: `2026/01/31/23`."""
    for back in range(count, 0, -1):
        yield (until - timedelta(hours=back)).strftime("%Y/%m/%d/%H")


def captured(lines: Iterable[str]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The ids of each captured request, the caller's first, and its two bodies."""
    for line in lines:
        if line.strip():
            record = json.loads(line)
            about = record.get("eventMetadata", {})
            ids = [about[key] for key in ("inferenceId", "eventId") if about.get(key)]
            yield ids, record["captureData"]


def labels(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """True outcomes by the id of their request, one a row of it."""
    for line in lines:
        if line.strip():
            record = json.loads(line)
            cells = next(iter(csv.reader(io.StringIO(record["groundTruthData"]["data"]))), [])
            yield record["eventMetadata"]["eventId"], cells


def transformed(store: Any, manifest: str, written: str, problem: str, columns: Sequence[str]) -> Iterator[Asked]:
    """What a batch transform read and wrote, row by row, from the manifest that it captured of its input.

    A manifest is a list of a folder and of files in it (developer guide, "Capture data from batch transform job"). The
    answers to a file are in the folder ``written``, in a file of that name and `.out`, a line for each line, with an id
    and a time behind each answer.
    """
    folder, *files = json.loads(store.text(manifest) or '[{"prefix": ""}]')
    for file in files:
        questions = (store.text(f"{folder['prefix']}{file}") or "").splitlines()
        lines = (store.text(f"{written}{file}.out") or "").splitlines()
        for question, line in zip(questions, lines):
            row = one_line(question)
            ids, answer = _identified(one_line(line))
            yield (
                ids,
                [row if isinstance(row, dict) else dict(zip(columns, row))],
                [answered_by(answer, problem)],
            )


def one_line(text: str) -> Any:
    """A line of JSON Lines, or the cells of one of CSV."""
    if text.lstrip().startswith(("{", "[")):
        return json.loads(text)
    return next(iter(csv.reader([text])), [])


def _identified(answer: Any) -> tuple[list[str], Any]:
    """The id that a transform appended to an answer, and the answer."""
    if isinstance(answer, dict):
        found = answer.pop("SageMakerInferenceId", None)
        answer.pop("SageMakerInferenceTime", None)
        predictions = answer.get("predictions")
        return [found] if found else [], predictions[0] if predictions else answer
    if isinstance(answer, list) and len(answer) > 2 and ID.fullmatch(str(answer[-2])):
        return [answer[-2]], answer[:-2]
    return [], answer


class Bucket:
    """What S3 holds, by `s3://` URI."""

    def __init__(self) -> None:
        import boto3  # type: ignore[import-untyped]  # it ships no types

        self._s3 = boto3.client("s3")

    def lines(self, folder: str) -> Iterator[str]:
        """The lines of every file below a folder."""
        bucket, _, prefix = folder.replace("s3://", "", 1).partition("/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for each in page.get("Contents", []):
                for line in self._s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].iter_lines():
                    yield line.decode()

    def changed(self, folder: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        """The files below a folder that were written between two moments, with the moment."""
        bucket, _, prefix = folder.replace("s3://", "", 1).partition("/")
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                if since <= each["LastModified"] < until:
                    yield each["LastModified"], f"s3://{bucket}/{each['Key']}"

    def text(self, uri: str) -> str | None:
        """A file's text; None where there is no such file."""
        bucket, _, key = uri.replace("s3://", "", 1).partition("/")
        try:
            return str(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
        except self._s3.exceptions.NoSuchKey:
            return None
