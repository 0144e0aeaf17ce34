"""A version before it gets traffic: may it be released, are its files here, does it answer as it should. Plain data.

Who approved is read off the registry itself, which writes down who last changed a version (SageMaker API,
DescribeModelPackage, LastModifiedBy). As the release changes it too, the first environment keeps the approver's name in
the version's metadata, together with where it has passed: the registry is the version's passport, in every account.
"""

from typing import Any

from mlestate.aws.alarms import NAMESPACE
from mlestate.aws.comparisons import CHAMPION
from mlestate.aws.release_states import (
    BREAKS,
    GONE,
    LOOK_SECONDS,
    UNREADABLE,
    Place,
    attempts,
    copies,
    end,
    found,
    lock,
    nothing,
    put,
    serving,
    settings,
    who,
)
from mlestate.aws.state_machines import State, choice, expression, judged, task, wait

__all__ = ["approved_yet", "checked", "prepared", "tried"]

WATCHED = {"dataDrift": "DataDrift", "predictionDrift": "PredictionDrift", "disparity": "Disparity"}
"""What a monitor says of the version in use that who decides on another should know: the metric by the id it has in a
question."""

DRIFT_DAYS = 7

TOLERANCE = "0.000001"
"""How far a number may be from what the version answered when it was judged, relative to it."""

MOST_FILES = 1000
"""So many keys a list of S3 has (S3 API, ListObjectsV2)."""

INDEX_SECONDS = 10
"""How long the index of signatures is given to hear of the newest."""

FINAL = ("released", "already-live", "stopped", "undecided", "rolled-back")
"""Endings after which the same approval, told once more, starts nothing; a person may start it again."""


def checked(place: Place) -> dict[str, State]:
    """Stage `check`."""
    return {
        **settings(place, "ByCause"),
        # Of an endpoint that changed, nobody knows yet which version it is about.
        "ByCause": choice({"$cause = 'endpoint'": "Take"}, "Version"),
        **_version(place),
        **_people(place),
        **_once(place),
        **lock(place, {"$cause = 'endpoint'": "Busy"}, "Live"),
        "Busy": nothing("'A release of ' & $model & ' is running'"),
        **found(place, "Turned"),
        # It may have waited for days.
        "Turned": choice({"$cause = 'endpoint'": "Serves"}, "StillApproved"),
        "StillApproved": _verdict(place, "StillWanted"),
        "StillWanted": choice({"$verdict = 'Approved'": "Serves"}, "Withdrawn"),
        "Withdrawn": end(
            "refused",
            f"$which & ' is ' & $verdict & ' in the registry by now. It got no traffic in {place.names.environment}.'",
        ),
        **serving("NothingServes", "Running", "OutOfService"),
        "NothingServes": choice({"$cause = 'endpoint'": "Gone"}, "NoEndpoint"),
        "Gone": nothing("'The endpoint is gone again'"),
        "NoEndpoint": end(
            "waiting-for-endpoint",
            f"'Nothing serves ' & $model & ' in {place.names.environment} yet. Write serving.initial_version: ' & "
            "$string($version) & ' for it in the estate file and run pulumi up; it is taken up by itself then.'",
        ),
        "OutOfService": end(
            "failed",
            "'The endpoint ' & $settings.endpoint & ' is ' & $status & ', not in service. Nothing was moved. Look at "
            "its log, and release again when it is back.'",
            tell="page",
        ),
        **_running(place),
    }


def _verdict(place: Place, then: str) -> State:
    """Reads the verdict once more: a rejection moves nothing while a version only waits."""
    return task(
        "sagemaker:describeModelPackage",
        {"ModelPackageName": expression("$package & $string($version)")},
        {"verdict": expression("$states.result.ModelApprovalStatus")},
        then,
    )


def approved_yet(place: Place, then: str) -> dict[str, State]:
    """Before a version gets all traffic: it may have been compared for days."""
    return {
        "ApprovedYet": _verdict(place, "WantedYet"),
        "WantedYet": choice(
            {
                "$verdict = 'Approved' and $settings.mode = 'batch'": "PutCurrent",
                "$verdict = 'Approved'": then,
                "$stage = 'beside'": "WithdrawnBeside",
            },
            "Withdrawn",
        ),
        "WithdrawnBeside": end(
            "refused",
            "$which & ' is ' & $verdict & ' in the registry by now. The version in use gets its traffic back.'",
            back=True,
        ),
    }


def _version(place: Place) -> dict[str, State]:
    """What the registry knows of the version, and what it scored."""
    container = "$states.result.InferenceSpecification.Containers[0]"
    failing = (
        "[$settings.gates[($value := $count(path) = 2 ? $lookup($lookup($evaluation, path[0]), path[1]) : "
        "$lookup($evaluation, path[0]); $not($exists($value)) or (bound = 'min' ? $value < value : $value > value))]]"
    )
    return {
        "Version": task(
            "sagemaker:describeModelPackage",
            {"ModelPackageName": expression("$package & $string($version)")},
            {
                "verdict": expression("$states.result.ModelApprovalStatus"),
                "made": expression("$states.result.ModelPackageStatus"),
                "image": expression(f"$exists({container}.Image) ? {container}.Image : ''"),
                "archive": expression(
                    f"$exists({container}.ModelDataUrl) ? $substringAfter({container}.ModelDataUrl, 's3://') : ''"
                ),
                "etag": expression(f"$exists({container}.ModelDataETag) ? {container}.ModelDataETag : ''"),
                "registered": expression("$string($states.result.CreationTime)"),
                "variables": expression(f"$exists({container}.Environment) ? {container}.Environment : {{}}"),
                "numbers": expression(
                    "$exists($states.result.ModelMetrics.ModelQuality.Statistics.S3Uri) ? "
                    "$substringAfter($states.result.ModelMetrics.ModelQuality.Statistics.S3Uri, 's3://') : ''"
                ),
                "passport": expression(
                    "$exists($states.result.CustomerMetadataProperties) ? "
                    "$states.result.CustomerMetadataProperties : {}"
                ),
                "run": expression(
                    "$exists($states.result.MetadataProperties.GeneratedBy) ? "
                    "$states.result.MetadataProperties.GeneratedBy : ''"
                ),
                "registrar": expression(who("$states.result.CreatedBy")),
                "changer": expression(who("$states.result.LastModifiedBy")),
                # The release's own session, by which a version was changed last, approved nothing.
                "released": expression(
                    "$exists($states.result.LastModifiedBy.IamIdentity.Arn) and "
                    f"$contains($states.result.LastModifiedBy.IamIdentity.Arn, /:({_releases(place)})\\//)"
                ),
                # Of a run in another account, where the first environment saw it.
                "starter": expression(
                    "($passport := $states.result.CustomerMetadataProperties; "
                    "$exists($passport) and $exists($lookup($passport, 'started-by')) ? "
                    "$lookup($passport, 'started-by') : '')"
                ),
            },
            "FromARun",
            catch={BREAKS: "UnknownVersion"},
        ),
        "UnknownVersion": end(
            "refused",
            "'The registry does not know version ' & $string($version) & ' of ' & $model & ': ' & $caught.Cause",
        ),
        "FromARun": choice({_one_run(place): "Numbers"}, "NotFromARun"),
        "NotFromARun": end(
            "refused",
            "$which & ' does not name one run of its pipeline in this estate, of which its archive, its numbers and "
            "GeneratedBy are, so there is nothing to judge it by. Register it through its pipeline.'",
        ),
        "Numbers": task(
            "s3:getObject",
            {
                "Bucket": expression("$substringBefore($numbers, '/')"),
                "Key": expression("$substringAfter($numbers, '/')"),
            },
            {
                "evaluation": expression(
                    "($said := $parse($states.result.Body); $exists($said.metrics) ? $said : "
                    "$error('it has no metrics'))"
                )
            },
            "Drift",
            catch={UNREADABLE: "NoNumbers", BREAKS: "NoNumbers"},
        ),
        "Drift": task(
            "cloudwatch:getMetricData",
            {
                "StartTime": expression(f"$fromMillis($millis() - {DRIFT_DAYS} * 86400000)"),
                "EndTime": expression("$now()"),
                "MetricDataQueries": [_watched(place, number) for number in WATCHED],
            },
            {
                "seen": expression(
                    "[$states.result.MetricDataResults[$count(Values) > 0].{'name': Id, 'value': $max(Values)}]"
                )
            },
            "Evidence",
        ),
        "NoNumbers": end(
            "refused",
            "'The numbers of version ' & $string($version) & ' of ' & $model & ' cannot be read at s3://' & $numbers & "
            "': ' & $caught.Cause",
        ),
        "Evidence": {
            "Type": "Pass",
            "Assign": {
                "failing": expression(failing),
                "evidence": expression(EVIDENCE),
            },
            "Next": "Wanted",
        },
        "Wanted": choice({"$cause = 'registered'": "VerdictNeeded"}, "Ready"),
        "VerdictNeeded": {
            "Type": "Succeed",
            "Output": expression(
                "{'outcome': 'registered', 'tell': 'notice', 'back': false, 'reason': 'Version ' & $string($version) & "
                "' of ' & $model & ' waits for a verdict in the registry.', 'evidence': $evidence, "
                "'command': 'To decide:\\n  mlestate approve estate.yaml ' & $model & ' ' & $string($version) & "
                "' --reason \"...\"\\n  mlestate reject estate.yaml ' & $model & ' ' & $string($version) & "
                "' --reason \"...\"'}"
            ),
        },
    }


def _releases(place: Place) -> str:
    """What the sessions of the estate's own releases begin with, as a regular expression."""
    each = place.environments or [place.names]
    return "|".join(f"{names.home}:assumed-role\\/{names.slice}-release" for names in each)


def _one_run(place: Place) -> str:
    """JSONata: whether a version's numbers and its archive are of one run of the model's pipeline, in the artifacts of
    the environment whose pipeline that is; and of the very run that it says it is of."""
    return (
        "($parts := $split($run, '/'); $folders := $split($numbers, '/'); "
        "$home := $join($folders[[0..3]], '/') & '/'; "
        "$count($parts) = 4 and $count($folders) > 6 and "
        f"$contains($parts[0], /:sagemaker:[a-z0-9-]+:[0-9]+:pipeline$/) and "
        f"$contains($parts[1], /^{place.names.estate}-/) "
        "and $substringBefore($folders[0], 'artifacts-') & $model = $parts[1] and $folders[1] = $model and "
        "$folders[2] = 'runs' and $folders[3] = $parts[3] and $folders[4] = 'evaluate' and $folders[5] = 'evaluation' "
        "and $substring($archive, 0, $length($home)) = $home)"
    )


def _watched(place: Place, number: str) -> dict[str, Any]:
    dimensions = [
        {"Name": "Environment", "Value": place.names.slice},
        {"Name": "Model", "Value": expression("$model")},
    ]
    metric = {"Namespace": NAMESPACE, "MetricName": WATCHED[number], "Dimensions": dimensions}
    return {"Id": number, "ReturnData": True, "MetricStat": {"Stat": "Maximum", "Period": 86400, "Metric": metric}}


def _people(place: Place) -> dict[str, State]:
    """Who approved it, and is it somebody else than who made it? Do enough people agree to it here?"""
    names, here = place.names, place.names.environment
    own = f"$contains($run, '{names.arn('sagemaker', 'pipeline/')}')"
    return {
        "Ready": judged(
            [
                ("$made != 'Completed'", "$which & ' is ' & $made & ' in the registry, not complete.'", "Refused"),
                (
                    "$verdict != 'Approved'",
                    "$which & ' is ' & $verdict & ' in the registry. An approver decides: mlestate approve '"
                    "& 'estate.yaml ' & $model & ' ' & $string($version) & ' --reason \"...\"'",
                    "Refused",
                ),
                # What serves already was put there by Pulumi, before any release could ask.
                ("$cause = 'endpoint'", "''", "Begun"),
                (
                    "$settings.promotion.from != null and "
                    # A rollback there writes words in the place of the time.
                    "($passed := $lookup($passport, 'passed-' & $settings.promotion.from); "
                    "$not($exists($passed) and $contains($passed, /^[0-9]{4}-/)))",
                    f"$which & ' has not passed ' & $settings.promotion.from & ' yet, which comes before {here}: "
                    "mlestate promote estate.yaml ' & $model & ' ' & $string($version) & ' --environment ' & "
                    "$settings.promotion.from",
                    "Refused",
                ),
                (
                    "$count($failing) > 0",
                    f"$which & ' does not pass the gates of {here}.'",
                    "Refused",
                ),
            ],
            "OwnRun",
        ),
        "Refused": end("refused", "$why", more="'evidence': $evidence"),
        # A run of another account does not say here who started it. Nor does SageMaker promise it of one in this one
        # (SageMaker API, IamIdentity: of model packages, groups, projects and hubs): then it is written down as not
        # known, because to refuse would be to release nothing.
        "OwnRun": choice({own: "Starter"}, "Approver"),
        "Starter": task(
            "sagemaker:describePipelineExecution",
            {"PipelineExecutionArn": expression("$run")},
            {"starter": expression(who("$states.result.CreatedBy"))},
            "Approver",
            catch={BREAKS: "NoStarter"},
        ),
        "NoStarter": end(
            "refused",
            "'Who started the run that made version ' & $string($version) & ' of ' & $model & ' cannot be read, so "
            "nobody knows whether somebody else approved it: ' & $caught.Cause",
        ),
        "Approver": {
            "Type": "Pass",
            "Assign": {
                "approver": expression(
                    "$not($released) ? $changer : $exists($lookup($passport, 'approved-by')) ? "
                    "$lookup($passport, 'approved-by') : ''"
                )
            },
            "Next": "FourEyes",
        },
        "FourEyes": judged(
            [
                ("$approver = ''", "$which & ' does not say who approved it.'", "Refused"),
                (
                    "$approver = $registrar",
                    "$which & ' was registered and approved by ' & $approver & '. Somebody else has to approve it.'",
                    "Refused",
                ),
                (
                    "$approver = $starter",
                    "$which & ' was approved by ' & $approver & ', who started the run that made it. Somebody else "
                    "has to approve it.'",
                    "Refused",
                ),
            ],
            "Agreed",
        ),
        "Agreed": choice({"$settings.promotion.approvals > 0": "Signatures"}, "Attempts"),
        "Signatures": task(
            "dynamodb:query",
            {
                "TableName": place.approvals,
                "IndexName": "by-version",
                "KeyConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":version": {"S": expression("$model & '/' & $string($version)")}},
            },
            # Of a role's session, `person` is the role's id and the name of who took it.
            {
                "signers": expression(
                    "[$filter($distinct([$states.result.Items.($split(person.S, ':')[-1])]), "
                    "function($who) {$not($who in [$registrar, $starter])})]"
                )
            },
            "Enough",
        ),
        "Enough": choice(
            {
                "$count($signers) >= $settings.promotion.approvals": "Attempts",
                # Who signs starts the release at once, and an index is behind its table for a moment.
                "$cause = 'person' and $not($counted)": "IndexBehind",
            },
            "Unsigned",
        ),
        "IndexBehind": {**wait(INDEX_SECONDS, "Signatures"), "Assign": {"counted": True}},
        "Unsigned": end(
            "waiting-for-approval",
            f"$which & ' needs ' & $string($settings.promotion.approvals) & ' to agree to {here}; ' & "
            "($count($signers) = 0 ? 'nobody has' : $join($signers, ', ') & ' agreed') & '.'",
            more="'evidence': $evidence, 'approvals': $signers, 'command': 'To agree:\\n  mlestate approve "
            "estate.yaml ' & "
            f"$model & ' ' & $string($version) & ' --environment {here} --reason \"...\"'",
        ),
    }


def _once(place: Place) -> dict[str, State]:
    """An approval that is told twice releases once."""
    final = "[" + ", ".join(f"'{each}'" for each in FINAL) + "]"
    return {
        "Attempts": task(
            "dynamodb:query",
            {
                "TableName": place.ledger,
                "KeyConditionExpression": "#model = :model AND begins_with(#entry, :entry)",
                "ExpressionAttributeNames": {"#model": "model", "#entry": "entry"},
                "ExpressionAttributeValues": {
                    ":model": {"S": expression("$model")},
                    ":entry": {"S": expression(attempts("$version"))},
                },
                "ScanIndexForward": False,
                "Limit": 1,
                "ConsistentRead": True,
            },
            {"last": expression("$count($states.result.Items) > 0 ? $parse($states.result.Items[0].document.S) : {}")},
            "Again",
        ),
        "Again": choice(
            {
                "$cause = 'person'": "Take",
                f"$exists($last.outcome) and $last.outcome in {final}": "Duplicate",
                "$exists($last.execution) and $not($exists($last.outcome))": "LastRuns",
            },
            "Take",
        ),
        "LastRuns": task(
            "sfn:describeExecution",
            {"ExecutionArn": expression("$last.execution")},
            {"lastStatus": expression("$states.result.Status")},
            "Alive",
            catch={GONE: "Take"},
        ),
        "Alive": choice({"$lastStatus = 'RUNNING'": "Duplicate"}, "Take"),
        "Duplicate": nothing("'This approval of version ' & $string($version) & ' of ' & $model & ' was seen before'"),
    }


def _running(place: Place) -> dict[str, State]:
    """Is what serves what the last release left? If Pulumi made it, it is taken into the ledger; a stranger is not."""
    own = "$settings.prefix & '-v' & $string($version) & '-'"
    return {
        "Running": choice(
            {
                "$live != null and $live.configuration = $configuration": "Fresh",
                "$configuration = $settings.template": "Adopt",
                f"$cause != 'endpoint' and $contains($configuration, {own})": "Begun",
                "$tookOver and $contains($configuration, $settings.prefix & '-v')": "LeftOver",
                "$live = null and $settings.mode != 'batch'": "NeverTakenUp",
            },
            "ByHand",
        ),
        # Nobody else would: what a dead release has half moved would stay so.
        "LeftOver": end(
            "failed",
            "'A release of ' & $model & ' died and left ' & $configuration & ' serving. What was in use before gets "
            "all traffic again' & ($version > 0 ? ', and version ' & $string($version) & ' was not released.' : '.')",
            tell="page",
            back=True,
            more="'command': $version > 0 ? 'To release it after that:\\n  mlestate promote estate.yaml ' & $model & "
            f"' ' & $string($version) & ' --environment {place.names.environment}'",
        ),
        "NeverTakenUp": end(
            "failed",
            "'The ledger does not know what serves ' & $model & ', and it is not what pulumi made last: ' & "
            "$configuration & ', not ' & $settings.template & '. Nothing was moved.'",
            tell="page",
            more="'command': 'To have the newest served, and taken up by itself:\\n  aws sagemaker update-endpoint "
            "--endpoint-name ' & $settings.endpoint & ' --endpoint-config-name ' & $settings.template",
        ),
        "ByHand": end(
            "failed",
            "'What serves ' & $model & ' was changed by hand: it is ' & $configuration & ', which neither the last "
            "release nor pulumi put there. Nothing was moved.'",
            tell="page",
            more="'command': 'To put back what was released last:\\n  mlestate rollback estate.yaml ' & $model & ' "
            f'--environment {place.names.environment} --reason "..."\'',
        ),
        "Adopt": choice({"$settings.mode = 'batch'": "AdoptModel"}, "AdoptConfiguration"),
        "AdoptConfiguration": task(
            "sagemaker:describeEndpointConfig",
            {"EndpointConfigName": expression("$configuration")},
            {"serves": expression("$states.result.ProductionVariants[0].ModelName")},
            "AdoptFrom",
        ),
        "AdoptModel": {"Type": "Pass", "Assign": {"serves": expression("$configuration")}, "Next": "AdoptFrom"},
        "AdoptFrom": task(
            "sagemaker:describeModel",
            {"ModelName": expression("$serves")},
            {
                "origin": expression(
                    "($package := $exists($states.result.Containers[0].ModelPackageName) ? "
                    "$states.result.Containers[0].ModelPackageName : $states.result.PrimaryContainer.ModelPackageName; "
                    "$exists($package) ? $number($split($package, '/')[-1]) : 0)"
                )
            },
            "Adopted",
        ),
        "Adopted": put(
            place,
            "'live'",
            ADOPTED,
            {"live": ADOPTED},
            "AdoptedFor",
        ),
        "AdoptedFor": choice({"$cause = 'endpoint'": "AdoptVersion"}, "Fresh"),
        "AdoptVersion": {
            "Type": "Pass",
            "Assign": {
                "version": expression("$origin"),
                "record": expression("$merge([$record, {'version': $origin}])"),
                "which": expression("'Version ' & $string($origin) & ' of ' & $model"),
            },
            "Next": "Version",
        },
        "Fresh": judged(
            [
                ("$cause = 'endpoint'", "''", "AsReleased"),
                (
                    "$live.version = $version and $live.template = $settings.template and $cause = 'person'",
                    "''",
                    "Begun",
                ),
                ("$live.version = $version and $live.template = $settings.template", "''", "AlreadyLive"),
                (
                    "$live.version > $version and $cause != 'person'",
                    "$which & ' is older than ' & $string($live.version) & ', "
                    "which is in use. If it shall come back all the same: mlestate promote estate.yaml ' & $model & "
                    "' ' "
                    f"& $string($version) & ' --environment {place.names.environment}'",
                    "Older",
                ),
            ],
            "Begun",
        ),
        "AsReleased": nothing("'The endpoint runs what was released'"),
        # An event that comes twice at once leaves one entry in the ledger, that of the release.
        "AlreadyLive": nothing("$which & ' is in use already.'"),
        "Older": end("refused", "$why"),
    }


ADOPTED = (
    "{'version': $origin, 'configuration': $configuration, 'sagemaker_model': $serves, "
    "'template': $settings.template, 'since': $now(), 'execution': $self, 'approved_by': '', "
    "'previous': null}"
)


def prepared(place: Place) -> dict[str, State]:
    """Stage `prepare`: the files of the version come into this environment, so that nothing here depends on where it
    was trained; then a SageMaker model of them, as Pulumi's newest is but for the version."""
    base = "$settings.prefix & '-v' & $string($version) & '-'"
    folder = "$model & '/versions/' & $string($version) & '/'"
    return {
        "Begun": {
            "Type": "Pass",
            "Assign": {
                # What is live already is looked at and written down, and nothing is moved.
                "inPlace": expression(
                    "$live != null and $live.version = $version and $live.configuration = $configuration and "
                    "$live.template = $settings.template"
                ),
                "base": expression(base),
                "name": expression(f"{base} & $substring($settings.template, -7)"),
                "origin": expression("$substringBefore($numbers, '/evaluate/evaluation/')"),
                "record": expression(
                    "$merge([$record, {'strategy': $settings.rollout.strategy, 'approved_by': $approver, "
                    "'started_by': $starter = '' ? 'not known' : $starter, "
                    "'challenger': $evaluation.metrics, 'champion': $exists($evaluation.champion.metrics) ? "
                    "$evaluation.champion.metrics : null}])"
                ),
            },
            "Next": "Preparing",
        },
        "Preparing": phase(place, "preparing", "Here"),
        "Here": task(
            "s3:listObjectsV2",
            {"Bucket": place.artifacts, "Prefix": expression(folder)},
            # Older ones are of another registry's version of that number.
            {
                "here": expression(
                    "[$states.result.Contents[$toMillis($string(LastModified)) >= $toMillis($registered)].Key]"
                )
            },
            "List",
        ),
        "List": {
            "Type": "Map",
            "Items": [
                {"from": f"{step}/{output}/", "to": f"{output}/"}
                for step, output in (
                    ("check_data", "statistics"),
                    ("evaluate", "evaluation"),
                    ("evaluate", "baselines"),
                    ("evaluate", "examples"),
                )
            ],
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "ListOne",
                "States": {
                    "ListOne": task(
                        "s3:listObjectsV2",
                        {
                            "Bucket": expression("$substringBefore($origin, '/')"),
                            "Prefix": expression("$substringAfter($origin, '/') & '/' & $states.input.from"),
                        },
                        {},
                        None,
                        output=expression(
                            "($to := $states.input.to; $from := '/' & $states.input.from; $bucket := "
                            "$substringBefore($origin, '/'); {'files': [$states.result.Contents.("
                            "{'from': $bucket & '/' & Key, 'to': $to & $substringAfter(Key, $from)})]})"
                        ),
                    )
                },
            },
            "Assign": {
                "files": expression(
                    "$append([$states.result.files], [$merge([{'from': $archive, 'to': 'model/model.tar.gz'}, "
                    "$etag = '' ? {} : {'etag': $etag}])])"
                )
            },
            "Next": "Few",
        },
        "Few": choice({f"$count($files) < {MOST_FILES}": "Missing"}, "TooMany"),
        "TooMany": end(
            "refused",
            f"$which & ' has {MOST_FILES} files or more, and a release brings fewer: let its steps write less.'",
        ),
        # What serves may read its file again at any time, so none is written over.
        "Missing": {
            "Type": "Pass",
            "Assign": {
                "missing": expression(f"[$filter($files, function($file) {{$not({folder} & $file.to in $here)}})]")
            },
            "Next": "Bring",
        },
        "Bring": {
            **copies("BringOne", "$missing", place.artifacts, "Brought", source="$states.input.from", folder=folder),
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Assign": {"caught": expression("$states.errorOutput")},
                    "Next": "NotBrought",
                }
            ],
        },
        "NotBrought": end(
            "refused",
            "'The files of version ' & $string($version) & ' of ' & $model & ' cannot be brought here from s3://' & "
            "$origin & ', or its archive is no longer the one that was registered: ' & $caught.Cause",
        ),
        "Brought": choice(
            {
                "$inPlace": "Promoting",
                "$count($files[to = 'examples/request.json' or to = 'examples/answer.json']) = 2": "Shape",
            },
            "NoExamples",
        ),
        "NoExamples": end(
            "refused",
            "$which & ' brings no examples that can be read (docs/contract.md), so nothing says "
            "what it has to answer before it gets traffic.'",
        ),
        "Shape": choice({"$settings.mode = 'batch'": "BatchModel"}, "Template"),
        "BatchModel": {"Type": "Pass", "Assign": {"like": expression("$settings.template")}, "Next": "TemplateModel"},
        "Template": task(
            "sagemaker:describeEndpointConfig",
            {"EndpointConfigName": expression("$settings.template")},
            {
                "template": expression("$states.result"),
                "like": expression("$states.result.ProductionVariants[0].ModelName"),
                "machines": expression(f"$max([1, $variants[VariantName = '{CHAMPION}'].CurrentInstanceCount])"),
            },
            "TemplateModel",
        ),
        "TemplateModel": task(
            "sagemaker:describeModel",
            {"ModelName": expression("$like")},
            {"shape": expression("$states.result")},
            "Model",
        ),
        "Model": task(
            "sagemaker:createModel",
            expression(
                "$merge([{'ModelName': $name, 'ExecutionRoleArn': $shape.ExecutionRoleArn, "
                "'EnableNetworkIsolation': $shape.EnableNetworkIsolation, 'PrimaryContainer': {'Image': $image, "
                f"'ModelDataUrl': 's3://{place.artifacts}/' & {folder} & 'model/model.tar.gz', "
                "'Environment': $merge([$variables, $exists($shape.Containers[0].Environment) ? "
                "$shape.Containers[0].Environment : {}])}, "
                "'Tags': $settings.tags}, "
                "$exists($shape.VpcConfig.Subnets) ? {'VpcConfig': $shape.VpcConfig} : {}])"
            ),
            {},
            "Trying",
            # A machine that was stopped and started again made it before.
            catch={BREAKS: "ModelThere"},
        ),
        "ModelThere": task("sagemaker:describeModel", {"ModelName": expression("$name")}, {}, "Trying"),
    }


def phase(place: Place, name: str, then: str, step: str = "null") -> State:
    """Writes down where the release is; ``step`` is JSONata for how far a stage of several steps has come."""
    record = f"$merge([$record, {{'phase': '{name}', 'since': $now(), 'step': {step}}}])"
    return put(
        place,
        f"{attempts('$version')} & $started",
        record,
        {"record": record},
        then,
    )


def tried(place: Place) -> dict[str, State]:
    """Stage `try`: a transform job answers the version's examples, as any mode would, and nobody else's requests."""
    folder = "$model & '/versions/' & $string($version) & '/examples/'"
    out = "$model & '/trials/' & $string($version) & '/'"
    return {
        "Trying": phase(place, "trying", "Trial"),
        "Trial": task(
            "sagemaker:createTransformJob",
            expression(
                "{'TransformJobName': $base & $substring($string($millis()), 3, 10), 'ModelName': $name, "
                "'MaxConcurrentTransforms': 1, 'MaxPayloadInMB': 6, 'BatchStrategy': 'SingleRecord', "
                "'TransformInput': {'ContentType': 'application/json', 'SplitType': 'None', 'DataSource': "
                f"{{'S3DataSource': {{'S3DataType': 'S3Prefix', 'S3Uri': 's3://{place.artifacts}/' & {folder} & "
                "'request.json'}}}, 'TransformOutput': $merge([{'Accept': 'application/json', 'S3OutputPath': "
                f"'s3://{place.capture}/' & {out}}}, $settings.trial.output]), "
                "'TransformResources': $merge([{'InstanceCount': 1}, $settings.trial.resources]), "
                "'Tags': $settings.tags}"
            ),
            {"trial": expression("$substringAfter($states.result.TransformJobArn, 'transform-job/')")},
            "TrialRuns",
        ),
        "TrialRuns": task(
            "sagemaker:describeTransformJob",
            {"TransformJobName": expression("$trial")},
            {
                "status": expression("$states.result.TransformJobStatus"),
                "failure": expression("$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"),
            },
            "TrialEnded",
        ),
        "TrialEnded": choice(
            {"$status = 'Completed'": "Answer", "$status in ['InProgress', 'Stopping']": "TrialRest"}, "DoesNotAnswer"
        ),
        "TrialRest": wait(LOOK_SECONDS, "TrialRuns"),
        "Answer": task(
            "s3:getObject",
            {"Bucket": place.capture, "Key": expression(f"{out} & 'request.json.out'")},
            {"answer": expression(_PREDICTIONS)},
            "Expected",
            catch={UNREADABLE: "AnswersNonsense", BREAKS: "DoesNotAnswer"},
        ),
        "Expected": task(
            "s3:getObject",
            {"Bucket": place.artifacts, "Key": expression(f"{folder} & 'answer.json'")},
            {"expected": expression(_PREDICTIONS)},
            "Agrees",
            catch={UNREADABLE: "NoExamples"},
        ),
        "Agrees": choice({f"({_SAME}; $same($answer, $expected))": "Takes"}, "AnswersOtherwise"),
        "DoesNotAnswer": end(
            "stopped",
            "$which & ' does not answer its own examples (' & $trial & ', ' & "
            "$status & ($failure != '' ? ': ' & $failure : '') & '). It got no traffic.'",
        ),
        "AnswersNonsense": end(
            "stopped",
            "$which & ' answers its own examples with something other than JSON with predictions (docs/contract.md): "
            f"look at s3://{place.capture}/' & {out} & '. It got no traffic.'",
        ),
        "AnswersOtherwise": end(
            "stopped",
            "$which & ' answers its own examples otherwise than when it was "
            f"judged: compare s3://{place.capture}/' & {out} & ' with s3://{place.artifacts}/' & {folder} & '. It "
            "got no "
            "traffic.'",
        ),
    }


_PREDICTIONS = (
    "($said := $parse($states.result.Body); $exists($said.predictions) ? $said.predictions : $error('no predictions'))"
)
"""JSONata: what an answer says, which is `{"predictions": [...]}`."""

_SAME = (
    "$values := function($rows) {$reduce([$rows], function($all, $row) {$append($all, $type($row) = 'object' ? "
    "[$row.prediction, $row.probability] : $row)}, [])}; "
    "$close := function($one, $other) {$type($one) = 'number' and $type($other) = 'number' ? "
    f"$abs($one - $other) <= {TOLERANCE} * $max([1, $abs($other)]) : $string($one) = $string($other)}}; "
    "$same := function($said, $wanted) {($one := $values($said); $other := $values($wanted); "
    "$count($one) > 0 and $count($one) = $count($other) and "
    "$sum([$map($one, function($value, $index) {$close($value, $other[$index]) ? 0 : 1})]) = 0)}"
)
"""JSONata: whether two lists of predictions are the same, each a value or an object with `prediction` and perhaps
`probability`."""

EVIDENCE = (
    "($champion := $exists($evaluation.champion.metrics) ? $evaluation.champion.metrics : {}; "
    "$line := function($name) {'  ' & $name & ' ' & $string($lookup($evaluation.metrics, $name)) & "
    "$join([$settings.gates[$count(path) = 2 and path[1] = $name].(', ' & (bound = 'min' ? 'at least ' : 'at most ') & "
    "$string(value))], '') & ($exists($lookup($champion, $name)) ? "
    "', the version in use has ' & $string($lookup($champion, $name)) : '')}; "
    "$fair := $exists($evaluation.fairness.disparity) ? ['  difference of the positive rate by ' & "
    "$evaluation.fairness.attribute & ' ' & $string($evaluation.fairness.disparity) & "
    "$join([$settings.gates[path[1] = 'disparity'].(', at most ' & $string(value))], '')] : []; "
    "'On its holdout:\\n' & $join($append([$map($keys($evaluation.metrics), $line)], $fair), '\\n') & "
    f"($count($seen) = 0 ? '' : '\\nOf the version in use, at most in {DRIFT_DAYS} days:\\n' & "
    "$join([$seen.('  ' & $replace(name, 'D', ' d') & ' ' & $string(value))], '\\n')))"
)
"""JSONata: what a person needs to know of a version, a line for each number with its gate and the version in use."""
