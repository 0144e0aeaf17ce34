"""Where logs go and how long they stay: Log Analytics, Application Insights, diagnostic settings."""

from typing import Final

from mlestate_policies.checks import at_least, is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import RETENTION_DAYS, Settings
from mlestate_policies.values import Node

LOGS: Final = "azure-native:operationalinsights:Workspace"
INSIGHTS: Final = "azure-native:applicationinsights:Component"
DIAGNOSTICS: Final = "azure-native:monitor:DiagnosticSetting"


@resource_rule(
    "ML-AZ-LG-001",
    {LOGS: ("retentionInDays",), INSIGHTS: ("workspaceResourceId",)},
    "Logs are kept as long as they have to be",
    why="What an endpoint or a person did can be shown only while the log is kept: 30 days where nobody says how long.",
    fix="Set retentionInDays to at least the days that logs are kept, and workspaceResourceId of Application Insights "
    "to such a workspace.",
    severity="medium",
    evidences=("EU AI Act 12", "EU AI Act 19", "EU AI Act 26(6)", "ISO 42001 A.6.2.8"),
)
def logs_are_kept(resource: Resource, settings: Settings) -> Findings:
    if resource.type == LOGS:
        return at_least(resource, "retentionInDays", settings[RETENTION_DAYS], "days")
    return is_set(resource, "workspaceResourceId", "name the workspace that keeps what it collects")


_DESTINATIONS: Final = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId")
_AUDITS: Final = {
    "categoryGroup": ("audit", "allLogs"),
    "category": ("AuditEvent", "StorageRead", "StorageWrite", "StorageDelete"),
}
"""What an entry names to be of an audit log: a group, or what vaults and stores call theirs."""


@resource_rule(
    "ML-AZ-LG-002",
    {DIAGNOSTICS: (*(f"logs[].{each}" for each in (*_AUDITS, "enabled")), *_DESTINATIONS)},
    "A diagnostic setting sends the audit log or all logs to where they are kept",
    why="Azure writes down who did what to a resource only where a setting sends it.",
    fix='Set categoryGroup of an enabled entry of logs to "audit" or "allLogs", and workspaceId or storageAccountId.',
    severity="high",
    sources=("Azure afe0c3be", "Azure f59276f0"),
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8", "PIPEDA 4.7"),
)
def diagnostics_send_the_audit_log(setting: Resource, settings: Settings) -> Findings:
    if setting.at("logs").absent and not setting.at("metrics").absent:
        return  # a setting of its own for measurements
    if all(setting.at(each).absent for each in _DESTINATIONS):
        yield Violation(_DESTINATIONS[0], f"{_DESTINATIONS[0]} is not set, nor another place that keeps the logs")
    unknown: list[Node] = []
    for entry in setting.each("logs[]"):
        enabled = entry.at("enabled")
        for key, names in _AUDITS.items():
            node = entry.at(key)
            if not node.unknown and node.text.lower() not in {each.lower() for each in names}:
                continue
            if not enabled.unknown and not enabled.true:
                continue
            if not node.unknown and not enabled.unknown:
                return
            unknown += [each for each in (node, enabled) if each.unknown]
    if unknown:
        yield Undecided(unknown[0].path)
    else:
        words = " or ".join(f'"{each}"' for each in _AUDITS["categoryGroup"])
        yield Violation("logs", f"logs has no enabled entry whose categoryGroup is {words}")
