"""What CloudTrail says was done to an estate: its event history of the last 90 days, without any query that bills."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from mlestate.operate.aws_account import Account
from mlestate.operate.contract import Document, Event, Trail

__all__ = ["DAYS", "WATCHED", "look_up"]

DAYS = 90
"""How far back the event history goes (CloudTrail user guide, "Viewing event history")."""

PAGES = 4
"""The most pages of 50 that are read of one kind of event: LookupEvents answers twice a second."""

WATCHED: Mapping[str, tuple[str, ...]] = {
    # event: the request's parameters that may name the thing
    "CreateModelPackage": ("modelPackageGroupName",),
    "UpdateModelPackage": ("modelPackageArn",),
    "CreateEndpoint": ("endpointName",),
    "UpdateEndpoint": ("endpointName",),
    "UpdateEndpointWeightsAndCapacities": ("endpointName",),
    "DeleteEndpoint": ("endpointName",),
    "StartPipelineExecution": ("pipelineName",),
    "StartExecution": ("stateMachineArn",),
    "StopExecution": ("executionArn",),
    "PutParameter": ("name",),
}
"""Who approved, released, rolled back and trained, and changed what a release is told or which model a batch runs (both
are parameters, `/mlestate/<estate>/<environment>/<model>/...`). Signatures under a promotion are items of a table,
whose writes the event history does not hold: `mlestate status` reads the table."""

DETAILS = ("modelApprovalStatus", "approvalDescription", "endpointConfigName", "name")


def look_up(account: Account, slices: Sequence[str], days: int) -> Trail:
    """The events about things of these slices."""
    end = datetime.now(UTC)
    begin = end - timedelta(days=min(days, DAYS))
    estate = account.names.estate
    prefixes = [each for slice_ in slices for each in (f"{estate}-{slice_}-", f"/mlestate/{estate}/{slice_}/")]
    found: list[Event] = []
    cut: list[str] = []
    for name in WATCHED:
        read = 0
        for page in islice(_pages(account, name, begin, end), PAGES):
            read += len(page["Events"])
            found += [event for each in _records(page) if (event := _event(each, name, prefixes)) is not None]
        if "NextToken" in page:
            cut.append(f"only the newest {read} events {name} of the account were looked through")
    return Trail(sorted(found, key=lambda each: each.at, reverse=True), cut)


def _pages(account: Account, name: str, begin: datetime, end: datetime) -> Iterator[Document]:
    token: dict[str, str] = {}
    while True:
        page = account.ask(
            "cloudtrail",
            "LookupEvents",
            account.names.arn("cloudtrail", "*"),
            "CloudTrail has no event history in this account",
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
            StartTime=begin,
            EndTime=end,
            MaxResults=50,
            **token,
        )
        yield page
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def _records(page: Document) -> Iterator[Document]:
    for each in page["Events"]:
        try:
            record = json.loads(each["CloudTrailEvent"])
        except ValueError:
            continue  # a record that is no JSON names nothing of ours
        yield {**record, "at": each["EventTime"]}


def _event(record: Document, name: str, prefixes: Sequence[str]) -> Event | None:
    """None for what is named otherwise."""
    given: Mapping[str, Any] = record.get("requestParameters") or {}
    things = [str(given[each]) for each in WATCHED[name] if given.get(each)]
    thing = next((each for each in map(_bare, things) if each.startswith(tuple(prefixes))), None)
    if thing is None:
        return None
    said = [str(given[each]) for each in DETAILS if given.get(each) and each not in WATCHED[name]]
    return Event(
        at=record["at"],
        who=_who(record.get("userIdentity") or {}),
        what=name,
        on=thing,
        source=str(record.get("sourceIPAddress") or "unknown"),
        refused=record.get("errorCode"),
        details=", ".join(said),
    )


def _bare(thing: str) -> str:
    """The name behind an ARN, with what follows it: `risk-hub-churn/7`; a name as it is."""
    if not thing.startswith("arn:"):
        return thing
    resource = thing.split(":", 5)[5]
    return resource.split("/", 1)[1] if "/" in resource else resource.split(":", 1)[-1]


def _who(identity: Document) -> str:
    """The source identity, which nobody can change once it is set; else the role and its session."""
    context = identity.get("sessionContext") or {}
    source, arn = context.get("sourceIdentity"), str(identity.get("arn") or "")
    return str(source or arn.partition("/")[2] or identity.get("userName") or identity.get("invokedBy") or "unknown")
