"""One comparison."""

# Python 3.8 has neither zip(strict=) nor datetime.UTC, and what a job prints is its log.
# ruff: noqa: B905, T201, UP017
from __future__ import annotations

import argparse
import json
import math
import pathlib
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from mlestate.comparison import Evidence, Quality, Question, Version, bootstrap, judge, less

from ..monitor.capture import Bucket, answers, captured, hours, labels
from ..monitor.outcomes import REGRESSION, SCORED, Outcomes
from ..monitor.values import PREDICTION, alike, as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlestate.comparison import Estimate

    Answers = Sequence[dict[str, Any]]
    Measure = Callable[[Sequence[Any]], "float | None"]

TOLERANCE = 0.01
"""How far two numbers may lie apart, as a share of the larger, to be the same answer: no two models that were trained
apart ever give the very same number."""

COUNTED = ("accuracy", "f1", "precision", "recall")
"""What is counted of classes; all other metrics of a classifier are of its scores."""


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def folders(since: datetime, until: datetime) -> Iterator[str]:
    """The hours that a stretch of time touches."""
    first = since.replace(minute=0, second=0, microsecond=0)
    count = math.ceil((until - first) / timedelta(hours=1))
    return hours(first + timedelta(hours=count), count)


def within(lines: Iterator[str], since: datetime, until: datetime) -> Iterator[str]:
    """The captured requests of a stretch of time: its first and last hour hold others too."""
    for line in lines:
        if line.strip() and since <= moment(json.loads(line)["eventMetadata"]["inferenceTime"]) < until:
            yield line


class Side:
    """What one of the two answered: requests by their number, and the numbers by id."""

    def __init__(self, asked: argparse.Namespace, store: Any, prefix: str) -> None:
        since, until = moment(asked.since), moment(asked.until)
        self.answers: list[Answers] = []
        self.ids: list[Sequence[str]] = []
        self.by_id: dict[str, int] = {}
        for hour in folders(since, until):
            for ids, bodies in captured(within(store.lines(f"{prefix}{hour}/"), since, until)):
                self.by_id.update({each: len(self.ids) for each in ids})
                self.ids.append(ids)
                self.answers.append(answers(bodies["endpointOutput"], asked.problem))

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, ids: Sequence[str]) -> Answers | None:
        """What it answered to the request of one of these ids."""
        place = next((self.by_id[each] for each in ids if each in self.by_id), None)
        return None if place is None else self.answers[place]


def measure(asked: argparse.Namespace) -> Measure | None:
    """The metric of rows, each a true outcome and an answer; None where no metric was asked for, or where only the
    model's own repository can compute it."""
    known = REGRESSION if asked.problem == "regression" else (*SCORED, *COUNTED)
    if asked.metric not in known:
        return None

    def of(rows: Sequence[Any]) -> float | None:
        outcomes = Outcomes(asked.problem)
        for truth, answer in rows:
            outcomes.add(truth, answer)
        return outcomes.measure(asked.metric)

    return of


def outcomes_by_id(asked: argparse.Namespace, store: Any) -> dict[str, list[str]]:
    truths: dict[str, list[str]] = {}
    if asked.labels:
        for hour in folders(moment(asked.since), moment(asked.until)):
            truths.update(labels(store.lines(f"{asked.labels}{hour}/")))
    return truths


def truth_of(ids: Sequence[str], truths: dict[str, list[str]]) -> Sequence[str]:
    return next((truths[each] for each in ids if each in truths), ())


def labelled(side: Side, truths: dict[str, list[str]]) -> list[list[Any]]:
    """Requests of which outcomes are known, each a list of rows."""
    found = ([*zip(truth_of(ids, truths), said)] for ids, said in zip(side.ids, side.answers))
    return [rows for rows in found if rows]


def apart(asked: argparse.Namespace, champion: Side, challenger: Side, truths: dict[str, list[str]]) -> Evidence:
    """Each request went to one of the two."""
    of, rows = measure(asked), [labelled(each, truths) for each in (champion, challenger)]
    quality = None
    if of is not None:
        one, other = (bootstrap(each, of, seed) for seed, each in enumerate(rows))
        if one is not None and other is not None:
            quality = Quality(one, other, less(*((other, one) if asked.better == "higher" else (one, other))))
    first, second = (Version(len(side), sum(map(len, each))) for side, each in zip((champion, challenger), rows))
    return Evidence(first, second, quality)


def together(asked: argparse.Namespace, champion: Side, challenger: Side, truths: dict[str, list[str]]) -> Evidence:
    """The challenger got copies of requests. What differs is then the answers alone, never what was asked."""
    pairs = different = 0
    requests: list[list[Any]] = []
    for ids, theirs in zip(champion.ids, champion.answers):
        mine = challenger.find(ids)
        if mine is None:
            continue
        pairs += 1
        different += differ(theirs, mine, asked.problem)
        if rows := [*zip(truth_of(ids, truths), theirs, mine)]:
            requests.append(rows)
    known = sum(map(len, requests))
    return Evidence(
        Version(len(champion), known), Version(len(challenger), known), _paired(asked, requests), pairs, different
    )


def _paired(asked: argparse.Namespace, requests: list[list[Any]]) -> Quality | None:
    of, sign = measure(asked), 1 if asked.better == "higher" else -1
    if of is None:
        return None

    def theirs(rows: Sequence[Any]) -> float | None:
        return of([(truth, answer) for truth, answer, _ in rows])

    def mine(rows: Sequence[Any]) -> float | None:
        return of([(truth, answer) for truth, _, answer in rows])

    def improvement(rows: Sequence[Any]) -> float | None:
        before, after = theirs(rows), mine(rows)
        return None if before is None or after is None else sign * (after - before)

    found = [bootstrap(requests, each) for each in (theirs, mine, improvement)]
    known = [each for each in found if each is not None]
    return Quality(*known) if len(known) == len(found) else None


def differ(one: Answers, other: Answers, problem: str) -> bool:
    """Whether two answers to a request are different ones in any row."""
    return len(one) != len(other) or any(not same(left, right, problem) for left, right in zip(one, other))


def same(one: dict[str, Any], other: dict[str, Any], problem: str) -> bool:
    left, right = one.get(PREDICTION), other.get(PREDICTION)
    numbers = as_number(left), as_number(right)
    if problem == "regression" and numbers[0] is not None and numbers[1] is not None:
        return math.isclose(numbers[0], numbers[1], rel_tol=TOLERANCE)
    return alike(left, right)


def compare(asked: argparse.Namespace, store: Any) -> dict[str, Any]:
    """`comparison.json`."""
    champion, challenger = Side(asked, store, asked.champion), Side(asked, store, asked.challenger)
    truths = outcomes_by_id(asked, store)
    seen = (apart if asked.strategy == "ab" else together)(asked, champion, challenger, truths)
    share = None if asked.split is None else asked.split / 100
    verdict, reason = judge(Question(asked.strategy, asked.minimum, asked.metric, share, asked.bound), seen)
    quality = seen.quality
    return {
        "version": 1,
        "model": asked.model,
        "strategy": asked.strategy,
        "since": moment(asked.since).isoformat(),
        "until": moment(asked.until).isoformat(),
        "verdict": verdict,
        "reason": reason,
        "metric": asked.metric,
        "champion": {**_counted(seen.champion), **_number(quality.champion if quality else None)},
        "challenger": {**_counted(seen.challenger), **_number(quality.challenger if quality else None)},
        "improvement": _number(quality.improvement) if quality else None,
        "pairs": seen.pairs,
        "disagreement": seen.disagreement,
    }


def _counted(version: Version) -> dict[str, Any]:
    return {"requests": version.requests, "labelled": version.labelled}


def _number(found: Estimate | None) -> dict[str, Any]:
    return {"metric": found.value if found else None, "interval": list(found.interval) if found else None}


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("model", "problem", "champion", "challenger", "since", "until", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--strategy", required=True, choices=["ab", "shadow"])
    parser.add_argument("--minimum", required=True, type=int, help="the fewest requests to the challenger")
    parser.add_argument("--labels", help="the folder of true outcomes")
    parser.add_argument("--metric")
    parser.add_argument("--better", choices=["higher", "lower"], default="higher", help="which of its values")
    parser.add_argument("--split", type=float, help="the percentage of requests that the challenger is to get")
    parser.add_argument("--bound", type=float, help="the largest share of requests answered differently, 0 to 1")
    return parser.parse_args(argv)


def main(argv: Sequence[str], store: Any = None) -> None:
    asked = arguments(argv)
    found = compare(asked, store or Bucket())
    folder = pathlib.Path(asked.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_text(json.dumps(found, indent=2, sort_keys=True))
    print(json.dumps({key: found[key] for key in ("model", "verdict", "reason")}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
