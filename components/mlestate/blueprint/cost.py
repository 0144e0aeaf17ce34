"""What an estate costs idle and at its full size: read off its registered rows and a dated price table.

Two figures, in US dollars a day. **Idle** is what bills without a single request and without a single job: machines at
their least, keys, alarms, dashboards, network endpoints. **Full** adds machines at their most, all day long, and every
scheduled job. What bills by use alone (storage, requests, messages) is in neither: nobody can say how much of it there
will be.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from mlestate.blueprint.inventory import Row, short_type
from mlestate.blueprint.machines import Job, jobs_of, rows_by_urn, runs_per_day, slice_of, variants
from mlestate.errors import InputError

__all__ = ["Charge", "Estimate", "estimate", "priced", "prices", "spent_while_idle"]

DAY = 24
MONTH = 730 / 24
"""Days in the month that AWS bills by: 730 hours."""

_PER_DAY: Mapping[str, float] = {"month": 1 / MONTH, "day": 1.0, "hour": DAY, "second": DAY * 3600}


@dataclass(frozen=True)
class Charge:
    """What one thing costs, in US dollars a day."""

    row: str
    """The row that it comes from: its type and name."""
    slice: str
    part: str
    model: str | None
    item: str
    idle: float
    full: float


@dataclass(frozen=True)
class Estimate:
    """The charges, and what they leave out."""

    region: str
    as_of: str
    own_prices: bool
    """False where the table has no prices of this region: then those of us-east-1 stand in."""
    charges: Sequence[Charge] = ()
    unpriced: Mapping[str, int] = field(default_factory=dict)
    """Types of resources and machines that the table does not know, with how many there are."""

    @property
    def idle(self) -> float:
        """US dollars a day."""
        return sum(charge.idle for charge in self.charges)

    @property
    def full(self) -> float:
        """US dollars a day."""
        return sum(charge.full for charge in self.charges)

    def by(self, *keys: str) -> dict[tuple[str, ...], tuple[float, float]]:
        """Idle and full by ``slice``, ``part``, ``model`` or ``item``, in the order of the names."""
        sums: dict[tuple[str, ...], tuple[float, float]] = {}
        for charge in self.charges:
            key = tuple(getattr(charge, each) or "" for each in keys)
            idle, full = sums.get(key, (0.0, 0.0))
            sums[key] = (idle + charge.idle, full + charge.full)
        return dict(sorted(sums.items()))


@cache
def prices(cloud: str) -> Mapping[str, Any]:
    """The price table of a cloud.

    Raises:
        InputError: there is none.
    """
    if not priced(cloud):
        raise InputError(f"cost: there is no price table of {cloud} yet, so nothing can be added up there")
    table: Mapping[str, Any] = json.loads(_file(cloud).read_text(encoding="utf-8"))
    return table


def priced(cloud: str) -> bool:
    """Whether a cloud has a price table."""
    return _file(cloud).is_file()


def _file(cloud: str) -> Traversable:
    return resources.files("mlestate.blueprint") / "prices" / f"{cloud}.json"


def estimate(rows: Sequence[Row], cloud: str, region: str) -> Estimate:
    """What the registered rows cost in a region.

    Raises:
        InputError: the cloud has no price table.
    """
    return _Pricing(rows, prices(cloud), region).estimate()


def spent_while_idle(rows: Sequence[Row], total: Estimate) -> list[tuple[str, float, float]]:
    """Budgets that idle things spend alone: the slice, its budget and its idle cost, both in US dollars a month."""
    by_urn = rows_by_urn(rows)
    idle = {slice_: costs[0] for (slice_,), costs in total.by("slice").items()}
    found = []
    for row in rows:
        slice_ = slice_of(row, by_urn) or ""
        if short_type(row.type) == "aws:budgets:Budget" and "limitAmount" in row.inputs:
            limit, needed = float(row.inputs["limitAmount"]), idle.get(slice_, 0.0) * MONTH
            if needed > limit:
                found.append((slice_, limit, needed))
    return found


class _Pricing:
    def __init__(self, rows: Sequence[Row], table: Mapping[str, Any], region: str) -> None:
        self._rows = [row for row in rows if row.custom]
        self._by_urn = rows_by_urn(rows)
        self._table = table
        self._region = region
        self._factor = float(table["regions"].get(region, {"factor": 1.0})["factor"])
        self._unpriced: Counter[str] = Counter()

    def estimate(self) -> Estimate:
        charges = [
            charge
            for found in (self._things(), self._endpoints(), self._jobs())
            for charge in found
            if charge.idle or charge.full
        ]
        return Estimate(
            self._region, self._table["as_of"], self._region in self._table["regions"], charges, dict(self._unpriced)
        )

    def _things(self) -> Iterator[Charge]:
        """What has a price by itself; every other type must be known as one that costs nothing while idle."""
        for row in self._rows:
            kind = short_type(row.type)
            if row.type.startswith("pulumi:"):
                continue
            if price := self._table["each"].get(kind):
                yield self._charge(row, price["item"], self._daily(price))
            elif kind == "aws:ec2:VpcEndpoint" and row.inputs.get("vpcEndpointType") == "Interface":
                price = self._table["interface_endpoint"]
                yield self._charge(row, price["item"], self._daily(price) * len(row.inputs.get("subnetIds") or ()))
            elif kind == "aws:accessanalyzer:Analyzer" and str(row.inputs.get("type")).endswith("UNUSED_ACCESS"):
                price, here = self._table["unused_access"], slice_of(row, self._by_urn)
                roles = [
                    each
                    for each in self._rows
                    if short_type(each.type) == "aws:iam:Role" and slice_of(each, self._by_urn) == here
                ]
                yield self._charge(row, price["item"], self._daily(price) * len(roles))
            elif kind == "aws:sagemaker:MlflowTrackingServer":
                size = row.inputs.get("trackingServerSize") or "Small"
                if price := self._table["mlflow_server"].get(size):
                    yield self._charge(row, price["item"], self._daily(price))
                else:
                    self._unpriced[f"{kind} {size}"] += 1
            elif not self._costs_nothing(kind):
                self._unpriced[kind] += 1

    def _costs_nothing(self, kind: str) -> bool:
        return kind in self._table["free"] or f"{kind.rpartition(':')[0]}:*" in self._table["free"]

    def _endpoints(self) -> Iterator[Charge]:
        for variant in variants(self._rows):
            if variant.instance_type is None:
                daily = self._daily(self._table["serverless_gb_second"]) * variant.memory_mb / 1024
                item = f"serverless, {variant.memory_mb} MB"
            else:
                daily, item = self._machine(variant.instance_type) * DAY, variant.instance_type
            yield self._charge(variant.endpoint, item, daily * variant.least, daily * variant.most)

    def _jobs(self) -> Iterator[Charge]:
        """Scheduled jobs: each schedule's runs a day, times what one run of its target costs.

        A schedule that says itself which job it starts is a monitor's; pipelines and machines have rows of their own.
        """
        assumed = self._table["assumed"]
        for row in self._rows:
            expression = _schedule(row)
            if expression is None:
                continue
            given = _given(row)
            for started in (row, *self._started(row, given)):
                monitoring = started is row or short_type(row.type) == "aws:sagemaker:MonitoringSchedule"
                minutes = assumed["monitoring_minutes" if monitoring else "job_minutes"]["usd_is_for"]
                for job in jobs_of(started, given):
                    daily = runs_per_day(expression) * self._run(job, minutes * 60)
                    yield self._charge(started, f"{job.kind} on {job.instance_type}", 0.0, daily)

    def _started(self, schedule: Row, given: Mapping[str, Any]) -> list[Row]:
        """What a schedule starts: the rows that its target, its definition or the targets of its rule come from, and
        the pipelines of the given model that a machine among them names."""
        direct = [
            self._by_urn[urn] for urns in schedule.property_dependencies.values() for urn in urns if urn in self._by_urn
        ]
        if short_type(schedule.type) == "aws:cloudwatch:EventRule":
            direct += [
                self._by_urn[urn]
                for target in self._rows
                if short_type(target.type) == "aws:cloudwatch:EventTarget"
                and schedule.urn in target.property_dependencies.get("rule", ())
                for urn in target.property_dependencies.get("arn", ())
            ]
        direct += [
            self._by_urn[urn]
            for machine in direct
            if short_type(machine.type) == "aws:sfn:StateMachine"
            for urn in machine.property_dependencies.get("definition", ())
            if short_type(self._by_urn[urn].type) == "aws:sagemaker:Pipeline"
            and self._by_urn[urn].inputs["tags"].get("model") == given.get("model")
        ]
        return list({row.urn: row for row in direct}.values())

    def _run(self, job: Job, seconds: float) -> float:
        share = self._table["assumed"]["spot_share"]["usd_is_for"] if job.spot else 1.0
        return self._machine(job.instance_type) * job.instances * min(job.seconds, seconds) / 3600 * share

    def _machine(self, instance_type: str) -> float:
        """US dollars an hour; what the table does not know is told and counts as nothing."""
        table = self._table["machines"]
        price = table["usd"].get(instance_type)
        if price is None:
            self._unpriced[instance_type] += 1
            return 0.0
        return float(price) * self._factor

    def _daily(self, price: Mapping[str, Any]) -> float:
        factor = self._factor if price.get("regional") else 1.0
        return float(price["usd"]) * _PER_DAY[price["unit"]] * factor

    def _charge(self, row: Row, item: str, idle: float, full: float | None = None) -> Charge:
        tags = row.inputs.get("tags")
        return Charge(
            row.key,
            slice_of(row, self._by_urn) or "",
            row.part or "",
            tags.get("model") if isinstance(tags, Mapping) else None,
            item,
            idle,
            idle if full is None else full,
        )


def _given(row: Row) -> Mapping[str, Any]:
    """What a schedule gives to what it starts, where that is a JSON object."""
    given = json.loads((row.inputs.get("target") or {}).get("input") or "{}")
    return given if isinstance(given, Mapping) else {}


def _schedule(row: Row) -> str | None:
    """The expression of whatever starts something by the clock, and is switched on."""
    kind = short_type(row.type)
    if row.inputs.get("state") == "DISABLED":
        return None
    if kind == "aws:sagemaker:MonitoringSchedule":
        schedule = (row.inputs.get("monitoringScheduleConfig") or {}).get("scheduleConfig") or {}
        return schedule.get("scheduleExpression")
    if kind in ("aws:scheduler:Schedule", "aws:cloudwatch:EventRule"):
        return row.inputs.get("scheduleExpression")
    return None
