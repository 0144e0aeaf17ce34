"""Who may do what on AWS: a role for every persona that has people, and two for the CI."""

from collections.abc import Mapping, Sequence

import pulumi_aws.iam as iam
from pulumi import Output, ResourceOptions

from mlestate.aws.personas import PERSONAS, boundary
from mlestate.aws.pipelines import apply, apply_in, plan
from mlestate.aws.policies import Statement, canonical, path
from mlestate.aws.reach import Reach
from mlestate.aws.settings import AwsEstate
from mlestate.aws.trust import PEOPLE, believers, issuer
from mlestate.config.estate import CI, People
from mlestate.errors import InputError
from mlestate.names import HUB, Names
from mlestate.part import Part

__all__ = ["Access", "access"]

POLICY_LIMIT = 10_240
"""Characters in the inline policies of a role, white space not counted (IAM quotas)."""

ONE_HOUR = 3600


class Access(Part):
    """Roles that people take with the sign-in they have, and that the CI takes with its own token; no stored keys.

    Whatever is made here is computed from names, so that a first preview already shows who may do what. All roles stand
    under one ceiling (a permissions boundary), and their sessions end after an hour. People reach the registry, the
    trail and the environments of the hub's account; what lies in another account takes a role of that account.

    A principal in the file is one of:

    - an **address** (`ana@acme.example`): the person of that user name in IAM Identity Center. A session's name can be
      chosen by any caller and a role of Identity Center is open to many, so both must hold.
    - ``sso:<permission set>``: whoever has that permission set of Identity Center in the hub's account.
    - the **ARN** of an IAM role or user.

    Multi-factor sign-in is demanded of an approver who is an IAM user, where AWS itself knows it. A session of Identity
    Center or of another role does not carry `aws:MultiFactorAuthPresent` reliably (IAM user guide, "Global condition
    context keys"): demanding it there would lock everyone out, so there it is the identity provider's to demand.
    """

    personas: Mapping[str, Output[str]]
    ci: Mapping[str, Output[str]]
    identities: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        people: People,
        ci: CI | None,
        reach: Reach,
        models: Sequence[str],
        environments: Sequence[str],
        opts: ResourceOptions,
    ) -> None:
        """``environments`` are all of the estate's, in whichever account.

        Raises:
            InputError: more environments in the hub's account than the policy of one role can name.
        """
        super().__init__(names, opts)
        listed = {persona: believers(names, people, persona) for persona in PEOPLE}
        present = {persona: believed for persona, believed in listed.items() if believed}
        roles: dict[str, Output[str]] = {}
        made: dict[str, iam.Role] = {}
        if present or ci:
            ceiling = self._ceiling(reach)
        for persona, believed in present.items():
            roles[persona] = self._role(persona, believed, PERSONAS[persona](reach), ceiling).arn
        if ci:
            believed_tokens = issuer(ci, models, environments)
            provider = iam.OpenIdConnectProvider(
                self.named("ci"),
                url=f"https://{believed_tokens.host}",
                client_id_lists=[believed_tokens.audience],
                tags=names.tags,
                opts=self.child(),
            )
            arn = names.arn("iam", f"oidc-provider/{believed_tokens.host}", regional=False)
            for role, believed, permissions in (
                ("ci-plan", believed_tokens.trusting(arn, believed_tokens.planners), plan(reach)),
                (
                    "ci-apply",
                    believed_tokens.trusting(arn, believed_tokens.appliers, believed_tokens.branch),
                    apply(reach),
                ),
            ):
                made[role] = self._role(role, believed, permissions, ceiling, depends_on=[provider])
            for environment, its in reach.environments.items():
                self._attach(made["ci-apply"], f"ci-apply-{environment}", apply_in(reach, its))
        identities = {
            f"{model}-{duty}": Output.from_input(
                names.arn("iam", f"role{path(names)}{names.physical('role', f'{model}-{duty}')}", regional=False)
            )
            for model in models
            for duty in ("training", "inference")
        }
        self.publish(personas=roles, ci={role: each.arn for role, each in made.items()}, identities=identities)

    def _ceiling(self, reach: Reach) -> iam.Policy:
        return iam.Policy(
            self.named("boundary"),
            name=self.names.physical("policy", "boundary"),
            path=path(self.names),
            description=f"The most that people and CI of {self.names.estate} may ever do",
            policy=canonical(boundary(reach)),
            tags=self.names.tags,
            opts=self.child(),
        )

    def _attach(self, role: iam.Role, name: str, permissions: Sequence[Statement]) -> None:
        policy = iam.Policy(
            self.named(name),
            name=self.names.physical("policy", name),
            path=path(self.names),
            description=f"What the CI of {self.names.estate} may change in one environment",
            policy=canonical(permissions),
            tags=self.names.tags,
            opts=self.child(),
        )
        iam.RolePolicyAttachment(self.named(name), role=role.name, policy_arn=policy.arn, opts=self.child())

    def _role(
        self,
        role: str,
        believed: Sequence[Statement],
        permissions: Sequence[Statement],
        ceiling: iam.Policy,
        depends_on: Sequence[iam.OpenIdConnectProvider] = (),
    ) -> iam.Role:
        policy = canonical(permissions)
        if len(policy) > POLICY_LIMIT:
            raise InputError(
                f"the role {role} would reach too much: its policy has {len(policy)} characters, AWS allows "
                f"{POLICY_LIMIT}. Give some environments an account of their own"
            )
        made = iam.Role(
            self.named(role),
            name=self.names.physical("role", role),
            path=path(self.names),
            description=f"{role} of {self.names.estate}",
            assume_role_policy=canonical(believed),
            max_session_duration=ONE_HOUR,
            permissions_boundary=ceiling.arn,
            tags=self.names.tags,
            opts=self.child(depends_on=list(depends_on)),
        )
        iam.RolePolicy(self.named(role), name=role, role=made.name, policy=policy, opts=self.child())
        return made


def access(config: AwsEstate, names: Names, reach: Reach, opts: ResourceOptions) -> Access:
    """Who may do what in one slice."""
    if names.environment == HUB:
        return Access(names, config.people, config.ci, reach, list(config.models), list(config.environments), opts)
    return Access(names, People(), None, reach, list(config.models), list(config.environments), opts)
