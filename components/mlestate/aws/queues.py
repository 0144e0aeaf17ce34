"""Where what could not be delivered waits for a person."""

import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.sqs as sqs
from pulumi import Output

from mlestate.aws.policies import allow, canonical, deny
from mlestate.part import Part

__all__ = ["dead_letters"]

KEPT_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps a message (SQS API, SetQueueAttributes)."""


def dead_letters(part: Part, of: str, *, key: Output[str] | None, topic: Output[str]) -> sqs.Queue:
    """A queue that the rules of this slice leave their undelivered events in, and an alarm when there is one.

    ``of`` is what was not delivered, as in its name. ``key`` is a KMS key ARN whose policy lets EventBridge use it, or
    None for keys that SQS manages; ``topic`` is told.
    """
    names, role = part.names, "undelivered"
    name = names.physical("queue", f"{of}-undelivered")
    queue = sqs.Queue(
        part.named(role),
        name=name,
        message_retention_seconds=KEPT_SECONDS,
        kms_master_key_id=key,
        sqs_managed_sse_enabled=True if key is None else None,
        tags=names.tags,
        opts=part.child(),
    )
    arn = names.arn("sqs", name)
    sqs.QueuePolicy(
        part.named(role),
        queue_url=queue.url,
        policy=canonical(
            [
                allow(
                    "LeaveWhatCannotBeDelivered",
                    "sqs:SendMessage",
                    arn,
                    {"ArnLike": {"aws:SourceArn": names.arn("events", f"rule/{names.slice}-*")}},
                )
                | {"Principal": {"Service": "events.amazonaws.com"}},
                deny("RefusePlainHttp", "sqs:*", arn, {"Bool": {"aws:SecureTransport": "false"}}) | {"Principal": "*"},
            ]
        ),
        opts=part.child(),
    )
    cloudwatch.MetricAlarm(
        part.named(role),
        name=names.physical("alarm", f"{of}-undelivered"),
        alarm_description=f"Something in {names.slice} could not be delivered: read the queue {name}.",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue.name},
        statistic="Maximum",
        period=300,
        evaluation_periods=1,
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        treat_missing_data="notBreaching",
        alarm_actions=[topic],
        ok_actions=[topic],
        tags=names.tags,
        opts=part.child(),
    )
    return queue
