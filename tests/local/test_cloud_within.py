"""What goes with a thing that is deleted: on Azure all that lies under its id, elsewhere nothing."""

from pathlib import Path

import pytest

from mlestate.local.store import Store
from tests.local.cloud_calls import Caller


@pytest.mark.parametrize("kept", ["in memory", "in a folder"])
def test_azure_deletes_a_group_with_all_that_lies_in_it(kept: str, tmp_path: Path) -> None:
    caller = Caller(
        "azure-native", Store.in_memory() if kept == "in memory" else Store(tmp_path), location="canadaeast"
    )
    group, other = (
        caller.create("azure-native:resources:ResourceGroup", name, {"resourceGroupName": name})
        for name in ("risk", "risk-other")
    )
    account = {
        "resourceGroupName": "risk",
        "accountName": "risklake",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
    }
    caller.create("azure-native:storage:StorageAccount", "lake", account)
    caller.delete(group)
    left = [each.id for each in caller.store.objects()]
    assert left == [other.id], "a group whose name only begins alike stays"


def test_aws_deletes_nothing_but_what_it_is_told_to() -> None:
    caller = Caller("aws", region="eu-west-1")
    bucket = caller.create("aws:s3/bucket:Bucket", "raw", {"bucket": "risk-raw"})
    versions = {"bucket": "risk-raw", "versioningConfiguration": {"status": "Enabled"}}
    caller.create("aws:s3/bucketVersioning:BucketVersioning", "raw", versions)
    caller.delete(bucket)
    assert [each.type for each in caller.store.objects()] == ["aws:s3/bucketVersioning:BucketVersioning"]
