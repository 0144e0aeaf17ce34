"""Requests to endpoints: which variant answers, what is captured of it, and the truth that becomes known later."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .clock import iso

if TYPE_CHECKING:
    from .account import Account

__all__ = ["ask", "label"]


def ask(account: Account, endpoint: str, rows: Sequence[Any]) -> list[str]:
    """Send one request a row to an endpoint, all in this moment: the callers' ids of the requests.

    Variants get exactly the shares of their weights, and shadows copies of as large a share as their weight is of the
    weights of those that answer. What is captured lies where data
    capture puts it, the whole of it whatever its sample (SageMaker developer guide, "Data capture"); a request that the
    model breaks on is a 5xx error and not captured.
    """
    of = account.endpoint(endpoint)
    configuration = account.endpoints.configurations[of.configuration]
    models = {
        each["VariantName"]: account.model_of(each["ModelName"])
        for member in ("ProductionVariants", "ShadowProductionVariants")
        for each in configuration.get(member, ())
    }
    owed, total = dict.fromkeys(of.traffic, 0.0), sum(each["CurrentWeight"] for each in of.variants) or 1
    copied = {each["VariantName"]: min(1.0, each["CurrentWeight"] / total) for each in of.shadows}
    due = dict.fromkeys(copied, 0.0)
    captured: dict[str, list[str]] = {name: [] for name in models}
    ids: list[str] = []
    for row in rows:
        owed = {name: owed[name] + share for name, share in of.traffic.items()}
        answers = max(owed, key=lambda name: owed[name])
        owed[answers] -= 1
        account.asked += 1
        ids.append(f"caller-{account.asked}")
        due = {name: due[name] + share for name, share in copied.items()}
        shadows = [name for name in due if due[name] >= 1 - 1e-9]
        due.update({name: due[name] - 1 for name in shadows})
        for name in (answers, *shadows):
            model = models[name]
            try:
                if model is None:
                    raise LookupError("its container does not start")
                said = list(model([row]))
            # Whatever the scenario's model raises is an error of the server's.
            except Exception:
                _tell(account, endpoint, name, errors=1)
                continue
            _tell(account, endpoint, name, errors=0)
            captured[name].append(_captured(account, row, said, ids[-1]))
    capture = configuration.get("DataCaptureConfig")
    if capture and capture["EnableCapture"]:
        hour = account.clock.now.strftime("%Y/%m/%d/%H/%M-%S")
        for name, lines in captured.items():
            if lines:
                uri = f"{capture['DestinationS3Uri']}/{endpoint}/{name}/{hour}-{account.asked}.jsonl"
                account.write(uri, "\n".join(lines))
    return ids


def label(account: Account, model: str, truths: Mapping[str, Any], environment: str) -> None:
    """Have the truth of requests be known now, by the callers' ids (docs/contract.md)."""
    lines = [
        json.dumps(
            {
                "groundTruthData": {"data": str(truth), "encoding": "CSV"},
                "eventMetadata": {"eventId": each},
                "eventVersion": "0",
            }
        )
        for each, truth in truths.items()
    ]
    hour = account.clock.now.strftime("%Y/%m/%d/%H")
    name = f"{uuid.uuid5(uuid.NAMESPACE_OID, ''.join(truths))}.jsonl"
    account.write(f"s3://{account.bucket(f'{environment}-raw')}/labels/{model}/{hour}/{name}", "\n".join(lines))


def _tell(account: Account, endpoint: str, variant: str, errors: int) -> None:
    of = {"EndpointName": endpoint, "VariantName": variant}
    for name, value in (("Invocations", 1), ("Invocation5XXErrors", errors), ("ModelLatency", 50_000)):
        account.metrics.tell("AWS/SageMaker", name, value, of, account.clock.now)


def _captured(account: Account, row: Any, said: Sequence[Any], caller: str) -> str:
    body = {"observedContentType": "application/json", "encoding": "JSON"}
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {**body, "mode": "INPUT", "data": json.dumps({"instances": [row]})},
                "endpointOutput": {**body, "mode": "OUTPUT", "data": json.dumps({"predictions": said})},
            },
            "eventMetadata": {
                "eventId": str(uuid.uuid5(uuid.NAMESPACE_OID, caller)),
                "inferenceId": caller,
                "inferenceTime": iso(account.clock.now),
            },
            "eventVersion": "0",
        }
    )
