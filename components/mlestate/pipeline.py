"""The training pipeline of a model: its steps, what each reads and writes, and the gates before the registry. Pure.

The steps run one container image, the model's own, one command each::

    python -m model <step> --in DIR --out DIR

`DIR/<name>/` under ``--in`` holds each input of the step, `DIR/<name>/` under ``--out`` takes each output: `STEPS` says
which. The command ends with 0 when the step did its work and every gate in it passed, with `GATE_FAILED` when the work
was done and a gate did not pass, and with anything else when it broke. Nothing runs after a step that did not end
with 0, so only what passed every gate is registered, and always as a version that waits for a person's approval.

What is judged stands in one JSON document, `settings/settings.json`, which `settings` writes. Each cloud compiles this
plan to its own pipelines. The contract in full, for whoever writes a model's repository: docs/contract.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlestate.config.data import Dataset, FeatureGroup
from mlestate.config.model import Model
from mlestate.config.training import Compute

__all__ = [
    "EVALUATION",
    "EXAMPLES",
    "EXAMPLE_FILES",
    "EXAMPLE_ROWS",
    "GATE_FAILED",
    "NOT_RECORDED",
    "RUN",
    "STEPS",
    "UNBOUNDED",
    "Limit",
    "Source",
    "Step",
    "StepName",
    "command",
    "compute",
    "limits",
    "settings",
    "step",
]

StepName = Literal["ingest", "check_data", "train", "evaluate", "check_model", "register"]
Machine = Literal["data", "training", "judge", "registry"]
"""What a step runs on: a CPU machine of the training's size, the training's own machines, one small machine, or no
machine at all, because the cloud's registry does it."""
Reach = Literal["data", "tracking", "none"]
"""What a step calls over the network: data where they lie, the tracking server, or nothing."""

GATE_FAILED = 3
"""The exit code of a step whose gate did not pass; 1 and 2 are taken by Python for what breaks."""

EVALUATION = "evaluation.json"
"""The file in which `evaluate` leaves its numbers; a cloud that can read it judges them once more."""

EXAMPLES, EXAMPLE_FILES, EXAMPLE_ROWS = "examples", ("request.json", "answer.json"), 20
"""The output of `evaluate` by which a release tries a version before it gets traffic: a request of a few rows of the
holdout, at most so many, and what the model answered to it."""


@dataclass(frozen=True)
class Step:
    """One step: ``reads`` maps each input to the step whose output of that name it is, or to None where it lies
    outside the run; ``after`` names steps whose gates must have passed though nothing of theirs is read."""

    name: StepName
    machine: Machine
    reads: Mapping[str, StepName | None]
    writes: tuple[str, ...] = ()
    after: tuple[StepName, ...] = ()
    reach: Reach = "none"

    @property
    def waits_for(self) -> tuple[StepName, ...]:
        """The steps before it, in order and once each."""
        return tuple(dict.fromkeys([*(source for source in self.reads.values() if source is not None), *self.after]))


STEPS: tuple[Step, ...] = (
    # The one step that goes to the data where they lie: what it writes is all that any later step sees of them. It also
    # passes its settings on, so that a run is judged by one document though another is deployed meanwhile.
    Step(
        "ingest",
        machine="data",
        reads={"settings": None},
        writes=("settings", "train", "holdout", "manifest"),
        reach="data",
    ),
    Step(
        "check_data",
        machine="data",
        reads={"settings": "ingest", "train": "ingest", "holdout": "ingest", "manifest": "ingest", "champion": None},
        writes=("report", "statistics"),
    ),
    # The holdout is no input of the training: a model cannot have learnt from what it is judged by.
    Step(
        "train",
        machine="training",
        reads={"settings": "ingest", "train": "ingest"},
        writes=("model",),
        after=("check_data",),
        reach="tracking",
    ),
    Step(
        "evaluate",
        machine="training",
        reads={"settings": "ingest", "holdout": "ingest", "model": "train", "champion": None},
        writes=("evaluation", "baselines", EXAMPLES),
        reach="tracking",
    ),
    Step(
        "check_model",
        machine="judge",
        reads={"settings": "ingest", "evaluation": "evaluate"},
        writes=("report",),
    ),
    Step(
        "register",
        machine="registry",
        reads={
            "settings": "ingest",
            "manifest": "ingest",
            "statistics": "check_data",
            "model": "train",
            "evaluation": "evaluate",
            "baselines": "evaluate",
            EXAMPLES: "evaluate",
        },
        after=("check_model",),
    ),
)
"""The steps in an order in which they can run."""

RUN: Mapping[str, str] = {
    "ImageTag": "The tag of the model's image that the run uses",
    "Commit": "The commit that the image was built from",
    "Repository": "The repository of that commit",
    "Trigger": "What started the run: manual, schedule, breach or ci",
    "DataFrom": "The first day of the data, as 2026-01-31, or `unbounded`",
    "DataTo": "The day after the last day of the data, as 2026-01-31, or `unbounded`",
}
"""What whoever starts a run may say about it, by parameter."""

UNBOUNDED = "unbounded"
NOT_RECORDED = "not-recorded"

_CPU: Mapping[Compute, Compute] = {"gpu-small": "cpu-medium", "gpu-large": "cpu-large"}
"""What reads and checks the data where a model trains on GPUs: those would stand idle meanwhile."""


def step(name: StepName) -> Step:
    """The step of that name."""
    return next(each for each in STEPS if each.name == name)


def compute(machine: Machine, model: Model) -> Compute:
    """The size of the machine of a step; the registry's own step has none.

    Raises:
        KeyError: the registry runs on no machine of the estate.
    """
    size = model.training.compute
    sizes: Mapping[Machine, Compute] = {"data": _CPU.get(size, size), "training": size, "judge": "cpu-small"}
    return sizes[machine]


def command(name: StepName, inputs: str, outputs: str) -> list[str]:
    """The command of a step in the model's container."""
    return ["python", "-m", "model", name, "--in", inputs, "--out", outputs]


@dataclass(frozen=True)
class Source:
    """Where a model's data lie: a data set by its URI, or a feature group by its name in the store."""

    dataset: tuple[str, Dataset] | None = None
    features: tuple[str, FeatureGroup] | None = None

    def document(self) -> dict[str, Any] | None:
        """As `settings.json` has it; None where the model's repository brings its own data."""
        if self.dataset is not None:
            uri, dataset = self.dataset
            return {"kind": "dataset", "uri": uri, "format": dataset.format}
        if self.features is not None:
            name, group = self.features
            return {
                "kind": "features",
                "group": name,
                "entity": group.entity,
                "event_time": group.event_time,
                "fields": sorted(group.fields),
            }
        return None


def settings(name: str, environment: str, model: Model, source: Source) -> dict[str, Any]:
    """`settings.json`: what the container is told of the estate, the same on every cloud; durations in seconds.

    A value of null is a gate that is not asked for.
    """
    data, judged, fairness = model.gates.data, model.gates.model, model.gates.fairness
    return {
        "version": 1,
        "model": name,
        "environment": environment,
        "problem": model.problem,
        "target": model.data.target,
        "automated_decision": model.automated_decision,
        "source": source.document(),
        "gates": {
            "data": {
                "min_rows": data.min_rows or 1,
                "max_age_seconds": None if data.max_age is None else data.max_age.seconds,
                "max_null_fraction": data.max_null_fraction,
                "max_psi": data.max_psi,
                "unknown_categories": data.unknown_categories,
            },
            "model": {
                "compare_to": judged.compare_to,
                "max_regression": judged.max_regression,
                "metrics": {
                    metric: {"min": bound.min, "max": bound.max} for metric, bound in judged.thresholds.items()
                },
            },
            "fairness": None
            if fairness is None
            else {"attribute": fairness.attribute, "max_disparity": fairness.max_disparity},
        },
    }


@dataclass(frozen=True)
class Limit:
    """A bound on one number of `evaluation.json`."""

    path: tuple[str, ...]
    """Where the number stands: ``("metrics", "roc_auc")``."""
    bound: Literal["min", "max"]
    value: float


def limits(model: Model) -> tuple[Limit, ...]:
    """The bounds of the model's gates that need nothing but the numbers of its own evaluation.

    What is compared with the champion is not among them: `check_model` alone judges that.
    """
    found: list[Limit] = []
    for metric, threshold in model.gates.model.thresholds.items():
        if threshold.min is not None:
            found.append(Limit(("metrics", metric), "min", threshold.min))
        if threshold.max is not None:
            found.append(Limit(("metrics", metric), "max", threshold.max))
    if model.gates.fairness is not None:
        found.append(Limit(("fairness", "disparity"), "max", model.gates.fairness.max_disparity))
    return tuple(found)
