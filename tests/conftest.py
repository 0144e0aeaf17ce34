"""What all tests share: the golden inventories' switch, and programs recorded by running them, once each in a run."""

import fcntl
import gc
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no types

from mlestate.blueprint.inventory import Row, rows
from mlestate.local.engine import Diagnostic
from mlestate.local.session import rehearse
from mlestate.names import HUB, Names

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-inventory", action="store_true", help="write tests/inventories/ anew from what the examples register"
    )


TOGETHER: Mapping[str, str] = {
    "tests/aws/test_access_running.py": "running",
    "tests/aws/test_policy_lint.py": "lint",
    "tests/aws/test_release_": "releases",
    "tests/operate/test_with_machines.py": "releases",
}
"""By what the paths of its tests begin with: a group that one worker runs, because a test is quick by what those before
it have made in its process."""


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """The groups, the largest first, and then one test at a time to the worker that is free.

    The mark `xdist_group` would say the same, but xdist 3.8 writes a test's group where pytest 9.2 no longer reads it.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((group for start, group in TOGETHER.items() if nodeid.startswith(start)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow comes first: at the end a worker would run it while the others have nothing left."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """The command sets the same bound: Python's own spends a third of a recording in looking for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, *gc.get_threshold()[1:])


Record = Callable[..., list[Row]]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Run the real program on an estate file's text, into an empty local cloud in memory; what it registered."""

    def run(text: str, scope: str | None = None) -> list[Row]:
        file = tmp_path / "estate.yaml"
        file.write_text(text)
        return recorded(file, scope)

    return run


def relaxed(example: Path, folder: Path) -> Path:
    """A copy of an example that may be destroyed: nothing protected, no lock that nobody can lift."""
    file = folder / example.name
    text = example.read_text().replace("protect: true", "protect: false")
    file.write_text(text.replace("lock: compliance", "lock: governance"))
    return file


@dataclass(frozen=True)
class Recording:
    """What came of running the program on an estate file."""

    rows: list[Row]
    names: frozenset[tuple[str, str, str]]
    """The physical names that were asked for: kind, `hub` or `environment`, role."""


_SHARED: list[Path] = []
"""The folder in which the workers of this run share recordings, as long as there is one."""


@pytest.fixture(scope="session", autouse=True)
def shared_recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every run has a folder of its own, so that no recording is older than the program."""
    folder = tmp_path_factory.getbasetemp()
    _SHARED.append(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
    yield
    _SHARED.clear()


def recorded(file: Path, scope: str | None = None) -> list[Row]:
    """The resources that an estate file registers."""
    return recording(file, scope).rows


def recording(file: Path, scope: str | None = None) -> Recording:
    """What comes of running the program on an estate file: run once for each text and slice, and a copy for each test.

    A test that changes the program, or that listens to it, runs it with `fresh`.
    """
    if not _SHARED:
        return fresh(file, scope)
    key = blake2s(f"{scope} {file.read_text()}".encode()).hexdigest()
    with (_SHARED[0] / f"recording-{key}").open("a+b") as kept:
        # Whoever comes second waits for the first, and a worker that dies lets go.
        fcntl.flock(kept, fcntl.LOCK_EX)
        if not kept.seek(0, os.SEEK_END):
            kept.write(pickle.dumps(fresh(file, scope)))
        kept.seek(0)
        found: Recording = pickle.load(kept)  # noqa: S301  # written by this run
        return found


def fresh(file: Path, scope: str | None = None) -> Recording:
    """Run the program on an estate file."""
    problems: list[str] = []
    names: set[tuple[str, str, str]] = set()
    physical = Names.physical

    def noted(self: Names, kind: str, role: str) -> str:
        names.add((kind, "hub" if self.environment == HUB else "environment", role))
        return physical(self, kind, role)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Names, "physical", noted)
        done = rehearse(
            file, scope, listener=lambda event: problems.append(str(event)) if isinstance(event, Diagnostic) else None
        )
    assert not done.result.failed, "\n".join(problems)
    return Recording(rows(done.state.export(show_secrets=False)), frozenset(names))
