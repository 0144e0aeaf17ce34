"""Notebooks: instances of Vertex AI Workbench, runtimes of Colab Enterprise."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.checks import equals, holds, is_false, is_set, is_true
from mlestate_policies.gcp.shapes import has_own_account, has_own_key, lasts
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

WORKBENCH: Final = "gcp:workbench/instance:Instance"
TEMPLATE: Final = "gcp:colab/runtimeTemplate:RuntimeTemplate"

IDLE_MINUTES: Final = limit(
    "workbenchIdleMinutes", 180, "Minutes without work after which notebooks of Workbench and Colab stop, at most"
)
IMAGES: Final = limit(
    "workbenchImages",
    (),
    "The image families (`family` or `project/family`) and container repositories that Workbench may start, with `*`; "
    "empty where nobody keeps a list",
)
NETWORKS: Final = limit(
    "workbenchNetworks",
    (),
    "The networks that Workbench may be in, as `projects/p/global/networks/n`, with `*`; empty where there is no list",
)

_SHIELD: Final = "gceSetup.shieldedInstanceConfig"
_METADATA: Final = "gceSetup.metadata"
_DISABLED: Final = tuple(f"{_METADATA}.notebook-disable-{what}" for what in ("root", "downloads", "terminal"))
_UPGRADES: Final = f"{_METADATA}.notebook-upgrade-schedule"
_IDLE: Final = f"{_METADATA}.idle-timeout-seconds"


@resource_rule(
    "ML-GCP-VX-020",
    {WORKBENCH: ("gceSetup.disablePublicIp", "gceSetup.networkInterfaces[].accessConfigs[]")},
    "A Workbench instance has no public address",
    why="A public address offers the notebook to the internet, and is a way out that no control of the network sees.",
    fix="Set gceSetup.disablePublicIp to true before the instance is created, and give its interface no "
    "accessConfigs; a subnet with private Google access reaches Google's services without one.",
    severity="high",
    sources=("CKV2_GCP_28", "CKV_GCP_89", "CKV2_GCP_36", "constraints/ainotebooks.restrictPublicIp"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def workbench_has_no_public_address(instance: Resource, settings: Settings) -> Findings:
    yield from is_true(instance, "gceSetup.disablePublicIp")
    for node in instance.each("gceSetup.networkInterfaces[].accessConfigs[]"):
        if node.known:
            yield Violation(node.path, f"{node.path} gives the instance a public address; it has to have none")
        elif node.unknown:
            yield Undecided(node.path)


@resource_rule(
    "ML-GCP-VX-021",
    {WORKBENCH: ("gceSetup.bootDisk.kmsKey", "gceSetup.bootDisk.diskEncryption", "gceSetup.dataDisks.kmsKey")},
    "The disks of a Workbench instance have a key of the estate",
    why="Notebooks leave copies of the data on their disks, long after the work is done.",
    fix='Set diskEncryption to "CMEK" and kmsKey on gceSetup.bootDisk and gceSetup.dataDisks, before the instance is '
    "created.",
    severity="high",
    hardening=True,
    sources=("CKV2_GCP_27", "CKV2_GCP_21", "CKV2_GCP_35"),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def workbench_disks_have_a_key(instance: Resource, settings: Settings) -> Findings:
    yield from equals(instance, "gceSetup.bootDisk.diskEncryption", "CMEK")
    yield from has_own_key(instance, "gceSetup.bootDisk.kmsKey")
    if not instance.at("gceSetup.dataDisks").absent:  # left out, it is encrypted as the boot disk is
        yield from has_own_key(instance, "gceSetup.dataDisks.kmsKey")


@resource_rule(
    "ML-GCP-VX-022",
    {
        WORKBENCH: (
            f"{_SHIELD}.enableSecureBoot",
            f"{_SHIELD}.enableVtpm",
            f"{_SHIELD}.enableIntegrityMonitoring",
        )
    },
    "A Workbench instance is a shielded machine",
    why="What is changed beneath the operating system is seen by nothing that runs on it.",
    fix="Set enableSecureBoot, enableVtpm and enableIntegrityMonitoring to true in gceSetup.shieldedInstanceConfig.",
    severity="medium",
    sources=("CKV_GCP_126", "CKV_GCP_127"),
    evidences=("EU AI Act 15",),
    remedy={
        f"{_SHIELD}.enableSecureBoot": True,
        f"{_SHIELD}.enableVtpm": True,
        f"{_SHIELD}.enableIntegrityMonitoring": True,
    },
)
def workbench_is_shielded(instance: Resource, settings: Settings) -> Findings:
    yield from is_true(instance, f"{_SHIELD}.enableSecureBoot")
    for path in (f"{_SHIELD}.enableVtpm", f"{_SHIELD}.enableIntegrityMonitoring"):
        yield from is_true(instance, path, absent_passes=True)


@resource_rule(
    "ML-GCP-VX-023",
    {WORKBENCH: (*_DISABLED, _UPGRADES, _IDLE)},
    "A Workbench instance has no root, downloads or terminal, upgrades itself, and stops when idle",
    why="With root, a terminal and downloads the data leaves unseen; a machine that nobody uses is one nobody watches.",
    fix="Set in gceSetup.metadata notebook-disable-root, notebook-disable-downloads and notebook-disable-terminal to "
    '"true", notebook-upgrade-schedule to a cron expression and idle-timeout-seconds to the limit or less.',
    severity="medium",
    sources=(
        "constraints/ainotebooks.disableRootAccess",
        "constraints/ainotebooks.disableFileDownloads",
        "constraints/ainotebooks.disableTerminal",
        "constraints/ainotebooks.requireAutoUpgradeSchedule",
        "VAI-CO-4.2",
        "VAI-CO-4.3",
    ),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
    remedy={**dict.fromkeys(_DISABLED, "true"), _IDLE: "10800"},
)
def workbench_is_locked_down(instance: Resource, settings: Settings) -> Findings:
    for path in _DISABLED:
        yield from is_true(instance, path)
    yield from is_set(instance, _UPGRADES, "without it the image is never upgraded")
    yield from lasts(instance, _IDLE, *_short(settings))


@resource_rule(
    "ML-GCP-VX-024",
    {WORKBENCH: ("gceSetup.serviceAccounts[].email", "instanceOwners[]")},
    "A Workbench instance runs as a service account of its own, for one named owner",
    why="Shared notebooks and shared accounts leave an audit trail in which nobody did anything.",
    fix="Set gceSetup.serviceAccounts to an account made for the notebook, and instanceOwners to one person.",
    severity="medium",
    sources=("constraints/ainotebooks.accessMode", "VAI-CO-4.1"),
    evidences=("EU AI Act 12", "ISO 42001 A.3.2"),
)
def workbench_has_an_account_and_an_owner(instance: Resource, settings: Settings) -> Findings:
    yield from has_own_account(instance, "gceSetup.serviceAccounts[].email")
    yield from is_set(instance, "instanceOwners[]", "whoever may use its service account can then use the notebook")
    if (owners := instance.at("instanceOwners")).unknown:
        yield Undecided(owners.path)
    for node in instance.each("instanceOwners[]")[1:]:
        yield Violation(node.path, f"{node.path} is a second owner; a notebook has one")


@resource_rule(
    "ML-GCP-VX-025",
    {
        WORKBENCH: (
            "gceSetup.vmImage.family",
            "gceSetup.containerImage.repository",
            "gceSetup.networkInterfaces[].network",
        )
    },
    "A Workbench instance starts an image and is in a network that are on the lists",
    why="An image from anywhere runs anything, and a network that was not planned has none of the estate's controls.",
    fix="Set gceSetup.vmImage (or containerImage) and the interface's network to ones on workbenchImages and "
    "workbenchNetworks.",
    severity="medium",
    sources=("constraints/ainotebooks.environmentOptions", "constraints/ainotebooks.restrictVpcNetworks"),
    evidences=("EU AI Act 15",),
)
def workbench_image_and_network_are_on_the_lists(instance: Resource, settings: Settings) -> Findings:
    images, networks = settings[IMAGES], settings[NETWORKS]
    if images:
        container = instance.at("gceSetup.containerImage.repository")
        project = instance.at("gceSetup.vmImage.project")
        wrong = "the image is not on the list workbenchImages"
        if not container.absent:
            yield from holds(instance, container.path, _listed(images), wrong)
        elif project.unknown:
            yield Undecided(project.path)
        else:
            yield from holds(instance, "gceSetup.vmImage.family", _listed(images, f"{project.text}/"), wrong)
    if networks:
        path = "gceSetup.networkInterfaces[].network"
        yield from holds(instance, path, _listed(networks), "the network is not on the list workbenchNetworks")


@resource_rule(
    "ML-GCP-VX-026",
    {TEMPLATE: ("shieldedVmConfig.enableSecureBoot", "idleShutdownConfig.idleTimeout")},
    "Colab runtimes boot securely and stop when idle",
    why="A runtime that nobody uses is one nobody watches, and it costs as much as one that works.",
    fix="Set shieldedVmConfig.enableSecureBoot to true and idleShutdownConfig.idleTimeout to the limit or less.",
    severity="medium",
    evidences=("EU AI Act 15",),
)
def colab_boots_securely_and_stops(template: Resource, settings: Settings) -> Findings:
    yield from is_true(template, "shieldedVmConfig.enableSecureBoot")
    yield from lasts(template, "idleShutdownConfig.idleTimeout", *_short(settings))


@resource_rule(
    "ML-GCP-VX-028",
    {TEMPLATE: ("networkSpec.enableInternetAccess", "encryptionSpec.kmsKeyName")},
    "Colab runtimes have a key of the estate and no way to the internet",
    why="A notebook reads the data as it is; a way out of its own carries it past every control of the network.",
    fix="Set networkSpec.enableInternetAccess to false with a network and a subnetwork, and encryptionSpec.kmsKeyName.",
    severity="medium",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def colab_is_private(template: Resource, settings: Settings) -> Findings:
    yield from is_false(template, "networkSpec.enableInternetAccess")
    yield from has_own_key(template, "encryptionSpec.kmsKeyName")


def _short(settings: Settings) -> tuple[Callable[[float], bool], str]:
    """The test for an idle timeout, and its words; zero switches the shutdown off."""
    minutes = settings[IDLE_MINUTES]
    return lambda length: 0 < length <= minutes * 60, f"more than 0 and at most {minutes * 60:g} seconds"


def _listed(patterns: tuple[str, ...], prefix: str = "") -> Callable[[Node], bool]:
    """Whether a text, or the text after a prefix or in a URL, is on a list."""
    return lambda node: any(
        fnmatchcase(text, pattern)
        for pattern in patterns
        for text in (node.text, prefix + node.text, node.text.partition("/compute/v1/")[2])
        if text
    )
