"""When an environment rests, so that it costs nothing while nobody works."""

from typing import Annotated

from pydantic import Field

from mlestate.config.base import Settings, text

ClockTime = Annotated[
    str,
    text(
        "clock_time", r"([01][0-9]|2[0-3]):[0-5][0-9]", 'must be a time of the day from 00:00 to 23:59, quoted: "19:00"'
    ),
]
TimeZone = Annotated[
    str,
    text(
        "time_zone",
        r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}",
        "must be the name of a time zone in the IANA database, such as America/Toronto",
    ),
]


class OffHours(Settings):
    """When an environment's endpoints are deleted, to come back as they were."""

    stop: ClockTime = Field(description="When endpoints go, quoted. Required.", examples=["19:00"])
    start: ClockTime = Field(description="When they come back, quoted. Required.", examples=["07:00"])
    timezone: TimeZone = Field(
        "UTC", description="The time zone of both, summer time included. Left out: UTC.", examples=["America/Toronto"]
    )
    weekends: bool = Field(
        True,
        description="true leaves them off from Friday's stop to Monday's start, false starts them every day. Left out: "
        "true.",
    )
