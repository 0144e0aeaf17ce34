"""The grammars of EventBridge: event patterns, and the expressions of schedules.

Sources: EventBridge user guide, "Event pattern syntax", "Comparison operators", "Cron and rate expressions";
EventBridge Scheduler user guide, "Schedule types"; Application Auto Scaling API reference, PutScheduledAction;
SageMaker API reference, ScheduleConfig.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mlestate.local.aws.json_text import Finding, parsed

_OPERATORS = ("prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "wildcard", "cidr")
_NESTED = ("prefix", "suffix", "equals-ignore-case", "wildcard")  # what anything-but may hold, beside values
MOST = 2048  # characters of a pattern: the quota that accounts start with
_COMPARISONS = ("<", "<=", "=", ">", ">=")


def pattern(text: Any) -> Iterator[Finding]:
    """What EventBridge refuses of an event pattern."""
    document = yield from parsed(text)
    if document is None:
        return
    if isinstance(text, str) and len(text) > MOST:
        yield (), f"the pattern has {len(text)} characters; at most {MOST} are allowed"
    if not document:
        yield (), "an event pattern names at least one field"
    yield from _fields(document)


def _fields(fields: Mapping[str, Any]) -> Iterator[Finding]:
    for name, value in fields.items():
        if name == "$or":
            options = value if isinstance(value, list) else []
            if len(options) < 2 or not all(isinstance(option, dict) for option in options):
                yield (name,), "$or holds a list of at least two patterns"
                continue
            for index, option in enumerate(options):
                yield from (((name, index, *where), sentence) for where, sentence in _fields(option))
        elif isinstance(value, dict):
            yield from (((name, *where), sentence) for where, sentence in _fields(value))
        elif not isinstance(value, list) or not value:
            yield (name,), f"a field is matched by a list of values, got {value!r}"
        else:
            for index, item in enumerate(value):
                if sentence := _matcher(item):
                    yield (name, index), sentence


def _matcher(item: Any) -> str | None:
    if not isinstance(item, dict):
        return "a list holds values and operators, no list" if isinstance(item, list) else None
    if len(item) != 1:
        return f"a comparison has exactly one operator, got {', '.join(item) or 'none'}"
    operator, value = next(iter(item.items()))
    if operator not in _OPERATORS:
        return f"unknown operator {operator!r}; allowed are {', '.join(_OPERATORS)}"
    if operator == "exists" and not isinstance(value, bool):
        return f"exists takes true or false, got {value!r}"
    if operator == "numeric" and not _is_numeric(value):
        return f"numeric takes comparisons such as ['>=', 0, '<', 10], got {value!r}"
    if operator == "anything-but" and isinstance(value, dict) and not (len(value) == 1 and set(value) <= {*_NESTED}):
        return f"anything-but holds values or one of {', '.join(_NESTED)}, got {', '.join(value) or 'nothing'}"
    if operator in ("wildcard", "cidr") and not isinstance(value, str):
        return f"{operator} takes a text, got {value!r}"
    return None


def _is_numeric(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (2, 4)
        and all(each in _COMPARISONS for each in value[::2])
        and all(isinstance(each, (int, float)) for each in value[1::2])
    )


_UNITS = ("minute", "hour", "day")
# minutes, hours, day of month, month, day of week, year
_FIELDS = (("minutes", 0, 59), ("hours", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 1, 7),
           ("year", 1970, 2199))  # fmt: skip
_NAMES: Mapping[str, tuple[str, ...]] = {
    "month": ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    "day of week": ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
}


def rule_schedule(text: str) -> Iterator[Finding]:
    """What EventBridge refuses of a rule's schedule: cron and rate."""
    yield from _schedule(text, ("cron", "rate"))


def schedule(text: str) -> Iterator[Finding]:
    """What EventBridge Scheduler and Application Auto Scaling refuse of a schedule: cron, rate and at."""
    yield from _schedule(text, ("cron", "rate", "at"))


def monitoring_schedule(text: str) -> Iterator[Finding]:
    """What Model Monitor refuses: it knows hourly, daily, every so many hours, and now."""
    if text != "NOW" and not re.fullmatch(r"cron\(0 (\*|\d|1\d|2[0-3])(/([1-9]|1\d|2[0-4]))? \? \* \* \*\)", text):
        sentence = (
            f"Model Monitor takes cron(0 * ? * * *), cron(0 H ? * * *) and cron(0 H/N ? * * *), got {text!r}; start "
            "other rhythms by EventBridge Scheduler and a processing job"
        )
        yield (), sentence


def _schedule(text: str, kinds: tuple[str, ...]) -> Iterator[Finding]:
    found = re.fullmatch(r"(\w+)\((.*)\)", text)
    if found is None or found[1] not in kinds:
        yield (), f"expected {', '.join(f'{kind}(...)' for kind in kinds)}, got {text!r}"
    elif sentence := {"cron": _cron, "rate": _rate, "at": _at}[found[1]](found[2]):
        yield (), f"{sentence} in {text!r}"


def _rate(text: str) -> str | None:
    found = re.fullmatch(r"([1-9]\d*) (\w+)", text)
    if found is None or found[2].removesuffix("s") not in _UNITS:
        return "rate takes a positive number and minutes, hours or days"
    if (found[1] == "1") == found[2].endswith("s"):
        return f"1 {found[2].removesuffix('s')}, but more are {found[2].removesuffix('s')}s:"
    return None


def _at(text: str) -> str | None:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")  # the time zone is a property of its own
    except ValueError:
        return "at takes yyyy-mm-ddThh:mm:ss"
    return None


def _cron(text: str) -> str | None:
    given = text.split()
    if len(given) != len(_FIELDS):
        return f"cron has 6 fields (minutes hours day-of-month month day-of-week year), got {len(given)}"
    if (given[2] == "?") == (given[4] == "?"):
        return "exactly one of day-of-month and day-of-week is ?"
    for value, (name, least, most) in zip(given, _FIELDS, strict=True):
        if not (value == "?" and name in ("day of month", "day of week")) and not _field(value, name, least, most):
            return f"{value!r} is no {name}"
    return None


def _field(value: str, name: str, least: int, most: int) -> bool:
    special = {"day of month": r"L|LW|\d{1,2}W", "day of week": r"L|\d?L|\w{1,3}#[1-5]"}.get(name)
    if special and re.fullmatch(special, value):
        return True
    names = {word: str(position) for position, word in enumerate(_NAMES.get(name, ()), 1)}
    for part in value.split(","):
        span, _, step = part.partition("/")
        if (step and not (step.isdigit() and int(step) > 0)) or part.endswith("/"):
            return False
        for end in [] if span == "*" else span.split("-"):
            number = names.get(end.upper(), end)
            if not number.isdigit() or not least <= int(number) <= most:
                return False
        if span.count("-") > 1:
            return False
    return True
