"""What the packs are tested with: their folders, the examples' states, and a state made of a table of resources."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PACKS = {cloud: ROOT / "policies" / cloud for cloud in ("any", "aws", "gcp", "azure")}
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
BAD_ESTATES = sorted((Path(__file__).parent / "bad-estates").glob("*.yaml"))


def cloud_of(example: Path) -> str:
    return example.name.split("-")[0]


def checkpoint(table: Mapping[str, Any]) -> dict[str, Any]:
    """An exported state of a table: names to `type`, `properties` and `links`, which is where a property comes from."""
    resources = []
    for name, entry in table["resources"].items():
        properties = entry.get("properties", {})
        resources.append(
            {
                "urn": urn(name, entry["type"]),
                "type": entry["type"],
                "custom": True,
                "id": name,
                "inputs": properties,
                "outputs": {"id": name, **properties},
                "propertyDependencies": {
                    key: [urn(each, table["resources"][each]["type"]) for each in names]
                    for key, names in entry.get("links", {}).items()
                },
            }
        )
    return {"version": 3, "deployment": {"manifest": {"time": "2026-11-24T00:00:00Z"}, "resources": resources}}


def urn(name: str, token: str) -> str:
    return f"urn:pulumi:production::somebody::{token}::{name}"


def bad_estate(file: Path) -> tuple[dict[str, Any], Mapping[str, list[str]]]:
    """A state of an estate that is not ours, and the rules that it breaks: their ids, by profile."""
    table = yaml.safe_load(file.read_text())
    return checkpoint(table), table["breaks"]
