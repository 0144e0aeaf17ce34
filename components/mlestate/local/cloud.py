"""The local cloud: one Pulumi resource provider that stands in for `aws`, `gcp` and `azure-native`.

It checks inputs against the SDK's own types and against what the AWS APIs take, knows what replaces a resource, makes
objects with ids and outputs in each cloud's formats and keeps them in a `Store`. The embedded engine calls it in
process; `serve` gives it to Pulumi's own.

What it does not know it says: `Store.unchecked` names the types that went through it without a row of facts (their
outputs are placeholders, and only names, regions and locations replace them), and the requests inside documents that no
compiled model describes. It models no propagation delay, no quota,
no permission, no soft delete (a Key Vault, a Vertex key ring or an Azure ML workspace frees its name at once), and no
contents: a bucket is never too full to be deleted.
"""

import dataclasses
import json
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from mlestate.local import aws, azure, gcp, objects, schema
from mlestate.local.difference import difference
from mlestate.local.faults import Faults, InjectedError
from mlestate.local.objects import CloudFacts, Refusal
from mlestate.local.store import CloudObject, Store, TakenError
from mlestate.local.wire import fill, is_unknown, plain, revealed, struct

CLOUDS: Mapping[str, CloudFacts] = {"aws": aws, "gcp": gcp, "azure-native": azure}

_Context = grpc.ServicerContext
_Failure = provider_pb2.CheckFailure


class LocalCloud(provider_pb2_grpc.ResourceProviderServicer):
    """The provider of one package over a store. Make one for every provider resource: it holds its configuration."""

    def __init__(self, package: str, store: Store, faults: Faults | None = None) -> None:
        """Raises KeyError for a package that is none of the three and InputError for faults that it cannot read."""
        self.package = package
        self.store = store
        self.faults = Faults.from_environment() if faults is None else faults
        self.makes = objects.Maker(package, CLOUDS[package], store)
        self._cancelled = threading.Event()

    # The life of the provider

    def Handshake(self, request: Any, context: _Context) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def Attach(self, request: Any, context: _Context) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: _Context) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=schema.version_of(self.package))

    def GetSchema(self, request: Any, context: _Context) -> provider_pb2.GetSchemaResponse:
        """The name and the version only: programs in Python bring the schema in their SDK."""
        document = {"name": self.package, "version": schema.version_of(self.package)}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(document))

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:
        known = {*schema.provider_type(self.package).fields, "version", "pluginDownloadURL"}
        failures = [
            _Failure(property=key, reason=f"unknown provider setting {key!r}; allowed are {', '.join(sorted(known))}")
            for key in request.news.fields
            if key not in known and not key.startswith("__")
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: _Context) -> provider_pb2.DiffResponse:
        old = request.old_inputs if request.HasField("old_inputs") else request.olds
        return difference(revealed(plain(old)), revealed(plain(request.news)), objects.NOTHING, [])

    def Configure(self, request: provider_pb2.ConfigureRequest, context: _Context) -> provider_pb2.ConfigureResponse:
        self.makes.config = configuration(request)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Cancel(self, request: Any, context: _Context) -> empty_pb2.Empty:
        self._cancelled.set()
        return empty_pb2.Empty()

    # Resources

    def Check(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:
        token = _type(request.urn)
        self._before("check", token, context)
        try:
            kind = self.makes.type(token)
        except schema.UnknownTypeError as error:
            return provider_pb2.CheckResponse(inputs=request.news, failures=[_Failure(reason=str(error))])
        inputs = plain(request.news)
        found = kind.check(inputs)
        failures = [_Failure(property=each.property, reason=each.reason) for each in found]
        response = provider_pb2.CheckResponse(inputs=request.news)
        named: dict[str, Any] = {}
        try:
            named = self.makes.named(token, request, inputs)
        except Refusal as refusal:
            failures.append(_Failure(property=refusal.where, reason=str(refusal)))
        else:
            if named:
                response.inputs.MergeFrom(struct(named))
            if misnamed := self.makes.misnamed(token, {**inputs, **named}):
                failures.append(_Failure(property=misnamed.where, reason=str(misnamed)))
        if not failures:
            refused = CLOUDS[self.package].refused(token, {**inputs, **named})
            failures = [_Failure(property=each.property, reason=each.reason) for each in refused]
        response.failures.extend(failures)
        return response

    def Diff(self, request: provider_pb2.DiffRequest, context: _Context) -> provider_pb2.DiffResponse:
        token = _type(request.urn)
        self._before("diff", token, context)
        self._settle(token, request.id, plain(request.olds))
        old = request.old_inputs if request.HasField("old_inputs") else request.olds
        before, after = revealed(plain(old)), revealed(plain(request.news))
        response = difference(before, after, self.makes.replacement(token), list(request.ignoreChanges))
        if response.replaces:
            response.deleteBeforeReplace = self.makes.fixed_name(token, after)
        return response

    def Create(self, request: provider_pb2.CreateRequest, context: _Context) -> provider_pb2.CreateResponse:
        token = _type(request.urn)
        rule = self._before("create", token, context)
        inputs = plain(request.properties)
        if not self.makes.knows(token):
            self.store.unchecked.add(token)
        self.store.unchecked.update(CLOUDS[self.package].unjudged(token, inputs))
        if request.preview:
            return provider_pb2.CreateResponse(properties=struct(self.makes.preview(token, inputs)))
        try:
            made, properties = self.makes.create(token, request.urn, inputs)
        except TakenError as error:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, self.makes.refusal(token, request.urn, inputs, error.holder))
        except Refusal as refusal:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))
        self.faults.after(rule)
        return provider_pb2.CreateResponse(id=made.id, properties=struct(properties))

    def Read(self, request: provider_pb2.ReadRequest, context: _Context) -> provider_pb2.ReadResponse:
        token = _type(request.urn)
        self._before("read", token, context)
        known_inputs, known = plain(request.inputs), plain(request.properties)
        found = self._settle(token, request.id, known or known_inputs)
        if found is None:
            return provider_pb2.ReadResponse()
        inputs = self.store.unsealed(found.inputs, known_inputs or known)
        properties = self.store.unsealed(found.properties, known or known_inputs)
        return provider_pb2.ReadResponse(id=found.id, inputs=struct(inputs), properties=struct(properties))

    def Update(self, request: provider_pb2.UpdateRequest, context: _Context) -> provider_pb2.UpdateResponse:
        token = _type(request.urn)
        rule = self._before("update", token, context)
        olds = plain(request.olds)
        found = self.makes.find(token, request.id, olds)
        if found is None and request.preview:
            # A preview on a state of another cloud: what the state says is all there is.
            found = CloudObject(
                token, request.id, "", request.urn, None, "", request.urn, plain(request.old_inputs), olds
            )
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{token} {request.id!r} does not exist; refresh the stack")
        before, after = revealed(plain(request.old_inputs)), revealed(plain(request.news))
        if sentence := CLOUDS[self.package].changed(token, before, after):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, sentence)
        properties = self.makes.update(found, plain(request.news), olds, preview=request.preview)
        if not request.preview:
            self.faults.after(rule)
        return provider_pb2.UpdateResponse(properties=struct(properties))

    def Delete(self, request: provider_pb2.DeleteRequest, context: _Context) -> empty_pb2.Empty:
        token = _type(request.urn)
        rule = self._before("delete", token, context)
        found = self.makes.find(token, request.id, plain(request.properties))
        if found is not None:
            if sentence := self.makes.kept(found):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, sentence)
            if found.properties.get("deletionPolicy") != "ABANDON":
                self.store.delete(token, request.id, found.home, within=CLOUDS[self.package].DELETES_WITHIN)
        self.faults.after(rule)
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: _Context) -> provider_pb2.InvokeResponse:
        self._before("invoke", request.tok, context)
        arguments = revealed(plain(request.args))
        answer = CLOUDS[self.package].invoke(request.tok, arguments, self.makes.config)
        if answer is None:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"the local cloud has no data source {request.tok}; give the value in the configuration instead",
            )
        response = provider_pb2.InvokeResponse()
        fill(getattr(response, "return"), answer)  # the field's name is a keyword
        return response

    def Call(self, request: Any, context: _Context) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the local cloud calls no method: {request.tok}")

    def Construct(self, request: Any, context: _Context) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the local cloud builds no remote component: {request.type}")

    def _before(self, operation: str, token: str, context: _Context) -> Mapping[str, Any]:
        if self._cancelled.is_set():
            context.abort(grpc.StatusCode.CANCELLED, "the operation was cancelled")
        try:
            return self.faults.before(operation, token)
        except InjectedError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _settle(self, token: str, identity: str, properties: Mapping[str, Any]) -> CloudObject | None:
        """The object that the engine speaks of, noted as one that it knows."""
        found = self.makes.find(token, identity, properties)
        if found is not None and not found.settled:
            self.store.replace(dataclasses.replace(found, settled=True))
        return found


def configuration(request: provider_pb2.ConfigureRequest) -> dict[str, Any]:
    """The settings of a provider. Engines send what is no string as JSON text; what is not known yet is left out."""
    given = revealed(plain(request.args)) if request.HasField("args") else {
        key.rpartition(":")[2]: value for key, value in request.variables.items()
    }  # fmt: skip
    return {key: _decoded(value) for key, value in given.items() if not is_unknown(value)}


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and (value[:1] in ("[", "{") or value in ("true", "false")):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _type(urn: str) -> str:
    """The type token of a URN: the last of the types between the project and the name."""
    return urn.split("::", 3)[2].rpartition("$")[2]
