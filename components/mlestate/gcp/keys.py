"""Keys: the customer-managed keys of one slice, one a concern, and Google's own agents that may use them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi_gcp.kms as kms
import pulumi_gcp.projects as projects
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.config.estate import ExistingKeys
from mlestate.gcp.apis import enable
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["GivenKeys", "Keys", "keys"]

Encryption = Literal["provider-managed", "customer-managed"] | ExistingKeys

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


@dataclass(frozen=True)
class GivenKeys:
    """Keys that this estate does not make: the user's own, or none at all where Google manages them.

    Whoever owns a key has granted the agents of ``AGENTS`` the role `roles/cloudkms.cryptoKeyEncrypterDecrypter` on it,
    and it lies in the estate's region (Cloud KMS, "Customer-managed encryption keys").
    """

    ids: Mapping[str, Output[str]]


class Keys(Part):
    """Keys of the estate's own: one a concern, in a ring of the slice, turned over every 90 days.

    The ring keeps Pulumi's auto-name on purpose: Cloud KMS never deletes a ring and never gives its name out again, so
    a fixed name would make the first `up` after a `destroy` fail. Destroying a key destroys its versions after 30 days;
    a protected environment refuses it, in Pulumi and again in the provider.

    A role takes up to some minutes to be felt everywhere (IAM, "Access change propagation"): an `up` that is refused
    the use of a key it has just granted is to be run again.
    """

    ids: Mapping[str, Output[str]]
    """By concern: ``projects/*/locations/*/keyRings/*/cryptoKeys/*``, known once its agents may use the key."""

    def __init__(self, names: Names, concerns: Sequence[str], protect: bool, opts: ResourceOptions) -> None:
        super().__init__(names, opts)
        members = self._members({agent for concern in concerns for agent in AGENTS[concern]})
        ring = kms.KeyRing(
            self.named("ring"), location=names.region, opts=self.child(depends_on=self._apis, protect=protect)
        )
        self.publish(ids={concern: self._key(ring, concern, members, protect) for concern in concerns})

    def _members(self, agents: set[str]) -> dict[str, Output[str]]:
        """The agents as IAM names them."""
        made = sorted((agents | {"aiplatform"}) - {*COMPUTED})
        self._apis = enable(self, "cloudkms", *made)
        emails = {
            agent: projects.ServiceIdentity(
                self.named(f"{agent}-agent"), service=f"{agent}.googleapis.com", opts=self.child(depends_on=self._apis)
            ).email
            for agent in made
        }
        number = emails["aiplatform"].apply(_project_number)
        emails |= {agent: Output.format(COMPUTED[agent], number=number) for agent in sorted(agents & {*COMPUTED})}
        return {agent: Output.concat("serviceAccount:", email) for agent, email in emails.items()}

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


def keys(
    encryption: Encryption, names: Names, concerns: Sequence[str], protect: bool, opts: ResourceOptions
) -> contract.Keys:
    """The keys that the file asks for: made, given, or none."""
    used = [concern for concern in concerns if concern in AGENTS]
    if isinstance(encryption, ExistingKeys):
        return GivenKeys({concern: Output.from_input(encryption.existing.data) for concern in used})
    if encryption == "customer-managed":
        return Keys(names, used, protect, opts)
    return GivenKeys({})


def _project_number(email: str) -> str:
    """The number in ``service-123456789012@gcp-sa-aiplatform.iam.gserviceaccount.com``."""
    return email.partition("@")[0].removeprefix("service-")
