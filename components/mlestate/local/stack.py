"""Which stack a run is of."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Stack"]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's names and configuration (`<namespace>:<key>`); `parallel` bounds the provider calls at one time."""

    project: str
    name: str
    organization: str
    config: Mapping[str, str]
    secret_config: tuple[str, ...]
    parallel: int
