"""AWS: where data rests, how long, and what keeps it."""

import pytest

from mlestate.aws.tables import READERS
from tests.config.said import AWS, at_mark

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


@pytest.mark.parametrize(
    ("capture", "days"), [("", 366), ("capture: {sample: 1}", 366), ("capture: {retention: 5y}", 1827)]
)
def test_what_a_decision_was_made_from_stays_as_long_as_the_law_asks(estate: Recorded, capture: str, days: int) -> None:
    text = (
        MINIMAL.replace("models:", "residency: quebec\nmodels:")
        + f"  loans: {{problem: classification, automated_decision: true, serving: {{mode: realtime, {capture}}}}}\n"
    )
    rules = one(estate(text), "s3:BucketLifecycleConfiguration", "data-capture").inputs["rules"]
    expiring = {rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules if "expiration" in rule}
    assert expiring == {"churn/": 90, "loans/": days}


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


@pytest.mark.parametrize("role", ROLES)
def test_who_reached_a_bucket_is_recorded_by_day_in_another(estate: Recorded, role: str) -> None:
    rows = estate(ONE_ACCOUNT)
    logging = one(rows, "s3:BucketLogging", f"production-data-{role}").inputs
    assert logging["bucket"] == one(rows, "s3:Bucket", f"production-data-{role}").inputs["bucket"]
    assert logging["targetBucket"] == one(rows, "s3:Bucket", "production-data-logs").inputs["bucket"]
    assert logging["targetPrefix"] == f"{role}/"
    assert logging["targetObjectKeyFormat"] == {"partitionedPrefix": {"partitionDateSource": "EventTime"}}


def test_records_of_access_are_delivered_by_s3_alone_for_the_buckets_of_this_environment(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    logs = one(rows, "s3:Bucket", "production-data-logs")
    policy = one(rows, "s3:BucketPolicy", "production-data-logs")
    deliver = statements(policy.inputs["policy"])["DeliverAccessLogs"]
    assert deliver["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert (deliver["Action"], deliver["Resource"]) == ("s3:PutObject", f"arn:aws:s3:::{logs.inputs['bucket']}/*")
    assert deliver["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}
    sources = [one(rows, "s3:Bucket", f"production-data-{role}").inputs["bucket"] for role in ROLES]
    assert deliver["Condition"]["ArnLike"] == {"aws:SourceArn": [f"arn:aws:s3:::{name}" for name in sources]}
    assert policy.urn in one(rows, "s3:BucketLogging", "production-data-raw").dependencies


def test_a_bucket_of_records_is_one_that_s3_delivers_to(estate: Recorded) -> None:
    """S3 user guide, "Enabling Amazon S3 server access logging": no Object Lock, no logging of its own; a customer's
    key would have to admit the delivery service."""
    rows = estate(ONE_ACCOUNT)
    logs = one(rows, "s3:Bucket", "production-data-logs")
    assert "objectLockEnabled" not in logs.inputs
    assert not [name for name in all_of(rows, "s3:BucketLogging") if name.endswith("data-logs")], "a loop of records"
    rules = one(rows, "s3:BucketServerSideEncryptionConfiguration", "production-data-logs").inputs["rules"]
    assert rules[0]["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"
    expiry = one(rows, "s3:BucketLifecycleConfiguration", "production-data-logs").inputs["rules"]
    assert [rule["expiration"] for rule in expiry if "expiration" in rule] == [{"days": 365}]


def test_records_that_come_by_themselves_do_not_stop_a_destroy(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    assert one(rows, "s3:Bucket", "staging-data-logs").inputs["forceDestroy"] is True
    kept = one(rows, "s3:Bucket", "production-data-logs")
    assert (kept.inputs["forceDestroy"], kept.options["protect"]) == (False, True)


def test_the_curated_database_lies_in_its_bucket(estate: Recorded) -> None:
    """So that Spark and Athena make an Iceberg table by its name alone."""
    rows = estate(MINIMAL)
    bucket = one(rows, "s3:Bucket", "data-curated").inputs["bucket"]
    assert one(rows, "glue:CatalogDatabase", "data-curated").inputs["locationUri"] == f"s3://{bucket}/"


def _described(format_: str) -> str:
    return MINIMAL + (
        "data:\n  datasets:\n    card-payments:\n      path: lake/payments/\n"
        f"      format: {format_}\n"
        "      columns: {Customer: string, amount: float, items: int, refunded: bool, at: timestamp}\n"
        "    notes: {path: lake/notes/, format: iceberg}\n"
    )


@pytest.mark.parametrize(("format_", "time"), [("parquet", "timestamp"), ("csv", "string"), ("json", "string")])
def test_a_dataset_that_names_its_columns_is_a_table(estate: Recorded, format_: str, time: str) -> None:
    """Proves what Glue is told; that Athena reads such files by it is in its user guide and not shown here."""
    rows = estate(_described(format_))
    table = one(rows, "glue:CatalogTable", "data-raw-card-payments").inputs
    assert (table["name"], table["databaseName"]) == ("card_payments", "acme_production_raw")
    raw = one(rows, "s3:Bucket", "data-raw").inputs["bucket"]
    descriptor = table["storageDescriptor"]
    assert descriptor["location"] == f"s3://{raw}/lake/payments/"
    assert descriptor["serDeInfo"]["serializationLibrary"] == READERS[format_].serializer
    assert [(each["name"], each["type"]) for each in descriptor["columns"]] == [
        ("customer", "string"),
        ("amount", "double"),
        ("items", "bigint"),
        ("refunded", "boolean"),
        ("at", time),
    ], "in the order of the files, in lower case as Glue keeps them"
    assert table["parameters"].get("skip.header.line.count") == ("1" if format_ == "csv" else None)


def test_a_dataset_without_columns_is_files_alone(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    assert not [name for name in all_of(rows, "glue:CatalogTable") if "-data-" in name]
    assert not [name for name in all_of(rows, "glue:CatalogDatabase") if name.endswith("-raw")]
    assert "data-raw-notes" not in str(all_of(estate(_described("csv")), "glue:CatalogTable"))


BAD = {
    "an iceberg table with columns": (
        "data: {datasets: {tx: {path: lake/tx/, format: iceberg, «columns: {a: int}}}}\n",
        (
            "data.datasets.tx.columns",
            "would be read by no one: an iceberg table keeps its columns itself. Remove them; whoever writes it first "
            "makes it, and changes it after.",
        ),
    ),
    "an iceberg table that S3 expires": (
        "data: {datasets: {tx: {path: lake/tx/, format: iceberg, retention: «2y}}}\n",
        (
            "data.datasets.tx.retention",
            "'2y' would delete files that the iceberg table still lists, and break it. Remove the line, and delete old "
            "rows in the table.",
        ),
    ),
    "columns that differ in capitals": (
        "data: {datasets: {tx: {path: lake/tx/, columns: {amount: int, Amount: «int}}}}\n",
        (
            "data.datasets.tx.columns.Amount",
            "'Amount' and 'amount' are one column to Athena, which reads no capitals. Rename one.",
        ),
    ),
}


@pytest.mark.parametrize(("marked", "expected"), BAD.values(), ids=BAD)
def test_a_table_that_could_not_be_read_is_refused(marked: str, expected: tuple[str, str]) -> None:
    assert expected in at_mark(AWS + marked)
