"""How good the answers of a window were, and to whom."""

# Python 3.8 has no zip(strict=).
# ruff: noqa: B905
from __future__ import annotations

import math
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from .values import MISSING, PREDICTION, alike, as_number, positive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Pairs = Sequence[tuple[float, float]]
    Scored = Sequence[tuple[bool, float]]

MINIMUM_GROUP = 30
"""The fewest rows of a group whose share of positive answers is compared."""


class Outcomes:
    """Answers beside what turned out to be true."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.truth: list[Any] = []
        self.answers: list[dict[str, Any]] = []

    def add(self, truth: Any, answer: dict[str, Any]) -> None:
        self.truth.append(truth)
        self.answers.append(answer)

    def __len__(self) -> int:
        return len(self.truth)

    def measure(self, metric: str) -> float | None:
        """The metric; None where the answers do not hold what it is computed from."""
        if self.problem == "regression":
            pairs = [(as_number(t), as_number(a.get(PREDICTION))) for t, a in zip(self.truth, self.answers)]
            numbers = [(t, a) for t, a in pairs if t is not None and a is not None]
            return REGRESSION[metric](numbers) if numbers else None
        if metric in SCORED:
            scored = [(positive(t), as_number(a.get("probability"))) for t, a in zip(self.truth, self.answers)]
            known = [(t, p) for t, p in scored if p is not None]
            return SCORED[metric](known) if known else None
        if metric == "accuracy":
            same = sum(alike(t, a.get(PREDICTION)) for t, a in zip(self.truth, self.answers))
            return same / len(self.truth)
        return counted(metric, [(positive(t), positive(a.get(PREDICTION))) for t, a in zip(self.truth, self.answers)])


def counted(metric: str, pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Precision, recall or F1 of the positive class; None where nothing is positive."""
    hits = sum(t and a for t, a in pairs)
    said, true = sum(a for _, a in pairs), sum(t for t, _ in pairs)
    if metric == "f1":
        return 2 * hits / (said + true) if said + true else None
    of = said if metric == "precision" else true
    return hits / of if of else None


def roc_auc(pairs: Scored) -> float | None:
    """The chance that a positive row scores above a negative one, a tie being half a chance."""
    ranks: dict[float, float] = {}
    seen = 0
    for score, count in sorted(Counter(p for _, p in pairs).items()):
        ranks[score] = seen + (count + 1) / 2
        seen += count
    positives = sum(t for t, _ in pairs)
    negatives = len(pairs) - positives
    if not positives or not negatives:
        return None
    total = sum(ranks[p] for t, p in pairs if t)
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(pairs: Scored) -> float | None:
    """Precision at every threshold, weighted by the recall that the threshold adds."""
    positives = sum(t for t, _ in pairs)
    if not positives:
        return None
    by_score: dict[float, list[bool]] = {}
    for truth, score in pairs:
        by_score.setdefault(score, []).append(truth)
    total = hits = seen = 0.0
    for score in sorted(by_score, reverse=True):
        added = sum(by_score[score])
        hits += added
        seen += len(by_score[score])
        total += added / positives * hits / seen
    return total


def log_loss(pairs: Scored) -> float:
    def clipped(p: float) -> float:
        return min(max(p, 1e-15), 1 - 1e-15)

    return -sum(math.log(clipped(p) if t else 1 - clipped(p)) for t, p in pairs) / len(pairs)


def brier(pairs: Scored) -> float:
    return sum((p - t) ** 2 for t, p in pairs) / len(pairs)


SCORED: dict[str, Callable[[Any], float | None]] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
}


def r2(pairs: Pairs) -> float | None:
    mean = sum(t for t, _ in pairs) / len(pairs)
    spread = sum((t - mean) ** 2 for t, _ in pairs)
    return 1 - sum((t - a) ** 2 for t, a in pairs) / spread if spread else None


def mse(pairs: Pairs) -> float:
    return sum((t - a) ** 2 for t, a in pairs) / len(pairs)


REGRESSION: dict[str, Callable[[Any], float | None]] = {
    "mae": lambda pairs: sum(abs(t - a) for t, a in pairs) / len(pairs),
    "mape": lambda pairs: sum(abs(t - a) / max(abs(t), sys.float_info.epsilon) for t, a in pairs) / len(pairs),
    "mse": mse,
    "rmse": lambda pairs: math.sqrt(mse(pairs)),
    "r2": r2,
}


class Groups:
    """The share of positive answers, by group of people."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute
        self.rows: Counter[str] = Counter()
        self.positive: Counter[str] = Counter()

    def add(self, row: dict[str, Any], answer: dict[str, Any]) -> None:
        group = str(row.get(self.attribute, MISSING))
        self.rows[group] += 1
        self.positive[group] += positive(answer.get(PREDICTION))

    def rates(self) -> dict[str, float]:
        large = {group: count for group, count in self.rows.items() if count >= MINIMUM_GROUP and group != MISSING}
        return {group: self.positive[group] / count for group, count in large.items()}

    def disparity(self) -> float | None:
        """The largest difference of two groups; None where fewer than two are large enough."""
        rates = self.rates()
        return max(rates.values()) - min(rates.values()) if len(rates) > 1 else None
