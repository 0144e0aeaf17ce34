"""AWS: who may become which role, what each may do, and what none of them ever may.

Statements are read one by one here; `test_access_matrix.py` weighs them together, persona by action by context.
"""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from mlestate.aws import ceilings
from mlestate.aws.duties import DUTIES
from mlestate.aws.personas import IN_ENVIRONMENTS, IN_THE_HUB
from mlestate.aws.pipelines import ATTACHED, apply
from mlestate.aws.policies import canonical
from mlestate.aws.reach import Limits, Reach
from mlestate.aws.trust import PEOPLE, TRUST_LIMIT, issuer, trusted
from mlestate.config.people import CI
from mlestate.names import HUB, Names
from tests.config.said import said

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, PEOPLED, THREE_ACCOUNTS

HUB_NAMES = Names("aws", "risk", HUB, "ca-central-1", "111111111111")


def _policy(rows: Any, role: str) -> dict[str, Any]:
    return dict(statements(one(rows, "iam:RolePolicy", f"hub-access-{role}").inputs["policy"]))


def _trust(rows: Any, role: str) -> dict[str, Any]:
    return dict(statements(one(rows, "iam:Role", f"hub-access-{role}").inputs["assumeRolePolicy"]))


def _of(rows: Any, slice_: str) -> set[str]:
    prefix = f"risk-{slice_}-access-"
    return {name.removeprefix(prefix) for name in all_of(rows, "iam:Role") if name.startswith(prefix)}


def test_only_personas_with_people_have_a_role_and_each_duty_has_one(estate: Recorded) -> None:
    minimal = set(all_of(estate(MINIMAL), "iam:Role"))
    assert {name for name in minimal if name.startswith("acme-hub")} == {"acme-hub-access-events"}, "nobody is named"
    rows = estate(THREE_ACCOUNTS)
    assert _of(rows, "hub") == {"ci-apply", "ci-plan", "data-scientist", "events"}
    duties = {"events", "monitoring", "pipeline", "release", "retraining", "scheduler", "tracking"}
    assert _of(rows, "staging") == {"data-scientist", "churn-training", "churn-inference", *duties}


def test_a_protected_environment_is_closed_to_exploration(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    assert "data-scientist" in _of(rows, "staging")
    assert "data-scientist" not in _of(rows, "production")
    assert {"ml-engineer", "approver", "operator", "auditor"} <= _of(rows, "production")


def test_people_of_another_account_sign_in_there(estate: Recorded) -> None:
    trusted = one(estate(PEOPLED), "iam:Role", "production-access-ml-engineer").inputs["assumeRolePolicy"]
    said = statements(trusted)["PeopleOfIdentityCenter"]
    assert said["Principal"] == {"AWS": "arn:aws:iam::333333333333:root"}


def test_every_role_stands_under_the_ceiling_of_its_slice(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    assert len(all_of(rows, "iam:Role")) > 40
    for name, row in all_of(rows, "iam:Role").items():
        slice_, _, role = name.removeprefix("risk-").partition("-access-")
        assert row.inputs["permissionsBoundary"].endswith(f"policy/mlestate/risk/risk-{slice_}-boundary")
        assert row.inputs["path"] == "/mlestate/risk/"
        people = role in (*PEOPLE, "ci-plan", "ci-apply")
        assert (row.inputs.get("maxSessionDuration") == 3600) is people, f"{name}: a person's session ends in an hour"


def test_an_identity_is_known_at_once_and_comes_after_its_policy(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    model = one(rows, "sagemaker:Model", "production-serving-churn")
    assert model.inputs["executionRoleArn"] == (
        "arn:aws:iam::333333333333:role/mlestate/risk/risk-production-churn-inference"
    )
    policy = one(rows, "iam:RolePolicy", "production-access-churn-inference")
    assert policy.urn in model.dependencies, "SageMaker tries the role's rights at once, and IAM spreads them late"


def test_a_role_and_its_policies_keep_within_what_iam_takes(estate: Recorded) -> None:
    """IAM quotas, white space not counted: 10,240 characters inline, 6,144 managed, 2,048 of trust; 10 attached."""
    for rows in (estate(PEOPLED), estate(ONE_ACCOUNT)):
        for name, row in all_of(rows, "iam:RolePolicy").items():
            assert len(row.inputs["policy"]) <= 10_240, name
        for name, row in all_of(rows, "iam:Policy").items():
            assert len(row.inputs["policy"]) <= 6_144, name
        for name, row in all_of(rows, "iam:Role").items():
            assert len(row.inputs["assumeRolePolicy"]) <= TRUST_LIMIT, name
        assert len(all_of(rows, "iam:RolePolicyAttachment")) == len(ATTACHED) <= 10, "a role takes ten"


def test_as_many_as_five_environments_fit_into_one_account() -> None:
    hub = Names("aws", "a-rather-long-name", HUB, "ca-central-1", "1" * 12)
    reach = _reach(hub, 5)
    for permissions in (apply, *IN_THE_HUB.values()):
        assert len(canonical(permissions(reach))) <= 10_240
    for concern, attached in ATTACHED.items():
        assert len(canonical(attached(reach))) <= 6_144, concern
    assert len(canonical(ceilings.hub(reach))) <= 6_144
    inside = replace(reach, here=reach.environments["environment-0"])
    for within in (ceilings.environment(inside), ceilings.freeze(inside)):
        assert len(canonical(within)) <= 6_144
    for permissions in IN_ENVIRONMENTS.values():
        assert len(canonical(permissions(inside))) <= 10_240
    for name, duty in DUTIES.items():
        assert len(canonical(duty.may(inside))) <= 10_240, name


def _reach(hub: Names, count: int) -> Reach:
    environments = {f"environment-{each}": replace(hub, environment=f"environment-{each}") for each in range(count)}
    limits = Limits(private=True, own_keys=True, instance_types=["ml.m5.xlarge"] * 20, seconds=86400)
    return Reach(
        hub,
        hub,
        environments,
        frozenset(),
        (),
        "customer-managed",
        limits,
        models={},
        datasets={},
        path=tuple(environments),
    )


def test_more_environments_than_a_policy_can_name_are_refused_before_it_costs(estate: Recorded) -> None:
    more = "".join(f"  environment-{each}: {{}}\n" for each in range(20))
    with pytest.raises(AssertionError, match=r"would reach too much.*account of their own"):
        estate(ONE_ACCOUNT.replace("  staging: {}\n", f"  staging: {{}}\n{more}"), "hub")


def test_a_ceiling_names_what_an_estate_is_made_of_and_grants_nothing_by_itself(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    for slice_ in ("hub", "staging"):
        said = statements(one(rows, "iam:Policy", f"{slice_}-access-boundary").inputs["policy"])
        assert [sid for sid, each in said.items() if each["Effect"] == "Allow"] == ["Ceiling"]
        assert said["StayInTheRegion"]["Condition"] == {"StringNotEquals": {"aws:RequestedRegion": "ca-central-1"}}


def test_each_demand_on_a_job_is_a_statement_of_its_own(estate: Recorded) -> None:
    """Keys in one `Null` block are demanded together: subnets alone would open the network."""
    said = statements(one(estate(PEOPLED), "iam:Policy", "staging-access-boundary").inputs["policy"])
    demands = [each for each in said.values() if "Null" in each.get("Condition", {})]
    assert {key for each in demands for key in each["Condition"]["Null"]} >= {
        "sagemaker:VpcSubnets",
        "sagemaker:VpcSecurityGroupIds",
        "sagemaker:VolumeKmsKey",
        "sagemaker:OutputKmsKey",
    }
    assert all(len(each["Condition"]["Null"]) == 1 for each in demands)


def test_a_public_estate_under_keys_of_aws_demands_neither_a_network_nor_a_key(estate: Recorded) -> None:
    said = statements(one(estate(MINIMAL), "iam:Policy", "production-access-boundary").inputs["policy"])
    assert {"NameSubnets", "NameSecurityGroupIds", "EncryptDisks", "EncryptWhatIsWritten"}.isdisjoint(said)
    assert "UseTheMachinesAskedFor" in said


def test_a_budget_that_is_spent_takes_away_what_costs_more_and_no_more(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    said = statements(one(rows, "iam:Policy", "staging-access-freeze").inputs["policy"])
    assert {each["Effect"] for each in said.values()} == {"Deny"}
    taken = {action for each in said.values() for action in actions(each)}
    assert {"sagemaker:CreateTrainingJob", "sagemaker:UpdateEndpoint", "sagemaker:StartPipelineExecution"} <= taken
    assert not [action for action in taken if "Delete" in action or "Stop" in action], "what runs can be stopped"
    assert not [name for name in all_of(estate(ONE_ACCOUNT), "iam:Policy") if name.endswith("freeze")], "no budget"


def test_ci_that_plans_changes_nothing_and_reads_no_ones_data(estate: Recorded) -> None:
    for sid, each in _policy(estate(ONE_ACCOUNT), "ci-plan").items():
        for action in actions(each):
            assert action.split(":")[1].startswith(("Get", "List", "Describe", "View", "Decrypt")), f"{sid}: {action}"
            assert not action.startswith(("secretsmanager:Get", "dynamodb:Get"))
            if action == "s3:GetObject":
                assert all(re.search(r"/(code|champion|settings)/\*$", where) for where in each["Resource"])


def test_ci_changes_the_account_by_policies_one_a_concern(estate: Recorded) -> None:
    attached = all_of(estate(ONE_ACCOUNT), "iam:RolePolicyAttachment")
    assert list(attached) == [f"risk-hub-access-ci-apply-{concern}" for concern in sorted(ATTACHED)]
    identities = [name for name in all_of(estate(THREE_ACCOUNTS), "iam:Policy") if name.endswith("-identities")]
    assert identities == [], "other accounts have deploy roles"


def test_a_person_is_believed_only_as_a_session_of_identity_center(estate: Recorded) -> None:
    said = _trust(estate(ONE_ACCOUNT), "data-scientist")["PeopleOfIdentityCenter"]
    assert said["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert said["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*"},
        "StringEquals": {"sts:RoleSessionName": ["ds@risk.example"]},
        "StringLike": {"aws:userid": "*:${sts:RoleSessionName}"},
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
    assert said["Users"]["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}
    assert "aws:MultiFactorAuthPresent" not in json.dumps(said["PeopleOfIdentityCenter"])
    assert _trust(estate(ONE_ACCOUNT), "auditor")["Roles"]["Principal"] == {
        "AWS": ["arn:aws:iam::999999999999:role/audit"]
    }


def test_a_session_has_the_name_of_whom_it_is_of(estate: Recorded) -> None:
    """Approvals count people by the names of their sessions: whoever could choose one would sign twice."""
    own = {"aws:userid": "*:${sts:RoleSessionName}"}
    for persona in PEOPLE.keys() - {"operator"}:
        for sid, each in _trust(estate(ONE_ACCOUNT), persona).items():
            held = each["Condition"]
            named = held.get("StringEquals") == {"sts:RoleSessionName": "${aws:username}"}
            assert named if sid == "Users" else held["StringLike"] == own, f"{persona}, {sid}"


def test_as_many_people_as_the_file_may_name_fit_into_a_trust_policy(estate: Recorded) -> None:
    def naming(count: int) -> str:
        return (
            MINIMAL
            + f"people: {{auditors: [{', '.join(f'p{each}@risk.example' for each in range(100, 100 + count))}]}}\n"
        )

    most = next(count for count in range(200, 0, -1) if not said(naming(count)))
    size = len(one(estate(naming(most)), "iam:Role", "hub-access-auditor").inputs["assumeRolePolicy"])
    assert TRUST_LIMIT - len('"p100@risk.example",') < size <= TRUST_LIMIT, "the rule counts what the role is given"


def test_whoever_registers_a_version_cannot_approve_it(estate: Recorded) -> None:
    said = _policy(estate(ONE_ACCOUNT), "data-scientist")
    pending = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
    assert said["RegisterForApproval"]["Condition"]["StringEquals"] == pending
    stamps = {
        f"sagemaker:CustomerMetadataProperties/{each}": "true"
        for each in ("approved-by", "passed-staging", "passed-production")
    }
    assert said["RegisterForApproval"]["Condition"]["Null"] == {"sagemaker:ModelLifeCycle:Stage": "true", **stamps}
    assert said["NeverRegisterApproved"]["Effect"] == "Deny"
    assert said["NeverRegisterApproved"]["Condition"] == {"StringNotEqualsIfExists": pending}
    assert (said["NeverApprove"]["Effect"], said["NeverApprove"]["Action"]) == ("Deny", "sagemaker:UpdateModelPackage")


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
