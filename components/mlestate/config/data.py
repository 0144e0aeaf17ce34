"""What models learn from, and where what they learnt is compared."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Duration, FieldName, Folder, Name, Principal, Settings, text

FeatureType = Literal["float", "int", "string", "bool", "timestamp"]


class Dataset(Settings):
    """Files that models learn from, kept in versions."""

    path: Folder = Field(
        description="Where the files lie, in the estate's own storage. Required.", examples=["lake/transactions/"]
    )
    format: Literal["parquet", "csv", "json", "iceberg"] = Field(
        "parquet",
        description="How the files are written; the pipeline reads them so. An iceberg table is made by whoever writes "
        "it first, at `path`. Left out: parquet.",
    )
    columns: Mapping[FieldName, FeatureType] = Field(
        default_factory=dict,
        description="The columns by name, each with its type, in the order of the files: with them the data set is a "
        "table that can be queried (not iceberg, which keeps its own). Left out: files alone.",
        examples=[{"customer_id": "string", "amount": "float"}],
    )
    retention: Duration | None = Field(
        None, description="How long files are kept. Left out: for ever.", examples=["2y"]
    )


class LakeFormation(Settings):
    """Who administers AWS Lake Formation in the accounts of the estate."""

    administrators: tuple[Principal, ...] = Field(
        min_length=1,
        description="The ARNs of the IAM roles and users who give and take what others see; the deployer's must be "
        "among them. They replace the administrators that their account has now. Required.",
        examples=[["arn:aws:iam::222222222222:role/deployer"]],
    )


class DataLake(Settings):
    """The data of the estate."""

    datasets: Mapping[Name, Dataset] = Field(
        default_factory=dict, description="The datasets by name. Left out: none; the store is there all the same."
    )
    lake_formation: LakeFormation | None = Field(
        None,
        description="Lets AWS Lake Formation decide who sees which table (aws). This holds for the whole account and "
        "region: its administrators become the ones named here, and every database and table that anyone makes in it "
        "from then on is seen by nobody who was not given it. Left out: IAM alone decides.",
    )


class FeatureGroup(Settings):
    """Features of one kind of thing, the same in training and in serving."""

    entity: FieldName = Field(
        description="The column that says whose features these are. Required.", examples=["customer_id"]
    )
    event_time: FieldName = Field(description="The column that says since when they hold. Required.", examples=["ts"])
    fields: Mapping[FieldName, FeatureType] = Field(
        description="The features by name, each with its type. New ones go to the end. One that is there stays, with "
        "its type: a store takes nothing out, so another type is another name, and another entity another group. "
        "Required.",
        examples=[{"amount_30d": "float"}],
    )
    online: bool = Field(
        False, description="Also keeps the newest values ready in milliseconds, which bills while idle. Left out: not."
    )
    ttl: Duration | None = Field(
        None, description="How long the online store keeps a value (only with online). Left out: for ever."
    )


TrackingUri = Annotated[
    str,
    text(
        "tracking_uri",
        # A user and a password get past this, so that a rule refuses them without saying them again.
        r"https://(?:[^\s/]*@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?",
        "must be an https address without a question mark, such as https://mlflow.acme.example",
    ),
]


class Tracking(Settings):
    """Where runs and their numbers are compared."""

    server: Literal["none", "managed", "external"] = Field(
        "none",
        description="none uses what the cloud gives without a server (on aws, serverless MLflow, which a network of "
        "one's own does not reach); managed starts one, which bills while idle; "
        "external uses a server of yours, at `uri`: an MLflow, or another tracker that the model's image speaks to. "
        "Left out: none.",
    )
    size: Literal["small", "medium", "large"] = Field(
        "small", description="The size of a managed server. Left out: small."
    )
    uri: TrackingUri | None = Field(
        None,
        description="The address of an external server, which training runs get as MLFLOW_TRACKING_URI. Left out: "
        "there is none; server: external needs it.",
        examples=["https://mlflow.acme.example"],
    )
