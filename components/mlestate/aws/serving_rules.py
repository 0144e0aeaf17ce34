"""Rules of the file about serving and its network that only AWS has. No SDK, but for `raw`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType

from mlestate.aws.schedules import restricts_both_days
from mlestate.aws.settings import COMPUTE, takes_volume_key
from mlestate.config.estate import ExistingKeys, ExistingNetwork
from mlestate.config.facts import Facts
from mlestate.config.model import Model
from mlestate.raw import faults

Findings = Iterator[tuple[object, ...]]


def a_serverless_endpoint_joins_no_network(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker, "Serverless Inference", feature exclusions: VPC configuration."""
    if facts.config.network == "public":
        return
    for path, model in facts.models():
        if model.serving.mode == "serverless":
            yield (
                (*path, "serving", "mode"),
                "'serverless' cannot be kept in a network: SageMaker's serverless endpoints join none. Use realtime, "
                "or async with replicas: {min: 0, max: 1}, which costs nothing while idle; or network: public.",
            )


def a_batch_run_has_files_to_read(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker API, CreateTransformJob: a transform reads the objects under a prefix of S3, each by its content type;
    a table is none, and an online store neither."""
    datasets = facts.config.data.datasets
    for path, model in facts.models():
        serving, here = model.serving, (*path, "serving")
        if serving.mode != "batch":
            continue
        dataset = datasets.get(model.data.dataset or "")
        if serving.input is None and dataset is None and not facts.is_aside((*path, "data", "dataset")):
            yield (
                (*here, "mode"),
                "'batch' reads files, and this model names none. Add serving.input, the folder that holds them, or "
                "data.dataset.",
            )
        if dataset is not None and dataset.format == "iceberg":
            yield (
                (*here, "mode"),
                f"'batch' reads files, and the dataset {model.data.dataset} is a table (iceberg), whose files a "
                "transform cannot take for records. Use a dataset of parquet, csv or json.",
            )
        if serving.schedule is not None and restricts_both_days(serving.schedule):
            yield (
                (*here, "schedule"),
                f"'{serving.schedule}' names days of the month and days of the week, and EventBridge takes one of "
                "them. Put * in the third or the fifth place.",
            )


def disks_that_encrypt_themselves_take_no_key(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker API, CreateEndpointConfig, KmsKeyId: refused with instances that have local storage."""
    for path, model in facts.models():
        serving = model.serving
        given = ((serving.raw or {}).get("aws", {})).get("EndpointConfiguration", {})
        type_ = (serving.aws.instance_type if serving.aws else None) or COMPUTE[serving.compute]
        if given.get("kms_key_arn") and serving.mode in ("realtime", "async") and not takes_volume_key(type_):
            yield (
                (*path, "serving", "raw", "aws", "EndpointConfiguration", "kms_key_arn"),
                f"is refused by SageMaker with {type_}, whose own disks encrypt themselves. Remove the line, or use a "
                "type without local storage, such as ml.m5.xlarge.",
            )


_IDS: Mapping[str, str] = {"network": "vpc", "subnets": "subnet", "security_groups": "sg"}


def network_ids_have_the_form_of_aws(facts: Facts, settings: ModuleType) -> Findings:
    """Amazon EC2, "Resource IDs": a prefix and eight or seventeen hexadecimal digits."""
    network = facts.config.network
    if not isinstance(network, ExistingNetwork):
        return
    for field, prefix in _IDS.items():
        value = getattr(network.existing, field)
        ids = [((), value)] if isinstance(value, str) else [((index,), each) for index, each in enumerate(value)]
        for place, each in ids:
            if not re.fullmatch(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", each):
                yield (
                    ("network", "existing", field, *place),
                    f"'{each}' must be {prefix}- and eight or seventeen hexadecimal digits, such as "
                    f"{prefix}-0123456789abcdef0.",
                )


_KEY = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:(key/[a-zA-Z0-9-]+|alias/[a-zA-Z0-9/_-]+)")


def keys_have_the_form_of_aws(facts: Facts, settings: ModuleType) -> Findings:
    """AWS KMS, "Key identifiers (KeyId)": policies name a key by an ARN, and a key encrypts in its own region."""
    encryption = facts.config.encryption
    if not isinstance(encryption, ExistingKeys):
        return
    for field in ("data", "audit"):
        path, value = ("encryption", "existing", field), getattr(encryption.existing, field)
        if value is None:
            continue
        found = _KEY.fullmatch(value)
        if found is None:
            yield (
                path,
                f"'{value}' must be the ARN of a KMS key or of its alias, such as "
                f"arn:aws:kms:{facts.config.region}:123456789012:alias/mlestate.",
            )
        elif found[1] != facts.config.region:
            yield (
                path,
                f"'{value}' lies in {found[1]}, and a key encrypts only what lies in its own region. Name a key of "
                f"{facts.config.region}.",
            )


_BECOMES: Mapping[str, Callable[[ModuleType, Model], Sequence[type]]] = {
    "serving": lambda part, model: part.BECOMES[model.serving.mode],
    "training": lambda part, model: part.MAKES,
}
"""By block: what it becomes, out of its part's own table."""


def raw_arguments_are_the_sdks(facts: Facts, settings: ModuleType) -> Findings:
    """The SDK knows its own arguments, so a file with such a block, and no other, pays for loading it."""
    for path, model in facts.models():
        for block, becomes in _BECOMES.items():
            written = getattr(model, block).raw
            if written and facts.cloud in written:
                part = import_module(f"mlestate.aws.{block}")
                for place, sentence, known, meant in faults(written, facts.cloud, becomes(part, model)):
                    yield (*path, block, "raw", *place), sentence, known, meant


SERVING_RULES = (
    raw_arguments_are_the_sdks,
    a_serverless_endpoint_joins_no_network,
    a_batch_run_has_files_to_read,
    disks_that_encrypt_themselves_take_no_key,
    network_ids_have_the_form_of_aws,
    keys_have_the_form_of_aws,
)
