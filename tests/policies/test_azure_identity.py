"""Roles on Azure: what the patterns of a role's actions allow, and whose role it is."""

from typing import Any

import pytest

from mlestate_policies.values import UNKNOWN
from tests.policies.azure import verdict

PASSES: set[str] = set()
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
OWNER = "/subscriptions/1/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def role(*actions: str, **more: Any) -> set[str]:
    permission = {"actions": list(actions), **more}
    return verdict("ML-AZ-IA-002", "authorization:RoleDefinition", {"permissions": [permission]})


@pytest.mark.parametrize("action", ["*/read", "Microsoft.Storage/*", "Microsoft.Authorization/*/read", "*/action"])
def test_a_star_within_a_service_or_a_kind_of_action_is_no_star_over_everything(action: str) -> None:
    expected = {"violation"} if action == "*/action" else PASSES  # elevateAccess is an action too
    assert role(action) == expected


def test_what_is_taken_out_again_is_not_allowed() -> None:
    assert role("*/write") == {"violation"}
    assert role("*/write", notActions=["Microsoft.Authorization/*/Write"]) == PASSES
    assert role("*/write", notActions=[ASSIGN]) == {"violation"}, "roles themselves can still be changed"


def test_a_role_that_allows_everything_is_no_better_for_what_it_takes_out() -> None:
    assert role("*", notActions=["Microsoft.Authorization/*"]) == {"violation"}


def test_what_is_taken_out_and_not_known_yet_decides_only_where_it_matters() -> None:
    assert role("*/write", notActions=UNKNOWN) == {"undecided"}
    assert role("*/read", notActions=UNKNOWN) == PASSES
    assert role("*", UNKNOWN) == {"violation", "undecided"}, "a violation is told of whatever else is unknown"


def test_each_permission_of_a_role_is_looked_at() -> None:
    permissions = [{"actions": ["*/read"]}, {"actions": ["*/read", ASSIGN]}]
    assert verdict("ML-AZ-IA-002", "authorization:RoleDefinition", {"permissions": permissions}) == {"violation"}
    assert verdict("ML-AZ-IA-002", "authorization:RoleDefinition", {"permissions": UNKNOWN}) == {"undecided"}
    assert verdict("ML-AZ-IA-002", "authorization:RoleDefinition", {}) == PASSES


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ServicePrincipal", {"violation"}),
        ("User", PASSES),
        ("group", PASSES),
        (None, {"violation"}),
        (UNKNOWN, {"undecided"}),
    ],
)
def test_a_role_for_everything_is_judged_by_who_has_it(kind: str | None, expected: set[str]) -> None:
    properties = {"roleDefinitionId": OWNER, "principalType": kind}
    assert verdict("ML-AZ-IA-001", "authorization:RoleAssignment", properties) == expected


def test_a_role_that_is_made_in_the_same_update_is_not_known_yet() -> None:
    properties = {"roleDefinitionId": UNKNOWN, "principalType": "ServicePrincipal"}
    assert verdict("ML-AZ-IA-001", "authorization:RoleAssignment", properties) == {"undecided"}
    assert verdict("ML-AZ-IA-001", "authorization:RoleAssignment", {**properties, "principalType": "User"}) == PASSES
