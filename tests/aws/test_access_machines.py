"""AWS: every call of a state machine is allowed to the role that it runs as, and that role may do nothing else.

A machine names most things while it runs. `CALLS` says, by operation, what such a call asks IAM for: each action, and a
thing of the kind that the machine means, in the slice that it runs in. What is written out in the definition (tables,
topics, machines, buckets) is taken from there. Not proved here: that the names which a machine makes up begin as those
of the table do; the simulated account (test_account.py) shows what it really asks for.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from .cases import Case, verdict_of
from .conftest import Recorded, Rows, all_of
from .estates import PEOPLED
from .iam import glob
from .test_access_calls import caller, context_of, granted_actions

COMPARING = (
    PEOPLED.replace("capture: {sample: 0.5}}", "capture: {sample: 0.5}, rollout: {strategy: canary, bake: 5m}}")
    .replace("threshold: 0.2}}", "threshold: 0.2}, on_breach: retrain}")
    .replace("staging: {monthly_budget_usd: 500,", "staging: {monthly_budget_usd: 500, stop_idle_after: 12h,")
    .replace(
        "    serving: {mode: realtime, initial_version: 1}\n",
        "    gates: {model: {roc_auc: {min: 0.7}}}\n"
        "    serving: {mode: realtime, initial_version: 1, rollout: {strategy: ab, bake: 20m}}\n",
    )
)
"""An estate in which every machine has all of its states: a canary, a comparison, a batch model, a retraining. Nothing
is watched for long, because the simulated account goes through every minute of it."""

SLICES = ("staging", "production")
NEXT: Mapping[str, str | None] = {"staging": "production", "production": None}

RUN = "{s}:s3:artifacts/churn/runs/1"
VERSION = "{s}:s3:artifacts/churn/versions/4"
PACKAGE = "hub:sagemaker:model-package/risk-hub-churn/4"

CALLS: Mapping[str, Sequence[tuple[str, str]]] = {
    "applicationautoscaling:deregisterScalableTarget": [
        ("application-autoscaling:DeregisterScalableTarget", "{s}:application-autoscaling:scalable-target/1")
    ],
    "applicationautoscaling:describeScalableTargets": [("application-autoscaling:DescribeScalableTargets", "*")],
    "applicationautoscaling:describeScalingPolicies": [("application-autoscaling:DescribeScalingPolicies", "*")],
    "applicationautoscaling:putScalingPolicy": [
        ("application-autoscaling:PutScalingPolicy", "{s}:application-autoscaling:scalable-target/1"),
        *(
            (f"cloudwatch:{each}", "{s}:cloudwatch:alarm:TargetTracking-endpoint/risk-{s}-churn/x")
            for each in ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm")
        ),
    ],
    "applicationautoscaling:registerScalableTarget": [
        ("application-autoscaling:RegisterScalableTarget", "{s}:application-autoscaling:scalable-target/1")
    ],
    "budgets:describeBudget": [("budgets:ViewBudget", "{s}:budgets:budget/risk-{s}-monthly")],
    "cloudwatch:describeAlarms": [("cloudwatch:DescribeAlarms", "{s}:cloudwatch:alarm:risk-{s}-churn-errors")],
    "cloudwatch:getMetricData": [("cloudwatch:GetMetricData", "*")],
    "dynamodb:batchGetItem": [("dynamodb:BatchGetItem", "{table}")],
    "dynamodb:deleteItem": [("dynamodb:DeleteItem", "{table}")],
    "dynamodb:getItem": [("dynamodb:GetItem", "{table}")],
    "dynamodb:putItem": [("dynamodb:PutItem", "{table}")],
    "dynamodb:query": [("dynamodb:Query", "{table}")],
    "eventbridge:putEvents": [("events:PutEvents", "{next}:events:event-bus/risk-{next}-releases")],
    # A copy reads and writes; what it takes from a run of another account, the test of accounts judges.
    "s3:copyObject": [
        ("s3:GetObject", f"{RUN}/train/model/model.tar.gz"),
        ("s3:PutObject", f"{VERSION}/model/model.tar.gz"),
        ("s3:GetObject", f"{VERSION}/model/model.tar.gz"),
        ("s3:PutObject", "{s}:s3:artifacts/churn/champion/model/model.tar.gz"),
        ("s3:PutObject", "{s}:s3:artifacts/churn/baselines/data/statistics.json"),
    ],
    "s3:getObject": [
        ("s3:GetObject", f"{RUN}/evaluate/evaluation/evaluation.json"),
        ("s3:GetObject", f"{VERSION}/examples/answer.json"),
        ("s3:GetObject", "{s}:s3:artifacts/churn/monitoring/comparisons/1/comparison.json"),
        ("s3:GetObject", "{s}:s3:capture/churn/trials/4/request.json.out"),
    ],
    "s3:listObjectsV2": [("s3:ListBucket", "{s}:s3:artifacts")],
    "s3:putObject": [("s3:PutObject", "{s}:s3:artifacts/churn/champion/champion.json")],
    "sagemaker:createEndpoint": [
        ("sagemaker:CreateEndpoint", "{s}:sagemaker:endpoint/risk-{s}-churn"),
        ("sagemaker:CreateEndpoint", "{s}:sagemaker:endpoint-config/risk-{s}-serving-churn-1"),
        ("sagemaker:AddTags", "{s}:sagemaker:endpoint/risk-{s}-churn"),
    ],
    "sagemaker:createEndpointConfig": [
        ("sagemaker:CreateEndpointConfig", "{s}:sagemaker:endpoint-config/risk-{s}-churn-v4-0a1b2c3d"),
        ("sagemaker:AddTags", "{s}:sagemaker:endpoint-config/risk-{s}-churn-v4-0a1b2c3d"),
    ],
    "sagemaker:createModel": [
        ("sagemaker:CreateModel", "{s}:sagemaker:model/risk-{s}-churn-v4-0a1b2c3d"),
        ("sagemaker:AddTags", "{s}:sagemaker:model/risk-{s}-churn-v4-0a1b2c3d"),
        ("iam:PassRole", "{s}:iam:role/risk-{s}-churn-inference"),
    ],
    "sagemaker:createProcessingJob": [
        ("sagemaker:CreateProcessingJob", "{s}:sagemaker:processing-job/risk-{s}-churn-v4-1"),
        ("sagemaker:AddTags", "{s}:sagemaker:processing-job/risk-{s}-churn-v4-1"),
        ("iam:PassRole", "{s}:iam:role/risk-{s}-monitoring"),
    ],
    "sagemaker:createTransformJob": [
        ("sagemaker:CreateTransformJob", "{s}:sagemaker:transform-job/risk-{s}-scores-1"),
        ("sagemaker:CreateTransformJob", "{s}:sagemaker:model/risk-{s}-serving-scores-1"),
        ("sagemaker:AddTags", "{s}:sagemaker:transform-job/risk-{s}-scores-1"),
    ],
    "sagemaker:deleteEndpoint": [("sagemaker:DeleteEndpoint", "{s}:sagemaker:endpoint/risk-{s}-churn")],
    "sagemaker:deleteEndpointConfig": [
        ("sagemaker:DeleteEndpointConfig", "{s}:sagemaker:endpoint-config/risk-{s}-churn-v3-0a1b2c3d")
    ],
    "sagemaker:deleteModel": [("sagemaker:DeleteModel", "{s}:sagemaker:model/risk-{s}-churn-v3-0a1b2c3d")],
    "sagemaker:describeEndpoint": [("sagemaker:DescribeEndpoint", "{s}:sagemaker:endpoint/risk-{s}-churn")],
    "sagemaker:describeEndpointConfig": [
        ("sagemaker:DescribeEndpointConfig", "{s}:sagemaker:endpoint-config/risk-{s}-serving-churn-1")
    ],
    "sagemaker:describeModel": [("sagemaker:DescribeModel", "{s}:sagemaker:model/risk-{s}-serving-churn-1")],
    "sagemaker:describeModelPackage": [("sagemaker:DescribeModelPackage", PACKAGE)],
    "sagemaker:describePipelineExecution": [
        ("sagemaker:DescribePipelineExecution", "{s}:sagemaker:pipeline/risk-{s}-churn/execution/a")
    ],
    "sagemaker:describeProcessingJob": [
        ("sagemaker:DescribeProcessingJob", "{s}:sagemaker:processing-job/risk-{s}-churn-v4-1")
    ],
    "sagemaker:describeTransformJob": [
        ("sagemaker:DescribeTransformJob", "{s}:sagemaker:transform-job/risk-{s}-scores-1")
    ],
    "sagemaker:listEndpoints": [("sagemaker:ListEndpoints", "*")],
    "sagemaker:listModelPackages": [("sagemaker:ListModelPackages", PACKAGE)],
    "sagemaker:listPipelineExecutions": [("sagemaker:ListPipelineExecutions", "{s}:sagemaker:pipeline/risk-{s}-churn")],
    "sagemaker:listTags": [("sagemaker:ListTags", "{s}:sagemaker:endpoint/risk-{s}-churn")],
    "sagemaker:startPipelineExecution": [("sagemaker:StartPipelineExecution", "{s}:sagemaker:pipeline/risk-{s}-churn")],
    "sagemaker:updateEndpoint": [
        ("sagemaker:UpdateEndpoint", "{s}:sagemaker:endpoint/risk-{s}-churn"),
        ("sagemaker:UpdateEndpoint", "{s}:sagemaker:endpoint-config/risk-{s}-churn-v4-0a1b2c3d"),
    ],
    "sagemaker:updateEndpointWeightsAndCapacities": [
        ("sagemaker:UpdateEndpointWeightsAndCapacities", "{s}:sagemaker:endpoint/risk-{s}-churn")
    ],
    "sagemaker:updateModelPackage": [("sagemaker:UpdateModelPackage", PACKAGE)],
    "sfn:describeExecution": [
        ("states:DescribeExecution", "{s}:states:execution:risk-{s}-release:1"),
        ("states:DescribeExecution", "{s}:states:execution:risk-{s}-rollback:1"),
    ],
    "sfn:startExecution": [("states:StartExecution", "{machine}")],
    "sfn:stopExecution": [("states:StopExecution", "{s}:states:execution:risk-{s}-release:1")],
    "sns:publish": [("sns:Publish", "{topic}")],
    "ssm:getParameter": [
        ("ssm:GetParameter", "{s}:ssm:parameter/mlestate/risk/{s}/{folder}"),
    ],
    "ssm:putParameter": [("ssm:PutParameter", "{s}:ssm:parameter/mlestate/risk/{s}/{folder}")],
}
"""By operation of the SDK: the actions that IAM is asked for, and on what; ``{s}`` is the machine's slice, ``{next}``
the one after it on the path, and the rest is read from the task or from the machine's place in `FOLDERS`."""

FOLDERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "release": {"ssm:getParameter": ["churn/release", "models/scores"], "ssm:putParameter": ["models/scores"]},
    "retraining": {"ssm:getParameter": ["churn/release"]},
    "batch": {"ssm:getParameter": ["models/scores"]},
    "upkeep": {op: ["endpoints/risk-staging-churn"] for op in ("ssm:getParameter", "ssm:putParameter")},
}
"""By role and operation: the parameters that a machine reads and writes, below the slice's own."""

BESIDES: Mapping[str, str] = {
    "kms:*": "the services that it calls use the estate's key for it",
    "logs:*": "Step Functions writes the machine's log as its role",
    "xray:*": "Step Functions writes the machine's trace as its role",
}
"""What a machine's role may do besides its calls, each with the reason."""


@dataclass(frozen=True)
class Task:
    machine: str
    """What the machine is for, as in its name."""
    who: str
    state: str
    operation: str
    """``sagemaker:describeEndpoint``"""
    arguments: Any

    @property
    def slice(self) -> str:
        return self.who.partition(" ")[0]


def tasks_of(rows: Rows) -> Iterator[Task]:
    for row in all_of(rows, "sfn:StateMachine").values():
        machine, who = row.inputs["name"].split("-", 2)[2], caller(row.inputs["roleArn"])
        for state, task in _tasks(json.loads(row.inputs["definition"])["States"]):
            integration = task["Resource"].removeprefix("arn:aws:states:::")
            assert integration.startswith("aws-sdk:"), f"a call that this test does not read: {integration}"
            yield Task(machine, who, state, integration.removeprefix("aws-sdk:"), task["Arguments"])


def _tasks(states: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        for inner in [state.get("ItemProcessor"), *state.get("Branches", [])]:
            if inner:
                yield from _tasks(inner["States"])


def cases_of(rows: Rows, task: Task) -> Iterator[Case]:
    slice_, next_ = task.slice, NEXT[task.slice]
    for action, resource in CALLS[task.operation]:
        if "{next}" in resource and next_ is None:
            continue  # the settings of the last environment name no next one, and its release ends before it would tell
        for place in _places(task, resource):
            where = place.replace("{next}", str(next_)).replace("{s}", slice_)
            for context in _contexts(rows, task, action):
                yield Case(task.who, True, action, where, context)


def _places(task: Task, resource: str) -> list[str]:
    given = task.arguments
    match resource:
        case "{table}":
            tables = [*given["RequestItems"]] if "RequestItems" in given else [given["TableName"]]
            index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
            return [f"{{s}}:dynamodb:table/{table}{index}" for table in tables]
        case "{topic}":
            return [f"{{s}}:sns:{each}" for each in _written(given["TopicArn"])]
        case "{machine}":
            return [f"{{s}}:states:stateMachine:{each}" for each in _written(given["StateMachineArn"])]
        case _ if "{folder}" in resource:
            role = task.who.partition(" ")[2]
            return [resource.replace("{folder}", each) for each in FOLDERS[role][task.operation]]
        case _:
            return [resource]


def _written(text: str) -> list[str]:
    """The names that end the ARNs of a text, of which the machine may take any."""
    found = re.findall(r"arn:aws:[^'\"\s]*:([^:'\"\s]+)", text)
    assert found, f"what is reached is written out in the definition, not worked out: {text}"
    return list(found)


def _contexts(rows: Rows, task: Task, action: str) -> Iterator[dict[str, Any]]:
    """What AWS would send with the request, once for each of the requests that the task may make."""
    slice_, arguments = task.slice, task.arguments
    match action:
        case "iam:PassRole":
            yield {"iam:PassedToService": "sagemaker.amazonaws.com"}
        case "events:PutEvents":
            (entry,) = arguments["Entries"]
            yield {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
        case "budgets:ViewBudget":
            yield {"aws:RequestedRegion": "us-east-1"}
        case "s3:ListBucket":
            # What is listed is worked out; the machine lists runs and versions, and nothing else is allowed.
            yield {"s3:prefix": "churn/runs/1/check_data/statistics/"}
            yield {"s3:prefix": "churn/versions/4/"}
        case "sagemaker:CreateModel":
            for model in _made(rows, "sagemaker:Model", slice_):
                network = model.get("vpcConfig", {})
                yield {
                    "sagemaker:VpcSubnets": network.get("subnets"),
                    "sagemaker:VpcSecurityGroupIds": network.get("securityGroupIds"),
                }
        case "sagemaker:CreateEndpointConfig":
            for each in _made(rows, "sagemaker:EndpointConfiguration", slice_):
                types = [variant["instanceType"] for variant in each["productionVariants"]]
                yield {"sagemaker:InstanceTypes": types, "sagemaker:VolumeKmsKey": each.get("kmsKeyArn")}
        case "sagemaker:CreateTransformJob":
            yield from _trials(rows, task) if task.machine == "release" else _runs(rows, task)
        case "sagemaker:CreateProcessingJob":
            for request in _comparisons(rows, slice_):
                yield context_of("Processing", request)
        case "sagemaker:UpdateModelPackage":
            assert "ModelApprovalStatus" not in json.dumps(arguments), "a release gives no verdict"
            stage = {
                f"sagemaker:ModelLifeCycle:{key}": arguments["ModelLifeCycle"][key] for key in ("Stage", "StageStatus")
            }
            said = json.dumps(arguments.get("CustomerMetadataProperties", ""))
            written = [each for each in (f"passed-{slice_}", "approved-by", "started-by") if each in said]
            assert written or not said.strip('"'), f"{task.state} stamps what this does not know: {said}"
            yield stage | {f"sagemaker:CustomerMetadataProperties/{each}": "x" for each in written}
        case _ if action.startswith("application-autoscaling:") and "Describe" not in action:
            yield {"application-autoscaling:service-namespace": "sagemaker"}
        case _:
            yield {}


def _made(rows: Rows, kind: str, slice_: str) -> list[Mapping[str, Any]]:
    found = [row.inputs for name, row in all_of(rows, kind).items() if name.startswith(f"risk-{slice_}-")]
    assert found, kind
    return found


def _trials(rows: Rows, task: Task) -> Iterator[dict[str, Any]]:
    for row in _made(rows, "ssm:Parameter", task.slice):
        if row["name"].endswith("/release"):
            trial = json.loads(row["insecureValue"])["trial"]
            yield _transform(trial["resources"], trial["output"])


def _runs(rows: Rows, task: Task) -> Iterator[dict[str, Any]]:
    for row in _made(rows, "sfn:StateMachine", task.slice):
        for choice in json.loads(row["definition"])["States"].get("Which", {}).get("Choices", []):
            if request := choice["Assign"].get("request"):
                yield _transform(request["TransformResources"], request["TransformOutput"])


def _transform(resources: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sagemaker:InstanceTypes": [resources["InstanceType"]],
        "sagemaker:VolumeKmsKey": resources.get("VolumeKmsKeyId"),
        "sagemaker:OutputKmsKey": output.get("KmsKeyId"),
    }


def _comparisons(rows: Rows, slice_: str) -> list[Any]:
    found: list[Any] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["request"]] if "NetworkConfig" in (value.get("request") or {}) else [])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    (release,) = (row for row in _made(rows, "sfn:StateMachine", slice_) if row["name"] == f"risk-{slice_}-release")
    look(json.loads(release["definition"]))
    assert found, "no comparison is described"
    return found


def test_every_call_of_a_state_machine_is_allowed_to_its_role(estate: Recorded) -> None:
    rows = estate(COMPARING)
    judged = 0
    for task in tasks_of(rows):
        for case in cases_of(rows, task):
            assert verdict_of(rows, case), (
                f"{task.machine}, state {task.state}: {case.who} may not {case.action} on {case.arn} {case.context}"
            )
            judged += 1
    assert judged > 150
    machines = {task.machine for task in tasks_of(rows)}
    assert machines == {"batch", "release", "retraining", "rollback", "upkeep"}


@pytest.mark.parametrize("role", ["batch", "release", "retraining", "upkeep"])
def test_a_role_of_machines_may_do_nothing_that_none_of_its_machines_calls(estate: Recorded, role: str) -> None:
    rows = estate(COMPARING)
    for slice_ in SLICES:
        tasks = [task for task in tasks_of(rows) if task.who == f"{slice_} {role}"]
        if not tasks:
            assert (slice_, role) == ("production", "upkeep"), "nothing there is ever stopped"
            continue
        called = {action for task in tasks for action, _ in CALLS[task.operation]}
        unused = {
            action
            for action in granted_actions(rows, f"{slice_} {role}")
            if action not in called and not any(glob(pattern, action) for pattern in BESIDES)
        }
        assert not unused, f"{slice_} {role} may {sorted(unused)}, which none of its machines does"


def test_no_machine_is_granted_on_everything_what_could_name_a_resource(estate: Recorded) -> None:
    """Which actions have no resource type, the policy linter asks AWS's reference; here they are few and named."""
    rows = estate(COMPARING)
    for slice_ in SLICES:
        for name, row in all_of(rows, "iam:RolePolicy").items():
            if name == f"risk-{slice_}-access-release":
                whole = [
                    statement["Action"]
                    for statement in json.loads(row.inputs["policy"])["Statement"]
                    if statement["Effect"] == "Allow" and statement["Resource"] == "*"
                ]
                assert whole[:2] == ["cloudwatch:GetMetricData", "application-autoscaling:DescribeScalableTargets"]
                assert all(each.startswith(("logs:", "xray:")) for actions in whole[2:] for each in actions)
