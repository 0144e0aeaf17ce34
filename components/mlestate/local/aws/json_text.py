"""What the checks of documents share: a finding, and the reading of a document that is written as JSON text."""

import json
from collections.abc import Generator
from typing import Any

from mlestate.local.paths import PropertyPath

Finding = tuple[PropertyPath, str]  # where in the document, and a sentence


def parsed(text: Any) -> Generator[Finding, None, dict[str, Any] | None]:
    """The object that the text holds, or None after a finding. An object that an SDK passes as such is taken too."""
    if isinstance(text, dict):
        return text
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (TypeError, ValueError) as error:
        yield (), f"expected a JSON document: {error}"
        return None
    if not isinstance(document, dict):
        yield (), f"expected a JSON object, got {type(document).__name__}"
        return None
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return made
