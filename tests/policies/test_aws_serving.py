"""What the rules on SageMaker's notebooks, domains, models and endpoints leave alone, and what they say."""

from collections.abc import Iterator
from typing import Any

import pytest

from mlestate_policies.aws.domains import DOMAIN, USER_PROFILE
from mlestate_policies.aws.notebooks import LIFECYCLE, NOTEBOOK
from mlestate_policies.aws.serving import ENDPOINT_CONFIGURATION, MODEL
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Rule, Undecided, Violation, named, rules
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node

TYPES = (DOMAIN, ENDPOINT_CONFIGURATION, LIFECYCLE, MODEL, NOTEBOOK, USER_PROFILE)
OURS = [rule for rule in rules() if rule.id.startswith("ML-AWS-SM-") and rule.id < "ML-AWS-SM-038"]
KEY = "arn:aws:kms:ca-central-1:111122223333:key/0d0c1a62-0000-4000-8000-000000000001"
DIGEST = "111122223333.dkr.ecr.ca-central-1.amazonaws.com/churn@sha256:" + "0" * 64


def found(rule: str, token: str, properties: dict[str, Any], **limits: Any) -> list[Violation | Undecided]:
    resource = Resource(token, f"urn:pulumi:stack::project::{token}::it", Node(properties))
    return list(named()[rule].judge(resource, Settings(limits=limits)))


def outcomes(findings: list[Violation | Undecided]) -> list[tuple[str, str]]:
    return [("violation" if isinstance(each, Violation) else "undecided", each.path) for each in findings]


def variants(*types: Any) -> dict[str, Any]:
    return {"productionVariants": [{"variantName": "v", "instanceType": each} for each in types]}


@pytest.mark.parametrize("family", ["g4dn", "g5", "g6", "g6e", "p4d", "p4de", "p5", "c5d", "m6gd", "r5dn", "trn1"])
def test_instances_with_disks_of_their_own_need_no_key(family: str) -> None:
    assert found("ML-AWS-SM-030", ENDPOINT_CONFIGURATION, variants(f"ml.{family}.xlarge")) == []


@pytest.mark.parametrize("family", ["m5", "c6i", "c7g", "r5", "t2", "p3", "inf1", "inf2"])
def test_instances_with_volumes_need_a_key(family: str) -> None:
    findings = found("ML-AWS-SM-030", ENDPOINT_CONFIGURATION, variants(f"ml.{family}.xlarge"))
    assert outcomes(findings) == [("violation", "kmsKeyArn")]


def test_one_variant_that_takes_no_key_is_enough_for_none() -> None:
    assert found("ML-AWS-SM-030", ENDPOINT_CONFIGURATION, variants("ml.m5.xlarge", "ml.g5.xlarge")) == []


def test_a_key_is_not_missed_while_an_instance_type_is_unknown() -> None:
    findings = found("ML-AWS-SM-030", ENDPOINT_CONFIGURATION, variants("ml.m5.xlarge", UNKNOWN))
    assert outcomes(findings) == [("undecided", "productionVariants[1].instanceType")]
    assert found("ML-AWS-SM-030", ENDPOINT_CONFIGURATION, {**variants(UNKNOWN), "kmsKeyArn": UNKNOWN}) == []


@pytest.mark.parametrize("rule", ["ML-AWS-SM-031", "ML-AWS-SM-032"])
def test_what_answers_without_a_server_or_later_has_no_two_instances_and_captures_nothing(rule: str) -> None:
    serverless = {"productionVariants": [{"serverlessConfig": {"memorySizeInMb": 2048, "maxConcurrency": 5}}]}
    later = {**variants("ml.m5.xlarge"), "asyncInferenceConfig": {"outputConfig": {"kmsKeyId": KEY}}}
    assert found(rule, ENDPOINT_CONFIGURATION, serverless) == []
    assert found(rule, ENDPOINT_CONFIGURATION, later) == []
    assert found(rule, ENDPOINT_CONFIGURATION, variants("ml.m5.xlarge")) != []


def test_a_variant_that_scales_itself_is_judged_by_its_least() -> None:
    def scaled(**scaling: Any) -> dict[str, Any]:
        variant = {"instanceType": "ml.m5.xlarge", "initialInstanceCount": 1, "managedInstanceScaling": scaling}
        return {"productionVariants": [variant]}

    least = "productionVariants[0].managedInstanceScaling.minInstanceCount"
    initial = "productionVariants[0].initialInstanceCount"
    assert found("ML-AWS-SM-031", ENDPOINT_CONFIGURATION, scaled(status="ENABLED", minInstanceCount=2)) == []
    assert outcomes(found("ML-AWS-SM-031", ENDPOINT_CONFIGURATION, scaled(status="ENABLED", minInstanceCount=0))) == [
        ("violation", least)
    ]
    assert outcomes(found("ML-AWS-SM-031", ENDPOINT_CONFIGURATION, scaled(status="DISABLED", minInstanceCount=2))) == [
        ("violation", initial)
    ]


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        (["Input", "Output"], []),
        (["InputAndOutput"], []),
        ([UNKNOWN, "InputAndOutput"], []),
        (["Input", UNKNOWN], [("undecided", "dataCaptureConfig.captureOptions[1].captureMode")]),
        (["Input"], [("violation", "dataCaptureConfig.captureOptions")]),
        ([], [("violation", "dataCaptureConfig.captureOptions")]),
    ],
)
def test_both_sides_of_a_request_are_captured_in_any_spelling(modes: list[str], expected: list[Any]) -> None:
    capture = {"enableCapture": True, "initialSamplingPercentage": 100}
    capture["captureOptions"] = [{"captureMode": mode} for mode in modes]  # type: ignore[assignment]
    properties = {**variants("ml.m5.xlarge"), "dataCaptureConfig": capture}
    assert outcomes(found("ML-AWS-SM-032", ENDPOINT_CONFIGURATION, properties)) == expected


def test_outside_production_nobody_asks_for_packages_digests_replicas_or_closed_shells() -> None:
    model = {"primaryContainer": {"image": "acme/churn", "modelDataUrl": "s3://a/b"}, "tags": {"environment": "dev"}}
    configuration = {**variants("ml.m5.xlarge"), "tags": {"Environment": "Staging"}}
    configuration["productionVariants"][0]["enableSsmAccess"] = True
    assert found("ML-AWS-SM-023", MODEL, model) == []
    assert found("ML-AWS-SM-024", MODEL, model) == []
    assert found("ML-AWS-SM-031", ENDPOINT_CONFIGURATION, configuration) == []
    assert found("ML-AWS-SM-035", ENDPOINT_CONFIGURATION, configuration) == []


def test_the_image_of_a_model_package_is_not_asked_for() -> None:
    package = {"primaryContainer": {"modelPackageName": UNKNOWN}}
    for rule in ("ML-AWS-SM-022", "ML-AWS-SM-023"):
        assert found(rule, MODEL, package) == []
    assert outcomes(found("ML-AWS-SM-024", MODEL, package)) == [("undecided", "primaryContainer.modelPackageName")]


@pytest.mark.parametrize(
    "image",
    [
        DIGEST,
        "763104351884.dkr.ecr.ca-central-1.amazonaws.com/pytorch-inference:2.5.1-cpu-py311-ubuntu22.04-sagemaker",
        "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/churn:7",
        "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/churn:7",
    ],
)
def test_any_private_registry_of_ecr_will_do_where_none_is_listed(image: str) -> None:
    assert found("ML-AWS-SM-022", MODEL, {"primaryContainer": {"image": image}}) == []


@pytest.mark.parametrize("image", ["acme/churn:7", "public.ecr.aws/acme/churn:7", "ghcr.io/acme/churn", "x.dkr.ecr/y"])
def test_a_public_registry_is_no_private_one(image: str) -> None:
    assert len(found("ML-AWS-SM-022", MODEL, {"primaryContainer": {"image": image}})) == 1


def test_an_image_is_undecided_only_while_what_is_known_does_not_decide() -> None:
    def judged(image: str, mode: str) -> list[tuple[str, str]]:
        container = {"image": image, "imageConfig": {"repositoryAccessMode": mode}}
        return outcomes(found("ML-AWS-SM-022", MODEL, {"primaryContainer": container}))

    assert judged(UNKNOWN, "Vpc") == []
    assert judged(DIGEST, UNKNOWN) == []
    assert judged(UNKNOWN, "Platform") == [("undecided", "primaryContainer.image")]
    assert judged("acme/churn", UNKNOWN) == [("undecided", "primaryContainer.imageConfig.repositoryAccessMode")]


def test_a_container_that_only_prepares_needs_no_package_beside_the_models() -> None:
    containers = [{"image": DIGEST}, {"modelPackageName": "arn:aws:sagemaker:ca-central-1:1:model-package/churn/7"}]
    assert found("ML-AWS-SM-024", MODEL, {"containers": containers}) == []


def test_a_known_bare_artifact_is_told_of_while_the_rest_is_unknown() -> None:
    containers = [{"modelDataUrl": "s3://a/b"}, {"modelPackageName": UNKNOWN}, {"modelDataUrl": UNKNOWN}]
    assert outcomes(found("ML-AWS-SM-024", MODEL, {"containers": containers})) == [
        ("violation", "containers[0].modelDataUrl"),
        ("undecided", "containers[2].modelDataUrl"),
    ]


def test_subnets_that_are_not_known_yet_are_counted_all_the_same() -> None:
    network = {"subnets": [UNKNOWN, UNKNOWN], "securityGroupIds": [UNKNOWN]}
    assert found("ML-AWS-SM-021", MODEL, {"vpcConfig": network}) == []


def test_without_a_list_every_instance_type_is_allowed() -> None:
    assert found("ML-AWS-SM-037", NOTEBOOK, {"instanceType": "ml.p5.48xlarge"}) == []
    assert found("ML-AWS-SM-037", NOTEBOOK, {"instanceType": "ml.m5.large"}, instanceTypes=("ml.m5.*",)) == []
    serverless = {"productionVariants": [{"serverlessConfig": {"maxConcurrency": 5}}]}
    assert found("ML-AWS-SM-037", ENDPOINT_CONFIGURATION, serverless, instanceTypes=("ml.m5.*",)) == []


def test_a_profile_that_says_nothing_keeps_what_its_domain_says() -> None:
    for rule in ("ML-AWS-SM-012", "ML-AWS-SM-014", "ML-AWS-SM-015"):
        assert found(rule, USER_PROFILE, {"userSettings": {"executionRole": "arn:aws:iam::111122223333:role/a"}}) == []


def test_a_secret_in_an_environment_is_told_of_without_its_value() -> None:
    properties = {"primaryContainer": {"environment": {"DB_PASSWORD": "hunter2", "LOG_LEVEL": "info"}}}
    findings = found("ML-AWS-SM-025", MODEL, properties)
    assert outcomes(findings) == [("violation", "primaryContainer.environment.DB_PASSWORD")]
    assert "hunter2" not in str(findings)


def nonsense() -> Iterator[Any]:
    yield from ("nonsense", 3, -1.5, True, False, [], {}, [None], ["a", 2, {"b": []}], {"a": {"b": ["c"]}}, UNKNOWN)


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_nothing_that_can_be_written_makes_a_rule_raise(rule: Rule) -> None:
    strict = Settings(limits={"instanceTypes": ("ml.m5.*",), "imageRegistries": ("*.amazonaws.com",)})
    for token, paths in rule.paths.items():
        for steps in ([step.removesuffix("[]") for step in path.split(".")] for path in paths):
            for depth in range(len(steps)):
                for value in nonsense():
                    for listed in (False, True):
                        inside: Any = value
                        for step in reversed(steps[: depth + 1]):
                            inside = {step: [inside] if listed else inside}
                        list(rule.judge(Resource(token, "urn", Node(inside)), strict))
