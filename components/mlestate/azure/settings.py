"""The words of the file that only Azure has, and what its sizes and regions are called there. No SDK."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Name, text
from mlestate.config.estate import ENVIRONMENTS, Environment, Estate

Subscription = Annotated[
    str,
    text(
        "azure_subscription",
        r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        "must be a subscription id, such as 00000000-0000-0000-0000-000000000000",
    ),
]

PRINCIPALS = (
    re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    "Azure gives roles to the object id of a user or group in Entra, a GUID. `az ad group show --group NAME "
    "--query id` shows it.",
)
"""What a principal looks like (Microsoft.Authorization/roleAssignments: `principalId` is a GUID), and the sentence for
one that does not."""

COMPUTE: Mapping[str, str] = {
    "cpu-small": "Standard_DS3_v2",
    "cpu-medium": "Standard_DS4_v2",
    "cpu-large": "Standard_DS5_v2",
    "gpu-small": "Standard_NC4as_T4_v3",
    "gpu-large": "Standard_NC64as_T4_v3",
}
"""Sizes as virtual machine sizes (Azure ML, "Managed online endpoints SKU list": 4, 8 and 16 vCPU; one and four T4)."""

REGIONS: Mapping[str, tuple[str, ...]] = {
    "quebec": ("canadaeast",),
    "canada": ("canadacentral", "canadaeast"),
    "eu": (
        "austriaeast",
        "belgiumcentral",
        "francecentral",
        "francesouth",
        "germanynorth",
        "germanywestcentral",
        "italynorth",
        "northeurope",
        "polandcentral",
        "spaincentral",
        "swedencentral",
        "westeurope",
    ),
}
"""Regions by jurisdiction (Azure regions list). uksouth, switzerlandnorth and norwayeast are not in the EU;
canadacentral lies in Toronto, canadaeast in Quebec City."""

OTHER_REGIONS: tuple[str, ...] = (
    "australiacentral",
    "australiaeast",
    "australiasoutheast",
    "brazilsouth",
    "centralindia",
    "centralus",
    "chilecentral",
    "eastasia",
    "eastus",
    "eastus2",
    "indonesiacentral",
    "israelcentral",
    "japaneast",
    "japanwest",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "norwayeast",
    "norwaywest",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westindia",
    "westus",
    "westus2",
    "westus3",
)

KNOWN_REGIONS = tuple(sorted({*REGIONS["canada"], *REGIONS["eu"], *OTHER_REGIONS}))
"""Every region that may be written."""


class AzureEnvironment(Environment):
    """One place where models run, in an Azure subscription."""

    subscription: Subscription | None = Field(
        None, description="The id of its subscription. Left out: the subscription of the estate."
    )

    @property
    def home(self) -> str | None:
        return self.subscription


class AzureEstate(Estate):
    """An estate on Azure Machine Learning."""

    cloud: Literal["azure"] = Field(
        description="The cloud. The model registry bills while idle: Azure gives it a container registry of the "
        "Premium tier. Required."
    )
    region: str = Field(
        description="The Azure region of everything. Required.",
        examples=["canadacentral"],
        json_schema_extra={"enum": [*KNOWN_REGIONS]},
    )
    subscription: Subscription | None = Field(
        None,
        description="The id of the hub's subscription; environments that name none use it too. Left out: the "
        "subscription of the stack's `azure-native:subscriptionId`.",
    )
    environments: Mapping[Name, AzureEnvironment] = Field(
        default_factory=lambda: {"production": AzureEnvironment.model_construct()},
        min_length=1,
        description=ENVIRONMENTS,
    )

    home_word = "subscription"
    home_setting = ("azure-native:subscriptionId", "00000000-0000-0000-0000-000000000000")

    @property
    def home(self) -> str | None:
        return self.subscription
