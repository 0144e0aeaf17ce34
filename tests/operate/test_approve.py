"""`mlestate approve` and `reject` against moto.

moto knows no IAM conditions and none of what an event starts. Not proved here: that a real account lets a persona do
what is asked (tests/aws/test_access_matrix.py judges the policies), and that the events of a verdict arrive.
"""

import json
from typing import Any

import pytest
from moto.dynamodb.responses import DynamoHandler
from moto.sagemaker.responses import SageMakerResponse

from mlestate.aws.registry import group_arn, version_arn
from mlestate.names import Names

from .conftest import ACCOUNT, ESTATE, EVALUATION, OTHER, REGION, Command, Estate

HUB = Names("aws", "risk", "hub", REGION, ACCOUNT)
SEVEN = version_arn(group_arn(HUB, "churn"), 7)
REASON = ("--reason", "read the report")


@pytest.fixture
def ana(estate: Estate) -> Estate:
    """Ana, an approver in the hub."""
    estate.sign_in("risk-hub-approver", "ana@risk.example")
    return estate


@pytest.fixture
def passed(estate: Estate) -> Estate:
    """Ana, an approver in production, where version 8 comes from staging."""
    estate.register("Approved", **{"passed-staging": "2026-11-24T10:00:00Z"})
    estate.sign_in("risk-production-approver", "ana@risk.example")
    return estate


AGREE = ("churn", "8", "--environment", "production", *REASON)


class TestVerdict:
    def test_an_approval_stands_in_the_registry_with_its_reason(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "7", "--reason", " read\nthe report ", "--yes")
        assert done.code == 0, done
        package = ana.package(7)
        assert (package.model_approval_status, package.approval_description) == ("Approved", "read the report")
        assert "done: churn/7 is approved in the registry" in done.out

    def test_a_rejection_stands_in_the_registry_with_its_reason(self, run: Command, ana: Estate) -> None:
        done = run("reject", "churn", "6", "--reason", "unfair to QC", "--yes")
        assert done.code == 0, done
        assert (ana.package(6).model_approval_status, ana.package(6).approval_description) == (
            "Rejected",
            "unfair to QC",
        )
        assert "the version before gets the traffic back" in done.out, "a person must know what a word does"

    def test_the_evidence_is_shown_before_anyone_is_asked(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "7", *REASON, answer="n\n")
        assert done.code == 1, "nothing was done, and a script must see that"
        assert ana.package(7).model_approval_status == "PendingManualApproval"
        shown, asked = done.out.split("Will be done")
        for each in ("roc_auc", "at least 0.8", "0.87", "0.85", "champion 6", "fairness.disparity", "QC 0.31"):
            assert each in shown, f"{each} belongs to the evidence"
        assert "approve churn/7?" in asked
        assert "Nothing was done." in asked

    def test_a_person_who_says_yes_approves(self, run: Command, ana: Estate) -> None:
        assert run("approve", "churn", "7", *REASON, answer="y\n").code == 0
        assert ana.package(7).model_approval_status == "Approved"

    def test_a_dry_run_shows_the_very_request_and_makes_none(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "7", *REASON, "--dry-run", "--json")
        assert done.code == 0, done
        (call,) = done.document["calls"]
        assert call == {
            "does": "churn/7 is approved in the registry",
            "call": "sagemaker:UpdateModelPackage",
            "on": SEVEN,
            "arguments": {
                "ModelPackageArn": SEVEN,
                "ModelApprovalStatus": "Approved",
                "ApprovalDescription": "read the report",
            },
            "made": False,
        }
        assert done.document["as"].endswith("assumed-role/risk-hub-approver/ana@risk.example")
        assert done.document["done"] is False
        assert ana.package(7).model_approval_status == "PendingManualApproval"

    def test_json_says_what_was_done_and_on_what_evidence(self, run: Command, ana: Estate) -> None:
        document = run("approve", "churn", "7", *REASON, "--yes", "--json").document
        assert document["done"] is True
        assert [each["made"] for each in document["calls"]] == [True]
        checks = {each["name"]: each for each in document["evidence"]["checks"]}
        assert checks["roc_auc"] == {
            "name": "roc_auc",
            "bound": "min",
            "limit": 0.8,
            "value": 0.87,
            "champion": 0.85,
            "passed": True,
        }
        assert checks["recall"]["passed"] is None, "nobody asked for a bound of it"

    def test_a_number_outside_its_gate_is_told_and_stops_nobody(self, run: Command, ana: Estate) -> None:
        """The release judges it once more, and refuses."""
        ana.evaluated({**EVALUATION, "metrics": {"recall": 0.6}})
        done = run("approve", "churn", "7", *REASON, "--yes")
        assert done.code == 0
        assert "Outside the gates of the file: roc_auc" in done.out, "a number that is missing has not passed"

    @pytest.mark.parametrize(
        ("body", "why"), [(None, "there is no s3://"), ("[1]", "holds no object"), ("{", "is not JSON")]
    )
    def test_evidence_that_cannot_be_read_is_told(self, run: Command, ana: Estate, body: str | None, why: str) -> None:
        from .conftest import BUCKET, client

        key = "churn/runs/1/evaluate/evaluation/evaluation.json"
        if body is None:
            client("s3").delete_object(Bucket=BUCKET, Key=key)
        else:
            client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        done = run("approve", "churn", "7", *REASON, "--dry-run")
        assert done.code == 0
        assert "Its numbers cannot be shown" in done.out
        assert why in done.out

    def test_an_approval_that_stands_is_left_alone(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "6", *REASON, "--yes", "--json")
        assert done.code == 0
        assert done.document["calls"] == [], "a second event of one approval would only be noise"
        assert "nothing is left to do" in done.document["notes"][-1]

    def test_a_verdict_that_was_another_is_said_to_have_been(self, run: Command, ana: Estate) -> None:
        run("reject", "churn", "7", "--reason", "unfair", "--yes")
        done = run("approve", "churn", "7", *REASON, "--yes")
        assert "churn/7 was rejected before" in done.out
        assert "unfair" in done.out

    @pytest.mark.parametrize(
        ("status", "role", "told"),
        [
            ("Approved", "risk-staging-release/0e2ddebb", "was approved before (by ben@risk.example)"),
            (
                "Rejected",
                "risk-staging-rollback/0e2ddebb",
                "was rejected before (by whom, mlestate status --trail says)",
            ),
            (
                "Rejected",
                "risk-hub-approver/cid@risk.example",
                "was rejected before (by cid@risk.example)",
            ),
            (
                "Approved",
                "risk-hub-approver/cid@risk.example",
                "was approved before (by cid@risk.example)",
            ),
        ],
    )
    def test_a_machine_is_never_named_as_who_gave_a_verdict(
        self, run: Command, estate: Estate, status: str, role: str, told: str
    ) -> None:
        """A release and a rollback write to a version as well, and no verdict."""
        number = estate.register(status, **{"approved-by": "ben@risk.example"})
        estate.package(number).last_modified_by = {
            "IamIdentity": {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}"}
        }
        estate.sign_in("risk-hub-approver", "ana@risk.example")
        done = run("reject", "churn", str(number), *REASON, "--dry-run")
        assert told in done.out, done


class TestAgreement:
    def test_it_is_signed_with_the_caller_s_own_id_and_the_release_is_started(
        self, run: Command, passed: Estate
    ) -> None:
        done = run("approve", *AGREE, "--yes")
        assert done.code == 0, done
        (item,) = passed.approvals()
        assert item["person"].endswith(":ana@risk.example"), "the key that IAM holds to `aws:userid`"
        assert (item["version"], item["reason"]) == ("churn/8", "read the report")
        assert passed.started("production-release") == [
            {
                "cause": "person",
                "model": "churn",
                "version": 8,
                "by": "ana@risk.example",
                "reason": "read the report",
            }
        ]
        assert "1 of 2 agreed: the release waits for 1 more" in done.out

    def test_the_last_signature_that_is_needed_is_said_to_be(self, run: Command, passed: Estate) -> None:
        passed.sign("ben@risk.example", 8)
        done = run("approve", *AGREE, "--dry-run")
        assert "1 of 2 agreed so far: ben@risk.example" in done.out
        assert "2 of 2 agreed: the release goes on" in done.out

    def test_who_signs_twice_counts_once(self, run: Command, passed: Estate) -> None:
        assert run("approve", *AGREE, "--yes").code == 0
        done = run("approve", *AGREE, "--yes")
        assert "counts once" in done.out
        assert "1 of 2 agreed: the release waits" in done.out
        assert len(passed.approvals()) == 1

    def test_of_a_version_that_is_in_use_it_says_so(self, run: Command, passed: Estate) -> None:
        passed.write("production", "live", {"version": 8, "previous": None})
        assert "the release waits for 1 more" in run("approve", *AGREE, "--dry-run").out
        passed.sign("ben@risk.example", 8)
        done = run("approve", *AGREE, "--dry-run")
        assert "churn/8 is in use in production already." in done.out
        assert "2 of 2 agreed: the release checks it once more." in done.out

    def test_a_dry_run_signs_nothing(self, run: Command, passed: Estate) -> None:
        document = run("approve", *AGREE, "--dry-run", "--json").document
        assert [each["call"] for each in document["calls"]] == ["dynamodb:PutItem", "stepfunctions:StartExecution"]
        assert json.loads(document["calls"][1]["arguments"]["input"])["version"] == 8
        assert passed.approvals() == []
        assert passed.started("production-release") == []

    def test_where_nobody_may_look_into_the_registry_the_release_is_left_to_do_it(
        self, run: Command, passed: Estate
    ) -> None:
        passed.deny(SageMakerResponse, "describe_model_package")
        done = run("approve", *AGREE, "--yes")
        assert done.code == 0, done
        assert "these credentials may not look. The release does." in done.out

    def test_the_environment_s_own_copy_of_the_numbers_comes_first(self, run: Command, passed: Estate) -> None:
        from .conftest import client

        bucket = Names("aws", "risk", "production", REGION, ACCOUNT).physical("bucket", "artifacts")
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        body = json.dumps({"metrics": {"roc_auc": 0.99}})
        client("s3").put_object(Bucket=bucket, Key="churn/versions/8/evaluation/evaluation.json", Body=body)
        evidence = run("approve", *AGREE, "--dry-run", "--json").document["evidence"]
        assert evidence["source"].startswith(f"s3://{bucket}/churn/versions/8/")
        assert evidence["checks"][0]["value"] == 0.99

    def test_what_was_signed_before_a_refusal_is_said(self, run: Command, passed: Estate) -> None:
        from moto.stepfunctions.responses import StepFunctionResponse

        passed.deny(StepFunctionResponse, "start_execution")
        done = run("approve", *AGREE, "--yes")
        assert done.code == 1
        assert "done: ana@risk.example agrees to churn/8 in production. Not done: the release of churn/8" in done.said
        assert "run the same command again" in done.said
        assert len(passed.approvals()) == 1


class TestRefused:
    def test_who_registered_it_cannot_approve_it(self, run: Command, estate: Estate) -> None:
        estate.sign_in("risk-hub-approver", "mle@risk.example")
        done = run("approve", "churn", "7", *REASON, "--yes")
        assert done.code == 1
        assert "mle@risk.example registered churn/7, and four eyes are asked for" in done.said
        assert run("reject", "churn", "7", *REASON, "--yes").code == 0, "to take one's own work back is no approval"

    def test_who_registered_it_cannot_agree_to_it(self, run: Command, passed: Estate) -> None:
        passed.sign_in("risk-production-approver", "mle@risk.example")
        done = run("approve", *AGREE, "--yes")
        assert (done.code, passed.approvals()) == (1, [])
        assert "four eyes" in done.said

    def test_a_version_that_is_not_there_is_refused(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "9", *REASON, "--yes")
        assert (done.code, done.said.strip()) == (1, "approve: churn has no version 9 in the registry")

    def test_a_version_that_was_not_made_to_its_end_is_refused(self, run: Command, ana: Estate) -> None:
        ana.package(7).model_package_status = "Failed"
        done = run("approve", "churn", "7", *REASON, "--yes")
        assert done.code == 1
        assert "was not made to its end" in done.said

    def test_nobody_agrees_to_what_the_registry_has_not_approved(self, run: Command, passed: Estate) -> None:
        done = run("approve", "churn", "7", "--environment", "production", *REASON, "--yes")
        assert done.code == 1
        assert "churn/7 waits for a verdict in the registry" in done.said
        passed.package(8).set_model_approval_status("Rejected")
        assert "churn/8 was rejected in the registry" in run("approve", *AGREE, "--yes").said

    def test_nobody_agrees_to_what_has_not_passed_the_environment_before(self, run: Command, passed: Estate) -> None:
        done = run("approve", "churn", "6", "--environment", "production", *REASON, "--yes")
        assert done.code == 1
        assert "churn/6 has not passed staging, which comes before production" in done.said

    def test_an_environment_that_asks_nobody_has_nothing_to_agree_to(self, run: Command, passed: Estate) -> None:
        done = run("approve", "churn", "8", "--environment", "staging", *REASON, "--yes")
        assert done.code == 2
        assert "staging asks for no approval of its own" in done.said
        assert "mlestate promote" in done.said

    def test_an_account_that_says_no_is_one_sentence_with_who_may(self, run: Command, estate: Estate) -> None:
        estate.sign_in("risk-hub-ml-engineer", "mle2@risk.example")
        estate.deny(SageMakerResponse, "update_model_package")
        done = run("approve", "churn", "7", *REASON, "--yes")
        assert done.code == 1
        who = f"arn:aws:sts::{ACCOUNT}:assumed-role/risk-hub-ml-engineer/mle2@risk.example"
        role = f"arn:aws:iam::{ACCOUNT}:role/mlestate/risk/risk-hub-approver"
        assert done.said.strip() == (
            f"approve: {who} may not sagemaker:UpdateModelPackage on {SEVEN}; the approver of hub may: take the role "
            f"{role}, by a profile with that role_arn and your own address as role_session_name, and "
            "AWS_PROFILE=risk-hub-approver"
        )

    def test_a_persona_who_may_in_general_hears_what_aws_says(self, run: Command, ana: Estate) -> None:
        """A freeze, a boundary or a condition stands against it: the role alone does not explain that."""
        ana.deny(SageMakerResponse, "update_model_package")
        done = run("approve", "churn", "7", *REASON, "--yes")
        assert done.code == 1
        assert "though that is its work: User is not authorized" in done.said

    def test_a_persona_without_people_is_said_to_have_none(self, run: Command, estate: Estate) -> None:
        estate.sign_in("somebody", "x@risk.example")
        estate.deny(SageMakerResponse, "update_model_package")
        text = ESTATE.replace("  approvers: [ana@risk.example, ben@risk.example]\n", "")
        text = text.replace("promotion: {approval: {production: {minimum: 2}}}\n", "")
        done = run("approve", "churn", "7", *REASON, "--yes", text=text)
        assert "people.approvers of the file names nobody yet" in done.said, done

    def test_credentials_of_another_account_name_both_accounts_and_the_role(self, run: Command, ana: Estate) -> None:
        text = ESTATE.replace("  production: {protect: true}", f'  production: {{protect: true, account: "{OTHER}"}}')
        done = run("approve", *AGREE, "--yes", text=text)
        assert done.code == 1
        assert f"these credentials are of account {ACCOUNT}" in done.said
        assert f"production of risk lies in account {OTHER}" in done.said
        assert f"arn:aws:iam::{OTHER}:role/mlestate/risk/risk-production-approver" in done.said
        assert "AWS_PROFILE=risk-production-approver" in done.said

    def test_an_environment_that_is_not_up_is_said_not_to_be(
        self, run: Command, passed: Estate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from .conftest import client

        client("dynamodb").delete_table(TableName="risk-production-approvals")
        done = run("approve", *AGREE, "--yes")
        assert done.code == 1
        assert "`pulumi up` has not made the table of approvals risk-production-approvals yet" in done.said
        assert "bring production up first" in done.said

    def test_a_machine_that_is_not_there_stops_it_before_anything_is_signed(self, run: Command, passed: Estate) -> None:
        from .conftest import client

        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-production-release"
        client("stepfunctions").delete_state_machine(stateMachineArn=arn)
        done = run("approve", *AGREE, "--yes")
        assert done.code == 1
        assert f"`pulumi up` has not made {arn} yet" in done.said
        assert passed.approvals() == [], "half an agreement would only confuse"

    def test_any_other_answer_of_aws_is_one_sentence(
        self, run: Command, ana: Estate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from moto.core.exceptions import JsonRESTError

        def refused(self: Any) -> Any:
            raise JsonRESTError("ConflictException", "try again")

        monkeypatch.setattr(SageMakerResponse, "update_model_package", refused)
        done = run("approve", "churn", "7", *REASON, "--yes", "--json")
        assert done.code == 1
        assert done.document == {
            "command": "approve",
            "done": False,
            "refused": f"sagemaker:UpdateModelPackage on {SEVEN} was refused: ConflictException: try again",
        }

    def test_a_table_that_may_not_be_read_is_one_sentence(self, run: Command, passed: Estate) -> None:
        passed.deny(DynamoHandler, "query")
        done = run("approve", *AGREE, "--yes")
        assert done.code == 1
        assert "may not dynamodb:Query on" in done.said, done


class TestWrongInput:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["chrun", "7", *REASON], "did you mean 'churn'?"),
            (["churn", "v7", *REASON], "'v7' is no version"),
            (["churn", "0", *REASON], "'0' is no version"),
            (["churn", "7", "--reason", "  "], "--reason is empty"),
            (["churn", "7", *REASON, "--environment", "prod"], "has no environment 'prod'; it has staging, production"),
            (["offline", "7", *REASON, "--environment", "production"], "offline answers nobody in production"),
            (["churn", "7", "--reason", "x" * 1025], "the registry takes 1024"),
        ],
    )
    def test_a_word_that_makes_no_sense_is_refused_with_what_does(
        self, run: Command, ana: Estate, words: list[str], said: str
    ) -> None:
        done = run("approve", *words, "--yes")
        assert done.code == 2, done
        assert said in done.said

    def test_without_a_reason_nothing_is_approved(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "7", "--yes")
        assert done.code == 2
        assert "--reason" in done.said

    def test_where_nobody_can_be_asked_yes_must_be_given(self, run: Command, ana: Estate) -> None:
        done = run("approve", "churn", "7", *REASON)
        assert (done.code, ana.package(7).model_approval_status) == (2, "PendingManualApproval")
        assert "--yes must be given where nobody can be asked" in done.said
        asked = run("approve", "churn", "7", *REASON, "--json", answer="y\n")
        assert (asked.code, ana.package(7).model_approval_status) == (2, "PendingManualApproval")
        assert "--json asks nobody" in asked.said
