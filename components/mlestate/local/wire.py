"""Property values on Pulumi's wire, as plain Python values.

A `google.protobuf.Struct` becomes dicts, lists, strings, booleans, numbers (whole ones as `int`) and `None`; the
special objects of Pulumi (secrets, assets, archives) stay the dicts that they are, to be sent back untouched.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value

from mlestate.local.markers import OUTPUT, SECRET, SIGNATURE, UNKNOWN, UNKNOWNS


def plain(struct: Struct) -> dict[str, Any]:
    """The properties of a message as a dict."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    return None


def struct(properties: Mapping[str, Any]) -> Struct:
    """A message from a dict. Raises TypeError on a value that Pulumi's wire does not know."""
    message = Struct()
    fill(message, properties)
    return message


def fill(message: Struct, properties: Mapping[str, Any]) -> None:
    """Put the properties of a dict into a message that may hold others already."""
    fields = message.fields
    for key, value in properties.items():
        _fill(fields[key], value)


def _fill(field: Value, value: Any) -> None:
    if isinstance(value, str):
        field.string_value = value
    elif isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, (int, float)):
        field.number_value = value
    elif isinstance(value, Mapping):
        field.struct_value.SetInParent()
        fill(field.struct_value, value)
    elif isinstance(value, (list, tuple)):
        field.list_value.SetInParent()
        values = field.list_value.values
        for item in value:
            _fill(values.add(), item)
    elif value is None:
        field.null_value = NULL_VALUE
    else:
        raise TypeError(f"{value!r} is a {type(value).__name__}; Pulumi's wire carries none")


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def revealed(value: Any) -> Any:
    """The value without its marks of secrecy, at every depth; what has none is returned as it is."""
    if isinstance(value, dict):
        signature = value.get(SIGNATURE)
        if signature == SECRET:
            return revealed(value.get("value"))
        if signature == OUTPUT:
            return revealed(value.get("value", UNKNOWN))
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revealed(item) for item in value]
    return value


def is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in UNKNOWNS


def has_unknown(value: Any) -> bool:
    """Whether anything in the value is not known before the deployment."""
    if isinstance(value, str):
        return value in UNKNOWNS
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return False
