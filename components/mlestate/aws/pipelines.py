"""What CI may do on AWS.

Two roles. *plan* reads settings, for the preview of any proposed change; *apply* changes what lives inside the frame.
The frame itself (who may do what, the audit trail, boundaries, new keys, Lake Formation) is an administrator's to
change, so the first `pulumi up` of a hub or of an environment is theirs too, and so is a machine larger than any
before: the ceiling that lists them is part of the frame. Neither role reads data or secrets, or gives a verdict.

IAM bounds a policy's size, so what *apply* may change comes in managed policies, one a concern.
"""

from collections.abc import Callable, Mapping, Sequence

from mlestate.aws.ceilings import PASSED_TO
from mlestate.aws.keys import uses
from mlestate.aws.policies import Statement, allow, deny, path
from mlestate.aws.reach import Reach
from mlestate.aws.things import THINGS, Prefix
from mlestate.names import Names

__all__ = ["ATTACHED", "apply", "plan"]

CREATED = ("route-table", "security-group", "security-group-rule", "subnet", "vpc", "vpc-endpoint", "vpc-flow-log")
"""The parts of a network, as resource types of EC2."""


def plan(reach: Reach) -> list[Statement]:
    """Reads the settings of everything an estate makes; no data, no secret, no change."""
    hub = reach.hub
    whole = Prefix(hub, f"{hub.estate}-", f"{hub.estate}/")
    return [
        *(allow(f"Read{each.sid}", each.reads, each.where(whole)) for rows in THINGS.values() for each in rows),
        allow(
            "ReadTheRegistry",
            ["sagemaker:Describe*", "sagemaker:GetModelPackageGroupPolicy", "sagemaker:ListTags"],
            [reach.groups, reach.versions, reach.cards, hub.arn("sagemaker", "mlflow-app/*")],
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
        allow(
            "ReadTheTrail",
            ["cloudtrail:GetEventSelectors", "cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"],
            reach.trail,
        ),
        allow(
            "ReadItsLog",
            ["logs:DescribeMetricFilters", "logs:ListTagsForResource"],
            hub.arn("logs", f"log-group:/aws/cloudtrail/{hub.estate}-*"),
        ),
        allow("ReadAnalyzers", "access-analyzer:GetAnalyzer", hub.arn("access-analyzer", f"analyzer/{hub.slice}-*")),
        allow("ReadScaling", "application-autoscaling:ListTagsForResource", _targets(hub)),
        allow(
            "ReadAnomalies",
            ["ce:GetAnomalyMonitors", "ce:GetAnomalySubscriptions", "ce:ListTagsForResource"],
            _anomalies(hub),
        ),
        allow("LookUp", LOOK_UP, "*"),
        *_of_the_estates_keys(
            reach,
            "ReadKeys",
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
        ),
        # What a schedule or a machine is set to do is read under its key.
        *uses(
            "ReadSignals",
            reach.encryption,
            [(each, "logs") for each in (hub, *reach.beside)],
            ["kms:Decrypt"],
            ["scheduler", "states"],
        ),
        *uses(
            "DecryptPrograms", reach.encryption, [(each, "models") for each in reach.beside], ["kms:Decrypt"], ["s3"]
        ),
    ]


LOOK_UP = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudformation:GetResource",
    "cloudformation:GetResourceRequestStatus",
    "cloudtrail:DescribeTrails",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribePrefixLists",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "kms:ListAliases",
    "logs:DescribeLogGroups",
    "sns:GetSubscriptionAttributes",
    "ssm:DescribeParameters",
)
"""What has no resource type, or is asked for all at once."""


def apply(reach: Reach) -> list[Statement]:
    """Plans; `ATTACHED` adds what it changes in this account, and deploy roles what lies in others."""
    elsewhere = [allow("DeployElsewhere", "sts:AssumeRole", list(reach.deploy_roles))] if reach.deploy_roles else []
    return [*plan(reach), deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"), *elsewhere]


def _registry(reach: Reach) -> list[Statement]:
    return [
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
            "ChangeCards",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelCard",
                "sagemaker:DeleteModelCard",
                "sagemaker:UpdateModelCard",
            ],
            reach.cards,
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
    ]


def _keys(reach: Reach) -> list[Statement]:
    """The keys there are: what they say, and what they lend to services. New ones are an administrator's to make."""
    mine = [
        allow(
            "LendKeysToServices",
            "kms:CreateGrant",
            reach.hub.arn("kms", "key/*"),
            {
                "StringEquals": {"aws:ResourceTag/estate": reach.hub.estate},
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
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
    return [
        *(mine if reach.own_keys else []),
        # Schedules, ledgers and state machines are encrypted as whoever makes them.
        *uses(
            "UseTheKeyOfSignals",
            reach.encryption,
            [(each, "logs") for each in (reach.hub, *reach.beside)],
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            ["dynamodb", "events", "scheduler", "states"],
        ),
        # What SageMaker does with the key of an online store for whoever makes one (developer guide, "Customer managed
        # key policy").
        *uses(
            "UseTheKeyOfFeatures",
            reach.encryption,
            [(each, "features") for each in reach.beside],
            [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ListGrants",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:RetireGrant",
            ],
            ["sagemaker"],
        ),
        *uses(
            "EncryptPrograms",
            reach.encryption,
            [(each, "models") for each in reach.beside],
            ["kms:GenerateDataKey"],
            ["s3"],
        ),
    ]


def _changing(concern: str) -> Callable[[Reach], list[Statement]]:
    def permissions(reach: Reach) -> list[Statement]:
        slices = [_prefix(names) for names in [reach.hub, *reach.beside]]
        return [
            allow(f"Change{each.sid}", each.changes, [arn for prefix in slices for arn in each.where(prefix)])
            for each in THINGS[concern]
        ]

    return permissions


def _machines(reach: Reach) -> list[Statement]:
    hub = reach.hub
    return [
        *_changing("machines")(reach),
        # The first model of an endpoint is made from a version. The SageMaker developer guide ("Deploy a model version
        # from a different account") names the action on versions, which the reference of actions leaves out.
        allow("ServeVersions", "sagemaker:CreateModel", reach.versions),
        # The ids of MLflow's apps are made up.
        allow(
            "ChangeApps",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateMlflowApp",
                "sagemaker:DeleteMlflowApp",
                "sagemaker:UpdateMlflowApp",
            ],
            hub.arn("sagemaker", "mlflow-app/*"),
        ),
        allow(
            "ChangeScaling",
            [
                "application-autoscaling:DeleteScalingPolicy",
                "application-autoscaling:DeleteScheduledAction",
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:PutScheduledAction",
                "application-autoscaling:RegisterScalableTarget",
            ],
            _targets(hub),
            {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
        allow(
            "TheRoleOfScaling",
            "iam:CreateServiceLinkedRole",
            hub.arn("iam", "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*", regional=False),
            {"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}},
        ),
        # Cloud Control's own actions have no resource type; it then acts with the caller's rights (Cloud Control API
        # user guide, "Specifying credentials").
        allow(
            "UseCloudControl",
            ["cloudformation:CreateResource", "cloudformation:DeleteResource", "cloudformation:UpdateResource"],
            "*",
        ),
    ]


def _workflows(reach: Reach) -> list[Statement]:
    return [
        *_changing("workflows")(reach),
        # Neither has a resource type: whose bus it is, EventBridge does not say to IAM.
        allow("ChangeWhoTellsBuses", ["events:PutPermission", "events:RemovePermission"], "*"),
    ]


def _signals(reach: Reach) -> list[Statement]:
    return [
        *_changing("signals")(reach),
        allow("ChangeSubscriptions", ["sns:SetSubscriptionAttributes", "sns:Unsubscribe"], "*"),
        allow("MakeAnomalies", ["ce:CreateAnomalyMonitor", "ce:CreateAnomalySubscription"], "*"),
        allow(
            "ChangeAnomalies",
            [
                "ce:DeleteAnomalyMonitor",
                "ce:DeleteAnomalySubscription",
                "ce:TagResource",
                "ce:UpdateAnomalyMonitor",
                "ce:UpdateAnomalySubscription",
            ],
            _anomalies(reach.hub),
        ),
    ]


def _identities(reach: Reach) -> list[Statement]:
    """Without the boundary of its environment no identity is made, given a permission, or given to another service."""
    statements = []
    for number, names in enumerate(reach.beside):
        roles = names.arn("iam", f"role{path(names)}{names.slice}-*", regional=False)
        boundary = names.arn("iam", f"policy{path(names)}{names.physical('policy', 'boundary')}", regional=False)
        statements += [
            allow(
                f"ChangeIdentities{number or ''}",
                [
                    "iam:CreateRole",
                    "iam:DeleteRolePolicy",
                    "iam:PutRolePermissionsBoundary",
                    "iam:PutRolePolicy",
                    "iam:UpdateAssumeRolePolicy",
                ],
                roles,
                {"StringEquals": {"iam:PermissionsBoundary": boundary}},
            ),
            allow(
                f"KeepIdentities{number or ''}",
                [
                    "iam:DeleteRole",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:UpdateRole",
                    "iam:UpdateRoleDescription",
                ],
                roles,
            ),
            allow(
                f"GiveThemTheirDuties{number or ''}",
                "iam:PassRole",
                roles,
                {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
            ),
        ]
    return statements


def _networks(reach: Reach) -> list[Statement]:
    """Networks of the estate by their tag, which every part of one carries from its making on."""
    hub = reach.hub
    parts = [hub.arn("ec2", f"{each}/*") for each in CREATED]
    create = [
        f"ec2:Create{each}" for each in ("FlowLogs", "RouteTable", "SecurityGroup", "Subnet", "Vpc", "VpcEndpoint")
    ]
    rules = [
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
    ]
    ours = {"StringEquals": {"aws:ResourceTag/estate": hub.estate}}
    return [
        allow("MakeNetworks", [*create, *rules], parts, {"StringEquals": {"aws:RequestTag/estate": hub.estate}}),
        allow(
            "ChangeNetworks",
            [
                *create,
                *rules,
                "ec2:AssociateRouteTable",
                "ec2:Delete*",
                "ec2:DisassociateRouteTable",
                "ec2:ModifySecurityGroupRules",
                "ec2:ModifySubnetAttribute",
                "ec2:ModifyVpc*",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
            ],
            parts,
            ours,
        ),
        allow(
            "TagNetworks",
            "ec2:CreateTags",
            parts,
            {"StringEquals": {"aws:RequestTag/estate": hub.estate}, "Null": {"ec2:CreateAction": "false"}},
        ),
        # Flow logs into a bucket are set up as the caller (VPC user guide, "Publish flow logs to Amazon S3").
        allow("DeliverFlowLogs", ["logs:CreateLogDelivery", "logs:DeleteLogDelivery"], "*"),
        allow("RetagNetworks", ["ec2:CreateTags", "ec2:DeleteTags"], parts, ours),
    ]


ATTACHED: Mapping[str, Callable[[Reach], list[Statement]]] = {
    "data": _changing("data"),
    "identities": _identities,
    "keys": _keys,
    "machines": _machines,
    "monitors": _changing("monitors"),
    "networks": _networks,
    "registry": _registry,
    "signals": _signals,
    "workflows": _workflows,
}
"""By concern: what *apply* may change in the hub's account, as managed policies; a role takes ten (IAM quotas)."""


def _prefix(names: Names) -> Prefix:
    return Prefix(names, f"{names.slice}-", f"{names.estate}/{names.environment}/")


def _targets(names: Names) -> str:
    return names.arn("application-autoscaling", "scalable-target/*")


def _anomalies(names: Names) -> list[str]:
    return [names.arn("ce", f"{each}/*", regional=False) for each in ("anomalymonitor", "anomalysubscription")]


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
