"""Azure: what its resources are called, what they return, how it refuses.

Ids and types are those of ARM (the import section of each class of pulumi_azure_native); the refusals are the error
codes of the ARM references, and azure-native's own sentence for what exists already ("cannot create already existing
resource", provider/pkg/provider/provider.go).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlestate.local.kind import Facts, Kind, Naming, Need
from mlestate.local.schema import Failure

SUBSCRIPTION = TENANT = CLIENT = "00000000-0000-0000-0000-000000000000"
LOCATION = "eastus"

COMMON: Mapping[str, Any] = {
    "name": "{leaf}",
    "type": "{armType}",
    "azureApiVersion": "{apiVersion}",
    "location": "{location}",
    "provisioningState": "Succeeded",
    "tenantId": "{tenant}",
    "privateEndpointConnections": [],
    "privateLinkScopedResources": [],
    "systemData": lambda facts: {
        "createdAt": facts["time"],
        "createdBy": facts["client"],
        "createdByType": "Application",
        "lastModifiedAt": facts["time"],
        "lastModifiedBy": facts["client"],
        "lastModifiedByType": "Application",
    },
}

GROUP = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}"
_EXISTING = "cannot create already existing resource '{id}'"


def _in_group(
    path: str,
    name: str,
    unique: str = "{id}",
    taken: str = _EXISTING,
    properties: Mapping[str, str] | None = None,
    **outputs: Any,
) -> Kind:
    """A resource of a resource group. `path` is `Provider/collection/{name}/...` as ARM has it."""
    return Kind(f"{GROUP}/providers/{path}", outputs, name, unique, taken, nested={"properties": properties or {}})


def _asset(collection: str) -> Kind:
    return _in_group(f"Microsoft.MachineLearningServices/workspaces/{{workspaceName}}/{collection}/{{name}}", "name")


def _identity(resource_id: str) -> dict[str, str]:
    """The two ids of a managed identity, which follow from its resource id so that all who name it agree."""
    made = Facts(resource_id)
    return {"clientId": made.text("{uuid:client}"), "principalId": made.text("{uuid:principal}")}


def _endpoints(facts: Facts) -> dict[str, str]:
    services = ("blob", "dfs", "file", "queue", "table")
    endpoints = {service: facts.text(f"https://{{accountName}}.{service}.core.windows.net/") for service in services}
    return {**endpoints, "web": facts.text("https://{accountName}.z13.web.core.windows.net/")}


KINDS: Mapping[str, Kind] = {
    "azure-native:resources:ResourceGroup": Kind(
        GROUP, {"properties": {"provisioningState": "Succeeded"}}, "resourceGroupName", "{id}", _EXISTING
    ),
    "azure-native:storage:StorageAccount": _in_group(
        "Microsoft.Storage/storageAccounts/{accountName}",
        "accountName",
        "storageAccounts/{accountName}",
        "StorageAccountAlreadyTaken: The storage account named {accountName} is already taken.",
        accessTier="Hot",
        accountMigrationInProgress=False,
        creationTime="{time}",
        customDomain=None,
        encryption={
            "keySource": "Microsoft.Storage",
            "services": {service: {"enabled": True, "keyType": "Account"} for service in ("blob", "file")},
        },
        failoverInProgress=False,
        isSkuConversionBlocked=False,
        keyCreationTime=lambda facts: {"key1": facts["time"], "key2": facts["time"]},
        networkRuleSet={
            "bypass": "AzureServices",
            "defaultAction": "Allow",
            "ipRules": [],
            "virtualNetworkRules": [],
        },
        primaryEndpoints=_endpoints,
        primaryLocation="{location}",
        statusOfPrimary="available",
    ),
    "azure-native:storage:BlobContainer": _in_group(
        "Microsoft.Storage/storageAccounts/{accountName}/blobServices/default/containers/{containerName}",
        "containerName",
        deleted=False,
        etag='"0x{hex:15}"',
        hasImmutabilityPolicy=False,
        hasLegalHold=False,
        lastModifiedTime="{time}",
        leaseState="Available",
        leaseStatus="Unlocked",
        remainingRetentionDays=0,
    ),
    "azure-native:storage:BlobServiceProperties": _in_group(
        "Microsoft.Storage/storageAccounts/{accountName}/blobServices/{blobServicesName}",
        "blobServicesName",
        taken="",  # every account is born with one: a put
        sku={"name": "Standard_LRS", "tier": "Standard"},
    ),
    "azure-native:storage:ManagementPolicy": _in_group(
        "Microsoft.Storage/storageAccounts/{accountName}/managementPolicies/{managementPolicyName}",
        "managementPolicyName",
        lastModifiedTime="{time}",
    ),
    "azure-native:keyvault:Vault": _in_group(
        "Microsoft.KeyVault/vaults/{vaultName}",
        "vaultName",
        "vaults/{vaultName}",
        "VaultAlreadyExists: The vault name '{vaultName}' is already in use. Vault names are globally unique so it is "
        "possible that the name is already taken.",
        {"vaultUri": "https://{vaultName}.vault.azure.net/", "provisioningState": "Succeeded"},
    ),
    "azure-native:keyvault:Key": _in_group(
        "Microsoft.KeyVault/vaults/{vaultName}/keys/{keyName}",
        "keyName",
        keyUri="https://{vaultName}.vault.azure.net/keys/{keyName}",
        keyUriWithVersion="https://{vaultName}.vault.azure.net/keys/{keyName}/{hex:32}",
        tags=lambda facts: facts["tags"] or {},
        kty=lambda facts: (facts["properties"] or {}).get("kty", "RSA"),
    ),
    "azure-native:machinelearningservices:Workspace": _in_group(
        "Microsoft.MachineLearningServices/workspaces/{workspaceName}",
        "workspaceName",
        mlFlowTrackingUri="azureml://{location}.api.azureml.ms/mlflow/v1.0{id}",
        notebookInfo=lambda facts: {
            "fqdn": facts.text("ml-{workspaceName}-{location}-{uuid}.{location}.notebooks.azure.net"),
            "isPrivateLinkEnabled": False,
            "resourceId": facts.text("{hex:32}"),
        },
        privateLinkCount=0,
        serviceProvisionedResourceGroup="",
        storageHnsEnabled=False,
        workspaceId="{uuid:workspace}",
    ),
    "azure-native:machinelearningservices:Registry": _in_group(
        "Microsoft.MachineLearningServices/registries/{registryName}",
        "registryName",
        "{tenant}/registries/{registryName}",
    ),
    "azure-native:machinelearningservices:Datastore": _asset("datastores"),
    "azure-native:machinelearningservices:ModelContainer": _asset("models"),
    "azure-native:machinelearningservices:DataContainer": _asset("data"),
    "azure-native:machinelearningservices:OnlineEndpoint": _in_group(
        "Microsoft.MachineLearningServices/workspaces/{workspaceName}/onlineEndpoints/{endpointName}",
        "endpointName",
        "{location}/onlineEndpoints/{endpointName}",
        "BadRequest: An endpoint with this name already exists in the region. (name: {endpointName})",
        {
            "provisioningState": "Succeeded",
            "scoringUri": "https://{endpointName}.{location}.inference.ml.azure.com/score",
            "swaggerUri": "https://{endpointName}.{location}.inference.ml.azure.com/swagger.json",
        },
    ),
    "azure-native:machinelearningservices:RegistryModelContainer": _in_group(
        "Microsoft.MachineLearningServices/registries/{registryName}/models/{modelName}", "modelName"
    ),
    "azure-native:managedidentity:UserAssignedIdentity": _in_group(
        "Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}",
        "resourceName",
        clientId=lambda facts: _identity(facts["id"])["clientId"],
        principalId=lambda facts: _identity(facts["id"])["principalId"],
    ),
    "azure-native:authorization:RoleAssignment": Kind(
        "{scopePath}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
        {"createdBy": "{client}", "createdOn": "{time}", "updatedBy": "{client}", "updatedOn": "{time}"},
        "roleAssignmentName",
        "{scopePath}/{principalId}/{roleDefinitionId}",
        "RoleAssignmentExists: The role assignment already exists.",
    ),
    "azure-native:authorization:RoleDefinition": Kind(
        "{scopePath}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
        {
            "createdBy": "{client}",
            "createdOn": "{time}",
            "type": "Microsoft.Authorization/roleDefinitions",
            "updatedBy": "{client}",
            "updatedOn": "{time}",
        },
        "roleDefinitionId",
        "{id}",
        _EXISTING,
    ),
    "azure-native:operationalinsights:Workspace": _in_group(
        "Microsoft.OperationalInsights/workspaces/{workspaceName}",
        "workspaceName",
        createdDate="{time}",
        customerId="{uuid:customer}",
        modifiedDate="{time}",
    ),
    "azure-native:applicationinsights:Component": _in_group(
        "Microsoft.Insights/components/{resourceName}",
        "resourceName",
        appId="{uuid:app}",
        applicationId="{resourceName}",
        applicationType="web",
        connectionString="InstrumentationKey={uuid:instrumentation};IngestionEndpoint=https://{location}-0.in."
        "applicationinsights.azure.com/",
        creationDate="{time}",
        hockeyAppToken="",
        instrumentationKey="{uuid:instrumentation}",
        laMigrationDate="{time}",
    ),
    "azure-native:containerregistry:Registry": _in_group(
        "Microsoft.ContainerRegistry/registries/{registryName}",
        "registryName",
        "registries/{registryName}",
        "AlreadyInUse: The registry DNS name {registryName}.azurecr.io is already in use.",
        creationDate="{time}",
        dataEndpointHostNames=[],
        loginServer="{registryName}.azurecr.io",
        status={"displayStatus": "Ready", "timestamp": "2026-01-01T00:00:00Z", "message": ""},
    ),
    "azure-native:monitor:DiagnosticSetting": Kind(
        "{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}", {}, "name", "{id}", _EXISTING
    ),
}

COPY, _UUID = Naming(255, style="copy"), Naming(36, style="uuid")
NAMINGS: Mapping[str, Naming] = {
    "azure-native:resources:ResourceGroup": Naming(90, "", 8),
    "azure-native:storage:StorageAccount": Naming(24, "", 8, lower=True, alphanumeric=True, pattern="[a-z0-9]{3,24}"),
    "azure-native:storage:BlobContainer": COPY,
    "azure-native:storage:BlobServiceProperties": COPY,
    "azure-native:storage:ManagementPolicy": COPY,
    "azure-native:keyvault:Vault": Naming(24, "", 8, pattern="[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]"),
    "azure-native:keyvault:Key": COPY,
    "azure-native:machinelearningservices:Workspace": Naming(33, "", 8, pattern=r"[a-zA-Z0-9][\w-]{2,32}"),
    "azure-native:machinelearningservices:Datastore": COPY,
    "azure-native:machinelearningservices:ModelContainer": COPY,
    "azure-native:machinelearningservices:DataContainer": COPY,
    "azure-native:machinelearningservices:RegistryModelContainer": COPY,
    "azure-native:machinelearningservices:OnlineEndpoint": COPY,
    "azure-native:authorization:RoleAssignment": _UUID,
    "azure-native:authorization:RoleDefinition": _UUID,
    "azure-native:containerregistry:Registry": Naming(50, "", 8, alphanumeric=True, pattern="[a-zA-Z0-9]{5,50}"),
    "azure-native:monitor:DiagnosticSetting": COPY,
}
NAMING = Naming(255, "", 8)


def place(config: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Where an object lives and what follows from it: `subscription`, `tenant`, `client`, `location`, `scopePath`...

    The provider's `subscriptionId`, `tenantId`, `clientId` and `location`, else the nil id and eastus.
    """
    subscription = config.get("subscriptionId") or SUBSCRIPTION
    scope = str(inputs.get("scope", "")).strip("/")
    return {
        "subscription": subscription,
        "tenant": config.get("tenantId") or TENANT,
        "client": config.get("clientId") or CLIENT,
        "location": inputs.get("location") or config.get("location") or LOCATION,
        "owner": subscription,
        "scopePath": f"/{scope}" if scope else "",
    }


def shaped(outputs: dict[str, Any], facts: Facts) -> None:
    """What ARM returns in another shape than it takes: a list of identities comes back as a map to their ids."""
    identity = outputs.get("identity")
    if not isinstance(identity, dict):
        return
    identity = outputs["identity"] = dict(identity)
    if "SystemAssigned" in str(identity.get("type", "")):
        identity.update(principalId=facts.text("{uuid:system}"), tenantId=facts["tenant"])
    assigned = identity.get("userAssignedIdentities")
    if isinstance(assigned, list):
        identity["userAssignedIdentities"] = {name: _identity(name) for name in assigned if isinstance(name, str)}


def arm_type(resource_id: str) -> str:
    """The type in an ARM id, such as `Microsoft.Storage/storageAccounts/blobServices`."""
    _, marker, tail = resource_id.rpartition("/providers/")
    if not marker:
        return "Microsoft.Resources/resourceGroups"
    provider, *rest = tail.split("/")
    return "/".join([provider, *rest[::2]])


def invoke(function: str, arguments: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer of a data source, or None for one that the local cloud does not know."""
    if function != "azure-native:authorization:getClientConfig":
        return None
    here = place(config, arguments)
    return {
        "clientId": here["client"],
        "objectId": here["client"],
        "subscriptionId": here["subscription"],
        "tenantId": here["tenant"],
    }


def refused(resource: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Nothing: Azure's values are checked against the SDK's types only, and not against its API models."""
    return []


def changed(resource: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """No refusal of a change beyond what `refused` says of the inputs."""
    return None


def unjudged(resource: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """Nothing beyond what `refused` says of every resource."""
    yield from ()


DELETES_WITHIN = True
"""ARM deletes with a resource, or with a resource group, all that lies under its id (ARM, "Delete resources")."""

NEEDS: Mapping[str, tuple[Need, ...]] = {}  # no order of making is asked for

# type -> (type of the holder, its property, the property it repeats, the refusal)
HOLDERS: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {}


def locked(resource: str, inputs: Mapping[str, Any]) -> str | None:
    """The refusal to delete what its own settings protect: none that ARM keeps on the resource itself."""
    return None
