"""Whatever the file accepts changes what comes up: nothing that a user writes is silently ignored."""

import copy
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, cast

import pytest
import yaml

from mlestate.aws.settings import AwsEstate
from mlestate.azure.settings import AzureEstate
from mlestate.blueprint.inventory import as_digests
from mlestate.config.base import Settings
from mlestate.config.model import METRICS, ProblemKind
from mlestate.config.support import BUILT, matches
from mlestate.gcp.settings import GcpEstate
from mlestate.names import HUB
from tests.conftest import recorded

ESTATES: Mapping[str, type[Settings]] = {"aws": AwsEstate, "gcp": GcpEstate, "azure": AzureEstate}

GUID = "00000000-0000-0000-0000-00000000000"
KEYS: Mapping[str, str] = {
    "aws": "arn:aws:kms:ca-central-1:111111111111:key/",
    "gcp": "projects/p/locations/r/keyRings/k/cryptoKeys/",
    "azure": f"/subscriptions/{GUID}1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/keys/",
}

DEPLOYER = "arn:aws:iam::222222222222:role/deploy"
MOVED = "arn:aws:iam::555555555555:role/deploy"


def shared(cloud: str, region: str, word: str, home: str, own: str) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "risk",
        "cloud": cloud,
        "region": region,
        word: home,
        "owner": "ml@risk.example",
        "tags": {"cost-centre": "risk"},
        "encryption": "customer-managed",
        "environments": {"staging": {word: own}, "production": {"protect": True}},
        "data": {"datasets": {"tx": {"path": "lake/tx/", "retention": "2y"}}},
        "models": {"churn": {"problem": "classification", "owner": "churn@risk.example"}},
    }


FULL: Mapping[str, dict[str, Any]] = {
    "aws": {
        **shared("aws", "ca-central-1", "account", "111111111111", "222222222222"),
        "ci": {"provider": "github", "owner": "acme", "repositories": ["churn"], "branch": "main"},
        "people": {
            "data_scientists": ["ds@risk.example"],
            "ml_engineers": ["sso:Engineers"],
            "approvers": ["approver@risk.example"],
            "operators": ["operator@risk.example"],
            "auditors": ["audit@risk.example"],
        },
        "audit": {"retention": "7y", "lock": "governance"},
        "environments": {
            "staging": {
                "account": "222222222222",
                "deploy_role": "arn:aws:iam::222222222222:role/deploy",
                "monthly_budget_usd": 500,
                "anomaly_monitor": "new",
                "off_hours": {"stop": "19:00", "start": "07:00", "timezone": "America/Toronto", "weekends": True},
                "stop_idle_after": "8h",
            },
            "production": {"protect": True},
        },
        "models": {
            "churn": {
                "problem": "classification",
                "owner": "churn@risk.example",
                "serving": {
                    "mode": "realtime",
                    "initial_version": 3,
                    "compute": "cpu-small",
                    "replicas": {"min": 2, "max": 6, "requests_per_minute": 60},
                    "capture": {"sample": 0.5, "retention": "30d"},
                },
            },
            "nightly": {
                "problem": "regression",
                "serving": {
                    "mode": "batch",
                    "initial_version": 1,
                    "schedule": "daily",
                    "input": "lake/requests/",
                    "output": "scores/",
                },
            },
            "rare": {
                "problem": "regression",
                "serving": {
                    "mode": "serverless",
                    "initial_version": 1,
                    "aws": {"memory_mb": 1024, "max_concurrency": 2},
                },
            },
        },
    },
    "gcp": shared("gcp", "northamerica-northeast1", "project", "risk-ml-hub", "risk-ml-staging"),
    "azure": shared("azure", "canadacentral", "subscription", f"{GUID}1", f"{GUID}2"),
}

Case = tuple[str, Any]
"""A path and another value for it than the full estate has."""

BOUNDED = {"min": 0.1, "max": 0.9}
GROUP = {"entity": "customer_id", "event_time": "ts", "fields": {"amount_30d": "float"}}
TRAINED: Mapping[str, Any] = {
    "environments": {"production": {}},
    "data": {"datasets": {"tx": {"path": "lake/tx/"}, "rx": {"path": "lake/rx/"}}},
    "features": {"tx": GROUP, "rx": GROUP},
    "models": {
        "churn": {
            "problem": "classification",
            "data": {"dataset": "tx", "target": "churned"},
            "training": {"compute": "cpu-small", "image": "1", "schedule": "daily"},
            "gates": {
                "data": {"min_rows": 10, "max_age": "2d", "max_null_fraction": 0.1, "max_psi": 0.2},
                "model": {**dict.fromkeys(METRICS["classification"], BOUNDED), "custom": {"lift": BOUNDED}},
                "fairness": {"attribute": "province", "max_disparity": 0.1},
            },
        },
        "price": {
            "problem": "regression",
            "data": {"features": "tx"},
            "gates": {"model": dict.fromkeys(METRICS["regression"], BOUNDED)},
        },
    },
}
"""Models that are trained and judged, for the words that say how."""

TRAINING: Mapping[str, Case] = {
    "models.*.automated_decision": ("models.churn.automated_decision", True),
    "models.*.data.dataset": ("models.churn.data.dataset", "rx"),
    "models.*.data.features": ("models.price.data.features", "rx"),
    "models.*.data.target": ("models.churn.data.target", "left"),
    "models.*.training.aws.instance_type": ("models.churn.training.aws.instance_type", "ml.c5.xlarge"),
    "models.*.training.compute": ("models.churn.training.compute", "cpu-large"),
    "models.*.training.image": ("models.churn.training.image", "2"),
    "models.*.training.instances": ("models.churn.training.instances", 2),
    "models.*.training.raw.*.*.*": ("models.churn.training.raw.aws.Pipeline.pipeline_description", "Ours"),
    "models.*.training.schedule": ("models.churn.training.schedule", "weekly"),
    "models.*.training.spot": ("models.churn.training.spot", True),
    "models.*.training.timeout": ("models.churn.training.timeout", "3h"),
    "models.*.training.volume_gb": ("models.churn.training.volume_gb", 60),
    "models.*.gates.data.min_rows": ("models.churn.gates.data.min_rows", 20),
    "models.*.gates.data.max_age": ("models.churn.gates.data.max_age", "3d"),
    "models.*.gates.data.max_null_fraction": ("models.churn.gates.data.max_null_fraction", 0.2),
    "models.*.gates.data.max_psi": ("models.churn.gates.data.max_psi", 0.3),
    "models.*.gates.data.unknown_categories": ("models.churn.gates.data.unknown_categories", "fail"),
    "models.*.gates.model.compare_to": ("models.churn.gates.model.compare_to", "none"),
    "models.*.gates.model.max_regression": ("models.churn.gates.model.max_regression", 0.02),
    **{
        f"models.*.gates.model.{metric}.{bound}": (f"models.{model}.gates.model.{metric}.{bound}", 0.5)
        for model, problem in (("churn", "classification"), ("price", "regression"))
        for metric in METRICS[cast(ProblemKind, problem)]
        for bound in ("min", "max")
    },
    "models.*.gates.model.custom.*.min": ("models.churn.gates.model.custom.lift.min", 0.5),
    "models.*.gates.model.custom.*.max": ("models.churn.gates.model.custom.lift.max", 0.5),
    "models.*.gates.fairness.attribute": ("models.churn.gates.fairness.attribute", "age"),
    "models.*.gates.fairness.max_disparity": ("models.churn.gates.fairness.max_disparity", 0.2),
}

ANSWERING: Mapping[str, Any] = {
    "alerts": {"email": ["oncall@risk.example"]},
    "models": {
        "churn": {
            "problem": "classification",
            "gates": {"model": {"f1": {"min": 0.5}}},
            "serving": {"mode": "realtime", "initial_version": 1},
            "monitoring": {
                "schedule": "daily",
                "data_drift": {"metric": "psi", "threshold": 0.2},
                "prediction_drift": {"metric": "psi", "threshold": 0.2},
                "model_quality": {"metric": "f1", "min": 0.5, "max": 0.9},
                "service": {
                    "error_rate": {"min": 0, "max": 0.1},
                    "p95_latency_ms": {"min": 1, "max": 100},
                    "p99_latency_ms": {"min": 1, "max": 100},
                },
            },
        },
    },
}
"""A model that answers and is watched, for the words that say how."""

WATCHING: Mapping[str, Case] = {
    "alerts.email": ("alerts.email", ["else@risk.example"]),
    # What a secret holds is never shown, so a plan shows whether there is one.
    "alerts.slack": ("alerts.slack", "secret:webhook"),
    "alerts.pagerduty": ("alerts.pagerduty", "secret:pager"),
    **{
        f"models.*.monitoring.{field}": (f"models.churn.monitoring.{field}", value)
        for field, value in {
            "schedule": "hourly",
            "data_drift.metric": "js",
            "data_drift.threshold": 0.3,
            "prediction_drift.metric": "ks",
            "prediction_drift.threshold": 0.3,
            "model_quality.labels": "lake/labels/",
            "model_quality.metric": "recall",
            "model_quality.min": 0.6,
            "model_quality.max": 0.8,
            "service.error_rate.min": 0.01,
            "service.error_rate.max": 0.2,
            "service.p95_latency_ms.min": 2,
            "service.p95_latency_ms.max": 200,
            "service.p99_latency_ms.min": 2,
            "service.p99_latency_ms.max": 200,
            "aws.model_monitor": True,
        }.items()
    },
}

COMMON: Mapping[str, Case] = {
    "name": ("name", "other"),
    "owner": ("owner", "else@risk.example"),
    "tags.*": ("tags.cost-centre", "other"),
    "encryption": ("encryption", "provider-managed"),
    "environments.*.protect": ("environments.production.protect", False),
    "data.datasets.*.path": ("data.datasets.tx.path", "lake/other/"),
    "data.datasets.*.retention": ("data.datasets.tx.retention", "3y"),
    "models.*.owner": ("models.churn.owner", "else@risk.example"),
    "models.*.risk": ("models.churn.risk", "high"),
}

CASES: Mapping[str, Mapping[str, Case]] = {
    "aws": {
        **COMMON,
        **TRAINING,
        **WATCHING,
        "region": ("region", "ca-west-1"),
        "account": ("account", "444444444444"),
        "encryption.existing.data": ("encryption.existing.data", KEYS["aws"] + "other"),
        "encryption.existing.audit": ("encryption.existing.audit", KEYS["aws"] + "other"),
        "network": ("network", "private"),
        "network.existing.network": ("network.existing.network", "vpc-0fedcba9876543210"),
        "network.existing.subnets": (
            "network.existing.subnets",
            ["subnet-0fedcba9876543210", "subnet-0fedcba9876543211"],
        ),
        "network.existing.security_groups": ("network.existing.security_groups", ["sg-0fedcba9876543210"]),
        "people.data_scientists": ("people.data_scientists", ["else@risk.example"]),
        "people.ml_engineers": ("people.ml_engineers", ["else@risk.example"]),
        "people.approvers": ("people.approvers", ["else@risk.example"]),
        "people.operators": ("people.operators", ["else@risk.example"]),
        "people.auditors": ("people.auditors", ["else@risk.example"]),
        "ci.provider": ("ci.provider", "gitlab"),
        "ci.owner": ("ci.owner", "other"),
        "ci.owner_id": ("ci.owner_id", f"{GUID}9"),
        "ci.repositories": ("ci.repositories", ["other"]),
        "ci.branch": ("ci.branch", "trunk"),
        "ci.host": ("ci.host", "git.risk.example"),
        "audit.retention": ("audit.retention", "8y"),
        "audit.lock": ("audit.lock", "none"),
        "data.datasets.*.format": ("data.datasets.tx.format", "csv"),
        "data.datasets.*.columns.*": ("data.datasets.tx.columns.amount", "int"),
        "data.lake_formation.administrators": (
            "data.lake_formation.administrators",
            ["arn:aws:iam::222222222222:role/other"],
        ),
        "features.*.entity": ("features.tx.entity", "branch"),
        "features.*.event_time": ("features.tx.event_time", "since"),
        "features.*.fields.*": ("features.tx.fields.amount", "int"),
        "features.*.online": ("features.tx.online", False),
        "features.*.ttl": ("features.tx.ttl", "7d"),
        "tracking.server": ("tracking.server", "managed"),
        "tracking.size": ("tracking.size", "large"),
        "tracking.uri": ("tracking.uri", "https://other.risk.example"),
        "promotion.path": ("promotion.path", ["production"]),
        "promotion.approval.*.minimum": ("promotion.approval.production.minimum", 2),
        "models.*.serving.rollout.strategy": ("models.churn.serving.rollout.strategy", "canary"),
        "models.*.serving.rollout.steps": ("models.churn.serving.rollout.steps", [20, 100]),
        "models.*.serving.rollout.split": ("models.churn.serving.rollout.split", 20),
        "models.*.serving.rollout.metric": ("models.churn.serving.rollout.metric", "recall"),
        "models.*.serving.rollout.minimum_samples": ("models.churn.serving.rollout.minimum_samples", 2000),
        "models.*.serving.rollout.sample": ("models.churn.serving.rollout.sample", 0.5),
        "models.*.serving.rollout.bake": ("models.churn.serving.rollout.bake", "20m"),
        "models.*.serving.rollout.keep_previous": ("models.churn.serving.rollout.keep_previous", "2h"),
        "models.*.serving.rollout.rollback_on.error_rate.min": (
            "models.churn.serving.rollout.rollback_on.error_rate",
            {"min": 0.01, "max": 0.9},
        ),
        "models.*.serving.rollout.rollback_on.error_rate.max": (
            "models.churn.serving.rollout.rollback_on.error_rate.max",
            0.02,
        ),
        "models.*.serving.rollout.rollback_on.p95_latency_ms.min": (
            "models.churn.serving.rollout.rollback_on.p95_latency_ms",
            {"min": 1, "max": 900},
        ),
        "models.*.serving.rollout.rollback_on.p95_latency_ms.max": (
            "models.churn.serving.rollout.rollback_on.p95_latency_ms.max",
            300,
        ),
        "models.*.serving.rollout.rollback_on.p99_latency_ms.min": (
            "models.churn.serving.rollout.rollback_on.p99_latency_ms",
            {"min": 1, "max": 900},
        ),
        "models.*.serving.rollout.rollback_on.p99_latency_ms.max": (
            "models.churn.serving.rollout.rollback_on.p99_latency_ms.max",
            300,
        ),
        "models.*.serving.rollout.rollback_on.disagreement.min": (
            "models.churn.serving.rollout.rollback_on.disagreement",
            {"min": 0.01, "max": 0.9},
        ),
        "models.*.serving.rollout.rollback_on.disagreement.max": (
            "models.churn.serving.rollout.rollback_on.disagreement.max",
            0.2,
        ),
        "models.*.monitoring.on_breach": ("models.churn.monitoring.on_breach", "retrain"),
        "models.*.monitoring.retrain.cooldown": ("models.churn.monitoring.retrain.cooldown", "48h"),
        "models.*.monitoring.retrain.max_per_week": ("models.churn.monitoring.retrain.max_per_week", 1),
        "models.*.monitoring.retrain.min_new_rows": ("models.churn.monitoring.retrain.min_new_rows", 500),
        # A role lies in the account that it deploys to, so it moves with the account.
        "environments.*.account": ("environments.staging", {"account": "555555555555", "deploy_role": MOVED}),
        "environments.*.deploy_role": (
            "environments.staging.deploy_role",
            "arn:aws:iam::222222222222:role/other",
        ),
        "environments.*.mirrors": ("environments.staging.mirrors", "production"),
        "environments.*.scale": ("environments.staging.scale", 0.5),
        "environments.*.off_hours.stop": ("environments.staging.off_hours.stop", "20:00"),
        "environments.*.off_hours.start": ("environments.staging.off_hours.start", "08:00"),
        "environments.*.off_hours.timezone": ("environments.staging.off_hours.timezone", "America/Halifax"),
        "environments.*.off_hours.weekends": ("environments.staging.off_hours.weekends", False),
        "environments.*.stop_idle_after": ("environments.staging.stop_idle_after", "9h"),
        "environments.*.anomaly_monitor": (
            "environments.staging.anomaly_monitor",
            f"arn:aws:ce::222222222222:anomalymonitor/{GUID}9",
        ),
        "environments.*.monthly_budget_usd": ("environments.staging.monthly_budget_usd", 600),
        "models.*.serving.mode": ("models.churn.serving.mode", "none"),
        "models.*.serving.schedule": ("models.nightly.serving.schedule", "hourly"),
        "models.*.serving.input": ("models.nightly.serving.input", "lake/other/"),
        "models.*.serving.output": ("models.nightly.serving.output", "other/"),
        "models.*.serving.raw.*.*.*": ("models.churn.serving.raw", {"aws": {"Endpoint": {"tags": {"team": "a"}}}}),
        "models.*.serving.initial_version": ("models.churn.serving.initial_version", 4),
        "models.*.serving.compute": ("models.churn.serving.compute", "cpu-large"),
        "models.*.serving.replicas.min": ("models.churn.serving.replicas.min", 3),
        "models.*.serving.replicas.max": ("models.churn.serving.replicas.max", 7),
        "models.*.serving.replicas.requests_per_minute": ("models.churn.serving.replicas.requests_per_minute", 90),
        "models.*.serving.capture.sample": ("models.churn.serving.capture.sample", 0.25),
        "models.*.serving.capture.retention": ("models.churn.serving.capture.retention", "60d"),
        "models.*.serving.aws.instance_type": ("models.churn.serving.aws.instance_type", "ml.c5.large"),
        "models.*.serving.aws.memory_mb": ("models.rare.serving.aws.memory_mb", 2048),
        "models.*.serving.aws.max_concurrency": ("models.rare.serving.aws.max_concurrency", 3),
    },
    "gcp": {
        **COMMON,
        "region": ("region", "northamerica-northeast2"),
        "project": ("project", "risk-ml-other"),
        "encryption.existing.data": ("encryption.existing.data", KEYS["gcp"] + "other"),
        "environments.*.project": ("environments.staging.project", "risk-ml-other"),
    },
    "azure": {
        **COMMON,
        "region": ("region", "canadaeast"),
        "subscription": ("subscription", f"{GUID}3"),
        "encryption.existing.data": ("encryption.existing.data", KEYS["azure"] + "other"),
        "environments.*.subscription": ("environments.staging.subscription", f"{GUID}3"),
    },
}

IN_A_NETWORK = {
    "models": {"churn": {"problem": "classification", "serving": {"mode": "realtime", "initial_version": 1}}}
}
ADOPTED = {"network": "vpc-0123456789abcdef0", "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}

GATES = {"model": {"f1": {"min": 0.5}, "recall": {"min": 0.5}}}
RELEASED: Mapping[str, dict[str, Any]] = {
    strategy: {
        "models": {
            "churn": {
                "problem": "classification",
                "gates": GATES,
                "serving": {"mode": "realtime", "replicas": {"min": 2}, "rollout": {"strategy": strategy}},
            }
        }
    }
    for strategy in ("canary", "ab", "shadow")
}
WATCHED, RETRAINED = (
    {
        "models": {
            "churn": {
                "problem": "classification",
                "serving": {"mode": "realtime"},
                "monitoring": {"data_drift": {}, "on_breach": on_breach},
            }
        }
    }
    for on_breach in ("alert", "retrain")
)

STORE = {"tx": {"entity": "id", "event_time": "ts", "online": True, "fields": {"amount": "float"}}}
TABLE = {"tx": {"path": "lake/tx/", "columns": {"amount": "float"}}}

BEFORE: Mapping[str, Mapping[str, Any]] = {
    "environments.*.mirrors": {
        "environments": {"staging": {}, "production": {}},
        "models": {
            "churn": {"problem": "classification", "environments": {"production": {"serving": {"mode": "realtime"}}}}
        },
    },
    "data.lake_formation.administrators": {
        "environments": {"live": {"account": "222222222222", "deploy_role": DEPLOYER}},
        "promotion": {},
        "data": {"lake_formation": {"administrators": [DEPLOYER]}},
    },
    **dict.fromkeys(TRAINING, TRAINED),
    **dict.fromkeys(WATCHING, ANSWERING),
    **{f"data.datasets.*.{field}": {"data": {"datasets": TABLE}} for field in ("format", "columns.*")},
    **{f"features.*.{field}": {"features": STORE} for field in ("entity", "event_time", "fields.*", "online", "ttl")},
    "tracking.size": {"tracking": {"server": "managed"}},
    "tracking.uri": {"tracking": {"server": "external", "uri": "https://one.risk.example"}},
    "network": IN_A_NETWORK,
    "network.existing.network": {**IN_A_NETWORK, "network": {"existing": ADOPTED}},
    "network.existing.subnets": {**IN_A_NETWORK, "network": {"existing": ADOPTED}},
    "network.existing.security_groups": {**IN_A_NETWORK, "network": {"existing": ADOPTED}},
    "environments.*.account": {
        "environments": {
            "staging": {"account": "222222222222", "deploy_role": DEPLOYER},
            "production": {"protect": True},
        }
    },
    "encryption.existing.data": {"encryption": {"existing": {}}},
    "encryption.existing.audit": {"encryption": {"existing": {"data": KEYS["aws"] + "one"}}},
    "ci.owner_id": {
        "ci": {"provider": "azure-devops", "owner": "acme", "owner_id": f"{GUID}8", "repositories": ["a/b"]}
    },
    "models.*.serving.mode": {
        "models": {
            name: {"problem": "classification", "serving": {"mode": "realtime"}} for name in ("churn", "endures")
        }
    },
    **{
        f"models.*.serving.rollout.{field}": RELEASED[strategy]
        for strategy, fields in {
            "canary": ("steps",),
            "ab": ("split", "metric", "minimum_samples"),
            "shadow": ("sample", "rollback_on.disagreement.min", "rollback_on.disagreement.max"),
        }.items()
        for field in fields
    },
    **{f"models.*.monitoring.retrain.{field}": RETRAINED for field in ("cooldown", "max_per_week", "min_new_rows")},
    "models.*.monitoring.on_breach": WATCHED,
}
"""What stands in the full estate instead, where a value is read only beside others."""

MAKES_NOTHING: Mapping[str, str] = {
    "version": "has one value",
    "cloud": "another cloud is another file",
    "residency": "is a promise that a rule keeps: a region outside it is refused",
    "models.*.problem": "says which metrics a rule accepts",
    "models.*.serving.gcp.machine_type": "is used only on gcp, as its description says",
    "models.*.serving.gcp.accelerator": "is used only on gcp, as its description says",
    "models.*.serving.gcp.accelerator_count": "is used only on gcp, as its description says",
    "models.*.serving.azure.vm_size": "is used only on azure, as its description says",
    "models.*.training.gcp.machine_type": "is used only on gcp, as its description says",
    "models.*.training.gcp.accelerator": "is used only on gcp, as its description says",
    "models.*.training.gcp.accelerator_count": "is used only on gcp, as its description says",
    "models.*.training.azure.vm_size": "is used only on azure, as its description says",
}


def leaves(settings: type[Settings], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path that a file can have a value at; the layers over a model are the model's own paths again."""
    for name, field in settings.model_fields.items():
        if name != "defaults" and (*path, name) != ("models", "*", "environments"):
            yield from below(field.annotation, (*path, name))


def below(kind: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Settings):
        yield from leaves(kind, path)
    elif origin is typing.Annotated:
        yield from below(arguments[0], path)
    elif origin in (typing.Union, UnionType):
        for each in arguments:
            yield from below(each, path)
    elif origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        yield from below(arguments[1], (*path, "*"))
    elif kind is not type(None):
        yield path


def accepted(cloud: str) -> list[str]:
    """The paths at which a cloud takes more than one value."""
    found = dict.fromkeys(leaves(ESTATES[cloud]))
    return [
        ".".join(path)
        for path in found
        for pattern, values in BUILT[cloud].items()
        if matches(tuple(pattern.split(".")), path) and (values is None or len(values) > 1)
    ]


@pytest.mark.parametrize("cloud", ESTATES)
def test_every_accepted_path_is_shown_to_count_or_has_a_reason(cloud: str) -> None:
    paths = set(accepted(cloud))
    listed = {*CASES[cloud], *(path for path in MAKES_NOTHING if path in paths)}
    assert paths == listed, "a path that is opened owes a case here, or a reason why nothing comes of it"


@pytest.mark.parametrize("path", MAKES_NOTHING)
def test_a_reason_is_given_only_for_what_is_accepted(path: str) -> None:
    assert any(path in accepted(cloud) for cloud in ESTATES)


@cache
def inventory(text: str, folder: Path, scope: str) -> str:
    file = folder / "estate.yaml"
    file.write_text(text)
    return as_digests(recorded(file, scope))


def changed(estate: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(estate)
    block = result
    *parents, last = path.split(".")
    for parent in parents:
        block = block.setdefault(parent, {})
    block[last] = value
    return result


@pytest.mark.parametrize(("cloud", "pattern"), [(cloud, pattern) for cloud in ESTATES for pattern in CASES[cloud]])
def test_another_value_is_another_plan(cloud: str, pattern: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Proves that a value is read, not that what it changes is right; the tests of each part do that."""
    folder = tmp_path_factory.getbasetemp()
    path, value = CASES[cloud][pattern]
    before = {**FULL[cloud], **BEFORE.get(pattern, {})}
    if pattern == "encryption.existing.data":
        before = changed(before, path, KEYS[cloud] + "one")
    one, other = (yaml.safe_dump(each, sort_keys=False) for each in (before, changed(before, path, value)))
    # One slice that differs is enough, and most words count in the first; these two blocks count in the hub.
    slices = sorted(
        [*before["environments"], HUB], key=lambda each: (each == HUB) != path.startswith(("audit.", "ci."))
    )
    assert any(inventory(one, folder, scope) != inventory(other, folder, scope) for scope in slices), (
        f"{path} is accepted on {cloud} and changes nothing"
    )
