"""`aws.iam.getPolicyDocument`, the data source of the AWS provider that calls nothing."""

import json
import zlib
from collections.abc import Mapping
from typing import Any


def policy_document(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`aws.iam.getPolicyDocument`: the document as the provider writes it, in words of one value where there is one."""
    statements: list[dict[str, Any]] = []
    for text in arguments.get("sourcePolicyDocuments") or []:
        statements += json.loads(text)["Statement"]
    for block in arguments.get("statements") or []:
        statement: dict[str, Any] = {}
        if block.get("sid"):
            statement["Sid"] = block["sid"]
        statement["Effect"] = block.get("effect") or "Allow"
        for key, name in (("actions", "Action"), ("notActions", "NotAction"), ("resources", "Resource"),
                          ("notResources", "NotResource")):  # fmt: skip
            if block.get(key):
                statement[name] = _one_or_sorted(block[key])
        for key, name in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
            if block.get(key):
                statement[name] = _principals(block[key])
        for condition in block.get("conditions") or []:
            tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
            tests[condition["variable"]] = (
                condition["values"] if len(condition["values"]) > 1 else condition["values"][0]
            )
        statements.append(statement)
    for text in arguments.get("overridePolicyDocuments") or []:
        statements = _overridden(statements, json.loads(text)["Statement"])
    document: dict[str, Any] = {"Version": arguments.get("version") or "2012-10-17"}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = statements
    text = json.dumps(document, indent=2)
    return {**arguments, "json": text, "minifiedJson": json.dumps(document, separators=(",", ":")), "id": str(
        zlib.crc32(text.encode()))}  # fmt: skip


def _overridden(statements: list[dict[str, Any]], overrides: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = {override["Sid"]: override for override in overrides if override.get("Sid")}
    kept = [named.pop(statement.get("Sid", ""), statement) for statement in statements]
    return kept + [override for override in overrides if not override.get("Sid") or override["Sid"] in named]


def _principals(blocks: list[dict[str, Any]]) -> Any:
    if len(blocks) == 1 and blocks[0]["type"] in ("*", "AWS") and blocks[0]["identifiers"] == ["*"]:
        return "*" if blocks[0]["type"] == "*" else {"AWS": "*"}
    merged: dict[str, list[str]] = {}
    for block in blocks:
        merged.setdefault(block["type"], []).extend(block["identifiers"])
    return {kind: _one_or_sorted(identifiers) for kind, identifiers in merged.items()}


def _one_or_sorted(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else sorted(values)
