"""What an estate is made of in figures: cost and quotas, read off a rehearsal in memory."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mlestate.blueprint.cost import Estimate, estimate, priced, prices, spent_while_idle
from mlestate.blueprint.inventory import Row, rows
from mlestate.blueprint.quotas import Need, needs
from mlestate.config.estate import Estate
from mlestate.estate import slices
from mlestate.local import display
from mlestate.local.session import check, rehearse

__all__ = ["cost", "recorded", "summary"]


def recorded(file: Path, scope: str | None) -> list[Row] | None:
    """The rows that the program registers for a checked file; None when it failed, which has been told then."""
    rehearsal = rehearse(file, scope, listener=display.Display(Console(stderr=True)).errors)
    return None if rehearsal.result.failed else rows(rehearsal.state.export())


def cost(file: Path, scope: str | None, *, as_json: bool) -> bool:
    """Print what an estate costs a day; True when the program ran without an error.

    Raises:
        InputError: the file is wrong, or there is no price table of its cloud.
    """
    config = check(file, scope)
    prices(config.cloud)
    registered = recorded(file, scope)
    if registered is None:
        return False
    total = estimate(registered, config.cloud, config.region)
    console = display.console()
    if as_json:
        console.print_json(json.dumps(_document(file, total)))
    else:
        _print(console, file, total)
        if waiting := _waiting(config, scope):
            console.print(
                f"\nNot in it: what answers for {', '.join(waiting)}, made with a first approved version, which "
                "serving.initial_version names. Write it to see what that will cost.",
                highlight=False,
                soft_wrap=True,
            )
        for slice_, limit, needed in spent_while_idle(registered, total):
            console.print(
                f"\nThe budget of {slice_}, USD {limit:.0f} a month, is spent by what bills while idle: USD "
                f"{needed:.0f}.",
                highlight=False,
                soft_wrap=True,
            )
    return True


def _waiting(config: Estate, scope: str | None) -> list[str]:
    """The models that will answer somewhere in this scope, and have no version there to begin with."""
    environments = [name for name in slices(config, scope) if name in config.environments]
    return [
        name
        for name in config.models
        if any(
            serving.mode != "none" and serving.initial_version is None
            for serving in (config.model(name, environment).serving for environment in environments)
        )
    ]


def summary(config: Estate, registered: Sequence[Row]) -> str | None:
    """One line on idle cost and quotas; None for a cloud without a price table."""
    if not priced(config.cloud):
        return None
    total = estimate(registered, config.cloud, config.region)
    machines = _machines(needs(registered))
    wanted = f" Quotas to have: {machines} (mlestate doctor)." if machines else ""
    return f"USD {total.idle:.2f} a day idle, USD {total.full:.2f} at full size (mlestate cost).{wanted}"


MOST_QUOTAS = 3
"""How many quotas the line of a plan names: those of which most is needed."""


def _machines(found: Sequence[Need]) -> str:
    """What an account may have too little of: machines by type and use."""
    asked: dict[str, int] = {}
    for need in found:
        if need.quota.name.startswith("ml."):
            asked[need.quota.name] = asked.get(need.quota.name, 0) + need.amount
    most = sorted(asked.items(), key=lambda each: (-each[1], each[0]))
    named = ", ".join(f"{amount} {name}" for name, amount in most[:MOST_QUOTAS])
    return named + (f" and {len(most) - MOST_QUOTAS} more" if len(most) > MOST_QUOTAS else "")


def _print(console: Console, file: Path, total: Estimate) -> None:
    grid = Table("part", "model", "what", "idle", "full size", box=None, header_style="dim", pad_edge=False)
    for (slice_, part, model, item), (idle, full) in total.by("slice", "part", "model", "item").items():
        where = f"{slice_} {part.partition(' ')[2]}"
        grid.add_row(where, model, item, f"{idle:.3f}", f"{full:.3f}")
    grid.add_section()
    grid.add_row("together", "", "", f"{total.idle:.3f}", f"{total.full:.3f}")
    for column in grid.columns[3:]:
        column.justify = "right"
    console.print(f"{file} in {total.region}, US dollars a day:\n", highlight=False, soft_wrap=True)
    console.print(grid)
    for line in _caveats(total):
        console.print(f"\n{line}", highlight=False, soft_wrap=True)


def _caveats(total: Estimate) -> list[str]:
    lines = [
        f"List prices of {total.as_of}, without free tiers, taxes and discounts. What bills by use (storage, requests, "
        "messages) is not in it. Full size is every machine that scaling allows, all day, and every scheduled job. "
        "An endpoint that rests off hours, or is stopped when nobody asks it, is counted as if it were always on."
    ]
    if not total.own_prices:
        lines.append(f"The table has no prices of {total.region}: those of us-east-1 stand in.")
    if total.unpriced:
        unknown = ", ".join(f"{number} {name}" for name, number in sorted(total.unpriced.items()))
        lines.append(f"Not in the table, so not in the sum: {unknown}.")
    return lines


def _document(file: Path, total: Estimate) -> dict[str, object]:
    return {
        "file": str(file),
        "region": total.region,
        "pricesOf": total.as_of,
        "ownPrices": total.own_prices,
        "unit": "USD a day",
        "idle": round(total.idle, 4),
        "full": round(total.full, 4),
        "charges": [
            {
                "resource": charge.row,
                "slice": charge.slice,
                "part": charge.part,
                "model": charge.model,
                "item": charge.item,
                "idle": round(charge.idle, 4),
                "full": round(charge.full, 4),
            }
            for charge in total.charges
        ],
        "unpriced": dict(total.unpriced),
    }
