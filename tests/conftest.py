"""What all tests share: the golden inventories' switch, and programs recorded by running them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlestate.blueprint.inventory import Row, rows
from mlestate.local.engine import Diagnostic
from mlestate.local.session import rehearse

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-inventory", action="store_true", help="write tests/inventories/ anew from what the examples register"
    )


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


def recorded(file: Path, scope: str | None = None) -> list[Row]:
    """The resources that an estate file registers."""
    problems: list[str] = []
    done = rehearse(
        file, scope, listener=lambda event: problems.append(str(event)) if isinstance(event, Diagnostic) else None
    )
    assert not done.result.failed, "\n".join(problems)
    return rows(done.state.export(show_secrets=False))
