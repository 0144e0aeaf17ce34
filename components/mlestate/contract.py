"""What each part of an estate promises, and what a cloud provides: the shape that AWS, Google Cloud and Azure share.

Two kinds of Protocol and no behaviour. A part's Protocol lists its outputs. A cloud's lists one method a part, taking
the names of the slice that is being built, the **parts it stands on** as objects, and options: the signature is the
dependency graph. `Cloud` is the floor that every cloud has, `WholeCloud` is a cloud that has every part. Outputs are
properties, so that whatever holds them may be frozen.

Mappings are keyed by the estate's own names: a model's, a dataset's, a persona's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from pulumi import Output, ProviderResource, ResourceOptions

from mlestate.names import Names

__all__ = [
    "Access",
    "Alerts",
    "Audit",
    "Cloud",
    "Cost",
    "Data",
    "Delivery",
    "Features",
    "Keys",
    "Monitoring",
    "Network",
    "Registry",
    "Secrets",
    "Serving",
    "Tracking",
    "Training",
    "WholeCloud",
]

Outputs = Mapping[str, Output[str]]

Secrets = Callable[[str], Output[str]]
"""The value of a secret by its key in the stack's config: what `secret:<key>` in the file stands for."""


class Network(Protocol):
    """Where machines run, out of the internet's reach."""

    @property
    def subnets(self) -> Outputs:
        """By zone (``a``, ``b``): the subnet's id. Empty where machines use the cloud's own public addresses."""

    @property
    def groups(self) -> Outputs:
        """By role (``machines``): the id of the firewall that machines join. Empty as `subnets` is."""


class Alerts(Protocol):
    """How people are told."""

    @property
    def topics(self) -> Outputs:
        """By urgency (``page``: now; ``notice``: in working hours): where a signal is sent to reach someone."""


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
    def groups(self) -> Outputs:
        """By feature group: its name in the store."""


class Tracking(Protocol):
    """Where experiments are recorded."""

    @property
    def uri(self) -> Output[str]:
        """What MLflow takes as its tracking URI; empty where runs are recorded by the cloud alone."""


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
    def pipelines(self) -> Outputs:
        """By model: the pipeline's name."""


class Serving(Protocol):
    """What answers requests."""

    @property
    def endpoints(self) -> Outputs:
        """By model: the endpoint's name; a model without an approved version has none yet, one in batch never."""

    @property
    def waiting(self) -> Outputs:
        """By model that nothing serves yet: the line of the file that names its first approved version."""

    @property
    def templates(self) -> Outputs:
        """By model: the name of what the next release of it is made like, machine for machine."""


class Delivery(Protocol):
    """What releases versions and rolls them back, and keeps what it did."""

    @property
    def workflows(self) -> Outputs:
        """By role (``release``): what runs after `pulumi up`, and where it keeps what it did."""


class Monitoring(Protocol):
    """What watches data, models and machines, and tells someone."""

    @property
    def alarms(self) -> Outputs:
        """By signal (``churn-error-rate``): the alarm's name."""


class Access(Protocol):
    """Who may do what: people's roles, the CI's and those that machines run as, without stored keys."""

    @property
    def personas(self) -> Outputs:
        """By persona."""

    @property
    def ci(self) -> Outputs:
        """By role (``ci-plan``, ``ci-apply``); the hub alone has them."""

    @property
    def identities(self) -> Outputs:
        """By duty (``pipeline``, ``churn-training``, ``churn-inference``): who a machine runs as, ready to be used."""


class Audit(Protocol):
    """The record that nobody it records can alter."""

    @property
    def trail(self) -> Output[str]: ...

    @property
    def store(self) -> Output[str]: ...


class Cost(Protocol):
    """Budgets and what happens when one is spent."""

    @property
    def budgets(self) -> Outputs:
        """By what is limited: the budget's name."""


class Cloud(Protocol):
    """What every cloud provides."""

    def __init__(self, config: Any, secrets: Secrets) -> None: ...

    def provider(self, names: Names, opts: ResourceOptions) -> ProviderResource:
        """The one way a slice reaches its account, project or subscription."""

    def keys(self, names: Names, concerns: Sequence[str], opts: ResourceOptions) -> Keys: ...

    def data(self, names: Names, keys: Keys, opts: ResourceOptions) -> Data: ...

    def registry(self, names: Names, keys: Keys, opts: ResourceOptions) -> Registry: ...

    def registry_elsewhere(self, names: Names) -> Registry:
        """The hub's registry as another slice sees it: ids computed from names, no resources and no look-ups."""


@runtime_checkable
class WholeCloud(Cloud, Protocol):
    """A cloud that provides every part."""

    def alerts(self, names: Names, keys: Keys, access: Access, opts: ResourceOptions) -> Alerts: ...

    def access(self, names: Names, opts: ResourceOptions) -> Access: ...

    def audit(self, names: Names, keys: Keys, access: Access, alerts: Alerts, opts: ResourceOptions) -> Audit: ...

    def audit_elsewhere(self, names: Names) -> Audit:
        """The hub's record as another slice sees it: computed from names, no resources and no look-ups."""

    def recorder(
        self, names: Names, keys: Keys, access: Access, alerts: Alerts, audit: Audit, opts: ResourceOptions
    ) -> Audit:
        """The record of an account (project, subscription) other than the hub's, kept in the hub's store."""

    def network(self, names: Names, opts: ResourceOptions) -> Network: ...

    def features(self, names: Names, keys: Keys, data: Data, access: Access, opts: ResourceOptions) -> Features: ...

    def tracking(self, names: Names, keys: Keys, data: Data, access: Access, opts: ResourceOptions) -> Tracking: ...

    def training(
        self,
        names: Names,
        network: Network,
        keys: Keys,
        data: Data,
        features: Features,
        tracking: Tracking,
        registry: Registry,
        access: Access,
        alerts: Alerts,
        opts: ResourceOptions,
    ) -> Training: ...

    def serving(
        self,
        names: Names,
        network: Network,
        keys: Keys,
        data: Data,
        registry: Registry,
        access: Access,
        alerts: Alerts,
        opts: ResourceOptions,
    ) -> Serving: ...

    def monitoring(
        self,
        names: Names,
        network: Network,
        keys: Keys,
        data: Data,
        serving: Serving,
        access: Access,
        alerts: Alerts,
        opts: ResourceOptions,
    ) -> Monitoring: ...

    def verdicts(self, names: Names, keys: Keys, access: Access, alerts: Alerts, opts: ResourceOptions) -> None:
        """Tells every environment what happens to versions in the hub's registry."""

    def delivery(
        self,
        names: Names,
        network: Network,
        keys: Keys,
        data: Data,
        registry: Registry,
        training: Training,
        serving: Serving,
        monitoring: Monitoring,
        access: Access,
        alerts: Alerts,
        opts: ResourceOptions,
    ) -> Delivery: ...

    def cost(self, names: Names, keys: Keys, access: Access, alerts: Alerts, opts: ResourceOptions) -> Cost: ...
