"""What an AWS account says about itself: who we are in it, and whether it has room for an estate. Read only."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlestate.blueprint.inventory import short_type
from mlestate.blueprint.quotas import Quota, summed
from mlestate.doctor import Account, Finding
from mlestate.errors import InputError

__all__ = ["examine"]

try:
    import boto3  # type: ignore[import-untyped]  # it ships no types
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError as error:
    raise InputError(
        f"doctor needs the package {error.name} to ask an account. Install it with: pip install 'mlestate[aws]', or "
        "give --offline to see what the estate needs"
    ) from error

SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
"""The service-linked role of Application Auto Scaling for endpoints (its user guide, "Service-linked roles")."""

COST_TAGS = ("estate", "environment")

PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 2, "mode": "standard"})

AT_EASE = 10
"""A quota whose default is this many times what is needed is not asked for: each service is a call of its own."""


class _Account:
    def __init__(self, account: Account) -> None:
        self.account = account
        self.label = f"account {account.home}" if account.home else "the account of the credentials"
        self.session: Any = None

    def client(self, service: str, region: str | None = None) -> Any:
        return self.session.client(service, region_name=region, config=PATIENCE)


def examine(account: Account) -> Iterator[Finding]:
    """Every check of one account. Without credentials or network the first one says so and the others are not made."""
    here = _Account(account)
    checks: tuple[tuple[str, Callable[[_Account], Iterator[Finding]]], ...] = (
        ("region", _region),
        ("service quotas", _quotas),
        ("roles and policies", _iam),
        ("trails", _trails),
        ("service-linked role", _scaling_role),
        ("cost allocation tags", _cost_tags),
    )
    try:
        yield from _identity(here)
    except (BotoCoreError, ClientError) as error:
        yield Finding(f"{here.label}: credentials", "failed", _said(error), _SIGN_IN)
        for name, _ in checks:
            yield Finding(f"{here.label}: {name}", "unknown", "nobody to ask as")
        return
    except _WrongAccount as error:
        yield Finding(f"{here.label}: credentials", "failed", str(error), _SIGN_IN)
        for name, _ in checks:
            yield Finding(f"{here.label}: {name}", "unknown", "the credentials are of another account")
        return
    for name, check in checks:
        try:
            yield from check(here)
        except (BotoCoreError, ClientError) as error:
            yield Finding(f"{here.label}: {name}", "unknown", _said(error))


_SIGN_IN = "Sign in as the deployer of that account: aws sso login, or set AWS_PROFILE."


class _WrongAccount(Exception):
    pass


def _identity(here: _Account) -> Iterator[Finding]:
    """Who we are; where the file gives the account a role for the deployer, who we are in that role."""
    name = f"{here.label}: credentials"
    here.session = boto3.Session(region_name=here.account.region)
    caller = here.client("sts").get_caller_identity()
    home, role = here.account.home, here.account.deploy_role
    if home is not None and caller["Account"] != home and role is not None:
        given = here.client("sts").assume_role(RoleArn=role, RoleSessionName="mlestate-doctor")["Credentials"]
        here.session = boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=here.account.region,
        )
        caller = here.client("sts").get_caller_identity()
    if home is not None and caller["Account"] != home:
        raise _WrongAccount(f"they are of account {caller['Account']} ({caller['Arn']}), and the file says {home}")
    yield Finding(name, "ok", caller["Arn"])


def _region(here: _Account) -> Iterator[Finding]:
    name, region = f"{here.label}: region", here.account.region
    found = here.client("ec2", region).describe_regions(AllRegions=True, RegionNames=[region])["Regions"]
    status = found[0]["OptInStatus"] if found else "not there"
    if status in ("opt-in-not-required", "opted-in"):
        yield Finding(name, "ok", f"{region} is enabled")
    else:
        yield Finding(name, "failed", f"{region} is {status}", f"aws account enable-region --region-name {region}")


def _quotas(here: _Account) -> Iterator[Finding]:
    """What Service Quotas applies against what is needed; what other things in the account use is not known."""
    sums = summed(here.account.needs, dict.fromkeys(here.account.slices, ""))
    wanted = {quota: amount for quota, amount in sums.get("", {}).items() if quota.service not in ("iam", "cloudtrail")}
    asked = {quota.service for quota, amount in wanted.items() if not _at_ease(quota, amount)}
    listed: dict[tuple[str, str], float] = {}
    for service in sorted(asked):
        pages = here.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
        for page in pages:
            for each in page["Quotas"]:
                listed[Quota(service, each["QuotaName"]).key] = float(each["Value"])
    for quota, amount in wanted.items():
        name = f"{here.label}: {quota.name}"
        has = listed.get(quota.key, quota.default)
        if has is None:
            yield Finding(name, "unknown", f"needs {amount}, and Service Quotas lists no quota of that name")
        elif has < amount:
            yield Finding(
                name,
                "failed",
                f"needs {amount}, has {has:.0f}",
                f"Ask for more in Service Quotas, {quota.service}; machines with GPUs can take days.",
            )
        else:
            yield Finding(name, "ok", f"needs {amount}, has {has:.0f}")


def _at_ease(quota: Quota, amount: int) -> bool:
    return quota.default is not None and quota.default >= AT_EASE * amount


def _iam(here: _Account) -> Iterator[Finding]:
    """Roles and policies: of these IAM itself says how many an account has."""
    summary = here.client("iam").get_account_summary()["SummaryMap"]
    sums = summed(here.account.needs, dict.fromkeys(here.account.slices, "")).get("", {})
    amounts = {quota.name: amount for quota, amount in sums.items() if quota.service == "iam"}
    for name, used in (("Roles per account", "Roles"), ("Customer managed policies per account", "Policies")):
        if name not in amounts:
            continue
        room = summary[f"{used}Quota"] - summary[used]
        said = f"needs {amounts[name]}; {summary[used]} of {summary[f'{used}Quota']} are taken"
        if room >= amounts[name]:
            yield Finding(f"{here.label}: {name}", "ok", said)
        else:
            yield Finding(
                f"{here.label}: {name}",
                "failed",
                f"{said}, those of this estate included where it is up already",
                "Ask for more in Service Quotas, iam, in us-east-1.",
            )


def _trails(here: _Account) -> Iterator[Finding]:
    """CloudTrail quotas: five trails a region, which cannot be raised. A trail of this estate counts once."""
    ours = {row.inputs.get("name") for row in here.account.rows if short_type(row.type) == "aws:cloudtrail:Trail"}
    if not ours:
        return
    standing = {each["Name"] for each in here.client("cloudtrail").describe_trails()["trailList"]}
    total = len(standing | ours)
    name, said = f"{here.label}: trails", f"{len(standing - ours)} of others, {len(ours)} of this estate; 5 fit"
    if total <= 5:
        yield Finding(name, "ok", said)
    else:
        yield Finding(name, "failed", said, "Delete a trail that nobody reads; the quota cannot be raised.")


def _scaling_role(here: _Account) -> Iterator[Finding]:
    if not any(short_type(row.type) == "aws:appautoscaling:Target" for row in here.account.rows):
        return
    name = f"{here.label}: service-linked role"
    try:
        here.client("iam").get_role(RoleName=SCALING_ROLE)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        yield Finding(
            name,
            "unknown",
            f"{SCALING_ROLE} is not there yet; the first endpoint that scales makes it, if the deployer may",
            "To make it now: aws iam create-service-linked-role --aws-service-name "
            "sagemaker.application-autoscaling.amazonaws.com",
        )
    else:
        yield Finding(name, "ok", f"{SCALING_ROLE} is there")


def _cost_tags(here: _Account) -> Iterator[Finding]:
    """A budget filters by tags, and counts nothing before they are activated where the bill is paid."""
    if not any(short_type(row.type) == "aws:budgets:Budget" for row in here.account.rows):
        return
    name = f"{here.label}: cost allocation tags"
    # Cost Explorer answers in us-east-1 alone (AWS General Reference, "AWS Cost Explorer endpoints").
    found = here.client("ce", "us-east-1").list_cost_allocation_tags(Status="Active", TagKeys=list(COST_TAGS))
    active: Mapping[str, Any] = {each["TagKey"]: each for each in found["CostAllocationTags"]}
    missing = [key for key in COST_TAGS if key not in active]
    if missing:
        yield Finding(
            name,
            "failed",
            f"{' and '.join(missing)} not active: the budgets would count nothing",
            "Activate them in the account that pays, a day after the first resources carry them.",
        )
    else:
        yield Finding(name, "ok", "active")


def _said(error: "BotoCoreError | ClientError") -> str:
    """One line; a refusal names what may not be called."""
    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f"{error.operation_name} was refused: {said.get('Code')}: {said.get('Message')}"
    return " ".join(str(error).split())
