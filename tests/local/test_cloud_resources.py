"""What the local cloud makes: every promised type, one by one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2 as pb

from mlestate.local import schema
from mlestate.local.cloud import CLOUDS
from mlestate.local.markers import UNKNOWN
from mlestate.local.wire import is_unknown, plain, struct
from tests.local.cloud_calls import AbortedError, Caller, urn
from tests.local.cloud_cases import ALL, AWS, AZURE, GCP, package

# Promised by the SDK's types and yet absent in the cloud's answer, for the feature that fills them is not asked for.
ABSENT = {
    "aws:s3/bucket:Bucket": {
        "accelerationStatus", "acl", "bucketNamespace", "bucketPrefix", "corsRules", "lifecycleRules", "logging",
        "objectLockConfiguration", "policy", "replicationConfiguration", "website", "websiteDomain", "websiteEndpoint",
    },
    "aws:dynamodb/table:Table": {
        "globalSecondaryIndexes", "globalTableWitness", "serverSideEncryption", "warmThroughput",
    },
    "aws:sns/topic:Topic": {"maximumMessageSize"},
    "aws:s3/bucketObjectv2:BucketObjectv2": {
        "acl", "checksumCrc32", "checksumCrc32c", "checksumCrc64nvme", "checksumSha1", "checksumSha256", "kmsKeyId",
        "source",
    },
    "aws:glue/catalogTable:CatalogTable": {"viewDefinition"},
    "aws:lakeformation/permissions:Permissions": {"dataLocation", "lfTag", "lfTagPolicy", "table", "tableWithColumns"},
    "aws:costexplorer/anomalySubscription:AnomalySubscription": {"thresholdExpression"},
    "gcp:storage/bucket:Bucket": {"website"},
    "gcp:bigquery/dataset:Dataset": {"storageBillingModel"},
    "gcp:kms/cryptoKey:CryptoKey": {"cryptoKeyBackend", "keyAccessJustificationsPolicy"},
    "azure-native:storage:StorageAccount": {
        "blobRestoreStatus", "customDomain", "geoReplicationStats", "keyPolicy", "lastGeoFailoverTime", "sasPolicy",
        "secondaryEndpoints", "secondaryLocation", "statusOfSecondary",
    },
    "azure-native:storage:BlobContainer": {
        "deletedTime", "immutabilityPolicy", "leaseDuration", "legalHold", "version",
    },
}  # fmt: skip
PREFIXES = {"namePrefix", "expectedBucketOwner"}


@pytest.mark.parametrize("token", ALL)
def test_what_create_returns_read_returns(token: str) -> None:
    """Does not prove that the outputs equal a real account's."""
    caller = Caller(package(token))
    made = caller.create(token, "it", ALL[token])
    read = caller.read(made)
    assert read.id == made.id
    assert plain(read.properties) == made.outputs, "a refresh right after an up finds no change"
    assert plain(read.inputs) == made.inputs


@pytest.mark.parametrize("token", ALL)
def test_every_output_that_the_sdk_promises_is_there(token: str) -> None:
    made = Caller(package(token)).create(token, "it", ALL[token])
    promised = schema.resource_type(token).promised - ABSENT.get(token, set()) - PREFIXES
    assert promised - set(made.outputs) == set(), "a program that reads a missing output fails only in its own apply"
    assert not [key for key, value in made.outputs.items() if is_unknown(value)]


@pytest.mark.parametrize("token", ALL)
def test_a_preview_knows_the_inputs_and_promises_the_same_outputs(token: str) -> None:
    caller = Caller(package(token))
    planned = caller.create(token, "it", ALL[token], preview=True)
    assert planned.id == ""
    assert caller.store.objects() == [], "a preview makes nothing"
    made = caller.create(token, "it", ALL[token])
    absent = {key for key in planned.outputs if key not in made.outputs}
    assert set(made.outputs) - set(planned.outputs) == set()
    assert absent <= ABSENT.get(token, set()), "what a preview promises comes"
    for key, value in planned.outputs.items():
        if key in ALL[token] and key not in ("identity", "properties"):
            assert value == ALL[token][key]


@pytest.mark.parametrize("token", ALL)
def test_outputs_are_the_same_in_every_run(token: str) -> None:
    first = Caller(package(token)).create(token, "it", ALL[token])
    second = Caller(package(token)).create(token, "it", ALL[token])
    assert (first.id, first.outputs) == (second.id, second.outputs), "golden inventories must not flicker"


def test_every_promised_type_has_its_facts() -> None:
    for name, cases in (("aws", AWS), ("gcp", GCP), ("azure-native", AZURE)):
        assert set(CLOUDS[name].KINDS) == set(cases), "a row without a test, or a test without a row"
        caller = Caller(name)
        for token, inputs in cases.items():
            caller.create(token, "it", inputs)
        assert caller.store.unchecked == set()


def test_arns_carry_account_and_region() -> None:
    caller = Caller("aws", region="ca-central-1", allowedAccountIds=json.dumps(["222222222222"]))
    model = caller.create("aws:sagemaker/model:Model", "m", AWS["aws:sagemaker/model:Model"])
    assert model.outputs["arn"] == "arn:aws:sagemaker:ca-central-1:222222222222:model/churn"
    elsewhere = {**AWS["aws:sagemaker/model:Model"], "region": "eu-west-1"}
    assert caller.create("aws:sagemaker/model:Model", "n", elsewhere).outputs["arn"].split(":")[3] == "eu-west-1"
    role = caller.create("aws:iam/role:Role", "r", AWS["aws:iam/role:Role"])
    assert role.outputs["arn"] == "arn:aws:iam::222222222222:role/trainer"


def test_google_ids_carry_the_project() -> None:
    caller = Caller("gcp", project="acme-ml")
    account = caller.create("gcp:serviceaccount/account:Account", "a", {"accountId": "trainer"})
    assert account.outputs["email"] == "trainer@acme-ml.iam.gserviceaccount.com"
    labels = caller.create("gcp:pubsub/topic:Topic", "t", {"name": "t", "labels": {"a": "b"}}).outputs[
        "effectiveLabels"
    ]
    assert labels == {"a": "b", "goog-pulumi-provisioned": "true"}


def test_azure_ids_carry_subscription_and_group_and_outputs_leave_path_parameters_out() -> None:
    caller = Caller("azure-native", subscriptionId="sub")
    caller.create("azure-native:resources:ResourceGroup", "g", AZURE["azure-native:resources:ResourceGroup"])
    token = "azure-native:machinelearningservices:Workspace"
    made = caller.create(token, "w", AZURE[token])
    assert made.id == (
        "/subscriptions/sub/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/workspace"
    )
    assert made.outputs["location"] == "canadacentral", "a resource without a location is where its group is"
    assert "resourceGroupName" not in made.outputs
    identities = made.outputs["identity"]["userAssignedIdentities"]
    assert set(identities["/subscriptions/s/id"]) == {"clientId", "principalId"}, "a list goes in, a map comes out"


def test_a_managed_identity_has_one_principal_wherever_it_is_named() -> None:
    caller = Caller("azure-native")
    identity = caller.create(
        "azure-native:managedidentity:UserAssignedIdentity", "i", {"resourceGroupName": "g", "resourceName": "i"}
    )
    workspace = caller.create(
        "azure-native:machinelearningservices:Workspace",
        "w",
        {
            "resourceGroupName": "g",
            "workspaceName": "workspace",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity.id]},
        },
    )
    named = workspace.outputs["identity"]["userAssignedIdentities"][identity.id]
    assert named["principalId"] == identity.outputs["principalId"]


def test_tags_all_adds_the_providers_default_tags() -> None:
    caller = Caller("aws", defaultTags=json.dumps({"tags": {"estate": "acme"}}))
    assert caller.create("aws:s3/bucket:Bucket", "b", {"tags": {"a": "b"}}).outputs["tagsAll"] == {
        "estate": "acme",
        "a": "b",
    }


@pytest.mark.parametrize(
    ("token", "inputs", "words"),
    [
        ("aws:s3/bucket:Bucket", AWS["aws:s3/bucket:Bucket"], "BucketAlreadyOwnedByYou"),
        ("aws:iam/role:Role", AWS["aws:iam/role:Role"], "EntityAlreadyExists: Role with name trainer already exists."),
        ("aws:sagemaker/endpoint:Endpoint", AWS["aws:sagemaker/endpoint:Endpoint"], "already existing endpoint"),
        ("aws:sagemaker/featureGroup:FeatureGroup", AWS["aws:sagemaker/featureGroup:FeatureGroup"], "ResourceInUse"),
        ("aws:dynamodb/table:Table", AWS["aws:dynamodb/table:Table"], "ResourceInUseException"),
        ("gcp:storage/bucket:Bucket", GCP["gcp:storage/bucket:Bucket"], "Error 409"),
        ("gcp:bigquery/dataset:Dataset", GCP["gcp:bigquery/dataset:Dataset"], "Already Exists: Dataset"),
        (
            "azure-native:storage:StorageAccount",
            AZURE["azure-native:storage:StorageAccount"],
            "StorageAccountAlreadyTaken: The storage account named account is already taken.",
        ),
        (
            "azure-native:machinelearningservices:Workspace",
            AZURE["azure-native:machinelearningservices:Workspace"],
            "cannot create already existing resource",
        ),
    ],
)
def test_a_taken_name_is_refused_in_the_clouds_words(token: str, inputs: dict[str, object], words: str) -> None:
    caller = Caller(package(token))
    caller.create(token, "first", inputs)
    with pytest.raises(AbortedError, match=words):
        caller.create(token, "second", inputs)
    assert len(list(caller.store.of(token))) == 1


def test_bucket_names_are_global_and_role_names_are_the_accounts() -> None:
    ours = Caller("aws", allowedAccountIds='["111111111111"]')
    theirs = Caller("aws", ours.store, allowedAccountIds='["222222222222"]', region="eu-west-1")
    ours.create("aws:s3/bucket:Bucket", "a", {"bucket": "lake"})
    with pytest.raises(AbortedError, match="BucketAlreadyExists"):
        theirs.create("aws:s3/bucket:Bucket", "b", {"bucket": "lake"})
    ours.create("aws:cloudwatch/logGroup:LogGroup", "a", {"name": "/ml"})
    with pytest.raises(AbortedError, match="ResourceAlreadyExistsException"):
        ours.create("aws:cloudwatch/logGroup:LogGroup", "b", {"name": "/ml"})


def test_a_name_is_free_again_after_deletion_and_deletion_is_idempotent() -> None:
    caller = Caller("aws")
    made = caller.create("aws:s3/bucket:Bucket", "a", {"bucket": "lake"})
    caller.delete(made)
    caller.delete(made)
    assert caller.read(made).id == "", "gone is an empty id"
    caller.create("aws:s3/bucket:Bucket", "b", {"bucket": "lake"})


def test_an_update_keeps_identity_and_follows_the_inputs() -> None:
    caller = Caller("aws")
    made = caller.create("aws:kms/key:Key", "k", {"tags": {"a": "1"}})
    outputs = caller.update(made, {"tags": {"a": "2"}, "enableKeyRotation": True})
    assert outputs["arn"] == made.outputs["arn"]
    assert outputs["tagsAll"] == {"a": "2"}
    assert outputs["rotationPeriodInDays"] == 365
    assert plain(caller.read(made).properties) == outputs


def test_a_preview_of_an_update_keeps_what_the_cloud_made_known() -> None:
    caller = Caller("aws")
    made = caller.create("aws:kms/key:Key", "k", {"tags": {"a": "1"}})
    outputs = caller.update(made, {"tags": {"a": UNKNOWN}}, preview=True)
    assert outputs["arn"] == made.outputs["arn"], "else every dependent would seem to be replaced"
    assert outputs["tagsAll"] == UNKNOWN
    assert plain(caller.read(made).properties) == made.outputs, "a preview changes nothing"


def test_a_preview_on_a_foreign_state_needs_no_object() -> None:
    caller = Caller("aws")
    made = caller.create("aws:kms/key:Key", "k", {"description": "old"})
    outputs = Caller("aws").update(made, {"description": "new"}, preview=True)
    assert outputs["arn"] == made.outputs["arn"]
    assert outputs["description"] == "new"
    with pytest.raises(AbortedError, match="does not exist"):
        Caller("aws").update(made, {"description": "new"})


def test_a_change_behind_its_back_is_read() -> None:
    caller = Caller("aws")
    token = "aws:s3/bucket:Bucket"
    made = caller.create(token, "b", {"bucket": "lake", "tags": {"a": "1"}})
    caller.store.change(token, made.id, {"tags": {"a": "2"}, "requestPayer": "Requester"})
    read = caller.read(made)
    assert plain(read.inputs)["tags"] == {"a": "2"}
    assert plain(read.properties)["requestPayer"] == "Requester"
    outputs = caller.update(made, {"bucket": "lake", "tags": {"a": "1"}})
    assert outputs["tags"] == {"a": "1"}, "an update sets what the program says"
    assert outputs["requestPayer"] == "Requester", "and leaves what it does not say"
    caller.store.delete(token, made.id)
    assert caller.read(made).id == ""


def test_deletions_are_refused_where_the_cloud_refuses() -> None:
    caller = Caller("aws")
    role = caller.create("aws:iam/role:Role", "r", AWS["aws:iam/role:Role"])
    attachment = caller.create(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "a",
        {"role": "trainer", "policyArn": "arn:aws:iam::aws:policy/X"},
    )
    with pytest.raises(AbortedError, match="DeleteConflict"):
        caller.delete(role)
    caller.delete(attachment)
    caller.delete(role)
    google = Caller("gcp")
    table = google.create("gcp:bigquery/table:Table", "t", {"datasetId": "d", "tableId": "t"})
    with pytest.raises(AbortedError, match="deletionProtection"):
        google.delete(table)
    bucket = google.create("gcp:storage/bucket:Bucket", "b", {"location": "US", "deletionPolicy": "PREVENT"})
    with pytest.raises(AbortedError, match="PREVENT"):
        google.delete(bucket)
    kept = google.create("gcp:storage/bucket:Bucket", "k", {"location": "US", "deletionPolicy": "ABANDON"})
    google.delete(kept)
    assert google.store.get("gcp:storage/bucket:Bucket", kept.id) is not None, "abandoned, not deleted"


def test_a_type_without_facts_goes_through_and_is_named() -> None:
    caller = Caller("aws")
    made = caller.create("aws:lambda/layerVersion:LayerVersion", "l", {"layerName": "x"})
    assert made.outputs["arn"].startswith("arn:aws:lambda:")
    assert caller.store.unchecked == {"aws:lambda/layerVersion:LayerVersion"}


def test_a_type_that_the_sdk_does_not_have_is_refused_at_check() -> None:
    assert "has no such resource type" in Caller("aws").failures("aws:s3/bukket:Bukket", {})[""]


def test_known_data_sources_answer_and_others_are_refused_by_name() -> None:
    caller = Caller("aws", region="ca-central-1", allowedAccountIds='["222222222222"]')
    assert caller.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == "222222222222"
    assert caller.invoke("aws:index/getRegion:getRegion")["region"] == "ca-central-1"
    assert caller.invoke("aws:index/getPartition:getPartition")["partition"] == "aws"
    assert Caller("gcp", project="p").invoke("gcp:organizations/getProject:getProject")["projectId"] == "p"
    client = Caller("azure-native", subscriptionId="s").invoke("azure-native:authorization:getClientConfig")
    assert client["subscriptionId"] == "s"
    with pytest.raises(AbortedError, match="aws:ec2/getAmi:getAmi"):
        caller.invoke("aws:ec2/getAmi:getAmi")


def test_a_policy_document_is_written_as_the_provider_writes_it() -> None:
    answer = Caller("aws").invoke(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        statements=[
            {
                "sid": "Assume",
                "actions": ["sts:AssumeRole"],
                "principals": [{"type": "Service", "identifiers": ["sagemaker.amazonaws.com"]}],
                "conditions": [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]}],
            },
            {"effect": "Deny", "actions": ["s3:Put", "s3:Get"], "resources": ["*"]},
        ],
    )
    assert json.loads(answer["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Assume",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:SourceAccount": "1"}},
            },
            {"Effect": "Deny", "Action": ["s3:Get", "s3:Put"], "Resource": "*"},
        ],
    }


TEXT = st.text(alphabet="abcxyz {}%.-_\"'é", max_size=12)
TAG = st.text(alphabet="abcxyz .-_é", min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {"assumeRolePolicy": st.just(AWS["aws:iam/role:Role"]["assumeRolePolicy"])},
        optional={
            "description": TEXT,
            "maxSessionDuration": st.integers(3600, 43200),
            "forceDetachPolicies": st.booleans(),
            "managedPolicyArns": st.lists(TEXT, max_size=3),
            "tags": st.dictionaries(TAG, TAG, max_size=3),
            "inlinePolicies": st.lists(st.fixed_dictionaries({"name": TEXT, "policy": TEXT}), max_size=2),
        },
    )
)
def test_any_valid_inputs_come_back_as_they_went_in(inputs: dict[str, object]) -> None:
    caller = Caller("aws")
    made = caller.create("aws:iam/role:Role", "r", inputs)
    assert {key: made.outputs[key] for key in inputs} == inputs
    assert plain(caller.read(made).properties) == made.outputs


def test_calls_and_remote_components_are_refused_by_name() -> None:
    caller = Caller("aws")
    with pytest.raises(AbortedError, match="calls no method: aws:x"):
        caller.cloud.Call(pb.CallRequest(tok="aws:x"), caller.context)
    with pytest.raises(AbortedError, match="remote component: aws:y"):
        caller.cloud.Construct(pb.ConstructRequest(type="aws:y"), caller.context)


def test_provider_settings_are_checked_by_name() -> None:
    caller = Caller("aws")
    request = pb.CheckRequest(urn=urn("pulumi:providers:aws", "p"), news=struct({"region": "x", "regoin": "y"}))
    response = caller.cloud.CheckConfig(request, caller.context)
    assert [failure.property for failure in response.failures] == ["regoin"]
