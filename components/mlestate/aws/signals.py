"""The events on AWS that people are told of, each with the sentence that tells it. Plain data: no SDK."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlestate.names import Names

__all__ = ["ALARM", "SIGNALS", "Signal"]


@dataclass(frozen=True)
class Signal:
    """One kind of event. ``said`` is a text with `<name>` for each of `paths`, as EventBridge's input transformer has
    it."""

    name: str
    description: str
    source: str
    detail_type: str
    detail: Mapping[str, Any]
    """What the event's `detail` must hold; ``{slice}``, ``{pipeline}`` and ``{schedule}`` stand for how this slice's
    names, and the ARNs of its pipelines and monitoring schedules, begin."""
    paths: Mapping[str, str]
    said: str
    urgency: str = field(default="notice")

    def pattern(self, names: Names) -> str:
        """The event pattern as canonical JSON."""
        own = {"{slice}": f"{names.slice}-"} | {
            f"{{{word}}}": names.arn("sagemaker", f"{kind}/{names.slice}-")
            for word, kind in (("pipeline", "pipeline"), ("schedule", "monitoring-schedule"))
        }
        pattern = {"source": [self.source], "detail-type": [self.detail_type], "detail": _filled(self.detail, own)}
        return json.dumps(pattern, sort_keys=True, separators=(",", ":"))

    @property
    def sentence(self) -> str:
        """The input template for a topic: one text in quotation marks (EventBridge, "Input transformation")."""
        return json.dumps(self.said)

    @property
    def message(self) -> str:
        """The input template for Slack: the JSON that an incoming webhook takes."""
        return json.dumps({"text": self.said})


ALARM = Signal(
    name="alarm-changed",
    description="Tells Slack when an alarm of this slice goes off, and when all is well again",
    source="aws.cloudwatch",
    detail_type="CloudWatch Alarm State Change",
    detail={
        "alarmName": [{"prefix": "{slice}"}],
        # An alarm that has just been made comes to OK from having no data: nothing was wrong.
        "$or": [{"state": {"value": ["ALARM"]}}, {"state": {"value": ["OK"]}, "previousState": {"value": ["ALARM"]}}],
    },
    paths={
        "alarm": "$.detail.alarmName",
        "state": "$.detail.state.value",
        "what": "$.detail.configuration.description",
    },
    said="<state>: <alarm>. <what>",
)
"""CloudWatch user guide, "Alarm events and EventBridge". CloudWatch itself tells the topics of an alarm."""

SIGNALS: tuple[Signal, ...] = (
    # SageMaker writes a pipeline's name in its ARN in lower case; the estate's names are.
    Signal(
        name="pipeline-failed",
        description="Tells when a training pipeline of this slice fails",
        source="aws.sagemaker",
        detail_type="SageMaker Model Building Pipeline Execution Status Change",
        detail={"pipelineArn": [{"prefix": "{pipeline}"}], "currentPipelineExecutionStatus": ["Failed"]},
        paths={"execution": "$.detail.pipelineExecutionArn"},
        said="A training pipeline failed: <execution>. Its steps say why; a gate that did not pass is named there.",
    ),
    Signal(
        name="processing-failed",
        description="Tells when a monitor, or another processing job of this slice, fails",
        source="aws.sagemaker",
        detail_type="SageMaker Processing Job State Change",
        detail={
            # SageMaker names the jobs of its own monitors itself, and says which schedule they are of.
            "$or": [
                {"ProcessingJobName": [{"prefix": "{slice}"}]},
                {"MonitoringScheduleArn": [{"prefix": "{schedule}"}]},
            ],
            "ProcessingJobStatus": ["Failed"],
            # A monitor of SageMaker's own fails where nobody asked the model anything: that is no news.
            "FailureReason": [{"exists": False}, {"anything-but": {"wildcard": "*no data*"}}],
        },
        paths={"job": "$.detail.ProcessingJobName", "why": "$.detail.FailureReason"},
        said="The job <job> failed: <why>. Its log is in /aws/sagemaker/ProcessingJobs.",
    ),
    Signal(
        name="transform-failed",
        description="Tells when a batch run of this slice fails",
        source="aws.sagemaker",
        detail_type="SageMaker Transform Job State Change",
        detail={"TransformJobName": [{"prefix": "{slice}"}], "TransformJobStatus": ["Failed"]},
        paths={"job": "$.detail.TransformJobName", "why": "$.detail.FailureReason"},
        said="The batch run <job> failed: <why>. Its log is in /aws/sagemaker/TransformJobs.",
    ),
)
"""SageMaker developer guide, "Automating Amazon SageMaker with Amazon EventBridge"."""


def _filled(value: Any, own: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(each, own) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, own) for each in value]
    return own.get(value, value)
