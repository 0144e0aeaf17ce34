"""How moto answers an operation of SageMaker with what the simulation says."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.sagemaker.responses import SageMakerResponse

from .people import ACCOUNT, REGION

__all__ = ["Operation", "Refused", "answering", "arn", "in_use", "paged", "refuse"]

Request = dict[str, Any]
Operation = Callable[[Request], Request]


class Refused(ServiceException):
    """What SageMaker answers to a request that it does not take; its model knows no such error."""

    code = "ValidationException"


class InUse(ServiceException):
    code = "ResourceInUse"


class NotFound(ServiceException):
    code = "ResourceNotFound"


def refuse(message: str) -> Refused:
    return Refused(message)


def in_use(message: str) -> InUse:
    return InUse(message)


def arn(kind: str, name: str) -> str:
    """SageMaker writes names in its ARNs in small letters."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"


def paged(found: list[Request], request: Request, member: str) -> Request:
    """One page of a list."""
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or 100)
    more = {"NextToken": str(start + size)} if len(found) > start + size else {}
    return {member: found[start : start + size], **more}


def answering(patch: pytest.MonkeyPatch, operations: Mapping[str, Operation]) -> None:
    """Answer operations, named as boto3 names its methods, in the place of moto or where moto has none."""
    for name, operation in operations.items():
        patch.setattr(SageMakerResponse, name, _method(operation), raising=False)


def _method(operation: Operation) -> Callable[[SageMakerResponse], ActionResult]:
    def method(response: SageMakerResponse) -> ActionResult:
        return ActionResult(operation(dict(response._get_params())))

    return method
