"""What looks like a secret, and what only speaks of one."""

import base64
import time

import pytest

from mlestate_policies.rules import Undecided, Violation
from mlestate_policies.secrets import (
    Found,
    decoded,
    no_secrets_in_text,
    no_secrets_in_variables,
    secret_behind,
    secrets_in,
)
from mlestate_policies.values import UNKNOWN, Node

RANDOM = "q7Zr2Lx9VbT4mK8w" + "Pd3Yc6Hs1Nf5Jg0Q"
HEX = "9f86d081884c7d65" + "9a2feaa0c55ad015"

# Put together here, so that no scanner takes this file for a leak.
SHAPES = {
    "an access key of AWS": "AKIA" + "QYLPMN5HFZKXJ2RT",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "an API key of Google": "AIza" + "Sy" + RANDOM + "a",
    "a client secret of Google": "GOCSPX" + "-" + RANDOM[:28],
    "a storage key of Azure": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + RANDOM * 2 + "==",
    "a shared access key of Azure": "Endpoint=sb://a/;SharedAccessKey=" + RANDOM + RANDOM[:11] + "=",
    "a shared access signature of Azure": "https://a.example/c?sv=2024&sig=" + RANDOM + RANDOM[:11] + "%3D",
    "a client secret of Azure": "abc8Q" + "~" + RANDOM + "ab",
    "a token of GitHub": "ghp" + "_" + RANDOM + "abcd",
    "a token of GitLab": "glpat" + "-" + RANDOM[:20],
    "a token of Hugging Face": "hf" + "_" + RANDOM,
    "an API key of Anthropic": "sk-ant" + "-api03-" + RANDOM,
    "an API key of OpenAI": "sk-proj" + "-" + RANDOM,
    "a token of Databricks": "dapi" + HEX,
    "a token of Pulumi": "pul" + "-" + HEX + HEX[:8],
    "a token of Vault": "hvs" + "." + RANDOM,
    "a token of Slack": "xoxb" + "-123456789012-" + RANDOM,
    "a webhook of Slack": "https://hooks.slack.com/services/T0AAA/B0BBB/" + RANDOM[:24],
    "a key of Stripe": "sk_live" + "_" + RANDOM,
    "a key of SendGrid": "SG" + "." + RANDOM[:22] + "." + RANDOM + RANDOM[:11],
    "a signed token (JWT)": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NSJ9." + RANDOM,
    "a password in an address": "postgresql://churn:" + "hunter2@db.acme.internal:5432/churn",
    "a token in a header": "curl -H 'Authorization: Bearer " + RANDOM + "' https://api.acme.example",
}

HARMLESS = {
    "DB_SECRET_ARN": "arn:aws:secretsmanager:ca-central-1:111122223333:secret:churn/db-AbC123",
    "DB_SECRET": "arn:aws:secretsmanager:ca-central-1:111122223333:secret:churn/db-AbC123",
    "DB_PASSWORD_SECRET": "churn-production-db-1",
    "SECRET_NAME": "acme-2024-production-database",
    "API_TOKEN": "projects/acme-ml/secrets/token/versions/3",
    "CLIENT_SECRET": "https://acme.vault.azure.net/secrets/client-secret/0123456789abcdef0123456789abcdef",
    "PASSWORD": "{{resolve:secretsmanager:churn:SecretString:password}}",
    "ADMIN_PASSWORD": "${DB_PASSWORD}",
    "DB_PASSWORD": "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/db)",
    "POSTGRES_PASSWORD": "/run/secrets/postgres",
    "PASSWORD_FILE": "/run/secrets/db",
    "REQUIRE_PASSWORD": "true",
    "PWD": "/opt/program",
    "MAX_TOKENS": "512",
    "MAX_NEW_TOKENS": "4096",
    "TOKENIZERS_PARALLELISM": "false",
    "TOKEN_TTL": "3600",
    "PAD_TOKEN": "<pad>",
    "EOS_TOKEN": "</s>",
    "KMS_KEY_ID": "0d0c1a62-4e07-4b2e-9a52-1f6f0a9b7c11",
    "PARTITION_KEY": "customer_id_2024_hash",
    "FEATURE_KEY": RANDOM,
    "SAGEMAKER_SUBMIT_DIRECTORY": "s3://acme-models/churn/sourcedir.tar.gz",
    "MODEL_DATA": "s3://acme-models/9f86d081884c7d659a2feaa0c55ad015/model.tar.gz",
    "MODEL_SHA256": HEX * 2,
    "IMAGE": "111122223333.dkr.ecr.ca-central-1.amazonaws.com/churn@sha256:" + HEX * 2,
    "MLFLOW_TRACKING_URI": "arn:aws:sagemaker:ca-central-1:111122223333:mlflow-tracking-server/churn",
    "PROXY": "http://proxy.acme.internal:3128",
    "DATABASE_URL": "postgresql://churn@db.acme.internal/churn",
    "TEMPLATE_URL": "postgresql://churn:${PASSWORD}@db.acme.internal/churn",
    "COMPASS": "north",
    "EXAMPLE": "AKIAIOSFODNN7EXAMPLE",
    "SUBSCRIPTION": "0d0c1a62-4e07-4b2e-9a52-1f6f0a9b7c11",
    "AZURE_CLIENT_ID": "0d0c1a62-4e07-4b2e-9a52-1f6f0a9b7c11",
    "": "x",
}

SCRIPT = """\
#!/bin/bash
set -eu
# The password is in Secrets Manager; a token is made by the notebook.
sudo -u ec2-user -i <<'EOF'
export AWS_DEFAULT_REGION=ca-central-1
DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id churn/db --query SecretString --output text)
TOKEN=`curl -s -X PUT http://169.254.169.254/latest/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 60"`
curl -H "Authorization: Bearer $TOKEN" -H "Authorization: Bearer ${TOKEN}" https://api.acme.example/v1
docker login --username AWS --password-stdin 111122223333.dkr.ecr.ca-central-1.amazonaws.com
mysql --password "$DB_PASSWORD" --token ${TOKEN}
python - <<'PY'
password = getpass()
token = os.environ["API_TOKEN"]
secret = client.get_secret_value(SecretId="churn/db")["SecretString"]
connect(user, password=password, token=token)
PY
pip install --upgrade "transformers==4.44.0" tokenizers==0.19.1
nohup jupyter lab --NotebookApp.token='' --NotebookApp.password= &
EOF
"""


@pytest.mark.parametrize(("kind", "text"), SHAPES.items(), ids=SHAPES)
def test_a_well_known_key_is_found_by_its_shape_alone(kind: str, text: str) -> None:
    assert secret_behind("SETTING", text) == kind
    assert secrets_in(f"first\n  {text}\n") == [Found(2, kind)]


@pytest.mark.parametrize(("name", "value"), HARMLESS.items())
def test_what_only_speaks_of_a_secret_is_left_alone(name: str, value: str) -> None:
    assert secret_behind(name, value) is None
    assert secrets_in(f'export {name}="{value}"\n{name}: "{value}"\n') == []


@pytest.mark.parametrize("name", ["PASSWORD", "DB_PASSWORD", "dbPassword", "db-passwd", "spring.datasource.password"])
def test_any_text_behind_a_passwords_name_is_a_password(name: str) -> None:
    assert secret_behind(name, "hunter2") == "a password"


@pytest.mark.parametrize(
    "name",
    ["API_KEY", "apiKey", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "CLIENT_SECRET", "SERVICE_TOKEN_2", "accountKey"],
)
def test_behind_a_secrets_name_only_what_nobody_thinks_of_is_a_secret(name: str) -> None:
    assert secret_behind(name, RANDOM) == "a secret"
    assert secret_behind(name, HEX) == "a secret"
    assert secret_behind(name, "from the vault, see the handbook of 2024") is None
    assert secret_behind(name, "acme-2024-production-database") is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("export DB_PASSWORD=hunter2", "a password"),
        ("DB_PASSWORD='hunter2' python train.py", "a password"),
        ("cd /opt; DB_PASSWORD=hunter2; run", "a password"),
        ('  "password": "hunter2",', "a password"),
        ("password: 'hunter2'", "a password"),
        ('os.environ["DB_PASSWORD"] = "hunter2"', "a password"),
        ("docker run -e DB_PASSWORD=hunter2 image", "a password"),
        ("mysql --user churn --password hunter2", "a password"),
        ("mysql --user churn --password=hunter2", "a password"),
        ("mysql --user churn --password 'hunter2'", "a password"),
        (f"aws configure set aws_secret_access_key '{RANDOM}'", "a secret"),
        (f"# API_KEY='{RANDOM}'", "a secret"),
    ],
)
def test_a_secret_is_found_in_a_line_of_a_script(line: str, kind: str) -> None:
    assert secrets_in(line) == [Found(1, kind)]


def test_a_script_that_fetches_its_secrets_holds_none() -> None:
    assert secrets_in(SCRIPT) == []


def test_base64_is_read_and_anything_else_is_taken_as_it_is() -> None:
    assert decoded(base64.b64encode(b"DB_PASSWORD=hunter2").decode()) == "DB_PASSWORD=hunter2"
    assert decoded("DB_PASSWORD=hunter2") == "DB_PASSWORD=hunter2"
    assert decoded(base64.b64encode(b"\xff\xfe\x00").decode()) == "//4A"
    assert decoded("é") == "é"


def test_a_secret_is_found_in_a_document_that_a_variable_holds() -> None:
    assert secret_behind("CONFIGURATION", '{"user": "churn", "password": "hunter2"}') == "a password"
    assert secret_behind("CONFIGURATION", '{"user": "churn", "password": "${DB_PASSWORD}"}') is None


def test_long_lines_are_read_in_no_time() -> None:
    began = time.monotonic()
    for text in ("a" * 100_000, "ab.-" * 25_000, "A1 " * 30_000, " --a" * 25_000, "://:" * 25_000, "sig=" * 25_000):
        assert secrets_in(text) == []
    assert time.monotonic() - began < 5


def test_what_is_said_of_a_secret_does_not_hold_it() -> None:
    environment = Node({"DB_PASSWORD": "hunter2", "LEVEL": "info", "LATER": UNKNOWN}, "environment")
    assert list(no_secrets_in_variables(environment, "keep it in a vault")) == [
        Undecided("environment"),
        Violation(
            "environment.DB_PASSWORD", "environment.DB_PASSWORD holds what looks like a password; keep it in a vault"
        ),
    ]
    script = Node({"onStart": "#!/bin/sh\nDB_PASSWORD=hunter2"}).at("onStart")
    assert list(no_secrets_in_text(script, "keep it in a vault")) == [
        Violation("onStart", "onStart: line 2 holds what looks like a password; keep it in a vault")
    ]


@pytest.mark.parametrize("value", [None, 3, True, ["a"], "", {"a": {"b": 1}}, {"PASSWORD": ["x"]}])
def test_what_is_no_text_holds_no_secret_and_raises_nothing(value: object) -> None:
    assert list(no_secrets_in_text(Node(value), "")) == []
    assert list(no_secrets_in_variables(Node(value), "")) == []


def test_what_is_not_known_yet_is_undecided() -> None:
    assert list(no_secrets_in_text(Node(UNKNOWN, "onStart"), "")) == [Undecided("onStart")]
    assert list(no_secrets_in_variables(Node(UNKNOWN, "environment"), "")) == [Undecided("environment")]
