"""What happens to a version on its way, as one table, asked of every cloud.

A scenario is a true sentence, a model, and acts, played one after the other in an estate that is up and serves version
1 of every model; and how the world looks in the end, wholly. No cloud's word is here: a cloud brings a `World`, in
which it plays the acts, and which says how it looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["ESTATES", "SCENARIOS", "Act", "Message", "Scenario", "Seen", "Told", "World", "perform", "play"]

APPROVER, OTHER, SCIENTIST, ENGINEER = "approver", "other", "scientist", "engineer"
"""People: two who approve, who starts training runs, and who operates."""

ALONE = """
version: 1
name: risk
cloud: {cloud}
region: {region}
people: {{approvers: [approver@risk.example], data_scientists: [scientist@risk.example]}}
environments:
  production: {{}}
models:
  whole:
    problem: classification
    gates: {{model: {{accuracy: {{min: 0.8}}}}}}
    serving: {{mode: realtime, initial_version: 1}}
  canary:
    problem: classification
    gates: {{model: {{accuracy: {{min: 0.8}}}}}}
    serving: {{mode: realtime, initial_version: 1, replicas: {{min: 2}}, rollout: {{strategy: canary, bake: 5m}}}}
  ab:
    problem: classification
    gates: {{model: {{accuracy: {{min: 0.8}}}}}}
    serving: {{mode: realtime, initial_version: 1, rollout: {{strategy: ab, bake: 1h, minimum_samples: 200}}}}
  shadow:
    problem: classification
    gates: {{model: {{accuracy: {{min: 0.8}}}}}}
    serving:
      mode: realtime
      initial_version: 1
      rollout:
        strategy: shadow
        bake: 1h
        sample: 1
        minimum_samples: 200
        rollback_on: {{disagreement: {{max: 0.1}}}}
  serverless:
    problem: classification
    serving: {{mode: serverless, initial_version: 1}}
  queued:
    problem: classification
    serving: {{mode: async, initial_version: 1}}
  batch:
    problem: classification
    serving: {{mode: batch, initial_version: 1, input: lake/in/}}
  later:
    problem: classification
    serving: {{mode: realtime}}
  offline: {{problem: classification}}
"""
"""One environment, and a model for every way to serve and to take over; nothing serves `later` yet."""

PATH = """
version: 1
name: risk
cloud: {cloud}
region: {region}
people: {{approvers: [approver@risk.example, other@risk.example], data_scientists: [scientist@risk.example]}}
environments:
  staging: {{}}
  production: {{}}
promotion: {{path: [staging, production]}}
models:
  whole:
    problem: classification
    gates: {{model: {{accuracy: {{min: 0.8}}}}}}
    serving: {{mode: realtime, initial_version: 1}}
"""
"""A version passes staging first."""

ESTATES: Mapping[str, str] = {"alone": ALONE, "path": PATH}


@dataclass(frozen=True)
class Message:
    """What people were told."""

    urgency: str
    """`page` or `notice`."""
    subject: str
    text: str


@dataclass(frozen=True)
class Seen:
    """How the world looks to somebody who looks in the end."""

    traffic: Mapping[int, float]
    """By version: its share of what is asked."""
    live: int | None
    """What the ledger says is in use, and what a rollback would go back to."""
    previous: int | None
    ledger: tuple[str, ...]
    """A line for each release and rollback since the beginning, as `2 released`, in the order in which they began."""
    told: tuple[Message, ...]
    locked: bool
    shares: tuple[int, ...]
    """The challenger's percentages of the traffic, one after the other."""
    mistakes: tuple[str, ...]


class World(Protocol):
    """What a cloud's driver plays. Verbs are methods; versions are numbers, people are names, times are simulated."""

    environment: str
    """Where one looks, and where endpoints behave as the scenario says."""

    def settings(self, model: str, **changed: Any) -> None:
        """The file says something else of a model now (`mlestate.release.settings`, merged)."""

    def register(
        self, model: str, by: str | None = None, answers: str = "right", examples: bool = True, accuracy: float = 0.9
    ) -> None:
        """A run ends with a new version: ``by`` who registers it where it is not the pipeline, ``answers`` as `right`,
        `wrong`, `nonsense` or `nothing`, ``examples`` whether it brings any, ``accuracy`` of its evaluation."""

    def approve(self, model: str, version: int, by: str, *, times: int = 1) -> None:
        """``times``: how often the cloud delivers what it tells of it."""

    def reject(self, model: str, version: int, by: str, *, heard: bool = True) -> None:
        """``heard``: whether what the cloud tells of it comes."""

    def doctor(self, model: str, version: int, what: str) -> None:
        """What a version names is not what one run made: the `archive` is of version 1, the `run` of nobody;
        its `numbers` or its `examples` cannot be read; its archive was `changed` after
        it was registered; it has too `many` files."""

    def edit(self, model: str, version: int, by: str) -> None:
        """Change a version's description and nothing else."""

    def sign(self, model: str, version: int, by: str) -> None:
        """Agree that a version comes to this environment."""

    def release(self, model: str, version: int, by: str = ENGINEER) -> None:
        """A person asks for a release."""

    def rollback(self, model: str, by: str = ENGINEER, environment: str | None = None) -> None: ...

    def passes(self, model: str, version: int) -> None:
        """Somebody says that a version has passed the environment before."""

    def raw(self, machine: str, **given: Any) -> None:
        """Start the `release` or the `rollback` with whatever that is."""

    def until(self, phase: str) -> None:
        """Let time pass until a release is in a phase, or the challenger beside the champion (`beside`)."""

    def wait(self, **time: float) -> None: ...

    def settle(self) -> None:
        """Let time pass until nothing goes on."""

    def alarm(self, model: str) -> None:
        """The endpoint answers too much with errors, and its alarm says so."""

    def errors(self, model: str, share: float) -> None:
        """The challenger, of its own requests, answers that share with errors; the endpoint's alarm is silent."""

    def answered(
        self,
        model: str,
        champion: float = 1.0,
        challenger: float = 1.0,
        apart: float | None = None,
        known: bool = True,
    ) -> None:
        """Requests come to both, each right as often as ``champion`` and ``challenger`` say, or
        answered alike but for a share ``apart``; ``known`` whether it turns out what was true."""

    def spoil(self, model: str, how: str) -> None:
        """The next change of the endpoint goes wrong: `silent`, `rolls-back` or `rollback-fails`."""

    def shrink(self, model: str, machines: int) -> None:
        """Scaling leaves the champion so many machines."""

    def resize(self, model: str, *, scaled: bool) -> None:
        """The file names another type of machine; ``scaled`` whether the endpoint is scaled."""

    def meddle(self, model: str) -> None:
        """Somebody changes by hand what serves."""

    def serve(self, model: str, version: int, *, heard: bool = True) -> None:
        """The file names a first version, and it is served. ``heard``: whether what the cloud tells of it comes."""

    def kill(self, after: str) -> None:
        """The next machine dies after a step: `locked`, `prepared`, `beside`, `described`, `switched`, `written`,
        `going-back`."""

    def old_ledger(self, model: str) -> None:
        """What is in use was written down by another version of this program."""

    def seen(self, model: str) -> Seen: ...


Act = tuple[str, Mapping[str, Any]]


def do(verb: str, **given: Any) -> Act:
    return verb, given


@dataclass(frozen=True)
class Told:
    """A message that is expected: its subject begins after the place with ``about``, its text has the ``pieces``."""

    urgency: str
    about: str
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    name: str
    model: str
    acts: Sequence[Act]
    live: int | None
    """The version that has all traffic and that the ledger says is in use."""
    previous: int | None
    ledger: tuple[str, ...]
    told: tuple[Told, ...]
    shares: tuple[int, ...] = ()
    estate: str = "alone"
    traffic: Mapping[int, float] | None = None
    """Where it is not all to the one in use."""


def notice(about: str, *pieces: str) -> Told:
    return Told("notice", about, pieces)


def page(about: str, *pieces: str) -> Told:
    return Told("page", about, pieces)


def asked(model: str, version: int) -> Told:
    """A verdict is needed, with what it needs."""
    verdict = f"mlestate approve estate.yaml {model} {version} --reason"
    return notice(
        f"{model} {version}, registered", f"Version {version} of {model} waits", "accuracy 0.9, at least 0.8", verdict
    )


def released(model: str, version: int) -> Told:
    return notice(f"{model} {version}, released", f"Version {version} of {model} is in use in production.")


def restored(model: str, about: int, version: int, *pieces: str) -> Told:
    said = f"Version {version} of {model} has all traffic again"
    return notice(f"{model} {about}, rolled back", said, *pieces)


NEW: tuple[Act, ...] = (do("register"), do("approve", version=2, by=APPROVER))
SETTLED: tuple[Act, ...] = (*NEW, do("settle"))


SCENARIOS: tuple[Scenario, ...] = (
    # how a version takes over
    Scenario(
        "a version takes over all at once",
        "whole",
        SETTLED,
        2,
        1,
        ("2 released",),
        (asked("whole", 2), released("whole", 2)),
    ),
    Scenario(
        "a canary gets more traffic step by step",
        "canary",
        SETTLED,
        2,
        1,
        ("2 released",),
        (asked("canary", 2), released("canary", 2)),
        (10, 50),
    ),
    Scenario(
        "a canary takes over though its champion was scaled in meanwhile",
        "canary",
        (*NEW, do("until", phase="beside"), do("shrink", machines=1), do("settle")),
        2,
        1,
        ("2 released",),
        (asked("canary", 2), released("canary", 2)),
        (10, 50),
    ),
    Scenario(
        "the winner of an A/B test takes over and the loser stays ready",
        "ab",
        (*NEW, do("until", phase="beside"), do("answered", champion=0.7, challenger=0.9), do("settle")),
        2,
        1,
        ("2 released",),
        (asked("ab", 2), released("ab", 2)),
        (50,),
    ),
    Scenario(
        "the loser of an A/B test gets nothing more",
        "ab",
        (*NEW, do("until", phase="beside"), do("answered", champion=0.9, challenger=0.7), do("settle")),
        1,
        None,
        ("2 stopped", "back rolled-back"),
        (asked("ab", 2), notice("ab 2, stopped", "The challenger is worse"), restored("ab", 2, 1)),
        (50,),
    ),
    Scenario(
        "an A/B test without enough samples decides nothing",
        "ab",
        SETTLED,
        1,
        None,
        ("2 undecided", "back rolled-back"),
        (asked("ab", 2), notice("ab 2, undecided", "asked 0 times, and 200 are needed"), restored("ab", 2, 1)),
        (50,),
    ),
    Scenario(
        "an A/B test of which no outcome is known decides nothing",
        "ab",
        (*NEW, do("until", phase="beside"), do("answered", champion=0.9, challenger=0.9, known=False), do("settle")),
        1,
        None,
        ("2 undecided", "back rolled-back"),
        (asked("ab", 2), notice("ab 2, undecided", "Too few outcomes are known"), restored("ab", 2, 1)),
        (50,),
    ),
    Scenario(
        "a shadow that is as good takes over",
        "shadow",
        (*NEW, do("until", phase="beside"), do("answered", apart=0.05, known=False), do("settle")),
        2,
        1,
        ("2 released",),
        (asked("shadow", 2), released("shadow", 2)),
    ),
    Scenario(
        "a shadow that answers otherwise stops",
        "shadow",
        (*NEW, do("until", phase="beside"), do("answered", apart=0.3), do("settle")),
        1,
        None,
        ("2 stopped", "back rolled-back"),
        (
            asked("shadow", 2),
            notice("shadow 2, stopped", "differently, and 10.00% are allowed"),
            restored("shadow", 2, 1),
        ),
    ),
    Scenario(
        "a shadow with errors stops though nobody noticed",
        "shadow",
        (*NEW, do("until", phase="beside"), do("errors", share=0.2), do("settle")),
        1,
        None,
        ("2 stopped", "back rolled-back"),
        (asked("shadow", 2), notice("shadow 2, stopped", "error rate 0.2, at most 0.05"), restored("shadow", 2, 1)),
    ),
    Scenario(
        "a serverless version takes over",
        "serverless",
        SETTLED,
        2,
        1,
        ("2 released",),
        (notice("serverless 2, registered"), released("serverless", 2)),
    ),
    Scenario(
        "a version behind a queue takes over",
        "queued",
        SETTLED,
        2,
        1,
        ("2 released",),
        (notice("queued 2, registered"), released("queued", 2)),
    ),
    Scenario(
        "the next batch run takes the new version",
        "batch",
        SETTLED,
        2,
        1,
        ("2 released",),
        (notice("batch 2, registered"), released("batch", 2)),
    ),
    # trouble
    Scenario(
        "an alarm in the canary rolls it back",
        "canary",
        (*NEW, do("until", phase="beside"), do("wait", minutes=3), do("alarm"), do("settle")),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("canary", 2), page("canary 2, rolled back", "While version 2", "rang"), restored("canary", 2, 1)),
        (10,),
    ),
    Scenario(
        "errors of the challenger alone roll the canary back",
        "canary",
        (*NEW, do("until", phase="beside"), do("errors", share=0.2), do("settle")),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (
            asked("canary", 2),
            page("canary 2, rolled back", "With 10 %", "error rate 0.2, at most 0.05"),
            restored("canary", 2, 1),
        ),
        (10,),
    ),
    Scenario(
        "an alarm while the whole is watched rolls it back",
        "canary",
        (*NEW, do("until", phase="baking"), do("wait", minutes=3), do("alarm"), do("settle")),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("canary", 2), page("canary 2, rolled back", "rang"), restored("canary", 2, 1)),
        (10, 50),
    ),
    Scenario(
        "the cloud itself takes an update back when an alarm rings",
        "whole",
        (*NEW, do("until", phase="shifting"), do("wait", minutes=7), do("alarm"), do("settle")),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("whole", 2), page("whole 2, rolled back", "took version 2 of whole back by itself")),
    ),
    Scenario(
        "an alarm after the cloud's own watch is seen too",
        "whole",
        (
            do("settings", rollout={"bake_seconds": 7200}),
            *NEW,
            do("until", phase="baking"),
            do("wait", minutes=30),
            do("alarm"),
            do("settle"),
        ),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("whole", 2), page("whole 2, rolled back", "rang"), restored("whole", 2, 1)),
    ),
    Scenario(
        "a success that changed nothing is found out",
        "whole",
        (*NEW[:1], do("spoil", how="silent"), NEW[1], do("settle")),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("whole", 2), page("whole 2, rolled back", "took version 2 of whole back by itself")),
    ),
    Scenario(
        "an endpoint that breaks in the update is shown to people",
        "whole",
        (*NEW[:1], do("spoil", how="rollback-fails"), NEW[1], do("settle")),
        1,
        None,
        ("2 failed", "back failed"),
        (
            asked("whole", 2),
            page("whole 2, failed", "Someone has to look at it now"),
            page("whole 2, failed", "takes no update"),
        ),
    ),
    # what the registry tells
    Scenario(
        "an approval that is told twice releases once",
        "whole",
        (*NEW[:1], do("approve", version=2, by=APPROVER, times=2), do("settle")),
        2,
        1,
        ("2 released",),
        (asked("whole", 2), released("whole", 2)),
    ),
    Scenario(
        "an approval that is told again later releases nothing",
        "whole",
        (*SETTLED, do("raw", machine="release", cause="approved", version=2), do("settle")),
        2,
        1,
        ("2 released",),
        (asked("whole", 2), released("whole", 2)),
    ),
    Scenario(
        "an edit of an approved version moves nothing",
        "whole",
        (*SETTLED, do("edit", version=2, by=APPROVER), do("settle")),
        2,
        1,
        ("2 released",),
        (asked("whole", 2), released("whole", 2)),
    ),
    Scenario(
        "who registered a version cannot approve it",
        "whole",
        (do("register", by=APPROVER), NEW[1], do("settle")),
        1,
        None,
        ("2 refused",),
        (asked("whole", 2), notice("whole 2, refused", "registered and approved by approver", "Somebody else")),
    ),
    Scenario(
        "who started the run cannot approve what came of it",
        "whole",
        (do("register"), do("approve", version=2, by=SCIENTIST), do("settle")),
        1,
        None,
        ("2 refused",),
        (asked("whole", 2), notice("whole 2, refused", "scientist@risk.example, who started the run", "Somebody else")),
    ),
    Scenario(
        "a rejection of the version in use rolls it back",
        "whole",
        (*SETTLED, do("reject", version=2, by=APPROVER), do("settle")),
        1,
        None,
        ("2 released", "2 rejected"),
        (asked("whole", 2), released("whole", 2), restored("whole", 2, 1)),
    ),
    Scenario(
        "a rejection of a version on its way stops it",
        "canary",
        (*NEW, do("until", phase="beside"), do("reject", version=2, by=APPROVER), do("settle")),
        1,
        None,
        ("2 rolled-back", "2 rejected"),
        (asked("canary", 2), restored("canary", 2, 1)),
        (10,),
    ),
    Scenario(
        "a rejection of another version moves nothing",
        "whole",
        (*SETTLED, do("register"), do("settle"), do("reject", version=3, by=APPROVER), do("settle")),
        2,
        1,
        ("2 released", "3 rejected"),
        (
            asked("whole", 2),
            released("whole", 2),
            asked("whole", 3),
            notice("whole 3, rejected", "not in use in production: nothing was moved"),
        ),
    ),
    Scenario(
        "a release waits for the one that runs",
        "whole",
        (*NEW, do("until", phase="shifting"), do("register"), do("approve", version=3, by=APPROVER), do("settle")),
        3,
        2,
        ("2 released", "3 released"),
        (asked("whole", 2), asked("whole", 3), released("whole", 2), released("whole", 3)),
    ),
    Scenario(
        "an older version is not released by an event",
        "whole",
        (
            do("register"),
            do("register"),
            do("approve", version=3, by=APPROVER),
            do("settle"),
            do("approve", version=2, by=APPROVER),
            do("settle"),
        ),
        3,
        1,
        ("3 released", "2 refused"),
        (
            asked("whole", 2),
            asked("whole", 3),
            released("whole", 3),
            notice("whole 2, refused", "is older than 3", "mlestate promote estate.yaml whole 2"),
        ),
    ),
    Scenario(
        "a person may release an older version",
        "whole",
        (
            do("register"),
            do("register"),
            do("approve", version=3, by=APPROVER),
            do("settle"),
            do("approve", version=2, by=APPROVER),
            do("settle"),
            do("release", version=2),
            do("settle"),
        ),
        2,
        3,
        ("3 released", "2 refused", "2 released"),
        (asked("whole", 2), asked("whole", 3), released("whole", 3), notice("whole 2, refused"), released("whole", 2)),
    ),
    Scenario(
        "a version that nobody approved is refused to a person too",
        "whole",
        (do("register"), do("settle"), do("release", version=2), do("settle")),
        1,
        None,
        ("2 refused",),
        (asked("whole", 2), notice("whole 2, refused", "is PendingManualApproval", "mlestate approve")),
    ),
    # a verdict that changes its mind
    Scenario(
        "a version that was rejected while it waited its turn is not released",
        "canary",
        (
            *(*NEW, do("until", phase="beside"), do("register"), do("approve", version=3, by=APPROVER)),
            *(do("wait", minutes=2), do("reject", version=3, by=APPROVER), do("settle")),
        ),
        2,
        1,
        ("2 released", "3 refused", "3 rejected"),
        (
            asked("canary", 2),
            asked("canary", 3),
            notice("canary 3, rejected", "not in use in production: nothing was moved"),
            released("canary", 2),
            notice("canary 3, refused", "Version 3 of canary is Rejected", "It got no traffic in production"),
        ),
        (10, 50),
    ),
    Scenario(
        "a rejection of which nobody heard stops a version before it has all traffic",
        "canary",
        (*NEW, do("until", phase="beside"), do("reject", version=2, by=APPROVER, heard=False), do("settle")),
        1,
        None,
        ("2 refused", "back rolled-back"),
        (
            asked("canary", 2),
            notice("canary 2, refused", "is Rejected in the registry by now"),
            restored("canary", 2, 1),
        ),
        (10, 50),
    ),
    Scenario(
        "a rejection of which nobody heard stops a version in its trial",
        "batch",
        (*NEW, do("until", phase="trying"), do("reject", version=2, by=APPROVER, heard=False), do("settle")),
        1,
        None,
        ("2 refused",),
        (notice("batch 2, registered"), notice("batch 2, refused", "It got no traffic")),
    ),
    Scenario(
        "a rejection of the version in use goes back though another one is on its way",
        "canary",
        (
            *(*SETTLED, do("register"), do("approve", version=3, by=APPROVER), do("until", phase="beside")),
            *(do("reject", version=2, by=APPROVER), do("settle")),
        ),
        1,
        None,
        ("2 released", "3 rolled-back", "2 rejected"),
        (
            asked("canary", 2),
            released("canary", 2),
            asked("canary", 3),
            restored("canary", 2, 1, "release of version 3 was stopped", "mlestate promote estate.yaml canary 3"),
        ),
        (10, 50, 10),
    ),
    Scenario(
        "a rejection of the first version stops what is on its way and says that nothing is before it",
        "canary",
        (*NEW, do("until", phase="beside"), do("reject", version=1, by=APPROVER), do("settle")),
        1,
        None,
        ("2 rolled-back", "1 failed"),
        (
            asked("canary", 2),
            page("canary 1, failed", "in use all the same", "release of version 2 was stopped", "canary 2 --env"),
        ),
        (10,),
    ),
    Scenario(
        "nothing goes back to a version that was rejected",
        "canary",
        (*SETTLED, do("reject", version=1, by=APPROVER), do("settle"), do("rollback"), do("settle")),
        2,
        1,
        ("2 released", "1 rejected", "back failed"),
        (
            asked("canary", 2),
            released("canary", 2),
            notice("canary 1, rejected"),
            page("canary, failed", "Version 1 of canary", "was rejected, so nothing goes back to it"),
        ),
        (10, 50),
    ),
    Scenario(
        "a version on its way goes back though the one in use and the one before it are rejected",
        "canary",
        (
            *(*SETTLED, do("reject", version=1, by=APPROVER), do("settle")),
            *(do("register"), do("approve", version=3, by=APPROVER), do("until", phase="beside")),
            *(do("reject", version=2, by=APPROVER), do("settle")),
        ),
        2,
        1,
        ("2 released", "1 rejected", "3 rolled-back", "2 failed"),
        (
            asked("canary", 2),
            released("canary", 2),
            notice("canary 1, rejected"),
            asked("canary", 3),
            page("canary 2, failed", "in use all the same", "canary 3 --environment production"),
        ),
        (10, 50, 10),
    ),
    Scenario(
        "an approval that is told again does not begin what a person took back",
        "canary",
        (
            *(*NEW, do("until", phase="beside"), do("rollback"), do("settle")),
            *(do("raw", machine="release", cause="approved", version=2), do("settle")),
        ),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("canary", 2), notice("canary, rolled back")),
        (10,),
    ),
    # a version that is not what it says
    *(
        Scenario(
            f"a version {what} is refused",
            "whole",
            (do("register"), do("settle"), do("doctor", version=2, what=how), NEW[1], do("settle")),
            1,
            None,
            ("2 refused",),
            (asked("whole", 2), notice("whole 2, refused", said)),
        )
        for what, how, said in (
            ("with the archive of another run", "archive", "does not name one run of its pipeline"),
            ("that says no run it is of", "run", "does not name one run of its pipeline"),
            ("whose numbers are none", "numbers", "cannot be read at"),
            ("whose examples are none", "examples", "brings no examples that can be read"),
            ("whose archive is another than was registered", "changed", "no longer the one that was registered"),
            ("with too many files", "many", "has 1000 files or more"),
        )
    ),
    Scenario(
        "a version that answers nonsense gets no traffic",
        "whole",
        (do("register", answers="nonsense"), NEW[1], do("settle")),
        1,
        None,
        ("2 stopped",),
        (asked("whole", 2), notice("whole 2, stopped", "other than JSON with predictions", "It got no traffic")),
    ),
    # a version that is not fit
    Scenario(
        "a version that does not answer its examples gets no traffic",
        "whole",
        (do("register", answers="nothing"), NEW[1], do("settle")),
        1,
        None,
        ("2 stopped",),
        (asked("whole", 2), notice("whole 2, stopped", "does not answer its own examples", "It got no traffic")),
    ),
    Scenario(
        "a version that answers otherwise than when it was judged gets no traffic",
        "whole",
        (do("register", answers="wrong"), NEW[1], do("settle")),
        1,
        None,
        ("2 stopped",),
        (asked("whole", 2), notice("whole 2, stopped", "answers its own examples otherwise", "It got no traffic")),
    ),
    Scenario(
        "a version without examples is refused",
        "whole",
        (do("register", examples=False), NEW[1], do("settle")),
        1,
        None,
        ("2 refused",),
        (asked("whole", 2), notice("whole 2, refused", "brings no examples")),
    ),
    Scenario(
        "a version that no longer passes the gates is refused",
        "whole",
        (
            do("register"),
            do("settings", gates=[{"path": ["metrics", "accuracy"], "bound": "min", "value": 0.95}]),
            NEW[1],
            do("settle"),
        ),
        1,
        None,
        ("2 refused",),
        (notice("whole 2, registered"), notice("whole 2, refused", "does not pass the gates", "at least 0.95")),
    ),
    Scenario(
        "a version that is unknown is refused",
        "whole",
        (do("release", version=9), do("settle")),
        1,
        None,
        ("9 refused",),
        (notice("whole 9, refused", "The registry does not know version 9"),),
    ),
    Scenario(
        "another type of machine comes with the next release",
        "whole",
        (do("resize", scaled=False), *SETTLED),
        2,
        1,
        ("2 released",),
        (asked("whole", 2), released("whole", 2)),
    ),
    Scenario(
        "another type of machine for an endpoint that is scaled is refused before anything moves",
        "whole",
        (do("resize", scaled=True), *SETTLED),
        1,
        None,
        ("2 refused",),
        (
            asked("whole", 2),
            notice("whole 2, refused", "of an endpoint that is scaled", "mlestate promote estate.yaml"),
        ),
    ),
    # an endpoint with a life of its own
    Scenario(
        "a first version waits for its endpoint and is taken up when it comes",
        "later",
        (do("register"), do("approve", version=1, by=APPROVER), do("settle"), do("serve", version=1), do("settle")),
        1,
        None,
        ("1 waiting-for-endpoint", "1 already-live"),
        (
            notice("later 1, registered"),
            notice("later 1, waiting for endpoint", "serving.initial_version: 1"),
            notice("later 1, already live", "in use in production, and written down"),
        ),
    ),
    Scenario(
        "an endpoint of which nobody heard and that is no longer what the file says is shown to people",
        "later",
        (
            *(do("register"), do("approve", version=1, by=APPROVER), do("settle")),
            *(do("serve", version=1, heard=False), do("settings", template="risk-production-serving-later-newest")),
            *(do("release", version=1), do("settle")),
        ),
        None,
        None,
        ("1 waiting-for-endpoint", "1 failed"),
        (
            notice("later 1, registered"),
            notice("later 1, waiting for endpoint"),
            page("later 1, failed", "does not know what serves later", "aws sagemaker update-endpoint"),
        ),
        traffic={1: 1.0},
    ),
    Scenario(
        "a version waits where nothing serves",
        "later",
        (do("register"), do("approve", version=1, by=APPROVER), do("settle")),
        None,
        None,
        ("1 waiting-for-endpoint",),
        (notice("later 1, registered"), notice("later 1, waiting for endpoint", "pulumi up")),
        traffic={},
    ),
    Scenario(
        "a change by hand is found, told, and stops the next release",
        "whole",
        (do("meddle"), do("settle"), *SETTLED),
        1,
        None,
        ("0 failed", "2 failed"),
        (
            page("whole, failed", "changed by hand", "mlestate rollback estate.yaml whole"),
            asked("whole", 2),
            page("whole 2, failed", "changed by hand", "Nothing was moved"),
        ),
    ),
    Scenario(
        "a rollback by a person puts back what was changed by hand",
        "whole",
        (*SETTLED, do("meddle"), do("settle"), do("rollback"), do("settle")),
        2,
        1,
        ("2 released", "0 failed", "back rolled-back"),
        (
            asked("whole", 2),
            released("whole", 2),
            page("whole, failed", "changed by hand"),
            notice("whole, rolled back", "Version 2 of whole has all traffic again"),
        ),
    ),
    # back
    Scenario(
        "a person goes back to the version before",
        "whole",
        (*SETTLED, do("rollback"), do("settle")),
        1,
        None,
        ("2 released", "back rolled-back"),
        (asked("whole", 2), released("whole", 2), notice("whole, rolled back", "Version 1 of whole", "said so")),
    ),
    Scenario(
        "a person takes a batch version back",
        "batch",
        (*SETTLED, do("rollback"), do("settle")),
        1,
        None,
        ("2 released", "back rolled-back"),
        (notice("batch 2, registered"), released("batch", 2), notice("batch, rolled back", "Version 1 of batch")),
    ),
    Scenario(
        "a person stops a release and goes back",
        "canary",
        (*NEW, do("until", phase="beside"), do("rollback"), do("settle")),
        1,
        None,
        ("2 rolled-back", "back rolled-back"),
        (asked("canary", 2), notice("canary, rolled back")),
        (10,),
    ),
    Scenario(
        "there is nothing before the first version to go back to",
        "whole",
        (do("rollback"), do("settle")),
        1,
        None,
        ("back failed",),
        (page("whole, failed", "is the first that was released here"),),
    ),
    Scenario(
        "nothing goes back where nothing serves",
        "later",
        (do("rollback"), do("settle")),
        None,
        None,
        ("back failed",),
        (notice("later, failed", "Nothing serves later"),),
        traffic={},
    ),
    Scenario(
        "a rollback of a broken endpoint says that people have to look",
        "whole",
        (*SETTLED, do("spoil", how="rollback-fails"), do("rollback"), do("settle")),
        2,
        1,
        ("2 released", "back failed"),
        (asked("whole", 2), released("whole", 2), page("whole, failed", "did not go back", "Someone has to look")),
    ),
    # bad input
    *(
        Scenario(
            f"a {machine} is not started by {what}",
            "whole",
            (do("raw", machine=machine, **{"model": None, **given}), do("settle")),
            1,
            None,
            (),
            (page("a request that makes no sense", "Nothing was done"),),
        )
        for machine in ("release", "rollback")
        for what, given in {
            "nothing": {},
            "an unknown cause": {"cause": "whim", "model": "whole", "version": 2},
            "an unknown model": {"cause": "person", "model": "nobody", "version": 2},
            "half a version": {"cause": "person", "model": "whole", "version": 1.5},
            "a version before the first": {"cause": "person", "model": "whole", "version": -1},
        }.items()
    ),
    Scenario(
        "a ledger of another schema is not read",
        "whole",
        (do("old_ledger"), *SETTLED),
        1,
        None,
        ("2 failed",),
        (asked("whole", 2), page("whole 2, failed", "schema 0", "Nothing was moved")),
    ),
    # a machine that dies
    *(
        Scenario(
            f"a release that died when it had {what} is released by the next request",
            "canary",
            (do("register"), do("kill", after=after), NEW[1], do("settle"), do("release", version=2), do("settle")),
            2,
            1,
            ledger,
            (asked("canary", 2), notice(f"canary 2, {outcome}", "Version 2 of canary is in use in production")),
            (10, 50, 10, 50) if after == "described" else (10, 50),
        )
        for what, after, ledger, outcome in (
            ("taken its turn", "locked", ("2 released",), "released"),
            ("described its machines", "prepared", ("2 preparing", "2 released"), "released"),
            ("described the whole", "described", ("2 shifting", "2 released"), "released"),
            ("written itself down", "written", ("2 promoting", "2 already-live"), "already live"),
        )
    ),
    *(
        Scenario(
            f"what a release left that died when it had {what} is found and goes back",
            "canary",
            (do("register"), do("kill", after=after), NEW[1], do("settle")),
            1,
            None,
            (f"2 {phase}", "0 failed", "back rolled-back"),
            (asked("canary", 2), page("canary, failed", "A release of canary died and left"), back),
            shares,
        )
        for what, after, phase, shares in (
            ("put both side by side", "beside", "comparing", (10,)),
            ("moved all traffic", "switched", "shifting", (10, 50)),
        )
        for back in (notice("canary, rolled back", "Version 1 of canary has all traffic again"),)
    ),
    *(
        Scenario(
            f"a release that died while it {what} goes on where a person asks at once",
            "canary",
            (
                *(do("register"), do("kill", after=after), NEW[1], do("until", phase=phase)),
                *(do("wait", minutes=1), do("release", version=2), do("settle")),
            ),
            2,
            1,
            (f"2 {phase}", "2 released"),
            (asked("canary", 2), released("canary", 2)),
            (10, 50),
        )
        for what, after, phase in (
            ("put both side by side", "beside", "comparing"),
            ("moved all traffic", "switched", "shifting"),
        )
    ),
    Scenario(
        "where a rollback died that had moved all traffic the ledger says what serves",
        "whole",
        (*SETTLED, do("kill", after="going-back"), do("rollback"), do("settle")),
        1,
        None,
        ("2 released", "1 already-live"),
        (asked("whole", 2), released("whole", 2), notice("whole 1, already live", "Version 1 of whole is in use")),
    ),
    # from one environment to the next
    Scenario(
        "a version goes from staging to production by itself where nobody has to agree",
        "whole",
        SETTLED,
        2,
        1,
        ("2 released",),
        (released("whole", 2),),
        estate="path",
    ),
    Scenario(
        "a version waits in front of production until enough people agree",
        "whole",
        (
            do("settings", promotion={"approvals": 2}),
            *SETTLED,
            do("sign", version=2, by=APPROVER),
            do("settle"),
            do("sign", version=2, by=OTHER),
            do("settle"),
        ),
        2,
        1,
        ("2 waiting-for-approval", "2 waiting-for-approval", "2 released"),
        (
            notice(
                "whole 2, waiting for approval",
                "needs 2 to agree to production; nobody has",
                "mlestate approve estate.yaml whole 2 --environment production",
                "accuracy 0.9, at least 0.8",
            ),
            notice("whole 2, waiting for approval", "approver@risk.example agreed"),
            released("whole", 2),
        ),
        estate="path",
    ),
    Scenario(
        "one signature is enough where one is asked for",
        "whole",
        (do("settings", promotion={"approvals": 1}), *SETTLED, do("sign", version=2, by=OTHER), do("settle")),
        2,
        1,
        ("2 waiting-for-approval", "2 released"),
        (notice("whole 2, waiting for approval"), released("whole", 2)),
        estate="path",
    ),
    Scenario(
        "who signs twice is one person",
        "whole",
        (
            do("settings", promotion={"approvals": 2}),
            *SETTLED,
            do("sign", version=2, by=APPROVER),
            do("settle"),
            do("sign", version=2, by=f"elsewhere/{APPROVER}"),
            do("settle"),
        ),
        1,
        None,
        ("2 waiting-for-approval",) * 3,
        (
            notice("whole 2, waiting for approval", "nobody has"),
            *(notice("whole 2, waiting for approval", "production; approver@risk.example agreed."),) * 2,
        ),
        estate="path",
    ),
    Scenario(
        "the signature of who registered or trained it does not count",
        "whole",
        (
            do("settings", promotion={"approvals": 1}),
            do("register", by=OTHER),
            NEW[1],
            do("settle"),
            do("sign", version=2, by=OTHER),
            do("settle"),
            do("sign", version=2, by=SCIENTIST),
            do("settle"),
        ),
        1,
        None,
        ("2 waiting-for-approval",) * 3,
        (notice("whole 2, waiting for approval", "nobody has"),) * 3,
        estate="path",
    ),
    Scenario(
        "a version that was rolled back in staging is not released in production",
        "whole",
        (
            *(do("settings", promotion={"approvals": 1}), *SETTLED, do("rollback", environment="staging")),
            *(do("settle"), do("sign", version=2, by=OTHER), do("settle")),
        ),
        1,
        None,
        ("2 waiting-for-approval", "2 refused"),
        (notice("whole 2, waiting for approval"), notice("whole 2, refused", "has not passed staging")),
        estate="path",
    ),
    Scenario(
        "a version that has not passed staging is refused in production",
        "whole",
        (
            do("register", answers="nothing"),
            NEW[1],
            do("settle"),
            do("release", version=2),
            do("settle"),
            do("passes", version=2),
            do("settle"),
        ),
        1,
        None,
        ("2 refused", "2 refused"),
        (notice("whole 2, refused", "has not passed staging", "--environment staging"),) * 2,
        estate="path",
    ),
)


def perform(acts: Sequence[Act], model: str, world: World) -> None:
    """Play acts, which are of this model where they are of one and name none."""
    for verb, given in acts:
        of = {} if verb in ("until", "wait", "settle", "kill") or "model" in given else {"model": model}
        getattr(world, verb)(**{key: each for key, each in (of | dict(given)).items() if each is not None})


def play(scenario: Scenario, world: World) -> Seen:
    """Play a scenario and hold the whole end against it."""
    perform(scenario.acts, scenario.model, world)
    seen = world.seen(scenario.model)
    traffic = scenario.traffic if scenario.traffic is not None else {scenario.live: 1.0}
    found = (seen.traffic, seen.live, seen.previous, seen.ledger, seen.shares, seen.locked, seen.mistakes)
    wanted = (traffic, scenario.live, scenario.previous, scenario.ledger, scenario.shares, False, ())
    words = ("traffic", "in use", "the one before", "ledger", "shares", "locked", "mistakes")
    wrong = [
        f"{word}: {is_!r}, not {should!r}"
        for word, is_, should in zip(words, found, wanted, strict=True)
        if is_ != should
    ]
    told = "".join(f"\n  {each.urgency} {each.subject}: {each.text}" for each in seen.told)
    if len(seen.told) != len(scenario.told):
        wrong.append(f"{len(seen.told)} messages, not {len(scenario.told)}")
    for message, expected in zip(seen.told, scenario.told, strict=False):
        about = message.subject.partition(": ")[2]
        if (message.urgency, about) != (expected.urgency, expected.about):
            wrong.append(f"told as {message.urgency} of {about!r}, not as {expected.urgency} of {expected.about!r}")
        wrong += [f"{about!r} does not say {piece!r}" for piece in expected.pieces if piece not in message.text]
    assert not wrong, "\n".join(wrong) + f"\ntold:{told}\nledger: {seen.ledger}"
    return seen
