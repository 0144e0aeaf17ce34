"""Every request that a command makes is allowed to the persona whose work it is, and told on the page.

The commands run on moto, and what they ask is judged with the policies that the real program registers for the same
file, by the evaluator that judges the access matrix. Not proved here: keys of the customer (the matrix has those), and
what a real account adds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto.cloudtrail.responses import CloudTrailResponse

from mlestate.blueprint.inventory import Row
from mlestate.operate.aws_account import ACTIONS, Account
from tests.aws.cases import policies_of
from tests.aws.iam import Request, allowed
from tests.conftest import ROOT, recorded

from .conftest import ACCOUNT, ESTATE, Command, Estate, release
from .test_status import LIVE, at

REASON = ("--reason", "read the report")


@dataclass(frozen=True)
class Work:
    """A command as its persona runs it."""

    role: str
    """`production approver`: a slice and a persona."""
    words: Sequence[str]
    person: str = "ana@risk.example"

    @property
    def title(self) -> str:
        """As the page has it."""
        elsewhere = " --environment" if "--environment" in self.words and self.words[0] == "approve" else ""
        trail = " --trail" if "--trail" in self.words else ""
        return f"{self.words[0]}{elsewhere}{trail}"


WORK = (
    Work("hub approver", ("approve", "churn", "7", *REASON, "--yes")),
    Work("hub approver", ("reject", "churn", "7", *REASON, "--yes")),
    Work("production approver", ("approve", "churn", "8", "--environment", "production", *REASON, "--yes")),
    Work("production approver", ("promote", "churn", "8", "--environment", "production", "--yes")),
    Work("staging ml-engineer", ("promote", "churn", "8", "--environment", "staging", "--yes")),
    Work("production operator", ("rollback", "churn", "--environment", "production", *REASON, "--yes")),
    Work("staging ml-engineer", ("rollback", "churn", "--environment", "staging", *REASON, "--yes")),
    *(
        Work(f"production {persona}", ("status", "churn", "--environment", "production"))
        for persona in ("ml-engineer", "approver", "operator", "auditor")
    ),
    Work("production auditor", ("status", "churn", "--environment", "production", "--trail")),
)

SHOWN_TO_WHO_MAY = {"s3:GetObject"}
"""What a command goes on without: the numbers are then not shown. Who gives a verdict must see them."""


@dataclass(frozen=True)
class Asked:
    action: str
    on: str
    arguments: Mapping[str, Any]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    file = tmp_path_factory.mktemp("operate") / "estate.yaml"
    file.write_text(ESTATE)
    return recorded(file)


@pytest.fixture
def asked(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What the commands ask from here on, of an estate in which everything is under way."""
    estate.register("Approved", **{"passed-staging": "2026-11-24T10:00:00Z"})
    for environment in ("staging", "production"):
        estate.write(environment, "live", LIVE)
        waits = release(7, at(hours=1), ended=at(hours=1), outcome="waiting-for-approval", reason="Needs 2.")
        estate.write(environment, f"release/000007/{at(hours=1)}", waits)
        turn = estate.begin(f"{environment}-release")
        estate.write(environment, "lock", {}, execution=turn, version="7", at=at(minutes=1))
    monkeypatch.setattr(CloudTrailResponse, "lookup_events", lambda _: '{"Events": []}', raising=False)
    found: list[Asked] = []
    ask = Account.ask

    def noted(self: Account, service: str, operation: str, on: str, missing: str, **arguments: Any) -> Any:
        found.append(Asked(f"{ACTIONS.get(service, service)}:{operation}", on, arguments))
        return ask(self, service, operation, on, missing, **arguments)

    monkeypatch.setattr(Account, "ask", noted)
    return found


def performed(run: Command, estate: Estate, work: Work) -> None:
    slice_, _, persona = work.role.partition(" ")
    estate.sign_in(f"risk-{slice_}-{persona}", work.person)
    done = run(*work.words)
    assert done.code == 0, done


@pytest.mark.parametrize("work", WORK, ids=lambda work: f"{work.role}: {' '.join(work.words)}")
def test_a_persona_may_all_that_its_command_asks(
    run: Command, estate: Estate, asked: list[Asked], rows: list[Row], work: Work
) -> None:
    performed(run, estate, work)
    slice_, _, persona = work.role.partition(" ")
    own, boundary = policies_of(rows, slice_, persona)
    principal = f"arn:aws:iam::{ACCOUNT}:role/mlestate/risk/risk-{slice_}-{persona}"
    assert asked
    for each in asked:
        if each.action in SHOWN_TO_WHO_MAY and persona != "approver":
            continue
        request = Request(principal, each.action, _resource(each), _context(each, principal))
        assert allowed(request, own, boundary), f"{work.role} may not {each.action} on {each.on}"


def _resource(asked: Asked) -> str:
    """LookupEvents has no resource type (Service Authorization Reference)."""
    return "*" if asked.action == "cloudtrail:LookupEvents" else asked.on


def _context(asked: Asked, principal: str) -> dict[str, Any]:
    sent: dict[str, Any] = {"aws:PrincipalArn": principal, "aws:RequestedRegion": "ca-central-1"}
    if asked.action == "dynamodb:PutItem":
        person = asked.arguments["Item"]["person"]["S"]
        sent |= {"dynamodb:LeadingKeys": [person], "aws:userid": person}
    if asked.action == "sagemaker:UpdateModelPackage":
        sent["sagemaker:ModelApprovalStatus"] = asked.arguments["ModelApprovalStatus"]
    return sent


def test_the_page_says_what_each_command_asks(run: Command, estate: Estate, asked: list[Asked]) -> None:
    """Whoever writes a policy of their own must find all of it."""
    found: dict[str, set[str]] = {}
    for work in WORK:
        asked.clear()
        performed(run, estate, work)
        if work.words[0] in ("approve", "reject"):
            estate.package(7).set_model_approval_status("PendingManualApproval")
        found.setdefault(work.title, set()).update(each.action for each in asked)
    page = Path(ROOT / "docs" / "releases.md").read_text()
    for title, actions in found.items():
        (line,) = (each for each in page.splitlines() if each.startswith(f"| `{title}` |") and "`sts:" in each)
        told = set(line.split("|")[-2].strip().replace("`", "").split(", "))
        assert told == actions | {"sts:GetCallerIdentity"}, f"{title}: the page and the command differ"
