"""What holds for every resource on all three clouds: its tags, where it lies, that it is not deleted by mistake."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import ALLOWED_REGIONS, Settings, limit
from mlestate_policies.values import UNKNOWN, Node

_TAGGED: Final = frozenset(
    (
        "aws:cloudtrail/trail:Trail",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:dynamodb/table:Table",
        "aws:ec2/instance:Instance",
        "aws:ec2/vpc:Vpc",
        "aws:ecr/repository:Repository",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:lambda/function:Function",
        "aws:s3/bucket:Bucket",
        "aws:sagemaker/domain:Domain",
        "aws:sagemaker/endpoint:Endpoint",
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "aws:sagemaker/featureGroup:FeatureGroup",
        "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer",
        "aws:sagemaker/model:Model",
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        "aws:sagemaker/notebookInstance:NotebookInstance",
        "aws:sagemaker/pipeline:Pipeline",
        "aws:secretsmanager/secret:Secret",
        "aws:sfn/stateMachine:StateMachine",
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
        "azure-native:containerregistry:Registry",
        "azure-native:cosmosdb:DatabaseAccount",
        "azure-native:keyvault:Vault",
        "azure-native:machinelearningservices:BatchEndpoint",
        "azure-native:machinelearningservices:Compute",
        "azure-native:machinelearningservices:OnlineDeployment",
        "azure-native:machinelearningservices:OnlineEndpoint",
        "azure-native:machinelearningservices:Registry",
        "azure-native:machinelearningservices:Workspace",
        "azure-native:managedidentity:UserAssignedIdentity",
        "azure-native:operationalinsights:Workspace",
        "azure-native:resources:ResourceGroup",
        "azure-native:storage:StorageAccount",
        "gcp:artifactregistry/repository:Repository",
        "gcp:bigquery/dataset:Dataset",
        "gcp:bigquery/table:Table",
        "gcp:compute/instance:Instance",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:pubsub/topic:Topic",
        "gcp:secretmanager/secret:Secret",
        "gcp:storage/bucket:Bucket",
        "gcp:vertex/aiDataset:AiDataset",
        "gcp:vertex/aiEndpoint:AiEndpoint",
        "gcp:vertex/aiFeatureGroup:AiFeatureGroup",
        "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore",
        "gcp:workbench/instance:Instance",
    )
)
"""What holds data, decides or costs money, and takes tags or labels; the rest is found through it."""
_MODELS: Final = frozenset(
    (
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        "azure-native:machinelearningservices:OnlineEndpoint",
        "gcp:vertex/aiEndpoint:AiEndpoint",
    )
)
"""What stands for a model in an inventory."""
_STATEFUL: Final[Mapping[str, Mapping[str, object]]] = {
    "aws:cloudtrail/trail:Trail": {},
    "aws:dynamodb/table:Table": {"deletionProtectionEnabled": True},
    "aws:kms/key:Key": {},
    "aws:s3/bucket:Bucket": {},
    "aws:sagemaker/featureGroup:FeatureGroup": {},
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": {},
    "azure-native:keyvault:Vault": {"properties.enablePurgeProtection": True},
    "azure-native:machinelearningservices:Registry": {},
    "azure-native:machinelearningservices:Workspace": {},
    "azure-native:storage:StorageAccount": {},
    "gcp:bigquery/dataset:Dataset": {"deletionPolicy": "PREVENT"},
    "gcp:bigquery/table:Table": {"deletionProtection": True, "deletionPolicy": "PREVENT"},
    "gcp:kms/cryptoKey:CryptoKey": {"deletionPolicy": "PREVENT"},
    "gcp:storage/bucket:Bucket": {"deletionPolicy": "PREVENT"},
    "gcp:vertex/aiEndpoint:AiEndpoint": {"deletionPolicy": "PREVENT"},
    "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": {"deletionPolicy": "PREVENT"},
}
"""What cannot be made again, and the properties by which the provider itself refuses to delete it."""
_WHEREVER: Final = (
    *("aws:budgets/", "aws:cloudfront/", "aws:costexplorer/", "aws:globalaccelerator/", "aws:iam/"),
    *("aws:organizations/", "aws:route53/", "aws:shield/"),
    *("aws-native:budgets:", "aws-native:cloudfront:", "aws-native:iam:", "aws-native:organizations:"),
    *("aws-native:route53:",),
)
"""Services without a region."""

DISPOSABLE: Final = limit(
    "disposableStores",
    ("*answers*", "*scratch*", "*-tmp", "*-temp"),
    "Logical names (with `*`) of the buckets, tables and stores that hold nothing but what can be made again, such as "
    "the answers to queries",
)
REQUIRED_TAGS: Final = limit(
    "requiredTags",
    ("environment",),
    "The tags or labels that what holds data, decides or costs money has; hyphens, underscores and case do not count",
    regulated=("environment", "owner", "data-class", "cost-centre"),
)
INVENTORY_TAGS: Final = limit(
    "inventoryTags",
    (),
    'The tags or labels that what stands for a model has besides, such as "risk-tier"',
)


@resource_rule(
    "ML-X-001",
    {"*": ("tags", "labels")},
    "What holds data, decides or costs money says in its tags whose it is",
    why="An inventory of models and data is made of tags; what has none is nobody's, and nobody mends it.",
    fix="Set the tags (on Google Cloud the labels) that the limits requiredTags and inventoryTags name.",
    severity="medium",
    sources=("AWS conformance pack required tags", "SAGEMAKER_*_TAGGED", "OSFI E-23", "NIST AI RMF GOVERN 1.6"),
    evidences=("OSFI E-23", "NIST AI RMF GOVERN 1.6", "ISO 42001 A.4"),
)
def resource_says_whose_it_is(resource: Resource, settings: Settings) -> Findings:
    if resource.type not in _TAGGED:
        return
    where = "labels" if resource.type.startswith("gcp:") else "tags"
    if resource.at(where).unknown:
        yield Undecided(where)
        return
    asked = (*settings[REQUIRED_TAGS], *(settings[INVENTORY_TAGS] if resource.type in _MODELS else ()))
    missing = [key for key in asked if resource.tag(key).absent and not _tagged_by_provider(resource.provider, key)]
    if missing:
        yield Violation(where, f"{where} lack {', '.join(missing)}; this organisation asks for what each says")


def _tagged_by_provider(provider: Node, key: str) -> bool:
    """Whether the provider gives the tag to all that it makes."""
    given = Resource("", "", Node({"tags": _value(provider, "defaultTags", "tags")}))
    labels = Resource("", "", Node({"labels": _value(provider, "defaultLabels")}))
    return not (given.tag(key).absent and labels.tag(key).absent)


def _value(provider: Node, *path: str) -> object:
    """A value of a provider's configuration, whose objects are written as JSON texts."""
    node = provider.at(path[0]).document()
    for key in path[1:]:
        node = node.at(key)
    return node.value if node.known else None


@resource_rule(
    "ML-X-002",
    {"*": ("region", "location", "zone")},
    "Resources lie in the regions that are allowed",
    why="No law here forbids another region, but Quebec's asks for an assessment before personal information leaves, "
    "and a customer is told where it is.",
    fix="Set region, location or zone (or the provider's) to one of the limit allowedRegions.",
    severity="critical",
    sources=("constraints/gcp.resourceLocations", "Law 25 s.17", "PIPEDA 4.1.3"),
    evidences=("Law 25 s.17", "PIPEDA 4.1.3"),
)
def resource_lies_in_an_allowed_region(resource: Resource, settings: Settings) -> Findings:
    allowed = {_region(each) for each in settings[ALLOWED_REGIONS]}
    if not allowed or resource.type.startswith(_WHEREVER):
        return
    for node in _places(resource):
        if node.unknown:
            yield Undecided(node.path)
        elif node.text and not _is_global(resource, node.text) and _region(node.text) not in allowed:
            yield Violation(
                node.path, f'{node.path} is "{node.text}"; it has to be one of {", ".join(sorted(allowed))}'
            )


def _places(resource: Resource) -> Iterable[Node]:
    """Where the resource says that it lies, else where its provider puts what does not say."""
    if resource.type.startswith(("aws:", "aws-native:")):
        own = resource.at("region")
        if not own.absent:
            return (own,)
        default = resource.provider.at("region")
        if default.absent and not resource.provider.absent:
            return (Node(UNKNOWN, "region"),)
        return (default,)
    if resource.type.startswith("gcp:"):
        own_places = [node for key in ("location", "region", "zone") if not (node := resource.at(key)).absent]
        if resource.type == _BIGQUERY and not own_places:
            return (Node("US", "location"),)  # what BigQuery takes, whatever the provider says
        if own_places or not resource.type.startswith("gcp:vertex/"):
            return own_places
        return (resource.provider.at("region"),)
    return (resource.at("location"),) if resource.type.startswith("azure-native:") else ()


def _region(name: str) -> str:
    """`Canada Central`, `NORTHAMERICA-NORTHEAST1` and the zone `northamerica-northeast1-a` as regions are written."""
    squeezed = re.sub(r"[\s_]", "", name).lower().rpartition("/")[2]
    return re.sub(r"^([a-z]+-[a-z]+\d+)-[a-z]$", r"\1", squeezed)


def _is_global(resource: Resource, name: str) -> bool:
    """Azure's word for what has no place, such as a group of people to tell; on Google Cloud data may lie there."""
    return name.lower() == "global" and not resource.type.startswith(_GLOBAL_DATA)


_BIGQUERY: Final = "gcp:bigquery/dataset:Dataset"
_GLOBAL_DATA: Final = ("gcp:kms/", "gcp:logging/", "gcp:discoveryengine/", "gcp:vertex/")


@resource_rule(
    "ML-X-003",
    {"*": ("deletionPolicy", "deletionProtection", "deletionProtectionEnabled", "properties.enablePurgeProtection")},
    "What cannot be made again is protected in production",
    why="A wrong change deletes a key or a bucket in seconds, and what was in it for ever.",
    fix='Set the resource option protect to true, or what the provider has for it (deletionPolicy "PREVENT", '
    "deletionProtection, deletionProtectionEnabled or enablePurgeProtection).",
    severity="high",
    hardening=True,
    sources=("CKV_GCP_82", "CKV_GCP_121", "*_DELETION_PROTECTION_ENABLED"),
    evidences=("ISO 42001 A.7.5", "EU AI Act 15"),
)
def state_is_protected(resource: Resource, settings: Settings) -> Findings:
    ways = _STATEFUL.get(resource.type)
    if ways is None or resource.protect or disposable(resource, settings) or not settings.production(resource):
        return
    nodes = [resource.at(path) for path in ways]
    if any(node.known and node.value == wanted for node, wanted in zip(nodes, ways.values(), strict=True)):
        return
    if unknown := [node for node in nodes if node.unknown]:
        yield Undecided(unknown[0].path)
        return
    others = "".join(f"{path} is not {_written(wanted)} and " for path, wanted in ways.items())
    needed = "one of them has to be" if ways else "it has to be true"
    yield Violation(next(iter(ways), ""), f"{others}the option protect is not set; {needed}")


def disposable(resource: Resource, settings: Settings) -> bool:
    """Whether a store holds only what can be made again."""
    return settings.named(resource, DISPOSABLE)


def _written(wanted: object) -> str:
    return "true" if wanted is True else f'"{wanted}"'
