"""Rules of the file about training that only AWS has."""

from collections.abc import Iterator
from types import ModuleType

from mlestate.aws.pipeline_jobs import TRAINING_SECONDS
from mlestate.aws.schedules import restricts_both_days
from mlestate.config.facts import Facts

Findings = Iterator[tuple[object, ...]]


def schedules_name_one_kind_of_day(facts: Facts, settings: ModuleType) -> Findings:
    """EventBridge Scheduler user guide, "Cron-based schedules": one of the two days is `?`."""
    for path, model in facts.models():
        schedule = model.training.schedule
        if schedule is not None and restricts_both_days(schedule):
            yield (
                (*path, "training", "schedule"),
                f"'{schedule}' names days of the month and days of the week, and EventBridge takes one of them. Put * "
                "in the third or the fifth place.",
            )


def runs_end_in_time(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker's quota for the longest training job."""
    for path, model in facts.models():
        if model.training.timeout.seconds > TRAINING_SECONDS:
            yield (
                (*path, "training", "timeout"),
                f"'{model.training.timeout}' is longer than SageMaker lets a training job run. Use at most "
                f"{TRAINING_SECONDS // 86400}d.",
            )


TRAINING_RULES = (schedules_name_one_kind_of_day, runs_end_in_time)
