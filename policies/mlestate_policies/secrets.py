"""What looks like a secret in text that is none of its places: environment variables, scripts, user data.

Two signs, and no others, so that ARNs, paths, names of secrets and plain settings are left alone: the shape of a
well-known key, and a value that is written out behind a name that says it is secret. Nothing here gives a value back;
what is found is told by its kind, its variable's name and its line.

    secret_behind("DB_PASSWORD", "hunter2")        # "a password"
    secrets_in('#!/bin/sh\\nexport GITHUB_TOKEN=...')  # [Found(2, "a token of GitHub")]
"""

import base64
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.values import Node

__all__ = ["Found", "decoded", "no_secrets_in_text", "no_secrets_in_variables", "secret_behind", "secrets_in"]

_SHAPES: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
        ("an access key of AWS", r"\b(?:AKIA|ASIA)(?!\w*EXAMPLE)[A-Z2-7]{16}\b"),
        ("an API key of Google", r"\bAIza[\w-]{35}(?![\w-])"),
        ("a client secret of Google", r"\bGOCSPX-[\w-]{28}(?![\w-])"),
        ("an access token of Google", r"\bya29\.[\w-]{20,}"),
        ("a storage key of Azure", r"\bAccountKey=[A-Za-z0-9+/]{40,}={0,2}"),
        ("a shared access key of Azure", r"\bSharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}"),
        ("a shared access signature of Azure", r"[?&;]sig=[A-Za-z0-9%+/]{40,}(?:%3D|=)"),
        ("a client secret of Azure", r"(?<![\w~.-])\w{3}8Q~[\w~.-]{34}(?![\w~.-])"),
        ("a token of GitHub", r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{60,}"),
        ("a token of GitLab", r"\bgl(?:pat|rt|dt|ptt)-[\w-]{20,}"),
        ("a token of Hugging Face", r"\bhf_[A-Za-z0-9]{30,}\b"),
        ("an API key of Anthropic", r"\bsk-ant-[\w-]{20,}"),
        ("an API key of OpenAI", r"\bsk-(?:proj|svcacct|admin)-[\w-]{20,}|\bsk-[A-Za-z0-9]{48}\b"),
        ("a token of Databricks", r"\bdapi[0-9a-f]{32}(?:-\d)?\b"),
        ("a token of Pulumi", r"\bpul-[0-9a-f]{40}\b"),
        ("a token of Vault", r"\bhv[sb]\.[\w-]{24,}"),
        ("a token of Slack", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("a webhook of Slack", r"hooks\.slack\.com/services/T\w+/B\w+/\w{20,}"),
        ("a key of Stripe", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
        ("a key of SendGrid", r"\bSG\.[\w-]{16,}\.[\w-]{32,}"),
        ("a token for publishing packages", r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgEI[\w-]{50,}"),
        ("a signed token (JWT)", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}"),
    )
)
_IN_ADDRESS: Final = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:([^\s/@'\"]+)@", re.IGNORECASE)
_BEARER: Final = re.compile(r"\bauthorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token)\s+([\w.+/=~-]{16,})", re.I)

_PASSWORDS: Final = frozenset({"password", "passwd", "passphrase", "pwd", "passcode"})
_SECRET_WORDS: Final = frozenset({"secret", "secrets", "token", "credential", "credentials", "apikey", "pass"})
_KEYS: Final = frozenset(
    {"api", "access", "account", "auth", "client", "encryption", "master", "private", "secret", "signing", "storage"}
)
"""What a key is called that is a secret; `PARTITION_KEY` and `SORT_KEY` are none."""
_ABOUT_A_SECRET: Final = frozenset(
    {
        *("arn", "id", "ids", "name", "names", "path", "file", "dir", "folder", "location", "ref", "reference"),
        *("source", "url", "uri", "host", "endpoint", "server", "issuer", "audience", "scope", "scopes"),
        *("type", "kind", "format", "version", "stage", "ttl", "expiry", "expires", "timeout", "age", "days"),
        *("hours", "minutes", "seconds", "rotation", "length", "size", "limit", "max", "min", "count"),
        *("bucket", "header", "field", "column", "prefix", "suffix", "enabled", "required", "provider"),
        *("manager", "store", "policy", "algorithm", "class", "regex", "pattern", "prompt", "label", "text"),
        *("message", "help", "description"),
    }
)
"""A name that ends so tells of a secret and does not hold it: `DB_SECRET_ARN`, `TOKEN_TTL`."""
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NO_VALUE: Final = frozenset(
    {"true", "false", "yes", "no", "on", "off", "null", "none", "nil", "0", "1", "undefined", "string"}
)
_REFERENCE: Final = re.compile(
    r"""
    arn: | \$ | %\w+%$ | \{\{ | < | @ | \[ | \* + $ | x{3,}$ | \.{3}            # templates and what is blacked out
    | [a-z][a-z0-9+.-]*:// (?! [^/\s]*:[^/\s]*@ )                               # an address without a password
    | (?:secretsmanager|ssm|vault|awssm|keyvault|kms|env|file|sm|ref): | projects/[^/]+/(?:secrets|locations)/
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PATH: Final = re.compile(r"(?:~|\.{0,2})/[\w.@%~+-]*(?:/[\w.@%~+-]*)*$|[a-z][a-z0-9_.-]*(?:/[a-z][a-z0-9_.-]*)+$")
_SLUG: Final = re.compile(r"(?:[A-Za-z]+|\d{1,4})(?:[-_./:](?:[A-Za-z]+|v?\d{1,4}))+$")
"""Words with hyphens or slashes between them, as people name things."""
_ASSIGNED: Final = re.compile(
    r"""
    (?: (?:^|[;&|])\s*(?:(?:export|declare|readonly|local|set|setx|env|ENV|ARG)\s+(?:-\w+\s+)*)*
      | \s(?:-e|--env|--build-arg)[ =] )
    (?P<name>[A-Za-z_][\w-]*) = (?P<value>[^\s'"`;&|(){},\[\]]+) (?=\s|$|[;&|])
    | \s--(?P<option>[A-Za-z][\w-]*) [ =] (?P<argument>[^\s'"`;&|(){},\[\]-][^\s'"`;&|(){},\[\]]*) (?=\s|$|[;&|])
    """,
    re.VERBOSE,
)
"""Without quotes only where a shell assigns, or an option of a command: elsewhere the right side is code."""
_QUOTED: Final = re.compile(
    r"""
    (?<![\w.-])-{0,2}(?P<name>[A-Za-z_][\w.-]*) ['"]?\]? (?:\s*(?:=>|:=|=|:|,)\s*|[ ])
    [rbf]?(?P<mark>['"])(?P<value>[^'"]+)(?P=mark)
    """,
    re.VERBOSE,
)
"""In quotes: an assignment in any language, an entry of YAML or JSON, or the argument of an option."""


@dataclass(frozen=True)
class Found:
    """A secret in a text: where, and what it looks like."""

    line: int
    kind: str


def secret_behind(name: str, value: str) -> str | None:
    """What the value of a variable looks like, or what a document in it holds; None where it looks like no secret."""
    return _named(name, value.strip()) or next((found.kind for found in secrets_in(value)), None)


def secrets_in(text: str) -> list[Found]:
    """What looks like a secret in a script or a file, at most one for a line."""
    return [
        Found(number, kind) for number, line in enumerate(text.splitlines(), 1) if (kind := _in_line(line)) is not None
    ]


def decoded(text: str) -> str:
    """What a text in base64 stands for; the text itself where it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except ValueError:
        return text


def no_secrets_in_text(node: Node, instead: str) -> Findings:
    """Nothing in a script (or its base64) looks like a secret; `instead` says where secrets belong."""
    if node.unknown:
        yield Undecided(node.path)
    for found in secrets_in(decoded(node.text)):
        yield Violation(node.path, f"{node.path}: line {found.line} holds what looks like {found.kind}; {instead}")


def no_secrets_in_variables(node: Node, instead: str) -> Findings:
    """No variable of an object of names and values looks like a secret; `instead` says where secrets belong."""
    if node.unknown or any(value.unknown for _, value in node.items()):
        yield Undecided(node.path)
    for name, value in node.items():
        if kind := secret_behind(name, value.text):
            yield Violation(value.path, f"{value.path} holds what looks like {kind}; {instead}")


def _in_line(line: str) -> str | None:
    named = (_named(name, value) for name, value in _assignments(line))
    return _shape(line) or next((kind for kind in named if kind is not None), None)


def _assignments(line: str) -> Iterator[tuple[str, str]]:
    for found in _QUOTED.finditer(line):
        yield found["name"], found["value"].strip()
    for found in _ASSIGNED.finditer(line):
        yield found["name"] or found["option"], found["value"] or found["argument"]


def _shape(text: str) -> str | None:
    for kind, shape in _SHAPES:
        if shape.search(text):
            return kind
    if any(not _refers(found[1]) for found in _IN_ADDRESS.finditer(text)):
        return "a password in an address"
    if any(not _refers(found[1]) for found in _BEARER.finditer(text)):
        return "a token in a header"
    return None


def _named(name: str, value: str) -> str | None:
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in _ABOUT_A_SECRET or _refers(value):
        return None
    if words[-1] in _PASSWORDS:
        return "a password"
    secret = not _SECRET_WORDS.isdisjoint(words) or (len(words) > 1 and words[-1] == "key" and words[-2] in _KEYS)
    return "a secret" if secret and _random(value) else None


def _refers(value: str) -> bool:
    """Whether a value only says where a secret lies, or is a switch, a placeholder or nothing."""
    return (
        len(value) < 3
        or value.lower() in _NO_VALUE
        or _REFERENCE.match(value) is not None
        or _PATH.match(value) is not None
    )


def _random(value: str) -> bool:
    """Whether nobody thinks of such a text: long enough, without blanks, letters and digits in no order."""
    if len(value) < 16 or re.search(r"\s", value) or not re.search(r"\d", value) or not re.search(r"[A-Za-z]", value):
        return False
    if _SLUG.match(value):
        return False
    length = len(value)
    bits = -sum(count / length * math.log2(count / length) for count in Counter(value).values())
    return bits >= 3
