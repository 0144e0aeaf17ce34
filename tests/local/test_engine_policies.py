"""Policy packs under the embedded engine: a pack that is not ours, as a process, asked as Pulumi's engine asks it.

That both engines say the same of our own packs is shown in tests/pulumi, where the CLI is installed.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlestate.errors import InputError
from mlestate.local.analyzers import Pack
from mlestate.local.engine import Result
from tests.local.toy_stack import STACK, Group, Options, Thing, ToyStack

PACK = Path(__file__).parent / "toy_pack"
FIRST = f"{STACK}::toy:index:Thing::first"


def toys(configuration: Path | None = None) -> ToyStack:
    return ToyStack(packs=[Pack(PACK, configuration)])


def coloured(*colours: Any) -> Callable[[], None]:
    def program() -> None:
        for name, colour in zip(("first", "second", "third"), colours, strict=False):
            Thing(name, colour=colour)

    return program


def configured(folder: Path, document: Any) -> Path:
    file = folder / "config.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def said(result: Result) -> list[tuple[str, str, str]]:
    return [(each.severity, each.urn, each.message) for each in result.diagnostics]


def test_what_keeps_the_policies_comes_up_without_a_word() -> None:
    stack = toys()
    assert stack.up(coloured("red", "blue")).diagnostics == ()
    assert len(stack.cloud.things) == 2


def test_a_preview_finds_every_violation_and_then_fails() -> None:
    result = toys().preview(coloured("black", "black"), fails=True)
    assert said(result) == [
        ("error", FIRST, "[mandatory] toys not-black: A toy is not black: a toy is black"),
        ("error", FIRST.replace("first", "second"), "[mandatory] toys not-black: A toy is not black: a toy is black"),
    ]
    assert result.changes == {"create": 3}, "a preview shows what would be done all the same"


def test_an_update_does_not_make_what_is_forbidden_nor_what_stands_on_it() -> None:
    stack = toys()

    def program() -> None:
        first = Thing("first", colour="black")
        Thing("second", colour="red", link=first.arn)
        Thing("third", colour="blue")

    result = stack.up(program, fails=True)
    assert [each for each in stack.resources() if each.startswith(("first", "second", "third"))] == ["third"]
    assert [severity for severity, _, _ in said(result)] == ["error"]
    assert stack.up(coloured("red")).changes["create"] == 1, "mended, it comes up; nothing was left half-done"


def test_a_remediation_changes_what_is_made_and_says_so() -> None:
    stack = toys()
    result = stack.up(coloured("pale"))
    assert said(result) == [("warning", FIRST, "[advisory] toys tinted: remediated")]
    assert stack.resources()["first"]["outputs"]["colour"] == "rosy"
    assert set(stack.up(coloured("pale")).changes) == {"same"}, "the state holds what was made"


def test_a_policy_over_the_stack_sees_all_of_it_with_their_providers() -> None:
    result = toys().up(coloured("red", "red", "red"))
    ((severity, urn, message),) = said(result)
    assert (severity, urn) == ("warning", FIRST.replace("first", "third"))
    assert message == "[advisory] toys few: There are few toys: 3 toys, the last is made by pulumi:providers:toy"


def test_a_preview_that_finds_violations_everywhere_still_judges_the_stack() -> None:
    def program() -> None:
        for number in range(40):
            Thing(f"toy{number}", colour="black")

    result = toys().preview(program, fails=True)
    severities = [severity for severity, _, message in said(result) if " few:" in message]
    assert severities == ["warning"], "registrations arrive on many threads, and none may take the others' failure over"
    assert len(result.diagnostics) == 41


def test_what_is_not_known_yet_is_one_advisory_line() -> None:
    def program() -> None:
        Thing("second", colour=Thing("first", colour="red").arn)

    severities = [severity for severity, _, message in said(toys().preview(program)) if "during preview" in message]
    assert severities == ["warning", "warning"], "one for each policy that asks for the colour"


def test_components_are_judged_too() -> None:
    def program() -> None:
        Thing("first", Options(parent=Group("group")), colour="black")

    ((_, urn, _),) = said(toys().preview(program, fails=True))
    assert urn == f"{STACK}::my:index:Group$toy:index:Thing::first"


def test_a_file_configures_levels_and_settings(tmp_path: Path) -> None:
    file = configured(tmp_path, {"not-black": {"enforcementLevel": "advisory", "forbidden": "red"}, "few": "disabled"})
    result = toys(file).preview(coloured("red", "black", "black"))
    assert [(severity, urn) for severity, urn, _ in said(result)] == [("warning", FIRST)]


def test_all_sets_the_level_of_every_policy(tmp_path: Path) -> None:
    file = configured(tmp_path, {"all": "disabled"})
    assert toys(file).up(coloured("black", "pale", "red")).diagnostics == ()


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("{", "is not JSON"),
        ([], "is no object"),
        ({"not-black": 3}, "a level or an object is needed"),
        ({"not-black": "strict"}, "the level is 'strict'; allowed are advisory, mandatory, disabled, remediate"),
        ({"not-white": {"forbidden": "white"}}, "no policy of toys is called so"),
    ],
)
def test_a_configuration_that_cannot_hold_is_one_sentence(tmp_path: Path, document: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        toys(configured(tmp_path, document)).engine.preview(coloured("red"))
    assert sentence in str(error.value)
    assert str(tmp_path) in str(error.value)


PROGRAMS = {
    "no pack": ({}, "is no policy pack: there is no PulumiPolicy.yaml in it"),
    "another language": ({"PulumiPolicy.yaml": "runtime: nodejs"}, "its runtime is 'nodejs'"),
    "no runtime": ({"PulumiPolicy.yaml": "description: x"}, "its runtime is None"),
    "no YAML": ({"PulumiPolicy.yaml": "{"}, "cannot be read as YAML"),
    "no environment": (
        {"PulumiPolicy.yaml": "runtime: {name: python, options: {virtualenv: venv}}"},
        "its virtualenv 'venv' holds no Python",
    ),
    "raises": (
        {"PulumiPolicy.yaml": "runtime: python", "__main__.py": "raise ValueError('oops')"},
        "does not start: ",
    ),
    "prints": ({"PulumiPolicy.yaml": "runtime: python", "__main__.py": "print('hello')"}, "does not start: hello"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_folder_that_is_no_pack_or_does_not_start_is_one_sentence(tmp_path: Path, name: str) -> None:
    files, sentence = PROGRAMS[name]
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    with pytest.raises(InputError) as error:
        ToyStack(packs=[Pack(tmp_path)]).engine.preview(coloured("red"))
    assert sentence in str(error.value)
    assert f"--policy-pack {tmp_path}" in str(error.value)


def test_a_policy_that_raises_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python")
    (tmp_path / "__main__.py").write_text(
        "from pulumi_policy import *\n"
        "def broken(args, report): raise KeyError('oops')\n"
        "PolicyPack('broken', [ResourceValidationPolicy('b', 'b', broken)])\n"
    )
    result = ToyStack(packs=[Pack(tmp_path)]).preview(coloured("red"), fails=True)
    assert any("oops" in message for _, _, message in said(result))
