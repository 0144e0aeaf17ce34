"""What each persona of an estate may do on AWS, and the ceiling over all of them: pure functions of addresses.

Approval is governed by the condition key `sagemaker:ModelApprovalStatus` (Service Authorization Reference, "Amazon
SageMaker AI"): whoever registers a version cannot approve it, and whoever approves can do nothing else to it. Actions
on ``*`` are those without a resource type (sign-in tokens, lists, look-ups).
"""

from collections.abc import Callable, Mapping

from mlestate.aws.keys import CRIPPLE, alias
from mlestate.aws.policies import Statement, allow, deny, path
from mlestate.aws.reach import Reach
from mlestate.aws.registry import PULL

__all__ = ["PERSONAS", "boundary"]

PASSED_TO = ("sagemaker.amazonaws.com",)

SERVICES = (
    "access-analyzer",
    "application-autoscaling",
    "cloudtrail",
    "cloudwatch",
    "ecr",
    "glue",
    "iam",
    "kms",
    "logs",
    "s3",
    "sagemaker",
    "sts",
)
"""What an estate is made of: nothing beyond it is within anyone's reach."""

READ_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion")
LIST_OBJECTS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions")


def _read_registry(reach: Reach) -> list[Statement]:
    return [
        allow("ReadGroups", "sagemaker:DescribeModelPackageGroup", reach.groups),
        allow("ReadVersions", "sagemaker:DescribeModelPackage", reach.versions),
        allow("ListTheRegistry", ["sagemaker:ListModelPackageGroups", "sagemaker:ListModelPackages"], "*"),
    ]


def _read_stores(sid: str, reach: Reach, protected: bool, *roles: str) -> list[Statement]:
    environments = reach.all if protected else reach.open
    return [
        allow(f"{sid}Objects", READ_OBJECTS, reach.objects(environments, *roles)),
        allow(f"{sid}Lists", LIST_OBJECTS, reach.stores(environments, *roles)),
        *_keys(sid, "kms:Decrypt", reach, protected),
    ]


def _keys(sid: str, actions: str | list[str], reach: Reach, protected: bool) -> list[Statement]:
    if not reach.own_keys:
        return []
    concerns = [
        (names, concern) for names in (reach.all if protected else reach.open) for concern in ("data", "models")
    ]
    return [allow(f"{sid}Keys", actions, reach.hub.arn("kms", "key/*"), reach.keys_of(*concerns))]


def _data_scientist(reach: Reach) -> list[Statement]:
    """Explores data and registers versions where people work; a protected environment is closed to them."""
    pending = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
    return [
        *_read_registry(reach),
        allow(
            "RegisterForApproval",
            "sagemaker:CreateModelPackage",
            [reach.groups, reach.versions],
            {"StringEquals": pending},
        ),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
        deny("NeverRegisterApproved", "sagemaker:CreateModelPackage", "*", {"StringNotEqualsIfExists": pending}),
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
        *_read_stores("Read", reach, False, "raw", "curated", "artifacts"),
        *_write_artifacts(reach),
    ]


def _write_artifacts(reach: Reach) -> list[Statement]:
    return [
        allow("WriteArtifacts", ["s3:AbortMultipartUpload", "s3:PutObject"], reach.objects(reach.open, "artifacts")),
        *_keys("Write", ["kms:Decrypt", "kms:GenerateDataKey"], reach, False),
    ]


def _ml_engineer(reach: Reach) -> list[Statement]:
    """Runs what is served: reads it everywhere, calls it where people work; approves and deletes nothing."""
    return [
        *_read_registry(reach),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
        deny("NeverDelete", ["sagemaker:DeleteModelPackage", "sagemaker:DeleteModelPackageGroup"], "*"),
        allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
        allow("ReadImages", [*PULL, "ecr:DescribeImageScanFindings", "ecr:DescribeImages"], reach.repositories),
        allow("ReadEndpoints", "sagemaker:DescribeEndpoint", reach.endpoints(reach.all)),
        allow("CallEndpoints", "sagemaker:InvokeEndpoint", reach.endpoints(reach.open)),
        allow("ListEndpoints", ["sagemaker:ListEndpoints", "sagemaker:ListEndpointConfigs"], "*"),
        allow("ReadMetrics", ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"], "*"),
        allow(
            "ReadLogs",
            ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"],
            [names.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{names.slice}-*") for names in reach.all],
        ),
        allow(
            "ReadScaling",
            [
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingActivities",
                "application-autoscaling:DescribeScalingPolicies",
            ],
            "*",
        ),
        *_read_stores("Read", reach, True, "curated", "artifacts"),
        *_write_artifacts(reach),
    ]


def _approver(reach: Reach) -> list[Statement]:
    """Approves or rejects, on what the registry and the artifacts (reports of an evaluation) say."""
    verdict = {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}
    return [
        *_read_registry(reach),
        allow("ApproveOrReject", "sagemaker:UpdateModelPackage", reach.versions, {"StringEquals": verdict}),
        # A verdict moves no version to another stage in the same request.
        deny(
            "LeaveTheStage", "sagemaker:UpdateModelPackage", "*", {"Null": {"sagemaker:ModelLifeCycle:stage": "false"}}
        ),
        deny("NeverRegister", "sagemaker:CreateModelPackage", "*"),
        *_read_stores("Read", reach, True, "artifacts"),
    ]


def _auditor(reach: Reach) -> list[Statement]:
    """Reads the trail, the registry and who may do what; never the data, never an answer, never a write."""
    decrypt = allow(
        "DecryptTheTrail", "kms:Decrypt", reach.hub.arn("kms", "key/*"), reach.keys_of((reach.hub, "audit"))
    )
    return [
        *_read_registry(reach),
        allow("ReadTheTrail", [*READ_OBJECTS, "s3:GetObjectRetention"], f"{reach.audit_store}/*"),
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
        *([decrypt] if reach.own_keys else []),
        allow(
            "ReadItsSettings",
            ["cloudtrail:GetEventSelectors", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"],
            reach.trail,
        ),
        allow("LookUpEvents", ["cloudtrail:DescribeTrails", "cloudtrail:ListTrails", "cloudtrail:LookupEvents"], "*"),
        allow(
            "ReadFindings",
            ["access-analyzer:GetAnalyzer", "access-analyzer:GetFindingV2", "access-analyzer:ListFindingsV2"],
            reach.analyzer,
        ),
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
        deny("NeverReadData", "s3:GetObject*", reach.objects(reach.all)),
        deny("NeverAskAModel", "sagemaker:InvokeEndpoint*", "*"),
    ]


PERSONAS: Mapping[str, Callable[[Reach], list[Statement]]] = {
    "data-scientist": _data_scientist,
    "ml-engineer": _ml_engineer,
    "approver": _approver,
    "auditor": _auditor,
}
"""By persona: what the role of that name may do."""


def boundary(reach: Reach) -> list[Statement]:
    """The ceiling over people and CI: whatever their policies come to say, this they never may.

    The audit trail, and who may do what, are changed by an administrator of the account alone.
    """
    hub = reach.hub
    bucket = reach.audit_store
    key, name = hub.arn("kms", "key/*"), alias(hub, "audit")
    return [
        allow("Ceiling", [f"{service}:*" for service in SERVICES], "*"),
        deny(
            "KeepUsersOut",
            ["iam:*AccessKey*", "iam:*Group*", "iam:*LoginProfile*", "iam:*MFADevice*", "iam:*User*"],
            "*",
        ),
        # A role passed to any other service would act where no boundary of ours is seen.
        deny("PassRolesToFewServices", "iam:PassRole", "*", {"StringNotEquals": {"iam:PassedToService": PASSED_TO}}),
        # IAM and STS answer from regions of their own, and what IAM did is looked up where it answers.
        {
            "Sid": "StayInTheRegion",
            "Effect": "Deny",
            "NotAction": ["cloudtrail:LookupEvents", "iam:*", "sts:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": hub.region}},
        },
        deny("KeepTheCeiling", "iam:DeleteRolePermissionsBoundary", "*"),
        {
            "Sid": "KeepTheHubsAccess",
            "Effect": "Deny",
            "NotAction": ["iam:Get*", "iam:List*"],
            "Resource": [
                hub.arn("iam", f"role{path(hub)}{hub.slice}-*", regional=False),
                reach.policies,
                hub.arn("iam", "oidc-provider/*", regional=False),
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
        deny("KeepItsAlias", ["kms:DeleteAlias", "kms:UpdateAlias"], hub.arn("kms", name)),
    ]
