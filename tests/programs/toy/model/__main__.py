"""A model's image in miniature: it keeps docs/contract.md, and its data say how well it does.

The one file of the data set, `knobs.json`, holds the numbers that the model will reach, so that a test decides them.
"""

import hashlib
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def ingest(inputs: Path, outputs: Path) -> int:
    settings = read(inputs / "settings" / "settings.json")
    write(outputs / "settings" / "settings.json", settings)
    uri = settings["source"]["uri"]
    # The network: a step that has none is not told where the stores are.
    file = Path(os.environ["TOY_NETWORK"]) / uri.removeprefix("s3://") / "knobs.json"
    for part in ("train", "holdout"):
        write(outputs / part / "knobs.json", read(file))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    found = {"uri": f"{uri}knobs.json", "version": "1", "sha256": digest, "bytes": file.stat().st_size}
    window = {"from": os.environ["MLESTATE_DATA_FROM"], "to": os.environ["MLESTATE_DATA_TO"]}
    write(outputs / "manifest" / "manifest.json", {"version": 1, "source": uri, **window, "rows": {}, "files": [found]})
    return 0


def check_data(inputs: Path, outputs: Path) -> int:
    gates = read(inputs / "settings" / "settings.json")["gates"]["data"]
    nulls, limit = read(inputs / "train" / "knobs.json")["nulls"], gates["max_null_fraction"]
    passed = limit is None or nulls <= limit
    for name in ("statistics", "constraints"):
        write(outputs / "statistics" / f"{name}.json", {})
    return report(outputs, passed, "max_null_fraction", limit, nulls)


def train(inputs: Path, outputs: Path) -> int:
    write(outputs / "model" / "model.json", read(inputs / "train" / "knobs.json"))
    return 0


def evaluate(inputs: Path, outputs: Path) -> int:
    with tarfile.open(inputs / "model" / "model.tar.gz") as archive:
        archive.extractall(inputs / "model", filter="data")
    model, champion = read(inputs / "model" / "model.json"), read(inputs / "champion" / "champion.json")
    found = {"version": 1, "metrics": model["metrics"], "champion": None, "fairness": model["fairness"]}
    if champion["version"] is not None:
        found["champion"] = {**champion, "metrics": read(inputs / "champion" / "model" / "model.json")["metrics"]}
    write(outputs / "evaluation" / "evaluation.json", found)
    for name in ("statistics", "constraints"):
        write(outputs / "baselines" / "model" / f"{name}.json", {})
    rows = read(inputs / "holdout" / "knobs.json").get("rows", [{"province": "QC", "amount": 3.5}])[:20]
    write(outputs / "examples" / "request.json", {"instances": rows})
    write(outputs / "examples" / "answer.json", {"predictions": [answer(row) for row in rows]})
    return 0


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """What this model answers to a row, in training and in serving."""
    probability = 1 / (1 + abs(row["amount"]))
    return {"prediction": int(probability >= 0.5), "probability": probability}


def check_model(inputs: Path, outputs: Path) -> int:
    settings, found = read(inputs / "settings" / "settings.json"), read(inputs / "evaluation" / "evaluation.json")
    gates = settings["gates"]["model"]
    if found["metrics"].get("forgets_its_gates"):
        return report(outputs, True, "none", None, None)
    for metric, bound in gates["metrics"].items():
        value = found["metrics"][metric]
        if bound["min"] is not None and value < bound["min"]:
            return report(outputs, False, metric, bound["min"], value)
        if found["champion"] is not None and gates["compare_to"] == "champion":
            least = found["champion"]["metrics"][metric] - gates["max_regression"]
            if value < least:
                return report(outputs, False, f"{metric} of the champion", least, value)
    return report(outputs, True, "all", None, None)


def report(outputs: Path, passed: bool, name: str, limit: float | None, value: float | None) -> int:
    check = {"name": name, "limit": limit, "value": value, "passed": passed}
    write(outputs / "report" / "report.json", {"version": 1, "passed": passed, "checks": [check]})
    return 0 if passed else 3


STEPS = {each.__name__: each for each in (ingest, check_data, train, evaluate, check_model)}

if __name__ == "__main__":
    step, in_, inputs, out, outputs = sys.argv[1:]
    assert (in_, out) == ("--in", "--out")
    sys.exit(STEPS[step](Path(inputs), Path(outputs)))
