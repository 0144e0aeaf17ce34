"""The events on AWS that start a release, a rollback or a retraining. Plain data: no SDK.

Sources: SageMaker developer guide, "Automating Amazon SageMaker with Amazon EventBridge" (model package and endpoint
state changes); CloudWatch user guide, "Alarm events and EventBridge". That a change of an approved version's metadata
sends another event with the status Approved, and `UpdatedModelPackageFields` says what changed, is documented for the
former; a rule that asks for the status alone would release again with every edit.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlestate.aws.neighbours import PASSED, VERDICTS
from mlestate.aws.retraining import patterns
from mlestate.names import Names

__all__ = ["Event", "events"]


@dataclass(frozen=True)
class Event:
    """One kind of event, and what the machine that it starts is given."""

    name: str
    description: str
    machine: str
    """The role of the state machine, as in its name."""
    source: str
    detail_type: str
    detail: Mapping[str, Any]
    given: Mapping[str, Any]
    """The machine's input; a value that begins with `$.` is taken out of the event."""
    own_bus: bool = True
    """Whether it comes over the environment's own bus, or over the account's."""

    @property
    def pattern(self) -> str:
        """The event pattern as canonical JSON."""
        pattern = {"source": [self.source], "detail-type": [self.detail_type], "detail": self.detail}
        return json.dumps(pattern, sort_keys=True, separators=(",", ":"))

    @property
    def paths(self) -> dict[str, str]:
        """The input paths of the target's transformer."""
        return {name: value for name, value in self.given.items() if _taken(value)}

    @property
    def template(self) -> str:
        """Its input template: EventBridge puts a text in quotation marks by itself (user guide, "Input
        transformation")."""
        members = (
            f'"{name}":<{name}>' if _taken(value) else f'"{name}":{json.dumps(value)}'
            for name, value in self.given.items()
        )
        return "{" + ",".join(members) + "}"


def _taken(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$.")


def events(names: Names, hub: Names, before: Names | None, breaches: Sequence[str]) -> Iterator[Event]:
    """The events of an environment. ``before`` comes before it on the path of promotion; ``breaches`` are the names of
    the alarms that retrain."""
    versions = {"group": "$.detail.ModelPackageGroupName", "version": "$.detail.ModelPackageVersion"}
    ours = {"ModelPackageGroupName": [{"prefix": f"{hub.slice}-"}]}
    changed = {"UpdatedModelPackageFields": ["ModelApprovalStatus"]}
    if before is None:
        yield Event(
            "registered",
            "Tells who decides that a version waits for a verdict",
            "release",
            *VERDICTS,
            {**ours, "ModelApprovalStatus": ["PendingManualApproval"], "ModelPackageStatus": ["Completed"]},
            {"cause": "registered", **versions},
        )
        yield Event(
            "approved",
            "Starts the release of a version that was approved",
            "release",
            *VERDICTS,
            {**ours, "ModelApprovalStatus": ["Approved"], **changed},
            {"cause": "approved", **versions},
        )
    else:
        yield Event(
            "passed",
            f"Starts the release of a version that has passed {before.environment}",
            "release",
            *PASSED,
            {"estate": [names.estate], "from": [before.environment], "to": [names.environment]},
            {"cause": "passed", "model": "$.detail.model", "version": "$.detail.version"},
        )
    yield Event(
        "rejected",
        "Takes a version back whose approval was taken back",
        "rollback",
        *VERDICTS,
        {**ours, "ModelApprovalStatus": ["Rejected"], **changed},
        {"cause": "rejected", **versions},
    )
    yield Event(
        "endpoint-changed",
        "Takes up the first endpoint of a model, and finds what was changed by hand",
        "release",
        "aws.sagemaker",
        "SageMaker Endpoint State Change",
        {"EndpointName": [{"prefix": f"{names.slice}-"}], "EndpointStatus": ["IN_SERVICE"]},
        {"cause": "endpoint", "endpoint": "$.detail.EndpointName"},
        own_bus=False,
    )
    for number, pattern in enumerate(patterns(breaches), start=1):
        yield Event(
            "breach" if number == 1 else f"breach-{number}",
            "Starts a training run when the data or the answers are not what the model was made for",
            "retraining",
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            json.loads(pattern)["detail"],
            {"trigger": "breach", "alarm": "$.detail.alarmName", "evidence": "$.detail.state.reason"},
            own_bus=False,
        )
