"""What SageMaker's own things do in an environment, and what each may: pipelines, jobs, models, monitors and stores.

Jobs that a pipeline starts are named by SageMaker (`pipelines-...`), so a pipeline's own prefix cannot mean them.
"""

from collections.abc import Iterable
from dataclasses import replace

from mlestate.aws.ceilings import LIFE_CYCLE, REMOVED, STATUS
from mlestate.aws.images import IMAGES
from mlestate.aws.keys import grants, uses
from mlestate.aws.model_monitor import wanted
from mlestate.aws.monitors import captures
from mlestate.aws.pipeline_jobs import token
from mlestate.aws.policies import Statement, allow, deny
from mlestate.aws.reach import Reach
from mlestate.aws.registry import PULL
from mlestate.aws.rights import (
    READ,
    WRITE,
    catalogue,
    disks,
    folder,
    network,
    own_key,
    pass_on,
    pull,
    read,
    read_data_keys,
    read_runs,
    tell,
    tell_people,
    track,
    unstamped,
)
from mlestate.config.model import Model

__all__ = ["features", "inference", "monitoring", "pipeline", "register", "tracking", "training"]

TRACKED = "mlflow/"
"""Where in the bucket of artifacts MLflow keeps the files of runs."""

JOBS = ("processing-job", "training-job", "transform-job")

MONITORED = ("aws/sagemaker/Endpoints/*", "aws/sagemaker/ModelMonitoring/*", "/aws/sagemaker/Endpoints/*")
"""Namespaces that Model Monitor writes to (SageMaker developer guide, "CloudWatch metrics for Model Monitor"); the
estate's own monitor writes its numbers into its log."""


def pipeline(reach: Reach) -> list[Statement]:
    """Starts the jobs of a pipeline, judges what they wrote, and registers; never approves."""
    jobs = [reach.here.arn("sagemaker", f"{kind}/pipelines-*") for kind in JOBS]
    return [
        allow(
            "RunJobs",
            [
                "sagemaker:AddTags",
                *(
                    f"sagemaker:{verb}{kind}Job"
                    for verb in ("Create", "Describe", "Stop")
                    for kind in ("Processing", "Training", "Transform")
                ),
            ],
            jobs,
        ),
        pass_on(reach, "RunThemAsTheModels", "*-training", "sagemaker"),
        *register(reach),
        *read(reach, "artifacts"),
        *uses("ReadWhatWasWritten", reach.encryption, [(reach.here, "models")], ["kms:Decrypt"], ["s3"]),
        *disks(reach),
    ]


def register(reach: Reach) -> list[Statement]:
    """Makes versions that wait for approval, and none that is approved already or says that it has been somewhere."""
    pending = {STATUS: "PendingManualApproval"}
    unmarked = {key: word for key, word in unstamped(reach).items() if key != REMOVED}
    return [
        allow(
            "RegisterForApproval",
            ["sagemaker:CreateModelPackage"],
            [reach.groups, reach.versions],
            {"StringEquals": pending, "Null": {LIFE_CYCLE[0]: "true", **unmarked}},
        ),
        allow("ReadGroups", "sagemaker:DescribeModelPackageGroup", reach.groups),
        allow(
            "ReadVersions",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            reach.versions,
        ),
        deny("NeverRegisterApproved", "sagemaker:CreateModelPackage", "*", {"StringNotEqualsIfExists": pending}),
        deny("NeverApprove", "sagemaker:UpdateModelPackage", "*"),
    ]


def training(reach: Reach, name: str, model: Model) -> list[Statement]:
    """Reads its data, writes its model and its reports below its runs alone, and tells the experiment tracker.

    What the release puts beside the runs (the champion, its baselines) and what the estate's file says (the settings)
    is not a run's to change.
    """
    own = [f"labels/{name}/", *([reach.datasets[model.data.dataset]] if model.data.dataset else [])]
    return [
        allow("ReadRaw", READ, [reach.folder("raw", prefix) for prefix in own]),
        allow(
            "ListRaw", "s3:ListBucket", reach.stores("raw"), {"StringLike": {"s3:prefix": [f"{each}*" for each in own]}}
        ),
        *read(reach, "curated"),
        allow("UseArtifacts", READ, [reach.folder("artifacts", each) for each in (f"{name}/", TRACKED)]),
        allow("WriteRuns", WRITE, [reach.folder("artifacts", each) for each in (f"{name}/runs/", TRACKED)]),
        allow(
            "ListArtifacts",
            "s3:ListBucket",
            reach.stores("artifacts"),
            {"StringLike": {"s3:prefix": [f"{name}/*", f"{TRACKED}*"]}},
        ),
        allow("FindArtifacts", "s3:GetBucketLocation", reach.stores("artifacts")),
        *pull(reach, name),
        *tell(reach, "ProcessingJobs", "TrainingJobs", "TransformJobs"),
        allow(
            "ReadFeatures",
            ["sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup", "sagemaker:GetRecord"],
            reach.machines("feature-group"),
        ),
        allow("ReadTables", ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], catalogue(reach)),
        allow(
            "CompareWithTheChampion",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            reach.hub.arn("sagemaker", f"model-package/{reach.hub.physical('model-package-group', name)}/*"),
        ),
        *track(reach),
        *_tracker(reach),
        *read_data_keys(reach),
        *own_key(reach),
        *disks(reach),
        *network(reach),
    ]


def _tracker(reach: Reach) -> list[Statement]:
    """The key to a tracking server of the user's own. Under the key that AWS manages for Systems Manager it is open to
    whoever may read it (Systems Manager user guide, "SecureString parameter")."""
    kept = reach.here.arn("ssm", f"parameter{token(reach.here)}")
    return [allow("ReadTheTrackersKey", "ssm:GetParameter", kept)] if reach.own_tracker else []


def inference(reach: Reach, name: str, model: Model) -> list[Statement]:
    """Reads its own artifacts, answers, and says what it answered where that is kept.

    A version is tried by a batch transform before it gets traffic, in whichever mode, and the first one is served from
    where it was trained.
    """
    serving = model.serving
    kept = serving.mode == "async" or captures(model)
    told = {"batch": [], "none": []}.get(serving.mode, [f"Endpoints/{_endpoint(reach, name)}"])
    return [
        *folder(reach, "artifacts", f"{name}/", write=False),
        *pull(reach, name),
        *own_key(reach),
        *network(reach),
        *(
            [
                *read_runs(reach, reach.others, name),
                allow("WriteWhatItAnswers", WRITE, reach.folder("capture", f"{name}/" if kept else f"{name}/trials/")),
                *tell(reach, *told, "TransformJobs"),
            ]
            if serving.mode != "none"
            else []
        ),
        *{"batch": _scores, "async": _answers_later}.get(serving.mode, _nothing_more)(reach, name, model),
    ]


def _scores(reach: Reach, name: str, model: Model) -> list[Statement]:
    """What a batch run reads and writes besides."""
    dataset = reach.datasets.get(model.data.dataset or "", "")
    source, target = model.serving.input or dataset, model.serving.output or f"predictions/{name}/"
    encryption, here = reach.encryption, reach.here
    return [
        *folder(reach, "raw", source.lstrip("/"), write=False),
        allow("WriteScores", WRITE, reach.folder("curated", target.lstrip("/"))),
        *uses("UseTheKeyOfData", encryption, [(here, "data")], ["kms:Decrypt", "kms:GenerateDataKey"], ["s3"]),
    ]


def _answers_later(reach: Reach, name: str, model: Model) -> list[Statement]:
    """Says when an answer lies ready."""
    return [
        allow("ReadRequests", READ, reach.folder("capture", f"{name}/")),
        *tell_people(reach),
    ]


def _nothing_more(reach: Reach, name: str, model: Model) -> list[Statement]:
    return []


def _endpoint(reach: Reach, name: str) -> str:
    return reach.here.physical("endpoint", name)


def monitoring(reach: Reach) -> list[Statement]:
    """Compares what endpoints were asked and answered with what was learnt, and writes the numbers into its log."""
    clarify = any(wanted(model) for model in reach.models.values())
    scores = any(model.serving.mode == "batch" for model in reach.models.values())
    return [
        *read(reach, "raw"),
        *read(reach, "capture"),
        *read(reach, "artifacts"),
        # What a batch run answered lies among the tables.
        *(read(reach, "curated") if scores else []),
        allow("WriteReports", WRITE, reach.folder("artifacts", "*/monitoring/")),
        # The containers that AWS gives lie in accounts of its own, another in each region.
        allow("PullTheContainersOfAws", PULL, _containers(reach, IMAGES if clarify else ["scikit-learn"])),
        allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
        *(_ask_a_copy(reach) if clarify else []),
        *tell(reach, "ProcessingJobs", metrics=MONITORED),
        *uses("ReadData", reach.encryption, [(reach.here, "data")], ["kms:Decrypt"], ["s3"]),
        *own_key(reach),
        *disks(reach),
        *network(reach),
    ]


def _containers(reach: Reach, names: Iterable[str]) -> list[str]:
    found = []
    for repository, accounts in (IMAGES[name] for name in names):
        if account := accounts.get(reach.here.region):
            place = replace(reach.here, home=account)
            found.append(place.arn("ecr", f"repository/{repository.partition(':')[0]}"))
    return found


def _ask_a_copy(reach: Reach) -> list[Statement]:
    """Clarify asks a copy of the model in an endpoint that it makes for the time (SageMaker developer guide, "Configure
    a SageMaker Clarify Processing Job")."""
    return [
        allow(
            "AskACopy",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:InvokeEndpoint",
            ],
            [reach.here.arn("sagemaker", f"{kind}/sm-clarify-*") for kind in ("endpoint", "endpoint-config")],
        ),
        allow("ReadModels", "sagemaker:DescribeModel", reach.machines("model")),
        allow(
            "ReadEndpoints",
            ["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"],
            reach.machines("endpoint", "endpoint-config"),
        ),
    ]


def features(reach: Reach) -> list[Statement]:
    """Writes the offline store of feature groups and its tables (AWS managed policy
    AmazonSageMakerFeatureStoreAccess)."""
    return [
        *folder(reach, "curated", "features/"),
        allow("HandThemOver", "s3:PutObjectAcl", reach.folder("curated", "features/")),
        allow("FindTheBucket", "s3:GetBucketAcl", reach.stores("curated")),
        allow(
            "KeepTables",
            ["glue:CreateTable", "glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"],
            catalogue(reach),
        ),
        *uses(
            "UseTheKeyOfFeatures",
            reach.encryption,
            [(reach.here, "features")],
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            None,
        ),
        *uses(
            "UseTheKeyOfData", reach.encryption, [(reach.here, "data")], ["kms:Decrypt", "kms:GenerateDataKey"], ["s3"]
        ),
        *grants("LendTheKeyOfFeatures", reach.encryption, [(reach.here, "features")]),
    ]


def tracking(reach: Reach) -> list[Statement]:
    """Keeps the files of experiments."""
    return [
        *folder(reach, "artifacts", TRACKED),
        *own_key(reach),
    ]
