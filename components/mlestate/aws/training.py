"""The gated pipelines that make model versions on AWS."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi_aws.s3 as s3
import pulumi_aws.sagemaker as sagemaker
import pulumi_aws.scheduler as scheduler
from pulumi import Output, ResourceOptions

from mlestate import contract, pipeline
from mlestate.aws import retraining
from mlestate.aws.objects import object_tags
from mlestate.aws.pipeline_definition import definition
from mlestate.aws.pipeline_jobs import CHAMPION, SETTINGS, Surroundings, token
from mlestate.aws.queues import dead_letters
from mlestate.aws.schedules import expression
from mlestate.aws.state_machines import state_machine
from mlestate.config.data import Dataset, FeatureGroup
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part
from mlestate.raw import Raw

__all__ = ["Training"]

STEPS_AT_ONCE = 2
"""How many steps of a run go side by side; no two of ours do, and one that a user adds may."""

LATE_SECONDS = 3600
"""How late a scheduled run may start; EventBridge tries again until then, and leaves the start in the queue."""

MAKES = (sagemaker.PipelineArgs, scheduler.ScheduleArgs)
"""What `models.<name>.training.raw` can reach, the second where there is a schedule."""


class Training(Part):
    """One SageMaker pipeline a model, with the settings that its steps read, and the schedules that start it.

    Pipelines stand in every environment, so that one rehearses the other; schedules run where the promotion path ends,
    because only there the data are whole, and stand disabled elsewhere. Nothing here bills but a run. The definition is
    inline: one that lies in S3 cannot be updated (hashicorp/terraform-provider-aws#38259).
    """

    pipelines: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        datasets: Mapping[str, Dataset],
        groups: Mapping[str, FeatureGroup],
        is_last: bool,
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        features: contract.Features,
        tracking: contract.Tracking,
        registry: contract.Registry,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        """``is_last`` says that the promotion path ends in this environment."""
        super().__init__(names, opts)
        made: dict[str, sagemaker.Pipeline] = {}
        # Plain blocks, so that the user's own arguments can be laid over a part of them.
        side_by_side: Any = {"max_parallel_execution_steps": STEPS_AT_ONCE}
        for name, model in models.items():
            makes = MAKES if model.training.schedule is not None else MAKES[:1]
            raw = Raw(f"models.{name}.training", model.training.raw, names.cloud, makes)
            source = {
                "dataset": data.datasets[model.data.dataset] if model.data.dataset else None,
                "features": features.groups[model.data.features] if model.data.features else None,
            }
            told = Output.all(**source).apply(partial(_settings, name, names, model, datasets, groups))
            bucket = data.stores["artifacts"].apply(lambda uri: uri.removeprefix("s3://"))
            own = names.of_model(name, model.owner)
            kept = [
                self._object(own, f"{name}-{SETTINGS}", bucket, f"{name}/{SETTINGS}/settings.json", told),
                # A job fails on an input folder that holds nothing, so there is an answer before the first release,
                # which then owns the folder.
                self._object(
                    own,
                    f"{name}-{CHAMPION}",
                    bucket,
                    f"{name}/{CHAMPION}/champion.json",
                    '{"version":null}',
                    ignore_changes=["content", "contentType"],
                ),
            ]
            around = Output.all(
                store=data.stores["artifacts"],
                image=registry.images[name],
                group=registry.models[name],
                role=access.identities[f"{name}-training"],
                subnets=[network.subnets[zone] for zone in sorted(network.subnets)],
                firewalls=[network.groups[role] for role in sorted(network.groups)],
                key=keys.ids.get("models"),
                tracking=tracking.uri,
            )
            called = names.physical("pipeline", name)
            made[name] = sagemaker.Pipeline(
                self.named(name),
                raw.over(
                    sagemaker.PipelineArgs(
                        pipeline_name=called,
                        pipeline_display_name=called,
                        pipeline_description=f"Trains {name}, judges it, and registers what passes for approval",
                        pipeline_definition=around.apply(partial(_definition, name, model, own)),
                        role_arn=access.identities["pipeline"],
                        parallelism_configuration=side_by_side,
                        tags=own.tags,
                    )
                ),
                opts=self.child(depends_on=kept, delete_before_replace=True),
            )
        self._schedules(models, made, keys, registry, access, alerts, is_last)
        self.publish(pipelines={name: each.pipeline_name for name, each in made.items()})

    def _object(
        self, names: Names, role: str, bucket: Output[str], key: str, content: str | Output[str], **options: Any
    ) -> s3.BucketObjectv2:
        return s3.BucketObjectv2(
            self.named(role),
            bucket=bucket,
            key=key,
            content=content,
            content_type="application/json",
            tags=object_tags(names),
            opts=self.child(**options),
        )

    def _schedules(
        self,
        models: Mapping[str, Model],
        made: Mapping[str, sagemaker.Pipeline],
        keys: contract.Keys,
        registry: contract.Registry,
        access: contract.Access,
        alerts: contract.Alerts,
        is_last: bool,
    ) -> None:
        due = {
            name: (model, schedule)
            for name, model in models.items()
            if (schedule := model.training.schedule) is not None
        }
        names = self.names
        asking = [name for name, (model, _) in due.items() if model.training.image is None]
        guarded = {name: model for name, model in models.items() if name in asking or retraining.on_breach(model)}
        if guarded:
            trained = {
                name: Output.all(pipeline=made[name].pipeline_name, group=registry.models[name]) for name in guarded
            }
            machine = state_machine(
                self,
                "retraining",
                Output.all(**trained).apply(partial(_machine, names, guarded)),
                runs_as=access.identities["retraining"],
                key=keys.ids.get("logs"),
                topic=alerts.topics["notice"],
                failing=f"A model of {names.slice} was not trained again: no version of it is approved, or its "
                "pipeline did not start. The ledger says which and why",
            )
        if not due:
            return
        group = scheduler.ScheduleGroup(
            self.named("schedules"),
            name=names.physical("schedule-group", "training"),
            tags=names.tags,
            opts=self.child(delete_before_replace=True),
        )
        queue = dead_letters(self, "training", key=keys.ids.get("logs"), topic=alerts.topics["notice"])
        for name, (model, schedule) in due.items():
            raw = Raw(f"models.{name}.training", model.training.raw, names.cloud, MAKES)
            window: Any = {"mode": "OFF"}
            started: Any = (
                {"arn": machine.arn, "input": json.dumps({"model": name, "trigger": "schedule"}, separators=(",", ":"))}
                if name in asking
                else {
                    "arn": made[name].arn,
                    "sagemaker_pipeline_parameters": {
                        "pipeline_parameters": [{"name": "Trigger", "value": "schedule"}]
                    },
                }
            )
            target: Any = {
                **started,
                "role_arn": access.identities["scheduler"],
                "retry_policy": {"maximum_event_age_in_seconds": LATE_SECONDS, "maximum_retry_attempts": 10},
                "dead_letter_config": {"arn": queue.arn},
            }
            scheduler.Schedule(
                self.named(name),
                raw.over(
                    scheduler.ScheduleArgs(
                        name=names.physical("schedule", name),
                        group_name=group.name,
                        description=f"Trains {name} anew",
                        schedule_expression=expression(schedule),
                        schedule_expression_timezone="UTC",
                        state="ENABLED" if is_last else "DISABLED",
                        flexible_time_window=window,
                        kms_key_arn=keys.ids.get("logs"),
                        target=target,
                    )
                ),
                opts=self.child(delete_before_replace=True),
            )


def _machine(names: Names, models: Mapping[str, Model], found: Mapping[str, Mapping[str, str]]) -> str:
    return retraining.definition(
        names,
        {
            name: retraining.Trained(
                **each,
                image=models[name].training.image or "",
                alarms=retraining.breaches(names, name, models[name]),
                is_labelled=models[name].monitoring.model_quality is not None,
            )
            for name, each in found.items()
        },
    )


def _settings(
    name: str,
    names: Names,
    model: Model,
    datasets: Mapping[str, Dataset],
    groups: Mapping[str, FeatureGroup],
    found: Mapping[str, str | None],
) -> str:
    uri, group = found["dataset"], found["features"]
    source = pipeline.Source(
        dataset=(uri, datasets[model.data.dataset]) if uri and model.data.dataset else None,
        features=(group, groups[model.data.features]) if group and model.data.features else None,
    )
    document = pipeline.settings(name, names.environment, model, source)
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _definition(name: str, model: Model, names: Names, found: Mapping[str, Any]) -> str:
    around = Surroundings(
        environment=names.environment,
        folder=f"{found['store']}/{name}",
        image=found["image"],
        group=found["group"],
        role=found["role"],
        subnets=tuple(found["subnets"]),
        firewalls=tuple(found["firewalls"]),
        key=found["key"],
        tracking=found["tracking"],
        experiment=f"{names.slice}-{name}",
        token=token(names),
        tags=names.tags,
    )
    return definition(name, model, around)
