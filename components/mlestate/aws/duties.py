"""What machines do in an environment, and what each duty may: one service, one role, one policy.

Trust: a service takes a role only for things of this account, and of this slice where it says which (Amazon SageMaker
developer guide, "Cross-service confused deputy prevention"; EventBridge Scheduler user guide, "Confused deputy
prevention": a schedule stands for its group there; Step Functions, EventBridge and AWS Cost Management guides alike).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mlestate.aws import sagemaker_duties
from mlestate.aws.ceilings import APPROVED_BY, LIFE_CYCLE, STATUS, passed
from mlestate.aws.keys import directly
from mlestate.aws.monitors import compares, monitored
from mlestate.aws.neighbours import LISTED, PASSED, VERDICTS, artifacts, bus, sent
from mlestate.aws.policies import Statement, allow, deny, trust
from mlestate.aws.reach import Reach
from mlestate.aws.rights import (
    by_version,
    disks,
    machine,
    own_key,
    pass_on,
    read_runs,
    signal_key,
    tell_people,
    unstamped,
)
from mlestate.aws.trail import trail_arn
from mlestate.aws.trail_log import log_group
from mlestate.names import HUB

__all__ = ["DUTIES", "MODEL_DUTIES", "Duty", "believed"]


@dataclass(frozen=True)
class Duty:
    """One thing that machines do: for which service's things, and with which permissions."""

    service: str
    """The service that takes the role, as in `states`."""
    sources: Callable[[Reach], Sequence[str]]
    """The ARNs of the things that it takes the role for."""
    may: Callable[..., list[Statement]]
    """Statements by reach and, for a model's duty, by the model's name and settings."""


def believed(reach: Reach, duty: Duty) -> list[Statement]:
    """The trust policy of a duty's role."""
    return [
        trust(
            "ThingsOfThisSlice",
            {"Service": f"{duty.service}.amazonaws.com"},
            {
                "StringEquals": {"aws:SourceAccount": reach.here.home},
                "ArnLike": {"aws:SourceArn": list(duty.sources(reach))},
            },
        )
    ]


def _release(reach: Reach) -> list[Statement]:
    """Moves an approved version into service and back, and says where it stands; it gives no verdict."""
    return [
        *_versions(reach),
        allow(
            "ChangeEndpoints",
            ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
            reach.machines("endpoint"),
        ),
        allow(
            "MakeWhatTheyRun",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeModel",
                # SageMaker asks for it on the configuration too, as the reference of its actions says.
                "sagemaker:UpdateEndpoint",
            ],
            reach.machines("endpoint-config", "model"),
        ),
        allow(
            "TryThem",
            ["sagemaker:AddTags", "sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob"],
            reach.machines("transform-job"),
        ),
        allow("WithTheirModel", "sagemaker:CreateTransformJob", reach.machines("model")),
        pass_on(reach, "RunThemAsTheModels", "*-inference", "sagemaker"),
        *_comparisons(reach),
        allow(
            "SeeWhoTrained",
            "sagemaker:DescribePipelineExecution",
            [each.arn("sagemaker", f"pipeline/{each.slice}-*/execution/*") for each in reach.beside],
        ),
        *_files(reach),
        *_books(reach),
        allow("ReadAlarms", "cloudwatch:DescribeAlarms", reach.here.arn("cloudwatch", "alarm:*")),
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
        allow("SeeWhatIsScaled", "application-autoscaling:DescribeScalableTargets", "*"),
        allow("SeeTheTurn", "states:DescribeExecution", reach.executions("release", "rollback")),
        allow("StopTheOvertaken", "states:StopExecution", reach.executions("release")),
        allow("RollBack", "states:StartExecution", reach.state_machines("rollback")),
        *([allow("SendOn", "events:PutEvents", bus(reach.after), sent(PASSED))] if reach.after else []),
        *own_key(reach),
        *disks(reach),
        *tell_people(reach, "dynamodb", "states"),
        *machine(reach),
    ]


def _comparisons(reach: Reach) -> list[Statement]:
    """Compares two versions on one endpoint, as the monitor, where the file asks for that."""
    if not any(compares(each) for each in reach.models.values()):
        return []
    jobs = ["sagemaker:AddTags", "sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"]
    return [
        allow("CompareThem", jobs, reach.machines("processing-job")),
        pass_on(reach, "RunAsTheMonitor", "monitoring", "sagemaker"),
    ]


def _versions(reach: Reach) -> list[Statement]:
    """Stamps a version with who approved it and where it has been, each environment with its own name alone, and never
    with a verdict."""
    here = reach.here.environment
    others = unstamped(reach, but=[passed(here), APPROVED_BY])
    return [
        allow("ReadVersions", "sagemaker:DescribeModelPackage", reach.versions),
        # A stage is written without a verdict: a request that carries one is another statement's to refuse.
        allow(
            "MoveVersionsAlong",
            "sagemaker:UpdateModelPackage",
            reach.versions,
            {"StringEquals": {LIFE_CYCLE[0]: here}, "Null": {STATUS: "true", **others}},
        ),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*", {"Null": {STATUS: "false"}}),
        deny("NeverRegister", "sagemaker:CreateModelPackage", "*"),
    ]


def _files(reach: Reach) -> list[Statement]:
    """Fetches what a run wrote and keeps it, as a version and as the champion with what its monitors compare with."""
    kept = [f"*/{each}/" for each in ("baselines", "champion", "versions")]
    return [
        *read_runs(reach, list(reach.environments.values())),
        allow("ListRuns", "s3:ListBucket", [artifacts(each) for each in reach.environments.values()], LISTED),
        allow("KeepVersions", ["s3:GetObject", "s3:PutObject"], [reach.folder("artifacts", each) for each in kept]),
        allow(
            "ListVersions",
            "s3:ListBucket",
            reach.stores("artifacts"),
            {"StringLike": {"s3:prefix": [f"{each}*" for each in kept]}},
        ),
        allow(
            "ReadTheTrials",
            "s3:GetObject",
            [reach.folder("artifacts", "*/monitoring/comparisons/"), reach.folder("capture", "*/trials/")],
        ),
    ]


def _books(reach: Reach) -> list[Statement]:
    """Writes down what it does, counts who agreed, and reads what it is to do."""
    return [
        allow(
            "KeepTheLedger",
            [f"dynamodb:{each}" for each in ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query")],
            reach.table("releases"),
        ),
        allow("CountApprovals", "dynamodb:Query", [reach.table("approvals"), by_version(reach)]),
        allow("ReadSettings", "ssm:GetParameter", reach.parameters("*")),
        allow("SayWhatBatchesRun", "ssm:PutParameter", reach.parameters("models/*")),
    ]


def _retraining(reach: Reach) -> list[Statement]:
    """Starts a pipeline again, when the limits allow it."""
    return [
        allow(
            "StartPipelines",
            ["sagemaker:ListPipelineExecutions", "sagemaker:StartPipelineExecution"],
            reach.machines("pipeline"),
        ),
        allow(
            "FindTheNewestVersion",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            [reach.groups, reach.versions],
        ),
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
        allow(
            "ReadTheBudget",
            "budgets:ViewBudget",
            reach.here.arn("budgets", f"budget/{reach.here.physical('budget', 'monthly')}", regional=False),
        ),
        allow(
            "KeepTheLedger",
            ["dynamodb:GetItem", "dynamodb:PutItem"],
            reach.table("releases"),
        ),
        allow("ReadSettings", "ssm:GetParameter", reach.parameters("*/release")),
        *tell_people(reach, "dynamodb"),
        *machine(reach),
    ]


def _batch(reach: Reach) -> list[Statement]:
    """Scores a whole set of files with the version that is in service."""
    return [
        allow("ScoreFiles", ["sagemaker:AddTags", "sagemaker:CreateTransformJob"], reach.machines("transform-job")),
        allow("WithItsModel", "sagemaker:CreateTransformJob", reach.machines("model")),
        allow("ReadSettings", "ssm:GetParameter", reach.parameters("models/*")),
        *disks(reach),
        *machine(reach),
    ]


def _upkeep(reach: Reach) -> list[Statement]:
    """Stops what nobody uses and starts it again; makes nothing new."""
    scaling = [f"application-autoscaling:{each}" for each in ("DescribeScalableTargets", "DescribeScalingPolicies")]
    return [
        allow(
            "StopAndStartEndpoints",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DescribeEndpoint",
            ],
            reach.machines("endpoint", "endpoint-config"),
        ),
        allow("FindEndpoints", ["sagemaker:ListEndpoints", *scaling], "*"),
        allow(
            "ScaleThemAgain",
            [
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:RegisterScalableTarget",
            ],
            reach.here.arn("application-autoscaling", "scalable-target/*"),
            {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
        # Target tracking keeps its alarms with the caller's rights (Application Auto Scaling, "Identity-based policy
        # examples").
        allow(
            "AlarmsOfScaling",
            ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
            reach.here.arn("cloudwatch", f"alarm:TargetTracking-endpoint/{reach.here.slice}-*"),
        ),
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
        allow("RememberEndpoints", ["ssm:GetParameter", "ssm:PutParameter"], reach.parameters("endpoints/*")),
        *disks(reach),
        *tell_people(reach),
        *machine(reach),
    ]


def _events(reach: Reach) -> list[Statement]:
    """Starts what an event is for, or tells the environments of a verdict, and passes alarms on."""
    tell = (
        allow(
            "TellEnvironments", "events:PutEvents", [bus(each) for each in reach.environments.values()], sent(VERDICTS)
        )
        if reach.here.environment == HUB
        else allow("StartMachines", "states:StartExecution", reach.state_machines("release", "retraining", "rollback"))
    )
    return [
        tell,
        allow(
            "PassAlarmsOn",
            "events:InvokeApiDestination",
            reach.here.arn("events", f"api-destination/{reach.here.slice}-*/*"),
        ),
    ]


def _scheduler(reach: Reach) -> list[Statement]:
    """Starts a machine, a pipeline or a monitor when its time has come; keeps what could not be started."""
    statements = [
        allow("StartMachines", "states:StartExecution", reach.state_machines("batch", "retraining", "upkeep")),
        allow("StartPipelines", "sagemaker:StartPipelineExecution", reach.machines("pipeline")),
        allow("KeepWhatFailed", "sqs:SendMessage", reach.own("sqs", "")),
        *signal_key(reach, "sqs"),
        *directly(reach.encryption, reach.here, "Schedules"),
    ]
    if not any(monitored(model) for model in reach.models.values()):
        return statements
    return [
        *statements,
        allow(
            "StartMonitors", ["sagemaker:AddTags", "sagemaker:CreateProcessingJob"], reach.machines("processing-job")
        ),
        pass_on(reach, "RunThemAsMonitors", "monitoring", "sagemaker"),
        *disks(reach),
    ]


def _budget(reach: Reach) -> list[Statement]:
    """Attaches the freeze to roles, and takes it off again when the budget's month is over."""
    return [
        allow(
            "Freeze",
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            reach.roles,
            {"ArnEquals": {"iam:PolicyARN": reach.policy("freeze")}},
        ),
    ]


def _recording(reach: Reach) -> list[Statement]:
    """Writes the trail into its log (CloudTrail user guide, "Policy for sending events to CloudWatch Logs")."""
    streams = reach.here.arn("logs", f"log-group:{log_group(reach.here)}:log-stream:*")
    return [allow("WriteTheTrailsLog", ["logs:CreateLogStream", "logs:PutLogEvents"], streams)]


def _anything(reach: Reach) -> list[str]:
    """Jobs, models and endpoints: which kind takes a role is documented for few of them."""
    return [reach.here.arn("sagemaker", "*")]


def _slice(service: str, resource: str) -> Callable[[Reach], Sequence[str]]:
    return lambda reach: [reach.own(service, resource)]


DUTIES: Mapping[str, Duty] = {
    "pipeline": Duty("sagemaker", _slice("sagemaker", "pipeline/"), sagemaker_duties.pipeline),
    "monitoring": Duty("sagemaker", _anything, sagemaker_duties.monitoring),
    "features": Duty("sagemaker", _anything, sagemaker_duties.features),
    "tracking": Duty("sagemaker", _anything, sagemaker_duties.tracking),
    "release": Duty("states", _slice("states", "stateMachine:"), _release),
    "retraining": Duty("states", _slice("states", "stateMachine:"), _retraining),
    "batch": Duty("states", _slice("states", "stateMachine:"), _batch),
    "upkeep": Duty("states", _slice("states", "stateMachine:"), _upkeep),
    "events": Duty("events", _slice("events", "rule/"), _events),
    "scheduler": Duty("scheduler", _slice("scheduler", "schedule-group/"), _scheduler),
    "budget": Duty("budgets", lambda reach: [reach.here.arn("budgets", "*", regional=False)], _budget),
    "recording": Duty("cloudtrail", lambda reach: [trail_arn(reach.here)], _recording),
}
"""By name: what machines of an environment do; a hub's record too."""

MODEL_DUTIES: Mapping[str, Duty] = {
    "training": Duty("sagemaker", _anything, sagemaker_duties.training),
    "inference": Duty("sagemaker", _anything, sagemaker_duties.inference),
}
"""The same, once for each model."""
