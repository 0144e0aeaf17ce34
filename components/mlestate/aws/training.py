"""The gated pipelines that make model versions on AWS."""

from collections.abc import Mapping

from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Training"]


class Training(Part):
    """One SageMaker pipeline a model."""

    pipelines: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        features: contract.Features,
        tracking: contract.Tracking,
        registry: contract.Registry,
        access: contract.Access,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self.publish(pipelines={})
