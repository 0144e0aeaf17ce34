"""AWS: the frame that the release workflow runs in, and what it is told as data."""

import json
from typing import Any

import pytest

from .conftest import Recorded, Rows, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS

RELEASED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
people: {approvers: [approver@risk.example]}
environments: {staging: {}, production: {}}
promotion: {approval: {production: {minimum: 2}}}
models:
  plain: {problem: classification, serving: {mode: realtime}}
  files: {problem: classification, serving: {mode: batch, input: lake/requests/}}
  offline: {problem: classification}
  canary:
    problem: classification
    serving:
      mode: realtime
      replicas: {min: 2}
      rollout:
        strategy: canary
        steps: [25, 100]
        bake: 10m
        keep_previous: 2h
        rollback_on: {p95_latency_ms: {max: 300}}
  compared:
    problem: classification
    gates: {model: {roc_auc: {min: 0.8}}}
    serving: {mode: realtime, rollout: {strategy: ab}}
  shadowed:
    problem: classification
    serving: {mode: realtime, rollout: {strategy: shadow, sample: 0.2, rollback_on: {disagreement: {max: 0.1}}}}
  watched:
    problem: classification
    serving: {mode: realtime}
    monitoring:
      data_drift: {}
      on_breach: retrain
      retrain: {cooldown: 48h, max_per_week: 1, min_new_rows: 500}
"""


def _said(rows: list, model: str, environment: str = "production") -> dict[str, Any]:  # type: ignore[type-arg]  # plain data of a checkpoint
    said: dict[str, Any] = json.loads(
        one(rows, "ssm:Parameter", f"{environment}-delivery-{model}").inputs["insecureValue"]
    )
    return said


def test_a_release_is_written_down_once_under_its_models_name(estate: Recorded) -> None:
    ledger = one(estate(ONE_ACCOUNT), "dynamodb:Table", "production-delivery-releases")
    assert ledger.inputs["name"] == "risk-production-releases"
    assert (ledger.inputs["hashKey"], ledger.inputs["rangeKey"]) == ("model", "entry")
    assert ledger.inputs["billingMode"] == "PAY_PER_REQUEST", "a release is rare: a reserved capacity bills all day"
    assert ledger.inputs["pointInTimeRecovery"] == {"enabled": True}
    key = one(estate(ONE_ACCOUNT), "kms:Key", "production-keys-logs").outputs["arn"]
    assert ledger.inputs["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": key}


def test_a_protected_environment_keeps_what_it_released(estate: Recorded) -> None:
    kept = one(estate(ONE_ACCOUNT), "dynamodb:Table", "production-delivery-releases")
    assert kept.inputs["deletionProtectionEnabled"] is True
    assert kept.options["protect"] is True
    loose = one(estate(ONE_ACCOUNT), "dynamodb:Table", "staging-delivery-releases")
    assert loose.inputs["deletionProtectionEnabled"] is False
    assert "protect" not in loose.options


@pytest.mark.parametrize("role", ["release", "rollback"])
def test_what_a_machine_did_can_be_read_for_a_year(estate: Recorded, role: str) -> None:
    """Step Functions developer guide, "Log to CloudWatch Logs": a policy of log deliveries is soon full, and under this
    prefix a log needs no line in it."""
    group = one(estate(ONE_ACCOUNT), "cloudwatch:LogGroup", f"production-delivery-{role}").inputs
    assert group["name"] == f"/aws/vendedlogs/states/risk-production-{role}"
    assert group["retentionInDays"] == 365
    assert group["kmsKeyId"] == one(estate(ONE_ACCOUNT), "kms:Key", "production-keys-logs").outputs["arn"]
    machine = one(estate(ONE_ACCOUNT), "sfn:StateMachine", f"production-delivery-{role}").inputs
    assert machine["roleArn"].endswith("-release"), "one duty, two machines: who may start which is IAM's to say"


def test_what_could_not_be_delivered_waits_for_a_fortnight(estate: Recorded) -> None:
    queue = one(estate(MINIMAL), "sqs:Queue", "production-delivery-undelivered").inputs
    assert queue["name"] == "acme-production-releases-undelivered"
    assert queue["messageRetentionSeconds"] == 14 * 86400
    assert queue["sqsManagedSseEnabled"] is True, "no queue rests in the clear, even without a key of the estate"
    assert "kmsMasterKeyId" not in queue


def test_each_model_that_answers_has_its_release_written_as_data(estate: Recorded) -> None:
    made = all_of(estate(RELEASED), "ssm:Parameter")
    ours = {row.inputs["name"] for row in made.values() if "-delivery-" in row.name}
    assert "/mlestate/risk/production/canary/release" in ours
    assert not [name for name in ours if "/offline/" in name], "nothing takes over from a model that does not answer"
    for row in made.values():
        if "-delivery-" in row.name:
            assert len(row.inputs["insecureValue"]) <= 4096, (
                "a parameter of the standard tier, which is free, holds no more"
            )
            document = json.loads(row.inputs["insecureValue"])
            assert row.inputs["insecureValue"] == json.dumps(document, sort_keys=True, separators=(",", ":")), (
                "one spelling only, or an unchanged parameter shows as a change"
            )


def test_a_release_knows_its_versions_and_how_the_model_answers(estate: Recorded) -> None:
    said = _said(estate(RELEASED), "plain")
    assert said["model"] == "plain"
    assert said["mode"] == "realtime"
    assert said["versions"] == "arn:aws:sagemaker:ca-central-1:111111111111:model-package-group/risk-hub-plain"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ("staging", {"from": None, "to": "production", "approvals": 0}),
        ("production", {"from": "staging", "to": None, "approvals": 2}),
    ],
)
def test_a_version_passes_the_environments_in_order(estate: Recorded, environment: str, wanted: dict[str, Any]) -> None:
    assert _said(estate(RELEASED), "plain", environment)["promotion"] == wanted


def test_an_environment_off_the_path_gets_no_version_from_another(estate: Recorded) -> None:
    rows = estate(RELEASED.replace("promotion: {", "promotion: {path: [production], "))
    assert _said(rows, "plain", "staging")["promotion"] == {"from": None, "to": None, "approvals": 0}


ROLLOUTS = {
    "plain": {
        "strategy": "all-at-once",
        "bake_seconds": 300,
        "keep_previous_seconds": 86400,
        "rollback_on": {"error_rate": {"max": 0.05}},
    },
    "canary": {
        "strategy": "canary",
        "steps": [25, 100],
        "bake_seconds": 600,
        "keep_previous_seconds": 7200,
        "rollback_on": {"error_rate": {"max": 0.05}, "p95_latency_ms": {"max": 300.0}},
    },
    "compared": {
        "strategy": "ab",
        "split": 50,
        "metric": "roc_auc",
        "minimum_samples": 1000,
        "bake_seconds": 86400,
        "keep_previous_seconds": 86400,
        "rollback_on": {"error_rate": {"max": 0.05}},
    },
    "shadowed": {
        "strategy": "shadow",
        "sample": 0.2,
        "minimum_samples": 1000,
        "bake_seconds": 86400,
        "keep_previous_seconds": 86400,
        "rollback_on": {"error_rate": {"max": 0.05}, "disagreement": {"max": 0.1}},
    },
}


@pytest.mark.parametrize("model", ROLLOUTS)
def test_a_rollout_is_said_with_everything_that_the_file_leaves_out(estate: Recorded, model: str) -> None:
    assert _said(estate(RELEASED), model)["rollout"] == ROLLOUTS[model]


def test_a_model_that_answers_files_is_replaced_all_at_once(estate: Recorded) -> None:
    said = _said(estate(RELEASED), "files")
    assert said["rollout"]["strategy"] == "all-at-once"
    assert said["rollback_alarms"] == []


def test_the_alarms_that_take_a_release_back_are_there(estate: Recorded) -> None:
    rows = estate(ONE_ACCOUNT)
    said = _said(rows, "churn")["rollback_alarms"]
    assert said == ["risk-production-churn-rollback-error-rate"]
    assert {row.inputs["name"] for row in all_of(rows, "cloudwatch:MetricAlarm").values()} >= set(said)


def test_retraining_is_limited_as_the_file_says(estate: Recorded) -> None:
    rows = estate(RELEASED)
    said = _said(rows, "watched")["retraining"]
    assert {name: value for name, value in said.items() if name != "pipeline"} == {
        "on_breach": "retrain",
        "cooldown_seconds": 172800,
        "max_per_week": 1,
        "min_new_rows": 500,
    }
    assert _said(rows, "plain")["retraining"]["on_breach"] == "alert"


def test_a_release_elsewhere_reads_the_hubs_versions(estate: Recorded) -> None:
    said = _said(estate(THREE_ACCOUNTS, "production"), "churn")
    assert said["versions"] == "arn:aws:sagemaker:ca-central-1:111111111111:model-package-group/risk-hub-churn"


def test_nothing_is_compared_where_versions_only_pass_through(estate: Recorded) -> None:
    for model in ("compared", "shadowed"):
        assert _said(estate(RELEASED), model, "staging")["rollout"]["strategy"] == "all-at-once", "nobody asks there"
    assert _said(estate(RELEASED), "canary", "staging")["rollout"]["strategy"] == "canary"


def test_the_signatures_are_kept_by_person(estate: Recorded) -> None:
    table = one(estate(RELEASED), "dynamodb:Table", "production-delivery-approvals").inputs
    assert (table["hashKey"], table["rangeKey"]) == ("person", "version"), "IAM narrows a table by its hash key alone"
    assert [index["name"] for index in table["globalSecondaryIndexes"]] == ["by-version"]


def _rules(rows: Rows, environment: str) -> dict[str, dict[str, Any]]:
    """The patterns of an environment's rules by name."""
    prefix = f"risk-{environment}-delivery-"
    return {
        name.removeprefix(prefix): json.loads(row.inputs["eventPattern"])
        for name, row in all_of(rows, "cloudwatch:EventRule").items()
        if name.startswith(prefix)
    }


def test_a_version_arrives_from_the_registry_and_then_from_the_environment_before(estate: Recorded) -> None:
    rows = estate(RELEASED)
    assert set(_rules(rows, "staging")) == {"registered", "approved", "rejected", "endpoint-changed", "breach"}
    assert set(_rules(rows, "production")) == {"passed", "rejected", "endpoint-changed", "breach"}
    passed = _rules(rows, "production")["passed"]
    assert passed["source"] == ["mlestate"]
    assert passed["detail"] == {"estate": ["risk"], "from": ["staging"], "to": ["production"]}


def test_an_edit_of_an_approved_version_is_no_approval(estate: Recorded) -> None:
    """aws-samples/sagemaker-custom-project-templates#15: a rule for the status alone deploys at every edit."""
    for environment, rule in (("staging", "approved"), ("staging", "rejected"), ("production", "rejected")):
        detail = _rules(estate(RELEASED), environment)[rule]["detail"]
        assert detail["UpdatedModelPackageFields"] == ["ModelApprovalStatus"], rule


def test_what_happens_in_the_registry_is_told_to_every_environment(estate: Recorded) -> None:
    rows = all_of(estate(THREE_ACCOUNTS, "hub"), "cloudwatch:EventTarget")
    assert {name: row.inputs["arn"] for name, row in rows.items() if "-verdicts-" in name} == {
        f"risk-hub-verdicts-{name}": f"arn:aws:events:ca-central-1:{account}:event-bus/risk-{name}-releases"
        for name, account in (("staging", "222222222222"), ("production", "333333333333"))
    }


def test_only_the_hub_and_the_environment_before_put_events_on_a_bus(estate: Recorded) -> None:
    policy = one(estate(THREE_ACCOUNTS, "production"), "cloudwatch:EventBusPolicy", "-releases").inputs["policy"]
    assert {
        sid: (each["Principal"]["AWS"], each["Condition"]["StringEquals"]["events:source"])
        for sid, each in statements(policy).items()
    } == {
        "Verdicts": ("arn:aws:iam::111111111111:root", "aws.sagemaker"),
        "Passed": ("arn:aws:iam::222222222222:root", "mlestate"),
    }


def test_what_starts_no_machine_waits_in_the_queue(estate: Recorded) -> None:
    rows = estate(RELEASED)
    queue = one(rows, "sqs:Queue", "production-delivery-undelivered").outputs["arn"]
    found = [row for name, row in all_of(rows, "cloudwatch:EventTarget").items() if "production-delivery-" in name]
    assert found
    assert {row.inputs["deadLetterConfig"]["arn"] for row in found} == {queue}
