"""Each rule is alive and alone: one edit of an estate that keeps every rule breaks exactly the rule it is meant to."""

import re
from collections import Counter

import pytest

from mlestate_policies.judge import Finding, judge
from mlestate_policies.rules import Rule, named, rules
from mlestate_policies.settings import PROFILES, Settings
from tests.policies.cases import Case, cases, edited, kept, resources, tables

CASES = list(cases())


def found(case_rule: Rule, entries: dict[str, dict[str, object]], settings: Settings) -> list[Finding]:
    """What the rules of the same kind say: a table is an estate for one kind, not for both."""
    judged = resources(entries)
    of_resource = case_rule.kind == "resource"
    report = judge(judged if of_resource else [], [] if of_resource else judged, settings)
    return [finding for finding in report.findings if finding.rule.kind == case_rule.kind]


def kind_of(table: str) -> Rule:
    return named()[next(iter(tables()[table]["rules"]))]


@pytest.mark.parametrize("table", sorted(tables()))
@pytest.mark.parametrize("profile", PROFILES)
def test_the_resources_of_a_table_keep_every_rule(table: str, profile: str) -> None:
    settings = Settings(profiles=("regulated", profile))
    assert not [(each.rule.id, each.path, each.message) for each in found(kind_of(table), kept(table), settings)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_edit_breaks_exactly_the_rule_it_is_meant_to(case: Case) -> None:
    findings = found(named()[case.rule], edited(case), case.settings)
    violated = {each.rule.id for each in findings if each.outcome == "violation"}
    assert violated == {case.rule} | case.also, [(each.rule.id, each.outcome, each.message) for each in findings]
    assert not [each.message for each in findings if each.outcome == "failed"]


@pytest.mark.parametrize("case", [case for case in CASES if case.paths], ids=str)
def test_what_is_not_known_yet_is_no_violation_and_is_not_passed_over(case: Case) -> None:
    findings = found(named()[case.rule], edited(case, unknown=True), case.settings)
    outcomes = Counter(each.outcome for each in findings)
    assert not outcomes["failed"], [each.message for each in findings]
    if any("remove" in edit or "add" in edit or "links" in edit for edit in case.edits):
        return  # what is not there at all is a violation, whatever else is unknown
    assert not [(each.rule.id, each.message) for each in findings if each.outcome == "violation"]
    if any("set" in edit for edit in case.edits):
        assert case.rule in {each.rule.id for each in findings}, "a value that is compared has to be known"


def test_each_rule_is_broken_at_each_path_it_names() -> None:
    edits: dict[str, list[tuple[str, str]]] = {}
    for case in CASES:
        types = {name: entry["type"] for name, entry in edited(case).items()}
        types |= {name: entry["type"] for name, entry in tables()[case.table]["resources"].items()}
        edits.setdefault(case.rule, []).extend((types[name], path) for name, path in case.paths)
        for edit in case.edits:  # what is taken away or added is an edit of all its paths
            if "remove" in edit:
                edits[case.rule].append((types[edit["remove"]], ""))
            edits[case.rule].extend((entry["type"], "") for entry in edit.get("add", {}).values())
    missing = [
        (rule.id, token, path)
        for rule in rules()
        for token, paths in rule.paths.items()
        for path in paths
        if not any(token in (edited_type, "*") and _covers(edit, path) for edited_type, edit in edits.get(rule.id, ()))
    ]
    assert not missing, "a path that no case edits is not proved to be looked at"


def _covers(edit: str, path: str) -> bool:
    """An edit of a path, of what is around it, or of something inside it (a document, an object's key)."""
    edit, path = (re.sub(r"\[\]|\.?\*", "", each) for each in (edit, path))
    return not edit or edit == path or edit.startswith(f"{path}.") or path.startswith(f"{edit}.")


def test_every_rule_says_what_a_reader_and_an_auditor_need() -> None:
    for rule in rules():
        for words in (rule.statement, rule.why, rule.fix):
            assert words.strip() == words, rule.id
            assert words, rule.id
        assert not rule.statement.endswith("."), f"{rule.id}: a statement stands in tables, without a full stop"
        assert rule.why.endswith("."), rule.id
        assert rule.fix.endswith("."), rule.id
        assert len(rule.name) <= 100, f"{rule.id}: Pulumi's names have 100 characters"
        assert rule.paths, rule.id
        assert set(rule.remedy) <= {path for paths in rule.paths.values() for path in paths}, rule.id
