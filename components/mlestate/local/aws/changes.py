"""What AWS refuses of a change that neither the inputs alone nor a replacement can tell."""

import json
from collections.abc import Mapping
from typing import Any

from mlestate.local.markers import UNKNOWN

__all__ = ["refused"]


def refused(resource: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The refusal of a feature group's features taken out or of another type: SageMaker API, UpdateFeatureGroup, has
    FeatureAdditions and nothing else. The words are not those of AWS."""
    if resource != "aws:cloudcontrol/resource:Resource" or after.get("typeName") != "AWS::SageMaker::FeatureGroup":
        return None
    old, new = _features(before), _features(after)
    if old is None or new is None:
        return None
    for name, type_ in old.items():
        if name not in new:
            return f"a feature group takes no feature out, and {name!r} is in it: keep it, or make another group"
        if new[name] != type_:
            return (
                f"a feature group changes no type, and {name!r} is {type_} in it, not {new[name]}: give the new one "
                "another name"
            )
    return None


def _features(inputs: Mapping[str, Any]) -> dict[str, str] | None:
    """The types of the features by name; None where they are not known yet."""
    state = inputs.get("desiredState")
    if not isinstance(state, str) or state == UNKNOWN:
        return None
    return {each["FeatureName"]: each["FeatureType"] for each in json.loads(state)["FeatureDefinitions"]}
