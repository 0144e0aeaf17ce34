"""What watches data, models and machines on AWS, and tells someone."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Monitoring"]


class Monitoring(Part):
    """Monitors, alarms and dashboards."""

    alarms: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        training: contract.Training,
        serving: contract.Serving,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(alarms={})
