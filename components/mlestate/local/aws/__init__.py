"""AWS: what its resources are called, what they return, how it refuses.

Ids and ARNs are those of terraform-provider-aws 6 (the "Import" and "Attribute Reference" sections of its
documentation, repeated in the docstrings of pulumi_aws); the refusals are the error codes and messages of the services'
API references.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from mlestate.local.aws import binding, changes, documents, together
from mlestate.local.aws.data_source import policy_document
from mlestate.local.aws.kinds import COMMON, KINDS
from mlestate.local.aws.needs import HOLDERS, NEEDS
from mlestate.local.kind import Facts, Naming
from mlestate.local.schema import Failure

__all__ = [
    "COMMON",
    "DELETES_WITHIN",
    "HOLDERS",
    "KINDS",
    "NAMING",
    "NAMINGS",
    "NEEDS",
    "changed",
    "invoke",
    "locked",
    "place",
    "refused",
    "unjudged",
]

ACCOUNT = "000000000000"
REGION = "us-east-1"


def place(config: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Where an object lives and what follows from it: `region`, `account`, `partition`, `owner`, `defaultTags`.

    The region is the resource's own, else the provider's, else `AWS_REGION`, else us-east-1; the account is the first
    of the provider's `allowedAccountIds`, else 000000000000.
    """
    region = inputs.get("region") or config.get("region") or os.environ.get("AWS_REGION") or REGION
    account = next(iter(config.get("allowedAccountIds") or ()), ACCOUNT)
    bus = inputs.get("eventBusName") or "default"
    path = inputs.get("path") or "/"
    return {
        "region": region,
        "account": account,
        "owner": account,
        "partition": {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws"),
        "defaultTags": (config.get("defaultTags") or {}).get("tags") or {},
        "pathOrRoot": path,
        "host": str(inputs.get("url", "")).removeprefix("https://").rstrip("/"),
        "catalog": inputs.get("catalogId") or account,
        "bus": "" if bus == "default" else f"{bus}/",
        "group": inputs.get("groupName") or "default",
        "dashedBus": "" if bus == "default" else f"{bus}-",
    }


# The `pattern` of the names in each service's API reference.
_SAGEMAKER = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
NAMINGS: Mapping[str, Naming] = {
    "aws:s3/bucket:Bucket": Naming(63, lower=True, pattern="[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "aws:kms/alias:Alias": Naming(250, prefix="alias/", pattern="alias/(?!aws/)[A-Za-z0-9/_-]+"),
    "aws:iam/role:Role": Naming(64, pattern=r"[\w+=,.@-]{1,64}"),
    "aws:iam/policy:Policy": Naming(128, pattern=r"[\w+=,.@-]{1,128}"),
    "aws:sagemaker/model:Model": Naming(63, pattern=_SAGEMAKER),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Naming(63, pattern=_SAGEMAKER),
    "aws:sagemaker/endpoint:Endpoint": Naming(63, pattern=_SAGEMAKER),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": Naming(63, pattern=_SAGEMAKER),
    "aws:sagemaker/featureGroup:FeatureGroup": Naming(64, pattern="[a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}"),
    "aws:sagemaker/pipeline:Pipeline": Naming(256, pattern="[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}"),
    "aws:sqs/queue:Queue": Naming(80, suffix=lambda inputs: ".fifo" if inputs.get("fifoQueue") is True else ""),
    "aws:sns/topic:Topic": Naming(256, suffix=lambda inputs: ".fifo" if inputs.get("fifoTopic") is True else ""),
}
NAMING = Naming(255)


def invoke(function: str, arguments: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer of a data source, or None for one that the local cloud does not know."""
    here = Facts("", place(config, arguments))
    match function:
        case "aws:index/getCallerIdentity:getCallerIdentity":
            arn = here.text("arn:{partition}:iam::{account}:user/local")
            return {"accountId": here["account"], "arn": arn, "id": here["account"], "userId": "AIDALOCALLOCALLOCAL"}
        case "aws:index/getRegion:getRegion":
            region = here["region"]
            name = {"description": region, "endpoint": f"ec2.{region}.amazonaws.com"}
            return {"region": region, "name": region, "id": region, **name}
        case "aws:index/getPartition:getPartition":
            suffix = "amazonaws.com.cn" if here["partition"] == "aws-cn" else "amazonaws.com"
            reverse = ".".join(reversed(suffix.split(".")))
            return {"partition": here["partition"], "dnsSuffix": suffix, "reverseDnsPrefix": reverse,
                    "id": here["partition"]}  # fmt: skip
        case "aws:iam/getPolicyDocument:getPolicyDocument":
            return policy_document(arguments)
    return None


def refused(resource: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """What the APIs refuse of a resource's inputs, which are of the SDK's types."""
    found = [*binding.check(resource, inputs), *documents.check(resource, inputs)]
    return found or together.check(resource, inputs)


def changed(resource: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The refusal of a change that the inputs alone do not tell."""
    return changes.refused(resource, before, after)


def unjudged(resource: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """What a resource asks of services whose models are not compiled, so that nothing checks it."""
    return documents.unjudged(resource, inputs)


DELETES_WITHIN = False  # AWS refuses to delete what still holds something, or never looks


def locked(resource: str, inputs: Mapping[str, Any]) -> str | None:
    """The refusal to delete what its own settings protect."""
    if inputs.get("deletionProtectionEnabled") is True and resource == "aws:dynamodb/table:Table":
        return (
            "ValidationException: Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first. ({id})"
        )
    return None
