"""Keys: the customer-managed keys of one slice, one a concern, and Google's own agents that may use them."""

from collections.abc import Mapping, Sequence

import pulumi_gcp.kms as kms
import pulumi_gcp.projects as projects
from pulumi import Output, ResourceOptions

from mlestate.config.estate import ExistingKeys
from mlestate.gcp.apis import enable
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["Keys"]

AGENTS: Mapping[str, tuple[str, ...]] = {
    "data": ("storage", "bigquery"),
    "models": ("storage", "aiplatform"),
    "registry": ("artifactregistry", "aiplatform"),
}
"""By concern: the APIs whose service agents encrypt with its key. A concern that no part uses yet gets no key."""

COMPUTED: Mapping[str, str] = {
    "storage": "service-{number}@gs-project-accounts.iam.gserviceaccount.com",
    "bigquery": "bq-{number}@bigquery-encryption.iam.gserviceaccount.com",
}
"""Agents that `projects.ServiceIdentity` cannot make, by their documented address (IAM, "Service agents").

The project's number is read off the Vertex AI agent, which it can make. Cloud Storage and BigQuery create theirs only
when first asked for it (hashicorp/terraform-provider-google#9730); in a project that never used them, run once:
`gcloud storage service-agent --project P` and `bq show --encryption_service_account --project_id P`.
"""


class Keys(Part):
    """Nothing where Google manages the keys; the keys of the file where it names some; else a ring of our own.

    The ring keeps Pulumi's auto-name on purpose: Cloud KMS never deletes a ring and never gives its name out again, so
    a fixed name would make the first `up` after a `destroy` fail. Keys turn every 90 days. Destroying a key destroys
    its versions after 30 days; a protected environment refuses it, in Pulumi and again in the provider.

    Keys of the file are used as they are: whoever owns them has granted the agents of ``AGENTS`` the role
    `roles/cloudkms.cryptoKeyEncrypterDecrypter`, and they lie in the estate's region (Cloud KMS, "CMEK").
    """

    ids: Mapping[str, Output[str]]
    """By concern: ``projects/*/locations/*/keyRings/*/cryptoKeys/*``, known once its agents may use the key."""

    def __init__(
        self,
        names: Names,
        concerns: Sequence[str],
        encryption: str | ExistingKeys,
        *,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        used = [concern for concern in concerns if concern in AGENTS]
        if isinstance(encryption, ExistingKeys):
            ids = {concern: Output.from_input(encryption.existing.data) for concern in used}
        elif encryption == "customer-managed":
            ids = self._made(used, protect)
        else:
            ids = {}
        self.publish(ids=ids)

    def _made(self, concerns: Sequence[str], protect: bool) -> dict[str, Output[str]]:
        agents = {agent for concern in concerns for agent in AGENTS[concern]}
        identified = sorted((agents | {"aiplatform"}) - set(COMPUTED))
        apis = enable(self, "cloudkms", *sorted(agents | {"aiplatform"}))
        identities = {
            agent: projects.ServiceIdentity(
                self.named(f"{agent}-agent"), service=f"{agent}.googleapis.com", opts=self.child(depends_on=apis)
            )
            for agent in identified
        }
        number = identities["aiplatform"].email.apply(_project_number)
        members: dict[str, Output[str]] = {
            **{agent: Output.concat("serviceAccount:", identity.email) for agent, identity in identities.items()},
            **{
                agent: Output.format("serviceAccount:" + COMPUTED[agent], number=number)
                for agent in agents & {*COMPUTED}
            },
        }
        ring = kms.KeyRing(
            self.named("ring"), location=self.names.region, opts=self.child(depends_on=apis, protect=protect)
        )
        return {concern: self._key(ring, concern, members, protect) for concern in concerns}

    def _key(self, ring: kms.KeyRing, concern: str, members: Mapping[str, Output[str]], protect: bool) -> Output[str]:
        key = kms.CryptoKey(
            self.named(concern),
            name=concern,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period="7776000s",
            destroy_scheduled_duration="2592000s",
            deletion_policy="PREVENT" if protect else "DELETE",
            labels=self.names.labels,
            opts=self.child(protect=protect),
        )
        grants = [
            kms.CryptoKeyIAMMember(
                self.named(f"{concern}-{agent}"),
                crypto_key_id=key.id,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=members[agent],
                opts=self.child(),
            )
            for agent in AGENTS[concern]
        ]
        return Output.all(key.id, *[grant.id for grant in grants]).apply(lambda known: str(known[0]))


def _project_number(email: str) -> str:
    """The number in ``service-123456789012@gcp-sa-aiplatform.iam.gserviceaccount.com``."""
    return email.partition("@")[0].removeprefix("service-")
