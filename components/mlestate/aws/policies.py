"""IAM documents as plain data, written as canonical JSON so that an unchanged policy never shows as a change."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlestate.names import Names

__all__ = ["Conditions", "Statement", "account_root", "allow", "canonical", "deny", "path", "trust"]

Statement = dict[str, Any]
Conditions = Mapping[str, Mapping[str, Any]]
"""By operator, then by condition key: `{"StringEquals": {"aws:SourceAccount": "111111111111"}}`."""


def allow(sid: str, actions: str | Sequence[str], resources: Any, when: Conditions | None = None) -> Statement:
    """A statement that allows; ``sid`` takes letters and digits alone (IAM, "JSON policy elements: Sid")."""
    return _statement("Allow", sid, actions, resources, when)


def deny(sid: str, actions: str | Sequence[str], resources: Any, when: Conditions | None = None) -> Statement:
    """A statement that no other can outvote."""
    return _statement("Deny", sid, actions, resources, when)


def trust(
    sid: str, principal: Mapping[str, Any], when: Conditions | None = None, action: str = "sts:AssumeRole"
) -> Statement:
    """A statement of who may become a role."""
    condition = {"Condition": when} if when else {}
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, **condition}


def account_root(names: Names) -> dict[str, str]:
    """The account itself as a principal: its own IAM policies then decide who."""
    return {"AWS": names.arn("iam", "root", regional=False)}


def path(names: Names) -> str:
    """The IAM path of every role and policy of an estate, by which all of them can be meant at once."""
    return f"/mlestate/{names.estate}/"


def canonical(statements: Sequence[Statement]) -> str:
    """The document as text: sorted keys and no spaces. A statement about no resource at all says nothing: IAM would
    refuse it, and it is left out."""
    said = [each for each in statements if each.get("Resource") != []]
    return json.dumps({"Version": "2012-10-17", "Statement": said}, sort_keys=True, separators=(",", ":"))


def _statement(
    effect: str, sid: str, actions: str | Sequence[str], resources: Any, when: Conditions | None
) -> Statement:
    condition = {"Condition": when} if when else {}
    return {"Sid": sid, "Effect": effect, "Action": actions, "Resource": resources, **condition}
