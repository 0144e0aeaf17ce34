"""What a run tells: its operations, in Pulumi's words, as they start and end, and its messages."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Literal, TypeAlias

Severity: TypeAlias = Literal["info", "warning", "error"]

# What Pulumi's summary counts (`Logical` in pkg/resource/deploy/step.go): the parts of a replacement are not.
_COUNTED: Final = frozenset({"same", "create", "update", "replace", "delete", "read", "discard"})


@dataclass(frozen=True)
class Operation:
    """One step on one resource. `changed` are the property paths that differ, `replaced_by` those that replace it.

    `op` is Pulumi's word: same, create, update, replace, create-replacement, delete-replaced, delete, read,
    read-replacement, discard, discard-replaced. A refresh starts as refresh and is done as what it found: same,
    update, or delete for what is gone.
    """

    op: str
    urn: str
    type: str
    name: str
    changed: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnostic:
    """A message for the user. `traceback` holds the program's lines when an exception of it is reported."""

    severity: Severity
    message: str
    urn: str = ""
    traceback: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class OperationStarted:
    operation: Operation


@dataclass(frozen=True)
class OperationDone:
    """`error` is the provider's refusal, None when the operation was done."""

    operation: Operation
    seconds: float
    error: str | None = None


Event: TypeAlias = OperationStarted | OperationDone | Diagnostic


@dataclass(frozen=True)
class Result:
    """How a run ended. `changes` counts the operations as Pulumi's summary does (the stack itself is counted, default
    providers and the parts of a replacement are not); `outputs` are the stack's, with "[secret]" for a secret and
    "[unknown]" for what a preview cannot know."""

    operations: tuple[Operation, ...]
    outputs: Mapping[str, Any]
    changes: Mapping[str, int]
    diagnostics: tuple[Diagnostic, ...]
    failed: bool


class Recorder:
    """Collects a run's operations and messages, and passes each on as it happens, one at a time."""

    def __init__(self, listener: Callable[[Event], None] | None) -> None:
        self._listener = listener
        self._lock = Lock()
        self.operations: list[Operation] = []
        self.changes: Counter[str] = Counter()
        self.diagnostics: list[Diagnostic] = []
        self.failed = False
        self.forbidden = False

    def started(self, operation: Operation) -> None:
        self._tell(OperationStarted(operation))

    def done(self, operation: Operation, seconds: float, counted_as: str = "") -> None:
        """Record a finished operation; `counted_as` is its word in the summary when it is not `op`, "-" for none."""
        with self._lock:
            self.operations.append(operation)
            word = counted_as or operation.op
            if word in _COUNTED:
                self.changes[word] += 1
        self._tell(OperationDone(operation, seconds))

    def count(self, word: str) -> None:
        with self._lock:
            self.changes[word] += 1

    def failed_operation(self, operation: Operation, seconds: float, error: str) -> None:
        self._tell(OperationDone(operation, seconds, error))

    def say(self, severity: Severity, message: str, urn: str = "", traceback: tuple[str, ...] = ()) -> None:
        self._said(Diagnostic(severity, message, urn, traceback))
        self.failed = self.failed or severity == "error"

    def forbid(self, message: str, urn: str = "") -> None:
        """Record what a policy forbids: the run goes on, to find all of it, and fails in the end."""
        self._said(Diagnostic("error", message, urn))
        self.forbidden = True

    def result(self, outputs: Mapping[str, Any]) -> Result:
        failed = self.failed or self.forbidden
        return Result(tuple(self.operations), outputs, dict(self.changes), tuple(self.diagnostics), failed)

    def _said(self, diagnostic: Diagnostic) -> None:
        with self._lock:
            self.diagnostics.append(diagnostic)
        self._tell(diagnostic)

    def _tell(self, event: Event) -> None:
        if self._listener is not None:
            with self._lock:
                self._listener(event)
