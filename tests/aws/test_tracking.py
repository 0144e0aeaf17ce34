"""AWS: where runs are recorded, with a server, without one, or elsewhere."""

import json
from pathlib import Path

import pytest

from mlestate.aws.settings import KNOWN_REGIONS
from mlestate.aws.tracking import APP_REGIONS
from mlestate.blueprint.inventory import Row
from mlestate.config import ConfigError, loads
from mlestate.local.session import rehearse
from tests.config.said import AWS, at_mark

from .conftest import Recorded, actions, all_of, one, statements
from .estates import MINIMAL
from .iam import glob

MANAGED = (
    MINIMAL + "tracking: {server: managed, size: medium}\nenvironments: {staging: {}, production: {protect: true}}\n"
)
ELSEWHERE = MINIMAL + "tracking: {server: external, uri: 'https://mlflow.acme.example/ml'}\n"


def _part(rows: list[Row], environment: str = "production") -> Row:
    return next(row for row in rows if row.type == "mlestate:aws:Tracking" and environment in row.name)


def test_runs_are_recorded_without_a_server_and_without_a_bill(estate: Recorded) -> None:
    rows = estate(MINIMAL)
    app = one(rows, "sagemaker:MlflowApp", "tracking-app")
    artifacts = one(rows, "s3:Bucket", "data-artifacts").inputs["bucket"]
    assert app.inputs["artifactStoreUri"] == f"s3://{artifacts}/mlflow/"
    assert app.inputs["tags"]["environment"] == "production"
    assert _part(rows).outputs["uri"] == app.outputs["arn"], "MLflow's client reads the ARN"
    assert not all_of(rows, "sagemaker:MlflowTrackingServer"), "a server bills by the hour from its birth on"


def test_mlflow_registers_no_model_past_the_gates(estate: Recorded) -> None:
    app = one(estate(MINIMAL), "sagemaker:MlflowApp", "tracking-app").inputs
    assert app["modelRegistrationMode"] == "AutoModelRegistrationDisabled"
    server = one(estate(MANAGED), "sagemaker:MlflowTrackingServer", "staging-tracking-server").inputs
    assert server["automaticModelRegistration"] is False


def test_an_app_is_not_made_the_default_of_everybody_in_the_account(estate: Recorded) -> None:
    assert one(estate(MINIMAL), "sagemaker:MlflowApp", "tracking-app").inputs["accountDefaultStatus"] == "DISABLED"


def test_a_region_without_serverless_mlflow_gets_none(estate: Recorded) -> None:
    rows = estate(MINIMAL.replace("ca-central-1", "ca-west-1"))
    assert not all_of(rows, "sagemaker:MlflowApp")
    assert _part(rows).outputs["uri"] == "", "SageMaker's own record of its jobs is all there is"
    assert set(KNOWN_REGIONS) >= APP_REGIONS


def test_a_network_of_ones_own_gets_no_app_that_it_could_not_reach(estate: Recorded) -> None:
    """AWS names no private way to an app; a job that waits for one would fail after it has trained."""
    rows = estate(MINIMAL + "network: private\n")
    assert not all_of(rows, "sagemaker:MlflowApp")
    assert _part(rows).outputs["uri"] == ""


def test_a_server_has_the_size_of_the_file_and_a_name_that_others_compute(estate: Recorded) -> None:
    rows = estate(MANAGED)
    server = one(rows, "sagemaker:MlflowTrackingServer", "staging-tracking-server")
    assert server.inputs["trackingServerSize"] == "Medium"
    assert server.inputs["trackingServerName"] == "acme-staging-tracking"
    assert _part(rows, "staging").outputs["uri"] == server.outputs["arn"]
    assert not all_of(rows, "sagemaker:MlflowApp"), "one place to compare runs, not two"


def test_an_upgrade_by_aws_does_not_replace_a_server_with_an_empty_one(estate: Recorded) -> None:
    """aws/amazon-sagemaker-feedback#150: the version drifts, and another version is another server."""
    rows = estate(MANAGED)
    options = one(rows, "sagemaker:MlflowTrackingServer", "production-tracking-server").options
    assert options["ignoreChanges"] == ["mlflowVersion"]
    assert options["protect"] is True
    assert "protect" not in one(rows, "sagemaker:MlflowTrackingServer", "staging-tracking-server").options


def test_a_server_is_given_the_half_hour_that_it_takes(tmp_path: Path) -> None:
    """terraform-provider-aws#41436."""
    file = tmp_path / "estate.yaml"
    file.write_text(MANAGED)
    state = rehearse(file).state.export()["deployment"]["resources"]
    times = [each["customTimeouts"] for each in state if each["type"].endswith(":MlflowTrackingServer")]
    assert times == [{"create": 3600, "update": 3600, "delete": 3600}] * 2


def test_mlflow_waits_for_the_policy_of_its_identity(estate: Recorded) -> None:
    for text, kind, name in (
        (MINIMAL, "MlflowApp", "production-tracking-app"),
        (MANAGED, "MlflowTrackingServer", "production-tracking-server"),
    ):
        rows = estate(text)
        row = one(rows, f"sagemaker:{kind}", name)
        assert row.inputs["roleArn"] == one(rows, "iam:Role", "production-access-tracking").outputs["arn"]
        assert one(rows, "iam:RolePolicy", "production-access-tracking").urn in row.dependencies


def test_a_server_of_ones_own_is_used_and_nothing_is_made(estate: Recorded) -> None:
    rows = estate(ELSEWHERE)
    assert not all_of(rows, "sagemaker:MlflowApp")
    assert not all_of(rows, "sagemaker:MlflowTrackingServer")
    assert _part(rows).outputs["uri"] == "https://mlflow.acme.example/ml"


def test_training_runs_are_told_where_to_record(estate: Recorded) -> None:
    definition = next(iter(all_of(estate(ELSEWHERE), "sagemaker:Pipeline").values())).inputs["pipelineDefinition"]
    assert '"MLFLOW_TRACKING_URI":"https://mlflow.acme.example/ml"' in definition


def test_only_a_run_reads_the_key_to_a_server_of_ones_own(estate: Recorded) -> None:
    """The key of a W&B or of an MLflow with a password is kept by a person; no file and no state ever has it."""
    rows, kept = estate(ELSEWHERE), "/mlestate-secrets/acme/production/tracking"
    definition = next(iter(all_of(rows, "sagemaker:Pipeline").values())).inputs["pipelineDefinition"]
    told = [json.loads(definition)["Steps"][index]["Arguments"]["Environment"] for index in range(5)]
    assert [each.get("MLESTATE_TRACKING_TOKEN") for each in told] == [None, None, kept, kept, None]
    account = one(rows, "iam:Role", "churn-training").outputs["arn"].split(":")[4]
    readers = {
        row.name
        for row in all_of(rows, "iam:RolePolicy").values()
        for said in statements(row.inputs["policy"]).values()
        if any(glob(each, "ssm:GetParameter") for each in actions(said))
        and any(glob(each, f"arn:aws:ssm:ca-central-1:{account}:parameter{kept}") for each in _listed(said["Resource"]))
    }
    assert readers == {"acme-production-access-churn-training"}
    elsewhere = [row.inputs["policy"] for row in all_of(estate(MINIMAL), "iam:RolePolicy").values()]
    assert not [policy for policy in elsewhere if "mlestate-secrets" in policy], "AWS's own MLflow asks for no key"
    definition = next(iter(all_of(estate(MINIMAL), "sagemaker:Pipeline").values())).inputs["pipelineDefinition"]
    assert "MLESTATE_TRACKING_TOKEN" not in definition


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


BAD = {
    "an address without a server of one's own": (
        "tracking: {uri: «'https://mlflow.acme.example'}\n",
        (
            "tracking.uri",
            "'https://mlflow.acme.example' is a server of yours, and tracking.server is none. Write server: external, "
            "or remove the line.",
        ),
    ),
    "a server of one's own that is nowhere": (
        "tracking: {server: «external}\n",
        (
            "tracking.server",
            "'external' is a server of yours, and tracking.uri does not say where. Add it, such as "
            "uri: https://mlflow.acme.example.",
        ),
    ),
    "a server that a private network does not reach": (
        "network: private\ntracking: {server: «external, uri: 'https://mlflow.acme.example'}\n",
        (
            "tracking.server",
            "'external' cannot be reached: from network: private nothing leads out. Use managed, or network: "
            "{existing: ...} with a way to the server.",
        ),
    ),
    "a size of no server": (
        "tracking: {size: «large}\n",
        (
            "tracking.size",
            "'large' is the size of a managed server, and tracking.server is none. Write server: managed, which bills "
            "while idle, or remove the line.",
        ),
    ),
    "a model in the folder of the runs": (
        "models: {«mlflow: {problem: regression}}\n",
        ("models.mlflow", "'mlflow' is where runs leave their files beside the models'. Rename the model."),
    ),
    "an address in the clear": (
        "tracking: {server: external, uri: «'http://mlflow.acme.example'}\n",
        (
            "tracking.uri",
            "must be an https address without a question mark, such as https://mlflow.acme.example",
        ),
    ),
}


@pytest.mark.parametrize(("marked", "expected"), BAD.values(), ids=BAD)
def test_a_server_that_cannot_be_is_refused_with_the_way_out(marked: str, expected: tuple[str, str]) -> None:
    path, sentence = expected
    assert [(each, said) for each, said in at_mark(AWS + marked) if each == path and sentence in said], at_mark(
        AWS + marked
    )


def test_a_password_in_an_address_is_refused_and_not_said_again() -> None:
    with pytest.raises(ConfigError) as refused:
        loads(AWS + "tracking: {server: external, uri: 'https://ana:hunter2@mlflow.acme.example'}\n")
    (problem,) = refused.value.problems
    assert problem.path == "tracking.uri"
    assert problem.message.startswith("holds a user or a password")
    assert "hunter2" not in str(refused.value) + refused.value.as_json()
