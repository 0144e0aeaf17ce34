"""The grammar of IAM policy documents, as IAM checks it when a policy is put.

Source: IAM user guide, "Grammar of the IAM JSON policy language", "IAM JSON policy elements" and "IAM and AWS STS
quotas"; the services' own limits for resource policies. Whether an action exists is not checked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlestate.local.aws.json_text import Finding, parsed

VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
             "Condition")  # fmt: skip
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_OPERATORS = (
    *(f"String{test}"
      for test in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")),
    *(f"{kind}{test}" for kind in ("Numeric", "Date")
      for test in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")),
    *(f"Arn{test}" for test in ("Equals", "NotEquals", "Like", "NotLike")),
    "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null",
)  # fmt: skip
_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+", re.IGNORECASE)
_ARN = re.compile(r"\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9./_-]+:[^\s]+")  # the keys of an identity provider start with its host and path
_ACCOUNT = re.compile(r"\d{12}|AIDA\w+|AROA\w+|\*")


@dataclass(frozen=True)
class Use:
    """What a policy is attached to: an identity, a role (who may assume it), or a resource.

    `most` is the quota in characters; IAM leaves white space out of the count (`packed`).
    """

    principal: bool
    resource: bool
    most: int
    packed: bool = False
    alphanumeric_sids: bool = False


IDENTITY = Use(principal=False, resource=True, most=6144, packed=True, alphanumeric_sids=True)
INLINE = Use(principal=False, resource=True, most=10240, packed=True, alphanumeric_sids=True)
TRUST = Use(principal=True, resource=False, most=2048, packed=True, alphanumeric_sids=True)
BUCKET = Use(principal=True, resource=True, most=20480)
KEY = Use(principal=True, resource=True, most=32768)
TOPIC = Use(principal=True, resource=True, most=30720)
QUEUE = Use(principal=True, resource=True, most=8192)
REPOSITORY = Use(principal=True, resource=False, most=10240)
GROUP = Use(principal=True, resource=True, most=20480)
ENDPOINT = Use(principal=True, resource=True, most=20480)
BUS = Use(principal=True, resource=True, most=10240)


def policy(use: Use, text: Any) -> Iterator[Finding]:
    """What IAM refuses of a document that is put to a use."""
    document = yield from parsed(text)
    if document is None:
        return
    size = len(re.sub(r"\s", "", text) if use.packed else text) if isinstance(text, str) else 0
    if size > use.most:
        yield (), f"the policy has {size} characters; at most {use.most} are allowed"
    for name in document:
        if name not in ("Version", "Id", "Statement"):
            yield (name,), f"unknown element {name!r}; a policy has Version, Id and Statement"
    if document.get("Version") not in VERSIONS:
        yield ("Version",), f"expected one of {', '.join(map(repr, VERSIONS))}, got {document.get('Version')!r}"
    statements = document.get("Statement")
    listed = [statements] if isinstance(statements, dict) else statements
    if not isinstance(listed, list) or not listed:
        yield ("Statement",), "a policy needs at least one statement"
        return
    sids: set[str] = set()
    for index, statement in enumerate(listed):
        path = ("Statement", index)
        if not isinstance(statement, dict):
            yield path, "a statement is an object"
            continue
        yield from ((path + where, sentence) for where, sentence in _statement(use, statement))
        sid = statement.get("Sid")
        if sid and sid in sids:
            yield (*path, "Sid"), f"two statements have the Sid {sid!r}; it must be unique in a policy"
        sids.add(sid or "")


def _statement(use: Use, statement: Mapping[str, Any]) -> Iterator[Finding]:
    for name in statement:
        if name not in _ELEMENTS:
            yield (name,), f"unknown element {name!r}; allowed are {', '.join(_ELEMENTS)}"
    sid = statement.get("Sid", "")
    if use.alphanumeric_sids and not re.fullmatch("[A-Za-z0-9]*", str(sid)):
        yield ("Sid",), f"a Sid has letters and digits only, got {sid!r}"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield ("Effect",), f"expected 'Allow' or 'Deny', got {statement.get('Effect')!r}"
    yield from _either("Action", statement, needed=True)
    yield from _either("Resource", statement, needed=use.resource)
    yield from _either("Principal", statement, needed=use.principal)
    for name in ("Action", "NotAction"):
        for action in _listed(statement.get(name)):
            if not isinstance(action, str) or not _ACTION.fullmatch(action):
                yield (name,), f"an action is written service:Action, got {action!r}"
    for name in ("Resource", "NotResource"):
        if name in statement and not use.resource and not use.principal:
            continue
        for resource in _listed(statement.get(name)):
            if not isinstance(resource, str) or not _ARN.fullmatch(resource):
                yield (name,), f"a resource is an ARN or *, got {resource!r}"
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            yield from _principal(name, statement[name])
    if "Condition" in statement:
        yield from _condition(statement["Condition"])


def _either(name: str, statement: Mapping[str, Any], *, needed: bool) -> Iterator[Finding]:
    given = [each for each in (name, f"Not{name}") if each in statement]
    if len(given) == 2:
        yield (name,), f"a statement has {name} or Not{name}, not both"
    elif needed and not given:
        yield (name,), f"missing element {name}: this policy needs {name} or Not{name}"
    elif given and not needed:
        yield (given[0],), f"{given[0]} has no place in this policy"
    elif given and not statement[given[0]]:
        yield (given[0],), f"{given[0]} is empty"


def _principal(name: str, principal: Any) -> Iterator[Finding]:
    if principal == "*":
        return
    if not isinstance(principal, dict):
        yield (name,), f"a principal is * or an object, got {principal!r}"
        return
    for kind, values in principal.items():
        if kind not in _PRINCIPALS:
            yield (name, kind), f"unknown principal {kind!r}; allowed are {', '.join(_PRINCIPALS)}"
        for value in _listed(values):
            if not isinstance(value, str) or not _is_principal(kind, value):
                yield (name, kind), f"invalid principal {kind}: {value!r}"


def _is_principal(kind: str, value: str) -> bool:
    if kind == "Service":
        return value.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return bool(_ARN.fullmatch(value) or _ACCOUNT.fullmatch(value)) if kind == "AWS" else bool(value)


def _condition(condition: Any) -> Iterator[Finding]:
    if not isinstance(condition, dict):
        yield ("Condition",), "a condition is an object of operators"
        return
    for operator, tests in condition.items():
        bare = operator.removeprefix("ForAllValues:").removeprefix("ForAnyValue:").removesuffix("IfExists")
        if bare not in _OPERATORS:
            yield ("Condition", operator), f"unknown condition operator {operator!r}"
        if not isinstance(tests, dict) or not tests:
            yield ("Condition", operator), "a condition operator holds an object of condition keys"
            continue
        for key, values in tests.items():
            if not _KEY.fullmatch(key):
                yield ("Condition", operator, key), f"a condition key is written service:key, got {key!r}"
            for value in _listed(values):
                if not isinstance(value, (str, bool, int, float)):
                    yield ("Condition", operator, key), f"a condition's value is a text, got {value!r}"
                elif bare in ("Bool", "Null") and str(value).lower() not in ("true", "false"):
                    yield ("Condition", operator, key), f"{operator} takes true or false, got {value!r}"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
