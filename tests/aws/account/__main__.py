"""`python -m tests.aws.account`: the simulated account as a person uses it, beside `mlestate` and any AWS client.

`serve` answers AWS's API on loopback; the other commands are what no command of ours does: the pipeline's work, the
traffic's, and that of time.
"""

import configparser
import json
import os
import re
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from mlestate.errors import InputError

from . import CONTROL

FOLDER = Path(".mlestate", "account")
CONFIG = FOLDER / "config"
LOG = FOLDER / "log"
PATIENCE_SECONDS = 600

app = typer.Typer(
    name="python -m tests.aws.account",
    help="A simulated AWS account in which an estate's machines run, in simulated time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EstateFile = Annotated[Path, typer.Argument(metavar="FILE", help="An estate that `mlestate local up` brought up.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model of the estate.")]


@app.command()
def serve(
    file: EstateFile,
    state: Annotated[
        Path | None, typer.Option(metavar="STATE", help="What `mlestate local export` printed; left out, it is read.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 0,
    background: Annotated[bool, typer.Option("--background", help="Return as soon as it answers.")] = False,
) -> None:
    """Serve the account on 127.0.0.1, and write a profile for each person of the estate."""
    if (endpoint := _endpoint()) is not None and _answers(endpoint):
        raise InputError(f"an account is served already, at {endpoint}: python -m tests.aws.account stop")
    if background:
        _in_background(file, state, port)
        return
    _forget_accounts()
    from mlestate.config import load
    from mlestate.local.run import Run

    from .server import open_account

    config = load(file).config
    exported = json.loads(state.read_text()) if state else Run.of(file, None, None).session.state().export()
    with open_account(config, exported) as served:

        def ready() -> None:
            profiles = served.sign_in(CONFIG)
            typer.echo(f"The account of {config.name} answers. Its people, each in a slice of the estate:")
            typer.echo(f"  {' '.join(profiles)}")
            typer.echo(f"To be one of them: export AWS_CONFIG_FILE={CONFIG} AWS_PROFILE={profiles[0]}")
            sys.stdout.flush()

        try:
            served.serve(port, ready)
        finally:
            CONFIG.unlink(missing_ok=True)


@app.command()
def register(
    model: Model,
    by: Annotated[str, typer.Option(metavar="PERSON", help="Who started the run.")],
    metric: Annotated[list[str], typer.Option(metavar="NAME=NUMBER", help="What the evaluation found.")],
) -> None:
    """Do the work of the model's pipeline: train, evaluate, register a version."""
    metrics = {}
    for each in metric:
        name, _, value = each.partition("=")
        try:
            metrics[name] = float(value)
        except ValueError:
            raise InputError(f"{each!r} is no metric: write it as roc_auc=0.87") from None
    made = _ask("register", model=model, by=by, metrics=metrics)
    typer.echo(f"{model}/{made['version']} is registered, from a run that {by} started.")


@app.command()
def wait(
    duration: Annotated[
        str | None, typer.Argument(metavar="[DURATION]", help="5m, 2h; left out, until nothing runs.")
    ] = None,
) -> None:
    """Let time pass in the account, where it stands still otherwise."""
    minutes = None
    if duration is not None:
        found = re.fullmatch(r"(\d{1,4})([mhd])", duration)
        if found is None:
            raise InputError(f"{duration!r} is no duration: write it as 5m, 2h or 1d")
        minutes = int(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]]
    passed = _ask("wait", **({} if minutes is None else {"minutes": minutes}))
    runs = f"{len(passed['runs'])} still run" if passed["runs"] else "nothing runs"
    seconds = passed["seconds"]
    length = f"{seconds / 60:.0f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"
    typer.echo(f"{length} passed, {runs}.")


@app.command()
def answer(
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT")],
    model: Model,
    errors: Annotated[float, typer.Option(min=0, max=1, help="The share of requests that end in an error.")],
    variant: Annotated[str, typer.Option(help="champion, or challenger while there is one.")] = "champion",
) -> None:
    """Have what serves a model answer so from now on."""
    _ask("answer", environment=environment, model=model, variant=variant, errors=errors)
    typer.echo(f"The {variant} of {model} in {environment} answers {errors:.0%} of its requests with an error.")


@app.command()
def alarm(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The alarm's whole name.")],
    state: Annotated[str, typer.Argument(metavar="OK|ALARM")] = "ALARM",
) -> None:
    """Set an alarm of CloudWatch."""
    _ask("alarm", name=name, state=state)
    typer.echo(f"{name} is {state}.")


@app.command()
def messages(
    last: Annotated[int | None, typer.Option(min=1, help="So many of the newest; left out, all.")] = None,
) -> None:
    """Show what people were told."""
    for each in _ask("messages")[-(last or 0) :]:
        typer.echo(f"--- {each['topic']}: {each['subject']}\n{each['text'].strip()}\n")


@app.command()
def stop() -> None:
    """End the account that is served; all that happened in it is forgotten."""
    endpoint = _endpoint()
    _ask("stop")
    until = time.monotonic() + PATIENCE_SECONDS
    while endpoint is not None and _answers(endpoint) and time.monotonic() < until:
        time.sleep(0.1)
    typer.echo("The account is gone.")


def _forget_accounts() -> None:
    """What the reader is signed in to is not what the account itself asks: it would send its own calls there."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _in_background(file: Path, state: Path | None, port: int) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    CONFIG.unlink(missing_ok=True)
    words = [sys.executable, "-m", "tests.aws.account", "serve", str(file), "--port", str(port)]
    with LOG.open("w") as log:
        served = subprocess.Popen(
            [*words, *(["--state", str(state)] if state else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + PATIENCE_SECONDS
    while not CONFIG.exists() or "To be one of them" not in LOG.read_text():
        if served.poll() is not None or time.monotonic() > until:
            raise InputError(f"the account does not answer:\n{LOG.read_text()}")
        time.sleep(0.2)
    typer.echo(LOG.read_text().rstrip())


def _endpoint() -> str | None:
    """Where the account of this folder is served, as its profiles say."""
    found = configparser.ConfigParser(interpolation=None)
    found.read(CONFIG)
    return found.get("default", "endpoint_url", fallback=None)


def _answers(endpoint: str) -> bool:
    address = urlsplit(endpoint)
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except OSError:
        return False
    return True


def _ask(act: str, **words: Any) -> Any:
    endpoint = _endpoint()
    if endpoint is None:
        raise InputError(f"no account is served from here ({CONFIG} says of none): python -m tests.aws.account serve")
    connection = HTTPConnection(urlsplit(endpoint).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request(
            "POST", CONTROL, json.dumps({"act": act, **words}), headers={"Content-Type": "application/json"}
        )
        answered = connection.getresponse()
        said = json.loads(answered.read())
    except (OSError, HTTPException) as error:
        raise InputError(f"the account at {endpoint} does not answer: {error}") from error
    if answered.status != 200:
        raise InputError(said["message"])
    return said


def main() -> None:
    try:
        app()
    except InputError as error:
        typer.echo(error, err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
