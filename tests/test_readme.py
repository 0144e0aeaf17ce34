"""What the README says is true: its file is valid, its commands exist, and the demo's next steps run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mlestate.config import loads
from tests.conftest import ROOT
from tests.test_cli import mlestate

README = (ROOT / "README.md").read_text()


def test_the_file_of_the_readme_is_valid_in_six_lines() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert len(text.strip().splitlines()) == 6
    assert loads(text).config.name == "acme"


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`mlestate ((?:local )?[a-z]+)", README))))
def test_every_command_of_the_readme_exists(command: str) -> None:
    words = command.split()
    listed = mlestate(*words[:-1], "--help").stdout
    assert re.search(rf"^\s*{words[-1]}\s", listed, re.MULTILINE), listed


def test_the_words_of_make_are_the_readme_s() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert targets == named, "nothing else to remember, and nothing that is not there"


@pytest.mark.slow
def test_the_demo_comes_up_and_its_next_commands_run(tmp_path: Path) -> None:
    """The last of its three commands needs a real account and is not run."""
    for folder in ("examples", "components"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    first = subprocess.run(
        [sys.executable, ROOT / "docs" / "demo.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "created" in first
    again = subprocess.run(
        [sys.executable, ROOT / "docs" / "demo.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "created" not in again, "a second demo changes nothing"
    commands = [line.split("  ")[0] for line in re.findall(r"^  (\.venv\S* .*)$", again, re.MULTILINE)]
    assert len(commands) == 2, again
    for command in commands:
        words = [*shlex.split(command), *(["--yes"] if "destroy" in command else [])]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
