"""What holds for the machines of every SageMaker job: the key of their disks, the traffic between them."""

import re
from typing import Final

from mlestate_policies.checks import Place, is_true
from mlestate_policies.rules import Findings, Undecided, Violation
from mlestate_policies.values import Node

__all__ = ["disk_has_key", "takes_no_key", "traffic_is_encrypted"]

_OWN_DISKS: Final = re.compile(r"ml\.([a-z]+\d+[a-z]*d[a-z]*|g[56]e?|gr6|g7e|p[56]\S*|trn\d\w*|i\d\w*)\.\w+")
"""The instance types whose disks are part of the machine: families with a `d` in their name, and those of GPUs and
chips that have them without saying so. The hardware encrypts such disks, and SageMaker refuses a key for them
(SageMaker API, ResourceConfig, VolumeKmsKeyId)."""


def takes_no_key(instance_type: str) -> bool:
    """Whether SageMaker refuses a key for the disk of an instance type (`ml.g5.xlarge`)."""
    return _OWN_DISKS.fullmatch(instance_type) is not None


def disk_has_key(key: Node, *machines: Node) -> Findings:
    """The disk has a key, unless none of the instance types at the nodes `machines` takes one."""
    types = [node for node in machines if not node.absent]
    if not key.absent or (types and all(takes_no_key(each.text) for each in types)):
        return
    unknown = [each for each in types if each.unknown]
    if unknown and all(each.unknown or takes_no_key(each.text) for each in types):
        yield Undecided(unknown[0].path)
    else:
        yield Violation(key.path, f"{key.path} is not set; without one the disk has a key that AWS holds")


def traffic_is_encrypted(place: Place, switch: str, count: str) -> Findings:
    """What the machines of a job say to each other is encrypted; one machine alone says nothing."""
    machines = place.at(count)
    if machines.number is not None and machines.number <= 1:
        return
    for found in is_true(place, switch):
        unknown = isinstance(found, Violation) and machines.unknown
        yield Undecided(machines.path) if unknown else found
