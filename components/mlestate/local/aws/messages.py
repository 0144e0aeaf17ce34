"""Logs, alarms, events, schedules, state machines, topics and queues: what the provider calls and returns, and what the
services take."""

from collections.abc import Mapping

from mlestate.local.aws.rows import HERE, Operation, arn, document, global_arn, number, one_of, setting, text, under
from mlestate.local.kind import Kind

# CloudWatch Logs API reference, PutRetentionPolicy; 0 is the provider's word for never.
_RETENTIONS = one_of(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
                     3288, 3653)  # fmt: skip
_FEEDBACK = " ".join(
    f"{protocol}{outcome}"
    for protocol in ("application", "firehose", "http", "lambda", "sqs")
    for outcome in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
)

KINDS: Mapping[str, Kind] = {
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        "{name}",
        {"arn": arn("logs", "log-group:{name}"), "logGroupClass": "STANDARD", "deletionProtectionEnabled": False},
        "name",
        HERE,
        "ResourceAlreadyExistsException: The specified log group already exists",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        "{name}",
        {"arn": arn("cloudwatch", "alarm:{name}"), "evaluateLowSampleCountPercentiles": ""},
        "name",
        HERE,
    ),
    "aws:cloudwatch/eventRule:EventRule": Kind("{bus}{name}", {"arn": arn("events", "rule/{bus}{name}")}, "name", HERE),
    "aws:cloudwatch/eventBus:EventBus": Kind(
        "{name}",
        {"arn": arn("events", "event-bus/{name}")},
        "name",
        HERE,
        "ResourceAlreadyExistsException: Event bus {name} already exists.",
    ),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": setting("{eventBusName}"),
    "aws:cloudwatch/eventTarget:EventTarget": Kind(
        "{dashedBus}{rule}-{targetId}", unique=HERE, generates={"targetId": "pulumi-{hex:26}"}
    ),
    "aws:sns/topic:Topic": Kind(
        arn("sns", "{name}"),
        {
            "arn": "{id}",
            "beginningArchiveTime": "",
            "fifoThroughputScope": "",
            "signatureVersion": 0,
            "tracingConfig": "",
            "policy": lambda facts: document(
                [
                    {
                        "Sid": "__default_statement_ID",
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
                        "Resource": facts["id"],
                        "Condition": {"StringEquals": {"AWS:SourceOwner": facts["account"]}},
                    }
                ],
                "2008-10-17",
            ),
        },
        "name",
        HERE,
    ),
    "aws:sns/topicPolicy:TopicPolicy": setting("{arn}"),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        "{topic}:{uuid}",
        {
            "arn": "{id}",
            "confirmationWasAuthenticated": lambda facts: facts["protocol"] not in ("email", "email-json"),
            "pendingConfirmation": lambda facts: facts["protocol"] in ("email", "email-json"),
            "filterPolicyScope": "",
        },
    ),
    "aws:sqs/queue:Queue": Kind(
        "https://sqs.{region}.amazonaws.com/{account}/{name}",
        {
            "arn": arn("sqs", "{name}"),
            "url": "{id}",
            "deduplicationScope": "",
            "fifoThroughputLimit": "",
            "kmsDataKeyReusePeriodSeconds": 300,
            "policy": "",
            "redriveAllowPolicy": "",
            "redrivePolicy": "",
            "sqsManagedSseEnabled": lambda facts: not facts["kmsMasterKeyId"],
        },
        "name",
        "{id}",
        "QueueAlreadyExists: A queue already exists with the same name and a different value for an attribute ({name})",
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Kind(
        "{alarmName}", {"arn": arn("cloudwatch", "alarm:{alarmName}")}, "alarmName", HERE
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        "{dashboardName}",
        {"dashboardArn": global_arn("cloudwatch", "dashboard/{dashboardName}")},
        "dashboardName",
        "{account}/{id}",
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Kind(
        "{name}", {"applyOnTransformedLogs": False}, "name", "{account}/{region}/{logGroupName}/{name}"
    ),
    "aws:cloudwatch/eventConnection:EventConnection": Kind(
        "{name}",
        {
            "arn": arn("events", "connection/{name}/{uuid}"),
            "secretArn": arn("secretsmanager", "secret:events!connection/{name}/{uuid:secret}"),
        },
        "name",
        HERE,
        "ResourceAlreadyExistsException: Connection {name} already exists.",
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": Kind(
        "{name}",
        {"arn": arn("events", "api-destination/{name}/{uuid}")},
        "name",
        HERE,
        "ResourceAlreadyExistsException: An api-destination {name} already exists.",
    ),
    "aws:scheduler/schedule:Schedule": Kind(
        "{group}/{name}",
        {"arn": arn("scheduler", "schedule/{group}/{name}"), "groupName": "default", "actionAfterCompletion": "NONE"},
        "name",
        HERE,
        "ConflictException: Schedule {name} already exists.",
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Kind(
        "{name}",
        {
            "arn": arn("scheduler", "schedule-group/{name}"),
            "creationDate": "{time}",
            "lastModificationDate": "{time}",
            "state": "ACTIVE",
        },
        "name",
        HERE,
        "ConflictException: Schedule group {name} already exists.",
    ),
    "aws:sfn/stateMachine:StateMachine": Kind(
        arn("states", "stateMachine:{name}"),
        {
            "arn": "{id}",
            "creationDate": "{time}",
            "description": "",
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
            "loggingConfiguration": {"includeExecutionData": False, "level": "OFF"},
            "revisionId": "{uuid:revision}",
            "stateMachineVersionArn": "",
            "status": "ACTIVE",
            "tracingConfiguration": {"enabled": False},
            "versionDescription": "",
        },
        "name",
        "{id}",
        "StateMachineAlreadyExists: State Machine Already Exists: '{id}'",
    ),
    "aws:ssm/parameter:Parameter": Kind(
        "{name}",
        {
            "arn": lambda facts: facts.text(arn("ssm", "parameter/")) + facts["name"].removeprefix("/"),
            "dataType": "text",
            "hasValueWo": False,
            "insecureValue": "",
            "keyId": lambda facts: "alias/aws/ssm" if facts["type"] == "SecureString" else "",
            "tier": "Standard",
            "version": 1,
        },
        "name",
        HERE,
        "ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the"
        " request to true. ({name})",
    ),
    "aws:sqs/queuePolicy:QueuePolicy": setting("{queueUrl}"),
}

OPERATIONS: Mapping[str, Operation] = {
    "aws:cloudwatch/logGroup:LogGroup": Operation(
        "logs", "CreateLogGroup", {"name": "logGroupName", "retentionInDays": _RETENTIONS}
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Operation(
        "logs",
        "PutMetricFilter",
        {
            "name": "filterName",
            "pattern": "filterPattern",
            "metricTransformation.name": "metricName",
            "metricTransformation.namespace": "metricNamespace",
            "metricTransformation.value": "metricValue",
        },
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Operation(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "metricQueries.metric": "MetricStat",
            "metricQueries.metric.metricName": "Metric.MetricName",
            "metricQueries.metric.namespace": "Metric.Namespace",
            "metricQueries.metric.dimensions": "Metric.Dimensions",
        },
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Operation(
        "cloudwatch",
        "PutCompositeAlarm",
        {"alarmActions": "AlarmActions"},
        own="actionsSuppressor",
    ),
    "aws:cloudwatch/dashboard:Dashboard": Operation("cloudwatch", "PutDashboard"),
    "aws:cloudwatch/eventRule:EventRule": Operation("events", "PutRule", own="isEnabled"),
    "aws:cloudwatch/eventBus:EventBus": Operation("events", "CreateEventBus"),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": Operation("events", "PutPermission"),
    "aws:cloudwatch/eventTarget:EventTarget": Operation(
        "events",
        "PutTargets",
        {
            **under(
                "Targets", "arn", "deadLetterConfig", "input", "inputPath", "inputTransformer", "retryPolicy", "roleArn"
            ),
            "targetId": "Targets.Id",
            "inputTransformer.inputPaths": "InputPathsMap",
            "retryPolicy.maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
            "httpTarget": "Targets.HttpParameters",
            "sagemakerPipelineTarget": "Targets.SageMakerPipelineParameters",
            "sqsTarget": "Targets.SqsParameters",
        },
        own="appsyncTarget batchTarget ecsTarget kinesisTarget redshiftTarget runCommandTargets",
    ),
    "aws:cloudwatch/eventConnection:EventConnection": Operation(
        "events",
        "CreateConnection",
        {
            "authParameters.apiKey": "ApiKeyAuthParameters",
            "authParameters.apiKey.key": "ApiKeyName",
            "authParameters.apiKey.value": "ApiKeyValue",
            "authParameters.basic": "BasicAuthParameters",
        },
        own="authParameters.oauth authParameters.invocationHttpParameters authParameters.connectivityParameters "
        "invocationConnectivityParameters",
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": Operation("events", "CreateApiDestination"),
    "aws:scheduler/schedule:Schedule": Operation("scheduler", "CreateSchedule", own="target.ecsParameters"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Operation("scheduler", "CreateScheduleGroup"),
    "aws:sfn/stateMachine:StateMachine": Operation(
        "stepfunctions",
        "CreateStateMachine",
        {"loggingConfiguration.logDestination": "destinations.cloudWatchLogsLogGroup.logGroupArn"},
        optional="encryptionConfiguration.type",
    ),
    "aws:ssm/parameter:Parameter": Operation(
        "ssm", "PutParameter", own="arn insecureValue valueWo valueWoVersion", optional="value"
    ),
    # SNS API reference, SetTopicAttributes and SetSubscriptionAttributes: in the model, attributes are a map of texts.
    "aws:sns/topic:Topic": Operation(
        "sns",
        "CreateTopic",
        {
            "displayName": text(100),
            "signatureVersion": one_of(1, 2),
            "tracingConfig": one_of("PassThrough", "Active"),
        },
        own=f"{_FEEDBACK} archivePolicy contentBasedDeduplication deliveryPolicy fifoThroughputScope fifoTopic "
        "kmsMasterKeyId maximumMessageSize policy",
    ),
    "aws:sns/topicPolicy:TopicPolicy": Operation("sns", "SetTopicAttributes", {"arn": "TopicArn"}, own="policy"),
    "aws:sns/topicSubscription:TopicSubscription": Operation(
        "sns",
        "Subscribe",
        {
            "topic": "TopicArn",
            "protocol": one_of(
                "http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"
            ),
            "filterPolicyScope": one_of("MessageAttributes", "MessageBody"),
        },
        own="confirmationTimeoutInMinutes deliveryPolicy endpointAutoConfirms filterPolicy rawMessageDelivery "
        "redrivePolicy replayPolicy subscriptionRoleArn",
    ),
    # SQS API reference, SetQueueAttributes.
    "aws:sqs/queue:Queue": Operation(
        "sqs",
        "CreateQueue",
        {
            "name": "QueueName",
            "delaySeconds": number(0, 900),
            "kmsDataKeyReusePeriodSeconds": number(60, 86400),
            "maxMessageSize": number(1024, 1048576),
            "messageRetentionSeconds": number(60, 1209600),
            "receiveWaitTimeSeconds": number(0, 20),
            "visibilityTimeoutSeconds": number(0, 43200),
            "deduplicationScope": one_of("messageGroup", "queue"),
            "fifoThroughputLimit": one_of("perQueue", "perMessageGroupId"),
        },
        own="contentBasedDeduplication fifoQueue kmsMasterKeyId policy redriveAllowPolicy redrivePolicy "
        "sqsManagedSseEnabled",
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Operation("sqs", "SetQueueAttributes", own="policy"),
}
