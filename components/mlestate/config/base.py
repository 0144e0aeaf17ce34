"""The base of every settings class, and the scalar types that the file is written with."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Settings(BaseModel):
    """A frozen block of the file. Unknown keys are refused and no value is coerced into another type.

    Validators are built on first use: a command that reads one cloud's file pays for one cloud.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


S = TypeVar("S", bound=Settings)


def left_out(settings: type[S]) -> Callable[[], S]:
    """The default factory of a block that is left out: one frozen instance for all, made without a validator."""
    instance: list[S] = []

    def make() -> S:
        if not instance:
            instance.append(cast(S, settings.model_construct()))
        return instance[0]

    return make


class _Written:
    """A value that is parsed from a text of the file, and written as that text again."""

    text: str

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises PydanticCustomError when `value` cannot be read."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema(when_used="json")
        )


@dataclass(frozen=True, order=True)
class Duration(_Written):
    """A length of time as written in the file: a whole number and one of s, m, h, d, w, y (`15m`, `24h`, `7y`).

    A year counts 365.25 days, rounded up to a whole day, so that `7y` (2557 days) never falls short of seven years.
    """

    seconds: int
    text: str = field(compare=False)

    PATTERN: ClassVar[str] = r"^[1-9][0-9]{0,5}(s|m|h|d|w|y)$"
    UNITS: ClassVar[dict[str, float]] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 365.25 * 86400}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises PydanticCustomError when `value` is no duration."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, str) or not re.match(cls.PATTERN, value):
            raise PydanticCustomError(
                "duration",
                "must be a duration: a whole number and one of s, m, h, d, w, y, such as 15m, 24h or 7y",
            )
        seconds = int(value[:-1]) * cls.UNITS[value[-1]]
        if value[-1] == "y":
            seconds = ceil(seconds / 86400) * 86400
        return cls(int(seconds), value)

    @property
    def days(self) -> int:
        """Whole days, rounded up."""
        return -(-self.seconds // 86400)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": cls.PATTERN, "examples": ["15m", "24h", "7y"]}


@dataclass(frozen=True)
class Schedule(_Written):
    """When something runs, in UTC: `hourly`, `daily`, `weekly` or a cron expression of five fields.

    `cron` holds the five fields (minute, hour, day of month, month, day of week with 0 = Sunday) in every case.
    """

    cron: str
    text: str = field(compare=False)

    WORDS: ClassVar[dict[str, str]] = {"hourly": "0 * * * *", "daily": "0 4 * * *", "weekly": "0 4 * * 1"}
    RANGES: ClassVar[tuple[tuple[str, int, int], ...]] = (
        ("minute", 0, 59),
        ("hour", 0, 23),
        ("day of month", 1, 31),
        ("month", 1, 12),
        ("day of week", 0, 7),
    )

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises PydanticCustomError when `value` is no schedule."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            if value in cls.WORDS:
                return cls(cls.WORDS[value], value)
            fields = value.split()
            if len(fields) == len(cls.RANGES):
                for text, (name, low, high) in zip(fields, cls.RANGES, strict=True):
                    if not _cron_field(text, low, high):
                        raise PydanticCustomError(
                            "schedule",
                            "has '{text}' as its {name}, which must be *, a number from {low} to {high}, "
                            "a range, a list, or one of these with a /step",
                            {"text": text, "name": name, "low": low, "high": high},
                        )
                return cls(" ".join(fields), value)
        raise PydanticCustomError(
            "schedule",
            'must be hourly, daily, weekly or a quoted cron expression of five fields in UTC, such as "0 4 * * 1"',
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "anyOf": [{"enum": list(cls.WORDS)}, {"pattern": r"^\s*([0-9*/,-]+\s+){4}[0-9*/,-]+\s*$"}],
            "examples": ["daily", "0 4 * * 1"],
        }


def _cron_field(text: str, low: int, high: int) -> bool:
    for part in text.split(","):
        match = re.fullmatch(r"(\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", part, re.ASCII)
        if match is None:
            return False
        _, first, last, step = match.groups()
        if step is not None and not 1 <= int(step) <= high:
            return False
        if first is not None and not low <= int(first) <= int(last or first) <= high:
            return False
    return True


class Threshold(Settings):
    """A bound that a measured number must keep: `{min: 0.8}` or `{max: 0.01}`."""

    min: float | None = Field(None, description="The lowest value that passes. Left out: there is no lower bound.")
    max: float | None = Field(None, description="The highest value that passes. Left out: there is no upper bound.")


class text:  # noqa: N801  # reads as a word in Annotated[str, text(...)]
    """A string that must match `pattern` as a whole; `sentence` says so to people, after the value: "must be ...".

    Written against pydantic's core schema because it is used sixty times, and `AfterValidator` inspects a signature at
    each.
    """

    __slots__ = ("kind", "pattern", "sentence")

    def __init__(self, kind: str, pattern: str, sentence: str) -> None:
        self.kind = kind
        self.pattern = pattern
        self.sentence = sentence

    def check(self, value: str) -> str:
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise PydanticCustomError(self.kind, self.sentence)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


Name = Annotated[
    str,
    text(
        "name",
        r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,62}",
        "must start with a lower-case letter and hold only lower-case letters, digits and single hyphens, at most 63",
    ),
]
"""A name that becomes part of resource names."""

FieldName = Annotated[
    str,
    text("field_name", r"[A-Za-z][A-Za-z0-9_]{0,62}", "must start with a letter and hold only letters, digits and _"),
]
"""The name of a column, a feature or a metric."""

Principal = Annotated[
    str,
    text(
        "principal",
        r"[^\s](?:[^\r\n\t]{0,510}[^\s])?",
        "must be what the cloud calls a person or group: an SSO group or role ARN on aws, an address on gcp, "
        "an Entra object id on azure",
    ),
]
"""A person or group as the cloud calls it: SSO group or role ARN (AWS), e-mail address (Google), object id (Entra)."""

SecretReference = Annotated[
    str,
    text(
        "secret_reference",
        r"secret:[A-Za-z][A-Za-z0-9_.-]*",
        "must name a key of the Pulumi config, as in secret:slackWebhook; the value itself is set with "
        "`pulumi config set --secret slackWebhook` and never stands in this file",
    ),
]
"""`secret:<key>`: the value lives encrypted in the Pulumi config of the stack under that key."""

Email = Annotated[
    str, text("email", r"[^\s@,]+@[^\s@,]+\.[^\s@,]+", "must be one e-mail address, such as ml-oncall@acme.example")
]

Folder = Annotated[
    str,
    text(
        "folder",
        r"(?:(?!\.{1,2}/)[A-Za-z0-9_.=-]+/){1,32}",
        "must be a folder inside the estate's own storage that ends with /, such as lake/transactions/: no leading /, "
        "no .., no s3://, gs:// or https://",
    ),
]
"""A folder inside the estate's data store, the same on all three clouds. Without the / at the end, a rule for
`lake/churn` would also cover `lake/churn-old/`, since object stores know prefixes, not folders."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
