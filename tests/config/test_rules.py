"""Every rule between fields: what is refused, where, and in which words."""

from __future__ import annotations

import pytest

from mlestate.config import ConfigError, loads, support
from mlestate.config.clouds import CLOUDS, settings_of
from tests.config.said import AWS, AZURE, GCP, at_mark, said


@pytest.fixture(autouse=True)
def everything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules judge the whole vocabulary; what is not built yet would be refused before any rule sees it."""
    built = {
        cloud: {f"{field}.**": None for field in getattr(settings_of(cloud), its.estate).model_fields}
        for cloud, its in CLOUDS.items()
    }
    monkeypatch.setattr(support, "BUILT", built)


CHURN = "models:\n  churn:\n    problem: classification\n"
REALTIME = AWS + CHURN + "    serving:\n      mode: realtime\n"
REGIONS_OF_CANADA = "ca-central-1, ca-west-1"

ESTATE = {
    "an unknown region": (
        "version: 1\nname: acme\ncloud: aws\nregion: «ca-centrl-1\n",
        "region",
        "'ca-centrl-1' is no region of AWS that mlestate knows.",
    ),
    "another cloud's region": (
        "version: 1\nname: acme\ncloud: aws\nregion: «canadacentral\n",
        "region",
        "'canadacentral' is a region of Azure, and this estate is on AWS.",
    ),
    "a region in a list of residency": (
        AWS + "residency: [ca-central-1, «moon]\n",
        "residency[1]",
        "'moon' is no region of AWS that mlestate knows.",
    ),
    "a region outside the residency": (
        "version: 1\nname: acme\ncloud: aws\nregion: «us-east-1\nresidency: canada\n",
        "region",
        "'us-east-1' lies outside residency canada, and data, keys, replicas and logs lie in the region. Use one of: "
        "ca-central-1, ca-west-1.",
    ),
    "Toronto outside Quebec": (
        "version: 1\nname: acme\ncloud: azure\nregion: «canadacentral\nresidency: quebec\n",
        "region",
        "'canadacentral' lies outside residency quebec, and data, keys, replicas and logs lie in the region. Use one "
        "of: "
        "canadaeast.",
    ),
    "London outside the EU": (
        "version: 1\nname: acme\ncloud: gcp\nregion: «europe-west2\nresidency: [europe-west1]\n",
        "region",
        "'europe-west2' lies outside the listed residency, and data, keys, replicas and logs lie in the region. Use "
        "one "
        "of: europe-west1.",
    ),
    "an empty residency": (
        AWS + "residency: «[]\n".replace("«", ""),
        "residency",
        "names no region. Name at least one, or remove the line.",
    ),
    "a tag with an upper-case letter": (
        AWS + "tags: {Team: «x}\n",
        "tags.Team",
        "the tag 'Team' is not legal on all three clouds: a key starts with a lower-case letter and holds only "
        "lower-case letters, digits, - and _, at most 63.",
    ),
    "a tag's value with a space": (
        AWS + "tags: {team: «a b}\n",
        "tags.team",
        "the value 'a b' is not legal on all three clouds: only lower-case letters, digits, - and _, at most 63.",
    ),
    **{
        f"a tag of the secret {key}": (
            AWS + f"tags: {{{key}: «hunter2}}\n",
            f"tags.{key}",
            f"the tag '{key}' speaks of a secret, and everyone who may list resources or read a bill sees tags. Remove "
            "it, and give a secret that was here a new value; the place of a secret is Pulumi's config, where "
            "secret:<key> finds it.",
        )
        for key in (
            *("password", "db-password", "dbpasswd", "secret", "client_secret", "token", "api-key", "apikey", "APIKey"),
            *("github-token-old", "credentials", "private-key"),
        )
    },
    "a tag that Azure keeps": (
        AWS + "tags: {azure-x: «x}\n",
        "tags.azure-x",
        "the tag 'azure-x' starts with a word that Azure keeps for itself. Choose another key.",
    ),
    "a tag that is set anyway": (
        AWS + "tags: {owner: «x}\n",
        "tags.owner",
        "the tag 'owner' is set on every resource by the project itself. Use the field owner.",
    ),
    "too many tags": (
        AWS + "«tags:\n" + "".join(f"  t{number}: x\n" for number in range(41)),
        "tags",
        "holds 41 tags; at most 40 fit beside the project's own on every cloud.",
    ),
    "an approver who is a data scientist": (
        AWS + "people: {data_scientists: [ds@acme.example], approvers: [a, «DS@acme.example]}\n",
        "people.approvers[1]",
        "'DS@acme.example' is also under data_scientists, and who makes a model may not approve it. Name another group "
        "in one of the two.",
    ),
    "an approver who is an engineer": (
        AWS + "people: {ml_engineers: [a], approvers: [«a]}\n",
        "people.approvers[0]",
        "'a' is also under ml_engineers, and who releases a model may not approve it. Name another group in one of the "
        "two.",
    ),
    "an approver who operates": (
        AWS + "people: {operators: [a], approvers: [«a]}\n",
        "people.approvers[0]",
        "'a' is also under operators, and who runs a model may not approve it. Name another group in one of the two.",
    ),
    "an auditor who operates": (
        AWS + "people: {operators: [a], auditors: [«a]}\n",
        "people.auditors[0]",
        "'a' is also under operators, and an auditor only reads. Name another group in one of the two.",
    ),
    "a principal twice": (
        AWS + "people: {auditors: [a, «A]}\n",
        "people.auditors[1]",
        "'A' is named twice. Remove one.",
    ),
    **{
        f"the principal {principal} on aws": (
            AWS + f'people: {{auditors: [«"{principal}"]}}\n',
            "people.auditors[0]",
            f"'{principal}' cannot be given a role. AWS gives roles to a person of IAM Identity Center by their "
            "address, to a permission set as sso:<name>, and to an IAM role or user by its ARN.",
        )
        for principal in (
            *("everyone", "*", "*@risk.example", "sso:", "arn:aws:iam::1:root", "a@b:c"),
            "arn:aws:iam::111111111111:role/*",
        )
    },
    "more people than a role can trust": (
        AWS + "people:\n  «auditors: [" + ", ".join(f"p{number}@acme.example" for number in range(100)) + "]\n",
        "people.auditors",
        "names 100 principals, which take 2264 characters of the role's trust policy, and AWS has room for 2048. Name "
        "a permission set (sso:<name>) instead of single people.",
    ),
    "more repositories than a role can trust": (
        AWS
        + "ci:\n  provider: github\n  owner: acme\n  «repositories: ["
        + ", ".join(f"r{n}" for n in range(50))
        + "]\n",
        "ci.repositories",
        "makes 50 repositories trusted, which take 3962 characters of a role's trust policy, and AWS has room for "
        "2048. Trust fewer repositories.",
    ),
    "an owner's id that AWS does not read": (
        AWS + 'ci: {provider: github, owner: acme, repositories: [churn], owner_id: «"42"}\n',
        "ci.owner_id",
        "'42' cannot be demanded: AWS reads no owner's id in a token of github. Remove the line, and name the "
        "repositories that are trusted.",
    ),
    "a branch of Azure DevOps": (
        AWS + "ci: {provider: azure-devops, owner: acme, owner_id: a-b, repositories: [a/b], branch: «trunk}\n",
        "ci.branch",
        "is in no token of Azure DevOps. Remove the line; the connection's checks hold the branch.",
    ),
    "an address where Azure wants an id": (
        AZURE + "people: {auditors: [«audit@acme.example]}\n",
        "people.auditors[0]",
        "'audit@acme.example' cannot be given a role. Azure gives roles to the object id of a user or group in "
        "Entra, a "
        "GUID. `az ad group show --group NAME --query id` shows it.",
    ),
    "a name where Google wants an address": (
        GCP + "people: {auditors: [«auditors]}\n",
        "people.auditors[0]",
        "'auditors' cannot be given a role. Google Cloud gives roles to the address of a group, user or service "
        "account, such as ds@acme.example or user:ada@acme.example.",
    ),
    "a retention of hours": (
        AWS + "audit: {retention: «12h}\n",
        "audit.retention",
        "'12h' must be at least 1d and at most 100y, as locks count in days.",
    ),
    "a compliance lock without a retention": (
        AWS + "audit: {lock: «compliance}\nenvironments: {production: {protect: true}}\n",
        "audit.lock",
        "a compliance lock can be lifted by no one before the retention ends, so the retention must be written out. "
        "Add "
        "retention, such as 7y, or use lock: governance.",
    ),
    "a compliance lock on what can be destroyed": (
        AWS + "audit: {lock: «compliance, retention: 7y}\n",
        "audit.lock",
        "a compliance lock outlives `pulumi destroy`, which would then stop half-way. Set "
        "environments.production.protect: true, or use lock: governance.",
    ),
    "a trail kept shorter than Quebec's law asks": (
        "version: 1\nname: acme\ncloud: aws\nregion: ca-central-1\nresidency: quebec\naudit: {retention: «4y}\n",
        "audit.retention",
        "'4y' is shorter than the 5y for which the law of residency quebec wants the record of a breach kept, and the "
        "trail is its evidence (Regulation respecting confidentiality incidents (A-2.1, r. 3.1), section 8). Use 5y or "
        "more.",
    ),
    "records of decisions kept too short in the EU": (
        "version: 1\nname: acme\ncloud: aws\nregion: eu-west-1\nresidency: eu\naudit: {retention: «90d}\n"
        "models: {churn: {problem: classification, automated_decision: true}}\n",
        "audit.retention",
        "'90d' is less than the six months for which the AI Act (articles 19 and 26) wants the records of churn kept. "
        "Use 183d or more.",
    ),
    "a model's name without room": (
        AWS + "models:\n  «a-model-with-a-name-of-more-than-thirty:\n    problem: classification\n",
        "models.a-model-with-a-name-of-more-than-thirty",
        "'a-model-with-a-name-of-more-than-thirty' is too long: the name of a monitoring job that holds it would "
        "have 55 characters, and aws has room for 46. Use at most 30 here.",
    ),
    "an estate's name without room": (
        "version: 1\nname: «an-estate-whose-name-leaves-hardly-any-room\ncloud: aws\nregion: ca-central-1\n",
        "name",
        "'an-estate-whose-name-leaves-hardly-any-room' is too long: the name of a rule that holds it would have 74 "
        "characters, and aws has room for 64. Use at most 33 here.",
    ),
    "an environment called hub": (
        AWS + "environments:\n  «hub: {protect: true}\n",
        "environments.hub",
        "'hub' names what all environments share. Choose another name.",
    ),
    "a mirror of itself": (
        AWS + "environments: {staging: {mirrors: «staging}}\n",
        "environments.staging.mirrors",
        "'staging' cannot mirror itself. Name another environment.",
    ),
    "a mirror of nothing": (
        AWS + "environments: {staging: {mirrors: «prod}, production: {}}\n",
        "environments.staging.mirrors",
        "there is no environment 'prod'. There are: staging, production.",
    ),
    "a mirror of a mirror": (
        AWS + "environments: {a: {mirrors: «b}, b: {mirrors: c}, c: {}}\n",
        "environments.a.mirrors",
        "'b' is itself a mirror. Mirror c instead.",
    ),
    "a model in no environment": (
        AWS + CHURN + "    environments:\n      «moon: {serving: {mode: none}}\n",
        "models.churn.environments.moon",
        "there is no environment 'moon'. There are: production.",
    ),
    "a path through nowhere": (
        AWS + "promotion: {path: [«stagng, staging]}\nenvironments: {staging: {}}\n",
        "promotion.path[0]",
        "there is no environment 'stagng'. There are: staging.",
    ),
    "a path twice through one": (
        AWS + "promotion: {path: [production, «production]}\n",
        "promotion.path[1]",
        "'production' is named twice. A version passes each environment once.",
    ),
    "a path in the wrong order": (
        AWS
        + "promotion: {path: [production, «staging]}\nenvironments: {staging: {mirrors: production}, production: {}}\n",
        "promotion.path[1]",
        "'staging' mirrors production and must come before it, or it would try out nothing.",
    ),
    "approval of nothing": (
        AWS + "people: {approvers: [a]}\npromotion:\n  approval:\n    «prod: {minimum: 1}\n",
        "promotion.approval.prod",
        "there is no environment 'prod'. There are: production.",
    ),
    "approval off the path": (
        AWS
        + "environments: {a: {}, b: {}}\npeople: {approvers: [x]}\npromotion:\n  path: [a]\n  approval:\n    «b: {}\n",
        "promotion.approval.b",
        "'b' is not in promotion.path, so no version ever arrives there.",
    ),
    "approval by no one": (
        AWS + "promotion:\n  «approval: {production: {minimum: 1}}\n",
        "promotion.approval",
        "asks for approval, and people.approvers names no one who may give it.",
    ),
    "Azure DevOps without its id": (
        AWS + "ci: {provider: «azure-devops, owner: acme, repositories: [p/c]}\n",
        "ci.provider",
        "azure-devops signs its tokens under the organization's GUID, so ci.owner_id is needed. Find it at "
        "https://dev.azure.com/<organization>/_apis/connectiondata (instanceId).",
    ),
    "Azure DevOps with a repository": (
        AWS + "ci: {provider: azure-devops, owner: acme, owner_id: abc, repositories: [«churn]}\n",
        "ci.repositories[0]",
        "'churn' must be project/service-connection: Azure DevOps tokens name the connection, not the repository.",
    ),
    "Azure DevOps of one's own": (
        AWS
        + "ci: {provider: azure-devops, owner: acme, owner_id: abc, repositories: [p/c], host: «tfs.acme.example}\n",
        "ci.host",
        "Azure DevOps Server signs no tokens of this kind. Remove the line.",
    ),
    "CI for nothing": (
        AWS + "«ci: {provider: github, owner: acme}\n",
        "ci",
        "names no repository, and there is no model to name one after. Add repositories.",
    ),
    "a wildcard in a repository": (
        AWS + "ci: {provider: github, owner: acme, repositories: [«acme-*]}\n",
        "ci.repositories[0]",
        "'acme-*' must be the plain name of a repository: no wildcard, no https://.",
    ),
    "features without a feature": (
        AWS + "features: {f: {entity: id, event_time: ts, fields: {}}}\n".replace("fields", "«fields"),
        "features.f.fields",
        "names no feature. Name at least one, such as amount_30d: float.",
    ),
    "a feature that SageMaker keeps": (
        AWS + "features: {f: {entity: id, event_time: «write_time, fields: {a: float}}}\n",
        "features.f.event_time",
        "'write_time' is a column that SageMaker adds itself. Rename yours.",
    ),
    "a feature that is the entity": (
        AWS + "features: {f: {entity: id, event_time: ts, fields: {id: «string}}}\n",
        "features.f.fields.id",
        "'id' is the entity already. Remove it here.",
    ),
    "an entity that is the time": (
        AWS + "features: {f: {entity: ts, event_time: «ts, fields: {a: float}}}\n",
        "features.f.event_time",
        "'ts' is also the entity. They must be two columns.",
    ),
    "a life in no online store": (
        AWS + "features: {f: {entity: id, event_time: ts, fields: {a: float}, ttl: «7d}}\n",
        "features.f.ttl",
        "is the life of a value in the online store, and online is not true. Remove the line.",
    ),
    "a dataset in a dataset": (
        AWS + "data: {datasets: {a: {path: lake/}, b: {path: «lake/b/}}}\n",
        "data.datasets.b.path",
        "'lake/b/' and 'lake/' of a lie in one another, so they cannot be kept apart. Give each dataset a folder of "
        "its "
        "own.",
    ),
    "a dataset without its slash": (
        AWS + "data: {datasets: {a: {path: «lake}}}\n",
        "data.datasets.a.path",
        "'lake' must be a folder inside the estate's own storage that ends with /, such as lake/transactions/: no "
        "leading /, no .., no s3://, gs:// or https://.",
    ),
    "one subnet on AWS": (
        AWS + "network:\n  existing:\n    network: vpc-1\n    «subnets: [subnet-1]\n",
        "network.existing.subnets",
        "names 1; at least 2 must be named.",
    ),
    "a lake that nobody administers": (
        AWS + "data: {lake_formation: {«administrators: []}}\n",
        "data.lake_formation.administrators",
        "names none. Name at least one.",
    ),
    "a version in quotes": (
        'version: «"1"\nname: acme\ncloud: aws\nregion: ca-central-1\n',
        "version",
        "'1' is not allowed here; it must be 1.",
    ),
    "a secret where none is read": (
        AWS + "owner: «secret:owner\n",
        "owner",
        "'secret:owner' would be taken as it stands: secrets are read only in alerts.slack and alerts.pagerduty.",
    ),
    "a secret in the clear": (
        AWS + "alerts: {slack: «https://hooks.example/T0}\n",
        "alerts.slack",
        "what stands here must name a key of the Pulumi config, as in secret:slackWebhook; the value "
        "itself is "
        "set with `pulumi config set --secret slackWebhook` and never stands in this file.",
    ),
}

MODEL = {
    "a dataset that is not there": (
        AWS + "data: {datasets: {tx: {path: lake/tx/}}}\n" + CHURN + "    data: {dataset: «txx}\n",
        "models.churn.data.dataset",
        "there is no dataset 'txx'. There are: tx.",
    ),
    "features that are not there": (
        AWS + CHURN + "    data: {features: «tx}\n",
        "models.churn.data.features",
        "there is no feature group 'tx'. Nothing stands under features yet.",
    ),
    "a dataset and features": (
        AWS + "data: {datasets: {tx: {path: lake/tx/}}}\n" + CHURN + "    «data: {dataset: tx, features: f}\n",
        "models.churn.data",
        "names a dataset and features. A model learns from one of them: remove the other.",
    ),
    "a metric of regression": (
        AWS + CHURN + "    gates:\n      model:\n        «rmse: {max: 1}\n",
        "models.churn.gates.model.rmse",
        "'rmse' is no metric for classification. Known: accuracy, f1, precision, recall, roc_auc, average_precision, "
        "log_loss, brier.",
    ),
    "a metric that is none": (
        AWS + CHURN + "    gates:\n      model:\n        «roc_acu: {min: 0.8}\n",
        "models.churn.gates.model.roc_acu",
        "'roc_acu' is no metric for classification. Known: accuracy, f1, precision, recall, roc_auc, "
        "average_precision, "
        "log_loss, brier; a metric that the model's repository computes itself goes under custom. What stands under it "
        "was not checked.",
    ),
    "a known metric under custom": (
        AWS + CHURN + "    gates:\n      model:\n        custom:\n          «recall: {min: 0.8}\n",
        "models.churn.gates.model.custom.recall",
        "'recall' is a known metric. Write it directly under gates.model.",
    ),
    "a watched metric that is none": (
        REALTIME + "    monitoring: {model_quality: {metric: «recal, min: 0.5}}\n",
        "models.churn.monitoring.model_quality.metric",
        "'recal' is no metric for classification. Known: accuracy, f1, precision, recall, roc_auc, average_precision, "
        "log_loss, brier.",
    ),
    "a quality without a metric": (
        REALTIME + "    monitoring:\n      «model_quality: {min: 0.5}\n",
        "models.churn.monitoring.model_quality",
        "names no metric, and no metric is gated. Add metric.",
    ),
    "an A/B test without a metric": (
        REALTIME + "      rollout: {strategy: «ab}\n",
        "models.churn.serving.rollout.strategy",
        "an A/B test needs a metric that decides it, and no metric is gated. Add metric.",
    ),
    "a threshold on the wrong side": (
        AWS + CHURN + "    gates:\n      model:\n        «roc_auc: {max: 0.8}\n",
        "models.churn.gates.model.roc_auc",
        "higher is better for roc_auc, so {max: 0.8} would let the worst pass. Write {min: 0.8}.",
    ),
    "a latency on the wrong side": (
        REALTIME + "      rollout:\n        rollback_on:\n          «p95_latency_ms: {min: 300}\n",
        "models.churn.serving.rollout.rollback_on.p95_latency_ms",
        "lower is better for p95_latency_ms, so {min: 300} would let the worst pass. Write {max: 300}.",
    ),
    "a threshold of percent": (
        AWS + CHURN + "    gates:\n      model:\n        «recall: {min: 80}\n",
        "models.churn.gates.model.recall",
        "recall is never above 1, and 80 is.",
    ),
    "a threshold of nothing": (
        AWS + CHURN + "    gates:\n      model:\n        «recall: {}\n",
        "models.churn.gates.model.recall",
        "bounds nothing. Write {min: ...} or {max: ...}.",
    ),
    "a threshold that nothing passes": (
        AWS + CHURN + "    gates:\n      model:\n        «recall: {min: 0.8, max: 0.7}\n",
        "models.churn.gates.model.recall",
        "has a min of 0.8 above its max of 0.7, so nothing can pass.",
    ),
    "fairness of no one": (
        AWS + CHURN + "    gates:\n      «fairness: {max_disparity: 0.1}\n",
        "models.churn.gates.fairness",
        "needs the column that tells the groups apart. Add attribute.",
    ),
    "fairness of a number": (
        AWS + "models:\n  demand:\n    problem: regression\n    gates:\n      «fairness: {attribute: province}\n",
        "models.demand.gates.fairness",
        "compares the rate of positive answers, which a regression does not have. Remove the block.",
    ),
    "replicas without a mode": (
        AWS + CHURN + "    serving:\n      «replicas: {min: 2}\n",
        "models.churn.serving.replicas",
        "is read only with mode realtime or async, and this model has no mode.",
    ),
    "a schedule of an endpoint": (
        REALTIME + "      schedule: «daily\n",
        "models.churn.serving.schedule",
        "is read only with mode batch, and this model has mode realtime.",
    ),
    "memory of an instance": (
        REALTIME + "      aws: {memory_mb: «2048}\n",
        "models.churn.serving.aws.memory_mb",
        "is read only with mode serverless, and this model has mode realtime.",
    ),
    "an instance of a serverless endpoint": (
        AWS + CHURN + "    serving: {mode: serverless, compute: «cpu-small}\n",
        "models.churn.serving.compute",
        "is read only with mode batch or realtime or async, and this model has mode serverless.",
    ),
    "a shadow on a serverless endpoint": (
        AWS + CHURN + "    serving: {mode: serverless, rollout: {strategy: «shadow}}\n",
        "models.churn.serving.rollout.strategy",
        "'shadow' does not go with mode serverless: a serverless endpoint has no shadow variant. Use realtime, or "
        "all-at-once.",
    ),
    "an A/B test on a serverless endpoint": (
        AWS + CHURN + "    serving: {mode: serverless, rollout: {strategy: «ab, metric: recall}}\n",
        "models.churn.serving.rollout.strategy",
        "'ab' does not go with mode serverless: a serverless endpoint has one variant only. Use realtime, or "
        "all-at-once.",
    ),
    "a shadow on an asynchronous endpoint": (
        AWS + CHURN + "    serving: {mode: async, rollout: {strategy: «shadow}}\n",
        "models.churn.serving.rollout.strategy",
        "'shadow' does not go with mode async: an asynchronous endpoint has no shadow variant. Use realtime, or "
        "all-at-once.",
    ),
    "a rollout of a batch": (
        AWS + CHURN + "    serving:\n      mode: batch\n      «rollout: {strategy: shadow}\n",
        "models.churn.serving.rollout",
        "is read only with mode realtime or serverless or async, and this model has mode batch.",
    ),
    "a split of a shadow": (
        REALTIME + "      rollout: {strategy: shadow, split: «20}\n",
        "models.churn.serving.rollout.split",
        "is read only with strategy ab, and this one is shadow.",
    ),
    "steps of all at once": (
        REALTIME + "      rollout:\n        «steps: [10, 100]\n",
        "models.churn.serving.rollout.steps",
        "is read only with strategy canary, and this one is all-at-once.",
    ),
    "a canary alone": (
        REALTIME + "      rollout: {strategy: «canary}\n",
        "models.churn.serving.rollout.strategy",
        "a canary needs two replicas at least, so that one can serve the new version while the other serves the old. "
        "Set "
        "serving.replicas.min: 2, or use strategy: all-at-once.",
    ),
    "a canary alone in staging": (
        AWS
        + "environments: {staging: {}}\n"
        + CHURN
        + "    serving: {mode: realtime, replicas: {min: 2}, rollout: {strategy: canary}}\n"
        + "    environments: {staging: {serving: {replicas: {min: «1}}}}\n",
        "models.churn.environments.staging.serving.replicas.min",
        "a canary needs two replicas at least, so that one can serve the new version while the other serves the old. "
        "Set "
        "serving.replicas.min: 2, or use strategy: all-at-once.",
    ),
    "steps that fall": (
        REALTIME
        + "      replicas: {min: 2}\n      rollout:\n        strategy: canary\n        «steps: [50, 10, 100]\n",
        "models.churn.serving.rollout.steps",
        "[50, 10, 100] must rise from step to step.",
    ),
    "steps that stop short": (
        REALTIME + "      replicas: {min: 2}\n      rollout:\n        strategy: canary\n        «steps: [10, 50]\n",
        "models.churn.serving.rollout.steps",
        "[10, 50] must end at 100, or the new version never takes over.",
    ),
    "one step": (
        REALTIME + "      replicas: {min: 2}\n      rollout:\n        strategy: canary\n        «steps: [100]\n",
        "models.churn.serving.rollout.steps",
        "has one step only, which is no canary. Add a smaller first step, or use strategy: all-at-once.",
    ),
    "a canary of a queue on SageMaker": (
        REALTIME.replace("realtime", "async") + "      replicas: {min: 2}\n      rollout:\n        strategy: «canary\n",
        "models.churn.serving.rollout.strategy",
        "'canary' does not go with mode async: a queue hands out requests without saying to which variant. Use "
        "realtime, or all-at-once.",
    ),
    "a bake of two months": (
        REALTIME + "      rollout: {strategy: shadow, bake: «60d}\n",
        "models.churn.serving.rollout.bake",
        "'60d' must be at least 1m and at most 30d.",
    ),
    "a max below the min": (
        REALTIME + "      replicas: {min: 3, max: «2}\n",
        "models.churn.serving.replicas.max",
        "2 is below the min of 3. Raise max or lower min.",
    ),
    "scaling without room": (
        REALTIME + "      replicas: {min: 2, requests_per_minute: «60}\n",
        "models.churn.serving.replicas.requests_per_minute",
        "starts another replica, and max leaves no room for one. Raise max.",
    ),
    "drift of a model that answers nothing": (
        AWS + CHURN + "    monitoring:\n      «data_drift: {threshold: 0.1}\n",
        "models.churn.monitoring.data_drift",
        "watches the answers of a model that gives none: serving has no mode. Add one.",
    ),
    "drift of a serverless endpoint": (
        AWS + CHURN + "    serving: {mode: serverless}\n    monitoring:\n      «data_drift: {threshold: 0.1}\n",
        "models.churn.monitoring.data_drift",
        "needs captured requests, and a serverless endpoint keeps none. Use mode realtime.",
    ),
    "retraining on nothing": (
        REALTIME + "    monitoring: {on_breach: «retrain}\n",
        "models.churn.monitoring.on_breach",
        "retrains after a breach, and nothing is watched that could be in breach. Add data_drift, prediction_drift or "
        "model_quality.",
    ),
    "limits of no retraining": (
        REALTIME + "    monitoring:\n      «retrain: {cooldown: 2d}\n",
        "models.churn.monitoring.retrain",
        "is read only with on_breach: retrain.",
    ),
    "decisions on a serverless endpoint": (
        AWS + CHURN + "    automated_decision: true\n    serving: {mode: «serverless}\n",
        "models.churn.serving.mode",
        "automated_decision keeps every request, and a serverless endpoint keeps none. Use realtime or batch.",
    ),
    "a share of the decisions": (
        REALTIME + "      capture: {sample: «0.1}\n    automated_decision: true\n",
        "models.churn.serving.capture.sample",
        "automated_decision keeps every request, not a share of them. Remove the line.",
    ),
    **{
        f"decisions forgotten too soon in {residency}": (
            f"{head}residency: {residency}\n"
            + CHURN
            + "    serving: {mode: realtime, capture: {retention: «90d}}\n    automated_decision: true\n",
            "models.churn.serving.capture.retention",
            f"'90d' is shorter than the {kept} for which the law of residency {residency} wants kept what a decision "
            f"about a person was made from ({law}). Use {kept} or more, or remove the line.",
        )
        for head, residency, kept, law in (
            (
                AWS,
                "quebec",
                "1y",
                "Act respecting the protection of personal information in the private sector, section 11",
            ),
            (AWS.replace("ca-central-1", "eu-west-1"), "eu", "183d", "AI Act, articles 19 and 26"),
        )
    },
    "a rolling release": (
        REALTIME + "      rollout: {strategy: «rolling, split: 50}\n",
        "models.churn.serving.rollout.strategy",
        "'rolling' is not one of: all-at-once, canary, ab, shadow. A rolling release replaces machines batch by batch, "
        "so it can neither compare two versions nor go back to a previous one that is still whole. Use canary, which "
        "moves traffic in steps.",
    ),
    "captured requests of a serverless endpoint": (
        AWS + CHURN + "    serving: {mode: serverless, capture: {sample: 0.5}}\n",
        "models.churn.serving.capture",
        "is read only with mode realtime, and this model has mode serverless. A serverless endpoint keeps no requests, "
        "so use realtime or remove the block.",
    ),
    "an accelerator of no machine": (
        AWS + CHURN + "    training: {gcp: {accelerator: «NVIDIA_L4}}\n",
        "models.churn.training.gcp.accelerator",
        "is attached to a machine type. Add machine_type, such as g2-standard-8.",
    ),
    "a count of no accelerator": (
        AWS + CHURN + "    training: {gcp: {machine_type: e2-standard-4, accelerator_count: «2}}\n",
        "models.churn.training.gcp.accelerator_count",
        "counts accelerators, and none is named. Add accelerator.",
    ),
}


@pytest.mark.parametrize("name", ESTATE | MODEL)
def test_each_contradiction_is_refused_where_it_stands(name: str) -> None:
    marked, path, sentence = (ESTATE | MODEL)[name]
    if "«" in marked:
        assert (path, sentence) in at_mark(marked), f"{name}: {said(marked.replace('«', ''))}"
    else:
        assert (path, sentence) in said(marked), name


def test_a_secret_among_the_tags_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as raised:
        loads(AWS + "tags: {password: Hunter 2}\n")
    assert len(raised.value.problems) == 1, "and nothing else is said about its value"
    assert "Hunter" not in str(raised.value) + raised.value.as_json(), "problems end in the logs of the CI"


FINE = {
    "a tag that only sounds like a secret": AWS + "tags: {tokenizer: bert, secretariat: ottawa, keyboard: fr}\n",
    "what defaults say for other models is no contradiction": (
        AWS
        + "defaults: {serving: {compute: cpu-medium, replicas: {min: 2}}}\n"
        + "models: {a: {problem: classification}, b: {problem: regression, serving: {mode: realtime}}}\n"
    ),
    "a mode turned off in one environment keeps the rest of its block": (
        AWS
        + "environments: {staging: {}, production: {}}\n"
        + CHURN
        + "    serving: {mode: realtime, replicas: {min: 2}}\n    environments: {staging: {serving: {mode: none}}}\n"
    ),
    "people who only share a letter are apart": (
        AWS + "people: {data_scientists: [ds@a.example], approvers: [da@a.example], auditors: [au@a.example]}\n"
    ),
    "a compliance lock that is meant": (
        AWS + "audit: {lock: compliance, retention: 7y}\nenvironments: {production: {protect: true}}\n"
    ),
    "a region inside its residency": AWS + "residency: quebec\n",
    "decisions kept as long as the law asks, where the file does not say how long": (
        AWS
        + "residency: quebec\n"
        + CHURN
        + "    serving: {mode: realtime, capture: {sample: 1}}\n    automated_decision: true\n"
    ),
    "datasets side by side": AWS + "data: {datasets: {a: {path: lake/a/}, ab: {path: lake/ab/}}}\n",
}


def test_a_strategy_that_is_none_is_not_judged_by_the_fields_beside_it() -> None:
    found = said(REALTIME + "      rollout: {strategy: rolling, split: 50}\n")
    assert [path for path, _ in found] == ["models.churn.serving.rollout.strategy"], "split may be meant"


@pytest.mark.parametrize("name", FINE)
def test_what_is_no_contradiction_passes(name: str) -> None:
    assert said(FINE[name]) == [], name
