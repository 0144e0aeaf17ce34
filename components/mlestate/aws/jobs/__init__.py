"""Programs that SageMaker runs for the estate, each a package that needs nothing beside the image it runs in."""

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable

__all__ = ["COMPARISON", "MONITOR"]


def _files(folder: Traversable) -> dict[str, str]:
    return {
        file.name: file.read_text()
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".py")
    }


_HERE = resources.files(__name__)

MONITOR: Mapping[str, str] = _files(_HERE.joinpath("monitor"))
"""The files of the monitor by name."""

COMPARISON: Mapping[str, str] = {
    "mlestate/comparison.py": resources.files("mlestate").joinpath("comparison.py").read_text(),
    **{
        f"mlestate/aws/jobs/{package}/{name}": text
        for package in ("comparison", "monitor")
        for name, text in _files(_HERE.joinpath(package)).items()
    },
}
"""The files of the comparison by path: the judgement of all clouds, the program, and the monitor, whose readers it
uses. They keep the folders that they have here, so that one import finds them in both places; no folder above has a
file of its own."""
