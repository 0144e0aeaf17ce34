"""Who does something in the account, as SageMaker and CloudTrail write it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
from botocore.config import Config

__all__ = ["ACCOUNT", "REGION", "Identity", "client_of", "person", "role_session"]

ACCOUNT = "123456789012"
REGION = "ca-central-1"


@dataclass(frozen=True)
class Identity:
    """A session of a role."""

    role: str
    session: str
    source: str | None = None
    """The SourceIdentity that whoever signed in set, and that no later role can change."""

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.session}"

    @property
    def context(self) -> dict[str, object]:
        """What `CreatedBy` and `LastModifiedBy` hold (SageMaker API, UserContext): nothing of Studio's domains."""
        of = {"Arn": self.arn, "PrincipalId": f"AROA{abs(hash_of(self.role)):016d}:{self.session}"}
        return {"IamIdentity": {**of, **({"SourceIdentity": self.source} if self.source else {})}}


def hash_of(text: str) -> int:
    """A number that follows from a name alone."""
    return int.from_bytes(text.encode(), "big") % 10**16


def role_session(arn: str, session: str) -> Identity:
    return Identity(arn.rpartition("/")[2], session)


def person(who: str) -> Identity:
    """``who`` is an e-mail address, the name of a single sign-on session, or `role/session`."""
    role, slash, session = who.partition("/")
    return Identity(role, session) if slash else Identity("people", who)


@cache
def client_of(service: str) -> Any:
    """A client as Step Functions has one, which takes what it is given: whether a request is valid, is asked before."""
    return boto3.client(
        service,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
