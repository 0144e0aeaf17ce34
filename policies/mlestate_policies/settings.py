"""What an organisation decides: profiles, limits, levels, waivers. Read from a file by `configuration`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias

from mlestate_policies.resources import Resource

__all__ = ["LIMITS", "PROFILES", "LevelName", "Limit", "Settings", "Waiver", "limit"]

PROFILES: Final = {
    "baseline": "What every estate keeps: nothing that costs money or asks for a network or keys of one's own.",
    "regulated": "Also what hardens: own keys, private networks, protection from deletion, owners, longer retention.",
    "canada": "Data, replicas, keys and logs stay in Canada.",
    "quebec": "They stay in Québec (Montréal, Québec City), where Law 25 asks for an assessment before they leave.",
}
"""The profiles; several may be chosen, and `baseline` is what holds when none is."""

LimitValue: TypeAlias = float | tuple[str, ...]
LevelName: TypeAlias = Literal["mandatory", "advisory", "remediate", "disabled"]
"""Pulumi's enforcement levels."""


@dataclass(frozen=True)
class Limit:
    """A number or a list of words that an organisation may set, under `limits` of a configuration."""

    name: str
    default: LimitValue
    description: str
    profiles: Mapping[str, LimitValue]
    """What the value is under a profile."""


LIMITS: Final[dict[str, Limit]] = {}
"""Every limit by its name: those here, and those that a rule's module declares beside the rule."""


def limit(name: str, default: LimitValue, description: str, **profiles: LimitValue) -> Limit:
    """Declare a limit: `IDLE = limit("idleMinutes", 120, "Minutes after which idle apps are shut down", regulated=60)`.

    Names are in camelCase, as Pulumi's configuration writes them, and unique.
    """
    if name in LIMITS:
        raise ValueError(f"two limits are called {name}")
    LIMITS[name] = declared = Limit(name, default, description, profiles)
    return declared


NON_PRODUCTION: Final = limit(
    "nonProduction",
    (
        *("dev", "development", "test", "qa", "sandbox", "experiment"),
        *("stage", "staging", "stg", "uat", "preprod", "preproduction"),
    ),
    "The environments (tag or label `environment`) where rules on replicas, releases and deletion do not apply; "
    "every other, also a resource that names none, is held to production's rules",
)
ALLOWED_REGIONS: Final = limit(
    "allowedRegions",
    (),
    "The regions where resources, replicas, keys and logs may lie; empty where residency is nobody's demand",
    canada=(
        *("ca-central-1", "ca-west-1"),
        *("northamerica-northeast1", "northamerica-northeast2"),
        *("canadacentral", "canadaeast"),
    ),
    quebec=("ca-central-1", "northamerica-northeast1", "canadaeast"),
)
RETENTION_DAYS: Final = limit(
    "retentionDays",
    90,
    "Days for which logs, captured predictions and audit records are kept at least: for a year where an estate is "
    "regulated, which is more than the six months that the EU AI Act asks in articles 19 and 26(6)",
    regulated=365,
)
SAMPLING_PERCENT: Final = limit(
    "samplingPercent",
    1,
    "Percent of an endpoint's requests that are captured at least",
    regulated=100,
    quebec=100,
)
RECORD_STORES: Final = limit(
    "recordStores",
    ("*-audit-audit-logs", "*audit-trail*", "*cloudtrail*"),
    "Logical names (with `*`) of the buckets, containers and stores that hold the audit trail or records of decisions, "
    "and so are locked; the first is what mlestate's own estates call it",
)


@dataclass(frozen=True)
class Waiver:
    """A violation that somebody answers for, until a day."""

    rule: str
    """The rule's id."""
    urn: str
    """A URN, with `*` for any text."""
    owner: str
    reason: str
    expires: date

    def covers(self, rule: str, urn: str) -> bool:
        """Whether the waiver is for this violation; expired or not."""
        return rule == self.rule and fnmatchcase(urn, self.urn)

    def __str__(self) -> str:
        return f"{self.rule} for {self.urn}, by {self.owner} until {self.expires}: {self.reason}"


@dataclass(frozen=True)
class Settings:
    """What holds in a run."""

    profiles: tuple[str, ...] = ("baseline",)
    limits: Mapping[str, LimitValue] = field(default_factory=dict)
    """Only those that differ from the profiles'."""
    levels: Mapping[str, LevelName] = field(default_factory=dict)
    """By the rule's id; only those that differ from the rules' own."""
    waivers: tuple[Waiver, ...] = ()
    undecided: Literal["advisory", "mandatory"] = "advisory"
    """Whether what cannot be decided yet stops a run."""
    today: date = field(default_factory=date.today)

    def __getitem__(self, which: Limit) -> Any:
        """The value of a limit: set by hand, or by the last of the profiles that has one, or the default."""
        if which.name in self.limits:
            return self.limits[which.name]
        for profile in reversed(self.profiles):
            if profile in which.profiles:
                return which.profiles[profile]
        return which.default

    def production(self, resource: Resource) -> bool:
        """Whether rules that hold in production alone hold for a resource: unless its tag names another environment."""
        return resource.tag("environment").text.lower() not in self[NON_PRODUCTION]

    def named(self, resource: Resource, which: Limit) -> bool:
        """Whether a limit that lists logical names (with `*`, in lower case) lists this resource's."""
        return any(fnmatchcase(resource.name.lower(), pattern) for pattern in self[which])

    def keeps_records(self, resource: Resource) -> bool:
        """Whether a store holds the audit trail or records of decisions."""
        return self.named(resource, RECORD_STORES)

    def waiver(self, rule: str, urn: str) -> Waiver | None:
        """The waiver in force for a violation."""
        for waiver in self.waivers:
            if waiver.covers(rule, urn) and waiver.expires >= self.today:
                return waiver
        return None

    @property
    def expired(self) -> tuple[Waiver, ...]:
        """The waivers that are over: each fails a run by itself."""
        return tuple(waiver for waiver in self.waivers if waiver.expires < self.today)
