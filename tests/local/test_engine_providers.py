"""Provider resources, default and explicit; lookups through them."""

from typing import Any

import pulumi
import pytest

from tests.local.toy_stack import STACK, Group, Options, Thing, ToyProviderResource, ToyStack, messages, steps


@pytest.fixture
def toys() -> ToyStack:
    return ToyStack(config={"toy:region": "here", "other:region": "elsewhere"})


def test_the_default_provider_is_a_resource_named_after_its_version(toys: ToyStack) -> None:
    toys.up(lambda: Thing("thing", Options(version="1.2.3-beta.1")))
    stored = toys.resources()["default_1_2_3_beta_1"]
    assert stored["urn"] == f"{STACK}::pulumi:providers:toy::default_1_2_3_beta_1"
    assert stored["inputs"] == {"__internal": {}, "region": "here", "version": "1.2.3-beta.1"}
    assert stored["outputs"] == {"region": "here", "version": "1.2.3-beta.1"}, "only the package's own configuration"
    assert toys.resources()["thing"]["provider"] == f"{stored['urn']}::{stored['id']}"
    assert toys.resources()["thing"]["outputs"]["arn"] == "toy:here:thing-1", "the provider was configured"


def test_another_version_of_the_sdk_moves_resources_without_touching_them(toys: ToyStack) -> None:
    toys.up(lambda: Thing("thing", Options(version="1.0.0")))
    result = toys.up(lambda: Thing("thing", Options(version="1.1.0")))
    assert steps(result) == []
    assert result.changes == {"same": 2}
    assert set(toys.resources()) == {"toys-dev", "thing", "default_1_1_0"}


def test_explicit_providers_keep_their_own_configuration(toys: ToyStack) -> None:
    def program() -> None:
        east, west = (ToyProviderResource(region, region=region) for region in ("east", "west"))
        pulumi.export("east", Thing("one", Options(provider=east)).arn)
        group = Group("group", Options(providers=[west]))
        pulumi.export("west", Thing("two", Options(parent=group)).arn)

    result = toys.up(program)
    assert result.outputs == {"east": "toy:east:one-1", "west": "toy:west:two-2"}
    assert result.changes == {"create": 6}, "explicit providers are counted"
    assert "default" not in toys.resources(), "nobody needed one"
    assert toys.up(program).changes == {"same": 6}
    assert steps(toys.preview(program)) == []


def test_a_providers_configuration_is_updated_and_used(toys: ToyStack) -> None:
    def program(region: str) -> None:
        Thing("thing", Options(provider=ToyProviderResource("mine", region=region)), colour=region)

    toys.up(lambda: program("east"))
    assert steps(toys.up(lambda: program("west"))) == [("update", "mine"), ("update", "thing")]
    assert toys.resources()["thing"]["outputs"]["arn"] == "toy:west:thing-1"


def test_a_provider_that_must_be_replaced_takes_its_resources_along(toys: ToyStack) -> None:
    def program(account: str) -> None:
        Thing("thing", Options(provider=ToyProviderResource("mine", account=account)))

    toys.up(lambda: program("1"))
    preview = steps(toys.preview(lambda: program("2")))
    result = toys.up(lambda: program("2"))
    assert ("replace", "mine") in steps(result)
    assert ("replace", "thing") in steps(result)
    assert sorted(preview) == sorted(steps(result))
    replaced = next(one for one in result.operations if one.op == "replace" and one.name == "thing")
    assert replaced.replaced_by == ("provider",)
    deleted = next(request for method, request in toys.cloud.requests if method == "Delete")
    assert deleted.id == "thing-1"
    assert set(toys.cloud.things) == {"thing-2"}
    assert toys.up(lambda: program("2")).changes == {"same": 3}


def test_a_provider_resource_is_checked(toys: ToyStack) -> None:
    def program() -> None:
        provider = ToyProviderResource("mine", bad="yes")
        Thing("thing", Options(provider=provider))

    result = toys.up(program, fails=True)
    assert messages(result) == ["pulumi:providers:toy 'mine', property 'bad': the toy cloud has no such setting"]
    assert toys.cloud.things == {}, "what needs the provider is not tried"


def test_a_provider_whose_configuration_is_not_known_yet_is_not_configured(toys: ToyStack) -> None:
    def program() -> None:
        provider = ToyProviderResource("mine", region=Thing("first").arn)
        pulumi.export("arn", Thing("second", Options(provider=provider)).arn)

    preview = toys.preview(program)
    assert preview.outputs == {"arn": "[unknown]"}
    assert [request.name for method, request in toys.cloud.requests if method == "Configure"] == ["default"]
    assert toys.up(program).outputs == {"arn": "toy:toy:here:first-1:second-2"}


def test_a_package_that_nobody_provides_is_named(toys: ToyStack) -> None:
    class Foreign(pulumi.CustomResource):
        pass

    result = toys.up(lambda: Foreign("ghost:index:Thing", "thing", {}), fails=True)
    assert messages(result) == ["there is no provider for package 'ghost' here"]


def test_a_function_is_answered_by_the_provider_even_in_a_preview(toys: ToyStack) -> None:
    def program(name: Any = "house") -> None:
        result = pulumi.runtime.invoke_output("toy:index:getThing", {"name": name})
        pulumi.export("arn", result.apply(lambda found: found["arn"]))

    for run in (toys.preview, toys.up):
        assert run(program).outputs == {"arn": "toy:here:house"}
    explicit = {"arn": "toy:moon:house"}

    def with_provider() -> None:
        options = pulumi.InvokeOutputOptions(provider=ToyProviderResource("mine", region="moon"))
        result = pulumi.runtime.invoke_output("toy:index:getThing", {"name": "house"}, options)
        pulumi.export("arn", result.apply(lambda found: found["arn"]))

    assert toys.up(with_provider).outputs == explicit


def test_a_function_that_fails_says_so_in_the_providers_words(toys: ToyStack) -> None:
    def program(token: str) -> None:
        pulumi.runtime.invoke(token, {})

    result = toys.up(lambda: program("toy:index:getThing"), fails=True)
    assert messages(result) == ["invoke of toy:index:getThing failed: is required (name)"]
    result = toys.up(lambda: program("toy:index:getGhost"), fails=True)
    assert messages(result) == ["invoke of toy:index:getGhost failed: the toy cloud has no function toy:index:getGhost"]


def existing(name: str, thing_id: str) -> Thing:
    return Thing(name, Options(id=thing_id))


def test_an_existing_object_is_looked_up_and_never_deleted(toys: ToyStack) -> None:
    toys.up(lambda: Thing("owned", Options(retain_on_delete=True), colour="red"))

    def program() -> None:
        pulumi.export("arn", existing("found", "owned-1").arn)

    assert toys.preview(program).outputs == {"arn": "toy:here:owned-1"}, "a lookup is made in a preview too"
    result = toys.up(program)
    assert ("read", "found") in steps(result)
    assert "read" not in result.changes
    stored = toys.resources()["found"]
    assert stored["external"] is True
    assert stored["id"] == "owned-1"
    assert stored["outputs"]["colour"] == "red"
    toys.cloud.things["owned-1"]["drift"] = {"colour": "blue"}
    assert toys.up(program).changes["read"] == 1, "a lookup that finds something else than the last time counts"
    assert steps(toys.up(lambda: None)) == [("discard", "found")]
    assert set(toys.cloud.things) == {"owned-1"}
    assert toys.resources().keys() == {"toys-dev"}


def test_an_object_that_does_not_exist_cannot_be_looked_up(toys: ToyStack) -> None:
    result = toys.up(lambda: existing("found", "nothing"), fails=True)
    assert messages(result) == ["resource 'nothing' of type toy:index:Thing does not exist"]


def test_taking_over_a_looked_up_object_makes_one_of_our_own(toys: ToyStack) -> None:
    toys.up(lambda: Thing("owned", Options(retain_on_delete=True)))
    toys.up(lambda: existing("found", "owned-1"))
    result = toys.up(lambda: Thing("found", colour="red"))
    assert steps(result) == [("create-replacement", "found"), ("replace", "found"), ("discard-replaced", "found")]
    assert set(toys.cloud.things) == {"owned-1", "found-2"}
    result = toys.up(lambda: existing("found", "owned-1"))
    assert steps(result) == [("read-replacement", "found"), ("replace", "found"), ("delete-replaced", "found")]
    assert set(toys.cloud.things) == {"owned-1"}
