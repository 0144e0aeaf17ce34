"""What happens to versions in the hub's registry, told to every environment."""

import json
from collections.abc import Sequence

import pulumi_aws.cloudwatch as cloudwatch
from pulumi import ResourceOptions

from mlestate import contract
from mlestate.aws.neighbours import VERDICTS, bus
from mlestate.aws.queues import dead_letters
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Verdicts"]


class Verdicts(Part):
    """A rule an environment, which passes every change of a version on to the environment's own bus.

    One rule each, because a rule has at most five targets (EventBridge quotas), and a bus in another account is reached
    under a role alone (EventBridge user guide, "Sending events between buses in different accounts"). An environment
    that is not there yet gets nothing: what it missed waits in the queue.
    """

    def __init__(
        self,
        names: Names,
        environments: Sequence[Names],
        keys: contract.Keys,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        waiting = dead_letters(self, "verdicts", key=keys.ids.get("logs"), topic=alerts.topics["page"])
        source, detail_type = VERDICTS
        pattern = {
            "source": [source],
            "detail-type": [detail_type],
            "detail": {"ModelPackageGroupName": [{"prefix": f"{names.slice}-"}]},
        }
        for each in environments:
            rule = cloudwatch.EventRule(
                self.named(each.environment),
                name=names.physical("rule", f"verdicts-{each.environment}"),
                description=f"Tells {each.environment} what happens to versions",
                event_pattern=json.dumps(pattern, sort_keys=True, separators=(",", ":")),
                tags=names.tags,
                opts=self.child(),
            )
            cloudwatch.EventTarget(
                self.named(each.environment),
                rule=rule.name,
                target_id="releases",
                arn=bus(each),
                role_arn=access.identities["events"],
                dead_letter_config={"arn": waiting.arn},
                opts=self.child(),
            )
        self.publish()
