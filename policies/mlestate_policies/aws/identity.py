"""Roles and what they may do: `aws:iam/*`."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Final, TypeAlias

from mlestate_policies.aws.documents import Condition, Document, Principal, Statement, covered, judge_documents, overlap
from mlestate_policies.checks import holds, is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, resource_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
MANAGED_POLICY: Final = "aws:iam/policy:Policy"
ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ATTACHMENT_TO_MANY: Final = "aws:iam/policyAttachment:PolicyAttachment"
USER_POLICY: Final = "aws:iam/userPolicy:UserPolicy"
GROUP_POLICY: Final = "aws:iam/groupPolicy:GroupPolicy"

_Test: TypeAlias = Callable[[Document], Iterable[tuple[Statement, str]]]

_GRANTS: Final[Mapping[str, tuple[str, ...]]] = {
    ROLE_POLICY: ("policy",),
    MANAGED_POLICY: ("policy",),
    USER_POLICY: ("policy",),
    GROUP_POLICY: ("policy",),
    ROLE: ("inlinePolicies[].policy",),
}
_ATTACHED: Final[Mapping[str, tuple[str, ...]]] = {
    ROLE: ("managedPolicyArns[]",),
    ATTACHMENT: ("policyArn",),
    ATTACHMENT_TO_MANY: ("policyArn",),
}
_PEOPLE: Final = ("aws:principalarn", "aws:principaltag/", "aws:userid", "sts:externalid", "sts:sourceidentity")
_SOURCES: Final = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")
_ANY_ROLE: Final = re.compile(r".*:role/[*?/]*|[^/]*")
"""The resources that leave the role's name open, such as `*` and `arn:aws:iam::111122223333:role/*`."""
_ANY_TOKEN: Final = re.compile(r"[*?:/]*|repo:[^/]*[*?].*")
"""The subjects of tokens that are everybody's: a star, or on GitHub the repositories of whoever makes one."""
_ML_SERVICES: Final = ("sagemaker.amazonaws.com", "bedrock.amazonaws.com")

BROAD_POLICIES: Final = limit(
    "broadPolicies",
    ("AdministratorAccess", "AmazonSageMakerFullAccess", "IAMFullAccess", "PowerUserAccess"),
    "AWS's managed policies (with `*`) that no role may have",
)
BOUNDARIES: Final = limit(
    "boundaryPolicies",
    ("*boundary*",),
    "Logical names (with `*`) of the managed policies that are permissions boundaries: they cap what others grant, and "
    "grant nothing",
)
SOURCED_SERVICES: Final = limit(
    "sourcedServices",
    tuple(
        f"{service}.amazonaws.com"
        for service in (
            *("bedrock", "budgets", "cloudtrail", "codebuild", "ecs-tasks", "events", "pipes", "sagemaker"),
            *("scheduler", "states", "vpc-flow-logs"),
        )
    ),
    "The services that say for whom they assume a role, so that its trust can ask for aws:SourceAccount or "
    "aws:SourceArn; others may not be able to",
)
PASSED_TO: Final = limit(
    "passRoleServices",
    tuple(f"{service}.amazonaws.com" for service in ("budgets", "events", "sagemaker", "scheduler", "states")),
    "The services to which a role may be passed",
)


@resource_rule(
    "ML-AWS-IA-001",
    _ATTACHED,
    "No role has a policy that allows nearly everything",
    why="With AmazonSageMakerFullAccess a training job may approve, deploy and delete models, and read every bucket "
    "with sagemaker in its name.",
    fix="Write a policy of the few actions that the role needs, and take the managed one out of managedPolicyArns or "
    "its attachment away.",
    severity="critical",
    sources=("CKV_AWS_274", "AISF-IAM-02", "CKV2_AWS_56"),
    evidences=("EU AI Act 15", "ISO 42001 A.3.2", "PIPEDA 4.7"),
)
def role_has_no_broad_policy(resource: Resource, settings: Settings) -> Findings:
    def narrow(node: Node) -> bool:
        _, aws, name = node.text.partition(":iam::aws:policy/")
        return not aws or not any(fnmatchcase(name.rpartition("/")[2], each) for each in settings[BROAD_POLICIES])

    (path,) = _ATTACHED[resource.type]
    if resource.type == ATTACHMENT_TO_MANY and resource.at("roles").absent:
        return ()  # people's users and groups
    return holds(
        resource,
        path,
        narrow,
        "this policy of AWS allows nearly everything; it has to be one of the few actions needed",
        absent_passes=True,
    )


@resource_rule(
    "ML-AWS-IA-002",
    _GRANTS,
    "A policy names its actions, and the resources of those that can be limited to some",
    why="A role that may do anything, or something to everything, reaches whatever an intruder finds.",
    fix='Name actions instead of "*" and "sagemaker:*", and ARNs (or a condition on the resource) instead of "*".',
    severity="high",
    sources=(
        "CKV_AWS_62",
        "CKV_AWS_63",
        "CKV_AWS_286",
        "CKV_AWS_287",
        "CKV_AWS_288",
        "CKV_AWS_289",
        "CKV_AWS_290",
        "CKV_AWS_355",
        "CKV2_AWS_40",
        "CKV2_AWS_68",
        "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
    ),
    evidences=("EU AI Act 15", "ISO 42001 A.3.2", "PIPEDA 4.7"),
)
def policy_names_actions_and_resources(resource: Resource, settings: Settings) -> Findings:
    return _judge_grants(resource, settings, _too_wide)


def _judge_grants(resource: Resource, settings: Settings, test: _Test) -> Findings:
    boundary = settings.named(resource, BOUNDARIES)
    if resource.type == MANAGED_POLICY and boundary:
        return
    for path in _GRANTS[resource.type]:
        yield from judge_documents(resource, path, test)


def _too_wide(document: Document) -> Iterator[tuple[Statement, str]]:
    for statement in document.allowing:
        if statement.not_actions:
            yield statement, "allows everything but what NotAction names; it has to name what it allows"
            continue
        for action in statement.actions:
            if covered(action, "sagemaker:*"):
                yield statement, f'allows "{action}"; it has to name the actions needed'
        wide = [action for action in statement.actions if _restrictable(action) and not covered(action, "sagemaker:*")]
        if wide and statement.everywhere and not any(map(_is_about_the_resource, statement.conditions)):
            more = f" and {len(wide) - 1} more" if len(wide) > 1 else ""
            yield statement, f'allows "{wide[0]}"{more} on every resource; it has to name ARNs'


@cache
def _restrictable(pattern: str) -> bool:
    """Whether some action that fits takes a resource; those that list are let be, and services not in the data."""
    service, _, name = pattern.partition(":")
    return any(
        overlap(service, known) and any(overlap(name, action) for action in actions)
        for known, actions in _actions().items()
    )


@cache
def _actions() -> Mapping[str, list[str]]:
    found: Mapping[str, list[str]] = json.loads(files(__package__).joinpath("actions.json").read_text("utf-8"))[
        "restrictable"
    ]
    return found


def _is_about_the_resource(condition: Condition) -> bool:
    key = condition.key.lower()
    if key.startswith("aws:"):
        return condition.pins and key.startswith(("aws:resource", "aws:requesttag/"))
    return condition.pins and key not in ("iam:passedtoservice", "kms:viaservice")


@resource_rule(
    "ML-AWS-IA-003",
    {ROLE: ("assumeRolePolicy",)},
    "A role's trust names whom it trusts, and a service only for the account's own resources",
    why="A trust in a whole account is one in everybody there; a service acts for all its customers, and without "
    "aws:SourceAccount also for a stranger who names the role.",
    fix="Name roles as principals or tie the account with aws:PrincipalArn; give a service's statement "
    "aws:SourceAccount or aws:SourceArn, and a federated one the subject.",
    severity="high",
    sources=("CKV_AWS_60", "CKV_AWS_61", "CKV_AWS_393"),
    evidences=("EU AI Act 15", "ISO 42001 A.3.2", "PIPEDA 4.7"),
)
def role_trusts_by_name(role: Resource, settings: Settings) -> Findings:
    def test(document: Document) -> Iterator[tuple[Statement, str]]:
        for statement in document.allowing:
            if statement.public:
                yield statement, "trusts everyone, in every account; it has to name whom"
                continue
            for principal in statement.principals:
                if words := _loose_trust(statement, principal, settings[SOURCED_SERVICES]):
                    yield statement, words

    return judge_documents(role, "assumeRolePolicy", test)


def _loose_trust(statement: Statement, principal: Principal, sourced: tuple[str, ...]) -> str:
    """What is wrong with trusting a principal on a statement's conditions; empty where nothing is."""
    pinned = [condition.key.lower() for condition in statement.conditions if condition.pins]
    owned = [condition.key.lower() for condition in statement.conditions if condition.owned]
    if principal.kind == "AWS" and re.fullmatch(r"\d{12}|arn:[^:]*:iam::\d{12}:root", principal.value):
        if not any(key.startswith(_PEOPLE) for key in pinned):
            return "trusts a whole account; it has to name roles, or have a condition on aws:PrincipalArn"
    elif principal.kind == "Service" and principal.value in sourced:
        if not any(key in _SOURCES for key in owned):
            return f"trusts {principal.value} for every account; it has to have aws:SourceAccount or aws:SourceArn"
    elif principal.kind == "Federated" and statement.reaches("sts:AssumeRoleWithWebIdentity"):
        subject = ":aud" if principal.value == "cognito-identity.amazonaws.com" else ":sub"
        values = [
            value
            for condition in statement.conditions
            if condition.pins and condition.key.lower().endswith(subject)
            for value in condition.values
        ]
        if not values or any(map(_ANY_TOKEN.fullmatch, values)):
            return (
                f"trusts every token of an identity provider; it has to have a condition on the token's {subject[1:]}"
            )
    return ""


@resource_rule(
    "ML-AWS-IA-004",
    {ROLE: ("permissionsBoundary", "assumeRolePolicy")},
    "A role of production that SageMaker or Bedrock assumes has a permissions boundary",
    why="What runs there is a model's or a notebook's code; the boundary holds when a policy is widened by mistake.",
    fix="Set permissionsBoundary to the ARN of a policy that caps what such roles may do.",
    severity="medium",
    level="advisory",
    evidences=("EU AI Act 15", "ISO 42001 A.3.2"),
)
def ml_role_has_a_boundary(role: Resource, settings: Settings) -> Findings:
    if not settings.production(role) or not role.at("permissionsBoundary").absent:
        return
    trust = Document.of(role.at("assumeRolePolicy"))
    if trust is None:
        if not role.at("assumeRolePolicy").absent:
            yield Undecided("permissionsBoundary")
    elif any(principal.value in _ML_SERVICES for statement in trust.allowing for principal in statement.principals):
        yield from is_set(role, "permissionsBoundary", "a role that runs models' code has to have one")


@resource_rule(
    "ML-AWS-IA-005",
    _GRANTS,
    "Roles are passed by name, and to few services",
    why="Who may pass any role to a job that runs one's own code is whatever the strongest role is.",
    fix="Name role ARNs in the resources of iam:PassRole, and the services in a condition on iam:PassedToService; "
    "which services may be is the limit passRoleServices.",
    severity="high",
    sources=("CKV_AWS_286",),
    evidences=("EU AI Act 15", "ISO 42001 A.3.2"),
)
def roles_are_passed_by_name(resource: Resource, settings: Settings) -> Findings:
    def test(document: Document) -> Iterator[tuple[Statement, str]]:
        for statement in document.allowing:
            if not statement.reaches("iam:PassRole"):
                continue
            if statement.not_resources or any(map(_ANY_ROLE.fullmatch, statement.resources)):
                yield statement, "lets every role be passed; it has to name roles"
            services = statement.limited_to("iam:PassedToService")
            if not services:
                yield statement, "lets roles be passed to every service; it has to have iam:PassedToService"
            elif strange := [each for each in services if each not in settings[PASSED_TO]]:
                yield statement, f"lets roles be passed to {strange[0]}, which is none of the limit passRoleServices"

    return _judge_grants(resource, settings, test)
