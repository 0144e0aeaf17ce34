"""`mlestate local` on Pulumi's own engine, as a person or a kill meets it."""

import json
import time
from pathlib import Path

import psutil
import pytest

from mlestate.local.pulumi_engine import PulumiEngine
from mlestate.local.session import Session
from tests.conftest import recorded
from tests.drivers import Own, store
from tests.test_cli import MINIMAL, begun, mlestate

pytestmark = pytest.mark.slow


def made() -> int:
    """What the example is made of, as the embedded engine registers it; Pulumi counts the stack too."""
    return len(recorded(MINIMAL)) + 1


def test_auto_takes_pulumi_s_own_engine_and_says_so(tmp_path: Path) -> None:
    done = mlestate("local", "up", MINIMAL, "--yes", "--state", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "by Pulumi's own engine" in done.stdout.splitlines()[0]
    assert f"{made()} created" in done.stdout


def test_the_default_folder_lies_where_the_command_runs(tmp_path: Path) -> None:
    done = mlestate("local", "up", MINIMAL, "--yes", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / ".mlestate" / "local" / "acme").is_dir(), "named after the estate: all files are estate.yaml"


def test_a_stack_whose_account_the_cli_wrote_previews(tmp_path: Path) -> None:
    """The README's own way to name an account: the CLI keeps it as a number."""
    assert mlestate("local", "preview", MINIMAL, "--state", tmp_path).returncode == 0
    engine = PulumiEngine(Session.of(MINIMAL, tmp_path))
    key = "aws:allowedAccountIds[0]"
    assert engine.run("config", "rm", "aws:allowedAccountIds") == 0
    assert engine.run("config", "set", "--path", key, "123456789012") == 0
    settings = (tmp_path / "pulumi" / "project" / "Pulumi.local.yaml").read_text()
    assert "- 123456789012" in settings, "a number, without quotes"
    assert engine.run("preview", "--non-interactive") == 0


def test_a_stale_note_of_a_process_blocks_nothing(tmp_path: Path) -> None:
    words = ("local", "up", MINIMAL, "--yes", "--engine", "pulumi", "--state", tmp_path)
    assert mlestate(*words).returncode == 0
    for text in ("1 0.0", "no number"):
        (tmp_path / "pulumi" / "local.process").write_text(text)
        assert mlestate(*words).returncode == 0, "that process is another's now"


def test_an_estate_changes_engines_and_stays_as_it_is(tmp_path: Path) -> None:
    for engine in ("embedded", "pulumi", "embedded"):
        done = mlestate("local", "up", MINIMAL, "--yes", "--engine", engine, "--state", tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        if engine == "embedded":
            continue
        assert f"{made()} unchanged" in done.stdout, "the state of the other engine was taken over"
    assert f"{made()} unchanged" in done.stdout


def test_any_pulumi_command_passes_through(tmp_path: Path) -> None:
    assert mlestate("local", "up", MINIMAL, "--yes", "--engine", "pulumi", "--state", tmp_path).returncode == 0
    done = mlestate("local", "pulumi", "--state", tmp_path, MINIMAL, "stack", "output", "--json")
    assert done.returncode == 0, done.stderr
    assert "churn" in json.loads(done.stdout)["hub"]["registry"]


@pytest.mark.parametrize("victim", ["pulumi", "mlestate.local.serve", "pulumi-language-python-exec", "mlestate local"])
def test_an_up_whose_process_was_killed_is_finished_by_the_next(victim: str, tmp_path: Path) -> None:
    """Each process of an `up` dies once: the engine, the provider, the program, and our own command."""
    words = ["local", "up", str(MINIMAL), "--engine", "pulumi", "--yes", "--state", str(tmp_path)]
    session = Session.of(MINIMAL, tmp_path)
    running = begun(words, session)
    killed = _kill(victim, running.pid)
    assert killed, f"no process of this run is {victim}"
    running.wait()
    _await_end(session)
    done = mlestate(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = Own(session).export()["deployment"]["resources"]
    known = sorted(row["id"] for row in rows if row.get("custom") and not row["type"].startswith("pulumi:"))
    assert sorted(each.id for each in store(session).objects()) == known, "nothing lost, nothing doubled"
    assert Own(session).run("preview").operations == set()


def _kill(victim: str, root: int) -> bool:
    us = psutil.Process(root)
    for process in (us, *us.children(recursive=True)):
        names = [Path(word).name for word in process.cmdline()[:5]]
        if victim in names or victim == " ".join(names[1:3]):
            process.kill()
            return True
    return False


def _await_end(session: Session) -> None:
    """Wait until Pulumi, which lives on when our own command is killed, has ended."""
    note = session.folder / "pulumi" / f"{session.stack}.process"
    running = int(note.read_text().split()[0]) if note.exists() else -1
    deadline = time.monotonic() + 60
    while psutil.pid_exists(running):
        assert time.monotonic() < deadline, "Pulumi lives on"
        time.sleep(0.2)
