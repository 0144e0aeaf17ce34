"""What a resource of a cloud takes and gives, read from the installed Pulumi SDK's own types.

The SDK's classes are generated from the same schema as the real provider, so they are the description there is: the
getters of `<Resource>Args` carry the names on the wire and the types, the keyword-only parameters of its constructor
say what is required, and the getters of the resource itself say what comes back. A module is imported when its first
resource is met, and a nested type is read when its first value is met.
"""

import difflib
import enum
import importlib
import re
import sys
import threading
import types
import typing
import warnings
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import pulumi
from pulumi.runtime import rpc

from mlestate.local.markers import ASSETS, OUTPUT, SECRET, SIGNATURE, UNKNOWNS
from mlestate.local.paths import PropertyPath, spelled

SDKS: Mapping[str, str] = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure-native": "pulumi_azure_native"}


class UnknownTypeError(Exception):
    """The SDK of the package has no such resource type."""


@dataclass(frozen=True)
class Failure:
    """One thing wrong with the inputs of a resource: where (a property path), and a sentence."""

    path: PropertyPath
    reason: str

    @property
    def property(self) -> str:
        return spelled(self.path)


class Shape:
    """What values a property may have. The base accepts anything: JSON documents, provider-defined blobs."""

    says = "any value"

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        """Append a failure for everything wrong in `value`; `hidden` keeps a secret out of the sentences."""

    def inspect(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        """`check`, behind the marks that may stand in a value's place: unknowns, secrets, outputs."""
        if isinstance(value, str):
            if value in UNKNOWNS:
                return
        elif isinstance(value, dict):
            signature = value.get(SIGNATURE)
            if signature == SECRET:
                self.inspect(value.get("value"), path, True, failures)
                return
            if signature == OUTPUT:
                if "value" in value:
                    self.inspect(value["value"], path, hidden or bool(value.get("secret")), failures)
                return
        elif value is None:
            return
        self.check(value, path, hidden, failures)

    def mistyped(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        failures.append(Failure(path, f"expected {self.says}, got {_described(value, hidden)}"))


class Scalar(Shape):
    def __init__(self, says: str, *types: type) -> None:
        self.says, self.types = says, types

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        # `bool` is an `int` to Python and never one to a cloud.
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            self.mistyped(value, path, hidden, failures)


class Asset(Shape):
    says = "an asset or archive"

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        if not isinstance(value, dict) or value.get(SIGNATURE) not in ASSETS:
            self.mistyped(value, path, hidden, failures)


class Choice(Shape):
    """An enumeration that the cloud does not extend."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.says = "one of " + ", ".join(repr(value) for value in values)

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        if isinstance(value, (dict, list, bool)) or value not in self.values:
            near = difflib.get_close_matches(str(value), [str(known) for known in self.values], 1)
            hint = f"; did you mean {near[0]!r}?" if near and not hidden else ""
            failures.append(Failure(path, f"expected {self.says}, got {_described(value, hidden)}{hint}"))


class ListOf(Shape):
    def __init__(self, item: Shape) -> None:
        self.item = item
        self.says = f"a list (of {item.says})"

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        if not isinstance(value, list):
            self.mistyped(value, path, hidden, failures)
            return
        for index, item in enumerate(value):
            self.item.inspect(item, (*path, index), hidden, failures)


class MapOf(Shape):
    def __init__(self, item: Shape) -> None:
        self.item = item
        self.says = f"a map (to {item.says})"

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        if not isinstance(value, dict) or SIGNATURE in value:
            self.mistyped(value, path, hidden, failures)
            return
        for key, item in value.items():
            self.item.inspect(item, (*path, key), hidden, failures)


class Union(Shape):
    """Any of several shapes; when none accepts a value, the one that finds least wrong with it speaks."""

    def __init__(self, options: tuple[Shape, ...]) -> None:
        self.options = options

    # Lazy, for a type may contain itself.
    @property
    def says(self) -> str:  # type: ignore[override]  # the base has a class attribute; mypy dislikes the property
        return " or ".join(option.says for option in self.options)

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        best: list[Failure] | None = None
        for option in self.options:
            found: list[Failure] = []
            option.check(value, path, hidden, found)
            if not found:
                return
            if len(found) == 1 and found[0].path == path:
                continue  # of another kind altogether: its complaint helps nobody
            if best is None or len(found) < len(best):
                best = found
        if best is None:
            self.mistyped(value, path, hidden, failures)
        else:
            failures.extend(best)


@dataclass(eq=False)
class Object(Shape):
    """A nested type (an `*Args` class of the SDK) or the inputs of a resource."""

    cls: type
    says: str = field(default="an object", init=False)

    @cached_property
    def fields(self) -> Mapping[str, Shape]:
        """The shapes of the properties by their names on the wire."""
        return {name: shape_of(annotation, self.cls) for name, annotation in _getters(self.cls)}

    @cached_property
    def required(self) -> tuple[str, ...]:
        init = vars(self.cls)["__init__"]
        code, defaults = init.__code__, init.__kwdefaults__ or {}
        first = code.co_argcount
        names = code.co_varnames[first : first + code.co_kwonlyargcount]
        needed = {name for name in names if name not in defaults}
        wire = {member.__name__: name for name, member in _members(self.cls)}
        return tuple(wire[name] for name in names if name in needed)

    def check(self, value: Any, path: PropertyPath, hidden: bool, failures: list[Failure]) -> None:
        if not isinstance(value, dict) or value.get(SIGNATURE) in ASSETS:
            self.mistyped(value, path, hidden, failures)
            return
        fields = self.fields
        for key, item in value.items():
            shape = fields.get(key)
            if shape is not None:
                shape.inspect(item, (*path, key), hidden, failures)
            elif not key.startswith("__"):  # Pulumi's own notes, such as `__defaults`
                near = difflib.get_close_matches(key, fields, 1, 0.6)
                hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(fields)}"
                failures.append(Failure((*path, key), f"unknown property {key!r}; {hint}"))
        for key in self.required:
            if value.get(key) is None:
                failures.append(Failure((*path, key), f"missing required property {key!r} ({fields[key].says})"))


STRING, BOOLEAN = Scalar("a string", str), Scalar("a boolean", bool)
INTEGER, NUMBER = Scalar("an integer", int), Scalar("a number", int, float)
ANYTHING, ASSET = Shape(), Asset()
_SCALARS: Mapping[Any, Shape] = {str: STRING, bool: BOOLEAN, int: INTEGER, float: NUMBER, Any: ANYTHING}

_EMPTY: Mapping[Shape, Any] = {STRING: "", BOOLEAN: False, INTEGER: 0, NUMBER: 0}


@dataclass(frozen=True, eq=False)
class ResourceType:
    """A resource type of an SDK.

    `inputs` checks what a program may write; `outputs` names what comes back; `promised` is the part of it that the SDK
    types as always present.
    """

    token: str
    cls: type
    inputs: Object

    def check(self, inputs: Mapping[str, Any]) -> list[Failure]:
        """Everything wrong with the inputs, by property path; empty when there is nothing."""
        failures: list[Failure] = []
        self.inputs.check(inputs, (), False, failures)
        return failures

    @cached_property
    def outputs(self) -> frozenset[str]:
        return frozenset(name for name, _ in _getters(self.cls))

    @cached_property
    def promised(self) -> frozenset[str]:
        return frozenset(name for name, annotation in _getters(self.cls) if "Optional[" not in str(annotation))

    @cached_property
    def placeholders(self) -> Mapping[str, Any]:
        """An empty value for every promised output that is a scalar, a list or a map."""
        values: dict[str, Any] = {}
        for name, annotation in _getters(self.cls):
            if name in self.promised:
                shape = shape_of((typing.get_args(annotation) or (Any,))[0], self.cls)
                if shape in _EMPTY:
                    values[name] = _EMPTY[shape]
                elif isinstance(shape, (ListOf, MapOf)):
                    values[name] = [] if isinstance(shape, ListOf) else {}
        return values

    @cached_property
    def api_version(self) -> str | None:
        """The ARM API version that an Azure class is made for, as its documentation says."""
        for overload in typing.get_overloads(vars(self.cls)["__init__"]):
            if found := re.search(r"Azure REST API version (\d{4}-\d\d-\d\d(?:-preview)?)", overload.__doc__ or ""):
                return found.group(1)
        return None


@cache
def version_of(package: str) -> str:
    """The version of the installed SDK of a package. Raises ImportError when it is not installed."""
    version: str = _sdk(package)._utilities.get_version()
    return version


@cache
def resource_type(token: str) -> ResourceType:
    """The type of a token such as `aws:s3/bucket:Bucket`.

    Raises UnknownTypeError for a token that the installed SDK does not have and ImportError when the SDK is missing.
    """
    package, module, _ = token.split(":", 2)
    _sdk(package)
    # What `pulumi_<cloud>/__init__.py` registers for reference resolution: the one table from token to class.
    for registered in rpc._RESOURCE_MODULES.get(f"{package}:{module}", []):
        info = registered.mod_info  # type: ignore[attr-defined]  # each SDK's own subclass carries it
        name = info["classes"].get(token)
        if name is not None:
            cls = _found(info["fqn"], name)
            return ResourceType(token, cls, Object(_args_of(cls)))
    raise UnknownTypeError(f"{token}: pulumi {package} {version_of(package)} has no such resource type")


@cache
def provider_type(package: str) -> Object:
    """The configuration of a package's provider."""
    return Object(_sdk(package).ProviderArgs)


@cache
def _sdk(package: str) -> Any:
    # Waits for another thread that is loading it: what the package registers, it registers at its very end.
    with _quiet():
        return importlib.import_module(SDKS[package])


_import_lock = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """An SDK's deprecated classes warn while it loads: of no use to who asks for another."""
    # The filters are the process's: one change at a time, or the wrong ones would be put back.
    with _import_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _found(module: str, name: str) -> Any:
    """A name of a module of an SDK."""
    loaded = sys.modules.get(module)
    # A module that is yet to be loaded lazily is of a type of its own.
    if type(loaded) is types.ModuleType and name in vars(loaded):
        return vars(loaded)[name]
    with _quiet():
        return getattr(importlib.import_module(module), name)


def _args_of(cls: type) -> type:
    """`<Resource>Args`, or `<Resource>InitArgs` where a nested type has taken the first name."""
    module = sys.modules[cls.__module__]
    args: type = getattr(module, next(name for name in module.__all__ if name.endswith("Args")))
    return args


def _members(cls: type) -> Iterator[tuple[str, Any]]:
    """The getters of a class of the SDK by their names on the wire."""
    for member in vars(cls).values():
        if isinstance(member, property) and (name := getattr(member.fget, "_pulumi_name", None)):
            yield name, member.fget


def _getters(cls: type) -> Iterator[tuple[str, Any]]:
    for name, getter in _members(cls):
        # A deprecated getter is wrapped, and its annotation stays on the inner function.
        inner = getter.__dict__.get("_pulumi_deprecated_callable", getter)
        yield name, inner.__annotations__.get("return", Any)


def shape_of(annotation: Any, owner: type) -> Shape:
    """The shape of an annotation that stands in the class `owner` of an SDK."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, (str, typing.ForwardRef)):
        return shape_of(_resolved(annotation, owner), owner)
    origin = typing.get_origin(annotation)
    if origin is typing.Union:
        return _union([option for option in typing.get_args(annotation) if not _is_eventual(option)], owner)
    if origin is not None:
        arguments = typing.get_args(annotation)
        return MapOf(shape_of(arguments[1], owner)) if len(arguments) == 2 else ListOf(shape_of(arguments[0], owner))
    if annotation in (pulumi.Asset, pulumi.Archive):
        return ASSET
    if isinstance(annotation, type):
        if issubclass(annotation, enum.Enum):
            return Choice(tuple(member.value for member in annotation))
        if not typing.is_typeddict(annotation):
            return _objects.setdefault(annotation, Object(annotation))
    return ANYTHING


_objects: dict[type, Object] = {}


def _union(options: list[Any], owner: type) -> Shape:
    shapes: list[Shape] = []
    for option in options:
        shape = shape_of(option, owner)
        if shape not in shapes:
            shapes.append(shape)
    if STRING in shapes:
        # `str | Enum` is an enumeration that the cloud extends without a new SDK.
        shapes = [shape for shape in shapes if not isinstance(shape, Choice)]
    return shapes[0] if len(shapes) == 1 else Union(tuple(shapes))


def _is_eventual(option: Any) -> bool:
    """Whether an alternative of `pulumi.Input` speaks of when, not of what; or is the dict form of another."""
    if option is type(None) or typing.get_origin(option) in (Awaitable, pulumi.Output):
        return True
    name = option.__forward_arg__ if isinstance(option, typing.ForwardRef) else ""
    return name.startswith("Output[") or name.endswith("ArgsDict")


def _resolved(reference: str | typing.ForwardRef, owner: type) -> Any:
    name = reference if isinstance(reference, str) else reference.__forward_arg__
    found: Any = sys.modules[owner.__module__]
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _described(value: Any, hidden: bool) -> str:
    kind = {str: "the string", bool: "the boolean", int: "the integer", float: "the number"}.get(type(value))
    if kind is None:
        return "a list" if isinstance(value, list) else "an object"
    if hidden:
        return f"{kind.replace('the', 'a', 1)} [secret]"
    text = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    return f"{kind} {text.lower() if isinstance(value, bool) else text}"
