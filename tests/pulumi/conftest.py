"""These tests need Pulumi's CLI on PATH. Where its absence would be a hole (MLESTATE_REQUIRE_PULUMI=1), it fails."""

import os

import pytest

from mlestate.local.pulumi_engine import missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = missing()
    if not absent or os.environ.get("MLESTATE_REQUIRE_PULUMI") == "1":
        return
    skip = pytest.mark.skip(reason=f"{' and '.join(absent)} not on PATH; install Pulumi to compare the engines")
    for item in items:
        if "tests/pulumi/" in item.nodeid:
            item.add_marker(skip)
