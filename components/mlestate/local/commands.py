"""`mlestate local`: an estate on the local cloud, with Pulumi's words and without any account."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlestate.errors import InputError

__all__ = ["EstateFile", "Scope", "app"]

app = typer.Typer(
    help="Run an estate on the local cloud: the real program, stand-in providers, no account.", no_args_is_help=True
)

EstateFile = Annotated[Path, typer.Argument(metavar="FILE", help="The estate file.")]
EngineName = Annotated[
    str, typer.Option(metavar="auto|embedded|pulumi", help="auto: Pulumi's own when it is on PATH, else embedded.")
]
Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where the local cloud and its state lie [default: .mlestate/local/<the estate's name>]."
    ),
]
Scope = Annotated[
    str | None, typer.Option(help="The slice to run: hub or one environment; left out, the whole estate.")
]
PackFolders = Annotated[
    list[Path] | None,
    typer.Option("--policy-pack", metavar="DIR", help="Judge it by a policy pack; may be given several times."),
]
PackConfigs = Annotated[
    list[Path] | None,
    typer.Option("--policy-pack-config", metavar="FILE", help="What configures a pack: none, or one for each in turn."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Perform the update without asking.")]


@app.command()
def preview(
    file: EstateFile,
    scope: Scope = None,
    engine: EngineName = "auto",
    state: Folder = None,
    policy_pack: PackFolders = None,
    policy_pack_config: PackConfigs = None,
) -> None:
    """Show what `up` would do."""
    _run("preview", file, scope, engine, state, yes=True, folders=policy_pack, configs=policy_pack_config)


@app.command()
def up(
    file: EstateFile,
    scope: Scope = None,
    engine: EngineName = "auto",
    state: Folder = None,
    yes: Yes = False,
    policy_pack: PackFolders = None,
    policy_pack_config: PackConfigs = None,
) -> None:
    """Create or update the estate on the local cloud."""
    _run("up", file, scope, engine, state, yes=yes, folders=policy_pack, configs=policy_pack_config)


@app.command()
def refresh(
    file: EstateFile, scope: Scope = None, engine: EngineName = "auto", state: Folder = None, yes: Yes = False
) -> None:
    """Take into the state what changed in the local cloud behind Pulumi's back."""
    _run("refresh", file, scope, engine, state, yes=yes)


@app.command()
def destroy(
    file: EstateFile, scope: Scope = None, engine: EngineName = "auto", state: Folder = None, yes: Yes = False
) -> None:
    """Delete everything that the estate made on the local cloud."""
    _run("destroy", file, scope, engine, state, yes=yes)


@app.command()
def export(file: EstateFile, scope: Scope = None, state: Folder = None) -> None:
    """Print the state, as `pulumi stack export` does."""
    from mlestate.local.run import Run

    Run.of(file, scope, state).export()


@app.command("pulumi", context_settings={"allow_extra_args": True, "allow_interspersed_args": False})
def passthrough(context: typer.Context, file: EstateFile, scope: Scope = None, state: Folder = None) -> None:
    """Run any Pulumi command on the estate's local stack: mlestate local pulumi FILE stack output --json.

    What stands behind FILE is Pulumi's; our own options stand before it.
    """
    from mlestate.local.run import Run

    raise typer.Exit(Run.of(file, scope, state).passthrough(context.args))


def _run(
    command: str,
    file: Path,
    scope: str | None,
    engine: str,
    state: Path | None,
    *,
    yes: bool,
    folders: list[Path] | None = None,
    configs: list[Path] | None = None,
) -> None:
    from mlestate.local.analyzers import Pack
    from mlestate.local.run import Run

    if not yes and not sys.stdin.isatty():
        raise InputError(f"--yes must be given to run {command} where nobody can be asked (no terminal)")
    folders = folders or []
    files: list[Path | None] = [*configs] if configs else [None] * len(folders)
    if len(files) != len(folders):
        raise InputError(
            f"--policy-pack-config was given {len(files)} times and --policy-pack {len(folders)} times; "
            "give none, or one for each pack in turn"
        )
    packs = [Pack(folder, config) for folder, config in zip(folders, files, strict=True)]
    if not Run.of(file, scope, state).perform(command, engine, yes=yes, packs=packs):
        raise typer.Exit(1)
