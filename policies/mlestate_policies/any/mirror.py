"""Staging is like production where both are in one stack: what passed in one meets nothing new in the other."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlestate_policies.any.reach import PRODUCTION, STAGING, environment
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node


@dataclass(frozen=True)
class Shape:
    """What of a type decides how it behaves. Counts of instances, their sizes and names are left out on purpose."""

    same: Mapping[str, Any] = field(default_factory=dict)
    """Values that are equal, and what the service takes where none is set."""
    both: tuple[str, ...] = ()
    """What is set in both or in neither: keys and networks are of each environment's own."""
    alike: tuple[str, ...] = ()
    """Lists that say the same words, in any order."""
    as_many: tuple[str, ...] = ()
    """Lists that are as long."""
    needed: bool = True
    """Whether what production has of it staging has to have too."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is compared."""
        return (*self.same, *self.both, *self.alike, *self.as_many)


_AWS: Final = {
    "aws:sagemaker/model:Model": Shape(
        same={"enableNetworkIsolation": False}, both=("vpcConfig",), as_many=("containers",)
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Shape(
        same={"dataCaptureConfig.enableCapture": False},
        both=("kmsKeyArn", "asyncInferenceConfig"),
        alike=("productionVariants[].variantName",),
    ),
    "aws:sagemaker/endpoint:Endpoint": Shape(both=("deploymentConfig.autoRollbackConfiguration",)),
    "aws:sagemaker/pipeline:Pipeline": Shape(both=("roleArn",)),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": Shape(
        same={"monitoringScheduleConfig.monitoringType": None}
    ),
    "aws:sagemaker/featureGroup:FeatureGroup": Shape(
        same={"onlineStoreConfig.enableOnlineStore": False}, both=("offlineStoreConfig",)
    ),
    "aws:sagemaker/domain:Domain": Shape(
        same={"appNetworkAccessType": "PublicInternetOnly", "authMode": None}, both=("kmsKeyId",), needed=False
    ),
}
_GCP: Final = {
    "gcp:vertex/aiEndpoint:AiEndpoint": Shape(
        same={"predictRequestResponseLoggingConfig.enabled": False, "dedicatedEndpointEnabled": False},
        both=("encryptionSpec", "network", "privateServiceConnectConfig"),
    ),
    "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": Shape(both=("encryptionSpec",)),
    "gcp:colab/schedule:Schedule": Shape(both=("createPipelineJobRequest",)),
    "gcp:storage/bucket:Bucket": Shape(
        same={"publicAccessPrevention": "inherited", "versioning.enabled": False}, both=("encryption",), needed=False
    ),
}
_AZURE: Final = {
    "azure-native:machinelearningservices:OnlineEndpoint": Shape(
        same={"properties.publicNetworkAccess": "Enabled", "properties.authMode": None}
    ),
    "azure-native:machinelearningservices:OnlineDeployment": Shape(
        same={"properties.appInsightsEnabled": False, "properties.egressPublicNetworkAccess": "Enabled"},
        both=("properties.dataCollector",),
    ),
    "azure-native:machinelearningservices:BatchEndpoint": Shape(same={"properties.authMode": None}),
    "azure-native:machinelearningservices:Schedule": Shape(same={"properties.action.actionType": None}),
    "azure-native:machinelearningservices:Workspace": Shape(
        same={"publicNetworkAccess": "Enabled", "managedNetwork.isolationMode": "Disabled"},
        both=("encryption",),
        needed=False,
    ),
    "azure-native:storage:StorageAccount": Shape(
        same={"publicNetworkAccess": "Enabled", "allowSharedKeyAccess": True, "encryption.keySource": None},
        needed=False,
    ),
}
SHAPES: Final = {**_AWS, **_GCP, **_AZURE}
_SHORT: Final = {
    "production": ("prod", "prd", "live"),
    "staging": ("stage", "stg", "uat"),
    "prod": ("production",),
    "stage": ("staging",),
}
_PART: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")


@stack_rule(
    "ML-STK-10",
    {token: shape.paths for token, shape in SHAPES.items()},
    "Staging has what production has, and both are isolated, encrypted, captured and watched alike",
    why="What staging lacks is tried for the first time in production, on those whom a decision is about.",
    fix="Make both environments from one description, and let only counts, sizes and names differ; "
    "what has to differ is waived, with a reason.",
    severity="high",
    evidences=("ISO 42001 A.6.2.5", "EU AI Act 15"),
)
def staging_mirrors_production(estate: Estate, settings: Settings) -> Findings:
    by_place: dict[str, dict[tuple[str, str], list[Resource]]] = {
        "production": defaultdict(list),
        "staging": defaultdict(list),
    }
    for resource in estate.of(*SHAPES):
        if resource.tag("environment").unknown:
            yield Undecided("tags.environment", resource.urn)
        where = environment(estate, resource)
        for place, names in (("production", settings[PRODUCTION]), ("staging", settings[STAGING])):
            if where in names:
                by_place[place][resource.type, common_name(resource, where)].append(resource)
    if not all(by_place.values()):
        return  # there is nothing to compare
    for key, originals in by_place["production"].items():
        shape = SHAPES[key[0]]
        mirrors = by_place["staging"].get(key, [])
        for original in originals:
            if not mirrors and shape.needed:
                yield Violation(
                    "",
                    f"{original.name} of production has no counterpart in staging; one is needed",
                    original.urn,
                )
            for mirror in mirrors:
                yield from _differences(shape, mirror, original)


def common_name(resource: Resource, where: str) -> str:
    """A logical name without the environment: `shop-prod-churn` and `shop-staging-churn` are counterparts."""
    parts = [part.lower() for part in _PART.findall(resource.name)]
    taken_out = {*(part.lower() for part in _PART.findall(where)), where, *_SHORT.get(where, ())}
    return "-".join(part for part in parts if part not in taken_out)


def _differences(shape: Shape, mirror: Resource, original: Resource) -> Iterator[Violation | Undecided]:
    for path in shape.paths:
        here, there = _seen(shape, path, mirror), _seen(shape, path, original)
        for resource, seen in ((mirror, here), (original, there)):
            if seen is None:
                yield Undecided(path, resource.urn)
        if here is not None and there is not None and here != there:
            yield Violation(
                path,
                f"{path} is {_said(here)} in staging and {_said(there)} in production's {original.name}; "
                "both have to be alike",
                mirror.urn,
            )


def _seen(shape: Shape, path: str, resource: Resource) -> tuple[Any, ...] | None:
    """What of a path is compared; None where it is not known yet."""
    if path in shape.both:
        return ("not set" if resource.at(path).absent else "set",)
    if path in shape.as_many:
        node = resource.at(path)
        return None if node.unknown else (len(node.each("[]")) if not node.absent else 0,)
    nodes = resource.each(path)
    if any(node.unknown for node in nodes):
        return None
    if path in shape.alike:
        return tuple(sorted(node.text for node in nodes if node.text))
    return (_folded(nodes[0], shape.same[path]),)


def _folded(node: Node, default: Any) -> Any:
    if isinstance(default, bool):
        return node.true if node.known else default
    value = node.value if node.known else default
    return value.lower() if isinstance(value, str) else value


def _said(seen: tuple[Any, ...]) -> str:
    words = ["nothing" if each is None else str(each).lower() for each in seen if each is None or len(str(each)) <= 80]
    return ", ".join(words) or "nothing"
