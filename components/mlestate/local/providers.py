"""Calling a Pulumi resource provider in the engine's own process, with what Pulumi's engine owes a provider.

The protocol is `proto/pulumi/provider.proto`: secrets are opened for a provider that does not accept them and marked
again on what it answers, references become ids, a preview of a provider that cannot preview answers its inputs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn, Protocol

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb

from mlestate.local import properties
from mlestate.local.paths import covers, parse_path
from mlestate.local.resource import Resource, name_of, type_of

_STATUS_DETAILS: Final = "grpc-status-details-bin"
_INTERNAL: Final = "__internal"
_VERSION: Final = "version"


class ProviderError(Exception):
    """A provider's refusal, in its own words. `partial` is set when the resource exists although the call failed."""

    def __init__(self, message: str, code: grpc.StatusCode, partial: pb.ErrorResourceInitFailed | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.partial = partial

    def __str__(self) -> str:
        return "\n".join([str(self.args[0]), *(f"  * {reason}" for reason in self.reasons)])

    @property
    def reasons(self) -> list[str]:
        return [] if self.partial is None else list(self.partial.reasons)


@dataclass(frozen=True)
class Diff:
    """What a provider says of a change: `paths` changed, `replaces` of them need a new object."""

    changes: bool
    paths: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False

    def replacing_at(self, replace_on_changes: Sequence[str], init_errors: Sequence[str] = ()) -> "Diff":
        """The diff with the changed paths at or below `replace_on_changes` among those that replace.

        A failed initialization counts as a change that only `*` covers.
        """
        if not replace_on_changes or not (self.changes or init_errors):
            return self
        forced = [parse_path(path) for path in replace_on_changes]
        changed = (*self.paths, "#initerror") if init_errors else self.paths
        found = {path for path in changed if any(covers(one, parse_path(path)) for one in forced)}
        return replace(self, replaces=tuple(sorted({*self.replaces, *found})))


@dataclass(frozen=True)
class Checked:
    inputs: Struct
    failures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reading:
    """A resource as it is: `id` is "" when there is none."""

    id: str
    inputs: Struct
    outputs: Struct
    partial: ProviderError | None = None


class Manager(Protocol):
    """Who looks after resources of a type: a provider, or the engine itself for provider resources."""

    def check(self, urn: str, olds: Struct | None, news: Struct, seed: bytes) -> Checked: ...
    def diff(self, old: Resource, news: Struct, ignore_changes: Sequence[str]) -> Diff: ...
    def create(self, resource: Resource) -> tuple[str, Struct]: ...
    def update(self, old: Resource, new: Resource) -> Struct: ...
    def read(self, resource: Resource) -> Reading: ...
    def delete(self, resource: Resource) -> None: ...


class _Context:
    """The part of a gRPC servicer's context that a provider may use when it is called without a wire."""

    def __init__(self) -> None:
        self._code: Any = None
        self._details = ""
        self._trailing: tuple[tuple[str, bytes], ...] = ()

    def abort(self, code: Any, details: str) -> NoReturn:
        raise _error(code, details, self._trailing)

    def abort_with_status(self, status: Any) -> NoReturn:
        raise _error(status.code, status.details, (*self._trailing, *(status.trailing_metadata or ())))

    def set_code(self, code: Any) -> None:
        self._code = code

    def set_details(self, details: str) -> None:
        self._details = details

    def set_trailing_metadata(self, metadata: Any) -> None:
        self._trailing = tuple(metadata)

    def code(self) -> Any:
        return self._code

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> Any:
        return self._trailing

    def invocation_metadata(self) -> Any:
        return ()

    def is_active(self) -> bool:
        return True

    def time_remaining(self) -> None:
        return None

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return False

    def failure(self) -> ProviderError | None:
        if self._code in (None, grpc.StatusCode.OK, 0):
            return None
        return _error(self._code, self._details, self._trailing)


def _error(code: Any, details: str | None, trailing: Any) -> ProviderError:
    partial = None
    for key, value in trailing or ():
        if key == _STATUS_DETAILS:
            for detail in _status(value).details:
                if detail.Is(pb.ErrorResourceInitFailed.DESCRIPTOR):
                    partial = pb.ErrorResourceInitFailed()
                    detail.Unpack(partial)
    return ProviderError(details or str(code), code, partial)


def _status(wire: bytes) -> Any:
    """A google.rpc.Status, of whichever of the two modules that define it is loaded: the second one fails to import."""
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName("google.rpc.Status")
    except KeyError:
        from pulumi.runtime.proto import status_pb2

        descriptor = status_pb2.Status.DESCRIPTOR
    return message_factory.GetMessageClass(descriptor).FromString(wire)


class Provider:
    """One configured instance of a package's provider."""

    def __init__(self, package: str, servicer: Any, *, preview: bool) -> None:
        self.package = package
        self._servicer = servicer
        self._preview = preview
        self._configured = False
        self._accept_secrets = False
        self._accept_resources = False
        self._supports_preview = False
        self._call("Handshake", pb.ProviderHandshakeRequest(engine_address=""), optional=True)

    def _call(self, method: str, request: Any, *, optional: bool = False) -> Any:
        """Answer the provider's response; None when it does not have an `optional` method."""
        context = _Context()
        try:
            response = getattr(self._servicer, method)(request, context)
        except NotImplementedError as error:
            if optional:
                return None
            message = context.details() or f"the {self.package} provider does not do {method}"
            raise ProviderError(message, grpc.StatusCode.UNIMPLEMENTED) from error
        except ProviderError as error:
            failure: ProviderError | None = error
        except grpc.RpcError as error:
            failure = _error(error.code(), error.details(), error.trailing_metadata())
        except Exception as error:  # over a wire, too, gRPC turns any exception of a servicer into a status
            raise ProviderError(
                f"the {self.package} provider failed in {method}: {type(error).__name__}: {error}",
                grpc.StatusCode.UNKNOWN,
            ) from error
        else:
            failure = context.failure()
        if failure is None:
            return response
        if optional and failure.code == grpc.StatusCode.UNIMPLEMENTED:
            return None
        raise failure

    def _sent(self, values: Struct) -> Struct:
        return properties.unmarked(values, secrets=not self._accept_secrets, references=not self._accept_resources)

    def _answered(self, values: Struct, inputs: Struct) -> Struct:
        return values if self._accept_secrets else properties.marked_like(values, inputs)

    def check_config(self, urn: str, olds: Struct | None, news: Struct) -> Checked:
        request = pb.CheckRequest(urn=urn, olds=olds, news=news, name=name_of(urn), type=type_of(urn))
        response = self._call("CheckConfig", request, optional=True)
        return Checked(news) if response is None else _checked(response)

    def diff_config(self, old: Resource, news: Struct, ignore_changes: Sequence[str] = ()) -> Diff:
        request = pb.DiffRequest(
            urn=old.urn,
            id=old.id,
            olds=old.outputs,
            old_inputs=properties.without(old.inputs, _INTERNAL),
            news=news,
            ignoreChanges=ignore_changes,
            name=old.name,
            type=old.type,
        )
        return _diff(self._call("DiffConfig", request, optional=True), old.outputs, news)

    def configure(self, resource: Resource, provider_id: str) -> None:
        """Hand the provider its configuration, unless part of it is not known yet (in a preview)."""
        args = properties.without(resource.inputs, _INTERNAL)
        if properties.has_unknowns(args):
            return
        plain = properties.unmarked(args)
        response = self._call(
            "Configure",
            pb.ConfigureRequest(
                variables=_variables(self.package, plain),
                args=args,
                acceptSecrets=True,
                acceptResources=True,
                sends_old_inputs=True,
                sends_old_inputs_to_delete=True,
                urn=resource.urn,
                id=provider_id,
                name=resource.name,
                type=resource.type,
            ),
        )
        self._configured = True
        self._accept_secrets = response.acceptSecrets
        self._accept_resources = response.acceptResources
        self._supports_preview = response.supportsPreview

    def check(self, urn: str, olds: Struct | None, news: Struct, seed: bytes) -> Checked:
        if not self._configured:
            return Checked(news)
        request = pb.CheckRequest(
            urn=urn,
            olds=None if olds is None else self._sent(olds),
            news=self._sent(news),
            randomSeed=seed,
            name=name_of(urn),
            type=type_of(urn),
        )
        checked = _checked(self._call("Check", request))
        return Checked(self._answered(checked.inputs, news), checked.failures)

    def diff(self, old: Resource, news: Struct, ignore_changes: Sequence[str]) -> Diff:
        if not self._configured:
            return Diff(changes=True)
        request = pb.DiffRequest(
            id=old.id,
            urn=old.urn,
            olds=self._sent(old.outputs),
            news=self._sent(news),
            old_inputs=self._sent(old.inputs),
            ignoreChanges=ignore_changes,
            name=old.name,
            type=old.type,
        )
        new, _ = properties.put_back(news, old.inputs, ignore_changes)
        return _diff(self._call("Diff", request, optional=True), old.inputs, new)

    def create(self, resource: Resource) -> tuple[str, Struct]:
        if self._preview and not self._configured:
            return "", Struct()
        if self._preview and not self._supports_preview:
            return "", resource.inputs
        request = pb.CreateRequest(
            urn=resource.urn,
            properties=self._sent(resource.inputs),
            timeout=resource.custom_timeouts.get("create", 0),
            preview=self._preview,
            name=resource.name,
            type=resource.type,
        )
        response = self._call("Create", request)
        if not response.id and not self._preview:
            raise ProviderError(f"the {self.package} provider gave no id for what it created", grpc.StatusCode.INTERNAL)
        return response.id, self._answered(response.properties, resource.inputs)

    def update(self, old: Resource, new: Resource) -> Struct:
        if self._preview and not self._configured:
            return Struct()
        if self._preview and not self._supports_preview:
            return new.inputs
        request = pb.UpdateRequest(
            id=old.id,
            urn=new.urn,
            olds=self._sent(old.outputs),
            news=self._sent(new.inputs),
            old_inputs=self._sent(old.inputs),
            timeout=new.custom_timeouts.get("update", 0),
            ignoreChanges=new.ignore_changes,
            preview=self._preview,
            name=new.name,
            type=new.type,
        )
        return self._answered(self._call("Update", request).properties, new.inputs)

    def read(self, resource: Resource) -> Reading:
        """The resource as it is in the cloud; a partial failure is part of the answer."""
        if not self._configured:
            return Reading(resource.id, resource.inputs, Struct())
        request = pb.ReadRequest(
            id=resource.id,
            urn=resource.urn,
            properties=self._sent(resource.outputs),
            inputs=self._sent(resource.inputs),
            name=resource.name,
            type=resource.type,
        )
        partial = None
        try:
            response = self._call("Read", request)
        except ProviderError as error:
            if error.partial is None:
                raise
            partial, response = error, error.partial
        inputs = self._answered(response.inputs, resource.inputs) if response.HasField("inputs") else resource.inputs
        return Reading(response.id, inputs, self._answered(response.properties, resource.inputs), partial)

    def delete(self, resource: Resource) -> None:
        request = pb.DeleteRequest(
            id=resource.id,
            urn=resource.urn,
            properties=self._sent(resource.outputs),
            old_inputs=self._sent(resource.inputs),
            timeout=resource.custom_timeouts.get("delete", 0),
            name=resource.name,
            type=resource.type,
        )
        self._call("Delete", request)

    def invoke(self, token: str, args: Struct) -> Any:
        """The provider's InvokeResponse; None when the provider cannot be asked yet (in a preview)."""
        if not self._configured:
            return None
        return self._call("Invoke", pb.InvokeRequest(tok=token, args=self._sent(args), preview=self._preview))


def _checked(response: Any) -> Checked:
    return Checked(response.inputs, tuple((failure.property, failure.reason) for failure in response.failures))


def _diff(response: Any, old: Struct, new: Struct) -> Diff:
    """A DiffResponse; where the provider does not know, whether the properties differ decides."""
    if response is None or (response.changes == pb.DiffResponse.DIFF_UNKNOWN and not response.replaces):
        keys = properties.changed_keys(old, new)
        return Diff(bool(keys), keys)
    kinds = pb.PropertyDiff
    replacing = (kinds.ADD_REPLACE, kinds.DELETE_REPLACE, kinds.UPDATE_REPLACE)
    detailed = dict(response.detailedDiff)
    replaces = set(response.replaces) | {path for path, one in detailed.items() if one.kind in replacing}
    return Diff(
        changes=response.changes != pb.DiffResponse.DIFF_NONE,
        paths=tuple(sorted(detailed or response.diffs)),
        replaces=tuple(sorted(replaces)),
        delete_before_replace=response.deleteBeforeReplace,
    )


def _variables(package: str, plain: Struct) -> Mapping[str, str]:
    """The configuration in the old form, `<package>:config:<key>`, values that are no strings as JSON."""
    values = properties.to_json(plain, lambda text: {"plaintext": text})
    return {
        f"{package}:config:{key}": value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for key, value in values.items()
        if key != _VERSION
    }


def configuration_of(config: Mapping[str, str], secret_config: Sequence[str], package: str, version: str) -> Struct:
    """The inputs of a package's default provider: the stack's configuration under the package's name."""
    inputs = Struct()
    for key, text in sorted(config.items()):
        namespace, _, name = key.replace(":config:", ":").partition(":")
        if namespace == package:
            inputs.fields[name].string_value = text
            if key in secret_config:
                inputs.fields[name].CopyFrom(properties.secret(inputs.fields[name]))
    note_version(inputs, version)
    return inputs


def note_version(inputs: Struct, version: str) -> None:
    """Note a provider's version in its inputs as Pulumi does."""
    if version:
        inputs.fields[_INTERNAL].struct_value.SetInParent()
        inputs.fields[_VERSION].string_value = version
