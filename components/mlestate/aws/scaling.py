"""How the machines of an endpoint grow and shrink with what they are asked."""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

import pulumi_aws.appautoscaling as appautoscaling
import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.sagemaker as sagemaker
from pulumi import Output

from mlestate.config.model import Model
from mlestate.part import Part
from mlestate.raw import Raw

__all__ = ["scale"]

REQUESTS_PER_MINUTE = 600
"""The requests a minute on each machine at which another is started, where a model does not say."""

BACKLOG_PER_MACHINE = 5
"""The requests that wait for each machine of an asynchronous endpoint at which another is started (the value of
SageMaker's own example, "Autoscale an asynchronous endpoint")."""

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SERVICE = "sagemaker"

SHRINK_AFTER, GROW_AFTER = 300, 60
"""Seconds between two steps of the same direction."""

Tracked = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs
Predefined = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs
Customized = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationArgs
Dimension = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensionArgs


def scale(part: Part, name: str, model: Model, endpoint: sagemaker.Endpoint, variant: str, raw: Raw) -> None:
    """The scaling of an endpoint that has room to grow; nothing where it has none.

    A target is registered after its endpoint and goes before it, or the change of a variant fails
    (terraform-provider-aws#14337). An asynchronous endpoint that may go down to no machine has no backlog per machine
    there, so the first is woken by an alarm on requests that no machine takes (SageMaker, "Autoscale an asynchronous
    endpoint"); it is idle for that long, some minutes, and costs nothing before.
    """
    replicas = model.serving.replicas
    if model.serving.mode not in ("realtime", "async") or replicas.highest == replicas.min:
        return
    target = appautoscaling.Target(
        part.named(name),
        raw.over(
            appautoscaling.TargetArgs(
                service_namespace=SERVICE,
                scalable_dimension=DIMENSION,
                resource_id=Output.concat("endpoint/", endpoint.name, f"/variant/{variant}"),
                min_capacity=replicas.min,
                max_capacity=replicas.highest,
            )
        ),
        # No tags: with them the provider finds its own target in the way (#31839).
        part.child(),
    )
    tracked = _backlog(endpoint) if model.serving.mode == "async" else _requests(replicas.requests_per_minute)
    appautoscaling.Policy(
        part.named(name),
        raw.over(
            appautoscaling.PolicyArgs(
                policy_type="TargetTrackingScaling",
                service_namespace=target.service_namespace,
                scalable_dimension=target.scalable_dimension,
                resource_id=target.resource_id,
                target_tracking_scaling_policy_configuration=tracked,
            )
        ),
        part.child(),
    )
    if replicas.min == 0:
        _wake(part, name, model, endpoint, target, raw)


def _requests(per_minute: int | None) -> Tracked:
    return Tracked(
        target_value=per_minute or REQUESTS_PER_MINUTE,
        predefined_metric_specification=Predefined(predefined_metric_type="SageMakerVariantInvocationsPerInstance"),
        scale_in_cooldown=SHRINK_AFTER,
        scale_out_cooldown=GROW_AFTER,
    )


def _backlog(endpoint: sagemaker.Endpoint) -> Tracked:
    return Tracked(
        target_value=BACKLOG_PER_MACHINE,
        customized_metric_specification=Customized(
            namespace="AWS/SageMaker",
            metric_name="ApproximateBacklogSizePerInstance",
            dimensions=[Dimension(name="EndpointName", value=endpoint.name)],
            statistic="Average",
        ),
        scale_in_cooldown=SHRINK_AFTER,
        scale_out_cooldown=GROW_AFTER,
    )


def _wake(
    part: Part, name: str, model: Model, endpoint: sagemaker.Endpoint, target: appautoscaling.Target, raw: Raw
) -> None:
    step = appautoscaling.Policy(
        part.named(f"{name}-wake"),
        policy_type="StepScaling",
        service_namespace=target.service_namespace,
        scalable_dimension=target.scalable_dimension,
        resource_id=target.resource_id,
        step_scaling_policy_configuration={
            "adjustment_type": "ChangeInCapacity",
            "metric_aggregation_type": "Average",
            "cooldown": 300,
            "step_adjustments": [{"metric_interval_lower_bound": "0", "scaling_adjustment": 1}],
        },
        opts=part.child(),
    )
    cloudwatch.MetricAlarm(
        part.named(f"{name}-wake"),
        raw.over(
            cloudwatch.MetricAlarmArgs(
                name=part.names.physical("alarm", f"{name}-wake"),
                alarm_description=f"Requests wait for {name}, and no machine is on: one is started",
                namespace="AWS/SageMaker",
                metric_name="HasBacklogWithoutCapacity",
                dimensions={"EndpointName": endpoint.name},
                statistic="Average",
                period=60,
                evaluation_periods=2,
                datapoints_to_alarm=2,
                comparison_operator="GreaterThanOrEqualToThreshold",
                threshold=1,
                treat_missing_data="missing",
                alarm_actions=[step.arn],
                tags=part.names.of_model(name, model.owner).tags,
            )
        ),
        part.child(),
    )
