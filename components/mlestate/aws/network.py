"""Where machines of an environment run on AWS."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Network"]


class Network(Part):
    """A VPC of the environment's own."""

    subnets: Mapping[str, Output[str]]
    groups: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(subnets={}, groups={})
