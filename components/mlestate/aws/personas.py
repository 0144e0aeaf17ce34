"""What each persona of an estate may do on AWS, in its hub and in each environment: pure functions of addresses.

Approval is governed by the condition key `sagemaker:ModelApprovalStatus` (Service Authorization Reference, "Amazon
SageMaker AI"): whoever registers a version cannot approve it, and whoever approves can do nothing else to it. Actions
on ``*`` are those without a resource type (sign-in tokens, lists, look-ups).
"""

from collections.abc import Callable, Mapping

from mlestate.aws.auditors import auditor, auditor_of_environment
from mlestate.aws.ceilings import LIFE_CYCLE, STATUS
from mlestate.aws.keys import uses
from mlestate.aws.policies import Statement, allow, deny
from mlestate.aws.reach import Reach
from mlestate.aws.registry import PULL
from mlestate.aws.rights import (
    WRITE,
    catalogue,
    disks,
    follow_releases,
    own_key,
    pass_on,
    read,
    read_data_keys,
    read_registry,
    read_reports,
    see,
    track,
    unstamped,
)
from mlestate.aws.sagemaker_duties import register

__all__ = ["IN_ENVIRONMENTS", "IN_THE_HUB"]

Permissions = Callable[[Reach], list[Statement]]


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
        *read_registry(reach),
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
        *read_registry(reach),
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


def _data_scientist(reach: Reach) -> list[Statement]:
    """Explores data and tries models where people work, on jobs that carry the estate's tag; registers in the hub."""
    kinds = ("Processing", "Training", "Transform")
    jobs = [*reach.machines("processing-job", "training-job", "transform-job", "hyper-parameter-tuning-job")]
    create = [f"sagemaker:Create{kind}Job" for kind in (*kinds, "HyperParameterTuning")]
    return [
        *read(reach, "raw"),
        *read(reach, "curated"),
        *read(reach, "artifacts"),
        *_write_artifacts(reach),
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
        *see(reach),
        allow("ReadFeatures", ["sagemaker:BatchGetRecord", "sagemaker:GetRecord"], reach.machines("feature-group")),
        allow("ReadTables", ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], catalogue(reach)),
        *track(reach),
        *disks(reach),
        deny(
            "NeverServe", ["sagemaker:CreateEndpoint*", "sagemaker:DeleteEndpoint*", "sagemaker:UpdateEndpoint*"], "*"
        ),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
    ]


def _write_artifacts(reach: Reach) -> list[Statement]:
    """Writes beside what runs made and what a release brought: that was judged, or serves."""
    kept = [reach.folder("artifacts", f"*/{each}/") for each in ("baselines", "champion", "runs", "versions")]
    return [
        allow("WriteArtifacts", WRITE, reach.folder("artifacts")),
        deny("LeaveVersionsAsTheyAre", WRITE, kept),
    ]


def _run_pipelines(reach: Reach) -> list[Statement]:
    executions = reach.here.arn("sagemaker", f"pipeline/{reach.here.slice}-*/execution/*")
    return [
        allow("RunPipelines", "sagemaker:StartPipelineExecution", reach.machines("pipeline")),
        allow("StopThem", "sagemaker:StopPipelineExecution", executions),
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
        *see(reach),
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
        *_write_artifacts(reach),
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
        *see(reach),
    ]


SCALING = [
    f"application-autoscaling:Describe{each}" for each in ("ScalableTargets", "ScalingActivities", "ScalingPolicies")
]

IN_THE_HUB: Mapping[str, Permissions] = {
    "data-scientist": _registering_scientist,
    "ml-engineer": _reading_engineer,
    "approver": _approver,
    "auditor": auditor,
}
"""By persona: what the role of that name in the hub may do."""

IN_ENVIRONMENTS: Mapping[str, Permissions] = {
    "data-scientist": _data_scientist,
    "ml-engineer": _ml_engineer,
    "approver": _judge,
    "operator": _operator,
    "auditor": auditor_of_environment,
}
"""The same in an environment; a protected one has no data scientists, because its data are closed to exploration."""
