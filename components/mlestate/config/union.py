"""The three clouds' estates as one type, told apart by `cloud`."""

from typing import Annotated

from pydantic import Field

from mlestate.aws.settings import AwsEstate
from mlestate.azure.settings import AzureEstate
from mlestate.gcp.settings import GcpEstate

EstateConfig = Annotated[AwsEstate | GcpEstate | AzureEstate, Field(discriminator="cloud")]
