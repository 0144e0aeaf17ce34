"""`mlestate plan`: the inventory of an estate, or a change to one that stands, read off a rehearsal in memory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from mlestate.blueprint import inventory
from mlestate.errors import InputError
from mlestate.local import display
from mlestate.local.checkpoint import checked
from mlestate.local.engine import Result
from mlestate.local.figures import summary
from mlestate.local.files import parse_json, read_bytes
from mlestate.local.session import check, rehearse, stand_in

__all__ = ["plan"]


def plan(file: Path, *, scope: str | None, as_json: bool, export: Path | None, against: Path | None) -> bool:
    """Print the plan; True when the program ran without an error.

    Raises:
        InputError: the state to compare with cannot be read, or the export cannot be written.
    """
    console = display.console()
    origin = f"--against {against}"
    before = _checkpoint(against, origin) if against else None
    show = display.Display(console if not as_json else Console(stderr=True), preview=True)
    changing = before is not None and not as_json
    config = check(file, scope)
    rehearsal = rehearse(file, scope, against=before, origin=origin, listener=show if changing else show.errors)
    result = rehearsal.result
    if result.failed:
        return False
    exported = rehearsal.state.export()
    if export is not None:
        try:
            export.write_text(json.dumps(exported, indent=2) + "\n")
        except OSError as error:
            raise InputError(f"--export {export}: cannot be written: {error.strerror}") from error
    rows = inventory.rows(exported)
    if as_json:
        console.print_json(json.dumps(_document(rows, result) | {"unchecked": sorted(rehearsal.unchecked)}))
    elif before is not None:
        show.summary(result)
    else:
        inside = sum(inventory.parts(rows).values())
        console.print(
            f"{file}: {len(rows) + 1} resources, {inside} of them in the cloud and the others the parts and providers "
            f"around them. Nothing was created. {stand_in(config, scope) or ''}\n",
            highlight=False,
            soft_wrap=True,
        )
        console.print(display.table(rows))
        if figures := summary(config, rows):
            console.print(f"\n{figures}", highlight=False, soft_wrap=True)
        display.outputs(console, result.outputs)
        display.waiting(console, result.outputs)
        display.unchecked(console, rehearsal.unchecked)
    return True


def _document(rows: list[inventory.Row], result: Result) -> dict[str, Any]:
    return {
        "changes": dict(result.changes),
        "operations": [
            {"op": each.op, "urn": each.urn, "changed": list(each.changed), "replacedBy": list(each.replaced_by)}
            for each in result.operations
            if each.op != "same"
        ],
        "resources": [
            {"type": row.type, "name": row.name, "urn": row.urn, "parent": row.parent, **row.options}
            | {"inputs": row.inputs, "dependencies": list(row.dependencies)}
            for row in rows
        ],
        "outputs": result.outputs,
    }


def _checkpoint(file: Path, origin: str) -> Mapping[str, Any]:
    remedy = f"write one with: pulumi stack export --file {file.name}"
    raw = read_bytes(file, remedy, what=origin)
    try:
        return checked(parse_json(raw), origin, remedy)
    except ValueError as error:
        raise InputError(f"{origin}: cannot be read as an exported state: {error}; {remedy}") from error
