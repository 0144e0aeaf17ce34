"""The feature store of an environment on AWS."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_aws.cloudcontrol as cloudcontrol
from pulumi import Output, Resource, ResourceOptions

from mlestate import contract
from mlestate.aws import lake
from mlestate.aws.tables import name as table_name
from mlestate.config.base import Duration
from mlestate.config.data import DataLake, FeatureGroup, FeatureType
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["KIND", "TYPES", "Features"]

KIND = "AWS::SageMaker::FeatureGroup"

FOLDER = "features/"
"""Where in the curated bucket the offline stores lie."""

TYPES: Mapping[FeatureType, str] = {
    "float": "Fractional",
    "int": "Integral",
    "string": "String",
    "bool": "String",
    "timestamp": "String",
}
"""SageMaker API, FeatureDefinition: there are three types. A bool is written as `true` or `false`, a timestamp as
ISO 8601 in UTC (`2026-01-31T04:00:00Z`)."""

KEPT_TAGS = ("estate", "environment", "managed-by")
"""Only tags that never change: these can be given at birth alone, and another owner or cost centre would replace the
group. Whoever wants the others on it adds them with the Resource Groups Tagging API."""

UNITS: Mapping[str, int] = {"Weeks": 604_800, "Days": 86_400, "Hours": 3_600, "Minutes": 60, "Seconds": 1}


class Features(Part):
    """A feature group for each one in the file: always an offline store, and an online one where it is asked for.

    The **offline** store is an Iceberg table of the group's name in the curated bucket and its database, so that a
    training run can name the snapshot that it learnt from; SageMaker makes it (sagemaker-python-sdk#5927; until 2026 it
    took no name for a table that it makes, #2916). The **online** one is of the Standard tier on demand: it bills by
    the read, the write and the byte kept.

    The record identifier and the event time are of type String; the event time is ISO 8601 in UTC.

    **New features** at the end of `fields` come into the group as it is, in one `pulumi up`, a hundred at a time
    (SageMaker API, UpdateFeatureGroup). That is why the groups are made by Cloud Control: pulumi_aws' own class deletes
    the group with its online values and makes it anew (terraform-provider-aws#26809, #36784), where the CloudFormation
    schema of this type takes changes of `FeatureDefinitions`, of the time to live and of the throughput in place. AWS
    takes no feature out and changes no type: give the feature another name, or make a group `transactions-v2` beside
    the first, write both for a while, and take the first out when no model reads it.

    The identity `features` is tried while a group is made. Without `s3:GetBucketAcl` of the bucket, and `s3:PutObject`
    and `s3:PutObjectAcl` under the folder, SageMaker says "Invalid S3Uri" (AWS managed policy
    AmazonSageMakerFeatureStoreAccess).

    Where the file asks for Lake Formation, what people and machines of the environment may see of its catalogue is
    given here (`lake.py`).

    Everything else about a group can be said at its birth alone. Another entity, event time, `online` or key would be a
    new group of the old name, and that is refused: by Pulumi where the group is protected, else by SageMaker, before
    the old one is touched. A protected group stays in AWS when it is taken out of the file. Deleting one leaves its
    files and its table (SageMaker API, DeleteFeatureGroup), and the table has to be dropped before a group of that name
    is made again.

    Not proved without an account: what Cloud Control answers to a feature that is taken out. Nothing of the API could
    take it out.
    """

    groups: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        features: Mapping[str, FeatureGroup],
        settings: DataLake,
        models: Sequence[str],
        keys: contract.Keys,
        data: contract.Data,
        access: contract.Access,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        # Feature groups and data sets are tables of one catalogue, and here is the first part that knows who asks.
        before: list[Resource] = []
        if settings.lake_formation:
            before = lake.open_to(self, settings, data, access, models)
        for name, group in features.items():
            made = cloudcontrol.Resource(
                self.named(name),
                type_name=KIND,
                desired_state=Output.json_dumps(
                    self._state(name, group, keys.ids.get("features"), data, access),
                    sort_keys=True,
                    separators=(",", ":"),
                ),
                # One after the other: Cloud Control retries nothing that SageMaker turns away as too much at once
                # (terraform-provider-awscc#2939). Never deleted first: the table that stays would fail the new group.
                opts=self.child(depends_on=before, protect=protect, retain_on_delete=protect),
            )
            before = [made]
        self.publish(groups={name: Output.from_input(names.physical("feature-group", name)) for name in features})

    def _state(
        self,
        name: str,
        group: FeatureGroup,
        key: Output[str] | None,
        data: contract.Data,
        access: contract.Access,
    ) -> dict[str, Any]:
        """The group as CloudFormation's schema has it. Nothing is sorted: a definition that is inserted before others
        would be a change of all of them to Cloud Control, which compares lists by position."""
        names = self.names
        encrypted = {} if key is None else {"KmsKeyId": key}
        columns = {group.entity: "String", group.event_time: "String"}
        columns |= {feature: TYPES[kind] for feature, kind in group.fields.items()}
        # Written even when it is off, so that turning it on is seen to be a replacement before it is tried.
        online: dict[str, Any] = {"EnableOnlineStore": group.online}
        if group.online:
            online |= {"StorageType": "Standard"}
            online |= {"SecurityConfig": encrypted} if encrypted else {}
            online |= {"TtlDuration": _time_to_live(group.ttl)} if group.ttl else {}
        return {
            "FeatureGroupName": names.physical("feature-group", name),
            "RecordIdentifierFeatureName": group.entity,
            "EventTimeFeatureName": group.event_time,
            "FeatureDefinitions": [{"FeatureName": each, "FeatureType": kind} for each, kind in columns.items()],
            "OnlineStoreConfig": online,
            "OfflineStoreConfig": {
                "S3StorageConfig": {"S3Uri": Output.concat(data.stores["curated"], "/", FOLDER), **encrypted},
                "TableFormat": "Iceberg",
                # An Iceberg table is made by SageMaker or not at all.
                "DisableGlueTableCreation": False,
                "DataCatalogConfig": {
                    "Catalog": "AwsDataCatalog",
                    "Database": names.physical("catalog-database", "curated"),
                    "TableName": table_name(name),
                },
            },
            "ThroughputConfig": {"ThroughputMode": "OnDemand"},
            "RoleArn": access.identities["features"],
            "Tags": [{"Key": key, "Value": names.tags[key]} for key in KEPT_TAGS],
        }


def _time_to_live(ttl: Duration) -> dict[str, Any]:
    unit = next(unit for unit, seconds in UNITS.items() if ttl.seconds % seconds == 0)
    return {"Unit": unit, "Value": ttl.seconds // UNITS[unit]}
