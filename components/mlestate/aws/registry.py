"""The model registry on AWS: a group of versions and a repository of images for every model."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi_aws.ecr as ecr
import pulumi_aws.sagemaker as sagemaker
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.policies import Statement, account_root, allow, canonical
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["PULL", "Registry", "RegistryElsewhere", "group_arn", "repository_arn", "version_arn"]

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""What pulling an image takes, besides the token that names no repository."""

UNTAGGED_KEPT = 10
"""How many images without a tag stay in a repository: the newest ones, in case a tag was missed."""


class Registry(Part):
    """The versions of every model and the images that run them.

    A version is made by a pipeline and approved by a person, so none is made here. Image tags never move, so that what
    was approved is what runs. Other accounts of the estate may read, and run, what is here; nobody outside it may.
    An image needs no permission on its key to be pulled, in any account: ECR decrypts by a grant of its own (Amazon ECR
    user guide, "Encryption at rest").
    """

    models: Mapping[str, Output[str]]
    images: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        readers: Sequence[str],
        keys: contract.Keys,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``readers`` are the estate's other accounts."""
        super().__init__(names, opts)
        key = keys.ids.get("registry")
        groups: dict[str, Output[str]] = {}
        images: dict[str, Output[str]] = {}
        for model, settings in models.items():
            tags = names.of_model(model, settings.owner).tags
            group = sagemaker.ModelPackageGroup(
                self.named(model),
                model_package_group_name=names.physical("model-package-group", model),
                # Any change of a description replaces the group and everything approved in it: it is one constant.
                model_package_group_description="Versions of one model",
                tags=tags,
                opts=self.child(protect=protect, retain_on_delete=protect),
            )
            repository = ecr.Repository(
                self.named(model),
                name=names.physical("image-repository", model),
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration={"scan_on_push": True},
                encryption_configurations=[
                    {"encryption_type": "AES256"} if key is None else {"encryption_type": "KMS", "kms_key": key}
                ],
                tags=tags,
                opts=self.child(protect=protect, retain_on_delete=protect),
            )
            ecr.LifecyclePolicy(
                self.named(model),
                repository=repository.name,
                policy=_lifecycle(),
                opts=self.child(),
            )
            if readers:
                sagemaker.ModelPackageGroupPolicy(
                    self.named(model),
                    model_package_group_name=group.model_package_group_name,
                    resource_policy=canonical(_read_versions(names, model, readers)),
                    opts=self.child(),
                )
                ecr.RepositoryPolicy(
                    self.named(model),
                    repository=repository.name,
                    policy=canonical(_pull_images(names, readers)),
                    opts=self.child(),
                )
            groups[model] = group.arn
            images[model] = repository.repository_url
        self.publish(models=groups, images=images)


@dataclass(frozen=True)
class RegistryElsewhere:
    """The hub's registry as another slice sees it: computed from names, nothing made and nothing looked up."""

    models: Mapping[str, Output[str]]
    images: Mapping[str, Output[str]]

    @classmethod
    def of(cls, names: Names, models: Iterable[str]) -> "RegistryElsewhere":
        """``names`` are the hub's."""
        models = list(models)
        host = f"{names.home}.dkr.ecr.{names.region}.amazonaws.com"
        return cls(
            models={model: Output.from_input(group_arn(names, model)) for model in models},
            images={
                model: Output.from_input(f"{host}/{names.physical('image-repository', model)}") for model in models
            },
        )


def group_arn(names: Names, model: str) -> str:
    """The ARN of a model's group of versions; ``names`` are the hub's."""
    return names.arn("sagemaker", f"model-package-group/{names.physical('model-package-group', model)}")


def version_arn(group: str, version: int | str) -> str:
    """The ARN of one version of a group (SageMaker API, CreateModelPackage: versions count from 1)."""
    return f"{group.replace(':model-package-group/', ':model-package/')}/{version}"


def repository_arn(names: Names, url: str) -> str:
    """The ARN of the repository at ``<account>.dkr.ecr.<region>.amazonaws.com/<name>``, in whichever account it is."""
    host, _, name = url.partition("/")
    account, _, _, region, *_ = host.split(".")
    return replace(names, home=account, region=region).arn("ecr", f"repository/{name}")


def _lifecycle() -> str:
    rule = {
        "rulePriority": 1,
        "description": "Untagged images beyond the newest few",
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": UNTAGGED_KEPT},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True, separators=(",", ":"))


def _accounts(names: Names, readers: Sequence[str]) -> Statement:
    return {"Principal": {"AWS": [account_root(replace(names, home=account))["AWS"] for account in readers]}}


def _read_versions(names: Names, model: str, readers: Sequence[str]) -> list[Statement]:
    group = group_arn(names, model)
    actions = ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]
    return [
        allow("ReadTheGroup", "sagemaker:DescribeModelPackageGroup", group) | _accounts(names, readers),
        allow("ReadAndRunItsVersions", actions, version_arn(group, "*")) | _accounts(names, readers),
    ]


def _pull_images(names: Names, readers: Sequence[str]) -> list[Statement]:
    # A repository's own policy names no resource: it stands for the repository (ECR, "Private repository policies").
    statement = {key: value for key, value in allow("Pull", PULL, None).items() if key != "Resource"}
    return [statement | _accounts(names, readers)]
