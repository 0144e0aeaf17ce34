"""Notebook instances of SageMaker: `aws:sagemaker/notebookInstance`."""

from typing import Final

from mlestate_policies.checks import equals, is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, resource_rule
from mlestate_policies.settings import Settings

NOTEBOOK: Final = "aws:sagemaker/notebookInstance:NotebookInstance"


@resource_rule(
    "ML-AWS-SM-001",
    {NOTEBOOK: ("directInternetAccess",)},
    "A notebook has no direct internet access",
    why="A way out of its own carries data past every control of the network.",
    fix='Set directInternetAccess to "Disabled", with a subnetId and securityGroups.',
    severity="high",
    sources=(
        "SageMaker.1",
        "SAGEMAKER_NOTEBOOK_NO_DIRECT_INTERNET_ACCESS",
        "CKV_AWS_122",
        "AwsSolutions-SM3",
        "prowler sagemaker_notebook_instance_without_direct_internet_access_configured",
        "KICS 88d55d94",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={"directInternetAccess": "Disabled"},
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
