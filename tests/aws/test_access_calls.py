"""AWS: every call that a pipeline, a rule or a schedule makes is allowed to the role that makes it.

The calls are read off the recorded documents themselves (pipeline definitions, targets), with the context that their
arguments would send; those of state machines are test_access_machines.py's. Not proved: a call that a container makes
by itself.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from mlestate.local.aws.operations import TABLE

from .cases import NAMES, Case, policies_of, verdict_of
from .conftest import Recorded, Rows, all_of
from .estates import PEOPLED
from .iam import glob

SLICES = ("staging", "production")


def test_every_job_of_a_pipeline_may_be_started_as_it_is_described(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    judged = 0
    for name, row in all_of(rows, "sagemaker:Pipeline").items():
        who = caller(row.inputs["roleArn"])
        for step in steps(json.loads(row.inputs["pipelineDefinition"])["Steps"]):
            for case in calls_of_step(who, step):
                assert verdict_of(rows, case), (
                    f"{name}, step {step['Name']}: {who} may not {case.action} {case.context}"
                )
                judged += 1
    assert judged >= 2 * 3 * (5 * 2 + 1), "two slices, three models: five jobs with a role each, and a registration"


def test_a_job_outside_the_demands_of_the_estate_would_be_refused(estate: Recorded) -> None:
    """The same calls with one argument less: or the test above would hold of any policy."""
    rows = estate(PEOPLED)
    row = next(iter(all_of(rows, "sagemaker:Pipeline").values()))
    who = caller(row.inputs["roleArn"])
    jobs = [
        case
        for step in steps(json.loads(row.inputs["pipelineDefinition"])["Steps"])
        for case in calls_of_step(who, step)
        if case.action in ("sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob")
    ]
    for case in jobs:
        for key in ("sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds", "sagemaker:OutputKmsKey"):
            assert not verdict_of(rows, replace(case, context={**case.context, key: None})), key


def test_a_batch_run_may_be_started_as_it_is_described(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    for slice_ in SLICES:
        (row,) = (
            row for name, row in all_of(rows, "sfn:StateMachine").items() if name == f"risk-{slice_}-serving-batch"
        )
        (choice,) = json.loads(row.inputs["definition"])["States"]["Which"]["Choices"]
        request = choice["Assign"]["request"]
        context = {
            "sagemaker:InstanceTypes": [request["TransformResources"]["InstanceType"]],
            "sagemaker:VolumeKmsKey": request["TransformResources"].get("VolumeKmsKeyId"),
            "sagemaker:OutputKmsKey": request["TransformOutput"].get("KmsKeyId"),
        }
        who = caller(row.inputs["roleArn"])
        job = f"{slice_}:sagemaker:transform-job/risk-{slice_}-scores-1"
        assert verdict_of(rows, Case(who, True, "sagemaker:CreateTransformJob", job, context))
        model = f"{slice_}:sagemaker:model/risk-{slice_}-serving-scores-1"
        assert verdict_of(rows, Case(who, True, "sagemaker:CreateTransformJob", model, context))


def test_every_schedule_may_start_what_it_starts(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    schedules = all_of(rows, "scheduler:Schedule")
    assert len(schedules) >= 2
    for name, row in schedules.items():
        target = row.inputs["target"]
        for case in calls_of_target(caller(target["roleArn"]), target["arn"], target.get("input")):
            assert verdict_of(rows, case), f"{name}: {case.who} may not {case.action} on {case.arn}"
        waiting = target.get("deadLetterConfig")
        if waiting:
            queue = short(target["roleArn"], waiting["arn"])
            assert verdict_of(rows, Case(caller(target["roleArn"]), True, "sqs:SendMessage", queue, {})), name


def test_every_rule_may_call_what_it_calls_under_a_role(estate: Recorded) -> None:
    rows = estate(PEOPLED)
    patterns = {
        row.inputs["name"]: row.inputs.get("eventPattern") for row in all_of(rows, "cloudwatch:EventRule").values()
    }
    called = {name: row for name, row in all_of(rows, "cloudwatch:EventTarget").items() if row.inputs.get("roleArn")}
    kinds = set()
    for name, row in called.items():
        for case in calls_of_target(caller(row.inputs["roleArn"]), row.inputs["arn"], patterns.get(row.inputs["rule"])):
            assert verdict_of(rows, case), f"{name}: {case.who} may not {case.action} on {case.arn}"
            kinds.add(case.action)
    assert kinds == {"events:InvokeApiDestination", "events:PutEvents", "states:StartExecution"}


@pytest.mark.parametrize("slice_", ["hub", *SLICES])
def test_every_identity_that_is_used_is_made(estate: Recorded, slice_: str) -> None:
    """And the other way round: a role that nothing runs as would be a door without a house."""
    rows = estate(PEOPLED.replace("threshold: 0.2}}", "threshold: 0.2}, on_breach: retrain}"))
    prefix = f"risk-{slice_}-access-"
    own = NAMES[slice_].arn("iam", f"role/mlestate/risk/risk-{slice_}-", regional=False)
    made = {name.removeprefix(prefix) for name in all_of(rows, "iam:Role") if name.startswith(prefix)}
    text = json.dumps([row.inputs for row in rows if not row.type.startswith("aws:iam/")])
    used = {role for role in made if f"{own}{role}" in text}
    outside = {"approver", "auditor", "data-scientist", "ml-engineer", "operator", "ci-apply", "ci-plan"}
    assert made - outside - used == set(), "nothing runs as these"


ADMINISTRATORS: Mapping[str, str] = {
    "aws:accessanalyzer/analyzer:Analyzer": "the audit is not the CI's to change",
    "aws:cloudtrail/trail:Trail": "the audit is not the CI's to change",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "whom the account believes",
    "aws:iam/policy:Policy": "ceilings and freezes",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "whoever attaches policies could attach any",
    "aws:kms/key:Key": "a new key has no tag to mean it by before it is made",
}
"""What the first `pulumi up` of a slice makes under an administrator, each with the reason."""

ACTIONS: Mapping[str, str] = {
    "budgets:CreateBudget": "budgets:ModifyBudget",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Operations whose action has another name (Service Authorization Reference, "Amazon S3" and "AWS Budget Service")."""

PREFIXES: Mapping[str, str] = {"accessanalyzer": "access-analyzer", "stepfunctions": "states"}


def test_ci_may_make_every_kind_of_thing_that_is_not_an_administrators(estate: Recorded) -> None:
    """By the operation that makes each kind; which things of a kind it may make, the access matrix says."""
    rows = estate(PEOPLED)
    granted = granted_actions(rows, "hub ci-apply")
    kinds = {row.type for row in rows if row.type.startswith("aws:")} - {"aws:cloudcontrol/resource:Resource"}
    assert len(kinds) > 60
    refused = set()
    for kind in kinds - {"aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"}:
        operation = TABLE[kind]
        action = f"{PREFIXES.get(operation.service, operation.service)}:{operation.name}"
        action = ACTIONS.get(action, action)
        if not any(glob(pattern.lower(), action.lower()) for pattern in granted):
            refused.add(kind)
    assert refused == set(ADMINISTRATORS)


def steps(listed: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in listed:
        yield step
        yield from steps(step["Arguments"].get("IfSteps", []))
        yield from steps(step["Arguments"].get("ElseSteps", []))


def caller(role: str) -> str:
    """`staging pipeline`, from a role's ARN."""
    name = role.rpartition("/")[2].removeprefix("risk-")
    slice_, _, rest = name.partition("-")
    return f"{slice_} {rest}"


def short(role: str, arn: str) -> str:
    """A resource as the access matrix writes it, in the slice of the role that asks for it."""
    _, _, service, _, _, rest = arn.split(":", 5)
    return f"{caller(role).partition(' ')[0]}:{service}:{rest}"


def slice_of(rest: str, otherwise: str) -> str:
    """The slice whose name a thing's own begins with."""
    named = rest.partition("/")[2].removeprefix("risk-")
    return next((each for each in NAMES if named.startswith(f"{each}-")), otherwise)


def calls_of_step(who: str, step: Mapping[str, Any]) -> Iterator[Case]:
    slice_, arguments = who.partition(" ")[0], step["Arguments"]
    if step["Type"] in ("Processing", "Training"):
        kind = step["Type"]
        job = f"{slice_}:sagemaker:{kind.lower()}-job/pipelines-abc-{step['Name']}"
        yield Case(who, True, f"sagemaker:Create{kind}Job", job, context_of(kind, arguments))
        yield passing(who, arguments["RoleArn"])
    elif step["Type"] == "RegisterModel":
        group = arguments["ModelPackageGroupName"].rpartition("/")[2]
        status = {"sagemaker:ModelApprovalStatus": arguments["ModelApprovalStatus"]}
        yield Case(who, True, "sagemaker:CreateModelPackage", f"hub:sagemaker:model-package/{group}/1", status)


def passing(who: str, role: str) -> Case:
    resource = f"{who.partition(' ')[0]}:iam:role/{role.rpartition('/')[2]}"
    return Case(who, True, "iam:PassRole", resource, {"iam:PassedToService": "sagemaker.amazonaws.com"})


def context_of(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What SageMaker sends of a job's arguments (Service Authorization Reference, condition keys of SageMaker)."""
    if kind == "Training":
        machines, output, network = arguments["ResourceConfig"], arguments["OutputDataConfig"], arguments
    else:
        machines = arguments["ProcessingResources"]["ClusterConfig"]
        output, network = arguments["ProcessingOutputConfig"], arguments["NetworkConfig"]
    subnets = network.get("VpcConfig", {})
    tags = {f"aws:RequestTag/{each['Key']}": each["Value"] for each in arguments.get("Tags", [])}
    return {
        "sagemaker:VpcSubnets": subnets.get("Subnets"),
        "sagemaker:VpcSecurityGroupIds": subnets.get("SecurityGroupIds"),
        "sagemaker:VolumeKmsKey": machines.get("VolumeKmsKeyId"),
        "sagemaker:OutputKmsKey": output.get("KmsKeyId"),
        "sagemaker:InstanceTypes": [machines["InstanceType"]],
        "sagemaker:MaxRuntimeInSeconds": str(arguments["StoppingCondition"]["MaxRuntimeInSeconds"]),
        "sagemaker:InterContainerTrafficEncryption": str(network["EnableInterContainerTrafficEncryption"]).lower(),
        "sagemaker:NetworkIsolation": str(network["EnableNetworkIsolation"]).lower(),
        **tags,
    }


def calls_of_target(who: str, arn: str, text: str | None) -> Iterator[Case]:
    slice_ = who.partition(" ")[0]
    _, _, service, _, _, rest = arn.split(":", 5)
    if service == "scheduler":
        asked = json.loads(text or "{}")
        assert rest == "aws-sdk:sagemaker:createProcessingJob", f"a call that this test does not read: {rest}"
        job = f"{slice_}:sagemaker:processing-job/{asked['ProcessingJobName'].partition('<')[0]}1"
        yield Case(who, True, "sagemaker:CreateProcessingJob", job, context_of("Processing", asked))
        yield passing(who, asked["RoleArn"])
    elif rest.startswith("event-bus/"):
        # A rule puts on the bus what it matched.
        pattern = json.loads(text or "{}")
        (source,), (detail_type,) = pattern["source"], pattern["detail-type"]
        told = {"events:source": source, "events:detail-type": detail_type}
        yield Case(who, True, "events:PutEvents", f"{slice_of(rest, slice_)}:{service}:{rest}", told)
    else:
        action = {
            "states": "states:StartExecution",
            "sagemaker": "sagemaker:StartPipelineExecution",
            "events": "events:InvokeApiDestination",
        }[service]
        yield Case(who, True, action, f"{slice_}:{service}:{rest}", {})


def granted_actions(rows: Rows, who: str) -> list[str]:
    slice_, _, role = who.partition(" ")
    documents, _ = policies_of(rows, slice_, role)
    found: list[str] = []
    for each in documents:
        for statement in each["Statement"]:
            if statement["Effect"] == "Allow":
                found += [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    return found
