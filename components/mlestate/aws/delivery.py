"""What releases a version on AWS and rolls it back."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Delivery"]


class Delivery(Part):
    """The frame of the release workflow."""

    workflows: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        keys: contract.Keys,
        registry: contract.Registry,
        training: contract.Training,
        serving: contract.Serving,
        monitoring: contract.Monitoring,
        access: contract.Access,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(workflows={})
