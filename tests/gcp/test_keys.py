"""Google Cloud: who may use which key, and what becomes of a key."""

from mlestate.blueprint.inventory import Row
from tests.conftest import Record

ESTATE = """
version: 1
name: risk
cloud: gcp
region: northamerica-northeast1
project: risk-ml
encryption: {encryption}
environments:
  staging: {{}}
  production: {{protect: true}}
models:
  churn: {{problem: classification}}
"""

MADE = ESTATE.format(encryption="customer-managed")
OWN = "projects/risk-keys/locations/northamerica-northeast1/keyRings/ring/cryptoKeys/everything"


def _of(rows: list[Row], kind: str) -> dict[str, Row]:
    return {row.name: row for row in rows if row.type.endswith(f":{kind}")}


def test_google_managed_encryption_makes_no_key_and_names_none(record: Record) -> None:
    rows = record(ESTATE.format(encryption="provider-managed"))
    assert not [row for row in rows if ":kms/" in row.type], "Google's own keys cost nothing and need nothing"
    assert not [row for row in rows if "kmsKeyName" in str(row.inputs)]


def test_each_concern_has_a_key_that_turns_every_ninety_days(record: Record) -> None:
    keys = _of(record(MADE), "CryptoKey")
    assert sorted(keys) == [
        "risk-hub-keys-registry",
        "risk-production-keys-data",
        "risk-production-keys-models",
        "risk-staging-keys-data",
        "risk-staging-keys-models",
    ]
    assert {key.inputs["rotationPeriod"] for key in keys.values()} == {f"{90 * 86_400}s"}


def test_a_key_is_for_the_agents_of_its_own_concern_alone(record: Record) -> None:
    grants = [row for row in record(MADE) if row.type.endswith(":CryptoKeyIAMMember")]
    assert {grant.inputs["role"] for grant in grants} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    granted = sorted(grant.name.removeprefix("risk-staging-keys-") for grant in grants if "staging" in grant.name)
    assert granted == ["data-bigquery", "data-storage", "models-aiplatform", "models-storage"], (
        "the key of the data must not open the models, nor the other way round"
    )


def test_agents_that_cannot_be_made_are_addressed_by_the_projects_number(record: Record) -> None:
    """Not proved: that they exist in a project that never used Cloud Storage or BigQuery; they appear at first use."""
    rows = record(MADE)
    number = _of(rows, "ServiceIdentity")["risk-staging-keys-aiplatform-agent"].outputs["email"].split("@")[0][8:]
    assert number.isdigit(), "a service agent's address carries the number of its project"
    members = {name: row.inputs["member"] for name, row in _of(rows, "CryptoKeyIAMMember").items()}
    assert members["risk-staging-keys-data-storage"] == (
        f"serviceAccount:service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    )
    assert members["risk-staging-keys-data-bigquery"] == (
        f"serviceAccount:bq-{number}@bigquery-encryption.iam.gserviceaccount.com"
    )


def test_data_and_models_rest_under_keys_of_their_own(record: Record) -> None:
    rows = record(MADE)
    buckets = _of(rows, "Bucket")
    under = {
        role: buckets[f"risk-staging-data-{role}"].inputs["encryption"]["defaultKmsKeyName"].rpartition("/")[2]
        for role in ("raw", "curated", "artifacts", "capture")
    }
    assert under == {"raw": "data", "curated": "data", "artifacts": "models", "capture": "models"}
    tables = _of(rows, "Dataset")["risk-staging-data-tables"].inputs["defaultEncryptionConfiguration"]
    assert tables["kmsKeyName"].endswith("/cryptoKeys/data")
    assert _of(rows, "Repository")["risk-hub-registry-churn"].inputs["kmsKeyName"].endswith("/cryptoKeys/registry")


def test_nothing_is_encrypted_before_its_agent_may_use_the_key(record: Record) -> None:
    rows = record(MADE)
    bucket = _of(rows, "Bucket")["risk-staging-data-raw"]
    waits_for = {urn.rpartition("::")[2] for urn in bucket.dependencies}
    assert "risk-staging-keys-data-storage" in waits_for, "a bucket made before the grant is refused by Cloud Storage"


def test_a_ring_has_no_fixed_name(record: Record) -> None:
    rings = _of(record(MADE), "KeyRing").values()
    for ring in rings:
        assert ring.inputs["name"].startswith(f"{ring.name}-"), (
            "a ring cannot be deleted and its name never comes back: `up` after `destroy` needs another"
        )


def test_keys_of_a_protected_environment_cannot_be_destroyed(record: Record) -> None:
    keys = _of(record(MADE), "CryptoKey")
    assert keys["risk-production-keys-data"].options.get("protect")
    assert keys["risk-production-keys-data"].inputs["deletionPolicy"] == "PREVENT", "what it encrypted goes with a key"
    assert not keys["risk-staging-keys-data"].options.get("protect"), "staging comes down when it is not needed"
    assert keys["risk-hub-keys-registry"].options.get("protect"), "production runs the images that this key encrypts"


def test_a_key_of_the_users_own_is_used_as_it_is(record: Record) -> None:
    rows = record(ESTATE.format(encryption=f"{{existing: {{data: {OWN}}}}}"))
    assert not [row for row in rows if ":kms/" in row.type], "its owner grants it, nobody else"
    assert {row.inputs["encryption"]["defaultKmsKeyName"] for row in _of(rows, "Bucket").values()} == {OWN}
    assert _of(rows, "Repository")["risk-hub-registry-churn"].inputs["kmsKeyName"] == OWN
