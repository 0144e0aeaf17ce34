"""Layers, origins and homes: what a file becomes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlestate.config import ConfigError, Origin, loads
from mlestate.config.base import Settings
from mlestate.config.clouds import settings_of
from mlestate.config.loading import ROUNDS
from mlestate.config.model import merged
from mlestate.config.problems import closest
from tests.config.said import AWS, AZURE, GCP, said

LAYERS = (
    AWS
    + """\
environments:
  staging: {}
  production: {account: "333333333333"}
defaults:
  serving: {compute: cpu-medium, replicas: {min: 2}}
models:
  churn:
    problem: classification
    serving:
      mode: realtime
      replicas: {max: 6}
    environments:
      staging: {serving: {replicas: {min: 1, max: 1}}}
  fraud: {problem: classification, serving: {mode: realtime, compute: cpu-large}}
"""
)


def test_layers_are_merged_built_in_then_defaults_then_model_then_environment() -> None:
    loaded = loads(LAYERS)
    churn, fraud = loaded.config.models["churn"], loaded.config.models["fraud"]
    assert churn.serving.mode == "realtime", "the model's own word holds"
    assert churn.serving.compute == "cpu-medium", "defaults hold where the model says nothing"
    assert fraud.serving.compute == "cpu-large", "the model comes after the defaults"
    assert (churn.serving.replicas.min, churn.serving.replicas.max) == (2, 6), "blocks are merged key by key"
    staging = loaded.config.model("churn", environment="staging")
    assert (staging.serving.replicas.min, staging.serving.replicas.max) == (1, 1), "the environment comes last"
    assert staging.serving.mode == "realtime", "what the environment does not name stays"
    assert loaded.config.model("churn", environment="production") == churn, "an unnamed environment changes nothing"
    with pytest.raises(KeyError):
        loaded.config.model("churn", environment="nowhere")


@pytest.mark.parametrize(
    ("path", "line", "column", "source"),
    [
        ("models.churn.serving.mode", 14, 13, "model"),
        ("models.churn.serving.compute", 9, 22, "defaults"),
        ("models.churn.serving.replicas.min", 9, 50, "defaults"),
        ("models.churn.serving.replicas.max", 15, 23, "model"),
        ("models.churn.environments.staging.serving.replicas.min", 17, 43, "environment"),
        ("models.churn.environments.staging.serving.mode", 14, 13, "model"),
        ("models.churn.environments.production.serving.compute", 9, 22, "defaults"),
        ("region", 4, 9, "file"),
        ("environments.production.account", 7, 25, "file"),
    ],
)
def test_every_written_value_knows_its_place_and_layer(path: str, line: int, column: int, source: str) -> None:
    origin = loads(LAYERS).origin(path)
    assert (origin.line, origin.column, origin.source) == (line, column, source)
    assert origin.file == "estate.yaml"


@pytest.mark.parametrize(
    "path",
    [
        "models.churn.training.timeout",
        "audit.lock",
        "network",
        "models.churn.environments.staging.gates.model.compare_to",
    ],
)
def test_a_value_that_nobody_wrote_is_built_in(path: str) -> None:
    assert loads(LAYERS).origin(path) == Origin(None, None, None, "built-in")


@pytest.mark.parametrize(
    "path", ["models.nobody", "models.churn.nothing", "nothing", "models.churn.environments.moon.owner"]
)
def test_a_path_that_leads_nowhere_has_no_origin(path: str) -> None:
    with pytest.raises(KeyError):
        loads(LAYERS).origin(path)


@pytest.mark.parametrize(
    ("head", "word", "home"),
    [
        (AWS, "account", "111111111111"),
        (GCP, "project", "acme-hub"),
        (AZURE, "subscription", "0" * 8 + "-0000-0000-0000-" + "0" * 12),
    ],
)
def test_a_home_flows_from_the_caller_to_the_estate_to_its_environments(head: str, word: str, home: str) -> None:
    bare = loads(head)
    cloud = bare.config.cloud
    assert bare.config.home is None, "nothing is invented"
    assert list(bare.config.environments) == ["production"], "one environment when none is named"
    given_home = loads(head, homes={cloud: home})
    assert given_home.config.home == home
    assert given_home.config.environments["production"].home == home
    other = {"aws": "gcp", "gcp": "azure", "azure": "aws"}[cloud]
    assert loads(head, homes={other: home}).config.home is None, "another cloud's home is none of this estate's"
    assert given_home.origin(word).source == "built-in", "no line of the file says it"
    text = head + f'{word}: "{home}"\nenvironments: {{one: {{}}, two: {{{word}: "{home[:-1]}1"}}}}\n'
    written = loads(text, homes={cloud: home[:-1] + "2"})
    assert written.config.home == home, "the file comes before the caller"
    assert written.config.environments["one"].home == home, "the estate's home is every environment's default"
    assert written.config.environments["two"].home == home[:-1] + "1"


@pytest.mark.parametrize("head", [AWS, GCP, AZURE])
def test_six_lines_are_an_estate_on_every_cloud(head: str) -> None:
    text = head + "models:\n  churn: {problem: classification}\n"
    config = loads(text).config
    assert len(text.splitlines()) == 6
    assert config.models["churn"].serving.mode == "none", "nothing bills while idle unless asked"
    assert config.network == "public"
    assert config.encryption == "provider-managed"
    assert config.tracking.server == "none"
    assert not config.features


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = "version: 2\nname: Acme\ncloud: aws\nregion: moon\n"
    text += "models:\n  churn: {problem: classes, owner: 20:00, sad: 1}\n"
    with pytest.raises(ConfigError) as raised:
        loads(text)
    assert [(each.line, each.column, each.path) for each in raised.value.problems] == [
        (1, 10, "version"),
        (2, 7, "name"),
        (4, 9, "region"),
        (6, 20, "models.churn.problem"),
        (6, 36, "models.churn.owner"),
        (6, 43, "models.churn.sad"),
    ], "syntax, types and rules are all judged in one go"


def test_a_problem_in_defaults_is_told_once_and_where_it_stands() -> None:
    text = (
        AWS
        + "defaults: {serving: {mode: realtme}}\nmodels:\n"
        + "".join(f"  m{number}: {{problem: classification}}\n" for number in range(5))
    )
    assert [path for path, _ in said(text)] == ["defaults.serving.mode"], "five models share one mistake"


ACCOUNT = 'must be text, and YAML makes the number 123456789012 of the unquoted 123456789012. Write "123456789012".'


@pytest.mark.parametrize("after", ["", "environments: {staging: {}, production: {}}\n"])
def test_a_home_that_its_environments_take_over_is_told_once_and_where_it_stands(after: str) -> None:
    assert said(AWS + "account: 123456789012\n" + after) == [("account", ACCOUNT)]
    assert said(AWS + after + "account: 123456789012\n") == [("account", ACCOUNT)], "in whichever order they stand"


def test_a_problem_in_an_anchor_is_told_once_and_not_at_its_aliases() -> None:
    text = AWS + "data:\n  datasets:\n    one: &lake {path: lake/one/, retention: 2x}\n"
    text += "    two: {<<: *lake, path: lake/two/}\n    three: {retention: 1y, path: lake/three/}\n"
    duration = "'2x' must be a duration: a whole number and one of s, m, h, d, w, y, such as 15m, 24h or 7y."
    assert said(text) == [("data.datasets.one.retention", duration)]
    text = GCP + "models:\n  a: &a {problem: classification, gates: {data: {min_rows: 1}}}\n  b: *a\n"
    assert [path for path, _ in said(text)] == ["models.a.gates"], "what is not built is written once too"


def test_a_wrong_value_does_not_hide_what_else_is_wrong_with_the_model() -> None:
    text = AWS + "models: {churn: {problem: classification, environments: {moon: {}}, serving: {mode: off-line}}}\n"
    assert {path for path, _ in said(text)} >= {"models.churn.environments.moon", "models.churn.serving.mode"}


def _levels(annotation: object) -> int:
    """How many names lead to the deepest block of settings below."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return max(
            (1 + below for each in annotation.model_fields.values() if (below := _levels(each.annotation)) >= 0),
            default=0,
        )
    inner = [_levels(each) for each in get_args(annotation)]
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return max(1 + below if below >= 0 else -1 for below in inner)
    return max(inner, default=-1)


def test_there_is_a_round_for_every_level_of_blocks() -> None:
    assert _levels(settings_of("aws").AwsEstate) == ROUNDS


def test_an_error_reads_as_place_reason_and_remedy() -> None:
    with pytest.raises(ConfigError) as raised:
        loads(AWS + "network: privte\nsad: 1\n", file="estates/one.yaml")
    assert str(raised.value) == (
        "estates/one.yaml:5:10  network\n"
        "  'privte' is not one of: private, public.\n"
        "  did you mean 'private'?\n"
        "estates/one.yaml:6:1  sad\n"
        "  'sad' means nothing here. Allowed: version, name, cloud, region, owner, tags, residency, network, "
        "encryption, ci, alerts, people, audit, promotion, data, features, tracking, defaults, models, environments, "
        "account.\n"
        "2 problems. Nothing was changed."
    )
    (first, _) = json.loads(raised.value.as_json())["problems"]
    assert first == {
        "file": "estates/one.yaml",
        "line": 5,
        "column": 10,
        "path": "network",
        "message": "'privte' is not one of: private, public.",
        "value": "'privte'",
        "allowed": ["private", "public"],
        "suggestion": "private",
    }


def test_a_misspelt_block_hides_nothing_of_what_stands_under_it() -> None:
    text = (
        AWS + "modles: {churn: {problem: classification, owner: 7, environments: {moon: {}}, training: {spot: true}}}\n"
    )
    with pytest.raises(ConfigError) as raised:
        loads(text)
    first, *rest = raised.value.problems
    assert (first.path, first.column, first.suggestion) == ("modles", 1, "models")
    assert [each.path for each in rest] == [
        "modles.churn.owner",
        "modles.churn.environments.moon",
    ], "the words under it are judged as if it were spelt right"
    assert said(AWS.replace("cloud", "clod") + "account: 1\n") == [
        ("clod", said(AWS + "clod: aws\n")[0][1]),
        ("account", said(AWS + "account: 1\n")[0][1]),
    ], "the cloud that is meant is known"


def test_what_stands_under_a_word_that_is_none_is_said_to_be_unchecked() -> None:
    (problem,) = said(AWS + "models: {churn: {problem: classification, sevring: {mode: nonsense}}}\n")
    assert problem == (
        "models.churn.sevring",
        "'sevring' means nothing here. Allowed: problem, owner, risk, automated_decision, data, training, gates, "
        "serving, monitoring, environments. What stands under it was not checked.",
    )


@pytest.mark.parametrize(
    ("word", "words", "meant"),
    [
        ("auc", ("f1", "roc_auc", "recall"), "roc_auc"),
        ("auroc", ("f1", "roc_auc"), "roc_auc"),
        ("ROC-AUC", ("f1", "roc_auc"), "roc_auc"),
        ("rocacu", ("f1", "roc_auc"), "roc_auc"),
        ("f1_score", ("f1", "recall"), "f1"),
        ("r_squared", ("mae", "r2"), "r2"),
        ("online", ("none", "batch", "realtime"), "realtime"),
        ("sagemaker", ("aws", "gcp", "azure"), "aws"),
        ("west", ("us-west-1-long", "eu-west-1-long"), None),
        ("canada", ("canadacentral", "eastus"), "canadacentral"),
        ("moon", ("production", "staging"), None),
    ],
)
def test_what_was_meant_is_found_by_spelling_by_other_names_and_by_parts(
    word: str, words: tuple[str, ...], meant: str | None
) -> None:
    """Of two words that are as likely none is named."""
    assert closest(word, words) == meant


def test_a_metric_is_suggested_for_the_problem_that_the_model_has() -> None:
    gates = "gates: {model: {auc: {min: 0.8}, rsme: {max: 1}}}"
    with pytest.raises(ConfigError) as raised:
        loads(AWS + f"models: {{churn: {{problem: classification, {gates}}}}}\n")
    suggested = {each.path.rsplit(".", 1)[-1]: each.suggestion for each in raised.value.problems}
    assert suggested == {"auc": "roc_auc", "rsme": None}, "rmse is no metric of a class"
    assert "did you mean 'roc_auc'?" in str(raised.value)


def test_a_missing_word_says_what_it_is_for() -> None:
    assert said("models: {churn: {}}\n") == [
        ("cloud", "is required and not there. The cloud: one of aws, gcp, azure."),
        (
            "name",
            "is required and not there. The name of the estate; it starts the name of every resource. Example: name: "
            "acme-risk.",
        ),
        ("region", "is required and not there. The AWS region of everything. Example: region: ca-central-1."),
        ("version", "is required and not there. The version of this file's format."),
        ("models.churn.problem", "is required and not there. What the model predicts: a class or a number."),
    ]


def test_settings_are_frozen() -> None:
    config = loads(LAYERS).config
    with pytest.raises(ValueError, match="frozen"):
        config.name = "other"  # type: ignore[misc]  # that is the point


WORDS = st.text(max_size=6) | st.sampled_from(
    [
        *("version", "name", "cloud", "region", "account", "tags", "people", "approvers", "environments", "staging"),
        *("production", "promotion", "path", "approval", "data", "datasets", "defaults", "models", "churn", "problem"),
        *("serving", "mode", "replicas", "min", "max", "rollout", "steps", "gates", "model", "roc_auc", "dataset"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, JSON, max_size=8), st.sampled_from(["aws", "gcp", "azure", None]))
def test_no_mapping_of_junk_raises_anything_but_a_config_error(junk: dict[str, object], cloud: str | None) -> None:
    """JSON is YAML, so any mapping can be written; not proved for texts that are no JSON."""
    if cloud is not None:
        junk = {"version": 1, "name": "acme", "region": "ca-central-1", **junk, "cloud": cloud}
    said(json.dumps(junk))


@given(st.text(alphabet=st.sampled_from("ab:- \n\t{}[]&*!|>'\"%@#,?~0129.e_<="), max_size=60))
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    said(text)


@given(JSON, JSON)
def test_what_the_later_layer_says_holds(base: object, over: object) -> None:
    result = merged({"value": base}, {"value": over})
    assert isinstance(result, dict)
    assert merged(result, {"value": over}) == result or repr(result) == repr(merged(result, {"value": over})), (
        "laying the same layer on again changes nothing (nan is not equal to itself, hence the text)"
    )


def test_reading_a_file_loads_neither_pulumi_nor_a_clouds_sdk(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(AWS)
    program = (
        "import sys; from pathlib import Path; from mlestate.config import load, json_schema; "
        f"load(Path({str(file)!r})); json_schema(); "
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('pulumi', 'pulumi_aws', 'pulumi_gcp', 'pulumi_azure_native', 'boto3', 'botocore', 'grpc')])"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed == "[]\n", "validation must be quick and must work without any extra"


def test_reading_a_file_loads_its_own_cloud_only(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(GCP)
    program = (
        "import sys; from pathlib import Path; from mlestate.config import load; "
        f"load(Path({str(file)!r})); "
        "print(sorted(name for name in sys.modules if name.endswith('.settings') and name.startswith('mlestate')))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed == "['mlestate.gcp.settings']\n"


@pytest.mark.parametrize("junk", ["[classification]", "{a: b}", "1", "null", "~", '""', "!!int x", "1e999", ".nan"])
def test_junk_in_one_field_leaves_the_other_problems_of_its_model_readable(junk: str) -> None:
    text = AWS + f"models: {{churn: {{problem: {junk}, gates: {{model: {{roc_acu: {{min: 0.8}}}}}}}}}}\n"
    assert {"models.churn.problem", "models.churn.gates.model.roc_acu"} <= {path for path, _ in said(text)}
