"""The reference page of the file, written from the same settings that read it."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlestate.config.base import Settings
from mlestate.config.clouds import CLOUDS, settings_of
from mlestate.config.estate import Environment, Estate
from mlestate.config.schema import json_schema
from mlestate.config.support import BUILT, CANNOT

_TABLE = "| field | value | what it does |\n|---|---|---|"

_INTRODUCTION = """\
<!-- Written by mlestate.config.reference from the settings themselves; `make docs` writes it anew. -->

# estate.yaml

One file describes one estate. The smallest has six lines; every other field has a safe default, and no default starts
anything that bills while idle, except that a model registry on azure always does:

```yaml
version: 1
name: acme
cloud: aws
region: ca-central-1
models:
  churn: {problem: classification}
```

Values are merged in this order, the later over the earlier: built-in, `defaults`, `models.<name>`,
`models.<name>.environments.<environment>`. Blocks are merged key by key, lists are replaced.

Account ids and clock times must be quoted. Thresholds are `{min: 0.8}` or `{max: 0.01}`. Durations are a whole number
and one of s, m, h, d, w, y. Secrets never stand in the file: `secret:<key>` names a key of the Pulumi config.
`mlestate schema` writes the JSON schema that editors complete from, `mlestate validate` finds every mistake at once.

A field whose resources do not exist yet on a cloud is refused by name; the last two tables say which.
"""


def reference_markdown() -> str:
    """The whole page, the same text every time."""
    definitions: dict[str, Any] = json_schema()["$defs"]
    estates = [definitions[its.estate] for its in CLOUDS.values()]
    environments = [definitions[f"{cloud.capitalize()}Environment"] for cloud in CLOUDS]
    parts = [_INTRODUCTION, "## The estate\n", _TABLE, *_rows(_shared(estates, Estate))]
    for cloud, estate, environment in zip(CLOUDS, estates, environments, strict=True):
        parts += [f"\n## On {cloud} only\n", _TABLE, *_rows(_own(estate, estates))]
        parts += _rows(_own(environment, environments), "environments.<name>.")
    parts += ["\n## `environments.<name>`\n", _TABLE, *_rows(_shared(environments, Environment))]
    paths: dict[str, list[str]] = {}
    for path, name in _blocks("", estates[0], definitions):
        paths.setdefault(name, []).append(f"`{path}`")
    for name in [name for name in paths if name != "AwsEnvironment"]:
        block = definitions[name]
        heading = "Thresholds" if name == "Threshold" else ", ".join(paths[name])
        parts += [f"\n## {heading}\n\n{block['description']}\n", _TABLE, *_rows(block["properties"])]
    parts += [*_sizes(), *_regions(), *_cannot(), *_built()]
    return "\n".join(parts) + "\n"


def _shared(blocks: list[dict[str, Any]], settings: type[Settings]) -> dict[str, Any]:
    """The fields that every cloud has, in the words of all three."""
    shared = {}
    for name, field in blocks[0]["properties"].items():
        fields = [block["properties"].get(name) for block in blocks]
        if all(fields):
            described = settings.model_fields[name].description if name in settings.model_fields else None
            shared[name] = {**field, "description": described or field["description"]}
            if "const" in field and len({other["const"] for other in fields if other}) > 1:
                shared[name] = {"enum": [other["const"] for other in fields if other], **shared[name]}
                del shared[name]["const"]
    return shared


def _own(block: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """The fields that not every cloud has."""
    return {
        name: field
        for name, field in block["properties"].items()
        if not all(name in other["properties"] for other in blocks)
    }


def _rows(fields: Mapping[str, Any], prefix: str = "") -> list[str]:
    return [
        f"| `{prefix}{name}` | {_value(field)} | {_escaped(field['description'])} |" for name, field in fields.items()
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def _value(field: Mapping[str, Any]) -> str:
    """What may stand in a field, in words."""
    if "$ref" in field:
        name = str(field["$ref"]).rsplit("/", 1)[-1]
        return "threshold" if name == "Threshold" else "block"
    if "const" in field:
        return f"`{field['const']}`"
    if "oneOf" in field or "anyOf" in field:
        kinds = field.get("oneOf") or field["anyOf"]
        if field.get("type") == "string":
            return "schedule"
        return " or ".join(_value(kind) for kind in kinds)
    if "enum" in field:
        if len(field["enum"]) > 12:
            return "text, a known region"
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type")
    if kind == "array":
        return f"list of {_value(field['items'])}"
    if kind == "object":
        inner = next(iter(field.get("patternProperties", {}).values()), field.get("additionalProperties"))
        return f"by name: {_value(inner)}" if isinstance(inner, dict) else "by name: anything"
    if kind == "string":
        return "duration" if "(s|m|h|d|w|y)" in field.get("pattern", "") else "text"
    if kind in ("integer", "number"):
        noun = "whole number" if kind == "integer" else "number"
        low, high = field.get("minimum"), field.get("maximum")
        above = f" above {field['exclusiveMinimum']:g}" if "exclusiveMinimum" in field else ""
        span = f" from {low:g}" if low is not None else above
        return noun + span + (f" to {high:g}" if high is not None else "")
    return "true or false" if kind == "boolean" else "anything"


def _blocks(path: str, block: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every block below, with the path that a user writes, in the order of the file; the layers over a model are the
    model's own blocks again and left out."""
    for name, field in block["properties"].items():
        for suffix, reference in _references(field):
            if reference == "Adjustments":
                continue
            here = f"{path}{name}{suffix}"
            yield here, reference
            yield from _blocks(f"{here}.", definitions[reference], definitions)


def _references(field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "$ref" in field:
        yield "", str(field["$ref"]).rsplit("/", 1)[-1]
    for kind in field.get("oneOf", ()):
        yield from _references(kind)
    for inner in field.get("patternProperties", {}).values():
        yield from ((f".<name>{suffix}", reference) for suffix, reference in _references(inner))


def _grid(title: str, text: str, heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = [f"\n## {title}\n\n{text}\n", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def _sizes() -> list[str]:
    tables = [settings_of(cloud).COMPUTE for cloud in CLOUDS]
    rows = [[f"`{size}`", *(f"`{table[size]}`" for table in tables)] for size in tables[0]]
    return _grid("Sizes", "What each word of `compute` stands for.", ["size", *CLOUDS], rows)


def _regions() -> list[str]:
    tables = [settings_of(cloud).REGIONS for cloud in CLOUDS]
    rows = [[f"`{place}`", *(", ".join(table[place]) for table in tables)] for place in sorted(tables[0])]
    return _grid("Residency", "The regions that each word of `residency` allows.", ["residency", *CLOUDS], rows)


def _cannot() -> list[str]:
    rows = [[limit.cloud, f"`{limit.pattern}`", limit.sentence] for limit in CANNOT]
    return _grid(
        "What a cloud does not have", "Refused by name, with the alternative.", ["cloud", "field", "why"], rows
    )


def _built() -> list[str]:
    patterns = list(dict.fromkeys(pattern for built in BUILT.values() for pattern in built))
    rows = []
    for pattern in patterns:
        cells = []
        for built in BUILT.values():
            values = built.get(pattern)
            named = ", ".join(sorted(map(str, values))) if values is not None else "yes"
            cells.append(named if pattern in built else "–")
        rows.append([f"`{pattern}`", *cells])
    return _grid(
        "What is built",
        "The fields whose resources exist today; `**` takes in everything below. Any other field is refused by name.",
        ["field", *BUILT],
        rows,
    )
