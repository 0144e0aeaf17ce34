"""Notebook instances of SageMaker: `aws:sagemaker/notebookInstance` and what they run when they start."""

from typing import Final

from mlestate_policies.checks import equals, is_set, one_of
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.secrets import no_secrets_in_text
from mlestate_policies.settings import Settings, limit

NOTEBOOK: Final = "aws:sagemaker/notebookInstance:NotebookInstance"
LIFECYCLE: Final = "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration"
METADATA: Final = "instanceMetadataServiceConfiguration.minimumInstanceMetadataServiceVersion"

PLATFORMS: Final = limit(
    "notebookPlatforms",
    ("notebook-al2023-v1", "notebook-al2023-v2"),
    "The platforms that AWS still mends, of which a SageMaker notebook runs one; Amazon Linux 2 ended in June 2026",
)
_SERVICES_OWN_PLATFORM: Final = "notebook-al2023-v1"
"""What SageMaker takes where none is named (SageMaker API, CreateNotebookInstance)."""


# No remedy: providers replace a notebook, and the files on it, for another way to the network.
@resource_rule(
    "ML-AWS-SM-001",
    {NOTEBOOK: ("directInternetAccess",)},
    "A notebook has no direct internet access",
    why="A way out of its own carries data past every control of the network.",
    fix='Set directInternetAccess to "Disabled", with a subnetId and securityGroups.',
    severity="high",
    hardening=True,
    sources=(
        "SageMaker.1",
        "SAGEMAKER_NOTEBOOK_NO_DIRECT_INTERNET_ACCESS",
        "CKV_AWS_122",
        "AwsSolutions-SM3",
        "prowler sagemaker_notebook_instance_without_direct_internet_access_configured",
        "KICS 88d55d94",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def notebook_has_no_direct_internet(notebook: Resource, settings: Settings) -> Findings:
    return equals(notebook, "directInternetAccess", "Disabled")


@resource_rule(
    "ML-AWS-SM-002",
    {NOTEBOOK: ("subnetId", "securityGroups[]")},
    "A notebook runs in a network of the estate",
    why="Outside a network of one's own no security group and no flow log sees it.",
    fix="Set subnetId and securityGroups.",
    severity="high",
    hardening=True,
    sources=(
        "SageMaker.2",
        "SAGEMAKER_NOTEBOOK_INSTANCE_INSIDE_VPC",
        "CKV_AWS_306",
        "AwsSolutions-SM1",
        "prowler sagemaker_notebook_instance_vpc_settings_configured",
        "KICS 9c7028d9",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def notebook_runs_in_a_network(notebook: Resource, settings: Settings) -> Findings:
    yield from is_set(notebook, "subnetId", "without one it runs in a network of AWS's own")
    yield from is_set(notebook, "securityGroups[]", "without one nothing limits who reaches it")


@resource_rule(
    "ML-AWS-SM-003",
    {NOTEBOOK: ("rootAccess",)},
    "Users of a notebook have no root",
    why="With root a user can switch off what watches the machine and keep what a restart should have taken away.",
    fix='Set rootAccess to "Disabled"; lifecycle scripts run as root all the same.',
    severity="high",
    sources=(
        "SageMaker.3",
        "SAGEMAKER_NOTEBOOK_INSTANCE_ROOT_ACCESS_CHECK",
        "CKV_AWS_307",
        "prowler sagemaker_notebook_instance_root_access_disabled",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"rootAccess": "Disabled"},
)
def notebook_without_root(notebook: Resource, settings: Settings) -> Findings:
    return equals(notebook, "rootAccess", "Disabled")


@resource_rule(
    "ML-AWS-SM-004",
    {NOTEBOOK: ("kmsKeyId",)},
    "A notebook's volume is encrypted with a key of the estate",
    why="Only who holds the key decides who reads the disk, and can end that.",
    fix="Set kmsKeyId to a key of the estate.",
    severity="medium",
    hardening=True,
    sources=(
        "SageMaker.21",
        "SAGEMAKER_NOTEBOOK_INSTANCE_KMS_KEY_CONFIGURED",
        "CKV_AWS_22",
        "CKV_AWS_187",
        "AwsSolutions-SM2",
        "prowler sagemaker_notebook_instance_encryption_enabled",
        "KICS f3674e0c",
        "KICS 709e6da6",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def notebook_volume_has_a_key(notebook: Resource, settings: Settings) -> Findings:
    return is_set(notebook, "kmsKeyId", "without one the disk is encrypted with a key of AWS's own")


@resource_rule(
    "ML-AWS-SM-005",
    {NOTEBOOK: (METADATA,)},
    "A notebook gives out its role's credentials only by version 2 of the metadata service",
    why="Version 1 answers any request that reaches it, so a page or a package that makes one takes the role's keys.",
    fix=f'Set {METADATA} to "2".',
    severity="medium",
    sources=("CKV_AWS_371",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={METADATA: "2"},
)
def notebook_asks_for_metadata_tokens(notebook: Resource, settings: Settings) -> Findings:
    return equals(notebook, METADATA, "2", 2)


@resource_rule(
    "ML-AWS-SM-006",
    {NOTEBOOK: ("platformIdentifier",)},
    "A notebook runs a platform that is still mended",
    why="A platform past its end gets no security updates.",
    fix="Set platformIdentifier to one of the platforms under notebookPlatforms; this makes the notebook anew.",
    severity="medium",
    sources=("SageMaker.8", "SAGEMAKER_NOTEBOOK_INSTANCE_PLATFORM_VERSION"),
    evidences=("EU AI Act 15",),
)
def notebook_platform_is_supported(notebook: Resource, settings: Settings) -> Findings:
    supported = settings[PLATFORMS]
    return one_of(notebook, "platformIdentifier", supported, absent_passes=_SERVICES_OWN_PLATFORM in supported)


@resource_rule(
    "ML-AWS-SM-007",
    {LIFECYCLE: ("onCreate", "onStart")},
    "A notebook's lifecycle scripts hold no secret",
    why="Whoever may describe the configuration reads its scripts, and so does whoever opens the notebook.",
    fix="Keep the secret in Secrets Manager or Parameter Store, and let the script fetch it with the notebook's role.",
    severity="high",
    sources=("prowler sagemaker_notebook_instance_no_secrets",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def lifecycle_scripts_hold_no_secret(scripts: Resource, settings: Settings) -> Findings:
    for path in ("onCreate", "onStart"):
        yield from no_secrets_in_text(scripts.at(path), "fetch it from Secrets Manager or Parameter Store instead")
