"""The training pipeline as every cloud compiles it: pure, so nothing here shows that any cloud runs it."""

import re
from pathlib import Path

import pytest

from mlestate import pipeline
from mlestate.config.base import Duration, Threshold
from mlestate.config.data import Dataset, FeatureGroup
from mlestate.config.model import DataGates, Fairness, Gates, Model, ModelGates, Training
from mlestate.pipeline import STEPS, Limit, Source, command, compute, limits, settings

CONTRACT = (Path(__file__).parents[1] / "docs" / "contract.md").read_text()
PLAIN = Model(problem="classification")
JUDGED = Model(
    problem="classification",
    gates=Gates(
        data=DataGates(min_rows=1000, max_age=Duration.parse("2d"), max_null_fraction=0.05, max_psi=0.2),
        model=ModelGates(
            max_regression=0.01,
            roc_auc=Threshold(min=0.8),
            log_loss=Threshold(max=0.4),
            custom={"lift": Threshold(min=2)},
        ),
        fairness=Fairness(attribute="province", max_disparity=0.1),
    ),
)


def test_every_input_is_an_output_of_a_step_before_it() -> None:
    written: dict[str, set[str]] = {}
    for step in STEPS:
        for name, source in step.reads.items():
            assert source is None or name in written[source], f"{step.name} reads {name}, which {source} does not write"
        assert set(step.after) <= written.keys()
        written[step.name] = set(step.writes)


def test_nothing_reaches_the_registry_past_a_gate() -> None:
    before: dict[str, set[str]] = {}
    for step in STEPS:
        before[step.name] = {*step.waits_for, *(each for other in step.waits_for for each in before[other])}
    assert {"check_data", "check_model"} <= before["register"]
    assert "check_data" in before["train"], "machines cost money, and a gate that did not pass makes them idle"


def test_a_model_is_not_trained_on_what_it_is_judged_by() -> None:
    assert "holdout" not in pipeline.step("train").reads


def test_a_run_is_judged_by_one_document_though_another_is_deployed_meanwhile() -> None:
    outside = {step.name for step in STEPS if step.reads.get("settings", "no") is None}
    assert outside == {"ingest"}, "every later step reads what ingest passed on"


def test_only_the_step_that_fetches_data_goes_to_them() -> None:
    assert [step.name for step in STEPS if step.reach == "data"] == ["ingest"]


def test_a_step_is_one_command_of_the_model_s_own_image() -> None:
    assert command("train", "/in", "/out") == ["python", "-m", "model", "train", "--in", "/in", "--out", "/out"]


def test_data_are_read_and_checked_without_the_accelerators_that_train() -> None:
    gpu = Model(problem="classification", training=Training(compute="gpu-large"))
    assert compute("training", gpu) == "gpu-large"
    assert compute("data", gpu) == "cpu-large"
    assert compute("data", PLAIN) == PLAIN.training.compute
    assert compute("judge", gpu) == "cpu-small"
    with pytest.raises(KeyError):
        compute("registry", gpu)


def test_settings_say_what_is_judged_and_leave_null_what_nobody_asked_for() -> None:
    document = settings(
        "churn", "staging", JUDGED, Source(dataset=("s3://raw/lake/", Dataset(path="lake/", format="csv")))
    )
    assert document["source"] == {"kind": "dataset", "uri": "s3://raw/lake/", "format": "csv"}
    assert document["gates"] == {
        "data": {
            "min_rows": 1000,
            "max_age_seconds": 172800,
            "max_null_fraction": 0.05,
            "max_psi": 0.2,
            "unknown_categories": "warn",
        },
        "model": {
            "compare_to": "champion",
            "max_regression": 0.01,
            "metrics": {
                "roc_auc": {"min": 0.8, "max": None},
                "log_loss": {"min": None, "max": 0.4},
                "lift": {"min": 2, "max": None},
            },
        },
        "fairness": {"attribute": "province", "max_disparity": 0.1},
    }
    plain = settings("churn", "staging", PLAIN, Source())
    assert plain["source"] is None
    assert plain["gates"]["data"]["min_rows"] == 1, "no rows always fail"
    assert plain["gates"]["data"]["max_psi"] is None
    assert plain["gates"]["fairness"] is None


def test_features_are_named_with_whose_and_since_when_they_are() -> None:
    group = FeatureGroup(entity="customer_id", event_time="ts", fields={"count_30d": "int", "amount_30d": "float"})
    assert Source(features=("risk-staging-tx", group)).document() == {
        "kind": "features",
        "group": "risk-staging-tx",
        "entity": "customer_id",
        "event_time": "ts",
        "fields": ["amount_30d", "count_30d"],
    }


def test_the_bounds_that_a_cloud_can_judge_itself_are_those_of_one_number() -> None:
    assert limits(JUDGED) == (
        Limit(("metrics", "roc_auc"), "min", 0.8),
        Limit(("metrics", "log_loss"), "max", 0.4),
        Limit(("metrics", "lift"), "min", 2),
        Limit(("fairness", "disparity"), "max", 0.1),
    )
    assert limits(PLAIN) == ()


def test_the_contract_tells_of_every_step_what_it_reads_and_writes() -> None:
    rows = {
        cells[0].strip("` "): cells
        for line in CONTRACT.splitlines()
        if line.startswith("| `") and len(cells := line.strip("|").split("|")) == 4
    }
    for step in STEPS:
        said = [re.findall(r"`([a-z_]+)`", cell) for cell in rows[step.name][1:3]]
        if step.machine != "registry":
            assert said == [list(step.reads), list(step.writes)], f"docs/contract.md on {step.name}"


def test_a_version_brings_what_it_is_tried_with_before_it_gets_traffic() -> None:
    assert pipeline.step("register").reads[pipeline.EXAMPLES] == "evaluate", "what measured the model also asked it"
    for file in pipeline.EXAMPLE_FILES:
        assert f"`{file}`" in CONTRACT, f"docs/contract.md does not tell of {file}"
    assert f"at most {pipeline.EXAMPLE_ROWS} rows" in CONTRACT
    assert "A version without the two files is not released" in CONTRACT


def test_the_contract_names_the_exit_code_the_file_and_the_words_of_the_code() -> None:
    assert f"| {pipeline.GATE_FAILED} | the work is done, and a gate did not pass" in CONTRACT
    for word in (pipeline.EVALUATION, pipeline.UNBOUNDED, pipeline.NOT_RECORDED, *pipeline.RUN):
        assert f"`{word}`" in CONTRACT or f"/{word}`" in CONTRACT, f"docs/contract.md does not tell of {word}"
    for key in settings("churn", "staging", JUDGED, Source()):
        assert f'"{key}"' in CONTRACT, f"docs/contract.md does not show settings.json's {key}"
