"""The ceilings over the roles of an estate on AWS (permissions boundaries): what none of them may ever do.

A ceiling grants nothing. It names the services that an estate is made of and forbids, over whatever a policy comes to
say, what would undo the estate's own rules: so the rules hold for roles that the CI makes later too. What jobs and
endpoints must be (in the network, encrypted, no larger than asked for) stands here for that reason, each demand in a
statement of its own: keys that one `Null` block names are all missing or the block does not apply (IAM user guide,
"Conditions with multiple context keys or values").
"""

from mlestate.aws.keys import CRIPPLE, alias
from mlestate.aws.neighbours import artifacts, runs
from mlestate.aws.policies import Statement, allow, deny, path
from mlestate.aws.reach import Reach
from mlestate.aws.settings import takes_volume_key
from mlestate.aws.trust import PEOPLE

__all__ = [
    "APPROVED_BY",
    "LIFE_CYCLE",
    "PASSED_TO",
    "REMOVED",
    "STATUS",
    "environment",
    "freeze",
    "hub",
    "passed",
]

STATUS = "sagemaker:ModelApprovalStatus"
LIFE_CYCLE = ("sagemaker:ModelLifeCycle:Stage", "sagemaker:ModelLifeCycle:StageStatus")
REMOVED = "sagemaker:CustomerMetadataPropertiesToRemove"
APPROVED_BY = "sagemaker:CustomerMetadataProperties/approved-by"
"""Condition keys of SageMaker's registry (Service Authorization Reference, "Amazon SageMaker AI")."""


def passed(environment: str) -> str:
    """The condition key of the stamp that a version passed an environment."""
    return f"sagemaker:CustomerMetadataProperties/passed-{environment}"


PASSED_TO = (
    "budgets.amazonaws.com",
    "events.amazonaws.com",
    "sagemaker.amazonaws.com",
    "scheduler.amazonaws.com",
    "states.amazonaws.com",
)
"""Who may be handed a role: the services whose duties have one."""

HUB = (
    "access-analyzer",
    "application-autoscaling",
    "athena",
    "budgets",
    "ce",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "events",
    "glue",
    "iam",
    "kms",
    "lakeformation",
    "logs",
    "s3",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
)
"""What an estate is made of: nothing beyond it is within anyone's reach."""

ENVIRONMENT = (
    "application-autoscaling:*",
    "athena:*",
    "budgets:ViewBudget",
    "cloudformation:*Resource*",
    "cloudtrail:LookupEvents",
    "cloudwatch:*",
    "dynamodb:*",
    "ec2:*NetworkInterface*",
    "ec2:Describe*",
    "ecr:*",
    "events:*",
    "glue:*",
    "iam:AttachRolePolicy",
    "iam:CreateServiceLinkedRole",
    "iam:DetachRolePolicy",
    "iam:Get*",
    "iam:List*",
    "iam:PassRole",
    "kms:*",
    "lakeformation:GetDataAccess",
    "logs:*",
    "s3:*",
    "sagemaker-mlflow:*",
    "sagemaker:*",
    "sns:*",
    "sqs:*",
    "ssm:*Parameter*",
    "states:*",
    "xray:Put*",
)
"""What people and machines of an environment do their work with."""

GLOBAL = ("budgets:*", "ce:*", "cloudtrail:LookupEvents", "iam:*", "sts:*")
"""Answered from a region of their own, whichever the estate's is; what IAM did is looked up where it answers."""

JOBS = ("sagemaker:CreateHyperParameterTuningJob", "sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob")
HOSTED = ("sagemaker:CreateEndpointConfig", "sagemaker:CreateTransformJob")
"""What SageMaker runs (Service Authorization Reference: the condition keys that each of them has)."""


OUTPUT_KEY = "sagemaker:OutputKmsKey"


def hub(reach: Reach) -> list[Statement]:
    """Over people and CI: the audit trail, and who may do what, are an administrator's of the account to change."""
    here = reach.here
    bucket, key, name = reach.audit_store, here.arn("kms", "key/*"), alias(here, "audit")
    return [
        allow("Ceiling", [f"{service}:*" for service in HUB], "*"),
        deny(
            "KeepUsersOut",
            ["iam:*AccessKey*", "iam:*Group*", "iam:*LoginProfile*", "iam:*MFADevice*", "iam:*User*"],
            "*",
        ),
        *_everywhere(reach),
        {
            "Sid": "KeepTheAccess",
            "Effect": "Deny",
            "NotAction": ["iam:Get*", "iam:List*"],
            "Resource": [
                reach.role("*"),
                *(here.arn("iam", f"role{path(here)}{here.estate}-*-{each}", regional=False) for each in PEOPLE),
                reach.policies,
                here.arn("iam", "oidc-provider/*", regional=False),
            ],
        },
        deny(
            "KeepTheTrail",
            [
                "cloudtrail:DeleteTrail",
                "cloudtrail:PutEventSelectors",
                "cloudtrail:PutInsightSelectors",
                "cloudtrail:StopLogging",
                "cloudtrail:UpdateTrail",
            ],
            reach.trail,
        ),
        deny("KeepItsStore", ["s3:BypassGovernanceRetention", "s3:Delete*", "s3:Put*"], [bucket, f"{bucket}/*"]),
        deny("KeepItsKey", CRIPPLE, key, {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}}),
        deny("KeepItsAlias", ["kms:DeleteAlias", "kms:UpdateAlias"], here.arn("kms", name)),
    ]


def environment(reach: Reach) -> list[Statement]:
    """Over people and machines of an environment: no verdict, no bucket or role but its own but to fetch what
    another trained, no job but as asked."""
    here = reach.here
    lent = [lent for each in reach.others for lent in (artifacts(each), runs(each))]
    return [
        allow("Ceiling", ENVIRONMENT, "*"),
        *_everywhere(reach),
        deny("LeaveTheVerdictToTheHub", "sagemaker:UpdateModelPackage", "*", {"Null": {STATUS: "false"}}),
        {
            "Sid": "StayInItsBuckets",
            "Effect": "Deny",
            "Action": "s3:*",
            "NotResource": [here.arn("s3", f"{here.slice}-*", regional=False), *lent],
        },
        # A version is fetched from where it was trained, and nothing there is changed.
        {
            "Sid": "FetchRunsAlone",
            "Effect": "Deny",
            "NotAction": ["s3:GetObject", "s3:ListBucket"],
            "Resource": lent,
        },
        {
            "Sid": "PassItsOwnRoles",
            "Effect": "Deny",
            "Action": "iam:PassRole",
            "NotResource": reach.role("*"),
        },
        # Whoever could attach any policy could attach one that opens everything.
        deny(
            "AttachTheFreezeAlone",
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            "*",
            {"ArnNotEquals": {"iam:PolicyARN": reach.policy("freeze")}},
        ),
        *_demands(reach),
    ]


def freeze(reach: Reach) -> list[Statement]:
    """What a budget that is spent takes away: whatever would cost more. What runs goes on, and can be stopped."""
    return [
        deny("StartNoJob", JOBS, "*"),
        deny("StartNoPipeline", "sagemaker:StartPipelineExecution", reach.machines("pipeline")),
        deny(
            "HostNothingMore",
            [
                *HOSTED,
                "sagemaker:CreateEndpoint",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            reach.machines("endpoint", "endpoint-config", "transform-job"),
        ),
    ]


def _everywhere(reach: Reach) -> list[Statement]:
    return [
        # A role passed to any other service would act where no boundary of ours is seen.
        deny("PassRolesToFewServices", "iam:PassRole", "*", {"StringNotEquals": {"iam:PassedToService": PASSED_TO}}),
        {
            "Sid": "StayInTheRegion",
            "Effect": "Deny",
            "NotAction": GLOBAL,
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": reach.here.region}},
        },
        deny(
            "KeepTheCeiling",
            ["iam:DeleteRolePermissionsBoundary", "sagemaker:CreatePresignedNotebookInstanceUrl"],
            "*",
        ),
    ]


def _demands(reach: Reach) -> list[Statement]:
    """What a job or an endpoint must be. One that Clarify starts for its own questions says nothing of a key."""
    limits = reach.limits
    statements = [
        deny(
            "UseTheMachinesAskedFor",
            [*JOBS, *HOSTED],
            "*",
            # A request has several types where it has several variants: each of them must be on the list.
            {"ForAnyValue:StringNotLike": {"sagemaker:InstanceTypes": limits.instance_types}},
        ),
        deny("EndInTime", JOBS, "*", {"NumericGreaterThan": {"sagemaker:MaxRuntimeInSeconds": str(limits.seconds)}}),
        deny(
            "EncryptBetweenMachines",
            JOBS,
            "*",
            {"BoolIfExists": {"sagemaker:InterContainerTrafficEncryption": "false"}},
        ),
    ]
    if limits.private:
        statements += [
            deny(f"Name{key}", [*JOBS, "sagemaker:CreateModel"], "*", {"Null": {f"sagemaker:Vpc{key}": "true"}})
            for key in ("Subnets", "SecurityGroupIds")
        ]
    if limits.own_keys:
        keyed = [each for each in limits.instance_types if takes_volume_key(each)]
        statements += [
            deny("EncryptWhatIsWritten", [*JOBS, "sagemaker:CreateTransformJob"], "*", {"Null": {OUTPUT_KEY: "true"}}),
            {
                "Sid": "EncryptDisks",
                "Effect": "Deny",
                "Action": [*JOBS, *HOSTED],
                "NotResource": reach.here.arn("sagemaker", "endpoint-config/sm-clarify-*"),
                "Condition": {
                    "Null": {"sagemaker:VolumeKmsKey": "true"},
                    "ForAnyValue:StringEquals": {"sagemaker:InstanceTypes": keyed},
                },
            },
        ]
    return statements
