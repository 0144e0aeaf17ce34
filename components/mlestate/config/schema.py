"""The JSON schema of the file, for editors: completion, descriptions and the same words as the loader."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from mlestate.config.base import Duration, Schedule
from mlestate.config.union import EstateConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schema(GenerateJsonSchema):
    """Pydantic's schema without what an editor would only show as noise."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        # A key without a value is a slip in a file that people write; the loader alone takes it, as left out.
        return self.generate_inner(schema["schema"])

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, Duration | Schedule) else super().encode_default(dft)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        inner = super().dict_schema(schema)
        if "patternProperties" in inner:
            inner["additionalProperties"] = False
        return inner

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = super().default_schema(schema)
        if inner.get("default", ...) is None:
            del inner["default"]
        return inner


def json_schema() -> dict[str, Any]:
    """The schema of estate.yaml for all three clouds, the same text every time."""
    schema = TypeAdapter[Any](EstateConfig).json_schema(schema_generator=_Schema)
    definitions = schema.pop("$defs")
    for definition in definitions.values():
        definition.pop("title", None)
    return {
        "$schema": DIALECT,
        "title": "estate.yaml",
        "description": "The estate that mlestate builds. Which fields there are depends on cloud.",
        **{key: value for key, value in schema.items() if key != "discriminator"},
        "$defs": dict(sorted(definitions.items())),
    }
