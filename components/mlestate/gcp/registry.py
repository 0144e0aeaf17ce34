"""Registry: where the versions of every model and their images are kept, one for the whole estate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi_gcp.artifactregistry as artifactregistry
from pulumi import Input, Output, ResourceOptions

from mlestate import contract
from mlestate.config.model import Model
from mlestate.gcp.apis import enable
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Registry", "RegistryElsewhere"]


class Registry(Part):
    """A repository of images a model, in the hub's project, which is also where Vertex AI keeps the versions.

    Vertex AI has no resource for a model before its first version: the training pipeline uploads every version under
    the id that `models` gives (`models.upload` takes the caller's `model_id`, and `parent_model` after that), so the
    id is settled here and nothing stands behind it until a version exists. It has no permissions for a single model
    either; who may upload and who may approve is the business of the part that knows people.

    One repository a model, where Google's guides show one for all: IAM ends at the repository, so a shared one would
    let whoever may push one model's image push every model's. Tags cannot be moved. Untagged images go after 30 days.
    """

    models: Mapping[str, Output[str]]
    """By model: ``projects/*/locations/*/models/*``."""
    images: Mapping[str, Output[str]]
    """By model: ``*-docker.pkg.dev/<project>/<repository>/<model>``, to be followed by ``@sha256:...``."""

    def __init__(
        self, names: Names, keys: contract.Keys, models: Mapping[str, Model], *, protect: bool, opts: ResourceOptions
    ) -> None:
        super().__init__(names, opts)
        apis = enable(self, "artifactregistry", "aiplatform")
        repositories = {
            model: artifactregistry.Repository(
                self.named(model),
                repository_id=names.physical("image-repository", model),
                location=names.region,
                format="DOCKER",
                mode="STANDARD_REPOSITORY",
                docker_config={"immutable_tags": True},
                cleanup_policy_dry_run=False,
                cleanup_policies=[
                    {
                        "id": "untagged",
                        "action": "DELETE",
                        "condition": {"tag_state": "UNTAGGED", "older_than": f"{30 * 86_400}s"},
                    },
                ],
                kms_key_name=keys.ids.get("registry"),
                deletion_policy="DELETE",
                labels=names.of_model(model, settings.owner, settings.risk).labels,
                opts=self.child(depends_on=apis, protect=protect),
            )
            for model, settings in models.items()
        }
        self.publish(
            models={model: _model(names, model) for model in models},
            images={model: _image(names, each.repository_id, model) for model, each in repositories.items()},
        )


@dataclass(frozen=True)
class RegistryElsewhere:
    """The hub's registry as another slice sees it: computed from names, nothing made and nothing looked up."""

    models: Mapping[str, Output[str]]
    images: Mapping[str, Output[str]]

    @classmethod
    def of(cls, names: Names, models: Iterable[str]) -> "RegistryElsewhere":
        """``names`` are the hub's."""
        repositories = {model: names.physical("image-repository", model) for model in models}
        return cls(
            models={model: _model(names, model) for model in repositories},
            images={model: _image(names, each, model) for model, each in repositories.items()},
        )


def _model(names: Names, model: str) -> Output[str]:
    return Output.from_input(names.resource_name(f"models/{names.physical('model', model)}"))


def _image(names: Names, repository: Input[str], model: str) -> Output[str]:
    return Output.concat(f"{names.region}-docker.pkg.dev/{names.home}/", repository, f"/{model}")
