"""Secrets on their way through the engine: what a provider sees, what a program sees, what is kept."""

from typing import Any

import pulumi
import pytest

from tests.local.toy_stack import Options, Thing, ToyProviderResource, ToyStack, steps

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270"}


def hidden(text: str) -> dict[str, str]:
    return {**SECRET, "plaintext": f'"{text}"'}


def sent(toys: ToyStack, method: str) -> Any:
    return next(request for called, request in toys.cloud.requests if called == method)


@pytest.mark.parametrize("accepts", [True, False])
def test_a_secret_input_is_opened_only_for_a_provider_that_cannot_take_it_closed(accepts: bool) -> None:
    toys = ToyStack(options={"accept_secrets": accepts})

    def program() -> None:
        Thing("thing", secret=pulumi.Output.secret("hush"), deep={"a": [pulumi.Output.secret("hush")]})

    toys.up(program)
    value = sent(toys, "Create").properties.fields["secret"]
    if accepts:
        assert value.struct_value.fields["value"].string_value == "hush"
    else:
        assert value.string_value == "hush"
    stored = toys.resources()["thing"]
    assert stored["inputs"]["secret"] == stored["outputs"]["secret"] == hidden("hush"), "marked again on the way back"
    assert "hush" not in str(dict(toys.state.export().items()))
    deep = stored["outputs"]["deep"]
    assert deep == ({"a": [hidden("hush")]} if accepts else {"a": {**SECRET, "plaintext": '["hush"]'}})
    assert toys.up(program).changes == {"same": 2}, "a secret that is the same is no change"


def test_an_output_can_be_made_secret_by_its_name() -> None:
    toys = ToyStack()

    def program() -> None:
        thing = Thing("thing", Options(additional_secret_outputs=["token"]))
        pulumi.export("token", thing.token)
        pulumi.export("arn", thing.arn)

    result = toys.up(program)
    assert result.outputs == {"token": "[secret]", "arn": "toy:nowhere:thing-1"}
    assert toys.resources()["thing"]["outputs"]["token"] == hidden("token of thing-1")
    assert toys.resources()["toys-dev"]["outputs"]["token"] == hidden("token of thing-1")
    toys.refresh()
    assert toys.resources()["thing"]["outputs"]["token"] == hidden("token of thing-1"), "a refresh keeps the mark"


def test_asking_for_a_secret_output_later_marks_what_is_in_the_state() -> None:
    toys = ToyStack()
    toys.up(lambda: Thing("thing"))
    assert steps(toys.up(lambda: Thing("thing", Options(additional_secret_outputs=["token"])))) == []
    assert toys.resources()["thing"]["outputs"]["token"] == hidden("token of thing-1")


def test_a_secret_that_changes_is_an_update() -> None:
    toys = ToyStack()
    toys.up(lambda: Thing("thing", secret=pulumi.Output.secret("one")))
    result = toys.up(lambda: Thing("thing", secret=pulumi.Output.secret("two")))
    assert steps(result) == [("update", "thing")]


def test_an_ignored_secret_stays_secret() -> None:
    toys = ToyStack()
    toys.up(lambda: Thing("thing", secret=pulumi.Output.secret("one")))
    options = Options(ignore_changes=["secret"])
    assert steps(toys.up(lambda: Thing("thing", options, secret="two"))) == []
    assert toys.resources()["thing"]["inputs"]["secret"] == hidden("one")


def test_secret_configuration_is_secret_in_the_program_and_in_the_default_provider() -> None:
    toys = ToyStack(config={"toy:region": "hidden-place", "toys:pin": "1234"}, secret_config=("toy:region", "toys:pin"))

    def program() -> None:
        pulumi.export("pin", pulumi.Config().require_secret("pin"))
        Thing("thing")

    assert toys.up(program).outputs == {"pin": "[secret]"}
    assert toys.resources()["default"]["inputs"]["region"] == hidden("hidden-place")
    assert toys.resources()["toys-dev"]["outputs"]["pin"] == hidden("1234")
    assert toys.resources()["thing"]["outputs"]["arn"] == "toy:hidden-place:thing-1", "the provider can read it"


def test_the_old_form_of_a_providers_configuration_is_plain_text() -> None:
    toys = ToyStack()
    toys.up(lambda: ToyProviderResource("mine", region=pulumi.Output.secret("east"), sizes=[1, 2]))
    variables = dict(sent(toys, "Configure").variables)
    assert variables == {"toy:config:region": "east", "toy:config:sizes": "[1,2]"}


def test_a_reference_to_a_resource_reaches_the_provider_as_its_id() -> None:
    toys = ToyStack()

    def program() -> None:
        first = Thing("first")
        Thing("second", friend=first)

    toys.up(program)
    second = next(request for method, request in toys.cloud.requests if method == "Create" and request.name == "second")
    assert second.properties.fields["friend"].string_value == "first-1"
    assert toys.up(program).changes == {"same": 3}


def test_no_diagnostic_shows_a_secret() -> None:
    toys = ToyStack()

    def program() -> None:
        Thing("thing", colour="invisible", secret=pulumi.Output.secret("hush"))

    result = toys.up(program, fails=True)
    assert "hush" not in str(result.diagnostics) + str(toys.events)
