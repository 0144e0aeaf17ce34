"""What must stand before an object can be made, and what must be gone before it can be deleted.

A name that is passed as a text hides the order in which things are made: here it fails as it fails in the cloud. Not
asked for are networks, keys and monitors of cost, which an estate may take over from somebody else.
"""

import re
from collections.abc import Mapping

from mlestate.local.kind import Facts, Need

_BUCKET, _ROLE, _POLICY = "aws:s3/bucket:Bucket", "aws:iam/role:Role", "aws:iam/policy:Policy"
_RULE, _TOPIC, _QUEUE = "aws:cloudwatch/eventRule:EventRule", "aws:sns/topic:Topic", "aws:sqs/queue:Queue"
_LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_TARGET = "aws:appautoscaling/target:Target"
_ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
_NO_ROLE = "NoSuchEntity: The role with name {id} cannot be found."
_NO_REPOSITORY = "RepositoryNotFoundException: The repository with name '{id}' does not exist in the registry"


def _models(facts: Facts) -> list[str]:
    variants = [*(facts["productionVariants"] or ()), *(facts["shadowProductionVariants"] or ())]
    return [variant["modelName"] for variant in variants if variant.get("modelName")]


def _endpoints(facts: Facts) -> list[str]:
    found = re.fullmatch(r"endpoint/([^/]+)/variant/[^/]+", facts["resourceId"])
    return [found[1]] if found else []


def _policies(*arns: str) -> list[str]:
    """The customer's own policies among them: AWS's always stand."""
    return [arn for arn in arns if arn and ":iam::aws:" not in arn]


def _watched(facts: Facts) -> list[str]:
    found = re.findall(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*["']?([^"'()]+?)["']?\s*\)""", facts["alarmRule"])
    return [name.rpartition(":alarm:")[2] for name in found]


def _log_groups(facts: Facts) -> list[str]:
    destination = (facts["loggingConfiguration"] or {}).get("logDestination") or ""
    return [destination.partition(":log-group:")[2].removesuffix(":*")] if destination else []


def _definitions(facts: Facts) -> list[str]:
    config = facts["monitoringScheduleConfig"]
    own = config["monitoringType"] == "DataQuality"  # the others are made by Cloud Control
    return [config["monitoringJobDefinitionName"]] if own and config.get("monitoringJobDefinitionName") else []


_A_BUCKET = Need((_BUCKET,), lambda facts: [facts["bucket"]], "NoSuchBucket: The specified bucket does not exist: {id}")
_A_TARGET = Need(
    (_TARGET,),
    lambda facts: [facts["resourceId"]],
    "ObjectNotFoundException: No scalable target registered for resource ID: {id}",
)

NEEDS: Mapping[str, tuple[Need, ...]] = {
    **{
        f"aws:s3/{name[0].lower()}{name[1:]}:{name}": (_A_BUCKET,)
        for name in (
            *("BucketVersioning", "BucketServerSideEncryptionConfiguration", "BucketPublicAccessBlock"),
            *("BucketOwnershipControls", "BucketPolicy", "BucketLifecycleConfiguration", "BucketNotification"),
            *("BucketObjectLockConfiguration", "BucketObjectv2"),
        )
    },
    "aws:s3/bucketLogging:BucketLogging": (
        _A_BUCKET,
        Need(
            (_BUCKET,),
            lambda facts: [facts["targetBucket"]],
            "InvalidTargetBucketForLogging: The target bucket for logging does not exist: {id}",
        ),
    ),
    _ROLE: (
        Need(
            (_POLICY,),
            lambda facts: _policies(facts["permissionsBoundary"]),
            "NoSuchEntity: Scope ARN: {id} does not exist or is not attachable.",
        ),
    ),
    "aws:iam/rolePolicy:RolePolicy": (Need((_ROLE,), lambda facts: [facts["role"]], _NO_ROLE),),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        Need((_ROLE,), lambda facts: [facts["role"]], _NO_ROLE),
        Need(
            (_POLICY,),
            lambda facts: _policies(facts["policyArn"]),
            "NoSuchEntity: Policy {id} does not exist or is not attachable.",
        ),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (
        Need(("aws:ecr/repository:Repository",), lambda facts: [facts["repository"]], _NO_REPOSITORY),
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": (
        Need(("aws:ecr/repository:Repository",), lambda facts: [facts["repository"]], _NO_REPOSITORY),
    ),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": (
        Need(
            ("aws:sagemaker/modelPackageGroup:ModelPackageGroup",),
            lambda facts: [facts["modelPackageGroupName"]],
            "ValidationException: Model Package Group {id} does not exist.",
        ),
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": (
        Need(("aws:sagemaker/model:Model",), _models, 'ValidationException: Could not find model "{id}".'),
    ),
    "aws:sagemaker/endpoint:Endpoint": (
        Need(
            ("aws:sagemaker/endpointConfiguration:EndpointConfiguration",),
            lambda facts: [facts["endpointConfigName"]],
            'ValidationException: Could not find endpoint configuration "{id}".',
        ),
    ),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": (
        Need(
            ("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",),
            _definitions,
            'ResourceNotFound: Could not find job definition "{id}".',
        ),
    ),
    _TARGET: (
        Need(
            ("aws:sagemaker/endpoint:Endpoint",),
            _endpoints,
            "ValidationException: SageMaker endpoint variant not found: endpoint {id}",
        ),
    ),
    "aws:appautoscaling/policy:Policy": (_A_TARGET,),
    "aws:appautoscaling/scheduledAction:ScheduledAction": (_A_TARGET,),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": (
        Need(
            _ALARMS,
            _watched,
            "ValidationError: Could not save the composite alarm as the alarm {id} in the alarm rule does not exist",
        ),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
        Need(
            (_LOG_GROUP,),
            lambda facts: [facts["logGroupName"]],
            "ResourceNotFoundException: The specified log group does not exist: {id}",
        ),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        Need(
            (_RULE,),
            lambda facts: [facts.text("{bus}{rule}")],
            "ResourceNotFoundException: Rule {id} does not exist.",
        ),
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": (
        Need(
            ("aws:cloudwatch/eventConnection:EventConnection",),
            lambda facts: [facts["connectionArn"].split("/")[1]],
            "ResourceNotFoundException: Connection {id} does not exist.",
        ),
    ),
    "aws:scheduler/schedule:Schedule": (
        Need(
            ("aws:scheduler/scheduleGroup:ScheduleGroup",),
            lambda facts: [] if facts["group"] == "default" else [facts["group"]],
            "ResourceNotFoundException: Schedule group {id} does not exist.",
        ),
    ),
    "aws:sfn/stateMachine:StateMachine": (
        Need((_LOG_GROUP,), _log_groups, "InvalidLoggingConfiguration: The log group {id} does not exist."),
    ),
    "aws:sns/topicPolicy:TopicPolicy": (
        Need((_TOPIC,), lambda facts: [facts["arn"]], "NotFound: Topic does not exist: {id}"),
    ),
    "aws:sns/topicSubscription:TopicSubscription": (
        Need((_TOPIC,), lambda facts: [facts["topic"]], "NotFound: Topic does not exist: {id}"),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (
        Need(
            (_QUEUE,), lambda facts: [facts["queueUrl"]], "QueueDoesNotExist: The specified queue does not exist: {id}"
        ),
    ),
    "aws:glue/catalogTable:CatalogTable": (
        Need(
            ("aws:glue/catalogDatabase:CatalogDatabase",),
            lambda facts: [facts.text("{catalog}:{databaseName}")],
            "EntityNotFoundException: Database {id} not found.",
        ),
    ),
    "aws:glue/catalogTableOptimizer:CatalogTableOptimizer": (
        Need(
            ("aws:glue/catalogTable:CatalogTable",),
            lambda facts: [facts.text("{catalogId}:{databaseName}:{tableName}")],
            "EntityNotFoundException: Entity Not Found: table {id}",
        ),
    ),
    "aws:athena/namedQuery:NamedQuery": (
        Need(
            ("aws:athena/workgroup:Workgroup",),
            lambda facts: [facts["workgroup"]] if facts["workgroup"] not in ("", "primary") else [],
            "InvalidRequestException: WorkGroup {id} is not found.",
        ),
    ),
    "aws:budgets/budgetAction:BudgetAction": (
        Need(
            ("aws:budgets/budget:Budget",),
            lambda facts: [facts.text("{account}:{budgetName}")],
            "NotFoundException: Unable to get budget: {id} - the budget doesn't exist.",
        ),
    ),
}

_IN_USE = "DependencyViolation: The {what} '{{id}}' has dependencies and cannot be deleted."

# type -> (type of the holder, its property, the property it repeats, the refusal)
HOLDERS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    _ROLE: (
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "role",
            "name",
            "DeleteConflict: Cannot delete entity, must detach all policies first. (role {id})",
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "role",
            "name",
            "DeleteConflict: Cannot delete entity, must delete policies first. (role {id})",
        ),
    ),
    _POLICY: (
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "policyArn",
            "arn",
            "DeleteConflict: Cannot delete a policy attached to entities. ({id})",
        ),
    ),
    _RULE: (
        (
            "aws:cloudwatch/eventTarget:EventTarget",
            "rule",
            "name",
            "ValidationException: Rule can't be deleted since it has targets. ({id})",
        ),
    ),
    **{
        token: tuple((holder, pointer, "id", _IN_USE.format(what=what)) for holder, pointer in holders)
        for token, what, holders in (
            (
                "aws:ec2/vpc:Vpc",
                "vpc",
                (
                    ("aws:ec2/subnet:Subnet", "vpcId"),
                    ("aws:ec2/securityGroup:SecurityGroup", "vpcId"),
                    ("aws:ec2/vpcEndpoint:VpcEndpoint", "vpcId"),
                    ("aws:ec2/routeTable:RouteTable", "vpcId"),
                ),
            ),
            ("aws:ec2/subnet:Subnet", "subnet", (("aws:ec2/vpcEndpoint:VpcEndpoint", "subnetIds"),)),
            (
                "aws:ec2/securityGroup:SecurityGroup",
                "security group",
                (("aws:ec2/vpcEndpoint:VpcEndpoint", "securityGroupIds"),),
            ),
            (
                "aws:ec2/routeTable:RouteTable",
                "routeTable",
                (("aws:ec2/routeTableAssociation:RouteTableAssociation", "routeTableId"),),
            ),
        )
    },
}
