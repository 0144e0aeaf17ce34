"""Compiles what the AWS APIs take, for the operations behind the estate, from botocore's service models."""

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore
import botocore.session
from botocore.model import Shape

from mlestate.local.aws.operations import OPERATIONS

ABOUT = (
    "What the AWS APIs take, for the operations that the local cloud checks: types, enumerations, patterns, lengths, "
    "ranges, required members. Patterns that Python's re cannot read are left out. Written by docs/generate.py."
)
# botocore's floor of -2**31 and its like bound nothing that anybody writes.
_LIMITLESS = {2**31 - 1, -(2**31), 2**63 - 1, -(2**63)}


def aws_models() -> str:
    """The text of `components/mlestate/local/data/aws_models.json`."""
    session = botocore.session.get_session()
    shapes: dict[str, dict[str, Any]] = {}
    operations: dict[str, dict[str, str]] = {}
    for service, names in sorted(OPERATIONS.items()):
        model = session.get_service_model(service)
        found = shapes.setdefault(service, {})
        for name in sorted(names):
            if shape := model.operation_model(name).input_shape:
                operations.setdefault(service, {})[name] = _reference(shape, found)
    rows = ",\n".join(
        f'"{service}": {{\n'
        + ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(found.items()))
        + "\n}"
        for service, found in shapes.items()
    )
    head = json.dumps({"about": ABOUT, "source": f"botocore {botocore.__version__}", "operations": operations})
    return f'{head[:-1]},\n"shapes": {{\n{rows}\n}}}}\n'


def _reference(shape: Shape, found: dict[str, Any]) -> str:
    """The name by which a shape is referred to, after it and all that it holds are in `found`."""
    row = dict(_constraints(shape))
    if len(row) == 1 and shape.type_name not in ("structure", "list", "map"):
        return str(row["type"])
    if shape.name not in found:
        found[shape.name] = row
        parts = {name: _reference(part, found) for name, part in _parts(shape)}
        if parts:
            row["parts"] = parts
    return str(shape.name)


def _parts(shape: Any) -> Iterator[tuple[str, Shape]]:
    if shape.type_name == "structure":
        yield from shape.members.items()
    elif shape.type_name == "list":
        yield "member", shape.member
    elif shape.type_name == "map":
        yield "key", shape.key
        yield "value", shape.value


def _constraints(shape: Any) -> Iterator[tuple[str, Any]]:
    yield "type", shape.type_name
    if shape.type_name == "structure" and shape.required_members:
        yield "required", shape.required_members
    if enum := shape.metadata.get("enum"):
        yield "enum", enum
    pattern = _in_python(shape.metadata.get("pattern") or "")
    if pattern not in ("", ".*", "[\\s\\S]*"):
        yield "pattern", pattern
    for bound in ("min", "max"):
        value = shape.metadata.get(bound)
        if value is not None and value not in _LIMITLESS and not (bound == "min" and value == 0 and _sized(shape)):
            yield bound, value


def _sized(shape: Shape) -> bool:
    return shape.type_name in ("string", "list", "map", "blob")


def _in_python(pattern: str) -> str:
    """The pattern as Python reads it: letters and numbers of any script are `\\w`, separators `\\s`; else nothing."""
    for theirs, ours in (("L", r"\w"), ("N", r"\w"), ("Z", r"\s")):
        pattern = pattern.replace(f"\\p{{{theirs}}}", ours)
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    try:
        re.compile(pattern)
    except re.error:
        return ""
    return pattern
