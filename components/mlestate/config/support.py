"""What each cloud can do and what is built: nothing in the file is silently ignored.

`CANNOT` says what a cloud has no way to do, with the alternative. `BUILT` lists what has resources today; anything else
that a user wrote is refused by name until it has. Defaults are never refused: only what stands in the file counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mlestate.config.layers import without_environment
from mlestate.config.tree import Node, Path, dotted


@dataclass(frozen=True)
class Limit:
    """A value that a cloud cannot honour. `pattern` is a path with * for names; `applies` tells from the value."""

    cloud: str
    pattern: str
    applies: Callable[[object], bool]
    sentence: str


def _restricts_days(value: object) -> bool:
    fields = value.split() if isinstance(value, str) else []
    return len(fields) == 5 and (fields[2] != "*" or fields[3] != "*")


CANNOT: tuple[Limit, ...] = (
    # Vertex AI, "Choose an endpoint type" and azure-native OnlineDeployment: machines are named and stay on.
    Limit(
        "gcp",
        "models.*.serving.mode",
        lambda value: value == "serverless",
        "Vertex AI has no serverless endpoint for a model of one's own. Use batch, which costs nothing while idle, or "
        "realtime with replicas: {min: 1}.",
    ),
    Limit(
        "azure",
        "models.*.serving.mode",
        lambda value: value == "serverless",
        "Azure ML's serverless endpoints serve only models of its catalog. Use batch, which costs nothing while idle, "
        "or realtime with replicas: {min: 1}.",
    ),
    Limit(
        "gcp",
        "models.*.serving.mode",
        lambda value: value == "async",
        "Vertex AI has no asynchronous endpoint. Use batch for large requests.",
    ),
    Limit(
        "azure",
        "models.*.serving.mode",
        lambda value: value == "async",
        "Azure ML has no asynchronous endpoint. Use batch for large requests.",
    ),
    # Azure ML, "Safe rollout for online endpoints": at most 50 percent of the traffic can be mirrored.
    Limit(
        "azure",
        "models.*.serving.rollout.sample",
        lambda value: isinstance(value, int | float) and value > 0.5,
        "Azure ML mirrors at most half of the traffic. Use a sample of 0.5 or less.",
    ),
    # Azure EOL announcements: low-priority machines of Azure ML ended on 2026-03-31.
    Limit(
        "azure",
        "models.*.training.spot",
        lambda value: value is True,
        "Azure ML gave up low-priority machines on 2026-03-31. Remove the line; machines still stop when a run ends.",
    ),
    # Azure ML, "Schedule machine learning pipeline jobs": DAYS and MONTHS of a cron expression are not supported.
    Limit(
        "azure",
        "models.*.training.schedule",
        _restricts_days,
        "Azure ML's schedules know no day of the month and no month. Put * in the third and fourth place of the cron "
        "expression.",
    ),
    Limit(
        "azure",
        "models.*.monitoring.schedule",
        _restricts_days,
        "Azure ML's schedules know no day of the month and no month. Put * in the third and fourth place of the cron "
        "expression.",
    ),
    # Azure ML workspaces speak the MLflow protocol by themselves.
    Limit(
        "azure",
        "tracking.server",
        lambda value: value == "managed",
        "an Azure ML workspace has MLflow tracking built in, so there is no server to start. Remove the block.",
    ),
)

_COMMON: Mapping[str, frozenset[object] | None] = {
    "version": None,
    "name": None,
    "cloud": None,
    "region": None,
    "owner": None,
    "tags.**": None,
    "residency": None,
    "network": frozenset({"public"}),
    "encryption": None,
    "encryption.existing.data": None,
    "environments.*.protect": None,
    "data.datasets.*.path": None,
    "data.datasets.*.format": frozenset({"parquet"}),
    "data.datasets.*.retention": None,
    "tracking.server": frozenset({"none"}),
    "models.*.problem": None,
    "models.*.owner": None,
    "models.*.risk": None,
}

BUILT: Mapping[str, Mapping[str, frozenset[object] | None]] = {
    "aws": {
        **_COMMON,
        "data.datasets.*.format": None,
        "data.datasets.*.columns.*": None,
        "data.lake_formation.**": None,
        "features.**": None,
        "tracking.server": None,
        "tracking.size": None,
        "tracking.uri": None,
        "account": None,
        "network": None,
        "network.existing.**": None,
        "encryption.existing.audit": None,
        "people.data_scientists": None,
        "people.ml_engineers": None,
        "people.approvers": None,
        "people.operators": None,
        "people.auditors": None,
        "ci.**": None,
        "audit.**": None,
        "promotion.**": None,
        "models.*.serving.rollout.**": None,
        "models.*.monitoring.on_breach": None,
        "models.*.monitoring.retrain.**": None,
        "alerts.**": None,
        "models.*.monitoring.schedule": None,
        "models.*.monitoring.data_drift.**": None,
        "models.*.monitoring.prediction_drift.**": None,
        "models.*.monitoring.model_quality.**": None,
        "models.*.monitoring.service.**": None,
        "models.*.monitoring.aws.**": None,
        "environments.*.account": None,
        "environments.*.deploy_role": None,
        "environments.*.mirrors": None,
        "environments.*.scale": None,
        "environments.*.monthly_budget_usd": None,
        "environments.*.anomaly_monitor": None,
        "environments.*.off_hours.**": None,
        "environments.*.stop_idle_after": None,
        "models.*.automated_decision": None,
        "models.*.data.**": None,
        "models.*.training.**": None,
        "models.*.gates.**": None,
        "models.*.serving.mode": None,
        "models.*.serving.schedule": None,
        "models.*.serving.input": None,
        "models.*.serving.output": None,
        "models.*.serving.raw.**": None,
        "models.*.serving.compute": None,
        "models.*.serving.replicas.**": None,
        "models.*.serving.initial_version": None,
        "models.*.serving.capture.**": None,
        "models.*.serving.aws.**": None,
        "models.*.serving.gcp.**": None,
        "models.*.serving.azure.**": None,
    },
    "gcp": {
        **_COMMON,
        "project": None,
        "environments.*.project": None,
        "models.*.serving.mode": frozenset({"none"}),
    },
    "azure": {
        **_COMMON,
        "subscription": None,
        "environments.*.subscription": None,
        "models.*.serving.mode": frozenset({"none"}),
    },
}
"""The paths whose values become resources today; `**` takes in everything below. A set names the values that do."""

_CONSEQUENCES: Mapping[str, str] = {
    "people": "no one would get a role",
    "ci": "no pipeline outside could act",
    "alerts": "no one would be told of anything",
    "audit": "no trail would be kept",
    "network": "nothing would be kept off the internet",
    "promotion": "no version would move between environments",
    "features": "there would be no feature store",
    "tracking": "there would be no tracking server",
    "environments.*.mirrors": "nothing would be mirrored",
    "environments.*.scale": "nothing would be scaled",
    "environments.*.monthly_budget_usd": "no one would be told of the spend",
    "environments.*.off_hours": "nothing would stop at night",
    "environments.*.stop_idle_after": "nothing idle would stop",
    "data.datasets.*.format": "nothing would read the files by their format",
    "encryption.existing.audit": "there is no trail to encrypt",
    "models.*.data": "nothing would train this model on it",
    "models.*.data.features": "this model would get no features",
    "models.*.automated_decision": "no decision would be captured, explained or recorded",
    "models.*.training": "nothing would train this model",
    "models.*.gates": "nothing would judge this model",
    "models.*.serving": "nothing would serve this model",
    "models.*.serving.schedule": "no batch run would start",
    "models.*.serving.rollout": "every new version would simply replace the last",
    "models.*.serving.capture": "no request would be kept",
    "models.*.monitoring": "nothing would watch this model",
}


def check(tree: Node, cloud: str) -> Iterator[tuple[Path, str]]:
    """Everything written that the cloud cannot honour or that is not built yet: the path as written, and why."""
    built = {tuple(pattern.split(".")): values for pattern, values in BUILT[cloud].items()}
    refused: set[Path] = set()
    for path, node in tree.walk():
        if not path or isinstance(path[-1], int) or (isinstance(node.value, dict) and node.value):
            continue
        general = _general(path)
        limit = _limit(cloud, general, node.value)
        if limit is not None:
            yield (
                path,
                f"'{node.value}' cannot be had on {cloud}: {limit.sentence}"
                if isinstance(node.value, str)
                else f"{node.plain or node.value} cannot be had on {cloud}: {limit.sentence}",
            )
            continue
        found = _unbuilt(general, node.value, built)
        if found is None:
            continue
        length, values = found
        block = path[: length + len(path) - len(general)]
        around = tree.at(block)
        written_at = block if around is None else around.written_at or block
        if any(at[:length] in refused for at in (block, written_at) for length in range(1, len(at) + 1)):
            continue
        refused.add(block)
        consequence = _consequence(general[:length])
        if values is not None:
            yield (
                block,
                f"'{node.value}' is not built yet on {cloud}: {consequence}. Built so far: {', '.join(values)}.",
            )
        else:
            noun = "the block" if length < len(general) or isinstance(node.value, dict) else "the line"
            yield block, f"{dotted(block)} is not built yet on {cloud}: {consequence}. Remove {noun}."


def _general(path: Path) -> tuple[str, ...]:
    """The path with the layers folded: what stands in `defaults` or for one environment is a model's."""
    parts = tuple(str(part) for part in path)
    return ("models", "*", *parts[1:]) if parts[0] == "defaults" else without_environment(parts) or parts


def matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a pattern of `BUILT` or `CANNOT`, split at its dots, takes in a path."""
    if pattern[-1] == "**":
        return len(path) >= len(pattern) - 1 and matches(pattern[:-1], path[: len(pattern) - 1])
    return len(pattern) == len(path) and all(
        want in ("*", have) or have == "*" for want, have in zip(pattern, path, strict=True)
    )


def _leads(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether something built lies at or below `path`."""
    return len(path) <= len(pattern) and matches(pattern[: len(path)], path)


def _limit(cloud: str, path: tuple[str, ...], value: object) -> Limit | None:
    for limit in CANNOT:
        if limit.cloud == cloud and matches(tuple(limit.pattern.split(".")), path) and limit.applies(value):
            return limit
    return None


def _unbuilt(
    path: tuple[str, ...], value: object, built: Mapping[tuple[str, ...], frozenset[object] | None]
) -> tuple[int, tuple[str, ...] | None] | None:
    """How many parts of the path name the smallest block that is not built, and the values that are; None if built."""
    for pattern, values in built.items():
        if matches(pattern, path):
            if values is None or isinstance(value, dict | list) or value in values:
                return None if values is None or not isinstance(value, dict | list) else (len(path), None)
            return len(path), tuple(sorted(map(str, values)))
    for length in range(1, len(path) + 1):
        if not any(_leads(path[:length], pattern) for pattern in built):
            return length, None
    return None


def _consequence(path: tuple[str, ...]) -> str:
    for length in range(len(path), 0, -1):
        for pattern, words in _CONSEQUENCES.items():
            if matches(tuple(pattern.split(".")), path[:length]):
                return words
    return "nothing would come of it"
