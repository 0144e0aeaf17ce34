"""Every model that is registered is known: who answers for it, and what it is for."""

from typing import Final

from mlestate_policies.any.reach import refers
from mlestate_policies.any.resources import REQUIRED_TAGS
from mlestate_policies.resources import Estate
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

_GROUP: Final = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
_CARD: Final = "aws:sagemaker/modelCard:ModelCard"
_CONTAINERS: Final = (
    "azure-native:machinelearningservices:ModelContainer",
    "azure-native:machinelearningservices:RegistryModelContainer",
)
_OWNERS: Final = ("owner", "ownerteam", "modelowner")


@stack_rule(
    "ML-STK-17",
    {
        _GROUP: ("tags",),
        _CARD: ("content",),
        **dict.fromkeys(_CONTAINERS, ("properties.tags", "properties.description")),
    },
    "Every registered model says what it is for, and names its owner where that tag is asked for",
    why="A model that nobody answers for is in no inventory, and nobody notices when it should be retired.",
    fix="Tag each model group with `owner`, and describe it: on AWS with a ModelCard whose content names the group, on "
    "Azure in properties.description.",
    severity="medium",
    hardening=True,
    evidences=("ISO 42001 A.4.2", "ISO 42001 A.6.2.7", "NIST AI RMF GOVERN 1.6", "OSFI E-23"),
)
def models_are_documented(estate: Estate, settings: Settings) -> Findings:
    cards = estate.of(_CARD)
    asks_owner = "owner" in settings[REQUIRED_TAGS]  # baseline asks nobody for tags beyond the environment
    for group in estate.of(_GROUP):
        owners = [tag for key in _OWNERS if not (tag := group.tag(key)).absent]
        if not owners and asks_owner:
            yield Violation("tags", f"tags of {group.name} name no owner; one has to answer for the model", group.urn)
        elif owners and all(tag.unknown for tag in owners):
            yield Undecided("tags", group.urn)
        if not any(_describes(card.at("content"), group.at("modelPackageGroupName")) for card in cards) and not any(
            refers(card, group, "content") for card in cards
        ):
            unread = [card for card in cards if card.at("content").unknown]
            if unread:
                yield Undecided("content", unread[0].urn)
            else:
                yield Violation(
                    "", f"{group.name} is described by no ModelCard; its content has to name the group", group.urn
                )
    for container in estate.of(*_CONTAINERS):
        tags = container.at("properties.tags")
        owner = any(key.lower().replace("-", "").replace("_", "") in _OWNERS for key, _ in tags.items())
        if tags.unknown:
            yield Undecided(tags.path, container.urn)
        elif not owner and asks_owner:
            yield Violation(
                tags.path, f"{tags.path} of {container.name} name no owner; one has to answer for it", container.urn
            )
        if container.at("properties.description").absent:
            yield Violation(
                "properties.description",
                f"properties.description of {container.name} is not set; it has to say what the model is for",
                container.urn,
            )


def _describes(content: Node, group: Node) -> bool:
    """Whether a card's text names a group; it need not be all known for that."""
    return bool(group.text) and group.text in content.text
