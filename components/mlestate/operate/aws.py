"""A slice of an estate on AWS: its registry, ledger, approvals and machines, asked through boto3."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from mlestate.config.estate import Estate
from mlestate.errors import InputError
from mlestate.names import HUB, Names
from mlestate.operate.aws_account import Account, Session, person, signer
from mlestate.operate.aws_trail import look_up
from mlestate.operate.contract import (
    RECENT,
    Approval,
    Call,
    Caller,
    Document,
    Ledger,
    NotThere,
    Refused,
    Trail,
    Turn,
    Verdict,
    Version,
)
from mlestate.pipeline import EVALUATION
from mlestate.release import LEDGER_SCHEMA

__all__ = ["AwsAccess", "AwsPlace", "sign_in"]

VERDICTS: Mapping[str, Verdict] = {"Approved": "approved", "Rejected": "rejected", "PendingManualApproval": "waiting"}
STATUS: Mapping[str, str] = {"approved": "Approved", "rejected": "Rejected"}

REASON_LIMIT = 1024
"""Characters of an ApprovalDescription (SageMaker API, UpdateModelPackage)."""

PASSED = "passed-"
"""What the property of a version begins with that says since when it was released in an environment."""

PAGE = 100
"""The most versions that the registry lists at once (SageMaker API, ListModelPackages)."""

EVALUATION_BYTES = 1024 * 1024


def sign_in(config: Estate) -> "AwsAccess":
    """The estate, as whoever boto3's credentials are.

    Raises:
        Refused: there are none, or nobody answers.
    """
    return AwsAccess(config, Session(config.region))


class AwsAccess:
    """As `Access` says. What the file gives no account lies in that of the credentials."""

    def __init__(self, config: Estate, session: Session) -> None:
        self._config, self._session = config, session

    def enter(self, slice_: str, personas: Sequence[str]) -> "AwsPlace":
        """As `Access.enter` says."""
        own = None if slice_ == HUB else self._config.environments[slice_].home
        account = Account(self._session, self._names(slice_, own), self._config.people, personas)
        return AwsPlace(account, self._names(HUB, None))

    def _names(self, slice_: str, home: str | None) -> Names:
        config = self._config
        return Names(config.cloud, config.name, slice_, config.region, home or config.home or self._session.account)


class AwsPlace:
    """As `Place` says."""

    def __init__(self, account: Account, hub: Names) -> None:
        self._account = account
        self._names = account.names
        self._hub = hub

    @property
    def caller(self) -> Caller:
        return self._account.session.caller

    def version(self, model: str, number: int) -> Version:
        arn = self._version_arn(model, number)
        said = self._account.ask(
            "sagemaker",
            "DescribeModelPackage",
            arn,
            f"{model} has no version {number} in the registry",
            ModelPackageName=arn,
        )
        properties: Mapping[str, str] = said.get("CustomerMetadataProperties") or {}
        verdict = VERDICTS.get(said.get("ModelApprovalStatus", ""), "waiting")
        quality = (said.get("ModelMetrics") or {}).get("ModelQuality") or {}
        return Version(
            model=model,
            number=number,
            verdict=verdict,
            reason=said.get("ApprovalDescription"),
            usable=said["ModelPackageStatus"] == "Completed",
            registered=said.get("CreationTime"),
            registered_by=_who(said.get("CreatedBy")),
            # Of one that was released the release kept the approver; of one that went back nobody's name is kept.
            changed_by=_who(said.get("LastModifiedBy"))
            if not self._is_machine(said.get("LastModifiedBy"))
            else properties.get("approved-by")
            if verdict == "approved"
            else None,
            evaluation=(quality.get("Statistics") or {}).get("S3Uri"),
            passed={key.removeprefix(PASSED): value for key, value in properties.items() if key.startswith(PASSED)},
            trained_in=properties.get("environment"),
        )

    def _is_machine(self, context: Mapping[str, Any] | None) -> bool:
        """Whether a release or a rollback wrote to a version last: they write where it is, and no verdict."""
        role = str(((context or {}).get("IamIdentity") or {}).get("Arn") or "").partition(":assumed-role/")[2]
        return re.match(rf"{re.escape(self._names.estate)}-.+-(release|rollback)/", role) is not None

    def newest(self, model: str) -> Version | None:
        return next(self._listed(model, {"MaxResults": 1}), None)

    def waiting(self, model: str) -> Sequence[Version]:
        return [*self._listed(model, {"ModelApprovalStatus": "PendingManualApproval", "MaxResults": PAGE})]

    def _listed(self, model: str, asked: Document) -> Iterator[Version]:
        """Page by page, so that who wants one version asks once."""
        group = self._group(model)
        token: dict[str, str] = {}
        while True:
            said = self._account.ask(
                "sagemaker",
                "ListModelPackages",
                self._version_arn(model, "*"),
                self._not_made(f"the group {group}"),
                ModelPackageGroupName=self._hub.arn("sagemaker", f"model-package-group/{group}"),
                SortBy="CreationTime",
                SortOrder="Descending",
                **asked,
                **token,
            )
            for each in said["ModelPackageSummaryList"]:
                yield Version(
                    model=model,
                    number=each["ModelPackageVersion"],
                    verdict=VERDICTS.get(each.get("ModelApprovalStatus", ""), "waiting"),
                    reason=None,
                    usable=each["ModelPackageStatus"] == "Completed",
                    registered=each.get("CreationTime"),
                )
            if "NextToken" not in said:
                return
            token = {"NextToken": said["NextToken"]}

    def evaluation(self, version: Version) -> tuple[str, Document]:
        """The copy that the release made in this environment, else the one of the training run."""
        own = (
            f"s3://{self._names.physical('bucket', 'artifacts')}/{version.model}/versions/{version.number}/evaluation/"
            f"{EVALUATION}"
        )
        places = [own] if self._names.environment != HUB else []
        places += [version.evaluation] if version.evaluation else []
        refused = Refused(f"the registry names no {EVALUATION} of {version.model}/{version.number}")
        for uri in places:
            try:
                return uri, self._read(uri)
            except Refused as error:
                refused = error
        raise refused

    def _read(self, uri: str) -> Document:
        found = re.fullmatch(r"s3://([^/]+)/(.+)", uri)
        if found is None:
            raise Refused(f"{uri} is no address in S3")
        bucket, key = found.groups()
        on = self._names.arn("s3", f"{bucket}/{key}", regional=False)
        said = self._account.ask("s3", "GetObject", on, f"there is no {uri}", Bucket=bucket, Key=key)
        try:
            read = json.loads(said["Body"].read(EVALUATION_BYTES))
        except ValueError as error:
            raise Refused(f"{uri} is not JSON") from error
        if not isinstance(read, dict):
            raise Refused(f"{uri} holds no object")
        return read

    def ledger(self, model: str) -> Ledger:
        table = self._names.physical("table", "releases")
        live = self._item(table, model, "live")
        lock = self._item(table, model, "lock")
        releases = [self._document(each) for each in self._entries(table, model, "release/")]
        releases += [
            {**self._document(each), "rollback": True} for each in self._entries(table, model, "rollback/", RECENT)
        ]
        return Ledger(
            live=None if live is None else self._document(live),
            releases=sorted(releases, key=lambda each: str(each.get("started")), reverse=True),
            retraining=[
                {**self._document(each), "at": each.get("at", {}).get("S", "")}
                for each in self._entries(table, model, "retraining/", RECENT)
            ],
            turn=None if lock is None else self._turn(lock),
        )

    def _item(self, table: str, model: str, entry: str) -> Document | None:
        said = self._account.ask(
            "dynamodb",
            "GetItem",
            self._names.arn("dynamodb", f"table/{table}"),
            self._not_made(f"the ledger {table}"),
            TableName=table,
            Key={"model": {"S": model}, "entry": {"S": entry}},
            ConsistentRead=True,
        )
        return said.get("Item")

    def _entries(self, table: str, model: str, prefix: str, most: int | None = None) -> Iterator[Document]:
        """The entries of a kind, from the last key back; all of them where ``most`` does not say how many."""
        asked = {
            "TableName": table,
            "KeyConditionExpression": "#m = :m AND begins_with(#e, :e)",
            "ExpressionAttributeNames": {"#m": "model", "#e": "entry"},
            "ExpressionAttributeValues": {":m": {"S": model}, ":e": {"S": prefix}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            **({} if most is None else {"Limit": most}),
        }
        for page in self._pages(table, "ledger", asked):
            yield from page["Items"]
            if most is not None:
                return

    def _pages(self, table: str, what: str, asked: dict[str, Any]) -> Iterator[Document]:
        index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
        on = self._names.arn("dynamodb", f"table/{table}{index}")
        page: Document = {"LastEvaluatedKey": None}
        while "LastEvaluatedKey" in page:
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page["LastEvaluatedKey"] else {}
            page = self._account.ask("dynamodb", "Query", on, self._not_made(f"the {what} {table}"), **asked, **start)
            yield page

    def _document(self, item: Document) -> dict[str, Any]:
        """What a ledger's entry says.

        Raises:
            Refused: it was written in another form than this version of the command knows.
        """
        entry = f"{item['model']['S']} {item['entry']['S']}"
        schema = item.get("schema", {}).get("S")
        if schema != LEDGER_SCHEMA:
            raise Refused(
                f"the ledger's entry {entry} has schema {schema}, and this command knows {LEDGER_SCHEMA}: use the "
                "mlestate that this environment was brought up with"
            )
        try:
            found = json.loads(item["document"]["S"])
        except (KeyError, ValueError) as error:
            raise Refused(f"the ledger's entry {entry} holds no document") from error
        if not isinstance(found, dict):
            raise Refused(f"the ledger's entry {entry} holds no document")
        return found

    def _turn(self, lock: Document) -> Turn:
        execution, version = lock["execution"]["S"], lock.get("version", {}).get("S", "")
        return Turn(
            execution,
            # Until a release knows its version it says 0.
            version=int(version) if version.isdecimal() and version != "0" else None,
            since=lock.get("at", {}).get("S", ""),
            is_rollback=f":{self._names.physical('state-machine', 'rollback')}:" in execution,
        )

    def is_running(self, turn: Turn) -> bool:
        arn = turn.execution
        try:
            said = self._account.ask("stepfunctions", "DescribeExecution", arn, f"{arn} is gone", executionArn=arn)
        except NotThere:
            return False
        return bool(said["status"] == "RUNNING")

    def approvals(self, model: str, version: int) -> Sequence[Approval]:
        table = self._names.physical("table", "approvals")
        asked = {
            "TableName": table,
            "IndexName": "by-version",
            "KeyConditionExpression": "#v = :v",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":v": {"S": f"{model}/{version}"}},
        }
        items = [each for page in self._pages(table, "table of approvals", asked) for each in page["Items"]]
        found = [
            Approval(
                person=signer(each["person"]["S"]),
                at=each.get("at", {}).get("S", ""),
                reason=each.get("reason", {}).get("S", ""),
            )
            for each in items
        ]
        return sorted(found, key=lambda each: each.at)

    def verdict(self, model: str, version: int, verdict: Literal["approved", "rejected"], reason: str) -> Call:
        if len(reason) > REASON_LIMIT:
            raise InputError(f"--reason has {len(reason)} characters; the registry takes {REASON_LIMIT}")
        arn = self._version_arn(model, version)
        return Call(
            f"{model}/{version} is {verdict} in the registry",
            "sagemaker",
            "UpdateModelPackage",
            arn,
            {"ModelPackageArn": arn, "ModelApprovalStatus": STATUS[verdict], "ApprovalDescription": reason},
        )

    def signature(self, model: str, version: int, reason: str) -> Call:
        table = self._names.physical("table", "approvals")
        item = {
            "person": self._account.session.user_id,
            "version": f"{model}/{version}",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "reason": reason,
        }
        return Call(
            f"{self.caller.name} agrees to {model}/{version} in {self._names.environment}",
            "dynamodb",
            "PutItem",
            self._names.arn("dynamodb", f"table/{table}"),
            {"TableName": table, "Item": {key: {"S": value} for key, value in item.items()}},
        )

    def release(self, model: str, version: int, reason: str | None) -> Call:
        given = {"cause": "person", "model": model, "version": version, "by": self.caller.name}
        return self._start(
            "release",
            f"the release of {model}/{version} starts in {self._names.environment}",
            f"{model[:40]}-{version}",
            given if reason is None else given | {"reason": reason},
        )

    def rollback(self, model: str, reason: str) -> Call:
        return self._start(
            "rollback",
            f"{model} goes back to the version before in {self._names.environment}",
            model[:40],
            {"cause": "person", "model": model, "by": self.caller.name, "reason": reason},
        )

    def _start(self, machine: str, does: str, name: str, given: Document) -> Call:
        arn = self._names.arn("states", f"stateMachine:{self._names.physical('state-machine', machine)}")
        arguments = {
            "stateMachineArn": arn,
            # A name that is given once makes a request that is sent twice start one execution (Step Functions API,
            # StartExecution).
            "name": f"{name}-{uuid4().hex[:16]}",
            "input": json.dumps(given, ensure_ascii=False),
        }
        return Call(does, "stepfunctions", "StartExecution", arn, arguments)

    def check(self, call: Call) -> None:
        if call.operation == "StartExecution":
            self._account.ask(
                "stepfunctions", "DescribeStateMachine", call.on, self._missing(call), stateMachineArn=call.on
            )

    def make(self, call: Call) -> None:
        self._account.ask(call.service, call.operation, call.on, self._missing(call), **call.arguments)

    def _missing(self, call: Call) -> str:
        return self._not_made(call.on)

    def trail(self, slices: Sequence[str], days: int) -> Trail:
        return look_up(self._account, slices, days)

    def _not_made(self, thing: str) -> str:
        names = self._names
        return f"`pulumi up` has not made {thing} yet in account {names.home}: bring {names.environment} up first"

    def _group(self, model: str) -> str:
        return self._hub.physical("model-package-group", model)

    def _version_arn(self, model: str, version: int | str) -> str:
        return self._hub.arn("sagemaker", f"model-package/{self._group(model)}/{version}")


def _who(context: Mapping[str, Any] | None) -> str | None:
    """Who a registry entry says that it was (SageMaker API, UserContext): what four eyes are told apart by."""
    if not context:
        return None
    identity = context.get("IamIdentity") or {}
    source, arn = identity.get("SourceIdentity"), identity.get("Arn")
    return source or (person(arn) if arn else context.get("UserProfileName"))
