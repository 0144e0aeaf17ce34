"""The composition root: what it refuses before anything runs."""

import pulumi
import pytest

from mlestate.config import loads
from mlestate.errors import InputError
from mlestate.estate import CLOUDS, Estate
from tests.config.said import AWS, AZURE, GCP
from tests.conftest import Record

HEADS = {"aws": AWS, "gcp": GCP, "azure": AZURE}

APART = (
    AWS
    + """account: "111111111111"
environments:
  staging: {}
  production: {account: "333333333333"}
"""
)
ROLE = ", deploy_role: 'arn:aws:iam::333333333333:role/deploy'}"


def test_one_stack_that_cannot_reach_an_account_is_refused_before_anything_runs(record: Record) -> None:
    with pytest.raises(AssertionError) as refused:
        record(APART)
    assert (
        "environments.production lies in account 333333333333 and has no deploy_role, so one stack cannot build it "
        "together with what lies in other accounts. Write environments.production.deploy_role, the role that the "
        "deployer assumes there, or give every slice a stack of its own: pulumi config set mlestate:scope hub | "
        "staging | production"
    ) in str(refused.value)


@pytest.mark.parametrize("scope", ["hub", "staging", "production"])
def test_a_stack_of_one_account_needs_no_role(record: Record, scope: str) -> None:
    assert record(APART, scope)


def test_an_account_with_a_role_is_reached(record: Record) -> None:
    assert record(APART.replace('"333333333333"}', f'"333333333333"{ROLE}'))


def test_environments_beside_each_other_in_another_account_need_a_role_as_well() -> None:
    """The deployer's credentials could be of that account only if the hub were left out."""
    text = APART.replace("staging: {}", 'staging: {account: "333333333333"}')
    config = loads(text).config
    assert config.out_of_reach(["hub", "staging", "production"])
    assert config.out_of_reach(["staging", "production"]) is None


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_slice_without_a_home_is_told_both_ways_to_give_one(cloud: str) -> None:
    word = {"aws": "account", "gcp": "project", "azure": "subscription"}[cloud]
    with pytest.raises(
        InputError, match=rf"^hub has no {word}: .* Write `{word}:` .* pulumi config set --path '{cloud}"
    ):
        Estate(loads(HEADS[cloud]).config, pulumi.Output.secret)


def test_a_scope_that_is_no_slice_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="mlestate:scope is 'prod'; this estate has hub, staging, production"):
        Estate(loads(APART).config, pulumi.Output.secret, scope="prod")
