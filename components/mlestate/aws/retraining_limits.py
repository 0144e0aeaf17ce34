"""What a run of training that no person asks for has to keep, as states of the machine that starts it."""

from typing import Any

from mlestate.aws.alarms import NAMESPACE
from mlestate.aws.state_machines import State, choice, expression, judged, succeed, task
from mlestate.names import Names
from mlestate.release import LEDGER_SCHEMA

__all__ = ["MEMORY", "RECENT", "decided", "end", "limits"]

DAY = 86400
WEEK = 7 * DAY

HISTORY = 455 * DAY
"""How long CloudWatch keeps a number, in seconds (CloudWatch user guide, "Metrics retention")."""

FAILURES = 3
"""So many runs that failed one after the other end automatic retraining until one succeeds."""

MEMORY = "retraining"
"""The entry of the ledger that remembers when a model's automatic runs began."""


def end(decision: str, reason: str, *, run: str = "null", error: str = "''", page: bool = False) -> State:
    """An ending of what decides; ``reason``, ``run`` and ``error`` are JSONata."""
    return succeed(expression(decided(decision, reason, run=run, error=error, page=page)))


def decided(decision: str, reason: str, *, run: str = "null", error: str = "''", page: bool = False) -> str:
    return (
        f"{{'decision': '{decision}', 'reason': {reason}, 'run': {run}, 'error': {error}, 'page': {str(page).lower()}}}"
    )


def _time(milliseconds: str) -> str:
    """How long something is, as a person says it: ``3 h``."""
    return (
        f"($seconds := $floor(({milliseconds}) / 1000); "
        "$seconds < 120 ? $string($seconds) & ' s' : $seconds < 7200 ? $string($floor($seconds / 60)) & ' min' : "
        "$seconds < 172800 ? $string($floor($seconds / 3600)) & ' h' : $string($floor($seconds / 86400)) & ' d')"
    )


RECENT = f"$filter($starts, function($start) {{$toMillis($start) > $moment - {WEEK * 1000}}})"
"""The automatic runs of the last seven days, by when they began."""


def limits(names: Names) -> dict[str, State]:
    """What a run that no person asks for has to keep."""
    return {
        "Person": choice({"$trigger = 'manual'": "Image"}, "Recall"),
        "Recall": task(
            "dynamodb:getItem",
            {
                "TableName": names.physical("table", "releases"),
                "Key": {"model": {"S": "{% $model %}"}, "entry": {"S": MEMORY}},
                "ConsistentRead": True,
            },
            {
                "moment": expression("$millis()"),
                "read": expression("$exists($states.result.Item) ? $states.result.Item.document.S : ''"),
                "schema": expression(
                    f"$exists($states.result.Item) ? $states.result.Item.schema.S : '{LEDGER_SCHEMA}'"
                ),
            },
            "Readable",
        ),
        "Readable": choice({f"$schema = '{LEDGER_SCHEMA}'": "Remember"}, "OtherSchema"),
        "OtherSchema": end(
            "failed",
            "'the ledger says when runs began in the form of schema ' & $schema & ', and this machine reads "
            f"{LEDGER_SCHEMA}: run pulumi up with the version of mlestate that wrote it'",
            error="'OtherSchema'",
        ),
        "Remember": {
            "Type": "Pass",
            "Assign": {"starts": expression("$read = '' ? [] : [$parse($read).starts]"), "limits": {"min_new_rows": 0}},
            "Next": "Breach",
        },
        "Breach": choice({"$trigger = 'breach'": "Settings"}, "Runs"),
        "Settings": task(
            "ssm:getParameter",
            {"Name": expression(f"'/mlestate/{names.estate}/{names.environment}/' & $model & '/release'")},
            {
                "limits": expression("$parse($states.result.Parameter.Value).retraining"),
                "last": expression("$max([0, $map($starts, function($start) {$toMillis($start)})])"),
                "week": expression(f"$count({RECENT})"),
            },
            "Limits",
        ),
        "Limits": judged(
            [
                ("$limits.on_breach != 'retrain'", "'the file says on_breach: ' & $limits.on_breach", "Refused"),
                (
                    "$moment - $last < $limits.cooldown_seconds * 1000",
                    f"'the last automatic run began ' & {_time('$moment - $last')} & ' ago, the cooldown is ' & "
                    f"{_time('$limits.cooldown_seconds * 1000')}",
                    "Refused",
                ),
                (
                    "$week >= $limits.max_per_week",
                    "$string($week) & ' automatic runs began in the last 7 days, the most is ' & "
                    "$string($limits.max_per_week)",
                    "Refused",
                ),
            ],
            "Runs",
        ),
        "Runs": task(
            "sagemaker:listPipelineExecutions",
            {"PipelineName": "{% $pipeline %}", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100},
            {
                "outcomes": expression("[$states.result.PipelineExecutionSummaries.PipelineExecutionStatus]"),
                "newest": expression(
                    "$max([0, $map([$states.result.PipelineExecutionSummaries.StartTime], "
                    "function($time) {$toMillis($time)})])"
                ),
            },
            "Before",
        ),
        "Before": judged(
            [
                (
                    "$count($filter($outcomes, function($each) {$each in ['Executing', 'Stopping']})) > 0",
                    "'a run of its pipeline has not ended yet'",
                    "Refused",
                ),
                (
                    "$trigger = 'breach' and $count($filter($outcomes, function($each, $index) "
                    f"{{$index < {FAILURES} and $each = 'Failed'}})) = {FAILURES}",
                    f"'its {FAILURES} newest runs all failed, so a breach starts none until one succeeds'",
                    "GivenUp",
                ),
            ],
            "Budget",
        ),
        "Budget": task(
            "budgets:describeBudget",
            {"AccountId": names.home, "BudgetName": names.physical("budget", "monthly")},
            {
                "spent": expression("$states.result.Budget.CalculatedSpend.ActualSpend.Amount"),
                "limit": expression("$states.result.Budget.BudgetLimit.Amount"),
            },
            "Spent",
            # An environment without monthly_budget_usd has none.
            catch={"Budgets.NotFoundException": "New"},
        ),
        "Spent": judged(
            [
                (
                    "$number($spent) >= $number($limit)",
                    "'the budget of the month is spent: ' & $spent & ' of ' & $limit & ' USD'",
                    "Refused",
                )
            ],
            "New",
        ),
        "New": choice({"$limits.min_new_rows > 0": "Rows"}, "Image"),
        "Rows": task(
            "cloudwatch:getMetricData",
            {
                "StartTime": expression(f"$fromMillis({_FROM})"),
                "EndTime": expression("$fromMillis($moment)"),
                "ScanBy": "TimestampDescending",
                "MetricDataQueries": [
                    # By the hour as long as the answer fits into what a state may hand on, 256 KiB.
                    _counted(
                        names,
                        "rows",
                        "Rows",
                        "Sum",
                        expression(f"$moment - {_FROM} > {30 * DAY * 1000} ? {DAY} : 3600"),
                    ),
                    _counted(names, "labelled", "LabelledRows", "Maximum", DAY),
                ],
            },
            {"rows": expression(f"({_COUNT})")},
            "Enough",
        ),
        "Enough": judged(
            [
                (
                    "$rows < $limits.min_new_rows",
                    "$string($rows) & ' new ' & ($labelled ? 'labelled ' : '') & 'rows were seen ' & "
                    f"($newest = 0 ? 'so far' : 'since the last run began ' & {_time('$moment - $newest')} & ' ago') "
                    "& ', at least ' & $string($limits.min_new_rows) & ' are asked for'",
                    "Refused",
                )
            ],
            "Image",
        ),
        "Refused": end("refused", "$why"),
        "GivenUp": end("refused", "$why", page=True),
    }


_FROM = f"$max([$newest, $moment - {HISTORY * 1000}])"


def _counted(names: Names, key: str, metric: str, statistic: str, period: int | str) -> dict[str, Any]:
    """One number of the monitor's, by the period."""
    return {
        "Id": key,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [
                    {"Name": "Environment", "Value": names.slice},
                    {"Name": "Model", "Value": "{% $model %}"},
                ],
            },
            "Period": period,
            "Stat": statistic,
        },
    }


_COUNT = (
    "$seen := $sum([0, $states.result.MetricDataResults[Id = 'rows'].Values]); "
    "$found := $sum([0, $filter([$states.result.MetricDataResults[Id = 'labelled'].Values], "
    "function($each, $index) {$index % 7 = 0})]); "
    "$labelled ? $min([$seen, $found]) : $seen"
)
"""New rows. Outcomes come late, so each run of the monitor counts those of the last seven days: only one day in seven
is added up, and labelled rows are never more than there were rows."""
