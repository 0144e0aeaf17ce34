"""What a wrong file is answered with: every problem at once, each with its place, its reason and the fix."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mlestate.errors import InputError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file.

    `line` and `column` count from 1; both are None when the problem has no place in the text (a missing file).
    `message` is one or more whole sentences. `value` is what was found, `allowed` what may stand there instead, and
    `suggestion` the most likely meant spelling.
    """

    file: str
    line: int | None
    column: int | None
    path: str
    message: str
    value: str | None = None
    allowed: tuple[str, ...] = ()
    suggestion: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column or 1}"
        head = f"{place}  {self.path}" if self.path else place
        body = [f"  {line}" for line in self.message.splitlines()]
        if self.suggestion is not None:
            body.append(f"  did you mean '{self.suggestion}'?")
        return "\n".join([head, *body])


class ConfigError(InputError):
    """A file that cannot be used. `problems` holds all that is wrong, in the order of the file; it is never empty."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n".join([*map(str, self.problems), f"{count}. Nothing was changed."])

    def as_json(self) -> str:
        """The problems as a JSON object `{"problems": [...]}`, for editors and CI annotations."""
        import json  # only a command asked for JSON pays for it

        return json.dumps({"problems": [asdict(problem) for problem in self.problems]}, indent=2, ensure_ascii=False)
