"""SageMaker's models, endpoint configurations and endpoints; an endpoint's update takes simulated time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import pytest

from .api import Operation, Request, answering, arn, paged, refuse

if TYPE_CHECKING:
    from .account import Account

__all__ = ["Change", "Endpoint", "Endpoints", "Spoilt"]

EVENT = "SageMaker Endpoint State Change"
STATUSES = {
    "Creating": "CREATING",
    "Updating": "UPDATING",
    "RollingBack": "ROLLING_BACK",
    "InService": "IN_SERVICE",
    "Deleting": "DELETING",
    "Failed": "FAILED",
    "UpdateRollbackFailed": "UPDATE_ROLLBACK_FAILED",
}
"""A status as events write it, where the API writes `InService`."""

Spoilt = Literal["silent", "rolls-back", "rollback-fails"]
"""What becomes of an endpoint's next update: it reports success though the old configuration stays
(terraform-provider-aws#46663); it is taken back without an alarm; taking it back fails."""


@dataclass(frozen=True)
class Change:
    """What an endpoint was from a moment on."""

    at: datetime
    status: str
    configuration: str
    weights: Mapping[str, float]


@dataclass
class Endpoint:
    name: str
    configuration: str
    created: datetime
    status: str = "Creating"
    modified: datetime | None = None
    variants: list[Request] = field(default_factory=list)
    shadows: list[Request] = field(default_factory=list)
    pending: str | None = None
    since: datetime | None = None
    deployment: Request | None = None
    reason: str | None = None
    history: list[Change] = field(default_factory=list)
    turn: int = 0
    """Which change is under way: one that was taken back must not end."""

    @property
    def traffic(self) -> dict[str, float]:
        """The share of requests that each variant answers."""
        total = sum(each.get("CurrentWeight", 0) for each in self.variants) or 1
        return {each["VariantName"]: each.get("CurrentWeight", 0) / total for each in self.variants}


@dataclass
class Endpoints:
    account: Account
    models: dict[str, Request] = field(default_factory=dict)
    configurations: dict[str, Request] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    spoilt: dict[str, Spoilt] = field(default_factory=dict)
    provision_seconds: float = 300
    weights_seconds: float = 60
    rollback_seconds: float = 120

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        answering(patch, self.operations)

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "create_model": self._create_model,
            "describe_model": lambda request: self._find("model", self.models, request["ModelName"]),
            "delete_model": self._delete_model,
            "list_models": lambda request: paged(
                _summaries(self.models, request, "ModelName", "ModelArn"), request, "Models"
            ),
            "create_endpoint_config": self._create_configuration,
            "describe_endpoint_config": lambda request: self._find(
                "endpoint configuration", self.configurations, request["EndpointConfigName"]
            ),
            "delete_endpoint_config": self._delete_configuration,
            "list_endpoint_configs": lambda request: paged(
                _summaries(self.configurations, request, "EndpointConfigName", "EndpointConfigArn"),
                request,
                "EndpointConfigs",
            ),
            "create_endpoint": self._create_endpoint,
            "describe_endpoint": lambda request: self._described(self._endpoint(request["EndpointName"])),
            "delete_endpoint": self._delete_endpoint,
            "list_endpoints": self._list_endpoints,
            "update_endpoint": self._update,
            "update_endpoint_weights_and_capacities": self._reweigh,
        }

    # models and configurations

    def _create_model(self, request: Request) -> Request:
        name = request["ModelName"]
        self._new("model", self.models, name)
        for container in [*([request["PrimaryContainer"]] if "PrimaryContainer" in request else []), *_of(request)]:
            if "ModelPackageName" in container and container["ModelPackageName"] not in self.account.registry.versions:
                raise refuse(f"Could not find model package {container['ModelPackageName']}")
            if "ModelDataUrl" in container and not self.account.has(container["ModelDataUrl"]):
                raise refuse(f"Could not access model data at {container['ModelDataUrl']}.")
        self.models[name] = {
            "EnableNetworkIsolation": False,
            **_kept(request),
            "ModelArn": arn("model", name),
            "CreationTime": self.account.clock.now,
        }
        return {"ModelArn": arn("model", name)}

    def _delete_model(self, request: Request) -> Request:
        self._find("model", self.models, request["ModelName"])
        used = {each["ModelName"] for name in self._used() for each in _all_variants(self.configurations.get(name, {}))}
        if request["ModelName"] in used:
            self.account.mistake(f"DeleteModel of {request['ModelName']}, which a live endpoint stands on")
        del self.models[request["ModelName"]]
        return {}

    def _create_configuration(self, request: Request) -> Request:
        name = request["EndpointConfigName"]
        self._new("endpoint configuration", self.configurations, name)
        for variant in _all_variants(request):
            self._find("model", self.models, variant["ModelName"])
        names = [variant["VariantName"] for variant in _all_variants(request)]
        if len(set(names)) < len(names):
            raise refuse(f"Variant names must be unique within an endpoint configuration: {', '.join(names)}")
        self.configurations[name] = {
            **_kept(request),
            "EndpointConfigArn": arn("endpoint-config", name),
            "CreationTime": self.account.clock.now,
        }
        return {"EndpointConfigArn": arn("endpoint-config", name)}

    def _delete_configuration(self, request: Request) -> Request:
        name = request["EndpointConfigName"]
        self._find("endpoint configuration", self.configurations, name)
        if name in self._used():
            self.account.mistake(f"DeleteEndpointConfig of {name}, which an endpoint uses")
        del self.configurations[name]
        return {}

    def _used(self) -> set[str]:
        return {
            name
            for endpoint in self.endpoints.values()
            for name in (endpoint.configuration, endpoint.pending)
            if name is not None
        }

    def _new(self, kind: str, known: Mapping[str, Request], name: str) -> None:
        if name in known:
            of = {"endpoint configuration": "endpoint-config"}.get(kind, kind)
            raise refuse(f'Cannot create already existing {kind} "{arn(of, name)}".')

    def _find(self, kind: str, known: Mapping[str, Request], name: str) -> Request:
        if name not in known:
            of = {"endpoint configuration": "endpoint-config"}.get(kind, kind)
            raise refuse(f'Could not find {kind} "{arn(of, name)}".')
        return copy.deepcopy(known[name])

    # endpoints

    def _create_endpoint(self, request: Request) -> Request:
        name, configuration = request["EndpointName"], request["EndpointConfigName"]
        if name in self.endpoints:
            raise refuse(f'Cannot create already existing endpoint "{arn("endpoint", name)}".')
        self._find("endpoint configuration", self.configurations, configuration)
        endpoint = Endpoint(name, configuration, self.account.clock.now)
        self.endpoints[name] = endpoint
        self._take(endpoint, configuration, retain=set())
        self._enter(endpoint, "Creating")
        self._after(endpoint, self.provision_seconds, lambda: self._enter(endpoint, "InService"))
        return {"EndpointArn": arn("endpoint", name)}

    def _endpoint(self, name: str) -> Endpoint:
        if name not in self.endpoints:
            raise refuse(f'Could not find endpoint "{arn("endpoint", name)}".')
        return self.endpoints[name]

    def _idle(self, name: str) -> Endpoint:
        endpoint = self._endpoint(name)
        if endpoint.status != "InService":
            raise refuse(f'Cannot update in-progress endpoint "{arn("endpoint", name)}".')
        return endpoint

    def _described(self, endpoint: Endpoint) -> Request:
        configuration = self.configurations.get(endpoint.configuration, {})
        capture = configuration.get("DataCaptureConfig")
        pending = endpoint.pending
        return {
            "EndpointName": endpoint.name,
            "EndpointArn": arn("endpoint", endpoint.name),
            "EndpointConfigName": endpoint.configuration,
            "EndpointStatus": endpoint.status,
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified or endpoint.created,
            "ProductionVariants": copy.deepcopy(endpoint.variants),
            **({"ShadowProductionVariants": copy.deepcopy(endpoint.shadows)} if endpoint.shadows else {}),
            **(
                {
                    "DataCaptureConfig": {
                        "EnableCapture": capture["EnableCapture"],
                        "CaptureStatus": "Started" if capture["EnableCapture"] else "Stopped",
                        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                        "DestinationS3Uri": capture["DestinationS3Uri"],
                        "KmsKeyId": capture.get("KmsKeyId", ""),
                    }
                }
                if capture
                else {}
            ),
            **({"FailureReason": endpoint.reason} if endpoint.reason else {}),
            **({"LastDeploymentConfig": copy.deepcopy(endpoint.deployment)} if endpoint.deployment else {}),
            **(
                {"PendingDeploymentSummary": {"EndpointConfigName": pending, "StartTime": endpoint.since}}
                if pending
                else {}
            ),
        }

    def _delete_endpoint(self, request: Request) -> Request:
        endpoint = self._endpoint(request["EndpointName"])
        if endpoint.status in ("Creating", "Updating", "RollingBack"):
            raise refuse(f'Cannot update in-progress endpoint "{arn("endpoint", endpoint.name)}".')
        self._enter(endpoint, "Deleting")
        del self.endpoints[endpoint.name]
        return {}

    def _list_endpoints(self, request: Request) -> Request:
        found = [
            {
                "EndpointName": each.name,
                "EndpointArn": arn("endpoint", each.name),
                "CreationTime": each.created,
                "LastModifiedTime": each.modified or each.created,
                "EndpointStatus": each.status,
            }
            for each in self.endpoints.values()
            if request.get("NameContains", "") in each.name and request.get("StatusEquals") in (None, each.status)
        ]
        return paged(found, request, "Endpoints")

    def _update(self, request: Request) -> Request:
        """A deployment: new machines, then traffic, then a while in which its alarms may still take it back."""
        endpoint, wanted = self._idle(request["EndpointName"]), request["EndpointConfigName"]
        self._find("endpoint configuration", self.configurations, wanted)
        self._same_machines(endpoint, wanted)
        deployment = copy.deepcopy(request.get("DeploymentConfig") or {})
        alarms = [each["AlarmName"] for each in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
        for alarm in alarms:
            if self.account.metrics.state(alarm) is None:
                raise refuse(f"Could not find alarm {alarm} of the AutoRollbackConfiguration")
        endpoint.pending, endpoint.since, endpoint.reason = wanted, self.account.clock.now, None
        endpoint.deployment = deployment or None
        self._enter(endpoint, "Updating")
        spoilt = self.spoilt.pop(endpoint.name, None)
        excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", ())}
        retain = (
            {"DesiredWeight", "DesiredInstanceCount"} - excluded if request.get("RetainAllVariantProperties") else set()
        )

        def traffic() -> None:
            tripped = [alarm for alarm in alarms if self.account.metrics.state(alarm) == "ALARM"]
            if tripped or spoilt in ("rolls-back", "rollback-fails"):
                self._take_back(endpoint, tripped, fails=spoilt == "rollback-fails")
                return
            endpoint.deployment = {**deployment, "watched": alarms} if alarms else endpoint.deployment
            self._after(endpoint, _watched_seconds(deployment), end)

        def end() -> None:
            if endpoint.deployment:
                endpoint.deployment.pop("watched", None)
            endpoint.pending = None
            if spoilt != "silent":
                self._take(endpoint, wanted, retain=retain)
            self._enter(endpoint, "InService")

        self._after(endpoint, self.provision_seconds, traffic)
        return {"EndpointArn": arn("endpoint", endpoint.name)}

    def _same_machines(self, endpoint: Endpoint, wanted: str) -> None:
        """A variant that is scaled keeps its type of machine."""
        scaling = self.account.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        scaled = {each["ResourceId"] for each in targets}
        before, after = (
            {
                each["VariantName"]: each.get("InstanceType")
                for each in self.configurations.get(name, {}).get("ProductionVariants", ())
            }
            for name in (endpoint.configuration, wanted)
        )
        for variant, machine in before.items():
            resource = f"endpoint/{endpoint.name}/variant/{variant}"
            if resource in scaled and after.get(variant) != machine:
                raise refuse(f"{resource} is registered with auto scaling: its instance type cannot change.")

    def alarmed(self, alarm: str) -> None:
        """An alarm went off: the deployments that it watches are taken back."""
        for endpoint in self.endpoints.values():
            if endpoint.status == "Updating" and alarm in (endpoint.deployment or {}).get("watched", ()):
                self._take_back(endpoint, [alarm], fails=False)

    def _take_back(self, endpoint: Endpoint, alarms: list[str], *, fails: bool) -> None:
        because = f"The following alarms were in ALARM: {', '.join(alarms)}" if alarms else "The deployment failed"
        endpoint.reason = f"{because}. The endpoint keeps its previous configuration."
        if endpoint.deployment:
            endpoint.deployment.pop("watched", None)
        self._enter(endpoint, "RollingBack")

        def back() -> None:
            endpoint.pending = None
            self._enter(endpoint, "UpdateRollbackFailed" if fails else "InService")

        self._after(endpoint, self.rollback_seconds, back)

    def _reweigh(self, request: Request) -> Request:
        endpoint = self._idle(request["EndpointName"])
        known = {each["VariantName"]: each for each in endpoint.variants}
        for each in request["DesiredWeightsAndCapacities"]:
            if each["VariantName"] not in known:
                raise refuse(
                    f'The variant name(s) "{each["VariantName"]}" is/are not present within endpoint configuration '
                    f'"{endpoint.configuration}".'
                )
        for each in request["DesiredWeightsAndCapacities"]:
            for member in ("DesiredWeight", "DesiredInstanceCount"):
                if member in each:
                    known[each["VariantName"]][member] = each[member]
        self._enter(endpoint, "Updating")

        def end() -> None:
            for each in endpoint.variants:
                for what in ("Weight", "InstanceCount"):
                    if f"Desired{what}" in each:
                        each[f"Current{what}"] = each[f"Desired{what}"]
            self._enter(endpoint, "InService")

        self._after(endpoint, self.weights_seconds, end)
        return {"EndpointArn": arn("endpoint", endpoint.name)}

    def _take(self, endpoint: Endpoint, name: str, *, retain: set[str]) -> None:
        configuration = self._find("endpoint configuration", self.configurations, name)
        before = {each["VariantName"]: each for each in endpoint.variants}
        endpoint.configuration = name
        endpoint.variants = [
            _running(each, before.get(each["VariantName"], {}), retain)
            for each in configuration.get("ProductionVariants", ())
        ]
        endpoint.shadows = [_running(each, {}, set()) for each in configuration.get("ShadowProductionVariants", ())]

    def _enter(self, endpoint: Endpoint, status: str) -> None:
        now = self.account.clock.now
        endpoint.status, endpoint.modified = status, now
        weights = {each["VariantName"]: each.get("CurrentWeight", 0.0) for each in endpoint.variants}
        endpoint.history.append(Change(now, status, endpoint.configuration, weights))
        detail: dict[str, Any] = {
            "EndpointName": endpoint.name,
            "EndpointArn": arn("endpoint", endpoint.name),
            "EndpointConfigName": endpoint.configuration,
            "ProductionVariants": copy.deepcopy(endpoint.variants),
            "EndpointStatus": STATUSES[status],
            "CreationTime": round(endpoint.created.timestamp() * 1000),
            "LastModifiedTime": self.account.clock.millis,
            "Tags": {},
        }
        self.account.events.emit("aws.sagemaker", EVENT, detail, [arn("endpoint", endpoint.name)])

    def _after(self, endpoint: Endpoint, seconds: float, then: Any) -> None:
        endpoint.turn += 1
        turn = endpoint.turn

        def call() -> None:
            if endpoint.turn == turn and self.endpoints.get(endpoint.name) is endpoint:
                then()

        self.account.clock.work(seconds, call)


def _watched_seconds(deployment: Request) -> float:
    """How long traffic is watched before the old machines go (SageMaker API, BlueGreenUpdatePolicy)."""
    policy = deployment.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {})
    interval, steps = routing.get("WaitIntervalInSeconds", 0), 0
    if routing.get("Type") == "CANARY":
        steps = 1
    elif routing.get("Type") == "LINEAR":
        step = routing["LinearStepSize"]
        steps = max(1, round(100 / step["Value"])) if step["Type"] == "CAPACITY_PERCENT" else 1
    rolling = deployment.get("RollingUpdatePolicy", {}).get("WaitIntervalInSeconds", 0)
    return float(interval * steps + policy.get("TerminationWaitInSeconds", 0) + rolling)


def _running(variant: Request, before: Request, retain: set[str]) -> Request:
    """A variant as DescribeEndpoint tells it (SageMaker API, ProductionVariantSummary)."""
    weight = variant.get("InitialVariantWeight", 1.0)
    found: Request = {"VariantName": variant["VariantName"], "CurrentWeight": weight, "DesiredWeight": weight}
    if "InitialInstanceCount" in variant:
        found["CurrentInstanceCount"] = found["DesiredInstanceCount"] = variant["InitialInstanceCount"]
    if "ServerlessConfig" in variant:
        found["CurrentServerlessConfig"] = found["DesiredServerlessConfig"] = variant["ServerlessConfig"]
    for member in retain:
        if member in before and member in found:
            found[member] = before[member]
            found[member.replace("Desired", "Current")] = before[member]
    return found


def _kept(request: Request) -> Request:
    return {key: copy.deepcopy(value) for key, value in request.items() if key != "Tags"}


def _of(request: Request) -> list[Request]:
    return list(request.get("Containers", ()))


def _all_variants(configuration: Request) -> list[Request]:
    return [*configuration.get("ProductionVariants", ()), *configuration.get("ShadowProductionVariants", ())]


def _summaries(known: Mapping[str, Request], request: Request, name: str, of: str) -> list[Request]:
    found = [each for each in known.values() if request.get("NameContains", "") in each[name]]
    newest = request.get("SortOrder", "Descending") == "Descending"
    ordered = sorted(found, key=lambda each: each["CreationTime"], reverse=newest)
    return [{member: each[member] for member in (name, of, "CreationTime")} for each in ordered]
