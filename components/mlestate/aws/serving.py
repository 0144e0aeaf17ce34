"""What answers requests on AWS: SageMaker models, the endpoints that they are put behind, and batch transforms."""

from collections.abc import Mapping

import pulumi_aws.appautoscaling as appautoscaling
import pulumi_aws.cloudwatch as cloudwatch
import pulumi_aws.sagemaker as sagemaker
import pulumi_aws.scheduler as scheduler
import pulumi_aws.ssm as ssm
from pulumi import Output, ResourceOptions

from mlestate import contract
from mlestate.aws import batch
from mlestate.aws.monitors import captures
from mlestate.aws.registry import version_arn
from mlestate.aws.scaling import scale
from mlestate.aws.settings import COMPUTE, takes_volume_key
from mlestate.config.data import Dataset
from mlestate.config.hatch import AwsServing
from mlestate.config.model import Mode, Model
from mlestate.names import Names
from mlestate.part import Part
from mlestate.raw import Raw

__all__ = ["VARIANT", "Serving", "instance_type"]

VARIANT = "champion"
"""The variant that answers. Guardrails of a deployment work only where the names of old and new variants are the same
(SageMaker, "Deployment guardrails exclusions"), so it is this one for ever."""

Variant = sagemaker.EndpointConfigurationProductionVariantArgs
Notification = sagemaker.EndpointConfigurationAsyncInferenceConfigOutputConfigNotificationConfigArgs

BEHIND_ENDPOINTS: tuple[type, ...] = (
    sagemaker.ModelArgs,
    sagemaker.EndpointConfigurationArgs,
    sagemaker.EndpointArgs,
)
SCALED: tuple[type, ...] = (appautoscaling.TargetArgs, appautoscaling.PolicyArgs)

BECOMES: Mapping[Mode, tuple[type, ...]] = {
    "none": (),
    "serverless": BEHIND_ENDPOINTS,
    "realtime": (*BEHIND_ENDPOINTS, *SCALED),
    "async": (*BEHIND_ENDPOINTS, *SCALED, cloudwatch.MetricAlarmArgs),
    "batch": (sagemaker.ModelArgs, ssm.ParameterArgs, scheduler.ScheduleArgs),
}
"""What a model becomes in each mode: what `serving.raw` may speak of."""


class Serving(Part):
    """The first endpoint, or the batch transforms, of each model that has an approved version to start with.

    Releases after the first belong to the release workflow, because the provider resets scaled counts and weights on
    any change of an endpoint (terraform-provider-aws#48990) and takes a silent rollback for success (#46663). So an
    endpoint here ignores which configuration it runs and how it gets there, a batch model's parameter which model it
    names, and models and configurations are never deleted: something live may still stand on them. Endpoints and
    parameters keep fixed names; models and configurations never do, because SageMaker cannot change them (#21811).

    A model runs as its own identity, joins the environment's network and reaches nothing else. A version's files must
    lie in this environment's artifact store, under the model's name. A serverless endpoint has neither network,
    isolation nor data capture (SageMaker, "Serverless Inference: feature exclusions"). Requests to an asynchronous
    endpoint lie in the capture store under ``<model>/requests/``, its answers under ``<model>/answers/``, and what went
    wrong under ``<model>/failures/``; a topic is told of failures, because a message for every answer would drown them.
    """

    endpoints: Mapping[str, Output[str]]
    waiting: Mapping[str, Output[str]]
    templates: Mapping[str, Output[str]]

    def __init__(
        self,
        names: Names,
        models: Mapping[str, Model],
        datasets: Mapping[str, Dataset],
        network: contract.Network,
        keys: contract.Keys,
        data: contract.Data,
        registry: contract.Registry,
        access: contract.Access,
        alerts: contract.Alerts,
        protect: bool,
        opts: ResourceOptions,
    ) -> None:
        """
        Raises:
            InputError: a model's `serving.raw` speaks of what it does not become, or of what the SDK has not.
        """
        super().__init__(names, opts)
        self._network, self._keys, self._data = network, keys, data
        self._registry, self._access, self._alerts, self._protect = registry, access, alerts, protect
        endpoints: dict[str, Output[str]] = {}
        waiting: dict[str, Output[str]] = {}
        made: dict[str, sagemaker.Model] = {}
        templates: dict[str, Output[str]] = {}
        raws: dict[str, Raw] = {}
        for name, model in models.items():
            serving = model.serving
            raws[name] = Raw(f"models.{name}.serving", serving.raw, names.cloud, BECOMES[serving.mode])
            if serving.mode == "none":
                continue
            if serving.initial_version is None:
                waiting[name] = Output.from_input(f"models.{name}.serving.initial_version")
                continue
            made[name] = self._model(name, model, serving.initial_version, raws[name])
            templates[name] = made[name].name
            if serving.mode != "batch":
                configuration = self._configuration(name, model, made[name], raws[name])
                endpoint = self._endpoint(name, model, configuration, raws[name])
                scale(self, name, model, endpoint, VARIANT, raws[name])
                endpoints[name] = endpoint.name
                templates[name] = configuration.name
        runs = {name: self._run(name, models[name], datasets) for name in made if models[name].serving.mode == "batch"}
        if runs:
            batch.machine(self, runs, made, raws, keys=keys.ids, roles=access.identities, topic=alerts.topics["notice"])
        self.publish(endpoints=endpoints, waiting=waiting, templates=templates)

    def _model(self, name: str, model: Model, version: int, raw: Raw) -> sagemaker.Model:
        group, apart = self._registry.models[name], model.serving.mode != "serverless"
        return sagemaker.Model(
            self.named(name),
            raw.over(
                sagemaker.ModelArgs(
                    execution_role_arn=self._access.identities[f"{name}-inference"],
                    containers=[
                        sagemaker.ModelContainerArgs(
                            model_package_name=group.apply(lambda arn: version_arn(arn, version))
                        )
                    ],
                    enable_network_isolation=apart,
                    vpc_config=sagemaker.ModelVpcConfigArgs(
                        subnets=list(self._network.subnets.values()),
                        security_group_ids=list(self._network.groups.values()),
                    )
                    if apart and self._network.subnets
                    else None,
                    tags=self.names.of_model(name, model.owner).tags,
                )
            ),
            # The provider plans a change of the network as an update and then leaves it out (#45490).
            self.child(retain_on_delete=True, replace_on_changes=["vpcConfig"]),
        )

    def _configuration(
        self, name: str, model: Model, made: sagemaker.Model, raw: Raw
    ) -> sagemaker.EndpointConfiguration:
        variant = _serverless(made, model) if model.serving.mode == "serverless" else _instances(made, model)
        return sagemaker.EndpointConfiguration(
            self.named(name),
            raw.over(
                sagemaker.EndpointConfigurationArgs(
                    production_variants=[variant],
                    kms_key_arn=self._keys.ids.get("models") if _takes_key(model) else None,
                    data_capture_config=self._capture(name, model) if captures(model) else None,
                    async_inference_config=self._answers(name) if model.serving.mode == "async" else None,
                    tags=self.names.of_model(name, model.owner).tags,
                )
            ),
            self.child(retain_on_delete=True),
        )

    def _capture(self, name: str, model: Model) -> sagemaker.EndpointConfigurationDataCaptureConfigArgs:
        sample = model.serving.capture.sample if model.serving.capture else 1.0
        return sagemaker.EndpointConfigurationDataCaptureConfigArgs(
            enable_capture=True,
            initial_sampling_percentage=max(1, round(sample * 100)),
            destination_s3_uri=self._kept(name),
            kms_key_id=self._keys.ids.get("models"),
            capture_options=[
                sagemaker.EndpointConfigurationDataCaptureConfigCaptureOptionArgs(capture_mode=each)
                for each in ("Input", "Output")
            ],
        )

    def _answers(self, name: str) -> sagemaker.EndpointConfigurationAsyncInferenceConfigArgs:
        return sagemaker.EndpointConfigurationAsyncInferenceConfigArgs(
            output_config=sagemaker.EndpointConfigurationAsyncInferenceConfigOutputConfigArgs(
                s3_output_path=self._kept(name, "/answers"),
                s3_failure_path=self._kept(name, "/failures"),
                kms_key_id=self._keys.ids.get("models"),
                notification_config=Notification(error_topic=self._alerts.topics["notice"]),
            )
        )

    def _endpoint(
        self, name: str, model: Model, configuration: sagemaker.EndpointConfiguration, raw: Raw
    ) -> sagemaker.Endpoint:
        return sagemaker.Endpoint(
            self.named(name),
            raw.over(
                sagemaker.EndpointArgs(
                    name=self.names.physical("endpoint", name),
                    endpoint_config_name=configuration.name,
                    tags=self.names.of_model(name, model.owner).tags,
                )
            ),
            self.child(
                protect=self._protect,
                ignore_changes=["endpointConfigName", "deploymentConfig"],
                # Its name is fixed, so a new one cannot be made beside it (#40080).
                delete_before_replace=True,
            ),
        )

    def _run(self, name: str, model: Model, datasets: Mapping[str, Dataset]) -> batch.Run:
        serving, dataset = model.serving, datasets.get(model.data.dataset or "")
        folder = serving.input or (dataset.path if dataset else "")
        written = serving.output or f"predictions/{name}/"
        type_ = instance_type(model)
        return batch.Run(
            model=model,
            source=Output.concat(self._data.stores["raw"], "/", _folder(folder)),
            target=Output.concat(self._data.stores["curated"], "/", _folder(written)),
            kept=self._kept(name, "/batch") if captures(model) else None,
            format=dataset.format if dataset else "csv",
            instance_type=type_,
            volume_key=self._keys.ids.get("models") if takes_volume_key(type_) else None,
        )

    def _kept(self, name: str, folder: str = "") -> Output[str]:
        return Output.concat(self._data.stores["capture"], f"/{name}{folder}")


def instance_type(model: Model) -> str:
    """The machine that a model answers on, where its mode has any."""
    return _hatch(model).instance_type or COMPUTE[model.serving.compute]


def _hatch(model: Model) -> AwsServing:
    return model.serving.aws or AwsServing()


def _takes_key(model: Model) -> bool:
    return model.serving.mode == "serverless" or takes_volume_key(instance_type(model))


def _folder(path: str) -> str:
    return f"{path.strip('/')}/"


def _instances(made: sagemaker.Model, model: Model) -> Variant:
    spread = sagemaker.EndpointConfigurationProductionVariantRoutingConfigArgs(
        routing_strategy="LEAST_OUTSTANDING_REQUESTS"
    )
    return Variant(
        variant_name=VARIANT,
        model_name=made.name,
        instance_type=instance_type(model),
        # An asynchronous endpoint that may go down to none still begins with one (SageMaker API, ProductionVariant).
        initial_instance_count=max(1, model.serving.replicas.min),
        initial_variant_weight=1,
        routing_configs=[spread] if model.serving.mode == "realtime" else None,
    )


def _serverless(made: sagemaker.Model, model: Model) -> Variant:
    return Variant(
        variant_name=VARIANT,
        model_name=made.name,
        serverless_config=sagemaker.EndpointConfigurationProductionVariantServerlessConfigArgs(
            memory_size_in_mb=_hatch(model).memory_mb or 2048,
            max_concurrency=_hatch(model).max_concurrency or 5,
        ),
    )
