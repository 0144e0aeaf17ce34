"""AWS: Lake Formation, where the file asks for it: what it closes for everybody, and whom it lets in again."""

from collections.abc import Mapping
from typing import Any

import pytest

from mlestate.blueprint.inventory import Row
from tests.config.said import AWS, at_mark

from .conftest import Recorded, all_of, one
from .estates import MINIMAL

STAGING, PRODUCTION = (f"arn:aws:iam::{account}:role/deploy" for account in ("222222222222", "333333333333"))
GOVERNED = f"""
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
people:
  data_scientists: [ds@risk.example]
  approvers: [approver@risk.example]
environments:
  staging: {{account: "222222222222", deploy_role: "{STAGING}"}}
  production: {{account: "333333333333", deploy_role: "{PRODUCTION}", protect: true}}
data:
  lake_formation: {{administrators: ["{STAGING}", "{PRODUCTION}"]}}
  datasets:
    transactions: {{path: lake/transactions/, columns: {{id: string, amount: float}}}}
features:
  visits: {{entity: branch, event_time: at, fields: {{visits: int}}}}
models:
  churn: {{problem: classification}}
"""


def _given(rows: list[Row], environment: str) -> dict[tuple[str, str, str], list[str]]:
    """What is given in one environment, by who, the database, and whether it is on its tables or itself."""
    found = {}
    for row in all_of(rows, "lakeformation:Permissions").values():
        inputs: Mapping[str, Any] = row.inputs
        if f"-{environment}-" not in row.name:
            continue
        who = inputs["principal"].rpartition("/")[2]
        if "table" in inputs:
            assert inputs["table"]["wildcard"] is True, "tables come and go, and are made by SageMaker too"
            found[who, inputs["table"]["databaseName"], "tables"] = inputs["permissions"]
        else:
            found[who, inputs["database"]["name"], "itself"] = inputs["permissions"]
    return found


def test_nothing_of_an_account_is_changed_where_the_file_does_not_ask(estate: Recorded) -> None:
    rows = estate(MINIMAL)
    assert not [row.type for row in rows if row.type.startswith("aws:lakeformation/")]


def test_new_databases_and_tables_are_seen_by_nobody_who_was_not_given_them(estate: Recorded) -> None:
    """The defaults give `IAMAllowedPrincipals` everything, and every grant would say nothing beside that."""
    rows = estate(GOVERNED)
    settings = one(rows, "lakeformation:DataLakeSettings", "staging-data-lake")
    assert settings.inputs["createDatabaseDefaultPermissions"] == []
    assert settings.inputs["createTableDefaultPermissions"] == []
    for role in ("curated", "raw"):
        database = one(rows, "glue:CatalogDatabase", f"staging-data-{role}")
        assert settings.urn in database.dependencies, "a database keeps the defaults that it was born under"


def test_an_account_has_administrators_of_its_own(estate: Recorded) -> None:
    rows = estate(GOVERNED)
    for environment, arn in (("staging", STAGING), ("production", PRODUCTION)):
        assert one(rows, "lakeformation:DataLakeSettings", f"{environment}-data-lake").inputs["admins"] == [arn]


def test_what_an_account_was_closed_by_does_not_open_when_an_environment_goes(estate: Recorded) -> None:
    assert (
        one(estate(GOVERNED), "lakeformation:DataLakeSettings", "staging-data-lake").options["retainOnDelete"] is True
    )


def test_who_works_with_the_data_sees_its_tables_and_no_one_else_does(estate: Recorded) -> None:
    given = _given(estate(GOVERNED), "staging")
    readers = {"risk-staging-data-scientist", "risk-staging-churn-training"}
    for database in ("risk_staging_curated", "risk_staging_raw"):
        for reader in readers:
            assert given[reader, database, "itself"] == ["DESCRIBE"]
            assert given[reader, database, "tables"] == ["DESCRIBE", "SELECT"], "reading, and nothing more"
    assert {who for who, _, _ in given} == {*readers, "risk-staging-features"}


def test_the_feature_store_makes_its_tables_before_the_groups_need_them(estate: Recorded) -> None:
    rows = estate(GOVERNED)
    given = _given(rows, "staging")
    assert given["risk-staging-features", "risk_staging_curated", "itself"] == ["CREATE_TABLE", "DESCRIBE"]
    assert "ALTER" in given["risk-staging-features", "risk_staging_curated", "tables"], "a new feature is a new column"
    assert not [key for key in given if key[:2] == ("risk-staging-features", "risk_staging_raw")]
    group = one(rows, "cloudcontrol:Resource", "staging-features-visits")
    for name in ("database", "tables"):
        grant = one(rows, "lakeformation:Permissions", f"staging-features-curated-features-{name}")
        assert grant.urn in group.dependencies


def test_a_grant_waits_for_its_database_and_for_its_reader(estate: Recorded) -> None:
    rows = estate(GOVERNED)
    grant = one(rows, "lakeformation:Permissions", "staging-features-raw-churn-training-database")
    assert one(rows, "glue:CatalogDatabase", "staging-data-raw").urn in grant.dependencies
    assert one(rows, "iam:RolePolicy", "staging-access-churn-training").urn in grant.dependencies


OWN = AWS + 'account: "111111111111"\nenvironments: {live: {account: "222222222222"}}\n'
BAD = {
    "an address as an administrator": (
        OWN + "data: {lake_formation: {administrators: [«ana@acme.example]}}\n",
        (
            "data.lake_formation.administrators[0]",
            "'ana@acme.example' cannot administer Lake Formation, which takes the ARN of an IAM role or user, such as "
            "arn:aws:iam::222222222222:role/deployer.",
        ),
    ),
    "an account without an administrator": (
        OWN + 'data: {lake_formation: {«administrators: ["arn:aws:iam::333333333333:role/deploy"]}}\n',
        (
            "data.lake_formation.administrators",
            "names no one of account 222222222222, where live lies, and an account has administrators of its own "
            "alone. Add the role that deploys there.",
        ),
    ),
    "an environment in the account of the hub": (
        AWS + 'data: {«lake_formation: {administrators: ["arn:aws:iam::333333333333:role/deploy"]}}\n',
        (
            "data.lake_formation",
            "would hide the tables of the trail from the auditors, because production lies in the account of the hub. "
            "Give production an account of its own, or remove the block.",
        ),
    ),
}


@pytest.mark.parametrize(("marked", "expected"), BAD.values(), ids=BAD)
def test_a_lake_that_nobody_could_open_is_refused(marked: str, expected: tuple[str, str]) -> None:
    assert expected in at_mark(marked)
