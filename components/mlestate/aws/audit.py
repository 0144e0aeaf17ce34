"""The record of who did what on AWS, kept where those it records cannot alter it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_aws.s3 as s3
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws import buckets, tampering
from mlestate.aws.data import ROLES
from mlestate.aws.policies import Statement, allow, deny
from mlestate.aws.questions import ANSWERS, ask
from mlestate.aws.trail import STORE, Log, analyzer_arn, analyzers, trail, trail_arn
from mlestate.aws.trail_log import follow
from mlestate.config.estate import Audit as AuditSettings
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["STORE", "Audit", "AuditElsewhere", "Recorder", "analyzer_arn", "trail_arn"]


class Audit(Part):
    """A CloudTrail trail of every region, in a bucket that CloudTrail alone writes to and nobody deletes from.

    Built even when the file has no `audit:` block, because the first copy of management events is free in every region
    (AWS CloudTrail pricing); an account with another trail pays for this one by the event. Whoever lays hands on the
    record, the registry or the watch over a model is told of at once, which is free too. What bills from the first
    event on, or may stand only once in an account, comes with the block: data events, the search for unusual rates of
    calls, the trail's log (in which alone a change of roles is seen at once), the analyzers of access, the
    questions over the trail, and who read it.

    Locked for compliance, or with any environment protected, the bucket outlives the estate. Otherwise it goes with the
    estate as soon as someone who may lift the lock has emptied it; with `lock: none` Pulumi empties it itself.

    It records the hub's account, and takes in the trails of the estate's other accounts (`Recorder`).
    """

    trail: Output[str]
    store: Output[str]

    def __init__(
        self,
        names: Names,
        settings: AuditSettings,
        detailed: bool,
        environments: Sequence[Names],
        elsewhere: Sequence[Names],
        keys: contract.Keys,
        by_alias: bool,
        access: contract.Access,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``detailed``: the file asks for an audit. ``environments`` are those in the hub's account, ``elsewhere``
        those that keep the trail of another.
        """
        super().__init__(names, opts)
        key = keys.ids.get("audit")
        kept = protect or settings.lock == "compliance"
        logs = buckets.access_logs(self, [STORE, ANSWERS], protect=kept) if detailed else None
        store = buckets.bucket(
            self,
            STORE,
            key=key,
            logs=logs,
            expire_days={"": settings.retention.days},
            statements=_only_the_trails(names, [names, *elsewhere]),
            object_lock=True,
            force_destroy=settings.lock == "none" and not kept,
            protect=kept,
            retain_on_delete=kept,
        )
        if settings.lock != "none":
            s3.BucketObjectLockConfiguration(
                self.named(STORE),
                bucket=store.resource.bucket,
                rule={"default_retention": {"mode": settings.lock.upper(), "days": settings.retention.days}},
                opts=self.child(protect=kept, retain_on_delete=kept),
            )
        record = trail(
            self,
            store=store.resource.bucket,
            key=key,
            by_alias=by_alias,
            detailed=detailed,
            buckets=_buckets(environments),
            log=_log(self, keys, access, alerts) if detailed else None,
            kept=kept,
            depends_on=[store.policy],
        )
        if detailed:
            analyzers(self)
            ask(
                self,
                store,
                [each.home for each in (names, *elsewhere)],
                settings.retention.days,
                key,
                logs,
                protect=kept,
            )
        signals = [
            *tampering.of_trail(names, trail_arn(names)),
            *tampering.of_store(names, names.physical("bucket", STORE)),
            *tampering.of_keys(names),
            *(tampering.of_rates(names) if detailed else ()),
            *tampering.of_registry(names),
            *(signal for each in environments for signal in tampering.of_environment(each)),
        ]
        tampering.watch(self, signals, alerts.topics, keys.ids.get("logs"), [record])
        # Other accounts' trails find a store that CloudTrail could write to: the hub's own stands by then.
        uri = Output.all(store.uri, record.arn).apply(lambda both: str(both[0]))
        self.publish(trail=record.arn, store=uri)


class Recorder(Part):
    """The trail of an account other than the hub's, which writes to the hub's store under the hub's key.

    Nobody in the account can alter what it recorded: the store is not theirs. The first of the environments that share
    an account keeps its trail.
    """

    trail: Output[str]
    store: Output[str]

    def __init__(
        self,
        names: Names,
        audit: contract.Audit,
        detailed: bool,
        environments: Sequence[Names],
        hub_keys: contract.Keys,
        keys: contract.Keys,
        by_alias: bool,
        access: contract.Access,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``audit`` and ``hub_keys`` are the hub's as seen from here; ``environments`` are those in this account."""
        super().__init__(names, opts)
        record = trail(
            self,
            store=audit.store.apply(lambda uri: uri.removeprefix("s3://")),
            key=hub_keys.ids.get("audit"),
            by_alias=by_alias,
            detailed=detailed,
            buckets=_buckets(environments),
            log=_log(self, keys, access, alerts) if detailed else None,
            kept=protect,
        )
        if detailed:
            analyzers(self)
        signals = [
            *tampering.of_trail(names, trail_arn(names)),
            *tampering.of_keys(names),
            *(tampering.of_rates(names) if detailed else ()),
            *(signal for each in environments for signal in tampering.of_environment(each)),
        ]
        tampering.watch(self, signals, alerts.topics, keys.ids.get("logs"), [record])
        self.publish(trail=record.arn, store=audit.store)


@dataclass(frozen=True)
class AuditElsewhere:
    """The hub's record as another slice sees it: computed from names, nothing made and nothing looked up."""

    trail: Output[str]
    store: Output[str]

    @classmethod
    def of(cls, names: Names) -> "AuditElsewhere":
        """``names`` are the hub's."""
        return cls(
            trail=Output.from_input(trail_arn(names)),
            store=Output.from_input(f"s3://{names.physical('bucket', STORE)}"),
        )


def _log(part: Part, keys: contract.Keys, access: contract.Access, alerts: contract.Alerts) -> Log:
    group = follow(part, key=keys.ids.get("logs"), topic=alerts.topics["page"])
    return Log(group, access.identities["recording"])


def _buckets(environments: Sequence[Names]) -> list[str]:
    return [buckets.arn(names, role) for names in environments for role in ROLES]


def _only_the_trails(names: Names, keepers: Sequence[Names]) -> list[Statement]:
    """CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail"; every account writes to a folder of its own."""
    bucket = buckets.arn(names, STORE)
    trails = [trail_arn(each) for each in keepers]
    service = {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
    return [
        allow("CheckTheOwner", "s3:GetBucketAcl", bucket, {"StringEquals": {"aws:SourceArn": trails}}) | service,
        *(
            allow(
                f"WriteTheTrailOf{each.home}",
                "s3:PutObject",
                f"{bucket}/AWSLogs/{each.home}/*",
                {"StringEquals": {"aws:SourceArn": trail_arn(each), "s3:x-amz-acl": "bucket-owner-full-control"}},
            )
            | service
            for each in keepers
        ),
        # A request that no service makes carries no source, and a missing key is not equal: it is refused.
        deny("RefuseOtherWriters", "s3:PutObject", f"{bucket}/*", {"StringNotEquals": {"aws:SourceArn": trails}}),
        deny("RefuseDeletion", ["s3:DeleteObject", "s3:DeleteObjectVersion"], f"{bucket}/*"),
    ]
