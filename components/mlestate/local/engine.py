"""The embedded engine: runs a Pulumi program against providers in the same process, with Pulumi's semantics.

It is a rehearsal, not a rival: what it does not do (import, remote components, transforms, hooks, parameterised
packages, stack references, targets) it refuses by name. Its state is a Pulumi checkpoint (state.py).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from mlestate.local import program as programs
from mlestate.local import properties, removal
from mlestate.local.analyzers import Analyzers, Pack, started
from mlestate.local.deployment import Deployment
from mlestate.local.events import Diagnostic, Event, Operation, OperationDone, OperationStarted, Recorder, Result
from mlestate.local.journal import StateLocked
from mlestate.local.monitor import EngineService, Monitor
from mlestate.local.program import Program
from mlestate.local.stack import Stack
from mlestate.local.state import State

__all__ = [
    "Diagnostic",
    "Engine",
    "Event",
    "Operation",
    "OperationDone",
    "OperationStarted",
    "Program",
    "Result",
    "State",
    "StateLocked",
]

_NO_CONFIG: Final[Mapping[str, str]] = MappingProxyType({})


class Engine:
    """Runs on one stack's state.

    `providers("aws")` answers the servicer of a package, once for each provider resource (make a new one to keep
    explicit providers with different configurations apart), and raises KeyError for a package it does not have.
    `config` is the stack's configuration, `<namespace>:<key>`, of which the keys in `secret_config` are secrets.
    `parallel` bounds the provider calls at one time. `packs` are the policy packs that judge previews and updates.
    `listener` hears every event as it happens, one at a time.

    After a failure, what does not depend on it is still done, as Pulumi does with --continue-on-error, and nothing is
    deleted, as Pulumi does without: what was replaced goes with the next run that succeeds.

    All four runs raise StateLocked when another run holds the state, and let errors of the user's configuration
    through. Everything else that goes wrong is in the Result.
    """

    def __init__(
        self,
        *,
        project: str,
        stack: str,
        state: State,
        providers: Callable[[str], ResourceProviderServicer],
        config: Mapping[str, str] = _NO_CONFIG,
        secret_config: Collection[str] = (),
        organization: str = "organization",
        parallel: int = 16,
        listener: Callable[[Event], None] | None = None,
        packs: Sequence[Pack] = (),
    ) -> None:
        self._stack = Stack(
            project=project,
            name=stack,
            organization=organization,
            config=dict(config),
            secret_config=tuple(secret_config),
            parallel=parallel,
        )
        self._state, self._providers, self._listener = state, providers, listener
        self._packs = packs

    def preview(self, program: Program) -> Result:
        """What `up` would do. Changes nothing."""
        recorder = Recorder(self._listener)
        state = self._state.snapshot()
        if state.pending:
            recorder.say("warning", f"{len(state.pending)} operations were interrupted; the next up settles them")
        return self._run(program, state, recorder, preview=True)

    def up(self, program: Program) -> Result:
        """Bring the stack to what the program says."""
        recorder = Recorder(self._listener)
        with self._state.session():
            return self._run(program, self._state, recorder, preview=False)

    def refresh(self) -> Result:
        """Take over into the state what the providers say of every resource."""
        recorder = Recorder(self._listener)
        with self._state.session():
            deployment = self._deployment(self._state, recorder, preview=False)
            removal.settle_pending(deployment.steps, self._stack.parallel)
            removal.refresh_all(deployment.steps, self._stack.parallel)
        return recorder.result({})

    def destroy(self) -> Result:
        """Delete all that the stack owns."""
        recorder = Recorder(self._listener)
        with self._state.session():
            deployment = self._deployment(self._state, recorder, preview=False)
            removal.settle_pending(deployment.steps, self._stack.parallel)
            removal.remove_unregistered(deployment.steps, (), self._stack.parallel)
        return recorder.result({})

    def _deployment(
        self, state: State, recorder: Recorder, *, preview: bool, analyzers: Analyzers | None = None
    ) -> Deployment:
        return Deployment(
            self._stack,
            state=state,
            providers=self._providers,
            recorder=recorder,
            preview=preview,
            analyzers=analyzers,
        )

    def _run(self, program: Program, state: State, recorder: Recorder, *, preview: bool) -> Result:
        if not preview and state.pending:
            removal.settle_pending(self._deployment(state, recorder, preview=False).steps, self._stack.parallel)
        with started(self._packs) as analyzers:
            if analyzers is not None:
                analyzers.configure(self._stack, preview=preview)
            deployment = self._deployment(state, recorder, preview=preview, analyzers=analyzers)
            monitor = Monitor(deployment, self._stack, preview=preview)
            try:
                programs.run(program, self._stack, monitor=monitor, engine=EngineService(recorder), preview=preview)
            except programs.ProgramFailed as error:
                recorder.say("error", str(error), traceback=error.lines)
            if not recorder.failed:
                removal.remove_unregistered(deployment.steps, deployment.registered, self._stack.parallel)
            if not recorder.failed:
                deployment.analyze_stack()
        return recorder.result(properties.shown(deployment.outputs))
