"""An estate's account on moto, and the commands as a person types them."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest
from botocore.loaders import JSONFileLoader
from moto import mock_aws
from moto.core.exceptions import JsonRESTError
from moto.sagemaker.models import sagemaker_backends

from mlestate.cli import app
from mlestate.errors import InputError
from mlestate.names import Names

REGION = "ca-central-1"
ACCOUNT = "123456789012"
"""The account of moto's credentials."""
OTHER = "222222222222"

ESTATE = f"""
version: 1
name: risk
cloud: aws
region: {REGION}
account: "{ACCOUNT}"
people:
  ml_engineers: [mle@risk.example]
  approvers: [ana@risk.example, ben@risk.example]
  operators: [oncall@risk.example]
  auditors: [audit@risk.example]
environments:
  staging: {{}}
  production: {{protect: true}}
promotion: {{approval: {{production: {{minimum: 2}}}}}}
models:
  churn:
    problem: classification
    gates: {{model: {{roc_auc: {{min: 0.8}}}}, fairness: {{attribute: province, max_disparity: 0.1}}}}
    serving:
      mode: realtime
      initial_version: 1
      replicas: {{min: 2}}
      rollout: {{strategy: canary, bake: 15m}}
  offline: {{problem: regression}}
"""

EVALUATION = {
    "version": 1,
    "metrics": {"roc_auc": 0.87, "recall": 0.61},
    "champion": {"version": "6", "metrics": {"roc_auc": 0.85, "recall": 0.6}},
    "fairness": {"attribute": "province", "disparity": 0.04, "groups": {"QC": 0.31, "ON": 0.35}},
}
BUCKET = Names("aws", "risk", "staging", REGION, ACCOUNT).physical("bucket", "artifacts")
"""Where the runs are: versions are trained in staging."""


@cache
def client(service: str) -> Any:
    """Of whoever looks after the account; a command signs in by itself."""
    return boto3.client(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture(scope="session", autouse=True)
def api_models() -> Iterator[None]:
    """Read botocore's API models once: every command signs in anew, and SageMaker's model alone is megabytes."""
    read = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield


@dataclass
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    said: str
    """On the error stream, or the sentence for wrong input."""

    @property
    def text(self) -> str:
        """What it printed without frames and line breaks: where a line ends depends on the ages in it, too."""
        return " ".join(self.out.replace("│", " ").split())

    @property
    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.out)
        return read


Command = Callable[..., Done]


class _Typed(io.StringIO):
    """What a person types at a terminal; without an answer there is no terminal."""

    def __init__(self, answer: str | None) -> None:
        super().__init__(answer or "")
        self._there = answer is not None

    def isatty(self) -> bool:
        return self._there


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `mlestate COMMAND FILE WORDS`; ``answer`` is what a person types."""

    def command(name: str, *words: str, text: str = ESTATE, answer: str | None = None) -> Done:
        file = tmp_path / "estate.yaml"
        file.write_text(text)
        monkeypatch.setattr(sys, "stdin", _Typed(answer))
        capsys.readouterr()
        code, wrong = 0, ""
        try:
            app([name, str(file), *words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        except InputError as error:
            code, wrong = 2, str(error)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err + wrong)

    return command


@dataclass
class Estate:
    """What `pulumi up` and the machines of an estate leave in the account."""

    patch: pytest.MonkeyPatch
    packages: dict[int, str] = field(default_factory=dict)

    def sign_in(self, role: str, name: str, account: str = ACCOUNT) -> None:
        """Be a person in a role; their identity is what moto's STS gives them."""
        arn, iam = f"arn:aws:iam::{account}:role/mlestate/risk/{role}", client("iam")
        if account == ACCOUNT and role not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
            # A role that is there gives all its sessions one id, as IAM does.
            iam.create_role(RoleName=role, Path="/mlestate/risk/", AssumeRolePolicyDocument="{}")
        given = client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        self.patch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
        self.patch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
        self.patch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])

    def up(self, *environments: str) -> None:
        for environment in environments:
            for machine in ("release", "rollback"):
                client("stepfunctions").create_state_machine(
                    name=f"risk-{environment}-{machine}",
                    definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
                    roleArn=f"arn:aws:iam::{ACCOUNT}:role/release",
                )
            self._table(f"risk-{environment}-releases", "model", "entry")
            self._table(f"risk-{environment}-approvals", "person", "version", by="version")

    def _table(self, name: str, key: str, sort: str, by: str | None = None) -> None:
        index = {
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": f"by-{by}",
                    "KeySchema": [{"AttributeName": by, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ]
        }
        client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in (key, sort)],
            **(index if by else {}),
        )

    def register(self, status: str = "PendingManualApproval", by: str = "mle@risk.example", **properties: str) -> int:
        """A version as the pipeline registers it; moto does not know who registered it, and is told."""
        sagemaker = client("sagemaker")
        arn = sagemaker.create_model_package(
            ModelPackageGroupName="risk-hub-churn",
            ModelApprovalStatus=status,
            CustomerMetadataProperties={"environment": "staging", **properties},
            ModelMetrics={
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": f"s3://{BUCKET}/churn/runs/1/evaluate/evaluation/evaluation.json",
                    }
                }
            },
        )["ModelPackageArn"]
        number = int(arn.rpartition("/")[2])
        self.package(arn).created_by = {
            "IamIdentity": {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/run", "SourceIdentity": by}
        }
        self.packages[number] = arn
        return number

    def package(self, version: int | str) -> Any:
        arn = version if isinstance(version, str) else self.packages[version]
        return sagemaker_backends[ACCOUNT][REGION].model_packages[arn]

    def evaluated(self, evaluation: object, key: str = "churn/runs/1/evaluate/evaluation/evaluation.json") -> None:
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(evaluation))

    def write(
        self, environment: str, entry: str, document: object, schema: str = "1", model: str = "churn", **more: str
    ) -> None:
        """An entry of the ledger, as the machines write it."""
        item = {
            "model": model,
            "entry": entry,
            "schema": schema,
            "at": more.pop("at", "2026-11-24T13:00:00.000Z"),
            "document": document if isinstance(document, str) else json.dumps(document),
            **more,
        }
        client("dynamodb").put_item(
            TableName=f"risk-{environment}-releases", Item={key: {"S": value} for key, value in item.items()}
        )

    def sign(self, person: str, version: int, environment: str = "production") -> None:
        item = {"person": f"AROA:{person}", "version": f"churn/{version}", "at": "2026-11-24T12:00:00+00:00"}
        client("dynamodb").put_item(
            TableName=f"risk-{environment}-approvals",
            Item={key: {"S": value} for key, value in (item | {"reason": "read the report"}).items()},
        )

    def approvals(self, environment: str = "production") -> list[dict[str, str]]:
        items = client("dynamodb").scan(TableName=f"risk-{environment}-approvals")["Items"]
        return [{key: value["S"] for key, value in each.items()} for each in items]

    def started(self, machine: str) -> list[dict[str, Any]]:
        """The inputs of a machine's executions."""
        states = client("stepfunctions")
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-{machine}"
        found = states.list_executions(stateMachineArn=arn)["executions"]
        return [json.loads(states.describe_execution(executionArn=each["executionArn"])["input"]) for each in found]

    def begin(self, machine: str, name: str = "run") -> str:
        """An execution of a machine that goes on; moto runs no states here."""
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:risk-{machine}"
        begun: str = client("stepfunctions").start_execution(stateMachineArn=arn, name=name, input="{}")["executionArn"]
        return begun

    def deny(self, response: type, operation: str) -> None:
        """Refuse an operation, as IAM does."""

        def refused(self: Any, *_: Any) -> Any:
            raise JsonRESTError("AccessDeniedException", "User is not authorized")

        self.patch.setattr(response, operation, refused)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    for key in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def estate(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    """An estate that is up, with seven versions of churn of which the last waits for a verdict."""
    with mock_aws():
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        client("sagemaker").create_model_package_group(ModelPackageGroupName="risk-hub-churn")
        found = Estate(monkeypatch)
        found.up("staging", "production")
        for _ in range(6):
            found.register("Approved")
        found.register()
        found.evaluated(EVALUATION)
        yield found


def release(version: int, started: str, **more: Any) -> Mapping[str, Any]:
    """The document of a release."""
    return {
        "version": version,
        "cause": "approved",
        "by": "",
        "execution": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:risk-production-release:{version}",
        "strategy": "canary",
        "started": started,
        "phase": "done",
        "since": started,
        **more,
    }
