"""One run of the monitor."""

# Python 3.8 has neither zip(strict=) nor datetime.UTC, and what a job prints is what CloudWatch reads.
# ruff: noqa: B905, T201, UP017
from __future__ import annotations

import argparse
import json
import pathlib
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from .capture import Bucket, answers, captured, hours, inputs, labels, transformed
from .distances import Feature
from .outcomes import Groups, Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MINIMUM = 100
"""The fewest rows, or labelled rows, that a number is computed from."""

LABEL_HOURS = 168
"""How far back true outcomes and the answers they belong to are looked for: they come later than the answers."""


def metric_lines(numbers: dict[str, float], model: str, environment: str, now: datetime) -> str:
    """One line of CloudWatch's embedded metric format (CloudWatch user guide, "Specification")."""
    about = {
        "Namespace": "mlestate",
        "Dimensions": [["Environment", "Model"]],
        "Metrics": [{"Name": name} for name in sorted(numbers)],
    }
    root = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [about]}
    return json.dumps({"_aws": root, "Environment": environment, "Model": model, **numbers})


def _features(store: Any, baseline: str, notes: list[str]) -> list[Feature]:
    """The columns of a baseline; none, and a note, where there is no baseline yet."""
    text = store.text(baseline)
    if text is None:
        notes.append(f"There is no baseline at {baseline} yet: no distance from it is measured.")
        return []
    return [Feature(each) for each in json.loads(text)["features"]]


def _back(asked: argparse.Namespace) -> int:
    """How many hours of answers are read: those of the window, and all that outcomes may have come for."""
    return int(max(asked.hours, LABEL_HOURS) if asked.labels else asked.hours)


def _realtime(asked: argparse.Namespace, store: Any, until: datetime, names: list[str]) -> Iterator[Any]:
    """What an endpoint captured: whether within the window, the ids of a request, its rows and the answers."""
    window = set(hours(until, asked.hours))
    for hour in hours(until, _back(asked)):
        for ids, bodies in captured(store.lines(f"{asked.capture}{hour}/")):
            rows = inputs(bodies["endpointInput"], names) if hour in window else []
            yield hour in window, ids, rows, answers(bodies["endpointOutput"], asked.problem)


def _batch(asked: argparse.Namespace, store: Any, until: datetime, names: list[str]) -> Iterator[Any]:
    """The same of batch transforms, whose manifests are told apart by when they were written."""
    for moment, manifest in store.changed(f"{asked.capture}input/", until - timedelta(hours=_back(asked)), until):
        for ids, rows, said in transformed(store, manifest, asked.answers, asked.problem, names):
            yield moment >= until - timedelta(hours=asked.hours), ids, rows, said


def watch(asked: argparse.Namespace, store: Any) -> tuple[dict[str, float], dict[str, Any]]:
    """The numbers, and the report that says where they come from."""
    until = datetime.fromisoformat(asked.until.replace("Z", "+00:00")).astimezone(timezone.utc)
    notes: list[str] = []
    columns = [each for each in _features(store, asked.baseline, notes) if each.name != asked.target]
    predictions = _features(store, asked.predictions, notes) if asked.prediction_drift else []
    groups = Groups(asked.attribute) if asked.attribute else None
    truths: dict[str, list[str]] = {}
    if asked.labels:
        for hour in hours(until, max(asked.hours, LABEL_HOURS)):
            truths.update(labels(store.lines(f"{asked.labels}{hour}/")))
    outcomes, rows = Outcomes(asked.problem), 0
    names = [each.name for each in columns]
    for inside, ids, asked_for, said in (_batch if asked.answers else _realtime)(asked, store, until, names):
        truth: Sequence[str] = next((truths[each] for each in ids if each in truths), ())
        for true, answer in zip(truth, said):
            outcomes.add(true, answer)
        for row, answer in zip(asked_for, said) if inside else ():
            rows += 1
            for column in columns:
                column.add(row)
            for prediction in predictions:
                prediction.add(answer)
            if groups is not None:
                groups.add(row, answer)
    numbers: dict[str, float] = {"Rows": rows}
    distances: dict[str, dict[str, float | None]] = {}
    if rows < MINIMUM:
        notes.append(f"{rows} rows are too few to compare: {MINIMUM} are needed.")
    else:
        for name, metric, mine in (
            ("DataDrift", asked.data_drift, columns),
            ("PredictionDrift", asked.prediction_drift, predictions),
        ):
            if metric:
                distances[name] = {each.name: each.distance(metric) for each in mine if each.seen}
                if absent := sorted(each.name for each in mine if not each.seen):
                    notes.append(f"No request has {', '.join(absent)}, which the model learned from: not compared.")
                known = [value for value in distances[name].values() if value is not None]
                if known:
                    numbers[name] = max(known)
        disparity = groups.disparity() if groups is not None else None
        if disparity is not None:
            numbers["Disparity"] = disparity
    if asked.labels:
        numbers["LabelledRows"] = len(outcomes)
        quality = outcomes.measure(asked.metric) if len(outcomes) >= MINIMUM else None
        if quality is None:
            notes.append(f"{len(outcomes)} labelled rows, from which {asked.metric} cannot be computed.")
        else:
            numbers["ModelQuality"] = quality
    report = {
        "model": asked.model,
        "environment": asked.environment,
        "until": until.isoformat(),
        "hours": asked.hours,
        "numbers": numbers,
        "distances": distances,
        "rates": groups.rates() if groups is not None else {},
        "notes": notes,
    }
    return numbers, report


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("model", "environment", "problem", "until", "capture", "baseline", "predictions", "out"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("data-drift", "prediction-drift", "labels", "metric", "attribute", "target"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--hours", required=True, type=int)
    parser.add_argument("--answers", help="where batch transforms write; left out, an endpoint answers")
    return parser.parse_args(argv)


def main(argv: Sequence[str], store: Any = None) -> None:
    asked = arguments(argv)
    numbers, report = watch(asked, store or Bucket())
    folder = pathlib.Path(asked.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=2, sort_keys=True))
    print(metric_lines(numbers, asked.model, asked.environment, datetime.now(timezone.utc)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
