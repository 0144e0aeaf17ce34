"""The job that compares two versions on one endpoint, as the release starts it. Plain data: no SDK.

`request` holds all that is known when the estate is made; `filled` is the JSONata by which a running release adds what
only it knows: the job's name, and from when until when the two were asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlestate.aws.monitors import CODE, OUT, processing
from mlestate.config.model import METRICS, Model
from mlestate.config.serving import MINIMUM_SAMPLES, SPLIT
from mlestate.names import Names

__all__ = ["CHALLENGER", "CHAMPION", "PROGRAM", "REPORT", "arguments", "filled", "metric", "request"]

PROGRAM = "mlestate.aws.jobs.comparison"
REPORT = "comparison.json"
CHAMPION, CHALLENGER = "champion", "challenger"
"""The two variants of an endpoint while it compares."""


def metric(model: Model) -> str | None:
    """The metric that decides: the file's for the rollout, else the first that is gated; None where there is none."""
    return model.serving.rollout.metric or next(iter(model.gates.model.thresholds), None)


def _better(model: Model, name: str) -> str:
    """Which of its values is better; of a metric of the model's own, the side on which its gate bounds nothing."""
    bound = METRICS[model.problem].get(name) or ("min" if model.gates.model.custom[name].max is None else "max")
    return "higher" if bound == "min" else "lower"


def arguments(name: str, model: Model, stores: Mapping[str, str], endpoint: str) -> list[str]:
    """The comparison's command line without ``--since`` and ``--until``, which stand at its end."""
    rollout, quality, decides = model.serving.rollout, model.monitoring.model_quality, metric(model)
    captured = f"{stores['capture']}/{name}/{endpoint}"
    given = {
        "model": name,
        "problem": model.problem,
        "strategy": rollout.strategy,
        "champion": f"{captured}/{CHAMPION}/",
        "challenger": f"{captured}/{CHALLENGER}/",
        "labels": f"{stores['raw']}/{(quality.labels if quality else None) or f'labels/{name}/'}",
        "minimum": str(rollout.minimum_samples or MINIMUM_SAMPLES),
        "out": OUT,
    }
    if decides is not None:
        given |= {"metric": decides, "better": _better(model, decides)}
    if rollout.strategy == "ab":
        given["split"] = str(rollout.split or SPLIT)
    elif rollout.rollback_on.disagreement is not None and rollout.rollback_on.disagreement.max is not None:
        given["bound"] = str(rollout.rollback_on.disagreement.max)
    return [word for key, value in given.items() for word in (f"--{key}", value)]


def request(
    names: Names,
    name: str,
    model: Model,
    *,
    role_arn: str,
    stores: Mapping[str, str],
    code: str,
    endpoint: str,
    key: str | None,
    subnets: Sequence[str],
    groups: Sequence[str],
) -> dict[str, Any]:
    """The request but for what `filled` adds (SageMaker API, CreateProcessingJob).

    ``stores`` are `s3://` URIs by role, ``code`` is the folder that holds `jobs.COMPARISON`, ``role_arn`` the role of
    the monitor, which may do all of this: it reads artifacts, capture and raw, and writes below ``<model>/monitoring/``
    in artifacts. The report is left in ``<model>/monitoring/comparisons/<job's name>/comparison.json``.
    """
    return processing(
        names,
        name,
        model,
        program=PROGRAM,
        arguments=arguments(name, model, stores, endpoint),
        code=(code, CODE),
        report=f"{stores['artifacts']}/{name}/monitoring/comparisons/",
        role_arn=role_arn,
        key=key,
        subnets=subnets,
        groups=groups,
    )


def filled(asked: str, *, job: str, since: str, until: str) -> str:
    """The JSONata expression of a whole request. All four are expressions too: of a request, of a name of at most 63
    characters, which begins with the slice's so that the job is known as the estate's, and of two times as `$now()`
    gives them."""
    return (
        f"($asked := {asked}; $job := {job}; $app := $asked.AppSpecification; $out := $asked.ProcessingOutputConfig;"
        ' $merge([$asked, {"ProcessingJobName": $job,'
        ' "AppSpecification": $merge([$app, {"ContainerArguments":'
        f' $append($app.ContainerArguments, ["--since", {since}, "--until", {until}])}}]),'
        ' "ProcessingOutputConfig": $merge([$out, {"Outputs": [$merge([$out.Outputs[0], {"S3Output":'
        ' $merge([$out.Outputs[0].S3Output, {"S3Uri": $out.Outputs[0].S3Output.S3Uri & $job & "/"}])}])]}])}]))'
    )
