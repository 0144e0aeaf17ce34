"""What the machines of a release have in common: how they begin and end, take turns, find what serves, and put the
files of a version in their place. Plain data: no SDK.

A machine is a few states around one `Run`, in which all the work is done. Whatever breaks in there is caught at one
place, so that a release that cannot go on is written down, told, and what it had moved goes back. Each ending in `Run`
is a state of type Succeed whose output is an `end`.

The machines tell the time by `$now()` and `$millis()` alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlestate.aws.state_machines import CONDITION, State, choice, document, each, expression, fail, succeed, task, wait
from mlestate.names import Names
from mlestate.release import LEDGER_SCHEMA

__all__ = [
    "BREAKS",
    "GONE",
    "LOOK_SECONDS",
    "UNREADABLE",
    "UPDATE",
    "Place",
    "attempts",
    "begin",
    "champion",
    "copies",
    "end",
    "entry",
    "found",
    "lock",
    "machine",
    "nothing",
    "put",
    "serving",
    "settings",
    "settle",
    "told",
    "unlock",
    "unwritten",
    "who",
    "worse",
]

LOOK_SECONDS = 60
"""How often a machine looks whether what it waits for has come."""

HANDED_OVER_SECONDS = 300
"""How long the turn may belong to an execution that nobody knows, before it is taken over."""

GONE = "Sfn.ExecutionDoesNotExistException"
"""An execution that is not there, or not yet."""

UNREADABLE = "States.QueryEvaluationError"
"""What came cannot be taken apart as it should."""

BREAKS = "States.TaskFailed"
"""What a service refused, after the retries. SageMaker models few of its exceptions, so that a thing which is not there
has no name of its own."""


@dataclass(frozen=True)
class Place:
    """An environment as its machines see it: names and ARNs, computed."""

    names: Names
    groups: Mapping[str, str]
    """By model, all of the estate's: the name of its group of versions."""
    served: Sequence[str]
    """The models that answer here."""
    endpoints: Mapping[str, str]
    """By model that answers behind one: the name of its endpoint."""
    comparisons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By model whose versions are compared: the request of the job that does it."""
    environments: Sequence[Names] = ()
    """All of the estate's, where they are known: this one alone otherwise."""

    @property
    def ledger(self) -> str:
        return self.names.physical("table", "releases")

    @property
    def approvals(self) -> str:
        return self.names.physical("table", "approvals")

    @property
    def artifacts(self) -> str:
        return self.names.physical("bucket", "artifacts")

    @property
    def capture(self) -> str:
        return self.names.physical("bucket", "capture")

    def topic(self, urgency: str) -> str:
        return self.names.arn("sns", self.names.physical("topic", urgency))

    def machine(self, role: str) -> str:
        return self.names.arn("states", f"stateMachine:{self.names.physical('state-machine', role)}")


def machine(
    place: Place,
    comment: str,
    causes: Mapping[str, bool],
    start: str,
    work: Mapping[str, State],
    ends: Mapping[str, State],
) -> str:
    """A whole machine: `begin`, the ``work`` inside `Run` from its state ``start``, and what comes after it from the
    state `Ended` on, which finds the ending in ``$ended``."""
    return document(
        comment,
        "Begin",
        {
            **begin(place, causes),
            "Run": {
                "Type": "Parallel",
                "Branches": [{"StartAt": start, "States": dict(work)}],
                "Assign": {"ended": expression("$states.result[0]")},
                # No name of inside: a variable belongs to one of the two (Step Functions developer guide, "Variable
                # scope").
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Assign": {"broke": expression("$states.errorOutput")},
                        "Next": "Broken",
                    }
                ],
                "Next": "Ended",
            },
            **ends,
        },
    )


def begin(place: Place, causes: Mapping[str, bool]) -> dict[str, State]:
    """Takes what an event or a person says, and ends where it makes no sense. ``causes`` are what the machine is
    started for, and whether that has to name a version."""

    def given(key: str, otherwise: str) -> str:
        return f"$exists($states.input.{key}) ? $states.input.{key} : {otherwise}"

    names = {
        "group": {group: model for model, group in place.groups.items()},
        "endpoint": {endpoint: model for model, endpoint in place.endpoints.items()},
    }
    looked_up = " : ".join(
        f"$exists($states.input.{key}) ? $lookup({_object(table)}, $states.input.{key})" for key, table in names.items()
    )
    return {
        "Begin": {
            "Type": "Pass",
            "Assign": {
                "cause": expression(given("cause", "''")),
                "model": expression(f"($model := {given('model', looked_up)} : ''; $exists($model) ? $model : '')"),
                "asked": expression("$type($states.input.version) = 'number' ? $states.input.version : 0"),
                "by": expression(given("by", "''")),
                "reason": expression(given("reason", "''")),
                "self": expression("$states.context.Execution.Id"),
                "started": expression("$now()"),
                "said": expression("$string($states.input)"),
            },
            "Next": "Known",
        },
        "Known": choice(
            {
                f"$not($cause in {_list(causes)}) or $not($model in {_list(sorted(place.groups))})"
                f" or ($asked < 1 and $cause in {_list([cause for cause, named in causes.items() if named])})"
                " or $asked < 0 or $floor($asked) != $asked": "Tellable",
                f"$model in {_list(sorted(place.served))}": "Run",
            },
            "NotServed",
        ),
        "NotServed": nothing("$model & ' answers nobody here'"),
        "Tellable": task(
            "sns:publish",
            {
                "TopicArn": place.topic("page"),
                "Subject": f"{place.names.slice}: a request that makes no sense",
                "Message": expression(
                    f"'A release machine of {place.names.slice} was started with ' & $said & '. It takes a cause of "
                    f"{', '.join(causes)}, a model of the estate, and the number of a version. Nothing was done.'"
                ),
            },
            {},
            "Malformed",
        ),
        "Malformed": fail("MalformedInput", f"The input needs a cause of {', '.join(causes)}, a model and a version"),
    }


def end(outcome: str, reason: str, *, tell: str = "notice", back: bool = False, more: str = "") -> State:
    """An ending that is written down: ``reason`` is JSONata for a sentence, ``tell`` the topic (empty for nobody),
    ``back`` whether traffic has to return to the version before, ``more`` JSONata for further members: `evidence` and
    `command` for whoever is told."""
    members = f"'outcome': '{outcome}', 'reason': {reason}, 'tell': '{tell}', 'back': {str(back).lower()}"
    return succeed(expression(f"{{{members}, 'record': $record{', ' + more if more else ''}}}"))


def nothing(reason: str) -> State:
    """An ending of which nobody hears and nothing is written."""
    return succeed(expression(f"{{'outcome': 'nothing', 'reason': {reason}, 'tell': '', 'back': false}}"))


def entry(key: str, value: str, **attributes: str) -> dict[str, Any]:
    """An item of the ledger: its key, the JSONata of its document, and attributes that conditions ask for."""
    return {
        "model": {"S": expression("$model")},
        "entry": {"S": expression(key)},
        "schema": {"S": LEDGER_SCHEMA},
        "at": {"S": expression("$now()")},
        "document": {"S": expression(f"$string({value})")},
        **{name: {"S": expression(said)} for name, said in attributes.items()},
    }


def attempts(version: str) -> str:
    """JSONata for what the keys of a version's releases begin with in the ledger; the moment of each follows."""
    return f"'release/' & $formatInteger({version}, '000000') & '/'"


def put(place: Place, key: str, value: str, assign: Mapping[str, str], then: str) -> State:
    """Writes an entry of the ledger."""
    kept = {name: expression(said) for name, said in assign.items()}
    return task("dynamodb:putItem", {"TableName": place.ledger, "Item": entry(key, value)}, kept, then)


def _key(key: str) -> dict[str, Any]:
    return {"model": {"S": expression("$model")}, "entry": {"S": key}}


def who(context: str) -> str:
    """JSONata for the name of who made or changed a thing, empty where SageMaker does not say: the identity that a
    session was given at its source, else the session's own name."""
    identity = f"{context}.IamIdentity"
    return (
        f"($exists({identity}.SourceIdentity) ? {identity}.SourceIdentity : $exists({identity}.Arn) ? "
        f"$split({identity}.Arn, '/')[-1] : '')"
    )


def settings(place: Place, then: str) -> dict[str, State]:
    """What the estate says of the model."""
    names = place.names
    return {
        "Settings": task(
            "ssm:getParameter",
            {"Name": expression(f"'/mlestate/{names.estate}/{names.environment}/' & $model & '/release'")},
            {
                "settings": expression("$parse($states.result.Parameter.Value)"),
                "package": expression(
                    "$replace($parse($states.result.Parameter.Value).versions, ':model-package-group/', "
                    "':model-package/') & '/'"
                ),
                # What `Run` works out it cannot write back to the machine around it.
                "version": expression("$asked"),
                "record": expression(
                    "{'version': $asked, 'cause': $cause, 'by': $by, 'execution': $self, 'started': $started}"
                ),
                "which": expression("'Version ' & $string($asked) & ' of ' & $model"),
                # A variable has to be there before it is asked for.
                **dict.fromkeys(("approver", "beside", "changer", "evidence", "failure", "stage", "why"), ""),
                **dict.fromkeys(("counted", "inPlace", "released", "tookOver"), False),
                "failing": [],
                "live": None,
                "overtaken": 0,
                "seconds": 0,
                "step": 0,
            },
            then,
        )
    }


def lock(place: Place, busy: Mapping[str, str], then: str) -> dict[str, State]:
    """Takes the turn of a model: one machine at a time moves its traffic.

    ``busy`` are the states that follow where the one before is still at work, by condition; else it is waited for. The
    turn of an execution that is no more is taken over.
    """
    mine = {
        "TableName": place.ledger,
        "Item": entry("'lock'", "{}", execution="$self", version="$string($version)", started="$started"),
        "ExpressionAttributeNames": {"#execution": "execution"},
    }
    return {
        "Take": task(
            "dynamodb:putItem",
            {
                **mine,
                "ConditionExpression": "attribute_not_exists(#execution) OR #execution = :self",
                "ExpressionAttributeValues": {":self": {"S": expression("$self")}},
            },
            {},
            then,
            catch={CONDITION: "Holder"},
        ),
        "Holder": task(
            "dynamodb:getItem",
            {"TableName": place.ledger, "Key": _key("lock"), "ConsistentRead": True},
            {
                "held": expression(
                    "{'version': $exists($states.result.Item.version) ? $number($states.result.Item.version.S) : 0, "
                    "'started': $exists($states.result.Item.started) ? $states.result.Item.started.S : ''}"
                ),
                "holder": expression("$exists($states.result.Item) ? $states.result.Item.execution.S : ''"),
                "heldSince": expression("$exists($states.result.Item) ? $states.result.Item.at.S : ''"),
            },
            "Held",
        ),
        "Held": choice({"$holder = ''": "Take"}, "HolderRuns"),
        "HolderRuns": task(
            "sfn:describeExecution",
            {"ExecutionArn": expression("$holder")},
            {"holding": expression("$states.result.Status")},
            "Turn",
            catch={GONE: "Vanished"},
        ),
        # A turn that was handed over belongs for a moment to an execution that is not there yet.
        "Vanished": choice({f"$toMillis($heldSince) < $millis() - {HANDED_OVER_SECONDS} * 1000": "TakeOver"}, "Queue"),
        "Turn": choice(
            {"$holding != 'RUNNING'": "TakeOver", **busy},
            "Queue",
        ),
        # An execution remembers 25,000 events, and who holds the turn may compare for days.
        "Queue": wait(
            expression(f"$millis() - $toMillis($started) > 3600000 ? {10 * LOOK_SECONDS} : {LOOK_SECONDS}"), "Take"
        ),
        "TakeOver": task(
            "dynamodb:putItem",
            {
                **mine,
                "ConditionExpression": "#execution = :holder",
                "ExpressionAttributeValues": {":holder": {"S": expression("$holder")}},
            },
            {"tookOver": True},
            then,
            catch={CONDITION: "Take"},
        ),
    }


def unlock(place: Place, then: str) -> dict[str, State]:
    """Gives the turn back, where it was taken."""
    return {
        "Unlock": task(
            "dynamodb:deleteItem",
            {
                "TableName": place.ledger,
                "Key": _key("lock"),
                "ConditionExpression": "#execution = :self",
                "ExpressionAttributeNames": {"#execution": "execution"},
                "ExpressionAttributeValues": {":self": {"S": expression("$self")}},
            },
            {},
            then,
            # What is left there by an execution that is no more is taken over.
            catch={CONDITION: then, "States.ALL": then},
            caught="broke",
        )
    }


def unwritten(then: str) -> dict[str, State]:
    """An ending that the ledger did not take is told all the more, and its traffic still goes where it has to."""
    return {"Unwritten": worse("' It could not be written down: '", then)}


def worse(what: str, then: str, command: str = "") -> State:
    """Something went wrong after the end: whoever is told hears of it too."""
    more = f", 'command': {command}" if command else ""
    return {
        "Type": "Pass",
        "Assign": {
            "ended": expression(
                f"$merge([$ended, {{'outcome': 'failed', 'tell': 'page', 'reason': $ended.reason & {what} & "
                f"$broke.Error & ': ' & $substring($broke.Cause, 0, 200){more}}}])"
            )
        },
        "Next": then,
    }


def found(place: Place, then: str) -> dict[str, State]:
    """What the ledger says is in use: ``$live``, null where nothing was released yet."""
    return {
        "Live": task(
            "dynamodb:getItem",
            {"TableName": place.ledger, "Key": _key("live"), "ConsistentRead": True},
            {
                "live": expression("$exists($states.result.Item) ? $parse($states.result.Item.document.S) : null"),
                "schema": expression(
                    f"$exists($states.result.Item) ? $states.result.Item.schema.S : '{LEDGER_SCHEMA}'"
                ),
            },
            "Readable",
        ),
        "Readable": choice({f"$schema = '{LEDGER_SCHEMA}'": then}, "OtherSchema"),
        "OtherSchema": end(
            "failed",
            "'The ledger says of ' & $model & ' what is in use in the form of schema ' & $schema & ', and this machine "
            f"writes {LEDGER_SCHEMA}. Nothing was moved. Run pulumi up with the version of mlestate that wrote it, or "
            "bring the entry live into the new form.'",
            tell="page",
        ),
    }


def serving(absent: str, then: str, broken: str) -> dict[str, State]:
    """What serves now: ``$configuration``, of an endpoint that has come to rest, or of batch runs the SageMaker
    model that their parameter names."""
    return {
        "Serves": choice({"$settings.mode = 'batch'": "Current"}, "Endpoint"),
        "Current": task(
            "ssm:getParameter",
            {"Name": expression("$settings.parameter")},
            {"configuration": expression("$states.result.Parameter.Value")},
            then,
            catch={"Ssm.ParameterNotFoundException": absent},
        ),
        "Endpoint": task(
            "sagemaker:describeEndpoint",
            {"EndpointName": expression("$settings.endpoint")},
            {
                "configuration": expression("$states.result.EndpointConfigName"),
                "status": expression("$states.result.EndpointStatus"),
                "variants": expression("[$states.result.ProductionVariants]"),
            },
            "AtRest",
            catch={BREAKS: absent},
        ),
        "AtRest": choice(
            {"$status = 'InService'": then, f"$status in {_list(MOVING)}": "Rest"},
            broken,
        ),
        "Rest": wait(LOOK_SECONDS, "Endpoint"),
    }


def told(place: Place) -> dict[str, State]:
    """Tells people of an ending that somebody should hear of, and ends the machine: as failed, so that its alarm rings,
    where it could not do its work."""
    return {
        "Telling": choice({"$ended.tell != ''": "Tell"}, "Worked"),
        "Tell": task(
            "sns:publish",
            {
                "TopicArn": expression(f"$ended.tell = 'page' ? '{place.topic('page')}' : '{place.topic('notice')}'"),
                "Subject": expression(
                    "($version := $exists($ended.record.version) ? $ended.record.version : $asked; "
                    f"$substring('{place.names.slice}: ' & $model & ($version > 0 ? ' ' & $string($version) : '') & "
                    "', ' & $replace($ended.outcome, '-', ' '), 0, 100))"
                ),
                "Message": expression(
                    "$ended.reason & ($exists($ended.evidence) and $ended.evidence != '' ? '\n\n' & $ended.evidence "
                    ": '')"
                    " & ($exists($ended.command) ? '\n\n' & $ended.command : '')"
                ),
            },
            {},
            "Worked",
        ),
        "Worked": choice({"$ended.outcome = 'failed'": "Failed"}, "Done"),
    }


MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
"""States of an endpoint that end by themselves (SageMaker API, DescribeEndpoint)."""


def settle(arrived: str, returned: str, stuck: str) -> dict[str, State]:
    """Waits for an update to end, and then looks what is really live: an endpoint that took an update back by itself is
    in service too, with the configuration from before. ``$expected`` is the one that was asked for; afterwards
    ``$answering`` are the machines of the champion."""
    return {
        "Settle": task(
            "sagemaker:describeEndpoint",
            {"EndpointName": expression("$settings.endpoint")},
            {
                "configuration": expression("$states.result.EndpointConfigName"),
                "status": expression("$states.result.EndpointStatus"),
                "failure": expression("$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"),
                "answering": expression(
                    "$max([0, $states.result.ProductionVariants[VariantName = 'champion'].CurrentInstanceCount])"
                ),
            },
            "Arriving",
        ),
        "Arriving": choice(
            {
                "$status = 'InService' and $configuration = $expected": arrived,
                "$status = 'InService'": returned,
                f"$status in {_list(MOVING)}": "Settling",
            },
            stuck,
        ),
        "Settling": wait(LOOK_SECONDS, "Settle"),
    }


UPDATE: Mapping[str, Any] = {
    "EndpointName": expression("$settings.endpoint"),
    # Counts that scaling has reached stay; weights and capture are the new configuration's (SageMaker API,
    # UpdateEndpoint).
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DataCaptureConfig"},
        {"VariantPropertyType": "DesiredWeight"},
    ],
}
"""What every update of an endpoint asks for."""


def champion(place: Place, version: str, then: str) -> dict[str, State]:
    """Puts a version's files where the pipelines and monitors look for those of the version in use (docs/contract.md).

    ``version`` is JSONata for its number. A version whose files are not here changes nothing there.
    """
    folder = f"$model & '/versions/' & $string({version}) & '/'"
    return {
        "Kept": task(
            "s3:listObjectsV2",
            {"Bucket": place.artifacts, "Prefix": expression(folder)},
            {
                "placed": expression(
                    f"($folder := {folder}; [$states.result.Contents.($to := $substringAfter(Key, $folder); "
                    "$append($append("
                    "$contains($to, /^(model|statistics|evaluation)\\//) ? [{'from': Key, 'to': 'champion/' & $to}] "
                    ": [], "
                    "$contains($to, /^statistics\\//) ? "
                    "[{'from': Key, 'to': 'baselines/data/' & $substringAfter($to, 'statistics/')}] : []), "
                    "$contains($to, /^baselines\\//) ? [{'from': Key, 'to': $to}] : []))])"
                )
            },
            "Place",
        ),
        "Place": copies(
            "PlaceOne",
            "$placed",
            place.artifacts,
            "Crown",
            source=f"'{place.artifacts}/' & $states.input.from",
        ),
        "Crown": task(
            "s3:putObject",
            {
                "Bucket": place.artifacts,
                "Key": expression("$model & '/champion/champion.json'"),
                "ContentType": "application/json",
                # An object is written as JSON; a text would come in quotation marks.
                "Body": expression(f"{{'version': $package & $string({version})}}"),
            },
            {},
            then,
        ),
    }


def copies(name: str, items: str, bucket: str, then: str, *, source: str, folder: str = "$model & '/'") -> State:
    """Copies objects; each item says `from` and `to`, the latter below ``folder``, and perhaps `etag`: what it is
    copied as, or not at all. A copy has at most 5 GB, and its source is written as in a URL (S3 API, CopyObject)."""
    encoded = f"$join([$map($split({source}, '/'), function($part) {{$encodeUrlComponent($part)}})], '/')"
    copy = (
        f"$merge([{{'Bucket': '{bucket}', 'Key': {folder} & $states.input.to, 'CopySource': {encoded}}}, "
        "$exists($states.input.etag) ? {'CopySourceIfMatch': $states.input.etag} : {}])"
    )
    return each(items, "s3:copyObject", expression(copy), {}, then, output={}, name=name, at_once=10)


def _list(words: Iterable[str]) -> str:
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"


def _object(table: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"'{key}': '{value}'" for key, value in sorted(table.items())) + "}"
