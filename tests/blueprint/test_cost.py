"""What an estate costs, read off its rows.

Not proved here: that the price table is what AWS charges today. It says of when it is and which page to ask.
"""

import json
from pathlib import Path

import pytest

from mlestate.blueprint.cost import estimate, priced, prices, spent_while_idle
from mlestate.blueprint.inventory import Row, short_type
from mlestate.blueprint.machines import runs_per_day
from mlestate.errors import InputError
from mlestate.estate import CLOUDS
from tests.conftest import EXAMPLES, Record, recorded

HEAD = 'version: 1\nname: acme\ncloud: aws\nregion: {region}\naccount: "111111111111"\n'
SERVED = HEAD + (
    "models:\n  churn: {{problem: classification, serving: {{mode: realtime, initial_version: 1, "
    "compute: cpu-small, replicas: {{min: 1, max: 3}}}}}}\n"
)
REALTIME = SERVED.format(region="us-east-1")
M5_XLARGE = 0.23
"""US dollars an hour in us-east-1, as the table has it."""


def served(rows: list[Row]) -> tuple[float, float]:
    """What the machines of endpoints cost a day, idle and full."""
    charges = [each for each in estimate(rows, "aws", "us-east-1").charges if each.part == "aws Serving"]
    machines = [each for each in charges if each.item.startswith(("ml.", "serverless"))]
    return sum(each.idle for each in machines), sum(each.full for each in machines)


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.name.startswith("aws-")], ids=lambda x: x.stem)
def test_every_type_of_every_example_has_a_price_or_is_known_to_cost_nothing(example: Path) -> None:
    found = estimate(recorded(example), "aws", "ca-central-1")
    assert found.unpriced == {}, "what is not in the table is missing from the sum"


def test_the_smallest_estate_costs_less_than_a_quarter_a_day_while_idle() -> None:
    rows = recorded(next(each for each in EXAMPLES if each.name == "aws-minimal.yaml"))
    assert estimate(rows, "aws", "ca-central-1").idle < 0.25


def test_an_endpoint_costs_its_fewest_machines_idle_and_its_most_at_full_size(record: Record) -> None:
    assert list(served(record(REALTIME))) == pytest.approx([M5_XLARGE * 24, M5_XLARGE * 24 * 3])


def test_an_endpoint_that_does_not_scale_costs_the_same_at_any_time(record: Record) -> None:
    idle, full = served(record(REALTIME.replace("replicas: {min: 1, max: 3}", "replicas: {min: 2}")))
    assert idle == full == pytest.approx(M5_XLARGE * 24 * 2)


def test_a_serverless_endpoint_costs_nothing_until_it_is_asked(record: Record) -> None:
    text = REALTIME.replace(
        "mode: realtime, initial_version: 1, compute: cpu-small, replicas: {min: 1, max: 3}",
        "mode: serverless, initial_version: 1, aws: {memory_mb: 4096, max_concurrency: 10}",
    )
    idle, full = served(record(text))
    assert idle == 0
    assert full == pytest.approx(0.00002 * 4 * 10 * 86_400), "4 GB, ten requests at once, all day"


def test_a_region_without_prices_of_its_own_says_so(record: Record) -> None:
    rows = record(SERVED.format(region="eu-north-1"))
    here, there = estimate(rows, "aws", "eu-north-1"), estimate(rows, "aws", "us-east-1")
    assert (here.own_prices, there.own_prices) == (False, True)
    assert here.idle == there.idle
    assert estimate(rows, "aws", "ca-central-1").idle > there.idle


def test_a_machine_that_the_table_lacks_is_named_and_not_guessed(record: Record) -> None:
    rows = record(REALTIME.replace("compute: cpu-small", "aws: {instance_type: ml.c6i.large}"))
    found = estimate(rows, "aws", "us-east-1")
    assert found.unpriced == {"ml.c6i.large": 1}
    assert served(rows) == (0, 0)


def test_a_budget_that_idle_machines_spend_alone_is_told(record: Record) -> None:
    def told(budget: int) -> list[str]:
        rows = record(REALTIME + f"environments: {{production: {{monthly_budget_usd: {budget}}}}}\n")
        return [slice_ for slice_, _, _ in spent_while_idle(rows, estimate(rows, "aws", "us-east-1"))]

    a_month = M5_XLARGE * 730
    assert told(round(a_month) - 10) == ["acme-production"]
    assert told(round(a_month) + 20) == [], "with what watches it beside"


def test_keys_bill_by_the_month(record: Record) -> None:
    rows = record(REALTIME + "encryption: customer-managed\n")
    found = estimate(rows, "aws", "us-east-1")
    keys = sum(each.idle for each in found.charges if each.item == "key")
    count = sum(short_type(row.type) == "aws:kms:Key" for row in rows)
    assert keys == pytest.approx(count * 24 / 730)


def test_a_private_network_bills_each_interface_endpoint_in_each_zone(record: Record) -> None:
    rows = record(REALTIME + "network: private\n")
    zones = [
        len(row.inputs["subnetIds"])
        for row in rows
        if short_type(row.type) == "aws:ec2:VpcEndpoint" and row.inputs.get("vpcEndpointType") == "Interface"
    ]
    assert zones
    found = estimate(rows, "aws", "us-east-1")
    billed = sum(each.idle for each in found.charges if each.item == "interface endpoint in a zone")
    assert billed == pytest.approx(sum(zones) * 0.01 * 24)


def test_scheduled_training_counts_at_full_size_and_spot_at_its_share(record: Record) -> None:
    model = "models: {churn: {problem: classification, training: {%s}}}\n"
    text = HEAD.format(region="us-east-1") + model

    def trained(settings: str) -> float:
        found = estimate(record(text % settings), "aws", "us-east-1")
        charges = [each for each in found.charges if each.item.startswith("training on")]
        assert all(each.idle == 0 for each in charges), "nobody runs it while the estate is idle"
        return sum(each.full for each in charges)

    base = 'compute: cpu-small, image: "1.0.0", timeout: 1h'
    assert trained(base) == 0, "without a schedule nobody knows how often"
    assert trained(f"{base}, schedule: daily") == pytest.approx(M5_XLARGE)
    assert trained(f"{base}, schedule: daily, instances: 2") == pytest.approx(2 * M5_XLARGE)
    assert trained(f"{base}, schedule: daily, spot: true") == pytest.approx(0.4 * M5_XLARGE)
    assert trained(f"{base.replace('1h', '30m')}, schedule: daily") == pytest.approx(M5_XLARGE / 2)


def test_a_run_that_a_machine_starts_counts_once_and_for_its_own_model(record: Record) -> None:
    """A schedule without an image starts the machine of retraining, one of batch runs the machine of all of them."""
    text = HEAD.format(region="us-east-1") + (
        "data: {datasets: {files: {path: lake/files/}}}\n"
        "models:\n"
        "  one: {problem: classification, training: {timeout: 1h, schedule: daily}}\n"
        "  two: {problem: classification, training: {timeout: 1h, instances: 2, schedule: weekly}}\n"
    )
    text += "".join(
        f"  {name}: {{problem: regression, data: {{dataset: files}}, "
        "serving: {mode: batch, initial_version: 1, schedule: daily}}\n"
        for name in ("three", "four", "five")
    )
    charges = estimate(record(text), "aws", "us-east-1").charges
    trained = sum(each.full for each in charges if each.item.startswith("training on"))
    assert trained == pytest.approx(M5_XLARGE * (1 + 2 / 7))
    assert len([each for each in charges if each.item.startswith("transform on")]) == 3


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 hour)", 24),
        ("rate(7 days)", 1 / 7),
        ("cron(0 4 * * ? *)", 1),
        ("cron(0 4 ? * MON *)", 1 / 7),
        ("cron(0 19 ? * MON-FRI *)", 5 / 7),
        ("cron(0 19 ? * TUE-SAT *)", 5 / 7),
        ("cron(0 0/6 * * ? *)", 4),
        ("cron(0,30 8-11 * * ? *)", 8),
        ("cron(0 4 1 * ? *)", 1 / 31),
        ("cron(0 0/1 ? * * *)", 24),
        ("at(2026-11-24T10:00:00)", 0),
        ("NOW", 0),
    ],
)
def test_a_schedule_is_counted_in_runs_a_day(expression: str, expected: float) -> None:
    assert runs_per_day(expression) == pytest.approx(expected)


def test_every_price_names_its_source_and_the_table_its_date() -> None:
    table = prices("aws")
    assert table["as_of"]
    for section in (table["each"], table["regions"], table["mlflow_server"]):
        assert all(each["source"] for each in section.values())
    for key in ("interface_endpoint", "unused_access", "serverless_gb_second", "machines"):
        assert table[key]["source"], key
    assert all(table["free"].values()), "what costs nothing says why"


def test_a_cloud_without_prices_is_refused_in_a_sentence() -> None:
    assert [cloud for cloud in CLOUDS if priced(cloud)] == ["aws"]
    with pytest.raises(InputError, match="no price table of gcp yet"):
        prices("gcp")


def test_figures_by_part_add_up_to_the_whole(record: Record) -> None:
    found = estimate(record(REALTIME), "aws", "us-east-1")
    sums = found.by("slice", "part")
    assert sum(idle for idle, _ in sums.values()) == pytest.approx(found.idle)
    assert sum(full for _, full in sums.values()) == pytest.approx(found.full)
    assert ("acme-production", "aws Serving") in sums
    assert json.dumps(sorted(map(str, sums)))
