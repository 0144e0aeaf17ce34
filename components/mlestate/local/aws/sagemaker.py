"""SageMaker and its scaling: what the provider calls and returns, and what the services take."""

from collections.abc import Mapping
from typing import Any

from mlestate.local.aws.rows import HERE, Operation, arn, global_arn, setting
from mlestate.local.kind import Kind


def sagemaker(resource: str, name: str, taken: str, **outputs: Any) -> Kind:
    where = arn("sagemaker", f"{resource}/{{{name}}}")
    return Kind(f"{{{name}}}", {"arn": where, **outputs}, name, HERE, taken.replace("{arn}", where))


_EXISTING = "ValidationException: Cannot create already existing "

KINDS: Mapping[str, Kind] = {
    "aws:sagemaker/model:Model": sagemaker(
        "model", "name", _EXISTING + 'model "{arn}".', inferenceExecutionConfig={"mode": "Serial"}
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": sagemaker(
        "endpoint-config", "name", _EXISTING + 'endpoint configuration "{arn}".'
    ),
    "aws:sagemaker/endpoint:Endpoint": sagemaker("endpoint", "name", _EXISTING + 'endpoint "{arn}".'),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": sagemaker(
        "model-package-group",
        "modelPackageGroupName",
        "ValidationException: Model Package Group already exists: {arn}",
    ),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": setting("{modelPackageGroupName}"),
    "aws:sagemaker/featureGroup:FeatureGroup": sagemaker(
        "feature-group",
        "featureGroupName",
        "ResourceInUse: Resource Already Exists: FeatureGroup with name {featureGroupName} already exists.",
        throughputConfig=lambda facts: {"throughputMode": "OnDemand"},
    ),
    "aws:sagemaker/pipeline:Pipeline": sagemaker(
        "pipeline",
        "pipelineName",
        "ValidationException: Pipeline names must be unique within an AWS account and region. Pipeline with name"
        " ({pipelineName}) already exists.",
    ),
    "aws:appautoscaling/target:Target": Kind(
        "{resourceId}",
        {
            "arn": arn("application-autoscaling", "scalable-target/{hex:36}"),
            "roleArn": global_arn(
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
    "aws:cloudcontrol/resource:Resource": Kind("{uuid}", {"properties": "{desiredState}", "schema": ""}),
    "aws:sagemaker/mlflowApp:MlflowApp": Kind(
        arn("sagemaker", "mlflow-app/app-{upper:12}"),
        {
            "arn": "{id}",
            "modelRegistrationMode": "AutoModelRegistrationDisabled",
            "weeklyMaintenanceWindowStart": "Tue:03:30",
        },
        "name",
    ),
    "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer": sagemaker(
        "mlflow-tracking-server",
        "trackingServerName",
        "ConflictException: Tracking server {trackingServerName} already exists.",
        mlflowVersion="3.0",
        trackingServerUrl="https://t-{hex:12}.{region}.experiments.sagemaker.aws",
        weeklyMaintenanceWindowStart="Tue:03:30",
    ),
    "aws:sagemaker/modelCard:ModelCard": Kind(
        "{modelCardName}",
        {"modelCardArn": arn("sagemaker", "model-card/{modelCardName}")},
        "modelCardName",
        HERE,
        "ConflictException: Model card {modelCardName} already exists.",
    ),
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": sagemaker(
        "data-quality-job-definition",
        "name",
        'ResourceInUse: Job definition "{arn}" already exists.',
        stoppingCondition=lambda facts: {"maxRuntimeInSeconds": 3600},
    ),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": sagemaker(
        "monitoring-schedule", "name", 'ResourceInUse: Monitoring schedule "{arn}" already exists.'
    ),
    "aws:appautoscaling/scheduledAction:ScheduledAction": Kind(
        "{name}-{serviceNamespace}-{resourceId}",
        {
            "arn": "arn:{partition}:autoscaling:{region}:{account}:scheduledAction:{uuid}:resource/{serviceNamespace}/"
            "{resourceId}:scheduledActionName/{name}"
        },
        "name",
        "{account}/{region}/{id}",
    ),
}

OPERATIONS: Mapping[str, Operation] = {
    "aws:sagemaker/model:Model": Operation("sagemaker", "CreateModel", {"name": "ModelName"}),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Operation(
        "sagemaker",
        "CreateEndpointConfig",
        {"name": "EndpointConfigName", "kmsKeyArn": "KmsKeyId"},
        optional="productionVariants.variantName shadowProductionVariants.variantName",
    ),
    "aws:sagemaker/endpoint:Endpoint": Operation("sagemaker", "CreateEndpoint", {"name": "EndpointName"}),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": Operation("sagemaker", "CreateModelPackageGroup"),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": Operation(
        "sagemaker", "PutModelPackageGroupPolicy"
    ),
    "aws:sagemaker/featureGroup:FeatureGroup": Operation("sagemaker", "CreateFeatureGroup"),
    "aws:sagemaker/pipeline:Pipeline": Operation("sagemaker", "CreatePipeline"),
    "aws:sagemaker/mlflowApp:MlflowApp": Operation("sagemaker", "CreateMlflowApp"),
    "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer": Operation("sagemaker", "CreateMlflowTrackingServer"),
    "aws:sagemaker/modelCard:ModelCard": Operation("sagemaker", "CreateModelCard"),
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": Operation(
        "sagemaker",
        "CreateDataQualityJobDefinition",
        {"name": "JobDefinitionName"},
        optional="dataQualityJobInput.batchTransformInput.localPath dataQualityJobInput.endpointInput.localPath "
        "dataQualityJobOutputConfig.monitoringOutputs.s3Output.localPath stoppingCondition.maxRuntimeInSeconds",
    ),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": Operation(
        "sagemaker",
        "CreateMonitoringSchedule",
        {
            "name": "MonitoringScheduleName",
            "monitoringScheduleConfig.monitoringJobDefinition.baseline": "BaselineConfig",
        },
        optional="monitoringScheduleConfig.monitoringJobDefinition.stoppingConditions.maxRuntimeInSeconds",
    ),
    "aws:appautoscaling/target:Target": Operation("application-autoscaling", "RegisterScalableTarget"),
    "aws:appautoscaling/policy:Policy": Operation(
        "application-autoscaling", "PutScalingPolicy", {"name": "PolicyName"}
    ),
    "aws:appautoscaling/scheduledAction:ScheduledAction": Operation(
        "application-autoscaling", "PutScheduledAction", {"name": "ScheduledActionName"}
    ),
}
