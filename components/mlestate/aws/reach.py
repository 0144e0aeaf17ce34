"""What of an estate the roles of a slice can reach: addresses computed from names, before anything is there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mlestate import pipeline
from mlestate.aws import buckets, neighbours
from mlestate.aws.data import ROLES
from mlestate.aws.keys import Encryption
from mlestate.aws.policies import Conditions, path
from mlestate.aws.questions import ANSWERS
from mlestate.aws.settings import COMPUTE, AwsEstate
from mlestate.aws.trail import STORE, trail_arn
from mlestate.config.estate import ExistingNetwork
from mlestate.config.model import Model
from mlestate.names import HUB, Names

__all__ = ["Limits", "Reach"]

SIZES = ("medium", "large", "xlarge", *(f"{count}xlarge" for count in (2, 4, 8, 9, 12, 16, 18, 24, 32, 48)))
"""The sizes of a family of instances, from small to large (SageMaker API, ProductionVariantInstanceType)."""

DAY = 86_400


@dataclass(frozen=True)
class Limits:
    """What a job or an endpoint of an estate may be, whoever starts it."""

    private: bool
    """Everything runs in subnets and security groups that the caller names."""
    own_keys: bool
    """Everything is written under a key of the customer's."""
    instance_types: Sequence[str]
    seconds: int
    """The longest that a job may run."""

    @classmethod
    def of(cls, network: object, encryption: Encryption, models: Collection[Model]) -> "Limits":
        """What the models of a file ask for, in whichever environment; what is smaller is allowed with it."""
        asked = {COMPUTE["cpu-small"], *(each for model in models for each in _machines(model))}
        return cls(
            private=network == "private" or isinstance(network, ExistingNetwork),
            own_keys=encryption != "provider-managed",
            instance_types=sorted({smaller for each in asked for smaller in _up_to(each)}),
            seconds=max([DAY, *(model.training.timeout.seconds for model in models)]),
        )


@dataclass(frozen=True)
class Reach:
    """Everything of one estate that the roles of one slice come near, as the resources of IAM statements.

    Models are meant by the slice's prefix and not one by one: a role holds 10,240 characters of policy (IAM quotas),
    and an estate may have hundreds of models. Buckets are meant by their whole names.
    """

    here: Names
    """The slice whose roles these are."""
    hub: Names
    environments: Mapping[str, Names]
    """All of the estate's, in whichever account."""
    protected: frozenset[str]
    """Environments that take changes from pipelines and no longer from people."""
    deploy_roles: Sequence[str]
    encryption: Encryption
    limits: Limits
    models: Mapping[str, Model]
    """As this slice has them; in the hub as they are written."""
    datasets: Mapping[str, str]
    """By data set: its folder in the bucket of raw data."""
    subnet_ids: Sequence[str] = ()
    """Of a network that was there before; the estate's own are known by their tags."""
    own_tracker: bool = False
    """Whether runs are recorded on a server of the user's own, which may ask for a key."""
    path: Sequence[str] = ()
    """The environments in the order in which a version passes them."""

    @classmethod
    def of(cls, config: AwsEstate, names: Names) -> "Reach":
        """What the roles of the slice of ``names`` come near in an estate."""
        hub = replace(names, environment=HUB, home=config.home or names.home)
        models = {environment: config.models_in(environment) for environment in config.environments}
        written = dict(config.models)
        asked = [model for each in (written, *models.values()) for model in each.values()]
        return cls(
            here=names,
            hub=hub,
            environments={
                name: replace(hub, environment=name, home=each.home or hub.home)
                for name, each in config.environments.items()
            },
            protected=frozenset(name for name, each in config.environments.items() if each.protect),
            deploy_roles=sorted({each.deploy_role for each in config.environments.values() if each.deploy_role}),
            encryption=config.encryption,
            limits=Limits.of(config.network, config.encryption, asked),
            models=models.get(names.environment, written),
            datasets={name: f"{each.path.strip('/')}/" for name, each in config.data.datasets.items()},
            subnet_ids=config.network.existing.subnets if isinstance(config.network, ExistingNetwork) else (),
            own_tracker=config.tracking.server == "external",
            path=config.promotion_path,
        )

    @property
    def subnets(self) -> list[str]:
        """The subnets and security groups that machines may join."""
        ids = self.subnet_ids or ["*"]
        return [
            *(self.here.arn("ec2", f"subnet/{each}") for each in ids),
            self.here.arn("ec2", "security-group/*"),
        ]

    @property
    def in_the_network(self) -> Conditions | None:
        """The condition by which subnets are meant whose ids nobody knows yet."""
        tags = {"aws:ResourceTag/estate": self.here.estate, "aws:ResourceTag/environment": self.here.environment}
        return None if self.subnet_ids else {"StringEquals": tags}

    @property
    def beside(self) -> list[Names]:
        """The environments in this slice's account."""
        return [names for names in self.environments.values() if names.home == self.here.home]

    @property
    def others(self) -> list[Names]:
        """The estate's other environments, in whichever account."""
        return [names for names in self.environments.values() if names.environment != self.here.environment]

    @property
    def before(self) -> Names | None:
        """The environment that a version comes from, None at the start of the path and off it."""
        return self._on_the_path(-1)

    @property
    def after(self) -> Names | None:
        """The environment that a version goes to, None at the end of the path and off it."""
        return self._on_the_path(1)

    def _on_the_path(self, step: int) -> Names | None:
        if self.here.environment not in self.path:
            return None
        place = self.path.index(self.here.environment) + step
        return self.environments[self.path[place]] if 0 <= place < len(self.path) else None

    @property
    def open(self) -> bool:
        """Whether people work in this environment."""
        return self.here.environment not in self.protected

    @property
    def own_keys(self) -> bool:
        """Whether the estate makes its keys; the user's own have policies of their own."""
        return self.encryption == "customer-managed"

    @property
    def groups(self) -> str:
        return self.hub.arn("sagemaker", f"model-package-group/{self.hub.slice}-*")

    @property
    def versions(self) -> str:
        return self.hub.arn("sagemaker", f"model-package/{self.hub.slice}-*/*")

    @property
    def repositories(self) -> str:
        return self.hub.arn("ecr", f"repository/{self.hub.slice}-*")

    @property
    def cards(self) -> str:
        return self.hub.arn("sagemaker", f"model-card/{self.hub.slice}-*")

    @property
    def trail(self) -> str:
        return trail_arn(self.hub)

    @property
    def audit_store(self) -> str:
        return buckets.arn(self.hub, STORE)

    @property
    def answers(self) -> str:
        """The bucket of the answers to an auditor's questions."""
        return buckets.arn(self.hub, ANSWERS)

    @property
    def roles(self) -> str:
        """Every role of the estate in this account."""
        return self.here.arn("iam", f"role{path(self.here)}*", regional=False)

    @property
    def policies(self) -> str:
        return self.here.arn("iam", f"policy{path(self.here)}*", regional=False)

    @property
    def objects(self) -> list[str]:
        """Whatever lies in this environment's buckets."""
        return [f"{store}/*" for store in self.stores()]

    def stores(self, *roles: str) -> list[str]:
        return [buckets.arn(self.here, role) for role in roles or ROLES]

    def folder(self, role: str, prefix: str = "") -> str:
        """The objects under a prefix of one bucket."""
        return f"{buckets.arn(self.here, role)}/{prefix}*"

    def own(self, service: str, resource: str) -> str:
        """Things of this slice by its prefix: ``own("sagemaker", "endpoint/")``."""
        return self.here.arn(service, f"{resource}{self.here.slice}-*")

    def machines(self, *kinds: str) -> list[str]:
        """SageMaker's things of this slice by kind."""
        return [self.own("sagemaker", f"{kind}/") for kind in kinds]

    def state_machines(self, *roles: str) -> list[str]:
        """State machines of this slice by what they are for."""
        return [self.here.arn("states", f"stateMachine:{self.here.physical('state-machine', role)}") for role in roles]

    def executions(self, *roles: str) -> list[str]:
        """The executions of these state machines."""
        return [self.here.arn("states", f"execution:{self.here.physical('state-machine', role)}:*") for role in roles]

    def table(self, role: str) -> str:
        """A table of this slice by what it holds."""
        return self.here.arn("dynamodb", f"table/{self.here.physical('table', role)}")

    def parameters(self, *folders: str) -> list[str]:
        """The slice's parameters in some folders: ``models/*``."""
        place = f"parameter/mlestate/{self.here.estate}/{self.here.environment}"
        return [self.here.arn("ssm", f"{place}/{folder}") for folder in folders]

    def role(self, name: str) -> str:
        """The ARN of a role of this slice, or of several where the name has a wildcard."""
        return neighbours.role(self.here, name)

    def policy(self, name: str) -> str:
        return self.here.arn("iam", f"policy{path(self.here)}{self.here.physical('policy', name)}", regional=False)


def _machines(model: Model) -> list[str]:
    """The instance types that a model asks for, in whichever of its duties."""
    steps: tuple[pipeline.Machine, ...] = ("data", "judge", "training")
    sizes = [model.serving.compute, *(pipeline.compute(step, model) for step in steps)]
    written = [each.instance_type for each in (model.training.aws, model.serving.aws) if each is not None]
    return [*(COMPUTE[size] for size in sizes), *(each for each in written if each is not None)]


def _up_to(instance_type: str) -> list[str]:
    """The type and the smaller ones of its family; one of a size that is not known stands alone."""
    family, _, size = instance_type.rpartition(".")
    return [f"{family}.{each}" for each in SIZES[: SIZES.index(size) + 1]] if size in SIZES else [instance_type]
