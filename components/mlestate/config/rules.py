"""Rules between fields, each a small function that says the reason and the alternative.

A rule gets the settings with everything wrong set aside (`Facts`) and the cloud's own settings module, and yields
`(path, message)` or `(path, message, allowed, suggestion)`. Only rules with a source: the cloud's documentation, named
beside the rule, or plain logic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from mlestate.config.facts import Facts
from mlestate.config.rules_estate import ESTATE_RULES
from mlestate.config.rules_model import MODEL_RULES

Finding = tuple[Any, ...]
Rule = Callable[[Facts, ModuleType], Iterator[Finding]]

RULES: tuple[Rule, ...] = (*ESTATE_RULES, *MODEL_RULES)


def check(facts: Facts, settings: ModuleType) -> Iterator[Finding]:
    """What any rule finds."""
    for rule in RULES:
        yield from rule(facts, settings)
