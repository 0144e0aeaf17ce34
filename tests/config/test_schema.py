"""The schema and the reference page say what the loader does."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlestate.aws import settings as aws
from mlestate.azure import settings as azure
from mlestate.config import ConfigError, json_schema, loads
from mlestate.config.base import Duration, Schedule, Settings
from mlestate.config.estate import Environment, Estate
from mlestate.config.model import METRICS, ModelGates
from mlestate.config.reference import reference_markdown
from mlestate.config.schema import DIALECT
from mlestate.gcp import settings as gcp
from tests.config.said import AWS, AZURE, GCP
from tests.config.test_loading import LAYERS
from tests.config.test_support import AWS_FULL

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def _all(settings: type[Settings]) -> list[type[Settings]]:
    return [settings, *(below for child in settings.__subclasses__() for below in _all(child))]


FIELDS = [
    (settings, name)
    for settings in _all(Settings)
    if settings.__module__.startswith("mlestate.")
    for name in settings.model_fields
    if not (settings is Estate and name == "environments")  # each cloud's own class describes it
]


@pytest.mark.parametrize(("settings", "name"), FIELDS, ids=[f"{each.__name__}.{name}" for each, name in FIELDS])
def test_every_field_says_what_it_does_and_what_happens_when_it_is_left_out(
    settings: type[Settings], name: str
) -> None:
    field = settings.model_fields[name]
    description = field.description or ""
    if field.is_required():
        assert description.endswith("Required."), "a reader must know that there is no way around it"
    else:
        does, _, left_out = description.partition("Left out: ")
        assert len(does) > 10, "a description says what the field does"
        assert left_out.endswith("."), "a description says what happens when the field is left out"


def test_the_schema_is_a_schema_and_the_same_every_time() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert json.dumps(schema) == json.dumps(json_schema())


def test_the_committed_schema_and_reference_are_current() -> None:
    """`make docs` writes both."""
    committed = (ROOT / "docs/reference/schema.json").read_text()
    assert committed == json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert (ROOT / "docs/reference/estate.md").read_text() == reference_markdown()


GOOD = [AWS, GCP, AZURE, LAYERS, AWS_FULL, *(path.read_text() for path in sorted((ROOT / "examples").glob("*.yaml")))]


@pytest.mark.parametrize("text", GOOD)
def test_the_schema_takes_what_the_loader_takes(text: str) -> None:
    loads(text)
    VALIDATOR.validate(yaml.safe_load(text))


BAD = {
    "an unknown key": "sad: 1\n",
    "a wrong word": "network: privte\n",
    "a number for text": "owner: 3\n",
    "a wrong cloud's word": "project: acme\n",
    "a bad name": "models: {Churn: {problem: classification}}\n",
    "a missing word": "models: {churn: {}}\n",
    "a bad duration": "audit: {retention: 7 years}\n",
    "a bad schedule": "defaults: {training: {schedule: sometimes}}\n",
    "a number for a threshold": "defaults: {gates: {model: {recall: 0.8}}}\n",
    "too few": "environments: {}\n",
    "no secret": "alerts: {slack: 'https://hooks.example'}\n",
    "a path out of the lake": "data: {datasets: {a: {path: ../a/}}}\n",
    "a number out of range": "models: {churn: {problem: regression, serving: {replicas: {min: -1}}}}\n",
}


@pytest.mark.parametrize("name", BAD)
def test_the_schema_refuses_what_the_loader_refuses(name: str) -> None:
    """Not proved: rules between fields, which only the loader knows."""
    text = AWS + BAD[name]
    with pytest.raises(ConfigError):
        loads(text)
    assert not VALIDATOR.is_valid(yaml.safe_load(text)), name


def test_the_reference_names_every_field() -> None:
    page = reference_markdown()
    for settings, name in FIELDS:
        if settings not in (Estate, Environment):
            assert f"{name}` |" in page, f"{settings.__name__}.{name} is missing"


def test_every_cloud_has_a_machine_for_every_size_and_a_region_for_every_jurisdiction() -> None:
    for module in (gcp, azure):
        assert set(module.COMPUTE) == set(aws.COMPUTE)
        assert set(module.REGIONS) == set(aws.REGIONS)
    assert set(gcp.ACCELERATORS) == {size for size in gcp.COMPUTE if size.startswith("gpu")}


@pytest.mark.parametrize("module", [aws, gcp, azure])
def test_quebec_lies_in_canada_and_no_region_is_listed_twice(module: object) -> None:
    regions, others = module.REGIONS, module.OTHER_REGIONS  # type: ignore[attr-defined]  # each settings module has them
    assert set(regions["quebec"]) <= set(regions["canada"])
    assert not set(others) & {region for inside in regions.values() for region in inside}
    assert len(set(others)) == len(others)


def test_every_region_of_aws_is_one_that_the_sdk_knows() -> None:
    """The SDK's list is AWS's; not proved for the other two clouds, whose SDKs have none."""
    text = (files("pulumi_aws") / "_enums.py").read_text()
    assert [region for region in aws.KNOWN_REGIONS if f'"{region}"' not in text] == []


def test_volume_keys_go_where_sagemaker_takes_them() -> None:
    assert aws.takes_volume_key("ml.m5.xlarge")
    assert not aws.takes_volume_key("ml.g5.xlarge"), "its disk is its own and encrypted by the hardware"


def test_every_metric_of_a_problem_can_be_a_gate() -> None:
    named = {metric for metrics in METRICS.values() for metric in metrics}
    assert named == set(ModelGates.model_fields) - {"compare_to", "max_regression", "custom"}


@pytest.mark.parametrize(
    ("text", "seconds", "days"),
    [
        ("90s", 90, 1),
        ("15m", 900, 1),
        ("24h", 86400, 1),
        ("25h", 90000, 2),
        ("2w", 1209600, 14),
        ("7y", 2557 * 86400, 2557),
    ],
)
def test_durations_are_whole_seconds_and_years_never_fall_short(text: str, seconds: int, days: int) -> None:
    duration = Duration.parse(text)
    assert (duration.seconds, duration.days, str(duration)) == (seconds, days, text)


@given(st.integers(1, 99), st.integers(1, 99))
def test_durations_are_ordered_by_length_and_not_by_text(one: int, two: int) -> None:
    assert (Duration.parse(f"{one}h") < Duration.parse(f"{two}h")) == (one < two)
    assert Duration.parse(f"{one}d") == Duration.parse(f"{one * 24}h")


@pytest.mark.parametrize("text", ["hourly", "daily", "weekly", "0 4 * * 1", "*/5 0-6 1,15 * 0-7", "0 0 1 1 *"])
def test_schedules_have_five_fields(text: str) -> None:
    assert len(Schedule.parse(text).cron.split()) == 5


@pytest.mark.parametrize(
    "text", ["", "sometimes", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "* * * *"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        loads(AWS + f"defaults: {{training: {{schedule: {json.dumps(text)}}}}}\n")
