"""Rules about one model: what it learns from, how it is judged, how it answers, who watches it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from types import ModuleType

from mlestate.config.base import Threshold
from mlestate.config.estate import DECISIONS_KEPT_BY_LAW
from mlestate.config.facts import Facts
from mlestate.config.model import METRICS, Model
from mlestate.config.problems import closest
from mlestate.config.tree import Path

Findings = Iterator[tuple[object, ...]]

_RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("accuracy", "f1", "precision", "recall", "roc_auc", "average_precision", "brier"), (0.0, 1.0)),
    **dict.fromkeys(("log_loss", "mae", "mape", "mse", "rmse"), (0.0, inf)),
    "r2": (-inf, 1.0),
    "error_rate": (0.0, 1.0),
    "disagreement": (0.0, 1.0),
    "p95_latency_ms": (0.0, inf),
    "p99_latency_ms": (0.0, inf),
}
"""What each number can be at all (scikit-learn, `sklearn.metrics`)."""

_BETTER = {metric: bound for metrics in METRICS.values() for metric, bound in metrics.items()} | dict.fromkeys(
    ("error_rate", "disagreement", "p95_latency_ms", "p99_latency_ms"), "max"
)


def _in_force(facts: Facts, field: Path, chooser: Path) -> bool:
    """Whether the field at `field` was written for the choice that holds at `chooser`.

    What `defaults` say for other models, or a model for its other environments, contradicts no choice made later.
    """
    order = ("built-in", "file", "defaults", "model", "environment")
    source, choice = facts.source(field), facts.source(chooser)
    if source == "built-in":
        return False
    if source == "defaults":
        return choice == "defaults"
    return order.index(source) >= order.index(choice)


def data_exists(facts: Facts, settings: ModuleType) -> Findings:
    """A model learns from one thing, and that thing is in the file."""
    config = facts.config
    datasets = tuple(dict.fromkeys([*config.data.datasets, *facts.names(("data", "datasets"))]))
    features = tuple(dict.fromkeys([*config.features, *facts.names(("features",))]))
    for path, model in facts.models():
        here = (*path, "data")
        if model.data.dataset is not None and model.data.features is not None:
            yield here, "names a dataset and features. A model learns from one of them: remove the other."
        for key, known, noun, place in (
            ("dataset", datasets, "dataset", "data.datasets"),
            ("features", features, "feature group", "features"),
        ):
            name = getattr(model.data, key)
            if name is not None and name not in known:
                listed = f"There are: {', '.join(known)}." if known else f"Nothing stands under {place} yet."
                yield (*here, key), f"there is no {noun} '{name}'. {listed}", known, closest(name, known)


def metrics_fit_the_problem(facts: Facts, settings: ModuleType) -> Findings:
    """scikit-learn's metrics of classification and of regression."""
    for path, model in facts.models():
        known = tuple(METRICS[model.problem])
        for metric in (name for metrics in METRICS.values() for name in metrics):
            if metric not in known and getattr(model.gates.model, metric) is not None:
                yield (
                    (*path, "gates", "model", metric),
                    f"'{metric}' is no metric for {model.problem}. Known: {', '.join(known)}.",
                    known,
                )
        for metric in model.gates.model.custom:
            if metric in _BETTER:
                yield (
                    (*path, "gates", "model", "custom", metric),
                    f"'{metric}' is a known metric. Write it directly under gates.model.",
                )
        named = known + tuple(model.gates.model.custom)
        quality, rollout = model.monitoring.model_quality, model.serving.rollout
        for place, wanted in (
            ((*path, "monitoring", "model_quality", "metric"), quality.metric if quality is not None else None),
            ((*path, "serving", "rollout", "metric"), rollout.metric),
        ):
            if wanted is not None and wanted not in named:
                yield (
                    place,
                    f"'{wanted}' is no metric for {model.problem}. Known: {', '.join(named)}.",
                    named,
                    closest(wanted, named),
                )
        gated = model.gates.model.thresholds
        if quality is not None and quality.metric is None and not gated:
            yield (*path, "monitoring", "model_quality"), "names no metric, and no metric is gated. Add metric."
        if rollout.strategy == "ab" and rollout.metric is None and not gated:
            yield (
                (*path, "serving", "rollout", "strategy"),
                ("an A/B test needs a metric that decides it, and no metric is gated. Add metric."),
            )


def _thresholds(path: Path, model: Model) -> Iterator[tuple[Path, str, Threshold]]:
    for metric, bound in model.gates.model.thresholds.items():
        custom = ("custom",) if metric in model.gates.model.custom else ()
        yield (*path, "gates", "model", *custom, metric), metric, bound
    for place, block in (
        ((*path, "serving", "rollout", "rollback_on"), model.serving.rollout.rollback_on),
        ((*path, "monitoring", "service"), model.monitoring.service),
    ):
        for name in type(block).model_fields:
            bound = getattr(block, name)
            if bound is not None:
                yield (*place, name), name, bound
    quality = model.monitoring.model_quality
    if quality is not None:
        yield (
            (*path, "monitoring", "model_quality"),
            quality.metric or "model_quality",
            Threshold(min=quality.min, max=quality.max),
        )


def thresholds_make_sense(facts: Facts, settings: ModuleType) -> Findings:
    """A bound must bound something, on the side that protects, within what the number can be."""
    for path, model in facts.models():
        for place, metric, bound in _thresholds(path, model):
            if bound.min is None and bound.max is None:
                yield place, "bounds nothing. Write {min: ...} or {max: ...}."
                continue
            if bound.min is not None and bound.max is not None and bound.min > bound.max:
                yield place, f"has a min of {bound.min:g} above its max of {bound.max:g}, so nothing can pass."
                continue
            better = _BETTER.get(metric)
            other = "max" if better == "min" else "min"
            if better is not None and getattr(bound, better) is None:
                direction = "higher" if better == "min" else "lower"
                number = getattr(bound, other)
                yield (
                    place,
                    f"{direction} is better for {metric}, so {{{other}: {number:g}}} would let the worst pass. Write "
                    f"{{{better}: {number:g}}}.",
                )
                continue
            low, high = _RANGES.get(metric, (-inf, inf))
            for number in (bound.min, bound.max):
                if number is not None and not low <= number <= high:
                    side, limit = ("below", low) if number < low else ("above", high)
                    yield place, f"{metric} is never {side} {limit:g}, and {number:g} is."
                    break


def fairness_can_be_measured(facts: Facts, settings: ModuleType) -> Findings:
    """The disparity is a difference of positive rates, which only a classifier has."""
    for path, model in facts.models():
        fairness = model.gates.fairness
        if fairness is None:
            continue
        place = (*path, "gates", "fairness")
        if fairness.attribute is None and not facts.is_aside((*place, "attribute")):
            yield place, "needs the column that tells the groups apart. Add attribute."
        if model.problem != "classification":
            yield place, "compares the rate of positive answers, which a regression does not have. Remove the block."


_MODES: Mapping[str, tuple[str, ...]] = {
    "initial_version": ("batch", "realtime", "serverless", "async"),
    "compute": ("batch", "realtime", "async"),
    "replicas": ("realtime", "async"),
    "schedule": ("batch",),
    "input": ("batch",),
    "output": ("batch",),
    "rollout": ("realtime", "serverless", "async"),
    "capture": ("realtime",),
    "aws.instance_type": ("batch", "realtime", "async"),
    "aws.memory_mb": ("serverless",),
    "aws.max_concurrency": ("serverless",),
}
"""The modes that each field of `serving` belongs to. Serverless endpoints have no instances and no data capture
(SageMaker, "Serverless Inference", feature exclusions)."""


_NOT_KEPT = " A serverless endpoint keeps no requests, so use realtime or remove the block."


def serving_fields_fit_the_mode(facts: Facts, settings: ModuleType) -> Findings:
    """A field that the chosen mode does not read would be ignored without a word."""
    for path, model in facts.models():
        mode = (*path, "serving", "mode")
        if facts.is_aside(mode):
            continue
        for field, modes in _MODES.items():
            place = (*path, "serving", *field.split("."))
            if model.serving.mode not in modes and _in_force(facts, place, mode):
                what = "has no mode" if facts.source(mode) == "built-in" else f"has mode {model.serving.mode}"
                reason = _NOT_KEPT if (field, model.serving.mode) == ("capture", "serverless") else ""
                yield place, f"is read only with mode {' or '.join(modes)}, and this model {what}.{reason}"


_STRATEGIES: Mapping[str, tuple[str, ...]] = {
    "steps": ("canary",),
    "split": ("ab",),
    "metric": ("ab",),
    "minimum_samples": ("ab", "shadow"),
    "sample": ("shadow",),
    "rollback_on.disagreement": ("shadow",),
}
_NOT_WITH: Mapping[tuple[str, str], str] = {
    # SageMaker, "Shadow tests", and "Serverless Inference": one production and one shadow variant, instances only.
    ("shadow", "serverless"): "a serverless endpoint has no shadow variant. Use realtime, or all-at-once.",
    ("shadow", "async"): "an asynchronous endpoint has no shadow variant. Use realtime, or all-at-once.",
    # SageMaker, "Serverless Inference", feature exclusions: multiple production variants.
    ("ab", "serverless"): "a serverless endpoint has one variant only. Use realtime, or all-at-once.",
    # SageMaker, "Monitor asynchronous endpoints": requests are counted for a queue, not for a variant.
    ("ab", "async"): "a queue hands out requests without saying to which variant. Use realtime, or all-at-once.",
    ("canary", "async"): "a queue hands out requests without saying to which variant. Use realtime, or all-at-once.",
    ("canary", "serverless"): "a serverless endpoint has no instances to move in steps. Use realtime, or all-at-once.",
}


def rollout_fits(facts: Facts, settings: ModuleType) -> Findings:
    """CloudWatch's shortest standard period is a minute, so nothing can be judged sooner; SageMaker runs a shadow test
    for at most 30 days (CreateInferenceExperiment). A canary moves whole instances, so it needs two."""
    for path, model in facts.models():
        serving, rollout = model.serving, model.serving.rollout
        here = (*path, "serving", "rollout")
        if serving.mode in ("none", "batch"):
            continue
        if facts.is_aside((*here, "strategy")):
            continue
        for field, strategies in _STRATEGIES.items():
            place = (*here, *field.split("."))
            if rollout.strategy not in strategies and _in_force(facts, place, (*here, "strategy")):
                yield (
                    place,
                    f"is read only with strategy {' or '.join(strategies)}, and this one is {rollout.strategy}.",
                )
        refusal = _NOT_WITH.get((rollout.strategy, serving.mode))
        if refusal is not None:
            yield (*here, "strategy"), f"'{rollout.strategy}' does not go with mode {serving.mode}: {refusal}"
        if rollout.strategy == "canary" and serving.mode != "serverless":
            if serving.replicas.min < 2 and not facts.is_aside((*path, "serving", "replicas")):
                place = (*path, "serving", "replicas", "min")
                target = place if facts.written(place) is not None else (*here, "strategy")
                yield (
                    target,
                    (
                        "a canary needs two replicas at least, so that one can serve the new version while the other "
                        "serves the old. Set serving.replicas.min: 2, or use strategy: all-at-once."
                    ),
                )
            yield from _steps((*here, "steps"), rollout.steps)
        if rollout.bake is not None and not 60 <= rollout.bake.seconds <= 30 * 86400:
            yield (*here, "bake"), f"'{rollout.bake}' must be at least 1m and at most 30d."


def _steps(path: Path, steps: tuple[int, ...] | None) -> Findings:
    if steps is None:
        return
    if list(steps) != sorted(set(steps)):
        yield path, f"{list(steps)} must rise from step to step."
    elif not steps or steps[-1] != 100:
        yield path, f"{list(steps)} must end at 100, or the new version never takes over."
    elif len(steps) == 1:
        yield path, "has one step only, which is no canary. Add a smaller first step, or use strategy: all-at-once."


def replicas_can_scale(facts: Facts, settings: ModuleType) -> Findings:
    """An endpoint without a machine has nothing to answer at once; one that answers from a queue can wait for the first
    (SageMaker, "Autoscale an asynchronous endpoint")."""
    for path, model in facts.models():
        replicas, here = model.serving.replicas, (*path, "serving", "replicas")
        if replicas.min == 0 and model.serving.mode != "async":
            yield (
                (*here, "min"),
                "0 leaves nothing that answers. Use 1 or more, or mode async, whose requests can wait.",
            )
        elif replicas.min == 0 and not replicas.max and not facts.is_aside((*here, "max")):
            yield (*here, "min"), "0 leaves nothing that ever answers. Add max, the most machines that may be started."
        if replicas.max is not None and replicas.max < replicas.min:
            yield (*here, "max"), f"{replicas.max} is below the min of {replicas.min}. Raise max or lower min."
        elif replicas.requests_per_minute is not None and replicas.highest == replicas.min:
            yield (*here, "requests_per_minute"), "starts another replica, and max leaves no room for one. Raise max."


def monitoring_has_something_to_see(facts: Facts, settings: ModuleType) -> Findings:
    """Drift and quality are read off captured requests, which SageMaker's serverless endpoints do not keep
    ("Serverless Inference", feature exclusions)."""
    for path, model in facts.models():
        monitoring, here, mode = model.monitoring, (*path, "monitoring"), (*path, "serving", "mode")
        watched = [
            name
            for name in ("data_drift", "prediction_drift", "model_quality")
            if getattr(monitoring, name) is not None
        ]
        for name in watched:
            if facts.is_aside(mode) or facts.source((*here, name)) == "defaults":
                continue
            if model.serving.mode == "none" and facts.source((*here, name)) == facts.source(mode):
                yield (*here, name), "watches the answers of a model that gives none: serving.mode is none. Remove it."
            elif model.serving.mode == "none" and facts.source(mode) == "built-in":
                yield (*here, name), "watches the answers of a model that gives none: serving has no mode. Add one."
            elif model.serving.mode == "serverless":
                yield (*here, name), "needs captured requests, and a serverless endpoint keeps none. Use mode realtime."
        if monitoring.on_breach == "retrain" and not watched and not any(
            facts.is_aside((*here, name)) for name in ("data_drift", "prediction_drift", "model_quality")
        ):  # fmt: skip
            yield (
                (*here, "on_breach"),
                (
                    "retrains after a breach, and nothing is watched that could be in breach. Add data_drift, "
                    "prediction_drift or model_quality."
                ),
            )
        if monitoring.on_breach != "retrain" and _in_force(facts, (*here, "retrain"), (*here, "on_breach")):
            yield (*here, "retrain"), "is read only with on_breach: retrain."


def decisions_are_recorded(facts: Facts, settings: ModuleType) -> Findings:
    """Quebec's Act respecting the protection of personal information in the private sector, section 12.1, and the AI
    Act, article 12: every decision must be explainable afterwards, so every request is kept, and for as long as
    `DECISIONS_KEPT_BY_LAW` says."""
    residency = str(facts.config.residency)
    kept, law = DECISIONS_KEPT_BY_LAW.get(residency, (None, ""))
    for path, model in facts.models():
        if not model.automated_decision:
            continue
        if model.serving.mode == "serverless":
            yield (
                (*path, "serving", "mode"),
                (
                    "automated_decision keeps every request, and a serverless endpoint keeps none. Use realtime or "
                    "batch."
                ),
            )
        capture = model.serving.capture
        if capture is not None and capture.sample < 1:
            yield (
                (*path, "serving", "capture", "sample"),
                ("automated_decision keeps every request, not a share of them. Remove the line."),
            )
        place = (*path, "serving", "capture", "retention")
        if capture is not None and kept is not None and capture.retention < kept and facts.written(place) is not None:
            yield (
                place,
                f"'{capture.retention}' is shorter than the {kept} for which the law of residency {residency} wants "
                f"kept what a decision about a person was made from ({law}). Use {kept} or more, or remove the line.",
            )


def hatches_are_whole(facts: Facts, settings: ModuleType) -> Findings:
    """Vertex AI, MachineSpec: an accelerator is attached to a machine type, and a count belongs to an accelerator."""
    for path, model in facts.models():
        for block in ("training", "serving"):
            machine, here = getattr(model, block).gcp, (*path, block, "gcp")
            if machine is None:
                continue
            if machine.accelerator is not None and machine.machine_type is None:
                yield (*here, "accelerator"), "is attached to a machine type. Add machine_type, such as g2-standard-8."
            if machine.accelerator_count is not None and machine.accelerator is None:
                yield (*here, "accelerator_count"), "counts accelerators, and none is named. Add accelerator."


MODEL_RULES = (
    data_exists,
    metrics_fit_the_problem,
    thresholds_make_sense,
    fairness_can_be_measured,
    serving_fields_fit_the_mode,
    rollout_fits,
    replicas_can_scale,
    monitoring_has_something_to_see,
    decisions_are_recorded,
    hatches_are_whole,
)
