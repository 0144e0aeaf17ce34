"""The file, read: every layer merged, every value's origin kept, every problem found at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from mlestate.config import rules, support
from mlestate.config import tree as yaml_tree
from mlestate.config.clouds import CLOUDS, settings_of
from mlestate.config.errors import ConfigError, Problem
from mlestate.config.estate import Estate
from mlestate.config.facts import Facts
from mlestate.config.layers import Source, layered, without_environment
from mlestate.config.problems import closest, say, unknown
from mlestate.config.tree import Node, dotted


@dataclass(frozen=True)
class Origin:
    """Where a value comes from. `built-in` values stand in no file: `file`, `line` and `column` are None."""

    file: str | None
    line: int | None
    column: int | None
    source: Source


BUILT_IN = Origin(None, None, None, "built-in")


class Origins(Mapping[str, Origin]):
    """The origin of every value that was written, by its resolved path (`models.churn.serving.mode`)."""

    def __init__(self, tree: Node, file: str) -> None:
        self._tree = tree
        self._file = file
        self._nodes: dict[str, Node] | None = None

    def _all(self) -> dict[str, Node]:
        if self._nodes is None:
            self._nodes = {dotted(path): node for path, node in self._tree.walk() if path}
        return self._nodes

    def __getitem__(self, path: str) -> Origin:
        node = self._all()[path]
        if node.source == "built-in":
            return BUILT_IN
        return Origin(self._file, node.line, node.column, node.source)  # type: ignore[arg-type]  # set by `layered` alone

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@dataclass(frozen=True)
class Loaded:
    """A file that can be used: the settings with every layer merged, and where each value comes from."""

    config: Estate
    path: Path
    origins: Origins

    def origin(self, path: str) -> Origin:
        """Where the value at a path comes from.

        `models.<model>.environments.<environment>.<rest>` asks for the value as it is in that environment. Raises
        KeyError when the estate has nothing at that path.
        """
        found = self.origins.get(path)
        if found is not None:
            return found
        parts = tuple(path.split("."))
        own = without_environment(parts)
        if own is not None and len(parts) > 4:
            if parts[1] not in self.config.models or parts[3] not in self.config.environments:
                raise KeyError(path)
            return self.origin(".".join(own))
        value: object = self.config
        for part in parts:
            if isinstance(value, Mapping) and part in value:
                value = value[part]
            elif part in getattr(type(value), "model_fields", {}):
                value = getattr(value, part)
            else:
                raise KeyError(path)
        return BUILT_IN


NO_HOMES: Mapping[str, str | None] = MappingProxyType({})


def load(path: Path, *, homes: Mapping[str, str | None] = NO_HOMES) -> Loaded:
    """Reads a file. `homes` has, by cloud, the account, project or subscription for whatever names none.

    Raises ConfigError with every problem when the file cannot be used.
    """
    return loads(_text(path), file=str(path), homes=homes)


def loads(text: str, *, file: str = "estate.yaml", homes: Mapping[str, str | None] = NO_HOMES) -> Loaded:
    """As `load`, of a text; `file` is the name that its problems carry."""
    tree, problems = yaml_tree.parse(text, file)
    cloud, found = _cloud(tree, file)
    problems += found
    settings = settings_of(cloud)
    estate: type[Estate] = getattr(settings, CLOUDS[cloud].estate)
    tree, found = _respelled(tree, file, estate, cloud)
    problems += found
    resolved = layered(tree, cloud, homes.get(cloud))
    validation = _Validation(resolved, file, cloud, estate)
    facts = validation.run(problems)
    known = {problem.path for problem in problems}
    refused = list(support.check(tree, cloud)) if "cloud" not in known else []
    for path, message in refused:
        node = tree.at(path)
        if node is not None and not any(dotted(path[:length]) in known for length in range(1, len(path) + 1)):
            problems.append(Problem(file, node.line, node.column, dotted(path), message))
    if facts is not None and refused:
        facts = validation.run(problems, without={path for path, _ in refused})
    if facts is not None:
        for finding in rules.check(facts, settings):
            facts.report(problems, *finding)
    if problems or facts is None:
        raise ConfigError(_ordered(problems))
    return Loaded(facts.config, Path(file), Origins(resolved, file))


def _text(path: Path) -> str:
    def refuse(message: str) -> ConfigError:
        return ConfigError((Problem(str(path), None, None, "", message),))

    try:
        if path.is_dir():
            raise refuse("is a folder. Give the path of the estate's file in it, such as estate.yaml.")
        if path.exists() and not path.is_file():
            raise refuse("is no regular file.")
        with path.open("rb") as stream:
            content = stream.read(yaml_tree.MAX_BYTES + 1)
    except FileNotFoundError:
        raise refuse(
            "There is no such file. Six lines are an estate: README.md shows them, and examples/ has files to copy."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refuse(f"cannot be read: {reason}.") from None
    if len(content) > yaml_tree.MAX_BYTES:
        raise refuse(f"is larger than {yaml_tree.MAX_BYTES // 1024} KiB. No estate needs a file that large.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        message = f"is not UTF-8: the byte 0x{content[error.start]:02x} cannot stand here. Save the file as UTF-8."
        raise ConfigError((Problem(str(path), line, column, "", message),)) from None


def _cloud(tree: Node, file: str) -> tuple[str, list[Problem]]:
    """The cloud to check the file for: the written one, or the likeliest along with a problem."""
    node = tree.child("cloud") or _misspelt("cloud", tree)
    if node is not None and isinstance(node.value, str) and node.value in CLOUDS:
        return node.value, []
    known = tuple(CLOUDS)
    by_home = next((cloud for cloud, its in CLOUDS.items() if tree.child(its.home) is not None), "aws")
    if node is None:
        message = f"is required and not there. The cloud: one of {', '.join(known)}."
        return by_home, [Problem(file, 1, 1, "cloud", message, None, known)]
    written = node.plain or str(node.value) if not isinstance(node.value, dict | list) else "a block"
    suggestion = closest(written, known)
    message = f"'{written}' is not one of: {', '.join(known)}."
    problem = Problem(file, node.line, node.column, "cloud", message, written, known, suggestion)
    return suggestion or by_home, [problem]


def _misspelt(meant: str, tree: Node) -> Node | None:
    """What stands at the top under a word that is none and that was probably meant to be `meant`."""
    words, top = tuple(Estate.model_fields), tree.value if isinstance(tree.value, dict) else {}
    return next((node for word, node in top.items() if word not in words and closest(word, words) == meant), None)


def _respelled(tree: Node, file: str, estate: type[Estate], cloud: str) -> tuple[Node, list[Problem]]:
    """The tree with each misspelt word of the top level spelt as it was meant, so that all under it is judged too."""
    top, problems = dict(tree.value) if isinstance(tree.value, dict) else {}, []
    for word in [word for word in top if word not in estate.model_fields]:
        said = unknown((word,), tree, estate, cloud)
        if said.suggestion in estate.model_fields and said.suggestion not in top:
            node = top.pop(word)
            top[said.suggestion] = node.copy((word,))
            problems.append(
                Problem(file, node.key_line, node.key_column, word, said.message, word, said.allowed, said.suggestion)
            )
    return (tree.with_value(top), problems) if problems else (tree, problems)


ROUNDS = 8
"""A block that lacks a required word once a wrong one is out goes in the next round, a level above; so there are as
many rounds as levels down to the deepest block, models.*.environments.*.serving.rollout.rollback_on.error_rate."""


class _Validation:
    """The tree made into settings. What is wrong is reported and set aside, so that the rules can judge the rest."""

    def __init__(self, tree: Node, file: str, cloud: str, estate: type[Estate]) -> None:
        self.tree = tree
        self.file = file
        self.cloud = cloud
        self.estate = estate
        self.aside: set[yaml_tree.Path] = set()

    def run(self, problems: list[Problem], without: Collection[yaml_tree.Path] = ()) -> Facts | None:
        """The settings, with everything wrong set aside, and what was written at the paths `without` too.

        None when nothing that could be judged is left.
        """
        facts = Facts(self.tree, self.file, self.cloud, self.aside)
        values = self.tree.plain_value()
        assert isinstance(values, dict)  # noqa: S101  # the parser returns nothing else
        for path in tuple(self.aside):
            self._set_aside(values, path)
        for path, node in self.tree.walk():
            if node.refused or path in without or node.written_at in without:
                self._set_aside(values, path)
        if any(problem.path == "cloud" for problem in problems):
            values["cloud"] = self.cloud
            self.aside.add(("cloud",))
        for _ in range(ROUNDS):
            try:
                facts.config = self.estate.model_validate(values)
            except ValidationError as error:
                found = error.errors(include_url=False, include_input=False)
            else:
                return facts
            for detail in found:
                said = say(detail, self.tree, self.estate, self.cloud)
                if not facts.is_aside(said.path):
                    facts.say(problems, said)
            for detail in found:
                said = say(detail, self.tree, self.estate, self.cloud)
                if said.missing and len(said.path) == 1:
                    values[str(said.path[0])] = _PLACEHOLDERS[str(said.path[0])](self.cloud)
                    self.aside.add(said.path)
                else:
                    self._set_aside(values, said.path[:-1] if said.missing else said.path)
        return None

    def _set_aside(self, values: object, path: yaml_tree.Path) -> None:
        """Takes the value at `path` out of `values`; of a list the whole list, so that no index moves."""
        while path and isinstance(path[-1], int):
            path = path[:-1]
        self.aside.add(path)
        for part in path[:-1]:
            if isinstance(values, dict):
                values = values.get(part)
            elif isinstance(values, tuple) and isinstance(part, int):
                values = values[part] if part < len(values) else None
        if isinstance(values, dict) and path:
            values.pop(path[-1], None)


_PLACEHOLDERS: Mapping[str, Callable[[str], object]] = {
    "version": lambda _cloud: 1,
    "name": lambda _cloud: "estate",
    "cloud": lambda cloud: cloud,
    "region": lambda cloud: settings_of(cloud).REGIONS["canada"][0],
}
"""What stands in for a missing required word while the rest of the file is judged."""


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    unique = {(problem.line, problem.column, problem.path, problem.message): problem for problem in problems}
    return tuple(sorted(unique.values(), key=lambda problem: (problem.line or 0, problem.column or 0, problem.path)))
