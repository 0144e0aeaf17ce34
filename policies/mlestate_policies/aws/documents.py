"""IAM policy documents as objects: what their statements allow and deny, to whom, where and under which conditions.

A document is read the way IAM reads it: actions without case, `*` and `?` as wildcards, `NotAction`, `NotResource` and
`NotPrincipal` as everything but. Both sides of a question may hold wildcards: `reaches` asks whether some action on
some resource fits, `covers` whether every one does. What a condition restricts is not evaluated, only shown
(`limited_to`): an Allow under a condition still reaches, and only a Deny without one surely takes away.

    role = [document for node in resource.each("inlinePolicies[].policy") if (document := Document.of(node))]
    reaches(role, "sagemaker:CreateEndpoint")                     # on some resource
    reaches(role, "s3:DeleteObject*", "arn:aws:s3:::audit-logs/*")
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.values import Node

__all__ = ["Condition", "Document", "Principal", "Statement", "covered", "judge_documents", "overlap", "reaches"]

_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_POSITIVE: Final = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
_EVERYTHING: Final = re.compile(r"[*?:]+|arn:[^:]*:[^:]*:[^:]*:([*?]*:|[*?]+:[\w-]+[/:])[*?/:]+")
_OWNERS: Final = (
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:userid",
    "kms:CallerAccount",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
)
"""The condition keys that tie a request to an account, an organisation or a network."""


@dataclass(frozen=True)
class Condition:
    """One test of a condition: `StringEquals`, `aws:SourceAccount` and the values, any of which will do."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def pins(self) -> bool:
        """Whether it holds only where the key is in the request and has one of the values."""
        operator = self.operator.lower().removeprefix("foranyvalue:")
        return operator in _POSITIVE and bool(self.values)

    @property
    def owned(self) -> bool:
        """Whether every value that it holds the key to is somebody's."""
        return self.pins and all(map(_has_an_owner, self.values))


@dataclass(frozen=True)
class Principal:
    """Whom a statement names: of kind `AWS`, `Service`, `Federated` or `CanonicalUser`."""

    kind: str
    value: str

    @property
    def anyone(self) -> bool:
        """It stands for everyone, in every account."""
        if self.kind not in ("AWS", "*"):
            return self.value == "*"
        account = self.value.split(":")[4] if self.value.count(":") >= 5 else self.value
        return "*" in account


@dataclass(frozen=True)
class Statement:
    """One statement. `actions` or `not_actions` is filled, and so with resources; both empty means all resources."""

    index: int
    sid: str
    allows: bool
    """Its effect; otherwise it denies."""
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[Principal, ...]
    not_principals: tuple[Principal, ...]
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """What a message calls it; a Sid is a name, as a resource's is."""
        return f"statement {self.index + 1}{f' ({self.sid})' if re.fullmatch('[A-Za-z0-9]{1,64}', self.sid) else ''}"

    def reaches(self, action: str, resource: str = "*") -> bool:
        """Whether it speaks of some of the actions on some of the resources."""
        return _some(self.actions, self.not_actions, action.lower()) and (
            not (self.resources or self.not_resources) or _some(self.resources, self.not_resources, resource)
        )

    def covers(self, action: str, resource: str = "*") -> bool:
        """Whether it speaks of all of the actions on all of the resources."""
        return _all(self.actions, self.not_actions, action.lower()) and (
            not (self.resources or self.not_resources) or _all(self.resources, self.not_resources, resource)
        )

    @property
    def everywhere(self) -> bool:
        """Whether it speaks of every resource, or every one of a service in all accounts."""
        return bool(self.not_resources) or not self.resources or any(map(_EVERYTHING.fullmatch, self.resources))

    def limited_to(self, *keys: str) -> tuple[str, ...]:
        """The values to which its conditions hold one of the keys; empty where the key may have any or be left out."""
        wanted = {key.lower() for key in keys}
        return tuple(
            value
            for condition in self.conditions
            if condition.pins and condition.key.lower() in wanted
            for value in condition.values
        )

    @property
    def owned(self) -> bool:
        """Whether a condition ties it to an account, an organisation, a network or a resource that has an owner."""
        return any(condition.owned for condition in self.conditions if condition.key.lower() in _OWNER_KEYS)

    @property
    def public(self) -> bool:
        """Whether it allows everyone in every account: no named principal, and no condition that says whose."""
        anyone = bool(self.not_principals) or any(principal.anyone for principal in self.principals)
        return self.allows and anyone and not self.owned


@dataclass(frozen=True)
class Document:
    """The statements of a policy."""

    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, node: Node) -> "Document | None":
        """The document at a node; None where it is not known, not known in all its parts, or no policy."""
        document = node.document()
        return _parsed(document.value) if document.complete and isinstance(document.value, dict) else None

    @property
    def allowing(self) -> tuple[Statement, ...]:
        """The statements that allow."""
        return tuple(statement for statement in self.statements if statement.allows)

    @property
    def denying(self) -> tuple[Statement, ...]:
        """The statements that deny."""
        return tuple(statement for statement in self.statements if not statement.allows)


def reaches(documents: Iterable[Document], action: str, resource: str = "*") -> bool:
    """Whether one who has these policies may do some such action on some such resource.

    A Deny counts when it holds without condition and for all that is asked.
    """
    documents = tuple(documents)
    denied = any(
        not statement.conditions and statement.covers(action, resource)
        for document in documents
        for statement in document.denying
    )
    return not denied and any(
        statement.reaches(action, resource) for document in documents for statement in document.allowing
    )


def judge_documents(
    place: Resource | Node,
    path: str,
    test: Callable[[Document], Iterable[tuple[Statement, str]]],
    *,
    needed: str = "",
) -> Findings:
    """A violation for each statement of the documents behind `path` that `test` names, with what is wrong with it.

    Where there is no document nothing is wrong, unless `needed` says what has to be there.
    """
    for node in place.each(path):
        document = node.document()
        if node.unknown or (not document.absent and not document.complete):
            yield Undecided(node.path)
        elif found := Document.of(node):
            for statement, words in test(found):
                yield Violation(node.path, f"{node.path}: {statement.name} {words}")
        elif not node.absent:
            yield Violation(node.path, f"{node.path} is no policy document in JSON")
        elif needed:
            yield Violation(node.path, f"{node.path} is not set; {needed}")


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text fits two patterns with `*` and `?`; a policy variable stands for any text."""
    one, other = _VARIABLE.sub("*", one), _VARIABLE.sub("*", other)
    begin = min(_literal(one), _literal(other))
    if one[:begin] != other[:begin]:
        return False
    if begin == len(one) == len(other):
        return True
    row = [True]  # row[j]: what was read of `one` and the first j characters of `other` have a text in common
    for theirs in other:
        row.append(row[-1] and theirs == "*")
    for char in one:
        above, row = row, [row[0] and char == "*"]
        for place, theirs in enumerate(other, 1):
            if "*" in (char, theirs):
                row.append(above[place] or row[-1])
            else:
                row.append(above[place - 1] and (char == theirs or "?" in (char, theirs)))
    return row[-1]


def _literal(pattern: str) -> int:
    """How far a pattern goes before its first wildcard."""
    return next((place for place, char in enumerate(pattern) if char in "*?"), len(pattern))


@cache
def covered(pattern: str, asked: str) -> bool:
    """Whether every text that fits `asked` fits `pattern`."""
    steps = (".*" if char == "*" else "[^*]" if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(steps), _VARIABLE.sub("*", asked), re.DOTALL) is not None


def _some(patterns: tuple[str, ...], excepted: tuple[str, ...], asked: str) -> bool:
    if excepted:
        return not any(covered(pattern, asked) for pattern in excepted)
    return any(overlap(pattern, asked) for pattern in patterns)


def _all(patterns: tuple[str, ...], excepted: tuple[str, ...], asked: str) -> bool:
    if excepted:
        return not any(overlap(pattern, asked) for pattern in excepted)
    return any(covered(pattern, asked) for pattern in patterns)


_OWNER_KEYS: Final = frozenset(key.lower() for key in _OWNERS)


def _has_an_owner(value: str) -> bool:
    """Neither anything, nor all addresses, nor an ARN of any account; S3 gives a name to one account only."""
    if value.startswith("arn:"):
        parts = value.split(":", 5)
        bucket = len(parts) == 6 and parts[2] == "s3" and parts[5][0:1] not in ("", "*", "?")
        return bucket or (len(parts) == 6 and re.fullmatch(r"\d{12}", parts[4]) is not None)
    return bool(value.removeprefix("o-").strip("*?:")) and not value.endswith("/0")


def _parsed(document: Mapping[str, Any]) -> Document | None:
    given = document.get("Statement")
    statements = given if isinstance(given, list) else [given]
    if not all(isinstance(each, dict) for each in statements):
        return None
    return Document(tuple(_statement(index, each) for index, each in enumerate(statements)))


def _statement(index: int, given: Mapping[str, Any]) -> Statement:
    return Statement(
        index,
        str(given.get("Sid") or ""),
        str(given.get("Effect")).lower() == "allow",
        tuple(action.lower() for action in _texts(given.get("Action"))),
        tuple(action.lower() for action in _texts(given.get("NotAction"))),
        _texts(given.get("Resource")),
        _texts(given.get("NotResource")),
        tuple(_principals(given.get("Principal"))),
        tuple(_principals(given.get("NotPrincipal"))),
        tuple(_conditions(given.get("Condition"))),
    )


def _principals(given: Any) -> Iterator[Principal]:
    for kind, values in given.items() if isinstance(given, dict) else (("AWS", given),):
        for value in _texts(values):
            yield Principal(str(kind), value)


def _conditions(given: Any) -> Iterator[Condition]:
    for operator, tests in given.items() if isinstance(given, dict) else ():
        for key, values in tests.items() if isinstance(tests, dict) else ():
            yield Condition(str(operator), str(key), _texts(values))


def _texts(given: Any) -> tuple[str, ...]:
    """A text or a list of texts; conditions may also write numbers and switches."""
    values = given if isinstance(given, list) else [given]
    return tuple(
        str(value).lower() if isinstance(value, bool) else str(value)
        for value in values
        if isinstance(value, str | int | float)
    )
