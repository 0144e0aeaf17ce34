"""The second hatch: arguments of the user's own, laid over those that a part gives a resource."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ForwardRef, TypeVar, get_args

from mlestate.config.hatch import RawArguments
from mlestate.config.problems import closest
from mlestate.errors import InputError

__all__ = ["Fault", "Raw", "faults"]

A = TypeVar("A")


Path = tuple[str | int, ...]
Fault = tuple[Path, str, tuple[str, ...], str | None]
"""Where, from `raw` on; a sentence; what may stand there; which of these was probably meant."""


class Raw:
    """The `raw` of one block of the file, on the cloud that is in use; what stands there for another cloud is not read.

    Blocks are merged argument by argument, lists of blocks block by block in their order, and anything else is
    replaced. The names are those of the Python SDK (`kms_key_arn`). What an argument does to the rest of the estate is
    the user's to know: names, roles and alarms still follow the file.
    """

    def __init__(self, path: str, written: RawArguments | None, cloud: str, makes: Sequence[type]) -> None:
        """``path`` is the block's (`models.churn.serving`); ``makes`` the `...Args` classes of what it can become.

        Raises:
            InputError: the first of its `faults`.
        """
        for place, sentence, _, meant in faults(written, cloud, makes):
            hint = f" Did you mean {meant}?" if meant else ""
            raise InputError(f"{path}.raw.{'.'.join(map(str, place))}: {sentence}{hint}")
        self._over: Mapping[str, Mapping[str, Any]] = (written or {}).get(cloud, {})

    def over(self, args: A) -> A:
        """The arguments of a resource (`sagemaker.EndpointArgs(...)`), with the user's own laid over them in place."""
        return _laid(args, self._over.get(_kind(type(args)), {}))


def faults(written: RawArguments | None, cloud: str, makes: Sequence[type]) -> Iterator[Fault]:
    """The resources that a block does not become and the arguments that the SDK does not have."""
    kinds = {_kind(each): each for each in makes}
    for kind, arguments in (written or {}).get(cloud, {}).items():
        if kind in kinds:
            yield from _within((cloud, kind), arguments, kinds[kind])
        else:
            yield _unknown((cloud, kind), "resource that this block becomes", tuple(sorted(kinds)))


def _kind(args: type) -> str:
    return args.__name__.removesuffix("Args")


def _unknown(path: Path, what: str, known: tuple[str, ...]) -> Fault:
    word = str(path[-1])
    # The names of classes are closer than the words of a file, in which upper case says nothing.
    meant = closest(word, known) or next(iter(get_close_matches(word, known, n=1)), None)
    return path, f"'{word}' is no {what}. There are: {', '.join(known) or 'none'}.", known, meant


def _within(path: Path, value: Any, args: type) -> Iterator[Fault]:
    """What the SDK's class has no place for, in a value and in the blocks within it."""
    known = tuple(sorted(_arguments(args)))
    if isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _within((*path, index), each, args)
    elif not isinstance(value, Mapping):
        yield path, f"'{value}' must be a block of {', '.join(known)}.", known, None
    else:
        for name, inner in value.items():
            if name not in known:
                yield _unknown((*path, str(name)), f"argument of {args.__name__}", known)
            elif (block := _block(args, name)) is not None:
                yield from _within((*path, name), inner, block)


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
