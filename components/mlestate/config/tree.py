"""The text of the file as a tree whose every value knows where it stands.

PyYAML's event parser is used because it comes with
Pulumi and reads twenty times faster than a round-trip parser, which matters from a hundred models on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from mlestate.config.errors import ConfigError, Problem
from mlestate.config.scalars import Scalar, key_trap, resolve, trap_of

Path = tuple[str | int, ...]

MAX_BYTES = 1_048_576
MAX_DEPTH = 40
MAX_VALUES = 100_000

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:map": dict,
    "tag:yaml.org,2002:seq": list,
}


@dataclass(slots=True)
class Node:
    """A value and its place: `line` and `column` where it is written, `key_line` and `key_column` of its key, from 1.

    `plain` is the text of an unquoted scalar, `source` the layer that it comes from once layers are merged, and
    `refused` says that a problem with it has been reported already. `written_at` is the path at which the value is
    written where that is another than its own: an anchor's for an alias, the layer's for what a layer gives.
    """

    value: dict[str, Node] | list[Node] | Scalar
    line: int
    column: int
    key_line: int
    key_column: int
    plain: str | None = None
    source: str = "file"
    refused: bool = False
    written_at: Path | None = None

    def child(self, part: str | int) -> Node | None:
        """The value under a key or at an index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def at(self, path: Path) -> Node | None:
        """The value at a path, or None."""
        node: Node | None = self
        for part in path:
            if node is None:
                return None
            node = node.child(part)
        return node

    def plain_value(self) -> object:
        """The value alone, with tuples for lists: what the settings are made from."""
        if isinstance(self.value, dict):
            return {key: node.plain_value() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return tuple(node.plain_value() for node in self.value)
        return self.value

    def copy(self, written_at: Path | None = None) -> Node:
        """The same value for another path; `written_at` is its path here, when it is to be remembered."""
        value, at = self.value, self.written_at or written_at
        if isinstance(value, dict):
            value = {key: node.copy(None if at is None else (*at, key)) for key, node in value.items()}
        elif isinstance(value, list):
            value = [node.copy(None if at is None else (*at, index)) for index, node in enumerate(value)]
        copy = self.with_value(value)
        copy.written_at = at
        return copy

    def with_value(self, value: dict[str, Node] | list[Node] | Scalar) -> Node:
        """Another value at the same place."""
        return Node(
            value,
            self.line,
            self.column,
            self.key_line,
            self.key_column,
            self.plain,
            self.source,
            self.refused,
            self.written_at,
        )

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Every value below and this one, with its path, parents first."""
        yield path, self
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield from node.walk((*path, key))
        elif isinstance(self.value, list):
            for index, node in enumerate(self.value):
                yield from node.walk((*path, index))


def dotted(path: Path) -> str:
    """`("models", "churn", "steps", 1)` as `models.churn.steps[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def parse(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The tree of `text` and the problems that did not keep it from being read.

    Raises ConfigError when there is no tree: the text is no YAML, is empty, is no mapping, holds several documents or
    passes a limit (1 MiB, 40 levels, 100,000 values with aliases written out).
    """
    if len(text) > MAX_BYTES:
        raise _fatal(file, None, None, f"is larger than {MAX_BYTES // 1024} KiB. No estate needs a file that large.")
    strange = _FORBIDDEN.search(text)
    if strange is not None:
        before = text[: strange.start()]
        raise _fatal(
            file,
            before.count("\n") + 1,
            strange.start() - (before.rfind("\n") + 1) + 1,
            f"holds the control character U+{ord(strange.group()):04X}, which no YAML text may hold. Remove it.",
        )
    try:
        return _Composer(text, file).document()
    except yaml.YAMLError as error:
        raise _syntax(error, text, file) from None


def _fatal(file: str, line: int | None, column: int | None, message: str, path: str = "") -> ConfigError:
    return ConfigError((Problem(file, line, column, path, message),))


class _Composer:
    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.anchors: dict[str, tuple[Path, Node] | None] = {}
        self.problems: list[Problem] = []
        self.values = 0

    def document(self) -> tuple[Node, list[Problem]]:
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _fatal(self.file, 1, 1, "The file is empty. The smallest estate has version, name, cloud and region.")
        root = self.node(next(self.events), (), 1, 1)
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _fatal(
                self.file,
                _place(event)[0],
                1,
                "A second document starts here. One file describes one estate: remove the line --- or split the file.",
            )
        if root.value is None:
            raise _fatal(self.file, 1, 1, "The file is empty. The smallest estate has version, name, cloud and region.")
        if not isinstance(root.value, dict):
            raise _fatal(
                self.file, root.line, root.column, "The file must be a mapping of keys, such as `version: 1`, not a "
                f"{'list' if isinstance(root.value, list) else 'single value'}."
            )  # fmt: skip
        return root, self.problems

    def problem(self, line: int, column: int, path: Path, message: str, value: str | None = None) -> None:
        self.problems.append(Problem(self.file, line, column, dotted(path), message, value))

    def node(self, event: yaml.Event, path: Path, key_line: int, key_column: int) -> Node:
        line, column = _place(event)
        self.count(line, column, path)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor or "", path, line, column, key_line, key_column)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)  # noqa: S101  # what else starts a value
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, path, line, column, key_line, key_column)
        else:
            self.tag(event.tag, path, line, column)
            if len(path) >= MAX_DEPTH:
                raise _fatal(
                    self.file, line, column, f"is nested more than {MAX_DEPTH} levels deep.", dotted(path[:4]) + "..."
                )
            node = Node(None, key_line, key_column, key_line, key_column)
            if isinstance(event, yaml.MappingStartEvent):
                node.value = self.mapping(path)
            else:
                node.value = self.sequence(path)
        if event.anchor:
            self.anchors[event.anchor] = (path, node)
        return node

    def count(self, line: int, column: int, path: Path, values: int = 1) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise _fatal(
                self.file,
                line,
                column,
                f"holds more than {MAX_VALUES} values with its aliases written out. No estate needs that many.",
                dotted(path),
            )

    def alias(self, anchor: str, path: Path, line: int, column: int, key_line: int, key_column: int) -> Node:
        anchored = self.anchors.get(anchor)
        if anchored is None:
            if anchor in self.anchors:
                message = f"The alias *{anchor} stands inside its own anchor."
            else:
                message = f"The alias *{anchor} has no anchor: nothing above is marked &{anchor}."
            raise _fatal(self.file, line, column, message, dotted(path))
        written_at, node = anchored
        self.count(line, column, path, sum(1 for _ in node.walk()))
        copy = node.copy(written_at)
        copy.key_line, copy.key_column = key_line, key_column
        return copy

    def sequence(self, path: Path) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, (*path, len(items)), *_place(event)))
        return items

    def mapping(self, path: Path) -> dict[str, Node]:
        values: dict[str, Node] = {}
        inherited: list[Node] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line, column = _place(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _fatal(
                    self.file, line, column, "A key must be plain text. A value that starts with * or { needs quotes.",
                    dotted(path),
                )  # fmt: skip
            self.count(line, column, path)
            key = event.value
            unquoted = event.style in (None, "") and event.tag is None
            trap = key_trap(key) if unquoted else None
            if trap is not None:
                self.problem(line, column, (*path, key), trap, key)
            node = self.node(next(self.events), (*path, key), line, column)
            if unquoted and key == "<<":
                self.inherit(node, path, inherited)
            elif key in values:
                self.problem(
                    line,
                    column,
                    (*path, key),
                    f"is given twice, first on line {values[key].key_line}. YAML would silently keep one of the two.",
                )
            else:
                values[key] = node
        for parent in inherited:
            if isinstance(parent.value, dict):
                for key, node in parent.value.items():
                    values.setdefault(key, node)
        return values

    def inherit(self, node: Node, path: Path, inherited: list[Node]) -> None:
        parents = node.value if isinstance(node.value, list) else [node]
        for parent in parents:
            if isinstance(parent.value, dict):
                inherited.append(parent)
            else:
                self.problem(
                    node.line, node.column, (*path, "<<"), "must be an alias of a mapping, or a list of such aliases."
                )

    def tag(self, tag: str | None, path: Path, line: int, column: int) -> type | None:
        if tag is None or tag == "!":
            return None
        kind = _TAGS.get(tag)
        if kind is None:
            self.problem(line, column, path, f"has the tag {tag}, which means nothing here. Remove it.")
        return kind

    def scalar(
        self, event: yaml.ScalarEvent, path: Path, line: int, column: int, key_line: int, key_column: int
    ) -> Node:
        kind = self.tag(event.tag, path, line, column)
        text = event.value
        if (event.style in (None, "") and event.tag is None) or (kind is not None and kind is not str):
            trap = trap_of(text) if kind is None else None
            node = Node(text, line, column, key_line, key_column, text)
            if trap is not None:
                self.problem(line, column, path, trap, text)
                node.refused = True
            else:
                node.value = resolve(text)
            return node
        return Node(text, line, column, key_line, key_column)


def _place(event: yaml.Event) -> tuple[int, int]:
    """Where an event starts: line and column, from 1."""
    mark = event.start_mark
    assert mark is not None  # noqa: S101  # the parser marks every event
    return mark.line + 1, mark.column + 1


_MISREAD: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^ *\t"), "A tab indents this line. YAML indents with spaces only."),
    (
        re.compile(r"(?P<text>(?P<sign>[<>])=?\s*(?P<number>-?[0-9.]+))"),
        "{text} is no value in YAML. A threshold is written {{{bound}: {number}}}.",
    ),
    (
        re.compile(r":\s+(?P<text>\*(?:/[0-9]+)?(?:\s+[0-9*/,-]+)*)"),
        'An unquoted * starts an alias in YAML. Write "{text}".',
    ),
    (
        re.compile(r"(?::\s+|-\s+|^)(?P<text>[@`%][^\s#]*)"),
        'No unquoted value may start with {text[0]} in YAML. Write "{text}".',
    ),
)


def _syntax(error: yaml.YAMLError, text: str, file: str) -> ConfigError:
    """A sentence for text that is no YAML. One problem only: nothing after it can be read."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _fatal(file, None, None, f"The file is no YAML: {error}.")
    mark = error.problem_mark
    lines = text.splitlines()
    for number in (mark.line, mark.line - 1):
        line = lines[number] if 0 <= number < len(lines) else ""
        for pattern, sentence in _MISREAD:
            match = pattern.search(line)
            if match is not None:
                words = {name: value.strip() for name, value in match.groupdict().items()}
                words["bound"] = "min" if words.get("sign") == ">" else "max"
                key = re.match(r"\s*([A-Za-z_][\w-]*):", line)
                return _fatal(
                    file,
                    number + 1,
                    match.start("text") + 1 if words.get("text") else 1,
                    sentence.format(**words),
                    key.group(1) if key else "",
                )
    problem = ": ".join(str(part) for part in (error.context, error.problem) if part)
    hint = " A value that holds ': ' or ' #' needs quotes." if "mapping values" in problem else ""
    return _fatal(file, mark.line + 1, mark.column + 1, f"This is no YAML: {problem}.{hint}")
