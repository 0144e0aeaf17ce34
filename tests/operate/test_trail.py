"""`mlestate status --trail`: what the audit trail says was done.

moto's CloudTrail looks nothing up: the operation is added here with answers in the shape of botocore's model. Not
proved here: that a real record spells its parameters so (tests/aws/trail_records.py has the sources).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudtrail.responses import CloudTrailResponse

from .conftest import ACCOUNT, REGION, Command, Estate

NOW = datetime.now(UTC)

RECORDS: list[tuple[str, dict[str, Any]]] = [
    (
        "UpdateModelPackage",
        {
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/risk-hub-approver/ana@risk.example",
                "sessionContext": {"sourceIdentity": "ana@risk.example"},
            },
            "requestParameters": {
                "modelPackageArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/risk-hub-churn/7",
                "modelApprovalStatus": "Approved",
                "approvalDescription": "read the report",
            },
            "sourceIPAddress": "192.0.2.7",
        },
    ),
    (
        "UpdateEndpoint",
        {
            "userIdentity": {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/risk-production-release/x1",
            },
            "requestParameters": {
                "endpointName": "risk-production-churn",
                "endpointConfigName": "risk-production-churn-v7-1a2b3c4d",
            },
            "sourceIPAddress": "states.amazonaws.com",
        },
    ),
    (
        "StartExecution",
        {
            "userIdentity": {"type": "IAMUser", "userName": "root-ish"},
            "requestParameters": {
                "stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-production-rollback"
            },
            "sourceIPAddress": "192.0.2.9",
            "errorCode": "AccessDenied",
        },
    ),
    (
        "PutParameter",
        {
            "userIdentity": {"type": "IAMUser", "userName": "root-ish"},
            "requestParameters": {"name": "/mlestate/risk/production/churn/release", "overwrite": True},
            "sourceIPAddress": "192.0.2.9",
        },
    ),
    ("PutParameter", {"requestParameters": {"name": "/mlestate/riskier/production/churn/release"}, "userIdentity": {}}),
    ("UpdateEndpoint", {"requestParameters": {"endpointName": "another-estate-churn"}, "userIdentity": {}}),
    ("UpdateEndpoint", {"requestParameters": None, "userIdentity": {}}),
]


class TestTrail:
    @pytest.fixture(autouse=True)
    def look_up(self, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """What was asked; each answer holds one event and says where the next one is."""
        asked: list[dict[str, Any]] = []

        def lookup_events(self: Any) -> str:
            wanted = json.loads(self.body)
            asked.append(wanted)
            (attribute,) = wanted["LookupAttributes"]
            events = [
                {"EventTime": (NOW - timedelta(hours=number)).timestamp(), "CloudTrailEvent": json.dumps(record)}
                for number, (name, record) in enumerate(RECORDS)
                if name == attribute["AttributeValue"]
            ]
            first = int(wanted.get("NextToken", 0))
            more = {"NextToken": str(first + 1)} if first + 1 < len(events) else {}
            return json.dumps({"Events": events[first : first + 1]} | more)

        monkeypatch.setattr(CloudTrailResponse, "lookup_events", lookup_events, raising=False)
        estate.sign_in("risk-production-auditor", "audit@risk.example")
        return asked

    def test_it_says_when_who_did_what_on_what_and_from_where(self, run: Command) -> None:
        trail = run("status", "--trail", "--json").document["trail"]
        assert [(each["who"], each["what"], each["on"], each["source"], each["refused"]) for each in trail] == [
            ("ana@risk.example", "UpdateModelPackage", "risk-hub-churn/7", "192.0.2.7", None),
            ("risk-production-release/x1", "UpdateEndpoint", "risk-production-churn", "states.amazonaws.com", None),
            ("root-ish", "StartExecution", "risk-production-rollback", "192.0.2.9", "AccessDenied"),
            ("root-ish", "PutParameter", "/mlestate/risk/production/churn/release", "192.0.2.9", None),
        ], "newest first, and nothing of another estate"
        assert trail[0]["details"] == "Approved, read the report"

    def test_a_person_reads_it_as_a_table(self, run: Command) -> None:
        out = run("status", "--trail").out
        assert "risk-hub-churn/7" in out
        assert "refused: AccessDenied" in out

    def test_without_asking_for_it_the_trail_is_left_alone(self, run: Command, look_up: list[Any]) -> None:
        assert "trail" not in run("status", "--json").document
        assert look_up == []

    def test_it_looks_as_far_back_as_it_is_told(self, run: Command, look_up: list[dict[str, Any]]) -> None:
        run("status", "--trail", "--days", "30")
        first = look_up[0]
        assert round(first["EndTime"] - first["StartTime"]) == 30 * 86_400

    def test_one_model_leaves_out_what_is_another_s(self, run: Command) -> None:
        trail = run("status", "offline", "--trail", "--json").document["trail"]
        assert [each["what"] for each in trail] == ["StartExecution"], "a machine is of all models"

    def test_a_parameter_is_of_the_model_in_its_name(self, run: Command) -> None:
        trail = run("status", "churn", "--trail", "--json").document["trail"]
        assert "/mlestate/risk/production/churn/release" in [each["on"] for each in trail]

    def test_what_was_not_looked_through_is_said(self, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a kind of event it reads four pages: whoever sees nothing behind them must not think that nothing was."""
        asked: list[str] = []

        def endless(self: Any) -> str:
            (attribute,) = json.loads(self.body)["LookupAttributes"]
            asked.append(attribute["AttributeValue"])
            record = {"requestParameters": {"stateMachineArn": "arn:aws:states:x:1:stateMachine:another"}}
            event = {"EventTime": NOW.timestamp(), "CloudTrailEvent": json.dumps(record)}
            started = attribute["AttributeValue"] == "StartExecution"
            return json.dumps({"Events": [event] * 50, **({"NextToken": "more"} if started else {})})

        monkeypatch.setattr(CloudTrailResponse, "lookup_events", endless, raising=False)
        document = run("status", "--trail", "--json").document
        said = "only the newest 200 events StartExecution of the account were looked through"
        assert document["trail_cut"] == [said]
        assert asked.count("StartExecution") == 4
        assert said in " ".join(run("status", "--trail").out.split())

    def test_what_was_looked_through_whole_says_nothing_of_it(self, run: Command) -> None:
        assert run("status", "--trail", "--json").document["trail_cut"] == []

    def test_who_may_not_read_it_is_told_who_may(self, run: Command, estate: Estate) -> None:
        estate.sign_in("risk-production-ml-engineer", "mle2@risk.example")
        estate.deny(CloudTrailResponse, "lookup_events")
        done = run("status", "--trail")
        assert done.code == 1
        assert "may not cloudtrail:LookupEvents" in done.out
        assert "the auditor of production may" in done.out
