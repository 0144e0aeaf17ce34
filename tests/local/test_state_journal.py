"""A state folder in use: killed runs, two runs at once.

The kills are SIGKILLs of a real process at chosen provider calls. Not proved: what a power cut leaves of a file system.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mlestate.local.engine import Result, StateLocked
from mlestate.local.state import State
from tests.local.toy_provider import ToyCloud
from tests.local.toy_stack import Options, Thing, ToyStack, messages, steps

ROOT = Path(__file__).parents[2]
MOMENTS = ("before", "after")


def stack(folder: Path, **options: Any) -> ToyStack:
    state = State.in_folder(folder, "dev", passphrase="p")
    return ToyStack(state=state, cloud=ToyCloud(folder / "cloud"), options=options)


def plain() -> None:
    first = Thing("first")
    Thing("second", link=first.arn)
    Thing("third")


def changed() -> None:
    first = Thing("first", colour="red")
    Thing("second", link=first.arn)
    Thing("third", colour="blue")


def replaced() -> None:
    first = Thing("first", kind="bag")
    Thing("second", link=first.arn)
    Thing("third")


def replaced_first() -> None:
    first = Thing("first", Options(delete_before_replace=True), kind="bag")
    Thing("second", kind=first.arn)
    Thing("third")


def bound() -> None:
    first = Thing("first", Options(delete_before_replace=True), kind="box")
    Thing("second", kind=first.arn)
    Thing("third")


def secretive() -> None:
    first = Thing("first", secret=pulumi.Output.secret("hush"))
    Thing("second", link=first.arn)


def nothing() -> None:
    pass


PROGRAMS = {one.__name__: one for one in (plain, changed, replaced, replaced_first, bound, secretive, nothing)}


def killed(folder: Path, command: str, program: str, call: str, when: str, name: str) -> None:
    """Run in a process of its own that dies at the given provider call."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.local.test_state_journal", str(folder), command, program, call, when, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == -signal.SIGKILL, f"the moment never came: {finished.stdout}{finished.stderr}"


def healthy(toys: ToyStack, program: Any, count: int) -> None:
    """Everything is there once, the state says so, and nothing is left to do."""
    assert len(toys.cloud.things) == count, f"lost or doubled: {toys.cloud.things}"
    exported = toys.state.export()["deployment"]
    assert "pending_operations" not in exported
    kept = [one for one in exported["resources"] if one["type"] == "toy:index:Thing"]
    assert sorted(one["id"] for one in kept) == sorted(toys.cloud.things), "the state names what exists"
    assert not [one for one in kept if one.get("delete") or one.get("pendingReplacement")]
    assert steps(toys.up(program)) == []


@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("name", ["first", "second", "third"])
def test_up_finishes_what_a_killed_creation_began(tmp_path: Path, when: str, name: str) -> None:
    killed(tmp_path, "up", "plain", "create", when, name)
    toys = stack(tmp_path)
    pending = [one["resource"]["urn"].rsplit("::", 1)[-1] for one in pending_operations(toys)]
    assert name in pending
    toys.up(plain)
    healthy(toys, plain, 3)


def pending_operations(toys: ToyStack) -> list[dict[str, Any]]:
    return list(toys.state.export()["deployment"].get("pending_operations", []))


@pytest.mark.parametrize("when", MOMENTS)
def test_a_killed_creation_that_the_program_dropped_is_deleted(tmp_path: Path, when: str) -> None:
    killed(tmp_path, "up", "plain", "create", when, "third")
    toys = stack(tmp_path)
    toys.up(nothing)
    healthy(toys, nothing, 0)


@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("name", ["first", "second"])
def test_destroy_finishes_after_a_killed_creation(tmp_path: Path, when: str, name: str) -> None:
    killed(tmp_path, "up", "plain", "create", when, name)
    toys = stack(tmp_path)
    toys.destroy()
    assert toys.cloud.things == {}
    assert toys.resources() == {}


@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("then", ["changed", "plain"])
def test_up_finds_out_how_a_killed_update_ended(tmp_path: Path, when: str, then: str) -> None:
    stack(tmp_path).up(plain)
    killed(tmp_path, "up", "changed", "update", when, "third")
    toys = stack(tmp_path)
    toys.up(PROGRAMS[then])
    healthy(toys, PROGRAMS[then], 3)
    thing = next(thing for name, thing in toys.cloud.things.items() if name.startswith("third"))
    assert thing["inputs"].get("colour") == ("blue" if then == "changed" else None)


@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("then", ["nothing", "plain"])
def test_up_finds_out_how_a_killed_deletion_ended(tmp_path: Path, when: str, then: str) -> None:
    stack(tmp_path).up(plain)
    killed(tmp_path, "destroy", "plain", "delete", when, "third")
    toys = stack(tmp_path)
    toys.up(PROGRAMS[then])
    healthy(toys, PROGRAMS[then], 3 if then == "plain" else 0)


@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("call", ["create", "delete"])
def test_up_finishes_a_killed_replacement(tmp_path: Path, call: str, when: str) -> None:
    stack(tmp_path).up(plain)
    killed(tmp_path, "up", "replaced", call, when, "first")
    toys = stack(tmp_path)
    toys.up(replaced)
    healthy(toys, replaced, 3)


@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize(("call", "name"), [("create", "first"), ("delete", "first"), ("delete", "second")])
def test_up_finishes_a_killed_deletion_before_replacement(tmp_path: Path, call: str, name: str, when: str) -> None:
    stack(tmp_path).up(bound)
    killed(tmp_path, "up", "replaced_first", call, when, name)
    toys = stack(tmp_path)
    toys.up(replaced_first)
    healthy(toys, replaced_first, 3)


def test_a_run_killed_twice_still_loses_nothing(tmp_path: Path) -> None:
    killed(tmp_path, "up", "plain", "create", "after", "first")
    killed(tmp_path, "up", "plain", "create", "after", "second")
    toys = stack(tmp_path)
    toys.up(plain)
    healthy(toys, plain, 3)


def test_a_preview_after_a_kill_says_so_and_settles_nothing(tmp_path: Path) -> None:
    killed(tmp_path, "up", "plain", "create", "after", "third")
    toys = stack(tmp_path)
    result = toys.preview(plain)
    assert "interrupted; the next up settles them" in messages(result, "warning")[0]
    assert pending_operations(toys) != []


def test_a_kill_leaves_no_secret_in_clear(tmp_path: Path) -> None:
    killed(tmp_path, "up", "secretive", "create", "after", "second")
    journal = (tmp_path / "dev.journal").read_text()
    assert "ciphertext" in journal
    assert "hush" not in journal
    toys = stack(tmp_path)
    toys.up(secretive)
    healthy(toys, secretive, 2)


def test_a_last_line_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    killed(tmp_path, "up", "plain", "create", "before", "second")
    with (tmp_path / "dev.journal").open("a") as journal:
        journal.write('{"end": 3, "put": [[4, {"urn": "urn:pul')
    toys = stack(tmp_path)
    toys.up(plain)
    healthy(toys, plain, 3)


def test_a_journal_of_another_checkpoint_is_not_applied(tmp_path: Path) -> None:
    toys = stack(tmp_path)
    toys.up(plain)
    (tmp_path / "dev.journal").write_text(json.dumps({"continues": "another"}) + '\n{"drop": [1, 2, 3, 4]}\n')
    healthy(stack(tmp_path), plain, 3)


def test_a_finished_run_leaves_only_the_checkpoint(tmp_path: Path) -> None:
    stack(tmp_path).up(plain)
    assert {path.name for path in tmp_path.iterdir()} == {"dev.json", "dev.lock", "cloud"}


@pytest.mark.parametrize("same_object", [True, False])
def test_a_second_run_on_a_state_in_use_is_refused_and_harms_nothing(tmp_path: Path, same_object: bool) -> None:
    toys = stack(tmp_path)
    other = toys if same_object else stack(tmp_path)
    inside, refused = threading.Event(), threading.Event()

    def slow() -> None:
        inside.set()
        assert refused.wait(10)
        plain()

    run = threading.Thread(target=toys.up, args=(slow,))
    run.start()
    assert inside.wait(10)
    attempts: tuple[Callable[[], Result], ...] = (lambda: other.up(nothing), other.refresh, other.destroy)
    for attempt in attempts:
        with pytest.raises(StateLocked, match="in use by another run"):
            attempt()
    refused.set()
    run.join()
    healthy(toys, plain, 3)


def test_two_stacks_share_a_folder(tmp_path: Path) -> None:
    stack(tmp_path).up(plain)
    other = State.in_folder(tmp_path, "other", passphrase="p")
    with stack(tmp_path).state.session():
        ToyStack(state=other).up(plain)
    assert len(other.export()["deployment"]["resources"]) == 5


if __name__ == "__main__":
    _folder, _command, _program, _call, _when, _name = sys.argv[1:]
    _toys = stack(Path(_folder), kill=(_call, _when, _name))
    _toys.parallel = 1
    _ = _toys.engine.destroy() if _command == "destroy" else _toys.engine.up(PROGRAMS[_program])
