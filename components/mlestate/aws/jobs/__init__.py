"""Programs that SageMaker runs for the estate, each a package that needs nothing beside the image it runs in."""

from collections.abc import Mapping
from importlib import resources

__all__ = ["MONITOR"]

MONITOR: Mapping[str, str] = {
    file.name: file.read_text()
    for file in sorted(resources.files(__name__).joinpath("monitor").iterdir(), key=lambda file: file.name)
    if file.name.endswith(".py")
}
"""The files of the monitor by name."""
