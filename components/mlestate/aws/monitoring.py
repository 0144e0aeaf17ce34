"""What watches data, models and machines on AWS, and tells someone."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws.cloudcontrol as cloudcontrol
import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.s3 as s3
import pulumi_aws.sagemaker as sagemaker
import pulumi_aws.scheduler as scheduler
from pulumi import Output, Resource, ResourceOptions

from mlestate import contract
from mlestate.aws import model_monitor
from mlestate.aws.alarms import Alarm, watched
from mlestate.aws.dashboards import body
from mlestate.aws.jobs import MONITOR
from mlestate.aws.monitors import CREATE, captures, job, monitored, window
from mlestate.aws.schedules import expression
from mlestate.aws.serving import VARIANT, instance_type
from mlestate.config.model import Model
from mlestate.config.people import Alerts as AlertSettings
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["ASPECTS", "Monitoring"]

ASPECTS: Mapping[str, str] = {
    "service": "Requests fail or wait. Its dashboard shows which signal it is; roll the last release back if it began "
    "with that.",
    "model": "The data or the answers are not what the model was made for. Its dashboard shows which signal it is: "
    "what a person decides next is a retraining, a rollback or a new threshold.",
}
"""What a composite alarm pages for, and what to do then."""


class Monitoring(Part):
    """Alarms of every model that answers, a dashboard for each, and a monitor of what it was asked.

    A single alarm tells those who look in working hours; a composite one, that the service or the model is degraded,
    pages. Both tell when all is well again. An alarm about a number that is not there stays quiet, because an endpoint
    that nobody calls has no numbers, except the one that watches the monitor itself: its missing number is the alarm.

    Names of alarms are fixed, because a release names them before it begins. A model that answers nothing yet has
    nothing here: alarms and dashboards bill.
    """

    alarms: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        listeners: AlertSettings,
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        serving: contract.Serving,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self._network, self._keys, self._data, self._access = network, keys, data, access
        self._topics = alerts.topics
        answering = {
            name: model
            for name, model in models.items()
            if name in serving.endpoints
            or (model.serving.mode == "batch" and model.serving.initial_version is not None)
        }
        watchful = {name: model for name, model in answering.items() if captures(model) and monitored(model)}
        start = self._start() if watchful else None
        alarms: dict[str, Output[str]] = {}
        self._last: Sequence[Resource] = []
        for name, model in answering.items():
            if name in watchful and start is not None:
                self._monitor(name, model, *start)
            for role in model_monitor.wanted(model):
                self._model_monitor(name, model, role, serving.endpoints[name])
            hours = window(model.monitoring.schedule) if name in watchful else None
            if name in serving.endpoints or hours is not None:
                alarms |= self._watch(name, model, hours)
        if alarms and not listeners.reach_someone:
            pulumi.log.warn(
                f"{names.environment}: the alarms reach no one. Name someone under alerts: email, slack or pagerduty.",
                self,
            )
        self.publish(alarms=alarms)

    def _start(self) -> tuple[scheduler.ScheduleGroup, Sequence[s3.BucketObjectv2]]:
        """What all monitors of this slice share: the group of their schedules, and the files that they run."""
        names = self.names
        group = scheduler.ScheduleGroup(
            self.named("monitors"),
            name=names.physical("schedule-group", "monitoring"),
            tags=names.tags,
            opts=self.child(),
        )
        bucket = self._data.stores["artifacts"].apply(lambda uri: uri.removeprefix("s3://"))
        files = [
            s3.BucketObjectv2(
                self.named(f"code-{file}"),
                bucket=bucket,
                key=f"code/monitor/{file}",
                content=text,
                content_type="text/x-python",
                tags=names.tags,
                opts=self.child(),
            )
            for file, text in MONITOR.items()
        ]
        return group, files

    def _monitor(
        self, name: str, model: Model, group: scheduler.ScheduleGroup, files: Sequence[s3.BucketObjectv2]
    ) -> None:
        names = self.names
        request = self._surroundings().apply(
            lambda known: job(
                names,
                name,
                model,
                **known,
                code=f"{known['stores']['artifacts']}/code/monitor/",
                endpoint=names.physical("endpoint", name),
                variant=VARIANT,
            )
        )
        scheduler.Schedule(
            self.named(name),
            name=names.physical("schedule", f"monitor-{name}"),
            group_name=group.name,
            description=f"Looks at what {name} was asked and answered",
            schedule_expression=expression(model.monitoring.schedule),
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": CREATE,
                "role_arn": self._access.identities["scheduler"],
                "input": request.apply(lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"))),
                # A run that could not start is looked for by its alarm, and the next one is due soon.
                "retry_policy": {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 3},
            },
            opts=self.child(depends_on=[*files]),
        )

    def _surroundings(self) -> Output[dict[str, Any]]:
        """What every job of a monitor is told of where it runs."""
        stores = self._data.stores
        return Output.all(
            role_arn=self._access.identities["monitoring"],
            stores=Output.all(**{role: stores[role] for role in ("artifacts", "capture", "curated", "raw")}),
            key=self._keys.ids.get("models"),
            subnets=Output.all(*self._network.subnets.values()),
            groups=Output.all(*self._network.groups.values()),
        )

    def _model_monitor(self, name: str, model: Model, role: str, endpoint: Output[str]) -> None:
        """One of SageMaker's own monitors: its definition, and the schedule that stands on it and on the endpoint.

        Cloud Control retries nothing that SageMaker turns away as too much at once (terraform-provider-awscc#2939), so
        they are made one after the other; it knows no default tags, so a definition carries its own.
        """
        names, tags = self.names, self.names.of_model(name, model.owner).tags
        state = self._surroundings().apply(lambda known: model_monitor.definition(role, names, name, model, **known))
        called = state.apply(lambda said: str(said["JobDefinitionName"]))
        definition: Resource
        if role == "data-quality":
            said = state.apply(model_monitor.typed)
            definition = sagemaker.DataQualityJobDefinition(
                self.named(f"{name}-{role}"),
                name=called,
                role_arn=said["role_arn"],
                data_quality_app_specification=said["data_quality_app_specification"],
                data_quality_baseline_config=said["data_quality_baseline_config"],
                data_quality_job_input=said["data_quality_job_input"],
                data_quality_job_output_config=said["data_quality_job_output_config"],
                job_resources=said["job_resources"],
                network_config=said["network_config"],
                stopping_condition=said["stopping_condition"],
                tags=tags,
                opts=self.child(depends_on=self._last),
            )
        else:
            definition = cloudcontrol.Resource(
                self.named(f"{name}-{role}"),
                type_name=model_monitor.KINDS[role].cloud_control,
                desired_state=state.apply(lambda said: json.dumps(said, sort_keys=True, separators=(",", ":"))),
                # All of a definition is decided when it is made; the provider would have to ask AWS to know that.
                opts=self.child(depends_on=self._last, replace_on_changes=["desiredState"]),
            )
        schedule = sagemaker.MonitoringSchedule(
            self.named(f"{name}-{role}"),
            name=names.physical("monitoring-schedule", f"{name}-{role}"),
            monitoring_schedule_config={
                "monitoring_type": model_monitor.KINDS[role].type,
                "monitoring_job_definition_name": called,
                "schedule_config": {"schedule_expression": model_monitor.expression(model.monitoring.schedule) or ""},
            },
            # The endpoint's name is known before it is there; by the tag its schedules come after it and go before it.
            tags={**tags, "endpoint": endpoint},
            opts=self.child(depends_on=[definition]),
        )
        self._last = [schedule]

    def _watch(self, name: str, model: Model, hours: int | None) -> dict[str, Output[str]]:
        names = self.names
        dimensions = {
            "endpoint": {"EndpointName": names.physical("endpoint", name), "VariantName": VARIANT},
            "monitor": {"Environment": names.slice, "Model": name},
        }
        machine = None if model.serving.mode == "serverless" else instance_type(model)
        asked = {each.name: each for each in watched(model, machine, hours)}
        made: dict[str, cloudwatch.MetricAlarm | cloudwatch.CompositeAlarm] = {
            signal: self._alarm(name, model, alarm, dimensions) for signal, alarm in asked.items()
        }
        for aspect in ASPECTS:
            if causes := [signal for signal, alarm in asked.items() if alarm.degrades == aspect]:
                made[f"{aspect}-degraded"] = self._composite(name, model, aspect, [made[each] for each in causes])
        arns = [names.arn("cloudwatch", f"alarm:{self._called(name, signal)}") for signal in made]
        cloudwatch.Dashboard(
            self.named(name),
            dashboard_name=names.physical("dashboard", name),
            dashboard_body=body(f"{name} in {names.environment}", names.region, asked, arns, dimensions),
            opts=self.child(),
        )
        return {
            f"{name}-{signal}": each.alarm_name if isinstance(each, cloudwatch.CompositeAlarm) else each.name
            for signal, each in made.items()
        }

    def _called(self, model: str, signal: str) -> str:
        return f"{self.names.physical('model-alarm', model)}-{signal}"

    def _alarm(
        self, name: str, model: Model, alarm: Alarm, dimensions: Mapping[str, Mapping[str, str]]
    ) -> cloudwatch.MetricAlarm:
        above, below = alarm.bound.max, alarm.bound.min
        number = alarm.expression
        outside = f"IF(({number or 'value'}) < {below} OR ({number or 'value'}) > {above}, 1, 0)"
        if above is not None and below is not None:
            # An alarm has one bound; a number that is out of one of two is one that is out by 1.
            number, comparison, threshold = outside, "GreaterThanOrEqualToThreshold", 1.0
        elif above is not None:
            comparison, threshold = "GreaterThanThreshold", above
        else:
            comparison, threshold = "LessThanThreshold", below or 0.0
        queries: list[cloudwatch.MetricAlarmMetricQueryArgsDict] = [
            {
                "id": key,
                "return_data": number is None,
                "metric": {
                    "namespace": metric.namespace,
                    "metric_name": metric.name,
                    "stat": metric.statistic,
                    "period": alarm.seconds,
                    "dimensions": dimensions[metric.of],
                },
            }
            for key, metric in alarm.metrics.items()
        ]
        if number is not None:
            queries.append({"id": "number", "expression": number, "label": alarm.title, "return_data": True})
        return cloudwatch.MetricAlarm(
            self.named(f"{name}-{alarm.name}"),
            name=self._called(name, alarm.name),
            alarm_description=f"{alarm.title}: {_bounds(alarm)}. {alarm.advice}",
            metric_queries=queries,
            comparison_operator=comparison,
            threshold=threshold,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.breaching,
            treat_missing_data=alarm.missing,
            warm_up_configuration={"warm_up_period_duration_in_minutes": alarm.warm_up_minutes}
            if alarm.warm_up_minutes is not None
            else None,
            alarm_actions=[self._topics["notice"]],
            ok_actions=[self._topics["notice"]],
            tags=self.names.of_model(name, model.owner).tags,
            opts=self.child(),
        )

    def _composite(
        self,
        name: str,
        model: Model,
        aspect: str,
        causes: Sequence[cloudwatch.MetricAlarm | cloudwatch.CompositeAlarm],
    ) -> cloudwatch.CompositeAlarm:
        # By ARN: a name would have to be quoted, and an alarm may be deleted only after what names it.
        rule = Output.all(*(each.arn for each in causes)).apply(
            lambda arns: " OR ".join(f'ALARM("{arn}")' for arn in arns)
        )
        return cloudwatch.CompositeAlarm(
            self.named(f"{name}-{aspect}-degraded"),
            alarm_name=self._called(name, f"{aspect}-degraded"),
            alarm_description=f"{name}: {aspect} degraded. {ASPECTS[aspect]}",
            alarm_rule=rule,
            alarm_actions=[self._topics["page"]],
            ok_actions=[self._topics["page"]],
            tags=self.names.of_model(name, model.owner).tags,
            opts=self.child(depends_on=[*causes]),
        )


def _bounds(alarm: Alarm) -> str:
    bounds = [("at most", alarm.bound.max), ("at least", alarm.bound.min)]
    return " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
