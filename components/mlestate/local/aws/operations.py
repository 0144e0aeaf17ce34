"""Every operation whose request the local cloud can check."""

from collections.abc import Mapping

from mlestate.local.aws import cost, identity, messages, network, sagemaker, storage
from mlestate.local.aws.rows import Operation

# Properties that speak to the provider and to no API.
EVERYWHERE = ("region", "namePrefix", "forceDestroy", "forceDelete", "skipDestroy", "timeouts")

TABLE: Mapping[str, Operation] = {
    **storage.OPERATIONS,
    **identity.OPERATIONS,
    **sagemaker.OPERATIONS,
    **messages.OPERATIONS,
    **network.OPERATIONS,
    **cost.OPERATIONS,
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
    "CreateModelPackage DescribeTrainingJob DescribeProcessingJob "
    "DescribeTransformJob UpdateMonitoringSchedule StopMonitoringSchedule StartMonitoringSchedule "
    "ListMonitoringExecutions DescribeMonitoringSchedule DescribeModel DescribeModelCard StopPipelineExecution",
    "budgets": "DescribeBudget",
    "dynamodb": "BatchGetItem PutItem GetItem UpdateItem DeleteItem Query",
    "sns": "Publish",
    "sqs": "SendMessage",
    "s3": "CopyObject GetObject PutObject HeadObject ListObjectsV2",
    "events": "PutEvents DisableRule EnableRule",
    "cloudwatch": "DescribeAlarms PutMetricData GetMetricStatistics GetMetricData DisableAlarmActions "
    "EnableAlarmActions",
    "stepfunctions": "StartExecution ListExecutions DescribeExecution StopExecution",
    "athena": "StartQueryExecution GetQueryExecution GetQueryResults",
    "ecr": "DescribeImageScanFindings DescribeImages",
    "application-autoscaling": "RegisterScalableTarget DeregisterScalableTarget DescribeScalableTargets "
    "DescribeScalingPolicies DescribeScheduledActions PutScalingPolicy PutScheduledAction DeleteScheduledAction",
    "scheduler": "CreateSchedule DeleteSchedule UpdateSchedule",
    "ssm": "GetParameter PutParameter",
    "lambda": "Invoke",
}


def _operations() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {service: set(names.split()) for service, names in REQUESTS.items()}
    for row in TABLE.values():
        found.setdefault(row.service, set()).update(row.names())
    for service, operation in CLOUD_CONTROL.values():
        found[service].add(operation)
    return {service: frozenset(names) for service, names in found.items()}


OPERATIONS = _operations()
