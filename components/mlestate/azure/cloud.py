"""Azure: what each part of an estate is there."""

from collections.abc import Sequence

from pulumi import ResourceOptions
from pulumi_azure_native.provider import Provider

from mlestate import contract
from mlestate.azure.data import Data
from mlestate.azure.keys import keys
from mlestate.azure.registry import Registry, RegistryElsewhere
from mlestate.azure.settings import AzureEstate
from mlestate.names import HUB, Names

__all__ = ["AzureCloud"]


class AzureCloud:
    """The parts of an estate on Azure Machine Learning."""

    def __init__(self, config: AzureEstate, secrets: contract.Secrets) -> None:
        self.config, self.secrets = config, secrets

    def provider(self, names: Names, opts: ResourceOptions) -> Provider:
        return Provider(names.slice, subscription_id=names.home, location=names.region, opts=opts)

    def keys(self, names: Names, concerns: Sequence[str], opts: ResourceOptions) -> contract.Keys:
        return keys(self.config.encryption, names, concerns, self._protect(names), opts)

    def data(self, names: Names, keys: contract.Keys, opts: ResourceOptions) -> Data:
        return Data(names, keys, self.config.data.datasets, protect=self._protect(names), opts=opts)

    def registry(self, names: Names, keys: contract.Keys, opts: ResourceOptions) -> Registry:
        return Registry(names, self.config.models, protect=self._protect(names), opts=opts)

    def registry_elsewhere(self, names: Names) -> RegistryElsewhere:
        return RegistryElsewhere.of(names, self.config.models)

    def _protect(self, names: Names) -> bool:
        """An environment as its file says; the hub as soon as one environment that relies on it is protected."""
        return any(each.protect for name, each in self.config.environments.items() if names.environment in (name, HUB))


_KEPT: type[contract.Cloud] = AzureCloud  # for mypy: the class keeps the contract, of which it inherits nothing
