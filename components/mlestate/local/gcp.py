"""Google Cloud: what its resources are called, what they return, how it refuses.

Ids are the id formats of hashicorp/terraform-provider-google (the "Import" section of each resource, repeated in the
docstrings of pulumi_gcp); the refusals are the HTTP 409 of the APIs as that provider prints them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlestate.local.kind import Facts, Kind, Naming, Need
from mlestate.local.schema import Failure

PROJECT = "local-project"
REGION = "us-central1"

LABELS = {"goog-pulumi-provisioned": "true"}  # the provider's addPulumiAttributionLabel, on by default


def _labels(facts: Facts) -> dict[str, Any]:
    return {**facts["defaultLabels"], **(facts["labels"] or {}), **facts["attribution"]}


COMMON: Mapping[str, Any] = {
    "project": "{project}",
    "region": "{region}",
    "location": "{location}",
    "effectiveLabels": _labels,
    "pulumiLabels": _labels,
    "createTime": "{time}",
    "updateTime": "{time}",
    "etag": "BwX{hex:8}=",
    "deletionPolicy": "DELETE",
}


def _taken(what: str) -> str:
    return f"googleapi: Error 409: {what} already exists., alreadyExists"


def _member(parent: str) -> Kind:
    """A grant: an additive write to a policy, which nobody refuses twice."""
    return Kind(f"{parent}/{{role}}/{{member}}")


def _regional(collection: str, **outputs: Any) -> Kind:
    path = f"projects/{{project}}/locations/{{region}}/{collection}/{{name}}"
    return Kind(path, outputs, "name", "{id}", _taken("Resource '" + path + "'"))


KINDS: Mapping[str, Kind] = {
    "gcp:storage/bucket:Bucket": Kind(
        "{name}",
        {
            "projectNumber": "{projectNumber}",
            "selfLink": "https://www.googleapis.com/storage/v1/b/{name}",
            "url": "gs://{name}",
            "timeCreated": "{time}",
            "updated": "{time}",
            "publicAccessPrevention": "inherited",
            "rpo": lambda facts: "DEFAULT" if facts["location"].upper() in ("US", "EU", "ASIA") else "",
            "softDeletePolicy": lambda facts: {
                "retentionDurationSeconds": 604800,
                "effectiveTime": facts["time"],
            },
            "uniformBucketLevelAccess": False,
            "versioning": {"enabled": False},
        },
        "name",
        "storage/{name}",
        "googleapi: Error 409: Your previous request to create the named bucket succeeded and you already own it. "
        "(bucket {name}), conflict",
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _member("b/{bucket}"),
    "gcp:storage/managedFolder:ManagedFolder": Kind(
        "{bucket}/{name}",
        {
            "metageneration": "1",
            "selfLink": "https://www.googleapis.com/storage/v1/b/{bucket}/managedFolders/{name}",
        },
        "name",
        "{id}",
        _taken("The managed folder {name}"),
    ),
    "gcp:kms/keyRing:KeyRing": Kind(
        "projects/{project}/locations/{location}/keyRings/{name}", {}, "name", "{id}", _taken("KeyRing {id}")
    ),
    "gcp:kms/cryptoKey:CryptoKey": Kind(
        "{keyRing}/cryptoKeys/{name}",
        {
            "primaries": lambda facts: [{"name": facts.text("{id}/cryptoKeyVersions/1"), "state": "ENABLED"}],
            "destroyScheduledDuration": "2592000s",
            "importOnly": False,
            "versionTemplate": {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "SOFTWARE"},
        },
        "name",
        "{id}",
        _taken("CryptoKey {id}"),
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _member("{cryptoKeyId}"),
    "gcp:bigquery/dataset:Dataset": Kind(
        "projects/{project}/datasets/{datasetId}",
        {
            "location": "US",
            "creationTime": lambda facts: facts["millis"],
            "lastModifiedTime": lambda facts: facts["millis"],
            "selfLink": "https://bigquery.googleapis.com/bigquery/v2/projects/{project}/datasets/{datasetId}",
            "isCaseInsensitive": False,
            "maxTimeTravelHours": "168",
            "accesses": [
                {"role": "OWNER", "specialGroup": "projectOwners"},
                {"role": "READER", "specialGroup": "projectReaders"},
                {"role": "WRITER", "specialGroup": "projectWriters"},
            ],
        },
        "datasetId",
        "{id}",
        "googleapi: Error 409: Already Exists: Dataset {project}:{datasetId}, duplicate",
    ),
    "gcp:bigquery/table:Table": Kind(
        "projects/{project}/datasets/{datasetId}/tables/{tableId}",
        {
            "location": "US",
            "creationTime": lambda facts: facts["millis"],
            "lastModifiedTime": lambda facts: facts["millis"],
            "expirationTime": 0,
            "generatedSchemaColumns": "",
            "maxStaleness": "",
            "numBytes": 0,
            "numLongTermBytes": 0,
            "numRows": 0,
            "schema": "",
            "selfLink": "https://bigquery.googleapis.com/bigquery/v2/projects/{project}/datasets/{datasetId}/tables/"
            "{tableId}",
            "type": "TABLE",
        },
        "tableId",
        "{id}",
        "googleapi: Error 409: Already Exists: Table {project}:{datasetId}.{tableId}, duplicate",
    ),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": _member("projects/{project}/datasets/{datasetId}"),
    "gcp:artifactregistry/repository:Repository": Kind(
        "projects/{project}/locations/{location}/repositories/{repositoryId}",
        {
            "name": "{repositoryId}",
            "registryUri": "{location}-{formatHost}.pkg.dev/{project}/{repositoryId}",
            "vulnerabilityScanningConfig": {
                "enablementConfig": "",
                "enablementState": "SCANNING_DISABLED",
                "enablementStateReason": "",
                "lastEnableTime": "",
            },
        },
        "repositoryId",
        "{id}",
        "googleapi: Error 409: the repository already exists, alreadyExists",
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _member("{repositoryPath}"),
    "gcp:projects/service:Service": Kind("{project}/{service}"),
    "gcp:projects/serviceIdentity:ServiceIdentity": Kind(
        "projects/{project}/services/{service}",
        {
            "email": "service-{projectNumber}@gcp-sa-{serviceWord}.iam.gserviceaccount.com",
            "member": "serviceAccount:service-{projectNumber}@gcp-sa-{serviceWord}.iam.gserviceaccount.com",
        },
    ),
    "gcp:projects/iAMMember:IAMMember": _member("{project}"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": Kind(
        "projects/{project}/roles/{roleId}",
        {"name": "{id}", "deleted": False},
        "roleId",
        "{id}",
        _taken("A role named {roleId} in projects/{project}"),
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": Kind("{project}/audit_config/{service}"),
    "gcp:serviceaccount/account:Account": Kind(
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        {
            "email": "{accountId}@{project}.iam.gserviceaccount.com",
            "member": "serviceAccount:{accountId}@{project}.iam.gserviceaccount.com",
            "name": "{id}",
            "uniqueId": "1{digits:20}",
        },
        "accountId",
        "{id}",
        _taken("Service account {accountId} within project projects/{project}"),
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _member("{serviceAccountId}"),
    "gcp:vertex/aiMetadataStore:AiMetadataStore": _regional("metadataStores", states=[{"diskUtilizationBytes": "0"}]),
    "gcp:vertex/aiEndpoint:AiEndpoint": Kind(
        "projects/{project}/locations/{location}/endpoints/{name}",
        {
            "dedicatedEndpointDns": lambda facts: (
                facts.text("{name}.{location}-{projectNumber}.prediction.vertexai.goog")
                if facts["dedicatedEndpointEnabled"] is True
                else ""
            ),
            "deployedModels": [],
            "modelDeploymentMonitoringJob": "",
            "trafficSplit": "",
        },
        "name",
        "{id}",
        _taken("Endpoint {id}"),
    ),
    "gcp:vertex/aiFeatureGroup:AiFeatureGroup": _regional("featureGroups"),
    "gcp:vertex/aiTensorboard:AiTensorboard": Kind(
        "projects/{project}/locations/{region}/tensorboards/{digits:19}",
        {"name": "{id}", "blobStoragePathPrefix": "cloud-ai-platform-{uuid}", "runCount": "0"},
    ),
    "gcp:logging/projectSink:ProjectSink": Kind(
        "projects/{project}/sinks/{name}",
        {
            "writerIdentity": lambda facts: (
                "serviceAccount:cloud-logs@system.gserviceaccount.com"
                if facts["uniqueWriterIdentity"] is False
                else facts.text("serviceAccount:service-{projectNumber}@gcp-sa-logging.iam.gserviceaccount.com")
            ),
            "bigqueryOptions": {"usePartitionedTables": False},
        },
        "name",
        "{id}",
        _taken("Sink {name}"),
    ),
    "gcp:pubsub/topic:Topic": Kind(
        "projects/{project}/topics/{name}",
        {"messageStoragePolicy": {"allowedPersistenceRegions": [], "enforceInTransit": False}},
        "name",
        "{id}",
        "googleapi: Error 409: Resource already exists in the project (resource={name}).",
    ),
}

NAMINGS: Mapping[str, Naming] = {
    "gcp:storage/bucket:Bucket": Naming(63, lower=True, pattern="[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"),
    "gcp:serviceaccount/account:Account": Naming(30, pattern="[a-z][a-z0-9-]{4,28}[a-z0-9]"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": Naming(64, separator="", alphanumeric=True),
    "gcp:bigquery/dataset:Dataset": Naming(1024, pattern=r"\w{1,1024}"),
    # hashicorp/terraform-provider-google issue 12963: numbers only, so an automatic name never serves.
    "gcp:vertex/aiEndpoint:AiEndpoint": Naming(63, pattern="[1-9][0-9]{0,9}"),
    "gcp:vertex/aiFeatureGroup:AiFeatureGroup": Naming(60, separator="_", pattern="[a-z_][a-z0-9_]{0,59}"),
    "gcp:kms/keyRing:KeyRing": Naming(63),
    "gcp:kms/cryptoKey:CryptoKey": Naming(63),
    "gcp:logging/projectSink:ProjectSink": Naming(100),
}
NAMING = Naming(63)

_FORMAT_HOSTS = {"DOCKER": "docker", "PYTHON": "python", "KFP": "kfp", "GENERIC": "generic", "NPM": "npm"}


def place(config: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Where an object lives and what follows from it: `project`, `projectNumber`, `region`, `location`, labels...

    The resource's own argument, else the provider's; with neither, local-project and us-central1.
    """
    project = str(inputs.get("project") or config.get("project") or PROJECT).removeprefix("projects/")
    region = inputs.get("region") or config.get("region") or REGION
    location = inputs.get("location") or region
    repository = str(inputs.get("repository", ""))
    attribution = config.get("addPulumiAttributionLabel")
    return {
        "project": project,
        "projectNumber": Facts(project).text("{digits:12}"),
        "region": region,
        "location": location,
        "owner": project,
        "defaultLabels": config.get("defaultLabels") or {},
        "attribution": {} if attribution in (False, "false") else LABELS,
        "formatHost": _FORMAT_HOSTS.get(str(inputs.get("format", "")), str(inputs.get("format", "")).lower()),
        "repositoryPath": (
            repository if "/" in repository else f"projects/{project}/locations/{location}/repositories/{repository}"
        ),
        "serviceWord": str(inputs.get("service", "")).split(".")[0],
    }


def invoke(function: str, arguments: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer of a data source, or None for one that the local cloud does not know."""
    if function != "gcp:organizations/getProject:getProject":
        return None
    project = arguments.get("projectId") or config.get("project") or PROJECT
    return {
        "autoCreateNetwork": False,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": {},
        "folderId": "",
        "id": f"projects/{project}",
        "labels": {},
        "name": project,
        "number": Facts(project).text("{digits:12}"),
        "orgId": "",
        "projectId": project,
        "pulumiLabels": {},
        "tags": {},
    }


def refused(resource: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Nothing: Google Cloud's values are checked against the SDK's types only, and not against its API models."""
    return []


def changed(resource: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """No refusal of a change beyond what `refused` says of the inputs."""
    return None


def unjudged(resource: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """Nothing beyond what `refused` says of every resource."""
    yield from ()


DELETES_WITHIN = False  # Google Cloud refuses to delete what still holds something

NEEDS: Mapping[str, tuple[Need, ...]] = {}  # no order of making is asked for

# type -> (type of the holder, its property, the property it repeats, the refusal)
HOLDERS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {}


def locked(resource: str, inputs: Mapping[str, Any]) -> str | None:
    """The refusal to delete what its own settings protect: the provider's own checks, made before the API is called."""
    if inputs.get("deletionPolicy") == "PREVENT":
        return "cannot destroy {id} while deletionPolicy is PREVENT; set it to DELETE, run `pulumi up`, then destroy"
    if resource == "gcp:bigquery/table:Table" and inputs.get("deletionProtection") is not False:
        return (
            "cannot destroy table {id} without setting deletionProtection=false and running `pulumi up` "
            "(the provider's default is true)"
        )
    return None
