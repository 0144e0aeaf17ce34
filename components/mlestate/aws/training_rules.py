"""Rules of the file about training that only AWS has."""

from collections.abc import Iterator
from types import ModuleType

from mlestate.aws.pipeline_jobs import TRAINING_SECONDS
from mlestate.aws.schedules import restricts_both_days
from mlestate.config.facts import Facts

Findings = Iterator[tuple[object, ...]]


def a_schedule_knows_its_image(facts: Facts, settings: ModuleType) -> Findings:
    """A pipeline that nobody starts by hand is told by nobody which image to use, and no tag of ECR's ever moves."""
    for path, model in facts.models():
        if model.training.schedule is not None and model.training.image is None:
            yield (
                (*path, "training", "schedule"),
                "starts runs that nobody tells which image to use, and tags do not move. Add training.image, the tag "
                "of the image to train with.",
            )


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


TRAINING_RULES = (a_schedule_knows_its_image, schedules_name_one_kind_of_day, runs_end_in_time)
