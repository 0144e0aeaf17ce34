"""Rules between fields, each a small function that says the reason and the alternative.

A rule gets the settings with everything wrong set aside (`Facts`) and the cloud's own settings module, and yields
`(path, message)` or `(path, message, allowed, suggestion, confidential)`, as `Facts.report` takes them. Only rules with
a source: the cloud's documentation, named beside the rule, or plain logic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from mlestate.config.facts import Facts
from mlestate.config.rules_estate import ESTATE_RULES
from mlestate.config.rules_model import MODEL_RULES

Finding = tuple[Any, ...]
Rule = Callable[[Facts, ModuleType], Iterator[Finding]]

RULES: tuple[Rule, ...] = (*ESTATE_RULES, *MODEL_RULES)

OWN_RULES: Mapping[str, str] = {"aws": "mlestate.aws.rules"}
"""By cloud: the module of the rules that it alone has."""


def check(facts: Facts, settings: ModuleType) -> Iterator[Finding]:
    """What any rule finds."""
    own: tuple[Rule, ...] = import_module(OWN_RULES[facts.cloud]).RULES if facts.cloud in OWN_RULES else ()
    for rule in (*RULES, *own):
        yield from rule(facts, settings)
