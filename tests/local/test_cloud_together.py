"""What the services refuse of properties taken together; each rule's source stands in `local/aws/together.py`."""

from typing import Any

import pytest

from mlestate.local.aws.together import RULES
from mlestate.local.markers import SECRET, SIGNATURE, UNKNOWN
from tests.local.cloud_calls import Caller
from tests.local.cloud_cases import AWS, KEY

CONFIG = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ENDPOINT, GROUP = "aws:sagemaker/endpoint:Endpoint", "aws:sagemaker/featureGroup:FeatureGroup"
ALARM, COMPOSITE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"
RULE, TRAIL, TABLE = "aws:cloudwatch/eventRule:EventRule", "aws:cloudtrail/trail:Trail", "aws:dynamodb/table:Table"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
SCALING = "aws:appautoscaling/target:Target"

VARIANT = AWS[CONFIG]["productionVariants"][0]
SHADOW = {**VARIANT, "variantName": "shadow"}
SERVERLESS = {
    "variantName": "champion",
    "modelName": "churn",
    "serverlessConfig": {"memorySizeInMb": 2048, "maxConcurrency": 5},
}
QUERY = {"id": "m1", "expression": "m2 / m3"}


def refusals(token: str, **changes: Any) -> dict[str, str]:
    return Caller("aws").failures(token, {**AWS[token], **changes})


def traffic(**routing: Any) -> dict[str, Any]:
    routing = {"waitIntervalInSeconds": 60, **routing}
    return {"blueGreenUpdatePolicy": {"trafficRoutingConfiguration": routing}}


CANARY = "deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration"


@pytest.mark.parametrize(
    ("token", "changes", "where", "sentence"),
    [
        (CONFIG, {"productionVariants": [{**VARIANT, "instanceType": "ml.g5.xlarge"}], "kmsKeyArn": KEY}, "kmsKeyArn",
         "ml.g5.xlarge has local storage"),
        (CONFIG, {"productionVariants": [{**VARIANT, "instanceType": "ml.m5d.large"}], "kmsKeyArn": KEY}, "kmsKeyArn",
         "ml.m5d.large has local storage"),
        (CONFIG, {"productionVariants": [VARIANT, VARIANT]}, "productionVariants", "a name of its own"),
        (CONFIG, {"productionVariants": [VARIANT, {**VARIANT, "variantName": "b"}],
                  "shadowProductionVariants": [SHADOW]}, "shadowProductionVariants", "one production and one shadow"),
        (CONFIG, {"productionVariants": [SERVERLESS], "kmsKeyArn": None}, "dataCaptureConfig",
         "a serverless variant excludes it"),
        (ENDPOINT, {"deploymentConfig": traffic(type="CANARY")}, f"{CANARY}.canarySize", "CANARY needs canarySize"),
        (ENDPOINT, {"deploymentConfig": traffic(type="CANARY", canarySize={"type": "CAPACITY_PERCENT", "value": 60})},
         f"{CANARY}.canarySize.value", "expected from 1 to 50 percent, got 60"),
        (ENDPOINT, {"deploymentConfig": traffic(type="ALL_AT_ONCE",
                                                linearStepSize={"type": "CAPACITY_PERCENT", "value": 10})},
         f"{CANARY}.linearStepSize", "linearStepSize is for LINEAR, and the type is ALL_AT_ONCE"),
        (GROUP, {"eventTimeFeatureName": "when"}, "eventTimeFeatureName", "'when' is none of the feature definitions"),
        (GROUP, {"featureDefinitions": [*AWS[GROUP]["featureDefinitions"],
                                        {"featureName": "write_time", "featureType": "String"}]},
         "featureDefinitions", "'write_time' is a name that Feature Store keeps"),
        (GROUP, {"featureDefinitions": [{"featureName": "id", "featureType": "String"},
                                        {"featureName": "ts", "featureType": "Integral"}]},
         "eventTimeFeatureName", "a String or Fractional feature"),
        (GROUP, {"onlineStoreConfig": {"enableOnlineStore": False}}, "onlineStoreConfig", "has an online store"),
        (GROUP, {"offlineStoreConfig": {
            "s3StorageConfig": {"s3Uri": "s3://b/features"},
            "disableGlueTableCreation": False,
            "dataCatalogConfig": {"catalog": "AwsDataCatalog", "database": "lake", "tableName": "t"}}},
         "offlineStoreConfig.disableGlueTableCreation", "excludes the automatic Glue table"),
        (SCALING, {"minCapacity": 5, "maxCapacity": 2}, "minCapacity", "5 is more than maxCapacity, 2"),
        (ALARM, {"metricName": None}, "metricName", "one metric (metricName) or metricQueries"),
        (ALARM, {"statistic": None}, "statistic", "one of statistic and extendedStatistic"),
        (ALARM, {"metricName": None, "namespace": None, "metricQueries": [QUERY, {**QUERY, "id": "m4"}]},
         "metricQueries", "exactly one query has returnData"),
        (ALARM, {"period": 90}, "period", "expected 10, 20, 30 or a multiple of 60 seconds, got 90"),
        (ALARM, {"datapointsToAlarm": 3}, "datapointsToAlarm", "of 2 evaluation periods, not more"),
        (ALARM, {"period": 3600, "evaluationPeriods": 200}, "evaluationPeriods", "together pass a day"),
        (COMPOSITE, {"alarmRule": "ALARM(a) OK(b)"}, "alarmRule", "no rule of ALARM()"),
        (COMPOSITE, {"alarmRule": 'ALARM("a") && OK(b)'}, "alarmRule", "at '&&'"),
        (COMPOSITE, {"alarmRule": "(ALARM(a) OR OK(b)"}, "alarmRule", "no rule of ALARM()"),
        (RULE, {"eventPattern": None}, "eventPattern", "a scheduleExpression, or both"),
        (RULE, {"scheduleExpression": "rate(1 hour)", "eventBusName": "ml"}, "scheduleExpression", "default event bus"),
        (TRAIL, {"eventSelectors": [{"readWriteType": "All"}], "advancedEventSelectors": [
            {"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}]},
         "advancedEventSelectors", "not both"),
        (TRAIL, {"eventSelectors": None, "advancedEventSelectors": [
            {"fieldSelectors": [{"field": "resources.type", "equals": ["AWS::S3::Object"]}]}]},
         "advancedEventSelectors[0].fieldSelectors", "says its eventCategory"),
        (TABLE, {"attributes": [{"name": "id", "type": "S"}, {"name": "more", "type": "S"}]}, "attributes",
         "the attributes are those of the keys (id), got id, more"),
        (INGRESS, {"cidrIpv4": "10.0.0.0/8"}, "", "exactly one of cidrIpv4"),
        (EGRESS, {"fromPort": 443, "toPort": 443}, "fromPort", "names no ports"),
        (LIFECYCLE, {"rules": [{"id": "a", "status": "Enabled", "filter": {"prefix": ""},
                                "transitions": [{"days": 10, "storageClass": "STANDARD_IA"}]}]},
         "rules[0].transitions[0].days", "at least 30 days old, got 10"),
        (LIFECYCLE, {"rules": [{"id": "a", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 60},
                                "transitions": [{"days": 60, "storageClass": "GLACIER"}]}]},
         "rules[0].transitions[0].days", "objects expire after 60 days"),
    ],
)  # fmt: skip
def test_what_a_service_refuses_of_properties_together_is_refused(
    token: str, changes: dict[str, Any], where: str, sentence: str
) -> None:
    found = refusals(token, **changes)
    assert sentence in found.get(where, ""), found


@pytest.mark.parametrize(
    ("token", "changes"),
    [
        (CONFIG, {"productionVariants": [{**VARIANT, "instanceType": "ml.g5.xlarge"}], "kmsKeyArn": None}),
        (CONFIG, {"shadowProductionVariants": [SHADOW]}),
        (CONFIG, {"productionVariants": [SERVERLESS], "kmsKeyArn": None, "dataCaptureConfig": None}),
        (ENDPOINT, {"deploymentConfig": traffic(type="CANARY", canarySize={"type": "CAPACITY_PERCENT", "value": 10})}),
        (ALARM, {"metricName": None, "metricQueries": [{**QUERY, "returnData": True}]}),
        (ALARM, {"period": 86400, "evaluationPeriods": 7}),
        (COMPOSITE, {"alarmRule": 'NOT (ALARM("a b") OR OK(b)) AND TRUE'}),
        (RULE, {"eventPattern": None, "scheduleExpression": "rate(1 hour)"}),
        (EGRESS, {"cidrIpv4": None, "prefixListId": "pl-1"}),
    ],
)
def test_what_a_service_takes_together_is_taken(token: str, changes: dict[str, Any]) -> None:
    assert refusals(token, **changes) == {}


def test_a_sentence_about_properties_together_repeats_no_secret() -> None:
    hidden = {SIGNATURE: SECRET, "value": "ALARM(hush) hush"}
    assert "hush" not in refusals(COMPOSITE, alarmRule=hidden)["alarmRule"]


@pytest.mark.parametrize("token", RULES)
def test_nothing_is_said_of_properties_together_while_one_is_not_known(token: str) -> None:
    for name in AWS[token]:
        assert refusals(token, **{name: UNKNOWN}) == {}, "what is not known yet cannot be wrong yet"
