"""`mlestate policy check`: the rules over any Pulumi state or preview, and where their findings are shown.

The rules are a package of their own, `mlestate_policies`: what judges an estate knows nothing of what makes it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import typer

from mlestate.errors import InputError
from mlestate_policies import configuration, reading
from mlestate_policies.formats import FORMATS, Place, as_json, as_junit, as_sarif, as_text
from mlestate_policies.judge import Report, judge
from mlestate_policies.settings import Settings

__all__ = ["check", "settings_in", "verdict"]


def check(file: Path, config: Path | None, form: str, output: Path | None, source: Path | None) -> bool:
    """Print or write the verdict over a file; True when it passed.

    Raises:
        InputError: the file is no state and no preview, the configuration is wrong, or the output cannot be written.
    """
    if form not in FORMATS:
        raise InputError(f"--format {form}: allowed are {', '.join(FORMATS)}")
    settings = settings_in(config)
    try:
        subjects = reading.read(file)
    except reading.NotReadable as error:
        raise InputError(str(error)) from error
    report = judge(subjects.inputs, subjects.outputs, settings)
    text = _WRITERS[form](report, _places(source) if source else lambda _urn: (file.as_posix(), 1))
    text = text.encode(errors="replace").decode()  # a name in a state may hold half a character
    if output is None:
        typer.echo(text)
    else:
        try:
            output.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"--output {output}: cannot be written: {error.strerror}") from error
        typer.echo(as_text(report).splitlines()[-1])
    return report.passed


_WRITERS: Final[dict[str, Callable[[Report, Place], str]]] = {
    "text": lambda report, _: as_text(report),
    "json": lambda report, _: as_json(report),
    "sarif": as_sarif,
    "junit": lambda report, _: as_junit(report),
}


def settings_in(config: Path | None) -> Settings:
    """The settings of a configuration file; the defaults where there is none.

    Raises:
        InputError: with all that is wrong in it.
    """
    try:
        return configuration.read(config) if config else Settings()
    except configuration.ConfigurationWrong as error:
        raise InputError(str(error)) from error


def verdict(state: object, settings: Settings) -> Report:
    """The verdict over an exported state that is in memory."""
    subjects = reading.of_state(state, "the state")
    return judge(subjects.inputs, subjects.outputs, settings)


def _places(source: Path) -> Place:
    """From a URN to the line of an estate file that speaks of it: its model's or its environment's, else the first.

    Raises:
        InputError: the estate file is wrong.
    """
    from mlestate.config import load
    from mlestate.local.session import HOMES

    loaded = load(source, homes=HOMES)
    named = [
        (f"-{name}", loaded.origin(f"{section}.{name}").line)
        for section, names in (("models", loaded.config.models), ("environments", loaded.config.environments))
        for name in names
        if loaded.origin(f"{section}.{name}").line is not None
    ]

    def place(urn: str) -> tuple[str, int]:
        name = urn.rpartition("::")[2]
        line = next((line for word, line in named if f"{word}-" in f"{name}-"), None)
        return source.as_posix(), line or 1

    return place
