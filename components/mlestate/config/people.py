"""Who may do what, which pipelines outside may act, and who is told."""

from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Email, Principal, SecretReference, Settings, text

Owner = Annotated[
    str,
    text("ci_owner", r"[A-Za-z0-9][A-Za-z0-9_./-]*", "must be the name of an organization, user or group, as in acme"),
]
OwnerId = Annotated[str, text("ci_owner_id", r"[A-Za-z0-9-]+", "must be a number or a GUID, quoted")]
Repository = Annotated[
    str,
    text(
        "ci_repository",
        r"[A-Za-z0-9_.][A-Za-z0-9_. /-]*",
        "must be the plain name of a repository: no wildcard, no https://",
    ),
]
Branch = Annotated[
    str, text("ci_branch", r"[A-Za-z0-9_.][A-Za-z0-9_./-]*", "must be the plain name of a branch: no wildcard")
]
Host = Annotated[str, text("ci_host", r"[a-z0-9.-]+", "must be a host name such as gitlab.acme.example, no https://")]


class CI(Settings):
    """Which pipelines outside may act on the estate, without any stored key."""

    provider: Literal["github", "gitlab", "azure-devops"] = Field(
        description="Whose tokens are trusted (OpenID Connect). Required."
    )
    owner: Owner = Field(
        description="The organization, user or group that owns the repositories. Required.", examples=["acme"]
    )
    owner_id: OwnerId | None = Field(
        None,
        description="The owner's unchanging id (GitHub: the numeric id; Azure DevOps: the organization's GUID). Left "
        "out: the name alone is trusted; azure-devops needs it.",
    )
    repositories: tuple[Repository, ...] = Field(
        (),
        description="The names of the trusted repositories (azure-devops: project/service-connection). Left out: one "
        "per model, named as the model.",
        examples=[["churn", "fraud"]],
    )
    branch: Branch = Field("main", description="The branch whose runs may change the estate. Left out: main.")
    host: Host | None = Field(None, description="The host of a GitLab or GitHub of your own. Left out: the public one.")


class Alerts(Settings):
    """Who is told."""

    email: tuple[Email, ...] = Field((), description="Addresses that get every alert. Left out: none.")
    slack: SecretReference | None = Field(
        None,
        description="The Slack webhook, as secret:<key>. Left out: no Slack.",
        examples=["secret:slackWebhook"],
    )
    pagerduty: SecretReference | None = Field(
        None,
        description="The PagerDuty integration key, as secret:<key>; on aws that of a CloudWatch integration, which "
        "hears of urgent alarms. Left out: no PagerDuty.",
    )

    @property
    def reach_someone(self) -> bool:
        """Whether anyone at all is told."""
        return bool(self.email or self.slack or self.pagerduty)


class People(Settings):
    """Who may do what. A principal is what the cloud calls it: SSO group, Google group, Entra object id."""

    data_scientists: tuple[Principal, ...] = Field(
        (), description="May explore data, train and register; may not approve or deploy. Left out: no one."
    )
    ml_engineers: tuple[Principal, ...] = Field(
        (), description="May run pipelines and releases in staging and read production. Left out: no one."
    )
    approvers: tuple[Principal, ...] = Field(
        (), description="May approve or reject a version, and nothing else. Left out: no one."
    )
    operators: tuple[Principal, ...] = Field(
        (), description="May roll a release back, and nothing else. Left out: no one."
    )
    auditors: tuple[Principal, ...] = Field(
        (), description="May read the audit trail and the settings; never the data, never write. Left out: no one."
    )
