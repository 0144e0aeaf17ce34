"""AWS: what environments in accounts of their own lend one another: a version's files, its reports, and events.

Both sides are judged: the policies of the role that asks, with its boundary, and the policy of what it asks for. Not
proved without accounts: that EventBridge puts what a rule matched as that rule's role, with the role's ARN in
`aws:PrincipalArn`, and that a key's alias narrows a policy of another account as it does one of its own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlestate.aws import neighbours
from mlestate.aws.keys import alias
from mlestate.aws.policies import Statement
from mlestate.names import Names

from .cases import policies_of
from .conftest import Recorded, Rows, all_of
from .estates import PEOPLED
from .iam import Document, Request, allowed

HOMES = {"hub": "111111111111", "staging": "222222222222", "production": "333333333333"}
NAMES = {name: Names("aws", "risk", name, "ca-central-1", home) for name, home in HOMES.items()}
APART = PEOPLED.replace(
    "staging: {monthly",
    'staging: {account: "222222222222", deploy_role: "arn:aws:iam::222222222222:role/deployer", monthly',
)
"""The estate of the access matrix, with each slice in an account of its own."""

REPORT = "artifacts/churn/runs/1/evaluate/evaluation/evaluation.json"
MODEL = "artifacts/churn/runs/1/train/model/model.tar.gz"
LISTED = {"s3:prefix": "churn/runs/1/check_data/statistics/"}
THROUGH = {"kms:ViaService": "s3.ca-central-1.amazonaws.com"}
VERDICT = {"events:source": "aws.sagemaker", "events:detail-type": "SageMaker Model Package State Change"}
PASSED = {"events:source": "mlestate", "events:detail-type": "Model version passed"}


@dataclass(frozen=True)
class Asked:
    who: str
    verdict: bool
    action: str
    owner: str
    """The slice that is asked."""
    what: str
    """A bucket's role and a key in it, a key's concern, or nothing: its bus."""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        names = NAMES[self.owner]
        if self.action.startswith("s3:"):
            role, _, key = self.what.partition("/")
            return names.arn("s3", names.physical("bucket", role), regional=False) + (f"/{key}" if key else "")
        return names.arn("kms", f"key/{self.what}") if self.action.startswith("kms:") else neighbours.bus(names)


CASES = [
    Asked("production release", True, "s3:GetObject", "staging", MODEL),
    Asked("production release", True, "s3:ListBucket", "staging", "artifacts", LISTED),
    Asked("production release", False, "s3:ListBucket", "staging", "artifacts", {"s3:prefix": "mlflow/"}),
    Asked("production release", False, "s3:ListBucket", "staging", "artifacts"),
    Asked("production release", False, "s3:GetObject", "staging", "artifacts/churn/versions/4/model/model.tar.gz"),
    Asked("production release", False, "s3:GetObject", "staging", "artifacts/code/monitor/values.py"),
    Asked("production release", False, "s3:GetObject", "staging", "raw/lake/transactions/x"),
    Asked("production release", False, "s3:PutObject", "staging", MODEL),
    Asked("production release", False, "s3:DeleteObject", "staging", MODEL),
    Asked("production release", True, "kms:Decrypt", "staging", "models", THROUGH),
    Asked("production release", False, "kms:Decrypt", "staging", "models"),
    Asked("production release", False, "kms:GenerateDataKey", "staging", "models", THROUGH),
    Asked("production release", False, "kms:Decrypt", "staging", "data", THROUGH),
    Asked("staging release", True, "s3:GetObject", "production", MODEL),
    Asked("production churn-inference", True, "s3:GetObject", "staging", MODEL),
    Asked("production churn-inference", True, "kms:Decrypt", "staging", "models", THROUGH),
    Asked("production fraud-inference", False, "s3:GetObject", "staging", MODEL),
    Asked("production churn-training", False, "s3:GetObject", "staging", MODEL),
    Asked("production monitoring", False, "s3:GetObject", "staging", MODEL),
    Asked("production ml-engineer", False, "s3:GetObject", "staging", MODEL),
    Asked("production approver", True, "s3:GetObject", "staging", REPORT),
    Asked("production approver", True, "kms:Decrypt", "staging", "models", THROUGH),
    Asked("production approver", False, "s3:GetObject", "staging", MODEL),
    Asked("hub approver", True, "s3:GetObject", "staging", REPORT),
    Asked("hub approver", True, "s3:GetObject", "production", REPORT),
    Asked("hub approver", True, "kms:Decrypt", "staging", "models", THROUGH),
    Asked("hub approver", False, "s3:GetObject", "staging", MODEL),
    Asked("hub auditor", False, "s3:GetObject", "staging", REPORT),
    Asked("hub events", True, "events:PutEvents", "staging", "", VERDICT),
    Asked("hub events", True, "events:PutEvents", "production", "", VERDICT),
    Asked("hub events", False, "events:PutEvents", "production", "", PASSED),
    Asked("staging release", True, "events:PutEvents", "production", "", PASSED),
    Asked("staging release", False, "events:PutEvents", "production", "", VERDICT),
    Asked("staging events", False, "events:PutEvents", "production", "", VERDICT),
    Asked("production release", False, "events:PutEvents", "staging", "", PASSED),
    Asked("production events", False, "events:PutEvents", "staging", "", VERDICT),
]


@pytest.mark.parametrize("case", CASES, ids=lambda each: f"{each.who} {each.action} {each.owner} {each.what}")
def test_an_account_lends_another_what_a_release_needs_and_no_more(estate: Recorded, case: Asked) -> None:
    rows = estate(APART)
    slice_, _, role = case.who.partition(" ")
    identity, boundary = policies_of(rows, slice_, role)
    verdict = allowed(_request(case), identity, boundary, _said_there(rows, case), owner=HOMES[case.owner])
    assert verdict is case.verdict, f"{case.who} {'may' if verdict else 'may not'} {case.action} on {case.arn}"


@pytest.mark.parametrize("case", [each for each in CASES if each.verdict], ids=lambda each: f"{each.who} {each.what}")
def test_a_role_of_the_same_name_in_an_account_outside_the_estate_gets_nothing(estate: Recorded, case: Asked) -> None:
    """Whatever its own policies say."""
    stranger = _request(case, home="999999999999")
    everything: Document = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    assert not allowed(stranger, [everything], None, _said_there(estate(APART), case), owner=HOMES[case.owner])


@pytest.mark.parametrize(
    ("what", "action", "passes"),
    [(MODEL, "s3:GetObject", True), (MODEL, "s3:PutObject", False), ("raw/lake/x", "s3:GetObject", False)],
)
def test_the_way_out_of_a_private_network_leads_to_what_another_account_lends(
    estate: Recorded, what: str, action: str, passes: bool
) -> None:
    """A model's first version is fetched through it, from where it was trained."""
    endpoint = all_of(estate(APART), "ec2:VpcEndpoint")["risk-production-network-s3"]
    case = Asked("production churn-inference", passes, action, "staging", what)
    asked = _request(case)
    context = {**asked.context, "aws:PrincipalAccount": HOMES["production"], "aws:ResourceAccount": HOMES["staging"]}
    request = Request(asked.principal, asked.action, asked.resource, context)
    everything: Document = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    assert allowed(request, [everything], boundary=json.loads(endpoint.inputs["policy"])) is passes


def test_environments_in_one_account_need_no_word_of_each_other() -> None:
    """There the policies of the roles decide alone."""
    beside = {name: Names("aws", "risk", name, "ca-central-1", HOMES["hub"]) for name in HOMES}
    here, hub, other = beside["production"], beside["hub"], beside["staging"]
    assert neighbours.telling(here, hub, other) == []
    assert neighbours.reading_runs(here, hub, [here, other]) == []
    assert neighbours.reading_keys(here, hub, [here, other]) == []


def _request(case: Asked, home: str | None = None) -> Request:
    slice_, _, role = case.who.partition(" ")
    names = Names("aws", "risk", slice_, "ca-central-1", home or HOMES[slice_])
    principal = neighbours.role(names, role)
    context = {"aws:RequestedRegion": "ca-central-1", "aws:PrincipalArn": principal, **case.context}
    if case.action.startswith("s3:"):
        context["aws:SecureTransport"] = "true"
    if case.action.startswith("kms:"):
        context["kms:ResourceAliases"] = [alias(NAMES[case.owner], case.what)]
    return Request(principal, case.action, case.arn, context)


def _said_there(rows: Rows, case: Asked) -> Document:
    """The policy of what is asked for, as it is recorded, and what a slice lends of it."""
    names, hub = NAMES[case.owner], NAMES["hub"]
    environments = [NAMES["staging"], NAMES["production"]]
    if case.action.startswith("s3:"):
        bucket = names.physical("bucket", case.what.partition("/")[0])
        (row,) = (row for row in all_of(rows, "s3:BucketPolicy").values() if row.inputs["bucket"] == bucket)
        lent = neighbours.reading_runs(names, hub, environments) if case.what.startswith("artifacts") else []
    elif case.action.startswith("kms:"):
        row = all_of(rows, "kms:Key")[f"risk-{case.owner}-keys-{case.what}"]
        lent = neighbours.reading_keys(names, hub, environments) if case.what == "models" else []
    else:
        (row,) = (
            row
            for row in all_of(rows, "cloudwatch:EventBusPolicy").values()
            if row.inputs["eventBusName"] == names.physical("event-bus", "releases")
        )
        lent = []
    return _together(json.loads(row.inputs["policy"]), lent)


def _together(recorded: Document, lent: Sequence[Statement]) -> Document:
    by_sid = {each["Sid"]: each for each in (*recorded["Statement"], *lent)}
    return {**recorded, "Statement": [*by_sid.values()]}
