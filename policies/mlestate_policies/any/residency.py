"""Copies and references stay in the allowed regions. Where each resource itself lies is asked of each by itself.

Of references only what is known is judged: that each of an estate's names is not known before its first update would
be told of a thousand times.
"""

import re
from collections.abc import Iterator
from typing import Final

from mlestate_policies.any.reach import texts
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import ALLOWED_REGIONS, Settings
from mlestate_policies.values import Node

_S3_REPLICATION: Final = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
_S3_BUCKET: Final = "aws:s3/bucket:Bucket"
_GOOGLE_SECRET: Final = "gcp:secretmanager/secret:Secret"  # noqa: S105  a type
_COPIES: Final = {
    "aws:secretsmanager/secret:Secret": ("replicas[].region",),
    "aws:ecr/replicationConfiguration:ReplicationConfiguration": (
        "replicationConfiguration.rules[].destinations[].region",
    ),
    "aws:dynamodb/table:Table": ("replicas[].regionName",),
    _GOOGLE_SECRET: ("replication.userManaged.replicas[].location",),
    "azure-native:machinelearningservices:Registry": ("regionDetails[].location",),
    "azure-native:cosmosdb:DatabaseAccount": ("locations[].locationName",),
}
_NO_CLOUD: Final = ("pulumi:", "mlestate:")
_ARN: Final = re.compile(r"arn:aws[\w-]*:[\w-]+:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):\S+")
_GOOGLE: Final = re.compile(r"\S*projects/\S+/(?:locations|regions)/(?P<region>[a-z]+-[a-z]+\d+|us|eu|asia)(?:/\S*)?")


@stack_rule(
    "ML-STK-13",
    {
        **_COPIES,
        _GOOGLE_SECRET: (*_COPIES[_GOOGLE_SECRET], "replication.auto"),
        _S3_REPLICATION: ("rules[].destination.bucket",),
    },
    "Copies of data, secrets, images and models, and all that resources refer to, lie in the allowed regions",
    why="Where a copy or a sink lies is where the data lies, whatever the region of the first store.",
    fix="Name allowed regions for replicas, sinks and keys; where data has to leave, waive the rule and cite the "
    "assessment that allows it.",
    severity="critical",
    evidences=("Law 25 s.17", "PIPEDA 4.1.3"),
)
def copies_stay_in_allowed_regions(estate: Estate, settings: Settings) -> Findings:
    allowed = {_squeezed(each) for each in settings[ALLOWED_REGIONS]}
    if not allowed:
        return
    for token, paths in _COPIES.items():
        for resource in estate.of(token):
            for path in paths:
                for node in resource.each(path):
                    yield from _judged(resource, node, allowed)
    for secret in estate.of(_GOOGLE_SECRET):
        node = secret.at("replication.auto")
        if not node.absent:
            yield Violation(node.path, f"{node.path} lets Google choose the regions; they have to be named", secret.urn)
    for replication in estate.of(_S3_REPLICATION):
        yield from _replicated(estate, replication, allowed)
    for resource in estate.resources:
        if not resource.type.startswith(_NO_CLOUD):
            yield from _references(resource, allowed)


def _judged(resource: Resource, node: Node, allowed: set[str]) -> Iterator[Violation | Undecided]:
    if node.unknown:
        yield Undecided(node.path, resource.urn)
    elif node.known and _squeezed(node.text) not in allowed:
        yield Violation(
            node.path, f"{node.path} is {_place(node.text)}; a copy has to lie in an allowed region", resource.urn
        )


def _replicated(estate: Estate, replication: Resource, allowed: set[str]) -> Iterator[Violation | Undecided]:
    path = "rules[].destination.bucket"
    buckets = estate.linked(replication, path, _S3_BUCKET).found
    if not buckets:
        yield Undecided(path, replication.urn)  # a bucket of elsewhere, whose region its ARN does not say
    for bucket in buckets:
        region = bucket.at("region") if not bucket.at("region").absent else bucket.provider.at("region")
        if region.unknown or region.absent:
            yield Undecided(path, replication.urn)
        elif _squeezed(region.text) not in allowed:
            yield Violation(
                path,
                f"{path} leads to {bucket.name} in {_place(region.text)}; a copy has to lie in an allowed region",
                replication.urn,
            )


def _references(resource: Resource, allowed: set[str]) -> Iterator[Violation]:
    for key, node in resource.properties.items():
        for text in texts(node):
            found = _ARN.fullmatch(text) or _GOOGLE.fullmatch(text)
            region = found["region"] if found else ""
            if region and _squeezed(region) not in allowed:
                yield Violation(
                    key, f"{key} refers to what lies in {region}; it has to lie in an allowed region", resource.urn
                )


def _squeezed(region: str) -> str:
    """One spelling: `Canada Central` is `canadacentral`."""
    return region.replace(" ", "").lower()


def _place(region: str) -> str:
    return region if re.fullmatch(r"[\w -]{1,40}", region) else "elsewhere"
