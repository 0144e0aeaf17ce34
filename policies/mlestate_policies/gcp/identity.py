"""Grants of IAM on everything that an estate has, and identities from outside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mlestate_policies.checks import holds
from mlestate_policies.gcp.shapes import is_default_account
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"

_WIDE: Final = ("projects/iAM", "folder/iAM", "organizations/iAM")
"""The scopes at which a role reaches everything; with the spelling of each, as the provider has it."""
_NARROW: Final = (
    "artifactregistry/repositoryIam",
    "bigquery/connectionIam",
    "bigquery/datasetIam",
    "bigquery/iam",
    "bigquery/routineIam",
    "cloudfunctions/functionIam",
    "cloudfunctionsv2/functionIam",
    "cloudrun/iam",
    "cloudrunv2/serviceIam",
    "colab/runtimeTemplateIam",
    "kms/cryptoKeyIAM",
    "kms/keyRingIAM",
    "pubsub/schemaIam",
    "pubsub/subscriptionIAM",
    "pubsub/topicIAM",
    "secretmanager/regionalSecretIam",
    "secretmanager/secretIam",
    "serviceaccount/iAM",
    "storage/bucketIAM",
    "storage/managedFolderIam",
    "vertex/aiEndpointIam",
    "vertex/aiFeatureGroupIam",
    "vertex/aiFeatureOnlineStoreFeatureviewIam",
    "vertex/aiFeatureOnlineStoreIam",
    "vertex/aiFeatureStoreEntityTypeIam",
    "vertex/aiFeatureStoreIam",
    "vertex/aiReasoningEngineIam",
    "workbench/instanceIam",
)
_KINDS: Final = {
    "Member": ("role", "member"),
    "Binding": ("role", "members[]"),
    "Policy": ("policyData",),
}
"""The three ways to grant: one member, all members of a role, all roles."""
_LISTS: Final = {
    "storage/bucketAccessControl": ("entity",),
    "storage/defaultObjectAccessControl": ("entity",),
    "storage/objectAccessControl": ("entity",),
    "storage/bucketACL": ("roleEntities[]", "predefinedAcl"),
    "storage/objectACL": ("roleEntities[]", "predefinedAcl"),
    "storage/defaultObjectACL": ("roleEntities[]",),
}
"""Access lists, from before IAM; they hold where a bucket's access is not uniform."""

_BASIC: Final = frozenset(f"roles/{name}" for name in ("owner", "editor", "viewer", "admin", "writer", "reader"))
_IMPERSONATION: Final = frozenset(
    f"roles/iam.{name}"
    for name in (
        "serviceAccountKeyAdmin",
        "serviceAccountOpenIdTokenCreator",
        "serviceAccountTokenCreator",
        "serviceAccountUser",
        "workloadIdentityUser",
    )
)
_ADMIN: Final = "roles/aiplatform.admin"
_WORKLOADS: Final = ("serviceAccount:", "principal:", "principalSet:")
_AGENT: Final = re.compile(r":service-\d+@[a-z0-9-]+\.iam\.|@cloudservices\.")
"""Google's own accounts, by which its services act for the project."""
_OPEN_LISTS: Final = ("publicread", "publicreadwrite", "authenticatedread")


def _token(stem: str, kind: str = "") -> str:
    name = stem.rpartition("/")[2]
    return f"gcp:{stem}{kind}:{name[0].upper()}{name[1:]}{kind}"


_WIDE_PATHS: Final = {_token(stem, kind): paths for stem in _WIDE for kind, paths in _KINDS.items()}
_MEMBER_PATHS: Final = {_token(stem, kind): paths[-1:] for stem in (*_WIDE, *_NARROW) for kind, paths in _KINDS.items()}
_LIST_PATHS: Final = {_token(stem): paths for stem, paths in _LISTS.items()}


@dataclass(frozen=True)
class Grant:
    """A role for a member, or for several that are not known yet."""

    role: Node
    member: Node
    condition: Node
    """The expression under which alone it holds."""


def grants(resource: Resource) -> Iterator[Grant]:
    """Every grant that a resource of IAM makes: one of a member, of a role, or of a whole policy."""
    policy = resource.at("policyData").document()
    if policy.unknown:
        yield Grant(policy, policy, policy)
    elif resource.type.endswith("Policy"):
        for binding in policy.each("bindings[]"):
            yield from _of_binding(binding)
    else:
        yield from _of_binding(resource)


def _of_binding(place: Resource | Node) -> Iterator[Grant]:
    members = (*place.each("members[]"), place.at("member"))
    for member in members:
        if not member.absent:
            yield Grant(place.at("role"), member, place.at("condition.expression"))


def is_public(member: str) -> bool:
    """Whether a member of a grant, or an entity of an access list, is everybody."""
    return member.rpartition(":")[2].lower() in ("allusers", "allauthenticatedusers")


@resource_rule(
    "ML-GCP-IA-001",
    _WIDE_PATHS,
    "No basic role, no impersonation of all service accounts, no workload that administers Vertex AI",
    why="A role over a whole project reaches every model, every set of data and every account in it.",
    fix="Grant a role for the task, impersonation on the one service account, and to workloads roles/aiplatform.user "
    "or, in production, a custom role without what ML-STK-06 keeps apart; give nothing to the default service "
    "accounts.",
    severity="critical",
    sources=(
        "CKV_GCP_117",
        "CKV_GCP_41",
        "CKV_GCP_42",
        "CKV_GCP_46",
        "CKV_GCP_49",
        "prowler iam_no_service_roles_at_project_level",
        "prowler iam_sa_no_administrative_privileges",
    ),
    evidences=("EU AI Act 15", "ISO 42001 A.3.2", "PIPEDA 4.7"),
)
def nobody_has_everything(grant: Resource, settings: Settings) -> Findings:
    for each in grants(grant):
        yield from _too_wide(each)


def _too_wide(grant: Grant) -> Findings:
    role, member = grant.role, grant.member
    if role.text in _BASIC:
        yield Violation(role.path, f"{role.path} is {role.text}, which reaches everything; a predefined role is needed")
    elif role.text in _IMPERSONATION and grant.condition.unknown:
        yield Undecided(grant.condition.path)
    elif role.text in _IMPERSONATION and _always(grant.condition):
        yield Violation(
            role.path,
            f"{role.path} is {role.text}, which here holds for every service account; it has to be granted on one",
        )
    elif is_default_account(member.text):
        yield Violation(
            member.path, f"{member.path} is a default service account, which all work shares; it needs one of its own"
        )
    elif role.text == _ADMIN and _is_workload(member.text):
        yield Violation(role.path, f"{role.path} is {_ADMIN} for a workload; it needs a role for its work alone")
    elif role.unknown or member.unknown:
        yield Undecided(role.path if role.unknown else member.path)


def _always(condition: Node) -> bool:
    """Whether a condition is none."""
    return condition.text.strip().lower() in ("", "true")


def _is_workload(member: str) -> bool:
    people = "/workforcePools/" in member
    return member.startswith(_WORKLOADS) and not people and not _AGENT.search(member)


@resource_rule(
    "ML-GCP-IA-002",
    _MEMBER_PATHS | _LIST_PATHS,
    "Nothing of the estate is granted to everybody",
    why="allUsers is the internet, and allAuthenticatedUsers is everybody with a Google account.",
    fix="Name a group, a service account or a domain in place of allUsers and allAuthenticatedUsers.",
    severity="critical",
    sources=(
        "CKV_GCP_28",
        "CKV_GCP_112",
        "CKV_GCP_101",
        "CKV2_GCP_6",
        "prowler kms_key_not_publicly_accessible",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def nothing_is_granted_to_everybody(grant: Resource, settings: Settings) -> Findings:
    listed = _LIST_PATHS.get(grant.type)
    if listed is None:
        members = [each.member for each in grants(grant)]
    else:
        members = [node for path in listed for node in grant.each(path)]
    for member in members:
        if member.unknown:
            yield Undecided(member.path)
        elif is_public(member.text) or member.text.lower() in _OPEN_LISTS:
            yield Violation(member.path, f"{member.path} is everybody; it has to name who needs it")


@resource_rule(
    "ML-GCP-IA-003",
    {PROVIDER: ("attributeCondition",)},
    "Identities from outside are let in under a condition",
    why="Without one every repository, or every account, of the same provider can ask for the estate's tokens.",
    fix="Set attributeCondition to an expression that names the repositories or accounts that may come in.",
    severity="high",
    sources=(
        "CKV_GCP_118",
        "CKV_GCP_125",
        "prowler iam_workload_identity_pool_provider_attribute_condition",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def outside_identities_have_a_condition(provider: Resource, settings: Settings) -> Findings:
    return holds(
        provider,
        "attributeCondition",
        lambda node: not _always(node),
        "it has to say which identities may come in",
    )
