"""Resources out of what Pulumi writes: an exported state, or a preview as JSON. Of any estate, not only of ours.

Read is `pulumi stack export` (a deployment of version 3; a bare checkpoint too) and `pulumi preview --json
--show-sames`. A preview that failed, or that leaves out what does not change, is no estate and is refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlestate_policies.resources import Resource, normal_type
from mlestate_policies.values import Node

__all__ = ["NotReadable", "Subjects", "of_state", "read"]

_GONE: Final = ("delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace")
"""Steps of a preview after which the resource is no longer there in this form."""
_HOW: Final = "write one with `pulumi stack export --file FILE` or `pulumi preview --json --show-sames > FILE`"


class NotReadable(Exception):
    """A file that is neither; the message is for the user."""


@dataclass(frozen=True)
class Subjects:
    """The resources of a state: their inputs are for rules over one resource, their outputs for rules over all."""

    inputs: tuple[Resource, ...]
    outputs: tuple[Resource, ...]


def read(file: Path) -> Subjects:
    """The resources of a file.

    Raises:
        NotReadable: the file cannot be read, or is neither a state nor a preview.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotReadable(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NotReadable(f"{file}: is not text; {_HOW}") from error
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"{file}: is not JSON ({error}); {_HOW}") from error
    return of_state(document, str(file))


def of_state(document: Any, origin: str) -> Subjects:
    """The resources of a state or a preview that was parsed already.

    Raises:
        NotReadable: it is neither; the message begins with `origin`.
    """
    states = list({state["urn"]: state for state in _states(document, origin)}.values())  # a replacement is two steps
    providers = {
        f"{state['urn']}::{state.get('id', '')}": state
        for state in states
        if state["type"].startswith("pulumi:providers:")
    }
    return Subjects(
        tuple(_resource(state, state.get("inputs"), providers) for state in states),
        tuple(_resource(state, state.get("outputs") or state.get("inputs"), providers) for state in states),
    )


def _states(document: Any, origin: str) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, Mapping):
        raise NotReadable(f"{origin}: is {_kind(document)}, neither a Pulumi state nor a preview; {_HOW}")
    if "steps" in document:
        steps = _list(document["steps"], f"{origin}: `steps`")
        for index, step in enumerate(steps):
            where = f"{origin}: `steps[{index}]`"
            if not isinstance(step, Mapping) or not isinstance(step.get("op"), str):
                raise NotReadable(f"{where} is no step of a preview: it has no `op`; {_HOW}")
            if step["op"] not in _GONE and (state := step.get("newState")) is not None:
                yield _checked(state, f"{where}.newState")
        _whole(document, steps, origin)
        return
    deployment = document.get("deployment", document.get("latest", document.get("checkpoint")))
    if isinstance(deployment, Mapping) and isinstance(deployment.get("latest"), Mapping):
        deployment = deployment["latest"]
    if not isinstance(deployment, Mapping):
        raise NotReadable(f"{origin}: has neither a `deployment` nor `steps`: no Pulumi state and no preview; {_HOW}")
    if not {"version", "checkpoint"} & set(document) and not {"manifest", "resources"} & set(deployment):
        raise NotReadable(f"{origin}: has no `version`, `manifest` or `resources`: no Pulumi state; {_HOW}")
    if "version" in document and document["version"] not in (3, 4):
        raise NotReadable(f"{origin}: is a state of version {document['version']!r}; versions 3 and 4 are read; {_HOW}")
    for index, state in enumerate(_list(deployment.get("resources") or [], f"{origin}: `resources`")):
        checked = _checked(state, f"{origin}: `resources[{index}]`")
        if not checked.get("delete"):
            yield checked


def _whole(preview: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], origin: str) -> None:
    """Refuse a preview in which resources are missing.

    Pulumi counts what stays the same in `changeSummary`, and shows it only when asked to; a provider may stay out.
    """
    diagnostics = preview.get("diagnostics")
    for each in diagnostics if isinstance(diagnostics, list) else ():
        if isinstance(each, Mapping) and each.get("severity") == "error":
            raise NotReadable(
                f"{origin}: is of a preview that failed, so resources may be missing; mend it, then {_HOW}"
            )
    summary = preview.get("changeSummary")
    same = summary.get("same") if isinstance(summary, Mapping) else 0
    if isinstance(same, int):
        there = {step.get("urn") for step in steps if isinstance(step.get("urn"), str)}
        states = [step["newState"] for step in steps if isinstance(step.get("newState"), Mapping)]
        providers = {(each.get("provider") or "").rpartition("::")[0] for each in states} - there - {""}
        missing = same - sum(step["op"] == "same" for step in steps) - len(providers)
        if missing > 0:
            raise NotReadable(f"{origin}: leaves out {missing} resources that stay the same; {_HOW}")


def _checked(state: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(state, Mapping):
        raise NotReadable(f"{where} is {_kind(state)}, no resource; {_HOW}")
    for key in ("urn", "type"):
        if not isinstance(state.get(key), str):
            raise NotReadable(f"{where} has no `{key}`, so it is no resource; {_HOW}")
    for key in ("inputs", "outputs", "propertyDependencies"):
        if not isinstance(state.get(key) or {}, Mapping):
            raise NotReadable(f"{where}: `{key}` is {_kind(state[key])}, not an object; {_HOW}")
    for key in ("provider", "parent"):
        if not isinstance(state.get(key) or "", str):
            raise NotReadable(f"{where}: `{key}` is {_kind(state[key])}, not a text; {_HOW}")
    for urns in (state.get("dependencies"), *(state.get("propertyDependencies") or {}).values()):
        if not isinstance(urns or [], list) or not all(isinstance(urn, str) for urn in urns or ()):
            raise NotReadable(f"{where}: what it depends on is no list of URNs; {_HOW}")
    return state


def _list(given: Any, what: str) -> Sequence[Any]:
    if not isinstance(given, list):
        raise NotReadable(f"{what} is {_kind(given)}, not a list; {_HOW}")
    return given


def _kind(given: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(given), "a number")


def _resource(
    state: Mapping[str, Any], properties: Mapping[str, Any] | None, providers: Mapping[str, Mapping[str, Any]]
) -> Resource:
    provider = providers.get(state.get("provider") or "", {})
    return Resource(
        type=normal_type(state["type"]),
        urn=state["urn"],
        properties=Node(properties),
        parent=state.get("parent") or None,
        protect=bool(state.get("protect")),
        provider=Node(provider.get("inputs")),
        dependencies=tuple(state.get("dependencies") or ()),
        property_dependencies={
            key: tuple(urns or ()) for key, urns in (state.get("propertyDependencies") or {}).items()
        },
    )
