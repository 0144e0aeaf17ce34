"""The release of a version, from its registration to full traffic and back, as a neutral plan. Pure.

An approved version passes the environments of the promotion path in order. In each it goes through the same stages;
what differs from model to model is data (`settings`), never the workflow. Each cloud compiles `STAGES` to its own
workflow language, with the names of `PHASES` and `OUTCOMES` in its ledger, so that `mlestate status` reads the same
everywhere.

A workflow never waits for a person: where people must agree it ends as `waiting-for-approval`, and each agreement
starts it again from the beginning, which finds what was done and goes on. The same holds for one that was killed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlestate.config.estate import Approval
from mlestate.config.model import Model
from mlestate.config.monitoring import Monitoring
from mlestate.config.serving import BAKES, FAILURES, MINIMUM_SAMPLES, SAMPLE, SPLIT, STEPS, Rollout, Strategy
from mlestate.pipeline import limits

__all__ = [
    "ANSWERING",
    "LEDGER_SCHEMA",
    "OUTCOMES",
    "PHASES",
    "STAGES",
    "Document",
    "Outcome",
    "Phase",
    "Stage",
    "gates",
    "promotion",
    "retraining",
    "rollout",
    "settings",
    "strategy",
]

Document = Mapping[str, Any]

ANSWERING = ("realtime", "serverless", "async")
"""The modes in which a version takes over from another while requests come in."""

LEDGER_SCHEMA = "1"
"""The form of a ledger's entries. A workflow that finds another one changes nothing and says so."""

Phase = Literal["checking", "preparing", "trying", "comparing", "shifting", "baking", "promoting", "done"]

PHASES: Mapping[Phase, str] = {
    "checking": "Is it approved, by whom, and has it passed where it had to?",
    "preparing": "Its files are brought into this environment and its machines described",
    "trying": "It answers its own examples, with no traffic",
    "comparing": "It answers beside the version in use, which is watched and compared",
    "shifting": "Traffic moves to it",
    "baking": "It has the traffic and is watched; a sign of trouble takes it back",
    "promoting": "It is written down as the version in use, and sent on",
    "done": "The release has ended",
}
"""Where a release is, as a person reads it."""

Outcome = Literal[
    "released",
    "already-live",
    "waiting-for-approval",
    "waiting-for-endpoint",
    "refused",
    "rejected",
    "stopped",
    "undecided",
    "rolled-back",
    "failed",
]

OUTCOMES: Mapping[Outcome, str] = {
    "released": "The version has all traffic, and goes on to the next environment of the path",
    "already-live": "The version is in use already: nothing was moved",
    "waiting-for-approval": "People have to agree before it comes to this environment",
    "waiting-for-endpoint": "Nothing serves the model here yet: serving.initial_version makes the first",
    "refused": "A check before the release did not pass: nothing was touched",
    "rejected": "An approver took the approval back",
    "stopped": "It did not answer as it should, or worse than the version in use, which keeps the traffic",
    "undecided": "The comparison could not tell the two apart; the version in use keeps the traffic",
    "rolled-back": "Trouble after traffic had moved: it goes back to the version before, as the rollback writes down",
    "failed": "Something broke, or was not as the ledger says: the reason says what serves now",
}
"""How a release ended, as a person reads it."""

StageName = Literal["check", "prepare", "try", "compare", "shift", "promote"]


@dataclass(frozen=True)
class Stage:
    """One stage of a release, in the order of `STAGES`: what it does, and how a release can end in it."""

    name: StageName
    phases: tuple[Phase, ...]
    ends: tuple[Outcome, ...]
    strategies: tuple[Strategy, ...] = ("all-at-once", "canary", "ab", "shadow")
    """The strategies that have it."""


STAGES: tuple[Stage, ...] = (
    Stage("check", ("checking",), ("waiting-for-approval", "waiting-for-endpoint", "refused", "failed")),
    Stage("prepare", ("preparing",), ("refused",)),
    # Before any traffic, whatever the strategy: what does not answer as it did when it was judged never gets a request.
    Stage("try", ("trying",), ("stopped",)),
    Stage("compare", ("comparing",), ("refused", "stopped", "undecided", "rolled-back"), ("canary", "ab", "shadow")),
    Stage("shift", ("shifting", "baking"), ("refused", "rolled-back", "failed")),
    Stage("promote", ("promoting", "done"), ("released", "already-live", "failed")),
)


def strategy(model: Model, *, passes_on: bool) -> Strategy:
    """How a version takes over. Where versions only pass through (``passes_on``) nobody asks, so there is nothing to
    compare: they replace all at once there."""
    said = model.serving.rollout.strategy
    return "all-at-once" if passes_on and said in ("ab", "shadow") else said


def promotion(environment: str, path: tuple[str, ...], approval: Mapping[str, Approval]) -> Document:
    """Where a version comes from and goes to, and how many people must agree before it comes; None off the path."""
    if environment not in path:
        return {"from": None, "to": None, "approvals": 0}
    place = path.index(environment)
    return {
        "from": path[place - 1] if place else None,
        "to": path[place + 1] if place + 1 < len(path) else None,
        "approvals": approval[environment].minimum if environment in approval else 0,
    }


def rollout(model: Model, *, passes_on: bool) -> Document:
    """How a new version takes over, with what the file leaves out filled in; times in seconds, latencies in
    milliseconds, weights in percent of the traffic."""
    said, chosen = model.serving.rollout, strategy(model, passes_on=passes_on)
    own = _STRATEGIES.get(chosen)
    replaced = chosen != said.strategy
    return {
        "strategy": chosen,
        "bake_seconds": (BAKES[chosen] if replaced or said.bake is None else said.bake).seconds,
        "keep_previous_seconds": said.keep_previous.seconds,
        "rollback_on": _signs(said),
        **(own(model) if own else {}),
    }


def _signs(said: Rollout) -> Document:
    signs = said.rollback_on
    bounds = {name: getattr(signs, name) for name in type(signs).model_fields}
    bounds["error_rate"] = signs.error_rate or FAILURES
    return {name: bound.model_dump(exclude_none=True) for name, bound in bounds.items() if bound is not None}


def _canary(model: Model) -> Document:
    return {"steps": list(model.serving.rollout.steps or STEPS)}


def _comparison(model: Model) -> Document:
    return {"minimum_samples": model.serving.rollout.minimum_samples or MINIMUM_SAMPLES}


def _ab(model: Model) -> Document:
    said = model.serving.rollout
    metric = said.metric or next(iter(model.gates.model.thresholds))
    return {"split": said.split or SPLIT, "metric": metric, **_comparison(model)}


def _shadow(model: Model) -> Document:
    return {"sample": model.serving.rollout.sample or SAMPLE, **_comparison(model)}


_STRATEGIES: Mapping[Strategy, Callable[[Model], Document]] = {"canary": _canary, "ab": _ab, "shadow": _shadow}
"""What a strategy asks for besides what all of them do; to replace all at once is to ask for nothing."""


def gates(model: Model) -> list[Document]:
    """The bounds that a version's own numbers are held against once more, in this environment's words."""
    return [{"path": list(each.path), "bound": each.bound, "value": each.value} for each in limits(model)]


def retraining(said: Monitoring) -> Document:
    """Whether a breach starts a training run, and what keeps these runs from running away."""
    kept = said.retrain
    return {
        "on_breach": said.on_breach,
        "cooldown_seconds": kept.cooldown.seconds,
        "max_per_week": kept.max_per_week,
        "min_new_rows": kept.min_new_rows or 0,
    }


def settings(
    name: str, model: Model, environment: str, path: tuple[str, ...], approval: Mapping[str, Approval]
) -> Document:
    """What a workflow is told of a model; each cloud adds where things are."""
    place = promotion(environment, path, approval)
    return {
        "model": name,
        "mode": model.serving.mode,
        "promotion": place,
        "rollout": rollout(model, passes_on=place["to"] is not None),
        "gates": gates(model),
        "retraining": retraining(model.monitoring),
    }
