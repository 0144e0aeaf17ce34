"""What rules on Google Cloud do not ask: of a resource that cannot have it, or that has the same in another way."""

from collections.abc import Iterator
from typing import Any

import pytest

from mlestate_policies.gcp.shapes import seconds
from mlestate_policies.rules import rules
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node
from tests.policies.gcp import REGULATED, outcome, said

BUCKET = "storage/bucket:Bucket"
DATASET = "bigquery/dataset:Dataset"
ENDPOINT = "vertex/aiEndpoint:AiEndpoint"
KEY = "kms/cryptoKey:CryptoKey"
PERIMETER = "accesscontextmanager/servicePerimeter:ServicePerimeter"
POLICY = "orgpolicy/policy:Policy"
POOL = "vertex/aiDeploymentResourcePool:AiDeploymentResourcePool"
REPOSITORY = "artifactregistry/repository:Repository"
SCHEDULE = "colab/schedule:Schedule"
SUBNET = "compute/subnetwork:Subnetwork"
WORKBENCH = "workbench/instance:Instance"

BASELINE = Settings()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("7776000s", 7776000), ("3.5s", 3.5), ("60", 60), (60, 60), ("2h", None), ("s", None), (True, None)],
)
def test_a_duration_is_seconds(raw: object, expected: float | None) -> None:
    assert seconds(Node(raw)) == expected


@pytest.mark.parametrize(
    "key",
    [
        {"purpose": "ASYMMETRIC_SIGN"},
        {"purpose": "MAC"},
        {"importOnly": True},
        {"versionTemplate": {"algorithm": "x", "protectionLevel": "EXTERNAL"}},
    ],
)
def test_a_key_that_cannot_rotate_by_itself_is_not_asked_to(key: dict[str, Any]) -> None:
    assert outcome("ML-GCP-KM-001", KEY, key) == "kept"


def test_a_key_whose_purpose_is_not_known_is_not_judged_yet() -> None:
    assert outcome("ML-GCP-KM-001", KEY, {"purpose": UNKNOWN}) == "undecided"
    assert outcome("ML-GCP-KM-001", KEY, {"purpose": UNKNOWN, "destroyScheduledDuration": "86400s"}) == "both"


@pytest.mark.parametrize(("duration", "expected"), [("604800s", "kept"), ("604799s", "violation"), (None, "kept")])
def test_a_destroyed_key_can_be_restored_for_a_week(duration: str | None, expected: str) -> None:
    key = {"rotationPeriod": "7776000s", "destroyScheduledDuration": duration}
    assert outcome("ML-GCP-KM-001", KEY, key) == expected


def test_an_endpoint_is_private_by_either_way() -> None:
    connected = {"privateServiceConnectConfig": {"enablePrivateServiceConnect": True}}
    assert outcome("ML-GCP-VX-002", ENDPOINT, {"network": UNKNOWN}) == "kept"
    assert outcome("ML-GCP-VX-002", ENDPOINT, connected) == "kept"
    assert outcome("ML-GCP-VX-002", ENDPOINT, {"privateServiceConnectConfig": UNKNOWN}) == "undecided"
    assert outcome("ML-GCP-VX-003", ENDPOINT, {"network": "projects/1/global/networks/ml"}) == "kept"


def test_an_endpoint_that_logs_nothing_is_told_of_once() -> None:
    assert [each.path for each in said("ML-GCP-VX-004", ENDPOINT, {})] == [
        "predictRequestResponseLoggingConfig.enabled"
    ]


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.01, "kept"), (1, "kept"), (0.009, "violation"), (UNKNOWN, "undecided")]
)
def test_the_sampling_rate_is_a_fraction_and_the_floor_a_percentage(rate: object, expected: str) -> None:
    logging = {"enabled": True, "samplingRate": rate, "bigqueryDestination": {"outputUri": UNKNOWN}}
    assert outcome("ML-GCP-VX-004", ENDPOINT, {"predictRequestResponseLoggingConfig": logging}, BASELINE) == expected


def test_a_pool_outside_production_may_have_one_replica() -> None:
    pool = {"dedicatedResources": {"minReplicaCount": 1}}
    assert outcome("ML-GCP-VX-013", POOL, pool | {"labels": {"environment": "staging"}}) == "kept"
    assert outcome("ML-GCP-VX-013", POOL, pool) == "violation"


def test_a_bucket_outside_production_may_be_destroyed_with_what_is_in_it() -> None:
    assert outcome("ML-GCP-ST-005", BUCKET, {"forceDestroy": True, "labels": {"environment": "dev"}}) == "kept"
    assert outcome("ML-GCP-ST-005", BUCKET, {}) == "kept"


def test_a_bucket_with_a_retention_policy_keeps_its_objects_without_versions() -> None:
    assert outcome("ML-GCP-ST-003", BUCKET, {"retentionPolicy": {"retentionPeriod": "86400"}}) == "kept"
    assert outcome("ML-GCP-ST-003", BUCKET, {}) == "violation"


def test_only_stores_of_records_are_locked_and_never_expire() -> None:
    assert outcome("ML-GCP-ST-004", BUCKET, {}) == "kept"
    assert outcome("ML-GCP-ST-004", BUCKET, {}, name="bank-audit-trail") == "violation"
    scratch = {"defaultTableExpirationMs": 86_400_000}
    assert outcome("ML-GCP-BQ-001", DATASET, scratch) == "kept"
    assert outcome("ML-GCP-BQ-001", DATASET, scratch, name="audit-trail") == "violation"
    assert outcome("ML-GCP-BQ-001", DATASET, {}, name="audit-trail") == "kept"


def test_a_dataset_that_lies_elsewhere_has_no_key_here() -> None:
    elsewhere = {"externalDatasetReference": {"externalSource": "x", "connection": "y"}}
    assert outcome("ML-GCP-BQ-002", DATASET, elsewhere | {"location": "aws-us-east-1"}) == "kept"


@pytest.mark.parametrize(("format_", "mode"), [("PYTHON", None), ("KFP", None), ("DOCKER", "REMOTE_REPOSITORY")])
def test_only_a_repository_of_the_estates_own_images_has_tags_to_fix(format_: str, mode: str | None) -> None:
    assert outcome("ML-GCP-CR-001", REPOSITORY, {"format": format_, "mode": mode}) == "kept"


@pytest.mark.parametrize("purpose", ["REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT"])
@pytest.mark.parametrize("rule", ["ML-GCP-NW-001", "ML-GCP-NW-003"])
def test_a_subnet_without_machines_has_neither_switch(rule: str, purpose: str) -> None:
    assert outcome(rule, SUBNET, {"purpose": purpose}) == "kept"
    assert outcome(rule, SUBNET, {"purpose": "PRIVATE"}) == "violation"


def test_a_perimeter_that_is_not_fully_known_is_judged_once_it_is() -> None:
    some = {"status": {"restrictedServices": ["aiplatform.googleapis.com", UNKNOWN]}}
    assert outcome("ML-GCP-NW-002", PERIMETER, some) == "undecided"
    assert outcome("ML-GCP-NW-002", PERIMETER, {"perimeterType": "PERIMETER_TYPE_BRIDGE"}) == "kept"
    only = Settings(limits={"perimeterServices": ("aiplatform.googleapis.com",)})
    assert outcome("ML-GCP-NW-002", PERIMETER, some, only) == "kept"


def test_exceptions_under_a_condition_leave_a_policy_of_the_organization_strict() -> None:
    name = "projects/1/policies/ainotebooks.disableTerminal"
    exception = {"enforce": "FALSE", "condition": {"expression": "resource.matchTag('1/x', 'y')"}}
    strict = {"enforce": "TRUE"}
    assert outcome("ML-GCP-OP-001", POLICY, {"name": name, "spec": {"rules": [strict, exception]}}) == "kept"
    assert outcome("ML-GCP-OP-001", POLICY, {"name": name, "spec": {"rules": UNKNOWN}}) == "undecided"
    assert (
        outcome("ML-GCP-OP-001", POLICY, {"name": "projects/1/policies/iam.other", "spec": {"reset": True}}) == "kept"
    )


def test_a_notebook_on_a_schedule_is_no_pipeline() -> None:
    notebook: dict[str, Any] = {"createNotebookExecutionJobRequest": {"notebookExecutionJob": {}}}
    for rule in ("ML-GCP-VX-027", "ML-GCP-VX-029"):
        assert outcome(rule, SCHEDULE, notebook) == "kept"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (f"https://r-kfp.pkg.dev/p/r/churn/sha256:{'0' * 64}", "kept"),
        ("https://r-kfp.pkg.dev/p/r/churn/v1", "violation"),
        ("https://r-kfp.pkg.dev/p/r/churn/sha256:0000", "violation"),
        ("gs://bucket/churn.yaml", "violation"),
        (UNKNOWN, "undecided"),
    ],
)
def test_a_template_is_pinned_by_its_digest_alone(template: str, expected: str) -> None:
    job = {"serviceAccount": "job@bank-ml.iam.gserviceaccount.com", "templateUri": template}
    assert outcome("ML-GCP-VX-027", SCHEDULE, {"createPipelineJobRequest": {"pipelineJob": job}}) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(30, "violation"), (60, "kept")])
def test_the_idle_timeout_is_what_the_organisation_sets(minutes: int, expected: str) -> None:
    metadata = {f"notebook-disable-{what}": "true" for what in ("root", "downloads", "terminal")}
    metadata |= {"notebook-upgrade-schedule": "00 19 * * SUN", "idle-timeout-seconds": "3600"}
    settings = Settings(limits={"workbenchIdleMinutes": minutes})
    assert outcome("ML-GCP-VX-023", WORKBENCH, {"gceSetup": {"metadata": metadata}}, settings) == expected
    template = {"shieldedVmConfig": {"enableSecureBoot": True}, "idleShutdownConfig": {"idleTimeout": "3600s"}}
    assert outcome("ML-GCP-VX-026", "colab/runtimeTemplate:RuntimeTemplate", template, settings) == expected


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("projects/p/global/networks/ml", "kept"),
        ("https://www.googleapis.com/compute/v1/projects/p/global/networks/ml", "kept"),
        ("projects/p/global/networks/default", "violation"),
        (UNKNOWN, "undecided"),
        (None, "violation"),
    ],
)
def test_a_network_is_on_the_list_as_a_path_or_as_an_address(network: str | None, expected: str) -> None:
    settings = Settings(limits={"workbenchNetworks": ("projects/*/global/networks/ml",)})
    instance = {"gceSetup": {"networkInterfaces": [{"network": network, "subnet": "s"}]}}
    assert outcome("ML-GCP-VX-025", WORKBENCH, instance, settings) == expected


def test_without_lists_every_image_and_network_will_do() -> None:
    assert outcome("ML-GCP-VX-025", WORKBENCH, {"gceSetup": {"vmImage": {"family": "x"}}}) == "kept"
    garden = "vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
    assert outcome("ML-GCP-VX-012", garden, {"publisherModelName": "publishers/x/models/y"}) == "kept"


@pytest.mark.parametrize("garbage", ["text", 7, True, [], ["x"], [[]], {"a": {"b": 1}}])
def test_no_rule_raises_for_what_somebody_wrote(garbage: Any) -> None:
    for rule in rules():
        if rule.cloud == "gcp" and rule.kind == "resource":
            for token, paths in rule.paths.items():
                for properties in (each for path in paths for each in garbled(path, garbage)):
                    for settings in (REGULATED, BASELINE):
                        said(rule.id, token.removeprefix("gcp:"), properties, settings, name="audit-trail")


def garbled(path: str, garbage: Any) -> Iterator[dict[str, Any]]:
    """Properties with garbage at each step of a path."""
    steps = path.split(".")
    for depth in range(len(steps)):
        inside = garbage
        for step in reversed(steps[: depth + 1]):
            inside = {step.removesuffix("[]"): [inside] if step.endswith("[]") else inside}
        yield inside
