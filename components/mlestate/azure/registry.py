"""Registry: where the versions of every model and their images are kept, one for the whole estate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi_azure_native.machinelearningservices as machinelearningservices
import pulumi_azure_native.resources as resources
from pulumi import Input, Output, ResourceOptions

from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Registry", "RegistryElsewhere"]


class Registry(Part):
    """An Azure ML registry with a container of versions a model, in a resource group of its own.

    It is the only thing on Azure that holds a model for several workspaces, and it is the one part of a default estate
    that bills while idle: Azure gives it a container registry of the Premium tier, which has a fixed price a day, used
    or not (Azure Container Registry, "Pricing"), and a storage account, in a resource group that Azure
    manages. Its API takes no key of the customer's for them, whatever `encryption` says. Its primary region must stand
    in `region_details`. Its name is unique in the tenant and cannot be changed.

    An image lives in it as an environment of the model's name, whose versions the pipeline makes at run time.
    """

    models: Mapping[str, Output[str]]
    """By model: its resource id, ``/subscriptions/.../registries/<registry>/models/<model>``."""
    images: Mapping[str, Output[str]]
    """By model: ``azureml://registries/<registry>/environments/<model>``, to be followed by ``/versions/<version>``."""

    def __init__(self, names: Names, models: Mapping[str, Model], *, protect: bool, opts: ResourceOptions) -> None:
        super().__init__(names, opts)
        safe = self.child(protect=protect)
        group = resources.ResourceGroup(
            self.named("group"),
            resource_group_name=names.physical("resource-group", "registry"),
            location=names.region,
            tags=names.tags,
            opts=safe,
        )
        registry = machinelearningservices.Registry(
            self.named("registry"),
            resource_group_name=group.name,
            registry_name=names.physical("model-registry", "registry"),
            location=names.region,
            identity={"type": "SystemAssigned"},
            public_network_access="Enabled",
            region_details=[
                {
                    "location": names.region,
                    "acr_details": [{"system_created_acr_account": {"acr_account_sku": "Premium"}}],
                    "storage_account_details": [
                        {
                            "system_created_storage_account": {
                                "storage_account_type": "Standard_LRS",
                                "storage_account_hns_enabled": False,
                                "allow_blob_public_access": False,
                            }
                        }
                    ],
                }
            ],
            tags=names.tags,
            opts=safe,
        )
        containers = {
            model: machinelearningservices.RegistryModelContainer(
                self.named(model),
                resource_group_name=group.name,
                registry_name=registry.name,
                model_name=model,
                properties={
                    "description": f"The versions of {model}.",
                    "tags": names.of_model(model, settings.owner, settings.risk).tags,
                },
                opts=self.child(protect=protect, deleted_with=registry),
            )
            for model, settings in models.items()
        }
        self.publish(
            models={model: _model(names, each.name) for model, each in containers.items()},
            images={model: _image(registry.name, model) for model in containers},
        )


@dataclass(frozen=True)
class RegistryElsewhere:
    """The hub's registry as another slice sees it: computed from names, nothing made and nothing looked up."""

    models: Mapping[str, Output[str]]
    images: Mapping[str, Output[str]]

    @classmethod
    def of(cls, names: Names, models: Iterable[str]) -> "RegistryElsewhere":
        """``names`` are the hub's."""
        registry, models = names.physical("model-registry", "registry"), list(models)
        return cls(
            models={model: _model(names, model) for model in models},
            images={model: _image(registry, model) for model in models},
        )


def _model(names: Names, model: Input[str]) -> Output[str]:
    """Computed rather than taken from the resource: Azure does not always return an id's letters in the same case."""
    registry = names.physical("model-registry", "registry")
    registry_id = names.arm_id("registry", f"Microsoft.MachineLearningServices/registries/{registry}")
    return Output.concat(f"{registry_id}/models/", model)


def _image(registry: Input[str], model: str) -> Output[str]:
    return Output.concat("azureml://registries/", registry, f"/environments/{model}")
