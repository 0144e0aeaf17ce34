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
owner: ml-platform@lender.example
tags: {cost-centre: risk, data-class: confidential}
residency: quebec
network: private
encryption: customer-managed
ci: {provider: github, owner: lender, repositories: [churn, fraud]}
alerts: {email: [ml-oncall@lender.example]}
people:
  data_scientists: [ds@lender.example]
  ml_engineers: [mle@lender.example]
  approvers: [model-risk@lender.example]
  operators: [oncall@lender.example]
  auditors: [audit@lender.example]
audit: {retention: 7y, lock: governance}
environments:
  staging:
    mirrors: production
    scale: 0.25
    monthly_budget_usd: 500
  production:
    monthly_budget_usd: 500
promotion:
  path: [staging, production]
  approval: {production: {minimum: 1}}
data:
  datasets:
    transactions: {path: lake/transactions/, retention: 2y}
features:
  transactions: {entity: customer_id, event_time: ts, online: true, fields: {amount_30d: float, count_30d: int}}
defaults:
  training: {compute: cpu-medium, timeout: 2h, spot: true}
  gates: {data: {max_null_fraction: 0.05, max_psi: 0.2}, model: {compare_to: champion, max_regression: 0.01}}
  monitoring: {schedule: daily}
models:
  churn:
    problem: classification
    owner: churn-team@lender.example
    data: {dataset: transactions, target: churned}
    training: {schedule: "0 4 * * 1"}
    gates: {model: {roc_auc: {min: 0.80}, recall: {min: 0.60}}, fairness: {attribute: province, max_disparity: 0.1}}
    serving:
      mode: realtime
      compute: cpu-small
      replicas: {min: 2, max: 6}
      initial_version: 1
      rollout:
        strategy: canary
        steps: [10, 50, 100]
        bake: 15m
        rollback_on: {p95_latency_ms: {max: 300}}
    monitoring: {model_quality: {labels: lake/churn/labels/, metric: recall, min: 0.55}, on_breach: retrain}
  fraud:
    problem: classification
    data: {features: transactions, target: is_fraud}
    automated_decision: true
    gates: {model: {recall: {min: 0.70}}}
    serving:
      mode: realtime
      replicas: {min: 2, max: 4}
      initial_version: 1
      rollout: {strategy: shadow, sample: 0.2, bake: 24h}
  arrears:
    problem: regression
    data: {dataset: transactions, target: days_late}
    gates: {model: {mae: {max: 12}}}
    serving: {mode: batch, schedule: daily, initial_version: 1}
"""

SMALLER = {"initialInstanceCount", "instanceType", "InstanceCount", "InstanceType", "minCapacity", "maxCapacity"}
"""What a scale may change: how many machines there are, and how large."""

ELSEWHERE_ON_THE_PATH = {"state", "promotion.from", "promotion.to", "promotion.approvals"}
"""What the place on the promotion path decides: where a version comes from and goes to, whose word it needs, and that
models are trained by the clock only where the path ends."""

ASKED = {f"rollout.{each}" for each in ("strategy", "bake_seconds", "sample", "split", "metric", "minimum_samples")}
"""What is compared only where requests come in: a version that passes through takes over all at once."""

ARRIVES = re.compile(r"-delivery-(registered|approved|passed)$")
"""How a version comes to an environment: from the registry, or from the environment before."""


def of(rows: list[Row], environment: str) -> dict[str, Row]:
    """The resources of one environment by a name that leaves the environment out."""
    owner = f"$mlestate:index:Environment::risk-{environment}"
    mine = [
        row for row in rows if f"::risk-{environment}" in row.urn.replace(owner, "") and not ARRIVES.search(row.name)
    ]
    return {neutral(row.key, environment): row for row in mine}


MADE_UP = re.compile(
    r"(?<=-)[0-9a-f]{7,8}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=-)[0-9a-f]{17}\b|(?<=/app-)[A-Z0-9]+\b"
)
"""What an engine or a cloud makes up: the end of an automatic name, the id of a key, a network or an MLflow app."""


def neutral(text: str, environment: str) -> str:
    """The text without the environment's name, with one word for all others, and without what was made up for it."""
    for name, word in ((environment, "*"), (MIRRORED[environment], "@")):
        text = re.sub(rf"\b{name}\b|(?<=_){name}(?=_)", word, text)
    # What a regular expression lists has no order, as what a policy lists.
    text = re.sub(r"\(([^()]*\|[^()]*)\)", lambda found: "(" + "|".join(sorted(found[1].split("|"))) + ")", text)
    return MADE_UP.sub("#", text)


MIRRORED = {"staging": "production", "production": "staging"}


def plain(value: Any, environment: str) -> Any:
    """A value in neutral words; JSON inside a text is looked into, statements of a policy are known by their `Sid`, and
    what a policy lists has no order."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return plain(json.loads(value), environment)
        except ValueError:
            return neutral(value, environment)
    if isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            value = {**value, "Statement": {each["Sid"]: each for each in value["Statement"]}}
        return {neutral(key, environment): plain(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        said = [plain(each, environment) for each in value]
        return sorted(said) if all(isinstance(each, str) for each in said) else said
    return neutral(str(value), environment)


def differs_by_right(path: str) -> bool:
    return (
        path.rpartition(".")[2] in SMALLER
        or any(path == each or path.endswith(f".{each}") for each in ELSEWHERE_ON_THE_PATH | ASKED)
        or path.startswith(("insecureValue.buses", "policy.Statement.SendOn"))
    )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its property path."""
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
    differences: dict[str, set[str]] = {}
    for key, row in production.items():
        other = staging[key]
        assert {neutral(each, "staging") for each in other.dependencies} == {
            neutral(each, "production") for each in row.dependencies
        }, f"{key} is wired the same way"
        assert other.options == row.options, f"{key} is kept the same way"
        ours, theirs = dict(leaves(plain(row.inputs, "production"))), dict(leaves(plain(other.inputs, "staging")))
        differences[key] = {path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)}
    unexplained = {
        key: others
        for key, paths in differences.items()
        if (others := {path for path in paths if not differs_by_right(path)})
    }
    assert not unexplained, "which no scale may change"


def test_a_mirror_is_smaller(record: Record) -> None:
    rows = record(ESTATE)
    (config,) = (
        row
        for row in of(rows, "staging").values()
        if row.type.endswith(":EndpointConfiguration") and row.name.endswith("churn")
    )
    variant = config.inputs["productionVariants"][0]
    assert (variant["instanceType"], variant["initialInstanceCount"]) == ("ml.m5.xlarge", 2)
