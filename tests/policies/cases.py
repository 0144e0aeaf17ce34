"""The tables in `cases/`: resources that keep every rule, and the edits that break each rule and no other.

A table has `resources` (a name to `type`, `properties` and, for rules over a stack, `links`: a property to the names of
the resources that its value comes from; `parent`; `protect`; `provider`) and `rules` (a rule's id to its cases). A case
is one edit, or several under `edits`:

    {of: NAME, set: {PATH: VALUE, ...}}    {of: NAME, drop: PATH}    {of: NAME, links: {PROPERTY: [NAME]}}
    {of: NAME, protect: false}             {remove: NAME}            {add: {NAME: {...}}}

with, where they are needed, `profiles`, `limits` (for the run) and `also` (ids of rules that ask for the same, with
`because`). Every path is a resource's, `list[0].key`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from mlestate_policies.resources import Resource
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node

FOLDER = Path(__file__).parent / "cases"
Table = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One way to break one rule."""

    table: str
    rule: str
    number: int
    edits: tuple[Mapping[str, Any], ...]
    profiles: tuple[str, ...]
    limits: Mapping[str, Any]
    also: frozenset[str]

    def __str__(self) -> str:
        return f"{self.rule}-{self.number}"

    @property
    def settings(self) -> Settings:
        return Settings(profiles=self.profiles, limits=self.limits)

    @property
    def paths(self) -> list[tuple[str, str]]:
        """What it edits: a resource's name and a path in it, with `[]` for an index."""
        found = []
        for edit in self.edits:
            drops = edit.get("drop", ())
            for path in (
                *edit.get("set", ()),
                *((drops,) if isinstance(drops, str) else drops),
                *edit.get("links", ()),
            ):
                found.append((edit["of"], re.sub(r"\[\d+\]", "[]", path)))
        return found


@cache
def tables() -> Mapping[str, Table]:
    """Every table by its file's name."""
    return {file.stem: yaml.load(file.read_text(), yaml.CSafeLoader) for file in sorted(FOLDER.glob("*.yaml"))}


def cases() -> Iterator[Case]:
    """Every case of every table."""
    for name, table in tables().items():
        for rule, given in table["rules"].items():
            for number, case in enumerate(given, 1):
                yield Case(
                    name,
                    rule,
                    number,
                    tuple(case.get("edits", [case])),
                    tuple(case.get("profiles", ("regulated",))),
                    {
                        key: tuple(each) if isinstance(each, list) else each
                        for key, each in case.get("limits", {}).items()
                    },
                    frozenset(case.get("also", ())),
                )


def kept(table: str) -> dict[str, dict[str, Any]]:
    """The resources of a table as they are: they keep every rule."""
    entries: dict[str, dict[str, Any]] = json.loads(json.dumps(tables()[table]["resources"]))  # without YAML's aliases
    return entries


def edited(case: Case, *, unknown: bool = False) -> dict[str, dict[str, Any]]:
    """The resources of a case's table after its edits; with `unknown`, what it sets is not known instead."""
    entries = kept(case.table)
    for edit in case.edits:
        if "remove" in edit:
            del entries[edit["remove"]]
        elif "add" in edit:
            entries |= deepcopy(edit["add"])
        else:
            entry = entries[edit["of"]]
            properties = entry.setdefault("properties", {})
            for path, value in edit.get("set", {}).items():
                _set(properties, path, UNKNOWN if unknown else deepcopy(value))
            drops = edit.get("drop", ())
            for path in (drops,) if isinstance(drops, str) else drops:
                _set(properties, path, UNKNOWN if unknown else None)
            entry.setdefault("links", {}).update(edit.get("links", {}))
            if "protect" in edit:
                entry["protect"] = edit["protect"]
    return entries


def resources(entries: Mapping[str, Mapping[str, Any]]) -> list[Resource]:
    """The resources that a table's entries stand for."""
    return [
        Resource(
            type=entry["type"],
            urn=urn(name, entry["type"]),
            properties=Node(entry.get("properties", {})),
            parent=urn(entry["parent"], entries[entry["parent"]]["type"]) if "parent" in entry else None,
            protect=entry.get("protect", False),
            provider=Node(entry.get("provider")),
            property_dependencies={
                property_: tuple(urn(each, entries[each]["type"]) for each in names if each in entries)
                for property_, names in entry.get("links", {}).items()
            },
        )
        for name, entry in entries.items()
    ]


def urn(name: str, token: str) -> str:
    return f"urn:pulumi:stack::project::{token}::{name}"


def _set(properties: dict[str, Any], path: str, value: Any) -> None:
    """Set what is behind a path, making what is missing on the way; null drops it."""
    steps: list[Any] = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    inside: Any = properties
    for step, following in pairwise(steps):
        if isinstance(step, str) and inside.get(step) is None:
            inside[step] = [] if isinstance(following, int) else {}
        if isinstance(step, int) and step == len(inside):
            inside.append([] if isinstance(following, int) else {})
        inside = inside[step]
    if isinstance(steps[-1], int):
        inside[steps[-1] : steps[-1] + 1] = [] if value is None else [value]
    elif value is None:
        inside.pop(steps[-1], None)
    else:
        inside[steps[-1]] = value
