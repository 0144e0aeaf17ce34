"""Serving on Azure: which collections are enough, which assets are versions of a registry, what production changes."""

from typing import Any

import pytest

from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.azure import REGULATED, verdict

PASSES: set[str] = set()
DEPLOYMENT = "machinelearningservices:OnlineDeployment"
ON = {"dataCollectionMode": "Enabled"}
OFF = {"dataCollectionMode": "Disabled", "samplingRate": 1}


@pytest.mark.parametrize(
    ("collections", "expected"),
    [
        ({"model_inputs": ON, "model_outputs": ON}, PASSES),
        ({"request": ON, "response": ON}, PASSES),
        ({"model_inputs_outputs": ON}, PASSES),
        ({"model_inputs": OFF, "request": ON, "model_outputs": ON}, PASSES),
        ({"model_inputs": UNKNOWN, "request": ON, "model_outputs": ON}, PASSES),
        ({"model_inputs": OFF, "request": OFF, "model_outputs": ON}, {"violation"}),
        ({"model_inputs": UNKNOWN, "request": OFF, "model_outputs": ON}, {"undecided"}),
        ({"model_inputs": UNKNOWN}, {"undecided", "violation"}),
        ({"features": ON}, {"violation"}),
        (UNKNOWN, {"undecided"}),
        ("all", {"violation"}),
        ({}, {"violation"}),
    ],
)
def test_one_collection_of_what_comes_in_and_one_of_what_goes_out_is_enough(
    collections: Any, expected: set[str]
) -> None:
    properties = {"properties": {"dataCollector": {"collections": collections}}}
    assert verdict("ML-AZ-AML-033", DEPLOYMENT, properties) == expected


@pytest.mark.parametrize(("rate", "profile", "kept"), [(0.01, "baseline", True), (0.5, "quebec", False)])
def test_a_sampling_rate_is_a_share_and_the_floor_is_in_percent(rate: float, profile: str, kept: bool) -> None:
    collection = {**ON, "samplingRate": rate}
    properties = {"properties": {"dataCollector": {"collections": {"model_inputs_outputs": collection}}}}
    found = verdict("ML-AZ-AML-033", DEPLOYMENT, properties, Settings(profiles=(profile,)))
    assert found == (PASSES if kept else {"violation"})


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("azureml://registries/clinic/models/no-show/versions/4", PASSES),
        ("AzureML://Registries/clinic/models/no-show/versions/2024.1-rc", PASSES),
        ("/subscriptions/1/resourceGroups/hub/providers/x/registries/clinic/models/no-show/versions/4", PASSES),
        ("azureml://registries/clinic/models/no-show", {"violation"}),
        ("azureml://registries/clinic/models/no-show/labels/latest", {"violation"}),
        ("azureml://registries/clinic/models/no-show/versions/4/more", {"violation"}),
        ("azureml:no-show:4", {"violation"}),
        ("azureml:no-show@latest", {"violation"}),
        ("https://cliniclake.blob.core.windows.net/models/registries/x/models/y/versions/1", {"violation"}),
        (4, {"violation"}),
        (UNKNOWN, {"undecided"}),
    ],
)
def test_a_version_in_a_registry_is_told_from_every_other_way_to_name_a_model(model: Any, expected: set[str]) -> None:
    assert verdict("ML-AZ-AML-036", DEPLOYMENT, {"properties": {"model": model}}) == expected


@pytest.mark.parametrize("environment", ["dev", "Staging", "sandbox"])
def test_outside_production_a_model_may_come_from_anywhere_and_one_instance_is_enough(environment: str) -> None:
    properties = {"tags": {"Environment": environment}, "properties": {"model": "azureml:no-show:4"}}
    assert verdict("ML-AZ-AML-036", DEPLOYMENT, properties) == PASSES
    assert verdict("ML-AZ-AML-035", DEPLOYMENT, properties) == PASSES


def test_what_scales_with_its_load_is_held_to_its_least_not_to_what_it_starts_with() -> None:
    scaling = {"scaleType": "TargetUtilization", "minInstances": 1}
    properties = {"sku": {"capacity": 5}, "properties": {"scaleSettings": scaling}}
    assert verdict("ML-AZ-AML-035", DEPLOYMENT, properties) == {"violation"}
    assert verdict("ML-AZ-AML-035", DEPLOYMENT, {**properties, "properties": {"scaleSettings": UNKNOWN}}) == {
        "undecided"
    }


def test_an_endpoint_on_ones_own_cluster_may_take_short_lived_tokens_but_no_key() -> None:
    def endpoint(mode: str, **more: str) -> set[str]:
        return verdict(
            "ML-AZ-AML-031", "machinelearningservices:OnlineEndpoint", {"properties": {"authMode": mode, **more}}
        )

    assert endpoint("AMLToken") == {"violation"}
    assert endpoint("AMLToken", compute="/subscriptions/1/computes/serving") == PASSES
    assert endpoint("Key", compute="/subscriptions/1/computes/serving") == {"violation"}


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("PT15M", PASSES),
        ("pt4h", PASSES),
        ("PT240M", PASSES),
        ("PT3H60M", PASSES),
        ("PT14400S", PASSES),
        ("PT4H1S", {"violation"}),
        ("P1D", {"violation"}),
        ("P", {"violation"}),
        ("PT", {"violation"}),
        ("240", {"violation"}),
        (240, {"violation"}),
        (UNKNOWN, {"undecided"}),
    ],
)
def test_an_idle_time_is_read_however_it_is_written(duration: Any, expected: set[str]) -> None:
    properties = {"properties": {"computeType": "ComputeInstance", "properties": {"idleTimeBeforeShutdown": duration}}}
    assert verdict("ML-AZ-AML-024", "machinelearningservices:Compute", properties, REGULATED) == expected
