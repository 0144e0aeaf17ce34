"""Azure: the registry, and how another slice finds it."""

import asyncio

from pulumi import Output

from mlestate.azure.registry import RegistryElsewhere
from mlestate.blueprint.inventory import Row
from mlestate.names import HUB, Names
from tests.conftest import Record

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ESTATE = f"""
version: 1
name: risk
cloud: azure
region: canadaeast
subscription: {SUBSCRIPTION}
environments:
  production: {{protect: true}}
models:
  churn: {{problem: classification, owner: churn-team@risk.example}}
  fraud: {{problem: classification}}
"""


def _only(rows: list[Row], kind: str) -> Row:
    (row,) = [row for row in rows if row.type == kind]
    return row


def test_the_registry_lists_its_own_region_first(record: Record) -> None:
    registry = _only(record(ESTATE), "azure-native:machinelearningservices:Registry").inputs
    (region,) = registry["regionDetails"]
    assert registry["location"] == region["location"] == "canadaeast", "Azure refuses a registry without its own region"
    assert region["acrDetails"] == [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}]
    storage = region["storageAccountDetails"][0]["systemCreatedStorageAccount"]
    assert storage["allowBlobPublicAccess"] is False
    assert storage["storageAccountType"] == "Standard_LRS", "copies elsewhere would leave the jurisdiction"


def test_each_model_has_a_container_of_versions_that_goes_with_the_registry(record: Record) -> None:
    containers = [row for row in record(ESTATE) if row.type.endswith(":RegistryModelContainer")]
    assert sorted(row.inputs["modelName"] for row in containers) == ["churn", "fraud"]
    assert all(row.options["deletedWith"].endswith("::risk-hub-registry-registry") for row in containers)


def test_a_models_own_owner_answers_for_its_versions(record: Record) -> None:
    rows = {row.name: row.inputs for row in record(ESTATE)}
    tags = rows["risk-hub-registry-churn"]["properties"]["tags"]
    assert (tags["model"], tags["owner"]) == ("churn", "churn-team@risk.example")
    assert "owner" not in rows["risk-hub-registry-fraud"]["properties"]["tags"]


def test_the_registry_of_a_protected_environment_is_protected(record: Record) -> None:
    rows = record(ESTATE)
    names = ("risk-hub-registry-registry", "risk-hub-registry-group", "risk-hub-registry-churn")
    assert all(row.options.get("protect") for row in rows if row.name in names), "production's versions live in the hub"
    unprotected = record(ESTATE.replace("{protect: true}", "{}"))
    assert not [row for row in unprotected if row.options.get("protect")]


def test_a_models_id_is_spelled_as_azure_ml_spells_it(record: Record) -> None:
    rows = record(ESTATE)
    inputs = _only(rows, "azure-native:machinelearningservices:Registry").inputs
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{inputs['resourceGroupName']}"
    registry = f"{group}/providers/Microsoft.MachineLearningServices/registries/{inputs['registryName']}"
    assert _only(rows, "mlestate:azure:Registry").outputs["models"] == {
        model: f"{registry}/models/{model}" for model in ("churn", "fraud")
    }


def test_another_slice_computes_what_the_hub_made(record: Record) -> None:
    async def computed() -> list[object] | None:
        elsewhere = RegistryElsewhere.of(Names("azure", "risk", HUB, "canadaeast", SUBSCRIPTION), ["churn", "fraud"])
        return await Output.all(elsewhere.models, elsewhere.images).future()

    known = asyncio.run(computed())
    assert known is not None, "computed from names, so never unknown"
    models, images = known
    made = _only(record(ESTATE), "mlestate:azure:Registry").outputs
    assert models == made["models"]
    assert images == made["images"], "an environment's own stack must not have to look the hub up"


def test_an_environments_slice_makes_nothing_of_the_registry(record: Record) -> None:
    rows = record(ESTATE, "production")
    assert rows
    assert not [row for row in rows if "registry" in row.name]
