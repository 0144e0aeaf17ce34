"""How people are told on AWS."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Alerts"]


class Alerts(Part):
    """Topics that reach someone, one an urgency."""

    topics: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        keys: contract.Keys,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(topics={})
