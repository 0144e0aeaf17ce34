"""The raw hatch: what the SDK has, merged last; what it has not, refused."""

from typing import Any

import pulumi_aws.sagemaker as sagemaker
import pulumi_gcp.storage as storage
import pytest

from mlestate.config.hatch import RawArguments
from mlestate.errors import InputError
from mlestate.raw import Raw

MAKES = [sagemaker.EndpointArgs, sagemaker.EndpointConfigurationArgs]


def raw(written: RawArguments | None) -> Raw:
    return Raw("models.churn.serving", written, "aws", MAKES)


def configuration() -> sagemaker.EndpointConfigurationArgs:
    variants: Any = [{"variant_name": "champion", "model_name": "churn", "initial_instance_count": 2}]
    return sagemaker.EndpointConfigurationArgs(
        production_variants=variants,
        tags={"estate": "risk"},
    )


def test_an_argument_is_laid_over_what_the_part_gives() -> None:
    found = raw({"aws": {"EndpointConfiguration": {"kms_key_arn": "alias/own", "tags": {"team": "a"}}}}).over(
        configuration()
    )
    assert found.kms_key_arn == "alias/own"
    assert found.tags == {"estate": "risk", "team": "a"}, "a block is merged, or the project's own tags would go"


def test_lists_of_blocks_are_merged_block_by_block() -> None:
    variants = [{"volume_size_in_gb": 100}, {"variant_name": "other"}]
    found = raw({"aws": {"EndpointConfiguration": {"production_variants": variants}}}).over(configuration())
    assert found.production_variants == [
        {"variant_name": "champion", "model_name": "churn", "initial_instance_count": 2, "volume_size_in_gb": 100},
        {"variant_name": "other"},
    ]


def test_blocks_that_are_the_sdks_own_objects_are_merged_too() -> None:
    given = configuration()
    variant = sagemaker.EndpointConfigurationProductionVariantArgs(variant_name="champion", initial_instance_count=2)
    given.production_variants = [variant]
    raw({"aws": {"EndpointConfiguration": {"production_variants": [{"initial_instance_count": 5}]}}}).over(given)
    assert (variant.variant_name, variant.initial_instance_count) == ("champion", 5)


def test_another_list_is_replaced() -> None:
    makes = [sagemaker.ModelArgs]
    written = {"aws": {"Model": {"vpc_config": {"subnets": ["subnet-2"]}}}}
    network: Any = {"subnets": ["subnet-1", "subnet-0"], "security_group_ids": ["sg-1"]}
    given = sagemaker.ModelArgs(execution_role_arn="role", vpc_config=network)
    found: Any = Raw("x", written, "aws", makes).over(given)
    assert found.vpc_config == {"subnets": ["subnet-2"], "security_group_ids": ["sg-1"]}


def test_what_stands_there_for_another_cloud_or_resource_changes_nothing() -> None:
    written: RawArguments = {"gcp": {"Bucket": {"anything": 1}}, "aws": {"Endpoint": {"name": "own"}}}
    assert raw(written).over(configuration()).kms_key_arn is None
    assert raw(None).over(configuration()).tags == {"estate": "risk"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            {"EndpointConfig": {}},
            "models.churn.serving.raw.aws.EndpointConfig: 'EndpointConfig' is no resource that this block becomes. "
            "There are: Endpoint, EndpointConfiguration. Did you mean EndpointConfiguration?",
        ),
        (
            {"EndpointConfiguration": {"kms_key": "x"}},
            "raw.aws.EndpointConfiguration.kms_key: 'kms_key' is no argument of EndpointConfigurationArgs.",
        ),
        ({"EndpointConfiguration": {"kms_key": "x"}}, "Did you mean kms_key_arn?"),
        (
            {"EndpointConfiguration": {"production_variants": [{"volume_size": 1}]}},
            "EndpointConfiguration.production_variants.0.volume_size: 'volume_size' is no argument of "
            "EndpointConfigurationProductionVariantArgs.",
        ),
        (
            {"EndpointConfiguration": {"data_capture_config": {"capture_options": [{"mode": "Input"}]}}},
            "data_capture_config.capture_options.0.mode: 'mode' is no argument of",
        ),
        (
            {"EndpointConfiguration": {"production_variants": ["champion"]}},
            "production_variants.0: 'champion' must be a block of",
        ),
    ],
)
def test_what_the_sdk_does_not_have_is_refused_with_what_it_has(
    written: dict[str, dict[str, object]], said: str
) -> None:
    with pytest.raises(InputError) as refused:
        raw({"aws": written})
    assert said in str(refused.value)


def test_the_hatch_knows_the_arguments_of_another_clouds_sdk() -> None:
    with pytest.raises(InputError, match=r"'max_age' is no argument of BucketCorArgs.*mean max_age_seconds"):
        Raw("data", {"gcp": {"Bucket": {"cors": [{"max_age": 1}]}}}, "gcp", [storage.BucketArgs])
