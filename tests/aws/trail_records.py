"""What CloudTrail records of a call, and hands to EventBridge: made from what differs between two calls.

Shape: CloudTrail user guide, "CloudTrail record contents"; EventBridge user guide, "AWS service events delivered via
CloudTrail".
"""

from typing import Any

ROLES = "arn:aws:iam::111111111111:role/mlestate/risk/"
APPROVER = f"{ROLES}risk-hub-approver"
RELEASE = f"{ROLES}risk-production-release"
ROOT = "arn:aws:iam::111111111111:root"
VERSION = "arn:aws:sagemaker:ca-central-1:111111111111:model-package/risk-hub-churn/7"


def record(service: str, call: str, who: str = ROOT, **request: Any) -> dict[str, Any]:
    """A call by a role (its ARN) or by the account's root."""
    if ":role/" in who:
        name = who.rpartition("/")[2]
        caller: dict[str, Any] = {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::111111111111:assumed-role/{name}/ana",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": who, "userName": name}},
        }
    else:
        caller = {"type": "Root", "arn": who}
    return {
        "userIdentity": caller,
        "eventTime": "2026-11-24T09:00:00Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": call,
        "awsRegion": "ca-central-1",
        "sourceIPAddress": "192.0.2.7",
        "requestParameters": request or None,
        "responseElements": None,
        "additionalEventData": None,
        "readOnly": call.startswith(("Get", "List", "Describe", "BatchGet", "Decrypt")),
        "eventCategory": "Management",
        "recipientAccountId": "111111111111",
    }


def event(said: dict[str, Any]) -> dict[str, Any]:
    """The record as EventBridge hands it on."""
    return {
        "source": f"aws.{said['eventSource'].partition('.')[0]}",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": said,
    }
