"""One valid set of inputs for every resource type whose behaviour the local cloud promises."""

import json
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/x"
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"


def policy(**statement: Any) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


POLICY = policy(Action="s3:GetObject", Resource="arn:aws:s3:::b/*")
TRUST = policy(Principal={"Service": "sagemaker.amazonaws.com"}, Action="sts:AssumeRole")
RESOURCE = policy(Principal={"AWS": "000000000000"}, Action="s3:GetObject", Resource="*")
IMAGES = policy(Principal={"AWS": "000000000000"}, Action="ecr:BatchGetImage")
EXPIRY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
                "action": {"type": "expire"},
            }
        ]
    }
)
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/churn:1"
PIPELINE = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no data"}}],
    }
)
MODEL_QUALITY: dict[str, Any] = {
    "JobDefinitionName": "churn-quality",
    "ModelQualityAppSpecification": {"ImageUri": IMAGE, "ProblemType": "BinaryClassification"},
    "ModelQualityJobInput": {
        "EndpointInput": {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/input"},
        "GroundTruthS3Input": {"S3Uri": "s3://b/labels"},
    },
    "ModelQualityJobOutputConfig": {
        "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://b/reports", "LocalPath": "/opt/ml/processing/output"}}]
    },
    "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
    "RoleArn": ROLE,
}
APPROVED = json.dumps({"source": ["aws.sagemaker"], "detail": {"ModelApprovalStatus": ["Approved"]}})
_GROUP: dict[str, Any] = {"resourceGroupName": "group"}
_WORKSPACE = {**_GROUP, "workspaceName": "workspace"}
_ACCOUNT = {**_GROUP, "accountName": "account"}

AWS: dict[str, dict[str, Any]] = {
    "aws:s3/bucket:Bucket": {"bucket": "acme-lake", "forceDestroy": False, "tags": {"owner": "ml"}},
    "aws:s3/bucketVersioning:BucketVersioning": {
        "bucket": "acme-lake",
        "versioningConfiguration": {"status": "Enabled"},
    },
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
        "bucket": "acme-lake",
        "rules": [
            {
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
                "bucketKeyEnabled": True,
            }
        ],
    },
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {"bucket": "acme-lake", "blockPublicAcls": True},
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {
        "bucket": "acme-lake",
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    },
    "aws:s3/bucketPolicy:BucketPolicy": {"bucket": "acme-lake", "policy": RESOURCE},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
        "bucket": "acme-lake",
        "rules": [
            {
                "id": "capture",
                "status": "Enabled",
                "filter": {"prefix": "capture/"},
                "expiration": {"days": 30},
                "noncurrentVersionExpiration": {"noncurrentDays": 30},
            }
        ],
    },
    "aws:s3/bucketLogging:BucketLogging": {"bucket": "acme-lake", "targetBucket": "acme-lake", "targetPrefix": "s3/"},
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": {
        "bucket": "acme-lake",
        "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}},
    },
    "aws:s3/bucketNotification:BucketNotification": {"bucket": "acme-lake", "eventbridge": True},
    "aws:kms/key:Key": {"description": "ml", "enableKeyRotation": True, "deletionWindowInDays": 30},
    "aws:kms/alias:Alias": {"name": "alias/ml", "targetKeyId": "k"},
    "aws:kms/keyPolicy:KeyPolicy": {"keyId": "k", "policy": RESOURCE},
    "aws:iam/role:Role": {"name": "trainer", "assumeRolePolicy": TRUST, "maxSessionDuration": 3600},
    "aws:iam/policy:Policy": {"name": "training", "policy": POLICY, "path": "/ml/"},
    "aws:iam/rolePolicy:RolePolicy": {"name": "inline", "role": "trainer", "policy": POLICY},
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
        "role": "trainer",
        "policyArn": "arn:aws:iam::000000000000:policy/ml/training",
    },
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
        "url": "https://token.actions.githubusercontent.com",
        "clientIdLists": ["sts.amazonaws.com"],
    },
    "aws:ecr/repository:Repository": {
        "name": "train",
        "imageTagMutability": "IMMUTABLE",
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
        "imageScanningConfiguration": {"scanOnPush": True},
    },
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"repository": "train", "policy": EXPIRY},
    "aws:ecr/repositoryPolicy:RepositoryPolicy": {"repository": "train", "policy": IMAGES},
    "aws:sagemaker/model:Model": {
        "name": "churn",
        "executionRoleArn": ROLE,
        "primaryContainer": {"image": "i", "modelDataUrl": "s3://b/m.tar.gz", "environment": {"A": "1"}},
        "vpcConfig": {"subnets": ["s"], "securityGroupIds": ["g"]},
    },
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": {
        "name": "churn-1",
        "kmsKeyArn": KEY,
        "productionVariants": [
            {
                "variantName": "champion",
                "modelName": "churn",
                "instanceType": "ml.m5.large",
                "initialInstanceCount": 2,
                "initialVariantWeight": 0.5,
            }
        ],
        "dataCaptureConfig": {
            "enableCapture": True,
            "initialSamplingPercentage": 100,
            "destinationS3Uri": "s3://b/capture",
            "captureOptions": [{"captureMode": "Input"}],
        },
    },
    "aws:sagemaker/endpoint:Endpoint": {"name": "churn", "endpointConfigName": "churn-1"},
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": {"modelPackageGroupName": "churn"},
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": {
        "modelPackageGroupName": "churn",
        "resourcePolicy": RESOURCE,
    },
    "aws:sagemaker/featureGroup:FeatureGroup": {
        "featureGroupName": "transactions",
        "recordIdentifierFeatureName": "id",
        "eventTimeFeatureName": "ts",
        "roleArn": ROLE,
        "featureDefinitions": [
            {"featureName": "id", "featureType": "String"},
            {"featureName": "ts", "featureType": "String"},
        ],
        "onlineStoreConfig": {"enableOnlineStore": True},
    },
    "aws:sagemaker/pipeline:Pipeline": {
        "pipelineName": "churn",
        "pipelineDisplayName": "churn",
        "roleArn": ROLE,
        "pipelineDefinition": PIPELINE,
    },
    "aws:cloudtrail/trail:Trail": {
        "name": "audit",
        "s3BucketName": "audit",
        "advancedEventSelectors": [{"fieldSelectors": [{"field": "eventCategory", "equals": ["Data"]}]}],
    },
    "aws:glue/catalogDatabase:CatalogDatabase": {"name": "lake"},
    "aws:cloudwatch/logGroup:LogGroup": {"name": "/ml/churn", "retentionInDays": 365},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "name": "errors",
        "comparisonOperator": "GreaterThanThreshold",
        "namespace": "AWS/SageMaker",
        "metricName": "Invocation5XXErrors",
        "statistic": "Sum",
        "period": 60,
        "evaluationPeriods": 2,
        "threshold": 1.5,
        "dimensions": {"EndpointName": "churn"},
    },
    "aws:cloudwatch/eventBus:EventBus": {"name": "releases"},
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": {"eventBusName": "releases", "policy": RESOURCE},
    "aws:cloudwatch/eventRule:EventRule": {"name": "approved", "eventPattern": APPROVED},
    "aws:cloudwatch/eventTarget:EventTarget": {"rule": "approved", "arn": "arn:aws:sqs:::q"},
    "aws:sns/topic:Topic": {"name": "alerts", "kmsMasterKeyId": KEY},
    "aws:sns/topicPolicy:TopicPolicy": {"arn": "arn:aws:sns:us-east-1:000000000000:alerts", "policy": RESOURCE},
    "aws:sns/topicSubscription:TopicSubscription": {
        "topic": "arn:aws:sns:us-east-1:000000000000:alerts",
        "protocol": "email",
        "endpoint": "a@b.example",
    },
    "aws:sqs/queue:Queue": {"name": "dead", "messageRetentionSeconds": 1209600},
    "aws:appautoscaling/target:Target": {
        "resourceId": "endpoint/churn/variant/champion",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "serviceNamespace": "sagemaker",
        "minCapacity": 2,
        "maxCapacity": 6,
    },
    "aws:appautoscaling/policy:Policy": {
        "name": "load",
        "policyType": "TargetTrackingScaling",
        "resourceId": "endpoint/churn/variant/champion",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "serviceNamespace": "sagemaker",
        "targetTrackingScalingPolicyConfiguration": {"targetValue": 70},
    },
    "aws:accessanalyzer/analyzer:Analyzer": {"analyzerName": "external", "type": "ACCOUNT"},
    "aws:athena/workgroup:Workgroup": {"name": "audit", "configuration": {"enforceWorkgroupConfiguration": True}},
    "aws:dynamodb/table:Table": {
        "name": "releases",
        "hashKey": "id",
        "billingMode": "PAY_PER_REQUEST",
        "attributes": [{"name": "id", "type": "S"}],
    },
    "aws:ec2/vpc:Vpc": {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True},
    "aws:ec2/subnet:Subnet": {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"},
    "aws:ec2/securityGroup:SecurityGroup": {
        "name": "private",
        "vpcId": "vpc-1",
        "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {
        "vpcId": "vpc-1",
        "serviceName": "com.amazonaws.us-east-1.sagemaker.api",
        "vpcEndpointType": "Interface",
        "subnetIds": ["subnet-1", "subnet-2"],
    },
    "aws:cloudcontrol/resource:Resource": {
        "typeName": "AWS::SageMaker::ModelQualityJobDefinition",
        "desiredState": json.dumps(MODEL_QUALITY),
    },
    "aws:s3/bucketObjectv2:BucketObjectv2": {"bucket": "acme-lake", "key": "monitoring/record.py", "content": "pass"},
    "aws:glue/catalogTable:CatalogTable": {
        "databaseName": "lake",
        "name": "transactions",
        "tableType": "EXTERNAL_TABLE",
        "parameters": {"classification": "cloudtrail"},
        "storageDescriptor": {"location": "s3://b/trail/", "columns": [{"name": "eventname", "type": "string"}]},
    },
    "aws:glue/catalogTableOptimizer:CatalogTableOptimizer": {
        "catalogId": "000000000000",
        "databaseName": "lake",
        "tableName": "transactions",
        "type": "compaction",
        "configuration": {"enabled": True, "roleArn": ROLE},
    },
    "aws:athena/namedQuery:NamedQuery": {"name": "who-approved", "database": "lake", "query": "SELECT 1"},
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": {"admins": [ROLE]},
    "aws:lakeformation/resource:Resource": {"arn": "arn:aws:s3:::lake", "hybridAccessEnabled": True},
    "aws:lakeformation/permissions:Permissions": {
        "principal": ROLE,
        "permissions": ["DESCRIBE"],
        "database": {"name": "lake"},
    },
    "aws:sagemaker/mlflowApp:MlflowApp": {"name": "ml", "artifactStoreUri": "s3://b/mlflow", "roleArn": ROLE},
    "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer": {
        "trackingServerName": "ml",
        "artifactStoreUri": "s3://b/mlflow",
        "roleArn": ROLE,
        "trackingServerSize": "Small",
    },
    "aws:sagemaker/modelCard:ModelCard": {"modelCardName": "churn", "modelCardStatus": "Draft", "content": "{}"},
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": {
        "name": "churn-data",
        "roleArn": ROLE,
        "dataQualityAppSpecification": {"imageUri": IMAGE},
        "dataQualityJobInput": {"endpointInput": {"endpointName": "churn", "localPath": "/opt/ml/processing/input"}},
        "dataQualityJobOutputConfig": {
            "monitoringOutputs": {"s3Output": {"s3Uri": "s3://b/reports", "localPath": "/opt/ml/processing/output"}}
        },
        "jobResources": {"clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGb": 20}},
    },
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": {
        "name": "churn-data",
        "monitoringScheduleConfig": {
            "monitoringJobDefinitionName": "churn-data",
            "monitoringType": "DataQuality",
            "scheduleConfig": {"scheduleExpression": "cron(0 4 ? * * *)"},
        },
    },
    "aws:appautoscaling/scheduledAction:ScheduledAction": {
        "name": "night",
        "serviceNamespace": "sagemaker",
        "resourceId": "endpoint/churn/variant/champion",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "schedule": "cron(0 19 ? * MON-FRI *)",
        "scalableTargetAction": {"minCapacity": 1, "maxCapacity": 1},
    },
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"alarmName": "degraded", "alarmRule": "ALARM(errors)"},
    "aws:cloudwatch/dashboard:Dashboard": {
        "dashboardName": "churn",
        "dashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "# churn"}}]}),
    },
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": {
        "name": "denied",
        "logGroupName": "/ml/churn",
        "pattern": '{ $.errorCode = "AccessDenied" }',
        "metricTransformation": {"name": "Denied", "namespace": "audit", "value": "1"},
    },
    "aws:cloudwatch/eventConnection:EventConnection": {
        "name": "chat",
        "authorizationType": "API_KEY",
        "authParameters": {"apiKey": {"key": "Authorization", "value": "x"}},
    },
    "aws:cloudwatch/eventApiDestination:EventApiDestination": {
        "name": "chat",
        "connectionArn": "arn:aws:events:us-east-1:000000000000:connection/chat/1b47061264138c4ac30d75fd1eb44270",
        "httpMethod": "POST",
        "invocationEndpoint": "https://chat.example/hook",
    },
    "aws:scheduler/schedule:Schedule": {
        "name": "retrain",
        "scheduleExpression": "cron(0 4 ? * MON *)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn", "roleArn": ROLE},
    },
    "aws:scheduler/scheduleGroup:ScheduleGroup": {"name": "ml"},
    "aws:sfn/stateMachine:StateMachine": {
        "name": "release",
        "roleArn": ROLE,
        "definition": json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
    },
    "aws:ssm/parameter:Parameter": {"name": "/ml/thresholds", "type": "String", "value": "0.8"},
    "aws:sqs/queuePolicy:QueuePolicy": {
        "queueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/dead",
        "policy": RESOURCE,
    },
    "aws:ec2/routeTable:RouteTable": {"vpcId": "vpc-1"},
    "aws:ec2/routeTableAssociation:RouteTableAssociation": {"routeTableId": "rtb-1", "subnetId": "subnet-1"},
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {"vpcId": "vpc-1"},
    "aws:ec2/flowLog:FlowLog": {
        "vpcId": "vpc-1",
        "trafficType": "ALL",
        "logDestinationType": "s3",
        "logDestination": "arn:aws:s3:::b",
    },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
        "securityGroupId": "sg-1",
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "referencedSecurityGroupId": "sg-1",
    },
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
        "securityGroupId": "sg-1",
        "ipProtocol": "-1",
        "cidrIpv4": "10.0.0.0/16",
    },
    "aws:budgets/budget:Budget": {
        "name": "staging",
        "budgetType": "COST",
        "timeUnit": "MONTHLY",
        "limitAmount": "500",
        "limitUnit": "USD",
    },
    "aws:budgets/budgetAction:BudgetAction": {
        "budgetName": "staging",
        "actionType": "APPLY_IAM_POLICY",
        "approvalModel": "AUTOMATIC",
        "notificationType": "ACTUAL",
        "executionRoleArn": ROLE,
        "actionThreshold": {"actionThresholdType": "PERCENTAGE", "actionThresholdValue": 100},
        "definition": {
            "iamActionDefinition": {"policyArn": "arn:aws:iam::000000000000:policy/freeze", "roles": ["ci-apply"]}
        },
        "subscribers": [{"address": "ml@acme.example", "subscriptionType": "EMAIL"}],
    },
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": {
        "name": "services",
        "monitorType": "DIMENSIONAL",
        "monitorDimension": "SERVICE",
    },
    "aws:costexplorer/anomalySubscription:AnomalySubscription": {
        "name": "services",
        "frequency": "DAILY",
        "monitorArnLists": ["arn:aws:ce::000000000000:anomalymonitor/1b470612-6413-8c4a-c30d-75fd1eb44270"],
        "subscribers": [{"type": "EMAIL", "address": "ml@acme.example"}],
    },
}

_BUCKET, _REPOSITORY, _TOPIC = "aws:s3/bucket:Bucket", "aws:ecr/repository:Repository", "aws:sns/topic:Topic"
_SCALED = "aws:appautoscaling/target:Target"
# What must stand before a case can be made; every name in the cases above is that of another case.
BEFORE: dict[str, tuple[str, ...]] = {
    **{token: (_BUCKET,) for token in AWS if token.startswith("aws:s3/bucket") and token != _BUCKET},
    "aws:iam/rolePolicy:RolePolicy": ("aws:iam/role:Role",),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("aws:iam/role:Role", "aws:iam/policy:Policy"),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (_REPOSITORY,),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": (_REPOSITORY,),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": (
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": ("aws:sagemaker/model:Model",),
    "aws:sagemaker/endpoint:Endpoint": ("aws:sagemaker/endpointConfiguration:EndpointConfiguration",),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": (
        "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
    ),
    _SCALED: ("aws:sagemaker/endpoint:Endpoint",),
    "aws:appautoscaling/policy:Policy": (_SCALED,),
    "aws:appautoscaling/scheduledAction:ScheduledAction": (_SCALED,),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("aws:cloudwatch/metricAlarm:MetricAlarm",),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("aws:cloudwatch/logGroup:LogGroup",),
    "aws:cloudwatch/eventTarget:EventTarget": ("aws:cloudwatch/eventRule:EventRule",),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": ("aws:cloudwatch/eventConnection:EventConnection",),
    "aws:sns/topicPolicy:TopicPolicy": (_TOPIC,),
    "aws:sns/topicSubscription:TopicSubscription": (_TOPIC,),
    "aws:sqs/queuePolicy:QueuePolicy": ("aws:sqs/queue:Queue",),
    "aws:glue/catalogTable:CatalogTable": ("aws:glue/catalogDatabase:CatalogDatabase",),
    "aws:glue/catalogTableOptimizer:CatalogTableOptimizer": ("aws:glue/catalogTable:CatalogTable",),
    "aws:budgets/budgetAction:BudgetAction": ("aws:budgets/budget:Budget",),
}

GCP: dict[str, dict[str, Any]] = {
    "gcp:storage/bucket:Bucket": {
        "name": "acme-lake",
        "location": "NORTHAMERICA-NORTHEAST1",
        "labels": {"owner": "ml"},
        "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 30}}],
        "retentionPolicy": {"retentionPeriod": "3600", "isLocked": False},
    },
    "gcp:storage/bucketIAMMember:BucketIAMMember": {
        "bucket": "acme-lake",
        "role": "roles/storage.objectViewer",
        "member": "group:ds@acme.example",
    },
    "gcp:storage/managedFolder:ManagedFolder": {"bucket": "acme-lake", "name": "raw/"},
    "gcp:kms/keyRing:KeyRing": {"name": "ml", "location": "us-central1"},
    "gcp:kms/cryptoKey:CryptoKey": {"name": "data", "keyRing": "projects/p/locations/l/keyRings/ml"},
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": {"cryptoKeyId": "k", "role": "r", "member": "user:a@b.example"},
    "gcp:bigquery/dataset:Dataset": {"datasetId": "lake", "location": "US"},
    "gcp:bigquery/table:Table": {"datasetId": "lake", "tableId": "t", "deletionProtection": False},
    "gcp:bigquery/datasetIamMember:DatasetIamMember": {"datasetId": "lake", "role": "r", "member": "user:a@b.example"},
    "gcp:artifactregistry/repository:Repository": {
        "repositoryId": "train",
        "format": "DOCKER",
        "location": "us-central1",
        "dockerConfig": {"immutableTags": True},
    },
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": {
        "repository": "train",
        "role": "r",
        "member": "user:a@b.example",
    },
    "gcp:projects/service:Service": {"service": "aiplatform.googleapis.com", "disableOnDestroy": False},
    "gcp:projects/serviceIdentity:ServiceIdentity": {"service": "aiplatform.googleapis.com"},
    "gcp:projects/iAMMember:IAMMember": {"project": "p", "role": "r", "member": "user:a@b.example"},
    "gcp:projects/iAMCustomRole:IAMCustomRole": {"roleId": "approver", "title": "Approver", "permissions": ["a.b.c"]},
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": {
        "project": "p",
        "service": "aiplatform.googleapis.com",
        "auditLogConfigs": [{"logType": "DATA_READ"}],
    },
    "gcp:serviceaccount/account:Account": {"accountId": "trainer", "displayName": "Trainer"},
    "gcp:serviceaccount/iAMMember:IAMMember": {"serviceAccountId": "s", "role": "r", "member": "user:a@b.example"},
    "gcp:vertex/aiMetadataStore:AiMetadataStore": {"name": "lineage", "region": "us-central1"},
    "gcp:vertex/aiEndpoint:AiEndpoint": {"name": "1234567890", "displayName": "churn", "location": "us-central1"},
    "gcp:vertex/aiFeatureGroup:AiFeatureGroup": {
        "name": "transactions",
        "bigQuery": {"bigQuerySource": {"inputUri": "bq://p.d.t"}, "entityIdColumns": ["id"]},
    },
    "gcp:vertex/aiTensorboard:AiTensorboard": {"displayName": "runs"},
    "gcp:logging/projectSink:ProjectSink": {"name": "audit", "destination": "storage.googleapis.com/audit"},
    "gcp:pubsub/topic:Topic": {"name": "alerts", "messageRetentionDuration": "86400s"},
}

AZURE: dict[str, dict[str, Any]] = {
    "azure-native:resources:ResourceGroup": {"resourceGroupName": "group", "location": "canadacentral"},
    "azure-native:storage:StorageAccount": {
        **_ACCOUNT,
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "isHnsEnabled": True,
        "minimumTlsVersion": "TLS1_2",
    },
    "azure-native:storage:BlobContainer": {**_ACCOUNT, "containerName": "lake", "publicAccess": "None"},
    "azure-native:storage:BlobServiceProperties": {
        **_ACCOUNT,
        "blobServicesName": "default",
        "deleteRetentionPolicy": {"enabled": True, "days": 7},
    },
    "azure-native:storage:ManagementPolicy": {
        **_ACCOUNT,
        "managementPolicyName": "default",
        "policy": {
            "rules": [
                {
                    "name": "tier",
                    "type": "Lifecycle",
                    "definition": {"actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}}},
                }
            ]
        },
    },
    "azure-native:keyvault:Vault": {
        **_GROUP,
        "vaultName": "keys",
        "properties": {"tenantId": "t", "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True},
    },
    "azure-native:keyvault:Key": {**_GROUP, "vaultName": "keys", "keyName": "data", "properties": {"kty": "RSA"}},
    "azure-native:machinelearningservices:Workspace": {
        **_WORKSPACE,
        "identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": ["/subscriptions/s/id"]},
        "publicNetworkAccess": "Disabled",
    },
    "azure-native:machinelearningservices:Registry": {
        **_GROUP,
        "registryName": "models",
        "identity": {"type": "SystemAssigned"},
        "regionDetails": [{"location": "canadacentral"}],
    },
    "azure-native:machinelearningservices:Datastore": {
        **_WORKSPACE,
        "name": "lake",
        "properties": {
            "datastoreType": "AzureBlob",
            "accountName": "account",
            "containerName": "lake",
            "credentials": {"credentialsType": "None"},
        },
    },
    "azure-native:machinelearningservices:ModelContainer": {
        **_WORKSPACE,
        "name": "churn",
        "properties": {"description": "d"},
    },
    "azure-native:machinelearningservices:DataContainer": {
        **_WORKSPACE,
        "name": "transactions",
        "properties": {"dataType": "uri_folder"},
    },
    "azure-native:machinelearningservices:OnlineEndpoint": {
        **_WORKSPACE,
        "endpointName": "churn",
        "identity": {"type": "SystemAssigned"},
        "properties": {"authMode": "AADToken"},
    },
    "azure-native:machinelearningservices:RegistryModelContainer": {
        **_GROUP,
        "registryName": "models",
        "modelName": "churn",
        "properties": {"description": "d"},
    },
    "azure-native:managedidentity:UserAssignedIdentity": {**_GROUP, "resourceName": "trainer"},
    "azure-native:authorization:RoleAssignment": {
        "scope": "/subscriptions/s",
        "principalId": "p",
        "roleDefinitionId": "r",
        "roleAssignmentName": "11111111-1111-1111-1111-111111111111",
    },
    "azure-native:authorization:RoleDefinition": {
        "scope": "/subscriptions/s",
        "roleDefinitionId": "22222222-2222-2222-2222-222222222222",
        "roleName": "approver",
    },
    "azure-native:operationalinsights:Workspace": {**_WORKSPACE, "sku": {"name": "PerGB2018"}, "retentionInDays": 365},
    "azure-native:applicationinsights:Component": {**_GROUP, "resourceName": "insights", "kind": "web"},
    "azure-native:containerregistry:Registry": {**_GROUP, "registryName": "images", "sku": {"name": "Premium"}},
    "azure-native:monitor:DiagnosticSetting": {
        "resourceUri": "/subscriptions/s/x",
        "name": "audit",
        "logs": [{"categoryGroup": "allLogs", "enabled": True}],
    },
}

ALL = {**AWS, **GCP, **AZURE}


def package(token: str) -> str:
    return token.split(":")[0]
