"""What services refuse of properties taken together, which their models do not say: each row names its source."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlestate.local.aws.json_text import Finding
from mlestate.local.schema import Failure
from mlestate.local.wire import has_unknown, revealed

Inputs = Mapping[str, Any]

# Families with local NVMe storage: the "d" ones and those of accelerators (EC2 user guide, "Instance store volumes").
_LOCAL_STORAGE = re.compile(r"ml\.([a-z]+\d+[a-z]*d[a-z]*|g4dn|g5|g6|g6e|p4de?|p5e?n?|trn\d\w*|inf2)\..*")
_SERVERLESS_HAS_NO = ("dataCaptureConfig", "shadowProductionVariants", "asyncInferenceConfig")
_RESERVED_FEATURES = ("is_deleted", "write_time", "api_invocation_time")
_ALARM_RULE = re.compile(
    r"""\s*(?:(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:"[^"]+"|'[^']+'|[^()"'\s]+)\s*\)|TRUE|FALSE)\s*"""
)


def _endpoint_configuration(inputs: Inputs) -> Iterator[Finding]:
    """SageMaker API reference, CreateEndpointConfig (KmsKeyId, ShadowProductionVariants); SageMaker developer guide,
    "Deploy models with Amazon SageMaker Serverless Inference" (feature exclusions) and "Shadow tests".
    """
    variants = [each for each in inputs.get("productionVariants") or () if isinstance(each, dict)]
    shadows = [each for each in inputs.get("shadowProductionVariants") or () if isinstance(each, dict)]
    names = [each["variantName"] for each in (*variants, *shadows) if each.get("variantName")]
    if len(set(names)) != len(names):
        yield ("productionVariants",), f"every variant has a name of its own, got {', '.join(names)}"
    if shadows and (len(variants), len(shadows)) != (1, 1):
        yield (
            ("shadowProductionVariants",),
            f"a shadow test has one production and one shadow variant, got {len(variants)} and {len(shadows)}",
        )
    for index, variant in enumerate(variants):
        if variant.get("serverlessConfig"):
            for name in _SERVERLESS_HAS_NO:
                if inputs.get(name):
                    yield (name,), "a serverless variant excludes it"
            if len(variants) > 1:
                yield ("productionVariants", index), "a serverless endpoint has one variant"
        elif inputs.get("kmsKeyArn") and _LOCAL_STORAGE.fullmatch(str(variant.get("instanceType"))):
            yield (
                ("kmsKeyArn",),
                f"{variant['instanceType']} has local storage, which its hardware encrypts: CreateEndpointConfig takes "
                "no KmsKeyId for it",
            )


def _endpoint(inputs: Inputs) -> Iterator[Finding]:
    """SageMaker API reference, TrafficRoutingConfig, BlueGreenUpdatePolicy and RollingUpdatePolicy."""
    config = inputs.get("deploymentConfig") or {}
    routing = (config.get("blueGreenUpdatePolicy") or {}).get("trafficRoutingConfiguration") or {}
    kind = routing.get("type")
    where = ("deploymentConfig", "blueGreenUpdatePolicy", "trafficRoutingConfiguration")
    if config.get("blueGreenUpdatePolicy") and config.get("rollingUpdatePolicy"):
        yield ("deploymentConfig",), "a deployment is blue/green or rolling, not both"
    for name, wanted, least, most in (("canarySize", "CANARY", 1, 50), ("linearStepSize", "LINEAR", 10, 50)):
        size = routing.get(name)
        if kind == wanted and not size:
            yield (*where, name), f"{wanted} needs {name}"
        elif size and kind != wanted:
            yield (*where, name), f"{name} is for {wanted}, and the type is {kind}"
        elif size and size.get("type") == "CAPACITY_PERCENT" and not least <= size.get("value", least) <= most:
            yield (*where, name, "value"), f"expected from {least} to {most} percent, got {size['value']}"


def _feature_group(inputs: Inputs) -> Iterator[Finding]:
    """SageMaker API reference, CreateFeatureGroup; aws/sagemaker-python-sdk issue 2916 (Glue tables)."""
    types = {each.get("featureName"): each.get("featureType") for each in inputs.get("featureDefinitions") or ()}
    for name in ("recordIdentifierFeatureName", "eventTimeFeatureName"):
        if types and inputs.get(name) not in types:
            yield (name,), f"{inputs.get(name)!r} is none of the feature definitions"
    if types.get(inputs.get("eventTimeFeatureName"), "String") not in ("String", "Fractional"):
        yield ("eventTimeFeatureName",), "the event time is a String or Fractional feature"
    for name in _RESERVED_FEATURES:
        if name in types:
            yield ("featureDefinitions",), f"{name!r} is a name that Feature Store keeps for itself"
    offline = inputs.get("offlineStoreConfig") or {}
    if not offline and not (inputs.get("onlineStoreConfig") or {}).get("enableOnlineStore"):
        yield ("onlineStoreConfig",), "a feature group has an online store, an offline store, or both"
    if offline.get("dataCatalogConfig") and offline.get("disableGlueTableCreation") is False:
        yield (
            ("offlineStoreConfig", "disableGlueTableCreation"),
            "a table of one's own (dataCatalogConfig) excludes the automatic Glue table",
        )


def _scalable_target(inputs: Inputs) -> Iterator[Finding]:
    """Application Auto Scaling API reference, RegisterScalableTarget."""
    if inputs["minCapacity"] > inputs["maxCapacity"]:
        yield ("minCapacity",), f"{inputs['minCapacity']} is more than maxCapacity, {inputs['maxCapacity']}"


def _metric_alarm(inputs: Inputs) -> Iterator[Finding]:
    """CloudWatch API reference, PutMetricAlarm."""
    queries = inputs.get("metricQueries") or []
    if bool(queries) == bool(inputs.get("metricName")):
        yield ("metricName",), "an alarm watches one metric (metricName) or metricQueries"
    if queries and len([each for each in queries if each.get("returnData") is True]) != 1:
        yield ("metricQueries",), "exactly one query has returnData, and is what the threshold is for"
    if inputs.get("metricName") and bool(inputs.get("statistic")) == bool(inputs.get("extendedStatistic")):
        yield ("statistic",), "one of statistic and extendedStatistic is needed"
    period = inputs.get("period", 60)
    if period not in (10, 20, 30) and period % 60:
        yield ("period",), f"expected 10, 20, 30 or a multiple of 60 seconds, got {period}"
    if inputs.get("datapointsToAlarm", 0) > inputs["evaluationPeriods"]:
        yield ("datapointsToAlarm",), f"of {inputs['evaluationPeriods']} evaluation periods, not more"
    if period * inputs["evaluationPeriods"] > (86400 if period < 3600 else 604800):
        yield ("evaluationPeriods",), "the periods together pass a day (seven, for periods of an hour and longer)"


def _composite_alarm(inputs: Inputs) -> Iterator[Finding]:
    """CloudWatch API reference, PutCompositeAlarm: ALARM(), OK(), INSUFFICIENT_DATA(), TRUE, FALSE, AND, OR, NOT."""
    rest = _ALARM_RULE.sub(" x ", inputs["alarmRule"])
    words = rest.replace("(", " ").replace(")", " ").split()
    wrong = [word for word in words if word not in ("x", "AND", "OR", "NOT")]
    operands = words.count("x")
    if wrong or rest.count("(") != rest.count(")") or operands - words.count("AND") - words.count("OR") != 1:
        near = f" at {wrong[0]!r}" if wrong else ""
        yield ("alarmRule",), f"no rule of ALARM(), OK(), INSUFFICIENT_DATA(), AND, OR and NOT{near}"


def _event_rule(inputs: Inputs) -> Iterator[Finding]:
    """EventBridge API reference, PutRule."""
    if not inputs.get("eventPattern") and not inputs.get("scheduleExpression"):
        yield ("eventPattern",), "a rule has an eventPattern, a scheduleExpression, or both"
    if inputs.get("scheduleExpression") and inputs.get("eventBusName", "default") != "default":
        yield ("scheduleExpression",), "a schedule runs on the default event bus alone"


def _trail(inputs: Inputs) -> Iterator[Finding]:
    """CloudTrail API reference, PutEventSelectors: advanced selectors replace the management events of the default."""
    if inputs.get("eventSelectors") and inputs.get("advancedEventSelectors"):
        yield ("advancedEventSelectors",), "a trail has event selectors or advanced ones, not both"
    for index, selector in enumerate(inputs.get("advancedEventSelectors") or ()):
        if "eventCategory" not in [each.get("field") for each in selector.get("fieldSelectors") or ()]:
            yield ("advancedEventSelectors", index, "fieldSelectors"), "every selector says its eventCategory"


def _table(inputs: Inputs) -> Iterator[Finding]:
    """DynamoDB API reference, CreateTable."""
    keys = {inputs.get("hashKey"), inputs.get("rangeKey")} - {None}
    for kind in ("globalSecondaryIndexes", "localSecondaryIndexes"):
        keys |= {index.get(key) for index in inputs.get(kind) or () for key in ("hashKey", "rangeKey")} - {None}
    given = {each.get("name") for each in inputs.get("attributes") or ()}
    if keys != given:
        yield (
            ("attributes",),
            (
                f"the attributes are those of the keys ({', '.join(sorted(map(str, keys)))}), got "
                f"{', '.join(sorted(map(str, given)))}"
            ),
        )


def _security_rule(inputs: Inputs) -> Iterator[Finding]:
    """EC2 API reference, IpPermission."""
    ends = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
    given = [name for name in ends if inputs.get(name)]
    if len(given) != 1:
        yield (), f"a rule has exactly one of {', '.join(ends)}, got {', '.join(given) or 'none'}"
    if inputs.get("ipProtocol") == "-1" and (inputs.get("fromPort"), inputs.get("toPort")) != (None, None):
        yield ("fromPort",), "a rule for every protocol (-1) names no ports"


def _lifecycle(inputs: Inputs) -> Iterator[Finding]:
    """S3 user guide, "Lifecycle and other bucket configurations" and "Transitioning objects"."""
    ids = [rule.get("id") for rule in inputs.get("rules") or ()]
    if len(set(ids)) != len(ids):
        yield ("rules",), f"every rule has an id of its own, got {', '.join(map(str, ids))}"
    for index, rule in enumerate(inputs.get("rules") or ()):
        gone = (rule.get("expiration") or {}).get("days")
        for position, step in enumerate(rule.get("transitions") or ()):
            days = step.get("days") or 0
            where = ("rules", index, "transitions", position, "days")
            if step.get("storageClass") in ("STANDARD_IA", "ONEZONE_IA") and days < 30:
                yield where, f"{step['storageClass']} takes what is at least 30 days old, got {days}"
            if gone and days >= gone:
                yield where, f"objects expire after {gone} days and cannot change their class after {days}"


RULES: Mapping[str, Callable[[Inputs], Iterator[Finding]]] = {
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": _endpoint_configuration,
    "aws:sagemaker/endpoint:Endpoint": _endpoint,
    "aws:sagemaker/featureGroup:FeatureGroup": _feature_group,
    "aws:appautoscaling/target:Target": _scalable_target,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _composite_alarm,
    "aws:cloudwatch/eventRule:EventRule": _event_rule,
    "aws:cloudtrail/trail:Trail": _trail,
    "aws:dynamodb/table:Table": _table,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _security_rule,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _security_rule,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _lifecycle,
}


def check(resource: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """What is wrong with the inputs of a resource as a whole; nothing is said while some are not known."""
    rule = RULES.get(resource)
    if rule is None or has_unknown(dict(inputs)):
        return []
    said = revealed(dict(inputs))
    found = [Failure(path, sentence) for path, sentence in rule(said)]
    if found and said != inputs:  # a sentence may repeat a value, and one of them is a secret
        return [Failure(each.path, "the cloud does not take it beside the other properties") for each in found]
    return found
