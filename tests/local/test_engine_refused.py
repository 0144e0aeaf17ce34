"""What the embedded engine does not do, it refuses by name, and does nothing."""

import warnings
from typing import Any

import pulumi
import pytest
from pulumi.runtime import register_resource_transform

from mlestate.local.engine import Program
from tests.local.toy_stack import Options, Thing, ToyStack, messages

SENTENCE = "the embedded engine does not support {}; run this program with Pulumi's own engine"


def thing(**options: Any) -> Program:
    return lambda: Thing("thing", Options(**options))


def transform(args: pulumi.ResourceTransformArgs) -> None:
    return None


class Remote(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("my:index:Remote", "remote", {}, None, True)


def replace_with() -> None:
    Thing("thing", Options(replace_with=[Thing("other", Options(retain_on_delete=True))]))


@pytest.mark.parametrize(
    ("program", "what"),
    [
        (thing(import_="id"), "the `import_` option"),
        (thing(replacement_trigger="x"), "the `replacement_trigger` option"),
        (replace_with, "the ReplaceWith option"),
        (thing(transforms=[transform]), "transforms"),
        (lambda: register_resource_transform(transform), "transforms"),
        (thing(hooks=pulumi.ResourceHookBinding(before_create=[lambda args: None])), "resource hooks"),
        (Remote, "remote components"),
        (lambda: pulumi.StackReference("org/project/stack"), "stack references"),
        (lambda: pulumi.require_pulumi_version(">=3.0.0"), "`require_pulumi_version`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_refused_by_name(program: Program, what: str) -> None:
    toys = ToyStack()
    result = toys.up(program, fails=True)
    assert messages(result) == [SENTENCE.format(what)]
    assert [thing for thing in toys.cloud.things if thing.startswith("thing")] == []


def test_a_refusal_leaves_no_warning_behind() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ToyStack().up(thing(import_="id"), fails=True)
    assert caught == []
