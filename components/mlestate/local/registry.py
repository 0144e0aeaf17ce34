"""The provider instances of one run: one for each provider resource, default or explicit, old or new."""

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct

from mlestate.errors import InputError
from mlestate.local import properties
from mlestate.local.markers import UNKNOWN
from mlestate.local.providers import Checked, Diff, Provider, Reading, note_version
from mlestate.local.resource import PROVIDER_PREFIX, Resource, provider_urn, type_of

_INTERNAL: Final = "__internal"


class Registry:
    """Looks after provider resources themselves (their check, diff and configuration) and finds their instances.

    `factory("aws")` is asked for a servicer once for each provider resource; a KeyError becomes a clear InputError.
    """

    def __init__(
        self, factory: Callable[[str], Any], resources: Callable[[], Sequence[Resource]], preview: bool
    ) -> None:
        self._factory = factory
        self._resources = resources
        self._preview = preview
        self._lock = threading.RLock()
        self._unconfigured: dict[str, Provider] = {}
        self._by_reference: dict[str, Provider] = {}

    def find(self, reference: str) -> Provider:
        """The instance behind a reference; one that is only in the state is configured from there."""
        with self._lock:
            found = self._by_reference.get(reference)
            if found is not None:
                return found
            urn = provider_urn(reference)
            for resource in self._resources():
                if resource.urn == urn and reference == f"{urn}::{resource.id}":
                    return self.configure(resource, resource.id)
        raise InputError(f"provider {reference} is neither in the program nor in the state")

    def configure(self, resource: Resource, provider_id: str) -> Provider:
        """The configured instance of a provider resource."""
        reference = f"{resource.urn}::{provider_id}"
        with self._lock:
            found = self._by_reference.get(reference)
            if found is None:
                found = self._unconfigured.pop(resource.urn, None) or self._load(resource.urn)
                found.configure(resource, provider_id)
                self._by_reference[reference] = found
            return found

    def _load(self, urn: str) -> Provider:
        package = type_of(urn).removeprefix(PROVIDER_PREFIX)
        try:
            servicer = self._factory(package)
        except KeyError as error:
            raise InputError(f"there is no provider for package {package!r} here") from error
        return Provider(package, servicer, preview=self._preview)

    def _checked(self, urn: str) -> Provider:
        with self._lock:
            if urn not in self._unconfigured:
                self._unconfigured[urn] = self._load(urn)
            return self._unconfigured[urn]

    def check(self, urn: str, olds: Struct | None, news: Struct, seed: bytes) -> Checked:
        configuration = properties.without(news, _INTERNAL)
        before = None if olds is None else properties.without(olds, _INTERNAL)
        checked = self._checked(urn).check_config(urn, before, configuration)
        if checked.failures:
            return checked
        inputs = properties.copy(checked.inputs)
        if "version" in news.fields:
            note_version(inputs, news.fields["version"].string_value)
        return Checked(inputs)

    def diff(self, old: Resource, news: Struct, ignore_changes: Sequence[str]) -> Diff:
        return self._checked(old.urn).diff_config(old, properties.without(news, _INTERNAL), ignore_changes)

    def create(self, resource: Resource) -> tuple[str, Struct]:
        provider_id = UNKNOWN if self._preview else str(uuid.uuid4())
        self.configure(resource, provider_id)
        return provider_id, properties.without(resource.inputs, _INTERNAL)

    def update(self, old: Resource, new: Resource) -> Struct:
        with self._lock:
            self._by_reference.pop(f"{new.urn}::{old.id}", None)
            self.configure(new, old.id)
        return properties.without(new.inputs, _INTERNAL)

    def read(self, resource: Resource) -> Reading:
        return Reading(resource.id, resource.inputs, resource.outputs)

    def delete(self, resource: Resource) -> None:
        """A provider resource is nothing but its place in the state."""
