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
from mlestate.policy import settings_in, verdict
from mlestate_policies.formats import as_json as as_policy_json
from mlestate_policies.formats import as_text as as_policy_text

__all__ = ["plan"]


def plan(
    file: Path,
    *,
    scope: str | None,
    as_json: bool,
    export: Path | None,
    against: Path | None,
    policy: bool,
    config: Path | None,
) -> bool:
    """Print the plan, and with `policy` the verdict of the rules; True when the program ran and nothing forbids it.

    Raises:
        InputError: the state to compare with or the rules' configuration cannot be read, or the export cannot be
            written.
    """
    judged = settings_in(config) if policy else None
    console = display.console()
    origin = f"--against {against}"
    before = _checkpoint(against, origin) if against else None
    show = display.Display(console if not as_json else Console(stderr=True), preview=True)
    changing = before is not None and not as_json
    estate = check(file, scope)
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
    report = verdict(rehearsal.state.export(show_secrets=True), judged) if judged else None
    rows = inventory.rows(exported)
    if as_json:
        document = _document(rows, result) | {"unchecked": sorted(rehearsal.unchecked)}
        console.print_json(json.dumps(document | ({"policy": json.loads(as_policy_json(report))} if report else {})))
    elif before is not None:
        show.summary(result)
    else:
        inside = sum(inventory.parts(rows).values())
        console.print(
            f"{file}: {len(rows) + 1} resources, {inside} of them in the cloud and the others the parts and providers "
            f"around them. Nothing was created. {stand_in(estate, scope) or ''}\n",
            highlight=False,
            soft_wrap=True,
        )
        console.print(display.table(rows))
        if figures := summary(estate, rows):
            console.print(f"\n{figures}", highlight=False, soft_wrap=True)
        display.outputs(console, result.outputs)
        display.waiting(console, result.outputs)
        display.unchecked(console, rehearsal.unchecked)
    if report and not as_json:
        console.print(f"\n{as_policy_text(report)}", markup=False, highlight=False, soft_wrap=True)
    return report is None or report.passed


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
