"""What the SDK talks to while a program runs: Pulumi's ResourceMonitor and Engine services, called in process."""

import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.proto import resource_pb2 as pb

from mlestate.errors import InputError
from mlestate.local.deployment import Deployment, ProgramError
from mlestate.local.events import Recorder
from mlestate.local.providers import ProviderError
from mlestate.local.stack import Stack

_FEATURES: Final = (
    pb.RESOURCE_MONITOR_FEATURE_SECRETS,
    pb.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    pb.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    pb.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
)
_REFUSED_OPTIONS: Final = (  # field of a registration, what users call it
    ("importId", "the `import_` option"),
    ("remote", "remote components"),
    ("packageRef", "parameterised packages"),
    ("transforms", "transforms"),
    ("replace_with", "the `replace_with` option"),
    ("envVarMappings", "the `env_var_mappings` option"),
)
_SEVERITIES: Final = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}


def refusal(what: str) -> str:
    """The sentence for what the embedded engine does not do."""
    return f"the embedded engine does not support {what}; run this program with Pulumi's own engine"


class Refused(grpc.RpcError):
    """An error as the SDK expects it from a service."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._message = message

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.FAILED_PRECONDITION

    def details(self) -> str:
        return self._message


def _refuse(what: str) -> Callable[[Any, Any], NoReturn]:
    def method(_self: Any, _request: Any) -> NoReturn:
        raise Refused(refusal(what))

    return method


class Monitor:
    """The ResourceMonitor service. Its methods are called from several threads."""

    def __init__(
        self,
        deployment: Deployment,
        stack: Stack,
        *,
        preview: bool,
    ) -> None:
        self._deployment = deployment
        self._info = pb.DeploymentInfo(
            project=stack.project,
            stack=stack.name,
            organization=stack.organization,
            config=stack.config,
            configSecretKeys=stack.secret_config,
            dryRun=preview,
            parallel=stack.parallel,
            supportedFeatures=_FEATURES,
        )

    def GetDeploymentInfo(self, _request: Any) -> Any:
        return self._info

    def RegisterResource(self, request: Any) -> Any:
        for field, name in _REFUSED_OPTIONS:
            if getattr(request, field):
                raise Refused(refusal(name))
        if request.HasField("replacement_trigger"):
            raise Refused(refusal("the `replacement_trigger` option"))
        _refuse_built_in(request)
        try:
            return self._deployment.register(request)
        except ProgramError as error:
            raise Refused(str(error)) from error

    def ReadResource(self, request: Any) -> Any:
        if request.packageRef:
            raise Refused(refusal("parameterised packages"))
        _refuse_built_in(request)
        try:
            return self._deployment.read(request)
        except ProgramError as error:
            raise Refused(str(error)) from error

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self._deployment.register_outputs(request.urn, request.outputs)
        return Empty()

    def Invoke(self, request: Any) -> Any:
        try:
            return self._deployment.invoke(request)
        except (ProviderError, InputError) as error:
            raise Refused(str(error)) from error

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:
        return Empty()

    Call = _refuse("methods of remote components")
    ExistsResource = _refuse("asking whether a resource exists")
    RegisterPackage = _refuse("parameterised packages")
    RegisterStackTransform = _refuse("transforms")
    RegisterStackInvokeTransform = _refuse("invoke transforms")
    RegisterResourceHook = _refuse("resource hooks")
    RegisterErrorHook = _refuse("error hooks")


def _refuse_built_in(request: Any) -> None:
    if request.type == "pulumi:pulumi:StackReference":
        raise Refused(refusal("stack references"))


class EngineService:
    """The Engine service: the program's log, and the stack's URN."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._root = ""
        self._lock = threading.Lock()

    def Log(self, request: Any) -> Any:
        severity = _SEVERITIES.get(request.severity)
        if severity is not None:
            self._recorder.say(severity, request.message, request.urn)  # type: ignore[arg-type]  # the table's values
        return Empty()

    def GetRootResource(self, _request: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    RequirePulumiVersion = _refuse("`require_pulumi_version`")
