"""Storage on Azure: versions, copies in a paired region, locks; and the logs that go there."""

from typing import Any

import pytest

from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.azure import verdict, verdict_on_estate

PASSES: set[str] = set()
ACCOUNT = "storage:StorageAccount"


def versions(account: dict[str, Any] | None, blobs: dict[str, Any], links: bool = True) -> set[str]:
    entries: dict[str, Any] = {
        "blobs": {
            "type": "azure-native:storage:BlobServiceProperties",
            "properties": {"accountName": "lake", **blobs},
            "links": {"accountName": ["lake"]} if links else {},
        }
    }
    if account is not None:
        entries["lake"] = {"type": f"azure-native:{ACCOUNT}", "properties": account}
    return verdict_on_estate("ML-AZ-ST-008", entries)


def test_an_account_with_folders_is_not_asked_for_the_versions_it_cannot_keep() -> None:
    assert versions({"name": "lake", "isHnsEnabled": True}, {}) == PASSES
    assert versions({"name": "lake", "isHnsEnabled": UNKNOWN}, {}) == {"undecided"}
    assert versions({"name": "lake"}, {}) == {"violation"}
    assert versions({"name": "lake"}, {"isVersioningEnabled": True}) == PASSES


def test_the_account_is_found_by_its_name_or_by_the_edge_to_it() -> None:
    assert versions({"name": "lake", "isHnsEnabled": True}, {}, links=False) == PASSES
    assert versions({"isHnsEnabled": True}, {"accountName": UNKNOWN}) == PASSES
    assert versions({"isHnsEnabled": True}, {"accountName": UNKNOWN}, links=False) == {"undecided"}


@pytest.mark.parametrize(
    ("sku", "location", "profile", "expected"),
    [
        ("Standard_GRS", "canadaeast", "canada", PASSES),
        ("Standard_GZRS", "Canada Central", "canada", PASSES),
        ("Standard_GRS", "canadaeast", "quebec", {"violation"}),
        ("Standard_ZRS", "canadacentral", "canada", PASSES),
        ("Standard_RAGRS", "brazilsouth", "canada", {"violation"}),
        ("Standard_GRS", "nowhere", "canada", {"violation"}),
        ("Standard_GRS", UNKNOWN, "canada", {"undecided"}),
        ("Standard_GRS", None, "canada", {"undecided"}),
        (UNKNOWN, "canadaeast", "canada", {"undecided"}),
        ("Standard_RAGZRS", "westeurope", "regulated", PASSES),
        (["Standard_GRS"], "canadaeast", "quebec", PASSES),
    ],
)
def test_a_copy_in_the_paired_region_is_judged_where_residency_is_asked(
    sku: Any, location: str | None, profile: str, expected: set[str]
) -> None:
    properties = {"sku": {"name": sku}, "location": location}
    assert verdict("ML-AZ-ST-006", ACCOUNT, properties, Settings(profiles=(profile,))) == expected


def test_only_stores_of_records_are_held_to_the_days_that_records_are_kept() -> None:
    lock = {"immutabilityPeriodSinceCreationInDays": 1}
    token = "storage:BlobContainerImmutabilityPolicy"
    assert verdict("ML-AZ-ST-005", token, lock, name="scratch") == PASSES
    assert verdict("ML-AZ-ST-005", token, lock, name="clinic-Audit-Trail-lock") == {"violation"}
    assert (
        verdict("ML-AZ-ST-005", token, {"immutabilityPeriodSinceCreationInDays": "365"}, name="audit-trail") == PASSES
    )
    assert verdict("ML-AZ-ST-005", ACCOUNT, {}, name="audit-trail") == PASSES, "its containers may be locked one by one"


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ([{"categoryGroup": "allLogs", "enabled": True}], PASSES),
        ([{"categoryGroup": "AUDIT", "enabled": "true"}], PASSES),
        ([{"categoryGroup": UNKNOWN, "enabled": False}], {"violation"}),
        ([{"categoryGroup": "audit", "enabled": UNKNOWN}], {"undecided"}),
        ([{"categoryGroup": UNKNOWN, "enabled": True}, {"categoryGroup": "audit", "enabled": True}], PASSES),
        ([{"category": "AmlOnlineEndpointConsoleLog", "enabled": True}], {"violation"}),
        ([{"category": "StorageRead", "enabled": True}, {"category": "StorageWrite", "enabled": True}], PASSES),
        ([{"category": "AuditEvent", "enabled": False}], {"violation"}),
        ([{"category": UNKNOWN, "enabled": True}], {"undecided"}),
        (UNKNOWN, {"undecided"}),
        (None, {"violation"}),
        ("allLogs", {"violation"}),
    ],
)
def test_one_enabled_group_of_all_or_of_audit_logs_is_enough(logs: Any, expected: set[str]) -> None:
    properties = {"workspaceId": UNKNOWN, "logs": logs}
    assert verdict("ML-AZ-LG-002", "monitor:DiagnosticSetting", properties) == expected
