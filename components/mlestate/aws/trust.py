"""Who is believed on AWS: people by the sign-in they have, pipelines by short-lived tokens; no stored keys.

Pure, so that the rules of the file can tell how large a trust policy would be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlestate.aws.policies import Conditions, Statement, account_root, trust
from mlestate.aws.settings import PRINCIPAL_FORMS
from mlestate.config.people import CI, People
from mlestate.names import HUB, Names

__all__ = ["PEOPLE", "TRUST_LIMIT", "Issuer", "believers", "issuer", "trusted"]

TRUST_LIMIT = 2048
"""Characters in a role's trust policy (IAM quotas; AWS raises it to 4,096 on request)."""

PEOPLE: Mapping[str, str] = {
    "data-scientist": "data_scientists",
    "ml-engineer": "ml_engineers",
    "approver": "approvers",
    "operator": "operators",
    "auditor": "auditors",
}
"""By persona: the field of `people` that says who they are."""

OWN_NAME: Mapping[str, str] = {"aws:userid": "*:${sts:RoleSessionName}"}
"""The condition that a session of a role takes the next role under its own name."""


def believers(names: Names, people: People, persona: str) -> list[Statement]:
    """The trust policy of a persona's role in a slice. Empty where the file names no one."""
    return trusted(names, getattr(people, PEOPLE[persona]), multi_factor=persona == "approver")


def trusted(names: Names, principals: Sequence[str], multi_factor: bool = False) -> list[Statement]:
    """The trust policy of a role that these principals take, each in one of the forms of `PRINCIPAL_FORMS`.

    Whoever takes a role chooses the session's name, by which the registry, approvals and the trail know a person. So it
    has to be the name that they are signed in with: a user's, or that of the session that they come with, which
    `aws:userid` ends in (IAM user guide, "AWS STS condition keys" and "Policy variables"). Who comes with another role
    is held to the name of that role's session, and whoever gives that role answers for it.
    """
    center = names.arn("iam", "role/aws-reserved/sso.amazonaws.com/", regional=False)
    people, sets, users, roles = (
        [each for each in principals if PRINCIPAL_FORMS[form].fullmatch(each)]
        for form in ("person", "permission set", "user", "role")
    )
    statements = []
    if people:
        signed_in: Conditions = {
            "ArnLike": {"aws:PrincipalArn": f"{center}*"},
            "StringEquals": {"sts:RoleSessionName": people},
            "StringLike": OWN_NAME,
        }
        statements.append(trust("PeopleOfIdentityCenter", account_root(names), signed_in))
    if sets:
        # Sixteen characters of Identity Center's own end the role's name; `*` would also take sets with longer names.
        suffix = "?" * 16
        patterns = [
            f"{center}{region}AWSReservedSSO_{each.removeprefix('sso:')}_{suffix}"
            for each in sets
            for region in ("", "*/")
        ]
        of_sets: Conditions = {"ArnLike": {"aws:PrincipalArn": patterns}, "StringLike": OWN_NAME}
        statements.append(trust("PermissionSets", account_root(names), of_sets))
    if roles:
        statements.append(trust("Roles", {"AWS": roles}, {"StringLike": OWN_NAME}))
    if users:
        twice: Conditions = {"Bool": {"aws:MultiFactorAuthPresent": "true"}} if multi_factor else {}
        named = {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}
        statements.append(trust("Users", {"AWS": users}, {**twice, **named}))
    return statements


@dataclass(frozen=True)
class Issuer:
    """Whose tokens are believed, what for, and the subjects (`sub`) of those that may plan or apply."""

    host: str
    audience: str
    planners: Sequence[str]
    appliers: Sequence[str]
    branch: str | None = None
    """The branch that an applier's token must name beside its subject, where AWS reads that claim."""

    def trusting(self, provider: str, subjects: Sequence[str], branch: str | None = None) -> list[Statement]:
        """The trust policy of a role that these subjects take; ``provider`` is the ARN of the identity provider."""
        named = {f"{self.host}:ref": f"refs/heads/{branch}"} if branch else {}
        return [
            trust(
                "Pipelines",
                {"Federated": provider},
                {
                    "StringEquals": {f"{self.host}:aud": self.audience, **named},
                    "StringLike": {f"{self.host}:sub": list(subjects)},
                },
                action="sts:AssumeRoleWithWebIdentity",
            )
        ]


def issuer(settings: CI, models: Iterable[str], environments: Iterable[str]) -> Issuer:
    """The tokens of the provider that the file names.

    - GitHub ("OpenID Connect reference"): a run in a GitHub environment of the estate's own name (`production`, `hub`)
      applies, from the trusted branch; pull requests and that branch plan. A GitHub of one's own has no branch claim
      that AWS reads (AWS STS, "provider-specific claims"): there the rules of the environment hold the branch.
    - GitLab ("ID token payload"): a subject names a branch and no environment, so the trusted branch applies.
    - Azure DevOps ("workload identity federation"): a subject names a service connection and no branch, so a
      connection that plans also applies; its own checks tell the two apart.

    What AWS cannot hold a token to is refused by the rules of the file before it comes here.
    """
    repositories = [f"{settings.owner}/{each}" for each in settings.repositories or models]
    match settings.provider:
        case "github":
            host = f"{settings.host}/_services/token" if settings.host else "token.actions.githubusercontent.com"
            return Issuer(
                host,
                "sts.amazonaws.com",
                planners=[
                    f"repo:{each}:{what}"
                    for each in repositories
                    for what in ("pull_request", f"ref:refs/heads/{settings.branch}")
                ],
                appliers=[f"repo:{each}:environment:{name}" for each in repositories for name in [HUB, *environments]],
                branch=None if settings.host else settings.branch,
            )
        case "gitlab":
            host = settings.host or "gitlab.com"
            projects = [f"project_path:{each}:ref_type:branch:ref:" for each in repositories]
            return Issuer(
                host,
                f"https://{host}",
                planners=[f"{project}*" for project in projects],
                appliers=[f"{project}{settings.branch}" for project in projects],
            )
        case "azure-devops":
            connections = [f"sc://{each}" for each in repositories]
            return Issuer(
                f"vstoken.dev.azure.com/{settings.owner_id}",
                "api://AzureADTokenExchange",
                planners=connections,
                appliers=connections,
            )
