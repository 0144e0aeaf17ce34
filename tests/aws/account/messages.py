"""What was published to SNS topics, as people read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from moto.core.exceptions import ServiceException
from moto.sns.models import SNSBackend

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Message", "Messages"]

LONGEST = 262_144


class Invalid(ServiceException):
    code = "InvalidParameter"


@dataclass(frozen=True)
class Message:
    at: datetime
    topic: str
    """The topic's name."""
    subject: str | None
    text: str


@dataclass
class Messages:
    account: Account
    all: list[Message] = field(default_factory=list)

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        publish = SNSBackend.publish

        def published(backend: Any, message: str, arn: str | None, *rest: Any, **named: Any) -> Any:
            subject = named.get("subject")
            # SNS API, Publish: at most 100 printable ASCII characters, no line break.
            if subject is not None and not re.fullmatch(r"[!-~][ -~]{0,99}", subject):
                raise Invalid("Invalid parameter: Subject")
            if len(message.encode()) > LONGEST or not message:
                raise Invalid("Invalid parameter: Message too long" if message else "Invalid parameter: Empty message")
            identifier = publish(backend, message, arn, *rest, **named)
            self.all.append(Message(self.account.clock.now, (arn or "").rpartition(":")[2], subject, message))
            return identifier

        patch.setattr(SNSBackend, "publish", published)
