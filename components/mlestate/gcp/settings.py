"""The words of the file that only Google Cloud has, and what its sizes and regions are called there. No SDK."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Name, text
from mlestate.config.estate import ENVIRONMENTS, Environment, Estate

Project = Annotated[
    str,
    text(
        "gcp_project",
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "must be a project id, not its number: 6 to 30 lower-case letters, digits and hyphens, starting with a letter",
    ),
]

PRINCIPALS = (
    re.compile(r"(?:(?:user|group|serviceAccount):)?[^\s@:]+@[^\s@:]+\.[^\s@:]+"),
    "Google Cloud gives roles to the address of a group, user or service account, such as ds@acme.example or "
    "user:ada@acme.example.",
)
"""What a principal looks like (IAM policy reference, "Principal identifiers"), and the sentence for one that does
not."""

COMPUTE: Mapping[str, str] = {
    "cpu-small": "e2-standard-4",
    "cpu-medium": "e2-standard-8",
    "cpu-large": "e2-standard-16",
    "gpu-small": "g2-standard-8",
    "gpu-large": "g2-standard-48",
}
"""Sizes as machine types of Vertex AI (Vertex AI, "Configure compute resources": 4, 8 and 16 vCPU)."""

ACCELERATORS: Mapping[str, tuple[str, int]] = {"gpu-small": ("NVIDIA_L4", 1), "gpu-large": ("NVIDIA_L4", 4)}
"""The accelerator that must be named along with the machine type of a size, and how many."""

REGIONS: Mapping[str, tuple[str, ...]] = {
    "quebec": ("northamerica-northeast1",),
    "canada": ("northamerica-northeast1", "northamerica-northeast2"),
    "eu": (
        "europe-central2",
        "europe-north1",
        "europe-north2",
        "europe-southwest1",
        "europe-west1",
        "europe-west3",
        "europe-west4",
        "europe-west8",
        "europe-west9",
        "europe-west10",
        "europe-west12",
    ),
}
"""Regions by jurisdiction (Google Cloud locations). London (europe-west2) and Zurich (europe-west6) are not in the EU;
northamerica-northeast1 lies in Montreal, northamerica-northeast2 in Toronto."""

OTHER_REGIONS: tuple[str, ...] = (
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "europe-west2",
    "europe-west6",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
)

KNOWN_REGIONS = tuple(sorted({*REGIONS["canada"], *REGIONS["eu"], *OTHER_REGIONS}))
"""Every region that may be written."""


class GcpEnvironment(Environment):
    """One place where models run, in a Google Cloud project."""

    project: Project | None = Field(None, description="The id of its project. Left out: the project of the estate.")

    @property
    def home(self) -> str | None:
        return self.project


class GcpEstate(Estate):
    """An estate on Vertex AI."""

    cloud: Literal["gcp"] = Field(description="The cloud. Required.")
    region: str = Field(
        description="The Google Cloud region of everything. Required.",
        examples=["northamerica-northeast1"],
        json_schema_extra={"enum": [*KNOWN_REGIONS]},
    )
    project: Project | None = Field(
        None,
        description="The id of the hub's project; environments that name none use it too. Left out: the project of the "
        "stack's `gcp:project`.",
    )
    environments: Mapping[Name, GcpEnvironment] = Field(
        default_factory=lambda: {"production": GcpEnvironment.model_construct()},
        min_length=1,
        description=ENVIRONMENTS,
    )

    home_word = "project"
    home_setting = ("gcp:project", "my-project")

    @property
    def home(self) -> str | None:
        return self.project
