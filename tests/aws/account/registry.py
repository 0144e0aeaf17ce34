"""SageMaker's model registry: groups, and versions that remember who made and who last changed them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from .api import Operation, Request, answering, arn, in_use, paged, refuse
from .clock import iso

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Registry"]

EVENT = "SageMaker Model Package State Change"
ANNOUNCED = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "ModelLifeCycle",
)
"""What an event tells of a version (SageMaker developer guide, "Events that SageMaker sends to EventBridge")."""


@dataclass
class Registry:
    account: Account
    groups: dict[str, Request] = field(default_factory=dict)
    versions: dict[str, Request] = field(default_factory=dict)
    """By ARN, as DescribeModelPackage tells them."""

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        answering(patch, self.operations)

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "create_model_package_group": self._create_group,
            "describe_model_package_group": lambda request: self._group(request["ModelPackageGroupName"]),
            "list_model_package_groups": lambda request: paged(
                list(self.groups.values()), request, "ModelPackageGroupSummaryList"
            ),
            "put_model_package_group_policy": self._put_policy,
            "get_model_package_group_policy": self._get_policy,
            "create_model_package": self._create,
            "describe_model_package": lambda request: copy.deepcopy(self._version(request["ModelPackageName"])),
            "list_model_packages": self._list,
            "update_model_package": self._update,
            "delete_model_package": self._delete,
        }

    def _create_group(self, request: Request) -> Request:
        name = request["ModelPackageGroupName"]
        if name in self.groups:
            raise refuse(f"Model Package Group already exists: {arn('model-package-group', name)}")
        self.groups[name] = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn("model-package-group", name),
            "ModelPackageGroupDescription": request.get("ModelPackageGroupDescription", ""),
            "CreationTime": self.account.clock.now,
            "CreatedBy": self.account.identity.context,
            "ModelPackageGroupStatus": "Completed",
        }
        return {"ModelPackageGroupArn": arn("model-package-group", name)}

    def _group(self, name: str) -> Request:
        group = self.groups.get(name.rpartition("/")[2])
        if group is None:
            raise refuse(f"ModelPackageGroup {name} does not exist.")
        return {key: value for key, value in group.items() if key != "policy"}

    def _put_policy(self, request: Request) -> Request:
        group = self.groups[self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]]
        group["policy"] = request["ResourcePolicy"]
        return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    def _get_policy(self, request: Request) -> Request:
        group = self.groups[self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]]
        if "policy" not in group:
            raise refuse("Cannot find resource policy for model package group")
        return {"ResourcePolicy": group["policy"]}

    def _create(self, request: Request) -> Request:
        group = self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]
        number = 1 + max((each["ModelPackageVersion"] for each in self._of(group)), default=0)
        made = arn("model-package", f"{group}/{number}")
        kept = {key: value for key, value in request.items() if key not in ("Tags", "ClientToken")}
        self.versions[made] = {
            "CertifyForMarketplace": False,
            **copy.deepcopy(kept),
            "ModelPackageGroupName": group,
            "ModelPackageVersion": number,
            "ModelPackageArn": made,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreationTime": self.account.clock.now,
            "CreatedBy": self.account.identity.context,
        }
        self._tell(made, [])
        return {"ModelPackageArn": made}

    def _of(self, group: str) -> list[Request]:
        return [each for each in self.versions.values() if each["ModelPackageGroupName"] == group]

    def _version(self, name: str) -> Request:
        if name not in self.versions:
            raise refuse(f"ModelPackage {name} does not exist.")
        return self.versions[name]

    def _list(self, request: Request) -> Request:
        group, status = request.get("ModelPackageGroupName"), request.get("ModelApprovalStatus")
        found = [
            each
            for each in (self._of(self._group(group)["ModelPackageGroupName"]) if group else self.versions.values())
            if status in (None, each.get("ModelApprovalStatus"))
        ]
        ordered = sorted(found, key=lambda each: (each["CreationTime"], each["ModelPackageVersion"]))
        if request.get("SortOrder", "Descending") == "Descending":
            ordered.reverse()
        members = ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription")
        members += ("CreationTime", "ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle")  # type: ignore[assignment]
        summaries = [{key: each[key] for key in members if key in each} for each in ordered]
        return paged(summaries, request, "ModelPackageSummaryList")

    def _update(self, request: Request) -> Request:
        version = self._version(request["ModelPackageArn"])
        before = copy.deepcopy(version)
        for member in ("ModelApprovalStatus", "ApprovalDescription", "ModelLifeCycle"):
            if member in request:
                version[member] = request[member]
        properties = dict(version.get("CustomerMetadataProperties", {})) | request.get("CustomerMetadataProperties", {})
        for name in request.get("CustomerMetadataPropertiesToRemove", []):
            properties.pop(name, None)
        if properties or "CustomerMetadataProperties" in version:
            version["CustomerMetadataProperties"] = properties
        version["LastModifiedTime"] = self.account.clock.now
        version["LastModifiedBy"] = self.account.identity.context
        told = ("ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties", "ModelLifeCycle")
        changed = [member for member in told if version.get(member) != before.get(member)]
        if changed:
            self._tell(version["ModelPackageArn"], changed)
        return {"ModelPackageArn": version["ModelPackageArn"]}

    def _delete(self, request: Request) -> Request:
        version = self._version(request["ModelPackageName"])
        if version.get("ModelApprovalStatus") == "Approved":
            raise in_use(f"Model package {version['ModelPackageArn']} is approved")
        del self.versions[version["ModelPackageArn"]]
        return {}

    def _tell(self, version: str, changed: list[str]) -> None:
        of = self.versions[version]
        detail: dict[str, Any] = {member: _said(of[member]) for member in ANNOUNCED if member in of}
        if changed:
            detail["UpdatedModelPackageFields"] = changed
        self.account.events.emit("aws.sagemaker", EVENT, detail, [version])


def _said(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else copy.deepcopy(value)
