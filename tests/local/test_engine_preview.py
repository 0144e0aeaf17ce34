"""What a preview says, and that it does nothing."""

import pulumi
import pytest

from tests.local.toy_stack import Thing, ToyStack, steps


def linked(colour: str = "red", kind: str = "box") -> None:
    first = Thing("first", colour=colour, kind=kind)
    Thing("second", link=first.arn, colour=colour)
    pulumi.export("arn", first.arn)
    pulumi.export("colour", colour)


def test_a_preview_says_what_up_then_does_and_changes_nothing() -> None:
    toys = ToyStack()
    preview = toys.preview(linked)
    assert toys.cloud.things == {}, "a preview may not create anything"
    assert toys.resources() == {}
    assert preview.changes == toys.up(linked).changes
    before = toys.state.export(show_secrets=True)["deployment"]["resources"]
    for program in (lambda: linked("blue"), lambda: linked(kind="bag"), lambda: None):
        preview = toys.preview(program)
        assert sorted(steps(preview)) != []
        assert len(toys.cloud.things) == 2
        assert toys.state.export(show_secrets=True)["deployment"]["resources"] == before
    assert toys.preview(linked).changes == {"same": 3}


@pytest.mark.parametrize("supports_preview", [True, False])
def test_outputs_of_what_is_not_created_yet_are_unknown(supports_preview: bool) -> None:
    toys = ToyStack(options={"supports_preview": supports_preview})
    seen: list[str] = []

    def program() -> None:
        thing = Thing("first", colour="red")
        thing.arn.apply(seen.append)
        pulumi.export("arn", thing.arn)

    assert toys.preview(program).outputs == {"arn": "[unknown]"}
    assert seen == [], "code that needs the value may not run on a value that is not known"
    creates = [request for method, request in toys.cloud.requests if method == "Create"]
    assert len(creates) == supports_preview, "only a provider that can preview is asked to"
    assert all(request.preview for request in creates)
    toys.up(program)
    assert toys.preview(program).outputs == {"arn": "toy:nowhere:first-1"}, "outputs of what stays the same are known"


def test_an_unknown_input_reaches_the_provider_as_unknown() -> None:
    toys = ToyStack()
    toys.preview(linked)
    second = next(request for method, request in toys.cloud.requests if method == "Check" and request.name == "second")
    assert second.news.fields["link"].string_value == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_a_preview_of_a_replacement_makes_dependents_outputs_of_it_unknown() -> None:
    toys = ToyStack()
    toys.up(linked)
    preview = toys.preview(lambda: linked(kind="bag"))
    assert steps(preview) == [
        ("create-replacement", "first"),
        ("replace", "first"),
        ("update", "second"),
        ("delete-replaced", "first"),
    ]
    assert preview.outputs["arn"] == "[unknown]"
    assert preview.changes == {"replace": 1, "update": 1, "same": 1}, "the two halves of a replacement count once"


def test_the_program_is_told_that_it_is_a_preview() -> None:
    toys, seen = ToyStack(), []
    for run in (toys.preview, toys.up):
        run(lambda: seen.append(pulumi.runtime.is_dry_run()))
    assert seen == [True, False]
