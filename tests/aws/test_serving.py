"""AWS: who a model runs as, the first endpoint, and what a release must find untouched."""

import json

import pytest

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT

OWN = "serving-churn"


def test_a_model_without_an_approved_version_has_an_identity_and_no_endpoint(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    assert one(found, "iam:Role", "staging-serving-later")
    assert not [name for name in all_of(found, "sagemaker:Endpoint") if name.endswith("later")]
    assert not [name for name in all_of(found, "iam:Role") if name.endswith("offline")], "nothing serves it"
    assert all_of(estate(MINIMAL), "sagemaker:Endpoint") == {}


def test_only_sagemaker_of_this_account_becomes_a_model(estate: Recorded) -> None:
    role = one(estate(ONE_ACCOUNT), "iam:Role", f"production-{OWN}").inputs
    assert role["path"] == "/mlestate/risk/"
    trust = statements(role["assumeRolePolicy"])["SageMakerOfThisAccount"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111111111111"},
        "ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:ca-central-1:111111111111:*"},
    }, "or another customer's SageMaker could be sent to act as this model (the confused deputy)"
    assert role["permissionsBoundary"].endswith("policy/mlestate/risk/risk-production-boundary")


def test_a_model_reaches_its_own_files_image_and_logs_and_no_other(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    said = statements(one(found, "iam:RolePolicy", f"production-{OWN}").inputs["policy"])
    artifacts = one(found, "s3:Bucket", "production-data-artifacts").inputs["bucket"]
    assert said["ReadItsArtifacts"]["Resource"] == f"arn:aws:s3:::{artifacts}/churn/*"
    assert said["PullItsImage"]["Resource"] == "arn:aws:ecr:ca-central-1:111111111111:repository/risk-hub-churn"
    assert said["WriteItsLogs"]["Resource"] == [
        "arn:aws:logs:ca-central-1:111111111111:log-group:/aws/sagemaker/Endpoints/risk-production-churn",
        "arn:aws:logs:ca-central-1:111111111111:log-group:/aws/sagemaker/Endpoints/risk-production-churn:*",
    ]
    assert actions(said["UseTheKeyOfModels"]) == ["kms:Decrypt"], "it captures nothing, so it encrypts nothing"
    wide = {sid for sid, each in said.items() if each["Resource"] == "*"}
    assert wide == {"SignInToTheRegistry", "WriteItsMetrics"}, "these two actions have no resource type"
    assert "cloudwatch:namespace" in said["WriteItsMetrics"]["Condition"]["StringEquals"]
    assert "WriteWhatItAnswers" not in said


def test_the_boundary_of_an_environment_covers_what_its_models_need(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    ceiling = statements(one(found, "iam:Policy", "production-serving-boundary").inputs["policy"])
    assert all(each["Effect"] == "Allow" for each in ceiling.values())
    reached = {action for each in ceiling.values() for action in actions(each)}
    for name in ("churn", "fraud", "vision", "later"):
        own = statements(one(found, "iam:RolePolicy", f"production-serving-{name}").inputs["policy"])
        assert {action for each in own.values() for action in actions(each)} <= reached, "a grant beyond it is void"
    assert not [action for action in reached if action.startswith(("iam:", "sts:"))]


def test_the_first_endpoint_runs_the_approved_version_in_isolation(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    model = one(found, "sagemaker:Model", f"production-{OWN}").inputs
    assert model["containers"] == [
        {"modelPackageName": "arn:aws:sagemaker:ca-central-1:111111111111:model-package/risk-hub-churn/3"}
    ]
    assert model["enableNetworkIsolation"] is True
    variant = one(found, "sagemaker:EndpointConfiguration", f"production-{OWN}").inputs["productionVariants"][0]
    assert variant["variantName"] == "champion", "guardrails work only while the name stays"
    assert (variant["instanceType"], variant["initialInstanceCount"]) == ("ml.m5.xlarge", 2)
    endpoint = one(found, "sagemaker:Endpoint", f"production-{OWN}")
    assert endpoint.inputs["name"] == "risk-production-churn"
    assert endpoint.inputs["tags"]["owner"] == "churn@risk.example", "the model's owner, before the estate's"


def test_releases_find_the_endpoint_as_they_left_it(estate: Recorded) -> None:
    """That AWS keeps a released endpoint through a real `up` is for an account to prove."""
    found = estate(ONE_ACCOUNT)
    endpoint = one(found, "sagemaker:Endpoint", f"production-{OWN}")
    assert set(endpoint.options["ignoreChanges"]) == {"endpointConfigName", "deploymentConfig"}
    assert endpoint.options["protect"] is True
    assert "protect" not in one(found, "sagemaker:Endpoint", f"staging-{OWN}").options
    for kind in ("sagemaker:Model", "sagemaker:EndpointConfiguration"):
        assert one(found, kind, f"production-{OWN}").options["retainOnDelete"] is True, (
            "a live endpoint may stand on one that this program no longer knows"
        )


@pytest.mark.parametrize("kind", ["sagemaker:Model", "sagemaker:EndpointConfiguration"])
def test_what_sagemaker_cannot_change_has_no_fixed_name(estate: Recorded, kind: str) -> None:
    name = one(estate(ONE_ACCOUNT), kind, f"production-{OWN}").inputs.get("name", "")
    assert name != "risk-production-churn"
    assert len(name) <= 63


def test_an_endpoint_goes_before_the_role_that_its_model_runs_as(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    permissions = one(found, "iam:RolePolicy", f"production-{OWN}")
    assert permissions.urn in one(found, "sagemaker:Endpoint", f"production-{OWN}").dependencies
    assert permissions.urn in one(found, "sagemaker:Model", f"production-{OWN}").dependencies, (
        "SageMaker checks a role's rights when it makes a model"
    )


def test_a_volume_is_encrypted_with_the_estates_key_unless_its_disk_encrypts_itself(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    key = one(found, "kms:Key", "production-keys-models").outputs["arn"]
    assert one(found, "sagemaker:EndpointConfiguration", f"production-{OWN}").inputs["kmsKeyArn"] == key
    vision = one(found, "sagemaker:EndpointConfiguration", "production-serving-vision").inputs
    assert vision["productionVariants"][0]["instanceType"] == "ml.g5.xlarge"
    assert "kmsKeyArn" not in vision, "SageMaker refuses a key for a type with disks of its own"


def test_a_serverless_endpoint_has_what_serverless_allows(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    assert one(found, "sagemaker:Model", "production-serving-fraud").inputs["enableNetworkIsolation"] is False
    configuration = one(found, "sagemaker:EndpointConfiguration", "production-serving-fraud").inputs
    variant = configuration["productionVariants"][0]
    assert variant["serverlessConfig"] == {"memorySizeInMb": 4096, "maxConcurrency": 5}
    assert not {"instanceType", "initialInstanceCount"} & set(variant)
    assert "dataCaptureConfig" not in configuration


def test_only_what_has_room_to_grow_scales(estate: Recorded) -> None:
    found = estate(ONE_ACCOUNT)
    targets = all_of(found, "appautoscaling:Target")
    assert set(targets) == {"risk-staging-serving-churn", "risk-production-serving-churn"}
    target = targets["risk-production-serving-churn"].inputs
    assert target["resourceId"] == "endpoint/risk-production-churn/variant/champion"
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 6)
    assert "tags" not in target, "with tags the provider finds its own target in the way"
    policy = one(found, "appautoscaling:Policy", f"production-{OWN}").inputs
    assert policy["targetTrackingScalingPolicyConfiguration"]["targetValue"] == 600


def test_captured_requests_go_to_the_models_own_folder_for_as_long_as_it_says(estate: Recorded) -> None:
    serving = "{mode: realtime, initial_version: 1, capture: {sample: 0.2, retention: 30d}}"
    found = estate(
        MINIMAL.replace("name: acme", "name: risk").replace("classification}", f"classification, serving: {serving}}}")
    )
    bucket = one(found, "s3:Bucket", "data-capture").inputs["bucket"]
    capture = one(found, "sagemaker:EndpointConfiguration", OWN).inputs["dataCaptureConfig"]
    assert capture["destinationS3Uri"] == f"s3://{bucket}/churn"
    assert capture["initialSamplingPercentage"] == 20
    assert [each["captureMode"] for each in capture["captureOptions"]] == ["Input", "Output"]
    said = statements(one(found, "iam:RolePolicy", OWN).inputs["policy"])
    assert said["WriteWhatItAnswers"]["Resource"] == f"arn:aws:s3:::{bucket}/churn/*"
    rules = one(found, "s3:BucketLifecycleConfiguration", "data-capture").inputs["rules"]
    assert [rule["expiration"]["days"] for rule in rules if "expiration" in rule] == [30]


def test_a_permission_document_never_changes_without_a_change(estate: Recorded) -> None:
    for kind in ("iam:RolePolicy", "iam:Policy"):
        for row in all_of(estate(ONE_ACCOUNT), kind).values():
            text = row.inputs["policy"]
            assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
