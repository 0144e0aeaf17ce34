"""Where SageMaker keeps what people are to know and decide of models: groups of versions and their policies, cards,
tracking servers, images, and the people who label and review."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Final

from mlestate_policies.aws.documents import Document, Statement, judge_documents, overlap
from mlestate_policies.checks import is_false, is_set, one_of
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit

GROUP: Final = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
GROUP_POLICY: Final = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
CARD: Final = "aws:sagemaker/modelCard:ModelCard"
REVIEW: Final = "aws:sagemaker/flowDefinition:FlowDefinition"
WORKFORCE: Final = "aws:sagemaker/workforce:Workforce"
TRACKING_SERVER: Final = "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer"
TRACKING_APP: Final = "aws:sagemaker/mlflowApp:MlflowApp"
IMAGE: Final = "aws:sagemaker/image:Image"
APP_IMAGE: Final = "aws:sagemaker/appImageConfig:AppImageConfig"

MODEL_TAGS: Final = limit(
    "modelTags", (), "Tags that a group of model versions carries beside the required ones", regulated=("risk-tier",)
)
APPROVERS: Final = limit(
    "registryApprovers",
    ("*approv*",),
    "Names or ARNs (with `*`) of the IAM roles and users that may approve a model version from another account",
)

_VERDICT: Final = "sagemaker:ModelApprovalStatus"
_GIVE_A_VERDICT: Final = ("sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage")


@resource_rule(
    "ML-AWS-SM-080",
    {GROUP: ("modelPackageGroupDescription", "tags")},
    "A group of model versions says what it is for, and which risk it carries",
    why="These groups are the inventory of models, and how closely a model is watched follows from its risk.",
    fix="Set modelPackageGroupDescription, and the tags that the limit modelTags names.",
    severity="medium",
    evidences=("OSFI E-23", "ISO 42001 A.6.2.7", "NIST AI RMF GOVERN 1.6"),
)
def model_group_is_described(group: Resource, settings: Settings) -> Findings:
    yield from is_set(group, "modelPackageGroupDescription", "a reader has to learn what the model is for")
    for key in settings[MODEL_TAGS]:
        if group.tag(key).absent:
            yield Violation("tags", f"tags has no {key}, which the inventory of models needs")


@resource_rule(
    "ML-AWS-SM-081",
    {GROUP_POLICY: ("resourcePolicy",)},
    "The policy of a group of model versions names whom it lets in, and lets nobody but approvers approve",
    why="Whoever may write the status of a version from another account can release it without a review.",
    fix="Name principals, or hold them to aws:PrincipalArn or aws:PrincipalOrgID; allow UpdateModelPackage and "
    "CreateModelPackage only under a condition on sagemaker:ModelApprovalStatus, or to the roles in the limit "
    "registryApprovers.",
    severity="high",
    evidences=("EU AI Act 14", "ISO 42001 A.3.2", "NIST AI RMF GOVERN 2.1", "OSFI E-23"),
)
def registry_lets_only_approvers_approve(policy: Resource, settings: Settings) -> Findings:
    def judge(document: Document) -> Iterator[tuple[Statement, str]]:
        for statement in document.allowing:
            if statement.public:
                yield statement, "lets in everyone; it has to name principals or an organisation"
            elif _approves(statement, document) and not _is_for_approvers(statement, settings[APPROVERS]):
                yield (
                    statement,
                    f"lets others than approvers approve a version; it needs a condition on {_VERDICT}, or approvers",
                )

    return judge_documents(policy, "resourcePolicy", judge)


@resource_rule(
    "ML-AWS-SM-082",
    {CARD: ("securityConfig.kmsKeyId",)},
    "A model card has a key of one's own",
    why="A card holds what was found out about a model, its weaknesses too.",
    fix="Set securityConfig.kmsKeyId to the ARN of a key; the card is made anew.",
    severity="low",
    level="advisory",
    hardening=True,
    evidences=("EU AI Act 15",),
)
def model_card_has_a_key(card: Resource, settings: Settings) -> Findings:
    return is_set(card, "securityConfig.kmsKeyId", "without one it has a key that AWS holds")


@resource_rule(
    "ML-AWS-SM-083",
    {REVIEW: ("outputConfig.kmsKeyId",)},
    "What people decide in a review has a key of one's own",
    why="It holds the cases of people and what was decided of them.",
    fix="Set outputConfig.kmsKeyId to the ARN of a key; the definition is made anew.",
    severity="medium",
    hardening=True,
    sources=("CKV_AWS_372",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def review_has_a_key(review: Resource, settings: Settings) -> Findings:
    return is_set(review, "outputConfig.kmsKeyId", "without one it has a key that AWS holds")


@resource_rule(
    "ML-AWS-SM-084",
    {WORKFORCE: ("sourceIpConfig.cidrs[]", "workforceVpcConfig.vpcId")},
    "A workforce of labellers comes from named networks",
    why="Labellers see the data itself, and a stolen password is enough where they may come from anywhere.",
    fix="Set sourceIpConfig.cidrs to the networks of the workplace, or workforceVpcConfig to a network of one's own.",
    severity="medium",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def workforce_comes_from_named_networks(workforce: Resource, settings: Settings) -> Findings:
    for node in workforce.each("sourceIpConfig.cidrs[]"):
        if node.unknown:
            yield Undecided(node.path)
        elif not node.absent and _is_everywhere(node.text):
            yield Violation(node.path, f"{node.path} is every network there is; it has to be those of the workplace")
        elif node.absent and workforce.at("workforceVpcConfig.vpcId").absent:
            yield Violation(node.path, f"{node.path} is not set, nor is workforceVpcConfig; one of them has to be")


@resource_rule(
    "ML-AWS-SM-085",
    {TRACKING_SERVER: ("automaticModelRegistration",), TRACKING_APP: ("modelRegistrationMode",)},
    "A tracking server in production puts no model into the registry by itself",
    why="What experiments leave is no candidate; the pipeline registers what passed its gates.",
    fix='Set automaticModelRegistration to false, or modelRegistrationMode to "AutoModelRegistrationDisabled".',
    severity="medium",
    level="advisory",
    evidences=("NIST AI RMF GOVERN 1.6", "OSFI E-23"),
)
def tracking_registers_no_model(server: Resource, settings: Settings) -> Findings:
    if not settings.production(server):
        return ()
    if server.type == TRACKING_SERVER:
        return is_false(server, "automaticModelRegistration", absent_passes=True)
    return one_of(server, "modelRegistrationMode", ("AutoModelRegistrationDisabled",), absent_passes=True)


@resource_rule(
    "ML-AWS-SM-086",
    {IMAGE: ("tags", "description"), APP_IMAGE: ("tags",)},
    "Images of SageMaker Studio carry tags, and say what they are",
    why="Whoever opens a notebook chooses among them by what they say.",
    fix="Set tags, and description on an image.",
    severity="low",
    level="advisory",
    sources=(
        "SageMaker.6",
        "SageMaker.7",
        "SAGEMAKER_IMAGE_DESCRIPTION",
        "SAGEMAKER_APP_IMAGE_CONFIG_TAGGED",
    ),
)
def images_are_described(image: Resource, settings: Settings) -> Findings:
    yield from is_set(image, "tags", "an owner at least has to be found")
    if image.type == IMAGE:
        yield from is_set(image, "description", "a reader has to learn what is in it")


def _approves(statement: Statement, document: Document) -> bool:
    """Whether it lets somebody write that a version is approved."""
    return any(
        statement.reaches(action)
        and not any(
            not deny.conditions and deny.covers(action) and any(each.anyone for each in deny.principals)
            for deny in document.denying
        )
        for action in _GIVE_A_VERDICT
    ) and not _withholds_approval(statement)


def _withholds_approval(statement: Statement) -> bool:
    """Whether its conditions let through only requests that write no approval."""
    for condition in statement.conditions:
        if condition.key.lower() != _VERDICT.lower():
            continue
        operator = condition.operator.lower().removesuffix("ifexists")
        approval = any(overlap(each.lower(), "approved") for each in condition.values)
        if operator == "null":
            withholds = condition.values == ("true",)
        elif operator.startswith("stringnot"):
            withholds = approval
        else:
            withholds = operator.startswith("string") and not approval
        if withholds:
            return True
    return False


def _is_for_approvers(statement: Statement, approvers: tuple[str, ...]) -> bool:
    """Whether everyone it is for is an approver, by a condition or by its principals."""
    held = statement.limited_to("aws:PrincipalArn") or tuple(each.value for each in statement.principals)
    return (
        bool(held)
        and not statement.not_principals
        and all(
            any(fnmatchcase(name, pattern) for name in (each, each.rpartition("/")[2]) for pattern in approvers)
            for each in held
        )
    )


def _is_everywhere(network: str) -> bool:
    try:
        return ip_network(network, strict=False).prefixlen == 0
    except ValueError:
        return False
