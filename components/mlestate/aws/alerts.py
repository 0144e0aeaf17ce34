"""How people are told on AWS: topics by urgency, who listens to them, and the events that are worth telling."""

from collections.abc import Mapping, Sequence

import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.sns as sns
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.policies import Statement, allow, canonical, deny
from mlestate.aws.signals import ALARM, SIGNALS, Signal
from mlestate.config.people import Alerts as AlertSettings
from mlestate.names import HUB, Names
from mlestate.part import Part

__all__ = ["URGENCIES", "Alerts"]

URGENCIES: Mapping[str, str] = {"page": "someone has to act now", "notice": "someone has to look in working hours"}

PAGERDUTY = "https://events.pagerduty.com/integration/"
"""Where a service's CloudWatch integration listens: this, the integration key, `/enqueue` (PagerDuty, "Amazon
CloudWatch Integration Guide"). It confirms the subscription by itself, and reads CloudWatch's own messages alone."""

PUBLISHERS: Mapping[str, str] = {
    "Alarms": "cloudwatch.amazonaws.com",
    "Budgets": "budgets.amazonaws.com",
    "CostAnomalies": "costalerts.amazonaws.com",
}
"""The services that say for whom they publish, by the `Sid` of their statement."""


class Alerts(Part):
    """Two topics, their subscribers, and the rules that tell of jobs that failed.

    An address gets everything, and confirms its subscription once by a link that SNS sends. PagerDuty gets the alarms
    that are urgent. Slack gets every alarm and every job that failed, through EventBridge, since SNS does not speak to
    a webhook. Topics are there without any listener, so that one who comes later changes no alarm.

    A topic is never under the key that AWS manages for SNS: CloudWatch may not use that one, and its alarms would
    vanish without a word (CloudWatch user guide, "Notifying users on alarm changes"). EventBridge sends no condition
    keys to SNS: a condition on its statement would refuse every event (EventBridge user guide, "Amazon SNS
    permissions"). So that statement has none, and only this account's administrators can make rules that reach it.
    """

    topics: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        settings: AlertSettings,
        secrets: contract.Secrets,
        keys: contract.Keys,
        access: contract.Access,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self._identities = access.identities
        self._topics = {urgency: self._topic(urgency, keys) for urgency in URGENCIES}
        for urgency, topic in self._topics.items():
            for address in settings.email:
                sns.TopicSubscription(
                    self.named(f"{urgency}-{address}"),
                    topic=topic.arn,
                    protocol="email",
                    endpoint=address,
                    opts=self.child(),
                )
        if settings.pagerduty is not None:
            sns.TopicSubscription(
                self.named("page-pagerduty"),
                topic=self._topics["page"].arn,
                protocol="https",
                endpoint=Output.concat(PAGERDUTY, _hidden(secrets, settings.pagerduty), "/enqueue"),
                endpoint_auto_confirms=True,
                opts=self.child(),
            )
        webhook = self._webhook(_hidden(secrets, settings.slack)) if settings.slack is not None else None
        for signal in SIGNALS if names.environment != HUB else ():
            self._tell(signal, webhook, self._topics[signal.urgency])
        if webhook is not None:
            self._tell(ALARM, webhook)
        self.publish(topics={urgency: topic.arn for urgency, topic in self._topics.items()})

    def _topic(self, urgency: str, keys: contract.Keys) -> sns.Topic:
        names = self.names
        topic = sns.Topic(
            self.named(urgency),
            name=names.physical("topic", urgency),
            display_name=f"{names.slice} {urgency}"[:100],
            kms_master_key_id=keys.ids.get("logs"),
            tags=names.tags,
            opts=self.child(),
        )
        arn = names.arn("sns", names.physical("topic", urgency))
        sns.TopicPolicy(
            self.named(urgency), arn=topic.arn, policy=canonical(_publishers(names, arn)), opts=self.child()
        )
        return topic

    def _webhook(self, url: Output[str]) -> cloudwatch.EventApiDestination:
        connection = cloudwatch.EventConnection(
            self.named("slack"),
            description="Slack tells by the webhook's address alone who is speaking",
            authorization_type="API_KEY",
            # A connection has to carry a key, and a webhook asks for none: this header says who calls, nothing more.
            auth_parameters={"api_key": {"key": "X-Sender", "value": self.names.slice}},
            opts=self.child(),
        )
        return cloudwatch.EventApiDestination(
            self.named("slack"),
            description="Slack's incoming webhook",
            connection_arn=connection.arn,
            http_method="POST",
            invocation_endpoint=url,
            # Slack, "Rate limits": incoming webhooks take one message a second.
            invocation_rate_limit_per_second=1,
            opts=self.child(),
        )

    def _tell(
        self, signal: Signal, webhook: cloudwatch.EventApiDestination | None, topic: sns.Topic | None = None
    ) -> None:
        rule = cloudwatch.EventRule(
            self.named(signal.name),
            name=self.names.physical("rule", signal.name),
            description=signal.description,
            event_pattern=signal.pattern(self.names),
            tags=self.names.tags,
            opts=self.child(),
        )
        if topic is not None:
            cloudwatch.EventTarget(
                self.named(f"{signal.name}-{signal.urgency}"),
                rule=rule.name,
                target_id=signal.urgency,
                arn=topic.arn,
                input_transformer={"input_paths": dict(signal.paths), "input_template": signal.sentence},
                opts=self.child(),
            )
        if webhook is not None:
            cloudwatch.EventTarget(
                self.named(f"{signal.name}-slack"),
                rule=rule.name,
                target_id="slack",
                arn=webhook.arn,
                # EventBridge refuses a target whose role is not there, or does not let it in.
                role_arn=self._identities["events"],
                input_transformer={"input_paths": dict(signal.paths), "input_template": signal.message},
                opts=self.child(),
            )


def _publishers(names: Names, topic: str) -> Sequence[Statement]:
    ours = {"StringEquals": {"aws:SourceAccount": names.home}}
    return [
        *(
            allow(sid, "sns:Publish", topic, ours) | {"Principal": {"Service": service}}
            for sid, service in PUBLISHERS.items()
        ),
        allow("Events", "sns:Publish", topic) | {"Principal": {"Service": "events.amazonaws.com"}},
        deny("RefusePlainHttp", "sns:Publish", topic, {"Bool": {"aws:SecureTransport": "false"}}) | {"Principal": "*"},
    ]


def _hidden(secrets: contract.Secrets, reference: str) -> Output[str]:
    """What `secret:<key>` stands for, kept from the state, the output and the log whoever hands it over."""
    value: Output[str] = Output.secret(secrets(reference.removeprefix("secret:")))
    return value
