"""A small program that is not an estate, for the semantics that an estate alone would not exercise. Phases edit it."""

import pulumi
import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.s3 as s3
import pulumi_aws.sagemaker as sagemaker
import pulumi_aws.sns as sns
import pulumi_aws.ssm as ssm
from pulumi_aws.provider import Provider

phase = pulumi.Config("foreign").require("phase")
edited = phase != "first"
# Nothing else changes while a create fails: the engines differ in whether what was replaced is deleted after a failure.
content = "edited" if edited else "first"


class Box(pulumi.ComponentResource):
    """A component with one child, whose type differs between phases so that an alias is owed."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("foreign:index:Box", name, {}, opts)
        topic = sns.Topic(f"{name}-topic", opts=pulumi.ResourceOptions(parent=self))
        self.arn = topic.arn
        self.register_outputs({"arn": topic.arn})


elsewhere = Provider("elsewhere", region="eu-west-1", allowed_account_ids=["000000000000"])
plain = s3.Bucket("plain", tags={"content": content})
abroad = s3.Bucket("abroad", bucket="foreign-abroad", opts=pulumi.ResourceOptions(provider=elsewhere))
guarded = s3.Bucket("guarded", opts=pulumi.ResourceOptions(protect=phase != "open", depends_on=[plain]))
box = Box("box")

password = ssm.Parameter("password", type="SecureString", value=pulumi.Output.secret(f"hunter-{content}"))

logs = cloudwatch.LogGroup(
    "renamed-logs" if edited else "logs",
    name="/foreign/logs",
    retention_in_days=30 if edited else 7,
    opts=pulumi.ResourceOptions(
        ignore_changes=["retentionInDays"], aliases=[pulumi.Alias(name="logs")] if edited else None
    ),
)
announced = sns.Topic(
    "announced", display_name=content, opts=pulumi.ResourceOptions(replace_on_changes=["displayName"])
)
group = sagemaker.ModelPackageGroup(
    "group",
    model_package_group_name="foreign-group",
    model_package_group_description=f"described as {content}",
    opts=pulumi.ResourceOptions(delete_before_replace=True),
)
model = sagemaker.Model(
    "model",
    execution_role_arn="arn:aws:iam::000000000000:role/foreign",
    containers=[{"image": f"000000000000.dkr.ecr.eu-west-1.amazonaws.com/foreign:{content}"}],
    opts=pulumi.ResourceOptions(deleted_with=group),
)
kept = s3.Bucket("kept", opts=pulumi.ResourceOptions(retain_on_delete=True))
if phase == "first":
    gone = sns.Topic("gone", name="foreign-gone")
if phase == "failing":
    taken = s3.Bucket("taken", bucket="foreign-abroad")
    after = sns.Topic("after", display_name=taken.arn)
    independent = sns.Topic("independent")

pulumi.export("model", model.name)
pulumi.export("password", password.value)
pulumi.export("topic", box.arn)
