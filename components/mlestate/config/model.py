"""One model of the estate: what it learns from, how it is judged, how it answers, who watches it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from mlestate.config.base import Name, Principal, Settings, left_out
from mlestate.config.monitoring import Drift, ModelQuality, Monitoring, Retrain, Service
from mlestate.config.serving import BAKES, Capture, Mode, Replicas, RollbackOn, Rollout, Serving, Strategy
from mlestate.config.training import (
    METRICS,
    Compute,
    Data,
    DataGates,
    Fairness,
    Gates,
    ModelGates,
    ProblemKind,
    Training,
)

__all__ = [
    "BAKES",
    "METRICS",
    "Adjustments",
    "Capture",
    "Compute",
    "Data",
    "DataGates",
    "Drift",
    "Fairness",
    "Gates",
    "Mode",
    "Model",
    "ModelGates",
    "ModelQuality",
    "Monitoring",
    "ProblemKind",
    "Replicas",
    "Retrain",
    "RollbackOn",
    "Rollout",
    "Service",
    "Serving",
    "Strategy",
    "Training",
    "merged",
]


class Adjustments(Settings):
    """The blocks of a model that `defaults` and `models.<name>.environments.<name>` may set."""

    data: Data | None = Field(None, description="What the model learns from. Left out: as the model says.")
    training: Training | None = Field(None, description="How it is trained. Left out: as the model says.")
    gates: Gates | None = Field(None, description="What it must reach. Left out: as the model says.")
    serving: Serving | None = Field(None, description="How it answers. Left out: as the model says.")
    monitoring: Monitoring | None = Field(None, description="Who watches it. Left out: as the model says.")


class Model(Settings):
    """One model: built-in values, then `defaults`, then what stands under its name."""

    problem: ProblemKind = Field(description="What the model predicts: a class or a number. Required.")
    owner: Principal | None = Field(
        None,
        description="Who answers for the model, as a tag on all it has. Left out: the owner of the estate.",
        examples=["churn-team@acme.example"],
    )
    risk: Literal["low", "medium", "high"] | None = Field(
        None,
        description="How much harm the model can do when it is wrong, as somebody rated it: it stands on the model's "
        "group of versions (tag risk-tier) and its card, where an inventory of models looks for it (OSFI E-23). Left "
        "out: nobody has rated it.",
        examples=["high"],
    )
    automated_decision: bool = Field(
        False,
        description="Says that the model decides about people without a person in between (Quebec's Law 25, EU AI "
        "Act article 14): all requests are captured, explained and recorded, and a person can review. Left out: "
        "it does not.",
    )
    data: Data = Field(
        default_factory=left_out(Data),
        description="What the model learns from. Left out: the model's repository brings its own data.",
    )
    training: Training = Field(
        default_factory=left_out(Training),
        description="How it is trained. Left out: on demand, on one small on-demand machine.",
    )
    gates: Gates = Field(
        default_factory=left_out(Gates),
        description="What it must reach to be registered. Left out: it may not be worse than the champion.",
    )
    serving: Serving = Field(
        default_factory=left_out(Serving),
        description="How it answers. Left out: it does not; it is trained and registered only.",
    )
    monitoring: Monitoring = Field(
        default_factory=left_out(Monitoring),
        description="Who watches it. Left out: a served model is watched for failed requests.",
    )
    environments: Mapping[Name, Adjustments] = Field(
        default_factory=dict,
        description="What differs in one environment, by its name; merged last. Left out: nothing differs.",
    )

    def in_environment(self, environment: str, mirrors: str | None = None) -> "Model":
        """This model as it is in one environment: what stands under `environments.<name>` merged last, and before it
        what stands under the environment that this one mirrors."""
        found = [self.environments[each] for each in (mirrors, environment) if each and each in self.environments]
        if not found:
            return self
        whole: object = self.model_dump(exclude_unset=True)
        for adjustments in found:
            whole = merged(whole, adjustments.model_dump(exclude_unset=True))
        return Model.model_validate(whole)


def merged(base: object, over: object) -> object:
    """`over` laid on `base`: mappings are merged key by key, anything else is replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}
    return over
