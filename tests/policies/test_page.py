"""docs/policies.md: its commands run and print what it shows, its configuration holds, its rule is found."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlestate_policies.configuration import SETTINGS_SCHEMA, read
from mlestate_policies.rules import named
from mlestate_policies.settings import PROFILES
from tests.policies.packs import PACKS, ROOT
from tests.test_cli import mlestate

PAGE = (ROOT / "docs" / "policies.md").read_text()
LAB = ROOT / "docs" / "policies" / "lab.json"
LEFT_OUT = "…"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines()]
SHOWN = dict(re.findall(r"^```bash\n(.+)\n```\n\n```text\n([^`]*)^```", PAGE, re.MULTILINE))


def test_the_commands_of_the_page_run_in_order_and_print_what_it_shows(tmp_path: Path) -> None:
    for name in ("examples", "policies", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    environment = {"PATH": path, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    for command in COMMANDS:
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        shown = SHOWN.get(command, "")
        assert done.returncode == (1 if "FAILED" in shown else 0), f"{command}\n{done.stdout}{done.stderr}"
        if shown:
            pattern = ".*".join(re.escape(part) for part in shown.split(LEFT_OUT))
            assert re.fullmatch(pattern, done.stdout), done.stdout
    assert (tmp_path / "policies.sarif").exists()


def test_every_block_is_run_or_checked() -> None:
    kinds = [kind for kind in re.findall(r"^```([a-z]*)$", PAGE, re.MULTILINE) if kind]
    assert sorted(kinds) == sorted([*["bash"] * len(blocks("bash")), "json", "python", "sh", "text"])
    assert set(SHOWN) <= set(COMMANDS)
    assert len(SHOWN) == 1
    for line in blocks("sh")[0].splitlines():
        assert set(re.findall(r"policies/(\w+)", line)) <= set(PACKS)


def test_the_configuration_of_the_page_holds_and_every_word_of_it_is_explained(tmp_path: Path) -> None:
    (text,) = blocks("json")
    file = tmp_path / "policies.json"
    file.write_text(text)
    settings = read(file)
    assert set(json.loads(text)["mlestate"]) == set(SETTINGS_SCHEMA)
    assert all(f"`{word}`" in PAGE for word in PROFILES)
    assert all(f"`{word}`" in PAGE or f'"{word}"' in PAGE for word in SETTINGS_SCHEMA)
    assert [named()[rule].remedy != {} for rule, level in settings.levels.items() if level == "remediate"] == [True]


@pytest.fixture
def rules_of_its_own(tmp_path: Path) -> Path:
    """The rules, and beside them the page's."""
    shutil.copytree(ROOT / "policies" / "mlestate_policies", tmp_path / "mlestate_policies")
    (place,) = re.findall(r"here `(\w+/\w+\.py)`", PAGE)
    assert not (tmp_path / "mlestate_policies" / place).exists(), "the page's rule would overwrite a module"
    (tmp_path / "mlestate_policies" / place).write_text(blocks("python")[0])
    return tmp_path


def test_the_rule_of_the_page_is_found_by_itself(rules_of_its_own: Path) -> None:
    done = mlestate("policy", "check", LAB, "--format", "json", PYTHONPATH=str(rules_of_its_own))
    findings = {each["rule"]: each for each in json.loads(done.stdout)["findings"]}
    assert findings["ML-AWS-SM-900"]["urn"].endswith("::reviewers")
    assert findings["ML-AWS-SM-900"]["level"] == "advisory"


@pytest.mark.parametrize("page", ["docs/policies.md", "policies/README.md"])
def test_what_the_page_points_at_is_there(page: str) -> None:
    file = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text()):
        assert (file.parent / target).exists(), target
