"""Names are deterministic, fit their cloud, and tell two things apart."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlestate.names import HUB, KINDS, Names, NameTooLong, check

words = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,8})?", fullmatch=True)
kinds = st.sampled_from(sorted(KINDS))


def names(cloud: str, estate: str = "risk", environment: str = "staging", home: str = "111111111111") -> Names:
    return Names(cloud, estate, environment, "ca-central-1", home)


@given(kinds, words, words, words)
def test_a_name_fits_its_cloud_or_is_refused(kind: str, estate: str, environment: str, role: str) -> None:
    cloud, thing = kind.split(":")
    try:
        name = names(cloud, estate, environment).physical(thing, role)
    except NameTooLong:
        return
    assert len(name) <= KINDS[kind].limit
    assert re.fullmatch(KINDS[kind].pattern, name)


@given(kinds, words, words, words)
def test_two_roles_have_two_names(kind: str, estate: str, one: str, other: str) -> None:
    cloud, thing = kind.split(":")
    separator = KINDS[kind].separator
    assume(one.replace("-", separator) != other.replace("-", separator))
    slice_ = names(cloud, estate)
    try:
        assert slice_.physical(thing, one) != slice_.physical(thing, other)
    except NameTooLong:
        return


def test_a_name_says_estate_environment_and_role() -> None:
    assert names("aws").physical("endpoint", "churn") == "risk-staging-churn"
    assert re.fullmatch(r"risk-staging-raw-[0-9a-f]{6}", names("aws").physical("bucket", "raw"))


def test_a_shared_name_differs_between_accounts() -> None:
    here, there = (names("aws", home=home).physical("bucket", "raw") for home in ("111111111111", "222222222222"))
    assert here != there, "every customer of the cloud draws from one pool of bucket names"


def test_a_name_without_room_is_refused_and_never_cut() -> None:
    with pytest.raises(NameTooLong, match=r"has 71 characters, aws allows 63 .* by 8"):
        names("aws", estate="e" * 50).physical("endpoint", "r" * 12)


def test_a_user_is_told_which_of_her_names_does_not_fit() -> None:
    found = list(check("aws", "acme", ["production"], ["m" * 60, "churn"]))
    assert {name for name, _ in found} == {"m" * 60}


@pytest.mark.parametrize(
    ("region", "partition"),
    [("ca-central-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("us-east-1", "aws")],
)
def test_an_arn_is_in_the_partition_of_its_region(region: str, partition: str) -> None:
    arn = Names("aws", "risk", HUB, region, "111111111111").arn("sagemaker", "model-package-group/x")
    assert arn == f"arn:{partition}:sagemaker:{region}:111111111111:model-package-group/x"


def test_labels_are_legal_on_google_cloud() -> None:
    tags = {"cost-centre": "Risk & Co", "owner": "x"}
    for key, value in Names("gcp", "risk", HUB, "r", "p", "ml@acme.example", tags).labels.items():
        assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
        assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)
