"""`make demo`: the main job, for real: an `up` of an example on the local cloud, and where to go from there."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path("examples/aws-minimal.yaml")

NEXT = f"""
Next:
  .venv/bin/mlestate plan examples/aws-regulated.yaml      # what three accounts would hold, without any of them
  .venv/bin/mlestate local destroy {EXAMPLE}    # take the demo away again
  source .venv/bin/activate; cd stacks; pulumi up          # the real thing; README.md says what it needs first
"""


def main() -> int:
    """Run the demo from the checkout's root; the exit code is that of the `up`."""
    command = [str(Path(sys.executable).with_name("mlestate")), "local", "up", str(EXAMPLE), "--yes"]
    code = subprocess.run(command).returncode
    if code == 0:
        sys.stdout.write(NEXT)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
