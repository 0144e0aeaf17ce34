"""Inputs are checked by the SDKs' own types, at every depth and all at once."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestate.local import schema
from mlestate.local.markers import ASSETS, SECRET, SIGNATURE, UNKNOWNS
from mlestate.local.wire import plain
from tests.local.cloud_calls import Caller
from tests.local.cloud_cases import ALL, package

ENDPOINT_CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
BUCKET = "aws:s3/bucket:Bucket"
DATASTORE = "azure-native:machinelearningservices:Datastore"


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Importing an SDK's module takes a second or two: not what the properties below are to be timed by."""
    for token in ALL:
        schema.resource_type(token)


def failures(token: str, inputs: dict[str, Any]) -> dict[str, str]:
    return {failure.property: failure.reason for failure in schema.resource_type(token).check(inputs)}


def rules(rule: dict[str, Any]) -> dict[str, Any]:
    return {"bucket": "b", "rules": [{"id": "r", "status": "Enabled", **rule}]}


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


@pytest.mark.parametrize("token", ALL)
def test_every_promised_type_takes_its_valid_inputs(token: str) -> None:
    """Does not prove that the cloud takes them: only that the SDK's types do."""
    assert failures(token, ALL[token]) == {}


def test_a_wrong_key_three_levels_down_is_found_with_its_path_and_a_hint() -> None:
    found = failures(LIFECYCLE, rules({"filter": {"and": {"prefx": "capture/"}}}))
    assert found == {"rules[0].filter.and.prefx": "unknown property 'prefx'; did you mean 'prefix'?"}


def test_a_key_like_no_other_is_answered_with_what_is_allowed() -> None:
    reason = failures("aws:ecr/lifecyclePolicy:LifecyclePolicy", {"repository": "r", "policy": "{}", "zzz": 1})["zzz"]
    assert reason == "unknown property 'zzz'; allowed are policy, repository, region"


def test_a_missing_required_property_is_found_at_any_depth() -> None:
    found = failures(LIFECYCLE, {"bucket": "b", "rules": [{"transitions": [{"days": 30}]}]})
    assert found["rules[0].id"] == "missing required property 'id' (a string)"
    assert found["rules[0].transitions[0].storageClass"] == "missing required property 'storageClass' (a string)"
    assert "bucket" in failures(LIFECYCLE, {"rules": []})


def test_null_is_missing() -> None:
    assert "bucket" in failures(LIFECYCLE, {"bucket": None})
    assert failures(BUCKET, {"tags": None, "forceDestroy": None}) == {}


@pytest.mark.parametrize(
    ("token", "inputs", "path", "reason"),
    [
        (
            LIFECYCLE,
            rules({"expiration": {"days": "30"}}),
            "rules[0].expiration.days",
            "expected an integer, got the string '30'",
        ),
        (LIFECYCLE, rules({"expiration": {"days": 1.5}}), "rules[0].expiration.days", "got the number 1.5"),
        (LIFECYCLE, rules({"expiration": {"days": True}}), "rules[0].expiration.days", "got the boolean true"),
        (LIFECYCLE, {"bucket": "b", "rules": True}, "rules", "expected a list (of an object), got the boolean true"),
        (BUCKET, {"bucket": 5}, "bucket", "expected a string, got the integer 5"),
        (BUCKET, {"forceDestroy": "yes"}, "forceDestroy", "expected a boolean, got the string 'yes'"),
        (BUCKET, {"forceDestroy": 1}, "forceDestroy", "expected a boolean, got the integer 1"),
        (BUCKET, {"tags": ["a"]}, "tags", "expected a map (to a string), got a list"),
        (BUCKET, {"tags": {"a.b": 1}}, 'tags["a.b"]', "expected a string, got the integer 1"),
        (BUCKET, {"website": "x"}, "website", "expected an object, got the string 'x'"),
        ("aws:s3/bucketObject:BucketObject", {"bucket": "b", "source": "x"}, "source", "expected an asset or archive"),
    ],
)
def test_a_mistyped_value_is_found_with_value_and_expectation(
    token: str, inputs: dict[str, Any], path: str, reason: str
) -> None:
    assert reason in failures(token, inputs)[path]


def test_all_failures_come_at_once() -> None:
    found = failures(
        ENDPOINT_CONFIGURATION,
        {
            "nmae": "x",
            "productionVariants": [{"initialInstanceCount": "2"}, {"variantNme": "a", "instanceType": 1}],
            "dataCaptureConfig": {"enableCapture": True},
        },
    )
    assert set(found) == {
        "nmae",
        "productionVariants[0].initialInstanceCount",
        "productionVariants[1].variantNme",
        "productionVariants[1].instanceType",
        "dataCaptureConfig.captureOptions",
        "dataCaptureConfig.destinationS3Uri",
        "dataCaptureConfig.initialSamplingPercentage",
    }


def test_an_enumeration_that_the_cloud_does_not_extend_is_enforced() -> None:
    inputs = {**ALL["azure-native:storage:StorageAccount"], "accessTier": "hot"}
    reason = failures("azure-native:storage:StorageAccount", inputs)["accessTier"]
    assert reason == ("expected one of 'Hot', 'Cool', 'Premium', 'Cold', got the string 'hot'; did you mean 'Hot'?")


def test_an_enumeration_that_the_cloud_extends_is_left() -> None:
    inputs = {**ALL["azure-native:storage:StorageAccount"], "kind": "StorageV9"}
    assert failures("azure-native:storage:StorageAccount", inputs) == {}


def test_of_several_forms_the_nearest_one_speaks() -> None:
    properties = {**ALL[DATASTORE]["properties"], "containerNam": "x"}
    found = failures(DATASTORE, {**ALL[DATASTORE], "properties": properties})
    assert found == {"properties.containerNam": "unknown property 'containerNam'; did you mean 'containerName'?"}


def test_assets_and_archives_go_through() -> None:
    for signature in ASSETS:
        asset = {SIGNATURE: signature, "path": "model.tar.gz", "hash": "0"}
        assert failures("aws:s3/bucketObject:BucketObject", {"bucket": "b", "source": asset}) == {}


def test_pulumis_own_notes_are_no_unknown_properties() -> None:
    assert failures(BUCKET, {"bucket": "b", "__defaults": ["bucket"]}) == {}


def test_a_secret_is_checked_and_never_told() -> None:
    found = failures(LIFECYCLE, rules({"expiration": {"days": secret("hunter2")}}))
    assert found == {"rules[0].expiration.days": "expected an integer, got a string [secret]"}
    assert failures(LIFECYCLE, secret_everywhere(ALL[LIFECYCLE])) == {}
    nested = failures(LIFECYCLE, {"bucket": "b", "rules": secret([{"id": "r", "status": 5}])})
    assert nested == {"rules[0].status": "expected a string, got a integer [secret]"}


def secret_everywhere(value: Any, top: bool = True) -> Any:
    if isinstance(value, dict):
        inner: Any = {key: secret_everywhere(item, False) for key, item in value.items()}
    elif isinstance(value, list):
        inner = [secret_everywhere(item, False) for item in value]
    else:
        inner = value
    return inner if top else secret(inner)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the inputs but the root."""
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        found += paths(item, (*path, step))
    return found


def put(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], leaf)
    return copy


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.data())
def test_an_unknown_anywhere_passes_untouched(token: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(ALL[token])))
    inputs = put(ALL[token], path, data.draw(st.sampled_from(sorted(UNKNOWNS))))
    caller = Caller(package(token))
    response = caller.check(token, "it", inputs)
    assert not response.failures, "what is not known yet cannot be wrong yet"
    assert plain(response.inputs) == inputs
    caller.create(token, "it", inputs, preview=True)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.data())
def test_a_secret_anywhere_stays_one_there(token: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(ALL[token])))
    value: Any = ALL[token]
    for step in path:
        value = value[step]
    inputs = put(ALL[token], path, secret(value))
    caller = Caller(package(token))
    made = caller.create(token, "it", inputs)
    if path[0] in made.outputs and path[0] not in ("identity",):
        found: Any = made.outputs
        for step in path:
            found = found[step]
        assert found == secret(value)


def test_a_type_is_found_by_its_token_alone() -> None:
    assert schema.resource_type("aws:s3/bucketVersioning:BucketVersioning").inputs.required == (
        "bucket",
        "versioningConfiguration",
    )
    assert schema.resource_type("azure-native:storage:StorageAccount").api_version == "2024-01-01"
    with pytest.raises(schema.UnknownTypeError, match="has no such resource type"):
        schema.resource_type("gcp:storage/bukket:Bukket")


def test_only_the_module_that_is_asked_for_is_loaded() -> None:
    """In a fresh interpreter, for this one has loaded the others for other tests."""
    program = (
        "import sys, types; from mlestate.local import schema; schema.resource_type('aws:kms/key:Key');"
        "print([name for name in ('sagemaker', 's3', 'ec2') if type(sys.modules.get('pulumi_aws.' + name))"
        " is types.ModuleType])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", "the whole SDK takes gigabytes"
