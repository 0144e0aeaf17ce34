"""All rules over all resources, one verdict: what `mlestate plan --policy` and `mlestate policy check` print."""

import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Rule, Undecided, Violation, rules
from mlestate_policies.settings import Settings, Waiver

__all__ = ["Finding", "Report", "broken", "judge", "level_of", "pack_of", "unchecked_types", "unknown_yet"]

Level = Literal["mandatory", "advisory", "disabled"]
_NOT_CLOUD = ("pulumi:", "mlestate:")


@dataclass(frozen=True)
class Finding:
    """One thing that a rule said, at the level that holds."""

    rule: Rule
    outcome: Literal["violation", "undecided", "failed"]
    level: Level
    urn: str
    path: str
    message: str
    waiver: Waiver | None = None

    @property
    def blocks(self) -> bool:
        """Whether it makes the verdict a failure."""
        return self.level == "mandatory" and self.waiver is None


@dataclass(frozen=True)
class Report:
    """The verdict over an estate."""

    findings: tuple[Finding, ...]
    expired: tuple[Waiver, ...]
    resources: int
    """How many resources of a cloud there are."""
    applied: tuple[Rule, ...]
    """The rules in force."""
    idle: tuple[Waiver, ...]
    """The waivers in force that waived nothing."""
    unchecked: Mapping[str, int]
    """The types that no rule looks at, and how many resources are of each."""

    @property
    def passed(self) -> bool:
        """Nothing mandatory is violated and no waiver is over."""
        return not self.expired and not any(finding.blocks for finding in self.findings)


def judge(inputs: Iterable[Resource], outputs: Iterable[Resource], settings: Settings) -> Report:
    """The verdict of all rules.

    As in Pulumi, rules over one resource see its inputs as the provider checked them, and rules over a stack see the
    outputs; each resource is in both.
    """
    subjects = tuple(inputs)
    estate = Estate(outputs)
    in_force = [(rule, level) for rule in rules() if (level := level_of(rule, settings)) != "disabled"]
    by_type: dict[str, list[tuple[Rule, Level]]] = {}
    for rule, level in in_force:
        if rule.kind == "resource":
            for token in rule.paths:
                by_type.setdefault(token, []).append((rule, level))
    findings: list[Finding] = []
    for subject in subjects:
        for rule, level in (*by_type.get(subject.type, ()), *by_type.get("*", ())):
            findings += _findings(rule, level, subject, subject.urn, settings)
    for rule, level in in_force:
        if rule.kind == "stack":
            findings += _findings(rule, level, estate, "", settings)
    used = {finding.waiver for finding in findings}
    return Report(
        tuple(findings),
        settings.expired,
        sum(not subject.type.startswith(_NOT_CLOUD) for subject in subjects),
        tuple(rule for rule, _ in in_force),
        tuple(each for each in settings.waivers if each not in settings.expired and each not in used),
        unchecked_types(subject.type for subject in subjects),
    )


def level_of(rule: Rule, settings: Settings) -> Level:
    """The level that holds for a rule: set by hand, or by the profile, or its own."""
    if rule.id in settings.levels:
        level = settings.levels[rule.id]
        return "mandatory" if level == "remediate" else level  # outside Pulumi nothing is mended, so it is a violation
    return "disabled" if rule.hardening and "regulated" not in settings.profiles else rule.level


def unchecked_types(tokens: Iterable[str]) -> Mapping[str, int]:
    """The types of a cloud that no rule names, and how often each is among `tokens`."""
    looked_at = {token for rule in rules() for token in rule.paths}
    missed = Counter(token for token in tokens if not token.startswith(_NOT_CLOUD) and token not in looked_at)
    return dict(sorted(missed.items()))


def pack_of(token: str) -> str:
    """The pack that answers for a type: its cloud's, else `any`."""
    package = token.partition(":")[0]
    return {"aws": "aws", "aws-native": "aws", "gcp": "gcp", "google-native": "gcp", "azure-native": "azure"}.get(
        package, "any"
    )


def _findings(rule: Rule, level: Level, subject: Resource | Estate, urn: str, settings: Settings) -> Iterator[Finding]:
    try:
        for found in rule.judge(subject, settings):
            where = found.urn or urn
            waiver = settings.waiver(rule.id, where)
            if isinstance(found, Violation):
                yield Finding(rule, "violation", level, where, found.path, found.message, waiver)
            else:
                blocking = settings.undecided if level == "mandatory" else "advisory"
                yield Finding(rule, "undecided", blocking, where, found.path, unknown_yet(found), waiver)
    except Exception as error:  # a broken rule is told of, and never a pass
        yield Finding(rule, "failed", "mandatory", urn, "", broken(rule, error))


def unknown_yet(found: Undecided) -> str:
    """The sentence for what cannot be decided."""
    return f"{found.path} is known only after the update, or is a secret that cannot be opened here"


def broken(rule: Rule, error: Exception) -> str:
    """The sentence for a rule that raised. The error's own words are left out: they may hold a value that is secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"rule {rule.id} itself failed with {type(error).__name__} at {where}; this resource was not judged by it"
