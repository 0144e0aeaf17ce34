"""What is read in a pipeline's definition, and what is left alone there."""

import json
from copy import deepcopy
from typing import Any

import pytest

from mlestate_policies.aws.machines import takes_no_key
from mlestate_policies.aws.pipelines import PIPELINE
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Undecided, Violation, named
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN, Node
from tests.policies.cases import kept

RULES = ("ML-AWS-SM-074", "ML-AWS-SM-075", "ML-AWS-SM-076", "ML-AWS-SM-077")
REGISTER = {"Name": "register", "Type": "RegisterModel", "Arguments": {"ModelApprovalStatus": "PendingManualApproval"}}
CLARIFY = {"Name": "bias", "Type": "ClarifyCheck", "Arguments": {}}


def whole() -> dict[str, Any]:
    """The definition in the table: it keeps every rule."""
    given: dict[str, Any] = kept("aws-pipelines")["pipeline"]["properties"]["pipelineDefinition"]
    return given


def pipeline(definition: Any) -> Resource:
    text = definition if isinstance(definition, str) else json.dumps(definition)
    return Resource(PIPELINE, f"urn:pulumi:stack::project::{PIPELINE}::pipeline", Node({"pipelineDefinition": text}))


def found(rule: str, definition: Any, **limits: Any) -> list[Violation | Undecided]:
    return list(named()[rule].judge(pipeline(definition), Settings(("regulated",), limits)))


def messages(rule: str, definition: Any, **limits: Any) -> list[str]:
    return [each.message for each in found(rule, definition, **limits) if isinstance(each, Violation)]


def behind(*conditions: Any, steps: list[Any]) -> dict[str, Any]:
    return {"Name": "gates", "Type": "Condition", "Arguments": {"Conditions": list(conditions), "IfSteps": steps}}


def on(path: str) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": {"Get": path}, "RightValue": True}


@pytest.mark.parametrize("rule", RULES)
def test_a_definition_in_json_is_read_as_an_object_is(rule: str) -> None:
    assert found(rule, whole()) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_pipeline_without_jobs_and_registration_breaks_nothing(rule: str) -> None:
    assert found(rule, {"Steps": [{"Name": "wait", "Type": "Lambda", "Arguments": {}}]}) == []


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "definition",
    [
        {"Steps": "none"},
        {"Steps": [None, 3, "text", [], {}]},
        {"Steps": [{"Type": 7, "Name": []}]},
        {"Steps": [{"Type": "Training"}, {"Type": "Processing", "Arguments": "none"}]},
        {"Steps": [{"Type": "RegisterModel", "Arguments": {"ModelApprovalStatus": 1, "ModelMetrics": 2}}]},
        {"Steps": [{"Type": "Condition", "Arguments": {"Conditions": 1, "IfSteps": {"Name": "x"}}}]},
        {"Steps": [{"Type": "Tuning", "Arguments": {"TrainingJobDefinitions": "x"}}], "Parameters": [1, None]},
        [],
        "[1, 2]",
        "no JSON",
    ],
    ids=str,
)
def test_nothing_that_a_user_wrote_stops_a_rule(rule: str, definition: Any) -> None:
    found(rule, definition)


@pytest.mark.parametrize("rule", RULES)
def test_a_definition_that_is_not_known_yet_is_left_open(rule: str) -> None:
    assert found(rule, UNKNOWN) == [Undecided("pipelineDefinition")]


def test_a_definition_in_a_bucket_is_told_of_once() -> None:
    somewhere = Resource(PIPELINE, "urn::p", Node({"pipelineDefinitionS3Location": {"bucket": "b", "objectKey": "k"}}))
    outcomes = {rule: [type(each) for each in named()[rule].judge(somewhere, Settings())] for rule in RULES}
    assert outcomes == {rule: [Violation if rule == "ML-AWS-SM-075" else Undecided] for rule in RULES}


def test_a_step_is_called_by_its_name() -> None:
    definition = whole()
    del definition["Steps"][1]["Arguments"]["EnableNetworkIsolation"]
    assert messages("ML-AWS-SM-074", definition) == [
        "pipelineDefinition.Steps[train].Arguments.EnableNetworkIsolation is not set; it has to be true"
    ]


def test_a_step_deep_inside_conditions_is_judged_too() -> None:
    definition = {"Steps": [behind(steps=[behind(steps=[{"Name": "train", "Type": "Training", "Arguments": {}}])])]}
    path = "pipelineDefinition.Steps[gates].IfSteps[gates].IfSteps[train].Arguments.EnableNetworkIsolation"
    assert path in {each.path for each in found("ML-AWS-SM-074", definition)}


def test_a_step_that_calls_out_is_named_in_a_limit() -> None:
    definition = whole()
    definition["Steps"][0]["Name"] = "read-warehouse"
    assert messages("ML-AWS-SM-074", definition)
    assert not messages("ML-AWS-SM-074", definition, pipelineStepsOnline=("read-*",))


def test_what_may_report_to_a_tracking_server_is_left_open_while_its_environment_is_not_known() -> None:
    definition = whole()
    definition["Steps"][4]["Arguments"]["Environment"] = UNKNOWN
    assert found("ML-AWS-SM-074", definition) == [Undecided("pipelineDefinition.Steps[evaluate].Arguments.Environment")]


def test_one_machine_has_nobody_to_talk_to() -> None:
    definition = whole()
    del definition["Steps"][1]["Arguments"]["EnableInterContainerTrafficEncryption"]
    assert messages("ML-AWS-SM-074", definition)
    definition["Steps"][1]["Arguments"]["ResourceConfig"]["InstanceCount"] = 1
    assert not messages("ML-AWS-SM-074", definition)


def test_how_many_machines_a_run_chooses_is_not_taken_for_one() -> None:
    definition = whole()
    arguments = definition["Steps"][1]["Arguments"]
    del arguments["EnableInterContainerTrafficEncryption"]
    arguments["ResourceConfig"]["InstanceCount"] = {"Get": "Parameters.Machines"}
    definition["Parameters"].append({"Name": "Machines", "Type": "Integer", "DefaultValue": 1})
    assert messages("ML-AWS-SM-074", definition)


@pytest.mark.parametrize(
    ("values", "waits"),
    [
        (["PendingManualApproval"], True),
        (["PendingManualApproval", "Rejected"], True),
        (["PendingManualApproval", "Approved"], False),
        (None, False),
    ],
)
def test_a_status_may_be_a_parameter_that_cannot_be_approved(values: list[str] | None, waits: bool) -> None:
    parameter = {"Name": "Status", "Type": "String", "DefaultValue": "PendingManualApproval"}
    step = deepcopy(REGISTER) | {"Arguments": {"ModelApprovalStatus": {"Get": "Parameters.Status"}}}
    definition = {"Parameters": [parameter | ({"EnumValues": values} if values else {})], "Steps": [step]}
    assert (messages("ML-AWS-SM-075", definition) == []) is waits


def test_a_status_that_is_computed_is_not_taken_for_one_that_waits() -> None:
    status = {"Std:Join": {"On": "", "Values": ["App", "roved"]}}
    step = REGISTER | {"Arguments": {"ModelApprovalStatus": status}}
    (message,) = messages("ML-AWS-SM-075", {"Steps": [step]})
    assert "left to who starts a run" in message


@pytest.mark.parametrize("status", ["Approved", "approved"])
def test_a_version_that_arrives_approved_is_a_violation_wherever_its_step_stands(status: str) -> None:
    step = REGISTER | {"Arguments": {"ModelApprovalStatus": status}}
    (message,) = messages("ML-AWS-SM-075", {"Steps": [behind(on("Steps.a.b"), steps=[step])]})
    assert message.startswith(
        "pipelineDefinition.Steps[gates].IfSteps[register].Arguments.ModelApprovalStatus approves"
    )


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ([CLARIFY, behind(on("Steps.evaluate.Outputs"), steps=[REGISTER])], True),
        ([CLARIFY, behind(on("Steps.evaluate.Outputs"), steps=[behind(on("Parameters.A"), steps=[REGISTER])])], True),
        ([CLARIFY, behind(on("Parameters.Register"), steps=[REGISTER])], False),
        ([CLARIFY, behind(steps=[REGISTER])], False),
        ([CLARIFY, behind(on("Steps.evaluate.Outputs"), steps=[]), REGISTER], False),
        ([behind(on("Steps.evaluate.Outputs"), steps=[REGISTER])], False),
        ([CLARIFY | {"SkipCheck": True}, behind(on("Steps.a.b"), steps=[REGISTER])], False),
        ([CLARIFY | {"SkipCheck": {"Get": "Parameters.Skip"}}, behind(on("Steps.a.b"), steps=[REGISTER])], False),
        ([CLARIFY | {"FailOnViolation": False}, behind(on("Steps.a.b"), steps=[REGISTER])], False),
        ([CLARIFY | {"SkipCheck": False, "FailOnViolation": True}, behind(on("Steps.a.b"), steps=[REGISTER])], True),
    ],
)
def test_a_version_is_registered_behind_a_gate_and_a_check(steps: list[Any], kept: bool) -> None:
    assert (messages("ML-AWS-SM-076", {"Steps": steps}) == []) is kept


@pytest.mark.parametrize("rule", RULES)
def test_no_message_holds_what_a_definition_says(rule: str) -> None:
    secret = "a word that nobody may read"
    definition = {
        "Steps": [
            {"Name": secret, "Type": "Training", "Arguments": {"EnableNetworkIsolation": secret, "VpcConfig": secret}},
            REGISTER | {"Arguments": {"ModelApprovalStatus": secret}},
        ]
    }
    assert messages(rule, definition)
    assert secret not in str(found(rule, definition))


OWN_DISKS = """
    c5d c6gd g4dn g5 g6 g6e gr6 i3 i3en m5d m5dn m6idn p3dn p4d p4de p5 p5en p6-b200 r5d r6id r8gd trn1 trn1n trn2
"""
OTHER_DISKS = "c5 c5n c6g inf1 inf2 m5 m6g m7i p2 p3 r5 r6i t3"


@pytest.mark.parametrize("family", OWN_DISKS.split())
def test_no_key_is_asked_for_disks_of_the_machine_itself(family: str) -> None:
    assert takes_no_key(f"ml.{family}.2xlarge")


@pytest.mark.parametrize("family", OTHER_DISKS.split())
def test_a_key_is_asked_for_every_other_disk(family: str) -> None:
    assert not takes_no_key(f"ml.{family}.2xlarge")


@pytest.mark.parametrize("word", ["", "ml.", "g5.xlarge", "something"])
def test_what_is_no_instance_type_takes_a_key(word: str) -> None:
    assert not takes_no_key(word)
