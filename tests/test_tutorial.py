"""docs/tutorial.md, run as a reader runs it: its commands in their order, in one shell, over real HTTP."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
SKIPPED = "…"
LIMIT_SECONDS = 1500

FRAMES = re.compile(r"[│╭╮╰╯─\s]+")
MARK = "=== step {} ended in {} ==="


@dataclass(frozen=True)
class Step:
    """A block of commands, and what the page shows of what they print."""

    commands: str
    shown: str | None


def steps() -> list[Step]:
    """The blocks that are marked as bash; a block of text right behind one is what it prints."""
    found = re.findall(r"^```bash\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.DOTALL | re.MULTILINE)
    return [Step(commands, shown or None) for commands, shown in found]


def words(text: str) -> str:
    """A text without the frames of panels and without its breaks of lines, which are as a terminal is wide."""
    return FRAMES.sub(" ", text).strip()


def agrees(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed, but for what it leaves out."""
    pattern = ".*?".join(re.escape(part) for part in words(shown).split(SKIPPED))
    return re.fullmatch(pattern, words(printed)) is not None


def ran(folder: Path) -> list[tuple[int, str]]:
    """How each block ended, and what it printed."""
    for name in (".venv", "components", "docs", "tests"):
        (folder / name).symlink_to(Path(sys.executable).parents[1] if name == ".venv" else ROOT / name)
    script = "".join(
        f'{step.commands}\nended=$?; echo; echo "{MARK.format(number, "$ended")}"\n'
        for number, step in enumerate(steps())
    )
    environment: Mapping[str, str] = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "",
    }
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    finally:
        if (folder / ".mlestate" / "account" / "config").exists():
            subprocess.run([sys.executable, "-m", "tests.aws.account", "stop"], cwd=folder, check=True)
    parts = re.split(rf"\n{re.escape(MARK).replace(re.escape('{}'), '(.*?)')}\n", done.stdout)
    return [(int(code), printed) for printed, code in zip(parts[::3], parts[2::3], strict=False)]


@pytest.mark.slow
def test_the_commands_of_the_page_run_and_print_what_it_shows(tmp_path: Path) -> None:
    """Not run is `make demo`, which sets up what runs this test."""
    done = ran(tmp_path)
    wrong = [
        f"$ {step.commands}ended in {code}; the page shows\n{step.shown}and it printed\n{printed}"
        for step, (code, printed) in zip(steps(), done, strict=True)
        if code != 0 or (step.shown is not None and not agrees(step.shown, printed))
    ]
    assert not wrong, "\n\n".join(wrong)
    left = {each.name for each in tmp_path.iterdir() if not each.is_symlink()}
    assert left <= {".mlestate", ".cache"}, "the last commands take away what the first ones made"


def test_every_block_of_the_page_is_run_or_is_shown() -> None:
    kinds = re.findall(r"^```([a-z]+)$", PAGE, re.MULTILINE)
    assert kinds.count("bash") == len(steps())
    assert kinds.count("text") == sum(step.shown is not None for step in steps()), "a text belongs to the block above"
    assert set(kinds) == {"bash", "text", "sh"}
    assert re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) == ["make demo\n"]


@pytest.mark.parametrize("shown", [step.shown for step in steps() if step.shown])
def test_what_the_page_shows_says_more_than_it_leaves_out(shown: str) -> None:
    kept = [line for line in shown.splitlines() if len(words(line.replace(SKIPPED, ""))) > 10]
    assert len(kept) * 2 > shown.count(SKIPPED), "left out is what differs from run to run, and little else"


def test_a_text_agrees_with_its_own_frame_and_width_alone() -> None:
    printed = "╭─ churn ──╮\n│ in use  version 2 since 12:00 │\n╰─╯\ndone\n"
    assert agrees("in use version 2\n  since …\ndone", printed.replace("churn", ""))
    assert not agrees("in use version 2\n  since …\ndone", printed), "nothing may stand before"
    assert not agrees("╭ churn ╮ in use version 3 since … done", printed)
    assert not agrees("╭ churn ╮ in use version 2 since 12:00", printed), "nor behind"
