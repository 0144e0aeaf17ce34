"""What an auditor asks of the trail, ready to be run: who approved, deployed, read and changed.

Athena over the trail's own files. The table names its partitions by a pattern (Athena user guide, "Partition
projection"), so nothing has to be loaded and nothing bills until someone asks; an event data store would bill for every
event a second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi_aws.athena as athena
import pulumi_aws.glue as glue
from pulumi import Output

from mlestate.aws.buckets import Bucket, bucket
from mlestate.aws.policies import path
from mlestate.aws.settings import KNOWN_REGIONS
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["ANSWERS", "Question", "ask", "questions"]

ANSWERS = "audit-answers"
"""The role of the bucket that holds the answers."""

ANSWERS_DAYS = 30
"""How long an answer is kept; the trail itself answers again."""

BYTES_A_QUESTION = 100 * 1024**3
"""The most that one question may read: at the list price of 5 US dollars a terabyte, half a dollar (Athena pricing)."""

TABLE = "trail"

DAYS_BACK = 30
"""How far back a saved question looks until someone edits it."""


@dataclass(frozen=True)
class Question:
    """A saved query."""

    title: str
    sentence: str
    columns: Sequence[str]
    """What the answer shows besides when, who, from where and in which account."""
    condition: str

    @property
    def query(self) -> str:
        shown = ",\n  ".join([*_SHOWN, *self.columns])
        return (
            f"SELECT\n  {shown}\nFROM {TABLE}\n"
            f"WHERE day >= date_format(current_date - interval '{DAYS_BACK}' day, '%Y/%m/%d')\n"
            f"  AND {self.condition}\nORDER BY eventtime DESC"
        )


_SHOWN = (
    "eventtime",
    "coalesce(useridentity.arn, useridentity.invokedby, useridentity.type) AS who",
    "sourceipaddress",
    "account",
    "eventname",
    "errorcode",
)


def _said(name: str) -> str:
    """A value of the request, by its name in the API."""
    return f"json_extract_scalar(requestparameters, '$.{name}')"


def _any(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def questions(names: Names) -> list[Question]:
    """``names`` are the hub's. Columns: CloudTrail user guide, "CloudTrail record contents"."""
    estate = f"'%{path(names)}%'"
    decrypted = "json_extract_scalar(requestparameters, '$.encryptionContext[\"aws:s3:arn\"]')"
    role = f"coalesce({_said('roleArn')}, {_said('executionRoleArn')})"
    ours = f"'{names.estate}-%'"
    return [
        Question(
            "who approved",
            "Who approved or rejected which model version, and what they wrote",
            [
                f"{_said('modelPackageArn')} AS version",
                f"{_said('modelApprovalStatus')} AS verdict",
                f"{_said('approvalDescription')} AS reason",
            ],
            f"eventname = 'UpdateModelPackage' AND {_said('modelApprovalStatus')} IS NOT NULL",
        ),
        Question(
            "who deployed",
            "Who put which configuration behind which endpoint, and which release workflow ran",
            [
                f"coalesce({_said('endpointName')}, {_said('stateMachineArn')}) AS target",
                f"{_said('endpointConfigName')} AS configuration",
                "requestparameters",
            ],
            _any(
                "eventname",
                [
                    "CreateEndpoint",
                    "DeleteEndpoint",
                    "StartExecution",
                    "UpdateEndpoint",
                    "UpdateEndpointWeightsAndCapacities",
                ],
            )
            + f" AND (requestparameters LIKE '%\"{names.estate}-%' OR requestparameters LIKE '%:{names.estate}-%')",
        ),
        Question(
            "who read",
            "Who read features or answers, and whose requests decrypted data of which bucket",
            [
                f"coalesce({_said('featureGroupName')}, {_said('endpointName')}, {decrypted}) AS what",
            ],
            f"(({_any('eventsource', ['sagemaker.amazonaws.com', 'sagemaker-mlflow.amazonaws.com'])} "
            "AND eventcategory = 'Data' AND readonly = 'true')\n"
            "    OR (eventsource = 'kms.amazonaws.com' AND eventname = 'Decrypt' "
            f"AND {decrypted} LIKE '%:{names.estate}-%'))",
        ),
        Question(
            "who changed",
            "Who changed roles, keys, the policies of buckets or registry, or the trail",
            ["eventsource", "requestparameters"],
            "readonly = 'false' AND (\n"
            "    (eventsource = 'iam.amazonaws.com' AND (requestparameters LIKE "
            f"{estate}\n      OR responseelements LIKE {estate} OR {_said('roleName')} LIKE {ours}))\n"
            "    OR (eventsource = 'kms.amazonaws.com' AND "
            + _any(
                "eventname",
                [
                    "CreateGrant",
                    "DeleteAlias",
                    "DisableKey",
                    "DisableKeyRotation",
                    "PutKeyPolicy",
                    "RevokeGrant",
                    "ScheduleKeyDeletion",
                    "UpdateAlias",
                ],
            )
            + ")\n"
            "    OR (eventsource = 's3.amazonaws.com' AND eventcategory = 'Management' AND "
            f"{_said('bucketName')} LIKE {ours})\n"
            "    OR " + _any("eventname", ["DeleteModelPackageGroupPolicy", "PutModelPackageGroupPolicy"]) + "\n"
            "    OR eventsource = 'cloudtrail.amazonaws.com')",
        ),
        Question(
            "who passed a role",
            "Who handed a role of the estate to a service, by calls that name one: PassRole itself leaves no record",
            [f"{role} AS role", "eventsource"],
            f"{role} LIKE {estate} AND eventname NOT LIKE 'AssumeRole%'",
        ),
        Question(
            "who signed in",
            "Who signed in to the console, with a second factor or without, and who took a role of the estate",
            [
                "json_extract_scalar(additionaleventdata, '$.MFAUsed') AS second_factor",
                f"{_said('roleArn')} AS role",
            ],
            f"(eventname = 'ConsoleLogin'\n    OR (eventname LIKE 'AssumeRole%' AND {_said('roleArn')} LIKE {estate}))",
        ),
    ]


def ask(
    part: Part,
    store: Bucket,
    accounts: Sequence[str],
    days: int,
    key: Output[str] | None,
    logs: Bucket | None,
    *,
    protect: bool,
) -> None:
    """A workgroup, the table over the trail, and the saved questions, as children of ``part``.

    ``store`` holds the trail of these ``accounts`` for this many ``days``; ``logs`` takes who read the answers. Whoever
    asks cannot choose another place for the answer, or have it unencrypted.
    """
    names = part.names
    answers = bucket(
        part,
        ANSWERS,
        key=key,
        expire_days={"": ANSWERS_DAYS},
        force_destroy=not protect,
        protect=protect,
        logs=logs,
    )
    group = athena.Workgroup(
        part.named("questions"),
        name=names.physical("workgroup", "audit"),
        description=f"Questions to the audit trail of {names.estate}",
        force_destroy=True,
        configuration={
            "enforce_workgroup_configuration": True,
            "publish_cloudwatch_metrics_enabled": True,
            "bytes_scanned_cutoff_per_query": BYTES_A_QUESTION,
            "result_configuration": {
                "output_location": f"s3://{names.physical('bucket', ANSWERS)}/",
                "expected_bucket_owner": names.home,
                "encryption_configuration": {"encryption_option": "SSE_S3"}
                if key is None
                else {"encryption_option": "SSE_KMS", "kms_key_arn": key},
            },
        },
        tags=names.tags,
        opts=part.child(depends_on=[answers.policy]),
    )
    database = glue.CatalogDatabase(
        part.named("questions"),
        name=names.physical("catalog-database", "audit"),
        description=f"The audit trail of {names.estate} as a table",
        tags=names.tags,
        opts=part.child(),
    )
    _table(part, database, store, accounts, days)
    for question in questions(names):
        athena.NamedQuery(
            part.named(question.title.replace(" ", "-")),
            name=question.title,
            description=question.sentence,
            database=database.name,
            workgroup=group.name,
            query=question.query,
            opts=part.child(),
        )


def _table(
    part: Part, database: glue.CatalogDatabase, store: Bucket, accounts: Sequence[str], days: int
) -> glue.CatalogTable:
    root = Output.concat(store.uri, "/AWSLogs/")
    return glue.CatalogTable(
        part.named("questions"),
        name=TABLE,
        database_name=database.name,
        description="One row for each event that CloudTrail recorded",
        table_type="EXTERNAL_TABLE",
        parameters={
            "EXTERNAL": "TRUE",
            "classification": "cloudtrail",
            "projection.enabled": "true",
            "projection.account.type": "enum",
            "projection.account.values": ",".join(accounts),
            "projection.region.type": "enum",
            "projection.region.values": ",".join(KNOWN_REGIONS),
            "projection.day.type": "date",
            "projection.day.format": "yyyy/MM/dd",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "projection.day.range": f"NOW-{days}DAYS,NOW",
            "storage.location.template": Output.concat(root, "${account}/CloudTrail/${region}/${day}"),
        },
        partition_keys=[{"name": name, "type": "string"} for name in ("account", "region", "day")],
        storage_descriptor={
            "location": root,
            "input_format": "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
            "output_format": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "ser_de_info": {"serialization_library": "org.apache.hive.hcatalog.data.JsonSerDe"},
            "columns": [{"name": name, "type": kind} for name, kind in COLUMNS.items()],
        },
        opts=part.child(),
    )


_ISSUER = "struct<type:string,principalid:string,arn:string,accountid:string,username:string>"
_SESSION = f"struct<attributes:struct<mfaauthenticated:string,creationdate:string>,sessionissuer:{_ISSUER}>"

COLUMNS: Mapping[str, str] = {
    "eventversion": "string",
    "useridentity": "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,"
    f"accesskeyid:string,username:string,sessioncontext:{_SESSION}>",
    "eventtime": "string",
    "eventsource": "string",
    "eventname": "string",
    "awsregion": "string",
    "sourceipaddress": "string",
    "useragent": "string",
    "errorcode": "string",
    "errormessage": "string",
    "requestparameters": "string",
    "responseelements": "string",
    "additionaleventdata": "string",
    "requestid": "string",
    "eventid": "string",
    "readonly": "string",
    "resources": "array<struct<arn:string,accountid:string,type:string>>",
    "eventtype": "string",
    "eventcategory": "string",
    "recipientaccountid": "string",
    "sharedeventid": "string",
    "vpcendpointid": "string",
}
"""What a record holds, by the types that Athena reads it as (Athena user guide, "Query AWS CloudTrail logs"). Requests
and answers differ with every call: they stay text, which the questions take apart."""
