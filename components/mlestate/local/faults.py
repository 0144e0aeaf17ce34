"""Misbehaviour on demand: slow, failing and dying calls, for tests of what survives them."""

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VARIABLE = "MLESTATE_LOCAL_FAULTS"
_WORDS = {"fail", "slow", "die", "times"}
_OPERATIONS = {"check", "diff", "create", "read", "update", "delete", "invoke"}


class InjectedError(Exception):
    """The refusal that a fault asked for."""


@dataclass
class Faults:
    """Faults by operation and resource type (`*` for every type), such as
    `{"create": {"aws:s3/bucket:Bucket": {"fail": "AccessDenied: no", "slow": 0.5, "times": 1}}}`.

    `fail` refuses with that sentence; `slow` waits so many seconds first; `die` kills the process with SIGKILL `before`
    or `after` the store is written; `times` is how often, in this process (unlimited without it).
    """

    rules: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    _spent: dict[tuple[str, str], int] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        for operation, types in self.rules.items():
            if operation not in _OPERATIONS:
                raise ValueError(f"{VARIABLE}: no operation {operation!r}; there are {', '.join(sorted(_OPERATIONS))}")
            for token, rule in types.items():
                if unknown := set(rule) - _WORDS:
                    raise ValueError(
                        f"{VARIABLE}: {operation} {token}: no fault {sorted(unknown)[0]!r}; "
                        f"there are {', '.join(sorted(_WORDS))}"
                    )

    @classmethod
    def from_environment(cls) -> "Faults":
        """The faults of the variable `MLESTATE_LOCAL_FAULTS` (JSON), none when it is not set. Raises ValueError."""
        return cls(json.loads(os.environ.get(VARIABLE) or "{}"))

    def before(self, operation: str, token: str) -> Mapping[str, Any]:
        """What to do before the store is written; the answer goes to `after`. Raises InjectedError."""
        types = self.rules.get(operation)
        if not types:
            return {}
        key = token if token in types else "*"
        rule = types.get(key)
        if rule is None:
            return {}
        with self._lock:
            spent = self._spent[operation, key] = self._spent.get((operation, key), 0) + 1
        if spent > rule.get("times", spent):
            return {}
        time.sleep(rule.get("slow", 0))
        if rule.get("die") == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if "fail" in rule:
            raise InjectedError(rule["fail"])
        return rule

    @staticmethod
    def after(rule: Mapping[str, Any]) -> None:
        if rule.get("die") == "after":
            os.kill(os.getpid(), signal.SIGKILL)
