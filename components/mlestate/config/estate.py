"""The estate: everything in the file that means the same on every cloud."""

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from mlestate.config.base import (
    Duration,
    Name,
    Principal,
    Settings,
    left_out,
)
from mlestate.config.cost import OffHours
from mlestate.config.data import DataLake, FeatureGroup, Tracking
from mlestate.config.model import Adjustments, Model
from mlestate.config.people import CI, Alerts, People
from mlestate.config.scale import scaled
from mlestate.config.serving import Capture

Jurisdiction = Literal["canada", "quebec", "eu"]

KEPT_BY_LAW: Mapping[str, tuple[Duration, str]] = {
    "canada": (Duration.parse("2y"), "Breach of Security Safeguards Regulations (SOR/2018-64), section 6"),
    "quebec": (Duration.parse("5y"), "Regulation respecting confidentiality incidents (A-2.1, r. 3.1), section 8"),
}
"""How long the law of a jurisdiction wants the record of a breach kept, of which the trail is the evidence."""

DECISIONS_KEPT_BY_LAW: Mapping[str, tuple[Duration, str]] = {
    "quebec": (
        Duration.parse("1y"),
        "Act respecting the protection of personal information in the private sector, section 11",
    ),
    "eu": (Duration.parse("183d"), "AI Act, articles 19 and 26"),
}
"""How long it wants kept what a decision about a person was made from."""


def _form(value: object) -> str:
    """Which of the written forms a value has: one word, or a block."""
    return "<word>" if isinstance(value, str) else "<block>"


class NetworkIds(Settings):
    """A network that is there already."""

    network: str = Field(description="The id of the network: VPC id, VPC name or virtual network id. Required.")
    subnets: tuple[str, ...] = Field(description="The ids of the private subnets, in two zones or more. Required.")
    security_groups: tuple[str, ...] = Field(
        (), description="The ids of security groups that every job and endpoint joins (aws). Left out: one is made."
    )


class ExistingNetwork(Settings):
    """Use a network that is there already."""

    existing: NetworkIds = Field(description="The network to use; nothing in it is changed. Required.")


class KeyIds(Settings):
    """Keys that are there already."""

    data: str = Field(
        description="The key of data, features, models and logs: KMS key ARN or alias, Cloud KMS key name or Key "
        "Vault key id. Required."
    )
    audit: str | None = Field(None, description="The key of the audit trail. Left out: the key of the data.")


class ExistingKeys(Settings):
    """Use keys that are there already."""

    existing: KeyIds = Field(description="The keys to use; their policies are not changed. Required.")


class Audit(Settings):
    """The trail that those it audits cannot alter."""

    retention: Duration = Field(
        Duration.parse("1y"),
        description="How long the trail is kept. Left out: 1y, or what the law of the residency asks for the record of "
        + "a breach: "
        + ", ".join(f"{kept} in {word}" for word, (kept, _) in KEPT_BY_LAW.items())
        + ".",
        examples=["7y"],
    )
    lock: Literal["none", "governance", "compliance"] = Field(
        "governance",
        description="none keeps without a lock; governance can be lifted by an administrator of the audit account; "
        "compliance can be lifted by no one, ever, before the retention ends. Left out: governance.",
    )


class Environment(Settings):
    """One place where models run. Built by the same code as every other."""

    mirrors: Name | None = Field(
        None,
        description="The environment that this one repeats, resource for resource: it starts from that one's "
        "adjustments of every model, and its own come last. Left out: none.",
    )
    scale: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="How many and how large the machines of `compute` are here against what the file says, above 0 to "
        "1: counts are rounded up, a size goes down by one for each halving, a cloud's own machine type stays. Left "
        "out: 1.",
    )
    protect: bool = Field(
        False,
        description="Refuses to delete what holds data, models or the trail. Left out: it can be destroyed.",
    )
    monthly_budget_usd: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="The spend in US dollars a month: people are told at 50, 80 and 100 percent, and once it is spent "
        "people and CI can start nothing more (in a protected environment only after someone agrees). Left out: no "
        "budget.",
    )
    off_hours: OffHours | None = Field(
        None,
        description="When the endpoints of this environment are off (not where protect is true). Left out: never.",
        examples=[{"stop": "19:00", "start": "07:00", "timezone": "America/Toronto"}],
    )
    stop_idle_after: Duration | None = Field(
        None,
        description="How long an endpoint goes without a request before it is deleted, from 1h to 14d in whole hours "
        "(not where protect is true). It comes back by hand or with the next start of off_hours. Left out: it stays.",
        examples=["8h"],
    )

    @property
    def home(self) -> str | None:
        """The account, project or subscription that holds this environment."""
        raise NotImplementedError


class Approval(Settings):
    """What a promotion into an environment needs."""

    minimum: Annotated[int, Field(ge=1, le=10)] = Field(1, description="How many approvers must agree. Left out: one.")


class Promotion(Settings):
    """The way of a version from one environment to the next."""

    path: tuple[Name, ...] | None = Field(
        None,
        description="The environments in the order in which a version passes them. Left out: in the order of the file.",
        examples=[["staging", "production"]],
    )
    approval: Mapping[Name, Approval] = Field(
        default_factory=dict,
        description="What promotion into an environment needs besides the approval in the registry, by environment. "
        "Left out: nothing more.",
    )


class Estate(Settings):
    """Everything that means the same on every cloud; each cloud's class adds its own few words."""

    version: Literal[1] = Field(description="The version of this file's format. Required.")
    name: Name = Field(
        description="The name of the estate; it starts the name of every resource. Required.", examples=["acme-risk"]
    )
    cloud: str = Field(
        description="The cloud: aws, gcp or azure. On azure the model registry bills while idle: Azure gives it a "
        "container registry of the Premium tier. Required."
    )
    region: str = Field(description="The region of everything that lies in one. Required.")
    owner: Principal | None = Field(
        None,
        description="Who answers for the estate, as a tag on every resource. Left out: no owner tag.",
        examples=["ml-platform@acme.example"],
    )
    tags: Mapping[str, str] = Field(
        default_factory=dict,
        description="Tags on every resource that takes them; lower-case, so that they are legal on all three clouds. "
        "Everyone sees them, so they hold no secret. "
        "Left out: only the project's own.",
        examples=[{"cost-centre": "risk"}],
    )
    residency: (
        Annotated[
            Annotated[Jurisdiction, Tag("<word>")] | Annotated[tuple[str, ...], Tag("<block>")], Discriminator(_form)
        ]
        | None
    ) = Field(
        None,
        description="Where data, keys, replicas and logs may lie: canada, quebec, eu or a list of regions. Left out: "
        "anywhere the region setting says.",
        examples=["canada", ["ca-central-1"]],
    )
    network: Annotated[
        Annotated[Literal["private", "public"], Tag("<word>")] | Annotated[ExistingNetwork, Tag("<block>")],
        Discriminator(_form),
    ] = Field(
        "public",
        description="private keeps all traffic off the internet in a network of its own, whose endpoints bill by the "
        "hour; public uses the clouds' own encrypted addresses; {existing: ...} uses a network of yours. Left out: "
        "public.",
        examples=["private"],
    )
    encryption: Annotated[
        Annotated[Literal["provider-managed", "customer-managed"], Tag("<word>")]
        | Annotated[ExistingKeys, Tag("<block>")],
        Discriminator(_form),
    ] = Field(
        "provider-managed",
        description="provider-managed uses the cloud's own keys; customer-managed makes keys of the estate, which bill "
        "by the month; {existing: ...} uses keys of yours. On azure the model registry stays under Microsoft's keys, "
        "because its API takes no other, and only a real account can prove that all else is under yours. Left out: "
        "provider-managed.",
        examples=["customer-managed"],
    )
    ci: CI | None = Field(None, description="Which pipelines outside may act, without stored keys. Left out: none may.")
    alerts: Alerts = Field(
        default_factory=left_out(Alerts), description="Who is told. Left out: no one; alarms are there all the same."
    )
    people: People = Field(
        default_factory=left_out(People), description="Who may do what. Left out: no role is given to anyone."
    )
    audit: Audit = Field(
        default_factory=left_out(Audit),
        description="The audit trail. On aws this block also asks for what bills by the event or by the role: who read "
        "features and wrote data, unusual calls, changes of access told at once, access from outside and access "
        "unused, and an auditor's questions ready to be run. Left out: management events, kept for a year under a "
        "governance lock.",
    )
    promotion: Promotion = Field(
        default_factory=left_out(Promotion),
        description="The way of a version through the environments. Left out: in the order of the file.",
    )
    data: DataLake = Field(
        default_factory=left_out(DataLake), description="The data of the estate. Left out: no dataset."
    )
    features: Mapping[Name, FeatureGroup] = Field(
        default_factory=dict, description="The feature groups by name. Left out: no feature store."
    )
    tracking: Tracking = Field(
        default_factory=left_out(Tracking),
        description="Where runs are compared. Left out: what the cloud gives without a server.",
    )
    defaults: Adjustments = Field(
        default_factory=left_out(Adjustments),
        description="Values merged under every model. Left out: the built-in ones.",
    )
    models: Mapping[Name, Model] = Field(
        default_factory=dict, description="The models by name. Left out: none yet; the frame is there all the same."
    )

    environments: Mapping[str, Environment]

    home_word: ClassVar[str]
    """What the cloud calls that which holds a slice: an account, a project, a subscription."""
    home_setting: ClassVar[tuple[str, str]]
    """The setting of a Pulumi stack that gives one, and what it looks like."""

    @property
    def home(self) -> str | None:
        """The account, project or subscription that holds the hub, and every environment that names no other."""
        raise NotImplementedError

    def out_of_reach(self, slices: Collection[str]) -> str | None:
        """Why one stack cannot build these slices (`hub` and environments by name) together; None where it can."""
        return None

    @property
    def audit_in_force(self) -> Audit:
        """The audit, kept as long as the law of the residency asks where the file does not say how long."""
        kept, _ = KEPT_BY_LAW.get(str(self.residency), (self.audit.retention, ""))
        if "retention" in self.audit.model_fields_set or kept <= self.audit.retention:
            return self.audit
        return self.audit.model_copy(update={"retention": kept})

    @property
    def recorders(self) -> tuple[str, ...]:
        """The environments that keep the record of what happens outside the hub's home: the first in each place."""
        first: dict[str | None, str] = {}
        for name, each in self.environments.items():
            first.setdefault(each.home, name)
        return tuple(name for home, name in first.items() if home not in (None, self.home))

    @property
    def promotion_path(self) -> tuple[str, ...]:
        """The environments in the order in which a version passes them."""
        return self.promotion.path if self.promotion.path is not None else tuple(self.environments)

    def model(self, name: str, environment: str) -> Model:
        """One model as it is in one environment, at its scale, what it decides kept as long as the law of the residency
        asks. Raises KeyError when there is no such one."""
        here = self.environments[environment]
        return scaled(self._kept_by_law(self.models[name].in_environment(environment, here.mirrors)), here.scale)

    def models_in(self, environment: str) -> dict[str, Model]:
        """Every model as it is in one environment."""
        return {name: self.model(name, environment) for name in self.models}

    def _kept_by_law(self, model: Model) -> Model:
        capture, law = model.serving.capture or Capture(), DECISIONS_KEPT_BY_LAW.get(str(self.residency))
        if not model.automated_decision or law is None or law[0] <= capture.retention:
            return model
        kept = capture.model_copy(update={"retention": law[0]})
        return model.model_copy(update={"serving": model.serving.model_copy(update={"capture": kept})})


ENVIRONMENTS = (
    "The environments by name, in the order in which a version passes them. Left out: one, called production."
)
