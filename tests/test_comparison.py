"""Which of two versions is better: the judgement, and the statistics that it stands on, against known ones.

Proves nothing of how requests are read, nor that a real endpoint splits them as it says.
"""

import ast
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path

import pytest

from mlestate import comparison
from mlestate.comparison import (
    LABELLED,
    VERDICTS,
    Estimate,
    Evidence,
    Quality,
    Question,
    Version,
    bootstrap,
    is_split,
    judge,
    less,
)

AB = Question("ab", minimum=1000, metric="roc_auc", split=0.5)
SHADOW = Question("shadow", minimum=1000, metric="roc_auc", bound=0.1)


def lots(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # data of a test keep no secret


def mean(rows: Sequence[float]) -> float:
    return sum(rows) / len(rows)


def alone(rows: Sequence[float]) -> list[list[float]]:
    """Requests of one row each."""
    return [[row] for row in rows]


def quality(champion: float, challenger: float, improvement: float, error: float) -> Quality:
    return Quality(Estimate(champion, 0.01), Estimate(challenger, 0.01), Estimate(improvement, error))


def seen(better_by: float = 0.0, error: float = 0.01, **more: object) -> Evidence:
    usual: dict[str, object] = {
        "champion": Version(2000, 500),
        "challenger": Version(2000, 500),
        "quality": quality(0.8, 0.8 + better_by, better_by, error),
    }
    return Evidence(**{**usual, **more})  # type: ignore[arg-type]  # a table of cases names its fields as text


@pytest.mark.parametrize("size", [50, 500, 20_000])
def test_the_error_of_a_mean_is_the_one_of_the_textbook(size: int) -> None:
    """The spread over the root of the number; the third is of more rows than are drawn at a time."""
    drawn = lots(7)
    rows = [drawn.gauss(10, 3) for _ in range(size)]
    found = bootstrap(alone(rows), mean)
    assert found is not None
    spread = math.sqrt(sum((row - mean(rows)) ** 2 for row in rows) / size)
    assert found.value == pytest.approx(mean(rows))
    assert found.error == pytest.approx(spread / math.sqrt(size), rel=0.12), "400 draws know it to a few percent"


def test_the_error_of_a_share_is_the_one_of_the_binomial() -> None:
    rows = [1.0] * 300 + [0.0] * 700
    found = bootstrap(alone(rows), mean)
    assert found is not None
    assert found.error == pytest.approx(math.sqrt(0.3 * 0.7 / 1000), rel=0.12)
    low, high = found.interval
    assert (low, high) == pytest.approx((0.3 - 1.96 * found.error, 0.3 + 1.96 * found.error), abs=1e-4)


def test_rows_of_one_request_are_no_rows_apart() -> None:
    """Ten rows that are always alike say what one says: taken for ten, they would look three times as sure."""
    values = [float(at % 2) for at in range(200)]
    together = bootstrap([[value] * 10 for value in values], mean)
    single = bootstrap(alone(values), mean)
    assert together is not None
    assert single is not None
    assert together.error == pytest.approx(single.error, rel=0.12)


def test_the_interval_holds_the_truth_95_times_in_a_hundred() -> None:
    """As many of 200 as a binomial of 95 percent gives nearly always: four sigmas around 190."""
    drawn = lots(11)
    held = 0
    for seed in range(200):
        found = bootstrap(alone([drawn.gauss(1, 2) for _ in range(100)]), mean, seed)
        assert found is not None
        low, high = found.interval
        held += low <= 1 <= high
    assert 178 <= held <= 199


def test_a_challenger_that_is_no_better_is_seldom_taken_for_better() -> None:
    """Both from one coin, 200 times: an interval of 95 percent lies above zero in 2.5 percent of them, in five."""
    drawn = lots(3)
    promoted = 0
    for seed in range(200):
        one, other = (
            bootstrap(alone([float(drawn.random() < 0.7) for _ in range(100)]), mean, 2 * seed + side)
            for side in range(2)
        )
        assert one is not None
        assert other is not None
        found = seen(quality=Quality(one, other, less(other, one)))
        promoted += judge(AB, found)[0] == "promote"
    assert promoted <= 13, "four sigmas above what chance alone promotes"


def test_the_same_requests_get_the_same_verdict_whoever_computes_it_again() -> None:
    rows = alone([float(at % 3) for at in range(300)])
    assert bootstrap(rows, mean) == bootstrap(rows, mean)
    assert bootstrap(rows, mean) != bootstrap(rows, mean, seed=1)


def test_what_cannot_be_computed_is_nothing_and_no_number() -> None:
    assert bootstrap([], mean) is None
    assert bootstrap(alone([1.0]), lambda rows: None) is None
    drawn = iter([0.5, *([None] * 201), *([0.5] * 199)])
    assert bootstrap(alone([1.0] * 200), lambda rows: next(drawn)) is None, "nor what most draws do not give"


def test_two_errors_add_as_independent_ones_do() -> None:
    assert less(Estimate(5, 3), Estimate(1, 4)) == Estimate(4, 5)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_a_split_is_broken_where_the_binomial_says_that_it_is(share: float) -> None:
    """Exactly: the chance of a split at least as uneven, twice that of the smaller tail."""
    of = 900
    chances = [comb(of, at) * share**at * (1 - share) ** (of - at) for at in range(of + 1)]
    for count in range(of + 1):
        exact = 2 * min(sum(chances[: count + 1]), sum(chances[count:]))
        if not 0.0003 < exact < 0.003:  # about the bound itself the normal distribution is not quite the binomial
            assert is_split(count, of, share) == (exact > 0.001), f"{count} of {of}: {exact}"
    assert not is_split(0, of, share)
    assert is_split(round(of * share), of, share)


@dataclass(frozen=True)
class Case:
    asked: Question
    seen: Evidence
    verdict: str
    reason: str


CASES = {
    "an A/B test that the challenger wins": Case(
        AB,
        seen(0.05),
        "promote",
        "The challenger is better: roc_auc 0.85 against 0.8, an improvement of 0.05 (0.0304 to 0.0696 with 95 percent "
        "confidence).",
    ),
    "one that it loses": Case(
        AB,
        seen(-0.05),
        "keep",
        "The challenger is worse: roc_auc 0.75 against 0.8, an improvement of -0.05 (-0.0696 to -0.0304 with 95 "
        "percent confidence).",
    ),
    "one that it wins by chance": Case(
        AB,
        seen(0.015),
        "keep",
        "The challenger is not better by more than chance: roc_auc 0.815 against 0.8, an improvement of 0.015 "
        "(-0.0046 to 0.0346 with 95 percent confidence).",
    ),
    "one with too few requests": Case(
        AB,
        seen(0.05, champion=Version(990, 500), challenger=Version(999, 500)),
        "undecided",
        "The challenger was asked 999 times, and 1000 are needed.",
    ),
    "one without outcomes": Case(
        AB,
        seen(champion=Version(2000, 0), challenger=Version(2000, 0), quality=None),
        "undecided",
        f"Too few outcomes are known: of 0 rows that the champion answered and 0 of the challenger, and {LABELLED} of "
        "each are needed.",
    ),
    "one with outcomes for one of them": Case(
        AB,
        seen(0.5, champion=Version(2000, 500), challenger=Version(2000, 99)),
        "undecided",
        f"Too few outcomes are known: of 500 rows that the champion answered and 99 of the challenger, and {LABELLED} "
        "of each are needed.",
    ),
    "one whose metric nobody can compute": Case(
        AB, seen(quality=None), "undecided", "roc_auc cannot be computed from what the two answered."
    ),
    "one whose split is broken": Case(
        AB,
        seen(0.05, champion=Version(3000, 500), challenger=Version(2500, 500)),
        "undecided",
        "The challenger got 2500 of 5500 requests, which is 45.5% where 50% were asked for: that is no chance, so the "
        "two were not asked alike.",
    ),
    "one that a broken split starves": Case(
        AB,
        seen(0.05, champion=Version(3000, 500), challenger=Version(0)),
        "undecided",
        "The challenger got 0 of 3000 requests, which is 0.0% where 50% were asked for: that is no chance, so the two "
        "were not asked alike.",
    ),
    "one that nobody asked": Case(
        AB,
        Evidence(Version(0), Version(0)),
        "undecided",
        "The challenger was asked 0 times, and 1000 are needed.",
    ),
    "a shadow that answers alike": Case(
        SHADOW,
        seen(quality=None, pairs=1500, different=30, champion=Version(9000), challenger=Version(1600)),
        "promote",
        "The two answered 2.00% of 1500 requests differently; too few outcomes are known to say which is better.",
    ),
    "a shadow at its bound": Case(
        SHADOW,
        seen(quality=None, pairs=1500, different=150),
        "promote",
        "The two answered 10.00% of 1500 requests differently; too few outcomes are known to say which is better.",
    ),
    "a shadow beyond its bound": Case(
        SHADOW,
        seen(0.05, pairs=1500, different=151),
        "keep",
        "The two answered 10.07% of 1500 requests differently, and 10.00% are allowed.",
    ),
    "a shadow that turns out worse": Case(
        SHADOW,
        seen(-0.05, pairs=1500, different=30),
        "keep",
        "The two answered 2.00% of 1500 requests differently; the challenger is worse: roc_auc 0.75 against 0.8, an "
        "improvement of -0.05 (-0.0696 to -0.0304 with 95 percent confidence).",
    ),
    "a shadow that turns out no worse": Case(
        SHADOW,
        seen(-0.01, pairs=1500, different=30),
        "promote",
        "The two answered 2.00% of 1500 requests differently; the challenger is not worse by more than chance: roc_auc "
        "0.79 against 0.8, an improvement of -0.01 (-0.0296 to 0.0096 with 95 percent confidence).",
    ),
    "a shadow worse on a handful of outcomes": Case(
        SHADOW,
        seen(-0.5, pairs=1500, different=30, champion=Version(2000, 99), challenger=Version(2000, 99)),
        "promote",
        "The two answered 2.00% of 1500 requests differently; too few outcomes are known to say which is better.",
    ),
    "a shadow that got too few copies": Case(
        SHADOW,
        seen(pairs=999, challenger=Version(999)),
        "undecided",
        "The challenger was asked 999 times, and 1000 are needed.",
    ),
    "a shadow whose answers cannot be matched": Case(
        SHADOW,
        seen(pairs=12),
        "undecided",
        "Of 12 requests it is known what both answered, and 1000 are needed: the two answers to a request are found by "
        "the id that its caller sends.",
    ),
    "a shadow without a bound whose answers cannot be matched": Case(
        SHADOW._replace(bound=None),
        seen(quality=None),
        "undecided",
        "Of no request is it known what both answered, and too few outcomes are known: nothing was compared.",
    ),
    "a shadow without a bound that differs all the time": Case(
        SHADOW._replace(bound=None),
        seen(quality=None, pairs=2000, different=2000),
        "promote",
        "The two answered 100.00% of 2000 requests differently; too few outcomes are known to say which is better.",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_verdict_and_its_reason(case: Case) -> None:
    assert judge(case.asked, case.seen) == (case.verdict, case.reason)


def test_every_verdict_there_is_can_be_the_outcome_of_both_strategies() -> None:
    for strategy in ("ab", "shadow"):
        assert {case.verdict for case in CASES.values() if case.asked.strategy == strategy} == set(VERDICTS)
    with pytest.raises(KeyError):
        judge(AB._replace(strategy="canary"), seen())


def test_the_contract_says_how_many_truths_a_verdict_takes() -> None:
    contract = (Path(__file__).parents[1] / "docs" / "contract.md").read_text()
    assert f"without at least {LABELLED} for each of them nothing is decided" in contract


def test_the_judgement_can_be_shipped_alone() -> None:
    """Syntax and imports of Python 3.8; what its library lacks beyond these is for the image to prove."""
    tree = ast.parse(Path(comparison.__file__).read_text(), feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(each.name in sys.stdlib_module_names for each in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.module in ("__future__", "typing", "collections.abc"), node.module
