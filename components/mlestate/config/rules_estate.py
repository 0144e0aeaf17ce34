"""Rules about the estate as a whole: where it lies, who may do what, what is kept, how versions move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

from mlestate import names
from mlestate.config.clouds import CLOUDS, settings_of
from mlestate.config.estate import KEPT_BY_LAW
from mlestate.config.facts import Facts
from mlestate.config.problems import closest

Findings = Iterator[tuple[object, ...]]


def region_exists(facts: Facts, settings: ModuleType) -> Findings:
    """Each cloud's list of regions. A region is spelled differently on every cloud."""
    known: tuple[str, ...] = settings.KNOWN_REGIONS
    here = CLOUDS[facts.cloud].title
    written: list[tuple[tuple[str | int, ...], str]] = [(("region",), facts.config.region)]
    if isinstance(facts.config.residency, tuple):
        written += [(("residency", index), region) for index, region in enumerate(facts.config.residency)]
    for path, region in written:
        if region in known:
            continue
        for cloud, its in CLOUDS.items():
            if cloud != facts.cloud and region in settings_of(cloud).KNOWN_REGIONS:
                yield path, f"'{region}' is a region of {its.title}, and this estate is on {here}.", known
                break
        else:
            yield (
                path,
                f"'{region}' is no region of {here} that mlestate knows.",
                known,
                closest(region, known),
            )


def residency_holds(facts: Facts, settings: ModuleType) -> Findings:
    """Data, keys, replicas and logs lie in the region, so the region decides where they are."""
    residency, region = facts.config.residency, facts.config.region
    if residency is None or facts.is_aside(("region",)) or region not in settings.KNOWN_REGIONS:
        return
    if residency == ():
        yield ("residency",), "names no region. Name at least one, or remove the line."
        return
    allowed = settings.REGIONS[residency] if isinstance(residency, str) else residency
    if region not in allowed:
        label = f"residency {residency}" if isinstance(residency, str) else "the listed residency"
        yield (
            ("region",),
            f"'{region}' lies outside {label}, and data, keys, replicas and logs lie in the region. Use one of: "
            f"{', '.join(allowed)}.",
            tuple(allowed),
        )


def names_fit(facts: Facts, settings: ModuleType) -> Findings:
    """Each cloud's limits on names, by kind (`names.KINDS` has the sources). No name is ever cut to fit."""
    if not facts.is_aside(("name",)):
        config = facts.config
        yield from names.check(facts.cloud, config.name, config.environments, config.models, config.features)


_TAG_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SECRET_TAG = re.compile(
    r".*(?:password|passwd|passphrase).*"
    r"|(?:.*[-_. ])?(?:secrets?|tokens?|credentials?|(?:api|private|access)[-_. ]?keys?)(?:[-_. ].*)?"
)
_TAG_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_OWN_TAGS = ("estate", "environment", "managed-by", "owner")
_MAX_TAGS = 40


def tags_are_legal_on_every_cloud(facts: Facts, settings: ModuleType) -> Findings:
    """Google Cloud, "Requirements for labels": lower case, digits, - and _, 63 characters; the narrowest of the three.
    AWS takes 50 tags on a resource (AWS General Reference, "Tagging"), Azure 50 and none that starts with microsoft,
    azure or windows (Azure Resource Manager, "Use tags"). Ten places are kept for the project's own tags."""
    for key, value in facts.config.tags.items():
        path = ("tags", key)
        if _SECRET_TAG.fullmatch(key.lower()):
            yield (
                path,
                f"the tag '{key}' speaks of a secret, and everyone who may list resources or read a bill sees tags. "
                "Remove it, and give a secret that was here a new value; the place of a secret is Pulumi's config, "
                "where secret:<key> finds it.",
                (),
                None,
                True,
            )
            continue
        if not _TAG_KEY.fullmatch(key):
            yield (
                path,
                f"the tag '{key}' is not legal on all three clouds: a key starts with a lower-case letter and holds "
                "only lower-case letters, digits, - and _, at most 63.",
            )
        elif key.startswith(("microsoft", "azure", "windows")):
            yield path, f"the tag '{key}' starts with a word that Azure keeps for itself. Choose another key."
        elif key in _OWN_TAGS:
            hint = "Use the field owner." if key == "owner" else "Choose another key."
            yield path, f"the tag '{key}' is set on every resource by the project itself. {hint}"
        if not _TAG_VALUE.fullmatch(value):
            yield (
                path,
                f"the value '{value}' is not legal on all three clouds: only lower-case letters, digits, - and _, at "
                "most 63.",
            )
    if len(facts.config.tags) > _MAX_TAGS:
        yield (
            ("tags",),
            f"holds {len(facts.config.tags)} tags; at most {_MAX_TAGS} fit beside the project's own on every cloud.",
        )


_APART = (
    ("approvers", "data_scientists", "who makes a model may not approve it"),
    ("approvers", "ml_engineers", "who releases a model may not approve it"),
    ("approvers", "operators", "who runs a model may not approve it"),
    ("auditors", "data_scientists", "an auditor only reads"),
    ("auditors", "ml_engineers", "an auditor only reads"),
    ("auditors", "approvers", "an auditor may not audit their own approval"),
    ("auditors", "operators", "an auditor only reads"),
)


def duties_are_separate(facts: Facts, settings: ModuleType) -> Findings:
    """Separation of duties (NIST SP 800-53 AC-5). Groups may still share members; the cloud's directory knows."""
    people = facts.config.people
    for role, other, reason in _APART:
        others = {principal.lower() for principal in getattr(people, other)}
        for index, principal in enumerate(getattr(people, role)):
            if principal.lower() in others:
                yield (
                    ("people", role, index),
                    f"'{principal}' is also under {other}, and {reason}. Name another group in one of the two.",
                )
    for role in type(people).model_fields:
        seen: set[str] = set()
        for index, principal in enumerate(getattr(people, role)):
            if principal.lower() in seen:
                yield ("people", role, index), f"'{principal}' is named twice. Remove one."
            seen.add(principal.lower())


def principals_have_the_clouds_form(facts: Facts, settings: ModuleType) -> Findings:
    """What the cloud's own role assignments accept."""
    pattern, sentence = settings.PRINCIPALS
    people = facts.config.people
    for role in type(people).model_fields:
        for index, principal in enumerate(getattr(people, role)):
            if not pattern.fullmatch(principal):
                yield ("people", role, index), f"'{principal}' cannot be given a role. {sentence}"


def trail_can_be_kept(facts: Facts, settings: ModuleType) -> Findings:
    """Retention is counted in days from 1 to 36,500 (S3 Object Lock: 100 years; Cloud Storage retention policy: 100
    years; Azure immutable storage: 146,000 days). A compliance lock can be lifted by no one (same sources), so neither
    its length nor what it does to `destroy` may come as a surprise. The AI Act, articles 19 and 26, wants the records
    of high-risk systems kept for six months."""
    audit, config = facts.config.audit, facts.config
    days = audit.retention.days
    if audit.retention.seconds < 86400 or days > 36500:
        yield (
            ("audit", "retention"),
            f"'{audit.retention}' must be at least 1d and at most 100y, as locks count in days.",
        )
    kept, law = KEPT_BY_LAW.get(str(config.residency), (audit.retention, ""))
    if facts.written(("audit", "retention")) is not None and audit.retention < kept:
        yield (
            ("audit", "retention"),
            f"'{audit.retention}' is shorter than the {kept} for which the law of residency {config.residency} wants "
            f"the record of a breach kept, and the trail is its evidence ({law}). Use {kept} or more.",
        )
    if audit.lock == "compliance":
        if facts.written(("audit", "retention")) is None:
            yield (
                ("audit", "lock"),
                "a compliance lock can be lifted by no one before the retention ends, so the retention must be written "
                "out. Add retention, such as 7y, or use lock: governance.",
            )
        last = config.promotion_path[-1] if config.promotion_path else None
        if last is not None and last in config.environments and not config.environments[last].protect:
            yield (
                ("audit", "lock"),
                "a compliance lock outlives `pulumi destroy`, which would then stop half-way. Set "
                f"environments.{last}.protect: true, or use lock: governance.",
            )
    decides = [name for name, model in config.models.items() if model.automated_decision]
    if config.residency == "eu" and decides and days < 183:
        yield (
            ("audit", "retention"),
            f"'{audit.retention}' is less than the six months for which the AI Act (articles 19 and 26) wants the "
            f"records of {decides[0]} kept. Use 183d or more.",
        )


def environments_fit_together(facts: Facts, settings: ModuleType) -> Findings:
    """A mirror needs something to repeat. `hub` names the shared slice of every estate."""
    environments = facts.config.environments
    for name, environment in environments.items():
        if name == "hub":
            yield ("environments", name), "'hub' names what all environments share. Choose another name."
        original = environment.mirrors
        if original is None:
            continue
        path = ("environments", name, "mirrors")
        if original == name:
            yield path, f"'{name}' cannot mirror itself. Name another environment."
        elif original not in environments:
            if original not in facts.names(("environments",)):
                yield _no_such(path, original, "environment", tuple(environments))
        elif environments[original].mirrors is not None:
            yield path, f"'{original}' is itself a mirror. Mirror {environments[original].mirrors} instead."
    for model_name, model in facts.config.models.items():
        for name in model.environments:
            if name not in environments and name not in facts.names(("environments",)):
                yield _no_such(("models", model_name, "environments", name), name, "environment", tuple(environments))


def promotion_leads_somewhere(facts: Facts, settings: ModuleType) -> Findings:
    """A version passes each environment once; what mirrors an environment is passed before it."""
    promotion, environments = facts.config.promotion, facts.config.environments
    path = promotion.path or ()
    if promotion.path == ():
        yield ("promotion", "path"), "names no environment. Name at least one, or remove the line."
    for index, name in enumerate(path):
        if name not in environments:
            yield _no_such(("promotion", "path", index), name, "environment", tuple(environments))
        elif name in path[:index]:
            yield ("promotion", "path", index), f"'{name}' is named twice. A version passes each environment once."
        else:
            original = environments[name].mirrors
            if original in path[:index]:
                yield (
                    ("promotion", "path", index),
                    f"'{name}' mirrors {original} and must come before it, or it would try out nothing.",
                )
    for name in promotion.approval:
        if name not in environments:
            yield _no_such(("promotion", "approval", name), name, "environment", tuple(environments))
        elif path and name not in path:
            yield (
                ("promotion", "approval", name),
                f"'{name}' is not in promotion.path, so no version ever arrives there.",
            )
    if promotion.approval and not facts.config.people.approvers and not facts.is_aside(("people", "approvers")):
        yield ("promotion", "approval"), "asks for approval, and people.approvers names no one who may give it."


def ci_can_be_trusted(facts: Facts, settings: ModuleType) -> Findings:
    """Azure DevOps tokens carry the organization's GUID in their issuer and `sc://organization/project/connection` as
    subject (Azure DevOps, "Workload identity federation"). gitlab.com and GitHub have public issuers."""
    ci = facts.config.ci
    if ci is None:
        return
    if ci.provider == "azure-devops":
        if ci.owner_id is None and not facts.is_aside(("ci", "owner_id")):
            yield (
                ("ci", "provider"),
                "azure-devops signs its tokens under the organization's GUID, so ci.owner_id is needed. Find it at "
                "https://dev.azure.com/<organization>/_apis/connectiondata (instanceId).",
            )
        for index, repository in enumerate(ci.repositories):
            if repository.count("/") != 1:
                yield (
                    ("ci", "repositories", index),
                    f"'{repository}' must be project/service-connection: Azure DevOps tokens name the connection, not "
                    "the repository.",
                )
        if facts.written(("ci", "branch")) is not None:
            yield (
                ("ci", "branch"),
                "is in no token of Azure DevOps. Remove the line; the connection's checks hold the branch.",
            )
        if ci.host is not None:
            yield ("ci", "host"), "Azure DevOps Server signs no tokens of this kind. Remove the line."
    if not ci.repositories and not facts.config.models and not facts.is_aside(("models",)):
        yield ("ci",), "names no repository, and there is no model to name one after. Add repositories."


def features_can_be_stored(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker keeps is_deleted, write_time and api_invocation_time for itself (CreateFeatureGroup,
    FeatureDefinitions)."""
    reserved = {"is_deleted", "write_time", "api_invocation_time"} if facts.cloud == "aws" else set()
    for name, group in facts.config.features.items():
        path = ("features", name)
        if not group.fields:
            yield (*path, "fields"), "names no feature. Name at least one, such as amount_30d: float."
        if group.entity == group.event_time:
            yield (*path, "event_time"), f"'{group.event_time}' is also the entity. They must be two columns."
        for key in ("entity", "event_time"):
            column = getattr(group, key)
            if column in reserved:
                yield (*path, key), f"'{column}' is a column that SageMaker adds itself. Rename yours."
            if column in group.fields:
                yield (*path, "fields", column), f"'{column}' is the {key} already. Remove it here."
        for column in group.fields:
            if column in reserved:
                yield (*path, "fields", column), f"'{column}' is a column that SageMaker adds itself. Rename yours."
        if group.ttl is not None and not group.online:
            yield (*path, "ttl"), "is the life of a value in the online store, and online is not true. Remove the line."


def datasets_lie_apart(facts: Facts, settings: ModuleType) -> Findings:
    """Retention and access are given by path; of two paths where one lies in the other, neither could be kept."""
    seen: dict[str, str] = {}
    for name, dataset in facts.config.data.datasets.items():
        for folder, other in seen.items():
            if dataset.path.startswith(folder) or folder.startswith(dataset.path):
                yield (
                    ("data", "datasets", name, "path"),
                    f"'{dataset.path}' and '{folder}' of {other} lie in one another, so they cannot be kept apart. "
                    "Give each dataset a folder of its own.",
                )
                break
        seen[dataset.path] = name


def network_can_be_used(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker spreads instances over zones, and endpoints need two subnets for that (Security Hub, SageMaker.4)."""
    network = facts.config.network
    if isinstance(network, str):
        return
    path = ("network", "existing")
    needed = 2 if facts.cloud == "aws" else 1
    if len(network.existing.subnets) < needed:
        yield (*path, "subnets"), f"names {len(network.existing.subnets)}; at least {needed} must be named."
    if network.existing.security_groups and facts.cloud != "aws":
        yield (*path, "security_groups"), "are a thing of AWS. Remove the line."


def secrets_stand_where_they_are_read(facts: Facts, settings: ModuleType) -> Findings:
    """Only these fields are looked up in the Pulumi config; elsewhere the reference itself would be the value."""
    readers = {("alerts", "slack"), ("alerts", "pagerduty")}
    for path, node in facts.tree.walk():
        if isinstance(node.value, str) and node.value.startswith("secret:") and path not in readers:
            yield (
                path,
                f"'{node.value}' would be taken as it stands: secrets are read only in alerts.slack and "
                "alerts.pagerduty.",
            )


def _no_such(path: tuple[str | int, ...], name: str, noun: str, known: tuple[str, ...]) -> tuple[object, ...]:
    listed = f"There are: {', '.join(known)}." if known else f"There is no {noun} yet."
    return path, f"there is no {noun} '{name}'. {listed}", known, closest(name, known)


ESTATE_RULES = (
    region_exists,
    residency_holds,
    names_fit,
    tags_are_legal_on_every_cloud,
    duties_are_separate,
    principals_have_the_clouds_form,
    trail_can_be_kept,
    environments_fit_together,
    promotion_leads_somewhere,
    ci_can_be_trusted,
    features_can_be_stored,
    datasets_lie_apart,
    network_can_be_used,
    secrets_stand_where_they_are_read,
)
