"""What releases a version on AWS and rolls it back: the frame that the release workflow runs in."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.dynamodb as dynamodb
import pulumi_aws.ssm as ssm
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.alarms import ROLLBACK
from mlestate.aws.queues import dead_letters
from mlestate.config.estate import Approval
from mlestate.config.model import Model
from mlestate.config.monitoring import Monitoring
from mlestate.config.serving import BAKES, FAILURES, MINIMUM_SAMPLES, SAMPLE, SPLIT, STEPS, Rollout
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["ANSWERING", "Delivery", "parameter", "promotion", "retraining", "rollout"]

ANSWERING = ("realtime", "serverless", "async")
"""The modes in which a version takes over from another while requests come in."""

LOGS_DAYS = 365
"""How long it can be read what a release did, step by step; the ledger itself is kept for ever."""

Document = Mapping[str, Any]


class Delivery(Part):
    """Where releases are written down, what could not be delivered waits, and the workflow reads what it is to do.

    Every release has its entry in the ledger, under the model's name and a key that makes it unique, so that an event
    that comes twice releases once. How a version takes over, who must agree and when a model is retrained stand in one
    parameter a served model: a change in the file changes data, never the workflow while it runs.

    Nothing here bills while idle but the alarm: the ledger is paid by the request, parameters of the standard tier are
    free (AWS pricing pages of DynamoDB and Systems Manager).
    """

    workflows: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        path: tuple[str, ...],
        approval: Mapping[str, Approval],
        keys: contract.Keys,
        registry: contract.Registry,
        training: contract.Training,
        monitoring: contract.Monitoring,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``path`` are the environments in the order in which a version passes them."""
        super().__init__(names, opts)
        key = keys.ids.get("logs")
        ledger = dynamodb.Table(
            self.named("releases"),
            name=names.physical("table", "releases"),
            billing_mode="PAY_PER_REQUEST",
            hash_key="model",
            range_key="entry",
            attributes=[{"name": name, "type": "S"} for name in ("model", "entry")],
            point_in_time_recovery={"enabled": True},
            # Without a key of the customer's DynamoDB encrypts by one of its own; to say so is to ask for another.
            server_side_encryption=None if key is None else {"enabled": True, "kms_key_arn": key},
            deletion_protection_enabled=protect,
            tags=names.tags,
            opts=self.child(protect=protect, retain_on_delete=protect),
        )
        waiting = dead_letters(self, "releases", key=key, topic=alerts.topics["page"])
        logs = cloudwatch.LogGroup(
            self.named("machines"),
            # Under this prefix the log needs no line in the account's one policy of log deliveries, which is soon full
            # (Step Functions developer guide, "Log to CloudWatch Logs").
            name=f"/aws/vendedlogs/states/{names.physical('log-group', 'machines')}",
            retention_in_days=LOGS_DAYS,
            kms_key_id=key,
            tags=names.tags,
            opts=self.child(),
        )
        for name, model in models.items():
            if model.serving.mode == "none":
                continue
            document = {
                "model": name,
                "mode": model.serving.mode,
                "versions": registry.models[name],
                "promotion": promotion(names.environment, path, approval),
                "rollout": rollout(model) if model.serving.mode in ANSWERING else None,
                "rollback_alarms": [
                    monitoring.alarms[f"{name}-{alarm}"]
                    for alarm in ROLLBACK.values()
                    if f"{name}-{alarm}" in monitoring.alarms
                ],
                "retraining": {**retraining(model.monitoring), "pipeline": training.pipelines.get(name)},
            }
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
        self.publish(workflows={"ledger": ledger.name, "undelivered": waiting.name, "logs": logs.name})


def parameter(names: Names, model: str) -> str:
    """The name of the parameter that says how a model is released (Systems Manager: at most 15 levels)."""
    return f"/mlestate/{names.estate}/{names.environment}/{model}/release"


def promotion(environment: str, path: tuple[str, ...], approval: Mapping[str, Approval]) -> Document:
    """Where a version comes from and goes to, and how many people must agree before it comes; None off the path."""
    if environment not in path:
        return {"from": None, "to": None, "approvals": 0}
    place = path.index(environment)
    return {
        "from": path[place - 1] if place else None,
        "to": path[place + 1] if place + 1 < len(path) else None,
        "approvals": approval[environment].minimum if environment in approval else 0,
    }


def rollout(model: Model) -> Document:
    """How a new version takes over, with what the file leaves out filled in; times in seconds, latencies in
    milliseconds."""
    said = model.serving.rollout
    own = _STRATEGIES.get(said.strategy)
    return {
        "strategy": said.strategy,
        "bake_seconds": (said.bake or BAKES[said.strategy]).seconds,
        "keep_previous_seconds": said.keep_previous.seconds,
        "rollback_on": _signs(said),
        **(own(model) if own else {}),
    }


def _signs(said: Rollout) -> Document:
    signs = said.rollback_on
    bounds = {name: getattr(signs, name) for name in type(signs).model_fields}
    bounds["error_rate"] = signs.error_rate or FAILURES
    return {name: bound.model_dump(exclude_none=True) for name, bound in bounds.items() if bound is not None}


def _canary(model: Model) -> Document:
    return {"steps": list(model.serving.rollout.steps or STEPS)}


def _comparison(model: Model) -> Document:
    return {"minimum_samples": model.serving.rollout.minimum_samples or MINIMUM_SAMPLES}


def _ab(model: Model) -> Document:
    said = model.serving.rollout
    metric = said.metric or next(iter(model.gates.model.thresholds))
    return {"split": said.split or SPLIT, "metric": metric, **_comparison(model)}


def _shadow(model: Model) -> Document:
    return {"sample": model.serving.rollout.sample or SAMPLE, **_comparison(model)}


_STRATEGIES: Mapping[str, Callable[[Model], Document]] = {"canary": _canary, "ab": _ab, "shadow": _shadow}
"""What a strategy asks for besides what all of them do; to replace all at once is to ask for nothing."""


def retraining(said: Monitoring) -> Document:
    """Whether a breach starts a training run, and what keeps these runs from running away."""
    limits = said.retrain
    return {
        "on_breach": said.on_breach,
        "cooldown_seconds": limits.cooldown.seconds,
        "max_per_week": limits.max_per_week,
        "min_new_rows": limits.min_new_rows or 0,
    }
