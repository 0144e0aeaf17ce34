"""What the loader says about a text, for the tests of its sentences."""

from __future__ import annotations

from mlestate.config import ConfigError, loads

HEAD = "version: 1\nname: acme\n"
AWS = f"{HEAD}cloud: aws\nregion: ca-central-1\n"
GCP = f"{HEAD}cloud: gcp\nregion: northamerica-northeast1\n"
AZURE = f"{HEAD}cloud: azure\nregion: canadacentral\n"
MARK = "«"


def said(text: str) -> list[tuple[str, str]]:
    """Every problem as its path and its sentences; any other exception comes through."""
    try:
        loads(text)
    except ConfigError as error:
        return [(problem.path, problem.message) for problem in error.problems]
    return []


def at_mark(marked: str) -> list[tuple[str, str]]:
    """The problems that stand exactly where the text has the mark, as path and sentences."""
    before, mark, after = marked.partition(MARK)
    assert mark, "the case names no place"
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    try:
        loads(before + after)
    except ConfigError as error:
        return [(each.path, each.message) for each in error.problems if (each.line, each.column) == (line, column)]
    return []
