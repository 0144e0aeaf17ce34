"""AWS Lake Formation: who sees which table of the catalogue, where the file asks for it.

Two things of an account and region are changed, for everybody in it: its administrators, and what is given at the birth
of a database or table, which is nothing from then on (by default every IAM principal sees it: Lake Formation developer
guide, "Changing the default settings for your data lake"). Both stay when an environment goes: taking them back would
open what others in the account have made meanwhile.

Lake Formation decides who sees a table; who reads its files stays for the bucket, its key and IAM to say. No location
is registered, so no role of Lake Formation's reads the data, and whoever reads files today still does.
"""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

from collections.abc import Sequence

import pulumi_aws.lakeformation as lakeformation
from pulumi import Output, Resource

from mlestate import contract
from mlestate.config.data import DataLake, LakeFormation
from mlestate.part import Part

__all__ = ["READERS", "close", "open_to"]

READERS = ("data-scientist", "ml-engineer")
"""The personas who see every table of an environment."""

KEEP_TABLES = ("ALTER", "DESCRIBE", "INSERT", "SELECT")
READ_TABLES = ("DESCRIBE", "SELECT")


def close(part: Part, settings: LakeFormation) -> lakeformation.DataLakeSettings:
    """The settings of the account and region, before any database is made in it."""
    return lakeformation.DataLakeSettings(
        part.named("lake"),
        admins=[each for each in settings.administrators if each.split(":")[4] == part.names.home],
        create_database_default_permissions=[],
        create_table_default_permissions=[],
        opts=part.child(retain_on_delete=True),
    )


def open_to(
    part: Part, settings: DataLake, data: contract.Data, access: contract.Access, models: Sequence[str]
) -> list[Resource]:
    """Gives the people and machines of an environment what they need of its databases.

    Answers what feature groups wait for: that their identity may make tables.
    """
    given: list[Resource] = []
    readers = {
        **{persona: access.personas[persona] for persona in READERS if persona in access.personas},
        **{f"{model}-training": access.identities[f"{model}-training"] for model in models},
    }
    for role in ("curated", *(["raw"] if any(each.columns for each in settings.datasets.values()) else [])):
        database = _made(part.names.physical("catalog-database", role), data.stores[role])
        for reader, principal in readers.items():
            _give(part, f"{role}-{reader}", principal, database, ("DESCRIBE",), READ_TABLES)
        if role == "curated" and "features" in access.identities:
            keeper = access.identities["features"]
            given = _give(part, "curated-features", keeper, database, ("CREATE_TABLE", "DESCRIBE"), KEEP_TABLES)
    return given


def _made(database: str, store: Output[str]) -> Output[str]:
    """The name of a database that is there: `Data` gives out a store only with its database."""
    return store.apply(lambda _: database)


def _give(
    part: Part, name: str, principal: Output[str], database: Output[str], itself: Sequence[str], tables: Sequence[str]
) -> list[Resource]:
    return [
        lakeformation.Permissions(
            part.named(f"{name}-database"),
            principal=principal,
            permissions=[*itself],
            database={"name": database},
            opts=part.child(),
        ),
        lakeformation.Permissions(
            part.named(f"{name}-tables"),
            principal=principal,
            permissions=[*tables],
            table={"database_name": database, "wildcard": True},
            opts=part.child(),
        ),
    ]
