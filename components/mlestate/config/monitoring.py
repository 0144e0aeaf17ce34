"""Who watches a model once it answers, and what happens when it goes wrong."""

from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Count, Duration, FieldName, Folder, Schedule, Settings, Threshold, left_out


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

    labels: Folder | None = Field(
        None,
        description="Where the true outcomes arrive, in the estate's own storage. Left out: labels/<model>/.",
        examples=["lake/churn/labels/"],
    )
    metric: FieldName | None = Field(
        None, description="The metric that is watched. Left out: the first gated metric.", examples=["recall"]
    )
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


class AwsMonitoring(Settings):
    """SageMaker's own monitors."""

    model_monitor: bool = Field(
        False,
        description="Also runs SageMaker Model Monitor and Clarify on what the file watches, for SageMaker Studio to "
        "show. AWS refuses both to accounts that did not use them before 30 July 2026. Left out: the estate's own "
        "monitor alone.",
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
        default_factory=left_out(Service),
        description="Watches the endpoint itself. Left out: only the share of failed requests is.",
    )
    on_breach: Literal["alert", "retrain"] = Field(
        "alert",
        description="alert tells the people under `alerts`; retrain also starts a training run, whose model still "
        "needs its approval. Left out: alert.",
    )
    retrain: Retrain = Field(
        default_factory=left_out(Retrain),
        description="The limits of automatic retraining (only with on_breach retrain). Left out: once a day, three "
        "times a week.",
    )
    aws: AwsMonitoring | None = Field(
        None, description="SageMaker's own values, used only on aws. Left out: the estate's own monitor alone."
    )
