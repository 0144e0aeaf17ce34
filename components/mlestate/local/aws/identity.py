"""Keys, roles, trails and analyzers: what the provider calls and returns, and what the services take."""

from collections.abc import Mapping

from mlestate.local.aws.rows import HERE, Operation, arn, document, global_arn, number, setting
from mlestate.local.kind import Kind

_ENTITY = "EntityAlreadyExists: "

KINDS: Mapping[str, Kind] = {
    "aws:kms/key:Key": Kind(
        "{uuid}",
        {
            "arn": arn("kms", "key/{id}"),
            "keyId": "{id}",
            "description": "",
            "multiRegion": False,
            "rotationPeriodInDays": lambda facts: 365 if facts["enableKeyRotation"] is True else 0,
            "policy": lambda facts: document(
                [
                    {
                        "Sid": "Enable IAM User Permissions",
                        "Effect": "Allow",
                        "Principal": {"AWS": facts.text("arn:{partition}:iam::{account}:root")},
                        "Action": "kms:*",
                        "Resource": "*",
                    }
                ]
            ),
        },
    ),
    "aws:kms/alias:Alias": Kind(
        "{name}",
        {
            "arn": arn("kms", "{name}"),
            "targetKeyArn": lambda facts: (
                facts["targetKeyId"]
                if facts["targetKeyId"].startswith("arn:")
                else facts.text(arn("kms", "key/{targetKeyId}"))
            ),
        },
        "name",
        HERE,
        "AlreadyExistsException: An alias with the name " + arn("kms", "{name}") + " already exists",
    ),
    "aws:kms/keyPolicy:KeyPolicy": setting("{keyId}"),
    "aws:iam/role:Role": Kind(
        "{name}",
        {
            "arn": global_arn("iam", "role{pathOrRoot}{name}"),
            "createDate": "{time}",
            "uniqueId": "AROA{upper:17}",
            "managedPolicyArns": [],
            "inlinePolicies": [],
        },
        "name",
        "{account}/role/{name}",
        _ENTITY + "Role with name {name} already exists.",
    ),
    "aws:iam/policy:Policy": Kind(
        global_arn("iam", "policy{pathOrRoot}{name}"),
        {"arn": "{id}", "attachmentCount": 0, "policyId": "ANPA{upper:17}"},
        "name",
        "{account}/policy/{name}",
        _ENTITY + "A policy called {name} already exists. Duplicate names are not allowed.",
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind("{role}:{name}", {}, "name", "{account}/{id}"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind("{role}/{policyArn}", {}, None, "{account}/{id}"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Kind(
        global_arn("iam", "oidc-provider/{host}"),
        {"arn": "{id}", "thumbprintLists": lambda facts: [facts.text("{hex:40}")]},
        None,
        "{id}",
        _ENTITY + "Provider with url https://{host} already exists.",
    ),
    "aws:cloudtrail/trail:Trail": Kind(
        arn("cloudtrail", "trail/{name}"),
        {
            "arn": "{id}",
            "homeRegion": "{region}",
            "snsTopicArn": lambda facts: (
                facts.text(arn("sns", "{snsTopicName}"))
                if facts["snsTopicName"] and not facts["snsTopicName"].startswith("arn:")
                else facts["snsTopicName"]
            ),
        },
        "name",
        HERE,
        "TrailAlreadyExistsException: Trail {name} already exists for customer: {account}",
    ),
    "aws:accessanalyzer/analyzer:Analyzer": Kind(
        "{analyzerName}",
        {"arn": arn("access-analyzer", "analyzer/{analyzerName}")},
        "analyzerName",
        HERE,
        "ConflictException: Analyzer {analyzerName} already exists",
    ),
}

OPERATIONS: Mapping[str, Operation] = {
    "aws:kms/key:Key": Operation(
        "kms",
        "CreateKey",
        {
            "deletionWindowInDays": number(7, 30),  # KMS API reference, ScheduleKeyDeletion
            "rotationPeriodInDays": "EnableKeyRotation:RotationPeriodInDays",
        },
        own="enableKeyRotation isEnabled",
    ),
    "aws:kms/alias:Alias": Operation("kms", "CreateAlias", {"name": "AliasName"}),
    "aws:kms/keyPolicy:KeyPolicy": Operation("kms", "PutKeyPolicy"),
    "aws:iam/role:Role": Operation(
        "iam",
        "CreateRole",
        {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
        own="forceDetachPolicies inlinePolicies managedPolicyArns",
    ),
    "aws:iam/policy:Policy": Operation(
        "iam", "CreatePolicy", {"name": "PolicyName", "policy": "PolicyDocument"}, own="delayAfterPolicyCreationInMs"
    ),
    "aws:iam/rolePolicy:RolePolicy": Operation(
        "iam", "PutRolePolicy", {"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Operation("iam", "AttachRolePolicy", {"role": "RoleName"}),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Operation("iam", "CreateOpenIDConnectProvider"),
    "aws:accessanalyzer/analyzer:Analyzer": Operation("accessanalyzer", "CreateAnalyzer", optional="type"),
    "aws:cloudtrail/trail:Trail": Operation(
        "cloudtrail",
        "CreateTrail",
        {
            "advancedEventSelectors": "PutEventSelectors:AdvancedEventSelectors",
            "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
            "eventSelectors": "PutEventSelectors:EventSelectors",
            "insightSelectors": "PutInsightSelectors:InsightSelectors",
            "tags": "AddTags:TagsList",
        },
        own="enableLogging",
    ),
}
