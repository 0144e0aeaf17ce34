"""What records and what warns: CloudTrail, CloudWatch, flow logs, the logs of Step Functions."""

from typing import Final

from mlestate_policies.checks import at_least, equals, is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import RETENTION_DAYS, Limit, Settings, limit

TRAIL: Final = "aws:cloudtrail/trail:Trail"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"

LOG_COPIES: Final = limit(
    "logCopies",
    ("*trail*",),
    "Logical names (with `*`) of the log groups that hold a copy of what is kept elsewhere for as long as it has to "
    "be, such as a trail's",
)
APPROVAL_MACHINES: Final = limit(
    "approvalMachines",
    ("*approv*",),
    "Logical names (with `*`) of the state machines in which people approve, and whose every step is logged",
)


def _named(resource: Resource, patterns: Limit, settings: Settings) -> bool:
    return settings.named(resource, patterns)


@resource_rule(
    "ML-AWS-LG-001",
    {TRAIL: ("enableLogFileValidation",)},
    "A trail signs its files",
    why="Without the digests nobody can tell whether an entry was taken out or changed.",
    fix="Set enableLogFileValidation to true.",
    severity="high",
    sources=("CKV_AWS_36", "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED"),
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8"),
    remedy={"enableLogFileValidation": True},
)
def trail_signs_its_files(trail: Resource, settings: Settings) -> Findings:
    return is_true(trail, "enableLogFileValidation")


@resource_rule(
    "ML-AWS-LG-002",
    {TRAIL: ("kmsKeyId",)},
    "A trail is encrypted with a key of the estate",
    why="Who did what is itself worth protecting; a key of one's own says who read it.",
    fix="Set kmsKeyId to a key of the estate.",
    severity="high",
    hardening=True,
    sources=("CKV_AWS_35",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def trail_has_a_key(trail: Resource, settings: Settings) -> Findings:
    return is_set(trail, "kmsKeyId", "it has to be a key of the estate")


@resource_rule(
    "ML-AWS-LG-003",
    {TRAIL: ("enableLogging", "isMultiRegionTrail", "includeGlobalServiceEvents")},
    "A trail is on and sees every region and the global services",
    why="What is done in a region that nobody looks at, or to roles, is done unseen.",
    fix="Set isMultiRegionTrail to true, and enableLogging and includeGlobalServiceEvents to true or leave them out.",
    severity="high",
    sources=("CKV_AWS_251", "CKV_AWS_67", "CLOUD_TRAIL_ENABLED"),
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8"),
)
def trail_sees_everything(trail: Resource, settings: Settings) -> Findings:
    yield from is_true(trail, "enableLogging", absent_passes=True)
    yield from is_true(trail, "isMultiRegionTrail")
    yield from is_true(trail, "includeGlobalServiceEvents", absent_passes=True)


@resource_rule(
    "ML-AWS-LG-004",
    {LOG_GROUP: ("retentionInDays", "kmsKeyId")},
    "Logs are kept for as long as they have to be, and in regulated estates encrypted with an own key",
    why="What happened is asked about months later.",
    fix="Set retentionInDays not below the limit retentionDays, or leave it out to keep logs for ever; under the "
    "profile regulated also kmsKeyId.",
    severity="medium",
    sources=(
        "CKV_AWS_338",
        "CKV_AWS_66",
        "CKV_AWS_158",
        "CW_LOGGROUP_RETENTION_PERIOD_CHECK",
        "CLOUDWATCH_LOG_GROUP_ENCRYPTED",
    ),
    evidences=("EU AI Act 19", "EU AI Act 26(6)", "ISO 42001 A.6.2.8"),
)
def logs_are_kept(group: Resource, settings: Settings) -> Findings:
    forever = group.at("retentionInDays").number == 0
    delivered = group.at("logGroupClass").text.upper() == "DELIVERY"  # AWS itself empties those
    if not (forever or delivered or _named(group, LOG_COPIES, settings)):
        yield from at_least(group, "retentionInDays", settings[RETENTION_DAYS], "days", absent_passes=True)
    if "regulated" in settings.profiles:  # a key of one's own costs money
        yield from is_set(group, "kmsKeyId", "it has to be a key of the estate")


@resource_rule(
    "ML-AWS-LG-005",
    {MACHINE: ("loggingConfiguration.level", "loggingConfiguration.includeExecutionData")},
    "A state machine in which people approve logs every step",
    why="Step Functions itself forgets after 90 days who approved what.",
    fix='Set loggingConfiguration.level to "ALL" and includeExecutionData to true, and let no personal data into the '
    "machine.",
    severity="medium",
    sources=("CKV_AWS_285",),
    evidences=("EU AI Act 12", "EU AI Act 14", "ISO 42001 A.6.2.8"),
)
def approval_machine_logs_every_step(machine: Resource, settings: Settings) -> Findings:
    if _named(machine, APPROVAL_MACHINES, settings):
        yield from equals(machine, "loggingConfiguration.level", "ALL")
        yield from is_true(machine, "loggingConfiguration.includeExecutionData")


@resource_rule(
    "ML-AWS-LG-006",
    dict.fromkeys((ALARM, COMPOSITE_ALARM), ("alarmActions", "actionsEnabled")),
    "An alarm tells somebody",
    why="An alarm without an action changes its colour in a console that nobody has open.",
    fix="Name a topic in alarmActions, and set actionsEnabled to true or leave it out.",
    severity="medium",
    sources=("CKV_AWS_319", "CLOUDWATCH_ALARM_ACTION_CHECK"),
    evidences=("EU AI Act 72", "ISO 42001 A.6.2.6", "NIST AI RMF MEASURE 2.4"),
)
def alarm_tells_somebody(alarm: Resource, settings: Settings) -> Findings:
    yield from is_set(alarm, "alarmActions", "it has to name whom to tell")
    yield from is_true(alarm, "actionsEnabled", absent_passes=True)


@resource_rule(
    "ML-AWS-LG-007",
    {FLOW_LOG: ("trafficType",)},
    "A flow log records all traffic",
    why="What was refused shows who tried, what was accepted shows where data went.",
    fix='Set trafficType to "ALL".',
    severity="medium",
    sources=("VPC_FLOW_LOGS_ENABLED",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def flow_log_records_all(log: Resource, settings: Settings) -> Findings:
    if log.at("transitGatewayId").absent and log.at("transitGatewayAttachmentId").absent:  # those take no type
        yield from equals(log, "trafficType", "ALL")
