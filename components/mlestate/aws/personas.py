"""What each persona of an estate may do on AWS, in its hub and in each environment: pure functions of addresses.

Approval is governed by the condition key `sagemaker:ModelApprovalStatus` (Service Authorization Reference, "Amazon
SageMaker AI"): whoever registers a version cannot approve it, and whoever approves can do nothing else to it. Actions
on ``*`` are those without a resource type (sign-in tokens, lists, look-ups).
"""

from collections.abc import Callable, Mapping

from mlestate.aws.ceilings import LIFE_CYCLE, STATUS
from mlestate.aws.keys import uses
from mlestate.aws.policies import Statement, allow, deny
from mlestate.aws.reach import Reach
from mlestate.aws.registry import PULL
from mlestate.aws.rights import (
    READ,
    WRITE,
    catalogue,
    disks,
    follow_releases,
    own_key,
    pass_on,
    read,
    read_data_keys,
    read_reports,
    track,
    unstamped,
)
from mlestate.aws.sagemaker_duties import register
from mlestate.aws.trail_log import log_group

__all__ = ["IN_ENVIRONMENTS", "IN_THE_HUB"]

Permissions = Callable[[Reach], list[Statement]]

LIST_OBJECTS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions")


def _read_registry(reach: Reach) -> list[Statement]:
    return [
        allow("ReadGroups", "sagemaker:DescribeModelPackageGroup", reach.groups),
        allow(
            "ReadVersions",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            reach.versions,
        ),
        allow("ReadCards", "sagemaker:DescribeModelCard", reach.cards),
        allow("ListTheRegistry", ["sagemaker:ListModelCards", "sagemaker:ListModelPackageGroups"], "*"),
    ]


def _registering_scientist(reach: Reach) -> list[Statement]:
    """Registers versions and brings their images."""
    return [
        *register(reach),
        allow("ListTheRegistry", "sagemaker:ListModelPackageGroups", "*"),
        allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
        allow(
            "BringImages",
            [
                *PULL,
                "ecr:CompleteLayerUpload",
                "ecr:DescribeImages",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            reach.repositories,
        ),
    ]


def _reading_engineer(reach: Reach) -> list[Statement]:
    """Reads what is served; approves and deletes nothing."""
    return [
        *_read_registry(reach),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
        deny("NeverDelete", ["sagemaker:DeleteModelPackage", "sagemaker:DeleteModelPackageGroup"], "*"),
        allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
        allow("ReadImages", [*PULL, "ecr:DescribeImageScanFindings", "ecr:DescribeImages"], reach.repositories),
    ]


def _approver(reach: Reach) -> list[Statement]:
    """Approves or rejects, by what the version was judged by; who approved and where it has been is not theirs to
    write."""
    verdict = {STATUS: ["Approved", "Rejected"]}
    return [
        *_read_registry(reach),
        *read_reports(reach),
        allow(
            "ApproveOrReject",
            "sagemaker:UpdateModelPackage",
            reach.versions,
            {"StringEquals": verdict, "Null": unstamped(reach)},
        ),
        # A verdict moves no version to another stage in the same request.
        deny("LeaveTheStage", "sagemaker:UpdateModelPackage", "*", {"Null": {LIFE_CYCLE[0]: "false"}}),
        deny("NeverRegister", "sagemaker:CreateModelPackage", "*"),
    ]


def _auditor(reach: Reach) -> list[Statement]:
    """Reads the trail, the registry and who may do what; never the data, never an answer, never a write."""
    return [
        *_read_registry(reach),
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


def _data_scientist(reach: Reach) -> list[Statement]:
    """Explores data and tries models where people work, on jobs that carry the estate's tag; registers in the hub."""
    kinds = ("Processing", "Training", "Transform")
    jobs = [*reach.machines("processing-job", "training-job", "transform-job", "hyper-parameter-tuning-job")]
    create = [f"sagemaker:Create{kind}Job" for kind in (*kinds, "HyperParameterTuning")]
    return [
        *read(reach, "raw"),
        *read(reach, "curated"),
        *read(reach, "artifacts"),
        allow("WriteArtifacts", WRITE, reach.folder("artifacts")),
        *read_data_keys(reach),
        *own_key(reach),
        allow("TryThings", [*create, "sagemaker:AddTags"], jobs),
        allow("TryAModel", "sagemaker:CreateTransformJob", reach.machines("model")),
        deny("SayWhoseTheyAre", create, "*", {"Null": {"aws:RequestTag/estate": "true"}}),
        allow(
            "FollowThem",
            [
                f"sagemaker:{verb}{kind}Job"
                for verb in ("Describe", "Stop")
                for kind in (*kinds, "HyperParameterTuning")
            ],
            jobs,
        ),
        pass_on(reach, "RunThemAsTheModels", "*-training", "sagemaker"),
        *_run_pipelines(reach),
        *_see(reach),
        allow("ReadFeatures", ["sagemaker:BatchGetRecord", "sagemaker:GetRecord"], reach.machines("feature-group")),
        allow("ReadTables", ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], catalogue(reach)),
        *track(reach),
        *disks(reach),
        deny(
            "NeverServe", ["sagemaker:CreateEndpoint*", "sagemaker:DeleteEndpoint*", "sagemaker:UpdateEndpoint*"], "*"
        ),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
    ]


def _run_pipelines(reach: Reach) -> list[Statement]:
    executions = reach.here.arn("sagemaker", f"pipeline/{reach.here.slice}-*/execution/*")
    return [
        allow("RunPipelines", "sagemaker:StartPipelineExecution", reach.machines("pipeline")),
        allow("StopThem", "sagemaker:StopPipelineExecution", executions),
    ]


def _see(reach: Reach) -> list[Statement]:
    """Looks at what runs: settings, metrics and logs, no data."""
    here = reach.here
    kinds = ("Endpoints", "ProcessingJobs", "TrainingJobs", "TransformJobs")
    return [
        allow(
            "ReadSettings",
            ["sagemaker:Describe*", "sagemaker:ListPipelineExecution*", "sagemaker:ListTags"],
            [here.arn("sagemaker", f"{kind}/{here.slice}-*") for kind in MADE],
        ),
        allow(
            "ReadRuns",
            ["sagemaker:Describe*"],
            [
                here.arn("sagemaker", f"{kind}/pipelines-*")
                for kind in ("processing-job", "training-job", "transform-job")
            ],
        ),
        allow("List", LISTS, "*"),
        allow(
            "ReadMetrics", ["cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics"], "*"
        ),
        allow(
            "ReadAlarms",
            ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"],
            here.arn("cloudwatch", "alarm:*"),
        ),
        allow(
            "ReadDashboards",
            "cloudwatch:GetDashboard",
            here.arn("cloudwatch", f"dashboard/{here.slice}-*", regional=False),
        ),
        allow(
            "ReadLogs",
            [
                "logs:DescribeLogStreams",
                "logs:FilterLogEvents",
                "logs:GetLogEvents",
                "logs:GetQueryResults",
                "logs:StartQuery",
            ],
            [here.arn("logs", f"log-group:/aws/sagemaker/{kind}*") for kind in kinds],
        ),
        allow("FindLogs", "logs:DescribeLogGroups", "*"),
    ]


def _ml_engineer(reach: Reach) -> list[Statement]:
    """Runs pipelines and releases where people work and reads everywhere; approves and deletes nothing."""
    here = reach.here
    statements = [
        *read(reach, "curated"),
        *read(reach, "artifacts"),
        allow("ReadTables", ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], catalogue(reach)),
        *uses(
            "ReadKeys",
            reach.encryption,
            [(here, "data"), (here, "features"), (here, "models")],
            ["kms:Decrypt"],
            ["s3"],
        ),
        *_see(reach),
        allow("ReadScaling", SCALING, "*"),
        allow(
            "FollowMachines",
            ["states:DescribeExecution", "states:GetExecutionHistory"],
            reach.own("states", "execution:"),
        ),
        allow(
            "SeeMachines",
            ["states:DescribeStateMachine", "states:ListExecutions"],
            reach.own("states", "stateMachine:"),
        ),
        *follow_releases(reach),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
        deny(
            "NeverDelete",
            ["sagemaker:DeleteFeatureGroup", "sagemaker:DeleteModelPackage", "sagemaker:DeleteModelPackageGroup"],
            "*",
        ),
    ]
    if not reach.open:
        return statements
    return [
        *statements,
        allow("WriteArtifacts", WRITE, reach.folder("artifacts")),
        *uses("WriteKeys", reach.encryption, [(here, "models")], ["kms:GenerateDataKey"], ["s3"]),
        allow("CallEndpoints", "sagemaker:InvokeEndpoint", reach.machines("endpoint")),
        *_run_pipelines(reach),
        allow(
            "StartMachines",
            "states:StartExecution",
            reach.state_machines("batch", "release", "retraining", "rollback"),
        ),
        allow("StopMachines", "states:StopExecution", reach.own("states", "execution:")),
        allow(
            "RunMonitors",
            ["sagemaker:StartMonitoringSchedule"],
            reach.machines("monitoring-schedule"),
        ),
        *track(reach),
    ]


def _judge(reach: Reach) -> list[Statement]:
    """Reads what a verdict stands on, signs a version for this environment, and lets its release look at it again.

    IAM does not see what an execution is given, so an approver may start the release of any version: it is the release
    that counts who signed. Nobody signs for another: the table's key is who signs, and `aws:userid` ends in the name of
    the session, which is the person's own by the trust policy of the role (DynamoDB developer guide, "Using IAM policy
    conditions for fine-grained access control").
    """
    release = reach.state_machines("release")
    return [
        *follow_releases(reach),
        *read_reports(reach),
        allow("ReadEvaluations", "s3:GetObject", reach.folder("artifacts", "*/versions/*/evaluation/")),
        allow("SeeEndpoints", "sagemaker:DescribeEndpoint", reach.machines("endpoint")),
        allow("SeeReleases", "states:DescribeExecution", reach.executions("release", "retraining", "rollback")),
        # `ForAllValues` holds of a request without any key too, and `Null` refuses that one.
        allow(
            "SignAsOneself",
            "dynamodb:PutItem",
            reach.table("approvals"),
            {
                "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:userid}"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        ),
        allow("LetTheReleaseLook", ["states:DescribeStateMachine", "states:StartExecution"], release),
        deny("StartNothing", ["sagemaker:Create*", "sagemaker:StartPipelineExecution"], "*"),
        {"Sid": "StartTheReleaseAlone", "Effect": "Deny", "Action": "states:StartExecution", "NotResource": release},
    ]


def _operator(reach: Reach) -> list[Statement]:
    """Rolls a release back, and nothing else. The machine that does it is one of its own, because IAM does not see what
    an execution is given: whoever may start the release may release."""
    return [
        allow("RollBack", ["states:DescribeStateMachine", "states:StartExecution"], reach.state_machines("rollback")),
        allow("SeeReleases", "states:DescribeExecution", reach.executions("release", "retraining", "rollback")),
        *follow_releases(reach),
        *_see(reach),
    ]


def _settings_auditor(reach: Reach) -> list[Statement]:
    """Reads how an environment is set up and what it did; never the data, never an answer, never a write."""
    here = reach.here
    return [
        *_see(reach),
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


MADE = (
    "data-quality-job-definition",
    "endpoint",
    "endpoint-config",
    "feature-group",
    "mlflow-tracking-server",
    "model",
    "monitoring-schedule",
    "pipeline",
    "processing-job",
    "training-job",
    "transform-job",
)
"""The kinds of SageMaker's things whose settings people of an environment look at."""

LISTS = [
    f"sagemaker:List{each}"
    for each in (
        "Endpoints",
        "EndpointConfigs",
        "FeatureGroups",
        "Models",
        "MonitoringExecutions",
        "MonitoringSchedules",
        "Pipelines",
        "ProcessingJobs",
        "TrainingJobs",
        "TransformJobs",
    )
]

SCALING = [
    f"application-autoscaling:Describe{each}" for each in ("ScalableTargets", "ScalingActivities", "ScalingPolicies")
]

IN_THE_HUB: Mapping[str, Permissions] = {
    "data-scientist": _registering_scientist,
    "ml-engineer": _reading_engineer,
    "approver": _approver,
    "auditor": _auditor,
}
"""By persona: what the role of that name in the hub may do."""

IN_ENVIRONMENTS: Mapping[str, Permissions] = {
    "data-scientist": _data_scientist,
    "ml-engineer": _ml_engineer,
    "approver": _judge,
    "operator": _operator,
    "auditor": _settings_auditor,
}
"""The same in an environment; a protected one has no data scientists, because its data are closed to exploration."""
