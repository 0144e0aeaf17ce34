"""Buckets, tables, images and the catalogue: what the provider calls and returns, and what the services take."""

from collections.abc import Mapping

from mlestate.local.aws.rows import HERE, Operation, arn, global_arn, setting, under
from mlestate.local.kind import Kind

_HOSTED_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE",
                 "eu-central-1": "Z21DNDUVLTQW6Q", "ca-central-1": "Z1QDHH18159H29"}  # fmt: skip

KINDS: Mapping[str, Kind] = {
    "aws:s3/bucket:Bucket": Kind(
        "{bucket}",
        {
            "arn": "arn:{partition}:s3:::{bucket}",
            "bucket": "{bucket}",
            "bucketDomainName": "{bucket}.s3.amazonaws.com",
            "bucketRegion": "{region}",
            "bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
            "hostedZoneId": lambda facts: _HOSTED_ZONES.get(facts["region"], facts.text("Z{upper:13}")),
            "objectLockEnabled": False,
            "requestPayer": "BucketOwner",
            "versioning": {"enabled": False, "mfaDelete": False},
            "serverSideEncryptionConfiguration": {
                "rule": {
                    "applyServerSideEncryptionByDefault": {"kmsMasterKeyId": "", "sseAlgorithm": "AES256"},
                    "bucketKeyEnabled": False,
                }
            },
            "grants": lambda facts: [
                {"id": facts.text("{hex:64}"), "permissions": ["FULL_CONTROL"], "type": "CanonicalUser", "uri": ""}
            ],
        },
        "bucket",
        "s3/{bucket}",
        "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it."
        " (bucket {bucket})",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": setting(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": setting(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": setting(),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": setting(),
    "aws:s3/bucketPolicy:BucketPolicy": setting(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": setting(
        transitionDefaultMinimumObjectSize="all_storage_classes_128K"
    ),
    "aws:s3/bucketLogging:BucketLogging": setting(),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": setting(objectLockEnabled="Enabled"),
    "aws:s3/bucketNotification:BucketNotification": setting(),
    "aws:s3/bucketObjectv2:BucketObjectv2": setting(
        "{bucket}/{key}",
        arn="arn:{partition}:s3:::{bucket}/{key}",
        bucketKeyEnabled=False,
        contentType="application/octet-stream",
        etag="{hex:32}",
        serverSideEncryption=lambda facts: "aws:kms" if facts["kmsKeyId"] else "AES256",
        storageClass="STANDARD",
        versionId="{upper:32}",
    ),
    "aws:ecr/repository:Repository": Kind(
        "{name}",
        {
            "arn": arn("ecr", "repository/{name}"),
            "repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}",
        },
        "name",
        HERE,
        "RepositoryAlreadyExistsException: The repository with name '{name}' already exists in the registry with id"
        " '{account}'",
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": setting("{repository}"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": setting("{repository}"),
    "aws:glue/catalogDatabase:CatalogDatabase": Kind(
        "{catalog}:{name}",
        {
            "arn": arn("glue", "database/{name}"),
            "catalogId": "{account}",
            "locationUri": "",
            "createTableDefaultPermissions": [
                {"permissions": ["ALL"], "principal": {"dataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}}
            ],
        },
        "name",
        HERE,
        "AlreadyExistsException: Database already exists.",
    ),
    "aws:athena/workgroup:Workgroup": Kind(
        "{name}",
        {"arn": arn("athena", "workgroup/{name}")},
        "name",
        HERE,
        "InvalidRequestException: WorkGroup {name} is already created",
    ),
    "aws:dynamodb/table:Table": Kind(
        "{name}",
        {
            "arn": arn("dynamodb", "table/{name}"),
            "streamArn": lambda facts: (
                (facts["streamEnabled"] is True and facts.text(arn("dynamodb", "table/{name}/stream/{time}"))) or ""
            ),
            "streamLabel": lambda facts: (facts["streamEnabled"] is True and facts.text("{time}")) or "",
            "streamViewType": "",
            "readCapacity": 0,
            "writeCapacity": 0,
            "pointInTimeRecovery": {"enabled": False, "recoveryPeriodInDays": 0},
            "ttl": {"attributeName": "", "enabled": False},
        },
        "name",
        HERE,
        "ResourceInUseException: Table already exists: {name}",
    ),
    "aws:glue/catalogTable:CatalogTable": Kind(
        "{catalog}:{databaseName}:{name}",
        {
            "arn": arn("glue", "table/{databaseName}/{name}"),
            "catalogId": "{account}",
            "parameters": {},
            "partitionIndices": [],
            "tableType": "",
        },
        "name",
        HERE,
        "AlreadyExistsException: Table already exists.",
    ),
    "aws:glue/catalogTableOptimizer:CatalogTableOptimizer": Kind(
        "{catalogId},{databaseName},{tableName},{type}",
        {},
        None,
        HERE,
        "AlreadyExistsException: Optimizer already exists. ({id})",
    ),
    "aws:athena/namedQuery:NamedQuery": Kind("{uuid}", {"workgroup": "primary"}, "name"),
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": setting(
        "{digits:10}",
        admins=[],
        readOnlyAdmins=[],
        authorizedSessionTagValueLists=[],
        createDatabaseDefaultPermissions=[],
        createTableDefaultPermissions=[],
        externalDataFilteringAllowLists=[],
        trustedResourceOwners=[],
        parameters={"CROSS_ACCOUNT_VERSION": "4"},
    ),
    "aws:lakeformation/resource:Resource": Kind(
        "{arn}",
        {
            "lastModified": "{time}",
            "hybridAccessEnabled": False,
            "withFederation": False,
            "withPrivilegedAccess": False,
            "roleArn": global_arn(
                "iam",
                "role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess",
            ),
        },
        None,
        "{account}/{region}/{arn}",
        "AlreadyExistsException: Resource is already registered. ({arn})",
    ),
    "aws:lakeformation/permissions:Permissions": setting("{digits:10}", permissionsWithGrantOptions=[]),
}

OPERATIONS: Mapping[str, Operation] = {
    "aws:s3/bucket:Bucket": Operation(
        "s3",
        "CreateBucket",
        {"objectLockEnabled": "ObjectLockEnabledForBucket", "tags": "PutBucketTagging:Tagging.TagSet"},
        own="accelerationStatus bucketPrefix corsRules grants lifecycleRules logging objectLockConfiguration policy "
        "replicationConfiguration requestPayer serverSideEncryptionConfiguration versioning website",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Operation("s3", "PutBucketVersioning"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Operation(
        "s3",
        "PutBucketEncryption",
        {
            "rules": "ServerSideEncryptionConfiguration.Rules",
            "rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType",
        },
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Operation(
        "s3",
        "PutPublicAccessBlock",
        under(
            "PublicAccessBlockConfiguration",
            *("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
        ),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Operation(
        "s3", "PutBucketOwnershipControls", {"rule": "OwnershipControls.Rules"}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Operation("s3", "PutBucketPolicy"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Operation(
        "s3", "PutBucketLifecycleConfiguration", {"rules": "LifecycleConfiguration.Rules"}
    ),
    "aws:s3/bucketLogging:BucketLogging": Operation(
        "s3",
        "PutBucketLogging",
        under(
            "BucketLoggingStatus.LoggingEnabled",
            *("targetBucket", "targetPrefix", "targetGrants", "targetObjectKeyFormat"),
        ),
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": Operation(
        "s3", "PutObjectLockConfiguration", under("ObjectLockConfiguration", "objectLockEnabled", "rule")
    ),
    "aws:s3/bucketNotification:BucketNotification": Operation(
        "s3", "PutBucketNotificationConfiguration", own="eventbridge lambdaFunctions queues topics"
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Operation(
        "s3",
        "PutObject",
        {"kmsKeyId": "SSEKMSKeyId"},
        own="content contentBase64 etag overrideProvider source sourceHash tags websiteRedirect",
    ),
    "aws:dynamodb/table:Table": Operation(
        "dynamodb",
        "CreateTable",
        {
            "name": "TableName",
            "attributes": "AttributeDefinitions",
            "attributes.name": "AttributeName",
            "attributes.type": "AttributeType",
            "hashKey": "KeySchema.AttributeName",
            "rangeKey": "KeySchema.AttributeName",
            "pointInTimeRecovery": "UpdateContinuousBackups:PointInTimeRecoverySpecification",
            "pointInTimeRecovery.enabled": "PointInTimeRecoveryEnabled",
            "serverSideEncryption": "SSESpecification",
            "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
            "streamEnabled": "StreamSpecification.StreamEnabled",
            "streamViewType": "StreamSpecification.StreamViewType",
            "ttl": "UpdateTimeToLive:TimeToLiveSpecification",
        },
        own="globalSecondaryIndexes localSecondaryIndexes globalTableWitness importTable readCapacity writeCapacity "
        "replicas restoreBackupArn restoreDateTime restoreSourceName restoreSourceTableArn restoreToLatestTime",
        optional="ttl.enabled ttl.attributeName",
    ),
    "aws:ecr/repository:Repository": Operation(
        "ecr", "CreateRepository", {"name": "repositoryName"}, optional="encryptionConfigurations.encryptionType"
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Operation(
        "ecr", "PutLifecyclePolicy", {"repository": "repositoryName", "policy": "lifecyclePolicyText"}
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Operation(
        "ecr", "SetRepositoryPolicy", {"repository": "repositoryName", "policy": "policyText"}
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": Operation(
        "glue",
        "CreateDatabase",
        under(
            "DatabaseInput",
            *("createTableDefaultPermissions", "description", "federatedDatabase", "locationUri", "name"),
            *("parameters", "targetDatabase"),
        ),
    ),
    "aws:glue/catalogTable:CatalogTable": Operation(
        "glue",
        "CreateTable",
        under(
            "TableInput",
            *("name", "description", "owner", "parameters", "partitionKeys", "retention", "storageDescriptor"),
            *("tableType", "targetTable", "viewExpandedText", "viewOriginalText"),
        ),
        own="openTableFormatInput.icebergInput.icebergTableInput partitionIndices viewDefinition",
    ),
    "aws:glue/catalogTableOptimizer:CatalogTableOptimizer": Operation(
        "glue", "CreateTableOptimizer", {"configuration": "TableOptimizerConfiguration"}
    ),
    "aws:athena/workgroup:Workgroup": Operation(
        "athena",
        "CreateWorkGroup",
        {
            "configuration.resultConfiguration.encryptionConfiguration.kmsKeyArn": "KmsKey",
            "state": "UpdateWorkGroup:State",
        },
        own="configuration.monitoringConfiguration.cloudWatchLoggingConfiguration.logTypes",
        optional="configuration.managedQueryResultsConfiguration.enabled",
    ),
    "aws:athena/namedQuery:NamedQuery": Operation("athena", "CreateNamedQuery", {"query": "QueryString"}),
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": Operation(
        "lakeformation",
        "PutDataLakeSettings",
        {
            "admins": "DataLakeSettings.DataLakeAdmins.DataLakePrincipalIdentifier",
            "readOnlyAdmins": "DataLakeSettings.ReadOnlyAdmins.DataLakePrincipalIdentifier",
            "allowExternalDataFiltering": "DataLakeSettings.AllowExternalDataFiltering",
            "allowFullTableExternalDataAccess": "DataLakeSettings.AllowFullTableExternalDataAccess",
            "authorizedSessionTagValueLists": "DataLakeSettings.AuthorizedSessionTagValueList",
            "createDatabaseDefaultPermissions": "DataLakeSettings.CreateDatabaseDefaultPermissions",
            "createDatabaseDefaultPermissions.principal": "Principal.DataLakePrincipalIdentifier",
            "createTableDefaultPermissions": "DataLakeSettings.CreateTableDefaultPermissions",
            "createTableDefaultPermissions.principal": "Principal.DataLakePrincipalIdentifier",
            "parameters": "DataLakeSettings.Parameters",
            "trustedResourceOwners": "DataLakeSettings.TrustedResourceOwners",
        },
        own="externalDataFilteringAllowLists",
    ),
    "aws:lakeformation/resource:Resource": Operation("lakeformation", "RegisterResource", {"arn": "ResourceArn"}),
    "aws:lakeformation/permissions:Permissions": Operation(
        "lakeformation",
        "GrantPermissions",
        {
            "principal": "Principal.DataLakePrincipalIdentifier",
            "dataCellsFilter": "Resource.DataCellsFilter",
            "dataLocation": "Resource.DataLocation",
            "dataLocation.arn": "ResourceArn",
            "database": "Resource.Database",
            "lfTag": "Resource.LFTag",
            "lfTag.key": "TagKey",
            "lfTag.values": "TagValues",
            "lfTagPolicy": "Resource.LFTagPolicy",
            "lfTagPolicy.expressions.key": "TagKey",
            "lfTagPolicy.expressions.values": "TagValues",
            "table": "Resource.Table",
            "tableWithColumns": "Resource.TableWithColumns",
        },
        own="catalogResource table.wildcard tableWithColumns.excludedColumnNames tableWithColumns.wildcard",
    ),
}
