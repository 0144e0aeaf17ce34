"""What a verdict stands on: a version's own numbers against the gates of the file, beside those of the champion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mlestate.config.model import Model
from mlestate.operate.contract import Document
from mlestate.pipeline import Limit, limits

__all__ = ["Check", "Evidence", "numbers"]


@dataclass(frozen=True)
class Check:
    """One number; without a bound nobody asked for one."""

    name: str
    bound: Literal["min", "max"] | None
    limit: float | None
    value: float | None
    """None where the evaluation has no such number."""
    champion: float | None

    @property
    def passed(self) -> bool | None:
        """None where there is no bound. A number that is missing has not passed."""
        if self.bound is None or self.limit is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.limit if self.bound == "min" else self.value <= self.limit


@dataclass(frozen=True)
class Evidence:
    """What is known of a version, and where that was read."""

    source: str | None
    unread: str | None = None
    """Why there are no numbers."""
    checks: Sequence[Check] = ()
    champion: str | None = None
    """The version that it was compared with."""
    groups: Mapping[str, float] = field(default_factory=dict)
    """The fairness number of each group."""

    @classmethod
    def of(cls, model: Model, source: str, evaluation: Document) -> "Evidence":
        """The numbers of an `evaluation.json` (docs/contract.md), the gated ones first."""
        own, theirs = numbers(evaluation), numbers(evaluation.get("champion"))
        bounds = limits(model)
        named = [
            Check(_named(each), each.bound, each.value, own.get(_named(each)), theirs.get(_named(each)))
            for each in bounds
        ]
        gated = {_named(each) for each in bounds}
        rest = [Check(name, None, None, value, theirs.get(name)) for name, value in own.items() if name not in gated]
        champion, fairness = evaluation.get("champion"), evaluation.get("fairness")
        compared = champion.get("version") if isinstance(champion, Mapping) else None
        groups = fairness.get("groups") if isinstance(fairness, Mapping) else None
        return cls(
            source,
            checks=[*named, *rest],
            champion=None if compared is None else str(compared),
            groups=_floats(groups),
        )

    @property
    def failed(self) -> list[Check]:
        """The gates that it is outside of."""
        return [each for each in self.checks if each.passed is False]

    def document(self) -> Document:
        """As `--json` prints it."""
        return {
            "source": self.source,
            "unread": self.unread,
            "champion": self.champion,
            "checks": [
                {
                    "name": each.name,
                    "bound": each.bound,
                    "limit": each.limit,
                    "value": each.value,
                    "champion": each.champion,
                    "passed": each.passed,
                }
                for each in self.checks
            ],
            "groups": dict(self.groups),
        }


def numbers(evaluation: object) -> dict[str, float]:
    """The numbers of an evaluation by name, `fairness.disparity` among them; empty where it has none."""
    if not isinstance(evaluation, Mapping):
        return {}
    fairness = evaluation.get("fairness")
    disparity = _floats(fairness).get("disparity")
    return {**_floats(evaluation.get("metrics")), **({} if disparity is None else {"fairness.disparity": disparity})}


def _floats(values: object) -> dict[str, float]:
    if not isinstance(values, Mapping):
        return {}
    return {
        str(name): float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _named(limit: Limit) -> str:
    return ".".join(limit.path[1:] if limit.path[0] == "metrics" else limit.path)
