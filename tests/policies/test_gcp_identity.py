"""Grants on Google Cloud: what is too wide, and what only looks so."""

import json
from typing import Any

import pytest

from mlestate_policies.gcp.identity import grants, is_public
from mlestate_policies.gcp.shapes import is_default_account
from mlestate_policies.values import UNKNOWN
from tests.policies.cases import resources
from tests.policies.gcp import outcome, said

MEMBER = "projects/iAMMember:IAMMember"
POLICY = "projects/iAMPolicy:IAMPolicy"
BUCKET = "storage/bucketIAMMember:BucketIAMMember"
JOB = "serviceAccount:job@bank-ml.iam.gserviceaccount.com"
PEOPLE = "group:risk@bank.example"


def wide(role: str, member: str, **more: Any) -> str:
    return outcome("ML-GCP-IA-001", MEMBER, {"role": role, "member": member, **more})


@pytest.mark.parametrize(
    "role", ["owner", "editor", "viewer", "iam.serviceAccountUser", "iam.serviceAccountTokenCreator"]
)
@pytest.mark.parametrize("member", [JOB, PEOPLE, "user:jo@bank.example", UNKNOWN])
def test_a_role_that_reaches_everything_is_too_wide_for_anybody(role: str, member: str) -> None:
    assert wide(f"roles/{role}", member) == "violation"


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (JOB, "violation"),
        ("principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s", "violation"),
        ("serviceAccount:bank-ml.svc.id.goog[ml/train]", "violation"),
        ("serviceAccount:4711@cloudbuild.gserviceaccount.com", "violation"),
        (UNKNOWN, "undecided"),
        (PEOPLE, "kept"),
        ("principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/jo", "kept"),
        ("serviceAccount:service-4711@gcp-sa-aiplatform.iam.gserviceaccount.com", "kept"),
        ("serviceAccount:service-4711@compute-system.iam.gserviceaccount.com", "kept"),
        ("serviceAccount:4711@cloudservices.gserviceaccount.com", "kept"),
    ],
)
def test_people_and_the_services_own_agents_administer_vertex_and_workloads_do_not(member: str, expected: str) -> None:
    assert wide("roles/aiplatform.admin", member) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('request.time < timestamp("2027-01-01T00:00:00Z")', "kept"),
        (" TRUE ", "violation"),
        ("", "violation"),
        (UNKNOWN, "undecided"),
    ],
)
def test_impersonation_under_a_condition_that_says_something_is_not_of_everything(
    expression: str, expected: str
) -> None:
    assert wide("roles/iam.serviceAccountUser", PEOPLE, condition={"expression": expression}) == expected
    assert wide("roles/editor", PEOPLE, condition={"expression": expression}) == "violation"


def test_impersonation_of_one_account_is_nobodys_concern() -> None:
    on_one = {"role": "roles/iam.serviceAccountUser", "member": PEOPLE}
    assert outcome("ML-GCP-IA-002", "serviceaccount/iAMMember:IAMMember", on_one) == "kept"


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("4711-compute@developer.gserviceaccount.com", True),
        ("serviceAccount:4711-compute@developer.gserviceaccount.com", True),
        ("serviceAccount:bank-ml@appspot.gserviceaccount.com", True),
        ("serviceAccount:service-4711@gcp-sa-appspot.iam.gserviceaccount.com", False),
        ("4711-compute@bank-ml.iam.gserviceaccount.com", False),
        ("user:4711-compute@developer.example", False),
        ("", False),
    ],
)
def test_default_accounts_are_known_by_their_addresses(account: str, expected: bool) -> None:
    assert is_default_account(account) is expected


def test_a_default_account_is_told_of_even_while_its_role_is_not_known() -> None:
    assert wide(UNKNOWN, "serviceAccount:4711-compute@developer.gserviceaccount.com") == "violation"
    assert wide(UNKNOWN, JOB) == "undecided"


def test_a_policy_is_read_binding_by_binding() -> None:
    document = {
        "bindings": [
            {"role": "roles/aiplatform.user", "members": [JOB, PEOPLE]},
            {"role": "roles/editor", "members": [PEOPLE]},
            {"role": "roles/storage.objectViewer", "members": ["allUsers"]},
            {"role": "roles/iam.serviceAccountUser", "members": [PEOPLE], "condition": {"expression": "resource.x"}},
        ]
    }
    policy = {"policyData": json.dumps(document)}
    assert [each.path for each in said("ML-GCP-IA-001", POLICY, policy)] == ["policyData.bindings[1].role"]
    assert [each.path for each in said("ML-GCP-IA-002", POLICY, policy)] == ["policyData.bindings[2].members[0]"]


def test_what_is_known_to_be_wrong_is_told_beside_what_is_not_known() -> None:
    binding = {"role": "roles/aiplatform.admin", "members": [UNKNOWN, JOB]}
    assert outcome("ML-GCP-IA-001", "projects/iAMBinding:IAMBinding", binding) == "both"
    members = {"role": "roles/storage.objectViewer", "members": ["allUsers", UNKNOWN]}
    assert outcome("ML-GCP-IA-002", "storage/bucketIAMBinding:BucketIAMBinding", members) == "both"


@pytest.mark.parametrize(
    "policy", ["no JSON", '"text"', "[]", "{}", '{"bindings": 7}', '{"bindings": [7, {"role": 7}]}']
)
@pytest.mark.parametrize("rule", ["ML-GCP-IA-001", "ML-GCP-IA-002"])
def test_what_is_no_policy_grants_nothing(rule: str, policy: str) -> None:
    assert outcome(rule, POLICY, {"policyData": policy}) == "kept"


@pytest.mark.parametrize("members", ["allUsers", {"a": "allUsers"}, 7, True, [7, None, {"a": 1}, ["allUsers"]]])
def test_members_of_a_wrong_type_are_no_reason_to_stop(members: object) -> None:
    (resource,) = resources(
        {"thing": {"type": "gcp:projects/iAMBinding:IAMBinding", "properties": {"members": members}}}
    )
    assert [each.member.text for each in grants(resource)] in ([], ["", "", ""])
    assert outcome("ML-GCP-IA-001", "projects/iAMBinding:IAMBinding", {"role": 7, "members": members}) == "kept"


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("allUsers", True),
        ("allAuthenticatedUsers", True),
        ("READER:allUsers", True),
        ("ALLUSERS", True),
        ("iam.member:allUsers", True),
        ("domain:bank.example", False),
        ("group:allUsers@bank.example", False),
        ("projectReaders", False),
    ],
)
def test_everybody_goes_by_two_names(member: str, expected: bool) -> None:
    assert is_public(member) is expected


def test_messages_name_no_member() -> None:
    found = [
        *said("ML-GCP-IA-001", MEMBER, {"role": "roles/aiplatform.admin", "member": JOB}),
        *said("ML-GCP-IA-001", MEMBER, {"role": "x", "member": "serviceAccount:secret@appspot.gserviceaccount.com"}),
        *said("ML-GCP-IA-002", BUCKET, {"role": "roles/secret", "member": "allUsers"}),
    ]
    assert len(found) == 3
    assert not [each for each in found if "bank-ml" in str(each) or "secret" in str(each)]


@pytest.mark.parametrize("condition", ["true", " True ", "", None])
def test_an_identity_from_outside_needs_a_condition_that_says_something(condition: str | None) -> None:
    provider = "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
    assert outcome("ML-GCP-IA-003", provider, {"attributeCondition": condition}) == "violation"
