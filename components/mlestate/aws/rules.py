"""Rules of the file that only AWS has. No SDK: what would fail in an `up` is refused where it is written."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from zoneinfo import available_timezones

from mlestate.aws.monitoring_rules import MONITORING_RULES
from mlestate.aws.policies import canonical
from mlestate.aws.serving_rules import SERVING_RULES
from mlestate.aws.training_rules import TRAINING_RULES
from mlestate.aws.trust import PEOPLE, TRUST_LIMIT, believers, issuer
from mlestate.config.facts import Facts
from mlestate.config.problems import closest
from mlestate.names import HUB, Names

Findings = Iterator[tuple[object, ...]]


def trusts_fit(facts: Facts, settings: ModuleType) -> Findings:
    """IAM quotas: a role's trust policy has room for 2,048 characters."""
    config, ci = facts.config, facts.config.ci
    hub = Names("aws", config.name, HUB, config.region, config.home or "0" * 12)
    for persona, field in PEOPLE.items():
        size = len(canonical(believers(hub, config.people, persona)))
        if size > TRUST_LIMIT:
            yield (
                ("people", field),
                f"names {len(getattr(config.people, field))} principals, which take {size} characters of the role's "
                f"trust policy, and AWS has room for {TRUST_LIMIT}. Name a permission set (sso:<name>) instead of "
                "single people.",
            )
    if ci is not None:
        believed = issuer(ci, config.models, config.environments)
        provider = hub.arn("iam", f"oidc-provider/{believed.host}", regional=False)
        size = max(
            len(canonical(believed.trusting(provider, believed.planners))),
            len(canonical(believed.trusting(provider, believed.appliers, believed.branch))),
        )
        if size > TRUST_LIMIT:
            yield (
                ("ci", "repositories"),
                f"makes {len(ci.repositories or config.models)} repositories trusted, which take {size} characters "
                f"of a role's trust policy, and AWS has room for {TRUST_LIMIT}. Trust fewer repositories.",
            )


def tokens_can_be_held_to_the_owner(facts: Facts, settings: ModuleType) -> Findings:
    """AWS STS, "Available keys for AWS OIDC federation": of a token of GitHub or GitLab no owner's id is read."""
    ci = facts.config.ci
    if ci is not None and ci.owner_id is not None and ci.provider != "azure-devops":
        yield (
            ("ci", "owner_id"),
            f"'{ci.owner_id}' cannot be demanded: AWS reads no owner's id in a token of {ci.provider}. Remove the "
            "line, and name the repositories that are trusted.",
        )


def endpoints_rest_where_they_may(facts: Facts, settings: ModuleType) -> Findings:
    """What protection promises; the IANA time zones that EventBridge Scheduler reads; how long CloudWatch keeps the
    hourly sums of requests is no limit, but two weeks are enough to call something forgotten."""
    machines = [name for name, model in facts.config.models.items() if model.serving.mode == "realtime"]
    for name, each in facts.config.environments.items():
        for word in ("off_hours", "stop_idle_after"):
            if getattr(each, word) is None:
                continue
            path = ("environments", name, word)
            if each.protect:
                yield (
                    path,
                    f"would delete endpoints of {name}, whose protect is true. Remove the line, or the protection.",
                )
            elif not machines:
                yield (
                    path,
                    "would stop nothing: no model has serving mode realtime, and no other mode costs anything while "
                    "idle. Remove it.",
                )
        if (off := each.off_hours) is not None:
            path = ("environments", name, "off_hours")
            if off.stop == off.start:
                yield (*path, "start"), f"'{off.start}' is also when endpoints stop. Name two times."
            zones = available_timezones()
            if zones and off.timezone not in zones:
                yield (
                    (*path, "timezone"),
                    f"'{off.timezone}' is no time zone of the IANA database.",
                    (),
                    closest(off.timezone, tuple(sorted(zones))),
                )
        idle = each.stop_idle_after
        if idle is not None and (idle.seconds % 3600 or not 3600 <= idle.seconds <= 14 * 86400):
            yield (
                ("environments", name, "stop_idle_after"),
                f"'{idle}' cannot be counted: requests are summed by the hour. Use whole hours, from 1h to 14d.",
            )


def an_account_has_room_for_one_anomaly_monitor(facts: Facts, settings: ModuleType) -> Findings:
    """Cost Anomaly Detection has one monitor a dimension in an account
    (aws-cloudformation/cloudformation-coverage-roadmap#2515), which answers in its own account alone (Cost Management,
    "Getting started with AWS Cost Anomaly Detection")."""
    watched: dict[str | None, str] = {}
    for name, each in facts.config.environments.items():
        path, monitor = ("environments", name, "anomaly_monitor"), getattr(each, "anomaly_monitor", None)
        if monitor is None:
            continue
        home = each.home or facts.config.home
        if monitor == "new" and home in watched:
            yield (
                path,
                f"'new' would be a second monitor in the account of {watched[home]}, and an account has room for one. "
                "Remove the line: the other sees the whole account.",
            )
        watched.setdefault(home, name)
        if monitor != "new" and home is not None and monitor.split(":")[4] != home:
            yield (
                path,
                f"'{monitor}' lies in account {monitor.split(':')[4]}, and {name} in {home}: a monitor tells nobody "
                "outside its own account. Name one of that account.",
            )


def deploy_roles_lie_where_they_deploy(facts: Facts, settings: ModuleType) -> Findings:
    """IAM user guide, "Roles terms and concepts": a role acts in the account that its ARN names, and in no other."""
    for name, each in facts.config.environments.items():
        role, home = getattr(each, "deploy_role", None), each.home or facts.config.home
        if role is not None and home is not None and role.split(":")[4] != home:
            yield (
                ("environments", name, "deploy_role"),
                f"'{role}' lies in account {role.split(':')[4]}, and {name} in {home}. Name a role of that account.",
            )


def environments_are_told_apart(facts: Facts, settings: ModuleType) -> Findings:
    """What an environment's roles may touch, their policies say by the beginning of its names, and roles of an account
    have names of their own (IAM API, CreateRole, EntityAlreadyExists)."""
    homes = {name: each.home or facts.config.home for name, each in facts.config.environments.items()}
    for name, home in homes.items():
        for other in homes:
            if name.startswith(f"{other}-") and homes[other] == home:
                yield (
                    ("environments", name),
                    f"'{name}' begins as all names of {other} do, so the roles of {other} would reach into it. Choose "
                    "a name that begins otherwise, or give it an account of its own.",
                )


MOST_FEATURES = 2500


def features_have_names_that_sagemaker_takes(facts: Facts, settings: ModuleType) -> Findings:
    """SageMaker API, CreateFeatureGroup: a name begins and ends with a letter or digit, and a group has 2,500
    definitions. Athena reads columns in lower case (Athena user guide, "Name databases, tables, and columns")."""
    for name, group in facts.config.features.items():
        path = ("features", name)
        columns = {**{group.entity: "entity", group.event_time: "event_time"}, **dict.fromkeys(group.fields, "fields")}
        for column, key in columns.items():
            if column.endswith("_"):
                at = (*path, key, column) if key == "fields" else (*path, key)
                yield at, f"'{column}' ends with _, and SageMaker's names end with a letter or a digit. Rename it."
        yield from _alike((*path, "fields"), columns)
        if len(columns) > MOST_FEATURES:
            yield (
                (*path, "fields"),
                f"names {len(group.fields)} features; with its entity and event_time a group of SageMaker holds "
                f"{MOST_FEATURES}. Make two groups of one entity.",
            )


def datasets_can_be_tables(facts: Facts, settings: ModuleType) -> Findings:
    """An Iceberg table knows its files and its columns by its own metadata (Iceberg table specification): what S3
    expires by age is still listed there, and what the catalogue says of its columns is not read."""
    for name, dataset in facts.config.data.datasets.items():
        path = ("data", "datasets", name)
        if dataset.format == "iceberg" and dataset.columns:
            yield (
                (*path, "columns"),
                "would be read by no one: an iceberg table keeps its columns itself. Remove them; whoever writes it "
                "first makes it, and changes it after.",
            )
        if dataset.format == "iceberg" and dataset.retention is not None:
            yield (
                (*path, "retention"),
                f"'{dataset.retention}' would delete files that the iceberg table still lists, and break it. Remove "
                "the line, and delete old rows in the table.",
            )
        yield from _alike((*path, "columns"), dataset.columns)


def lake_formation_has_administrators(facts: Facts, settings: ModuleType) -> Findings:
    """Lake Formation API, DataLakeSettings: administrators are IAM users and roles of the account itself. Its defaults
    hold for the hub's catalogue too, in which auditors ask the trail."""
    config, lake = facts.config, facts.config.data.lake_formation
    if lake is None:
        return
    path = ("data", "lake_formation", "administrators")
    forms = [settings.PRINCIPAL_FORMS[form] for form in ("role", "user")]
    wrong = [each for each in lake.administrators if not any(form.fullmatch(each) for form in forms)]
    for index, each in enumerate(lake.administrators):
        if each in wrong:
            yield (
                (*path, index),
                f"'{each}' cannot administer Lake Formation, which takes the ARN of an IAM role or user, such as "
                "arn:aws:iam::222222222222:role/deployer.",
            )
    accounts = {each.split(":")[4] for each in lake.administrators if each not in wrong}
    for name, environment in config.environments.items():
        home = environment.home or config.home
        if home is None or home == config.home:
            yield (
                ("data", "lake_formation"),
                f"would hide the tables of the trail from the auditors, because {name} lies in the account of the hub. "
                f"Give {name} an account of its own, or remove the block.",
            )
        elif home not in accounts and not wrong:
            yield (
                path,
                f"names no one of account {home}, where {name} lies, and an account has administrators of its own "
                "alone. Add the role that deploys there.",
            )


def _alike(path: tuple[str, ...], columns: Iterable[str]) -> Findings:
    seen: dict[str, str] = {}
    for column in columns:
        other = seen.setdefault(column.lower(), column)
        if other != column:
            yield (
                (*path, column),
                f"'{column}' and '{other}' are one column to Athena, which reads no capitals. Rename one.",
            )


def tracking_is_asked_for_as_it_is(facts: Facts, settings: ModuleType) -> Findings:
    """A server of one's own has an address, and nothing else has; only a managed one has a size. Runs leave their files
    in a folder of the artifacts, where each model has one too."""
    tracking = facts.config.tracking
    if "mlflow" in facts.config.models:
        yield ("models", "mlflow"), "'mlflow' is where runs leave their files beside the models'. Rename the model."
    if tracking.server == "external" and tracking.uri is None and not facts.is_aside(("tracking", "uri")):
        yield (
            ("tracking", "server"),
            "'external' is a server of yours, and tracking.uri does not say where. Add it, such as "
            "uri: https://mlflow.acme.example.",
        )
    if tracking.server == "external" and facts.config.network == "private":
        yield (
            ("tracking", "server"),
            "'external' cannot be reached: from network: private nothing leads out. Use managed, or network: "
            "{existing: ...} with a way to the server.",
        )
    if tracking.uri is not None and "@" in tracking.uri:
        yield (
            ("tracking", "uri"),
            "holds a user or a password, and what stands in this file is read by many. Remove it, and give a password "
            "that was here a new value; a training run reads the one it needs from a store of secrets.",
            (),
            None,
            True,
        )
    elif tracking.server != "external" and tracking.uri is not None:
        yield (
            ("tracking", "uri"),
            f"'{tracking.uri}' is a server of yours, and tracking.server is {tracking.server}. Write server: external, "
            "or remove the line.",
        )
    if tracking.server != "managed" and facts.written(("tracking", "size")) is not None:
        yield (
            ("tracking", "size"),
            f"'{tracking.size}' is the size of a managed server, and tracking.server is {tracking.server}. Write "
            "server: managed, which bills while idle, or remove the line.",
        )


RULES = (
    *TRAINING_RULES,
    *SERVING_RULES,
    *MONITORING_RULES,
    features_have_names_that_sagemaker_takes,
    datasets_can_be_tables,
    lake_formation_has_administrators,
    tracking_is_asked_for_as_it_is,
    endpoints_rest_where_they_may,
    an_account_has_room_for_one_anomaly_monitor,
    deploy_roles_lie_where_they_deploy,
    environments_are_told_apart,
    trusts_fit,
    tokens_can_be_held_to_the_owner,
)
