"""Misbehaviour on demand: slow, failing and dying calls, for tests of what survives them."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlestate.errors import InputError
from mlestate.local.files import parse_json

VARIABLE = "MLESTATE_LOCAL_FAULTS"
_OPERATIONS: Final = ("check", "create", "delete", "diff", "invoke", "read", "update")
_WORDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "die": ("'before' or 'after'", lambda value: value in ("before", "after")),
    "fail": ("a sentence", lambda value: isinstance(value, str)),
    "slow": (
        "a number of seconds",
        lambda value: isinstance(value, int | float) and 0 <= value < threading.TIMEOUT_MAX,
    ),
    "times": ("a whole number", lambda value: isinstance(value, int) and value >= 0),
}
_EXAMPLE: Final = """write such as {"create": {"aws:s3/bucket:Bucket": {"fail": "AccessDenied: no", "times": 1}}}"""


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
        for operation, types in _items(self.rules, "the whole"):
            if operation not in _OPERATIONS:
                raise InputError(f"{VARIABLE}: no operation {operation!r}; there are {', '.join(_OPERATIONS)}")
            for token, rule in _items(types, operation):
                for word, value in _items(rule, f"{operation} {token}"):
                    if word not in _WORDS:
                        raise InputError(
                            f"{VARIABLE}: {operation} {token}: no fault {word!r}; there are {', '.join(_WORDS)}"
                        )
                    words, fits = _WORDS[word]
                    if not fits(value):
                        raise InputError(f"{VARIABLE}: {operation} {token}: {word} is {value!r}; it has to be {words}")

    @classmethod
    def from_environment(cls) -> "Faults":
        """The faults of the variable `MLESTATE_LOCAL_FAULTS` (JSON), none when it is not set.

        Raises:
            InputError: it is not JSON, or has a word that means nothing here.
        """
        try:
            return cls(parse_json((os.environ.get(VARIABLE) or "{}").encode(errors="surrogateescape")))
        except ValueError as error:
            raise InputError(f"{VARIABLE}: {error}; {_EXAMPLE}") from error

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


def _items(rules: Any, where: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(rules, Mapping):
        raise InputError(f"{VARIABLE}: {where} is {rules!r} where an object is needed; {_EXAMPLE}")
    return rules.items()
