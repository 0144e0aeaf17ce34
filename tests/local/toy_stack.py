"""A stack of toys: an engine on a state and a toy cloud, and the resource class that programs are written with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from mlestate.local.analyzers import Pack
from mlestate.local.engine import Engine, Event, Program, Result, State
from tests.local.toy_provider import ToyCloud, ToyProvider

Options = pulumi.ResourceOptions
STACK = "urn:pulumi:dev::toys"


class Thing(pulumi.CustomResource):
    """A toy:index:Thing; `type_` makes it another type of the package."""

    arn: pulumi.Output[str]
    token: pulumi.Output[str]

    def __init__(self, name: str, opts: Options | None = None, /, *, type_: str = "Thing", **properties: Any) -> None:
        outputs = {"arn": None, "token": None}
        super().__init__(f"toy:index:{type_}", name, {**outputs, **properties}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: Options | None = None, **properties: Any) -> None:
        super().__init__("my:index:Group", name, properties, opts)


class ToyProviderResource(pulumi.ProviderResource):
    def __init__(self, name: str, opts: Options | None = None, **properties: Any) -> None:
        super().__init__("toy", name, properties, opts)


@dataclass
class ToyStack:
    """One stack; `options` go to every provider instance."""

    state: State = field(default_factory=lambda: State.in_memory(passphrase="a passphrase"))
    cloud: ToyCloud = field(default_factory=ToyCloud)
    options: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    secret_config: tuple[str, ...] = ()
    parallel: int = 8
    packs: Sequence[Pack] = ()
    events: list[Event] = field(default_factory=list)
    instances: list[ToyProvider] = field(default_factory=list)

    def provider(self, package: str) -> ToyProvider:
        if package != "toy":
            raise KeyError(package)
        self.instances.append(ToyProvider(self.cloud, **self.options))
        return self.instances[-1]

    @property
    def engine(self) -> Engine:
        return Engine(
            project="toys",
            stack="dev",
            state=self.state,
            providers=self.provider,
            config=self.config,
            secret_config=self.secret_config,
            parallel=self.parallel,
            listener=self.events.append,
            packs=self.packs,
        )

    def up(self, program: Program, *, fails: bool = False) -> Result:
        return self._ended(self.engine.up(program), fails)

    def preview(self, program: Program, *, fails: bool = False) -> Result:
        return self._ended(self.engine.preview(program), fails)

    def refresh(self) -> Result:
        return self._ended(self.engine.refresh(), fails=False)

    def destroy(self, *, fails: bool = False) -> Result:
        return self._ended(self.engine.destroy(), fails)

    @staticmethod
    def _ended(result: Result, fails: bool) -> Result:
        told = [(one.message, *one.traceback) for one in result.diagnostics]
        assert result.failed == fails, f"the run {'succeeded' if fails else 'failed'}: {told}"
        return result

    def resources(self) -> dict[str, dict[str, Any]]:
        """The checkpoint's resources by name; of two with one name the one that stays."""
        stored = self.state.export(show_secrets=True)["deployment"].get("resources", [])
        return {one["urn"].rsplit("::", 1)[-1]: one for one in reversed(stored) if not one.get("delete")}


def steps(result: Result) -> list[tuple[str, str]]:
    """Operations that did something, by name, in their order."""
    return [(one.op, one.name) for one in result.operations if one.op != "same"]


def messages(result: Result, severity: str = "error") -> list[str]:
    return [one.message for one in result.diagnostics if one.severity == severity]
