"""`plan` against a flat program that registers the same resources under the SDK's mock monitor, in time and memory.

Bounds: 1.3 times both, at 100 models; and linear: the time a resource takes at 300 models at most 1.3 times that at 10.
Each figure is a process of its own. Run: python benchmarks/plan.py
"""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from estates import estate

BOUND = 1.3
SIZES = (10, 100, 300)


def ours(file: Path) -> int:
    """A plan; how many resources it registered."""
    from mlestate.local.session import rehearse

    done = rehearse(file)
    assert not done.result.failed
    return len(done.state.export()["deployment"]["resources"])


def dump(file: Path, into: Path) -> None:
    """Write what the flat program is to register: type, name, inputs and the classes that make them."""
    from mlestate.local.session import rehearse

    done = rehearse(file)
    assert not done.result.failed
    into.write_text(json.dumps(done.state.export()["deployment"]["resources"]))


def flat(file: Path) -> int:
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
    rows = [row for row in json.loads(file.read_text()) if row["type"] != "pulumi:pulumi:Stack"]
    made: dict[str, pulumi.Resource] = {}

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
                arguments = {snake(key): value for key, value in row["inputs"].items() if not key.startswith("__")}
                made[row["urn"]] = resource_type(row["type"]).cls(name, opts=options, **arguments)

    program()
    return len(rows)


def snake(name: str) -> str:
    """`bucketPrefix` as the SDK's constructors say it: `bucket_prefix`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


def measured(mode: str, file: Path) -> dict[str, float]:
    """Seconds, megabytes and resources of one process."""
    command = [sys.executable, __file__, mode, str(file)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> int:
    """Print the table; 1 when a bound is broken."""
    broken = []
    per_resource = {}
    with TemporaryDirectory() as folder:
        for models in SIZES:
            file = estate(Path(folder), models)
            rows = file.with_suffix(".json")
            dump(file, rows)
            plan, base = measured("ours", file), measured("flat", rows)
            time, memory = plan["seconds"] / base["seconds"], plan["megabytes"] / base["megabytes"]
            per_resource[models] = plan["seconds"] / plan["resources"]
            print(
                f"{models:4} models {plan['resources']:6.0f} resources: plan {plan['seconds']:6.2f} s "
                f"{plan['megabytes']:5.0f} MB, flat {base['seconds']:6.2f} s {base['megabytes']:5.0f} MB, "
                f"ratio {time:.2f} and {memory:.2f} (bound {BOUND})"
            )
            if models == 100 and (time > BOUND or memory > BOUND):
                broken.append("ratio")
    growth = per_resource[SIZES[-1]] / per_resource[SIZES[0]]
    print(f"a resource at {SIZES[-1]} models takes {growth:.2f} times what it takes at {SIZES[0]} (bound {BOUND})")
    return 1 if broken or growth > BOUND else 0


if __name__ == "__main__":
    if len(sys.argv) == 3:
        began = perf_counter()
        count = {"ours": ours, "flat": flat}[sys.argv[1]](Path(sys.argv[2]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": perf_counter() - began, "megabytes": peak, "resources": count}))
        raise SystemExit(0)
    raise SystemExit(main())
