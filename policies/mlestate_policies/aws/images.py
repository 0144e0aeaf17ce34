"""Container images: `aws:ecr/repository`, `aws:ecr/repositoryPolicy`."""

from collections.abc import Iterator
from typing import Final

from mlestate_policies.aws.documents import Document, Statement, judge_documents
from mlestate_policies.checks import equals, is_set, is_true, one_of
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

REPOSITORY: Final = "aws:ecr/repository:Repository"
REPOSITORY_POLICY: Final = "aws:ecr/repositoryPolicy:RepositoryPolicy"


@resource_rule(
    "ML-AWS-CR-001",
    {
        REPOSITORY: (
            "imageTagMutability",
            "imageScanningConfiguration.scanOnPush",
            "encryptionConfigurations[].encryptionType",
            "encryptionConfigurations[].kmsKey",
        )
    },
    "A tag of an image stays with its image, each image is scanned, and in regulated estates encrypted with an own key",
    why="A tag that can be moved names another image tomorrow, and what was approved is no longer what runs.",
    fix='Set imageTagMutability to "IMMUTABLE" and imageScanningConfiguration.scanOnPush to true; under the profile '
    'regulated also encryptionType "KMS" with a kmsKey.',
    severity="medium",
    sources=("CKV_AWS_51", "CKV_AWS_163", "CKV_AWS_136", "pulumi compliance aws-ecr-repository-*"),
    evidences=("EU AI Act 15", "ISO 42001 A.6.2.5"),
    remedy={"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration.scanOnPush": True},
)
def images_stay_what_they_are(repository: Resource, settings: Settings) -> Findings:
    yield from equals(repository, "imageTagMutability", "IMMUTABLE")
    yield from is_true(repository, "imageScanningConfiguration.scanOnPush")
    if "regulated" in settings.profiles:  # a key of one's own costs money
        yield from one_of(repository, "encryptionConfigurations[].encryptionType", ("KMS", "KMS_DSSE"))
        yield from is_set(repository, "encryptionConfigurations[].kmsKey", "it has to be a key of the estate")


@resource_rule(
    "ML-AWS-CR-002",
    {REPOSITORY_POLICY: ("policy",)},
    "A repository of images is not open to everyone",
    why="An image holds the code and often the model; whoever may push to it decides what runs.",
    fix="Name the accounts or roles in each Allow of the policy.",
    severity="critical",
    sources=("CKV_AWS_32",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def repository_is_not_public(policy: Resource, settings: Settings) -> Findings:
    return judge_documents(policy, "policy", _to_everyone)


def _to_everyone(document: Document) -> Iterator[tuple[Statement, str]]:
    for statement in document.allowing:
        if statement.public:
            yield statement, "opens the repository to everyone, in every account; it has to name whom"
