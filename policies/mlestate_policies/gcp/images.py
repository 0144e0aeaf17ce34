"""Repositories of Artifact Registry: the images that train and serve models."""

from typing import Final

from mlestate_policies.checks import is_true
from mlestate_policies.gcp.shapes import has_own_key
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"


@resource_rule(
    "ML-GCP-CR-001",
    {REPOSITORY: ("dockerConfig.immutableTags",)},
    "The tags of a repository of images never move",
    why="A tag that moves lets another image run under the name of the one that was approved.",
    fix="Set dockerConfig.immutableTags to true.",
    severity="medium",
    evidences=("EU AI Act 12", "EU AI Act 15"),
)
def image_tags_are_immutable(repository: Resource, settings: Settings) -> Findings:
    images = repository.at("format").text.upper() == "DOCKER"
    if images and repository.at("mode").text.upper() in ("", "STANDARD_REPOSITORY"):  # the others hold copies
        yield from is_true(repository, "dockerConfig.immutableTags")


@resource_rule(
    "ML-GCP-CR-002",
    {REPOSITORY: ("kmsKeyName",)},
    "A repository has a key of the estate",
    why="Images carry the model's code, and often the model.",
    fix="Set kmsKeyName to a key in the repository's location, before it is created.",
    severity="medium",
    hardening=True,
    sources=("CKV_GCP_84",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def repository_has_a_key(repository: Resource, settings: Settings) -> Findings:
    if repository.at("mode").text.upper() != "VIRTUAL_REPOSITORY":  # one that is virtual stores nothing
        yield from has_own_key(repository, "kmsKeyName")
