"""What happens to a program in its life: one table, asked of every engine.

A scenario is a name, a program at its start, and steps; a step may first change something, and then runs one command.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlestate.local.session import Session
from tests.conftest import EXAMPLES, ROOT, relaxed
from tests.drivers import store

Change = Callable[[Session, Path], Session]


@dataclass(frozen=True)
class Step:
    """One command, after one change to the world or to the program."""

    command: str
    change: Change | None = None
    fails: bool = False
    counts: Mapping[str, int] | None = None
    """How many operations of each word; None where only the parity of the engines is asked."""


@dataclass(frozen=True)
class Scenario:
    """A life of one program."""

    name: str
    start: Callable[[Path], Session]
    steps: tuple[Step, ...]


def _estate(example: str) -> Callable[[Path], Session]:
    def start(folder: Path) -> Session:
        return Session.of(relaxed(ROOT / "examples" / f"{example}.yaml", folder), folder / "session")

    return start


def _edit(old: str, new: str) -> Change:
    def change(session: Session, folder: Path) -> Session:
        file = Path(session.config["mlestate:estate"])
        text = file.read_text()
        assert old in text, f"{old!r} is not in {file.name}: the step would change nothing"
        file.write_text(text.replace(old, new))
        return session

    return change


def _phase(name: str) -> Change:
    return lambda session, _: replace(session, config={**session.config, "foreign:phase": name})


def _foreign(folder: Path) -> Session:
    config = {"aws:allowedAccountIds": '["000000000000"]', "aws:region": "eu-west-1", "foreign:phase": "first"}
    return Session(ROOT / "tests" / "programs" / "foreign", config, folder / "session", "local")


def _tamper(kind: str, **properties: object) -> Change:
    def change(session: Session, _: Path) -> Session:
        cloud = store(session)
        found = next(each for each in cloud.objects() if each.type == kind)
        cloud.change(found.type, found.id, properties)
        return session

    return change


def _lose(kind: str) -> Change:
    def change(session: Session, _: Path) -> Session:
        cloud = store(session)
        found = next(each for each in cloud.objects() if each.type == kind)
        cloud.delete(found.type, found.id)
        return session

    return change


_LIFE = (
    Step("preview"),
    Step("up"),
    Step("up", counts={}),
    Step("refresh", counts={}),
)

LIVES: tuple[Scenario, ...] = tuple(
    Scenario(f"{example.stem}: up, up again, refresh, destroy", _estate(example.stem), (*_LIFE, Step("destroy")))
    for example in EXAMPLES
)

CHANGES: tuple[Scenario, ...] = (
    Scenario(
        "an edit that updates in place",
        _estate("aws-regulated"),
        (Step("up"), Step("preview", _edit("cost-centre: risk", "cost-centre: lending")), Step("up"), *_LIFE[2:]),
    ),
    Scenario(
        "an edit that replaces: another machine makes another endpoint configuration, and the endpoint stays",
        _estate("aws-regulated"),
        (Step("up"), Step("preview", _edit("compute: cpu-small", "compute: cpu-medium")), Step("up"), *_LIFE[2:]),
    ),
    Scenario(
        "a model is added, then taken away",
        _estate("aws-minimal"),
        (
            Step("up"),
            Step("up", _edit("models:\n", "models:\n  extra: {problem: regression}\n")),
            Step("up", _edit("  extra: {problem: regression}\n", "")),
            *_LIFE[2:],
        ),
    ),
    Scenario(
        "a tag changed behind Pulumi's back is found by refresh and put right by up",
        _estate("aws-minimal"),
        (Step("up"), Step("refresh", _tamper("aws:s3/bucket:Bucket", tags={"estate": "someone-else"})), Step("up")),
    ),
    Scenario(
        "a thing deleted behind Pulumi's back is found by refresh and made again by up",
        _estate("aws-minimal"),
        (Step("up"), Step("refresh", _lose("aws:ecr/lifecyclePolicy:LifecyclePolicy")), Step("up"), Step("destroy")),
    ),
    Scenario(
        "a program that is not ours: edits, a failing create, protection, and the end",
        _foreign,
        (
            *_LIFE,
            Step("preview", _phase("edited")),
            Step("up"),
            Step("up", counts={}),
            Step("up", _phase("failing"), fails=True),
            Step("up", _phase("edited")),
            Step("destroy", fails=True),
            Step("up", _phase("open")),
            Step("destroy"),
        ),
    ),
)

SCENARIOS = (*LIVES, *CHANGES)
