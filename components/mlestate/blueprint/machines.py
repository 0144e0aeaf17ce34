"""The machines of an estate on SageMaker, read off its registered rows: what stays on, scales, and runs in jobs."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlestate.blueprint.inventory import Row

__all__ = ["Job", "JobKind", "Variant", "jobs_of", "rows_by_urn", "runs_per_day", "slice_of", "variants"]

JobKind = Literal["training", "processing", "transform"]

_RESOURCES: Mapping[str, JobKind] = {
    "resourceconfig": "training",
    "clusterconfig": "processing",
    "transformresources": "transform",
}
"""What holds a job's machines in the API of SageMaker (CreateTrainingJob, CreateProcessingJob, CreateTransformJob)."""

_LIMITS = ("maxruntimeinseconds", "maxruntimeinsec")
UNLIMITED = 86_400
"""The seconds that a job may take which names no limit: SageMaker stops it after a day (CreateTrainingJob,
StoppingCondition)."""


@dataclass(frozen=True)
class Variant:
    """One variant of an endpoint: its machines at the least and at the most, or a serverless one's concurrency."""

    endpoint: Row
    instance_type: str | None
    """None for serverless."""
    least: int
    most: int
    memory_mb: int = 0
    shadow: bool = False


@dataclass(frozen=True)
class Job:
    """What one run of something starts."""

    kind: JobKind
    instance_type: str
    instances: int
    seconds: int
    """The longest that it may take."""
    spot: bool = False


def rows_by_urn(rows: Iterable[Row]) -> dict[str, Row]:
    """The rows by their URN."""
    return {row.urn: row for row in rows}


def slice_of(row: Row, by_urn: Mapping[str, Row]) -> str | None:
    """The logical name of the hub or environment that a row lies in (``risk-staging``); None for what lies in none."""
    at: Row | None = row
    while at is not None:
        if at.type in ("mlestate:index:Hub", "mlestate:index:Environment"):
            return at.name
        at = by_urn.get(at.parent or "")
    return None


def variants(rows: Sequence[Row]) -> Iterator[Variant]:
    """Every variant of every endpoint that is registered."""
    configurations = {
        (row.parent, row.outputs.get("name")): row.inputs
        for row in rows
        if row.type == "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    }
    targets = {
        row.inputs["resourceId"]: row.inputs
        for row in rows
        if row.type == "aws:appautoscaling/target:Target" and row.inputs.get("serviceNamespace") == "sagemaker"
    }
    for endpoint in (row for row in rows if row.type == "aws:sagemaker/endpoint:Endpoint"):
        # A configuration that the file's `raw` names is not this estate's, and nobody here knows its machines.
        inputs = configurations.get((endpoint.parent, endpoint.inputs["endpointConfigName"]), {})
        for key in ("productionVariants", "shadowProductionVariants"):
            for variant in inputs.get(key) or []:
                yield _variant(endpoint, variant, key.startswith("shadow"), targets)


def _variant(endpoint: Row, variant: Mapping[str, Any], shadow: bool, targets: Mapping[str, Any]) -> Variant:
    if (serverless := variant.get("serverlessConfig")) is not None:
        most, memory = int(serverless["maxConcurrency"]), int(serverless["memorySizeInMb"])
        return Variant(endpoint, None, int(serverless.get("provisionedConcurrency") or 0), most, memory, shadow)
    target = targets.get(f"endpoint/{endpoint.outputs['name']}/variant/{variant.get('variantName')}", {})
    first = int(variant.get("initialInstanceCount") or 1)
    least, most = int(target.get("minCapacity", first)), int(target.get("maxCapacity", first))
    return Variant(endpoint, variant["instanceType"], least, max(most, first), shadow=shadow)


def jobs_of(row: Row, given: Mapping[str, Any] | None = None) -> list[Job]:
    """What one run of a pipeline, a state machine or a monitoring definition starts, each branch of it included.

    ``given`` is the input of a run, which leaves out the branches of a machine that ask for another. Read from the
    documents that the row sends, JSON in JSON included, in SageMaker's own spelling and in Pulumi's.
    """
    return list(_jobs(_opened(row.inputs), {}, given or {}))


_ASKED = re.compile(r"\{% \$states\.input\.(\w+) = '([^']*)' %\}")
"""The condition of a branch that asks for a value of the machine's input."""


def _jobs(
    value: Any, parameters: Mapping[str, Any], given: Mapping[str, Any], around: Mapping[str, Any] | None = None
) -> Iterator[Job]:
    if isinstance(value, list):
        for each in value:
            yield from _jobs(each, parameters, given, around)
    if not isinstance(value, Mapping):
        return
    asked = _ASKED.fullmatch(str(value.get("condition")))
    if asked is not None and given.get(asked[1], asked[2]) != asked[2]:
        return
    declared = value.get("parameters")
    if isinstance(declared, list):
        parameters = {
            each["name"]: each.get("defaultvalue") for each in declared if isinstance(each, Mapping) and "name" in each
        }
    for key, each in value.items():
        kind = _RESOURCES.get(key)
        if kind is not None and isinstance(each, Mapping) and "instancetype" in each:
            holder = around if key == "clusterconfig" and around is not None else value
            yield Job(
                kind,
                str(_resolved(each["instancetype"], parameters)),
                int(_resolved(each.get("instancecount", 1), parameters)),
                _limit(holder) or _limit(value) or UNLIMITED,
                bool(value.get("enablemanagedspottraining")),
            )
        else:
            yield from _jobs(each, parameters, given, value)


def _limit(value: Mapping[str, Any]) -> int | None:
    condition = value.get("stoppingcondition")
    for key in _LIMITS:
        if isinstance(condition, Mapping) and isinstance(condition.get(key), int | float | str):
            return int(condition[key])
    return None


def _resolved(value: Any, parameters: Mapping[str, Any]) -> Any:
    """A value, or the default of the pipeline's parameter that stands for it (`{"Get": "Parameters.Instances"}`)."""
    if isinstance(value, Mapping) and str(value.get("get", "")).startswith("Parameters."):
        return parameters.get(str(value["get"]).removeprefix("Parameters."))
    return value


def _opened(value: Any) -> Any:
    """JSON documents opened, keys in lower case: the API writes `InstanceType`, Pulumi `instanceType`."""
    if isinstance(value, Mapping):
        return {str(key).lower(): _opened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_opened(each) for each in value]
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return _opened(json.loads(value))
        except ValueError:
            return value
    return value


def runs_per_day(expression: str) -> float:
    """How often EventBridge starts something: `rate(8 hours)`, `cron(0 4 ? * MON *)`; 0 for `at(...)` and `NOW`.

    Fields of a cron expression: minute, hour, day of month, month, day of week, year (EventBridge Scheduler user
    guide, "Schedule types"). A step beyond a range is counted as AWS does, from the start of the range.
    """
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return {"minute": 1440, "hour": 24, "day": 1}[rate[2]] / int(rate[1])
    cron = re.fullmatch(r"cron\((.+)\)", expression)
    if cron is None:
        return 0.0
    minute, hour, day, month, weekday, *_ = cron[1].split()
    a_day = _count(minute, 60) * _count(hour, 24)
    days = _count(day, 31) / 31 if day not in ("*", "?") else _count(weekday, 7) / 7
    return a_day * days * _count(month, 12) / 12


def _count(field: str, most: int) -> float:
    total = 0.0
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, dash, high = span.partition("-")
        if span in ("*", "?"):
            width = most
        elif dash:
            width = (_number(high) - _number(low)) % most + 1
        else:
            width = most - _number(low) if step else 1
        total += -(-width // int(step)) if step else width
    return min(total, most)


_WORDS = {
    word: number
    for words in (("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), ("JAN", "FEB", "MAR", "APR", "MAY", "JUN"))
    for number, word in enumerate(words, 1)
} | {word: number for number, word in enumerate(("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 7)}


def _number(text: str) -> int:
    return _WORDS[text.upper()] if text.upper() in _WORDS else int(re.sub(r"\D", "", text) or 0)
