"""What releases a version on AWS and rolls it back: the machines of `mlestate.release`, and what they stand on."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.dynamodb as dynamodb
import pulumi_aws.s3 as s3
import pulumi_aws.sqs as sqs
import pulumi_aws.ssm as ssm
from pulumi import Output, ResourceOptions

from mlestate import contract, release
from mlestate.aws import batch, comparisons, neighbours, rollback
from mlestate.aws import release as releases
from mlestate.aws.alarms import ROLLBACK
from mlestate.aws.jobs import COMPARISON
from mlestate.aws.monitors import compares
from mlestate.aws.policies import canonical
from mlestate.aws.queues import dead_letters
from mlestate.aws.release_events import events
from mlestate.aws.release_states import Place
from mlestate.aws.retraining import breaches
from mlestate.aws.serving import instance_type
from mlestate.aws.settings import takes_volume_key
from mlestate.aws.state_machines import state_machine
from mlestate.config.estate import Approval
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Delivery", "parameter"]

LOGS_DAYS = 365
"""How long it can be read what a release did, step by step; the ledger itself is kept for ever."""

TRIAL = "ml.m5.large"
"""What a version is tried on where it answers on no machine of its own, or on one that runs no transform."""

FAILING: Mapping[str, str] = {
    "release": "A release broke in {slice}: `mlestate status` says which, and why",
    "rollback": "A rollback did not work in {slice}: look at the endpoint now; `mlestate status` says which",
}


class Delivery(Part):
    """The release and the rollback of an environment, their ledger, the signatures of those who agree, and the events
    that start them.

    Every release has its entry in the ledger, under the model's name and the moment it began. How a version takes over,
    who must agree and when a model is retrained stand in one parameter a served model: a change in the file changes
    data, never a release that runs. Nobody signs for another: the table of signatures takes an item only under the
    signer's own id (aws/personas.py).

    What happens to versions comes over a bus of this environment's own, from the hub or from the environment before it,
    in whichever account; what happens to endpoints and alarms comes over the account's. What cannot be delivered waits
    in a queue for a fortnight, and its alarm pages.

    Nothing here bills while idle but alarms: tables are paid by the request, machines by the step, and parameters of
    the standard tier, rules and buses are free (AWS pricing pages of DynamoDB, Step Functions, Systems Manager and
    EventBridge).
    """

    workflows: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        hub: Names,
        environments: Mapping[str, Names],
        models: Mapping[str, Model],
        path: tuple[str, ...],
        approval: Mapping[str, Approval],
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        registry: contract.Registry,
        training: contract.Training,
        serving: contract.Serving,
        monitoring: contract.Monitoring,
        access: contract.Access,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``environments`` are all of the estate's, in whichever account; ``path`` is the order in which a version
        passes them."""
        super().__init__(names, opts)
        self._keys, self._access, self._alerts, self._protect = keys, access, alerts, protect
        key = keys.ids.get("logs")
        step = release.promotion(names.environment, path, approval)
        before = environments[step["from"]] if step["from"] is not None else None
        served = {name: model for name, model in models.items() if model.serving.mode != "none"}
        ledger = self._table("releases", "model", "entry")
        signatures = self._table("approvals", "person", "version", index="version")
        for name, model in served.items():
            here = self._here(name, model, registry, serving, monitoring, training)
            buses = {step["to"]: neighbours.bus(environments[step["to"]])} if step["to"] is not None else {}
            told = {**release.settings(name, model, names.environment, path, approval), "buses": buses}
            document = Output.all(**here).apply(partial(_merged, told))
            ssm.Parameter(
                self.named(name),
                name=parameter(names, name),
                description=f"How a version of {name} is released in {names.environment}, and when it is retrained",
                type="String",
                # As `value` it would be a secret, of which no plan shows what changes.
                insecure_value=Output.json_dumps(document, sort_keys=True, separators=(",", ":")),
                tags=names.of_model(name, model.owner).tags,
                opts=self.child(),
            )
        # Also where a version only passes through: there the same machine is rehearsed.
        compared = {name: model for name, model in served.items() if compares(model)}
        files = self._programs(data) if compared else []
        place = self._comparisons(compared, network, data).apply(
            lambda requests: Place(
                names,
                {model: hub.physical("model-package-group", model) for model in models},
                sorted(served),
                {
                    model: names.physical("endpoint", model)
                    for model, each in served.items()
                    if each.serving.mode in release.ANSWERING
                },
                requests,
                list(environments.values()),
            )
        )
        machines = {
            role: state_machine(
                self,
                role,
                place.apply(definition),
                runs_as=access.identities["release"],
                key=key,
                topic=alerts.topics["page"],
                failing=FAILING[role].format(slice=names.slice),
                log_days=LOGS_DAYS,
                depends_on=[ledger, signatures, *files],
            )
            for role, definition in (("release", releases.definition), ("rollback", rollback.definition))
        }
        waiting = dead_letters(self, "releases", key=key, topic=alerts.topics["page"])
        arns = {role: each.arn for role, each in machines.items()}
        arns["retraining"] = Output.from_input(
            names.arn("states", f"stateMachine:{names.physical('state-machine', 'retraining')}")
        )
        alarms = [alarm for name, model in models.items() for alarm in breaches(names, name, model)]
        self._listen(hub, before, alarms, arns, waiting)
        self.publish(
            workflows={
                **{role: each.arn for role, each in machines.items()},
                "ledger": ledger.name,
                "approvals": signatures.name,
                "undelivered": waiting.name,
            }
        )

    def _table(self, role: str, key: str, order: str, index: str | None = None) -> dynamodb.Table:
        names, kms = self.names, self._keys.ids.get("logs")
        return dynamodb.Table(
            self.named(role),
            name=names.physical("table", role),
            billing_mode="PAY_PER_REQUEST",
            hash_key=key,
            range_key=order,
            attributes=[{"name": name, "type": "S"} for name in (key, order)],
            global_secondary_indexes=[{"name": f"by-{index}", "hash_key": index, "projection_type": "ALL"}]
            if index
            else None,
            point_in_time_recovery={"enabled": True},
            # Without a key of the customer's DynamoDB encrypts by one of its own; to say so is to ask for another.
            server_side_encryption=None if kms is None else {"enabled": True, "kms_key_arn": kms},
            deletion_protection_enabled=self._protect,
            tags=names.tags,
            opts=self.child(protect=self._protect, retain_on_delete=self._protect),
        )

    def _here(
        self,
        name: str,
        model: Model,
        registry: contract.Registry,
        serving: contract.Serving,
        monitoring: contract.Monitoring,
        training: contract.Training,
    ) -> dict[str, Any]:
        """Where things are on AWS."""
        names, key = self.names, self._keys.ids.get("models")
        tags = names.of_model(name, model.owner).tags
        type_ = _tried_on(model)
        trial: dict[str, Any] = {"output": {}, "resources": {"InstanceType": type_}}
        if key is not None:
            trial["output"]["KmsKeyId"] = key
            if takes_volume_key(type_):
                trial["resources"]["VolumeKmsKeyId"] = key
        return {
            "versions": registry.models[name],
            "template": serving.templates.get(name),
            "endpoint": names.physical("endpoint", name),
            "prefix": names.physical("release", name),
            "parameter": batch.parameter(names, name),
            "trial": trial,
            "rollback_alarms": [
                monitoring.alarms[f"{name}-{alarm}"]
                for alarm in ROLLBACK.values()
                if f"{name}-{alarm}" in monitoring.alarms
            ],
            "pipeline": training.pipelines.get(name),
            "tags": [{"Key": each, "Value": tags[each]} for each in sorted(tags)],
        }

    def _programs(self, data: contract.Data) -> list[s3.BucketObjectv2]:
        """The files of the job that compares."""
        bucket = data.stores["artifacts"].apply(lambda uri: uri.removeprefix("s3://"))
        return [
            s3.BucketObjectv2(
                self.named(f"code-{file.replace('/', '-')}"),
                bucket=bucket,
                key=f"code/comparison/{file}",
                content=text,
                content_type="text/x-python",
                tags=self.names.tags,
                opts=self.child(),
            )
            for file, text in COMPARISON.items()
        ]

    def _comparisons(
        self, compared: Mapping[str, Model], network: contract.Network, data: contract.Data
    ) -> Output[dict[str, dict[str, Any]]]:
        names = self.names
        return Output.all(
            role_arn=self._access.identities["monitoring"],
            stores=Output.all(**{role: data.stores[role] for role in ("artifacts", "capture", "curated", "raw")}),
            key=self._keys.ids.get("models"),
            subnets=Output.all(*network.subnets.values()),
            groups=Output.all(*network.groups.values()),
        ).apply(
            lambda known: {
                name: comparisons.request(
                    names,
                    name,
                    model,
                    **known,
                    code=f"{known['stores']['artifacts']}/code/comparison/",
                    endpoint=names.physical("endpoint", name),
                )
                for name, model in compared.items()
            }
        )

    def _listen(
        self,
        hub: Names,
        before: Names | None,
        alarms: Sequence[str],
        machines: Mapping[str, Output[str]],
        waiting: sqs.Queue,
    ) -> None:
        names = self.names
        bus = cloudwatch.EventBus(
            self.named("releases"),
            name=names.physical("event-bus", "releases"),
            description=f"What happens to versions that concerns {names.environment}",
            tags=names.tags,
            opts=self.child(),
        )
        if statements := neighbours.telling(names, hub, before):
            cloudwatch.EventBusPolicy(
                self.named("releases"),
                event_bus_name=bus.name,
                policy=canonical(statements),
                opts=self.child(),
            )
        for event in events(names, hub, before, alarms):
            over = bus.name if event.own_bus else None
            rule = cloudwatch.EventRule(
                self.named(event.name),
                name=names.physical("rule", event.name),
                description=event.description,
                event_bus_name=over,
                event_pattern=event.pattern,
                tags=names.tags,
                opts=self.child(),
            )
            cloudwatch.EventTarget(
                self.named(event.name),
                rule=rule.name,
                event_bus_name=over,
                target_id=event.machine,
                arn=machines[event.machine],
                # EventBridge refuses a target whose role is not there, or does not let it in.
                role_arn=self._access.identities["events"],
                input_transformer={"input_paths": event.paths, "input_template": event.template},
                dead_letter_config={"arn": waiting.arn},
                opts=self.child(),
            )


def parameter(names: Names, model: str) -> str:
    """The name of the parameter that says how a model is released (Systems Manager: at most 15 levels)."""
    return f"/mlestate/{names.estate}/{names.environment}/{model}/release"


def _merged(told: release.Document, known: Mapping[str, Any]) -> dict[str, Any]:
    here = dict(known)
    retraining = {**told["retraining"], "pipeline": here.pop("pipeline")}
    return {**told, **here, "retraining": retraining}


def _tried_on(model: Model) -> str:
    """A model that needs a GPU is tried on its own machine; what a transform can run on is a shorter list than what an
    endpoint can (SageMaker API, TransformInstanceType)."""
    own = instance_type(model)
    return own if re.match(r"ml\.[gp]\d", own) else TRIAL
