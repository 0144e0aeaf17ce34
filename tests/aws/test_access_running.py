"""AWS: what the machines really ask for while they run, held against the roles that they run as.

A version is registered, approved, released through both environments, compared, taken back, and a model trained again,
in the simulated account (tests/aws/account). There every call is recorded with its arguments; here each is what IAM
would be asked, in the account of its slice (the simulation has one for all). Not proved: what AWS asks IAM for besides
the action of the call, which `BESIDES` says by its documents.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from mlestate.aws import neighbours
from mlestate.aws.data import ROLES

from .account.account import Account
from .account.executions import Call
from .cases import HOMES, NAMES, Case, policies_of, resource_policy, verdict_of
from .conftest import Recorded, Rows
from .iam import Request, allowed
from .test_access_calls import caller, context_of
from .test_access_machines import COMPARING

Arguments = Mapping[str, Any]
Asked = tuple[str, str, dict[str, Any]]
"""An action, a resource as the access matrix writes it, and what else the request says."""

SERVICES: Mapping[str, str] = {"stepfunctions": "states"}
OPERATIONS: Mapping[str, str] = {"DescribeBudget": "ViewBudget", "ListObjectsV2": "ListBucket"}
"""What boto3 and IAM call otherwise."""


def _named(kind: str, argument: str) -> Callable[[Arguments], Sequence[str]]:
    return lambda given: [f"{kind}/{given[argument]}"]


ENDPOINT, CONFIGURATION = _named("endpoint", "EndpointName"), _named("endpoint-config", "EndpointConfigName")
MODEL, TRANSFORM = _named("model", "ModelName"), _named("transform-job", "TransformJobName")
PROCESSING, PIPELINE = _named("processing-job", "ProcessingJobName"), _named("pipeline", "PipelineName")


def _last(argument: str) -> Callable[[Arguments], Sequence[str]]:
    """What an ARN says after the account."""
    return lambda given: [given[argument].split(":", 5)[5]]


def _versions_of_a_group(given: Arguments) -> Sequence[str]:
    return [f"model-package/{given['ModelPackageGroupName'].rpartition('/')[2]}/1"]


def _tables(given: Arguments) -> Sequence[str]:
    tables = [*given["RequestItems"]] if "RequestItems" in given else [given["TableName"]]
    return [f"table/{each}" + (f"/index/{given['IndexName']}" if "IndexName" in given else "") for each in tables]


RESOURCES: Mapping[str, Callable[[Arguments], Sequence[str]]] = {
    "budgets:DescribeBudget": _named("budget", "BudgetName"),
    "cloudwatch:DescribeAlarms": lambda given: [f"alarm:{each}" for each in given["AlarmNames"]],
    "events:PutEvents": lambda given: [each["EventBusName"].split(":", 5)[5] for each in given["Entries"]],
    "sagemaker:CreateEndpointConfig": CONFIGURATION,
    "sagemaker:CreateModel": MODEL,
    "sagemaker:CreateProcessingJob": PROCESSING,
    "sagemaker:CreateTransformJob": lambda given: [*TRANSFORM(given), *MODEL(given)],
    "sagemaker:DeleteEndpointConfig": CONFIGURATION,
    "sagemaker:DeleteModel": MODEL,
    "sagemaker:DescribeEndpoint": ENDPOINT,
    "sagemaker:DescribeEndpointConfig": CONFIGURATION,
    "sagemaker:DescribeModel": MODEL,
    "sagemaker:DescribeModelPackage": _last("ModelPackageName"),
    "sagemaker:DescribePipelineExecution": _last("PipelineExecutionArn"),
    "sagemaker:DescribeProcessingJob": PROCESSING,
    "sagemaker:DescribeTransformJob": TRANSFORM,
    "sagemaker:ListModelPackages": _versions_of_a_group,
    "sagemaker:ListPipelineExecutions": PIPELINE,
    "sagemaker:StartPipelineExecution": PIPELINE,
    "sagemaker:UpdateEndpoint": lambda given: [*ENDPOINT(given), *CONFIGURATION(given)],
    "sagemaker:UpdateEndpointWeightsAndCapacities": ENDPOINT,
    "sagemaker:UpdateModelPackage": _last("ModelPackageArn"),
    "sns:Publish": _last("TopicArn"),
    "ssm:GetParameter": lambda given: [f"parameter{given['Name']}"],
    "ssm:PutParameter": lambda given: [f"parameter{given['Name']}"],
    "stepfunctions:DescribeExecution": _last("executionArn"),
    "stepfunctions:StartExecution": _last("stateMachineArn"),
    "stepfunctions:StopExecution": _last("executionArn"),
    **{
        f"dynamodb:{each}": _tables
        for each in ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
    },
}
"""By call: the things that it is about, as the end of their ARNs."""


def asked(call: Call) -> Iterator[Asked]:
    """What IAM is asked for."""
    slice_, given = caller(call.role).partition(" ")[0], call.arguments
    service = SERVICES.get(call.service, call.service)
    action = f"{service}:{OPERATIONS.get(call.operation, call.operation)}"
    match f"{call.service}:{call.operation}":
        case "cloudwatch:GetMetricData":
            yield action, "*", {}
        case "s3:CopyObject":
            bucket, _, key = given["CopySource"].partition("/")
            yield "s3:GetObject", _stored(bucket, key), {}
            yield "s3:PutObject", _stored(given["Bucket"], given["Key"]), {}
        case "s3:ListObjectsV2":
            yield action, _stored(given["Bucket"]), {"s3:prefix": given["Prefix"]}
        case "s3:GetObject" | "s3:PutObject":
            yield action, _stored(given["Bucket"], given["Key"]), {}
        case known:
            for rest in RESOURCES[known](given):
                yield action, f"{_slice(rest, slice_)}:{service}:{rest}", _context(known, given)
    for role in [given[each] for each in ("ExecutionRoleArn", "RoleArn") if each in given]:
        name = role.rpartition("/")[2]
        yield "iam:PassRole", f"{slice_}:iam:role/{name}", {"iam:PassedToService": "sagemaker.amazonaws.com"}
    if given.get("Tags") and call.service == "sagemaker":
        thing = RESOURCES[f"{call.service}:{call.operation}"](given)[0]
        yield "sagemaker:AddTags", f"{slice_}:sagemaker:{thing}", {}


def _context(call: str, given: Arguments) -> dict[str, Any]:
    match call:
        case "events:PutEvents":
            (entry,) = given["Entries"]
            return {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
        case "budgets:DescribeBudget":
            return {"aws:RequestedRegion": "us-east-1"}
        case "sagemaker:CreateModel":
            network = given.get("VpcConfig", {})
            return {
                "sagemaker:VpcSubnets": network.get("Subnets"),
                "sagemaker:VpcSecurityGroupIds": network.get("SecurityGroupIds"),
            }
        case "sagemaker:CreateEndpointConfig":
            variants = [*given["ProductionVariants"], *given.get("ShadowProductionVariants", [])]
            types = sorted({each["InstanceType"] for each in variants if "InstanceType" in each})
            return {"sagemaker:InstanceTypes": types or None, "sagemaker:VolumeKmsKey": given.get("KmsKeyId")}
        case "sagemaker:CreateProcessingJob":
            return context_of("Processing", given)
        case "sagemaker:CreateTransformJob":
            return {
                "sagemaker:InstanceTypes": [given["TransformResources"]["InstanceType"]],
                "sagemaker:VolumeKmsKey": given["TransformResources"].get("VolumeKmsKeyId"),
                "sagemaker:OutputKmsKey": given["TransformOutput"].get("KmsKeyId"),
            }
        case "sagemaker:UpdateModelPackage":
            stage = {
                f"sagemaker:ModelLifeCycle:{key}": given["ModelLifeCycle"][key]
                for key in ("Stage", "StageStatus")
                if "ModelLifeCycle" in given
            }
            stamps = {
                f"sagemaker:CustomerMetadataProperties/{key}": value
                for key, value in given.get("CustomerMetadataProperties", {}).items()
            }
            return {"sagemaker:ModelApprovalStatus": given.get("ModelApprovalStatus"), **stage, **stamps}
    return {}


def _stored(bucket: str, key: str = "") -> str:
    for slice_, names in NAMES.items():
        for role in ROLES if slice_ != "hub" else ():
            if bucket == names.physical("bucket", role):
                return f"{slice_}:s3:{role}" + (f"/{key}" if key else "")
    raise AssertionError(f"no bucket of the estate: {bucket}")


def _slice(rest: str, otherwise: str) -> str:
    """The slice that a thing's name begins with; a parameter's folder says it."""
    words = rest.replace("/mlestate/risk/", "/risk-").replace("/", ":").split(":")
    named = [each.removeprefix("risk-") for each in words if each.startswith("risk-")]
    return next((slice_ for slice_ in NAMES if named and (named[0] + "-").startswith(f"{slice_}-")), otherwise)


@pytest.fixture(scope="module")
def story(estate: Recorded) -> tuple[Rows, Sequence[Call]]:
    """Three models released through both environments, two of them taken back, and one trained again."""
    rows = estate(COMPARING)
    with Account.of(rows) as account:
        account.run()
        for model in ("churn", "fraud", "scores"):
            version = account.register(model, started_by="ds@risk.example")
            account.run()
            account.approve(model, version, by="approver@risk.example")
            account.run()
        account.start("risk-production-rollback", {"cause": "person", "model": "churn", "by": "operator@risk.example"})
        account.run()
        account.reject("scores", 2, by="approver@risk.example")
        account.run()
        account.start("risk-staging-retraining", {"model": "churn", "trigger": "schedule"})
        account.run()
        return rows, account.calls


def test_whatever_a_machine_asks_for_while_it_runs_is_allowed(story: tuple[Rows, Sequence[Call]]) -> None:
    rows, calls = story
    across = set()
    judged = set()
    for call in calls:
        for action, resource, context in asked(call):
            case = Case(caller(call.role), True, action, resource, context)
            key = (case.who, action, resource, str(context))
            if key in judged:
                continue
            judged.add(key)
            apart = resource != "*" and HOMES[case.place[0]] != HOMES[case.slice]
            if apart and action == "sagemaker:DescribePipelineExecution":
                # A release looks up the runs of its own account alone; here all of them have one number.
                continue
            if apart and action.startswith("s3:"):
                across.add(action)
                assert _lent(rows, case), (
                    f"{call.machine}, state {call.state}: {case.who} may not {action} on {case.arn}"
                )
            else:
                assert verdict_of(rows, case), (
                    f"{call.machine}, state {call.state}: {case.who} may not {action} on {case.arn} {context}"
                )
    assert across == {"s3:GetObject", "s3:ListBucket"}, "production fetches what staging trained"
    assert len(judged) > 100


def test_the_story_calls_most_of_what_the_machines_can_call(story: tuple[Rows, Sequence[Call]]) -> None:
    """What it leaves out is judged by the table of test_access_machines.py alone."""
    _, calls = story
    told = {f"{call.service}:{call.operation}" for call in calls}
    assert set(RESOURCES) - told <= REST


REST = {"dynamodb:UpdateItem", "sagemaker:DeleteModel", "stepfunctions:StopExecution"}


def _lent(rows: Rows, case: Case) -> bool:
    """As `verdict_of`, with what the owner's bucket lends to other accounts."""
    identity, boundary = policies_of(rows, case.slice, case.who.partition(" ")[2])
    recorded = resource_policy(rows, case)
    assert recorded is not None
    lent = neighbours.reading_runs(NAMES[case.place[0]], NAMES["hub"], [NAMES["staging"], NAMES["production"]])
    by_sid = {each["Sid"]: each for each in (*recorded["Statement"], *lent)}
    request = Request(case.principal, case.action, case.arn, case.whole_context)
    return allowed(
        request, identity, boundary, {**recorded, "Statement": [*by_sid.values()]}, owner=HOMES[case.place[0]]
    )
