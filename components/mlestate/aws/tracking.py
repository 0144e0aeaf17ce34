"""Where experiments are recorded on AWS."""

from collections.abc import Mapping

import pulumi_aws.sagemaker as sagemaker
from pulumi import CustomTimeouts, Output, ResourceOptions

from mlestate import contract
from mlestate.config.data import Tracking as TrackingSettings
from mlestate.names import Names
from mlestate.part import Part

__all__ = ["APP_REGIONS", "SIZES", "Tracking"]

FOLDER = "mlflow/"
"""Where in the artifacts bucket runs leave their files."""

SIZES: Mapping[str, str] = {"small": "Small", "medium": "Medium", "large": "Large"}
"""SageMaker API, CreateMlflowTrackingServer: up to 25, 50 and 100 users."""

APP_REGIONS = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Where AWS offers serverless MLflow (AWS News Blog, "Accelerate AI development using Amazon SageMaker AI with
serverless MLflow", December 2025)."""


class Tracking(Part):
    """MLflow, with or without a server, or the address of one elsewhere.

    *none* makes an **MLflow App**: serverless, upgraded by AWS, and free (the same page of the AWS News Blog; SageMaker
    developer guide, "Integrate MLflow for experiment tracking"). In a region that does not have it nothing is made, and
    SageMaker's own record of jobs is all there is; nor in a network of one's own, since AWS names no private way to an
    app, as it does to a server (SageMaker developer guide, "Connecting to an MLflow tracking server through an
    Interface VPC Endpoint"). *managed* makes a **tracking server**, which bills by the hour from
    its birth on and takes half an hour to come up (terraform-provider-aws#41436). *external* makes nothing: runs go to
    a server of the user's own, with a key that a person keeps in Systems Manager where it asks for one
    (`pipeline_jobs.token`).

    What runs write lies in the artifacts bucket, under that bucket's key. Their numbers lie in AWS' own store under
    AWS' own key: neither pulumi_aws nor CloudFormation takes a key for an app.

    MLflow never registers a model by itself: a version comes from a pipeline whose gates it passed, and no other way.

    `uri` is the ARN of the app or of the server, which MLflow's client reads with the plugin `sagemaker-mlflow`, signed
    as the role that the job runs as. The ARN of an app has an id that AWS draws, so policies mean `mlflow-app/*`.
    """

    uri: Output[str]

    def __init__(
        self,
        names: Names,
        settings: TrackingSettings,
        is_public: bool,
        data: contract.Data,
        access: contract.Access,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """``is_public`` says that jobs use AWS' own public addresses."""
        super().__init__(names, opts)
        self._has_app = is_public and names.region in APP_REGIONS
        made = {"none": self._app, "managed": self._server, "external": self._elsewhere}[settings.server]
        self.publish(uri=made(settings, Output.concat(data.stores["artifacts"], "/", FOLDER), access, protect))

    def _app(
        self, settings: TrackingSettings, store: Output[str], access: contract.Access, protect: bool
    ) -> Output[str]:
        if not self._has_app:
            return Output.from_input("")
        return sagemaker.MlflowApp(
            self.named("app"),
            artifact_store_uri=store,
            role_arn=access.identities["tracking"],
            # The default of an account is one, and of everybody in it.
            account_default_status="DISABLED",
            model_registration_mode="AutoModelRegistrationDisabled",
            tags=self.names.tags,
            opts=self.child(protect=protect),
        ).arn

    def _server(
        self, settings: TrackingSettings, store: Output[str], access: contract.Access, protect: bool
    ) -> Output[str]:
        return sagemaker.MlflowTrackingServer(
            self.named("server"),
            tracking_server_name=self.names.physical("tracking-server", "tracking"),
            tracking_server_size=SIZES[settings.size],
            artifact_store_uri=store,
            role_arn=access.identities["tracking"],
            automatic_model_registration=False,
            tags=self.names.tags,
            opts=self.child(
                protect=protect,
                # AWS upgrades it, and a version that the state remembers would replace it with an empty one
                # (aws/amazon-sagemaker-feedback#150).
                ignore_changes=["mlflowVersion"],
                custom_timeouts=CustomTimeouts(create="60m", update="60m", delete="60m"),
                delete_before_replace=True,
            ),
        ).arn

    def _elsewhere(
        self, settings: TrackingSettings, store: Output[str], access: contract.Access, protect: bool
    ) -> Output[str]:
        return Output.from_input(settings.uri or "")
