"""A small real provider: things kept in a cloud of its own, in memory or in a file, with every answer an engine meets.

What a thing does is in its inputs: `kind` replaces, `deleteFirst` makes the provider ask for delete-before-replace,
`fail` refuses a call with the given words, `broken` creates it and then fails its initialization, `secret` is an
input that comes back as an output. `name` is unique in the cloud and made up from the seed when it is left out.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class ToyCloud:
    """What exists, and every call that was made. With a path it survives the process."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.things: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.requests: list[tuple[str, Any]] = []
        self.count = 0
        self.barrier: threading.Barrier | None = None
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            self.things, self.count = kept["things"], kept["count"]

    def save(self) -> None:
        if self.path is not None:
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps({"things": self.things, "count": self.count}))
            new.replace(self.path)

    def called(self, method: str) -> list[str]:
        return [name for called, name in self.calls if called == method]

    def names(self) -> list[str]:
        return sorted(thing["name"] for thing in self.things.values())


def plain(properties: Struct) -> dict[str, Any]:
    return MessageToDict(properties)


def to_struct(values: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(dict(values))
    return struct


class ToyProvider(ResourceProviderServicer):
    """One instance a provider resource. `kill` is `(method, when, thing)`: SIGKILL to this process at that moment."""

    def __init__(
        self,
        cloud: ToyCloud,
        *,
        accept_secrets: bool = False,
        supports_preview: bool = True,
        kill: tuple[str, str, str] | None = None,
    ) -> None:
        self.cloud = cloud
        self.accept_secrets, self.supports_preview, self.kill = accept_secrets, supports_preview, kill
        self.config: dict[str, Any] = {}

    def _called(self, method: str, request: Any) -> str:
        name = str(request.urn).rsplit("::", 1)[-1]
        with self.cloud.lock:
            self.cloud.calls.append((method, name))
            self.cloud.requests.append((method, request))
        return name

    def _moment(self, method: str, when: str, name: str) -> None:
        if self.kill == (method, when, name):
            os.kill(os.getpid(), signal.SIGKILL)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        if "bad" in request.news.fields:
            failure = pb.CheckFailure(property="bad", reason="the toy cloud has no such setting")
            return pb.CheckResponse(failures=[failure])
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = plain(request.old_inputs), plain(request.news)
        changed = [key for key in {*old, *new} if old.get(key) != new.get(key)]
        replaces = [key for key in changed if key == "account"]
        return pb.DiffResponse(
            changes=pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replaces,
        )

    def Configure(self, request: Any, context: Any) -> Any:
        self._called("Configure", request)
        self.config = {
            key: value["value"] if isinstance(value, dict) else value for key, value in plain(request.args).items()
        }
        return pb.ConfigureResponse(acceptSecrets=self.accept_secrets, supportsPreview=self.supports_preview)

    def Check(self, request: Any, context: Any) -> Any:
        self._called("Check", request)
        inputs = Struct()
        inputs.CopyFrom(request.news)
        if "colour" in inputs.fields and inputs.fields["colour"].string_value == "invisible":
            failure = pb.CheckFailure(property="colour", reason="a thing must be seen; use red or blue")
            return pb.CheckResponse(failures=[failure])
        if "name" not in inputs.fields:
            old = request.olds.fields["name"].string_value if "name" in request.olds.fields else ""
            inputs.fields["name"].string_value = old or f"{request.name}-{request.randomSeed.hex()[:7]}"
        return pb.CheckResponse(inputs=inputs)

    def Diff(self, request: Any, context: Any) -> Any:
        self._called("Diff", request)
        old, new = plain(request.old_inputs), plain(request.news)
        if request.type == "toy:index:Vague":
            return pb.DiffResponse(changes=pb.DiffResponse.DIFF_UNKNOWN)
        ignored = set(request.ignoreChanges)
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key) and key not in ignored)
        replaces = [key for key in changed if key in ("kind", "name")]
        return pb.DiffResponse(
            changes=pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replaces,
            deleteBeforeReplace=bool(new.get("deleteFirst")),
            hasDetailedDiff=True,
            detailedDiff={
                path: pb.PropertyDiff(
                    kind=pb.PropertyDiff.UPDATE_REPLACE if path in replaces else pb.PropertyDiff.UPDATE
                )
                for path in _paths(changed, old, new)
            },
        )

    def _outputs(self, inputs: Struct, thing_id: str) -> Struct:
        outputs = Struct()
        outputs.CopyFrom(inputs)
        outputs.fields["arn"].string_value = f"toy:{self.config.get('region', 'nowhere')}:{thing_id}"
        outputs.fields["token"].string_value = f"token of {thing_id}"
        return outputs

    def Create(self, request: Any, context: Any) -> Any:
        name = self._called("Create", request)
        if request.preview:
            outputs = Struct()
            outputs.CopyFrom(request.properties)
            outputs.fields["arn"].string_value = outputs.fields["token"].string_value = UNKNOWN
            return pb.CreateResponse(properties=outputs)
        if self.cloud.barrier is not None:
            self.cloud.barrier.wait()
        self._moment("create", "before", name)
        inputs = plain(request.properties)
        if "fail" in inputs:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, inputs["fail"])
        if inputs.get("crash"):
            raise ZeroDivisionError("the provider has a bug")
        with self.cloud.lock:
            thing_id = self._existing(request.urn, inputs)
            if thing_id is None:
                if inputs["name"] in self.cloud.names():
                    context.abort(grpc.StatusCode.ALREADY_EXISTS, f"a thing named {inputs['name']} exists")
                self.cloud.count += 1
                thing_id = f"{name}-{self.cloud.count}"
                made = {"urn": request.urn, "name": inputs["name"], "inputs": inputs, "drift": {}}
                self.cloud.things[thing_id] = made
                self.cloud.save()
        self._moment("create", "after", name)
        outputs = self._outputs(request.properties, thing_id)
        if inputs.get("broken"):
            context.abort_with_status(_Partial(thing_id, outputs, ["it does not answer"]))
        return pb.CreateResponse(id=thing_id, properties=outputs)

    def _existing(self, urn: str, inputs: dict[str, Any]) -> str | None:
        """The thing that an interrupted creation of the same resource left behind."""
        for thing_id, thing in self.cloud.things.items():
            if (thing["urn"], thing["inputs"]) == (urn, inputs):
                return thing_id
        return None

    def Read(self, request: Any, context: Any) -> Any:
        self._called("Read", request)
        thing = self.cloud.things.get(request.id)
        if thing is None:
            return pb.ReadResponse()
        inputs = to_struct({**thing["inputs"], **thing["drift"]})
        outputs = self._outputs(inputs, request.id)
        if "unhealthy" in thing["drift"]:
            context.abort_with_status(_Partial(request.id, outputs, [thing["drift"]["unhealthy"]], inputs))
        return pb.ReadResponse(id=request.id, inputs=inputs, properties=outputs)

    def Update(self, request: Any, context: Any) -> Any:
        name = self._called("Update", request)
        if request.preview:
            return pb.UpdateResponse(properties=self._outputs(request.news, request.id))
        self._moment("update", "before", name)
        inputs = plain(request.news)
        if "fail" in inputs:
            context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
            context.set_details(inputs["fail"])
            return pb.UpdateResponse()
        with self.cloud.lock:
            thing = self.cloud.things[request.id]
            thing.update(inputs=inputs, drift={})
            self.cloud.save()
        self._moment("update", "after", name)
        outputs = self._outputs(request.news, request.id)
        if inputs.get("broken"):
            context.abort_with_status(_Partial(request.id, outputs, ["it does not answer"]))
        return pb.UpdateResponse(properties=outputs)

    def Delete(self, request: Any, context: Any) -> Any:
        name = self._called("Delete", request)
        self._moment("delete", "before", name)
        if plain(request.properties).get("undeletable"):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{name} is in use")
        with self.cloud.lock:
            self.cloud.things.pop(request.id, None)
            self.cloud.save()
        self._moment("delete", "after", name)
        return Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        args = plain(request.args)
        if request.tok != "toy:index:getThing":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the toy cloud has no function {request.tok}")
        if "name" not in args:
            return pb.InvokeResponse(failures=[pb.CheckFailure(property="name", reason="is required")])
        response = pb.InvokeResponse()
        getattr(response, "return").update({"arn": f"toy:{self.config.get('region', 'nowhere')}:{args['name']}"})
        return response


def _paths(changed: list[str], old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The changed property paths, one step into objects."""
    paths = []
    for key in changed:
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            paths += [f"{key}.{name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        else:
            paths.append(key)
    return paths


class _Partial(grpc.Status):
    """The status of a resource that exists and did not start."""

    code = grpc.StatusCode.UNKNOWN
    details = "initialization failed"

    def __init__(self, thing_id: str, outputs: Struct, reasons: list[str], inputs: Struct | None = None) -> None:
        status = status_pb2.Status(code=2, message=self.details)
        status.details.add().Pack(
            pb.ErrorResourceInitFailed(id=thing_id, properties=outputs, reasons=reasons, inputs=inputs)
        )
        self.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)
