"""A verdict as people and machines read it: text, JSON, SARIF 2.1.0 for code scanning, JUnit for CI's test pages."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

from mlestate_policies.judge import Finding, Report
from mlestate_policies.rules import Rule

__all__ = ["FORMATS", "Place", "as_json", "as_junit", "as_sarif", "as_text"]

Place = Callable[[str], tuple[str, int]]
"""From a URN to the file and the line that a person would change."""
FORMATS: Final = ("text", "json", "sarif", "junit")
_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, not even escaped."""
_SHOWN: Final = 5
"""How many resources of one rule the text names before it counts the others."""
_SARIF_LEVELS: Final = {"mandatory": "error", "advisory": "warning", "disabled": "none"}
_SECURITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
"""What GitHub's code scanning sorts by."""


def as_text(report: Report) -> str:
    """Rule by rule, the worst first; then what was waived, undecided and not looked at, and the verdict."""
    lines: list[str] = []
    groups = _grouped(report)
    for rule, findings in groups:
        first = findings[0]
        word = {"violation": first.level, "failed": "failed", "undecided": "undecided"}[first.outcome]
        lines.append(f"{word}  {rule.severity}  {rule.id}  {rule.statement}")
        lines += [f"    {_name(each)}: {each.message}" for each in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            lines.append(f"    ... and {len(findings) - _SHOWN} more")
        if first.outcome == "violation":
            lines.append(f"    fix: {rule.fix}")
    for finding in report.findings:
        if finding.waiver:
            lines.append(f"waived  {finding.rule.id}  {_name(finding)}: {finding.waiver}")
    lines += [f"over  a waiver is over, mend what it waives or renew it: {waiver}" for waiver in report.expired]
    lines += [f"idle  a waiver waives nothing, so it can go: {waiver}" for waiver in report.idle]
    if report.unchecked:
        what = ", ".join(f"{token} ({number})" for token, number in report.unchecked.items())
        lines.append(f"{sum(report.unchecked.values())} resources are of types that no rule looks at: {what}")
    return "\n".join([*lines, _verdict(report)])


def as_json(report: Report) -> str:
    """Everything that is known of the verdict."""
    return json.dumps(
        {
            "passed": report.passed,
            "resources": report.resources,
            "rules": len(report.applied),
            "counts": _counts(report),
            "findings": [
                {
                    "rule": each.rule.id,
                    "policy": each.rule.name,
                    "outcome": each.outcome,
                    "level": each.level,
                    "severity": each.rule.severity,
                    "urn": each.urn,
                    "path": each.path,
                    "message": each.message,
                    "fix": each.rule.fix,
                    "evidences": list(each.rule.evidences),
                    "waiver": str(each.waiver) if each.waiver else None,
                }
                for each in report.findings
            ],
            "expiredWaivers": [str(waiver) for waiver in report.expired],
            "idleWaivers": [str(waiver) for waiver in report.idle],
            "unchecked": dict(report.unchecked),
        },
        indent=2,
        ensure_ascii=False,
    )


def as_sarif(report: Report, place: Place) -> str:
    """A log that GitHub, GitLab and Azure DevOps show on a pull request. Waived findings are in it as suppressed."""
    index = {rule.id: number for number, rule in enumerate(report.applied)}
    seen: Counter[tuple[str, ...]] = Counter()
    results = []
    for finding in report.findings:
        identity = (finding.rule.id, finding.urn, finding.path, finding.outcome)
        seen[identity] += 1
        results.append(_result(finding, index[finding.rule.id], place, (*identity, str(seen[identity]))))
    uri, line = place("")
    notifications = [
        {"level": "error", "message": {"text": f"a waiver is over: {waiver}"}, "locations": [_location(uri, line, "")]}
        for waiver in report.expired
    ]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "mlestate", "rules": [_descriptor(rule) for rule in report.applied]}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "results": results,
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_junit(report: Report) -> str:
    """A test case a rule in force: failed where something mandatory is violated, an error where the rule itself failed.

    What is advisory, undecided or waived is in the case's output.
    """
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        by_rule[finding.rule.id].append(finding)
    suite = ElementTree.Element("testsuite", name="mlestate policies")
    failures = errors = 0
    for rule in report.applied:
        findings = by_rule[rule.id]
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"mlestate.{rule.cloud}", name=f"{rule.id} {rule.statement}"
        )
        broken = [each for each in findings if each.outcome == "failed"]
        blocking = [each for each in findings if each.blocks and each.outcome != "failed"]
        if broken:
            errors += 1
            _detail(case, "error", broken)
        elif blocking:
            failures += 1
            _detail(case, "failure", blocking, rule.fix)
        others = [each for each in findings if not each.blocks]
        if others:
            ElementTree.SubElement(case, "system-out").text = _lines(others)
    if report.expired:
        failures += 1
        case = ElementTree.SubElement(suite, "testcase", classname="mlestate", name="No waiver is over")
        failure = ElementTree.SubElement(case, "failure", message=f"{len(report.expired)} waivers are over")
        failure.text = "\n".join(map(str, report.expired))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    ElementTree.indent(suite)
    return _NO_XML.sub("?", ElementTree.tostring(suite, encoding="unicode", xml_declaration=True))


def _grouped(report: Report) -> list[tuple[Rule, list[Finding]]]:
    """What is not waived, by rule and outcome: what blocks before what does not, the severe before the others."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.waiver is None:
            groups[finding.rule.id, finding.outcome].append(finding)
    severities = ("critical", "high", "medium", "low")

    def order(group: list[Finding]) -> tuple[bool, bool, int, str]:
        first = group[0]
        return not first.blocks, first.outcome == "undecided", severities.index(first.rule.severity), first.rule.id

    return [(group[0].rule, group) for group in sorted(groups.values(), key=order)]


def _counts(report: Report) -> Mapping[str, int]:
    counts = dict.fromkeys(("mandatory", "advisory", "undecided", "waived", "failed"), 0)
    for each in report.findings:
        kind = "waived" if each.waiver else each.level if each.outcome == "violation" else each.outcome
        counts[kind] += 1
    return counts


def _verdict(report: Report) -> str:
    counts = _counts(report)
    said = f"{counts['mandatory']} mandatory and {counts['advisory']} advisory violations"
    more = [f"{counts[kind]} {kind}" for kind in ("undecided", "waived", "failed") if counts[kind]]
    more += [f"{len(report.expired)} waivers over"] if report.expired else []
    verdict = "passed" if report.passed else "FAILED"
    return f"{verdict}: {len(report.applied)} rules over {report.resources} resources, {', '.join([said, *more])}."


def _name(finding: Finding) -> str:
    return finding.urn.rpartition("::")[2] or "the stack"


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.statement},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _SARIF_LEVELS[rule.level]},
        "properties": {
            "tags": ["security", *rule.evidences],
            "security-severity": _SECURITY[rule.severity],
            "sources": list(rule.sources),
        },
    }


def _result(finding: Finding, index: int, place: Place, identity: tuple[str, ...]) -> dict[str, Any]:
    uri, line = place(finding.urn)
    open_ = finding.outcome == "undecided" and not finding.blocks
    fingerprint = sha256("\0".join(identity).encode(errors="replace")).hexdigest()
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "kind": "open" if open_ else "fail",
        "level": "none" if open_ else _SARIF_LEVELS[finding.level],
        "message": {"text": f"{_name(finding)}: {finding.message}. {finding.rule.fix}"},
        "locations": [_location(uri, line, finding.urn)],
        "partialFingerprints": {"mlestate/v1": fingerprint},
    }
    if finding.waiver:
        result["suppressions"] = [{"kind": "external", "justification": str(finding.waiver)}]
    return result


def _location(uri: str, line: int, urn: str) -> dict[str, Any]:
    physical = {"artifactLocation": {"uri": quote(uri)}, "region": {"startLine": line}}
    logical = [{"fullyQualifiedName": urn, "kind": "resource"}] if urn else []
    return {"physicalLocation": physical, **({"logicalLocations": logical} if logical else {})}


def _detail(case: ElementTree.Element, tag: str, findings: list[Finding], fix: str = "") -> None:
    detail = ElementTree.SubElement(case, tag, message=f"{len(findings)} of {findings[0].rule.id}")
    detail.text = "\n".join(filter(None, [_lines(findings), fix and f"fix: {fix}"]))


def _lines(findings: list[Finding]) -> str:
    return "\n".join(_each(findings))


def _each(findings: list[Finding]) -> Iterator[str]:
    for each in findings:
        word = "waived" if each.waiver else each.level if each.outcome == "violation" else each.outcome
        yield f"{word}: {_name(each)}: {each.message}" + (f" ({each.waiver})" if each.waiver else "")
