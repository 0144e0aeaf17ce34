"""What several rules of Google Cloud read: durations, the accounts that every project has, keys and private ways in."""

import re
from collections.abc import Callable
from typing import Final

from mlestate_policies.checks import Place, holds, is_set
from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.values import Node

__all__ = ["DAY", "has_own_account", "has_own_key", "is_default_account", "is_private", "lasts", "seconds"]

DAY: Final = 86_400
"""Seconds of a day."""

_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)s?$")
_DEFAULT_ACCOUNT: Final = re.compile(
    r"(?:^|:)[^@:]+-compute@developer\.gserviceaccount\.com$|@appspot\.gserviceaccount\.com$"
)


def seconds(node: Node) -> float | None:
    """A known duration such as `7776000s`, or a number of seconds."""
    if node.number is not None:
        return node.number
    found = _DURATION.match(node.text)
    return float(found[1]) if found else None


def lasts(
    place: Place, path: str, test: Callable[[float], bool], needed: str, *, absent_passes: bool = False
) -> Findings:
    """The duration is one for which `test` is true; `needed` says which those are."""
    return holds(
        place,
        path,
        lambda node: (length := seconds(node)) is not None and test(length),
        f"it has to be {needed}",
        absent_passes=absent_passes,
    )


def is_default_account(text: str) -> bool:
    """Whether a service account, or a member of a grant, is one that Google makes in every project."""
    return _DEFAULT_ACCOUNT.search(text.lower()) is not None


def has_own_account(place: Place, path: str) -> Findings:
    """The work runs as a service account that was made for it."""
    return holds(
        place,
        path,
        lambda node: bool(node.text) and not is_default_account(node.text),
        "it has to be a service account made for this work, not the one that Compute Engine gives to everything",
    )


def has_own_key(place: Place, path: str) -> Findings:
    """A key of Cloud KMS is named."""
    return is_set(place, path, "without a key of one's own Google alone decides who can read it")


def is_private(place: Place, switch: str, *instead: str) -> Findings:
    """Private Service Connect is switched on, or one of the other ways into a network is set."""
    if any(not place.at(path).absent for path in instead):
        return
    node = place.at(switch)
    if node.unknown:
        yield Undecided(node.path)
    elif not (node.known and node.true):
        others = "".join(f" and {path} is not set" for path in instead)
        yield Violation(node.path, f"{node.path} is not true{others}; it is reached over the internet")
