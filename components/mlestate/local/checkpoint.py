"""The shape of an exported state, checked where it comes in; whoever reads it afterwards relies on it.

Null stands for what is left out, as in Pulumi's own reading. Not checked: that references lead somewhere (a run drops
those that do not), and what is inside inputs and outputs (`Resource.from_json` does, once their secrets are open).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlestate.errors import InputError
from mlestate.local.resource import described, label, problem, refusal

__all__ = ["checked"]

_SALT: Final = re.compile(r"[^:]+:[A-Za-z0-9+/]+={0,2}:.+")


def checked(document: Any, origin: str, remedy: str) -> Mapping[str, Any]:
    """The document, if it is a state of version 3 as `pulumi stack export` writes it.

    Raises:
        InputError: it is not, or a resource uses what the embedded engine does not do. The sentence begins with
            `origin`, names the resource and, where the file is broken, ends with `remedy`.
    """
    for found in _problems(document):
        raise InputError(f"{origin}: {found}; {remedy}")
    state: Mapping[str, Any] = document
    for index, resource in enumerate(state["deployment"].get("resources") or []):
        if refused := refusal(resource):
            raise InputError(f"{origin}: `deployment.resources[{index}]`{label(resource)}: {refused}")
    return state


def _problems(document: Any) -> Iterator[str]:
    if not isinstance(document, Mapping):
        yield f"it is {described(document)}, not a Pulumi state of version 3"
        return
    if (version := document.get("version")) != 3:
        has = f"has version {version!r}" if "version" in document else "has no version"
        yield f"the state {has}; only version 3 of `pulumi stack export` is read"
        return
    if "deployment" not in document:
        yield "it has no `deployment`, so it is not a Pulumi state of version 3"
        return
    deployment = document["deployment"]
    if not isinstance(deployment, Mapping):
        yield f"`deployment` is {described(deployment)} where an object is needed"
        return
    for key, problem_of in (("resources", _resource_problem), ("pending_operations", _pending_problem)):
        given = deployment.get(key)
        if given is None:
            continue
        if not isinstance(given, list):
            yield f"`deployment.{key}` is {described(given)} where a list is needed"
            return
        for index, item in enumerate(given):
            if found := problem_of(item):
                yield f"`deployment.{key}[{index}]`{found}"
    if found := _provider_problem(deployment.get("secrets_providers")):
        yield f"`deployment.secrets_providers`{found}"


def _resource_problem(resource: Any) -> str | None:
    found = problem(resource)
    return f"{label(resource)}: {found}" if found else None


def _pending_problem(operation: Any) -> str | None:
    if not isinstance(operation, Mapping):
        return f" is {described(operation)} where an object is needed"
    if not isinstance(operation.get("type"), str):
        return f": `type` is {described(operation.get('type'))} where a word such as 'creating' is needed"
    replaces = operation.get("replaces")
    if replaces is not None and (isinstance(replaces, bool) or not isinstance(replaces, int)):
        return f": `replaces` is {described(replaces)} where the number of a resource is needed"
    found = _resource_problem(operation.get("resource"))
    return f".resource{found}" if found else None


def _provider_problem(provider: Any) -> str | None:
    if provider is None:
        return None
    if not isinstance(provider, Mapping):
        return f" is {described(provider)} where an object is needed"
    if provider.get("type") != "passphrase":
        return None  # refused by its name when the first secret is opened; a state without secrets needs none
    inner = provider.get("state")
    salt = inner.get("salt") if isinstance(inner, Mapping) else None
    if not isinstance(salt, str) or not _SALT.fullmatch(salt) or len(salt.split(":")[1]) % 4:
        return ".state.salt is not one that Pulumi's passphrase provider writes"
    return None
