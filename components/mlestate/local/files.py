"""Files and folders that a person may have broken: what is wrong with one is told in plain words, by its name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mlestate.errors import InputError

__all__ = ["make_folder", "parse_json", "read_bytes", "reason", "usable"]

_REASONS: Final[tuple[tuple[type[OSError], str], ...]] = (
    (FileNotFoundError, "there is no such file"),
    (IsADirectoryError, "it is a folder, not a file"),
    (NotADirectoryError, "a file stands where a folder should be"),
    (FileExistsError, "a file stands where a folder should be"),
    (PermissionError, "this user may not do that, or it is protected against changes"),
)


def reason(error: OSError) -> str:
    """Why the system refused, without its numbers."""
    known = next((words for kind, words in _REASONS if isinstance(error, kind)), None)
    return known or (error.strerror or str(error)).lower()


@contextmanager
def usable(what: str, remedy: str) -> Iterator[None]:
    """Turn the system's refusal into an InputError: `<what>: <why>; <remedy>`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{what}: {reason(error)}; {remedy}") from error


def make_folder(folder: Path, what: str) -> None:
    """Make a folder where there is none. Raises InputError when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "no folder can be made there" if isinstance(error, FileNotFoundError) else reason(error)
        raise InputError(f"{what} {folder} cannot be made: {why}; name one that can be written") from error


def read_bytes(file: Path, remedy: str, *, what: str = "") -> bytes:
    """Raises InputError when the file cannot be read; it is called `what`, or by its path."""
    with usable(f"{what or file} cannot be read", remedy):
        return file.read_bytes()


def parse_json(raw: bytes) -> Any:
    """The value that UTF-8 JSON text stands for. Raises ValueError, in plain words."""
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start + 1})") from error
    except json.JSONDecodeError as error:
        if not raw.strip():
            raise ValueError("it is empty") from error
        raise ValueError(f"it is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from error
    except ValueError as error:
        raise ValueError("it holds a number that is too long to be read") from error
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
