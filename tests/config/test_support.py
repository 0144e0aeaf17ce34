"""Nothing in the file is silently ignored: what a cloud lacks, and what is not built yet, is refused by name."""

from __future__ import annotations

import pytest

from mlestate.config import loads
from mlestate.config.support import BUILT, CANNOT
from tests.config.said import AWS, AZURE, GCP, at_mark, said

CHURN = "models:\n  churn:\n    problem: classification\n"

REFUSED = {
    "monitoring on gcp": (
        GCP + CHURN + "    monitoring:\n      data_drift: {threshold: 0.2}\n",
        "models.churn.monitoring",
        "models.churn.monitoring is not built yet on gcp: nothing would watch this model. Remove the block.",
    ),
    "gates in defaults": (
        GCP + "defaults:\n  «gates: {data: {min_rows: 10}}\n".replace("«", ""),
        "defaults.gates",
        "defaults.gates is not built yet on gcp: nothing would judge this model. Remove the block.",
    ),
    "training in one environment": (
        GCP + CHURN + "    environments: {production: {training: {spot: true}}}\n",
        "models.churn.environments.production.training",
        "models.churn.environments.production.training is not built yet on gcp: nothing would train this model. Remove "
        "the block.",
    ),
    "a private network": (
        GCP + "network: «private\n",
        "network",
        "'private' is not built yet on gcp: nothing would be kept off the internet. Built so far: public.",
    ),
    "a network that is there": (
        GCP + "network: {existing: {network: vpc-1, subnets: [subnet-1, subnet-2]}}\n",
        "network.existing",
        "network.existing is not built yet on gcp: nothing would be kept off the internet. Remove the block.",
    ),
    "a budget": (
        GCP + "environments: {production: {monthly_budget_usd: «100}}\n",
        "environments.production.monthly_budget_usd",
        "environments.production.monthly_budget_usd is not built yet on gcp: no one would be told of the spend. Remove "
        "the line.",
    ),
    "batch runs on gcp": (
        GCP + CHURN + "    serving: {mode: «batch}\n",
        "models.churn.serving.mode",
        "'batch' is not built yet on gcp: nothing would serve this model. Built so far: none.",
    ),
    "the format of a dataset": (
        GCP + "data: {datasets: {tx: {path: lake/tx/, format: «csv}}}\n",
        "data.datasets.tx.format",
        "'csv' is not built yet on gcp: nothing would read the files by their format. Built so far: parquet.",
    ),
    "what a model learns from": (
        GCP + "data: {datasets: {tx: {path: lake/tx/}}}\n" + CHURN + "    data: {dataset: tx}\n",
        "models.churn.data",
        "models.churn.data is not built yet on gcp: nothing would train this model on it. Remove the block.",
    ),
    "a key of the trail on gcp": (
        GCP + "encryption: {existing: {data: k, audit: k}}\n",
        "encryption.existing.audit",
        "encryption.existing.audit is not built yet on gcp: there is no trail to encrypt. Remove the line.",
    ),
    "people on gcp": (
        GCP + "people: {auditors: [audit@acme.example]}\n",
        "people",
        "people is not built yet on gcp: no one would get a role. Remove the block.",
    ),
    "serving on azure": (
        AZURE + CHURN + "    serving: {mode: «realtime}\n",
        "models.churn.serving.mode",
        "'realtime' is not built yet on azure: nothing would serve this model. Built so far: none.",
    ),
    "serverless on gcp": (
        GCP + CHURN + "    serving: {mode: «serverless}\n",
        "models.churn.serving.mode",
        "'serverless' cannot be had on gcp: Vertex AI has no serverless endpoint for a model of one's own. Use batch, "
        "which costs nothing while idle, or realtime with replicas: {min: 1}.",
    ),
    "half of the traffic and more on azure": (
        AZURE + CHURN + "    serving: {mode: realtime, rollout: {strategy: shadow, sample: «0.8}}\n",
        "models.churn.serving.rollout.sample",
        "0.8 cannot be had on azure: Azure ML mirrors at most half of the traffic. Use a sample of 0.5 or less.",
    ),
    "spare machines on azure": (
        AZURE + "defaults: {training: {spot: «true}}\n",
        "defaults.training.spot",
        "true cannot be had on azure: Azure ML gave up low-priority machines on 2026-03-31. Remove the line; machines "
        "still stop when a run ends.",
    ),
    "a day of the month on azure": (
        AZURE + CHURN + '    training: {schedule: «"0 4 1 * *"}\n',
        "models.churn.training.schedule",
        "'0 4 1 * *' cannot be had on azure: Azure ML's schedules know no day of the month and no month. Put * in the "
        "third and fourth place of the cron expression.",
    ),
    "an account on gcp": (
        GCP + '«account: "333333333333"\n',
        "account",
        "'account' is a word of AWS, and this estate is on Google Cloud. What Google Cloud has is 'project'.",
    ),
    "a project on aws": (
        AWS + "environments: {production: {«project: acme-prod}}\n",
        "environments.production.project",
        "'project' is a word of Google Cloud, and this estate is on AWS. What AWS has is 'account'.",
    ),
    "a deploy role on azure": (
        AZURE + "environments: {production: {«deploy_role: x}}\n",
        "environments.production.deploy_role",
        "'deploy_role' is a word of AWS, and this estate is on Azure.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_come_to_be_is_refused_by_name(name: str) -> None:
    marked, path, sentence = REFUSED[name]
    assert (path, sentence) in (at_mark(marked) if "«" in marked else said(marked)), said(marked.replace("«", ""))


def test_a_block_is_refused_once_and_not_line_by_line() -> None:
    text = GCP + CHURN + "    gates: {data: {min_rows: 10, max_psi: 0.1}, fairness: {attribute: province}}\n"
    assert [path for path, _ in said(text)] == ["models.churn.gates"]


def test_no_rule_gives_advice_on_what_is_refused() -> None:
    unbuilt = "is not built yet on gcp: nothing would judge this model. Remove the block."
    text = GCP + CHURN + "    gates: {fairness: {max_disparity: 0.1}}\n"
    assert said(text) == [("models.churn.gates", f"models.churn.gates {unbuilt}")], (
        "a block that is to be removed needs no column to tell groups apart"
    )
    text = GCP + "defaults: {gates: {fairness: {max_disparity: 0.1}}}\n" + CHURN
    assert said(text) == [("defaults.gates", f"defaults.gates {unbuilt}")]


def test_a_wrong_value_in_a_refused_block_is_told_all_the_same() -> None:
    text = GCP + CHURN + "    gates: {model: {compare_to: chmpion}}\n"
    assert [path for path, _ in said(text)] == ["models.churn.gates", "models.churn.gates.model.compare_to"], (
        "the word will be as wrong on the day on which the block is built"
    )


def test_what_is_wrong_anyway_is_not_also_called_unbuilt() -> None:
    assert [path for path, _ in said(AWS + "sad: {x: 1}\n")] == ["sad"]
    assert [path for path, _ in said(AWS + "network: privte\n")] == ["network"]


AWS_FULL = (
    AWS
    + """\
account: "111111111111"
owner: team@acme.example
tags: {cost-centre: risk}
residency: canada
network: public
encryption: customer-managed
ci: {provider: github, owner: acme, repositories: [churn]}
people:
  data_scientists: [ds@acme.example]
  approvers: [risk@acme.example]
audit: {retention: 7y, lock: governance}
environments:
  staging: {account: "222222222222", deploy_role: "arn:aws:iam::222222222222:role/deployer"}
  production: {account: "333333333333", protect: true}
data: {datasets: {tx: {path: lake/tx/, format: parquet, retention: 2y}}}
defaults: {serving: {compute: cpu-medium}}
models:
  churn:
    problem: classification
    owner: churn@acme.example
    serving:
      {mode: realtime, compute: cpu-small, replicas: {min: 2, max: 6}, initial_version: 3, capture: {sample: 0.5}}
    environments: {staging: {serving: {replicas: {min: 1, max: 1}, aws: {instance_type: ml.m5.large}}}}
  demand: {problem: regression, serving: {mode: serverless}}
"""
)


def test_everything_that_is_built_on_aws_is_accepted_together() -> None:
    config = loads(AWS_FULL).config
    assert config.model("churn", environment="staging").serving.aws is not None


@pytest.mark.parametrize(
    ("head", "word", "home"),
    [(GCP, "project", "acme-prod"), (AZURE, "subscription", "00000000-0000-0000-0000-000000000000")],
)
def test_everything_that_is_built_on_the_other_two_is_accepted_together(head: str, word: str, home: str) -> None:
    text = head + f'{word}: "{home}"\nowner: t@acme.example\ntags: {{a: b}}\nresidency: canada\n'
    text += f'encryption: customer-managed\nenvironments: {{production: {{{word}: "{home}", protect: true}}}}\n'
    text += "data: {datasets: {tx: {path: lake/tx/}}}\n" + CHURN + "    owner: c@acme.example\n"
    text += "    serving: {mode: none}\n"
    assert loads(text).config.home == home


def test_the_two_tables_speak_of_clouds_that_there_are() -> None:
    assert set(BUILT) == {"aws", "gcp", "azure"}
    assert {limit.cloud for limit in CANNOT} <= set(BUILT)
