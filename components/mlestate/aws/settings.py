"""The words of the file that only AWS has, and what its sizes and regions are called there. No SDK."""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlestate.config.base import Name, text
from mlestate.config.estate import ENVIRONMENTS, Environment, Estate
from mlestate.names import HUB

Account = Annotated[
    str, text("aws_account", r"[0-9]{12}", 'must be the twelve digits of an AWS account, quoted: "012345678901"')
]
RoleArn = Annotated[
    str,
    text(
        "aws_role_arn",
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}",
        "must be the ARN of a role, such as arn:aws:iam::222222222222:role/deployer",
    ),
]
AnomalyMonitor = Annotated[
    str,
    text(
        "aws_anomaly_monitor",
        r"new|arn:aws[a-z-]*:ce::[0-9]{12}:anomalymonitor/[0-9a-f-]{36}",
        "must be new, or the ARN of a monitor of AWS Cost Anomaly Detection that is there already",
    ),
]

PRINCIPAL_FORMS: Mapping[str, re.Pattern[str]] = {
    "person": re.compile(r"[^\s@:*?$]+@[^\s@:*?$]+"),
    "permission set": re.compile(r"sso:[A-Za-z0-9+=,.@_-]{1,32}"),
    "user": re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:user/[^\s*?]+"),
    "role": re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[^\s*?]+"),
}
"""Whom a role can trust, by form (IAM, "AWS JSON policy elements: Principal"; IAM Identity Center, permission sets)."""

PRINCIPALS = (
    re.compile("|".join(form.pattern for form in PRINCIPAL_FORMS.values())),
    "AWS gives roles to a person of IAM Identity Center by their address, to a permission set as sso:<name>, and to an "
    "IAM role or user by its ARN.",
)
"""What a principal looks like, and the sentence for one that does not."""

COMPUTE: Mapping[str, str] = {
    "cpu-small": "ml.m5.xlarge",
    "cpu-medium": "ml.m5.2xlarge",
    "cpu-large": "ml.m5.4xlarge",
    "gpu-small": "ml.g5.xlarge",
    "gpu-large": "ml.g5.12xlarge",
}
"""Sizes as SageMaker instance types (Amazon EC2 instance types guide: 4, 8 and 16 vCPU; one and four NVIDIA A10G)."""

REGIONS: Mapping[str, tuple[str, ...]] = {
    "quebec": ("ca-central-1",),
    "canada": ("ca-central-1", "ca-west-1"),
    "eu": (
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-3",
    ),
}
"""Regions by jurisdiction (AWS Regions guide). London (eu-west-2) and Zurich (eu-central-2) are not in the EU;
ca-central-1 lies in Montreal, ca-west-1 in Calgary."""

OTHER_REGIONS: tuple[str, ...] = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "eu-central-2",
    "eu-west-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)

KNOWN_REGIONS = tuple(sorted({*REGIONS["canada"], *REGIONS["eu"], *OTHER_REGIONS}))
"""Every region that may be written."""

LOCAL_STORAGE_FAMILIES = frozenset(
    {
        "c5d",
        "c6gd",
        "g4dn",
        "g5",
        "g6",
        "g6e",
        "m5d",
        "m5dn",
        "m6gd",
        "p4d",
        "p4de",
        "p5",
        "r5d",
        "r5dn",
        "r6gd",
        "trn1",
    }
)
"""SageMaker families with disks of their own. They are encrypted by the hardware, and a volume key is refused for them
(SageMaker API, CreateEndpointConfig, KmsKeyId)."""


def takes_volume_key(instance_type: str) -> bool:
    """Whether SageMaker accepts a key of the customer for the disk of this instance type (`ml.m5.xlarge`)."""
    return instance_type.split(".")[1] not in LOCAL_STORAGE_FAMILIES


def cores(instance_type: str) -> int:
    """The vCPUs of an instance type: two up to `large`, then four for each `xlarge` (EC2 instance types guide)."""
    size = instance_type.rpartition(".")[2]
    return 4 * int(size.removesuffix("xlarge") or 1) if size.endswith("xlarge") else 2


GPUS: Mapping[str, Mapping[str, int]] = {
    **{family: {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8} for family in ("g4dn", "g5", "g6", "g6e")},
    "p3": {"8xlarge": 4, "16xlarge": 8},
    **{family: {"24xlarge": 8, "48xlarge": 8} for family in ("p4d", "p4de", "p5")},
}
"""The NVIDIA GPUs of an instance type, by family and size (EC2 instance types guide); any other size of these families
has one."""


def gpus(instance_type: str) -> int:
    """How many GPUs an instance type has."""
    _, family, size = instance_type.split(".")
    return GPUS[family].get(size, 1) if family in GPUS else 0


class AwsEnvironment(Environment):
    """One place where models run, in an AWS account."""

    account: Account | None = Field(
        None, description="The twelve digits of its account, quoted. Left out: the account of the estate."
    )
    deploy_role: RoleArn | None = Field(
        None,
        description="The role that the deployer assumes in that account. Left out: the deployer's own credentials.",
    )
    anomaly_monitor: AnomalyMonitor | None = Field(
        None,
        description="What watches the account for unusual spend and tells the people under `alerts`: the ARN of its "
        "monitor (AWS gives an account one, Default-Services-Monitor, when Cost Explorer is opened), or new where it "
        "has none, because an account has room for one. Left out: nothing watches.",
        examples=["new"],
    )

    @property
    def home(self) -> str | None:
        return self.account


class AwsEstate(Estate):
    """An estate on Amazon SageMaker."""

    cloud: Literal["aws"] = Field(description="The cloud. Required.")
    region: str = Field(
        description="The AWS region of everything. Required.",
        examples=["ca-central-1"],
        json_schema_extra={"enum": [*KNOWN_REGIONS]},
    )
    account: Account | None = Field(
        None,
        description="The twelve digits of the hub's account, quoted; environments that name none use it too. Left out: "
        "the account of the deployer's credentials.",
    )
    environments: Mapping[Name, AwsEnvironment] = Field(
        default_factory=lambda: {"production": AwsEnvironment.model_construct()},
        min_length=1,
        description=ENVIRONMENTS,
    )

    home_word = "account"
    home_setting = ("aws:allowedAccountIds[0]", "123456789012")

    @property
    def home(self) -> str | None:
        return self.account

    def out_of_reach(self, slices: Collection[str]) -> str | None:
        """Credentials are of one account: another is reached through a role in it, or by a stack of its own."""
        accounts = {HUB: self.account} | {
            name: each.account or self.account for name, each in self.environments.items()
        }
        closed = [
            name
            for name, each in self.environments.items()
            if name in slices and accounts[name] != self.account and each.deploy_role is None
        ]
        if not closed or len({accounts[name] for name in slices}) == 1:
            return None
        name = closed[0]
        return (
            f"environments.{name} lies in account {accounts[name]} and has no deploy_role, so one stack cannot build "
            f"it together with what lies in other accounts. Write environments.{name}.deploy_role, the role that the "
            "deployer assumes there, or give every slice a stack of its own: pulumi config set mlestate:scope "
            f"{' | '.join(accounts)}"
        )
