"""What CI may do on AWS.

Two roles. *plan* reads settings, for the preview of any proposed change; *apply* changes what lives inside the frame.
The frame itself (who may do what, the audit trail, boundaries, new keys) is an administrator's to change, so the first
`pulumi up` of a hub or of an environment is theirs too.
"""

from collections.abc import Sequence

from mlestate.aws.policies import Statement, allow, deny
from mlestate.aws.reach import Reach
from mlestate.aws.serving import boundary_arn
from mlestate.names import Names

__all__ = ["apply", "apply_in", "plan"]


def plan(reach: Reach) -> list[Statement]:
    """Reads the settings of everything an estate makes; no data, no secret, no change."""
    hub = reach.hub
    return [
        allow(
            "ReadBuckets",
            ["s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:ListBucket"],
            [*reach.stores(reach.all), reach.audit_store],
        ),
        allow(
            "ReadModels",
            ["sagemaker:Describe*", "sagemaker:GetModelPackageGroupPolicy", "sagemaker:ListTags"],
            [reach.groups, reach.versions, *(each for names in reach.all for each in _machines(names))],
        ),
        allow(
            "ReadRepositories",
            [
                "ecr:DescribeRepositories",
                "ecr:GetLifecyclePolicy",
                "ecr:GetRepositoryPolicy",
                "ecr:ListTagsForResource",
            ],
            reach.repositories,
        ),
        allow(
            "ReadAccess",
            ["iam:Get*", "iam:List*"],
            [reach.roles, reach.policies, hub.arn("iam", "oidc-provider/*", regional=False)],
        ),
        allow("ReadCatalogue", ["glue:GetDatabase", "glue:GetTags"], _catalogue(reach.all)),
        allow(
            "ReadTheTrail",
            ["cloudtrail:GetEventSelectors", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"],
            reach.trail,
        ),
        allow("ReadTheAnalyzer", ["access-analyzer:GetAnalyzer"], reach.analyzer),
        allow("ReadScaling", "application-autoscaling:ListTagsForResource", _targets(hub)),
        allow(
            "LookUp",
            [
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
                "cloudtrail:DescribeTrails",
                "kms:ListAliases",
            ],
            "*",
        ),
        *_of_the_estates_keys(
            reach,
            "ReadKeys",
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
        ),
    ]


def apply(reach: Reach) -> list[Statement]:
    """Plans, and changes what lives inside the frame of the hub; `apply_in` adds each environment."""
    statements = [
        *plan(reach),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
        allow(
            "ChangeTheRegistry",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackageGroup",
                "sagemaker:DeleteModelPackageGroup",
                "sagemaker:DeleteModelPackageGroupPolicy",
                "sagemaker:DeleteTags",
                "sagemaker:PutModelPackageGroupPolicy",
            ],
            reach.groups,
        ),
        allow(
            "ChangeRepositories",
            [
                "ecr:CreateRepository",
                "ecr:DeleteLifecyclePolicy",
                "ecr:DeleteRepository",
                "ecr:DeleteRepositoryPolicy",
                "ecr:PutImageScanningConfiguration",
                "ecr:PutImageTagMutability",
                "ecr:PutLifecyclePolicy",
                "ecr:SetRepositoryPolicy",
                "ecr:TagResource",
                "ecr:UntagResource",
            ],
            reach.repositories,
        ),
        *_of_the_estates_keys(
            reach,
            "ChangeKeys",
            [
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateKeyDescription",
            ],
            aliases=["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
        ),
    ]
    if reach.own_keys:
        statements.append(
            allow(
                "LendKeysToServices",
                "kms:CreateGrant",
                reach.hub.arn("kms", "key/*"),
                {
                    "StringEquals": {"aws:ResourceTag/estate": reach.hub.estate},
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                },
            )
        )
    if reach.deploy_roles:
        statements.append(allow("DeployElsewhere", "sts:AssumeRole", list(reach.deploy_roles)))
    return statements


def apply_in(reach: Reach, names: Names) -> list[Statement]:
    """Changes what lives inside one environment of the hub's account: a policy of its own, as IAM bounds their size."""
    roles = reach.model_roles(names)
    return [
        allow(
            "ChangeBuckets",
            [
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:PutBucket*",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            reach.stores([names]),
        ),
        allow(
            "ChangeMachines",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DeleteTags",
                "sagemaker:UpdateEndpoint",
            ],
            _machines(names),
        ),
        # Without the boundary of its environment no identity is made or given a permission.
        allow(
            "ChangeIdentities",
            ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
            roles,
            {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(names)}},
        ),
        allow(
            "KeepIdentities",
            [
                "iam:DeleteRole",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            roles,
        ),
        allow(
            "RunModelsAsThem",
            "iam:PassRole",
            roles,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        allow(
            "ChangeCatalogue",
            [
                "glue:CreateDatabase",
                "glue:DeleteDatabase",
                "glue:TagResource",
                "glue:UntagResource",
                "glue:UpdateDatabase",
            ],
            _catalogue([names]),
        ),
        allow(
            "ChangeScaling",
            [
                "application-autoscaling:DeleteScalingPolicy",
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:RegisterScalableTarget",
            ],
            _targets(names),
            {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
        # Target tracking keeps its alarms with the caller's rights (Application Auto Scaling, "Identity-based policy
        # examples").
        allow(
            "AlarmsOfScaling",
            ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
            names.arn("cloudwatch", f"alarm:TargetTracking-endpoint/{names.slice}-*"),
        ),
        allow(
            "TheRoleOfScaling",
            "iam:CreateServiceLinkedRole",
            reach.hub.arn(
                "iam",
                "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*",
                regional=False,
            ),
            {"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}},
        ),
    ]


def _machines(names: Names) -> list[str]:
    return [names.arn("sagemaker", f"{kind}/{names.slice}-*") for kind in ("endpoint", "endpoint-config", "model")]


def _catalogue(environments: Sequence[Names]) -> list[str]:
    """A database is reached through the catalogue that it stands in."""
    databases = [
        names.arn("glue", f"database/{names.physical('catalog-database', 'curated')}") for names in environments
    ]
    return [environments[0].arn("glue", "catalog"), *databases] if environments else []


def _targets(names: Names) -> str:
    return names.arn("application-autoscaling", "scalable-target/*")


def _of_the_estates_keys(
    reach: Reach, sid: str, actions: Sequence[str], aliases: Sequence[str] = ()
) -> list[Statement]:
    """`actions` on the keys, and what is done to an alias, which KMS asks for on the key and on the alias."""
    if not reach.own_keys:
        return []
    tagged = {"StringEquals": {"aws:ResourceTag/estate": reach.hub.estate}}
    statements = [allow(sid, [*actions, *aliases], reach.hub.arn("kms", "key/*"), tagged)]
    if aliases:
        statements.append(allow("ChangeAliases", list(aliases), reach.hub.arn("kms", f"alias/{reach.hub.estate}-*")))
    return statements
