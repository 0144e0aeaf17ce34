"""Endpoints, deployment pools and vector indexes of Vertex AI: what answers requests."""

from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.checks import at_least, holds, is_false, is_set, is_true
from mlestate_policies.gcp.features import ONLINE_STORE
from mlestate_policies.gcp.shapes import has_own_key, is_private
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import SAMPLING_PERCENT, Settings, limit

ENDPOINT: Final = "gcp:vertex/aiEndpoint:AiEndpoint"
POOL: Final = "gcp:vertex/aiDeploymentResourcePool:AiDeploymentResourcePool"
INDEX: Final = "gcp:vertex/aiIndex:AiIndex"
INDEX_ENDPOINT: Final = "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint"
GARDEN: Final = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"

GARDEN_MODELS: Final = limit(
    "modelGardenModels",
    (),
    "The models of Model Garden and Hugging Face that may be deployed (with `*`), each read with its licence; empty "
    "where nobody keeps a list",
)

_LOGGING: Final = "predictRequestResponseLoggingConfig"
_CONNECT: Final = "privateServiceConnectConfig"
_CONNECTS: Final = {
    ENDPOINT: _CONNECT,
    INDEX_ENDPOINT: _CONNECT,
    GARDEN: f"endpointConfig.{_CONNECT}",
    ONLINE_STORE: f"dedicatedServingEndpoint.{_CONNECT}",
}
"""Where each type says how Private Service Connect reaches it."""


@resource_rule(
    "ML-GCP-VX-001",
    {ENDPOINT: ("encryptionSpec.kmsKeyName",)},
    "A Vertex AI endpoint has a key of the estate",
    why="Who can withdraw the key can stop the model and what it keeps from being read, at once and by themselves.",
    fix="Set encryptionSpec.kmsKeyName to a key in the endpoint's region, before it is created.",
    severity="high",
    hardening=True,
    sources=("CKV2_GCP_24", "constraints/gcp.restrictNonCmekServices"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def endpoint_has_a_key(endpoint: Resource, settings: Settings) -> Findings:
    return has_own_key(endpoint, "encryptionSpec.kmsKeyName")


@resource_rule(
    "ML-GCP-VX-002",
    {ENDPOINT: ("network", f"{_CONNECT}.enablePrivateServiceConnect")},
    "A Vertex AI endpoint is reached from a network of the estate only",
    why="A public endpoint is as safe as the last access token that leaked.",
    fix="Set privateServiceConnectConfig.enablePrivateServiceConnect to true, or network to a network with private "
    "services access.",
    severity="high",
    hardening=True,
    sources=("CKV2_GCP_33",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def endpoint_is_private(endpoint: Resource, settings: Settings) -> Findings:
    return is_private(endpoint, f"{_CONNECT}.enablePrivateServiceConnect", "network")


@resource_rule(
    "ML-GCP-VX-003",
    {token: (f"{path}.projectAllowlists[]",) for token, path in _CONNECTS.items()},
    "Private Service Connect names the projects that may connect",
    why="Who may connect is then written down and reviewed, not found out.",
    fix="List the projects of the callers in projectAllowlists.",
    severity="medium",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def private_connections_name_their_projects(server: Resource, settings: Settings) -> Findings:
    path = _CONNECTS[server.type]
    if server.at(f"{path}.enablePrivateServiceConnect").true:
        yield from is_set(server, f"{path}.projectAllowlists[]", "it has to name the projects that may connect")


@resource_rule(
    "ML-GCP-VX-004",
    {ENDPOINT: (f"{_LOGGING}.enabled", f"{_LOGGING}.samplingRate", f"{_LOGGING}.bigqueryDestination.outputUri")},
    "A Vertex AI endpoint logs its requests and answers to BigQuery, at or above the sampling floor",
    why="What was not recorded can be neither monitored for drift nor explained to the person it was about.",
    fix="Set predictRequestResponseLoggingConfig with enabled true, a samplingRate at the floor and a "
    "bigqueryDestination.outputUri.",
    severity="high",
    evidences=(
        "EU AI Act 12",
        "ISO 42001 A.6.2.8",
        "NIST AI RMF MEASURE 2.4",
        "Law 25 s.12.1",
        "OSFI E-23",
    ),
)
def endpoint_logs_requests_and_answers(endpoint: Resource, settings: Settings) -> Findings:
    yield from is_true(endpoint, f"{_LOGGING}.enabled")
    if not endpoint.at(_LOGGING).absent:
        yield from at_least(endpoint, f"{_LOGGING}.samplingRate", settings[SAMPLING_PERCENT] / 100)
        yield from is_set(
            endpoint, f"{_LOGGING}.bigqueryDestination.outputUri", "without it nobody knows where the records lie"
        )


@resource_rule(
    "ML-GCP-VX-010",
    {INDEX: ("encryptionSpec.kmsKeyName",), INDEX_ENDPOINT: ("publicEndpointEnabled", "encryptionSpec.kmsKeyName")},
    "Vector indexes have a key of the estate and no public endpoint",
    why="Embeddings give away what they were made from, so they need the safeguards of the data itself.",
    fix="Set encryptionSpec.kmsKeyName on the index and on its endpoint, and publicEndpointEnabled to false with a "
    "network or Private Service Connect.",
    severity="high",
    hardening=True,
    sources=("CKV2_GCP_34",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def vector_index_is_private(index: Resource, settings: Settings) -> Findings:
    yield from has_own_key(index, "encryptionSpec.kmsKeyName")
    yield from is_false(index, "publicEndpointEnabled", absent_passes=True)


@resource_rule(
    "ML-GCP-VX-012",
    {GARDEN: ("publisherModelName", "huggingFaceModelId")},
    "Only models on the list are deployed from Model Garden",
    why="A model from outside brings its licence, its training data and its weaknesses; somebody has to read them.",
    fix="Deploy a model that is on the list modelGardenModels, or have the model reviewed and added to it.",
    severity="medium",
    sources=("constraints/vertexai.allowedModels",),
    evidences=("ISO 42001 A.4", "OSFI E-23"),
)
def garden_models_are_on_the_list(deployment: Resource, settings: Settings) -> Findings:
    models = settings[GARDEN_MODELS]
    if not models:
        return
    for path in ("publisherModelName", "huggingFaceModelId"):
        yield from holds(
            deployment,
            path,
            lambda node: any(fnmatchcase(node.text, pattern) for pattern in models),
            "the model is not on the list modelGardenModels",
            absent_passes=True,
        )


@resource_rule(
    "ML-GCP-VX-013",
    {POOL: ("dedicatedResources.minReplicaCount",)},
    "A serving pool in production keeps two replicas",
    why="With one, each restart of a machine is an outage for everybody who waits for an answer.",
    fix="Set dedicatedResources.minReplicaCount to 2 or more.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15",),
)
def pool_keeps_two_replicas(pool: Resource, settings: Settings) -> Findings:
    if not settings.production(pool):
        return ()
    return at_least(pool, "dedicatedResources.minReplicaCount", 2, "replicas")


@resource_rule(
    "ML-GCP-VX-015",
    {GARDEN: (f"endpointConfig.{_CONNECT}.enablePrivateServiceConnect",)},
    "A model from Model Garden is served within a network of the estate only",
    why="What is asked of a foundation model is often what nobody outside may read.",
    fix="Set endpointConfig.privateServiceConnectConfig.enablePrivateServiceConnect to true.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def garden_deployment_is_private(deployment: Resource, settings: Settings) -> Findings:
    return is_private(deployment, f"endpointConfig.{_CONNECT}.enablePrivateServiceConnect")
