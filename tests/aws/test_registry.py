"""AWS: where versions and images are kept, and which accounts may read them."""

import json

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS


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
    for kind in ("sagemaker:ModelPackageGroup", "ecr:Repository"):
        assert one(estate(ONE_ACCOUNT), kind, "registry-churn").options["protect"] is True
        assert one(estate(ONE_ACCOUNT), kind, "registry-churn").options["retainOnDelete"] is True
        assert not {"protect", "retainOnDelete"} & set(one(estate(MINIMAL), kind, "registry-churn").options)


def test_nobody_outside_one_account_reads_its_registry(estate: Recorded) -> None:
    assert all_of(estate(ONE_ACCOUNT), "sagemaker:ModelPackageGroupPolicy") == {}
    assert all_of(estate(ONE_ACCOUNT), "ecr:RepositoryPolicy") == {}


def test_the_accounts_of_the_estate_read_the_registry_and_change_nothing(estate: Recorded) -> None:
    rows = estate(THREE_ACCOUNTS)
    accounts = {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]}
    versions = statements(one(rows, "sagemaker:ModelPackageGroupPolicy", "churn").inputs["resourcePolicy"])
    images = statements(one(rows, "ecr:RepositoryPolicy", "churn").inputs["policy"])
    for statement in [*versions.values(), *images.values()]:
        assert statement["Principal"] == accounts
        for action in actions(statement):
            assert not {"Update", "Put", "Delete", "Upload"} & {action.split(":")[1][:6], action.split(":")[1][:3]}
    assert versions["ReadAndRunItsVersions"]["Resource"] == (
        "arn:aws:sagemaker:ca-central-1:111111111111:model-package/risk-hub-churn/*"
    )
    assert "sagemaker:CreateModel" in actions(versions["ReadAndRunItsVersions"]), "or no other account could run one"


def test_another_slice_computes_what_the_hub_publishes(estate: Recorded) -> None:
    """The hub's half is what the local cloud answers, in the formats of AWS; a real account is not asked."""
    hub = next(row for row in estate(THREE_ACCOUNTS, "hub") if row.type == "mlestate:aws:Registry")
    model = one(estate(THREE_ACCOUNTS, "staging"), "sagemaker:Model", "serving-churn").inputs
    version = hub.outputs["models"]["churn"].replace("model-package-group", "model-package") + "/1"
    assert model["containers"] == [{"modelPackageName": version}]
    pull = statements(one(estate(THREE_ACCOUNTS, "staging"), "iam:RolePolicy", "serving-churn").inputs["policy"])
    assert pull["PullItsImage"]["Resource"] == (
        "arn:aws:ecr:ca-central-1:111111111111:repository/" + hub.outputs["images"]["churn"].partition("/")[2]
    ), "the image is in the hub's account, not in the environment's"
