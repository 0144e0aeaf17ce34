"""Separation of duties: who makes models does not put them into service."""

from collections.abc import Iterable, Iterator
from typing import Final

from mlestate_policies.any.grants import (
    ACCOUNT,
    AZURE_GRANTS,
    GCP_GRANTS,
    IDENTITY,
    Grant,
    azure_grants,
    by_holder,
    gcp_grants,
)
from mlestate_policies.any.principals import HELD, ROLE, Identity, identities, takes
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule, undecided
from mlestate_policies.settings import Settings

APPROVED: Final = {"sagemaker__ModelApprovalStatus": "Approved"}
_MAKE: Final = tuple(
    f"sagemaker:{each}"
    for each in (
        "CreateTrainingJob",
        "CreateHyperParameterTuningJob",
        "CreateAutoMLJob",
        "CreateAutoMLJobV2",
        "StartPipelineExecution",
        "CreateModelPackage",
    )
)
_SERVE: Final = (
    "sagemaker:CreateEndpoint",
    "sagemaker:UpdateEndpoint",
    "sagemaker:CreateInferenceComponent",
    "sagemaker:UpdateInferenceComponent",
    "codepipeline:PutApprovalResult",
)
APPROVE: Final = ("sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage")
"""They release where the request may say that the version is approved."""

_GCP_MAKE: Final = tuple(
    f"aiplatform.{each}"
    for each in (
        "customJobs.create",
        "hyperparameterTuningJobs.create",
        "trainingPipelines.create",
        "pipelineJobs.create",
        "models.upload",
    )
)
_GCP_RELEASE: Final = ("aiplatform.endpoints.deploy", "clouddeploy.rollouts.approve", "cloudbuild.builds.approve")
_GCP_BECOME: Final = (
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccountKeys.create",
)
_ML: Final = "Microsoft.MachineLearningServices"
_AZURE_MAKE: Final = (
    f"{_ML}/workspaces/jobs/write",
    f"{_ML}/workspaces/models/versions/write",
    f"{_ML}/registries/assets/write",
)
_AZURE_RELEASE: Final = (
    f"{_ML}/workspaces/onlineEndpoints/write",
    f"{_ML}/workspaces/onlineEndpoints/deployments/write",
)
_AZURE_BECOME: Final = ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",)

Sides = tuple[str, str]
"""A permission to make and one to release; empty where there is none."""


@stack_rule(
    "ML-STK-06",
    {**HELD, ROLE: (*HELD[ROLE], "assumeRolePolicy"), **GCP_GRANTS, **AZURE_GRANTS},
    "Outside of experiments no principal can both train or register a model and approve or deploy it, nor act as one "
    "that can do the other",
    why="Whoever does both puts a model into service that nobody else has looked at.",
    fix="Split the policy in two roles: one that trains and registers with sagemaker:ModelApprovalStatus held to "
    "PendingManualApproval (Google Cloud: a custom role without aiplatform.endpoints.deploy; Azure: notActions with "
    "onlineEndpoints/*), one that approves or deploys, and let neither take nor pass the other.",
    severity="critical",
    evidences=(
        "EU AI Act 14",
        "ISO 42001 A.3.2",
        "NIST AI RMF GOVERN 2.1",
        "NIST AI RMF GOVERN 3.2",
        "OSFI E-23",
    ),
)
def duties_are_separate(estate: Estate, settings: Settings) -> Findings:
    yield from _aws(estate, settings)
    yield from _granted(
        [grant for grant in gcp_grants(estate) if grant.in_production(settings)],
        (_GCP_MAKE, _GCP_RELEASE, _GCP_BECOME),
        estate.of(ACCOUNT),
    )
    yield from _granted(
        [grant for grant in azure_grants(estate) if grant.in_production(settings)],
        (_AZURE_MAKE, _AZURE_RELEASE, _AZURE_BECOME),
        estate.of(IDENTITY),
    )


def _aws(estate: Estate, settings: Settings) -> Findings:
    held = [each for each in identities(estate) if settings.production(each.resource)]
    sides: dict[str, Sides] = {each.resource.urn: aws_sides(each) for each in held}
    for one in held:
        make, release = sides[one.resource.urn]
        yield from one.unknown
        if make and release:
            if not one.unknown:  # what is not known may forbid one of the two
                yield Violation("", f"{one.name} may {make} and {release}; no one may do both", one.resource.urn)
            continue
        if one.resource.type == ROLE and one.trust is None and (make or release):
            yield from undecided([one.resource.at("assumeRolePolicy")], one.resource.urn)
        if not (make or release) or one.unknown:
            continue
        for other in held:
            theirs = sides[other.resource.urn]
            missing = theirs[1] if make else theirs[0]
            if missing and not other.unknown and (how := takes(one, other)):
                yield Violation(
                    "",
                    f"{one.name} may {make or release} and {how} {other.name}, which may {missing}; "
                    "neither may act as the other",
                    one.resource.urn,
                )


def aws_sides(identity: Identity) -> Sides:
    """What an identity may do of making and of releasing."""
    make = next(filter(identity.may, _MAKE), "")
    release = next(filter(identity.may, _SERVE), "") or next(
        (f"{each} as Approved" for each in APPROVE if identity.may(each, **APPROVED)), ""
    )
    return make, release


def _granted(
    grants: list[Grant], asked: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], accounts: list[Resource]
) -> Findings:
    make, release, become = asked
    for grant in grants:
        for path in grant.unknown:
            yield Undecided(path, grant.resource.urn)
    holders = by_holder(grant for grant in grants if grant.path not in grant.unknown)
    sides = {holder: (_given(held, make), _given(held, release)) for holder, held in holders.items()}
    for holder, held in holders.items():
        makes, releases = sides[holder]
        if makes and releases:
            (grant, can), (other, also) = makes, releases
            through = "" if other is grant else f", by {grant.resource.name},"
            yield Violation(
                other.path,
                f"{other.path}: who holds this may {also} and{through} {can}; no one may do both",
                other.resource.urn,
            )
            continue
        own = makes or releases
        if own is None:
            continue
        for grant, account in _becomes(held, become, accounts):
            theirs = sides.get(account.urn, (None, None))[1 if makes else 0]
            if theirs is not None and account.urn != holder:
                yield Violation(
                    grant.path,
                    f"{grant.path}: who holds this may {own[1]} and act as {account.name}, which may {theirs[1]}; "
                    "neither may act as the other",
                    grant.resource.urn,
                )


def _given(grants: Iterable[Grant], permissions: Iterable[str]) -> tuple[Grant, str] | None:
    return next(((grant, each) for grant in grants for each in permissions if grant.may(each)), None)


def _becomes(
    grants: Iterable[Grant], permissions: tuple[str, ...], accounts: list[Resource]
) -> Iterator[tuple[Grant, Resource]]:
    """The identities that grants let their holder act as: the one they are over, or all of a project or group."""
    for grant in grants:
        if not any(map(grant.may, permissions)):
            continue
        over = [each for each in grant.targets if each in accounts]
        if over:
            yield from ((grant, each) for each in over)
        elif "" in grant.within:
            yield from ((grant, each) for each in accounts if _beside(grant.resource, each))


def _beside(grant: Resource, account: Resource) -> bool:
    """Whether a grant over a project, group or subscription is over an account too; not where that is not known."""
    project, theirs = grant.at("project").text, account.at("project").text
    scope, place = grant.at("scope").text.lower(), account.at("id").text.lower()
    return bool(project and project == theirs) or bool(scope and place.startswith(f"{scope}/"))
