"""`mlestate validate` cold against `python -c "import pydantic"`: at most 4 times the time.

Run: .venv/bin/python benchmarks/validate.py
"""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

BOUND = 4.0
ROUNDS = 15
MLESTATE = str(Path(sys.executable).with_name("mlestate"))
EXAMPLE = str(Path(__file__).parents[1] / "examples" / "aws-regulated.yaml")


def fastest(command: list[str]) -> float:
    """Seconds of the quickest of several cold starts: the least disturbed one."""
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(perf_counter() - began)
    return min(times)


def main() -> int:
    """Print both times and their ratio."""
    base = fastest([sys.executable, "-c", "import pydantic; pydantic.BaseModel"])
    bare = fastest([sys.executable, "-c", "import pydantic"])
    ours = fastest([MLESTATE, "validate", EXAMPLE])
    print(f"import pydantic            {bare * 1000:7.0f} ms")
    print(f"import pydantic.BaseModel  {base * 1000:7.0f} ms")
    print(f"mlestate validate          {ours * 1000:7.0f} ms   {ours / bare:.1f}x   (bound {BOUND}x)")
    return 0 if ours / bare <= BOUND else 1


if __name__ == "__main__":
    raise SystemExit(main())
