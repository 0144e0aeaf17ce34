"""AWS: who may become which role, what each may do, and what none of them ever may.

Statements are read one by one; how AWS weighs them together (persona by action by context) is not proved here.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from mlestate.aws.personas import PERSONAS, boundary
from mlestate.aws.pipelines import apply, apply_in
from mlestate.aws.policies import canonical
from mlestate.aws.reach import Reach
from mlestate.aws.trust import TRUST_LIMIT, issuer, trusted
from mlestate.config.estate import CI
from mlestate.names import HUB, Names
from tests.config.said import said

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS

HUB_NAMES = Names("aws", "risk", HUB, "ca-central-1", "111111111111")


def _policy(rows: Any, role: str) -> dict[str, Any]:
    return dict(statements(one(rows, "iam:RolePolicy", f"access-{role}").inputs["policy"]))


def _trust(rows: Any, role: str) -> dict[str, Any]:
    return dict(statements(one(rows, "iam:Role", f"access-{role}").inputs["assumeRolePolicy"]))


def test_only_personas_with_people_have_a_role(estate: Recorded) -> None:
    assert all_of(estate(MINIMAL), "iam:Role") == {}
    roles = list(all_of(estate(THREE_ACCOUNTS, "hub"), "iam:Role"))
    assert roles == ["risk-hub-access-ci-apply", "risk-hub-access-ci-plan", "risk-hub-access-data-scientist"]


def test_every_role_stands_under_the_ceiling_and_ends_within_the_hour(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    roles = [row for name, row in all_of(rows, "iam:Role").items() if "-access-" in name]
    assert len(roles) == 6
    for row in roles:
        assert row.inputs["permissionsBoundary"].endswith("policy/mlestate/risk/risk-hub-boundary")
        assert row.inputs["maxSessionDuration"] == 3600
        assert row.inputs["path"] == "/mlestate/risk/"


def test_a_person_is_believed_only_as_a_session_of_identity_center(estate: Recorded) -> None:
    said = _trust(estate(ONE_ACCOUNT), "data-scientist")["PeopleOfIdentityCenter"]
    assert said["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert said["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*"},
        "StringLike": {"aws:userid": ["*:ds@risk.example"]},
    }, "whoever assumes any other role chooses the session's name, and could choose this address"


def test_a_permission_set_is_not_taken_for_one_with_a_longer_name() -> None:
    (said,) = trusted(HUB_NAMES, ["sso:Data"])
    patterns = said["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert all(pattern.endswith("AWSReservedSSO_Data_" + "?" * 16) for pattern in patterns), (
        "AWSReservedSSO_Data_* would also be Data_Admin"
    )


def test_an_approver_who_is_an_iam_user_signs_in_with_two_factors(estate: Recorded) -> None:
    """A session of Identity Center does not carry the key reliably: its second factor is the identity provider's."""
    said = _trust(estate(ONE_ACCOUNT), "approver")
    assert said["Users"]["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert "aws:MultiFactorAuthPresent" not in json.dumps(said["PeopleOfIdentityCenter"])
    assert _trust(estate(ONE_ACCOUNT), "auditor")["Roles"]["Principal"] == {
        "AWS": ["arn:aws:iam::999999999999:role/audit"]
    }


def test_as_many_people_as_the_file_may_name_fit_into_a_trust_policy(estate: Recorded) -> None:
    def naming(count: int) -> str:
        return (
            MINIMAL
            + f"people: {{auditors: [{', '.join(f'p{each}@risk.example' for each in range(100, 100 + count))}]}}\n"
        )

    most = next(count for count in range(200, 0, -1) if not said(naming(count)))
    size = len(one(estate(naming(most)), "iam:Role", "access-auditor").inputs["assumeRolePolicy"])
    assert TRUST_LIMIT - len('"*:p100@risk.example",') < size <= TRUST_LIMIT, "the rule counts what the role is given"


def test_whoever_registers_a_version_cannot_approve_it(estate: Recorded) -> None:
    said = _policy(estate(ONE_ACCOUNT), "data-scientist")
    pending = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
    assert said["RegisterForApproval"]["Condition"] == {"StringEquals": pending}
    assert said["NeverRegisterApproved"]["Effect"] == "Deny"
    assert said["NeverRegisterApproved"]["Condition"] == {"StringNotEqualsIfExists": pending}
    assert (said["NeverApprove"]["Effect"], said["NeverApprove"]["Action"]) == ("Deny", "sagemaker:UpdateModelPackage")


def test_an_approver_gives_a_verdict_and_does_nothing_else(estate: Recorded) -> None:
    said = _policy(estate(ONE_ACCOUNT), "approver")
    assert said["ApproveOrReject"]["Condition"] == {
        "StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}
    }, "StringEquals also refuses an update that gives no verdict"
    assert said["ApproveOrReject"]["Resource"] == (
        "arn:aws:sagemaker:ca-central-1:111111111111:model-package/risk-hub-*/*"
    )
    assert said["LeaveTheStage"]["Condition"] == {"Null": {"sagemaker:ModelLifeCycle:stage": "false"}}
    allowed = {action for each in said.values() if each["Effect"] == "Allow" for action in actions(each)}
    writes = {action for action in allowed if not action.split(":")[1].startswith(("Describe", "List", "Get"))}
    assert writes == {"sagemaker:UpdateModelPackage", "kms:Decrypt"}


@pytest.mark.parametrize("role", ["data-scientist", "ml-engineer", "approver", "auditor", "ci-plan", "ci-apply"])
def test_only_an_approver_may_update_a_version(estate: Recorded, role: str) -> None:
    said = _policy(estate(ONE_ACCOUNT), role)
    granted = [
        sid
        for sid, each in said.items()
        if each["Effect"] == "Allow"
        and any(action in ("sagemaker:UpdateModelPackage", "sagemaker:*") for action in actions(each))
    ]
    assert granted == (["ApproveOrReject"] if role == "approver" else [])


def test_people_write_nothing_in_a_protected_environment(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    for role in ("data-scientist", "ml-engineer"):
        for sid, each in _policy(rows, role).items():
            if each["Effect"] == "Allow" and any(
                a in ("s3:PutObject", "sagemaker:InvokeEndpoint") for a in actions(each)
            ):
                assert "risk-production" not in json.dumps(each["Resource"]), f"{role}.{sid}"
    assert "risk-production" not in json.dumps(_policy(rows, "data-scientist")), "its data is closed to exploration"


def test_an_auditor_reads_the_trail_and_never_the_data(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    said = _policy(rows, "auditor")
    store = one(rows, "s3:Bucket", "audit-logs").inputs["bucket"]
    assert said["ReadTheTrail"]["Resource"] == f"arn:aws:s3:::{store}/*"
    raw = one(rows, "s3:Bucket", "production-data-raw").inputs["bucket"]
    assert said["NeverReadData"]["Effect"] == "Deny"
    assert f"arn:aws:s3:::{raw}/*" in said["NeverReadData"]["Resource"]
    assert said["DecryptTheTrail"]["Condition"]["ForAnyValue:StringEquals"] == {
        "kms:ResourceAliases": ["alias/risk-hub-audit"]
    }
    for sid, each in said.items():
        if each["Effect"] == "Allow":
            for action in actions(each):
                verb = action.split(":")[1]
                assert verb.startswith(("Get", "List", "Describe", "LookupEvents", "Decrypt")), f"{sid}: {action}"


def test_an_action_is_granted_on_everything_only_when_it_has_no_resource_type(estate: Recorded) -> None:
    """Service Authorization Reference: lists, look-ups, metrics and the registry's sign-in name no resource."""
    rows = estate(ONE_ACCOUNT)
    managed = {name: row for name, row in all_of(rows, "iam:Policy").items() if "ci-apply" in name}
    for name, row in {**all_of(rows, "iam:RolePolicy"), **managed}.items():
        for sid, each in statements(row.inputs["policy"]).items():
            if each["Effect"] == "Allow" and each["Resource"] == "*":
                for action in actions(each):
                    verb = action.split(":")[1]
                    assert verb.startswith(("List", "Describe", "Lookup")) or action in (
                        "ecr:GetAuthorizationToken",
                        "cloudwatch:GetMetricData",
                        "cloudwatch:PutMetricData",
                    ), f"{name} {sid}: {action}"


def test_no_one_lifts_their_own_ceiling_or_the_trails(estate: Recorded) -> None:
    said = statements(one(estate(ONE_ACCOUNT), "iam:Policy", "access-boundary").inputs["policy"])
    assert "iam:*" in said["Ceiling"]["Action"], "the ceiling grants nothing; without its denials it would hide nothing"
    access = said["KeepTheHubsAccess"]
    assert access["NotAction"] == ["iam:Get*", "iam:List*"]
    assert "arn:aws:iam::111111111111:role/mlestate/risk/risk-hub-*" in access["Resource"]
    assert "arn:aws:iam::111111111111:policy/mlestate/risk/*" in access["Resource"], "every boundary is among these"
    assert {"cloudtrail:StopLogging", "cloudtrail:UpdateTrail"} <= set(actions(said["KeepTheTrail"]))
    assert "s3:Put*" in actions(said["KeepItsStore"])
    assert "kms:DisableKey" in actions(said["KeepItsKey"])
    assert said["PassRolesToFewServices"]["Condition"] == {
        "StringNotEquals": {"iam:PassedToService": ["sagemaker.amazonaws.com"]}
    }
    assert said["StayInTheRegion"]["Condition"] == {"StringNotEquals": {"aws:RequestedRegion": "ca-central-1"}}


def test_ci_makes_identities_only_under_the_boundary_of_their_environment(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    said = dict(statements(one(rows, "iam:Policy", "access-ci-apply-production").inputs["policy"]))
    making = [sid for sid, each in said.items() if "iam:CreateRole" in actions(each)]
    assert making == ["ChangeIdentities"]
    assert "iam:PutRolePolicy" in actions(said["ChangeIdentities"]), "or a role would get rights after its making"
    assert said["ChangeIdentities"]["Condition"] == {
        "StringEquals": {
            "iam:PermissionsBoundary": "arn:aws:iam::111111111111:policy/mlestate/risk/risk-production-boundary"
        }
    }
    assert said["ChangeIdentities"]["Resource"] == "arn:aws:iam::111111111111:role/mlestate/risk/risk-production-*", (
        "the hub's roles (people's, and its own) are an administrator's"
    )
    hub = _policy(rows, "ci-apply")
    granted = {
        action for each in [*said.values(), *hub.values()] if each["Effect"] == "Allow" for action in actions(each)
    }
    assert not {"iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:AttachRolePolicy", "kms:Decrypt"} & granted


def test_ci_changes_each_environment_of_the_hubs_account_by_a_policy_of_its_own(estate: Recorded) -> None:
    attached = all_of(estate(ONE_ACCOUNT), "iam:RolePolicyAttachment")
    assert list(attached) == ["risk-hub-access-ci-apply-production", "risk-hub-access-ci-apply-staging"]
    assert all_of(estate(THREE_ACCOUNTS), "iam:RolePolicyAttachment") == {}


def test_ci_that_plans_changes_nothing_and_reads_no_object(estate: Recorded) -> None:
    for sid, each in _policy(estate(ONE_ACCOUNT), "ci-plan").items():
        for action in actions(each):
            assert action.split(":")[1].startswith(("Get", "List", "Describe")), f"{sid}: {action}"
            assert not action.startswith(("s3:GetObject", "secretsmanager:"))


def test_ci_that_applies_moves_aliases_of_its_estate_only(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    change = {"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"}
    said = _policy(rows, "ci-apply")
    assert set(said["ChangeAliases"]["Action"]) == change
    assert said["ChangeAliases"]["Resource"] == "arn:aws:kms:ca-central-1:111111111111:alias/risk-*"
    assert change < set(said["ChangeKeys"]["Action"]), "KMS asks for the right on the key as well as on the alias"
    planned = {action for each in _policy(rows, "ci-plan").values() for action in actions(each)}
    assert not change & planned, "a plan changes no alias"


def test_ci_reaches_other_accounts_only_through_their_deploy_roles(estate: Recorded) -> None:
    rows = estate(THREE_ACCOUNTS)
    said = _policy(rows, "ci-apply")
    assert said["DeployElsewhere"]["Resource"] == [
        "arn:aws:iam::222222222222:role/deploy",
        "arn:aws:iam::333333333333:role/deploy",
    ]
    provider = next(row for row in rows if row.type == "pulumi:providers:aws" and row.name == "risk-staging")
    roles = provider.inputs["assumeRoles"]
    assert (json.loads(roles) if isinstance(roles, str) else roles)[0]["roleArn"].endswith("222222222222:role/deploy")
    hub = next(row for row in rows if row.type == "pulumi:providers:aws" and row.name == "risk-hub")
    assert "assumeRoles" not in hub.inputs, "the hub is the deployer's own account"
    accounts = provider.inputs["allowedAccountIds"]
    assert (json.loads(accounts) if isinstance(accounts, str) else accounts) == ["222222222222"]


def test_a_pipeline_on_github_applies_from_a_named_environment_of_the_trusted_branch(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    host = "token.actions.githubusercontent.com"
    assert one(rows, "iam:OpenIdConnectProvider", "access-ci").inputs["url"] == f"https://{host}"
    said = _trust(rows, "ci-apply")["Pipelines"]
    assert said["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert said["Principal"] == {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{host}"}
    assert said["Condition"] == {
        "StringEquals": {f"{host}:aud": "sts.amazonaws.com", f"{host}:ref": "refs/heads/main"},
        "StringLike": {
            f"{host}:sub": [f"repo:acme/churn:environment:{name}" for name in ("hub", "staging", "production")]
        },
    }
    planners = _trust(rows, "ci-plan")["Pipelines"]["Condition"]["StringLike"][f"{host}:sub"]
    assert planners == ["repo:acme/churn:pull_request", "repo:acme/churn:ref:refs/heads/main"]


def test_a_pipeline_on_gitlab_applies_from_the_trusted_branch(estate: Recorded) -> None:
    said = _trust(estate(THREE_ACCOUNTS), "ci-apply")["Pipelines"]["Condition"]
    assert said["StringEquals"] == {"gitlab.com:aud": "https://gitlab.com"}
    assert said["StringLike"] == {"gitlab.com:sub": ["project_path:acme/ml/churn:ref_type:branch:ref:trunk"]}, (
        "repositories are named as the models where the file names none"
    )


def test_a_pipeline_on_azure_devops_applies_from_its_connection() -> None:
    given = issuer(CI(provider="azure-devops", owner="acme", owner_id="a-b", repositories=("ml/aws",)), [], [])
    assert (given.host, list(given.appliers)) == ("vstoken.dev.azure.com/a-b", ["sc://acme/ml/aws"])


def test_policies_keep_within_what_iam_takes_for_eight_environments_in_one_account() -> None:
    """IAM quotas: 10,240 characters of inline policy on a role, 6,144 of a managed policy, white space not counted."""
    hub = Names("aws", "a-rather-long-name", HUB, "ca-central-1", "1" * 12)
    environments = {f"environment-{each}": replace(hub, environment=f"environment-{each}") for each in range(8)}
    reach = Reach(hub, environments, frozenset(["environment-7"]), (), own_keys=True)
    for role, permissions in {**PERSONAS, "ci-apply": apply}.items():
        assert len(canonical(permissions(reach))) <= 10_240, role
    for managed in (boundary(reach), apply_in(reach, environments["environment-0"])):
        assert len(canonical(managed)) <= 6_144


def test_more_environments_than_a_role_can_name_are_refused_before_it_costs(estate: Recorded) -> None:
    more = "".join(f"  environment-{each}: {{}}\n" for each in range(20))
    with pytest.raises(AssertionError, match="would reach too much"):
        estate(ONE_ACCOUNT.replace("  staging: {}\n", f"  staging: {{}}\n{more}"))
