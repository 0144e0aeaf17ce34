"""The things that an estate is made of, as the CI sees them: how each kind is addressed, read and changed.

One row a kind: the statement's name, the ARNs of a slice's things, what reads their settings (no data, no secret) and
what changes them. Actions and resource types: Service Authorization Reference. An ARN takes the prefix of a slice, or
that of the whole estate for what only reads: see `Prefix`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mlestate.names import Names

__all__ = ["THINGS", "Prefix", "Things"]


@dataclass(frozen=True)
class Prefix:
    """Whose things are meant: those whose names begin so, in the account and region of ``names``."""

    names: Names
    begin: str
    """`risk-staging-`, or `risk-` for all of an estate."""
    parameters: str
    """`risk/staging/` or `risk/`: parameters are named by folders."""

    def arn(self, service: str, *resources: str, regional: bool = True) -> list[str]:
        """One ARN a resource; ``{}`` in it stands for the prefix."""
        return [self.names.arn(service, each.format(self.begin), regional=regional) for each in resources]


@dataclass(frozen=True)
class Things:
    """One kind of things."""

    sid: str
    where: Callable[[Prefix], list[str]]
    reads: Sequence[str]
    changes: Sequence[str]


def _in(service: str, *resources: str, regional: bool = True) -> Callable[[Prefix], list[str]]:
    return lambda prefix: prefix.arn(service, *resources, regional=regional)


def _tables(prefix: Prefix) -> list[str]:
    """Glue's names have underscores; a table is reached through its database and the catalogue."""
    begin = prefix.begin.replace("-", "_")
    return [prefix.names.arn("glue", each) for each in ("catalog", f"database/{begin}*", f"table/{begin}*/*")]


def _of(service: str, *names: str) -> list[str]:
    return [f"{service}:{each}" for each in names]


# An ARN in a policy has no wildcard for its resource's type (IAM user guide, "Using wildcards in resource ARNs").
MACHINES = ("endpoint", "endpoint-config", "feature-group", "mlflow-tracking-server", "model", "pipeline")
DEFINITIONS = ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")
MONITORS = (
    "data-quality-job-definition",
    "model-bias-job-definition",
    "model-explainability-job-definition",
    "model-quality-job-definition",
    "monitoring-schedule",
)

THINGS: Mapping[str, Sequence[Things]] = {
    "data": (
        Things(
            "Buckets",
            _in("s3", "{}*", regional=False),
            _of(
                "s3",
                "GetAccelerateConfiguration",
                "GetBucket*",
                "GetEncryptionConfiguration",
                "GetLifecycleConfiguration",
                "GetReplicationConfiguration",
                "ListBucket",
            ),
            _of(
                "s3",
                "CreateBucket",
                "DeleteBucket",
                "DeleteBucketPolicy",
                "PutBucketLogging",
                "PutBucketNotification",
                "PutBucketOwnershipControls",
                "PutBucketPolicy",
                "PutBucketPublicAccessBlock",
                "PutBucketTagging",
                "PutBucketVersioning",
                "PutEncryptionConfiguration",
                "PutLifecycleConfiguration",
            ),
        ),
        # Files that are part of the estate and no one's data: what monitors run, what pipelines are told.
        Things(
            "Programs",
            _in(
                "s3",
                "{}*artifacts-*/code/*",
                "{}*artifacts-*/*/champion/*",
                "{}*artifacts-*/*/settings/*",
                regional=False,
            ),
            _of("s3", "GetObject", "GetObjectTagging"),
            _of("s3", "DeleteObject", "PutObject", "PutObjectTagging"),
        ),
        Things(
            "Catalogue",
            _tables,
            _of("glue", "GetDatabase", "GetTable", "GetTableOptimizer", "GetTags"),
            _of(
                "glue",
                "CreateDatabase",
                "CreateTable",
                "CreateTableOptimizer",
                "DeleteDatabase",
                "DeleteTable",
                "DeleteTableOptimizer",
                "TagResource",
                "UntagResource",
                "UpdateDatabase",
                "UpdateTable",
                "UpdateTableOptimizer",
            ),
        ),
        Things(
            "Queries",
            _in("athena", "workgroup/{}*"),
            _of("athena", "GetNamedQuery", "GetWorkGroup", "ListTagsForResource"),
            _of(
                "athena",
                "CreateNamedQuery",
                "CreateWorkGroup",
                "DeleteNamedQuery",
                "DeleteWorkGroup",
                "TagResource",
                "UntagResource",
                "UpdateNamedQuery",
                "UpdateWorkGroup",
            ),
        ),
        Things(
            "Ledgers",
            _in("dynamodb", "table/{}*"),
            _of("dynamodb", "DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive", "ListTagsOfResource"),
            _of(
                "dynamodb",
                "CreateTable",
                "DeleteTable",
                "TagResource",
                "UntagResource",
                "UpdateContinuousBackups",
                "UpdateTable",
                "UpdateTimeToLive",
            ),
        ),
        Things(
            "Parameters",
            lambda prefix: [prefix.names.arn("ssm", f"parameter/mlestate/{prefix.parameters}*")],
            _of("ssm", "GetParameter", "GetParameters", "ListTagsForResource"),
            _of("ssm", "AddTagsToResource", "DeleteParameter", "PutParameter", "RemoveTagsFromResource"),
        ),
    ),
    "machines": (
        Things(
            "Machines",
            _in("sagemaker", *(f"{each}/{{}}*" for each in MACHINES)),
            _of("sagemaker", "Describe*", "ListTags"),
            _of(
                "sagemaker",
                "AddTags",
                "CreateEndpoint",
                "CreateEndpointConfig",
                "CreateFeatureGroup",
                "CreateMlflowTrackingServer",
                "CreateModel",
                "CreatePipeline",
                "DeleteEndpoint",
                "DeleteEndpointConfig",
                "DeleteFeatureGroup",
                "DeleteMlflowTrackingServer",
                "DeleteModel",
                "DeletePipeline",
                "DeleteTags",
                "UpdateEndpoint",
                "UpdateFeatureGroup",
                "UpdateMlflowTrackingServer",
                "UpdatePipeline",
            ),
        ),
    ),
    "monitors": (
        Things(
            "Monitors",
            _in("sagemaker", *(f"{each}/{{}}*" for each in MONITORS)),
            _of("sagemaker", "Describe*", "ListTags"),
            _of(
                "sagemaker",
                "AddTags",
                *(f"{verb}{kind}JobDefinition" for verb in ("Create", "Delete") for kind in DEFINITIONS),
                "CreateMonitoringSchedule",
                "DeleteMonitoringSchedule",
                "DeleteTags",
                "StartMonitoringSchedule",
                "StopMonitoringSchedule",
                "UpdateMonitoringSchedule",
            ),
        ),
    ),
    "signals": (
        Things(
            "Alarms",
            _in("cloudwatch", "alarm:{}*", "alarm:TargetTracking-endpoint/{}*"),
            _of("cloudwatch", "DescribeAlarms", "ListTagsForResource"),
            # Target tracking keeps its alarms with the caller's rights (Application Auto Scaling, "Identity-based
            # policy examples").
            _of("cloudwatch", "DeleteAlarms", "PutCompositeAlarm", "PutMetricAlarm", "TagResource", "UntagResource"),
        ),
        Things(
            "Dashboards",
            _in("cloudwatch", "dashboard/{}*", regional=False),
            _of("cloudwatch", "GetDashboard"),
            _of("cloudwatch", "DeleteDashboards", "PutDashboard"),
        ),
        Things(
            "Logs",
            _in("logs", "log-group:{}*", "log-group:/aws/vendedlogs/states/{}*"),
            _of("logs", "DescribeMetricFilters", "ListTagsForResource"),
            _of(
                "logs",
                "AssociateKmsKey",
                "CreateLogGroup",
                "DeleteLogGroup",
                "DeleteMetricFilter",
                "DisassociateKmsKey",
                "PutMetricFilter",
                "PutRetentionPolicy",
                "TagResource",
                "UntagResource",
            ),
        ),
        Things(
            "Topics",
            _in("sns", "{}*"),
            _of("sns", "GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource"),
            _of("sns", "CreateTopic", "DeleteTopic", "SetTopicAttributes", "Subscribe", "TagResource", "UntagResource"),
        ),
        Things(
            "Queues",
            _in("sqs", "{}*"),
            _of("sqs", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags"),
            _of("sqs", "CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue"),
        ),
        Things(
            "Budgets",
            _in("budgets", "budget/{}*", regional=False),
            _of("budgets", "DescribeBudgetAction", "ListTagsForResource", "ViewBudget"),
            _of(
                "budgets",
                "CreateBudgetAction",
                "DeleteBudgetAction",
                "ModifyBudget",
                "TagResource",
                "UntagResource",
                "UpdateBudgetAction",
            ),
        ),
    ),
    "workflows": (
        Things(
            "Rules",
            _in("events", "rule/{}*", "connection/{}*", "api-destination/{}*"),
            _of("events", "Describe*", "ListTagsForResource", "ListTargetsByRule"),
            _of(
                "events",
                "CreateApiDestination",
                "CreateConnection",
                "DeleteApiDestination",
                "DeleteConnection",
                "DeleteRule",
                "PutRule",
                "PutTargets",
                "RemoveTargets",
                "TagResource",
                "UntagResource",
                "UpdateApiDestination",
                "UpdateConnection",
            ),
        ),
        Things(
            "Buses",
            _in("events", "event-bus/{}*"),
            _of("events", "DescribeEventBus", "ListTagsForResource"),
            _of("events", "CreateEventBus", "DeleteEventBus", "TagResource", "UntagResource", "UpdateEventBus"),
        ),
        Things(
            "SecretsOfConnections",
            _in("secretsmanager", "secret:events!connection/{}*"),
            _of("secretsmanager", "DescribeSecret"),
            # EventBridge keeps a connection's secret with the caller's rights (EventBridge user guide, "Connections").
            _of("secretsmanager", "CreateSecret", "DeleteSecret", "PutSecretValue", "UpdateSecret"),
        ),
        Things(
            "Schedules",
            _in("scheduler", "schedule-group/{}*", "schedule/{}*/*"),
            _of("scheduler", "GetSchedule", "GetScheduleGroup", "ListTagsForResource"),
            _of(
                "scheduler",
                "CreateSchedule",
                "CreateScheduleGroup",
                "DeleteSchedule",
                "DeleteScheduleGroup",
                "TagResource",
                "UntagResource",
                "UpdateSchedule",
            ),
        ),
        Things(
            "StateMachines",
            _in("states", "stateMachine:{}*"),
            _of("states", "DescribeStateMachine", "ListStateMachineVersions", "ListTagsForResource"),
            _of(
                "states",
                "CreateStateMachine",
                "DeleteStateMachine",
                "TagResource",
                "UntagResource",
                "UpdateStateMachine",
            ),
        ),
    ),
}
"""By concern: the kinds of things, besides roles, keys, networks and the registry, which have rules of their own."""
