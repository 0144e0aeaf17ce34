"""AWS: a trail that those it records cannot alter, and what it costs to have one."""

import pytest

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS

TRAIL = "arn:aws:cloudtrail:ca-central-1:111111111111:trail/risk-hub-audit"


def _selectors(rows: list) -> dict[str, dict[str, dict]]:  # type: ignore[type-arg]  # plain data of a checkpoint
    chosen = one(rows, "cloudtrail:Trail", "trail").inputs["advancedEventSelectors"]
    return {each["name"]: {field["field"]: field for field in each["fieldSelectors"]} for each in chosen}


def test_a_trail_records_every_region_and_proves_its_files(estate: Recorded) -> None:
    trail = one(estate(ONE_ACCOUNT), "cloudtrail:Trail", "trail").inputs
    assert trail["isMultiRegionTrail"] is True, "or an intruder works from another region unseen"
    assert trail["includeGlobalServiceEvents"] is True
    assert trail["enableLogFileValidation"] is True
    assert trail["enableLogging"] is True
    assert trail["kmsKeyId"] == one(estate(ONE_ACCOUNT), "kms:Key", "hub-keys-audit").outputs["arn"]


def test_what_bills_by_the_event_comes_only_when_it_is_asked_for(estate: Recorded) -> None:
    assert set(_selectors(estate(MINIMAL))) == {"Management"}, "the first copy of these is free"
    assert all_of(estate(MINIMAL), "accessanalyzer:Analyzer") == {}, "an account takes one, and may have one"
    assert set(_selectors(estate(ONE_ACCOUNT))) == {
        "Management",
        "Features",
        "Endpoints",
        "Writes to the estate's buckets",
    }, "a selector of data events replaces the management events unless these are among them"
    assert one(estate(ONE_ACCOUNT), "accessanalyzer:Analyzer", "external-access").inputs["type"] == "ACCOUNT"


def test_writes_to_every_bucket_of_the_account_are_recorded_and_reads_are_not(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    written = _selectors(rows)["Writes to the estate's buckets"]
    assert written["readOnly"]["equals"] == ["false"], "reads of training data are many, and bill"
    buckets = [row.inputs["bucket"] for row in all_of(rows, "s3:Bucket").values() if "-hub-" not in row.name]
    assert sorted(written["resources.ARN"]["startsWiths"]) == sorted(f"arn:aws:s3:::{name}/" for name in buckets)


def test_only_this_trail_writes_to_its_store_and_nobody_deletes_from_it(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    bucket = one(rows, "s3:Bucket", "audit-logs").inputs["bucket"]
    said = statements(one(rows, "s3:BucketPolicy", "audit-logs").inputs["policy"])
    write = said["WriteTheTrail"]
    assert write["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert write["Resource"] == f"arn:aws:s3:::{bucket}/AWSLogs/111111111111/*"
    assert write["Condition"]["StringEquals"]["aws:SourceArn"] == TRAIL
    others = said["RefuseOtherWriters"]
    assert (others["Effect"], others["Principal"], others["Action"]) == ("Deny", "*", "s3:PutObject")
    assert others["Condition"] == {"StringNotEquals": {"aws:SourceArn": TRAIL}}
    deletion = said["RefuseDeletion"]
    assert (deletion["Effect"], deletion["Principal"]) == ("Deny", "*")
    assert set(actions(deletion)) == {"s3:DeleteObject", "s3:DeleteObjectVersion"}


def test_a_trail_waits_until_its_store_lets_it_write(estate: Recorded) -> None:
    rows = estate(MINIMAL)
    assert one(rows, "s3:BucketPolicy", "audit-logs").urn in one(rows, "cloudtrail:Trail", "trail").dependencies


def _with(lock: str) -> str:
    """A compliance lock is only accepted where something is protected: it would stop `destroy` half-way."""
    protect = "true" if lock == "compliance" else "false"
    return MINIMAL + f"audit: {{retention: 90d, lock: {lock}}}\nenvironments: {{production: {{protect: {protect}}}}}\n"


@pytest.mark.parametrize(("lock", "mode"), [("none", None), ("governance", "GOVERNANCE"), ("compliance", "COMPLIANCE")])
def test_a_lock_holds_for_the_retention_and_can_always_be_added(estate: Recorded, lock: str, mode: str | None) -> None:
    rows = estate(_with(lock))
    assert one(rows, "s3:Bucket", "audit-logs").inputs["objectLockEnabled"] is True, "S3 takes this at birth alone"
    modes = [
        row.inputs["rule"]["defaultRetention"] for row in all_of(rows, "s3:BucketObjectLockConfiguration").values()
    ]
    assert modes == ([{"mode": mode, "days": 90}] if mode else [])


def test_a_record_under_a_compliance_lock_outlives_the_estate(estate: Recorded) -> None:
    kept = one(estate(_with("compliance")), "s3:Bucket", "audit-logs")
    assert kept.options["protect"] is True
    assert kept.options["retainOnDelete"] is True, "S3 itself deletes it for no one"
    for lock in ("none", "governance"):
        loose = one(estate(_with(lock)), "s3:Bucket", "audit-logs")
        assert not {"protect", "retainOnDelete"} & set(loose.options)
        assert loose.inputs["forceDestroy"] is (lock == "none"), "a lock is lifted by a person, not by `destroy`"


def test_an_environment_elsewhere_is_not_said_to_be_recorded(estate: Recorded) -> None:
    """The trail of one account sees nothing of another's; the docstring of Audit says so to the reader."""
    assert "Writes to the estate's buckets" not in _selectors(estate(THREE_ACCOUNTS + "audit: {retention: 1y}\n"))
