"""What an estate needs of an account's service quotas, read off its registered rows.

An endpoint needs its most machines twice: a release makes the new fleet beside the old one before it takes traffic away
(SageMaker developer guide, "Blue/Green Deployments"). Jobs are counted as if all pipelines of a slice ran at once,
because a schedule may start them so.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlestate.blueprint.inventory import Row, short_type
from mlestate.blueprint.machines import jobs_of, rows_by_urn, slice_of, variants

__all__ = ["COUNTED", "Need", "Quota", "needs", "summed"]


@dataclass(frozen=True)
class Quota:
    """One quota of Service Quotas, by the code of its service and its name there; ``default`` is what a new account
    has, None where it differs from account to account."""

    service: str
    name: str
    default: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """How it is compared: Service Quotas is not strict about capitals and punctuation."""
        return self.service, re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True)
class Need:
    """So much of a quota, by one slice."""

    slice: str
    quota: Quota
    amount: int
    why: str


COUNTED: Mapping[str, Quota] = {
    "aws:sagemaker:FeatureGroup": Quota("sagemaker", "Maximum number of feature groups per AWS account", 100),
    "aws:sagemaker:MlflowTrackingServer": Quota("sagemaker", "Maximum number of MLflow tracking servers", 10),
    "aws:sagemaker:ModelPackageGroup": Quota(
        "sagemaker", "Maximum number of SageMaker Model Package Groups allowed per account", 10_000
    ),
    "aws:sagemaker:Pipeline": Quota("sagemaker", "Maximum number of pipelines allowed per account", 500),
    "aws:cloudtrail:Trail": Quota("cloudtrail", "Trails per region", 5),
    "aws:cloudwatch:EventRule": Quota("events", "Number of rules", 300),
    "aws:ec2:Vpc": Quota("vpc", "VPCs per Region", 5),
    "aws:ecr:Repository": Quota("ecr", "Registered repositories", 100_000),
    "aws:iam:Policy": Quota("iam", "Customer managed policies per account", 1_500),
    "aws:iam:Role": Quota("iam", "Roles per account", 1_000),
    "aws:kms:Key": Quota("kms", "Customer Master Keys (CMKs)", 100_000),
    "aws:s3:Bucket": Quota("s3", "General purpose buckets", 10_000),
    "aws:scheduler:Schedule": Quota("scheduler", "Number of schedules", 1_000_000),
    "aws:sfn:StateMachine": Quota("states", "Registered state machines", 10_000),
}
"""Types of which an account has room for so many, with the default of each service's quota page (AWS General
Reference, "Service endpoints and quotas")."""

ENDPOINTS = Quota("sagemaker", "Number of instances across active endpoints")
SERVERLESS = Quota("sagemaker", "Maximum number of serverless endpoints")
CONCURRENCY = Quota("sagemaker", "Maximum total concurrency that can be allocated across all serverless endpoints")
INTERFACE_ENDPOINTS = Quota("vpc", "Interface VPC endpoints per VPC", 50)

BLUE_GREEN = 2
BESIDE = 1
"""What a shadow or an A/B test adds: a fleet for the challenger beside the champion's own."""
CLARIFY = 1
"""Explainability is computed against an endpoint that Clarify makes beside the live one, with one machine (SageMaker
developer guide, "Create an explainability job")."""


def needs(rows: Sequence[Row]) -> list[Need]:
    """What each slice needs, by slice and quota."""
    by_urn = rows_by_urn(rows)
    inside = {
        slice_: [row for row in rows if slice_of(row, by_urn) == slice_]
        for slice_ in sorted({slice_of(row, by_urn) or "" for row in rows if row.custom} - {""})
    }
    return [need for slice_, its in inside.items() for need in _of_slice(slice_, its)]


def summed(found: Iterable[Need], accounts: Mapping[str, str]) -> dict[str, dict[Quota, int]]:
    """By account (``accounts`` names that of each slice) and quota: how much all of its slices need."""
    sums: dict[str, dict[Quota, int]] = {}
    for need in found:
        its = sums.setdefault(accounts[need.slice], {})
        its[need.quota] = its.get(need.quota, 0) + need.amount
    return sums


def _of_slice(slice_: str, rows: Sequence[Row]) -> Iterator[Need]:
    machines: Counter[str] = Counter()
    total = serverless = concurrency = 0
    explained, compared = _explained(rows), _compared(rows)
    for variant in variants(rows):
        if variant.instance_type is None:
            serverless, concurrency = serverless + 1, concurrency + variant.most
            continue
        challenger = BESIDE if (variant.endpoint.inputs.get("tags") or {}).get("model") in compared else 0
        most = variant.most if variant.shadow else variant.most * (BLUE_GREEN + challenger)
        if not variant.shadow and variant.endpoint.outputs.get("name") in explained:
            most += CLARIFY
        machines[variant.instance_type] += most
        total += most
    for instance_type, amount in sorted(machines.items()):
        yield Need(
            slice_,
            Quota("sagemaker", f"{instance_type} for endpoint usage"),
            amount,
            "machines at their most, twice during a release, once more where a challenger runs beside the champion"
            + (", and one of Clarify for each endpoint that is explained" if explained else ""),
        )
    if total:
        yield Need(slice_, ENDPOINTS, total, "the machines of all endpoints")
    if serverless:
        yield Need(slice_, SERVERLESS, serverless, "serverless endpoints")
        yield Need(slice_, CONCURRENCY, concurrency, "requests that serverless endpoints answer at once")
    yield from _jobs(slice_, rows)
    count = Counter(_kind(row) for row in rows if row.custom)
    for kind, quota in COUNTED.items():
        if count[kind]:
            yield Need(slice_, quota, count[kind], f"{kind} that this estate makes")
    interfaces = [
        row
        for row in rows
        if short_type(row.type) == "aws:ec2:VpcEndpoint" and row.inputs.get("vpcEndpointType") == "Interface"
    ]
    if interfaces:
        yield Need(slice_, INTERFACE_ENDPOINTS, len(interfaces), "interface endpoints of the private network")


def _kind(row: Row) -> str:
    """The type, of what goes through Cloud Control too: `AWS::SageMaker::FeatureGroup` is one of SageMaker."""
    written = str(row.inputs.get("typeName") or "").split("::")
    if short_type(row.type) == "aws:cloudcontrol:Resource" and len(written) == 3:
        return f"aws:{written[1].lower()}:{written[2]}"
    return short_type(row.type)


def _jobs(slice_: str, rows: Sequence[Row]) -> Iterator[Need]:
    """The most machines that one step of each row's jobs needs, all rows at once."""
    wanted: Counter[str] = Counter()
    for row in rows:
        most: dict[str, int] = {}
        for job in jobs_of(row) if row.custom else ():
            name = f"{job.instance_type} for {'spot ' if job.spot else ''}{job.kind} job usage"
            most[name] = max(most.get(name, 0), job.instances)
        wanted.update(most)
    for name, amount in sorted(wanted.items()):
        yield Need(slice_, Quota("sagemaker", name), amount, "jobs of all pipelines and monitors at once")


def _compared(rows: Sequence[Row]) -> set[str]:
    """Models of which two versions answer beside each other while one is released, as their release is written down."""
    found = set()
    for row in rows:
        written = str(row.inputs.get("insecureValue") or "")
        if short_type(row.type) == "aws:ssm:Parameter" and '"rollout"' in written:
            said = json.loads(written)
            if (said["rollout"] or {}).get("strategy") in ("ab", "canary", "shadow"):
                found.add(str(said["model"]))
    return found


def _explained(rows: Sequence[Row]) -> set[str]:
    """Names of the endpoints that an explainability schedule watches."""
    documents = [
        str(row.inputs.get("desiredState"))
        for row in rows
        if row.inputs.get("typeName") == "AWS::SageMaker::ModelExplainabilityJobDefinition"
    ]
    names = {str(variant.endpoint.outputs.get("name")) for variant in variants(rows)}
    return {name for name in names if any(f'"{name}"' in document for document in documents)}
