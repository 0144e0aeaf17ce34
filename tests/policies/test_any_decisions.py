"""What is asked of an endpoint that decides about people fits the way in which it answers."""

from typing import Any

from mlestate_policies.any.decisions import decisions_can_be_reviewed
from mlestate_policies.resources import Estate
from mlestate_policies.settings import Settings
from tests.policies.cases import resources


def paths(configuration: dict[str, Any]) -> set[str]:
    entries = {
        "loans": {
            "type": "aws:sagemaker/endpoint:Endpoint",
            "properties": {"endpointConfigName": "loans-1", "tags": {"automated-decision": "true"}},
        },
        "loans-1": {
            "type": "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
            "properties": {"name": "loans-1", **configuration},
        },
    }
    return {each.path for each in decisions_can_be_reviewed(Estate(resources(entries)), Settings())}


def test_an_endpoint_that_answers_later_keeps_its_answers_without_capture() -> None:
    capture = {"dataCaptureConfig.enableCapture", "dataCaptureConfig.initialSamplingPercentage"}
    later = {"asyncInferenceConfig": {"outputConfig": {"s3OutputPath": "s3://bank-answers/loans"}}}
    assert capture <= paths({})
    assert capture.isdisjoint(paths(later))
