"""Where the data of an environment rests on AWS."""

from collections.abc import Mapping, Sequence

import pulumi_aws.glue as glue
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws import lake
from mlestate.aws.buckets import access_logs, bucket
from mlestate.aws.policies import Statement
from mlestate.aws.tables import table
from mlestate.config.data import DataLake
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["ROLES", "Data"]

ROLES: Mapping[str, str] = {"raw": "data", "curated": "data", "artifacts": "models", "capture": "models"}
"""The buckets of an environment, and the concern whose key encrypts each."""

CAPTURE_DAYS = 90
"""How long requests and answers are kept where a model does not say; they hold what people sent."""


class Data(Part):
    """Four versioned buckets, a fifth that keeps who reached them, and the catalogue of the tables in them.

    *raw* holds the data sets, *curated* the tables made from them, *artifacts* the trained models, *capture* what
    endpoints were asked and answered. Captured requests go after 90 days or when their model says, a data set's files
    after its own `retention`; what goes, is deleted or overwritten can be brought back for 90 days more. None of the
    four is ever emptied for its deletion: S3 refuses to delete one that holds anything, and a protected environment's
    are not even tried.

    **What a run learnt from** it writes itself, as a manifest beside its model in *artifacts*: every file with its S3
    version, or the snapshot of a table. A version that was overwritten or deleted can be read by its id for those 90
    days and no longer; what has to be repeated after that is kept under a name of its own. SageMaker's lineage connects
    jobs with what they read and wrote.

    The catalogue has the database *curated*, whose location is its bucket, so that Spark, Athena and the feature store
    make Iceberg tables in it by name alone; and where a data set names its columns, the database *raw* with a table
    over its files.
    """

    stores: Mapping[str, Output[str]]
    datasets: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        settings: DataLake,
        models: Mapping[str, Model],
        keys: contract.Keys,
        lent: Sequence[Statement],
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        datasets = settings.datasets
        expire_days = {
            "raw": {_prefix(each.path): each.retention.days for each in datasets.values() if each.retention},
            "capture": {
                f"{name}/": model.serving.capture.retention.days if model.serving.capture else CAPTURE_DAYS
                for name, model in models.items()
            },
        }
        logs = access_logs(self, list(ROLES), protect=protect)
        made = {
            role: bucket(
                self,
                role,
                key=keys.ids.get(concern),
                expire_days=expire_days.get(role),
                statements=lent if role == "artifacts" else (),
                logs=logs,
                protect=protect,
            )
            for role, concern in ROLES.items()
        }
        # What is given at a database's birth is settled before the database is made.
        closed = [lake.close(self, settings.lake_formation)] if settings.lake_formation else []
        databases = {
            "curated": glue.CatalogDatabase(
                self.named("curated"),
                name=names.physical("catalog-database", "curated"),
                description="Tables made from the raw data sets",
                location_uri=Output.concat(made["curated"].uri, "/"),
                tags=names.tags,
                opts=self.child(protect=protect, depends_on=closed),
            )
        }
        where = {name: Output.concat(made["raw"].uri, "/", each.path) for name, each in datasets.items()}
        described = {name: each for name, each in datasets.items() if each.columns}
        if described:
            databases["raw"] = glue.CatalogDatabase(
                self.named("raw"),
                name=names.physical("catalog-database", "raw"),
                description="The raw data sets as tables",
                tags=names.tags,
                opts=self.child(depends_on=closed),
            )
        for name, each in described.items():
            table(self.named(f"raw-{name}"), databases["raw"].name, name, each, where[name], self.child())
        stores = {role: each.uri for role, each in made.items()}
        # Whoever goes to the tables there finds their database made.
        for role, database in databases.items():
            stores[role] = Output.all(stores[role], database.name).apply(lambda both: str(both[0]))
        self.publish(stores=stores, datasets=where)


def _prefix(path: str) -> str:
    return f"{path.strip('/')}/"
