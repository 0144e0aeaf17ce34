"""What YAML makes of a text, and what is said when that is not what the text looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlestate.config import ConfigError, load, loads
from mlestate.config.scalars import key_trap, resolve, trap_of
from tests.config.said import AWS, at_mark, said

MODEL = AWS + "models:\n  churn:\n    problem: classification\n"

TRAPS = {
    "a clock is a number in base sixty": (
        AWS + "owner: «20:00\n",
        "owner",
        'YAML 1.1 makes the number 1200 of the unquoted 20:00. Write "20:00".',
    ),
    "an account with a leading zero is a number in base eight": (
        AWS + "account: «012345670123\n",
        "account",
        'YAML 1.1 makes the number 1402433619 of the unquoted 012345670123. Write "012345670123".',
    ),
    "an account with a leading zero and an eight loses the zero": (
        AWS + "account: «012345678901\n",
        "account",
        'YAML 1.2 makes the number 12345678901 of the unquoted 012345678901. Write "012345678901".',
    ),
    "an unquoted account is a number": (
        AWS + "environments:\n  production: {account: «333333333333}\n",
        "environments.production.account",
        'must be text, and YAML makes the number 333333333333 of the unquoted 333333333333. Write "333333333333".',
    ),
    "no is not text": (
        AWS + "owner: «no\n",
        "owner",
        'YAML 1.1 makes false of the unquoted no. Write false, or "no" where the text is meant.',
    ),
    "yes is not true everywhere": (
        AWS + "environments:\n  production:\n    protect: «yes\n",
        "environments.production.protect",
        'YAML 1.1 makes true of the unquoted yes. Write true, or "yes" where the text is meant.',
    ),
    "a key can be a truth value": (
        AWS + "tags:\n  «on: x\n",
        "tags.on",
        'YAML 1.1 makes true of the unquoted on. Write "on".',
    ),
    **{
        f"the key {key}": (
            AWS + f"tags:\n  «{key}: x\n",
            f"tags.{key}",
            f'YAML 1.1 makes {made} of the unquoted {key}. Write "{key}".',
        )
        for key, made in {
            "true": "true",
            "no": "false",
            "null": "null",
            "1_0": "the number 10",
            "2026-01-01": "the date 2026-01-01",
            "0b11": "the number 3",
            "1e3": "the number 1000.0",
        }.items()
    },
    "a model called true": (
        AWS + "models:\n  «true: {problem: classification}\n",
        "models.true",
        'YAML 1.1 makes true of the unquoted true. Write "true".',
    ),
    **{
        f"the value {value}": (
            AWS + f"tags: {{since: «{value}}}\n",
            "tags.since",
            f'YAML 1.1 makes {made} of the unquoted {value}. Write "{value}".',
        )
        for value, made in {
            "2026-01-01": "the date 2026-01-01",
            "2026-1-2 10:00:00": "the date 2026-01-02",
            "2026-13-45": "a date that there is not",
            "0b11": "the number 3",
            "-0x1F": "the number -31",
            "0x1_F": "the number 31",
            "1_0.5": "the number 10.5",
            "0:30.5": "the number 30.5",
        }.items()
    },
    "true is not text": (
        AWS + "owner: «true\n",
        "owner",
        'must be text, and YAML makes the truth value true of the unquoted true. Write "true".',
    ),
    "underscores make a number in YAML 1.1 alone": (
        MODEL + "    training: {volume_gb: «1_000}\n",
        "models.churn.training.volume_gb",
        "YAML 1.1 makes the number 1000 of the unquoted 1_000. Write it without _.",
    ),
    "a threshold that starts a block scalar": (
        MODEL + "    gates:\n      model:\n        roc_auc: «>= 0.8\n",
        "roc_auc",
        ">= 0.8 is no value in YAML. A threshold is written {min: 0.8}.",
    ),
    "a threshold written with <": (
        MODEL + "    gates: {model: {log_loss: «<= 0.8}}\n",
        "models.churn.gates.model.log_loss",
        "'<= 0.8' is no threshold. Write {max: 0.8}.",
    ),
    "a bare number is no threshold": (
        MODEL + "    gates: {model: {roc_auc: «0.8}}\n",
        "models.churn.gates.model.roc_auc",
        "0.8 is no threshold. Write {min: 0.8}.",
    ),
    "an unquoted cron expression of stars": (
        MODEL + "    training:\n      schedule: «* * * * *\n",
        "schedule",
        'An unquoted * starts an alias in YAML. Write "* * * * *".',
    ),
    "an unquoted cron expression with a step": (
        MODEL + "    training:\n      schedule: «*/5 * * * *\n",
        "schedule",
        'An unquoted * starts an alias in YAML. Write "*/5 * * * *".',
    ),
    "an unquoted @": (AWS + "owner: «@team\n", "owner", 'No unquoted value may start with @ in YAML. Write "@team".'),
    "a key twice": (
        AWS + "owner: a\n«owner: b\n",
        "owner",
        "is given twice, first on line 5. YAML would silently keep one of the two.",
    ),
    "a model twice": (
        MODEL + "  «churn: {problem: regression}\n",
        "models.churn",
        "is given twice, first on line 6. YAML would silently keep one of the two.",
    ),
    "a tab": (
        AWS + "models:\n«\tchurn: {problem: regression}\n",
        "churn",
        "A tab indents this line. YAML indents with spaces only.",
    ),
    "a second document": (
        AWS + "«---\nversion: 1\n",
        "",
        "A second document starts here. One file describes one estate: remove the line --- or split the file.",
    ),
    "an alias without an anchor": (
        AWS + "defaults: «*base\n",
        "defaults",
        "The alias *base has no anchor: nothing above is marked &base.",
    ),
    "an alias in its own anchor": (
        AWS + "tags: &t {a: «*t}\n",
        "tags.a",
        "The alias *t stands inside its own anchor.",
    ),
    "a foreign tag": (
        AWS + "owner: «!!python/name:os.system x\n",
        "owner",
        "has the tag tag:yaml.org,2002:python/name:os.system, which means nothing here. Remove it.",
    ),
    "a merge of no mapping": (
        AWS + "tags: {<<: «x}\n",
        "tags.<<",
        "must be an alias of a mapping, or a list of such aliases.",
    ),
    "a control character": (
        AWS + "owner: a«\x07b\n",
        "",
        "holds the control character U+0007, which no YAML text may hold. Remove it.",
    ),
    "a colon in a value": (
        AWS + "owner: a«: b\n",
        "",
        "This is no YAML: mapping values are not allowed in this context. A value that holds ': ' or ' #' needs "
        "quotes.",
    ),
}


@pytest.mark.parametrize("name", TRAPS)
def test_each_trap_of_yaml_is_named_where_it_stands(name: str) -> None:
    """Not proved: that every YAML 1.1 reader falls into the trap; PyYAML 6 does."""
    marked, path, sentence = TRAPS[name]
    assert (path, sentence) in at_mark(marked), f"{name}: {said(marked.replace('«', ''))}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file is empty. The smallest estate has version, name, cloud and region."),
        ("# only a comment\n", "The file is empty. The smallest estate has version, name, cloud and region."),
        ("---\n", "The file is empty. The smallest estate has version, name, cloud and region."),
        ("- a\n", "The file must be a mapping of keys, such as `version: 1`, not a list."),
        ("estate\n", "The file must be a mapping of keys, such as `version: 1`, not a single value."),
        ("{[a]: b}\n", "A key must be plain text. A value that starts with * or { needs quotes."),
        ("a: " + "[" * 60 + "]" * 60, "is nested more than 40 levels deep."),
        ("x: " + "y" * 1_100_000, "is larger than 1024 KiB. No estate needs a file that large."),
    ],
)
def test_a_text_that_is_no_estate_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    problems = said(text)
    assert len(problems) == 1, "nothing can be said about the rest of a text that has no tree"
    assert problems[0][1] == sentence


OTHER_THAN_TEXT = {
    pattern
    for resolvers in yaml.SafeLoader.yaml_implicit_resolvers.values()
    for tag, pattern in resolvers
    if tag.rsplit(":", 1)[1] in ("bool", "int", "float", "timestamp")
}


@given(st.one_of([st.from_regex(pattern, fullmatch=True) for pattern in OTHER_THAN_TEXT]))
def test_whatever_yaml_1_1_makes_no_text_of_is_read_alike_or_refused(text: str) -> None:
    """YAML 1.1 is PyYAML's here. Not proved: the letters y and n, which PyYAML reads as text."""
    try:
        old = yaml.safe_load(f"- {text}")
    except (yaml.YAMLError, ValueError):
        return
    text = text.strip()
    if len(text) > 40 or isinstance(old[0], str):
        return
    same = resolve(text) == old[0] or old[0] != old[0]
    assert trap_of(text) is not None or same, f"{text} would be {old[0]} elsewhere"
    assert key_trap(text) is not None, f"as a key {text} would be {old[0]}"


def test_a_key_that_is_left_out_is_refused() -> None:
    sentence = "YAML makes null of a key that is left out. Write the key."
    assert ("tags.", sentence) in said(AWS + "tags:\n  ?\n  : x\n")


def test_a_name_that_cannot_be_is_not_also_told_to_be_quoted() -> None:
    text = AWS + "models:\n  1: {problem: classification}\n"
    (problem,) = said(text)
    assert problem[1].startswith("the name '1' must start with a lower-case letter"), "quotes would not help"


def test_aliases_cannot_grow_without_limit() -> None:
    """Nine anchors of nine aliases each would be 387 million values."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]\n"
    problems = said(bomb)
    assert [message for _, message in problems] == [
        "holds more than 100000 values with its aliases written out. No estate needs that many."
    ], "the count must stop before the memory does"


def test_anchors_and_merge_keys_are_fine() -> None:
    text = (
        AWS
        + "data:\n  datasets:\n    one: &lake {path: lake/one/, retention: 2y}\n"
        + "    two: {<<: *lake, path: lake/two/}\n    three: {<<: [*lake], path: lake/three/}\n"
    )
    datasets = loads(text).config.data.datasets
    assert [str(datasets[name].retention) for name in ("one", "two", "three")] == ["2y"] * 3
    assert datasets["two"].path == "lake/two/", "a key beside << wins over the merged one"


def test_scalars_are_read_by_yaml_1_2() -> None:
    text = AWS + 'tags: {a: 1e3x, b: "yes", c: 0o17a}\nmodels: {churn: {problem: classification, serving: '
    config = loads(text + "{mode: realtime, replicas: {min: 0o2, max: 0x10}}}}\n").config
    replicas = config.models["churn"].serving.replicas
    assert (replicas.min, replicas.max) == (2, 16)
    assert dict(config.tags) == {"a": "1e3x", "b": "yes", "c": "0o17a"}


UNREADABLE = {
    "missing": "There is no such file. Six lines are an estate: README.md shows them, and examples/ has files to copy.",
    "folder": "is a folder. Give the path of the estate's file in it, such as estate.yaml.",
    "latin": "is not UTF-8: the byte 0xe9 cannot stand here. Save the file as UTF-8.",
    "huge": "is larger than 1024 KiB. No estate needs a file that large.",
    "nul\0byte": "cannot be read: embedded null byte.",
    "x" * 300: "cannot be read: File name too long.",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    """Not proved: a file without the right to read it; root, who runs the tests in containers, may read any."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"version: 1\nowner: caf\xe9\n")
    (tmp_path / "huge").write_bytes(b"# " + b"x" * 1_100_000)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / name)
    (problem,) = raised.value.problems
    assert problem.message == UNREADABLE[name]
    assert problem.file == str(tmp_path / name)
    if name == "latin":
        assert (problem.line, problem.column) == (2, 11), "the place of the byte is known"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + AWS.encode())
    assert load(file).config.name == "acme"
