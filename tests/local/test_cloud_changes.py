"""What changed, what replaces, what is named how, and what a killed run leaves."""

import json
import multiprocessing
import signal
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from mlestate.errors import InputError
from mlestate.local.faults import Faults
from mlestate.local.kind import replacements
from mlestate.local.markers import SECRET, SIGNATURE, UNKNOWN
from mlestate.local.paths import covers, parse_path, spelled
from mlestate.local.store import CloudObject, Store, TakenError
from mlestate.local.wire import plain, struct
from tests.local.cloud_calls import AbortedError, Caller
from tests.local.cloud_cases import ALL, AWS, AZURE, package

BUCKET = "aws:s3/bucket:Bucket"
MODEL = "aws:sagemaker/model:Model"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
AUTONAMING = pb.CheckRequest.AutonamingOptions


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


def changed(token: str, changes: dict[str, Any], **more: Any) -> pb.DiffResponse:
    caller = Caller(package(token))
    made = caller.create(token, "it", ALL[token])
    return caller.diff(made, {**made.inputs, **changes}, **more)


# Diff


@pytest.mark.parametrize("token", ALL)
def test_nothing_changed_is_no_difference(token: str) -> None:
    response = changed(token, {})
    assert response.changes == pb.DiffResponse.DIFF_NONE
    assert not response.diffs


@pytest.mark.parametrize("token", ALL)
def test_every_promised_type_has_a_row_of_replacements(token: str) -> None:
    cloud = "azure" if package(token) == "azure-native" else package(token)
    assert token in replacements(cloud), "without a row, the cloud guesses and says so"


@pytest.mark.parametrize(
    ("token", "changes", "path", "kind"),
    [
        (BUCKET, {"bucket": "other"}, "bucket", "UPDATE_REPLACE"),
        (BUCKET, {"tags": {"owner": "x"}}, "tags.owner", "UPDATE"),
        (BUCKET, {"tags": {"owner": "ml", "a": "b"}}, "tags.a", "ADD"),
        (BUCKET, {"region": "eu-west-1"}, "region", "ADD_REPLACE"),
        (MODEL, {"executionRoleArn": "arn:x"}, "executionRoleArn", "UPDATE_REPLACE"),
        (MODEL, {"tags": {"a": "b"}}, "tags", "ADD"),
        (MODEL, {"vpcConfig": {"subnets": ["t"], "securityGroupIds": ["g"]}}, "vpcConfig.subnets[0]", "UPDATE"),
        (CONFIGURATION, {"dataCaptureConfig": None}, "dataCaptureConfig", "DELETE_REPLACE"),
        (CONFIGURATION, {"tags": {"a": "b"}}, "tags", "ADD"),
        ("aws:sagemaker/endpoint:Endpoint", {"endpointConfigName": "n"}, "endpointConfigName", "UPDATE"),
        ("aws:sagemaker/featureGroup:FeatureGroup", {"description": "d"}, "description", "ADD_REPLACE"),
        ("aws:kms/key:Key", {"enableKeyRotation": False}, "enableKeyRotation", "UPDATE"),
        ("aws:kms/key:Key", {"multiRegion": True}, "multiRegion", "ADD_REPLACE"),
        ("gcp:storage/bucket:Bucket", {"location": "US"}, "location", "UPDATE_REPLACE"),
        ("gcp:storage/bucket:Bucket", {"storageClass": "NEARLINE"}, "storageClass", "ADD"),
        ("gcp:projects/iAMMember:IAMMember", {"role": "q"}, "role", "UPDATE_REPLACE"),
        ("gcp:vertex/aiEndpoint:AiEndpoint", {"displayName": "n"}, "displayName", "UPDATE"),
        ("azure-native:storage:StorageAccount", {"isHnsEnabled": False}, "isHnsEnabled", "UPDATE_REPLACE"),
        ("azure-native:storage:StorageAccount", {"minimumTlsVersion": "TLS1_1"}, "minimumTlsVersion", "UPDATE"),
        (
            "azure-native:machinelearningservices:Workspace",
            {"publicNetworkAccess": "Enabled"},
            "publicNetworkAccess",
            "UPDATE",
        ),
    ],
)
def test_a_change_updates_or_replaces_as_in_the_cloud(
    token: str, changes: dict[str, Any], path: str, kind: str
) -> None:
    response = changed(token, changes)
    assert {key: pb.PropertyDiff.Kind.Name(found.kind) for key, found in response.detailedDiff.items()} == {path: kind}
    top = path.split(".")[0].split("[")[0]
    assert list(response.diffs) == [top]
    assert list(response.replaces) == ([top] if kind.endswith("REPLACE") else [])


def test_a_feature_more_replaces_the_feature_group() -> None:
    token = "aws:sagemaker/featureGroup:FeatureGroup"
    features = [*AWS[token]["featureDefinitions"], {"featureName": "n", "featureType": "Integral"}]
    response = changed(token, {"featureDefinitions": features})
    assert dict(response.detailedDiff.items())["featureDefinitions[2]"].kind == pb.PropertyDiff.ADD_REPLACE


def test_an_added_object_replaces_when_anything_in_it_would() -> None:
    token = "aws:sagemaker/featureGroup:FeatureGroup"
    caller = Caller("aws")
    inputs = {key: value for key, value in AWS[token].items() if key != "onlineStoreConfig"}
    inputs["offlineStoreConfig"] = {"s3StorageConfig": {"s3Uri": "s3://b/features"}}
    made = caller.create(token, "it", inputs)
    ttl = caller.diff(made, {**inputs, "onlineStoreConfig": {"ttlDuration": {"unit": "Days", "value": 9}}})
    assert not ttl.replaces
    whole = caller.diff(made, {**inputs, "onlineStoreConfig": {"enableOnlineStore": True}})
    assert list(whole.replaces) == ["onlineStoreConfig"]


def test_a_value_that_is_not_known_yet_may_replace() -> None:
    assert list(changed(MODEL, {"executionRoleArn": UNKNOWN}).replaces) == ["executionRoleArn"]
    assert not changed("aws:sagemaker/endpoint:Endpoint", {"endpointConfigName": UNKNOWN}).replaces


def test_becoming_a_secret_is_no_change() -> None:
    assert changed("aws:kms/key:Key", {"description": secret("ml")}).changes == pb.DiffResponse.DIFF_NONE
    assert changed("aws:kms/key:Key", {"description": secret("x")}).changes == pb.DiffResponse.DIFF_SOME


def test_ignored_paths_are_left_out() -> None:
    assert not changed(BUCKET, {"tags": {"owner": "x"}}, ignoreChanges=["tags"]).diffs
    assert not changed(BUCKET, {"tags": {"owner": "x"}}, ignoreChanges=['tags["owner"]']).diffs
    variants = [{**AWS[CONFIGURATION]["productionVariants"][0], "initialInstanceCount": 9}]
    ignored = "productionVariants[*].initialInstanceCount"
    assert not changed(CONFIGURATION, {"productionVariants": variants}, ignoreChanges=[ignored]).diffs
    assert changed(CONFIGURATION, {"productionVariants": variants}, ignoreChanges=["name"]).diffs


def test_a_given_name_is_deleted_before_it_is_made_again() -> None:
    assert changed(MODEL, {"executionRoleArn": "arn:x"}).deleteBeforeReplace, "the bridge's rule for a given name"
    caller = Caller("aws")
    unnamed = {key: value for key, value in AWS[MODEL].items() if key != "name"}
    made = caller.create(MODEL, "it", unnamed)
    response = caller.diff(made, {**made.inputs, "executionRoleArn": "arn:x"})
    assert response.replaces
    assert not response.deleteBeforeReplace, "an automatic name leaves room for both"
    always = changed("aws:sagemaker/featureGroup:FeatureGroup", {"description": "d"})
    assert not always.deleteBeforeReplace, "a name that is always given is no automatic one to the bridge"
    assert changed("azure-native:storage:StorageAccount", {"isHnsEnabled": False}).deleteBeforeReplace
    assert not changed(BUCKET, {"tags": {}}).deleteBeforeReplace, "an update deletes nothing"


def test_a_type_without_a_row_is_replaced_by_name_and_place() -> None:
    caller = Caller("aws")
    made = caller.create("aws:lambda/alias:Alias", "a", {"name": "a", "functionName": "f", "functionVersion": "1"})
    assert caller.diff(made, {**made.inputs, "name": "b"}).replaces
    assert not caller.diff(made, {**made.inputs, "functionVersion": "2"}).replaces
    assert "aws:lambda/alias:Alias" in caller.store.unchecked


@pytest.mark.parametrize("text", ["a", "a.b", "a[0].b", 'a["x.y"].c', 'a["q\\"t"]', "a[*].b"])
def test_property_paths_are_read_as_they_are_written(text: str) -> None:
    assert spelled(parse_path(text)).replace('["*"]', "[*]") == text
    assert covers(parse_path("a"), parse_path("a[0].b"))
    assert not covers(parse_path("a[0].b"), parse_path("a"))


@pytest.mark.parametrize("text", ['a["b', "a[0"])
def test_an_unfinished_property_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood"):
        parse_path(text)


# Names


def named(caller: Caller, token: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = caller.check(token, "Lake", inputs, **more)
    assert not response.failures, response.failures
    return plain(response.inputs)


def test_an_unnamed_resource_is_named_as_its_provider_would() -> None:
    aws = Caller("aws")
    assert named(aws, BUCKET, {}, randomSeed=b"x")["bucket"].startswith("lake-"), "buckets are lower case"
    assert len(named(aws, BUCKET, {})["bucket"]) == len("lake-") + 7
    assert named(aws, "aws:kms/alias:Alias", {"targetKeyId": "k"})["name"].startswith("alias/Lake-")
    assert named(aws, "aws:sqs/queue:Queue", {"fifoQueue": True})["name"].endswith(".fifo")
    assert named(Caller("gcp"), "gcp:storage/bucket:Bucket", {"location": "US"})["name"].startswith("lake-")
    azure = Caller("azure-native")
    token = "azure-native:storage:StorageAccount"
    account = {key: value for key, value in AZURE[token].items() if key != "accountName"}
    assert named(azure, token, account)["accountName"].isalnum()
    container = named(azure, "azure-native:storage:BlobContainer", {"resourceGroupName": "g", "accountName": "a"})
    assert container["containerName"] == "Lake", "a child has its logical name"
    names = [named(aws, BUCKET, {}, randomSeed=seed)["bucket"] for seed in (b"x", b"x", b"y")]
    assert names[0] == names[1] != names[2]


def test_an_update_keeps_the_automatic_name_and_a_replacement_does_not() -> None:
    caller = Caller("aws")
    made = caller.create(BUCKET, "lake", {})
    caller.diff(made, made.inputs)
    again = plain(caller.check(BUCKET, "lake", {"tags": {"a": "b"}}, made.inputs).inputs)
    assert again["bucket"] == made.inputs["bucket"]
    assert again["__defaults"] == ["bucket"]
    fresh = plain(caller.check(BUCKET, "lake", {"tags": {"a": "b"}}).inputs)
    assert fresh["bucket"] != made.inputs["bucket"], "the old one still has its name when the new one is made"
    unnamed = plain(caller.check(BUCKET, "lake", {}, {"bucket": "given"}).inputs)
    assert unnamed["bucket"] != "given", "a given name that is taken out is no automatic one"
    ignored = plain(caller.check(BUCKET, "lake", {"bucket": made.inputs["bucket"]}, made.inputs).inputs)
    assert ignored["__defaults"] == ["bucket"], "ignoreChanges brings the automatic name as if it were given"


def test_the_engines_autonaming_is_followed() -> None:
    caller = Caller("aws")

    def mode(kind: Any, proposed: str = "") -> pb.CheckRequest.AutonamingOptions:
        return AUTONAMING(mode=kind, proposed_name=proposed)

    assert named(caller, BUCKET, {}, autonaming=mode(AUTONAMING.PROPOSE, "mine"))["bucket"] == "mine"
    assert named(caller, BUCKET, {}, autonaming=mode(AUTONAMING.ENFORCE, "mine"))["bucket"] == "mine"
    refused = caller.check(BUCKET, "b", {}, autonaming=mode(AUTONAMING.DISABLE))
    assert [failure.property for failure in refused.failures] == ["bucket"]
    assert named(caller, BUCKET, {"bucket": "own"}, autonaming=mode(AUTONAMING.DISABLE)) == {"bucket": "own"}


def test_a_prefix_takes_the_place_of_an_automatic_name() -> None:
    caller = Caller("aws")
    inputs = {key: value for key, value in AWS[CONFIGURATION].items() if key != "name"}
    made = caller.create(CONFIGURATION, "c", {**inputs, "namePrefix": "churn-"})
    assert "name" not in made.inputs
    assert made.outputs["name"].startswith("churn-")
    assert made.id == made.outputs["name"]


def test_a_logical_name_too_long_for_the_cloud_is_refused_at_check() -> None:
    response = Caller("gcp").check("gcp:serviceaccount/account:Account", "a" * 40, {})
    assert "at most 30 are allowed" in response.failures[0].reason


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (BUCKET, "Acme_Lake"),
        (MODEL, "churn_model"),
        ("aws:kms/alias:Alias", "ml"),
        ("gcp:vertex/aiEndpoint:AiEndpoint", "churn"),
        ("gcp:bigquery/dataset:Dataset", "acme-lake"),
        ("azure-native:storage:StorageAccount", "acme-lake"),
    ],
)
def test_a_name_that_the_cloud_does_not_take_is_refused_at_check(token: str, name: str) -> None:
    caller = Caller(package(token))
    key = caller.cloud.makes.kind(token).name
    assert key is not None
    inputs = {**ALL[token], key: name}
    assert f"the name {name!r}" in caller.failures(token, inputs)[key]
    assert caller.failures(token, {**inputs, key: UNKNOWN}) == {}
    assert name not in caller.failures(token, {**inputs, key: secret(name)})[key], "a secret is never told"


def test_an_endpoint_of_vertex_has_to_be_named_by_number() -> None:
    inputs = {"displayName": "churn", "location": "us-central1"}
    assert "name" in Caller("gcp").failures("gcp:vertex/aiEndpoint:AiEndpoint", inputs), (
        "an automatic name is no number"
    )


def test_azure_names_are_taken_without_regard_to_case() -> None:
    caller = Caller("azure-native")
    caller.create("azure-native:resources:ResourceGroup", "a", {"resourceGroupName": "Group"})
    with pytest.raises(AbortedError, match="already existing"):
        caller.create("azure-native:resources:ResourceGroup", "b", {"resourceGroupName": "group"})


# Secrets in the store


def test_a_secret_is_never_in_the_stores_files(tmp_path: Path) -> None:
    caller = Caller("aws", Store(tmp_path))
    inputs = {"description": secret("hunter2-in-the-open"), "tags": {"a": secret("hunter2-in-the-open")}}
    made = caller.create("aws:kms/key:Key", "k", inputs)
    assert made.outputs["description"] == secret("hunter2-in-the-open")
    for file in tmp_path.rglob("*"):
        assert b"hunter2" not in file.read_bytes(), file.name
    assert plain(caller.read(made).properties) == made.outputs, "who knows the secret reads it"
    stranger = pb.ReadRequest(id=made.id, urn=made.urn)
    answer = plain(caller.cloud.Read(stranger, caller.context).properties)
    assert "description" not in answer, "who does not know it is not told"
    assert caller.diff(made, made.inputs).changes == pb.DiffResponse.DIFF_NONE


def test_an_output_that_repeats_a_secret_is_one() -> None:
    made = Caller("aws").create(BUCKET, "b", {"bucket": secret("hidden-lake")})
    assert made.outputs["arn"] == secret("arn:aws:s3:::hidden-lake")


# Runs that died


def test_a_create_that_was_killed_after_the_store_was_written_is_taken_over(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from mlestate.local.faults import Faults; from mlestate.local.store import Store;"
        "from tests.local.cloud_calls import Caller;"
        f"c = Caller('aws', Store(Path({str(tmp_path)!r})), Faults({{'create': {{'*': {{'die': 'after'}}}}}}));"
        f"c.create({BUCKET!r}, 'lake', {{'tags': {{'a': 'b'}}}})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL
    caller = Caller("aws", Store(tmp_path))
    left = caller.store.objects()
    assert len(left) == 1
    made = caller.create(BUCKET, "lake", {"tags": {"a": "b"}})
    assert made.id == left[0].id, "found again by who made it, automatic name and all"
    assert len(caller.store.objects()) == 1, "nothing doubled"
    assert plain(caller.read(made).properties) == made.outputs


def test_only_the_maker_takes_over_and_only_what_it_asked_for() -> None:
    caller = Caller("aws")
    caller.create(BUCKET, "lake", {"bucket": "lake"})
    with pytest.raises(AbortedError, match="BucketAlreadyOwnedByYou"):
        caller.create(BUCKET, "other", {"bucket": "lake"})
    with pytest.raises(AbortedError, match="BucketAlreadyOwnedByYou"):
        caller.create(BUCKET, "lake", {"bucket": "lake", "tags": {"a": "b"}})
    assert caller.create(BUCKET, "lake", {"bucket": "lake"}).id == "lake"


def test_what_an_engine_has_spoken_of_is_not_taken_over() -> None:
    caller = Caller("aws")
    first = caller.create("aws:kms/key:Key", "k", {"description": "d"})
    caller.diff(first, first.inputs)
    second = caller.create("aws:kms/key:Key", "k", {"description": "d"})
    assert second.id != first.id, "a replacement with equal inputs is another key"
    caller.delete(first)
    assert [made.id for made in caller.store.objects()] == [second.id]


# Faults


def test_faults_fail_slow_down_and_wear_off() -> None:
    faults = Faults({"create": {BUCKET: {"fail": "AccessDenied: no", "times": 1}}, "read": {"*": {"slow": 0.05}}})
    caller = Caller("aws", faults=faults)
    with pytest.raises(AbortedError, match="AccessDenied: no"):
        caller.create(BUCKET, "b", {})
    assert caller.store.objects() == []
    assert plain(caller.read(caller.create(BUCKET, "b", {})).properties)


def test_faults_come_from_the_environment_and_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLESTATE_LOCAL_FAULTS", json.dumps({"delete": {"*": {"fail": "x"}}}))
    assert Faults.from_environment().rules == {"delete": {"*": {"fail": "x"}}}
    with pytest.raises(InputError, match="no operation 'crate'"):
        Faults({"crate": {}})
    with pytest.raises(InputError, match="no fault 'explode'"):
        Faults({"create": {"*": {"explode": 1}}})


# The store


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_store_lists_what_exists(kind: str, tmp_path: Path) -> None:
    store = Store.in_memory() if kind == "memory" else Store(tmp_path)
    made = CloudObject("t", "i", "h", "u", "slot", "o", "s", {"a": 1}, {"a": 1, "b": 2})
    store.create(made, overwrite=False)
    with pytest.raises(TakenError):
        store.create(CloudObject("t", "j", "h", "u", "slot", "o", "s", {}, {}), overwrite=False)
    store.create(CloudObject("t", "i", "elsewhere", "u", None, "o", "s", {}, {}), overwrite=False)
    assert {found.home for found in store.objects()} == {"h", "elsewhere"}
    store.change("t", "i", {"a": 5, "b": None}, "h")
    found = store.get("t", "i", "h")
    assert found is not None
    assert (found.inputs, found.properties) == ({"a": 5}, {"a": 5})
    with pytest.raises(KeyError, match="has no t 'x'"):
        store.change("t", "x", {})
    store.delete("t", "i", "h")
    store.delete("t", "i", "elsewhere")
    assert store.objects() == []
    assert store.births("u") == 2
    assert store.made_by("t", "u") == []


def test_one_id_may_exist_in_two_regions() -> None:
    here = Caller("aws", region="us-east-1")
    there = Caller("aws", here.store, region="eu-west-1")
    first = here.create(MODEL, "m", AWS[MODEL])
    second = there.create(MODEL, "n", AWS[MODEL])
    assert first.id == second.id
    here.delete(first)
    assert plain(there.read(second).properties) == second.outputs
    assert here.read(first).id == ""


def test_threads_that_want_one_name_get_it_once(tmp_path: Path) -> None:
    caller = Caller("aws", Store(tmp_path))
    refused: list[str] = []

    def make(number: int) -> None:
        try:
            caller.create(BUCKET, f"b{number}", {"bucket": "lake"})
        except AbortedError as error:
            refused.append(error.details)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert len(caller.store.objects()) == 1


def _fill(folder: Path, first: int) -> None:
    caller = Caller("aws", Store(folder))
    for number in range(first, first + 25):
        caller.create("aws:ecr/repository:Repository", f"r{number}", {"name": f"r{number}"})


def test_processes_share_a_folder(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_fill, args=(tmp_path, number * 25)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(Store(tmp_path).objects()) == 50
    assert oct((tmp_path / "cloud.salt").stat().st_mode & 0o777) == "0o600"


def test_a_cancelled_provider_does_nothing_more() -> None:
    caller = Caller("aws")
    caller.cloud.Cancel(None, caller.context)
    with pytest.raises(AbortedError, match="cancelled"):
        caller.create(BUCKET, "b", {})


def test_an_unknown_provider_setting_is_left_out_of_the_configuration() -> None:
    caller = Caller("gcp", project=UNKNOWN)
    assert caller.create("gcp:pubsub/topic:Topic", "t", {"name": "t"}).outputs["project"] == "local-project"
    response = caller.cloud.DiffConfig(
        pb.DiffRequest(olds=struct({"project": "a"}), news=struct({"project": "b"})),
        caller.context,
    )
    assert list(response.diffs) == ["project"]
    assert not response.replaces


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_every_row_of_replacements_names_its_source(cloud: str) -> None:
    table = json.loads((files("mlestate.local") / "data" / f"{cloud}.json").read_text())
    unsourced = [token for token, row in table["types"].items() if row.get("source") not in table["sources"]]
    assert not unsourced, "a fact about a cloud says who says so"
