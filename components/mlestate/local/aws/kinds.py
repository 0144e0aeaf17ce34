"""The rows of AWS: ids, ARNs and other outputs, and the services' refusals."""

import json
from collections.abc import Mapping
from typing import Any

from mlestate.local.kind import Kind

HERE = "{account}/{region}/{id}"
_HOSTED_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE",
                 "eu-central-1": "Z21DNDUVLTQW6Q", "ca-central-1": "Z1QDHH18159H29"}  # fmt: skip

COMMON: Mapping[str, Any] = {
    "region": "{region}",
    "tagsAll": lambda facts: {**facts["defaultTags"], **(facts["tags"] or {})},
    "ownerId": "{account}",
    "owner": "{account}",
    "registryId": "{account}",
}


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _global_arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}::{{account}}:{resource}"


def _ec2(prefix: str, resource: str, outputs: Mapping[str, Any], unique: str = "", taken: str = "") -> Kind:
    return Kind(f"{prefix}-{{hex:17}}", {"arn": _arn("ec2", f"{resource}/{{id}}"), **outputs}, None, unique, taken)


def _sagemaker(resource: str, name: str, taken: str, **outputs: Any) -> Kind:
    arn = _arn("sagemaker", f"{resource}/{{{name}}}")
    return Kind(f"{{{name}}}", {"arn": arn, **outputs}, name, HERE, taken.replace("{arn}", arn))


def _setting(identity: str = "{bucket}", **outputs: Any) -> Kind:
    """A setting that the API puts: whoever writes last is right."""
    return Kind(identity, outputs)


_EXISTING = "ValidationException: Cannot create already existing "
_ENTITY = "EntityAlreadyExists: "

KINDS: Mapping[str, Kind] = {
    "aws:s3/bucket:Bucket": Kind(
        "{bucket}",
        {
            "arn": "arn:{partition}:s3:::{bucket}",
            "bucket": "{bucket}",
            "bucketDomainName": "{bucket}.s3.amazonaws.com",
            "bucketRegion": "{region}",
            "bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
            "hostedZoneId": lambda facts: _HOSTED_ZONES.get(facts["region"], facts.text("Z{upper:13}")),
            "objectLockEnabled": False,
            "requestPayer": "BucketOwner",
            "versioning": {"enabled": False, "mfaDelete": False},
            "serverSideEncryptionConfiguration": {
                "rule": {
                    "applyServerSideEncryptionByDefault": {"kmsMasterKeyId": "", "sseAlgorithm": "AES256"},
                    "bucketKeyEnabled": False,
                }
            },
            "grants": lambda facts: [
                {"id": facts.text("{hex:64}"), "permissions": ["FULL_CONTROL"], "type": "CanonicalUser", "uri": ""}
            ],
        },
        "bucket",
        "s3/{bucket}",
        "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it."
        " (bucket {bucket})",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        transitionDefaultMinimumObjectSize="all_storage_classes_128K"
    ),
    "aws:s3/bucketLogging:BucketLogging": _setting(),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _setting(objectLockEnabled="Enabled"),
    "aws:s3/bucketNotification:BucketNotification": _setting(),
    "aws:kms/key:Key": Kind(
        "{uuid}",
        {
            "arn": _arn("kms", "key/{id}"),
            "keyId": "{id}",
            "description": "",
            "multiRegion": False,
            "rotationPeriodInDays": lambda facts: 365 if facts["enableKeyRotation"] is True else 0,
            "policy": lambda facts: _document(
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
            "arn": _arn("kms", "{name}"),
            "targetKeyArn": lambda facts: (
                facts["targetKeyId"]
                if facts["targetKeyId"].startswith("arn:")
                else facts.text(_arn("kms", "key/{targetKeyId}"))
            ),
        },
        "name",
        HERE,
        "AlreadyExistsException: An alias with the name " + _arn("kms", "{name}") + " already exists",
    ),
    "aws:kms/keyPolicy:KeyPolicy": _setting("{keyId}"),
    "aws:iam/role:Role": Kind(
        "{name}",
        {
            "arn": _global_arn("iam", "role{pathOrRoot}{name}"),
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
        _global_arn("iam", "policy{pathOrRoot}{name}"),
        {"arn": "{id}", "attachmentCount": 0, "policyId": "ANPA{upper:17}"},
        "name",
        "{account}/policy/{name}",
        _ENTITY + "A policy called {name} already exists. Duplicate names are not allowed.",
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind("{role}:{name}", {}, "name", "{account}/{id}"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind("{role}/{policyArn}", {}, None, "{account}/{id}"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Kind(
        _global_arn("iam", "oidc-provider/{host}"),
        {"arn": "{id}", "thumbprintLists": lambda facts: [facts.text("{hex:40}")]},
        None,
        "{id}",
        _ENTITY + "Provider with url https://{host} already exists.",
    ),
    "aws:ecr/repository:Repository": Kind(
        "{name}",
        {
            "arn": _arn("ecr", "repository/{name}"),
            "repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}",
        },
        "name",
        HERE,
        "RepositoryAlreadyExistsException: The repository with name '{name}' already exists in the registry with id"
        " '{account}'",
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _setting("{repository}"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _setting("{repository}"),
    "aws:sagemaker/model:Model": _sagemaker(
        "model", "name", _EXISTING + 'model "{arn}".', inferenceExecutionConfig={"mode": "Serial"}
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": _sagemaker(
        "endpoint-config", "name", _EXISTING + 'endpoint configuration "{arn}".'
    ),
    "aws:sagemaker/endpoint:Endpoint": _sagemaker("endpoint", "name", _EXISTING + 'endpoint "{arn}".'),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": _sagemaker(
        "model-package-group",
        "modelPackageGroupName",
        "ValidationException: Model Package Group already exists: {arn}",
    ),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": _setting("{modelPackageGroupName}"),
    "aws:sagemaker/featureGroup:FeatureGroup": _sagemaker(
        "feature-group",
        "featureGroupName",
        "ResourceInUse: Resource Already Exists: FeatureGroup with name {featureGroupName} already exists.",
        throughputConfig=lambda facts: {"throughputMode": "OnDemand"},
    ),
    "aws:sagemaker/pipeline:Pipeline": _sagemaker(
        "pipeline",
        "pipelineName",
        "ValidationException: Pipeline names must be unique within an AWS account and region. Pipeline with name"
        " ({pipelineName}) already exists.",
    ),
    "aws:cloudtrail/trail:Trail": Kind(
        _arn("cloudtrail", "trail/{name}"),
        {
            "arn": "{id}",
            "homeRegion": "{region}",
            "snsTopicArn": lambda facts: (
                facts.text(_arn("sns", "{snsTopicName}"))
                if facts["snsTopicName"] and not facts["snsTopicName"].startswith("arn:")
                else facts["snsTopicName"]
            ),
        },
        "name",
        HERE,
        "TrailAlreadyExistsException: Trail {name} already exists for customer: {account}",
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": Kind(
        "{catalog}:{name}",
        {
            "arn": _arn("glue", "database/{name}"),
            "catalogId": "{account}",
            "locationUri": "",
            "createTableDefaultPermissions": [
                {"permissions": ["ALL"], "principal": {"dataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}}
            ],
        },
        "name",
        HERE,
        "AlreadyExistsException: Database already exists.",
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        "{name}",
        {"arn": _arn("logs", "log-group:{name}"), "logGroupClass": "STANDARD", "deletionProtectionEnabled": False},
        "name",
        HERE,
        "ResourceAlreadyExistsException: The specified log group already exists",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        "{name}",
        {"arn": _arn("cloudwatch", "alarm:{name}"), "evaluateLowSampleCountPercentiles": ""},
        "name",
        HERE,
    ),
    "aws:cloudwatch/eventRule:EventRule": Kind(
        "{bus}{name}", {"arn": _arn("events", "rule/{bus}{name}")}, "name", HERE
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Kind(
        "{dashedBus}{rule}-{targetId}", unique=HERE, generates={"targetId": "pulumi-{hex:26}"}
    ),
    "aws:sns/topic:Topic": Kind(
        _arn("sns", "{name}"),
        {
            "arn": "{id}",
            "beginningArchiveTime": "",
            "fifoThroughputScope": "",
            "signatureVersion": 0,
            "tracingConfig": "",
            "policy": lambda facts: _document(
                [
                    {
                        "Sid": "__default_statement_ID",
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
                        "Resource": facts["id"],
                        "Condition": {"StringEquals": {"AWS:SourceOwner": facts["account"]}},
                    }
                ],
                "2008-10-17",
            ),
        },
        "name",
        HERE,
    ),
    "aws:sns/topicPolicy:TopicPolicy": _setting("{arn}"),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        "{topic}:{uuid}",
        {
            "arn": "{id}",
            "confirmationWasAuthenticated": lambda facts: facts["protocol"] not in ("email", "email-json"),
            "pendingConfirmation": lambda facts: facts["protocol"] in ("email", "email-json"),
            "filterPolicyScope": "",
        },
    ),
    "aws:sqs/queue:Queue": Kind(
        "https://sqs.{region}.amazonaws.com/{account}/{name}",
        {
            "arn": _arn("sqs", "{name}"),
            "url": "{id}",
            "deduplicationScope": "",
            "fifoThroughputLimit": "",
            "kmsDataKeyReusePeriodSeconds": 300,
            "policy": "",
            "redriveAllowPolicy": "",
            "redrivePolicy": "",
            "sqsManagedSseEnabled": lambda facts: not facts["kmsMasterKeyId"],
        },
        "name",
        "{id}",
        "QueueAlreadyExists: A queue already exists with the same name and a different value for an attribute ({name})",
    ),
    "aws:appautoscaling/target:Target": Kind(
        "{resourceId}",
        {
            "arn": _arn("application-autoscaling", "scalable-target/{hex:36}"),
            "roleArn": _global_arn(
                "iam",
                "role/aws-service-role/{serviceNamespace}.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_Endpoint",
            ),
            "suspendedState": {
                "dynamicScalingInSuspended": False,
                "dynamicScalingOutSuspended": False,
                "scheduledScalingSuspended": False,
            },
        },
        None,
        "{account}/{region}/{serviceNamespace}/{scalableDimension}/{resourceId}",
    ),
    "aws:appautoscaling/policy:Policy": Kind(
        "{name}",
        {
            "arn": "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{uuid}:resource/{serviceNamespace}/"
            "{resourceId}:policyName/{name}",
            "alarmArns": [],
        },
        "name",
        "{account}/{region}/{serviceNamespace}/{scalableDimension}/{resourceId}/{name}",
    ),
    "aws:accessanalyzer/analyzer:Analyzer": Kind(
        "{analyzerName}",
        {"arn": _arn("access-analyzer", "analyzer/{analyzerName}")},
        "analyzerName",
        HERE,
        "ConflictException: Analyzer {analyzerName} already exists",
    ),
    "aws:athena/workgroup:Workgroup": Kind(
        "{name}",
        {"arn": _arn("athena", "workgroup/{name}")},
        "name",
        HERE,
        "InvalidRequestException: WorkGroup {name} is already created",
    ),
    "aws:dynamodb/table:Table": Kind(
        "{name}",
        {
            "arn": _arn("dynamodb", "table/{name}"),
            "streamArn": lambda facts: (
                (facts["streamEnabled"] is True and facts.text(_arn("dynamodb", "table/{name}/stream/{time}"))) or ""
            ),
            "streamLabel": lambda facts: (facts["streamEnabled"] is True and facts.text("{time}")) or "",
            "streamViewType": "",
            "readCapacity": 0,
            "writeCapacity": 0,
            "pointInTimeRecovery": {"enabled": False, "recoveryPeriodInDays": 0},
            "ttl": {"attributeName": "", "enabled": False},
        },
        "name",
        HERE,
        "ResourceInUseException: Table already exists: {name}",
    ),
    "aws:ec2/vpc:Vpc": _ec2(
        "vpc",
        "vpc",
        {
            "defaultNetworkAclId": "acl-{hex:17}",
            "defaultRouteTableId": "rtb-{hex:17}",
            "defaultSecurityGroupId": "sg-{hex:17}",
            "dhcpOptionsId": "dopt-{hex:17}",
            "mainRouteTableId": "rtb-{hex:17}",
            "enableDnsHostnames": False,
            "enableNetworkAddressUsageMetrics": False,
            "ipv6AssociationId": "",
            "ipv6CidrBlock": "",
            "ipv6CidrBlockNetworkBorderGroup": "",
        },
    ),
    "aws:ec2/subnet:Subnet": _ec2(
        "subnet",
        "subnet",
        {
            "availabilityZone": "{region}a",
            "availabilityZoneId": "",
            "ipv6CidrBlockAssociationId": "",
            "ipv6CidrBlock": "",
            "privateDnsHostnameTypeOnLaunch": "ip-name",
        },
        "{vpcId}/{cidrBlock}",
        "InvalidSubnet.Conflict: The CIDR '{cidrBlock}' conflicts with another subnet",
    ),
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        "sg-{hex:17}",
        {
            "arn": _arn("ec2", "security-group/{id}"),
            "description": "Managed by Pulumi",
            "egress": [],
            "ingress": [],
        },
        "name",
        "{account}/{region}/{vpcId}/{name}",
        "InvalidGroup.Duplicate: The security group '{name}' already exists for VPC '{vpcId}'",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _ec2(
        "vpce",
        "vpc-endpoint",
        {
            "cidrBlocks": [],
            "dnsEntries": lambda facts: (
                [{"dnsName": facts.text("{id}-{hex:8}.vpce.amazonaws.com"), "hostedZoneId": facts.text("Z{upper:13}")}]
                if facts["vpcEndpointType"] == "Interface"
                else []
            ),
            "dnsOptions": lambda facts: {
                "dnsRecordIpType": "ipv4" if facts["vpcEndpointType"] == "Interface" else "service-defined"
            },
            "ipAddressType": "ipv4",
            "networkInterfaceIds": lambda facts: [
                f"eni-{facts.text('{hex:15}')}{index:02}" for index, _ in enumerate(facts["subnetIds"] or [])
            ],
            "prefixListId": lambda facts: facts.text("pl-{hex:8}") if facts["vpcEndpointType"] != "Interface" else "",
            "policy": lambda facts: _document(
                [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}], "2008-10-17"
            ),
            "privateDnsEnabled": False,
            "requesterManaged": False,
            "routeTableIds": [],
            "securityGroupIds": [],
            "serviceRegion": "{region}",
            "state": "available",
            "subnetConfigurations": [],
            "subnetIds": [],
        },
    ),
    "aws:cloudcontrol/resource:Resource": Kind("{uuid}", {"properties": "{desiredState}", "schema": ""}),
}


def _document(statements: list[dict[str, Any]], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": statements}, separators=(",", ":"))
