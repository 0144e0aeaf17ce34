"""Budgets and anomalies: what the provider calls and returns, and what the services take."""

from collections.abc import Mapping

from mlestate.local.aws.rows import Operation, global_arn
from mlestate.local.kind import Kind

KINDS: Mapping[str, Kind] = {
    "aws:budgets/budget:Budget": Kind(
        "{account}:{name}",
        {
            "arn": global_arn("budgets", "budget/{name}"),
            "accountId": "{account}",
            "costFilters": [],
            "costTypes": {
                "includeCredit": True,
                "includeDiscount": True,
                "includeOtherSubscription": True,
                "includeRecurring": True,
                "includeRefund": True,
                "includeSubscription": True,
                "includeSupport": True,
                "includeTax": True,
                "includeUpfront": True,
                "useAmortized": False,
                "useBlended": False,
            },
            "limitAmount": "",
            "limitUnit": "",
            "timePeriodStart": "2026-01-01_00:00",
        },
        "name",
        "{id}",
        "DuplicateRecordException: Error creating budget: {name} - the budget already exists.",
    ),
    "aws:budgets/budgetAction:BudgetAction": Kind(
        "{account}:{uuid:action}:{budgetName}",
        {
            "arn": global_arn("budgets", "budget/{budgetName}/action/{uuid:action}"),
            "accountId": "{account}",
            "actionId": "{uuid:action}",
            "status": "STANDBY",
        },
    ),
    # AWS Cost Management user guide, "Getting started with AWS Cost Anomaly Detection": one monitor of all services.
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": Kind(
        global_arn("ce", "anomalymonitor/{uuid}"),
        {"arn": "{id}"},
        "name",
        "{account}/{monitorType}/{monitorDimension}/{monitorSpecification}",
        "ValidationException: Limit exceeded on dimensional spend monitor creation",
    ),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": Kind(
        global_arn("ce", "anomalysubscription/{uuid}"), {"arn": "{id}", "accountId": "{account}"}, "name"
    ),
}

OPERATIONS: Mapping[str, Operation] = {
    "aws:budgets/budget:Budget": Operation(
        "budgets",
        "CreateBudget",
        {
            "name": "Budget.BudgetName",
            "budgetType": "Budget.BudgetType",
            "timeUnit": "Budget.TimeUnit",
            "limitAmount": "Budget.BudgetLimit.Amount",
            "limitUnit": "Budget.BudgetLimit.Unit",
            "costTypes": "Budget.CostTypes",
            "notifications": "NotificationsWithSubscribers.Notification",
            "tags": "ResourceTags",
        },
        own="autoAdjustData billingViewArn costFilters filterExpression metrics plannedLimits timePeriodEnd "
        "timePeriodStart notifications.subscriberEmailAddresses notifications.subscriberSnsTopicArns",
        optional="accountId",
    ),
    "aws:budgets/budgetAction:BudgetAction": Operation(
        "budgets", "CreateBudgetAction", {"tags": "ResourceTags"}, optional="accountId"
    ),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": Operation(
        "ce",
        "CreateAnomalyMonitor",
        {
            "name": "AnomalyMonitor.MonitorName",
            "monitorType": "AnomalyMonitor.MonitorType",
            "monitorDimension": "AnomalyMonitor.MonitorDimension",
            "tags": "ResourceTags",
        },
        own="monitorSpecification",
    ),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": Operation(
        "ce",
        "CreateAnomalySubscription",
        {
            "name": "AnomalySubscription.SubscriptionName",
            "frequency": "AnomalySubscription.Frequency",
            "monitorArnLists": "AnomalySubscription.MonitorArnList",
            "subscribers": "AnomalySubscription.Subscribers",
            "accountId": "AnomalySubscription.AccountId",
            "tags": "ResourceTags",
        },
        own="thresholdExpression",
    ),
}
