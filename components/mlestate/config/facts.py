"""What a rule may know: the settings, what was written, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlestate.config.errors import Problem
from mlestate.config.estate import Estate
from mlestate.config.layers import without_environment
from mlestate.config.tree import Node, Path, dotted

if TYPE_CHECKING:
    from mlestate.config.model import Model
    from mlestate.config.problems import Said


class Facts:
    """The settings and the tree that they come from. Values set aside as wrong are known, and not judged again."""

    config: Estate

    def __init__(self, tree: Node, file: str, cloud: str, aside: set[Path]) -> None:
        self.tree = tree
        self.file = file
        self.cloud = cloud
        self.aside = aside
        self._models: list[tuple[Path, Model]] | None = None

    def models(self) -> list[tuple[Path, Model]]:
        """Every model, and again as it is in each environment that changes it, with the path of each."""
        if self._models is None:
            self._models = []
            for name, model in self.config.models.items():
                self._models.append((("models", name), model))
                for environment in model.environments:
                    path = ("models", name, "environments", environment)
                    mirrors = getattr(self.config.environments.get(environment), "mirrors", None)
                    self._models.append((path, model.in_environment(environment, mirrors)))
        return self._models

    def written(self, path: Path) -> Node | None:
        """The value as written for `path`, in whichever layer it stands; None where the built-in value holds."""
        node, own = self.tree.at(path), without_environment(path)
        if node is None and own is not None:
            node = self.tree.at(own)
        return node if node is not None and node.source != "built-in" else None

    def source(self, path: Path) -> str:
        """The layer of the value at `path`."""
        node = self.written(path)
        return "built-in" if node is None else node.source

    def names(self, path: Path) -> tuple[str, ...]:
        """The keys that are written in the block at `path`, wrong ones included."""
        node = self.tree.at(path)
        return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()

    def is_aside(self, path: Path) -> bool:
        """Whether the value at `path`, or a block around it, has been reported as wrong already."""
        if any(path[:length] in self.aside for length in range(1, len(path) + 1)):
            return True
        own = without_environment(path)
        return own is not None and self.is_aside(own)

    def report(
        self,
        problems: list[Problem],
        path: Path,
        message: str,
        allowed: tuple[str, ...] = (),
        suggestion: str | None = None,
        confidential: bool = False,
    ) -> None:
        """Adds a problem with the value at `path`, where it is written; a confidential value is not repeated."""
        if self.is_aside(path):
            return
        shown, line, column, node = self._place(path)
        hidden = confidential or node is None or isinstance(node.value, dict | list | None)
        value = None if hidden or node is None else str(node.value)
        problems.append(Problem(self.file, line, column, dotted(shown), message, value, allowed, suggestion))

    def say(self, problems: list[Problem], said: Said) -> None:
        """Adds what pydantic found."""
        shown, line, column, node = self._place(said.path)
        if said.at_key and node is not None:
            line, column = node.key_line, node.key_column
            # A key that may not stand here at all is not also to be quoted.
            problems[:] = [each for each in problems if (each.line, each.column) != (line, column)]
        problems.append(
            Problem(self.file, line, column, dotted(shown), said.message, said.value, said.allowed, said.suggestion)
        )

    def _place(self, path: Path) -> tuple[Path, int, int, Node | None]:
        """The path as it is written, and its line and column; those of the nearest block where nothing is written."""
        node, own = self.tree.at(path), without_environment(path)
        if node is not None:
            return node.written_at or path, node.line, node.column, node
        if own is not None:
            return self._place(own)
        for length in range(len(path) - 1, -1, -1):
            around = self.tree.at(path[:length])
            if around is not None:
                written_at = around.written_at
                shown = path if written_at is None else (*written_at, *path[length:])
                return shown, around.line, around.column, None
        return path, 1, 1, None
