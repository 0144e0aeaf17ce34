"""AWS: what a release brings of a version, and what it says of one in the registry.

Not proved here: that SageMaker writes the ETag of an archive into its package, and how S3 decodes a source.
"""

from collections.abc import Iterator

import pytest

from tests.release_scenarios import do, perform

from .conftest import Recorded
from .release_world import SLICE, AwsWorld, Worlds, apart

SETTLED = (do("register"), do("approve", version=2, by="approver"), do("settle"))


@pytest.fixture(scope="module")
def worlds(estate: Recorded) -> Iterator[Worlds]:
    with Worlds(estate) as made:
        yield made


def test_a_file_that_serves_is_not_written_over(worlds: Worlds) -> None:
    def released_twice(world: AwsWorld) -> None:
        perform(SETTLED, "whole", world)
        account, kept = (
            world.account,
            f"s3://{world.account.bucket(f'{SLICE}-artifacts')}/whole/versions/2/model/model.tar.gz",
        )
        container = account.version("whole", 2)["InferenceSpecification"]["Containers"][0]
        served = account.read(kept)
        account.write(container["ModelDataUrl"], "another model")
        perform((do("release", version=2), do("settle")), "whole", world)
        assert world.seen("whole").ledger == ("2 released", "2 already-live")
        assert account.read(kept) == served, "a machine that comes later would load what nobody tried"

    world = worlds.of("alone")
    apart(lambda: released_twice(world), "released twice")


def test_a_file_is_copied_whatever_its_name(worlds: Worlds) -> None:
    names = ("by group/a+b 100%.json", "by group/z\u00fcrich.json")

    def brought(world: AwsWorld) -> None:
        perform(SETTLED[:1], "whole", world)
        account = world.account
        numbers = account.version("whole", 2)["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        for name in names:
            account.write(f"{numbers.rpartition('/')[0]}/{name}", name)
        perform(SETTLED[1:], "whole", world)
        folder = f"s3://{account.bucket(f'{SLICE}-artifacts')}/whole/{{}}/evaluation/"
        for place in ("versions/2", "champion"):
            assert [account.read(folder.format(place) + name) for name in names] == list(names)

    world = worlds.of("alone")
    apart(lambda: brought(world), "names")


def test_a_first_version_is_stamped_when_a_person_has_its_checks_asked(worlds: Worlds) -> None:
    def stamped(world: AwsWorld) -> None:
        account = world.account
        passport = account.version("whole", 1).get("CustomerMetadataProperties", {})
        assert not [each for each in passport if each.startswith("passed-")], "pulumi asked for no gate or signature"
        told = [each.text for each in account.messages.all if "and written down" in each.text]
        assert any("mlestate promote estate.yaml whole 1 --environment staging" in each for each in told)
        # What serves first in the simulated account was judged by another metric.
        world.environment = "staging"
        world.settings("whole", gates=[])
        account.start(
            "risk-staging-release", {"cause": "person", "model": "whole", "version": 1, "by": "e@risk.example"}
        )
        perform((do("settle"),), "whole", world)
        passport = account.version("whole", 1)["CustomerMetadataProperties"]
        assert passport["passed-staging"].startswith("20")
        assert passport["approved-by"] == "approver@risk.example"
        assert "passed-production" not in passport, "there it was put by pulumi too, and no one asked"

    world = worlds.of("path")
    apart(lambda: stamped(world), "stamped")
