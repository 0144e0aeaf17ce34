"""AWS: what an auditor asks of the trail, and who can have it otherwise answered.

The questions run on SQLite with Athena's few functions beside it; that Athena itself takes them is not shown here.
"""

import json
import re
import sqlite3
from typing import Any

import pytest

from mlestate.aws.questions import COLUMNS, Question, questions
from mlestate.names import Names

from .conftest import Recorded, all_of, one
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS
from .trail_records import APPROVER, RELEASE, ROLES, VERSION, record

HUB = Names("aws", "risk", "hub", "ca-central-1", "111111111111")
QUESTIONS = {each.title: each for each in questions(HUB)}


def _scalar(text: str | None, path: str) -> str | None:
    """Athena's `json_extract_scalar`: a value by its path, nothing where there is none or it is no scalar."""
    value: Any = json.loads(text) if text else None
    for plain, quoted in re.findall(r'\.(\w+)|\["([^"]+)"\]', path):
        value = value.get(plain or quoted) if isinstance(value, dict) else None
    return None if value is None or isinstance(value, dict | list) else str(value)


def _answered(question: Question, *said: dict[str, Any]) -> list[dict[str, Any]]:
    base = sqlite3.connect(":memory:")
    base.row_factory = sqlite3.Row
    base.execute("PRAGMA case_sensitive_like = ON")
    base.create_function("json_extract_scalar", 2, _scalar)
    columns = [*COLUMNS, *(f"useridentity_{part}" for part in ("arn", "invokedby", "type")), "account", "day"]
    base.execute(f"CREATE TABLE trail ({', '.join(columns)})")
    for each in said:
        row = {name.lower(): json.dumps(value) if isinstance(value, dict) else value for name, value in each.items()}
        row["readonly"] = str(each["readOnly"]).lower()
        row |= {
            f"useridentity_{name.lower()}": value
            for name, value in each["userIdentity"].items()
            if name in ("arn", "type")
        }
        row |= {"account": each["recipientAccountId"], "day": "2026/11/24"}
        marks = ", ".join("?" * len(columns))
        values = [row.get(column) for column in columns]
        base.execute(f"INSERT INTO trail VALUES ({marks})", values)  # noqa: S608  # nothing in it but marks
    query = re.sub(r"date_format\(.*\)", "'2026/11/01'", question.query).replace("useridentity.", "useridentity_")
    return [dict(row) for row in base.execute(query)]


def _data(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "eventCategory": "Data"}


VERDICT = record(
    "sagemaker",
    "UpdateModelPackage",
    APPROVER,
    modelPackageArn=VERSION,
    modelApprovalStatus="Approved",
    approvalDescription="RISK-12",
)
STAGED = record(
    "sagemaker", "UpdateModelPackage", RELEASE, modelPackageArn=VERSION, modelLifeCycle={"stage": "Staging"}
)
DEPLOYED = record(
    "sagemaker",
    "UpdateEndpoint",
    RELEASE,
    endpointName="risk-production-churn",
    endpointConfigName="risk-production-churn-7",
)
STARTED = record(
    "states",
    "StartExecution",
    f"{ROLES}risk-production-operator",
    stateMachineArn="arn:aws:states:ca-central-1:111111111111:stateMachine:risk-production-release",
)
FEATURES = _data(
    record(
        "sagemaker",
        "GetRecord",
        f"{ROLES}risk-production-churn-inference",
        featureGroupName="risk-production-transactions",
    )
)
DECRYPTED = record(
    "kms",
    "Decrypt",
    f"{ROLES}risk-staging-data-scientist",
    encryptionContext={"aws:s3:arn": "arn:aws:s3:::risk-production-raw-abc123"},
)
ROLE = record("iam", "PutRolePolicy", roleName="risk-hub-approver", policyName="approver")
POLICY = record(
    "iam", "CreatePolicyVersion", policyArn="arn:aws:iam::111111111111:policy/mlestate/risk/risk-hub-boundary"
)
KEY = record("kms", "PutKeyPolicy", keyId="1234")
BUCKET = record("s3", "PutBucketPolicy", bucketName="risk-hub-audit-logs-abc123")
GROUP = record("sagemaker", "PutModelPackageGroupPolicy", modelPackageGroupName="risk-hub-churn")
STOPPED = record("cloudtrail", "StopLogging", name="risk-hub-audit")
PASSED = record("sagemaker", "CreateModel", modelName="m", executionRoleArn=f"{ROLES}risk-production-churn-inference")
TAKEN = record("sts", "AssumeRole", roleArn=APPROVER)
LOOKED = record("sagemaker", "DescribeModelPackage", modelPackageName=VERSION)
THEIRS = [
    record("iam", "PutRolePolicy", roleName="theirs"),
    record("s3", "PutBucketPolicy", bucketName="theirs"),
    record("sagemaker", "CreateModel", modelName="m", executionRoleArn="arn:aws:iam::111111111111:role/theirs"),
    record("sagemaker", "UpdateEndpoint", endpointName="theirs"),
    record("sts", "AssumeRole", roleArn="arn:aws:iam::111111111111:role/theirs"),
    record("kms", "Decrypt", encryptionContext={"aws:s3:arn": "arn:aws:s3:::theirs"}),
]
SIGNED_IN = {**record("signin", "ConsoleLogin"), "additionalEventData": {"MFAUsed": "Yes"}}

ANSWERS = {
    "who approved": [VERDICT],
    "who deployed": [DEPLOYED, STARTED],
    "who read": [FEATURES, DECRYPTED],
    "who changed": [ROLE, POLICY, KEY, BUCKET, GROUP, STOPPED],
    "who passed a role": [PASSED],
    "who signed in": [SIGNED_IN, TAKEN],
}
EVERYTHING = [each for answers in ANSWERS.values() for each in answers] + [STAGED, LOOKED, *THEIRS]


@pytest.mark.parametrize("title", ANSWERS)
def test_a_question_finds_what_it_asks_for_and_nothing_else(title: str) -> None:
    found = _answered(QUESTIONS[title], *EVERYTHING)
    wanted = sorted((said["eventName"], said["userIdentity"]["arn"]) for said in ANSWERS[title])
    assert sorted((row["eventname"], row["who"]) for row in found) == wanted


def test_a_verdict_is_answered_with_the_version_and_the_reason() -> None:
    [row] = _answered(QUESTIONS["who approved"], VERDICT)
    assert (row["version"], row["verdict"], row["reason"]) == (VERSION, "Approved", "RISK-12")
    assert row["who"].endswith("assumed-role/risk-hub-approver/ana"), "a person, not a role"


def test_a_sign_in_says_whether_there_was_a_second_factor() -> None:
    [row] = _answered(QUESTIONS["who signed in"], SIGNED_IN)
    assert row["second_factor"] == "Yes"


def test_every_question_is_saved_with_the_table_that_it_reads(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    saved = all_of(rows, "athena:NamedQuery").values()
    assert {row.inputs["name"] for row in saved} >= set(QUESTIONS)
    for row in saved:
        if row.inputs["name"] in QUESTIONS:
            assert row.inputs["database"] == "risk_hub_audit"
            assert row.inputs["workgroup"] == "risk-hub-audit"
    assert not [name for name in all_of(estate(MINIMAL), "athena:NamedQuery") if "-hub-" in name]


def test_the_table_reads_the_files_where_trails_write_them(estate: Recorded) -> None:
    """Layout: CloudTrail user guide, "Finding your CloudTrail log files"."""
    rows = estate(THREE_ACCOUNTS + "audit: {retention: 2y}\n")
    store = one(rows, "s3:Bucket", "audit-audit-logs").inputs["bucket"]
    table = one(rows, "glue:CatalogTable", "hub-audit-questions").inputs
    said = table["parameters"]
    assert said["storage.location.template"] == f"s3://{store}/AWSLogs/${{account}}/CloudTrail/${{region}}/${{day}}"
    assert said["projection.account.values"] == "111111111111,222222222222,333333333333"
    assert "us-east-1" in said["projection.region.values"].split(","), "calls of IAM are filed there"
    assert said["projection.day.range"] == "NOW-731DAYS,NOW", "as long as the trail is kept"
    keys = [key["name"] for key in table["partitionKeys"]]
    assert all(f"projection.{key}.type" in said for key in keys), "Athena wants every partition projected, or none"
    assert not set(keys) & set(COLUMNS), "Glue refuses a column that is also a partition"


def test_whoever_asks_cannot_have_the_answer_elsewhere_or_in_the_clear(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    settings = one(rows, "athena:Workgroup", "hub-audit-questions").inputs["configuration"]
    assert settings["enforceWorkgroupConfiguration"] is True
    assert settings["resultConfiguration"]["encryptionConfiguration"] == {
        "encryptionOption": "SSE_KMS",
        "kmsKeyArn": one(rows, "kms:Key", "hub-keys-audit").outputs["arn"],
    }
    bucket = one(rows, "s3:Bucket", "audit-answers").inputs["bucket"]
    assert settings["resultConfiguration"]["outputLocation"] == f"s3://{bucket}/"
    assert settings["bytesScannedCutoffPerQuery"] == 107_374_182_400, "a careless question would read years"
