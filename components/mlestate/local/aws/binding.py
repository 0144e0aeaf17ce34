"""Which member of an AWS API a property of Pulumi's SDK becomes, and what the API refuses of its value.

Names are matched without regard to case, underscores and number (`productionVariants`, `ProductionVariants`); whatever
the provider renames, flattens or keeps to itself stands in the table of `operations`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from mlestate.local import schema
from mlestate.local.aws.models import ApiShape, input_of
from mlestate.local.aws.operations import EVERYWHERE, TABLE
from mlestate.local.aws.rows import Operation
from mlestate.local.markers import OUTPUT, SECRET, SIGNATURE, UNKNOWNS
from mlestate.local.paths import PropertyPath
from mlestate.local.schema import Failure

Target = ApiShape | None


@dataclass(eq=False)
class Bound:
    """An object of the SDK and the structure of the API that it becomes; `place` is its path in the table."""

    row: Operation
    sdk: schema.Object
    api: ApiShape
    place: str
    _within: dict[str, "Bound"] = field(default_factory=dict)

    @cached_property
    def fields(self) -> Mapping[str, Target]:
        """The API's shape of each property; None for what the provider keeps, missing for what nobody accounts for."""
        found: dict[str, Target] = {}
        for name in self.sdk.fields:
            place = self.place + name
            if place in self.row.paths:
                found[name] = self._given(self.row.paths[place])
            elif not self.place and name in EVERYWHERE:
                found[name] = None
            elif member := self._members.get(alike(name)):
                found[name] = self.api.part(member)
        return found

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The properties whose members the API requires, by the SDK's names."""
        member = {name: self.row.paths.get(self.place + name, self._members.get(alike(name))) for name in self.fields}
        return tuple(
            name
            for name in member
            if member[name] in self.api.required and self.place + name not in self.row.optional.split()
        )

    @cached_property
    def _members(self) -> Mapping[str, str]:
        return {alike(name): name for name in self.api.parts} if self.api.type == "structure" else {}

    def _given(self, said: str | ApiShape | None) -> Target:
        if said is None or isinstance(said, ApiShape):
            return said
        operation, _, path = said.rpartition(":")
        shape = input_of(self.row.service, operation) if operation else self.api
        for step in path.split("."):
            while shape.type == "list":
                shape = shape.part("member")
            shape = shape.part(step)
        return shape

    def within(self, name: str, sdk: schema.Object, api: ApiShape) -> "Bound":
        key = f"{name}#{id(sdk)}"
        if key not in self._within:
            self._within[key] = Bound(self.row, sdk, api, f"{self.place}{name}.")
        return self._within[key]


@cache
def bound(token: str) -> Bound | None:
    """How a resource type is bound to its operation, or None for a type that no operation of an API makes."""
    row = TABLE.get(token)
    if row is None:
        return None
    return Bound(row, schema.resource_type(token).inputs, input_of(row.service, row.name), "")


def check(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """What the API refuses of the inputs of a resource. Unknown values are not judged; secrets stay unsaid."""
    failures: list[Failure] = []
    found = bound(token)
    if found is not None:
        _object(found, inputs, (), False, failures)
    return failures


def _object(
    binding: Bound, value: Mapping[str, Any], path: PropertyPath, hidden: bool, failures: list[Failure]
) -> None:
    for name, item in value.items():
        target = binding.fields.get(name)
        if target is not None:
            _value(binding, name, binding.sdk.fields[name], target, item, (*path, name), hidden, failures)
    for name in binding.required:
        if value.get(name) is None and not value.get("namePrefix"):
            failures.append(Failure((*path, name), f"missing required property {name!r}: the API needs it"))


def _value(
    binding: Bound, name: str, sdk: schema.Shape, api: ApiShape, value: Any, path: PropertyPath, hidden: bool,
    failures: list[Failure],
) -> None:  # fmt: skip
    if isinstance(value, dict) and SIGNATURE in value:
        signature = value[SIGNATURE]
        if signature in (SECRET, OUTPUT) and "value" in value:
            hidden = hidden or signature == SECRET or bool(value.get("secret"))
            _value(binding, name, sdk, api, value["value"], path, hidden, failures)
        return
    if value is None or (isinstance(value, str) and value in UNKNOWNS):
        return
    if isinstance(value, list):
        if api.type == "list" and (sentence := api.refusal(value)):
            failures.append(Failure(path, sentence))
        part = api.part("member") if api.type == "list" else api
        item_sdk = next((each.item for each in _options(sdk) if isinstance(each, schema.ListOf)), schema.ANYTHING)
        for index, item in enumerate(value):
            _value(binding, name, item_sdk, part, item, (*path, index), hidden, failures)
    elif isinstance(value, dict):
        part = api.part("member") if api.type == "list" else api
        nested = next((each for each in _options(sdk) if isinstance(each, schema.Object)), None)
        if nested is not None and part.type == "structure":
            _object(binding.within(name, nested, part), value, path, hidden, failures)
        elif nested is None and (pair := pair_of(part)):
            for key, item in value.items():
                _value(binding, name, schema.ANYTHING, pair[0], key, (*path, key), False, failures)
                _value(binding, name, schema.ANYTHING, pair[1], item, (*path, key), hidden, failures)
    elif sentence := api.refusal(_written(value, api), hidden):
        failures.append(Failure(path, sentence))


def pair_of(api: ApiShape) -> tuple[ApiShape, ApiShape] | None:
    """The shapes of keys and values where a map of the SDK becomes a map or a list of pairs (tags)."""
    if api.type == "map":
        return api.part("key"), api.part("value")
    if api.type == "structure":
        names = {name.lower().removeprefix("tag"): name for name in api.parts}
        for key in ("key", "name"):  # the dimensions of a metric are of a name and a value
            if names.keys() == {key, "value"}:
                return api.part(names[key]), api.part(names["value"])
    return None


def _options(sdk: schema.Shape) -> tuple[schema.Shape, ...]:
    return sdk.options if isinstance(sdk, schema.Union) else (sdk,)


def _written(value: Any, api: ApiShape) -> Any:
    """The value as the provider writes it: the SDK has some numbers as texts and some texts as numbers."""
    if api.type == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if api.type in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


def alike(name: str) -> str:
    """A name without case, underscores and number: Pulumi says `captureOptions`, `thumbprintLists`, `policies`."""
    plain = name.replace("_", "").replace("-", "").lower()
    for ending, instead in (("lists", ""), ("list", ""), ("ies", "y"), ("s", "")):
        if plain.endswith(ending) and len(plain) > len(ending) + 1:
            return plain[: -len(ending)] + instead
    return plain


def unaccounted(token: str) -> Iterator[str]:
    """The paths of a type's properties that neither match a member of the API nor stand in the table."""
    found = bound(token)
    if found is not None:
        yield from _unaccounted(found, found.sdk, frozenset())


def _unaccounted(binding: Bound, sdk: schema.Object, above: frozenset[schema.Object]) -> Iterator[str]:
    for name, shape in sdk.fields.items():
        if name not in binding.fields:
            yield binding.place + name
            continue
        part = binding.fields[name]
        if part is None:
            continue
        while part.type == "list":
            part = part.part("member")
        inner = innermost(shape)
        if schema.STRING in inner and part.type == "string":
            continue  # a document, as text or as an object
        if found := next((each for each in inner if isinstance(each, schema.Object)), None):
            if part.type != "structure":
                yield f"{binding.place}{name}, an object where the API has a {part.type}"
            elif found not in above:
                yield from _unaccounted(binding.within(name, found, part), found, above | {found})
        elif any(isinstance(each, schema.MapOf) for each in inner):
            if not pair_of(part):
                yield f"{binding.place}{name}, a map where the API has a {part.type}"
        elif part.type in ("structure", "map"):
            yield f"{binding.place}{name}, {inner[0].says} where the API has a {part.type}"


def innermost(shape: schema.Shape) -> tuple[schema.Shape, ...]:
    """What lists of lists hold in the end."""
    options = _options(shape)
    nested = next((each for each in options if isinstance(each, schema.ListOf)), None)
    return innermost(nested.item) if nested else options
