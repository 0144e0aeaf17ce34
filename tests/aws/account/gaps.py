"""Where moto is not AWS for the machines of an estate, what AWS does, and what the simulation does about it."""

from dataclasses import dataclass

__all__ = ["GAPS", "Gap"]


@dataclass(frozen=True)
class Gap:
    service: str
    moto: str
    """What moto lacks or does otherwise."""
    real: str
    """What the service does."""
    source: str
    here: str
    """Where the gap is closed, as `module.function`; what is not closed begins with `open`."""


STATES = "Step Functions developer guide"
SAGEMAKER = "SageMaker API reference"
DEPLOYING = "SageMaker developer guide, Deployment guardrails"
EVENTS = "EventBridge user guide"

GAPS: tuple[Gap, ...] = (
    # Step Functions
    Gap("states", "waits and retries sleep", "they take their time", STATES, "executions.Executions.patched"),
    Gap(
        "states",
        "executions run in threads of their own",
        "the same: which of two is first is nobody's promise",
        STATES,
        "clock.Clock: they take turns state by state, so that a simulation repeats itself",
    ),
    Gap(
        "states",
        "FULL jitter takes a random part of a retry's interval",
        "the same",
        f"{STATES}, Handling errors",
        "executions.Executions.patched: always the whole interval",
    ),
    Gap("states", "evaluates no JSONata", "does", f"{STATES}, Transforming data with JSONata", "expressions.evaluate"),
    Gap("states", "$now and $millis tell the real time", "the time", "docs.jsonata.org", "expressions.patched"),
    Gap("states", "lacks $hash and $uuid", "has them", f"{STATES}, JSONata functions", "expressions.evaluate"),
    Gap("states", "takes $eval", "refuses it for $parse", f"{STATES}, JSONata functions", "expressions.evaluate"),
    Gap(
        "states",
        "text with quotes or line breaks in a variable breaks every expression after it",
        "values are values",
        f"{STATES}, Passing data with variables",
        "expressions._declarations",
    ),
    Gap(
        "states",
        "an expression that fails is States.Runtime, which nothing catches",
        "States.QueryEvaluationError",
        f"{STATES}, Handling errors",
        "expressions._evaluation",
    ),
    Gap(
        "states",
        "States.ALL catches everything",
        "neither States.Runtime nor States.DataLimitExceeded",
        f"{STATES}, Handling errors",
        "executions._equals",
    ),
    Gap(
        "states",
        "an error of Step Functions' own inside of a Map or Parallel becomes another error",
        "keeps its name",
        f"{STATES}, Handling errors",
        "executions._error_name",
    ),
    Gap(
        "states",
        "a choice's default Assign and Output apply to a rule that leads to the same state",
        "they are the default's alone",
        f"{STATES}, Choice workflow state",
        "executions._chosen",
    ),
    Gap(
        "states",
        "names errors sagemaker.ResourceInUse...; knows eventbridge and others under no name",
        "SageMaker.ResourceInUseException; an error that the API's model lacks is SageMaker.SageMakerException",
        f"{STATES}, Supported AWS SDK service integrations",
        "executions.SERVICES",
    ),
    Gap(
        "states",
        "does not hold a request against the API's model",
        "refuses it",
        "botocore's service models",
        "executions.Executions._call, Account.check",
    ),
    Gap(
        "states",
        "an execution that is stopped runs until its next state has ended",
        "is ABORTED at once",
        "Step Functions API reference, StopExecution",
        "executions.Executions._stop",
    ),
    Gap(
        "states",
        "a wait until a moment ends up to a second before it",
        "not before it",
        f"{STATES}, Wait workflow state",
        "executions.Executions._until",
    ),
    Gap(
        "states",
        "DescribeExecution writes a text that is an output without quotes, and no end of one that timed out",
        "an output is JSON",
        "Step Functions API reference, DescribeExecution",
        "executions._describe",
    ),
    Gap("states", "an unnamed execution is called None", "gets a name", "StartExecution", "executions._named"),
    Gap(
        "states",
        "TimeoutSeconds of a machine is real time",
        "time",
        f"{STATES}, State machine structure",
        "executions.Executions._program; open: TimeoutSeconds of a state",
    ),
    Gap(
        "states",
        "iterations and branches run at once",
        "the same, up to MaxConcurrency",
        f"{STATES}, Map and Parallel",
        "open: one after another, so what waits in one delays the next",
    ),
    Gap(
        "states",
        "times in answers are 2026-11-23T09:00:00+00:00",
        "2026-11-23T09:00:00Z",
        f"{STATES}, Learning to use AWS service SDK integrations",
        "expressions._literal",
    ),
    Gap(
        "states",
        "keys of answers keep botocore's letters",
        "abbreviations of more than one capital are written as words in some services (DBCluster becomes DbCluster)",
        f"{STATES}, Learning to use AWS service SDK integrations",
        "open: no service that a machine of an estate calls is known to need it",
    ),
    # SageMaker
    Gap("sagemaker", "no UpdateEndpoint", "replaces what an endpoint runs", SAGEMAKER, "endpoints.Endpoints._update"),
    Gap(
        "sagemaker",
        "endpoints and weights change at once",
        "the status is Creating or Updating meanwhile, and every other update is refused",
        f"{SAGEMAKER}, DescribeEndpoint",
        "endpoints.Endpoints._after",
    ),
    Gap(
        "sagemaker",
        "no blue/green deployment, no alarms that take it back",
        "RollingBack, then InService with the old configuration",
        DEPLOYING,
        "endpoints.Endpoints._take_back; open: traffic within one update is not split, only how long it takes",
    ),
    Gap(
        "sagemaker",
        "drops ShadowProductionVariants and EnableNetworkIsolation",
        "keeps them",
        SAGEMAKER,
        "endpoints.Endpoints._create_configuration, _create_model",
    ),
    Gap(
        "sagemaker",
        "overwrites a model, a configuration or a job of the same name",
        "ValidationException: Cannot create already existing ...; ResourceInUse for jobs",
        SAGEMAKER,
        "endpoints.Endpoints._new, jobs.Jobs._create",
    ),
    Gap(
        "sagemaker",
        "makes a model from an artifact that is not there",
        "refuses it",
        f"{SAGEMAKER}, CreateModel",
        "endpoints.Endpoints._create_model",
    ),
    Gap(
        "sagemaker",
        "the same",
        "deletes a model or configuration that a live endpoint stands on, and never should",
        f"{SAGEMAKER}, DeleteEndpointConfig",
        "Account.mistake: it is let happen and `run` refuses it",
    ),
    Gap(
        "sagemaker",
        "UpdateModelPackage replaces a version's metadata and forgets who approved",
        "adds to the metadata; LastModifiedBy is who called",
        f"{SAGEMAKER}, UpdateModelPackage",
        "registry.Registry._update",
    ),
    Gap("sagemaker", "CreatedBy is a user of Studio's", "IamIdentity of the session", "UserContext", "people.Identity"),
    Gap("sagemaker", "no ModelLifeCycle", "keeps it", f"{SAGEMAKER}, ModelLifeCycle", "registry.Registry._update"),
    Gap(
        "sagemaker",
        "jobs are done at once and do nothing",
        "take time, read and write S3",
        SAGEMAKER,
        "jobs.Jobs; a transform asks a function of the scenario, processing runs the program that is in S3",
    ),
    Gap(
        "sagemaker",
        "runs of a pipeline have succeeded at once, and a token starts a second one",
        "they execute; a token that was seen gives the run that it started",
        f"{SAGEMAKER}, StartPipelineExecution",
        "pipelines.Pipelines; its steps are not run: Account.register writes what they would leave",
    ),
    Gap(
        "sagemaker",
        "no events",
        "one for every change of a version, an endpoint, a job and a run",
        "SageMaker developer guide, Events that SageMaker sends to EventBridge",
        "events.Events.emit; several for one change by Account.twice",
    ),
    # CloudWatch, EventBridge, SNS, the rest
    Gap(
        "cloudwatch",
        "no PutCompositeAlarm",
        "follow their rule",
        "PutCompositeAlarm",
        "metrics.Metrics.set",
    ),
    Gap(
        "cloudwatch",
        "alarms do nothing",
        "publish to their topics and tell EventBridge",
        "CloudWatch user guide, Alarm events and EventBridge",
        "metrics.Metrics._changed; open: alarms are set by the scenario, never computed from metrics",
    ),
    Gap(
        "cloudwatch",
        "DescribeAlarms takes one filter and gives composite alarms unasked",
        "takes all its filters; metric alarms alone unless AlarmTypes says otherwise",
        "CloudWatch API reference, DescribeAlarms",
        "metrics.Metrics._describe",
    ),
    Gap(
        "cloudwatch",
        "an expression is the id of one query",
        "arithmetic, IF, FILL",
        "CloudWatch user guide, Metric math",
        "metrics.calculated",
    ),
    Gap(
        "logs",
        "no embedded metrics",
        "become metrics",
        "Embedded metric format specification",
        "metrics.Metrics.read_log",
    ),
    Gap(
        "events",
        "rules start no state machine and publish to no topic; an operator that a pattern misspells matches everything",
        "do; such a rule is refused",
        f"{EVENTS}, Comparison operators",
        "events.Events, events.matches",
    ),
    Gap(
        "events", "input transformers lose quotes", "make JSON", f"{EVENTS}, Input transformation", "events.transformed"
    ),
    Gap(
        "events",
        "an event goes from bus to bus to bus",
        "not on to a third",
        f"{EVENTS}, Sending and receiving events between event buses",
        "events.Events._receive",
    ),
    Gap(
        "events",
        "what cannot be delivered is lost",
        "is tried again for a day, then goes to the dead letters",
        f"{EVENTS}, Retry policy and dead-letter queues",
        "events.Events._deliver: at once; open: retries",
    ),
    Gap(
        "sns",
        "takes any subject",
        "at most 100 printable ASCII characters",
        "SNS API reference, Publish",
        "messages.Messages",
    ),
    Gap("budgets", "nothing is ever spent", "CalculatedSpend", "Budgets API reference", "Account.spend"),
    Gap(
        "scheduler",
        "schedules start nothing",
        "start their target when their time has come",
        "EventBridge Scheduler user guide",
        "schedules.fire: when the scenario says that it has",
    ),
    Gap(
        "sagemaker",
        "the same",
        "refuses an update that changes the instance type of a variant that is scaled, or removes it",
        "SageMaker developer guide, Update endpoints that use auto scaling",
        "endpoints.Endpoints._same_machines",
    ),
    Gap(
        "application-autoscaling",
        "knows endpoints of moto's own SageMaker alone",
        "scales, and refuses to lose a variant that it scales",
        "SageMaker developer guide, Automatic scaling",
        "open: what scales is not in the account; counts are changed by the scenario",
    ),
    Gap(
        "s3",
        "bucket policies' conditions are ignored, so a policy that demands TLS refuses everything",
        "are judged",
        "moto's S3 backend",
        "estate: no bucket has its policy here; rights are held against policies elsewhere",
    ),
    Gap(
        "sts",
        "an account each for every number",
        "the same",
        "moto's backends",
        "estate: all slices lie in account 123456789012, and its number is put into every ARN and document; two slices "
        "have no name in common, but rules of all slices share one default bus",
    ),
)
