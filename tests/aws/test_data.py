"""AWS: where data rests, how long, and what keeps it."""

import pytest

from .conftest import Recorded, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT

ROLES = ["raw", "curated", "artifacts", "capture"]


@pytest.mark.parametrize("role", ROLES)
def test_a_bucket_is_versioned_private_and_reached_over_tls_alone(estate: Recorded, role: str) -> None:
    rows, name = estate(ONE_ACCOUNT), f"production-data-{role}"
    bucket = one(rows, "s3:Bucket", name).inputs
    assert bucket["bucket"].startswith(f"risk-production-{role}-")
    assert bucket["forceDestroy"] is False, "a bucket with data in it must stop a `destroy`"
    assert bucket["tags"]["owner"] == "ml@risk.example"
    assert one(rows, "s3:BucketVersioning", name).inputs["versioningConfiguration"] == {"status": "Enabled"}
    block = one(rows, "s3:BucketPublicAccessBlock", name).inputs
    assert [block[key] for key in sorted(block) if key != "bucket"] == [True] * 4, "any one left open publishes"
    assert one(rows, "s3:BucketOwnershipControls", name).inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    assert one(rows, "s3:BucketNotification", name).inputs["eventbridge"] is True
    encryption = one(rows, "s3:BucketServerSideEncryptionConfiguration", name).inputs["rules"][0]
    assert encryption["bucketKeyEnabled"] is True, "without it every object is a billed KMS request"
    plain = statements(one(rows, "s3:BucketPolicy", name).inputs["policy"])["RefusePlainHttp"]
    assert (plain["Effect"], plain["Principal"], plain["Action"]) == ("Deny", "*", "s3:*")
    assert plain["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert plain["Resource"] == [f"arn:aws:s3:::{bucket['bucket']}", f"arn:aws:s3:::{bucket['bucket']}/*"]


def test_settings_of_a_bucket_are_resources_of_their_own(estate: Recorded) -> None:
    for row in all_of(estate(ONE_ACCOUNT), "s3:Bucket").values():
        assert set(row.inputs) - {"__defaults"} <= {"bucket", "tags", "forceDestroy", "objectLockEnabled"}, (
            "an inline setting and its own resource undo each other at every update"
        )


def test_only_a_protected_environment_refuses_to_lose_its_data(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    for role in ROLES:
        assert one(rows, "s3:Bucket", f"production-data-{role}").options["protect"] is True
        assert "protect" not in one(rows, "s3:Bucket", f"staging-data-{role}").options
    assert one(rows, "glue:CatalogDatabase", "production-data-curated").options["protect"] is True


def test_what_is_deleted_can_be_brought_back_and_goes_after_ninety_days(estate: Recorded) -> None:
    rules = one(estate(MINIMAL), "s3:BucketLifecycleConfiguration", "data-raw").inputs["rules"]
    assert [rule["id"] for rule in rules] == ["tidy"], "nothing current expires where no retention is written"
    assert rules[0]["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    assert rules[0]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}, "parts bill and nobody sees them"


def test_a_dataset_expires_as_its_retention_says_and_others_stay(estate: Recorded) -> None:
    rules = one(estate(ONE_ACCOUNT), "s3:BucketLifecycleConfiguration", "staging-data-raw").inputs["rules"]
    expiring = {rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules if "expiration" in rule}
    assert expiring == {"lake/transactions/": 731}, "2y, rounded up to whole days; customers has no retention"


def test_what_people_sent_a_model_goes_after_ninety_days(estate: Recorded) -> None:
    rules = one(estate(ONE_ACCOUNT), "s3:BucketLifecycleConfiguration", "staging-data-capture").inputs["rules"]
    expiring = {rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules if "expiration" in rule}
    assert expiring == {f"{model}/": 90 for model in ("churn", "fraud", "later", "offline", "vision")}


def test_a_dataset_is_an_address_in_the_raw_bucket(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    data = next(row for row in rows if row.type == "mlestate:aws:Data" and "staging" in row.name)
    raw = one(rows, "s3:Bucket", "staging-data-raw").inputs["bucket"]
    assert data.outputs["stores"]["raw"] == f"s3://{raw}"
    assert data.outputs["datasets"]["transactions"] == f"s3://{raw}/lake/transactions/"


def test_the_policy_waits_for_the_access_block(estate: Recorded) -> None:
    """S3 answers OperationAborted to two changes of one bucket's access at the same moment."""
    rows = estate(MINIMAL)
    block = one(rows, "s3:BucketPublicAccessBlock", "data-raw")
    assert block.urn in one(rows, "s3:BucketPolicy", "data-raw").dependencies
