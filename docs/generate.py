"""Writes the generated files, or checks that they are current: python docs/generate.py [--check]."""

import json
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from aws_models import aws_models

from mlestate import contract
from mlestate.config import json_schema
from mlestate.config.reference import reference_markdown
from mlestate.estate import CLOUDS

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- generated: parts -->", "<!-- end -->"

PARTS = (
    *("keys", "data", "registry", "serving", "access", "audit"),
    *("network", "features", "tracking", "training", "delivery", "monitoring", "cost"),
)


def _parts() -> str:
    """The table of the README: what each cloud's class can build, read off the classes themselves."""
    clouds = {name: getattr(import_module(module), title) for name, (module, title) in CLOUDS.items()}
    lines = ["| part | what it promises | AWS | Google Cloud | Azure |", "|---|---|---|---|---|"]
    for part in PARTS:
        promise = (getattr(contract, part.title()).__doc__ or "").strip().splitlines()[0]
        marks = " | ".join("yes" if hasattr(cloud, part) else "not yet" for cloud in clouds.values())
        lines.append(f"| {part} | {promise} | {marks} |")
    return "\n".join(lines)


def _readme() -> str:
    text = (ROOT / "README.md").read_text()
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{_parts()}\n{END}{rest.split(END)[1]}"


GENERATED: Mapping[str, Callable[[], str]] = {
    "README.md": _readme,
    "components/mlestate/local/data/aws_models.json": aws_models,
    "docs/reference/estate.md": reference_markdown,
    "docs/reference/schema.json": lambda: json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
}


def main(arguments: list[str]) -> int:
    """0 when all is current or was written, 1 when ``--check`` found a stale file."""
    stale = [name for name, text in GENERATED.items() if not _current(ROOT / name, text())]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"{name} is not current; write it again with: make docs\n")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(GENERATED[name]())
        sys.stdout.write(f"wrote {name}\n")
    return 0


def _current(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
