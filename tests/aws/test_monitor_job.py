"""The monitor that SageMaker runs: what it makes of captured requests, baselines and true outcomes."""

import ast
import json
import math
import re
import runpy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from moto import mock_aws

from mlestate.aws.jobs import MONITOR
from mlestate.aws.jobs.monitor.__main__ import main
from mlestate.aws.jobs.monitor.distances import DISTANCES, Feature
from mlestate.aws.jobs.monitor.outcomes import Outcomes

UNTIL = "2026-01-02T04:00:00Z"
CAPTURE = "s3://capture/churn/risk-production-churn/champion/"
BASELINE = "s3://artifacts/churn/baselines/data/statistics.json"
ANSWERS = "s3://artifacts/churn/baselines/model/predictions.json"


class Files:
    """What lies in S3, by URI."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def lines(self, folder: str) -> Iterator[str]:
        for uri, text in self._files.items():
            if uri.startswith(folder):
                yield from text.splitlines()

    def text(self, uri: str) -> str | None:
        return self._files.get(uri)

    def changed(self, folder: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
        for uri in self._files:
            # A file of this test was written in the hour that stands in its name.
            if uri.startswith(folder) and (found := re.search(r"\d{4}/\d\d/\d\d/\d\d", uri)):
                moment = datetime.strptime(found[0], "%Y/%m/%d/%H").replace(tzinfo=UTC)
                if since <= moment < until:
                    yield moment, uri


def baselines(rows: list[tuple[float, str, int]]) -> dict[str, str]:
    """What is known of `amount`, `province` and `churned`, and of the predictions, as SageMaker's schema has it."""
    amounts = [amount for amount, _, _ in rows]
    width = (max(amounts) - min(amounts)) / 10 or 1
    buckets = [
        {"lower_bound": min(amounts) + width * at, "upper_bound": min(amounts) + width * (at + 1)} for at in range(10)
    ]
    for at, bucket in enumerate(buckets):
        last = at == 9
        bucket["count"] = sum(bucket["lower_bound"] <= x and (last or x < bucket["upper_bound"]) for x in amounts)
    common = {"num_present": len(rows), "num_missing": 0}

    def categories(values: list[str]) -> dict[str, Any]:
        counts = [{"value": value, "count": values.count(value)} for value in sorted(set(values))]
        return {"common": common, "distinct_count": len(counts), "distribution": {"categorical": {"buckets": counts}}}

    answers = [str(said) for _, _, said in rows]
    columns = [
        {
            "name": "amount",
            "inferred_type": "Fractional",
            "numerical_statistics": {"common": common, "distribution": {"kll": {"buckets": buckets}}},
        },
        {"name": "province", "inferred_type": "String", "string_statistics": categories([each for _, each, _ in rows])},
        {"name": "churned", "inferred_type": "String", "string_statistics": categories(answers)},
    ]
    said = {"name": "prediction", "inferred_type": "String", "string_statistics": categories(answers)}
    about = {"version": 0, "dataset": {"item_count": len(rows)}}
    return {BASELINE: json.dumps({**about, "features": columns}), ANSWERS: json.dumps({**about, "features": [said]})}


def learned(count: int = 400) -> list[tuple[float, str, int]]:
    return [(float(at % 100), ("QC", "ON")[at % 2], int(at % 4 == 0)) for at in range(count)]


def request(at: int, amount: float, province: str, said: int, probability: float = 0.5) -> str:
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {
                    "observedContentType": "application/json",
                    "mode": "INPUT",
                    "data": json.dumps({"instances": [{"amount": amount, "province": province}]}),
                    "encoding": "JSON",
                },
                "endpointOutput": {
                    "observedContentType": "application/json",
                    "mode": "OUTPUT",
                    "data": json.dumps({"predictions": [{"prediction": said, "probability": probability}]}),
                    "encoding": "JSON",
                },
            },
            "eventMetadata": {"eventId": f"event-{at}", "inferenceId": f"caller-{at}", "inferenceTime": UNTIL},
            "eventVersion": "0",
        }
    )


def label(at: int, truth: str, by: str = "caller") -> str:
    return json.dumps(
        {
            "groundTruthData": {"data": truth, "encoding": "CSV"},
            "eventMetadata": {"eventId": f"{by}-{at}"},
            "eventVersion": "0",
        }
    )


def run(
    files: Mapping[str, str], folder: Path, capsys: pytest.CaptureFixture[str], *more: str, hours: int = 24
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One run: the line that CloudWatch reads, and the report."""
    main(
        [
            *("--model", "churn", "--environment", "risk-production", "--problem", "classification"),
            *("--until", UNTIL, "--hours", str(hours), "--capture", CAPTURE, "--baseline", BASELINE),
            *("--predictions", ANSWERS, "--target", "churned"),
            *("--out", str(folder), *more),
        ],
        Files(files),
    )
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line, json.loads((folder / "report.json").read_text())


def hour(text: str, at: str = "2026/01/02/03") -> dict[str, str]:
    return {f"{CAPTURE}{at}/a.jsonl": text}


def asked(rows: list[tuple[float, str, int]]) -> str:
    return "\n".join(request(at, *row) for at, row in enumerate(rows))


@pytest.mark.parametrize("metric", DISTANCES)
def test_the_same_rows_are_no_distance_apart(metric: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {**baselines(learned()), **hour(asked(learned()))}
    line, report = run(files, tmp_path, capsys, "--data-drift", metric, "--prediction-drift", metric)
    assert line["Rows"] == 400
    assert line["DataDrift"] == pytest.approx(0, abs=1e-9), "the bins of the baseline are those of the window"
    assert line["PredictionDrift"] == pytest.approx(0, abs=1e-9)
    assert set(report["distances"]["DataDrift"]) == {"amount", "province"}


@pytest.mark.parametrize("metric", DISTANCES)
def test_a_column_that_moved_is_named_and_is_the_models_drift(
    metric: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = [(amount / 4 + 75, province, said) for amount, province, said in learned()]
    files = {**baselines(learned()), **hour(asked(moved))}
    line, report = run(files, tmp_path, capsys, "--data-drift", metric)
    distances = report["distances"]["DataDrift"]
    assert distances["amount"] > 0.2 > distances["province"]
    assert line["DataDrift"] == distances["amount"], "one number a model: the column that moved most"
    assert "PredictionDrift" not in line, "what nobody asked for is not measured"


def test_the_distances_are_those_of_the_literature() -> None:
    half, tilted = [0.5, 0.5], [0.25, 0.75]
    expected = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    assert DISTANCES["psi"](half, tilted, True) == pytest.approx(expected)
    assert DISTANCES["js"]([1, 0], [0, 1], True) == pytest.approx(1), "nothing in common"
    assert DISTANCES["ks"]([0.5, 0, 0.5], [0, 1, 0], True) == pytest.approx(0.5), "of the cumulated shares"
    assert DISTANCES["ks"]([0.5, 0, 0.5], [0, 1, 0], False) == pytest.approx(1), "categories have no order"
    assert DISTANCES["linf"]([0.5, 0, 0.5], [0, 1, 0], True) == pytest.approx(1)
    assert math.isfinite(DISTANCES["psi"]([1, 0], [0, 1], True)), "a bin that was empty has no logarithm"


def test_values_that_the_model_never_saw_and_missing_ones_are_drift() -> None:
    province = Feature(json.loads(baselines(learned())[BASELINE])["features"][1])
    for _ in range(100):
        province.add({"province": "BC"})
    assert province.distance("linf") == pytest.approx(1)
    amount = Feature(json.loads(baselines(learned())[BASELINE])["features"][0])
    for value in (None, "", "not a number", float("nan")):
        amount.add({"amount": value})
    assert amount.distance("linf") == pytest.approx(0.5), "half are missing, half are no numbers"
    amount.add({"amount": -1e9})
    amount.add({"amount": 1e9})
    assert amount.observed["0"] == 1, "what lies outside the baseline's range is in the outer bins"
    assert amount.observed["9"] == 1


def test_only_the_window_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {**baselines(learned()), **hour(asked(learned()))}
    files |= hour(asked(learned()), "2026/01/02/04") | hour(asked(learned()), "2026/01/01/03")
    line, _ = run(files, tmp_path, capsys, "--data-drift", "psi")
    assert line["Rows"] == 400, "neither the hour that has just begun nor the day before"


def test_a_quiet_day_is_a_number_and_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, report = run(baselines(learned()), tmp_path, capsys, "--data-drift", "psi")
    assert line["Rows"] == 0, "the monitor says that it ran, so that its silence means something"
    assert "DataDrift" not in line, "no distance is not a distance of nothing"
    assert "too few" in report["notes"][0]


def test_few_rows_are_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {**baselines(learned()), **hour(asked([(1e6, "BC", 1)] * 99))}
    line, _ = run(files, tmp_path, capsys, "--data-drift", "psi", "--attribute", "province")
    assert line["Rows"] == 99
    assert not {"DataDrift", "Disparity"} & set(line)


def test_a_model_without_a_baseline_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, report = run(hour(asked(learned())), tmp_path, capsys, "--data-drift", "psi", "--attribute", "province")
    assert line["Rows"] == 400
    assert "DataDrift" not in line
    assert BASELINE in report["notes"][0]
    assert line["Disparity"] == 0.5, "groups are compared with each other, not with a baseline"


def test_a_column_that_no_request_has_is_named_and_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**baselines(learned()), **hour(asked(learned()))}
    _, report = run(files, tmp_path, capsys, "--data-drift", "psi", "--target", "unknown")
    assert set(report["distances"]["DataDrift"]) == {"amount", "province"}
    assert "No request has churned" in report["notes"][0], "a target is learned from and never sent"


def test_quality_is_measured_on_the_outcomes_that_have_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = learned()
    files = {**baselines(rows), **hour(asked(rows), "2026/01/01/10")}
    files["s3://raw/labels/churn/2026/01/02/01/labels.jsonl"] = "\n".join(
        label(at, str(int(at % 2 == 0)), by="event" if at % 3 else "caller") for at in range(200)
    )
    line, _ = run(files, tmp_path, capsys, "--labels", "s3://raw/labels/churn/", "--metric", "recall", hours=1)
    assert line["Rows"] == 0, "the answers are older than the window, their outcomes have only come now"
    assert line["LabelledRows"] == 200, "found by the caller's id and by the capture's own"
    assert line["ModelQuality"] == pytest.approx(0.5), "of the hundred that were positive, every second was said"


def scored(metric: str, pairs: list[tuple[str, float]]) -> float | None:
    outcomes = Outcomes("classification")
    for truth, probability in pairs:
        outcomes.add(truth, {"prediction": int(probability >= 0.5), "probability": probability})
    return outcomes.measure(metric)


def test_the_metrics_are_those_of_scikit_learn() -> None:
    """The numbers are the examples of scikit-learn's documentation of each metric, worked by hand."""
    pairs = [("0", 0.1), ("0", 0.4), ("1", 0.35), ("1", 0.8)]
    assert scored("roc_auc", pairs) == pytest.approx(0.75)
    assert scored("average_precision", pairs) == pytest.approx(0.8333333)
    assert scored("brier", pairs) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)
    assert scored("log_loss", pairs) == pytest.approx(
        -(math.log(0.9) + math.log(0.6) + math.log(0.35) + math.log(0.8)) / 4
    )
    assert scored("accuracy", pairs) == pytest.approx(0.75)
    assert (scored("precision", pairs), scored("recall", pairs)) == (1, 0.5)
    assert scored("f1", pairs) == pytest.approx(2 / 3)
    assert scored("roc_auc", [("1", 0.4), ("1", 0.4)]) is None, "one class alone has no ranking"
    assert scored("roc_auc", [("0", 0.5), ("1", 0.5)]) == 0.5, "a tie is half a chance"


def test_the_metrics_of_a_regression_are_those_of_scikit_learn() -> None:
    outcomes = Outcomes("regression")
    for truth, said in ((3, 2.5), (-0.5, 0.0), (2, 2), (7, 8)):
        outcomes.add(str(truth), {"prediction": said})
    assert outcomes.measure("mae") == pytest.approx(0.5)
    assert outcomes.measure("mse") == pytest.approx(0.375)
    assert outcomes.measure("rmse") == pytest.approx(math.sqrt(0.375))
    assert outcomes.measure("r2") == pytest.approx(0.9486081)
    assert outcomes.measure("mape") == pytest.approx(0.3273809)


def test_a_metric_that_the_answers_cannot_give_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = asked(learned()).replace(', \\"probability\\": 0.5', "")
    files = {**baselines(learned()), **hour(text)}
    files["s3://raw/labels/churn/2026/01/02/01/labels.jsonl"] = "\n".join(label(at, "1") for at in range(200))
    line, report = run(files, tmp_path, capsys, "--labels", "s3://raw/labels/churn/", "--metric", "roc_auc")
    assert "ModelQuality" not in line
    assert "roc_auc cannot be computed" in report["notes"][-1]


def test_groups_are_compared_by_their_share_of_positive_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(1.0, "QC", int(at < 40)) for at in range(100)] + [(1.0, "ON", int(at < 10)) for at in range(100)]
    rows += [(1.0, "YT", 1)] * 5
    files = {**baselines(learned()), **hour(asked(rows))}
    line, report = run(files, tmp_path, capsys, "--attribute", "province")
    assert line["Disparity"] == pytest.approx(0.3)
    assert report["rates"] == {"QC": 0.4, "ON": 0.1}, "five people are too few to say anything of"


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"observedContentType": "text/csv", "data": "5,QC\n6,ON", "encoding": "CSV"}, "1,0.9\n0,0.2"),
        ({"observedContentType": "text/csv", "data": "NSxRQwo2LE9O", "encoding": "BASE64"}, "1\n0"),
        (
            {
                "observedContentType": "application/jsonlines",
                "data": '{"amount": 5, "province": "QC"}\n{"amount": 6, "province": "ON"}',
                "encoding": "JSON",
            },
            "0.9\n0.2",
        ),
    ],
)
def test_requests_are_read_in_every_form_that_sagemaker_captures(
    inputs: dict[str, str], outputs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {
        "captureData": {
            "endpointInput": {"mode": "INPUT", **inputs},
            "endpointOutput": {
                "mode": "OUTPUT",
                "observedContentType": "text/csv; charset=utf-8",
                "data": outputs,
                "encoding": "CSV",
            },
        },
        "eventMetadata": {"eventId": "1"},
    }
    files = {**baselines(learned()), **hour("\n".join([json.dumps(record)] * 60))}
    line, report = run(files, tmp_path, capsys, "--attribute", "province", "--data-drift", "linf")
    assert line["Rows"] == 120
    assert report["rates"] == {"QC": 1, "ON": 0}
    assert report["distances"]["DataDrift"]["province"] == 0, "the columns of CSV stand in the baseline's order"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_batch_transforms_are_watched_by_the_files_that_they_read_and_wrote(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest's form is that of SageMaker's developer guide; what a transform really writes an account proves."""
    rows, ids = learned(200), [f"{at:08x}-0000-4000-8000-000000000000" for at in range(200)]
    if form == "csv":
        read = [f"{amount},{province}" for amount, province, _ in rows]
        wrote = [f"{said},{ids[at]},2026-01-02T03:00:00Z" for at, (_, _, said) in enumerate(rows)]
    else:
        read = [json.dumps({"amount": amount, "province": province}) for amount, province, _ in rows]
        wrote = [
            json.dumps({"predictions": [said], "SageMakerInferenceId": ids[at], "SageMakerInferenceTime": UNTIL})
            for at, (_, _, said) in enumerate(rows)
        ]
    files = {
        **baselines(learned()),
        f"{CAPTURE}input/2026/01/02/03/manifest.json": json.dumps([{"prefix": "s3://raw/requests/"}, f"a.{form}"]),
        f"{CAPTURE}input/2025/12/01/03/manifest.json": json.dumps([{"prefix": "s3://raw/requests/"}, f"old.{form}"]),
        f"s3://raw/requests/a.{form}": "\n".join(read),
        f"s3://raw/requests/old.{form}": "\n".join(read),
        f"s3://curated/predictions/churn/a.{form}.out": "\n".join(wrote),
        "s3://raw/labels/churn/2026/01/02/03/labels.jsonl": "\n".join(
            json.dumps({"groundTruthData": {"data": "1"}, "eventMetadata": {"eventId": each}}) for each in ids
        ),
    }
    line, report = run(
        files,
        tmp_path,
        capsys,
        *("--answers", "s3://curated/predictions/churn/", "--data-drift", "psi", "--prediction-drift", "psi"),
        *("--labels", "s3://raw/labels/churn/", "--metric", "recall", "--attribute", "province"),
    )
    assert line["Rows"] == 200, "the manifest of a month ago is none of this window's"
    assert line["DataDrift"] == pytest.approx(0, abs=1e-9)
    assert line["PredictionDrift"] == pytest.approx(0, abs=1e-9), "the id and the time are no part of the answer"
    assert line["LabelledRows"] == 200
    assert line["ModelQuality"] == pytest.approx(0.25)
    assert set(report["rates"]) == {"QC", "ON"}


def test_what_is_printed_is_a_metric_to_cloudwatch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch user guide, "Specification: Embedded metric format". That a processing job's log is read this way is
    for an account to prove."""
    line, _ = run({**baselines(learned()), **hour(asked(learned()))}, tmp_path, capsys, "--data-drift", "psi")
    root = line["_aws"]
    assert abs(root["Timestamp"] / 1000 - datetime.now(UTC).timestamp()) < 60
    (about,) = root["CloudWatchMetrics"]
    assert about["Namespace"] == "mlestate"
    assert about["Dimensions"] == [["Environment", "Model"]]
    assert (line["Environment"], line["Model"]) == ("risk-production", "churn")
    for metric in about["Metrics"]:
        assert isinstance(line[metric["Name"]], int | float)
    assert {each["Name"] for each in about["Metrics"]} == {"Rows", "DataDrift"}


def test_the_monitor_reads_s3_and_runs_as_a_package_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto stands in for S3; the job's own command and environment, without the estate's package."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ca-central-1")
    code = tmp_path / "code" / "monitor"
    code.mkdir(parents=True)
    for name, text in MONITOR.items():
        (code / name).write_text(text)
    monkeypatch.syspath_prepend(code.parent)
    with mock_aws():
        store = boto3.client("s3")
        for bucket in ("capture", "artifacts"):
            store.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ca-central-1"})
        for uri, text in {**baselines(learned()), **hour(asked(learned()))}.items():
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            store.put_object(Bucket=bucket, Key=key, Body=text.encode())
        command = ["--model", "churn", "--environment", "e", "--problem", "classification", "--hours", "24"]
        command += ["--until", UNTIL, "--capture", CAPTURE, "--out", str(tmp_path / "out"), "--data-drift", "psi"]
        command += ["--predictions", ANSWERS]
        for baseline, drift in ((BASELINE, 0.0), (f"{BASELINE}.gone", None)):
            monkeypatch.setattr("sys.argv", ["monitor", *command, "--baseline", baseline])
            runpy.run_module("monitor", run_name="__main__")
            numbers = json.loads((tmp_path / "out" / "report.json").read_text())["numbers"]
            assert numbers["Rows"] == 400
            assert numbers.get("DataDrift") == pytest.approx(drift, abs=1e-9)


@pytest.mark.parametrize("file", MONITOR)
def test_the_monitor_runs_in_sagemakers_own_image(file: str) -> None:
    """Syntax and imports; what the standard library of Python 3.8 lacks beyond these is for the image to prove."""
    tree = ast.parse(MONITOR[file], feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module in ("__future__", "collections", "datetime", "typing", "collections.abc"), node.module
        if isinstance(node, ast.Import):
            known = ["argparse", "base64", "bisect", "boto3", "csv", "io", "json", "math", "pathlib", "re", "sys"]
            assert [each.name for each in node.names if each.name not in known] == []
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert futures or file == "__init__.py", "3.8 cannot evaluate list[str] in an annotation"
