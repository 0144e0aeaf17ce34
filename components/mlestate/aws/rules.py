"""Rules of the file that only AWS has. No SDK: what would fail in an `up` is refused where it is written."""

from collections.abc import Iterator
from types import ModuleType

from mlestate.aws.policies import canonical
from mlestate.aws.trust import PEOPLE, TRUST_LIMIT, believers, issuer
from mlestate.config.facts import Facts
from mlestate.names import HUB, Names

Findings = Iterator[tuple[object, ...]]


def trusts_fit(facts: Facts, settings: ModuleType) -> Findings:
    """IAM quotas: a role's trust policy has room for 2,048 characters."""
    config, ci = facts.config, facts.config.ci
    hub = Names("aws", config.name, HUB, config.region, config.home or "0" * 12)
    for persona, field in PEOPLE.items():
        size = len(canonical(believers(hub, config.people, persona)))
        if size > TRUST_LIMIT:
            yield (
                ("people", field),
                f"names {len(getattr(config.people, field))} principals, which take {size} characters of the role's "
                f"trust policy, and AWS has room for {TRUST_LIMIT}. Name a permission set (sso:<name>) instead of "
                "single people.",
            )
    if ci is not None:
        believed = issuer(ci, config.models, config.environments)
        provider = hub.arn("iam", f"oidc-provider/{believed.host}", regional=False)
        size = max(
            len(canonical(believed.trusting(provider, believed.planners))),
            len(canonical(believed.trusting(provider, believed.appliers, believed.branch))),
        )
        if size > TRUST_LIMIT:
            yield (
                ("ci", "repositories"),
                f"makes {len(ci.repositories or config.models)} repositories trusted, which take {size} characters "
                f"of a role's trust policy, and AWS has room for {TRUST_LIMIT}. Trust fewer repositories.",
            )


def tokens_can_be_held_to_the_owner(facts: Facts, settings: ModuleType) -> Findings:
    """AWS STS, "Available keys for AWS OIDC federation": of a token of GitHub or GitLab no owner's id is read."""
    ci = facts.config.ci
    if ci is not None and ci.owner_id is not None and ci.provider != "azure-devops":
        yield (
            ("ci", "owner_id"),
            f"'{ci.owner_id}' cannot be demanded: AWS reads no owner's id in a token of {ci.provider}. Remove the "
            "line, and name the repositories that are trusted.",
        )


RULES = (trusts_fit, tokens_can_be_held_to_the_owner)
