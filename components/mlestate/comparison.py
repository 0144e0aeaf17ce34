"""Which of two versions is the better one, by what both were asked and answered and by what turned out to be true.

Pure, and of Python 3.8's standard library alone, because it goes into the container that reads the requests.

What decides is declared before anything is seen: strategy, metric, split, bound and the fewest requests. Then it is
judged once. Whoever looks every hour and stops at the first verdict that pleases is wrong more often than the five in
a hundred that stand here.

How sure a number is comes from a bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", chapters 6 and
12): the requests are drawn again, with replacement, and the spread of the metric over the draws is its standard error.
One way for every metric, where a formula would be another one for each and none is known for some. Requests are drawn,
not rows, because the rows of one request go to one version together. The lots are seeded, so an auditor who computes it
again gets the same verdict. An interval of 95 percent is the number and 1.96 standard errors to both sides.
"""

from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Statistic = Callable[[Sequence[Any]], "float | None"]

__all__ = [
    "LABELLED",
    "VERDICTS",
    "Estimate",
    "Evidence",
    "Quality",
    "Question",
    "Version",
    "bootstrap",
    "is_split",
    "judge",
    "less",
]

VERDICTS = {
    "promote": "the challenger takes over",
    "keep": "the champion stays",
    "undecided": "the champion stays, and nothing was learnt of the challenger",
}

LABELLED = 100
"""The fewest rows with a known outcome, of each version, that a metric is judged by."""

SIGMAS = statistics.NormalDist().inv_cdf(0.975)

NO_CHANCE = 0.001
"""How rare a split as uneven as the one that was seen must be before it is called broken. Usual for tests of sample
ratios, which would otherwise stop one good experiment in twenty."""

DRAWS = 400
"""A standard error is known to a few percent from as many (Efron and Tibshirani, chapter 6)."""

ROWS, REQUESTS = 4000, 30
"""About the most rows, and the fewest requests, that are drawn at a time. Of more rows fewer are drawn than there are,
and the spread is that of so few, times the root of their share."""


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true number lies 95 times in a hundred."""
        return self.value - SIGMAS * self.error, self.value + SIGMAS * self.error


class Version(NamedTuple):
    """What was seen of one version."""

    requests: int
    labelled: int = 0
    """How many of its rows have a known outcome."""


class Quality(NamedTuple):
    """The metric of both."""

    champion: Estimate
    challenger: Estimate
    improvement: Estimate
    """By how much the challenger is better: below zero it is worse, whichever way the metric goes."""


class Evidence(NamedTuple):
    """What was seen of both."""

    champion: Version
    challenger: Version
    quality: Quality | None = None
    """None where the metric cannot be computed."""
    pairs: int = 0
    """How many requests both answered."""
    different: int = 0
    """How many of these they answered differently."""

    @property
    def disagreement(self) -> float | None:
        return self.different / self.pairs if self.pairs else None


class Question(NamedTuple):
    """What was declared before."""

    strategy: str
    """``ab``, where each request goes to one of the two, or ``shadow``, where the challenger gets a copy."""
    minimum: int
    """The fewest requests to the challenger."""
    metric: str | None = None
    split: float | None = None
    """The share of requests that the challenger is to get, 0 to 1."""
    bound: float | None = None
    """The largest share of requests that the two may answer differently, 0 to 1."""


def bootstrap(requests: Sequence[Sequence[Any]], statistic: Statistic, seed: int = 0) -> Estimate | None:
    """A statistic of the rows of some requests; None where it cannot be computed of them or of most draws."""
    rows = [row for request in requests for row in request]
    value = statistic(rows) if rows else None
    if value is None:
        return None
    size = min(len(requests), max(REQUESTS, len(requests) * ROWS // len(rows)))
    lots = random.Random(seed)  # noqa: S311  # lots for a statistic keep no secret
    draws = [statistic([row for request in lots.choices(requests, k=size) for row in request]) for _ in range(DRAWS)]
    known = [each for each in draws if each is not None]
    if len(known) < DRAWS // 2:
        return None
    return Estimate(value, statistics.pstdev(known) * math.sqrt(size / len(requests)))


def less(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two numbers that know nothing of each other."""
    return Estimate(one.value - other.value, math.hypot(one.error, other.error))


def is_split(count: int, of: int, share: float) -> bool:
    """Whether so many of the requests can have come by chance where `share` of them was asked for."""
    spread = math.sqrt(of * share * (1 - share))
    return abs(count - of * share) <= statistics.NormalDist().inv_cdf(1 - NO_CHANCE / 2) * spread


def judge(asked: Question, seen: Evidence) -> tuple[str, str]:
    """The verdict, a key of `VERDICTS`, and its reason in a sentence.

    Raises:
        KeyError: there is no such strategy.
    """
    return {"ab": _ab, "shadow": _shadow}[asked.strategy](asked, seen)


def _ab(asked: Question, seen: Evidence) -> tuple[str, str]:
    mine, of = seen.challenger.requests, seen.champion.requests + seen.challenger.requests
    if asked.split is not None and not is_split(mine, of, asked.split):
        return "undecided", (
            f"The challenger got {mine} of {of} requests, which is {mine / of:.1%} where {asked.split:.0%} were asked "
            "for: that is no chance, so the two were not asked alike."
        )
    if mine < asked.minimum:
        return "undecided", _few(asked, seen)
    if not _labelled(seen):
        return "undecided", (
            f"Too few outcomes are known: of {seen.champion.labelled} rows that the champion answered and "
            f"{seen.challenger.labelled} of the challenger, and {LABELLED} of each are needed."
        )
    if seen.quality is None:
        return "undecided", f"{asked.metric} cannot be computed from what the two answered."
    low, high = seen.quality.improvement.interval
    if low > 0:
        return "promote", f"The challenger is better: {_numbers(asked, seen.quality)}."
    if high < 0:
        return "keep", f"The challenger is worse: {_numbers(asked, seen.quality)}."
    return "keep", f"The challenger is not better by more than chance: {_numbers(asked, seen.quality)}."


def _shadow(asked: Question, seen: Evidence) -> tuple[str, str]:
    share = seen.disagreement
    if seen.challenger.requests < asked.minimum:
        return "undecided", _few(asked, seen)
    if asked.bound is not None and seen.pairs < asked.minimum:
        return "undecided", (
            f"Of {seen.pairs} requests it is known what both answered, and {asked.minimum} are needed: the two answers "
            "to a request are found by the id that its caller sends."
        )
    answers = "Of no request is it known what both answered"
    if share is not None:
        answers = f"The two answered {share:.2%} of {seen.pairs} requests differently"
        if asked.bound is not None and share > asked.bound:
            return "keep", f"{answers}, and {asked.bound:.2%} are allowed."
    if seen.quality is None or not _labelled(seen):
        if share is None:
            return "undecided", f"{answers}, and too few outcomes are known: nothing was compared."
        return "promote", f"{answers}; too few outcomes are known to say which is better."
    numbers = _numbers(asked, seen.quality)
    if seen.quality.improvement.interval[1] < 0:
        return "keep", f"{answers}; the challenger is worse: {numbers}."
    return "promote", f"{answers}; the challenger is not worse by more than chance: {numbers}."


def _labelled(seen: Evidence) -> bool:
    return min(seen.champion.labelled, seen.challenger.labelled) >= LABELLED


def _few(asked: Question, seen: Evidence) -> str:
    return f"The challenger was asked {seen.challenger.requests} times, and {asked.minimum} are needed."


def _numbers(asked: Question, quality: Quality) -> str:
    low, high = quality.improvement.interval
    return (
        f"{asked.metric} {quality.challenger.value:.4g} against {quality.champion.value:.4g}, an improvement of "
        f"{quality.improvement.value:.3g} ({low:.3g} to {high:.3g} with 95 percent confidence)"
    )
