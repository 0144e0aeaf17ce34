"""Approval: a version of a model goes into service by a route on which somebody says yes."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from mlestate_policies.any.duties import APPROVE, APPROVED
from mlestate_policies.any.grants import gcp_grants
from mlestate_policies.any.principals import ROLE, identities, linked, may_hold
from mlestate_policies.aws.documents import Document
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

GROUP: Final = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
GROUP_POLICY: Final = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
EVENT_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
EVENT_BUS: Final = "aws:cloudwatch/eventBus:EventBus"
CODE_PIPELINE: Final = "aws:codepipeline/pipeline:Pipeline"
AI_ENDPOINT: Final = "gcp:vertex/aiEndpoint:AiEndpoint"
DEPLOY_TARGET: Final = "gcp:clouddeploy/target:Target"
BUILD_TRIGGER: Final = "gcp:cloudbuild/trigger:Trigger"
WORKSPACE: Final = "azure-native:machinelearningservices:Workspace"
REGISTRY: Final = "azure-native:machinelearningservices:Registry"
SUBSCRIPTIONS: Final = (
    "azure-native:eventgrid:EventSubscription",
    "azure-native:eventgrid:SystemTopicEventSubscription",
)
APPROVERS: Final = limit(
    "approvers",
    (),
    "Logical names (with `*`) of the principals that may approve models, and no other may; empty where nobody has said",
)
_CHANGE: Final = {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change"}
_REGISTERED: Final = "Microsoft.MachineLearningServices.ModelRegistered"
_DECIDES: Final = ("destination", "deliveryWithResourceIdentity.destination")


@stack_rule(
    "ML-STK-08",
    {
        GROUP: ("modelPackageGroupName",),
        EVENT_RULE: ("eventPattern", "state", "isEnabled"),
        EVENT_TARGET: ("rule", "arn"),
        CODE_PIPELINE: ("stages[].actions[].category",),
        GROUP_POLICY: ("resourcePolicy",),
        ROLE: ("inlinePolicies[].policy",),
        "aws:iam/rolePolicy:RolePolicy": ("policy",),
        "gcp:projects/iAMMember:IAMMember": ("role",),
        AI_ENDPOINT: ("labels",),
        DEPLOY_TARGET: ("requireApproval",),
        BUILD_TRIGGER: ("approvalConfig.approvalRequired", "disabled"),
        REGISTRY: ("tags",),
        **dict.fromkeys(SUBSCRIPTIONS, ("filter.includedEventTypes[]", *_DECIDES)),
    },
    "Every model group or registry has an approval route that leads somewhere, and none but approvers can take it",
    why="Without a route people put models into service by hand, and nobody can show afterwards who agreed.",
    fix='Add an enabled EventRule on "SageMaker Model Package State Change" with ModelApprovalStatus Approved and an '
    "EventTarget (or a CodePipeline with an Approval before it deploys); on Google Cloud a Cloud Deploy target with "
    "requireApproval or a Cloud Build trigger with approvalConfig; on Azure an EventSubscription on ModelRegistered "
    "with a destination. Let the group's policy name who may call UpdateModelPackage.",
    severity="critical",
    evidences=(
        "EU AI Act 14",
        "EU AI Act 26",
        "ISO 42001 A.6.2.4",
        "ISO 42001 A.6.2.5",
        "NIST AI RMF GOVERN 3.2",
        "OSFI E-23",
    ),
)
def models_have_an_approval_route(estate: Estate, settings: Settings) -> Findings:
    yield from _aws(estate, settings)
    yield from _gcp(estate, settings)
    yield from _azure(estate, settings)
    yield from _only_approvers(estate, settings)


def _aws(estate: Estate, settings: Settings) -> Findings:
    groups = [group for group in estate.of(GROUP) if settings.production(group)]
    if not groups or any(map(_stops_for_approval, estate.of(CODE_PIPELINE))):
        return
    for group in groups:
        routes = list(_routes(estate, group))
        if "yes" in routes:
            continue
        if unread := [each for each in routes if isinstance(each, Undecided)]:
            yield from unread
            continue
        yield Violation(
            "modelPackageGroupName",
            "modelPackageGroupName: no enabled rule with a target takes up the approval of a version of this group; "
            "one is needed, or a pipeline with an approval",
            group.urn,
        )


def _routes(estate: Estate, group: Resource, bus: Resource | None = None) -> Iterator[str | Undecided]:
    """`yes` for each rule that takes up an approval and has a target, and what cannot be read yet."""
    for rule in estate.of(EVENT_RULE):
        if bus is not None and bus not in linked(estate, rule, "eventBusName", EVENT_BUS):
            continue
        pattern = rule.at("eventPattern").document()
        hidden = None if pattern.complete or pattern.absent else Undecided("eventPattern", rule.urn)
        fits = hidden or (pattern.known and _takes_up(pattern.value, group))
        if fits is False or rule.at("state").text.upper() == "DISABLED" or _off(rule.at("isEnabled")):
            continue
        leads = list(_targets(estate, rule, group, bus))
        if not leads:
            continue
        unread: list[str | Undecided] = [
            *([fits] if isinstance(fits, Undecided) else []),
            *(Undecided(path, rule.urn) for path in ("state", "isEnabled") if rule.at(path).unknown),
            *(each for each in leads if isinstance(each, Undecided)),
        ]
        yield from unread[:1] or ["yes"]


def _targets(estate: Estate, rule: Resource, group: Resource, bus: Resource | None) -> Iterator[str | Undecided]:
    for target in estate.of(EVENT_TARGET):
        if rule not in linked(estate, target, "rule", EVENT_RULE):
            continue
        buses = linked(estate, target, "arn", EVENT_BUS)
        if not buses:
            if not target.at("arn").absent:
                yield "yes"
        elif bus is None:  # passed on to a bus of this stack: what happens there counts
            yield from _routes(estate, group, buses[0])


def _takes_up(pattern: Any, group: Resource) -> bool | Undecided:
    """Whether an event pattern fits the approval of a version of a group."""
    if not isinstance(pattern, dict):
        return False
    detail = pattern.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    if not any(key in pattern for key in _CHANGE):
        return False
    if not all(_fits(pattern[key], value) for key, value in _CHANGE.items() if key in pattern):
        return False
    if "ModelApprovalStatus" in detail and not _fits(detail["ModelApprovalStatus"], "Approved"):
        return False
    name = group.at("modelPackageGroupName")
    if "ModelPackageGroupName" not in detail:
        return True
    return Undecided(name.path, group.urn) if name.unknown else _fits(detail["ModelPackageGroupName"], name.text)


def _fits(wanted: Any, text: str) -> bool:
    """Whether a text fits one of the values of an event pattern."""
    return any(_matches(each, text) for each in wanted) if isinstance(wanted, list) else False


def _matches(wanted: Any, text: str) -> bool:
    if not isinstance(wanted, dict):
        return bool(wanted == text)
    for operator, value in wanted.items():
        values: Sequence[Any] = value if isinstance(value, list) else [value]
        if operator == "anything-but":
            return not any(_matches(each, text) for each in values)
        if operator == "exists":
            return bool(value)
        if operator == "equals-ignore-case":
            return str(value).lower() == text.lower()
        if operator in ("prefix", "suffix", "wildcard"):
            return fnmatchcase(text, {"prefix": f"{value}*", "suffix": f"*{value}"}.get(operator, str(value)))
    return False


def _stops_for_approval(pipeline: Resource) -> bool:
    """Whether somebody has to approve before a pipeline deploys."""
    order = [
        (place, action.at("runOrder").number or 1, action.at("category").text)
        for place, stage in enumerate(pipeline.each("stages[]"))
        for action in stage.each("actions[]")
    ]
    approvals = [each[:2] for each in order if each[2] == "Approval"]
    deploys = [each[:2] for each in order if each[2] in ("Deploy", "Invoke")]
    return bool(approvals) and (not deploys or min(approvals) < min(deploys))


def _gcp(estate: Estate, settings: Settings) -> Findings:
    endpoints = [each for each in estate.of(AI_ENDPOINT) if settings.production(each)]
    routes = [
        *((each, "requireApproval", None) for each in estate.of(DEPLOY_TARGET)),
        *((each, "approvalConfig.approvalRequired", "disabled") for each in estate.of(BUILD_TRIGGER)),
    ]
    open_ones = [(each, path) for each, path, off in routes if not (off and each.at(off).true)]
    if not endpoints or any(each.at(path).true for each, path in open_ones):
        return
    if unread := [Undecided(path, each.urn) for each, path in open_ones if each.at(path).unknown]:
        yield from unread
        return
    for endpoint in endpoints:
        yield Violation(
            "labels",
            f"{endpoint.name}: nothing in this stack asks for approval before a model is deployed; a Cloud Deploy "
            "target with requireApproval or a Cloud Build trigger with approvalConfig is needed",
            endpoint.urn,
        )


def _azure(estate: Estate, settings: Settings) -> Findings:
    # A registry sends no events of its own: the route hangs on a workspace, and where a stack has none it is elsewhere.
    if not [each for each in estate.of(WORKSPACE) if settings.production(each)]:
        return
    outcomes = list(map(_hears_of_models, estate.of(*SUBSCRIPTIONS)))
    if "yes" in outcomes:
        return
    if unread := [each for each in outcomes if isinstance(each, Undecided)]:
        yield from unread
        return
    registries = [each for each in estate.of(REGISTRY) if settings.production(each)]
    for each in registries or estate.of(WORKSPACE):
        yield Violation(
            "tags",
            f"{each.name}: no event subscription with a destination hears of registered models; one on "
            f"{_REGISTERED} is needed",
            each.urn,
        )


def _hears_of_models(subscription: Resource) -> str | Undecided:
    wanted = subscription.each("filter.includedEventTypes[]")
    if all(subscription.at(path).absent for path in _DECIDES):
        return "no"
    if any(node.absent or node.text.lower() == _REGISTERED.lower() for node in wanted):
        return "yes"
    unread = [node for node in wanted if node.unknown]
    return Undecided(unread[0].path, subscription.urn) if unread else "no"


def _only_approvers(estate: Estate, settings: Settings) -> Findings:
    patterns = settings[APPROVERS]
    for policy in estate.of(GROUP_POLICY):
        node = policy.at("resourcePolicy")
        document = Document.of(node)
        if document is None:
            if node.unknown or (node.known and not node.document().complete and not node.document().absent):
                yield Undecided("resourcePolicy", policy.urn)
            continue
        known = {key.replace("__", ":").lower(): value for key, value in APPROVED.items()}
        for statement in document.allowing:
            if not statement.reaches("sagemaker:UpdateModelPackage") or not may_hold(statement, known):
                continue
            named = statement.limited_to("aws:PrincipalArn") or [each.value for each in statement.principals]
            others = [each for each in named if not _named(each, patterns)]
            if statement.public or (patterns and others):
                yield Violation(
                    "resourcePolicy",
                    f"resourcePolicy: {statement.name} lets others than approvers approve versions; "
                    "UpdateModelPackage is for named approvers, or without ModelApprovalStatus",
                    policy.urn,
                )
    if not patterns:
        return
    for identity in identities(estate):
        if settings.production(identity.resource) and not _named(identity.name, patterns):
            yield from identity.unknown
            approves = [each for each in APPROVE if identity.may(each, **APPROVED)]
            if approves and not identity.unknown:
                yield Violation(
                    "",
                    f"{identity.name} may {approves[0]} as Approved and is none of the approvers",
                    identity.resource.urn,
                )
    for grant in gcp_grants(estate):
        yield from (Undecided(path, grant.resource.urn) for path in grant.unknown)
        if grant.may("clouddeploy.rollouts.approve") or grant.may("cloudbuild.builds.approve"):
            for holder in grant.holders:
                if not _named(holder.rpartition("::")[2], patterns):
                    yield Violation(
                        grant.path,
                        f"{grant.path}: who holds this may approve and is none of the approvers",
                        grant.resource.urn,
                    )


def _off(node: Node) -> bool:
    return node.known and not node.true


def _named(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in patterns)
