"""The composition root: a hub, then each environment, part by part; written once for every cloud.

The cloud is chosen here, by a table, and nowhere else. What a cloud does not provide yet is refused by the
configuration before it comes to this page.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.estate import Estate as EstateSettings
from mlestate.errors import InputError
from mlestate.names import HUB, Names
from mlestate.part import Part

__all__ = ["CLOUDS", "Environment", "Estate", "Hub", "cloud_for", "slices"]

CLOUDS: Mapping[str, tuple[str, str]] = {
    "aws": ("mlestate.aws.cloud", "AwsCloud"),
    "gcp": ("mlestate.gcp.cloud", "GcpCloud"),
    "azure": ("mlestate.azure.cloud", "AzureCloud"),
}


def cloud_for(config: EstateSettings) -> type[contract.Cloud]:
    """The cloud that the file names, with its SDK loaded.

    Raises:
        InputError: the SDK is not installed; the message is the command that installs it.
    """
    module, name = CLOUDS[config.cloud]
    try:
        cloud: type[contract.Cloud] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mlestate"):
            raise
        raise InputError(
            f"cloud: {config.cloud} needs the package {error.name}, which is not installed. "
            f"Install it with: pip install 'mlestate[{config.cloud}]'"
        ) from error
    return cloud


def slices(config: EstateSettings, scope: str | None = None) -> dict[str, str]:
    """The slices that a run builds, each with the account, project or subscription that it lies in.

    Raises:
        InputError: the scope is not a slice of this estate, one stack cannot reach all of the accounts, or a slice has
            no account.
    """
    homes = {HUB: config.home, **{name: each.home or config.home for name, each in config.environments.items()}}
    if scope is not None and scope not in homes:
        raise InputError(f"mlestate:scope is {scope!r}; this estate has {', '.join(homes)}")
    built = [name for name in homes if scope in (None, name)]
    if reason := config.out_of_reach(built):
        raise InputError(reason)
    return {name: _present(homes[name], name, config) for name in built}


class Hub(Part):
    """What all environments share: the registry, the audit trail, people's and CI's access, and their keys."""

    registry: Mapping[str, Output[str]]
    images: Mapping[str, Output[str]]
    trail: Mapping[str, Output[str]]
    roles: Mapping[str, Output[str]]

    def __init__(self, cloud: contract.Cloud, names: Names, opts: ResourceOptions) -> None:
        super().__init__(names, opts, container=names.slice)
        child = self.child()
        trail: dict[str, Output[str]] = {}
        roles: dict[str, Output[str]] = {}
        self.record: contract.Audit | None = None
        if not isinstance(cloud, contract.WholeCloud):
            self.versions = cloud.registry(names, cloud.keys(names, ("registry", "audit"), child), child)
        else:
            keys = cloud.keys(names, ("registry", "audit", "logs"), child)
            self.versions = cloud.registry(names, keys, child)
            access = cloud.access(names, child)
            alerts = cloud.alerts(names, keys, access, child)
            self.record = cloud.audit(names, keys, access, alerts, child)
            cloud.verdicts(names, keys, access, alerts, child)
            trail = {"trail": self.record.trail, "store": self.record.store}
            roles = {**access.personas, **access.ci, **access.identities}
        self.publish(registry=self.versions.models, images=self.versions.images, trail=trail, roles=roles)


class Environment(Part):
    """One place where models live: staging and production are built by this same code."""

    stores: Mapping[str, Output[str]]
    datasets: Mapping[str, Output[str]]
    features: Mapping[str, Output[str]]
    tracking: Mapping[str, Output[str]]
    pipelines: Mapping[str, Output[str]]
    endpoints: Mapping[str, Output[str]]
    waiting: Mapping[str, Output[str]]
    workflows: Mapping[str, Output[str]]
    alarms: Mapping[str, Output[str]]
    budgets: Mapping[str, Output[str]]
    roles: Mapping[str, Output[str]]

    def __init__(
        self,
        cloud: contract.Cloud,
        names: Names,
        registry: contract.Registry,
        record: contract.Audit | None,
        opts: ResourceOptions,
    ) -> None:
        """``record`` is the hub's, for an environment that adds to it what happens in an account of its own."""
        super().__init__(names, opts, container=names.slice)
        child = self.child()
        made: dict[str, Mapping[str, Output[str]]] = {key: {} for key in Environment.__annotations__}
        if not isinstance(cloud, contract.WholeCloud):
            data = cloud.data(names, cloud.keys(names, ("data", "models"), child), child)
        else:
            keys = cloud.keys(names, ("data", "features", "models", "logs"), child)
            access = cloud.access(names, child)
            alerts = cloud.alerts(names, keys, access, child)
            network = cloud.network(names, child)
            data = cloud.data(names, keys, child)
            if record is not None:
                cloud.recorder(names, keys, access, alerts, record, child)
            features = cloud.features(names, keys, data, access, child)
            tracking = cloud.tracking(names, keys, data, access, child)
            training = cloud.training(names, network, keys, data, features, tracking, registry, access, alerts, child)
            serving = cloud.serving(names, network, keys, data, registry, access, alerts, child)
            monitoring = cloud.monitoring(names, network, keys, data, serving, access, alerts, child)
            delivery = cloud.delivery(
                names, network, keys, data, registry, training, serving, monitoring, access, alerts, child
            )
            cost = cloud.cost(names, keys, access, alerts, child)
            made |= {
                "features": features.groups,
                "tracking": {"uri": tracking.uri},
                "pipelines": training.pipelines,
                "endpoints": serving.endpoints,
                "waiting": serving.waiting,
                "workflows": delivery.workflows,
                "alarms": monitoring.alarms,
                "budgets": cost.budgets,
                "roles": {**access.personas, **access.identities},
            }
        self.publish(**made | {"stores": data.stores, "datasets": data.datasets})


class Estate(Part):
    """A whole estate, or the slice of it that ``scope`` names: ``hub`` or one environment.

    Slices find each other by name, so three stacks in three accounts register the resources that one stack would.

    Raises:
        InputError: as `slices` and `cloud_for`.
    """

    hub: Mapping[str, Any]
    environments: Mapping[str, Any]

    def __init__(
        self,
        config: EstateSettings,
        secrets: contract.Secrets,
        scope: str | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        built = slices(config, scope)
        names = {
            name: Names(
                cloud=config.cloud,
                estate=config.name,
                environment=name,
                region=config.region,
                home=home,
                owner=config.owner,
                extra_tags=config.tags,
            )
            for name, home in {HUB: _present(config.home, HUB, config), **built}.items()
        }
        cloud = cloud_for(config)(config, secrets)
        super().__init__(names[HUB], opts, container=config.name)
        inside = {
            name: self.child(providers=[cloud.provider(names[name], ResourceOptions(parent=self))]) for name in built
        }
        hub = Hub(cloud, names[HUB], inside[HUB]) if HUB in built else None
        registry = hub.versions if hub else cloud.registry_elsewhere(names[HUB])
        record = hub.record if hub else None
        if hub is None and isinstance(cloud, contract.WholeCloud):
            record = cloud.audit_elsewhere(names[HUB])
        environments = {
            name: Environment(cloud, names[name], registry, record if name in config.recorders else None, inside[name])
            for name in built
            if name != HUB
        }
        self.publish(
            hub={key: getattr(hub, key) for key in Hub.__annotations__} if hub else {},
            environments={
                name: {key: getattr(each, key) for key in Environment.__annotations__}
                for name, each in environments.items()
            },
        )


def _present(home: str | None, slice_: str, config: EstateSettings) -> str:
    if home is not None:
        return home
    word, (setting, example) = config.home_word, config.home_setting
    raise InputError(
        f"{slice_} has no {word}: names and permissions are computed from it. Write `{word}:` in the estate file, or "
        f"give this stack one: pulumi config set --path '{setting}' {example}"
    )
