"""AWS: feature groups, what they are made of, and what can change in one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pytest

from mlestate.blueprint.inventory import Row
from mlestate.local.session import Session
from tests.config.said import AWS, at_mark, said

from .conftest import Recorded, all_of, one
from .estates import MINIMAL

GROUPS = (
    MINIMAL
    + """
owner: ml@acme.example
tags: {cost-centre: risk}
encryption: customer-managed
environments: {staging: {}, production: {protect: true}}
features:
  transactions:
    entity: customer_id
    event_time: ts
    online: true
    ttl: 36h
    fields: {amount_30d: float, count_30d: int, province: string, recent: bool, opened: timestamp}
  branch-visits: {entity: branch, event_time: at, fields: {visits: int}}
"""
)

ONE = (
    MINIMAL
    + """
owner: ml@acme.example
tags: {cost-centre: risk}
features: {visits: {entity: branch, event_time: at, fields: {visits: int}}}
"""
)


def _state(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.inputs["desiredState"])
    return found


def _group(rows: list[Row], name: str) -> dict[str, Any]:
    return _state(one(rows, "cloudcontrol:Resource", name))


def test_a_group_holds_its_entity_and_its_time_and_each_feature_in_the_order_of_the_file(estate: Recorded) -> None:
    group = _group(estate(GROUPS), "staging-features-transactions")
    assert group["FeatureGroupName"] == "acme-staging-transactions"
    assert (group["RecordIdentifierFeatureName"], group["EventTimeFeatureName"]) == ("customer_id", "ts")
    assert [(each["FeatureName"], each["FeatureType"]) for each in group["FeatureDefinitions"]] == [
        ("customer_id", "String"),
        ("ts", "String"),
        ("amount_30d", "Fractional"),
        ("count_30d", "Integral"),
        ("province", "String"),
        ("recent", "String"),
        ("opened", "String"),
    ], "SageMaker has three types, and both named columns must be among the definitions"


@pytest.mark.parametrize("name", ["transactions", "branch-visits"])
def test_what_is_asked_of_cloud_control_is_what_sagemaker_takes(estate: Recorded, name: str) -> None:
    """Proves members, types and lengths by AWS' model of its API; patterns are the local cloud's to check."""
    group = _group(estate(GROUPS), f"staging-features-{name}")
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateFeatureGroup")
    assert shape.input_shape is not None
    report = botocore.validate.ParamValidator().validate(group, shape.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_every_group_has_an_offline_store_that_sagemaker_makes_as_an_iceberg_table(estate: Recorded) -> None:
    """An Iceberg table cannot be had with DisableGlueTableCreation (SageMaker API, OfflineStoreConfig)."""
    rows = estate(GROUPS)
    curated = one(rows, "s3:Bucket", "staging-data-curated").inputs["bucket"]
    database = one(rows, "glue:CatalogDatabase", "staging-data-curated")
    row = one(rows, "cloudcontrol:Resource", "staging-features-branch-visits")
    offline = _state(row)["OfflineStoreConfig"]
    assert offline["S3StorageConfig"]["S3Uri"] == f"s3://{curated}/features/"
    assert (offline["TableFormat"], offline["DisableGlueTableCreation"]) == ("Iceberg", False)
    assert offline["DataCatalogConfig"] == {
        "Catalog": "AwsDataCatalog",
        "Database": database.inputs["name"],
        "TableName": "branch_visits",
    }, "Athena reads no hyphen"
    assert database.urn in row.dependencies, "the table is made in a database that is there"


def test_only_an_online_group_is_ready_in_milliseconds_and_nothing_bills_by_the_hour(estate: Recorded) -> None:
    rows = estate(GROUPS)
    online, offline = (_group(rows, f"staging-features-{name}") for name in ("transactions", "branch-visits"))
    assert offline["OnlineStoreConfig"] == {"EnableOnlineStore": False}, (
        "said, so that turning it on is seen to replace"
    )
    assert online["OnlineStoreConfig"]["EnableOnlineStore"] is True
    assert online["OnlineStoreConfig"]["StorageType"] == "Standard"
    assert online["OnlineStoreConfig"]["TtlDuration"] == {"Unit": "Hours", "Value": 36}
    for group in (online, offline):
        assert group["ThroughputConfig"] == {"ThroughputMode": "OnDemand"}, "provisioned capacity bills while idle"


def test_both_stores_are_under_the_key_of_the_features(estate: Recorded) -> None:
    rows = estate(GROUPS)
    key = one(rows, "kms:Key", "staging-keys-features").outputs["arn"]
    group = _group(rows, "staging-features-transactions")
    assert group["OnlineStoreConfig"]["SecurityConfig"] == {"KmsKeyId": key}
    assert group["OfflineStoreConfig"]["S3StorageConfig"]["KmsKeyId"] == key
    plain = _group(estate(GROUPS.replace("customer-managed", "provider-managed")), "staging-features-transactions")
    assert "SecurityConfig" not in plain["OnlineStoreConfig"]
    assert "KmsKeyId" not in plain["OfflineStoreConfig"]["S3StorageConfig"]


def test_a_group_writes_as_the_identity_for_it(estate: Recorded) -> None:
    rows = estate(GROUPS)
    role = one(rows, "iam:Role", "staging-access-features")
    row = one(rows, "cloudcontrol:Resource", "staging-features-transactions")
    assert _state(row)["RoleArn"] == role.outputs["arn"]
    policy = one(rows, "iam:RolePolicy", "staging-access-features")
    assert policy.urn in row.dependencies, "SageMaker tries the bucket with the role while it makes the group"


def test_a_group_has_only_tags_that_never_change(estate: Recorded) -> None:
    """CloudFormation's schema of the type has the tags among what is said at birth alone."""
    tags = {each["Key"]: each["Value"] for each in _group(estate(GROUPS), "staging-features-transactions")["Tags"]}
    assert tags == {"estate": "acme", "environment": "staging", "managed-by": "pulumi"}


def test_cloud_control_is_asked_for_one_group_after_the_other(estate: Recorded) -> None:
    rows = estate(GROUPS)
    first = one(rows, "cloudcontrol:Resource", "staging-features-transactions")
    assert first.urn in one(rows, "cloudcontrol:Resource", "staging-features-branch-visits").dependencies


def test_a_protected_group_is_neither_replaced_nor_deleted_with_its_file(estate: Recorded) -> None:
    rows = estate(GROUPS)
    kept = one(rows, "cloudcontrol:Resource", "production-features-transactions").options
    assert (kept["protect"], kept["retainOnDelete"]) == (True, True)
    loose = one(rows, "cloudcontrol:Resource", "staging-features-transactions").options
    assert not {"protect", "retainOnDelete"} & set(loose)


def test_the_environment_says_its_groups_by_the_names_in_the_store(estate: Recorded) -> None:
    rows = estate(GROUPS)
    part = next(row for row in rows if row.type == "mlestate:aws:Features" and "production" in row.name)
    assert part.outputs["groups"] == {
        "transactions": "acme-production-transactions",
        "branch-visits": "acme-production-branch-visits",
    }


def test_no_group_is_made_where_the_file_has_none(estate: Recorded) -> None:
    assert not all_of(estate(MINIMAL), "cloudcontrol:Resource")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
    """What an `up` of a second file does to the groups of a first one: the operation by the group's name."""

    def run(first: str, second: str) -> dict[str, str]:
        file, done = tmp_path / "estate.yaml", {}
        for text in (first, second):
            file.write_text(text)
            result = Session.of(file, tmp_path).run("up")
            assert not result.failed, result
            done = {
                each.urn.rpartition("::")[2]: each.op
                for each in result.operations
                if "cloudcontrol/resource" in each.urn
            }
        return done

    return run


def test_a_new_feature_comes_into_the_group_as_it_is(changed: Callable[[str, str], dict[str, str]]) -> None:
    """terraform-provider-aws#26809, #36784: its own class deletes the group and all online values for one feature more.
    Proves what is asked for; that AWS adds the feature is in CloudFormation's schema of the type and not shown here."""
    done = changed(ONE, ONE.replace("visits: int", "visits: int, sales: float"))
    assert done == {"acme-production-features-visits": "update"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ("visits: float", "changes no type, and 'visits' is Integral in it, not Fractional"),
        ("sales: float", "takes no feature out, and 'visits' is in it"),
    ],
)
def test_a_preview_refuses_what_no_group_can_do(fields: str, sentence: str, tmp_path: Path) -> None:
    """SageMaker API, UpdateFeatureGroup: features are added and nothing else. Pulumi's own preview asks nobody; the
    local cloud refuses in AWS's place, whose own words are not known here."""
    file = tmp_path / "estate.yaml"
    file.write_text(ONE)
    assert not Session.of(file, tmp_path).run("up").failed
    file.write_text(ONE.replace("visits: int", fields))
    said: list[str] = []
    session = Session.of(file, tmp_path)
    for command in ("preview", "up"):
        result = session.run(command, lambda event: said.append(str(event)))
        assert result.failed, f"{command} promises what SageMaker refuses"
    assert sentence in " ".join(said)


def test_another_owner_or_cost_centre_touches_no_group(changed: Callable[[str, str], dict[str, str]]) -> None:
    done = changed(ONE, ONE.replace("cost-centre: risk", "cost-centre: sales").replace("ml@acme", "ds@acme"))
    assert set(done.values()) == {"same"}, "tags are given at birth alone, and the group would be made anew"


BAD = {
    "a feature whose name ends in an underscore": (
        "features: {f: {entity: id, event_time: ts, fields: {a_: «float}}}\n",
        ("features.f.fields.a_", "'a_' ends with _, and SageMaker's names end with a letter or a digit. Rename it."),
    ),
    "an entity whose name ends in an underscore": (
        "features: {f: {entity: «id_, event_time: ts, fields: {a: float}}}\n",
        ("features.f.entity", "'id_' ends with _, and SageMaker's names end with a letter or a digit. Rename it."),
    ),
    "two features that differ in capitals": (
        "features: {f: {entity: id, event_time: ts, fields: {amount: float, Amount: «float}}}\n",
        (
            "features.f.fields.Amount",
            "'Amount' and 'amount' are one column to Athena, which reads no capitals. Rename one.",
        ),
    ),
    "more features than a group holds": (
        "features: {f: {entity: id, event_time: ts, «fields: {"
        + ", ".join(f"f{i}: int" for i in range(2499))
        + "}}}\n",
        (
            "features.f.fields",
            "names 2499 features; with its entity and event_time a group of SageMaker holds 2500. Make two groups of "
            "one entity.",
        ),
    ),
}


@pytest.mark.parametrize(("marked", "expected"), BAD.values(), ids=BAD)
def test_what_sagemaker_would_turn_away_is_refused_in_the_file(marked: str, expected: tuple[str, str]) -> None:
    assert expected in at_mark(AWS + marked)


def test_a_group_whose_name_does_not_fit_is_refused_where_it_is_written() -> None:
    """With an estate and an environment of these names there is room for 48 characters."""
    name = "g" * 60
    found = dict(said(AWS + f"features: {{{name}: {{entity: id, event_time: ts, fields: {{a: float}}}}}}\n"))
    assert found[f"features.{name}"].startswith(f"'{name}' is too long: the name of a feature group")
    assert "Use at most 48 here." in found[f"features.{name}"]
