"""The release as Step Functions runs it: the stages of `mlestate.release`, compiled to the Amazon States Language.

Everything is a call of an AWS service by the machine itself; there is no function beside it. What it does to an
endpoint, and in which order:

1. It takes the newest configuration that Pulumi made from the file (the *template*), so that a change of machine,
   network or key comes with the next release, and puts the version's own files in. Another type of machine for an
   endpoint that is scaled is refused, as SageMaker refuses it.
2. It lets the version answer its examples in a transform job, before any traffic.
3. All at once: one update with SageMaker's own guardrails, which keep the machines of before until the time of watching
   is over and go back by themselves when an alarm rings. Their traffic shifting knows only equal steps and needs the
   same variants before and after, so the other strategies put both versions beside each other as two variants: a canary
   moves weights step by step, an A/B test splits them, a shadow answers copies. What the second variant does is read
   under its own name; over a whole endpoint, a tenth of the traffic would hide it.
4. It believes no success: SageMaker calls an update that took itself back a success, so the configuration that is live
   is looked at (terraform-provider-aws#46663).

Sources: SageMaker API, UpdateEndpoint; SageMaker developer guide, "Deployment guardrails" and "Shadow tests"; Step
Functions developer guide, "Transforming data with JSONata".
"""

from collections.abc import Callable, Mapping

from mlestate.aws.release_move import compared, moved, promoted
from mlestate.aws.release_states import Place, attempts, entry, machine, told, unlock, unwritten, worse
from mlestate.aws.release_version import checked, prepared, tried
from mlestate.aws.state_machines import CONDITION, State, choice, expression, fail, succeed, task
from mlestate.release import STAGES, StageName

__all__ = ["CAUSES", "COMPILED", "definition"]

CAUSES: Mapping[str, bool] = {
    "registered": True,
    "approved": True,
    "passed": True,
    "endpoint": False,
    "person": True,
}
"""What the machine is started for, and whether a version is named: an event of the registry, a version that passed the
environment before, an endpoint that changed, or a person."""

COMPILED: Mapping[StageName, Callable[[Place], dict[str, State]]] = {
    "check": checked,
    "prepare": prepared,
    "try": tried,
    "compare": compared,
    "shift": moved,
    "promote": promoted,
}
"""By stage of the plan: its states."""


def definition(place: Place) -> str:
    """The machine, whose input is ``{"cause", "model" or "group" or "endpoint", "version", "by", "reason"}``."""
    work: dict[str, State] = {}
    for stage in STAGES:
        work |= COMPILED[stage.name](place)
    return machine(place, f"Releases the versions of {place.names.slice}", CAUSES, "Settings", work, _ends(place))


def _ends(place: Place) -> dict[str, State]:
    """Writes down how it ended, gives the turn back or hands it to the rollback, and tells people."""
    names = place.names
    record = (
        "$merge([$ended.record, {'outcome': $ended.outcome, 'reason': $ended.reason, 'phase': 'done', 'ended': "
        "$now()}])"
    )
    return {
        "Broken": {
            "Type": "Pass",
            "Assign": {
                "ended": expression(
                    "{'outcome': 'failed', 'tell': 'page', 'back': true, 'evidence': '', "
                    "'reason': 'The release of ' & $model & ($asked > 0 ? ' version ' & $string($asked) : '') & "
                    "' broke: ' & $broke.Error & ': ' & $substring($broke.Cause, 0, 500), "
                    "'record': {'version': $asked, 'cause': $cause, 'by': $by, 'execution': $self, "
                    "'started': $started, 'phase': 'done'}}"
                )
            },
            "Next": "Ended",
        },
        "Ended": choice({"$exists($ended.record)": "Record"}, "Unlock"),
        "Record": task(
            "dynamodb:putItem",
            {
                "TableName": place.ledger,
                "Item": entry(f"{attempts('$ended.record.version')} & $started", record),
            },
            {},
            "GoesBack",
            catch={"States.ALL": "Unwritten"},
            caught="broke",
        ),
        **unwritten("GoesBack"),
        "GoesBack": choice({"$ended.back": "HandOver"}, "Unlock"),
        # The turn goes to the rollback without a moment in which another release could take it.
        "HandOver": task(
            "dynamodb:putItem",
            {
                "TableName": place.ledger,
                "Item": entry(
                    "'lock'",
                    "{}",
                    execution=f"'{names.arn('states', 'execution:' + names.physical('state-machine', 'rollback'))}:' & "
                    "$states.context.Execution.Name",
                    version="$string($ended.record.version)",
                ),
                "ConditionExpression": "#execution = :self",
                "ExpressionAttributeNames": {"#execution": "execution"},
                "ExpressionAttributeValues": {":self": {"S": expression("$self")}},
            },
            {},
            "TakeBack",
            # Whoever has the turn now moves the traffic; without a ledger the rollback tries all the same.
            catch={CONDITION: "Telling", "States.ALL": "TakeBack"},
            caught="broke",
        ),
        "TakeBack": task(
            "sfn:startExecution",
            {
                "StateMachineArn": place.machine("rollback"),
                "Name": expression("$states.context.Execution.Name"),
                "Input": expression(
                    "$string({'cause': 'alarm', 'model': $model, 'version': $ended.record.version, 'by': $self, "
                    "'reason': $ended.reason})"
                ),
            },
            {},
            "Telling",
            catch={"States.ALL": "NotTakenBack"},
            caught="broke",
        ),
        "NotTakenBack": worse(
            "' The rollback could not be started: '",
            "Telling",
            f"'To go back:\\n  mlestate rollback estate.yaml ' & $model & ' --environment {names.environment} "
            '--reason "..."\'',
        ),
        **unlock(place, "Telling"),
        **told(place),
        "Failed": fail("ReleaseFailed", expression("$ended.reason")),
        "Done": succeed(expression("{'outcome': $ended.outcome, 'reason': $ended.reason}")),
    }
