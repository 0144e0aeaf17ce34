"""AWS: a trail that those it records cannot alter, and what it costs to have one."""

import pytest

from mlestate.aws.data import ROLES

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
    assert "insightSelectors" not in one(estate(MINIMAL), "cloudtrail:Trail", "trail").inputs
    for kind in ("accessanalyzer:Analyzer", "athena:Workgroup", "glue:CatalogTable"):
        assert not [name for name in all_of(estate(MINIMAL), kind) if "-hub-" in name], f"{kind} was not asked for"
    assert set(_selectors(estate(ONE_ACCOUNT))) == {
        "Management",
        "Features",
        "Endpoints",
        "Tracking",
        "Writes to the estate's buckets",
    }, "a selector of data events replaces the management events unless these are among them"
    insights = one(estate(ONE_ACCOUNT), "cloudtrail:Trail", "trail").inputs["insightSelectors"]
    assert {each["insightType"] for each in insights} == {"ApiCallRateInsight", "ApiErrorRateInsight"}


def test_a_change_of_access_is_told_though_no_rule_of_the_region_could_see_it(estate: Recorded) -> None:
    """CloudTrail files calls of IAM in us-east-1. That CloudWatch reads the pattern so is not shown here."""
    rows = estate(ONE_ACCOUNT)
    counted = one(rows, "cloudwatch:LogMetricFilter", "hub-audit-access-changed").inputs
    assert counted["logGroupName"] == "/aws/cloudtrail/risk-hub-audit"
    assert counted["pattern"] == (
        '{ ($.eventSource = "iam.amazonaws.com") && ($.readOnly IS FALSE) && '
        '(($.requestParameters.roleName = "risk-*") || ($.requestParameters.policyArn = "*:policy/mlestate/risk/*") || '
        '($.eventName = "*OpenIDConnectProvider*")) }'
    )
    alarm = one(rows, "cloudwatch:MetricAlarm", "hub-audit-access-changed").inputs
    metric = counted["metricTransformation"]
    assert (alarm["namespace"], alarm["metricName"]) == (metric["namespace"], metric["name"])
    assert alarm["alarmActions"] == [one(rows, "sns:Topic", "hub-alerts-page").outputs["arn"]]
    assert not all_of(estate(MINIMAL), "cloudwatch:LogMetricFilter"), "a log of every event bills by the gigabyte"


def test_the_trail_writes_its_log_as_a_role_that_can_do_nothing_else(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    made = one(rows, "cloudtrail:Trail", "hub-audit-trail").inputs
    group = one(rows, "cloudwatch:LogGroup", "hub-audit-trail")
    assert made["cloudWatchLogsGroupArn"] == f"{group.outputs['arn']}:*", (
        "CloudTrail refuses a group without its streams"
    )
    role = one(rows, "iam:Role", "hub-access-recording")
    assert made["cloudWatchLogsRoleArn"].endswith(role.inputs["name"])
    [trust] = statements(role.inputs["assumeRolePolicy"]).values()
    assert trust["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": [TRAIL]}
    policy = one(rows, "iam:RolePolicy", "hub-access-recording")
    [may] = statements(policy.inputs["policy"]).values()
    assert set(actions(may)) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert may["Resource"] == (
        "arn:aws:logs:ca-central-1:111111111111:log-group:/aws/cloudtrail/risk-hub-audit:log-stream:*"
    )
    assert policy.urn in one(rows, "cloudtrail:Trail", "hub-audit-trail").dependencies, (
        "CloudTrail tries the role when it makes the trail"
    )


def test_who_read_the_trail_is_kept_too(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    logs = one(rows, "s3:Bucket", "hub-audit-logs").inputs["bucket"]
    kept = {
        row.inputs["bucket"]: row.inputs["targetBucket"]
        for name, row in all_of(rows, "s3:BucketLogging").items()
        if "-hub-" in name
    }
    names = {name: row.inputs["bucket"] for name, row in all_of(rows, "s3:Bucket").items()}
    assert kept == {names["risk-hub-audit-audit-logs"]: logs, names["risk-hub-audit-audit-answers"]: logs}
    locked = {row.inputs["bucket"] for row in all_of(rows, "s3:BucketObjectLockConfiguration").values()}
    assert logs not in locked, "S3 delivers to no bucket whose objects are locked"


def test_access_from_outside_and_access_unused_are_found(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    assert one(rows, "accessanalyzer:Analyzer", "hub-audit-external-access").inputs["type"] == "ACCOUNT"
    unused = one(rows, "accessanalyzer:Analyzer", "hub-audit-unused-access").inputs
    assert unused["type"] == "ACCOUNT_UNUSED_ACCESS"
    assert unused["configuration"] == {"unusedAccess": {"unusedAccessAge": 90}}


def test_a_key_given_by_its_alias_does_not_change_the_trail_for_ever(estate: Recorded) -> None:
    """CloudTrail answers with the key behind an alias (terraform-provider-aws#33928)."""
    rows = estate(MINIMAL + "encryption: {existing: {data: 'arn:aws:kms:ca-central-1:111111111111:alias/ours'}}\n")
    made = one(rows, "cloudtrail:Trail", "trail")
    assert made.inputs["kmsKeyId"].endswith(":alias/ours")
    assert made.options["ignoreChanges"] == ["kmsKeyId"]
    own = one(estate(ONE_ACCOUNT), "cloudtrail:Trail", "trail")
    assert "ignoreChanges" not in own.options, "where the key itself is known, another one is taken at once"


def test_writes_to_every_bucket_of_the_account_are_recorded_and_reads_are_not(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    written = _selectors(rows)["Writes to the estate's buckets"]
    assert written["readOnly"]["equals"] == ["false"], "reads of training data are many, and bill"
    buckets = [row.inputs["bucket"] for row in all_of(rows, "s3:Bucket").values() if row.name.endswith(tuple(ROLES))]
    assert len(buckets) == 2 * len(ROLES)
    assert sorted(written["resources.ARN"]["startsWiths"]) == sorted(f"arn:aws:s3:::{name}/" for name in buckets)


def test_only_this_trail_writes_to_its_store_and_nobody_deletes_from_it(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    bucket = one(rows, "s3:Bucket", "audit-audit-logs").inputs["bucket"]
    said = statements(one(rows, "s3:BucketPolicy", "audit-audit-logs").inputs["policy"])
    write = said["WriteTheTrailOf111111111111"]
    assert write["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert write["Resource"] == f"arn:aws:s3:::{bucket}/AWSLogs/111111111111/*"
    assert write["Condition"]["StringEquals"]["aws:SourceArn"] == TRAIL
    others = said["RefuseOtherWriters"]
    assert (others["Effect"], others["Principal"], others["Action"]) == ("Deny", "*", "s3:PutObject")
    assert others["Condition"] == {"StringNotEquals": {"aws:SourceArn": [TRAIL]}}
    deletion = said["RefuseDeletion"]
    assert (deletion["Effect"], deletion["Principal"]) == ("Deny", "*")
    assert set(actions(deletion)) == {"s3:DeleteObject", "s3:DeleteObjectVersion"}


def test_a_trail_waits_until_its_store_lets_it_write(estate: Recorded) -> None:
    rows = estate(MINIMAL)
    assert one(rows, "s3:BucketPolicy", "audit-audit-logs").urn in one(rows, "cloudtrail:Trail", "trail").dependencies


def _with(lock: str) -> str:
    """A compliance lock is only accepted where something is protected: it would stop `destroy` half-way."""
    protect = "true" if lock == "compliance" else "false"
    return MINIMAL + f"audit: {{retention: 90d, lock: {lock}}}\nenvironments: {{production: {{protect: {protect}}}}}\n"


@pytest.mark.parametrize(("lock", "mode"), [("none", None), ("governance", "GOVERNANCE"), ("compliance", "COMPLIANCE")])
def test_a_lock_holds_for_the_retention_and_can_always_be_added(estate: Recorded, lock: str, mode: str | None) -> None:
    rows = estate(_with(lock))
    assert one(rows, "s3:Bucket", "audit-audit-logs").inputs["objectLockEnabled"] is True, (
        "S3 takes this at birth alone"
    )
    modes = [
        row.inputs["rule"]["defaultRetention"] for row in all_of(rows, "s3:BucketObjectLockConfiguration").values()
    ]
    assert modes == ([{"mode": mode, "days": 90}] if mode else [])


def test_a_record_under_a_compliance_lock_outlives_the_estate(estate: Recorded) -> None:
    kept = one(estate(_with("compliance")), "s3:Bucket", "audit-audit-logs")
    assert kept.options["protect"] is True
    assert kept.options["retainOnDelete"] is True, "S3 itself deletes it for no one"
    for lock in ("none", "governance"):
        loose = one(estate(_with(lock)), "s3:Bucket", "audit-audit-logs")
        assert not {"protect", "retainOnDelete"} & set(loose.options)
        assert loose.inputs["forceDestroy"] is (lock == "none"), "a lock is lifted by a person, not by `destroy`"


def test_every_account_of_the_estate_is_recorded_in_the_hubs_store(estate: Recorded) -> None:
    """Whether S3 and KMS let the trail of another account write is what only a real account shows."""
    text = THREE_ACCOUNTS + "encryption: customer-managed\naudit: {retention: 1y}\n"
    rows = estate(text)
    store = one(rows, "s3:Bucket", "audit-audit-logs").inputs["bucket"]
    trails = {
        account: f"arn:aws:cloudtrail:ca-central-1:{account}:trail/risk-{slice_}-audit"
        for account, slice_ in (("111111111111", "hub"), ("222222222222", "staging"), ("333333333333", "production"))
    }
    made = all_of(rows, "cloudtrail:Trail")
    assert {row.inputs["name"] for row in made.values()} == {arn.rpartition("/")[2] for arn in trails.values()}
    assert {row.inputs["s3BucketName"] for row in made.values()} == {store}, "their account could empty its own"
    for slice_ in ("staging", "production"):
        assert one(rows, "cloudtrail:Trail", f"{slice_}-recorder-trail").inputs["kmsKeyId"] == (
            "arn:aws:kms:ca-central-1:111111111111:alias/risk-hub-audit"
        ), "the hub's key, whose id another slice cannot know"
    policy = statements(one(rows, "s3:BucketPolicy", "audit-audit-logs").inputs["policy"])
    for account, arn in trails.items():
        write = policy[f"WriteTheTrailOf{account}"]
        assert write["Resource"] == f"arn:aws:s3:::{store}/AWSLogs/{account}/*", "no account writes in another's name"
        assert write["Condition"]["StringEquals"]["aws:SourceArn"] == arn
    assert policy["RefuseOtherWriters"]["Condition"] == {"StringNotEquals": {"aws:SourceArn": list(trails.values())}}
    key = statements(one(rows, "kms:Key", "hub-keys-audit").inputs["policy"])
    assert key["EncryptTheTrail"]["Condition"]["StringEquals"] == {"aws:SourceArn": list(trails.values())}


def test_another_accounts_trail_waits_until_the_hubs_store_takes_one(estate: Recorded) -> None:
    """Where every slice has a stack of its own, the hub's is built first."""
    rows = estate(THREE_ACCOUNTS + "encryption: customer-managed\n")
    for slice_ in ("staging", "production"):
        assert one(rows, "cloudtrail:Trail", "hub-audit-trail").urn in (
            one(rows, "cloudtrail:Trail", f"{slice_}-recorder-trail").dependencies
        ), "CreateTrail refuses a bucket whose policy does not let it write"
    assert one(rows, "kms:Alias", "hub-keys-audit").urn in one(rows, "cloudtrail:Trail", "hub-audit-trail").dependencies


def test_environments_that_share_an_account_share_its_trail(estate: Recorded) -> None:
    text = (
        MINIMAL
        + 'account: "111111111111"\naudit: {retention: 1y}\nenvironments:\n'
        + "".join(
            f'  {name}: {{account: "222222222222", deploy_role: "arn:aws:iam::222222222222:role/deploy"}}\n'
            for name in ("staging", "production")
        )
    )
    rows = estate(text)
    made = all_of(rows, "cloudtrail:Trail")
    assert sorted(made) == ["acme-hub-audit-trail", "acme-staging-recorder-trail"], "a second one bills by the event"
    written = {
        each["name"]: {field["field"]: field for field in each["fieldSelectors"]}
        for each in made["acme-staging-recorder-trail"].inputs["advancedEventSelectors"]
    }["Writes to the estate's buckets"]["resources.ARN"]["startsWiths"]
    assert len(written) == 8, "the buckets of both environments"
    assert _selectors_of_hub_are_bare(rows), "the hub's trail sees nothing of another account"


def _selectors_of_hub_are_bare(rows: list) -> bool:  # type: ignore[type-arg]  # as above
    chosen = one(rows, "cloudtrail:Trail", "hub-audit-trail").inputs["advancedEventSelectors"]
    return "Writes to the estate's buckets" not in {each["name"] for each in chosen}
