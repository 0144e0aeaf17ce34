"""A request that some role of the recorded estate `PEOPLED` makes, and what IAM would answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlestate.aws import buckets
from mlestate.aws.keys import alias
from mlestate.names import Names

from .conftest import Rows, all_of
from .iam import Document, Request, allowed, document

HOMES = {"hub": "111111111111", "staging": "111111111111", "production": "333333333333"}

NAMES = {name: Names("aws", "risk", name, "ca-central-1", home) for name, home in HOMES.items()}

MORE_RESOURCES: Mapping[str, list[str]] = {"sagemaker:CreateModel": ["arn:*:sagemaker:*:*:model-package/*"]}
"""By action: what it is asked for on though the Service Authorization Reference says nothing of it (SageMaker developer
guide, "Deploy a model version from a different account")."""


@dataclass(frozen=True)
class Case:
    who: str
    """`staging pipeline`: a slice and a role in it."""
    verdict: bool
    action: str
    resource: str
    context: Mapping[str, Any]

    @property
    def slice(self) -> str:
        return self.who.partition(" ")[0]

    @property
    def principal(self) -> str:
        names, role = NAMES[self.slice], self.who.partition(" ")[2]
        return names.arn("iam", f"role/mlestate/risk/{names.slice}-{role}", regional=False)

    @property
    def userid(self) -> str:
        """Who this is, as a person: the id of the role, and the name of a session that its trust policy lets in."""
        return f"AROAEXAMPLE:{self.who.partition(' ')[2]}@risk.example"

    @property
    def place(self) -> tuple[str, str, str]:
        """The slice, the service and the rest of the ARN of what is asked for."""
        slice_, service, rest = self.resource.split(":", 2)
        return slice_, service, rest

    @property
    def arn(self) -> str:
        if self.resource == "*":
            return "*"
        slice_, service, rest = self.place
        names = NAMES[slice_]
        if service == "s3":
            role, _, key = rest.partition("/")
            return buckets.arn(names, role) + (f"/{key}" if key else "")
        if service == "iam":
            kind, _, name = rest.partition("/")
            return names.arn("iam", f"{kind}/mlestate/risk/{name}" if name else f"role/{kind}", regional=False)
        return names.arn(service, f"key/{rest}" if service == "kms" else rest, regional=service != "budgets")

    @property
    def whole_context(self) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "aws:RequestedRegion": "ca-central-1",
            "aws:PrincipalArn": self.principal,
            "aws:userid": self.userid,
        }
        if self.action.startswith("s3:"):
            sent["aws:SecureTransport"] = "true"
        if self.resource != "*" and self.place[1] == "kms":
            sent["kms:ResourceAliases"] = [alias(NAMES[self.place[0]], self.place[2])]
        return {key: value for key, value in {**sent, **self.context}.items() if value is not None}


def policies_of(rows: Rows, slice_: str, role: str) -> tuple[list[Document], Document]:
    """The identity policies of a role, and its boundary."""
    name = f"risk-{slice_}-access-{role}"
    managed = {each: document(row.inputs["policy"]) for each, row in all_of(rows, "iam:Policy").items()}
    attached = [managed[each] for each in all_of(rows, "iam:RolePolicyAttachment") if each.startswith(f"{name}-")]
    own = document(all_of(rows, "iam:RolePolicy")[name].inputs["policy"])
    return [own, *attached], managed[f"risk-{slice_}-access-boundary"]


def resource_policy(rows: Rows, case: Case) -> Document | None:
    if case.resource == "*":
        return None
    slice_, service, rest = case.place
    if service == "s3":
        name = case.arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        (policy,) = (row for row in all_of(rows, "s3:BucketPolicy").values() if row.inputs["bucket"] == name)
        return document(policy.inputs["policy"])
    if service == "kms":
        return document(all_of(rows, "kms:Key")[f"risk-{slice_}-keys-{rest}"].inputs["policy"])
    if rest.startswith("model-package"):
        group = rest.split("/")[1]
        for row in all_of(rows, "sagemaker:ModelPackageGroupPolicy").values():
            if row.inputs["modelPackageGroupName"].endswith(group):
                return document(row.inputs["resourcePolicy"])
    if rest.startswith("event-bus/"):
        bus = rest.partition("/")[2]
        for row in all_of(rows, "cloudwatch:EventBusPolicy").values():
            if row.inputs["eventBusName"] == bus:
                return document(row.inputs["policy"])
    if service == "ecr":
        for row in all_of(rows, "ecr:RepositoryPolicy").values():
            if row.inputs["repository"].endswith(rest.partition("/")[2]):
                return document(row.inputs["policy"])
    return None


def verdict_of(rows: Rows, case: Case) -> bool:
    identity, boundary = policies_of(rows, case.slice, case.who.partition(" ")[2])
    owner = case.place[0] if case.resource != "*" else case.slice
    return allowed(
        Request(case.principal, case.action, case.arn, case.whole_context),
        identity,
        boundary,
        resource_policy(rows, case),
        # Who becomes another account's deployer is that account's to say; the identity's side is judged here.
        owner=None if case.action == "sts:AssumeRole" else HOMES[owner],
        resource_decides=case.action.startswith("kms:"),
    )
