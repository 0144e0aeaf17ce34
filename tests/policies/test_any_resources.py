"""Where resources of the three clouds lie, what they are tagged with, and what protects them."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mlestate_policies.any import resources as any_resources
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node

BUCKET = "aws:s3/bucket:Bucket"
QUEBEC = Settings(profiles=("quebec",))


def resource(token: str, properties: dict[str, Any], provider: Any = None, **rest: Any) -> Resource:
    return Resource(token, "urn:pulumi:s::p::t::data", Node(properties), provider=Node(provider), **rest)


def place(token: str, properties: dict[str, Any], provider: Any = None, settings: Settings = QUEBEC) -> Findings:
    return list(any_resources.resource_lies_in_an_allowed_region(resource(token, properties, provider), settings))


@pytest.mark.parametrize(
    ("token", "properties", "provider"),
    [
        (BUCKET, {"region": "ca-central-1"}, {"region": "us-east-1"}),
        (BUCKET, {}, {"region": "ca-central-1"}),
        (BUCKET, {}, None),
        ("aws:iam/role:Role", {}, {"region": "us-east-1"}),
        ("gcp:storage/bucket:Bucket", {"location": "NORTHAMERICA-NORTHEAST1"}, None),
        ("gcp:workbench/instance:Instance", {"location": "northamerica-northeast1-a"}, None),
        ("gcp:compute/router:Router", {"region": "projects/p/regions/northamerica-northeast1"}, None),
        ("gcp:projects/service:Service", {"service": "aiplatform.googleapis.com"}, {"region": "us-central1"}),
        ("gcp:certificatemanager/certificate:Certificate", {"location": "global"}, None),
        ("azure-native:storage:StorageAccount", {"location": "Canada East"}, None),
        ("azure-native:privatedns:PrivateZone", {"location": "Global"}, None),
        ("pulumi:providers:aws", {"region": "us-east-1"}, None),
    ],
)
def test_what_lies_in_quebec_or_nowhere_is_kept(token: str, properties: dict[str, Any], provider: Any) -> None:
    assert not place(token, properties, provider)


@pytest.mark.parametrize(
    ("token", "properties", "provider"),
    [
        (BUCKET, {"region": "ca-west-1"}, {"region": "ca-central-1"}),
        (BUCKET, {}, {"region": "us-east-1"}),
        ("aws-native:s3:Bucket", {}, {"region": "us-east-1"}),
        ("gcp:storage/bucket:Bucket", {"location": "NAM4"}, None),
        ("gcp:bigquery/dataset:Dataset", {}, {"region": "northamerica-northeast1"}),
        ("gcp:kms/keyRing:KeyRing", {"location": "global"}, None),
        ("gcp:vertex/aiDataset:AiDataset", {}, {"region": "us-central1"}),
        ("gcp:workbench/instance:Instance", {"location": "northamerica-northeast2-a"}, None),
        ("azure-native:machinelearningservices:Workspace", {"location": "canadacentral"}, None),
    ],
)
def test_what_lies_elsewhere_is_a_violation(token: str, properties: dict[str, Any], provider: Any) -> None:
    (found,) = place(token, properties, provider)
    assert isinstance(found, Violation)
    assert not place(token, properties, provider, Settings())


def test_a_region_that_is_not_known_is_undecided() -> None:
    assert place(BUCKET, {"region": UNKNOWN}) == [Undecided("region")]
    assert place(BUCKET, {}, {"profile": "acme"}) == [Undecided("region")]


def test_canada_and_quebec_differ_by_toronto_and_calgary() -> None:
    for token, properties in (
        (BUCKET, {"region": "ca-west-1"}),
        ("gcp:storage/bucket:Bucket", {"location": "northamerica-northeast2"}),
        ("azure-native:storage:StorageAccount", {"location": "canadacentral"}),
    ):
        assert place(token, properties)
        assert not place(token, properties, settings=Settings(profiles=("canada",)))


def tags(token: str, properties: dict[str, Any], provider: Any = None, **limits: Any) -> Findings:
    settings = Settings(limits=limits)
    return list(any_resources.resource_says_whose_it_is(resource(token, properties, provider), settings))


def test_a_tag_may_come_from_the_provider_and_be_written_in_any_way() -> None:
    asked = {"requiredTags": ("cost-centre",)}
    for properties, provider in (
        ({"tags": {"CostCentre": "risk"}}, None),
        ({"tagsAll": {"cost_centre": "risk"}}, None),
        ({}, {"defaultTags": '{"tags": {"cost-centre": "risk"}}'}),
        ({}, {"defaultTags": {"tags": {"cost-centre": "risk"}}}),
    ):
        assert not tags(BUCKET, properties, provider, **asked)
    assert not tags("gcp:storage/bucket:Bucket", {}, {"defaultLabels": '{"cost_centre": "risk"}'}, **asked)
    assert tags(BUCKET, {"tags": {"cost-centre": ""}}, {"defaultTags": "no JSON"}, **asked)


def test_a_tag_whose_value_is_not_known_yet_is_a_tag() -> None:
    assert not tags(BUCKET, {"tags": {"environment": UNKNOWN}})
    assert tags(BUCKET, {"tags": UNKNOWN}) == [Undecided("tags")]


def test_what_takes_no_tags_is_asked_for_none() -> None:
    assert not tags("aws:s3/bucketPolicy:BucketPolicy", {})
    assert not tags(BUCKET, {}, requiredTags=())


def test_what_stands_for_a_model_is_asked_for_more() -> None:
    endpoint = "gcp:vertex/aiEndpoint:AiEndpoint"
    asked = {"requiredTags": (), "inventoryTags": ("risk-tier",)}
    assert tags(endpoint, {}, **asked)
    assert not tags(endpoint, {"labels": {"risk_tier": "high"}}, **asked)
    assert not tags(BUCKET, {}, **asked)


def protection(token: str, properties: dict[str, Any], **rest: Any) -> Findings:
    return list(any_resources.state_is_protected(resource(token, properties, **rest), Settings()))


def test_the_option_or_the_providers_own_way_protects() -> None:
    key = "gcp:kms/cryptoKey:CryptoKey"
    assert protection(key, {})
    assert protection(key, {"deletionPolicy": "DELETE"})
    assert not protection(key, {}, protect=True)
    assert not protection(key, {"deletionPolicy": "PREVENT"})
    assert protection(key, {"deletionPolicy": UNKNOWN}) == [Undecided("deletionPolicy")]


def test_nothing_is_asked_of_other_environments_disposable_stores_and_what_has_no_state() -> None:
    assert not protection(BUCKET, {"tags": {"environment": "dev"}})
    assert not protection("aws:sns/topic:Topic", {})
    answers = Resource(BUCKET, "urn:pulumi:s::p::t::acme-audit-answers", Node({}))
    assert not list(any_resources.state_is_protected(answers, Settings()))
    assert list(any_resources.state_is_protected(answers, Settings(limits={"disposableStores": ()})))


def _text_of(token: str) -> str:
    cloud, service, name = token.split(":")
    module, _, stem = service.partition("/")
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem or name).lower()
    found = find_spec(f"pulumi_{cloud.replace('-', '_')}")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / {"lambda": "lambda_"}.get(module, module)
    return next(each for each in (folder / f"{file}.py", folder / f"{file}_.py") if each.exists()).read_text()


def test_the_tables_of_types_are_those_of_the_sdks() -> None:
    missing = []
    for token in sorted(any_resources._TAGGED):
        key = "labels" if token.startswith("gcp:") else "tags"
        if f"def {key}(self)" not in _text_of(token):
            missing.append((token, key))
    for token, ways in any_resources._STATEFUL.items():
        text = _text_of(token)
        missing += [
            (token, path)
            for path in ways
            if "." not in path and f'name="{path}"' not in text and f"def {path}(" not in text
        ]
    assert not missing
    assert set(any_resources._TAGGED) >= any_resources._MODELS
