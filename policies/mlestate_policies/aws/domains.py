"""Domains of SageMaker Studio, and the profiles of users, which may say otherwise than their domain."""

from typing import Final

from mlestate_policies.checks import at_most, equals, is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Violation, resource_rule, undecided
from mlestate_policies.settings import Settings, limit

DOMAIN: Final = "aws:sagemaker/domain:Domain"
USER_PROFILE: Final = "aws:sagemaker/userProfile:UserProfile"

IDLE_MINUTES: Final = limit(
    "studioIdleMinutes",
    120,
    "Minutes after which an idle app of SageMaker Studio is shut down at most; SageMaker takes 60 or more",
)
_IDLE_APPS: Final = ("jupyterLabAppSettings", "codeEditorAppSettings")
_IDLE: Final = "appLifecycleManagement.idleSettings"
_DEPLOY: Final = "canvasAppSettings.directDeploySettings.status"
_ACCESS: Final = "domainSettings.dockerSettings.enableDockerAccess"
_ACCOUNTS: Final = "domainSettings.dockerSettings.vpcOnlyTrustedAccounts[]"
_IDENTITY: Final = "domainSettings.executionRoleIdentityConfig"


@resource_rule(
    "ML-AWS-SM-008",
    {DOMAIN: ("appNetworkAccessType",)},
    "The traffic of a Studio domain stays in its network",
    why="Else every app has a way to the internet that no control of the network sees.",
    fix='Set appNetworkAccessType to "VpcOnly", with endpoints in the network for what the apps call.',
    severity="high",
    hardening=True,
    sources=("SAGEMAKER_DOMAIN_IN_VPC",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def domain_stays_in_its_network(domain: Resource, settings: Settings) -> Findings:
    return equals(domain, "appNetworkAccessType", "VpcOnly")


@resource_rule(
    "ML-AWS-SM-009",
    {DOMAIN: ("kmsKeyId",)},
    "The files of a Studio domain are encrypted with a key of the estate",
    why="Only who holds the key decides who reads the users' files, and can end that.",
    fix="Set kmsKeyId to a key of the estate.",
    severity="medium",
    hardening=True,
    sources=("CKV_AWS_187",),
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def domain_files_have_a_key(domain: Resource, settings: Settings) -> Findings:
    return is_set(domain, "kmsKeyId", "without one the users' files are encrypted with a key of AWS's own")


@resource_rule(
    "ML-AWS-SM-010",
    {DOMAIN: ("authMode",)},
    "People sign in to a Studio domain through the organisation's single sign-on, in production",
    why="Who leaves the organisation then loses the domain too, and its second factor holds here.",
    fix='Set authMode to "SSO".',
    severity="medium",
    level="advisory",
    sources=("prowler sagemaker_domain_sso_configured",),
    evidences=("PIPEDA 4.7",),
)
def domain_signs_in_through_sso(domain: Resource, settings: Settings) -> Findings:
    if not settings.production(domain):
        return ()
    return equals(domain, "authMode", "SSO")


@resource_rule(
    "ML-AWS-SM-011",
    {DOMAIN: (_IDENTITY,)},
    "A Studio domain names the user in what its roles do",
    why="Else the trail shows one shared role, and nobody can tell who trained, approved or read.",
    fix=f'Set {_IDENTITY} to "USER_PROFILE_NAME", and let the execution roles trust sts:SetSourceIdentity.',
    severity="medium",
    evidences=("EU AI Act 12", "ISO 42001 A.6.2.8", "NIST AI RMF MEASURE 2.8"),
)
def domain_names_the_user(domain: Resource, settings: Settings) -> Findings:
    return equals(domain, _IDENTITY, "USER_PROFILE_NAME")


@resource_rule(
    "ML-AWS-SM-012",
    {
        DOMAIN: tuple(
            f"defaultUserSettings.{app}.{_IDLE}.{key}"
            for app in _IDLE_APPS
            for key in ("lifecycleManagement", "idleTimeoutInMinutes")
        ),
        USER_PROFILE: tuple(
            f"userSettings.{app}.{_IDLE}.{key}"
            for app in _IDLE_APPS
            for key in ("lifecycleManagement", "idleTimeoutInMinutes")
        ),
    },
    "Idle apps of a Studio domain are shut down",
    why="A forgotten app is paid for by the hour, and is a session that stays open.",
    fix=f'Set {_IDLE}.lifecycleManagement to "ENABLED" for JupyterLab and Code Editor, and idleTimeoutInMinutes.',
    severity="low",
    level="advisory",
)
def idle_apps_are_shut_down(subject: Resource, settings: Settings) -> Findings:
    place, inherits = _user_settings(subject)
    for app in _IDLE_APPS:
        idle = f"{place}.{app}.{_IDLE}"
        if inherits and subject.at(idle).absent:
            continue
        yield from equals(subject, f"{idle}.lifecycleManagement", "ENABLED")
        yield from at_most(subject, f"{idle}.idleTimeoutInMinutes", settings[IDLE_MINUTES], "minutes")


@resource_rule(
    "ML-AWS-SM-013",
    {DOMAIN: (_ACCESS, _ACCOUNTS, "appNetworkAccessType")},
    "A Studio domain has no Docker, or one that pulls from named accounts only",
    why="With Docker anyone's image runs beside the data, unless the domain is held to accounts that are trusted.",
    fix='Set enableDockerAccess to "DISABLED", or appNetworkAccessType to "VpcOnly" and list vpcOnlyTrustedAccounts.',
    severity="medium",
    evidences=("EU AI Act 15",),
)
def docker_pulls_from_named_accounts(domain: Resource, settings: Settings) -> Findings:
    access, accounts = domain.at(_ACCESS), domain.at(_ACCOUNTS.removesuffix("[]"))
    yield from undecided([access])
    if access.text.upper() != "ENABLED":
        return
    if accounts.absent:
        yield Violation(accounts.path, f"{accounts.path} is not set; Docker is on, and pulls from any account")
    for network in equals(domain, "appNetworkAccessType", "VpcOnly"):
        if isinstance(network, Violation):
            yield Violation(network.path, f"{network.message}, else vpcOnlyTrustedAccounts hold nothing back")
        else:
            yield network


@resource_rule(
    "ML-AWS-SM-014",
    {DOMAIN: (f"defaultUserSettings.{_DEPLOY}",), USER_PROFILE: (f"userSettings.{_DEPLOY}",)},
    "Canvas deploys no model straight to an endpoint",
    why="A model that goes from Canvas to an endpoint has passed no test and was approved by nobody.",
    fix=f'Set {_DEPLOY} to "DISABLED", and let Canvas register models instead.',
    severity="high",
    evidences=("NIST AI RMF GOVERN 3.2", "EU AI Act 14"),
)
def canvas_deploys_nothing(subject: Resource, settings: Settings) -> Findings:
    place, inherits = _user_settings(subject)
    return equals(subject, f"{place}.{_DEPLOY}", "DISABLED", absent_passes=inherits)


@resource_rule(
    "ML-AWS-SM-015",
    {
        DOMAIN: tuple(f"defaultUserSettings.sharingSettings.{key}" for key in ("notebookOutputOption", "s3KmsKeyId")),
        USER_PROFILE: tuple(f"userSettings.sharingSettings.{key}" for key in ("notebookOutputOption", "s3KmsKeyId")),
    },
    "Notebooks are shared without their output, or the output is encrypted with a key of the estate",
    why="The output of a cell is often the data itself, and a shared copy lies outside the data's own controls.",
    fix='Set sharingSettings.notebookOutputOption to "Disabled", or s3KmsKeyId to a key of the estate.',
    severity="low",
    level="advisory",
    evidences=("PIPEDA 4.7",),
)
def shared_output_has_a_key(subject: Resource, settings: Settings) -> Findings:
    sharing = subject.at(f"{_user_settings(subject)[0]}.sharingSettings")
    output, key = sharing.at("notebookOutputOption"), sharing.at("s3KmsKeyId")
    if key.known:
        return
    yield from undecided([output])
    if key.absent and output.text.lower() == "allowed":
        yield Violation(key.path, f'{key.path} is not set and {output.path} is "Allowed"; one of the two has to change')


def _user_settings(subject: Resource) -> tuple[str, bool]:
    """Where the settings of users are, and whether what is absent there is taken from the domain."""
    return ("userSettings", True) if subject.type == USER_PROFILE else ("defaultUserSettings", False)
