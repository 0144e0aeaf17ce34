"""Who may do what on AWS: a role for every persona that has people, for the CI, and for every duty of machines."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import pulumi_aws.iam as iam
from pulumi import Output, Resource, ResourceOptions

from mlestate.aws import ceilings
from mlestate.aws.duties import DUTIES, MODEL_DUTIES, believed
from mlestate.aws.personas import IN_ENVIRONMENTS, IN_THE_HUB
from mlestate.aws.pipelines import ATTACHED, apply, plan
from mlestate.aws.policies import Statement, canonical, path
from mlestate.aws.reach import Reach
from mlestate.aws.settings import AwsEstate
from mlestate.aws.tracking import APP_REGIONS
from mlestate.aws.trust import PEOPLE, believers, issuer
from mlestate.config.people import CI, People
from mlestate.errors import InputError
from mlestate.names import HUB, Names
from mlestate.part import Part

__all__ = ["Access", "access"]

INLINE_LIMIT = 10_240
MANAGED_LIMIT = 6_144
"""Characters in the inline policies of a role and in a managed policy, white space not counted (IAM quotas)."""

ONE_HOUR = 3600


class Access(Part):
    """Roles that people take with the sign-in they have, the CI with its own token and machines for their duties.

    No stored keys. Whatever is made here is computed from names, so that a first preview already shows who may do what.
    All roles of a slice stand under one ceiling (a permissions boundary); people's and the CI's sessions end after an
    hour. The hub has those who approve, who audit and whom the CI is; an environment has the people who work in it, in
    its own account, and everything that machines run as there. An identity is handed out only when its policy stands.

    A principal in the file is one of:

    - an **address** (`ana@acme.example`): the person of that user name in IAM Identity Center. A session's name can be
      chosen by any caller and a role of Identity Center is open to many, so both must hold.
    - ``sso:<permission set>``: whoever has that permission set of Identity Center in the slice's account.
    - the **ARN** of an IAM role or user.

    Whoever takes a role names its session as they are signed in themselves (`role_session_name` in a profile of the AWS
    CLI), because versions, signatures and the trail know people by it.

    Multi-factor sign-in is demanded of an approver who is an IAM user, where AWS itself knows it. A session of Identity
    Center or of another role does not carry `aws:MultiFactorAuthPresent` reliably (IAM user guide, "Global condition
    context keys"): demanding it there would lock everyone out, so there it is the identity provider's to demand.

    A budget that is spent attaches the policy ``freeze``, made here, to whom the budget names.
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
        duties: Sequence[str],
        opts: ResourceOptions,
    ) -> None:
        """``duties`` are those of `DUTIES` that the slice has.

        Raises:
            InputError: more environments in one account than the policies of one role can name.
        """
        super().__init__(names, opts)
        hub = names.environment == HUB
        wanted = IN_THE_HUB if hub else IN_ENVIRONMENTS
        closed = set() if hub or reach.open else {"data-scientist"}
        listed = {persona: believers(names, people, persona) for persona in PEOPLE if persona in {*wanted} - closed}
        present = {persona: statements for persona, statements in listed.items() if statements}
        self._most = ceilings.hub(reach) if hub else ceilings.environment(reach)
        roles = {
            persona: self._role(persona, statements, wanted[persona](reach)) for persona, statements in present.items()
        }
        pipelines = self._pipelines(ci, reach, list(reach.models)) if ci and hub else {}
        identities: dict[str, Output[str]] = {}
        for name in duties:
            duty = DUTIES[name]
            identities[name] = self._role(name, believed(reach, duty), duty.may(reach), session=None)
        for model, settings in () if hub else reach.models.items():
            for name, duty in MODEL_DUTIES.items():
                identities[f"{model}-{name}"] = self._role(
                    f"{model}-{name}",
                    believed(reach, duty),
                    duty.may(reach, model, settings),
                    tags=names.of_model(model, settings.owner).tags,
                    session=None,
                )
        if "budget" in duties:
            self._policy("freeze", ceilings.freeze(reach), f"What a spent budget of {names.slice} takes away")
        self.publish(personas=roles, ci=pipelines, identities=identities)

    def _pipelines(self, ci: CI, reach: Reach, models: Sequence[str]) -> dict[str, Output[str]]:
        names = self.names
        tokens = issuer(ci, models, list(reach.environments))
        provider = iam.OpenIdConnectProvider(
            self.named("ci"),
            url=f"https://{tokens.host}",
            client_id_lists=[tokens.audience],
            tags=names.tags,
            opts=self.child(),
        )
        arn = names.arn("iam", f"oidc-provider/{tokens.host}", regional=False)
        made = {
            role: self._role(role, tokens.trusting(arn, subjects, branch), permissions, depends_on=[provider])
            for role, subjects, branch, permissions in (
                ("ci-plan", tokens.planners, None, plan(reach)),
                ("ci-apply", tokens.appliers, tokens.branch, apply(reach)),
            )
        }
        written = {concern: permissions(reach) for concern, permissions in ATTACHED.items()}
        for concern, permissions in written.items():
            if not permissions:
                continue  # IAM takes no policy that says nothing: an estate may have no keys, and no environment here
            policy = self._policy(
                f"ci-apply-{concern}", permissions, f"What the CI of {names.estate} may change: {concern}"
            )
            iam.RolePolicyAttachment(
                self.named(f"ci-apply-{concern}"),
                # By the output of its policy, so that the role is there.
                role=made["ci-apply"].apply(lambda arn: arn.rpartition("/")[2]),
                policy_arn=policy.arn,
                opts=self.child(),
            )
        return made

    @cached_property
    def _ceiling(self) -> iam.Policy:
        """Made with the first role that needs it."""
        about = f"The most that people and machines of {self.names.slice} may ever do"
        return self._policy("boundary", self._most, about)

    def _policy(self, name: str, permissions: Sequence[Statement], description: str) -> iam.Policy:
        policy = canonical(permissions)
        if len(policy) > MANAGED_LIMIT:
            raise _too_much(f"the policy {name}", policy, MANAGED_LIMIT)
        return iam.Policy(
            self.named(name),
            name=self.names.physical("policy", name),
            path=path(self.names),
            description=description,
            policy=policy,
            tags=self.names.tags,
            opts=self.child(),
        )

    def _role(
        self,
        role: str,
        trusted: Sequence[Statement],
        permissions: Sequence[Statement],
        *,
        tags: Mapping[str, str] | None = None,
        session: int | None = ONE_HOUR,
        depends_on: Sequence[Resource] = (),
    ) -> Output[str]:
        """A role and its policy, as an ARN that is known at once and comes after both."""
        names = self.names
        policy = canonical(permissions)
        if len(policy) > INLINE_LIMIT:
            raise _too_much(f"the role {role}", policy, INLINE_LIMIT)
        made = iam.Role(
            self.named(role),
            name=names.physical("role", role),
            path=path(names),
            description=f"{role} of {names.slice}",
            assume_role_policy=canonical(trusted),
            max_session_duration=session,
            permissions_boundary=self._ceiling.arn,
            tags={**(tags or names.tags)},
            opts=self.child(depends_on=list(depends_on)),
        )
        written = iam.RolePolicy(self.named(role), name=role, role=made.name, policy=policy, opts=self.child())
        arn = names.arn("iam", f"role{path(names)}{names.physical('role', role)}", regional=False)
        return written.role.apply(lambda _: arn)


def _too_much(what: str, policy: str, limit: int) -> InputError:
    return InputError(
        f"{what} would reach too much: it has {len(policy)} characters, AWS allows {limit}. Give some environments an "
        "account of their own"
    )


def access(config: AwsEstate, names: Names, opts: ResourceOptions) -> Access:
    """Who may do what in one slice of an estate."""
    reach, audited = Reach.of(config, names), "audit" in config.model_fields_set
    if names.environment == HUB:
        needed = {"recording": audited, "events": True}
        return Access(names, config.people, config.ci, reach, [duty for duty in DUTIES if needed.get(duty)], opts)
    environment = config.environments[names.environment]
    needed = {
        "features": bool(config.features),
        "batch": any(model.serving.mode == "batch" for model in reach.models.values()),
        "recording": audited and names.environment in config.recorders,
        "budget": environment.monthly_budget_usd is not None,
        "upkeep": environment.off_hours is not None or environment.stop_idle_after is not None,
        "tracking": config.tracking.server == "managed"
        or (config.tracking.server == "none" and names.region in APP_REGIONS),
    }
    duties = [duty for duty in DUTIES if needed.get(duty, True)]
    return Access(names, config.people, None, reach, duties, opts)
