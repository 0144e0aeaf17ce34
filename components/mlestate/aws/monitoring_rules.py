"""Rules of the file about monitoring that only AWS has."""

from collections.abc import Iterator
from types import ModuleType

from mlestate.aws.images import IMAGES
from mlestate.aws.model_monitor import KINDS, expression, wanted
from mlestate.aws.monitors import compares
from mlestate.config.facts import Facts
from mlestate.config.model import METRICS
from mlestate.names import KINDS as NAME_KINDS
from mlestate.names import Names

Findings = Iterator[tuple[object, ...]]

WATCHED = ("data_drift", "prediction_drift", "model_quality")


def monitors_find_requests(facts: Facts, settings: ModuleType) -> Findings:
    """The monitor reads what SageMaker keeps of realtime endpoints and batch transforms (developer guide, "Data
    capture"), line by line; a serverless endpoint keeps nothing, which every cloud's rules say."""
    datasets = facts.config.data.datasets
    for path, model in facts.models():
        here, mode = (*path, "monitoring"), model.serving.mode
        if facts.is_aside((*path, "serving", "mode")):
            continue
        dataset = datasets.get(model.data.dataset or "")
        columnar = mode == "batch" and dataset is not None and dataset.format not in ("csv", "json")
        for name in WATCHED:
            if not facts.written((*here, name)) or facts.source((*here, name)) == "defaults":
                continue
            if mode == "async":
                yield (
                    (*here, name),
                    "reads the requests that SageMaker keeps, and of an asynchronous endpoint it keeps none. Use mode "
                    "realtime or batch, or remove the block and watch the answers where they are used.",
                )
            elif columnar and dataset is not None:
                yield (
                    (*here, name),
                    f"reads what a batch run read and wrote line by line, and {dataset.format} has no lines. Keep the "
                    "data set as csv or json, or remove the block.",
                )
        service = (*here, "service")
        if mode in ("none", "batch") and facts.written(service) and facts.source(service) != "defaults":
            yield service, f"watches an endpoint, and serving.mode is {mode}. Remove the block."


def monitors_run_every_day(facts: Facts, settings: ModuleType) -> Findings:
    """CloudWatch alarms look back seven days at most (API, PutMetricAlarm, EvaluationPeriods): a monitor that runs less
    often than every third day could stop without anyone being told."""
    for path, model in facts.models():
        schedule = model.monitoring.schedule
        if schedule.cron.split()[2:] != ["*", "*", "*"]:
            yield (
                (*path, "monitoring", "schedule"),
                f"'{schedule}' leaves out days. A monitor that rests for days could stop for good, and no alarm on AWS "
                'would tell: they look back a week. Use daily, hourly or certain hours, such as "0 */6 * * *".',
            )


def quality_can_be_computed(facts: Facts, settings: ModuleType) -> Findings:
    """What a metric of one's own means is known to the model's repository alone."""
    for path, model in facts.models():
        quality, gated = model.monitoring.model_quality, tuple(model.gates.model.thresholds)
        if quality is None:
            continue
        metric, known = quality.metric or next(iter(gated), None), tuple(METRICS[model.problem])
        if metric is not None and metric in model.gates.model.custom:
            yield (
                (*path, "monitoring", "model_quality", *(("metric",) if quality.metric else ())),
                f"'{metric}' is a metric of the model's own, which only its repository can compute. Watch one of: "
                f"{', '.join(known)}.",
                known,
            )


def an_ab_test_is_decided_by_a_metric_that_all_know(facts: Facts, settings: ModuleType) -> Findings:
    """The job that compares computes the metric itself, from answers and true outcomes."""
    for path, model in facts.models():
        rollout, here = model.serving.rollout, (*path, "serving", "rollout")
        if rollout.strategy != "ab" or facts.is_aside((*here, "strategy")):
            continue
        metric, known = rollout.metric or next(iter(model.gates.model.thresholds), None), tuple(METRICS[model.problem])
        if metric is not None and metric in model.gates.model.custom:
            yield (
                (*here, "metric" if rollout.metric else "strategy"),
                f"'{metric}' is a metric of the model's own, which only its repository can compute, so nothing could "
                f"decide the test. Set rollout.metric to one of: {', '.join(known)}.",
                known,
            )


def the_region_has_the_monitors_image(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker publishes its containers region by region (developer guide, "Docker registry paths")."""
    region, (_, accounts) = facts.config.region, IMAGES["scikit-learn"]
    if region in accounts or facts.is_aside(("region",)):
        return
    for path, model in facts.models():
        for name in WATCHED:
            if getattr(model.monitoring, name) is not None and model.serving.mode in ("realtime", "batch"):
                yield (
                    (*path, "monitoring", name),
                    f"runs in SageMaker's scikit-learn container, of which no registry is known in {region}. Remove "
                    "the block, or use another region.",
                )
        if compares(model) and not facts.is_aside((*path, "serving", "rollout", "strategy")):
            yield (
                (*path, "serving", "rollout", "strategy"),
                "is decided by a job in SageMaker's scikit-learn container, of which no registry is known in "
                f"{region}. Use canary or all-at-once, or another region.",
            )


def model_monitor_can_run(facts: Facts, settings: ModuleType) -> Findings:
    """What SageMaker's own monitors need (SageMaker API, ScheduleConfig; developer guide, "Docker registry paths")."""
    for path, model in facts.models():
        here = (*path, "monitoring", "aws", "model_monitor")
        if model.monitoring.aws is None or not model.monitoring.aws.model_monitor:
            continue
        if model.serving.mode != "realtime":
            yield here, f"watches a realtime endpoint, and serving.mode is {model.serving.mode}. Remove the line."
        if not (roles := wanted(model)):
            yield here, "has nothing to watch. Add data_drift, prediction_drift or model_quality, or remove the line."
        if expression(model.monitoring.schedule) is None:
            yield (
                (*path, "monitoring", "schedule"),
                f"'{model.monitoring.schedule}' is no schedule that SageMaker Model Monitor takes: hourly, at one full "
                'hour of the day ("0 4 * * *") or every few hours ("0 */6 * * *"). Use one of these, or remove '
                "monitoring.aws.model_monitor.",
            )
        region = facts.config.region
        for image in sorted({KINDS[role].image for role in roles}):
            if region not in IMAGES[image][1]:
                yield (
                    here,
                    f"needs SageMaker's {image} container, and {region} is not known to have it. Remove the line.",
                )
        for environment in facts.config.environments:
            names = Names("aws", facts.config.name, environment, region="", home="")
            longest = max((names.spelled("job-definition", f"{path[1]}-{role}") for role in roles), key=len, default="")
            over = len(longest) - NAME_KINDS["aws:job-definition"].limit
            if over > 0:
                yield (
                    here,
                    f"makes '{longest}' and nine characters more of a name, which is {over} too many. Shorten it.",
                )


def tampering_reaches_someone(facts: Facts, settings: ModuleType) -> Findings:
    """What is done to the trail is told by events to a topic, which an address reads. PagerDuty's integration with
    CloudWatch and the rule for Slack know what an alarm says, and nothing else."""
    alerts = facts.config.alerts
    if alerts.email or facts.is_aside(("alerts", "email")):
        return
    for name in ("slack", "pagerduty"):
        if getattr(alerts, name) is not None:
            yield (
                ("alerts", name),
                "does not hear of tampering with the audit trail, and no one else would. Add alerts.email.",
            )


MONITORING_RULES = (
    model_monitor_can_run,
    tampering_reaches_someone,
    monitors_find_requests,
    monitors_run_every_day,
    quality_can_be_computed,
    an_ab_test_is_decided_by_a_metric_that_all_know,
    the_region_has_the_monitors_image,
)
