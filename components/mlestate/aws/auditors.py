"""What those who audit an estate on AWS may do: read what was done and who may do what, and nothing of the data."""

from mlestate.aws.keys import uses
from mlestate.aws.policies import Statement, allow, deny
from mlestate.aws.reach import Reach
from mlestate.aws.rights import READ, follow_releases, read_registry, see
from mlestate.aws.trail_log import log_group

__all__ = ["auditor", "auditor_of_environment"]

LIST_OBJECTS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions")


def auditor(reach: Reach) -> list[Statement]:
    """Reads the trail, the registry and who may do what; never the data, never an answer, never a write."""
    return [
        *read_registry(reach),
        allow("ReadTheTrail", [*READ, "s3:GetObjectRetention"], f"{reach.audit_store}/*"),
        allow(
            "ReadItsStore",
            [
                *LIST_OBJECTS,
                "s3:GetBucketObjectLockConfiguration",
                "s3:GetBucketPolicy",
                "s3:GetBucketVersioning",
                "s3:GetLifecycleConfiguration",
            ],
            reach.audit_store,
        ),
        *uses(
            "DecryptTheTrail", reach.encryption, [(reach.here, "audit")], ["kms:Decrypt", "kms:GenerateDataKey"], ["s3"]
        ),
        *_ask_the_trail(reach),
        allow(
            "ReadItsSettings",
            ["cloudtrail:GetEventSelectors", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"],
            reach.trail,
        ),
        allow("LookUpEvents", ["cloudtrail:DescribeTrails", "cloudtrail:ListTrails", "cloudtrail:LookupEvents"], "*"),
        allow(
            "ReadFindings",
            ["access-analyzer:GetAnalyzer", "access-analyzer:GetFinding", "access-analyzer:ListFindings"],
            reach.own("access-analyzer", "analyzer/"),
        ),
        allow(
            "ReadItsLog",
            ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetQueryResults", "logs:StartQuery"],
            [reach.here.arn("logs", f"log-group:{log_group(reach.here)}{end}") for end in ("", ":*")],
        ),
        *_read_access(reach),
        *_see_no_data(reach),
    ]


def _ask_the_trail(reach: Reach) -> list[Statement]:
    """Runs questions where nobody chooses the place of the answer, which are the one thing that an auditor writes."""
    here, answers = reach.here, reach.answers
    database, group = here.physical("catalog-database", "audit"), here.physical("workgroup", "audit")
    return [
        allow(
            "AskTheTrail",
            [
                "athena:BatchGetNamedQuery",
                "athena:GetNamedQuery",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetWorkGroup",
                "athena:ListNamedQueries",
                "athena:ListQueryExecutions",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            here.arn("athena", f"workgroup/{group}"),
        ),
        allow(
            "ReadItsTable",
            ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
            [here.arn("glue", each) for each in ("catalog", f"database/{database}", f"table/{database}/*")],
        ),
        allow("KeepTheAnswers", [*READ, "s3:AbortMultipartUpload", "s3:PutObject"], f"{answers}/*"),
        allow("FindTheAnswers", ["s3:GetBucketLocation", "s3:ListBucket"], answers),
    ]


def _read_access(reach: Reach) -> list[Statement]:
    return [
        allow(
            "ReadRoles",
            [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
            ],
            reach.roles,
        ),
        allow("ReadPolicies", ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"], reach.policies),
    ]


def _see_no_data(reach: Reach) -> list[Statement]:
    answers = f"{reach.answers}/*"
    return [
        {
            "Sid": "NeverReadData",
            "Effect": "Deny",
            "Action": "s3:GetObject*",
            "NotResource": [f"{reach.audit_store}/*", answers],
        },
        deny("NeverAskAModel", ["sagemaker:InvokeEndpoint*", "sagemaker:GetRecord", "sagemaker:BatchGetRecord"], "*"),
        {"Sid": "NeverWrite", "Effect": "Deny", "Action": ["s3:Delete*", "s3:Put*"], "NotResource": [answers]},
        deny("NeverDelete", "s3:Delete*", answers),
    ]


def auditor_of_environment(reach: Reach) -> list[Statement]:
    """Reads how an environment is set up and what it did; never the data, never an answer, never a write."""
    here = reach.here
    return [
        *see(reach),
        *_read_access(reach),
        allow(
            "ReadBuckets",
            ["s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration"],
            reach.stores(),
        ),
        allow(
            "ReadReleases",
            ["states:DescribeExecution", "states:GetExecutionHistory"],
            reach.own("states", "execution:"),
        ),
        *follow_releases(reach),
        allow("LookUpEvents", "cloudtrail:LookupEvents", "*"),
        allow(
            "ReadKeys",
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"],
            here.arn("kms", "key/*"),
            {"StringEquals": {"aws:ResourceTag/estate": here.estate}},
        ),
        *_see_no_data(reach),
    ]
