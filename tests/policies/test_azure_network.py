"""Networks on Azure: a managed one or one's own, hosts that are named, accounts that are open to all or to some."""

from typing import Any

import pytest

from mlestate_policies.rules import rules
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.azure import verdict, verdict_on_estate

PASSES: set[str] = set()
ML = "machinelearningservices"


def compute(network: dict[str, Any], *, kind: str = "AmlCompute", workspace: str = "clinic", **more: Any) -> set[str]:
    entries = {
        "workspace": {
            "type": f"azure-native:{ML}:Workspace",
            "properties": {"name": "clinic", "managedNetwork": network},
        },
        "cluster": {
            "type": f"azure-native:{ML}:Compute",
            "properties": {"workspaceName": workspace, "properties": {"computeType": kind}},
            **more,
        },
    }
    return verdict_on_estate("ML-AZ-AML-021", entries)


def test_either_outbound_mode_is_a_managed_network_for_compute() -> None:
    assert compute({"isolationMode": "AllowInternetOutbound"}) == PASSES
    assert compute({"isolationMode": "allowOnlyApprovedOutbound"}) == PASSES
    assert compute({"isolationMode": "Disabled"}) == {"violation"}


def test_a_workspace_is_found_in_a_first_preview_before_its_name_is_known() -> None:
    links = {"workspaceName": ["workspace"]}
    assert compute({"isolationMode": "AllowInternetOutbound"}, workspace=UNKNOWN, links=links) == PASSES
    assert compute({}, workspace=UNKNOWN, links=links) == {"violation"}
    assert compute({"isolationMode": UNKNOWN}, workspace=UNKNOWN, links=links) == {"undecided"}


def test_compute_whose_workspace_is_not_known_cannot_be_judged() -> None:
    assert compute({}, workspace=UNKNOWN) == {"undecided"}


def test_compute_that_azure_ml_did_not_make_is_not_asked_for_a_subnet() -> None:
    assert compute({}, kind="Kubernetes") == PASSES
    assert compute({}, kind=UNKNOWN) == {"undecided"}


@pytest.mark.parametrize("rule", ["AML-002", "AML-003", "AML-006", "AML-007", "AML-008", "AML-009"])
def test_what_a_project_takes_from_its_hub_is_asked_of_the_hub(rule: str) -> None:
    properties = {"hubResourceId": UNKNOWN, "tags": {"data-class": "restricted"}}
    assert verdict(f"ML-AZ-{rule}", f"{ML}:Workspace", properties) == PASSES
    assert verdict(f"ML-AZ-{rule}", f"{ML}:Workspace", {**properties, "hubResourceId": None}) == {"violation"}


def deployment(mode: str | None, egress: str | None, *, kind: str = "Managed") -> set[str]:
    entries = {
        "workspace": {
            "type": f"azure-native:{ML}:Workspace",
            "properties": {"name": "clinic", "managedNetwork": {"isolationMode": mode}},
        },
        "blue": {
            "type": f"azure-native:{ML}:OnlineDeployment",
            "properties": {
                "workspaceName": "clinic",
                "properties": {"endpointComputeType": kind, "egressPublicNetworkAccess": egress},
            },
        },
    }
    return verdict_on_estate("ML-AZ-AML-032", entries)


def test_a_deployment_has_no_way_out_by_its_workspace_or_by_itself() -> None:
    assert deployment("AllowOnlyApprovedOutbound", "Enabled") == PASSES
    assert deployment("AllowInternetOutbound", "Disabled") == PASSES
    assert deployment("AllowInternetOutbound", "Enabled") == {"violation"}
    assert deployment(None, None) == {"violation"}
    assert deployment(None, UNKNOWN) == {"undecided"}
    assert deployment(UNKNOWN, "Enabled") == {"undecided"}


def test_a_deployment_on_ones_own_cluster_has_that_clusters_network() -> None:
    assert deployment(None, None, kind="Kubernetes") == PASSES


def way_out(destination: Any, settings: Settings | None = None) -> set[str]:
    return verdict(
        "ML-AZ-AML-042",
        f"{ML}:ManagedNetworkSettingsRule",
        {"properties": {"destination": destination}},
        settings or Settings(),
    )


@pytest.mark.parametrize(
    "destination",
    [
        "packages.clinic.example",
        {"serviceResourceId": "/subscriptions/1/vaults/clinic", "subresourceTarget": "vault"},
        {"serviceTag": "AzureMonitor", "protocol": "*", "portRanges": "*"},
        {"serviceTag": "Internet", "addressPrefixes": ["10.1.0.0/16"]},
        None,
        7,
        [],
    ],
)
def test_a_way_out_to_what_is_named_is_let_be(destination: Any) -> None:
    assert way_out(destination) == PASSES


def test_a_host_with_a_star_may_be_allowed_by_name() -> None:
    allowed = Settings(limits={"outboundWildcards": ("*.clinic.example",)})
    assert way_out("*.clinic.example", allowed) == PASSES
    assert way_out("*.packages.clinic.example", allowed) == PASSES
    assert way_out("*.example", allowed) == {"violation"}


def test_one_prefix_that_is_everything_is_told_of_beside_one_that_is_unknown() -> None:
    assert way_out({"addressPrefixes": [UNKNOWN, "0.0.0.0/0"]}) == {"violation", "undecided"}


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ({"publicNetworkAccess": "Disabled"}, PASSES),
        ({"publicNetworkAccess": "SecuredByPerimeter"}, PASSES),
        ({"networkRuleSet": {"defaultAction": "Deny"}}, PASSES),
        ({"publicNetworkAccess": UNKNOWN, "networkRuleSet": {"defaultAction": "Deny"}}, PASSES),
        ({"publicNetworkAccess": UNKNOWN, "networkRuleSet": {"defaultAction": "Allow"}}, {"undecided"}),
        ({"publicNetworkAccess": "Enabled", "networkRuleSet": UNKNOWN}, {"undecided"}),
        ({"publicNetworkAccess": "Enabled", "networkRuleSet": {"defaultAction": "Allow"}}, {"violation"}),
        ({}, {"violation"}),
    ],
)
def test_an_account_or_a_vault_is_closed_by_either_of_two_switches(account: Any, expected: set[str]) -> None:
    assert verdict("ML-AZ-ST-007", "storage:StorageAccount", account) == expected
    vault = {("networkAcls" if key == "networkRuleSet" else key): value for key, value in account.items()}
    assert verdict("ML-AZ-KV-002", "keyvault:Vault", {"properties": vault}) == expected


def test_nothing_that_costs_or_needs_a_network_is_asked_in_the_baseline() -> None:
    networks = {"AML-001", "AML-002", "AML-008", "AML-021", "AML-022", "AML-030", "AML-032", "AML-043"}
    networks |= {"ST-007", "KV-002", "CR-002"}
    keys = {"AML-003", "ST-003", "CR-003"}
    hardening = {rule.id.removeprefix("ML-AZ-") for rule in rules() if rule.cloud == "azure" and rule.hardening}
    assert hardening == networks | keys | {"AML-035"}
