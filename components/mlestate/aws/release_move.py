"""Traffic moves: two versions beside each other, the update of an endpoint, the time of watching, and what is written
down when a version has taken over. Plain data.

Every wait is a loop of looks. An execution remembers 25,000 events (Step Functions quotas), so the looks of all times
of watching together are bounded: what is watched for longer is looked at less often.
"""

from mlestate.aws.comparisons import CHALLENGER, CHAMPION, REPORT, filled
from mlestate.aws.release_states import (
    BREAKS,
    LOOK_SECONDS,
    UPDATE,
    Place,
    champion,
    end,
    put,
    settle,
)
from mlestate.aws.release_version import approved_yet, phase
from mlestate.aws.state_machines import State, choice, each, expression, task, wait

__all__ = ["compared", "moved", "promoted"]

LOOKS = 500
"""The most looks in all times of watching of one release, each of which writes up to 25 events; what is left is for the
turn that it waits for, and for updates and jobs."""

WINDOW, FURTHEST = 1800, 86400
"""How far back a look at a challenger goes, in seconds, and the furthest: after one that saw too few requests the next
goes back twice as far."""

SEEN = 30
"""The fewest requests to a challenger from which its share of errors says anything."""

WARM = 300
"""How long SageMaker itself watches an update and keeps the machines of before, in seconds. It takes no other update
meanwhile, not even one back that a person wants, so what is to be watched for longer is watched by the machine."""

LONGEST = 28800
"""The longest that a guarded update may take, in seconds (the same, MaximumExecutionTimeoutInSeconds)."""

_RETAINED = (
    "'RetainAllVariantProperties': true, 'ExcludeRetainedVariantProperties': "
    "[{'VariantPropertyType': 'DataCaptureConfig'}, {'VariantPropertyType': 'DesiredWeight'}]"
)
"""`release_states.UPDATE` inside an expression."""

_STEP = "$string($settings.rollout.steps[$step]) & ' % of the traffic'"

_VARIANT = "$template.ProductionVariants[0]"


def compared(place: Place) -> dict[str, State]:
    """Stage `compare`: the new version as a second variant."""
    weights = (
        "($share := $settings.rollout.strategy = 'ab' ? $settings.rollout.split : $settings.rollout.steps[0]; "
        "$champion := $merge([" + _VARIANT + ", {'ModelName': $live.sagemaker_model, 'InitialVariantWeight': "
        "$settings.rollout.strategy = 'shadow' ? 1 : 100 - $share, 'InitialInstanceCount': $machines}]); "
        "$challenger := $merge([" + _VARIANT + ", {'VariantName': '" + CHALLENGER + "', 'ModelName': $name, "
        "'InitialVariantWeight': $settings.rollout.strategy = 'shadow' ? $settings.rollout.sample : $share, "
        "'InitialInstanceCount': $settings.rollout.strategy = 'shadow' ? "
        "$max([1, $ceil($machines * $settings.rollout.sample)]) : $settings.rollout.strategy = 'ab' ? "
        "$max([1, $ceil($machines * $settings.rollout.split / 100)]) : "
        "$max([1, $ceil($machines * $settings.rollout.steps[-2] / 100)])}]); "
        "$settings.rollout.strategy = 'shadow' ? {'ProductionVariants': [$champion], 'ShadowProductionVariants': "
        "[$challenger]} : {'ProductionVariants': [$champion, $challenger]})"
    )
    return {
        "Takes": choice({"$settings.mode = 'batch'": "ApprovedYet"}, "How"),
        "How": choice(
            {
                # The machine was stopped and started again when the endpoint had moved already.
                "$configuration = $name": "Moved",
                f"$exists({_VARIANT}.InstanceType)": "ServesOn",
            },
            "Way",
        ),
        # No update gives a variant that is scaled another type of machine (SageMaker developer guide, "Update endpoints
        # that use auto scaling").
        "ServesOn": task(
            "sagemaker:describeEndpointConfig",
            {"EndpointConfigName": expression("$configuration")},
            {"machine": expression("$states.result.ProductionVariants[0].InstanceType")},
            "SameMachine",
        ),
        "SameMachine": choice({f"$machine = {_VARIANT}.InstanceType": "Way"}, "Scaled"),
        "Scaled": task(
            "applicationautoscaling:describeScalableTargets",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceIds": [expression(f"'endpoint/' & $settings.endpoint & '/variant/{CHAMPION}'")],
            },
            {"scaled": expression("$count($states.result.ScalableTargets) > 0")},
            "MayChange",
        ),
        "MayChange": choice({"$scaled": "OtherMachine"}, "Way"),
        "OtherMachine": end(
            "refused",
            "$which & ' would serve on ' & " + _VARIANT + ".InstanceType & ', and ' & $settings.endpoint & ' runs on ' "
            "& $machine & '. SageMaker changes no type of machine of an endpoint that is scaled. Nothing was moved.'",
            more="'command': 'To change it: set serving.replicas.max of ' & $model & ' to its min and run pulumi up, "
            "which ends the scaling; then\\n  mlestate promote estate.yaml ' & $model & ' ' & $string($version) & '"
            f' --environment {place.names.environment} --reason "..."\\nand set it back and run pulumi up again. To '
            "release on the machines of now instead, set the machine back in the file.'",
        ),
        "Way": choice(
            {
                "$settings.rollout.strategy = 'all-at-once'": "Shifting",
            },
            "Comparing",
        ),
        "Comparing": phase(place, "comparing", "Names", f"$settings.rollout.strategy = 'canary' ? {_STEP} : null"),
        "Names": {"Type": "Pass", "Assign": {"sides": expression(weights)}, "Next": "Named"},
        # A name that follows from what is beside: one that is there from an earlier try may hold another champion.
        "Named": {
            "Type": "Pass",
            "Assign": {
                "beside": expression(
                    "$base & $substring($hash($settings.template & $string($sides), 'SHA-256'), 0, 7) & '-2'"
                )
            },
            "Next": "Beside",
        },
        "Beside": task(
            "sagemaker:createEndpointConfig",
            expression(f"$merge([{_COMMON}, {{'EndpointConfigName': $beside}}, $sides])"),
            {},
            "BesideNow",
            catch={BREAKS: "BesideThere"},
        ),
        "BesideThere": task(
            "sagemaker:describeEndpointConfig", {"EndpointConfigName": expression("$beside")}, {}, "BesideNow"
        ),
        "BesideNow": choice(
            {
                "$configuration != $beside": "MoveBeside",
                "$settings.rollout.strategy = 'canary'": "Shift",
            },
            "IsBeside",
        ),
        "MoveBeside": task(
            "sagemaker:updateEndpoint",
            {**UPDATE, "EndpointConfigName": expression("$beside")},
            {"expected": expression("$beside"), "stage": "beside"},
            "Settle",
        ),
        # A step of a canary: the next weights.
        "Shift": task(
            "sagemaker:updateEndpointWeightsAndCapacities",
            {
                "EndpointName": expression("$settings.endpoint"),
                "DesiredWeightsAndCapacities": expression(
                    f"[{{'VariantName': '{CHAMPION}', 'DesiredWeight': 100 - $settings.rollout.steps[$step]}}, "
                    f"{{'VariantName': '{CHALLENGER}', 'DesiredWeight': $settings.rollout.steps[$step]}}]"
                ),
            },
            {"expected": expression("$beside"), "stage": "beside"},
            "Settle",
        ),
        "IsBeside": {
            "Type": "Pass",
            "Assign": {"expected": expression("$beside"), "stage": "beside"},
            "Next": "Settle",
        },
        **_judge_challenger(),
        **(_comparison(place) if place.comparisons else {}),
    }


_COMMON = (
    "{'Tags': $settings.tags}, $exists($template.DataCaptureConfig.EnableCapture) ? "
    "{'DataCaptureConfig': $template.DataCaptureConfig} : {}, "
    "$exists($template.KmsKeyId) ? {'KmsKeyId': $template.KmsKeyId} : {}, "
    "$exists($template.AsyncInferenceConfig.OutputConfig) ? "
    "{'AsyncInferenceConfig': $template.AsyncInferenceConfig} : {}"
)
"""What a configuration takes from the template besides its variants."""


def _judge_challenger() -> dict[str, State]:
    """What the second variant does, read under its own name and held against the signs of the rollout."""

    def query(id_: str, metric: str, statistic: str) -> str:
        return (
            f"{{'Id': '{id_}', 'ReturnData': true, 'MetricStat': {{'Stat': '{statistic}', 'Period': 300, 'Metric': "
            f"{{'Namespace': 'AWS/SageMaker', 'MetricName': '{metric}', 'Dimensions': [{{'Name': 'EndpointName', "
            "'Value': "
            f"$settings.endpoint}}, {{'Name': 'VariantName', 'Value': '{CHALLENGER}'}}]}}}}}}"
        )

    queries = ", ".join(
        query(*each)
        for each in (
            ("asked", "Invocations", "Sum"),
            ("failed", "Invocation5XXErrors", "Sum"),
            ("p95", "ModelLatency", "p95"),
            ("p99", "ModelLatency", "p99"),
        )
    )
    of = "$states.result.MetricDataResults[Id = '{}'].Values"
    return {
        "Measure": task(
            "cloudwatch:getMetricData",
            {
                # What fails now must not hide behind hours that were well.
                "StartTime": expression("$fromMillis($max([$watched, $millis() - $window * 1000]))"),
                "EndTime": expression("$now()"),
                "MetricDataQueries": expression(f"[{queries}]"),
            },
            {
                "measured": expression(
                    f"($asked := $sum([{of.format('asked')}]); $failed := $sum([{of.format('failed')}]); "
                    # Latencies are in microseconds (SageMaker developer guide, "Amazon SageMaker AI metrics").
                    f"$p95 := [{of.format('p95')}]; $p99 := [{of.format('p99')}]; "
                    "{'requests': $asked, 'error_rate': $asked > 0 ? $failed / $asked : 0, "
                    "'p95_latency_ms': $count($p95) > 0 ? $average($p95) / 1000 : null, "
                    "'p99_latency_ms': $count($p99) > 0 ? $average($p99) / 1000 : null})"
                )
            },
            "Signs",
        ),
        "Signs": {
            "Type": "Pass",
            "Assign": {
                "record": expression("$merge([$record, {'measured': $measured}])"),
                "signs": expression(
                    f"$measured.requests < {SEEN} ? [] : [$filter(['error_rate', 'p95_latency_ms', 'p99_latency_ms'], "
                    "function($sign) {($bound := $lookup($settings.rollout.rollback_on, $sign); "
                    "$value := $lookup($measured, $sign); $exists($bound) and $value != null and "
                    "(($exists($bound.max) and $value > $bound.max) or ($exists($bound.min) and $value < "
                    "$bound.min)))})]"
                ),
                "window": expression(f"$measured.requests < {SEEN} ? $min([$window * 2, {FURTHEST}]) : {WINDOW}"),
            },
            "Next": "Worse",
        },
        "Worse": choice(
            {
                "$count($signs) > 0 and $settings.rollout.strategy = 'canary'": "CanaryWorse",
                "$count($signs) > 0": "ChallengerWorse",
            },
            "Time",
        ),
        "CanaryWorse": end(
            "rolled-back",
            "'With ' & $string($settings.rollout.steps[$step]) & ' % of the traffic, version ' & $string($version) & "
            "' of ' "
            f"& $model & ' was out of bounds: ' & {_SIGNS} & '.'",
            tell="page",
            back=True,
        ),
        "ChallengerWorse": end(
            "stopped",
            f"$which & ' was out of bounds beside the version in use: ' & {_SIGNS} & '.'",
            back=True,
        ),
    }


_SIGNS = (
    "$join([$map($signs, function($sign) {$replace($sign, '_', ' ') & ' ' & $string($lookup($measured, $sign)) & "
    "($exists($lookup($settings.rollout.rollback_on, $sign).max) ? ', at most ' & "
    "$string($lookup($settings.rollout.rollback_on, $sign).max) : ', at least ' & "
    "$string($lookup($settings.rollout.rollback_on, $sign).min))})], '; ')"
)


def _comparison(place: Place) -> dict[str, State]:
    """The job that compares what both answered, and its verdict (mlestate.comparison)."""
    report = "$model & '/monitoring/comparisons/' & $comparison & '/'"
    return {
        "Comparable": {
            "Type": "Pass",
            "Assign": {
                "comparison": expression("$base & $substring($string($millis()), 3, 10)"),
                "since": expression("$fromMillis($watched)"),
                "ends": expression("$now()"),
            },
            "Next": "Asked",
        },
        # No default: a model whose versions are compared has its request here.
        "Asked": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": expression(f"$model = '{model}'"),
                    "Assign": {"request": dict(request)},
                    "Next": "Compare",
                }
                for model, request in sorted(place.comparisons.items())
            ],
        },
        "Compare": task(
            "sagemaker:createProcessingJob",
            expression(filled("$request", job="$comparison", since="$since", until="$ends")),
            {},
            "CompareRuns",
        ),
        "CompareRuns": task(
            "sagemaker:describeProcessingJob",
            {"ProcessingJobName": expression("$comparison")},
            {
                "status": expression("$states.result.ProcessingJobStatus"),
                "failure": expression("$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"),
            },
            "Compared",
        ),
        "Compared": choice(
            {
                "$status = 'Completed'": "Report",
                "$status in ['InProgress', 'Stopping']": "CompareRest",
            },
            "NoReport",
        ),
        "CompareRest": wait(LOOK_SECONDS, "CompareRuns"),
        "Report": task(
            "s3:getObject",
            {"Bucket": place.artifacts, "Key": expression(f"{report} & '{REPORT}'")},
            {
                "report": expression("$parse($states.result.Body)"),
                "record": expression("$merge([$record, {'comparison': $parse($states.result.Body)}])"),
            },
            "Verdict",
        ),
        "Verdict": choice({"$report.verdict = 'promote'": "Shifting", "$report.verdict = 'keep'": "Keep"}, "Undecided"),
        "Keep": end(
            "stopped",
            "$which & ' is not promoted: ' & $report.reason",
            back=True,
        ),
        "Undecided": end(
            "undecided",
            "'Nothing was decided between version ' & $string($version) & ' of ' & $model & ' and the one in use: ' & "
            "$report.reason",
            back=True,
        ),
        "NoReport": end(
            "undecided",
            "'The job that compares version ' & $string($version) & ' of ' & $model & ' with the one in use ended as "
            "' & "
            "$status & ' (' & $comparison & ($failure != '' ? ': ' & $failure : '') & '), so nothing was decided.'",
            back=True,
        ),
    }


def moved(place: Place) -> dict[str, State]:
    """Stage `shift`: all traffic, then the time of watching."""
    whole = (
        f"$merge([{_COMMON}, {{'EndpointConfigName': $name, 'ProductionVariants': [$merge([{_VARIANT}, "
        "{'ModelName': $name}])]}])"
    )
    guarded = "$stage = '' and $settings.mode != 'serverless' and $count($settings.rollback_alarms) > 0"
    return {
        "Shifting": phase(place, "shifting", "ApprovedYet"),
        **approved_yet(place, "Alone"),
        "Alone": choice({"$stage = 'beside'": "Gather"}, "Whole"),
        # Scaling may have taken machines from the champion while another shared its traffic, or be about to.
        "Gather": {
            "Type": "Pass",
            "Assign": {"expected": expression("$beside"), "stage": "gathering"},
            "Next": "Settle",
        },
        "Raise": task(
            "sagemaker:updateEndpointWeightsAndCapacities",
            {
                "EndpointName": expression("$settings.endpoint"),
                "DesiredWeightsAndCapacities": expression(
                    f"[{{'VariantName': '{CHAMPION}', 'DesiredInstanceCount': $machines}}]"
                ),
            },
            {"stage": "raised"},
            "Settle",
        ),
        "Whole": task("sagemaker:createEndpointConfig", expression(whole), {}, "Switch", catch={BREAKS: "WholeThere"}),
        "WholeThere": task(
            "sagemaker:describeEndpointConfig", {"EndpointConfigName": expression("$name")}, {}, "Switch"
        ),
        "Switch": task(
            "sagemaker:updateEndpoint",
            # SageMaker's guardrails want the same variants before and after, and instances (SageMaker developer guide,
            # "Deployment guardrails", exclusions).
            expression(
                f"$merge([{{'EndpointName': $settings.endpoint, 'EndpointConfigName': $name, {_RETAINED}}}, "
                f"{guarded} ? "
                "{'DeploymentConfig': {'BlueGreenUpdatePolicy': {'TrafficRoutingConfiguration': {'Type': "
                "'ALL_AT_ONCE', "
                f"'WaitIntervalInSeconds': 0}}, 'TerminationWaitInSeconds': $min([$settings.rollout.bake_seconds, "
                f"{WARM}]), "
                f"'MaximumExecutionTimeoutInSeconds': {LONGEST}}}, 'AutoRollbackConfiguration': {{'Alarms': "
                "[$map($settings.rollback_alarms, function($alarm) {{'AlarmName': $alarm}})]}}} : {}])"
            ),
            {
                "expected": expression("$name"),
                # What SageMaker has watched by itself is not watched again.
                "seconds": expression(
                    f"{guarded} ? $max([0, $settings.rollout.bake_seconds - {WARM}]) : $settings.rollout.bake_seconds"
                ),
                "stage": "whole",
            },
            "Settle",
        ),
        "Moved": {
            "Type": "Pass",
            "Assign": {
                "expected": expression("$name"),
                "seconds": expression("$settings.rollout.bake_seconds"),
                "stage": "whole",
            },
            "Next": "Settle",
        },
        **settle("Arrived", "TookItBack", "Stuck"),
        "TookItBack": end(
            "rolled-back",
            "'SageMaker took version ' & $string($version) & ' of ' & $model & ' back by itself' & ($failure != '' ? "
            "': ' & "
            "$failure : '') & '. The endpoint runs ' & $configuration & ' again.'",
            tell="page",
            back=True,
        ),
        "Stuck": end(
            "failed",
            "'The endpoint ' & $settings.endpoint & ' is ' & $status & ' after the update to version ' & "
            "$string($version) "
            "& ' of ' & $model & ($failure != '' ? ': ' & $failure : '') & '. Someone has to look at it now.'",
            tell="page",
            back=True,
        ),
        "Arrived": choice(
            {
                "$stage = 'whole'": "Baking",
                "$stage = 'stepping'": "Shift",
                "$stage = 'gathering' and $answering < $machines": "Raise",
                "$stage = 'gathering' or $stage = 'raised'": "Whole",
            },
            "Watch",
        ),
        "Baking": phase(place, "baking", "Watch"),
        "Watch": {
            "Type": "Pass",
            "Assign": {
                "watched": expression("$millis()"),
                "until": expression(
                    "$millis() + ($stage = 'whole' ? $seconds : $settings.rollout.bake_seconds) * 1000"
                ),
                "pause": expression(
                    "($times := $settings.rollout.strategy = 'canary' ? $count($settings.rollout.steps) : "
                    "$settings.rollout.strategy = 'all-at-once' ? 1 : 2; "
                    f"$max([{LOOK_SECONDS}, $ceil($times * $settings.rollout.bake_seconds / {LOOKS})]))"
                ),
                "window": WINDOW,
            },
            "Next": "Eyes",
        },
        # To ask for no alarm by name is to ask for all.
        "Eyes": choice({"$count($settings.rollback_alarms) > 0": "Look"}, "Beyond"),
        "Look": task(
            "cloudwatch:describeAlarms",
            {"AlarmNames": expression("$settings.rollback_alarms"), "AlarmTypes": ["MetricAlarm"]},
            {"ringing": expression("[$states.result.MetricAlarms[StateValue = 'ALARM'].AlarmName]")},
            "Rings",
        ),
        "Rings": choice({"$count($ringing) > 0": "AlarmRang"}, "Beyond"),
        "AlarmRang": end(
            "rolled-back",
            "'While version ' & $string($version) & ' of ' & $model & ' was watched, ' & $join($ringing, ', ') & ' "
            "rang.'",
            tell="page",
            back=True,
        ),
        "Beyond": choice({"$stage = 'beside'": "Measure"}, "Time"),
        "Time": choice({"$millis() < $until": "Pause"}, "After"),
        "Pause": wait(expression("$max([1, $min([$pause, $ceil(($until - $millis()) / 1000)])])"), "Eyes"),
        "After": choice(
            {
                "$stage = 'whole'": "Promoting",
                "$settings.rollout.strategy = 'canary' and $settings.rollout.steps[$step + 1] < 100": "NextStep",
                "$settings.rollout.strategy = 'canary'": "Shifting",
            },
            "Comparable" if place.comparisons else "Shifting",
        ),
        "NextStep": {"Type": "Pass", "Assign": {"step": expression("$step + 1")}, "Next": "Stepping"},
        "Stepping": phase(place, "comparing", "Rested", _STEP),
        # An endpoint that is being scaled takes no weights.
        "Rested": {
            "Type": "Pass",
            "Assign": {"expected": expression("$beside"), "stage": "stepping"},
            "Next": "Settle",
        },
    }


def promoted(place: Place) -> dict[str, State]:
    """Stage `promote`: the version is the one in use, and everybody can know."""
    names = place.names
    return {
        # Batch runs have no traffic: the next one takes the new model.
        "PutCurrent": task(
            "ssm:putParameter",
            {"Name": expression("$settings.parameter"), "Value": expression("$name"), "Overwrite": True},
            {},
            "IsCurrent",
        ),
        "IsCurrent": task(
            "ssm:getParameter",
            {"Name": expression("$settings.parameter")},
            {"configuration": expression("$states.result.Parameter.Value")},
            "Promoting",
        ),
        "Promoting": phase(place, "promoting", "Written"),
        # First of all: whatever breaks after it, no rollback takes for unfinished what has all traffic.
        "Written": put(
            place,
            "'live'",
            "$inPlace ? $live : {'version': $version, 'configuration': $configuration, 'sagemaker_model': $name, "
            "'template': $settings.template, 'since': $now(), 'execution': $self, 'approved_by': $approver, "
            "'previous': $live = null ? null : $merge([$live, {'previous': null, 'until': "
            "$fromMillis($millis() + $settings.rollout.keep_previous_seconds * 1000)}])}",
            {},
            "Follow",
        ),
        "Follow": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Kept", "States": _following(place)}],
            "Assign": {"unsent": expression("$states.result[0].unsent")},
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Assign": {"caught": expression("$states.errorOutput")},
                    "Next": "HalfDone",
                }
            ],
            "Next": "Sent",
        },
        "HalfDone": end(
            "failed",
            f"$which & ' is in use in {names.environment}, but what follows from that broke: its files where "
            "pipelines and "
            "monitors look for them, its stamp in the registry, or the word to the next environment. ' & "
            "$caught.Error & "
            "': ' & $substring($caught.Cause, 0, 500)",
            tell="page",
            more="'command': 'To do it again:\\n  mlestate promote estate.yaml ' & $model & ' ' & $string($version) & "
            f"' --environment {names.environment} --reason \"...\"'",
        ),
        "Sent": choice({"$unsent = 0": "Ends"}, "NotSent"),
        "NotSent": end(
            "released",
            f"$which & ' is in use in {names.environment}, and ' & $settings.promotion.to & ' could not be told.'",
            tell="page",
            more="'command': 'To send it on:\\n  mlestate promote estate.yaml ' & $model & ' ' & $string($version) & "
            "' --environment ' & $settings.promotion.to & ' --reason \"...\"'",
        ),
        "Ends": choice({"$inPlace": "InUse"}, "Released"),
        "InUse": end(
            "already-live",
            f"$which & ' is in use in {names.environment}, and written down.'",
            more="'command': $cause = 'endpoint' and $settings.promotion.to != null ? 'No check was asked, so it is "
            "not stamped, and ' & $settings.promotion.to & ' is not told. To have that done:\\n  mlestate promote "
            "estate.yaml ' & $model & ' ' & $string($version) & "
            f"' --environment {names.environment} --reason \"...\"'",
        ),
        "Released": end(
            "released",
            f"$which & ' is in use in {names.environment}.'",
            more="'evidence': $evidence",
        ),
    }


def _following(place: Place) -> dict[str, State]:
    """What others learn of a version in use from: its files, its stamp, the next environment."""
    names = place.names
    return {
        **champion(place, "$version", "Stamps"),
        # What pulumi put there was asked for no gate, trial or signature.
        "Stamps": choice({"$cause = 'endpoint'": "NothingToSend"}, "Passport"),
        "Passport": task(
            "sagemaker:updateModelPackage",
            {
                "ModelPackageArn": expression("$package & $string($version)"),
                "ModelLifeCycle": {
                    "Stage": names.environment,
                    "StageStatus": "Released",
                    "StageDescription": expression("'Approved by ' & ($approver = '' ? $changer : $approver)"),
                },
                "CustomerMetadataProperties": expression(
                    f"$merge([{{'passed-{names.environment}': $now()}}, $released ? {{}} : {{'approved-by': "
                    f"$changer}}, $starter = '' ? {{}} : {{'started-by': $starter}}])"
                ),
            },
            {},
            "Unused",
        ),
        **_clean(),
        "Onward": choice({"$settings.promotion.to != null": "SendOn"}, "NothingToSend"),
        "SendOn": task(
            "eventbridge:putEvents",
            {
                "Entries": [
                    {
                        "EventBusName": expression("$lookup($settings.buses, $settings.promotion.to)"),
                        "Source": "mlestate",
                        "DetailType": "Model version passed",
                        "Detail": expression(
                            f"$string({{'estate': '{names.estate}', 'from': '{names.environment}', 'to': "
                            "$settings.promotion.to, 'model': $model, 'version': $version})"
                        ),
                    }
                ]
            },
            {},
            None,
            output={"unsent": expression("$states.result.FailedEntryCount")},
        ),
        "NothingToSend": {"Type": "Succeed", "Output": {"unsent": 0}},
    }


def _clean() -> dict[str, State]:
    """What no rollback goes back to any more is deleted; what Pulumi made is Pulumi's."""
    own = "$settings.prefix & '-v'"

    def unused(listed: str, kept: str) -> str:
        return f"[$filter({listed}, function($each) {{$contains($each, {own}) and $not($each in [{kept}])}})]"

    return {
        "Unused": {
            "Type": "Pass",
            "Assign": {
                "configurations": expression(
                    unused(
                        "$append($beside = '' ? [] : [$beside], $inPlace or $live = null or $live.previous = null ? "
                        "[] : "
                        "[$live.previous.configuration])",
                        "$name, $live.configuration",
                    )
                ),
                "models": expression(
                    unused(
                        "$inPlace or $live = null or $live.previous = null ? [] : [$live.previous.sagemaker_model]",
                        "$name, $live.sagemaker_model",
                    )
                ),
            },
            "Next": "Configurations",
        },
        # What is not there, or may not go, is no reason to stop.
        "Configurations": each(
            "$configurations",
            "sagemaker:deleteEndpointConfig",
            {"EndpointConfigName": expression("$states.input")},
            {},
            "Models",
            name="DeleteConfiguration",
            passing=BREAKS,
        ),
        "Models": each(
            "$models",
            "sagemaker:deleteModel",
            {"ModelName": expression("$states.input")},
            {},
            "Onward",
            name="DeleteModel",
            passing=BREAKS,
        ),
    }
