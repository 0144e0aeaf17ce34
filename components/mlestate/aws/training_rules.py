"""Rules of the file about training that only AWS has."""

from collections.abc import Iterator, Mapping
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


OWN_DISKS: Mapping[str, int] = {"gpu-small": 250, "gpu-large": 3800}
"""The GB of the local storage of the machines of `COMPUTE` that have any (Amazon EC2, "Accelerated computing": g5)."""


def disks_are_there(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker API, ResourceConfig, VolumeSizeInGB: where an instance has local storage, no more can be asked for."""
    for path, model in facts.models():
        training = model.training
        has = OWN_DISKS.get(training.compute)
        if has is not None and training.volume_gb > has:
            yield (
                (*path, "training", "volume_gb"),
                f"{training.volume_gb} is more than the {has} GB of the disk that a machine of {training.compute} "
                f"brings, and SageMaker adds none to it. Use at most {has}, or another size.",
            )


TRAINING_RULES = (schedules_name_one_kind_of_day, runs_end_in_time, disks_are_there)
