"""What counts as a record of who used data, and who is kept from altering it."""

import json
from typing import Any

from mlestate_policies.any.audit import stores_are_audited
from mlestate_policies.any.tampering import audit_cannot_be_altered
from mlestate_policies.resources import Estate
from mlestate_policies.rules import StackCheck, Undecided
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.cases import resources

TRAIL_ARN = "arn:aws:cloudtrail:ca-central-1:1:trail/shop"
KEY = "arn:aws:kms:ca-central-1:1:key/audit"
ESTATE: dict[str, dict[str, Any]] = {
    "audit": {"type": "aws:s3/bucket:Bucket", "properties": {"bucket": "shop-audit"}},
    "lock": {
        "type": "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "properties": {"bucket": "shop-audit", "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 400}}},
    },
    "trail": {
        "type": "aws:cloudtrail/trail:Trail",
        "properties": {"arn": TRAIL_ARN, "s3BucketName": "shop-audit", "kmsKeyId": KEY},
    },
}


def trainer(*statements: dict[str, Any]) -> dict[str, dict[str, Any]]:
    trains = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
    policy = json.dumps({"Statement": [trains, *statements]})
    properties = {"arn": "arn:aws:iam::1:role/trainer", "inlinePolicies": [{"policy": policy}]}
    return {"trainer": {"type": "aws:iam/role:Role", "properties": properties}}


def may(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def said(rule: StackCheck, *more: dict[str, Any]) -> list[str]:
    entries = {name: entry for each in (ESTATE, *more) for name, entry in each.items()}
    found = rule(Estate(resources(entries)), Settings())
    return [f"? {each.path}" if isinstance(each, Undecided) else each.message for each in found]


def selectors(*values: str, **more: Any) -> dict[str, dict[str, Any]]:
    """The trail with data events, and a bucket of data."""
    data = [{"dataResources": [{"type": "AWS::S3::Object", "values": list(values)}], **more}]
    trail = {**ESTATE["trail"], "properties": {**ESTATE["trail"]["properties"], "eventSelectors": data}}
    return {"trail": trail, "data": {"type": "aws:s3/bucket:Bucket", "properties": {"bucket": "shop-data"}}}


def test_a_selector_on_all_buckets_covers_each() -> None:
    for value in ("arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3:::shop-data/"):
        assert not said(stores_are_audited, selectors(value)), value
    for value in ("arn:aws:s3:::shop-data/curated/", "arn:aws:s3:::shop-dat/", "arn:aws:s3:::other/"):
        assert said(stores_are_audited, selectors(value)), value


def advanced(*fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    kind = {"field": "resources.type", "equals": ["AWS::S3::Object"]}
    trail = {**ESTATE["trail"]["properties"], "advancedEventSelectors": [{"fieldSelectors": [kind, *fields]}]}
    return {**selectors(), "trail": {**ESTATE["trail"], "properties": trail}}


def test_an_advanced_selector_may_say_what_it_leaves_out() -> None:
    def on(*beginnings: str) -> dict[str, Any]:
        return {"field": "resources.ARN", "notStartsWiths": list(beginnings)}

    assert not said(stores_are_audited, advanced(on("arn:aws:s3:::shop-audit/")))
    assert said(stores_are_audited, advanced(on("arn:aws:s3:::shop-audit/", "arn:aws:s3:::shop-data/")))
    assert said(stores_are_audited, advanced(on(UNKNOWN)))[0].startswith("?")


def test_an_advanced_selector_without_reads_records_writes() -> None:
    (message,) = said(stores_are_audited, advanced({"field": "readOnly", "notEquals": ["true"]}))
    assert "nothing records reads of" in message
    assert not said(stores_are_audited, advanced({"field": "readOnly", "equals": ["true", "false"]}))


def test_a_lock_may_stand_in_the_bucket_itself() -> None:
    retention = {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 400}}}
    inside = {"type": "aws:s3/bucket:Bucket", "properties": {"bucket": "old", "objectLockConfiguration": retention}}
    trail = {"type": "aws:cloudtrail/trail:Trail", "properties": {"s3BucketName": "old"}}
    assert not said(audit_cannot_be_altered, {"old": inside, "old-trail": trail})
    assert said(audit_cannot_be_altered, {"old": {**inside, "properties": {"bucket": "old"}}, "old-trail": trail})


def test_two_halves_of_a_record_make_a_whole_one() -> None:
    half = selectors("arn:aws:s3", readWriteType="ReadOnly")
    assert said(stores_are_audited, half) == ["data: nothing records writes of its objects; something has to"]
    half["trail"]["properties"]["eventSelectors"] += [
        {"readWriteType": "WriteOnly", "dataResources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]}
    ]
    assert not said(stores_are_audited, half)


def test_a_selector_that_is_not_known_yet_may_cover() -> None:
    unread = selectors(UNKNOWN)
    assert said(stores_are_audited, unread) == ["? eventSelectors[0].dataResources[0].values[0]"]
    unread["trail"]["links"] = {"eventSelectors": ["data"]}
    assert not said(stores_are_audited, unread)


def test_the_store_of_the_record_needs_no_record_of_its_own() -> None:
    assert not said(stores_are_audited)


def test_a_record_beside_the_data_does_not_excuse_the_data() -> None:
    flows = {"type": "aws:ec2/flowLog:FlowLog", "properties": {"logDestination": "arn:aws:s3:::shop-data"}}
    flows["links"] = {"logDestination": ["data"]}
    nowhere = selectors("arn:aws:s3:::elsewhere/")
    assert not said(stores_are_audited, nowhere, {"flows": flows})
    model = {"type": "aws:sagemaker/model:Model", "links": {"primaryContainer": ["data"]}}
    assert said(stores_are_audited, nowhere, {"flows": flows, "model": model})


def test_who_trains_may_write_data_but_not_touch_the_record() -> None:
    assert not said(audit_cannot_be_altered, trainer(may("s3:*", "arn:aws:s3:::shop-data/*")))
    assert said(audit_cannot_be_altered, trainer(may("s3:*", "arn:aws:s3:::shop-*")))
    assert said(audit_cannot_be_altered, trainer(may("s3:BypassGovernanceRetention")))
    assert said(audit_cannot_be_altered, trainer(may("cloudtrail:StopLogging", TRAIL_ARN)))
    assert not said(audit_cannot_be_altered, trainer(may("cloudtrail:StopLogging", f"{TRAIL_ARN}-of-others")))


def test_a_right_on_keys_of_another_name_is_none_on_the_key_of_the_record() -> None:
    named = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/shop-logs"}}
    assert said(audit_cannot_be_altered, trainer(may("kms:GenerateDataKey")))
    assert not said(audit_cannot_be_altered, trainer(may("kms:GenerateDataKey", Condition=named)))
    alias = {"type": "aws:kms/alias:Alias", "properties": {"name": "alias/shop-logs", "targetKeyArn": KEY}}
    assert said(audit_cannot_be_altered, {"alias": alias}, trainer(may("kms:GenerateDataKey", Condition=named)))


def test_a_bucket_that_refuses_all_but_one_keeps_the_others_out() -> None:
    but = {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/auditor"}}
    refuses = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": but}
    policy = {
        "type": "aws:s3/bucketPolicy:BucketPolicy",
        "properties": {"bucket": "shop-audit", "policy": json.dumps({"Statement": refuses})},
    }
    assert not said(audit_cannot_be_altered, {"policy": policy}, trainer(may("s3:Delete*")))


def test_who_does_not_work_with_models_is_not_asked_about() -> None:
    admin = trainer(may("cloudtrail:*"))
    admin["trainer"]["properties"]["inlinePolicies"] = [{"policy": json.dumps({"Statement": [may("cloudtrail:*")]})}]
    assert not said(audit_cannot_be_altered, admin)


def test_nonsense_breaks_nothing() -> None:
    for odd in (3, "x", ["x"], [{"fieldSelectors": 3}], [{"dataResources": [{"values": 3}]}]):
        properties = {"eventSelectors": odd, "advancedEventSelectors": odd, "enableLogging": "x", "kmsKeyId": odd}
        list(said(stores_are_audited, selectors(), {"trail": {**ESTATE["trail"], "properties": properties}}))
        list(said(audit_cannot_be_altered, {"trail": {**ESTATE["trail"], "properties": properties}}))
