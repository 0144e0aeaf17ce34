"""The verdict: a rule that is broken itself is told of and never a pass, whoever runs it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from mlestate_policies import judge as judging
from mlestate_policies import pack
from mlestate_policies.formats import as_json, as_junit, as_sarif, as_text
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Rule, named
from mlestate_policies.settings import Settings, Waiver
from mlestate_policies.values import Node

NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance"
PASSWORD = "hunter2-hunter2"
LAB = Resource(NOTEBOOK, f"urn:pulumi:dev::shop::{NOTEBOOK}::lab", Node({"rootAccess": PASSWORD}))


def broken(check: Callable[[Any, Settings], Findings]) -> Rule:
    """A rule of the same words as one of ours, whose function is another."""
    ours = named()["ML-AWS-SM-003"]
    return Rule(**{**{key: getattr(ours, key) for key in ours.__dataclass_fields__}, "check": check})


def raises(notebook: Resource, _settings: Settings) -> Findings:
    raise KeyError(notebook.at("rootAccess").text)


def raises_after_a_finding(notebook: Resource, settings: Settings) -> Findings:
    yield from named()["ML-AWS-SM-003"].check(notebook, settings)
    raise KeyError(notebook.at("rootAccess").text)


@pytest.mark.parametrize("check", [raises, raises_after_a_finding])
@pytest.mark.parametrize("level", ["advisory", "mandatory"])
def test_a_rule_that_raises_fails_the_verdict_and_keeps_its_words_to_itself(
    check: Callable[[Any, Settings], Findings], level: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = broken(check)
    monkeypatch.setattr(judging, "rules", lambda: (rule,))
    report = judging.judge([LAB], [LAB], Settings(levels={rule.id: level}))
    assert not report.passed, "an advisory rule that is broken has judged nothing either"
    (failed,) = [each for each in report.findings if each.outcome == "failed"]
    assert "rule ML-AWS-SM-003 itself failed with KeyError at test_judge.py:" in failed.message
    for text in (as_text(report), as_json(report), as_sarif(report, lambda _: ("state.json", 1)), as_junit(report)):
        assert "itself failed" in text
    assert PASSWORD not in failed.message, "the error's words may be a secret"


def test_a_rule_that_raises_is_a_mandatory_violation_in_a_pack_and_ends_nothing() -> None:
    policy = pack._resource_policy(broken(raises))
    servicer: Any = pack.Servicer("pack", "0.0.1", [policy], EnforcementLevel.ADVISORY)
    request = proto.AnalyzeRequest(type=LAB.type, urn=LAB.urn, name="lab")
    request.properties.update({"rootAccess": PASSWORD})
    (said,) = servicer.Analyze(request, None).diagnostics
    assert "itself failed with KeyError" in said.message
    assert PASSWORD not in said.message
    assert said.enforcementLevel == proto.MANDATORY
    assert said.urn == LAB.urn


def test_a_waiver_does_not_hide_a_rule_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:

    rule = broken(raises)
    monkeypatch.setattr(judging, "rules", lambda: (rule,))
    waiver = Waiver(rule.id, "*", "ada@acme.example", "a pilot", date(2999, 1, 1))
    assert not judging.judge([LAB], [LAB], Settings(waivers=(waiver,))).passed
