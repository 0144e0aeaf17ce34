"""What an estate needs of an account's quotas, read off its rows."""

import pytest

from mlestate.blueprint.quotas import Need, Quota, needs, summed
from tests.conftest import Record

HEAD = 'version: 1\nname: acme\ncloud: aws\nregion: ca-central-1\naccount: "111111111111"\n'


def needed(found: list[Need]) -> dict[str, int]:
    return {need.quota.name: need.amount for need in found if need.slice == "acme-production"}


def test_an_endpoint_needs_its_most_machines_twice_for_a_release(record: Record) -> None:
    """SageMaker starts the new fleet before it stops the old one."""
    model = (
        "churn: {problem: classification, serving: {mode: realtime, initial_version: 1, replicas: {min: 2, max: 6}}}"
    )
    found = needed(needs(record(HEAD + f"models:\n  {model}\n")))
    assert found["ml.m5.xlarge for endpoint usage"] == 12
    assert found["Number of instances across active endpoints"] == 12


@pytest.mark.parametrize("rollout", ["{strategy: shadow}", "{strategy: ab, metric: recall}"])
def test_a_challenger_beside_the_champion_needs_a_fleet_of_its_own(record: Record, rollout: str) -> None:
    model = f"churn: {{problem: classification, serving: {{mode: realtime, initial_version: 1, rollout: {rollout}}}}}"
    found = needed(needs(record(HEAD + f"models:\n  {model}\n")))
    assert found["ml.m5.xlarge for endpoint usage"] == 3, "the old champion, the new one and the challenger"


def test_endpoints_of_one_type_of_machine_share_a_quota(record: Record) -> None:
    text = HEAD + (
        "models:\n"
        "  a: {problem: classification, serving: {mode: realtime, initial_version: 1}}\n"
        "  b: {problem: classification, serving: {mode: realtime, initial_version: 1, replicas: {min: 1, max: 2}}}\n"
        "  c: {problem: classification, serving: {mode: realtime, compute: gpu-small, initial_version: 1}}\n"
        "  d: {problem: classification, serving: {mode: realtime}}\n"
    )
    found = needed(needs(record(text)))
    assert found["ml.m5.xlarge for endpoint usage"] == 2 * (1 + 2), "d has no endpoint before its first version"
    assert found["ml.g5.xlarge for endpoint usage"] == 2


def test_serverless_endpoints_need_concurrency_and_no_machines(record: Record) -> None:
    model = (
        "churn: {problem: classification, serving: {mode: serverless, initial_version: 1, aws: {max_concurrency: 8}}}"
    )
    found = needed(needs(record(HEAD + f"models:\n  {model}\n")))
    assert found["Maximum number of serverless endpoints"] == 1
    assert found["Maximum total concurrency that can be allocated across all serverless endpoints"] == 8
    assert not [name for name in found if name.endswith("endpoint usage")]


def test_training_needs_its_machines_and_spot_has_a_quota_of_its_own(record: Record) -> None:
    text = HEAD + (
        "models:\n"
        "  a: {problem: classification, training: {compute: cpu-large, instances: 2}}\n"
        "  b: {problem: classification, training: {compute: cpu-large, instances: 3}}\n"
        "  c: {problem: classification, training: {compute: cpu-large, spot: true}}\n"
    )
    found = needed(needs(record(text)))
    assert found["ml.m5.4xlarge for training job usage"] == 5, "a schedule may start both at once"
    assert found["ml.m5.4xlarge for spot training job usage"] == 1


def test_what_is_made_is_counted(record: Record) -> None:
    rows = record(HEAD + "models: {a: {problem: classification}, b: {problem: regression}}\n")
    found = needs(rows)
    hub = {need.quota.name: need.amount for need in found if need.slice == "acme-hub"}
    assert "ml.m5.xlarge for endpoint usage" not in needed(found), "nothing serves them"
    assert hub["Maximum number of SageMaker Model Package Groups allowed per account"] == 2
    roles = sum(row.type == "aws:iam/role:Role" and row.name.startswith("acme-production-") for row in rows)
    assert needed(found)["Roles per account"] == roles > 0


def test_feature_groups_are_counted_though_they_go_through_cloud_control(record: Record) -> None:
    text = HEAD + (
        "features: {customers: {entity: id, event_time: ts, fields: {n: int}}}\nmodels: {a: {problem: regression}}\n"
    )
    assert needed(needs(record(text)))["Maximum number of feature groups per AWS account"] == 1


def test_slices_of_one_account_are_added_up() -> None:
    quota = Quota("iam", "Roles per account", 1000)
    found = [Need("acme-staging", quota, 3, ""), Need("acme-production", quota, 4, ""), Need("acme-hub", quota, 5, "")]
    accounts = {"acme-staging": "1", "acme-production": "1", "acme-hub": "2"}
    assert summed(found, accounts) == {"1": {quota: 7}, "2": {quota: 5}}


def test_a_quota_is_found_however_aws_spells_it() -> None:
    ours = Quota("sagemaker", "ml.m5.xlarge for endpoint usage")
    assert Quota("sagemaker", "ml.m5.xlarge for Endpoint Usage.").key == ours.key
    assert Quota("vpc", ours.name).key != ours.key
