"""The rollback as Step Functions runs it: what serves goes back to what was released before.

A machine of its own, because IAM does not see what an execution is given: whoever may start the release machine may
release, and an operator may only go back. It moves traffic in one step, without guardrails, for it is itself the way
out. What a release has begun and not ended goes back first, and its execution is stopped when a person or a rejection
asks; only what a release has ended goes back to the version before.
"""

from collections.abc import Mapping

from mlestate.aws.release_states import (
    BREAKS,
    UPDATE,
    Place,
    attempts,
    champion,
    end,
    entry,
    found,
    lock,
    machine,
    put,
    serving,
    settings,
    settle,
    told,
    unlock,
    unwritten,
    who,
)
from mlestate.aws.state_machines import State, choice, expression, fail, succeed, task

__all__ = ["CAUSES", "definition"]

CAUSES: Mapping[str, bool] = {"rejected": True, "alarm": False, "person": False}
"""What the machine is started for, and whether a version is named: a verdict taken back, a release that went wrong, or
a person."""


def definition(place: Place) -> str:
    """The machine, whose input is ``{"cause", "model" or "group", "version", "by", "reason"}``."""
    work = {
        **settings(place, "Asked"),
        "Asked": {
            "Type": "Pass",
            "Assign": {"who": expression("$by"), "because": expression("$reason")},
            "Next": "Concerns",
        },
        "Concerns": choice({"$cause = 'rejected'": "Rejection"}, "Take"),
        **_concerns(place),
        **lock(place, {f"$cause != 'alarm' and $contains($holder, ':{_release(place)}:')": "Stop"}, "Live"),
        **_stopped(place),
        **found(place, "Serves"),
        **serving("NothingServes", "Target", "OutOfService"),
        "NothingServes": end("failed", "'Nothing serves ' & $model & ', so nothing can go back.'"),
        "OutOfService": end(
            "failed",
            "'The endpoint ' & $settings.endpoint & ' is ' & $status & ' and takes no update. Someone has to look at "
            "it "
            "now.'",
            tell="page",
        ),
        **_target(place),
        **_back(place),
        **champion(place, "$target.version", "Passport"),
        **_written(place),
    }
    return machine(place, f"Takes releases of {place.names.slice} back", CAUSES, "Settings", work, _ends(place))


def _release(place: Place) -> str:
    return place.names.physical("state-machine", "release")


_BY = "(($who = '' ? '' : ' by ' & $who) & ($because = '' ? '' : ' (' & $because & ')'))"
"""JSONata: by whom, and why, as far as it is known."""


def _concerns(place: Place) -> dict[str, State]:
    """A rejection of a version that is neither in use nor on its way moves nothing."""
    table, key = place.ledger, {"model": {"S": expression("$model")}}
    return {
        # An event names nobody. The registry does, until the next change of the version takes the name away.
        "Rejection": task(
            "sagemaker:describeModelPackage",
            {"ModelPackageName": expression("$package & $string($version)")},
            {
                "who": expression(who("$states.result.LastModifiedBy")),
                "because": expression(
                    "$exists($states.result.ApprovalDescription) ? $states.result.ApprovalDescription : ''"
                ),
                "record": expression(f"$merge([$record, {{'by': {who('$states.result.LastModifiedBy')}}}])"),
            },
            "Now",
            # Who it was is worth less than the way back.
            catch={BREAKS: "Now"},
        ),
        "Now": task(
            "dynamodb:batchGetItem",
            {
                "RequestItems": {
                    table: {
                        "ConsistentRead": True,
                        "Keys": [{**key, "entry": {"S": "live"}}, {**key, "entry": {"S": "lock"}}],
                    }
                }
            },
            {
                "concerned": expression(
                    f"($items := $lookup($states.result.Responses, '{table}'); "
                    "$live := $items[entry.S = 'live'].$parse(document.S).version; "
                    "$lock := $items[entry.S = 'lock'].version.S; "
                    "($exists($live) and $live = $version) or ($exists($lock) and $lock = $string($version)))"
                )
            },
            "Concerned",
        ),
        "Concerned": choice({"$concerned": "Take"}, "NotInUse"),
        "NotInUse": end(
            "rejected",
            f"$which & ' was rejected' & {_BY} & '. It is not in use in {place.names.environment}: nothing was moved.'",
        ),
    }


def _stopped(place: Place) -> dict[str, State]:
    """Stops a release, and writes down that it has ended: it cannot do so itself any more, and a second event of the
    same approval would find it open and begin anew."""
    key = f"{attempts('$held.version')} & $held.started"
    ended = (
        "{'version': $held.version, 'execution': $holder, 'started': $held.started}, $open, {'outcome': 'rolled-back', "
        "'phase': 'done', 'ended': $now(), 'reason': 'It was stopped: ' & ($cause = 'rejected' ? 'version ' & "
        "$string($version) & ' was rejected' & " + _BY + " : ($who = '' ? 'somebody' : $who) & ' rolled back' & "
        "($because = '' ? '' : ', ' & $because)) & '.'}"
    )
    return {
        "Stop": task(
            "sfn:stopExecution",
            {"ExecutionArn": expression("$holder"), "Cause": "Rolled back"},
            {"overtaken": expression("$held.version")},
            "Open",
        ),
        "Open": task(
            "dynamodb:getItem",
            {
                "TableName": place.ledger,
                "Key": {"model": {"S": expression("$model")}, "entry": {"S": expression(key)}},
                "ConsistentRead": True,
            },
            {"open": expression("$exists($states.result.Item) ? $parse($states.result.Item.document.S) : {}")},
            "Close",
            # The way back is worth more than its record.
            catch={BREAKS: "TakeOver"},
        ),
        "Close": {
            **put(place, key, f"$merge([{ended}])", {}, "TakeOver"),
            "Catch": [{"ErrorEquals": [BREAKS], "Next": "TakeOver"}],
        },
    }


def _target(place: Place) -> dict[str, State]:
    """Where to: what was released last, unless that is what serves, or what was rejected; then what was released before
    it."""
    return {
        "Target": choice(
            {
                "$live = null": "NoRelease",
                # Not the version in use, though another one is on its way to its traffic.
                "$cause = 'rejected' and $live.version = $version and $live.previous != null": "Finished",
                "$live.configuration != $configuration": "Unfinished",
                "$cause = 'alarm' or ($cause = 'rejected' and $live.version != $version)": "IsBack",
                "$live.previous = null": "NothingBefore",
            },
            "Finished",
        ),
        "NoRelease": end(
            "failed",
            "'No release of ' & $model & ' is written down, so there is nothing to go back to.'",
            tell="page",
        ),
        "IsBack": end(
            "rolled-back", "'What serves ' & $model & ' is what was released last: ' & $configuration & '.'", tell=""
        ),
        "NothingBefore": end(
            "failed",
            "'Version ' & $string($live.version) & ' of ' & $model & ' is the first that was released here: there is "
            "none "
            "to go back to. Release another one, or take the endpoint down.'",
            tell="page",
        ),
        "Unfinished": {
            "Type": "Pass",
            "Assign": {"target": expression("$live"), "gone": expression("$version"), "finished": False},
            "Next": "Way",
        },
        "Finished": {
            "Type": "Pass",
            "Assign": {
                "target": expression("$live.previous"),
                "gone": expression("$live.version"),
                "finished": True,
            },
            "Next": "Before",
        },
        "Before": task(
            "sagemaker:describeModelPackage",
            {"ModelPackageName": expression("$package & $string($target.version)")},
            {"verdict": expression("$states.result.ModelApprovalStatus")},
            "Wanted",
            # A registry that does not answer, or no longer knows the version, rejects nothing.
            catch={BREAKS: "Way"},
        ),
        "Wanted": choice(
            {
                # What is on its way goes back all the same.
                "$verdict = 'Rejected' and $live.configuration != $configuration": "Unfinished",
                "$verdict = 'Rejected'": "RejectedToo",
            },
            "Way",
        ),
        "RejectedToo": end(
            "failed",
            "'Version ' & $string($target.version) & ' of ' & $model & ', which was in use before version ' & "
            "$string($gone) & ', was rejected, so nothing goes back to it. Nothing was moved.'",
            tell="page",
            more="'command': 'To release another version:\\n  mlestate promote estate.yaml ' & $model & ' VERSION "
            f"--environment {place.names.environment}'",
        ),
        "Way": choice({"$settings.mode = 'batch'": "PutCurrent"}, "Back"),
    }


def _back(place: Place) -> dict[str, State]:
    return {
        "PutCurrent": task(
            "ssm:putParameter",
            {
                "Name": expression("$settings.parameter"),
                "Value": expression("$target.sagemaker_model"),
                "Overwrite": True,
            },
            {},
            "Arrived",
        ),
        "Back": task(
            "sagemaker:updateEndpoint",
            {**UPDATE, "EndpointConfigName": expression("$target.configuration")},
            {"expected": expression("$target.configuration")},
            "Settle",
        ),
        **settle("Arrived", "Stuck", "Stuck"),
        "Stuck": end(
            "failed",
            "'The endpoint ' & $settings.endpoint & ' did not go back to ' & $expected & ': it is ' & $status & ' "
            "with ' & "
            "$configuration & ($failure != '' ? ' (' & $failure & ')' : '') & '. Someone has to look at it now.'",
            tell="page",
        ),
        # First of all: whatever breaks after it, the ledger says what serves.
        "Arrived": choice(
            {"$finished": "Written", "$cause = 'rejected' and $target.version = $version": "RejectedServes"}, "Restored"
        ),
        "RejectedServes": end(
            "failed",
            "'Version ' & $string($version) & ' of ' & $model & ' was rejected and is in use all the same: there is "
            "none before it to go back to that was not rejected.' & ($overtaken > 0 ? ' The release of version ' & "
            "$string($overtaken) & ' was stopped.' : '')",
            tell="page",
            more=_again(place),
        ),
        "Restored": end(
            "rolled-back",
            "'Version ' & $string($target.version) & ' of ' & $model & ' has all traffic again' & "
            "($cause = 'rejected' ? ': version ' & $string($version) & ' was rejected' & " + _BY + " & '.' : "
            "$because != '' ? ': ' & $because : '.') & ($overtaken > 0 and $overtaken != $version and "
            "$cause = 'rejected' ? ' The release of version ' & $string($overtaken) & ' was stopped for it.' : '')",
            more=_again(place),
        ),
    }


def _again(place: Place) -> str:
    """The member `command` for a version that was on its way while another one was rejected."""
    return (
        "'command': $cause = 'rejected' and $overtaken > 0 and $overtaken != $version ? 'To release version ' & "
        "$string($overtaken) & ':\\n  mlestate promote estate.yaml ' & $model & ' ' & $string($overtaken) & ' "
        f"--environment {place.names.environment}'"
    )


def _written(place: Place) -> dict[str, State]:
    names = place.names
    return {
        "Passport": task(
            "sagemaker:updateModelPackage",
            {
                "ModelPackageArn": expression("$package & $string($gone)"),
                "ModelLifeCycle": {
                    "Stage": names.environment,
                    "StageStatus": "RolledBack",
                    "StageDescription": expression(
                        f"$substring($cause = 'rejected' ? 'Rejected' & {_BY} : $because = '' ? $cause : $because, "
                        "0, 1024)"
                    ),
                },
                # No time any more: the next environment takes it for no stamp.
                "CustomerMetadataProperties": {f"passed-{names.environment}": expression("'rolled back ' & $now()")},
            },
            {},
            "Restored",
        ),
        "Written": put(
            place,
            "'live'",
            "$merge([$target, {'since': $now(), 'execution': $self, 'previous': null}])",
            {},
            "Kept",
        ),
    }


def _ends(place: Place) -> dict[str, State]:
    """Writes down how it ended, gives the turn back and tells people."""
    key = f"($cause = 'rejected' ? {attempts('$ended.record.version')} : 'rollback/') & $started"
    outcome = "$cause = 'rejected' and $ended.outcome = 'rolled-back' ? 'rejected' : $ended.outcome"
    return {
        "Broken": {
            "Type": "Pass",
            "Assign": {
                "ended": expression(
                    "{'outcome': 'failed', 'tell': 'page', 'back': false, 'reason': 'The rollback of ' & $model & "
                    "' broke, and nobody knows what serves: ' & $broke.Error & ': ' & "
                    "$substring($broke.Cause, 0, 500), 'record': {'version': $asked, 'cause': $cause, 'by': $by, "
                    "'execution': $self, 'started': $started}, 'command': 'To try again:\\n  mlestate rollback "
                    f"estate.yaml ' & $model & ' --environment {place.names.environment} --reason \"...\"'}}"
                )
            },
            "Next": "Ended",
        },
        "Ended": choice({"$exists($ended.record)": "Record"}, "Unlock"),
        "Record": task(
            "dynamodb:putItem",
            {
                "TableName": place.ledger,
                "Item": entry(
                    key,
                    f"$merge([$ended.record, {{'outcome': {outcome}, 'reason': $ended.reason, 'phase': 'done', "
                    "'ended': $now()}])",
                ),
            },
            {},
            "Unlock",
            catch={"States.ALL": "Unwritten"},
            caught="broke",
        ),
        **unwritten("Unlock"),
        **unlock(place, "Telling"),
        **told(place),
        "Failed": fail("RollbackFailed", expression("$ended.reason")),
        "Done": succeed(expression("{'outcome': $ended.outcome, 'reason': $ended.reason}")),
    }
