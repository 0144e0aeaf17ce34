"""What is watched on AWS, signal by signal, and when a signal is an alarm. Plain data: no SDK."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mlestate.aws.settings import cores, gpus
from mlestate.config.base import Threshold
from mlestate.config.model import Mode, Model
from mlestate.config.serving import FAILURES

__all__ = ["NAMESPACE", "ROLLBACK", "Alarm", "Metric", "quality_metric", "watched"]

REFUSED = 0.25
"""The share of requests refused as wrong that says that a caller, or the model's signature, has changed."""

FULL = 90
"""Percent of a machine that leave no room for what comes next."""

SERVICE = "AWS/SageMaker"
MACHINES = "/aws/sagemaker/Endpoints"
"""SageMaker developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch": both by EndpointName and VariantName.
`CPUUtilization` adds up every core, as `GPUMemoryUtilization` every GPU, and goes beyond 100; a normalized twin is
there for inference components alone. `ModelLatency` is in microseconds."""

NAMESPACE = "mlestate"
"""Where the monitor's own numbers are, by Environment and Model."""

Aspect = Literal["service", "model"]


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric; `of` says whose dimensions it has: the endpoint's, or those of the monitor's numbers."""

    namespace: str
    name: str
    statistic: str
    of: Literal["endpoint", "monitor"] = "endpoint"


@dataclass(frozen=True)
class Alarm:
    """A number and its bounds. Several metrics make one number by `expression`, in which they stand by their key."""

    name: str
    """What the alarm is called after the model's name: ``error-rate``."""
    title: str
    metrics: Mapping[str, Metric]
    bound: Threshold
    advice: str
    """What whoever is told can do first."""
    expression: str | None = None
    seconds: int = 60
    periods: int = 3
    breaching: int = 2
    """How many of the periods must be out of bounds."""
    missing: Literal["notBreaching", "breaching"] = "notBreaching"
    warm_up_minutes: int | None = None
    """How long a new alarm waits for its first numbers, at most two days (CloudWatch API, WarmUpConfiguration)."""
    degrades: Aspect | None = None
    """What is degraded, and someone paged for, when this alarm goes off."""


def _endpoint(name: str, statistic: str, namespace: str = SERVICE) -> Metric:
    return Metric(namespace, name, statistic)


def _share(of: str, mode: Mode) -> Mapping[str, Metric]:
    """An asynchronous endpoint counts no `Invocations`; its errors come as a 0 or a 1 for each (SageMaker developer
    guide, "Alarms and logs for tracking metrics from asynchronous endpoints")."""
    calls = _endpoint(of, "SampleCount") if mode == "async" else _endpoint("Invocations", "Sum")
    return {"calls": calls, "bad": _endpoint(of, "Sum")}


_SHARE = "IF(calls > 0, bad / calls, 0)"


def _latency(percentile: str, bound: Threshold) -> Alarm:
    return Alarm(
        name=f"{percentile}-latency",
        title=f"{percentile} of the answer time, microseconds",
        metrics={"value": _endpoint("ModelLatency", percentile)},
        bound=Threshold(min=_times(bound.min, 1000), max=_times(bound.max, 1000)),
        advice="Look whether requests grew larger or more, and whether the last release is the cause: roll it back.",
        degrades="service",
    )


def _times(number: float | None, factor: float) -> float | None:
    return None if number is None else number * factor


def _failures(bound: Threshold | None, mode: Mode) -> Alarm:
    return Alarm(
        name="error-rate",
        title="Share of requests that failed",
        metrics=_share("Invocation5XXErrors", mode),
        expression=_SHARE,
        bound=bound or FAILURES,
        advice="Read the log in /aws/sagemaker/Endpoints, and roll the last release back if it is the cause.",
        degrades="service",
    )


def _rollback(alarm: Alarm) -> Alarm:
    return replace(
        alarm,
        name=f"rollback-{alarm.name}",
        advice="While a release is under way it is taken back by itself; otherwise nothing follows from this.",
        degrades=None,
    )


ROLLBACK: Mapping[str, str] = {
    "error_rate": "rollback-error-rate",
    "p95_latency_ms": "rollback-p95-latency",
    "p99_latency_ms": "rollback-p99-latency",
}
"""The alarm by which each sign of `serving.rollout.rollback_on` takes a release back."""


def _service(model: Model) -> Iterator[Alarm]:
    asked, signs, mode = model.monitoring.service, model.serving.rollout.rollback_on, model.serving.mode
    yield _failures(asked.error_rate, mode)
    yield Alarm(
        name="refused-rate",
        title="Share of requests refused as wrong",
        metrics=_share("Invocation4XXErrors", mode),
        expression=_SHARE,
        bound=Threshold(max=REFUSED),
        seconds=300,
        advice="A caller sends what the model does not take: compare its requests with the model's input schema.",
    )
    yield _rollback(_failures(signs.error_rate, mode))
    for percentile, wanted, sign in (
        ("p95", asked.p95_latency_ms, signs.p95_latency_ms),
        ("p99", asked.p99_latency_ms, signs.p99_latency_ms),
    ):
        if wanted is not None:
            yield _latency(percentile, wanted)
        if sign is not None:
            yield _rollback(_latency(percentile, sign))


def _machines(instance_type: str) -> Iterator[Alarm]:
    larger, leaks = "take a larger serving.compute", "a model that leaks is restarted by a release"
    cards = gpus(instance_type)
    for name, metric, share, advice in (
        ("cpu", "CPUUtilization", f"value / {cores(instance_type)}", f"Raise serving.replicas.max, or {larger}."),
        ("memory", "MemoryUtilization", None, f"{larger.capitalize()}; {leaks}."),
        ("disk", "DiskUtilization", None, "The model writes to its disk: find out what, in the endpoint's log."),
        ("gpu-memory", "GPUMemoryUtilization", f"value / {cards}", "Answer fewer rows at once, or take a larger GPU."),
    )[: 4 if cards else 3]:
        yield Alarm(
            name=name,
            title=f"{metric}, percent",
            metrics={"value": _endpoint(metric, "Average", MACHINES)},
            expression=share,
            bound=Threshold(max=FULL),
            seconds=300,
            breaching=3,
            advice=advice,
        )


def _number(name: str, statistic: str = "Maximum") -> Mapping[str, Metric]:
    return {"value": Metric(NAMESPACE, name, statistic, of="monitor")}


def _model(model: Model, hours: int) -> Iterator[Alarm]:
    """What the monitor's own numbers say; it gives one of each in a run."""
    monitoring, fairness = model.monitoring, model.gates.fairness
    run = Alarm("", "", {}, FAILURES, "", seconds=hours * 3600, periods=1, breaching=1, degrades="model")
    if monitoring.data_drift is not None:
        yield replace(
            run,
            name="data-drift",
            title=f"Data drift, {monitoring.data_drift.metric} of the column that moved most",
            metrics=_number("DataDrift"),
            bound=Threshold(max=monitoring.data_drift.threshold),
            advice="The monitor's report names the column: ask where it comes from before you retrain.",
        )
    if monitoring.prediction_drift is not None:
        yield replace(
            run,
            name="prediction-drift",
            title=f"Prediction drift, {monitoring.prediction_drift.metric}",
            metrics=_number("PredictionDrift"),
            bound=Threshold(max=monitoring.prediction_drift.threshold),
            advice="The model answers otherwise than it did on its holdout: look at data-drift first.",
        )
    if monitoring.model_quality is not None:
        yield replace(
            run,
            name="model-quality",
            title=f"Model quality, {quality_metric(model)}",
            metrics=_number("ModelQuality", "Average"),
            bound=Threshold(min=monitoring.model_quality.min, max=monitoring.model_quality.max),
            advice="Retrain on newer data, or roll back to the version before.",
        )
    if fairness is not None:
        yield replace(
            run,
            name="disparity",
            title=f"Largest difference of the positive rate by {fairness.attribute}",
            metrics=_number("Disparity"),
            bound=Threshold(max=fairness.max_disparity),
            advice="The monitor's report has the rate of each group. Tell whoever answers for the model's decisions.",
        )
    yield replace(
        run,
        name="monitor-silent",
        title="Runs of the monitor",
        metrics=_number("Rows", "SampleCount"),
        bound=Threshold(min=1),
        periods=2,
        breaching=2,
        missing="breaching",
        warm_up_minutes=2 * hours * 60,
        degrades=None,
        advice="Two runs are missing: its job does not start, or breaks. Look under SageMaker's processing jobs.",
    )


def quality_metric(model: Model) -> str:
    """The metric that `monitoring.model_quality` watches: the named one, else the first that is gated."""
    quality = model.monitoring.model_quality
    named = quality.metric if quality is not None else None
    return named or next(iter(model.gates.model.thresholds))


def watched(model: Model, instance_type: str | None, hours: int | None) -> Sequence[Alarm]:
    """All that is watched of a model: its endpoint where it has one, and what its monitor says.

    ``instance_type`` is its machine's, None where it has none of its own; ``hours`` is its monitor's window, None where
    it has no monitor.
    """
    endpoint = [*_service(model), *(_machines(instance_type) if instance_type is not None else ())]
    answers = _model(model, hours) if hours is not None else ()
    return [*(endpoint if model.serving.mode != "batch" else ()), *answers]
