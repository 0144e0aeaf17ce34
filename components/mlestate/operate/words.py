"""Moments and numbers as a person reads them; always in UTC, which is what ledgers and trails are written in."""

from datetime import UTC, datetime

__all__ = ["ago", "moment", "number", "parsed", "spell"]


def parsed(text: object) -> datetime | None:
    """A moment of a ledger (ISO 8601); None for what is none."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment(at: datetime) -> str:
    """``2026-11-24 13:40 UTC``"""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(since: datetime, now: datetime) -> str:
    """How long: ``10 min``, ``3 h``, ``4 d``."""
    return spell((now - since).total_seconds())


def spell(seconds: float) -> str:
    """A length of time in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def number(value: float | None) -> str:
    """Four digits that count; a dash for what is not known."""
    return "-" if value is None else f"{value:.4g}"
