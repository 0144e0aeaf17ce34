"""AWS: where versions and images are kept, and which accounts may read them."""

import json

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS

VERSIONS = "arn:aws:sagemaker:ca-central-1:111111111111:model-package/risk-hub-churn/*"


def test_a_model_has_a_group_of_versions_and_a_repository_of_images(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    group = one(rows, "sagemaker:ModelPackageGroup", "registry-churn").inputs
    assert group["modelPackageGroupName"] == "risk-hub-churn"
    assert group["tags"] == {
        "estate": "risk",
        "environment": "hub",
        "managed-by": "pulumi",
        "owner": "churn@risk.example",
        "model": "churn",
    }
    described = {
        row.inputs["modelPackageGroupDescription"] for row in all_of(rows, "sagemaker:ModelPackageGroup").values()
    }
    assert len(described) == 1, "a description that varies is one day changed, and the group replaced with it"


def test_what_was_approved_is_what_runs(estate: Recorded) -> None:
    repository = one(estate(ONE_ACCOUNT), "ecr:Repository", "registry-churn").inputs
    assert repository["imageTagMutability"] == "IMMUTABLE", "a tag that moves runs what nobody approved"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["encryptionConfigurations"][0]["encryptionType"] == "KMS"
    free = one(estate(MINIMAL), "ecr:Repository", "registry-churn").inputs
    assert free["encryptionConfigurations"] == [{"encryptionType": "AES256"}]


def test_only_untagged_images_are_ever_thrown_away(estate: Recorded) -> None:
    policy = json.loads(one(estate(MINIMAL), "ecr:LifecyclePolicy", "registry-churn").inputs["policy"])
    assert [rule["selection"]["tagStatus"] for rule in policy["rules"]] == ["untagged"]
    assert policy["rules"][0]["selection"]["countNumber"] == 10, "the newest stay, in case a tag was missed"


def test_the_registry_of_a_protected_environment_is_kept(estate: Recorded) -> None:
    for kind in ("sagemaker:ModelPackageGroup", "sagemaker:ModelCard", "ecr:Repository"):
        assert one(estate(ONE_ACCOUNT), kind, "registry-churn").options["protect"] is True
        assert one(estate(ONE_ACCOUNT), kind, "registry-churn").options["retainOnDelete"] is True
        assert not {"protect", "retainOnDelete"} & set(one(estate(MINIMAL), kind, "registry-churn").options)


def test_nobody_outside_one_account_reads_its_registry(estate: Recorded) -> None:
    assert all_of(estate(ONE_ACCOUNT), "sagemaker:ModelPackageGroupPolicy") == {}
    assert all_of(estate(ONE_ACCOUNT), "ecr:RepositoryPolicy") == {}


def test_the_accounts_of_the_estate_read_the_registry_and_pull_its_images(estate: Recorded) -> None:
    rows = estate(THREE_ACCOUNTS)
    accounts = {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]}
    versions = statements(one(rows, "sagemaker:ModelPackageGroupPolicy", "churn").inputs["resourcePolicy"])
    images = statements(one(rows, "ecr:RepositoryPolicy", "churn").inputs["policy"])
    for statement in (versions["ReadTheGroup"], versions["ReadAndRunItsVersions"], *images.values()):
        assert statement["Principal"] == accounts
        for action in actions(statement):
            assert not {"Update", "Put", "Delete", "Upload"} & {action.split(":")[1][:6], action.split(":")[1][:3]}
    assert versions["ReadAndRunItsVersions"]["Resource"] == VERSIONS
    assert "sagemaker:CreateModel" in actions(versions["ReadAndRunItsVersions"]), "or no other account could run one"


def test_a_pipeline_elsewhere_registers_only_what_waits_for_approval(estate: Recorded) -> None:
    """That SageMaker honours the condition keys in a group's policy is what only two real accounts show."""
    said = statements(
        one(estate(THREE_ACCOUNTS), "sagemaker:ModelPackageGroupPolicy", "churn").inputs["resourcePolicy"]
    )
    register = said["RegisterFromStaging"]
    assert register["Principal"] == {"AWS": "arn:aws:iam::222222222222:root"}
    assert actions(register) == ["sagemaker:CreateModelPackage"]
    assert register["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/mlestate/risk/risk-staging-pipeline"},
        "StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"},
    }, "a version that is made as approved was approved by nobody"


def test_a_release_elsewhere_moves_a_version_along_and_never_approves_it(estate: Recorded) -> None:
    said = statements(
        one(estate(THREE_ACCOUNTS), "sagemaker:ModelPackageGroupPolicy", "churn").inputs["resourcePolicy"]
    )
    changing = {sid for sid, each in said.items() if "sagemaker:UpdateModelPackage" in actions(each)}
    assert changing == {"MoveToAStageFromStaging", "MoveToAStageFromProduction"}
    move = said["MoveToAStageFromProduction"]
    assert move["Resource"] == VERSIONS
    assert move["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::333333333333:role/mlestate/risk/risk-production-release"},
        "Null": {"sagemaker:ModelApprovalStatus": "true"},
        "StringEquals": {"sagemaker:ModelLifeCycle:Stage": "production"},
    }


def test_the_roles_that_a_registry_believes_are_those_that_other_accounts_have(estate: Recorded) -> None:
    rows = estate(THREE_ACCOUNTS)
    said = statements(one(rows, "sagemaker:ModelPackageGroupPolicy", "churn").inputs["resourcePolicy"])
    believed = {each["Condition"]["ArnEquals"]["aws:PrincipalArn"] for each in said.values() if "Condition" in each}
    made = {f"{row.inputs['path']}{row.inputs['name']}" for row in all_of(rows, "iam:Role").values()}
    assert len(believed) == 4
    assert {arn.partition(":role")[2] for arn in believed} <= made


def test_a_card_starts_as_a_draft_of_what_the_file_knows(estate: Recorded) -> None:
    """The schema: SageMaker developer guide, "Model cards"; that SageMaker takes it, only an account shows."""
    made = one(estate(ONE_ACCOUNT), "sagemaker:ModelCard", "registry-churn")
    assert made.inputs["modelCardName"] == "risk-hub-churn"
    assert made.inputs["modelCardStatus"] == "Draft"
    said = json.loads(made.inputs["content"])
    assert said["model_overview"] == {
        "model_name": "churn",
        "model_owner": "churn@risk.example",
        "problem_type": "classification",
    }
    assert said["intended_uses"]["risk_rating"] == "Unknown", "nobody has said what the model is for"
    assert said["additional_information"]["custom_details"]["automated decision about people"] == "no"
    key = one(estate(ONE_ACCOUNT), "kms:Key", "hub-keys-registry").outputs["arn"]
    assert made.inputs["securityConfig"] == {"kmsKeyId": key}
    assert "securityConfig" not in one(estate(MINIMAL), "sagemaker:ModelCard", "registry-churn").inputs


def test_what_people_wrote_into_a_card_is_never_overwritten(estate: Recorded) -> None:
    ignored = one(estate(ONE_ACCOUNT), "sagemaker:ModelCard", "registry-churn").options["ignoreChanges"]
    assert set(ignored) == {"content", "modelCardStatus"}


def test_the_key_of_the_registry_is_open_to_images_and_cards(estate: Recorded) -> None:
    said = statements(one(estate(ONE_ACCOUNT), "kms:Key", "hub-keys-registry").inputs["policy"])
    services = {
        service
        for each in said.values()
        for service in each.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [])
    }
    assert {"ecr.ca-central-1.amazonaws.com", "sagemaker.ca-central-1.amazonaws.com"} <= services


def test_another_slice_computes_what_the_hub_publishes(estate: Recorded) -> None:
    """The hub's half is what the local cloud answers, in the formats of AWS; a real account is not asked."""
    hub = next(row for row in estate(THREE_ACCOUNTS, "hub") if row.type == "mlestate:aws:Registry")
    model = one(estate(THREE_ACCOUNTS, "staging"), "sagemaker:Model", "serving-churn").inputs
    version = hub.outputs["models"]["churn"].replace("model-package-group", "model-package") + "/1"
    assert model["containers"] == [{"modelPackageName": version}]
    said = statements(
        one(estate(THREE_ACCOUNTS, "staging"), "iam:RolePolicy", "access-churn-inference").inputs["policy"]
    )
    [pull] = [each for each in said.values() if "ecr:BatchGetImage" in actions(each)]
    assert pull["Resource"] == (
        "arn:aws:ecr:ca-central-1:111111111111:repository/" + hub.outputs["images"]["churn"].partition("/")[2]
    ), "the image is in the hub's account, not in the environment's"
