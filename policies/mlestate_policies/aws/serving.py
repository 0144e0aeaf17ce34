"""What SageMaker serves: the containers of `aws:sagemaker/model`, and how `aws:sagemaker/endpointConfiguration` runs
them.

A serverless endpoint joins no network, is not isolated and captures nothing (SageMaker developer guide, "Serverless
Inference", feature exclusions). What its configuration shows is left alone; its model does not show it, and needs a
waiver where the rules on isolation and networks are in force.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.aws.machines import takes_no_key
from mlestate_policies.aws.notebooks import NOTEBOOK
from mlestate_policies.checks import at_least, is_false, is_set, is_true
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule, undecided
from mlestate_policies.secrets import no_secrets_in_variables
from mlestate_policies.settings import SAMPLING_PERCENT, Settings, limit
from mlestate_policies.values import Node

MODEL: Final = "aws:sagemaker/model:Model"
ENDPOINT_CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"

REGISTRIES: Final = limit(
    "imageRegistries",
    (),
    "The hosts (with `*`) of the registries that model images come from, such as "
    "`111122223333.dkr.ecr.ca-central-1.amazonaws.com`; empty where any private registry of ECR will do",
)
INSTANCE_TYPES: Final = limit(
    "instanceTypes",
    (),
    "The SageMaker instance types (with `*`) that endpoints and notebooks may run on; empty where none is ruled out",
)
_ECR: Final = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$")
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_CAPTURE: Final = "dataCaptureConfig"
_VARIANTS: Final = ("productionVariants[]", "shadowProductionVariants[]")


def _in_each_container(*paths: str) -> tuple[str, ...]:
    return tuple(f"{where}.{path}" for where in ("primaryContainer", "containers[]") for path in paths)


@resource_rule(
    "ML-AWS-SM-020",
    {MODEL: ("enableNetworkIsolation",)},
    "A model's containers are isolated from every network",
    why="Code that came with a model cannot send away what it is asked, nor fetch more code.",
    fix="Set enableNetworkIsolation to true; waive it for a model that has to reach a feature store or a bucket.",
    severity="high",
    hardening=True,
    sources=(
        "SageMaker.5",
        "SAGEMAKER_MODEL_ISOLATION_ENABLED",
        "CKV_AWS_370",
        "prowler sagemaker_models_network_isolation_enabled",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def model_is_isolated(model: Resource, settings: Settings) -> Findings:
    return is_true(model, "enableNetworkIsolation")


@resource_rule(
    "ML-AWS-SM-021",
    {MODEL: ("vpcConfig.subnets[]", "vpcConfig.securityGroupIds[]")},
    "A model runs in a network of the estate, in two subnets or more",
    why="Outside a network of one's own no flow log sees what it sends, and in one subnet it stops with its zone.",
    fix="Set vpcConfig.subnets to subnets in two zones, and vpcConfig.securityGroupIds.",
    severity="medium",
    hardening=True,
    sources=("SAGEMAKER_MODEL_IN_VPC", "prowler sagemaker_models_vpc_settings_configured"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def model_runs_in_a_network(model: Resource, settings: Settings) -> Findings:
    network = model.at("vpcConfig")
    subnets, items = network.at("subnets"), network.each("subnets[]")
    if network.absent:
        yield Violation(network.path, f"{network.path} is not set; without one it runs in a network of AWS's own")
        return
    if subnets.unknown:
        yield Undecided(subnets.path)
    elif len({node.text or node.path for node in items if not node.absent}) < 2:
        yield Violation(subnets.path, f"{subnets.path} has to name two subnets or more")
    yield from is_set(network, "securityGroupIds[]", "without one nothing limits what it reaches")


@resource_rule(
    "ML-AWS-SM-022",
    {MODEL: _in_each_container("imageConfig.repositoryAccessMode", "image")},
    "A model's images come from a private registry that is allowed",
    why="Who may write to the registry decides what runs beside the data.",
    fix='Take the image from a registry under imageRegistries, or set imageConfig.repositoryAccessMode to "Vpc".',
    severity="medium",
    sources=("SageMaker.16", "SageMaker.19"),
    evidences=("EU AI Act 15", "ISO 42001 A.4"),
)
def model_images_are_private(model: Resource, settings: Settings) -> Findings:
    allowed = settings[REGISTRIES]
    for container, image in _own_images(model):
        mode = container.at("imageConfig.repositoryAccessMode")
        if mode.text.lower() == "vpc":
            continue
        host = image.text.partition("/")[0].lower()
        listed = any(fnmatchcase(host, pattern.lower()) for pattern in allowed) if allowed else _ECR.match(host)
        if image.unknown:
            yield Undecided(image.path)
        elif listed:
            continue
        elif mode.unknown:
            yield Undecided(mode.path)
        else:
            yield Violation(image.path, f"{image.path} comes from no registry that is {_allowed(allowed)}")


def _allowed(registries: tuple[str, ...]) -> str:
    return f"allowed ({', '.join(registries)})" if registries else "private: Amazon ECR, or one in the network"


@resource_rule(
    "ML-AWS-SM-023",
    {MODEL: _in_each_container("image")},
    "A model's images are pinned by digest, in production",
    why="A tag can be moved: only a digest says later which code answered.",
    fix="Name each image as `registry/repository@sha256:...`.",
    severity="medium",
    evidences=("EU AI Act 12(2)(a)", "ISO 42001 A.6.2.8"),
)
def model_images_are_pinned(model: Resource, settings: Settings) -> Findings:
    if not settings.production(model):
        return
    for _, image in _own_images(model):
        yield from undecided([image])
        if image.known and not _DIGEST.search(image.text):
            yield Violation(image.path, f"{image.path} names no digest; an image in production needs `@sha256:...`")


def _own_images(model: Resource) -> Iterator[tuple[Node, Node]]:
    """The containers with the images they name; the image of a model package is judged where the package is made."""
    for container in _containers(model):
        image = container.at("image")
        if not image.absent and container.at("modelPackageName").absent:
            yield container, image
        elif container.unknown:
            yield container, container


@resource_rule(
    "ML-AWS-SM-024",
    {MODEL: _in_each_container("modelPackageName", "modelDataUrl", "modelDataSource")},
    "A model in production comes from a model package",
    why="A package carries who approved the version, on which evidence; a file in a bucket carries nothing.",
    fix="Register the model in a model package group and set modelPackageName instead of modelDataUrl.",
    severity="high",
    sources=("prowler sagemaker_models_registry_in_use", "Azure 12e5dd16"),
    evidences=("NIST AI RMF GOVERN 3.2", "ISO 42001 A.6.2.4", "ISO 42001 A.6.2.5", "OSFI E-23"),
)
def model_comes_from_a_package(model: Resource, settings: Settings) -> Findings:
    if not settings.production(model):
        return
    containers = _containers(model)
    loose = [
        file
        for container in containers
        for file in (container.at("modelDataUrl"), container.at("modelDataSource"))
        if not file.absent and not container.unknown
    ]
    for file in loose:
        if file.unknown:
            yield Undecided(file.path)
        else:
            yield Violation(file.path, f"{file.path} is a bare artifact; a model in production needs a model package")
    packages = [container.at("modelPackageName") for container in containers]
    if any(package.known for package in packages) or loose:
        return
    yield from undecided(packages)
    if all(package.absent for package in packages):
        path = packages[0].path if packages else "primaryContainer.modelPackageName"
        yield Violation(path, f"{path} is not set; a model in production needs a model package")


@resource_rule(
    "ML-AWS-SM-025",
    {MODEL: _in_each_container("environment")},
    "A model's containers have no secret in their environment",
    why="Whoever may describe the model reads its environment, and so does every process in the container.",
    fix="Keep the secret in Secrets Manager, and let the container fetch it with the model's role.",
    severity="high",
    sources=("ECS_NO_ENVIRONMENT_SECRETS",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def model_environment_holds_no_secret(model: Resource, settings: Settings) -> Findings:
    for container in _containers(model):
        yield from no_secrets_in_variables(container.at("environment"), "fetch it from Secrets Manager instead")


def _containers(model: Resource) -> list[Node]:
    return [node for node in (model.at("primaryContainer"), *model.each("containers[]")) if not node.absent]


@resource_rule(
    "ML-AWS-SM-030",
    {ENDPOINT_CONFIGURATION: ("kmsKeyArn", "productionVariants[].instanceType")},
    "An endpoint's volumes are encrypted with a key of the estate, where its instances have volumes",
    why="Only who holds the key decides who reads the disks, and can end that.",
    fix="Set kmsKeyArn; instances with disks of their own take no key, and need none.",
    severity="high",
    hardening=True,
    sources=(
        "SAGEMAKER_ENDPOINT_CONFIGURATION_KMS_KEY_CONFIGURED",
        "CKV_AWS_98",
        "cdk-nag HIPAA.Security-SageMakerEndpointConfigurationKMSKeyConfigured",
        "cdk-nag NIST.800.53.R5-SageMakerEndpointConfigurationKMSKeyConfigured",
        "cdk-nag PCI.DSS.321-SageMakerEndpointConfigurationKMSKeyConfigured",
        "prowler sagemaker_endpoint_config_kms_encryption_enabled",
        "KICS 58b35504",
        "KICS 44034eda",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def endpoint_volumes_have_a_key(configuration: Resource, settings: Settings) -> Findings:
    key, types = configuration.at("kmsKeyArn"), configuration.each("productionVariants[].instanceType")
    if not key.absent or any(takes_no_key(node.text) for node in types):
        return  # one variant without volumes is enough for SageMaker to refuse the key
    if unknown := undecided(types):
        yield from unknown
    else:
        yield Violation(key.path, f"{key.path} is not set; the volumes are encrypted with a key of AWS's own")


@resource_rule(
    "ML-AWS-SM-031",
    {
        ENDPOINT_CONFIGURATION: (
            "productionVariants[].initialInstanceCount",
            "productionVariants[].managedInstanceScaling.minInstanceCount",
            "productionVariants[].serverlessConfig",
        )
    },
    "A variant that answers at once has two instances or more, in production",
    why="SageMaker puts two instances into two zones; one stops with its zone and with its machine.",
    fix="Set initialInstanceCount, or managedInstanceScaling.minInstanceCount, to 2 or more.",
    severity="medium",
    hardening=True,
    sources=(
        "SageMaker.4",
        "SAGEMAKER_ENDPOINT_CONFIG_PROD_INSTANCE_COUNT",
        "prowler sagemaker_endpoint_config_prod_variant_instances",
    ),
    evidences=("EU AI Act 15",),
)
def variants_have_two_instances(configuration: Resource, settings: Settings) -> Findings:
    # Requests to an asynchronous endpoint wait in a queue: one that lost its only instance answers later.
    if not settings.production(configuration) or not configuration.at("asyncInferenceConfig").absent:
        return
    for variant in configuration.each("productionVariants[]"):
        scaling, serverless = variant.at("managedInstanceScaling"), variant.at("serverlessConfig")
        if serverless.known:
            continue
        if serverless.unknown:
            yield Undecided(serverless.path)
        elif scaling.absent or scaling.at("status").text.upper() == "DISABLED":
            yield from at_least(variant, "initialInstanceCount", 2, "instances")
        else:
            yield from at_least(scaling, "minInstanceCount", 2, "instances")


@resource_rule(
    "ML-AWS-SM-032",
    {
        ENDPOINT_CONFIGURATION: (
            f"{_CAPTURE}.enableCapture",
            f"{_CAPTURE}.initialSamplingPercentage",
            f"{_CAPTURE}.captureOptions[].captureMode",
        )
    },
    "An endpoint that answers at once captures requests and answers",
    why="What was asked and answered is the record of a decision, and what drift is measured on.",
    fix=(
        'Set dataCaptureConfig: enableCapture true, initialSamplingPercentage, captureOptions with "Input" and '
        '"Output". Serverless endpoints cannot capture; asynchronous ones keep their answers by themselves.'
    ),
    severity="high",
    evidences=("EU AI Act 12", "Law 25 s.12.1", "OSFI E-23", "ISO 42001 A.6.2.8", "NIST AI RMF MEASURE 2.4"),
)
def endpoint_captures_what_it_answers(configuration: Resource, settings: Settings) -> Findings:
    serverless = configuration.each("productionVariants[].serverlessConfig")
    if not configuration.at("asyncInferenceConfig").absent or any(node.known for node in serverless):
        return
    capture = configuration.at(_CAPTURE)
    if unknown := [Undecided(node.path) for node in (*serverless, capture) if node.unknown]:
        yield from unknown
    elif capture.absent:
        yield Violation(capture.path, f"{capture.path} is not set; an endpoint has to capture requests and answers")
    else:
        yield from is_true(capture, "enableCapture")
        yield from at_least(capture, "initialSamplingPercentage", settings[SAMPLING_PERCENT], "percent")
        yield from _captured_sides(capture)


def _captured_sides(capture: Node) -> Findings:
    modes = capture.each("captureOptions[].captureMode")
    captured = {side for node in modes for side in ("input", "output") if side in node.text.lower()}
    missing = [side for side in ("input", "output") if side not in captured]
    if missing and not any(node.unknown for node in modes):
        path = capture.at("captureOptions").path
        yield Violation(path, f"{path} leaves out {' and '.join(missing)}; both are needed to see why it answered so")
    elif missing:
        yield from undecided(modes)


@resource_rule(
    "ML-AWS-SM-033",
    {ENDPOINT_CONFIGURATION: (f"{_CAPTURE}.kmsKeyId",)},
    "Captured requests and answers are encrypted with a key of the estate",
    why="They are people's data, and only who holds the key decides who reads them.",
    fix="Set dataCaptureConfig.kmsKeyId to a key of the estate.",
    severity="medium",
    hardening=True,
    sources=("SageMaker.24",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def captured_data_has_a_key(configuration: Resource, settings: Settings) -> Findings:
    return _keyed(configuration.at(_CAPTURE))


@resource_rule(
    "ML-AWS-SM-034",
    {ENDPOINT_CONFIGURATION: ("asyncInferenceConfig.outputConfig.kmsKeyId",)},
    "The answers of an asynchronous endpoint are encrypted with a key of the estate",
    why="They are people's data, and only who holds the key decides who reads them.",
    fix="Set asyncInferenceConfig.outputConfig.kmsKeyId to a key of the estate.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def asynchronous_answers_have_a_key(configuration: Resource, settings: Settings) -> Findings:
    if configuration.at("asyncInferenceConfig").absent:
        return ()
    return is_set(configuration, "asyncInferenceConfig.outputConfig.kmsKeyId", _AWS_KEY)


# No remedy: every change of a configuration replaces it.
@resource_rule(
    "ML-AWS-SM-035",
    {ENDPOINT_CONFIGURATION: tuple(f"{variants}.enableSsmAccess" for variants in _VARIANTS)},
    "Nobody opens a shell in an endpoint's instances, in production",
    why="A shell reads every request, and changes what answers without a trace in any registry.",
    fix="Set enableSsmAccess to false, or leave it out.",
    severity="high",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def no_shell_into_variants(configuration: Resource, settings: Settings) -> Findings:
    if not settings.production(configuration):
        return
    for variants in _VARIANTS:
        yield from is_false(configuration, f"{variants}.enableSsmAccess", absent_passes=True)


@resource_rule(
    "ML-AWS-SM-036",
    {ENDPOINT_CONFIGURATION: tuple(f"{variants}.coreDumpConfig.kmsKeyId" for variants in _VARIANTS)},
    "Core dumps, where an endpoint writes any, are encrypted with a key of the estate",
    why="A dump holds the memory: requests, answers, credentials.",
    fix="Set coreDumpConfig.kmsKeyId to a key of the estate, or remove coreDumpConfig.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def core_dumps_have_a_key(configuration: Resource, settings: Settings) -> Findings:
    for variants in _VARIANTS:
        for dumps in configuration.each(f"{variants}.coreDumpConfig"):
            yield from _keyed(dumps)


_AWS_KEY: Final = "without one it is encrypted with a key of AWS's own"


def _keyed(where: Node) -> Findings:
    """A key is set where something is written at all."""
    return () if where.absent else is_set(where, "kmsKeyId", _AWS_KEY)


@resource_rule(
    "ML-AWS-SM-037",
    {
        ENDPOINT_CONFIGURATION: tuple(f"{variants}.instanceType" for variants in _VARIANTS),
        NOTEBOOK: ("instanceType",),
    },
    "Endpoints and notebooks run on instance types that are allowed",
    why="One wrong word can cost a hundred times as much, and quotas are given by type.",
    fix="Choose an instance type under instanceTypes, or add the type there.",
    severity="low",
    sources=("DESIRED_INSTANCE_TYPE",),
)
def instance_types_are_allowed(subject: Resource, settings: Settings) -> Findings:
    allowed = settings[INSTANCE_TYPES]
    if not allowed:
        return
    for path in ("instanceType",) if subject.type == NOTEBOOK else (f"{each}.instanceType" for each in _VARIANTS):
        for node in subject.each(path):
            yield from undecided([node])
            if node.known and not any(fnmatchcase(node.text.lower(), pattern.lower()) for pattern in allowed):
                what = f'"{node.text}"' if len(node.text) <= 80 else "something else"
                yield Violation(node.path, f"{node.path} is {what}; allowed are {', '.join(allowed)}")
