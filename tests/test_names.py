"""Names are deterministic, fit their cloud, and tell two things apart."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlestate.config import load
from mlestate.names import HUB, KINDS, USED, Names, NameTooLong, check
from tests.aws.estates import MINIMAL, ONE_ACCOUNT
from tests.conftest import EXAMPLES, recording

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


def test_a_user_is_told_which_of_her_names_does_not_fit_and_how_long_it_may_be() -> None:
    ((path, sentence),) = check("aws", "acme", ["production"], ["m" * 60, "churn"])
    assert path == ("models", "m" * 60)
    assert sentence.endswith("Use at most 30 here."), "acme-production- leaves 30 of a monitoring job's 46"


def test_words_that_are_long_together_are_all_named() -> None:
    found = dict(check("aws", "e" * 30, ["n" * 30], ["churn"]))
    assert set(found) == {("name",), ("environments", "n" * 30)}


@given(st.sampled_from(sorted(USED)), words, st.lists(words, min_size=1, max_size=3), st.lists(words, max_size=3))
def test_what_is_not_found_too_long_can_be_made(
    cloud: str, estate: str, environments: list[str], models: list[str]
) -> None:
    stretched = [f"{model}-{model}" for model in models]
    wrong = dict(check(cloud, estate, environments, stretched, stretched))
    for environment in [*environments, HUB]:
        for kind, slice_, role in USED[cloud]:
            own = stretched if "{model}" in role or "{features}" in role else environments
            for word in own:
                if wrong or (slice_ == HUB) != (environment == HUB):
                    continue
                spelled = role.format(model=word, environment=word, features=word)
                assert names(cloud, estate, environment).physical(kind, spelled)


AUTO_NAMED = {
    ("aws", "model"): "aws:sagemaker/model:Model",
    ("gcp", "key-ring"): "gcp:kms/keyRing:KeyRing",
}
"""Kinds that no part fixes a name of: the provider adds eight characters to the name that Pulumi knows."""


ASKED_FOR = (
    MINIMAL
    + """
tracking: {server: managed}
data: {datasets: {payments: {path: lake/payments/, columns: {amount: float}}}}
alerts: {email: [oncall@acme.example], slack: "secret:webhook"}
"""
)
"""What no example asks for: it bills while idle, its files need no table, its people do not chat."""


@pytest.mark.parametrize("cloud", sorted(USED))
def test_the_table_of_names_lists_every_name_that_the_examples_need(cloud: str, tmp_path: Path) -> None:
    """Does not prove a name that no example leads to: the examples of a cloud are to use all of its parts."""
    asked: set[tuple[str, str, str]] = set()
    listed: dict[tuple[str, str, str], set[tuple[str, str, str]]] = {row: set() for row in USED[cloud]}
    (tmp_path / "one-account.yaml").write_text(ONE_ACCOUNT)  # no example has a CI beside its environments
    (tmp_path / "asked-for.yaml").write_text(ASKED_FOR)
    for example in [*EXAMPLES, tmp_path / "one-account.yaml", tmp_path / "asked-for.yaml"]:
        config = load(example).config
        if config.cloud != cloud:
            continue
        made_by = recording(example)
        asked |= made_by.names
        for kind, slice_, role in USED[cloud]:
            roles = {
                role.format(model=model, environment=each, features=group)
                for model in config.models
                for each in config.environments
                for group in config.features or [""]
            }
            if (cloud, kind) not in AUTO_NAMED:
                listed[kind, slice_, role] |= {(kind, slice_, each) for each in roles}
                continue
            slices = [HUB] if slice_ == HUB else list(config.environments)
            expected = {Names(cloud, config.name, each, "", "").spelled(kind, one) for each in slices for one in roles}
            made = {row.name for row in made_by.rows if row.type == AUTO_NAMED[cloud, kind]}
            assert {name for name in made if (f"-{HUB}-" in name) == (slice_ == HUB)} <= expected
    assert asked <= set().union(*listed.values()), "a name that is not listed fails in an up and not in the file"
    needless = [row for row, names in listed.items() if not names & asked and (cloud, row[0]) not in AUTO_NAMED]
    assert not needless, "a name that nothing needs would refuse files for no reason"


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
