"""Simulated time, and executions that take turns in it: nothing here ever sleeps."""

import heapq
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core import utils

__all__ = ["START", "Clock", "Process", "iso"]

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday morning: when every simulation begins."""

REAL_SECONDS = 120
"""How long one turn of an execution may really take before the simulation says that it hangs."""


@dataclass(order=True)
class Planned:
    """Something that is to be done."""

    at: datetime
    said: int
    work: bool = field(compare=False)
    call: Callable[[], object] = field(compare=False)
    off: bool = field(default=False, compare=False)


class Process:
    """A thread that runs only while the clock gives it its turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = False
        self.next: Planned | None = None
        """When it gets its next turn."""
        self.resume = threading.Semaphore(0)
        self.paused = threading.Semaphore(0)


class Clock:
    """Time, and what is to happen in it, in order; of two things at one moment the first said is the first done.

    Exactly one thread runs at any moment: the one that drives, or one process. So a simulation repeats itself exactly.
    """

    def __init__(self) -> None:
        self.now = START
        self.running: Process | None = None
        self._queue: list[Planned] = []
        self._said = 0
        self._work = 0
        self._processes: list[Process] = []
        self._driver = threading.get_ident()

    @property
    def millis(self) -> int:
        return round(self.now.timestamp() * 1000)

    def at(self, seconds: float, call: Callable[[], object]) -> None:
        """Have something done in so many seconds from now, if time is ever driven that far."""
        self._later(seconds, call, work=False)

    def work(self, seconds: float, call: Callable[[], object]) -> None:
        """The same for what the account itself is busy with: `settle` waits for it."""
        self._later(seconds, call, work=True)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let so much time pass, with everything that happens in it."""
        until = self.now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        while (following := self._next()) is not None and following.at <= until:
            self._step()
        self.now = until

    def settle(self, days: float = 60) -> None:
        """Let time pass until no execution runs and the account is busy with nothing.

        Raises:
            AssertionError: after ``days`` something still goes on, or an execution waits for what never comes.
        """
        limit = self.now + timedelta(days=days)
        while self._work or self.living:
            following = self._next()
            assert following is not None, f"nothing will ever wake {', '.join(self.living)}"
            assert following.at <= limit, f"after {days} days these still run: {', '.join(self.living) or 'jobs'}"
            self._step()

    @property
    def living(self) -> list[str]:
        return [each.name for each in self._processes if not each.ended]

    def start(self, name: str, body: Callable[[], None]) -> Process:
        """Begin a process; its first turn comes after whatever already waits for this moment."""
        process = Process(name)

        def run() -> None:
            process.resume.acquire()
            try:
                body()
            finally:
                process.ended = True
                process.paused.release()

        self._processes.append(process)
        threading.Thread(target=run, daemon=True, name=name).start()
        self._turn(process, 0)
        return process

    def sleep(self, seconds: float) -> None:
        """End the running process's turn for so many seconds, or until something wakes it."""
        process = self.running
        assert process is not None, "only a process can sleep"
        self._turn(process, max(0.0, seconds))
        process.paused.release()
        process.resume.acquire()

    def wake(self, process: Process) -> None:
        """Give a sleeping process its next turn at once."""
        if process.next is not None and not process.ended:
            process.next.off = True
            self._work -= 1
            self._turn(process, 0)

    def _turn(self, process: Process, seconds: float) -> None:
        process.next = self._later(seconds, lambda: self._give(process), work=True)

    def _give(self, process: Process) -> None:
        assert self.running is None, "one process runs at a time"
        self.running, process.next = process, None
        try:
            process.resume.release()
            assert process.paused.acquire(timeout=REAL_SECONDS), f"{process.name} hangs"
        finally:
            self.running = None

    def _later(self, seconds: float, call: Callable[[], object], *, work: bool) -> Planned:
        self._said += 1
        self._work += work
        planned = Planned(self.now + timedelta(seconds=seconds), self._said, work, call)
        heapq.heappush(self._queue, planned)
        return planned

    def _next(self) -> Planned | None:
        while self._queue and self._queue[0].off:
            heapq.heappop(self._queue)
        return self._queue[0] if self._queue else None

    def _step(self) -> None:
        assert threading.get_ident() == self._driver, "an execution cannot drive the time that it runs in"
        planned = heapq.heappop(self._queue)
        self.now = max(self.now, planned.at)
        self._work -= planned.work
        planned.call()


def iso(when: datetime) -> str:
    """A time as the AWS SDK for Java, in which Step Functions answers, writes it: no fraction where there is none."""
    when = when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    return when.isoformat(timespec="milliseconds" if when.microsecond // 1000 else "seconds") + "Z"


class _Instance(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


@contextmanager
def simulated(clock: Clock, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have moto's clocks show the simulated time: `utcnow` everywhere, and `datetime.now` in Step Functions."""

    class Simulated(datetime, metaclass=_Instance):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain one, as callers expect
            return clock.now.astimezone(tz) if tz else clock.now.replace(tzinfo=None)

    fake = SimpleNamespace(datetime=Simulated, timezone=timezone, timedelta=timedelta, date=date)
    real = utils.utcnow
    for name, module in list(sys.modules.items()):
        if not name.startswith("moto."):
            continue
        if getattr(module, "utcnow", None) is real:
            patch.setattr(module, "utcnow", lambda: clock.now.replace(tzinfo=None))
        if name.startswith("moto.stepfunctions.parser") and not name.endswith(".encoding"):
            held: Any = getattr(module, "datetime", None)
            if held is sys.modules["datetime"]:
                patch.setattr(module, "datetime", fake)
    yield
