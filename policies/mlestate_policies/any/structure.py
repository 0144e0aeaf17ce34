"""How an estate hangs together: all of it is described by components, is used, and keeps to its environment."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from mlestate_policies.any.reach import PRODUCTION, environment, words
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import NON_PRODUCTION, Settings
from mlestate_policies.values import Node

_COMPONENT: Final = "mlestate:"
_ML: Final = ("aws:sagemaker/", "aws-native:sagemaker:", "gcp:vertex/", "azure-native:machinelearningservices:")
_MODEL: Final = "aws:sagemaker/model:Model"
_CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_USED: Final = {
    _MODEL: ("name",),
    _CONFIGURATION: ("name",),
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": ("name",),
    "aws-native:sagemaker:ModelQualityJobDefinition": ("jobDefinitionName",),
    "aws-native:sagemaker:ModelBiasJobDefinition": ("jobDefinitionName",),
    "aws-native:sagemaker:ModelExplainabilityJobDefinition": ("jobDefinitionName",),
    "aws:kms/key:Key": ("arn",),
    "gcp:kms/cryptoKey:CryptoKey": ("name",),
    "azure-native:keyvault:Key": ("name",),
}
"""What is there for others, and what they call it by."""
_BESIDE: Final = (
    "aws:kms/alias:Alias",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:kms/grant:Grant",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
    "azure-native:authorization:RoleAssignment",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "pulumi:pulumi:Stack",
)
"""What belongs to a thing and does not use it."""
_AWS: Final = "pulumi:providers:aws"
_GCP: Final = "pulumi:providers:gcp"
_AZURE: Final = "pulumi:providers:azure-native"


@stack_rule(
    "ML-STK-20",
    {"mlestate:index:Estate": ()},
    "In an estate of mlestate no machine learning resource of production stands outside its components",
    why="What was added by hand beside the components has none of what they see to, and no other rule expects it.",
    fix="Describe it in the estate's file, or give it one of the components as parent.",
    severity="medium",
    evidences=("ISO 42001 A.4.2", "NIST AI RMF GOVERN 1.6"),
)
def all_is_in_components(estate: Estate, settings: Settings) -> Findings:
    if not any(resource.type.startswith(_COMPONENT) for resource in estate.resources):
        return
    for resource in estate.resources:
        if (
            resource.type.startswith(_ML)
            and settings.production(resource)
            and not any(parent.type.startswith(_COMPONENT) for parent in estate.parents(resource))
        ):
            yield Violation("", f"{resource.name} is in none of the estate's components; it has to be", resource.urn)


@stack_rule(
    "ML-STK-21",
    _USED,
    "Every model, endpoint configuration, monitor's job and key is used by something",
    why="What nobody uses is not looked after, and is still there for whoever finds it.",
    fix="Take it out, or refer to it from what needs it.",
    severity="low",
    level="advisory",
    evidences=("ISO 42001 A.4.2", "NIST AI RMF GOVERN 1.6"),
)
def nothing_dangles(estate: Estate, settings: Settings) -> Findings:
    users = [resource for resource in estate.resources if resource.type not in _BESIDE and _is_real(resource)]
    led_to = {urn for user in users for urn in _depends_on(user)}
    called_by = [each for each in estate.of(*_BESIDE) if each.urn in led_to]  # an alias by which a key is called
    led_to |= {urn for each in called_by for urn in _depends_on(each)}
    said: Counter[str] | None = None
    for resource in estate.of(*_USED):
        if resource.urn in led_to:
            continue
        if said is None:
            said = Counter(word for user in users for word in words(user.properties))
        if not any(said[name] > 1 or said[name.rpartition("/")[2]] > 1 for name in resource.names):
            yield Violation("", f"{resource.name} is used by nothing in the stack; it should be, or go", resource.urn)


def _depends_on(user: Resource) -> set[str]:
    every = {urn for urns in user.property_dependencies.values() for urn in urns} | set(user.dependencies)
    return every - {user.urn}


def _is_real(resource: Resource) -> bool:
    return not resource.type.startswith(_COMPONENT)  # what a component hands out is used by nobody yet


@stack_rule(
    "ML-STK-22",
    {_AWS: ("allowedAccountIds",), _GCP: ("project",), _AZURE: ("subscriptionId",), "*": ()},
    "Nothing of production refers to another environment, and each provider is bound to one account, project or "
    "subscription",
    why="Data and models that cross from one environment into another went round every check between them.",
    fix="Refer to what production has of its own, and bind each provider with allowedAccountIds, project or "
    "subscriptionId.",
    severity="high",
    evidences=("EU AI Act 15", "ISO 42001 A.6.2.5", "PIPEDA 4.7"),
)
def environments_do_not_touch(estate: Estate, settings: Settings) -> Findings:
    production, other = set(settings[PRODUCTION]), set(settings[NON_PRODUCTION])
    has_production = False
    for resource in estate.resources:
        if resource.tag("environment").text.lower() not in production:
            continue
        has_production = True
        for path, urns in resource.property_dependencies.items():
            for urn in urns:
                target = estate.get(urn)
                if target is not None and environment(estate, target) in other:
                    yield Violation(
                        path,
                        f"{path} of {resource.name} refers to {target.name} of another environment; it has to be "
                        "production's own",
                        resource.urn,
                    )
    if has_production:
        yield from _bound(estate)


def _bound(estate: Estate) -> Iterator[Violation | Undecided]:
    for token, path, instead in (
        (_AWS, "allowedAccountIds", "assumeRoles"),
        (_GCP, "project", ""),
        (_AZURE, "subscriptionId", ""),
    ):
        for provider in estate.of(token):
            node = provider.at(path)
            if node.unknown:
                yield Undecided(path, provider.urn)
            elif not _listed(node) and (not instead or provider.at(instead).absent):
                yield Violation(
                    path, f"{path} is not set; the provider has to be bound to where it may work", provider.urn
                )


def _listed(node: Node) -> bool:
    """Providers hold lists as JSON texts."""
    if node.absent:
        return False
    with suppress(ValueError):
        return bool(json.loads(node.text)) if node.text.startswith("[") else True
    return True
