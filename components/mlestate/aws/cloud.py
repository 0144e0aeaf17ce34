"""AWS as an estate sees it: one method a part, and nothing decided here."""

from collections.abc import Sequence
from dataclasses import replace

from pulumi import ProviderResource, ResourceOptions
from pulumi_aws._inputs import ProviderAssumeRoleArgs  # the package's root, where it is public, is not type-checked
from pulumi_aws.provider import Provider

from mlestate import contract
from mlestate.aws import neighbours
from mlestate.aws.access import Access, access
from mlestate.aws.alerts import Alerts
from mlestate.aws.audit import Audit, AuditElsewhere, Recorder, trail_arn
from mlestate.aws.cost import Cost
from mlestate.aws.data import Data
from mlestate.aws.delivery import Delivery
from mlestate.aws.features import Features
from mlestate.aws.keys import by_alias, keys, keys_elsewhere
from mlestate.aws.monitoring import Monitoring
from mlestate.aws.network import network
from mlestate.aws.reach import Reach
from mlestate.aws.registry import Registry, RegistryElsewhere
from mlestate.aws.serving import Serving
from mlestate.aws.settings import AwsEstate
from mlestate.aws.tracking import Tracking
from mlestate.aws.training import Training
from mlestate.aws.verdicts import Verdicts
from mlestate.names import HUB, Names

__all__ = ["AwsCloud"]


class AwsCloud:
    """The parts of an estate on AWS, each given the part of the settings that is its own."""

    def __init__(self, config: AwsEstate, secrets: contract.Secrets) -> None:
        self.config = config
        self.secrets = secrets
        self.models = {environment: config.models_in(environment) for environment in config.environments}
        self.deploy_roles = {
            name: [each.deploy_role] for name, each in config.environments.items() if each.deploy_role is not None
        }
        self.protected = frozenset(name for name, each in config.environments.items() if each.protect)

    def provider(self, names: Names, opts: ResourceOptions) -> ProviderResource:
        return Provider(
            names.slice,
            region=names.region,
            allowed_account_ids=[names.home],
            # A plain dict would reach the provider under its Python name (role_arn), which no provider reads.
            assume_roles=[
                ProviderAssumeRoleArgs(role_arn=role) for role in self.deploy_roles.get(names.environment, ())
            ]
            or None,
            opts=opts,
        )

    def keys(self, names: Names, concerns: Sequence[str], opts: ResourceOptions) -> contract.Keys:
        trails = [trail_arn(each) for each in (names, *self._recorders(names))]
        lent = neighbours.reading_keys(names, *self._neighbours(names))
        return keys(self.config.encryption, names, concerns, trails, self._protect(names), opts, lent)

    def data(self, names: Names, keys: contract.Keys, opts: ResourceOptions) -> Data:
        lent = neighbours.reading_runs(names, *self._neighbours(names))
        return Data(names, self.config.data, self.models[names.environment], keys, lent, self._protect(names), opts)

    def registry(self, names: Names, keys: contract.Keys, opts: ResourceOptions) -> Registry:
        return Registry(names, self.config.models, self._elsewhere(names), keys, self._protect(names), opts)

    def registry_elsewhere(self, names: Names) -> RegistryElsewhere:
        return RegistryElsewhere.of(names, self.config.models)

    def alerts(self, names: Names, keys: contract.Keys, access: contract.Access, opts: ResourceOptions) -> Alerts:
        return Alerts(names, self.config.alerts, self.secrets, keys, access, opts)

    def audit(
        self, names: Names, keys: contract.Keys, access: contract.Access, alerts: contract.Alerts, opts: ResourceOptions
    ) -> Audit:
        return Audit(
            names,
            self.config.audit_in_force,
            "audit" in self.config.model_fields_set,
            self._in_account(names),
            self._recorders(names),
            keys,
            by_alias(self.config.encryption),
            access,
            alerts,
            self._protect(names),
            opts,
        )

    def audit_elsewhere(self, names: Names) -> AuditElsewhere:
        return AuditElsewhere.of(names)

    def recorder(
        self,
        names: Names,
        keys: contract.Keys,
        access: contract.Access,
        alerts: contract.Alerts,
        audit: contract.Audit,
        opts: ResourceOptions,
    ) -> Recorder:
        hub = self._hub(names)
        return Recorder(
            names,
            audit,
            "audit" in self.config.model_fields_set,
            self._in_account(names),
            keys_elsewhere(self.config.encryption, hub, ("audit",)),
            keys,
            by_alias(self.config.encryption, elsewhere=True),
            access,
            alerts,
            self._protect(names),
            opts,
        )

    def access(self, names: Names, opts: ResourceOptions) -> Access:
        return access(self.config, names, opts)

    def network(self, names: Names, opts: ResourceOptions) -> contract.Network:
        return network(self.config, names, self._protect(names), opts)

    def features(
        self, names: Names, keys: contract.Keys, data: contract.Data, access: contract.Access, opts: ResourceOptions
    ) -> Features:
        config, protect = self.config, self._protect(names)
        return Features(names, config.features, config.data, list(config.models), keys, data, access, protect, opts)

    def tracking(
        self, names: Names, keys: contract.Keys, data: contract.Data, access: contract.Access, opts: ResourceOptions
    ) -> Tracking:
        tracking, is_public = self.config.tracking, self.config.network == "public"
        return Tracking(names, tracking, is_public, data, access, self._protect(names), opts)

    def training(
        self,
        names: Names,
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        features: contract.Features,
        tracking: contract.Tracking,
        registry: contract.Registry,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> Training:
        models, is_last = self.models[names.environment], self.config.promotion_path[-1] == names.environment
        return Training(
            names,
            models,
            self.config.data.datasets,
            self.config.features,
            is_last,
            network,
            keys,
            data,
            features,
            tracking,
            registry,
            access,
            alerts,
            opts,
        )

    def serving(
        self,
        names: Names,
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        registry: contract.Registry,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> Serving:
        models, protect = self.models[names.environment], self._protect(names)
        datasets = self.config.data.datasets
        return Serving(names, models, datasets, network, keys, data, registry, access, alerts, protect, opts)

    def monitoring(
        self,
        names: Names,
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        serving: contract.Serving,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> Monitoring:
        models, listeners = self.models[names.environment], self.config.alerts
        return Monitoring(names, models, listeners, network, keys, data, serving, access, alerts, opts)

    def delivery(
        self,
        names: Names,
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        registry: contract.Registry,
        training: contract.Training,
        serving: contract.Serving,
        monitoring: contract.Monitoring,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> Delivery:
        hub = self._hub(names)
        return Delivery(
            names,
            hub,
            self._environments(hub),
            self.models[names.environment],
            self.config.promotion_path,
            self.config.promotion.approval,
            network,
            keys,
            data,
            registry,
            training,
            serving,
            monitoring,
            access,
            alerts,
            self._protect(names),
            opts,
        )

    def verdicts(
        self,
        names: Names,
        keys: contract.Keys,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        Verdicts(names, list(self._environments(names).values()), keys, access, alerts, opts)

    def cost(
        self,
        names: Names,
        keys: contract.Keys,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> Cost:
        environment = self.config.environments[names.environment]
        return Cost(names, environment, self.models[names.environment], keys, access, alerts, opts)

    def _neighbours(self, names: Names) -> tuple[Names, list[Names]]:
        """The hub, and every environment in whichever account."""
        reach = Reach.of(self.config, names)
        return reach.hub, list(reach.environments.values())

    def _protect(self, names: Names) -> bool:
        """An environment as its file says; the hub as soon as one environment that relies on it is protected."""
        return any(names.environment in (name, HUB) for name in self.protected)

    def _in_account(self, names: Names) -> list[Names]:
        """The environments in the account of a slice."""
        homes = {name: each.home or self.config.home for name, each in self.config.environments.items()}
        return [replace(names, environment=name) for name, home in homes.items() if home in (None, names.home)]

    def _hub(self, names: Names) -> Names:
        return replace(names, environment=HUB, home=self.config.home or names.home)

    def _environments(self, hub: Names) -> dict[str, Names]:
        homes = {name: each.home or hub.home for name, each in self.config.environments.items()}
        return {name: replace(hub, environment=name, home=home) for name, home in homes.items()}

    def _elsewhere(self, hub: Names) -> list[Names]:
        """The environments in accounts other than the hub's."""
        return [each for each in self._environments(hub).values() if each.home != hub.home]

    def _recorders(self, hub: Names) -> list[Names]:
        """The environments that keep the trail of an account other than the hub's."""
        return [each for each in self._elsewhere(hub) if each.environment in self.config.recorders]


_KEPT: type[contract.WholeCloud] = AwsCloud  # for mypy: the class keeps the contract, of which it inherits nothing
