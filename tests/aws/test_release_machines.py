"""AWS: what only its machines of release and rollback have: every call of theirs refused for good once. The
account asks botocore of each request whether the service's own model takes it.

Not proved here: that a service refuses with the errors that it is made to refuse with.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from mlestate.aws import release, rollback
from mlestate.aws.release_states import Place
from mlestate.names import Names
from tests.release_scenarios import Act, do, perform

from .account.clock import iso
from .account.people import ACCOUNT, REGION
from .conftest import Recorded
from .release_world import LEDGER, SLICE, AwsWorld, Worlds, apart

NAMES = Names("aws", "risk", "production", REGION, ACCOUNT)
MODELS = ("ab", "batch", "canary", "later", "whole")
PLACE = Place(
    NAMES,
    {each: f"risk-hub-{each}" for each in MODELS},
    MODELS,
    {each: f"{SLICE}-{each}" for each in MODELS if each != "batch"},
    {"ab": {}},
)
SERVICES = {"applicationautoscaling": "application-autoscaling", "eventbridge": "events", "sfn": "stepfunctions"}
"""By the name in a state's resource: boto3's, where it is another."""


def tasks(definition: str) -> Iterator[tuple[str, str, str]]:
    """The states that call a service: their name, boto3's of the service, and the operation."""

    def walk(program: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, state in program["States"].items():
            yield name, state
            for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
                if inner:
                    yield from walk(inner)

    for name, state in walk(json.loads(definition)):
        if state["Type"] == "Task":
            service, operation = state["Resource"].rpartition("aws-sdk:")[2].split(":")
            yield name, SERVICES.get(service, service), operation[0].upper() + operation[1:]


QUICK = do("settings", rollout={"bake_seconds": 60})
APPROVED = (do("approve", version=2, by="approver"), do("settle"))


@dataclass(frozen=True)
class Base:
    """A life of a model in which the state is entered: what comes before it is refused, and what after."""

    model: str
    before: Sequence[Act]
    after: Sequence[Act]
    estate: str = "alone"


BASES: Mapping[str, Base] = {
    "whole": Base("whole", (QUICK, do("register"), do("settle")), APPROVED),
    "canary": Base("canary", (QUICK, do("register"), do("settle")), APPROVED),
    "ab": Base("ab", (QUICK, do("register"), do("settle")), APPROVED),
    "promoted": Base(
        "ab",
        (QUICK, do("register"), do("settle")),
        (APPROVED[0], do("until", phase="comparing"), do("answered", champion=0.7, challenger=0.9), do("settle")),
    ),
    "batch": Base("batch", (do("register"), do("settle")), APPROVED),
    "third": Base(
        "whole",
        (
            *(QUICK, do("register"), *APPROVED, do("register"), do("approve", version=3, by="approver"), do("settle")),
            *(do("register"), do("settle")),
        ),
        (do("approve", version=4, by="approver"), do("settle")),
    ),
    "first": Base(
        "later",
        (do("register"), do("approve", version=1, by="approver"), do("settle")),
        (do("serve", version=1), do("settle")),
    ),
    "killed": Base(
        "whole",
        (QUICK, do("register"), do("kill", after="prepared"), *APPROVED),
        (do("raw", machine="release", cause="approved", version=2), do("settle")),
    ),
    "there": Base(
        "canary",
        (QUICK, do("register"), do("kill", after="described"), *APPROVED),
        (do("release", version=2), do("settle")),
    ),
    "alarm": Base(
        "canary",
        (QUICK, do("register"), APPROVED[0], do("until", phase="comparing"), do("alarm")),
        (do("settle"),),
    ),
    "shrunk": Base(
        "canary",
        (QUICK, do("register"), APPROVED[0], do("until", phase="beside"), do("shrink", machines=1)),
        (do("settle"),),
    ),
    "resized": Base("whole", (QUICK, do("resize", scaled=True), do("register"), do("settle")), APPROVED),
    "malformed": Base("whole", (), (do("raw", machine="release"), do("raw", machine="rollback"), do("settle"))),
    "signed": Base(
        "whole",
        (do("settings", promotion={"approvals": 1}), do("register")),
        APPROVED,
        "path",
    ),
    "back": Base("whole", (QUICK, do("register"), *APPROVED), (do("rollback"), do("settle"))),
    "batch back": Base("batch", (do("register"), *APPROVED), (do("rollback"), do("settle"))),
    "rejected": Base(
        "whole", (QUICK, do("register"), *APPROVED), (do("reject", version=2, by="approver"), do("settle"))
    ),
    "stops": Base(
        "canary",
        (do("register"), APPROVED[0], do("until", phase="comparing")),
        (do("reject", version=2, by="approver"), do("settle")),
    ),
}


FAULTS: Mapping[tuple[str, str], str] = {
    ("release", state): base
    for base, states in {
        "whole": "Settings Version Numbers Drift Starter Attempts Take Live Endpoint Preparing Here ListOne BringOne "
        "Template TemplateModel Model Trying Trial TrialRuns Answer Expected Shifting Whole Switch Settle Baking Look "
        "StillApproved ApprovedYet Promoting Kept PlaceOne Crown Passport Written Record Tell Unlock",
        "canary": "Stepping Comparing Beside MoveBeside Shift Measure DeleteConfiguration",
        "ab": "Compare CompareRuns Report",
        "batch": "Current PutCurrent IsCurrent",
        "third": "DeleteModel",
        "first": "AdoptConfiguration AdoptFrom Adopted",
        "killed": "LastRuns HolderRuns Holder TakeOver ModelThere",
        "there": "BesideThere WholeThere",
        "alarm": "HandOver TakeBack",
        "shrunk": "Raise",
        "resized": "ServesOn Scaled",
        "malformed": "Tellable",
        "signed": "Signatures SendOn",
    }.items()
    for state in states.split()
} | {
    ("rollback", state): base
    for base, states in {
        "back": "Settings Take Live Endpoint Before Back Settle Kept PlaceOne Crown Passport Written Record Tell "
        "Unlock",
        "batch back": "Current PutCurrent",
        "rejected": "Rejection Now",
        "stops": "Stop Open Close Holder HolderRuns TakeOver",
        "malformed": "Tellable",
    }.items()
    for state in states.split()
}
"""By a state that calls a service: the life in which it is refused."""
CALLS = {
    (machine, state): (service, operation)
    for machine, definition in (("release", release.definition(PLACE)), ("rollback", rollback.definition(PLACE)))
    for state, service, operation in tasks(definition)
}


def test_every_call_of_the_machines_is_refused_once() -> None:
    assert CALLS.keys() == FAULTS.keys(), f"{CALLS.keys() ^ FAULTS.keys()}"


@pytest.fixture(scope="module")
def worlds(estate: Recorded) -> Iterator[Worlds]:
    with Worlds(estate) as made:
        yield made


ENDS: Mapping[tuple[int | None, str], str] = {
    (1, "failed"): (
        "release: Signatures Settings Drift Attempts Take LastRuns HolderRuns Holder "
        "TakeOver; rollback: Kept PlaceOne Crown Passport"
    ),
    (1, "failed, rolled-back"): (
        "release: Preparing Here ListOne Template TemplateModel Model Trying Trial "
        "TrialRuns Expected StillApproved ApprovedYet ServesOn Scaled Shifting Raise Whole Switch Baking Look "
        "Promoting Written Comparing Beside MoveBeside Stepping Shift Measure Compare CompareRuns Report "
        "PutCurrent IsCurrent ModelThere BesideThere WholeThere"
    ),
    (None, "failed, failed"): "release: Current AdoptConfiguration AdoptFrom Adopted",
    (1, "refused"): "release: Version Numbers Starter BringOne",
    (1, "waiting-for-endpoint"): "release: Endpoint",
    (1, "stopped"): "release: Answer",
    (1, "rejected"): "rollback: Rejection Open Close",
    (2, "released"): "release: Tell Unlock DeleteConfiguration",
    (4, "released"): "release: DeleteModel",
    (2, "promoting"): "release: Record",
    (1, "rolled-back, rolled-back"): "release: HandOver",
    (1, "rolled-back"): "release: TakeBack; rollback: Before Tell Unlock",
    # Of staging: it is told there, and nothing comes here.
    (1, ""): "release: Tellable SendOn; rollback: Tellable Record",
    (2, "failed"): (
        "release: Kept PlaceOne Crown Passport; rollback: Settings Take Live Endpoint Back "
        "Now Current PutCurrent Written"
    ),
    (1, "failed, already-live"): "rollback: Settle",
    (1, "failed, failed"): "release: Live Settle",
    # What it stopped is closed by then; the endpoint is found to stand between two versions.
    (1, "rolled-back, failed, failed"): "rollback: TakeOver",
    # A rejection cannot stop the release, which goes on until it looks for the verdict; what its steps change at the
    # endpoint is looked at in vain.
    (1, "refused, failed, rolled-back"): "rollback: Stop",
    (1, "refused, failed, failed, failed, rolled-back, failed"): "rollback: Holder HolderRuns",
}
"""How each refusal ends: the version in use, and what the ledger has more than before."""
HALF = {("release", "TakeBack"), ("rollback", "TakeOver")}
"""Where Step Functions starts no rollback, or the ledger gives it no turn, traffic stays half moved: people are told,
with the command."""


def refused(world: AwsWorld, machine: str, state: str) -> None:
    base = BASES[FAULTS[machine, state]]
    perform(base.before, base.model, world)
    account, before = world.account, world.seen(base.model)
    account.refuse(*CALLS[machine, state], "InternalFailure", times=1000, state=state)
    alarms, heard = len(failures(world)), len(account.messages.all)
    perform(base.after, base.model, world)
    assert account.executions.faults[-1].times < 1000, "the state is entered in this life"
    seen = world.seen(base.model)
    told = seen.told[len(before.told) :]
    lines = [each.rpartition(" ")[2] for each in seen.ledger if each not in before.ledger]
    assert f" {state} " in f" {_ends(machine, (seen.live, ', '.join(lines)))} ", f"in use: {seen.live}, ledger: {lines}"
    assert len(account.messages.all) > heard or len(failures(world)) > alarms, (
        "somebody is told, or the alarm of the machine rings"
    )
    assert not seen.mistakes
    holders = [each["execution"] for each in account.items(LEDGER, entry="lock")]
    assert all(not running(world, each) for each in holders), "what keeps a turn is no more, so it is taken over"
    if (machine, state) in HALF:
        assert "mlestate rollback" in "".join(each.text for each in told)
    else:
        assert list(seen.traffic.values()) == [1.0], f"traffic is half moved: {seen.traffic}"


def _ends(machine: str, end: tuple[int | None, str]) -> str:
    said = dict(each.split(": ") for each in ENDS.get(end, "").split("; ") if each)
    return str(said.get(machine, ""))


def failures(world: AwsWorld) -> list[str]:
    states = world.account.client("stepfunctions")
    return [
        each["executionArn"]
        for machine in ("release", "rollback")
        for each in states.list_executions(
            stateMachineArn=NAMES.arn("states", f"stateMachine:{SLICE}-{machine}"), statusFilter="FAILED"
        )["executions"]
    ]


def running(world: AwsWorld, execution: str) -> bool:
    states = world.account.client("stepfunctions")
    try:
        return bool(states.describe_execution(executionArn=execution)["status"] == "RUNNING")
    except states.exceptions.ExecutionDoesNotExist:
        return False


def estate_of(fault: tuple[str, str]) -> str:
    return BASES[FAULTS[fault]].estate


BY_ESTATE = sorted(FAULTS, key=estate_of)
"""So that an estate is brought up once."""


@pytest.mark.parametrize(("machine", "state"), BY_ESTATE)
def test_a_call_that_is_refused_for_good_has_a_clear_end(worlds: Worlds, machine: str, state: str) -> None:
    world = worlds.of(BASES[FAULTS[machine, state]].estate)
    apart(lambda: refused(world, machine, state), f"{machine} {state}")


START = "2026-11-23T09:00:00Z"
GONE = NAMES.arn("states", f"execution:{SLICE}-release:gone")


def _now(world: AwsWorld, model: str, version: int = 2) -> dict[str, Any]:
    return world.account.registry.versions[world.account.version_arn(model, version)]


def _lock(world: AwsWorld, at: str = START) -> None:
    world.account.put_item(
        LEDGER, model="whole", entry="lock", execution=GONE, version="2", schema="1", at=at, document="{}"
    )


def _handed_over(world: AwsWorld) -> None:
    """A turn of an execution that has yet to start, and never does."""
    _lock(world, iso(world.account.clock.now))


def _waited_for(world: AwsWorld) -> None:
    (lock,) = world.account.items(LEDGER, entry="lock")
    assert lock["execution"] == GONE, "it may start any moment: nobody takes its turn yet"


def _elsewhere(world: AwsWorld) -> None:
    """The run was one of the same pipeline in another account."""
    said = _now(world, "whole")["MetadataProperties"]
    said["GeneratedBy"] = said["GeneratedBy"].replace(f":{ACCOUNT}:", ":999999999999:")


def _lost(world: AwsWorld) -> None:
    said = {"version": 2, "execution": GONE, "started": START, "phase": "trying"}
    entry = f"release/000002/{said['started']}"
    world.account.put_item(LEDGER, model="whole", entry=entry, schema="1", document=said)


def _raced(world: AwsWorld, state: str) -> None:
    world.account.refuse("dynamodb", "PutItem", "ConditionalCheckFailedException", state=state)


def _unregistered(world: AwsWorld) -> None:
    sagemaker, group = world.account.client("sagemaker"), world.account.group("whole")
    container = {"Image": "x", "ModelDataUrl": "s3://x/y"}
    types = {"SupportedContentTypes": ["application/json"], "SupportedResponseMIMETypes": ["application/json"]}
    sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [container], **types},
    )


def _no_bus(world: AwsWorld) -> None:
    events = world.account.client("events")
    for rule in events.list_rules(EventBusName=f"{SLICE}-releases")["Rules"]:
        names = {"EventBusName": f"{SLICE}-releases", "Rule": rule["Name"]}
        targets = events.list_targets_by_rule(**names)["Targets"]
        events.remove_targets(**names, Ids=[each["Id"] for each in targets])
        events.delete_rule(EventBusName=f"{SLICE}-releases", Name=rule["Name"])
    events.delete_event_bus(Name=f"{SLICE}-releases")


def _no_parameter(world: AwsWorld) -> None:
    world.account.client("ssm").delete_parameter(Name="/mlestate/risk/production/models/batch")


NEW = (QUICK, do("register"), do("settle"))
Step = Act | Callable[[AwsWorld], Any]
LIVES: Mapping[str, tuple[str, Sequence[Step], tuple[str, ...]]] = {
    "an endpoint that is out of service": (
        "whole",
        (*NEW, lambda world: setattr(world.account.endpoint(f"{SLICE}-whole"), "status", "OutOfService"), *APPROVED),
        ("2 failed",),
    ),
    "a model that answers nobody": (
        "offline",
        (do("release", version=1), do("rollback"), do("settle")),
        (),
    ),
    "an event of an endpoint that is gone again": (
        "later",
        (do("raw", machine="release", cause="endpoint"), do("settle")),
        (),
    ),
    "a turn of nobody": ("whole", (*NEW, _lock, *APPROVED), ("2 released",)),
    "a turn of nobody, to a rollback": (
        "whole",
        (*NEW, *APPROVED, _lock, do("rollback"), do("settle")),
        ("2 released", "back rolled-back"),
    ),
    "a turn that was just handed on, to nobody": (
        "whole",
        (*NEW, _handed_over, APPROVED[0], do("wait", minutes=4), _waited_for, do("settle")),
        ("2 released",),
    ),
    "a turn that was just handed on, to nobody, and a rollback": (
        "whole",
        (*NEW, *APPROVED, _handed_over, do("rollback"), do("wait", minutes=4), _waited_for, do("settle")),
        ("2 released", "back rolled-back"),
    ),
    "a release of nobody": ("whole", (*NEW, _lost, *APPROVED), ("2 trying", "2 released")),
    "an approval that is told again while the release runs": (
        "whole",
        (
            *NEW,
            APPROVED[0],
            do("until", phase="trying"),
            do("raw", machine="release", cause="approved", version=2),
            do("settle"),
        ),
        ("2 released",),
    ),
    "a comparison that fails": (
        "ab",
        (
            *NEW,
            APPROVED[0],
            do("until", phase="beside"),
            lambda world: world.account.jobs.failing.update({"-ab-": "no room"}),
            do("settle"),
        ),
        ("2 undecided", "back rolled-back"),
    ),
    "nothing that rings": ("whole", (*NEW, do("settings", rollback_alarms=[]), *APPROVED), ("2 released",)),
    "a version that is not complete": (
        "whole",
        (*NEW, lambda world: _now(world, "whole").update(ModelPackageStatus="Failed"), *APPROVED),
        ("2 refused",),
    ),
    "a version of which nobody knows who approved it": (
        "whole",
        (*NEW, APPROVED[0], lambda world: _now(world, "whole").pop("LastModifiedBy"), do("settle")),
        ("2 refused",),
    ),
    "a run of another account": (
        "whole",
        (
            *NEW,
            _elsewhere,
            *APPROVED,
        ),
        ("2 released",),
    ),
    "a version of no run": ("whole", (_unregistered, do("release", version=2), do("settle")), ("2 refused",)),
    "a ledger of another schema, to a rollback": (
        "whole",
        (do("old_ledger"), do("rollback"), do("settle")),
        ("back failed",),
    ),
    "a rollback while another runs": (
        "whole",
        (*NEW, *APPROVED, do("rollback"), do("wait", minutes=1), do("rollback"), do("settle")),
        ("2 released", "back rolled-back", "back failed"),
    ),
    "a rollback of which success is said and nothing changed": (
        "whole",
        (*NEW, *APPROVED, do("spoil", how="silent"), do("rollback"), do("settle")),
        ("2 released", "back failed"),
    ),
    "a batch model that is not there": (
        "batch",
        (*NEW, _no_parameter, *APPROVED, do("rollback"), do("settle")),
        ("2 waiting-for-endpoint", "back failed"),
    ),
    "an A/B test that died and goes on": (
        "ab",
        (
            *NEW,
            do("kill", after="beside"),
            APPROVED[0],
            do("until", phase="comparing"),
            do("wait", minutes=1),
            do("release", version=2),
            do("settle"),
        ),
        ("2 comparing", "2 undecided", "back rolled-back"),
    ),
    "a turn that was given back meanwhile": (
        "whole",
        (*NEW, lambda world: _raced(world, "Take"), *APPROVED),
        ("2 released",),
    ),
    "a turn that somebody else took over": (
        "whole",
        (*NEW, _lock, lambda world: _raced(world, "TakeOver"), *APPROVED),
        ("2 released",),
    ),
    "a turn that was given back meanwhile, to a rollback": (
        "whole",
        (*NEW, *APPROVED, lambda world: _raced(world, "Take"), do("rollback"), do("settle")),
        ("2 released", "back rolled-back"),
    ),
    "a turn that somebody else took over, to a rollback": (
        "whole",
        (*NEW, *APPROVED, _lock, lambda world: _raced(world, "TakeOver"), do("rollback"), do("settle")),
        ("2 released", "back rolled-back"),
    ),
    "path: a next environment that cannot be told": ("whole", (do("register"), _no_bus, *APPROVED), ()),
    "path: a request that makes no sense": (
        "whole",
        (do("raw", machine="release"), do("raw", machine="rollback"), do("settle")),
        (),
    ),
}
"""What only AWS can meet: the model, what happens, and the ledger in the end."""


def estate_of_life(name: str) -> str:
    return "path" if name.startswith("path: ") else "alone"


def lived(world: AwsWorld, name: str) -> None:
    model, steps, ledger = LIVES[name]
    for step in steps:
        if callable(step):
            step(world)
        else:
            perform([step], model, world)
    seen = world.seen(model)
    assert seen.ledger == ledger, f"{seen.ledger}: {[each.text for each in seen.told]}"
    assert not seen.locked
    assert len(seen.traffic) <= 1, f"traffic is half moved: {seen.traffic}"


@pytest.mark.parametrize("name", LIVES)
def test_what_only_aws_can_meet_has_a_clear_end(worlds: Worlds, name: str) -> None:
    world = worlds.of(estate_of_life(name))
    apart(lambda: lived(world, name), name)
