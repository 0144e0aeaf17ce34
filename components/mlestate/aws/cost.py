"""Budgets on AWS and what happens when one is spent."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Cost"]


class Cost(Part):
    """Budgets."""

    budgets: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        serving: contract.Serving,
        access: contract.Access,
        alerts: contract.Alerts,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(budgets={})
