"""What changed between two sets of inputs, and what of it replaces the resource."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from mlestate.local.kind import Replacement
from mlestate.local.paths import PropertyPath, covers, parse_path, spelled
from mlestate.local.wire import has_unknown

_KINDS = provider_pb2.PropertyDiff


def changes(old: Any, new: Any, path: PropertyPath = ()) -> Iterator[tuple[PropertyPath, str]]:
    """Every path that was added, deleted or updated; what was added or deleted whole is one path."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if not path and key.startswith("__"):
                continue
            before, after = old.get(key), new.get(key)
            if before is None and after is None:
                continue
            if before is None or after is None:
                yield (*path, key), "add" if before is None else "delete"
            else:
                yield from changes(before, after, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(old) or index >= len(new):
                yield (*path, index), "add" if index >= len(old) else "delete"
            else:
                yield from changes(old[index], new[index], (*path, index))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, "update"


def _leaves(value: Any, path: PropertyPath) -> Iterator[PropertyPath]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path


def _at(value: Any, path: PropertyPath) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def difference(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    replacement: Replacement,
    ignored: list[str],
) -> provider_pb2.DiffResponse:
    """The answer to a Diff request, but for `deleteBeforeReplace`. Inputs come without their marks of secrecy.

    A change to a value that is not known yet counts as a change, as in the real providers.
    """
    skipped = [parse_path(text) for text in ignored]
    response = provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    changed: dict[str, bool] = {}
    for path, how in changes(old, new):
        if any(covers(pattern, path) for pattern in skipped):
            continue
        names = tuple(step for step in path if isinstance(step, str))
        value = _at(new if how == "add" else old, path)
        replaces = any(replacement.replaced_by(leaf) for leaf in _leaves(value, names))
        if not replaces and how == "update" and has_unknown(_at(new, path)):
            replaces = replacement.replaced_by(names)
        kind = getattr(_KINDS, how.upper() + ("_REPLACE" if replaces else ""))
        response.detailedDiff[spelled(path)].CopyFrom(provider_pb2.PropertyDiff(kind=kind, inputDiff=True))
        top = str(path[0])
        changed[top] = changed.get(top, False) or replaces
    if changed:
        response.changes = provider_pb2.DiffResponse.DIFF_SOME
        response.diffs.extend(sorted(changed))
        response.replaces.extend(sorted(name for name, replaces in changed.items() if replaces))
    return response
