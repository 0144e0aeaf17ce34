"""Unquoted scalars: read by YAML 1.2's core schema, as editors do.

What YAML 1.1 makes a date, a number or a truth value of, and YAML 1.2 does not, is refused with the form to write, so
that no tool reads the file differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

Scalar = str | int | float | bool | None

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII
)
_YES_NO = re.compile(r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_UNDERSCORES = re.compile(r"[-+]?[1-9][0-9]*_[0-9_]*", re.ASCII)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
    re.ASCII,
)
_LONGEST = 40


def _base_sixty(text: str) -> float:
    total: float = 0
    for part in text.lstrip("+-").split(":"):
        total = total * 60 + (float(part) if "." in part else int(part))
    return -total if text.startswith("-") else total


_NUMBERS: tuple[tuple[re.Pattern[str], str, Callable[[str], float]], ...] = tuple(
    (re.compile(pattern, re.ASCII), version, read)
    for pattern, version, read in (
        (r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+", "1.1", _base_sixty),
        (r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*", "1.1", _base_sixty),
        (r"[-+]?0[0-7_]+", "1.1", lambda digits: int(digits, 8)),
        (r"[-+]?0[0-9_]+", "1.2", int),
        (r"[-+]?0b_*[01][01_]*", "1.1", lambda digits: int(digits, 2)),
        (
            r"[-+]0x_*[0-9a-fA-F][0-9a-fA-F_]*|0x(?=.*_)_*[0-9a-fA-F][0-9a-fA-F_]*",
            "1.1",
            lambda digits: int(digits, 16),
        ),
        (r"[-+]?(?=.*_)(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?", "1.1", float),
    )
)
"""What one version of YAML makes a number of, with that version; `_` is taken out before it is read."""


def resolve(text: str) -> Scalar:
    """What YAML 1.2 makes of an unquoted text."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    # Python refuses to read integers of thousands of digits; as a float it becomes infinite and is refused as such.
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def trap_of(text: str) -> str | None:
    """What YAML 1.1 makes of an unquoted text that YAML 1.2 reads otherwise, as a sentence, or None."""
    if _YES_NO.fullmatch(text):
        meant = _truth(text)
        return f'YAML 1.1 makes {meant} of the unquoted {text}. Write {meant}, or "{text}" where the text is meant.'
    if _UNDERSCORES.fullmatch(text):
        return f"YAML 1.1 makes the number {text.replace('_', '')} of the unquoted {text}. Write it without _."
    return _number_or_date(text)


def key_trap(text: str) -> str | None:
    """What YAML makes of an unquoted key, as a sentence; None where it is text in every version."""
    if not text:
        return "YAML makes null of a key that is left out. Write the key."
    trap = _number_or_date(text)
    if trap is not None:
        return trap
    value = resolve(text)
    if _YES_NO.fullmatch(text):
        made = _truth(text)
    elif _UNDERSCORES.fullmatch(text):
        made = f"the number {text.replace('_', '')}"
    elif value is None or isinstance(value, bool):
        made = "null" if value is None else str(value).lower()
    elif not isinstance(value, str):
        made = f"the number {value}"
    else:
        return None
    return f'YAML 1.1 makes {made} of the unquoted {text}. Write "{text}".'


def _truth(text: str) -> str:
    return "true" if text.lower() in ("yes", "on") else "false"


def _number_or_date(text: str) -> str | None:
    if not text or text[0] not in "+-.0123456789" or len(text) > _LONGEST:
        return None
    for pattern, version, read in _NUMBERS:
        if pattern.fullmatch(text):
            number = read(text.replace("_", ""))
            return f'YAML {version} makes the number {number} of the unquoted {text}. Write "{text}".'
    if _DATE.fullmatch(text):
        try:
            made = f"the date {date(*map(int, re.findall('[0-9]+', text)[:3]))}"
        except ValueError:
            made = "a date that there is not"
        return f'YAML 1.1 makes {made} of the unquoted {text}. Write "{text}".'
    return None
