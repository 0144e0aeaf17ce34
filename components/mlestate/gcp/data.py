"""Data: where data sets, artifacts and captured requests rest, and where lineage is written down."""

from collections.abc import Mapping
from typing import Any

import pulumi_gcp.bigquery as bigquery
import pulumi_gcp.storage as storage
import pulumi_gcp.vertex as vertex
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.data import Dataset
from mlestate.gcp.apis import enable
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Data"]

STORES: Mapping[str, str] = {"raw": "data", "curated": "data", "artifacts": "models", "capture": "models"}
"""By store: the concern whose key encrypts it."""


class Data(Part):
    """Four versioned buckets, a BigQuery dataset beside `curated`, and Vertex AI's metadata store.

    A replaced or deleted object stays for 90 days (a count of newer versions would keep the last ones of a deleted
    object for ever), and soft delete holds on to it for seven days more. Captured requests go after 90 days, a data
    set's files after its own `retention`. Nobody outside can be let in, object by object access lists are off, and a
    full bucket or dataset is never emptied to be destroyed.

    Vertex AI knows one metadata store a project and region, called `default`, and makes it by itself at the first
    pipeline run, then without a customer's key for ever. So where the file asks for keys it is made here, before any
    run, by the first environment of the estate in that project (``lineage``), and encrypted with that one's key. It is
    deleted with the environment, as its key is: without the key nobody could read it, and nobody could make another.
    A project that has run pipelines before has one already: `up` says "already exists"; take it over with
    `pulumi import gcp:vertex/aiMetadataStore:AiMetadataStore`, or delete it if it has no key.
    """

    stores: Mapping[str, Output[str]]
    datasets: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        keys: contract.Keys,
        datasets: Mapping[str, Dataset],
        *,
        lineage: bool,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        safe = self.child(depends_on=enable(self, "storage", "bigquery", "aiplatform"), protect=protect)
        buckets = {role: self._bucket(role, keys.ids.get(concern), datasets, safe) for role, concern in STORES.items()}
        bigquery.Dataset(
            self.named("tables"),
            dataset_id=names.physical("dataset", "curated"),
            location=names.region,
            max_time_travel_hours="168",
            default_encryption_configuration=_key(keys.ids.get("data")),
            delete_contents_on_destroy=False,
            deletion_policy="DELETE",
            labels=names.labels,
            opts=safe,
        )
        if lineage and "models" in keys.ids:
            vertex.AiMetadataStore(
                self.named("lineage"),
                name="default",
                region=names.region,
                encryption_spec=_key(keys.ids.get("models")),
                deletion_policy="DELETE",
                opts=safe,
            )
        self.publish(
            stores={role: Output.concat("gs://", bucket.name) for role, bucket in buckets.items()},
            datasets={
                name: Output.concat("gs://", buckets["raw"].name, "/", each.path) for name, each in datasets.items()
            },
        )

    def _bucket(
        self, role: str, key: Output[str] | None, datasets: Mapping[str, Dataset], opts: ResourceOptions
    ) -> storage.Bucket:
        expiries = {
            "raw": [_expiry(each.retention.days, each.path) for each in datasets.values() if each.retention],
            "capture": [_expiry(90)],
        }
        return storage.Bucket(
            self.named(role),
            name=self.names.physical("bucket", role),
            location=self.names.region,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": 7 * 86_400},
            encryption={"default_kms_key_name": key} if key else None,
            lifecycle_rules=[*KEEP_VERSIONS, *expiries.get(role, [])],
            force_destroy=False,
            deletion_policy="DELETE",
            labels=self.names.labels,
            opts=opts,
        )


KEEP_VERSIONS: list[Any] = [
    {"action": {"type": "Delete"}, "condition": {"with_state": "ARCHIVED", "days_since_noncurrent_time": 90}},
    {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
]


def _expiry(days: int, prefix: str | None = None) -> Any:
    """Delete what is older, in every version of it: an object's age counts from its own creation."""
    condition = {"with_state": "ANY", "age": days, **({"matches_prefixes": [prefix]} if prefix else {})}
    return {"action": {"type": "Delete"}, "condition": condition}


def _key(key: Output[str] | None) -> Any:
    return {"kms_key_name": key} if key else None
