"""A program on the local cloud: where its state lies, which engine runs it, and how the two engines meet."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import provider_pb2_grpc

from mlestate.config import load
from mlestate.config.estate import Estate as EstateSettings
from mlestate.errors import InputError
from mlestate.estate import cloud_for, slices
from mlestate.local.analyzers import Pack
from mlestate.local.cloud import CLOUDS, LocalCloud
from mlestate.local.engine import Engine, Event, Result
from mlestate.local.faults import Faults
from mlestate.local.resource import described
from mlestate.local.state import State
from mlestate.local.store import Store

__all__ = [
    "HOMES",
    "PASSPHRASE",
    "PROJECT",
    "Rehearsal",
    "Session",
    "check",
    "program",
    "rehearse",
    "settings",
    "stand_in",
]

PROJECT = "mlestate"
"""The name in ``stacks/Pulumi.yaml``, and so in every URN."""

PASSPHRASE = "local"  # noqa: S105  it guards nothing real: the local cloud's secrets are placeholders
"""What encrypts the secrets of a local stack, under both engines."""

HOMES: Mapping[str, str] = {
    "aws": "000000000000",
    "gcp": "local-project",
    "azure": "00000000-0000-0000-0000-000000000000",
}
"""What stands in for an account, project or subscription that the estate file leaves out; no real one has these ids."""

_ACCOUNTS: Mapping[str, tuple[str, str]] = {
    "pulumi:providers:aws": ("aws", "allowedAccountIds"),
    "pulumi:providers:gcp": ("gcp", "project"),
    "pulumi:providers:azure-native": ("azure", "subscriptionId"),
}
"""The cloud of a provider's resource type, and the input that says where it works."""

Listener = Callable[[Event], None]


def program() -> Path:
    """The folder of the Pulumi program: beside the package in a checkout, inside it in an installed distribution."""
    package = Path(__file__).parents[1]
    for folder in (package / "stacks", package.parents[1] / "stacks"):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise InputError(f"the Pulumi program `stacks/` is missing beside {package}; install mlestate again")


def settings(estate: Path, scope: str | None, homes: Mapping[str, str] = HOMES) -> dict[str, str]:
    """The stack's configuration, as Pulumi hands it to the program: strings, objects as JSON.

    Every `secret:<key>` of the file gets an address that leads nowhere: a rehearsal needs no secret.
    """
    return {
        **{f"mlestate:{key}": f"https://stand-in.invalid/{key}" for key in _secrets(estate)},
        "aws:allowedAccountIds": json.dumps([homes["aws"]]),
        "gcp:project": homes["gcp"],
        "azure-native:subscriptionId": homes["azure"],
        "mlestate:estate": str(estate.resolve()),
        **({"mlestate:scope": scope} if scope else {}),
    }


def _secrets(estate: Path) -> set[str]:
    """The keys that the file names as secrets. A file that cannot be read is told of where it is loaded."""
    try:
        return set(re.findall(r"\bsecret:([A-Za-z][A-Za-z0-9_.-]*)", estate.read_text()))
    except (OSError, UnicodeDecodeError):
        return set()


def check(estate: Path, scope: str | None) -> EstateSettings:
    """Refuse what would only fail in the program: a wrong file, a slice that is not there, an SDK that is missing.

    Raises:
        InputError: with all of the file's mistakes, or the one sentence.
    """
    config = load(estate, homes=HOMES).config
    slices(config, scope)
    cloud_for(config)
    return config


def stand_in(config: EstateSettings, scope: str | None) -> str | None:
    """What stands in for an account that the file leaves out, as a sentence; None where the file leaves out none."""
    home = HOMES[config.cloud]
    if home not in slices(config, scope).values():
        return None
    return f"The {config.home_word} {home} stands in for the one that the file leaves out."


@dataclass(frozen=True)
class Rehearsal:
    """What was done, the state behind it, and which resource types the local cloud knows by the SDK's types alone."""

    result: Result
    state: State
    unchecked: frozenset[str]


def rehearse(
    estate: Path,
    scope: str | None = None,
    *,
    against: Mapping[str, Any] | None = None,
    origin: str = "the state",
    listener: Listener | None = None,
) -> Rehearsal:
    """Run the program into an empty local cloud in memory: an ``up``, or a preview against an exported state.

    Nothing is read from or written to any cloud or folder.

    Raises:
        InputError: the exported state cannot be read; the sentence begins with `origin`, the name of its file.
    """
    state, store = State.in_memory(), Store.in_memory()
    stack, homes = "plan", HOMES
    if against is not None:
        state.import_(against, origin)
        stack, homes = _stack_of(against, origin)
    engine = Engine(
        project=PROJECT,
        stack=stack,
        state=state,
        providers=_providers(store),
        config=settings(estate, scope, homes),
        listener=listener,
    )
    run = engine.up if against is None else engine.preview
    return Rehearsal(run(program()), state, frozenset(store.unchecked))


@dataclass(frozen=True)
class Session:
    """A Pulumi program with a stack's configuration, and the folder that holds the local cloud and its state."""

    program: Path
    config: Mapping[str, str]
    folder: Path
    stack: str

    @classmethod
    def of(cls, estate: Path, folder: Path, scope: str | None = None) -> "Session":
        """The session of an estate file; the stack is named after the slice, or ``local`` for a whole estate."""
        return cls(program(), settings(estate, scope), folder.resolve(), scope or "local")

    @property
    def cloud(self) -> Path:
        """Where the local cloud keeps what exists in it; all slices of an estate share it."""
        return self.folder / "cloud"

    def state(self) -> State:
        """The embedded engine's state of this stack.

        Raises:
            StateLocked: another run holds the folder.
        """
        return State.in_folder(self.folder / "embedded", self.stack, passphrase=PASSPHRASE)

    @cached_property
    def store(self) -> Store:
        """What exists in the local cloud."""
        return Store(self.cloud)

    def run(self, command: str, listener: Listener | None = None, packs: Sequence[Pack] = ()) -> Result:
        """Run ``preview``, ``up``, ``refresh`` or ``destroy`` under the embedded engine; packs judge the first two.

        Raises:
            StateLocked: another run holds the folder.
        """
        engine = Engine(
            project=PROJECT,
            stack=self.stack,
            state=self.state(),
            providers=_providers(self.store),
            config=self.config,
            listener=listener,
            packs=packs,
        )
        runs: dict[str, Callable[[], Result]] = {
            "preview": lambda: engine.preview(self.program),
            "up": lambda: engine.up(self.program),
            "refresh": engine.refresh,
            "destroy": engine.destroy,
        }
        return runs[command]()


def _providers(store: Store) -> Callable[[str], provider_pb2_grpc.ResourceProviderServicer]:
    faults = Faults.from_environment()

    def provider(package: str) -> LocalCloud:
        if package not in CLOUDS:
            raise KeyError(package)
        return LocalCloud(package, store, faults)

    return provider


def _stack_of(checkpoint: Mapping[str, Any], origin: str) -> tuple[str, Mapping[str, str]]:
    """The stack that a checked state was exported from, and the account its providers were bound to.

    Raises:
        InputError: the account is not written as a provider's configuration has it; the sentence begins with `origin`.
    """
    stack, homes = "plan", dict(HOMES)
    for resource in checkpoint["deployment"].get("resources") or []:
        stack = resource["urn"].split(":")[2]
        if resource["type"] not in _ACCOUNTS:
            continue
        cloud, key = _ACCOUNTS[resource["type"]]
        if (given := (resource.get("inputs") or {}).get(key)) is None:
            continue
        account = _first(given) if cloud == "aws" else given
        if not isinstance(account, str) or not account:
            needed = "a list with an account id" if cloud == "aws" else "a text"
            raise InputError(
                f"{origin}: provider {resource['urn']}: `{key}` is {described(given)} where {needed} is needed; "
                f"set {resource['type'].rpartition(':')[2]}:{key}, bring the stack up and export it again"
            )
        homes[cloud] = account
    return stack, homes


def _first(given: Any) -> Any:
    """The first of `allowedAccountIds`, which Pulumi keeps as JSON text; None when there is none."""
    if isinstance(given, str):
        with suppress(ValueError):
            given = json.loads(given)
    return given[0] if isinstance(given, list) and given else None
