"""The commands and the machines together, in the simulated account: what a person orders is done, and told as it is.

Not proved here: that SageMaker, EventBridge and Step Functions do what `tests.aws.account.gaps` says of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest

from mlestate.release import PHASES
from tests.aws.account import Account
from tests.aws.account.people import person
from tests.conftest import recorded

from .conftest import ACCOUNT, ESTATE, EVALUATION, REGION, Command

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An estate that is up, whose endpoints were taken up by the releases of their first versions."""
    file = tmp_path_factory.mktemp("operate") / "estate.yaml"
    file.write_text(ESTATE)
    with Account.of(recorded(file)) as made:
        made.run()
        yield made


class Person:
    """Somebody who types commands, in the role of a persona."""

    def __init__(self, run: Command, account: Account, patch: pytest.MonkeyPatch, role: str, name: str) -> None:
        self._run, self._account, self._patch = run, account, patch
        self._role, self._name = role, f"{name}@risk.example"

    def types(self, *words: str) -> Mapping[str, Any]:
        arn = f"arn:aws:iam::{ACCOUNT}:role/mlestate/risk/risk-{self._role}"
        with self._patch.context() as patch:
            for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.setenv(key, "testing")
            sts = boto3.client("sts", region_name=REGION)
            given = sts.assume_role(RoleArn=arn, RoleSessionName=self._name)["Credentials"]
            patch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
            patch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
            patch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
            with self._account.acting(person(f"risk-{self._role}/{self._name}")):
                done = self._run(*words, "--json", *(() if words[0] == "status" else ("--yes",)))
        assert done.code == 0, done
        return done.document


def standing(person: Person, environment: str) -> Mapping[str, Any]:
    model = person.types("status", "churn", "--environment", environment)["models"]["churn"]
    found: Mapping[str, Any] = model["environments"][environment]
    return {**found, "registry": model["registry"]}


def test_a_version_goes_to_production_and_back_and_is_rejected_by_commands_alone(
    run: Command, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def who(role: str, name: str) -> Person:
        return Person(run, account, monkeypatch, role, name)

    engineer = who("production-ml-engineer", "mle")
    before = standing(engineer, "production")["live"]["version"]

    version = account.register("churn", evaluation=EVALUATION)
    account.run()
    waiting = standing(engineer, "production")["registry"]["waiting"]
    assert [each["version"] for each in waiting] == [version]

    evidence = who("hub-approver", "ana").types("approve", "churn", str(version), "--reason", "better")["evidence"]
    assert evidence["unread"] is None, "the run's numbers lie where the version says"
    account.run()
    assert standing(who("staging-ml-engineer", "mle"), "staging")["live"]["version"] == version
    (asks,) = standing(engineer, "production")["waits_for"]
    assert "the approval of 2" in asks

    agree = ("approve", "churn", str(version), "--environment", "production", "--reason", "agreed")
    who("production-approver", "ana").types(*agree)
    account.run()
    waits = standing(engineer, "production")
    signed = {each["version"]: [one["person"] for one in each["given"]] for each in waits["approvals"]}
    assert signed[version] == ["ana@risk.example"]
    assert waits["live"]["version"] == before, "one of two is not enough"
    assert "1 gave it: ana@risk.example" in waits["waits_for"][0]

    who("production-approver", "ben").types(*agree)
    phases = _followed(account, engineer)
    assert "comparing" in phases, "a canary answers beside the version in use"
    assert phases == [each for each in PHASES if each in phases], "no phase comes twice, and none too early"
    after = standing(engineer, "production")
    assert (after["live"]["version"], after["live"]["previous"]["version"]) == (version, before)
    assert after["outcomes"][0]["outcome"] == "released"
    assert after["live"]["approved_by"] == "ana@risk.example"
    assert (after["release"], after["waits_for"]) == (None, [])

    who("production-operator", "oncall").types(
        "rollback", "churn", "--environment", "production", "--reason", "complaints"
    )
    account.run()
    back = standing(engineer, "production")
    assert back["live"]["version"] == before
    assert (back["outcomes"][0]["outcome"], back["outcomes"][0]["rollback"]) == ("rolled-back", True)
    assert "complaints" in back["outcomes"][0]["reason"]
    staging = who("staging-ml-engineer", "mle")
    assert standing(staging, "staging")["live"]["version"] == version, "each environment goes back by itself"
    who("hub-approver", "ana").types("reject", "churn", str(version), "--reason", "unfair to QC")
    account.run()
    rejected = standing(staging, "staging")
    assert rejected["live"]["version"] == before
    assert rejected["outcomes"][0]["outcome"] == "rejected"
    account.check()

    ordered = [
        (each.machine, each.input["by"])
        for machine in ("release", "rollback")
        for each in account.executions_of(f"risk-production-{machine}")
        if each.input["cause"] == "person"
    ]
    assert ordered == [
        ("risk-production-release", "ana@risk.example"),
        ("risk-production-release", "ben@risk.example"),
        ("risk-production-rollback", "oncall@risk.example"),
    ], "whoever reads the ledger later must find a person"


def _followed(account: Account, engineer: Person) -> list[str]:
    """The phases that somebody sees who looks every few minutes until the release has ended."""
    seen: list[str] = []
    for _ in range(60):
        account.clock.advance(minutes=3)
        release = standing(engineer, "production")["release"]
        if release is None:
            return seen
        assert release["running"] is True
        assert isinstance(release["phase"], str)
        if release["phase"] not in seen:
            seen.append(release["phase"])
    raise AssertionError(f"the release does not end: {seen}")
