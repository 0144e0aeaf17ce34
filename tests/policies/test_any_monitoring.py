"""What counts as watching an endpoint, and what only names it."""

import json
from typing import Any

from mlestate_policies.any.monitoring import (
    endpoints_are_watched,
    monitors_reach_somebody,
    monitors_read_what_is_captured,
)
from mlestate_policies.resources import Estate
from mlestate_policies.rules import StackCheck, Undecided
from mlestate_policies.settings import Settings
from mlestate_policies.values import UNKNOWN
from tests.policies.cases import resources

ENDPOINT = {
    "churn": {
        "type": "aws:sagemaker/endpoint:Endpoint",
        "properties": {"name": "shop-churn", "endpointConfigName": "churn-1"},
        "links": {"endpointConfigName": ["config"]},
    },
    "config": {
        "type": "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "properties": {
            "name": "churn-1",
            "dataCaptureConfig": {"enableCapture": True, "destinationS3Uri": "s3://shop-capture/churn"},
        },
        "links": {"dataCaptureConfig": ["capture"]},
    },
    "capture": {"type": "aws:s3/bucket:Bucket", "properties": {"bucket": "shop-capture"}},
}


def schedule(name: str, said: Any, **entry: Any) -> dict[str, Any]:
    text = said if isinstance(said, str) else json.dumps(said)
    properties = {"name": name, "target": {"input": text}}
    return {name: {"type": "aws:scheduler/schedule:Schedule", "properties": properties, **entry}}


def said(rule: StackCheck, *more: dict[str, Any]) -> list[str]:
    entries = {name: entry for each in (ENDPOINT, *more) for name, entry in each.items()}
    found = rule(Estate(resources(entries)), Settings())
    return [f"? {each.path}" if isinstance(each, Undecided) else each.message for each in found]


def test_a_job_that_is_told_where_requests_are_captured_watches() -> None:
    assert said(endpoints_are_watched)
    assert not said(endpoints_are_watched, schedule("job", {"capture": "s3://shop-capture/churn/champion/"}))
    assert said(endpoints_are_watched, schedule("job", {"capture": "s3://shop-capture/fraud/"}))


def test_what_stops_an_endpoint_at_night_does_not_watch_it() -> None:
    assert said(endpoints_are_watched, schedule("night", {"stop": ["shop-churn"]}))
    assert not said(endpoints_are_watched, schedule("drift", {"endpoint": "shop-churn"}))


def test_a_job_whose_input_is_not_known_watches_when_it_comes_from_the_capture() -> None:
    assert said(endpoints_are_watched, schedule("job", UNKNOWN)) == ["? target.input"]
    assert not said(endpoints_are_watched, schedule("job", UNKNOWN, links={"target": ["capture"]}))


def test_an_endpoint_for_experiments_need_not_be_watched() -> None:
    entry = ENDPOINT["churn"]
    experiment = {**entry, "properties": {**entry["properties"], "tags": {"environment": "dev"}}}  # type: ignore[dict-item]
    assert not said(endpoints_are_watched, {"churn": experiment})


def test_capture_is_asked_for_where_a_monitor_needs_it() -> None:
    closed = {"config": {**ENDPOINT["config"], "properties": {"name": "churn-1"}}}
    assert not said(monitors_read_what_is_captured, closed)
    assert said(monitors_read_what_is_captured, closed, schedule("drift", {"endpoint": "shop-churn"}))


def test_a_store_of_another_stack_is_no_fault_of_one_that_has_none() -> None:
    entries = {"churn": ENDPOINT["churn"], "config": ENDPOINT["config"]}
    entries |= schedule("drift", {"endpoint": "shop-churn"})
    assert not list(monitors_read_what_is_captured(Estate(resources(entries)), Settings()))


def test_an_alarm_on_the_endpoint_of_a_monitor_tells_of_it_too() -> None:
    job = schedule("drift", {"endpoint": "shop-churn"})
    assert said(monitors_reach_somebody, job)
    alarm = {
        "alarm": {
            "type": "aws:cloudwatch/metricAlarm:MetricAlarm",
            "properties": {"dimensions": {"EndpointName": "shop-churn"}, "alarmActions": ["arn:aws:sns:x:1:elsewhere"]},
        }
    }
    assert not said(monitors_reach_somebody, job, alarm)


def test_nonsense_is_not_taken_for_a_monitor() -> None:
    for target in (3, ["x"], {"input": {"a": 1}}, {"input": ["a"]}, None):
        odd = {"odd": {"type": "aws:scheduler/schedule:Schedule", "properties": {"target": target, "state": 7}}}
        assert said(endpoints_are_watched, odd)
