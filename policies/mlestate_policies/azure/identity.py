"""Who may do what in Azure: role assignments and role definitions, `azure-native:authorization`."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule, undecided
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

ASSIGNMENT: Final = "azure-native:authorization:RoleAssignment"
DEFINITION: Final = "azure-native:authorization:RoleDefinition"

_ROLES: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""The built-in roles that can do anything to a resource, or make themselves able to, by their ids in every tenant."""
_PEOPLE: Final = ("user", "group", "foreigngroup")


@resource_rule(
    "ML-AZ-IA-001",
    {ASSIGNMENT: ("roleDefinitionId", "principalType")},
    "No identity of a machine has a role that can do everything",
    why="What a job or an endpoint runs acts as its identity: with such a role a package from outside owns the estate.",
    fix="Set roleDefinitionId to a role for the task, such as AzureML Data Scientist or Storage Blob Data Reader; "
    'for people set principalType to "User" or "Group".',
    severity="critical",
    sources=("prowler iam_role_user_access_admin_restricted",),
    evidences=("EU AI Act 15", "ISO 42001 A.3.2", "NIST AI RMF GOVERN 2.1", "PIPEDA 4.7"),
)
def machines_have_no_role_that_can_do_everything(assignment: Resource, settings: Settings) -> Findings:
    role, kind = assignment.at("roleDefinitionId"), assignment.at("principalType")
    if kind.text.lower() in _PEOPLE:
        return
    if role.unknown:
        yield Undecided(role.path)
        return
    name = _ROLES.get(role.text.rpartition("/")[2].lower())
    if name and kind.unknown:
        yield Undecided(kind.path)
    elif name:
        yield Violation(
            role.path,
            f"{role.path} is {name}; a machine's identity has to have a role for its task "
            f"alone{', and people a principalType that says so' if kind.absent else ''}",
        )


_ESCALATIONS: Final = {
    "Microsoft.Authorization/roleAssignments/write": "give roles away",
    "Microsoft.Authorization/roleDefinitions/write": "change what roles can do",
    "Microsoft.Authorization/elevateAccess/action": "take the tenant over",
}


@resource_rule(
    "ML-AZ-IA-002",
    {DEFINITION: ("permissions[].actions[]", "permissions[].dataActions[]")},
    "A role of one's own allows neither everything nor giving roles away",
    why="Who may do everything, or may hand out roles, is bound by no other rule.",
    fix="Name the actions that are needed in permissions; leave out `*` and the writing of roles.",
    severity="high",
    sources=("CKV_AZURE_39", "prowler iam_subscription_roles_owner_custom_not_created"),
    evidences=("ISO 42001 A.3.2", "NIST AI RMF GOVERN 2.1", "PIPEDA 4.7"),
)
def own_role_is_for_a_task(definition: Resource, settings: Settings) -> Findings:
    for permission in definition.each("permissions[]"):
        if permission.unknown:
            yield Undecided(permission.path)
            continue
        for kind in ("actions", "dataActions"):
            for action in permission.each(f"{kind}[]"):
                if action.text in ("*", "*/*"):
                    yield Violation(action.path, f"{action.path} is every action; it has to name those that are needed")
                elif action.unknown:
                    yield Undecided(action.path)
        yield from _escalations(permission)


def _escalations(permission: Node) -> Findings:
    denied = permission.at("notActions")
    for action in permission.each("actions[]"):
        if action.text in ("*", "*/*"):
            continue  # told of already
        for escalation, deed in _ESCALATIONS.items():
            if not _covers([action.text], escalation):
                continue
            if _covers((each.text for each in denied.each("[]")), escalation):
                continue
            if not denied.absent and not denied.complete:
                yield from undecided([denied])
            else:
                yield Violation(action.path, f"{action.path} lets its holder {deed}; leave that out")


def _covers(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
