"""The plan of a release, and what each cloud makes of it."""

import json
import re

import pytest

from mlestate.aws.release import COMPILED
from mlestate.aws.release_states import Place
from mlestate.config import loads
from mlestate.names import Names
from mlestate.release import OUTCOMES, PHASES, STAGES, Stage, promotion, rollout, settings, strategy

PLACE = Place(
    Names("aws", "risk", "production", "ca-central-1", "123456789012"),
    groups={"churn": "risk-hub-churn"},
    served=["churn"],
    endpoints={"churn": "risk-production-churn"},
    comparisons={"churn": {}},
)

ESTATE = """
version: 1
name: risk
cloud: aws
region: ca-central-1
people: {approvers: [approver@risk.example]}
environments: {staging: {}, production: {}, sandbox: {}}
promotion: {path: [staging, production], approval: {production: {minimum: 2}}}
models:
  churn:
    problem: classification
    gates: {model: {recall: {min: 0.6}}, fairness: {attribute: province, max_disparity: 0.1}}
    serving: {mode: realtime, rollout: {strategy: shadow, bake: 2h}}
"""


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_ends_as_the_plan_says(stage: Stage) -> None:
    """Else the one description of a release would say less, or more, than the machine does."""
    text = json.dumps(COMPILED[stage.name](PLACE))
    assert set(re.findall(r"'outcome': '([a-z-]+)'", text)) - {"nothing", "registered"} == set(stage.ends)


def test_every_stage_is_compiled_and_every_phase_is_some_stage_s() -> None:
    assert set(COMPILED) == {stage.name for stage in STAGES}
    assert {phase for stage in STAGES for phase in stage.phases} == set(PHASES)


def test_every_ending_is_some_stage_s_or_a_verdict_taken_back() -> None:
    assert {ending for stage in STAGES for ending in stage.ends} | {"rejected"} == set(OUTCOMES)


def test_where_versions_only_pass_through_nothing_is_compared() -> None:
    model = loads(ESTATE).config.models["churn"]
    assert strategy(model, passes_on=False) == "shadow"
    assert strategy(model, passes_on=True) == "all-at-once", "nobody asks there, so there is nothing to compare"
    assert rollout(model, passes_on=True)["bake_seconds"] == 300, "the time of a comparison is no time of watching"
    assert rollout(model, passes_on=False)["bake_seconds"] == 7200


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ("staging", {"from": None, "to": "production", "approvals": 0}),
        ("production", {"from": "staging", "to": None, "approvals": 2}),
        ("sandbox", {"from": None, "to": None, "approvals": 0}),
    ],
)
def test_a_version_passes_the_environments_of_the_path_in_order(environment: str, wanted: dict[str, object]) -> None:
    config = loads(ESTATE).config
    assert promotion(environment, config.promotion_path, config.promotion.approval) == wanted


def test_a_release_is_told_the_gates_of_its_own_environment() -> None:
    config = loads(ESTATE).config
    told = settings("churn", config.models["churn"], "production", config.promotion_path, config.promotion.approval)
    assert told["gates"] == [
        {"path": ["metrics", "recall"], "bound": "min", "value": 0.6},
        {"path": ["fairness", "disparity"], "bound": "max", "value": 0.1},
    ]
