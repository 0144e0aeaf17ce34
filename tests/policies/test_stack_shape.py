"""What rules over a stack must not ask: what is meant to differ, what is no record, what is not known yet."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from mlestate_policies.any.mirror import common_name
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Violation, named
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node
from tests.policies.cases import kept, resources

RULES = tuple(f"ML-STK-{number}" for number in range(10, 23))
TABLES = tuple(
    f"stack-{topic}"
    for topic in (
        *("mirror", "retention", "decisions", "residency", "stores", "keys"),
        *("identity", "network", "inventory", "cost", "structure"),
    )
)


def judged(entries: dict[str, dict[str, Any]], *ids: str, settings: Settings | None = None) -> list[str]:
    return list(messages(entries, ids or RULES, settings or Settings(profiles=("regulated", "quebec"))))


def messages(entries: dict[str, dict[str, Any]], ids: tuple[str, ...], settings: Settings) -> Iterator[str]:
    estate = Estate(resources(entries))
    for each in ids:
        for found in named()[each].judge(estate, settings):
            if isinstance(found, Violation):
                yield f"{each} {found.message}"


def as_in_a_first_preview(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """No names, ids or ARNs yet, and nothing of what comes from another resource."""
    seen = deepcopy(entries)
    for entry in seen.values():
        properties = entry.get("properties") or {}
        for key in ("id", "arn", "keyUri", "email", "keyId"):
            properties.pop(key, None)
        linked = {key for key, names in entry.get("links", {}).items() if names}
        for key in linked - {"properties", "rules", "productionVariants", "dataCaptureConfig"}:
            if isinstance(properties.get(key), str | None):
                properties[key] = UNKNOWN
        entry["properties"] = properties
    return seen


@pytest.mark.parametrize("table", TABLES)
def test_an_estate_that_keeps_the_rules_breaks_none_of_them_in_its_first_preview(table: str) -> None:
    assert not judged(as_in_a_first_preview(kept(table)))


@pytest.mark.parametrize(
    ("production", "staging"),
    [
        (("shop-prod-churn", "prod"), ("shop-staging-churn", "staging")),
        (("shop-production-churn", "production"), ("shop-stage-churn", "staging")),
        (("prodChurnEndpoint", "prod"), ("stagingChurnEndpoint", "staging")),
        (("churn_production", "production"), ("churn_uat", "uat")),
    ],
)
def test_counterparts_are_called_alike_but_for_the_environment(
    production: tuple[str, str], staging: tuple[str, str]
) -> None:
    names = [
        common_name(Resource("t", f"urn:pulumi:s::p::t::{name}", Node({})), where)
        for name, where in (production, staging)
    ]
    assert names[0] == names[1]


def test_an_estate_of_one_environment_has_nothing_to_be_like() -> None:
    entries = {name: entry for name, entry in kept("stack-mirror").items() if "staging" not in name}
    assert not judged(entries, "ML-STK-10")


def test_what_staging_has_alone_is_on_its_way_and_no_difference() -> None:
    entries = kept("stack-mirror")
    del entries["shop-prod-pipeline"], entries["shop-prod-runs"]
    assert not judged(entries, "ML-STK-10")


def test_counts_and_sizes_may_differ_between_environments() -> None:
    entries = kept("stack-mirror")
    entries["shop-prod-config"]["properties"]["productionVariants"] = [
        {"variantName": "champion", "instanceType": "ml.m5.4xlarge", "initialInstanceCount": 9},
        {"variantName": "other", "instanceType": "ml.m5.4xlarge", "initialInstanceCount": 9},
    ]
    assert not judged(entries, "ML-STK-10")


def test_residency_is_nobodys_demand_until_regions_are_named() -> None:
    entries = kept("stack-residency")
    entries["secret"]["properties"]["replicas"] = [{"region": "us-east-1"}]
    assert not judged(entries, "ML-STK-13", settings=Settings())
    assert judged(entries, "ML-STK-13", settings=Settings(profiles=("canada",)))


def test_one_key_may_encrypt_the_trails_of_all_environments() -> None:
    entries: dict[str, dict[str, Any]] = {
        "records": {"type": "aws:kms/key:Key", "properties": {"arn": "arn:aws:kms:ca-central-1:1:key/r"}}
    }
    for place in ("prod", "staging"):
        entries[place] = {
            "type": "aws:cloudtrail/trail:Trail",
            "properties": {"kmsKeyId": "arn:aws:kms:ca-central-1:1:key/r", "tags": {"environment": place}},
        }
    assert not judged(entries, "ML-STK-14")


def test_a_bucket_for_access_logs_needs_no_lock_whatever_it_is_called() -> None:
    entries = kept("stack-stores")
    settings = Settings(limits={"recordStores": ("*audit*",)})
    assert not judged(entries, "ML-STK-11", settings=settings)
    del entries["logging"]
    assert judged(entries, "ML-STK-11", settings=settings)


def test_an_estate_that_is_not_described_by_components_is_not_asked_for_them() -> None:
    entries = {"model": {"type": "aws:sagemaker/model:Model", "properties": {"tags": {"environment": "prod"}}}}
    assert not judged(entries, "ML-STK-20")


def test_an_endpoint_that_decides_nothing_about_people_is_asked_for_none_of_it() -> None:
    entries = kept("stack-decisions")
    for name in ("endpoint", "vertex", "online"):
        for key in ("tags", "labels"):
            entries[name]["properties"].pop(key, None)
    del entries["review"], entries["schedule"], entries["explain-claims"], entries["attribution-drift"]
    assert not judged(entries, "ML-STK-18")


def test_production_may_refer_to_a_hub() -> None:
    entries: dict[str, dict[str, Any]] = {
        "hub": {"type": "aws:ecr/repository:Repository", "properties": {"tags": {"environment": "hub"}}},
        "model": {
            "type": "aws:sagemaker/model:Model",
            "properties": {"tags": {"environment": "production"}},
            "links": {"containers": ["hub"]},
        },
    }
    assert not judged(entries, "ML-STK-22")
    entries["hub"]["properties"]["tags"]["environment"] = "staging"
    assert judged(entries, "ML-STK-22")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("wrong", [7, "x", True, [3], {"a": [None]}, [["x"]]])
def test_no_rule_fails_over_values_of_a_wrong_type(rule: str, table: str, wrong: object) -> None:
    entries = kept(table)
    for entry in entries.values():
        entry["properties"] = dict.fromkeys(entry.get("properties") or {}, wrong)
    list(named()[rule].judge(Estate(resources(entries)), Settings(profiles=("regulated", "quebec"))))
