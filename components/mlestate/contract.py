"""What each part of an estate promises, and what a cloud provides: the shape that AWS, Google Cloud and Azure share.

Two kinds of Protocol and no behaviour. A part's Protocol lists its outputs. A cloud's lists one method a part, taking
the names of the slice that is being built, the **parts it stands on** as objects, and options: the signature is the
dependency graph. `Cloud` is the floor that every cloud has; each `Provides...` is a part that a cloud may have beyond
it, and `estate.py` builds what is provided. Outputs are properties, so that whatever holds them may be frozen.

Mappings are keyed by the estate's own names: a model's, a dataset's, a persona's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from pulumi import Output, ProviderResource, ResourceOptions

from mlestate.names import Names

__all__ = [
    "Access",
    "Audit",
    "Cloud",
    "Cost",
    "Data",
    "Delivery",
    "Features",
    "Keys",
    "Monitoring",
    "Network",
    "ProvidesAccess",
    "ProvidesAudit",
    "ProvidesCost",
    "ProvidesDelivery",
    "ProvidesFeatures",
    "ProvidesMonitoring",
    "ProvidesNetwork",
    "ProvidesServing",
    "ProvidesTracking",
    "ProvidesTraining",
    "Registry",
    "Serving",
    "Tracking",
    "Training",
]

Outputs = Mapping[str, Output[str]]


class Network(Protocol):
    """Where machines run, out of the internet's reach."""

    @property
    def id(self) -> Output[str]: ...

    @property
    def subnet_ids(self) -> Output[Sequence[str]]: ...


class Keys(Protocol):
    """The keys that encrypt, one a concern."""

    @property
    def ids(self) -> Outputs:
        """By concern: what the cloud takes as a key. Empty where the provider manages the keys."""


class Data(Protocol):
    """Where data sets, features and model artifacts rest, every version of them."""

    @property
    def stores(self) -> Outputs:
        """By role (raw, curated, artifacts, capture): the URI that programs read and write."""

    @property
    def datasets(self) -> Outputs:
        """By data set: its URI."""


class Features(Protocol):
    """The feature store."""

    @property
    def groups(self) -> Outputs: ...


class Tracking(Protocol):
    """Where experiments are recorded."""

    @property
    def uri(self) -> Output[str]: ...


class Registry(Protocol):
    """The versions of every model, and who approved which."""

    @property
    def models(self) -> Outputs:
        """By model: the id of what holds its versions."""

    @property
    def images(self) -> Outputs:
        """By model: the URI of the repository of its container images."""


class Training(Protocol):
    """The gated pipelines that make model versions."""

    @property
    def pipelines(self) -> Outputs: ...


class Serving(Protocol):
    """What answers requests."""

    @property
    def identities(self) -> Outputs:
        """By model: who the model runs as."""

    @property
    def endpoints(self) -> Outputs:
        """By model: the endpoint's name; a model without an approved version has none yet."""


class Delivery(Protocol):
    """The workflow that releases a version and rolls it back."""

    @property
    def workflow(self) -> Output[str]: ...


class Monitoring(Protocol):
    """What watches data, models and machines, and tells someone."""

    @property
    def alarms(self) -> Outputs: ...


class Access(Protocol):
    """Who may do what: people's roles and the CI's, without stored keys."""

    @property
    def personas(self) -> Outputs: ...

    @property
    def ci(self) -> Outputs: ...


class Audit(Protocol):
    """The record that nobody it records can alter."""

    @property
    def trail(self) -> Output[str]: ...

    @property
    def store(self) -> Output[str]: ...


class Cost(Protocol):
    """Budgets and what happens when one is spent."""

    @property
    def budgets(self) -> Outputs: ...


class Cloud(Protocol):
    """What every cloud provides."""

    def __init__(self, config: Any) -> None: ...

    def provider(self, names: Names, opts: ResourceOptions) -> ProviderResource:
        """The one way a slice reaches its account, project or subscription."""

    def keys(self, names: Names, concerns: Sequence[str], opts: ResourceOptions) -> Keys: ...

    def data(self, names: Names, keys: Keys, opts: ResourceOptions) -> Data: ...

    def registry(self, names: Names, keys: Keys, opts: ResourceOptions) -> Registry: ...

    def registry_elsewhere(self, names: Names) -> Registry:
        """The hub's registry as another slice sees it: ids computed from names, no resources and no look-ups."""


@runtime_checkable
class ProvidesNetwork(Protocol):
    def network(self, names: Names, opts: ResourceOptions) -> Network: ...


@runtime_checkable
class ProvidesFeatures(Protocol):
    def features(self, names: Names, keys: Keys, data: Data, opts: ResourceOptions) -> Features: ...


@runtime_checkable
class ProvidesTracking(Protocol):
    def tracking(self, names: Names, keys: Keys, data: Data, opts: ResourceOptions) -> Tracking: ...


@runtime_checkable
class ProvidesTraining(Protocol):
    def training(self, names: Names, keys: Keys, data: Data, registry: Registry, opts: ResourceOptions) -> Training: ...


@runtime_checkable
class ProvidesServing(Protocol):
    def serving(self, names: Names, keys: Keys, data: Data, registry: Registry, opts: ResourceOptions) -> Serving: ...


@runtime_checkable
class ProvidesDelivery(Protocol):
    def delivery(self, names: Names, registry: Registry, serving: Serving, opts: ResourceOptions) -> Delivery: ...


@runtime_checkable
class ProvidesMonitoring(Protocol):
    def monitoring(self, names: Names, data: Data, serving: Serving, opts: ResourceOptions) -> Monitoring: ...


@runtime_checkable
class ProvidesAccess(Protocol):
    def access(self, names: Names, registry: Registry, audit: Audit, opts: ResourceOptions) -> Access: ...


@runtime_checkable
class ProvidesAudit(Protocol):
    def audit(self, names: Names, keys: Keys, opts: ResourceOptions) -> Audit: ...


@runtime_checkable
class ProvidesCost(Protocol):
    def cost(self, names: Names, opts: ResourceOptions) -> Cost: ...
