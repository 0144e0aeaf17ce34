"""AWS: keys made, given, or left to AWS; who may use one, and who may end one."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from mlestate.blueprint.inventory import Row

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, PEOPLED

GIVEN = (
    MINIMAL
    + """
account: "111111111111"
encryption: {existing: {data: "arn:aws:kms:ca-central-1:111111111111:alias/ours"}}
"""
)


def _algorithms(rows: list[Row]) -> list[dict[str, object]]:
    # S3 writes its access logs under keys of its own alone (S3 user guide, "Enabling server access logging").
    found = all_of(rows, "s3:BucketServerSideEncryptionConfiguration").items()
    return [
        row.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
        for name, row in found
        if not name.endswith("-data-logs")
    ]


def test_keys_that_aws_manages_make_no_key_and_cost_nothing(estate: Recorded) -> None:
    rows = estate(MINIMAL)
    assert all_of(rows, "kms:Key") == {}, "a key bills by the month"
    assert {each["sseAlgorithm"] for each in _algorithms(rows)} == {"AES256"}, "nothing rests in clear all the same"


def test_keys_of_the_user_are_used_and_not_made(estate: Recorded) -> None:
    rows = estate(GIVEN)
    assert all_of(rows, "kms:Key") == {}
    assert all_of(rows, "kms:Alias") == {}
    assert _algorithms(rows)
    for each in _algorithms(rows):
        assert each == {
            "sseAlgorithm": "aws:kms",
            "kmsMasterKeyId": "arn:aws:kms:ca-central-1:111111111111:alias/ours",
        }, "the audit key too is the data's where none is named"


def test_a_key_of_the_estate_turns_over_and_leaves_slowly(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    keys = all_of(rows, "kms:Key")
    assert len(keys) == 3 + 2 * 4, "audit, logs, registry; data, features, logs and models of each environment"
    for row in keys.values():
        assert row.inputs["enableKeyRotation"] is True
        assert row.inputs["deletionWindowInDays"] == 30, "what it encrypted is lost with it, for ever"
    assert one(rows, "kms:Key", "production-keys-data").options["protect"] is True
    assert one(rows, "kms:Key", "hub-keys-registry").options["protect"] is True, "production's images are in the hub"
    assert "protect" not in one(rows, "kms:Key", "staging-keys-data").options


def test_an_account_keeps_the_administration_of_its_keys_without_their_use(estate: Recorded) -> None:
    said = statements(one(estate(ONE_ACCOUNT), "kms:Key", "staging-keys-data").inputs["policy"])
    administer = said["AdministerWithoutUse"]
    assert administer["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert "kms:PutKeyPolicy" in actions(administer), "KMS refuses a policy that locks out its own author"
    assert not {"kms:Decrypt", "kms:CreateGrant", "kms:*"} & set(actions(administer)), (
        "an administrator would read the data, or lend out reading it"
    )
    assert said["UseThroughItsServices"]["Condition"] == {
        "StringEquals": {"kms:ViaService": ["s3.ca-central-1.amazonaws.com"]}
    }
    assert said["GrantToServices"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_nobody_whom_the_trail_records_can_disable_its_key(estate: Recorded) -> None:
    """What an administrator of the account does is recorded, not prevented."""
    said = statements(one(estate(ONE_ACCOUNT), "kms:Key", "hub-keys-audit").inputs["policy"])
    kept = said["KeepFromThoseItRecords"]
    assert kept["Effect"] == "Deny"
    assert {"kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"} <= set(actions(kept))
    assert kept["Condition"] == {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/mlestate/risk/*"}}
    trail = "arn:aws:cloudtrail:ca-central-1:111111111111:trail/risk-hub-audit"
    assert said["EncryptTheTrail"]["Condition"]["StringEquals"] == {"aws:SourceArn": [trail]}, (
        "no other account's trail"
    )
    opened = said["DescribeAndDecryptForTheTrail"]
    assert set(actions(opened)) == {"kms:Decrypt", "kms:DescribeKey"}, "S3 opens the bucket's key for whoever writes"
    assert opened["Condition"] == {"StringEquals": {"aws:SourceArn": [trail]}}


def test_a_key_given_by_its_alias_is_meant_by_a_condition(estate: Recorded) -> None:
    served = GIVEN.replace("{problem: classification}", "{problem: classification, serving: {mode: realtime}}")
    policy = one(estate(served), "iam:RolePolicy", "access-churn-inference").inputs["policy"]
    said = statements(policy)["UseTheKeyOfModels"]
    assert said["Resource"] == ["arn:aws:kms:ca-central-1:111111111111:key/*"], "IAM takes no alias for a resource"
    assert said["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": ["alias/ours"]}
    assert said["Condition"]["StringEquals"] == {"kms:ViaService": ["s3.ca-central-1.amazonaws.com"]}


def test_a_key_given_by_its_id_is_meant_by_it(estate: Recorded) -> None:
    key = "arn:aws:kms:ca-central-1:111111111111:key/11111111-2222-3333-4444-555555555555"
    given = GIVEN.replace("arn:aws:kms:ca-central-1:111111111111:alias/ours", key)
    said = statements(one(estate(given), "iam:RolePolicy", "access-churn-inference").inputs["policy"])
    assert said["UseTheKeyOfModels"]["Resource"] == [key]
    assert "ForAnyValue:StringEquals" not in said["UseTheKeyOfModels"]["Condition"]


def test_an_alarm_reaches_people_through_a_topic_under_the_estates_key(estate: Recorded) -> None:
    """Under the key that AWS manages for SNS, CloudWatch publishes nothing and says so nowhere."""
    said = statements(one(estate(ONE_ACCOUNT), "kms:Key", "staging-keys-logs").inputs["policy"])
    told = said["EncryptWhatIsTold"]
    services = ("budgets", "cloudwatch", "costalerts", "events")
    assert told["Principal"] == {"Service": [f"{each}.amazonaws.com" for each in services]}, "events for queues"
    assert set(actions(told)) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert told["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}, "and no one else's"
    logs = said["EncryptLogs"]
    assert logs["Principal"] == {"Service": "logs.ca-central-1.amazonaws.com"}
    assert logs["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:ca-central-1:111111111111:log-group:*"}
    }


def test_a_machine_and_a_schedule_use_their_key_by_what_they_are_and_through_no_service(estate: Recorded) -> None:
    """Their roles call KMS themselves: held to `kms:ViaService`, no execution would start (Step Functions developer
    guide, "Data at rest encryption"). The access matrix says the same of the roles."""
    said = statements(one(estate(ONE_ACCOUNT), "kms:Key", "staging-keys-logs").inputs["policy"])
    for kind, key, arn in (
        ("Machines", "aws:states:stateMachineArn", "states:ca-central-1:111111111111:stateMachine:risk-staging-*"),
        ("LogsOfMachines", "SourceArn", "logs:ca-central-1:111111111111:*"),
        ("Schedules", "aws:scheduler:schedule:arn", "scheduler:ca-central-1:111111111111:schedule/risk-staging-*/*"),
    ):
        used = said[f"UseBy{kind}"]
        assert used["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}, "whose roles' own policies then decide"
        assert set(actions(used)) == {"kms:Decrypt", "kms:GenerateDataKey"}
        assert used["Condition"] == {"ArnLike": {f"kms:EncryptionContext:{key}": f"arn:aws:{arn}"}}


@pytest.mark.parametrize("slice_", ["hub", "staging", "production"])
def test_an_event_reaches_a_topic_under_the_estates_key_though_eventbridge_sends_no_source(
    estate: Recorded, slice_: str
) -> None:
    """With a condition on `aws:SourceAccount` every event to the topic would be lost in silence (SNS developer guide,
    "Enable compatibility between event sources from AWS services and encrypted topics")."""
    rows = estate(ONE_ACCOUNT)
    told = statements(one(rows, "kms:Key", f"{slice_}-keys-logs").inputs["policy"])["EncryptWhatEventsTell"]
    assert told["Principal"] == {"Service": "events.amazonaws.com"}
    assert set(actions(told)) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    ((operator, condition),) = told["Condition"].items()
    ((key, pattern),) = condition.items()
    assert (operator, key) == ("ArnLike", "kms:EncryptionContext:aws:sns:topicArn"), "which SNS itself fills in"
    for urgency in ("page", "notice"):
        assert fnmatchcase(one(rows, "sns:Topic", f"{slice_}-alerts-{urgency}").outputs["arn"], pattern)


def test_the_key_of_models_encrypts_the_disks_of_jobs(estate: Recorded) -> None:
    said = statements(one(estate(ONE_ACCOUNT), "kms:Key", "staging-keys-models").inputs["policy"])
    through = said["UseThroughItsServices"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert {"ec2.ca-central-1.amazonaws.com", "sagemaker.ca-central-1.amazonaws.com"} <= set(through)
    assert said["GrantToServices"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_nothing_leaves_the_region(estate: Recorded) -> None:
    """A copy elsewhere would be outside the residency; what a user lays over by `raw` is not judged here."""
    for row in estate(PEOPLED):
        said = json.dumps(row.inputs)
        assert not re.search("replica", row.type, re.IGNORECASE), f"{row.name} is a copy"
        assert not re.search('"(?:multiRegion": true|replica|replication)', said, re.IGNORECASE), f"{row.name} copies"
        regions = set(re.findall(r"arn:aws:[a-z0-9-]+:([a-z]{2}-[a-z]+-[0-9]):", said))
        assert regions <= {"ca-central-1"}, f"{row.name} reaches into {regions}"
