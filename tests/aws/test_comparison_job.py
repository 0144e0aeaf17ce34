"""AWS: the job that compares two versions, on files as SageMaker captures them, and the request that starts it.

Proves nothing of SageMaker itself: that a shadow's answers are captured under the shadow's name, with the caller's id,
and that variants get requests by their weights, an account has to show.
"""

import ast
import json
import os
import random
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]  # it ships no types

from mlestate.aws.comparisons import PROGRAM, REPORT, arguments, filled, metric, request
from mlestate.aws.jobs import COMPARISON
from mlestate.aws.jobs import comparison as documented
from mlestate.aws.jobs.comparison.__main__ import arguments as parsed
from mlestate.aws.jobs.comparison.__main__ import main, measure
from mlestate.aws.monitors import CODE, captures
from mlestate.comparison import bootstrap
from mlestate.config.model import METRICS, Model
from mlestate.names import Names

from .api_model import refusals
from .cases import policies_of
from .conftest import Recorded, Rows, one
from .iam import Request, allowed
from .test_monitor_job import Files, label

SINCE, UNTIL = "2026-01-01T03:20:00Z", "2026-01-02T03:20:00Z"
CHAMPION = "s3://capture/churn/risk-production-churn/champion/"
CHALLENGER = "s3://capture/churn/risk-production-churn/challenger/"
LABELS = "s3://raw/labels/churn/"
HOUR, TIME = "2026/01/01/10", "2026-01-01T10:30:00Z"
Said = Sequence[Any]


def captured(at: int, said: Said, time: str = TIME, ids: Sequence[str] = ("inferenceId", "eventId")) -> str:
    """A request as SageMaker captures it: the caller's id, and one that the capture gives itself."""
    body = {"observedContentType": "application/json", "encoding": "JSON"}
    known = {"inferenceId": f"caller-{at}", "eventId": f"event-{at}"}
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {**body, "mode": "INPUT", "data": json.dumps({"instances": [{}] * len(said)})},
                "endpointOutput": {**body, "mode": "OUTPUT", "data": json.dumps({"predictions": said})},
            },
            "eventMetadata": {"inferenceTime": time, **{key: known[key] for key in ids}},
            "eventVersion": "0",
        }
    )


def wrote(prefix: str, requests: Mapping[int, Said], hour: str = HOUR, **more: Any) -> dict[str, str]:
    return {f"{prefix}{hour}/a.jsonl": "\n".join(captured(at, said, **more) for at, said in requests.items())}


def alike(ids: Iterable[int], said: Said = (1,)) -> dict[int, Said]:
    """The same answer to every request."""
    return {at: said for at in ids}  # noqa: C420  # dict.fromkeys is taken for a way to share what changes


def came_true(truths: Mapping[int, Any], hour: str = "2026/01/02/03") -> dict[str, str]:
    return {f"{LABELS}{hour}/labels.jsonl": "\n".join(label(at, str(truth)) for at, truth in truths.items())}


def compared(files: Mapping[str, str], folder: Path, strategy: str, *more: str) -> dict[str, Any]:
    main(
        [
            *("--model", "churn", "--strategy", strategy, "--champion", CHAMPION, "--challenger", CHALLENGER),
            *("--since", SINCE, "--until", UNTIL, "--minimum", "100", "--out", str(folder), *more),
            *(() if "--problem" in more else ("--problem", "classification")),
        ],
        Files(files),
    )
    found: dict[str, Any] = json.loads((folder / REPORT).read_text())
    return found


def right(share: float, ids: Sequence[int], truths: Mapping[int, int], seed: int) -> dict[int, Said]:
    """Answers that are right as often as that."""
    lots = random.Random(seed)  # noqa: S311  # data of a test keep no secret
    return {at: [{"prediction": truths[at] if lots.random() < share else 1 - truths[at]}] for at in ids}


TRUTHS = {at: at % 2 for at in range(2000)}
EVEN, ODD = range(0, 2000, 4), range(2, 2000, 4)
AB = ("--metric", "accuracy", "--better", "higher", "--labels", LABELS, "--split", "50")


def halves(champion: float, challenger: float) -> dict[str, str]:
    """Each got other requests, five hundred each, and each answered as well as that."""
    truths = {at: (at // 2) % 3 % 2 for at in range(2000)}
    return {
        **wrote(CHAMPION, right(champion, EVEN, truths, 1)),
        **wrote(CHALLENGER, right(challenger, ODD, truths, 2)),
        **came_true(truths),
    }


@pytest.mark.parametrize(
    ("champion", "challenger", "verdict"),
    [(0.7, 0.85, "promote"), (0.85, 0.7, "keep"), (0.8, 0.8, "keep")],
    ids=["better", "worse", "no better"],
)
def test_the_winner_of_an_ab_test_is_promoted(champion: float, challenger: float, verdict: str, tmp_path: Path) -> None:
    found = compared(halves(champion, challenger), tmp_path, "ab", *AB)
    assert found["verdict"] == verdict, found["reason"]
    for side, share in (("champion", champion), ("challenger", challenger)):
        assert (found[side]["requests"], found[side]["labelled"]) == (500, 500)
        assert found[side]["metric"] == pytest.approx(share, abs=0.06)
        low, high = found[side]["interval"]
        assert low < found[side]["metric"] < high
    difference = found["challenger"]["metric"] - found["champion"]["metric"]
    assert found["improvement"]["metric"] == pytest.approx(difference)
    assert (found["pairs"], found["disagreement"]) == (0, None), "no request went to both"


def test_every_row_of_a_request_has_its_own_truth(tmp_path: Path) -> None:
    """Three rows a request, of which the champion takes the last for what it is not; one truth a cell."""
    wrong, good = ([{"prediction": each} for each in said] for said in ((1, 0, 0), (1, 0, 1)))
    files = {**wrote(CHAMPION, alike(EVEN, wrong)), **wrote(CHALLENGER, alike(ODD, good))}
    found = compared({**files, **came_true(dict.fromkeys(range(1000), "1,0,1"))}, tmp_path, "ab", *AB)
    assert (found["champion"]["requests"], found["champion"]["labelled"]) == (500, 750), "half of them are known"
    assert (found["champion"]["metric"], found["challenger"]["metric"]) == (pytest.approx(2 / 3), 1)
    assert found["verdict"] == "promote"


def test_the_report_has_the_form_that_its_program_documents(tmp_path: Path) -> None:
    found = compared(halves(0.7, 0.9), tmp_path, "ab", *AB)
    keys = {*found, *found["champion"], *found["challenger"], *found["improvement"]}
    assert all(f'"{key}"' in documented.__doc__ for key in keys)
    assert found["champion"].keys() == found["challenger"].keys() == {"requests", "labelled", "metric", "interval"}
    assert (found["since"], found["until"]) == ("2026-01-01T03:20:00+00:00", "2026-01-02T03:20:00+00:00")


def test_less_of_an_error_is_an_improvement(tmp_path: Path) -> None:
    truths = {at: float(at % 50) for at in range(2000)}
    files = {
        **wrote(CHAMPION, {at: [truths[at] + (at % 7) - 3] for at in EVEN}),
        **wrote(CHALLENGER, {at: [truths[at] + ((at % 7) - 3) / 4] for at in ODD}),
        **came_true(truths),
    }
    asked = ("--problem", "regression", "--metric", "rmse", "--labels", LABELS, "--split", "50")
    found = compared(files, tmp_path, "ab", *asked, "--better", "lower")
    assert found["verdict"] == "promote", found["reason"]
    assert found["champion"]["metric"] == pytest.approx(2, abs=0.05)
    assert found["challenger"]["metric"] == pytest.approx(0.5, abs=0.02)
    assert found["improvement"]["metric"] == pytest.approx(1.5, abs=0.1), "above zero, as every improvement"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "The challenger was asked 0 times, and 100 are needed."),
        (wrote(CHAMPION, {1: [1]}), "The challenger was asked 0 times, and 100 are needed."),
        (
            {**wrote(CHAMPION, alike(EVEN)), **wrote(CHALLENGER, alike(range(300)))},
            "The challenger got 300 of 800 requests, which is 37.5% where 50% were asked for",
        ),
        (
            {**wrote(CHAMPION, alike(EVEN)), **wrote(CHALLENGER, alike(ODD))},
            "Too few outcomes are known: of 0 rows",
        ),
        (
            {**halves(0.7, 0.9), **came_true(dict.fromkeys(range(300), 1))},
            "Too few outcomes are known: of 75 rows that the champion answered and 75 of the challenger",
        ),
    ],
    ids=["nobody asked", "one asked one", "a broken split", "no outcomes", "few outcomes"],
)
def test_an_ab_test_that_shows_nothing_decides_nothing(files: dict[str, str], reason: str, tmp_path: Path) -> None:
    found = compared(files, tmp_path, "ab", *AB)
    assert found["verdict"] == "undecided"
    assert found["reason"].startswith(reason)


@pytest.mark.parametrize("named", ["lift", "roc_auc"])
def test_a_metric_that_the_answers_cannot_give_decides_nothing(named: str, tmp_path: Path) -> None:
    """One of the model's own, and one of scores where the answers have none."""
    found = compared(halves(0.7, 0.9), tmp_path, "ab", *AB[2:], "--metric", named)
    assert (found["verdict"], found["reason"]) == (
        "undecided",
        f"{named} cannot be computed from what the two answered.",
    )
    assert found["champion"]["metric"] is None
    assert found["improvement"] is None


def test_only_what_was_asked_between_the_two_moments_counts(tmp_path: Path) -> None:
    ab = alike(EVEN)
    files = wrote(CHAMPION, ab) | wrote(CHALLENGER, alike(ODD))
    for hour, time in (
        ("2026/01/01/03", "2026-01-01T03:19:59Z"),
        ("2026/01/02/03", "2026-01-02T03:20:00Z"),
        ("2026/01/01/02", "2026-01-01T02:59:00Z"),
        ("2026/01/02/04", "2026-01-02T04:00:00Z"),
    ):
        files |= wrote(CHAMPION, ab, hour, time=time)
    assert compared(files, tmp_path, "ab", *AB)["champion"]["requests"] == 500, (
        "before it the champion was asked alone, and of the first hour and the last only a part counts"
    )
    for hour, time in (("2026/01/01/03", "2026-01-01T03:20:00Z"), ("2026/01/02/03", "2026-01-02T03:19:59.999Z")):
        files |= wrote(CHAMPION, {5001: [1]}, hour, time=time)
    assert compared(files, tmp_path, "ab", *AB)["champion"]["requests"] == 502


SHADOW = ("--metric", "accuracy", "--better", "higher", "--labels", LABELS)


def copies(champion: float, challenger: float, known: int = 400, **more: Any) -> dict[str, str]:
    """Every request of the champion's is copied, each answered as well as that, and what came of some is known."""
    every = range(400)
    return {
        **wrote(CHAMPION, right(champion, every, TRUTHS, 1)),
        **wrote(CHALLENGER, right(challenger, every, TRUTHS, 2), **more),
        **came_true({at: TRUTHS[at] for at in range(known)}),
    }


@pytest.mark.parametrize(
    ("champion", "challenger", "known", "verdict"),
    [(0.8, 0.8, 400, "promote"), (0.7, 0.9, 400, "promote"), (0.9, 0.7, 400, "keep"), (0.9, 0.7, 99, "promote")],
    ids=["as good", "better", "worse", "worse where too little is known"],
)
def test_a_shadow_goes_on_where_it_is_not_worse(
    champion: float, challenger: float, known: int, verdict: str, tmp_path: Path
) -> None:
    found = compared(copies(champion, challenger, known), tmp_path, "shadow", *SHADOW)
    assert found["verdict"] == verdict, found["reason"]
    assert found["pairs"] == 400
    assert 0 < found["disagreement"] < 0.6
    assert found["challenger"]["labelled"] == found["champion"]["labelled"] == known


@pytest.mark.parametrize(("of_champion", "of_challenger", "verdict"), [(3, 1, "promote"), (1, 3, "keep")])
def test_a_shadow_with_larger_errors_is_worse(
    of_champion: int, of_challenger: int, verdict: str, tmp_path: Path
) -> None:
    truths = {at: float(at % 50) for at in range(400)}
    files = came_true(truths)
    for prefix, error in ((CHAMPION, of_champion), (CHALLENGER, of_challenger)):
        files |= wrote(prefix, {at: [truth + error * (-1) ** at * (1 + at % 3)] for at, truth in truths.items()})
    asked = ("--problem", "regression", "--metric", "mae", "--better", "lower", "--labels", LABELS)
    found = compared(files, tmp_path, "shadow", *asked)
    assert found["verdict"] == verdict, found["reason"]
    assert found["improvement"]["metric"] == pytest.approx((of_champion - of_challenger) * 2, rel=0.02)


def test_a_shadow_that_disagrees_too_often_is_kept_back(tmp_path: Path) -> None:
    answers = {at: [{"prediction": 1}] for at in range(400)}
    other = {at: [{"prediction": int(at >= 40)}] for at in range(400)}
    files = {**wrote(CHAMPION, answers), **wrote(CHALLENGER, other)}
    assert compared(files, tmp_path, "shadow", "--bound", "0.1")["verdict"] == "promote", "at the bound, not beyond it"
    found = compared(files, tmp_path, "shadow", "--bound", "0.0999")
    assert (found["verdict"], found["disagreement"]) == ("keep", 0.1)


def test_a_copy_is_found_by_the_callers_id_or_by_the_captures_own(tmp_path: Path) -> None:
    for ids, pairs in ((["inferenceId"], 400), (["eventId"], 400), ([], 0)):
        found = compared(copies(0.8, 0.8, ids=ids), tmp_path, "shadow", *SHADOW, "--bound", "0.9")
        assert found["pairs"] == pairs
        assert found["verdict"] == ("promote" if pairs else "undecided"), found["reason"]


def test_a_shadow_is_measured_on_what_both_answered(tmp_path: Path) -> None:
    """A copy of a share of the requests: the champion's answers to the others say nothing of the difference."""
    every = range(400)
    worse = {at: [{"prediction": 1 - TRUTHS[at]}] for at in range(400, 2000)}
    files = {
        **wrote(CHAMPION, {**right(0.8, every, TRUTHS, 1), **worse}),
        **wrote(CHALLENGER, right(0.8, every, TRUTHS, 2)),
        **came_true(TRUTHS),
    }
    found = compared(files, tmp_path, "shadow", *SHADOW)
    assert (found["champion"]["requests"], found["champion"]["labelled"]) == (2000, 400)
    assert found["champion"]["metric"] == pytest.approx(0.8, abs=0.06)


def test_what_both_answer_alike_tells_them_apart_better_than_two_samples_do(tmp_path: Path) -> None:
    """The same rows, once as pairs and once as if they were others': of pairs only the differences are noise."""
    champion = {at: [{"prediction": TRUTHS[at] if at % 4 else 1 - TRUTHS[at]}] for at in range(400)}
    challenger = {at: [{"prediction": TRUTHS[at] if at % 5 else 1 - TRUTHS[at]}] for at in range(400)}
    files = {**wrote(CHAMPION, champion), **wrote(CHALLENGER, challenger), **came_true(TRUTHS)}
    pairs = compared(files, tmp_path, "shadow", *SHADOW)["improvement"]
    samples = compared(files, tmp_path, "ab", *AB)["improvement"]
    assert pairs["metric"] == pytest.approx(samples["metric"])
    width = [high - low for low, high in (pairs["interval"], samples["interval"])]
    differences = [int(at % 5 != 0) - int(at % 4 != 0) for at in range(400)]
    mean = sum(differences) / 400
    spread = (sum((each - mean) ** 2 for each in differences) / 400) ** 0.5
    assert width[0] == pytest.approx(2 * 1.96 * spread / 20, rel=0.12), "the textbook's paired difference"
    assert width[1] == pytest.approx(2 * 1.96 * (0.25 * 0.75 / 400 + 0.2 * 0.8 / 400) ** 0.5, rel=0.12)


@pytest.mark.parametrize(
    ("problem", "one", "other", "differ"),
    [
        ("classification", [{"prediction": 1}], [{"prediction": 1.0}], False),
        ("classification", [{"prediction": "A"}], [{"prediction": "B"}], True),
        ("classification", [{"prediction": 1000}], [{"prediction": 1001}], True),
        ("classification", [0.7], [0.8], False),
        ("classification", [0.4], [0.6], True),
        ("classification", [1, 0], [1, 1], True),
        ("classification", [1, 0], [1], True),
        ("regression", [100.0], [100.9], False),
        ("regression", [100.0], [102.0], True),
        ("regression", [-1.0], [1.0], True),
    ],
)
def test_two_answers_are_the_same_where_every_row_is(
    problem: str, one: Said, other: Said, differ: bool, tmp_path: Path
) -> None:
    every = range(100)
    files = {**wrote(CHAMPION, alike(every, one)), **wrote(CHALLENGER, alike(every, other))}
    found = compared(files, tmp_path, "shadow", "--problem", problem)
    assert found["disagreement"] == float(differ)


def test_every_metric_that_the_file_knows_can_decide() -> None:
    """Else a file would be taken whose A/B tests never end."""
    numbers = [(at % 2, {"prediction": at % 3 % 2, "probability": (at % 7) / 7}) for at in range(50)]
    for problem, metrics in METRICS.items():
        for each in metrics:
            of = measure(parsed([*REQUIRED, "--problem", problem, "--metric", each]))
            assert of is not None
            assert isinstance(of(numbers), float), f"{each} of a {problem}"


REQUIRED = (
    *("--model", "churn", "--strategy", "ab", "--champion", CHAMPION, "--challenger", CHALLENGER, "--since", SINCE),
    *("--until", UNTIL, "--minimum", "1", "--out", "/out"),
)


def test_the_error_of_an_area_under_a_curve_is_that_of_hanley_and_mcneil() -> None:
    """ "The meaning and use of the area under a ROC curve", Radiology 143 (1982): from the area and the two numbers."""
    lots, of = random.Random(5), measure(parsed([*REQUIRED, "--problem", "classification", "--metric", "roc_auc"]))  # noqa: S311  # data of a test keep no secret
    assert of is not None
    rows = [(truth, {"probability": lots.gauss(1.2 * truth, 1)}) for truth in (0, 1) for _ in range(200)]
    found = bootstrap([[row] for row in rows], of)
    assert found is not None
    area, count = found.value, 200
    alike, both = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (count - 1) * (alike + both - 2 * area**2)) / count**2
    assert found.error == pytest.approx(variance**0.5, rel=0.2)


NAMES = Names("aws", "risk", "production", "ca-central-1", "111111111111")
STORES = {role: f"s3://risk-production-{role}-abcdefab" for role in ("artifacts", "capture", "raw")}
JOB = "risk-production-churn-v7-0a1b2c3d"


def model(**rollout: Any) -> Model:
    return Model.model_validate(
        {
            "problem": "classification",
            "gates": {"model": {"log_loss": {"max": 0.4}}},
            "serving": {"mode": "realtime", "rollout": {"strategy": "ab", **rollout}},
        }
    )


def asked(of: Model, private: bool = False) -> dict[str, Any]:
    return request(
        NAMES,
        "churn",
        of,
        role_arn="arn:aws:iam::111111111111:role/mlestate/risk-production-monitoring",
        stores=STORES,
        code=f"{STORES['artifacts']}/code/comparison/",
        endpoint="risk-production-churn",
        key="arn:aws:kms:ca-central-1:111111111111:key/0a1b2c3d-0000-4000-8000-000000000000" if private else None,
        subnets=["subnet-0a1b2c3d", "subnet-4e5f6a7b"] if private else [],
        groups=["sg-0a1b2c3d"] if private else [],
    )


def whole(of: Model, private: bool = False) -> dict[str, Any]:
    """The request as the running release makes it."""
    expression = filled("given.asked", job="given.job", since="given.since", until="given.until")
    given = {"asked": asked(of, private), "job": JOB, "since": SINCE, "until": UNTIL}
    found: dict[str, Any] = Jsonata(expression).evaluate({"given": given})
    return found


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("strategy", ["ab", "shadow"])
def test_the_request_is_one_that_sagemaker_takes(strategy: str, private: bool) -> None:
    made = whole(model(strategy=strategy), private)
    assert refusals("sagemaker", "CreateProcessingJob", made) == []
    assert "ProcessingJobName" not in asked(model()), "only the running release knows it"
    network = made["NetworkConfig"]
    assert ("VpcConfig" in network) == private
    assert isinstance(made["Tags"], list), "one of anything stays a list"
    assert isinstance(made["ProcessingInputs"], list)
    (output,) = made["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"{STORES['artifacts']}/churn/monitoring/comparisons/{JOB}/"
    assert output["S3Output"]["LocalPath"] == parsed(made["AppSpecification"]["ContainerArguments"]).out


def test_the_job_is_asked_what_the_file_declares() -> None:
    given = parsed(whole(model(split=20, minimum_samples=500))["AppSpecification"]["ContainerArguments"])
    assert (given.strategy, given.split, given.minimum, given.bound) == ("ab", 20, 500, None)
    assert (given.metric, given.better) == ("log_loss", "lower"), "the first gated one"
    assert (given.since, given.until) == (SINCE, UNTIL)
    assert given.champion == f"{STORES['capture']}/churn/risk-production-churn/champion/"
    assert given.challenger == f"{STORES['capture']}/churn/risk-production-churn/challenger/"
    assert given.labels == f"{STORES['raw']}/labels/churn/"
    usual = parsed([*arguments("churn", model(), STORES, "e"), "--since", SINCE, "--until", UNTIL])
    assert (usual.split, usual.minimum) == (50, 1000), "what the file leaves out"
    shadow = model(strategy="shadow", rollback_on={"disagreement": {"max": 0.02}})
    given = parsed(whole(shadow)["AppSpecification"]["ContainerArguments"])
    assert (given.strategy, given.bound, given.split) == ("shadow", 0.02, None)
    plain = Model.model_validate({"problem": "regression", "serving": model(strategy="shadow").serving})
    given = parsed(whole(plain)["AppSpecification"]["ContainerArguments"])
    assert (given.metric, given.bound) == (None, None), "nothing is gated, so nothing but errors and answers can tell"


@pytest.mark.parametrize(
    ("gates", "named", "better"),
    [
        ({"roc_auc": {"min": 0.8}, "log_loss": {"max": 0.4}}, "roc_auc", "higher"),
        ({"custom": {"lift": {"min": 2}}}, "lift", "higher"),
        ({"custom": {"cost": {"max": 2}}}, "cost", "lower"),
    ],
)
def test_which_way_is_better_is_known_of_every_metric(gates: dict[str, Any], named: str, better: str) -> None:
    of = Model.model_validate({"problem": "classification", "gates": {"model": gates}, "serving": model().serving})
    assert metric(of) == named
    assert parsed(whole(of)["AppSpecification"]["ContainerArguments"]).better == better


CONTAINER = """
import json, os, runpy, sys
import boto3
from moto import mock_aws
files, sys.argv[1:] = json.load(open(sys.argv[1])), sys.argv[2:]
with mock_aws():
    store = boto3.client("s3")
    for bucket in {uri.split("/")[2] for uri in files}:
        where = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
        store.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    for uri, text in files.items():
        store.put_object(Bucket=uri.split("/")[2], Key=uri.split("/", 3)[3], Body=text.encode())
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""A process of its own in which moto stands in for S3."""


def test_the_job_runs_from_what_is_shipped_and_reads_s3(tmp_path: Path) -> None:
    """The request's own command and environment, in a process that has boto3 and the shipped files, and nothing of the
    estate's besides."""
    made = whole(model(strategy="shadow", minimum_samples=100, rollback_on={"disagreement": {"max": 0.9}}))
    code = Path(f"{tmp_path}{made['ProcessingInputs'][0]['S3Input']['LocalPath']}")
    for name, text in COMPARISON.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    kept = {
        uri.replace("s3://capture", STORES["capture"]).replace("s3://raw", STORES["raw"]): text
        for uri, text in copies(0.8, 0.8).items()
    }
    (tmp_path / "s3.json").write_text(json.dumps(kept))
    program = made["AppSpecification"]
    assert program["ContainerEntrypoint"][:2] == ["python3", "-m"]
    words = [word.replace("/opt/ml", f"{tmp_path}/opt/ml") for word in program["ContainerArguments"]]
    paths = [f"{tmp_path}{made['Environment']['PYTHONPATH']}", sysconfig.get_path("purelib")]
    done = subprocess.run(
        # Without its `site`, Python reads no `.pth` file, by which the estate's package is installed here.
        [sys.executable, "-S", "-P", "-c", CONTAINER, "s3.json", program["ContainerEntrypoint"][2], *words],
        env={
            **{"PYTHONPATH": ":".join(paths), "PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "ca-central-1"},
            **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = Path(f"{tmp_path}{made['ProcessingOutputConfig']['Outputs'][0]['S3Output']['LocalPath']}") / REPORT
    found = json.loads(report.read_text())
    assert (found["version"], found["model"], found["verdict"], found["pairs"]) == (1, "churn", "promote", 400)
    assert json.loads(done.stdout) == {key: found[key] for key in ("model", "verdict", "reason")}, "the log says it too"


def test_what_is_shipped_is_where_the_command_looks_for_it() -> None:
    assert f"{PROGRAM.replace('.', '/')}/__main__.py" in COMPARISON
    assert not {"mlestate/__init__.py", "mlestate/aws/__init__.py", "mlestate/aws/jobs/__init__.py"} & set(COMPARISON)
    assert made_for() == CODE


def made_for() -> str:
    found = asked(model())
    assert found["Environment"]["PYTHONPATH"] == found["ProcessingInputs"][0]["S3Input"]["LocalPath"]
    return str(found["Environment"]["PYTHONPATH"])


@pytest.mark.parametrize("file", [name for name in COMPARISON if "/jobs/monitor/" not in name])
def test_the_job_runs_in_sagemakers_own_image(file: str) -> None:
    """Syntax and imports; what the standard library of Python 3.8 lacks beyond these is for the image to prove."""
    tree = ast.parse(COMPARISON[file], feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            known = ("__future__", "collections.abc", "datetime", "mlestate.comparison", "typing")
            assert node.module in known, node.module
        if isinstance(node, ast.ImportFrom) and node.level:
            shipped = f"mlestate/aws/jobs/{(node.module or '').replace('.', '/')}.py"
            assert shipped in COMPARISON, "what it imports lies beside it"
        if isinstance(node, ast.Import):
            assert all(each.name in sys.stdlib_module_names for each in node.names)
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert futures or file.endswith("__init__.py"), "3.8 cannot evaluate list[str] in an annotation"


BUCKET = "aws:s3/bucket:Bucket"
ESTATE = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
alerts: {email: [oncall@risk.example]}
models:
  churn:
    problem: classification
    gates: {model: {roc_auc: {min: 0.8}}}
    serving: {mode: realtime, initial_version: 1, rollout: {strategy: STRATEGY}}
"""


@pytest.mark.parametrize(("strategy", "kept"), [("ab", True), ("shadow", True), ("all-at-once", False)])
def test_what_is_compared_is_kept(strategy: str, kept: bool, estate: Recorded) -> None:
    found = estate(ESTATE.replace("STRATEGY", strategy))
    configuration = one(found, "sagemaker:EndpointConfiguration", "-serving-churn")
    assert bool(configuration.inputs.get("dataCaptureConfig")) == kept
    for variant in ("champion", "challenger"):
        place = f"capture-*/churn/risk-production-churn/{variant}/2026/01/01/10/a.jsonl"
        assert may(found, "churn-inference", "s3:PutObject", place) == kept, "the model's own role writes it"
    if kept:
        written = "artifacts-*/churn/monitoring/comparisons/job/comparison.json"
        for action, place in (
            ("s3:GetObject", "capture-*/churn/risk-production-churn/challenger/2026/01/01/10/a.jsonl"),
            ("s3:GetObject", "raw-*/labels/churn/2026/01/01/10/labels.jsonl"),
            ("s3:GetObject", "artifacts-*/code/comparison/mlestate/comparison.py"),
            ("s3:PutObject", written),
        ):
            assert may(found, "monitoring", action, place), "the job runs as the monitor's role"
        assert not may(found, "churn-inference", "s3:PutObject", written), "no model writes what is said of it"


def may(rows: Rows, role: str, action: str, place: str) -> bool:
    """Whether a role's own policies let it do that with an object, `-*` standing for the bucket's random end."""
    store = place.partition("-*")[0]
    bucket = next(row.inputs["bucket"] for row in rows if row.type == BUCKET and row.name.endswith(f"-data-{store}"))
    resource = f"arn:aws:s3:::{bucket}{place.partition('-*')[2]}"
    identity, boundary = policies_of(rows, "production", role)
    principal = f"arn:aws:iam::111111111111:role/mlestate/risk/risk-production-{role}"
    context = {"aws:RequestedRegion": "ca-central-1", "aws:PrincipalArn": principal, "aws:SecureTransport": "true"}
    return allowed(Request(principal, action, resource, context), identity, boundary, owner="111111111111")


def test_a_batch_model_has_nothing_to_compare() -> None:
    rollout = {"strategy": "shadow"}
    for mode, kept in (("realtime", True), ("batch", False), ("none", False), ("serverless", False), ("async", False)):
        found = Model.model_validate({"problem": "regression", "serving": {"mode": mode, "rollout": rollout}})
        assert captures(found) == kept, mode
