"""docs/controls.md: which rule is evidence for which clause of which framework, and whose rules ask the same."""

import re
from collections import defaultdict

from mlestate_policies.configuration import default_level
from mlestate_policies.frameworks import FRAMEWORKS
from mlestate_policies.rules import CLOUDS, Rule, rules
from mlestate_policies.settings import LIMITS, PROFILES, LimitValue

_CLOUDS = {"any": "All clouds", "aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
_SEVERITIES = ("critical", "high", "medium", "low")


def controls() -> str:
    """The page, from the rules themselves."""
    every = rules()
    return "\n".join([*_counts(every), *_frameworks(every), *_rules(every), *_sources(every), *_profiles(every)]) + "\n"


def _counts(every: tuple[Rule, ...]) -> list[str]:
    lines = [
        "# What the rules check, and what it is evidence for",
        "",
        "Written by `make docs` from the rules; a clause stands here only where a rule checks something for it.",
        "Infrastructure shows that the means exist: that a monitor runs, that an approval is asked. It does not show "
        "that people read the one and think before they give the other. No line here is legal advice.",
        "",
        "| pack | rules | over one resource | over the stack | critical | high | medium | low | can be remediated "
        "| asked by no other scanner |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cloud in (*CLOUDS, None):
        of = [rule for rule in every if cloud in (None, rule.cloud)]
        severities = " | ".join(str(sum(rule.severity == each for rule in of)) for each in _SEVERITIES)
        stack = sum(rule.kind == "stack" for rule in of)
        lines.append(
            f"| {_CLOUDS[cloud] if cloud else 'together'} | {len(of)} | {len(of) - stack} | {stack} | {severities} "
            f"| {sum(bool(rule.remedy) for rule in of)} | {sum(not rule.sources for rule in of)} |"
        )
    return lines


def _frameworks(every: tuple[Rule, ...]) -> list[str]:
    lines = ["", "## Frameworks"]
    for framework, text in FRAMEWORKS.items():
        clauses: dict[str, list[Rule]] = defaultdict(list)
        for rule in every:
            for clause in rule.evidences:
                if clause.startswith(framework):
                    clauses[clause.removeprefix(framework).strip()].append(rule)
        lines += [
            "",
            f"### {framework}",
            "",
            f"{text}. {len({r.id for of in clauses.values() for r in of})} rules.",
            "",
        ]
        lines += ["| clause | rules | which |", "|---|---|---|"]
        for clause in sorted(clauses, key=_natural):
            of = clauses[clause]
            lines.append(f"| {clause} | {len(of)} | {', '.join(_link(rule) for rule in of)} |")
    return lines


def _rules(every: tuple[Rule, ...]) -> list[str]:
    lines = [
        "",
        "## Rules",
        "",
        "Level is the pack's own, in production; `disabled` waits for the profile `regulated`.",
    ]
    for cloud in CLOUDS:
        lines += [
            "",
            f"### {_CLOUDS[cloud]}",
            "",
            "| rule | what holds | severity | level | evidence for | also asked by |",
        ]
        lines += ["|---|---|---|---|---|---|"]
        for rule in every:
            if rule.cloud == cloud:
                lines.append(
                    f'| <a id="{rule.id.lower()}"></a>{rule.id} | {_cell(rule.statement)} | {rule.severity} '
                    f"| {default_level(rule)} | {', '.join(rule.evidences)} | {', '.join(rule.sources)} |"
                )
    return lines


def _sources(every: tuple[Rule, ...]) -> list[str]:
    asked: dict[str, list[Rule]] = defaultdict(list)
    for rule in every:
        for source in rule.sources:
            asked[source].append(rule)
    lines = ["", "## Other scanners' rules", "", f"{len(asked)} rules of others, and ours that ask the same.", ""]
    lines += ["| theirs | ours |", "|---|---|"]
    return lines + [f"| {source} | {', '.join(map(_link, asked[source]))} |" for source in sorted(asked, key=_natural)]


def _profiles(every: tuple[Rule, ...]) -> list[str]:
    lines = ["", "## Profiles and limits", "", "| profile | what it is |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in PROFILES.items()]
    lines += [
        "",
        f"`regulated` has all {len(every)} rules, `baseline` {sum(not rule.hardening for rule in every)}.",
        "",
        "| limit | what it says | default | under a profile |",
        "|---|---|---|---|",
    ]
    for name, declared in sorted(LIMITS.items()):
        under = "; ".join(f"{profile}: {_value(value)}" for profile, value in declared.profiles.items())
        lines.append(f"| `{name}` | {_cell(declared.description)} | {_value(declared.default)} | {under} |")
    return lines


def _value(value: LimitValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(each.replace("*", r"\*") for each in value) or "(empty)"
    return f"{value:g}"


def _link(rule: Rule) -> str:
    return f"[{rule.id}](#{rule.id.lower()})"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _natural(text: str) -> list[tuple[int, str]]:
    """Numbers by their size: SageMaker.2 before SageMaker.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]
