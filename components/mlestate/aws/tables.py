"""The tables that the Glue catalogue has over the files of a data set, so that Athena and pandas read them by name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_aws.glue as glue
from pulumi import Input, ResourceOptions

from mlestate.config.data import Dataset, FeatureType

__all__ = ["READERS", "name", "table"]


@dataclass(frozen=True)
class Reader:
    """How Hive, and so Athena, reads one file format."""

    serializer: str
    input_format: str
    output_format: str
    times: str
    """The column type of a timestamp: text in files that have no type for it, so that any way to write one is read."""
    parameters: Mapping[str, str]


_TEXT = "org.apache.hadoop.mapred.TextInputFormat"
_ANY = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"

READERS: Mapping[str, Reader] = {
    "parquet": Reader(
        f"{_PARQUET}.serde.ParquetHiveSerDe",
        f"{_PARQUET}.MapredParquetInputFormat",
        f"{_PARQUET}.MapredParquetOutputFormat",
        "timestamp",
        {"classification": "parquet"},
    ),
    "csv": Reader(
        "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        _TEXT,
        _ANY,
        "string",
        {"classification": "csv", "skip.header.line.count": "1"},
    ),
    "json": Reader("org.openx.data.jsonserde.JsonSerDe", _TEXT, _ANY, "string", {"classification": "json"}),
}
"""By format (Athena user guide, "Choose a SerDe for your data"). A CSV file begins with a line of column names, and has
its columns in the order of the estate's file; JSON is one document a line.

Iceberg is not among them: such a table keeps its columns in its own metadata, which a later change of the catalogue
does not reach (terraform-provider-aws#36641), so whoever writes it first makes it.
"""

_TYPES: Mapping[FeatureType, str] = {"float": "double", "int": "bigint", "string": "string", "bool": "boolean"}


def name(word: str) -> str:
    """A name of the estate's file as Athena takes it: no hyphen."""
    return word.replace("-", "_")


def table(
    logical: str, database: Input[str], dataset: str, settings: Dataset, uri: Input[str], opts: ResourceOptions
) -> glue.CatalogTable:
    """The table over the files of one data set. Glue keeps names in lower case, whichever way they are written."""
    reader = READERS[settings.format]
    return glue.CatalogTable(
        logical,
        name=name(dataset),
        database_name=database,
        description=f"The files under {settings.path}",
        table_type="EXTERNAL_TABLE",
        parameters={"EXTERNAL": "TRUE", **reader.parameters},
        storage_descriptor={
            "location": uri,
            "input_format": reader.input_format,
            "output_format": reader.output_format,
            "ser_de_info": {
                "serialization_library": reader.serializer,
                "parameters": {"serialization.format": "1"},
            },
            "columns": [
                {"name": column.lower(), "type": reader.times if kind == "timestamp" else _TYPES[kind]}
                for column, kind in settings.columns.items()
            ],
        },
        opts=opts,
    )
