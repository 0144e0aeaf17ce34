"""The feature store of an environment on AWS."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Features"]


class Features(Part):
    """Feature groups."""

    groups: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        keys: contract.Keys,
        data: contract.Data,
        access: contract.Access,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(groups={})
