"""How a model is made and judged: its data, its training run and the gates between the run and the registry."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import (
    Count,
    Duration,
    FieldName,
    Fraction,
    Name,
    Schedule,
    Settings,
    Threshold,
    left_out,
    text,
)
from mlestate.config.hatch import AwsTraining, AzureMachine, GcpMachine, RawArguments

ProblemKind = Literal["classification", "regression"]
Compute = Literal["cpu-small", "cpu-medium", "cpu-large", "gpu-small", "gpu-large"]

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

ImageTag = Annotated[
    str,
    text(
        "image_tag",
        r"(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}",
        "must be the tag of one image, such as 1.4.2 or a commit, quoted; not latest, which would mean another image "
        "tomorrow",
    ),
]
"""A tag in the model's repository of images. There tags never move, so that a tag means one image for ever."""

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
    image: ImageTag | None = Field(
        None,
        description="The tag of the model's image that runs use when whoever starts them names none. Left out: a "
        "schedule takes the image of the newest approved version, and every other start names one.",
        examples=["1.4.2"],
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

    attribute: FieldName | None = Field(
        None,
        description="The column that tells the groups apart. Left out: refused, unless another layer names it.",
        examples=["province"],
    )
    max_disparity: Fraction = Field(
        0.1,
        description="The largest difference of the positive rate between two groups, 0 to 1. Left out: 0.1.",
    )


class Gates(Settings):
    """What stands between a training run and the registry."""

    data: DataGates = Field(
        default_factory=left_out(DataGates),
        description="What the data must keep. Left out: only data without rows is refused.",
    )
    model: ModelGates = Field(
        default_factory=left_out(ModelGates),
        description="What the model must reach. Left out: it may not be worse than the champion.",
    )
    fairness: Fairness | None = Field(None, description="How alike groups must be treated. Left out: not checked.")
