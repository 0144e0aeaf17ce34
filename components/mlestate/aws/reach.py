"""What of an estate the roles in its hub can reach: addresses computed from names, before anything is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlestate.aws import buckets
from mlestate.aws.audit import STORE, analyzer_arn, trail_arn
from mlestate.aws.data import ROLES
from mlestate.aws.keys import alias
from mlestate.aws.policies import Conditions, path
from mlestate.names import Names

__all__ = ["Reach"]


@dataclass(frozen=True)
class Reach:
    """Everything of one estate in its hub's account, as the resources of IAM statements.

    Models are meant by the estate's prefix and not one by one: a role holds 10,240 characters of policy (IAM quotas),
    and an estate may have hundreds of models. Buckets are meant by their whole names.
    """

    hub: Names
    environments: Mapping[str, Names]
    """Those in the hub's account; the others are reached through a deploy role of their own, by the CI alone."""
    protected: frozenset[str]
    """Environments that take changes from pipelines and no longer from people."""
    deploy_roles: Sequence[str]
    own_keys: bool
    """Whether the estate makes its keys; the user's own have policies of their own."""

    @property
    def open(self) -> list[Names]:
        """The environments that people work in."""
        return [names for name, names in self.environments.items() if name not in self.protected]

    @property
    def all(self) -> list[Names]:
        return list(self.environments.values())

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
    def trail(self) -> str:
        return trail_arn(self.hub)

    @property
    def analyzer(self) -> str:
        return analyzer_arn(self.hub)

    @property
    def audit_store(self) -> str:
        return buckets.arn(self.hub, STORE)

    @property
    def roles(self) -> str:
        return self.hub.arn("iam", f"role{path(self.hub)}*", regional=False)

    @property
    def policies(self) -> str:
        return self.hub.arn("iam", f"policy{path(self.hub)}*", regional=False)

    @property
    def boundary(self) -> str:
        """The ceiling of every person and of the CI."""
        return self.hub.arn("iam", f"policy{path(self.hub)}{self.hub.physical('policy', 'boundary')}", regional=False)

    def stores(self, environments: Sequence[Names], *roles: str) -> list[str]:
        return [buckets.arn(names, role) for names in environments for role in roles or ROLES]

    def objects(self, environments: Sequence[Names], *roles: str) -> list[str]:
        return [f"{store}/*" for store in self.stores(environments, *roles)]

    def endpoints(self, environments: Sequence[Names]) -> list[str]:
        return [names.arn("sagemaker", f"endpoint/{names.slice}-*") for names in environments]

    def model_roles(self, names: Names) -> str:
        return names.arn("iam", f"role{path(names)}{names.slice}-*", regional=False)

    def keys_of(self, *concerns: tuple[Names, str]) -> Conditions:
        """The condition by which keys are meant whose ids nobody knows yet, used through S3 alone."""
        return {
            "StringEquals": {"kms:ViaService": f"s3.{self.hub.region}.amazonaws.com"},
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": [alias(names, concern) for names, concern in concerns]},
        }
