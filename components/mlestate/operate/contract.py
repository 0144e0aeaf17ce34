"""What the commands ask of a cloud, and what they get back: no code of any cloud, no terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

__all__ = [
    "RECENT",
    "Access",
    "Approval",
    "Call",
    "Caller",
    "Denied",
    "Document",
    "Elsewhere",
    "Event",
    "Ledger",
    "NotThere",
    "Place",
    "Refused",
    "Trail",
    "Turn",
    "Verdict",
    "Version",
]

Document = Mapping[str, Any]
Verdict = Literal["approved", "rejected", "waiting"]

RECENT = 5
"""How many endings, and decisions about retraining, a person is shown."""


class Refused(Exception):
    """It cannot be done or seen; the message is one sentence that says why and what to do."""


class NotThere(Refused):
    """What was asked for does not exist."""


class Denied(Refused):
    """Whoever asked may not."""


class Elsewhere(Refused):
    """The credentials belong to another account, project or subscription than the slice."""


@dataclass(frozen=True)
class Caller:
    """Whose credentials these are."""

    identity: str
    """As the cloud writes it; on AWS an ARN."""
    name: str
    """The person behind it, as far as the cloud says: what four eyes are told apart by."""
    signs_as: str
    """The name that stands under this caller's signatures."""


@dataclass(frozen=True)
class Call:
    """One request to a cloud, as data, so that a dry run shows the very thing that would be done."""

    does: str
    """What it comes to, in words."""
    service: str
    operation: str
    """As the cloud's reference has it: `UpdateModelPackage`."""
    on: str
    """The thing that it is made on; on AWS an ARN."""
    arguments: Document


@dataclass(frozen=True)
class Version:
    """One version of a model in the registry."""

    model: str
    number: int
    verdict: Verdict
    reason: str | None
    """What whoever gave the verdict wrote."""
    usable: bool
    """False where the registry itself did not finish making it."""
    registered: datetime | None = None
    registered_by: str | None = None
    changed_by: str | None = None
    """Who gave the last verdict, or wrote to it last where there is none; None where the registry no longer says."""
    evaluation: str | None = None
    """The URI of its `evaluation.json`."""
    passed: Mapping[str, str] = field(default_factory=dict)
    """By environment that it was released in: since when."""
    trained_in: str | None = None


@dataclass(frozen=True)
class Approval:
    """One person's signature under one version, for one environment."""

    person: str
    at: str
    reason: str


@dataclass(frozen=True)
class Ledger:
    """What an environment's ledger says of one model; documents as the machines wrote them."""

    live: Document | None
    releases: Sequence[Document]
    """Those and rollbacks, newest first by their start; a rollback has `rollback` true."""
    retraining: Sequence[Document]
    """The last decisions, newest first."""
    turn: "Turn | None"
    """Who has the model's turn: one release or rollback at a time moves its traffic."""


@dataclass(frozen=True)
class Turn:
    """The lock of a model."""

    execution: str
    version: int | None
    since: str
    is_rollback: bool


@dataclass(frozen=True)
class Event:
    """One entry of the audit trail."""

    at: datetime
    who: str
    what: str
    on: str
    source: str
    """From where: an address, or the service that called."""
    refused: str | None
    """The cloud's word for why it did not happen; None where it did."""
    details: str = ""


@dataclass(frozen=True)
class Trail:
    """What the audit trail says was done, newest first."""

    events: Sequence[Event]
    cut: Sequence[str] = ()
    """Of what, as a sentence each, only the newest are there."""


class Place(Protocol):
    """A slice of an estate, asked as whoever the credentials are. Every method raises `Refused`, or one of its kinds,
    with the sentence for a person."""

    @property
    def caller(self) -> Caller: ...

    def version(self, model: str, number: int) -> Version: ...

    def newest(self, model: str) -> Version | None:
        """The newest one of the registry, with what a list says of it."""
        ...

    def waiting(self, model: str) -> Sequence[Version]:
        """All that wait for a verdict in the registry, newest first, with what a list says of them."""
        ...

    def evaluation(self, version: Version) -> tuple[str, Document]:
        """Where a version's `evaluation.json` was read, and what it holds."""
        ...

    def ledger(self, model: str) -> Ledger: ...

    def is_running(self, turn: Turn) -> bool:
        """Whether who has a turn is still at work; an execution that is no more lost it."""
        ...

    def approvals(self, model: str, version: int) -> Sequence[Approval]: ...

    def verdict(self, model: str, version: int, verdict: Literal["approved", "rejected"], reason: str) -> Call: ...

    def signature(self, model: str, version: int, reason: str) -> Call:
        """The caller's own approval of a version for this environment."""
        ...

    def release(self, model: str, version: int, reason: str | None) -> Call: ...

    def rollback(self, model: str, reason: str) -> Call: ...

    def check(self, call: Call) -> None:
        """That what a call starts or writes to is there."""
        ...

    def make(self, call: Call) -> None: ...

    def trail(self, slices: Sequence[str], days: int) -> Trail:
        """What was done to things of these slices in this account."""
        ...


class Access(Protocol):
    """An estate as the caller's credentials open it. A cloud's module makes one by `sign_in(config)`, which raises
    `Refused` where there are no credentials or nobody answers."""

    def enter(self, slice_: str, personas: Sequence[str]) -> Place:
        """Open ``slice_``, which is `hub` or an environment; ``personas`` are whose work it is, for the sentences of a
        refusal.

        Raises:
            Elsewhere: the credentials are of another account.
        """
        ...
