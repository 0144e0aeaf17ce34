"""The words that the rows about a resource type are written in: what it is called, and who takes its inputs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlestate.local.aws.models import ApiShape
from mlestate.local.kind import Kind

HERE = "{account}/{region}/{id}"


def arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def global_arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}::{{account}}:{resource}"


def setting(identity: str = "{bucket}", **outputs: Any) -> Kind:
    """A setting that the API puts: whoever writes last is right."""
    return Kind(identity, outputs)


def document(statements: list[dict[str, Any]], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": statements}, separators=(",", ":"))


@dataclass(frozen=True)
class Operation:
    """The operation of an API behind a resource type.

    `at` says which member a property becomes when the names do not: a path from the structure that the property's
    parent became, after `Operation:` where another operation of the service takes it, or limits that the service's
    documentation gives and its model lacks. `own` are properties that are the provider's, or of no use to the estate:
    they are not checked against the API. `optional` are members that the API requires and the provider fills in.

    The operations are those that terraform-provider-aws calls; the properties that it renames, wraps or adds are told
    by the "Argument Reference" of its documentation, repeated in the docstrings of pulumi_aws.
    """

    service: str
    name: str
    at: Mapping[str, str | ApiShape] = field(default_factory=dict)
    own: str = ""
    optional: str = ""

    @property
    def paths(self) -> Mapping[str, str | ApiShape | None]:
        return {**dict.fromkeys(self.own.split()), **self.at}

    def names(self) -> Iterator[str]:
        """Every operation that the row speaks of."""
        yield self.name
        yield from (said.partition(":")[0] for said in self.at.values() if isinstance(said, str) and ":" in said)


def under(wrapper: str, *names: str) -> Mapping[str, str]:
    """Properties that the API has inside a structure of its request: `rule` as `wrapper.Rule`."""
    return {name: f"{wrapper}.{name[0].upper()}{name[1:]}" for name in names}


def number(least: int, most: int) -> ApiShape:
    return ApiShape("", "integer", {}, least=least, most=most)


def text(most: int) -> ApiShape:
    return ApiShape("", "string", {}, most=most)


def one_of(*values: object) -> ApiShape:
    return ApiShape("", "integer" if isinstance(values[0], int) else "string", {}, enum=tuple(map(str, values)))
