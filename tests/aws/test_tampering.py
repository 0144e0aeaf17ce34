"""AWS: who is told at once when someone lays hands on the record, a verdict, or what watches a model.

The patterns are judged by moto's matcher of events, which is not EventBridge's own.
"""

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from .conftest import Recorded, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS
from .trail_records import APPROVER, RELEASE, ROLES, VERSION, event, record

STORE = "risk-hub-audit-logs-"


def _rules(rows: list) -> dict[str, str]:  # type: ignore[type-arg]  # plain data of a checkpoint
    """Patterns by rule, of those that this part made."""
    return {
        row.inputs["name"]: row.inputs["eventPattern"]
        for name, row in all_of(rows, "cloudwatch:EventRule").items()
        if "-audit-" in name or "-recorder-" in name
    }


def _told(rows: list, said: dict[str, Any]) -> list[str]:  # type: ignore[type-arg]  # as above
    return [
        name
        for name, pattern in _rules(rows).items()
        if EventPattern(pattern, json.loads(pattern)).matches_event(event(said))  # type: ignore[arg-type]  # its own class of events is a dict
    ]


TRAIL = "arn:aws:cloudtrail:ca-central-1:111111111111:trail/risk-hub-audit"

TOLD = [
    ("trail-changed", record("cloudtrail", "StopLogging", name=TRAIL)),
    ("trail-changed", record("cloudtrail", "DeleteTrail", name="risk-hub-audit")),
    ("trail-changed", record("cloudtrail", "PutEventSelectors", trailName=TRAIL)),
    ("key-ended", record("kms", "ScheduleKeyDeletion", keyId="1234", pendingWindowInDays=7)),
    ("key-ended", record("kms", "DisableKey", f"{ROLES}risk-hub-ci-apply", keyId="1234")),
    (
        "approved-by-another",
        record("sagemaker", "UpdateModelPackage", f"{ROLES}risk-production-data-scientist", modelPackageArn=VERSION)
        | {"requestParameters": {"modelPackageArn": VERSION, "modelApprovalStatus": "Approved"}},
    ),
    (
        "approved-by-another",
        record("sagemaker", "UpdateModelPackage", modelPackageArn=VERSION, modelApprovalStatus="Rejected"),
    ),
    ("registry-opened", record("sagemaker", "PutModelPackageGroupPolicy", modelPackageGroupName="risk-hub-churn")),
    ("production-endpoint", record("sagemaker", "UpdateEndpoint", endpointName="risk-production-churn")),
    (
        "production-endpoint",
        record("sagemaker", "UpdateEndpoint", f"{ROLES}risk-hub-ci-apply", endpointName="risk-production-churn"),
    ),
    (
        "production-monitors",
        record("sagemaker", "StopMonitoringSchedule", monitoringScheduleName="risk-production-churn-data-drift"),
    ),
]

SILENT = [
    ("another trail", record("cloudtrail", "StopLogging", name="theirs")),
    ("a look at the trail", record("cloudtrail", "GetTrailStatus", name=TRAIL)),
    ("another bucket", record("s3", "PutBucketPolicy", bucketName="theirs")),
    (
        "an approver's verdict",
        record("sagemaker", "UpdateModelPackage", APPROVER, modelPackageArn=VERSION, modelApprovalStatus="Approved"),
    ),
    (
        "a move to another stage",
        record(
            "sagemaker", "UpdateModelPackage", RELEASE, modelPackageArn=VERSION, modelLifeCycle={"stage": "Staging"}
        ),
    ),
    ("a release", record("sagemaker", "UpdateEndpoint", RELEASE, endpointName="risk-production-churn")),
    ("another team's endpoint", record("sagemaker", "UpdateEndpoint", endpointName="theirs")),
]


@pytest.mark.parametrize(("rule", "said"), TOLD, ids=[f"{rule}-{said['eventName']}" for rule, said in TOLD])
def test_a_person_hears_of(estate: Recorded, rule: str, said: dict[str, Any]) -> None:
    assert _told(estate(ONE_ACCOUNT), said) == [f"risk-hub-{rule}"]


def test_a_person_hears_when_the_store_of_the_trail_is_touched(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    bucket = one(rows, "s3:Bucket", "audit-audit-logs").inputs["bucket"]
    for call in (
        "PutBucketPolicy",
        "PutBucketObjectLockConfiguration",
        "PutBucketVersioning",
        "DeleteBucketEncryption",
    ):
        assert _told(rows, record("s3", call, bucketName=bucket)) == ["risk-hub-trail-store-changed"], call


@pytest.mark.parametrize(("what", "said"), SILENT, ids=[what for what, _ in SILENT])
def test_nobody_is_woken_by(estate: Recorded, what: str, said: dict[str, Any]) -> None:
    assert _told(estate(ONE_ACCOUNT), said) == [], f"{what} is no tampering"


def test_tampering_is_told_of_even_where_no_audit_is_asked_for(estate: Recorded) -> None:
    assert "acme-hub-trail-changed" in _rules(estate(MINIMAL)), "rules on AWS's own events cost nothing"


def test_every_rule_pages_in_a_sentence_and_keeps_what_it_could_not_deliver(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    queue = one(rows, "sqs:Queue", "hub-audit-undelivered")
    page = one(rows, "sns:Topic", "hub-alerts-page").outputs["arn"]
    targets = {
        name: row
        for name, row in all_of(rows, "cloudwatch:EventTarget").items()
        if "-hub-audit-" in name and not name.endswith("-calls-unusual")
    }
    assert len(targets) == len(_rules(rows)) - 1
    for row in targets.values():
        assert row.inputs["arn"] == page
        assert row.inputs["deadLetterConfig"] == {"arn": queue.outputs["arn"]}
        said = json.loads(row.inputs["inputTransformer"]["inputTemplate"])
        paths = row.inputs["inputTransformer"]["inputPaths"]
        assert isinstance(said, str), "SNS shows a document as it is; a person wants a sentence"
        for word in ("who", "call", "time", "origin", "account", "region", "error"):
            assert f"<{word}>" in said
            assert paths[word].startswith("$.detail.")


def test_what_cloudtrail_finds_unusual_is_told_in_working_hours(estate: Recorded) -> None:
    """Record: CloudTrail user guide, "CloudTrail record contents for Insights events"."""
    rows = estate(ONE_ACCOUNT)
    found = {
        "awsRegion": "ca-central-1",
        "eventTime": "2026-11-24T09:00:00Z",
        "recipientAccountId": "111111111111",
        "insightDetails": {
            "state": "Start",
            "eventSource": "sagemaker.amazonaws.com",
            "eventName": "CreateModel",
            "insightType": "ApiCallRateInsight",
        },
    }
    pattern = json.loads(_rules(rows)["risk-hub-calls-unusual"])
    event = {"detail-type": "AWS Insight via CloudTrail", "detail": found}
    assert EventPattern(None, pattern).matches_event(event)  # type: ignore[arg-type]  # its own class of events is a dict
    found["insightDetails"]["state"] = "End"  # type: ignore[index]  # as above
    assert not EventPattern(None, pattern).matches_event(event), "its end is no news"  # type: ignore[arg-type]  # as above
    target = one(rows, "cloudwatch:EventTarget", "hub-audit-calls-unusual").inputs
    assert target["arn"] == one(rows, "sns:Topic", "hub-alerts-notice").outputs["arn"]
    assert "calls-unusual" not in str(_rules(estate(MINIMAL))), "the search bills by the event"


def test_only_the_rules_of_the_slice_write_to_its_queue(estate: Recorded) -> None:
    said = statements(one(estate(ONE_ACCOUNT), "sqs:QueuePolicy", "hub-audit-undelivered").inputs["policy"])
    leave = said["LeaveWhatCannotBeDelivered"]
    assert leave["Principal"] == {"Service": "events.amazonaws.com"}
    assert leave["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:events:ca-central-1:111111111111:rule/risk-hub-*"}
    }, "without it any account's rules could write here"
    assert said["RefusePlainHttp"]["Effect"] == "Deny"


def test_what_could_not_be_delivered_raises_an_alarm(estate: Recorded) -> None:
    alarm = one(estate(ONE_ACCOUNT), "cloudwatch:MetricAlarm", "hub-audit-undelivered").inputs
    assert alarm["dimensions"] == {"QueueName": "risk-hub-audit-undelivered"}
    assert alarm["alarmActions"]


def test_a_rule_stands_where_its_events_are_seen(estate: Recorded) -> None:
    """EventBridge sees a call in the account that made it, so an environment elsewhere has rules of its own."""
    rules = _rules(estate(THREE_ACCOUNTS))
    assert "risk-production-production-endpoint" in rules
    assert "risk-production-trail-changed" in rules
    assert "risk-hub-production-endpoint" not in rules


def test_making_the_record_is_no_tampering_with_it(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    trail = one(rows, "cloudtrail:Trail", "hub-audit-trail").urn
    for name, row in all_of(rows, "cloudwatch:EventRule").items():
        if "-hub-audit-" in name:
            assert trail in row.dependencies, "a rule that is there first wakes someone at every first `up`"
