"""Resources that are made by CloudFormation's schemas: through Cloud Control, or with the provider `aws-native`.

Cloud Control has one type for everything, and says what it makes in a JSON text. What rules ask for is called the same
there as in the providers, except that each name begins with a capital.
"""

from typing import Any, Final

from mlestate_policies.resources import Resource
from mlestate_policies.values import Node

__all__ = ["CLOUD_CONTROL", "STATE", "stated"]

CLOUD_CONTROL: Final = "aws:cloudcontrol/resource:Resource"
STATE: Final = "desiredState"


def stated(resource: Resource, *kinds: str) -> Node | None:
    """What is said of a resource, each name as the providers spell it; None where Cloud Control makes another kind.

    `kinds` are CloudFormation's, such as `AWS::SageMaker::FeatureGroup`.
    """
    if resource.type != CLOUD_CONTROL:
        return resource.properties
    if resource.at("typeName").text not in kinds:
        return None
    state = resource.at(STATE).document()
    return Node(_respelled(state.value), state.path) if state.known else state


def _respelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _respelled(each) for key, each in value.items()}
    return [_respelled(each) for each in value] if isinstance(value, list) else value
