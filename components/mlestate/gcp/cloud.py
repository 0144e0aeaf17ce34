"""Google Cloud: what each part of an estate is there."""

from collections.abc import Sequence

from pulumi import ResourceOptions
from pulumi_gcp.provider import Provider

from mlestate import contract
from mlestate.gcp.data import Data
from mlestate.gcp.keys import keys
from mlestate.gcp.registry import Registry, RegistryElsewhere
from mlestate.gcp.settings import GcpEstate
from mlestate.names import HUB, Names

__all__ = ["GcpCloud"]


class GcpCloud:
    """The parts of an estate on Vertex AI."""

    def __init__(self, config: GcpEstate, secrets: contract.Secrets) -> None:
        self.config, self.secrets = config, secrets

    def provider(self, names: Names, opts: ResourceOptions) -> Provider:
        return Provider(
            names.slice, project=names.home, region=names.region, add_pulumi_attribution_label=False, opts=opts
        )

    def keys(self, names: Names, concerns: Sequence[str], opts: ResourceOptions) -> contract.Keys:
        return keys(self.config.encryption, names, concerns, self._protect(names), opts)

    def data(self, names: Names, keys: contract.Keys, opts: ResourceOptions) -> Data:
        datasets = self.config.data.datasets
        return Data(names, keys, datasets, lineage=self._first(names), protect=self._protect(names), opts=opts)

    def registry(self, names: Names, keys: contract.Keys, opts: ResourceOptions) -> Registry:
        return Registry(names, keys, self.config.models, protect=self._protect(names), opts=opts)

    def registry_elsewhere(self, names: Names) -> RegistryElsewhere:
        return RegistryElsewhere.of(names, self.config.models)

    def _protect(self, names: Names) -> bool:
        """An environment as its file says; the hub as soon as one environment that relies on it is protected."""
        return any(each.protect for name, each in self.config.environments.items() if names.environment in (name, HUB))

    def _first(self, names: Names) -> bool:
        """Whether an environment is the first one in its project."""
        neighbours = [name for name, each in self.config.environments.items() if each.home == names.home]
        return neighbours[:1] == [names.environment]


_KEPT: type[contract.Cloud] = GcpCloud  # for mypy: the class keeps the contract, of which it inherits nothing
