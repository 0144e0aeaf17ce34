"""AWS's own description of its API, as botocore carries it: what a request may hold."""

import re
from functools import cache
from typing import Any

from botocore.model import ServiceModel
from botocore.session import Session
from botocore.validate import ParamValidator


@cache
def service(name: str) -> ServiceModel:
    return Session().get_service_model(name)


def refusals(api: str, operation: str, arguments: dict[str, Any]) -> list[str]:
    """What the API's model refuses in the input of an operation: types, required and unknown members, ranges; and what
    botocore itself leaves to the service: enums, patterns and lengths."""
    shape = service(api).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(arguments, shape)
    return ([report.generate_report()] if report.has_errors() else []) + _values(arguments, shape, operation)


def _values(value: Any, shape: Any, path: str) -> list[str]:
    # botocore gives each type a class of its own, which the stubs of `Shape` know nothing of.
    if shape.type_name == "structure":
        return [
            each
            for name, inner in value.items()
            if name in shape.members
            for each in _values(inner, shape.members[name], f"{path}.{name}")
        ]
    found: list[str] = []
    if shape.type_name == "list":
        found = [each for inner in value for each in _values(inner, shape.member, f"{path}[]")]
    elif shape.type_name == "map":
        for key, inner in value.items():
            found += _values(key, shape.key, f"{path} key") + _values(inner, shape.value, f"{path}.{key}")
    elif shape.type_name == "string":
        enum, pattern = shape.enum, shape.metadata.get("pattern")
        if enum and value not in enum:
            found.append(f"{path}: {value!r} is not in its enum")
        if pattern and not re.fullmatch(_python(pattern), value):
            found.append(f"{path}: {value!r} does not match {pattern}")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(value, str | list | dict) and (len(value) < (low or 0) or (high is not None and len(value) > high)):
        found.append(f"{path}: {len(value)} long, allowed are {low} to {high}")
    return found


def _python(pattern: str) -> str:
    """Java's classes of characters in Python's words; a quantifier after the end of the text means nothing there."""
    for java, python in {
        r"\p{L}": r"\w",
        r"\p{M}": "",
        r"\p{Z}": r"\s",
        r"\p{N}": r"\d",
        r"\p{S}": "+=",
        r"\p{P}": r"!-/:-@",
        # All beyond the first 65,536 characters, as pairs of Java's.
        r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
    }.items():
        pattern = pattern.replace(java, python)
    # Java lets a flag begin in the middle of an expression, Python only at its start.
    flag = "(?i)" if "(?i)" in pattern else ""
    return flag + re.sub(r"\$\{\d+,\d+\}$", "", pattern.replace("(?i)", ""))
