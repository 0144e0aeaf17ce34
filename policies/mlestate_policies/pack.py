"""The rules as a policy pack of Pulumi's: a pack's `__main__.py` is `serve("aws")` and nothing else.

`pulumi_policy` starts a server and never returns, so only a pack's entry calls `serve`. Its first line on standard
output is the port: nothing here prints.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import grpc
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import proto
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import policy as sdk
from pulumi_policy.deserialize import deserialize_properties, serialize_properties
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from mlestate_policies.checks import NOT_SHOWN, shown
from mlestate_policies.configuration import (
    HOUSEKEEPING,
    SETTINGS,
    SETTINGS_SCHEMA,
    ConfigurationWrong,
    default_level,
    settings_of,
)
from mlestate_policies.judge import broken, level_of, pack_of, unchecked_types, unknown_yet
from mlestate_policies.resources import Estate, Resource, normal_type
from mlestate_policies.rules import Rule, Violation, rules
from mlestate_policies.settings import Settings
from mlestate_policies.values import Node

__all__ = ["Servicer", "policies", "serve"]

_LEVELS: Final = {
    "advisory": proto.ADVISORY,
    "mandatory": proto.MANDATORY,
    "disabled": proto.DISABLED,
    "remediate": proto.REMEDIATE,
}
_WORDS: Final = {number: word for word, number in _LEVELS.items()}


class _Current:
    """The settings that the engine configured; replaced whole, read by several threads."""

    settings = Settings()


class Servicer(sdk._PolicyAnalyzerServicer):
    """The SDK's servicer, which keeps each policy's configuration from all others: here all of it is read at once.

    So a rule that does not exist is refused, where Pulumi passes over it, and a profile sets levels.
    """

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        given = {
            name: _WORDS[config.enforcementLevel] for name, config in request.policyConfig.items() if name != "all"
        }
        own = MessageToDict(request.policyConfig[SETTINGS].properties) if SETTINGS in request.policyConfig else None
        try:
            settings = settings_of(own, given)
        except ConfigurationWrong as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the policy pack's configuration is wrong:\n{error}")
        _Current.settings = settings
        configured = proto.ConfigureAnalyzerRequest()
        configured.CopyFrom(request)
        for rule in rules():
            level = settings.levels.get(rule.id) or level_of(rule, settings)
            configured.policyConfig[rule.name].enforcementLevel = _LEVELS[level]
        for name in HOUSEKEEPING:  # a waiver that is over fails every run; the others only tell
            if name == SETTINGS:
                configured.policyConfig[name].enforcementLevel = proto.MANDATORY
            elif given.get(name) != "disabled":
                configured.policyConfig[name].enforcementLevel = proto.ADVISORY
        return super().Configure(configured, context)  # type: ignore[no-untyped-call]  # the SDK's is untyped

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        return _answered(super().Analyze, request, context)

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        return _answered(super().AnalyzeStack, request, context)


_call: Final = threading.local()
"""What one request has in common: the estate, which the SDK makes anew for every policy, and the rules that raised."""


def _answered(method: Any, request: Any, context: Any) -> Any:
    """The SDK's answer, in which a rule that raised stops the run also where it only advises."""
    _call.estate, _call.broken = None, set()
    try:
        response = method(request, context)
        secrets = set(_secrets(request)) if response.diagnostics else ()
        for each in response.diagnostics:
            if each.policyName in _call.broken:
                each.enforcementLevel = proto.MANDATORY
            for value in secrets:
                each.message = each.message.replace(shown(value), NOT_SHOWN)
        return response
    finally:
        _call.estate = None


def _secrets(request: Any) -> Iterator[str]:
    """The texts that are secret in a request, which the SDK opens before a policy sees them."""
    for subject in getattr(request, "resources", (request,)):
        yield from Node(MessageToDict(subject.properties)).secrets()


def serve(cloud: str) -> None:
    """Serve the rules of a cloud, or of `any`, to Pulumi; returns when Pulumi ends it."""
    setattr(sdk, Servicer.__mro__[1].__name__, Servicer)  # the constructor below makes its servicer by this name
    PolicyPack(
        name=f"mlestate-{cloud}",
        policies=policies(cloud),
        enforcement_level=EnforcementLevel.MANDATORY,
        description=f"What an MLOps estate keeps: {sum(rule.cloud == cloud for rule in rules())} rules",
        provider=None if cloud == "any" else cloud,
    )


def policies(cloud: str) -> list[Policy]:
    """The policies of a pack: its rules, and three that say what the rules leave open."""
    return [
        *(
            _resource_policy(rule) if rule.kind == "resource" else _stack_policy(rule)
            for rule in rules()
            if rule.cloud == cloud
        ),
        StackValidationPolicy(
            name=SETTINGS,
            description="No waiver is over; this policy holds the settings of all the others",
            validate=_expired(cloud),
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=PolicyConfigSchema(properties=dict(SETTINGS_SCHEMA)),
        ),
        StackValidationPolicy(
            name="mlestate-waived",
            description="Violations that somebody answers for",
            validate=_waived(cloud),
            enforcement_level=EnforcementLevel.ADVISORY,
        ),
        StackValidationPolicy(
            name="mlestate-unchecked",
            description="Resource types that no rule looks at",
            validate=_unchecked(cloud),
            enforcement_level=EnforcementLevel.ADVISORY,
        ),
    ]


def _facts(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.statement,
        "enforcement_level": EnforcementLevel(default_level(rule)),
        "display_name": f"{rule.id} {rule.statement}",
        "severity": Severity(rule.severity),
        "tags": [*rule.sources, *rule.evidences],
        "remediation_steps": rule.fix,
    }


def _resource_policy(rule: Rule) -> ResourceValidationPolicy:
    everything = "*" in rule.paths

    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        token = normal_type(args.resource_type)
        if everything or token in rule.paths:
            _report(rule, _of_args(args, token), report_violation)

    def remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        token = normal_type(args.resource_type)
        return _remedied(rule, args, token) if token in rule.paths else None

    return ResourceValidationPolicy(
        validate=validate, remediate=cast(Any, remediate) if rule.remedy else None, **_facts(rule)
    )


def _stack_policy(rule: Rule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        _report(rule, _estate(args), report_violation)

    return StackValidationPolicy(validate=validate, **_facts(rule))


def _report(rule: Rule, subject: Resource | Estate, report_violation: ReportViolation) -> None:
    """Every definite violation first; then, by the SDK's own exception, what could not be decided.

    Raises:
        UnknownValueError: something is known only after the update. The SDK makes it an advisory line.
    """
    settings = _Current.settings
    urn = subject.urn if isinstance(subject, Resource) else ""
    undecided: list[str] = []
    try:
        found = list(rule.judge(subject, settings))
    except Exception as error:  # the SDK would end the whole run without a word on which rule it was
        _call.broken.add(rule.name)
        report_violation(broken(rule, error), urn or None)
        return
    for each in found:
        where = each.urn or urn
        if settings.waiver(rule.id, where) is not None:
            continue
        if isinstance(each, Violation):
            report_violation(f"{each.message}. {rule.fix}", where or None)
        elif settings.undecided == "mandatory":
            report_violation(unknown_yet(each), where or None)
        else:
            undecided.append(each.path)
    if undecided:
        raise UnknownValueError(UNKNOWN_STRING_VALUE, [", ".join(undecided)])


def _remedied(rule: Rule, args: ResourceValidationArgs, token: str) -> Mapping[str, Any] | None:
    """The properties with the rule's remedy where the rule is broken; None where it is kept or a person waived it."""
    raw = serialize_properties(args.props)
    resource = Resource(token, args.urn, Node(raw), protect=args.opts.protect)
    settings = _Current.settings
    try:
        broken_at = {
            re.sub(r"\[\d+\]", "[]", each.path)
            for each in rule.judge(resource, settings)
            if isinstance(each, Violation)
        }
    except Exception:  # the validation that follows tells of it
        return None
    mending = [(path, value) for path, value in rule.remedy.items() if path in broken_at and path in rule.paths[token]]
    if not mending or settings.waiver(rule.id, args.urn):
        return None
    changed = dict(raw)
    for path, value in mending:
        _put(changed, path.split("."), value)
    return deserialize_properties(changed, True)


def _put(inside: Any, steps: list[str], value: Any) -> None:
    """Set what is behind a path in Pulumi's wire form, in every item of a list; a secret stays one."""
    key, rest = steps[0].removesuffix("[]"), steps[1:]
    if not rest:
        inside[key] = value
    elif steps[0].endswith("[]"):
        for item in inside.get(key) or []:
            _put(item, rest, value)
    else:
        if not isinstance(inside.get(key), dict):
            inside[key] = {}
        _put(inside[key].get("value", inside[key]), rest, value)


def _of_args(args: ResourceValidationArgs, token: str) -> Resource:
    provider = args.provider
    return Resource(
        token,
        args.urn,
        Node(args.props),
        parent=args.opts.parent or None,
        protect=args.opts.protect,
        provider=Node(provider.props if provider else None),
    )


def _of_stack(given: PolicyResource) -> Resource:
    provider = given.provider
    return Resource(
        normal_type(given.resource_type),
        given.urn,
        Node(given.props),
        parent=given.parent.urn if given.parent else None,
        protect=given.opts.protect,
        provider=Node(provider.props if provider else None),
        dependencies=tuple(each.urn for each in given.dependencies),
        property_dependencies={
            key: tuple(each.urn for each in others) for key, others in given.property_dependencies.items()
        },
    )


def _estate(args: StackValidationArgs) -> Estate:
    if getattr(_call, "estate", None) is None:
        _call.estate = Estate(map(_of_stack, args.resources))
    estate: Estate = _call.estate
    return estate


def _expired(cloud: str) -> Any:
    def validate(_args: StackValidationArgs, report_violation: ReportViolation) -> None:
        for waiver in _Current.settings.expired:
            if _is_of(waiver.rule, cloud):
                report_violation(f"this waiver is over; mend what it waives or renew it: {waiver}", None)

    return validate


def _waived(cloud: str) -> Any:
    def validate(_args: StackValidationArgs, report_violation: ReportViolation) -> None:
        settings = _Current.settings
        for waiver in settings.waivers:
            if waiver not in settings.expired and _is_of(waiver.rule, cloud):
                report_violation(str(waiver), None)

    return validate


def _unchecked(cloud: str) -> Any:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        counted = unchecked_types(normal_type(each.resource_type) for each in args.resources)
        lines = [f"{number} of {token}" for token, number in counted.items() if pack_of(token) == cloud]
        if lines:
            report_violation(f"no rule looks at: {', '.join(lines)}", None)

    return validate


def _is_of(rule: str, cloud: str) -> bool:
    return any(each.id == rule and each.cloud == cloud for each in rules())
