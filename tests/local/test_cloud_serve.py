"""The local cloud over gRPC, as Pulumi's own engine meets it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from mlestate.local import schema
from mlestate.local.serve import write_shims
from mlestate.local.store import Store
from mlestate.local.wire import plain, struct
from tests.local.cloud_calls import urn

BUCKET = "aws:s3/bucket:Bucket"


@contextmanager
def started(shim: Path) -> Iterator[tuple[subprocess.Popen[str], provider_pb2_grpc.ResourceProviderStub]]:
    """The provider as the engine starts it: the engine's address as argument, a pipe as input, the port on output."""
    process = subprocess.Popen(
        [shim, "127.0.0.1:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process, provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    write_shims(tmp_path / "bin", tmp_path / "state with a space")
    return tmp_path / "bin"


def test_a_provider_is_served_whole(shims: Path, tmp_path: Path) -> None:
    with started(shims / "pulumi-resource-aws") as (_, provider):
        assert provider.GetPluginInfo(empty_pb2.Empty()).version == schema.version_of("aws")
        assert provider.Handshake(pb.ProviderHandshakeRequest(engine_address="x")).accept_secrets
        provider.Attach(plugin_pb2.PluginAttach(address="x"))
        assert provider.Configure(pb.ConfigureRequest(args=struct({"region": "ca-central-1"}))).supportsPreview
        checked = provider.Check(pb.CheckRequest(urn=urn(BUCKET, "lake"), news=struct({"bucket": "lake"})))
        made = provider.Create(pb.CreateRequest(urn=urn(BUCKET, "lake"), properties=checked.inputs))
        assert plain(made.properties)["region"] == "ca-central-1"
        with pytest.raises(grpc.RpcError, match="BucketAlreadyOwnedByYou"):
            provider.Create(pb.CreateRequest(urn=urn(BUCKET, "other"), properties=checked.inputs))
        read = provider.Read(pb.ReadRequest(id="lake", urn=urn(BUCKET, "lake"), properties=made.properties))
        assert plain(read.properties) == plain(made.properties)
    assert [found.id for found in Store(tmp_path / "state with a space").objects()] == ["lake"], "a kill loses nothing"


def test_shims_stand_in_for_the_three_providers_and_no_console_script_does(shims: Path) -> None:
    names = {f"pulumi-resource-{package}" for package in ("aws", "gcp", "azure-native")}
    assert {shim.name for shim in shims.iterdir()} == names
    assert all(os.access(shim, os.X_OK) for shim in shims.iterdir())
    scripts = Path(sys.executable).parent
    assert not [name for name in names if (scripts / name).exists()], "they would shadow the real providers"


def test_a_provider_ends_with_its_engine(shims: Path) -> None:
    with started(shims / "pulumi-resource-gcp") as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0, "the engine's end of the pipe closes when it dies, however it dies"


def test_a_provider_ends_when_asked(shims: Path) -> None:
    with started(shims / "pulumi-resource-azure-native") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_provider_ends_when_its_parent_is_gone(shims: Path) -> None:
    script = f"'{shims}/pulumi-resource-aws' x </dev/null & echo $!; wait"
    parent = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert int(parent.stdout.readline()) > 0
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(child):
        assert time.monotonic() < deadline, "an orphan would serve for ever"
        time.sleep(0.1)


def _runs(process: int) -> bool:
    """Whether a process is alive; one that is dead and waits for its parent is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_unknown_package_is_a_clear_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlestate.local.serve", "aws-native", "--state", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "aws-native" in done.stderr
    assert "Traceback" not in done.stderr
