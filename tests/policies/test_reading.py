"""States and previews of any estate are read, and what is neither is said to be so."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlestate_policies.reading import NotReadable, read
from mlestate_policies.resources import Estate, Resource, normal_type
from mlestate_policies.values import Node

URN = "urn:pulumi:dev::shop::aws:s3/bucketV2:BucketV2::lake"
STATE = {
    "urn": URN,
    "type": "aws:s3/bucketV2:BucketV2",
    "inputs": {"bucket": "a"},
    "outputs": {"bucket": "a", "arn": "b"},
}
PROVIDER = {
    "urn": "urn:pulumi:dev::shop::pulumi:providers:aws::default",
    "type": "pulumi:providers:aws",
    "id": "1",
    "inputs": {"region": "ca-central-1"},
}


def written(folder: Path, document: Any) -> Path:
    file = folder / "state.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


@pytest.mark.parametrize(
    "document",
    [
        {"version": 3, "deployment": {"resources": [STATE]}},
        {"version": 3, "checkpoint": {"stack": "dev", "latest": {"resources": [STATE]}}},
        {"steps": [{"op": "create", "urn": URN, "newState": STATE}]},
    ],
    ids=["export", "checkpoint of a backend", "preview"],
)
def test_a_resource_is_read_from_whatever_pulumi_writes(tmp_path: Path, document: Any) -> None:
    subjects = read(written(tmp_path, document))
    assert [each.type for each in subjects.inputs] == ["aws:s3/bucket:Bucket"]
    assert subjects.inputs[0].at("arn").absent
    assert subjects.outputs[0].at("arn").text == "b"


def test_what_a_preview_deletes_is_not_judged(tmp_path: Path) -> None:
    steps = [{"op": "delete", "urn": URN, "oldState": STATE}, {"op": "delete-replaced", "urn": URN, "newState": STATE}]
    assert not read(written(tmp_path, {"steps": steps})).inputs


def test_a_preview_that_shows_what_stays_the_same_is_whole_and_a_replacement_counts_once(tmp_path: Path) -> None:
    state = {**STATE, "provider": f"{PROVIDER['urn']}::1"}
    steps = [{"op": op, "urn": URN, "newState": state} for op in ("create-replacement", "replace")]
    same = {"op": "same", "urn": "s", "newState": {"urn": "s", "type": "pulumi:pulumi:Stack"}}
    preview = {"steps": [*steps, same], "changeSummary": {"same": 2, "replace": 1}}  # the provider is not shown
    assert [each.urn for each in read(written(tmp_path, preview)).inputs] == [URN, "s"]


def test_a_resource_that_is_its_own_parent_ends_the_search_for_parents() -> None:
    estate = Estate([Resource("a:b:C", URN, Node({}), parent=URN)])
    assert not list(estate.parents(estate.resources[0]))


def test_what_waits_for_its_deletion_is_not_judged(tmp_path: Path) -> None:
    state = {"version": 3, "deployment": {"resources": [{**STATE, "delete": True}]}}
    assert not read(written(tmp_path, state)).inputs


def test_a_resource_knows_its_provider(tmp_path: Path) -> None:
    resources = [PROVIDER, {**STATE, "provider": f"{PROVIDER['urn']}::1"}]
    subjects = read(written(tmp_path, {"version": 3, "deployment": {"resources": resources}}))
    assert subjects.inputs[1].provider.at("region").text == "ca-central-1"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("not JSON", "is not JSON"),
        ([], "is a list, neither a Pulumi state nor a preview"),
        ({}, "has neither a `deployment` nor `steps`"),
        ({"resources": [STATE]}, "has neither a `deployment` nor `steps`"),
        ({"version": 1, "deployment": {}}, "is a state of version 1"),
        ({"version": 3, "deployment": {"resources": {}}}, ""),
        ({"version": 3, "deployment": {"resources": {"a": 1}}}, "is an object, not a list"),
        ({"version": 3, "deployment": {"resources": [1]}}, "`resources[0]` is a number, no resource"),
        ({"version": 3, "deployment": {"resources": [{"type": "a"}]}}, "has no `urn`"),
        ({"version": 3, "deployment": {"resources": [{**STATE, "inputs": []}]}}, ""),
        ({"version": 3, "deployment": {"resources": [{**STATE, "inputs": [1]}]}}, "`inputs` is a list, not an object"),
        ({"steps": [{}]}, "is no step of a preview"),
        ({"steps": "x"}, "`steps` is a text, not a list"),
        ({"deployment": {"id": 1, "sha": "x"}}, "no Pulumi state"),
        ({"version": 3, "deployment": {"resources": [{**STATE, "provider": ["x"]}]}}, "`provider` is a list"),
        ({"version": 3, "deployment": {"resources": [{**STATE, "dependencies": 5}]}}, "no list of URNs"),
        ({"version": 3, "deployment": {"resources": [{**STATE, "propertyDependencies": {"a": [[]]}}]}}, "no list of"),
        ({"steps": [], "diagnostics": [{"severity": "error", "message": "boom"}]}, "a preview that failed"),
        ({"steps": [{"op": "create", "newState": STATE}], "changeSummary": {"same": 2}}, "leaves out 2 resources"),
    ],
)
def test_what_is_neither_is_refused_with_how_to_write_one(tmp_path: Path, document: Any, sentence: str) -> None:
    if not sentence:
        assert not [each for each in read(written(tmp_path, document)).inputs if each.properties.known]
        return
    with pytest.raises(NotReadable) as error:
        read(written(tmp_path, document))
    assert sentence in str(error.value)
    assert "pulumi stack export" in str(error.value)


def test_a_missing_file_and_one_of_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotReadable, match="cannot be read"):
        read(tmp_path / "missing.json")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotReadable, match="is not text"):
        read(tmp_path / "bytes")


@pytest.mark.parametrize(
    ("token", "normal"),
    [
        (
            "azure-native_machinelearningservices_v20240401:machinelearningservices:Workspace",
            "azure-native:machinelearningservices:Workspace",
        ),
        ("azure-native:machinelearningservices/v20240401:Workspace", "azure-native:machinelearningservices:Workspace"),
        ("azure-native:machinelearningservices:Workspace", "azure-native:machinelearningservices:Workspace"),
        ("aws:s3/bucketVersioningV2:BucketVersioningV2", "aws:s3/bucketVersioning:BucketVersioning"),
        ("aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketObjectv2:BucketObjectv2"),
        ("random:index/randomId:RandomId", "random:index/randomId:RandomId"),
    ],
)
def test_older_names_of_a_type_are_the_type(token: str, normal: str) -> None:
    assert normal_type(token) == normal
