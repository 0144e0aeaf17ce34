"""AWS: the training pipeline as a SageMaker pipeline definition.

Proved against AWS's published API model and schema rules. What the service adds to them (limits of an account, a region
without an instance type) only a real account shows.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlestate.aws.pipeline_definition import definition
from mlestate.aws.pipeline_jobs import Surroundings
from mlestate.config.base import Duration, Threshold
from mlestate.config.hatch import AwsTraining
from mlestate.config.model import Fairness, Gates, Model, ModelGates, Training
from mlestate.local.aws_pipeline import operations, validate_definition
from tests.aws.api_model import refusals

KEY = "arn:aws:kms:ca-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"
PUBLIC = Surroundings(
    environment="staging",
    folder="s3://risk-staging-artifacts-abcdef/churn",
    image="111111111111.dkr.ecr.ca-central-1.amazonaws.com/risk-hub-churn",
    group="arn:aws:sagemaker:ca-central-1:111111111111:model-package-group/risk-hub-churn",
    role="arn:aws:iam::222222222222:role/mlestate/risk/risk-staging-churn-training",
    subnets=(),
    firewalls=(),
    key=None,
    tracking="",
    experiment="risk-staging-churn",
    token="/mlestate-secrets/risk/staging/tracking",
    tags={"estate": "risk", "model": "churn"},
)
PRIVATE = replace(
    PUBLIC,
    subnets=("subnet-0a1b2c3d", "subnet-4e5f6a7b"),
    firewalls=("sg-0a1b2c3d",),
    key=KEY,
    tracking="arn:aws:sagemaker:ca-central-1:222222222222:mlflow-app/app-abc",
)

PLAIN = Model(problem="classification")
FULL = Model(
    problem="classification",
    automated_decision=True,
    training=Training(
        compute="gpu-small", instances=2, spot=True, timeout=Duration.parse("3h"), volume_gb=200, image="1.4"
    ),
    gates=Gates(
        model=ModelGates(roc_auc=Threshold(min=0.8), log_loss=Threshold(max=0.4), custom={"lift": Threshold(min=2.0)}),
        fairness=Fairness(attribute="province", max_disparity=0.1),
    ),
)
CASES = [(PLAIN, PUBLIC), (PLAIN, PRIVATE), (FULL, PUBLIC), (FULL, PRIVATE)]


def steps(model: Model = PLAIN, around: Surroundings = PUBLIC) -> dict[str, Any]:
    """The steps by name, those behind the gates too."""
    document = json.loads(definition("churn", model, around))
    gates = next(step for step in document["Steps"] if step["Type"] == "Condition")
    branches = [*gates["Arguments"]["IfSteps"], *gates["Arguments"]["ElseSteps"]]
    return {step["Name"]: step for step in [*document["Steps"], *branches]}


def jobs(model: Model = PLAIN, around: Surroundings = PUBLIC) -> dict[str, dict[str, Any]]:
    """The arguments of the steps that run a job, by name."""
    return {
        name: step["Arguments"]
        for name, step in steps(model, around).items()
        if step["Type"] in ("Processing", "Training")
    }


def machines(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = arguments.get("ResourceConfig") or arguments["ProcessingResources"]["ClusterConfig"]
    return found


def network(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = arguments.get("NetworkConfig", arguments)
    return found


def everything(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


@pytest.mark.parametrize(("model", "around"), CASES)
def test_sagemaker_finds_nothing_to_refuse_in_a_definition(model: Model, around: Surroundings) -> None:
    assert validate_definition(definition("churn", model, around)) == []


@pytest.mark.parametrize(("model", "around"), CASES)
def test_the_arguments_of_every_step_are_what_the_api_takes(model: Model, around: Surroundings) -> None:
    made = list(operations(definition("churn", model, around)))
    assert [operation for _, operation, _ in made] == [
        "CreateProcessingJob",
        "CreateProcessingJob",
        "CreateTrainingJob",
        "CreateProcessingJob",
        "CreateProcessingJob",
        "CreateModelPackage",
    ]
    for name, operation, arguments in made:
        assert refusals("sagemaker", operation, arguments) == [], f"CreatePipeline refuses step {name}"


def test_the_api_s_model_refuses_what_no_type_shows() -> None:
    (name, operation, arguments), *_ = operations(definition("churn", PLAIN, PUBLIC))
    broken = json.loads(json.dumps(arguments).replace("ml.m5.xlarge", "ml.m5.huge").replace(PUBLIC.role, "someone"))
    found = refusals("sagemaker", operation, broken)
    assert [each for each in found if "not in its enum" in each], f"{name} on a machine that there is not"
    assert [each for each in found if "does not match" in each], f"{name} as nobody"


def test_an_unchanged_definition_is_the_same_text() -> None:
    """A definition is compared as a text by Pulumi, so that one blank more is a change of everything."""
    text = definition("churn", FULL, PRIVATE)
    assert text == definition("churn", FULL, PRIVATE)
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_a_model_is_registered_for_approval_and_in_no_other_way() -> None:
    for model, around in CASES:
        text = definition("churn", model, around)
        assert text.count('"ModelApprovalStatus":"PendingManualApproval"') == text.count("ModelApprovalStatus") == 1
        gates = steps(model, around)["gates"]["Arguments"]
        assert [step["Name"] for step in gates["IfSteps"]] == ["register"], "the registry stands behind the gates alone"
        assert [step["Type"] for step in gates["ElseSteps"]] == ["Fail"], "a run that registers nothing is no success"


def test_the_numbers_are_held_against_the_bounds_of_the_file_once_more() -> None:
    conditions = steps(FULL)["gates"]["Arguments"]["Conditions"]
    read = {each["LeftValue"]["Std:JsonGet"]["Path"]: (each["Type"], each["RightValue"]) for each in conditions}
    assert read == {
        "passed": ("Equals", True),
        "metrics.roc_auc": ("GreaterThanOrEqualTo", 0.8),
        "metrics.log_loss": ("LessThanOrEqualTo", 0.4),
        "metrics.lift": ("GreaterThanOrEqualTo", 2.0),
        "fairness.disparity": ("LessThanOrEqualTo", 0.1),
    }
    sources = {
        each["LeftValue"]["Std:JsonGet"]["Path"]: each["LeftValue"]["Std:JsonGet"]["PropertyFile"]
        for each in conditions
    }
    assert sources["passed"] == {"Get": "Steps.check-model.PropertyFiles.report"}
    assert sources["metrics.roc_auc"] == {"Get": "Steps.evaluate.PropertyFiles.evaluation"}


def test_no_step_is_answered_from_a_cache() -> None:
    for name, step in steps(FULL, PRIVATE).items():
        assert "CacheConfig" not in step, f"{name}: a gate that was passed yesterday says nothing of today"


def test_a_container_that_failed_is_not_tried_again() -> None:
    retried = {
        exception
        for step in steps(FULL).values()
        for each in step.get("RetryPolicies", ())
        for exception in each["ExceptionType"]
    }
    assert retried == {
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
    }, "none of these is a job whose own container ended with an error, as one does whose gate did not pass"


def test_every_job_stands_in_the_private_network_and_under_the_key() -> None:
    for name, arguments in jobs(PLAIN, PRIVATE).items():
        assert network(arguments)["VpcConfig"] == {
            "Subnets": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
            "SecurityGroupIds": ["sg-0a1b2c3d"],
        }, name
        assert machines(arguments)["VolumeKmsKeyId"] == KEY, name
        output = arguments.get("OutputDataConfig") or arguments["ProcessingOutputConfig"]
        assert output["KmsKeyId"] == KEY, name
        assert network(arguments)["EnableInterContainerTrafficEncryption"] is True, name
    for name, arguments in jobs(PLAIN, PUBLIC).items():
        assert "VpcConfig" not in network(arguments), name
        assert KEY not in json.dumps(arguments), name


def test_a_machine_with_disks_of_its_own_takes_no_volume_key() -> None:
    """SageMaker refuses a volume key for instance types with NVMe disks: g5 has them, m5 has not."""
    found = jobs(FULL, PRIVATE)
    assert machines(found["train"])["InstanceType"] == "ml.g5.xlarge"
    assert "VolumeKmsKeyId" not in machines(found["train"])
    assert "VolumeKmsKeyId" not in machines(found["evaluate"])
    assert machines(found["ingest"])["VolumeKmsKeyId"] == KEY


def test_only_what_calls_out_has_a_network() -> None:
    open_public = {name for name, each in jobs(PLAIN, PUBLIC).items() if not network(each)["EnableNetworkIsolation"]}
    assert open_public == {"ingest"}, "it goes to the data where they lie"
    open_tracked = {name for name, each in jobs(PLAIN, PRIVATE).items() if not network(each)["EnableNetworkIsolation"]}
    assert open_tracked == {"ingest", "train", "evaluate"}, "these two tell the tracking server what they measured"


def test_runs_are_recorded_where_the_estate_tracks_them() -> None:
    for name in ("train", "evaluate"):
        told = jobs(PLAIN, PRIVATE)[name]["Environment"]
        assert told["MLFLOW_TRACKING_URI"] == PRIVATE.tracking
        assert told["MLFLOW_EXPERIMENT_NAME"] == "risk-staging-churn"
    assert "MLFLOW" not in definition("churn", PLAIN, PUBLIC)


def test_spot_training_keeps_checkpoints_and_gives_up_in_the_end() -> None:
    train = jobs(FULL)["train"]
    assert train["EnableManagedSpotTraining"] is True
    assert train["StoppingCondition"] == {"MaxRuntimeInSeconds": 10800, "MaxWaitTimeInSeconds": 21600}
    assert train["CheckpointConfig"]["S3Uri"]["Std:Join"]["Values"][-1] == "checkpoints"
    long = Model(problem="regression", training=Training(timeout=Duration.parse("20d"), spot=True))
    assert jobs(long)["train"]["StoppingCondition"]["MaxWaitTimeInSeconds"] == 28 * 86400, "the longest there is"
    plain = jobs(PLAIN)["train"]
    assert not {"EnableManagedSpotTraining", "CheckpointConfig"} & plain.keys()
    assert plain["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200}


def test_a_long_training_leaves_the_other_jobs_within_what_processing_allows() -> None:
    """SageMaker's default quota for processing jobs is five days; trainings may be longer."""
    found = jobs(Model(problem="regression", training=Training(timeout=Duration.parse("20d"))))
    assert found["train"]["StoppingCondition"] == {"MaxRuntimeInSeconds": 20 * 86400}
    assert found["evaluate"]["StoppingCondition"] == {"MaxRuntimeInSeconds": 5 * 86400}


def test_the_file_s_machines_are_those_of_the_training() -> None:
    found = jobs(FULL)
    assert machines(found["train"]) == {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 200}
    assert machines(found["ingest"])["InstanceType"] == "ml.m5.2xlarge", "no GPU stands idle while data are read"
    assert machines(found["evaluate"])["InstanceCount"] == 1
    own = Model(problem="classification", training=Training(aws=AwsTraining(instance_type="ml.p4d.24xlarge")))
    assert machines(jobs(own)["train"])["InstanceType"] == "ml.p4d.24xlarge"
    assert machines(jobs(own)["evaluate"])["InstanceType"] == "ml.m5.xlarge", "processing jobs know no p4d"


def test_a_run_writes_where_no_other_run_writes() -> None:
    for name, arguments in jobs(FULL).items():
        places = [
            each["S3Uri"]
            for each in everything(arguments.get("ProcessingOutputConfig", {}))
            if isinstance(each, dict) and "S3Uri" in each
        ]
        places += [arguments[key]["S3OutputPath"] for key in ("OutputDataConfig",) if key in arguments]
        assert places, name
        for place in places:
            assert {"Get": "Execution.PipelineExecutionId"} in place["Std:Join"]["Values"], name


def test_the_training_job_is_given_no_holdout() -> None:
    assert [channel["ChannelName"] for channel in jobs()["train"]["InputDataConfig"]] == ["settings", "train"]


def test_a_version_says_what_made_it() -> None:
    """What a reviewer asks of a version in the registry: run, commit, data, settings, who or what started it."""
    register = steps(FULL)["register"]["Arguments"]
    assert register["MetadataProperties"] == {
        "CommitId": {"Get": "Parameters.Commit"},
        "Repository": {"Get": "Parameters.Repository"},
        "GeneratedBy": {"Get": "Execution.PipelineExecutionArn"},
    }
    assert set(register["CustomerMetadataProperties"]) == {
        *("environment", "run", "trigger", "image-tag", "data-from", "data-to", "manifest", "settings")
    }
    manifest = register["CustomerMetadataProperties"]["manifest"]["Std:Join"]["Values"]
    assert manifest == [
        {"Get": "Steps.ingest.ProcessingOutputConfig.Outputs['manifest'].S3Output.S3Uri"},
        "manifest.json",
    ]


def test_a_version_carries_the_baselines_that_its_monitors_read() -> None:
    plain, full = (steps(model)["register"]["Arguments"] for model in (PLAIN, FULL))
    assert set(plain["DriftCheckBaselines"]) == set(plain["ModelMetrics"]) == {"ModelDataQuality", "ModelQuality"}
    assert (
        set(full["DriftCheckBaselines"])
        == set(full["ModelMetrics"])
        == {*("ModelDataQuality", "ModelQuality", "Bias", "Explainability")}
    ), "fairness asks for a report on bias, an automated decision for one on its reasons"


def test_a_version_is_tried_with_what_its_own_run_wrote() -> None:
    outputs = jobs()["evaluate"]["ProcessingOutputConfig"]["Outputs"]
    places = {each["OutputName"]: each["S3Output"]["S3Uri"]["Std:Join"]["Values"] for each in outputs}
    run = [f"{PUBLIC.folder}/runs", {"Get": "Execution.PipelineExecutionId"}, "evaluate"]
    assert places == {name: [*run, name] for name in ("evaluation", "baselines", "examples")}


def test_a_version_in_a_group_has_no_tags() -> None:
    """SageMaker refuses tags on the versions of a group; the jobs have them."""
    assert "Tags" not in steps()["register"]["Arguments"]
    for name, arguments in jobs().items():
        assert arguments["Tags"] == [{"Key": "estate", "Value": "risk"}, {"Key": "model", "Value": "churn"}], name


def test_whoever_starts_a_run_names_the_image_unless_the_file_does() -> None:
    parameters = {each["Name"]: each for each in json.loads(definition("churn", PLAIN, PUBLIC))["Parameters"]}
    assert "DefaultValue" not in parameters["ImageTag"], "a guess would train with something"
    named = {each["Name"]: each for each in json.loads(definition("churn", FULL, PUBLIC))["Parameters"]}
    assert named["ImageTag"]["DefaultValue"] == "1.4"
    assert set(parameters) == {"ImageTag", "Commit", "Repository", "Trigger", "DataFrom", "DataTo"}


def test_jobs_have_the_names_that_the_pipelines_service_gives_them() -> None:
    """`pipelines-<execution>-<step>-...`: a name of one's own would be taken by the first run."""
    for name, arguments in jobs().items():
        assert not {"ProcessingJobName", "TrainingJobName"} & arguments.keys(), name


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Training,
        compute=st.sampled_from(["cpu-small", "cpu-medium", "cpu-large", "gpu-small", "gpu-large"]),
        instances=st.integers(1, 20),
        volume_gb=st.integers(1, 16384),
        timeout=st.sampled_from(["1s", "90m", "6d", "28d"]).map(Duration.parse),
        spot=st.booleans(),
        image=st.none()
        | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True).filter(lambda tag: tag != "latest"),
    ),
    st.none() | st.builds(Fairness, attribute=st.just("province"), max_disparity=st.floats(0, 1)),
    st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,62}", fullmatch=True),
        st.builds(Threshold, min=st.floats(-1e6, 1e6), max=st.none() | st.floats(1e6, 1e9)),
        max_size=5,
    ),
    st.booleans(),
    st.sampled_from([PUBLIC, PRIVATE]),
)
def test_whatever_the_file_says_comes_out_as_sagemaker_takes_it(
    training: Training, fairness: Fairness | None, custom: dict[str, Threshold], automated: bool, around: Surroundings
) -> None:
    gates = Gates(model=ModelGates(custom=custom), fairness=fairness)
    model = Model(problem="classification", training=training, gates=gates, automated_decision=automated)
    text = definition("churn", model, around)
    assert validate_definition(text) == []
    for name, operation, arguments in operations(text):
        assert refusals("sagemaker", operation, arguments) == [], name


def test_a_definition_with_every_gate_there_is_fits_inline() -> None:
    many = {f"metric_{number}": Threshold(min=0.5, max=0.9) for number in range(100)}
    model = Model(problem="classification", gates=Gates(model=ModelGates(custom=many)))
    assert validate_definition(definition("churn", model, PRIVATE)) == []
