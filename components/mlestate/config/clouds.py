"""What the file's own words about the three clouds are, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import NamedTuple


class Cloud(NamedTuple):
    """A cloud's name for people, the class of its settings, and its word for what holds an environment."""

    title: str
    estate: str
    home: str


CLOUDS: Mapping[str, Cloud] = {
    "aws": Cloud("AWS", "AwsEstate", "account"),
    "gcp": Cloud("Google Cloud", "GcpEstate", "project"),
    "azure": Cloud("Azure", "AzureEstate", "subscription"),
}


def settings_of(cloud: str) -> ModuleType:
    """The module of a cloud's settings, loaded when it is asked for: a file pays for its own cloud only."""
    return import_module(f"mlestate.{cloud}.settings")
