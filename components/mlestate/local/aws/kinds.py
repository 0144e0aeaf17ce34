"""The rows of AWS, by resource type: ids, ARNs and other outputs, and the services' refusals."""

from collections.abc import Mapping
from typing import Any

from mlestate.local.aws import cost, identity, messages, network, sagemaker, storage
from mlestate.local.kind import Kind

COMMON: Mapping[str, Any] = {
    "region": "{region}",
    "tagsAll": lambda facts: {**facts["defaultTags"], **(facts["tags"] or {})},
    "ownerId": "{account}",
    "owner": "{account}",
    "registryId": "{account}",
}

KINDS: Mapping[str, Kind] = {
    **storage.KINDS,
    **identity.KINDS,
    **sagemaker.KINDS,
    **messages.KINDS,
    **network.KINDS,
    **cost.KINDS,
}
