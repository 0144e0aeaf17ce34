"""Property values on Pulumi's wire, as plain Python values.

A `google.protobuf.Struct` becomes dicts, lists, strings, booleans, numbers (whole ones as `int`) and `None`; the
special objects of Pulumi (secrets, assets, archives) stay the dicts that they are, to be sent back untouched.
The markers are those of `sdk/go/common/resource/properties.go` and `plugin/rpc.go` in pulumi/pulumi.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the public marker of a secret, not one
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSETS = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)

Path = tuple[str | int, ...]


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


def spelled(path: Path) -> str:
    """A property path as Pulumi writes it: `rules[0].tags["a.b"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").isalnum():
            text += f".{step}" if text else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def parsed(text: str) -> Path:
    """The steps of a property path that Pulumi wrote; `*` stays the step `*`.

    Raises ValueError on a bracket or a quotation mark that is never closed.
    """
    return tuple(_steps(text))


def _steps(text: str) -> Iterator[str | int]:
    position, size = 0, len(text)
    while position < size:
        if text[position] == ".":
            position += 1
        elif text.startswith('["', position):
            position += 2
            key = ""
            while text[position : position + 1] != '"':
                if position >= size:
                    raise ValueError(f"property path {text!r}: a quotation mark is not closed")
                position += text[position] == "\\"
                key += text[position : position + 1]
                position += 1
            position += 2
            yield key
        elif text[position] == "[":
            end = text.find("]", position)
            if end < 0:
                raise ValueError(f"property path {text!r}: a bracket is not closed")
            index = text[position + 1 : end]
            yield int(index) if index.isdigit() else index
            position = end + 1
        else:
            end = min((found for mark in ".[" if (found := text.find(mark, position)) >= 0), default=size)
            yield text[position:end]
            position = end


def covers(pattern: Path, path: Path) -> bool:
    """Whether a path is the pattern or lies beneath it; `*` stands for any one step."""
    return len(pattern) <= len(path) and all(wanted in ("*", step) for wanted, step in zip(pattern, path, strict=False))
