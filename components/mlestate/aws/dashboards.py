"""The page on which a model's signals stand side by side. Plain data: no SDK."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlestate.aws.alarms import Alarm, Metric

__all__ = ["body"]

WIDTH, HEIGHT = 12, 6
"""Of a graph, on CloudWatch's grid of 24 columns."""


def body(
    title: str,
    region: str,
    alarms: Mapping[str, Alarm],
    arns: Sequence[str],
    dimensions: Mapping[str, Mapping[str, str]],
) -> str:
    """The dashboard as canonical JSON (CloudWatch API, "Dashboard body structure and syntax").

    ``alarms`` by what they are called; ``arns`` are those of all, composite ones included; ``dimensions`` by what a
    metric is of. First the state of every alarm, then a graph of each number with its bounds.
    """
    state = {
        "type": "alarm",
        "x": 0,
        "y": 0,
        "width": 2 * WIDTH,
        "height": 3,
        "properties": {"title": title, "alarms": sorted(arns)},
    }
    graphs = [
        {
            "type": "metric",
            "x": index % 2 * WIDTH,
            "y": 3 + index // 2 * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "properties": _graph(alarm, region, dimensions),
        }
        for index, alarm in enumerate(alarms.values())
    ]
    return json.dumps({"widgets": [state, *graphs]}, sort_keys=True, separators=(",", ":"))


def _graph(alarm: Alarm, region: str, dimensions: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    rows: list[list[Any]] = [
        [*_metric(metric, dimensions), {"id": key, "stat": metric.statistic, "visible": alarm.expression is None}]
        for key, metric in alarm.metrics.items()
    ]
    if alarm.expression is not None:
        rows.append([{"expression": alarm.expression, "id": "number", "label": alarm.title}])
    bounds = [("at most", alarm.bound.max), ("at least", alarm.bound.min)]
    return {
        "title": alarm.title,
        "region": region,
        "period": alarm.seconds,
        "metrics": rows,
        "annotations": {"horizontal": [{"label": word, "value": at} for word, at in bounds if at is not None]},
    }


def _metric(metric: Metric, dimensions: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [metric.namespace, metric.name, *(word for pair in dimensions[metric.of].items() for word in pair)]
