"""Who may do what on AWS: the roles, users and groups of a stack with every policy that is put on them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mlestate_policies.aws.documents import Condition, Document, Statement, covered, overlap
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Undecided
from mlestate_policies.values import Node

__all__ = ["HELD", "ROLE", "Identity", "identities", "leads", "linked", "may_hold", "takes"]

ROLE: Final = "aws:iam/role:Role"
USER: Final = "aws:iam/user:User"
GROUP: Final = "aws:iam/group:Group"
POLICY: Final = "aws:iam/policy:Policy"
_WRITTEN: Final = {
    "aws:iam/rolePolicy:RolePolicy": ("role", "policy"),
    "aws:iam/userPolicy:UserPolicy": ("user", "policy"),
    "aws:iam/groupPolicy:GroupPolicy": ("group", "policy"),
}
_ATTACHED: Final = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("role", "policyArn"),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": ("user", "policyArn"),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": ("group", "policyArn"),
}
_MEMBERS: Final = {
    "aws:iam/userGroupMembership:UserGroupMembership": ("user", "groups[]"),
    "aws:iam/groupMembership:GroupMembership": ("users[]", "group"),
}
_HOLDERS: Final = {"role": ROLE, "user": USER, "group": GROUP}
_TO_MANY: Final = "aws:iam/policyAttachment:PolicyAttachment"
_MANY: Final = {"roles[]": ROLE, "users[]": USER, "groups[]": GROUP}
HELD: Final[Mapping[str, tuple[str, ...]]] = {
    ROLE: ("inlinePolicies[].policy", "managedPolicyArns[]", "permissionsBoundary"),
    **_WRITTEN,
    **_ATTACHED,
    _TO_MANY: (*_MANY, "policyArn"),
    **_MEMBERS,
    POLICY: ("policy",),
}
"""The types and paths that say what an identity may do."""
_MANAGED: Final = {
    "AdministratorAccess": "*",
    "PowerUserAccess": "*",
    "AmazonSageMakerFullAccess": "sagemaker:*",
    "AmazonSageMakerCanvasFullAccess": "sagemaker:*",
    "AmazonSageMakerModelRegistryFullAccess": "sagemaker:*ModelPackage*",
}
"""The policies of AWS's own that matter here, and what they give of what is asked here."""


@dataclass(frozen=True)
class Identity:
    """A role, user or group, and what its policies say."""

    resource: Resource
    documents: tuple[Document, ...]
    boundary: tuple[Document, ...] = ()
    """The policy that nothing goes beyond; empty where there is none in this stack."""
    unknown: tuple[Undecided, ...] = ()
    """The policies that cannot be read yet; each may allow or deny anything."""
    trust: Document | None = field(default=None)
    """Who may take the role; None where it is not known."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        return self.resource.name

    def may(self, action: str, resource: str = "*", **context: str) -> bool:
        """Whether the known policies let it do an action on some such resource.

        `context` is what a request has of condition keys (`:` written as `__`); other conditions are taken as met
        where they allow and as not met where they deny.
        """
        known = {key.replace("__", ":").lower(): value for key, value in context.items()}
        return any(
            not self._denied(action, narrow, known)
            for document in self.documents
            for statement in document.allowing
            if statement.reaches(action, resource) and may_hold(statement, known)
            for narrow in _narrowed(statement, resource)
        )

    def _denied(self, action: str, resource: str, known: Mapping[str, str]) -> bool:
        if self.boundary and not any(
            statement.reaches(action, resource) and may_hold(statement, known)
            for document in self.boundary
            for statement in document.allowing
        ):
            return True
        return any(
            statement.covers(action, resource) and _surely_holds(statement, known)
            for document in (*self.documents, *self.boundary)
            for statement in document.denying
        )


def identities(estate: Estate) -> list[Identity]:
    """Every role, user and group of a stack."""
    policies: dict[str, list[Document | Undecided]] = {}
    for token, (holder, path) in (*_WRITTEN.items(), *_ATTACHED.items()):
        for each in estate.of(token):
            given = list(_written(each.at(path), each) if token in _WRITTEN else _attached(estate, each, path))
            for found in linked(estate, each, holder, _HOLDERS[holder]):
                policies.setdefault(found.urn, []).extend(given)
    for each in estate.of(_TO_MANY):
        given = list(_attached(estate, each, "policyArn"))
        for path, kind in _MANY.items():
            for found in linked(estate, each, path, kind):
                policies.setdefault(found.urn, []).extend(given)
    for role in estate.of(ROLE):
        for node in role.each("inlinePolicies[].policy"):
            policies.setdefault(role.urn, []).extend(_written(node, role))
        policies.setdefault(role.urn, []).extend(_attached(estate, role, "managedPolicyArns[]"))
    for token, (user, group) in _MEMBERS.items():
        for each in estate.of(token):
            for member in linked(estate, each, user, USER):
                for found in linked(estate, each, group, GROUP):
                    policies.setdefault(member.urn, []).extend(policies.get(found.urn, ()))
    return [_identity(estate, holder, policies.get(holder.urn, [])) for holder in estate.of(ROLE, USER, GROUP)]


def takes(one: Identity, other: Identity) -> str:
    """How one identity can act as another role: a word for a message, empty where it surely cannot."""
    if other.resource.type != ROLE or other.trust is None or one.resource is other.resource:
        return ""
    own, role = one.resource.at("arn").text, other.resource.at("arn").text or "*"
    for statement in other.trust.allowing:
        if not statement.reaches("sts:assumerole") or not may_hold(statement, {"aws:principalarn": own}):
            continue
        named = [each.value for each in statement.principals if each.kind in ("AWS", "*")]
        if own and own in named:
            return "take"
        account = own.split(":")[4] if own.count(":") >= 5 else ""
        whole = {account, f"arn:aws:iam::{account}:root", "*"}
        if account and not whole.isdisjoint(named) and not statement.conditions and one.may("sts:AssumeRole", role):
            return "take"
        for service in (each.value for each in statement.principals if each.kind == "Service"):
            starts = _RUNS.get(service.removesuffix(".amazonaws.com"), ())
            if any(map(one.may, starts)) and one.may("iam:PassRole", role, iam__PassedToService=service):
                return "pass"
    return ""


_RUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "sagemaker": (
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:CreateModel",
        "sagemaker:CreateProcessingJob",
        "sagemaker:CreateNotebookInstance",
        "sagemaker:CreatePipeline",
        "sagemaker:UpdatePipeline",
    ),
    "lambda": ("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"),
    "cloudformation": ("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:CreateChangeSet"),
    "codepipeline": ("codepipeline:CreatePipeline", "codepipeline:UpdatePipeline"),
    "scheduler": ("scheduler:CreateSchedule", "scheduler:UpdateSchedule"),
    "states": ("states:CreateStateMachine", "states:UpdateStateMachine"),
    "codebuild": ("codebuild:CreateProject", "codebuild:UpdateProject"),
    "ec2": ("ec2:RunInstances",),
    "ecs-tasks": ("ecs:RegisterTaskDefinition",),
    "glue": ("glue:CreateJob",),
}
"""The calls with which one hands a role to a service and says what the service does under it."""


def linked(estate: Estate, resource: Resource, path: str, *types: str) -> tuple[Resource, ...]:
    """`Estate.linked`, and of several things of one name (in two accounts) only the one that Pulumi knows of."""
    found = estate.linked(resource, path, *types).found
    urns = resource.property_dependencies.get(path.split("[")[0].split(".")[0], ())
    return tuple(each for each in found if each.urn in urns) or found


def leads(estate: Estate, resource: Resource, path: str, *types: str) -> tuple[tuple[Resource, ...], bool]:
    """What a property leads to, and whether that may not be all because the value is not known."""
    return linked(estate, resource, path, *types), any(
        not node.complete and not node.absent for node in resource.each(path)
    )


def _identity(estate: Estate, holder: Resource, given: list[Document | Undecided]) -> Identity:
    boundary = [each for each in _attached(estate, holder, "permissionsBoundary") if holder.type == ROLE]
    trust = Document.of(holder.at("assumeRolePolicy"))
    everything = (*given, *boundary)
    return Identity(
        holder,
        tuple(each for each in given if isinstance(each, Document)),
        tuple(each for each in boundary if isinstance(each, Document)),
        tuple(dict.fromkeys(each for each in everything if isinstance(each, Undecided))),
        trust,
    )


def _written(node: Node, owner: Resource) -> Iterator[Document | Undecided]:
    if (document := Document.of(node)) is not None:
        yield document
    elif node.unknown or (not node.document().absent and not node.document().complete):
        yield Undecided(node.path, owner.urn)


def _attached(estate: Estate, owner: Resource, path: str) -> Iterator[Document | Undecided]:
    for node in owner.each(path):
        if (managed := _managed(node.text)) is not None:
            yield managed
    found = linked(estate, owner, path, POLICY)
    for policy in found:
        yield from _written(policy.at("policy"), policy)
    unread = [node for node in owner.each(path) if node.unknown]
    if unread and len(found) < len(unread):
        yield Undecided(unread[0].path, owner.urn)


def _managed(arn: str) -> Document | None:
    words = arn.rpartition("/")[2] if arn.startswith("arn:aws") and ":iam::aws:policy/" in arn else ""
    if words not in _MANAGED:
        return None
    document = {"Statement": {"Effect": "Allow", "Action": _MANAGED[words], "Resource": "*"}}
    return Document.of(Node(document, "policyArn"))


def _narrowed(statement: Statement, resource: str) -> Iterator[str]:
    """What a statement says of a resource that is asked for, as narrow as it says it."""
    for own in statement.resources or ("*",):
        if overlap(own, resource):
            yield resource if covered(own, resource) else own


def may_hold(statement: Statement, known: Mapping[str, str]) -> bool:
    """Whether the conditions of a statement can hold for a request with these keys (in lower case)."""
    return not any(_holds(condition, known) is False for condition in statement.conditions)


def _surely_holds(statement: Statement, known: Mapping[str, str]) -> bool:
    return all(_holds(condition, known) is True for condition in statement.conditions)


def _holds(condition: Condition, known: Mapping[str, str]) -> bool | None:
    """Whether a condition holds for a request that has these keys; None where it asks for something else."""
    value = known.get(condition.key.lower())
    if not value:
        return None
    operator = condition.operator.lower().removeprefix("foranyvalue:").removeprefix("forallvalues:")
    operator = operator.removesuffix("ifexists")
    if operator == "null":
        return "false" in condition.values
    if not operator.startswith(("string", "arn")):
        return None
    patterns = "like" in operator or operator.startswith("arn")
    fits: Callable[[str, str], bool] = overlap if patterns else str.__eq__
    return any(fits(each.lower(), value.lower()) for each in condition.values) != ("not" in operator)
