"""Writes the generated files, or checks that they are current: python docs/generate.py [--check]."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from aws_models import aws_models
from controls import controls

from mlestate import contract
from mlestate.blueprint.cost import estimate, prices
from mlestate.blueprint.quotas import needs
from mlestate.config import json_schema
from mlestate.config.reference import reference_markdown
from mlestate.estate import CLOUDS
from mlestate.local.figures import recorded
from mlestate.local.session import check

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- generated: parts -->", "<!-- end -->"

PARTS = (
    *("keys", "registry", "access", "alerts", "audit", "network", "data"),
    *("features", "tracking", "training", "serving", "monitoring", "delivery", "cost"),
)
"""In the order in which they stand on each other."""


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


def _figures() -> str:
    """What the examples on AWS come to, read off what their programs register."""
    table = prices("aws")
    lines = [
        "# The examples in figures",
        "",
        "Read off the resources that each example registers on the local cloud, by `mlestate cost` and `mlestate "
        "doctor --offline`.",
        f"List prices of {table['as_of']}; storage, requests and messages are not in them. {table['about']}",
        "",
        "| example | resources in the cloud | USD a day, idle | USD a day, full size | endpoint machines to have |",
        "|---|---|---|---|---|",
    ]
    for example in sorted((ROOT / "examples").glob("aws-*.yaml")):
        config, rows = check(example, None), recorded(example, None)
        if rows is None:
            raise RuntimeError(f"{example.name} does not come up")
        total = estimate(rows, config.cloud, config.region)
        machines = Counter[str]()
        for need in needs(rows):
            instance_type, _, use = need.quota.name.partition(" for ")
            if use == "endpoint usage":
                machines[instance_type] += need.amount
        wanted = ", ".join(f"{amount} {name}" for name, amount in sorted(machines.items())) or "none"
        count = sum(row.custom and not row.type.startswith("pulumi:") for row in rows)
        lines.append(
            f"| [{example.stem}](../examples/{example.name}) | {count} | {total.idle:.2f} | {total.full:.2f} "
            f"| {wanted} |"
        )
    lines += [
        "",
        "Full size is every machine that scaling allows, all day, and every scheduled job. Endpoint machines are those "
        "of a release, when the new ones stand beside the old; machines of all accounts together.",
    ]
    return "\n".join(lines) + "\n"


GENERATED: Mapping[str, Callable[[], str]] = {
    "README.md": _readme,
    "components/mlestate/local/data/aws_models.json": aws_models,
    "docs/controls.md": controls,
    "docs/figures.md": _figures,
    "docs/reference/estate.md": reference_markdown,
    "docs/reference/schema.json": lambda: json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
}


def main(arguments: list[str]) -> int:
    """0 when all is current or was written, 1 when ``--check`` found a stale file."""
    texts = {name: text() for name, text in GENERATED.items()}
    stale = [name for name, text in texts.items() if not _current(ROOT / name, text)]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"{name} is not current; write it again with: make docs\n")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(texts[name])
        sys.stdout.write(f"wrote {name}\n")
    return 0


def _current(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
