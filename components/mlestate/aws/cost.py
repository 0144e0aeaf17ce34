"""Budgets on AWS and what happens when one is spent; endpoints that rest while nobody works."""

from __future__ import annotations  # names in annotations would load SDK modules that few estates use

from collections.abc import Mapping

import pulumi_aws.budgets as spending
import pulumi_aws.costexplorer as costexplorer
import pulumi_aws.scheduler as scheduler
import pulumi_aws.ssm as ssm
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws import upkeep
from mlestate.aws.policies import path
from mlestate.aws.settings import AwsEnvironment
from mlestate.aws.state_machines import state_machine
from mlestate.config.cost import OffHours
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["BUDGET_METRIC", "SERVED_ON_MACHINES", "Cost", "hours"]

BUDGET_METRIC = "UnblendedCost"

SERVED_ON_MACHINES = ("realtime",)
"""Modes whose endpoints bill by the hour and come back as they were. A serverless one costs nothing idle; an
asynchronous one scales to zero by itself."""

SHARES: tuple[tuple[int, str, str], ...] = (
    # percent of the budget, what is measured, how urgent it is
    (50, "ACTUAL", "notice"),
    (80, "ACTUAL", "notice"),
    (100, "ACTUAL", "page"),
    (100, "FORECASTED", "notice"),
)
"""Of the ten notifications that a budget has room for (AWS Budgets quotas)."""

UNUSUAL_USD = 20
"""The size of an anomaly from which on people are told where there is no budget to measure it by."""


class Cost(Part):
    """What an environment may cost, who is told, and what stops.

    A budget counts what carries this environment's tags, once `estate` and `environment` are activated as cost
    allocation tags in the account that pays (Billing, "Activating user-defined cost allocation tags"; that takes up to
    a day, and no stack of a member account can do it). Its data is some hours old, so a freeze stops further spend and
    not the first dollar above the limit. The freeze attaches a policy to the roles of people and CI in this account:
    by itself, or after someone agreed where the environment is protected (AWS Budgets, "Configuring a budget action").
    To lift it, reset the action in the console or with `aws budgets execute-budget-action`.

    Unusual spend is watched by a monitor of the account: AWS has room for one a dimension there
    (aws-cloudformation/cloudformation-coverage-roadmap#2515), and monitors by tag only in the management account
    (Cost Management, "Getting started with AWS Cost Anomaly Detection"). So the file says which one it is.

    While an endpoint is off, a `pulumi refresh` finds it gone and the next `pulumi up` would make the first version of
    it again: start the machine with ``{"action": "start"}`` before, as the schedule does in the morning. A release that
    bakes at that hour finds its endpoint gone and fails; it is for a person to start it again.
    """

    budgets: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        environment: AwsEnvironment,
        models: Mapping[str, Model],
        keys: contract.Keys,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self._environment, self._keys, self._access, self._topics = environment, keys, access, alerts.topics
        made: dict[str, Output[str]] = {}
        if environment.monthly_budget_usd is not None:
            budget = self._budget(environment.monthly_budget_usd)
            self._freeze(budget)
            made["monthly"] = budget.name
        if environment.anomaly_monitor is not None:
            self._anomalies(environment.anomaly_monitor)
        if environment.off_hours is not None or environment.stop_idle_after is not None:
            self._upkeep({name: model for name, model in models.items() if model.serving.mode in SERVED_ON_MACHINES})
        self.publish(budgets=made)

    def _budget(self, limit: float) -> spending.Budget:
        # Within one filter AWS joins values by OR, between the operands of an expression by AND (Budgets API,
        # Expression): the environment alone would count every estate's.
        return spending.Budget(
            self.named("monthly"),
            account_id=self.names.home,
            name=self.names.physical("budget", "monthly"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{limit:.2f}",
            limit_unit="USD",
            metrics=BUDGET_METRIC,
            filter_expression={
                "ands": [{"tags": {"key": key, "values": [self.names.tags[key]]}} for key in ("estate", "environment")]
            },
            notifications=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": measured,
                    "threshold": share,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [self._topics[urgency]],
                }
                for share, measured, urgency in SHARES
            ],
            tags=self.names.tags,
            opts=self.child(),
        )

    def _freeze(self, budget: spending.Budget) -> None:
        """Nobody to freeze, no action: IAM wants a role to attach a policy to."""
        frozen = {**self._access.personas, **self._access.ci}
        if not frozen:
            return
        spending.BudgetAction(
            self.named("freeze"),
            account_id=self.names.home,
            budget_name=budget.name,
            action_type="APPLY_IAM_POLICY",
            approval_model="MANUAL" if self._environment.protect else "AUTOMATIC",
            notification_type="ACTUAL",
            action_threshold={"action_threshold_type": "PERCENTAGE", "action_threshold_value": 100},
            execution_role_arn=self._access.identities["budget"],
            definition={
                "iam_action_definition": {
                    "policy_arn": self.names.arn(
                        "iam",
                        f"policy{path(self.names)}{self.names.physical('policy', 'freeze')}",
                        regional=False,
                    ),
                    "roles": [frozen[role].apply(_role_name) for role in sorted(frozen)],
                }
            },
            subscribers=[{"subscription_type": "SNS", "address": self._topics["page"]}],
            tags=self.names.tags,
            # The policy is meant by its computed ARN, so nothing else says that it has to be there first.
            opts=self.child(depends_on=[self._access] if isinstance(self._access, Part) else None),
        )

    def _anomalies(self, monitor: str) -> None:
        tags = self.names.tags
        if monitor == "new":
            made = costexplorer.AnomalyMonitor(
                self.named("anomalies"),
                name=self.names.slice,
                monitor_type="DIMENSIONAL",
                monitor_dimension="SERVICE",
                tags=tags,
                opts=self.child(),
            )
        budget = self._environment.monthly_budget_usd
        costexplorer.AnomalySubscription(
            self.named("anomalies"),
            account_id=self.names.home,
            name=self.names.slice,
            # A topic takes no summaries: AWS accepts it with IMMEDIATE alone (Cost Explorer API, AnomalySubscription).
            frequency="IMMEDIATE",
            monitor_arn_lists=[made.arn if monitor == "new" else monitor],
            subscribers=[{"type": "SNS", "address": self._topics["notice"]}],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [f"{budget / 20:.2f}" if budget is not None else str(UNUSUAL_USD)],
                }
            },
            tags=tags,
            opts=self.child(),
        )

    def _upkeep(self, models: Mapping[str, Model]) -> None:
        names, idle = self.names, self._environment.stop_idle_after
        endpoints = {
            names.physical("endpoint", name): dict(names.of_model(name, model.owner).tags)
            for name, model in models.items()
        }
        for endpoint in endpoints:
            ssm.Parameter(
                f"{self.named('endpoint')}-{endpoint}",
                name=upkeep.memory(names, endpoint),
                description=f"What {endpoint} was, while it is off",
                type="String",
                insecure_value="{}",
                tags=names.tags,
                opts=self.child(ignore_changes=["insecureValue"]),
            )
        key = self._keys.ids.get("logs")
        machine = state_machine(
            self,
            "upkeep",
            self._topics["notice"].apply(
                lambda topic: upkeep.definition(names, endpoints, idle.seconds // 3600 if idle else None, topic)
            ),
            runs_as=self._access.identities["upkeep"],
            key=key,
            topic=self._topics["notice"],
            failing=f"Endpoints of {names.slice} were not stopped or not brought back",
        )
        group = scheduler.ScheduleGroup(
            self.named("upkeep"),
            name=names.physical("schedule-group", "upkeep"),
            tags=names.tags,
            opts=self.child(delete_before_replace=True),
        )
        for role, action, expression, timezone in self._schedules():
            scheduler.Schedule(
                self.named(role),
                name=names.physical("schedule", role),
                group_name=group.name,
                description=f"{action}: endpoints of {names.slice}",
                schedule_expression=expression,
                schedule_expression_timezone=timezone,
                flexible_time_window={"mode": "OFF"},
                kms_key_arn=key,
                target={
                    "arn": machine.arn,
                    "role_arn": self._access.identities["scheduler"],
                    "input": f'{{"action":"{action}"}}',
                    "retry_policy": {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 10},
                },
                opts=self.child(delete_before_replace=True),
            )

    def _schedules(self) -> list[tuple[str, str, str, str]]:
        """Role, action, expression and time zone of each schedule."""
        asked = []
        if (off := self._environment.off_hours) is not None:
            stop, start = hours(off)
            asked += [("off-hours-stop", "stop", stop, off.timezone), ("off-hours-start", "start", start, off.timezone)]
        if self._environment.stop_idle_after is not None:
            asked.append(("idle", "reap", upkeep.REAPED_EVERY, "UTC"))
        return asked


def hours(off: OffHours) -> tuple[str, str]:
    """When endpoints stop and start, as EventBridge Scheduler's cron expressions (minute hour day month weekday year).

    With free weekends nothing starts on Saturday and Sunday. Work that goes on past midnight stops on the morning after
    each working day.
    """
    stopped = "MON-FRI" if off.stop > off.start else "TUE-SAT"
    days = (stopped, "MON-FRI") if off.weekends else ("*", "*")

    def expression(at: str, day: str) -> str:
        hour, minute = at.split(":")
        return f"cron({int(minute)} {int(hour)} ? * {day} *)"

    return expression(off.stop, days[0]), expression(off.start, days[1])


def _role_name(arn: str) -> str:
    return arn.rpartition("/")[2]
