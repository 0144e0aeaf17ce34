"""One model of the estate: what it learns from, how it is judged, how it answers, who watches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import (
    Count,
    Duration,
    FieldName,
    Fraction,
    Name,
    Principal,
    RelativePath,
    Schedule,
    Settings,
    Threshold,
)
from mlestate.config.hatch import AwsServing, AwsTraining, AzureMachine, GcpMachine, RawArguments

ProblemKind = Literal["classification", "regression"]
Compute = Literal["cpu-small", "cpu-medium", "cpu-large", "gpu-small", "gpu-large"]
Mode = Literal["none", "batch", "realtime", "serverless", "async"]
Strategy = Literal["all-at-once", "canary", "ab", "shadow"]

METRICS: Mapping[ProblemKind, Mapping[str, Literal["min", "max"]]] = {
    "classification": {
        "accuracy": "min",
        "f1": "min",
        "precision": "min",
        "recall": "min",
        "roc_auc": "min",
        "average_precision": "min",
        "log_loss": "max",
        "brier": "max",
    },
    "regression": {"mae": "max", "mape": "max", "mse": "max", "rmse": "max", "r2": "min"},
}
"""The metrics that mean something for each kind of problem, and the bound that makes sense for each:
`min` where higher is better, `max` where lower is better (as scikit-learn's `sklearn.metrics` defines them)."""

BAKES: Mapping[Strategy, Duration] = {
    "all-at-once": Duration.parse("5m"),
    "canary": Duration.parse("15m"),
    "ab": Duration.parse("24h"),
    "shadow": Duration.parse("24h"),
}
"""How long each strategy is watched when `bake` is left out."""

COMPUTE_SIZES = "cpu-small 4 vCPU, cpu-medium 8, cpu-large 16, gpu-small one GPU, gpu-large four GPUs"


class Data(Settings):
    """What a model learns from."""

    dataset: Name | None = Field(
        None,
        description="The key under `data.datasets` to learn from. Left out: `features` is used; with neither, the "
        "model's repository brings its own data.",
    )
    features: Name | None = Field(
        None,
        description="The key under `features` to learn from, instead of a dataset. Left out: `dataset` is used.",
    )
    target: FieldName | None = Field(
        None,
        description="The column to predict. Left out: the model's repository names it.",
        examples=["churned"],
    )


class Training(Settings):
    """How a model is trained."""

    compute: Compute = Field(
        "cpu-small",
        description=f"The size of the training machine ({COMPUTE_SIZES}). Left out: cpu-small.",
    )
    instances: Count = Field(1, description="How many machines train together. Left out: one.")
    volume_gb: Annotated[int, Field(ge=1, le=16384)] = Field(
        50, description="The disk of each training machine in GB. Left out: 50."
    )
    timeout: Duration = Field(
        Duration.parse("2h"),
        description="How long one training run may take before it is stopped. Left out: 2h.",
        examples=["2h"],
    )
    spot: bool = Field(
        False,
        description="Trains on spare machines that cost less and may be taken away. Left out: on-demand machines.",
    )
    schedule: Schedule | None = Field(
        None,
        description="When the model is retrained, in UTC. Left out: only on demand or after a breach.",
        examples=["weekly", "0 4 * * 1"],
    )
    aws: AwsTraining | None = Field(
        None, description="SageMaker's own values, used only on aws. Left out: `compute` decides."
    )
    gcp: GcpMachine | None = Field(
        None, description="Vertex AI's own values, used only on gcp. Left out: `compute` decides."
    )
    azure: AzureMachine | None = Field(
        None, description="Azure ML's own values, used only on azure. Left out: `compute` decides."
    )
    raw: RawArguments | None = Field(
        None,
        description="Arguments merged last into the Pulumi resources of training, as "
        "{<cloud>: {<Resource>: {<argument>: value}}}; an argument that the SDK lacks is refused. Left out: none.",
    )


class DataGates(Settings):
    """What the data must keep before a model is trained on it."""

    min_rows: Count | None = Field(
        None, description="The fewest rows to train on. Left out: one row is enough; no rows always fail."
    )
    max_age: Duration | None = Field(
        None, description="How old the newest row may be. Left out: age is not checked.", examples=["2d"]
    )
    max_null_fraction: Fraction | None = Field(
        None, description="The largest share of empty values in any column, 0 to 1. Left out: not checked."
    )
    max_psi: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="The largest population stability index of any column against the data of the champion. Left out: "
        "not checked.",
        examples=[0.2],
    )
    unknown_categories: Literal["fail", "warn", "ignore"] = Field(
        "warn",
        description="What happens when a column holds categories that the champion never saw. Left out: warn.",
    )


class ModelGates(Settings):
    """What a trained model must reach before it is registered."""

    compare_to: Literal["champion", "none"] = Field(
        "champion",
        description="What a new model is compared with on the same holdout. Left out: the champion, as soon as there "
        "is one.",
    )
    max_regression: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="How much worse than the champion each gated metric may be. Left out: not worse at all.",
        examples=[0.01],
    )
    accuracy: Threshold | None = Field(None, description="Bound on the accuracy. Left out: not a gate.")
    f1: Threshold | None = Field(None, description="Bound on the F1 score. Left out: not a gate.")
    precision: Threshold | None = Field(None, description="Bound on the precision. Left out: not a gate.")
    recall: Threshold | None = Field(None, description="Bound on the recall. Left out: not a gate.")
    roc_auc: Threshold | None = Field(None, description="Bound on the area under the ROC curve. Left out: not a gate.")
    average_precision: Threshold | None = Field(
        None, description="Bound on the average precision. Left out: not a gate."
    )
    log_loss: Threshold | None = Field(None, description="Bound on the logarithmic loss. Left out: not a gate.")
    brier: Threshold | None = Field(None, description="Bound on the Brier score. Left out: not a gate.")
    mae: Threshold | None = Field(None, description="Bound on the mean absolute error. Left out: not a gate.")
    mape: Threshold | None = Field(
        None, description="Bound on the mean absolute percentage error, as a fraction. Left out: not a gate."
    )
    mse: Threshold | None = Field(None, description="Bound on the mean squared error. Left out: not a gate.")
    rmse: Threshold | None = Field(None, description="Bound on the root mean squared error. Left out: not a gate.")
    r2: Threshold | None = Field(None, description="Bound on the coefficient of determination. Left out: not a gate.")
    custom: Mapping[FieldName, Threshold] = Field(
        default_factory=dict,
        description="Bounds on metrics that the model's repository computes itself, by name. Left out: none.",
    )

    @property
    def thresholds(self) -> dict[str, Threshold]:
        """Every bounded metric by name, the custom ones included."""
        known = {name: getattr(self, name) for metrics in METRICS.values() for name in metrics}
        return {name: bound for name, bound in known.items() if bound is not None} | dict(self.custom)


class Fairness(Settings):
    """How alike a model must treat groups of people."""

    attribute: FieldName = Field(description="The column that tells the groups apart. Required.", examples=["province"])
    max_disparity: Fraction = Field(
        0.1,
        description="The largest difference of the positive rate between two groups, 0 to 1. Left out: 0.1.",
    )


class Gates(Settings):
    """What stands between a training run and the registry."""

    data: DataGates = Field(
        default_factory=DataGates,
        description="What the data must keep. Left out: only data without rows is refused.",
    )
    model: ModelGates = Field(
        default_factory=ModelGates,
        description="What the model must reach. Left out: it may not be worse than the champion.",
    )
    fairness: Fairness | None = Field(None, description="How alike groups must be treated. Left out: not checked.")


class Replicas(Settings):
    """How many machines answer."""

    min: Count = Field(1, description="The fewest machines that are always on. Left out: 1.")
    max: Count | None = Field(
        None, description="The most machines under load. Left out: as many as `min`, so nothing scales."
    )
    requests_per_minute: Count | None = Field(
        None,
        description="The requests a minute on each machine at which another one is started. Left out: 600 when max "
        "is above min.",
    )

    @property
    def highest(self) -> int:
        """The most machines there can be."""
        return self.min if self.max is None else self.max


class RollbackOn(Settings):
    """The signs at which a release is taken back by itself."""

    error_rate: Threshold | None = Field(
        None, description="The share of requests that fail, 0 to 1. Left out: {max: 0.05}."
    )
    p95_latency_ms: Threshold | None = Field(
        None, description="The 95th percentile of the answer time in milliseconds. Left out: not a sign."
    )
    p99_latency_ms: Threshold | None = Field(
        None, description="The 99th percentile of the answer time in milliseconds. Left out: not a sign."
    )
    disagreement: Threshold | None = Field(
        None,
        description="The share of requests that champion and challenger answer differently, 0 to 1 (only with shadow). "
        "Left out: reported, not a sign.",
    )


class Rollout(Settings):
    """How a newly approved version takes over."""

    strategy: Strategy = Field(
        "all-at-once",
        description="all-at-once replaces the champion after a health check; canary moves traffic in steps; ab splits "
        "traffic to compare two versions; shadow copies requests to the challenger, whose answers nobody gets. Left "
        "out: all-at-once.",
    )
    steps: tuple[Annotated[int, Field(ge=1, le=100)], ...] | None = Field(
        None,
        description="The percentages of traffic of a canary, rising to 100. Left out: 10, 50, 100.",
        examples=[[10, 50, 100]],
    )
    split: Annotated[int, Field(ge=1, le=99)] | None = Field(
        None, description="The percentage of traffic that the challenger of an A/B test gets. Left out: 50."
    )
    metric: FieldName | None = Field(
        None, description="The metric that decides an A/B test. Left out: the first gated metric of the model."
    )
    minimum_samples: Count | None = Field(
        None,
        description="The fewest requests to the challenger before an A/B or shadow comparison counts. Left out: 1000.",
    )
    sample: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="The share of requests that a shadow gets a copy of, above 0 to 1. Left out: 0.1."
    )
    bake: Duration | None = Field(
        None,
        description="How long each step is watched before the next. Left out: 15m for canary, 24h for ab and shadow, "
        "5m for all-at-once.",
        examples=["15m"],
    )
    keep_previous: Duration = Field(
        Duration.parse("24h"),
        description="How long the previous version stays ready for a rollback in seconds. Left out: 24h.",
    )
    rollback_on: RollbackOn = Field(
        default_factory=RollbackOn,
        description="The signs at which the release is taken back. Left out: more than 5 % failed requests.",
    )

    @property
    def bake_time(self) -> Duration:
        """The bake of each step, the strategy's own when left out."""
        return self.bake or BAKES[self.strategy]


class Capture(Settings):
    """What is kept of requests and answers."""

    sample: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="The share of requests that is kept, above 0 to 1. Left out: all of them."
    )
    retention: Duration = Field(
        Duration.parse("90d"), description="How long they are kept. Left out: 90d.", examples=["90d"]
    )


class Serving(Settings):
    """How a model answers."""

    mode: Mode = Field(
        "none",
        description="none trains and registers only; batch answers whole files and costs nothing while idle; realtime "
        "keeps machines on; serverless starts with a request; async answers large requests from a queue. Left out: "
        "none.",
    )
    initial_version: Count | None = Field(
        None,
        description="The approved version in the registry with which the endpoint is first made. Left out: no endpoint "
        "yet, and the plan says so.",
    )
    compute: Compute = Field(
        "cpu-small",
        description=f"The size of the serving machine ({COMPUTE_SIZES}). Left out: cpu-small.",
    )
    replicas: Replicas = Field(
        default_factory=Replicas, description="How many machines answer. Left out: one, without scaling."
    )
    schedule: Schedule | None = Field(
        None,
        description="When a batch run starts, in UTC (only with mode batch). Left out: on demand.",
        examples=["daily"],
    )
    input: RelativePath | None = Field(
        None,
        description="Where a batch run reads (only with mode batch). Left out: the model's dataset.",
        examples=["lake/churn/requests/"],
    )
    output: RelativePath | None = Field(
        None,
        description="Where a batch run writes (only with mode batch). Left out: predictions/<model>/.",
        examples=["lake/churn/predictions/"],
    )
    rollout: Rollout = Field(
        default_factory=Rollout,
        description="How a newly approved version takes over. Left out: all at once, after a health check.",
    )
    capture: Capture | None = Field(
        None,
        description="What is kept of requests and answers. Left out: nothing, unless monitoring or "
        "automated_decision needs it.",
    )
    aws: AwsServing | None = Field(
        None, description="SageMaker's own values, used only on aws. Left out: `compute` decides."
    )
    gcp: GcpMachine | None = Field(
        None, description="Vertex AI's own values, used only on gcp. Left out: `compute` decides."
    )
    azure: AzureMachine | None = Field(
        None, description="Azure ML's own values, used only on azure. Left out: `compute` decides."
    )
    raw: RawArguments | None = Field(
        None,
        description="Arguments merged last into the Pulumi resources of serving, as "
        "{<cloud>: {<Resource>: {<argument>: value}}}; an argument that the SDK lacks is refused. Left out: none.",
    )


class Drift(Settings):
    """A distance between what a model sees now and what it was trained on."""

    metric: Literal["psi", "js", "ks", "linf"] = Field(
        "psi",
        description="The distance: population stability index, Jensen-Shannon, Kolmogorov-Smirnov or the largest "
        "difference of a category. Left out: psi.",
    )
    threshold: Annotated[float, Field(gt=0)] = Field(
        0.2, description="The distance at which the model is in breach. Left out: 0.2."
    )


class ModelQuality(Settings):
    """How good the answers turn out to be, once the truth is known."""

    labels: RelativePath = Field(
        description="Where the true outcomes arrive, in the estate's own storage. Required.",
        examples=["lake/churn/labels/"],
    )
    metric: FieldName = Field(description="The metric that is watched. Required.", examples=["recall"])
    min: float | None = Field(None, description="The lowest value that is no breach. Left out: no lower bound.")
    max: float | None = Field(None, description="The highest value that is no breach. Left out: no upper bound.")


class Service(Settings):
    """How the endpoint itself behaves."""

    error_rate: Threshold | None = Field(
        None, description="The share of requests that fail, 0 to 1. Left out: {max: 0.05}."
    )
    p95_latency_ms: Threshold | None = Field(
        None, description="The 95th percentile of the answer time in milliseconds. Left out: not watched."
    )
    p99_latency_ms: Threshold | None = Field(
        None, description="The 99th percentile of the answer time in milliseconds. Left out: not watched."
    )


class Retrain(Settings):
    """What keeps automatic retraining from running away."""

    cooldown: Duration = Field(
        Duration.parse("24h"), description="The shortest time between two automatic runs. Left out: 24h."
    )
    max_per_week: Count = Field(3, description="The most automatic runs in seven days. Left out: 3.")
    min_new_rows: Count | None = Field(
        None, description="The fewest new rows that make a run worth it. Left out: any number."
    )


class Monitoring(Settings):
    """Who watches a model once it answers."""

    schedule: Schedule = Field(
        Schedule.parse("daily"), description="How often the model is looked at, in UTC. Left out: daily."
    )
    data_drift: Drift | None = Field(None, description="Watches what the model is asked. Left out: not watched.")
    prediction_drift: Drift | None = Field(None, description="Watches what the model answers. Left out: not watched.")
    model_quality: ModelQuality | None = Field(
        None, description="Watches how good the answers turn out. Left out: not watched."
    )
    service: Service = Field(
        default_factory=Service,
        description="Watches the endpoint itself. Left out: only the share of failed requests is.",
    )
    on_breach: Literal["alert", "retrain"] = Field(
        "alert",
        description="alert tells the people under `alerts`; retrain also starts a training run, whose model still "
        "needs its approval. Left out: alert.",
    )
    retrain: Retrain = Field(
        default_factory=Retrain,
        description="The limits of automatic retraining (only with on_breach retrain). Left out: once a day, three "
        "times a week.",
    )


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
    automated_decision: bool = Field(
        False,
        description="Says that the model decides about people without a person in between (Quebec's Law 25, EU AI Act "
        "article 14): all requests are captured, explained and recorded, and a person can review. Left out: it does not.",
    )
    data: Data = Field(
        default_factory=Data,
        description="What the model learns from. Left out: the model's repository brings its own data.",
    )
    training: Training = Field(
        default_factory=Training,
        description="How it is trained. Left out: on demand, on one small on-demand machine.",
    )
    gates: Gates = Field(
        default_factory=Gates,
        description="What it must reach to be registered. Left out: it may not be worse than the champion.",
    )
    serving: Serving = Field(
        default_factory=Serving, description="How it answers. Left out: it does not; it is trained and registered only."
    )
    monitoring: Monitoring = Field(
        default_factory=Monitoring,
        description="Who watches it. Left out: a served model is watched for failed requests.",
    )
    environments: Mapping[Name, Adjustments] = Field(
        default_factory=dict,
        description="What differs in one environment, by its name; merged last. Left out: nothing differs.",
    )

    def in_environment(self, environment: str) -> Model:
        """This model as it is in one environment: what stands under `environments.<name>` merged last."""
        adjustments = self.environments.get(environment)
        if adjustments is None:
            return self
        own = self.model_dump(exclude_unset=True)
        return Model.model_validate(merged(own, adjustments.model_dump(exclude_unset=True)))


def merged(base: object, over: object) -> object:
    """`over` laid on `base`: mappings are merged key by key, anything else is replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}
    return over
