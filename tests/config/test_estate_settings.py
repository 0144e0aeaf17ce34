"""What the settings of an estate answer beyond what stands in the file."""

import pytest

from mlestate.config import loads

HEAD = "version: 1\nname: acme\ncloud: aws\nregion: ca-central-1\n"


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ("", "1y"),
        ("residency: canada\n", "2y"),
        ("residency: quebec\n", "5y"),
        ("residency: quebec\naudit: {lock: governance}\n", "5y"),
        ("residency: quebec\naudit: {retention: 7y}\n", "7y"),
        ("residency: [ca-central-1]\n", "1y"),
    ],
)
def test_the_trail_is_kept_as_long_as_the_law_asks_where_the_file_does_not_say(lines: str, kept: str) -> None:
    assert str(loads(HEAD + lines).config.audit_in_force.retention) == kept
