"""The earlier URNs that a resource may be found under in the state (Pulumi: step_generator.go)."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlestate.local.resource import STACK_TYPE, name_of, qualified_type_of, type_of, urn_of


def earlier_urns(
    stack: str,
    project: str,
    *,
    name: str,
    type_: str,
    parent: str,
    aliases: Sequence[Any],
    matched: Mapping[str, str],
) -> list[str]:
    """URNs in the order in which they are tried, without repetition.

    `aliases` are alias_pb2.Alias messages, a URN or a description each; `matched` maps the URN of every resource that
    was found under an alias to that alias: its children inherit the former parent.
    """
    own = [_described(stack, project, name, type_, parent, alias, matched) for alias in aliases]
    found = list(own)
    former = matched.get(parent)
    if former is not None:
        found.append(_inherited(stack, project, name, type_, parent, former))
        found += [_inherited(stack, project, name_of(urn), type_of(urn), parent, former) for urn in own]
    return list(dict.fromkeys(found))


def _described(
    stack: str, project: str, name: str, type_: str, parent: str, alias: Any, matched: Mapping[str, str]
) -> str:
    if alias.WhichOneof("alias") == "urn":
        return str(alias.urn)
    spec = alias.spec
    former_parent = matched.get(spec.parentUrn, spec.parentUrn) or parent
    if spec.noParent or (former_parent and qualified_type_of(former_parent) == STACK_TYPE):
        former_parent = ""
    return urn_of(spec.stack or stack, spec.project or project, former_parent, spec.type or type_, spec.name or name)


def _inherited(stack: str, project: str, name: str, type_: str, parent: str, former: str) -> str:
    """The child's URN under its parent's former URN; a name that began with the parent's begins with the former one."""
    parent_name = name_of(parent)
    if name.startswith(parent_name):
        name = name_of(former) + name[len(parent_name) :]
    return urn_of(stack, project, former, type_, name)
