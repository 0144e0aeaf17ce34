"""What one slice of an estate lends to another: its part of the policies of what both reach. Pure functions of names.

Inside one account the policies of the roles decide alone. Into another account what is reached has to say so too, and
says it of the account and of the role's ARN in a condition: a role that is named as the principal has to be there first
(IAM user guide, "AWS JSON policy elements: Principal").
"""

from collections.abc import Iterable, Sequence

from mlestate.aws import buckets
from mlestate.aws.policies import Conditions, Statement, account_root, allow, path
from mlestate.names import Names

__all__ = [
    "LISTED",
    "PASSED",
    "VERDICTS",
    "artifacts",
    "bus",
    "reading_keys",
    "reading_runs",
    "reports",
    "role",
    "runs",
    "sent",
    "telling",
]

Sent = tuple[str, str]
"""The source and the detail-type of an event."""

VERDICTS: Sent = ("aws.sagemaker", "SageMaker Model Package State Change")
"""What the hub tells every environment."""

PASSED: Sent = ("mlestate", "Model version passed")
"""What an environment tells the next one on the path."""

BORROWERS = ("release", "*-inference")
"""Roles that fetch a version's files from where it was trained: the release, and a model's first SageMaker model."""

JUDGES = ("approver",)
"""Roles that read the reports that a verdict stands on."""


def role(names: Names, name: str) -> str:
    """The ARN of a slice's role, or of several where the name has a wildcard."""
    return names.arn("iam", f"role{path(names)}{names.slice}-{name}", regional=False)


def bus(names: Names) -> str:
    """The ARN of an environment's own event bus."""
    return names.arn("events", f"event-bus/{names.physical('event-bus', 'releases')}")


def artifacts(names: Names) -> str:
    """The bucket in which an environment keeps what its runs made."""
    return buckets.arn(names, "artifacts")


def runs(names: Names, model: str = "*") -> str:
    """The objects that training runs of one environment wrote, as a resource of IAM."""
    return f"{artifacts(names)}/{model}/runs/*"


LISTED: Conditions = {"StringLike": {"s3:prefix": "*/runs/*"}}
"""The condition that a list of a bucket is one of what a run wrote."""


def reports(names: Names) -> str:
    """Of those, the numbers and charts of the step that evaluates."""
    return f"{artifacts(names)}/*/runs/*/evaluate/evaluation/*"


def sent(event: Sent) -> Conditions:
    """The condition that an event is of this kind (EventBridge user guide, "Using IAM policy conditions")."""
    source, detail_type = event
    return {"StringEquals": {"events:source": source, "events:detail-type": detail_type}}


def telling(names: Names, hub: Names, before: Names | None) -> list[Statement]:
    """The policy of an environment's bus: verdicts from the hub, and from the environment ``before`` it on the path
    what passed there. Empty where both are in this account.

    Not proved without an account: that EventBridge, which puts a rule's events as the rule's role, sends that role's
    ARN. What it could not put waits in the rule's own queue, so nothing is lost in silence.
    """
    tellers = [("Verdicts", hub, "events", VERDICTS), *([("Passed", before, "release", PASSED)] if before else [])]
    statements = []
    for sid, teller, name, event in tellers:
        if teller.home != names.home:
            when = {**sent(event), "ArnEquals": {"aws:PrincipalArn": role(teller, name)}}
            statements.append(allow(sid, "events:PutEvents", bus(names), when) | {"Principal": account_root(teller)})
    return statements


def reading_runs(names: Names, hub: Names, environments: Iterable[Names]) -> list[Statement]:
    """The policy of an environment's bucket of artifacts, for roles of the estate in other accounts. ``environments``
    are all of the estate's."""
    statements = []
    for each in _elsewhere(names, [hub, *environments]):
        word = _word(each)
        statements.append(_lend(f"ShowReportsTo{word}", "s3:GetObject", reports(names), each, JUDGES))
        if each.environment != hub.environment:
            statements += [
                _lend(f"LendRunsTo{word}", "s3:GetObject", runs(names), each, BORROWERS),
                _lend(f"ListRunsFor{word}", "s3:ListBucket", artifacts(names), each, ["release"], LISTED),
            ]
    return statements


def reading_keys(names: Names, hub: Names, environments: Iterable[Names]) -> list[Statement]:
    """The policy of the key of an environment's models, for the same roles: through S3 alone, and to read."""
    through = f"s3.{names.region}.amazonaws.com"
    return [
        allow(
            f"LendTo{_word(each)}",
            "kms:Decrypt",
            "*",
            {
                "ArnLike": {"aws:PrincipalArn": [role(each, name) for name in (*BORROWERS, *JUDGES)]},
                "StringEquals": {"kms:ViaService": through},
            },
        )
        | {"Principal": account_root(each)}
        for each in _elsewhere(names, [hub, *environments])
    ]


def _lend(
    sid: str, action: str, resource: str, whom: Names, roles: Sequence[str], when: Conditions | None = None
) -> Statement:
    told = {**(when or {}), "ArnLike": {"aws:PrincipalArn": [role(whom, name) for name in roles]}}
    return allow(sid, action, resource, told) | {"Principal": account_root(whom)}


def _elsewhere(names: Names, slices: Iterable[Names]) -> list[Names]:
    return [each for each in slices if each.home != names.home]


def _word(names: Names) -> str:
    return "".join(part.capitalize() for part in names.environment.split("-"))
