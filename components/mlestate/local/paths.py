"""Property paths: `properties.traffic`, `tags["a.b"]`, `list[*].y`, `rules[0]`."""

import re
from typing import TypeAlias

PropertyPath: TypeAlias = tuple[str | int, ...]

_PATH_STEP = re.compile(r"""\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)|(\.)""")


def parse_path(text: str) -> PropertyPath:
    """The steps of a property path; `*` stays the step `*`.

    Raises ValueError with a sentence when the text is none.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PATH_STEP.match(text, position)
        if match is None:
            raise ValueError(f'property path {text!r} is not understood at {text[position:]!r}; write a.b[0]["c"][*]')
        quoted, index, name, _dot = match.groups()
        if quoted is not None:
            steps.append(re.sub(r"\\(.)", r"\1", quoted))
        elif index is not None:
            steps.append("*" if index == "*" else int(index))
        elif name is not None:
            steps.append(name)
        position = match.end()
    return tuple(steps)


def covers(path: PropertyPath, other: PropertyPath) -> bool:
    """Whether `other` is at or below `path`; `*` stands for any one step."""
    return len(other) >= len(path) and all(
        mine == "*" or mine == theirs for mine, theirs in zip(path, other, strict=False)
    )


def spelled(path: PropertyPath) -> str:
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
