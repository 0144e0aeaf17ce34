"""IAM's verdict on a request, computed offline: identity policies, a boundary, a resource policy, and conditions.

Rules: IAM user guide, "Policy evaluation logic", "Conditions with multiple context keys or values", "Evaluation logic
for policies with multivalued context keys", "Policy variables" and "Permissions boundaries for IAM entities". Not here,
because no policy of an estate uses them: service and resource control policies, session policies, variables in
resources or with a default, dates, addresses. What is not known is an error and never a verdict.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Document = Mapping[str, Any]
Context = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Request:
    """Who asks for what."""

    principal: str
    """The ARN of a role or user, or a service such as `states.amazonaws.com`."""
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    """By condition key, of any case; a key that is not here is not in the request."""

    @property
    def account(self) -> str:
        return self.principal.split(":")[4] if self.principal.startswith("arn:") else ""


@cache
def document(text: str) -> Document:
    parsed: Document = json.loads(text)
    return parsed


def allowed(
    request: Request,
    identity: Sequence[Document],
    boundary: Document | None = None,
    resource: Document | None = None,
    *,
    owner: str | None = None,
    resource_decides: bool = False,
) -> bool:
    """The verdict.

    ``owner`` is the account of the resource; another than the caller's needs the resource's own policy to allow it.
    ``resource_decides``: nothing is allowed that the resource's policy does not allow, or leave to its account (keys
    and roles).
    """
    documents = [*identity, *([boundary] if boundary else []), *([resource] if resource else [])]
    if any(_says(each, "Deny", request) for each in documents):
        return False
    by_identity = any(_says(each, "Allow", request) for each in identity)
    within = boundary is None or _says(boundary, "Allow", request)
    by_resource = resource is not None and _says(resource, "Allow", request, named=True)
    delegated = resource is not None and _says(resource, "Allow", request, named=False)
    if owner is not None and owner != request.account:
        return by_identity and within and (by_resource or delegated)
    if resource_decides:
        return within and (by_resource or (delegated and by_identity))
    return within and (by_identity or by_resource)


def believes(trust: Document, request: Request) -> bool:
    """Whether a role's trust policy lets the principal become it.

    A statement for a whole account believes whoever in it meets its conditions: their own policies are not looked at.
    """
    return not _says(trust, "Deny", request) and _says(trust, "Allow", request)


def _says(document: Document, effect: str, request: Request, named: bool | None = None) -> bool:
    """Whether a statement of that effect applies; ``named``: to the principal itself, or to its account as a whole."""
    return any(
        statement["Effect"] == effect
        and _whom(statement, request, named)
        and _matches(statement, "Action", request.action, lower=True)
        and _matches(statement, "Resource", request.resource)
        and all(
            _holds(operator, key, wanted, request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
        for statement in _list(document["Statement"])
    )


def _whom(statement: Mapping[str, Any], request: Request, named: bool | None) -> bool:
    if "Principal" not in statement:
        return True
    principal = statement["Principal"]
    if principal == "*" or principal == {"AWS": "*"}:
        return named is not False
    account = f":iam::{request.account}:root"
    whole = any(each.endswith(account) for each in _list(principal.get("AWS", [])) if request.account)
    itself = request.principal in [
        each for kind in ("AWS", "Service", "Federated") for each in _list(principal.get(kind, []))
    ]
    if named is None:
        return whole or itself
    return itself if named else whole


def _matches(statement: Mapping[str, Any], element: str, value: str, lower: bool = False) -> bool:
    if element not in statement and f"Not{element}" not in statement:
        return True  # a trust policy names no resource, and a repository's policy stands for the repository
    patterns = _list(statement.get(element, statement.get(f"Not{element}")))
    if element == "Resource":
        _refuse_types_by_wildcard(patterns)
    found = any(glob(each.lower() if lower else each, value.lower() if lower else value) for each in patterns)
    return found is (element in statement)


def _refuse_types_by_wildcard(patterns: Sequence[str]) -> None:
    """The type of a resource in an ARN is written out (AWS General Reference, "Paths in ARNs"); S3 has no types."""
    for each in patterns:
        service, rest = (each.split(":", 5) + [""] * 6)[2], each.split(":", 5)[-1]
        if service != "s3" and "/" in rest and "*" in rest.partition("/")[0]:
            raise ValueError(f"{each} has a wildcard where the type of a resource stands")


def glob(pattern: str, value: str) -> bool:
    if "${" in pattern:
        raise NotImplementedError(f"policy variables: {pattern}")
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(each, re.escape(each)) for each in pattern), value, re.DOTALL) is not None


def _same_arn(pattern: str, value: str) -> bool:
    """An ARN is compared part by part: a wildcard does not reach over a colon, but for the resource at its end."""
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(glob(*pair) for pair in zip(wanted, given, strict=True))


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": glob,
    "ArnEquals": _same_arn,
    "ArnLike": _same_arn,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "NumericEquals": lambda wanted, given: float(given) == float(wanted),
    "NumericGreaterThan": lambda wanted, given: float(given) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, given: float(given) >= float(wanted),
    "NumericLessThan": lambda wanted, given: float(given) < float(wanted),
    "NumericLessThanEquals": lambda wanted, given: float(given) <= float(wanted),
}


def _holds(operator: str, key: str, wanted: Any, context: Context) -> bool:
    given = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    wanted = [str(each) for each in _list(wanted)]
    if operator == "Null":
        return (given is None) is (wanted == ["true"])
    quantifier, _, plain = operator.rpartition(":")
    optional = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    negated = "Not" in plain
    filled = [text for each in wanted if (text := _filled(each, context)) is not None]
    if negated and filled != wanted:
        raise NotImplementedError(f"a variable in {operator}")
    wanted = filled
    compare = OPERATORS[plain.replace("Not", "")]

    def one(value: str) -> bool:
        return any(compare(each, value) for each in wanted) != negated

    if quantifier == "ForAnyValue":
        return given is not None and any(one(each) for each in _list(given))
    if quantifier == "ForAllValues":
        return given is None or all(one(each) for each in _list(given))
    if quantifier:
        raise NotImplementedError(operator)
    if given is None:
        return optional or negated
    if not isinstance(given, str):
        raise ValueError(f"{key} has several values, and {operator} compares one")
    return one(given)


def _filled(text: str, context: Context) -> str | None:
    """The text with its policy variables; None where one of them is not in the request, which nothing then equals."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        given = next((each for name, each in context.items() if name.lower() == match[1].lower()), None)
        if given is None:
            missing = True
            return ""
        if not isinstance(given, str) or "," in match[1] or set("*?") & set(given):
            raise NotImplementedError(f"a variable of this kind: {text}")
        return given

    filled = re.sub(r"\$\{(.*?)\}", value, text)
    return None if missing else filled


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
