"""`mlestate doctor`: whether this machine and these accounts can carry an estate, before anything is created.

What the estate needs is computed offline, from its registered rows. What an account has is asked of the account, read
only. A check that could not be made is told as such and never counted as passed.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlestate.blueprint.inventory import Row
from mlestate.blueprint.machines import rows_by_urn, slice_of
from mlestate.blueprint.quotas import Need, Quota, needs, summed
from mlestate.config.estate import Estate
from mlestate.estate import slices
from mlestate.local import display
from mlestate.local.figures import recorded
from mlestate.local.session import HOMES, check

__all__ = ["ACCOUNTS", "Account", "Finding", "doctor"]

State = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What one check came to. ``unknown`` is a check that could not be made."""

    check: str
    state: State
    said: str
    remedy: str = ""


@dataclass(frozen=True)
class Account:
    """An account, project or subscription that the estate lies in, and what it needs there."""

    home: str | None
    """None where the file names none, and the deployer's own is meant."""
    region: str
    slices: tuple[str, ...]
    deploy_role: str | None
    """The role that the deployer assumes there (aws)."""
    needs: Sequence[Need]
    rows: Sequence[Row]


ACCOUNTS: Mapping[str, str] = {"aws": "mlestate.doctor.aws"}
"""By cloud: the module whose `examine(account)` asks an account, read only."""


def doctor(file: Path, scope: str | None, *, as_json: bool, offline: bool) -> bool:
    """Print every check; True when none failed.

    Raises:
        InputError: the file is wrong, or what asks the cloud is not installed.
    """
    config = check(file, scope)
    rows = recorded(file, scope)
    if rows is None:
        return False
    wanted = needs(rows)
    findings = [*_tools(), *_accounts(config, scope, rows, wanted, offline)]
    console = display.console()
    if as_json:
        console.print_json(
            json.dumps({"checks": [asdict(each) for each in findings], "needs": _document(config, scope, wanted)})
        )
    else:
        _print(console, config, scope, wanted, findings)
    return all(each.state != "failed" for each in findings)


def _tools() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", "ok", python)
    sdk = metadata.version("pulumi")
    cli = shutil.which("pulumi")
    if cli is None:
        yield Finding(
            "Pulumi CLI",
            "failed",
            "not on PATH: plans and the local cloud work without it, a real `pulumi up` does not",
            f"Install Pulumi {sdk} or later.",
        )
        return
    said = subprocess.run([cli, "version"], capture_output=True, text=True, timeout=60, check=False).stdout.strip()
    version = _version(said)
    if version is None:
        yield Finding("Pulumi CLI", "unknown", f"{cli} does not say its version: {said!r}")
    elif version < (_version(sdk) or ()):
        yield Finding(
            "Pulumi CLI",
            "failed",
            f"{said} is older than the SDK, {sdk}: their protocol may differ",
            f"Install Pulumi {sdk} or later.",
        )
    else:
        yield Finding("Pulumi CLI", "ok", f"{said}, with the SDK {sdk}")


def _version(text: str) -> tuple[int, ...] | None:
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+).*", text)
    return tuple(map(int, found.groups())) if found else None


def _accounts(
    config: Estate, scope: str | None, rows: Sequence[Row], wanted: Sequence[Need], offline: bool
) -> Iterator[Finding]:
    noun = config.home_word
    if offline:
        yield Finding(f"{noun}s", "unknown", "not asked (--offline)", "Run again with credentials of the deployer.")
        return
    if config.cloud not in ACCOUNTS:
        yield Finding(f"{noun}s", "unknown", f"doctor cannot ask a {noun} of {config.cloud} yet")
        return
    examine: Callable[[Account], Iterator[Finding]] = import_module(ACCOUNTS[config.cloud]).examine
    for account in _grouped(config, scope, rows, wanted):
        yield from examine(account)


def _grouped(config: Estate, scope: str | None, rows: Sequence[Row], wanted: Sequence[Need]) -> list[Account]:
    homes = slices(config, scope)
    by_urn = rows_by_urn(rows)
    accounts = []
    for home in dict.fromkeys(homes.values()):
        names = tuple(f"{config.name}-{name}" for name, its in homes.items() if its == home)
        roles = [
            getattr(config.environments[name], "deploy_role", None)
            for name in homes
            if name in config.environments and homes[name] == home
        ]
        accounts.append(
            Account(
                None if home == HOMES[config.cloud] else home,
                config.region,
                names,
                next((role for role in roles if role is not None), None),
                [need for need in wanted if need.slice in names],
                [row for row in rows if slice_of(row, by_urn) in names],
            )
        )
    return accounts


def _document(config: Estate, scope: str | None, wanted: Sequence[Need]) -> list[dict[str, object]]:
    return [
        {"account": home, "service": quota.service, "quota": quota.name, "needed": amount, "default": quota.default}
        for home, its in _by_account(config, scope, wanted).items()
        for quota, amount in its.items()
    ]


def _by_account(config: Estate, scope: str | None, wanted: Sequence[Need]) -> Mapping[str, Mapping[Quota, int]]:
    homes = {f"{config.name}-{name}": home for name, home in slices(config, scope).items()}
    return summed(wanted, homes)


SIGNS: Mapping[State, str] = {"ok": "[green]ok[/]", "failed": "[red]failed[/]", "unknown": "[yellow]not checked[/]"}


def _print(
    console: Console, config: Estate, scope: str | None, wanted: Sequence[Need], findings: Sequence[Finding]
) -> None:
    grid = Table("", "check", "", box=None, header_style="dim", pad_edge=False)
    for each in findings:
        grid.add_row(SIGNS[each.state], escape(each.check), escape(". ".join(filter(None, (each.said, each.remedy)))))
    console.print(grid)
    table = Table(
        "account", "service", "quota", "needed", "a new account has", box=None, header_style="dim", pad_edge=False
    )
    for line in _document(config, scope, wanted):
        default = line["default"]
        table.add_row(
            str(line["account"]),
            str(line["service"]),
            escape(str(line["quota"])),
            str(line["needed"]),
            "differs" if default is None else f"{default:.0f}",
        )
    if table.row_count:
        console.print(
            "\nWhat the estate needs, during a release and with all jobs at once; an endpoint that comes with a first "
            "approved version is not in it:\n",
            highlight=False,
            soft_wrap=True,
        )
        console.print(table)
