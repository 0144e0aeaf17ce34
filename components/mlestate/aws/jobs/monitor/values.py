"""What a cell says."""

from __future__ import annotations

import math
from typing import Any

PREDICTION = "prediction"
MISSING, OTHER = "(missing)", "(other)"


def as_number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def positive(value: Any) -> bool:
    return str(value).strip().lower() in ("1", "1.0", "true", "yes")


def alike(one: Any, other: Any) -> bool:
    left, right = as_number(one), as_number(other)
    return left == right if left is not None and right is not None else str(one).strip() == str(other).strip()
