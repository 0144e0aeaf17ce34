"""How the tests speak to the local cloud: as an engine does, one request at a time, without an engine."""

from collections.abc import Mapping
from typing import Any, NoReturn, cast

import grpc
from pulumi.runtime.proto import provider_pb2 as pb

from mlestate.local.cloud import LocalCloud
from mlestate.local.faults import Faults
from mlestate.local.store import Store
from mlestate.local.wire import plain, struct
from tests.local.cloud_cases import AWS, BEFORE


class AbortedError(Exception):
    """What a client sees when the servicer aborts."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code, self.details = code, details


class Context:
    """The part of a gRPC context that a servicer uses."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise AbortedError(code, details)


class Made:
    """An object as the engine remembers it."""

    def __init__(self, urn: str, inputs: dict[str, Any], response: pb.CreateResponse) -> None:
        self.urn, self.inputs, self.id = urn, inputs, response.id
        self.outputs = plain(response.properties)


class Caller:
    """One engine's conversation with one provider."""

    def __init__(self, package: str, store: Store | None = None, faults: Faults | None = None, **config: Any) -> None:
        self.store = store or Store.in_memory()
        self.cloud = LocalCloud(package, self.store, faults or Faults())
        self.context = cast(grpc.ServicerContext, Context())  # abort is all that the local cloud calls
        self.cloud.Configure(pb.ConfigureRequest(args=struct(config), acceptSecrets=True), self.context)

    def check(
        self, token: str, name: str, inputs: Mapping[str, Any], olds: Mapping[str, Any] | None = None, **more: Any
    ) -> pb.CheckResponse:
        request = pb.CheckRequest(urn=urn(token, name), news=struct(inputs), **more)
        if olds is not None:
            request.olds.CopyFrom(struct(olds))
        return self.cloud.Check(request, self.context)

    def failures(self, token: str, inputs: Mapping[str, Any]) -> dict[str, str]:
        response = self.check(token, "it", inputs)
        return {failure.property: failure.reason for failure in response.failures}

    def prepare(self, token: str) -> None:
        """Make what must stand before the case of a type can be made."""
        for needed in BEFORE.get(token, ()):
            self.prepare(needed)
            if not any(True for _ in self.store.of(needed)):
                self.create(needed, "before", AWS[needed])

    def create(self, token: str, name: str, inputs: Mapping[str, Any], **more: Any) -> Made:
        if not more.get("preview"):
            self.prepare(token)
        checked = self.check(token, name, inputs)
        assert not checked.failures, f"{token} is refused: {checked.failures}"
        request = pb.CreateRequest(urn=urn(token, name), properties=checked.inputs, **more)
        return Made(request.urn, plain(checked.inputs), self.cloud.Create(request, self.context))

    def read(self, made: Made) -> pb.ReadResponse:
        request = pb.ReadRequest(id=made.id, urn=made.urn, inputs=struct(made.inputs), properties=struct(made.outputs))
        return self.cloud.Read(request, self.context)

    def diff(self, made: Made, inputs: Mapping[str, Any], **more: Any) -> pb.DiffResponse:
        request = pb.DiffRequest(
            id=made.id, urn=made.urn, old_inputs=struct(made.inputs), olds=struct(made.outputs), news=struct(inputs),
            **more,
        )  # fmt: skip
        return self.cloud.Diff(request, self.context)

    def update(self, made: Made, inputs: Mapping[str, Any], *, preview: bool = False) -> dict[str, Any]:
        request = pb.UpdateRequest(
            id=made.id, urn=made.urn, old_inputs=struct(made.inputs), olds=struct(made.outputs), news=struct(inputs),
            preview=preview,
        )  # fmt: skip
        return plain(self.cloud.Update(request, self.context).properties)

    def delete(self, made: Made) -> None:
        self.cloud.Delete(pb.DeleteRequest(id=made.id, urn=made.urn, properties=struct(made.outputs)), self.context)

    def invoke(self, token: str, **arguments: Any) -> dict[str, Any]:
        response = self.cloud.Invoke(pb.InvokeRequest(tok=token, args=struct(arguments)), self.context)
        return plain(getattr(response, "return"))


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::estate::pulumi:pulumi:Stack${token}::{name}"
