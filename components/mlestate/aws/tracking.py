"""Where experiments are recorded on AWS."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Tracking"]


class Tracking(Part):
    """MLflow."""

    uri: Output[str]

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
        self.publish(uri=Output.from_input(""))
