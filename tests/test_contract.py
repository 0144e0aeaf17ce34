"""The same promises asked of all three clouds."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from mlestate.blueprint.inventory import Row
from mlestate.estate import CLOUDS
from mlestate.local.cloud import LocalCloud
from mlestate.local.schema import resource_type
from tests.conftest import EXAMPLES, ROOT, Record, fresh, recorded

UNTAGGED = {
    # A scalable target with tags is "already existing" at its second update (terraform-provider-aws #31839).
    "aws:appautoscaling/target:Target",
}

each_cloud = pytest.mark.parametrize("cloud", CLOUDS)


def minimal(cloud: str) -> list[Row]:
    return recorded(_minimal(cloud))


def _minimal(cloud: str) -> Path:
    return ROOT / "examples" / f"{cloud}-minimal.yaml"


def outputs(rows: list[Row], kind: str) -> Mapping[str, Any]:
    (row,) = (row for row in rows if row.type == kind)
    return row.outputs


@each_cloud
def test_data_has_the_same_stores_everywhere(cloud: str) -> None:
    promised = outputs(minimal(cloud), f"mlestate:{cloud}:Data")
    assert set(promised["stores"]) == {"raw", "curated", "artifacts", "capture"}


@each_cloud
def test_the_registry_knows_every_model_and_its_images(cloud: str) -> None:
    promised = outputs(minimal(cloud), f"mlestate:{cloud}:Registry")
    assert set(promised["models"]) == set(promised["images"]) == {"churn"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_everything_that_takes_tags_carries_them(example: Any) -> None:
    """The providers' own default tags differ between the clouds, so each resource says its own."""
    bare = []
    for row in recorded(example):
        if not row.custom or row.type.startswith("pulumi:") or row.type in UNTAGGED:
            continue
        takes = {"tags", "labels"} & set(resource_type(row.type).inputs.fields)
        carried = [row.inputs.get(word) or {} for word in takes]
        if takes and not any("estate" in each for each in carried):
            bare.append(row.key)
    assert not bare, "an untagged resource has no owner and no cost centre"


@each_cloud
def test_two_environments_of_one_estate_do_not_collide(cloud: str, record: Record) -> None:
    text = _minimal(cloud).read_text()
    rows = record(text + "environments: {staging: {}, production: {}}\n")
    twice = [urn for urn, count in Counter(row.urn for row in rows).items() if count > 1]
    assert not twice
    parts = [row.name for row in rows if row.type == f"mlestate:{cloud}:Data"]
    assert sorted(parts) == ["acme-production-data", "acme-staging-data"]


@each_cloud
def test_nothing_is_looked_up(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answer = LocalCloud.Invoke

    def invoke(
        self: LocalCloud, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        asked.append(request.tok)
        return answer(self, request, context)

    monkeypatch.setattr(LocalCloud, "Invoke", invoke)
    assert fresh(_minimal(cloud)).rows
    assert asked == [], "facts come from the file or from a part, so that a preview is never blind"
