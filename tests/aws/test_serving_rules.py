"""AWS: what of serving, of its network and of raw arguments is refused in the file itself."""

import pytest

from tests.config.said import AWS, at_mark, said

CHURN = "models:\n  churn:\n    problem: classification\n"
IN_BATCH = AWS + "data: {datasets: {tx: {path: lake/tx/, format: iceberg}}}\n" + CHURN

CASES: dict[str, tuple[str, str, str]] = {
    # what: the file with its mark, the path, the sentences
    "a serverless endpoint in a network": (
        AWS + "network: private\n" + CHURN + "    serving: {mode: «serverless}\n",
        "models.churn.serving.mode",
        "'serverless' cannot be kept in a network: SageMaker's serverless endpoints join none. Use realtime, or async "
        "with replicas: {min: 0, max: 1}, which costs nothing while idle; or network: public.",
    ),
    "a batch run with nothing to read": (
        AWS + CHURN + "    serving: {mode: «batch}\n",
        "models.churn.serving.mode",
        "'batch' reads files, and this model names none. Add serving.input, the folder that holds them, or "
        "data.dataset.",
    ),
    "a batch run over a table": (
        IN_BATCH + "    data: {dataset: tx}\n    serving: {mode: «batch}\n",
        "models.churn.serving.mode",
        "'batch' reads files, and the dataset tx is a table (iceberg), whose files a transform cannot take for "
        "records. Use a dataset of parquet, csv or json.",
    ),
    "a batch run on days of two kinds": (
        AWS + CHURN + '    serving: {mode: batch, input: lake/in/, schedule: «"0 4 1 * 1"}\n',
        "models.churn.serving.schedule",
        "'0 4 1 * 1' names days of the month and days of the week, and EventBridge takes one of them. Put * in the "
        "third or the fifth place.",
    ),
    "a volume key for an instance whose disks encrypt themselves": (
        AWS
        + CHURN
        + "    serving:\n      mode: realtime\n      aws: {instance_type: ml.g5.xlarge}\n"
        + "      raw: {aws: {EndpointConfiguration: {kms_key_arn: «alias/own}}}\n",
        "models.churn.serving.raw.aws.EndpointConfiguration.kms_key_arn",
        "is refused by SageMaker with ml.g5.xlarge, whose own disks encrypt themselves. Remove the line, or use a type "
        "without local storage, such as ml.m5.xlarge.",
    ),
    "a subnet that is none": (
        AWS
        + "network:\n  existing:\n    network: vpc-0123456789abcdef0\n"
        + "    subnets: [subnet-01234567, «my-subnet]\nmodels: {}\n",
        "network.existing.subnets[1]",
        "'my-subnet' must be subnet- and eight or seventeen hexadecimal digits, such as subnet-0123456789abcdef0.",
    ),
    "a key that no policy could name": (
        AWS + "encryption: {existing: {data: «my-key}}\n",
        "encryption.existing.data",
        "'my-key' must be the ARN of a KMS key or of its alias, such as "
        "arn:aws:kms:ca-central-1:123456789012:alias/mlestate.",
    ),
    "a key of another region": (
        AWS
        + "encryption:\n  existing:\n    data: arn:aws:kms:ca-central-1:111111111111:alias/ours\n"
        + "    audit: «arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab\n",
        "encryption.existing.audit",
        "'arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab' lies in us-east-1, and a key "
        "encrypts only what lies in its own region. Name a key of ca-central-1.",
    ),
    "a role of another account than it deploys to": (
        AWS
        + "environments:\n  production:\n    account: '333333333333'\n"
        + "    deploy_role: «arn:aws:iam::222222222222:role/deployer\n",
        "environments.production.deploy_role",
        "'arn:aws:iam::222222222222:role/deployer' lies in account 222222222222, and production in 333333333333. Name "
        "a role of that account.",
    ),
    "an environment whose names begin as those of another": (
        AWS + "environments:\n  staging: {}\n  «staging-eu: {}\n",
        "environments.staging-eu",
        "'staging-eu' begins as all names of staging do, so the roles of staging would reach into it. Choose a name "
        "that begins otherwise, or give it an account of its own.",
    ),
    "a disk larger than the machine brings": (
        AWS + CHURN + "    training: {compute: gpu-small, volume_gb: «1000}\n",
        "models.churn.training.volume_gb",
        "1000 is more than the 250 GB of the disk that a machine of gpu-small brings, and SageMaker adds none to it. "
        "Use at most 250, or another size.",
    ),
    "no machine where requests cannot wait": (
        AWS + CHURN + "    serving: {mode: realtime, replicas: {min: «0, max: 2}}\n",
        "models.churn.serving.replicas.min",
        "0 leaves nothing that answers. Use 1 or more, or mode async, whose requests can wait.",
    ),
    "no machine ever": (
        AWS + CHURN + "    serving: {mode: async, replicas: {min: «0}}\n",
        "models.churn.serving.replicas.min",
        "0 leaves nothing that ever answers. Add max, the most machines that may be started.",
    ),
    "a raw argument that the SDK has not": (
        AWS + CHURN + "    serving: {mode: realtime, raw: {aws: {Endpoint: {endpoint_name: «x}}}}\n",
        "models.churn.serving.raw.aws.Endpoint.endpoint_name",
        "'endpoint_name' is no argument of EndpointArgs. There are: deployment_config, endpoint_config_name, name, "
        "region, tags.",
    ),
    "raw arguments of what the mode does not make": (
        AWS + CHURN + "    serving: {mode: batch, input: lake/in/, raw: {aws: {«Endpoint: {name: x}}}}\n",
        "models.churn.serving.raw.aws.Endpoint",
        "'Endpoint' is no resource that this block becomes. There are: Model, Parameter, Schedule.",
    ),
    "raw arguments for a cloud that there is not": (
        AWS + CHURN + "    serving: {mode: realtime, raw: {«asw: {Endpoint: {name: x}}}}\n",
        "models.churn.serving.raw.asw",
        "the name 'asw' must be a cloud: aws, gcp or azure.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_where_it_stands_with_the_reason_and_the_alternative(case: str) -> None:
    marked, path, sentences = CASES[case]
    assert at_mark(marked) == [(path, sentences)]


@pytest.mark.parametrize(
    "serving",
    [
        "{mode: async, replicas: {min: 0, max: 1}, initial_version: 1}",
        "{mode: batch, input: lake/in/, schedule: daily, initial_version: 1}",
        "{mode: realtime, raw: {aws: {Endpoint: {tags: {team: a}}}, gcp: {Endpoint: {anything: 1}}}}",
    ],
)
def test_what_sagemaker_can_do_is_not_refused(serving: str) -> None:
    assert said(f"{AWS}{CHURN}    serving: {serving}\n") == []


def test_environments_in_accounts_of_their_own_may_be_named_alike() -> None:
    role = "deploy_role: arn:aws:iam::222222222222:role/deployer"
    text = f"environments:\n  staging: {{account: '111111111111'}}\n  staging-eu: {{account: '222222222222', {role}}}\n"
    assert said(AWS + "account: '111111111111'\n" + text) == []
