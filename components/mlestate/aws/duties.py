"""What machines do in an environment, and what each duty may: one service, one role, one policy.

Trust: a service takes a role only for things of this account, and of this slice where it says which (Amazon SageMaker
developer guide, "Cross-service confused deputy prevention"; EventBridge Scheduler user guide, "Confused deputy
prevention": a schedule stands for its group there; Step Functions, EventBridge and AWS Cost Management guides alike).

Jobs that a pipeline starts are named by SageMaker (`pipelines-...`), so a pipeline's own prefix cannot mean them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mlestate.aws.ceilings import LIFE_CYCLE, STATUS
from mlestate.aws.images import IMAGES
from mlestate.aws.keys import grants, uses
from mlestate.aws.model_monitor import wanted
from mlestate.aws.monitors import monitored
from mlestate.aws.policies import Statement, allow, deny, trust
from mlestate.aws.reach import Reach
from mlestate.aws.registry import PULL
from mlestate.aws.rights import (
    READ,
    WRITE,
    catalogue,
    disks,
    folder,
    machine,
    network,
    own_key,
    pass_on,
    pull,
    read,
    remember,
    settings,
    signal_key,
    start,
    tell,
    track,
)
from mlestate.aws.trail import trail_arn
from mlestate.aws.trail_log import log_group
from mlestate.config.model import Model

__all__ = ["DUTIES", "MODEL_DUTIES", "Duty", "believed"]

JOBS = ("processing-job", "training-job", "transform-job")


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


def _pipeline(reach: Reach) -> list[Statement]:
    """Starts the jobs of a pipeline, judges what they wrote, and registers; never approves."""
    jobs = [reach.here.arn("sagemaker", f"{kind}/pipelines-*") for kind in JOBS]
    return [
        allow(
            "RunJobs",
            [
                "sagemaker:AddTags",
                *(
                    f"sagemaker:{verb}{kind}Job"
                    for verb in ("Create", "Describe", "Stop")
                    for kind in ("Processing", "Training", "Transform")
                ),
            ],
            jobs,
        ),
        pass_on(reach, "RunThemAsTheModels", "*-training", "sagemaker"),
        *register(reach),
        *read(reach, "artifacts"),
        *uses("ReadWhatWasWritten", reach.encryption, [(reach.here, "models")], ["kms:Decrypt"], ["s3"]),
        *disks(reach),
    ]


def register(reach: Reach) -> list[Statement]:
    """Makes versions that wait for approval, and none that is approved already."""
    pending = {STATUS: "PendingManualApproval"}
    return [
        allow(
            "RegisterForApproval",
            ["sagemaker:CreateModelPackage"],
            [reach.groups, reach.versions],
            {"StringEquals": pending},
        ),
        allow("ReadGroups", "sagemaker:DescribeModelPackageGroup", reach.groups),
        allow(
            "ReadVersions",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            reach.versions,
        ),
        deny("NeverRegisterApproved", "sagemaker:CreateModelPackage", "*", {"StringNotEqualsIfExists": pending}),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
    ]


def _training(reach: Reach, name: str, model: Model) -> list[Statement]:
    """Reads its data, writes its model and its reports, and tells the experiment tracker."""
    own = [f"labels/{name}/", *([reach.datasets[model.data.dataset]] if model.data.dataset else [])]
    return [
        allow("ReadRaw", READ, [reach.folder("raw", prefix) for prefix in own]),
        allow(
            "ListRaw", "s3:ListBucket", reach.stores("raw"), {"StringLike": {"s3:prefix": [f"{each}*" for each in own]}}
        ),
        *read(reach, "curated"),
        *folder(reach, "artifacts", f"{name}/"),
        allow("WriteManifests", WRITE, reach.folder("artifacts", f"manifests/{name}/")),
        *pull(reach, name),
        *tell(reach, "ProcessingJobs", "TrainingJobs", "TransformJobs"),
        allow(
            "ReadFeatures",
            ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"],
            reach.machines("feature-group"),
        ),
        allow("ReadTables", ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], catalogue(reach)),
        allow(
            "CompareWithTheChampion",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            reach.hub.arn("sagemaker", f"model-package/{reach.hub.physical('model-package-group', name)}/*"),
        ),
        *track(reach),
        *uses("ReadData", reach.encryption, [(reach.here, "data"), (reach.here, "features")], ["kms:Decrypt"], ["s3"]),
        *own_key(reach),
        *disks(reach),
        *network(reach),
    ]


def _inference(reach: Reach, name: str, model: Model) -> list[Statement]:
    """Reads its own artifacts, answers, and says what it answered where that is kept."""
    serving = model.serving
    kept = serving.mode == "async" or serving.capture is not None or model.automated_decision
    told = {"batch": ["TransformJobs"], "none": []}.get(serving.mode, [f"Endpoints/{_endpoint(reach, name)}"])
    return [
        *folder(reach, "artifacts", f"{name}/", write=False),
        *([allow("WriteWhatItAnswers", WRITE, reach.folder("capture", f"{name}/"))] if kept else []),
        *pull(reach, name),
        *(tell(reach, *told) if told else []),
        *own_key(reach),
        *network(reach),
        *{"batch": _scores, "async": _answers_later}.get(serving.mode, _nothing_more)(reach, name, model),
    ]


def _scores(reach: Reach, name: str, model: Model) -> list[Statement]:
    """What a batch run reads and writes besides."""
    dataset = reach.datasets.get(model.data.dataset or "", "")
    source, target = model.serving.input or dataset, model.serving.output or f"predictions/{name}/"
    encryption, here = reach.encryption, reach.here
    return [
        *folder(reach, "raw", source.lstrip("/"), write=False),
        allow("WriteScores", WRITE, reach.folder("curated", target.lstrip("/"))),
        *uses("UseTheKeyOfData", encryption, [(here, "data")], ["kms:Decrypt", "kms:GenerateDataKey"], ["s3"]),
    ]


def _answers_later(reach: Reach, name: str, model: Model) -> list[Statement]:
    """Says when an answer lies ready."""
    return [
        allow("ReadRequests", READ, reach.folder("capture", f"{name}/")),
        allow("TellPeople", "sns:Publish", reach.own("sns", "")),
        *signal_key(reach, "sns"),
    ]


def _nothing_more(reach: Reach, name: str, model: Model) -> list[Statement]:
    return []


def _endpoint(reach: Reach, name: str) -> str:
    return reach.here.physical("endpoint", name)


def _monitoring(reach: Reach) -> list[Statement]:
    """Compares what endpoints were asked and answered with what was learnt, and writes the numbers into its log."""
    clarify = any(wanted(model) for model in reach.models.values())
    return [
        *read(reach, "raw"),
        *read(reach, "capture"),
        *read(reach, "artifacts"),
        allow("WriteReports", WRITE, reach.folder("artifacts", "*/monitoring/")),
        # The containers that AWS gives lie in accounts of its own, another in each region.
        allow("PullTheContainersOfAws", PULL, _containers(reach, IMAGES if clarify else ["scikit-learn"])),
        allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
        *(_ask_a_copy(reach) if clarify else []),
        *tell(reach, "ProcessingJobs", metrics=MONITORED),
        *uses("ReadData", reach.encryption, [(reach.here, "data")], ["kms:Decrypt"], ["s3"]),
        *own_key(reach),
        *disks(reach),
        *network(reach),
    ]


def _containers(reach: Reach, names: Iterable[str]) -> list[str]:
    found = []
    for repository, accounts in (IMAGES[name] for name in names):
        if account := accounts.get(reach.here.region):
            place = replace(reach.here, home=account)
            found.append(place.arn("ecr", f"repository/{repository.partition(':')[0]}"))
    return found


def _ask_a_copy(reach: Reach) -> list[Statement]:
    """Clarify asks a copy of the model in an endpoint that it makes for the time (SageMaker developer guide, "Configure
    a SageMaker Clarify Processing Job")."""
    return [
        allow(
            "AskACopy",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:InvokeEndpoint",
            ],
            [reach.here.arn("sagemaker", f"{kind}/sm-clarify-*") for kind in ("endpoint", "endpoint-config")],
        ),
        allow("ReadModels", "sagemaker:DescribeModel", reach.machines("model")),
        allow(
            "ReadEndpoints",
            ["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"],
            reach.machines("endpoint", "endpoint-config"),
        ),
    ]


def _features(reach: Reach) -> list[Statement]:
    """Writes the offline store of feature groups and its tables."""
    return [
        *folder(reach, "curated", "features/"),
        allow("FindTheBucket", "s3:GetBucketAcl", reach.stores("curated")),
        allow(
            "KeepTables",
            ["glue:CreateTable", "glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"],
            catalogue(reach),
        ),
        *uses(
            "UseTheKeyOfFeatures",
            reach.encryption,
            [(reach.here, "data"), (reach.here, "features")],
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            ["s3", "sagemaker"],
        ),
        *grants("LendTheKeyOfFeatures", reach.encryption, [(reach.here, "features")]),
    ]


def _tracking(reach: Reach) -> list[Statement]:
    """Keeps the files of experiments."""
    return [
        *folder(reach, "artifacts", "mlflow/"),
        *own_key(reach),
    ]


def _release(reach: Reach) -> list[Statement]:
    """Moves an approved version into service and back, and says where it stands; it gives no verdict."""
    return [
        allow("ReadVersions", "sagemaker:DescribeModelPackage", reach.versions),
        # A stage is written without a verdict: a request that carries one is another statement's to refuse.
        allow(
            "MoveVersionsAlong",
            "sagemaker:UpdateModelPackage",
            reach.versions,
            {"Null": {STATUS: "true", LIFE_CYCLE[0]: "false"}},
        ),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*", {"Null": {STATUS: "false"}}),
        deny("NeverRegister", "sagemaker:CreateModelPackage", "*"),
        allow(
            "ServeVersions",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeModel",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            reach.machines("endpoint", "endpoint-config", "model"),
        ),
        allow("TryThem", "sagemaker:InvokeEndpoint", reach.machines("endpoint")),
        pass_on(reach, "RunThemAsTheModels", "*-inference", "sagemaker"),
        allow("ReadReports", READ, reach.folder("artifacts")),
        # The champion, and what its monitors compare with, are the release's to put in their place.
        allow(
            "PlaceTheChampion", WRITE, [reach.folder("artifacts", f"*/{each}/") for each in ("baselines", "champion")]
        ),
        allow("ReadAlarms", "cloudwatch:DescribeAlarms", reach.here.arn("cloudwatch", "alarm:*")),
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
        *remember(reach),
        *own_key(reach),
        *disks(reach),
        *machine(reach),
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
            "FollowThem",
            "sagemaker:DescribePipelineExecution",
            reach.here.arn("sagemaker", f"pipeline/{reach.here.slice}-*/execution/*"),
        ),
        allow("ReadAlarms", ["cloudwatch:DescribeAlarms"], reach.here.arn("cloudwatch", "alarm:*")),
        allow("ReadMetrics", "cloudwatch:GetMetricData", "*"),
        *remember(reach),
        *machine(reach),
    ]


def _batch(reach: Reach) -> list[Statement]:
    """Scores a whole set of files with the version that is in service."""
    return [
        allow(
            "ScoreFiles",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateTransformJob",
                "sagemaker:DescribeTransformJob",
                "sagemaker:StopTransformJob",
            ],
            reach.machines("transform-job"),
        ),
        allow("WithItsModel", ["sagemaker:CreateTransformJob", "sagemaker:DescribeModel"], reach.machines("model")),
        *settings(reach),
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
                "sagemaker:ListTags",
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
        *settings(reach, write=True),
        *disks(reach),
        *machine(reach),
    ]


def _events(reach: Reach) -> list[Statement]:
    """Starts a machine or a pipeline when something happened, and passes alarms on."""
    return [
        *start(reach),
        allow(
            "PassAlarmsOn",
            "events:InvokeApiDestination",
            reach.here.arn("events", f"api-destination/{reach.here.slice}-*/*"),
        ),
    ]


def _scheduler(reach: Reach) -> list[Statement]:
    """Starts a machine, a pipeline or a monitor when its time has come; keeps what could not be started."""
    statements = [
        *start(reach),
        allow("KeepWhatFailed", "sqs:SendMessage", reach.own("sqs", "")),
        *signal_key(reach, "scheduler", "sqs"),
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


MONITORED = ("aws/sagemaker/Endpoints/*", "aws/sagemaker/ModelMonitoring/*", "/aws/sagemaker/Endpoints/*")
"""Namespaces that Model Monitor writes to (SageMaker developer guide, "CloudWatch metrics for Model Monitor"); the
estate's own monitor writes its numbers into its log."""


def _anything(reach: Reach) -> list[str]:
    """Jobs, models and endpoints: which kind takes a role is documented for few of them."""
    return [reach.here.arn("sagemaker", "*")]


def _slice(service: str, resource: str) -> Callable[[Reach], Sequence[str]]:
    return lambda reach: [reach.own(service, resource)]


DUTIES: Mapping[str, Duty] = {
    "pipeline": Duty("sagemaker", _slice("sagemaker", "pipeline/"), _pipeline),
    "monitoring": Duty("sagemaker", _anything, _monitoring),
    "features": Duty("sagemaker", _anything, _features),
    "tracking": Duty("sagemaker", _anything, _tracking),
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
    "training": Duty("sagemaker", _anything, _training),
    "inference": Duty("sagemaker", _anything, _inference),
}
"""The same, once for each model."""
