"""How a model answers, and how a new version of it takes over."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Count, Duration, FieldName, Folder, Schedule, Settings, Threshold, left_out
from mlestate.config.hatch import AwsServing, AzureMachine, GcpMachine, RawArguments
from mlestate.config.training import COMPUTE_SIZES, Compute

Mode = Literal["none", "batch", "realtime", "serverless", "async"]
Strategy = Literal["all-at-once", "canary", "ab", "shadow"]

BAKES: Mapping[Strategy, Duration] = {
    "all-at-once": Duration.parse("5m"),
    "canary": Duration.parse("15m"),
    "ab": Duration.parse("24h"),
    "shadow": Duration.parse("24h"),
}
"""How long each strategy is watched when `bake` is left out."""

STEPS, SPLIT, SAMPLE, MINIMUM_SAMPLES = (10, 50, 100), 50, 0.1, 1000
"""What a rollout does when `steps`, `split`, `sample` and `minimum_samples` are left out."""

FAILURES = Threshold(max=0.05)
"""The share of failed requests that takes a release back when `error_rate` is left out."""


class Replicas(Settings):
    """How many machines answer."""

    min: Annotated[int, Field(ge=0)] = Field(
        1,
        description="The fewest machines that are always on; 0 is possible with mode async alone, whose first request "
        "then waits some minutes for a machine. Left out: 1.",
    )
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
        None, description=f"The share of requests that fail, 0 to 1. Left out: {{max: {FAILURES.max}}}."
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
        description=f"The percentages of traffic of a canary, rising to 100. Left out: {', '.join(map(str, STEPS))}.",
        examples=[[10, 50, 100]],
    )
    split: Annotated[int, Field(ge=1, le=99)] | None = Field(
        None, description=f"The percentage of traffic that the challenger of an A/B test gets. Left out: {SPLIT}."
    )
    metric: FieldName | None = Field(
        None, description="The metric that decides an A/B test. Left out: the first gated metric of the model."
    )
    minimum_samples: Count | None = Field(
        None,
        description="The fewest requests to the challenger before an A/B or shadow comparison counts. Left out: "
        f"{MINIMUM_SAMPLES}.",
    )
    sample: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description=f"The share of requests that a shadow gets a copy of, above 0 to 1. Left out: {SAMPLE}."
    )
    bake: Duration | None = Field(
        None,
        description="How long each step is watched before the next. Left out: "
        + ", ".join(f"{bake} for {strategy}" for strategy, bake in BAKES.items())
        + ".",
        examples=["15m"],
    )
    keep_previous: Duration = Field(
        Duration.parse("24h"),
        description="How long the previous version stays ready for a rollback. On aws what it was made of stays until "
        "the next release, and its machines run on for as long as an update is watched, at most five minutes. Left "
        "out: 24h.",
    )
    rollback_on: RollbackOn = Field(
        default_factory=left_out(RollbackOn),
        description="The signs at which the release is taken back. Left out: more than 5 % failed requests.",
    )


class Capture(Settings):
    """What is kept of requests and answers."""

    sample: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="The share of requests that is kept, above 0 to 1. Left out: all of them."
    )
    retention: Duration = Field(
        Duration.parse("90d"),
        description="How long they are kept. Left out: 90d, or as long as the law of the residency wants kept what an "
        "automated_decision was made from: 1y in quebec, 183d in eu.",
        examples=["90d"],
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
        description="The approved version in the registry with which the endpoint, or what answers in batch, is first "
        "made. On aws an endpoint keeps running what it was made with, whatever changes here later (version, "
        "machine, capture, network or key), until the next release takes the change to it, or `mlestate promote` of "
        "the version in use: a plan shows a new configuration and an unchanged endpoint. Another type of machine for "
        "an endpoint whose replicas scale is refused then, with what to do. Left out: neither yet, and the plan says "
        "so.",
    )
    compute: Compute = Field(
        "cpu-small",
        description=f"The size of the serving machine ({COMPUTE_SIZES}). Left out: cpu-small.",
    )
    replicas: Replicas = Field(
        default_factory=left_out(Replicas), description="How many machines answer. Left out: one, without scaling."
    )
    schedule: Schedule | None = Field(
        None,
        description="When a batch run starts, in UTC (only with mode batch). Left out: on demand.",
        examples=["daily"],
    )
    input: Folder | None = Field(
        None,
        description="The folder in the store of the datasets that a batch run reads (only with mode batch). Left out: "
        "the model's dataset.",
        examples=["lake/churn/requests/"],
    )
    output: Folder | None = Field(
        None,
        description="The folder in the store of what is made from data that a batch run writes to (only with mode "
        "batch). Left out: predictions/<model>/.",
        examples=["lake/churn/predictions/"],
    )
    rollout: Rollout = Field(
        default_factory=left_out(Rollout),
        description="How a newly approved version takes over. Left out: all at once, after a health check.",
    )
    capture: Capture | None = Field(
        None,
        description="What is kept of requests and answers. Left out: nothing, unless monitoring, "
        "automated_decision or a rollout that compares (ab, shadow) needs it.",
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
