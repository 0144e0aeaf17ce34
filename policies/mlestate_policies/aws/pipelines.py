"""Pipelines of SageMaker, judged by the steps of their definition: `aws:sagemaker/pipeline`.

Most jobs of an estate are started by a pipeline and are no resources, so what holds for a job is asked here too.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from mlestate_policies.aws.machines import disk_has_key
from mlestate_policies.aws.pipeline_steps import DEFINITION, Definition, Job, Step, judge_definition, measured
from mlestate_policies.checks import is_set
from mlestate_policies.resources import Resource
from mlestate_policies.rules import Findings, Undecided, Violation, resource_rule
from mlestate_policies.settings import Settings, limit
from mlestate_policies.values import Node

PIPELINE: Final = "aws:sagemaker/pipeline:Pipeline"

STEPS_ONLINE: Final = limit(
    "pipelineStepsOnline",
    ("ingest*",),
    "Names (with `*`) of the steps of training pipelines that call out of their job, such as one that reads a "
    "warehouse; every other is cut off from all networks, unless it reports to a tracking server",
)
_CHECKS: Final = ("ClarifyCheck", "QualityCheck")
_NOT_YET_APPROVED: Final = ("pendingmanualapproval", "rejected")


@resource_rule(
    "ML-AWS-SM-074",
    {PIPELINE: (DEFINITION,)},
    "Every job of a pipeline is cut off from the networks, unless it is known to call out, and its machines encrypt "
    "what they say to each other",
    why="Training runs get their settings from the steps of a pipeline, and a job that reaches a network can send its "
    "data anywhere.",
    fix="In the step's arguments set EnableNetworkIsolation and EnableInterContainerTrafficEncryption to true (in "
    "NetworkConfig for a processing job), or name a step that has to call out in the limit pipelineStepsOnline.",
    severity="high",
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def pipeline_jobs_are_isolated(pipeline: Resource, settings: Settings) -> Findings:
    def judge(definition: Definition) -> Findings:
        for step, job in _jobs(definition):
            if job.isolation:
                yield from _isolated(step, job.arguments.at(job.isolation), settings)
            if job.traffic and job.arguments.at(job.count).number != 1:
                yield from _switched_on(job.arguments.at(job.traffic))

    return judge_definition(pipeline, judge)


@resource_rule(
    "ML-AWS-SM-075",
    {PIPELINE: (DEFINITION,)},
    "A pipeline registers versions that wait for a person, and never approves one",
    why="A version that arrives approved was looked at by nobody, and a release may follow at once.",
    fix='In each RegisterModel step write ModelApprovalStatus as "PendingManualApproval", not as a parameter; keep the '
    "definition in pipelineDefinition, where it can be read.",
    severity="critical",
    evidences=("EU AI Act 14", "NIST AI RMF GOVERN 3.2", "ISO 42001 A.6.2.5", "OSFI E-23"),
)
def pipeline_registers_for_approval(pipeline: Resource, settings: Settings) -> Findings:
    given = pipeline.at(DEFINITION)
    if given.document().absent:
        fault = "is not set" if given.absent else "is no JSON"
        yield Violation(
            DEFINITION, f"{DEFINITION} {fault}; it has to be here for anyone to see what the pipeline approves"
        )
        return

    def judge(definition: Definition) -> Findings:
        for step in _registering(definition):
            yield from _waits(step.arguments.at("ModelApprovalStatus"), definition)

    yield from judge_definition(pipeline, judge)


@resource_rule(
    "ML-AWS-SM-076",
    {PIPELINE: (DEFINITION,)},
    "A pipeline registers a version only behind a condition on what it measured, and with what its checks found",
    why="Without a gate every run ends in a candidate, however bad it is; without the findings nobody can judge it.",
    fix="Put the RegisterModel step into a Condition step whose conditions read a result of an earlier step, and add a "
    "QualityCheck or ClarifyCheck step, or give the version ModelMetrics that the run wrote.",
    severity="medium",
    evidences=("ISO 42001 A.6.2.4", "NIST AI RMF MEASURE 2.3", "OSFI E-23"),
)
def pipeline_registers_what_it_measured(pipeline: Resource, settings: Settings) -> Findings:
    def judge(definition: Definition) -> Findings:
        checked = any(step.kind in _CHECKS and _stops(step) for step in definition.steps)
        for step in _registering(definition):
            path = step.place.path
            if not any(measured(gate.value) for gate in step.gates if gate.known):
                unread = [gate for gate in step.gates if not gate.complete and not gate.absent]
                yield (
                    Undecided(unread[0].path)
                    if unread
                    else Violation(path, f"{path} stands behind no condition on a result of an earlier step")
                )
            metrics = step.arguments.at("ModelMetrics")
            if checked or (metrics.known and measured(metrics.value)):
                continue
            yield (
                Undecided(metrics.path)
                if not metrics.complete and not metrics.absent
                else Violation(
                    metrics.path, f"{metrics.path} names nothing that the run found, and no check stops the pipeline"
                )
            )

    return judge_definition(pipeline, judge)


@resource_rule(
    "ML-AWS-SM-077",
    {PIPELINE: (DEFINITION,)},
    "Every job of a pipeline runs in a network of the estate, with keys of one's own on its disks and outputs",
    why="Training runs get their settings from the pipeline's steps, and their disks and outputs hold the data and the "
    "model.",
    fix="In the step's arguments set VpcConfig, VolumeKmsKeyId and the KmsKeyId of the output.",
    severity="high",
    hardening=True,
    evidences=("EU AI Act 15", "PIPEDA 4.7"),
)
def pipeline_jobs_have_network_and_keys(pipeline: Resource, settings: Settings) -> Findings:
    def judge(definition: Definition) -> Findings:
        for _, job in _jobs(definition):
            if job.subnets:
                yield from is_set(job.arguments, job.subnets, "without one it runs in a network of AWS's own")
            if job.output_key:
                yield from is_set(job.arguments, job.output_key, "without one the output has a key that AWS holds")
            if job.disk_key:
                machine = _default(job.arguments.at(job.machine), definition)
                yield from disk_has_key(job.arguments.at(job.disk_key), machine)

    return judge_definition(pipeline, judge)


def _jobs(definition: Definition) -> Iterator[tuple[Step, Job]]:
    return ((step, job) for step in definition.steps for job in step.jobs())


def _registering(definition: Definition) -> Iterator[Step]:
    return (step for step in definition.steps if step.kind == "RegisterModel")


def _isolated(step: Step, switch: Node, settings: Settings) -> Findings:
    """The switch is on, unless the step is named as one that calls out, or is told of a tracking server."""
    name, told = step.place.at("Name"), step.arguments.at("Environment")
    reports = told.known and not told.at("MLFLOW_TRACKING_URI").absent
    if reports or any(fnmatchcase(name.text, pattern) for pattern in settings[STEPS_ONLINE]):
        return
    unknown = [node for node in (name, told) if node.unknown]
    for found in _switched_on(switch):
        yield Undecided(unknown[0].path) if unknown and isinstance(found, Violation) else found


def _switched_on(switch: Node) -> Findings:
    if switch.unknown:
        yield Undecided(switch.path)
    elif not switch.true:
        found = "is not set" if switch.absent else "is false"
        if switch.known and isinstance(switch.value, dict):
            found = "is decided by each run"
        yield Violation(switch.path, f"{switch.path} {found}; it has to be true")


def _waits(status: Node, definition: Definition) -> Findings:
    """Every status that a run may give to its version is one that waits, or refuses."""
    parameter = definition.parameter(status)
    possible = parameter.each("EnumValues[]") if parameter is not None else (status,)
    if any(node.unknown for node in possible):
        yield Undecided(status.path)
    elif status.absent:
        yield Violation(status.path, f'{status.path} is not set; it has to be "PendingManualApproval"')
    elif not all(node.text.lower() in _NOT_YET_APPROVED for node in possible):
        found = "is left to who starts a run" if not status.text else "approves the version"
        yield Violation(status.path, f'{status.path} {found}; it has to be "PendingManualApproval"')


def _stops(step: Step) -> bool:
    """Whether a check is made in every run and ends it when it fails; both are what SageMaker does by itself."""
    skips, fails = step.place.at("SkipCheck"), step.place.at("FailOnViolation")
    return (skips.absent or (skips.known and skips.value in (False, "false"))) and (fails.absent or fails.true)


def _default(machine: Node, definition: Definition) -> Node:
    """An instance type; of one that a run may choose, the one it has otherwise."""
    parameter = definition.parameter(machine)
    return machine if parameter is None else parameter.at("DefaultValue")
