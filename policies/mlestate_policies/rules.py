"""What a rule is, and how one is written: a function, with what a reader and an auditor want to know beside it.

@resource_rule(
    "ML-AWS-SM-003",
    {NOTEBOOK: ("rootAccess",)},
    "Notebook users have no root",
    why="With root a user can switch off what watches the machine.",
    fix='Set rootAccess to "Disabled".',
    severity="high",
    sources=("SageMaker.3", "CKV_AWS_307"),
    evidences=("ISO 42001 A.6.2.8",),
    remedy={"rootAccess": "Disabled"},
)
def notebook_without_root(notebook: Resource, settings: Settings) -> Findings:
    return equals(notebook, "rootAccess", "Disabled")
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Literal, TypeAlias

from mlestate_policies.frameworks import FRAMEWORKS
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

__all__ = ["CLOUDS", "Findings", "Rule", "Undecided", "Violation", "named", "resource_rule", "rules", "stack_rule"]

CLOUDS = ("any", "aws", "gcp", "azure")
"""The packs: one a cloud, and `any` for what holds on all three."""

Level: TypeAlias = Literal["mandatory", "advisory"]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True)
class Violation:
    """What is wrong. `message` says what was found and what is needed; never a value that may be secret."""

    path: str
    message: str
    urn: str = ""
    """In a stack rule the resource it is told of; empty for the stack itself. A resource rule leaves it out."""


@dataclass(frozen=True)
class Undecided:
    """What could not be decided: the value at `path` is known only after the update."""

    path: str
    urn: str = ""


Findings: TypeAlias = Iterable[Violation | Undecided]
ResourceCheck: TypeAlias = Callable[[Resource, Settings], Findings]
StackCheck: TypeAlias = Callable[[Estate, Settings], Findings]


@dataclass(frozen=True)
class Rule:
    """A rule and what is to be known of it."""

    id: str
    """Stable: `ML-AWS-SM-001`."""
    cloud: str
    """One of `CLOUDS`: the pack it is in."""
    kind: Literal["resource", "stack"]
    statement: str
    """What holds when the rule is kept."""
    why: str
    fix: str
    severity: Severity
    level: Level
    """In production, before a profile or a configuration says otherwise."""
    hardening: bool
    """It asks for what costs money or a network of one's own: left out of the profile `baseline`."""
    sources: tuple[str, ...]
    """The rules of other scanners that ask the same; empty where nobody else asks."""
    evidences: tuple[str, ...]
    """The clauses of `frameworks` that it is evidence for."""
    paths: Mapping[str, tuple[str, ...]]
    """The type tokens that it looks at, and the property paths it reads there (`[]` for every item)."""
    remedy: Mapping[str, Any]
    """Property paths and the values that mend a violation without cost and without replacing anything."""
    check: Callable[[Any, Settings], Findings] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The policy's name in Pulumi: `ml-aws-sm-001-notebook-has-no-direct-internet`."""
        return f"{self.id.lower()}-{self.check.__name__.replace('_', '-')}"

    def judge(self, subject: Resource | Estate, settings: Settings) -> Findings:
        """What the rule finds, each thing once.

        Raises:
            Exception: whatever a broken rule raises; who runs rules reports it and never takes it for a pass.
        """
        return dict.fromkeys(self.check(subject, settings))


_registered: dict[str, Rule] = {}


def resource_rule(
    id: str,  # noqa: A002  the word that every scanner uses
    paths: Mapping[str, tuple[str, ...]],
    statement: str,
    *,
    why: str,
    fix: str,
    severity: Severity,
    level: Level = "mandatory",
    hardening: bool = False,
    sources: tuple[str, ...] = (),
    evidences: tuple[str, ...] = (),
    remedy: Mapping[str, Any] | None = None,
) -> Callable[[ResourceCheck], ResourceCheck]:
    """A rule over one resource of the types that `paths` names."""

    def register(check: ResourceCheck) -> ResourceCheck:
        _register(
            Rule(
                id,
                _cloud(check),
                "resource",
                statement,
                why,
                fix,
                severity,
                level,
                hardening,
                sources,
                evidences,
                paths,
                remedy or {},
                check,
            )
        )
        return check

    return register


def stack_rule(
    id: str,  # noqa: A002
    paths: Mapping[str, tuple[str, ...]],
    statement: str,
    *,
    why: str,
    fix: str,
    severity: Severity,
    level: Level = "mandatory",
    hardening: bool = False,
    sources: tuple[str, ...] = (),
    evidences: tuple[str, ...] = (),
) -> Callable[[StackCheck], StackCheck]:
    """A rule over all resources of a stack. It says of each finding which resource it is told of."""

    def register(check: StackCheck) -> StackCheck:
        _register(
            Rule(
                id,
                _cloud(check),
                "stack",
                statement,
                why,
                fix,
                severity,
                level,
                hardening,
                sources,
                evidences,
                paths,
                {},
                check,
            )
        )
        return check

    return register


def _register(rule: Rule) -> None:
    if rule.id in _registered:
        raise ValueError(f"two rules are called {rule.id}")
    for clause in rule.evidences:
        if not clause.startswith(tuple(FRAMEWORKS)):
            raise ValueError(f"{rule.id}: {clause!r} names none of the frameworks {', '.join(FRAMEWORKS)}")
    _registered[rule.id] = rule


def _cloud(check: Callable[[Any, Settings], Findings]) -> str:
    """The pack of a rule: the package that its module stands in."""
    return check.__module__.split(".")[1]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    for cloud in CLOUDS:
        package = import_module(f"mlestate_policies.{cloud}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return tuple(_registered[each] for each in sorted(_registered))


@cache
def named() -> Mapping[str, Rule]:
    """Every rule by what a configuration may call it: its id, its id in lower case, its name in Pulumi."""
    return {key: rule for rule in rules() for key in (rule.id, rule.id.lower(), rule.name)}


def undecided(nodes: Iterable[Node], urn: str = "") -> Findings:
    """An `Undecided` for each node that is not fully known."""
    return [Undecided(node.path, urn) for node in nodes if not node.complete and not node.absent]
