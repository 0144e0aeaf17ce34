"""What several roles of an environment may, said once: statements by what is done, for people and machines alike."""

from collections.abc import Sequence

from mlestate.aws.ceilings import APPROVED_BY, REMOVED, passed
from mlestate.aws.keys import directly, grants, uses
from mlestate.aws.neighbours import reports, runs
from mlestate.aws.policies import Statement, allow
from mlestate.aws.reach import Reach
from mlestate.aws.registry import PULL
from mlestate.names import Names

__all__ = [
    "READ",
    "WRITE",
    "by_version",
    "catalogue",
    "disks",
    "folder",
    "follow_releases",
    "machine",
    "network",
    "own_key",
    "pass_on",
    "pull",
    "read",
    "read_data_keys",
    "read_registry",
    "read_reports",
    "read_runs",
    "see",
    "see_executions",
    "signal_key",
    "tell",
    "tell_people",
    "track",
    "unstamped",
]

READ = ("s3:GetObject", "s3:GetObjectVersion")
WRITE = ("s3:AbortMultipartUpload", "s3:PutObject")

LOOK_AT_NETWORKS = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)

DELIVER_LOGS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""What a state machine needs to write its log; none of these has a resource type (Step Functions developer guide,
"Logging in CloudWatch Logs")."""

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

TRACE = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")


def machine(reach: Reach) -> list[Statement]:
    """What every state machine does besides its duty: it writes its log and its trace."""
    return [
        allow("WriteItsLog", DELIVER_LOGS, "*"),
        allow("WriteItsTrace", TRACE, "*"),
        *directly(reach.encryption, reach.here, "Machines", "LogsOfMachines"),
    ]


def tell_people(reach: Reach, *services: str) -> list[Statement]:
    """Puts messages into the topics, under the key of signals, which is then used through other ``services`` too."""
    return [
        allow("TellPeople", "sns:Publish", reach.own("sns", "")),
        *signal_key(reach, "sns", *services),
    ]


def read_data_keys(reach: Reach) -> list[Statement]:
    """Files by S3; records of an online store by SageMaker, which asks for the caller's right to decrypt (SageMaker
    developer guide, "Accessing data in your online store")."""
    keys = [(reach.here, "data"), (reach.here, "features")]
    return uses("ReadData", reach.encryption, keys, ["kms:Decrypt"], ["s3", "sagemaker"])


def signal_key(reach: Reach, *services: str) -> list[Statement]:
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return uses("UseTheKeyOfSignals", reach.encryption, [(reach.here, "logs")], actions, services)


def see_executions(reach: Reach) -> list[Statement]:
    """The key of what executions did and of the ledger that they keep, for those who may ask (Step Functions developer
    guide, "Required permissions for API callers"; DynamoDB developer guide, "Authorizing use of your KMS key")."""
    services = ["dynamodb", "states"]
    return uses("ReadExecutions", reach.encryption, [(reach.here, "logs")], ["kms:Decrypt"], services)


def read_registry(reach: Reach) -> list[Statement]:
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


def see(reach: Reach) -> list[Statement]:
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


def follow_releases(reach: Reach) -> list[Statement]:
    """Reads what a release has come to: the ledger, who agreed, what it was told, and the version in the registry."""
    signed = reach.table("approvals")
    return [
        allow(
            "ReadTheLedger",
            ["dynamodb:GetItem", "dynamodb:Query"],
            [reach.table("releases"), signed, by_version(reach)],
        ),
        allow("ReadSettingsOfReleases", "ssm:GetParameter", reach.parameters("*")),
        allow("ReadVersions", ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"], reach.versions),
        *see_executions(reach),
    ]


def unstamped(reach: Reach, but: Sequence[str] = ()) -> dict[str, str]:
    """What a request to the registry leaves alone, as a `Null` condition: every stamp that says who approved a version
    and where it has been, ``but`` some."""
    stamps = [APPROVED_BY, REMOVED, *(passed(each) for each in reach.environments)]
    return {key: "true" for key in stamps if key not in but}


def by_version(reach: Reach) -> str:
    """The index by which the approvals of one version are found."""
    return f"{reach.table('approvals')}/index/by-version"


def read_reports(reach: Reach) -> list[Statement]:
    """Reads what a version was judged by, wherever it was trained."""
    everywhere = list(reach.environments.values())
    return [
        allow("ReadReports", "s3:GetObject", [reports(each) for each in everywhere]),
        *uses("DecryptReports", reach.encryption, [(each, "models") for each in everywhere], ["kms:Decrypt"], ["s3"]),
    ]


def read_runs(reach: Reach, environments: Sequence[Names], model: str = "*") -> list[Statement]:
    """Fetches what runs wrote in some environments, in whichever account."""
    keys = [(each, "models") for each in environments]
    return [
        allow("FetchRuns", "s3:GetObject", [runs(each, model) for each in environments]),
        *(uses("DecryptRuns", reach.encryption, keys, ["kms:Decrypt"], ["s3"]) if keys else []),
    ]


def track(reach: Reach) -> list[Statement]:
    """Records runs on the MLflow of this environment, whose apps have made-up ids. A run's files are not sent through
    it: MLflow's client writes them to the store by itself (MLflow, "Artifact stores")."""
    return [
        allow(
            "RecordRuns",
            [
                *(
                    f"sagemaker-mlflow:{verb}"
                    for verb in ("Create*", "Finalize*", "Get*", "List*", "Log*", "Search*", "Set*", "Update*")
                ),
            ],
            reach.machines("mlflow-tracking-server"),
        ),
        allow("RecordRunsOfApps", "sagemaker:CallMlflowAppApi", reach.here.arn("sagemaker", "mlflow-app/*")),
    ]


def pull(reach: Reach, name: str) -> list[Statement]:
    """Pulls one model's images from the hub."""
    repository = reach.hub.arn("ecr", f"repository/{reach.hub.physical('image-repository', name)}")
    return [
        allow("PullItsImage", PULL, repository),
        # ECR's token is for a whole registry: the action has no resource type to narrow it by.
        allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
    ]


def catalogue(reach: Reach) -> list[str]:
    """Tables of this environment's database; each is reached through the database and the catalogue it stands in."""
    database = reach.here.physical("catalog-database", "curated")
    return [reach.here.arn("glue", each) for each in ("catalog", f"database/{database}", f"table/{database}/*")]


def pass_on(reach: Reach, sid: str, roles: str, service: str) -> Statement:
    return allow(
        sid,
        "iam:PassRole",
        reach.role(roles),
        {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}},
    )


def read(reach: Reach, role: str) -> list[Statement]:
    sid = role.title()
    return [
        allow(f"Read{sid}", READ, reach.folder(role)),
        allow(f"List{sid}", ["s3:GetBucketLocation", "s3:ListBucket"], reach.stores(role)),
    ]


def folder(reach: Reach, role: str, prefix: str, write: bool = True) -> list[Statement]:
    """One folder of a bucket: its objects, and no list beyond it."""
    sid = role.title()
    return [
        allow(f"Use{sid}", [*READ, *(WRITE if write else ())], reach.folder(role, prefix)),
        allow(f"List{sid}", "s3:ListBucket", reach.stores(role), {"StringLike": {"s3:prefix": f"{prefix}*"}}),
        allow(f"Find{sid}", "s3:GetBucketLocation", reach.stores(role)),
    ]


def own_key(reach: Reach) -> list[Statement]:
    return uses(
        "UseTheKeyOfModels",
        reach.encryption,
        [(reach.here, "models")],
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ["s3"],
    )


def disks(reach: Reach) -> list[Statement]:
    """The keys of disks are lent to SageMaker by whoever starts what has the disk."""
    return [
        *uses(
            "LookAtTheKeyOfDisks",
            reach.encryption,
            [(reach.here, "models")],
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            ["ec2", "sagemaker"],
        ),
        *grants("LendTheKeyOfDisks", reach.encryption, [(reach.here, "models")]),
    ]


def tell(reach: Reach, *kinds: str, metrics: Sequence[str] = ()) -> list[Statement]:
    """Logs of SageMaker's things, and metrics, which have no resource type: their namespace narrows them.

    ``kinds`` are what follows `/aws/sagemaker/` in the name of a log group: `TrainingJobs`.
    """
    spaces = [f"/aws/sagemaker/{kind.partition('/')[0]}" for kind in kinds]
    groups = [f"log-group:/aws/sagemaker/{kind}" for kind in kinds]
    return [
        allow(
            "WriteLogs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [reach.here.arn("logs", f"{group}{end}") for group in groups for end in ("", ":*")],
        ),
        allow(
            "WriteMetrics",
            "cloudwatch:PutMetricData",
            "*",
            {"StringLike": {"cloudwatch:namespace": [*spaces, *metrics]}},
        ),
    ]


def network(reach: Reach) -> list[Statement]:
    """The network interfaces of a job or an endpoint in a network, in that network's subnets alone."""
    if not reach.limits.private:
        return []
    interfaces = reach.here.arn("ec2", "network-interface/*")
    return [
        allow("LookAtNetworks", LOOK_AT_NETWORKS, "*"),
        allow("JoinTheNetwork", "ec2:CreateNetworkInterface", reach.subnets, reach.in_the_network),
        # SageMaker documents these without a condition. It attaches an interface in an account of its own, to which
        # it is lent: that it also says so as `ec2:AuthorizedService`, AWS documents of CodeBuild alone.
        allow(
            "HaveAnAddress",
            [
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            interfaces,
        ),
    ]
