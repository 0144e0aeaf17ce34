"""What trains a model again by itself: a machine that decides whether a run is due, and says why or why not.

It starts a model's pipeline with the code that was approved last, on a schedule, for a breach or for a person. What is
asked for by no person has limits; every decision is an entry of the ledger that an auditor can read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlestate.aws.alarms import watched
from mlestate.aws.monitors import captures, monitored, window
from mlestate.aws.retraining_limits import MEMORY, RECENT, decided, end, limits
from mlestate.aws.state_machines import (
    CONDITION,
    State,
    choice,
    chosen,
    document,
    expression,
    fail,
    succeed,
    task,
    wait,
)
from mlestate.config.model import Model
from mlestate.names import Names
from mlestate.release import LEDGER_SCHEMA

__all__ = ["Trained", "breaches", "definition", "on_breach", "patterns"]

PATTERN_LIMIT = 2048
"""The longest event pattern, in characters (EventBridge user guide, "Quotas")."""


@dataclass(frozen=True)
class Trained:
    """A model that is trained again by itself."""

    pipeline: str
    """The name of its pipeline."""
    group: str
    """The ARN of the group of its versions, in whichever account."""
    image: str = ""
    """The tag of the image that the file names (`training.image`), empty where it names none."""
    alarms: tuple[str, ...] = ()
    """The names of the alarms whose breach asks for a run (`breaches`)."""
    is_labelled: bool = False
    """Whether the true outcomes of its answers are looked for, so that only labelled rows count as new."""


def on_breach(model: Model) -> bool:
    """Whether a breach of what the model is watched for starts a run."""
    return model.monitoring.on_breach == "retrain" and captures(model) and monitored(model)


def breaches(names: Names, name: str, model: Model) -> tuple[str, ...]:
    """The names of the alarms that say that a model, not its service, is degraded; none where no run follows."""
    if not on_breach(model):
        return ()
    found = watched(model, None, window(model.monitoring.schedule))
    called = names.physical("model-alarm", name)
    return tuple(f"{called}-{each.name}" for each in found if each.degrades == "model")


def patterns(alarms: Iterable[str]) -> list[str]:
    """The event patterns of the rules that start the machine: one, or more where the names do not fit into one."""
    found: list[list[str]] = [[]]
    for alarm in alarms:
        if len(_pattern([*found[-1], alarm])) > PATTERN_LIMIT:
            found.append([])
        found[-1].append(alarm)
    return [_pattern(each) for each in found if each]


def _pattern(alarms: list[str]) -> str:
    return json.dumps(
        {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": alarms, "state": {"value": ["ALARM"]}},
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def definition(names: Names, models: Mapping[str, Trained]) -> str:
    """The machine in Amazon States Language.

    It takes ``{"model": "churn", "trigger": "schedule" | "manual"}`` or ``{"alarm": name, "trigger": "breach"}``, the
    second with an ``evidence`` of its own where the event brings one (`detail.state.reason`).

    Tags of images never move, so somebody has to say which one a run is to use. Where the file does not
    (`training.image`), it is the one of the newest approved version: nothing trains by itself that no person ever
    approved.

    A person is asked nothing. A schedule waits for the run before it and for the budget. A breach has to keep the
    limits of `monitoring.retrain` too: what a schedule started counts against its cooldown and its runs a week. From
    these two follows the most that a day can have, 24 hours divided by the cooldown, rounded up: one, where nothing is
    said. So none is said besides.

    Two that ask at once start one run. The ledger remembers in one item when automatic runs began; who starts one puts
    a new text there on the condition that it still says what was read, and the second finds another. The run's token is
    made of that text: however often it is asked for, by a machine that is driven on after it broke, SageMaker starts it
    once (SageMaker API, StartPipelineExecution: a token of 32 to 128 characters). A machine that dies between the two
    has started nothing, and holds breaches off for one cooldown: too few runs, never too many.
    """
    return document(
        f"Trains the models of {names.slice} again",
        "Which",
        {
            **_asked(models),
            "Run": {
                "Type": "Parallel",
                "Branches": [{"StartAt": "Person", "States": {**limits(names), **_start(names)}}],
                "Assign": {"ended": expression("$states.result[0]")},
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        # A branch has a scope of its own and cannot write into the outer one: no name of a variable
                        # stands in both.
                        "Assign": {
                            "ended": expression(
                                decided(
                                    "failed",
                                    "'it broke before it was decided: ' & $states.errorOutput.Error & ': ' & "
                                    "$states.errorOutput.Cause",
                                    # An error of a machine's own may not begin as those of Step Functions do.
                                    error="'Broken'",
                                )
                            )
                        },
                        "Next": "Decided",
                    }
                ],
                "Next": "Decided",
            },
            **_record(names),
        },
    )


def _text(key: str) -> str:
    """A text of the input, empty where there is none."""
    return expression(f"$type($states.input.{key}) = 'string' ? $states.input.{key} : ''")


def _asked(models: Mapping[str, Trained]) -> dict[str, State]:
    """Whose model it is, and who asks."""
    known = ", ".join(sorted(models))
    return {
        **chosen(
            {
                model: {
                    "model": model,
                    "pipeline": each.pipeline,
                    "group": each.group,
                    "named": each.image,
                    "labelled": each.is_labelled,
                    "trigger": _text("trigger"),
                    "alarm": _text("alarm"),
                    "evidence": _text("evidence"),
                }
                for model, each in models.items()
            },
            then="Asked",
            also={model: f"$states.input.alarm in {json.dumps(each.alarms)}" for model, each in models.items()},
        ),
        "Unknown": fail(
            "UnknownModel", f"The input's model, or the one that its alarm watches, must be one of {known}"
        ),
        "Asked": choice(
            {"$trigger in ['schedule', 'manual'] or ($trigger = 'breach' and $alarm != '')": "Run"}, "Senseless"
        ),
        "Senseless": fail(
            "UnknownTrigger",
            'The input must be {"model": name, "trigger": "schedule" or "manual"} or {"alarm": name, "trigger": '
            '"breach"}',
        ),
    }


def _start(names: Names) -> dict[str, State]:
    """Which image, whose turn, and the run."""
    ledger = names.physical("table", "releases")

    def memory(text: str) -> dict[str, Any]:
        return {
            "model": {"S": "{% $model %}"},
            "entry": {"S": MEMORY},
            "schema": {"S": LEDGER_SCHEMA},
            "at": {"S": "{% $now() %}"},
            "document": {"S": expression(text)},
        }

    names_of = {"#document": "document"}
    return {
        "Image": {
            "Type": "Choice",
            "Choices": [
                {"Condition": expression("$named != ''"), "Assign": {"image": "{% $named %}"}, "Next": "Whose"}
            ],
            "Default": "Newest",
        },
        "Newest": task(
            "sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": "{% $group %}",
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            {"versions": expression("[$states.result.ModelPackageSummaryList]")},
            "Any",
        ),
        "Any": choice({"$count($versions) > 0": "Version"}, "NoVersion"),
        "NoVersion": end(
            "failed",
            "'no version of the model is approved, so nothing says which image to train with. Start its pipeline with "
            "an image once and approve what it registers, or name the image as training.image'",
            error="'NoApprovedVersion'",
        ),
        "Version": task(
            "sagemaker:describeModelPackage",
            {"ModelPackageName": "{% $versions[0].ModelPackageArn %}"},
            {
                "image": expression(
                    "($tag := $states.result.CustomerMetadataProperties.`image-tag`; $exists($tag) ? $tag : '')"
                )
            },
            "Tagged",
        ),
        "Tagged": choice({"$image != ''": "Whose"}, "NoImage"),
        "NoImage": end(
            "failed",
            "'the newest approved version does not say by which image it was made (image-tag): it was not registered "
            "by the pipeline. Name the image as training.image'",
            error="'NoImage'",
        ),
        # What a person asks for counts for nothing and waits for nobody.
        "Whose": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": expression("$trigger = 'manual'"),
                    "Assign": {"token": expression("$hash($states.context.Execution.Id, 'SHA-256')")},
                    "Next": "Start",
                }
            ],
            "Default": "Turn",
        },
        "Turn": {
            "Type": "Pass",
            "Assign": {
                "mine": expression(
                    f"$string({{'starts': [{RECENT}, $fromMillis($moment)], "
                    "'execution': $states.context.Execution.Id})"
                )
            },
            "Next": "Claim",
        },
        "Claim": task(
            "dynamodb:putItem",
            {
                "TableName": ledger,
                "Item": memory("$mine"),
                # The second holds where the first answer to this very call was lost.
                "ConditionExpression": "attribute_not_exists(#document) OR #document IN (:read, :mine)",
                "ExpressionAttributeNames": names_of,
                "ExpressionAttributeValues": {":read": {"S": "{% $read %}"}, ":mine": {"S": "{% $mine %}"}},
            },
            {"token": expression("$hash($mine, 'SHA-256')")},
            "Start",
            catch={CONDITION: "Taken"},
        ),
        "Taken": end("refused", "'another run of it was started at the same moment'"),
        "Start": task(
            "sagemaker:startPipelineExecution",
            {
                "PipelineName": "{% $pipeline %}",
                "ClientRequestToken": "{% $token %}",
                "PipelineParameters": [
                    {"Name": "ImageTag", "Value": "{% $image %}"},
                    {"Name": "Trigger", "Value": "{% $trigger %}"},
                ],
            },
            {"run": expression("$states.result.PipelineExecutionArn")},
            "Started",
            catch={"States.ALL": "NotStarted"},
        ),
        "Started": end(
            "started",
            "($trigger = 'manual' ? 'a person asked for it' : $trigger = 'schedule' ? 'its schedule came due' : "
            "'the alarm ' & $alarm & ' went off, and every limit is kept') & '; it trains with the image ' & $image",
            run="$run",
        ),
        "NotStarted": choice({"$trigger = 'manual'": "Why"}, "Release"),
        # What did not start counts for nothing. Where this fails too, breaches are held off for one cooldown.
        "Release": task(
            "dynamodb:putItem",
            {
                "TableName": ledger,
                "Item": memory("$string({'starts': $starts, 'execution': $states.context.Execution.Id})"),
                "ConditionExpression": "#document = :mine",
                "ExpressionAttributeNames": names_of,
                "ExpressionAttributeValues": {":mine": {"S": "{% $mine %}"}},
            },
            {},
            "Why",
            catch={CONDITION: "Why"},
        ),
        # SageMaker models no exception for it, so that only its words tell (SageMaker API, "Common errors").
        "Why": choice(
            {"$contains($caught.Error & $caught.Cause, /AccessDenied|not authorized/)": "Forbidden"}, "Broke"
        ),
        "Forbidden": end(
            "refused",
            "'the start is forbidden: the budget of the month is spent and the environment frozen, or the role of the "
            "machine was changed. ' & $caught.Cause",
        ),
        "Broke": end("failed", "'its pipeline did not start: ' & $caught.Cause", error="'NotStarted'"),
    }


def _record(names: Names) -> dict[str, State]:
    """Writes down what was decided, and tells those who have to know."""
    machine = names.arn("states", f"stateMachine:{names.physical('state-machine', 'retraining')}")
    advice = (
        "($ended.decision = 'started' ? 'The run is ' & $ended.run & '. What passes its gates waits for approval.' : "
        "($trigger = 'breach' ? 'While that alarm goes on nothing asks again, for CloudWatch tells of changes alone. "
        "' : "
        "'') & 'A person can start a run, for which no limit holds: ' & "
        f"{json.dumps(f'aws stepfunctions start-execution --state-machine-arn {machine} --input ')} & "
        """\"'\" & $string({'model': $model, 'trigger': 'manual'}) & \"'\")"""
    )
    return {
        "Decided": {"Type": "Pass", "Assign": {"at": "{% $now() %}"}, "Next": "Record"},
        "Record": task(
            "dynamodb:putItem",
            {
                "TableName": names.physical("table", "releases"),
                "Item": {
                    "model": {"S": "{% $model %}"},
                    "entry": {"S": expression(f"'{MEMORY}/' & $at")},
                    "schema": {"S": LEDGER_SCHEMA},
                    "at": {"S": "{% $at %}"},
                    "document": {"S": expression(f"$string({_DOCUMENT})")},
                },
                # Two decisions of one millisecond are two entries.
                "ConditionExpression": "attribute_not_exists(#entry) OR #document = :document",
                "ExpressionAttributeNames": {"#entry": "entry", "#document": "document"},
                "ExpressionAttributeValues": {":document": {"S": expression(f"$string({_DOCUMENT})")}},
            },
            {},
            "Heard",
            catch={CONDITION: "Later"},
            caught="collision",
        ),
        "Later": wait(1, "Decided"),
        "Heard": choice(
            {"$ended.page": "Page", "$trigger = 'breach' or $ended.decision = 'failed'": "Notice"}, "Outcome"
        ),
        **{
            urgency.capitalize(): task(
                "sns:publish",
                {
                    "TopicArn": names.arn("sns", names.physical("topic", urgency)),
                    "Subject": expression(f"$substring('{names.slice}: ' & $model & {_HEAD}, 0, 100)"),
                    "Message": expression(f"$model & {_HEAD} & {_WHY} & {advice}"),
                },
                {},
                "Outcome",
            )
            for urgency in ("page", "notice")
        },
        "Outcome": choice({"$ended.decision = 'failed'": "Failed"}, "Done"),
        "Failed": fail(expression("$ended.error"), expression("$ended.reason")),
        "Done": succeed("{% $ended %}"),
    }


_HEAD = "($ended.decision = 'started' ? ' is trained again' : ' was not trained again')"

_WHY = (
    "'.\\n\\nWhy: ' & $ended.reason & '.\\nAsked by: ' & ($trigger = 'manual' ? 'a person' : $trigger = 'schedule' ? "
    "'its schedule' : 'the alarm ' & $alarm & ($evidence = '' ? '' : ': ' & $evidence)) & '\\n\\n'"
)

_DOCUMENT = (
    "{'decision': $ended.decision, 'reason': $ended.reason, 'trigger': $trigger, 'alarm': $alarm = '' ? null : $alarm, "
    "'evidence': $evidence = '' ? null : $evidence, 'run': $ended.run, 'execution': $states.context.Execution.Id}"
)
