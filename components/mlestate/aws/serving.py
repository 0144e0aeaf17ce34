"""What answers requests on AWS: SageMaker endpoints, and who the models in them run as."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import pulumi_aws.appautoscaling as appautoscaling
import pulumi_aws.iam as iam
import pulumi_aws.sagemaker as sagemaker
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws.keys import use
from mlestate.aws.policies import Statement, allow, canonical, path, trust
from mlestate.aws.registry import PULL, repository_arn, version_arn
from mlestate.aws.settings import COMPUTE, takes_volume_key
from mlestate.config.hatch import AwsServing
from mlestate.config.model import Model
from mlestate.names import HUB, Names
from mlestate.part import Part

__all__ = ["VARIANT", "Serving", "boundary_arn"]

VARIANT = "champion"
"""The variant that answers. Guardrails of a deployment work only where the names of old and new variants are the same
(SageMaker, "Deployment guardrails exclusions"), so it is this one for ever."""

ANSWERING = ("realtime", "serverless")

REQUESTS_PER_MINUTE = 600
"""The requests a minute on each machine at which another is started, where a model does not say."""


class Serving(Part):
    """Who each model runs as, and the first endpoint of each model that has an approved version to start with.

    Releases after the first belong to the release workflow, because the provider resets scaled counts and weights on
    any change of an endpoint (terraform-provider-aws#48990) and takes a silent rollback for success (#46663). So an
    endpoint here ignores which configuration it runs, and models and configurations are never deleted: a live endpoint
    may still stand on them. Endpoint and identity keep fixed names; models and configurations never do, because
    SageMaker cannot change them (#21811).

    A version's files must lie in this environment's artifact store, under the model's name: a model reads nothing else.
    A serverless endpoint has neither network isolation nor data capture (SageMaker, "Serverless Inference: feature
    exclusions").
    """

    endpoints: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        registry: contract.Registry,
        access: contract.Access,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(names, opts)
        self._keys, self._data, self._registry = keys, data, registry
        served = {name: model for name, model in models.items() if model.serving.mode in ANSWERING}
        boundary = iam.Policy(
            self.named("boundary"),
            name=names.physical("policy", "boundary"),
            path=path(names),
            description=f"The most that a model of {names.slice} may ever do",
            policy=_resolved(self._permissions("*", _repositories(names), capture=True)),
            tags=names.tags,
            opts=self.child(),
        )
        endpoints: dict[str, Output[str]] = {}
        for name, model in served.items():
            role, permissions = self._identity(name, model, boundary)
            if model.serving.initial_version is not None:
                configuration = self._configuration(name, model, role, permissions)
                endpoint = self._endpoint(name, model, configuration, permissions, protect)
                self._scaling(name, model, endpoint)
                endpoints[name] = endpoint.name
        self.publish(endpoints=endpoints)

    def _identity(self, name: str, model: Model, boundary: iam.Policy) -> tuple[iam.Role, iam.RolePolicy]:
        names = self.names
        role = iam.Role(
            self.named(name),
            name=names.physical("role", f"{name}-inference"),
            path=path(names),
            description=f"What the model {name} runs as in {names.environment}",
            assume_role_policy=canonical(
                [
                    trust(
                        "SageMakerOfThisAccount",
                        {"Service": "sagemaker.amazonaws.com"},
                        {
                            "StringEquals": {"aws:SourceAccount": names.home},
                            "ArnLike": {"aws:SourceArn": names.arn("sagemaker", "*")},
                        },
                    )
                ]
            ),
            permissions_boundary=boundary.arn,
            tags=names.of_model(name, model.owner).tags,
            opts=self.child(),
        )
        permissions = iam.RolePolicy(
            self.named(name),
            name="inference",
            role=role.name,
            policy=_resolved(
                self._permissions(
                    name, self._registry.images[name].apply(partial(repository_arn, names)), _captures(model)
                )
            ),
            opts=self.child(),
        )
        return role, permissions

    def _permissions(self, model: str, repository: str | Output[str], capture: bool) -> list[Statement]:
        """What a model may do; with ``*`` for its name, what any model of this environment ever may: the boundary."""
        names = self.names
        folder = "*" if model == "*" else f"{model}/*"
        endpoint = f"{names.slice}-*" if model == "*" else names.physical("endpoint", model)
        logs = f"log-group:/aws/sagemaker/Endpoints/{endpoint}"
        statements = [
            allow("ReadItsArtifacts", "s3:GetObject", _objects(names, self._data.stores["artifacts"], folder)),
            allow("PullItsImage", PULL, repository),
            # ECR's token is for a whole registry: the action has no resource type to narrow it by.
            allow("SignInToTheRegistry", "ecr:GetAuthorizationToken", "*"),
            allow(
                "WriteItsLogs",
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [names.arn("logs", logs), names.arn("logs", f"{logs}:*")],
            ),
            # CloudWatch metrics have no resource type either: the namespace is what there is to narrow.
            allow(
                "WriteItsMetrics",
                "cloudwatch:PutMetricData",
                "*",
                {"StringEquals": {"cloudwatch:namespace": ["/aws/sagemaker/Endpoints", "AWS/SageMaker"]}},
            ),
        ]
        if capture:
            statements.append(
                allow("WriteWhatItAnswers", "s3:PutObject", _objects(names, self._data.stores["capture"], folder))
            )
        if "models" in self._keys.ids:
            actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if capture else [])]
            statements.append(use("UseTheKeyOfModels", names, self._keys.ids["models"], actions, ["s3"]))
        return statements

    def _configuration(
        self, name: str, model: Model, role: iam.Role, permissions: iam.RolePolicy
    ) -> sagemaker.EndpointConfiguration:
        serving = model.serving
        version = serving.initial_version or 1
        made = sagemaker.Model(
            self.named(name),
            execution_role_arn=role.arn,
            containers=[
                {"model_package_name": self._registry.models[name].apply(lambda group: version_arn(group, version))}
            ],
            enable_network_isolation=serving.mode != "serverless",
            tags=self.names.of_model(name, model.owner).tags,
            # The provider plans a change of the network as an update and then leaves it out (#45490).
            opts=self.child(retain_on_delete=True, replace_on_changes=["vpcConfig"], depends_on=[permissions]),
        )
        return sagemaker.EndpointConfiguration(
            self.named(name),
            production_variants=[_serverless(made, model) if serving.mode == "serverless" else _instances(made, model)],
            kms_key_arn=self._keys.ids.get("models") if _takes_key(model) else None,
            data_capture_config=self._capture(name, model) if _captures(model) else None,
            tags=self.names.of_model(name, model.owner).tags,
            opts=self.child(retain_on_delete=True),
        )

    def _capture(self, name: str, model: Model) -> sagemaker.EndpointConfigurationDataCaptureConfigArgsDict:
        sample = model.serving.capture.sample if model.serving.capture else 1.0
        return {
            "enable_capture": True,
            "initial_sampling_percentage": max(1, round(sample * 100)),
            "destination_s3_uri": Output.concat(self._data.stores["capture"], f"/{name}"),
            "kms_key_id": self._keys.ids.get("models"),
            "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
        }

    def _endpoint(
        self,
        name: str,
        model: Model,
        configuration: sagemaker.EndpointConfiguration,
        permissions: iam.RolePolicy,
        protect: bool,
    ) -> sagemaker.Endpoint:
        return sagemaker.Endpoint(
            self.named(name),
            name=self.names.physical("endpoint", name),
            endpoint_config_name=configuration.name,
            tags=self.names.of_model(name, model.owner).tags,
            opts=self.child(
                protect=protect,
                ignore_changes=["endpointConfigName", "deploymentConfig"],
                # Its name is fixed, so a new one cannot be made beside it (#40080).
                delete_before_replace=True,
                # An endpoint that loses its role before it is gone leaves grants and network interfaces behind
                # (SageMaker API, DeleteEndpoint).
                depends_on=[permissions],
            ),
        )

    def _scaling(self, name: str, model: Model, endpoint: sagemaker.Endpoint) -> None:
        replicas = model.serving.replicas
        if model.serving.mode != "realtime" or replicas.highest == replicas.min:
            return
        target = appautoscaling.Target(
            self.named(name),
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=Output.concat("endpoint/", endpoint.name, f"/variant/{VARIANT}"),
            min_capacity=replicas.min,
            max_capacity=replicas.highest,
            # No tags: with them the provider finds its own target in the way (#31839).
            opts=self.child(),
        )
        appautoscaling.Policy(
            self.named(name),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"},
                "target_value": replicas.requests_per_minute or REQUESTS_PER_MINUTE,
                "scale_in_cooldown": 300,
                "scale_out_cooldown": 60,
            },
            opts=self.child(),
        )


def boundary_arn(names: Names) -> str:
    """The ARN of the boundary that every model's role in an environment carries."""
    return names.arn("iam", f"policy{path(names)}{names.physical('policy', 'boundary')}", regional=False)


def _resolved(statements: Sequence[Statement]) -> Output[str]:
    """A document as text, of statements that name what other parts make."""
    return Output.from_input(statements).apply(canonical)


def _repositories(names: Names) -> str:
    # Which account the hub is in, this slice is not told: its name is enough for a ceiling.
    return replace(names, home="*").arn("ecr", f"repository/{names.estate}-{HUB}-*")


def _objects(names: Names, store: Output[str], folder: str) -> Output[str]:
    return store.apply(lambda uri: names.arn("s3", f"{uri.removeprefix('s3://')}/{folder}", regional=False))


def _captures(model: Model) -> bool:
    asked = model.serving.capture is not None or model.automated_decision
    return asked and model.serving.mode == "realtime"


def _hatch(model: Model) -> AwsServing:
    return model.serving.aws or AwsServing()


def _instance_type(model: Model) -> str:
    return _hatch(model).instance_type or COMPUTE[model.serving.compute]


def _takes_key(model: Model) -> bool:
    return model.serving.mode == "serverless" or takes_volume_key(_instance_type(model))


def _instances(made: sagemaker.Model, model: Model) -> sagemaker.EndpointConfigurationProductionVariantArgsDict:
    return {
        "variant_name": VARIANT,
        "model_name": made.name,
        "instance_type": _instance_type(model),
        "initial_instance_count": model.serving.replicas.min,
        "initial_variant_weight": 1,
        "routing_configs": [{"routing_strategy": "LEAST_OUTSTANDING_REQUESTS"}],
    }


def _serverless(made: sagemaker.Model, model: Model) -> sagemaker.EndpointConfigurationProductionVariantArgsDict:
    return {
        "variant_name": VARIANT,
        "model_name": made.name,
        "serverless_config": {
            "memory_size_in_mb": _hatch(model).memory_mb or 2048,
            "max_concurrency": _hatch(model).max_concurrency or 5,
        },
    }
