"""The layers of the file laid on one another: homes, `defaults`, a model, and what differs in one environment."""

from __future__ import annotations

from typing import Literal, TypeVar

from mlestate.config.clouds import CLOUDS
from mlestate.config.tree import Node

Source = Literal["built-in", "defaults", "model", "environment", "file"]
Part = TypeVar("Part", bound=str | int)


def without_environment(path: tuple[Part, ...]) -> tuple[Part, ...] | None:
    """The model's own path of what `models.<model>.environments.<environment>` changes; None for any other path."""
    return (*path[:2], *path[4:]) if path[:1] == ("models",) and path[2:3] == ("environments",) else None


def layered(tree: Node, cloud: str, home: str | None) -> Node:
    """The tree with `defaults` under every model and a home for every environment."""
    root = dict(tree.value) if isinstance(tree.value, dict) else {}
    resolved = Node(root, tree.line, tree.column, tree.key_line, tree.key_column)
    word = CLOUDS[cloud].home
    if home is not None and word not in root:
        root[word] = Node(home, 1, 1, 1, 1, source="built-in")
    environments = root.get("environments")
    if environments is None and word in root:
        production = Node({}, 1, 1, 1, 1, source="built-in")
        environments = root["environments"] = Node({"production": production}, 1, 1, 1, 1, source="built-in")
    if environments is not None and isinstance(environments.value, dict) and word in root:
        environments = root["environments"] = environments.copy()
        for environment in (environments.value or {}).values() if isinstance(environments.value, dict) else ():
            if isinstance(environment.value, dict) and word not in environment.value:
                environment.value[word] = root[word].copy((word,))
    models, defaults = root.get("models"), root.get("defaults")
    if models is not None and isinstance(models.value, dict):
        models = root["models"] = models.copy()
        under = defaults.copy(("defaults",)) if defaults is not None and isinstance(defaults.value, dict) else None
        if under is not None:
            _mark(under, "defaults")
        values = models.value if isinstance(models.value, dict) else {}
        for name, model in values.items():
            _mark(model, "model")
            if isinstance(model.value, dict):
                adjusted = model.value.get("environments")
                if adjusted is not None:
                    _mark(adjusted, "environment")
                if under is not None:
                    values[name] = _merged(under, model)
    return resolved


def _mark(tree: Node, source: Source) -> None:
    for _, node in tree.walk():
        node.source = source


def _merged(base: Node, over: Node) -> Node:
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    value = dict(over.value)
    for key, node in base.value.items():
        value[key] = _merged(node, value[key]) if key in value else node
    return over.with_value(value)
