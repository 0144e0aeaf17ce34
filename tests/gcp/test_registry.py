"""Google Cloud: the registry, and how another slice finds it."""

import asyncio

from pulumi import Output

from mlestate.blueprint.inventory import Row
from mlestate.gcp.registry import RegistryElsewhere
from mlestate.names import HUB, Names
from tests.conftest import Record

ESTATE = """
version: 1
name: risk
cloud: gcp
region: northamerica-northeast1
project: risk-ml
models:
  churn: {problem: classification, owner: churn-team@risk.example}
  fraud: {problem: classification}
"""


def _registry(rows: list[Row]) -> Row:
    (registry,) = [row for row in rows if row.type == "mlestate:gcp:Registry"]
    return registry


def test_each_model_has_a_repository_of_its_own(record: Record) -> None:
    repositories = {row.name: row.inputs for row in record(ESTATE) if row.type.endswith(":Repository")}
    assert {name: each["repositoryId"] for name, each in repositories.items()} == {
        "risk-hub-registry-churn": "risk-hub-churn",
        "risk-hub-registry-fraud": "risk-hub-fraud",
    }, "IAM ends at the repository: in a shared one, churn's pipeline could push fraud's image"


def test_a_tag_cannot_be_moved_and_only_untagged_images_go(record: Record) -> None:
    (repository,) = [row.inputs for row in record(ESTATE) if row.name == "risk-hub-registry-churn"]
    assert repository["dockerConfig"] == {"immutableTags": True}, "what was approved is what runs"
    assert repository["cleanupPolicyDryRun"] is False, "a dry run deletes nothing and says nothing"
    assert [(each["action"], each["condition"]["tagState"]) for each in repository["cleanupPolicies"]] == [
        ("DELETE", "UNTAGGED")
    ]


def test_a_models_own_owner_answers_for_its_images(record: Record) -> None:
    labels = {row.name: row.inputs["labels"] for row in record(ESTATE) if row.type.endswith(":Repository")}
    assert labels["risk-hub-registry-churn"]["owner"] == "churn-team-risk-example"
    assert labels["risk-hub-registry-churn"]["model"] == "churn"
    assert "owner" not in labels["risk-hub-registry-fraud"], "neither the model nor the estate names one"


def test_a_models_id_is_settled_before_its_first_version(record: Record) -> None:
    """Not proved: that a pipeline uploads under this id; pipelines are not built yet."""
    assert _registry(record(ESTATE)).outputs["models"] == {
        model: f"projects/risk-ml/locations/northamerica-northeast1/models/risk-hub-{model}"
        for model in ("churn", "fraud")
    }


def test_another_slice_computes_what_the_hub_made(record: Record) -> None:
    async def computed() -> list[object] | None:
        elsewhere = RegistryElsewhere.of(
            Names("gcp", "risk", HUB, "northamerica-northeast1", "risk-ml"), ["churn", "fraud"]
        )
        return await Output.all(elsewhere.models, elsewhere.images).future()

    known = asyncio.run(computed())
    assert known is not None, "computed from names, so never unknown"
    models, images = known
    made = _registry(record(ESTATE)).outputs
    assert models == made["models"]
    assert images == made["images"], "an environment's own stack must not have to look the hub up"


def test_an_environments_slice_makes_nothing_of_the_registry(record: Record) -> None:
    rows = record(ESTATE, "production")
    assert rows
    assert not [row for row in rows if "registry" in row.name]
