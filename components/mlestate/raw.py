"""The second hatch: arguments of the user's own, laid over those that a part gives a resource."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ForwardRef, TypeVar, get_args

from mlestate.config.hatch import RawArguments
from mlestate.errors import InputError

__all__ = ["Raw"]

A = TypeVar("A")


class Raw:
    """The `raw` of one block of the file, on the cloud that is in use; what stands there for another cloud is not read.

    Blocks are merged argument by argument, lists of blocks block by block in their order, and anything else is
    replaced. The names are those of the Python SDK (`kms_key_arn`). What an argument does to the rest of the estate is
    the user's to know: names, roles and alarms still follow the file.
    """

    def __init__(self, path: str, written: RawArguments | None, cloud: str, makes: Sequence[type]) -> None:
        """``path`` is the block's (`models.churn.serving`); ``makes`` the `...Args` classes of what it can become.

        Raises:
            InputError: a resource that the block does not become, or an argument that the SDK does not have.
        """
        self._over: Mapping[str, Mapping[str, Any]] = (written or {}).get(cloud, {})
        kinds = {_kind(each): each for each in makes}
        here = f"{path}.raw.{cloud}"
        for kind, arguments in self._over.items():
            if kind not in kinds:
                raise InputError(_unknown(here, kind, "a resource that this block becomes", sorted(kinds)))
            for sentence in _faults(f"{here}.{kind}", arguments, kinds[kind]):
                raise InputError(sentence)

    def over(self, args: A) -> A:
        """The arguments of a resource (`sagemaker.EndpointArgs(...)`), with the user's own laid over them in place."""
        return _laid(args, self._over.get(_kind(type(args)), {}))


def _kind(args: type) -> str:
    return args.__name__.removesuffix("Args")


def _unknown(path: str, word: str, what: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{path}: '{word}' is not {what}.{hint} There are: {', '.join(known) or 'none'}."


def _faults(path: str, value: Any, args: type) -> Iterator[str]:
    """What the SDK's class has no place for, in a value and in the blocks within it."""
    known = sorted(_arguments(args))
    for block in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(block, Mapping):
            yield f"{path}: {block!r} must be a block of {', '.join(known)}."
            continue
        for name, inner in block.items():
            if name not in known:
                yield _unknown(path, str(name), f"an argument of {args.__name__}", known)
            elif (within := _block(args, name)) is not None:
                yield from _faults(f"{path}.{name}", inner, within)


def _block(args: type, name: str) -> type | None:
    """The class of an argument that is a block or a list of blocks; None for a plain value."""
    hints: list[Any] = [vars(args)[name].fget.__annotations__["return"]]
    while hints:
        hint = hints.pop()
        if isinstance(hint, ForwardRef) and hint.__forward_arg__.endswith("Args"):
            found = getattr(sys.modules[args.__module__], hint.__forward_arg__, None)
            if isinstance(found, type):
                return found
        hints.extend(get_args(hint))
    return None


def _arguments(args: type) -> list[str]:
    return [name for name, each in vars(args).items() if isinstance(each, property)]


def _laid(args: A, over: Mapping[str, Any]) -> A:
    for name, value in over.items():
        setattr(args, name, _merged(getattr(args, name), value))
    return args


def _merged(base: Any, over: Any) -> Any:
    if _arguments(type(base)) and isinstance(over, Mapping):
        return _laid(base, over)
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}
    if _blocks(base) and _blocks(over):
        return [_merged(*pair) for pair in zip(base, over, strict=False)] + [*base[len(over) :], *over[len(base) :]]
    return over


def _blocks(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(each, Mapping) or _arguments(type(each)) for each in value)
    )
