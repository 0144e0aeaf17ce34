"""What a replacement takes with it: with delete-before-replace, dependents whose properties cannot outlive the object.

Pulumi's rule (`calculateDependentReplacements`): a dependent goes first, and is made again, when its provider calls it
a replacement for the properties that come from the replaced object to be unknown.
"""

import threading
from collections.abc import Mapping, Set
from dataclasses import replace

from mlestate.local import properties
from mlestate.local.markers import UNKNOWN
from mlestate.local.resource import Resource, in_order, provider_urn
from mlestate.local.steps import Steps


class Replacements:
    """The replacements of one run. Cascades are worked one at a time, so that no object is deleted twice."""

    def __init__(self, steps: Steps, olds: Mapping[str, Resource], news: Mapping[str, Resource]) -> None:
        self._steps, self._olds, self._news = steps, olds, news
        self._cascade = threading.RLock()
        self._replaced: set[str] = set()
        self._deleted: dict[str, Resource] = {}
        self._dependents: dict[str, list[Resource]] | None = None
        self._position: dict[str, int] = {}

    def mark(self, urn: str) -> None:
        self._replaced.add(urn)

    def is_replaced(self, urn: str) -> bool:
        return urn in self._replaced

    def recreated(self, urn: str) -> Resource | None:
        """The state of a resource that was deleted because another's replacement demanded it."""
        return self._deleted.get(urn)

    def delete_first(self, old: Resource) -> Resource:
        """Delete an object and what must go before it; answers its state, now awaiting its successor."""
        with self._cascade:
            for dependent in reversed(self._cascade_of(old)):
                if dependent.urn in self._deleted:
                    continue
                if dependent.protect:
                    raise self._steps.fail(
                        old.urn,
                        f"{old.urn} cannot be replaced: {dependent.urn} would have to be replaced with it and is "
                        "protected; remove `protect` there first",
                    )
                self._deleted[dependent.urn] = self._delete(dependent)
            return old if old.pending_replacement else self._delete(old)

    def _delete(self, old: Resource) -> Resource:
        if old.pending_replacement:
            return old
        goes_with = {*self._replaced, *self._deleted}
        self._steps.delete(old, "delete-replaced", deleted=goes_with, await_replacement=True)
        return replace(old, pending_replacement=True)

    def _cascade_of(self, root: Resource) -> list[Resource]:
        """Dependents to be replaced with `root`, in dependency order."""
        replaced = {root.urn}
        cascade = []
        for dependent in self._depending_on(root):
            if self._must_be_replaced(dependent, replaced):
                replaced.add(dependent.urn)
                cascade.append(dependent)
        return cascade

    def _depending_on(self, root: Resource) -> list[Resource]:
        """All that depends on `root` in the state and was not registered yet: what was cannot depend on it any more."""
        if self._dependents is None:
            self._dependents = {}
            for position, resource in enumerate(in_order(self._olds.values())):
                self._position[resource.urn] = position
                for urn in resource.references(parent=False):
                    self._dependents.setdefault(urn, []).append(resource)
        found: dict[str, Resource] = {}
        waiting = [root.urn]
        while waiting:
            for dependent in self._dependents.get(waiting.pop(), ()):
                if dependent.urn not in found and dependent.urn not in self._news:
                    found[dependent.urn] = dependent
                    waiting.append(dependent.urn)
        return sorted(found.values(), key=lambda resource: self._position[resource.urn])

    def _must_be_replaced(self, dependent: Resource, replaced: Set[str]) -> bool:
        if not dependent.custom or dependent.external:
            return False
        if dependent.provider and provider_urn(dependent.provider) in replaced:
            return True
        if dependent.deleted_with in replaced:
            return True
        touched = [
            name
            for name, urns in dependent.property_dependencies.items()
            if name in dependent.inputs.fields and not replaced.isdisjoint(urns)
        ]
        if not touched:
            return False
        inputs = properties.copy(dependent.inputs)
        for name in touched:
            inputs.fields[name].string_value = UNKNOWN
        manager = self._steps.manager(dependent)
        if manager is None:
            return False
        diff = manager.diff(dependent, inputs, dependent.ignore_changes)
        return bool(diff.replacing_at(dependent.replace_on_changes).replaces)
