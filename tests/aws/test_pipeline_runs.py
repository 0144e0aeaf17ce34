"""AWS: the compiled pipeline, run step by step by a miniature of SageMaker on an image that keeps the contract.

Proves the wiring: every step finds what it reads, gates stop what must not go on, nothing but a whole run registers. It
proves nothing of permissions, machines or SageMaker itself.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mlestate import pipeline
from mlestate.aws.pipeline_definition import definition
from mlestate.config.base import Threshold
from mlestate.config.data import Dataset
from mlestate.config.model import DataGates, Fairness, Gates, Model, ModelGates

from .pipeline_run import RUN_ID, Run
from .test_pipeline_definition import PUBLIC

IMAGE = Path(__file__).parents[1] / "programs" / "toy"
RAW = "s3://risk-staging-raw-abcdef/lake/transactions/"
MODEL = Model(
    problem="classification",
    gates=Gates(
        data=DataGates(max_null_fraction=0.05),
        model=ModelGates(roc_auc=Threshold(min=0.8), max_regression=0.01),
        fairness=Fairness(attribute="province", max_disparity=0.1),
    ),
)
GOOD: dict[str, Any] = {"nulls": 0.0, "metrics": {"roc_auc": 0.9}, "fairness": {"disparity": 0.05}}
BEFORE_THE_REGISTRY = ["ingest", "check-data", "train", "evaluate", "check-model", "gates"]


def run(folder: Path, knobs: dict[str, Any], champion: dict[str, Any] | None = None) -> Run:
    """A run on data that make the model what the knobs say, beside a champion that is what it is."""
    store = folder / "s3"

    def put(uri: str, value: object) -> None:
        file = store / uri.removeprefix("s3://")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))

    source = pipeline.Source(dataset=(RAW, Dataset(path="lake/transactions/")))
    put(f"{PUBLIC.folder}/settings/settings.json", pipeline.settings("churn", "staging", MODEL, source))
    put(f"{PUBLIC.folder}/champion/champion.json", {"version": "3" if champion else None})
    if champion:
        put(f"{PUBLIC.folder}/champion/model/model.json", champion)
    put(f"{RAW}knobs.json", knobs)
    document = json.loads(definition("churn", MODEL, PUBLIC))
    parameters = {"ImageTag": "1.4.2", "Commit": "abc", "Trigger": "schedule"}
    return Run(document, store, folder / "work", IMAGE, parameters).start()


def test_what_passes_every_gate_is_registered_for_approval(tmp_path: Path) -> None:
    done = run(tmp_path, GOOD)
    assert done.stopped is None
    assert done.ran == [*BEFORE_THE_REGISTRY, "register"]
    assert done.registered is not None
    assert done.registered["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = done.registered["InferenceSpecification"]["Containers"]
    assert container["Image"].endswith("risk-hub-churn:1.4.2")
    assert done.folder(container["ModelDataUrl"]).is_file(), "the artifact that the version names is there"


def test_everything_that_a_version_names_was_written_by_its_run(tmp_path: Path) -> None:
    done = run(tmp_path, GOOD)
    assert done.registered is not None
    named = done.registered["CustomerMetadataProperties"]
    assert (named["run"], named["trigger"], named["data-from"]) == (RUN_ID, "schedule", "unbounded")
    manifest = json.loads(done.folder(named["manifest"]).read_text())
    assert manifest["files"][0]["uri"] == f"{RAW}knobs.json"
    assert len(manifest["files"][0]["sha256"]) == 64
    assert json.loads(done.folder(named["settings"]).read_text())["gates"]["model"]["max_regression"] == 0.01
    bias = ("bias/report.json", "bias/constraints.json", "bias/analysis_config.json")
    for block in (done.registered["ModelMetrics"], done.registered["DriftCheckBaselines"]):
        for report in (report for kind in block.values() for report in kind.values()):
            assert f"/runs/{RUN_ID}/" in report["S3Uri"]
            if not report["S3Uri"].endswith(bias):  # the miniature measures no bias
                assert done.folder(report["S3Uri"]).is_file(), report["S3Uri"]


def test_what_a_version_is_tried_with_lies_beside_its_evaluation(tmp_path: Path) -> None:
    """Where a release finds it follows from the run that the version names, as it does for every other output."""
    rows = [{"amount": float(amount), "province": "QC"} for amount in range(30)]
    done = run(tmp_path, {**GOOD, "rows": rows})
    assert done.registered is not None
    folder = f"{PUBLIC.folder}/runs/{done.registered['CustomerMetadataProperties']['run']}/evaluate/{pipeline.EXAMPLES}"
    evaluation = done.registered["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert evaluation.replace("evaluation/evaluation.json", pipeline.EXAMPLES) == folder
    asked, said = (json.loads((done.folder(folder) / file).read_text()) for file in pipeline.EXAMPLE_FILES)
    assert asked["instances"] == rows[: pipeline.EXAMPLE_ROWS]
    assert len(said["predictions"]) == pipeline.EXAMPLE_ROWS, "an answer to each row"


@pytest.mark.parametrize(
    ("knobs", "ran", "reason"),
    [
        ({**GOOD, "nulls": 0.2}, ["ingest"], "check-data: AlgorithmError, exit code: 3"),
        (
            {**GOOD, "metrics": {"roc_auc": 0.7}},
            ["ingest", "check-data", "train", "evaluate"],
            "check-model: AlgorithmError, exit code: 3",
        ),
        (
            {**GOOD, "metrics": {"roc_auc": 0.7, "forgets_its_gates": True}},
            BEFORE_THE_REGISTRY,
            "Nothing was registered: the numbers of this run are outside the gates of churn.",
        ),
        (
            {**GOOD, "fairness": {"disparity": 0.3}},
            BEFORE_THE_REGISTRY,
            "Nothing was registered: the numbers of this run are outside the gates of churn.",
        ),
        (
            {**GOOD, "metrics": {"forgets_its_gates": True}},
            BEFORE_THE_REGISTRY[:-1],
            "gates: there is no metrics.roc_auc in evaluation.json",
        ),
        (
            {**GOOD, "fairness": None},
            BEFORE_THE_REGISTRY[:-1],
            "gates: there is no fairness.disparity in evaluation.json",
        ),
    ],
    ids=["data", "model", "an image without gates", "fairness", "a metric unmeasured", "fairness unmeasured"],
)
def test_what_does_not_pass_stops_there_and_registers_nothing(
    tmp_path: Path, knobs: dict[str, Any], ran: list[str], reason: str
) -> None:
    done = run(tmp_path, knobs)
    assert done.registered is None
    assert done.ran == ran
    assert done.stopped is not None
    assert done.stopped.startswith(reason)


@pytest.mark.parametrize(("champion", "registers"), [(0.9, True), (0.91, True), (0.95, False)])
def test_a_model_that_is_worse_than_the_champion_is_not_registered(
    tmp_path: Path, champion: float, registers: bool
) -> None:
    done = run(tmp_path, GOOD, {**GOOD, "metrics": {"roc_auc": champion}})
    assert (done.registered is not None) == registers, "0.9 may be 0.01 worse, and no more"


def test_a_run_before_the_first_release_compares_with_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, GOOD)
    evaluation = done.folder(f"{PUBLIC.folder}/runs/{RUN_ID}/evaluate/evaluation/evaluation.json")
    assert json.loads(evaluation.read_text())["champion"] is None


def test_a_step_without_a_network_reaches_no_store(tmp_path: Path) -> None:
    """The miniature tells a step of the stores only where its definition leaves it a network."""
    document = definition("churn", MODEL, PUBLIC)
    closed = document.replace('"EnableNetworkIsolation":false', '"EnableNetworkIsolation":true')
    whole = run(tmp_path / "whole", GOOD)
    done = Run(json.loads(closed), whole.store, tmp_path / "work", IMAGE, {"ImageTag": "1"}).start()
    assert done.ran == []
    assert "KeyError: 'TOY_NETWORK'" in str(done.stopped), "ingest is the step that needs one"
