"""AWS: what SageMaker refuses in a pipeline definition is found before it is sent."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from mlestate.aws.pipeline_definition import definition
from mlestate.local.aws_pipeline import INLINE_LIMIT, operations, validate_definition
from tests.aws.test_pipeline_definition import FULL, PRIVATE

WHOLE: dict[str, Any] = json.loads(definition("churn", FULL, PRIVATE))
INGEST, CHECK_DATA, TRAIN, EVALUATE, CHECK_MODEL, GATES = range(6)

Change = Callable[[dict[str, Any]], Any]


def step(document: dict[str, Any], number: int) -> Any:
    return document["Steps"][number]


def register(document: dict[str, Any]) -> Any:
    return step(document, GATES)["Arguments"]["IfSteps"][0]


CASES: dict[str, tuple[Change, str]] = {
    "another version": (lambda d: d.update(Version="2021-01-01"), "Version is '2021-01-01'"),
    "an unknown part": (lambda d: d.update(Stages=[]), "'Stages' is no part of a definition"),
    "no steps": (lambda d: d.update(Steps=[]), "there are no steps"),
    "an unknown type": (lambda d: step(d, INGEST).update(Type="Shell"), "'Shell' is no type of step"),
    "a name with a blank": (lambda d: step(d, INGEST).update(Name="take data"), "a name has 1 to 64"),
    "two of one name": (lambda d: step(d, TRAIN).update(Name="ingest"), "two steps are called 'ingest'"),
    "no arguments": (lambda d: step(d, INGEST).pop("Arguments"), "it has no arguments"),
    "a type of parameter": (lambda d: d["Parameters"][0].update(Type="Date"), "its type is one of String"),
    "a default of another type": (lambda d: d["Parameters"][0].update(DefaultValue=3), "its default 3 is no String"),
    "two parameters of one name": (
        lambda d: d["Parameters"].append(d["Parameters"][0]),
        "two parameters have one name",
    ),
    "an undeclared parameter": (lambda d: d["Parameters"].pop(0), "there is no parameter 'ImageTag'"),
    "something a run does not know": (
        lambda d: register(d)["Arguments"]["MetadataProperties"].update(GeneratedBy={"Get": "Execution.User"}),
        "a run knows no 'User' of itself",
    ),
    "a path from nowhere": (
        lambda d: register(d)["Arguments"]["MetadataProperties"].update(GeneratedBy={"Get": "Run.Id"}),
        "'Run.Id' begins with none of",
    ),
    "a step that is not there": (lambda d: d["Steps"].pop(INGEST), "there is no step that 'Steps.ingest"),
    "an output that is not there": (
        lambda d: step(d, INGEST)["Arguments"]["ProcessingOutputConfig"]["Outputs"].pop(0),
        "step 'ingest' has no output 'settings'",
    ),
    "a property file that is not there": (
        lambda d: step(d, EVALUATE).pop("PropertyFiles"),
        "step 'evaluate' has no property file 'evaluation'",
    ),
    "a property file of nothing": (
        lambda d: step(d, EVALUATE)["PropertyFiles"][0].update(OutputName="numbers"),
        "is of an output that the step does not have",
    ),
    "a number read outside a condition": (
        lambda d: register(d)["Arguments"].update(
            ModelPackageDescription={
                "Std:JsonGet": {"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.evaluation"}, "Path": "x"}
            }
        ),
        "Std:JsonGet is read in a Condition step alone",
    ),
    "a circle": (lambda d: step(d, INGEST).update(DependsOn=["train"]), "these steps wait for each other"),
    "a dependency on nothing": (lambda d: step(d, TRAIN).update(DependsOn=["clean"]), "it depends on 'clean'"),
    "a dependency on the end": (lambda d: step(d, TRAIN).update(DependsOn=["refuse"]), "after which nothing runs"),
    "itself": (
        lambda d: step(d, TRAIN)["Arguments"]["Environment"].update(X={"Get": "Steps.train.TrainingJobName"}),
        "is of the step itself",
    ),
    "a condition within a condition": (
        lambda d: step(d, GATES)["Arguments"]["ElseSteps"].append({**copy.deepcopy(step(d, GATES)), "Name": "again"}),
        "SageMaker nests none",
    ),
    "no conditions": (lambda d: step(d, GATES)["Arguments"].update(Conditions=[]), "it has no conditions"),
    "an unknown condition": (
        lambda d: step(d, GATES)["Arguments"]["Conditions"][0].update(Type="About"),
        "'About' is no condition",
    ),
    "half a comparison": (
        lambda d: step(d, GATES)["Arguments"]["Conditions"][0].pop("RightValue"),
        "compares a LeftValue with a RightValue",
    ),
    "a retry of what cannot happen": (
        lambda d: register(d).update(RetryPolicies=[{"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 2}]),
        "is nothing that a RegisterModel step retries",
    ),
    "a retry without an end": (
        lambda d: step(d, TRAIN)["RetryPolicies"][0].pop("MaxAttempts"),
        "either MaxAttempts or ExpireAfterMin",
    ),
    "too many retries": (lambda d: step(d, TRAIN)["RetryPolicies"][0].update(MaxAttempts=50), "it is 1 to 20"),
    "tags on a version": (lambda d: register(d)["Arguments"].update(Tags=[]), "a version in a group takes no tags"),
    "spot that waits less than it runs": (
        lambda d: step(d, TRAIN)["Arguments"]["StoppingCondition"].update(MaxWaitTimeInSeconds=60),
        "no shorter than the run",
    ),
    "spot that waits for ever": (
        lambda d: step(d, TRAIN)["Arguments"]["StoppingCondition"].pop("MaxWaitTimeInSeconds"),
        "a spot job needs MaxWaitTimeInSeconds",
    ),
    "a wait without spot": (
        lambda d: step(d, TRAIN)["Arguments"].update(EnableManagedSpotTraining=False),
        "is for spot jobs alone",
    ),
    "more than fits inline": (
        lambda d: d.update(Metadata={"note": "x" * INLINE_LIMIT}),
        f"takes {INLINE_LIMIT} inline",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_definition_that_sagemaker_would_refuse_is_refused_here(case: str) -> None:
    change, sentence = CASES[case]
    document = copy.deepcopy(WHOLE)
    change(document)
    found = validate_definition(json.dumps(document))
    assert any(sentence in each for each in found), found


def test_a_whole_definition_is_let_through() -> None:
    assert validate_definition(json.dumps(WHOLE)) == []


@pytest.mark.parametrize("text", ["{", "[]", '"text"', "{}", '{"Version":"2020-12-01","Steps":[{}]}'])
def test_what_is_no_definition_at_all_is_answered_with_a_sentence(text: str) -> None:
    assert validate_definition(text)


def test_samples_stand_where_a_run_would_fill_in() -> None:
    by_step = {name: arguments for name, _, arguments in operations(json.dumps(WHOLE))}
    assert by_step["train"]["AlgorithmSpecification"]["TrainingImage"] == f"{PRIVATE.image}:1.4"
    assert by_step["train"]["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://sample/sample"
    assert by_step["register"]["CustomerMetadataProperties"]["run"] == "abcdefghijkl"
    assert '"Get"' not in json.dumps(by_step), "the API's model knows no expressions"
