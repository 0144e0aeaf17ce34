"""A cloud's own values, typed: allowed in every file, checked always, used only on that cloud.

They live here and not beside each cloud's settings because a model may carry all three at once.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mlestate.config.base import Count, Settings, text

AwsInstanceType = Annotated[
    str,
    text(
        "aws_instance_type",
        r"ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+",
        "must be a SageMaker instance type, such as ml.m5.xlarge",
    ),
]
GcpMachineType = Annotated[
    str,
    text("gcp_machine_type", r"[a-z][a-z0-9]*-[a-z0-9-]+", "must be a Compute Engine machine type, as e2-standard-4"),
]
GcpAccelerator = Annotated[
    str,
    text("gcp_accelerator", r"[A-Z][A-Z0-9_]+", "must be a Vertex AI accelerator type, such as NVIDIA_L4"),
]
AzureVmSize = Annotated[
    str,
    text("azure_vm_size", r"Standard_[A-Za-z0-9_]+", "must be an Azure virtual machine size, as Standard_DS3_v2"),
]


class AwsTraining(Settings):
    """Training on SageMaker in SageMaker's own words."""

    instance_type: AwsInstanceType | None = Field(
        None,
        description="The SageMaker instance type of the training itself; the steps before and after it run on what "
        "`compute` stands for. Left out: the type that `compute` stands for.",
        examples=["ml.g5.xlarge"],
    )


class AwsServing(Settings):
    """Serving on SageMaker in SageMaker's own words."""

    instance_type: AwsInstanceType | None = Field(
        None,
        description="The SageMaker instance type. Left out: the type that `compute` stands for.",
        examples=["ml.m5.large"],
    )
    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] | None = Field(
        None,
        description="The memory of a serverless endpoint in MB (only with mode serverless). Left out: 2048.",
    )
    max_concurrency: Annotated[int, Field(ge=1, le=200)] | None = Field(
        None,
        description="How many requests a serverless endpoint answers at once (only with mode serverless). Left out: 5.",
    )


class GcpMachine(Settings):
    """A machine of Vertex AI in Google's own words."""

    machine_type: GcpMachineType | None = Field(
        None,
        description="The machine type. Left out: the type that `compute` stands for.",
        examples=["g2-standard-8"],
    )
    accelerator: GcpAccelerator | None = Field(
        None,
        description="The accelerator type. Left out: the one that `compute` stands for, or none with a machine_type.",
        examples=["NVIDIA_L4"],
    )
    accelerator_count: Count | None = Field(
        None,
        description="How many accelerators a machine has. Left out: 1 when there is an accelerator.",
    )


class AzureMachine(Settings):
    """A virtual machine of Azure ML in Azure's own words."""

    vm_size: AzureVmSize | None = Field(
        None,
        description="The virtual machine size. Left out: the size that `compute` stands for.",
        examples=["Standard_NC4as_T4_v3"],
    )


CloudName = Annotated[str, text("cloud_name", r"aws|gcp|azure", "must be a cloud: aws, gcp or azure")]

RawArguments = Mapping[CloudName, Mapping[str, Mapping[str, Any]]]
"""`{<cloud>: {<Resource>: {<argument>: value}}}`, merged last into the arguments of the Pulumi resource."""
