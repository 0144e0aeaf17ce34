"""What the distribution says that it needs is what its code imports."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


BESIDE = {file.stem for folder in ("docs", "benchmarks") for file in (ROOT / folder).glob("*.py")}
"""Modules that stand beside the program that imports them."""


def imported(folder: Path) -> set[str]:
    """The top-level packages that the code in a folder imports, neither Python's own nor ours."""
    found: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - {*sys.stdlib_module_names, *BESIDE, "mlestate", "mlestate_policies", "tests"}


def names(requirements: list[str]) -> set[str]:
    """Distributions as pip compares them."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", each, maxsplit=1)[0]).lower() for each in requirements}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("components/mlestate", ["aws", "gcp", "azure"]),
        ("policies", ["policy"]),
        *[(folder, ["aws", "gcp", "azure", "policy", "dev"]) for folder in ("tests", "docs", "benchmarks")],
    ],
)
def test_every_package_that_is_imported_is_declared(folder: str, extras: list[str]) -> None:
    declared = names(PROJECT["dependencies"]) | {name for extra in extras for name in names(EXTRAS[extra])}
    distributions = packages_distributions()
    missing = [package for package in imported(ROOT / folder) if not names(distributions[package]) & declared]
    assert not missing, "what comes along with something else today may not come along tomorrow"


def test_the_lock_holds_what_is_declared_and_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    locked = {line.partition("==")[0] for line in lock.splitlines() if re.match(r"[a-z0-9]", line)}
    declared = names(PROJECT["dependencies"]) | {name for extra in EXTRAS.values() for name in names(extra)}
    assert declared - {"mlestate"} <= locked, "compile it anew with the command in its first lines"
    assert "://" not in lock, "where packages come from is whoever installs them to say"
