"""Work on the state without a program: deletions in reverse dependency order, refresh, interrupted calls."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar

from mlestate.errors import InputError
from mlestate.local import properties
from mlestate.local.providers import ProviderError
from mlestate.local.resource import Resource
from mlestate.local.state import PendingOperation
from mlestate.local.steps import StepFailed, Steps

_T = TypeVar("_T")
_DELETED_AS: Final = {  # (external, replaced): the word for the deletion
    (False, False): "delete",
    (False, True): "delete-replaced",
    (True, False): "discard",
    (True, True): "discard-replaced",
}


def remove_unregistered(steps: Steps, registered: Collection[str], parallel: int) -> None:
    """Delete what was replaced, and what the program no longer registers (all, when nothing is `registered`)."""
    kept = set(registered)
    condemned: dict[int, tuple[Resource, str]] = {}
    for resource in steps.state.resources:
        if resource.delete or resource.urn not in kept:
            op = _DELETED_AS[resource.external, resource.delete]
            if resource.pending_replacement:
                op = "remove-pending-replace"
            condemned[resource.key] = (resource, op)
    deleted = {resource.urn for resource, _op in condemned.values()}

    def delete(key: int) -> None:
        resource, op = condemned[key]
        steps.delete(resource, op, deleted=deleted)

    _each_after_its_dependents({key: resource for key, (resource, _op) in condemned.items()}, delete, parallel)


def _each_after_its_dependents(condemned: Mapping[int, Resource], delete: Callable[[int], None], parallel: int) -> None:
    """Delete level by level; what a resource that could not be deleted stands on is left alone."""
    by_urn: dict[str, list[int]] = {}
    for key, resource in condemned.items():
        by_urn.setdefault(resource.urn, []).append(key)
    needs = {
        key: {other for urn in resource.references() for other in by_urn.get(urn, ()) if other != key}
        for key, resource in condemned.items()
    }
    dependents = dict.fromkeys(condemned, 0)
    for needed in needs.values():
        for key in needed:
            dependents[key] += 1

    def attempt(key: int) -> bool:
        try:
            delete(key)
        except StepFailed:
            return False
        return True

    with ThreadPoolExecutor(max_workers=parallel) as pool:
        level = [key for key, count in dependents.items() if count == 0]
        while level:
            following = []
            for key, done in zip(level, pool.map(attempt, level), strict=True):
                if not done:
                    continue
                for needed_key in needs[key]:
                    dependents[needed_key] -= 1
                    if dependents[needed_key] == 0:
                        following.append(needed_key)
            level = following


def refresh_all(steps: Steps, parallel: int) -> None:
    """Read every object again; components, providers and what awaits a successor are as they are."""

    def refresh(resource: Resource) -> None:
        if not resource.custom or resource.is_provider or resource.pending_replacement:
            steps.unchanged(resource)
            return
        try:
            steps.refresh(resource)
        except StepFailed:
            return

    _in_parallel(refresh, steps.state.resources, parallel)


def settle_pending(steps: Steps, parallel: int) -> None:
    """Find out how interrupted provider calls ended.

    A creation is asked for again: a provider that makes Create idempotent by URN and inputs hands over the object that
    it made, or makes it now. After an update or a deletion the object is read.
    """
    _in_parallel(lambda operation: _settle(steps, operation), steps.state.pending, parallel)


def _settle(steps: Steps, operation: PendingOperation) -> None:
    resource, token = operation.resource, operation.token
    known = steps.state.resources
    try:
        if operation.kind == "creating":
            replaced = next((one for one in known if one.key == operation.replaces), None)
            steps.adopt(token, resource, replaced)
            return
        current = next((one for one in known if (one.urn, one.id) == (resource.urn, resource.id)), None)
        if current is None:
            steps.state.end(token)
            return
        reading = steps.registry.find(current.provider).read(current)
        if not reading.id:
            steps.state.end(token, drop=(current,))
            return
        outputs = properties.with_secrets(reading.outputs, reading.inputs, current.additional_secret_outputs)
        found = replace(current, id=reading.id, inputs=reading.inputs, outputs=outputs)
        steps.state.end(token, put=(found,))
    except (ProviderError, InputError) as error:
        steps.state.end(token)
        steps.recorder.say(
            "warning",
            f"{operation.kind} was interrupted and the provider would not say how it ended: {error}",
            resource.urn,
        )


def _in_parallel(work: Callable[[_T], None], items: Iterable[_T], parallel: int) -> None:
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        list(pool.map(work, items))
