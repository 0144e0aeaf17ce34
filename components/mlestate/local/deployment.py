"""One run of a program: every registration is compared with the state, and the step that follows is taken at once.

Pulumi's rules (docs/architecture/deployment-execution, pkg/resource/deploy/step_generator.go), with one choice of its
own: after a failure everything that does not depend on it is still done, as with `--continue-on-error`, and nothing is
deleted. Registrations arrive on several threads; what they share is guarded by `_lock`.
"""

import re
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import alias_pb2
from pulumi.runtime.proto import resource_pb2 as pb

from mlestate.errors import InputError
from mlestate.local import properties
from mlestate.local.aliases import earlier_urns
from mlestate.local.analyzers import Analyzers, Verdict
from mlestate.local.events import Recorder
from mlestate.local.markers import UNKNOWN
from mlestate.local.providers import Diff, Manager, ProviderError, configuration_of, note_version
from mlestate.local.registry import Registry
from mlestate.local.replacements import Replacements
from mlestate.local.resource import PROVIDER_PREFIX, STACK_TYPE, Resource, provider_urn, urn_of
from mlestate.local.stack import Stack
from mlestate.local.state import State
from mlestate.local.steps import StepFailed, Steps

_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


class ProgramError(Exception):
    """A registration that no stack can hold: the program has to be changed."""


class Deployment:
    """The registrations of one run against one state."""

    def __init__(
        self,
        stack: Stack,
        *,
        state: State,
        providers: Callable[[str], Any],
        recorder: Recorder,
        preview: bool,
        analyzers: Analyzers | None = None,
    ) -> None:
        self._stack = stack
        self._preview = preview
        self._analyzers = analyzers
        self.recorder = recorder
        self.state = state
        self.registry = Registry(providers, lambda: state.resources, preview)
        self.steps = Steps(state, self.registry, recorder, preview=preview)
        base = state.resources
        self.olds = {resource.urn: resource for resource in base if not resource.delete}
        self._former_providers = {f"{one.urn}::{one.id}": one for one in base if one.is_provider}
        self.news: dict[str, Resource] = {}
        self.outputs: Struct = Struct()
        self.replacements = Replacements(self.steps, self.olds, self.news)
        self._lock = threading.Lock()
        self._default_lock = threading.RLock()
        self._defaults: dict[tuple[str, str], str] = {}
        self._urns: set[str] = set()
        self._matched: dict[str, str] = {}
        self._claimed: set[str] = set()
        self._blocked: set[str] = set()

    @property
    def registered(self) -> Collection[str]:
        """The URNs of the program's resources, and the former URNs of those found under an alias."""
        return {*self.news, *self._claimed}

    def register(self, request: Any) -> Any:
        """Answer a RegisterResourceRequest. Raises ProgramError for one that no stack can hold."""
        urn = self._claim(request.parent, request.type, request.name)
        try:
            new = self._goal(urn, request)
            old = self._old(urn, request.name, request.type, request.parent, _aliases(request))
            if old is not None and old.urn != urn:
                new.aliases = (old.urn,)
            if new.custom and not new.is_provider:
                new.provider = request.provider or self._default_provider(request.type, request.version)
            if self._is_blocked(new):
                self._block(urn)
                return pb.RegisterResourceResponse(urn=urn, result=pb.FAIL)
            new = self._decide(request, old, new)
        except (StepFailed, ProviderError, InputError, ValueError) as error:
            if not isinstance(error, StepFailed):
                self.recorder.say("error", str(error), urn)
            self._block(urn)
            return pb.RegisterResourceResponse(urn=urn, result=pb.FAIL)
        with self._lock:
            self.news[urn] = new
        # The SDK takes a component's properties from its constructor, not from here.
        known_id = "" if new.id == UNKNOWN else new.id
        return pb.RegisterResourceResponse(urn=urn, id=known_id, object=new.outputs if new.custom else None)

    def _claim(self, parent: str, type_: str, name: str) -> str:
        urn = urn_of(self._stack.name, self._stack.project, parent, type_, name)
        with self._lock:
            if parent and parent not in self._urns:
                raise ProgramError(f"resource {name!r} has parent {parent}, which is not registered")
            if urn in self._urns:
                raise ProgramError(f"duplicate resource URN {urn}; give one of the two another name")
            self._urns.add(urn)
        return urn

    def _goal(self, urn: str, request: Any) -> Resource:
        """The resource as the program wants it."""
        inputs = request.object
        is_provider = request.type.startswith(PROVIDER_PREFIX)
        if not request.custom or is_provider:
            inputs = properties.copy(inputs)  # else a provider's answer takes its place
        if is_provider:
            note_version(inputs, request.version)
        timeouts = request.customTimeouts
        return Resource(
            urn=urn,
            type=request.type,
            custom=request.custom,
            inputs=inputs,
            parent=request.parent,
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={
                name: tuple(sorted(dependency.urns))
                for name, dependency in sorted(request.propertyDependencies.items())
            },
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            deleted_with=request.deletedWith,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            custom_timeouts={
                name: _seconds(text)
                for name in ("create", "update", "delete", "read")
                if (text := getattr(timeouts, name))
            },
            ignore_changes=tuple(request.ignoreChanges),
            hide_diff=tuple(request.hideDiffs),
            replace_on_changes=tuple(request.replaceOnChanges),
        )

    def _old(self, urn: str, name: str, type_: str, parent: str, aliases: Any) -> Resource | None:
        """The state of a resource under its URN or an earlier one."""
        with self._lock:
            if urn in self.olds:
                return self.olds[urn]
            if not aliases and parent not in self._matched:
                return None
            for earlier in earlier_urns(
                self._stack.name,
                self._stack.project,
                name=name,
                type_=type_,
                parent=parent,
                aliases=aliases,
                matched=self._matched,
            ):
                if earlier not in self.olds:
                    continue
                if earlier in self._urns or earlier in self._claimed:
                    raise InputError(f"{urn} has alias {earlier}, which another resource of the program is already")
                self._matched[urn] = earlier
                self._claimed.add(earlier)
                return self.olds[earlier]
        return None

    def _default_provider(self, type_: str, version: str) -> str:
        """The reference of a package's default provider, registered when the first resource needs it."""
        package = type_.partition(":")[0]
        found = self._defaults.get((package, version))
        if found is not None:
            return found
        with self._default_lock:
            found = self._defaults.get((package, version))
            if found is None:
                suffix = re.sub(r"[.+-]", "_", version)
                response = self.register(
                    pb.RegisterResourceRequest(
                        type=PROVIDER_PREFIX + package,
                        name=f"default_{suffix}" if version else "default",
                        custom=True,
                        object=configuration_of(self._stack.config, self._stack.secret_config, package, version),
                    )
                )
                found = f"{response.urn}::{response.id or UNKNOWN}"
                self._defaults[package, version] = found
        return found

    def _is_blocked(self, new: Resource) -> bool:
        """Whether something that a resource stands on failed, or was itself held back for that."""
        with self._lock:
            if any(urn in self._blocked for urn in new.references()):
                return True
            any_blocked = bool(self._blocked)
        # An output of what failed can reach a resource through a plain value, with no dependency left on it.
        return any_blocked and not self._preview and properties.has_unknowns(new.inputs)

    def _block(self, urn: str) -> None:
        with self._lock:
            self._blocked.add(urn)

    def _decide(self, request: Any, old: Resource | None, new: Resource) -> Resource:
        manager = self.steps.manager(new)
        recreated = self.replacements.recreated(new.urn)
        owned = None if old is None or old.external or recreated is not None else old
        goal = new.inputs
        if old is not None:
            goal, impossible = properties.put_back(goal, old.inputs, new.ignore_changes)
            if impossible:
                paths = ", ".join(impossible)
                self.recorder.say("info", f"cannot ignore changes in added or removed elements of {paths}", new.urn)
        if manager is not None:
            self._check(manager, new, goal if owned is not None else request.object, owned, salt=old.id if old else "")
        else:
            new.inputs = goal
        self._analyze(new)
        if old is None:
            return self.steps.create(new)
        if recreated is not None:
            self.replacements.mark(new.urn)
            self.steps.replaced(new)
            return self.steps.create(new, replaces=recreated)
        if old.external:
            created = self.steps.create(new, replaces=old)
            self.steps.replaced(new)
            return created
        diff = self._diff(manager, old, new)
        if diff.replaces or old.pending_replacement:
            return self._replace(request, manager, old, new, diff)
        if diff.changes or old.init_errors:
            return self.steps.update(old, new, diff)
        return self.steps.same(old, new)

    def _check(self, manager: Manager, new: Resource, goal: Struct, old: Resource | None, *, salt: str) -> None:
        """Let the manager validate and complete the inputs; `salt` sets a replacement's automatic name apart."""
        inputs = _noted(goal, new) if new.is_provider else goal
        seed = self.state.seed(f"{new.urn}\0{salt}")
        checked = manager.check(new.urn, None if old is None else old.inputs, inputs, seed)
        for property_, reason in checked.failures:
            where = f", property {property_!r}" if property_ else ""
            self.recorder.say("error", f"{new.type} {new.name!r}{where}: {reason}", new.urn)
        if checked.failures:
            raise StepFailed
        new.inputs = checked.inputs

    def _analyze(self, new: Resource) -> None:
        """Ask the policy packs of a resource that was checked; a preview goes on after a violation, an update not."""
        if self._analyzers is None:
            return
        provider = self.news.get(provider_urn(new.provider)) if new.provider else None
        new.inputs, said = self._analyzers.remedied(new, provider)
        if self._heard([*said, *self._analyzers.analyze(new, provider)]) and not self._preview:
            self.recorder.failed = True
            raise StepFailed

    def analyze_stack(self) -> None:
        """Ask the policy packs of all that was registered, when all went well."""
        if self._analyzers is not None:
            self._heard(self._analyzers.analyze_stack(self.news.values()))

    def _heard(self, verdicts: Iterable[Verdict]) -> bool:
        """Tell of verdicts; True when one of them forbids."""
        forbidden = False
        for verdict in verdicts:
            if verdict.mandatory:
                self.recorder.forbid(str(verdict), verdict.urn)
                forbidden = True
            else:
                self.recorder.say("warning", str(verdict), verdict.urn)
        return forbidden

    def _diff(self, manager: Manager | None, old: Resource, new: Resource) -> Diff:
        if new.deleted_with and self.replacements.is_replaced(new.deleted_with):
            return Diff(changes=True, replaces=("deletedWith",))
        if old.provider != new.provider and self._needs_new_provider(old, new):
            return Diff(changes=True, replaces=("provider",))
        if manager is None:
            keys = properties.changed_keys(old.inputs, new.inputs)
            return Diff(bool(keys), keys)
        diff = manager.diff(old, new.inputs, new.ignore_changes)
        return diff.replacing_at(new.replace_on_changes, old.init_errors)

    def _needs_new_provider(self, old: Resource, new: Resource) -> bool:
        """Whether the provider that a resource moves to cannot manage the object of the former one."""
        if not old.provider or not new.provider:
            return True
        before, after = provider_urn(old.provider), provider_urn(new.provider)
        if self._matched.get(after) == before:
            return False
        former, successor = self._former_providers.get(old.provider), self.news.get(after)
        if former is None or successor is None:
            return True
        configuration = properties.without(successor.inputs, "__internal")
        return bool(self.registry.find(new.provider).diff_config(former, configuration).replaces)

    def _replace(self, request: Any, manager: Manager | None, old: Resource, new: Resource, diff: Diff) -> Resource:
        if new.protect and old.protect:
            self.recorder.say(
                "error",
                f"resource {new.urn!r} cannot be replaced because it is protected; remove `protect` first",
                new.urn,
            )
            if not self._preview:
                raise StepFailed
        if manager is not None:
            self._check(manager, new, request.object, None, salt=old.id)
        delete_first = diff.delete_before_replace
        if request.deleteBeforeReplaceDefined:
            delete_first = request.deleteBeforeReplace
        self.replacements.mark(new.urn)
        if not delete_first and not old.pending_replacement:
            created = self.steps.create(new, replaces=old, diff=diff)
            self.steps.replaced(new, diff)
            return created
        deleted = self.replacements.delete_first(old)
        self.steps.replaced(new, diff)
        return self.steps.create(new, replaces=deleted, diff=diff)

    def read(self, request: Any) -> Any:
        """Answer a ReadResourceRequest: an object that the stack looks up and does not own."""
        urn = self._claim(request.parent, request.type, request.name)
        try:
            old = self._old(urn, request.name, request.type, request.parent, ())
            new = Resource(
                urn=urn,
                type=request.type,
                custom=True,
                id=request.id,
                inputs=properties.copy(request.properties),
                parent=request.parent,
                provider=request.provider or self._default_provider(request.type, request.version),
                dependencies=tuple(sorted(request.dependencies)),
                external=True,
                additional_secret_outputs=tuple(request.additionalSecretOutputs),
            )
            if old is not None and old.urn != urn:
                new.aliases = (old.urn,)
            if self._is_blocked(new):
                self._block(urn)
                return pb.ReadResourceResponse(urn=urn, result=pb.FAIL)
            if old is not None and not old.external and old.id != new.id:
                self.replacements.mark(urn)
                new = self.steps.read(old, new, op="read-replacement")
                self.steps.replaced(new)
            else:
                new = self.steps.read(old, new)
        except (StepFailed, ProviderError, InputError) as error:
            if not isinstance(error, StepFailed):
                self.recorder.say("error", str(error), urn)
            self._block(urn)
            return pb.ReadResourceResponse(urn=urn, result=pb.FAIL)
        with self._lock:
            self.news[urn] = new
        return pb.ReadResourceResponse(urn=urn, properties=new.outputs)

    def register_outputs(self, urn: str, outputs: Struct) -> None:
        """Keep what a component or the stack publishes."""
        resource = self.news.get(urn)
        if resource is None:
            return
        outputs = properties.copy(outputs)
        if resource.type == STACK_TYPE:
            if not self._preview and properties.has_unknowns(outputs):
                outputs = _known(outputs, resource.outputs)
            self.outputs = outputs
        if outputs != resource.outputs:
            changed = replace(resource, outputs=outputs)
            self.state.put(changed)
            with self._lock:
                self.news[urn] = changed

    def invoke(self, request: Any) -> Any:
        """Answer a ResourceInvokeRequest. Raises ProviderError in the provider's words."""
        if request.tok == "pulumi:pulumi:getResource":
            return self._get_resource(request.args.fields["urn"].string_value)
        reference = request.provider or self._default_provider(request.tok, request.version)
        with self._lock:
            blocked = provider_urn(reference) in self._blocked
        response = None if blocked else self.registry.find(reference).invoke(request.tok, request.args)
        if response is None:
            return pb.ResourceInvokeResponse(unknown=True)
        fields = {"return": getattr(response, "return"), "failures": response.failures}
        return pb.ResourceInvokeResponse(**fields)

    def _get_resource(self, urn: str) -> Any:
        resource = self.news.get(urn)
        if resource is None:
            raise InputError(f"resource {urn} is not registered")
        found = Struct()
        found.fields["urn"].string_value = urn
        found.fields["id"].string_value = resource.id or UNKNOWN
        found.fields["state"].struct_value.CopyFrom(resource.outputs)
        response = pb.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(found)
        return response


def _noted(goal: Struct, provider: Resource) -> Struct:
    """A provider resource's goal with its version, which travels beside the inputs."""
    if "version" not in provider.inputs.fields:
        return goal
    noted = properties.copy(goal)
    note_version(noted, provider.inputs.fields["version"].string_value)
    return noted


def _aliases(request: Any) -> Any:
    if not request.aliasURNs:
        return request.aliases
    return [*request.aliases, *(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs)]


def _known(outputs: Struct, before: Struct) -> Struct:
    """Outputs of a run that failed: what is not known keeps its former value."""
    known = properties.copy(outputs)
    for key in list(known.fields):
        if any(text in known.fields[key].SerializeToString() for text in properties.UNKNOWN_BYTES):
            if key in before.fields:
                known.fields[key].CopyFrom(before.fields[key])
            else:
                del known.fields[key]
    return known


def _seconds(text: str) -> float:
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(f"custom timeout {text!r} is not a duration; write one such as 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
