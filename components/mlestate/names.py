"""Every physical name, resource id and tag of an estate: pure functions with each cloud's limits.

A physical name is fixed only where people or other systems address the thing; everything else keeps Pulumi's
auto-name. Names are deterministic and never random, so that one slice of an estate can compute what another slice made.
Nothing is ever cut in silence: a name that does not fit is refused with the longest one that would.

Pattern: ``{estate}-{environment}-{role}``; the hub's environment is the word ``hub``. Kinds whose names are shared with
every other customer of the cloud get six hexadecimal digits of the account, project or subscription behind it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2s

__all__ = ["HUB", "KINDS", "USED", "Kind", "NameTooLong", "Names", "check"]

HUB = "hub"
"""The word that stands for the hub where an environment's name would stand; no environment may take it."""


@dataclass(frozen=True)
class Kind:
    """What one kind of name may look like on its cloud."""

    limit: int
    """Longest name, in characters."""
    pattern: str = r"[a-z0-9](-?[a-z0-9])*"
    """What a whole name must match (a regular expression)."""
    shared: bool = False
    """Unique among all customers of the cloud, not just within one account: six digits are added."""
    separator: str = "-"
    """What stands between the words: a hyphen, an underscore, or nothing at all."""
    compact: bool = False
    """Too short for three words: the estate's and the role's first letters, then eight digits of a hash of all."""


KINDS: Mapping[str, Kind] = {
    # S3 user guide, "General purpose bucket naming rules".
    "aws:bucket": Kind(63, shared=True),
    # IAM quotas: role and policy names 64 and 128 characters.
    "aws:role": Kind(64),
    "aws:policy": Kind(128),
    # KMS API CreateAlias: alias/ and up to 250 characters more.
    "aws:key-alias": Kind(250),
    # SageMaker API: endpoint, model package group and monitoring names share [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}.
    "aws:endpoint": Kind(63),
    "aws:model-package-group": Kind(63),
    # SageMaker API: models and endpoint configurations the same; Pulumi's auto-name takes eight of their 63 characters.
    "aws:model": Kind(55),
    # ECR API CreateRepository: 2 to 256 characters, slashes allowed.
    "aws:image-repository": Kind(256),
    # CloudTrail API CreateTrail: 3 to 128 characters.
    "aws:trail": Kind(128),
    # Glue API: 1 to 255; Athena and Hive read only lower case, digits and underscores.
    "aws:catalog-database": Kind(255, r"[a-z0-9_]+", separator="_"),
    # Athena API CreateWorkGroup: 1 to 128.
    "aws:workgroup": Kind(128),
    # Access Analyzer API: 1 to 255.
    "aws:analyzer": Kind(255),
    # CloudWatch Logs API: 1 to 512.
    "aws:log-group": Kind(512),
    # SNS API CreateTopic: 1 to 256.
    "aws:topic": Kind(256),
    # EventBridge API: rules, connections and API destinations 1 to 64.
    "aws:rule": Kind(64),
    # SageMaker API: processing jobs 1 to 63, of which the id of the scheduler's run takes the last 17.
    "aws:monitoring-job": Kind(46),
    # SageMaker API: schedules and job definitions 1 to 63; a definition's name ends in nine characters of a digest.
    "aws:monitoring-schedule": Kind(63),
    "aws:job-definition": Kind(54),
    # CloudWatch API: alarms and dashboards 1 to 255.
    "aws:alarm": Kind(255),
    # The same: a model's alarm ends in the name of its signal, of up to 24 characters.
    "aws:model-alarm": Kind(230),
    "aws:dashboard": Kind(255),
    # Step Functions API, CreateStateMachine: 1 to 80.
    "aws:state-machine": Kind(80),
    # AWS Budgets API, CreateBudget: 1 to 100, no colon and no backslash.
    "aws:budget": Kind(100),
    # EventBridge Scheduler API, CreateSchedule: 1 to 64.
    "aws:schedule": Kind(64),
    # SQS API CreateQueue: 1 to 80.
    "aws:queue": Kind(80),
    # DynamoDB API CreateTable: 3 to 255.
    "aws:table": Kind(255),
    # SageMaker API CreateModelCard: 1 to 63.
    "aws:model-card": Kind(63),
    # EventBridge API, CreateEventBus: 1 to 256.
    "aws:event-bus": Kind(256),
    # SageMaker API: models, configurations and jobs 1 to 63, of which version and moment of a release take the last 17.
    "aws:release": Kind(46),
    # SageMaker API, CreateTransformJob: 1 to 63, of which the minute of a run takes the last 14.
    "aws:transform-job": Kind(49),
    # SageMaker API CreateFeatureGroup and CreateMlflowTrackingServer: 1 to 64 and 1 to 256.
    "aws:feature-group": Kind(64),
    "aws:tracking-server": Kind(256),
    # EventBridge Scheduler API, CreateScheduleGroup: 1 to 64.
    "aws:schedule-group": Kind(64),
    # SageMaker API CreatePipeline: 1 to 256.
    "aws:pipeline": Kind(256),
    # Cloud Storage, "Bucket names": 3 to 63 without dots.
    "gcp:bucket": Kind(63, shared=True),
    # Cloud KMS API: key rings 1 to 63, of which Pulumi's auto-name takes the last 8.
    "gcp:key-ring": Kind(55),
    # BigQuery, "Name datasets": up to 1,024 letters, digits and underscores.
    "gcp:dataset": Kind(1024, r"[a-z0-9_]+", separator="_"),
    # Artifact Registry API: 1 to 63, begins with a letter.
    "gcp:image-repository": Kind(63, r"[a-z](-?[a-z0-9])*"),
    # Vertex AI API, models.upload: model ids 1 to 63, begin with a letter.
    "gcp:model": Kind(63, r"[a-z](-?[a-z0-9])*"),
    # IAM API: service account ids 6 to 30, begin with a letter; full words would not fit.
    "gcp:service-account": Kind(30, r"[a-z](-?[a-z0-9])+", compact=True),
    # IAM API: custom role ids 3 to 64 letters, digits, underscores and periods.
    "gcp:role": Kind(64, r"[a-z0-9_]+", separator="_"),
    # Azure resource name rules: resource groups 1 to 90.
    "azure:resource-group": Kind(90),
    # Azure resource name rules: storage accounts 3 to 24 lower-case letters and digits, shared by all customers.
    "azure:storage-account": Kind(24, r"[a-z0-9]{3,24}", separator="", compact=True),
    # Azure resource name rules: vaults 3 to 24, begin with a letter, shared by all customers.
    "azure:key-vault": Kind(24, r"[a-z](-?[a-z0-9])+", compact=True),
    # Azure resource name rules: machine learning workspaces 3 to 33, registries 2 to 32 and unique in the tenant.
    "azure:workspace": Kind(33, r"[a-z](-?[a-z0-9])+", compact=True),
    "azure:model-registry": Kind(32, r"[a-z](-?[a-z0-9])+", compact=True),
    # Azure resource name rules: container registries 5 to 50 letters and digits, shared by all customers.
    "azure:container-registry": Kind(50, r"[a-z0-9]{5,50}", separator="", compact=True),
    # Azure resource name rules: managed identities 3 to 128.
    "azure:identity": Kind(128),
    # Azure resource name rules: Log Analytics workspaces 4 to 63.
    "azure:log-workspace": Kind(63),
}


class NameTooLong(ValueError):
    """A name does not fit its cloud's limit, or holds a character that the cloud does not take."""


@dataclass(frozen=True)
class Names:
    """The names of one slice of an estate: its hub, or one of its environments."""

    cloud: str
    estate: str
    environment: str
    """The environment's name, or ``HUB``."""
    region: str
    home: str
    """The account (AWS), project (Google Cloud) or subscription (Azure) that the slice lives in."""
    owner: str | None = None
    extra_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def slice(self) -> str:
        """The name that Pulumi knows the slice by: ``risk-staging``."""
        return f"{self.estate}-{self.environment}"

    def logical(self, part: str) -> str:
        """The name that Pulumi knows a part by: ``risk-staging-data``."""
        return f"{self.slice}-{part}"

    def physical(self, kind: str, role: str) -> str:
        """The name that the cloud knows a thing by.

        ``kind`` is a key of ``KINDS``, ``role`` is what the thing is for or the model's or dataset's own name.

        Raises:
            NameTooLong: the words do not fit; the sentence says by how much.
        """
        rule = KINDS[f"{self.cloud}:{kind}"]
        name = self.spelled(kind, role)
        if len(name) > rule.limit:
            raise NameTooLong(
                f"{name!r} has {len(name)} characters, {self.cloud} allows {rule.limit} in the name of a "
                f"{kind.replace('-', ' ')}; shorten the estate's, the environment's or the model's name by "
                f"{len(name) - rule.limit}"
            )
        if not re.fullmatch(rule.pattern, name):
            raise NameTooLong(f"{name!r} is not a legal name of a {kind.replace('-', ' ')} on {self.cloud}")
        return name

    def spelled(self, kind: str, role: str) -> str:
        """What `physical` gives, whether or not it fits."""
        rule = KINDS[f"{self.cloud}:{kind}"]
        words = [self.estate, self.environment, role]
        if rule.compact:
            digest = self._digest(*words, digits=8)
            room = rule.limit - len(digest) - 2 * len(rule.separator)
            letters = [re.sub(r"[^a-z0-9]", "", word) for word in (self.estate, role)]
            kept = letters[0][: room - min(len(letters[1]), room // 2)]
            return rule.separator.join([kept, letters[1][: room - len(kept)], digest])
        if rule.shared:
            words.append(self._digest(digits=6))
        name = rule.separator.join(words)
        return name if rule.separator == "-" else name.replace("-", rule.separator)

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """An Amazon resource name in this slice's account; IAM and S3 names carry no region.

        Partitions: AWS General Reference, "Amazon Resource Names".
        """
        partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(
            "us-gov" if self.region.startswith("us-gov-") else self.region.partition("-")[0], "aws"
        )
        home = "" if service == "s3" else self.home
        return f"arn:{partition}:{service}:{self.region if regional else ''}:{home}:{resource}"

    def resource_name(self, resource: str) -> str:
        """A regional resource as Google's APIs name it: ``projects/my-project/locations/europe-west1/models/churn``.

        Format: AIP-122, "Resource names".
        """
        return f"projects/{self.home}/locations/{self.region}/{resource}"

    def arm_id(self, group: str, resource: str) -> str:
        """A resource's Azure Resource Manager id; ``group`` is the role of the resource group that it lies in.

        ``resource`` is the provider's path, such as ``Microsoft.ManagedIdentity/userAssignedIdentities/risk-hub-lake``.
        The spelling ``resourceGroups`` matters: Azure ML's feature store compares ids letter by letter.
        """
        resource_group = self.physical("resource-group", group)
        return f"/subscriptions/{self.home}/resourceGroups/{resource_group}/providers/{resource}"

    def of_model(self, model: str, owner: str | None, risk: str | None = None) -> "Names":
        """The same names, whose tags also say the model, its risk where it was rated, and who answers for it where that
        is not the estate's owner."""
        rated = {"risk-tier": risk} if risk else {}
        return replace(self, owner=owner or self.owner, extra_tags={**self.extra_tags, "model": model, **rated})

    @property
    def tags(self) -> dict[str, str]:
        """What every taggable resource carries; keys are lower case, so that one set is legal on all three clouds."""
        ours = {"estate": self.estate, "environment": self.environment, "managed-by": "pulumi"}
        return {**self.extra_tags, **({"owner": self.owner} if self.owner else {}), **ours}

    @property
    def labels(self) -> dict[str, str]:
        """The tags in the alphabet of Google Cloud labels: lower case, digits, ``-``, ``_``, at most 63 characters."""
        return {_label(key): _label(value) for key, value in self.tags.items()}

    def _digest(self, *words: str, digits: int) -> str:
        whole = "/".join([self.cloud, self.home, self.estate, *words])
        return blake2s(whole.encode()).hexdigest()[:digits]


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


USED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    # kind, slice ("hub" or "environment"), role; {model}, {environment} and {features} stand for each of the estate's.
    "aws": (
        *(("bucket", "environment", role) for role in ("raw", "curated", "artifacts", "capture", "logs")),
        ("bucket", "environment", "flow-logs"),
        ("bucket", "hub", "audit-logs"),
        *(("key-alias", "environment", concern) for concern in ("data", "features", "models", "logs")),
        *(("key-alias", "hub", concern) for concern in ("registry", "audit", "logs")),
        *(("topic", slice_, role) for slice_ in ("hub", "environment") for role in ("page", "notice")),
        *(("rule", "environment", f"{kind}-failed") for kind in ("pipeline", "processing", "transform")),
        *(("rule", slice_, "alarm-changed") for slice_ in ("hub", "environment")),
        ("model-alarm", "environment", "{model}"),
        ("dashboard", "environment", "{model}"),
        ("monitoring-job", "environment", "{model}"),
        ("schedule", "environment", "monitor-{model}"),
        ("schedule-group", "environment", "monitoring"),
        ("model-package-group", "hub", "{model}"),
        ("image-repository", "hub", "{model}"),
        *(("role", "environment", f"{{model}}-{duty}") for duty in ("training", "inference")),
        *(
            ("role", "environment", duty)
            for duty in (
                "pipeline",
                "monitoring",
                "features",
                "tracking",
                "release",
                "retraining",
                "batch",
                "upkeep",
                "events",
                "scheduler",
                "budget",
            )
        ),
        *(
            ("role", "environment", persona)
            for persona in ("data-scientist", "ml-engineer", "approver", "operator", "auditor")
        ),
        *(
            ("role", "hub", role)
            for role in ("data-scientist", "ml-engineer", "approver", "auditor", "ci-plan", "ci-apply", "events")
        ),
        ("policy", "environment", "boundary"),
        ("policy", "environment", "freeze"),
        ("policy", "hub", "boundary"),
        *(
            ("policy", "hub", f"ci-apply-{concern}")
            for concern in (
                "data",
                "identities",
                "keys",
                "machines",
                "monitors",
                "networks",
                "registry",
                "signals",
                "workflows",
            )
        ),
        ("endpoint", "environment", "{model}"),
        ("release", "environment", "{model}"),
        *(("table", "environment", role) for role in ("releases", "approvals")),
        ("event-bus", "environment", "releases"),
        *((kind, "environment", role) for role in ("release", "rollback") for kind in ("state-machine", "log-group")),
        *(("alarm", "environment", f"{role}-failed") for role in ("release", "rollback")),
        *(
            ("rule", "environment", name)
            for name in ("registered", "approved", "passed", "rejected", "endpoint-changed", "breach")
        ),
        ("rule", "hub", "verdicts-{environment}"),
        *((kind, "hub", "verdicts-undelivered") for kind in ("queue", "alarm")),
        ("alarm", "environment", "{model}-wake"),
        *((kind, "environment", "batch") for kind in ("state-machine", "log-group")),
        ("alarm", "environment", "batch-failed"),
        ("schedule-group", "environment", "batch"),
        *((kind, "environment", "batch-undelivered") for kind in ("queue", "alarm")),
        ("schedule", "environment", "{model}-batch"),
        ("transform-job", "environment", "{model}"),
        ("pipeline", "environment", "{model}"),
        ("schedule", "environment", "{model}"),
        ("schedule-group", "environment", "training"),
        ("queue", "environment", "training-undelivered"),
        ("alarm", "environment", "training-undelivered"),
        *((kind, "environment", "retraining") for kind in ("state-machine", "log-group")),
        ("alarm", "environment", "retraining-failed"),
        ("model", "environment", "serving-{model}"),
        *(("catalog-database", "environment", role) for role in ("curated", "raw")),
        ("feature-group", "environment", "{features}"),
        ("tracking-server", "environment", "tracking"),
        ("trail", "hub", "audit"),
        ("budget", "environment", "monthly"),
        ("state-machine", "environment", "upkeep"),
        ("log-group", "environment", "upkeep"),
        ("schedule-group", "environment", "upkeep"),
        ("alarm", "environment", "upkeep-failed"),
        *(("schedule", "environment", role) for role in ("off-hours-stop", "off-hours-start", "idle")),
        ("analyzer", "hub", "external-access"),
        ("analyzer", "hub", "unused-access"),
        ("trail", "environment", "audit"),
        *(("analyzer", "environment", role) for role in ("external-access", "unused-access")),
        *(("bucket", "hub", role) for role in ("audit-answers", "logs")),
        ("workgroup", "hub", "audit"),
        ("catalog-database", "hub", "audit"),
        *(("rule", "hub", each) for each in ("trail-changed", "trail-store-changed", "key-ended")),
        *(("rule", "hub", each) for each in ("approved-by-another", "registry-opened")),
        *(("rule", "environment", each) for each in ("trail-changed", "key-ended", "calls-unusual")),
        ("rule", "hub", "calls-unusual"),
        *(
            ("rule", slice_, f"{{environment}}-{watched}")
            for slice_ in ("hub", "environment")
            for watched in ("endpoint", "monitors")
        ),
        *((kind, slice_, "audit-undelivered") for slice_ in ("hub", "environment") for kind in ("queue", "alarm")),
        *((kind, "environment", "releases-undelivered") for kind in ("queue", "alarm")),
        *(("alarm", slice_, each) for slice_ in ("hub", "environment") for each in ("access-changed", "root-used")),
        *(("log-group", slice_, "audit") for slice_ in ("hub", "environment")),
        *(("role", slice_, "recording") for slice_ in ("hub", "environment")),
        ("model-card", "hub", "{model}"),
    ),
    "gcp": (
        *(("bucket", "environment", role) for role in ("raw", "curated", "artifacts", "capture")),
        ("key-ring", "environment", "keys-ring"),
        ("key-ring", "hub", "keys-ring"),
        ("dataset", "environment", "curated"),
        ("image-repository", "hub", "{model}"),
        ("model", "hub", "{model}"),
    ),
    "azure": (
        ("resource-group", "environment", "data"),
        ("resource-group", "environment", "keys"),
        ("resource-group", "hub", "registry"),
        *(("storage-account", "environment", role) for role in ("lake", "artifacts")),
        ("key-vault", "environment", "keys"),
        *(("identity", "environment", f"{concern}-encryption") for concern in ("data", "models")),
        ("model-registry", "hub", "registry"),
    ),
}
"""Every name that the parts of each cloud fix, and the two whose auto-name is short of room: `model` and `key-ring`."""


Words = Mapping[tuple[str, ...], str]
"""Words of the user's, by their path in the file: ``{("models", "churn"): "churn"}``."""


def check(
    cloud: str, estate: str, environments: Iterable[str], models: Iterable[str], features: Iterable[str] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """The words of an estate's file that make some name too long for its cloud.

    Yields pairs: the path of a word to shorten, such as ``("models", "churn")``, and a sentence with the longest that
    it may be. Of the words in a name the longest are to be shortened; each word comes once, with the name that has the
    least room for it.
    """
    slices: dict[str, Words] = {each: {("environments", each): each} for each in environments}
    own: dict[str, list[Words]] = {
        "{environment}": list(slices.values()),
        "{model}": [{("models", each): each} for each in models],
        "{features}": [{("features", each): each} for each in features],
    }
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for environment, its_word in [*slices.items(), (HUB, {})]:
        names = Names(cloud, estate, environment, region="", home="")
        for kind, slice_, role in USED[cloud]:
            if (slice_ == HUB) != (environment == HUB):
                continue
            for variable in next((words for placeholder, words in own.items() if placeholder in role), [{}]):
                word = next(iter(variable.values()), "")
                name = names.spelled(kind, role.format(model=word, environment=word, features=word))
                if len(name) > KINDS[f"{cloud}:{kind}"].limit:
                    for path, most, sentence in _too_long(
                        cloud, kind, name, {("name",): estate, **its_word, **variable}
                    ):
                        found[path] = min(found.get(path, (most, sentence)), (most, sentence))
    for path, (_, sentence) in found.items():
        yield path, sentence


def _too_long(cloud: str, kind: str, name: str, words: Words) -> Iterator[tuple[tuple[str, ...], int, str]]:
    """The longest of the words in a name that does not fit, with how long each may be."""
    limit = KINDS[f"{cloud}:{kind}"].limit
    room = limit - len(name) + sum(map(len, words.values()))
    most = max(cap for cap in range(limit) if sum(min(len(word), cap) for word in words.values()) <= room)
    for path, word in words.items():
        if len(word) > most:
            yield (
                path,
                most,
                f"'{word}' is too long: the name of a {kind.replace('-', ' ')} that holds it would have {len(name)} "
                f"characters, and {cloud} has room for {limit}. Use at most {most} here.",
            )
