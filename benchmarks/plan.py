"""`plan` against a flat program that registers the same resources under the SDK's mock monitor, in time and memory.

Bounds: 1.3 times both; and linear: the time a resource takes at 300 models at most 1.3 times that at 10. Each figure is
the quickest of three processes, from start to end. Run: .venv/bin/python benchmarks/plan.py
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from estates import estate

BOUND = 1.3
SIZES = (10, 100, 300)
ROUNDS = 3
MLESTATE = Path(sys.executable).with_name("mlestate")


def flat(file: Path) -> None:
    """The same resources by the same SDK's classes, without parts, engine and provider: the SDK's own mock monitor."""
    import pulumi
    from pulumi.runtime import mocks

    from mlestate.local.schema import resource_type

    class Echo(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, object]]:
            return f"{args.name}-id", args.inputs

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, object], list[tuple[str, str]] | None]:
            raise AssertionError(args.token)

    mocks.set_mocks(Echo(), preview=False)
    rows = [
        row for row in json.loads(file.read_text())["deployment"]["resources"] if row["type"] != "pulumi:pulumi:Stack"
    ]
    made: dict[str, pulumi.Resource] = {}

    def after(resources: list[Any], value: object) -> object:
        """The value, known once the resources are: the wiring that the same program has, whoever wrote it."""
        return pulumi.Output.all(*(each.id for each in resources)).apply(lambda _: value) if resources else value

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK gives it no type
    def program() -> None:
        for row in rows:
            name = row["urn"].split("::")[-1]
            options = pulumi.ResourceOptions(parent=made.get(row.get("parent")))
            if not row.get("custom"):
                made[row["urn"]] = pulumi.ComponentResource(row["type"], name, {}, options)
            elif row["type"].startswith("pulumi:providers:"):
                continue
            else:
                wired = row.get("propertyDependencies") or {}
                arguments = {
                    snake(key): after([made[urn] for urn in wired.get(key) or ()], value)
                    for key, value in row["inputs"].items()
                    if not key.startswith("__")
                }
                made[row["urn"]] = resource_type(row["type"]).cls(name, opts=options, **arguments)

    program()


def snake(name: str) -> str:
    """`bucketPrefix` as the SDK's constructors say it: `bucket_prefix`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


def measured(*command: str | Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one process, from its start to its end."""
    began = perf_counter()
    running = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
    assert status == 0, command
    return perf_counter() - began, usage.ru_maxrss / 1024


def main() -> int:
    """Print the table; 1 when a bound is broken."""
    broken = []
    per_resource = {}
    with TemporaryDirectory() as folder:
        for models in SIZES:
            file = estate(Path(folder), models)
            rows = file.with_suffix(".json")
            measured(MLESTATE, "plan", file, "--export", rows)
            count = len(json.loads(rows.read_text())["deployment"]["resources"])
            seconds, megabytes = min(measured(MLESTATE, "plan", file) for _ in range(ROUNDS))
            flat_seconds, flat_megabytes = min(measured(sys.executable, __file__, rows) for _ in range(ROUNDS))
            time, memory = seconds / flat_seconds, megabytes / flat_megabytes
            per_resource[models] = seconds / count
            print(
                f"{models:4} models {count:6} resources: plan {seconds:6.2f} s {megabytes:5.0f} MB, flat "
                f"{flat_seconds:6.2f} s {flat_megabytes:5.0f} MB, ratio {time:.2f} and {memory:.2f} (bound {BOUND})"
            )
            if time > BOUND or memory > BOUND:
                broken.append(models)
    growth = per_resource[SIZES[-1]] / per_resource[SIZES[0]]
    print(f"a resource at {SIZES[-1]} models takes {growth:.2f} times what it takes at {SIZES[0]} (bound {BOUND})")
    return 1 if broken or growth > BOUND else 0


if __name__ == "__main__":
    if len(sys.argv) == 2:
        flat(Path(sys.argv[1]))
    else:
        raise SystemExit(main())
