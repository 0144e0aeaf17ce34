"""Whatever stands where a rule reads, the rule says what it finds, or nothing, and does not break."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any, Final

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from mlestate_policies.judge import judge
from mlestate_policies.resources import Resource
from mlestate_policies.rules import rules
from mlestate_policies.settings import LIMITS, Settings
from mlestate_policies.values import UNKNOWN, Node
from tests.policies.cases import kept, resources, tables
from tests.policies.packs import BAD_ESTATES

ODD: Final[dict[str, Any]] = {
    "number": -7,
    "text": "x",
    "document-of-numbers": '{"Statement": 1, "bindings": 2, "Steps": 3}',
    "document-of-texts": '{"Statement": ["x"], "bindings": ["x"], "Steps": ["x"]}',
    "list": [1, "x", True, None, [], {}, {"x": UNKNOWN}, UNKNOWN],
    "object": {"x": {"x": [1]}},
    "nothing": None,
    "unknown": UNKNOWN,
}
rules()  # the limits are declared where the rules are
SETTINGS: Final = Settings(
    profiles=("regulated", "quebec"),
    limits={name: ("x*",) for name, limit in LIMITS.items() if limit.default == ()},  # every rule has an opinion
)
TYPES: Final = sorted({token for rule in rules() for token in rule.paths} - {"*"})


def paths_of(token: str) -> set[str]:
    """Every path that a rule reads in a type, and everything around each."""
    of_each = token in TYPES[::20]  # what is read of every type is tried on some
    named = {path for rule in rules() for path in (*rule.paths.get(token, ()), *(rule.paths.get("*", ()) * of_each))}
    return {beginning for path in named for beginning in beginnings(path)}


def beginnings(path: str) -> Iterator[str]:
    while path:
        yield path
        path = re.sub(r"(\[\]|\.?[^.\[\]]+)$", "", path)


def placed(path: str, value: Any) -> dict[str, Any]:
    """Properties that have a value behind a path, and nothing else."""
    for step in reversed(re.findall(r"[^.\[\]]+|\[\]", path)):
        value = [value] if step == "[]" else {"x" if step == "*" else step: value}
    properties: dict[str, Any] = value
    return properties


def failures(subjects: list[Resource]) -> list[str]:
    return [each.message for each in judge(subjects, subjects, SETTINGS).findings if each.outcome == "failed"]


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_no_rule_breaks_over_a_value_of_the_wrong_kind_at_or_around_a_path_that_it_reads(value: Any) -> None:
    subjects = [
        Resource(token, f"urn:pulumi:stack::project::{token}::{path}", Node(placed(path, value)))
        for token in TYPES
        for path in sorted(paths_of(token))
    ]
    assert not failures(subjects)


ESTATES: Final[list[dict[str, Any]]] = [
    *(kept(table) for table in tables()),
    *(yaml.safe_load(file.read_text())["resources"] for file in BAD_ESTATES),
]
NONSENSE: Final = st.sampled_from(
    [*ODD.values(), '{"Statement": [', True, "", -1, 0.5, "true", "*", [], {}, ["*"], [[UNKNOWN]]]
)
NUMBERED: Final = st.lists(st.tuples(st.integers(0, 99_999), NONSENSE), min_size=1, max_size=4)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in properties, also within the documents that they hold as a text."""
    inside = opened(value)
    for key in inside if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else ():
        yield (*at, key)
        yield from places(inside[key], (*at, key))


def opened(value: Any) -> Any:
    with suppress(ValueError):
        return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    return value


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    inside = deepcopy(opened(value))
    inside[place[0]] = replaced(inside[place[0]], place[1:], new)
    return json.dumps(inside) if isinstance(value, str) else inside


@bounded(max_examples=200, deadline=None)
@given(st.sampled_from(ESTATES), NUMBERED)
def test_no_rule_breaks_over_an_estate_with_nonsense_in_it(
    estate: dict[str, Any], nonsense: list[tuple[int, Any]]
) -> None:
    entries = deepcopy(estate)
    for number, value in nonsense:
        every = [(name, place) for name, entry in entries.items() for place in places(entry.get("properties", {}))]
        name, place = every[number % len(every)]
        entries[name]["properties"] = replaced(entries[name]["properties"], place, value)
    assert not failures(resources(entries))
