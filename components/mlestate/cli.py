"""The commands that Pulumi lacks. `pulumi preview | up | refresh | destroy` stay Pulumi's own and are never wrapped.

Exit codes: 0 done, 1 a check failed, 2 the input is wrong. Each command loads only what it needs: `validate` starts
without Pulumi and without any cloud's SDK.
"""

import gc
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mlestate.errors import InputError
from mlestate.local.commands import EstateFile, Scope
from mlestate.local.commands import app as local

__all__ = ["app", "main"]

app = typer.Typer(
    name="mlestate",
    help="One estate.yaml to a whole MLOps estate on SageMaker, Vertex AI or Azure ML.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(local, name="local")
policies = typer.Typer(help="Judge estates by the rules of the policy packs, without Pulumi.", no_args_is_help=True)
app.add_typer(policies, name="policy")

PolicyConfig = Annotated[
    Path | None,
    typer.Option(
        "--policy-config",
        metavar="FILE",
        help="Levels, limits, profiles and waivers of the rules.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A model of the file.")]
VersionNumber = Annotated[str, typer.Argument(metavar="VERSION", help="The number of a version in the registry.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with what was done.")]
ComesTo = Annotated[str, typer.Option("--environment", metavar="NAME", help="The environment that it comes to.")]
TakenBackIn = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="The environment whose traffic goes back.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show every request that would be made; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


@app.command()
def schema() -> None:
    """Print the JSON schema of estate.yaml, for editors."""
    from mlestate.config import json_schema

    _print_json(json_schema())


@app.command()
def validate(file: EstateFile, as_json: AsJson = False) -> None:
    """Check an estate file offline: every mistake at once, with its line and what is allowed."""
    from mlestate.config import ConfigError, load

    try:
        config = load(file).config
    except ConfigError as error:
        if not as_json:
            raise
        typer.echo(error.as_json())
        raise typer.Exit(2) from None
    if as_json:
        _print_json({"file": str(file), "problems": []})
    else:
        models = f"{len(config.models)} model{'s' if len(config.models) != 1 else ''}"
        typer.echo(f"{file} is valid: {config.name} on {config.cloud}, {', '.join(config.environments)}, {models}.")


@app.command()
def plan(
    file: EstateFile,
    as_json: AsJson = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the state that `pulumi stack export` would.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Preview the change on a state that `pulumi stack export` wrote."),
    ] = None,
    scope: Scope = None,
    policy: Annotated[bool, typer.Option("--policy", help="Judge it by the rules of the policy packs, too.")] = False,
    policy_config: PolicyConfig = None,
) -> None:
    """Show what an estate is made of, or what would change in it: offline, no account and no credentials."""
    from mlestate.local.plan import plan as run

    judged = policy or policy_config is not None
    if not run(file, scope=scope, as_json=as_json, export=export, against=against, policy=judged, config=policy_config):
        raise typer.Exit(1)


@policies.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `pulumi stack export` or `preview --json --show-sames` wrote.")
    ],
    config: PolicyConfig = None,
    form: Annotated[str, typer.Option("--format", metavar="text|json|sarif|junit", help="How it is written.")] = "text",
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; left out, to the terminal.")] = None,
    source: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The estate file whose lines SARIF points at.")
    ] = None,
) -> None:
    """Judge a Pulumi state or preview, of any estate: offline, in seconds."""
    from mlestate.policy import check as run

    if not run(file, config, form, output, source):
        raise typer.Exit(1)


@app.command()
def cost(file: EstateFile, as_json: AsJson = False, scope: Scope = None) -> None:
    """Show what an estate costs a day, idle and at full size: offline, from its resources and a dated price table."""
    from mlestate.local.figures import cost as run

    if not run(file, scope, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def doctor(
    file: EstateFile,
    as_json: AsJson = False,
    scope: Scope = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no account; show what the estate needs.")] = False,
) -> None:
    """Check tools, credentials, accounts and quotas against what an estate needs, before anything is created."""
    from mlestate.doctor import doctor as run

    if not run(file, scope, as_json=as_json, offline=offline):
        raise typer.Exit(1)


@app.command()
def status(
    file: EstateFile,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="One model; left out, all.")] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="One environment; left out, all.")] = None,
    as_json: AsJson = False,
    trail: Annotated[bool, typer.Option("--trail", help="Show what the audit trail says was done, too.")] = False,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back the trail is shown.")] = 7,
) -> None:
    """Show where every model stands: what is in use, what is being released, what it waits for, what was decided."""
    from mlestate.operate.status import status as run

    if not run(file, model, environment, as_json=as_json, trail=trail, days=days):
        raise typer.Exit(1)


@app.command()
def approve(
    file: EstateFile,
    model: ModelName,
    version: VersionNumber,
    reason: Reason,
    environment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Agree to it in an environment; left out, approve it in the registry."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Show a version's evidence and approve it in the registry, or agree to its promotion into an environment."""
    from mlestate.operate import How, decide

    _ended(decide(file, model, version, "approve", reason, environment, How(dry_run, as_json, yes)))


@app.command()
def reject(
    file: EstateFile,
    model: ModelName,
    version: VersionNumber,
    reason: Reason,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Reject a version in the registry; where it is in use, the version before it comes back."""
    from mlestate.operate import How, decide

    _ended(decide(file, model, version, "reject", reason, None, How(dry_run, as_json, yes)))


@app.command()
def promote(
    file: EstateFile,
    model: ModelName,
    version: VersionNumber,
    environment: ComesTo,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; it is kept with the release.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Start the release of an approved version in an environment."""
    from mlestate.operate import How
    from mlestate.operate import promote as run

    _ended(run(file, model, version, environment, reason, How(dry_run, as_json, yes)))


@app.command()
def rollback(
    file: EstateFile,
    model: ModelName,
    environment: TakenBackIn,
    reason: Reason,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Give the traffic in an environment back to the version before."""
    from mlestate.operate import How
    from mlestate.operate import rollback as run

    _ended(run(file, model, environment, reason, How(dry_run, as_json, yes)))


def _ended(done: bool) -> None:
    if not done:
        raise typer.Exit(1)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def main() -> None:
    """The entry point of the `mlestate` command."""
    # A program makes tens of thousands of objects that stay; to look for garbage after every 700 of them, as Python
    # does by default, takes a third of a plan's time.
    gc.set_threshold(10_000, *gc.get_threshold()[1:])
    # Pydantic looks through every installed distribution for plugins, of which this command uses none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        app()
    except InputError as error:
        typer.echo(error, err=True)
        sys.exit(2)
    finally:
        gc.freeze()  # nor is all of it looked through once more when the process ends
