"""Property values as they travel between the SDK, the engine and a provider: protobuf Structs with Pulumi's markers.

A secret, a resource reference or an asset is an object with a signature key; an unknown is one of seven fixed strings
(markers.py). Structs are shared between states and never changed
in place: a function here that changes one answers a copy.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from mlestate.local.markers import FLOAT, RESOURCE, SECRET, SIGNATURE, UNKNOWNS
from mlestate.local.paths import PropertyPath, parse_path

_SIGNATURE_BYTES: Final = SIGNATURE.encode()
UNKNOWN_BYTES: Final = tuple(unknown.encode() for unknown in UNKNOWNS)


def has_markers(properties: Struct) -> bool:
    """Whether a secret, reference or asset may be inside: a search of the wire bytes, far cheaper than a walk."""
    return _SIGNATURE_BYTES in properties.SerializeToString()


def has_unknowns(properties: Struct) -> bool:
    """Whether any value inside is not known yet."""
    wire = properties.SerializeToString()
    return any(unknown in wire for unknown in UNKNOWN_BYTES)


def signature(value: Value) -> str:
    """The kind of marked object that a value is, "" for a plain one."""
    if value.WhichOneof("kind") != "struct_value":
        return ""
    fields = value.struct_value.fields
    return fields[SIGNATURE].string_value if SIGNATURE in fields else ""


def is_secret(value: Value) -> bool:
    return signature(value) == SECRET


def secret(value: Value) -> Value:
    """The same value, marked as a secret."""
    if is_secret(value):
        return value
    marked = Value()
    marked.struct_value.fields[SIGNATURE].string_value = SECRET
    marked.struct_value.fields["value"].CopyFrom(value)
    return marked


def unwrap(value: Value) -> Value:
    """What a secret holds; any other value as it is."""
    while is_secret(value):
        value = value.struct_value.fields["value"]
    return value


def unmarked(properties: Struct, *, secrets: bool = True, references: bool = True) -> Struct:
    """The properties with secrets opened and resource references replaced by the id (a component's by the URN)."""
    if not (secrets or references) or not has_markers(properties):
        return properties
    plain = Struct()
    for key, value in properties.fields.items():
        _unmark(value, plain.fields[key], secrets, references)
    return plain


def _unmark(value: Value, target: Value, secrets: bool, references: bool) -> None:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        marker = signature(value)
        fields = value.struct_value.fields
        if secrets and marker == SECRET:
            _unmark(fields["value"], target, secrets, references)
            return
        if references and marker == RESOURCE:
            target.CopyFrom(fields["id"] if "id" in fields else fields["urn"])
            return
        target.struct_value.SetInParent()
        for key, item in fields.items():
            _unmark(item, target.struct_value.fields[key], secrets, references)
    elif kind == "list_value":
        target.list_value.SetInParent()
        for item in value.list_value.values:
            _unmark(item, target.list_value.values.add(), secrets, references)
    else:
        target.CopyFrom(value)


def marked_like(outputs: Struct, inputs: Struct) -> Struct:
    """Outputs with a secret mark wherever the input of the same name has one (for a provider that was sent none)."""
    if not has_markers(inputs):
        return outputs
    marked = copy(outputs)
    _mark_like(marked, inputs)
    return marked


def _mark_like(outputs: Struct, inputs: Struct) -> None:
    for key, given in inputs.fields.items():
        if key not in outputs.fields:
            continue
        value = outputs.fields[key]
        both_objects = all(item.WhichOneof("kind") == "struct_value" and not signature(item) for item in (value, given))
        if both_objects:
            _mark_like(value.struct_value, given.struct_value)
        elif not is_secret(value) and _holds_secret(given):
            value.CopyFrom(secret(value))


def _holds_secret(value: Value) -> bool:
    return SECRET.encode() in value.SerializeToString()


def with_secrets(outputs: Struct, inputs: Struct, additional: Sequence[str]) -> Struct:
    """Outputs with `additional` names marked, and every output whose input of the same name is a secret."""
    names = [name for name in additional if name in outputs.fields and not is_secret(outputs.fields[name])]
    if has_markers(inputs):
        names += [
            name
            for name, value in inputs.fields.items()
            if is_secret(value) and name in outputs.fields and not is_secret(outputs.fields[name])
        ]
    if not names:
        return outputs
    marked = copy(outputs)
    for name in names:
        marked.fields[name].CopyFrom(secret(marked.fields[name]))
    return marked


def copy(properties: Struct) -> Struct:
    duplicate = Struct()
    duplicate.CopyFrom(properties)
    return duplicate


def without(properties: Struct, key: str) -> Struct:
    if key not in properties.fields:
        return properties
    rest = copy(properties)
    del rest.fields[key]
    return rest


def changed_keys(old: Struct, new: Struct) -> tuple[str, ...]:
    """Top-level names whose values differ, secrets compared by what they hold."""
    old, new = unmarked(old), unmarked(new)
    if old == new:
        return ()
    names = {*old.fields, *new.fields}
    return tuple(
        sorted(
            name
            for name in names
            if name not in old.fields or name not in new.fields or old.fields[name] != new.fields[name]
        )
    )


def put_back(inputs: Struct, old_inputs: Struct, paths: Sequence[str]) -> tuple[Struct, tuple[str, ...]]:
    """Inputs with the old value put back at each path, and the paths at which that was impossible."""
    if not paths:
        return inputs, ()
    new, old = Value(struct_value=inputs), Value(struct_value=old_inputs)
    failed = tuple(path for path in paths if not _reset(parse_path(path), old, new, hidden=False))
    return new.struct_value, failed


def _reset(path: PropertyPath, old: Value, new: Value, *, hidden: bool) -> bool:
    """Change `new` at `path` to what `old` has there; False when the two have different shapes on the way.

    `hidden` says that the old value lies inside a secret and the new one does not.
    """
    hidden = (hidden or is_secret(old)) and not is_secret(new)
    old, new = unwrap(old), unwrap(new)
    step, rest = path[0], path[1:]
    if step == "*":
        return _reset_all(rest, old, new, hidden)
    if isinstance(step, int):
        return _reset_item(step, rest, old, new, hidden)
    before, after = _fields(old), _fields(new)
    if not rest:
        if before is not None and step in before:
            if after is None:
                return False
            after[step].CopyFrom(secret(before[step]) if hidden else before[step])
        elif after is not None and step in after:
            del after[step]
        return True
    if before is None or after is None:
        return before is None and after is None
    if step not in before:
        return step not in after or _reset(rest, Value(), after[step], hidden=hidden)
    return step in after and _reset(rest, before[step], after[step], hidden=hidden)


def _reset_item(index: int, rest: PropertyPath, old: Value, new: Value, hidden: bool) -> bool:
    before, after = _items(old), _items(new)
    if before is None or after is None:
        return before is None and after is None
    if index >= len(before) and index >= len(after):
        return not rest
    if index >= len(before) or index >= len(after):
        return False
    if rest:
        return _reset(rest, before[index], after[index], hidden=hidden)
    after[index].CopyFrom(secret(before[index]) if hidden else before[index])
    return True


def _reset_all(rest: PropertyPath, old: Value, new: Value, hidden: bool) -> bool:
    before, after = _fields(old), _fields(new)
    if before is not None and after is not None:
        if rest:
            return all(key in after and _reset(rest, before[key], after[key], hidden=hidden) for key in before)
        for key in [key for key in after if key not in before]:
            del after[key]
        for key in before:
            after[key].CopyFrom(secret(before[key]) if hidden else before[key])
        return True
    old_items, new_items = _items(old), _items(new)
    if old_items is not None and new_items is not None:
        fits = True
        for before_item, after_item in zip(old_items, new_items, strict=False):
            if rest:
                fits = _reset(rest, before_item, after_item, hidden=hidden) and fits
            else:
                after_item.CopyFrom(secret(before_item) if hidden else before_item)
        return fits and len(old_items) == len(new_items)
    return not rest and (after is not None or new_items is not None)


def _fields(value: Value) -> Any:
    return value.struct_value.fields if value.WhichOneof("kind") == "struct_value" else None


def _items(value: Value) -> Any:
    return value.list_value.values if value.WhichOneof("kind") == "list_value" else None


Seal: TypeAlias = Callable[[str], dict[str, str]]


def to_json(properties: Struct, seal: Seal) -> dict[str, Any]:
    """Properties as a checkpoint writes them; `seal` turns a secret's JSON text into its stored form."""
    return {key: _value_to_json(value, seal) for key, value in properties.fields.items()}


def _value_to_json(value: Value, seal: Seal) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return _number_to_json(value.number_value)
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_value_to_json(item, seal) for item in value.list_value.values]
        case "struct_value" if is_secret(value):
            inner = _value_to_json(unwrap(value), _open_seal)
            return {SIGNATURE: SECRET, **seal(json.dumps(inner, separators=(",", ":"), ensure_ascii=False))}
        case "struct_value":
            return to_json(value.struct_value, seal)
        case _:
            return None


def _open_seal(text: str) -> dict[str, str]:
    """A secret inside a secret is encrypted with the outer one."""
    return {"plaintext": text}


def _number_to_json(number: float) -> Any:
    if not math.isfinite(number):
        return {SIGNATURE: FLOAT, "value": struct.pack(">d", number).hex()}
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def from_json(stored: Mapping[str, Any], unseal: Callable[[Mapping[str, Any]], Any]) -> Struct:
    """Properties out of a checkpoint; `unseal` turns a stored secret into the JSON value that it holds."""
    properties = Struct()
    for key, item in stored.items():
        _value_from_json(item, properties.fields[key], unseal)
    return properties


def _value_from_json(item: Any, target: Value, unseal: Callable[[Mapping[str, Any]], Any]) -> None:
    if item is None:
        target.null_value = 0  # type: ignore[assignment]  # the stub wants the enum, protobuf takes its number
    elif isinstance(item, bool):
        target.bool_value = item
    elif isinstance(item, int | float):
        target.number_value = item
    elif isinstance(item, str):
        target.string_value = item
    elif isinstance(item, Mapping):
        _mapping_from_json(item, target, unseal)
    else:
        target.list_value.CopyFrom(ListValue())
        for element in item:
            _value_from_json(element, target.list_value.values.add(), unseal)


def _mapping_from_json(item: Mapping[str, Any], target: Value, unseal: Callable[[Mapping[str, Any]], Any]) -> None:
    marker = item.get(SIGNATURE)
    if marker == FLOAT:
        target.number_value = struct.unpack(">d", bytes.fromhex(item["value"]))[0]
        return
    target.struct_value.SetInParent()
    if marker == SECRET:
        target.struct_value.fields[SIGNATURE].string_value = SECRET
        _value_from_json(unseal(item), target.struct_value.fields["value"], unseal)
        return
    for key, element in item.items():
        _value_from_json(element, target.struct_value.fields[key], unseal)


def shown(properties: Struct) -> dict[str, Any]:
    """Plain Python values for people: a secret is "[secret]", a value not known yet "[unknown]"."""
    return {key: _shown(value) for key, value in properties.fields.items()}


def _shown(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return "[unknown]" if value.string_value in UNKNOWNS else value.string_value
        case "list_value":
            return [_shown(item) for item in value.list_value.values]
        case "struct_value":
            return "[secret]" if is_secret(value) else shown(value.struct_value)
        case _:
            return _value_to_json(value, _open_seal)
