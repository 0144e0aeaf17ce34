"""The grammar of a CloudWatch dashboard's body.

Source: CloudWatch API reference, "Dashboard body structure and syntax".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlestate.local.aws.json_text import Finding, parsed

# widget type -> the properties that it cannot do without
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "metric": ("region",),
    "text": ("markdown",),
    "log": ("query", "region"),
    "alarm": ("alarms",),
    "explorer": ("metrics", "aggregateBy", "labels"),
    "custom": ("endpoint",),
}
_VIEWS = ("timeSeries", "singleValue", "gauge", "bar", "pie", "table")
_RENDERED = ("label", "id", "expression", "visible", "stat", "period", "color", "yAxis", "region", "accountId")
_BOUNDS = (("x", 0, 23), ("y", 0, None), ("width", 1, 24), ("height", 1, 1000))
MOST = 500  # widgets


def dashboard(text: Any) -> Iterator[Finding]:
    """What CloudWatch refuses of a dashboard's body."""
    document = yield from parsed(text)
    if document is None:
        return
    for name in document:
        if name not in ("widgets", "start", "end", "periodOverride", "variables"):
            yield (name,), f"a dashboard has no field {name!r}"
    widgets = document.get("widgets")
    if not isinstance(widgets, list):
        yield ("widgets",), "a dashboard has a list of widgets"
        return
    if len(widgets) > MOST:
        yield ("widgets",), f"has {len(widgets)} widgets; at most {MOST} are allowed"
    for index, widget in enumerate(widgets):
        yield from ((("widgets", index, *where), sentence) for where, sentence in _widget(widget))


def _widget(widget: Mapping[str, Any]) -> Iterator[Finding]:
    kind = widget.get("type")
    if kind not in _WIDGETS:
        yield ("type",), f"expected one of {', '.join(_WIDGETS)}, got {kind!r}"
        return
    for name, least, most in _BOUNDS:
        value = widget.get(name, least)
        if not isinstance(value, int) or value < least or (most is not None and value > most):
            yield (name,), f"expected an integer from {least} to {most if most is not None else 'any'}, got {value!r}"
    x, width = widget.get("x", 0), widget.get("width", 6)
    if isinstance(x, int) and isinstance(width, int) and width <= 24 < x + width:
        yield ("width",), "a widget ends at column 24 at the latest"
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        yield ("properties",), "a widget has properties"
        return
    for name in _WIDGETS[str(kind)]:
        if name not in properties:
            yield ("properties", name), f"a {kind} widget needs {name}"
    if kind == "metric":
        yield from ((("properties", *where), sentence) for where, sentence in _metrics(properties))


def _metrics(properties: Mapping[str, Any]) -> Iterator[Finding]:
    if properties.get("view", "timeSeries") not in _VIEWS:
        yield ("view",), f"expected one of {', '.join(_VIEWS)}, got {properties['view']!r}"
    metrics = properties.get("metrics")
    alarms = (properties.get("annotations") or {}).get("alarms")
    if (metrics is None) == (not alarms):
        yield ("metrics",), "a metric widget shows metrics, or one alarm as annotations.alarms"
    for index, metric in enumerate(metrics or []):
        if not isinstance(metric, list) or not metric:
            yield (
                ("metrics", index),
                "a metric is a list: namespace, name, dimensions in pairs, and last how it is shown",
            )
            continue
        words = metric[:-1] if isinstance(metric[-1], dict) else metric
        shown = metric[-1] if isinstance(metric[-1], dict) else {}
        for name in shown:
            if name not in _RENDERED:
                yield ("metrics", index, name), f"unknown option {name!r}; allowed are {', '.join(_RENDERED)}"
        if not words and "expression" not in shown:
            yield ("metrics", index), "a metric without a name has an expression"
        elif words and (len(words) % 2 or not all(isinstance(word, str) for word in words)):
            yield ("metrics", index), f"a metric is a namespace, a name and dimensions in pairs, got {words!r}"
