"""A smaller environment runs fewer and smaller machines, and differs in nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlestate.config import loads
from mlestate.config.model import Model
from mlestate.config.scale import LADDERS, scaled
from tests.config.said import AWS

SCALED = {("serving", "compute"), ("serving", "replicas"), ("training", "compute"), ("training", "instances")}


def model(**serving: Any) -> Model:
    return Model.model_validate({"problem": "classification", "serving": {"mode": "realtime", **serving}})


@pytest.mark.parametrize(
    ("size", "scale", "smaller"),
    [
        ("cpu-large", 1, "cpu-large"),
        ("cpu-large", 0.5, "cpu-medium"),
        ("cpu-large", 0.6, "cpu-large"),
        ("cpu-large", 0.25, "cpu-small"),
        ("cpu-small", 0.01, "cpu-small"),
        ("gpu-large", 0.5, "gpu-large"),
        ("gpu-large", 0.25, "gpu-small"),
        ("gpu-small", 0.1, "gpu-small"),
    ],
)
def test_a_size_goes_down_by_one_for_each_halving(size: str, scale: float, smaller: str) -> None:
    assert scaled(model(compute=size), scale).serving.compute == smaller


@given(
    least=st.integers(1, 50),
    more=st.integers(0, 50),
    scale=st.floats(0.01, 1, exclude_max=True),
    strategy=st.sampled_from(["all-at-once", "canary", "ab", "shadow"]),
    size=st.sampled_from([size for sizes, _ in LADDERS for size in sizes]),
)
def test_a_smaller_environment_keeps_what_a_mirror_must_keep(
    least: int, more: int, scale: float, strategy: str, size: str
) -> None:
    full = model(compute=size, replicas={"min": least, "max": least + more}, rollout={"strategy": strategy})
    small = scaled(full, scale)
    replicas = small.serving.replicas
    assert 1 <= replicas.min <= least, "an endpoint has a machine, and never more than the original"
    assert (replicas.highest > replicas.min) == (more > 0), "what scales by itself there scales by itself here"
    assert replicas.highest <= max(least + more, replicas.min + 1)
    if strategy == "canary":
        assert replicas.min >= min(least, 2), "a canary moves whole machines"
    assert small.serving.compute.split("-")[0] == size.split("-")[0], "another kind of machine rehearses nothing"
    differing = {
        (block, field)
        for block in type(full).model_fields
        for field in getattr(type(getattr(full, block)), "model_fields", ())
        if getattr(getattr(full, block), field) != getattr(getattr(small, block), field)
    }
    assert differing <= SCALED, "what a model learns, how it is judged and released is the same at every scale"


MIRROR = (
    AWS
    + """environments:
  staging: {mirrors: production, scale: 0.5}
  production: {}
models:
  churn:
    problem: classification
    environments:
      production: {serving: {mode: realtime, replicas: {min: 4, max: 8}, initial_version: 2}}
      staging: {serving: {initial_version: 3}}
"""
)


def test_a_mirror_starts_from_the_adjustments_of_what_it_mirrors() -> None:
    config = loads(MIRROR).config
    staging = config.model("churn", "staging").serving
    assert (staging.mode, staging.replicas.min, staging.replicas.max) == ("realtime", 2, 4)
    assert staging.initial_version == 3, "its own adjustments come last"
    assert config.model("churn", "production").serving.replicas.min == 4
