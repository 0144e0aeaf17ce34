"""The simulated account served on loopback, so that any AWS client of another process reaches it.

Everything happens in the thread that serves: requests stand in a queue, and time passes only when someone lets it. So a
session repeats itself exactly, whatever the machine's load.

Requests reach moto by the way that mock_aws sends those of this process: moto's own server would ask for Flask besides.
Signatures are not verified and no policy is evaluated: who someone is follows from the access key, what they may is
proved elsewhere (tests/aws/test_access_matrix.py).
"""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber
from moto.sts.models import sts_backends

from mlestate.aws.trust import PEOPLE
from mlestate.blueprint.inventory import Row, rows
from mlestate.config.estate import Estate
from mlestate.errors import InputError

from . import CONTROL
from .account import Account
from .people import ACCOUNT, REGION, Identity, person
from .runs import Trained

__all__ = ["ACTS", "Served", "open_account"]

SERVICES = (
    "budgets",
    "cloudtrail",
    "cloudwatch",
    "dynamodb",
    "events",
    "iam",
    "s3",
    "sagemaker",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
)
SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
"""Who signed a request, and for which service (AWS Signature Version 4)."""

LARGEST = 16 * 1024 * 1024


class Refused(Exception):
    """An act that makes no sense, in a sentence."""


Answer = tuple[int, dict[str, str], bytes]


class Served:
    """An account, the people who may sign in to it, and what is asked of both."""

    def __init__(self, account: Account, config: Estate, inventory: Sequence[Row]) -> None:
        self.account, self.config = account, config
        self._inventory = inventory
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._open = True
        self.endpoint = ""

    # one thread

    def do(self, work: Callable[[], Any]) -> Any:
        """Have something done in the thread that serves, and wait for what comes of it."""
        done: Future[Any] = Future()
        self._jobs.put((work, done))
        return done.result()

    def serve(self, port: int, ready: Callable[[], None]) -> None:
        """Answer until someone asks to stop, or interrupts."""
        with _listening(self, port) as address:
            self.endpoint = f"http://127.0.0.1:{address}"
            ready()
            while self._open:
                work, done = self._jobs.get()
                try:
                    done.set_result(work())
                # Whoever asked is told; the next one is answered all the same.
                except Exception as error:
                    done.set_exception(error)

    # AWS

    def aws(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the account answers to a request, made by whoever signed it."""
        signed = SCOPE.search(headers.get("authorization", ""))
        host = self._hosts.get(signed[2]) if signed else None
        if signed is None or host is None:
            what = f"has no service {signed[2]!r}" if signed else "takes signed requests alone"
            return _refusal(HTTPStatus.NOT_IMPLEMENTED, f"the simulated account {what}")
        passed = HTTPHeaders()
        for name, value in headers.items():
            if name.lower() not in ("host", "connection", "expect"):
                passed[name] = value
        passed["Host"] = host.partition("//")[2]
        request = AWSPreparedRequest(method, f"{host}{path}", passed, body, stream_output=False)
        with self.account.acting(self.identity(signed[1])):
            found = botocore_stubber.process_request(request)
        if found is None:
            return _refusal(HTTPStatus.NOT_IMPLEMENTED, f"the simulated account has no answer to {method} {path}")
        status, answered, text = found
        return int(status), {name: str(value) for name, value in answered.items()}, _bytes(text)

    def identity(self, key: str) -> Identity:
        """Whose access key it is; a key that nobody was given is nobody's."""
        session = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(key)
        return Identity("nobody", key) if session is None else person(session.arn.partition(":assumed-role/")[2])

    @cached_property
    def _hosts(self) -> dict[str, str]:
        """By the name that requests are signed for: where a service is."""
        clients = [self.account.client(each) for each in SERVICES]
        found = {each.meta.service_model.signing_name: each.meta.endpoint_url for each in clients}
        return found | {"s3": f"https://s3.{REGION}.amazonaws.com"}

    # people

    def sign_in(self, file: Path) -> list[str]:
        """Write a profile for every person of the estate in every slice in which they have a role: their names.

        A profile of a real account names the role and takes it by AssumeRole; here the session is given, because a
        simulated hour passes in no time and would end it.
        """
        iam, sts = self.account.client("iam"), self.account.client("sts")
        found = configparser.ConfigParser(interpolation=None)
        found["default"] = {"region": REGION, "endpoint_url": self.endpoint}
        for row in self._inventory:
            persona = row.inputs["name"].removeprefix(f"{self.config.name}-{_slice(row)}-") if _is_role(row) else ""
            people = getattr(self.config.people, PEOPLE[persona]) if persona in PEOPLE else ()
            if people:
                # A role that is there gives all its sessions one id, as IAM does.
                iam.create_role(RoleName=row.inputs["name"], Path=row.inputs["path"], AssumeRolePolicyDocument="{}")
            for each in people:
                arn = f"arn:aws:iam::{ACCOUNT}:role{row.inputs['path']}{row.inputs['name']}"
                given = sts.assume_role(RoleArn=arn, RoleSessionName=each)["Credentials"]
                name = f"profile {each.partition('@')[0]}-{_slice(row)}"
                found[f"{name}-{persona}" if name in found else name] = {
                    "region": REGION,
                    "endpoint_url": self.endpoint,
                    "aws_access_key_id": given["AccessKeyId"],
                    "aws_secret_access_key": given["SecretAccessKey"],
                    "aws_session_token": given["SessionToken"],
                }
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            found.write(out)
        return [each.removeprefix("profile ") for each in found.sections() if each != "default"]

    # what no API of AWS does

    def act(self, asked: Mapping[str, Any]) -> Any:
        """Do what is asked for, and say what came of it.

        Raises:
            Refused: there is no such act, or not for these words.
        """
        given = dict(asked)
        name = given.pop("act", None)
        if name not in ACTS:
            raise Refused(f"there is no act {name!r}; there are {', '.join(ACTS)}")
        try:
            return ACTS[name](self, **given)
        except (AssertionError, TypeError) as error:
            raise Refused(str(error)) from error

    def register(self, model: str, by: str, metrics: Mapping[str, float]) -> dict[str, Any]:
        """A finished run of the model's pipeline, started by somebody, that registers what it trained."""
        if model not in self.config.models:
            raise Refused(f"the estate has no model {model!r}; it has {', '.join(self.config.models)}")
        number = self.account.register(
            model, started_by=by, trained=Trained(evaluation={"version": 1, "metrics": dict(metrics)})
        )
        self.account.clock.advance(minutes=1)
        return {"version": number}

    def wait(self, minutes: float | None = None) -> dict[str, Any]:
        """Let time pass: so many minutes, or until nothing runs."""
        clock = self.account.clock
        before = clock.now
        if minutes is None:
            self.account.run()
        else:
            clock.advance(minutes=minutes)
            self.account.check()
        return {
            "seconds": (clock.now - before).total_seconds(),
            "now": clock.now.isoformat(timespec="seconds"),
            "runs": clock.living,
        }

    def answer(self, environment: str, model: str, variant: str, errors: float) -> dict[str, Any]:
        """Have a variant of an endpoint answer a share of its requests with errors from now on."""
        name = f"{self.config.name}-{environment}-{model}"
        if name not in self.account.endpoints.endpoints:
            raise Refused(f"there is no endpoint {name}; there are {', '.join(self.account.endpoints.endpoints)}")
        variants = self.account.endpoint(name).traffic
        if variant not in variants:
            raise Refused(f"{name} has no variant {variant!r} now; it has {', '.join(variants)}")
        self.account.answering(name, variant, errors=errors)
        return {"endpoint": name, "variant": variant, "errors": errors}

    def alarm(self, name: str, state: str) -> dict[str, Any]:
        """Set an alarm."""
        self.account.alarm(name, state, f"set to {state} by hand")
        return {"alarm": name, "state": state}

    def messages(self) -> list[dict[str, Any]]:
        """What was published to the topics that people listen to, in order."""
        return [
            {"at": each.at.isoformat(), "topic": each.topic, "subject": each.subject, "text": each.text}
            for each in self.account.published()
        ]

    def stop(self) -> dict[str, Any]:
        """Answer this request, and no other."""
        self._open = False
        return {}


ACTS: Mapping[str, Callable[..., Any]] = {
    "alarm": Served.alarm,
    "answer": Served.answer,
    "messages": Served.messages,
    "register": Served.register,
    "stop": Served.stop,
    "wait": Served.wait,
}


@contextlib.contextmanager
def open_account(config: Estate, checkpoint: Mapping[str, Any]) -> Iterator[Served]:
    """An account that is filled from an estate's exported state, and whose endpoints are in service.

    Its clock begins at this moment, and is ahead of this computer's from the first time that someone lets time pass.

    Raises:
        InputError: the estate lies in another account than the one that is simulated, or in another region.
    """
    homes = {config.home or ACCOUNT, *(each.home or config.home or ACCOUNT for each in config.environments.values())}
    if homes != {ACCOUNT} or config.region != REGION:
        raise InputError(
            f"the simulation has the account {ACCOUNT} in {REGION}, and {config.name} lies in "
            f"{', '.join(sorted(homes))} in {config.region}"
        )
    inventory = rows(checkpoint)
    account = Account.of(inventory)
    account.clock.now = datetime.now(UTC).replace(microsecond=0)
    with account:
        account.run()
        yield Served(account, config, inventory)


def _is_role(row: Row) -> bool:
    return row.type == "aws:iam/role:Role"


def _slice(row: Row) -> str:
    return str(row.inputs["tags"]["environment"])


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text or "").encode()


def _refusal(status: HTTPStatus, message: str) -> Answer:
    body = json.dumps({"__type": status.phrase.replace(" ", ""), "message": message}).encode()
    return int(status), {"Content-Type": "application/x-amz-json-1.1"}, body


@contextlib.contextmanager
def _listening(served: Served, port: int) -> Iterator[int]:
    """Take requests on loopback, each in a thread of its own that waits for the one that serves: the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with contextlib.suppress(ConnectionError):
                super().handle_one_request()

        def _answer(self) -> None:
            status, headers, body = self._found()
            self.send_response_only(status)
            # AWS tells its own time in every answer.
            self.send_header("Date", format_datetime(served.account.clock.now, usegmt=True))
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "date", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", headers.get("content-length", "0") if self._head else str(len(body)))
            self.end_headers()
            if not self._head:
                self.wfile.write(body)

        @property
        def _head(self) -> bool:
            return self.command == "HEAD"

        def _found(self) -> Answer:
            length = self.headers.get("Content-Length", "0")
            # A page of the web that a browser shows must not reach it by another name of this computer.
            if self.headers.get("Host") != f"127.0.0.1:{self.server.server_port}":  # type: ignore[attr-defined]  # typeshed says BaseServer
                return _refusal(HTTPStatus.FORBIDDEN, "ask by the address 127.0.0.1")
            if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST:
                self.close_connection = True
                return _refusal(HTTPStatus.LENGTH_REQUIRED, f"a request says its length, at most {LARGEST} bytes")
            body = self.rfile.read(int(length))
            try:
                if self.path == CONTROL:
                    return self._acted(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer: Answer = served.do(lambda: served.aws(self.command, self.path, headers, body))
                return answer
            # What breaks here is the simulation's mistake: whoever asked is told, as AWS tells of its own.
            except Exception as error:
                return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")

        def _acted(self, body: bytes) -> Answer:
            if self.command != "POST" or self.headers.get("Content-Type") != "application/json":
                return _refusal(HTTPStatus.BAD_REQUEST, f"{CONTROL} takes JSON by POST")
            try:
                said = served.do(lambda: served.act(json.loads(body)))
            except (Refused, ValueError) as error:
                return _refusal(HTTPStatus.BAD_REQUEST, str(error))
            return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815  the names are http.server's

        def log_message(self, *_: object) -> None:
            """Nothing is logged: headers hold keys."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
