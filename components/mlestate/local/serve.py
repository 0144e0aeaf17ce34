"""Give the local cloud to Pulumi's own engine: `python -m mlestate.local.serve <package> --state DIR`.

The engine finds providers as `pulumi-resource-<package>` on PATH, starts them and reads the port from the first line
of their output. `write_shims` puts such files into a folder that is put on PATH for one run; they are never console
scripts of this distribution, for on a user's PATH they would stand in front of the real providers.
"""

import argparse
import os
import shlex
import signal
import stat
import sys
import threading
import time
from concurrent import futures
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from mlestate.errors import InputError
from mlestate.local.cloud import CLOUDS, LocalCloud
from mlestate.local.store import Store

# The engine's own limit for a message, in bytes (pkg/util/rpcutil).
_MESSAGE = 400 * 1024 * 1024


def serve(package: str, folder: Path) -> None:
    """Serve a package on a free port of 127.0.0.1, print the port, and stay until killed or left alone."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        options=[("grpc.max_receive_message_length", _MESSAGE), ("grpc.max_send_message_length", _MESSAGE)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(LocalCloud(package, Store(folder)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for watch in (_await_parent, _await_input):
        threading.Thread(target=watch, args=(stopped,), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    stopped.wait()
    server.stop(grace=1).wait()


def _await_parent(stopped: threading.Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    stopped.set()


def _await_input(stopped: threading.Event) -> None:
    """The engine holds the other end of our input; it closes when the engine is gone, however it went."""
    descriptor = sys.stdin.fileno() if sys.stdin is not None else -1
    if descriptor < 0 or not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return
    while os.read(descriptor, 4096):
        pass
    stopped.set()


def write_shims(folder: Path, state: Path) -> None:
    """Write an executable `pulumi-resource-<package>` for each of the three packages into the folder.

    They run this interpreter on the state's folder; the interpreter is isolated from the program's own environment
    variables for Python, which the engine passes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in CLOUDS:
        shim = folder / f"pulumi-resource-{package}"
        words = shlex.join([sys.executable, "-I", "-m", "mlestate.local.serve", package, "--state", str(state)])
        shim.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        shim.chmod(0o755)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m mlestate.local.serve")
    parser.add_argument("package", choices=sorted(CLOUDS))
    parser.add_argument("--state", type=Path, required=True, help="the folder that keeps the local cloud")
    given, _ = parser.parse_known_args(arguments)  # the engine adds its own address, which this provider needs not
    try:
        serve(given.package, given.state)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
