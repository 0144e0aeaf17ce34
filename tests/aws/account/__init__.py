"""A simulated AWS account in which the compiled machines of an estate run: moto, with its gaps closed (`gaps`).

with Account.of(rows) as account:
    account.run()
    version = account.register("churn")
    account.approve("churn", version, by="approver@risk.example")
    account.run()
    assert account.endpoint("risk-production-churn").traffic == {"champion": 1.0}
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .account import Account, Execution
    from .coverage import Coverage, Report
    from .runs import Trained

__all__ = ["CONTROL", "Account", "Coverage", "Execution", "Report", "Trained"]

CONTROL = "/simulation"
"""Where the acts are asked for that no API of AWS has: `{"act": "wait", "minutes": 5}`."""

_HOMES = {"Account": "account", "Execution": "account", "Coverage": "coverage", "Report": "coverage", "Trained": "runs"}


def __getattr__(name: str) -> Any:
    """Loaded when it is used: a command asks an account that another process serves, and moto takes seconds to load."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
