"""What pydantic found, said as a person would: the value, what is wrong, what is allowed, what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from mlestate.config.base import Settings, Threshold
from mlestate.config.clouds import CLOUDS
from mlestate.config.model import METRICS, ModelGates
from mlestate.config.tree import Node, Path, dotted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WORDS_OF = {its.home: cloud for cloud, its in CLOUDS.items()} | {"deploy_role": "aws"}
"""The words of one cloud only; on another they are answered with that cloud's own word."""

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list, such as [a, b]",
    "model_type": "a block of keys",
    "mapping_type": "a block of keys",
    "dict_type": "a block of keys",
}
_BOUNDS = {
    "greater_than": ("gt", "must be above {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be below {}"),
    "less_than_equal": ("le", "must be at most {}"),
}


class Said:
    """One of pydantic's findings, located in the tree and put into words."""

    __slots__ = ("allowed", "at_key", "message", "missing", "path", "suggestion", "value")

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        self.message = message
        self.value: str | None = None
        self.allowed: tuple[str, ...] = ()
        self.suggestion: str | None = None
        self.at_key = False
        self.missing = False


def say(error: ErrorDetails, tree: Node, estate: type[Settings], cloud: str) -> Said:
    """Puts one of pydantic's findings about `tree`, validated as `estate`, into words."""
    path, at_key = _located(error["loc"], tree)
    node = tree.at(path)
    kind, context = error["type"], error.get("ctx") or {}
    said = Said(path, "")
    said.at_key = at_key
    if kind == "missing":
        said.missing = True
        said.message = f"is required and not there. {_description(estate, path)}"
        return said
    if kind == "extra_forbidden":
        return _unchecked(unknown(path, tree, estate, cloud), node)
    if kind == "secret_reference":
        # What stands here instead is likely the secret itself, and problems end in the logs of the CI.
        said.message = f"what stands here {error['msg']}."
        return said
    shown = said.value = str(path[-1]) if at_key else _shown(node)
    if node is not None and node.value is None and not at_key:
        said.message = "has no value. Give it one, or remove the line."
    elif kind == "literal_error":
        said.allowed = _literals(str(context["expected"]))
        said.message = (
            f"{shown} is not allowed here; it must be {said.allowed[0]}."
            if len(said.allowed) == 1
            else f"{shown} is not one of: {', '.join(said.allowed)}."
        )
        if shown.strip("'") not in said.allowed:  # as text, where a number is wanted, it is
            said.suggestion = closest(shown.strip("'"), said.allowed)
        said.message += _INSTEAD.get((str(path[-1]), shown.strip("'")), "")
    elif kind in _KINDS:
        said.message = _mistyped(kind, shown, node, estate, path)
    elif kind in _BOUNDS:
        name, sentence = _BOUNDS[kind]
        said.message = f"{shown} {sentence.format(format(context[name], 'g'))}."
    elif kind == "finite_number":
        said.message = f"{shown} must be a number that is neither infinite nor nan."
    elif kind == "too_short":
        said.message = "names none. Name at least one"
        said.message += ", or remove the block for one called production." if path == ("environments",) else "."
    elif at_key:
        said.message = f"the name '{shown}' {error['msg']}."
    else:
        said.message = f"{shown} {error['msg']}."
    return said


_ALSO_CALLED: Mapping[str, str] = {
    "acc": "accuracy",
    "auroc": "roc_auc",
    "f1score": "f1",
    "ap": "average_precision",
    "auprc": "average_precision",
    "prauc": "average_precision",
    "sensitivity": "recall",
    "meanabsoluteerror": "mae",
    "meanabsolutepercentageerror": "mape",
    "meansquarederror": "mse",
    "rootmeansquarederror": "rmse",
    "rsquared": "r2",
    "online": "realtime",
    "offline": "batch",
    "asynchronous": "async",
    "bluegreen": "all-at-once",
    "amazon": "aws",
    "sagemaker": "aws",
    "google": "gcp",
    "vertex": "gcp",
    "microsoft": "azure",
    "envs": "environments",
    "stages": "environments",
}
"""What else people and other tools call a word of the file (scikit-learn's function names, the clouds' products)."""

_INSTEAD: Mapping[tuple[str, str], str] = {
    ("strategy", "rolling"): " A rolling release replaces machines batch by batch, so it can neither compare two "
    "versions nor go back to a previous one that is still whole. Use canary, which moves traffic in steps.",
}
"""By field and word: why a word that other tools have is none here, and which one does its work."""


_TELLING = 3
"""The fewest letters that say something when one word is found in another."""


def _bare(word: str) -> str:
    return re.sub(r"[-_ /]", "", word).lower()


def closest(word: str, words: tuple[str, ...]) -> str | None:
    """The one of `words` that was probably meant, or None.

    In this order: the same letters, another name for it, nearly the same spelling, the only one that holds it or that
    it holds.
    """
    plain = {_bare(candidate): candidate for candidate in reversed(words)}
    bare = _bare(word[:80])
    exact = plain.get(bare) or plain.get(_bare(_ALSO_CALLED.get(bare, "")))
    if exact is not None:
        return exact
    from difflib import get_close_matches  # only a file with a problem pays for it

    near = get_close_matches(word[:80].lower(), words, n=1, cutoff=0.7)
    if near:
        return near[0]
    holding = [
        candidate
        for each, candidate in plain.items()
        if min(len(each), len(bare)) >= _TELLING and (bare in each or each in bare)
    ]
    return holding[0] if len(holding) == 1 else None


def _located(location: tuple[int | str, ...], tree: Node) -> tuple[Path, bool]:
    """The place in the tree that pydantic means: its names of union arms and of keys left out."""
    path: Path = ()
    node: Node | None = tree
    for part in location:
        if part == "[key]":
            return path, True
        if isinstance(part, str) and part.startswith("<") and part.endswith(">"):
            continue
        path = (*path, part)
        node = node.child(part) if node is not None else None
    return path, False


def _shown(node: Node | None) -> str:
    if node is None:
        return "the value"
    if isinstance(node.value, dict):
        return "a block of keys"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        return f"'{node.value if len(node.value) <= 60 else node.value[:57] + '...'}'"
    return (node.plain or str(node.value))[:60]


def _literals(expected: str) -> tuple[str, ...]:
    return tuple(re.findall(r"'([^']*)'", expected)) or tuple(re.split(r", | or ", expected))


def _mistyped(kind: str, shown: str, node: Node | None, estate: type[Settings], path: Path) -> str:
    wanted = _KINDS[kind]
    value = None if node is None else node.value
    if kind == "string_type" and node is not None and node.plain is not None and not isinstance(value, dict | list):
        made = {bool: "the truth value", int: "the number", float: "the number"}[type(value)]
        read = f"YAML makes {made} {str(value).lower()} of the unquoted {node.plain}"
        return f'must be text, and {read}. Write "{node.plain}".'
    if kind == "model_type" and not isinstance(value, dict | list) and settings_at(estate, path) is Threshold:
        number = re.search(r"-?[0-9]+(?:\.[0-9]+)?", shown)
        bound = "max" if "<" in shown else "min"
        example = number.group() if number else "0.8"
        return f"{shown} is no threshold. Write {{{bound}: {example}}}."
    if kind in ("float_type", "int_type") and isinstance(value, str) and node is not None and node.plain is None:
        return f"{shown} is text because of its quotes, and must be {wanted}. Remove the quotes."
    return f"{shown} must be {wanted}."


def unknown(path: Path, tree: Node, estate: type[Settings], cloud: str) -> Said:
    """What is said of a key that its block does not know."""
    said = Said(path, "")
    said.at_key = True
    word = str(path[-1])
    settings = settings_at(estate, said.path[:-1])
    said.value = word
    said.allowed = tuple(settings.model_fields) if settings is not None else ()
    other, title, own = _WORDS_OF.get(word, cloud), CLOUDS[cloud].title, CLOUDS[cloud].home
    if other != cloud and own in said.allowed:
        said.message = f"'{word}' is a word of {CLOUDS[other].title}, and this estate is on {title}."
        if word == CLOUDS[other].home:
            said.message += f" What {title} has is '{own}'."
        said.allowed = (own,)
        return said
    said.suggestion = closest(word, said.allowed)
    if settings is ModelGates:
        problem = tree.at((*said.path[:2], "problem"))
        kind = problem.value if problem is not None else None
        known = next((metrics for name, metrics in METRICS.items() if name == kind), None)
        if known is not None:
            said.message = (
                f"'{word}' is no metric for {kind}. Known: {', '.join(known)}; a metric that the model's "
                "repository computes itself goes under custom."
            )  # fmt: skip
            said.allowed = tuple(known)
            said.suggestion = closest(word, said.allowed) or closest(word, tuple(_OTHER_GATES))
            return said
    said.message = f"'{word}' means nothing here. Allowed: {', '.join(said.allowed)}."
    if said.suggestion is None and settings is not None:
        for name in settings.model_fields:
            below = settings_at(settings, (name,))
            if below is not None and word in below.model_fields:
                said.suggestion = f"{name}.{word}"
                break
    return said


_OTHER_GATES = [name for name in ModelGates.model_fields if all(name not in metrics for metrics in METRICS.values())]


def _unchecked(said: Said, node: Node | None) -> Said:
    if node is not None and isinstance(node.value, dict | list) and node.value:
        said.message += " What stands under it was not checked."
    return said


def _description(estate: type[Settings], path: Path) -> str:
    settings = settings_at(estate, path[:-1])
    if settings is None or path[-1] not in settings.model_fields:
        return ""
    field = settings.model_fields[str(path[-1])]
    text = (field.description or "").removesuffix(" Required.")
    return f"{text} Example: {dotted((str(path[-1]),))}: {field.examples[0]}." if field.examples else text


def settings_at(root: type[Settings], path: Path) -> type[Settings] | None:
    """The settings class that describes the block at a path of the file, or None where there is none."""
    current: Any = root
    for part in path:
        settings = _settings(current)
        if settings is not None:
            if part not in settings.model_fields:
                return None
            current = settings.model_fields[str(part)].annotation
        else:
            current = _inner(current)
            if current is None:
                return None
    return _settings(current)


def _settings(annotation: Any) -> type[Settings] | None:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated):
        for argument in get_args(annotation):
            found = _settings(argument)
            if found is not None:
                return found
    return None


def _inner(annotation: Any) -> Any:
    """What the values of a mapping or the items of a list are."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType, Annotated):
        return next((inner for argument in get_args(annotation) if (inner := _inner(argument)) is not None), None)
    if origin is tuple:
        return get_args(annotation)[0]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return get_args(annotation)[1]
    return None
