"""How far the rows of a window lie from the baseline, column by column."""

# Python 3.8 has no zip(strict=).
# ruff: noqa: B905
from __future__ import annotations

import bisect
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from .values import MISSING, OTHER, as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Numbers = Sequence[float]

FLOOR = 1e-4
"""What an empty bin counts as, where an index divides by it."""


def psi(expected: Numbers, observed: Numbers, ordered: bool) -> float:
    """Population stability index: 0 for no change, above 0.2 commonly taken for a large one."""
    pairs = [(max(e, FLOOR), max(o, FLOOR)) for e, o in zip(expected, observed)]
    return sum((o - e) * math.log(o / e) for e, o in pairs)


def js(expected: Numbers, observed: Numbers, ordered: bool) -> float:
    """Jensen-Shannon divergence to the base 2: 0 for the same, 1 for nothing in common."""

    def half(left: Numbers, middle: Numbers) -> float:
        return sum(p * math.log2(p / m) for p, m in zip(left, middle) if p > 0)

    middle = [(e + o) / 2 for e, o in zip(expected, observed)]
    return (half(expected, middle) + half(observed, middle)) / 2


def ks(expected: Numbers, observed: Numbers, ordered: bool) -> float:
    """Kolmogorov-Smirnov: the largest distance of the cumulated shares; of categories, which have no order, as linf."""
    if not ordered:
        return linf(expected, observed, ordered)
    largest = gap = 0.0
    for e, o in zip(expected, observed):
        gap += o - e
        largest = max(largest, abs(gap))
    return largest


def linf(expected: Numbers, observed: Numbers, ordered: bool) -> float:
    """The largest difference of the share of one bin."""
    return max((abs(o - e) for e, o in zip(expected, observed)), default=0.0)


DISTANCES: dict[str, Callable[[Numbers, Numbers, bool], float]] = {"psi": psi, "js": js, "ks": ks, "linf": linf}


class Feature:
    """The baseline of one column, and the rows counted into its bins."""

    def __init__(self, statistics: dict[str, Any]) -> None:
        self.name = statistics["name"]
        kind = "numerical_statistics" if "numerical_statistics" in statistics else "string_statistics"
        found = statistics.get(kind, {})
        distribution = found.get("distribution", {})
        self.numeric = kind == "numerical_statistics"
        if self.numeric:
            buckets = sorted(distribution.get("kll", {}).get("buckets", []), key=lambda each: each["lower_bound"])
            self.bounds = [each["lower_bound"] for each in buckets[1:]]
            self.bins = list(map(str, range(len(buckets))))
        else:
            buckets = distribution.get("categorical", {}).get("buckets", [])
            self.bounds = []
            self.bins = [each["value"] for each in buckets]
        counts = [each["count"] for each in buckets]
        present = found.get("common", {}).get("num_present", sum(counts))
        # A baseline may name the most frequent categories alone: the rest of the rows are others.
        self.expected = dict(zip(self.bins, counts))
        self.expected[OTHER] = max(0, present - sum(counts))
        self.expected[MISSING] = found.get("common", {}).get("num_missing", 0)
        self.bins += [OTHER, MISSING]
        self.known = frozenset(self.bins)
        self.observed: Counter[str] = Counter()
        self.seen = False

    def add(self, row: dict[str, Any]) -> None:
        self.seen = self.seen or self.name in row
        self.observed[self.bin_of(row.get(self.name))] += 1

    def bin_of(self, value: Any) -> str:
        if value is None or value == "":
            return MISSING
        if not self.numeric:
            return str(value) if str(value) in self.known else OTHER
        number = as_number(value)
        if number is None:
            return OTHER
        return str(bisect.bisect_right(self.bounds, number))

    def distance(self, metric: str) -> float | None:
        expected, observed = sum(self.expected.values()), sum(self.observed.values())
        if not expected or not observed:
            return None
        return DISTANCES[metric](
            [self.expected[each] / expected for each in self.bins],
            [self.observed[each] / observed for each in self.bins],
            self.numeric,
        )
