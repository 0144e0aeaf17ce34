"""Policy packs under the embedded engine: each a process of its own, asked over gRPC as Pulumi's engine asks it.

Pulumi's order (pkg/resource/deploy/step_generator.go): remediations first, one pack after the other, then every pack's
verdict over the resource's checked inputs; at the end, when all went well, every pack's verdict over all outputs. In a
preview mandatory violations are collected and fail it in the end; in an update the first fails its resource.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any, Final

import grpc
import yaml
from google.protobuf.empty_pb2 import Empty as Nothing
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2 as pb
from pulumi.runtime.proto import analyzer_pb2_grpc

from mlestate.errors import InputError
from mlestate.local.resource import Resource, provider_urn
from mlestate.local.stack import Stack

__all__ = ["Analyzers", "Pack", "Verdict", "started"]

LEVELS: Final[Mapping[str, Any]] = {
    "advisory": pb.ADVISORY,
    "mandatory": pb.MANDATORY,
    "disabled": pb.DISABLED,
    "remediate": pb.REMEDIATE,
}
_SECONDS_TO_START: Final = 60
_NO_LIMIT: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@dataclass(frozen=True)
class Pack:
    """A policy pack as it was asked for: its folder, and the file that configures it."""

    folder: Path
    configuration: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """What a policy said. `urn` is empty when it is told of the whole stack."""

    mandatory: bool
    pack: str
    policy: str
    message: str
    urn: str

    def __str__(self) -> str:
        level = "mandatory" if self.mandatory else "advisory"
        return f"[{level}] {self.pack} {self.policy}: {': '.join(self.message.splitlines())}"


class Analyzers:
    """The packs of a run."""

    def __init__(self, running: Sequence["_Running"]) -> None:
        self._running = running

    def configure(self, stack: Stack, *, preview: bool) -> None:
        """Tell every pack which stack it is and what its configuration is.

        Raises:
            InputError: a pack refuses its configuration.
        """
        request = pb.AnalyzerStackConfigureRequest(
            stack=stack.name, project=stack.project, organization=stack.organization, dry_run=preview
        )
        for each in self._running:
            each.configure(request)

    def remedied(self, resource: Resource, provider: Resource | None) -> tuple[Struct, list[Verdict]]:
        """The inputs after every remediation, and what was done or could not be."""
        inputs, said = resource.inputs, []
        for each in self._running:
            for remediation in each.remediate(_request(resource, inputs, provider)):
                done = not remediation.diagnostic
                message = "remediated" if done else remediation.diagnostic
                said.append(Verdict(False, each.name, remediation.policyName, message, resource.urn))
                inputs = remediation.properties if done else inputs
        return inputs, said

    def analyze(self, resource: Resource, provider: Resource | None) -> list[Verdict]:
        """What the packs say of a resource's inputs."""
        request = _request(resource, resource.inputs, provider)
        return [verdict for each in self._running for verdict in each.analyze(request)]

    def analyze_stack(self, resources: Iterable[Resource]) -> list[Verdict]:
        """What the packs say of all resources' outputs."""
        known = {resource.urn: resource for resource in resources}
        request = pb.AnalyzeStackRequest(
            resources=[_stack_resource(each, known.get(provider_urn(each.provider))) for each in known.values()]
        )
        return [verdict for each in self._running for verdict in each.analyze_stack(request)]


@contextmanager
def started(packs: Sequence[Pack]) -> Iterator[Analyzers | None]:
    """Start every pack, and end it in the end; None when there is none.

    Raises:
        InputError: a folder holds no pack that can run, or a configuration cannot hold.
    """
    with ExitStack() as stack:
        yield Analyzers([stack.enter_context(_running(pack)) for pack in packs]) if packs else None


class _Running:
    def __init__(self, pack: Pack, stub: Any) -> None:
        self._stub = stub
        self._pack = pack
        self._info = self._call("GetAnalyzerInfo", Nothing())
        self.name: str = self._info.name

    def configure(self, request: pb.AnalyzerStackConfigureRequest) -> None:
        self._call("ConfigureStack", request)
        self._call("Configure", pb.ConfigureAnalyzerRequest(policyConfig=_configuration(self._info, self._pack)))

    def remediate(self, request: pb.AnalyzeRequest) -> Any:
        return self._call("Remediate", request).remediations

    def analyze(self, request: pb.AnalyzeRequest) -> list[Verdict]:
        return [self._verdict(each, each.urn or request.urn) for each in self._call("Analyze", request).diagnostics]

    def analyze_stack(self, request: pb.AnalyzeStackRequest) -> list[Verdict]:
        return [self._verdict(each, each.urn) for each in self._call("AnalyzeStack", request).diagnostics]

    def _verdict(self, found: Any, urn: str) -> Verdict:
        mandatory = found.enforcementLevel in (pb.MANDATORY, pb.REMEDIATE)
        return Verdict(mandatory, self.name, found.policyName, found.message, urn)

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            said = getattr(error, "details", error.__str__)()
            raise InputError(f"--policy-pack {self._pack.folder}: {said}") from error


@contextmanager
def _running(pack: Pack) -> Iterator[_Running]:
    folder = pack.folder.resolve()
    with TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [_interpreter(pack.folder), "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            port = _port(process, pack.folder, errors)
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=_NO_LIMIT) as channel:
                yield _Running(pack, analyzer_pb2_grpc.AnalyzerStub(channel))
        finally:
            process.terminate()
            process.wait()
            assert process.stdout is not None  # noqa: S101  a pipe was asked for
            process.stdout.close()


def _interpreter(folder: Path) -> str:
    """The Python of a pack: the virtual environment that it names, else this one.

    Raises:
        InputError: the folder holds no pack, or none that is written in Python.
    """
    described = folder / "PulumiPolicy.yaml"
    try:
        document = yaml.safe_load(described.read_text())
    except OSError as error:
        raise InputError(f"--policy-pack {folder}: is no policy pack: there is no PulumiPolicy.yaml in it") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"--policy-pack {folder}: PulumiPolicy.yaml cannot be read as YAML") from error
    runtime = document.get("runtime") if isinstance(document, dict) else None
    name, options = (runtime.get("name"), runtime.get("options")) if isinstance(runtime, dict) else (runtime, None)
    if name != "python":
        raise InputError(
            f"--policy-pack {folder}: its runtime is {name!r}; the embedded engine runs packs in python, "
            "Pulumi's own engine runs all"
        )
    environment = options.get("virtualenv") if isinstance(options, dict) else None
    if environment is None:
        return sys.executable
    python = folder / str(environment) / "bin" / "python"
    if not python.is_file():
        raise InputError(f"--policy-pack {folder}: its virtualenv {environment!r} holds no Python; run: pulumi install")
    return str(python)


def _port(process: "subprocess.Popen[str]", folder: Path, errors: IO[str]) -> int:
    """The first line that a pack prints.

    Raises:
        InputError: it ended, printed something else, or is silent for a minute.
    """
    first: Queue[str] = Queue()
    stdout = process.stdout
    assert stdout is not None  # noqa: S101  a pipe was asked for
    Thread(target=lambda: first.put(stdout.readline()), daemon=True).start()
    try:
        line = first.get(timeout=_SECONDS_TO_START).strip()
    except Empty:
        raise InputError(f"--policy-pack {folder}: did not start within {_SECONDS_TO_START} seconds") from None
    if line.isdigit():
        return int(line)
    process.terminate()
    process.wait()
    errors.seek(0)
    said = [each.strip() for each in errors.read().splitlines() if each.strip()]
    why = line or (said[-1] if said else "it ended without a word")
    raise InputError(f"--policy-pack {folder}: does not start: {why}")


def _configuration(info: Any, pack: Pack) -> dict[str, pb.PolicyConfig]:
    """What Pulumi's engine hands a pack: every policy with its level and settings, those of the file last."""
    found = {
        policy.name: pb.PolicyConfig(enforcementLevel=policy.enforcementLevel, properties=_defaults(policy))
        for policy in info.policies
    }
    for name, config in info.initialConfig.items():
        found.setdefault(name, pb.PolicyConfig()).MergeFrom(config)
    given = _given(pack)
    everywhere = given.pop("all", {}).pop("enforcementLevel", None)
    if everywhere:
        for config in found.values():
            config.enforcementLevel = LEVELS[everywhere]
    for name, settings in given.items():
        level = settings.pop("enforcementLevel", None)
        if name not in found and level is None:
            raise InputError(
                f"--policy-pack-config {pack.configuration}: {name}: no policy of {info.name} is called so"
            )
        config = found.setdefault(name, pb.PolicyConfig())
        if level is not None:
            config.enforcementLevel = LEVELS[level]
        config.properties.update(settings)
    return found


def _given(pack: Pack) -> dict[str, dict[str, Any]]:
    file = pack.configuration
    if file is None:
        return {}
    try:
        document = json.loads(file.read_text())
    except OSError as error:
        raise InputError(f"--policy-pack-config {file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"--policy-pack-config {file}: is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"--policy-pack-config {file}: is no object; a configuration is {{policy: level, ...}}")
    given: dict[str, dict[str, Any]] = {}
    for name, value in document.items():
        settings = {"enforcementLevel": value} if isinstance(value, str) else value
        if not isinstance(settings, dict):
            raise InputError(f"--policy-pack-config {file}: {name} is {value!r}; a level or an object is needed")
        level = settings.get("enforcementLevel", "advisory")
        if not isinstance(level, str) or level not in LEVELS:
            raise InputError(
                f"--policy-pack-config {file}: {name}: the level is {level!r}; allowed are {', '.join(LEVELS)}"
            )
        given[name] = settings
    return given


def _defaults(policy: Any) -> Struct:
    properties = Struct()
    for name, schema in MessageToDict(policy.configSchema.properties).items():
        if isinstance(schema, dict) and "default" in schema:
            properties[name] = schema["default"]
    return properties


def _request(resource: Resource, inputs: Struct, provider: Resource | None) -> pb.AnalyzeRequest:
    return pb.AnalyzeRequest(
        type=resource.type,
        properties=inputs,
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
        provider=_provider(provider),
    )


def _stack_resource(resource: Resource, provider: Resource | None) -> pb.AnalyzerResource:
    return pb.AnalyzerResource(
        type=resource.type,
        properties=resource.outputs,
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
        provider=_provider(provider),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies={
            key: pb.AnalyzerPropertyDependencies(urns=urns) for key, urns in resource.property_dependencies.items()
        },
    )


def _options(resource: Resource) -> pb.AnalyzerResourceOptions:
    return pb.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        parent=resource.parent,
    )


def _provider(provider: Resource | None) -> pb.AnalyzerProviderResource | None:
    if provider is None:
        return None
    return pb.AnalyzerProviderResource(
        type=provider.type, properties=provider.inputs, urn=provider.urn, name=provider.name
    )
