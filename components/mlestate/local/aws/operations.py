"""Which operation of an AWS API stands behind a resource type, and where the provider departs from its names.

The operations are those that terraform-provider-aws calls; the properties that it renames, wraps or adds are told by
the "Argument Reference" of its documentation, repeated in the docstrings of pulumi_aws.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlestate.local.aws.models import ApiShape

# Properties that speak to the provider and to no API.
EVERYWHERE = ("region", "namePrefix", "forceDestroy", "forceDelete", "skipDestroy", "timeouts")


@dataclass(frozen=True)
class Row:
    """The operation behind a resource type.

    `at` says which member a property becomes when the names do not: a path from the structure that the property's
    parent became, after `Operation:` where another operation of the service takes it, or limits that the service's
    documentation gives and its model lacks. `own` are properties that are the provider's, or of no use to the estate:
    they are not checked against the API. `optional` are members that the API requires and the provider fills in.
    """

    service: str
    operation: str
    at: Mapping[str, str | ApiShape] = field(default_factory=dict)
    own: str = ""
    optional: str = ""

    @property
    def paths(self) -> Mapping[str, str | ApiShape | None]:
        return {**dict.fromkeys(self.own.split()), **self.at}

    def operations(self) -> Iterator[str]:
        """Every operation that the row speaks of."""
        yield self.operation
        yield from (said.partition(":")[0] for said in self.at.values() if isinstance(said, str) and ":" in said)


def _number(least: int, most: int) -> ApiShape:
    return ApiShape("", "integer", {}, least=least, most=most)


def _text(most: int) -> ApiShape:
    return ApiShape("", "string", {}, most=most)


def _one_of(*values: object) -> ApiShape:
    return ApiShape("", "integer" if isinstance(values[0], int) else "string", {}, enum=tuple(map(str, values)))


# CloudWatch Logs API reference, PutRetentionPolicy; 0 is the provider's word for never.
_RETENTIONS = _one_of(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
                      3288, 3653)  # fmt: skip
_EC2_TAGS = {"tags": "CreateTags:Tags"}
_TARGET = ["arn", "deadLetterConfig", "input", "inputPath", "inputTransformer", "retryPolicy", "roleArn"]
_SNS_FEEDBACK = " ".join(
    f"{protocol}{outcome}"
    for protocol in ("application", "firehose", "http", "lambda", "sqs")
    for outcome in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
)
_RULE = "IpPermissions."
_SECURITY_RULE = {
    "securityGroupId": "GroupId", "cidrIpv4": f"{_RULE}IpRanges.CidrIp", "cidrIpv6": f"{_RULE}Ipv6Ranges.CidrIpv6",
    "description": f"{_RULE}IpRanges.Description", "prefixListId": f"{_RULE}PrefixListIds.PrefixListId",
    "referencedSecurityGroupId": f"{_RULE}UserIdGroupPairs.GroupId", **_EC2_TAGS,
}  # fmt: skip

TABLE: Mapping[str, Row] = {
    # Storage
    "aws:s3/bucket:Bucket": Row(
        "s3",
        "CreateBucket",
        {"objectLockEnabled": "ObjectLockEnabledForBucket", "tags": "PutBucketTagging:Tagging.TagSet"},
        own="accelerationStatus bucketPrefix corsRules grants lifecycleRules logging objectLockConfiguration policy "
        "replicationConfiguration requestPayer serverSideEncryptionConfiguration versioning website",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Row("s3", "PutBucketVersioning"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Row(
        "s3",
        "PutBucketEncryption",
        {
            "rules": "ServerSideEncryptionConfiguration.Rules",
            "rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType",
        },
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Row(
        "s3",
        "PutPublicAccessBlock",
        {
            name: f"PublicAccessBlockConfiguration.{name[0].upper()}{name[1:]}"
            for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        },
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Row(
        "s3", "PutBucketOwnershipControls", {"rule": "OwnershipControls.Rules"}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Row("s3", "PutBucketPolicy"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Row(
        "s3", "PutBucketLifecycleConfiguration", {"rules": "LifecycleConfiguration.Rules"}
    ),
    "aws:s3/bucketLogging:BucketLogging": Row(
        "s3",
        "PutBucketLogging",
        {
            name: f"BucketLoggingStatus.LoggingEnabled.T{name[1:]}"
            for name in ("targetBucket", "targetPrefix", "targetGrants", "targetObjectKeyFormat")
        },
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": Row(
        "s3",
        "PutObjectLockConfiguration",
        {
            "objectLockEnabled": "ObjectLockConfiguration.ObjectLockEnabled",
            "rule": "ObjectLockConfiguration.Rule",
        },
    ),
    "aws:s3/bucketNotification:BucketNotification": Row(
        "s3", "PutBucketNotificationConfiguration", own="eventbridge lambdaFunctions queues topics"
    ),
    "aws:s3/bucketObject:BucketObject": Row(
        "s3",
        "PutObject",
        {"kmsKeyId": "SSEKMSKeyId"},
        own="content contentBase64 etag source sourceHash tags websiteRedirect",
    ),
    "aws:dynamodb/table:Table": Row(
        "dynamodb",
        "CreateTable",
        {
            "name": "TableName",
            "attributes": "AttributeDefinitions",
            "attributes.name": "AttributeName",
            "attributes.type": "AttributeType",
            "hashKey": "KeySchema.AttributeName",
            "rangeKey": "KeySchema.AttributeName",
            "pointInTimeRecovery": "UpdateContinuousBackups:PointInTimeRecoverySpecification",
            "pointInTimeRecovery.enabled": "PointInTimeRecoveryEnabled",
            "serverSideEncryption": "SSESpecification",
            "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
            "streamEnabled": "StreamSpecification.StreamEnabled",
            "streamViewType": "StreamSpecification.StreamViewType",
            "ttl": "UpdateTimeToLive:TimeToLiveSpecification",
        },
        own="globalSecondaryIndexes localSecondaryIndexes globalTableWitness importTable readCapacity writeCapacity "
        "replicas restoreBackupArn restoreDateTime restoreSourceName restoreSourceTableArn restoreToLatestTime",
    ),
    "aws:ecr/repository:Repository": Row("ecr", "CreateRepository", {"name": "repositoryName"}),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Row(
        "ecr", "PutLifecyclePolicy", {"repository": "repositoryName", "policy": "lifecyclePolicyText"}
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Row(
        "ecr", "SetRepositoryPolicy", {"repository": "repositoryName", "policy": "policyText"}
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": Row(
        "glue",
        "CreateDatabase",
        {
            name: f"DatabaseInput.{name[0].upper()}{name[1:]}"
            for name in (
                "createTableDefaultPermissions",
                "description",
                "federatedDatabase",
                "locationUri",
                "name",
                "parameters",
                "targetDatabase",
            )
        },
    ),
    "aws:glue/catalogTable:CatalogTable": Row(
        "glue",
        "CreateTable",
        {
            "name": "TableInput.Name",
            **{
                name: f"TableInput.{name[0].upper()}{name[1:]}"
                for name in (
                    "description",
                    "owner",
                    "parameters",
                    "partitionKeys",
                    "retention",
                    "storageDescriptor",
                    "tableType",
                    "targetTable",
                    "viewDefinition",
                    "viewExpandedText",
                    "viewOriginalText",
                )
            },
        },
        own="openTableFormatInput.icebergInput.icebergTableInput partitionIndices viewDefinition",
    ),
    "aws:glue/catalogTableOptimizer:CatalogTableOptimizer": Row(
        "glue", "CreateTableOptimizer", {"configuration": "TableOptimizerConfiguration"}
    ),
    "aws:athena/workgroup:Workgroup": Row(
        "athena",
        "CreateWorkGroup",
        {
            "configuration.resultConfiguration.encryptionConfiguration.kmsKeyArn": "KmsKey",
            "state": "UpdateWorkGroup:State",
        },
        own="configuration.monitoringConfiguration.cloudWatchLoggingConfiguration.logTypes",
    ),
    "aws:athena/namedQuery:NamedQuery": Row("athena", "CreateNamedQuery", {"query": "QueryString"}),
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": Row(
        "lakeformation",
        "PutDataLakeSettings",
        {
            "admins": "DataLakeSettings.DataLakeAdmins.DataLakePrincipalIdentifier",
            "readOnlyAdmins": "DataLakeSettings.ReadOnlyAdmins.DataLakePrincipalIdentifier",
            "allowExternalDataFiltering": "DataLakeSettings.AllowExternalDataFiltering",
            "allowFullTableExternalDataAccess": "DataLakeSettings.AllowFullTableExternalDataAccess",
            "authorizedSessionTagValueLists": "DataLakeSettings.AuthorizedSessionTagValueList",
            "createDatabaseDefaultPermissions": "DataLakeSettings.CreateDatabaseDefaultPermissions",
            "createDatabaseDefaultPermissions.principal": "Principal.DataLakePrincipalIdentifier",
            "createTableDefaultPermissions": "DataLakeSettings.CreateTableDefaultPermissions",
            "createTableDefaultPermissions.principal": "Principal.DataLakePrincipalIdentifier",
            "parameters": "DataLakeSettings.Parameters",
            "trustedResourceOwners": "DataLakeSettings.TrustedResourceOwners",
        },
        own="externalDataFilteringAllowLists",
    ),
    "aws:lakeformation/resource:Resource": Row("lakeformation", "RegisterResource", {"arn": "ResourceArn"}),
    "aws:lakeformation/permissions:Permissions": Row(
        "lakeformation",
        "GrantPermissions",
        {
            "principal": "Principal.DataLakePrincipalIdentifier",
            "dataCellsFilter": "Resource.DataCellsFilter",
            "dataLocation": "Resource.DataLocation",
            "dataLocation.arn": "ResourceArn",
            "database": "Resource.Database",
            "lfTag": "Resource.LFTag",
            "lfTag.key": "TagKey",
            "lfTag.values": "TagValues",
            "lfTagPolicy": "Resource.LFTagPolicy",
            "lfTagPolicy.expressions.key": "TagKey",
            "lfTagPolicy.expressions.values": "TagValues",
            "table": "Resource.Table",
            "tableWithColumns": "Resource.TableWithColumns",
        },
        own="catalogResource table.wildcard tableWithColumns.excludedColumnNames tableWithColumns.wildcard",
    ),
    # Keys and identities
    "aws:kms/key:Key": Row(
        "kms",
        "CreateKey",
        {
            "deletionWindowInDays": _number(7, 30),  # KMS API reference, ScheduleKeyDeletion
            "rotationPeriodInDays": "EnableKeyRotation:RotationPeriodInDays",
        },
        own="enableKeyRotation isEnabled",
    ),
    "aws:kms/replicaKey:ReplicaKey": Row(
        "kms",
        "ReplicateKey",
        {"deletionWindowInDays": _number(7, 30), "primaryKeyArn": "KeyId"},
        own="enabled",
    ),
    "aws:kms/alias:Alias": Row("kms", "CreateAlias", {"name": "AliasName"}),
    "aws:kms/keyPolicy:KeyPolicy": Row("kms", "PutKeyPolicy"),
    "aws:iam/role:Role": Row(
        "iam",
        "CreateRole",
        {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
        own="forceDetachPolicies inlinePolicies managedPolicyArns",
    ),
    "aws:iam/policy:Policy": Row(
        "iam", "CreatePolicy", {"name": "PolicyName", "policy": "PolicyDocument"}, own="delayAfterPolicyCreationInMs"
    ),
    "aws:iam/rolePolicy:RolePolicy": Row(
        "iam", "PutRolePolicy", {"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Row("iam", "AttachRolePolicy", {"role": "RoleName"}),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Row("iam", "CreateOpenIDConnectProvider"),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": Row("iam", "CreateServiceLinkedRole", {"tags": "TagRole:Tags"}),
    "aws:accessanalyzer/analyzer:Analyzer": Row("accessanalyzer", "CreateAnalyzer"),
    "aws:accessanalyzer/archiveRule:ArchiveRule": Row("accessanalyzer", "CreateArchiveRule", own="filters"),
    "aws:secretsmanager/secret:Secret": Row(
        "secretsmanager",
        "CreateSecret",
        {"replicas": "AddReplicaRegions", "recoveryWindowInDays": _number(0, 30)},
        own="policy replicas.lastAccessedDate replicas.status replicas.statusMessage",
    ),
    # SageMaker
    "aws:sagemaker/model:Model": Row("sagemaker", "CreateModel", {"name": "ModelName"}),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Row(
        "sagemaker", "CreateEndpointConfig", {"name": "EndpointConfigName", "kmsKeyArn": "KmsKeyId"}
    ),
    "aws:sagemaker/endpoint:Endpoint": Row("sagemaker", "CreateEndpoint", {"name": "EndpointName"}),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": Row("sagemaker", "CreateModelPackageGroup"),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": Row("sagemaker", "PutModelPackageGroupPolicy"),
    "aws:sagemaker/featureGroup:FeatureGroup": Row("sagemaker", "CreateFeatureGroup"),
    # The provider makes the request's token itself.
    "aws:sagemaker/pipeline:Pipeline": Row("sagemaker", "CreatePipeline"),
    "aws:sagemaker/mlflowApp:MlflowApp": Row("sagemaker", "CreateMlflowApp"),
    "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer": Row("sagemaker", "CreateMlflowTrackingServer"),
    "aws:sagemaker/modelCard:ModelCard": Row("sagemaker", "CreateModelCard"),
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": Row(
        "sagemaker", "CreateDataQualityJobDefinition", {"name": "JobDefinitionName"}
    ),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": Row(
        "sagemaker",
        "CreateMonitoringSchedule",
        {
            "name": "MonitoringScheduleName",
            "monitoringScheduleConfig.monitoringJobDefinition.baseline": "BaselineConfig",
        },
    ),
    # Audit
    "aws:cloudtrail/trail:Trail": Row(
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
    "aws:cloudtrail/eventDataStore:EventDataStore": Row(
        "cloudtrail", "CreateEventDataStore", {"tags": "AddTags:TagsList"}, own="suspend"
    ),
    # Alarms, events, messages
    "aws:cloudwatch/logGroup:LogGroup": Row(
        "logs", "CreateLogGroup", {"name": "logGroupName", "retentionInDays": _RETENTIONS}
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Row(
        "logs",
        "PutMetricFilter",
        {
            "name": "filterName",
            "pattern": "filterPattern",
            "metricTransformation.name": "metricName",
            "metricTransformation.namespace": "metricNamespace",
            "metricTransformation.value": "metricValue",
        },
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Row("logs", "PutResourcePolicy"),
    "aws:cloudwatch/queryDefinition:QueryDefinition": Row("logs", "PutQueryDefinition"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Row(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "metricQueries.metric": "MetricStat",
            "metricQueries.metric.metricName": "Metric.MetricName",
            "metricQueries.metric.namespace": "Metric.Namespace",
            "metricQueries.metric.dimensions": "Metric.Dimensions",
        },
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Row(
        "cloudwatch",
        "PutCompositeAlarm",
        {"alarmActions": "AlarmActions"},
        own="actionsSuppressor",
    ),
    "aws:cloudwatch/dashboard:Dashboard": Row("cloudwatch", "PutDashboard"),
    "aws:cloudwatch/eventRule:EventRule": Row("events", "PutRule", own="isEnabled"),
    "aws:cloudwatch/eventTarget:EventTarget": Row(
        "events",
        "PutTargets",
        {
            **{name: f"Targets.{name[0].upper()}{name[1:]}" for name in _TARGET},
            "targetId": "Targets.Id",
            "inputTransformer.inputPaths": "InputPathsMap",
            "retryPolicy.maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
            "httpTarget": "Targets.HttpParameters",
            "sagemakerPipelineTarget": "Targets.SageMakerPipelineParameters",
            "sqsTarget": "Targets.SqsParameters",
        },
        own="appsyncTarget batchTarget ecsTarget kinesisTarget redshiftTarget runCommandTargets",
    ),
    "aws:cloudwatch/eventBus:EventBus": Row("events", "CreateEventBus"),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": Row("events", "PutPermission"),
    "aws:cloudwatch/eventArchive:EventArchive": Row("events", "CreateArchive", {"name": "ArchiveName"}),
    "aws:cloudwatch/eventConnection:EventConnection": Row(
        "events",
        "CreateConnection",
        {
            "authParameters.apiKey": "ApiKeyAuthParameters",
            "authParameters.apiKey.key": "ApiKeyName",
            "authParameters.apiKey.value": "ApiKeyValue",
            "authParameters.basic": "BasicAuthParameters",
        },
        own="authParameters.oauth authParameters.invocationHttpParameters authParameters.connectivityParameters "
        "invocationConnectivityParameters",
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": Row("events", "CreateApiDestination"),
    "aws:scheduler/schedule:Schedule": Row("scheduler", "CreateSchedule", own="target.ecsParameters"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Row("scheduler", "CreateScheduleGroup"),
    "aws:sfn/stateMachine:StateMachine": Row(
        "stepfunctions",
        "CreateStateMachine",
        {"loggingConfiguration.logDestination": "destinations.cloudWatchLogsLogGroup.logGroupArn"},
    ),
    "aws:ssm/parameter:Parameter": Row("ssm", "PutParameter", own="arn insecureValue valueWo valueWoVersion"),
    # SNS API reference, SetTopicAttributes and SetSubscriptionAttributes: attributes are a map of texts in the model.
    "aws:sns/topic:Topic": Row(
        "sns",
        "CreateTopic",
        {
            "displayName": _text(100),
            "signatureVersion": _one_of(1, 2),
            "tracingConfig": _one_of("PassThrough", "Active"),
        },
        own=f"{_SNS_FEEDBACK} archivePolicy contentBasedDeduplication deliveryPolicy fifoThroughputScope fifoTopic "
        "kmsMasterKeyId maximumMessageSize policy",
    ),
    "aws:sns/topicPolicy:TopicPolicy": Row("sns", "SetTopicAttributes", {"arn": "TopicArn"}, own="policy"),
    "aws:sns/topicSubscription:TopicSubscription": Row(
        "sns",
        "Subscribe",
        {
            "topic": "TopicArn",
            "protocol": _one_of(
                "http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"
            ),
            "filterPolicyScope": _one_of("MessageAttributes", "MessageBody"),
        },
        own="confirmationTimeoutInMinutes deliveryPolicy endpointAutoConfirms filterPolicy rawMessageDelivery "
        "redrivePolicy replayPolicy subscriptionRoleArn",
    ),
    # SQS API reference, SetQueueAttributes.
    "aws:sqs/queue:Queue": Row(
        "sqs",
        "CreateQueue",
        {
            "name": "QueueName",
            "delaySeconds": _number(0, 900),
            "kmsDataKeyReusePeriodSeconds": _number(60, 86400),
            "maxMessageSize": _number(1024, 1048576),
            "messageRetentionSeconds": _number(60, 1209600),
            "receiveWaitTimeSeconds": _number(0, 20),
            "visibilityTimeoutSeconds": _number(0, 43200),
            "deduplicationScope": _one_of("messageGroup", "queue"),
            "fifoThroughputLimit": _one_of("perQueue", "perMessageGroupId"),
        },
        own="contentBasedDeduplication fifoQueue kmsMasterKeyId policy redriveAllowPolicy redrivePolicy "
        "sqsManagedSseEnabled",
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Row("sqs", "SetQueueAttributes", own="policy"),
    # Scaling and cost
    "aws:appautoscaling/target:Target": Row("application-autoscaling", "RegisterScalableTarget"),
    "aws:appautoscaling/policy:Policy": Row("application-autoscaling", "PutScalingPolicy", {"name": "PolicyName"}),
    "aws:appautoscaling/scheduledAction:ScheduledAction": Row(
        "application-autoscaling", "PutScheduledAction", {"name": "ScheduledActionName"}
    ),
    "aws:budgets/budget:Budget": Row(
        "budgets",
        "CreateBudget",
        {
            "name": "Budget.BudgetName",
            "budgetType": "Budget.BudgetType",
            "timeUnit": "Budget.TimeUnit",
            "limitAmount": "Budget.BudgetLimit.Amount",
            "limitUnit": "Budget.BudgetLimit.Unit",
            "costTypes": "Budget.CostTypes",
            "notifications": "NotificationsWithSubscribers.Notification",
            "tags": "ResourceTags",
        },
        own="autoAdjustData billingViewArn costFilters filterExpression metrics plannedLimits timePeriodEnd "
        "timePeriodStart notifications.subscriberEmailAddresses notifications.subscriberSnsTopicArns",
    ),
    "aws:budgets/budgetAction:BudgetAction": Row("budgets", "CreateBudgetAction", {"tags": "ResourceTags"}),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": Row(
        "ce",
        "CreateAnomalyMonitor",
        {
            "name": "AnomalyMonitor.MonitorName",
            "monitorType": "AnomalyMonitor.MonitorType",
            "monitorDimension": "AnomalyMonitor.MonitorDimension",
            "tags": "ResourceTags",
        },
        own="monitorSpecification",
    ),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": Row(
        "ce",
        "CreateAnomalySubscription",
        {
            "name": "AnomalySubscription.SubscriptionName",
            "frequency": "AnomalySubscription.Frequency",
            "monitorArnLists": "AnomalySubscription.MonitorArnList",
            "subscribers": "AnomalySubscription.Subscribers",
            "accountId": "AnomalySubscription.AccountId",
            "tags": "ResourceTags",
        },
        own="thresholdExpression",
    ),
    # Network
    "aws:ec2/vpc:Vpc": Row(
        "ec2",
        "CreateVpc",
        _EC2_TAGS,
        own="assignGeneratedIpv6CidrBlock enableDnsHostnames enableDnsSupport enableNetworkAddressUsageMetrics",
    ),
    "aws:ec2/subnet:Subnet": Row(
        "ec2",
        "CreateSubnet",
        _EC2_TAGS,
        own="assignIpv6AddressOnCreation customerOwnedIpv4Pool enableDns64 enableLniAtDeviceIndex "
        "enableResourceNameDnsARecordOnLaunch enableResourceNameDnsAaaaRecordOnLaunch mapCustomerOwnedIpOnLaunch "
        "mapPublicIpOnLaunch privateDnsHostnameTypeOnLaunch",
    ),
    "aws:ec2/routeTable:RouteTable": Row("ec2", "CreateRouteTable", _EC2_TAGS, own="propagatingVgws routes"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Row("ec2", "AssociateRouteTable"),
    "aws:ec2/securityGroup:SecurityGroup": Row(
        "ec2",
        "CreateSecurityGroup",
        {"name": "GroupName", **_EC2_TAGS},
        own="egress ingress revokeRulesOnDelete",
        optional="description",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Row(
        "ec2", "CreateSecurityGroup", _EC2_TAGS, own="egress ingress revokeRulesOnDelete"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Row(
        "ec2", "CreateVpcEndpoint", {"policy": "PolicyDocument", **_EC2_TAGS}, own="autoAccept"
    ),
    "aws:ec2/flowLog:FlowLog": Row(
        "ec2",
        "CreateFlowLogs",
        {"iamRoleArn": "DeliverLogsPermissionArn", **_EC2_TAGS},
        own="eniId regionalNatGatewayId subnetId transitGatewayAttachmentId transitGatewayId vpcId",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Row(
        "ec2", "AuthorizeSecurityGroupIngress", _SECURITY_RULE
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Row(
        "ec2", "AuthorizeSecurityGroupEgress", _SECURITY_RULE
    ),
}

# What the estate asks of the APIs beside its resources: steps of pipelines, tasks of state machines, Cloud Control.
CLOUD_CONTROL: Mapping[str, tuple[str, str]] = {
    "AWS::SageMaker::DataQualityJobDefinition": ("sagemaker", "CreateDataQualityJobDefinition"),
    "AWS::SageMaker::ModelQualityJobDefinition": ("sagemaker", "CreateModelQualityJobDefinition"),
    "AWS::SageMaker::ModelBiasJobDefinition": ("sagemaker", "CreateModelBiasJobDefinition"),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": ("sagemaker", "CreateModelExplainabilityJobDefinition"),
    "AWS::SageMaker::FeatureGroup": ("sagemaker", "CreateFeatureGroup"),
    "AWS::SageMaker::MlflowApp": ("sagemaker", "CreateMlflowApp"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "CreateEndpoint"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::InferenceComponent": ("sagemaker", "CreateInferenceComponent"),
}
REQUESTS: Mapping[str, str] = {
    "sagemaker": "CreateModel CreateEndpointConfig CreateEndpoint UpdateEndpoint DeleteEndpoint DescribeEndpoint "
    "DeleteEndpointConfig DeleteModel DescribeEndpointConfig DescribeModelPackage UpdateModelPackage "
    "ListModelPackages UpdateEndpointWeightsAndCapacities StartPipelineExecution DescribePipelineExecution "
    "ListPipelineExecutions ListEndpoints ListTags AddTags CreateTrainingJob CreateProcessingJob CreateTransformJob "
    "CreateHyperParameterTuningJob CreateModelPackage CreateAutoMLJob DescribeTrainingJob DescribeProcessingJob "
    "DescribeTransformJob UpdateMonitoringSchedule StopMonitoringSchedule StartMonitoringSchedule "
    "ListMonitoringExecutions DescribeMonitoringSchedule DescribeModel DescribeModelCard StopPipelineExecution",
    "dynamodb": "PutItem GetItem UpdateItem DeleteItem Query",
    "sns": "Publish",
    "sqs": "SendMessage",
    "s3": "GetObject PutObject HeadObject ListObjectsV2",
    "events": "PutEvents DisableRule EnableRule",
    "cloudwatch": "DescribeAlarms PutMetricData GetMetricStatistics GetMetricData DisableAlarmActions "
    "EnableAlarmActions",
    "stepfunctions": "StartExecution ListExecutions DescribeExecution SendTaskSuccess SendTaskFailure",
    "athena": "StartQueryExecution GetQueryExecution GetQueryResults",
    "ecr": "DescribeImageScanFindings DescribeImages",
    "application-autoscaling": "RegisterScalableTarget DeregisterScalableTarget",
    "scheduler": "CreateSchedule DeleteSchedule UpdateSchedule",
    "ssm": "GetParameter PutParameter",
    "lambda": "Invoke",
}


def _operations() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {service: set(names.split()) for service, names in REQUESTS.items()}
    for row in TABLE.values():
        found.setdefault(row.service, set()).update(row.operations())
    for service, operation in CLOUD_CONTROL.values():
        found[service].add(operation)
    return {service: frozenset(names) for service, names in found.items()}


OPERATIONS = _operations()
