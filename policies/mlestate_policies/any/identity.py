"""A role serves one purpose: what trains, serves, watches and explores acts as identities of its own."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from mlestate_policies.any.reach import PRODUCTION, environment
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Violation, stack_rule
from mlestate_policies.settings import NON_PRODUCTION, Settings
from mlestate_policies.values import Node

_IDENTITIES: Final = (
    "aws:iam/role:Role",
    "gcp:serviceaccount/account:Account",
    "azure-native:managedidentity:UserAssignedIdentity",
)
_TRAINS: Final = {
    "aws:sagemaker/pipeline:Pipeline": ("roleArn",),
    "aws:sagemaker/trainingJob:TrainingJob": ("roleArn",),
    "gcp:colab/schedule:Schedule": ("createPipelineJobRequest.pipelineJob.serviceAccount",),
    "azure-native:machinelearningservices:Compute": ("identity.userAssignedIdentities",),
}
_SERVES: Final = {
    "aws:sagemaker/model:Model": ("executionRoleArn",),
    "azure-native:machinelearningservices:OnlineEndpoint": ("identity.userAssignedIdentities",),
    "azure-native:machinelearningservices:BatchEndpoint": ("identity.userAssignedIdentities",),
    "gcp:cloudrunv2/service:Service": ("template.serviceAccount",),
}
_WATCHES: Final = {
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": ("roleArn",),
    "aws-native:sagemaker:ModelQualityJobDefinition": ("roleArn",),
    "aws-native:sagemaker:ModelBiasJobDefinition": ("roleArn",),
    "aws-native:sagemaker:ModelExplainabilityJobDefinition": ("roleArn",),
}
_EXPLORES: Final = {
    "aws:sagemaker/notebookInstance:NotebookInstance": ("roleArn",),
    "aws:sagemaker/domain:Domain": ("defaultUserSettings.executionRole",),
    "aws:sagemaker/userProfile:UserProfile": ("userSettings.executionRole",),
    "gcp:workbench/instance:Instance": ("gceSetup.serviceAccounts[].email",),
}
_PURPOSES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "training": _TRAINS,
    "serving": _SERVES,
    "monitoring": _WATCHES,
    "notebooks": _EXPLORES,
}


@stack_rule(
    "ML-STK-16",
    {token: paths for users in _PURPOSES.values() for token, paths in users.items()},
    "No identity serves two of training, serving, monitoring and notebooks, and none two environments",
    why="Who takes over a notebook or a training run has what its identity may do; it should be what that work needs.",
    fix="Make one role, service account or managed identity for each purpose in each environment.",
    severity="high",
    evidences=("EU AI Act 15", "ISO 42001 A.3.2", "PIPEDA 4.7"),
)
def identities_serve_one_purpose(estate: Estate, settings: Settings) -> Findings:
    purposes: dict[str, dict[str, Resource]] = defaultdict(dict)
    places: dict[str, dict[str, Resource]] = defaultdict(dict)
    for purpose, users in _PURPOSES.items():
        for user in estate.of(*users):
            for path in users[user.type]:
                for node in user.each(path):
                    for identity in _acts_as(estate, user, node):
                        purposes[identity].setdefault(purpose, user)
                        places[identity].setdefault(environment(estate, user), user)
    for identity, by_purpose in purposes.items():
        name, urn = _told(estate, identity, by_purpose)
        if len(by_purpose) > 1:
            said = " and ".join(f"{purpose} ({user.name})" for purpose, user in by_purpose.items())
            yield Violation("", f"{name} is used for {said}; each purpose needs an identity of its own", urn)
        production = [user for place, user in places[identity].items() if place in settings[PRODUCTION]]
        other = [user for place, user in places[identity].items() if place in settings[NON_PRODUCTION]]
        if production and other:
            yield Violation(
                "",
                f"{name} is used in production ({production[0].name}) and outside of it ({other[0].name}); each "
                "environment needs an identity of its own",
                urn,
            )


def _acts_as(estate: Estate, user: Resource, node: Node) -> set[str]:
    """The identities behind a property: URNs of those in this stack, names of those that are not."""
    if node.absent:
        return set()
    said = {node.text} - {""} | {key for key, _ in node.items()}
    said |= {each.text for each in node.each("[]") if each.text} if not said else set()
    everything = estate.of(*_IDENTITIES)
    named = {each.urn for each in everything if not said.isdisjoint(each.names)}
    urns = set(user.property_dependencies.get(re.split(r"[.\[]", node.path)[0], ()))
    depended = {each.urn for each in everything if each.urn in urns}
    return named or depended or said


def _told(estate: Estate, identity: str, users: Mapping[str, Resource]) -> tuple[str, str]:
    """What an identity is called, and the resource that a finding is told of."""
    if (found := estate.get(identity)) is not None:
        return found.name, found.urn
    return "an identity of elsewhere", next(iter(users.values())).urn
