"""AWS: every trap that concerns a plan, and what shows that the estate stays out of it.

A trap that is a behaviour of one part is shown among that part's tests, and the table names the test. What concerns
several parts, or is only that a thing is never made, is shown here. Not proved: that the traps are as their sources
say.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from mlestate.blueprint.inventory import Row, short_type
from mlestate.blueprint.quotas import needs
from mlestate.local.session import rehearse

from .conftest import Recorded, Rows, all_of, one, statements
from .estates import MINIMAL, ONE_ACCOUNT, PEOPLED, THREE_ACCOUNTS

TESTS = Path(__file__).parents[1]

SHOWN: Mapping[str, tuple[str, ...]] = {
    "an endpoint configuration of a fixed name is in the way of the next one (terraform-provider-aws#21811)": (
        "aws/test_serving.py::test_what_sagemaker_cannot_change_has_no_fixed_name",
        "aws/test_traps.py::test_an_endpoint_configuration_is_made_before_the_old_one_goes",
    ),
    "the endpoint goes on with the old configuration, which is deleted first (#40048)": (
        "aws/test_traps.py::test_an_endpoint_configuration_is_made_before_the_old_one_goes",
    ),
    "an endpoint that SageMaker rolled back stands on what a program has deleted (#46663, #48997)": (
        "aws/test_serving.py::test_releases_find_the_endpoint_as_they_left_it",
    ),
    "one alarm more for the automatic rollback replaces the endpoint (auto_rollback_configuration)": (
        "aws/test_traps.py::test_no_endpoint_holds_what_would_replace_it",
    ),
    "the provider waits an hour and ignores another limit (#39040)": (
        "aws/test_traps.py::test_no_endpoint_holds_what_would_replace_it",
    ),
    "a change of the configuration sets scaled counts back (#48990)": (
        "aws/test_serving.py::test_releases_find_the_endpoint_as_they_left_it",
        "aws/test_traps.py::test_an_endpoint_begins_with_the_fewest_machines_that_scaling_leaves_it",
    ),
    "an endpoint of a fixed name cannot be made beside itself (#40080)": (
        "aws/test_serving.py::test_an_endpoint_is_deleted_before_another_is_made",
    ),
    "a changed model of a fixed name reaches no endpoint (modernisation-platform-environments#9917)": (
        "aws/test_serving.py::test_what_sagemaker_cannot_change_has_no_fixed_name",
    ),
    "a change of a model's network is planned and left out (#45490)": (
        "aws/test_serving.py::test_a_change_of_the_network_replaces_the_model",
    ),
    "one feature more replaces the group and loses its online store (#26809, #36784)": (
        "aws/test_features.py::test_a_new_feature_comes_into_the_group_as_it_is",
        "aws/test_features.py::test_a_protected_group_is_neither_replaced_nor_deleted_with_its_file",
    ),
    "a catalogue's settings and a table that SageMaker makes exclude each other (sagemaker-python-sdk#2916)": (
        "aws/test_features.py::test_every_group_has_an_offline_store_that_sagemaker_makes_as_an_iceberg_table",
    ),
    "a definition of a monitor cannot change (#45951)": (
        "aws/test_model_monitor.py::test_a_definition_that_says_something_else_is_called_something_else",
        "aws/test_model_monitor.py::test_a_schedule_moves_to_the_new_definition_before_the_old_one_goes",
        "aws/test_model_monitor.py::test_a_schedule_stands_on_its_definition_by_name",
    ),
    "an endpoint goes while a schedule still reads it": (
        "aws/test_model_monitor.py::test_a_schedule_comes_after_the_endpoint_and_goes_before_it",
    ),
    "Model Monitor takes four rhythms": (
        "aws/test_model_monitor.py::test_only_the_schedules_that_model_monitor_takes_are_written",
    ),
    "a model quality job without an InferenceAttribute fails at its first run (sagemaker-python-sdk#3959)": (
        "aws/test_model_monitor.py::test_what_cloud_control_is_asked_for_is_what_sagemakers_api_takes",
    ),
    "a monitor without a request to read fails, and nobody is to be woken (#2634)": (
        "aws/test_monitor_job.py::test_a_quiet_day_is_a_number_and_no_failure",
    ),
    "a role is taken before IAM has spread its policies (#32734, #8713)": (
        "aws/test_access.py::test_an_identity_is_known_at_once_and_comes_after_its_policy",
        "aws/test_traps.py::test_what_runs_as_a_role_comes_after_the_role_s_policies",
    ),
    "a role that goes before its endpoint leaves grants and network interfaces behind": (
        "aws/test_serving.py::test_an_endpoint_goes_before_the_role_that_its_model_runs_as",
    ),
    "a full bucket, a key or a locked record goes, or cannot go, with its stack": (
        "aws/test_data.py::test_only_a_protected_environment_refuses_to_lose_its_data",
        "aws/test_keys.py::test_a_key_of_the_estate_turns_over_and_leaves_slowly",
        "aws/test_audit.py::test_a_record_under_a_compliance_lock_outlives_the_estate",
    ),
    "a bucket for one network alone locks out whoever deploys": (
        "aws/test_traps.py::test_no_bucket_is_closed_to_all_but_a_network",
    ),
    "a Studio domain leaves file systems behind, and users lose theirs (#20986, #29331, #45528, #38370)": (
        "aws/test_traps.py::test_no_studio_domain_and_no_notebook_is_made",
    ),
    "a notebook's platform replaces it (#45830)": ("aws/test_traps.py::test_no_studio_domain_and_no_notebook_is_made",),
    "people who share an execution role cannot be told apart": (
        "aws/test_traps.py::test_no_studio_domain_and_no_notebook_is_made",
        "aws/test_access.py::test_a_person_is_believed_only_as_a_session_of_identity_center",
    ),
    "a name with its suffix is longer than SageMaker takes": (
        "test_names.py::test_a_name_fits_its_cloud_or_is_refused",
        "local/test_cloud_changes.py::test_a_logical_name_too_long_for_the_cloud_is_refused_at_check",
    ),
    "a group that holds versions cannot be deleted": (
        "aws/test_registry.py::test_the_registry_of_a_protected_environment_is_kept",
    ),
    "a version in a group takes no tags": ("aws/test_pipeline_definition.py::test_a_version_in_a_group_has_no_tags",),
    "CloudWatch cannot use the key that AWS manages for SNS": (
        "aws/test_alerts.py::test_alarms_are_never_under_the_key_that_aws_manages_for_sns",
        "aws/test_keys.py::test_an_alarm_reaches_people_through_a_topic_under_the_estates_key",
    ),
    "EventBridge delivers an event at least once": (
        "aws/test_batch.py::test_an_event_that_is_delivered_twice_starts_one_job",
    ),
    "a budget by tag counts nothing before the tag is activated": (
        "doctor/test_doctor.py::test_a_budget_whose_tags_nobody_activated_fails",
    ),
    "selectors of data events replace the management events": (
        "aws/test_audit.py::test_what_bills_by_the_event_comes_only_when_it_is_asked_for",
    ),
    "Cloud Control knows no default tags": (
        "aws/test_model_monitor.py::test_what_is_made_through_cloud_control_carries_its_own_tags",
    ),
    "Cloud Control gives up where there are many calls": (
        "aws/test_model_monitor.py::test_definitions_are_made_one_after_the_other",
        "aws/test_features.py::test_cloud_control_is_asked_for_one_group_after_the_other",
    ),
    "SageMaker refuses a volume key where disks encrypt themselves": (
        "aws/test_serving.py::test_a_volume_is_encrypted_with_the_estates_key_unless_its_disk_encrypts_itself",
        "aws/test_serving_rules.py::test_it_is_refused_where_it_stands_with_the_reason_and_the_alternative",
        "aws/test_pipeline_definition.py::test_a_machine_with_disks_of_its_own_takes_no_volume_key",
    ),
    "a variant of another name turns the guardrails of a deployment off": (
        "aws/test_traps.py::test_a_variant_is_called_the_same_for_ever",
    ),
    "a scalable target must go before its variant does (#14337)": (
        "aws/test_serving.py::test_scaling_stands_on_the_endpoint_and_goes_before_it",
    ),
    "a scalable target with tags is there already (#31839)": (
        "aws/test_serving.py::test_only_what_has_room_to_grow_scales",
    ),
    "an MLflow server takes half an hour, and an upgrade replaces it (#41436)": (
        "aws/test_tracking.py::test_a_server_is_given_the_half_hour_that_it_takes",
        "aws/test_tracking.py::test_an_upgrade_by_aws_does_not_replace_a_server_with_an_empty_one",
    ),
    "a connection to a repository waits until a person confirms it": (
        "aws/test_traps.py::test_no_connection_waits_for_a_person",
    ),
    "a serverless endpoint mirrors none that has machines": (
        "test_mirror.py::test_a_mirror_differs_in_the_size_and_number_of_its_machines_alone",
    ),
    "what Clarify asks counts against the quota of endpoints": (
        "aws/test_traps.py::test_an_endpoint_that_is_explained_needs_a_machine_more",
    ),
    "SageMaker's own images lie in another account in every region": (
        "aws/test_monitoring.py::test_the_monitor_runs_wherever_the_law_of_a_residency_keeps_data",
    ),
    "keys of one Null block are demanded together": (
        "aws/test_access.py::test_each_demand_on_a_job_is_a_statement_of_its_own",
    ),
    "Lake Formation lets everybody in by default, and closing that is the whole account's affair": (
        "aws/test_lake.py::test_new_databases_and_tables_are_seen_by_nobody_who_was_not_given_them",
        "aws/test_lake.py::test_nothing_of_an_account_is_changed_where_the_file_does_not_ask",
    ),
    "a pipeline whose definition lies in S3 cannot be updated (#38259)": (
        "aws/test_training.py::test_a_definition_stands_in_the_pipeline_and_not_in_s3",
        "aws/test_pipeline_definition.py::test_an_unchanged_definition_is_the_same_text",
    ),
    "inline settings of a bucket and resources of their own undo each other (pulumi-aws#3803)": (
        "aws/test_data.py::test_settings_of_a_bucket_are_resources_of_their_own",
    ),
}
"""By trap, with the issue where it is known where there is one: the tests that show it."""


@cache
def _tests(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("trap", SHOWN)
def test_each_trap_is_shown_by_tests_that_are_there(trap: str) -> None:
    assert SHOWN[trap]
    for test in SHOWN[trap]:
        file, _, name = test.partition("::")
        assert name in _tests(file), f"{test} is gone, and with it what shows that: {trap}"


ESTATES = (MINIMAL, ONE_ACCOUNT, THREE_ACCOUNTS, PEOPLED)


def _every(estate: Recorded) -> Iterator[Row]:
    for text in ESTATES:
        yield from estate(text)


def test_an_endpoint_configuration_is_made_before_the_old_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint may still stand on the old one, which therefore never goes at all."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "rehearsal")
    file = tmp_path / "estate.yaml"
    text = MINIMAL.replace("classification}", "classification, serving: {mode: realtime, initial_version: 1}}")
    file.write_text(text)
    before = rehearse(file).state.export()
    file.write_text(text.replace("mode: realtime", "mode: realtime, compute: cpu-medium"))
    found = [
        (each.op, each.urn.rpartition("::")[2])
        for each in rehearse(file, against=before).result.operations
        if ":EndpointConfiguration::" in each.urn
    ]
    ops = [op for op, _ in found]
    assert "create-replacement" in ops, "SageMaker changes no configuration"
    assert ops.index("create-replacement") < min(
        (index for index, op in enumerate(ops) if op in ("delete-replaced", "discard-replaced")), default=len(ops)
    )


def test_no_endpoint_holds_what_would_replace_it(estate: Recorded) -> None:
    """Alarms of a rollback and the time that a deployment may take belong to each release, and not to the endpoint."""
    endpoints = [row for row in _every(estate) if short_type(row.type) == "aws:sagemaker:Endpoint"]
    assert endpoints
    for row in endpoints:
        assert "deploymentConfig" not in row.inputs
        assert "deploymentConfig" in row.options["ignoreChanges"], "or what a release said is undone"


def test_an_endpoint_begins_with_the_fewest_machines_that_scaling_leaves_it(estate: Recorded) -> None:
    checked = 0
    for text in ESTATES:
        rows = estate(text)
        for name, target in all_of(rows, "appautoscaling:Target").items():
            (variant,) = all_of(rows, "sagemaker:EndpointConfiguration")[name].inputs["productionVariants"]
            assert variant["initialInstanceCount"] == target.inputs["minCapacity"]
            checked += 1
    assert checked


def test_what_runs_as_a_role_comes_after_the_role_s_policies(estate: Recorded) -> None:
    """What is made as a role is tried at once, or at the next event, with whatever the role may do by then."""
    rows = estate(PEOPLED)
    by_urn = {row.urn: row for row in rows}
    policies = {row.inputs["role"]: row for row in all_of(rows, "iam:RolePolicy").values()}
    roles = {row.outputs["arn"]: policies[row.outputs["name"]] for row in all_of(rows, "iam:Role").values()}
    checked = set()
    for row in rows:
        if not row.custom or ":iam/" in row.type:
            continue
        for arn in set(_taken(row.inputs)) & set(roles):
            assert roles[arn].urn in _before(row, by_urn), f"{row.name} may be tried before {roles[arn].name} is there"
            checked.add(short_type(row.type))
    assert checked >= {
        "aws:budgets:BudgetAction",
        "aws:cloudcontrol:Resource",
        "aws:sagemaker:MlflowTrackingServer",
        "aws:sagemaker:Model",
        "aws:sagemaker:Pipeline",
        "aws:sfn:StateMachine",
    }


def _taken(value: object) -> Iterator[str]:
    """The roles that a value hands to a service, those in its JSON documents too."""
    if isinstance(value, str) and value.startswith('{"'):
        yield from _taken(json.loads(value))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if str(key).lower().endswith("rolearn") and isinstance(each, str):
                yield each
            # A template becomes JSON only with an event in it.
            if key != "inputTemplate":
                yield from _taken(each)
    elif isinstance(value, list):
        for each in value:
            yield from _taken(each)


def _before(row: Row, by_urn: Mapping[str, Row]) -> set[str]:
    """Everything that the resource is made after."""
    seen: set[str] = set()
    waiting = [*row.dependencies]
    while waiting:
        urn = waiting.pop()
        if urn not in seen:
            seen.add(urn)
            waiting += by_urn[urn].dependencies if urn in by_urn else ()
    return seen


def test_no_bucket_is_closed_to_all_but_a_network(estate: Recorded) -> None:
    policies = [row for row in _every(estate) if short_type(row.type) == "aws:s3:BucketPolicy"]
    assert policies
    for row in policies:
        for said in statements(row.inputs["policy"]).values():
            keys = {key.lower() for test in said.get("Condition", {}).values() for key in test}
            assert said["Effect"] == "Allow" or not keys & {"aws:sourcevpc", "aws:sourcevpce", "aws:sourceip"}, (
                f"{row.name} could be neither read nor mended by whoever deploys from elsewhere"
            )


UNMADE = ("aws:sagemaker:Domain", "aws:sagemaker:UserProfile", "aws:sagemaker:Space", "aws:sagemaker:NotebookInstance")


def test_no_studio_domain_and_no_notebook_is_made(estate: Recorded) -> None:
    made = {short_type(row.type) for row in _every(estate)}
    assert not made & set(UNMADE), "people work with their own roles, in whatever domain the account has"


def test_a_variant_is_called_the_same_for_ever(estate: Recorded) -> None:
    configurations = [row for row in _every(estate) if short_type(row.type) == "aws:sagemaker:EndpointConfiguration"]
    names = {each["variantName"] for row in configurations for each in row.inputs["productionVariants"]}
    assert names == {"champion"}, "another name, and releases after it go without canary and without rollback"


def test_no_connection_waits_for_a_person(estate: Recorded) -> None:
    """A repository is trusted by its tokens, which nobody has to confirm in a console."""
    rows: Rows = estate(PEOPLED)
    one(rows, "iam:OpenIdConnectProvider", "ci")
    assert not [row.name for row in rows if row.type.startswith(("aws:codestarconnections/", "aws:codeconnections/"))]


EXPLAINED = MINIMAL.replace(
    "classification}",
    "classification, automated_decision: true, serving: {mode: realtime, initial_version: 1}, "
    "monitoring: {data_drift: {metric: psi}, aws: {model_monitor: true}}}",
)


def test_an_endpoint_that_is_explained_needs_a_machine_more(estate: Recorded) -> None:
    """Clarify makes an endpoint of its own beside the live one."""
    asked = {need.quota.name: need.amount for need in needs(estate(EXPLAINED))}
    plain = {
        need.quota.name: need.amount for need in needs(estate(EXPLAINED.replace("automated_decision: true, ", "")))
    }
    assert asked["ml.m5.xlarge for endpoint usage"] == plain["ml.m5.xlarge for endpoint usage"] + 1
