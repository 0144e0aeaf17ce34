"""The model registry on AWS: a group of versions, a card and a repository of images for every model."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi_aws.ecr as ecr
import pulumi_aws.sagemaker as sagemaker
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.neighbours import role
from mlestate.aws.policies import Statement, account_root, allow, canonical
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["PULL", "Registry", "RegistryElsewhere", "card", "group_arn", "version_arn"]

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""What pulling an image takes, besides the token that names no repository."""

UNTAGGED_KEPT = 10
"""How many images without a tag stay in a repository: the newest ones, in case a tag was missed."""


class Registry(Part):
    """The versions of every model and the images that run them.

    A version is made by a pipeline and approved by a person, so none is made here. Image tags never move, so that what
    was approved is what runs. Other accounts of the estate may read, and run, what is here; there the training pipeline
    may register a version that waits for its approval, and the release workflow may move one to another stage. Nobody
    outside the estate may do anything. An image needs no permission on its key to be pulled, in any account: ECR
    decrypts by a grant of its own (Amazon ECR user guide, "Encryption at rest").

    A model's card starts as a draft with what the file knows. From then on it is people's: what they write into it, and
    its status, stay as they are.
    """

    models: Mapping[str, Output[str]]
    images: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        elsewhere: Sequence[Names],
        keys: contract.Keys,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``elsewhere`` are the environments in other accounts."""
        super().__init__(names, opts)
        key = keys.ids.get("registry")
        groups: dict[str, Output[str]] = {}
        images: dict[str, Output[str]] = {}
        for model, settings in models.items():
            tags = names.of_model(model, settings.owner, settings.risk).tags
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
            sagemaker.ModelCard(
                self.named(model),
                model_card_name=names.physical("model-card", model),
                model_card_status="Draft",
                content=card(names, model, settings),
                security_config=None if key is None else {"kms_key_id": key},
                tags=tags,
                opts=self.child(
                    protect=protect, retain_on_delete=protect, ignore_changes=["content", "modelCardStatus"]
                ),
            )
            if elsewhere:
                sagemaker.ModelPackageGroupPolicy(
                    self.named(model),
                    model_package_group_name=group.model_package_group_name,
                    resource_policy=canonical(_use_versions(names, model, elsewhere)),
                    opts=self.child(),
                )
                ecr.RepositoryPolicy(
                    self.named(model),
                    repository=repository.name,
                    policy=canonical(_pull_images(elsewhere)),
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


def _lifecycle() -> str:
    rule = {
        "rulePriority": 1,
        "description": "Untagged images beyond the newest few",
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": UNTAGGED_KEPT},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True, separators=(",", ":"))


def card(names: Names, model: str, settings: Model) -> str:
    """What a model's card says before people know more: canonical JSON of the model card schema (SageMaker developer
    guide, "Model cards")."""
    owner = settings.owner or names.owner
    content = {
        "model_overview": {
            "model_name": model,
            "problem_type": settings.problem,
            **({"model_owner": owner} if owner else {}),
        },
        "intended_uses": {
            "risk_rating": (settings.risk or "unknown").title(),
            "explanations_for_risk_rating": "As the estate file says." if settings.risk else "Nobody has rated it yet.",
        },
        "additional_information": {
            "custom_details": {
                "automated decision about people": "yes" if settings.automated_decision else "no",
                "model package group": group_arn(names, model),
            }
        },
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _accounts(environments: Iterable[Names]) -> Statement:
    by_home = {names.home: account_root(names)["AWS"] for names in environments}
    return {"Principal": {"AWS": [by_home[home] for home in sorted(by_home)]}}


def _use_versions(names: Names, model: str, elsewhere: Sequence[Names]) -> list[Statement]:
    """SageMaker developer guide, "Deploy a model version from a different account"; condition keys: Service
    Authorization Reference, "Amazon SageMaker AI"."""
    group, versions = group_arn(names, model), version_arn(group_arn(names, model), "*")
    read = ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]
    statements = [
        allow("ReadTheGroup", "sagemaker:DescribeModelPackageGroup", group) | _accounts(elsewhere),
        allow("ReadAndRunItsVersions", read, versions) | _accounts(elsewhere),
    ]
    for each in elsewhere:
        word = "".join(part.capitalize() for part in each.environment.split("-"))
        statements += [
            allow(
                f"RegisterFrom{word}",
                "sagemaker:CreateModelPackage",
                [group, versions],
                {
                    "ArnEquals": {"aws:PrincipalArn": role(each, "pipeline")},
                    "StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"},
                },
            )
            | {"Principal": account_root(each)},
            # A stage is given, its own, and no verdict with it.
            allow(
                f"MoveToAStageFrom{word}",
                "sagemaker:UpdateModelPackage",
                versions,
                {
                    "ArnEquals": {"aws:PrincipalArn": role(each, "release")},
                    "Null": {"sagemaker:ModelApprovalStatus": "true"},
                    "StringEquals": {"sagemaker:ModelLifeCycle:Stage": each.environment},
                },
            )
            | {"Principal": account_root(each)},
        ]
    return statements


def _pull_images(elsewhere: Sequence[Names]) -> list[Statement]:
    # A repository's own policy names no resource: it stands for the repository (ECR, "Private repository policies").
    statement = {key: value for key, value in allow("Pull", PULL, None).items() if key != "Resource"}
    return [statement | _accounts(elsewhere)]
