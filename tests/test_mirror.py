"""Staging mirrors production: the same resources wired the same way, smaller and in nothing else different."""

import json
import re
from collections.abc import Iterator
from typing import Any

from mlestate.blueprint.inventory import Row
from tests.conftest import Record

ESTATE = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
residency: quebec
environments:
  staging: {mirrors: production, scale: 0.25}
  production: {}
data:
  datasets:
    transactions: {path: lake/transactions/}
models:
  churn:
    problem: classification
    serving: {mode: realtime, compute: cpu-large, replicas: {min: 4, max: 8}, initial_version: 1}
  fraud:
    problem: classification
    serving: {mode: serverless, initial_version: 1}
"""

SMALLER = {
    # How many machines there are, and how large.
    "productionVariants.0.initialInstanceCount",
    "productionVariants.0.instanceType",
    "minCapacity",
    "maxCapacity",
}
"""What a scale may change, as property paths."""


def of(rows: list[Row], environment: str) -> dict[str, Row]:
    """The resources of one environment by a name that leaves the environment out."""
    owner = f"$mlestate:index:Environment::risk-{environment}"
    mine = [row for row in rows if f"::risk-{environment}" in row.urn.replace(owner, "")]
    return {neutral(row.key, environment): row for row in mine}


MADE_UP = re.compile(r"(?<=-)[0-9a-f]{7}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=-)[0-9a-f]{17}\b")
"""What an engine or a cloud makes up: the end of an automatic name, a key's id, a network's id."""


def neutral(text: str, environment: str) -> str:
    """The text without the environment's name and without what was made up for it."""
    return MADE_UP.sub("#", re.sub(rf"\b{environment}\b|(?<=_){environment}(?=_)", "*", text))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its property path; JSON inside a text is looked into."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            value = json.loads(value)
        except ValueError:
            yield path, value
            return
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}.{index}")
    else:
        yield path, value


def test_a_mirror_differs_in_the_size_and_number_of_its_machines_alone(record: Record) -> None:
    rows = record(ESTATE)
    staging, production = of(rows, "staging"), of(rows, "production")
    assert set(staging) == set(production), "the same resources"
    assert len(production) > 60, "the comparison has something to compare"
    for key, row in production.items():
        other = staging[key]
        assert {neutral(each, "staging") for each in other.dependencies} == {
            neutral(each, "production") for each in row.dependencies
        }, f"{key} is wired the same way"
        assert other.options == row.options, f"{key} is kept the same way"
        ours = {path: neutral(str(value), "production") for path, value in leaves(row.inputs)}
        theirs = {path: neutral(str(value), "staging") for path, value in leaves(other.inputs)}
        differing = {path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)}
        assert differing <= SMALLER, f"{key}: {sorted(differing - SMALLER)} differ, which no scale may change"


def test_a_mirror_is_smaller(record: Record) -> None:
    rows = record(ESTATE)
    (config,) = (
        row
        for row in of(rows, "staging").values()
        if row.type.endswith(":EndpointConfiguration") and row.name.endswith("churn")
    )
    variant = config.inputs["productionVariants"][0]
    assert (variant["instanceType"], variant["initialInstanceCount"]) == ("ml.m5.xlarge", 1)
