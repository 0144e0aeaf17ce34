"""The file that users write: read, merged, checked and frozen. Neither Pulumi nor any cloud's SDK is imported here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestate.config.errors import ConfigError, Problem
    from mlestate.config.loading import Loaded, Origin, load, loads
    from mlestate.config.schema import json_schema
    from mlestate.config.union import EstateConfig

__all__ = ["ConfigError", "EstateConfig", "Loaded", "Origin", "Problem", "json_schema", "load", "loads"]

_HOMES = {
    "ConfigError": "errors",
    "EstateConfig": "union",
    "Loaded": "loading",
    "Origin": "loading",
    "Problem": "errors",
    "json_schema": "schema",
    "load": "loading",
    "loads": "loading",
}


def __getattr__(name: str) -> object:
    # Each command pays only for what it uses: validating a file needs neither the schema nor the other two clouds.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
