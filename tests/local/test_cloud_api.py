"""What the AWS APIs refuse, the local cloud refuses: types, enumerations, patterns, bounds, required members."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestate.local import schema
from mlestate.local.aws import binding
from mlestate.local.aws.kinds import KINDS
from mlestate.local.aws.models import ApiShape, UnknownOperationError, input_of, request
from mlestate.local.aws.operations import CLOUD_CONTROL, OPERATIONS, TABLE
from mlestate.local.markers import SECRET, SIGNATURE, UNKNOWN
from tests.conftest import EXAMPLES, ROOT, recorded
from tests.local.cloud_calls import Caller
from tests.local.cloud_cases import AWS, KEY, MODEL_QUALITY

CONTROL = "aws:cloudcontrol/resource:Resource"
VARIANTS = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
AWS_EXAMPLES = [each for each in EXAMPLES if each.stem.startswith("aws-")]


def refusals(token: str, **changes: Any) -> dict[str, str]:
    """What the local cloud answers to the type's valid inputs with these changed."""
    return Caller("aws").failures(token, {**AWS[token], **changes})


def variant(**changes: Any) -> list[dict[str, Any]]:
    return [{**AWS[VARIANTS]["productionVariants"][0], **changes}]


# The tables


def test_every_type_with_facts_has_the_operation_that_makes_it() -> None:
    assert set(TABLE) == set(KINDS) - {CONTROL}, "a type whose inputs nobody checks, or a check that nobody meets"


@pytest.mark.parametrize("token", TABLE)
def test_every_property_of_the_sdk_is_accounted_for(token: str) -> None:
    """Each becomes a member of the API or is named as the provider's own. Does not prove that `own` ones are right."""
    assert list(binding.unaccounted(token)) == [], "match it by `at`, or name it in `own`, in the type's row"


@pytest.mark.parametrize("token", TABLE)
def test_no_row_names_a_property_that_the_sdk_does_not_have(token: str) -> None:
    found = binding.bound(token)
    assert found is not None
    for place in found.row.paths:
        shape: schema.Shape = found.sdk
        for step in place.split("."):
            inner = next(each for each in binding.innermost(shape) if isinstance(each, schema.Object))
            assert step in inner.fields, f"{place}: a leftover of an older SDK"
            shape = inner.fields[step]


def test_the_compiled_models_are_those_of_the_installed_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    from aws_models import aws_models

    compiled = ROOT / "components" / "mlestate" / "local" / "data" / "aws_models.json"
    assert compiled.read_text() == aws_models(), "write it again with: make docs"


def test_an_operation_that_is_not_compiled_is_named() -> None:
    with pytest.raises(UnknownOperationError, match="sagemaker:CreateCluster is not among the compiled API models"):
        input_of("sagemaker", "CreateCluster")


# The refusals


@pytest.mark.parametrize(
    ("token", "changes", "where", "sentence"),
    [
        (VARIANTS, {"productionVariants": variant(instanceType="ml.m5.lage")}, "productionVariants[0].instanceType",
         "did you mean 'ml.m5.large'?"),
        (VARIANTS, {"productionVariants": variant(initialInstanceCount=0)},
         "productionVariants[0].initialInstanceCount", "expected an integer at least 1, got 0"),
        (VARIANTS, {"productionVariants": []}, "productionVariants", "has 0 entries; at least 1 are needed"),
        (VARIANTS, {"name": "a" * 64}, "name", "^"),
        (VARIANTS, {"dataCaptureConfig": {**AWS[VARIANTS]["dataCaptureConfig"], "initialSamplingPercentage": 120}},
         "dataCaptureConfig.initialSamplingPercentage", "expected an integer from 0 to 100, got 120"),
        (VARIANTS, {"dataCaptureConfig": {**AWS[VARIANTS]["dataCaptureConfig"], "destinationS3Uri": "b/capture"}},
         "dataCaptureConfig.destinationS3Uri", "expected a text that matches"),
        ("aws:iam/role:Role", {"maxSessionDuration": 60}, "maxSessionDuration",
         "expected an integer from 3600 to 43200, got 60"),
        ("aws:iam/role:Role", {"permissionsBoundary": "boundary"}, "permissionsBoundary", "has 8 characters"),
        ("aws:kms/key:Key", {"deletionWindowInDays": 3}, "deletionWindowInDays", "from 7 to 30, got 3"),
        ("aws:kms/key:Key", {"rotationPeriodInDays": 30}, "rotationPeriodInDays", "from 90 to 2560, got 30"),
        ("aws:ecr/repository:Repository", {"imageTagMutability": "FIXED"}, "imageTagMutability", "one of 'MUTABLE'"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {"comparisonOperator": "Above"}, "comparisonOperator", "one of"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {"evaluationPeriods": 0}, "evaluationPeriods", "at least 1, got 0"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "retentionInDays", "expected one of"),
        ("aws:sqs/queue:Queue", {"messageRetentionSeconds": 10}, "messageRetentionSeconds", "from 60 to 1209600"),
        ("aws:dynamodb/table:Table", {"attributes": [{"name": "pk", "type": "T"}]}, "attributes[0].type", "one of 'S'"),
        ("aws:appautoscaling/target:Target", {"serviceNamespace": "sage"}, "serviceNamespace", "one of"),
        ("aws:budgets/budget:Budget", {"timeUnit": "WEEKLY"}, "timeUnit", "one of"),
        ("aws:scheduler/schedule:Schedule", {"flexibleTimeWindow": {"mode": "FLEX"}}, "flexibleTimeWindow.mode",
         "one of"),
        ("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
         {"rule": {"defaultRetention": {"mode": "FOREVER", "days": 1}}}, "rule.defaultRetention.mode", "one of"),
        ("aws:sagemaker/featureGroup:FeatureGroup", {"featureDefinitions": [{"featureName": "write time"}]},
         "featureDefinitions[0].featureName", "expected a text that matches"),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"fromPort": "https"}, "fromPort",
         "expected an integer"),
    ],
)  # fmt: skip
def test_a_value_that_the_api_refuses_is_refused_with_its_path_and_what_is_allowed(
    token: str, changes: dict[str, Any], where: str, sentence: str
) -> None:
    found = refusals(token, **changes)
    assert where in found, f"the API takes no such value: {found}"
    assert sentence in found[where]


def test_what_the_api_requires_and_the_sdk_does_not_is_missed() -> None:
    token = "aws:sagemaker/pipeline:Pipeline"
    inputs = {key: value for key, value in AWS[token].items() if key != "roleArn"}
    assert Caller("aws").failures(token, inputs)["roleArn"] == "missing required property 'roleArn': the API needs it"


def test_the_keys_and_values_of_tags_are_checked_where_they_become_a_list_of_pairs() -> None:
    assert refusals("aws:sagemaker/model:Model", tags={"owner": "ml!"})["tags.owner"].startswith("expected a text")
    assert refusals("aws:ecr/repository:Repository", tags={"owner": "x" * 300}) == {}, "ECR's model bounds no value"


def test_what_is_not_known_yet_is_not_judged() -> None:
    assert refusals(VARIANTS, kmsKeyArn=UNKNOWN, productionVariants=variant(instanceType=UNKNOWN)) == {}


def test_a_secret_is_checked_and_stays_unsaid() -> None:
    found = refusals("aws:ssm/parameter:Parameter", type={SIGNATURE: SECRET, "value": "SecretString"})
    assert found["type"].startswith("expected one of 'String'")
    assert "SecretString" not in found["type"], "a refusal goes to a log"


def test_a_preview_refuses_what_an_up_would() -> None:
    """Checks run before anything is made. Does not prove that a cloud refuses nothing else."""
    caller = Caller("aws")
    assert caller.check("aws:kms/key:Key", "k", {"deletionWindowInDays": 3}).failures
    assert caller.store.objects() == []


# Cloud Control


@pytest.mark.parametrize(
    ("change", "where", "sentence"),
    [
        ({"RoleArn": "me"}, "desiredState.RoleArn", "has 2 characters; at least 20 are needed"),
        ({"Roles": KEY}, "desiredState.Roles", "unknown property 'Roles'"),
        ({"JobResources": {}}, "desiredState.JobResources.ClusterConfig", "missing required property"),
    ],
)
def test_the_desired_state_of_cloud_control_is_checked_as_the_request_it_becomes(
    change: dict[str, Any], where: str, sentence: str
) -> None:
    assert refusals(CONTROL, desiredState=json.dumps({**MODEL_QUALITY, **change}))[where].startswith(sentence)


def test_a_desired_state_that_is_no_object_is_refused() -> None:
    assert "expected a JSON document" in refusals(CONTROL, desiredState="{")["desiredState"]


def test_a_desired_state_that_is_a_secret_is_checked_and_stays_unsaid() -> None:
    state = json.dumps({**MODEL_QUALITY, "RoleArn": "hush"})
    found = refusals(CONTROL, desiredState={SIGNATURE: SECRET, "value": state})
    assert found == {"desiredState": "the document in this secret is not what the cloud takes"}


def test_a_type_of_cloud_control_without_a_model_is_named() -> None:
    caller = Caller("aws")
    caller.create(CONTROL, "c", {"typeName": "AWS::SageMaker::Cluster", "desiredState": "{}"})
    assert caller.store.unchecked == {"AWS::SageMaker::Cluster of Cloud Control"}


def test_every_type_of_cloud_control_has_a_compiled_model() -> None:
    assert all(operation in OPERATIONS[service] for service, operation in CLOUD_CONTROL.values())


# The examples


@pytest.mark.parametrize("example", AWS_EXAMPLES, ids=lambda path: path.stem)
def test_no_resource_of_an_aws_example_goes_unchecked(example: Any) -> None:
    """Every type has its row, and every request in its documents a compiled model; `recorded` fails on a refusal."""
    caller = Caller("aws")
    for row in recorded(example):
        if row.type.startswith("aws:"):
            caller.store.unchecked.update(set() if caller.cloud.makes.knows(row.type) else {row.type})
            caller.store.unchecked.update(caller.cloud.makes.facts.unjudged(row.type, row.inputs))
    assert caller.store.unchecked == set(), "add its row to mlestate/local/aws"


# botocore's own validator


SERVICES = botocore.session.get_session()
CHECKED = [("sagemaker", name) for name in ("CreateModel", "CreateModelQualityJobDefinition", "UpdateEndpoint")] + [
    ("dynamodb", "PutItem"), ("events", "PutTargets"), ("cloudwatch", "PutMetricAlarm"),
]  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=3), st.integers(-2, 2), st.booleans(), st.just({}), st.just([])
)


def values(shape: ApiShape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values near what the shape takes: some of another type, some members missing, some unknown."""
    if depth > 4:
        return JUNK
    match shape.type:
        case "structure":
            named = {name: values(part, depth + 1) for name, part in shape.parts_of()}
            needed = {name: named.pop(name) for name in shape.required}
            right: st.SearchStrategy[Any] = st.fixed_dictionaries(needed, optional=named)
            right = st.one_of(right, right.map(lambda made: {**made, "Unheard": 1}), st.fixed_dictionaries({}))
        case "list":
            right = st.lists(values(shape.part("member"), depth + 1), max_size=2)
        case "map":
            right = st.dictionaries(st.text(max_size=3), values(shape.part("value"), depth + 1), max_size=2)
        case "boolean":
            right = st.booleans()
        case "integer" | "long":
            right = st.integers(-3, 10**6)
        case "float" | "double":
            right = st.integers(-3, 10**6).map(float)
        case _:
            right = st.text(max_size=30)
    return st.one_of(right, right, right, JUNK)


@pytest.mark.parametrize(("service", "operation"), CHECKED)
def test_whatever_botocore_refuses_is_refused(service: str, operation: str) -> None:
    """botocore checks types, members, requirements and lower bounds; ours refuses enumerations and patterns besides."""
    shape = SERVICES.get_service_model(service).operation_model(operation).input_shape
    assert shape is not None

    @settings(max_examples=80, deadline=None, database=None)
    @given(values(input_of(service, operation)))
    def agree(value: Any) -> None:
        if ParamValidator().validate(value, shape).has_errors():
            assert request(service, operation, value), f"botocore refuses {value!r}"

    agree()
