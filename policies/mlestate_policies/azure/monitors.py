"""Monitors of Azure ML: schedules (`azure-native:machinelearningservices:Schedule`) whose action is one."""

from typing import Final

from mlestate_policies.azure.kinds import of_kind
from mlestate_policies.checks import is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

SCHEDULE: Final = "azure-native:machinelearningservices:Schedule"
_ACTION: Final = "properties.action.actionType"
_MAILS: Final = "properties.action.monitorDefinition.alertNotificationSettings.emailNotificationSettings.emails[]"


@resource_rule(
    "ML-AZ-AML-041",
    {SCHEDULE: ("properties.isEnabled", _ACTION, _MAILS)},
    "A monitor is on and tells somebody",
    why="What a monitor finds while nobody hears of it changes nothing.",
    fix=f"Leave properties.isEnabled out or set it to true, and list an address in {_MAILS}.",
    severity="medium",
    evidences=(
        "EU AI Act 72",
        "ISO 42001 A.6.2.6",
        "NIST AI RMF MEASURE 2.4",
        "NIST AI RMF MANAGE 4.1",
        "OSFI E-23",
    ),
)
def monitor_is_on_and_tells_somebody(schedule: Resource, settings: Settings) -> Findings:
    kinds = ("CreateMonitor",)
    yield from of_kind(schedule, _ACTION, kinds, is_true(schedule, "properties.isEnabled", absent_passes=True))
    yield from of_kind(schedule, _ACTION, kinds, is_set(schedule, _MAILS, "name who hears of what the monitor finds"))
