"""The file's schedules as EventBridge writes them.

EventBridge Scheduler user guide, "Cron-based schedules": six fields (minutes, hours, day of month, month, day of week,
year); of the two days one is `?`; days of the week count from 1, Sunday; a step begins at a number (`0/15`).
"""

from mlestate.config.base import Schedule

__all__ = ["WEEKDAYS", "expression", "restricts_both_days"]

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def restricts_both_days(schedule: Schedule) -> bool:
    """Whether it names days of the month and days of the week, which EventBridge cannot say at once."""
    _, _, day_of_month, _, day_of_week = schedule.cron.split()
    return day_of_month != "*" and day_of_week != "*"


def expression(schedule: Schedule) -> str:
    """As EventBridge takes it: ``cron(0 4 ? * MON *)`` for `0 4 * * 1`.

    Raises:
        ValueError: the schedule names days of the month and of the week (`restricts_both_days`).
    """
    if restricts_both_days(schedule):
        raise ValueError(f"EventBridge takes days of the month or of the week, not both: {schedule.cron}")
    minute, hour, day_of_month, month, day_of_week = schedule.cron.split()
    days = _weekdays(day_of_week)
    fields = [
        _field(minute, 0, 59),
        _field(hour, 0, 23),
        "?" if days != "?" else _field(day_of_month, 1, 31),
        _field(month, 1, 12),
        days,
        "*",
    ]
    return f"cron({' '.join(fields)})"


def _weekdays(text: str) -> str:
    if text == "*":
        return "?"
    # 0 and 7 are both Sunday.
    return ",".join(WEEKDAYS[day] for day in sorted({day % 7 for day in _numbers(text, 0, 7)}))


def _field(text: str, low: int, high: int) -> str:
    if text == "*":
        return text
    if text.startswith("*/") and "," not in text:
        return f"{low}/{text[2:]}"
    return ",".join(map(str, sorted(set(_numbers(text, low, high)))))


def _numbers(text: str, low: int, high: int) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else int(first)
        end = high if first == "*" or (step and not last) else int(last or first)
        found += range(begin, end + 1, int(step or 1))
    return found
