"""The steps of a run, each on one resource: call its manager, write the journal around the call, tell the listener.

In a preview the state is a copy in memory and providers are told so, or not called at all.
"""

import time
from collections.abc import Callable, Set
from dataclasses import replace
from typing import TypeVar

from google.protobuf.struct_pb2 import Struct

from mlestate.errors import InputError
from mlestate.local import properties
from mlestate.local.events import Operation, Recorder
from mlestate.local.markers import UNKNOWN
from mlestate.local.providers import Diff, Manager, ProviderError
from mlestate.local.registry import Registry
from mlestate.local.resource import Resource
from mlestate.local.state import State, now

_T = TypeVar("_T")


class StepFailed(Exception):
    """A step that failed; the reason has been told."""


class Steps:
    """The steps on a state. Raises StepFailed after the user was told why."""

    def __init__(self, state: State, registry: Registry, recorder: Recorder, *, preview: bool) -> None:
        self.state, self.registry, self.recorder, self.preview = state, registry, recorder, preview

    def manager(self, resource: Resource) -> Manager | None:
        """Who manages a resource; None for a component."""
        if not resource.custom:
            return None
        if resource.is_provider:
            return self.registry
        return self.registry.find(resource.provider)

    def fail(self, urn: str, message: str) -> StepFailed:
        self.recorder.say("error", message, urn)
        return StepFailed(message)

    def _perform(self, operation: Operation, resource: Resource, action: Callable[[], _T], counted_as: str = "") -> _T:
        """Do it and tell it; default providers are the engine's own affair and not told."""
        internal = resource.is_default_provider or operation.op == "remove-pending-replace"
        if not internal:
            self.recorder.started(operation)
        began = time.monotonic()
        try:
            result = action()
        except (ProviderError, InputError) as error:
            if not internal:
                self.recorder.failed_operation(operation, time.monotonic() - began, str(error))
            raise self.fail(resource.urn, str(error)) from error
        if not internal:
            self.recorder.done(operation, time.monotonic() - began, counted_as)
        return result

    def same(self, old: Resource, new: Resource) -> Resource:
        """Keep the object; what the program says about it (dependencies, protection, ...) may still differ."""
        new.key, new.id, new.outputs = old.key, old.id, old.outputs
        new.created, new.modified, new.init_errors = old.created, old.modified, old.init_errors
        if new.custom:
            new.outputs = properties.with_secrets(new.outputs, new.inputs, new.additional_secret_outputs)

        def keep() -> Resource:
            if new.is_provider:
                self.registry.configure(new, new.id)
            if new == old:
                return old
            self.state.put(new)
            return new

        return self._perform(_operation("same", new), new, keep)

    def create(self, new: Resource, *, replaces: Resource | None = None, diff: Diff | None = None) -> Resource:
        """Make the object. A replaced one is kept for deletion later, unless it is deleted already."""
        manager = self.manager(new)
        operation = _operation("create" if replaces is None else "create-replacement", new, diff)

        def make() -> Resource:
            if manager is None:
                self._created(new, "", Struct())
                self.state.put(new, *self._replaced(replaces))
                return new
            token = self.state.begin("creating", new, replaces)
            try:
                provider_id, outputs = manager.create(new)
            except ProviderError as error:
                if error.partial is None:
                    self.state.end(token)
                    raise
                new.init_errors = tuple(error.reasons)
                self._created(new, error.partial.id, properties.marked_like(error.partial.properties, new.inputs))
                self._end(token, new, replaces)
                raise
            self._created(new, provider_id, outputs)
            self._end(token, new, replaces)
            return new

        return self._perform(operation, new, make)

    def adopt(self, token: int, new: Resource, replaces: Resource | None) -> None:
        """Ask again for an object whose creation was interrupted. Raises ProviderError when it is refused."""
        manager = self.manager(new)
        if manager is None:
            self.state.end(token)
            return
        provider_id, outputs = manager.create(new)
        self._created(new, provider_id, outputs)
        self._end(token, new, replaces)

    @staticmethod
    def _created(new: Resource, provider_id: str, outputs: Struct) -> None:
        new.id = provider_id
        new.outputs = properties.with_secrets(outputs, new.inputs, new.additional_secret_outputs)
        new.created = new.modified = now()

    @staticmethod
    def _replaced(old: Resource | None) -> tuple[Resource, ...]:
        return () if old is None or old.pending_replacement else (replace(old, delete=True),)

    def _end(self, token: int, new: Resource, old: Resource | None) -> None:
        gone = (old,) if old is not None and old.pending_replacement else ()
        self.state.end(token, put=(new, *self._replaced(old)), drop=gone)

    def replaced(self, new: Resource, diff: Diff | None = None) -> None:
        """Tell that the creation and the deletion together are a replacement."""
        self._perform(_operation("replace", new, diff), new, lambda: None)

    def update(self, old: Resource, new: Resource, diff: Diff) -> Resource:
        manager = self.manager(new)
        new.key, new.id, new.created, new.modified = old.key, old.id, old.created, old.modified

        def change() -> Resource:
            if manager is None:
                self.state.put(new)
                return new
            token = self.state.begin("updating", new)
            try:
                outputs = manager.update(old, new)
            except ProviderError as error:
                if error.partial is None:
                    self.state.end(token)
                    raise
                new.init_errors = tuple(error.reasons)
                outputs = properties.marked_like(error.partial.properties, new.inputs)
                # The object was not brought to the new inputs: the next run must see them as a change again.
                half_done = replace(new, inputs=old.inputs, modified=now())
                half_done.outputs = properties.with_secrets(outputs, new.inputs, new.additional_secret_outputs)
                self.state.end(token, put=(half_done,))
                raise
            new.outputs = properties.with_secrets(outputs, new.inputs, new.additional_secret_outputs)
            new.modified = now()
            self.state.end(token, put=(new,))
            return new

        return self._perform(_operation("update", new, diff), new, change)

    def delete(self, old: Resource, op: str, *, deleted: Set[str], await_replacement: bool = False) -> None:
        """Delete the object, or only forget it: an external or retained one, one that goes with another in `deleted`.

        `await_replacement` keeps its place in the state until its successor is created.
        """
        if op == "delete" and old.protect:
            self.recorder.failed_operation(_operation(op, old), 0.0, "protected")
            raise self.fail(
                old.urn,
                f"resource {old.urn!r} cannot be deleted because it is protected; remove `protect` in the program "
                "and run `up`, then delete it",
            )

        def remove() -> None:
            successor = (replace(old, pending_replacement=True),) if await_replacement else ()
            gone = () if await_replacement else (old,)
            untouched = (
                self.preview
                or old.external
                or old.retain_on_delete
                or old.pending_replacement
                or (old.deleted_with and old.deleted_with in deleted)
            )
            manager = None if untouched else self.manager(old)
            if manager is None or old.is_provider:
                self.state.put(*successor)
                self.state.drop(*gone)
                return
            token = self.state.begin("deleting", old)
            try:
                manager.delete(old)
            except ProviderError:
                self.state.end(token)
                raise
            self.state.end(token, put=successor, drop=gone)

        self._perform(_operation(op, old), old, remove)

    def read(self, old: Resource | None, new: Resource, *, op: str = "read") -> Resource:
        """Look an object up that the stack does not own; it must exist."""

        def look() -> Resource:
            if new.id != UNKNOWN:
                reading = self.registry.find(new.provider).read(replace(new, outputs=new.inputs))
                if not reading.id:
                    raise InputError(f"resource {new.id!r} of type {new.type} does not exist")
                if reading.partial is not None:
                    raise reading.partial
                new.id, new.outputs = reading.id, reading.outputs
            new.outputs = properties.with_secrets(new.outputs, new.inputs, new.additional_secret_outputs)
            if old is not None and op == "read":
                new.key, new.created, new.modified = old.key, old.created, old.modified
                if new == old:
                    return old
                if new.inputs != old.inputs or new.outputs != old.outputs:
                    new.modified = now()
            self.state.put(new, *(self._replaced(old) if op != "read" else ()))
            return new

        before = None if old is None else old.outputs
        result = self._perform(_operation(op, new), new, look, counted_as="-")
        if op == "read" and before is not None and result.outputs != before:
            self.recorder.count("read")
        return result

    def unchanged(self, old: Resource) -> None:
        """A refresh of what has no object in a cloud."""
        self._perform(_operation("same", old), old, lambda: None)

    def refresh(self, old: Resource) -> None:
        """Take over what the cloud says of an object; forget one that is gone."""
        began = time.monotonic()
        self.recorder.started(_operation("refresh", old))
        try:
            manager = self.registry.find(old.provider)
            reading = manager.read(old)
            if not reading.id:
                self.state.drop(old)
                self.recorder.done(_operation("delete", old), time.monotonic() - began)
                return
            outputs = properties.with_secrets(reading.outputs, reading.inputs, old.additional_secret_outputs)
            errors = () if reading.partial is None else tuple(reading.partial.reasons)
            new = replace(old, id=reading.id, inputs=reading.inputs, outputs=outputs, init_errors=errors)
            diff = self._drift(manager, old, new)
        except (ProviderError, InputError) as error:
            self.recorder.failed_operation(_operation("refresh", old), time.monotonic() - began, str(error))
            raise self.fail(old.urn, str(error)) from error
        if errors:
            self.recorder.say("warning", "the resource is in an unhealthy state: " + "; ".join(errors), old.urn)
        if new != old:
            if (new.inputs, new.outputs) != (old.inputs, old.outputs):
                new.modified = now()
            self.state.put(new)
        op = "update" if diff.changes else "same"
        self.recorder.done(_operation(op, new, diff), time.monotonic() - began)

    @staticmethod
    def _drift(manager: Manager, old: Resource, new: Resource) -> Diff:
        """What an `up` of the unchanged program would have to mend; an external object is compared by its outputs."""
        if old.external:
            keys = properties.changed_keys(old.outputs, new.outputs)
            return Diff(bool(keys), keys)
        return manager.diff(new, old.inputs, old.ignore_changes)


def _operation(op: str, resource: Resource, diff: Diff | None = None) -> Operation:
    changed, replaced_by = ((), ()) if diff is None else (diff.paths, diff.replaces)
    return Operation(op, resource.urn, resource.type, resource.name, changed, replaced_by)
