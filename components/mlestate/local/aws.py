"""AWS: what its resources are called, what they return, how it refuses.

Ids and ARNs are those of terraform-provider-aws 6 (the "Import" and "Attribute Reference" sections of its
documentation, repeated in the docstrings of pulumi_aws); the refusals are the error codes and messages of the services'
API references.
"""

import json
import os
import zlib
from collections.abc import Mapping
from typing import Any

from mlestate.local.kind import Facts, Kind, Naming

ACCOUNT = "000000000000"
REGION = "us-east-1"

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


def place(config: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Where an object lives and what follows from it: `region`, `account`, `partition`, `owner`, `defaultTags`.

    The region is the resource's own, else the provider's, else `AWS_REGION`, else us-east-1; the account is the first
    of the provider's `allowedAccountIds`, else 000000000000.
    """
    region = inputs.get("region") or config.get("region") or os.environ.get("AWS_REGION") or REGION
    account = next(iter(config.get("allowedAccountIds") or ()), ACCOUNT)
    bus = inputs.get("eventBusName") or "default"
    path = inputs.get("path") or "/"
    return {
        "region": region,
        "account": account,
        "owner": account,
        "partition": {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws"),
        "defaultTags": (config.get("defaultTags") or {}).get("tags") or {},
        "pathOrRoot": path,
        "host": str(inputs.get("url", "")).removeprefix("https://").rstrip("/"),
        "catalog": inputs.get("catalogId") or account,
        "bus": "" if bus == "default" else f"{bus}/",
        "dashedBus": "" if bus == "default" else f"{bus}-",
    }


NAMINGS: Mapping[str, Naming] = {
    "aws:s3/bucket:Bucket": Naming(63, lower=True),
    "aws:kms/alias:Alias": Naming(250, prefix="alias/"),
    "aws:iam/role:Role": Naming(64),
    "aws:iam/policy:Policy": Naming(128),
    "aws:sagemaker/model:Model": Naming(63),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Naming(63),
    "aws:sagemaker/endpoint:Endpoint": Naming(63),
    "aws:sqs/queue:Queue": Naming(80, suffix=lambda inputs: ".fifo" if inputs.get("fifoQueue") is True else ""),
    "aws:sns/topic:Topic": Naming(256, suffix=lambda inputs: ".fifo" if inputs.get("fifoTopic") is True else ""),
}
NAMING = Naming(255)


def invoke(function: str, arguments: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer of a data source, or None for one that the local cloud does not know."""
    here = Facts("", place(config, arguments))
    match function:
        case "aws:index/getCallerIdentity:getCallerIdentity":
            arn = here.text("arn:{partition}:iam::{account}:user/local")
            return {"accountId": here["account"], "arn": arn, "id": here["account"], "userId": "AIDALOCALLOCALLOCAL"}
        case "aws:index/getRegion:getRegion":
            region = here["region"]
            name = {"description": region, "endpoint": f"ec2.{region}.amazonaws.com"}
            return {"region": region, "name": region, "id": region, **name}
        case "aws:index/getPartition:getPartition":
            suffix = "amazonaws.com.cn" if here["partition"] == "aws-cn" else "amazonaws.com"
            reverse = ".".join(reversed(suffix.split(".")))
            return {"partition": here["partition"], "dnsSuffix": suffix, "reverseDnsPrefix": reverse,
                    "id": here["partition"]}  # fmt: skip
        case "aws:iam/getPolicyDocument:getPolicyDocument":
            return policy_document(arguments)
    return None


def policy_document(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`aws.iam.getPolicyDocument`: the document as the provider writes it, in words of one value where there is one."""
    statements: list[dict[str, Any]] = []
    for text in arguments.get("sourcePolicyDocuments") or []:
        statements += json.loads(text)["Statement"]
    for block in arguments.get("statements") or []:
        statement: dict[str, Any] = {}
        if block.get("sid"):
            statement["Sid"] = block["sid"]
        statement["Effect"] = block.get("effect") or "Allow"
        for key, name in (("actions", "Action"), ("notActions", "NotAction"), ("resources", "Resource"),
                          ("notResources", "NotResource")):  # fmt: skip
            if block.get(key):
                statement[name] = _one_or_sorted(block[key])
        for key, name in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
            if block.get(key):
                statement[name] = _principals(block[key])
        for condition in block.get("conditions") or []:
            tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
            tests[condition["variable"]] = (
                condition["values"] if len(condition["values"]) > 1 else condition["values"][0]
            )
        statements.append(statement)
    for text in arguments.get("overridePolicyDocuments") or []:
        statements = _overridden(statements, json.loads(text)["Statement"])
    document: dict[str, Any] = {"Version": arguments.get("version") or "2012-10-17"}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = statements
    text = json.dumps(document, indent=2)
    return {**arguments, "json": text, "minifiedJson": json.dumps(document, separators=(",", ":")), "id": str(
        zlib.crc32(text.encode()))}  # fmt: skip


def _overridden(statements: list[dict[str, Any]], overrides: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = {override["Sid"]: override for override in overrides if override.get("Sid")}
    kept = [named.pop(statement.get("Sid", ""), statement) for statement in statements]
    return kept + [override for override in overrides if not override.get("Sid") or override["Sid"] in named]


def _principals(blocks: list[dict[str, Any]]) -> Any:
    if len(blocks) == 1 and blocks[0]["type"] in ("*", "AWS") and blocks[0]["identifiers"] == ["*"]:
        return "*" if blocks[0]["type"] == "*" else {"AWS": "*"}
    merged: dict[str, list[str]] = {}
    for block in blocks:
        merged.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_sorted(identifiers) for kind, identifiers in merged.items()}


def _one_or_sorted(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else sorted(values)


# type -> (type of the holder, its property, the property it repeats, the refusal)
HOLDERS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "aws:iam/role:Role": (
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "role",
            "name",
            "DeleteConflict: Cannot delete entity, must detach all policies first. (role {id})",
        ),
    ),
    "aws:iam/policy:Policy": (
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "policyArn",
            "arn",
            "DeleteConflict: Cannot delete a policy attached to entities. ({id})",
        ),
    ),
}


def locked(resource: str, inputs: Mapping[str, Any]) -> str | None:
    """The refusal to delete what its own settings protect."""
    if inputs.get("deletionProtectionEnabled") is True and resource == "aws:dynamodb/table:Table":
        return (
            "ValidationException: Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first. ({id})"
        )
    return None
