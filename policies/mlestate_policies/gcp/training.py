"""Persistent resources and scheduled pipelines of Vertex AI: where models are trained."""

import re
from typing import Final

from mlestate_policies.checks import holds, is_true
from mlestate_policies.gcp.shapes import has_own_account, has_own_key
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Violation, resource_rule
from mlestate_policies.settings import Settings

PERSISTENT: Final = "gcp:vertex/aiPersistentResource:AiPersistentResource"
SCHEDULE: Final = "gcp:colab/schedule:Schedule"
"""Pipelines on a schedule are, oddly, in the provider's module of Colab."""

_ACCOUNT: Final = "resourceRuntimeSpec.serviceAccountSpec.enableCustomServiceAccount"
_JOB: Final = "createPipelineJobRequest.pipelineJob"
_DIGEST: Final = re.compile(r"[/@]sha256:[0-9a-f]{64}$")


@resource_rule(
    "ML-GCP-VX-011",
    {PERSISTENT: (_ACCOUNT,)},
    "Training on a persistent resource runs as a service account of the job's own",
    why="Else every job may do what Vertex AI's own agent may, in the whole project.",
    fix="Set resourceRuntimeSpec.serviceAccountSpec.enableCustomServiceAccount to true.",
    severity="medium",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def persistent_resource_has_an_account(resource: Resource, settings: Settings) -> Findings:
    return is_true(resource, _ACCOUNT)


@resource_rule(
    "ML-GCP-VX-014",
    {PERSISTENT: ("encryptionSpec.kmsKeyName", "network", "pscInterfaceConfig.networkAttachment")},
    "A persistent resource for training has a key and a network of the estate",
    why="Training reads the data as it is, and a machine that stays keeps what it read.",
    fix="Set encryptionSpec.kmsKeyName, and pscInterfaceConfig.networkAttachment (or network).",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def persistent_resource_is_private(resource: Resource, settings: Settings) -> Findings:
    yield from has_own_key(resource, "encryptionSpec.kmsKeyName")
    yield from _in_a_network(resource, "")


@resource_rule(
    "ML-GCP-VX-027",
    {SCHEDULE: (f"{_JOB}.serviceAccount", f"{_JOB}.templateUri")},
    "A scheduled pipeline runs a pinned template as a service account of its own",
    why="A template behind a tag can change after it was reviewed, and would then run with the account's rights.",
    fix="Set createPipelineJobRequest.pipelineJob.serviceAccount to an account made for it, and templateUri to one "
    "that ends with the version's sha256 digest (or give pipelineSpec).",
    severity="high",
    evidences=("EU AI Act 15", "ISO 42001 A.6.2.4"),
)
def scheduled_pipeline_is_pinned(schedule: Resource, settings: Settings) -> Findings:
    if schedule.at("createPipelineJobRequest").absent:  # a notebook on a schedule
        return
    yield from has_own_account(schedule, f"{_JOB}.serviceAccount")
    if schedule.at(f"{_JOB}.pipelineSpec").absent:  # else it is in the program, and reviewed with it
        yield from holds(
            schedule,
            f"{_JOB}.templateUri",
            lambda node: _DIGEST.search(node.text) is not None,
            "it has to end with the sha256 digest of a version of the template",
        )


@resource_rule(
    "ML-GCP-VX-029",
    {
        SCHEDULE: (
            f"{_JOB}.encryptionSpec.kmsKeyName",
            f"{_JOB}.network",
            f"{_JOB}.pscInterfaceConfig.networkAttachment",
        )
    },
    "A scheduled pipeline has a key and a network of the estate",
    why="Its steps read the data and write the model; both are to stay behind the estate's own key and network.",
    fix="Set createPipelineJobRequest.pipelineJob.encryptionSpec.kmsKeyName, and "
    "pscInterfaceConfig.networkAttachment (or network).",
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def scheduled_pipeline_is_private(schedule: Resource, settings: Settings) -> Findings:
    if schedule.at("createPipelineJobRequest").absent:
        return
    yield from has_own_key(schedule, f"{_JOB}.encryptionSpec.kmsKeyName")
    yield from _in_a_network(schedule, f"{_JOB}.")


def _in_a_network(resource: Resource, prefix: str) -> Findings:
    """One of the two ways into a network is set; they exclude each other."""
    network, attachment = f"{prefix}network", f"{prefix}pscInterfaceConfig.networkAttachment"
    if resource.at(network).absent and resource.at(attachment).absent:
        yield Violation(attachment, f"neither {attachment} nor {network} is set; it runs in a network of Google's own")
