"""Estates on AWS, recorded once each: what the real program registers on an empty local cloud."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlestate.blueprint.inventory import Row
from tests.conftest import recorded

Rows = list[Row]
Recorded = Callable[..., Rows]


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record an estate file's text, once a session for each text and scope."""

    @cache
    def run(text: str, scope: str | None = None) -> Rows:
        file: Path = tmp_path_factory.mktemp("aws") / "estate.yaml"
        file.write_text(text)
        return recorded(file, scope)

    return run


def all_of(rows: Rows, kind: str) -> dict[str, Row]:
    """The resources of one kind (`s3:Bucket`) by name."""
    module, _, name = kind.partition(":")
    return {row.name: row for row in rows if row.type.startswith(f"aws:{module}/") and row.type.endswith(f":{name}")}


def one(rows: Rows, kind: str, name: str) -> Row:
    """The resource of that kind whose name ends so."""
    found = [row for each, row in all_of(rows, kind).items() if each.endswith(name)]
    assert len(found) == 1, f"{len(found)} of {kind} end in {name!r}: {list(all_of(rows, kind))}"
    return found[0]


def statements(document: str) -> dict[str, Mapping[str, Any]]:
    """The statements of a policy by their `Sid`; IAM wants them unique."""
    said = json.loads(document)["Statement"]
    found = {each["Sid"]: each for each in said}
    assert len(found) == len(said), "IAM refuses a policy in which two statements have one Sid"
    return found


def actions(statement: Mapping[str, Any]) -> list[str]:
    value = statement["Action"]
    return [value] if isinstance(value, str) else list(value)
