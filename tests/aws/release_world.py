"""AWS plays the scenarios of releases in a simulated account; each in a copy of the process that has the account."""

import gc
import json
import os
import pickle
import random
import re
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from tests.release_scenarios import ESTATES, Message, Seen

from .account import Account, Coverage, Trained
from .account.clock import iso
from .account.expressions import read
from .account.people import ACCOUNT, REGION
from .conftest import Recorded
from .test_comparison_job import captured
from .test_monitor_job import label

__all__ = ["COVERAGE", "LEDGER", "PLAYED", "SLICE", "AwsWorld", "Worlds", "apart"]

T = TypeVar("T")

COVERAGE = Coverage()
"""What all scenarios of a process have visited."""

REAL_SECONDS = 600
"""How long a scenario may really take: a hundred times what it does, so that this ends what hangs and nothing else."""

SLICE = "risk-production"
LEDGER, APPROVALS = f"{SLICE}-releases", f"{SLICE}-approvals"
KILLED = {
    "locked": ("release", "Take"),
    "prepared": ("release", "Model"),
    "beside": ("release", "MoveBeside"),
    "described": ("release", "Whole"),
    "switched": ("release", "Switch"),
    "written": ("release", "Written"),
    "going-back": ("rollback", "Back"),
}
"""By a step that every cloud has: the machine, and the state after which it dies."""


PLAYED: set[str] = set()
"""By name: what has been played in this process."""


def apart(work: Callable[[], T], name: str) -> T:
    """What comes of something that is done in a copy of this process, in which whatever it leaves behind ends too.

    An account takes seconds to fill, and every scenario wants a fresh one.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 and later: the account's threads stand still while none has its turn, and hold nothing.
        warnings.filterwarnings(
            "ignore", r"This process \(pid=\d+\) is multi-threaded, use of fork", DeprecationWarning
        )
        child = os.fork()
    if child == 0:
        gc.freeze()  # what is looked through for garbage is copied
        signal.alarm(REAL_SECONDS)
        try:
            done: tuple[bool, Any] = (True, (work(), COVERAGE))
        # Whatever it is, the parent is told and raises.
        except BaseException as error:
            done = (False, "".join(traceback.format_exception(error)[-4:]))
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(done, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    assert said, f"what is done apart does not end in {REAL_SECONDS} seconds"
    passed, value = pickle.loads(said)  # noqa: S301  # written by a copy of this process
    if not passed:
        pytest.fail(value, pytrace=False)
    result: T = value[0]
    COVERAGE.add(value[1])
    PLAYED.add(name)
    return result


class Worlds:
    """Estates that are up in an account, and what they serve taken up: one at a time, as moto is one."""

    def __init__(self, estate: Recorded) -> None:
        self._estate = estate
        self._open = ExitStack()
        self._name = ""
        self._world: AwsWorld | None = None

    def of(self, name: str) -> "AwsWorld":
        """The estate of `release_scenarios.ESTATES`."""
        if self._world is None or name != self._name:
            self._open.close()
            account = self._open.enter_context(Account.of(self._estate(_text(name)), COVERAGE))
            account.run()
            states = account.client("stepfunctions")
            for each in states.list_state_machines()["stateMachines"]:
                read(states.describe_state_machine(stateMachineArn=each["stateMachineArn"])["definition"])
            self._name, self._world = name, AwsWorld(account)
        return self._world

    def __enter__(self) -> "Worlds":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _text(name: str) -> str:
    return ESTATES[name].format(cloud="aws", region=f"{REGION}\naccount: '{ACCOUNT}'")


def who(person: str) -> str:
    return f"{person}@risk.example"


def right(rows: Any) -> list[Any]:
    return [{"prediction": 1, "probability": 0.9} for _ in rows]


def wrong(rows: Any) -> list[Any]:
    return [{"prediction": 0, "probability": 0.9} for _ in rows]


def nonsense(rows: Any) -> str:
    return "prediction\n1"


def nothing(rows: Any) -> list[Any]:
    raise KeyError("province")


ANSWERS = {"right": right, "wrong": wrong, "nonsense": nonsense, "nothing": nothing}
EVALUATION = {"metrics": {"accuracy": 0.9, "roc_auc": 0.9}}


@dataclass
class AwsWorld:
    """`tests.release_scenarios.World` on AWS."""

    account: Account
    environment: str = "production"

    def __post_init__(self) -> None:
        account = self.account
        self.begun = {(each["model"], each["entry"]) for each in account.items(LEDGER)}
        self.heard = len(account.messages.all)

    # acts

    def settings(self, model: str, **changed: Any) -> None:
        ssm, name = self.account.client("ssm"), f"/mlestate/risk/{self.environment}/{model}/release"
        said = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        for key, value in changed.items():
            said[key] = {**said[key], **value} if isinstance(value, Mapping) else value
        ssm.put_parameter(Name=name, Value=json.dumps(said), Type="String", Overwrite=True)

    def register(
        self, model: str, by: str | None = None, answers: str = "right", examples: bool = True, accuracy: float = 0.9
    ) -> None:
        without = {} if examples else {f"evaluate/examples/{each}.json": None for each in ("request", "answer")}
        trained = Trained(
            answers=ANSWERS[answers],
            answered=right,
            evaluation={"metrics": {"accuracy": accuracy, "roc_auc": 0.9}},
            files=without,
        )
        self.account.register(model, by=who(by) if by else None, started_by=who("scientist"), trained=trained)

    def approve(self, model: str, version: int, by: str, *, times: int = 1) -> None:
        if times > 1:
            self.account.clock.settle()
            self.account.twice("SageMaker Model Package State Change", times - 1)
        self.account.approve(model, version, by=who(by), reason="it is better")

    def reject(self, model: str, version: int, by: str, *, heard: bool = True) -> None:
        self.account.events.silent = not heard
        self.account.reject(model, version, by=who(by), reason="it is worse")
        self.account.events.silent = False

    def doctor(self, model: str, version: int, what: str) -> None:
        versions = self.account.registry.versions
        (first, mine) = (versions[self.account.version_arn(model, each)] for each in (1, version))
        if what == "archive":
            container = first["InferenceSpecification"]["Containers"][0]
            mine["InferenceSpecification"] = {**mine["InferenceSpecification"], "Containers": [container]}
        elif what == "changed":
            mine["InferenceSpecification"]["Containers"][0]["ModelDataETag"] = "0" * 32
        elif what == "many":
            folder = f"{mine['ModelMetrics']['ModelQuality']['Statistics']['S3Uri'].rpartition('/')[0]}"
            for number in range(1000):
                self.account.write(f"{folder}/groups/{number}.json", "{}")
        elif what == "run":
            del mine["MetadataProperties"]
        else:
            numbers = mine["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
            examples = f"{numbers.partition('/evaluate/')[0]}/evaluate/examples/answer.json"
            self.account.write({"numbers": numbers, "examples": examples}[what], "{}")

    def edit(self, model: str, version: int, by: str) -> None:
        self.account.edit(model, version, by=who(by), note="seen")

    def sign(self, model: str, version: int, by: str) -> None:
        role, _, person = by.rpartition("/")
        self.account.put_item(
            APPROVALS,
            person=f"AROA{(role or 'approver').upper()}:{who(person)}",
            version=f"{model}/{version}",
            at=iso(self.account.clock.now),
            reason="agreed",
        )
        self.release(model, version, person)

    def release(self, model: str, version: int, by: str = "engineer") -> None:
        self.raw("release", cause="person", model=model, version=version, by=who(by), reason="said so")

    def rollback(self, model: str, by: str = "engineer", environment: str | None = None) -> None:
        given = {"cause": "person", "model": model, "by": who(by), "reason": "said so"}
        self.account.start(f"risk-{environment or self.environment}-rollback", given)

    def passes(self, model: str, version: int) -> None:
        detail = {"estate": "risk", "from": "staging", "to": self.environment, "model": model, "version": version}
        entry = {"Source": "mlestate", "DetailType": "Model version passed", "Detail": json.dumps(detail)}
        self.account.client("events").put_events(Entries=[{**entry, "EventBusName": f"{SLICE}-releases"}])

    def raw(self, machine: str, **given: Any) -> None:
        self.account.start(f"risk-{self.environment}-{machine}", given)

    def until(self, phase: str) -> None:
        limit = self.account.clock.now + timedelta(days=3)
        while not self._is(phase):
            assert self.account.clock.now < limit, f"no release comes to {phase}"
            self.account.clock.advance(seconds=30)

    def _is(self, phase: str) -> bool:
        if phase == "beside":
            return any(
                (len(each.variants) == 2 or each.shadows) and each.status == "InService"
                for each in self.account.endpoints.endpoints.values()
            )
        return any(each["document"].get("phase") == phase for each in self._entries())

    def wait(self, **time: float) -> None:
        self.account.clock.advance(**time)

    def settle(self) -> None:
        # The longest that any of them bakes is a day: what still turns after three never ends.
        self.account.clock.settle(days=3)
        self.account.check()

    def alarm(self, model: str) -> None:
        self.account.alarm(f"{SLICE}-{model}-rollback-error-rate", "ALARM", "12 % of the requests failed")

    def errors(self, model: str, share: float) -> None:
        self.account.answering(f"{SLICE}-{model}", "challenger", errors=share)

    def answered(
        self,
        model: str,
        champion: float = 1.0,
        challenger: float = 1.0,
        apart: float | None = None,
        known: bool = True,
    ) -> None:
        requests = 600
        account, lots = self.account, random.Random(7)  # noqa: S311  # data of a test keep no secret
        account.clock.advance(minutes=5)
        now = account.clock.now
        hour, time, capture = f"{now:%Y/%m/%d/%H}", iso(now), account.bucket(f"{SLICE}-capture")
        truths = [at // 2 % 2 for at in range(requests)]
        share = {"champion": champion, "challenger": challenger}
        for part, (variant, good) in enumerate(share.items()):
            mine = range(requests) if apart is not None else range(part, requests, 2)
            lines = []
            for at in mine:
                said = truths[at] if lots.random() < good else 1 - truths[at]
                if apart is not None:
                    said = 1 - truths[at] if variant == "challenger" and at < apart * requests else truths[at]
                lines.append(captured(at, [{"prediction": said, "probability": 0.2 + 0.6 * said}], time))
            place = f"{capture}/{model}/{SLICE}-{model}/{variant}/{hour}/a.jsonl"
            account.write(f"s3://{place}", "\n".join(lines))
        if known:
            told = "\n".join(label(at, str(truth)) for at, truth in enumerate(truths))
            account.write(f"s3://{account.bucket(f'{SLICE}-raw')}/labels/{model}/{hour}/labels.jsonl", told)

    def spoil(self, model: str, how: Any) -> None:
        self.account.spoil_update(f"{SLICE}-{model}", how)

    def shrink(self, model: str, machines: int) -> None:
        wanted = [{"VariantName": "champion", "DesiredInstanceCount": machines}]
        sagemaker = self.account.client("sagemaker")
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=f"{SLICE}-{model}", DesiredWeightsAndCapacities=wanted
        )

    def meddle(self, model: str) -> None:
        sagemaker, endpoint = self.account.client("sagemaker"), self.account.endpoint(f"{SLICE}-{model}")
        like = self.account.endpoints.configurations[endpoint.configuration]
        sagemaker.create_endpoint_config(
            EndpointConfigName="try-something", ProductionVariants=like["ProductionVariants"]
        )
        sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName="try-something")

    def resize(self, model: str, *, scaled: bool) -> None:
        self._described(model, version=1, machine="ml.m5.4xlarge")
        if scaled:
            self.account.client("application-autoscaling").register_scalable_target(
                ServiceNamespace="sagemaker",
                ResourceId=f"endpoint/{SLICE}-{model}/variant/champion",
                ScalableDimension="sagemaker:variant:DesiredInstanceCount",
                MinCapacity=1,
                MaxCapacity=3,
            )

    def serve(self, model: str, version: int, *, heard: bool = True) -> None:
        if not heard:
            self.account.events.silent = True
            self.serve(model, version)
            self.account.clock.settle()
            self.account.events.silent = False
            return
        name = self._described(model, version, "ml.m5.large")
        self.account.client("sagemaker").create_endpoint(EndpointName=f"{SLICE}-{model}", EndpointConfigName=name)

    def _described(self, model: str, version: int, machine: str) -> str:
        """As `pulumi up` does for a file that says something new of what serves: the name of its configuration."""
        sagemaker, name = self.account.client("sagemaker"), f"{SLICE}-serving-{model}-0a1b2c3"
        role = f"arn:aws:iam::{ACCOUNT}:role/mlestate/risk/{SLICE}-{model}-inference"
        package = {"ModelPackageName": self.account.version_arn(model, version)}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, Containers=[package], EnableNetworkIsolation=True)
        variant = {"VariantName": "champion", "ModelName": name, "InstanceType": machine}
        variants = [{**variant, "InitialInstanceCount": 1, "InitialVariantWeight": 1.0}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        self.settings(model, template=name)
        return name

    def kill(self, after: str) -> None:
        machine, state = KILLED[after]
        self.account.kill(f"{SLICE}-{machine}", after_state=state)

    def old_ledger(self, model: str) -> None:
        (live,) = self.account.items(LEDGER, model=model, entry="live")
        self.account.put_item(LEDGER, **{**live, "schema": "0"})

    # how it looks

    def seen(self, model: str) -> Seen:
        live = next((each["document"] for each in self.account.items(LEDGER, model=model, entry="live")), None)
        endpoint = self.account.endpoints.endpoints.get(f"{SLICE}-{model}")
        self.account.check()
        return Seen(
            traffic=self._traffic(model),
            live=live["version"] if live else None,
            previous=live["previous"]["version"] if live and live["previous"] else None,
            ledger=tuple(self._line(each) for each in self._entries() if each["model"] == model),
            told=tuple(
                Message(each.topic.rpartition("-")[2], each.subject or "", each.text)
                for each in self.account.messages.all[self.heard :]
                if (each.subject or "").startswith(f"{SLICE}: ")
            ),
            locked=bool(self.account.items(LEDGER, entry="lock")),
            shares=tuple(_shares(endpoint.history)) if endpoint else (),
            mistakes=(
                *self.account.mistakes,
                *(f"undelivered: {each.error}" for each in self.account.events.undelivered()),
            ),
        )

    def _entries(self) -> list[dict[str, Any]]:
        found = [
            each
            for each in self.account.items(LEDGER)
            if re.match("release/|rollback/", each["entry"]) and (each["model"], each["entry"]) not in self.begun
        ]
        return sorted(found, key=lambda each: str(each["document"]["started"]))

    def _line(self, entry: Mapping[str, Any]) -> str:
        said = entry["document"]
        what = "back" if entry["entry"].startswith("rollback/") else said["version"]
        return f"{what} {said.get('outcome') or said['phase']}"

    def _traffic(self, model: str) -> dict[int, float]:
        endpoint = self.account.endpoints.endpoints.get(f"{SLICE}-{model}")
        if endpoint is None:
            name = f"/mlestate/risk/{self.environment}/models/{model}"
            found = self.account.client("ssm").get_parameters(Names=[name])["Parameters"]
            return {self._version(each["Value"]): 1.0 for each in found}
        models = {
            each["VariantName"]: each["ModelName"]
            for each in self.account.endpoints.configurations[endpoint.configuration]["ProductionVariants"]
        }
        return {self._version(models[variant]): share for variant, share in endpoint.traffic.items()}

    def _version(self, sagemaker_model: str) -> int:
        """Which version really answers: read off its artifact."""
        described = self.account.endpoints.models[sagemaker_model]
        container = described.get("PrimaryContainer") or described["Containers"][0]
        uri = container.get("ModelDataUrl")
        if uri is None:
            package = self.account.registry.versions[container["ModelPackageName"]]
            uri = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        return int(json.loads(self.account.read(uri))["number"])


def _shares(history: Any) -> Iterator[int]:
    before = None
    for each in history:
        if "challenger" in each.weights and each.status == "InService":
            share = round(100 * each.weights["challenger"] / sum(each.weights.values()))
            if share != before:
                yield share
            before = share
